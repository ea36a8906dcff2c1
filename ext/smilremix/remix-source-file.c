/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "remix-error.h"
#include "remix-source.h"

typedef struct
{
  RemixSource parent;
  int fd;
  struct stat opened;
} FileSource;

static gboolean
set_errno (const gchar *uri, GError **error)
{
  int saved = errno;

  g_set_error (error, REMIX_ERROR,
      saved == ENOENT || saved == ENOTDIR ? REMIX_ERROR_NOT_FOUND
                                          : REMIX_ERROR_READ,
      "%s: %s", uri, g_strerror (saved));
  return FALSE;
}

/* Another size or time: the tables no longer say what lies where. */
static gboolean
check_unchanged (FileSource *self, GError **error)
{
  struct stat now;

  if (fstat (self->fd, &now) != 0)
    return set_errno (self->parent.uri, error);
  if (now.st_size == self->opened.st_size &&
      now.st_mtim.tv_sec == self->opened.st_mtim.tv_sec &&
      now.st_mtim.tv_nsec == self->opened.st_mtim.tv_nsec)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_CHANGED,
      "%s has changed since it was opened", self->parent.uri);
  return FALSE;
}

static gboolean
read_all (FileSource *self, guint64 offset, guint8 *dest, gsize size,
    GError **error)
{
  const gchar *uri = self->parent.uri;

  while (size > 0) {
    ssize_t n = pread (self->fd, dest, size, (off_t) offset);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return set_errno (uri, error);
    if (n == 0) {
      if (check_unchanged (self, error))
        g_set_error (error, REMIX_ERROR, REMIX_ERROR_READ,
            "%s ends at %" G_GUINT64_FORMAT, uri, offset);
      return FALSE;
    }
    dest += n;
    offset += (guint64) n;
    size -= (gsize) n;
  }
  return TRUE;
}

static gboolean
file_read (RemixSource *source, guint64 offset, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error)
{
  FileSource *self = (FileSource *) source;

  return read_all (self, offset, dest, size, error) &&
      check_unchanged (self, error);
}

/* What a single call reads: parts of fragments, whose tracks lie apart where the
 * source has them interleaved. What lies between two is read as well, into nowhere:
 * up to a page costs less than a call. */
#define MAX_PARTS 128
#define MAX_GAP 4096u

static guint
count_near (const RemixPart *parts, guint n)
{
  guint i;

  for (i = 1; i < MIN (n, MAX_PARTS); i++) {
    guint64 end = parts[i - 1].offset + parts[i - 1].size;

    if (parts[i].offset < end || parts[i].offset - end > MAX_GAP)
      break;
  }
  return i;
}

/* Whether all of the @n parts, one near the other, came in one go. If not, the
 * reason is found out by reading them one by one. */
static gboolean
read_near (FileSource *self, const RemixPart *parts, guint n)
{
  guint8 nowhere[MAX_GAP];
  struct iovec vector[2 * MAX_PARTS];
  guint64 at = parts[0].offset;
  gint count = 0;
  guint i;

  for (i = 0; i < n; i++) {
    if (parts[i].offset > at) {
      vector[count].iov_base = nowhere;
      vector[count++].iov_len = (gsize) (parts[i].offset - at);
    }
    vector[count].iov_base = parts[i].dest;
    vector[count++].iov_len = parts[i].size;
    at = parts[i].offset + parts[i].size;
  }
  return preadv (self->fd, vector, count, (off_t) parts[0].offset) ==
      (ssize_t) (at - parts[0].offset);
}

static gboolean
file_read_parts (RemixSource *source, const RemixPart *parts, guint n,
    GCancellable *cancellable, GError **error)
{
  FileSource *self = (FileSource *) source;

  while (n > 0) {
    guint near = count_near (parts, n), i;

    if (near == 1 || !read_near (self, parts, near)) {
      for (i = 0; i < near; i++) {
        if (!read_all (self, parts[i].offset, parts[i].dest, parts[i].size,
                error))
          return FALSE;
      }
    }
    parts += near;
    n -= near;
  }
  return check_unchanged (self, error);
}

static void
file_free (RemixSource *source)
{
  FileSource *self = (FileSource *) source;

  close (self->fd);
  g_free (self);
}

/* The path of what is open, not of what the name may mean by now. */
static gchar *
get_real_path (int fd, const gchar *path)
{
  g_autofree gchar *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  gchar *target = g_file_read_link (link, NULL);
  gchar *resolved, *copy;

  if (target)
    return target;
  resolved = realpath (path, NULL);
  copy = g_strdup (resolved);
  free (resolved);
  return copy;
}

static gboolean
check_file (int fd, const gchar *uri, const gchar *path,
    const RemixPolicy *policy, struct stat *info, GError **error)
{
  g_autofree gchar *real = get_real_path (fd, path);

  if (fstat (fd, info) != 0)
    return set_errno (uri, error);
  if (!S_ISREG (info->st_mode)) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_REFUSED,
        "%s is refused: it is no regular file", uri);
    return FALSE;
  }
  return remix_policy_check_path (policy, uri, real ? real : path, error);
}

RemixSource *
remix_source_open_file (const gchar *uri, const RemixPolicy *policy,
    GError **error)
{
  static const RemixSourceFuncs funcs = { .read = file_read,
    .free = file_free,
    .read_parts = file_read_parts };
  g_autofree gchar *path = g_filename_from_uri (uri, NULL, NULL);
  FileSource *self;
  struct stat info;
  int fd;

  if (!path) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_READ, "%s names no local file",
        uri);
    return NULL;
  }
  /* O_NONBLOCK: to open a pipe must not wait for its writer. */
  fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    set_errno (uri, error);
    return NULL;
  }
  if (!check_file (fd, uri, path, policy, &info, error)) {
    close (fd);
    return NULL;
  }
  self = g_new0 (FileSource, 1);
  self->parent.funcs = &funcs;
  self->parent.uri = g_strdup (uri);
  self->parent.size = (guint64) info.st_size;
  self->parent.etag =
      g_strdup_printf ("%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT ".%09ld",
          (gint64) info.st_size, (gint64) info.st_mtim.tv_sec,
          (long) info.st_mtim.tv_nsec);
  self->fd = fd;
  self->opened = info;
  return &self->parent;
}
