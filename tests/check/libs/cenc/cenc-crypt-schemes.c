/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each rule of each scheme by itself (ISO/IEC 23001-7, clauses 9 and 10). */

#include "cenc-crypt-case.h"

#include <gst/check/gstcheck.h>
#include <string.h>

/* The keystream of block @n of the sample's counter, by the toy. */
static void
keystream (const Case *c, guint64 n, guint8 *block)
{
  gint i;

  memset (block, 0, 16);
  memcpy (block, c->iv, c->iv_size);
  for (; n > 0; n--) {
    for (i = 15; i >= 8 && ++block[i] == 0; i--)
      ;
  }
  toy_reference.encrypt (NULL, block);
}

static void
assert_keystream (const Case *c, gsize at, guint64 block)
{
  g_autofree guint8 *cipher = case_encrypt (c);
  guint8 clear[16], ks[16];
  guint i;

  keystream (c, block, ks);
  for (i = 0; i < 16; i++)
    clear[i] = (guint8) ((at + i) * 7 + ((at + i) >> 8));
  for (i = 0; i < 16; i++)
    assert_equals_int (cipher[at + i], clear[i] ^ ks[i]);
}

GST_START_TEST (test_ctr_counter_wraps_without_carry)
{
  static const guint entries[] = { 5, 32, 3, 32, 0, 0 };
  CencScheme schemes[] = { CENC_SCHEME_CENC, CENC_SCHEME_CENS };
  guint i, left;

  for (i = 0; i < G_N_ELEMENTS (schemes); i++) {
    for (left = 0; left < 5; left++) {
      Case c = make_case (schemes[i], 0, 0, 16, entries, 0);

      memset (c.iv + 8, 0xff, 8);
      c.iv[15] = (guint8) (0xff - left);
      check_case (&c);
      assert_keystream (&c, 5, 0);
      assert_keystream (&c, 5 + 32 + 3 + 16, 3);
      case_clear (&c);
    }
  }
}
GST_END_TEST;

/* A call that crossed the wrap would carry, because the toy carries. */
GST_START_TEST (test_ctr_wrap_on_a_calls_end)
{
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 16, NULL, 64);

  memset (c.iv + 8, 0xff, 8);
  c.iv[15] = 0xfc; /* 4 blocks: the sample's very end */
  check_case (&c);
  c.size = 65;
  check_case (&c);
}
GST_END_TEST;

GST_START_TEST (test_cenc_clear_bytes_do_not_advance_the_counter)
{
  static const guint entries[] = { 100, 32, 7, 48, 0, 0 };
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 8, entries, 0);

  assert_keystream (&c, 100, 0);
  assert_keystream (&c, 100 + 32 + 7, 2);
  assert_changed (&c, 0, 100, FALSE);
  assert_changed (&c, 132, 139, FALSE);
  case_clear (&c);
}
GST_END_TEST;

/* On input: ranges of any size; the keystream goes on in the middle of a block. */
GST_START_TEST (test_cenc_ranges_that_are_no_whole_blocks)
{
  static const guint entries[] = { 9, 21, 0, 3, 1, 8, 0, 0 };
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 8, entries, 0);

  check_case (&c);
  c.params.scheme = CENC_SCHEME_PIFF;
  check_case (&c);
  case_clear (&c);
}
GST_END_TEST;

GST_START_TEST (test_cens_pattern_anew_counter_on)
{
  /* 11 blocks: blocks 0 and 10 encrypted; then 2 blocks: the first is. */
  static const guint entries[] = { 4, 176, 6, 32, 0, 0 };
  Case c = make_case (CENC_SCHEME_CENS, 1, 9, 8, entries, 0);

  check_case (&c);
  assert_keystream (&c, 4, 0);
  assert_changed (&c, 20, 164, FALSE);
  assert_keystream (&c, 4 + 160, 1);
  assert_keystream (&c, 4 + 176 + 6, 2);
  assert_changed (&c, 4 + 176 + 6 + 16, c.size, FALSE);
  case_clear (&c);
}
GST_END_TEST;

GST_START_TEST (test_cens_whole_sample_tail)
{
  static const guint entries[] = { 0, 39, 0, 0 };
  Case c = make_case (CENC_SCHEME_CENS, 0, 0, 8, NULL, 39);

  assert_changed (&c, 0, 32, TRUE);
  assert_changed (&c, 32, 39, FALSE);
  c.flags = CENC_CRYPT_CENS_PARTIAL;
  assert_changed (&c, 32, 39, TRUE);
  check_case (&c);

  /* The option is about whole samples, not about a subsample's end. */
  c = make_case (CENC_SCHEME_CENS, 0, 0, 8, entries, 0);
  c.flags = CENC_CRYPT_CENS_PARTIAL;
  assert_changed (&c, 32, 39, FALSE);
  case_clear (&c);
}
GST_END_TEST;

/* The partial block's keystream is not counted where it is not used. */
GST_START_TEST (test_cbc1_chain_goes_on_across_subsamples)
{
  static const guint split[] = { 0, 32, 5, 32, 0, 0 };
  Case c = make_case (CENC_SCHEME_CBC1, 0, 0, 16, split, 0);
  ToyCipher toy = check_case (&c);

  assert_equals_int (toy.starts, 1);
  assert_changed (&c, 32, 37, FALSE);
  assert_changed (&c, 37, 69, TRUE);
  case_clear (&c);
}
GST_END_TEST;

GST_START_TEST (test_cbc1_partial_block_stays_clear)
{
  Case c = make_case (CENC_SCHEME_CBC1, 0, 0, 16, NULL, 47);

  assert_changed (&c, 0, 32, TRUE);
  assert_changed (&c, 32, 47, FALSE);
  c.size = 15;
  assert_changed (&c, 0, 15, FALSE);
  check_case (&c);
}
GST_END_TEST;

GST_START_TEST (test_cbc1_iv_of_8_bytes_is_zero_padded)
{
  Case a = make_case (CENC_SCHEME_CBC1, 0, 0, 8, NULL, 64);
  Case b = make_case (CENC_SCHEME_CBC1, 0, 0, 16, NULL, 64);
  g_autofree guint8 *x = case_encrypt (&a);
  g_autofree guint8 *y = NULL;

  memset (b.iv + 8, 0, 8);
  y = case_encrypt (&b);
  assert_equals_int (memcmp (x, y, 64), 0);
}
GST_END_TEST;

GST_START_TEST (test_cbcs_begins_anew_in_each_subsample)
{
  static const guint entries[] = { 0, 256, 0, 256, 0, 0 };
  Case c = cbcs_case (1, 9, 16, entries, 0);
  g_autofree guint8 *clear = g_malloc (513), *cipher = NULL;
  ToyCipher toy;

  /* Two subsamples of the same bytes become the same bytes. */
  case_fill (clear, 256);
  memcpy (clear + 256, clear, 256);
  cipher = case_run (&c, TRUE, FALSE, clear, &toy);
  assert_equals_int (memcmp (cipher, cipher + 256, 256), 0);
  fail_if (memcmp (cipher, clear, 16) == 0);
  fail_unless (memcmp (cipher + 16, clear + 16, 144) == 0);
  fail_if (memcmp (cipher + 160, clear + 160, 16) == 0);
  assert_equals_int (toy.starts, 2);
  check_case (&c);
  case_clear (&c);
}
GST_END_TEST;

GST_START_TEST (test_cbcs_constant_iv_of_8_bytes_is_zero_padded)
{
  Case a = cbcs_case (1, 9, 8, NULL, 320), b = cbcs_case (1, 9, 16, NULL, 320);
  g_autofree guint8 *x = case_encrypt (&a);
  g_autofree guint8 *y = NULL;

  memset (b.params.constant_iv + 8, 0, 8);
  y = case_encrypt (&b);
  assert_equals_int (memcmp (x, y, 320), 0);
}
GST_END_TEST;

GST_START_TEST (test_cbcs_takes_the_samples_iv_before_the_constant_one)
{
  Case a = cbcs_case (1, 9, 16, NULL, 320);
  Case b = make_case (CENC_SCHEME_CBCS, 1, 9, 16, NULL, 320);
  g_autofree guint8 *x = case_encrypt (&a), *y = case_encrypt (&b), *z = NULL;

  assert_equals_int (memcmp (x, y, 320), 0);
  b.iv[3] ^= 1;
  memcpy (b.params.constant_iv, a.params.constant_iv, 16);
  z = case_encrypt (&b);
  fail_if (memcmp (z, y, 320) == 0);
  check_case (&b);
}
GST_END_TEST;

GST_START_TEST (test_cbcs_audio_is_every_whole_block)
{
  Case c = cbcs_case (0, 0, 16, NULL, 71);
  ToyCipher toy = check_case (&c);

  assert_changed (&c, 0, 64, TRUE);
  assert_changed (&c, 64, 71, FALSE);
  assert_equals_int (toy.updates, 1);
  c.params.crypt_byte_block = 10; /* 10:0 */
  assert_changed (&c, 0, 64, TRUE);
  assert_changed (&c, 64, 71, FALSE);
  check_case (&c);
}
GST_END_TEST;

GST_START_TEST (test_pattern_run_cut_off_stays_clear)
{
  CencScheme schemes[] = { CENC_SCHEME_CBCS, CENC_SCHEME_CENS };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (schemes); i++) {
    Case c = make_case (schemes[i], 2, 8, 16, NULL, 160 + 16 + 15);

    c.flags = CENC_CRYPT_CLEAR_CUT_RUNS;
    assert_changed (&c, 0, 32, TRUE);
    assert_changed (&c, 32, c.size, FALSE);
    c.size++; /* the second run is whole */
    assert_changed (&c, 160, 192, TRUE);
    check_case (&c);
  }
}
GST_END_TEST;

/* As Shaka Packager, GPAC and Bento4 write it. */
GST_START_TEST (test_pattern_run_cut_off_is_followed)
{
  CencScheme schemes[] = { CENC_SCHEME_CBCS, CENC_SCHEME_CENS };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (schemes); i++) {
    Case c = make_case (schemes[i], 5, 8, 16, NULL, 13 * 16 + 3 * 16 + 15);

    assert_changed (&c, 0, 80, TRUE);
    assert_changed (&c, 80, 208, FALSE);
    assert_changed (&c, 208, 256, TRUE);
    assert_changed (&c, 256, c.size, FALSE);
    check_case (&c);
    c.size = 16; /* less than a run */
    assert_changed (&c, 0, 16, TRUE);
    check_case (&c);
  }
}
GST_END_TEST;

static Suite *
cenc_crypt_schemes_suite (void)
{
  Suite *s = suite_create ("cenc-crypt-schemes");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_ctr_counter_wraps_without_carry);
  tcase_add_test (tc, test_ctr_wrap_on_a_calls_end);
  tcase_add_test (tc, test_cenc_clear_bytes_do_not_advance_the_counter);
  tcase_add_test (tc, test_cenc_ranges_that_are_no_whole_blocks);
  tcase_add_test (tc, test_cens_pattern_anew_counter_on);
  tcase_add_test (tc, test_cens_whole_sample_tail);
  tcase_add_test (tc, test_cbc1_chain_goes_on_across_subsamples);
  tcase_add_test (tc, test_cbc1_partial_block_stays_clear);
  tcase_add_test (tc, test_cbc1_iv_of_8_bytes_is_zero_padded);
  tcase_add_test (tc, test_cbcs_begins_anew_in_each_subsample);
  tcase_add_test (tc, test_cbcs_constant_iv_of_8_bytes_is_zero_padded);
  tcase_add_test (tc, test_cbcs_takes_the_samples_iv_before_the_constant_one);
  tcase_add_test (tc, test_cbcs_audio_is_every_whole_block);
  tcase_add_test (tc, test_pattern_run_cut_off_stays_clear);
  tcase_add_test (tc, test_pattern_run_cut_off_is_followed);
  return s;
}

GST_CHECK_MAIN (cenc_crypt_schemes);
