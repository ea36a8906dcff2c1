/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that rotate by crypto periods, in fragments. */

#define _GNU_SOURCE /* memmem() */

#include "cencencrypt-period-util.h"

#include <glib/gstdio.h>
#include <string.h>
#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-source.h"

GST_START_TEST (test_list)
{
  static const gchar *schemes[] = { "cenc", "cbcs", "cens", "cbc1" };
  static const gchar *kids[] = { JUDGE_KID, JUDGE_KID, JUDGE_KID_2,
    JUDGE_KID_2 };
  g_autofree gchar *settings =
      g_strconcat ("crypto-period=2000000000 "
                   "period-keys=" KEY_A ";" KEY_B " scheme=",
          schemes[__i__], NULL);
  g_autoptr (GBytes) out = NULL;

  if (!period_clear)
    return;
  out = period_encrypt_good (settings);
  judge_same_samples (period_clear, out, schemes[__i__]);
  judge_places (out);
  period_check_pictures (out, kids);
}
GST_END_TEST

/* Sound goes along with the pictures: its fragments start a few milliseconds
 * before the periods do. */
GST_START_TEST (test_sound_follows)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  JudgeTrack *track;
  guint i;

  if (!period_clear)
    return;
  out = period_encrypt_good (
      "crypto-period=2000000000 period-keys=" KEY_A ";" KEY_B);
  tracks = judge_read (out, JUDGE_SENC, NULL);
  track = period_get_track (tracks, "enca");
  for (i = 0; i < track->kids->len; i++)
    fail_unless_equals_string (track->kids->pdata[i],
        i < 2 * 43 ? JUDGE_KID : JUDGE_KID_2);
}
GST_END_TEST

/* A period may have a key for each label. */
GST_START_TEST (test_labels)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  JudgeTrack *sound;
  static const gchar *kids[] = { JUDGE_KID, JUDGE_KID_2,
    "33333333333333333333333333333333", JUDGE_KID };

  if (!period_clear)
    return;
  out = period_encrypt_good (
      "crypto-period=1000000000 scheme=cbcs period-keys=AUDIO=" KEY_B
      ",SD=" KEY_A ";AUDIO=" KEY_B "," KEY_B ";" KEY_C ",1=" KEY_C ";" KEY_A);
  judge_same_samples (period_clear, out, "cbcs");
  period_check_pictures (out, kids);
  tracks = judge_read (out, JUDGE_SENC, NULL);
  sound = period_get_track (tracks, "enca");
  fail_unless_equals_string (sound->kids->pdata[0], JUDGE_KID_2);
  fail_unless_equals_string (sound->kids->pdata[45], JUDGE_KID_2);
  fail_unless_equals_string (sound->kids->pdata[170], JUDGE_KID);
}
GST_END_TEST

/* The derivation is a public one: whoever has the seed can do it. */
GST_START_TEST (test_seed)
{
  g_autoptr (GBytes) out = NULL;
  const gchar *kids[4];
  guint i;

  for (i = 0; i < 4; i++)
    kids[i] = period_derived[i][0];
  if (!period_clear)
    return;
  out = period_encrypt_good (BY_SEED);
  judge_same_samples (period_clear, out, "cenc");
  period_check_pictures (out, kids);
}
GST_END_TEST

/* One message a period, in order, with KIDs and pssh and without keys. */
GST_START_TEST (test_messages)
{
  GstBus *bus;
  g_autoptr (GBytes) out = NULL;
  GstMessage *message;
  guint n = 0;

  if (!period_clear)
    return;
  out = period_encrypt (BY_SEED, period_clear, &bus);
  fail_unless (out);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
    const GstStructure *s = gst_message_get_structure (message);
    g_autofree gchar *text = gst_structure_to_string (s);
    guint64 period, start;

    fail_unless (gst_structure_has_name (s, "cencencrypt-keys"));
    fail_unless (gst_structure_get (s, "period", G_TYPE_UINT64, &period,
        "start", G_TYPE_UINT64, &start, NULL));
    fail_unless_equals_uint64 (period, n);
    fail_unless (start >= n * 980 * GST_MSECOND && start <= n * GST_SECOND);
    fail_unless (strstr (text, period_derived[n][0]));
    fail_if (strstr (text, period_derived[n][1]) || strstr (text, SEED));
    gst_message_unref (message);
    n++;
  }
  fail_unless_equals_int (n, 4);
  gst_object_unref (bus);
}
GST_END_TEST

/* All that is told of a period has been told before its first byte is out. */
GST_START_TEST (test_message_comes_first)
{
  GstHarness *h;
  GstBus *bus;
  const guint8 *data;
  gsize size, pos = 0;
  guint told = 0, seen = 0;

  if (!period_clear)
    return;
  h = gst_harness_new_parse ("cencencrypt " BY_SEED);
  bus = period_watch (h);
  gst_harness_set_src_caps_str (h, "video/quicktime, variant=(string)iso");
  data = g_bytes_get_data (period_clear, &size);
  for (; pos < size; pos += bmff_get_u32 (data + pos)) {
    GstMessage *message;
    GstBuffer *buffer;

    gst_harness_push (h,
        gst_buffer_new_memdup (data + pos, bmff_get_u32 (data + pos)));
    while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
      told++;
      gst_message_unref (message);
    }
    while ((buffer = gst_harness_try_pull (h))) {
      GstMapInfo map;
      guint n;

      fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
      for (n = 1; n < 4; n++) {
        guint8 kid[16] = { 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
          0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, n };

        if (memmem (map.data, map.size, kid, 16))
          seen = MAX (seen, n);
      }
      gst_buffer_unmap (buffer, &map);
      gst_buffer_unref (buffer);
    }
    fail_unless (seen < MAX (told, 1));
  }
  fail_unless_equals_int (seen, 3);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST

static const BmffBox *
find_after (const BmffBox *parent, const gchar *type, guint *place)
{
  for (*place = 0; *place < parent->children->len; (*place)++) {
    const BmffBox *child = parent->children->pdata[*place];

    if (child->type == FOURCC (type))
      return child;
  }
  return NULL;
}

static void
check_payload (const BmffBox *box, const void *want, gsize size)
{
  fail_unless (box);
  fail_unless_equals_int (g_bytes_get_size (box->payload), size);
  fail_unless (memcmp (g_bytes_get_data (box->payload, NULL), want, size) == 0);
}

/* A moof with keys that are not tenc's: as stock qtdemux and others read it. */
static void
check_moof (const BmffBox *moof)
{
  static const guint8 sgpd[] = "\1\0\0\0seig\0\0\0\x14\0\0\0\1"
                               "\0\0\1\x08\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x77"
                               "\x66\x55\x44\x33\x22\x11";
  const BmffBox *traf = bmff_box_child (moof, FOURCC ("traf"));
  const BmffBox *trun = bmff_box_child (traf, FOURCC ("trun"));
  const BmffBox *saio = bmff_box_child (traf, FOURCC ("saio"));
  guint8 sbgp[20] = "\0\0\0\0seig\0\0\0\1\0\0\0\0\0\1\0";
  guint mfhd, pssh, groups, senc;

  fail_unless (find_after (moof, "mfhd", &mfhd));
  fail_unless (find_after (moof, "pssh", &pssh));
  fail_unless_equals_int (pssh, mfhd + 1);
  fail_if (bmff_box_nth_child (moof, FOURCC ("pssh"), 1));
  check_payload (find_after (traf, "sgpd", &groups), sgpd, sizeof sgpd);
  memcpy (sbgp + 12,
      (const guint8 *) g_bytes_get_data (trun->payload, NULL) + 4, 4);
  sbgp[19] = 1;
  check_payload (find_after (traf, "sbgp", &groups), sbgp, sizeof sbgp);
  fail_unless (find_after (traf, "senc", &senc) && groups < senc);
  fail_unless (saio);
}

GST_START_TEST (test_boxes)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (BmffSource) source = NULL;
  BmffHeader header;
  guint64 offset = 0;
  guint n = 0;

  if (!period_clear)
    return;
  out = period_encrypt_good (
      "crypto-period=2000000000 period-keys=" KEY_A ";" KEY_B);
  source = bmff_source_new_bytes (out, 0);
  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    g_autoptr (BmffBox) box = NULL;

    if (header.type != FOURCC ("moof"))
      continue;
    box = bmff_source_read_box (source, offset, NULL);
    if (n++ >= 4) {
      check_moof (box);
    } else {
      fail_if (bmff_box_child (box, FOURCC ("pssh")));
      fail_if (bmff_box_find (box, "traf/sgpd"));
    }
  }
  fail_unless_equals_int (n, 8);
}
GST_END_TEST

/* The first period's key again: behind fragments with groups GPAC does not count the
 * samples of one without. */
GST_START_TEST (test_first_key_again)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (BmffSource) source = NULL;
  BmffHeader header;
  guint64 offset = 0;
  guint n = 0;

  if (!period_clear)
    return;
  out = period_encrypt_good ("crypto-period=1000000000 period-keys=" KEY_A
                             ";" KEY_B ";" KEY_A ";" KEY_B);
  source = bmff_source_new_bytes (out, 0);
  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    g_autoptr (BmffBox) box = NULL;

    if (header.type != FOURCC ("moof"))
      continue;
    box = bmff_source_read_box (source, offset, NULL);
    fail_unless_equals_int (bmff_box_find (box, "traf/sgpd") != NULL, n >= 2);
    fail_unless_equals_int (bmff_box_find (box, "traf/sbgp") != NULL, n >= 2);
    n++;
  }
  fail_unless_equals_int (n, 8);
}
GST_END_TEST

/* Whole samples with a constant IV: a senc would tell nothing. GPAC reads groups of
 * such fragments only if none of the file has one; Bento4, who wants one, reads no
 * groups. */
static guint
count_without_senc (GBytes *out)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (out, 0);
  BmffHeader header;
  guint64 offset = 0;
  guint i, n = 0;

  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    g_autoptr (BmffBox) box = NULL;
    const BmffBox *traf;

    if (header.type != FOURCC ("moof"))
      continue;
    box = bmff_source_read_box (source, offset, NULL);
    for (i = 0; (traf = bmff_box_nth_child (box, FOURCC ("traf"), i)); i++) {
      gboolean has_senc = bmff_box_child (traf, FOURCC ("senc")) != NULL;

      fail_if (!has_senc && bmff_box_child (traf, FOURCC ("saiz")));
      n += has_senc ? 0 : 1;
    }
  }
  return n;
}

GST_START_TEST (test_no_senc_that_tells_nothing)
{
  g_autoptr (GBytes) rotating = NULL;
  g_autoptr (GBytes) steady = NULL;

  if (!period_clear)
    return;
  rotating = period_encrypt_good (
      "scheme=cbcs crypto-period=2000000000 period-keys=" KEY_A ";" KEY_B);
  fail_unless_equals_int (count_without_senc (rotating), 4);
  steady =
      period_encrypt_good ("scheme=cbcs key-id=" JUDGE_KID " key=" JUDGE_KEY);
  fail_unless_equals_int (count_without_senc (steady), 0);
}
GST_END_TEST

/* tenc and the moov's pssh have the first period's KID; so a muxer's second moov
 * takes the place of its first. */
GST_START_TEST (test_moov)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (BmffSource) source = NULL;
  g_autoptr (BmffBox) moov = NULL;
  const BmffBox *pssh;
  GError *error = NULL;

  if (!period_clear)
    return;
  out = judge_make (
      "videotestsrc num-buffers=75 ! video/x-raw,width=160,height=120,"
      "framerate=25/1 ! x264enc key-int-max=25 speed-preset=ultrafast ! "
      "h264parse ! mp4mux fragment-duration=1000 ! cencencrypt " BY_SEED
      "! filesink location=%s");
  judge_places (out);
  source = bmff_source_new_bytes (out, 0);
  moov = bmff_source_read_box (source,
      bmff_get_u32 (g_bytes_get_data (out, NULL)), NULL);
  fail_unless (moov && moov->type == FOURCC ("moov"));
  pssh = bmff_box_child (moov, FOURCC ("pssh"));
  fail_unless (pssh && g_bytes_get_size (pssh->payload) == 4 + 16 + 4 + 16 + 4);
  fail_unless (memmem (g_bytes_get_data (pssh->payload, NULL), 44,
      "\xcc\xdd\xee\x00", 4));
  {
    g_autoptr (GPtrArray) tracks = judge_read (out, JUDGE_SAIZ, &error);

    fail_unless (tracks, "%s", error ? error->message : "");
    fail_unless_equals_string (period_get_track (tracks, "encv")
                                   ->kids->pdata[74],
        period_derived[2][0]);
  }
}
GST_END_TEST

/* A fragment that does not start with a sync sample stays in the period that was. */
GST_START_TEST (test_not_at_sync)
{
  static const gchar *kids[] = { SEED_KID, SEED_KID_1, SEED_KID_1,
    "00112233445566778899aabbccddee03" };
  gsize size, pos;
  guint8 *data;
  guint n = 0;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!period_clear)
    return;
  data = g_memdup2 (g_bytes_get_data (period_clear, NULL),
      g_bytes_get_size (period_clear));
  size = g_bytes_get_size (period_clear);
  file = g_bytes_new_take (data, size);
  for (pos = 0; pos + 32 < size; pos++) {
    /* The first flags of a trun of pictures; mp4mux writes them for each sample. */
    if (memcmp (data + pos, "trun\0\0\7\1\0\0\0\x19", 12) == 0 && n++ == 2) {
      fail_unless (memcmp (data + pos + 24, "\0\0\0\x40", 4) == 0 ||
          bmff_get_u32 (data + pos + 24) == 0x40);
      bmff_put_u32 (data + pos + 24, BMFF_SAMPLE_FLAGS_NON_SYNC);
    }
  }
  fail_unless_equals_int (n, 4);
  out = period_encrypt (BY_SEED "tracks=video", file, NULL);
  fail_unless (out);
  period_check_pictures (out, kids);
}
GST_END_TEST

/* Pictures that are reordered are decoded before they are presented: by the latter a
 * period begins. */
GST_START_TEST (test_presentation)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  JudgeTrack *track;
  GError *error = NULL;
  guint i;

  if (!period_clear)
    return;
  out = judge_make (
      "videotestsrc num-buffers=100 ! video/x-raw,width=160,height=120,"
      "framerate=25/1 ! x264enc key-int-max=25 bframes=2 ! h264parse ! mp4mux "
      "! queue max-size-time=0 max-size-buffers=0 max-size-bytes=0 ! qtdemux ! "
      "h264parse ! mp4mux fragment-duration=1000 ! cencencrypt " BY_SEED
      "! filesink location=%s");
  tracks = judge_read (out, JUDGE_SENC, &error);
  fail_unless (tracks, "%s", error ? error->message : "");
  track = period_get_track (tracks, "encv");
  for (i = 0; i < 100; i++)
    fail_unless_equals_string (track->kids->pdata[i],
        period_derived[i / 25][0]);
}
GST_END_TEST

/* No period, and so no key, begins in what stays clear. */
GST_START_TEST (test_clear_lead)
{
  static const gchar *kids[] = { NULL, NULL, "00112233445566778899aabbccddee02",
    "00112233445566778899aabbccddee03" };
  g_autoptr (GBytes) out = NULL;
  GstBus *bus;
  GstMessage *message;
  guint64 period;

  if (!period_clear)
    return;
  out = period_encrypt (BY_SEED "tracks=video clear-lead=1500000000",
      period_clear, &bus);
  fail_unless (out);
  period_check_pictures (out, kids);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (message);
  fail_unless (gst_structure_get_uint64 (gst_message_get_structure (message),
      "period", &period));
  fail_unless_equals_uint64 (period, 2);
  gst_message_unref (message);
  gst_object_unref (bus);
}
GST_END_TEST

/* No IV of a track comes twice, whichever the key: one may be given again. */
GST_START_TEST (test_key_again)
{
  g_autoptr (GBytes) out = NULL;
  static const gchar *kids[] = { JUDGE_KID, JUDGE_KID_2, JUDGE_KID,
    JUDGE_KID_2 };
  g_autoptr (GHashTable) ivs = g_hash_table_new_full (g_bytes_hash,
      g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  const guint8 *data;
  gsize size, pos;

  if (!period_clear)
    return;
  out = period_encrypt_good ("crypto-period=1000000000 period-keys=" KEY_A
                             ";" KEY_B ";" KEY_A ";" KEY_B);
  judge_same_samples (period_clear, out, "cenc");
  period_check_pictures (out, kids);
  /* Of the sound: its samples are encrypted whole, so that senc is a list of IVs. */
  data = g_bytes_get_data (out, &size);
  for (pos = 0; pos + 12 < size; pos++) {
    guint32 i, n;

    if (memcmp (data + pos, "senc\0\0\0\0", 8) != 0)
      continue;
    n = bmff_get_u32 (data + pos + 8);
    for (i = 0; i < n; i++)
      fail_unless (g_hash_table_add (ivs,
          g_bytes_new (data + pos + 12 + 8 * (gsize) i, 8)));
  }
  fail_unless (g_hash_table_size (ivs) > 170);
}
GST_END_TEST

/* After READY, and after a flush, all starts anew. */
GST_START_TEST (test_again)
{
  GstHarness *h;
  GstSegment segment;
  GByteArray *all = g_byte_array_new ();
  g_autoptr (GBytes) out = NULL;
  GBytes *half;

  if (!period_clear)
    return;
  h = gst_harness_new_parse ("cencencrypt " BY_SEED);
  gst_harness_set_src_caps_str (h, "video/quicktime, variant=(string)iso");
  half = g_bytes_new_from_bytes (period_clear, 0,
      g_bytes_get_size (period_clear) * 3 / 4);
  period_push_all (h, half, all);
  g_bytes_unref (half);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  g_byte_array_set_size (all, 0);
  period_push_all (h, period_clear, all);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_harness_teardown (h);
  out = g_byte_array_free_to_bytes (all);
  judge_same_samples (period_clear, out, "cenc");
}
GST_END_TEST

/* The pictures' bytes behind qtdemux; @decryptor: elements in front of it and behind it. */
static GBytes *
demux (GBytes *file, const gchar *in_front, const gchar *behind, GError **error)
{
  g_autofree gchar *path = judge_write (file);
  g_autofree gchar *description =
      g_strconcat ("filesrc location=", path, " ! ", in_front,
          " qtdemux name=d d.video_0 ! ", behind, " appsink name=out", NULL);
  GBytes *out = judge_run (description, error);

  g_unlink (path);
  return out;
}

#define DECRYPT "cencdecrypt keys=" KEY_A "," KEY_B " ! "

/* Ours in front of stock qtdemux; and behind, where that reads sample groups: before
 * GStreamer 1.24 it is an error, and never the wrong key. */
GST_START_TEST (test_decrypt)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) want = NULL;
  g_autoptr (GBytes) front = NULL;
  g_autoptr (GBytes) behind = NULL;
  g_autoptr (GError) error = NULL;
  guint major, minor, micro, nano;

  if (!period_clear || !judge_has_elements ("qtdemux"))
    return;
  gst_version (&major, &minor, &micro, &nano);
  out = period_encrypt_good ("crypto-period=2000000000 tracks=video "
                             "period-keys=" KEY_A ";" KEY_B);
  want = demux (period_clear, "", "", NULL);
  front = demux (out, DECRYPT, "", NULL);
  fail_unless (want && front && g_bytes_equal (want, front));
  behind = demux (out, "", DECRYPT, &error);
  if (minor < 23) {
    fail_if (behind);
    fail_unless (strstr (error->message, "in front of the demuxer"), "%s",
        error->message);
  } else {
    fail_unless (behind, "%s", error ? error->message : "");
    fail_unless (g_bytes_equal (want, behind));
  }
}
GST_END_TEST

static Suite *
cencencrypt_periods_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-periods");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_loop_test (tcase, test_list, 0, 4);
  tcase_add_test (tcase, test_sound_follows);
  tcase_add_test (tcase, test_labels);
  tcase_add_test (tcase, test_seed);
  tcase_add_test (tcase, test_messages);
  tcase_add_test (tcase, test_message_comes_first);
  tcase_add_test (tcase, test_boxes);
  tcase_add_test (tcase, test_first_key_again);
  tcase_add_test (tcase, test_no_senc_that_tells_nothing);
  tcase_add_test (tcase, test_moov);
  tcase_add_test (tcase, test_not_at_sync);
  tcase_add_test (tcase, test_clear_lead);
  tcase_add_test (tcase, test_key_again);
  tcase_add_test (tcase, test_again);
  tcase_add_test (tcase, test_decrypt);
  tcase_add_test (tcase, test_presentation);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_periods);
