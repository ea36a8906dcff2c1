/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-remote.h"

/* What headers in a row are read from. */
#define BLOCK (64 * 1024)

typedef struct
{
  LicenseClient client;
  gchar *url;
  GBytes *block; /* (nullable) */
  guint64 at; /* of the block in the file */
  guint64 total; /* G_MAXUINT64 = not known yet */
  guint64 fetched;
  guint requests;
} Remote;

static gboolean
too_much (GError **error)
{
  g_set_error_literal (error, LICENSE_CLIENT_ERROR, LICENSE_CLIENT_ERROR_SIZE,
      "its headers are larger, or farther apart, than is looked at");
  return FALSE;
}

static gboolean
fetch (Remote *self, guint64 offset, gsize size, GError **error)
{
  gsize length = MAX (size, BLOCK);
  LicenseRequest request = { self->url, NULL, NULL, NULL, NULL, offset, length,
    &self->total };

  if (length > LICENSE_REMOTE_MAX - self->fetched ||
      self->requests == LICENSE_REMOTE_MAX_REQUESTS)
    return too_much (error);
  self->requests++;
  self->client.max_size = length;
  g_clear_pointer (&self->block, g_bytes_unref);
  self->block = license_client_send (&self->client, &request, error);
  if (!self->block)
    return FALSE;
  self->at = offset;
  self->fetched += g_bytes_get_size (self->block);
  return TRUE;
}

static gboolean
has (const Remote *self, guint64 offset, gsize size)
{
  return self->block && offset >= self->at &&
      offset - self->at <= g_bytes_get_size (self->block) &&
      g_bytes_get_size (self->block) - (offset - self->at) >= size;
}

static GBytes *
remote_read (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  Remote *self = user_data;

  if (size == 0 || offset >= self->total)
    return g_bytes_new_static (NULL, 0);
  if (self->total != G_MAXUINT64)
    size = (gsize) MIN (size, self->total - offset);
  if (offset > G_MAXINT64 - LICENSE_REMOTE_MAX || size > LICENSE_REMOTE_MAX) {
    too_much (error);
    return NULL;
  }
  if (!has (self, offset, size) && !fetch (self, offset, size, error))
    return NULL;
  size = MIN (size, g_bytes_get_size (self->block) - (offset - self->at));
  return g_bytes_new_from_bytes (self->block, offset - self->at, size);
}

static guint64
remote_get_size (gpointer user_data)
{
  return ((Remote *) user_data)->total;
}

static void
remote_free (gpointer user_data)
{
  Remote *self = user_data;

  g_clear_pointer (&self->block, g_bytes_unref);
  g_free (self->url);
  g_free (self);
}

BmffSource *
license_remote_new (const LicenseClient *client, const gchar *url)
{
  static const BmffSourceFuncs funcs = { remote_read, remote_get_size,
    remote_free };
  Remote *self = g_new0 (Remote, 1);

  self->client = *client;
  self->url = g_strdup (url);
  self->total = G_MAXUINT64;
  return bmff_source_new (&funcs, self);
}
