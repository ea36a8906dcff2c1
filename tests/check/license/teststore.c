/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "teststore.h"

#include <glib/gstdio.h>

#define YEAR (366 * G_GINT64_CONSTANT (86400))

LicenseStore *
test_store_open (TestStore *self, gboolean create, GError **error)
{
  LicenseStoreConfig config = { self->path, self->key_path,
    self->issuer.issuers, &self->clock.clock, LICENSE_DEFAULT_SKEW };

  return license_store_open (&config, create, error);
}

void
test_store_reopen (TestStore *self)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->store, license_store_unref);
  self->store = test_store_open (self, TRUE, &error);
  g_assert_no_error (error);
}

void
test_store_init (TestStore *self)
{
  test_issuer_init (&self->issuer, TEST_DAY - 5 * YEAR, TEST_DAY + 5 * YEAR);
  test_clock_init (&self->clock, TEST_DAY);
  self->folder = NULL;
  /* In memory where there is such a place: a hundred times faster. */
  if (g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR))
    self->folder = g_mkdtemp (g_strdup ("/dev/shm/license-XXXXXX"));
  if (!self->folder)
    self->folder = g_dir_make_tmp ("license-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "licenses.db", NULL);
  self->key_path = g_build_filename (self->folder, "device.pem", NULL);
  self->store = NULL;
  test_store_reopen (self);
}

static void
remove_folder (const gchar *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *file = g_build_filename (path, name, NULL);

    g_unlink (file);
  }
  g_dir_close (dir);
  g_rmdir (path);
}

void
test_store_clear (TestStore *self)
{
  g_clear_pointer (&self->store, license_store_unref);
  test_issuer_clear (&self->issuer);
  g_chmod (self->folder, 0700);
  remove_folder (self->folder);
  g_free (self->folder);
  g_free (self->path);
  g_free (self->key_path);
}

GBytes *
test_store_write (TestStore *self, const LicenseDocument *license)
{
  return test_write (license, &self->issuer,
      license_store_device_key (self->store));
}

void
test_store_import (TestStore *self, const LicenseDocument *license)
{
  g_autoptr (GBytes) bytes = test_store_write (self, license);
  g_autoptr (GError) error = NULL;
  g_autoptr (LicenseEntry) entry =
      license_store_import (self->store, bytes, license->nonce, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (entry);
}

LicenseEntry *
test_store_entry (TestStore *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries =
      license_store_find (self->store, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (entries->len, ==, 1);
  return g_ptr_array_steal_index (entries, 0);
}

void
test_store_play (TestStore *self)
{
  g_autoptr (LicenseEntry) entry = test_store_entry (self);
  g_autoptr (GError) error = NULL;

  license_store_play (self->store, entry, self->clock.now.wall, &error);
  g_assert_no_error (error);
}

gint64
test_store_first_play (TestStore *self)
{
  g_autoptr (LicenseEntry) entry = test_store_entry (self);

  return entry->record.first_play;
}

LicenseDecision
test_store_decide (const LicenseEntry *entry)
{
  LicenseState state = { entry->record.first_play, entry->record.released,
    FALSE };
  LicenseTime time = { entry->now.wall, entry->clock };

  return policy_decide (&entry->document->rules, &state, &time);
}
