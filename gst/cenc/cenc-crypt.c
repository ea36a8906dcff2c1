/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-crypt.h"

#include <gst/cenc/gstcenckeyring.h>
#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#include "gst/cenc/cenc-lanes.h"
#include "gst/isobmff/bmff-reader.h"

/* Gathered blocks stay in the first-level cache, and a call of the cipher is
 * cheap against this many. */
#define SCRATCH_SIZE (16 * 1024)

struct _CencCrypt
{
  const CencCipherFuncs *funcs;
  gpointer cipher;
  CencCryptFlags flags;
  guint8 *scratch; /* SCRATCH_SIZE bytes, once a pattern needs them */
  CencLanes *lanes; /* once a sample is put with others */

  /* Of the sample at hand */
  gboolean in_lanes; /* it is put with others, or its chains may be */
  CencMode mode;
  guint8 iv[CENC_BLOCK_SIZE];
  guint64
      until_wrap; /* CTR: bytes of keystream before the counter's low half wraps */
};

CencCrypt *
cenc_crypt_new (const CencCipherFuncs *funcs, gpointer cipher,
    CencCryptFlags flags)
{
  CencCrypt *self = g_new0 (CencCrypt, 1);

  self->funcs = funcs;
  self->cipher = cipher;
  self->flags = flags;
  return self;
}

void
cenc_crypt_free (CencCrypt *self)
{
  g_free (self->scratch);
  g_clear_pointer (&self->lanes, cenc_lanes_free);
  g_free (self);
}

void
cenc_crypt_set_flags (CencCrypt *self, CencCryptFlags flags)
{
  self->flags = flags;
}

static void
copy (const guint8 *in, guint8 *out, gsize size)
{
  if (in != out && size > 0)
    memcpy (out, in, size);
}

static gsize
whole_blocks (gsize size)
{
  return size - size % CENC_BLOCK_SIZE;
}

static gboolean
is_whole_sample (const CencSampleAux *aux)
{
  return !aux->subsamples || aux->n_subsamples == 0;
}

/* Whether blocks are skipped; 0:0 and n:0 mean every whole block. */
static gboolean
has_skips (const CencParams *params)
{
  return params->skip_byte_block > 0 &&
      cenc_scheme_has_pattern (params->scheme);
}

static guint
get_clear (const CencSampleAux *aux, guint i)
{
  return bmff_get_u16 (aux->subsamples + (gsize) i * CENC_SUBSAMPLE_SIZE);
}

static guint32
get_protected (const CencSampleAux *aux, guint i)
{
  return bmff_get_u32 (aux->subsamples + (gsize) i * CENC_SUBSAMPLE_SIZE + 2);
}

/* Runs of a pattern that are whole in a range. */
static gsize
count_runs (const CencParams *params, gsize size)
{
  gsize run = (gsize) params->crypt_byte_block * CENC_BLOCK_SIZE;
  gsize period = run + (gsize) params->skip_byte_block * CENC_BLOCK_SIZE;

  return size / period + (size % period >= run ? 1 : 0);
}

/* The whole blocks of the run that a range cuts off, in bytes. */
static gsize
get_cut_run (const CencParams *params, gsize size)
{
  gsize run = (gsize) params->crypt_byte_block * CENC_BLOCK_SIZE;
  gsize period = run + (gsize) params->skip_byte_block * CENC_BLOCK_SIZE;
  gsize rest = size % period;

  return rest < run ? whole_blocks (rest) : 0;
}

static guint64
count_pattern_blocks (const CencParams *params, gsize size)
{
  return (guint64) count_runs (params, size) * params->crypt_byte_block +
      get_cut_run (params, size) / CENC_BLOCK_SIZE;
}

/* --- the cipher, with the counter's wrap --- */

/* Bytes of keystream from the counter in @iv to where its low half is 0 again. */
static guint64
bytes_until_wrap (const guint8 *iv)
{
  guint64 blocks = 0 - bmff_get_u64 (iv + 8);

  if (blocks == 0 || blocks > G_MAXUINT64 / CENC_BLOCK_SIZE)
    return G_MAXUINT64;
  return blocks * CENC_BLOCK_SIZE;
}

static gboolean
counts_in_lanes (const CencCrypt *self)
{
  return self->in_lanes && self->mode == CENC_MODE_CTR;
}

static gboolean
cipher_start (CencCrypt *self)
{
  if (counts_in_lanes (self)) /* began with the sample */
    return TRUE;
  if (self->mode == CENC_MODE_CTR)
    self->until_wrap = bytes_until_wrap (self->iv);
  return self->funcs->start (self->cipher, self->iv);
}

static gboolean
cipher_update (CencCrypt *self, const guint8 *in, guint8 *out, gsize size)
{
  if (counts_in_lanes (self)) {
    cenc_lanes_add_counted (self->lanes, in, out, size);
    return TRUE;
  }
  if (self->mode == CENC_MODE_CTR && size >= self->until_wrap) {
    gsize head = (gsize) self->until_wrap;

    if (!self->funcs->update (self->cipher, in, out, head))
      return FALSE;
    /* No carry into the upper half (23001-7, 9.3): begin anew there. */
    memset (self->iv + 8, 0, 8);
    if (!cipher_start (self))
      return FALSE;
    in += head;
    out += head;
    size -= head;
  }
  if (self->mode == CENC_MODE_CTR)
    self->until_wrap -= size;
  return size == 0 || self->funcs->update (self->cipher, in, out, size);
}

/* --- one protected range --- */

static void
gather (guint8 *scratch, const guint8 *blocks, gsize n, gsize run, gsize period)
{
  gsize i;

  if (run == CENC_BLOCK_SIZE) { /* 1:9: a copy of a size known beforehand */
    for (i = 0; i < n; i++)
      memcpy (scratch + i * CENC_BLOCK_SIZE, blocks + i * period,
          CENC_BLOCK_SIZE);
    return;
  }
  for (i = 0; i < n; i++)
    memcpy (scratch + i * run, blocks + i * period, run);
}

static void
scatter (const guint8 *scratch, guint8 *blocks, gsize n, gsize run,
    gsize period)
{
  gsize i;

  if (run == CENC_BLOCK_SIZE) {
    for (i = 0; i < n; i++)
      memcpy (blocks + i * period, scratch + i * CENC_BLOCK_SIZE,
          CENC_BLOCK_SIZE);
    return;
  }
  for (i = 0; i < n; i++)
    memcpy (blocks + i * period, scratch + i * run, run);
}

/* Whether a chain that starts at @data, and has that many runs, goes with others. */
static gboolean
is_for_lanes (const CencCrypt *self, gsize n_runs, gsize period)
{
  return self->in_lanes && self->mode == CENC_MODE_CBC &&
      n_runs <= CENC_LANES_MAX_RUNS &&
      n_runs * period * CENC_BLOCK_SIZE <= CENC_LANES_MAX_CHAIN;
}

static gboolean
add_chain (CencCrypt *self, guint8 *data, gsize n_runs, guint run, guint period)
{
  CencChain chain = { data, (guint32) n_runs };

  return n_runs == 0 ||
      cenc_lanes_add_chain (self->lanes, self->iv, &chain, run, period);
}

static gboolean
crypt_runs (CencCrypt *self, const CencParams *params, guint8 *out, gsize left)
{
  gsize run = (gsize) params->crypt_byte_block * CENC_BLOCK_SIZE;
  gsize period = run + (gsize) params->skip_byte_block * CENC_BLOCK_SIZE;

  if (left == 1)
    return cipher_update (self, out, out, run);
  if (!self->scratch)
    self->scratch = g_malloc (SCRATCH_SIZE);

  while (left > 0) {
    gsize n = MIN (left, SCRATCH_SIZE / run);

    gather (self->scratch, out, n, run, period);
    if (!cipher_update (self, self->scratch, self->scratch, n * run))
      return FALSE;
    scatter (self->scratch, out, n, run, period);
    out += n * period;
    left -= n;
  }
  return TRUE;
}

static gboolean
crypt_pattern (CencCrypt *self, const CencParams *params, const guint8 *in,
    guint8 *out, gsize size)
{
  gsize run = (gsize) params->crypt_byte_block * CENC_BLOCK_SIZE;
  gsize period = run + (gsize) params->skip_byte_block * CENC_BLOCK_SIZE;
  gsize n_runs = count_runs (params, size);
  gsize cut =
      self->flags & CENC_CRYPT_CLEAR_CUT_RUNS ? 0 : get_cut_run (params, size);

  copy (in, out, size);
  if (cut == 0 && is_for_lanes (self, n_runs, period / CENC_BLOCK_SIZE))
    return add_chain (self, out, n_runs, params->crypt_byte_block,
        (guint) (period / CENC_BLOCK_SIZE));
  if (!crypt_runs (self, params, out, n_runs))
    return FALSE;
  out += size - size % period;
  return cut == 0 || cipher_update (self, out, out, cut);
}

/* How much of a range without skipped blocks is encrypted. */
static gsize
contiguous_size (const CencCrypt *self, const CencParams *params,
    gboolean whole_sample, gsize size)
{
  if (self->mode == CENC_MODE_CBC)
    return whole_blocks (size);
  if (params->scheme != CENC_SCHEME_CENS)
    return size;
  return whole_sample && (self->flags & CENC_CRYPT_CENS_PARTIAL)
      ? size
      : whole_blocks (size);
}

static gboolean
crypt_range (CencCrypt *self, const CencParams *params, gboolean whole_sample,
    const guint8 *in, guint8 *out, gsize size)
{
  gsize n;

  if (size == 0)
    return TRUE;
  /* cbcs: the chain begins anew in each subsample (10.4). */
  if (params->scheme == CENC_SCHEME_CBCS && !cipher_start (self))
    return FALSE;
  if (has_skips (params))
    return crypt_pattern (self, params, in, out, size);

  n = contiguous_size (self, params, whole_sample, size);
  copy (in + n, out + n, size - n);
  if (is_for_lanes (self, n / CENC_BLOCK_SIZE, 1)) {
    copy (in, out, n);
    return add_chain (self, out, n / CENC_BLOCK_SIZE, 1, 1);
  }
  return n == 0 || cipher_update (self, in, out, n);
}

/* --- a sample --- */

/* Its protected ranges */
typedef struct
{
  guint n;
  guint64 size;
} Ranges;

static gboolean
count_ranges (const CencSampleAux *aux, gsize size, Ranges *ranges,
    GError **error)
{
  guint64 sum = 0;
  guint i;

  ranges->n = 1;
  ranges->size = size;
  if (is_whole_sample (aux))
    return TRUE;
  ranges->n = 0;
  ranges->size = 0;
  for (i = 0; i < aux->n_subsamples; i++) {
    guint32 n = get_protected (aux, i);

    ranges->n += n > 0;
    ranges->size += n;
    sum += get_clear (aux, i);
  }
  sum += ranges->size;
  if (sum == size)
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "the %u subsamples of a sample of %" G_GSIZE_FORMAT
      " bytes add up to %" G_GUINT64_FORMAT " bytes",
      aux->n_subsamples, size, sum);
  return FALSE;
}

static gboolean
take_iv (CencCrypt *self, const CencParams *params, const CencSampleAux *aux,
    GError **error)
{
  const guint8 *iv = aux->iv ? aux->iv : params->constant_iv;
  guint size = aux->iv ? aux->iv_size : params->constant_iv_size;

  if (size != 8 && size != CENC_BLOCK_SIZE) {
    g_autofree gchar *kid = gst_cenc_kid_to_string (params->kid);

    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "a sample protected with KID %s has an IV of %u bytes instead of 8 or "
        "16",
        kid, size);
    return FALSE;
  }
  memcpy (self->iv, iv, 8);
  if (size == 8)
    memset (self->iv + 8, 0, 8);
  else
    memcpy (self->iv + 8, iv + 8, 8);
  return TRUE;
}

static gboolean
check_pattern (const CencParams *params, GError **error)
{
  if (!has_skips (params) || params->crypt_byte_block > 0)
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "the pattern 0:%u protects nothing", params->skip_byte_block);
  return FALSE;
}

static gboolean
walk (CencCrypt *self, const CencParams *params, const CencSampleAux *aux,
    const guint8 *in, guint8 *out, gsize size)
{
  guint i;

  if (params->scheme != CENC_SCHEME_CBCS && !cipher_start (self))
    return FALSE;
  if (is_whole_sample (aux))
    return crypt_range (self, params, TRUE, in, out, size);

  for (i = 0; i < aux->n_subsamples; i++) {
    gsize clear = get_clear (aux, i), n = get_protected (aux, i);

    copy (in, out, clear);
    if (!crypt_range (self, params, FALSE, in + clear, out + clear, n))
      return FALSE;
    in += clear + n;
    out += clear + n;
  }
  return TRUE;
}

/* --- samples that are put together --- */

/* Long samples gain nothing; patterns and the clear ends of cens' ranges are
 * left to the walk. */
static gboolean
begin_counter (CencCrypt *self, const CencParams *params,
    const CencSampleAux *aux, const Ranges *ranges, gboolean *failed)
{
  if (has_skips (params) ||
      (params->scheme == CENC_SCHEME_CENS && !is_whole_sample (aux)) ||
      ranges->n > CENC_LANES_MAX_PIECES ||
      ranges->size > CENC_LANES_MAX_KEYSTREAM)
    return FALSE;
  *failed = !cenc_lanes_begin_counter (self->lanes, self->iv,
      (gsize) ranges->size, ranges->n);
  return TRUE;
}

/* Sets self->in_lanes. FALSE: the cipher failed on those that waited. */
static gboolean
begin_lanes (CencCrypt *self, const CencParams *params,
    const CencSampleAux *aux, const Ranges *ranges)
{
  gboolean failed = FALSE;

  self->in_lanes = FALSE;
  if (!self->funcs->blocks)
    return TRUE;
  if (!self->lanes)
    self->lanes = cenc_lanes_new (self->funcs->blocks, self->cipher);
  if (self->mode == CENC_MODE_CTR)
    self->in_lanes = begin_counter (self, params, aux, ranges, &failed);
  else /* one chain a range, or one at all */
    self->in_lanes = params->scheme == CENC_SCHEME_CBCS || ranges->n == 1;
  return !failed;
}

static gboolean
crypt_sample (CencCrypt *self, const CencParams *params,
    const CencSampleAux *aux, const guint8 *in, guint8 *out, gsize size,
    gboolean may_wait, GError **error)
{
  Ranges ranges;

  if (!params->is_protected) {
    copy (in, out, size);
    return TRUE;
  }
  if (!check_pattern (params, error) ||
      !count_ranges (aux, size, &ranges, error) ||
      !take_iv (self, params, aux, error))
    return FALSE;

  self->mode = params->mode;
  self->in_lanes = FALSE;
  if (size == 0) /* @in and @out may be NULL */
    return TRUE;
  if ((!may_wait || begin_lanes (self, params, aux, &ranges)) &&
      walk (self, params, aux, in, out, size))
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
      "the cipher failed on a sample of %" G_GSIZE_FORMAT " bytes", size);
  return FALSE;
}

gboolean
cenc_crypt_sample (CencCrypt *self, const CencParams *params,
    const CencSampleAux *aux, const guint8 *in, guint8 *out, gsize size,
    GError **error)
{
  return crypt_sample (self, params, aux, in, out, size, FALSE, error);
}

gboolean
cenc_crypt_add (CencCrypt *self, const CencParams *params,
    const CencSampleAux *aux, const guint8 *in, guint8 *out, gsize size,
    GError **error)
{
  return crypt_sample (self, params, aux, in, out, size, TRUE, error);
}

gboolean
cenc_crypt_finish (CencCrypt *self, GError **error)
{
  if (!self->lanes || cenc_lanes_finish (self->lanes))
    return TRUE;
  g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
      "the cipher failed on one of the samples before");
  return FALSE;
}

guint64
cenc_crypt_count_blocks (const CencParams *params, const CencSampleAux *aux,
    gsize size)
{
  guint64 bytes = 0, blocks = 0;
  guint i;

  if (!params->is_protected || params->mode != CENC_MODE_CTR)
    return 0;
  if (is_whole_sample (aux)) {
    if (has_skips (params))
      return count_pattern_blocks (params, size);
    return size / CENC_BLOCK_SIZE + (size % CENC_BLOCK_SIZE ? 1 : 0);
  }
  for (i = 0; i < aux->n_subsamples; i++) {
    gsize n = get_protected (aux, i);

    if (has_skips (params))
      blocks += count_pattern_blocks (params, n);
    else if (params->scheme == CENC_SCHEME_CENS)
      blocks += n / CENC_BLOCK_SIZE;
    else
      bytes += n;
  }
  return blocks + bytes / CENC_BLOCK_SIZE + (bytes % CENC_BLOCK_SIZE ? 1 : 0);
}
