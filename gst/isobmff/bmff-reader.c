/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-reader.h"

gchar
bmff_fourcc_char (guint32 fourcc, guint index)
{
  gchar c = (gchar) (fourcc >> (24 - 8 * (index & 3)));

  return g_ascii_isprint (c) ? c : '.';
}

void
bmff_reader_init (BmffReader *self, const guint8 *data, gsize size)
{
  self->data = data;
  self->size = size;
  self->pos = 0;
  self->failed = FALSE;
}

void
bmff_reader_init_bytes (BmffReader *self, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  bmff_reader_init (self, data, size);
}

const guint8 *
bmff_reader_bytes (BmffReader *self, gsize size)
{
  const guint8 *data;

  if (self->failed || size > self->size - self->pos) {
    self->failed = TRUE;
    return NULL;
  }
  if (self->data == NULL)
    return NULL;
  data = self->data + self->pos;
  self->pos += size;

  return data;
}

gboolean
bmff_reader_skip (BmffReader *self, gsize size)
{
  bmff_reader_bytes (self, size);

  return !self->failed;
}

BmffReader
bmff_reader_sub (BmffReader *self, gsize size)
{
  BmffReader sub;
  const guint8 *data = bmff_reader_bytes (self, size);

  bmff_reader_init (&sub, data, data != NULL ? size : 0);
  sub.failed = self->failed;

  return sub;
}

guint64
bmff_reader_uint (BmffReader *self, guint n_bytes)
{
  const guint8 *p;
  guint64 value = 0;
  guint i;

  g_return_val_if_fail (n_bytes <= 8, 0);

  p = bmff_reader_bytes (self, n_bytes);
  if (p == NULL)
    return 0;
  for (i = 0; i < n_bytes; i++)
    value = value << 8 | p[i];

  return value;
}

guint8
bmff_reader_u8 (BmffReader *self)
{
  const guint8 *p = bmff_reader_bytes (self, 1);

  return p != NULL ? p[0] : 0;
}

guint16
bmff_reader_u16 (BmffReader *self)
{
  const guint8 *p = bmff_reader_bytes (self, 2);

  return p != NULL ? bmff_get_u16 (p) : 0;
}

guint32
bmff_reader_u24 (BmffReader *self)
{
  return (guint32) bmff_reader_uint (self, 3);
}

guint32
bmff_reader_u32 (BmffReader *self)
{
  const guint8 *p = bmff_reader_bytes (self, 4);

  return p != NULL ? bmff_get_u32 (p) : 0;
}

guint64
bmff_reader_u64 (BmffReader *self)
{
  const guint8 *p = bmff_reader_bytes (self, 8);

  return p != NULL ? bmff_get_u64 (p) : 0;
}

gint32
bmff_reader_s32 (BmffReader *self)
{
  return (gint32) bmff_reader_u32 (self);
}

gsize
bmff_reader_left (const BmffReader *self)
{
  return self->failed ? 0 : self->size - self->pos;
}

gboolean
bmff_reader_has (const BmffReader *self, guint64 n, gsize item_size)
{
  /* By division: n * item_size may not fit. */
  return item_size == 0 || n <= bmff_reader_left (self) / item_size;
}
