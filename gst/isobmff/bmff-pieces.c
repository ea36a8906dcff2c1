/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree of boxes as pieces of memory, the large ones shared. */

#include "gst/isobmff/bmff-box.h"

#define UUID BMFF_FOURCC ('u', 'u', 'i', 'd')
/* A copy of less costs less than a piece. */
#define MIN_SHARED (64u << 10)

typedef struct
{
  GPtrArray *pieces; /* (element-type GBytes) */
  BmffWriter *writer; /* of what comes behind them */
} Collector;

static void
end_piece (Collector *self)
{
  if (bmff_writer_tell (self->writer) == 0)
    return;
  g_ptr_array_add (self->pieces, bmff_writer_end (self->writer));
  self->writer = bmff_writer_new (0);
}

static void
add_header (Collector *self, const BmffBox *box)
{
  gboolean large = box->header_size == 16 || box->header_size == 32;
  guint64 size = bmff_box_get_size (box);

  bmff_writer_u32 (self->writer, large ? 1 : (guint32) size);
  bmff_writer_u32 (self->writer, box->type);
  if (large)
    bmff_writer_u64 (self->writer, size);
  if (box->type == UUID)
    bmff_writer_bytes (self->writer, box->uuid, 16);
}

static void
add_bytes (Collector *self, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (size >= MIN_SHARED) {
    end_piece (self);
    g_ptr_array_add (self->pieces, g_bytes_ref (bytes));
  } else if (size > 0) {
    bmff_writer_bytes (self->writer, data, size);
  }
}

static void
add_box (Collector *self, const BmffBox *box)
{
  guint i;

  add_header (self, box);
  add_bytes (self, box->payload);
  for (i = 0; box->children != NULL && i < box->children->len; i++)
    add_box (self, g_ptr_array_index (box->children, i));
  if (box->trailer != NULL)
    add_bytes (self, box->trailer);
}

GPtrArray *
bmff_box_to_pieces (const BmffBox *self)
{
  Collector collector = { g_ptr_array_new_with_free_func (
                              (GDestroyNotify) g_bytes_unref),
    bmff_writer_new (0) };

  add_box (&collector, self);
  end_piece (&collector);
  bmff_writer_free (collector.writer);

  return collector.pieces;
}
