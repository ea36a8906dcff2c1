/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-test.h"

#include "smilremix/remix-time.h"

typedef struct
{
  const gchar *text;
  guint64 ticks;
  guint32 timescale;
  gboolean wallclock;
} Good;

static const Good good[] = {
  { "wallclock(1970-01-01T00:00:15.000Z)", 15000, 1000, TRUE },
  { "wallclock(1970-01-01T00:00:15.000)", 15000, 1000, TRUE },
  { "wallclock(1970-01-01T00:00:15)", 15, 1, TRUE },
  { "wallclock(1970-01-01T00:01Z)", 60, 1, TRUE },
  { " wallclock( 1970-01-02 ) ", 86400, 1, TRUE },
  { "wallclock(1970-01-01T01:00:15+01:00)", 15, 1, TRUE },
  { "wallclock(1970-01-01T01:30:15+0130)", 15, 1, TRUE },
  { "wallclock(1970-01-01T00:00:00-05)", 18000, 1, TRUE },
  { "wallclock(19700101T000015,5Z)", 15500, 1000, TRUE },
  { "wallclock(1970-01-01T24:00:00Z)", 86400, 1, TRUE },
  { "wallclock(2022-03-01T12:34:56.789012345Z)",
      G_GUINT64_CONSTANT (1646138096789012345), 1000000000, TRUE },
  { "wallclock(2000-02-29T00:00:00Z)", 951782400, 1, TRUE },
  { "wallclock(2000-03-01T00:00:00Z)", 951868800, 1, TRUE },
  { "wallclock(2100-03-01T00:00:00Z)", G_GUINT64_CONSTANT (4107542400), 1,
      TRUE },
  { "wallclock(1972-12-31T00:00:00Z)", 94608000, 1, TRUE },
  { "npt=3", 3, 1, FALSE },
  { "npt=3.25s", 3250, 1000, FALSE },
  { "npt=00:03", 3, 1, FALSE },
  { "00:03", 3, 1, FALSE },
  { "1:02:03.5", 3723500, 1000, FALSE },
  { "100:00:00", 360000, 1, FALSE },
  { "3s", 3, 1, FALSE },
  { "1.5min", 90, 1, FALSE },
  { "1.5h", 5400, 1, FALSE },
  { "40ms", 40, 1000, FALSE },
  { "0", 0, 1, FALSE },
  { "smpte=00:00:01:00", 30030, 30000, FALSE },
  { "smpte=00:01:00:02", G_GUINT64_CONSTANT (1801800), 30000, FALSE },
  { "smpte-30-drop=00:10:00;00", 17982u * 1001, 30000, FALSE },
  { "smpte-25=00:00:01:05", 120, 100, FALSE },
  { "smpte-25=00:00:01:05.50", 122, 100, FALSE },
  { "smpte-25=00:00:01", 1, 1, FALSE },
};

GST_START_TEST (test_good)
{
  const Good *g = &good[__i__];
  GError *error = NULL;
  RemixTime time;

  fail_unless (remix_time_parse (&time, g->text, &error), "%s", g->text);
  fail_unless_equals_int (time.wallclock, g->wallclock);
  fail_unless_equals_uint64 (remix_time_to_ticks (&time, g->timescale),
      g->ticks);
}

GST_END_TEST;

static const gchar *const bad[] = { "", "wallclock", "wallclock()",
  "wallclock(1969-12-31T23:59:59Z)", "wallclock(2001-02-29T00:00:00Z)",
  "wallclock(1970-13-01T00:00:00Z)", "wallclock(1970-01-01T25:00:00Z)",
  "wallclock(1970-01-01T00:60:00Z)", "wallclock(1970-01-01T00:00:60Z)",
  "wallclock(1970-01-01T24:00:01Z)", "wallclock(1970-01-01T00:00:15Z",
  "wallclock(1970-01-01T00:00:15Z) x", "wallclock(00:00:15Z)",
  "wallclock(1970-01-01T00:00:00+01:00)",
  "wallclock(1970-01-01T00:00:00+15:00)", "wallclock(1970-01T00:00:00Z)",
  "wallclock(70-01-01T00:00:00Z)", "npt=", "npt=now", "-3s", "3 s", "3x", "3.s",
  "1:2:3", "00:60", "60:00", "00:00:60", "99999999999", "9999999999h",
  "smpte=00:01:00:00", "smpte=00:00:00:30", "smpte-25=00:00:00:25",
  "smpte-25=00:00", "smpte-24=00:00:00:00", "0x10", "1e3",
  "wallclock(1970-01-01T00:00:15.Z)" };

GST_START_TEST (test_bad)
{
  GError *error = NULL;
  RemixTime time;

  fail_if (remix_time_parse (&time, bad[__i__], &error), "%s", bad[__i__]);
  fail_unless_remix_error (error, REMIX_ERROR_PLAYLIST, "is not a time");
}

GST_END_TEST;

GST_START_TEST (test_durations)
{
  GError *error = NULL;
  guint64 ns;

  fail_unless (remix_duration_parse (&ns, "PT10S", &error));
  fail_unless_equals_uint64 (ns, 10 * GST_SECOND);
  fail_unless (remix_duration_parse (&ns, "P1DT1H1M1.5S", &error));
  fail_unless_equals_uint64 (ns, 90061 * GST_SECOND + 500 * GST_MSECOND);
  fail_unless (remix_duration_parse (&ns, "PT0.04S", &error));
  fail_unless_equals_uint64 (ns, 40 * GST_MSECOND);
  fail_if (remix_duration_parse (&ns, "PT", &error));
  fail_unless_remix_error (error, REMIX_ERROR_PLAYLIST, "is not a duration");
  fail_if (remix_duration_parse (&ns, "10S", NULL));
  fail_if (remix_duration_parse (&ns, "P10S", NULL));
  fail_if (remix_duration_parse (&ns, "PT1S1M", NULL));
  fail_if (remix_duration_parse (&ns, "P1Y", NULL));
  fail_if (remix_duration_parse (&ns, "P99999999WT999999999H", NULL));
}

GST_END_TEST;

GST_START_TEST (test_rescale)
{
  g_autofree gchar *text = remix_ticks_to_string (-1500, 1000);

  fail_unless_equals_int64 (remix_rescale (-1001, 30000, 960000), -32032);
  fail_unless_equals_int64 (remix_rescale (1, 3, 2), 1);
  fail_unless_equals_int64 (remix_rescale (G_MAXINT64, 1, 2), G_MAXINT64);
  fail_unless_equals_string (text, "-1.500");
}

GST_END_TEST;

static Suite *
remix_time_suite (void)
{
  Suite *s = suite_create ("smilremix-time");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_good, 0, G_N_ELEMENTS (good));
  tcase_add_loop_test (tc, test_bad, 0, G_N_ELEMENTS (bad));
  tcase_add_test (tc, test_durations);
  tcase_add_test (tc, test_rescale);

  return s;
}

GST_CHECK_MAIN (remix_time);
