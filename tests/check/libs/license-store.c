/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store: what it keeps, and what it refuses. */

#include <sys/stat.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "../license/teststore-fixture.h"

/* Imports and expects to be refused with @code. */
static void
expect_refused (const LicenseDocument *license, const gchar *nonce, gint code)
{
  g_autoptr (GBytes) bytes = test_store_write (&ts, license);
  g_autoptr (GError) error = NULL;
  g_autoptr (LicenseEntry) entry =
      license_store_import (ts.store, bytes, nonce, NULL, &error);

  fail_unless (entry == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, code), "code %d: %s",
      error->code, error->message);
}

GST_START_TEST (test_device_key)
{
  struct stat info;
  g_autofree gchar *before = NULL, *after = NULL;

  fail_unless (g_stat (ts.key_path, &info) == 0);
  assert_equals_int (info.st_mode & 0777, 0600);
  fail_unless (g_stat (ts.path, &info) == 0);
  assert_equals_int (info.st_mode & 0777, 0600);
  before = jose_key_thumbprint (license_store_device_key (ts.store), NULL);
  test_store_reopen (&ts);
  after = jose_key_thumbprint (license_store_device_key (ts.store), NULL);
  assert_equals_string (before, after);
}

GST_END_TEST;

GST_START_TEST (test_import)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL;
  g_autoptr (GPtrArray) kids = NULL, by_kid = NULL, by_other = NULL;
  g_autoptr (GBytes) bytes = test_store_write (&ts, license);
  LicenseImport kind;

  fail_if (license_store_has_kid (ts.store, test_kid));
  license_entry_free (
      license_store_import (ts.store, bytes, NULL, &kind, NULL));
  fail_unless (kind == LICENSE_IMPORT_NEW);
  license_entry_free (
      license_store_import (ts.store, bytes, NULL, &kind, NULL));
  fail_unless (kind == LICENSE_IMPORT_SAME);

  test_store_reopen (&ts);
  entry = test_store_entry (&ts);
  fail_unless (g_bytes_equal (entry->document->bytes, bytes), "not verbatim");
  fail_unless (test_store_decide (entry).allowed);
  fail_unless (license_store_has_kid (ts.store, test_kid));
  fail_unless (license_store_has_kid (ts.store, test_kid2));
  kids = license_store_list_kids (ts.store, NULL);
  assert_equals_int (kids->len, 2);
  by_kid = license_store_find (ts.store, test_kid2, NULL, NULL);
  assert_equals_int (by_kid->len, 1);
  by_other = license_store_find (ts.store, test_key, NULL, NULL);
  assert_equals_int (by_other->len, 0);
}

GST_END_TEST;

GST_START_TEST (test_first_play)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseStore) other = NULL;
  g_autoptr (LicenseEntry) stale = NULL;
  g_autoptr (GError) error = NULL;

  test_store_import (&ts, license);
  assert_equals_int64 (test_store_first_play (&ts), LICENSE_TIME_NONE);
  stale = test_store_entry (&ts);
  test_store_play (&ts);
  assert_equals_int64 (test_store_first_play (&ts), TEST_SECONDS (TEST_DAY));

  /* A second process that has read the store before does not set it again. */
  test_clock_advance (&ts.clock, 3600);
  other = test_store_open (&ts, FALSE, NULL);
  fail_unless (license_store_play (other, stale, ts.clock.now.wall, &error));
  assert_equals_int64 (stale->record.first_play, TEST_SECONDS (TEST_DAY));
  fail_if (stale->began_play);
  test_store_reopen (&ts);
  assert_equals_int64 (test_store_first_play (&ts), TEST_SECONDS (TEST_DAY));
}

GST_END_TEST;

GST_START_TEST (test_tombstone)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL;

  test_store_import (&ts, license);
  test_store_play (&ts);
  entry = test_store_entry (&ts);
  fail_unless (license_store_delete (ts.store, entry->document, NULL));
  fail_if (license_store_has_kid (ts.store, test_kid));
  test_store_reopen (&ts);
  test_store_import (&ts, license);
  assert_equals_int64 (test_store_first_play (&ts), TEST_SECONDS (TEST_DAY));
}

GST_END_TEST;

GST_START_TEST (test_renewal)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseDocument) renewed = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL;

  test_store_import (&ts, license);
  test_store_play (&ts);
  test_clock_advance (&ts.clock, 86400);
  renewed->issued += TEST_SECONDS (86400);
  renewed->rules.not_after += TEST_SECONDS (86400 * 30);
  test_store_import (&ts, renewed);
  entry = test_store_entry (&ts);
  assert_equals_int64 (entry->document->rules.not_after,
      renewed->rules.not_after);
  assert_equals_int64 (entry->record.first_play, TEST_SECONDS (TEST_DAY));

  expect_refused (license, NULL, GST_CENC_ERROR_REVOKED);
  renewed->rules.not_after += TEST_SECONDS (1);
  expect_refused (renewed, NULL, GST_CENC_ERROR_REVOKED);
}

GST_END_TEST;

GST_START_TEST (test_release)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL;
  g_autoptr (GPtrArray) outbox = NULL, empty = NULL;
  g_autoptr (GError) error = NULL;

  license->release_url = g_strdup ("https://licenses.example.com/release");
  test_store_import (&ts, license);
  entry = test_store_entry (&ts);
  fail_unless (license_store_delete (ts.store, entry->document, NULL));
  expect_refused (license, NULL, GST_CENC_ERROR_REVOKED);
  fail_if (license_store_play (ts.store, entry, ts.clock.now.wall, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_REVOKED));

  test_store_reopen (&ts);
  outbox = license_store_outbox (ts.store, NULL);
  assert_equals_int (outbox->len, 1);
  fail_unless (license_store_outbox_done (ts.store,
      g_ptr_array_index (outbox, 0), NULL));
  empty = license_store_outbox (ts.store, NULL);
  assert_equals_int (empty->len, 0);
}

GST_END_TEST;

GST_START_TEST (test_nonce)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL, again = NULL;

  license->nonce = g_strdup ("bm9uY2U");
  /* A fresh store is no fresh rental. */
  expect_refused (license, NULL, GST_CENC_ERROR_REVOKED);
  /* A recorded answer does not do for another request. */
  expect_refused (license, "b3RoZXI", GST_CENC_ERROR_SIGNATURE);
  test_store_import (&ts, license);
  entry = test_store_entry (&ts);
  fail_unless (license_store_delete (ts.store, entry->document, NULL));
  /* What is on record may come back from a file. */
  again =
      license_store_import (ts.store, entry->document->bytes, NULL, NULL, NULL);
  fail_unless (again != NULL);
}

GST_END_TEST;

GST_START_TEST (test_session_only)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (LicenseEntry) entry = NULL;
  g_autoptr (GError) error = NULL;

  license->rules.persistent = FALSE;
  expect_refused (license, NULL, GST_CENC_ERROR_UNSUPPORTED);
  license->nonce = g_strdup ("bm9uY2U");
  bytes = test_store_write (&ts, license);
  entry = license_store_import (ts.store, bytes, "bm9uY2U", NULL, &error);
  g_assert_no_error (error);
  fail_if (license_store_has_kid (ts.store, test_kid), "stored");
  fail_unless (license_store_play (ts.store, entry, ts.clock.now.wall, &error));
  assert_equals_int64 (entry->record.first_play, TEST_SECONDS (TEST_DAY));
}

GST_END_TEST;

GST_START_TEST (test_other_device)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (EVP_PKEY) other = jose_key_generate ();
  g_autoptr (GBytes) bytes = test_write (license, &ts.issuer, other);
  g_autoptr (LicenseStore) store = NULL;
  g_autoptr (GError) error = NULL;

  fail_unless (
      license_store_import (ts.store, bytes, NULL, NULL, &error) == NULL);
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_OTHER_DEVICE));
  g_clear_error (&error);

  g_unlink (ts.key_path);
  store = test_store_open (&ts, TRUE, &error);
  fail_unless (store == NULL);
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_OTHER_DEVICE));
}

GST_END_TEST;

GST_START_TEST (test_clean_up)
{
  g_autoptr (LicenseDocument) rental = test_rental (), owned = test_rental ();
  g_autoptr (GPtrArray) none = NULL, some = NULL;
  g_autoptr (LicenseEntry) entry = NULL;

  test_store_import (&ts, rental);
  test_store_play (&ts);
  g_free (owned->id);
  owned->id = g_strdup ("owned");
  owned->rules.rights = LICENSE_RIGHTS_BUY_TO_OWN;
  owned->rules.not_after = owned->rules.playback_duration = LICENSE_TIME_NONE;
  test_store_import (&ts, owned);

  /* Over for a day, with two days of grace. */
  test_clock_advance (&ts.clock, 3 * 86400);
  fail_unless (
      license_store_clean_up (ts.store, 2 * TEST_SECONDS (86400), &none, NULL));
  assert_equals_int (none->len, 0);
  fail_unless (
      license_store_clean_up (ts.store, TEST_SECONDS (3600), &some, NULL));
  assert_equals_int (some->len, 1);
  entry = test_store_entry (&ts);
  assert_equals_string (entry->document->id, "owned");

  /* Within its window it can be had again, but does not start over. */
  test_store_import (&ts, rental);
  {
    g_autoptr (GPtrArray) found =
        license_store_find (ts.store, test_kid, NULL, NULL);
    guint i, seen = 0;

    for (i = 0; i < found->len; i++) {
      LicenseEntry *e = g_ptr_array_index (found, i);

      if (g_str_equal (e->document->id, "lic-1")) {
        seen++;
        assert_equals_int64 (e->record.first_play, TEST_SECONDS (TEST_DAY));
      }
    }
    assert_equals_int (seen, 1);
  }
}

GST_END_TEST;

/* Documents that open no longer are not in the way of what is over. */
GST_START_TEST (test_clean_up_behind_others)
{
  g_autoptr (LicenseDocument) rental = test_rental ();
  g_autoptr (GPtrArray) removed = NULL;
  sqlite3 *db;

  test_store_import (&ts, rental);
  fail_unless (sqlite3_open (ts.path, &db) == SQLITE_OK);
  fail_unless (sqlite3_exec (db,
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
                   " FROM n LIMIT 1000) INSERT INTO license"
                   " SELECT 'gone', i, x'78', 1 FROM n",
                   NULL, NULL, NULL) == SQLITE_OK);
  sqlite3_close (db);
  test_clock_advance (&ts.clock, 31 * 86400);
  fail_unless (license_store_clean_up (ts.store, 0, &removed, NULL));
  assert_equals_int (removed->len, 1);
}

GST_END_TEST;

GST_START_TEST (test_counter)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  gint64 before, after;

  fail_unless (license_store_counter (ts.store, &before, NULL));
  test_store_import (&ts, license);
  license_store_counter (ts.store, &after, NULL);
  fail_unless (after > before);
  before = after;
  test_store_play (&ts);
  license_store_counter (ts.store, &after, NULL);
  fail_unless (after > before);
}

GST_END_TEST;

static Suite *
license_store_suite (void)
{
  Suite *suite = suite_create ("license-store");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_device_key);
  tcase_add_test (tc, test_import);
  tcase_add_test (tc, test_first_play);
  tcase_add_test (tc, test_tombstone);
  tcase_add_test (tc, test_renewal);
  tcase_add_test (tc, test_release);
  tcase_add_test (tc, test_nonce);
  tcase_add_test (tc, test_session_only);
  tcase_add_test (tc, test_other_device);
  tcase_add_test (tc, test_clean_up);
  tcase_add_test (tc, test_clean_up_behind_others);
  tcase_add_test (tc, test_counter);
  return suite;
}

GST_CHECK_MAIN (license_store);
