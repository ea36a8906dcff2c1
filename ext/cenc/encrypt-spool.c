/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-spool.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>
#include "cenc/encrypt-track.h"

struct _EncryptSpool
{
  gint fd;
  guint64 size;
};

static gboolean
fail (GError **error, const gchar *what)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
      "the spool file cannot be %s: %s", what, g_strerror (errno));
  return FALSE;
}

EncryptSpool *
encrypt_spool_new (const gchar *directory, GError **error)
{
  g_autofree gchar *path =
      g_build_filename (directory ? directory : g_get_tmp_dir (),
          "cencencrypt-XXXXXX", NULL);
  EncryptSpool *self = g_new0 (EncryptSpool, 1);

  self->fd = g_mkstemp (path);
  if (self->fd < 0) {
    g_free (self);
    fail (error, "made");
    return NULL;
  }
  g_unlink (path);
  return self;
}

void
encrypt_spool_free (EncryptSpool *self)
{
  close (self->fd);
  g_free (self);
}

static gboolean
write_all (EncryptSpool *self, const guint8 *data, gsize size, guint64 offset)
{
  while (size > 0) {
    gssize n = pwrite (self->fd, data, size, offset);

    if (n < 0 && errno != EINTR)
      return FALSE;
    if (n > 0) {
      data += n;
      size -= n;
      offset += n;
    }
  }
  return TRUE;
}

gboolean
encrypt_spool_write (EncryptSpool *self, guint64 offset, GstBuffer *buffer,
    GError **error)
{
  GstMapInfo map;
  gboolean ok;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    errno = EFAULT;
    return fail (error, "written");
  }
  ok = write_all (self, map.data, map.size, offset);
  self->size = MAX (self->size, offset + map.size);
  gst_buffer_unmap (buffer, &map);
  return ok || fail (error, "written");
}

guint64
encrypt_spool_get_size (const EncryptSpool *self)
{
  return self->size;
}

gboolean
encrypt_spool_read (EncryptSpool *self, guint64 offset, GstBuffer *buffer,
    GError **error)
{
  gsize got = 0;
  gssize n = 1;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE)) {
    errno = ENOMEM;
    return fail (error, "read");
  }
  while (got < map.size && n != 0) {
    n = pread (self->fd, map.data + got, map.size - got, offset + got);
    if (n < 0 && errno != EINTR)
      break;
    got += MAX (n, 0);
  }
  gst_buffer_unmap (buffer, &map);
  gst_buffer_set_size (buffer, got);
  return n >= 0 || fail (error, "read");
}
