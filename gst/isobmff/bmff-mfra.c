/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mfra, tfra and mfro, ISO/IEC 14496-12, 8.8.9 to 8.8.11 */

#include "gst/isobmff/bmff-index.h"

typedef struct
{
  guint32 n;
  guint field_size; /* of time and offset each: 4 or 8 bytes */
  guint entry_size;
  gsize pos; /* of the first entry, in the payload */
} Tfra;

static gboolean
tfra_read (Tfra *self, const BmffBox *box, GError **error)
{
  BmffReader reader;
  guint8 version;
  guint32 lengths;

  if (!bmff_box_get_full_reader (box, &reader, &version, NULL, error))
    return FALSE;
  bmff_reader_skip (&reader, 4);
  lengths = bmff_reader_u32 (&reader);
  self->n = bmff_reader_u32 (&reader);
  self->pos = reader.pos;
  self->field_size = version == 1 ? 8 : 4;
  self->entry_size = 2 * self->field_size + 3 + (lengths >> 4 & 3) +
      (lengths >> 2 & 3) + (lengths & 3);
  if (bmff_reader_ok (&reader) &&
      bmff_reader_has (&reader, self->n, self->entry_size))
    return TRUE;
  bmff_box_set_error (box, error, BMFF_ERROR_TRUNCATED,
      "it ends before its %u entries do", self->n);

  return FALSE;
}

/* Moves entry by entry in place; FALSE, with some done, if one does not fit. */
static gboolean
tfra_patch (const Tfra *self, guint8 *payload, const BmffMover *mover)
{
  guint8 *p = payload + self->pos + self->field_size;
  guint32 i;

  for (i = 0; i < self->n; i++, p += self->entry_size) {
    guint64 offset =
        self->field_size == 8 ? bmff_get_u64 (p) : bmff_get_u32 (p);

    offset = bmff_mover_move (mover, offset);
    if (self->field_size == 8)
      bmff_put_u64 (p, offset);
    else if (offset <= G_MAXUINT32)
      bmff_put_u32 (p, (guint32) offset);
    else
      return FALSE;
  }

  return TRUE;
}

/* The 32-bit @old as version 1. */
static GBytes *
tfra_widen (const Tfra *self, GBytes *old, const BmffMover *mover)
{
  BmffWriter *writer =
      bmff_writer_new (g_bytes_get_size (old) + 8 * (gsize) self->n);
  BmffReader reader;
  gsize left;
  guint32 i;

  bmff_reader_init_bytes (&reader, old);
  bmff_writer_bytes (writer, bmff_reader_bytes (&reader, self->pos), self->pos);
  bmff_writer_patch_u8 (writer, 0, 1);
  for (i = 0; i < self->n; i++) {
    guint32 time = bmff_reader_u32 (&reader);
    guint32 offset = bmff_reader_u32 (&reader);
    gsize numbers = self->entry_size - 8;

    bmff_writer_u64 (writer, time);
    bmff_writer_u64 (writer, bmff_mover_move (mover, offset));
    bmff_writer_bytes (writer, bmff_reader_bytes (&reader, numbers), numbers);
  }
  left = bmff_reader_left (&reader);
  bmff_writer_bytes (writer, bmff_reader_bytes (&reader, left), left);

  return bmff_writer_end (writer);
}

static gboolean
tfra_move (BmffBox *box, const BmffMover *mover, GError **error)
{
  g_autoptr (GBytes) old = g_bytes_ref (box->payload);
  Tfra tfra;

  if (!tfra_read (&tfra, box, error))
    return FALSE;
  if (!tfra_patch (&tfra, bmff_box_edit_payload (box, NULL), mover))
    bmff_box_set_payload (box, tfra_widen (&tfra, old, mover));

  return TRUE;
}

gboolean
bmff_mfra_move (BmffBox *mfra, BmffMoveFunc move, gpointer user_data,
    GError **error)
{
  BmffMover mover = { move, user_data };
  BmffBox *mfro = bmff_box_child (mfra, BMFF_FOURCC ('m', 'f', 'r', 'o'));
  gsize size;
  guint8 *payload;
  guint i;

  for (i = 0; mfra->children != NULL && i < mfra->children->len; i++) {
    BmffBox *box = g_ptr_array_index (mfra->children, i);

    if (box->type == BMFF_FOURCC ('t', 'f', 'r', 'a') &&
        !tfra_move (box, &mover, error))
      return FALSE;
  }
  if (mfro == NULL)
    return TRUE;
  payload = bmff_box_edit_payload (mfro, &size);
  if (size >= 8)
    bmff_put_u32 (payload + 4, (guint32) bmff_box_get_size (mfra));

  return TRUE;
}
