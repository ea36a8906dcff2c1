/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "../isobmff/bmff-test.h"
#include "cenc-reference.h"

#include "gst/cenc/cenc-aux.h"

#include <gst/cenc/gstcenckeysession.h>
#include <string.h>

/* Parameters by sample; past the end, and where per_sample_iv_size is 0xff, none. */
typedef struct
{
  guint n;
  CencParams params[8];
} Samples;

static const CencParams *
get_params (guint32 index, gpointer user_data)
{
  Samples *samples = user_data;

  if (index >= samples->n || !samples->params[index].is_protected)
    return NULL;
  return &samples->params[index];
}

#define CLEAR 0xff

/* @sizes: IV sizes, CLEAR = not protected. */
static Samples
make_samples (guint n, const guint *sizes)
{
  Samples samples = { n };
  guint i;

  for (i = 0; i < n; i++) {
    samples.params[i] = reference_params (CENC_SCHEME_CENC, 0, 0,
        sizes[i] == CLEAR ? 0 : sizes[i]);
    samples.params[i].is_protected = sizes[i] != CLEAR;
  }
  return samples;
}

#define SAMPLES(...) \
  make_samples (G_N_ELEMENTS (((guint[]){ __VA_ARGS__ })), \
      (guint[]){ __VA_ARGS__ })

static GBytes *
unhex (const gchar *text)
{
  GByteArray *bytes = g_byte_array_new ();

  while (*text) {
    guint8 byte;

    if (*text == ' ') {
      text++;
      continue;
    }
    byte = (guint8) (g_ascii_xdigit_value (text[0]) << 4 |
        g_ascii_xdigit_value (text[1]));
    g_byte_array_append (bytes, &byte, 1);
    text += 2;
  }
  return g_byte_array_free_to_bytes (bytes);
}

static BmffBox *
make_box (const gchar *type, const gchar *payload)
{
  return bmff_box_new (FCC (type), unhex (payload));
}

static void
append_hex (GString *text, const guint8 *data, gsize size)
{
  gsize i;

  for (i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", data[i]);
}

/* "iv[subsamples]" by sample, blanks between them. */
static gchar *
print (const CencAuxTable *table)
{
  GString *text = g_string_new (NULL);
  CencSampleAux aux;
  guint i, s;

  for (i = 0; cenc_aux_table_get (table, i, &aux); i++) {
    g_string_append (text, i ? " " : "");
    if (aux.iv)
      append_hex (text, aux.iv, aux.iv_size);
    else
      g_string_append_c (text, '-');
    for (s = 0; s < aux.n_subsamples; s++) {
      const guint8 *e = aux.subsamples + s * CENC_SUBSAMPLE_SIZE;

      g_string_append_printf (text, ",%u/%u", bmff_get_u16 (e),
          bmff_get_u32 (e + 2));
    }
  }
  assert_equals_int (i, cenc_aux_table_get_count (table));
  return g_string_free (text, FALSE);
}

static void
assert_table (CencAuxTable *table, GError *error, const gchar *expected)
{
  g_autofree gchar *text = NULL;

  fail_unless (table != NULL, "%s", error ? error->message : "no table");
  text = print (table);
  assert_equals_string (text, expected);
  cenc_aux_table_unref (table);
}

static void
assert_format_error (CencAuxTable *table, GError **error, const gchar *text)
{
  fail_unless (table == NULL);
  fail_unless (*error && (*error)->domain == GST_CENC_ERROR, "%s",
      *error ? (*error)->message : "no error");
  fail_unless (strstr ((*error)->message, text) != NULL, "%s",
      (*error)->message);
  g_clear_error (error);
}

/* --- senc --- */

static void
check_senc (const gchar *payload, Samples samples, const gchar *expected)
{
  g_autoptr (BmffBox) box = make_box ("senc", payload);
  g_autoptr (GError) error = NULL;

  assert_table (cenc_aux_table_new_from_senc (box, get_params, &samples,
                    &error),
      error, expected);
}

#define IV8A "a000000000000001"
#define IV8B "a000000000000002"
#define IV16 "b0000000000000000000000000000003"

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

/* --- saiz and saio --- */

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

/* --- writer --- */

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

static Suite *
cenc_aux_suite (void)
{
  Suite *s = suite_create ("cenc-aux");
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
  tcase_add_test (tc, test_writer_whole_samples);
  tcase_add_test (tc, test_writer_subsamples);
  tcase_add_test (tc, test_writer_many);
  tcase_add_test (tc, test_writer_constant_iv);
  tcase_add_test (tc, test_writer_piff);
  tcase_add_test (tc, test_writer_sample_of_no_bytes);
  tcase_add_test (tc, test_writer_refuses);
  return s;
}

GST_CHECK_MAIN (cenc_aux);
