/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protection as a track signals it: sample entries wrapped (`encv`, `enca`, …
 * with sinf, ISO/IEC 14496-12, 8.12; ISO/IEC 23001-7, clause 4 and 8), and seig sample groups that override
 * the entry's tenc (clause 6).
 */

#pragma once

#include <gst/cenc/cenc-params.h>
#include <gst/isobmff/bmff-index.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean is_wrapped; /* has a sinf of one of our schemes */
  guint32 original_format; /* frma; the entry's own type if not wrapped */
  CencParams params; /* tenc; is_protected FALSE if not wrapped */
} CencEntry;

/**
 * cenc_entry_parse:
 * @entry: a sample entry with its children parsed
 *
 * An entry `encv`, `enca`, `enct`, `encs`, `resv` whose sinf has a scheme that
 * is not ours is GST_CENC_ERROR_UNSUPPORTED and names it; without sinf or tenc
 * it is GST_CENC_ERROR_FORMAT. With several sinf the first of ours counts.
 */
gboolean
cenc_entry_parse (const BmffBox *entry, CencEntry *self, GError **error);

/** Whether the type is one of encv, enca, enct, encs, encm, encu, enc3. */
gboolean cenc_entry_type_is_protected (guint32 type);

/**
 * cenc_entry_wrap: turns @entry (avc1, mp4a, …) into encv or enca (by @handler) with a sinf
 * of frma, schm and schi/tenc behind its other children; first by cenc_sound_make_plain().
 */
gboolean cenc_entry_wrap (BmffBox *entry, guint32 handler,
    const CencParams *params, GError **error);

/**
 * cenc_sound_make_plain: @entry, an audio sample entry, becomes one of version 0 (ISO/IEC
 * 14496-12, 12.2.3) if it is a QuickTime sound description of version 1; what its `wave`
 * has of the codec becomes @entry's own. GST_CENC_ERROR_UNSUPPORTED, which names it, if
 * its tables do not count packets, or if it is of version 2. @entry is of no use then.
 */
gboolean cenc_sound_make_plain (BmffBox *entry, GError **error);

/**
 * CencTrack: gives the params of each sample of a track or of a fragment of it.
 */
typedef struct _CencTrack CencTrack;

/** Parses all entries of @track and its stbl's seig groups. A track none of whose entries is wrapped gives one whose samples are all clear. */
CencTrack *cenc_track_new (const BmffTrack *track, GError **error);
void cenc_track_free (CencTrack *self);
/** Whether any entry is wrapped. */
gboolean cenc_track_is_protected (const CencTrack *self);
const CencEntry *
cenc_track_get_entry (const CencTrack *self, guint32 description_index);

/** CencTrackRun: a track's samples from one place: the stbl (@traf NULL) or one traf, with the groups defined there. Borrows the track. */
typedef struct _CencTrackRun CencTrackRun;
CencTrackRun *
cenc_track_run_new (CencTrack *track, const BmffTraf *traf, GError **error);
void cenc_track_run_free (CencTrackRun *self);
/** Params of sample @index of the stbl or the traf whose description index is @description_index; NULL = clear. Valid as long as the run. O(log groups). */
const CencParams *cenc_track_run_get_params (CencTrackRun *self, guint32 index,
    guint32 description_index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencTrack, cenc_track_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencTrackRun, cenc_track_run_free)

G_END_DECLS
