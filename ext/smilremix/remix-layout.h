/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixLayout: where each byte of the output comes from. The whole file is known
 * before its first byte is read: boxes are in memory, samples are ranges of the
 * sources.
 */

#pragma once

#include "smilremix/remix-plan.h"

G_BEGIN_DECLS

/** The source of bytes that lie in RemixLayout.boxes. */
#define REMIX_SOURCE_BOXES 0xfffeu

/**
 * The source of parameter sets that lie in RemixPlan.memory: this, the bytes of a NAL
 * unit's length, and 8 for H.265. The next extent is their sample; where that starts
 * with an access unit delimiter, the delimiter stands in front of them.
 */
#define REMIX_SOURCE_SETS 0xfff0u

/** Bytes from @offset of the output to the next extent; 24 bytes. */
typedef struct
{
  guint64 offset; /* in the output */
  guint64 source_offset;
  guint32 source;
} RemixExtent;

typedef struct
{
  GArray *
      extents; /* (element-type RemixExtent), by offset; the last one marks the end */
  GByteArray *boxes;
  gboolean has_sets; /* any extent is of parameter sets */
  guint64 size; /* of the output */
} RemixLayout;

typedef struct
{
  guint64 fragment_duration; /* nanoseconds; 0: a progressive file */
  const GArray *
      conditions; /* (element-type guint64), times of the title in the leader's timescale at which a fragment has to begin; NULL */
} RemixLayoutOptions;

/** Pure. NULL with REMIX_ERROR_LIMIT if a table would overflow. */
RemixLayout *remix_layout_new (const RemixPlan *plan,
    const RemixLayoutOptions *options, GError **error);
void remix_layout_free (RemixLayout *self);

/** The extent that holds @offset, which has to be below the size; its length behind @offset in @left. */
const RemixExtent *
remix_layout_find (const RemixLayout *self, guint64 offset, guint64 *left);

/** Whether the bytes of @extent are parameter sets. */
gboolean remix_extent_is_sets (const RemixExtent *extent);

/**
 * remix_layout_find_sets:
 * @extent: that holds @offset
 *
 * The extent of parameter sets that rules what stands at @offset: @extent, or the one
 * before it if a delimiter could reach there; else NULL.
 */
const RemixExtent *
remix_layout_find_sets (const RemixExtent *extent, guint64 offset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixLayout, remix_layout_free)

G_END_DECLS
