/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A moov that has samples of its own and is followed by fragments (as ffmpeg's
 * frag_keyframe without empty_moov writes it): its samples as fragments too.
 */

#pragma once

#include "gst/isobmff/bmff-movie.h"

G_BEGIN_DECLS

/** More stretches of one track's samples than this in one mdat are BMFF_ERROR_LIMIT: each takes a trun, and BMFF_MAX_BOXES is what is read. */
#define BMFF_MIXED_MAX_RUNS 100000u

typedef struct _BmffMixed BmffMixed;

/**
 * bmff_mixed_take:
 * @movie: its boxes are changed; has to outlive @self
 * @self: (out) (transfer full) (nullable) (optional): NULL: no mvex, or all samples are in
 *   fragments, and nothing is changed
 *
 * Takes the moov's samples: its sample tables have none then, and durations that
 * told of them are 0 (ISO/IEC 14496-12, 8.8.1); edit lists and mehd stay. A track
 * without trex gets one.
 *
 * Returns: FALSE with BMFF_ERROR: sample tables that are broken, or that tell what
 *   cannot be told of fragments (the box is named)
 */
gboolean bmff_mixed_take (BmffMovie *movie, BmffMixed **self, GError **error);
void bmff_mixed_free (BmffMixed *self);

/** Bytes of the input. */
typedef struct
{
  guint64 start, size;
} BmffMixedRange;

/**
 * bmff_mixed_next:
 * @offset: where the mdat starts; its moof stands there and has no size yet
 * @start: where the mdat's payload starts
 * @end: likewise, where it ends
 * @limit: how many bytes may be put into another order
 * @order: (out) (transfer full) (nullable) (element-type BmffMixedRange): the order that
 *   the payload's bytes, from @start on, have to be put in for the moof: each traf's
 *   samples without a gap, what belongs to none behind all. Of bytes that are not among
 *   them, behind the last sample, the place stays. NULL: all stay, since they stand so
 *   already, or are more than @limit: then a traf has several runs
 *
 * The samples that come next and are in that mdat. To be called for each mdat, from
 * the moov on; the sequence numbers of what it makes count from 1.
 *
 * One run a traf is what ffmpeg needs: of several it takes the last for the first
 * when it looks for the samples' auxiliary information.
 *
 * Returns: (transfer full): a moof, as bmff_fragment_new() takes it; NULL without error:
 *   there are none
 */
BmffBox *bmff_mixed_next (BmffMixed *self, guint64 offset, guint64 start,
    guint64 end, guint64 limit, GArray **order, GError **error);
/** How many bmff_mixed_next() has made. */
guint32 bmff_mixed_get_count (const BmffMixed *self);
/** FALSE with an error that names the first one, if there are samples that no moof has. */
gboolean bmff_mixed_check_done (const BmffMixed *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffMixed, bmff_mixed_free)

G_END_DECLS
