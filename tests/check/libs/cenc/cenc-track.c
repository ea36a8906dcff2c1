/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc-test-movie.h"

#include <gst/cenc/gstcenckeysession.h>

#define SINF FCC ("sinf")

/* --- entries --- */

static BmffBox *
make_entry (const gchar *type, gsize fields)
{
  BmffBox *entry = bmff_box_new_container (FCC (type));

  bmff_box_set_payload (entry, g_bytes_new_take (g_malloc0 (fields), fields));
  bmff_box_append (entry, test_box ("avcC", 1));
  return entry;
}

static BmffBox *
make_sinf (const gchar *format, const gchar *scheme, const CencParams *params)
{
  BmffBox *sinf = bmff_box_new_container (SINF);

  if (format)
    test_with (sinf, test_box ("frma", FCC (format)));
  if (scheme)
    test_with (sinf, test_box ("schm", 0, FCC (scheme), 0x10000));
  if (params)
    test_with (sinf,
        test_with (bmff_box_new_container (FCC ("schi")),
            cenc_params_to_tenc (params)));
  return sinf;
}

GST_START_TEST (test_wrap_and_parse)
{
  guint scheme;

  for (scheme = CENC_SCHEME_CENC; scheme <= CENC_SCHEME_PIFF; scheme++) {
    gboolean audio = scheme % 2 == 1;
    CencParams params = test_params ((CencScheme) scheme, 7);
    g_autoptr (BmffBox) entry =
        make_entry (audio ? "mp4a" : "avc1", audio ? 28 : 78);
    g_autoptr (GError) error = NULL;
    CencEntry parsed;

    fail_unless (cenc_entry_parse (entry, &parsed, &error));
    fail_if (parsed.is_wrapped);
    assert_equals_int (parsed.original_format, entry->type);

    fail_unless (cenc_entry_wrap (entry,
        audio ? BMFF_HANDLER_AUDIO : BMFF_HANDLER_VIDEO, &params, &error));
    assert_equals_int (entry->type, audio ? FCC ("enca") : FCC ("encv"));
    assert_equals_int (entry->children->len, 2);
    fail_unless (cenc_entry_parse (entry, &parsed, &error), "%s",
        error ? error->message : "");
    fail_unless (parsed.is_wrapped);
    assert_equals_int (parsed.original_format,
        audio ? FCC ("mp4a") : FCC ("avc1"));
    assert_equals_int (parsed.params.scheme, scheme);
    assert_equals_int (memcmp (&parsed.params, &params, sizeof params), 0);
    /* Twice is not. */
    fail_if (cenc_entry_wrap (entry, BMFF_HANDLER_VIDEO, &params, &error));
    fail_unless (
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
  }
}
GST_END_TEST;

GST_START_TEST (test_piff_cbc)
{
  CencParams params = test_params (CENC_SCHEME_PIFF, 7);
  g_autoptr (BmffBox) entry = make_entry ("avc1", 78);
  CencEntry parsed;

  params.mode = CENC_MODE_CBC;
  fail_unless (cenc_entry_wrap (entry, BMFF_HANDLER_VIDEO, &params, NULL));
  fail_unless (cenc_entry_parse (entry, &parsed, NULL));
  assert_equals_int (parsed.params.mode, CENC_MODE_CBC);
}
GST_END_TEST;

/* ffmpeg reads an alac box behind the frma that tells it the codec. */
GST_START_TEST (test_wrap_alac)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 7);
  g_autoptr (BmffBox) alac = make_entry ("alac", 28);
  g_autoptr (BmffBox) aac = make_entry ("mp4a", 28);

  fail_unless (cenc_entry_wrap (alac, BMFF_HANDLER_AUDIO, &params, NULL));
  fail_unless (
      ((BmffBox *) g_ptr_array_index (alac->children, 0))->type == SINF);
  fail_unless (cenc_entry_wrap (aac, BMFF_HANDLER_AUDIO, &params, NULL));
  fail_unless (
      ((BmffBox *) g_ptr_array_index (aac->children, 1))->type == SINF);
}
GST_END_TEST;

GST_START_TEST (test_wrap_refused)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 7);
  g_autoptr (BmffBox) text = make_entry ("tx3g", 8);
  g_autoptr (BmffBox) quicktime = make_entry ("mp4a", 44);
  g_autoptr (BmffBox) video = make_entry ("avc1", 78);
  g_autoptr (GError) error = NULL;

  fail_if (cenc_entry_wrap (text, FCC ("text"), &params, &error));
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
  g_clear_error (&error);
  fail_if (cenc_entry_wrap (quicktime, BMFF_HANDLER_AUDIO, &params, &error));
  fail_unless (strstr (error->message, "QuickTime") != NULL);
  g_clear_error (&error);
  /* A constant IV with CTR. */
  params.per_sample_iv_size = 0;
  params.constant_iv_size = 16;
  fail_if (cenc_entry_wrap (video, BMFF_HANDLER_VIDEO, &params, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  assert_equals_int (video->type, FCC ("avc1"));
}
GST_END_TEST;

/* Fields of QuickTime's version 1; its samples are packets if @id is -2. */
static BmffBox *
make_quicktime (gint16 id)
{
  static const gchar wave[] = "\0\0\0\x0c"
                              "frma"
                              "mp4a"
                              "\0\0\0\x0c"
                              "mp4a"
                              "\0\0\0\0"
                              "\0\0\0\x0c"
                              "esds"
                              "EDSC"
                              "\0\0\0\x08"
                              "\0\0\0";
  BmffBox *entry = make_entry ("mp4a", 44);
  guint8 *fields = bmff_box_edit_payload (entry, NULL);

  fields[7] = fields[9] = 1; /* data reference, version */
  fields[17] = 2; /* channels */
  fields[20] = (guint16) id >> 8;
  fields[21] = (guint8) id;
  bmff_put_u32 (fields + 28, 1024);
  test_with (entry,
      bmff_box_new (FCC ("wave"), g_bytes_new_static (wave, sizeof wave)));
  return entry;
}

/* What is in its `wave` of the codec becomes the entry's own. */
GST_START_TEST (test_wrap_quicktime)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 7);
  g_autoptr (BmffBox) entry = make_quicktime (-2);
  g_autoptr (BmffBox) pcm = make_quicktime (-1);
  g_autoptr (GError) error = NULL;
  const guint8 *fields;
  gsize size;
  const BmffBox *esds;

  fail_unless (cenc_entry_wrap (entry, BMFF_HANDLER_AUDIO, &params, &error));
  assert_equals_int (entry->type, FCC ("enca"));
  fields = g_bytes_get_data (entry->payload, &size);
  assert_equals_int (size, 28);
  assert_equals_int (bmff_get_u16 (fields + 6), 1);
  assert_equals_int (bmff_get_u32 (fields + 8), 0);
  assert_equals_int (bmff_get_u16 (fields + 16), 2);
  assert_equals_int (bmff_get_u32 (fields + 20), 0);
  esds = bmff_box_child (entry, FCC ("esds"));
  fail_unless (memcmp (g_bytes_get_data (esds->payload, NULL), "EDSC", 4) == 0);
  fail_if (bmff_box_child (entry, FCC ("wave")));
  fail_if (bmff_box_child (entry, FCC ("frma")));
  fail_if (bmff_box_child (entry, FCC ("mp4a")));
  fail_unless (bmff_box_child (entry, FCC ("sinf")));
  /* Tables of such a track count frames of sound. */
  fail_if (cenc_entry_wrap (pcm, BMFF_HANDLER_AUDIO, &params, &error));
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
}
GST_END_TEST;

static void
refuse_entry (BmffBox *sinf, GstCencError code, const gchar *text)
{
  g_autoptr (BmffBox) entry = make_entry ("encv", 78);
  g_autoptr (GError) error = NULL;
  CencEntry parsed;

  if (sinf)
    bmff_box_append (entry, sinf);
  fail_if (cenc_entry_parse (entry, &parsed, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, (gint) code), "%s",
      error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
}

GST_START_TEST (test_entries_refused)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 7);
  GstCencError format = GST_CENC_ERROR_FORMAT;

  refuse_entry (NULL, format, "no sinf");
  refuse_entry (make_sinf ("avc1", NULL, &params), format, "no schm");
  refuse_entry (make_sinf (NULL, "cenc", &params), format, "no frma");
  refuse_entry (make_sinf ("avc1", "cenc", NULL), format, "no tenc");
  refuse_entry (make_sinf ("encv", "cenc", &params), GST_CENC_ERROR_UNSUPPORTED,
      "protected as well");
  refuse_entry (make_sinf ("avc1", "itun", &params), GST_CENC_ERROR_UNSUPPORTED,
      "\"itun\"");
}
GST_END_TEST;

GST_START_TEST (test_several_sinf)
{
  CencParams params = test_params (CENC_SCHEME_CENS, 7);
  g_autoptr (BmffBox) entry = make_entry ("encv", 78);
  CencEntry parsed;

  bmff_box_append (entry, make_sinf ("avc1", "itun", NULL));
  bmff_box_append (entry, make_sinf ("avc1", "cens", &params));
  fail_unless (cenc_entry_parse (entry, &parsed, NULL));
  assert_equals_int (parsed.params.scheme, CENC_SCHEME_CENS);
}
GST_END_TEST;

/* Restricted (14496-12, 8.15): stereo video and the like, protected or not. */
GST_START_TEST (test_resv)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 7);
  g_autoptr (BmffBox) clear = make_entry ("resv", 78);
  g_autoptr (BmffBox) inside = make_entry ("encv", 78);
  CencEntry parsed;

  fail_unless (cenc_entry_parse (clear, &parsed, NULL));
  fail_if (parsed.is_wrapped);
  assert_equals_int (parsed.original_format, FCC ("resv"));
  bmff_box_append (inside, make_sinf ("resv", "cenc", &params));
  fail_unless (cenc_entry_parse (inside, &parsed, NULL));
  fail_unless (parsed.is_wrapped);
  assert_equals_int (parsed.original_format, FCC ("resv"));
}
GST_END_TEST;

GST_START_TEST (test_types)
{
  static const gchar *const types[] = { "encv", "enca", "enct", "encs", "encm",
    "encu", "enc3" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (types); i++)
    fail_unless (cenc_entry_type_is_protected (FCC (types[i])));
  fail_if (cenc_entry_type_is_protected (FCC ("avc1")));
  fail_if (cenc_entry_type_is_protected (FCC ("resv")));
}
GST_END_TEST;

/* --- tracks and groups --- */

/* A track of 6 samples, entry 1 encv (KID 1), entry 2 hvc1, and what @more is. */
static BmffMovie *
make_movie (BmffBox *sgpd, BmffBox *sbgp)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  BmffBox *stbl = test_stbl (6, 100, 5000, 2);
  BmffBox *trak;

  if (sgpd)
    bmff_box_append (stbl, sgpd);
  if (sbgp)
    bmff_box_append (stbl, sbgp);
  trak = test_trak (1, "vide", stbl);
  test_wrap (trak, &params);
  return test_movie (test_with (test_moov (), trak));
}

static CencTrack *
make_track (const BmffMovie *movie)
{
  GError *error = NULL;
  CencTrack *track =
      cenc_track_new (g_ptr_array_index (movie->tracks, 0), &error);

  fail_unless_no_error (error);
  return track;
}

/* KIDs (first byte) of entry 1's samples, 0 = clear. */
static void
assert_kids (CencTrackRun *run, guint n, const guint *kids)
{
  guint i;

  for (i = 0; i < n; i++) {
    const CencParams *params = cenc_track_run_get_params (run, i, 1);

    fail_unless ((params ? params->kid[0] : 0) == kids[i],
        "sample %u has KID %u", i, params ? params->kid[0] : 0);
  }
}

#define ASSERT_KIDS(run, ...) \
  assert_kids (run, G_N_ELEMENTS (((guint[]){ __VA_ARGS__ })), \
      (guint[]){ __VA_ARGS__ })

/* KIDs 0x11, clear, 0x13. */
static void
make_groups (CencParams *groups)
{
  groups[0] = test_params (CENC_SCHEME_CENC, 0x11);
  groups[1] = test_params (CENC_SCHEME_CENC, 0);
  groups[1].is_protected = FALSE;
  groups[1].per_sample_iv_size = 0;
  groups[2] = test_params (CENC_SCHEME_CENC, 0x13);
  groups[2].per_sample_iv_size = 16;
}

GST_START_TEST (test_clear_lead_is_told_by_the_entry)
{
  g_autoptr (BmffMovie) movie = make_movie (NULL, NULL);
  g_autoptr (CencTrack) track = make_track (movie);
  g_autoptr (CencTrackRun) run = cenc_track_run_new (track, NULL, NULL);

  fail_unless (cenc_track_is_protected (track));
  fail_unless (cenc_track_get_entry (track, 1)->is_wrapped);
  fail_if (cenc_track_get_entry (track, 2)->is_wrapped);
  fail_unless (cenc_track_get_entry (track, 0) == NULL);
  fail_unless (cenc_track_get_entry (track, 3) == NULL);
  ASSERT_KIDS (run, 1, 1, 1);
  fail_unless (cenc_track_run_get_params (run, 0, 2) == NULL);
}
GST_END_TEST;

GST_START_TEST (test_groups_of_the_track)
{
  CencParams groups[3];
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (CencTrack) track = NULL;
  g_autoptr (CencTrackRun) run = NULL;

  make_groups (groups);
  movie = make_movie (test_sgpd (0, 3, groups),
      test_box ("sbgp", 0, FCC ("seig"), 4, 1, 1, 1, 2, 1, 3, 1, 0));
  track = make_track (movie);
  run = cenc_track_run_new (track, NULL, NULL);
  ASSERT_KIDS (run, 0x11, 0, 0x13, 1, 1);
  assert_equals_int (cenc_track_run_get_params (run, 2, 1)->per_sample_iv_size,
      16);
  /* A group says nothing of a sample of a clear entry. */
  fail_unless (cenc_track_run_get_params (run, 0, 2) == NULL);
}
GST_END_TEST;

GST_START_TEST (test_default_group)
{
  CencParams groups[3];
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (CencTrack) track = NULL;
  g_autoptr (CencTrackRun) run = NULL;

  make_groups (groups);
  movie = make_movie (test_sgpd (3, 3, groups), NULL);
  track = make_track (movie);
  run = cenc_track_run_new (track, NULL, NULL);
  ASSERT_KIDS (run, 0x13, 0x13);
}
GST_END_TEST;

GST_START_TEST (test_default_group_is_for_samples_without_a_map)
{
  CencParams groups[3];
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (CencTrack) track = NULL;
  g_autoptr (CencTrackRun) run = NULL;

  make_groups (groups);
  movie = make_movie (test_sgpd (3, 3, groups),
      test_box ("sbgp", 0, FCC ("seig"), 2, 1, 1, 2, 0));
  track = make_track (movie);
  run = cenc_track_run_new (track, NULL, NULL);
  ASSERT_KIDS (run, 0x11, 1, 1, 0x13, 0x13);
}
GST_END_TEST;

GST_START_TEST (test_group_that_nobody_describes)
{
  CencParams groups[3];
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (CencTrack) track = NULL;
  g_autoptr (GError) error = NULL;

  make_groups (groups);
  movie = make_movie (test_sgpd (0, 3, groups),
      test_box ("sbgp", 0, FCC ("seig"), 1, 6, 4));
  track = make_track (movie);
  fail_unless (cenc_track_run_new (track, NULL, &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  fail_unless (strstr (error->message, "seig group 4") != NULL, "%s",
      error->message);
}
GST_END_TEST;

GST_START_TEST (test_broken_group_description)
{
  CencParams bad = test_params (CENC_SCHEME_CENC, 5);
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (GError) error = NULL;

  bad.crypt_byte_block = 1; /* cenc has no pattern */
  movie = make_movie (test_sgpd (0, 1, &bad), NULL);
  fail_unless (
      cenc_track_new (g_ptr_array_index (movie->tracks, 0), &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  fail_unless (strstr (error->message, "track 1") != NULL, "%s",
      error->message);
}
GST_END_TEST;

/* --- fragments --- */

static BmffFragment *
make_fragment (const BmffMovie *movie, guint32 description, BmffBox *sgpd,
    BmffBox *group)
{
  BmffBox *traf = bmff_box_new_container (FCC ("traf"));
  BmffBox *moof = bmff_box_new_container (FCC ("moof"));
  GError *error = NULL;
  BmffFragment *fragment;

  test_with (traf,
      test_box ("tfhd", 0x02001a, 1, description, 10, 100)); /* moof is base */
  test_with (traf, test_box ("trun", 1, 6, 500));
  if (sgpd)
    bmff_box_append (traf, sgpd);
  if (group)
    bmff_box_append (traf, group);
  test_with (moof, test_box ("mfhd", 0, 1));
  test_with (moof, traf);
  fragment = bmff_fragment_new (test_reparse_at (moof, 9000), movie, &error);
  fail_unless_no_error (error);
  return fragment;
}

GST_START_TEST (test_groups_of_the_fragment)
{
  CencParams groups[3], own[1] = { test_params (CENC_SCHEME_CENC, 0x21) };
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (BmffFragment) fragment = NULL;
  g_autoptr (CencTrack) track = NULL;
  g_autoptr (CencTrackRun) run = NULL;

  make_groups (groups);
  movie = make_movie (test_sgpd (0, 3, groups), NULL);
  track = make_track (movie);
  fragment = make_fragment (movie, 1, test_sgpd (0, 1, own),
      test_box ("sbgp", 0, FCC ("seig"), 3, 2, 0x10001, 1, 3, 1, 0));
  run =
      cenc_track_run_new (track, g_ptr_array_index (fragment->trafs, 0), NULL);
  ASSERT_KIDS (run, 0x21, 0x21, 0x13, 1, 1, 1);
}
GST_END_TEST;

/* Its groups counted as if they were the track's, which describes none. */
GST_START_TEST (test_groups_of_the_fragment_from_one)
{
  CencParams own[2] = { test_params (CENC_SCHEME_CENC, 0x21),
    test_params (CENC_SCHEME_CENC, 0x22) };
  g_autoptr (BmffMovie) movie = make_movie (NULL, NULL);
  g_autoptr (CencTrack) track = make_track (movie);
  g_autoptr (BmffFragment) fragment =
      make_fragment (movie, 1, test_sgpd (0, 2, own),
          test_box ("sbgp", 0, FCC ("seig"), 3, 2, 2, 1, 0x10001, 1, 0));
  g_autoptr (BmffFragment) beyond = make_fragment (movie, 1,
      test_sgpd (0, 2, own), test_box ("sbgp", 0, FCC ("seig"), 1, 2, 3));
  g_autoptr (CencTrackRun) run =
      cenc_track_run_new (track, g_ptr_array_index (fragment->trafs, 0), NULL);
  g_autoptr (GError) error = NULL;

  ASSERT_KIDS (run, 0x22, 0x22, 0x21, 1, 1, 1);
  fail_unless (cenc_track_run_new (track, g_ptr_array_index (beyond->trafs, 0),
                   &error) == NULL);
}
GST_END_TEST;

/* csgp: a pattern of two, 8 bits each, the highest bit meaning "the fragment's". */
GST_START_TEST (test_groups_by_csgp)
{
  static const guint8 payload[] = { 0, 0, 0, 0x80 | 0x10 | 0x04 | 0x01, 's',
    'e', 'i', 'g', 0, 0, 0, 1, 2, 4, 0x81, 0 };
  CencParams own[1] = { test_params (CENC_SCHEME_CENC, 0x21) };
  g_autoptr (BmffMovie) movie = make_movie (NULL, NULL);
  g_autoptr (CencTrack) track = make_track (movie);
  g_autoptr (BmffFragment) fragment =
      make_fragment (movie, 1, test_sgpd (0, 1, own),
          bmff_box_new (FCC ("csgp"), g_bytes_new (payload, sizeof payload)));
  g_autoptr (CencTrackRun) run =
      cenc_track_run_new (track, g_ptr_array_index (fragment->trafs, 0), NULL);

  ASSERT_KIDS (run, 0x21, 1, 0x21, 1, 1, 1);
}
GST_END_TEST;

GST_START_TEST (test_fragment_without_its_description)
{
  g_autoptr (BmffMovie) movie = make_movie (NULL, NULL);
  g_autoptr (CencTrack) track = make_track (movie);
  g_autoptr (BmffFragment) group = make_fragment (movie, 1, NULL,
      test_box ("sbgp", 0, FCC ("seig"), 1, 2, 0x10001));
  g_autoptr (GError) error = NULL;

  fail_unless (cenc_track_run_new (track, g_ptr_array_index (group->trafs, 0),
                   &error) == NULL);
  fail_unless (strstr (error->message, "of the fragment") != NULL, "%s",
      error->message);
}
GST_END_TEST;

static Suite *
cenc_track_suite (void)
{
  Suite *s = suite_create ("cenc-track");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_wrap_and_parse);
  tcase_add_test (tc, test_piff_cbc);
  tcase_add_test (tc, test_wrap_alac);
  tcase_add_test (tc, test_wrap_refused);
  tcase_add_test (tc, test_wrap_quicktime);
  tcase_add_test (tc, test_entries_refused);
  tcase_add_test (tc, test_several_sinf);
  tcase_add_test (tc, test_resv);
  tcase_add_test (tc, test_types);
  tcase_add_test (tc, test_clear_lead_is_told_by_the_entry);
  tcase_add_test (tc, test_groups_of_the_track);
  tcase_add_test (tc, test_default_group);
  tcase_add_test (tc, test_default_group_is_for_samples_without_a_map);
  tcase_add_test (tc, test_group_that_nobody_describes);
  tcase_add_test (tc, test_broken_group_description);
  tcase_add_test (tc, test_groups_of_the_fragment);
  tcase_add_test (tc, test_groups_of_the_fragment_from_one);
  tcase_add_test (tc, test_groups_by_csgp);
  tcase_add_test (tc, test_fragment_without_its_description);
  return s;
}

GST_CHECK_MAIN (cenc_track);
