/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CencLanes: many short pieces that are encrypted under one key, at once. A CBC
 * chain waits in each block for the one before (AES takes 4 to 8 times as long as it
 * could), and a counter is set anew for each sample; here the next blocks of many
 * chains, or the counter blocks of many samples, are one call of the block
 * cipher. Pure; knows no cipher library.
 */

#pragma once

#include <gst/cenc/cenc-params.h>

G_BEGIN_DECLS

/** Encrypts @size bytes, whole blocks, each by itself (ECB), in place. */
typedef gboolean (
    *CencBlocksFunc) (gpointer cipher, guint8 *blocks, gsize size);

typedef struct _CencLanes CencLanes;

/** CencChain: what one CBC chain goes over. */
typedef struct
{
  guint8 *data; /* where its first run starts */
  guint32 n_runs; /* 1 to CENC_LANES_MAX_RUNS */
} CencChain;

/** Longer chains, and samples of more keystream, gain nothing: the caller's own cipher does them. */
#define CENC_LANES_MAX_RUNS 255
#define CENC_LANES_MAX_CHAIN (16u << 10) /* bytes, from its start to its end */
#define CENC_LANES_MAX_KEYSTREAM 1024 /* bytes of one sample */
#define CENC_LANES_MAX_PIECES 64 /* of one sample */

/** @cipher: has to outlive the lanes */
CencLanes *cenc_lanes_new (CencBlocksFunc blocks, gpointer cipher);
/** What was not finished is dropped. */
void cenc_lanes_free (CencLanes *self);

/**
 * cenc_lanes_add_chain:
 * @iv: of the chain
 * @chain: clear bytes, encrypted in place when the lanes are full or finished
 * @run: blocks that are encrypted, of every @period blocks
 *
 * At most CENC_LANES_MAX_CHAIN bytes and CENC_LANES_MAX_RUNS runs. FALSE: the
 * cipher failed on what was added before.
 */
gboolean
cenc_lanes_add_chain (CencLanes *self, const guint8 iv[CENC_BLOCK_SIZE],
    const CencChain *chain, guint run, guint period);

/**
 * cenc_lanes_begin_counter:
 * @iv: first counter block; its low 64 bits count, and wrap without a carry
 *   (ISO/IEC 23001-7, 9.3)
 * @size: bytes of keystream that are used of it, at most CENC_LANES_MAX_KEYSTREAM
 * @n_pieces: to how many pieces at most, up to CENC_LANES_MAX_PIECES
 */
gboolean cenc_lanes_begin_counter (CencLanes *self,
    const guint8 iv[CENC_BLOCK_SIZE], gsize size, guint n_pieces);
/** The next @size bytes of that keystream are for these: @in and @out, the same or apart, have to stay until the lanes are full or finished. */
void cenc_lanes_add_counted (CencLanes *self, const guint8 *in, guint8 *out,
    gsize size);

/** Does all that was added. FALSE: the cipher failed. */
gboolean cenc_lanes_finish (CencLanes *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencLanes, cenc_lanes_free)

G_END_DECLS
