/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-media.h"

#include <glib/gstdio.h>
#include <string.h>

static gchar *folder;

gboolean
remix_media_available (void)
{
  g_autofree gchar *ffmpeg = g_find_program_in_path ("ffmpeg");
  g_autofree gchar *ffprobe = g_find_program_in_path ("ffprobe");

  return ffmpeg && ffprobe;
}

/* Output of a command line run in the folder; fails the test if it fails. */
static gchar *
run (const gchar *command)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) argv = NULL;
  gchar *out = NULL;
  g_autofree gchar *err = NULL;
  gint status = 0;

  fail_unless (g_shell_parse_argv (command, NULL, &argv, &error));
  fail_unless (g_spawn_sync (folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
      NULL, &out, &err, &status, &error));
  fail_unless (status == 0, "%s: %s", command, err);
  return out;
}

void
remix_media_make (const gchar *args)
{
  g_autofree gchar *command =
      g_strconcat ("ffmpeg -hide_banner -loglevel error -y ", args, NULL);
  g_free (run (command));
}

#define VIDEO \
  " -c:v libx264 -preset veryfast -threads 1 -g 50 -keyint_min 50" \
  " -sc_threshold 0 -bf 2 -pix_fmt yuv420p "
#define AUDIO " -c:a aac -b:a 96k -ar 48000 -ac 2 "

void
remix_media_open (void)
{
  folder = g_dir_make_tmp ("smilremix-XXXXXX", NULL);
  fail_unless (folder != NULL);
}

/* M: 20 s at 25 fps, keyframes each 2 s; A5, A3: 5 and 3 s, other parameter sets;
 * N: 120 frames at 29.97 fps. */
void
remix_media_setup (void)
{
  remix_media_open ();
  remix_media_make ("-f lavfi -i testsrc2=s=160x90:r=25:d=20 -f lavfi -i "
                    "sine=440:r=48000:d=20" VIDEO AUDIO "M.mp4");
  remix_media_make (
      "-f lavfi -i smptebars=s=160x90:r=25:d=5 -f lavfi -i "
      "sine=880:r=48000:d=5" VIDEO "-crf 30 -refs 2" AUDIO "A5.mp4");
  remix_media_make (
      "-f lavfi -i testsrc=s=160x90:r=25:d=3 -f lavfi -i "
      "sine=220:r=48000:d=3" VIDEO "-profile:v baseline -bf 0" AUDIO "A3.mp4");
  remix_media_make (
      "-f lavfi -i testsrc=s=160x90:r=30000/1001 -f lavfi -i "
      "sine=660:r=48000 -frames:v 120 -t 4.004" VIDEO AUDIO "N.mp4");
}

void
remix_media_teardown (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = remix_media_path (name);

    g_unlink (path);
  }
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
}

gchar *
remix_media_path (const gchar *name)
{
  return g_build_filename (folder, name, NULL);
}

void
remix_media_write (const gchar *name, const gchar *text)
{
  g_autofree gchar *path = remix_media_path (name);

  fail_unless (g_file_set_contents (path, text, -1, NULL));
}

/* Runs a pipeline to EOS; the debug text of an error. */
static gchar *
run_pipeline (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  gchar *debug = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL, "neither EOS nor an error");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, &debug);
    if (!debug)
      debug = g_strdup (error->message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return debug;
}

static gchar *
run_location (const gchar *location, const gchar *properties,
    const gchar *output)
{
  g_autofree gchar *path = remix_media_path (output);
  g_autofree gchar *line = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GError) error = NULL;

  line = g_strdup_printf ("smilremixsrc location=\"%s\" %s ! "
                          "filesink location=\"%s\"",
      location, properties ? properties : "", path);
  pipeline = gst_parse_launch (line, &error);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  return run_pipeline (pipeline);
}

gchar *
remix_media_run_uri (const gchar *uri, const gchar *output)
{
  return run_location (uri, NULL, output);
}

gchar *
remix_media_run_document (const gchar *document, const gchar *properties,
    const gchar *output)
{
  g_autofree gchar *playlist = remix_media_path ("playlist.smil");

  remix_media_write ("playlist.smil", document);
  return run_location (playlist, properties, output);
}

gchar *
remix_media_run (const gchar *body, const gchar *properties,
    const gchar *output)
{
  g_autofree gchar *document =
      g_strconcat ("<smil xmlns='http://www.w3.org/2001/SMIL20/Language'>"
                   "<body>",
          body, "</body></smil>", NULL);

  return remix_media_run_document (document, properties, output);
}

GPtrArray *
remix_media_frames (const gchar *name, guint n)
{
  g_autofree gchar *command =
      g_strdup_printf ("ffmpeg -hide_banner -loglevel error -i %s -map 0:v:%u "
                       "-vsync passthrough -f framemd5 -",
          name, n);
  g_autofree gchar *out = run (command);
  g_auto (GStrv) lines = g_strsplit (out, "\n", -1);
  GPtrArray *frames = g_ptr_array_new_with_free_func (g_free);
  guint i;

  for (i = 0; lines[i]; i++) {
    const gchar *hash = strrchr (lines[i], ',');

    if (lines[i][0] != '#' && hash)
      g_ptr_array_add (frames, g_strstrip (g_strdup (hash + 1)));
  }
  return frames;
}

void
remix_media_append (GPtrArray *array, GPtrArray *frames, guint from, guint to)
{
  guint i;

  fail_unless (to <= frames->len, "only %u frames", frames->len);
  for (i = from; i < to; i++)
    g_ptr_array_add (array, g_strdup (g_ptr_array_index (frames, i)));
}

gchar *
remix_media_probe (const gchar *name, const gchar *stream, const gchar *key)
{
  g_autofree gchar *command = g_strdup_printf (
      "ffprobe -loglevel error -select_streams %s -show_entries "
      "stream=%s -of default=nk=1:nw=1 %s",
      stream, key, name);

  return g_strstrip (run (command));
}

gdouble
remix_media_probe_number (const gchar *name, const gchar *stream,
    const gchar *key)
{
  g_autofree gchar *text = remix_media_probe (name, stream, key);

  return g_ascii_strtod (text, NULL);
}

gchar *
remix_media_packets (const gchar *name, const gchar *stream)
{
  g_autofree gchar *command = g_strdup_printf (
      "ffprobe -loglevel error -select_streams %s -show_entries "
      "packet=pts_time,duration_time,size -of csv=p=0 %s",
      stream, name);

  return g_strstrip (run (command));
}

gchar *
remix_media_keyframes (const gchar *name)
{
  g_autofree gchar *command = g_strdup_printf (
      "ffprobe -loglevel error -select_streams v:0 -show_entries "
      "packet=pts_time,flags -of csv=p=0 %s",
      name);
  g_autofree gchar *out = run (command);
  g_auto (GStrv) lines = g_strsplit (out, "\n", -1);
  GString *times = g_string_new (NULL);
  guint i;

  for (i = 0; lines[i]; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], ",", -1);

    if (g_strv_length (fields) >= 2 && fields[1][0] == 'K')
      g_string_append_printf (times, "%s ", fields[0]);
  }
  return g_string_free (times, FALSE);
}

gdouble
remix_media_audio_seconds (const gchar *name)
{
  g_autofree gchar *command = g_strdup_printf (
      "ffmpeg -hide_banner -loglevel error -i %s -map 0:a:0 -ac 1 -ar 48000 "
      "-f framemd5 -",
      name);
  g_autofree gchar *out = run (command);
  g_auto (GStrv) lines = g_strsplit (out, "\n", -1);
  gint64 samples = 0;
  guint i;

  for (i = 0; lines[i]; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], ",", -1);

    if (lines[i][0] != '#' && g_strv_length (fields) == 6)
      samples += g_ascii_strtoll (fields[3], NULL, 10);
  }
  return (gdouble) samples / 48000;
}

void
remix_media_expect_frames (const gchar *name, guint track, GPtrArray *expected)
{
  g_autoptr (GPtrArray) frames = remix_media_frames (name, track);
  guint i;

  for (i = 0; i < MIN (frames->len, expected->len); i++)
    fail_unless (strcmp (g_ptr_array_index (frames, i),
                     g_ptr_array_index (expected, i)) == 0,
        "frame %u of %u differs", i, expected->len);
  fail_unless_equals_int (frames->len, expected->len);
}

static void
count (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
}

static void
watch (GstElement *pipeline, const gchar *name, guint *n)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), name);

  *n = 0;
  g_signal_connect (sink, "handoff", G_CALLBACK (count), n);
}

void
remix_media_play (const gchar *source, guint *n_video, guint *n_audio)
{
  g_autofree gchar *line = g_strconcat (source,
      " ! qtdemux name=d "
      "d.video_0 ! queue max-size-time=0 ! h264parse ! "
      "avdec_h264 max-threads=1 ! fakesink name=video signal-handoffs=true "
      "d.audio_0 ! queue max-size-time=0 ! aacparse ! avdec_aac ! "
      "fakesink name=audio signal-handoffs=true",
      NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autofree gchar *failure = NULL;

  fail_unless (error == NULL, "%s", error ? error->message : "");
  watch (pipeline, "video", n_video);
  watch (pipeline, "audio", n_audio);
  failure = run_pipeline (pipeline);
  fail_unless (failure == NULL, "%s", failure);
}

void
remix_media_expect_ok (const gchar *body, const gchar *properties)
{
  g_autofree gchar *error = remix_media_run (body, properties, "o.mp4");

  fail_unless (error == NULL, "%s", error);
}

void
remix_media_expect_error (const gchar *body, const gchar *first,
    const gchar *second)
{
  g_autofree gchar *error = remix_media_run (body, NULL, "o.mp4");

  fail_unless (error != NULL, "no error");
  fail_unless (strstr (error, first) != NULL, "%s", error);
  fail_unless (strstr (error, second) != NULL, "%s", error);
}

void
remix_media_append_of (GPtrArray *array, const gchar *name, guint track,
    guint from, guint to)
{
  g_autoptr (GPtrArray) frames = remix_media_frames (name, track);

  remix_media_append (array, frames, from, to);
}

int
remix_media_main (const gchar *name, void (*setup) (void),
    void (*add_tests) (TCase *tc))
{
  Suite *s;
  TCase *tc;

  if (!remix_media_available ()) {
    g_printerr ("skipped: ffmpeg and ffprobe make the sources\n");
    return 77;
  }
  s = suite_create (name);
  tc = tcase_create ("general");
  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_unchecked_fixture (tc, setup, remix_media_teardown);
  add_tests (tc);
  return gst_check_run_suite (s, name, __FILE__);
}

void
remix_media_expect_duration (gdouble seconds)
{
  gdouble video = remix_media_probe_number ("o.mp4", "v:0", "duration");
  gdouble audio = remix_media_probe_number ("o.mp4", "a:0", "duration");

  fail_unless (ABS (video - seconds) < 0.0005, "video %f", video);
  fail_unless (ABS (audio - seconds) < 0.0005, "audio %f", audio);
}

void
remix_media_expect_played (const gchar *options, guint n_frames,
    gdouble seconds)
{
  /* By pull, and by push: a valve only pushes. (A queue in front of qtdemux can
   * deadlock over the allocation query in 1.22, with filesrc too.) */
  static const gchar *const middles[] = { "", "! valve" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (middles); i++) {
    g_autofree gchar *playlist = remix_media_path ("playlist.smil");
    g_autofree gchar *source =
        g_strdup_printf ("smilremixsrc location=\"%s\" %s %s", playlist,
            options, middles[i]);
    guint n_video, n_audio;

    remix_media_play (source, &n_video, &n_audio);
    fail_unless_equals_int (n_video, n_frames);
    fail_unless (ABS (n_audio * 1024.0 / 48000 - seconds) < 3 * 1024.0 / 48000,
        "%u frames of sound", n_audio);
  }
}
