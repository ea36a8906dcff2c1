/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-source.h"

struct _BmffSource
{
  const BmffSourceFuncs *funcs;
  gpointer user_data;
};

BmffSource *
bmff_source_new (const BmffSourceFuncs *funcs, gpointer user_data)
{
  BmffSource *self = g_new (BmffSource, 1);

  self->funcs = funcs;
  self->user_data = user_data;

  return self;
}

void
bmff_source_free (BmffSource *self)
{
  if (self == NULL)
    return;
  if (self->funcs->free != NULL)
    self->funcs->free (self->user_data);
  g_free (self);
}

/* A block of memory that stands somewhere in a file. */
typedef struct
{
  GBytes *bytes;
  guint64 offset;
} Block;

static GBytes *
block_read (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  Block *block = user_data;
  gsize length = g_bytes_get_size (block->bytes);
  gsize pos;

  if (offset < block->offset || offset - block->offset > length)
    return g_bytes_new_static (NULL, 0);
  pos = offset - block->offset;

  return g_bytes_new_from_bytes (block->bytes, pos, MIN (size, length - pos));
}

static guint64
block_get_size (gpointer user_data)
{
  Block *block = user_data;

  return block->offset + g_bytes_get_size (block->bytes);
}

static void
block_free (gpointer user_data)
{
  Block *block = user_data;

  g_bytes_unref (block->bytes);
  g_free (block);
}

BmffSource *
bmff_source_new_bytes (GBytes *bytes, guint64 offset)
{
  static const BmffSourceFuncs funcs = { block_read, block_get_size,
    block_free };
  Block *block = g_new (Block, 1);

  block->bytes = g_bytes_ref (bytes);
  block->offset = offset;

  return bmff_source_new (&funcs, block);
}

GBytes *
bmff_source_read (BmffSource *self, guint64 offset, gsize size, GError **error)
{
  return self->funcs->read (self->user_data, offset, size, error);
}

guint64
bmff_source_get_size (BmffSource *self)
{
  return self->funcs->get_size (self->user_data);
}

GBytes *
bmff_source_read_all (BmffSource *self, guint64 offset, gsize size,
    const gchar *what, GError **error)
{
  g_autoptr (GBytes) bytes = bmff_source_read (self, offset, size, error);

  if (bytes == NULL)
    return NULL;
  if (g_bytes_get_size (bytes) < size) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED,
        "%s at %" G_GUINT64_FORMAT ": the file ends after %" G_GSIZE_FORMAT
        " of %" G_GSIZE_FORMAT " bytes",
        what, offset, g_bytes_get_size (bytes), size);
    return NULL;
  }

  return g_steal_pointer (&bytes);
}

static gboolean
header_check (BmffSource *self, guint64 offset, BmffHeader *header,
    GError **error)
{
  guint64 end = bmff_source_get_size (self);

  if (header->size == 0 && end != G_MAXUINT64 && end > offset)
    header->size = end - offset;
  /* Signed, because that is what file positions are elsewhere. */
  if (header->size > G_MAXINT64 || offset > G_MAXINT64 - header->size) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_INVALID,
        "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT
        ": a size of %" G_GUINT64_FORMAT " is beyond what a file can have",
        BMFF_FOURCC_ARGS (header->type), offset, header->size);
    return FALSE;
  }

  return TRUE;
}

gboolean
bmff_source_read_header (BmffSource *self, guint64 offset, BmffHeader *header,
    GError **error)
{
  g_autoptr (GBytes) bytes = bmff_source_read (self, offset, 32, error);
  gconstpointer data;
  gsize size;

  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  if (size == 0)
    return FALSE;
  switch (bmff_header_parse (header, data, size)) {
    case BMFF_HEADER_OK:
      return header_check (self, offset, header, error);
    case BMFF_HEADER_MORE:
      g_set_error (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED,
          "box at %" G_GUINT64_FORMAT ": the file ends in its header", offset);
      return FALSE;
    case BMFF_HEADER_INVALID:
    default:
      g_set_error (error, BMFF_ERROR, BMFF_ERROR_INVALID,
          "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT
          ": a size of %" G_GUINT64_FORMAT " is smaller than the header",
          BMFF_FOURCC_ARGS (header->type), offset, header->size);
      return FALSE;
  }
}

/* Asked before the read, so that no size in a file makes a reader allocate what
 * the file does not have. */
static gboolean
box_size_check (BmffSource *self, guint64 offset, const BmffHeader *header,
    GError **error)
{
  guint64 end = bmff_source_get_size (self);
  BmffError code;
  const gchar *what;

  if (header->size == 0) {
    code = BMFF_ERROR_UNSUPPORTED;
    what = "it reaches to the end of a file of unknown size";
  } else if (header->size > BMFF_MAX_HEADER_BOX) {
    code = BMFF_ERROR_LIMIT;
    what = "more than a header box may have";
  } else if (end != G_MAXUINT64 && header->size > end - MIN (end, offset)) {
    code = BMFF_ERROR_TRUNCATED;
    what = "the file ends before";
  } else {
    return TRUE;
  }
  g_set_error (error, BMFF_ERROR, code,
      "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT
      ": a size of %" G_GUINT64_FORMAT " bytes: %s",
      BMFF_FOURCC_ARGS (header->type), offset, header->size, what);

  return FALSE;
}

BmffBox *
bmff_source_read_box (BmffSource *self, guint64 offset, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree gchar *what = NULL;
  GError *local_error = NULL;
  BmffHeader header;

  if (!bmff_source_read_header (self, offset, &header, &local_error)) {
    if (local_error == NULL)
      g_set_error (&local_error, BMFF_ERROR, BMFF_ERROR_TRUNCATED,
          "box at %" G_GUINT64_FORMAT ": the file ends there", offset);
    g_propagate_error (error, local_error);
    return NULL;
  }
  if (!box_size_check (self, offset, &header, error))
    return NULL;
  what =
      g_strdup_printf ("%" BMFF_FOURCC_FORMAT, BMFF_FOURCC_ARGS (header.type));
  bytes = bmff_source_read_all (self, offset, header.size, what, error);

  return bytes != NULL ? bmff_box_parse (bytes, offset, error) : NULL;
}
