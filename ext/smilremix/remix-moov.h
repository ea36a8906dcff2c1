/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The boxes of the output: ISO/IEC 14496-12. No time of creation stands in them:
 * the same plan gives the same bytes.
 */

#pragma once

#include "gst/isobmff/bmff-writer.h"
#include "smilremix/remix-plan.h"

G_BEGIN_DECLS

/** Samples of one track that lie behind one another. */
typedef struct
{
  guint64 offset; /* from the start of the media data */
  guint32 first; /* sample */
  guint32 count;
} RemixChunk;

/** A movie fragment: for each track its samples, and where their data starts. */
typedef struct
{
  guint32 *first; /* sample of each track */
  guint32 *count;
  guint64 *decode_time; /* of the first */
  guint64 data_size; /* of all its samples */
  guint64 begin,
      end; /* of the leader's samples, by decoding time, in its timescale */
  gint64 earliest; /* presentation time of the leader's first frame */
  gboolean sync; /* the leader's first sample is a sync sample */
} RemixFragment;

void remix_moov_write_ftyp (BmffWriter *writer, gboolean fragmented);

/**
 * remix_moov_write:
 * @chunks: (nullable): for each track a GArray of RemixChunk; NULL writes a moov
 *   for fragments, with mvex and empty tables
 * @wide: 64-bit chunk offsets
 * @tables_at: (nullable) (out): for each track where its chunk offsets stand; they
 *   are all 0 until remix_moov_patch() writes them
 */
void remix_moov_write (BmffWriter *writer, const RemixPlan *plan,
    GArray *const *chunks, gboolean wide, gsize *tables_at);
/** Writes the offsets of @chunks into the table at @table_at, now that the media data is known to start at @base. */
void remix_moov_patch (BmffWriter *writer, const GArray *chunks, guint64 base,
    gboolean wide, gsize table_at);

/** moof; data starts behind it and the 8 bytes of an mdat header, track after track. Its size depends on the number of samples only. */
void remix_moov_write_moof (BmffWriter *writer, const RemixPlan *plan,
    const RemixFragment *fragment, guint32 sequence_number);

/** sidx over all @fragments (n of them), whose sizes, moof and mdat, stand in @sizes. */
void remix_moov_write_sidx (BmffWriter *writer, const RemixPlan *plan,
    const RemixFragment *fragments, const guint64 *sizes, guint n);

G_END_DECLS
