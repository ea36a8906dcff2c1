/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc-test-movie.h"

#include "gst/cenc/cenc-pssh.h"
#include "gst/cenc/cenc-unprotect.h"

#include <gst/cenc/gstcenckeysession.h>

/* --- boxes --- */

static BmffBox *
uuid_box (const guint8 *uuid)
{
  BmffBox *box = test_box ("uuid", 0, 0);

  memcpy (box->uuid, uuid, 16);
  return box;
}

static BmffBox *
make_pssh (void)
{
  g_autoptr (CencPssh) pssh = cenc_pssh_new (CENC_SYSTEM_COMMON, NULL, 0, NULL);

  return cenc_pssh_to_box (pssh);
}

/* Types by depth: "moov(trak(…))". */
static void
print_tree (const BmffBox *box, GString *text)
{
  guint i;

  g_string_append_printf (text, "%" BMFF_FOURCC_FORMAT,
      BMFF_FOURCC_ARGS (box->type));
  for (i = 0; box->children && i < box->children->len; i++) {
    g_string_append_c (text, i ? ' ' : '(');
    print_tree (g_ptr_array_index (box->children, i), text);
  }
  if (box->children && box->children->len)
    g_string_append_c (text, ')');
}

/* Patches @box (consumed) and prints what its bytes hold then. */
static gchar *
patch_and_print (BmffBox *box, guint64 offset, gboolean parse_stsd)
{
  g_autoptr (GBytes) bytes = bmff_box_to_bytes (box);
  gsize size = g_bytes_get_size (bytes), i, n_changed = 0;
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  const guint8 *before = g_bytes_get_data (bytes, NULL);
  g_autoptr (BmffBox) parsed = bmff_box_parse (bytes, offset, NULL);
  g_autoptr (BmffBox) after = NULL;
  g_autoptr (GBytes) patched = NULL;
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);

  bmff_box_free (box);
  if (parse_stsd)
    bmff_box_parse_stsd (bmff_box_find (parsed, "trak/mdia/minf/stbl/stsd"),
        BMFF_HANDLER_VIDEO, NULL);
  fail_unless (cenc_unprotect_boxes (parsed, data, size, &error), "%s",
      error ? error->message : "");
  for (i = 0; i < size; i++)
    n_changed += data[i] != before[i];
  patched = g_bytes_new (data, size);
  after = bmff_box_parse (patched, offset, &error);
  fail_unless (after != NULL);
  if (parse_stsd)
    bmff_box_parse_stsd (bmff_box_find (after, "trak/mdia/minf/stbl/stsd"),
        BMFF_HANDLER_VIDEO, NULL);
  print_tree (after, text);
  /* Only four-character codes change. */
  fail_unless (n_changed <= 4 * 12);
  return g_string_free (text, FALSE);
}

GST_START_TEST (test_boxes_of_moov)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  BmffBox *stbl = test_stbl (4, 100, 5000, 1);
  BmffBox *trak, *moov = test_moov ();
  g_autofree gchar *text = NULL;

  test_with (stbl, test_box ("senc", 0, 0));
  test_with (stbl, test_box ("saiz", 0, 0, 0));
  test_with (stbl, test_box ("saio", 0, 0));
  test_with (stbl, test_sgpd (0, 1, &params));
  test_with (stbl, test_box ("sbgp", 0, FCC ("seig"), 0));
  test_with (stbl, test_box ("csgp", 0, FCC ("seig"), 0));
  /* Not about protection. */
  test_with (stbl, test_box ("sbgp", 0, FCC ("roll"), 0));
  test_with (stbl, test_box ("saiz", 1, FCC ("abcd"), 0, 0, 0));
  trak = test_trak (1, "vide", stbl);
  test_wrap (trak, &params);
  test_with (trak, uuid_box (CENC_PIFF_SENC_UUID));
  test_with (trak, uuid_box ((const guint8 *) "somebody else's!"));
  test_with (test_with (moov, trak), make_pssh ());
  test_with (moov, uuid_box (CENC_PIFF_PSSH_UUID));

  text = patch_and_print (moov, 24, TRUE);
  assert_equals_string (text,
      "moov(mvhd trak(tkhd mdia(mdhd hdlr minf(stbl("
      "stsd(avc1(free) hvc1) stts stsc stsz stco free free free free free free "
      "sbgp saiz))) free uuid) free free)");
}
GST_END_TEST;

GST_START_TEST (test_boxes_of_moof)
{
  BmffBox *traf = bmff_box_new_container (FCC ("traf"));
  BmffBox *moof = bmff_box_new_container (FCC ("moof"));
  g_autofree gchar *text = NULL;

  test_with (traf, test_box ("tfhd", 0, 1));
  test_with (traf, test_box ("saiz", 1, FCC ("cbcs"), 0, 0, 0));
  test_with (traf, test_box ("saio", 1, FCC ("cbcs"), 0, 0));
  test_with (traf, test_box ("saio", 1, FCC ("abcd"), 0, 0));
  test_with (traf, test_box ("senc", 0, 0));
  test_with (traf, uuid_box (CENC_PIFF_SENC_UUID));
  test_with (test_with (moof, make_pssh ()), traf);
  text = patch_and_print (moof, 123456, FALSE);
  assert_equals_string (text, "moof(free traf(tfhd free free saio free free))");
}
GST_END_TEST;

GST_START_TEST (test_box_of_the_file_level)
{
  g_autofree gchar *pssh = patch_and_print (make_pssh (), 77, FALSE);
  g_autofree gchar *other = patch_and_print (test_box ("sidx", 0), 77, FALSE);

  assert_equals_string (pssh, "free");
  assert_equals_string (other, "sidx");
}
GST_END_TEST;

GST_START_TEST (test_bytes_that_do_not_fit)
{
  g_autoptr (BmffBox) moof =
      test_reparse_at (test_with (bmff_box_new_container (FCC ("moof")),
                           make_pssh ()),
          100);
  g_autoptr (GBytes) bytes = bmff_box_to_bytes (moof);
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  g_autoptr (GError) error = NULL;

  fail_if (cenc_unprotect_boxes (moof, data, 12, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  g_clear_error (&error);
  data[8 + 4] = 'x'; /* pssh is not there */
  fail_if (cenc_unprotect_boxes (moof, data, size, &error));
  fail_unless (strstr (error->message, "pssh at 108") != NULL, "%s",
      error->message);
  /* A box that was added has no place in the bytes. */
  data[8 + 4] = 'p';
  bmff_box_append (moof, make_pssh ());
  g_clear_error (&error);
  fail_unless (cenc_unprotect_boxes (moof, data, size, &error));
  assert_equals_int (memcmp (data + 12, "free", 4), 0);
}
GST_END_TEST;

GST_START_TEST (test_scheme_that_is_not_ours)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  BmffBox *trak = test_trak (1, "vide", NULL);
  g_autoptr (BmffBox) moov = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree guint8 *data = NULL;
  g_autoptr (GError) error = NULL;
  BmffBox *stsd;
  gsize size;

  test_wrap (trak, &params);
  stsd = bmff_box_find (trak, "mdia/minf/stbl/stsd");
  bmff_box_edit_payload (bmff_box_find (stsd, "encv/sinf/schm"), NULL)[4] = 'x';
  moov = test_reparse_at (test_with (test_moov (), trak), 0);
  bytes = bmff_box_to_bytes (moov);
  size = g_bytes_get_size (bytes);
  data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  bmff_box_parse_stsd (bmff_box_find (moov, "trak/mdia/minf/stbl/stsd"),
      BMFF_HANDLER_VIDEO, NULL);
  fail_if (cenc_unprotect_boxes (moov, data, size, &error));
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
}
GST_END_TEST;

/* --- the index --- */

/* senc of @n samples with IVs 1, 2, … of 8 bytes. */
static BmffBox *
make_senc (guint n)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  g_autoptr (CencAuxWriter) writer = cenc_aux_writer_new (&params);
  guint i;

  for (i = 1; i <= n; i++) {
    guint8 iv[8] = { 0, 0, 0, 0, 0, 0, 0, (guint8) i };

    fail_unless (cenc_aux_writer_add (writer, iv, NULL, 0, NULL));
  }
  return cenc_aux_writer_to_senc (writer);
}

typedef struct
{
  BmffMovie *movie;
  GPtrArray *tracks;
  CencSampleIndex *index;
} Indexed;

static void
indexed_clear (Indexed *self)
{
  g_clear_pointer (&self->index, cenc_sample_index_free);
  g_clear_pointer (&self->tracks, g_ptr_array_unref);
  g_clear_pointer (&self->movie, bmff_movie_free);
}

/* Track 1: clear, 4 samples of 100 from 1000 on. Track 2: 6 samples of 50 from
 * 1400 on, of which the first @first_entry == 2 makes two clear; aux in @where. */
static Indexed
make_indexed_of (const gchar *handler, const CencParams *params,
    guint first_entry, BmffBox *aux, gboolean aux_in_trak, GError **error)
{
  BmffBox *stbl = test_stbl (6, 50, 1400, first_entry);
  BmffBox *clear = test_trak (1, "vide", test_stbl (4, 100, 1000, 1));
  BmffBox *trak;
  Indexed self = { 0 };

  if (aux && !aux_in_trak)
    bmff_box_append (stbl, aux);
  trak = test_trak (2, "vide", stbl);
  test_wrap (trak, params);
  if (aux && aux_in_trak)
    bmff_box_append (trak, aux);
  self.movie = test_movie (test_with (test_with (test_moov (), clear), trak));
  ((BmffTrack *) g_ptr_array_index (self.movie->tracks, 1))->handler =
      FCC (handler);
  self.tracks = cenc_tracks_new (self.movie, NULL);
  self.index =
      cenc_sample_index_new_for_movie (self.movie, self.tracks, NULL, error);
  return self;
}

static Indexed
make_indexed (const CencParams *params, guint first_entry, BmffBox *aux,
    gboolean aux_in_trak, GError **error)
{
  return make_indexed_of ("vide", params, first_entry, aux, aux_in_trak, error);
}

/* "number:iv" of the protected samples and "number" of clear ones in [a, b). */
static gchar *
list (const Indexed *self, guint64 a, guint64 b, GError **error)
{
  GString *text = g_string_new (NULL);
  CencSampleCursor cursor;
  CencIndexedSample s;

  cenc_sample_cursor_init (&cursor, self->index, a);
  while (cenc_sample_cursor_next (&cursor, b, &s, error)) {
    assert_equals_int (s.track, 1);
    g_string_append_printf (text, "%s%u", text->len ? " " : "", s.index);
    if (s.params)
      g_string_append_printf (text, ":%u", s.aux.iv ? s.aux.iv[7] : 0);
  }
  return g_string_free (text, FALSE);
}

static void
assert_list (const Indexed *self, guint64 a, guint64 b, const gchar *expected)
{
  GError *error = NULL;
  g_autofree gchar *text = list (self, a, b, &error);

  fail_unless_no_error (error);
  assert_equals_string (text, expected);
}

GST_START_TEST (test_index_by_bytes)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  guint in_trak;

  for (in_trak = 0; in_trak < 2; in_trak++) {
    GError *error = NULL;
    Indexed self = make_indexed (&params, 2, make_senc (6), in_trak, &error);

    fail_unless_no_error (error);
    fail_unless (cenc_sample_index_is_protected (self.index));
    assert_list (&self, 0, G_MAXUINT64, "0 1 2:3 3:4 4:5 5:6");
    assert_list (&self, 1000, 1400, "");
    assert_list (&self, 1000, 1401, "0");
    assert_list (&self, 1449, 1501, "0 1 2:3");
    assert_list (&self, 1450, 1500, "1");
    assert_list (&self, 1699, 5000, "5:6");
    assert_list (&self, 1700, 5000, "");
    indexed_clear (&self);
  }
}
GST_END_TEST;

/* A sample that the cursor stopped in front of comes next. */
GST_START_TEST (test_index_goes_on)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  Indexed self = make_indexed (&params, 1, make_senc (6), FALSE, NULL);
  CencSampleCursor cursor;
  CencIndexedSample s;

  cenc_sample_cursor_init (&cursor, self.index, 0);
  fail_unless (cenc_sample_cursor_next (&cursor, 1450, &s, NULL));
  fail_if (cenc_sample_cursor_next (&cursor, 1450, &s, NULL));
  fail_if (cenc_sample_cursor_next (&cursor, 1450, &s, NULL));
  fail_unless (cenc_sample_cursor_next (&cursor, 1451, &s, NULL));
  assert_equals_int (s.index, 1);
  indexed_clear (&self);
}
GST_END_TEST;

GST_START_TEST (test_index_of_clear_tracks)
{
  BmffBox *trak = test_trak (1, "vide", test_stbl (4, 100, 1000, 1));
  g_autoptr (BmffMovie) movie = test_movie (test_with (test_moov (), trak));
  g_autoptr (GPtrArray) tracks = cenc_tracks_new (movie, NULL);
  g_autoptr (CencSampleIndex) index =
      cenc_sample_index_new_for_movie (movie, tracks, NULL, NULL);
  CencSampleCursor cursor;
  CencIndexedSample s;

  fail_if (cenc_sample_index_is_protected (index));
  cenc_sample_cursor_init (&cursor, index, 0);
  fail_if (cenc_sample_cursor_next (&cursor, G_MAXUINT64, &s, NULL));
}
GST_END_TEST;

GST_START_TEST (test_constant_iv_needs_no_senc)
{
  CencParams params = test_params (CENC_SCHEME_CBCS, 1);
  Indexed self = make_indexed (&params, 1, NULL, FALSE, NULL);

  assert_list (&self, 1600, 1700, "4:0 5:0");
  indexed_clear (&self);
  /* Nor one that goes beyond clear samples, of which there is nothing to tell. */
  self = make_indexed_of ("soun", &params, 2, test_box ("senc", 0, 2), FALSE,
      NULL);
  assert_list (&self, 0, G_MAXUINT64, "0 1 2:0 3:0 4:0 5:0");
  indexed_clear (&self);
}
GST_END_TEST;

static void
assert_missing_of (const gchar *handler, const CencParams *params,
    guint first_entry, BmffBox *aux, const gchar *sample)
{
  GError *error = NULL;
  Indexed self =
      make_indexed_of (handler, params, first_entry, aux, FALSE, &error);
  g_autofree gchar *text = NULL;

  fail_unless_no_error (error);
  text = list (&self, 0, G_MAXUINT64, &error);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  fail_unless (strstr (error->message, sample) != NULL, "%s", error->message);
  g_clear_error (&error);
  indexed_clear (&self);
}

static void
assert_missing (const CencParams *params, guint first_entry, BmffBox *aux,
    const gchar *sample)
{
  assert_missing_of ("vide", params, first_entry, aux, sample);
}

GST_START_TEST (test_missing_information)
{
  CencParams cenc = test_params (CENC_SCHEME_CENC, 1);
  CencParams cbcs = test_params (CENC_SCHEME_CBCS, 1);

  assert_missing (&cenc, 1, NULL, "track 2: sample 1 at 1400");
  assert_missing (&cenc, 1, make_senc (5), "sample 6 at 1650");
  /* Some samples are told of, so that the others are not whole ones. */
  assert_missing (&cbcs, 1, test_box ("senc", 0, 2), "sample 3 at 1500");
  /* Nor are pictures, if clear ones are told of. */
  assert_missing (&cbcs, 2, test_box ("senc", 0, 2), "sample 3 at 1500");
  /* An alpha plane, a sequence of images. */
  assert_missing_of ("auxv", &cbcs, 2, test_box ("senc", 0, 2),
      "sample 3 at 1500");
  assert_missing_of ("pict", &cbcs, 2, test_box ("senc", 0, 2),
      "sample 3 at 1500");
}
GST_END_TEST;

/* A claim of more samples than there are costs neither time nor memory. */
GST_START_TEST (test_information_for_more_samples)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  GError *error = NULL;
  Indexed self = make_indexed (&params, 1, make_senc (7), FALSE, &error);

  fail_unless (self.index == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  fail_unless (strstr (error->message, "7 samples, where there are 6") != NULL,
      "%s", error->message);
  g_clear_error (&error);
  indexed_clear (&self);
}
GST_END_TEST;

GST_START_TEST (test_entry_that_is_not_there)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  Indexed self = make_indexed (&params, 3, make_senc (6), FALSE, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = list (&self, 0, G_MAXUINT64, &error);

  assert_equals_string (text, "");
  fail_unless (strstr (error->message, "sample entry 3") != NULL, "%s",
      error->message);
  indexed_clear (&self);
}
GST_END_TEST;

/* saiz and saio of a moov, an entry for each chunk, in the mdat. */
GST_START_TEST (test_saio_by_chunk)
{
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  BmffBox *stbl = test_stbl (6, 50, 1400, 1);
  BmffBox *trak;
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (BmffSource) source = NULL;
  Indexed self = { 0 };
  GError *error = NULL;
  guint i;

  g_byte_array_set_size (file, 300);
  memset (file->data, 0, 300);
  for (i = 0; i < 6; i++)
    file->data[(i / 2) * 100 + (i % 2) * 8 + 7] = (guint8) (i + 1);
  bytes = g_bytes_new (file->data, file->len);
  source = bmff_source_new_bytes (bytes, 7000);
  test_with (stbl,
      bmff_box_new (FCC ("saiz"), g_bytes_new ("\0\0\0\0\10\0\0\0\6", 9)));
  test_with (stbl, test_box ("saio", 0, 3, 7000, 7100, 7200));
  trak = test_trak (1, "vide", stbl);
  test_wrap (trak, &params);
  /* A first track, so that the protected one is the second as elsewhere. */
  self.movie =
      test_movie (test_with (test_with (test_moov (),
                                 test_trak (9, "vide", test_stbl (2, 9, 9, 1))),
          trak));
  self.tracks = cenc_tracks_new (self.movie, NULL);
  self.index =
      cenc_sample_index_new_for_movie (self.movie, self.tracks, source, &error);
  fail_unless_no_error (error);
  assert_list (&self, 0, G_MAXUINT64, "0:1 1:2 2:3 3:4 4:5 5:6");
  g_clear_pointer (&self.index, cenc_sample_index_free);

  /* Nothing to read from. */
  fail_unless (cenc_sample_index_new_for_movie (self.movie, self.tracks, NULL,
                   &error) == NULL);
  fail_unless (error->domain == GST_CENC_ERROR);
  g_clear_error (&error);
  indexed_clear (&self);
}
GST_END_TEST;

static GBytes *
read_below_5000 (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  static const guint8 zeros[64];

  if (offset < 5000)
    return g_bytes_new_static (zeros, MIN (size, sizeof zeros));
  g_set_error (error, g_quark_from_static_string ("not-yet"), 1, "not yet");
  return NULL;
}

static guint64
get_any_size (gpointer user_data)
{
  return G_MAXUINT64;
}

/* What saio points at, counted from the base data offset, has not come yet: that
 * does not say that it is to be counted from the moof. */
GST_START_TEST (test_saio_not_there_yet)
{
  static const BmffSourceFuncs funcs = { read_below_5000, get_any_size, NULL };
  CencParams params = test_params (CENC_SCHEME_CENC, 1);
  g_autoptr (BmffSource) source = bmff_source_new (&funcs, NULL);
  BmffBox *trak = test_trak (1, "vide", test_stbl (2, 9, 9, 1));
  BmffBox *traf = bmff_box_new_container (FCC ("traf"));
  BmffBox *moof = bmff_box_new_container (FCC ("moof"));
  Indexed self = { 0 };
  BmffFragment *fragment;
  GError *error = NULL;

  test_wrap (trak, &params);
  self.movie = test_movie (test_with (test_moov (), trak));
  self.tracks = cenc_tracks_new (self.movie, NULL);
  test_with (traf, test_box ("tfhd", 0x13, 1, 0, 5000, 1, 50));
  test_with (traf, test_box ("trun", 0, 2));
  test_with (traf,
      bmff_box_new (FCC ("saiz"), g_bytes_new ("\0\0\0\0\10\0\0\0\2", 9)));
  test_with (traf, test_box ("saio", 0, 1, 100));
  test_with (test_with (moof, test_box ("mfhd", 0, 1)), traf);
  fragment = bmff_fragment_new (test_reparse_at (moof, 2000), self.movie, NULL);

  self.index = cenc_sample_index_new_for_fragment (fragment, self.movie,
      self.tracks, source, &error);
  fail_unless (self.index == NULL);
  fail_unless (error->domain == g_quark_from_static_string ("not-yet"));
  g_clear_error (&error);
  bmff_fragment_free (fragment);
  indexed_clear (&self);
}
GST_END_TEST;

/* PIFF: a fragment with its own key, CBC in place of the track's CTR. */
GST_START_TEST (test_piff_override)
{
  CencParams params = test_params (CENC_SCHEME_PIFF, 1);
  BmffWriter *w = bmff_writer_new (0);
  BmffBox *senc;
  Indexed self;
  CencSampleCursor cursor;
  CencIndexedSample s;
  guint i;

  bmff_writer_u32 (w, 1);
  bmff_writer_u24 (w, 2);
  bmff_writer_u8 (w, 16);
  for (i = 0; i < 4; i++)
    bmff_writer_u32 (w, 0x77777777);
  bmff_writer_u32 (w, 6);
  bmff_writer_zeros (w, 6 * 16);
  senc = bmff_box_new (FCC ("uuid"), bmff_writer_end (w));
  memcpy (senc->uuid, CENC_PIFF_SENC_UUID, 16);
  self = make_indexed (&params, 2, senc, FALSE, NULL);

  cenc_sample_cursor_init (&cursor, self.index, 0);
  fail_unless (cenc_sample_cursor_next (&cursor, G_MAXUINT64, &s, NULL));
  fail_unless (s.params == NULL); /* a clear entry stays clear */
  cenc_sample_cursor_init (&cursor, self.index, 1500);
  fail_unless (cenc_sample_cursor_next (&cursor, G_MAXUINT64, &s, NULL));
  assert_equals_int (s.params->mode, CENC_MODE_CBC);
  assert_equals_int (s.params->kid[0], 0x77);
  assert_equals_int (s.aux.iv_size, 16);
  indexed_clear (&self);
}
GST_END_TEST;

static Suite *
cenc_unprotect_suite (void)
{
  Suite *s = suite_create ("cenc-unprotect");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_boxes_of_moov);
  tcase_add_test (tc, test_boxes_of_moof);
  tcase_add_test (tc, test_box_of_the_file_level);
  tcase_add_test (tc, test_bytes_that_do_not_fit);
  tcase_add_test (tc, test_scheme_that_is_not_ours);
  tcase_add_test (tc, test_index_by_bytes);
  tcase_add_test (tc, test_index_goes_on);
  tcase_add_test (tc, test_index_of_clear_tracks);
  tcase_add_test (tc, test_constant_iv_needs_no_senc);
  tcase_add_test (tc, test_missing_information);
  tcase_add_test (tc, test_information_for_more_samples);
  tcase_add_test (tc, test_entry_that_is_not_there);
  tcase_add_test (tc, test_saio_by_chunk);
  tcase_add_test (tc, test_saio_not_there_yet);
  tcase_add_test (tc, test_piff_override);
  return s;
}

GST_CHECK_MAIN (cenc_unprotect);
