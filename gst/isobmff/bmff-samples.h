/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BmffSampleTable: a track's samples as one table, whether they come from the
 * stbl of a progressive file or from the trun boxes of a fragment.
 *
 * A table from stbl reads the boxes' own memory (which it keeps a reference to)
 * and adds a checkpoint each 256 entries: some 1 % of the boxes, so that a
 * title of ten hours costs nothing. Sample numbers start at 0 here; the numbers
 * in boxes start at 1. Immutable; may be read from several threads.
 */

#pragma once

#include <gst/isobmff/bmff-box.h>

G_BEGIN_DECLS

/** sample_flags of ISO/IEC 14496-12, 8.8.3.1, as a table from stbl makes them up from stss. */
#define BMFF_SAMPLE_FLAGS_SYNC 0x02000000u
#define BMFF_SAMPLE_FLAGS_NON_SYNC 0x01010000u
#define BMFF_SAMPLE_IS_NON_SYNC 0x00010000u

typedef struct
{
  guint64 offset; /* of the first byte, in the file */
  guint32 size;
  guint32 duration; /* in the track's timescale */
  guint64 dts; /* in the track's timescale, without edit list */
  gint32 composition_offset;
  guint32 description_index; /* from 1, into stsd; may be past its end */
  guint32 flags; /* sample_flags */
} BmffSample;

typedef struct _BmffSampleTable BmffSampleTable;

/**
 * bmff_sample_table_new_from_stbl:
 * @stbl: a parsed `stbl`
 *
 * Checks that stsz/stz2, stsc, stco/co64, stts, ctts and stss agree: counts,
 * monotonic chunk numbers, each sample in a chunk, no offset or time that
 * overflows. An stts or ctts that is too short is padded with its last entry
 * (files in the field have it), an stsz that says more than chunks hold is an
 * error. Offsets are not compared with the size of the file.
 */
BmffSampleTable *
bmff_sample_table_new_from_stbl (const BmffBox *stbl, GError **error);

/** From samples in an array (element-type BmffSample), (transfer full). */
BmffSampleTable *bmff_sample_table_new_take (GArray *samples);

BmffSampleTable *bmff_sample_table_ref (BmffSampleTable *self);
void bmff_sample_table_unref (BmffSampleTable *self);

guint32 bmff_sample_table_get_count (const BmffSampleTable *self);
/** Sum of all sizes, in bytes. */
guint64 bmff_sample_table_get_total_size (const BmffSampleTable *self);
/** The bytes of the file from the first to behind the last of its samples, by place; FALSE if there are no samples. Takes as long as there are chunks, not samples, of which an stbl may claim 2^32. */
gboolean bmff_sample_table_get_extent (const BmffSampleTable *self,
    guint64 *start, guint64 *end);
/** FALSE if @index is past the end. O(256) for a table from stbl: to walk, use a cursor. */
gboolean bmff_sample_table_get (const BmffSampleTable *self, guint32 index,
    BmffSample *sample);
/** Index of the last sample whose dts is not after @dts (0 if none is). */
guint32 bmff_sample_table_find_dts (const BmffSampleTable *self, guint64 dts);

/**
 * bmff_stbl_redescribe:
 * @stbl: of which @samples is the table, which stays as it is
 * @n: how many samples, from the first on
 * @shift: is added to their sample entries' numbers
 *
 * Rewrites stsc (8.7.4) and the chunk offsets, as co64: a chunk that has samples
 * of both kinds becomes two.
 */
gboolean bmff_stbl_redescribe (BmffBox *stbl, const BmffSampleTable *samples,
    guint32 n, guint32 shift, GError **error);

/** A cursor that walks the samples in decoding order; a plain value, copied by assignment; borrows the table. */
typedef struct
{
  const BmffSampleTable *table;
  guint32 next; /* index of the sample that bmff_sample_cursor_next() gives */
  /*< private >*/
  guint32 chunk; /* from 0 */
  guint32 left_in_chunk; /* samples */
  guint64 offset; /* of the next sample */
  guint64 dts;
  guint32 stsc_entry, stts_entry, stts_left, ctts_entry, ctts_left, stss_entry;
} BmffSampleCursor;

/** Sets the cursor on sample @index; at or past the end the cursor gives nothing. */
void bmff_sample_cursor_init (BmffSampleCursor *self,
    const BmffSampleTable *table, guint32 index);
/** Gives the sample and moves on; FALSE at the end. */
gboolean bmff_sample_cursor_next (BmffSampleCursor *self, BmffSample *sample);

/**
 * BmffSampleMap: the samples of several tracks by their place in the file, for
 * a reader that goes by bytes. Made from tables; 32 bytes a chunk. A chunk is a
 * stretch of one track's samples without a gap.
 */
typedef struct _BmffSampleMap BmffSampleMap;

typedef struct
{
  guint track; /* index of the table in the array given at creation */
  guint32 index; /* of the sample in that table */
  BmffSample sample;
} BmffMappedSample;

/** @tables: (element-type BmffSampleTable), entries may be NULL (no samples); the map keeps references. Samples that share bytes are BMFF_ERROR_UNSUPPORTED (they could not both be encrypted); samples without bytes share none. O(n log n) in chunks. */
BmffSampleMap *bmff_sample_map_new (GPtrArray *tables, GError **error);
void bmff_sample_map_free (BmffSampleMap *self);
/** TRUE: who goes by place meets each track's samples in decoding order. Samples without bytes may be passed over. */
gboolean bmff_sample_map_is_in_order (const BmffSampleMap *self);

/** Walks by rising offset; a plain value. */
typedef struct
{
  const BmffSampleMap *map;
  /*< private >*/
  guint chunk;
  guint32 index; /* of the next sample */
  BmffSampleCursor cursors[4];
} BmffMapCursor;

/** Sets the cursor on the first sample that ends after @offset. */
void bmff_map_cursor_init (BmffMapCursor *self, const BmffSampleMap *map,
    guint64 offset);
gboolean bmff_map_cursor_next (BmffMapCursor *self, BmffMappedSample *sample);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffSampleTable, bmff_sample_table_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffSampleMap, bmff_sample_map_free)

G_END_DECLS
