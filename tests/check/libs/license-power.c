/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The power fails, and the disk has lost what was not synced: all of it, or some
 * of its sectors, in no order. A store is as before the call or as after it; and
 * as after it, once the call had returned. LICENSE_KILLS in the environment: how
 * many times in all, at least (without: at each sync, and at the end).
 */

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gst/check/gstcheck.h>

#include "../license/testops.h"
#include "../license/testvfs.h"

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

/* In the child. Never comes back. */
static void
work (const TestOp *op, gint call, guint32 seed, gint fd)
{
  LicenseStore *store;

  test_vfs_install (TEST_VFS_POWER, call, seed);
  store = test_store_open (&ts, op->prepare == NULL, NULL);
  if (!store || !op->run (store, NULL) || write (fd, "", 1) != 1)
    _exit (1);
  test_vfs_power_loss ();
}

/* Returns: whether it had returned before the power failed */
static gboolean
lose_power (const TestOp *op, gint call, guint32 seed)
{
  gint fds[2], status;
  gboolean done;
  gchar byte;
  pid_t pid;

  fail_unless (pipe (fds) == 0);
  pid = fork ();
  if (pid == 0)
    work (op, call, seed, fds[1]);
  close (fds[1]);
  done = read (fds[0], &byte, 1) == 1;
  close (fds[0]);
  waitpid (pid, &status, 0);
  fail_unless (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL,
      "%s, call %d: status %d", op->name, call, status);
  return done;
}

static void
check_after (const TestOp *op, gboolean done)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LicenseStore) store =
      test_store_open (&ts, op->prepare == NULL && !done, &error);

  g_assert_no_error (error);
  (done ? op->check_done : op->check) (store);
  fail_unless (op->run (store, NULL), "%s", op->name);
  op->check_done (store);
}

/* Without a fault: how many calls there are, and which are syncs. */
static GArray *
list_calls (const TestOp *op, gboolean syncs_only)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (gint));
  gint call, n, fds[2];
  pid_t pid;

  test_ops_restore (op);
  fail_unless (pipe (fds) == 0);
  pid = fork ();
  if (pid == 0) {
    LicenseStore *store;

    test_vfs_install (TEST_VFS_WATCH, 0, 0);
    test_vfs_watch (fds[1], syncs_only);
    store = test_store_open (&ts, op->prepare == NULL, NULL);
    _exit (store && op->run (store, NULL) ? 0 : 1);
  }
  close (fds[1]);
  while ((n = (gint) read (fds[0], &call, sizeof call)) == sizeof call)
    g_array_append_val (list, call);
  close (fds[0]);
  waitpid (pid, NULL, 0);
  return list;
}

static void
fail_at (const TestOp *op, gint call, guint32 seed)
{
  test_ops_restore (op);
  check_after (op, lose_power (op, call, seed));
}

static guint
n_rounds (guint n_calls)
{
  const gchar *text = g_getenv ("LICENSE_KILLS");

  return text ? (guint) atoi (text) / test_n_ops / n_calls + 1 : 1;
}

GST_START_TEST (test_power_loss)
{
  const TestOp *op = &test_ops[__i__];
  gboolean brief = g_getenv ("LICENSE_KILLS") == NULL;
  g_autoptr (GArray) calls = NULL;
  guint i, round;

  test_ops_prepare (op);
  calls = list_calls (op, brief);
  fail_unless (calls->len >= (brief ? 2 : (guint) op->min_calls));
  for (round = 0; round < n_rounds (calls->len); round++) {
    for (i = 0; i < calls->len; i++)
      fail_at (op, g_array_index (calls, gint, i),
          round == 0 && i % 2 == 0 ? 0 : 1 + round * 1000 + i);
  }
  /* Behind the last one: it has returned. */
  fail_at (op, 0, 0);
  fail_at (op, 0, 1);
}

GST_END_TEST;

static Suite *
license_power_suite (void)
{
  Suite *suite = suite_create ("license-power");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 600);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_power_loss, 0, (int) test_n_ops);
  return suite;
}

GST_CHECK_MAIN (license_power);
