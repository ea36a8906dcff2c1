/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-paths.h"

#define FOLDER "gst-plugins-cenc"

gchar *
license_default_path (const gchar *name)
{
  const gchar *folder = g_getenv ("GST_OFFLINE_LICENSE_DIR");

  if (folder && *folder)
    return g_build_filename (folder, name, NULL);
  return g_build_filename (g_get_user_data_dir (), FOLDER, name, NULL);
}

gchar *
license_default_config (const gchar *name)
{
  const gchar *const *dirs = g_get_system_data_dirs ();
  gchar *path = license_default_path (name);
  guint i;

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  for (i = 0; dirs[i]; i++) {
    gchar *other = g_build_filename (dirs[i], FOLDER, name, NULL);

    if (g_file_test (other, G_FILE_TEST_EXISTS)) {
      g_free (path);
      return other;
    }
    g_free (other);
  }
  return path;
}
