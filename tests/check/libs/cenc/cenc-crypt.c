/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk over a sample against a reference that goes block by block, and each
 * rule of each scheme by itself. */

#include "cenc-reference.h"

#include <gst/cenc/gstcenckeysession.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define GUARD 0xa5

typedef struct
{
  CencParams params;
  GByteArray *entries;
  guint8 iv[16];
  guint iv_size; /* of the sample; 0: none */
  gsize size;
  CencCryptFlags flags;
} Case;

static CencSampleAux
case_aux (const Case *c)
{
  CencSampleAux aux = { c->iv_size ? c->iv : NULL, (guint8) c->iv_size, NULL,
    0 };

  if (c->entries && c->entries->len > 0) {
    aux.subsamples = c->entries->data;
    aux.n_subsamples = c->entries->len / CENC_SUBSAMPLE_SIZE;
  }
  return aux;
}

static gchar *
case_name (const Case *c)
{
  return g_strdup_printf ("%s %u:%u, %" G_GSIZE_FORMAT
                          " bytes, %u entries, IV of %u, flags %u",
      cenc_scheme_get_name (c->params.scheme), c->params.crypt_byte_block,
      c->params.skip_byte_block, c->size,
      c->entries ? c->entries->len / CENC_SUBSAMPLE_SIZE : 0, c->iv_size,
      c->flags);
}

static void
fill (guint8 *data, gsize size)
{
  gsize i;

  for (i = 0; i < size; i++)
    data[i] = (guint8) (i * 7 + (i >> 8));
}

/* One direction, in place or not; returns the result, which the caller frees. */
static guint8 *
run (const Case *c, gboolean encrypts, gboolean in_place, const guint8 *in,
    ToyCipher *toy)
{
  g_autoptr (CencCrypt) crypt = NULL;
  g_autoptr (GError) error = NULL;
  CencSampleAux aux = case_aux (c);
  guint8 *out = g_malloc (c->size + 1);

  memset (toy, 0, sizeof *toy);
  toy->mode = c->params.mode;
  toy->encrypts = encrypts;
  crypt = cenc_crypt_new (&toy_funcs, toy, c->flags);
  memset (out, 0xee, c->size);
  out[c->size] = GUARD;
  if (in_place)
    memcpy (out, in, c->size);
  fail_unless (cenc_crypt_sample (crypt, &c->params, &aux, in_place ? out : in,
                   out, c->size, &error),
      "%s", error ? error->message : "");
  assert_equals_int (out[c->size], GUARD);
  return out;
}

/* Both directions and both kinds of memory agree with the reference, and lead
 * back. Returns the toy's counts of the last encryption. */
static ToyCipher
check_case (const Case *c)
{
  g_autofree gchar *name = case_name (c);
  g_autofree guint8 *clear = g_malloc (c->size + 1);
  g_autofree guint8 *wanted = NULL;
  CencSampleAux aux = case_aux (c);
  ToyCipher toy = { 0 };
  guint in_place;

  fill (clear, c->size);
  wanted = g_memdup2 (clear, c->size + 1);
  reference_crypt_cut_runs (&toy_reference, TRUE, &c->params, &aux,
      c->flags & CENC_CRYPT_CENS_PARTIAL,
      !(c->flags & CENC_CRYPT_CLEAR_CUT_RUNS), wanted, c->size);
  for (in_place = 0; in_place < 2; in_place++) {
    g_autofree guint8 *back = run (c, FALSE, in_place, wanted, &toy);
    g_autofree guint8 *cipher = run (c, TRUE, in_place, clear, &toy);

    fail_unless (memcmp (cipher, wanted, c->size) == 0, "%s: encrypted, %s",
        name, in_place ? "in place" : "into other memory");
    fail_unless (memcmp (back, clear, c->size) == 0, "%s: decrypted, %s", name,
        in_place ? "in place" : "into other memory");
  }
  return toy;
}

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

/* --- rules, one by one --- */

/* @entries: pairs of clear and protected bytes, ended by a pair of zeros. */
static Case
make_case (CencScheme scheme, guint crypt, guint skip, guint iv_size,
    const guint *entries, gsize size)
{
  Case c = { 0 };
  guint i;

  c.params = reference_params (scheme, crypt, skip, iv_size);
  c.iv_size = iv_size;
  for (i = 0; i < iv_size; i++)
    c.iv[i] = (guint8) (0x30 + i);
  c.size = size;
  if (!entries)
    return c;
  c.entries = g_byte_array_new ();
  c.size = 0;
  for (; entries[0] || entries[1]; entries += 2) {
    reference_subsample (c.entries, entries[0], entries[1]);
    c.size += entries[0] + entries[1];
  }
  return c;
}

static void
case_clear (Case *c)
{
  g_clear_pointer (&c->entries, g_byte_array_unref);
}

/* How byte @i of the encrypted sample relates to the clear one. */
static guint8 *
encrypt (const Case *c)
{
  g_autofree guint8 *clear = g_malloc (c->size + 1);
  ToyCipher toy;

  fill (clear, c->size);
  return run (c, TRUE, FALSE, clear, &toy);
}

static void
assert_changed (const Case *c, gsize from, gsize to, gboolean changed)
{
  g_autofree guint8 *clear = g_malloc (c->size + 1);
  g_autofree guint8 *cipher = encrypt (c);
  g_autofree gchar *name = case_name (c);
  gsize i;

  fill (clear, c->size);
  for (i = from; i < to; i += 16) {
    gsize n = MIN (16, to - i);

    fail_unless ((memcmp (clear + i, cipher + i, n) != 0) == changed,
        "%s: bytes from %" G_GSIZE_FORMAT " are %s", name, i,
        changed ? "clear" : "encrypted");
  }
}

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
  g_autofree guint8 *cipher = encrypt (c);
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
  g_autofree guint8 *x = encrypt (&a);
  g_autofree guint8 *y = NULL;

  memset (b.iv + 8, 0, 8);
  y = encrypt (&b);
  assert_equals_int (memcmp (x, y, 64), 0);
}
GST_END_TEST;

static Case
cbcs_case (guint crypt, guint skip, guint constant_size, const guint *entries,
    gsize size)
{
  Case c = make_case (CENC_SCHEME_CBCS, crypt, skip, 16, entries, size);

  c.iv_size = 0;
  c.params.per_sample_iv_size = 0;
  c.params.constant_iv_size = (guint8) constant_size;
  memcpy (c.params.constant_iv, c.iv, constant_size);
  return c;
}

GST_START_TEST (test_cbcs_begins_anew_in_each_subsample)
{
  static const guint entries[] = { 0, 256, 0, 256, 0, 0 };
  Case c = cbcs_case (1, 9, 16, entries, 0);
  g_autofree guint8 *clear = g_malloc (513), *cipher = NULL;
  ToyCipher toy;

  /* Two subsamples of the same bytes become the same bytes. */
  fill (clear, 256);
  memcpy (clear + 256, clear, 256);
  cipher = run (&c, TRUE, FALSE, clear, &toy);
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
  g_autofree guint8 *x = encrypt (&a);
  g_autofree guint8 *y = NULL;

  memset (b.params.constant_iv + 8, 0, 8);
  y = encrypt (&b);
  assert_equals_int (memcmp (x, y, 320), 0);
}
GST_END_TEST;

GST_START_TEST (test_cbcs_takes_the_samples_iv_before_the_constant_one)
{
  Case a = cbcs_case (1, 9, 16, NULL, 320);
  Case b = make_case (CENC_SCHEME_CBCS, 1, 9, 16, NULL, 320);
  g_autofree guint8 *x = encrypt (&a), *y = encrypt (&b), *z = NULL;

  assert_equals_int (memcmp (x, y, 320), 0);
  b.iv[3] ^= 1;
  memcpy (b.params.constant_iv, a.params.constant_iv, 16);
  z = encrypt (&b);
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

  fill (in, c->size);
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
