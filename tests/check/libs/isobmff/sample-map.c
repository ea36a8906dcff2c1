/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-samples.h"

/* Chunks at @offsets with @per_chunk samples of @size bytes each. */
static BmffSampleTable *
make_table (guint32 size, guint32 per_chunk, guint n, const guint32 *offsets)
{
  g_autoptr (BmffBox) stbl = bmff_box_new_container (FCC ("stbl"));
  BmffWriter *w = bmff_writer_new (0);
  GError *error = NULL;
  BmffSampleTable *table;
  guint i;

  bmff_writer_u32 (w, 0);
  bmff_writer_u32 (w, n);
  for (i = 0; i < n; i++)
    bmff_writer_u32 (w, offsets[i]);
  bmff_box_append (stbl, bmff_box_new (FCC ("stco"), bmff_writer_end (w)));
  test_with (stbl, test_box ("stsc", 0, 1, 1, per_chunk, 1));
  test_with (stbl, test_box ("stts", 0, 1, n * per_chunk, 1));
  if (size > 0) {
    test_with (stbl, test_box ("stsz", 0, size, n * per_chunk));
  } else {
    w = bmff_writer_new (0);
    bmff_writer_u32 (w, 0);
    bmff_writer_u32 (w, 0);
    bmff_writer_u32 (w, n * per_chunk);
    bmff_writer_zeros (w, 4 * n * per_chunk);
    bmff_box_append (stbl, bmff_box_new (FCC ("stsz"), bmff_writer_end (w)));
  }
  table = bmff_sample_table_new_from_stbl (stbl, &error);
  fail_unless_no_error (error);

  return table;
}

static GPtrArray *
tables_new (void)
{
  return g_ptr_array_new_with_free_func (
      (GDestroyNotify) bmff_sample_table_unref);
}

static void
tables_add (GPtrArray *tables, guint32 size, guint32 per_chunk, guint n,
    const guint32 *offsets)
{
  g_ptr_array_add (tables, make_table (size, per_chunk, n, offsets));
}

static void
assert_next (BmffMapCursor *cursor, guint track, guint32 index, guint64 offset)
{
  BmffMappedSample s;

  fail_unless (bmff_map_cursor_next (cursor, &s));
  fail_unless_equals_int (s.track, track);
  fail_unless_equals_int (s.index, index);
  fail_unless_equals_uint64 (s.sample.offset, offset);
}

static const guint32 video[] = { 100, 300, 500 };
static const guint32 audio[] = { 200, 210, 220, 400, 410 };

GST_START_TEST (test_walk)
{
  g_autoptr (GPtrArray) tables = tables_new ();
  g_autoptr (BmffSampleMap) map = NULL;
  BmffMapCursor cursor;
  BmffMappedSample s;
  GError *error = NULL;

  g_ptr_array_add (tables, NULL);
  tables_add (tables, 50, 2, 3, video);
  tables_add (tables, 10, 1, 5, audio);
  map = bmff_sample_map_new (tables, &error);
  fail_unless_no_error (error);
  bmff_map_cursor_init (&cursor, map, 0);
  assert_next (&cursor, 1, 0, 100);
  assert_next (&cursor, 1, 1, 150);
  assert_next (&cursor, 2, 0, 200);
  assert_next (&cursor, 2, 1, 210);
  assert_next (&cursor, 2, 2, 220);
  assert_next (&cursor, 1, 2, 300);
  assert_next (&cursor, 1, 3, 350);
  assert_next (&cursor, 2, 3, 400);
  assert_next (&cursor, 2, 4, 410);
  assert_next (&cursor, 1, 4, 500);
  assert_next (&cursor, 1, 5, 550);
  fail_if (bmff_map_cursor_next (&cursor, &s));
  fail_if (bmff_map_cursor_next (&cursor, &s));
}

GST_END_TEST;

GST_START_TEST (test_seek)
{
  static const struct
  {
    guint64 at;
    guint track;
    guint32 index;
    guint64 offset;
  } seeks[] = { { 99, 0, 0, 100 }, { 100, 0, 0, 100 }, { 149, 0, 0, 100 },
    { 150, 0, 1, 150 }, { 199, 0, 1, 150 }, { 200, 1, 0, 200 },
    { 219, 1, 1, 210 }, { 230, 0, 2, 300 }, { 410, 1, 4, 410 },
    { 420, 0, 4, 500 }, { 599, 0, 5, 550 } };
  g_autoptr (GPtrArray) tables = tables_new ();
  g_autoptr (BmffSampleMap) map = NULL;
  BmffMapCursor cursor;
  BmffMappedSample s;
  guint i;

  tables_add (tables, 50, 2, 3, video);
  tables_add (tables, 10, 1, 5, audio);
  map = bmff_sample_map_new (tables, NULL);
  for (i = 0; i < G_N_ELEMENTS (seeks); i++) {
    bmff_map_cursor_init (&cursor, map, seeks[i].at);
    assert_next (&cursor, seeks[i].track, seeks[i].index, seeks[i].offset);
  }
  bmff_map_cursor_init (&cursor, map, 600);
  fail_if (bmff_map_cursor_next (&cursor, &s));
  bmff_map_cursor_init (&cursor, map, G_MAXUINT64);
  fail_if (bmff_map_cursor_next (&cursor, &s));
}

GST_END_TEST;

/* More tracks than cursors are kept for, chunks out of order in the table. */
GST_START_TEST (test_many_tracks)
{
  g_autoptr (GPtrArray) tables = tables_new ();
  g_autoptr (BmffSampleMap) map = NULL;
  BmffMapCursor cursor;
  guint i, k;

  for (i = 0; i < 9; i++) {
    guint32 offsets[] = { 1000 + 10 * i, 3000 + 10 * i, 2000 + 10 * i };

    tables_add (tables, 5, 2, 3, offsets);
  }
  map = bmff_sample_map_new (tables, NULL);
  bmff_map_cursor_init (&cursor, map, 0);
  for (k = 0; k < 3; k++) {
    static const guint32 first[] = { 0, 4, 2 };

    for (i = 0; i < 9; i++) {
      assert_next (&cursor, i, first[k], 1000 * (k + 1) + 10 * i);
      assert_next (&cursor, i, first[k] + 1, 1000 * (k + 1) + 10 * i + 5);
    }
  }
}

GST_END_TEST;

static BmffSampleTable *
array_table (guint n, const guint64 *offsets, guint32 size)
{
  GArray *samples = g_array_new (FALSE, TRUE, sizeof (BmffSample));
  guint i;

  g_array_set_size (samples, n);
  for (i = 0; i < n; i++) {
    g_array_index (samples, BmffSample, i).offset = offsets[i];
    g_array_index (samples, BmffSample, i).size = size;
  }

  return bmff_sample_table_new_take (samples);
}

GST_START_TEST (test_arrays)
{
  static const guint64 a[] = { 0x100000000ull, 0x10000000aull, 0x200000000ull };
  static const guint64 b[] = { 0x180000000ull };
  g_autoptr (GPtrArray) tables = tables_new ();
  g_autoptr (BmffSampleMap) map = NULL;
  BmffMapCursor cursor;

  g_ptr_array_add (tables, array_table (3, a, 10));
  g_ptr_array_add (tables, array_table (1, b, 10));
  map = bmff_sample_map_new (tables, NULL);
  bmff_map_cursor_init (&cursor, map, 0x100000009ull);
  assert_next (&cursor, 0, 0, a[0]);
  bmff_map_cursor_init (&cursor, map, 0x10000000aull);
  assert_next (&cursor, 0, 1, a[1]);
  assert_next (&cursor, 1, 0, b[0]);
  assert_next (&cursor, 0, 2, a[2]);
}

GST_END_TEST;

GST_START_TEST (test_overlap)
{
  static const guint32 over[] = { 195 };
  static const guint32 inside[] = { 120 };
  static const guint32 around[] = { 50 };
  static const guint32 twice[] = { 100, 300, 100 };
  g_autoptr (GPtrArray) tables = tables_new ();
  GError *error = NULL;

  tables_add (tables, 50, 2, 3, video);
  tables_add (tables, 10, 1, 1, over);
  fail_unless (bmff_sample_map_new (tables, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED,
      "samples of tracks 0 and 1, counted from 0, share bytes at 195");
  g_ptr_array_set_size (tables, 1);
  tables_add (tables, 10, 1, 1, inside);
  fail_unless (bmff_sample_map_new (tables, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "at 120");
  g_ptr_array_set_size (tables, 1);
  tables_add (tables, 500, 1, 1, around);
  fail_unless (bmff_sample_map_new (tables, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "at 100");
  g_ptr_array_set_size (tables, 0);
  tables_add (tables, 50, 2, 3, twice);
  fail_unless (bmff_sample_map_new (tables, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "tracks 0 and 0");
}

GST_END_TEST;

/* Samples without bytes are in nobody's way, and come once. */
GST_START_TEST (test_empty_samples)
{
  static const guint32 nothing[] = { 120, 600 };
  g_autoptr (GPtrArray) tables = tables_new ();
  g_autoptr (BmffSampleMap) map = NULL;
  BmffMapCursor cursor;
  BmffMappedSample s;
  GError *error = NULL;

  tables_add (tables, 50, 2, 3, video);
  tables_add (tables, 0, 1, 2, nothing);
  map = bmff_sample_map_new (tables, &error);
  fail_unless_no_error (error);
  bmff_map_cursor_init (&cursor, map, 130);
  assert_next (&cursor, 0, 0, 100);
  assert_next (&cursor, 0, 1, 150);
  assert_next (&cursor, 1, 0, 120);
  assert_next (&cursor, 0, 2, 300);
  bmff_map_cursor_init (&cursor, map, 560);
  assert_next (&cursor, 0, 5, 550);
  assert_next (&cursor, 1, 1, 600);
  fail_if (bmff_map_cursor_next (&cursor, &s));
}

GST_END_TEST;

GST_START_TEST (test_no_tracks)
{
  g_autoptr (GPtrArray) tables = tables_new ();
  g_autoptr (BmffSampleMap) map = bmff_sample_map_new (tables, NULL);
  BmffMapCursor cursor;
  BmffMappedSample s;

  bmff_map_cursor_init (&cursor, map, 0);
  fail_if (bmff_map_cursor_next (&cursor, &s));
}

GST_END_TEST;

/* Found by fuzzing: a chunk that starts with a sample without bytes, of which
 * none ends after the place where it starts. */
GST_START_TEST (test_starts_empty)
{
  g_autoptr (BmffBox) stbl = bmff_box_new_container (FCC ("stbl"));
  g_autoptr (GPtrArray) tables = tables_new ();
  g_autoptr (BmffSampleMap) map = NULL;
  BmffMapCursor cursor;

  test_with (stbl, test_box ("stsz", 0, 0, 3, 0, 7, 7));
  test_with (stbl, test_box ("stsc", 0, 1, 1, 3, 1));
  test_with (stbl, test_box ("stco", 0, 1, 100));
  test_with (stbl, test_box ("stts", 0, 1, 3, 1));
  g_ptr_array_add (tables, bmff_sample_table_new_from_stbl (stbl, NULL));
  map = bmff_sample_map_new (tables, NULL);
  bmff_map_cursor_init (&cursor, map, 99);
  assert_next (&cursor, 0, 0, 100);
  bmff_map_cursor_init (&cursor, map, 100);
  assert_next (&cursor, 0, 1, 100);
}

GST_END_TEST;

GST_START_TEST (test_in_order)
{
  static const guint32 nothing[] = { 120, 600 };
  static const guint32 back[] = { 200, 220, 210 };
  g_autoptr (GPtrArray) tables = tables_new ();
  g_autoptr (BmffSampleMap) map = NULL;
  g_autoptr (BmffSampleMap) other = NULL;

  g_ptr_array_add (tables, NULL);
  tables_add (tables, 50, 2, 3, video);
  tables_add (tables, 10, 1, 5, audio);
  tables_add (tables, 0, 1, 2, nothing);
  map = bmff_sample_map_new (tables, NULL);
  fail_unless (bmff_sample_map_is_in_order (map));

  g_ptr_array_remove_index (tables, 2);
  tables_add (tables, 10, 1, 3, back);
  other = bmff_sample_map_new (tables, NULL);
  fail_if (bmff_sample_map_is_in_order (other));
}

GST_END_TEST;

static Suite *
isobmff_sample_map_suite (void)
{
  Suite *s = suite_create ("isobmff-sample-map");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_walk);
  tcase_add_test (tc, test_seek);
  tcase_add_test (tc, test_many_tracks);
  tcase_add_test (tc, test_arrays);
  tcase_add_test (tc, test_overlap);
  tcase_add_test (tc, test_empty_samples);
  tcase_add_test (tc, test_no_tracks);
  tcase_add_test (tc, test_starts_empty);
  tcase_add_test (tc, test_in_order);

  return s;
}

GST_CHECK_MAIN (isobmff_sample_map);
