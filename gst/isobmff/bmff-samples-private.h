/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of BmffSampleTable share: its fields, and the stretches that
 * BmffSampleMap is made of. Not for other rooms.
 */

#pragma once

#include "gst/isobmff/bmff-samples.h"

G_BEGIN_DECLS

/** A checkpoint each so many entries: what a search walks at most, per box. */
#define BMFF_CHECKPOINT_STRIDE 256

/* The entries of a table in a box's memory. */
typedef struct
{
  const guint8 *data;
  guint32 n;
} BmffEntries;

struct _BmffSampleTable
{
  gatomicrefcount ref_count;
  guint32 count;
  guint64 total_size;
  GArray *samples; /* (element-type BmffSample); NULL in a table from stbl */

  /* From stbl. Nothing here grows with the number of samples but with the bytes
   * of the boxes: constants stay constants. */
  GPtrArray *held; /* (element-type GBytes): the memory of the entries below */
  BmffEntries sizes, stsc, chunks, stts, ctts, stss;
  guint32 constant_size;
  guint size_bits; /* 0: constant_size; else 4, 8, 16, 32 */
  gboolean co64, has_stss;

  /* Checkpoints, each about the entry at index k * BMFF_CHECKPOINT_STRIDE. */
  guint64 *size_sums; /* bytes of the samples before; NULL if constant */
  guint32 *stsc_first, *stts_first, *ctts_first; /* first sample */
  guint64 *stts_dts; /* of that first sample */
};

static inline guint32
bmff_sample_table_size_at (const BmffSampleTable *self, guint32 index)
{
  const guint8 *p = self->sizes.data;

  switch (self->size_bits) {
    case 0:
      return self->constant_size;
    case 4:
      return index & 1 ? p[index / 2] & 15 : p[index / 2] >> 4;
    case 8:
      return p[index];
    case 16:
      return bmff_get_u16 (p + 2 * (gsize) index);
    default:
      return bmff_get_u32 (p + 4 * (gsize) index);
  }
}

/** All decode times later by @delta; the table is one of bmff_sample_table_new_take(). */
void bmff_sample_table_delay (BmffSampleTable *self, guint64 delta);

/** The stco or co64 of @stbl in @box, NULL if there is none. A second one is an error: to rewrite one of two would leave it open which is meant. */
gboolean
bmff_stbl_find_chunks (const BmffBox *stbl, BmffBox **box, GError **error);

/** Samples of one track that follow one another in the file without a gap. */
typedef struct
{
  guint32 first, count;
  guint64 offset, size;
} BmffStretch;

/**
 * bmff_sample_table_next_stretch: the stretch that starts at @cursor's sample,
 * where @cursor was set on sample 0 at first and is moved on only by this
 * function, which keeps up no times. A chunk of a table from stbl; neighbours
 * are not joined. FALSE at the end.
 */
gboolean bmff_sample_table_next_stretch (const BmffSampleTable *self,
    BmffSampleCursor *cursor, BmffStretch *stretch);

/** The first of the @count samples from @first on, which lie without a gap from @start on, that ends after @offset; @first + @count if none does. */
guint32 bmff_sample_table_find_offset (const BmffSampleTable *self,
    guint32 first, guint32 count, guint64 start, guint64 offset);

/** Bytes of all samples before @index. For tables from stbl only. */
guint64
bmff_sample_table_size_before (const BmffSampleTable *self, guint32 index);

/** Index of the last of @n ascending values that is not greater than @value; values[0] has to be so. */
guint32 bmff_search_u32 (const guint32 *values, guint32 n, guint32 value);
guint32 bmff_search_u64 (const guint64 *values, guint32 n, guint64 value);

G_END_DECLS
