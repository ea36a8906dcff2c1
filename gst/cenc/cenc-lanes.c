/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-lanes.h"

#include <string.h>

#include "gst/isobmff/bmff-reader.h"

/* Chains that go side by side: their blocks, and the lines of memory that they
 * stand in, fit the first-level cache. */
#define N_LANES 128
#define MAX_CHAINS 512
/* What waits stays in the second-level cache. */
#define MAX_BYTES (192u << 10)
/* Keystream of several samples. */
#define KEYSTREAM_SIZE (4u << 10)
#define MAX_PIECES 256

/* A vector, where the processor has such. */
typedef guint64 Block __attribute__ ((vector_size (CENC_BLOCK_SIZE)));

typedef struct
{
  CencChain chain;
  guint8 iv[CENC_BLOCK_SIZE];
} Chain;

typedef struct
{
  const guint8 *in;
  guint8 *out;
  gsize size;
  gsize at; /* in the keystream */
} Piece;

struct _CencLanes
{
  CencBlocksFunc blocks;
  gpointer cipher;

  guint run, period; /* bytes; of all that wait */
  guint n_chains;
  gsize bytes; /* that they go over */
  Chain chains[MAX_CHAINS];
  guint16 order[MAX_CHAINS]; /* the longest first */

  gsize filled; /* of the keystream, whole blocks */
  gsize dirty; /* to where it was filled since it was wiped */
  gsize at; /* where the next piece's starts */
  guint n_pieces;
  Piece pieces[MAX_PIECES];
  guint8 keystream[KEYSTREAM_SIZE];
};

CencLanes *
cenc_lanes_new (CencBlocksFunc blocks, gpointer cipher)
{
  CencLanes *self = g_new0 (CencLanes, 1);

  self->blocks = blocks;
  self->cipher = cipher;
  return self;
}

void
cenc_lanes_free (CencLanes *self)
{
  if (!self)
    return;
  explicit_bzero (self->keystream, sizeof self->keystream);
  g_free (self);
}

/* At any place */
static inline void
xor_block (const guint8 *a, const guint8 *b, guint8 *out)
{
  Block x, y;

  memcpy (&x, a, sizeof x);
  memcpy (&y, b, sizeof y);
  x ^= y;
  memcpy (out, &x, sizeof x);
}

/* --- chains --- */

/* The longest first, so that of those that go side by side the last ends first. */
static void
sort_chains (CencLanes *self)
{
  guint starts[CENC_LANES_MAX_RUNS + 1] = { 0 };
  guint i, sum = 0;

  for (i = 0; i < self->n_chains; i++)
    starts[self->chains[i].chain.n_runs]++;
  for (i = CENC_LANES_MAX_RUNS; i > 0; i--) {
    guint n = starts[i];

    starts[i] = sum;
    sum += n;
  }
  for (i = 0; i < self->n_chains; i++)
    self->order[starts[self->chains[i].chain.n_runs]++] = (guint16) i;
}

/* Encrypts one block of each of the @n lanes, @offset bytes into its data;
 * @blocks: what each chains with. */
static gboolean
step (CencLanes *self, guint8 *const *data, gsize offset, guint8 *blocks,
    guint n)
{
  guint i;

  for (i = 0; i < n; i++)
    xor_block (blocks + i * CENC_BLOCK_SIZE, data[i] + offset,
        blocks + i * CENC_BLOCK_SIZE);
  if (!self->blocks (self->cipher, blocks, n * CENC_BLOCK_SIZE))
    return FALSE;
  for (i = 0; i < n; i++)
    memcpy (data[i] + offset, blocks + i * CENC_BLOCK_SIZE, CENC_BLOCK_SIZE);
  return TRUE;
}

static gboolean
step_run (CencLanes *self, guint8 *const *data, guint32 index, guint8 *blocks,
    guint n)
{
  gsize offset = (gsize) index * self->period, end = offset + self->run;

  for (; offset < end; offset += CENC_BLOCK_SIZE) {
    if (!step (self, data, offset, blocks, n))
      return FALSE;
  }
  return TRUE;
}

/* @order: of the chains, the longest first */
static gboolean
encrypt_chains (CencLanes *self, const guint16 *order, guint n)
{
  guint8 *data[N_LANES];
  guint8 blocks[N_LANES * CENC_BLOCK_SIZE];
  guint32 index;
  guint i;

  for (i = 0; i < n; i++) {
    const Chain *chain = &self->chains[order[i]];

    data[i] = chain->chain.data;
    memcpy (blocks + i * CENC_BLOCK_SIZE, chain->iv, CENC_BLOCK_SIZE);
  }
  for (index = 0; n > 0; index++) {
    if (!step_run (self, data, index, blocks, n))
      return FALSE;
    while (n > 0 && self->chains[order[n - 1]].chain.n_runs == index + 1)
      n--;
  }
  return TRUE;
}

static gboolean
finish_chains (CencLanes *self)
{
  gboolean ok = TRUE;
  guint i;

  sort_chains (self);
  for (i = 0; i < self->n_chains && ok; i += N_LANES)
    ok = encrypt_chains (self, self->order + i,
        MIN (self->n_chains - i, N_LANES));
  self->n_chains = 0;
  self->bytes = 0;
  return ok;
}

gboolean
cenc_lanes_add_chain (CencLanes *self, const guint8 iv[CENC_BLOCK_SIZE],
    const CencChain *chain, guint run, guint period)
{
  gsize size = (gsize) chain->n_runs * period * CENC_BLOCK_SIZE;
  Chain *added;

  g_return_val_if_fail (chain->n_runs > 0 &&
          chain->n_runs <= CENC_LANES_MAX_RUNS && run > 0 && run <= period,
      FALSE);

  run *= CENC_BLOCK_SIZE;
  period *= CENC_BLOCK_SIZE;
  if (self->n_chains > 0 &&
      (self->n_chains == MAX_CHAINS || self->bytes + size > MAX_BYTES ||
          run != self->run || period != self->period) &&
      !finish_chains (self))
    return FALSE;
  self->run = run;
  self->period = period;
  self->bytes += size;
  added = &self->chains[self->n_chains++];
  added->chain = *chain;
  memcpy (added->iv, iv, CENC_BLOCK_SIZE);
  return TRUE;
}

/* --- counters --- */

static void
apply (const Piece *piece, const guint8 *keystream)
{
  const guint8 *key = keystream + piece->at, *in = piece->in;
  guint8 *out = piece->out;
  gsize i = 0, size = piece->size;

  for (; size - i >= 4 * CENC_BLOCK_SIZE; i += 4 * CENC_BLOCK_SIZE) {
    xor_block (in + i, key + i, out + i);
    xor_block (in + i + 16, key + i + 16, out + i + 16);
    xor_block (in + i + 32, key + i + 32, out + i + 32);
    xor_block (in + i + 48, key + i + 48, out + i + 48);
  }
  for (; size - i >= CENC_BLOCK_SIZE; i += CENC_BLOCK_SIZE)
    xor_block (in + i, key + i, out + i);
  for (; i < size; i++)
    out[i] = in[i] ^ key[i];
}

static gboolean
finish_pieces (CencLanes *self)
{
  gboolean ok = self->blocks (self->cipher, self->keystream, self->filled);
  guint i;

  for (i = 0; i < self->n_pieces && ok; i++)
    apply (&self->pieces[i], self->keystream);
  self->dirty = MAX (self->dirty, self->filled);
  self->n_pieces = 0;
  self->filled = self->at = 0;
  return ok;
}

/* @n counter blocks, the first of which is @iv. */
static void
put_counters (guint8 *out, const guint8 *iv, gsize n)
{
  guint64 counter = bmff_get_u64 (iv + 8), last = counter + n;
  Block block;

  memcpy (&block, iv, sizeof block);
  for (; counter != last; counter++, out += CENC_BLOCK_SIZE) {
    block[1] = GUINT64_TO_BE (counter);
    memcpy (out, &block, sizeof block);
  }
}

gboolean
cenc_lanes_begin_counter (CencLanes *self, const guint8 iv[CENC_BLOCK_SIZE],
    gsize size, guint n_pieces)
{
  gsize blocks = (size + CENC_BLOCK_SIZE - 1) / CENC_BLOCK_SIZE;

  g_return_val_if_fail (size <= CENC_LANES_MAX_KEYSTREAM, FALSE);
  g_return_val_if_fail (n_pieces <= CENC_LANES_MAX_PIECES, FALSE);

  if ((self->filled + blocks * CENC_BLOCK_SIZE > KEYSTREAM_SIZE ||
          self->n_pieces + n_pieces > MAX_PIECES) &&
      !finish_pieces (self))
    return FALSE;
  put_counters (self->keystream + self->filled, iv, blocks);
  self->at = self->filled;
  self->filled += blocks * CENC_BLOCK_SIZE;
  return TRUE;
}

void
cenc_lanes_add_counted (CencLanes *self, const guint8 *in, guint8 *out,
    gsize size)
{
  Piece piece = { in, out, size, self->at };

  g_return_if_fail (self->n_pieces < MAX_PIECES);
  g_return_if_fail (size <= self->filled - self->at);

  self->pieces[self->n_pieces++] = piece;
  self->at += size;
}

gboolean
cenc_lanes_finish (CencLanes *self)
{
  gboolean ok = self->n_chains == 0 || finish_chains (self);

  ok = (self->filled == 0 || finish_pieces (self)) && ok;
  /* With what went out it gives what came in. */
  explicit_bzero (self->keystream, self->dirty);
  self->dirty = 0;
  return ok;
}
