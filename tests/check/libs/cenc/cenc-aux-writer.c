/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing senc, saiz and saio. */

#include "cenc-aux-fixtures.h"
#include "cenc-reference.h"

#include <gst/cenc/gstcenckeysession.h>

static GByteArray *
entries (guint n)
{
  GByteArray *bytes = g_byte_array_new ();
  guint i;

  for (i = 0; i < n; i++)
    reference_subsample (bytes, i, 16);
  return bytes;
}

static void
add (CencAuxWriter *writer, const gchar *iv, guint n)
{
  g_autoptr (GBytes) bytes = unhex (iv);
  g_autoptr (GByteArray) subsamples = entries (n);
  g_autoptr (GError) error = NULL;

  fail_unless (cenc_aux_writer_add (writer, g_bytes_get_data (bytes, NULL),
                   n ? subsamples->data : NULL, n, &error),
      "%s", error ? error->message : "");
}

static void
same_box (BmffBox *a, BmffBox *b)
{
  g_autoptr (GBytes) x = bmff_box_to_bytes (a);
  g_autoptr (GBytes) y = bmff_box_to_bytes (b);

  fail_unless (g_bytes_equal (x, y));
  bmff_box_free (a);
  bmff_box_free (b);
}

/* senc, and saiz and saio that point at it, say the same. */
static void
check_writer (CencAuxWriter *writer, Samples samples, const gchar *expected)
{
  g_autoptr (BmffBox) senc = cenc_aux_writer_to_senc (writer);
  g_autoptr (BmffBox) traf = bmff_box_new_container (FCC ("traf"));
  g_autoptr (GBytes) file = bmff_box_to_bytes (senc);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 5000);
  g_autoptr (GError) error = NULL;
  BmffBox *saio;
  guint large;

  assert_table (cenc_aux_table_new_from_senc (senc, get_params, &samples,
                    &error),
      error, expected);
  same_box (cenc_aux_writer_to_senc (writer),
      cenc_aux_writer_share_senc (writer));
  same_box (cenc_aux_writer_to_saiz (writer),
      cenc_aux_writer_share_saiz (writer));
  for (large = 0; large < 2; large++) {
    saio = cenc_aux_writer_to_saio (writer, large);
    cenc_saio_set_offset (saio,
        5000 + cenc_aux_writer_get_data_offset (writer));
    bmff_box_append (traf, cenc_aux_writer_to_saiz (writer));
    bmff_box_append (traf, saio);
    assert_equals_int (g_bytes_get_size (saio->payload), large ? 16 : 12);
    assert_table (cenc_aux_table_new_from_saiz (traf, 0, NULL, source,
                      get_params, &samples, &error),
        error, expected);
    g_ptr_array_set_size (traf->children, 0);
  }
}

GST_START_TEST (test_writer_whole_samples)
{
  Samples samples = SAMPLES (8, 8);
  g_autoptr (CencAuxWriter) writer = cenc_aux_writer_new (&samples.params[0]);
  g_autoptr (BmffBox) saiz = NULL;

  add (writer, IV8A, 0);
  add (writer, IV8B, 0);
  check_writer (writer, samples, IV8A " " IV8B);
  saiz = cenc_aux_writer_to_saiz (writer);
  /* One size for all takes no list. */
  assert_equals_int (g_bytes_get_size (saiz->payload), 9);
}
GST_END_TEST;

GST_START_TEST (test_writer_subsamples)
{
  Samples samples = SAMPLES (8, 8, CLEAR, 8);
  g_autoptr (CencAuxWriter) writer = cenc_aux_writer_new (&samples.params[0]);
  CencSampleAux aux;

  add (writer, IV8A, 1);
  add (writer, IV8B, 2);
  cenc_aux_writer_add_clear (writer);
  add (writer, IV8A, 1);
  check_writer (writer, samples,
      IV8A ",0/16 " IV8B ",0/16,1/16 - " IV8A ",0/16");
  assert_equals_int (cenc_aux_writer_get_count (writer), 4);
  fail_unless (cenc_aux_writer_get (writer, 1, &aux));
  assert_equals_int (aux.n_subsamples, 2);
  assert_equals_int (aux.iv[7], 2);
  fail_unless (cenc_aux_writer_get (writer, 2, &aux));
  fail_unless (aux.iv == NULL && aux.subsamples == NULL);
  fail_if (cenc_aux_writer_get (writer, 4, &aux));
}
GST_END_TEST;

/* Boxes that share the memory outlive the writer; each of many samples is found. */
GST_START_TEST (test_writer_many)
{
  Samples samples = SAMPLES (8, 8);
  CencAuxWriter *writer = cenc_aux_writer_new (&samples.params[0]);
  g_autoptr (BmffBox) senc = NULL;
  g_autoptr (BmffBox) saiz = NULL;
  CencSampleAux aux;
  gsize size = 0;
  guint i;

  for (i = 0; i < 1000; i++) {
    if (i % 7 == 3)
      cenc_aux_writer_add_clear (writer);
    else
      add (writer, i % 2 ? IV8A : IV8B, 1 + i % 5);
  }
  for (i = 1000; i-- > 0;) {
    fail_unless (cenc_aux_writer_get (writer, i, &aux));
    assert_equals_int (aux.n_subsamples, i % 7 == 3 ? 0 : 1 + i % 5);
    fail_unless (i % 7 == 3 ? aux.iv == NULL : aux.iv[7] == (i % 2 ? 1 : 2));
    size += i % 7 == 3 ? 0 : 10 + 6 * (1 + i % 5);
  }
  senc = cenc_aux_writer_share_senc (writer);
  saiz = cenc_aux_writer_share_saiz (writer);
  cenc_aux_writer_free (writer);
  assert_equals_uint64 (bmff_box_get_size (senc), 16 + size);
  assert_equals_uint64 (bmff_box_get_size (saiz), 17 + 1000);
  bmff_box_free (bmff_box_copy (senc));
}
GST_END_TEST;

GST_START_TEST (test_writer_constant_iv)
{
  Samples samples = SAMPLES (0, 0);
  g_autoptr (CencAuxWriter) whole = cenc_aux_writer_new (&samples.params[0]);
  g_autoptr (CencAuxWriter) parts = cenc_aux_writer_new (&samples.params[0]);
  g_autoptr (BmffBox) senc = NULL;

  add (whole, "", 0);
  add (whole, "", 0);
  fail_unless (cenc_aux_writer_to_saiz (whole) == NULL);
  fail_unless (cenc_aux_writer_to_saio (whole, FALSE) == NULL);
  senc = cenc_aux_writer_to_senc (whole);
  assert_equals_int (g_bytes_get_size (senc->payload), 8);
  add (parts, "", 2);
  add (parts, "", 1);
  check_writer (parts, samples, "-,0/16,1/16 -,0/16");
}
GST_END_TEST;

GST_START_TEST (test_writer_piff)
{
  Samples samples = SAMPLES (16);
  g_autoptr (CencAuxWriter) writer = NULL;
  g_autoptr (BmffBox) box = NULL;

  samples.params[0].scheme = CENC_SCHEME_PIFF;
  writer = cenc_aux_writer_new (&samples.params[0]);
  add (writer, IV16, 1);
  check_writer (writer, samples, IV16 ",0/16");
  box = cenc_aux_writer_to_senc (writer);
  assert_equals_int (box->type, FCC ("uuid"));
  assert_equals_int (memcmp (box->uuid, CENC_PIFF_SENC_UUID, 16), 0);
}
GST_END_TEST;

/* 23001-7: subsample_count is never 0. */
GST_START_TEST (test_writer_sample_of_no_bytes)
{
  Samples samples = SAMPLES (8, 8);
  g_autoptr (CencAuxWriter) writer = cenc_aux_writer_new (&samples.params[0]);
  g_autoptr (GBytes) iv = unhex (IV8A);

  fail_unless (cenc_aux_writer_add (writer, g_bytes_get_data (iv, NULL),
      (const guint8 *) "", 0, NULL));
  add (writer, IV8B, 1);
  check_writer (writer, samples, IV8A ",0/0 " IV8B ",0/16");
}
GST_END_TEST;

GST_START_TEST (test_writer_refuses)
{
  static const guint most[][2] = { { 0, 42 }, { 8, 40 }, { 16, 39 } };
  static const guint8 iv[16] = { 0 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (most); i++) {
    Samples samples = SAMPLES (most[i][0]);
    g_autoptr (CencAuxWriter) writer = cenc_aux_writer_new (&samples.params[0]);
    g_autoptr (GByteArray) e = entries (50);
    g_autoptr (GError) error = NULL;

    fail_unless (cenc_aux_writer_add (writer, iv, e->data, most[i][1], NULL));
    fail_if (cenc_aux_writer_add (writer, iv, e->data, most[i][1] + 1, &error));
    fail_unless (
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
    g_clear_error (&error);
    /* Whole samples among others. */
    fail_if (cenc_aux_writer_add (writer, iv, NULL, 0, &error));
    fail_unless (
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
    assert_equals_int (cenc_aux_writer_get_count (writer), 1);
  }
}
GST_END_TEST;

/* Samples that are all there in the end are told of as before they were. */
GST_START_TEST (test_writer_foresees)
{
  Samples samples = SAMPLES (8, 8);
  g_autoptr (CencAuxWriter) writer = cenc_aux_writer_new (&samples.params[0]);
  g_autoptr (BmffBox) early = NULL;
  guint n = __i__, i; /* subsamples */

  add (writer, IV8A, n);
  add (writer, IV8B, n);
  fail_if (cenc_aux_writer_foresee (writer, 1));
  fail_unless (cenc_aux_writer_foresee (writer, 1000));
  early = cenc_aux_writer_share_senc (writer);
  assert_equals_uint64 (bmff_box_get_size (early), 16 + 1000 * (n ? 16 : 8));
  for (i = 2; i < 1000; i++) {
    add (writer, IV8A, n);
    fail_unless (cenc_aux_writer_is_as_foreseen (writer));
  }
  same_box (g_steal_pointer (&early), cenc_aux_writer_to_senc (writer));
  same_box (cenc_aux_writer_share_saiz (writer),
      cenc_aux_writer_to_saiz (writer));
  add (writer, IV8A, n);
  fail_if (cenc_aux_writer_is_as_foreseen (writer));
  fail_unless (cenc_aux_writer_foresee (writer, 0));
  same_box (cenc_aux_writer_share_senc (writer),
      cenc_aux_writer_to_senc (writer));
}
GST_END_TEST;

GST_START_TEST (test_writer_does_not_foresee)
{
  Samples samples = SAMPLES (8, 8);
  g_autoptr (CencAuxWriter) large = cenc_aux_writer_new (&samples.params[0]);
  g_autoptr (CencAuxWriter) writer = cenc_aux_writer_new (&samples.params[0]);

  /* Another sample might have less. */
  add (large, IV8A, 2);
  fail_if (cenc_aux_writer_foresee (large, 10));
  add (writer, IV8A, 1);
  fail_if (cenc_aux_writer_foresee (writer, G_MAXUINT32));
  fail_unless (cenc_aux_writer_foresee (writer, 10));
  add (writer, IV8B, 2);
  fail_if (cenc_aux_writer_is_as_foreseen (writer));
  fail_if (cenc_aux_writer_foresee (writer, 10));
}
GST_END_TEST;

static Suite *
cenc_aux_writer_suite (void)
{
  Suite *s = suite_create ("cenc-aux-writer");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_writer_whole_samples);
  tcase_add_test (tc, test_writer_subsamples);
  tcase_add_test (tc, test_writer_many);
  tcase_add_test (tc, test_writer_constant_iv);
  tcase_add_test (tc, test_writer_piff);
  tcase_add_test (tc, test_writer_sample_of_no_bytes);
  tcase_add_test (tc, test_writer_refuses);
  tcase_add_loop_test (tc, test_writer_foresees, 0, 2);
  tcase_add_test (tc, test_writer_does_not_foresee);
  return s;
}

GST_CHECK_MAIN (cenc_aux_writer);
