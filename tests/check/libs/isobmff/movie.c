/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-movie.h"

static BmffMovie *
parse (BmffBox *moov)
{
  GError *error = NULL;
  BmffMovie *movie = bmff_movie_new (test_reparse_at (moov, 32), &error);

  fail_unless_no_error (error);

  return movie;
}

static void
assert_bad (BmffBox *moov, BmffError code, const gchar *message)
{
  GError *error = NULL;

  fail_unless (bmff_movie_new (moov, &error) == NULL);
  fail_unless_error (error, code, message);
}

GST_START_TEST (test_movie)
{
  BmffBox *moov = test_with (test_moov (), test_trak (3, "vide", NULL));
  g_autoptr (BmffMovie) movie = NULL;
  BmffTrack *track;

  moov = test_with (moov, test_trak (9, "text", NULL));
  movie = parse (moov);
  fail_unless_equals_int (movie->timescale, 1000);
  fail_unless_equals_uint64 (movie->duration, 10);
  fail_if (movie->fragmented);
  fail_unless_equals_int (movie->tracks->len, 2);
  fail_unless (bmff_movie_get_track (movie, 1) == NULL);
  track = bmff_movie_get_track (movie, 3);
  fail_unless (track == g_ptr_array_index (movie->tracks, 0));
  fail_unless_equals_int (track->handler, BMFF_HANDLER_VIDEO);
  fail_unless_equals_int (track->timescale, 90000);
  fail_unless_equals_uint64 (track->duration, 900);
  fail_unless_equals_string (track->language, "eng");
  fail_unless_equals_int (track->width, 640);
  fail_unless_equals_int (track->height, 360);
  fail_if (track->has_trex);
  fail_unless (track->stbl == bmff_box_find (track->trak, "mdia/minf/stbl"));
  fail_unless (bmff_track_get_entry (track, 0) == NULL);
  fail_unless_equals_int (bmff_track_get_entry (track, 1)->type, FCC ("avc1"));
  fail_unless_equals_int (bmff_track_get_entry (track, 2)->type, FCC ("hvc1"));
  fail_unless (bmff_track_get_entry (track, 3) == NULL);
  fail_unless (bmff_track_get_entry (track, G_MAXUINT32) == NULL);
  track = bmff_movie_get_track (movie, 9);
  fail_unless_equals_int (track->width, 0);
  fail_unless_equals_int (bmff_track_get_entry (track, 2)->type, FCC ("hvc1"));
}

GST_END_TEST;

GST_START_TEST (test_version_1)
{
  BmffBox *trak = test_trak (1, "vide", NULL);
  BmffBox *moov = bmff_box_new_container (FCC ("moov"));
  BmffBox *mdia = bmff_box_child (trak, FCC ("mdia"));
  g_autoptr (BmffMovie) movie = NULL;
  BmffTrack *track;

  bmff_box_set_payload (bmff_box_child (trak, FCC ("tkhd")),
      test_words (6, (guint32[]){ 0x01000000, 1, 2, 3, 4, 77 }));
  bmff_box_set_payload (bmff_box_child (mdia, FCC ("mdhd")),
      test_words (9,
          (guint32[]){ 0x01000000, 1, 2, 3, 4, 48000, 5, 6, 0x04000000 }));
  moov = test_with (moov,
      test_box ("mvhd", 0x01000000, 1, 2, 3, 4, 600, G_MAXUINT32, G_MAXUINT32));
  movie = parse (test_with (moov, trak));
  track = bmff_movie_get_track (movie, 77);
  fail_unless (track != NULL);
  fail_unless_equals_int (track->timescale, 48000);
  fail_unless_equals_uint64 (track->duration, 0x500000006ull);
  /* A Macintosh language code. */
  fail_unless_equals_string (track->language, "und");
  fail_unless_equals_int (movie->timescale, 600);
  fail_unless_equals_uint64 (movie->duration, 0);
}

GST_END_TEST;

GST_START_TEST (test_trex)
{
  BmffBox *mvex = bmff_box_new_container (FCC ("mvex"));
  BmffBox *moov = test_with (test_moov (), mvex);
  g_autoptr (BmffMovie) movie = NULL;
  BmffTrack *track;

  test_with (mvex, test_box ("trex", 0, 5, 2, 100, 200, 0x10000));
  test_with (mvex, test_box ("trex", 0, 6, 1, 0, 0, 0));
  movie = parse (test_with (moov, test_trak (5, "vide", NULL)));
  track = bmff_movie_get_track (movie, 5);
  fail_unless (movie->fragmented && track->has_trex);
  fail_unless_equals_int (track->trex.description_index, 2);
  fail_unless_equals_int (track->trex.duration, 100);
  fail_unless_equals_int (track->trex.size, 200);
  fail_unless_equals_int (track->trex.flags, 0x10000);
}

GST_END_TEST;

GST_START_TEST (test_local)
{
  static const gchar dref[] = "\0\0\0\0\0\0\0\2"
                              "\0\0\0\x0curl \0\0\0\1"
                              "\0\0\0\x10url \0\0\0\0a.b";
  BmffBox *trak = test_trak (5, "vide", NULL);
  BmffBox *dinf = bmff_box_new_container (FCC ("dinf"));
  g_autoptr (BmffMovie) without =
      parse (test_with (test_moov (), test_trak (5, "vide", NULL)));
  g_autoptr (BmffMovie) movie = NULL;
  BmffBox *box =
      bmff_box_new (FCC ("dref"), g_bytes_new_static (dref, sizeof (dref)));
  g_autoptr (BmffBox) odd = bmff_box_copy (box);
  g_autoptr (GByteArray) locals = NULL;
  BmffTrack *track;
  guint8 *payload;

  track = g_ptr_array_index (without->tracks, 0);
  fail_unless (bmff_track_is_local (track, 1));
  fail_unless (bmff_track_is_local (track, 2));
  test_with (bmff_box_find (trak, "mdia/minf"), test_with (dinf, box));
  movie = parse (test_with (test_moov (), trak));
  track = g_ptr_array_index (movie->tracks, 0);
  fail_unless (bmff_track_is_local (track, 1));
  fail_if (bmff_track_is_local (track, 2));
  fail_unless (bmff_track_is_local (track, 3));
  fail_unless (bmff_track_is_local (track, 0));

  /* The first one as imdt: in this file, but not by place. The second one
   * overruns the box. */
  payload = bmff_box_edit_payload (odd, NULL);
  memcpy (payload + 12, "imdt", 4);
  payload[23] = 60;
  locals = bmff_dref_read (odd);
  fail_unless_equals_int (locals->len, 2);
  fail_if (locals->data[1]);
}

GST_END_TEST;

GST_START_TEST (test_bad)
{
  BmffBox *moov, *trak;

  assert_bad (bmff_box_new_container (FCC ("moof")), BMFF_ERROR_INVALID,
      "moof");
  assert_bad (bmff_box_new_container (FCC ("moov")), BMFF_ERROR_INVALID,
      "no mvhd");
  moov = test_with (test_moov (), test_trak (5, "vide", NULL));
  assert_bad (test_with (moov, test_trak (5, "soun", NULL)), BMFF_ERROR_INVALID,
      "a second track with id 5");
  assert_bad (test_with (test_moov (), test_trak (0, "vide", NULL)),
      BMFF_ERROR_INVALID, "track id 0");

  trak = test_trak (6, "vide", NULL);
  bmff_box_remove (bmff_box_find (trak, "mdia/minf/stbl"),
      bmff_box_find (trak, "mdia/minf/stbl/stsd"));
  assert_bad (test_with (test_moov (), trak), BMFF_ERROR_INVALID,
      "track 6 has no stsd");
  trak = test_trak (6, "vide", NULL);
  bmff_box_remove (trak, bmff_box_child (trak, FCC ("mdia")));
  assert_bad (test_with (test_moov (), trak), BMFF_ERROR_INVALID,
      "track 6 has no mdia");
  trak = test_trak (6, "vide", NULL);
  bmff_box_set_payload (bmff_box_find (trak, "mdia/mdhd"),
      test_words (5, (guint32[]){ 0, 0, 0, 1, 1 }));
  assert_bad (test_with (test_moov (), trak), BMFF_ERROR_TRUNCATED, "mdhd");
  trak = test_trak (6, "vide", NULL);
  bmff_box_set_payload (bmff_box_child (trak, FCC ("tkhd")),
      g_bytes_new_static ("\1\0\0", 3));
  assert_bad (test_with (test_moov (), trak), BMFF_ERROR_TRUNCATED, "tkhd");
}

GST_END_TEST;

GST_START_TEST (test_bad_trex)
{
  BmffBox *mvex = bmff_box_new_container (FCC ("mvex"));
  BmffBox *moov = test_with (test_moov (), test_trak (5, "vide", NULL));

  test_with (mvex, test_box ("trex", 0, 5, 2, 100, 200));
  assert_bad (test_with (moov, mvex), BMFF_ERROR_TRUNCATED, "trex");
}

GST_END_TEST;

GST_START_TEST (test_many_tracks)
{
  BmffBox *moov = test_moov ();
  g_autoptr (BmffMovie) movie = NULL;
  guint i;

  for (i = 1; i <= BMFF_MAX_TRACKS; i++)
    moov = test_with (moov, test_trak (i, "vide", NULL));
  movie = parse (bmff_box_copy (moov));
  fail_unless_equals_int (movie->tracks->len, BMFF_MAX_TRACKS);
  assert_bad (test_with (moov, test_trak (i, "vide", NULL)), BMFF_ERROR_LIMIT,
      "more than 1024 tracks");
}

GST_END_TEST;

/* Found by fuzzing. */
GST_START_TEST (test_no_entries)
{
  BmffBox *trak = test_trak (1, "vide", NULL);
  g_autoptr (BmffMovie) movie = NULL;
  BmffTrack *track;

  bmff_box_set_payload (bmff_box_find (trak, "mdia/minf/stbl/stsd"),
      test_words (2, (guint32[]){ 0, 0 }));
  movie = parse (test_with (test_moov (), trak));
  track = g_ptr_array_index (movie->tracks, 0);
  fail_unless (bmff_track_get_entry (track, 1) == NULL);
  fail_unless (bmff_track_is_local (track, 1));
  fail_unless_equals_int (track->width, 0);
}

GST_END_TEST;

static Suite *
isobmff_movie_suite (void)
{
  Suite *s = suite_create ("isobmff-movie");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_movie);
  tcase_add_test (tc, test_version_1);
  tcase_add_test (tc, test_trex);
  tcase_add_test (tc, test_local);
  tcase_add_test (tc, test_bad);
  tcase_add_test (tc, test_bad_trex);
  tcase_add_test (tc, test_many_tracks);
  tcase_add_test (tc, test_no_entries);

  return s;
}

GST_CHECK_MAIN (isobmff_movie);
