/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-blocks.h"

typedef struct
{
  guint owner;
  guint64 index;
} Key;

typedef struct
{
  Key key;
  GList link; /* in the queue; its data is the block */
  guint8 data[REMIX_BLOCK];
} Block;

struct _RemixBlocks
{
  guint max;
  guint n_owners;
  GHashTable *blocks; /* Key of a Block → the Block, owned */
  GQueue queue; /* the one used last in front */
};

static guint
key_hash (gconstpointer data)
{
  const Key *key = data;

  return key->owner * 0x9e3779b1u ^ (guint) key->index;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const Key *x = a, *y = b;

  return x->owner == y->owner && x->index == y->index;
}

RemixBlocks *
remix_blocks_new (guint max)
{
  RemixBlocks *self = g_new0 (RemixBlocks, 1);

  self->max = max;
  self->blocks = g_hash_table_new_full (key_hash, key_equal, NULL, g_free);
  return self;
}

void
remix_blocks_free (RemixBlocks *self)
{
  if (!self)
    return;
  g_hash_table_unref (self->blocks);
  g_free (self);
}

guint
remix_blocks_add_owner (RemixBlocks *self)
{
  return ++self->n_owners;
}

static Block *
lookup (RemixBlocks *self, guint owner, guint64 index)
{
  const Key key = { owner, index };

  return g_hash_table_lookup (self->blocks, &key);
}

guint8 *
remix_blocks_find (RemixBlocks *self, guint owner, guint64 index)
{
  Block *block = lookup (self, owner, index);

  if (!block)
    return NULL;
  g_queue_unlink (&self->queue, &block->link);
  g_queue_push_head_link (&self->queue, &block->link);
  return block->data;
}

guint8 *
remix_blocks_add (RemixBlocks *self, guint owner, guint64 index)
{
  Block *block = NULL;

  if (g_queue_get_length (&self->queue) >= self->max) {
    block = g_queue_pop_tail_link (&self->queue)->data;
    g_hash_table_steal (self->blocks, &block->key);
  } else {
    block = g_new (Block, 1);
  }
  block->key = (Key){ owner, index };
  block->link = (GList){ block, NULL, NULL };
  g_hash_table_insert (self->blocks, &block->key, block);
  g_queue_push_head_link (&self->queue, &block->link);
  return block->data;
}

void
remix_blocks_remove (RemixBlocks *self, guint owner, guint64 index)
{
  Block *block = lookup (self, owner, index);

  if (!block)
    return;
  g_queue_unlink (&self->queue, &block->link);
  g_hash_table_remove (self->blocks, &block->key);
}
