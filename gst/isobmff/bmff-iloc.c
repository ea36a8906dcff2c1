/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iloc, ISO/IEC 14496-12, 8.11.3 */

#include "gst/isobmff/bmff-index.h"

typedef struct
{
  const BmffBox *meta; /* for messages */
  GByteArray *locals; /* see bmff_dref_read(); NULL without dref */
  const BmffMover *mover;
  BmffRangeFunc func; /* in place of the mover */
  gpointer user_data;
  guint8 *data;
  BmffReader reader;
  guint8 version;
  guint offset_size, length_size, base_size, index_size;
} Iloc;

/* Where one item says that its data is. */
typedef struct
{
  guint32 id;
  gsize base_pos; /* of the field */
  guint64 base;
  gsize extents_pos; /* of the first extent */
  guint n_extents;
} Item;

static void
put_uint (guint8 *p, guint n_bytes, guint64 value)
{
  for (; n_bytes > 0; n_bytes--, value >>= 8)
    p[n_bytes - 1] = (guint8) value;
}

static gboolean
fits (guint64 value, guint n_bytes)
{
  return n_bytes >= 8 || value < (guint64) 1 << (8 * n_bytes);
}

static gsize
extent_size (const Iloc *self)
{
  return self->index_size + self->offset_size + self->length_size;
}

static guint64
get_extent (const Iloc *self, const Item *item, guint n, gsize *pos)
{
  BmffReader reader = self->reader;

  *pos = item->extents_pos + n * extent_size (self) + self->index_size;
  reader.pos = *pos;

  return bmff_reader_uint (&reader, self->offset_size);
}

static gboolean
item_error (const Iloc *self, const Item *item, BmffError code,
    const gchar *what, GError **error)
{
  bmff_box_set_error (self->meta, error, code, "iloc, item %u: %s", item->id,
      what);

  return FALSE;
}

/* The new place of extent @n if the base stays. */
static gboolean
move_extent (const Iloc *self, const Item *item, guint n, gboolean write,
    GError **error)
{
  gsize pos;
  guint64 old = item->base + get_extent (self, item, n, &pos);
  guint64 moved = bmff_mover_move (self->mover, old);

  if (moved < item->base || !fits (moved - item->base, self->offset_size))
    return item_error (self, item, BMFF_ERROR_UNSUPPORTED,
        "the new offset does not fit its field", error);
  if (write)
    put_uint (self->data + pos, self->offset_size, moved - item->base);

  return TRUE;
}

/* By the base, if there is one and all extents move by as much. */
static gboolean
move_base (const Iloc *self, const Item *item)
{
  guint64 delta = 0;
  guint i;

  for (i = 0; i < item->n_extents; i++) {
    gsize pos;
    guint64 old = item->base + get_extent (self, item, i, &pos);
    guint64 moved = bmff_mover_move (self->mover, old);

    if (i > 0 && moved - old != delta)
      return FALSE;
    delta = moved - old;
  }
  /* What moves down below its base has to do without. */
  if (self->base_size == 0 || !fits (item->base + delta, self->base_size))
    return delta == 0;
  put_uint (self->data + item->base_pos, self->base_size, item->base + delta);

  return TRUE;
}

static gboolean
move_item (const Iloc *self, const Item *item, GError **error)
{
  guint i;

  if (move_base (self, item))
    return TRUE;
  for (i = 0; i < item->n_extents; i++)
    if (!move_extent (self, item, i, FALSE, error))
      return FALSE;
  for (i = 0; i < item->n_extents; i++)
    move_extent (self, item, i, TRUE, NULL);

  return TRUE;
}

static guint64
get_extent_end (const Iloc *self, gsize pos, guint64 start)
{
  BmffReader reader = self->reader;
  guint64 size, end;

  reader.pos = pos + self->offset_size;
  size = bmff_reader_uint (&reader, self->length_size);
  /* None: up to the end of the file. */
  return size > 0 && g_uint64_checked_add (&end, start, size) ? end
                                                              : G_MAXUINT64;
}

static gboolean
check_item (const Iloc *self, const Item *item, GError **error)
{
  guint i;

  for (i = 0; i < item->n_extents; i++) {
    gsize pos;
    guint64 start = item->base + get_extent (self, item, i, &pos);

    if (!self->func (start, get_extent_end (self, pos, start), self->user_data))
      return item_error (self, item, BMFF_ERROR_UNSUPPORTED,
          "its data is that of samples which change", error);
  }

  return TRUE;
}

static gboolean
is_local (const Iloc *self, guint reference)
{
  if (reference == 0)
    return TRUE;

  return self->locals != NULL && reference < self->locals->len &&
      self->locals->data[reference];
}

static gboolean
read_item (Iloc *self, Item *item, gboolean *here, GError **error)
{
  BmffReader *reader = &self->reader;
  guint method, reference;

  item->id = (guint32) bmff_reader_uint (reader, self->version < 2 ? 2 : 4);
  method = self->version > 0 ? bmff_reader_u16 (reader) & 15 : 0;
  reference = bmff_reader_u16 (reader);
  item->base_pos = reader->pos;
  item->base = bmff_reader_uint (reader, self->base_size);
  item->n_extents = bmff_reader_u16 (reader);
  item->extents_pos = reader->pos;
  *here = method == 0 && is_local (self, reference);
  /* Many extents of no bytes would cost time that no bytes bound. */
  if (extent_size (self) == 0 && item->n_extents > 1)
    return item_error (self, item, BMFF_ERROR_INVALID,
        "several extents without fields", error);
  if (bmff_reader_skip (reader, item->n_extents * extent_size (self)))
    return TRUE;

  return item_error (self, item, BMFF_ERROR_TRUNCATED,
      "the box ends before it does", error);
}

static gboolean
read_iloc_sizes (Iloc *self, GError **error)
{
  guint16 sizes = bmff_reader_u16 (&self->reader);

  self->offset_size = sizes >> 12;
  self->length_size = sizes >> 8 & 15;
  self->base_size = sizes >> 4 & 15;
  self->index_size = self->version > 0 ? sizes & 15 : 0;
  if (self->offset_size <= 8 && self->length_size <= 8 &&
      self->base_size <= 8 && self->index_size <= 8 && self->version <= 2)
    return TRUE;
  bmff_box_set_error (self->meta, error, BMFF_ERROR_INVALID,
      "iloc of version %u with fields of %u, %u, %u and %u bytes",
      self->version, self->offset_size, self->length_size, self->base_size,
      self->index_size);

  return FALSE;
}

static gboolean
walk_iloc (Iloc *self, GError **error)
{
  guint32 n;

  self->version = bmff_reader_u8 (&self->reader);
  bmff_reader_skip (&self->reader, 3);
  if (!read_iloc_sizes (self, error))
    return FALSE;
  n = (guint32) bmff_reader_uint (&self->reader, self->version < 2 ? 2 : 4);
  if (!bmff_reader_ok (&self->reader)) {
    bmff_box_set_error (self->meta, error, BMFF_ERROR_TRUNCATED,
        "its iloc ends before its fields do");
    return FALSE;
  }
  for (; n > 0; n--) {
    gboolean here;
    Item item;

    if (!read_item (self, &item, &here, error) ||
        (here &&
            !(self->func ? check_item (self, &item, error)
                         : move_item (self, &item, error))))
      return FALSE;
  }

  return TRUE;
}

/* The child of that type in a payload of boxes from @pos on, as a leaf. */
static BmffBox *
find_in_payload (GBytes *payload, gsize pos, guint32 type, gsize *child_pos)
{
  gsize size = g_bytes_get_size (payload);

  while (size - pos >= 8) {
    g_autoptr (GBytes) rest = g_bytes_new_from_bytes (payload, pos, size - pos);
    const guint8 *data = g_bytes_get_data (rest, NULL);
    BmffHeader header;

    if (bmff_header_parse (&header, data, size - pos) != BMFF_HEADER_OK ||
        header.size == 0 || header.size > size - pos)
      return NULL;
    *child_pos = pos + header.header_size;
    if (header.type == type)
      return bmff_box_new (type,
          g_bytes_new_from_bytes (payload, *child_pos,
              header.size - header.header_size));
    pos += header.size;
  }

  return NULL;
}

/* meta is a FullBox in ISO/IEC 14496-12, but a plain one in QuickTime: there
 * `hdlr` stands where version, flags and a size would be. */
static gsize
meta_children_pos (const BmffBox *meta)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (meta->payload, &size);

  if (size >= 8 && bmff_get_u32 (data + 4) == BMFF_FOURCC ('h', 'd', 'l', 'r'))
    return 0;

  return MIN (size, 4);
}

/* NULL without a dref. */
static GByteArray *
read_locals (const BmffBox *meta, gsize start)
{
  gsize unused;
  g_autoptr (BmffBox) dref = NULL;
  g_autoptr (BmffBox) dinf = find_in_payload (meta->payload, start,
      BMFF_FOURCC ('d', 'i', 'n', 'f'), &unused);

  if (dinf != NULL)
    dref = find_in_payload (dinf->payload, 0, BMFF_FOURCC ('d', 'r', 'e', 'f'),
        &unused);

  return dref != NULL ? bmff_dref_read (dref) : NULL;
}

gboolean
bmff_meta_move_items (BmffBox *meta, BmffMoveFunc move, gpointer user_data,
    GError **error)
{
  BmffMover mover = { move, user_data };
  Iloc iloc = { .meta = meta, .mover = &mover };
  gsize start = meta_children_pos (meta), pos, size;
  g_autoptr (BmffBox) box = find_in_payload (meta->payload, start,
      BMFF_FOURCC ('i', 'l', 'o', 'c'), &pos);
  g_autoptr (GByteArray) locals = NULL;

  if (box == NULL)
    return TRUE;
  locals = read_locals (meta, start);
  iloc.locals = locals;
  size = g_bytes_get_size (box->payload);
  iloc.data = bmff_box_edit_payload (meta, NULL) + pos;
  bmff_reader_init (&iloc.reader, iloc.data, size);

  return walk_iloc (&iloc, error);
}

gboolean
bmff_meta_check_items (const BmffBox *meta, BmffRangeFunc func,
    gpointer user_data, GError **error)
{
  Iloc iloc = { .meta = meta, .func = func, .user_data = user_data };
  gsize start = meta_children_pos (meta), pos;
  g_autoptr (BmffBox) box = find_in_payload (meta->payload, start,
      BMFF_FOURCC ('i', 'l', 'o', 'c'), &pos);
  g_autoptr (GByteArray) locals = NULL;

  if (box == NULL)
    return TRUE;
  locals = read_locals (meta, start);
  iloc.locals = locals;
  bmff_reader_init_bytes (&iloc.reader, box->payload);

  return walk_iloc (&iloc, error);
}
