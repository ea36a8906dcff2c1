/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store takes for the time: a clock that was turned back, or set ahead. */

#include <gst/check/gstcheck.h>

#include "../license/teststore-fixture.h"

GST_START_TEST (test_future)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL;

  license->rules.not_before = TEST_SECONDS (TEST_DAY + 86400);
  test_store_import (&ts, license);
  entry = test_store_entry (&ts);
  fail_unless (
      test_store_decide (entry).reason == GST_CENC_ERROR_NOT_YET_VALID);
  test_clock_advance (&ts.clock, 86400);
  license_store_refresh (ts.store, entry, NULL);
  fail_unless (test_store_decide (entry).allowed);
}

GST_END_TEST;

GST_START_TEST (test_clock_turned_back)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL;

  test_store_import (&ts, license);
  test_store_play (&ts);
  entry = test_store_entry (&ts);

  /* Within the skew nobody minds. */
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY - 299);
  license_store_refresh (ts.store, entry, NULL);
  fail_unless (test_store_decide (entry).allowed);

  ts.clock.now.wall = TEST_SECONDS (TEST_DAY - 301);
  license_store_refresh (ts.store, entry, NULL);
  fail_unless (
      test_store_decide (entry).reason == GST_CENC_ERROR_CLOCK_TURNED_BACK);

  ts.clock.now.wall = TEST_SECONDS (3600);
  license_store_refresh (ts.store, entry, NULL);
  fail_unless (
      test_store_decide (entry).reason == GST_CENC_ERROR_CLOCK_NOT_SET);

  /* Refused, and kept: with the right time it plays on. */
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY + 3600);
  license_store_refresh (ts.store, entry, NULL);
  fail_unless (test_store_decide (entry).allowed);
}

GST_END_TEST;

/* Turned back across a reboot, with nothing played since the license came. */
GST_START_TEST (test_floor_over_reboot)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL;

  test_store_import (&ts, license);
  test_clock_advance (&ts.clock, 20 * 86400);
  test_store_play (&ts);
  test_clock_reboot (&ts.clock);
  test_store_reopen (&ts);
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY + 10 * 86400);
  entry = test_store_entry (&ts);
  fail_unless (
      test_store_decide (entry).reason == GST_CENC_ERROR_CLOCK_TURNED_BACK);
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY + 20 * 86400);
  license_store_refresh (ts.store, entry, NULL);
  fail_unless (test_store_decide (entry).allowed);
}

GST_END_TEST;

/* The clock was a year ahead once; a signed answer to our nonce mends it. */
GST_START_TEST (test_poisoned_mark)
{
  g_autoptr (LicenseDocument) license = test_rental (), answer = test_rental ();
  g_autoptr (LicenseEntry) entry = NULL;

  license->rules.not_after = TEST_SECONDS (TEST_DAY + 3 * 366 * 86400);
  test_store_import (&ts, license);
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY + 366 * 86400);
  test_store_play (&ts);
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY + 60);
  entry = test_store_entry (&ts);
  fail_unless (
      test_store_decide (entry).reason == GST_CENC_ERROR_CLOCK_TURNED_BACK);

  g_free (answer->id);
  answer->id = g_strdup ("lic-2");
  answer->nonce = g_strdup ("bm9uY2U");
  answer->issued = TEST_SECONDS (TEST_DAY + 60);
  test_store_import (&ts, answer);
  license_store_refresh (ts.store, entry, NULL);
  assert_equals_int (entry->clock, LICENSE_CLOCK_GOOD);
}

GST_END_TEST;

static LicenseClockStatus
clock_by (const gchar *id)
{
  g_autoptr (GPtrArray) found =
      license_store_find (ts.store, test_kid, NULL, NULL);
  guint i;

  for (i = 0; i < found->len; i++) {
    LicenseEntry *entry = g_ptr_array_index (found, i);

    if (g_str_equal (entry->document->id, id))
      return entry->clock;
  }
  g_assert_not_reached ();
}

/* A license that is dated ahead, from whomever, stops the clock for no other. It
 * does not play itself before it was issued: else a clock that was set back before
 * it came would find nothing that knows better. */
GST_START_TEST (test_dated_ahead)
{
  g_autoptr (LicenseDocument) other = test_rental (), ahead = test_rental ();

  g_free (ahead->id);
  ahead->id = g_strdup ("ahead");
  ahead->issued = TEST_SECONDS (TEST_DAY + 86400);
  test_store_import (&ts, other);
  test_store_import (&ts, ahead);
  assert_equals_int (clock_by ("lic-1"), LICENSE_CLOCK_GOOD);
  assert_equals_int (clock_by ("ahead"), LICENSE_CLOCK_TURNED_BACK);
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY + 86400 - 301);
  assert_equals_int (clock_by ("ahead"), LICENSE_CLOCK_TURNED_BACK);
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY + 86400 - 300);
  assert_equals_int (clock_by ("ahead"), LICENSE_CLOCK_GOOD);
}

GST_END_TEST;

/* A clock set years ahead by accident must not cost a single license. */
GST_START_TEST (test_clean_up_bad_clock)
{
  g_autoptr (LicenseDocument) rental = test_rental ();
  g_autoptr (GPtrArray) removed = NULL;

  test_store_import (&ts, rental);
  ts.clock.now.wall = TEST_SECONDS (7200);
  fail_unless (license_store_clean_up (ts.store, 0, &removed, NULL));
  assert_equals_int (removed->len, 0);
  fail_unless (license_store_has_kid (ts.store, test_kid));
}

GST_END_TEST;

static Suite *
license_store_clock_suite (void)
{
  Suite *suite = suite_create ("license-store-clock");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_future);
  tcase_add_test (tc, test_clock_turned_back);
  tcase_add_test (tc, test_floor_over_reboot);
  tcase_add_test (tc, test_poisoned_mark);
  tcase_add_test (tc, test_dated_ahead);
  tcase_add_test (tc, test_clean_up_bad_clock);
  return suite;
}

GST_CHECK_MAIN (license_store_clock);
