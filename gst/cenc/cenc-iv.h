/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CencIv: gives each sample of a track its IV, so that no counter block is used
 * twice with a key (ISO/IEC 23001-7, 9.2 and 9.3), also by tracks that share one.
 */

#pragma once

#include <gst/cenc/cenc-params.h>

G_BEGIN_DECLS

typedef struct
{
  CencScheme scheme;
  CencMode mode;
  guint8 size; /* 0 (constant), 8, 16 */
  guint8 value[CENC_BLOCK_SIZE]; /* of the next sample, zero-padded */
  guint64 samples; /* that got an IV */
  guint64 blocks; /* of keystream that they took; 16-byte IVs with CTR */
  guint track;
} CencIv;

/**
 * cenc_iv_init:
 * @size: per-sample IV size; 0: constant
 * @seed: 16 bytes: random ones, or the user's `iv` zero-padded on the right
 * @track: 0, 1, 2 … among the tracks that share the key
 *
 * With 8-byte IVs the counter space of a sample is the low 64 bits and IVs count
 * by 1 a sample: track t starts at seed + t × 2^48 (mod 2^64), which is room for
 * 2^48 samples and 2^16 tracks.
 * With 16-byte IVs (CTR) the upper 64 bits are seed's plus t, the lower ones go on from where
 * the sample before ended. CBC: seed plus t × 2^64 plus one a sample, big-endian over 128 bits.
 */
void cenc_iv_init (CencIv *self, CencScheme scheme, CencMode mode, guint8 size,
    const guint8 *seed, guint track);
/** The IV of this sample, zero-padded on the right, goes to @out; @blocks: of keystream that the sample takes (CTR). FALSE with GST_CENC_ERROR_UNSUPPORTED when the space is used up. */
gboolean cenc_iv_next (CencIv *self, guint64 blocks,
    guint8 out[CENC_BLOCK_SIZE], GError **error);

G_END_DECLS
