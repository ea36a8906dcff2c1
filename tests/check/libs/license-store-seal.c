/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an editor of databases changes in a store is seen; what is secret is not. */

#define _GNU_SOURCE
#include <string.h>

#include <gst/check/gstcheck.h>

#include "../license/teststore-fixture.h"

/* Whatever an editor of databases changes is seen. */
static const gchar *const tampering[] = {
  "UPDATE state SET first_play = first_play + 1000000",
  "UPDATE state SET first_play = -9223372036854775808",
  "UPDATE state SET released = 1",
  "UPDATE state SET version = version + 1",
  "UPDATE state SET issued = 0",
  "UPDATE state SET keep_until = 0",
  "UPDATE state SET seal = x''",
  "UPDATE state SET seal = zeroblob (32)",
  "DELETE FROM state",
  "UPDATE floor SET time = 0",
  "UPDATE floor SET boot_id = 'x'",
  "UPDATE floor SET boottime = boottime + 1",
  "DELETE FROM floor",
  "UPDATE mark SET seen = 0",
  "UPDATE mark SET counter = 0",
  "DELETE FROM mark",
};

GST_START_TEST (test_tampering)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GError) error = NULL;
  GPtrArray *entries;
  sqlite3 *db;

  test_store_import (&ts, license);
  test_store_play (&ts);
  fail_unless (sqlite3_open (ts.path, &db) == SQLITE_OK);
  fail_unless (
      sqlite3_exec (db, tampering[__i__], NULL, NULL, NULL) == SQLITE_OK);
  fail_unless (sqlite3_changes (db) == 1);
  sqlite3_close (db);
  entries = license_store_find (ts.store, NULL, NULL, &error);
  fail_unless (entries == NULL, "%s", tampering[__i__]);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE));
}

GST_END_TEST;

/* A record cannot be moved to another license either. */
GST_START_TEST (test_swapped_records)
{
  g_autoptr (LicenseDocument) one = test_rental (), two = test_rental ();
  g_autoptr (GError) error = NULL;
  sqlite3 *db;

  test_store_import (&ts, one);
  test_store_play (&ts);
  g_free (two->id);
  two->id = g_strdup ("lic-2");
  test_store_import (&ts, two);
  sqlite3_open (ts.path, &db);
  fail_unless (sqlite3_exec (db,
                   "DELETE FROM state WHERE id = 'lic-1';"
                   "UPDATE state SET id = 'lic-1' WHERE id = 'lic-2'",
                   NULL, NULL, NULL) == SQLITE_OK);
  sqlite3_close (db);
  fail_unless (license_store_find (ts.store, test_kid, NULL, &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE));
}

GST_END_TEST;

/* A changed document is left out, and why is told; the others still play. */
GST_START_TEST (test_changed_document)
{
  g_autoptr (LicenseDocument) one = test_rental (), two = test_rental ();
  g_autoptr (GError) skipped = NULL, error = NULL;
  g_autoptr (GPtrArray) entries = NULL;
  sqlite3 *db;

  test_store_import (&ts, one);
  g_free (two->id);
  two->id = g_strdup ("lic-2");
  test_store_import (&ts, two);
  sqlite3_open (ts.path, &db);
  fail_unless (
      sqlite3_exec (db,
          "UPDATE license SET document = CAST (substr (document, 1, 600) || 'A' ||"
          " substr (document, 602) AS BLOB) WHERE id = 'lic-2'",
          NULL, NULL, NULL) == SQLITE_OK);
  sqlite3_close (db);
  entries = license_store_find (ts.store, test_kid, &skipped, &error);
  g_assert_no_error (error);
  assert_equals_int (entries->len, 1);
  fail_unless (skipped != NULL);
}

GST_END_TEST;

/* The key is in neither the file nor its journal, and nor is the seal'ts. */
GST_START_TEST (test_no_plaintext)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autofree gchar *data = NULL;
  gsize size;

  test_store_import (&ts, license);
  test_store_play (&ts);
  fail_unless (g_file_get_contents (ts.path, &data, &size, NULL));
  fail_unless (memmem (data, size, test_kid, 16) != NULL,
      "the test's own check");
  fail_unless (memmem (data, size, test_key, 16) == NULL);
  fail_unless (memmem (data, size, "S0VZ", 4) == NULL, "base64 of KEY");
}

GST_END_TEST;

static Suite *
license_store_seal_suite (void)
{
  Suite *suite = suite_create ("license-store-seal");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_tampering, 0, G_N_ELEMENTS (tampering));
  tcase_add_test (tc, test_swapped_records);
  tcase_add_test (tc, test_changed_document);
  tcase_add_test (tc, test_no_plaintext);
  return suite;
}

GST_CHECK_MAIN (license_store_seal);
