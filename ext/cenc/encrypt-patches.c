/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-patches.h"

/* Pushed at once */
#define MAX_PIECE (1u << 20)

typedef struct
{
  EncryptRange range; /* in the input */
  GPtrArray *pieces; /* (element-type GBytes); NULL when they went out */
  guint piece; /* the next one */
  gsize position; /* in it */
} Patch;

struct _EncryptPatches
{
  GArray *patches; /* (element-type Patch), by place */
  guint next;
};

static void
patch_clear (gpointer data)
{
  g_clear_pointer (&((Patch *) data)->pieces, g_ptr_array_unref);
}

EncryptPatches *
encrypt_patches_new (void)
{
  EncryptPatches *self = g_new0 (EncryptPatches, 1);

  self->patches = g_array_new (FALSE, FALSE, sizeof (Patch));
  g_array_set_clear_func (self->patches, patch_clear);
  return self;
}

void
encrypt_patches_free (EncryptPatches *self)
{
  g_array_unref (self->patches);
  g_free (self);
}

void
encrypt_patches_add (EncryptPatches *self, const EncryptRange *range,
    GPtrArray *pieces)
{
  Patch patch = { *range, pieces };
  guint i = 0;

  while (i < self->patches->len &&
      g_array_index (self->patches, Patch, i).range.start < range->start)
    i++;
  g_array_insert_val (self->patches, i, patch);
}

/* The box's header, and 0 as often as it takes. */
void
encrypt_patches_add_free (EncryptPatches *self, const EncryptRange *range,
    guint32 size)
{
  GPtrArray *pieces =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GBytes) zeros =
      g_bytes_new_take (g_malloc0 (MAX_PIECE), MAX_PIECE);
  BmffWriter *writer = bmff_writer_new (8);
  guint32 left = size - 8;

  bmff_writer_u32 (writer, size);
  bmff_writer_u32 (writer, BMFF_FOURCC ('f', 'r', 'e', 'e'));
  g_ptr_array_add (pieces, bmff_writer_end (writer));
  for (; left > MAX_PIECE; left -= MAX_PIECE)
    g_ptr_array_add (pieces, g_bytes_ref (zeros));
  g_ptr_array_add (pieces, g_bytes_new_from_bytes (zeros, 0, left));
  encrypt_patches_add (self, range, pieces);
}

static Patch *
get_patch (const EncryptPatches *self)
{
  return self->next < self->patches->len
      ? &g_array_index (self->patches, Patch, self->next)
      : NULL;
}

const EncryptRange *
encrypt_patches_get_next (const EncryptPatches *self)
{
  const Patch *patch = get_patch (self);

  return patch ? &patch->range : NULL;
}

GBytes *
encrypt_patches_take (EncryptPatches *self)
{
  Patch *patch = get_patch (self);
  GBytes *piece, *bytes;
  gsize size;

  if (patch->piece == patch->pieces->len) {
    patch_clear (patch);
    self->next++;
    return NULL;
  }
  piece = g_ptr_array_index (patch->pieces, patch->piece);
  size = MIN (g_bytes_get_size (piece) - patch->position, MAX_PIECE);
  bytes = g_bytes_new_from_bytes (piece, patch->position, size);
  patch->position += size;
  if (patch->position == g_bytes_get_size (piece)) {
    patch->piece++;
    patch->position = 0;
  }
  return bytes;
}
