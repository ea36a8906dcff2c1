/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cencencrypt makes of a file: samples, keys, IVs, boxes. */

#define _GNU_SOURCE /* memmem() */

#include "cencencrypt-period-util.h"

#include <string.h>

#define ENCRYPT "key-id=" JUDGE_KID " key=" JUDGE_KEY " "

GST_START_TEST (test_same_samples)
{
  static const gchar *schemes[] = { "cenc", "cbcs", "cens", "cbc1" };
  g_autofree gchar *description =
      g_strconcat (ENCRYPT "scheme=", schemes[__i__], NULL);
  g_autoptr (GBytes) out = NULL;

  if (!period_clear)
    return;
  out = period_convert_with (description, period_clear, 4096);
  fail_unless (out);
  judge_same_samples (period_clear, out, schemes[__i__]);
  judge_places (out);
}
GST_END_TEST

/* How the input was cut makes no difference to a byte. */
GST_START_TEST (test_any_pieces)
{
  static const gsize steps[] = { 1, 7, 188, 4096, G_MAXINT };
  g_autoptr (GBytes) want = NULL;
  guint i;

  if (!period_clear)
    return;
  want = period_convert_with (ENCRYPT IV, period_clear, 65536);
  fail_unless (want);
  for (i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autoptr (GBytes) out =
        period_convert_with (ENCRYPT IV, period_clear, steps[i]);

    fail_unless (out && g_bytes_equal (out, want), "in pieces of %u",
        (guint) steps[i]);
  }
}
GST_END_TEST

GST_START_TEST (test_random_iv)
{
  g_autoptr (GBytes) one = NULL;
  g_autoptr (GBytes) two = NULL;
  GstElement *element;
  guint i;

  if (!period_clear)
    return;
  one = period_convert_with (ENCRYPT, period_clear, 65536);
  two = period_convert_with (ENCRYPT, period_clear, 65536);
  fail_unless (one && two);
  fail_if (g_bytes_equal (one, two), "two runs used the same IVs");

  /* The same element once more. */
  element = gst_element_factory_make ("cencencrypt", NULL);
  g_object_set (element, "key-id", JUDGE_KID, "key", JUDGE_KEY, NULL);
  for (i = 0; i < 2; i++) {
    GstHarness *h = gst_harness_new_with_element (element, "sink", "src");

    g_bytes_unref (one);
    one = two;
    gst_harness_set_src_caps_str (h, "video/quicktime");
    two = period_convert (h, period_clear, 65536);
    gst_harness_teardown (h);
  }
  fail_unless (one && two);
  fail_if (g_bytes_equal (one, two), "a second run used the same IVs");
  judge_same_samples (period_clear, two, "cenc");
  gst_object_unref (element);
}
GST_END_TEST

#define TRACK_KEYS \
  "AUDIO=" JUDGE_KID_2 ":" JUDGE_KEY_2 ",SD=" JUDGE_KID ":" JUDGE_KEY

GST_START_TEST (test_track_keys)
{
  g_autoptr (GBytes) out = NULL;
  const guint8 *data;
  gsize size;

  if (!period_clear)
    return;
  out = period_convert_with ("scheme=cbcs track-keys=" TRACK_KEYS, period_clear,
      65536);
  fail_unless (out);
  judge_same_samples (period_clear, out, "cbcs");
  data = g_bytes_get_data (out, &size);
  /* Both KIDs are in the pssh. */
  fail_unless (memmem (data, size, "\0\0\0\2\x00\x11\x22\x33", 8));
}
GST_END_TEST

GST_START_TEST (test_track_keys_missing)
{
  if (!period_clear)
    return;
  period_check_fails ("track-keys=UHD1=" JUDGE_KID ":" JUDGE_KEY, period_clear,
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "SD");
}
GST_END_TEST

GST_START_TEST (test_tracks)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;

  if (!period_clear)
    return;
  out = period_convert_with (ENCRYPT "tracks=audio", period_clear, 65536);
  fail_unless (out);
  judge_same_samples (period_clear, out, "cenc");
  tracks = judge_read (out, JUDGE_SENC, NULL);
  fail_unless (((JudgeTrack *) g_ptr_array_index (tracks, 0))->scheme == 0);
  fail_unless (((JudgeTrack *) g_ptr_array_index (tracks, 1))->scheme != 0);
}
GST_END_TEST

/* No fragment says where it is in time. */
static GBytes *
make_timeless (GBytes *file)
{
  gsize size = g_bytes_get_size (file), i;
  guint8 *data = g_memdup2 (g_bytes_get_data (file, NULL), size);

  for (i = 0; i + 4 <= size; i++) {
    if (memcmp (data + i, "tfdt", 4) == 0)
      memcpy (data + i, "free", 4);
  }
  return g_bytes_new_take (data, size);
}

/* Whole fragments stay period_clear, by a second sample entry. */
GST_START_TEST (test_clear_lead)
{
  static const gchar *schemes[] = { "cenc", "cbcs" };
  g_autofree gchar *description =
      g_strconcat (ENCRYPT "clear-lead=1500000000 scheme=", schemes[__i__ % 2],
          NULL);
  g_autoptr (GBytes) timeless = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  JudgeTrack *video;
  guint i, n_same = 0;

  if (!period_clear)
    return;
  timeless = make_timeless (period_clear);
  out = period_convert_with (description, __i__ < 2 ? period_clear : timeless,
      4096);
  fail_unless (out);
  judge_places (out);
  tracks = judge_read (out, JUDGE_SAIZ, NULL);
  fail_unless (tracks);
  video = g_ptr_array_index (tracks, 0);
  for (i = 0; i < video->samples->len; i++) {
    gboolean same = g_bytes_equal (g_ptr_array_index (video->samples, i),
        g_ptr_array_index (video->raw, i));

    /* Two fragments of a second each begin before 1.5 s. */
    fail_unless (same == (i < 50), "sample %u", i);
    n_same += same;
  }
  fail_unless_equals_int (n_same, 50);
  {
    g_autoptr (GPtrArray) want = judge_read (period_clear, JUDGE_SENC, NULL);
    JudgeTrack *from = g_ptr_array_index (want, 0);

    for (i = 0; i < video->samples->len; i++)
      fail_unless (g_bytes_equal (g_ptr_array_index (from->samples, i),
          g_ptr_array_index (video->samples, i)));
  }
}
GST_END_TEST

/* No more than KIDs go to the application. */
GST_START_TEST (test_message)
{
  GstHarness *h;
  GstBus *bus;
  GstMessage *message;
  const GstStructure *s;
  g_autofree gchar *text = NULL;

  if (!period_clear)
    return;
  h = period_harness_new ("scheme=cbcs track-keys=" TRACK_KEYS);
  bus = period_watch (h);
  g_bytes_unref (period_convert (h, period_clear, 65536));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (message);
  s = gst_message_get_structure (message);
  fail_unless (gst_structure_has_name (s, "cencencrypt-keys"));
  fail_unless_equals_string (gst_structure_get_string (s, "scheme"), "cbcs");
  fail_unless (gst_structure_has_field (s, "pssh"));
  text = gst_structure_to_string (s);
  fail_unless (strstr (text, JUDGE_KID) && strstr (text, JUDGE_KID_2));
  fail_if (strstr (text, JUDGE_KEY) || strstr (text, JUDGE_KEY_2));
  gst_message_unref (message);
  fail_if (gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT), "told twice");
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST

/* Payloads as others read them: Widevine's is shaka-packager's, byte for byte. */
GST_START_TEST (test_pssh)
{
  static const gchar widevine[] =
      "\0\0\0\x38pssh\0\0\0\0\xed\xef\x8b\xa9\x79\xd6\x4a\xce\xa3\xc8\x27\xdc"
      "\xd5\x1d\x21\xed\0\0\0\x18\x12\x10\x00\x11\x22\x33\x44\x55\x66\x77\x88"
      "\x99\xaa\xbb\xcc\xdd\xee\xff\x48\xe3\xdc\x95\x9b\x06";
  static const gchar raw[] = "\0\0\0\x21pssh\0\0\0\0ABCDEFGHIJKLMNOP\0\0\0\1z";
  static const gchar kid[] = "M\0y\0I\0R\0A\0F\0V\0E\0d\0";
  g_autofree gchar *base64 =
      g_base64_encode ((const guchar *) raw, sizeof (raw) - 1);
  g_autofree gchar *description = g_strconcat (ENCRYPT
      "protection-systems=widevine+playready+clearkey pssh=\"",
      base64, "\"", NULL);
  g_autoptr (GBytes) out = NULL;
  const guint8 *data;
  gsize size;

  if (!period_clear)
    return;
  out = period_convert_with (description, period_clear, 65536);
  fail_unless (out);
  data = g_bytes_get_data (out, &size);
  fail_unless (memmem (data, size, widevine, sizeof (widevine) - 1));
  fail_unless (memmem (data, size, raw, sizeof (raw) - 1));
  fail_unless (memmem (data, size, kid, sizeof (kid) - 1));
  judge_same_samples (period_clear, out, "cenc");
}
GST_END_TEST

static Suite *
cencencrypt_suite (void)
{
  Suite *suite = suite_create ("cencencrypt");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_loop_test (tcase, test_same_samples, 0, 4);
  tcase_add_test (tcase, test_any_pieces);
  tcase_add_test (tcase, test_random_iv);
  tcase_add_test (tcase, test_track_keys);
  tcase_add_test (tcase, test_track_keys_missing);
  tcase_add_test (tcase, test_tracks);
  tcase_add_loop_test (tcase, test_clear_lead, 0, 4);
  tcase_add_test (tcase, test_message);
  tcase_add_test (tcase, test_pssh);
  return suite;
}

GST_CHECK_MAIN (cencencrypt);
