/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencencrypt on files whose moov stands first, where the output can be overwritten: read
 * once, and the same as where it cannot. */

#include "../elements/cencencrypt-judge.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <string.h>

/* More samples than are looked at before the rest is foreseen */
#define CLIP \
  "videotestsrc num-buffers=560 pattern=snow ! video/x-raw,width=64,height=48," \
  "framerate=25/1 ! x264enc key-int-max=25 speed-preset=ultrafast ! " \
  "h264parse ! mp4mux name=m faststart=true ! appsink name=out " \
  "audiotestsrc num-buffers=700 ! avenc_aac ! aacparse ! m."
#define NEEDED "x264enc h264parse avenc_aac aacparse mp4mux"
#define ENCRYPT \
  "cencencrypt key-id=" JUDGE_KID " key=" JUDGE_KEY " iv=1122334455667788 "

static GBytes *clip; /* NULL: it cannot be made here */

static void
set_up (void)
{
  if (judge_has_elements (NEEDED))
    clip = judge_run_apart (CLIP);
}

static void
tear_down (void)
{
  g_clear_pointer (&clip, g_bytes_unref);
}

/* What goes back in the output begins a segment there. */
static GstPadProbeReturn
count_segment (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_SEGMENT)
    ++*(guint *) n;
  return GST_PAD_PROBE_OK;
}

static void
wait_for_end (GstElement *pipeline, GError **error)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_message_unref (message);
  gst_object_unref (bus);
}

/* To a file, which is given also if there is an error. @between: elements in front of
 * ours; @segments: (out): how often the output was gone to */
static GBytes *
encrypt_to_file (GBytes *clear, const gchar *between, const gchar *properties,
    guint *segments, GError **error)
{
  g_autofree gchar *in = judge_write (clear);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_autofree gchar *path = judge_write (nothing);
  g_autofree gchar *description =
      g_strdup_printf ("filesrc location=%s ! %s" ENCRYPT
                       "%s ! filesink name=out location=%s",
          in, between, properties, path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  gchar *data;
  gsize size;

  *segments = 0;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, count_segment,
      segments, NULL);
  wait_for_end (pipeline, error);
  gst_object_unref (pad);
  gst_object_unref (sink);
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  g_unlink (path);
  g_unlink (in);
  return g_bytes_new_take (data, size);
}

/* Where it cannot be overwritten */
static GBytes *
encrypt_in_order (GBytes *clear, const gchar *properties)
{
  g_autofree gchar *path = judge_write (clear);
  g_autofree gchar *description = g_strconcat ("filesrc location=", path, " ! ",
      ENCRYPT, properties, " ! appsink name=out", NULL);
  GBytes *out = judge_make_stream (description);

  g_unlink (path);
  return out;
}

/* @segments: that are expected */
static void
check_same (GBytes *clear, const gchar *between, const gchar *properties,
    guint segments)
{
  g_autoptr (GBytes) want = encrypt_in_order (clear, properties);
  g_autoptr (GError) error = NULL;
  guint n;
  g_autoptr (GBytes) out =
      encrypt_to_file (clear, between, properties, &n, &error);

  fail_unless (!error, "%s", error ? error->message : "");
  fail_unless (g_bytes_equal (want, out));
  assert_equals_int (n, segments);
  judge_places (out);
}

static const struct
{
  const gchar *scheme, *properties;
} plans[] = {
  { "cenc", "" },
  { "cenc", " iv-size=16 iv=112233445566778899aabbccddeeff00" },
  { "cbcs", "" },
  { "cens", "" },
  { "cbc1", "" },
};

GST_START_TEST (test_foreseen)
{
  const gchar *scheme = plans[__i__].scheme;
  g_autofree gchar *properties =
      g_strconcat ("scheme=", scheme, plans[__i__].properties, NULL);
  g_autoptr (GBytes) out = NULL;

  if (!clip)
    return;
  check_same (clip, "", properties, 2);
  out = encrypt_in_order (clip, properties);
  judge_same_samples (clip, out, scheme);
}
GST_END_TEST

/* By way of the spool likewise. */
GST_START_TEST (test_pushed)
{
  if (clip)
    check_same (clip, "queue ! ", "scheme=cenc", 2);
}
GST_END_TEST

/* What makes samples differ goes by two passes. */
GST_START_TEST (test_not_foreseen)
{
  if (clip)
    check_same (clip, "", "clear-lead=3000000000", 1);
}
GST_END_TEST

static guint8 *
copy_clip (gsize *size)
{
  gconstpointer data = g_bytes_get_data (clip, size);

  return g_memdup2 (data, *size);
}

static gsize
find (const guint8 *data, gsize size, gsize from, const gchar *type)
{
  gsize i;

  for (i = from; i + 4 <= size; i++) {
    if (memcmp (data + i, type, 4) == 0)
      return i;
  }
  fail ("no %s", type);
  return 0;
}

/* In the clip's bytes, the first picture of the last chunk but @back; 0: the last. */
static guint8 *
find_picture (guint8 *data, gsize size, guint back)
{
  const guint8 *stco =
      data + find (data, size, find (data, size, 0, "vmhd"), "stco");
  guint32 n = GST_READ_UINT32_BE (stco + 8);

  return data + GST_READ_UINT32_BE (stco + 8 + 4 * (n - back));
}

/* Of a picture's only slice the end becomes another NAL unit, of filler data, which
 * stays clear: two subsamples. */
static void
add_filler (guint8 *picture)
{
  static const guint8 filler[] = { 0, 0, 0, 2, 0x0c, 0x80 };
  guint32 size;

  while ((picture[4] & 0x1f) > 5) /* what stands in front of it */
    picture += 4 + GST_READ_UINT32_BE (picture);
  size = GST_READ_UINT32_BE (picture);
  fail_unless (size > 64, "%u", size);
  memcpy (picture + 4 + size - sizeof filler, filler, sizeof filler);
  GST_WRITE_UINT32_BE (picture, size - (guint32) sizeof filler);
}

/* A sample that was not foreseen, in one of the last chunks: all is written again. */
GST_START_TEST (test_surprise)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  guint segments;
  guint8 *data;
  gsize size;

  if (!clip)
    return;
  data = copy_clip (&size);
  add_filler (find_picture (data, size, __i__));
  clear = g_bytes_new_take (data, size);
  out = encrypt_to_file (clear, "", "scheme=cenc", &segments, NULL);
  assert_equals_int (segments, 2);
  check_same (clear, "", "scheme=cenc", 2);
  judge_same_samples (clear, out, "cenc");
}
GST_END_TEST

/* Found when others went out already: an error, and nothing that looks whole. */
GST_START_TEST (test_damaged)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GError) error = NULL;
  guint segments;
  guint8 *data;
  gsize size;

  if (!clip)
    return;
  data = copy_clip (&size);
  memset (find_picture (data, size, 0), 0x7f, 4);
  clear = g_bytes_new_take (data, size);
  out = encrypt_to_file (clear, "", "scheme=cenc", &segments, &error);
  fail_unless (
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX));
  fail_unless (strstr (error->message, "NAL unit") != NULL, "%s",
      error->message);
  assert_equals_int (segments, 1);
  assert_equals_int (judge_count (out, "moov"), 0);
  assert_equals_int (judge_count (out, "free"), 1);
}
GST_END_TEST

static Suite *
encrypt_foreseen_suite (void)
{
  Suite *s = suite_create ("encrypt-foreseen");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_unchecked_fixture (tc, set_up, tear_down);
  tcase_add_loop_test (tc, test_foreseen, 0, G_N_ELEMENTS (plans));
  tcase_add_test (tc, test_pushed);
  tcase_add_test (tc, test_not_foreseen);
  tcase_add_loop_test (tc, test_surprise, 0, 2);
  tcase_add_test (tc, test_damaged);
  return s;
}

GST_CHECK_MAIN (encrypt_foreseen);
