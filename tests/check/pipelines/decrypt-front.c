/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencdecrypt in front of a demuxer: every vector, pulled and pushed. */

#define _GNU_SOURCE /* memmem() */
#include "decrypt-util.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static gboolean
contains (const GByteArray *data, const gchar *type)
{
  return memmem (data->data, data->len, type, 4) != NULL;
}

/* The whole clear file. */
static GByteArray *
decrypt (const Vector *vector, const gchar *upstream)
{
  gchar *keys = keys_property (vector);
  gchar *launch = g_strdup_printf (
      "filesrc location=%s %s ! cencdecrypt %s ! fakesink name=sink",
      vector->path, upstream, keys);
  GError *error = NULL;
  GByteArray *data = pipeline_collect (launch, &error);

  fail_unless (data != NULL, "%s: %s", vector->file,
      error ? error->message : "");
  g_free (launch);
  g_free (keys);
  return data;
}

static void
check_whole (const Vector *vector, const gchar *upstream)
{
  GByteArray *data = decrypt (vector, upstream);
  gchar *digest = mdat_digest (data->data, data->len);
  gchar *input;
  gsize size;

  fail_unless_equals_string (digest, vector->sha256);
  fail_unless (g_file_get_contents (vector->path, &input, &size, NULL));
  fail_unless_equals_uint64 (data->len, size);
  fail_if (contains (data, "sinf") || contains (data, "pssh") ||
          contains (data, "senc") || contains (data, "encv"),
      "%s", vector->file);
  g_free (input);
  g_free (digest);
  g_byte_array_unref (data);
}

static void
check_all (const gchar *upstream)
{
  GPtrArray *vectors = vectors_load ();
  guint i;

  for (i = 0; vectors && i < vectors->len; i++)
    check_whole (g_ptr_array_index (vectors, i), upstream);
  g_clear_pointer (&vectors, g_ptr_array_unref);
}

/* Upstream is pulled, downstream is pushed to. */
GST_START_TEST (test_task)
{
  check_all ("");
}
GST_END_TEST;

/* Upstream pushes: 4 KiB at a time, and in portions that cut everything. */
GST_START_TEST (test_push)
{
  check_all ("! queue");
}
GST_END_TEST;

GST_START_TEST (test_push_odd_portions)
{
  check_all ("blocksize=997 ! queue");
}
GST_END_TEST;

/* An element between that pulls, and gives other buffers than it is given. */
GST_START_TEST (test_task_through_filter)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors,
      "shaka-packager_app_test_testdata_encryption-cbc-1_bear-640x360-video.mp4");

  if (vector)
    check_whole (vector, "! identity");
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/*
 * Downstream pulls
 */

typedef struct
{
  GstElement *pipeline;
  GstPad *pad; /* pulls */
} Puller;

static void
puller_init (Puller *self, const Vector *vector)
{
  gchar *keys = keys_property (vector);
  gchar *launch =
      g_strdup_printf ("filesrc location=%s ! cencdecrypt name=dec %s",
          vector->path, keys);
  GstElement *dec;
  GstPad *src;

  self->pipeline = gst_parse_launch (launch, NULL);
  dec = gst_bin_get_by_name (GST_BIN (self->pipeline), "dec");
  src = gst_element_get_static_pad (dec, "src");
  self->pad = gst_pad_new ("puller", GST_PAD_SINK);
  fail_unless_equals_int (gst_pad_link (src, self->pad), GST_PAD_LINK_OK);
  /* As a demuxer does: its pad is active before our element is in PAUSED. */
  gst_element_set_state (self->pipeline, GST_STATE_READY);
  fail_unless (gst_pad_activate_mode (self->pad, GST_PAD_MODE_PULL, TRUE));
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  gst_object_unref (src);
  gst_object_unref (dec);
  g_free (launch);
  g_free (keys);
}

static void
puller_clear (Puller *self)
{
  gst_pad_activate_mode (self->pad, GST_PAD_MODE_PULL, FALSE);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_object_unref (self->pipeline);
  gst_object_unref (self->pad);
}

static void
check_range (Puller *self, const GByteArray *expected, guint offset, guint size)
{
  GstBuffer *buffer = NULL;
  GstFlowReturn flow = gst_pad_pull_range (self->pad, offset, size, &buffer);

  fail_unless_equals_int (flow, GST_FLOW_OK);
  size = MIN (size, expected->len - offset);
  gst_check_buffer_data (buffer, expected->data + offset, size);
  gst_buffer_unref (buffer);
}

static void
check_ranges (const Vector *vector, GRand *rand)
{
  GByteArray *expected = decrypt (vector, "");
  GstBuffer *buffer = NULL;
  Puller puller;
  guint i;

  puller_init (&puller, vector);
  /* The end first: all boxes in front of it have to be seen for that. */
  check_range (&puller, expected, expected->len - 100, 100);
  for (i = 0; i < 60; i++) {
    guint offset = (guint) g_rand_int_range (rand, 0, (gint) expected->len);
    guint size = 1u << g_rand_int_range (rand, 0, 18);

    check_range (&puller, expected, offset, size);
  }
  for (i = 0; i < MIN (expected->len, 3000); i += 7)
    check_range (&puller, expected, i, 7);
  fail_unless_equals_int (gst_pad_pull_range (puller.pad, expected->len, 1,
                              &buffer),
      GST_FLOW_EOS);
  puller_clear (&puller);
  g_byte_array_unref (expected);
}

GST_START_TEST (test_pull)
{
  GPtrArray *vectors = vectors_load ();
  GRand *rand = g_rand_new_with_seed (1);
  guint i;

  for (i = 0; vectors && i < vectors->len; i++)
    check_ranges (g_ptr_array_index (vectors, i), rand);
  g_rand_free (rand);
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/* A file that ends in its first header, found by decrypt-damage. */
GST_START_TEST (test_tiny)
{
  static const gchar *const upstreams[] = { "", "! queue" };
  gchar *path = NULL, *launch;
  gint fd = g_file_open_tmp ("cencdecrypt-XXXXXX.mp4", &path, NULL);
  GError *error = NULL;

  fail_unless (fd >= 0 && write (fd, "\0\0\0 ft", 6) == 6);
  close (fd);
  launch = g_strdup_printf (
      "filesrc location=%s %s ! cencdecrypt ! fakesink name=sink", path,
      upstreams[__i__]);
  fail_unless (pipeline_collect (launch, &error) == NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_DEMUX),
      "%s", error->message);
  g_clear_error (&error);
  g_unlink (path);
  g_free (launch);
  g_free (path);
}
GST_END_TEST;

/* A key that is another one for each KID. */
static gchar *
wrong_keys (const Vector *vector)
{
  gchar **pairs = g_strsplit (vector->keys, ",", -1), *keys;
  guint i;

  for (i = 0; pairs[i]; i++) {
    gchar *digit = pairs[i] + strlen (pairs[i]) - 1;

    *digit = *digit == '0' ? '1' : '0';
  }
  keys = g_strjoinv (",", pairs);
  g_strfreev (pairs);
  return keys;
}

/* One of each kind of which a clip of some seconds tells. */
GST_START_TEST (test_wrong_keys)
{
  static const gchar *const files[] = {
    "vsd_cenc-single_audio_init.mp4",
    "mp4ff_mp4_testdata_cbcs_audio.mp4",
    "vsd_cens-multi_audio_init.mp4",
    "vsd_cbc1-single_audio_init.mp4",
    "shaka-packager_app_test_testdata_flac-with-encryption_bear-flac-audio.mp4",
    "shaka-packager_app_test_testdata_opus-vp9-mp4-with-encryption_bear-"
    "320x240-vp9-opus-video.mp4",
    "shaka-packager_app_test_testdata_opus-vp9-mp4-with-encryption_bear-"
    "320x240-vp9-opus-audio.mp4",
    "peer-ffmpeg-prog-cenc.mp4",
    "peer-gpac-prog-piff.mp4",
  };
  GPtrArray *vectors = vectors_load ();
  guint i;

  for (i = 0; vectors && i < G_N_ELEMENTS (files); i++) {
    const Vector *vector = vectors_find (vectors, files[i]);
    gchar *keys = wrong_keys (vector), *launch;
    GError *error = NULL;

    launch = g_strdup_printf (
        "filesrc location=%s ! cencdecrypt keys=%s ! fakesink name=sink",
        vector->path, keys);
    fail_unless (pipeline_collect (launch, &error) == NULL, "%s", files[i]);
    fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                     GST_STREAM_ERROR_DECRYPT) &&
            g_str_has_prefix (error->message, "key for KID "),
        "%s: %s", files[i], error->message);
    g_clear_error (&error);
    g_free (launch);
    g_free (keys);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

static Suite *
decrypt_front_suite (void)
{
  Suite *suite = suite_create ("decrypt-front");
  TCase *tc = tcase_create ("vectors");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_task);
  tcase_add_test (tc, test_task_through_filter);
  tcase_add_test (tc, test_push);
  tcase_add_test (tc, test_push_odd_portions);
  tcase_add_test (tc, test_pull);
  tcase_add_test (tc, test_wrong_keys);
  tcase_add_loop_test (tc, test_tiny, 0, 2);
  return suite;
}

GST_CHECK_MAIN (decrypt_front);
