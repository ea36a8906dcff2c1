/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk over a sample against a reference that goes block by block, and what is
 * true of it in every scheme. */

#include "cenc-crypt-case.h"

#include <gst/cenc/gstcenckeysession.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define GUARD 0xa5

static void
random_entries (GRand *rand, Case *c)
{
  guint i, n = (guint) g_rand_int_range (rand, 0, 6);
  gsize sum = 0;

  c->entries = g_byte_array_new ();
  for (i = 0; i < n; i++) {
    guint clear = (guint) g_rand_int_range (rand, 0, 40);
    guint32 size = (guint32) g_rand_int_range (rand, 0, 700);

    if (i % 3 == 0)
      size -= size % 16;
    if (i == 2)
      size = 0;
    reference_subsample (c->entries, clear, size);
    sum += clear + size;
  }
  c->size = n > 0 ? sum : (gsize) g_rand_int_range (rand, 0, 900);
}

static void
random_iv (GRand *rand, Case *c)
{
  static const guint sizes[] = { 8, 16 };
  guint i;

  for (i = 0; i < 16; i++)
    c->iv[i] = (guint8) g_rand_int (rand);
  c->iv_size = sizes[g_rand_int_range (rand, 0, 2)];
  /* Half of the counters wrap within some samples. */
  if (c->iv_size == 16 && g_rand_boolean (rand))
    memset (c->iv + 8, 0xff, 7);
  c->params.per_sample_iv_size = (guint8) c->iv_size;
  if (c->params.scheme == CENC_SCHEME_CBCS && g_rand_boolean (rand)) {
    memcpy (c->params.constant_iv, c->iv, c->iv_size);
    c->params.constant_iv_size = (guint8) c->iv_size;
    c->params.per_sample_iv_size = 0;
    c->iv_size = 0;
  }
}

GST_START_TEST (test_random_samples_match_reference)
{
  static const guint patterns[][2] = { { 0, 0 }, { 1, 9 }, { 2, 8 }, { 5, 5 },
    { 10, 0 }, { 1, 0 }, { 15, 15 } };
  g_autoptr (GRand) rand = g_rand_new_with_seed (23001);
  guint i;

  for (i = 0; i < 20000; i++) {
    Case c = { 0 };
    CencScheme scheme = (CencScheme) (i % 5);
    guint p = cenc_scheme_has_pattern (scheme)
        ? (guint) g_rand_int_range (rand, 0, G_N_ELEMENTS (patterns))
        : 0;

    c.params = reference_params (scheme, patterns[p][0], patterns[p][1], 0);
    if (scheme == CENC_SCHEME_PIFF && g_rand_boolean (rand))
      c.params.mode = CENC_MODE_CBC;
    c.flags = g_rand_boolean (rand) ? CENC_CRYPT_CENS_PARTIAL : 0;
    c.flags |= g_rand_boolean (rand) ? CENC_CRYPT_CLEAR_CUT_RUNS : 0;
    random_entries (rand, &c);
    random_iv (rand, &c);
    check_case (&c);
    g_byte_array_unref (c.entries);
  }
}
GST_END_TEST;

GST_START_TEST (test_one_call_for_many_blocks)
{
  Case c = cbcs_case (1, 9, 16, NULL, 1 << 20);
  ToyCipher toy = check_case (&c);

  assert_equals_uint64 (toy.bytes, 6554 * 16);
  fail_unless (toy.updates <= 8, "%u calls of the cipher", toy.updates);
  assert_equals_int (toy.starts, 1);
}
GST_END_TEST;

GST_START_TEST (test_not_protected_is_copied)
{
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 0, NULL, 100);
  ToyCipher toy;

  c.params.is_protected = FALSE;
  assert_changed (&c, 0, 100, FALSE);
  toy = check_case (&c);
  assert_equals_int (toy.starts, 0);
}
GST_END_TEST;

GST_START_TEST (test_sample_of_no_bytes)
{
  static const guint8 entry[CENC_SUBSAMPLE_SIZE] = { 0 };
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 8, NULL, 0);
  ToyCipher toy = { 0 };
  g_autoptr (CencCrypt) crypt = cenc_crypt_new (&toy_funcs, &toy, 0);
  CencSampleAux aux = case_aux (&c);

  fail_unless (cenc_crypt_sample (crypt, &c.params, &aux, NULL, NULL, 0, NULL));
  aux.subsamples = entry;
  aux.n_subsamples = 1;
  fail_unless (cenc_crypt_sample (crypt, &c.params, &aux, NULL, NULL, 0, NULL));
}
GST_END_TEST;

/* --- what is refused --- */

static void
assert_refused (const Case *c, GstCencError code, const gchar *text)
{
  g_autofree guint8 *in = g_malloc (c->size + 1);
  g_autofree guint8 *out = g_malloc (c->size + 1);
  ToyCipher toy = { 0 };
  g_autoptr (CencCrypt) crypt = cenc_crypt_new (&toy_funcs, &toy, 0);
  g_autoptr (GError) error = NULL;
  CencSampleAux aux = case_aux (c);
  gsize i;

  case_fill (in, c->size);
  memset (out, GUARD, c->size + 1);
  fail_if (
      cenc_crypt_sample (crypt, &c->params, &aux, in, out, c->size, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, (gint) code));
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  for (i = 0; i <= c->size; i++)
    assert_equals_int (out[i], GUARD);
  assert_equals_int (toy.updates, 0);
}

GST_START_TEST (test_subsamples_have_to_add_up)
{
  static const guint entries[] = { 5, 32, 3, 32, 0, 0 };
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 8, entries, 0);

  c.size--;
  assert_refused (&c, GST_CENC_ERROR_FORMAT, "add up to 72 bytes");
  c.size += 2;
  assert_refused (&c, GST_CENC_ERROR_FORMAT, "sample of 73 bytes");
  case_clear (&c);

  /* Sums beyond 32 bits are no way around. */
  c = make_case (CENC_SCHEME_CENC, 0, 0, 8, NULL, 16);
  c.entries = g_byte_array_new ();
  reference_subsample (c.entries, 0, 0xffffffff);
  reference_subsample (c.entries, 17, 0);
  assert_refused (&c, GST_CENC_ERROR_FORMAT, "add up to");
  case_clear (&c);
}
GST_END_TEST;

GST_START_TEST (test_missing_iv)
{
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 8, NULL, 32);

  c.iv_size = 0;
  c.params.kid[0] = 0xab;
  assert_refused (&c, GST_CENC_ERROR_FORMAT,
      "KID ab000000000000000000000000000000");
  c.iv_size = 12;
  assert_refused (&c, GST_CENC_ERROR_FORMAT, "IV of 12 bytes");
}
GST_END_TEST;

GST_START_TEST (test_pattern_that_protects_nothing)
{
  Case c = make_case (CENC_SCHEME_CENS, 0, 9, 8, NULL, 32);

  assert_refused (&c, GST_CENC_ERROR_FORMAT, "0:9");
}
GST_END_TEST;

GST_START_TEST (test_failure_of_the_cipher_is_an_error)
{
  static const guint entries[] = { 5, 32, 3, 32, 0, 0 };
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 8, entries, 0);
  CencSampleAux aux = case_aux (&c);
  ToyCipher toy = { .mode = CENC_MODE_CTR, .fail_after = 2 };
  g_autoptr (CencCrypt) crypt = cenc_crypt_new (&toy_funcs, &toy, 0);
  g_autoptr (GError) error = NULL;
  guint8 data[72] = { 0 };

  fail_if (cenc_crypt_sample (crypt, &c.params, &aux, data, data, 72, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED));
  case_clear (&c);
}
GST_END_TEST;

/* --- counting the keystream --- */

static guint64
count (const Case *c)
{
  CencSampleAux aux = case_aux (c);

  return cenc_crypt_count_blocks (&c->params, &aux, c->size);
}

GST_START_TEST (test_count_blocks)
{
  static const guint entries[] = { 9, 21, 0, 3, 1, 9, 0, 0 };
  static const guint pattern[] = { 4, 176, 6, 35, 0, 0 };
  Case c = make_case (CENC_SCHEME_CENC, 0, 0, 8, entries, 0);

  assert_equals_uint64 (count (&c), 3); /* 33 bytes */
  c.params.scheme = CENC_SCHEME_CENS;
  assert_equals_uint64 (count (&c), 1);
  case_clear (&c);
  c = make_case (CENC_SCHEME_CENS, 1, 9, 8, pattern, 0);
  assert_equals_uint64 (count (&c), 3);
  assert_equals_uint64 (check_case (&c).bytes, 3 * 16);
  case_clear (&c);
  c = make_case (CENC_SCHEME_CENC, 0, 0, 8, NULL, 33);
  assert_equals_uint64 (count (&c), 3);
  c.params.scheme = CENC_SCHEME_CBC1;
  c.params.mode = CENC_MODE_CBC;
  assert_equals_uint64 (count (&c), 0);
  c = make_case (CENC_SCHEME_CENS, 2, 8, 8, NULL, 170);
  assert_equals_uint64 (count (&c), 2);
  c = make_case (CENC_SCHEME_CENS, 5, 5, 8, NULL, 160 + 3 * 16 + 15);
  assert_equals_uint64 (count (&c), 8);
  assert_equals_uint64 (check_case (&c).bytes, 8 * 16);
  c.params.is_protected = FALSE;
  assert_equals_uint64 (count (&c), 0);
}
GST_END_TEST;

static Suite *
cenc_crypt_suite (void)
{
  Suite *s = suite_create ("cenc-crypt");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_random_samples_match_reference);
  tcase_add_test (tc, test_one_call_for_many_blocks);
  tcase_add_test (tc, test_not_protected_is_copied);
  tcase_add_test (tc, test_sample_of_no_bytes);
  tcase_add_test (tc, test_subsamples_have_to_add_up);
  tcase_add_test (tc, test_missing_iv);
  tcase_add_test (tc, test_pattern_that_protects_nothing);
  tcase_add_test (tc, test_failure_of_the_cipher_is_an_error);
  tcase_add_test (tc, test_count_blocks);
  return s;
}

GST_CHECK_MAIN (cenc_crypt);
