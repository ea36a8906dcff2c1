/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading senc (ISO/IEC 23001-7, 7.2), and PIFF's uuid senc. */

#include "cenc-aux-fixtures.h"

static void
check_senc (const gchar *payload, Samples samples, const gchar *expected)
{
  g_autoptr (BmffBox) box = make_box ("senc", payload);
  g_autoptr (GError) error = NULL;

  assert_table (cenc_aux_table_new_from_senc (box, get_params, &samples,
                    &error),
      error, expected);
}

GST_START_TEST (test_senc_whole_samples)
{
  check_senc ("00000000 00000002" IV8A IV8B, SAMPLES (8, 8), IV8A " " IV8B);
  check_senc ("00000000 00000001" IV16, SAMPLES (16), IV16);
}
GST_END_TEST;

/* Samples for which the box has no byte: a few bytes claim any number of them. */
GST_START_TEST (test_senc_counts_empty)
{
  g_autoptr (BmffBox) box = make_box ("senc", "00000002 00000003 0000 0000");
  g_autoptr (GError) error = NULL;
  Samples samples = SAMPLES (0, CLEAR, 0);
  g_autoptr (CencAuxTable) table =
      cenc_aux_table_new_from_senc (box, get_params, &samples, &error);

  fail_unless (table != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (cenc_aux_table_get_count (table), 3);
  fail_unless_equals_int (cenc_aux_table_get_n_empty (table), 1);
}
GST_END_TEST;

GST_START_TEST (test_senc_subsamples)
{
  check_senc ("00000002 00000002" IV8A "0002 0005 00000020 ffff 00000000" IV8B
              "0001 0003 80000010",
      SAMPLES (8, 8), IV8A ",5/32,65535/0 " IV8B ",3/2147483664");
  check_senc ("00000002 00000001 0001 0003 00000010", SAMPLES (0), "-,3/16");
}
GST_END_TEST;

GST_START_TEST (test_senc_constant_iv_whole_samples)
{
  check_senc ("00000000 00000000", SAMPLES (0, 0), "");
  check_senc ("00000000 00000002", SAMPLES (0, 0), "- -");
}
GST_END_TEST;

GST_START_TEST (test_senc_iv_sizes_differ_by_group)
{
  check_senc ("00000000 00000003" IV8A IV16, SAMPLES (8, CLEAR, 16),
      IV8A " - " IV16);
}
GST_END_TEST;

/* A clear sample with a subsample_count (7.2.2), with no bytes (7.1), or with all
 * that the others have. */
GST_START_TEST (test_senc_clear_samples_any_way)
{
  check_senc ("00000002 00000003" IV8A "0001 0005 00000020 0000" IV8B
              "0001 0003 00000010",
      SAMPLES (8, CLEAR, 8), IV8A ",5/32 - " IV8B ",3/16");
  check_senc ("00000002 00000003" IV8A "0001 0005 00000020" IV8B
              "0001 0003 00000010",
      SAMPLES (8, CLEAR, 8), IV8A ",5/32 - " IV8B ",3/16");
  check_senc ("00000002 00000003" IV8B "0001 0077 00000000" IV8A
              "0001 0005 00000020" IV8B "0001 0003 00000010",
      SAMPLES (CLEAR, 8, 8), "- " IV8A ",5/32 " IV8B ",3/16");
  check_senc ("00000000 00000002" IV8B IV8A, SAMPLES (CLEAR, 8), "- " IV8A);
}
GST_END_TEST;

GST_START_TEST (test_senc_bytes_left_over)
{
  g_autoptr (BmffBox) box = make_box ("senc", "00000000 00000002" IV8B "ff");
  Samples samples = SAMPLES (CLEAR, 8);
  GError *error = NULL;

  check_senc ("00000002 00000001" IV8A "0001 0005 00000020 ffff", SAMPLES (8),
      IV8A ",5/32");
  /* Which bytes are the IV nobody can tell. */
  assert_format_error (cenc_aux_table_new_from_senc (box, get_params, &samples,
                           &error),
      &error, "2 samples");
}
GST_END_TEST;

GST_START_TEST (test_senc_cut_off)
{
  g_autoptr (GBytes) whole = unhex (
      "00000002 00000002" IV8A "0001 0005 00000020" IV8B "0001 0003 00000010");
  Samples samples = SAMPLES (8, 8);
  gsize size;

  for (size = 0; size < g_bytes_get_size (whole); size++) {
    g_autoptr (BmffBox) box =
        bmff_box_new (FCC ("senc"), g_bytes_new_from_bytes (whole, 0, size));
    g_autoptr (GError) error = NULL;

    fail_unless (cenc_aux_table_new_from_senc (box, get_params, &samples,
                     &error) == NULL);
    fail_unless (error != NULL);
  }
}
GST_END_TEST;

/* GPAC counts, and tells of, protected samples only. */
GST_START_TEST (test_senc_of_protected_samples_only)
{
  static const struct
  {
    const gchar *payload;
    guint sizes[5];
    const gchar *expected; /* NULL: refused */
  } cases[] = {
    { "00000002 00000002" IV8A "0001 0005 00000020" IV8B "0001 0003 00000010",
        { CLEAR, 8, CLEAR, CLEAR, 8 }, "- " IV8A ",5/32 - - " IV8B ",3/16" },
    { "00000000 00000002" IV8A IV8B, { 8, CLEAR, CLEAR, 8, CLEAR },
        IV8A " - - " IV8B },
    { "00000000 00000002" IV8A IV8B, { CLEAR, CLEAR, CLEAR, 8, 8 },
        "- - - " IV8A " " IV8B },
    /* Of neither all samples nor all that are protected: of the first. */
    { "00000000 00000002" IV8A IV8B, { 8, 8, 8, CLEAR, CLEAR }, IV8A " " IV8B },
    { "00000000 00000003" IV8A IV8B, { 8, CLEAR, 8, CLEAR, 8 },
        IV8A " - " IV8B },
    { "00000000 00000002" IV8A IV8B "ff", { CLEAR, 8, CLEAR, 8, CLEAR }, NULL },
    { "00000000 00000002" IV8A, { CLEAR, 8, CLEAR, 8, CLEAR }, "- " IV8A },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (BmffBox) box = make_box ("senc", cases[i].payload);
    Samples samples = make_samples (5, cases[i].sizes);
    GError *error = NULL;
    CencAuxTable *table = cenc_aux_table_new_from_senc_bounded (box, 5,
        get_params, &samples, &error);

    if (cases[i].expected)
      assert_table (table, error, cases[i].expected);
    else
      assert_format_error (table, &error, "2 samples");
  }
}
GST_END_TEST;

/* Samples of no bytes: four bytes must not cost 32 GiB. */
GST_START_TEST (test_senc_count_is_bounded)
{
  g_autoptr (BmffBox) box = make_box ("senc", "00000000 ffffffff");
  Samples samples = SAMPLES (0);
  GError *error = NULL;

  assert_format_error (cenc_aux_table_new_from_senc (box, get_params, &samples,
                           &error),
      &error, "4294967295 samples");
}
GST_END_TEST;

GST_START_TEST (test_piff_override)
{
  g_autoptr (BmffBox) box = make_box ("uuid",
      "00000001 000002 10 cccccccccccccccccccccccccccccccc 00000001" IV16);
  Samples samples = SAMPLES (8);
  g_autoptr (GError) error = NULL;
  g_autoptr (CencAuxTable) table =
      cenc_aux_table_new_from_senc (box, get_params, &samples, &error);
  const CencParams *override;

  fail_unless (table != NULL, "%s", error ? error->message : "");
  override = cenc_aux_table_get_override (table);
  fail_unless (override != NULL);
  assert_equals_int (override->mode, CENC_MODE_CBC);
  assert_equals_int (override->kid[15], 0xcc);
  assert_equals_int (override->per_sample_iv_size, 16);
  assert_table (cenc_aux_table_ref (table), NULL, IV16);
}
GST_END_TEST;

GST_START_TEST (test_no_override)
{
  g_autoptr (BmffBox) box = make_box ("senc", "00000000 00000001" IV8A);
  Samples samples = SAMPLES (8);
  g_autoptr (CencAuxTable) table =
      cenc_aux_table_new_from_senc (box, get_params, &samples, NULL);

  fail_unless (cenc_aux_table_get_override (table) == NULL);
}
GST_END_TEST;

static Suite *
cenc_aux_senc_suite (void)
{
  Suite *s = suite_create ("cenc-aux-senc");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_senc_whole_samples);
  tcase_add_test (tc, test_senc_subsamples);
  tcase_add_test (tc, test_senc_counts_empty);
  tcase_add_test (tc, test_senc_constant_iv_whole_samples);
  tcase_add_test (tc, test_senc_iv_sizes_differ_by_group);
  tcase_add_test (tc, test_senc_clear_samples_any_way);
  tcase_add_test (tc, test_senc_bytes_left_over);
  tcase_add_test (tc, test_senc_cut_off);
  tcase_add_test (tc, test_senc_of_protected_samples_only);
  tcase_add_test (tc, test_senc_count_is_bounded);
  tcase_add_test (tc, test_piff_override);
  tcase_add_test (tc, test_no_override);
  return s;
}

GST_CHECK_MAIN (cenc_aux_senc);
