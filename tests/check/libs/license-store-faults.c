/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk that is full, broken, or read-only, and a file that is damaged: an error
 * each, nothing lost, and all goes on when the disk is well again. LICENSE_KILLS
 * in the environment: at each call.
 */

#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "../license/testops.h"
#include "../license/testvfs.h"

#define NOBODY 65534

static TestStore ts;

static void
setup (void)
{
  test_store_init (&ts);
  test_ops_init (&ts);
}

static void
teardown (void)
{
  test_ops_clear ();
  test_store_clear (&ts);
}

/* --- each call fails ------------------------------------------------------- */

static const gint codes[] = { SQLITE_FULL, SQLITE_IOERR_WRITE,
  SQLITE_READONLY };

static gboolean
open_and_run (const TestOp *op, LicenseStore **store, GError **error)
{
  *store = test_store_open (&ts, op->prepare == NULL, error);
  return *store && op->run (*store, error);
}

/* The disk is well again: this very handle, if there is one, goes on. */
static void
check_after (const TestOp *op, LicenseStore *store, gboolean done)
{
  if (!store)
    store = test_store_open (&ts, op->prepare == NULL, NULL);
  fail_unless (store != NULL, "%s: the store does not open", op->name);
  (done ? op->check_done : op->check) (store);
  fail_unless (op->run (store, NULL), "%s", op->name);
  op->check_done (store);
  license_store_unref (store);
  store = test_store_open (&ts, FALSE, NULL);
  fail_unless (store != NULL);
  op->check_done (store);
  license_store_unref (store);
}

/* Returns: whether the operation went well, that is, has fewer calls */
static gboolean
run_and_fail (const TestOp *op, gint call, gint code)
{
  g_autoptr (GError) error = NULL;
  LicenseStore *store = NULL;
  gboolean ok;

  test_ops_restore (op);
  test_vfs_fail (call, code);
  ok = open_and_run (op, &store, &error);
  test_vfs_fail (0, 0);
  if (!ok)
    fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE),
        "%s, call %d: %s", op->name, call, error->message);
  check_after (op, store, ok);
  return ok;
}

GST_START_TEST (test_each_call)
{
  const TestOp *op = &test_ops[__i__ % (gint) test_n_ops];
  gint code = codes[__i__ / (gint) test_n_ops];
  /* From where on matters more than how: a full disk at every third call, the
   * others at every eighth; each at each, if there is time. */
  gint step = g_getenv ("LICENSE_KILLS") ? 1 : code == SQLITE_FULL ? 3 : 8;
  gint n = 1;

  test_vfs_install (TEST_VFS_FAIL, 0, 0);
  test_ops_prepare (op);
  while (!run_and_fail (op, n, code)) {
    n += step;
    fail_unless (n < 200, "it never ends");
  }
  fail_unless (n > 3, "only %d calls", n);
}

GST_END_TEST;

/* --- a real one is full ---------------------------------------------------- */

/* No byte can be written any more: an error, and all is as before. */
static void
disk_full (gboolean full)
{
  struct rlimit limit;

  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = full ? 0 : limit.rlim_max;
  signal (SIGXFSZ, SIG_IGN);
  if (setrlimit (RLIMIT_FSIZE, &limit) != 0)
    g_error ("setrlimit");
}

/* libcheck itself writes to a file at each assertion: none in between. */
static GError *
import_on_full_disk (const LicenseDocument *license)
{
  g_autoptr (GBytes) bytes = test_store_write (&ts, license);
  LicenseEntry *entry;
  GError *error = NULL;

  disk_full (TRUE);
  entry = license_store_import (ts.store, bytes, NULL, NULL, &error);
  disk_full (FALSE);
  fail_unless (entry == NULL);
  return error;
}

static GError *
play_on_full_disk (LicenseEntry *entry)
{
  GError *error = NULL;

  disk_full (TRUE);
  license_store_play (ts.store, entry, ts.clock.now.wall, &error);
  disk_full (FALSE);
  return error;
}

GST_START_TEST (test_full_disk)
{
  g_autoptr (LicenseDocument) license = test_rental (), two = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL, again = NULL;
  g_autoptr (GError) error = NULL;

  test_store_import (&ts, license);
  entry = test_store_entry (&ts);
  g_free (two->id);
  two->id = g_strdup ("lic-2");
  error = import_on_full_disk (two);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE));
  g_clear_error (&error);

  /* First play has to be on the disk before the first sample goes out. */
  error = play_on_full_disk (entry);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE));
  g_clear_error (&error);
  assert_equals_int64 (entry->record.first_play, LICENSE_TIME_NONE);
  test_store_reopen (&ts);
  assert_equals_int64 (test_store_first_play (&ts), LICENSE_TIME_NONE);
  test_store_play (&ts);

  /* Once begun, it plays on though the marks cannot be stored. */
  test_clock_advance (&ts.clock, 3600);
  again = test_store_entry (&ts);
  error = play_on_full_disk (again);
  g_assert_no_error (error);
}

GST_END_TEST;

/* --- read-only --------------------------------------------------------------- */

/* Returns: 0, or which of it went wrong */
static gint
use_read_only (GBytes *other, gboolean played)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LicenseStore) store = test_store_open (&ts, TRUE, &error);
  g_autoptr (LicenseEntry) entry = NULL, imported = NULL;

  if (!store)
    return 1;
  entry = test_ops_entry (store);
  if (!entry || !license_store_has_kid (store, test_kid))
    return 2;
  /* What has begun plays on; what has not cannot begin. */
  if (license_store_play (store, entry, ts.clock.now.wall + 1, &error) !=
      played)
    return 3;
  if (!played && !g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE))
    return 4;
  g_clear_error (&error);
  imported = license_store_import (store, other, NULL, NULL, &error);
  if (imported ||
      !g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE))
    return 5;
  g_clear_error (&error);
  if (license_store_delete (store, entry->document, &error) ||
      !g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE))
    return 6;
  return 0;
}

static void
set_writable (gboolean writable)
{
  g_chmod (ts.path, writable ? 0600 : 0444);
  g_chmod (ts.key_path, writable ? 0600 : 0444);
  g_chmod (ts.folder, writable ? 0700 : 0555);
}

/* As somebody whom permissions hold for, if need be. */
static gint
run_read_only (GBytes *other, gboolean played)
{
  pid_t pid;
  int status;

  pid = fork ();
  if (pid == 0) {
    if (getuid () == 0 &&
        (setgroups (0, NULL) != 0 || setgid (NOBODY) != 0 ||
            setuid (NOBODY) != 0))
      _exit (100);
    _exit (use_read_only (other, played));
  }
  waitpid (pid, &status, 0);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

GST_START_TEST (test_read_only)
{
  g_autoptr (LicenseDocument) license = test_rental (), two = test_rental ();
  g_autoptr (GBytes) other = NULL;
  gint64 counter, after;
  gint result;

  g_free (two->id);
  two->id = g_strdup ("lic-2");
  other = test_store_write (&ts, two);
  test_store_import (&ts, license);
  if (__i__)
    test_store_play (&ts);
  license_store_counter (ts.store, &counter, NULL);
  g_clear_pointer (&ts.store, license_store_unref);
  set_writable (FALSE);
  result = run_read_only (other, __i__ != 0);
  set_writable (TRUE);
  assert_equals_int (result, 0);
  test_store_reopen (&ts);
  license_store_counter (ts.store, &after, NULL);
  assert_equals_int64 (after, counter);
  assert_equals_int64 (test_store_first_play (&ts),
      __i__ ? TEST_SECONDS (TEST_DAY) : LICENSE_TIME_NONE);
}

GST_END_TEST;

/* --- missing ----------------------------------------------------------------- */

GST_START_TEST (test_missing)
{
  g_autoptr (LicenseStore) store = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = g_build_filename (ts.folder, "none", "x.db", NULL);

  g_free (ts.path);
  ts.path = g_steal_pointer (&path);
  store = test_store_open (&ts, FALSE, &error);
  fail_unless (store == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE));
  fail_if (g_file_test (ts.path, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

/* Folders that are not there are made, for nobody else to look into. */
GST_START_TEST (test_new_folders)
{
  g_autofree gchar *top = g_build_filename (ts.folder, "new", NULL);
  g_autofree gchar *folder = g_build_filename (top, "er", NULL);
  g_autofree gchar *key = g_build_filename (folder, "device.pem", NULL);
  g_autofree gchar *path = g_build_filename (folder, "licenses.db", NULL);
  GStatBuf info;

  g_clear_pointer (&ts.store, license_store_unref);
  g_free (ts.path);
  g_free (ts.key_path);
  ts.path = g_strdup (path);
  ts.key_path = g_strdup (key);
  test_store_reopen (&ts);
  fail_unless (g_stat (top, &info) == 0 && (info.st_mode & 0777) == 0700);
  fail_unless (g_stat (folder, &info) == 0 && (info.st_mode & 0777) == 0700);
  fail_unless (g_stat (path, &info) == 0 && (info.st_mode & 0777) == 0600);
  g_clear_pointer (&ts.store, license_store_unref);
  g_unlink (path);
  g_unlink (key);
  g_rmdir (folder);
  g_rmdir (top);
}

GST_END_TEST;

/* --- damaged ----------------------------------------------------------------- */

/* Not a database, or one cut short. */
GST_START_TEST (test_damaged_file)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseStore) store = NULL;
  g_autoptr (GError) error = NULL;

  test_store_import (&ts, license);
  fail_unless (truncate (ts.path, 5000) == 0);
  store = test_store_open (&ts, TRUE, &error);
  if (store)
    fail_unless (license_store_find (store, NULL, NULL, &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE));
  g_clear_error (&error);
  g_clear_pointer (&store, license_store_unref);
  g_file_set_contents (ts.path, "no database, but long enough to be looked at",
      -1, NULL);
  store = test_store_open (&ts, TRUE, &error);
  fail_unless (store == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE));
}

GST_END_TEST;

static Suite *
license_store_faults_suite (void)
{
  Suite *suite = suite_create ("license-store-faults");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_each_call, 0,
      (int) (test_n_ops * G_N_ELEMENTS (codes)));
  tcase_add_test (tc, test_full_disk);
  tcase_add_loop_test (tc, test_read_only, 0, 2);
  tcase_add_test (tc, test_missing);
  tcase_add_test (tc, test_new_folders);
  tcase_add_test (tc, test_damaged_file);
  return suite;
}

GST_CHECK_MAIN (license_store_faults);
