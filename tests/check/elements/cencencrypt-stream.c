/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cencencrypt does not take, and buffers, headers, queries on the way. */

#define _GNU_SOURCE /* memmem() */

#include "cencencrypt-period-util.h"

#include <string.h>

#define ENCRYPT "key-id=" JUDGE_KID " key=" JUDGE_KEY " "

static void
fails_with (GBytes *file, GQuark domain, gint code, const gchar *text)
{
  period_check_fails (ENCRYPT, file, domain, code, text);
}

/* A copy with @from replaced by @to (same length) in its first @size bytes. */
static GBytes *
patched (GBytes *file, const gchar *from, const gchar *to)
{
  gsize size, n = strlen (from), i;
  guint8 *data =
      g_bytes_unref_to_data (g_bytes_new (g_bytes_get_data (file, &size),
                                 g_bytes_get_size (file)),
          &size);

  for (i = 0; i + n <= size; i++) {
    if (memcmp (data + i, from, n) == 0) {
      memcpy (data + i, to, n);
      return g_bytes_new_take (data, size);
    }
  }
  fail ("no %s in the file", from);
  return NULL;
}

GST_START_TEST (test_encrypted_input)
{
  g_autoptr (GBytes) once = NULL;

  if (!period_clear)
    return;
  once = period_convert_with (ENCRYPT, period_clear, 65536);
  fails_with (once, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "encv");
}
GST_END_TEST

GST_START_TEST (test_unknown_codec)
{
  g_autoptr (GBytes) file = NULL;

  if (!period_clear)
    return;
  file = patched (period_clear, "avc1\0", "zzzz\0");
  fails_with (file, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND, "zzzz");
}
GST_END_TEST

/* A moof with a damaged name: its media data does not pass in the clear. */
GST_START_TEST (test_media_without_moof)
{
  g_autoptr (GBytes) file = NULL;

  if (!period_clear)
    return;
  file = patched (period_clear, "moof", "xyzw");
  fails_with (file, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
      "belongs to no moof");
}
GST_END_TEST

/* A picture in a track that says to be something else does not go out clear with
 * no more than a file that looks well. */
GST_START_TEST (test_unknown_handler)
{
  static const gchar *handlers[] = { "auxv", "pict", "vid\x7f" };
  g_autoptr (GBytes) file = NULL;

  if (!period_clear)
    return;
  file = patched (period_clear, "vide", handlers[__i__]);
  fails_with (file, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND,
      "track 1 has the handler '");
}
GST_END_TEST

/* At whatever byte the input ends, either a box ends there or it is an error. */
GST_START_TEST (test_truncated)
{
  gsize size, cut, step;
  guint n_whole = 0;

  if (!period_clear)
    return;
  size = g_bytes_get_size (period_clear);
  step = size / 97;
  for (cut = 1; cut < size; cut += step) {
    g_autoptr (GBytes) file = g_bytes_new_from_bytes (period_clear, 0, cut);
    g_autoptr (GBytes) out = period_convert_with (ENCRYPT, file, 4096);

    n_whole += out != NULL;
  }
  fail_unless (n_whole < 3, "%u truncated files passed", n_whole);
  {
    g_autoptr (GBytes) file =
        g_bytes_new_from_bytes (period_clear, 0, size - 200);

    fails_with (file, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "ends at");
  }
}
GST_END_TEST

GST_START_TEST (test_not_mp4)
{
  g_autoptr (GBytes) text =
      g_bytes_new_static ("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", 37);
  g_autoptr (GBytes) none = g_bytes_new (NULL, 0);

  fails_with (text, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "offset 0");
  fails_with (none, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "moov");
}
GST_END_TEST

/* A slice that cannot be parsed: nothing is guessed, nothing goes out clear. */
GST_START_TEST (test_broken_sample)
{
  g_autoptr (GBytes) file = NULL;
  const guint8 *data;
  gsize size;
  guint8 *copy;
  GstHarness *h;

  if (!period_clear)
    return;
  data = g_bytes_get_data (period_clear, &size);
  copy = g_memdup2 (data, size);
  {
    g_autoptr (GPtrArray) tracks = judge_read (period_clear, JUDGE_SENC, NULL);
    JudgeTrack *video = g_ptr_array_index (tracks, 0);
    GBytes *sample = g_ptr_array_index (video->samples, 3);
    gsize n = g_bytes_get_size (sample);
    guint8 *at = memmem (copy, size, g_bytes_get_data (sample, NULL), n);

    memset (at, 0xff, 4); /* its first NAL unit's length */
  }
  file = g_bytes_new_take (copy, size);
  h = period_harness_new (ENCRYPT);
  fail_if (period_convert (h, file, 4096));
  gst_harness_teardown (h);
  fails_with (file, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
      "track 1, sample 4 at offset");
}
GST_END_TEST
/* Buffers as a muxer makes them: header, then one per sample. */
GST_START_TEST (test_timestamps_and_flags)
{
  const guint8 *data;
  gsize size, pos = 0;
  guint n_media = 0, n_out = 0, n_header = 0;
  GstHarness *h;
  GstBuffer *buffer;

  if (!period_clear)
    return;
  h = period_harness_new (ENCRYPT);
  data = g_bytes_get_data (period_clear, &size);
  while (pos < size) {
    gsize box = bmff_get_u32 (data + pos);
    gboolean mdat = memcmp (data + pos + 4, "mdat", 4) == 0;
    gsize part = mdat ? 8 : box, end = pos + box;

    while (pos < end) {
      buffer = gst_buffer_new_memdup (data + pos, part);
      if (mdat && part != 8) {
        GST_BUFFER_PTS (buffer) = n_media * GST_MSECOND;
        GST_BUFFER_DURATION (buffer) = GST_MSECOND;
        GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
        n_media++;
      } else if (!mdat) {
        GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_HEADER);
      }
      fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
      pos += part;
      part = MIN (1000, end - pos);
    }
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h))) {
    n_header += GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER);
    if (GST_BUFFER_PTS_IS_VALID (buffer)) {
      fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), n_out * GST_MSECOND);
      fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), GST_MSECOND);
      fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT));
      fail_unless (gst_buffer_get_size (buffer) <= 1000);
      n_out++;
    }
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (n_media, n_out);
  fail_unless (n_header >= 2 + judge_count (period_clear, "moof"));
  gst_harness_teardown (h);
}
GST_END_TEST

/* Caps with @front, (transfer full), as a muxer's stream header. */
static GstCaps *
make_header_caps (GstBuffer *front)
{
  GstCaps *caps = gst_caps_new_simple ("video/quicktime", "variant",
      G_TYPE_STRING, "iso-fragmented", NULL);
  GValue array = G_VALUE_INIT, value = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  g_value_init (&value, GST_TYPE_BUFFER);
  gst_value_take_buffer (&value, front);
  gst_value_array_append_and_take_value (&array, &value);
  gst_caps_set_value (caps, "streamheader", &array);
  g_value_unset (&array);
  return caps;
}

/* The stream header of the caps behind cencencrypt; (transfer full). */
static GBytes *
get_header (GstHarness *h)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  const GstStructure *structure;
  const GValue *headers;
  gpointer header;
  gsize size;

  fail_unless (caps);
  structure = gst_caps_get_structure (caps, 0);
  fail_unless_equals_string (gst_structure_get_string (structure, "variant"),
      "iso-fragmented");
  headers = gst_structure_get_value (structure, "streamheader");
  fail_unless (headers && gst_value_array_get_size (headers) == 1);
  gst_buffer_extract_dup (gst_value_get_buffer (
                              gst_value_array_get_value (headers, 0)),
      0, -1, &header, &size);
  gst_caps_unref (caps);
  return g_bytes_new_take (header, size);
}

/* A muxer's stream headers hold the moov: ours, when they go on. */
GST_START_TEST (test_streamheader)
{
  GstHarness *h;
  const guint8 *data;
  gsize size, front;
  g_autoptr (GBytes) header = NULL;
  g_autoptr (GByteArray) out = g_byte_array_new ();

  if (!period_clear)
    return;
  data = g_bytes_get_data (period_clear, &size);
  front = bmff_get_u32 (data);
  front += bmff_get_u32 (data + front);
  h = gst_harness_new_parse ("cencencrypt " ENCRYPT);
  gst_harness_set_src_caps (h,
      make_header_caps (gst_buffer_new_memdup (data, front)));
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_memdup (data, size)),
      GST_FLOW_OK);
  header = get_header (h);
  data = g_bytes_get_data (header, &size);
  fail_unless (memmem (data, size, "encv", 4));
  fail_unless (memmem (data, size, "enca", 4));
  /* And it is what the stream starts with. */
  period_collect (h, out);
  fail_unless (out->len >= size && memcmp (out->data, data, size) == 0);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (test_queries)
{
  GstHarness *h = period_harness_new (ENCRYPT);
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable;

  fail_unless (gst_pad_peer_query (h->srcpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  fail_unless (seekable);
  gst_query_unref (query);
  fail_if (gst_pad_push_event (h->sinkpad,
      gst_event_new_seek (1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, -1)));
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (test_latency)
{
  GstHarness *h;
  GstClockTime before, after;

  if (!period_clear)
    return;
  h = period_harness_new (ENCRYPT);
  before = gst_harness_query_latency (h);
  g_bytes_unref (period_convert (h, period_clear, 65536));
  after = gst_harness_query_latency (h);
  fail_unless_equals_uint64 (before, 0);
  fail_unless (after >= 1000 * GST_MSECOND && after < 1200 * GST_MSECOND,
      "%" GST_TIME_FORMAT, GST_TIME_ARGS (after));
  gst_harness_teardown (h);
}
GST_END_TEST

/* A fragment goes out when its last byte is there, not later. */
GST_START_TEST (test_no_more_than_one_fragment)
{
  GstHarness *h;
  const guint8 *data;
  gsize size, pos = 0, moofs = 0;

  if (!period_clear)
    return;
  h = period_harness_new (ENCRYPT);
  data = g_bytes_get_data (period_clear, &size);
  while (pos < size) {
    gsize box = bmff_get_u32 (data + pos);
    gboolean mdat = memcmp (data + pos + 4, "mdat", 4) == 0;
    guint before = gst_harness_buffers_received (h);

    gst_harness_push (h, gst_buffer_new_memdup (data + pos, box));
    if (mdat) {
      fail_unless (gst_harness_buffers_received (h) > before);
      moofs++;
    }
    pos += box;
  }
  fail_unless (moofs > 1);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (test_flush)
{
  GstHarness *h;
  GBytes *half;
  g_autoptr (GBytes) out = NULL;
  GstSegment segment;

  if (!period_clear)
    return;
  h = period_harness_new (ENCRYPT);
  half = g_bytes_new_from_bytes (period_clear, 0,
      g_bytes_get_size (period_clear) / 2);
  gst_harness_push (h, gst_buffer_new_wrapped_bytes (half));
  g_bytes_unref (half);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  out = period_convert (h, period_clear, 4096);
  fail_unless (out);
  judge_same_samples (period_clear, out, "cenc");
  gst_harness_teardown (h);
}
GST_END_TEST

static Suite *
cencencrypt_stream_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-stream");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_test (tcase, test_encrypted_input);
  tcase_add_test (tcase, test_unknown_codec);
  tcase_add_loop_test (tcase, test_unknown_handler, 0, 3);
  tcase_add_test (tcase, test_media_without_moof);
  tcase_add_test (tcase, test_truncated);
  tcase_add_test (tcase, test_not_mp4);
  tcase_add_test (tcase, test_broken_sample);
  tcase_add_test (tcase, test_timestamps_and_flags);
  tcase_add_test (tcase, test_streamheader);
  tcase_add_test (tcase, test_queries);
  tcase_add_test (tcase, test_latency);
  tcase_add_test (tcase, test_no_more_than_one_fragment);
  tcase_add_test (tcase, test_flush);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_stream);
