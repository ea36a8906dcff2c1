/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Renewals in the background: when they are tried, and when not again. */

#include <gst/check/gstcheck.h>

#include "license/license-renewer.h"

static const guint8 kid[16] = "kid-one-16-bytes";

/* What the work was asked for, and what it says. */
static GAsyncQueue *tries; /* "id" or "id first" */
static gint failures; /* how often it fails yet */
static LicenseRenewal failure;
static gboolean blocks;

static LicenseRenewal
renew (gpointer data, const guint8 *given, const gchar *id, gboolean first,
    GCancellable *cancellable)
{
  GPollFD fd;

  fail_unless (memcmp (given, kid, sizeof kid) == 0);
  g_async_queue_push (tries, g_strconcat (id, first ? " first" : "", NULL));
  if (blocks && g_cancellable_make_pollfd (cancellable, &fd)) {
    g_poll (&fd, 1, -1);
    g_cancellable_release_fd (cancellable);
  }
  return g_atomic_int_add (&failures, -1) > 0 ? failure : LICENSE_RENEWAL_DONE;
}

static void
setup (void)
{
  tries = g_async_queue_new_full (g_free);
  failures = 0;
  failure = LICENSE_RENEWAL_AGAIN;
  blocks = FALSE;
}

static void
teardown (void)
{
  g_async_queue_unref (tries);
}

static void
expect_try (const gchar *what)
{
  g_autofree gchar *got =
      g_async_queue_timeout_pop (tries, 60 * G_USEC_PER_SEC);

  assert_equals_string (got, what);
}

/* Until it goes well; then nothing more, and to ask again is not to be heard
 * before the pause is over. */
GST_START_TEST (test_again)
{
  LicenseRenewer *renewer =
      license_renewer_new (renew, NULL, 1, G_TIME_SPAN_MILLISECOND);

  failures = 3;
  license_renewer_request (renewer, kid, "a");
  expect_try ("a first");
  expect_try ("a");
  expect_try ("a");
  expect_try ("a");
  license_renewer_request (renewer, kid, "b");
  expect_try ("b first");
  license_renewer_request (renewer, kid, "a");
  expect_try ("a first");
  license_renewer_free (renewer);
  assert_equals_int (g_async_queue_length (tries), 0);
}

GST_END_TEST;

GST_START_TEST (test_pause)
{
  LicenseRenewer *renewer =
      license_renewer_new (renew, NULL, G_TIME_SPAN_HOUR, G_TIME_SPAN_HOUR);
  guint i;

  license_renewer_request (renewer, kid, "a");
  expect_try ("a first");
  for (i = 0; i < 10; i++)
    license_renewer_request (renewer, kid, "a");
  /* What comes behind shows that it was the turn of none of them. */
  license_renewer_request (renewer, kid, "b");
  expect_try ("b first");
  license_renewer_free (renewer);
  assert_equals_int (g_async_queue_length (tries), 0);
}

GST_END_TEST;

GST_START_TEST (test_never)
{
  LicenseRenewer *renewer = license_renewer_new (renew, NULL, 0, 0);

  failures = 1;
  failure = LICENSE_RENEWAL_NEVER;
  license_renewer_request (renewer, kid, "a");
  expect_try ("a first");
  license_renewer_request (renewer, kid, "a");
  license_renewer_request (renewer, kid, "b");
  expect_try ("b first");
  license_renewer_free (renewer);
  assert_equals_int (g_async_queue_length (tries), 0);
}

GST_END_TEST;

/* What is under way is cancelled, and waited for. */
GST_START_TEST (test_free)
{
  LicenseRenewer *renewer = license_renewer_new (renew, NULL, 0, 0);

  license_renewer_free (renewer);
  renewer = license_renewer_new (renew, NULL, 0, 0);
  blocks = TRUE;
  license_renewer_request (renewer, kid, "a");
  expect_try ("a first");
  license_renewer_free (renewer);
  /* While it waits for its next turn. */
  blocks = FALSE;
  failures = 1;
  renewer =
      license_renewer_new (renew, NULL, G_TIME_SPAN_HOUR, G_TIME_SPAN_HOUR);
  license_renewer_request (renewer, kid, "a");
  expect_try ("a first");
  license_renewer_free (renewer);
}

GST_END_TEST;

static Suite *
license_renewer_suite (void)
{
  Suite *suite = suite_create ("license-renewer");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_again);
  tcase_add_test (tc, test_pause);
  tcase_add_test (tc, test_never);
  tcase_add_test (tc, test_free);
  return suite;
}

GST_CHECK_MAIN (license_renewer);
