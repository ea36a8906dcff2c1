/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what saiz and saio lead to (ISO/IEC 14496-12, 8.7.8 and 8.7.9). */

#include "cenc-aux-fixtures.h"

/* What the file holds from offset 1000 on. */
#define FILE_OFFSET 1000

typedef struct
{
  const gchar *saiz, *saio, *file;
  guint64 base;
  const guint32 *runs;
  guint n_runs;
} Saiz;

static CencAuxTable *
read_saiz (const Saiz *s, Samples samples, GError **error)
{
  g_autoptr (BmffBox) traf = bmff_box_new_container (FCC ("traf"));
  g_autoptr (GBytes) file = unhex (s->file);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, FILE_OFFSET);
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (guint32));

  if (s->runs)
    g_array_append_vals (runs, s->runs, s->n_runs);
  if (s->saiz)
    bmff_box_append (traf, make_box ("saiz", s->saiz));
  if (s->saio)
    bmff_box_append (traf, make_box ("saio", s->saio));
  return cenc_aux_table_new_from_saiz (traf, s->base, s->runs ? runs : NULL,
      source, get_params, &samples, error);
}

static void
check_saiz (const Saiz *s, Samples samples, const gchar *expected)
{
  g_autoptr (GError) error = NULL;

  assert_table (read_saiz (s, samples, &error), error, expected);
}

static void
refuse_saiz (const Saiz *s, Samples samples, const gchar *text)
{
  GError *error = NULL;

  assert_format_error (read_saiz (s, samples, &error), &error, text);
}

GST_START_TEST (test_saiz_default_size)
{
  Saiz s = { "00000000 08 00000002", "00000000 00000001 00000002",
    "ffff" IV8A IV8B, 1000 };

  check_saiz (&s, SAMPLES (8, 8), IV8A " " IV8B);
}
GST_END_TEST;

GST_START_TEST (test_saiz_sizes)
{
  Saiz s = { "00000000 00 00000003 10 16 08", "00000000 00000001 000003e8",
    IV8A "0001 0005 00000020" IV8B "0002 0001 00000010 0002 00000030" IV8A };

  check_saiz (&s, SAMPLES (8, 8, 8), IV8A ",5/32 " IV8B ",1/16,2/48 " IV8A);
}
GST_END_TEST;

GST_START_TEST (test_saio_of_64_bits)
{
  Saiz s = { "00000000 10 00000001", "01000000 00000001 00000000000003e8",
    IV16 };

  check_saiz (&s, SAMPLES (16), IV16);
}
GST_END_TEST;

GST_START_TEST (test_saio_with_an_entry_for_each_run)
{
  static const guint32 runs[] = { 1, 2 };
  Saiz s = { "00000000 08 00000003", "00000000 00000002 000003f8 000003e8",
    IV8A IV8B IV8A, 0, runs, 2 };

  check_saiz (&s, SAMPLES (8, 8, 8), IV8A " " IV8A " " IV8B);
  s.n_runs = 1;
  refuse_saiz (&s, SAMPLES (8, 8, 8), "2 offsets");
  s.runs = NULL;
  refuse_saiz (&s, SAMPLES (8, 8, 8), "2 offsets");
}
GST_END_TEST;

GST_START_TEST (test_saio_with_too_few_entries)
{
  static const guint32 runs[] = { 1, 1, 1 };
  Saiz s = { "00000000 08 00000003", "00000000 00000002 000003e8 000003f0",
    IV8A IV8B IV8A, 0, runs, 3 };

  refuse_saiz (&s, SAMPLES (8, 8, 8), "2 of 3 samples");
}
GST_END_TEST;

GST_START_TEST (test_saiz_clear_samples)
{
  Saiz s = { "00000000 00 00000003 08 00 10", "00000000 00000001 000003e8",
    IV8A IV16 };

  check_saiz (&s, SAMPLES (8, CLEAR, 16), IV8A " - " IV16);
}
GST_END_TEST;

GST_START_TEST (test_saiz_constant_iv)
{
  Saiz s = { "00000000 08 00000001", "00000000 00000001 000003e8",
    "0001 0005 00000020" };

  check_saiz (&s, SAMPLES (0), "-,5/32");
}
GST_END_TEST;

GST_START_TEST (test_saiz_of_another_type_is_not_ours)
{
  g_autoptr (BmffBox) traf = bmff_box_new_container (FCC ("traf"));
  g_autoptr (GBytes) file = unhex (IV8A);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  Samples samples = SAMPLES (8);
  g_autoptr (GError) error = NULL;

  bmff_box_append (traf,
      make_box ("saiz", "00000001 78787878 00000000 05 00000009"));
  bmff_box_append (traf,
      make_box ("saio", "00000001 78787878 00000000 00000001 00000077"));
  fail_unless (cenc_aux_table_new_from_saiz (traf, 0, NULL, source, get_params,
                   &samples, &error) == NULL);
  fail_unless_no_error (error);
  bmff_box_append (traf,
      make_box ("saiz", "00000001 63656e63 00000000 08 00000001"));
  bmff_box_append (traf,
      make_box ("saio", "00000001 63656e63 00000000 00000001 00000000"));
  assert_table (cenc_aux_table_new_from_saiz (traf, 0, NULL, source, get_params,
                    &samples, &error),
      error, IV8A);
}
GST_END_TEST;

/* Of what has not come yet, nothing is there; *(guint64 *) user_data: what was
 * asked for last. */
static GBytes *
read_nothing (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  *(guint64 *) user_data = offset;
  g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_AGAIN, "not yet");
  return NULL;
}

static guint64
get_no_size (gpointer user_data)
{
  return G_MAXUINT64;
}

/* Whoever waits for it, waits once. */
GST_START_TEST (test_saio_asks_for_the_last)
{
  static const BmffSourceFuncs funcs = { read_nothing, get_no_size, NULL };
  g_autoptr (BmffBox) traf = bmff_box_new_container (FCC ("traf"));
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint64 asked = 0;
  g_autoptr (BmffSource) source = bmff_source_new (&funcs, &asked);
  guint32 ones[] = { 1, 1, 1 };
  Samples samples = SAMPLES (8, 8, 8);
  g_autoptr (GError) error = NULL;

  g_array_append_vals (runs, ones, G_N_ELEMENTS (ones));
  bmff_box_append (traf, make_box ("saiz", "00000000 08 00000003"));
  bmff_box_append (traf,
      make_box ("saio", "00000000 00000003 00000010 00000030 00000020"));
  fail_unless (cenc_aux_table_new_from_saiz (traf, 1000, runs, source,
                   get_params, &samples, &error) == NULL);
  fail_unless (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_AGAIN));
  fail_unless_equals_uint64 (asked, 1000 + 0x30);
}
GST_END_TEST;

GST_START_TEST (test_saiz_refused)
{
  Saiz no_saio = { "00000000 08 00000001", NULL, IV8A };
  Saiz wrong_size = { "00000000 09 00000001", "00000000 00000001 000003e8",
    IV8A "00" };
  Saiz wrong_count = { "00000000 10 00000001", "00000000 00000001 000003e8",
    IV8A "0002 0005 00000020" };
  Saiz sizes_cut = { "00000000 00 00000005 08", "00000000 00000001 000003e8",
    IV8A };
  Saiz offsets_cut = { "00000000 08 00000001", "00000000 00000002 000003e8",
    IV8A };
  Saiz overflow = { "00000000 08 00000001",
    "01000000 00000001 ffffffffffffffff", IV8A, 5 };
  Saiz huge = { "00000000 ff 00800000", "00000000 00000001 000003e8", IV8A };

  refuse_saiz (&no_saio, SAMPLES (8), "no saio");
  refuse_saiz (&wrong_size, SAMPLES (8), "9 bytes");
  refuse_saiz (&wrong_count, SAMPLES (8), "16 bytes");
  refuse_saiz (&sizes_cut, SAMPLES (8), "5 sizes");
  refuse_saiz (&offsets_cut, SAMPLES (8), "2 offsets");
  refuse_saiz (&overflow, SAMPLES (8), "leads nowhere");
  refuse_saiz (&huge, SAMPLES (8), "auxiliary information");
}
GST_END_TEST;

GST_START_TEST (test_saio_past_the_end_of_the_file)
{
  Saiz s = { "00000000 08 00000002", "00000000 00000001 000003e8", IV8A };
  GError *error = NULL;

  fail_unless (read_saiz (&s, SAMPLES (8, 8), &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "1000");
}
GST_END_TEST;

GST_START_TEST (test_no_saiz)
{
  Saiz s = { NULL, NULL, "" };
  GError *error = NULL;

  fail_unless (read_saiz (&s, SAMPLES (8), &error) == NULL);
  fail_unless_no_error (error);
}
GST_END_TEST;

static Suite *
cenc_aux_saiz_suite (void)
{
  Suite *s = suite_create ("cenc-aux-saiz");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_saiz_default_size);
  tcase_add_test (tc, test_saiz_sizes);
  tcase_add_test (tc, test_saio_of_64_bits);
  tcase_add_test (tc, test_saio_with_an_entry_for_each_run);
  tcase_add_test (tc, test_saio_with_too_few_entries);
  tcase_add_test (tc, test_saiz_clear_samples);
  tcase_add_test (tc, test_saiz_constant_iv);
  tcase_add_test (tc, test_saiz_of_another_type_is_not_ours);
  tcase_add_test (tc, test_saio_asks_for_the_last);
  tcase_add_test (tc, test_saiz_refused);
  tcase_add_test (tc, test_saio_past_the_end_of_the_file);
  tcase_add_test (tc, test_no_saiz);
  return s;
}

GST_CHECK_MAIN (cenc_aux_saiz);
