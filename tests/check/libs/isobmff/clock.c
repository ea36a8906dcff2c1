/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-clock.h"

/* One track; its samples last 100 each. */
static BmffMovie *
make_movie (void)
{
  BmffBox *mvex = bmff_box_new_container (FCC ("mvex"));
  BmffBox *moov = test_with (test_moov (), test_trak (1, "soun", NULL));
  GError *error = NULL;
  BmffMovie *movie;

  test_with (mvex, test_box ("trex", 0, 1, 1, 100, 10, 0));
  movie = bmff_movie_new (test_with (moov, mvex), &error);
  fail_unless_no_error (error);
  return movie;
}

static BmffBox *
make_tfxd (guint64 time)
{
  static const guint8 uuid[16] = { 0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44,
    0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2 };
  BmffBox *box = test_box ("uuid", 1u << 24, time >> 32, time, 0, 300);

  memcpy (box->uuid, uuid, sizeof (uuid));
  return box;
}

/* A fragment of three samples, the first of which is shown 40 late; @time says
 * when it is, NULL: nothing does. */
static BmffFragment *
enter (BmffClock *clock, const BmffMovie *movie, BmffBox *time)
{
  BmffBox *traf = bmff_box_new_container (FCC ("traf"));
  BmffBox *moof = bmff_box_new_container (FCC ("moof"));
  BmffFragment *fragment;
  GError *error = NULL;

  test_with (traf, test_box ("tfhd", 0, 1));
  if (time)
    test_with (traf, time);
  test_with (traf, test_box ("trun", 0x800, 3, 40, 0, 0));
  test_with (test_with (moof, test_box ("mfhd", 0, 1)), traf);
  fragment = bmff_fragment_new (test_reparse_at (moof, 1000), movie, &error);
  fail_unless_no_error (error);
  bmff_clock_enter (clock, fragment);
  return fragment;
}

static void
assert_time (BmffClock *clock, const BmffMovie *movie, BmffBox *time,
    guint64 want)
{
  g_autoptr (BmffFragment) fragment = enter (clock, movie, time);
  const BmffTraf *traf = g_ptr_array_index (fragment->trafs, 0);
  guint32 i;

  fail_unless_equals_uint64 (traf->decode_time, want);
  for (i = 0; i < 3; i++) {
    BmffSample sample;

    fail_unless (bmff_sample_table_get (traf->samples, i, &sample));
    fail_unless_equals_uint64 (sample.dts, want + 100 * i);
  }
}

GST_START_TEST (test_one_behind_the_other)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffClock) clock = bmff_clock_new (movie);

  assert_time (clock, movie, NULL, 0);
  assert_time (clock, movie, NULL, 300);
  assert_time (clock, movie, test_box ("tfdt", 0, 9000), 9000);
  assert_time (clock, movie, NULL, 9300);
}

GST_END_TEST;

GST_START_TEST (test_tfxd)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffClock) clock = bmff_clock_new (movie);

  assert_time (clock, movie, make_tfxd (5040), 5000);
  assert_time (clock, movie, NULL, 5300);
  assert_time (clock, movie, make_tfxd (6041), 6001);
  fail_unless_equals_int64 (bmff_clock_get_origin (clock, 0), 0);
  /* Before all time: none can be. */
  assert_time (clock, movie, make_tfxd ((guint64) -6000), 0);
  /* Beyond it: none at all. */
  assert_time (clock, movie, make_tfxd (1ull << 61), 300);
}

GST_END_TEST;

/* Priming: all times are told from there on. */
GST_START_TEST (test_origin)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffClock) clock = bmff_clock_new (movie);

  assert_time (clock, movie, make_tfxd ((guint64) -984), 0);
  fail_unless_equals_int64 (bmff_clock_get_origin (clock, 0), -1024);
  assert_time (clock, movie, make_tfxd ((guint64) -684), 300);
  assert_time (clock, movie, NULL, 600);
}

GST_END_TEST;

GST_START_TEST (test_add_tfdt)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffClock) clock = bmff_clock_new (movie);
  g_autoptr (BmffFragment) fragment =
      enter (clock, movie, make_tfxd (0x123456789));
  BmffTraf *traf = g_ptr_array_index (fragment->trafs, 0);
  BmffBox *box;
  gsize size;

  bmff_traf_add_tfdt (traf);
  bmff_traf_add_tfdt (traf); /* once */
  fail_unless_equals_int (traf->box->children->len, 4);
  box = g_ptr_array_index (traf->box->children, 1); /* behind tfhd (8.8.12) */
  fail_unless (box->type == FCC ("tfdt"));
  fail_unless_equals_int (memcmp (g_bytes_get_data (box->payload, &size),
                              "\1\0\0\0\0\0\0\1\x23\x45\x67\x61", 12),
      0);
  fail_unless_equals_int (size, 12);
}

GST_END_TEST;

/* Of no samples there is no time to tell. */
GST_START_TEST (test_no_tfdt_without_samples)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffFragment) fragment = NULL;
  BmffBox *moof = test_with (bmff_box_new_container (FCC ("moof")),
      test_box ("mfhd", 0, 1));
  BmffTraf *traf;
  GError *error = NULL;

  test_with (moof,
      test_with (bmff_box_new_container (FCC ("traf")),
          test_box ("tfhd", 0, 1)));
  fragment = bmff_fragment_new (test_reparse_at (moof, 1000), movie, &error);
  fail_unless_no_error (error);
  traf = g_ptr_array_index (fragment->trafs, 0);
  bmff_traf_add_tfdt (traf);
  fail_unless_equals_int (traf->box->children->len, 1);
}

GST_END_TEST;

static Suite *
isobmff_clock_suite (void)
{
  Suite *s = suite_create ("isobmff-clock");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_one_behind_the_other);
  tcase_add_test (tc, test_tfxd);
  tcase_add_test (tc, test_origin);
  tcase_add_test (tc, test_add_tfdt);
  tcase_add_test (tc, test_no_tfdt_without_samples);
  return s;
}

GST_CHECK_MAIN (isobmff_clock);
