/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The boxes that hold places in the file beside trun and stco: sidx, mfra/tfra,
 * iloc, saio; and sbgp/csgp, which give samples to groups. Each is read and written
 * in one file.
 */

#pragma once

#include <gst/isobmff/bmff-movie.h>

G_BEGIN_DECLS

/** BmffMoveFunc: where the byte that stood at @offset in the input stands in the output. */
typedef guint64 (*BmffMoveFunc) (guint64 offset, gpointer user_data);

/** BmffMover: one, and what it is called with. */
typedef struct
{
  BmffMoveFunc move;
  gpointer user_data;
} BmffMover;

static inline guint64
bmff_mover_move (const BmffMover *self, guint64 offset)
{
  return self->move (offset, self->user_data);
}

/**
 * bmff_movie_move_chunks:
 * @grown: (out) (optional): whether the moov has grown
 *
 * Rewrites stco and co64 (8.7.5) of every track. Chunks that are not in this
 * file (bmff_track_is_local()) stay. Where an offset passes 32 bits, stco becomes
 * co64; then *nothing is moved yet*: the caller, whose offsets have moved again
 * by what the moov has grown, calls once more until @grown is FALSE, which is
 * when all chunks are moved, once.
 */
gboolean bmff_movie_move_chunks (BmffMovie *movie, BmffMoveFunc move,
    gpointer user_data, gboolean *grown, GError **error);

/**
 * Rewrites iloc (8.11.3) of a leaf `meta` found in file, moov or trak level: the
 * extents of construction_method 0 whose data is in this file. Sizes stay; an
 * offset that does not fit its field is BMFF_ERROR_UNSUPPORTED, after which
 * @meta is of no use. Does nothing without an iloc.
 */
gboolean bmff_meta_move_items (BmffBox *meta, BmffMoveFunc move,
    gpointer user_data, GError **error);

/** Whether what stands from @start to @end, which is G_MAXUINT64 for the end of the file, may be an item's. */
typedef gboolean (
    *BmffRangeFunc) (guint64 start, guint64 end, gpointer user_data);

/** Asks of each extent that bmff_meta_move_items() would move; BMFF_ERROR_UNSUPPORTED, which names the item, where one may not be. */
gboolean bmff_meta_check_items (const BmffBox *meta, BmffRangeFunc func,
    gpointer user_data, GError **error);

/**
 * Rewrites the offsets of a saio (8.7.9), which @move is given and gives as they are
 * counted: in a stbl from the start of the file, in a traf from the base of its data.
 * One for which @move gives G_MAXUINT64, because what it leads to is nowhere in the
 * output, and one that does not fit its field are BMFF_ERROR_UNSUPPORTED, after which
 * @saio is of no use.
 */
gboolean bmff_saio_move (BmffBox *saio, BmffMoveFunc move, gpointer user_data,
    GError **error);

/** tfra's moof offsets (8.8.10). Sizes stay, unless a 32-bit tfra has to become a 64-bit one; mfro says the size that results. */
gboolean bmff_mfra_move (BmffBox *mfra, BmffMoveFunc move, gpointer user_data,
    GError **error);

/** A sync sample that a tfra leads to (8.8.10). */
typedef struct
{
  guint32 track_id;
  guint64
      time; /* when it is presented, in the track's timescale, without edit list */
  guint64 moof; /* where its moof stands */
  guint32 traf, run,
      sample; /* from 1: which one in the moof, in the traf, in the trun */
} BmffSyncPoint;

/** Appends to @points (element-type BmffSyncPoint) the first sync sample of each track that has one in @fragment. @moof: where that stands */
void bmff_fragment_find_sync (const BmffFragment *fragment, guint64 moof,
    GArray *points);
/** Each tfra gets its track's @points (element-type BmffSyncPoint) in front of its entries: they are earlier. Not if one does not fit the fields that the tfra has. */
gboolean bmff_mfra_add (BmffBox *mfra, const GArray *points, GError **error);

/** BmffSidx: a Segment Index Box, 8.16.3. */
typedef struct
{
  guint32 referenced_size; /* bytes, 31 bits */
  gboolean is_index; /* reference_type 1: a sidx, else media */
  guint32 duration; /* in timescale */
  guint32 sap; /* starts_with_SAP, SAP_type, SAP_delta_time as stored */
} BmffSidxReference;

typedef struct
{
  guint8 version;
  guint32 reference_id, timescale;
  guint64 earliest_presentation_time;
  guint64 first_offset; /* from the end of the sidx box */
  GArray *references; /* (element-type BmffSidxReference) */
} BmffSidx;

BmffSidx *bmff_sidx_new (void);
BmffSidx *bmff_sidx_parse (const BmffBox *box, GError **error);
/** Same size as it was parsed from, if version and count stay; version 0 becomes 1 if a value passes 32 bits. (transfer full) */
BmffBox *bmff_sidx_to_box (const BmffSidx *self);
void bmff_sidx_free (BmffSidx *self);
/** Moves what @self refers to; @end is where the box ended in the input, @new_end where it ends in the output. @move is asked for the end of the last reference too, which may be the end of the file. On error @self is of no use. */
gboolean bmff_sidx_move (BmffSidx *self, guint64 end, guint64 new_end,
    BmffMoveFunc move, gpointer user_data, GError **error);

/**
 * BmffGroupMap: which group description (1-based; 0 = none; with bit 16 set,
 * 0x10001…, one defined in the fragment itself, 8.9.4) a sample belongs to,
 * from sbgp (8.9.2, versions 0 and 1) or csgp (8.9.5).
 */
typedef struct _BmffGroupMap BmffGroupMap;
/** @parent: stbl or traf. NULL without error if it has no such box for @grouping_type. */
BmffGroupMap *bmff_group_map_parse (const BmffBox *parent,
    guint32 grouping_type, GError **error);
void bmff_group_map_free (BmffGroupMap *self);
/** O(log n). Samples past the end of the map are in no group. */
guint32 bmff_group_map_get (const BmffGroupMap *self, guint32 sample_index);
/** How many samples the map tells of; for those behind it, sgpd's default counts (8.9.3). */
guint32 bmff_group_map_get_count (const BmffGroupMap *self);
/** The highest description numbers that any sample has: among the track's, and among the fragment's own (without bit 16); 0 = none has one. To be held against sgpd. */
void bmff_group_map_get_highest (const BmffGroupMap *self, guint32 *shared,
    guint32 *local);

/**
 * BmffSgpd: the group descriptions of an sgpd (8.9.3), one after the other: of
 * versions 1 and 2, the latter also as it was before 14496-12:2015; of version 0
 * for types whose descriptions all have the same size.
 */
typedef struct
{
  const BmffBox *box; /* borrowed */
  BmffReader reader;
  guint32 count;
  guint32 default_index; /* default_group_description_index; 0 = none */
  guint32 length; /* of each, if fixed */
  gboolean fixed;
  guint32 next; /* how many were given */
} BmffSgpd;

/** FALSE without error if @parent has none for @grouping_type. */
gboolean bmff_sgpd_open (BmffSgpd *self, const BmffBox *parent,
    guint32 grouping_type, GError **error);
/** The next one's payload (transfer full); NULL behind the last, or with an error. */
GBytes *bmff_sgpd_next (BmffSgpd *self, GError **error);

/** The payload of group description @index (from 1) in the sgpd of @parent, NULL if there is none; default_group_description_index in @default_index (0 = none), if not NULL. To have them all so takes quadratic time. */
GBytes *bmff_sgpd_get_entry (const BmffBox *parent, guint32 grouping_type,
    guint32 index, guint32 *default_index, GError **error);

/** `sgpd` of version 1 (8.9.3), which all read; @entries: (element-type GBytes): the payloads. (transfer full) */
BmffBox *bmff_sgpd_new (guint32 grouping_type, const GPtrArray *entries);

/** Samples that follow one another and are in one group; numbers as BmffGroupMap has them. */
typedef struct
{
  guint32 count, group;
} BmffGroupRun;

/** `sbgp` of version 0 (8.9.2); @runs: (element-type BmffGroupRun). (transfer full) */
BmffBox *bmff_sbgp_new (guint32 grouping_type, const GArray *runs);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffSidx, bmff_sidx_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffGroupMap, bmff_group_map_free)

G_END_DECLS
