/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * playbin3 with a key session in its context plays a file of every kind as the
 * clear file, which cencdecrypt made in front of no demuxer (decrypt-front
 * compares that with the manifest): the same pictures and the same sound.
 *
 * CENC_KINDS=all: every vector that has a key, not one of each kind.
 */

#include "decrypt-play.h"
#include "webm-file.h"

#include <glib/gstdio.h>
#include <string.h>

/* FALSE: the clear file does not play: there is no decoder for its codec */
static gboolean
check_file (const gchar *name, const gchar *path, const gchar *clear,
    GstCencKeySession *session)
{
  GError *error = NULL;
  Player wanted, got;
  gboolean plays;
  guint i;

  fail_unless (player_play (&wanted, clear, NULL, &error), "%s: no end", name);
  plays = !error && wanted.sinks[0].n_buffers + wanted.sinks[1].n_buffers > 0;
  if (!plays) {
    g_print ("skipped: %s: %s\n", name, error ? error->message : "no decoder");
    g_clear_error (&error);
    player_clear (&wanted);
    return FALSE;
  }
  fail_unless (player_play (&got, path, session, &error), "%s: no end", name);
  fail_unless (!error, "%s: %s", name, error ? error->message : "");

  for (i = 0; i < 2; i++) {
    fail_unless (got.sinks[i].n_buffers == wanted.sinks[i].n_buffers &&
            got.sinks[i].sum == wanted.sinks[i].sum,
        "%s: %s differs, %u and %u buffers", name, i ? "sound" : "picture",
        got.sinks[i].n_buffers, wanted.sinks[i].n_buffers);
  }
  fail_unless_equals_int (wanted.n_decryptors, 0);
  fail_unless (got.n_decryptors > 0);
  g_print ("%s: %u pictures, %u of sound\n", name, got.sinks[0].n_buffers,
      got.sinks[1].n_buffers);
  player_clear (&wanted);
  player_clear (&got);
  return TRUE;
}

static void
check_vector (const Vector *vector)
{
  GstCencKeySession *session = play_session_new (vector->keys);
  gchar *clear = play_clear_file (vector);
  gboolean plays = check_file (vector->file, vector->path, clear, session);

  fail_unless (plays || !strstr ("avc1,mp4a", vector->codec), "%s",
      vector->file);
  g_unlink (clear);
  g_free (clear);
  gst_object_unref (session);
}

#define SHAKA "shaka-packager_app_test_testdata_"

static const gchar *const kinds[] = {
  "peer-gpac-frag-cenc.mp4",
  "peer-ffmpeg-prog-cenc.mp4", /* slice headers are encrypted */
  "peer-gpac-prog-cenc.mp4",
  "vsd_cens-single_video_init.mp4",
  "vsd_cens-multi_audio_init.mp4",
  "peer-gpac-frag-cbc1.mp4",
  "peer-gpac-prog-cbc1.mp4",
  "peer-bento4-frag-MPEG-CBCS.mp4",
  "peer-gpac-prog-cbcs.mp4",
  SHAKA
  "encryption-cbcs-with-full-protection_bear-640x360-video.mp4", /* 10:0 */
  "peer-bento4-frag-PIFF-CTR.mp4",
  "peer-bento4-frag-PIFF-CBC.mp4",
  "peer-gpac-prog-piff.mp4",
  "mp4ff_mp4_testdata_cbcs_audio.mp4",
  "peer-gpac-frag-roll.mp4", /* keys rotate */
  "peer-gpac-prog-roll.mp4",
  SHAKA "live-profile-and-key-rotation_bear-640x360-video-init.mp4",
  SHAKA "encryption-and-no-pssh-in-stream_bear-640x360-video.mp4", /* a lead */
  SHAKA "encryption-cbcs_bear-640x360-audio.mp4", /* likewise */
  "media3_drm_sample_fragmented_clearkey.mp4", /* senc and saio disagree */
  SHAKA "hevc-with-encryption_bear-640x360-hevc-video.mp4",
  SHAKA "opus-vp9-mp4-with-encryption_bear-320x240-vp9-opus-video.mp4",
  SHAKA "opus-vp9-mp4-with-encryption_bear-320x240-vp9-opus-audio.mp4",
  SHAKA "flac-with-encryption_bear-flac-audio.mp4",
};

GST_START_TEST (test_kinds)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector;

  if (!vectors)
    return;
  vector = vectors_find (vectors, kinds[__i__]);
  if (!vector_leaks_in_qtdemux (vector))
    check_vector (vector);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/* Those without a key are the ones in which no sample is encrypted. */
GST_START_TEST (test_all)
{
  GPtrArray *vectors = vectors_load ();
  guint i;

  for (i = 0; vectors && i < vectors->len; i++) {
    const Vector *vector = g_ptr_array_index (vectors, i);

    if (*vector->keys && !vector_leaks_in_qtdemux (vector))
      check_vector (vector);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/* The only kind that is decrypted behind the demuxer in every version. */
GST_START_TEST (test_webm)
{
  static const gchar *const needed[] = { "matroskademux", "vp9dec", NULL };
  GPtrArray *vectors = vectors_load ();
  gchar *in, *path, *clear;
  GstCencKeySession *session;

  if (!vectors || !play_have_elements (needed))
    return;
  in = vectors_clear (vectors, "bear-640x360-vp9.mp4");
  path = temporary_file ("cencdecrypt-XXXXXX.webm");
  clear = temporary_file ("cencdecrypt-XXXXXX.webm");
  session = play_session_new (WEBM_KEYS);
  webm_file_make (in, TRUE, path);
  webm_file_make (in, FALSE, clear);
  fail_unless (check_file ("WebM", path, clear, session));
  g_unlink (path);
  g_unlink (clear);
  g_free (in);
  g_free (path);
  g_free (clear);
  gst_object_unref (session);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

static Suite *
decrypt_player_suite (void)
{
  static const gchar *const needed[] = { "qtdemux", "avdec_h264", "avdec_aac",
    "playbin3", "videoconvert", NULL };
  Suite *suite = suite_create ("decrypt-player");
  TCase *tc = tcase_create ("pipelines");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 600);
  if (!play_have_elements (needed))
    return suite;
  if (g_strcmp0 (g_getenv ("CENC_KINDS"), "all") == 0)
    tcase_add_test (tc, test_all);
  else
    tcase_add_loop_test (tc, test_kinds, 0, G_N_ELEMENTS (kinds));
  tcase_add_test (tc, test_webm);
  return suite;
}

GST_CHECK_MAIN (decrypt_player);
