/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy and the clock's judgment: tables of times and decisions. */

#include <gst/check/gstcheck.h>

#include "license/license-clock.h"
#include "license/license-policy.h"

#define SECONDS(s) ((gint64) (s) *G_USEC_PER_SEC)
#define HOURS(h) SECONDS ((gint64) (h) *3600)
#define NONE LICENSE_TIME_NONE
#define ALLOWED -1

/* UTC date and time of day in microseconds. */
static gint64
at (gint year, gint month, gint day, gint hour, gint minute, gint second)
{
  g_autoptr (GDateTime) time =
      g_date_time_new_utc (year, month, day, hour, minute, second);

  return SECONDS (g_date_time_to_unix (time));
}

static LicenseRules
rules (gint64 not_before, gint64 not_after, gint64 playback)
{
  LicenseRules r = { LICENSE_RIGHTS_RENTAL, not_before, not_after, playback,
    FALSE, FALSE, TRUE };

  return r;
}

static LicenseDecision
decide (const LicenseRules *r, gint64 now, gint64 first_play)
{
  LicenseState state = { first_play, FALSE, FALSE };
  LicenseTime time = { now, LICENSE_CLOCK_GOOD };

  return policy_decide (r, &state, &time);
}

typedef struct
{
  gint64 now, first_play;
  gint verdict;
  gint64 expiration;
  LicenseEnd source;
} Row;

static void
check_row (const LicenseRules *r, const Row *row, guint i)
{
  LicenseDecision d = decide (r, row->now, row->first_play);
  gint verdict = d.allowed ? ALLOWED : (gint) d.reason;

  fail_unless (verdict == row->verdict, "row %u: %d instead of %d", i, verdict,
      row->verdict);
  fail_unless (d.expiration == row->expiration && d.source == row->source,
      "row %u: ends at %" G_GINT64_FORMAT " by %s", i, d.expiration,
      license_end_to_string (d.source));
}

/*
 * The rental of PlayReady's documentation: begins Jan 5 7:55 PM, expires
 * Feb 5 8:00 PM, 48 hours after first play.
 */
GST_START_TEST (test_documented_rental)
{
  const gint64 begin = at (2027, 1, 5, 19, 55, 0);
  const gint64 end = at (2027, 2, 5, 20, 0, 0);
  const gint64 friday = at (2027, 1, 8, 21, 30, 0);
  const gint64 late = at (2027, 2, 4, 22, 0, 0);
  LicenseRules r = rules (begin, end, HOURS (48));
  const Row table[] = {
    { begin - 1, NONE, GST_CENC_ERROR_NOT_YET_VALID, end, LICENSE_END_WINDOW },
    { begin - SECONDS (1), NONE, GST_CENC_ERROR_NOT_YET_VALID, end,
        LICENSE_END_WINDOW },
    { begin, NONE, ALLOWED, end, LICENSE_END_WINDOW },
    { end - SECONDS (1), NONE, ALLOWED, end, LICENSE_END_WINDOW },
    { end - 1, NONE, ALLOWED, end, LICENSE_END_WINDOW },
    { end, NONE, GST_CENC_ERROR_WINDOW_OVER, end, LICENSE_END_WINDOW },
    { end + SECONDS (1), NONE, GST_CENC_ERROR_WINDOW_OVER, end,
        LICENSE_END_WINDOW },
    /* first play on a Friday evening: 48 hours from then */
    { friday, friday, ALLOWED, friday + HOURS (48), LICENSE_END_PLAYBACK },
    { friday + HOURS (48) - SECONDS (1), friday, ALLOWED, friday + HOURS (48),
        LICENSE_END_PLAYBACK },
    { friday + HOURS (48), friday, GST_CENC_ERROR_PLAYBACK_OVER,
        friday + HOURS (48), LICENSE_END_PLAYBACK },
    { end + HOURS (1), friday, GST_CENC_ERROR_PLAYBACK_OVER,
        friday + HOURS (48), LICENSE_END_PLAYBACK },
    /* first play 22 hours before the window ends: the window wins */
    { late, late, ALLOWED, end, LICENSE_END_WINDOW },
    { end - SECONDS (1), late, ALLOWED, end, LICENSE_END_WINDOW },
    { end, late, GST_CENC_ERROR_WINDOW_OVER, end, LICENSE_END_WINDOW },
    /* first play does not outlive a begin that the clock has gone behind */
    { begin - SECONDS (1), begin, GST_CENC_ERROR_NOT_YET_VALID,
        begin + HOURS (48), LICENSE_END_PLAYBACK },
  };
  guint i;

  fail_unless (license_rules_check (&r, NULL));
  for (i = 0; i < G_N_ELEMENTS (table); i++)
    check_row (&r, &table[i], i);
}

GST_END_TEST;

GST_START_TEST (test_remaining)
{
  const gint64 start = at (2027, 1, 5, 12, 0, 0);
  LicenseRules r = rules (NONE, start + HOURS (720), HOURS (48));
  LicenseDecision d = decide (&r, start, NONE);

  assert_equals_int64 (d.license_remaining, HOURS (720));
  assert_equals_int64 (d.playback_remaining, HOURS (48));

  d = decide (&r, start + HOURS (1), start);
  assert_equals_int64 (d.license_remaining, HOURS (719));
  assert_equals_int64 (d.playback_remaining, HOURS (47));

  /* The clock lags by less than the skew: never more than the duration. */
  d = decide (&r, start - SECONDS (60), start);
  assert_equals_int64 (d.playback_remaining, HOURS (48));

  d = decide (&r, start + HOURS (1000), start);
  assert_equals_int64 (d.license_remaining, 0);
  assert_equals_int64 (d.playback_remaining, 0);

  r = rules (start, NONE, NONE);
  d = decide (&r, start, NONE);
  assert_equals_int64 (d.license_remaining, NONE);
  assert_equals_int64 (d.playback_remaining, NONE);
  fail_unless (d.source == LICENSE_END_NONE && d.expiration == NONE);
}

GST_END_TEST;

/* FairPlay's dual expiry: after first play only the playback duration counts. */
GST_START_TEST (test_playback_replaces_window)
{
  const gint64 end = at (2027, 2, 5, 20, 0, 0);
  const gint64 begun = end - HOURS (1);
  LicenseRules r = rules (NONE, end, HOURS (48));
  LicenseDecision d;

  r.playback_replaces_window = TRUE;
  d = decide (&r, end, NONE);
  fail_unless (!d.allowed && d.reason == GST_CENC_ERROR_WINDOW_OVER);
  d = decide (&r, end + HOURS (46), begun);
  fail_unless (d.allowed && d.source == LICENSE_END_PLAYBACK);
  assert_equals_int64 (d.expiration, begun + HOURS (48));
  assert_equals_int64 (d.license_remaining, NONE);
  d = decide (&r, end + HOURS (47), begun);
  fail_unless (!d.allowed && d.reason == GST_CENC_ERROR_PLAYBACK_OVER);
}

GST_END_TEST;

GST_START_TEST (test_session)
{
  const gint64 end = at (2027, 2, 5, 20, 0, 0);
  LicenseRules r = rules (NONE, end, NONE);
  LicenseState state = { end - HOURS (1), FALSE, TRUE };
  LicenseTime time = { end + HOURS (1), LICENSE_CLOCK_GOOD };
  LicenseDecision d = policy_decide (&r, &state, &time);

  fail_unless (d.allowed, "a session begun in time plays to its end");
  assert_equals_int64 (d.license_remaining, 0);

  r.realtime_expiration = TRUE;
  d = policy_decide (&r, &state, &time);
  fail_unless (!d.allowed && d.reason == GST_CENC_ERROR_WINDOW_OVER);

  r.realtime_expiration = FALSE;
  state.released = TRUE;
  d = policy_decide (&r, &state, &time);
  fail_unless (!d.allowed && d.reason == GST_CENC_ERROR_REVOKED);
}

GST_END_TEST;

GST_START_TEST (test_bad_clock)
{
  const gint64 end = at (2027, 2, 5, 20, 0, 0);
  LicenseRules timed = rules (NONE, end, NONE);
  LicenseRules untimed = rules (NONE, NONE, NONE);
  LicenseState state = { NONE, FALSE, FALSE };
  LicenseTime time = { end - HOURS (1), LICENSE_CLOCK_TURNED_BACK };
  LicenseDecision d = policy_decide (&timed, &state, &time);

  untimed.rights = LICENSE_RIGHTS_BUY_TO_OWN;
  fail_unless (!d.allowed && d.reason == GST_CENC_ERROR_CLOCK_TURNED_BACK);
  time.status = LICENSE_CLOCK_NOT_SET;
  d = policy_decide (&timed, &state, &time);
  fail_unless (!d.allowed && d.reason == GST_CENC_ERROR_CLOCK_NOT_SET);
  d = policy_decide (&untimed, &state, &time);
  fail_unless (d.allowed, "what has no time needs no clock");
}

GST_END_TEST;

GST_START_TEST (test_far_future)
{
  const gint64 y2038 = SECONDS (G_GINT64_CONSTANT (2147483648));
  LicenseRules r = rules (y2038 - SECONDS (2), y2038 + SECONDS (2), HOURS (1));
  LicenseDecision d;

  fail_unless (decide (&r, y2038, y2038 - SECONDS (1)).allowed);
  fail_unless (!decide (&r, y2038 + SECONDS (2), y2038).allowed);

  /* The sum leaves the calendar: an end that never comes, not one in the past. */
  r = rules (NONE, NONE, LICENSE_MAX_DURATION);
  d = decide (&r, LICENSE_MAX_TIME, LICENSE_MAX_TIME - 1);
  fail_unless (d.allowed && d.source == LICENSE_END_NONE);

  /* Sentinels that an own format would refuse are still no expired license. */
  r = rules (NONE, NONE, G_MAXINT64);
  fail_unless (decide (&r, y2038, y2038).allowed);
  r = rules (NONE, G_MAXINT64, NONE);
  fail_unless (decide (&r, G_MININT64 + 1, NONE).allowed);
}

GST_END_TEST;

/* Clocks go forward on 2027-03-28 in Europe: the day has 23 hours. */
GST_START_TEST (test_daylight_saving)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier ("Europe/Berlin");
  g_autoptr (GDateTime) begun = g_date_time_new (zone, 2027, 3, 27, 20, 0, 0);
  g_autoptr (GDateTime) local = g_date_time_new (zone, 2027, 3, 28, 20, 0, 0);
  gint64 start = SECONDS (g_date_time_to_unix (begun));
  LicenseRules r = rules (NONE, NONE, HOURS (24));
  LicenseDecision d = decide (&r, SECONDS (g_date_time_to_unix (local)), start);

  fail_unless (d.allowed);
  assert_equals_int64 (d.playback_remaining, HOURS (1));
  fail_unless (!decide (&r, start + HOURS (24), start).allowed);
}

GST_END_TEST;

GST_START_TEST (test_rules_refused)
{
  const gint64 t = at (2027, 1, 5, 0, 0, 0);
  const struct
  {
    LicenseRules rules;
    const gchar *word;
  } table[] = {
    { { LICENSE_RIGHTS_RENTAL, 0, t, NONE }, "not_before is zero" },
    { { LICENSE_RIGHTS_RENTAL, -1, t, NONE }, "not_before is zero" },
    { { LICENSE_RIGHTS_RENTAL, NONE, 0, NONE }, "not_after is zero" },
    { { LICENSE_RIGHTS_RENTAL, NONE, LICENSE_MAX_TIME + 1, NONE },
        "not_after" },
    { { LICENSE_RIGHTS_RENTAL, NONE, t, 0 }, "playback_duration is zero" },
    { { LICENSE_RIGHTS_RENTAL, NONE, t, -SECONDS (1) }, "playback_duration" },
    { { LICENSE_RIGHTS_RENTAL, NONE, t, G_MAXINT64 }, "out of range" },
    { { LICENSE_RIGHTS_RENTAL, t, t, NONE }, "not_after is not after" },
    { { LICENSE_RIGHTS_RENTAL, t, t - 1, NONE }, "not_after is not after" },
    { { LICENSE_RIGHTS_RENTAL, t, NONE, NONE }, "Rental needs" },
    { { LICENSE_RIGHTS_BUY_TO_OWN, NONE, t, NONE }, "BuyToOwn has no end" },
    { { LICENSE_RIGHTS_BUY_TO_OWN, NONE, NONE, t }, "BuyToOwn has no end" },
    { { LICENSE_RIGHTS_RENTAL, NONE, t, NONE, TRUE }, "after_first_play" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error = NULL;

    fail_if (license_rules_check (&table[i].rules, &error), "row %u", i);
    fail_unless (strstr (error->message, table[i].word) != NULL, "row %u: %s",
        i, error->message);
  }
}

GST_END_TEST;

static gint
compare (const LicenseRules *a, gint64 a_first, const LicenseRules *b,
    gint64 b_first, gint64 now)
{
  LicenseState a_state = { a_first, FALSE, FALSE };
  LicenseState b_state = { b_first, FALSE, FALSE };
  LicenseDecision a_decision = decide (a, now, a_first);
  LicenseDecision b_decision = decide (b, now, b_first);
  gint forth =
      policy_compare (a, &a_state, &a_decision, b, &b_state, &b_decision);
  gint back =
      policy_compare (b, &b_state, &b_decision, a, &a_state, &a_decision);

  fail_unless (forth == -back, "the comparison is not antisymmetric");
  return forth;
}

GST_START_TEST (test_best)
{
  const gint64 now = at (2027, 1, 5, 0, 0, 0);
  LicenseRules owned = rules (NONE, NONE, NONE);
  LicenseRules day = rules (NONE, now + HOURS (24), NONE);
  LicenseRules week = rules (NONE, now + HOURS (168), NONE);
  LicenseRules rental = rules (NONE, now + HOURS (720), HOURS (48));
  LicenseRules over = rules (NONE, now - HOURS (1), NONE);
  LicenseRules future = rules (now + HOURS (1), now + HOURS (2), NONE);

  owned.rights = LICENSE_RIGHTS_BUY_TO_OWN;
  fail_unless (compare (&owned, NONE, &week, NONE, now) < 0);
  fail_unless (compare (&week, NONE, &day, NONE, now) < 0);
  /* A window that does not run yet is saved. */
  fail_unless (compare (&day, NONE, &rental, NONE, now) < 0);
  fail_unless (compare (&rental, now - HOURS (1), &day, NONE, now) < 0);
  fail_unless (compare (&rental, NONE, &over, NONE, now) < 0);
  /* Of two that are refused, the one that will be good is told. */
  fail_unless (compare (&future, NONE, &over, NONE, now) < 0);
}

GST_END_TEST;

static LicenseInstant
instant (gint64 wall, gint64 boottime, const gchar *boot)
{
  LicenseInstant i = { wall, boottime, "" };

  g_strlcpy (i.boot_id, boot, sizeof i.boot_id);
  return i;
}

GST_START_TEST (test_floor)
{
  const gint64 t = at (2027, 1, 5, 12, 0, 0);
  const gint64 skew = LICENSE_DEFAULT_SKEW;
  LicenseFloor floor = LICENSE_FLOOR_INIT;
  LicenseInstant now = instant (t, HOURS (1), "a");

  assert_equals_int64 (license_floor_at (&floor, &now), NONE);
  fail_if (license_floor_raise (&floor, &now, t + skew + 1, FALSE, skew),
      "dated ahead");
  fail_unless (license_floor_raise (&floor, &now, t, FALSE, skew));
  fail_if (license_floor_raise (&floor, &now, t - 1, FALSE, skew), "older");

  /* Two hours later in the same boot, whatever the wall clock says. */
  now = instant (t - HOURS (100), HOURS (3), "a");
  assert_equals_int64 (license_floor_at (&floor, &now), t + HOURS (2));
  fail_unless (license_clock_judge (&now, t + HOURS (2), NONE, skew) ==
      LICENSE_CLOCK_TURNED_BACK);

  /* On a new boot what was stored last counts. */
  license_floor_carry (&floor, &now);
  now = instant (t, SECONDS (5), "b");
  assert_equals_int64 (license_floor_at (&floor, &now), t + HOURS (2));
  license_floor_carry (&floor, &now);
  now.boottime += HOURS (1);
  assert_equals_int64 (license_floor_at (&floor, &now), t + HOURS (3));

  /* The issuer itself, asked just now, says that it is earlier. */
  fail_unless (license_floor_raise (&floor, &now, t, TRUE, skew));
  assert_equals_int64 (license_floor_at (&floor, &now), t);
}

GST_END_TEST;

GST_START_TEST (test_judge)
{
  const gint64 t = at (2027, 1, 5, 12, 0, 0);
  const gint64 skew = LICENSE_DEFAULT_SKEW;
  LicenseInstant now = instant (t, 0, "a");

  fail_unless (
      license_clock_judge (&now, NONE, NONE, skew) == LICENSE_CLOCK_GOOD);
  fail_unless (license_clock_judge (&now, t + skew, t + skew, skew) ==
      LICENSE_CLOCK_GOOD);
  fail_unless (license_clock_judge (&now, t + skew + 1, NONE, skew) ==
      LICENSE_CLOCK_TURNED_BACK);
  fail_unless (license_clock_judge (&now, NONE, t + skew + 1, skew) ==
      LICENSE_CLOCK_TURNED_BACK);
  /* Never set is another error than turned back, even with marks. */
  now.wall = SECONDS (60);
  fail_unless (license_clock_judge (&now, t, t, skew) == LICENSE_CLOCK_NOT_SET);
  now.wall = at (2000, 1, 1, 0, 0, 0);
  fail_unless (
      license_clock_judge (&now, NONE, NONE, skew) == LICENSE_CLOCK_NOT_SET);

  assert_equals_int64 (license_seen_mend (t + HOURS (9999), t, skew), t);
  assert_equals_int64 (license_seen_mend (t + skew, t, skew), t + skew);
  assert_equals_int64 (license_seen_mend (NONE, t, skew), NONE);
}

GST_END_TEST;

static Suite *
license_policy_suite (void)
{
  Suite *s = suite_create ("license-policy");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_documented_rental);
  tcase_add_test (tc, test_remaining);
  tcase_add_test (tc, test_playback_replaces_window);
  tcase_add_test (tc, test_session);
  tcase_add_test (tc, test_bad_clock);
  tcase_add_test (tc, test_far_future);
  tcase_add_test (tc, test_daylight_saving);
  tcase_add_test (tc, test_rules_refused);
  tcase_add_test (tc, test_best);
  tcase_add_test (tc, test_floor);
  tcase_add_test (tc, test_judge);
  return s;
}

GST_CHECK_MAIN (license_policy);
