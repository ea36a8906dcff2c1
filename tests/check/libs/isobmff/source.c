/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-source.h"

static const gchar data[] = "\0\0\0\x0c"
                            "ftypisom"
                            "\0\0\0\x10moov\0\0\0\x08mvhd"
                            "\0\0\0\0mdat12345";

/* A source of unknown size over @data that counts its frees. */
static GBytes *
endless_read (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  gsize length = sizeof (data) - 1;

  if (offset == 666) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED, "own error");
    return NULL;
  }
  if (offset > length)
    return g_bytes_new_static (NULL, 0);

  return g_bytes_new_static (data + offset, MIN (size, length - offset));
}

static guint64
endless_get_size (gpointer user_data)
{
  return G_MAXUINT64;
}

static void
endless_free (gpointer user_data)
{
  ++*(guint *) user_data;
}

static const BmffSourceFuncs endless_funcs = { endless_read, endless_get_size,
  endless_free };

GST_START_TEST (test_bytes)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("0123456789", 10);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (bytes, 100);
  static const struct
  {
    guint64 offset;
    gsize size;
    const gchar *expected;
  } reads[] = {
    { 0, 10, "" },
    { 99, 2, "" },
    { 100, 3, "012" },
    { 108, 2, "89" },
    { 108, G_MAXSIZE, "89" },
    { 110, 1, "" },
    { 111, 1, "" },
    { G_MAXUINT64, 1, "" },
  };
  guint i;

  fail_unless_equals_uint64 (bmff_source_get_size (source), 110);
  for (i = 0; i < G_N_ELEMENTS (reads); i++) {
    g_autoptr (GBytes) got =
        bmff_source_read (source, reads[i].offset, reads[i].size, NULL);
    g_autoptr (GBytes) expected =
        g_bytes_new_static (reads[i].expected, strlen (reads[i].expected));

    fail_unless (g_bytes_equal (got, expected), "read %u", i);
  }
}

GST_END_TEST;

GST_START_TEST (test_read_all)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("0123456789", 10);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (bytes, 100);
  g_autoptr (GBytes) all = NULL;
  GError *error = NULL;

  all = bmff_source_read_all (source, 105, 5, "senc", &error);
  fail_unless_no_error (error);
  fail_unless (bmff_source_read_all (source, 105, 6, "senc", &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "senc at 105");
}

GST_END_TEST;

GST_START_TEST (test_headers)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, sizeof (data) - 1);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (bytes, 0);
  BmffHeader header;
  GError *error = NULL;

  fail_unless (bmff_source_read_header (source, 0, &header, &error));
  fail_unless (header.type == FCC ("ftyp") && header.size == 12);
  fail_unless (bmff_source_read_header (source, 28, &header, &error));
  fail_unless (header.type == FCC ("mdat") && header.size == 13);
  fail_if (bmff_source_read_header (source, 41, &header, &error));
  fail_unless_no_error (error);
  fail_if (bmff_source_read_header (source, 37, &header, &error));
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "box at 37");
}

GST_END_TEST;

GST_START_TEST (test_headers_bad)
{
  static const gchar bad[] =
      "\0\0\0\x07mdat\0\0\0\1mdat\xff\xff\xff\xff\xff\xff\xff\xff";
  g_autoptr (GBytes) bytes = g_bytes_new_static (bad, sizeof (bad) - 1);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (bytes, 0);
  BmffHeader header;
  GError *error = NULL;

  fail_if (bmff_source_read_header (source, 0, &header, &error));
  fail_unless_error (error, BMFF_ERROR_INVALID, "mdat at 0");
  fail_if (bmff_source_read_header (source, 8, &header, &error));
  fail_unless_error (error, BMFF_ERROR_INVALID, "mdat at 8");
}

GST_END_TEST;

GST_START_TEST (test_read_box)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, sizeof (data) - 1);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (bytes, 0);
  GError *error = NULL;
  g_autoptr (BmffBox) moov = bmff_source_read_box (source, 12, &error);
  g_autoptr (BmffBox) mdat = NULL;

  fail_unless_no_error (error);
  fail_unless_equals_uint64 (moov->offset, 12);
  fail_unless_equals_uint64 (bmff_box_child (moov, FCC ("mvhd"))->offset, 20);
  mdat = bmff_source_read_box (source, 28, &error);
  fail_unless_no_error (error);
  fail_unless_equals_int (g_bytes_get_size (mdat->payload), 5);
  fail_unless (bmff_source_read_box (source, 41, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "box at 41");
}

GST_END_TEST;

/* Refused before anything of that size is read. */
GST_START_TEST (test_read_box_bad)
{
  static const gchar bad[] = "\x10\0\0\1moov\x10\0\0\0moov";
  g_autoptr (GBytes) bytes = g_bytes_new_static (bad, sizeof (bad) - 1);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (bytes, 0);
  GError *error = NULL;

  fail_unless (bmff_source_read_box (source, 0, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_LIMIT, "moov at 0");
  fail_unless (bmff_source_read_box (source, 8, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "moov at 8");
}

GST_END_TEST;

GST_START_TEST (test_unknown_size)
{
  guint freed = 0;
  BmffSource *source = bmff_source_new (&endless_funcs, &freed);
  BmffHeader header;
  GError *error = NULL;
  BmffBox *box = bmff_source_read_box (source, 12, &error);

  fail_unless_no_error (error);
  bmff_box_free (box);
  fail_unless (bmff_source_read_header (source, 28, &header, &error));
  fail_unless_equals_uint64 (header.size, 0);
  fail_unless (bmff_source_read_box (source, 28, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "mdat at 28");
  fail_unless (bmff_source_read_box (source, 666, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "own error");
  bmff_source_free (source);
  fail_unless_equals_int (freed, 1);
}

GST_END_TEST;

static Suite *
isobmff_source_suite (void)
{
  Suite *s = suite_create ("isobmff-source");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_bytes);
  tcase_add_test (tc, test_read_all);
  tcase_add_test (tc, test_headers);
  tcase_add_test (tc, test_headers_bad);
  tcase_add_test (tc, test_read_box);
  tcase_add_test (tc, test_read_box_bad);
  tcase_add_test (tc, test_unknown_size);

  return s;
}

GST_CHECK_MAIN (isobmff_source);
