/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-index.h"

/* What is behind *@user_data moves by 1000. */
static guint64
move_behind (guint64 offset, gpointer user_data)
{
  return offset >= *(guint64 *) user_data ? offset + 1000 : offset;
}

static guint64
move_up (guint64 offset, gpointer user_data)
{
  return offset + *(guint64 *) user_data;
}

static guint64
move_down (guint64 offset, gpointer user_data)
{
  return offset - *(guint64 *) user_data;
}

static guint32
word (const BmffBox *box, guint n)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (box->payload, &size);

  fail_unless (4 * n + 4 <= size);

  return bmff_get_u32 (data + 4 * n);
}

static const gchar dref[] = "\0\0\0\0\0\0\0\2"
                            "\0\0\0\x0curl \0\0\0\1"
                            "\0\0\0\x10url \0\0\0\0a.b";

static BmffMovie *
make_movie (BmffBox *chunks, BmffBox *stsc, gboolean with_dref)
{
  BmffBox *stbl = bmff_box_new_container (FCC ("stbl"));
  BmffBox *dinf = bmff_box_new_container (FCC ("dinf"));
  BmffBox *trak;
  GError *error = NULL;
  BmffMovie *movie;

  test_with (stbl, chunks);
  if (stsc != NULL)
    test_with (stbl, stsc);
  trak = test_trak (1, "vide", stbl);
  test_with (dinf,
      bmff_box_new (FCC ("dref"), g_bytes_new_static (dref, sizeof (dref))));
  if (with_dref)
    test_with (bmff_box_find (trak, "mdia/minf"), dinf);
  else
    bmff_box_free (dinf);
  movie = bmff_movie_new (test_reparse_at (test_with (test_moov (), trak), 0),
      &error);
  fail_unless_no_error (error);

  return movie;
}

static BmffBox *
chunk_box (const BmffMovie *movie, const gchar *type)
{
  BmffTrack *track = g_ptr_array_index (movie->tracks, 0);

  return bmff_box_child (track->stbl, FCC (type));
}

GST_START_TEST (test_chunks)
{
  g_autoptr (BmffMovie) movie = make_movie (test_box ("stco", 0, 3, 10, 20, 30),
      test_box ("stsc", 0, 0), FALSE);
  guint64 from = 20;
  gboolean grown = TRUE;
  GError *error = NULL;

  fail_unless (
      bmff_movie_move_chunks (movie, move_behind, &from, &grown, &error));
  fail_if (grown);
  fail_unless_equals_int (word (chunk_box (movie, "stco"), 2), 10);
  fail_unless_equals_int (word (chunk_box (movie, "stco"), 3), 1020);
  fail_unless_equals_int (word (chunk_box (movie, "stco"), 4), 1030);
}

GST_END_TEST;

/* Nothing moves in the call in which stco grows, so that all move once. */
GST_START_TEST (test_chunks_grow)
{
  g_autoptr (BmffMovie) movie =
      make_movie (test_box ("stco", 0, 2, 10, 0x80000000u), NULL, FALSE);
  guint64 by = 0x80000000u;
  guint64 size = bmff_box_get_size (movie->moov);
  gboolean grown;
  GError *error = NULL;
  BmffBox *co64;

  fail_unless (bmff_movie_move_chunks (movie, move_up, &by, &grown, &error));
  fail_unless (grown);
  fail_unless_equals_uint64 (bmff_box_get_size (movie->moov), size + 8);
  fail_unless (bmff_movie_move_chunks (movie, move_up, &by, &grown, &error));
  fail_if (grown);
  co64 = chunk_box (movie, "co64");
  fail_unless (co64 != NULL && chunk_box (movie, "stco") == NULL);
  fail_unless_equals_int (word (co64, 1), 2);
  fail_unless_equals_int (word (co64, 2), 0);
  fail_unless_equals_int (word (co64, 3), 0x8000000a);
  fail_unless_equals_int (word (co64, 4), 1);
  fail_unless_equals_int (word (co64, 5), 0);
}

GST_END_TEST;

/* Chunks of the second sample entry are in another file. */
GST_START_TEST (test_chunks_elsewhere)
{
  g_autoptr (BmffMovie) movie =
      make_movie (test_box ("co64", 0, 4, 0, 10, 0, 20, 0, 30, 0, 40),
          test_box ("stsc", 0, 3, 1, 1, 1, 2, 1, 2, 4, 1, 1), TRUE);
  g_autoptr (BmffMovie) stco =
      make_movie (test_box ("stco", 0, 2, 0xf0000000u, 20),
          test_box ("stsc", 0, 2, 1, 1, 2, 2, 1, 1), TRUE);
  guint64 by = 100;
  gboolean grown;
  BmffBox *box;

  fail_unless (bmff_movie_move_chunks (movie, move_up, &by, &grown, NULL));
  box = chunk_box (movie, "co64");
  fail_unless_equals_int (word (box, 3), 110);
  fail_unless_equals_int (word (box, 5), 20);
  fail_unless_equals_int (word (box, 7), 30);
  fail_unless_equals_int (word (box, 9), 140);
  /* The one that would pass 32 bits stays where it is. */
  by = 0x20000000;
  fail_unless (bmff_movie_move_chunks (stco, move_up, &by, &grown, NULL));
  fail_if (grown);
  fail_unless_equals_int (word (chunk_box (stco, "stco"), 2), 0xf0000000u);
  fail_unless_equals_int (word (chunk_box (stco, "stco"), 3), 0x20000014);
}

GST_END_TEST;

GST_START_TEST (test_chunks_bad)
{
  g_autoptr (BmffMovie) movie =
      make_movie (test_box ("stco", 0, 3, 10, 20), NULL, FALSE);
  guint64 by = 1;
  GError *error = NULL;

  fail_if (bmff_movie_move_chunks (movie, move_up, &by, NULL, &error));
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "stco at");
}

GST_END_TEST;

/* Found by fuzzing: the second stco took the place of the first one when that had
 * become co64. */
GST_START_TEST (test_chunks_twice)
{
  g_autoptr (BmffMovie) movie =
      make_movie (test_box ("stco", 0, 1, 0x80000000u), NULL, FALSE);
  BmffTrack *track = g_ptr_array_index (movie->tracks, 0);
  guint64 by = 0x80000000u;
  gboolean grown;
  GError *error = NULL;

  test_with (track->stbl, test_box ("stco", 0, 1, 0x90000000u));
  fail_if (bmff_movie_move_chunks (movie, move_up, &by, &grown, &error));
  fail_unless_error (error, BMFF_ERROR_INVALID, "a second box with");
  fail_unless (bmff_sample_table_new_from_stbl (track->stbl, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_INVALID, "stco: a second box with");
}

GST_END_TEST;

/* A meta with dinf and an iloc of @n bytes; QuickTime's has no version. */
static BmffBox *
make_meta (const gchar *iloc, gsize n, gboolean quicktime)
{
  BmffWriter *w = bmff_writer_new (0);

  if (!quicktime)
    bmff_writer_u32 (w, 0);
  bmff_writer_begin_full_box (w, FCC ("hdlr"), 0, 0);
  bmff_writer_zeros (w, 20);
  bmff_writer_end_box (w);
  bmff_writer_begin_box (w, FCC ("dinf"));
  bmff_writer_begin_box (w, FCC ("dref"));
  bmff_writer_bytes (w, (const guint8 *) dref, sizeof (dref));
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
  bmff_writer_begin_box (w, FCC ("iloc"));
  bmff_writer_bytes (w, (const guint8 *) iloc, n);
  bmff_writer_end_box (w);

  return bmff_box_new (FCC ("meta"), bmff_writer_end (w));
}

static void
assert_iloc (BmffBox *meta, const gchar *iloc, gsize n)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (meta->payload, &size);

  fail_unless (memcmp (data + size - n, iloc, n) == 0);
}

#define META(s) make_meta ((s), sizeof (s) - 1, FALSE)
#define ASSERT_ILOC(meta, s) assert_iloc (meta, s, sizeof (s) - 1)

GST_START_TEST (test_iloc_version_0)
{
  static const gchar before[] =
      "\0\0\0\0\x44\0\0\2"
      "\0\1\0\0\0\1\0\0\x10\0\0\0\0\x20"
      "\0\2\0\0\0\2\0\0\0\x10\0\0\0\5\0\0\x20\0\0\0\0\5";
  static const gchar after[] =
      "\0\0\0\0\x44\0\0\2"
      "\0\1\0\0\0\1\0\0\x13\xe8\0\0\0\x20"
      "\0\2\0\0\0\2\0\0\0\x10\0\0\0\5\0\0\x23\xe8\0\0\0\5";
  guint64 from = 100;
  GError *error = NULL;
  guint i;

  for (i = 0; i < 2; i++) {
    g_autoptr (BmffBox) meta = make_meta (before, sizeof (before) - 1, i == 1);

    fail_unless (bmff_meta_move_items (meta, move_behind, &from, &error));
    ASSERT_ILOC (meta, after);
  }
}

GST_END_TEST;

static gboolean
append_range (guint64 start, guint64 end, gpointer user_data)
{
  g_string_append_printf (user_data,
      "%" G_GUINT64_FORMAT "-%" G_GINT64_FORMAT " ", start, (gint64) end);
  return start < 0x1000;
}

/* Base, offset, size; without a size up to the end. Data that is elsewhere (method
 * 1) is asked of nobody. */
GST_START_TEST (test_iloc_ranges)
{
  static const gchar iloc[] = "\1\0\0\0\x44\x40\0\3"
                              "\0\1\0\0\0\0\0\0\0\x80\0\2"
                              "\0\0\0\x10\0\0\0\5\0\0\0\x20\0\0\0\0"
                              "\0\2\0\1\0\0\0\0\0\x20\0\1"
                              "\0\0\0\x10\0\0\0\5"
                              "\0\3\0\0\0\0\0\0\x10\0\0\1"
                              "\0\0\0\1\0\0\0\1";
  g_autoptr (BmffBox) meta = META (iloc);
  g_autoptr (GString) ranges = g_string_new (NULL);
  GError *error = NULL;

  fail_if (bmff_meta_check_items (meta, append_range, ranges, &error));
  fail_unless_equals_string (ranges->str, "144-149 160--1 4097-4098 ");
  fail_unless (g_error_matches (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED));
  fail_unless (strstr (error->message, "item 3: "));
  g_clear_error (&error);
  ASSERT_ILOC (meta, iloc);
}

GST_END_TEST;

/* With bases: by the base if all extents move alike, else by the extents. */
GST_START_TEST (test_iloc_bases)
{
  static const gchar before[] = "\1\0\0\0\x44\x40\0\2"
                                "\0\1\0\0\0\0\0\0\0\x80\0\2"
                                "\0\0\0\x10\0\0\0\5\0\0\0\x20\0\0\0\5"
                                "\0\2\0\0\0\0\0\0\0\x20\0\2"
                                "\0\0\0\x10\0\0\0\5\0\0\0\x80\0\0\0\5";
  static const gchar after[] = "\1\0\0\0\x44\x40\0\2"
                               "\0\1\0\0\0\0\0\0\4\x68\0\2"
                               "\0\0\0\x10\0\0\0\5\0\0\0\x20\0\0\0\5"
                               "\0\2\0\0\0\0\0\0\0\x20\0\2"
                               "\0\0\0\x10\0\0\0\5\0\0\4\x68\0\0\0\5";
  g_autoptr (BmffBox) meta = META (before);
  guint64 from = 100;
  GError *error = NULL;

  fail_unless (bmff_meta_move_items (meta, move_behind, &from, &error));
  ASSERT_ILOC (meta, after);
}

GST_END_TEST;

/* Version 2: 32-bit ids, idat items, items elsewhere, an index, 8-byte fields. */
GST_START_TEST (test_iloc_version_2)
{
  static const gchar before[] = "\2\0\0\0\x80\x04\0\0\0\4"
                                "\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\1\0"
                                "\0\2\0\0\0\0\0\1\0\1\0\0\0\1\0\0\0\0\0\0\1\0"
                                "\0\3\0\0\0\0\0\2\0\1\0\0\0\1\0\0\0\0\0\0\1\0"
                                "\0\4\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0\0\0\1\0";
  static const gchar after[] = "\2\0\0\0\x80\x04\0\0\0\4"
                               "\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\1\0"
                               "\0\2\0\0\0\0\0\1\0\1\0\0\0\1\0\0\0\0\0\0\4\xe8"
                               "\0\3\0\0\0\0\0\2\0\1\0\0\0\1\0\0\0\0\0\0\1\0"
                               "\0\4\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0\0\0\4\xe8";
  g_autoptr (BmffBox) meta = META (before);
  guint64 from = 100;
  GError *error = NULL;

  fail_unless (bmff_meta_move_items (meta, move_behind, &from, &error));
  ASSERT_ILOC (meta, after);
}

GST_END_TEST;

static void
assert_bad_iloc (BmffBox *meta, BmffError code, const gchar *message)
{
  guint64 by = 250;
  GError *error = NULL;

  fail_if (bmff_meta_move_items (meta, move_up, &by, &error));
  fail_unless_error (error, code, message);
  bmff_box_free (meta);
}

GST_START_TEST (test_iloc_bad)
{
  static const gchar low_base[] = "\0\0\0\0\x10\x10\0\1\0\7\0\0\x60\0\1\x10";
  g_autoptr (BmffBox) meta = META (low_base);
  GError *error = NULL;
  guint64 by = 0x61;

  assert_bad_iloc (META ("\0\0\0"), BMFF_ERROR_TRUNCATED, "iloc");
  assert_bad_iloc (META ("\3\0\0\0\0\0\0\0"), BMFF_ERROR_INVALID, "version 3");
  assert_bad_iloc (META ("\0\0\0\0\x90\0\0\0"), BMFF_ERROR_INVALID,
      "fields of 9");
  assert_bad_iloc (META ("\0\0\0\0\x44\0\0\1\0\1\0\0\0\2\0\0\0\1\0\0\0\1"),
      BMFF_ERROR_TRUNCATED, "iloc, item 1");
  assert_bad_iloc (META ("\0\0\0\0\x10\0\0\1\0\7\0\0\0\1\6"),
      BMFF_ERROR_UNSUPPORTED, "iloc, item 7: the new offset does not fit");
  /* No field at all, so that it starts with the file. */
  assert_bad_iloc (META ("\0\0\0\0\0\0\0\1\0\7\0\0\0\1"),
      BMFF_ERROR_UNSUPPORTED, "iloc, item 7");
  assert_bad_iloc (META ("\0\0\0\0\0\0\0\1\0\7\0\0\xff\xff"),
      BMFF_ERROR_INVALID, "several extents without fields");
  /* Down by more than the base has. */
  fail_if (bmff_meta_move_items (meta, move_down, &by, &error));
  fail_unless_error (error, BMFF_ERROR_UNSUPPORTED, "does not fit");
}

GST_END_TEST;

GST_START_TEST (test_meta_without_iloc)
{
  static const gchar data[] = "\0\0\0\0\0\0\0\x09"
                              "hdlr";
  guint64 by = 1;
  gsize size;

  for (size = 0; size < sizeof (data); size++) {
    g_autoptr (BmffBox) meta =
        bmff_box_new (FCC ("meta"), g_bytes_new_static (data, size));

    fail_unless (bmff_meta_move_items (meta, move_up, &by, NULL));
  }
}

GST_END_TEST;

/* Two tables, the second with numbers of 1, 2 and 4 bytes. */
static BmffBox *
make_mfra (void)
{
  static const gchar second[] = "\0\0\0\7\0\0\0\2\0\0\0\x07\0\0\0\1"
                                "\0\0\0\5\0\0\0\x20\1\2\2\3\3\3\3!";
  BmffBox *mfra = bmff_box_new_container (FCC ("mfra"));

  test_with (mfra,
      test_box ("tfra", 0x01000000, 1, 0x3f, 1, 0, 9, 0, 40, 1, 1, 1));
  test_with (mfra,
      bmff_box_new (FCC ("tfra"),
          g_bytes_new_static (second, sizeof (second) - 1)));

  return test_with (mfra, test_box ("mfro", 0, 4711));
}

GST_START_TEST (test_mfra)
{
  static const gchar expected[] = "\0\0\0\7\0\0\0\2\0\0\0\x07\0\0\0\1"
                                  "\0\0\0\5\0\0\0\x84\1\2\2\3\3\3\3!";
  g_autoptr (BmffBox) mfra = test_reparse_at (make_mfra (), 77);
  guint64 size = bmff_box_get_size (mfra), by = 100;
  BmffBox *tfra = bmff_box_nth_child (mfra, FCC ("tfra"), 1);
  GError *error = NULL;

  fail_unless (bmff_mfra_move (mfra, move_up, &by, &error));
  fail_unless_equals_uint64 (bmff_box_get_size (mfra), size);
  fail_unless_equals_int (word (bmff_box_child (mfra, FCC ("tfra")), 7), 140);
  fail_unless (memcmp (g_bytes_get_data (tfra->payload, NULL), expected,
                   sizeof (expected) - 1) == 0);
  fail_unless_equals_int (word (bmff_box_child (mfra, FCC ("mfro")), 1), size);
}

GST_END_TEST;

GST_START_TEST (test_mfra_grows)
{
  static const gchar expected[] =
      "\1\0\0\7\0\0\0\2\0\0\0\x07\0\0\0\1"
      "\0\0\0\0\0\0\0\5\0\0\0\1\0\0\0\x1f\1\2\2\3\3\3\3!";
  g_autoptr (BmffBox) mfra = make_mfra ();
  guint64 size = bmff_box_get_size (mfra), by = G_MAXUINT32;
  BmffBox *tfra = bmff_box_nth_child (mfra, FCC ("tfra"), 1);
  GError *error = NULL;

  fail_unless (bmff_mfra_move (mfra, move_up, &by, &error));
  fail_unless_equals_uint64 (bmff_box_get_size (mfra), size + 8);
  fail_unless_equals_int (word (bmff_box_child (mfra, FCC ("mfro")), 1),
      size + 8);
  fail_unless (memcmp (g_bytes_get_data (tfra->payload, NULL), expected,
                   sizeof (expected) - 1) == 0);
}

GST_END_TEST;

GST_START_TEST (test_mfra_more)
{
  static const gchar expected[] = "\0\0\0\7\0\0\0\2\0\0\0\x07\0\0\0\2"
                                  "\0\0\0\3\0\0\0\x10\2\1\0"
                                  "\0\0\0\5"
                                  "\0\0\0\5\0\0\0\x20\1\2\2\3\3\3\3!";
  BmffSyncPoint all[] = { { 1, 7, 30, 2, 1, 300 }, { 2, 3, 16, 2, 0x100, 5 },
    { 9, 3, 16, 1, 1, 5 } };
  g_autoptr (GArray) points = g_array_new (FALSE, FALSE, sizeof (*all));
  g_autoptr (BmffBox) mfra = test_reparse_at (make_mfra (), 77);
  guint64 size = bmff_box_get_size (mfra);
  BmffBox *one = bmff_box_child (mfra, FCC ("tfra"));
  BmffBox *other = bmff_box_nth_child (mfra, FCC ("tfra"), 1);
  GError *error = NULL;

  g_array_append_vals (points, all, G_N_ELEMENTS (all));
  fail_unless (bmff_mfra_add (mfra, points, &error));
  size += 28 + 15;
  fail_unless_equals_uint64 (bmff_box_get_size (mfra), size);
  fail_unless_equals_int (word (bmff_box_child (mfra, FCC ("mfro")), 1), size);
  fail_unless_equals_int (word (one, 3), 2);
  fail_unless_equals_int (word (one, 5), 7);
  fail_unless_equals_int (word (one, 7), 30);
  fail_unless_equals_int (word (one, 8), 2);
  fail_unless_equals_int (word (one, 10), 300);
  fail_unless_equals_int (word (one, 14), 40);
  fail_unless (memcmp (g_bytes_get_data (other->payload, NULL), expected,
                   sizeof (expected) - 1) == 0);
  /* A number that has no room, and a time of more than 32 bits. */
  g_array_index (points, BmffSyncPoint, 1).traf = 256;
  g_array_set_size (points, 2);
  g_array_remove_index (points, 0);
  fail_unless (bmff_mfra_add (mfra, points, &error));
  g_array_index (points, BmffSyncPoint, 0).traf = 1;
  g_array_index (points, BmffSyncPoint, 0).time = G_GUINT64_CONSTANT (1) << 32;
  fail_unless (bmff_mfra_add (mfra, points, &error));
  fail_unless_equals_uint64 (bmff_box_get_size (mfra), size);
}

GST_END_TEST;

GST_START_TEST (test_mfra_bad)
{
  g_autoptr (BmffBox) mfra = bmff_box_new_container (FCC ("mfra"));
  guint64 by = 1;
  GError *error = NULL;

  test_with (mfra, test_box ("tfra", 0, 1, 0, 0x20000000, 1, 2));
  fail_if (bmff_mfra_move (mfra, move_up, &by, &error));
  fail_unless_error (error, BMFF_ERROR_TRUNCATED, "tfra");
}

GST_END_TEST;

static BmffBox *
make_saio (guint8 version, gboolean typed, guint64 offset)
{
  BmffWriter *writer = bmff_writer_new (32);

  bmff_writer_u32 (writer, (guint32) version << 24 | (typed ? 1 : 0));
  if (typed)
    bmff_writer_u64 (writer, 0);
  bmff_writer_u32 (writer, 2);
  if (version == 0) {
    bmff_writer_u32 (writer, 10);
    bmff_writer_u32 (writer, (guint32) offset);
  } else {
    bmff_writer_u64 (writer, 10);
    bmff_writer_u64 (writer, offset);
  }

  return bmff_box_new (FCC ("saio"), bmff_writer_end (writer));
}

/* Of both versions, with a type and without. */
GST_START_TEST (test_saio)
{
  guint8 version = __i__ / 2;
  gboolean typed = __i__ % 2;
  g_autoptr (BmffBox) saio = make_saio (version, typed, 30);
  guint64 from = 20;
  guint at = typed ? 4 : 2;

  fail_unless (bmff_saio_move (saio, move_behind, &from, NULL));
  fail_unless_equals_int (word (saio, at + (version ? 1 : 0)), 10);
  fail_unless_equals_int (word (saio, at + (version ? 3 : 1)), 1030);
}

GST_END_TEST;

static guint64
move_nowhere (guint64 offset, gpointer user_data)
{
  return G_MAXUINT64;
}

GST_START_TEST (test_saio_refused)
{
  g_autoptr (BmffBox) large = make_saio (0, FALSE, 0xffffffff);
  g_autoptr (BmffBox) gone = make_saio (1, FALSE, 0);
  g_autoptr (BmffBox) cut = test_box ("saio", 0, 2, 10);
  guint64 by = 1;
  GError *error = NULL;

  fail_if (bmff_saio_move (large, move_up, &by, &error));
  fail_unless (g_error_matches (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED));
  g_clear_error (&error);
  fail_if (bmff_saio_move (gone, move_nowhere, NULL, &error));
  fail_unless (g_error_matches (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED));
  g_clear_error (&error);
  fail_if (bmff_saio_move (cut, move_up, &by, &error));
  fail_unless (g_error_matches (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED));
  g_clear_error (&error);
}

GST_END_TEST;

static Suite *
isobmff_offsets_suite (void)
{
  Suite *s = suite_create ("isobmff-offsets");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_chunks);
  tcase_add_test (tc, test_chunks_grow);
  tcase_add_test (tc, test_chunks_elsewhere);
  tcase_add_test (tc, test_chunks_bad);
  tcase_add_test (tc, test_chunks_twice);
  tcase_add_test (tc, test_iloc_version_0);
  tcase_add_test (tc, test_iloc_ranges);
  tcase_add_test (tc, test_iloc_bases);
  tcase_add_test (tc, test_iloc_version_2);
  tcase_add_test (tc, test_iloc_bad);
  tcase_add_test (tc, test_meta_without_iloc);
  tcase_add_test (tc, test_mfra);
  tcase_add_test (tc, test_mfra_grows);
  tcase_add_test (tc, test_mfra_more);
  tcase_add_test (tc, test_mfra_bad);
  tcase_add_loop_test (tc, test_saio, 0, 4);
  tcase_add_test (tc, test_saio_refused);

  return s;
}

GST_CHECK_MAIN (isobmff_offsets);
