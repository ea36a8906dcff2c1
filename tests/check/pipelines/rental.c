/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A rental from end to end, at the defaults of the device: acquired by
 * offlinelicensesrc, found by cencdecrypt in the device's store, and played by
 * playbin3 without an option. The session is the plugin's: nothing of it is
 * linked in here.
 */

#include <string.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "../license/testlicense.h"
#include "../license/testserver.h"
#include "../stock.h"

#define RENTAL \
  "&rightsType=Rental&rental.periodEndTime=%2B86400&rental.playDuration=7200"
/* Valid from 2125 on. */
#define NOT_YET \
  "&rightsType=Rental&template=%7B%22BeginDate%22:%222125-01-01T00:00:00Z%22," \
  "%22Persistent%22:true,%22ExpirationDate%22:%222126-01-01T00:00:00Z%22%7D"
#define NEEDED \
  "x264enc avenc_aac avdec_h264 avdec_aac mp4mux cencencrypt cencdecrypt " \
  "playbin3"
#define MUX \
  "mp4mux name=mux fragment-duration=500 ! %s filesink location=%s " \
  "videotestsrc num-buffers=50 ! video/x-raw,width=64,height=48 ! " \
  "x264enc speed-preset=ultrafast key-int-max=10 ! h264parse ! queue ! mux. " \
  "audiotestsrc num-buffers=80 ! avenc_aac ! aacparse ! queue ! mux."
/* Pictures and sound. Not the soft volume: 1.22's playsink leaks it. */
#define PLAY_FLAGS 0x3
#define ENCRYPT \
  "cencencrypt scheme=%s key-id=6b69642d6f6e652d31362d6279746573 " \
  "key=4b45592d6f6e652d31362d6279746573 ! "

static TestServer server;
static gchar *folder;

static void
setup (void)
{
  test_server_init (&server);
  folder = g_dir_make_tmp ("rental-XXXXXX", NULL);
  g_setenv ("GST_OFFLINE_LICENSE_DIR", folder, TRUE);
}

static void
teardown (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
  test_server_clear (&server);
}

static gboolean
has_elements (void)
{
  g_auto (GStrv) names = g_strsplit (NEEDED, " ", 0);
  guint i;

  for (i = 0; names[i]; i++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (names[i]);

    if (!factory) {
      g_printerr ("skipped: no element %s\n", names[i]);
      return FALSE;
    }
  }
  return TRUE;
}

/* What a run leaves. */
typedef struct
{
  gboolean hangs;
  GError *error;
  GPtrArray *told; /* structures of cencdecrypt's offline-license messages */
  GChecksum *frames;
  guint n_frames;
} Run;

static void
run_init (Run *run)
{
  memset (run, 0, sizeof *run);
  run->told =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_structure_free);
  run->frames = g_checksum_new (G_CHECKSUM_SHA256);
}

static void
run_clear (Run *run)
{
  g_clear_error (&run->error);
  g_ptr_array_unref (run->told);
  g_checksum_free (run->frames);
}

static void
look_at_element (Run *run, GstMessage *message)
{
  GstElement *source = GST_ELEMENT (GST_MESSAGE_SRC (message));
  const gchar *name = GST_OBJECT_NAME (gst_element_get_factory (source));

  if (gst_message_has_name (message, "offline-license") &&
      strcmp (name, "cencdecrypt") == 0)
    g_ptr_array_add (run->told,
        gst_structure_copy (gst_message_get_structure (message)));
}

/* To the end, or to the first error; takes @pipeline. */
static void
run_pipeline (Run *run, GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean done = FALSE;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!done) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);

    run->hangs = message == NULL;
    if (run->hangs)
      break;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
      look_at_element (run, message);
    else
      done = TRUE;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      g_autofree gchar *details = NULL;

      gst_message_parse_error (message, &run->error, &details);
      g_printerr ("%s: %s\n%s\n", GST_MESSAGE_SRC_NAME (message),
          run->error->message, details);
    }
    gst_message_unref (message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

static void
launch (const gchar *description)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (description, &error);
  Run run;

  g_assert_no_error (error);
  run_init (&run);
  run_pipeline (&run, pipeline);
  fail_if (run.hangs, "%s: nothing happens", description);
  g_assert_no_error (run.error);
  run_clear (&run);
}

static gchar *
make_title (const gchar *name, const gchar *scheme)
{
  gchar *path = g_build_filename (folder, name, NULL);
  g_autofree gchar *encrypt = g_strdup_printf (ENCRYPT, scheme ? scheme : "");
  g_autofree gchar *line = g_strdup_printf (MUX, scheme ? encrypt : "", path);

  launch (line);
  return path;
}

/* Trusts the server, and acquires what it issues for @rights. */
static void
acquire (const gchar *rights)
{
  g_autofree gchar *issuers = g_build_filename (folder, "issuers.pem", NULL);
  g_autofree gchar *location = g_build_filename (folder, "title.token", NULL);
  g_autofree gchar *token = test_server_token (&server, rights);
  g_autofree gchar *line =
      g_strdup_printf ("offlinelicensesrc token-location=%s ! fakesink",
          location);
  gchar *pem;
  gsize size;

  fail_unless (g_file_get_contents (server.issuer_path, &pem, &size, NULL));
  fail_unless (g_file_set_contents (issuers, pem, (gssize) size, NULL));
  fail_unless (g_file_set_contents (location, token, -1, NULL));
  g_free (pem);
  launch (line);
}

static void
on_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Run *run = data;
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_checksum_update (run->frames, map.data, (gssize) map.size);
  gst_buffer_unmap (buffer, &map);
  run->n_frames++;
}

static void
play_once (Run *run, const gchar *path)
{
  g_autofree gchar *uri = gst_filename_to_uri (path, NULL);
  GstElement *player = gst_element_factory_make ("playbin3", NULL);
  GstElement *video = gst_element_factory_make ("fakesink", NULL);
  GstElement *audio = gst_element_factory_make ("fakesink", NULL);

  g_clear_error (&run->error);
  g_checksum_reset (run->frames);
  run->n_frames = 0;
  g_object_set (video, "signal-handoffs", TRUE, NULL);
  g_signal_connect (video, "handoff", G_CALLBACK (on_frame), run);
  g_object_set (player, "uri", uri, "video-sink", video, "audio-sink", audio,
      "flags", PLAY_FLAGS, NULL);
  run_pipeline (run, player);
}

/* As a player does that knows nothing of licenses. What is told is that of all
 * attempts. */
static void
play (Run *run, const gchar *path)
{
  guint n = stock_player_attempts ();

  run_init (run);
  do {
    play_once (run, path);
  } while ((run->hangs || run->error) &&
      stock_player_may_have_failed (run->error) && --n > 0);
  fail_if (run->hangs, "%s: playbin3 does not come to its end", path);
}

static void
expect_first_play (Run *run)
{
  GstStructure *structure;
  GstDateTime *date = NULL;

  /* Each of two that sit behind a demuxer tells what it did: one began. */
  fail_unless_equals_int ((gint) run->told->len, 1);
  structure = g_ptr_array_index (run->told, 0);
  fail_unless_equals_string (gst_structure_get_string (structure, "state"),
      "first-play");
  fail_unless_equals_string (gst_structure_get_string (structure,
                                 "expiration-source"),
      "playback");
  fail_unless (gst_structure_get_date_time (structure, "expiration", &date));
  gst_date_time_unref (date);
}

static const gchar *schemes[] = { "cenc", "cbcs" };

GST_START_TEST (test_playbin3)
{
  g_autofree gchar *clear = NULL, *title = NULL;
  Run wanted, once, again;

  if (!has_elements ())
    return;
  clear = make_title ("clear.mp4", NULL);
  title = make_title ("title.mp4", schemes[__i__]);
  acquire (RENTAL);
  test_server_stop (&server);

  play (&wanted, clear);
  play (&once, title);
  g_assert_no_error (once.error);
  fail_unless_equals_int ((gint) once.n_frames, 50);
  fail_unless_equals_string (g_checksum_get_string (once.frames),
      g_checksum_get_string (wanted.frames));
  expect_first_play (&once);

  play (&again, title);
  g_assert_no_error (again.error);
  fail_unless_equals_int ((gint) again.told->len, 0);
  run_clear (&wanted);
  run_clear (&once);
  run_clear (&again);
}
GST_END_TEST;

/* By parsebin: playbin3 of 1.22 leaks pads if it fails in PAUSED. */
GST_START_TEST (test_refused)
{
  g_autofree gchar *title = NULL, *line = NULL;
  Run run;
  GstStructure *structure;

  if (!has_elements ())
    return;
  title = make_title ("title.mp4", "cbcs");
  acquire (NOT_YET);
  line = g_strdup_printf ("filesrc location=%s ! parsebin ! fakesink", title);
  run_init (&run);
  run_pipeline (&run, gst_parse_launch (line, NULL));
  g_assert_error (run.error, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_AUTHORIZED);
  fail_unless (strstr (run.error->message, "2125-01-01") != NULL, "%s",
      run.error->message);
  fail_unless (run.told->len > 0);
  structure = g_ptr_array_index (run.told, 0);
  fail_unless_equals_string (gst_structure_get_string (structure, "state"),
      "refused");
  fail_unless_equals_string (gst_structure_get_string (structure, "reason"),
      "not-yet-valid");
  run_clear (&run);
}
GST_END_TEST;

/* From a copy of the license to the license pad, in front of the demuxer: a
 * decryptor that drives the pipeline, and has a second sink pad. */
GST_START_TEST (test_license_pad)
{
  g_autofree gchar *title = NULL, *line = NULL;

  if (!has_elements ())
    return;
  title = make_title ("title.mp4", "cbcs");
  acquire (RENTAL);
  test_server_stop (&server);
  line = g_strdup_printf (
      "offlinelicensesrc content=%s ! dec.license "
      "filesrc location=%s ! cencdecrypt name=dec ! filesink location=%s.clear",
      title, title, title);
  launch (line);
}
GST_END_TEST;

/* Asked for a key, a device without a store stays as it is. */
GST_START_TEST (test_no_store)
{
  g_autofree gchar *title = NULL, *path = NULL, *line = NULL;
  Run run;

  if (!has_elements ())
    return;
  title = make_title ("title.mp4", "cbcs");
  path = g_build_filename (folder, "none", NULL);
  g_setenv ("GST_OFFLINE_LICENSE_DIR", path, TRUE);
  line = g_strdup_printf ("filesrc location=%s ! parsebin ! fakesink", title);
  run_init (&run);
  run_pipeline (&run, gst_parse_launch (line, NULL));
  g_assert_error (run.error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY);
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  run_clear (&run);
}
GST_END_TEST;

static Suite *
rental_suite (void)
{
  Suite *suite = suite_create ("rental");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 600);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_playbin3, 0, G_N_ELEMENTS (schemes));
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_license_pad);
  tcase_add_test (tc, test_no_store);
  return suite;
}

GST_CHECK_MAIN (rental);
