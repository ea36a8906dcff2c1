/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-pool.h"

/* A sink keeps the last buffer, so two alternate; what a queue downstream keeps
 * beside is not waited for. */
#define MAX_KEPT 2

struct _EncryptPool
{
  GstMemory *kept[MAX_KEPT]; /* NULL: none yet */
  guint next; /* is given up first */
};

EncryptPool *
encrypt_pool_new (void)
{
  return g_new0 (EncryptPool, 1);
}

void
encrypt_pool_free (EncryptPool *self)
{
  guint i;

  for (i = 0; i < MAX_KEPT; i++)
    g_clear_pointer (&self->kept[i], gst_memory_unref);
  g_free (self);
}

static gboolean
is_idle (const GstMemory *memory)
{
  return GST_MINI_OBJECT_REFCOUNT_VALUE (memory) == 1;
}

/* Memory of at least @size bytes, still owned by the pool. */
static GstMemory *
find (EncryptPool *self, gsize size)
{
  GstMemory **slot = NULL;
  guint i;

  for (i = 0; i < MAX_KEPT; i++) {
    GstMemory *memory = self->kept[i];

    if (memory && is_idle (memory) && memory->maxsize >= size)
      return memory;
    if (!slot && (!memory || is_idle (memory)))
      slot = &self->kept[i];
  }
  if (!slot) {
    slot = &self->kept[self->next];
    self->next = (self->next + 1) % MAX_KEPT;
  }
  g_clear_pointer (slot, gst_memory_unref);
  /* Sizes vary: with some room the next one fits too. */
  return *slot = gst_allocator_alloc (NULL, size + size / 8, NULL);
}

GstBuffer *
encrypt_pool_take (EncryptPool *self, gsize size)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstMemory *memory;

  if (size == 0)
    return buffer;
  memory = find (self, size);
  if (!memory) {
    gst_buffer_unref (buffer);
    return NULL;
  }
  gst_memory_resize (memory, -(gssize) memory->offset, size);
  gst_buffer_append_memory (buffer, gst_memory_ref (memory));
  return buffer;
}
