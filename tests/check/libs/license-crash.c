/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Killed at any point, a store is as before the call or as after it: no license
 * lost that was told to be stored, first play never forgotten and never set
 * twice. Once systematically, before each call by which SQLite changes a file;
 * once at random, with two processes at work. LICENSE_KILLS in the environment
 * says how often (100).
 *
 * What SIGKILL cannot show is a disk that loses what was not synced.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "../license/teststore.h"

static TestStore ts;

static void
setup (void)
{
  test_store_init (&ts);
}

static void
teardown (void)
{
  test_store_clear (&ts);
}

/* --- a VFS that dies ---------------------------------------------------- */

typedef struct
{
  sqlite3_file base;
  sqlite3_file *real;
} DyingFile;

static gint calls_left;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs dying_vfs;

static void
maybe_die (void)
{
  if (calls_left > 0 && --calls_left == 0)
    kill (getpid (), SIGKILL);
}

#define REAL(file) (((DyingFile *) (file))->real)

static int
f_close (sqlite3_file *f)
{
  int result = REAL (f)->pMethods->xClose (REAL (f));

  g_free (REAL (f));
  return result;
}

static int
f_read (sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
  return REAL (f)->pMethods->xRead (REAL (f), data, n, at);
}

static int
f_write (sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
  maybe_die ();
  /* Die with half of it written, too. */
  if (calls_left == 1)
    REAL (f)->pMethods->xWrite (REAL (f), data, n / 2, at);
  maybe_die ();
  return REAL (f)->pMethods->xWrite (REAL (f), data, n, at);
}

static int
f_truncate (sqlite3_file *f, sqlite3_int64 size)
{
  maybe_die ();
  return REAL (f)->pMethods->xTruncate (REAL (f), size);
}

static int
f_sync (sqlite3_file *f, int flags)
{
  maybe_die ();
  return REAL (f)->pMethods->xSync (REAL (f), flags);
}

static int
f_size (sqlite3_file *f, sqlite3_int64 *size)
{
  return REAL (f)->pMethods->xFileSize (REAL (f), size);
}

static int
f_lock (sqlite3_file *f, int level)
{
  return REAL (f)->pMethods->xLock (REAL (f), level);
}

static int
f_unlock (sqlite3_file *f, int level)
{
  maybe_die ();
  return REAL (f)->pMethods->xUnlock (REAL (f), level);
}

static int
f_check (sqlite3_file *f, int *result)
{
  return REAL (f)->pMethods->xCheckReservedLock (REAL (f), result);
}

static int
f_control (sqlite3_file *f, int op, void *arg)
{
  return REAL (f)->pMethods->xFileControl (REAL (f), op, arg);
}

static int
f_sector (sqlite3_file *f)
{
  return REAL (f)->pMethods->xSectorSize (REAL (f));
}

static int
f_device (sqlite3_file *f)
{
  return REAL (f)->pMethods->xDeviceCharacteristics (REAL (f));
}

static const sqlite3_io_methods dying_methods = { 1, f_close, f_read, f_write,
  f_truncate, f_sync, f_size, f_lock, f_unlock, f_check, f_control, f_sector,
  f_device };

static int
v_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *out)
{
  DyingFile *self = (DyingFile *) file;
  int result;

  self->base.pMethods = NULL;
  self->real = g_malloc0 ((gsize) real_vfs->szOsFile);
  result = real_vfs->xOpen (real_vfs, name, self->real, flags, out);
  if (self->real->pMethods)
    self->base.pMethods = &dying_methods;
  return result;
}

static int
v_delete (sqlite3_vfs *vfs, const char *name, int sync)
{
  maybe_die ();
  return real_vfs->xDelete (real_vfs, name, sync);
}

static void
install_dying_vfs (gint calls)
{
  real_vfs = sqlite3_vfs_find (NULL);
  dying_vfs = *real_vfs;
  dying_vfs.zName = "dying";
  dying_vfs.szOsFile = sizeof (DyingFile);
  dying_vfs.xOpen = v_open;
  dying_vfs.xDelete = v_delete;
  dying_vfs.pNext = NULL;
  calls_left = calls;
  sqlite3_vfs_register (&dying_vfs, 1);
}

/* --- one operation, killed at each of its calls --------------------------- */

#define DAY TEST_SECONDS (86400)

static GBytes *first_bytes, *renewed_bytes;

static void
make_documents (void)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  license->release_url = g_strdup ("https://licenses.example.com/release");
  first_bytes = test_store_write (&ts, license);
  license->issued += TEST_SECONDS (60);
  renewed_bytes = test_store_write (&ts, license);
}

static gboolean
import_bytes (LicenseStore *store, GBytes *bytes)
{
  g_autoptr (LicenseEntry) entry =
      license_store_import (store, bytes, NULL, NULL, NULL);

  return entry != NULL;
}

static LicenseEntry *
only_entry (LicenseStore *store)
{
  g_autoptr (GPtrArray) entries = license_store_find (store, NULL, NULL, NULL);

  fail_unless (entries != NULL, "the store does not read");
  fail_unless (entries->len <= 1);
  return entries->len ? g_ptr_array_steal_index (entries, 0) : NULL;
}

static gboolean
do_create (LicenseStore *store)
{
  return TRUE; /* opening it was all */
}

static gboolean
do_import (LicenseStore *store)
{
  return import_bytes (store, first_bytes);
}

static gboolean
do_renew (LicenseStore *store)
{
  return import_bytes (store, renewed_bytes);
}

static gboolean
do_play (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = only_entry (store);

  return license_store_play (store, entry, ts.clock.now.wall, NULL);
}

static gboolean
do_delete (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = only_entry (store);

  return !entry || license_store_delete (store, entry->document, NULL);
}

static gboolean
do_clean_up (LicenseStore *store)
{
  test_clock_advance (&ts.clock, 40 * 86400);
  return license_store_clean_up (store, 0, NULL, NULL);
}

static void
prepare_nothing (LicenseStore *store)
{
}

static void
prepare_import (LicenseStore *store)
{
  fail_unless (do_import (store));
}

static void
prepare_play (LicenseStore *store)
{
  fail_unless (do_import (store) && do_play (store));
}

/* What was true before has to be true still. */
static void
check_played (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = only_entry (store);

  fail_unless (entry != NULL, "the license is lost");
  assert_equals_int64 (entry->record.first_play, TEST_SECONDS (TEST_DAY));
}

static void
check_play (LicenseStore *store)
{
  g_autoptr (LicenseEntry) entry = only_entry (store);

  fail_unless (entry != NULL, "the license is lost");
  fail_unless (entry->record.first_play == LICENSE_TIME_NONE ||
      entry->record.first_play == TEST_SECONDS (TEST_DAY));
}

/* Given back and waiting to be told, or neither. */
static void
check_deleted (LicenseStore *store)
{
  g_autoptr (GPtrArray) outbox = license_store_outbox (store, NULL);
  g_autoptr (LicenseEntry) entry = only_entry (store);

  assert_equals_int (outbox->len, entry ? 0 : 1);
}

static const struct
{
  const gchar *name;
  void (*prepare) (LicenseStore *store);
  gboolean (*run) (LicenseStore *store);
  void (*check) (LicenseStore *store);
  guint min_calls;
} operations[] = {
  { "create", NULL, do_create, prepare_nothing, 10 },
  { "import", prepare_nothing, do_import, prepare_nothing, 10 },
  { "first play", prepare_import, do_play, check_play, 6 },
  { "renew", prepare_play, do_renew, check_played, 6 },
  { "delete", prepare_play, do_delete, check_deleted, 6 },
  { "clean up", prepare_import, do_clean_up, prepare_nothing, 6 },
};

static void
copy_file (const gchar *from, const gchar *to)
{
  g_autofree gchar *data = NULL;
  gsize size;

  fail_unless (g_file_get_contents (from, &data, &size, NULL));
  fail_unless (g_file_set_contents (to, data, (gssize) size, NULL));
}

/* Returns: whether it was killed; else it has done its work */
static gboolean
run_child (guint op, gint calls)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0) {
    LicenseStore *store;

    install_dying_vfs (calls);
    store = test_store_open (&ts, operations[op].prepare == NULL, NULL);
    _exit (store && operations[op].run (store) ? 0 : 1);
  }
  waitpid (pid, &status, 0);
  if (WIFSIGNALED (status))
    return TRUE;
  fail_unless (WIFEXITED (status) && WEXITSTATUS (status) == 0, "%s: status %d",
      operations[op].name, status);
  return FALSE;
}

static void
check_after_kill (guint op)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LicenseStore) store =
      test_store_open (&ts, operations[op].prepare == NULL, &error);

  g_assert_no_error (error);
  operations[op].check (store);
  /* The same again works, whatever is left of the first attempt. */
  fail_unless (operations[op].run (store), "%s", operations[op].name);
  operations[op].check (store);
}

GST_START_TEST (test_each_call)
{
  g_autofree gchar *base = g_strconcat (ts.path, ".base", NULL);
  g_autofree gchar *journal = g_strconcat (ts.path, "-journal", NULL);
  gboolean from_nothing = operations[__i__].prepare == NULL;
  gboolean killed = TRUE;
  gint n;

  make_documents ();
  if (from_nothing) {
    g_unlink (ts.path);
  } else {
    operations[__i__].prepare (ts.store);
    copy_file (ts.path, base);
  }
  g_clear_pointer (&ts.store, license_store_unref);

  for (n = 1; killed; n++) {
    LicenseInstant now = ts.clock.now;

    fail_unless (n < 500, "it never ends");
    if (from_nothing)
      g_unlink (ts.path);
    else
      copy_file (base, ts.path);
    g_unlink (journal);
    killed = run_child ((guint) __i__, n);
    check_after_kill ((guint) __i__);
    ts.clock.now = now;
  }
  fail_unless (n > (gint) operations[__i__].min_calls, "only %d calls", n);
  GST_INFO ("%s: %d kills", operations[__i__].name, n - 2);
  g_bytes_unref (first_bytes);
  g_bytes_unref (renewed_bytes);
}

GST_END_TEST;

/* --- at random, two processes -------------------------------------------- */

#define N_LICENSES 4

/* What a worker has been told to be stored. */
typedef struct
{
  gint kind; /* 'i' imported, 'p' played, 'r' renewed */
  gint license;
  gint64 first_play;
} Report;

static void
report (gint fd, gint kind, gint license, gint64 first_play)
{
  Report r = { kind, license, first_play };

  if (write (fd, &r, sizeof r) != sizeof r)
    _exit (1);
}

static LicenseDocument *
numbered (gint i, gint version)
{
  LicenseDocument *license = test_rental ();

  g_free (license->id);
  license->id = g_strdup_printf ("lic-%d", i);
  license->issued += TEST_SECONDS (version);
  return license;
}

static LicenseEntry *
find_numbered (LicenseStore *store, gint i)
{
  g_autofree gchar *id = g_strdup_printf ("lic-%d", i);
  g_autoptr (GPtrArray) entries = license_store_find (store, NULL, NULL, NULL);
  guint j;

  for (j = 0; entries && j < entries->len; j++) {
    LicenseEntry *entry = g_ptr_array_index (entries, j);

    if (g_str_equal (entry->document->id, id))
      return g_ptr_array_steal_index (entries, j);
  }
  return NULL;
}

static void
work_once (LicenseStore *store, gint fd, gint license, gint round, gint step)
{
  g_autoptr (LicenseDocument) draft = numbered (license, round);
  g_autoptr (GBytes) bytes =
      test_write (draft, &ts.issuer, license_store_device_key (store));
  g_autoptr (LicenseEntry) entry = NULL;

  if (step == 0 && import_bytes (store, bytes)) {
    report (fd, 'i', license, 0);
  } else if (step == 1) {
    entry = find_numbered (store, license);
    /* Each process would set another one: the first has to stay. */
    if (entry &&
        license_store_play (store, entry,
            TEST_SECONDS (TEST_DAY) + getpid () * 1000 + round, NULL))
      report (fd, 'p', license, entry->record.first_play);
  } else {
    license_store_clean_up (store, 0, NULL, NULL);
  }
}

static void
work (gint fd, gint seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) seed);
  LicenseStore *store = test_store_open (&ts, TRUE, NULL);
  gint round;

  if (!store)
    _exit (1);
  for (round = 0;; round++)
    work_once (store, fd, g_rand_int_range (rand, 0, N_LICENSES), seed + round,
        g_rand_int_range (rand, 0, 3));
}

/* What the workers of one round report, and what all have. */
typedef struct
{
  gint fd;
  gboolean imported[N_LICENSES];
  gint64 first_play[N_LICENSES];
} Ledger;

/* Returns: whether there was one */
static gboolean
read_report (Ledger *ledger)
{
  Report r;

  if (read (ledger->fd, &r, sizeof r) != sizeof r)
    return FALSE;
  ledger->imported[r.license] = TRUE;
  if (r.kind != 'p')
    return TRUE;
  fail_unless (ledger->first_play[r.license] == LICENSE_TIME_NONE ||
          ledger->first_play[r.license] == r.first_play,
      "first play of %d was set twice", r.license);
  ledger->first_play[r.license] = r.first_play;
  return TRUE;
}

static void
check_reports (const Ledger *ledger)
{
  g_autoptr (LicenseStore) store = test_store_open (&ts, FALSE, NULL);
  gint i;

  fail_unless (store != NULL, "the store does not open");
  for (i = 0; i < N_LICENSES; i++) {
    g_autoptr (LicenseEntry) entry = find_numbered (store, i);

    fail_unless (entry || !ledger->imported[i], "license %d is lost", i);
    if (ledger->first_play[i] != LICENSE_TIME_NONE)
      fail_unless (entry->record.first_play == ledger->first_play[i],
          "first play of %d is forgotten", i);
  }
}

static guint
n_kills (void)
{
  const gchar *text = g_getenv ("LICENSE_KILLS");

  return text ? (guint) atoi (text) : 100;
}

/* Waits for @wanted reports, and then for as long as some thousand readings of
 * the clock take: the workers are at some point of what comes next. */
static void
wait_for_work (Ledger *ledger, guint wanted, GRand *rand)
{
  guint i;

  for (i = 0; i < wanted; i++)
    fail_unless (read_report (ledger), "the workers do nothing");
  for (i = (guint) g_rand_int_range (rand, 0, 20000); i > 0; i--)
    g_get_monotonic_time ();
}

static pid_t
start_worker (const int *fds, gint seed)
{
  pid_t pid = fork ();

  if (pid == 0) {
    close (fds[0]);
    work (fds[1], seed);
  }
  return pid;
}

static void
run_round (Ledger *ledger, guint round, GRand *rand)
{
  pid_t pids[2];
  int fds[2];
  guint i;

  fail_unless (pipe (fds) == 0);
  ledger->fd = fds[0];
  for (i = 0; i < G_N_ELEMENTS (pids); i++)
    pids[i] = start_worker (fds, (gint) (1000 * round + i));
  close (fds[1]);
  wait_for_work (ledger, 1 + round % 3, rand);
  for (i = 0; i < G_N_ELEMENTS (pids); i++)
    kill (pids[i], SIGKILL);
  for (i = 0; i < G_N_ELEMENTS (pids); i++)
    waitpid (pids[i], NULL, 0);
  while (read_report (ledger))
    ;
  close (fds[0]);
  check_reports (ledger);
}

GST_START_TEST (test_two_processes)
{
  Ledger ledger = { -1 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (20270105);
  guint i;

  for (i = 0; i < N_LICENSES; i++)
    ledger.first_play[i] = LICENSE_TIME_NONE;
  for (i = 0; i < n_kills (); i += 2)
    run_round (&ledger, i, rand);
  for (i = 0; i < N_LICENSES; i++)
    fail_unless (ledger.imported[i], "license %u never came", i);
}

GST_END_TEST;

/* Two processes that start on a new device get one key, one store. */
GST_START_TEST (test_first_start)
{
  guint i, j;

  g_clear_pointer (&ts.store, license_store_unref);
  for (i = 0; i < 10; i++) {
    pid_t pids[4];
    int status;

    g_unlink (ts.path);
    g_unlink (ts.key_path);
    for (j = 0; j < G_N_ELEMENTS (pids); j++) {
      pids[j] = fork ();
      if (pids[j] == 0)
        _exit (test_store_open (&ts, TRUE, NULL) ? 0 : 1);
    }
    for (j = 0; j < G_N_ELEMENTS (pids); j++) {
      waitpid (pids[j], &status, 0);
      fail_unless (status == 0);
    }
  }
}

GST_END_TEST;

static Suite *
license_crash_suite (void)
{
  Suite *suite = suite_create ("license-crash");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 600);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_each_call, 0, G_N_ELEMENTS (operations));
  tcase_add_test (tc, test_two_processes);
  tcase_add_test (tc, test_first_start);
  return suite;
}

GST_CHECK_MAIN (license_crash);
