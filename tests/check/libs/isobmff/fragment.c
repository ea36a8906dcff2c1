/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-movie.h"

#define MOOF_AT 10000

static BmffMovie *
make_movie (void)
{
  BmffBox *mvex = bmff_box_new_container (FCC ("mvex"));
  BmffBox *moov = test_with (test_moov (), test_trak (1, "vide", NULL));
  GError *error = NULL;
  BmffMovie *movie;

  test_with (moov, test_trak (2, "vide", NULL));
  test_with (mvex, test_box ("trex", 0, 1, 1, 100, 1000, 0x10000));
  test_with (mvex, test_box ("trex", 0, 2, 2, 7, 70, 0));
  movie = bmff_movie_new (test_with (moov, mvex), &error);
  fail_unless_no_error (error);

  return movie;
}

static BmffBox *
make_moof (void)
{
  return test_with (bmff_box_new_container (FCC ("moof")),
      test_box ("mfhd", 0, 42));
}

static BmffBox *
make_traf (BmffBox *tfhd, BmffBox *a, BmffBox *b)
{
  BmffBox *traf = test_with (bmff_box_new_container (FCC ("traf")), tfhd);

  if (a != NULL)
    bmff_box_append (traf, a);
  if (b != NULL)
    bmff_box_append (traf, b);

  return traf;
}

static BmffFragment *
parse (BmffBox *moof, const BmffMovie *movie)
{
  GError *error = NULL;
  BmffFragment *fragment =
      bmff_fragment_new (test_reparse_at (moof, MOOF_AT), movie, &error);

  fail_unless_no_error (error);
  fail_unless (fragment != NULL);

  return fragment;
}

static BmffSample
sample (const BmffTraf *traf, guint32 index)
{
  BmffSample s;

  fail_unless (bmff_sample_table_get (traf->samples, index, &s));

  return s;
}

GST_START_TEST (test_defaults)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffFragment) fragment = NULL;
  BmffTraf *traf;
  BmffBox *moof = make_moof ();

  /* all from trex */
  test_with (moof,
      make_traf (test_box ("tfhd", 0x20000, 1),
          test_box ("tfdt", 0x01000000, 1, 5), test_box ("trun", 0x1, 3, 200)));
  /* all from tfhd */
  test_with (moof,
      make_traf (test_box ("tfhd", 0x2003a, 1, 2, 9, 90, 0x33),
          test_box ("trun", 0x5, 2, 300, 0x44), NULL));
  fragment = parse (moof, movie);
  fail_unless_equals_int (fragment->sequence_number, 42);
  fail_unless_equals_uint64 (fragment->offset, MOOF_AT);
  fail_unless_equals_int (fragment->trafs->len, 2);
  traf = g_ptr_array_index (fragment->trafs, 0);
  fail_unless (traf->track == bmff_movie_get_track (movie, 1));
  fail_unless (traf->has_tfdt && !traf->has_base_data_offset);
  fail_unless_equals_uint64 (traf->decode_time, 0x100000005ull);
  fail_unless_equals_int (bmff_sample_table_get_count (traf->samples), 3);
  fail_unless_equals_uint64 (sample (traf, 2).offset, MOOF_AT + 200 + 2000);
  fail_unless_equals_uint64 (sample (traf, 2).dts, 0x100000005ull + 200);
  fail_unless_equals_int (sample (traf, 2).duration, 100);
  fail_unless_equals_int (sample (traf, 0).flags, 0x10000);
  fail_unless_equals_int (sample (traf, 0).description_index, 1);
  traf = g_ptr_array_index (fragment->trafs, 1);
  fail_unless (!traf->has_tfdt && traf->decode_time == 0);
  fail_unless_equals_int (traf->description_index, 2);
  fail_unless_equals_int (sample (traf, 0).description_index, 2);
  fail_unless_equals_uint64 (sample (traf, 1).offset, MOOF_AT + 300 + 90);
  fail_unless_equals_int (sample (traf, 0).flags, 0x44);
  fail_unless_equals_int (sample (traf, 1).flags, 0x33);
  fail_unless_equals_int (sample (traf, 1).dts, 9);
}

GST_END_TEST;

GST_START_TEST (test_fields)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffFragment) fragment = NULL;
  BmffTraf *traf;
  BmffBox *trun = test_box ("trun", 0x01000f01, 2, 500, /**/
      11, 21, 31, (guint32) -41, 12, 22, 32, 42);
  BmffBox *tfhd = test_box ("tfhd", 0x20000, 1);

  fragment =
      parse (test_with (make_moof (), make_traf (tfhd, trun, NULL)), movie);
  traf = g_ptr_array_index (fragment->trafs, 0);
  fail_unless_equals_int (sample (traf, 0).duration, 11);
  fail_unless_equals_int (sample (traf, 0).size, 21);
  fail_unless_equals_int (sample (traf, 0).flags, 31);
  fail_unless_equals_int (sample (traf, 0).composition_offset, -41);
  fail_unless_equals_int (sample (traf, 1).duration, 12);
  fail_unless_equals_int (sample (traf, 1).size, 22);
  fail_unless_equals_int (sample (traf, 1).flags, 32);
  fail_unless_equals_int (sample (traf, 1).composition_offset, 42);
  fail_unless_equals_uint64 (sample (traf, 1).offset, MOOF_AT + 521);
  fail_unless_equals_uint64 (sample (traf, 1).dts, 11);
}

GST_END_TEST;

/* A traf by each of the rules of 8.8.7 and 8.8.8. */
static BmffBox *
make_moof_of_bases (void)
{
  BmffBox *moof = make_moof ();

  /* first: the moof; a run without offset follows the one before */
  test_with (moof,
      make_traf (test_box ("tfhd", 0, 1), test_box ("trun", 1, 2, 800),
          test_box ("trun", 0, 1)));
  /* second: the end of the first one's data */
  test_with (moof,
      make_traf (test_box ("tfhd", 0, 2), test_box ("trun", 0, 1),
          test_box ("trun", 1, 1, 500)));
  /* no data: the end goes through */
  test_with (moof, make_traf (test_box ("tfhd", 0x10000, 2), NULL, NULL));
  test_with (moof,
      make_traf (test_box ("tfhd", 0, 2), test_box ("trun", 0, 1), NULL));
  /* explicit, which wins over base-is-moof */
  test_with (moof,
      make_traf (test_box ("tfhd", 0x20001, 2, 1, 4),
          test_box ("trun", 1, 1, (guint32) -4), NULL));
  test_with (moof,
      make_traf (test_box ("tfhd", 0x20000, 2), test_box ("trun", 0, 1), NULL));

  return moof;
}

/* What no data offset, or no base, says. */
GST_START_TEST (test_bases)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffFragment) fragment = parse (make_moof_of_bases (), movie);
  BmffTraf *traf;
  BmffRun *runs;

  traf = g_ptr_array_index (fragment->trafs, 0);
  runs = (BmffRun *) traf->runs->data;
  fail_unless_equals_uint64 (traf->base_data_offset, MOOF_AT);
  fail_unless_equals_int (traf->runs->len, 2);
  fail_unless_equals_uint64 (runs[0].offset, MOOF_AT + 800);
  fail_unless_equals_uint64 (runs[1].offset, MOOF_AT + 2800);
  fail_unless (runs[0].first == 0 && runs[0].count == 2);
  fail_unless (runs[1].first == 2 && runs[1].count == 1);
  fail_unless_equals_int (runs[1].box->type, FCC ("trun"));
  traf = g_ptr_array_index (fragment->trafs, 1);
  runs = (BmffRun *) traf->runs->data;
  fail_unless_equals_uint64 (traf->base_data_offset, MOOF_AT + 3800);
  fail_unless_equals_uint64 (runs[0].offset, MOOF_AT + 3800);
  fail_unless_equals_uint64 (runs[1].offset, MOOF_AT + 4300);
  traf = g_ptr_array_index (fragment->trafs, 2);
  fail_unless_equals_int (bmff_sample_table_get_count (traf->samples), 0);
  fail_unless_equals_int (traf->runs->len, 0);
  traf = g_ptr_array_index (fragment->trafs, 3);
  fail_unless_equals_uint64 (sample (traf, 0).offset, MOOF_AT + 4370);
  traf = g_ptr_array_index (fragment->trafs, 4);
  fail_unless (traf->has_base_data_offset);
  fail_unless_equals_uint64 (traf->base_data_offset, 0x100000004ull);
  fail_unless_equals_uint64 (sample (traf, 0).offset, 0x100000000ull);
  traf = g_ptr_array_index (fragment->trafs, 5);
  fail_unless_equals_uint64 (sample (traf, 0).offset, MOOF_AT);
}

GST_END_TEST;

GST_START_TEST (test_set_offset)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffFragment) fragment = NULL;
  g_autoptr (BmffFragment) again = NULL;
  BmffBox *moof = make_moof ();
  BmffTraf *traf;
  BmffRun *runs;
  GError *error = NULL;
  guint64 size;

  test_with (moof,
      make_traf (test_box ("tfhd", 1, 1, 0, MOOF_AT),
          test_box ("trun", 0x201, 2, 800, 5, 6),
          test_box ("trun", 0x200, 1, 9)));
  fragment = parse (moof, movie);
  traf = g_ptr_array_index (fragment->trafs, 0);
  runs = (BmffRun *) traf->runs->data;
  size = bmff_box_get_size (fragment->moof);
  bmff_traf_set_base_data_offset (traf, 20000);
  fail_unless (bmff_run_set_offset (traf, &runs[0], 20000, 20900, &error));
  fail_unless_equals_uint64 (bmff_box_get_size (fragment->moof), size);
  fail_unless (bmff_run_set_offset (traf, &runs[1], 20000, 19000, &error));
  fail_unless_equals_uint64 (bmff_box_get_size (fragment->moof), size + 4);
  fail_unless (bmff_run_set_offset (traf, &runs[1], 20000, 19001, &error));
  fail_unless_equals_uint64 (bmff_box_get_size (fragment->moof), size + 4);
  fail_unless_equals_uint64 (runs[1].offset, MOOF_AT + 811);

  again = parse (bmff_box_copy (fragment->moof), movie);
  traf = g_ptr_array_index (again->trafs, 0);
  fail_unless_equals_uint64 (traf->base_data_offset, 20000);
  fail_unless_equals_uint64 (sample (traf, 1).offset, 20905);
  fail_unless_equals_int (sample (traf, 1).size, 6);
  fail_unless_equals_uint64 (sample (traf, 2).offset, 19001);
  fail_unless_equals_int (sample (traf, 2).size, 9);
}

GST_END_TEST;

GST_START_TEST (test_set_offset_bad)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffFragment) fragment = NULL;
  BmffTraf *traf;
  BmffRun *run;
  GError *error = NULL;

  fragment = parse (test_with (make_moof (),
                        make_traf (test_box ("tfhd", 0, 1),
                            test_box ("trun", 0, 2), NULL)),
      movie);
  traf = g_ptr_array_index (fragment->trafs, 0);
  run = &g_array_index (traf->runs, BmffRun, 0);
  fail_unless (bmff_run_set_offset (traf, run, 0, 0x7fffffff, &error));
  fail_if (bmff_run_set_offset (traf, run, 0, 0x80000000u, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "beyond 31 bits");
  fail_if (bmff_run_set_offset (traf, run, 0x80000001u, 0, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "trun at");
}

GST_END_TEST;

static void
assert_bad (BmffBox *traf, BmffError code, const gchar *message)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  BmffBox *moof = test_reparse_at (test_with (make_moof (), traf), MOOF_AT);
  GError *error = NULL;

  fail_unless (bmff_fragment_new (moof, movie, &error) == NULL);
  fail_unless_error (error, code, message);
}

GST_START_TEST (test_bad)
{
#define TFHD test_box ("tfhd", 0x20000, 1)
  assert_bad (bmff_box_new_container (FCC ("traf")), BMFF_ERROR_INVALID,
      "traf at 10024: it has no tfhd");
  assert_bad (make_traf (test_box ("tfhd", 0, 3), NULL, NULL),
      BMFF_ERROR_INVALID, "track 3 is not in the moov");
  assert_bad (make_traf (test_box ("tfhd", 8, 1), NULL, NULL),
      BMFF_ERROR_TRUNCATED, "tfhd");
  assert_bad (make_traf (test_box ("tfhd", 0), NULL, NULL),
      BMFF_ERROR_TRUNCATED, "tfhd");
  assert_bad (make_traf (test_box ("tfhd", 2, 1, 3), test_box ("trun", 0, 1),
                  NULL),
      BMFF_ERROR_INVALID, "track 1 has no sample entry 3");
  assert_bad (make_traf (TFHD, test_box ("tfdt", 0x01000000, 0), NULL),
      BMFF_ERROR_TRUNCATED, "tfdt");
  assert_bad (make_traf (TFHD, test_box ("tfdt", 0x01000000, 0x80000000u, 0),
                  NULL),
      BMFF_ERROR_INVALID, "tfdt");
  assert_bad (make_traf (TFHD, test_box ("trun", 0), NULL),
      BMFF_ERROR_TRUNCATED, "trun");
  assert_bad (make_traf (TFHD, test_box ("trun", 1, 0), NULL),
      BMFF_ERROR_TRUNCATED, "trun");
  assert_bad (make_traf (TFHD, test_box ("trun", 0x300, 2, 1, 2, 3), NULL),
      BMFF_ERROR_TRUNCATED, "2 samples are declared, but only 12 bytes");
  assert_bad (make_traf (TFHD, test_box ("trun", 1, 1, (guint32) -10001), NULL),
      BMFF_ERROR_INVALID, "a data offset of -10001");
  assert_bad (make_traf (test_box ("tfhd", 1, 1, 0x7fffffff, 0),
                  test_box ("trun", 0, 1), NULL),
      BMFF_ERROR_INVALID, "a data offset of 0");
#undef TFHD
}

GST_END_TEST;

/* Found by fuzzing. */
GST_START_TEST (test_no_samples)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffFragment) fragment = NULL;
  BmffTraf *traf;

  fragment = parse (test_with (make_moof (),
                        make_traf (test_box ("tfhd", 0, 1),
                            test_box ("trun", 0, 0), NULL)),
      movie);
  traf = g_ptr_array_index (fragment->trafs, 0);
  fail_unless_equals_int (traf->runs->len, 1);
  fail_unless_equals_int (bmff_sample_table_get_count (traf->samples), 0);
}

GST_END_TEST;

static BmffBox *
claim (guint32 default_size, guint32 a, guint32 b)
{
  return make_traf (test_box ("tfhd", 0x10, 1, default_size),
      test_box ("trun", 0, a), test_box ("trun", 0, b));
}

/* 2^32 - 1 samples in 16 bytes; and limits that hold over all runs. */
GST_START_TEST (test_claims)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  g_autoptr (BmffFragment) most = NULL;
  BmffBox *moof = make_moof ();
  BmffTraf *traf;

  assert_bad (claim (1, G_MAXUINT32, 0), BMFF_ERROR_LIMIT,
      "4294967295 samples, 0 of them empty");
  assert_bad (claim (1, BMFF_MAX_FRAGMENT_SAMPLES, 1), BMFF_ERROR_LIMIT,
      "4194305 samples, 0 of them empty");
  assert_bad (claim (0, BMFF_MAX_EMPTY_SAMPLES, 1), BMFF_ERROR_LIMIT,
      "1025 of them empty");
  test_with (moof, claim (0, BMFF_MAX_EMPTY_SAMPLES - 1, 1));
  test_with (moof,
      claim (1, BMFF_MAX_FRAGMENT_SAMPLES - BMFF_MAX_EMPTY_SAMPLES, 0));
  most = parse (moof, movie);
  traf = g_ptr_array_index (most->trafs, 1);
  fail_unless_equals_int (bmff_sample_table_get_count (traf->samples),
      BMFF_MAX_FRAGMENT_SAMPLES - BMFF_MAX_EMPTY_SAMPLES);
}

GST_END_TEST;

GST_START_TEST (test_bad_moof)
{
  g_autoptr (BmffMovie) movie = make_movie ();
  GError *error = NULL;

  fail_unless (bmff_fragment_new (bmff_box_new_container (FCC ("moof")), movie,
                   &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_INVALID, "moof: it has no mfhd");
  fail_unless (bmff_fragment_new (test_moov (), movie, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_INVALID, "moov: it is no moof");
}

GST_END_TEST;

static Suite *
isobmff_fragment_suite (void)
{
  Suite *s = suite_create ("isobmff-fragment");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_defaults);
  tcase_add_test (tc, test_fields);
  tcase_add_test (tc, test_bases);
  tcase_add_test (tc, test_set_offset);
  tcase_add_test (tc, test_set_offset_bad);
  tcase_add_test (tc, test_bad);
  tcase_add_test (tc, test_no_samples);
  tcase_add_test (tc, test_claims);
  tcase_add_test (tc, test_bad_moof);

  return s;
}

GST_CHECK_MAIN (isobmff_fragment);
