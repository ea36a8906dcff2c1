/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a clip is cut: from what a playlist asks for to samples that can be
 * decoded on their own.
 */

#pragma once

#include "smilremix/remix-playlist.h"
#include "smilremix/remix-stream.h"

G_BEGIN_DECLS

/** Pictures to be encoded anew; none if @from is not below @to. */
typedef struct
{
  guint32 first, stop; /* samples to be decoded for them */
  gint64 from, to; /* those that are shown in [from, to) */
} RemixSplit;

/**
 * A cut through a video stream. Samples [first, last) in decoding order are
 * taken, but the @n_skipped ones right behind @first; of these [begin, end) of
 * the presentation timeline is to be seen.
 */
typedef struct
{
  guint32 first, last;
  guint32
      n_skipped; /* leading pictures of an open GOP, which nothing can decode here */
  gint64
      first_pts; /* of the sample @first: before @begin if there is hidden pre-roll */
  gint64 begin, end;
  RemixSplit head; /* stands in front of @first */
  RemixSplit tail; /* stands behind @last */
  gboolean
      has_tail; /* samples that come at or after @end are among those taken, because others need them */
} RemixCut;

typedef struct
{
  gboolean
      can_hide_head; /* the clip is the title's first: an edit list hides pre-roll */
  gboolean can_hide_tail; /* the clip is its last, in a progressive file */
  gboolean can_encode; /* a GOP that is split can be encoded anew */
  gboolean strict; /* no falling back from sample to gop */
} RemixCutOptions;

/**
 * remix_range_resolve:
 * @begin: (out): as asked for, on @stream's presentation timeline
 * @end: (out): likewise
 *
 * Times that are no wallclock count from the start of a fragmented stream, from
 * 0 in others. A missing end is the stream's, a time outside is moved to it.
 *
 * Returns: FALSE with REMIX_ERROR_PLAYLIST if nothing of the stream is left
 */
gboolean remix_range_resolve (const RemixRange *range,
    const RemixStream *stream, gint64 *begin, gint64 *end, GError **error);

/**
 * remix_cut_video:
 * @warnings: (element-type utf8): where an exact cut was not possible
 *
 * GOP mode: both ends go back to the keyframe at or before them; the end of the
 * stream stays. A time within a millisecond before a frame means that frame,
 * since playlists count in milliseconds. If the keyframe at the end has leading
 * pictures, they and it are taken too: nothing that is shown before may be lost.
 *
 * Sample mode: exact at the beginning if there is a keyframe or pre-roll can be
 * hidden, at the end if no sample that is needed comes after it or a tail can be
 * hidden; else with a GOP to be encoded, if that can be done; else as in GOP mode, with a warning, or with an error if strict.
 */
gboolean remix_cut_video (RemixCut *self, const RemixStream *stream,
    const RemixRange *range, const RemixCutOptions *options,
    GPtrArray *warnings, GError **error);

/**
 * remix_cut_exactly:
 * @begin: when a frame of @stream is shown, as is @end, unless it is the stream's
 *
 * What remix_cut_video() makes of a strict range in sample mode. FALSE with
 * REMIX_ERROR_PLAYLIST if that cannot be.
 */
gboolean remix_cut_exactly (RemixCut *self, const RemixStream *stream,
    gint64 begin, gint64 end, const RemixCutOptions *options, GError **error);

/** When the frame is shown that stands at @pts, or starts less than a millisecond later. */
gint64 remix_cut_find_frame (const RemixStream *stream, gint64 pts);

/**
 * remix_cut_follow:
 * @begin: where the leading video was cut, on the timeline both share, in
 *   @timescale
 *
 * Cuts another video track of the same clip at the same times. FALSE with
 * REMIX_ERROR_MATCH if it has no keyframe there, within half a frame.
 */
gboolean remix_cut_follow (RemixCut *self, const RemixStream *stream,
    const RemixCut *leader, guint32 timescale, GError **error);

G_END_DECLS
