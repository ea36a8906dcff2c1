/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "testops.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

static TestStore *ts;
static GBytes *first_bytes, *renewed_bytes;
static LicenseInstant start;

void
test_ops_init (TestStore *store)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  ts = store;
  start = ts->clock.now;
  license->release_url = g_strdup ("https://licenses.example.com/release");
  first_bytes = test_store_write (ts, license);
  license->issued += TEST_SECONDS (60);
  renewed_bytes = test_store_write (ts, license);
}

void
test_ops_clear (void)
{
  g_clear_pointer (&first_bytes, g_bytes_unref);
  g_clear_pointer (&renewed_bytes, g_bytes_unref);
}

static void
copy_file (const gchar *from, const gchar *to)
{
  g_autofree gchar *data = NULL;
  gsize size;

  fail_unless (g_file_get_contents (from, &data, &size, NULL));
  fail_unless (g_file_set_contents (to, data, (gssize) size, NULL));
}

void
test_ops_prepare (const TestOp *op)
{
  g_autofree gchar *base = g_strconcat (ts->path, ".base", NULL);

  if (op->prepare) {
    op->prepare (ts->store);
    copy_file (ts->path, base);
  }
  g_clear_pointer (&ts->store, license_store_unref);
}

void
test_ops_restore (const TestOp *op)
{
  g_autofree gchar *base = g_strconcat (ts->path, ".base", NULL);
  g_autofree gchar *journal = g_strconcat (ts->path, "-journal", NULL);

  ts->clock.now = start;
  g_unlink (journal);
  if (op->prepare)
    copy_file (base, ts->path);
  else
    g_unlink (ts->path);
}

LicenseEntry *
test_ops_entry (LicenseStore *store)
{
  g_autoptr (GPtrArray) entries = license_store_find (store, NULL, NULL, NULL);

  fail_unless (entries != NULL, "the store does not read");
  fail_unless (entries->len <= 1);
  return entries->len ? g_ptr_array_steal_index (entries, 0) : NULL;
}

/* --- what is done ---------------------------------------------------------- */

static gboolean
import_bytes (LicenseStore *store, GBytes *bytes, GError **error)
{
  g_autoptr (LicenseEntry) entry =
      license_store_import (store, bytes, NULL, NULL, error);

  return entry != NULL;
}

static gboolean
do_create (LicenseStore *store, GError **error)
{
  return TRUE; /* opening it was all */
}

static gboolean
do_import (LicenseStore *store, GError **error)
{
  return import_bytes (store, first_bytes, error);
}

static gboolean
do_renew (LicenseStore *store, GError **error)
{
  return import_bytes (store, renewed_bytes, error);
}

static gboolean
do_play (LicenseStore *store, GError **error)
{
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);

  return license_store_play (store, entry, ts->clock.now.wall, error);
}

static gboolean
do_delete (LicenseStore *store, GError **error)
{
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);

  return !entry || license_store_delete (store, entry->document, error);
}

static gboolean
do_clean_up (LicenseStore *store, GError **error)
{
  ts->clock.now = start;
  test_clock_advance (&ts->clock, 40 * 86400);
  return license_store_clean_up (store, 0, NULL, error);
}

static void
prepare_nothing (LicenseStore *store)
{
}

static void
prepare_import (LicenseStore *store)
{
  fail_unless (do_import (store, NULL));
}

static void
prepare_play (LicenseStore *store)
{
  fail_unless (do_import (store, NULL) && do_play (store, NULL));
}

/* --- what is to be true ---------------------------------------------------- */

static void
check_readable (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);
}

static void
check_imported (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);

  fail_unless (entry != NULL, "the license is lost");
}

/* What was true before has to be true still. */
static void
check_played (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);

  fail_unless (entry != NULL, "the license is lost");
  assert_equals_int64 (entry->record.first_play, TEST_SECONDS (TEST_DAY));
}

static void
check_play (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);

  fail_unless (entry != NULL, "the license is lost");
  fail_unless (entry->record.first_play == LICENSE_TIME_NONE ||
      entry->record.first_play == TEST_SECONDS (TEST_DAY));
}

static void
check_renewed (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);

  check_played (store);
  fail_unless (g_bytes_equal (entry->document->bytes, renewed_bytes));
}

/* Given back and waiting to be told, or neither. */
static void
check_delete (LicenseStore *store)
{
  g_autoptr (GPtrArray) outbox = license_store_outbox (store, NULL);
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);

  assert_equals_int (outbox->len, entry ? 0 : 1);
}

static void
check_gone (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = test_ops_entry (store);

  fail_unless (entry == NULL, "it is there still");
}

static void
check_deleted (LicenseStore *store)
{
  check_delete (store);
  check_gone (store);
}

const TestOp test_ops[] = {
  { "create", NULL, do_create, check_readable, check_readable, 10 },
  { "import", prepare_nothing, do_import, check_readable, check_imported, 10 },
  { "first play", prepare_import, do_play, check_play, check_played, 6 },
  { "renew", prepare_play, do_renew, check_played, check_renewed, 6 },
  { "delete", prepare_play, do_delete, check_delete, check_deleted, 6 },
  { "clean up", prepare_import, do_clean_up, check_readable, check_gone, 6 },
};
const guint test_n_ops = G_N_ELEMENTS (test_ops);
