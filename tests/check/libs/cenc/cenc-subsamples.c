/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-subsamples.h"
#include "gst/isobmff/bmff-reader.h"

#include <gst/cenc/gstcenckeysession.h>
#include <gst/check/gstcheck.h>
#include <string.h>

/* "clear/protected clear/protected …" */
static gchar *
print (const GByteArray *entries)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < entries->len; i += CENC_SUBSAMPLE_SIZE) {
    const guint8 *e = entries->data + i;

    g_string_append_printf (text, "%s%u/%u", i ? " " : "", e[0] << 8 | e[1],
        (guint) e[2] << 24 | e[3] << 16 | e[4] << 8 | e[5]);
  }
  return g_string_free (text, FALSE);
}

static void
check (CencScheme scheme, const CencRange *ranges, guint n, gsize size,
    guint max, const gchar *expected)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;
  gint count;

  g_byte_array_append (out, (const guint8 *) "before", 6);
  count = cenc_subsamples_append (out, scheme, ranges, n, size, max, &error);
  fail_unless (count >= 0, "%s", error ? error->message : "");
  assert_equals_int (memcmp (out->data, "before", 6), 0);
  g_byte_array_remove_range (out, 0, 6);
  assert_equals_int (count, out->len / CENC_SUBSAMPLE_SIZE);
  text = print (out);
  assert_equals_string (text, expected);
}

static void
refuse (const CencRange *ranges, guint n, gsize size, guint max)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  assert_equals_int (cenc_subsamples_append (out, CENC_SCHEME_CBCS, ranges, n,
                         size, max, &error),
      -1);
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
  assert_equals_int (out->len, 0);
}

GST_START_TEST (test_slack_goes_in_front)
{
  static const CencRange ranges[] = { { 7, 35 }, { 50, 16 }, { 70, 33 } };
  CencScheme schemes[] = { CENC_SCHEME_CENC, CENC_SCHEME_CENS, CENC_SCHEME_CBC1,
    CENC_SCHEME_PIFF };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (schemes); i++)
    check (schemes[i], ranges, 3, 103, 0, "10/32 8/16 5/32");
}
GST_END_TEST;

GST_START_TEST (test_cbcs_begins_where_the_range_does)
{
  static const CencRange ranges[] = { { 7, 35 }, { 50, 16 }, { 70, 33 } };

  check (CENC_SCHEME_CBCS, ranges, 3, 103, 0, "7/35 8/16 4/33");
}
GST_END_TEST;

/* A range of less than a block holds nothing to encrypt where it is rounded. */
GST_START_TEST (test_range_of_less_than_a_block)
{
  static const CencRange ranges[] = { { 5, 15 }, { 25, 16 } };

  check (CENC_SCHEME_CENC, ranges, 2, 41, 0, "25/16");
  check (CENC_SCHEME_CENC, ranges, 1, 41, 0, "41/0");
  check (CENC_SCHEME_CBCS, ranges, 2, 41, 0, "5/15 5/16");
}
GST_END_TEST;

GST_START_TEST (test_ranges_end_on_the_tiles_last_byte)
{
  /* AV1: two tiles one after the other; the slack is in front. */
  static const CencRange ranges[] = { { 20, 40 }, { 60, 50 } };

  check (CENC_SCHEME_CENC, ranges, 2, 110, 0, "28/32 2/48");
}
GST_END_TEST;

GST_START_TEST (test_clear_tail_and_clear_sample)
{
  static const CencRange ranges[] = { { 4, 32 } };

  check (CENC_SCHEME_CENC, ranges, 1, 40, 0, "4/32 4/0");
  check (CENC_SCHEME_CENC, NULL, 0, 40, 0, "40/0");
  check (CENC_SCHEME_CENC, NULL, 0, 0, 0, "");
}
GST_END_TEST;

GST_START_TEST (test_clear_beyond_16_bits)
{
  static const CencRange at_limit[] = { { 65535, 16 } };
  static const CencRange over[] = { { 65536, 16 } };
  static const CencRange twice[] = { { 131071, 16 } };

  check (CENC_SCHEME_CENC, at_limit, 1, 65551, 0, "65535/16");
  check (CENC_SCHEME_CENC, over, 1, 65552, 0, "65535/0 1/16");
  check (CENC_SCHEME_CENC, twice, 1, 131087, 0, "65535/0 65535/0 1/16");
  check (CENC_SCHEME_CENC, NULL, 0, 65535, 0, "65535/0");
  check (CENC_SCHEME_CENC, NULL, 0, 65536, 0, "65535/0 1/0");
  check (CENC_SCHEME_CENC, NULL, 0, 131070, 0, "65535/0 65535/0");
}
GST_END_TEST;

/* saiz has 8 bits: 8 + 2 + 6 × 40 = 250, 16 + 2 + 6 × 39 = 252, 2 + 6 × 42 = 254. */
GST_START_TEST (test_most_entries)
{
  assert_equals_int (cenc_subsamples_get_max (8), 40);
  assert_equals_int (cenc_subsamples_get_max (16), 39);
  assert_equals_int (cenc_subsamples_get_max (0), 42);
}
GST_END_TEST;

GST_START_TEST (test_smallest_ranges_stay_clear)
{
  static const CencRange ranges[] = { { 10, 100 }, { 120, 30 }, { 160, 50 },
    { 220, 30 }, { 260, 200 } };

  check (CENC_SCHEME_CBCS, ranges, 5, 460, 5,
      "10/100 10/30 10/50 10/30 10/200");
  check (CENC_SCHEME_CBCS, ranges, 5, 460, 4, "10/100 50/50 10/30 10/200");
  check (CENC_SCHEME_CBCS, ranges, 5, 460, 3, "10/100 50/50 50/200");
  check (CENC_SCHEME_CBCS, ranges, 5, 460, 2, "10/100 150/200");
  check (CENC_SCHEME_CBCS, ranges, 5, 460, 1, "260/200");
  /* A clear tail is an entry as well. */
  check (CENC_SCHEME_CBCS, ranges, 5, 461, 5, "10/100 50/50 10/30 10/200 1/0");
}
GST_END_TEST;

/* 4000 slices: the largest stay protected, and every byte is told of. */
GST_START_TEST (test_many_slices_fit)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (CencRange));
  guint i, sum = 0, smallest = G_MAXUINT;
  gint n;

  for (i = 0; i < 4000; i++) {
    CencRange range = { i * 110 + 10, 16 + i % 80 };

    g_array_append_val (ranges, range);
  }
  n = cenc_subsamples_append (out, CENC_SCHEME_CBCS,
      (const CencRange *) (gpointer) ranges->data, 4000, 4000 * 110, 42, NULL);
  fail_unless (n > 36 && n <= 42, "%d entries", n);
  for (i = 0; i < out->len; i += CENC_SUBSAMPLE_SIZE) {
    guint clear = bmff_get_u16 (out->data + i);
    guint size = bmff_get_u32 (out->data + i + 2);

    sum += clear + size;
    if (size > 0)
      smallest = MIN (smallest, size);
  }
  assert_equals_int (sum, 4000 * 110);
  assert_equals_int (smallest, 95);
}
GST_END_TEST;

GST_START_TEST (test_what_does_not_fit)
{
  static const CencRange ranges[] = { { 131071, 16 }, { 200000, 32 } };
  static const CencRange overlap[] = { { 10, 20 }, { 29, 16 } };
  static const CencRange outside[] = { { 10, 20 } };

  /* Not even the largest range with the clear bytes in front of it. */
  refuse (ranges, 2, 200032, 3);
  refuse (NULL, 0, 65536, 1);
  refuse (overlap, 2, 100, 0);
  refuse (outside, 1, 29, 0);
}
GST_END_TEST;

/* Ranges of random shape: the entries tell of each byte once, protect none that
 * was not offered, are aligned, and are not too many. */
static void
check_random (GRand *rand, CencScheme scheme, guint max)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  CencRange ranges[60];
  guint i, r = 0, n = (guint) g_rand_int_range (rand, 0, 60);
  gsize pos = 0, size;
  gint count;

  for (i = 0; i < n; i++) {
    gint gap = g_rand_int_range (rand, 0, 20) ? 30 : 150000;

    ranges[i].offset = pos + (gsize) g_rand_int_range (rand, 0, gap);
    ranges[i].size = (gsize) g_rand_int_range (rand, 0, 100);
    pos = ranges[i].offset + ranges[i].size;
  }
  size = pos + (gsize) g_rand_int_range (rand, 0, 40);
  count = cenc_subsamples_append (out, scheme, ranges, n, size, max, NULL);
  if (count < 0)
    return;
  fail_unless (max == 0 || count <= (gint) max);
  for (i = 0, pos = 0; i < (guint) count; i++) {
    const guint8 *e = out->data + i * CENC_SUBSAMPLE_SIZE;
    guint32 protected_bytes = bmff_get_u32 (e + 2);

    pos += bmff_get_u16 (e);
    fail_if (scheme != CENC_SCHEME_CBCS && protected_bytes % 16 != 0);
    while (protected_bytes > 0 && ranges[r].offset + ranges[r].size <= pos)
      r++;
    if (protected_bytes > 0)
      fail_unless (pos >= ranges[r].offset &&
          pos + protected_bytes == ranges[r].offset + ranges[r].size);
    pos += protected_bytes;
  }
  assert_equals_uint64 (pos, size);
}

GST_START_TEST (test_random_ranges)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (23001);
  guint i;

  for (i = 0; i < 20000; i++)
    check_random (rand, i % 2 ? CENC_SCHEME_CBCS : CENC_SCHEME_CENC,
        i % 3 ? 40 : 0);
}
GST_END_TEST;

static Suite *
cenc_subsamples_suite (void)
{
  Suite *s = suite_create ("cenc-subsamples");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_slack_goes_in_front);
  tcase_add_test (tc, test_cbcs_begins_where_the_range_does);
  tcase_add_test (tc, test_range_of_less_than_a_block);
  tcase_add_test (tc, test_ranges_end_on_the_tiles_last_byte);
  tcase_add_test (tc, test_clear_tail_and_clear_sample);
  tcase_add_test (tc, test_clear_beyond_16_bits);
  tcase_add_test (tc, test_most_entries);
  tcase_add_test (tc, test_smallest_ranges_stay_clear);
  tcase_add_test (tc, test_many_slices_fit);
  tcase_add_test (tc, test_what_does_not_fit);
  tcase_add_test (tc, test_random_ranges);
  return s;
}

GST_CHECK_MAIN (cenc_subsamples);
