/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Conditioning points: times of the title at which a player has to be able to
 * start. Where the leading video has no keyframe, a clip is cut in two, as if two
 * clips of clipMode sample met there.
 */

#pragma once

#include "smilremix/remix-build.h"

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *points; /* in the order of the playlist */
  GSequence *ahead; /* those that no clip has come to yet, by time */
} RemixConditions;

RemixConditions *remix_conditions_new (void);
void remix_conditions_free (RemixConditions *self);

/** Adds those of @clip, which begins at @begin, in 1/@timescale. */
void remix_conditions_add (RemixConditions *self, const RemixClip *clip,
    guint64 begin, guint32 timescale);

/**
 * remix_conditions_cut:
 * @splices: (element-type RemixSplice): where the clip's parts are put, at least one
 * @whole: (out): the clip from its begin to its end
 * @slot: where the clip lies; its end need not be known
 *
 * remix_splice_cut(), with a part for each point that needs a keyframe of its own. A
 * point means the frame that is shown then. What cannot be is told by
 * remix_conditions_finish().
 */
gboolean remix_conditions_cut (RemixConditions *self, GArray *splices,
    RemixCut *whole, const RemixStream *stream, const RemixRange *range,
    const RemixSlot *slot, const RemixCutOptions *options,
    const RemixEncoder *encoder, GPtrArray *warnings, GError **error);

/** Once all clips are there: RemixPlan.conditions, and a warning for each that has no sync sample; with @strict an error. */
gboolean remix_conditions_finish (RemixConditions *self, RemixPlan *plan,
    gboolean strict, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixConditions, remix_conditions_free)

G_END_DECLS
