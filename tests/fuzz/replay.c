/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Feeds each file of the folders given as arguments to a fuzz target, so that
 * every corpus is a test where there is no libFuzzer.
 */

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static guint
replay (const gchar *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const gchar *name;
  guint n = 0;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_autofree gchar *data = NULL;
    gsize size;

    g_file_get_contents (path, &data, &size, &error);
    g_assert_no_error (error);
    LLVMFuzzerTestOneInput ((const uint8_t *) data, size);
    n++;
  }
  return n;
}

int
main (int argc, char **argv)
{
  guint n = 0;
  int i;

  for (i = 1; i < argc; i++)
    n += replay (argv[i]);
  /* A corpus that was not found is no success. */
  return n > 0 ? 0 : 1;
}
