/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-iv.h"

#include <gst/cenc/gstcenckeysession.h>
#include <gst/check/gstcheck.h>
#include <string.h>

static const guint8 seed[16] = { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe };

static void
assert_next (CencIv *iv, guint64 blocks, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  guint8 out[16];
  guint i;

  fail_unless (cenc_iv_next (iv, blocks, out, &error), "%s",
      error ? error->message : "");
  for (i = 0; i < 16; i++)
    g_string_append_printf (text, "%02x", out[i]);
  assert_equals_string (text->str, expected);
}

static void
assert_used_up (CencIv *iv, guint64 blocks)
{
  g_autoptr (GError) error = NULL;
  CencIv before = *iv;
  guint8 out[16];

  fail_if (cenc_iv_next (iv, blocks, out, &error));
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
  assert_equals_int (memcmp (&before, iv, sizeof before), 0);
}

GST_START_TEST (test_8_bytes_count_by_one)
{
  CencIv iv;

  cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, 8, seed, 0);
  assert_next (&iv, 1000, "10111213141516170000000000000000");
  assert_next (&iv, 0, "10111213141516180000000000000000");
  assert_next (&iv, 5, "10111213141516190000000000000000");
  assert_equals_uint64 (iv.samples, 3);
}
GST_END_TEST;

GST_START_TEST (test_8_bytes_by_track)
{
  static const guint8 high[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff };
  CencIv iv;

  cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, 8, seed, 2);
  assert_next (&iv, 1, "10131213141516170000000000000000");
  /* modulo 2^64 */
  cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, 8, high, 1);
  assert_next (&iv, 1, "0000ffffffffffff0000000000000000");
  assert_next (&iv, 1, "00010000000000000000000000000000");
}
GST_END_TEST;

GST_START_TEST (test_8_bytes_used_up)
{
  CencIv iv;

  cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, 8, seed, 0);
  iv.samples = (G_GUINT64_CONSTANT (1) << 48) - 1;
  assert_next (&iv, 1, "10111213141516170000000000000000");
  assert_used_up (&iv, 1);
  /* Track 65536 would take track 0's place. */
  cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, 8, seed, 65535);
  assert_next (&iv, 1, "10101213141516170000000000000000");
  cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, 8, seed, 65536);
  assert_used_up (&iv, 1);
}
GST_END_TEST;

GST_START_TEST (test_16_bytes_ctr_goes_on_where_the_sample_ended)
{
  CencIv iv;

  cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, 16, seed, 0);
  assert_next (&iv, 5, "1011121314151617fffffffffffffffe");
  /* wraps, and nothing carries into the track's half */
  assert_next (&iv, 2, "10111213141516170000000000000003");
  assert_next (&iv, 0, "10111213141516170000000000000005");
  /* a sample without protected bytes does not share its IV */
  assert_next (&iv, 1, "10111213141516170000000000000006");
  cenc_iv_init (&iv, CENC_SCHEME_CENS, CENC_MODE_CTR, 16, seed, 3);
  assert_next (&iv, 1, "101112131415161afffffffffffffffe");
}
GST_END_TEST;

GST_START_TEST (test_16_bytes_ctr_used_up)
{
  CencIv iv;

  cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, 16, seed, 0);
  assert_next (&iv, G_MAXUINT64 - 7, "1011121314151617fffffffffffffffe");
  assert_used_up (&iv, 8);
  assert_next (&iv, 7, "1011121314151617fffffffffffffff6");
  assert_used_up (&iv, 1);
}
GST_END_TEST;

GST_START_TEST (test_16_bytes_cbc)
{
  CencIv iv;

  cenc_iv_init (&iv, CENC_SCHEME_CBC1, CENC_MODE_CBC, 16, seed, 1);
  assert_next (&iv, 0, "1011121314151618fffffffffffffffe");
  assert_next (&iv, 0, "1011121314151618ffffffffffffffff");
  assert_next (&iv, 0, "10111213141516190000000000000000");
}
GST_END_TEST;

GST_START_TEST (test_constant)
{
  CencIv iv;
  guint i;

  cenc_iv_init (&iv, CENC_SCHEME_CBCS, CENC_MODE_CBC, 0, seed, 5);
  for (i = 0; i < 3; i++)
    assert_next (&iv, 0, "1011121314151617fffffffffffffffe");
}
GST_END_TEST;

/* No counter block of a sample belongs to another one, of this track or of
 * another: by interval, over a small title. */
GST_START_TEST (test_no_counter_block_twice)
{
  GHashTable *seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint track, sample, size, b;

  for (size = 8; size <= 16; size += 8) {
    for (track = 0; track < 3; track++) {
      CencIv iv;

      cenc_iv_init (&iv, CENC_SCHEME_CENC, CENC_MODE_CTR, (guint8) size, seed,
          track);
      for (sample = 0; sample < 50; sample++) {
        guint blocks = sample % 7;
        guint8 block[16];

        fail_unless (cenc_iv_next (&iv, blocks, block, NULL));
        for (b = 0; b < blocks; b++) {
          gchar *text = g_strdup_printf ("%u/%08x%08x%08x%08x", size,
              GST_READ_UINT32_BE (block), GST_READ_UINT32_BE (block + 4),
              GST_READ_UINT32_BE (block + 8), GST_READ_UINT32_BE (block + 12));

          fail_unless (g_hash_table_add (seen, text));
          GST_WRITE_UINT64_BE (block + 8, GST_READ_UINT64_BE (block + 8) + 1);
        }
      }
    }
  }
  g_hash_table_unref (seen);
}
GST_END_TEST;

static Suite *
cenc_iv_suite (void)
{
  Suite *s = suite_create ("cenc-iv");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_8_bytes_count_by_one);
  tcase_add_test (tc, test_8_bytes_by_track);
  tcase_add_test (tc, test_8_bytes_used_up);
  tcase_add_test (tc, test_16_bytes_ctr_goes_on_where_the_sample_ended);
  tcase_add_test (tc, test_16_bytes_ctr_used_up);
  tcase_add_test (tc, test_16_bytes_cbc);
  tcase_add_test (tc, test_constant);
  tcase_add_test (tc, test_no_counter_block_twice);
  return s;
}

GST_CHECK_MAIN (cenc_iv);
