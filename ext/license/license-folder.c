/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib/gstdio.h>

gboolean
license_folder_sync (const gchar *path)
{
  gint fd = g_open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  gboolean ok = fd >= 0 && fsync (fd) == 0;
  gint error = errno;

  if (fd >= 0)
    close (fd);
  errno = error;
  return ok;
}

gboolean
license_folder_make (const gchar *path)
{
  g_autofree gchar *parent = NULL;

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  parent = g_path_get_dirname (path);
  /* "/" and "." are their own parents. */
  if (!g_str_equal (parent, path) && !license_folder_make (parent))
    return FALSE;
  if (g_mkdir (path, 0700) != 0 && errno != EEXIST)
    return FALSE;
  return license_folder_sync (parent);
}
