/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixBlocks: the blocks of files that were used last, of all sources together,
 * so that their number does not matter to memory. Used by one thread at a time.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REMIX_BLOCK (64u << 10)

typedef struct _RemixBlocks RemixBlocks;

/** @max: how many there are at most. */
RemixBlocks *remix_blocks_new (guint max);
void remix_blocks_free (RemixBlocks *self);

/** A number that no other owner of blocks has. */
guint remix_blocks_add_owner (RemixBlocks *self);

/** The bytes of block @index of @owner, or NULL; borrowed until the next call. */
guint8 *remix_blocks_find (RemixBlocks *self, guint owner, guint64 index);
/** Adds a block, which must not be there yet: REMIX_BLOCK bytes of whatever, to be filled; the one used longest ago goes. */
guint8 *remix_blocks_add (RemixBlocks *self, guint owner, guint64 index);
/** Forgets block @index of @owner, if it is there. */
void remix_blocks_remove (RemixBlocks *self, guint owner, guint64 index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixBlocks, remix_blocks_free)

G_END_DECLS
