/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two ways of laying out a file share; nobody else includes it.
 */

#pragma once

#include "gst/isobmff/bmff-writer.h"
#include "smilremix/remix-layout.h"

G_BEGIN_DECLS

/** Adds @size bytes at the end; goes on with the last extent where it can. */
void remix_layout_append (RemixLayout *self, guint32 source,
    guint64 source_offset, guint64 size);
void remix_layout_append_sample (RemixLayout *self, const RemixOutput *output,
    const RemixSample *sample);
/** Adds @writer's bytes, and frees it. */
void remix_layout_append_boxes (RemixLayout *self, BmffWriter *writer);

gboolean remix_layout_progressive (RemixLayout *self, const RemixPlan *plan,
    GError **error);
gboolean remix_layout_fragmented (RemixLayout *self, const RemixPlan *plan,
    const RemixLayoutOptions *options, GError **error);

G_END_DECLS
