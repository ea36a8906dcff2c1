/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencdecrypt in front of a demuxer: where a title begins and ends among others in
 * one stream, and where upstream enters it.
 */

#include "../elements/cencdecrypt-util.h"
#include "decrypt-push.h"
#include "decrypt-util.h"

#include <glib/gstdio.h>
#include <string.h>

/*
 * Two titles, and an element that has the keys of both
 */

static const gchar *const titles[] = { "peer-gpac-frag-cbcs.mp4",
  "peer-gpac-prog-cenc.mp4" };
static GPtrArray *vectors;
static GstHarness *h;
static GstBus *bus;

static void
set_up (void)
{
  const Vector *first;

  vectors = vectors_load ();
  first = vectors_find (vectors, titles[0]);
  h = test_harness_new ("video/quicktime", first ? first->keys : NULL, &bus);
}

static void
tear_down (void)
{
  test_harness_free (h, bus);
  if (vectors)
    g_ptr_array_unref (vectors);
}

static void
begin_stream (const gchar *id, GstFormat format, guint64 start)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/quicktime");
  GstSegment segment;

  gst_segment_init (&segment, format);
  segment.start = segment.position = start;
  gst_harness_push_event (h, gst_event_new_stream_start (id));
  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

static void
flush (void)
{
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
}

/* What has come out by now is the clear @vector, its offsets from @start on. */
static void
check_title (const Vector *vector, guint64 start)
{
  GstBuffer *head = gst_harness_pull (h);
  GByteArray *out;
  GstMapInfo map;
  gchar *digest;

  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (head), start);
  out = pull_all (h);
  fail_unless (gst_buffer_map (head, &map, GST_MAP_READ));
  g_byte_array_prepend (out, map.data, (guint) map.size);
  gst_buffer_unmap (head, &map);
  gst_buffer_unref (head);
  digest = mdat_digest (out->data, out->len);
  fail_unless_equals_string (digest, vector->sha256);
  g_free (digest);
  g_byte_array_unref (out);
}

/*
 * Titles one behind the other
 */

/* concat counts bytes on; each file's own offsets begin with it. Also where it has
 * one file again and again, under one name. */
GST_START_TEST (test_next_title)
{
  static const guint orders[][3] = { { 0, 1, 0 }, { 1, 1, 1 }, { 0, 0, 1 } };
  const Vector *vector = vectors_find (vectors, titles[0]);
  guint64 start = 0;
  guint i;

  if (!vector)
    return;
  for (i = 0; i < 3; i++) {
    const gchar *title = titles[orders[__i__][i]];
    GByteArray *in;

    vector = vectors_find (vectors, title);
    in = read_file (vector->path);
    begin_stream (title, GST_FORMAT_BYTES, start);
    fail_unless_equals_int (push_all (h, in), GST_FLOW_OK);
    check_title (vector, start);
    start += in->len;
    g_byte_array_unref (in);
  }
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
}
GST_END_TEST;

/* Half a title is told when the next one begins, of which nothing goes out. */
GST_START_TEST (test_next_title_behind_half)
{
  const Vector *vector = vectors_find (vectors, titles[0]);
  GByteArray *in;

  if (!vector)
    return;
  in = read_file (vector->path);
  g_byte_array_set_size (in, in->len / 2);
  begin_stream ("title", GST_FORMAT_BYTES, 0);
  fail_unless_equals_int (push_all (h, in), GST_FLOW_OK);
  g_byte_array_unref (pull_all (h));
  begin_stream (__i__ == 0 ? "next" : "title", GST_FORMAT_BYTES, in->len);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
      "the file ends at");
  fail_unless_equals_int (push_all (h, in), GST_FLOW_ERROR);
  fail_unless (gst_harness_try_pull (h) == NULL);
  g_byte_array_unref (in);
}
GST_END_TEST;

/* A player that drops one title for another, by a flush: its moov may stand at the
 * same place, and the first one may have been no MP4. */
GST_START_TEST (test_next_title_behind_flush)
{
  const Vector *vector = vectors_find (vectors, titles[1]);
  GByteArray *in;

  if (!vector)
    return;
  begin_stream ("noise", GST_FORMAT_BYTES, 0);
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_wrapped (g_malloc0 (100), 100)),
      GST_FLOW_OK);
  flush ();
  g_byte_array_unref (pull_all (h));
  in = read_file (vector->path);
  begin_stream ("title", GST_FORMAT_BYTES, 0);
  fail_unless_equals_int (push_all (h, in), GST_FLOW_OK);
  check_title (vector, 0);
  g_byte_array_unref (in);
}
GST_END_TEST;

/* The same event again ends nothing: in the middle of a box, and between two. */
GST_START_TEST (test_same_title)
{
  const Vector *vector = vectors_find (vectors, titles[0]);
  GByteArray *in;
  guint i, half;

  if (!vector)
    return;
  in = read_file (vector->path);
  half = __i__ == 0 ? in->len / 2 : next_box (in, in->len / 2);
  gst_harness_push_event (h, gst_event_new_stream_start ("same"));
  for (i = 0; i < 2; i++) {
    fail_unless_equals_int (gst_harness_push (h,
                                gst_buffer_new_memdup (in->data + i * half,
                                    i == 0 ? half : in->len - half)),
        GST_FLOW_OK);
    fail_unless (
        gst_harness_push_event (h, gst_event_new_stream_start ("same")));
  }
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  check_title (vector, 0);
  g_byte_array_unref (in);
}
GST_END_TEST;

/* Two files as one: what the second moov points at has gone by, encrypted. */
GST_START_TEST (test_moov_too_late)
{
  const Vector *first = vectors_find (vectors, titles[0]), *second;
  gchar *path, *launch;
  GByteArray *in, *more;
  GError *error = NULL;

  if (!first)
    return;
  second = vectors_find (vectors, titles[1]);
  in = read_file (first->path);
  more = read_file (second->path);
  g_byte_array_append (in, more->data, more->len);
  path = temporary_file ("cencdecrypt-XXXXXX.mp4");
  fail_unless (g_file_set_contents (path, (gchar *) in->data, in->len, NULL));
  launch = g_strdup_printf (
      "filesrc location=%s %s ! cencdecrypt keys=%s ! fakesink name=sink", path,
      __i__ ? "! queue" : "", first->keys);
  fail_unless (pipeline_collect (launch, &error) == NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_DEMUX) &&
          strstr (error->message, "its samples stand in front of it"),
      "%s", error->message);
  g_clear_error (&error);
  g_unlink (path);
  g_free (path);
  g_free (launch);
  g_byte_array_unref (in);
  g_byte_array_unref (more);
}
GST_END_TEST;

/* Upstream goes, unasked, to media data whose moof stands in front: known or not,
 * at the box or in it. */
GST_START_TEST (test_jump_behind_moof)
{
  const Vector *vector = vectors_find (vectors, titles[0]);
  gboolean known = __i__ % 2 == 0, at_box = __i__ < 2;
  GByteArray *in, *part;
  guint place, moof;

  if (!vector)
    return;
  in = read_file (vector->path);
  moof = find_box (in, "moof");
  place = next_box (in, moof);
  fail_unless (memcmp (in->data + place + 4, "mdat", 4) == 0);
  part = g_byte_array_new ();
  g_byte_array_append (part, in->data, known ? in->len : moof);
  begin_stream ("title", GST_FORMAT_BYTES, 0);
  fail_unless_equals_int (push_all (h, part), GST_FLOW_OK);
  g_byte_array_unref (pull_all (h));
  flush ();

  place += at_box ? 0 : 50;
  g_byte_array_remove_range (in, 0, place);
  begin_stream ("title", GST_FORMAT_BYTES, place);
  fail_unless_equals_int (push_all (h, in), GST_FLOW_ERROR);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
      known || at_box ? "without the moof" : "no box");
  fail_unless (gst_harness_try_pull (h) == NULL);
  g_byte_array_unref (in);
  g_byte_array_unref (part);
}
GST_END_TEST;

/* A demuxer that fetches segments flushes in the middle of one, and goes on with
 * a header. */
GST_START_TEST (test_flush_without_offsets)
{
  const Vector *vector = vectors_find (vectors, titles[0]);
  GByteArray *in, *half;
  GstSegment segment;

  if (!vector)
    return;
  in = read_file (vector->path);
  half = g_byte_array_new ();
  g_byte_array_append (half, in->data, in->len / 2);
  fail_unless_equals_int (push_all (h, half), GST_FLOW_OK);
  flush ();
  g_byte_array_unref (pull_all (h));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (push_all (h, in), GST_FLOW_OK);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  check_title (vector, half->len);
  g_byte_array_unref (half);
  g_byte_array_unref (in);
}
GST_END_TEST;

static Suite *
decrypt_titles_suite (void)
{
  Suite *s = suite_create ("decrypt-titles");
  TCase *tc = tcase_create ("titles");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, set_up, tear_down);
  tcase_add_loop_test (tc, test_next_title, 0, 3);
  tcase_add_loop_test (tc, test_next_title_behind_half, 0, 2);
  tcase_add_test (tc, test_next_title_behind_flush);
  tcase_add_loop_test (tc, test_same_title, 0, 2);
  tcase_add_loop_test (tc, test_moov_too_late, 0, 2);
  tcase_add_loop_test (tc, test_jump_behind_moof, 0, 4);
  tcase_add_test (tc, test_flush_without_offsets);
  return s;
}

GST_CHECK_MAIN (decrypt_titles)
