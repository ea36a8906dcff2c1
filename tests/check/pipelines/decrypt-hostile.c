/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small files that claim much: an error that says so, before memory or time is
 * spent on what is not there.
 */

#include "decrypt-util.h"

#include <glib/gstdio.h>
#include <gst/check/gstharness.h>

#include "config.h"
#include "cenc/decrypt-stream.h"
#include "gst/isobmff/bmff-box.h"

#define KEYS "00000000000000000000000000000001:00000000000000000000000000000001"
#define FCC(s) bmff_get_u32 ((const guint8 *) (s))

/* A box of words, behind them what is in @children, which are taken. */
static BmffBox *
box (const gchar *type, guint n, const guint32 *words, BmffBox **children)
{
  BmffWriter *writer = bmff_writer_new (4 * n);
  BmffBox *self;
  guint i;

  for (i = 0; i < n; i++)
    bmff_writer_u32 (writer, words[i]);
  self = bmff_box_new (FCC (type), bmff_writer_end (writer));
  for (i = 0; children && children[i]; i++)
    bmff_box_append (self, children[i]);
  return self;
}

#define WORDS(...) \
  G_N_ELEMENTS (((guint32[]){ __VA_ARGS__ })), (guint32[]) \
  { \
    __VA_ARGS__ \
  }
#define LEAF(type, ...) box (type, WORDS (__VA_ARGS__), NULL)
#define PARENT(type, ...) \
  box (type, 0, NULL, (BmffBox *[]){ __VA_ARGS__, NULL })

/* cbcs with a constant IV: samples need no information of their own. */
static BmffBox *
make_sinf (void)
{
  BmffBox *tenc = LEAF ("tenc", 1u << 24, 0x00000100, 0, 0, 0, 1, 0x10000000, 0,
      0, 0, 0x00000000);

  return PARENT ("sinf", LEAF ("frma", FCC ("Opus")),
      LEAF ("schm", 0, FCC ("cbcs"), 0x10000), PARENT ("schi", tenc));
}

static BmffBox *
make_entry (gboolean is_protected)
{
  BmffBox *dops = LEAF ("dOps", 0x00020000, 0x0000bb80, 0);
  BmffBox *children[] = { dops, is_protected ? make_sinf () : NULL, NULL };

  return box (is_protected ? "enca" : "Opus",
      WORDS (0, 1, 0, 0, 0x00020010, 0, 48000u << 16), children);
}

/* @n samples of @size bytes from @offset on; none of them in @n fragments. */
static BmffBox *
make_stbl (gboolean is_protected, guint32 n, guint32 size, guint32 offset)
{
  BmffBox *entries[] = { make_entry (is_protected), NULL };
  BmffBox *stsd = box ("stsd", WORDS (0, 1), entries);

  if (n == 0)
    return PARENT ("stbl", stsd, LEAF ("stts", 0, 0), LEAF ("stsc", 0, 0),
        LEAF ("stsz", 0, 0, 0), LEAF ("stco", 0, 0));
  return PARENT ("stbl", stsd, LEAF ("stts", 0, 1, n, 20),
      LEAF ("stsc", 0, 1, 1, n, 1), LEAF ("stsz", 0, size, n),
      LEAF ("stco", 0, 1, offset));
}

static BmffBox *
make_trak (guint32 id, BmffBox *stbl)
{
  guint32 tkhd[21] = { 3, 0, 0, id }, mvhd_like[6] = { 0, 0, 0, 48000, 0, 0 };
  guint32 hdlr[7] = { 0, 0, FCC ("soun") };

  return PARENT ("trak", box ("tkhd", G_N_ELEMENTS (tkhd), tkhd, NULL),
      PARENT ("mdia", box ("mdhd", G_N_ELEMENTS (mvhd_like), mvhd_like, NULL),
          box ("hdlr", G_N_ELEMENTS (hdlr), hdlr, NULL),
          PARENT ("minf", LEAF ("smhd", 0, 0), stbl)));
}

/* In fragments samples have one byte. */
static BmffBox *
make_moov (BmffBox *stbl, gboolean fragmented)
{
  guint32 mvhd[25] = { 0, 0, 0, 1000 };
  BmffBox *moov = PARENT ("moov", box ("mvhd", G_N_ELEMENTS (mvhd), mvhd, NULL),
      make_trak (1, stbl));

  if (fragmented)
    bmff_box_append (moov, PARENT ("mvex", LEAF ("trex", 0, 1, 1, 20, 1, 0)));
  return moov;
}

static BmffBox *
make_moof (guint32 n_samples, guint32 data_offset)
{
  return PARENT ("moof", LEAF ("mfhd", 0, 1),
      PARENT ("traf", LEAF ("tfhd", 0x020000, 1),
          LEAF ("trun", 1, n_samples, data_offset)));
}

#define MOOF_SIZE 68

/* Takes @box. */
static void
append (GByteArray *file, BmffBox *box)
{
  GBytes *bytes = bmff_box_to_bytes (box);

  g_byte_array_append (file, g_bytes_get_data (bytes, NULL),
      (guint) g_bytes_get_size (bytes));
  g_bytes_unref (bytes);
  bmff_box_free (box);
}

static void
append_media (GByteArray *file, const gchar *type, guint size)
{
  append (file,
      bmff_box_new (FCC (type), g_bytes_new_take (g_malloc0 (size), size)));
}

static void
append_mdat (GByteArray *file, guint size)
{
  append_media (file, "mdat", size);
}

static GByteArray *
file_new (void)
{
  GByteArray *file = g_byte_array_new ();

  append (file, LEAF ("ftyp", FCC ("isom"), 0, FCC ("iso6")));
  return file;
}

static GByteArray *
fragmented_new (void)
{
  GByteArray *file = file_new ();

  append (file, make_moov (make_stbl (TRUE, 0, 0, 0), TRUE));
  return file;
}

/* What comes out, or NULL. */
static GByteArray *
run (const GByteArray *file, const gchar *upstream, const gchar *element,
    GError **error)
{
  g_autofree gchar *path = temporary_file ("cenc-hostile-XXXXXX.mp4");
  g_autofree gchar *launch = NULL;
  GByteArray *out;

  fail_unless (g_file_set_contents (path, (const gchar *) file->data,
      (gssize) file->len, NULL));
  launch = g_strdup_printf ("filesrc location=%s %s ! %s ! fakesink name=sink",
      path, upstream, element);
  out = pipeline_collect (launch, error);
  g_unlink (path);
  return out;
}

#define DECRYPT "cencdecrypt verify-keys=false keys=" KEYS

static void
check_refused (const GByteArray *file, const gchar *upstream,
    const gchar *element, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  GByteArray *out = run (file, upstream, element, &error);

  fail_unless (out == NULL && error != NULL);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
}

static void
check_both_refuse (const GByteArray *file, const gchar *text)
{
  check_refused (file, "", DECRYPT, text);
  check_refused (file, "! queue", DECRYPT, text);
}

static void
check_passes (const GByteArray *file, const gchar *upstream)
{
  GError *error = NULL;
  GByteArray *out = run (file, upstream, DECRYPT, &error);

  fail_unless (out != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (out->len, file->len);
  g_byte_array_unref (out);
}

/* Each moof claims 4 Mi samples of a byte each, by the defaults. */
GST_START_TEST (test_samples_of_a_group)
{
  GByteArray *file = fragmented_new ();

  append (file, make_moof (1u << 22, 2 * MOOF_SIZE + 8));
  append (file, make_moof (1, MOOF_SIZE + 8 + (1u << 22)));
  append_mdat (file, 1000);
  check_both_refuse (file, "in front of the same media data");
  g_byte_array_unref (file);
}
GST_END_TEST

/* @n moofs with a sample of a byte each. */
static GByteArray *
make_group (guint n)
{
  GByteArray *file = fragmented_new ();
  guint i;

  for (i = 0; i < n; i++)
    append (file, make_moof (1, (n - i) * MOOF_SIZE + 8 + i));
  append_mdat (file, n);
  return file;
}

GST_START_TEST (test_moofs_of_a_group)
{
  GByteArray *file = make_group (128);

  check_passes (file, "");
  check_passes (file, "! queue");
  g_byte_array_unref (file);
  file = make_group (129);
  check_both_refuse (file, "in front of the same media data");
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
  GstHarness *h = gst_harness_new_parse (DECRYPT);
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
  GByteArray *file = fragmented_new ();
  guint i;

  for (i = 0; i < n; i++) {
    append (file, type ? make_paired_moof () : make_moof (0, MOOF_SIZE + 8));
    if (type)
      append_media (file, type, 32);
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
    g_autoptr (GByteArray) out = run (file, upstream, DECRYPT, &error);
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

  check_passes (file, "");
  check_passes (file, "! queue");
  g_byte_array_unref (file);
}
GST_END_TEST

/* In front of the moov: gone by, if in no mdat. */
GST_START_TEST (test_media_in_front)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (media_types) - 1; i++) {
    GByteArray *file = file_new ();

    append_media (file, media_types[i], 1000);
    append (file, make_moov (make_stbl (TRUE, 10, 100, 28), FALSE));
    if (i > 1) {
      check_both_refuse (file, "stand in front of it");
    } else {
      check_passes (file, "");
      check_passes (file, "! queue");
    }
    g_byte_array_unref (file);
  }
}
GST_END_TEST

/* Likewise, with more of them in an mdat, which is kept or come back to. */
GST_START_TEST (test_media_in_front_of_more)
{
  guint size = __i__ == 0 ? 1000 : 5u << 20;
  GByteArray *file = file_new ();
  guint32 offset = file->len + 8;

  append_media (file, "free", 1000);
  append_mdat (file, size);
  append (file, make_moov (make_stbl (TRUE, 15, 100, offset), FALSE));
  check_both_refuse (file, "stand in front of it");
  g_byte_array_unref (file);
}
GST_END_TEST

/* Two moofs whose samples are the same bytes would be decrypted twice. */
GST_START_TEST (test_moofs_that_share_bytes)
{
  GByteArray *file = fragmented_new ();

  append (file, make_moof (10, 2 * MOOF_SIZE + 8));
  append (file, make_moof (10, MOOF_SIZE + 8 + 9));
  append_mdat (file, 100);
  check_both_refuse (file, "share bytes");
  g_byte_array_unref (file);
}
GST_END_TEST

/* Of a track that is not decrypted they are nobody's business. */
GST_START_TEST (test_clear_moofs_that_share_bytes)
{
  GByteArray *file = file_new ();
  BmffBox *moov = make_moov (make_stbl (TRUE, 0, 0, 0), FALSE);
  guint i;

  bmff_box_append (moov, make_trak (2, make_stbl (FALSE, 0, 0, 0)));
  bmff_box_append (moov,
      PARENT ("mvex", LEAF ("trex", 0, 1, 1, 20, 1, 0),
          LEAF ("trex", 0, 2, 1, 20, 1, 0)));
  append (file, moov);
  for (i = 2; i > 0; i--)
    append (file,
        PARENT ("moof", LEAF ("mfhd", 0, 1),
            PARENT ("traf", LEAF ("tfhd", 0x020000, 2),
                LEAF ("trun", 1, 10, i * MOOF_SIZE + 8))));
  append_mdat (file, 100);
  check_passes (file, "");
  check_passes (file, "! queue");
  g_byte_array_unref (file);
}
GST_END_TEST

/* A sample without bytes amid another track's: what stands behind it there. */
GST_START_TEST (test_sample_without_bytes)
{
  GByteArray *file = file_new (), *pulled, *pushed;
  BmffBox *entries[] = { make_entry (TRUE), NULL };
  BmffBox *stbl = PARENT ("stbl", box ("stsd", WORDS (0, 1), entries),
      LEAF ("stts", 0, 1, 1, 20), LEAF ("stsc", 0, 1, 1, 1, 1),
      LEAF ("stsz", 0, 0, 1, 0), LEAF ("stco", 0, 1, 28 + 200));
  BmffBox *moov = make_moov (make_stbl (TRUE, 10, 100, 28), FALSE);
  GError *error = NULL;

  bmff_box_append (moov, make_trak (2, stbl));
  append_mdat (file, 1000);
  append (file, moov);
  pulled = run (file, "", DECRYPT, &error);
  fail_unless (pulled != NULL, "%s", error ? error->message : "");
  fail_unless (
      memcmp (pulled->data + 28 + 300, file->data + 28 + 300, 96) != 0);
  pushed = run (file, "! queue", DECRYPT, &error);
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
  GByteArray *file = file_new ();
  guint i;

  append_mdat (file, 1000);
  for (i = 0; i < n_moovs; i++)
    append (file, make_moov (make_stbl (TRUE, n - i, size, 28), FALSE));
  return file;
}

/* A moov that comes again is no new one; one that tells otherwise of the same
 * bytes is. */
GST_START_TEST (test_moov_twice)
{
  GByteArray *file = make_progressive (1, 10, 100), *once, *twice;
  GError *error = NULL;
  guint moov = file->len;

  append (file, make_moov (make_stbl (TRUE, 10, 100, 28), FALSE));
  moov = file->len - moov;
  twice = run (file, "", DECRYPT, &error);
  fail_unless (twice != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (twice->len, file->len);
  fail_unless (memcmp (twice->data + file->len - moov,
                   twice->data + file->len - 2 * moov, moov) == 0);
  g_byte_array_set_size (file, file->len - moov);
  once = run (file, "", DECRYPT, NULL);
  fail_unless (memcmp (once->data, twice->data, once->len) == 0);
  g_byte_array_unref (once);
  g_byte_array_unref (twice);
  g_byte_array_unref (file);

  file = make_progressive (2, 10, 100);
  check_refused (file, "", DECRYPT, "samples of another moov");
  g_byte_array_unref (file);
}
GST_END_TEST

/* Information of no byte for samples that are not there either. */
GST_START_TEST (test_empty_information)
{
  GByteArray *file = file_new ();
  guint32 n = 1u << 23;
  guint i;

  append_mdat (file, 1000);
  for (i = 0; i < 2; i++) {
    BmffBox *stbl = make_stbl (TRUE, n, 1, 28 + i * n);

    bmff_box_append (stbl, LEAF ("senc", 0, n));
    append (file, make_moov (stbl, FALSE));
  }
  check_refused (file, "", DECRYPT, "empty auxiliary information");
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
    g_autoptr (GByteArray) file = file_new ();
    g_autoptr (GError) error = NULL;
    BmffBox *stbl = make_stbl (TRUE, n, 1, 100000);

    bmff_box_append (stbl, LEAF ("senc", 0, n));
    append (file, make_moov (stbl, FALSE));
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
  GByteArray *file = file_new ();

  append (file, make_moov (make_stbl (FALSE, G_MAXUINT32, 1, 28), FALSE));
  append_mdat (file, 1000);
  check_refused (file, "",
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
