/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-source.h"

#include "remix-error.h"

static gboolean
check_range (const RemixSource *self, guint64 offset, gsize size,
    GError **error)
{
  if (offset <= self->size && size <= self->size - offset)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_READ,
      "%s: a sample at %" G_GUINT64_FORMAT ", of %" G_GSIZE_FORMAT
      " bytes, lies behind the end of the file (%" G_GUINT64_FORMAT ")",
      self->uri, offset, size, self->size);
  return FALSE;
}

static gboolean
check_cancelled (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

gboolean
remix_source_open (RemixSource *self, GCancellable *cancellable, GError **error)
{
  return !self->funcs->open || self->funcs->open (self, cancellable, error);
}

gboolean
remix_source_read (RemixSource *self, guint64 offset, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error)
{
  return check_cancelled (cancellable, error) &&
      check_range (self, offset, size, error) &&
      self->funcs->read (self, offset, dest, size, cancellable, error);
}

gboolean
remix_source_read_parts (RemixSource *self, const RemixPart *parts, guint n,
    GCancellable *cancellable, GError **error)
{
  guint i;

  if (!self->funcs->read_parts) {
    for (i = 0; i < n; i++) {
      if (!remix_source_read (self, parts[i].offset, parts[i].dest,
              parts[i].size, cancellable, error))
        return FALSE;
    }
    return TRUE;
  }
  for (i = 0; i < n; i++) {
    if (!check_range (self, parts[i].offset, parts[i].size, error))
      return FALSE;
  }
  return check_cancelled (cancellable, error) &&
      self->funcs->read_parts (self, parts, n, cancellable, error);
}

void
remix_source_free (RemixSource *self)
{
  if (!self)
    return;
  g_free (self->uri);
  g_free (self->etag);
  g_clear_pointer (&self->spans, g_array_unref);
  self->funcs->free (self);
}

guint64
remix_source_get_span_end (const RemixSource *self, guint64 offset,
    guint64 size)
{
  guint low = 0, high = self->spans ? self->spans->len : 0;
  const RemixSpan *span;

  if (high == 0)
    return G_MAXUINT64;
  /* The first one that ends behind. */
  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (self->spans, RemixSpan, middle).end > offset)
      high = middle;
    else
      low = middle + 1;
  }
  if (low == self->spans->len)
    return G_MAXUINT64;
  span = &g_array_index (self->spans, RemixSpan, low);
  return span->start < offset + size ? span->end : G_MAXUINT64;
}

typedef struct
{
  RemixSource *source;
  GCancellable *cancellable;
} Adapter;

static GBytes *
adapter_read (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  Adapter *self = user_data;
  guint8 *data;

  if (offset >= self->source->size)
    return g_bytes_new_static ("", 0);
  size = (gsize) MIN ((guint64) size, self->source->size - offset);
  data = g_try_malloc (size);
  if (!data ||
      !remix_source_read (self->source, offset, data, size, self->cancellable,
          error)) {
    if (!data)
      g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
          "no memory for %" G_GSIZE_FORMAT " bytes", size);
    g_free (data);
    return NULL;
  }
  return g_bytes_new_take (data, size);
}

static guint64
adapter_get_size (gpointer user_data)
{
  return ((Adapter *) user_data)->source->size;
}

BmffSource *
remix_source_to_bmff (RemixSource *self, GCancellable *cancellable)
{
  static const BmffSourceFuncs funcs = { adapter_read, adapter_get_size,
    g_free };
  Adapter *adapter = g_new (Adapter, 1);

  adapter->source = self;
  adapter->cancellable = cancellable;
  return bmff_source_new (&funcs, adapter);
}
