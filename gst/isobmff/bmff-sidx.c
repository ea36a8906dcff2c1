/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-index.h"

BmffSidx *
bmff_sidx_new (void)
{
  BmffSidx *self = g_new0 (BmffSidx, 1);

  self->references = g_array_new (FALSE, FALSE, sizeof (BmffSidxReference));

  return self;
}

void
bmff_sidx_free (BmffSidx *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->references);
  g_free (self);
}

static void
read_reference (BmffReader *reader, BmffSidxReference *reference)
{
  guint32 word = bmff_reader_u32 (reader);

  reference->is_index = word >> 31;
  reference->referenced_size = word & 0x7fffffff;
  reference->duration = bmff_reader_u32 (reader);
  reference->sap = bmff_reader_u32 (reader);
}

BmffSidx *
bmff_sidx_parse (const BmffBox *box, GError **error)
{
  g_autoptr (BmffSidx) self = bmff_sidx_new ();
  BmffReader reader;
  guint16 count, i;

  if (!bmff_box_get_full_reader (box, &reader, &self->version, NULL, error))
    return NULL;
  self->reference_id = bmff_reader_u32 (&reader);
  self->timescale = bmff_reader_u32 (&reader);
  self->earliest_presentation_time =
      bmff_reader_uint (&reader, self->version == 0 ? 4 : 8);
  self->first_offset = bmff_reader_uint (&reader, self->version == 0 ? 4 : 8);
  bmff_reader_skip (&reader, 2);
  count = bmff_reader_u16 (&reader);
  if (!bmff_reader_ok (&reader) || !bmff_reader_has (&reader, count, 12)) {
    bmff_box_set_error (box, error, BMFF_ERROR_TRUNCATED,
        "it ends before its %u references do", count);
    return NULL;
  }
  g_array_set_size (self->references, count);
  for (i = 0; i < count; i++)
    read_reference (&reader,
        &g_array_index (self->references, BmffSidxReference, i));

  return g_steal_pointer (&self);
}

BmffBox *
bmff_sidx_to_box (const BmffSidx *self)
{
  BmffWriter *writer;
  guint64 largest = MAX (self->earliest_presentation_time, self->first_offset);
  guint8 version =
      largest > G_MAXUINT32 ? MAX (self->version, 1) : self->version;
  guint i;

  g_return_val_if_fail (self->references->len <= G_MAXUINT16, NULL);

  writer = bmff_writer_new (32 + 12 * self->references->len);
  bmff_writer_u32 (writer, (guint32) version << 24);
  bmff_writer_u32 (writer, self->reference_id);
  bmff_writer_u32 (writer, self->timescale);
  if (version == 0) {
    bmff_writer_u32 (writer, (guint32) self->earliest_presentation_time);
    bmff_writer_u32 (writer, (guint32) self->first_offset);
  } else {
    bmff_writer_u64 (writer, self->earliest_presentation_time);
    bmff_writer_u64 (writer, self->first_offset);
  }
  bmff_writer_u16 (writer, 0);
  bmff_writer_u16 (writer, (guint16) self->references->len);
  for (i = 0; i < self->references->len; i++) {
    const BmffSidxReference *reference =
        &g_array_index (self->references, BmffSidxReference, i);

    bmff_writer_u32 (writer,
        (reference->is_index ? 0x80000000u : 0) |
            (reference->referenced_size & 0x7fffffff));
    bmff_writer_u32 (writer, reference->duration);
    bmff_writer_u32 (writer, reference->sap);
  }

  return bmff_box_new (BMFF_FOURCC ('s', 'i', 'd', 'x'),
      bmff_writer_end (writer));
}

static gboolean
sidx_error (GError **error, BmffError code, guint64 offset, const gchar *what)
{
  g_set_error (error, BMFF_ERROR, code,
      "sidx, what it refers to at %" G_GUINT64_FORMAT ": %s", offset, what);

  return FALSE;
}

/* New sizes of all references; @start is where the first one was. */
static gboolean
move_references (BmffSidx *self, guint64 start, BmffMoveFunc move,
    gpointer user_data, GError **error)
{
  guint64 new_start = move (start, user_data);
  guint i;

  for (i = 0; i < self->references->len; i++) {
    BmffSidxReference *reference =
        &g_array_index (self->references, BmffSidxReference, i);
    guint64 end = start + reference->referenced_size;
    guint64 new_end = move (end, user_data);

    if (new_end < new_start)
      return sidx_error (error, BMFF_ERROR_UNSUPPORTED, start,
          "it would end before it starts");
    if (new_end - new_start > 0x7fffffff)
      return sidx_error (error, BMFF_ERROR_UNSUPPORTED, start,
          "it would have more than 31 bits of bytes");
    reference->referenced_size = (guint32) (new_end - new_start);
    start = end;
    new_start = new_end;
  }

  return TRUE;
}

gboolean
bmff_sidx_move (BmffSidx *self, guint64 end, guint64 new_end, BmffMoveFunc move,
    gpointer user_data, GError **error)
{
  guint64 start, new_start;

  /* Leaves room for the references: 16 bits of them with 31 bits each. */
  if (self->first_offset > G_MAXINT64 / 2 || end > G_MAXINT64 / 2)
    return sidx_error (error, BMFF_ERROR_INVALID, end,
        "the first offset is beyond what a file can have");
  start = end + self->first_offset;
  new_start = move (start, user_data);
  if (new_start < new_end)
    return sidx_error (error, BMFF_ERROR_UNSUPPORTED, start,
        "it would be before the sidx");
  if (!move_references (self, start, move, user_data, error))
    return FALSE;
  self->first_offset = new_start - new_end;

  return TRUE;
}
