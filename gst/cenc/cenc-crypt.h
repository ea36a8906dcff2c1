/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The walk over one sample's protected ranges: pattern, chaining, counter and
 * partial blocks of each scheme (ISO/IEC 23001-7, clauses 9 and 10). Encrypting
 * and decrypting are the same walk; which one it is, the cipher knows. Knows no
 * cipher library.
 */

#pragma once

#include <gst/cenc/cenc-params.h>

G_BEGIN_DECLS

/** Bytes of one subsample entry as senc, saiz data and GstProtectionMeta hold it: u16be BytesOfClearData, u32be BytesOfProtectedData. */
#define CENC_SUBSAMPLE_SIZE 6

/** What a file says of one sample: borrowed memory, as it stands in the file. */
typedef struct
{
  const guint8 *iv; /* NULL: the constant IV of the params */
  guint8 iv_size; /* 0, 8, 16 */
  const guint8 *
      subsamples; /* n_subsamples × CENC_SUBSAMPLE_SIZE; NULL = the whole sample is one range */
  guint n_subsamples;
} CencSampleAux;

typedef struct
{
  /* Begins anew with this counter block (CTR) or IV (CBC). */
  gboolean (*start) (gpointer cipher, const guint8 iv[CENC_BLOCK_SIZE]);
  /* Goes on from where the last call stopped. @in and @out are the same or do
   * not overlap. CBC: whole blocks only. CTR: any size, also in the middle of a
   * block; carries through 128 bits or 64, as it likes: the walk never lets a
   * call cross the 64-bit wrap. */
  gboolean (
      *update) (gpointer cipher, const guint8 *in, guint8 *out, gsize size);
  /* NULL: samples are never put together, see cenc_crypt_add(). Encrypts whole
   * blocks each by itself, in place; is not seen by start and update. */
  gboolean (*blocks) (gpointer cipher, guint8 *blocks, gsize size);
} CencCipherFuncs;

/** CencCrypt: a walk with the scratch memory of its patterns; one a track and thread. */
typedef struct _CencCrypt CencCrypt;

typedef enum
{
  CENC_CRYPT_FLAGS_NONE = 0,
  /* cens, sample without subsamples: the last partial block is encrypted too
   * (GPAC, Bento4 and ffmpeg write it so; the standard leaves it clear). */
  CENC_CRYPT_CENS_PARTIAL = 1 << 0,
  /* Patterns: a run that its range cuts off stays clear, as ffmpeg (7.1) reads
   * 23001-7; Shaka Packager (since 2.3), GPAC, Bento4 and Chromium encrypt its
   * whole blocks. cenc_crypt_count_blocks() counts these in any case. */
  CENC_CRYPT_CLEAR_CUT_RUNS = 1 << 1,
} CencCryptFlags;

CencCrypt *cenc_crypt_new (const CencCipherFuncs *funcs, gpointer cipher,
    CencCryptFlags flags);
void cenc_crypt_free (CencCrypt *self);
/** For the samples from now on; not while some wait for cenc_crypt_finish(). */
void cenc_crypt_set_flags (CencCrypt *self, CencCryptFlags flags);

/**
 * cenc_crypt_sample:
 * @params: of the sample; not protected: @in is copied
 * @aux: IV and subsamples
 * @in: (array length=size): the sample
 * @out: where it goes: @in itself or memory that does not overlap it; clear
 *   bytes are copied there too
 *
 * Subsamples that add up to more or less than @size are GST_CENC_ERROR_FORMAT
 * before anything is written to @out; so is an IV that is missing.
 */
gboolean cenc_crypt_sample (CencCrypt *self, const CencParams *params,
    const CencSampleAux *aux, const guint8 *in, guint8 *out, gsize size,
    GError **error);

/**
 * cenc_crypt_add:
 *
 * As cenc_crypt_sample(), but short samples may wait for others, with which they
 * are done at once: @in and @out have to stay, and what @out holds is only right
 * after cenc_crypt_finish(). If the cipher decrypts CBC it must have no blocks().
 */
gboolean cenc_crypt_add (CencCrypt *self, const CencParams *params,
    const CencSampleAux *aux, const guint8 *in, guint8 *out, gsize size,
    GError **error);
/** Does what waits. FALSE: the cipher failed on one of the samples. */
gboolean cenc_crypt_finish (CencCrypt *self, GError **error);

/** Blocks of keystream that a sample takes under CTR: how far its counter runs. */
guint64 cenc_crypt_count_blocks (const CencParams *params,
    const CencSampleAux *aux, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencCrypt, cenc_crypt_free)

G_END_DECLS
