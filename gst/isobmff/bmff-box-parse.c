/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree of boxes from bytes (ISO/IEC 14496-12, 4.2); stsd's entries (8.5.2). */

#include "gst/isobmff/bmff-box.h"

#include <string.h>

#define UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

BmffHeaderResult
bmff_header_parse (BmffHeader *self, const guint8 *data, gsize size)
{
  BmffReader reader;

  bmff_reader_init (&reader, data, size);
  self->size = bmff_reader_u32 (&reader);
  self->type = bmff_reader_u32 (&reader);
  self->header_size = 8;
  memset (self->uuid, 0, sizeof (self->uuid));
  if (self->size == 1) {
    self->size = bmff_reader_u64 (&reader);
    self->header_size += 8;
    /* 0 means "to the end of the file" in the 32-bit field only. */
    if (self->size == 0)
      self->size = 1;
  }
  if (self->type == UUID) {
    const guint8 *uuid = bmff_reader_bytes (&reader, 16);

    if (uuid != NULL)
      memcpy (self->uuid, uuid, 16);
    self->header_size += 16;
  }
  if (!bmff_reader_ok (&reader))
    return BMFF_HEADER_MORE;
  if (self->size != 0 && self->size < self->header_size)
    return BMFF_HEADER_INVALID;

  return BMFF_HEADER_OK;
}

guint32
bmff_inner_type (const guint8 *data, gsize size, guint64 room)
{
  guint32 inner;

  if (size < 8)
    return 0;
  inner = bmff_get_u32 (data);

  return inner >= 8 && inner <= room ? bmff_get_u32 (data + 4) : 0;
}

/* What one bmff_box_parse() has used up. */
typedef struct
{
  guint depth;
  guint n_boxes;
} ParseState;

static gboolean
type_is_container (guint32 type)
{
  switch (type) {
    case BMFF_FOURCC ('m', 'o', 'o', 'v'):
    case BMFF_FOURCC ('t', 'r', 'a', 'k'):
    case BMFF_FOURCC ('e', 'd', 't', 's'):
    case BMFF_FOURCC ('m', 'd', 'i', 'a'):
    case BMFF_FOURCC ('m', 'i', 'n', 'f'):
    case BMFF_FOURCC ('d', 'i', 'n', 'f'):
    case BMFF_FOURCC ('s', 't', 'b', 'l'):
    case BMFF_FOURCC ('m', 'v', 'e', 'x'):
    case BMFF_FOURCC ('m', 'o', 'o', 'f'):
    case BMFF_FOURCC ('t', 'r', 'a', 'f'):
    case BMFF_FOURCC ('m', 'f', 'r', 'a'):
    case BMFF_FOURCC ('s', 'i', 'n', 'f'):
    case BMFF_FOURCC ('r', 'i', 'n', 'f'):
    case BMFF_FOURCC ('s', 'c', 'h', 'i'):
      return TRUE;
    default:
      /* udta and meta hold what the field puts there, often against the
       * standard: who wants what is in them parses their payload. */
      return FALSE;
  }
}

/* The header of the box that starts at @pos of @bytes, and a box for it without
 * a payload. A box of size 0 ends with the bytes. */
static BmffBox *
parse_header (GBytes *bytes, gsize pos, guint64 offset, ParseState *state,
    GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gsize left = size - pos;
  BmffHeader header;
  BmffHeaderResult result =
      bmff_header_parse (&header, left > 0 ? data + pos : NULL, left);
  g_autoptr (BmffBox) box =
      bmff_box_new (header.type, g_bytes_new_static (NULL, 0));

  box->offset = offset;
  memcpy (box->uuid, header.uuid, sizeof (box->uuid));
  box->header_size = header.header_size;
  box->parsed_size = header.size != 0 ? header.size : left;
  if (result == BMFF_HEADER_INVALID) {
    bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
        "a size of %" G_GUINT64_FORMAT " is smaller than the header",
        header.size);
    return NULL;
  }
  if (result == BMFF_HEADER_MORE || box->parsed_size > left) {
    bmff_box_set_error (box, error, BMFF_ERROR_TRUNCATED,
        "%" G_GSIZE_FORMAT " bytes are left for a box of %" G_GUINT64_FORMAT,
        left, box->parsed_size);
    return NULL;
  }
  if (++state->n_boxes > BMFF_MAX_BOXES) {
    bmff_box_set_error (box, error, BMFF_ERROR_LIMIT,
        "more than %u boxes in one", BMFF_MAX_BOXES);
    return NULL;
  }

  return g_steal_pointer (&box);
}

static BmffBox *parse_at (GBytes *bytes, gsize pos, guint64 offset,
    ParseState *state, GError **error);

/* Whether a box may start at @pos. If not, what is left is padding: the zeros
 * with which QuickTime ends a list, or too little for a header. */
static gboolean
has_box (const guint8 *data, gsize size, gsize pos)
{
  return size - pos >= 8 && bmff_get_u32 (data + pos) != 0;
}

/* Cuts @self's payload behind its first @fields bytes and makes children of the
 * rest, at most @max of them. What is behind them becomes the trailer. */
static gboolean
parse_children (BmffBox *self, gsize fields, guint32 max, ParseState *state,
    GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_ref (self->payload);
  gsize size, pos = fields;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  guint64 offset = self->offset + self->header_size;
  g_autoptr (GPtrArray) children =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);

  while (children->len < max && has_box (data, size, pos)) {
    BmffBox *child = parse_at (bytes, pos, offset + pos, state, error);

    if (child == NULL)
      return FALSE;
    g_ptr_array_add (children, child);
    pos += child->parsed_size;
  }
  if (pos < size)
    self->trailer = g_bytes_new_from_bytes (bytes, pos, size - pos);
  g_bytes_unref (self->payload);
  self->payload = g_bytes_new_from_bytes (bytes, 0, fields);
  self->children = g_steal_pointer (&children);

  return TRUE;
}

static BmffBox *
parse_at (GBytes *bytes, gsize pos, guint64 offset, ParseState *state,
    GError **error)
{
  g_autoptr (BmffBox) box = parse_header (bytes, pos, offset, state, error);
  gboolean ok;

  if (box == NULL)
    return NULL;
  g_bytes_unref (box->payload);
  box->payload = g_bytes_new_from_bytes (bytes, pos + box->header_size,
      box->parsed_size - box->header_size);
  if (!type_is_container (box->type))
    return g_steal_pointer (&box);
  if (state->depth == BMFF_MAX_DEPTH) {
    bmff_box_set_error (box, error, BMFF_ERROR_LIMIT,
        "boxes are nested deeper than %u", BMFF_MAX_DEPTH);
    return NULL;
  }
  state->depth++;
  ok = parse_children (box, 0, G_MAXUINT32, state, error);
  state->depth--;

  return ok ? g_steal_pointer (&box) : NULL;
}

BmffBox *
bmff_box_parse (GBytes *bytes, guint64 offset, GError **error)
{
  ParseState state = { 0, 0 };

  g_return_val_if_fail (bytes != NULL, NULL);

  return parse_at (bytes, 0, offset, &state, error);
}

/* Bytes of fields in front of a sample entry's children; 0 if they are not
 * known for this handler. */
static gsize
entry_fields_size (const BmffBox *entry, guint32 handler, guint8 stsd_version)
{
  BmffReader reader;

  switch (handler) {
    case BMFF_FOURCC ('v', 'i', 'd', 'e'):
    case BMFF_FOURCC ('a', 'u', 'x', 'v'):
    case BMFF_FOURCC ('p', 'i', 'c', 't'):
      return 78;
    case BMFF_FOURCC ('s', 'o', 'u', 'n'):
      bmff_box_get_reader (entry, &reader);
      bmff_reader_skip (&reader, 8);
      switch (stsd_version == 0 ? bmff_reader_u16 (&reader) : 0) {
        case 1:
          return 44;
        case 2:
          return 64;
        default:
          return 28;
      }
    default:
      return 0;
  }
}

static gboolean
parse_entry (BmffBox *entry, guint32 handler, guint8 stsd_version,
    ParseState *state, GError **error)
{
  gsize fields = entry_fields_size (entry, handler, stsd_version);

  if (fields == 0)
    return TRUE;
  if (g_bytes_get_size (entry->payload) < fields) {
    bmff_box_set_error (entry, error, BMFF_ERROR_TRUNCATED,
        "a sample entry for %" BMFF_FOURCC_FORMAT " has %" G_GSIZE_FORMAT
        " bytes of fields, here are %" G_GSIZE_FORMAT,
        BMFF_FOURCC_ARGS (handler), fields, g_bytes_get_size (entry->payload));
    return FALSE;
  }

  return parse_children (entry, fields, G_MAXUINT32, state, error);
}

/* Undoes a half-done bmff_box_parse_stsd(). */
static void
make_leaf (BmffBox *self, GBytes *payload)
{
  g_clear_pointer (&self->children, g_ptr_array_unref);
  g_clear_pointer (&self->trailer, g_bytes_unref);
  bmff_box_set_payload (self, payload);
}

gboolean
bmff_box_parse_stsd (BmffBox *stsd, guint32 handler, GError **error)
{
  g_autoptr (GBytes) payload = NULL;
  ParseState state = { 0, 0 };
  BmffReader reader;
  guint8 version;
  guint32 count, i;

  if (stsd->children != NULL)
    return TRUE;
  if (!bmff_box_get_full_reader (stsd, &reader, &version, NULL, error))
    return FALSE;
  count = bmff_reader_u32 (&reader);
  if (!bmff_reader_has (&reader, count, 8) || !bmff_reader_ok (&reader)) {
    bmff_box_set_error (stsd, error, BMFF_ERROR_TRUNCATED,
        "no room for %u sample entries", count);
    return FALSE;
  }
  payload = g_bytes_ref (stsd->payload);
  if (!parse_children (stsd, 8, count, &state, error))
    return FALSE;
  for (i = 0; i < stsd->children->len; i++)
    if (!parse_entry (g_ptr_array_index (stsd->children, i), handler, version,
            &state, error))
      break;
  if (i < stsd->children->len) {
    make_leaf (stsd, g_steal_pointer (&payload));
    return FALSE;
  }
  if (stsd->children->len < count) {
    bmff_box_set_error (stsd, error, BMFF_ERROR_INVALID,
        "%u sample entries are declared, %u are there", count, i);
    make_leaf (stsd, g_steal_pointer (&payload));
    return FALSE;
  }

  return TRUE;
}
