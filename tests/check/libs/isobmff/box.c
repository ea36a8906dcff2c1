/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#define BYTES(s) g_bytes_new_static ((s), sizeof (s) - 1)

/* 51 bytes: moov { mvhd, trak { tkhd, free }, 3 bytes of trailer } */
static const gchar moov[] = "\0\0\0\x33moov"
                            "\0\0\0\x0cmvhd\1\2\3\4"
                            "\0\0\0\x1ctrak"
                            "\0\0\0\x0ctkhd\5\6\7\x8"
                            "\0\0\0\x08xree"
                            "\0\0\0";

static GBytes *
join_pieces (const BmffBox *box)
{
  g_autoptr (GPtrArray) pieces = bmff_box_to_pieces (box);
  GByteArray *all = g_byte_array_new ();
  guint i;

  for (i = 0; i < pieces->len; i++) {
    gsize size;
    const guint8 *data =
        g_bytes_get_data (g_ptr_array_index (pieces, i), &size);

    fail_unless (size > 0);
    g_byte_array_append (all, data, size);
  }

  return g_byte_array_free_to_bytes (all);
}

static void
assert_same_bytes (const BmffBox *box, GBytes *bytes)
{
  g_autoptr (GBytes) written = bmff_box_to_bytes (box);
  g_autoptr (GBytes) joined = join_pieces (box);

  fail_unless (g_bytes_equal (joined, bytes));

  fail_unless (g_bytes_equal (written, bytes));
  fail_unless_equals_uint64 (bmff_box_get_size (box), g_bytes_get_size (bytes));
}

GST_START_TEST (test_header)
{
  BmffHeader h;

#define PARSE(s) bmff_header_parse (&h, (const guint8 *) (s), sizeof (s) - 1)
  fail_unless (PARSE ("") == BMFF_HEADER_MORE);
  fail_unless (PARSE ("\0\0\0\x08moo") == BMFF_HEADER_MORE);
  fail_unless (PARSE ("\0\0\0\x08moov") == BMFF_HEADER_OK);
  fail_unless (h.size == 8 && h.header_size == 8 && h.type == FCC ("moov"));
  fail_unless (PARSE ("\0\0\0\0mdat") == BMFF_HEADER_OK);
  fail_unless (h.size == 0);
  fail_unless (PARSE ("\0\0\0\x07mdat") == BMFF_HEADER_INVALID);
  fail_unless (PARSE ("\0\0\0\1mdat\0\0\0\0\0\0\0") == BMFF_HEADER_MORE);
  fail_unless (PARSE ("\0\0\0\1mdat\0\0\0\1\0\0\0\2") == BMFF_HEADER_OK);
  fail_unless (h.size == 0x100000002ull && h.header_size == 16);
  fail_unless (PARSE ("\0\0\0\1mdat\0\0\0\0\0\0\0\xf") == BMFF_HEADER_INVALID);
  fail_unless (PARSE ("\0\0\0\1mdat\0\0\0\0\0\0\0\0") == BMFF_HEADER_INVALID);
  fail_unless (PARSE ("\0\0\0\x18uuid0123456789abcde") == BMFF_HEADER_MORE);
  fail_unless (PARSE ("\0\0\0\x18uuid0123456789abcdef") == BMFF_HEADER_OK);
  fail_unless (
      h.header_size == 24 && memcmp (h.uuid, "0123456789abcdef", 16) == 0);
  fail_unless (PARSE ("\0\0\0\x17uuid0123456789abcdef") == BMFF_HEADER_INVALID);
#undef PARSE
}

GST_END_TEST;

GST_START_TEST (test_parse_tree)
{
  g_autoptr (GBytes) bytes = BYTES (moov);
  GError *error = NULL;
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 1000, &error);
  BmffBox *tkhd;
  guint next = 0;

  fail_unless_no_error (error);
  fail_unless_equals_int (box->children->len, 2);
  fail_unless_equals_int (g_bytes_get_size (box->payload), 0);
  fail_unless_equals_int (g_bytes_get_size (box->trailer), 3);
  tkhd = bmff_box_find (box, "trak/tkhd");
  fail_unless (tkhd != NULL && tkhd->children == NULL);
  fail_unless_equals_uint64 (tkhd->offset, 1000 + 8 + 12 + 8);
  fail_unless_equals_uint64 (tkhd->parsed_size, 12);
  fail_unless (bmff_box_find (box, "trak/mdia/minf") == NULL);
  fail_unless (bmff_box_child (box, FCC ("trak")) ==
      bmff_box_nth_child (box, FCC ("trak"), 0));
  fail_unless (bmff_box_nth_child (box, FCC ("trak"), 1) == NULL);
  fail_unless (bmff_box_next_child (box, FCC ("trak"), &next) ==
      bmff_box_child (box, FCC ("trak")));
  fail_unless (bmff_box_next_child (box, FCC ("trak"), &next) == NULL);
  fail_unless_equals_int (next, 2);
  fail_unless (bmff_box_next_child (tkhd, FCC ("trak"), &next) == NULL);
  assert_same_bytes (box, bytes);
}

GST_END_TEST;

GST_START_TEST (test_parse_shares_memory)
{
  g_autoptr (GBytes) bytes = BYTES (moov);
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 0, NULL);
  BmffBox *tkhd = bmff_box_find (box, "trak/tkhd");

  fail_unless (g_bytes_get_data (tkhd->payload, NULL) == moov + 36);
}

GST_END_TEST;

/* Bytes behind the box are not its. */
GST_START_TEST (test_parse_more_bytes)
{
  g_autoptr (GBytes) bytes = BYTES ("\0\0\0\x0a"
                                    "freeXYZZZZ");
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 0, NULL);

  fail_unless_equals_int (g_bytes_get_size (box->payload), 2);
}

GST_END_TEST;

GST_START_TEST (test_parse_odd_headers)
{
  static const gchar data[] = "\0\0\0\1moov\0\0\0\0\0\0\0\x4a"
                              "\0\0\0\1uuid\0\0\0\0\0\0\0\x21"
                              "0123456789abcdef!"
                              "\0\0\0\x19uuid0123456789ABCDEF?";
  g_autoptr (GBytes) bytes = BYTES (data);
  GError *error = NULL;
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 0, &error);

  fail_unless_no_error (error);
  fail_unless_equals_int (box->header_size, 16);
  fail_unless_equals_int (box->children->len, 2);
  assert_same_bytes (box, bytes);
}

GST_END_TEST;

/* A box to the end of the file gets a size: other boxes may come behind it. */
GST_START_TEST (test_parse_to_end)
{
  g_autoptr (GBytes) bytes = BYTES ("\0\0\0\0mooX1234");
  g_autoptr (GBytes) sized = BYTES ("\0\0\0\x0cmooX1234");
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 0, NULL);

  fail_unless_equals_uint64 (box->parsed_size, 12);
  assert_same_bytes (box, sized);
}

GST_END_TEST;

GST_START_TEST (test_parse_bad)
{
  static const struct
  {
    const gchar *data;
    gsize size;
    BmffError code;
    const gchar *message;
  } bad[] = {
#define BAD(s, code, message) { s, sizeof (s) - 1, code, message }
    BAD ("", BMFF_ERROR_TRUNCATED, "at 100: 0 bytes are left"),
    BAD ("\0\0\0\x0cmoo", BMFF_ERROR_TRUNCATED, "at 100"),
    BAD ("\0\0\0\x0d"
         "free1234",
        BMFF_ERROR_TRUNCATED, "free at 100"),
    BAD ("\0\0\0\x10moov\0\0\0\x09"
         "free",
        BMFF_ERROR_TRUNCATED, "free at 108"),
    BAD ("\0\0\0\x10moov\0\0\0\x07"
         "free",
        BMFF_ERROR_INVALID, "free at 108"),
    BAD ("\0\0\0\1moov\xff\xff\xff\xff\xff\xff\xff\xff", BMFF_ERROR_TRUNCATED,
        "moov at 100"),
#undef BAD
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (bad[i].data, bad[i].size);
    GError *error = NULL;

    fail_unless (bmff_box_parse (bytes, 100, &error) == NULL);
    fail_unless_error (error, bad[i].code, bad[i].message);
  }
}

GST_END_TEST;

static BmffBox *
nested (guint depth)
{
  BmffBox *box = bmff_box_new_container (FCC ("moov"));

  while (--depth > 0)
    box = test_with (bmff_box_new_container (FCC ("moov")), box);

  return box;
}

GST_START_TEST (test_parse_depth)
{
  GError *error = NULL;
  g_autoptr (BmffBox) good = nested (BMFF_MAX_DEPTH);
  g_autoptr (BmffBox) bad = nested (BMFF_MAX_DEPTH + 1);
  g_autoptr (GBytes) good_bytes = bmff_box_to_bytes (good);
  g_autoptr (GBytes) bad_bytes = bmff_box_to_bytes (bad);
  g_autoptr (BmffBox) parsed = bmff_box_parse (good_bytes, 0, &error);

  fail_unless_no_error (error);
  assert_same_bytes (parsed, good_bytes);
  fail_unless (bmff_box_parse (bad_bytes, 0, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_LIMIT, "moov at 128");
}

GST_END_TEST;

GST_START_TEST (test_parse_many)
{
  GError *error = NULL;
  BmffWriter *w = bmff_writer_new (0);
  g_autoptr (GBytes) bytes = NULL;
  guint i;

  bmff_writer_begin_box (w, FCC ("moov"));
  for (i = 0; i < BMFF_MAX_BOXES; i++) {
    bmff_writer_begin_box (w, FCC ("free"));
    bmff_writer_end_box (w);
  }
  bmff_writer_end_box (w);
  bytes = bmff_writer_end (w);
  fail_unless (bmff_box_parse (bytes, 0, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_LIMIT, "more than 131072 boxes");
}

GST_END_TEST;

GST_START_TEST (test_edit)
{
  g_autoptr (GBytes) bytes = BYTES (moov);
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 0, NULL);
  g_autoptr (BmffBox) copy = bmff_box_copy (box);
  BmffBox *tkhd = bmff_box_find (box, "trak/tkhd");
  guint8 *payload, *again;
  gsize size;

  payload = bmff_box_edit_payload (tkhd, &size);
  fail_unless_equals_int (size, 4);
  payload[0] = 99;
  again = bmff_box_edit_payload (tkhd, NULL);
  fail_unless (again == payload, "copied twice");
  fail_unless_equals_int (moov[36], 5);
  assert_same_bytes (copy, bytes);

  bmff_box_remove (box, bmff_box_child (box, FCC ("trak")));
  bmff_box_insert (box, 0, test_box ("free", 1, 2));
  bmff_box_set_payload (bmff_box_child (box, FCC ("mvhd")),
      g_bytes_new_static ("", 0));
  {
    g_autoptr (GBytes) expected = BYTES ("\0\0\0\x23moov"
                                         "\0\0\0\x10"
                                         "free\0\0\0\1\0\0\0\2"
                                         "\0\0\0\x08mvhd"
                                         "\0\0\0");

    assert_same_bytes (box, expected);
  }
  assert_same_bytes (copy, bytes);
}

GST_END_TEST;

GST_START_TEST (test_new_uuid)
{
  g_autoptr (BmffBox) box =
      bmff_box_new (FCC ("uuid"), g_bytes_new_static ("xyz", 3));
  g_autoptr (GBytes) expected = BYTES ("\0\0\0\x1b"
                                       "uuid0123456789abcdefxyz");

  memcpy (box->uuid, "0123456789abcdef", 16);
  assert_same_bytes (box, expected);
}

GST_END_TEST;

/* A large payload and a large trailer are not copied. */
GST_START_TEST (test_pieces)
{
  static const guint8 large[100000] = { 1, 2, 3 };
  g_autoptr (GBytes) bytes = BYTES ("\0\0\0\1moov\0\0\0\0\0\0"
                                    "\0\x18\0\0\0\x08xree");
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 0, NULL);
  BmffBox *leaf =
      bmff_box_new (FCC ("senc"), g_bytes_new_static (large, sizeof (large)));
  g_autoptr (GBytes) written = NULL;
  g_autoptr (GPtrArray) pieces = NULL;

  leaf->trailer = g_bytes_new_static (large, sizeof (large) / 4 * 3);
  bmff_box_append (box, leaf);
  bmff_box_append (box, bmff_box_new (FCC ("free"), g_bytes_new (NULL, 0)));
  written = bmff_box_to_bytes (box);
  assert_same_bytes (box, written);
  pieces = bmff_box_to_pieces (box);
  fail_unless_equals_int (pieces->len, 4);
  fail_unless (g_ptr_array_index (pieces, 1) == leaf->payload);
  fail_unless (g_ptr_array_index (pieces, 2) == leaf->trailer);
}

GST_END_TEST;

/* A `uuid` box that is turned into another has no extended type any more. */
GST_START_TEST (test_retype)
{
  g_autoptr (GBytes) bytes = BYTES ("\0\0\0\x1a"
                                    "uuid0123456789abcdefXY");
  g_autoptr (GBytes) as_free = BYTES ("\0\0\0\x0a"
                                      "freeXY");
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 0, NULL);

  box->type = FCC ("free");
  assert_same_bytes (box, as_free);
  box->type = FCC ("uuid");
  assert_same_bytes (box, bytes);
}

GST_END_TEST;

GST_START_TEST (test_full_reader)
{
  g_autoptr (BmffBox) box = test_box ("tenc", 0x01000203, 77);
  g_autoptr (BmffBox) small =
      bmff_box_new (FCC ("tenc"), g_bytes_new_static ("abc", 3));
  BmffReader r;
  guint8 version;
  guint32 flags;
  GError *error = NULL;

  fail_unless (bmff_box_get_full_reader (box, &r, &version, &flags, NULL));
  fail_unless_equals_int (version, 1);
  fail_unless_equals_int (flags, 0x203);
  fail_unless_equals_int (bmff_reader_u32 (&r), 77);
  fail_if (bmff_box_get_full_reader (small, &r, NULL, NULL, &error));
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "tenc: it ends");
}

GST_END_TEST;

/* An stsd with one entry of @fields bytes of fields, whose 16-bit word at 8 is
 * @version, a box `esds` behind them, and @extra zeros. */
static BmffBox *
make_stsd (guint8 stsd_version, guint32 count, gsize fields, guint16 version,
    gsize extra)
{
  BmffWriter *w = bmff_writer_new (0);

  bmff_writer_u32 (w, (guint32) stsd_version << 24);
  bmff_writer_u32 (w, count);
  bmff_writer_begin_box (w, FCC ("mp4a"));
  bmff_writer_zeros (w, 8);
  bmff_writer_u16 (w, version);
  bmff_writer_zeros (w, fields - 10);
  bmff_writer_begin_box (w, FCC ("esds"));
  bmff_writer_u32 (w, 5);
  bmff_writer_end_box (w);
  bmff_writer_zeros (w, extra);
  bmff_writer_end_box (w);

  return bmff_box_new (FCC ("stsd"), bmff_writer_end (w));
}

GST_START_TEST (test_stsd)
{
  static const struct
  {
    const gchar *handler;
    guint8 stsd_version;
    guint16 version;
    gsize fields;
  } cases[] = {
    { "soun", 0, 0, 28 },
    { "soun", 0, 1, 44 },
    { "soun", 0, 2, 64 },
    { "soun", 1, 1, 28 },
    { "vide", 0, 1, 78 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    gsize extra = i % 2 == 0 ? 0 : 4;
    g_autoptr (BmffBox) stsd = make_stsd (cases[i].stsd_version, 1,
        cases[i].fields, cases[i].version, extra);
    g_autoptr (GBytes) before = bmff_box_to_bytes (stsd);
    GError *error = NULL;
    BmffBox *entry;

    fail_unless (bmff_box_parse_stsd (stsd, FCC (cases[i].handler), &error));
    fail_unless (bmff_box_parse_stsd (stsd, FCC (cases[i].handler), &error));
    fail_unless_equals_int (stsd->children->len, 1);
    entry = bmff_box_child (stsd, FCC ("mp4a"));
    fail_unless_equals_int (g_bytes_get_size (entry->payload), cases[i].fields);
    fail_unless (bmff_box_child (entry, FCC ("esds")) != NULL);
    fail_unless_equals_int (entry->trailer != NULL, extra != 0);
    assert_same_bytes (stsd, before);
  }
}

GST_END_TEST;

GST_START_TEST (test_stsd_other_handler)
{
  g_autoptr (BmffBox) stsd = make_stsd (0, 1, 28, 0, 0);
  GError *error = NULL;

  fail_unless (bmff_box_parse_stsd (stsd, FCC ("text"), &error));
  fail_unless_equals_int (stsd->children->len, 1);
  fail_unless (bmff_box_child (stsd, FCC ("mp4a"))->children == NULL);
}

GST_END_TEST;

GST_START_TEST (test_stsd_bad)
{
  g_autoptr (BmffBox) few = make_stsd (0, 2, 28, 0, 0);
  g_autoptr (BmffBox) many = make_stsd (0, G_MAXUINT32, 28, 0, 0);
  g_autoptr (BmffBox) small = make_stsd (0, 1, 10, 0, 0);
  g_autoptr (BmffBox) entry_child = make_stsd (0, 1, 28, 1, 10);
  g_autoptr (GBytes) before = bmff_box_to_bytes (few);
  GError *error = NULL;

  fail_if (bmff_box_parse_stsd (few, FCC ("soun"), &error));
  fail_unless_error (error, BMFF_ERROR_INVALID,
      "2 sample entries are declared");
  assert_same_bytes (few, before);
  fail_unless (few->children == NULL);
  fail_if (bmff_box_parse_stsd (many, FCC ("soun"), &error));
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "no room");
  fail_if (bmff_box_parse_stsd (small, FCC ("soun"), &error));
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "has 28 bytes of fields");
  /* Version 1 by QuickTime's rules, but the child stands at 28. */
  fail_if (bmff_box_parse_stsd (entry_child, FCC ("vide"), &error));
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "78 bytes of fields");
  fail_unless (entry_child->children == NULL);
}

GST_END_TEST;

static Suite *
isobmff_box_suite (void)
{
  Suite *s = suite_create ("isobmff-box");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_header);
  tcase_add_test (tc, test_parse_tree);
  tcase_add_test (tc, test_parse_shares_memory);
  tcase_add_test (tc, test_parse_more_bytes);
  tcase_add_test (tc, test_parse_odd_headers);
  tcase_add_test (tc, test_parse_to_end);
  tcase_add_test (tc, test_parse_bad);
  tcase_add_test (tc, test_parse_depth);
  tcase_add_test (tc, test_parse_many);
  tcase_add_test (tc, test_edit);
  tcase_add_test (tc, test_new_uuid);
  tcase_add_test (tc, test_pieces);
  tcase_add_test (tc, test_retype);
  tcase_add_test (tc, test_full_reader);
  tcase_add_test (tc, test_stsd);
  tcase_add_test (tc, test_stsd_other_handler);
  tcase_add_test (tc, test_stsd_bad);

  return s;
}

GST_CHECK_MAIN (isobmff_box);
