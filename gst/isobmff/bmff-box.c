/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree; bmff-box-parse.c makes one of bytes. */

#include "gst/isobmff/bmff-box.h"

#include <string.h>

#define UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

GQuark
bmff_error_quark (void)
{
  return g_quark_from_static_string ("bmff-error-quark");
}

gboolean
bmff_box_hides (const BmffBox *self, guint32 inner)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (self->payload, &size);

  return self->children == NULL &&
      self->type != BMFF_FOURCC ('f', 'r', 'e', 'e') &&
      self->type != BMFF_FOURCC ('s', 'k', 'i', 'p') &&
      bmff_inner_type (data, size, size) == inner;
}

static BmffBox *
box_alloc (guint32 type, GBytes *payload)
{
  BmffBox *self = g_new0 (BmffBox, 1);

  self->type = type;
  self->offset = G_MAXUINT64;
  self->header_size = type == UUID ? 24 : 8;
  self->payload = payload;

  return self;
}

BmffBox *
bmff_box_new (guint32 type, GBytes *payload)
{
  g_return_val_if_fail (payload != NULL, NULL);

  return box_alloc (type, payload);
}

static GPtrArray *
children_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
}

BmffBox *
bmff_box_new_container (guint32 type)
{
  BmffBox *self = box_alloc (type, g_bytes_new_static (NULL, 0));

  self->children = children_new ();

  return self;
}

BmffBox *
bmff_box_copy (const BmffBox *self)
{
  BmffBox *copy = g_new (BmffBox, 1);
  guint i;

  *copy = *self;
  copy->payload = g_bytes_ref (self->payload);
  if (self->trailer != NULL)
    copy->trailer = g_bytes_ref (self->trailer);
  if (self->children != NULL) {
    copy->children = children_new ();
    for (i = 0; i < self->children->len; i++)
      g_ptr_array_add (copy->children,
          bmff_box_copy (g_ptr_array_index (self->children, i)));
  }

  return copy;
}

void
bmff_box_free (BmffBox *self)
{
  if (self == NULL)
    return;
  g_bytes_unref (self->payload);
  g_clear_pointer (&self->children, g_ptr_array_unref);
  g_clear_pointer (&self->trailer, g_bytes_unref);
  g_free (self);
}

void
bmff_box_set_error (const BmffBox *self, GError **error, BmffError code,
    const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  if (self->offset == G_MAXUINT64)
    g_set_error (error, BMFF_ERROR, code, "%" BMFF_FOURCC_FORMAT ": %s",
        BMFF_FOURCC_ARGS (self->type), message);
  else
    g_set_error (error, BMFF_ERROR, code,
        "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT ": %s",
        BMFF_FOURCC_ARGS (self->type), self->offset, message);
}

BmffBox *
bmff_box_nth_child (const BmffBox *self, guint32 type, guint n)
{
  guint i;

  for (i = 0; self->children != NULL && i < self->children->len; i++) {
    BmffBox *child = g_ptr_array_index (self->children, i);

    if (child->type == type && n-- == 0)
      return child;
  }

  return NULL;
}

BmffBox *
bmff_box_next_child (const BmffBox *self, guint32 type, guint *next)
{
  while (self->children != NULL && *next < self->children->len) {
    BmffBox *child = g_ptr_array_index (self->children, (*next)++);

    if (child->type == type)
      return child;
  }

  return NULL;
}

BmffBox *
bmff_box_child (const BmffBox *self, guint32 type)
{
  return bmff_box_nth_child (self, type, 0);
}

BmffBox *
bmff_box_find (const BmffBox *self, const gchar *path)
{
  const guint8 *p = (const guint8 *) path;
  BmffBox *box;

  g_return_val_if_fail (path != NULL && strlen (path) >= 4, NULL);

  box = bmff_box_child (self, bmff_get_u32 (p));
  for (p += 4; box != NULL && *p == '/'; p += 5) {
    g_return_val_if_fail (strlen ((const gchar *) p) >= 5, NULL);
    box = bmff_box_child (box, bmff_get_u32 (p + 1));
  }

  return box;
}

void
bmff_box_append (BmffBox *self, BmffBox *child)
{
  bmff_box_insert (self, self->children != NULL ? self->children->len : 0,
      child);
}

void
bmff_box_insert (BmffBox *self, guint index, BmffBox *child)
{
  g_return_if_fail (child != NULL);

  if (self->children == NULL)
    self->children = children_new ();
  g_ptr_array_insert (self->children, (gint) MIN (index, self->children->len),
      child);
}

void
bmff_box_remove (BmffBox *self, BmffBox *child)
{
  g_return_if_fail (self->children != NULL);

  if (!g_ptr_array_remove (self->children, child))
    g_return_if_reached ();
}

void
bmff_box_set_payload (BmffBox *self, GBytes *payload)
{
  g_return_if_fail (payload != NULL);

  g_bytes_unref (self->payload);
  self->payload = payload;
}

guint8 *
bmff_box_edit_payload (BmffBox *self, gsize *size)
{
  gsize length;
  /* Steals the memory if nobody else has it, else copies. */
  guint8 *data = g_bytes_unref_to_data (self->payload, &length);

  self->payload = g_bytes_new_take (data, length);
  if (size != NULL)
    *size = length;

  return data;
}

/* A largesize stays one, so that an unedited tree gives the same bytes. */
static gboolean
has_largesize (const BmffBox *self)
{
  return self->header_size == 16 || self->header_size == 32;
}

/* By the type as it is now, which may have been changed from or to `uuid`. */
static guint
written_header_size (const BmffBox *self)
{
  return (has_largesize (self) ? 16 : 8) + (self->type == UUID ? 16 : 0);
}

guint64
bmff_box_get_size (const BmffBox *self)
{
  guint64 size = written_header_size (self) + g_bytes_get_size (self->payload);
  guint i;

  for (i = 0; self->children != NULL && i < self->children->len; i++)
    size += bmff_box_get_size (g_ptr_array_index (self->children, i));
  if (self->trailer != NULL)
    size += g_bytes_get_size (self->trailer);

  return size;
}

static void
write_bytes (BmffWriter *writer, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  bmff_writer_bytes (writer, data, size);
}

void
bmff_box_write (const BmffBox *self, BmffWriter *writer)
{
  gsize start = bmff_writer_tell (writer), size;
  guint i;

  bmff_writer_u32 (writer, 1);
  bmff_writer_u32 (writer, self->type);
  if (has_largesize (self))
    bmff_writer_u64 (writer, 0);
  if (self->type == UUID)
    bmff_writer_bytes (writer, self->uuid, 16);
  write_bytes (writer, self->payload);
  for (i = 0; self->children != NULL && i < self->children->len; i++)
    bmff_box_write (g_ptr_array_index (self->children, i), writer);
  if (self->trailer != NULL)
    write_bytes (writer, self->trailer);
  size = bmff_writer_tell (writer) - start;
  if (has_largesize (self))
    bmff_writer_patch_u64 (writer, start + 8, size);
  else
    bmff_writer_patch_u32 (writer, start, (guint32) size);
}

GBytes *
bmff_box_to_bytes (const BmffBox *self)
{
  BmffWriter *writer = bmff_writer_new (bmff_box_get_size (self));

  bmff_box_write (self, writer);

  return bmff_writer_end (writer);
}

void
bmff_box_get_reader (const BmffBox *self, BmffReader *reader)
{
  bmff_reader_init_bytes (reader, self->payload);
}

gboolean
bmff_box_get_full_reader (const BmffBox *self, BmffReader *reader,
    guint8 *version, guint32 *flags, GError **error)
{
  guint32 word;

  bmff_box_get_reader (self, reader);
  word = bmff_reader_u32 (reader);
  if (!bmff_reader_ok (reader)) {
    bmff_box_set_error (self, error, BMFF_ERROR_TRUNCATED,
        "it ends before its version and flags");
    return FALSE;
  }
  if (version != NULL)
    *version = (guint8) (word >> 24);
  if (flags != NULL)
    *flags = word & 0xffffff;

  return TRUE;
}

gboolean
bmff_box_check_end (const BmffBox *self, const BmffReader *reader,
    GError **error)
{
  if (bmff_reader_ok (reader))
    return TRUE;
  bmff_box_set_error (self, error, BMFF_ERROR_TRUNCATED,
      "it ends before its fields do");

  return FALSE;
}
