/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-queue.h"

#include <string.h>

typedef struct
{
  GstBuffer *buffer;
  GstMapInfo map;
  guint64 offset;
} Piece;

struct _EncryptQueue
{
  GArray *pieces; /* (element-type Piece), none of them empty */
  guint64 start, end;
  guint hint; /* piece of the last look-up: samples are asked for in order */
};

static void
piece_clear (gpointer data)
{
  Piece *piece = data;

  gst_buffer_unmap (piece->buffer, &piece->map);
  gst_buffer_unref (piece->buffer);
}

EncryptQueue *
encrypt_queue_new (void)
{
  EncryptQueue *self = g_new0 (EncryptQueue, 1);

  self->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  g_array_set_clear_func (self->pieces, piece_clear);
  return self;
}

void
encrypt_queue_free (EncryptQueue *self)
{
  g_array_unref (self->pieces);
  g_free (self);
}

void
encrypt_queue_reset (EncryptQueue *self, guint64 offset)
{
  g_array_set_size (self->pieces, 0);
  self->start = self->end = offset;
  self->hint = 0;
}

gboolean
encrypt_queue_push (EncryptQueue *self, GstBuffer *buffer)
{
  Piece piece = { .buffer = buffer, .offset = self->end };

  if (gst_buffer_get_size (buffer) == 0) {
    gst_buffer_unref (buffer);
    return TRUE;
  }
  if (!gst_buffer_map (buffer, &piece.map, GST_MAP_READ)) {
    gst_buffer_unref (buffer);
    return FALSE;
  }
  g_array_append_val (self->pieces, piece);
  self->end += piece.map.size;
  return TRUE;
}

guint64
encrypt_queue_get_start (const EncryptQueue *self)
{
  return self->start;
}

guint64
encrypt_queue_get_end (const EncryptQueue *self)
{
  return self->end;
}

static inline Piece *
nth (EncryptQueue *self, guint i)
{
  return &g_array_index (self->pieces, Piece, i);
}

static inline gboolean
piece_has (const Piece *piece, guint64 offset)
{
  return offset >= piece->offset && offset - piece->offset < piece->map.size;
}

/* The piece that holds the byte at @offset, which is here. */
static guint
find (EncryptQueue *self, guint64 offset)
{
  guint low = 0, high = self->pieces->len - 1;

  g_assert (offset >= self->start && offset < self->end);
  if (self->hint < self->pieces->len) {
    if (piece_has (nth (self, self->hint), offset))
      return self->hint;
    if (self->hint < high && piece_has (nth (self, self->hint + 1), offset))
      return ++self->hint;
  }
  while (low < high) {
    guint middle = low + (high - low + 1) / 2;

    if (nth (self, middle)->offset <= offset)
      low = middle;
    else
      high = middle - 1;
  }
  return self->hint = low;
}

const guint8 *
encrypt_queue_peek (EncryptQueue *self, guint64 offset, gsize size)
{
  static const guint8 nothing;
  const Piece *piece;
  gsize skip;

  if (size == 0)
    return &nothing;
  if (self->hint < self->pieces->len) { /* mostly */
    piece = nth (self, self->hint);
    if (piece_has (piece, offset) &&
        piece->map.size - (offset - piece->offset) >= size)
      return piece->map.data + (offset - piece->offset);
  }
  piece = nth (self, find (self, offset));
  skip = offset - piece->offset;
  return piece->map.size - skip >= size ? piece->map.data + skip : NULL;
}

void
encrypt_queue_copy (EncryptQueue *self, guint64 offset, gsize size, guint8 *out)
{
  guint i;

  if (size == 0)
    return;
  for (i = find (self, offset); size > 0; i++) {
    const Piece *piece = nth (self, i);
    gsize skip = offset - piece->offset;
    gsize n = MIN (piece->map.size - skip, size);

    memcpy (out, piece->map.data + skip, n);
    out += n;
    offset += n;
    size -= n;
  }
}

GBytes *
encrypt_queue_get_bytes (EncryptQueue *self, guint64 offset, gsize size)
{
  guint8 *copy = g_malloc (size);

  encrypt_queue_copy (self, offset, size, copy);
  return g_bytes_new_take (copy, size);
}

void
encrypt_queue_drop (EncryptQueue *self, guint64 offset)
{
  guint n = 0;

  g_assert (offset >= self->start && offset <= self->end);
  while (n < self->pieces->len &&
      nth (self, n)->offset + nth (self, n)->map.size <= offset)
    n++;
  if (n > 0)
    g_array_remove_range (self->pieces, 0, n);
  self->hint = 0;
  self->start = offset;
}

static gboolean
says_something (GstBuffer *buffer)
{
  return GST_BUFFER_PTS_IS_VALID (buffer) || GST_BUFFER_DTS_IS_VALID (buffer) ||
      (GST_BUFFER_FLAGS (buffer) & ~GST_BUFFER_FLAG_TAG_MEMORY) != 0;
}

GArray *
encrypt_queue_get_marks (EncryptQueue *self, guint64 start, guint64 end)
{
  GArray *marks = g_array_new (FALSE, FALSE, sizeof (EncryptMark));
  guint i;

  if (start == end)
    return marks;
  for (i = find (self, start);
       i < self->pieces->len && nth (self, i)->offset < end; i++) {
    const Piece *piece = nth (self, i);
    EncryptMark mark = { MAX (piece->offset, start), piece->buffer,
      piece->offset >= start };

    if (marks->len == 0 ||
        (piece->offset >= start && says_something (piece->buffer)))
      g_array_append_val (marks, mark);
  }
  return marks;
}

GstBuffer *
encrypt_queue_share (EncryptQueue *self, guint64 start, guint64 end)
{
  GstBuffer *buffer = gst_buffer_new ();
  guint i;

  if (start == end)
    return buffer;
  for (i = find (self, start); start < end; i++) {
    const Piece *piece = nth (self, i);
    gsize skip = start - piece->offset;
    gsize n = MIN (piece->map.size - skip, end - start);

    /* More memories than a buffer can hold are merged by GStreamer. */
    gst_buffer_copy_into (buffer, piece->buffer, GST_BUFFER_COPY_MEMORY, skip,
        n);
    start += n;
  }
  return buffer;
}

gboolean
encrypt_queue_append (EncryptQueue *self, EncryptQueue *from, guint64 start,
    guint64 end)
{
  guint i;

  for (i = start < end ? find (from, start) : 0; start < end; i++) {
    const Piece *piece = nth (from, i);
    gsize skip = start - piece->offset;
    gsize n = MIN (piece->map.size - skip, end - start);

    if (!encrypt_queue_push (self,
            gst_buffer_copy_region (piece->buffer, GST_BUFFER_COPY_MEMORY, skip,
                n)))
      return FALSE;
    start += n;
  }
  return TRUE;
}
