/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-index.h"

#define SEIG BMFF_FOURCC ('s', 'e', 'i', 'g')
#define ROLL BMFF_FOURCC ('r', 'o', 'l', 'l')

static BmffBox *
traf_with (BmffBox *box)
{
  return test_with (bmff_box_new_container (FCC ("traf")), box);
}

static BmffBox *
raw_box (const gchar *type, const gchar *data, gsize size)
{
  return bmff_box_new (FCC (type), g_bytes_new_static (data, size));
}

#define RAW(type, s) raw_box (type, s, sizeof (s) - 1)

/* Groups of the first @n samples, and none behind. */
static void
assert_groups (BmffBox *box, guint n, const guint32 *groups)
{
  g_autoptr (BmffBox) traf = traf_with (box);
  GError *error = NULL;
  g_autoptr (BmffGroupMap) map = bmff_group_map_parse (traf, SEIG, &error);
  guint32 shared = 0, local = 0, highest_shared, highest_local;
  guint i;

  fail_unless_no_error (error);
  fail_unless (map != NULL);
  fail_unless_equals_int (bmff_group_map_get_count (map), n);
  for (i = 0; i < n; i++) {
    if (groups[i] > 0x10000)
      local = MAX (local, groups[i] - 0x10000);
    else
      shared = MAX (shared, groups[i]);
  }
  bmff_group_map_get_highest (map, &highest_shared, &highest_local);
  fail_unless_equals_int (highest_shared, shared);
  fail_unless_equals_int (highest_local, local);
  for (i = 0; i < n; i++)
    fail_unless (bmff_group_map_get (map, i) == groups[i],
        "sample %u is in group 0x%x", i, bmff_group_map_get (map, i));
  fail_unless_equals_int (bmff_group_map_get (map, n), 0);
  fail_unless_equals_int (bmff_group_map_get (map, G_MAXUINT32), 0);
}

#define ASSERT_GROUPS(box, ...) \
  assert_groups (box, G_N_ELEMENTS (((guint32[]){ __VA_ARGS__ })), \
      (guint32[]){ __VA_ARGS__ })

GST_START_TEST (test_sbgp)
{
  ASSERT_GROUPS (test_box ("sbgp", 0, SEIG, 4, 2, 1, 1, 0, 0, 9, 3, 0x10002), 1,
      1, 0, 0x10002, 0x10002, 0x10002);
  ASSERT_GROUPS (test_box ("sbgp", 0x01000000, SEIG, 77, 1, 1, 5), 5);
}

GST_END_TEST;

GST_START_TEST (test_sbgp_other)
{
  g_autoptr (BmffBox) traf = traf_with (test_box ("sbgp", 0, ROLL, 1, 5, 1));
  GError *error = NULL;

  fail_unless (bmff_group_map_parse (traf, SEIG, &error) == NULL);
  fail_unless_no_error (error);
  test_with (traf, test_box ("sbgp", 0, SEIG, 1, 5, 2));
  {
    g_autoptr (BmffGroupMap) map = bmff_group_map_parse (traf, SEIG, &error);

    fail_unless_equals_int (bmff_group_map_get (map, 4), 2);
  }
}

GST_END_TEST;

/* More samples than a track can have. */
GST_START_TEST (test_sbgp_saturates)
{
  g_autoptr (BmffBox) traf =
      traf_with (test_box ("sbgp", 0, SEIG, 2, 0xfffffff0u, 1, 0xfffffff0u, 2));
  g_autoptr (BmffGroupMap) map = bmff_group_map_parse (traf, SEIG, NULL);

  fail_unless_equals_int (bmff_group_map_get (map, 0xffffffefu), 1);
  fail_unless_equals_int (bmff_group_map_get (map, 0xfffffff0u), 2);
  fail_unless_equals_int (bmff_group_map_get (map, 0xfffffffeu), 2);
}

GST_END_TEST;

GST_START_TEST (test_csgp)
{
  /* all fields of 4 bits: (3 long, 7 samples), (1 long, 2 samples) */
  ASSERT_GROUPS (RAW ("csgp", "\0\0\0\x00seig\0\0\0\2\x37\x12\x12\x34"), 1, 2,
      3, 1, 2, 3, 1, 4, 4);
  /* the same with fragment-local ones, and a parameter */
  ASSERT_GROUPS (RAW ("csgp", "\0\0\0\xc0seigPARA\0\0\0\1\x24\x19"), 1, 0x10001,
      1, 0x10001);
  /* without the flag the bit is one of the number */
  ASSERT_GROUPS (RAW ("csgp", "\0\0\0\0seig\0\0\0\1\x22\x19"), 1, 9);
  /* 8-bit length, 16-bit count, 32-bit index */
  ASSERT_GROUPS (RAW ("csgp", "\0\0\0\x1bseig\0\0\0\1\2\0\3\0\0\0\1\0\1\0\2"),
      1, 0x10002, 1);
  /* 16-bit length, 8-bit count, 8-bit index with msb */
  ASSERT_GROUPS (RAW ("csgp", "\0\0\0\xa5seig\0\0\0\1\0\1\2\x83"), 0x10003,
      0x10003);
  /* 32-bit length and count, 16-bit index; shorter than its pattern */
  ASSERT_GROUPS (RAW ("csgp",
                     "\0\0\0\x3eseig\0\0\0\1\0\0\0\3\0\0\0\2\0\1\0\2\0\3"),
      1, 2);
}

GST_END_TEST;

GST_START_TEST (test_highest)
{
  g_autoptr (BmffBox) sbgp =
      traf_with (test_box ("sbgp", 0, SEIG, 4, 2, 3, 1, 0, 9, 0x10002, 3, 1));
  /* The pattern names 1, 2 and local 7, but the run ends before the last. */
  g_autoptr (BmffBox) csgp =
      traf_with (RAW ("csgp", "\0\0\0\x80seig\0\0\0\1\x32\x12\xf0"));
  g_autoptr (BmffGroupMap) a = bmff_group_map_parse (sbgp, SEIG, NULL);
  g_autoptr (BmffGroupMap) b = bmff_group_map_parse (csgp, SEIG, NULL);
  guint32 shared, local;

  bmff_group_map_get_highest (a, &shared, &local);
  fail_unless_equals_int (shared, 3);
  fail_unless_equals_int (local, 2);
  bmff_group_map_get_highest (b, &shared, &local);
  fail_unless_equals_int (shared, 2);
  fail_unless_equals_int (local, 0);
}

GST_END_TEST;

static void
assert_bad (BmffBox *box, BmffError code, const gchar *message)
{
  g_autoptr (BmffBox) traf = traf_with (box);
  GError *error = NULL;

  fail_unless (bmff_group_map_parse (traf, SEIG, &error) == NULL);
  fail_unless_error (error, code, message);
}

GST_START_TEST (test_map_bad)
{
  assert_bad (RAW ("sbgp", "\0\0\0"), BMFF_ERROR_TRUNCATED, "sbgp");
  assert_bad (RAW ("csgp", "\0\0\0"), BMFF_ERROR_TRUNCATED, "csgp");
  assert_bad (test_box ("sbgp", 0, SEIG), BMFF_ERROR_TRUNCATED, "sbgp");
  assert_bad (test_box ("sbgp", 0, SEIG, 2, 1, 1, 1), BMFF_ERROR_TRUNCATED,
      "its 2 entries");
  assert_bad (test_box ("sbgp", 0, SEIG, G_MAXUINT32), BMFF_ERROR_LIMIT,
      "4294967295 entries");
  assert_bad (RAW ("csgp", "\0\0\0\x00seig\0\0\0\2\x11"), BMFF_ERROR_TRUNCATED,
      "its 2 entries");
  assert_bad (RAW ("csgp", "\0\0\0\x00seig\0\0\0\1\x31\x11"),
      BMFF_ERROR_TRUNCATED, "its 3 indices");
  assert_bad (RAW ("csgp", "\0\0\0\x00seig\0\0\0\1\x01\x11"),
      BMFF_ERROR_INVALID, "pattern 0 is empty");
  assert_bad (RAW ("csgp", "\0\0\0\x10seig\0\0\0\1\x01\x11"),
      BMFF_ERROR_INVALID, "fields of 8 and 4 bits");
  assert_bad (RAW ("csgp",
                  "\0\0\0\x3fseig\0\0\0\1\xff\xff\xff\xff\0\0\0\1\0\0\0\1"),
      BMFF_ERROR_TRUNCATED, "its 4294967295 indices");
}

GST_END_TEST;

static void
assert_entry (BmffBox *parent, guint32 index, const gchar *expected)
{
  GError *error = NULL;
  g_autoptr (GBytes) entry =
      bmff_sgpd_get_entry (parent, SEIG, index, NULL, &error);

  fail_unless_no_error (error);
  if (expected == NULL) {
    fail_unless (entry == NULL);
    return;
  }
  fail_unless (entry != NULL);
  fail_unless_equals_int (g_bytes_get_size (entry), strlen (expected));
  fail_unless (memcmp (g_bytes_get_data (entry, NULL), expected,
                   strlen (expected)) == 0);
}

GST_START_TEST (test_sgpd)
{
  g_autoptr (BmffBox) v0 =
      traf_with (RAW ("sgpd", "\0\0\0\0seig\0\0\0\2abcdef"));
  g_autoptr (BmffBox) fixed =
      traf_with (RAW ("sgpd", "\1\0\0\0seig\0\0\0\3\0\0\0\2abcdef"));
  g_autoptr (BmffBox) varying = traf_with (
      RAW ("sgpd", "\1\0\0\0seig\0\0\0\0\0\0\0\3\0\0\0\2ab\0\0\0\0\0\0\0\1c"));
  g_autoptr (BmffBox) v2 =
      traf_with (RAW ("sgpd", "\2\0\0\0seig\0\0\0\3\0\0\0\2\0\0\0\2abcdef"));
  g_autoptr (BmffBox) old_v2 =
      traf_with (RAW ("sgpd", "\2\0\0\0seig\0\0\0\1\0\0\0\2abcdef"));
  guint32 default_index = 99;

  assert_entry (v0, 2, "def");
  assert_entry (fixed, 1, "abc");
  assert_entry (fixed, 2, "def");
  assert_entry (fixed, 3, NULL);
  assert_entry (fixed, 0, NULL);
  assert_entry (varying, 1, "ab");
  assert_entry (varying, 2, "");
  assert_entry (varying, 3, "c");
  assert_entry (varying, G_MAXUINT32, NULL);
  assert_entry (v2, 1, "abc");
  assert_entry (old_v2, 1, "abc");
  assert_entry (old_v2, 2, "def");
  assert_entry (old_v2, 3, NULL);
  fail_unless (
      bmff_sgpd_get_entry (fixed, SEIG, 0, &default_index, NULL) == NULL);
  fail_unless_equals_int (default_index, 0);
  fail_unless (bmff_sgpd_get_entry (v2, SEIG, 0, &default_index, NULL) == NULL);
  fail_unless_equals_int (default_index, 2);
  fail_unless (
      bmff_sgpd_get_entry (old_v2, SEIG, 0, &default_index, NULL) == NULL);
  fail_unless_equals_int (default_index, 1);
  fail_unless (bmff_sgpd_get_entry (v2, ROLL, 1, &default_index, NULL) == NULL);
  fail_unless_equals_int (default_index, 0);
}

GST_END_TEST;

GST_START_TEST (test_sgpd_one_after_the_other)
{
  g_autoptr (BmffBox) traf = traf_with (
      RAW ("sgpd", "\1\0\0\0seig\0\0\0\0\0\0\0\3\0\0\0\1a\0\0\0\0\0\0\0\2b"));
  GError *error = NULL;
  GBytes *entry;
  BmffSgpd sgpd;

  fail_if (bmff_sgpd_open (&sgpd, traf, ROLL, &error));
  fail_unless_no_error (error);
  fail_unless (bmff_sgpd_open (&sgpd, traf, SEIG, &error));
  fail_unless_equals_int (sgpd.count, 3);
  entry = bmff_sgpd_next (&sgpd, &error);
  fail_unless_equals_int (g_bytes_get_size (entry), 1);
  g_bytes_unref (entry);
  entry = bmff_sgpd_next (&sgpd, &error);
  fail_unless_equals_int (g_bytes_get_size (entry), 0);
  g_bytes_unref (entry);
  fail_unless (bmff_sgpd_next (&sgpd, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "entry 3");
  fail_unless (bmff_sgpd_next (&sgpd, &error) == NULL);
  fail_unless_no_error (error);
}

GST_END_TEST;

static void
assert_bad_sgpd (BmffBox *box, guint32 index)
{
  g_autoptr (BmffBox) parent = traf_with (box);
  GError *error = NULL;

  fail_unless (bmff_sgpd_get_entry (parent, SEIG, index, NULL, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "sgpd");
}

GST_START_TEST (test_sgpd_bad)
{
  assert_bad_sgpd (RAW ("sgpd", "\0"), 1);
  assert_bad_sgpd (RAW ("sgpd", "\0\0\0\0seig\0\0"), 1);
  assert_bad_sgpd (RAW ("sgpd", "\1\0\0\0seig\0\0\0\3\0\0\0\2abcde"), 2);
  assert_bad_sgpd (RAW ("sgpd",
                       "\1\0\0\0seig\xff\xff\xff\xff\xff\xff\xff\xff"
                       "abc"),
      G_MAXUINT32);
  assert_bad_sgpd (RAW ("sgpd",
                       "\1\0\0\0seig\0\0\0\0\xff\xff\xff\xff\0\0\0\1a"),
      G_MAXUINT32);
  assert_bad_sgpd (RAW ("sgpd",
                       "\1\0\0\0seig\0\0\0\0\0\0\0\1\xff\xff\xff\xff"
                       "a"),
      1);
}

GST_END_TEST;

static Suite *
isobmff_groups_suite (void)
{
  Suite *s = suite_create ("isobmff-groups");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_sbgp);
  tcase_add_test (tc, test_sbgp_other);
  tcase_add_test (tc, test_sbgp_saturates);
  tcase_add_test (tc, test_csgp);
  tcase_add_test (tc, test_highest);
  tcase_add_test (tc, test_map_bad);
  tcase_add_test (tc, test_sgpd);
  tcase_add_test (tc, test_sgpd_one_after_the_other);
  tcase_add_test (tc, test_sgpd_bad);

  return s;
}

GST_CHECK_MAIN (isobmff_groups);
