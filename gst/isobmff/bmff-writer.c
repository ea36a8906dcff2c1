/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-writer.h"
#include "gst/isobmff/bmff-reader.h"

#include <string.h>

#define UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

struct _BmffWriter
{
  GByteArray *data;
  GArray *open; /* (element-type guint): where the open boxes start */
};

BmffWriter *
bmff_writer_new (gsize size_hint)
{
  BmffWriter *self = g_new (BmffWriter, 1);

  self->data = g_byte_array_sized_new ((guint) MIN (size_hint, G_MAXINT32));
  self->open = g_array_new (FALSE, FALSE, sizeof (guint));

  return self;
}

void
bmff_writer_free (BmffWriter *self)
{
  if (self == NULL)
    return;
  g_byte_array_unref (self->data);
  g_array_unref (self->open);
  g_free (self);
}

GBytes *
bmff_writer_end (BmffWriter *self)
{
  GBytes *bytes;

  g_assert (self->open->len == 0);

  bytes = g_byte_array_free_to_bytes (self->data);
  g_array_unref (self->open);
  g_free (self);

  return bytes;
}

gsize
bmff_writer_tell (const BmffWriter *self)
{
  return self->data->len;
}

const guint8 *
bmff_writer_peek (const BmffWriter *self)
{
  return self->data->data;
}

/* Room for @size bytes at the end, to be filled by the caller. */
static guint8 *
writer_grow (BmffWriter *self, gsize size)
{
  guint pos = self->data->len;

  /* GByteArray counts in guint: beyond it is no header that we accept. */
  g_assert (size <= G_MAXUINT - pos);
  g_byte_array_set_size (self->data, pos + (guint) size);

  return self->data->data + pos;
}

void
bmff_writer_u8 (BmffWriter *self, guint8 value)
{
  *writer_grow (self, 1) = value;
}

void
bmff_writer_u16 (BmffWriter *self, guint16 value)
{
  guint8 *p = writer_grow (self, 2);

  p[0] = (guint8) (value >> 8);
  p[1] = (guint8) value;
}

void
bmff_writer_u24 (BmffWriter *self, guint32 value)
{
  guint8 *p = writer_grow (self, 3);

  p[0] = (guint8) (value >> 16);
  p[1] = (guint8) (value >> 8);
  p[2] = (guint8) value;
}

void
bmff_writer_u32 (BmffWriter *self, guint32 value)
{
  bmff_put_u32 (writer_grow (self, 4), value);
}

void
bmff_writer_u64 (BmffWriter *self, guint64 value)
{
  bmff_put_u64 (writer_grow (self, 8), value);
}

void
bmff_writer_bytes (BmffWriter *self, const guint8 *data, gsize size)
{
  if (size > 0)
    memcpy (writer_grow (self, size), data, size);
}

void
bmff_writer_zeros (BmffWriter *self, gsize size)
{
  if (size > 0)
    memset (writer_grow (self, size), 0, size);
}

static guint8 *
writer_at (BmffWriter *self, gsize pos, gsize size)
{
  g_assert (pos <= self->data->len && size <= self->data->len - pos);

  return self->data->data + pos;
}

void
bmff_writer_patch_u8 (BmffWriter *self, gsize pos, guint8 value)
{
  *writer_at (self, pos, 1) = value;
}

void
bmff_writer_patch_u16 (BmffWriter *self, gsize pos, guint16 value)
{
  guint8 *p = writer_at (self, pos, 2);

  p[0] = (guint8) (value >> 8);
  p[1] = (guint8) value;
}

void
bmff_writer_patch_u32 (BmffWriter *self, gsize pos, guint32 value)
{
  bmff_put_u32 (writer_at (self, pos, 4), value);
}

void
bmff_writer_patch_u64 (BmffWriter *self, gsize pos, guint64 value)
{
  bmff_put_u64 (writer_at (self, pos, 8), value);
}

void
bmff_writer_begin_box (BmffWriter *self, guint32 type)
{
  guint pos = self->data->len;

  g_array_append_val (self->open, pos);
  bmff_writer_u32 (self, 0);
  bmff_writer_u32 (self, type);
}

void
bmff_writer_begin_full_box (BmffWriter *self, guint32 type, guint8 version,
    guint32 flags)
{
  bmff_writer_begin_box (self, type);
  bmff_writer_u8 (self, version);
  bmff_writer_u24 (self, flags);
}

void
bmff_writer_begin_uuid_box (BmffWriter *self, const guint8 *uuid)
{
  bmff_writer_begin_box (self, UUID);
  bmff_writer_bytes (self, uuid, 16);
}

void
bmff_writer_end_box (BmffWriter *self)
{
  guint pos;

  g_assert (self->open->len > 0);

  pos = g_array_index (self->open, guint, self->open->len - 1);
  g_array_set_size (self->open, self->open->len - 1);
  bmff_writer_patch_u32 (self, pos, self->data->len - pos);
}
