/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Killed at any point, a store is as before the call or as after it: no license
 * lost that was told to be stored, first play never forgotten and never set
 * twice. Once systematically, before each call by which SQLite changes a file;
 * once with two processes at work, killed from outside at random, or one of them
 * by itself at one of its calls. LICENSE_KILLS in the environment says how often
 * (60). A disk that loses what was not synced is in license-power.c.
 */

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "../license/testops.h"
#include "../license/teststore-fixture.h"
#include "../license/testvfs.h"

/* --- one operation, killed at each of its calls --------------------------- */

/* Returns: whether it was killed; else it has done its work */
static gboolean
run_child (const TestOp *op, gint calls)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0) {
    LicenseStore *store;

    test_vfs_install (TEST_VFS_DIE, calls, 0);
    store = test_store_open (&ts, op->prepare == NULL, NULL);
    _exit (store && op->run (store, NULL) ? 0 : 1);
  }
  waitpid (pid, &status, 0);
  if (WIFSIGNALED (status))
    return TRUE;
  fail_unless (WIFEXITED (status) && WEXITSTATUS (status) == 0, "%s: status %d",
      op->name, status);
  return FALSE;
}

static void
check_after_kill (const TestOp *op, gboolean killed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LicenseStore) store =
      test_store_open (&ts, op->prepare == NULL, &error);

  g_assert_no_error (error);
  (killed ? op->check : op->check_done) (store);
  /* The same again works, whatever is left of the first attempt. */
  fail_unless (op->run (store, NULL), "%s", op->name);
  op->check_done (store);
}

GST_START_TEST (test_each_call)
{
  const TestOp *op = &test_ops[__i__];
  gboolean killed = TRUE;
  gint n;

  test_ops_init (&ts);
  test_ops_prepare (op);
  for (n = 1; killed; n++) {
    fail_unless (n < 500, "it never ends");
    test_ops_restore (op);
    killed = run_child (op, n);
    check_after_kill (op, killed);
  }
  fail_unless (n > op->min_calls, "only %d calls", n);
  GST_INFO ("%s: %d kills", op->name, n - 2);
  test_ops_clear ();
}

GST_END_TEST;

/* --- at random, two processes -------------------------------------------- */

#define N_LICENSES 4
#define MAX_CALL 120 /* some three operations */

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

  if (step == 0) {
    entry = license_store_import (store, bytes, NULL, NULL, NULL);
    if (entry)
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

/* @call: at which it kills itself; 0: never */
static void
work (gint fd, gint seed, gint call)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) seed);
  LicenseStore *store;
  gint round;

  test_vfs_install (TEST_VFS_DIE, call, 0);
  store = test_store_open (&ts, TRUE, NULL);

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

  return text ? (guint) atoi (text) : 60;
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
start_worker (const int *fds, gint seed, gint call)
{
  pid_t pid = fork ();

  if (pid == 0) {
    close (fds[0]);
    work (fds[1], seed, call);
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
  /* The first one at one of its own calls, every other round. */
  for (i = 0; i < G_N_ELEMENTS (pids); i++)
    pids[i] = start_worker (fds, (gint) (1000 * round + i),
        i == 0 && round % 4 == 0 ? g_rand_int_range (rand, 1, MAX_CALL) : 0);
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
  tcase_add_loop_test (tc, test_each_call, 0, (int) test_n_ops);
  tcase_add_test (tc, test_two_processes);
  tcase_add_test (tc, test_first_start);
  return suite;
}

GST_CHECK_MAIN (license_crash);
