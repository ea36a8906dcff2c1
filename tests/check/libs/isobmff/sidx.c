/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-index.h"

static guint64
move_behind (guint64 offset, gpointer user_data)
{
  return offset >= *(guint64 *) user_data ? offset + 1000 : offset;
}

/* Where a moof of each 100 bytes grows by 7. */
static guint64
move_growing (guint64 offset, gpointer user_data)
{
  return offset + 7 * (offset / 100);
}

static guint64
move_backwards (guint64 offset, gpointer user_data)
{
  return 1000 - offset;
}

static guint64
move_far (guint64 offset, gpointer user_data)
{
  return offset << 31;
}

static BmffSidx *
parse (BmffBox *box)
{
  GError *error = NULL;
  BmffSidx *sidx = bmff_sidx_parse (box, &error);

  fail_unless_no_error (error);
  bmff_box_free (box);

  return sidx;
}

static BmffSidxReference *
reference (BmffSidx *sidx, guint n)
{
  return &g_array_index (sidx->references, BmffSidxReference, n);
}

GST_START_TEST (test_round_trip)
{
  g_autoptr (BmffBox) v0 = test_box ("sidx", 0, 1, 1000, 5, 6, 2, /**/
      0x80000064, 10, 0x90000001, 100, 20, 3);
  g_autoptr (BmffBox) v1 =
      test_box ("sidx", 0x01000000, 1, 1000, 1, 5, 2, 6, 1, 77, 10, 3);
  g_autoptr (BmffSidx) a = parse (bmff_box_copy (v0));
  g_autoptr (BmffSidx) b = parse (bmff_box_copy (v1));
  g_autoptr (BmffBox) a_box = bmff_sidx_to_box (a);
  g_autoptr (BmffBox) b_box = bmff_sidx_to_box (b);

  fail_unless_equals_int (a->reference_id, 1);
  fail_unless_equals_int (a->timescale, 1000);
  fail_unless_equals_uint64 (a->earliest_presentation_time, 5);
  fail_unless_equals_uint64 (a->first_offset, 6);
  fail_unless_equals_int (a->references->len, 2);
  fail_unless (reference (a, 0)->is_index && !reference (a, 1)->is_index);
  fail_unless_equals_int (reference (a, 0)->referenced_size, 100);
  fail_unless_equals_int (reference (a, 1)->duration, 20);
  fail_unless_equals_int (reference (a, 0)->sap, 0x90000001);
  fail_unless_equals_uint64 (b->earliest_presentation_time, 0x100000005ull);
  fail_unless_equals_uint64 (b->first_offset, 0x200000006ull);
  fail_unless (g_bytes_equal (a_box->payload, v0->payload));
  fail_unless (g_bytes_equal (b_box->payload, v1->payload));
}

GST_END_TEST;

GST_START_TEST (test_version_grows)
{
  g_autoptr (BmffSidx) sidx = bmff_sidx_new ();
  g_autoptr (BmffSidx) again = NULL;

  sidx->first_offset = 0x100000000ull;
  again = parse (bmff_sidx_to_box (sidx));
  fail_unless_equals_int (again->version, 1);
  fail_unless_equals_uint64 (again->first_offset, 0x100000000ull);
}

GST_END_TEST;

static BmffSidx *
make_sidx (guint32 first_offset, guint32 size)
{
  return parse (test_box ("sidx", 0, 1, 1, 0, first_offset, 3, size, 1, 0, size,
      1, 0, size, 1, 0));
}

GST_START_TEST (test_move)
{
  g_autoptr (BmffSidx) sidx = make_sidx (50, 100);
  guint64 from = 200;
  GError *error = NULL;

  /* The references are at 150, 250 and 350; all behind 200 moves. */
  fail_unless (bmff_sidx_move (sidx, 100, 110, move_behind, &from, &error));
  fail_unless_equals_uint64 (sidx->first_offset, 40);
  fail_unless_equals_int (reference (sidx, 0)->referenced_size, 1100);
  fail_unless_equals_int (reference (sidx, 1)->referenced_size, 100);
  fail_unless_equals_int (reference (sidx, 2)->referenced_size, 100);
}

GST_END_TEST;

GST_START_TEST (test_move_growing)
{
  g_autoptr (BmffSidx) sidx = make_sidx (0, 200);

  fail_unless (bmff_sidx_move (sidx, 100, 107, move_growing, NULL, NULL));
  fail_unless_equals_uint64 (sidx->first_offset, 0);
  fail_unless_equals_int (reference (sidx, 0)->referenced_size, 214);
  fail_unless_equals_int (reference (sidx, 2)->referenced_size, 214);
}

GST_END_TEST;

GST_START_TEST (test_move_bad)
{
  g_autoptr (BmffSidx) a = make_sidx (0, 100);
  g_autoptr (BmffSidx) b = make_sidx (0, 100);
  g_autoptr (BmffSidx) c = make_sidx (0, 100);
  g_autoptr (BmffSidx) d = bmff_sidx_new ();
  GError *error = NULL;

  fail_if (bmff_sidx_move (a, 100, 108, move_growing, NULL, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "before the sidx");
  fail_if (bmff_sidx_move (b, 100, 0, move_backwards, NULL, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "end before it starts");
  fail_if (bmff_sidx_move (c, 100, 0, move_far, NULL, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "more than 31 bits");
  d->first_offset = G_MAXUINT64;
  fail_if (bmff_sidx_move (d, 100, 100, move_growing, NULL, &error));
  fail_unless_error (error, BMFF_ERROR_INVALID, "first offset");
}

GST_END_TEST;

GST_START_TEST (test_bad)
{
  g_autoptr (BmffBox) a = test_box ("sidx", 0, 1, 1, 0, 0, 2, 1, 1, 1, 1, 1);
  g_autoptr (BmffBox) b = test_box ("sidx", 0x01000000, 1, 1, 0, 0, 0);
  GError *error = NULL;

  fail_unless (bmff_sidx_parse (a, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "its 2 references");
  fail_unless (bmff_sidx_parse (b, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "sidx");
}

GST_END_TEST;

static Suite *
isobmff_sidx_suite (void)
{
  Suite *s = suite_create ("isobmff-sidx");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_round_trip);
  tcase_add_test (tc, test_version_grows);
  tcase_add_test (tc, test_move);
  tcase_add_test (tc, test_move_growing);
  tcase_add_test (tc, test_move_bad);
  tcase_add_test (tc, test_bad);

  return s;
}

GST_CHECK_MAIN (isobmff_sidx);
