/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/check/gstcheck.h>

#include "gst/isobmff/bmff-reader.h"
#include "gst/isobmff/bmff-writer.h"

static const guint8 counting[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };

GST_START_TEST (test_reader_integers)
{
  BmffReader r;

  bmff_reader_init (&r, counting, sizeof (counting));
  fail_unless_equals_int (bmff_reader_u8 (&r), 1);
  fail_unless_equals_int (bmff_reader_u16 (&r), 0x0203);
  fail_unless_equals_int (bmff_reader_u24 (&r), 0x040506);
  fail_unless_equals_int (bmff_reader_u32 (&r), 0x0708090a);
  fail_unless_equals_uint64 (bmff_reader_u64 (&r), 0x0b0c0d0e0f101112ull);
  fail_unless_equals_uint64 (bmff_reader_uint (&r, 5), 0x1314151617ull);
  fail_unless_equals_uint64 (bmff_reader_uint (&r, 0), 0);
  fail_unless_equals_int (bmff_reader_left (&r), 1);
  fail_unless (bmff_reader_ok (&r));
}

GST_END_TEST;

GST_START_TEST (test_reader_signed)
{
  static const guint8 data[] = { 0xff, 0xff, 0xff, 0xfe };
  BmffReader r;

  bmff_reader_init (&r, data, sizeof (data));
  fail_unless_equals_int (bmff_reader_s32 (&r), -2);
}

GST_END_TEST;

/* A read that does not fit gives 0, takes nothing, and makes all later ones
 * fail, also those that would fit. */
GST_START_TEST (test_reader_fails_for_good)
{
  BmffReader r, sub;

  bmff_reader_init (&r, counting, 3);
  fail_unless_equals_int (bmff_reader_u32 (&r), 0);
  fail_if (bmff_reader_ok (&r));
  fail_unless_equals_int (bmff_reader_u8 (&r), 0);
  fail_unless_equals_int (bmff_reader_left (&r), 0);
  fail_unless (bmff_reader_bytes (&r, 1) == NULL);
  fail_if (bmff_reader_skip (&r, 0));
  fail_unless_equals_int (r.pos, 0);
  sub = bmff_reader_sub (&r, 1);
  fail_if (bmff_reader_ok (&sub));
}

GST_END_TEST;

GST_START_TEST (test_reader_bounds)
{
  BmffReader r, sub;

  bmff_reader_init (&r, counting, 8);
  sub = bmff_reader_sub (&r, 4);
  fail_unless_equals_int (bmff_reader_left (&r), 4);
  fail_unless_equals_int (bmff_reader_left (&sub), 4);
  fail_unless_equals_uint64 (bmff_reader_u64 (&sub), 0);
  fail_if (bmff_reader_ok (&sub));
  fail_unless (bmff_reader_ok (&r));
  fail_if (bmff_reader_skip (&r, G_MAXSIZE));

  bmff_reader_init (&r, NULL, 0);
  fail_unless (bmff_reader_bytes (&r, 0) == NULL);
  fail_unless (bmff_reader_ok (&r));
  fail_unless_equals_int (bmff_reader_u8 (&r), 0);
  fail_if (bmff_reader_ok (&r));
}

GST_END_TEST;

GST_START_TEST (test_reader_has)
{
  BmffReader r;

  bmff_reader_init (&r, counting, 8);
  fail_unless (bmff_reader_has (&r, 2, 4));
  fail_if (bmff_reader_has (&r, 3, 4));
  fail_if (bmff_reader_has (&r, G_MAXUINT64 / 2, 4));
  fail_unless (bmff_reader_has (&r, G_MAXUINT64, 0));
  fail_unless (bmff_reader_ok (&r));
}

GST_END_TEST;

GST_START_TEST (test_fourcc)
{
  guint32 type = BMFF_FOURCC ('a', 'v', 'c', '1');
  g_autofree gchar *name =
      g_strdup_printf ("%" BMFF_FOURCC_FORMAT, BMFF_FOURCC_ARGS (type));
  g_autofree gchar *odd =
      g_strdup_printf ("%" BMFF_FOURCC_FORMAT, BMFF_FOURCC_ARGS (0xa96e0a00u));

  fail_unless_equals_int (type, 0x61766331);
  fail_unless_equals_string (name, "avc1");
  fail_unless_equals_string (odd, ".n..");
}

GST_END_TEST;

GST_START_TEST (test_writer_integers)
{
  static const guint8 expected[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    14, 15, 16, 17, 18, 0, 0, 0, 1 };
  BmffWriter *w = bmff_writer_new (0);
  g_autoptr (GBytes) bytes = NULL;
  gsize size;
  const guint8 *data;

  bmff_writer_u8 (w, 1);
  bmff_writer_u16 (w, 0x0203);
  bmff_writer_u24 (w, 0xff040506);
  bmff_writer_u32 (w, 0x0708090a);
  bmff_writer_u64 (w, 0x0b0c0d0e0f101112ull);
  bmff_writer_zeros (w, 3);
  bmff_writer_bytes (w, counting, 1);
  bmff_writer_bytes (w, NULL, 0);
  fail_unless_equals_int (bmff_writer_tell (w), sizeof (expected));
  bytes = bmff_writer_end (w);
  data = g_bytes_get_data (bytes, &size);
  fail_unless_equals_int (size, sizeof (expected));
  fail_unless (memcmp (data, expected, size) == 0);
}

GST_END_TEST;

GST_START_TEST (test_writer_patch)
{
  BmffWriter *w = bmff_writer_new (16);
  BmffReader r;

  bmff_writer_zeros (w, 15);
  bmff_writer_patch_u8 (w, 0, 1);
  bmff_writer_patch_u16 (w, 1, 0x0203);
  bmff_writer_patch_u32 (w, 3, 0x04050607);
  bmff_writer_patch_u64 (w, 7, 0x08090a0b0c0d0e0full);
  bmff_reader_init (&r, bmff_writer_peek (w), bmff_writer_tell (w));
  fail_unless (memcmp (bmff_reader_bytes (&r, 15), counting, 15) == 0);
  bmff_writer_free (w);
}

GST_END_TEST;

GST_START_TEST (test_writer_boxes)
{
  static const guint8 expected[] = { 0, 0, 0, 0x31, 'm', 'o', 'o', 'f', /**/
    0, 0, 0, 16, 'm', 'f', 'h', 'd', 1, 0, 0, 2, 0, 0, 0, 7, /**/
    0, 0, 0, 25, 'u', 'u', 'i', 'd', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    14, 15, 16, 9 };
  BmffWriter *w = bmff_writer_new (64);
  g_autoptr (GBytes) bytes = NULL;
  gsize size;
  const guint8 *data;

  bmff_writer_begin_box (w, BMFF_FOURCC ('m', 'o', 'o', 'f'));
  bmff_writer_begin_full_box (w, BMFF_FOURCC ('m', 'f', 'h', 'd'), 1, 2);
  bmff_writer_u32 (w, 7);
  bmff_writer_end_box (w);
  bmff_writer_begin_uuid_box (w, counting);
  bmff_writer_u8 (w, 9);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
  bytes = bmff_writer_end (w);
  data = g_bytes_get_data (bytes, &size);
  fail_unless_equals_int (size, sizeof (expected));
  fail_unless (memcmp (data, expected, size) == 0);
}

GST_END_TEST;

static Suite *
isobmff_reader_writer_suite (void)
{
  Suite *s = suite_create ("isobmff-reader-writer");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_reader_integers);
  tcase_add_test (tc, test_reader_signed);
  tcase_add_test (tc, test_reader_fails_for_good);
  tcase_add_test (tc, test_reader_bounds);
  tcase_add_test (tc, test_reader_has);
  tcase_add_test (tc, test_fourcc);
  tcase_add_test (tc, test_writer_integers);
  tcase_add_test (tc, test_writer_patch);
  tcase_add_test (tc, test_writer_boxes);

  return s;
}

GST_CHECK_MAIN (isobmff_reader_writer);
