/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Behind muxers that push buffer lists, as those of gst-plugins-rs do: each fragment
 * is one, with times of the media, in a segment of time; and at the end, if they are
 * told to, ftyp and moov once more in a segment of bytes.
 */

#define _GNU_SOURCE /* memmem() */

#include "cencencrypt-period-util.h"

#include <glib/gstdio.h>
#include <string.h>

#define SETTINGS "key-id=" JUDGE_KID " key=" JUDGE_KEY " iv=1122334455667788 "
#define START (10 * GST_SECOND) /* of the segment */

/* What plays the muxer, and a file behind cencencrypt. */
typedef struct
{
  GstElement *pipeline;
  GstPad *muxer;
  gchar *path;
  guint n_lists, n_headers, n_buffers; /* that went into the file's sink */
} Graph;

static GstPadProbeReturn
count (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Graph *self = user_data;
  GstBufferList *list;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    self->n_buffers++;
    return GST_PAD_PROBE_OK;
  }
  list = gst_pad_probe_info_get_buffer_list (info);
  self->n_lists++;
  self->n_headers += GST_BUFFER_FLAG_IS_SET (gst_buffer_list_get (list, 0),
      GST_BUFFER_FLAG_HEADER);
  return GST_PAD_PROBE_OK;
}

static void
push_segment (Graph *self, GstFormat format, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, format);
  segment.start = segment.time = segment.position = start;
  fail_unless (
      gst_pad_push_event (self->muxer, gst_event_new_segment (&segment)));
}

static void
graph_open (Graph *self, const gchar *settings)
{
  GstElement *cencencrypt, *sink;
  GstPad *pad;
  GError *error = NULL;
  GstCaps *caps = gst_caps_new_simple ("video/quicktime", "variant",
      G_TYPE_STRING, "cmaf", NULL);
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  g_autofree gchar *line = NULL;

  memset (self, 0, sizeof *self);
  self->path = judge_write (empty);
  line = g_strdup_printf ("cencencrypt name=e %s ! "
                          "filesink name=s async=false location=%s",
      settings, self->path);
  self->pipeline = gst_parse_launch (line, &error);
  fail_unless (self->pipeline && !error);
  cencencrypt = gst_bin_get_by_name (GST_BIN (self->pipeline), "e");
  sink = gst_bin_get_by_name (GST_BIN (self->pipeline), "s");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count, self,
      NULL);
  gst_object_unref (pad);
  self->muxer = gst_pad_new ("muxer", GST_PAD_SRC);
  pad = gst_element_get_static_pad (cencencrypt, "sink");
  fail_unless (GST_PAD_LINK_SUCCESSFUL (gst_pad_link (self->muxer, pad)));
  gst_object_unref (pad);
  gst_object_unref (cencencrypt);
  gst_object_unref (sink);
  gst_pad_set_active (self->muxer, TRUE);
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  gst_pad_push_event (self->muxer, gst_event_new_stream_start ("lists"));
  gst_pad_push_event (self->muxer, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

/* (transfer full): what is in the file. */
static GBytes *
graph_close (Graph *self)
{
  GstBus *bus = gst_element_get_bus (self->pipeline);
  GstMessage *message;
  gchar *data;
  gsize size;

  fail_unless (gst_pad_push_event (self->muxer, gst_event_new_eos ()));
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS,
      "%" GST_PTR_FORMAT, message);
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_pad_set_active (self->muxer, FALSE);
  gst_object_unref (self->muxer);
  gst_object_unref (self->pipeline);
  fail_unless (g_file_get_contents (self->path, &data, &size, NULL));
  g_unlink (self->path);
  g_free (self->path);
  return g_bytes_new_take (data, size);
}

static GstBuffer *
take (const guint8 *data, gsize size, GstClockTime pts, guint flags)
{
  GstBuffer *buffer = gst_buffer_new_memdup (data, size);

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = 10 * GST_MSECOND;
  GST_BUFFER_FLAG_SET (buffer, flags);
  return buffer;
}

/* The box at *@pos, an mdat in several buffers; FALSE: it is the last one of its
 * list. Priming is what the first sound is: in front of the segment. */
static gboolean
add_box (GstBufferList *list, GBytes *file, gsize *pos, GstClockTime pts,
    gboolean priming)
{
  const guint8 *data = (const guint8 *) g_bytes_get_data (file, NULL) + *pos;
  gsize size = bmff_get_u32 (data), done = 8;
  gboolean mdat = memcmp (data + 4, "mdat", 4) == 0;

  *pos += size;
  if (!mdat) {
    gst_buffer_list_add (list, take (data, size, pts, GST_BUFFER_FLAG_HEADER));
    return TRUE;
  }
  gst_buffer_list_add (list, take (data, 8, pts, GST_BUFFER_FLAG_HEADER));
  for (; done < size; done += MIN (300, size - done))
    gst_buffer_list_add (list,
        take (data + done, MIN (300, size - done),
            priming && done == 8 ? pts - GST_SECOND : pts,
            GST_BUFFER_FLAG_DELTA_UNIT));
  return FALSE;
}

/* In a list: all up to the end of an mdat; or up to @limit. Returns how many. */
static guint
push_lists (Graph *self, GBytes *file, gsize limit)
{
  gsize pos = 0;
  guint n = 0;

  while (pos < limit) {
    GstBufferList *list = gst_buffer_list_new ();

    while (add_box (list, file, &pos, START + n * GST_SECOND, n == 0) &&
        pos < limit)
      ;
    fail_unless_equals_int (gst_pad_push_list (self->muxer, list), GST_FLOW_OK);
    n++;
  }
  return n;
}

static void
fail_unless_same (GBytes *got, GBytes *wanted)
{
  fail_unless_equals_uint64 (g_bytes_get_size (got), g_bytes_get_size (wanted));
  fail_unless (g_bytes_equal (got, wanted));
}

/* Buffers by themselves would be looked at by their times: the sink dropped the
 * first sound. */
GST_START_TEST (test_lists)
{
  g_autoptr (GBytes) wanted = NULL;
  g_autoptr (GBytes) got = NULL;
  Graph graph;
  guint n;

  if (!period_clear)
    return;
  wanted = period_convert_with (SETTINGS, period_clear, 65536);
  graph_open (&graph, SETTINGS);
  push_segment (&graph, GST_FORMAT_TIME, START);
  n = push_lists (&graph, period_clear, g_bytes_get_size (period_clear));
  got = graph_close (&graph);
  fail_unless_same (got, wanted);
  fail_unless (n > 2);
  fail_unless_equals_int (graph.n_lists, n);
  fail_unless_equals_int (graph.n_headers, n);
  fail_unless_equals_int (graph.n_buffers, 0);
}
GST_END_TEST

/* A copy with another duration in mvhd; *@front: where the moov ends. */
static GBytes *
with_duration (GBytes *file, gsize *front)
{
  gsize size, at;
  guint8 *data =
      g_memdup2 (g_bytes_get_data (file, &size), g_bytes_get_size (file));

  at = bmff_get_u32 (data);
  *front = at + bmff_get_u32 (data + at);
  fail_unless (memcmp (data + at + 4, "moov", 4) == 0);
  fail_unless (memcmp (data + at + 12, "mvhd", 4) == 0 && data[at + 16] == 0);
  bmff_put_u32 (data + at + 32, 0x01020304);
  return g_bytes_new_take (data, size);
}

/* header-update-mode=rewrite: the durations of the last header are in the file. */
GST_START_TEST (test_rewritten_header)
{
  static const GstFormat formats[] = { GST_FORMAT_TIME, GST_FORMAT_BYTES };
  g_autoptr (GBytes) last = NULL;
  g_autoptr (GBytes) wanted = NULL;
  g_autoptr (GBytes) got = NULL;
  g_autofree gchar *path = NULL;
  g_autofree gchar *line = NULL;
  Graph graph;
  gsize front;

  if (!period_clear)
    return;
  last = with_duration (period_clear, &front);
  graph_open (&graph, SETTINGS);
  push_segment (&graph, formats[__i__], 0);
  push_lists (&graph, period_clear, g_bytes_get_size (period_clear));
  push_segment (&graph, GST_FORMAT_BYTES, 0);
  push_lists (&graph, last, front);
  got = graph_close (&graph);
  judge_places (got);
  judge_same_samples (period_clear, got, "cenc");
  fail_unless_equals_uint64 (judge_duration (got), judge_duration (last));
  fail_unless_equals_int (judge_count (got, "ftyp"), 1);
  fail_unless_equals_int (judge_count (got, "moov"), 1);
  /* In a segment of time no place is left for an index. */
  wanted = period_convert_with (SETTINGS, last, 65536);
  if (formats[__i__] == GST_FORMAT_TIME)
    fail_unless_same (got, wanted);
}
GST_END_TEST

/* PIFF is known by its brand, which makes ftyp larger, and moves the moov behind it:
 * both are found again. 0: once; 1: again, with durations. */
GST_START_TEST (test_piff_brand)
{
  static const gchar settings[] = SETTINGS "scheme=piff";
  g_autoptr (GBytes) last = NULL;
  g_autoptr (GBytes) wanted = NULL;
  g_autoptr (GBytes) got = NULL;
  const guint8 *ftyp, *clear;
  Graph graph;
  gsize front, size;

  if (!period_clear)
    return;
  last = with_duration (period_clear, &front);
  graph_open (&graph, settings);
  push_segment (&graph, GST_FORMAT_TIME, START);
  push_lists (&graph, period_clear, g_bytes_get_size (period_clear));
  if (__i__ == 1) {
    push_segment (&graph, GST_FORMAT_BYTES, 0);
    push_lists (&graph, last, front);
  }
  got = graph_close (&graph);
  judge_places (got);
  clear = g_bytes_get_data (period_clear, NULL);
  ftyp = g_bytes_get_data (got, NULL);
  size = bmff_get_u32 (clear);
  fail_unless_equals_int (bmff_get_u32 (ftyp), size + 4);
  fail_unless (memcmp (ftyp + 4, clear + 4, size - 4) == 0);
  fail_unless (memcmp (ftyp + size, "piff", 4) == 0);
  fail_unless (memcmp (ftyp + size + 8, "moov", 4) == 0);
  wanted = period_convert_with (settings, __i__ ? last : period_clear, 65536);
  fail_unless_same (got, wanted);
}
GST_END_TEST

/* header-update-mode=update: the header comes once more, behind all. */
GST_START_TEST (test_header_behind)
{
  g_autoptr (GBytes) last = NULL;
  g_autoptr (GBytes) got = NULL;
  Graph graph;
  gsize front;

  if (!period_clear)
    return;
  last = with_duration (period_clear, &front);
  graph_open (&graph, SETTINGS);
  push_segment (&graph, GST_FORMAT_TIME, START);
  push_lists (&graph, period_clear, g_bytes_get_size (period_clear));
  push_lists (&graph, last, front);
  got = graph_close (&graph);
  judge_places (got);
  fail_unless_equals_int (judge_count (got, "moov"), 2);
  /* The last one is protected too. */
  {
    gsize size, moov, at = 0;
    const guint8 *data = g_bytes_get_data (got, &size);

    moov = bmff_get_u32 (data);
    for (gsize i = moov + 8; i + 4 <= size; i++)
      if (memcmp (data + i, "moov", 4) == 0)
        at = i - 4;
    fail_unless (at > moov);
    fail_unless_equals_uint64 (at + bmff_get_u32 (data + at), size);
    fail_unless_equals_int (bmff_get_u32 (data + at),
        bmff_get_u32 (data + moov));
    fail_unless (memmem (data + at, size - at, "encv", 4));
    fail_unless (memmem (data + at, size - at, "enca", 4));
    fail_if (memmem (data + at, size - at, "stsd\0\0\0\0\0\0\0\1\0\0\0", 15) ==
        NULL);
  }
}
GST_END_TEST

/* Back to the start, but for no header: an error. */
GST_START_TEST (test_other_box_again)
{
  g_autoptr (GBytes) file = NULL;
  GstBufferList *list = gst_buffer_list_new ();
  GstMessage *message;
  GstBus *bus;
  Graph graph;
  GError *error = NULL;

  gst_buffer_list_add (list,
      gst_buffer_new_memdup (__i__ ? "\0\0\0\x10zzzzabcdefgh"
                                   : "\0\0\xff\xff"
                                     "ftypabcdefgh",
          16));
  if (!period_clear) {
    gst_buffer_list_unref (list);
    return;
  }
  graph_open (&graph, SETTINGS);
  push_segment (&graph, GST_FORMAT_TIME, START);
  push_lists (&graph, period_clear, g_bytes_get_size (period_clear));
  push_segment (&graph, GST_FORMAT_BYTES, 0);
  fail_unless_equals_int (gst_pad_push_list (graph.muxer, list),
      GST_FLOW_ERROR);
  bus = gst_element_get_bus (graph.pipeline);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "went back to offset 0 to write"), "%s",
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  /* The end is none: what came last is not whole. */
  gst_object_unref (bus);
  gst_element_set_state (graph.pipeline, GST_STATE_NULL);
  gst_pad_set_active (graph.muxer, FALSE);
  gst_object_unref (graph.muxer);
  gst_object_unref (graph.pipeline);
  g_unlink (graph.path);
  g_free (graph.path);
}
GST_END_TEST

static Suite *
cencencrypt_lists_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-lists");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_test (tcase, test_lists);
  tcase_add_loop_test (tcase, test_rewritten_header, 0, 2);
  tcase_add_loop_test (tcase, test_piff_brand, 0, 2);
  tcase_add_test (tcase, test_header_behind);
  tcase_add_loop_test (tcase, test_other_box_again, 0, 2);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_lists);
