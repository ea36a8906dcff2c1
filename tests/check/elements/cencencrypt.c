/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE /* memmem() */

#include "cencencrypt-judge.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <string.h>

#define ENCRYPT "cencencrypt key-id=" JUDGE_KID " key=" JUDGE_KEY " "
#define IV "iv=1122334455667788 "

static GBytes *clear; /* fragmented, H.264 and AAC; NULL: cannot be made here */

static void
make_clear (void)
{
  if (!judge_has_elements ("x264enc h264parse avenc_aac aacparse mp4mux"))
    return;
  clear = judge_run_apart (
      "videotestsrc num-buffers=75 ! video/x-raw,width=320,height=240,"
      "framerate=25/1 ! x264enc key-int-max=25 speed-preset=ultrafast ! "
      "h264parse ! mp4mux name=m fragment-duration=1000 ! appsink name=out "
      "audiotestsrc num-buffers=130 ! avenc_aac ! aacparse ! m.");
}

static GstHarness *
harness_new (const gchar *description)
{
  GstHarness *h = gst_harness_new_parse (description);

  gst_harness_set_src_caps_str (h, "video/quicktime, variant=(string)iso");
  return h;
}

/* Pushes @file in pieces of @step bytes (smaller than 64: only the first
 * headers, since a buffer a byte takes long under a tracer), then EOS; what comes out, or NULL if there was an error. */
static GBytes *
convert (GstHarness *h, GBytes *file, gsize step)
{
  gsize size = g_bytes_get_size (file), pos;
  GstFlowReturn flow = GST_FLOW_OK;
  GByteArray *out = g_byte_array_new ();
  GstBuffer *buffer;
  gboolean ended;

  for (pos = 0; pos < size && flow == GST_FLOW_OK; pos += step) {
    GBytes *piece;

    if (step < 64 && pos > 8192)
      step = 65521;
    piece = g_bytes_new_from_bytes (file, pos, MIN (step, size - pos));
    flow = gst_harness_push (h, gst_buffer_new_wrapped_bytes (piece));
    g_bytes_unref (piece);
  }
  ended = gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h))) {
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (out, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  if (flow == GST_FLOW_OK && ended)
    return g_byte_array_free_to_bytes (out);
  g_byte_array_unref (out);
  return NULL;
}

static GBytes *
convert_with (const gchar *description, GBytes *file, gsize step)
{
  GstHarness *h = harness_new (description);
  GBytes *out = convert (h, file, step);

  gst_harness_teardown (h);
  return out;
}

static GstBus *
watch (GstHarness *h)
{
  GstElement *element = gst_harness_find_element (h, "cencencrypt");
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  gst_object_unref (element);
  return bus;
}

static void
unwatch (GstHarness *h, GstBus *bus)
{
  GstElement *element = gst_harness_find_element (h, "cencencrypt");

  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
  gst_object_unref (bus);
}

/* The conversion has to fail with an error of that code that contains @text. */
static void
fails_in (const gchar *description, GBytes *file, GQuark domain, gint code,
    const gchar *text)
{
  GstHarness *h = harness_new (description);
  GstBus *bus = watch (h);
  GBytes *out = convert (h, file, 4096);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_if (out, "no error: \"%s\" was expected", text);
  fail_unless (message);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  fail_unless (strstr (error->message, text), "\"%s\" in: %s", text,
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  unwatch (h, bus);
  gst_harness_teardown (h);
}

static void
fails_with (GBytes *file, GQuark domain, gint code, const gchar *text)
{
  fails_in (ENCRYPT, file, domain, code, text);
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

GST_START_TEST (test_same_samples)
{
  static const gchar *schemes[] = { "cenc", "cbcs", "cens", "cbc1" };
  g_autofree gchar *description =
      g_strconcat (ENCRYPT "scheme=", schemes[__i__], NULL);
  g_autoptr (GBytes) out = NULL;

  if (!clear)
    return;
  out = convert_with (description, clear, 4096);
  fail_unless (out);
  judge_same_samples (clear, out, schemes[__i__]);
  judge_places (out);
}
GST_END_TEST

/* How the input was cut makes no difference to a byte. */
GST_START_TEST (test_any_pieces)
{
  static const gsize steps[] = { 1, 7, 188, 4096, G_MAXINT };
  g_autoptr (GBytes) want = NULL;
  guint i;

  if (!clear)
    return;
  want = convert_with (ENCRYPT IV, clear, 65536);
  fail_unless (want);
  for (i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autoptr (GBytes) out = convert_with (ENCRYPT IV, clear, steps[i]);

    fail_unless (out && g_bytes_equal (out, want), "in pieces of %u",
        (guint) steps[i]);
  }
}
GST_END_TEST

GST_START_TEST (test_random_iv)
{
  g_autoptr (GBytes) one = NULL;
  g_autoptr (GBytes) two = NULL;
  GstElement *element;
  guint i;

  if (!clear)
    return;
  one = convert_with (ENCRYPT, clear, 65536);
  two = convert_with (ENCRYPT, clear, 65536);
  fail_unless (one && two);
  fail_if (g_bytes_equal (one, two), "two runs used the same IVs");

  /* The same element once more. */
  element = gst_element_factory_make ("cencencrypt", NULL);
  g_object_set (element, "key-id", JUDGE_KID, "key", JUDGE_KEY, NULL);
  for (i = 0; i < 2; i++) {
    GstHarness *h = gst_harness_new_with_element (element, "sink", "src");

    g_bytes_unref (one);
    one = two;
    gst_harness_set_src_caps_str (h, "video/quicktime");
    two = convert (h, clear, 65536);
    gst_harness_teardown (h);
  }
  fail_unless (one && two);
  fail_if (g_bytes_equal (one, two), "a second run used the same IVs");
  judge_same_samples (clear, two, "cenc");
  gst_object_unref (element);
}
GST_END_TEST

GST_START_TEST (test_given_iv_warns)
{
  GstElement *element = gst_element_factory_make ("cencencrypt", NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;

  g_object_set (element, "key-id", JUDGE_KID, "key", JUDGE_KEY, "iv",
      "1122334455667788", NULL);
  gst_element_set_bus (element, bus);
  gst_element_set_state (element, GST_STATE_PAUSED);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (message, "no word of the IV's reuse");
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST

/* Settings that make no sense, and the property that the error has to name. */
static const struct
{
  const gchar *properties, *text;
} bad_settings[] = {
  { "", "key-id" },
  { "key-id=" JUDGE_KID, "key:" },
  { "key=" JUDGE_KEY, "key-id" },
  { "key-id=0011 key=" JUDGE_KEY, "key-id" },
  { "key-id=" JUDGE_KID " key=zz", "key:" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " iv=12", "iv:" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " iv-size=constant", "iv-size" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " iv-size=8 iv=" JUDGE_KEY, "iv:" },
  { "track-keys=SD=" JUDGE_KID, "track-keys" },
  { "track-keys=4K=" JUDGE_KID ":" JUDGE_KEY, "track-keys" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " pssh=AAAA", "pssh" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " crypt-byte-block=1",
      "crypt-byte-block" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " scheme=cbcs crypt-byte-block=0",
      "crypt-byte-block" },
};

GST_START_TEST (test_bad_settings)
{
  g_autofree gchar *description =
      g_strconcat ("cencencrypt ", bad_settings[__i__].properties, NULL);
  GstElement *bin = gst_parse_bin_from_description (description, FALSE, NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error = NULL;

  gst_element_set_bus (bin, bus);
  fail_unless_equals_int (gst_element_set_state (bin, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, bad_settings[__i__].text), "%s",
      error->message);
  fail_if (strstr (error->message, JUDGE_KEY));
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (bin, GST_STATE_NULL);
  gst_element_set_bus (bin, NULL);
  gst_object_unref (bin);
  gst_object_unref (bus);
}
GST_END_TEST

GST_START_TEST (test_key_cannot_be_read)
{
  GstElement *element = gst_element_factory_make ("cencencrypt", NULL);
  GParamSpec *spec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), "key");

  fail_unless (spec && spec->flags & G_PARAM_WRITABLE);
  fail_if (spec->flags & G_PARAM_READABLE);
  gst_object_unref (element);
}
GST_END_TEST

GST_START_TEST (test_encrypted_input)
{
  g_autoptr (GBytes) once = NULL;

  if (!clear)
    return;
  once = convert_with (ENCRYPT, clear, 65536);
  fails_with (once, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "encv");
}
GST_END_TEST

GST_START_TEST (test_unknown_codec)
{
  g_autoptr (GBytes) file = NULL;

  if (!clear)
    return;
  file = patched (clear, "avc1\0", "zzzz\0");
  fails_with (file, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND, "zzzz");
}
GST_END_TEST

/* A moof with a damaged name: its media data does not pass in the clear. */
GST_START_TEST (test_media_without_moof)
{
  g_autoptr (GBytes) file = NULL;

  if (!clear)
    return;
  file = patched (clear, "moof", "xyzw");
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

  if (!clear)
    return;
  file = patched (clear, "vide", handlers[__i__]);
  fails_with (file, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND,
      "track 1 has the handler '");
}
GST_END_TEST

/* At whatever byte the input ends, either a box ends there or it is an error. */
GST_START_TEST (test_truncated)
{
  gsize size, cut, step;
  guint n_whole = 0;

  if (!clear)
    return;
  size = g_bytes_get_size (clear);
  step = size / 97;
  for (cut = 1; cut < size; cut += step) {
    g_autoptr (GBytes) file = g_bytes_new_from_bytes (clear, 0, cut);
    g_autoptr (GBytes) out = convert_with (ENCRYPT, file, 4096);

    n_whole += out != NULL;
  }
  fail_unless (n_whole < 3, "%u truncated files passed", n_whole);
  {
    g_autoptr (GBytes) file = g_bytes_new_from_bytes (clear, 0, size - 200);

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

  if (!clear)
    return;
  data = g_bytes_get_data (clear, &size);
  copy = g_memdup2 (data, size);
  {
    g_autoptr (GPtrArray) tracks = judge_read (clear, JUDGE_SENC, NULL);
    JudgeTrack *video = g_ptr_array_index (tracks, 0);
    GBytes *sample = g_ptr_array_index (video->samples, 3);
    gsize n = g_bytes_get_size (sample);
    guint8 *at = memmem (copy, size, g_bytes_get_data (sample, NULL), n);

    memset (at, 0xff, 4); /* its first NAL unit's length */
  }
  file = g_bytes_new_take (copy, size);
  h = harness_new (ENCRYPT);
  fail_if (convert (h, file, 4096));
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

  if (!clear)
    return;
  h = harness_new (ENCRYPT);
  data = g_bytes_get_data (clear, &size);
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
  fail_unless (n_header >= 2 + judge_count (clear, "moof"));
  gst_harness_teardown (h);
}
GST_END_TEST

/* A muxer's stream headers hold the moov: ours, when they go on. */
GST_START_TEST (test_streamheader)
{
  GstHarness *h;
  const guint8 *data;
  gsize size, front;
  GstCaps *caps;
  GstBuffer *buffer;
  GValue array = G_VALUE_INIT, value = G_VALUE_INIT;
  const GValue *out;
  gpointer header;

  if (!clear)
    return;
  data = g_bytes_get_data (clear, &size);
  front = bmff_get_u32 (data);
  front += bmff_get_u32 (data + front);
  g_value_init (&array, GST_TYPE_ARRAY);
  g_value_init (&value, GST_TYPE_BUFFER);
  gst_value_take_buffer (&value, gst_buffer_new_memdup (data, front));
  gst_value_array_append_and_take_value (&array, &value);
  caps = gst_caps_new_simple ("video/quicktime", "variant", G_TYPE_STRING,
      "iso-fragmented", NULL);
  gst_caps_set_value (caps, "streamheader", &array);
  g_value_unset (&array);

  h = gst_harness_new_parse (ENCRYPT);
  gst_harness_set_src_caps (h, caps);
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_memdup (data, size)),
      GST_FLOW_OK);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (caps);
  fail_unless_equals_string (
      gst_structure_get_string (gst_caps_get_structure (caps, 0), "variant"),
      "iso-fragmented");
  out = gst_structure_get_value (gst_caps_get_structure (caps, 0),
      "streamheader");
  fail_unless (out && gst_value_array_get_size (out) == 1);
  buffer = gst_value_get_buffer (gst_value_array_get_value (out, 0));
  gst_buffer_extract_dup (buffer, 0, -1, &header, &size);
  fail_unless (memmem (header, size, "encv", 4));
  fail_unless (memmem (header, size, "enca", 4));
  /* And it is what the stream starts with. */
  {
    GByteArray *start = g_byte_array_new ();

    while (start->len < size) {
      GstMapInfo map;

      buffer = gst_harness_pull (h);
      gst_buffer_map (buffer, &map, GST_MAP_READ);
      g_byte_array_append (start, map.data, map.size);
      gst_buffer_unmap (buffer, &map);
      gst_buffer_unref (buffer);
    }
    fail_unless (memcmp (start->data, header, size) == 0);
    g_byte_array_unref (start);
  }
  g_free (header);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (test_queries)
{
  GstHarness *h = harness_new (ENCRYPT);
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

  if (!clear)
    return;
  h = harness_new (ENCRYPT);
  before = gst_harness_query_latency (h);
  g_bytes_unref (convert (h, clear, 65536));
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

  if (!clear)
    return;
  h = harness_new (ENCRYPT);
  data = g_bytes_get_data (clear, &size);
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

  if (!clear)
    return;
  h = harness_new (ENCRYPT);
  half = g_bytes_new_from_bytes (clear, 0, g_bytes_get_size (clear) / 2);
  gst_harness_push (h, gst_buffer_new_wrapped_bytes (half));
  g_bytes_unref (half);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  out = convert (h, clear, 4096);
  fail_unless (out);
  judge_same_samples (clear, out, "cenc");
  gst_harness_teardown (h);
}
GST_END_TEST

#define TRACK_KEYS \
  "AUDIO=" JUDGE_KID_2 ":" JUDGE_KEY_2 ",SD=" JUDGE_KID ":" JUDGE_KEY

GST_START_TEST (test_track_keys)
{
  g_autoptr (GBytes) out = NULL;
  const guint8 *data;
  gsize size;

  if (!clear)
    return;
  out = convert_with ("cencencrypt scheme=cbcs track-keys=" TRACK_KEYS, clear,
      65536);
  fail_unless (out);
  judge_same_samples (clear, out, "cbcs");
  data = g_bytes_get_data (out, &size);
  /* Both KIDs are in the pssh. */
  fail_unless (memmem (data, size, "\0\0\0\2\x00\x11\x22\x33", 8));
}
GST_END_TEST

GST_START_TEST (test_track_keys_missing)
{
  if (!clear)
    return;
  fails_in ("cencencrypt track-keys=UHD1=" JUDGE_KID ":" JUDGE_KEY, clear,
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "SD");
}
GST_END_TEST

GST_START_TEST (test_tracks)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;

  if (!clear)
    return;
  out = convert_with (ENCRYPT "tracks=audio", clear, 65536);
  fail_unless (out);
  judge_same_samples (clear, out, "cenc");
  tracks = judge_read (out, JUDGE_SENC, NULL);
  fail_unless (((JudgeTrack *) g_ptr_array_index (tracks, 0))->scheme == 0);
  fail_unless (((JudgeTrack *) g_ptr_array_index (tracks, 1))->scheme != 0);
}
GST_END_TEST

/* Whole fragments stay clear, by a second sample entry. */
GST_START_TEST (test_clear_lead)
{
  static const gchar *schemes[] = { "cenc", "cbcs" };
  g_autofree gchar *description =
      g_strconcat (ENCRYPT "clear-lead=1500000000 scheme=", schemes[__i__],
          NULL);
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  JudgeTrack *video;
  guint i, n_same = 0;

  if (!clear)
    return;
  out = convert_with (description, clear, 4096);
  fail_unless (out);
  judge_places (out);
  tracks = judge_read (out, JUDGE_SAIZ, NULL);
  fail_unless (tracks);
  video = g_ptr_array_index (tracks, 0);
  for (i = 0; i < video->samples->len; i++) {
    gboolean same = g_bytes_equal (g_ptr_array_index (video->samples, i),
        g_ptr_array_index (video->raw, i));

    /* Two fragments of a second each begin before 1.5 s. */
    fail_unless (same == (i < 50), "sample %u", i);
    n_same += same;
  }
  fail_unless_equals_int (n_same, 50);
  {
    g_autoptr (GPtrArray) want = judge_read (clear, JUDGE_SENC, NULL);
    JudgeTrack *from = g_ptr_array_index (want, 0);

    for (i = 0; i < video->samples->len; i++)
      fail_unless (g_bytes_equal (g_ptr_array_index (from->samples, i),
          g_ptr_array_index (video->samples, i)));
  }
}
GST_END_TEST

/* No more than KIDs go to the application. */
GST_START_TEST (test_message)
{
  GstHarness *h;
  GstBus *bus;
  GstMessage *message;
  const GstStructure *s;
  g_autofree gchar *text = NULL;

  if (!clear)
    return;
  h = harness_new ("cencencrypt scheme=cbcs track-keys=" TRACK_KEYS);
  bus = watch (h);
  g_bytes_unref (convert (h, clear, 65536));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (message);
  s = gst_message_get_structure (message);
  fail_unless (gst_structure_has_name (s, "cencencrypt-keys"));
  fail_unless_equals_string (gst_structure_get_string (s, "scheme"), "cbcs");
  fail_unless (gst_structure_has_field (s, "pssh"));
  text = gst_structure_to_string (s);
  fail_unless (strstr (text, JUDGE_KID) && strstr (text, JUDGE_KID_2));
  fail_if (strstr (text, JUDGE_KEY) || strstr (text, JUDGE_KEY_2));
  gst_message_unref (message);
  fail_if (gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT), "told twice");
  unwatch (h, bus);
  gst_harness_teardown (h);
}
GST_END_TEST

/* Payloads as others read them: Widevine's is shaka-packager's, byte for byte. */
GST_START_TEST (test_pssh)
{
  static const gchar widevine[] =
      "\0\0\0\x38pssh\0\0\0\0\xed\xef\x8b\xa9\x79\xd6\x4a\xce\xa3\xc8\x27\xdc"
      "\xd5\x1d\x21\xed\0\0\0\x18\x12\x10\x00\x11\x22\x33\x44\x55\x66\x77\x88"
      "\x99\xaa\xbb\xcc\xdd\xee\xff\x48\xe3\xdc\x95\x9b\x06";
  static const gchar raw[] = "\0\0\0\x21pssh\0\0\0\0ABCDEFGHIJKLMNOP\0\0\0\1z";
  static const gchar kid[] = "M\0y\0I\0R\0A\0F\0V\0E\0d\0";
  g_autofree gchar *base64 =
      g_base64_encode ((const guchar *) raw, sizeof (raw) - 1);
  g_autofree gchar *description = g_strconcat (ENCRYPT
      "protection-systems=widevine+playready+clearkey pssh=\"",
      base64, "\"", NULL);
  g_autoptr (GBytes) out = NULL;
  const guint8 *data;
  gsize size;

  if (!clear)
    return;
  out = convert_with (description, clear, 65536);
  fail_unless (out);
  data = g_bytes_get_data (out, &size);
  fail_unless (memmem (data, size, widevine, sizeof (widevine) - 1));
  fail_unless (memmem (data, size, raw, sizeof (raw) - 1));
  fail_unless (memmem (data, size, kid, sizeof (kid) - 1));
  judge_same_samples (clear, out, "cenc");
}
GST_END_TEST

static Suite *
cencencrypt_suite (void)
{
  Suite *s = suite_create ("cencencrypt");
  TCase *tc = tcase_create ("fragmented");

  suite_add_tcase (s, tc);
  tcase_add_unchecked_fixture (tc, make_clear, NULL);
  tcase_add_loop_test (tc, test_same_samples, 0, 4);
  tcase_add_test (tc, test_any_pieces);
  tcase_add_test (tc, test_random_iv);
  tcase_add_test (tc, test_given_iv_warns);
  tcase_add_loop_test (tc, test_bad_settings, 0, G_N_ELEMENTS (bad_settings));
  tcase_add_test (tc, test_key_cannot_be_read);
  tcase_add_test (tc, test_encrypted_input);
  tcase_add_test (tc, test_unknown_codec);
  tcase_add_loop_test (tc, test_unknown_handler, 0, 3);
  tcase_add_test (tc, test_media_without_moof);
  tcase_add_test (tc, test_truncated);
  tcase_add_test (tc, test_not_mp4);
  tcase_add_test (tc, test_broken_sample);
  tcase_add_test (tc, test_timestamps_and_flags);
  tcase_add_test (tc, test_streamheader);
  tcase_add_test (tc, test_queries);
  tcase_add_test (tc, test_latency);
  tcase_add_test (tc, test_no_more_than_one_fragment);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_track_keys);
  tcase_add_test (tc, test_track_keys_missing);
  tcase_add_test (tc, test_tracks);
  tcase_add_loop_test (tc, test_clear_lead, 0, 2);
  tcase_add_test (tc, test_message);
  tcase_add_test (tc, test_pssh);
  return s;
}

GST_CHECK_MAIN (cencencrypt);
