/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples that are encrypted together are what each is by itself: against the
 * reference, against AES one by one, and at the limits of what is put together. */

#include "cenc-reference.h"

#include "cenc/cenc-cipher.h"
#include "gst/cenc/cenc-lanes.h"

#include <gst/cenc/gstcenckeysession.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#include "../../nist.h"

#define GUARD 0xa5

/* One sample of a batch. */
typedef struct
{
  CencParams params;
  GByteArray *entries;
  guint8 iv[16];
  gsize size;
  guint8 *in, *out, *wanted; /* @out may be @in; both with a guard behind */
} Sample;

static void
sample_clear (gpointer data)
{
  Sample *self = data;

  g_byte_array_unref (self->entries);
  if (self->out != self->in)
    g_free (self->out);
  g_free (self->in);
  g_free (self->wanted);
}

static GArray *
batch_new (void)
{
  GArray *batch = g_array_new (FALSE, FALSE, sizeof (Sample));

  g_array_set_clear_func (batch, sample_clear);
  return batch;
}

static CencSampleAux
get_aux (const Sample *self)
{
  CencSampleAux aux = { self->iv, self->params.per_sample_iv_size, NULL, 0 };

  if (self->entries->len > 0) {
    aux.subsamples = self->entries->data;
    aux.n_subsamples = self->entries->len / CENC_SUBSAMPLE_SIZE;
  }
  return aux;
}

/* Fills in what the sample is made of its params, entries, IV and size. */
static void
add_sample (GArray *batch, Sample *sample, gboolean in_place)
{
  gsize i;

  sample->in = g_malloc (sample->size + 1);
  for (i = 0; i < sample->size; i++)
    sample->in[i] = (guint8) (i * 7 + (i >> 8) + batch->len);
  sample->in[sample->size] = GUARD;
  sample->wanted = g_memdup2 (sample->in, sample->size + 1);
  sample->out = in_place ? sample->in : g_malloc0 (sample->size + 1);
  sample->out[sample->size] = GUARD;
  g_array_append_vals (batch, sample, 1);
}

/* All of the batch in one go. */
static gboolean
encrypt_batch (const GArray *batch, CencCrypt *crypt, GError **error)
{
  guint i;

  for (i = 0; i < batch->len; i++) {
    const Sample *sample = &g_array_index (batch, Sample, i);
    CencSampleAux aux = get_aux (sample);

    if (!cenc_crypt_add (crypt, &sample->params, &aux, sample->in, sample->out,
            sample->size, error))
      return FALSE;
  }
  return cenc_crypt_finish (crypt, error);
}

static void
check_batch (const GArray *batch)
{
  guint i;

  for (i = 0; i < batch->len; i++) {
    const Sample *sample = &g_array_index (batch, Sample, i);

    fail_unless (memcmp (sample->out, sample->wanted, sample->size + 1) == 0,
        "sample %u of %u: %s %u:%u, %" G_GSIZE_FORMAT " bytes, %u entries", i,
        batch->len, cenc_scheme_get_name (sample->params.scheme),
        sample->params.crypt_byte_block, sample->params.skip_byte_block,
        sample->size, sample->entries->len / CENC_SUBSAMPLE_SIZE);
  }
}

static void
random_entries (GRand *rand, Sample *sample, gint max)
{
  guint i, n = (guint) g_rand_int_range (rand, 0, 5);

  sample->entries = g_byte_array_new ();
  for (i = 0; i < n; i++) {
    guint clear = (guint) g_rand_int_range (rand, 0, 40);
    guint32 size = (guint32) g_rand_int_range (rand, 0, max);

    if (g_rand_int_range (rand, 0, 3) == 0)
      size = size / 16 * 16;
    if (g_rand_int_range (rand, 0, 4) == 0)
      size = 0;
    reference_subsample (sample->entries, clear, size);
    sample->size += clear + size;
  }
  if (n == 0)
    sample->size = (gsize) g_rand_int_range (rand, 0, max);
}

/* A sample of @mode: any scheme of it, any pattern, any size. */
static Sample
random_sample (GRand *rand, CencMode mode, guint pattern, gint max)
{
  static const CencScheme schemes[][3] = {
    { CENC_SCHEME_CENC, CENC_SCHEME_CENS, CENC_SCHEME_PIFF },
    { CENC_SCHEME_CBC1, CENC_SCHEME_CBCS, CENC_SCHEME_PIFF },
  };
  static const guint patterns[][2] = { { 0, 0 }, { 1, 9 }, { 2, 8 }, { 5, 5 },
    { 1, 0 } };
  Sample sample = { 0 };
  CencScheme scheme = schemes[mode][g_rand_int_range (rand, 0, 3)];
  guint i;

  if (!cenc_scheme_has_pattern (scheme))
    pattern = 0;
  sample.params =
      reference_params (scheme, patterns[pattern][0], patterns[pattern][1], 16);
  sample.params.mode = mode;
  for (i = 0; i < 16; i++)
    sample.iv[i] = (guint8) g_rand_int (rand);
  /* Half of the counters wrap within some samples. */
  if (g_rand_boolean (rand))
    memset (sample.iv + 8, 0xff, 7);
  else if (g_rand_boolean (rand))
    sample.params.per_sample_iv_size = 8;
  random_entries (rand, &sample, max);
  return sample;
}

static GArray *
random_batch (GRand *rand, CencMode mode, guint n, gint max)
{
  GArray *batch = batch_new ();
  guint pattern = (guint) g_rand_int_range (rand, 0, 5);

  while (batch->len < n) {
    Sample sample;

    /* Mostly the same, as in a track, but not always. */
    if (g_rand_int_range (rand, 0, 20) == 0)
      pattern = (guint) g_rand_int_range (rand, 0, 5);
    sample = random_sample (rand, mode, pattern, max);
    add_sample (batch, &sample, g_rand_boolean (rand));
  }
  return batch;
}

GST_START_TEST (test_random_batches_match_reference)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (128);
  guint i, k, calls = 0;

  for (i = 0; i < 160; i++) {
    CencMode mode = i % 2 ? CENC_MODE_CBC : CENC_MODE_CTR;
    g_autoptr (GArray) batch = random_batch (rand, mode,
        (guint) g_rand_int_range (rand, 0, 40), i % 8 ? 700 : 6000);
    ToyCipher toy = { .mode = mode, .encrypts = TRUE };
    g_autoptr (CencCrypt) crypt = cenc_crypt_new (&toy_lanes_funcs, &toy, 0);

    for (k = 0; k < batch->len; k++) {
      Sample *sample = &g_array_index (batch, Sample, k);
      CencSampleAux aux = get_aux (sample);

      reference_crypt (&toy_reference, TRUE, &sample->params, &aux, FALSE,
          sample->wanted, sample->size);
    }
    fail_unless (encrypt_batch (batch, crypt, NULL));
    check_batch (batch);
    calls += toy.calls;
  }
  fail_unless (calls > 160);
}
GST_END_TEST;

/* --- AES --- */

static CencCipher *
make_cipher (CencMode mode)
{
  static const guint8 kid[16] = { 0 };
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid, nist_key);
  CencCipher *cipher = cenc_cipher_new (key, mode, CENC_CIPHER_ENCRYPT, NULL);

  fail_unless (cipher != NULL);
  return cipher;
}

static void
check_nist (CencMode mode, const guint8 *iv, const guint8 *expected)
{
  g_autoptr (CencCipher) cipher = make_cipher (mode);
  g_autoptr (CencLanes) lanes =
      cenc_lanes_new (cenc_cipher_lanes_funcs.blocks, cipher);
  guint8 data[3][64];
  guint round, i;

  for (round = 0; round < 2; round++) {
    for (i = 0; i < 3; i++) {
      CencChain chain = { data[i], 4 - i };

      memcpy (data[i], nist_plain, 64);
      if (mode == CENC_MODE_CBC) {
        fail_unless (cenc_lanes_add_chain (lanes, iv, &chain, 1, 1));
        continue;
      }
      fail_unless (cenc_lanes_begin_counter (lanes, iv, 64 - 16 * i, 2));
      cenc_lanes_add_counted (lanes, data[i], data[i], 7);
      cenc_lanes_add_counted (lanes, data[i] + 7, data[i] + 7, 57 - 16 * i);
    }
    fail_unless (cenc_lanes_finish (lanes));
    for (i = 0; i < 3; i++) {
      fail_unless (memcmp (data[i], expected, 64 - 16 * i) == 0);
      fail_unless (memcmp (data[i] + 64 - 16 * i, nist_plain + 64 - 16 * i,
                       16 * i) == 0);
    }
  }
}

GST_START_TEST (test_nist)
{
  check_nist (CENC_MODE_CTR, nist_ctr_iv, nist_ctr);
  check_nist (CENC_MODE_CBC, nist_cbc_iv, nist_cbc);
}
GST_END_TEST;

GST_START_TEST (test_random_batches_match_one_by_one)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (64);
  guint i, k;

  for (i = 0; i < 60; i++) {
    CencMode mode = i % 2 ? CENC_MODE_CBC : CENC_MODE_CTR;
    g_autoptr (GArray) batch = random_batch (rand, mode,
        (guint) g_rand_int_range (rand, 0, 700), i % 6 ? 500 : 4000);
    g_autoptr (CencCipher) cipher = make_cipher (mode);
    g_autoptr (CencCrypt) single =
        cenc_crypt_new (&cenc_cipher_funcs, cipher, 0);
    g_autoptr (CencCrypt) crypt =
        cenc_crypt_new (&cenc_cipher_lanes_funcs, cipher, 0);

    for (k = 0; k < batch->len; k++) {
      Sample *sample = &g_array_index (batch, Sample, k);
      CencSampleAux aux = get_aux (sample);

      fail_unless (cenc_crypt_sample (single, &sample->params, &aux,
          sample->wanted, sample->wanted, sample->size, NULL));
    }
    fail_unless (encrypt_batch (batch, crypt, NULL));
    check_batch (batch);
  }
}
GST_END_TEST;

/* --- limits --- */

/* As many samples of one size as do not fit, at and over what goes together. */
static void
check_many (CencScheme scheme, guint crypt, guint skip, gsize size, guint n)
{
  g_autoptr (GArray) batch = batch_new ();
  CencMode mode = reference_params (scheme, 0, 0, 16).mode;
  ToyCipher toy = { .mode = mode, .encrypts = TRUE };
  g_autoptr (CencCrypt) walk = cenc_crypt_new (&toy_lanes_funcs, &toy, 0);
  guint i;

  for (i = 0; i < n; i++) {
    Sample sample = { reference_params (scheme, crypt, skip, 16),
      g_byte_array_new (), { 0 }, size - i % 3 };
    CencSampleAux aux = { sample.iv, 16, NULL, 0 };

    sample.iv[7] = (guint8) i;
    sample.iv[15] = 1;
    add_sample (batch, &sample, i % 2);
    reference_crypt (&toy_reference, TRUE, &sample.params, &aux, FALSE,
        sample.wanted, sample.size);
  }
  fail_unless (encrypt_batch (batch, walk, NULL));
  check_batch (batch);
}

GST_START_TEST (test_limits)
{
  const gsize chain = CENC_LANES_MAX_RUNS * 16;

  check_many (CENC_SCHEME_CBC1, 0, 0, chain + 1, 60);
  check_many (CENC_SCHEME_CBC1, 0, 0, chain + 17, 5);
  check_many (CENC_SCHEME_CBC1, 0, 0, 18, 1300);
  check_many (CENC_SCHEME_CBCS, 1, 9, CENC_LANES_MAX_CHAIN + 1, 20);
  check_many (CENC_SCHEME_CBCS, 1, 9, 10 * chain + 1, 3);
  check_many (CENC_SCHEME_CENC, 0, 0, CENC_LANES_MAX_KEYSTREAM + 1, 9);
  check_many (CENC_SCHEME_CENC, 0, 0, 3, 700);
}
GST_END_TEST;

/* More ranges than wait for one sample. */
GST_START_TEST (test_many_ranges)
{
  g_autoptr (GArray) batch = batch_new ();
  ToyCipher toy = { .mode = CENC_MODE_CTR, .encrypts = TRUE };
  g_autoptr (CencCrypt) crypt = cenc_crypt_new (&toy_lanes_funcs, &toy, 0);
  guint i, k;

  for (i = 0; i < 12; i++) {
    Sample sample = { reference_params (CENC_SCHEME_CENC, 0, 0, 16),
      g_byte_array_new () };
    CencSampleAux aux;

    for (k = 0; k < CENC_LANES_MAX_PIECES - 2 + i % 4; k++) {
      reference_subsample (sample.entries, k % 3, 5);
      sample.size += k % 3 + 5;
    }
    add_sample (batch, &sample, FALSE);
    aux = get_aux (&sample);
    reference_crypt (&toy_reference, TRUE, &sample.params, &aux, FALSE,
        sample.wanted, sample.size);
  }
  fail_unless (encrypt_batch (batch, crypt, NULL));
  check_batch (batch);
}
GST_END_TEST;

/* --- errors --- */

/* A cipher that fails is told of, be it at once or at the end, and what waited
 * is forgotten: its memory may be gone. */
static void
check_failure (CencMode mode, guint n, guint fail_after)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (n);
  g_autoptr (GArray) batch = batch_new ();
  g_autoptr (GError) error = NULL;
  ToyCipher toy = { .mode = mode,
    .encrypts = TRUE,
    .fail_calls_after = fail_after };
  g_autoptr (CencCrypt) crypt = cenc_crypt_new (&toy_lanes_funcs, &toy, 0);
  guint calls;

  while (batch->len < n) {
    Sample sample = { reference_params (mode == CENC_MODE_CTR
                              ? CENC_SCHEME_CENC
                              : CENC_SCHEME_CBC1,
                          0, 0, 16),
      g_byte_array_new (), { 0 }, (gsize) g_rand_int_range (rand, 16, 500) };

    add_sample (batch, &sample, TRUE);
  }
  fail_unless (!encrypt_batch (batch, crypt, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED));
  g_array_set_size (batch, 0);
  cenc_crypt_finish (crypt, NULL);
  calls = toy.calls;
  fail_unless (cenc_crypt_finish (crypt, NULL));
  assert_equals_int (toy.calls, calls);
}

GST_START_TEST (test_failures)
{
  check_failure (CENC_MODE_CTR, 3, 1);
  check_failure (CENC_MODE_CBC, 3, 1);
  check_failure (CENC_MODE_CBC, 3, 4);
}
GST_END_TEST;

/* One that is dropped without a finish touches nothing any more. */
GST_START_TEST (test_free)
{
  ToyCipher toy = { .mode = CENC_MODE_CBC, .encrypts = TRUE };
  CencCrypt *crypt = cenc_crypt_new (&toy_lanes_funcs, &toy, 0);
  CencParams params = reference_params (CENC_SCHEME_CBC1, 0, 0, 16);
  guint8 iv[16] = { 0 }, *data = g_malloc0 (64);
  CencSampleAux aux = { iv, 16, NULL, 0 };

  fail_unless (cenc_crypt_add (crypt, &params, &aux, data, data, 64, NULL));
  assert_equals_int (toy.calls, 0);
  g_free (data);
  cenc_crypt_free (crypt);
  assert_equals_int (toy.calls, 0);
}
GST_END_TEST;

static Suite *
cenc_lanes_suite (void)
{
  Suite *s = suite_create ("cenc-lanes");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_random_batches_match_reference);
  tcase_add_test (tc, test_nist);
  tcase_add_test (tc, test_random_batches_match_one_by_one);
  tcase_add_test (tc, test_limits);
  tcase_add_test (tc, test_many_ranges);
  tcase_add_test (tc, test_failures);
  tcase_add_test (tc, test_free);
  return s;
}

GST_CHECK_MAIN (cenc_lanes);
