/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events on the way through cencencrypt, and what becomes of a stream that ends,
 * changes or starts anew. */

#include "cencencrypt-period-util.h"

#include <string.h>

#define ENCRYPT "cencencrypt key-id=" JUDGE_KID " key=" JUDGE_KEY " "

static GBytes *progressive; /* 2 s */

static void
setup (void)
{
  period_setup ();
  if (period_clear)
    progressive = judge_run_apart (
        "videotestsrc num-buffers=50 ! video/x-raw,width=160,height=120 ! "
        "x264enc key-int-max=25 speed-preset=ultrafast ! h264parse ! "
        "mp4mux name=m faststart=true ! appsink name=out "
        "audiotestsrc num-buffers=85 ! avenc_aac ! aacparse ! m.");
}

static void
teardown (void)
{
  g_clear_pointer (&progressive, g_bytes_unref);
  period_teardown ();
}

/* What leaves the element, in order: bytes are joined, events have their names. */
typedef struct
{
  GString *order;
  gboolean bytes; /* the last that left were bytes */
} Record;

static GstPadProbeReturn
record (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Record *self = user_data;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    if (!self->bytes)
      g_string_append (self->order, "bytes ");
    self->bytes = TRUE;
    return GST_PAD_PROBE_OK;
  }
  self->bytes = FALSE;
  g_string_append_printf (self->order, "%s ",
      GST_EVENT_TYPE_NAME (GST_PAD_PROBE_INFO_EVENT (info)));
  return GST_PAD_PROBE_OK;
}

static GstHarness *
harness_new (const gchar *description, Record *recorded)
{
  GstHarness *h = gst_harness_new_parse (description);
  GstElement *element = gst_harness_find_element (h, "cencencrypt");
  GstPad *pad = gst_element_get_static_pad (element, "src");

  gst_harness_set_src_caps_str (h, "video/quicktime, variant=(string)iso");
  if (recorded) {
    recorded->order = g_string_new (NULL);
    recorded->bytes = FALSE;
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, record,
        recorded, NULL);
  }
  gst_object_unref (pad);
  gst_object_unref (element);
  return h;
}

/* Pushes the bytes from @start to @end of @file. */
static void
push (GstHarness *h, GBytes *file, gsize start, gsize end)
{
  g_autoptr (GBytes) piece = g_bytes_new_from_bytes (file, start, end - start);

  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_wrapped_bytes (piece)),
      GST_FLOW_OK);
}

/* (transfer full): what came out so far */
static GBytes *
collect (GstHarness *h)
{
  GByteArray *out = g_byte_array_new ();

  period_collect (h, out);
  return g_byte_array_free_to_bytes (out);
}

/* Where the n-th moof (from 0) of @file starts; *@end: where the mdat behind it ends. */
static gsize
find_fragment (GBytes *file, guint n, gsize *end)
{
  gsize size, pos = 0;
  const guint8 *data = g_bytes_get_data (file, &size);

  for (; pos < size; pos += bmff_get_u32 (data + pos)) {
    if (memcmp (data + pos + 4, "moof", 4) != 0 || n-- > 0)
      continue;
    *end = pos + bmff_get_u32 (data + pos);
    *end += bmff_get_u32 (data + *end);
    return pos;
  }
  fail ("no such fragment");
  return 0;
}

static GstEvent *
make_caps_event (const gchar *text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  return gst_event_new_caps (caps);
}

static GstEvent *
make_event (guint i)
{
  switch (i) {
    case 0:
      return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new ("GstForceKeyUnit", "timestamp", G_TYPE_UINT64,
              G_GUINT64_CONSTANT (0), "count", G_TYPE_UINT, 1, NULL));
    case 1:
      return gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "a", NULL));
    case 2:
      return gst_event_new_gap (0, GST_SECOND);
    default:
      return make_caps_event (
          "video/quicktime, variant=(string)iso-fragmented");
  }
}

static const gchar *event_names[] = { "custom-downstream", "tag", "gap",
  "caps" };

/* Between fragments an event goes on at once. Amid one it waits for the bytes that
 * came before it, which are not out yet. */
GST_START_TEST (test_order)
{
  const gchar *name = event_names[__i__];
  Record recorded;
  GstHarness *h;
  gsize start, end;
  g_autoptr (GBytes) out = NULL;
  g_autofree gchar *amid = g_strconcat ("bytes ", name, " bytes ", NULL);
  g_autofree gchar *between = g_strconcat ("bytes ", name, " ", NULL);

  if (!period_clear)
    return;
  h = harness_new (ENCRYPT, &recorded);
  start = find_fragment (period_clear, 0, &end);
  push (h, period_clear, 0, (start + end) / 2);
  g_string_truncate (recorded.order, 0);
  recorded.bytes = FALSE;
  fail_unless (gst_harness_push_event (h, make_event (__i__)));
  fail_unless_equals_string (recorded.order->str, "");
  push (h, period_clear, (start + end) / 2, end);
  fail_unless_equals_string (recorded.order->str, between);
  push (h, period_clear, end, g_bytes_get_size (period_clear));
  fail_unless_equals_string (recorded.order->str, amid);
  fail_unless (gst_harness_push_event (h, make_event (__i__)));
  fail_unless (g_str_has_suffix (recorded.order->str, between));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  fail_unless (g_str_has_suffix (recorded.order->str, "eos "));
  out = collect (h);
  judge_same_samples (period_clear, out, "cenc");
  g_string_free (recorded.order, TRUE);
  gst_harness_teardown (h);
}
GST_END_TEST

/* Who asks for a key unit asks the encoder. */
GST_START_TEST (test_force_key_unit_upstream)
{
  GstHarness *h = harness_new (ENCRYPT, NULL);
  GstEvent *event;
  guint n;

  while ((event = gst_harness_try_pull_upstream_event (h)))
    gst_event_unref (event);
  fail_unless (gst_harness_push_upstream_event (h,
      gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
          gst_structure_new ("GstForceKeyUnit", "count", G_TYPE_UINT, 7,
              NULL))));
  event = gst_harness_try_pull_upstream_event (h);
  fail_unless (event && gst_event_has_name (event, "GstForceKeyUnit"));
  fail_unless (
      gst_structure_get_uint (gst_event_get_structure (event), "count", &n) &&
      n == 7);
  gst_event_unref (event);
  gst_harness_teardown (h);
}
GST_END_TEST

/* The places at which the input ends, in shares of the fragment. */
static const gdouble ends[] = { 0.001, 0.1, 0.5, 0.999 };

/* An error, no EOS, and what is out ends with a whole fragment. */
GST_START_TEST (test_eos_amid_fragment)
{
  Record recorded;
  GstHarness *h;
  GstBus *bus;
  GstMessage *message;
  GError *error = NULL;
  gsize start, end, size, pos = 0;
  g_autoptr (GBytes) out = NULL;
  const guint8 *data;
  guint32 last = 0;

  if (!period_clear)
    return;
  h = harness_new (ENCRYPT, &recorded);
  bus = period_watch (h);
  start = find_fragment (period_clear, 3, &end);
  push (h, period_clear, 0, start + (gsize) ((end - start) * ends[__i__]));
  fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
  fail_if (strstr (recorded.order->str, "eos"));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_DEMUX),
      "%s", error->message);
  out = collect (h);
  data = g_bytes_get_data (out, &size);
  for (; pos < size; pos += bmff_get_u32 (data + pos))
    last = bmff_get_u32 (data + pos + 4);
  fail_unless_equals_uint64 (pos, size);
  fail_unless (last == FOURCC ("mdat"));
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
  g_string_free (recorded.order, TRUE);
  gst_harness_teardown (h);
}
GST_END_TEST

static gsize
find_last (GBytes *file, const gchar *type)
{
  gsize size, pos = 0, found = 0;
  const guint8 *data = g_bytes_get_data (file, &size);

  for (; pos < size; pos += bmff_get_u32 (data + pos)) {
    if (memcmp (data + pos + 4, type, 4) == 0)
      found = pos;
  }
  return found;
}

/* The IVs of the sound, whose samples are encrypted whole; fails if one comes twice. */
static void
check_ivs (GBytes *file)
{
  g_autoptr (GHashTable) ivs = g_hash_table_new_full (g_bytes_hash,
      g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  gsize size, pos;
  const guint8 *data = g_bytes_get_data (file, &size);

  for (pos = 0; pos + 12 < size; pos++) {
    guint32 i;

    if (memcmp (data + pos, "senc\0\0\0\0", 8) != 0)
      continue;
    for (i = 0; i < bmff_get_u32 (data + pos + 8); i++)
      fail_unless (g_hash_table_add (ivs,
          g_bytes_new (data + pos + 12 + 8 * (gsize) i, 8)));
  }
  fail_unless (g_hash_table_size (ivs) > 100);
}

/* (transfer full): what comes out of @next behind period_clear in one stream, where
 * IVs go on; @before: (out) (optional): what came out of the latter */
static GBytes *
encrypt_behind (GBytes *next, GBytes **before)
{
  GstHarness *h = harness_new (ENCRYPT, NULL);
  g_autoptr (GBytes) out = NULL;
  gsize at;

  push (h, period_clear, 0, g_bytes_get_size (period_clear));
  push (h, next, 0, g_bytes_get_size (next));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  out = collect (h);
  gst_harness_teardown (h);
  check_ivs (out);
  at = find_last (out, "ftyp");
  fail_unless (at > 0);
  if (before)
    *before = g_bytes_new_from_bytes (out, 0, at);
  return g_bytes_new_from_bytes (out, at, g_bytes_get_size (out) - at);
}

/* Another movie follows in the stream, with pictures of another size: a new moov with
 * new sample entries. Both are what they were; the IVs go on. */
GST_START_TEST (test_new_sample_entries)
{
  g_autoptr (GBytes) next = NULL;
  g_autoptr (GBytes) first = NULL;
  g_autoptr (GBytes) second = NULL;

  if (!period_clear)
    return;
  next = judge_make_stream (
      "videotestsrc num-buffers=50 ! video/x-raw,width=176,height=144,"
      "framerate=25/1 ! x264enc key-int-max=25 speed-preset=ultrafast ! "
      "h264parse ! mp4mux name=m fragment-duration=1000 ! appsink name=out "
      "audiotestsrc num-buffers=85 ! avenc_aac ! aacparse ! m.");
  second = encrypt_behind (next, &first);
  judge_same_samples (period_clear, first, "cenc");
  judge_same_samples (next, second, "cenc");
}
GST_END_TEST

/* After READY other properties hold, and nothing is left of before. */
GST_START_TEST (test_again_after_ready)
{
  GstHarness *h;
  GstElement *element;
  GstSegment segment;
  g_autoptr (GBytes) out = NULL;
  gsize start, end;

  if (!period_clear)
    return;
  h = harness_new (ENCRYPT, NULL);
  element = gst_harness_find_element (h, "cencencrypt");
  start = find_fragment (period_clear, 2, &end);
  push (h, period_clear, 0, (start + end) / 2);
  fail_unless (gst_element_set_state (element, GST_STATE_READY) ==
      GST_STATE_CHANGE_SUCCESS);
  gst_util_set_object_arg (G_OBJECT (element), "scheme", "cbcs");
  gst_util_set_object_arg (G_OBJECT (element), "key-id", JUDGE_KID_2);
  gst_util_set_object_arg (G_OBJECT (element), "key", JUDGE_KEY_2);
  fail_unless (gst_element_set_state (element, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE);
  g_bytes_unref (collect (h));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_stream_start ("again"));
  gst_harness_push_event (h, make_caps_event ("video/quicktime"));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push (h, period_clear, 0, g_bytes_get_size (period_clear));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  out = collect (h);
  judge_same_samples (period_clear, out, "cbcs");
  judge_places (out);
  gst_object_unref (element);
  gst_harness_teardown (h);
}
GST_END_TEST

/* Sound alone goes on in the stream of pictures and sound. */
GST_START_TEST (test_other_tracks)
{
  g_autoptr (GBytes) next = NULL;
  g_autoptr (GBytes) second = NULL;

  if (!period_clear)
    return;
  next =
      judge_make_stream ("audiotestsrc num-buffers=85 ! avenc_aac ! aacparse ! "
                         "mp4mux fragment-duration=1000 ! appsink name=out");
  second = encrypt_behind (next, NULL);
  judge_same_samples (next, second, "cenc");
}
GST_END_TEST

static void
flush (GstHarness *h)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
}

/* What comes behind a flush has IVs of its own: that before it may be with someone. */
GST_START_TEST (test_flush_ivs)
{
  GstHarness *h;
  g_autoptr (GBytes) first = NULL;
  g_autoptr (GBytes) second = NULL;
  g_autoptr (GByteArray) both = g_byte_array_new ();

  if (!period_clear)
    return;
  h = harness_new (ENCRYPT, NULL);
  push (h, period_clear, 0, g_bytes_get_size (period_clear) / 2);
  first = collect (h);
  flush (h);
  push (h, period_clear, 0, g_bytes_get_size (period_clear));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  second = collect (h);
  judge_same_samples (period_clear, second, "cenc");
  g_byte_array_append (both, g_bytes_get_data (first, NULL),
      g_bytes_get_size (first));
  g_byte_array_append (both, g_bytes_get_data (second, NULL),
      g_bytes_get_size (second));
  g_bytes_unref (first);
  first = g_byte_array_free_to_bytes (g_steal_pointer (&both));
  check_ivs (first);
  gst_harness_teardown (h);
}
GST_END_TEST

static void
begin_stream (GstHarness *h)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_stream_start ("again"));
  gst_harness_push_event (h, make_caps_event ("video/quicktime"));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

/* A file that waits in the spool: nothing of it is out, and events of before its end
 * do no harm. Flushed, or in READY, it is gone, and another one is right. */
GST_START_TEST (test_spooled)
{
  GstHarness *h;
  GstElement *element;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) out = NULL;
  guint i;

  if (!period_clear)
    return;
  file = g_bytes_ref (progressive);
  h = harness_new (ENCRYPT, NULL);
  push (h, file, 0, g_bytes_get_size (file) / 2);
  before = collect (h);
  fail_unless_equals_int (g_bytes_get_size (before), 0);
  if (__i__ == 0) {
    flush (h);
  } else {
    element = gst_harness_find_element (h, "cencencrypt");
    gst_element_set_state (element, GST_STATE_READY);
    gst_element_set_state (element, GST_STATE_PLAYING);
    gst_object_unref (element);
    begin_stream (h);
  }
  push (h, file, 0, g_bytes_get_size (file) / 2);
  for (i = 0; i < 3; i++)
    fail_unless (gst_harness_push_event (h, make_event (i)));
  push (h, file, g_bytes_get_size (file) / 2, g_bytes_get_size (file));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  out = collect (h);
  judge_same_samples (file, out, "cenc");
  judge_places (out);
  gst_harness_teardown (h);
}
GST_END_TEST

/* Another stream behind the end of the first, as a source sends it that is given
 * another file: both are whole. */
GST_START_TEST (test_stream_behind_eos)
{
  GstHarness *h;
  g_autoptr (GBytes) file = NULL;
  guint i;

  if (!period_clear)
    return;
  file = g_bytes_ref (__i__ ? progressive : period_clear);
  h = harness_new (ENCRYPT, NULL);
  for (i = 0; i < 2; i++) {
    g_autoptr (GBytes) out = NULL;

    if (i > 0)
      begin_stream (h);
    push (h, file, 0, g_bytes_get_size (file));
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    out = collect (h);
    judge_same_samples (file, out, "cenc");
    judge_places (out);
  }
  gst_harness_teardown (h);
}
GST_END_TEST

static GstPadProbeReturn
refuse_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_DATA (info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GPOINTER_TO_INT (user_data);
  return GST_PAD_PROBE_HANDLED;
}

/* Downstream takes no more, and upstream ends for it: that the input is cut off then
 * is nobody's error. Who has enough gets the end. What comes out at the end only is
 * refused there, where nobody upstream could tell of it. */
static const struct
{
  GstFlowReturn flow;
  gboolean spooled, ends, fails;
} refusals[] = {
  { GST_FLOW_EOS, FALSE, TRUE, FALSE },
  { GST_FLOW_NOT_LINKED, FALSE, FALSE, FALSE },
  { GST_FLOW_EOS, TRUE, TRUE, FALSE },
  { GST_FLOW_NOT_LINKED, TRUE, FALSE, TRUE },
};

static void
refuse_buffers (GstHarness *h, GstFlowReturn flow)
{
  GstElement *element = gst_harness_find_element (h, "cencencrypt");
  GstPad *pad = gst_element_get_static_pad (element, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, refuse_buffer,
      GINT_TO_POINTER (flow), NULL);
  gst_object_unref (pad);
  gst_object_unref (element);
}

GST_START_TEST (test_end_by_downstream)
{
  Record recorded;
  GstHarness *h;
  GstBus *bus;
  GstMessage *message;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) piece = NULL;
  gboolean spooled = refusals[__i__].spooled;

  if (!period_clear)
    return;
  file = g_bytes_ref (spooled ? progressive : period_clear);
  piece = g_bytes_new_from_bytes (file, 0,
      g_bytes_get_size (file) / (spooled ? 1 : 2));
  h = harness_new (ENCRYPT, &recorded);
  bus = period_watch (h);
  refuse_buffers (h, refusals[__i__].flow);
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_wrapped_bytes (piece)),
      spooled ? GST_FLOW_OK : refusals[__i__].flow);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (strstr (recorded.order->str, "eos ") != NULL,
      refusals[__i__].ends);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless_equals_int (message != NULL, refusals[__i__].fails);
  g_clear_pointer (&message, gst_message_unref);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_string_free (recorded.order, TRUE);
}
GST_END_TEST

static Suite *
cencencrypt_events_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-events");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, setup, teardown);
  tcase_add_loop_test (tcase, test_order, 0, G_N_ELEMENTS (event_names));
  tcase_add_test (tcase, test_force_key_unit_upstream);
  tcase_add_loop_test (tcase, test_eos_amid_fragment, 0, G_N_ELEMENTS (ends));
  tcase_add_test (tcase, test_new_sample_entries);
  tcase_add_test (tcase, test_other_tracks);
  tcase_add_test (tcase, test_again_after_ready);
  tcase_add_test (tcase, test_flush_ivs);
  tcase_add_loop_test (tcase, test_spooled, 0, 2);
  tcase_add_loop_test (tcase, test_stream_behind_eos, 0, 2);
  tcase_add_loop_test (tcase, test_end_by_downstream, 0,
      G_N_ELEMENTS (refusals));
  return suite;
}

GST_CHECK_MAIN (cencencrypt_events);
