/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in a file beside what cencencrypt writes: auxiliary information of
 * other kinds and other people's, items, boxes that tell sizes. */

#include "cencencrypt-period-util.h"

#include <glib/gstdio.h>
#include <string.h>
#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-source.h"

#define ENCRYPT "key-id=" JUDGE_KID " key=" JUDGE_KEY " "

/* Moov last, moov first, fragments. */
static GBytes *files[3];

/* Where the first box of a type stands; G_MAXUINT64: nowhere. */
static guint64
find (GBytes *file, const gchar *type, BmffHeader *header)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  guint64 offset = 0;

  for (; bmff_source_read_header (source, offset, header, NULL);
       offset += header->size) {
    if (header->type == FOURCC (type))
      return offset;
  }
  return G_MAXUINT64;
}

/* The first box of a type, parsed. */
static BmffBox *
read_box (GBytes *file, const gchar *type)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  BmffHeader header;

  return bmff_source_read_box (source, find (file, type, &header), NULL);
}

/* @file with a box's bytes, or nothing, in place of @size at @at. */
static GBytes *
replaced (GBytes *file, guint64 at, guint64 size, const BmffBox *box)
{
  g_autoptr (GBytes) bytes =
      box ? bmff_box_to_bytes (box) : g_bytes_new (NULL, 0);
  GByteArray *out = g_byte_array_new ();
  const guint8 *data = g_bytes_get_data (file, NULL);

  g_byte_array_append (out, data, (guint) at);
  g_byte_array_append (out, g_bytes_get_data (bytes, NULL),
      (guint) g_bytes_get_size (bytes));
  g_byte_array_append (out, data + at + size,
      (guint) (g_bytes_get_size (file) - at - size));
  return g_byte_array_free_to_bytes (out);
}

static guint64
move_down (guint64 offset, gpointer user_data)
{
  return offset - *(guint64 *) user_data;
}

/* The same file with its moov behind its mdat. */
static GBytes *
moov_last (GBytes *file)
{
  BmffHeader header, mdat;
  guint64 at = find (file, "moov", &header);
  guint64 data = find (file, "mdat", &mdat);
  g_autoptr (BmffMovie) movie = bmff_movie_new (read_box (file, "moov"), NULL);
  g_autoptr (GBytes) without = NULL;
  gboolean grown;

  fail_unless (at < data);
  fail_unless (
      bmff_movie_move_chunks (movie, move_down, &header.size, &grown, NULL));
  without = replaced (file, at, header.size, NULL);
  return replaced (without, data + mdat.size - header.size, 0, movie->moov);
}

static void
setup (void)
{
  period_setup ();
  if (!period_clear)
    return;
  files[1] = judge_run_apart (
      "videotestsrc num-buffers=5 ! video/x-raw,width=160,height=120 ! x264enc "
      "speed-preset=ultrafast ! h264parse ! mp4mux name=m faststart=true ! "
      "appsink name=out audiotestsrc num-buffers=5 ! avenc_aac ! aacparse ! "
      "m.");
  files[0] = moov_last (files[1]);
  files[2] = g_bytes_ref (period_clear);
}

static void
teardown (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (files); i++)
    g_clear_pointer (&files[i], g_bytes_unref);
  period_teardown ();
}

/* Of version 0: an aux_info_type, if there is one, then words. */
static BmffBox *
make_box (const gchar *type, const gchar *aux, guint32 one, guint32 two)
{
  BmffWriter *writer = bmff_writer_new (24);

  bmff_writer_u32 (writer, aux ? 1 : 0);
  if (aux) {
    bmff_writer_u32 (writer, FOURCC (aux));
    bmff_writer_u32 (writer, 0);
  }
  bmff_writer_u32 (writer, one);
  bmff_writer_u32 (writer, two);
  return bmff_box_new (FOURCC (type), bmff_writer_end (writer));
}

static guint64
move_up (guint64 offset, gpointer user_data)
{
  return offset + *(guint64 *) user_data;
}

static BmffTrack *
get_track (BmffMovie *movie, const gchar *handler)
{
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    BmffTrack *track = g_ptr_array_index (movie->tracks, i);

    if (track->handler == FOURCC (handler))
      return track;
  }
  return NULL;
}

static guint64
first_chunk (const BmffTrack *track)
{
  g_autoptr (BmffSampleTable) table =
      bmff_sample_table_new_from_stbl (track->stbl, NULL);
  BmffSample sample;

  fail_unless (table && bmff_sample_table_get (table, 0, &sample));
  return sample.offset;
}

/* A saio of another kind that leads to the first sample, and where that is. */
static GBytes *
with_saio_in_moov (GBytes *file, const gchar *handler)
{
  g_autoptr (BmffMovie) movie = bmff_movie_new (read_box (file, "moov"), NULL);
  BmffTrack *track = get_track (movie, handler);
  BmffBox *saio = make_box ("saio", "abcd", 1, 0);
  BmffHeader header, mdat;
  guint64 at = find (file, "moov", &header), delta = 0;
  gboolean grown;

  bmff_box_append (track->stbl, saio);
  if (at < find (file, "mdat", &mdat))
    delta = bmff_box_get_size (movie->moov) - header.size;
  fail_unless (bmff_movie_move_chunks (movie, move_up, &delta, &grown, NULL));
  bmff_put_u32 (bmff_box_edit_payload (saio, NULL) + 16,
      (guint32) first_chunk (track));
  return replaced (file, at, header.size, movie->moov);
}

static GBytes *
with_saio_in_moof (GBytes *file)
{
  g_autoptr (BmffMovie) movie = bmff_movie_new (read_box (file, "moov"), NULL);
  g_autoptr (BmffFragment) fragment =
      bmff_fragment_new (read_box (file, "moof"), movie, NULL);
  BmffTraf *traf = g_ptr_array_index (fragment->trafs, 0);
  BmffBox *saio = make_box ("saio", "abcd", 1, 0);
  BmffHeader header;
  guint64 at = find (file, "moof", &header), delta;
  guint i;

  bmff_box_append (traf->box, saio);
  delta = bmff_box_get_size (fragment->moof) - header.size;
  for (i = 0; i < fragment->trafs->len; i++) {
    BmffTraf *other = g_ptr_array_index (fragment->trafs, i);
    BmffRun *run = &g_array_index (other->runs, BmffRun, 0);

    fail_unless (
        bmff_run_set_offset (other, run, at, run->offset + delta, NULL));
  }
  bmff_put_u32 (bmff_box_edit_payload (saio, NULL) + 16,
      (guint32) (g_array_index (traf->runs, BmffRun, 0).offset + delta - at));
  return replaced (file, at, header.size, fragment->moof);
}

/* Of the last one: ours stands in front, where qtdemux looks. */
static guint32
get_saio (const BmffBox *parent)
{
  const BmffBox *saio = NULL, *next;
  guint i;

  for (i = 0; (next = bmff_box_nth_child (parent, FOURCC ("saio"), i)); i++)
    saio = next;
  return bmff_get_u32 ((guint8 *) g_bytes_get_data (saio->payload, NULL) + 16);
}

/* Fails the test unless the saio of another kind leads to the first sample. */
static void
check_saio (GBytes *file, const gchar *handler)
{
  g_autoptr (BmffMovie) movie = bmff_movie_new (read_box (file, "moov"), NULL);
  g_autoptr (BmffFragment) fragment = NULL;
  const BmffTrack *track = get_track (movie, handler);
  const BmffTraf *traf;

  if (!movie->fragmented) {
    fail_unless_equals_uint64 (get_saio (track->stbl), first_chunk (track));
    return;
  }
  fragment = bmff_fragment_new (read_box (file, "moof"), movie, NULL);
  traf = g_ptr_array_index (fragment->trafs, 0);
  fail_unless_equals_uint64 (get_saio (traf->box),
      g_array_index (traf->runs, BmffRun, 0).offset - fragment->offset);
}

/* Of tracks that are encrypted and that are not. */
GST_START_TEST (test_saio_of_other_kind)
{
  static const gchar *settings[] = { ENCRYPT "tracks=video",
    ENCRYPT "tracks=audio" };
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!period_clear)
    return;
  clear = __i__ / 2 == 2 ? with_saio_in_moof (files[2])
                         : with_saio_in_moov (files[__i__ / 2], "vide");
  check_saio (clear, "vide");
  out = period_encrypt (settings[__i__ % 2], clear, NULL);
  fail_unless (out);
  check_saio (out, "vide");
}
GST_END_TEST

/* Information of Common Encryption beside a clear sample entry: what we write would
 * contradict it. It is named, and where it stands. */
static const struct
{
  const gchar *parent, *type, *aux;
  guint32 first;
} protected_boxes[] = {
  { "trak", "senc", NULL, 0 },
  { "stbl", "senc", NULL, 0 },
  { "stbl", "saiz", NULL, 8 },
  { "stbl", "saio", NULL, 0 },
  { "stbl", "saiz", "cenc", 8 },
  { "stbl", "saio", "cbcs", 0 },
  { "stbl", "sgpd", NULL, FOURCC ("seig") },
  { "stbl", "sbgp", NULL, FOURCC ("seig") },
  { "traf", "senc", NULL, 0 },
  { "traf", "saiz", NULL, 8 },
  { "traf", "sgpd", NULL, FOURCC ("seig") },
};

static GBytes *
with_box (guint n)
{
  gboolean in_traf = strcmp (protected_boxes[n].parent, "traf") == 0;
  GBytes *file = files[in_traf ? 2 : 0];
  const gchar *top = in_traf ? "moof" : "moov";
  g_autoptr (BmffBox) box = read_box (file, top);
  BmffBox *parent = bmff_box_find (box, in_traf ? "traf" : "trak");
  BmffHeader header;
  guint64 at = find (file, top, &header);

  if (strcmp (protected_boxes[n].parent, "stbl") == 0)
    parent = bmff_box_find (parent, "mdia/minf/stbl");
  bmff_box_append (parent,
      make_box (protected_boxes[n].type, protected_boxes[n].aux,
          protected_boxes[n].first, 0));
  return replaced (file, at, header.size, box);
}

GST_START_TEST (test_protected_beside_clear_entry)
{
  g_autoptr (GBytes) file = NULL;
  g_autofree gchar *text =
      g_strdup_printf ("'%s' at offset ", protected_boxes[__i__].type);

  if (!period_clear)
    return;
  file = with_box (__i__);
  period_check_fails (ENCRYPT, file, GST_STREAM_ERROR,
      GST_STREAM_ERROR_WRONG_TYPE, text);
}
GST_END_TEST

/* A meta with one item of four bytes at @offset of the file. */
static BmffBox *
make_meta (guint32 offset)
{
  BmffWriter *writer = bmff_writer_new (64);

  bmff_writer_u32 (writer, 0);
  bmff_writer_begin_full_box (writer, FOURCC ("iloc"), 0, 0);
  bmff_writer_u16 (writer, 0x4400);
  bmff_writer_u16 (writer, 1); /* items */
  bmff_writer_u16 (writer, 1);
  bmff_writer_u16 (writer, 0);
  bmff_writer_u16 (writer, 1); /* extents */
  bmff_writer_u32 (writer, offset);
  bmff_writer_u32 (writer, 4);
  bmff_writer_end_box (writer);
  return bmff_box_new (FOURCC ("meta"), bmff_writer_end (writer));
}

/* In front of the moov too: what is behind it moves, and with PIFF, whose ftyp is
 * larger, all. */
GST_START_TEST (test_items_in_front)
{
  BmffHeader header;
  g_autoptr (BmffBox) meta = NULL;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;
  guint64 at;

  if (!period_clear)
    return;
  at = find (period_clear, "moov", &header);
  meta =
      make_meta (__i__ ? (guint32) at + 12
                       : (guint32) find (period_clear, "mdat", &header) + 100);
  file = replaced (period_clear, at, 0, meta);
  if (__i__ != 1) {
    period_check_fails (__i__ ? ENCRYPT "scheme=piff" : ENCRYPT, file,
        GST_STREAM_ERROR, GST_STREAM_ERROR_NOT_IMPLEMENTED, "meta at ");
    return;
  }
  out = period_encrypt (ENCRYPT, file, NULL);
  fail_unless (out);
  judge_same_samples (file, out, "cenc");
}
GST_END_TEST

/* An item whose data is a sample's: it would be ciphertext, and nothing would say so. */
GST_START_TEST (test_items_of_samples)
{
  g_autoptr (BmffBox) meta = NULL;
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!period_clear)
    return;
  movie = bmff_movie_new (read_box (files[__i__], "moov"), NULL);
  meta = make_meta ((guint32) first_chunk (get_track (movie, "vide")) + 3);
  file = replaced (files[__i__], g_bytes_get_size (files[__i__]), 0, meta);
  period_check_fails (ENCRYPT, file, GST_STREAM_ERROR,
      GST_STREAM_ERROR_NOT_IMPLEMENTED, "item 1: its data");
  out = period_encrypt (ENCRYPT "tracks=audio", file, NULL);
  fail_unless (out);
}
GST_END_TEST

/* Sizes of parts of segments are not those any more: better none than wrong ones. */
GST_START_TEST (test_ssix)
{
  g_autoptr (BmffBox) ssix = NULL;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;
  BmffHeader header;
  GstBus *bus;
  GstMessage *message;

  if (!period_clear)
    return;
  ssix = make_box ("ssix", NULL, 0, 0);
  file = replaced (period_clear, find (period_clear, "moof", &header), 0, ssix);
  out = period_encrypt (ENCRYPT, file, &bus);
  fail_unless (out);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (message);
  gst_message_unref (message);
  gst_object_unref (bus);
  fail_unless_equals_int (judge_count (out, "ssix"), 0);
  fail_unless (judge_count (out, "free") > judge_count (period_clear, "free"));
  judge_same_samples (file, out, "cenc");
}
GST_END_TEST

/* A moof whose trafs have groups of another kind at their ends. */
static void
append_moof_with_groups (GByteArray *out, const BmffMovie *movie, GBytes *bytes,
    guint64 at)
{
  g_autoptr (BmffFragment) fragment =
      bmff_fragment_new (bmff_box_parse (bytes, at, NULL), movie, NULL);
  guint64 delta = bmff_box_get_size (fragment->moof);
  guint i;

  for (i = 0; i < fragment->trafs->len; i++)
    bmff_box_append (((BmffTraf *) g_ptr_array_index (fragment->trafs, i))->box,
        make_box ("sbgp", NULL, FOURCC ("roll"), 0));
  delta = bmff_box_get_size (fragment->moof) - delta;
  for (i = 0; i < fragment->trafs->len; i++) {
    BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);
    BmffRun *run = &g_array_index (traf->runs, BmffRun, 0);

    fail_unless_equals_int (traf->runs->len, 1);
    fail_unless (
        bmff_run_set_offset (traf, run, at, run->offset + delta, NULL));
  }
  period_append_box (out, fragment->moof);
}

static GBytes *
with_groups (GBytes *file)
{
  g_autoptr (BmffMovie) movie = bmff_movie_new (read_box (file, "moov"), NULL);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  GByteArray *out = g_byte_array_new ();
  BmffHeader header;
  guint64 offset = 0;

  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    g_autoptr (GBytes) bytes =
        g_bytes_new_from_bytes (file, offset, header.size);

    if (header.type == FOURCC ("moof"))
      append_moof_with_groups (out, movie, bytes, offset);
    else if (header.type != FOURCC ("mfra"))
      g_byte_array_append (out, g_bytes_get_data (bytes, NULL),
          (guint) header.size);
  }
  return g_byte_array_free_to_bytes (out);
}

/* Of several sbgp, qtdemux before 1.26.4 reads the first. */
static void
check_groups (const BmffBox *traf, gboolean rotated)
{
  guint i;

  for (i = 0; i < (rotated ? 2 : 1); i++) {
    const BmffBox *sbgp = bmff_box_nth_child (traf, FOURCC ("sbgp"), i);

    fail_unless (sbgp);
    fail_unless (memcmp ((guint8 *) g_bytes_get_data (sbgp->payload, NULL) + 4,
                     rotated && i == 0 ? "seig" : "roll", 4) == 0);
  }
}

GST_START_TEST (test_groups_of_other_kind)
{
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (BmffSource) source = NULL;
  BmffHeader header;
  guint64 offset = 0;
  guint n = 0;

  if (!period_clear)
    return;
  file = with_groups (period_clear);
  out = period_encrypt ("crypto-period=2000000000 period-keys=" KEY_A ";" KEY_B,
      file, NULL);
  fail_unless (out);
  judge_same_samples (file, out, "cenc");
  source = bmff_source_new_bytes (out, 0);
  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    g_autoptr (BmffBox) box = NULL;

    if (header.type != FOURCC ("moof"))
      continue;
    box = bmff_source_read_box (source, offset, NULL);
    check_groups (bmff_box_find (box, "traf"), n++ >= 4);
  }
  fail_unless_equals_int (n, 8);
}
GST_END_TEST

/* A file of which only the boxes in front of its samples are there, and one whose
 * samples stand in a box that holds none. */
GST_START_TEST (test_no_media_data)
{
  g_autoptr (GBytes) cut = NULL, renamed = NULL;
  BmffHeader header;
  guint8 *data;
  guint64 at;

  if (!files[1])
    return;
  at = find (files[1], "mdat", &header);
  cut = g_bytes_new_from_bytes (files[1], 0, at);
  period_check_fails (ENCRYPT, cut, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
      "more bytes than the file");
  data = g_memdup2 (g_bytes_get_data (files[1], NULL),
      g_bytes_get_size (files[1]));
  memcpy (data + at + 4, "free", 4);
  renamed = g_bytes_new_take (data, g_bytes_get_size (files[1]));
  period_check_fails (ENCRYPT, renamed, GST_STREAM_ERROR,
      GST_STREAM_ERROR_DEMUX, "is not in an mdat");
}
GST_END_TEST

static Suite *
cencencrypt_others_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-others");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, setup, teardown);
  tcase_add_loop_test (tcase, test_saio_of_other_kind, 0, 6);
  tcase_add_loop_test (tcase, test_protected_beside_clear_entry, 0,
      G_N_ELEMENTS (protected_boxes));
  tcase_add_loop_test (tcase, test_items_in_front, 0, 3);
  tcase_add_loop_test (tcase, test_items_of_samples, 0, 2);
  tcase_add_test (tcase, test_ssix);
  tcase_add_test (tcase, test_groups_of_other_kind);
  tcase_add_test (tcase, test_no_media_data);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_others);
