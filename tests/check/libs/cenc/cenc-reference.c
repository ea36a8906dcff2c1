/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc-reference.h"

#include <string.h>

typedef struct
{
  const ReferenceCipher *cipher;
  gboolean encrypts, cut_runs;
  guint8 iv[16];
  guint8 counter[16], keystream[16];
  guint used;
  guint8 chain[16];
} State;

static void
restart (State *s)
{
  memcpy (s->counter, s->iv, 16);
  memcpy (s->chain, s->iv, 16);
  s->used = 16;
}

static void
ctr_byte (State *s, guint8 *byte)
{
  gint i;

  if (s->used == 16) {
    memcpy (s->keystream, s->counter, 16);
    s->cipher->encrypt (s->cipher->key, s->keystream);
    s->used = 0;
    /* 64 bits count, and nothing carries into the other 64. */
    for (i = 15; i >= 8 && ++s->counter[i] == 0; i--)
      ;
  }
  *byte ^= s->keystream[s->used++];
}

static void
cbc_block (State *s, guint8 *block)
{
  guint8 before[16];
  guint i;

  memcpy (before, block, 16);
  if (s->encrypts) {
    for (i = 0; i < 16; i++)
      block[i] ^= s->chain[i];
    s->cipher->encrypt (s->cipher->key, block);
    memcpy (s->chain, block, 16);
  } else {
    s->cipher->decrypt (s->cipher->key, block);
    for (i = 0; i < 16; i++)
      block[i] ^= s->chain[i];
    memcpy (s->chain, before, 16);
  }
}

static void
whole_block (State *s, CencMode mode, guint8 *block)
{
  guint i;

  if (mode == CENC_MODE_CBC) {
    cbc_block (s, block);
    return;
  }
  for (i = 0; i < 16; i++)
    ctr_byte (s, block + i);
}

/* Whether block @b of a range of @size bytes is one of the pattern's. */
static gboolean
in_pattern (const CencParams *params, gboolean cut_runs, gsize b, gsize size)
{
  guint crypt = params->crypt_byte_block, skip = params->skip_byte_block;
  gsize run_start;

  if ((b + 1) * 16 > size)
    return FALSE;
  if (skip == 0)
    return TRUE;
  run_start = b - b % (crypt + skip);
  return b - run_start < crypt &&
      (cut_runs || (run_start + crypt) * 16 <= size);
}

static void
range (State *s, const CencParams *params, gboolean with_tail, guint8 *data,
    gsize size)
{
  gboolean pattern =
      params->scheme == CENC_SCHEME_CENS || params->scheme == CENC_SCHEME_CBCS;
  gsize i;

  if (params->scheme == CENC_SCHEME_CBCS)
    restart (s);
  if (params->mode == CENC_MODE_CTR && (!pattern || with_tail)) {
    for (i = 0; i < size; i++)
      ctr_byte (s, data + i);
    return;
  }
  for (i = 0; i * 16 < size; i++) {
    if (pattern ? in_pattern (params, s->cut_runs, i, size)
                : (i + 1) * 16 <= size)
      whole_block (s, params->mode, data + i * 16);
  }
}

void
reference_crypt_cut_runs (const ReferenceCipher *cipher, gboolean direction,
    const CencParams *params, const CencSampleAux *aux, gboolean cens_partial,
    gboolean cut_runs, guint8 *data, gsize size)
{
  State s = { cipher, direction, cut_runs };
  gboolean with_tail = cens_partial && params->skip_byte_block == 0 &&
      params->scheme == CENC_SCHEME_CENS;
  guint i;

  if (!params->is_protected)
    return;
  if (aux->iv)
    memcpy (s.iv, aux->iv, aux->iv_size);
  else
    memcpy (s.iv, params->constant_iv, params->constant_iv_size);
  restart (&s);
  if (aux->n_subsamples == 0) {
    range (&s, params, with_tail, data, size);
    return;
  }
  for (i = 0; i < aux->n_subsamples; i++) {
    const guint8 *e = aux->subsamples + i * 6;
    guint32 n = (guint32) e[2] << 24 | e[3] << 16 | e[4] << 8 | e[5];

    data += e[0] << 8 | e[1];
    range (&s, params, FALSE, data, n);
    data += n;
  }
}

void
reference_crypt (const ReferenceCipher *cipher, gboolean direction,
    const CencParams *params, const CencSampleAux *aux, gboolean cens_partial,
    guint8 *data, gsize size)
{
  reference_crypt_cut_runs (cipher, direction, params, aux, cens_partial, TRUE,
      data, size);
}

void
reference_subsample (GByteArray *entries, guint clear, guint32 protected_bytes)
{
  guint8 e[6] = { (guint8) (clear >> 8), (guint8) clear,
    (guint8) (protected_bytes >> 24), (guint8) (protected_bytes >> 16),
    (guint8) (protected_bytes >> 8), (guint8) protected_bytes };

  g_byte_array_append (entries, e, sizeof e);
}

CencParams
reference_params (CencScheme scheme, guint crypt, guint skip, guint iv_size)
{
  CencParams params = { 0 };

  params.scheme = scheme;
  params.mode = scheme == CENC_SCHEME_CBC1 || scheme == CENC_SCHEME_CBCS
      ? CENC_MODE_CBC
      : CENC_MODE_CTR;
  params.is_protected = TRUE;
  params.crypt_byte_block = (guint8) crypt;
  params.skip_byte_block = (guint8) skip;
  params.per_sample_iv_size = (guint8) iv_size;
  return params;
}

/* --- the toy --- */

static guint8
toy_mix (const guint8 *x, guint i, guint round)
{
  return (guint8) (167 * x[(i + 15) % 16] + 13 * i + round + 1);
}

static void
toy_encrypt (gpointer key, guint8 *x)
{
  guint round, i;

  for (round = 0; round < 3; round++) {
    for (i = 0; i < 16; i++)
      x[i] = (guint8) (x[i] + toy_mix (x, i, round));
  }
}

static void
toy_decrypt (gpointer key, guint8 *x)
{
  guint round, i;

  for (round = 3; round-- > 0;) {
    for (i = 16; i-- > 0;)
      x[i] = (guint8) (x[i] - toy_mix (x, i, round));
  }
}

const ReferenceCipher toy_reference = { toy_encrypt, toy_decrypt, NULL };

static gboolean
toy_start (gpointer cipher, const guint8 *iv)
{
  ToyCipher *self = cipher;

  memcpy (self->state, iv, 16);
  self->used = 16;
  self->starts++;
  return TRUE;
}

static void
toy_ctr (ToyCipher *self, const guint8 *in, guint8 *out, gsize size)
{
  gsize n;
  gint i;

  for (n = 0; n < size; n++) {
    if (self->used == 16) {
      memcpy (self->keystream, self->state, 16);
      toy_encrypt (NULL, self->keystream);
      self->used = 0;
      for (i = 15; i >= 0 && ++self->state[i] == 0; i--)
        ;
    }
    out[n] = in[n] ^ self->keystream[self->used++];
  }
}

static void
toy_cbc (ToyCipher *self, const guint8 *in, guint8 *out)
{
  guint8 block[16], before[16];
  guint i;

  memcpy (block, in, 16);
  memcpy (before, in, 16);
  if (!self->encrypts)
    toy_decrypt (NULL, block);
  for (i = 0; i < 16; i++)
    block[i] ^= self->state[i];
  if (self->encrypts)
    toy_encrypt (NULL, block);
  memcpy (self->state, self->encrypts ? block : before, 16);
  memcpy (out, block, 16);
}

static gboolean
toy_update (gpointer cipher, const guint8 *in, guint8 *out, gsize size)
{
  ToyCipher *self = cipher;
  gsize i;

  self->bytes += size;
  if (++self->updates == self->fail_after)
    return FALSE;
  if (self->mode == CENC_MODE_CTR) {
    toy_ctr (self, in, out, size);
    return TRUE;
  }
  g_assert_cmpuint (size % 16, ==, 0);
  for (i = 0; i < size; i += 16)
    toy_cbc (self, in + i, out + i);
  return TRUE;
}

static gboolean
toy_blocks (gpointer cipher, guint8 *blocks, gsize size)
{
  ToyCipher *self = cipher;
  gsize i;

  if (++self->calls == self->fail_calls_after)
    return FALSE;
  g_assert_cmpuint (size, >, 0);
  g_assert_cmpuint (size % 16, ==, 0);
  for (i = 0; i < size; i += 16)
    toy_encrypt (NULL, blocks + i);
  return TRUE;
}

const CencCipherFuncs toy_funcs = { toy_start, toy_update };

const CencCipherFuncs toy_lanes_funcs = { toy_start, toy_update, toy_blocks };
