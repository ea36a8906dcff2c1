/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * playbin3 with a key session in its context plays a file of every kind, and
 * seeks in it as in the clear file, which cencdecrypt made in front of no
 * demuxer (decrypt-front compares that with the manifest): the same pictures and
 * the same sound.
 *
 * CENC_SEEKS=N: so many random seeks in each of four files, not three in two.
 */

#include "decrypt-util.h"

#include <gst/cenc/gstcenckeyring.h>

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE (60 * GST_SECOND)
/* Pictures and sound. Not the soft volume: 1.22's playsink leaks it. */
#define PLAY_FLAGS 0x3

/* What came to a sink. */
typedef struct
{
  GChecksum *sum;
  guint n_buffers;
} Sink;

typedef struct
{
  GstElement *element; /* playbin3 */
  GstElement *video, *audio;
  Sink sinks[2];
  guint n_decryptors;
} Player;

static void
on_buffer (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Sink *self = data;
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_checksum_update (self->sum, map.data, (gssize) map.size);
  gst_buffer_unmap (buffer, &map);
  self->n_buffers++;
}

static void
on_element (GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer data)
{
  Player *self = data;
  GstElementFactory *factory = gst_element_get_factory (element);

  if (factory && strcmp (GST_OBJECT_NAME (factory), "cencdecrypt") == 0)
    self->n_decryptors++;
}

static GstElement *
sink_new (Sink *self)
{
  GstElement *element = gst_element_factory_make ("fakesink", NULL);

  self->sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_object_set (element, "signal-handoffs", TRUE, "sync", FALSE, NULL);
  g_signal_connect (element, "handoff", G_CALLBACK (on_buffer), self);
  return gst_object_ref_sink (element);
}

static void
player_init (Player *self, const gchar *path, GstCencKeySession *session)
{
  gchar *uri = gst_filename_to_uri (path, NULL);

  memset (self, 0, sizeof *self);
  self->element = gst_element_factory_make ("playbin3", NULL);
  self->video = sink_new (&self->sinks[0]);
  self->audio = sink_new (&self->sinks[1]);
  g_object_set (self->element, "uri", uri, "flags", PLAY_FLAGS, "video-sink",
      self->video, "audio-sink", self->audio, NULL);
  g_signal_connect (self->element, "deep-element-added",
      G_CALLBACK (on_element), self);
  if (session) {
    GstContext *context = gst_cenc_key_session_context_new (session);

    gst_element_set_context (self->element, context);
    gst_context_unref (context);
  }
  g_free (uri);
}

static void
player_clear (Player *self)
{
  gst_element_set_state (self->element, GST_STATE_NULL);
  gst_object_unref (self->video);
  gst_object_unref (self->audio);
  gst_object_unref (self->element);
  g_checksum_free (self->sinks[0].sum);
  g_checksum_free (self->sinks[1].sum);
}

/* FALSE if it has not ended after PATIENCE. */
static gboolean
player_run (Player *self, GError **error)
{
  GstBus *bus = gst_element_get_bus (self->element);
  GstMessage *message;

  gst_element_set_state (self->element, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, PATIENCE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  gst_object_unref (bus);
  if (!message)
    return FALSE;
  gst_message_unref (message);
  return TRUE;
}

static GstCencKeySession *
session_new (const Vector *vector)
{
  GstCencKeyRing *ring = gst_cenc_key_ring_new ();

  fail_unless (gst_cenc_key_ring_add_hex (ring, vector->keys, NULL));
  return GST_CENC_KEY_SESSION (ring);
}

/* (transfer full): the path of the decrypted file */
static gchar *
clear_file (const Vector *vector)
{
  gchar *path = NULL, *launch;
  gint fd = g_file_open_tmp ("cencdecrypt-XXXXXX.mp4", &path, NULL);
  GError *error = NULL;
  GByteArray *data;

  fail_unless (fd >= 0);
  close (fd);
  launch = g_strdup_printf (
      "filesrc location=%s ! cencdecrypt keys=%s ! fakesink name=sink",
      vector->path, vector->keys);
  data = pipeline_collect (launch, &error);
  fail_unless (data != NULL, "%s", error ? error->message : "");
  fail_unless (g_file_set_contents (path, (const gchar *) data->data,
      (gssize) data->len, NULL));
  g_byte_array_unref (data);
  g_free (launch);
  return path;
}

static void
check_kind (const Vector *vector)
{
  GstCencKeySession *session = session_new (vector);
  gchar *clear = clear_file (vector);
  GError *error = NULL;
  Player wanted, got;
  guint i;

  player_init (&wanted, clear, NULL);
  fail_unless (player_run (&wanted, &error), "%s: no end", vector->file);
  g_assert_no_error (error);
  player_init (&got, vector->path, session);
  fail_unless (player_run (&got, &error), "%s: no end", vector->file);
  fail_unless (!error, "%s: %s", vector->file, error ? error->message : "");

  fail_unless (wanted.sinks[0].n_buffers + wanted.sinks[1].n_buffers > 0);
  for (i = 0; i < 2; i++) {
    fail_unless (strcmp (g_checksum_get_string (got.sinks[i].sum),
                     g_checksum_get_string (wanted.sinks[i].sum)) == 0,
        "%s: %s differs, %u and %u buffers", vector->file,
        i ? "sound" : "picture", got.sinks[i].n_buffers,
        wanted.sinks[i].n_buffers);
  }
  fail_unless_equals_int (wanted.n_decryptors, 0);
  fail_unless (got.n_decryptors > 0);
  player_clear (&wanted);
  player_clear (&got);
  g_unlink (clear);
  g_free (clear);
  gst_object_unref (session);
}

static const gchar *const kinds[] = {
  "peer-gpac-frag-cenc.mp4",
  "peer-ffmpeg-prog-cenc.mp4",
  "vsd_cens-single_video_init.mp4",
  "peer-gpac-frag-cbc1.mp4",
  "peer-bento4-frag-MPEG-CBCS.mp4",
  "peer-gpac-prog-cbcs.mp4",
  "peer-bento4-frag-PIFF-CTR.mp4",
  "peer-bento4-frag-PIFF-CBC.mp4",
  "mp4ff_mp4_testdata_cbcs_audio.mp4",
  "peer-gpac-frag-roll.mp4",
  "peer-gpac-prog-roll.mp4",
  "shaka-packager_app_test_testdata_encryption-and-no-pssh-in-stream_bear-"
  "640x360-video.mp4", /* a clear lead */
  "shaka-packager_app_test_testdata_encryption-cbcs_bear-640x360-audio.mp4",
};

GST_START_TEST (test_kinds)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector;

  if (!vectors)
    return;
  vector = vectors_find (vectors, kinds[__i__]);
  if (!vector_leaks_in_qtdemux (vector))
    check_kind (vector);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/*
 * Seeks
 */

typedef enum
{
  ACCURATE,
  KEY_UNIT,
  REVERSE, /* key units only, towards the beginning */
  N_SEEKS
} Seek;

static gboolean
wait_for_preroll (Player *self, const gchar *what)
{
  GstBus *bus = gst_element_get_bus (self->element);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE,
      GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL, "%s: no preroll", what);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (!error, "%s: %s", what, error ? error->message : "");
  gst_message_unref (message);
  gst_object_unref (bus);
  return TRUE;
}

static void
player_pause (Player *self, const gchar *what)
{
  gst_element_set_state (self->element, GST_STATE_PAUSED);
  wait_for_preroll (self, what);
}

/* (transfer full): the picture that is shown after the seek */
static GstBuffer *
player_seek (Player *self, Seek seek, gint64 time, const gchar *what)
{
  static const GstSeekFlags flags[] = { GST_SEEK_FLAG_ACCURATE,
    GST_SEEK_FLAG_KEY_UNIT, GST_SEEK_FLAG_TRICKMODE_KEY_UNITS };
  GstSample *sample = NULL;
  GstBuffer *buffer;

  /* The stop is set each time: that of a reverse seek would stay. */
  fail_unless (gst_element_seek (self->element, seek == REVERSE ? -1.0 : 1.0,
                   GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | flags[seek],
                   GST_SEEK_TYPE_SET, seek == REVERSE ? 0 : time,
                   GST_SEEK_TYPE_SET,
                   seek == REVERSE ? time : (gint64) GST_CLOCK_TIME_NONE),
      "%s", what);
  wait_for_preroll (self, what);
  g_object_get (self->video, "last-sample", &sample, NULL);
  fail_unless (sample != NULL, "%s: no picture", what);
  buffer = gst_buffer_ref (gst_sample_get_buffer (sample));
  gst_sample_unref (sample);
  return buffer;
}

static void
check_picture (GstBuffer *got, GstBuffer *wanted, const gchar *what)
{
  GstMapInfo map;

  fail_unless (GST_BUFFER_PTS (got) == GST_BUFFER_PTS (wanted),
      "%s: %" GST_TIME_FORMAT " instead of %" GST_TIME_FORMAT, what,
      GST_TIME_ARGS (GST_BUFFER_PTS (got)),
      GST_TIME_ARGS (GST_BUFFER_PTS (wanted)));
  gst_buffer_map (wanted, &map, GST_MAP_READ);
  gst_check_buffer_data (got, map.data, map.size);
  gst_buffer_unmap (wanted, &map);
  gst_buffer_unref (got);
  gst_buffer_unref (wanted);
}

static void
check_seeks (const Vector *vector, guint n)
{
  static const gchar *const names[] = { "accurate", "key unit", "reverse" };
  GstCencKeySession *session = session_new (vector);
  GRand *rand = g_rand_new_with_seed (4);
  gchar *clear = clear_file (vector);
  gint64 duration = 0;
  Player wanted, got;
  guint i;

  player_init (&wanted, clear, NULL);
  player_init (&got, vector->path, session);
  player_pause (&wanted, clear);
  player_pause (&got, vector->file);
  fail_unless (
      gst_element_query_duration (wanted.element, GST_FORMAT_TIME, &duration));
  for (i = 0; i < n; i++) {
    Seek seek = i % N_SEEKS;
    gint64 time = (gint64) (g_rand_double_range (rand, 0.02, 0.9) * duration);
    gchar *what = g_strdup_printf ("%s, %s to %" GST_TIME_FORMAT, vector->file,
        names[seek], GST_TIME_ARGS (time));
    GstBuffer *picture = player_seek (&wanted, seek, time, "clear");

    check_picture (player_seek (&got, seek, time, what), picture, what);
    g_free (what);
  }
  player_clear (&wanted);
  player_clear (&got);
  g_unlink (clear);
  g_free (clear);
  g_rand_free (rand);
  gst_object_unref (session);
}

static const gchar *const seek_files[] = {
  "peer-gpac-frag-cenc.mp4",
  "peer-gpac-prog-cbcs.mp4",
  "peer-gpac-frag-roll.mp4",
  "peer-bento4-frag-PIFF-CBC.mp4",
};

GST_START_TEST (test_seeks)
{
  const gchar *env = g_getenv ("CENC_SEEKS");
  GPtrArray *vectors = __i__ < 2 || env ? vectors_load () : NULL;

  if (!vectors)
    return;
  check_seeks (vectors_find (vectors, seek_files[__i__]),
      env ? (guint) atoi (env) : N_SEEKS);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

static gboolean
have_all (void)
{
  static const gchar *const names[] = { "qtdemux", "avdec_h264", "avdec_aac",
    "playbin3", "videoconvert" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    GstElementFactory *factory = gst_element_factory_find (names[i]);

    if (!factory) {
      g_print ("skipped: no %s\n", names[i]);
      return FALSE;
    }
    gst_object_unref (factory);
  }
  return TRUE;
}

static Suite *
decrypt_player_suite (void)
{
  Suite *suite = suite_create ("decrypt-player");
  TCase *tc = tcase_create ("pipelines");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 300);
  if (!have_all ())
    return suite;
  tcase_add_loop_test (tc, test_kinds, 0, G_N_ELEMENTS (kinds));
  tcase_add_loop_test (tc, test_seeks, 0, G_N_ELEMENTS (seek_files));
  return suite;
}

GST_CHECK_MAIN (decrypt_player);
