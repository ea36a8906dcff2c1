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

static void
tell_size (const BmffBox *mfra)
{
  BmffBox *mfro = bmff_box_child (mfra, BMFF_FOURCC ('m', 'f', 'r', 'o'));
  gsize size;
  guint8 *payload;

  if (mfro == NULL)
    return;
  payload = bmff_box_edit_payload (mfro, &size);
  if (size >= 8)
    bmff_put_u32 (payload + 4, (guint32) bmff_box_get_size (mfra));
}

gboolean
bmff_mfra_move (BmffBox *mfra, BmffMoveFunc move, gpointer user_data,
    GError **error)
{
  BmffMover mover = { move, user_data };
  guint i;

  for (i = 0; mfra->children != NULL && i < mfra->children->len; i++) {
    BmffBox *box = g_ptr_array_index (mfra->children, i);

    if (box->type == BMFF_FOURCC ('t', 'f', 'r', 'a') &&
        !tfra_move (box, &mover, error))
      return FALSE;
  }
  tell_size (mfra);

  return TRUE;
}

/* More entries */

static void
find_sync (const BmffTraf *traf, guint number, guint64 moof, GArray *points)
{
  guint i;

  for (i = 0; i < traf->runs->len; i++) {
    const BmffRun *run = &g_array_index (traf->runs, BmffRun, i);
    BmffSampleCursor cursor;
    BmffSample sample;
    guint32 k;

    bmff_sample_cursor_init (&cursor, traf->samples, run->first);
    for (k = 0; k < run->count && bmff_sample_cursor_next (&cursor, &sample);
         k++) {
      BmffSyncPoint point = { traf->track_id, sample.dts, moof, number, i + 1,
        k + 1 };

      if (sample.flags & BMFF_SAMPLE_IS_NON_SYNC)
        continue;
      if (sample.composition_offset > 0)
        point.time += (guint32) sample.composition_offset;
      g_array_append_val (points, point);
      return;
    }
  }
}

static gboolean
has_point (const GArray *points, guint32 track_id, guint64 moof)
{
  guint i;

  for (i = points->len; i > 0; i--) {
    const BmffSyncPoint *point = &g_array_index (points, BmffSyncPoint, i - 1);

    if (point->moof != moof)
      return FALSE;
    if (point->track_id == track_id)
      return TRUE;
  }
  return FALSE;
}

void
bmff_fragment_find_sync (const BmffFragment *fragment, guint64 moof,
    GArray *points)
{
  guint i;

  for (i = 0; i < fragment->trafs->len; i++) {
    const BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);

    if (!has_point (points, traf->track_id, moof))
      find_sync (traf, i + 1, moof, points);
  }
}

/* FALSE: it does not fit. */
static gboolean
put_number (BmffWriter *writer, guint32 number, guint size)
{
  gboolean fits = size == 4 || number < 1u << 8 * size;
  guint i;

  for (i = size; i > 0; i--)
    bmff_writer_u8 (writer, (guint8) (number >> 8 * (i - 1)));

  return fits;
}

static gboolean
put_point (BmffWriter *writer, const Tfra *tfra, guint32 lengths,
    const BmffSyncPoint *point)
{
  gboolean fits;

  if (tfra->field_size == 8) {
    bmff_writer_u64 (writer, point->time);
    bmff_writer_u64 (writer, point->moof);
  } else {
    bmff_writer_u32 (writer, (guint32) point->time);
    bmff_writer_u32 (writer, (guint32) point->moof);
  }
  fits = tfra->field_size == 8 || MAX (point->time, point->moof) <= G_MAXUINT32;
  fits &= put_number (writer, point->traf, (lengths >> 4 & 3) + 1);
  fits &= put_number (writer, point->run, (lengths >> 2 & 3) + 1);

  return put_number (writer, point->sample, (lengths & 3) + 1) && fits;
}

/* The track's points in front of the entries; none if one does not fit. */
static gboolean
tfra_add (BmffBox *box, const GArray *points, GError **error)
{
  g_autoptr (GBytes) old = g_bytes_ref (box->payload);
  const guint8 *data = g_bytes_get_data (old, NULL);
  g_autoptr (BmffWriter) writer = bmff_writer_new (g_bytes_get_size (old));
  gboolean fits = TRUE;
  guint32 n = 0;
  Tfra tfra;
  guint i;

  if (!tfra_read (&tfra, box, error))
    return FALSE;
  bmff_writer_bytes (writer, data, tfra.pos);
  for (i = 0; i < points->len; i++) {
    const BmffSyncPoint *point = &g_array_index (points, BmffSyncPoint, i);

    if (point->track_id != bmff_get_u32 (data + 4))
      continue;
    fits = put_point (writer, &tfra, bmff_get_u32 (data + 8), point) && fits;
    n++;
  }
  if (n == 0 || !fits || n > G_MAXUINT32 - tfra.n)
    return TRUE;
  bmff_writer_patch_u32 (writer, tfra.pos - 4, tfra.n + n);
  bmff_writer_bytes (writer, data + tfra.pos,
      g_bytes_get_size (old) - tfra.pos);
  bmff_box_set_payload (box, bmff_writer_end (g_steal_pointer (&writer)));

  return TRUE;
}

gboolean
bmff_mfra_add (BmffBox *mfra, const GArray *points, GError **error)
{
  guint i;

  for (i = 0; mfra->children != NULL && i < mfra->children->len; i++) {
    BmffBox *box = g_ptr_array_index (mfra->children, i);

    if (box->type == BMFF_FOURCC ('t', 'f', 'r', 'a') &&
        !tfra_add (box, points, error))
      return FALSE;
  }
  tell_size (mfra);

  return TRUE;
}
