/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-mixed.h"

#define NO_LIMIT G_MAXUINT64
#define ROLL FCC ("roll")

/* Six samples in three chunks: two of the first entry, then one of the second; the
 * mdat is from 100 to 400. */
static BmffBox *
make_stbl (void)
{
  BmffBox *stbl = bmff_box_new_container (FCC ("stbl"));

  test_with (stbl, test_box ("stts", 0, 2, 3, 10, 3, 20));
  test_with (stbl, test_box ("ctts", 1u << 24, 3, 2, 5, 2, (guint32) -3, 2, 0));
  test_with (stbl, test_box ("stss", 0, 2, 1, 5));
  test_with (stbl, test_box ("stsc", 0, 2, 1, 2, 1, 3, 2, 2));
  test_with (stbl, test_box ("stsz", 0, 0, 6, 11, 12, 13, 14, 15, 16));
  test_with (stbl, test_box ("co64", 0, 3, 0, 108, 0, 200, 0, 300));
  return stbl;
}

/* A second track's: two samples between the first one's chunks. */
static BmffBox *
make_sound (void)
{
  BmffBox *stbl = bmff_box_new_container (FCC ("stbl"));

  test_with (stbl, test_box ("stts", 0, 1, 2, 1024));
  test_with (stbl, test_box ("stsc", 0, 1, 1, 1, 1));
  test_with (stbl, test_box ("stsz", 0, 7, 2));
  test_with (stbl, test_box ("stco", 0, 2, 150, 250));
  return stbl;
}

/* @sound: (nullable) */
static BmffMovie *
make_movie (BmffBox *stbl, BmffBox *sound)
{
  BmffBox *moov = test_with (test_moov (), test_trak (1, "vide", stbl));
  BmffBox *mvex = bmff_box_new_container (FCC ("mvex"));
  GError *error = NULL;
  BmffMovie *movie;

  if (sound != NULL)
    test_with (moov, test_trak (2, "soun", sound));
  test_with (mvex, test_box ("trex", 0, 1, 1, 100, 10, 0));
  movie = bmff_movie_new (test_reparse_at (test_with (moov, mvex), 0), &error);
  fail_unless_no_error (error);

  return movie;
}

static BmffMixed *
take (BmffMovie *movie)
{
  BmffMixed *mixed;
  GError *error = NULL;

  fail_unless (bmff_mixed_take (movie, &mixed, &error));
  fail_unless_no_error (error);

  return mixed;
}

static BmffFragment *
next (BmffMixed *mixed, const BmffMovie *movie, guint64 offset, guint64 end,
    guint64 limit, GArray **order)
{
  GError *error = NULL;
  BmffBox *moof =
      bmff_mixed_next (mixed, offset, offset + 8, end, limit, order, &error);
  BmffFragment *fragment;

  fail_unless_no_error (error);
  if (moof == NULL)
    return NULL;
  fail_unless_equals_uint64 (moof->parsed_size, 0);
  fragment = bmff_fragment_new (moof, movie, &error);
  fail_unless_no_error (error);

  return fragment;
}

static void
assert_refused (BmffBox *stbl, const gchar *text)
{
  g_autoptr (BmffMovie) movie = make_movie (stbl, NULL);
  g_autoptr (GBytes) before = bmff_box_to_bytes (movie->moov);
  g_autoptr (GBytes) after = NULL;
  BmffMixed *mixed;
  GError *error = NULL;

  fail_if (bmff_mixed_take (movie, &mixed, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, text);
  after = bmff_box_to_bytes (movie->moov);
  fail_unless (g_bytes_equal (before, after));
}

/* What bmff_mixed_next() says of the mdat. */
static void
assert_next_fails (BmffBox *stbl, guint64 offset, guint64 end, gint code,
    const gchar *text)
{
  g_autoptr (BmffMovie) movie = make_movie (stbl, NULL);
  g_autoptr (BmffMixed) mixed = take (movie);
  GError *error = NULL;
  GArray *order;

  fail_if (bmff_mixed_next (mixed, offset, offset + 8, end, NO_LIMIT, &order,
      &error));
  fail_if (order);
  fail_unless_error (error, code, text);
}

/* The moov */

GST_START_TEST (test_moov_is_emptied)
{
  static const gchar *gone[] = { "ctts", "stss", "sdtp", "stdp", "sbgp" };
  BmffBox *stbl = make_stbl ();
  guint i;

  test_with (stbl, test_box ("sdtp", 0));
  test_with (stbl, test_box ("stdp", 0));
  test_with (stbl, test_box ("sgpd", 1u << 24, ROLL, 2, 1, 0xffff0000));
  test_with (stbl, test_box ("sbgp", 0, ROLL, 1, 6, 1));
  {
    g_autoptr (BmffMovie) movie = make_movie (stbl, make_sound ());
    g_autoptr (BmffMixed) mixed = take (movie);
    const BmffTrack *track = g_ptr_array_index (movie->tracks, 0);
    g_autoptr (BmffMovie) again =
        bmff_movie_new (test_reparse_at (bmff_box_copy (movie->moov), 0), NULL);

    fail_unless (mixed != NULL && again != NULL);
    for (i = 0; i < G_N_ELEMENTS (gone); i++)
      fail_if (bmff_box_child (track->stbl, FCC (gone[i])));
    fail_unless (bmff_box_child (track->stbl, FCC ("stco")));
    fail_if (bmff_box_child (track->stbl, FCC ("co64")));
    fail_unless (bmff_box_child (track->stbl, FCC ("sgpd")));
    fail_unless_equals_uint64 (movie->duration, 0);
    fail_unless_equals_uint64 (again->duration, 0);
    for (i = 0; i < 2; i++) {
      const BmffTrack *other = g_ptr_array_index (again->tracks, i);
      g_autoptr (BmffSampleTable) samples =
          bmff_sample_table_new_from_stbl (other->stbl, NULL);

      fail_unless (samples && other->has_trex);
      fail_unless_equals_int (bmff_sample_table_get_count (samples), 0);
      fail_unless_equals_uint64 (other->duration, 0);
    }
    /* Nothing is left to take. */
    fail_if (take (again));
  }
}

GST_END_TEST;

GST_START_TEST (test_others_stay)
{
  guint i;

  for (i = 0; i < 2; i++) {
    /* No mvex; or no samples. */
    BmffBox *moov = test_with (test_moov (),
        test_trak (1, "vide", i == 0 ? make_stbl () : NULL));
    g_autoptr (BmffMovie) movie = NULL;
    g_autoptr (GBytes) before = NULL;
    g_autoptr (GBytes) after = NULL;

    if (i == 1)
      test_with (moov, bmff_box_new_container (FCC ("mvex")));
    movie = bmff_movie_new (test_reparse_at (moov, 0), NULL);
    before = bmff_box_to_bytes (movie->moov);
    fail_if (take (movie));
    after = bmff_box_to_bytes (movie->moov);
    fail_unless (g_bytes_equal (before, after));
  }
}

GST_END_TEST;

/* An edit says how long the movie is, or 0: as long as what fragments bring. */
GST_START_TEST (test_edits_stay)
{
  guint32 duration = __i__ ? 5000 : 0;
  BmffBox *moov = test_moov (), *trak = test_trak (1, "vide", make_stbl ());
  BmffBox *edts = bmff_box_new_container (FCC ("edts"));
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (BmffMixed) mixed = NULL;
  const BmffBox *elst;
  const guint8 *data;

  test_with (edts, test_box ("elst", 0, 1, duration, 700, 0x10000));
  test_with (moov, test_with (trak, edts));
  test_with (moov, bmff_box_new_container (FCC ("mvex")));
  movie = bmff_movie_new (test_reparse_at (moov, 0), NULL);
  mixed = take (movie);
  fail_unless_equals_uint64 (movie->duration, __i__ ? 10 : 0);
  elst = bmff_box_find (movie->moov, "trak/edts/elst");
  fail_unless (elst);
  data = g_bytes_get_data (elst->payload, NULL);
  fail_unless_equals_int (bmff_get_u32 (data + 8), duration);
}

GST_END_TEST;

GST_START_TEST (test_boxes_that_cannot_be_told)
{
  assert_refused (test_with (make_stbl (), test_box ("subs", 0, 0)),
      "subs at ");
  assert_refused (test_with (make_stbl (), test_box ("stps", 0, 0)),
      "stps at ");
  assert_refused (test_with (make_stbl (), test_box ("saiz", 0, 0, 0)),
      "track 1: it tells of samples that stand in the moov");
  assert_refused (test_with (make_stbl (),
                      test_box ("sbgp", 1u << 24, ROLL, 7, 1, 6, 1)),
      "sbgp at ");
  assert_refused (test_with (make_stbl (),
                      test_box ("sbgp", 0, ROLL, 1, 6, 0x10001)),
      "sbgp at ");
  assert_refused (test_with (test_with (make_stbl (),
                                 test_box ("sbgp", 0, ROLL, 1, 6, 1)),
                      test_box ("sbgp", 0, ROLL, 1, 6, 1)),
      "sbgp at ");
}

GST_END_TEST;

/* The fragments */

static void
assert_sample (const BmffTraf *traf, guint32 index, BmffSample want)
{
  BmffSample have;

  fail_unless (bmff_sample_table_get (traf->samples, index, &have));
  fail_unless_equals_uint64 (have.offset, want.offset);
  fail_unless_equals_int (have.size, want.size);
  fail_unless_equals_int (have.duration, want.duration);
  fail_unless_equals_uint64 (have.dts, want.dts);
  fail_unless_equals_int (have.composition_offset, want.composition_offset);
  fail_unless_equals_int (have.description_index, want.description_index);
  fail_unless_equals_int (have.flags, want.flags);
}

/* All that is known of the samples is there; so are the bytes in their new order. */
GST_START_TEST (test_samples)
{
  static const BmffMixedRange ranges[] = { { 108, 23 }, { 200, 27 },
    { 300, 31 }, { 150, 7 }, { 250, 7 }, { 131, 19 }, { 157, 43 }, { 227, 23 },
    { 257, 43 } };
  g_autoptr (BmffMovie) movie = make_movie (make_stbl (), make_sound ());
  g_autoptr (BmffMixed) mixed = take (movie);
  g_autoptr (GArray) order = NULL;
  g_autoptr (BmffFragment) fragment =
      next (mixed, movie, 100, 400, NO_LIMIT, &order);
  guint32 sync = BMFF_SAMPLE_FLAGS_SYNC, other = BMFF_SAMPLE_FLAGS_NON_SYNC;
  const BmffTraf *traf;
  guint i;

  fail_unless_equals_int (fragment->sequence_number, 1);
  fail_unless_equals_int (fragment->trafs->len, 3);
  traf = g_ptr_array_index (fragment->trafs, 0);
  fail_unless (traf->has_tfdt);
  fail_unless_equals_int (traf->runs->len, 1);
  fail_unless_equals_int (bmff_sample_table_get_count (traf->samples), 4);
  assert_sample (traf, 0, (BmffSample){ 108, 11, 10, 0, 5, 1, sync });
  assert_sample (traf, 1, (BmffSample){ 119, 12, 10, 10, 5, 1, other });
  assert_sample (traf, 2, (BmffSample){ 131, 13, 10, 20, -3, 1, other });
  assert_sample (traf, 3, (BmffSample){ 144, 14, 20, 30, -3, 1, other });
  traf = g_ptr_array_index (fragment->trafs, 1);
  fail_unless_equals_int (bmff_sample_table_get_count (traf->samples), 2);
  assert_sample (traf, 0, (BmffSample){ 158, 15, 20, 50, 0, 2, sync });
  assert_sample (traf, 1, (BmffSample){ 173, 16, 20, 70, 0, 2, other });
  traf = g_ptr_array_index (fragment->trafs, 2);
  fail_unless_equals_int (traf->track_id, 2);
  assert_sample (traf, 0, (BmffSample){ 189, 7, 1024, 0, 0, 1, sync });
  assert_sample (traf, 1, (BmffSample){ 196, 7, 1024, 1024, 0, 1, sync });
  fail_unless_equals_int (order->len, G_N_ELEMENTS (ranges));
  for (i = 0; i < order->len; i++) {
    const BmffMixedRange *range = &g_array_index (order, BmffMixedRange, i);

    fail_unless_equals_uint64 (range->start, ranges[i].start);
    fail_unless_equals_uint64 (range->size, ranges[i].size);
  }
  fail_unless (bmff_mixed_check_done (mixed, NULL));
}

GST_END_TEST;

/* More than the limit stays where it is. */
GST_START_TEST (test_in_place)
{
  g_autoptr (BmffMovie) movie = make_movie (make_stbl (), make_sound ());
  g_autoptr (BmffMixed) mixed = take (movie);
  GArray *order;
  g_autoptr (BmffFragment) fragment =
      next (mixed, movie, 100, 400, 222, &order);
  const BmffTraf *traf = g_ptr_array_index (fragment->trafs, 0);

  fail_if (order);
  fail_unless_equals_int (traf->runs->len, 2);
  assert_sample (traf, 2,
      (BmffSample){ 200, 13, 10, 20, -3, 1, BMFF_SAMPLE_FLAGS_NON_SYNC });
  traf = g_ptr_array_index (fragment->trafs, 2);
  fail_unless_equals_int (traf->runs->len, 2);
  assert_sample (traf, 1,
      (BmffSample){ 250, 7, 1024, 1024, 0, 1, BMFF_SAMPLE_FLAGS_SYNC });
}

GST_END_TEST;

/* sdtp and stdp, in which the last sample is missing. */
GST_START_TEST (test_flags)
{
  BmffBox *stbl = make_stbl ();
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (BmffMixed) mixed = NULL;
  g_autoptr (GArray) order = NULL;
  g_autoptr (BmffFragment) fragment = NULL;
  const BmffTraf *traf;
  BmffSample sample;

  test_with (stbl, test_box ("sdtp", 0, 0x24184011));
  test_with (stbl, test_box ("stdp", 0, 0x00010002, 0x00030004));
  movie = make_movie (stbl, NULL);
  mixed = take (movie);
  fragment = next (mixed, movie, 100, 400, NO_LIMIT, &order);
  traf = g_ptr_array_index (fragment->trafs, 0);
  bmff_sample_table_get (traf->samples, 0, &sample);
  fail_unless_equals_int (sample.flags, 0x02400001);
  bmff_sample_table_get (traf->samples, 1, &sample);
  fail_unless_equals_int (sample.flags, 0x01810002);
  bmff_sample_table_get (traf->samples, 3, &sample);
  fail_unless_equals_int (sample.flags, 0x01110004);
  traf = g_ptr_array_index (fragment->trafs, 1);
  bmff_sample_table_get (traf->samples, 0, &sample);
  fail_unless_equals_int (sample.flags, BMFF_SAMPLE_FLAGS_SYNC);
}

GST_END_TEST;

/* Each traf has the groups of its samples: here samples 2 to 4 of six. */
GST_START_TEST (test_groups)
{
  BmffBox *stbl = make_stbl ();
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (BmffMixed) mixed = NULL;
  g_autoptr (GArray) order = NULL;
  g_autoptr (BmffFragment) fragment = NULL;
  guint i, k;

  test_with (stbl, test_box ("sgpd", 1u << 24, ROLL, 2, 1, 0xffff0000));
  test_with (stbl, test_box ("sbgp", 0, ROLL, 2, 2, 0, 3, 1));
  movie = make_movie (stbl, NULL);
  mixed = take (movie);
  fragment = next (mixed, movie, 100, 400, NO_LIMIT, &order);
  for (i = 0; i < 2; i++) {
    const BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);
    g_autoptr (BmffGroupMap) map = bmff_group_map_parse (traf->box, ROLL, NULL);

    fail_unless (map);
    fail_unless_equals_int (bmff_group_map_get_count (map), i == 0 ? 4 : 1);
    for (k = 0; k < bmff_group_map_get_count (map); k++)
      fail_unless_equals_int (bmff_group_map_get (map, k), i == 1 || k >= 2);
  }
}

GST_END_TEST;

/* An mdat without samples; then two that share them. */
GST_START_TEST (test_mdats)
{
  g_autoptr (BmffMovie) movie = make_movie (make_stbl (), make_sound ());
  g_autoptr (BmffMixed) mixed = take (movie);
  GArray *order;
  g_autoptr (BmffFragment) one = NULL;
  g_autoptr (BmffFragment) two = NULL;
  g_autoptr (GArray) woven = NULL;
  GError *error = NULL;
  const BmffTraf *traf;

  fail_if (next (mixed, movie, 60, 100, NO_LIMIT, &order));
  one = next (mixed, movie, 100, 192, NO_LIMIT, &order);
  fail_if (order); /* a run of each */
  fail_unless_equals_int (one->trafs->len, 2);
  fail_if (bmff_mixed_check_done (mixed, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED,
      "track 1: sample 3 of the moov's, at offset 200, is in no mdat");
  two = next (mixed, movie, 192, 400, NO_LIMIT, &woven);
  fail_unless_equals_int (two->sequence_number, 2);
  fail_unless_equals_int (two->trafs->len, 3);
  traf = g_ptr_array_index (two->trafs, 0);
  fail_unless_equals_uint64 (traf->decode_time, 20);
  traf = g_ptr_array_index (two->trafs, 2);
  fail_unless_equals_uint64 (traf->decode_time, 1024);
  fail_unless (bmff_mixed_check_done (mixed, NULL));
  fail_unless_equals_int (bmff_mixed_get_count (mixed), 2);
}

GST_END_TEST;

/* Empty samples belong to what is around them. */
GST_START_TEST (test_empty_samples)
{
  BmffBox *stbl = bmff_box_new_container (FCC ("stbl"));
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (BmffMixed) mixed = NULL;
  g_autoptr (BmffFragment) fragment = NULL;
  const BmffTraf *traf;
  GArray *order;

  test_with (stbl, test_box ("stts", 0, 1, 4, 10));
  test_with (stbl, test_box ("stsc", 0, 1, 1, 1, 1));
  test_with (stbl, test_box ("stsz", 0, 0, 4, 0, 9, 9, 0));
  test_with (stbl, test_box ("stco", 0, 4, 4000, 108, 117, 3));
  movie = make_movie (stbl, NULL);
  mixed = take (movie);
  fail_if (next (mixed, movie, 60, 100, 0, &order));
  fragment = next (mixed, movie, 100, 400, 0, &order);
  traf = g_ptr_array_index (fragment->trafs, 0);
  fail_unless_equals_int (bmff_sample_table_get_count (traf->samples), 4);
  fail_unless (bmff_mixed_check_done (mixed, NULL));
}

GST_END_TEST;

static BmffBox *
make_chunks (guint32 first, guint32 second)
{
  BmffBox *stbl = bmff_box_new_container (FCC ("stbl"));

  test_with (stbl, test_box ("stts", 0, 1, 2, 10));
  test_with (stbl, test_box ("stsc", 0, 1, 1, 1, 1));
  test_with (stbl, test_box ("stsz", 0, 20, 2));
  return test_with (stbl, test_box ("stco", 0, 2, first, second));
}

GST_START_TEST (test_places)
{
  gint code = BMFF_ERROR_UNSUPPORTED;

  assert_next_fails (make_chunks (107, 200), 100, 400, code,
      "track 1: a sample of the moov's, at offset 107, is in no mdat behind");
  assert_next_fails (make_chunks (200, 190), 100, 400, code, "share the byte");
  assert_next_fails (make_chunks (110, 381), 100, 400, code,
      "at offset 381, reaches beyond the end of its mdat (the mdat at offset "
      "100)");
  assert_next_fails (make_chunks (0x80000100, 381), 100, G_MAXUINT32, code,
      "31 bits");
}

GST_END_TEST;

/* The second sample stands in the mdat in front of the first one's. */
GST_START_TEST (test_wrong_order)
{
  g_autoptr (BmffMovie) movie = make_movie (make_chunks (500, 120), NULL);
  g_autoptr (BmffMixed) mixed = take (movie);
  GError *error = NULL;
  GArray *order;

  fail_if (next (mixed, movie, 100, 400, NO_LIMIT, &order));
  fail_if (bmff_mixed_next (mixed, 400, 408, 700, NO_LIMIT, &order, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED,
      "offset 120, is in no mdat behind the moov, or behind samples that "
      "follow it (the mdat at offset 400)");
}

GST_END_TEST;

/* A data reference to another file: of the second entry. */
GST_START_TEST (test_other_file)
{
  BmffBox *trak = test_trak (1, "vide", make_stbl ());
  BmffBox *dinf = bmff_box_new_container (FCC ("dinf"));
  BmffBox *moov = test_moov ();
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (BmffMixed) mixed = NULL;
  GError *error = NULL;
  GArray *order;

  test_with (dinf,
      test_box ("dref", 0, 2, 12, FCC ("url "), 1, 14, FCC ("url "), 0,
          0x61000000));
  test_with (bmff_box_find (trak, "mdia/minf"), dinf);
  test_with (moov, trak);
  test_with (moov, bmff_box_new_container (FCC ("mvex")));
  movie = bmff_movie_new (test_reparse_at (moov, 0), &error);
  fail_unless_no_error (error);
  mixed = take (movie);
  fail_if (bmff_mixed_next (mixed, 100, 108, 400, NO_LIMIT, &order, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "is in another file");
}

GST_END_TEST;

/* Claimed by a few bytes. */
GST_START_TEST (test_limits)
{
  BmffBox *stbl = bmff_box_new_container (FCC ("stbl"));

  test_with (stbl, test_box ("stts", 0, 1, G_MAXUINT32, 1));
  test_with (stbl, test_box ("stsc", 0, 1, 1, G_MAXUINT32, 1));
  test_with (stbl, test_box ("stsz", 0, 1, G_MAXUINT32));
  test_with (stbl, test_box ("stco", 0, 1, 108));
  assert_next_fails (stbl, 100, G_MAXUINT32 + G_GUINT64_CONSTANT (1000),
      BMFF_ERROR_LIMIT, "more than 4194304 samples");
}

GST_END_TEST;

static Suite *
isobmff_mixed_suite (void)
{
  Suite *s = suite_create ("isobmff-mixed");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_moov_is_emptied);
  tcase_add_test (tc, test_others_stay);
  tcase_add_loop_test (tc, test_edits_stay, 0, 2);
  tcase_add_test (tc, test_boxes_that_cannot_be_told);
  tcase_add_test (tc, test_samples);
  tcase_add_test (tc, test_in_place);
  tcase_add_test (tc, test_flags);
  tcase_add_test (tc, test_groups);
  tcase_add_test (tc, test_mdats);
  tcase_add_test (tc, test_empty_samples);
  tcase_add_test (tc, test_places);
  tcase_add_test (tc, test_wrong_order);
  tcase_add_test (tc, test_other_file);
  tcase_add_test (tc, test_limits);

  return s;
}

GST_CHECK_MAIN (isobmff_mixed);
