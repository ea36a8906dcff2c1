/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parameter sets from avcC and hvcC, and the entry that serves several. */

#include <gst/check/gstcheck.h>
#include <string.h>

#include "smilremix/remix-error.h"
#include "smilremix/remix-params.h"

/* A video sample entry with @config as its only box. */
static RemixFormat *
make_format (const gchar *type, const gchar *box, const guint8 *config,
    gsize size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GBytes) raw = NULL;
  g_autoptr (BmffBox) stsd = NULL;
  g_autoptr (GError) error = NULL;
  guint8 head[16 + 8 + 78 + 8] = { 0 };
  RemixFormat *format;

  head[3] = (guint8) (sizeof (head) + size);
  memcpy (head + 4, "stsd", 4);
  head[15] = 1;
  head[19] = (guint8) (sizeof (head) - 16 + size);
  memcpy (head + 20, type, 4);
  head[105] = (guint8) (8 + size);
  memcpy (head + 106, box, 4);
  g_byte_array_append (bytes, head, sizeof (head));
  g_byte_array_append (bytes, config, (guint) size);
  raw = g_bytes_new (bytes->data, bytes->len);
  stsd = bmff_box_parse (raw, 0, NULL);
  fail_unless (stsd && bmff_box_parse_stsd (stsd, BMFF_HANDLER_VIDEO, NULL));
  format = remix_format_new (g_ptr_array_index (stsd->children, 0),
      BMFF_HANDLER_VIDEO, &error);
  fail_unless (format != NULL, "%s", error ? error->message : "");
  return format;
}

static void
expect_sets (const RemixFormat *format, guint nal_length,
    const guint8 *expected, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) sets = NULL;
  guint found;

  sets = remix_params_get (format, &found, &error);
  fail_unless (sets != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (found, nal_length);
  fail_unless_equals_uint64 (g_bytes_get_size (sets), size);
  fail_unless (memcmp (g_bytes_get_data (sets, NULL), expected, size) == 0);
}

static const guint8 avcc[] = { 1, 66, 0xc0, 30, 0xff, 0xe1, 0, 2, 0x67, 9, 1, 0,
  3, 0x68, 7, 7 };
static const guint8 avcc_high[] = { 1, 100, 0x40, 41, 0xff, 0xe1, 0, 2, 0x67, 8,
  1, 0, 3, 0x68, 6, 6, 0xfd, 0xf8, 0xf8, 0 };

GST_START_TEST (test_avc)
{
  static const guint8 expected[] = { 0, 0, 0, 2, 0x67, 9, 0, 0, 0, 3, 0x68, 7,
    7 };
  g_autoptr (GPtrArray) formats =
      g_ptr_array_new_with_free_func ((GDestroyNotify) remix_format_unref);
  g_autoptr (GBytes) entry = NULL;
  const guint8 *data;
  gsize size;

  g_ptr_array_add (formats, make_format ("avc1", "avcC", avcc, sizeof (avcc)));
  g_ptr_array_add (formats,
      make_format ("avc1", "avcC", avcc_high, sizeof (avcc_high)));
  expect_sets (g_ptr_array_index (formats, 0), 4, expected, sizeof (expected));
  fail_unless (remix_params_are_possible (g_ptr_array_index (formats, 0)));
  entry = remix_params_make_entry (formats);
  data = g_bytes_get_data (entry, &size);
  fail_unless_equals_uint64 (size, 8 + 78 + 8 + sizeof (avcc));
  fail_unless (memcmp (data + 4, "avc3", 4) == 0);
  /* Profile, constraints that both keep, level; the first one's sets. */
  fail_unless (memcmp (data + 94, "\1\144\100\51", 4) == 0);
  fail_unless (memcmp (data + 98, avcc + 4, sizeof (avcc) - 4) == 0);
}

GST_END_TEST;

GST_START_TEST (test_hevc)
{
  /* An SEI and a PPS in front of VPS and SPS; lengths of 2 bytes. */
  static const guint8 hvcc[] = { 1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93,
    0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0d, 4, 0xa7, 0, 1, 0, 1, 9, 0xa2,
    0, 1, 0, 2, 0x44, 1, 0xa0, 0, 1, 0, 2, 0x40, 1, 0xa1, 0, 1, 0, 2, 0x42, 1 };
  static const guint8 expected[] = { 0, 2, 0x40, 1, 0, 2, 0x42, 1, 0, 2, 0x44,
    1 };
  g_autoptr (GPtrArray) formats =
      g_ptr_array_new_with_free_func ((GDestroyNotify) remix_format_unref);
  g_autoptr (GBytes) entry = NULL;
  const guint8 *data;

  g_ptr_array_add (formats, make_format ("hvc1", "hvcC", hvcc, sizeof (hvcc)));
  expect_sets (g_ptr_array_index (formats, 0), 2, expected, sizeof (expected));
  entry = remix_params_make_entry (formats);
  data = g_bytes_get_data (entry, NULL);
  fail_unless (memcmp (data + 4, "hev1", 4) == 0);
  fail_unless_equals_int (data[94 + 23], 0x27);
  fail_unless_equals_int (data[94 + 29], 0x22);
}

GST_END_TEST;

static void
expect_failure (RemixFormat *format)
{
  g_autoptr (GError) error = NULL;
  guint nal_length;

  fail_unless (remix_params_get (format, &nal_length, &error) == NULL);
  fail_unless (g_error_matches (error, REMIX_ERROR, REMIX_ERROR_FORMAT));
  remix_format_unref (format);
}

GST_START_TEST (test_damaged)
{
  guint8 broken[sizeof (avcc)];
  gsize i;

  for (i = 0; i < sizeof (avcc); i++)
    expect_failure (make_format ("avc1", "avcC", avcc, i));
  memcpy (broken, avcc, sizeof (avcc));
  broken[4] = 0xfe; /* lengths of 3 bytes */
  expect_failure (make_format ("avc1", "avcC", broken, sizeof (broken)));
  expect_failure (make_format ("avc1", "free", avcc, sizeof (avcc)));
  expect_failure (make_format ("hvc1", "hvcC", avcc, sizeof (avcc)));
}

GST_END_TEST;

static Suite *
params_suite (void)
{
  Suite *s = suite_create ("smilremix-params");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_avc);
  tcase_add_test (tc, test_hevc);
  tcase_add_test (tc, test_damaged);
  return s;
}

GST_CHECK_MAIN (params);
