/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that rotate in a progressive file. */

#include "cencencrypt-period-util.h"

#include <glib/gstdio.h>
#include <string.h>
#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-source.h"

#define NEEDED "x264enc h264parse avenc_aac aacparse mp4mux"

/* 4 s of pictures, each second begins with a sync sample, and of sound. */
static GBytes *
make_file (const gchar *muxer)
{
  g_autofree gchar *description = g_strconcat (
      "videotestsrc num-buffers=100 ! video/x-raw,width=160,height=120,"
      "framerate=25/1 ! x264enc key-int-max=25 speed-preset=ultrafast ! "
      "h264parse ! mp4mux name=m ",
      muxer,
      " ! filesink location=%s audiotestsrc num-buffers=170 ! avenc_aac ! "
      "aacparse ! m.",
      NULL);

  return judge_make (description);
}

/* @between: elements between the file and ours */
static GBytes *
encrypt_file (GBytes *file, const gchar *between, const gchar *settings,
    GError **error)
{
  g_autofree gchar *elements =
      g_strconcat (between, "cencencrypt ", settings, NULL);

  return judge_convert (file, elements, error);
}

static BmffBox *
read_moov (GBytes *file)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  BmffHeader header;
  guint64 offset = 0;

  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    if (header.type == FOURCC ("moov"))
      return bmff_source_read_box (source, offset, NULL);
  }
  return NULL;
}

static const gchar *schemes[] = { "cenc", "cbcs", "cens", "cbc1" };
static const gchar *layouts[] = { "", "faststart=true" };

GST_START_TEST (test_schemes)
{
  g_autofree gchar *settings =
      g_strconcat (BY_SEED "scheme=", schemes[__i__ / 2], NULL);
  const gchar *kids[4];
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  GError *error = NULL;
  guint i;

  if (!judge_has_elements (NEEDED))
    return;
  for (i = 0; i < 4; i++)
    kids[i] = period_derived[i][0];
  clear = make_file (layouts[__i__ % 2]);
  out = encrypt_file (clear, "", settings, &error);
  fail_unless (out, "%s", error ? error->message : "");
  judge_same_samples (clear, out, schemes[__i__ / 2]);
  judge_places (out);
  period_check_pictures (out, kids);
}
GST_END_TEST

/* By way of the spool the file is the same, byte for byte. */
GST_START_TEST (test_pushed)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) pulled = NULL;
  g_autoptr (GBytes) pushed = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  clear = make_file ("");
  pulled = encrypt_file (clear, "", BY_SEED IV, NULL);
  pushed = encrypt_file (clear, "queue ! ", BY_SEED IV, NULL);
  fail_unless (pulled && pushed && g_bytes_equal (pulled, pushed));
}
GST_END_TEST

/* One description for each key, however often it comes; none for tenc's; pssh
 * with all KIDs. */
GST_START_TEST (test_boxes)
{
  static const guint8 runs[] = "\0\0\0\x04\0\0\0\x19\0\0\0\0\0\0\0\x19\0\0\0\1"
                               "\0\0\0\x19\0\0\0\2\0\0\0\x19\0\0\0\1";
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (BmffBox) moov = NULL;
  const BmffBox *stbl, *sgpd, *sbgp, *pssh;
  const guint8 *data;
  gsize size;

  if (!judge_has_elements (NEEDED))
    return;
  clear = make_file ("");
  out = encrypt_file (clear, "",
      "crypto-period=1000000000 period-keys=" KEY_A ";" KEY_B ";" KEY_C
      ";" KEY_B,
      NULL);
  fail_unless (out);
  judge_same_samples (clear, out, "cenc");
  moov = read_moov (out);
  stbl = bmff_box_find (moov, "trak/mdia/minf/stbl");
  sgpd = bmff_box_child (stbl, FOURCC ("sgpd"));
  sbgp = bmff_box_child (stbl, FOURCC ("sbgp"));
  pssh = bmff_box_child (moov, FOURCC ("pssh"));
  fail_unless (sgpd && sbgp && pssh);
  fail_unless_equals_int (g_bytes_get_size (sgpd->payload), 16 + 2 * 20);
  data = g_bytes_get_data (sbgp->payload, &size);
  fail_unless_equals_int (size, 8 + sizeof runs - 1);
  fail_unless (memcmp (data + 8, runs, sizeof runs - 1) == 0);
  fail_unless_equals_int (g_bytes_get_size (pssh->payload),
      4 + 16 + 4 + 3 * 16 + 4);
}
GST_END_TEST

/* The clear lead is in no period. */
GST_START_TEST (test_clear_lead)
{
  static const guint8 runs[] = "\0\0\0\x03\0\0\0\x32\0\0\0\0\0\0\0\x19\0\0\0\1"
                               "\0\0\0\x19\0\0\0\2";
  static const gchar *kids[] = { NULL, NULL, "00112233445566778899aabbccddee02",
    "00112233445566778899aabbccddee03" };
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (BmffBox) moov = NULL;
  const BmffBox *sbgp;
  GError *error = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  clear = make_file ("");
  out = encrypt_file (clear, "", BY_SEED "clear-lead=1500000000", &error);
  fail_unless (out, "%s", error ? error->message : "");
  period_check_pictures (out, kids);
  moov = read_moov (out);
  sbgp = bmff_box_child (bmff_box_find (moov, "trak/mdia/minf/stbl"),
      FOURCC ("sbgp"));
  fail_unless_equals_int (g_bytes_get_size (sbgp->payload),
      8 + sizeof runs - 1);
  fail_unless (
      memcmp ((const guint8 *) g_bytes_get_data (sbgp->payload, NULL) + 8, runs,
          sizeof runs - 1) == 0);
  {
    g_autoptr (GPtrArray) want = judge_read (clear, JUDGE_SENC, NULL);
    g_autoptr (GPtrArray) have = judge_read (out, JUDGE_SAIZ, &error);
    JudgeTrack *a, *b;
    guint i;

    fail_unless (have, "%s", error ? error->message : "");
    a = want->pdata[0];
    b = have->pdata[0];
    for (i = 0; i < 100; i++)
      fail_unless (g_bytes_equal (a->samples->pdata[i], b->samples->pdata[i]));
  }
}
GST_END_TEST

/* Nothing goes out of a file for which a key is missing somewhere. */
GST_START_TEST (test_list_ends)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GError) error = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  clear = make_file ("");
  fail_if (encrypt_file (clear, "",
      "crypto-period=1000000000 period-keys=" KEY_A ";" KEY_B, &error));
  fail_unless (strstr (error->message, "no keys for period 2"), "%s",
      error->message);
}
GST_END_TEST

/* All of them, in order, as the keys in the document. */
GST_START_TEST (test_messages)
{
  g_autofree gchar *path = g_build_filename (period_folder, "keys.xml", NULL);
  g_autofree gchar *file = NULL;
  g_autofree gchar *description = NULL;
  g_autofree gchar *text = NULL;
  g_autoptr (GBytes) clear = NULL;
  GstElement *pipeline;
  GstMessage *message;
  GstBus *bus;
  guint64 period, n = 0;

  if (!judge_has_elements (NEEDED))
    return;
  clear = make_file ("");
  file = judge_write (clear);
  description = g_strdup_printf ("filesrc location=%s ! cencencrypt "
                                 "crypto-period=1000000000 cpix-output=%s ! "
                                 "fakesink",
      file, path);
  pipeline = gst_parse_launch (description, NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
              GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT))) {
    gboolean last = GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT;

    fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
    if (!last && gst_message_has_name (message, "cencencrypt-keys")) {
      fail_unless (
          gst_structure_get_uint64 (gst_message_get_structure (message),
              "period", &period));
      fail_unless_equals_uint64 (period, n++);
    }
    gst_message_unref (message);
    if (last)
      break;
  }
  fail_unless_equals_uint64 (n, 4);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  fail_unless (g_file_get_contents (path, &text, NULL, NULL));
  fail_unless (strstr (text, "index=\"3\"") && !strstr (text, "index=\"4\""));
  g_unlink (path);
  g_unlink (file);
}
GST_END_TEST

static Suite *
cencencrypt_period_files_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-period-files");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_loop_test (tcase, test_schemes, 0, 8);
  tcase_add_test (tcase, test_pushed);
  tcase_add_test (tcase, test_boxes);
  tcase_add_test (tcase, test_clear_lead);
  tcase_add_test (tcase, test_list_ends);
  tcase_add_test (tcase, test_messages);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_period_files);
