/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small files that claim much: an error that says so, before memory or time is
 * spent on what is not there.
 */

#include "hostile-file.h"

#include <gst/check/gstharness.h>

#include "config.h"
#include "cenc/decrypt-stream.h"

/* Each moof claims 4 Mi samples of a byte each, by the defaults. */
GST_START_TEST (test_samples_of_a_group)
{
  GByteArray *file = hostile_fragmented_new ();

  hostile_append (file, hostile_moof_new (1u << 22, 2 * MOOF_SIZE + 8));
  hostile_append (file, hostile_moof_new (1, MOOF_SIZE + 8 + (1u << 22)));
  hostile_append_mdat (file, 1000);
  hostile_check_both_refuse (file, "in front of the same media data");
  g_byte_array_unref (file);
}
GST_END_TEST

/* @n moofs with a sample of a byte each. */
static GByteArray *
make_group (guint n)
{
  GByteArray *file = hostile_fragmented_new ();
  guint i;

  for (i = 0; i < n; i++)
    hostile_append (file, hostile_moof_new (1, (n - i) * MOOF_SIZE + 8 + i));
  hostile_append_mdat (file, n);
  return file;
}

GST_START_TEST (test_moofs_of_a_group)
{
  GByteArray *file = make_group (128);

  hostile_check_passes (file, "");
  hostile_check_passes (file, "! queue");
  g_byte_array_unref (file);
  file = make_group (129);
  hostile_check_both_refuse (file, "in front of the same media data");
  g_byte_array_unref (file);
}
GST_END_TEST

static GstFlowReturn
push_from (GstHarness *h, const GByteArray *file, guint offset)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.position = segment.time = offset;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  return gst_harness_push (h,
      gst_buffer_new_memdup (file->data + offset, file->len - offset));
}

static gboolean
answer_seeking (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_SEEKING)
    return FALSE;
  gst_query_set_seeking (query, GST_FORMAT_BYTES, TRUE, 0, -1);
  return TRUE;
}

/* Who goes to the second moof of a group comes from the first: its samples are behind
 * both. Upstream that goes there by itself is told, or asked to come back, where it can. */
GST_START_TEST (test_seek_into_group)
{
  GByteArray *file = make_group (3);
  guint third = file->len - 3 - 8 - MOOF_SIZE, front = third - 2 * MOOF_SIZE;
  GstHarness *h = gst_harness_new_parse (HOSTILE_DECRYPT);
  GstEvent *event = NULL;
  gint64 start = -1;

  gst_harness_set_src_caps_str (h, "video/quicktime");
  fail_unless_equals_int (push_from (h, file, 0), GST_FLOW_OK);
  fail_unless (gst_harness_push_upstream_event (h,
      gst_event_new_seek (1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, third + 10, GST_SEEK_TYPE_NONE, -1)));
  do {
    gst_clear_event (&event);
    event = gst_harness_pull_upstream_event (h);
  } while (GST_EVENT_TYPE (event) != GST_EVENT_SEEK);
  gst_event_parse_seek (event, NULL, NULL, NULL, NULL, &start, NULL, NULL);
  gst_clear_event (&event);
  fail_unless_equals_int64 (start, front);

  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  if (__i__ == 1)
    gst_pad_set_query_function (h->srcpad, answer_seeking);
  fail_unless_equals_int (push_from (h, file, third),
      __i__ == 1 ? GST_FLOW_OK : GST_FLOW_ERROR);
  if (__i__ == 1) {
    event = gst_harness_pull_upstream_event (h);
    gst_event_parse_seek (event, NULL, NULL, NULL, NULL, &start, NULL, NULL);
    gst_clear_event (&event);
    fail_unless_equals_int64 (start, front);
    fail_unless_equals_int (push_from (h, file, front), GST_FLOW_OK);
  }
  gst_harness_teardown (h);
  g_byte_array_unref (file);
}
GST_END_TEST

/*
 * Media data outside of mdat
 */

static const gchar *const media_types[] = { "mdat", "imda", "skip", "free",
  "wxyz" };

/* With a sample of 32 bytes right behind it. */
static BmffBox *
make_paired_moof (void)
{
  return PARENT ("moof", LEAF ("mfhd", 0, 1),
      PARENT ("traf", LEAF ("tfhd", 0x020000, 1),
          LEAF ("trun", 0x201, 1, MOOF_SIZE + 4 + 8, 32)));
}

/* @type: of the box that has the sample; NULL for moofs without any */
static GByteArray *
make_pairs (const gchar *type, guint n)
{
  GByteArray *file = hostile_fragmented_new ();
  guint i;

  for (i = 0; i < n; i++) {
    hostile_append (file,
        type ? make_paired_moof () : hostile_moof_new (0, MOOF_SIZE + 8));
    if (type)
      hostile_append_media (file, type, 32);
  }
  return file;
}

/* What comes out is the same whatever box it is in, and is not what went in. */
static void
check_media (GByteArray *(*make) (const gchar *type, guint n), guint n,
    const gchar *upstream)
{
  g_autoptr (GByteArray) wanted = NULL;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (media_types); i++) {
    g_autoptr (GByteArray) file = make (media_types[i], n);
    g_autoptr (GError) error = NULL;
    g_autoptr (GByteArray) out =
        hostile_run (file, upstream, HOSTILE_DECRYPT, &error);
    guint j;

    fail_unless (out != NULL, "%s: %s", media_types[i],
        error ? error->message : "");
    fail_unless_equals_int (out->len, file->len);
    /* Zeros went in: of each box, its last block. */
    fail_unless (memcmp (out->data + out->len - 32, file->data + file->len - 32,
                     32) != 0);
    for (j = 0; j + 4 <= out->len && i > 0; j++) {
      if (memcmp (file->data + j, media_types[i], 4) == 0)
        memcpy (out->data + j, media_types[0], 4);
    }
    if (!wanted)
      wanted = g_steal_pointer (&out);
    else
      fail_unless (memcmp (wanted->data, out->data, wanted->len) == 0, "%s",
          media_types[i]);
  }
}

GST_START_TEST (test_media_of_any_name)
{
  const gchar *upstream = __i__ == 0 ? "" : "! queue";

  check_media (make_pairs, 3, upstream);
  check_media (make_pairs, 300, upstream);
}
GST_END_TEST

GST_START_TEST (test_moofs_without_samples)
{
  GByteArray *file = make_pairs (NULL, 300);

  hostile_check_passes (file, "");
  hostile_check_passes (file, "! queue");
  g_byte_array_unref (file);
}
GST_END_TEST

/* In front of the moov: gone by, if in no mdat. */
GST_START_TEST (test_media_in_front)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (media_types) - 1; i++) {
    GByteArray *file = hostile_file_new ();

    hostile_append_media (file, media_types[i], 1000);
    hostile_append (file,
        hostile_moov_new (hostile_stbl_new (TRUE, 10, 100, 28), FALSE));
    if (i > 1) {
      hostile_check_both_refuse (file, "stand in front of it");
    } else {
      hostile_check_passes (file, "");
      hostile_check_passes (file, "! queue");
    }
    g_byte_array_unref (file);
  }
}
GST_END_TEST

/* Likewise, with more of them in an mdat, which is kept or come back to. */
GST_START_TEST (test_media_in_front_of_more)
{
  guint size = __i__ == 0 ? 1000 : 5u << 20;
  GByteArray *file = hostile_file_new ();
  guint32 offset = file->len + 8;

  hostile_append_media (file, "free", 1000);
  hostile_append_mdat (file, size);
  hostile_append (file,
      hostile_moov_new (hostile_stbl_new (TRUE, 15, 100, offset), FALSE));
  hostile_check_both_refuse (file, "stand in front of it");
  g_byte_array_unref (file);
}
GST_END_TEST

/* Two moofs whose samples are the same bytes would be decrypted twice. */
GST_START_TEST (test_moofs_that_share_bytes)
{
  GByteArray *file = hostile_fragmented_new ();

  hostile_append (file, hostile_moof_new (10, 2 * MOOF_SIZE + 8));
  hostile_append (file, hostile_moof_new (10, MOOF_SIZE + 8 + 9));
  hostile_append_mdat (file, 100);
  hostile_check_both_refuse (file, "share bytes");
  g_byte_array_unref (file);
}
GST_END_TEST

/* Of a track that is not decrypted they are nobody's business. */
GST_START_TEST (test_clear_moofs_that_share_bytes)
{
  GByteArray *file = hostile_file_new ();
  BmffBox *moov = hostile_moov_new (hostile_stbl_new (TRUE, 0, 0, 0), FALSE);
  guint i;

  bmff_box_append (moov,
      hostile_trak_new (2, hostile_stbl_new (FALSE, 0, 0, 0)));
  bmff_box_append (moov,
      PARENT ("mvex", LEAF ("trex", 0, 1, 1, 20, 1, 0),
          LEAF ("trex", 0, 2, 1, 20, 1, 0)));
  hostile_append (file, moov);
  for (i = 2; i > 0; i--)
    hostile_append (file,
        PARENT ("moof", LEAF ("mfhd", 0, 1),
            PARENT ("traf", LEAF ("tfhd", 0x020000, 2),
                LEAF ("trun", 1, 10, i * MOOF_SIZE + 8))));
  hostile_append_mdat (file, 100);
  hostile_check_passes (file, "");
  hostile_check_passes (file, "! queue");
  g_byte_array_unref (file);
}
GST_END_TEST

/* A sample without bytes amid another track's: what stands behind it there. */
GST_START_TEST (test_sample_without_bytes)
{
  GByteArray *file = hostile_file_new (), *pulled, *pushed;
  BmffBox *entries[] = { hostile_entry_new (TRUE), NULL };
  BmffBox *stbl = PARENT ("stbl", hostile_box ("stsd", WORDS (0, 1), entries),
      LEAF ("stts", 0, 1, 1, 20), LEAF ("stsc", 0, 1, 1, 1, 1),
      LEAF ("stsz", 0, 0, 1, 0), LEAF ("stco", 0, 1, 28 + 200));
  BmffBox *moov =
      hostile_moov_new (hostile_stbl_new (TRUE, 10, 100, 28), FALSE);
  GError *error = NULL;

  bmff_box_append (moov, hostile_trak_new (2, stbl));
  hostile_append_mdat (file, 1000);
  hostile_append (file, moov);
  pulled = hostile_run (file, "", HOSTILE_DECRYPT, &error);
  fail_unless (pulled != NULL, "%s", error ? error->message : "");
  fail_unless (
      memcmp (pulled->data + 28 + 300, file->data + 28 + 300, 96) != 0);
  pushed = hostile_run (file, "! queue", HOSTILE_DECRYPT, &error);
  fail_unless (pushed != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (pulled->len, pushed->len);
  fail_unless (memcmp (pulled->data, pushed->data, pulled->len) == 0);
  g_byte_array_unref (pulled);
  g_byte_array_unref (pushed);
  g_byte_array_unref (file);
}
GST_END_TEST

static GByteArray *
make_progressive (guint n_moovs, guint32 n, guint32 size)
{
  GByteArray *file = hostile_file_new ();
  guint i;

  hostile_append_mdat (file, 1000);
  for (i = 0; i < n_moovs; i++)
    hostile_append (file,
        hostile_moov_new (hostile_stbl_new (TRUE, n - i, size, 28), FALSE));
  return file;
}

/* A moov that comes again is no new one; one that tells otherwise of the same
 * bytes is. */
GST_START_TEST (test_moov_twice)
{
  GByteArray *file = make_progressive (1, 10, 100), *once, *twice;
  GError *error = NULL;
  guint moov = file->len;

  hostile_append (file,
      hostile_moov_new (hostile_stbl_new (TRUE, 10, 100, 28), FALSE));
  moov = file->len - moov;
  twice = hostile_run (file, "", HOSTILE_DECRYPT, &error);
  fail_unless (twice != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (twice->len, file->len);
  fail_unless (memcmp (twice->data + file->len - moov,
                   twice->data + file->len - 2 * moov, moov) == 0);
  g_byte_array_set_size (file, file->len - moov);
  once = hostile_run (file, "", HOSTILE_DECRYPT, NULL);
  fail_unless (memcmp (once->data, twice->data, once->len) == 0);
  g_byte_array_unref (once);
  g_byte_array_unref (twice);
  g_byte_array_unref (file);

  file = make_progressive (2, 10, 100);
  hostile_check_refused (file, "", HOSTILE_DECRYPT, "samples of another moov");
  g_byte_array_unref (file);
}
GST_END_TEST

/* Information of no byte for samples that are not there either. */
GST_START_TEST (test_empty_information)
{
  GByteArray *file = hostile_file_new ();
  guint32 n = 1u << 23;
  guint i;

  hostile_append_mdat (file, 1000);
  for (i = 0; i < 2; i++) {
    BmffBox *stbl = hostile_stbl_new (TRUE, n, 1, 28 + i * n);

    bmff_box_append (stbl, LEAF ("senc", 0, n));
    hostile_append (file, hostile_moov_new (stbl, FALSE));
  }
  hostile_check_refused (file, "", HOSTILE_DECRYPT,
      "empty auxiliary information");
  g_byte_array_unref (file);
}
GST_END_TEST

static GstFlowReturn
drop_buffer (GstBuffer *buffer, gpointer user_data)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
cannot_seek (guint64 offset, gpointer user_data)
{
  return FALSE;
}

/* What one title claims is not held against the next. */
GST_START_TEST (test_empty_information_of_titles)
{
  static const DecryptStreamFuncs funcs = { drop_buffer, cannot_seek };
  const DecryptWork work = { 0 };
  g_autoptr (DecryptStream) stream =
      decrypt_stream_new (&funcs, NULL, &work, FALSE);
  guint32 n = 3u << 20;
  guint i;

  for (i = 0; i < 3; i++) {
    g_autoptr (GByteArray) file = hostile_file_new ();
    g_autoptr (GError) error = NULL;
    BmffBox *stbl = hostile_stbl_new (TRUE, n, 1, 100000);

    bmff_box_append (stbl, LEAF ("senc", 0, n));
    hostile_append (file, hostile_moov_new (stbl, FALSE));
    fail_unless_equals_int (decrypt_stream_feed (stream,
                                gst_buffer_new_memdup (file->data, file->len),
                                &error),
        GST_FLOW_OK);
    decrypt_stream_reset (stream);
  }
}
GST_END_TEST

#ifdef HAVE_ENCRYPT
GST_START_TEST (test_samples_to_encrypt)
{
  GByteArray *file = hostile_file_new ();

  hostile_append (file,
      hostile_moov_new (hostile_stbl_new (FALSE, G_MAXUINT32, 1, 28), FALSE));
  hostile_append_mdat (file, 1000);
  hostile_check_refused (file, "",
      "cencencrypt clear-lead=1000000000 "
      "key-id=00000000000000000000000000000001 "
      "key=00000000000000000000000000000002",
      "more bytes than the file");
  g_byte_array_unref (file);
}
GST_END_TEST
#endif

static Suite *
decrypt_hostile_suite (void)
{
  Suite *s = suite_create ("decrypt-hostile");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 300);
  tcase_add_test (tc, test_samples_of_a_group);
  tcase_add_test (tc, test_moofs_of_a_group);
  tcase_add_loop_test (tc, test_seek_into_group, 0, 2);
  tcase_add_loop_test (tc, test_media_of_any_name, 0, 2);
  tcase_add_test (tc, test_moofs_without_samples);
  tcase_add_test (tc, test_media_in_front);
  tcase_add_loop_test (tc, test_media_in_front_of_more, 0, 2);
  tcase_add_test (tc, test_moofs_that_share_bytes);
  tcase_add_test (tc, test_clear_moofs_that_share_bytes);
  tcase_add_test (tc, test_sample_without_bytes);
  tcase_add_test (tc, test_moov_twice);
  tcase_add_test (tc, test_empty_information);
  tcase_add_test (tc, test_empty_information_of_titles);
#ifdef HAVE_ENCRYPT
  tcase_add_test (tc, test_samples_to_encrypt);
#endif
  return s;
}

GST_CHECK_MAIN (decrypt_hostile)
