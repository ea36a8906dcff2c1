/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clipMode sample in the midst of a title: the GOPs that a cut splits are encoded
 * anew, every other frame is the source's own. */

#include <string.h>

#include "remix-media.h"

#define FRAME (160 * 90 * 3 / 2)
#define SOURCE(pattern, seconds) \
  "-f lavfi -i " pattern "=s=160x90:r=25:d=" seconds \
  " -f lavfi -i sine=440:r=48000:d=" seconds " -threads 1 -pix_fmt yuv420p" \
  " -g 25 -keyint_min 25 -sc_threshold 0 -c:a aac -b:a 64k "

static void
setup (void)
{
  remix_media_open ();
  remix_media_make (
      SOURCE ("testsrc2", "4") "-c:v libx264 -preset ultrafast -bf 2 a.mp4");
  remix_media_make (SOURCE ("testsrc",
      "1") "-c:v libx264 -preset ultrafast -profile:v main -refs 3 b.mp4");
}

static gboolean
has_encoder (const gchar *encoder, const gchar *decoder)
{
  g_autoptr (GstElementFactory) a = gst_element_factory_find (encoder);
  g_autoptr (GstElementFactory) b = gst_element_factory_find (decoder);

  return a && b;
}

/* The pictures of @name, one behind the other. */
static GByteArray *
load_pictures (const gchar *name)
{
  g_autofree gchar *args =
      g_strdup_printf ("-i %s -map 0:v -vsync passthrough -f rawvideo "
                       "-pix_fmt yuv420p pictures.raw",
          name);
  g_autofree gchar *path = remix_media_path ("pictures.raw");
  gchar *data = NULL;
  gsize size;

  remix_media_make (args);
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  return g_byte_array_new_take ((guint8 *) data, size);
}

static void
append (GByteArray *expected, const gchar *name, guint from, guint to)
{
  GByteArray *all = load_pictures (name);

  fail_unless (to * FRAME <= all->len);
  g_byte_array_append (expected, all->data + from * FRAME, (to - from) * FRAME);
  g_byte_array_unref (all);
}

/* The mean of the squares of all differences. */
static gdouble
get_difference (const guint8 *a, const guint8 *b)
{
  gdouble sum = 0;
  guint i;

  for (i = 0; i < FRAME; i++)
    sum += (gdouble) (a[i] - b[i]) * (a[i] - b[i]);
  return sum / FRAME;
}

/* Frame for frame the same, but for [@from, @to) and [@from2, @to2), which are no
 * more than alike: 38 dB; the frame beside is 20 dB off. */
static void
expect_pictures (GByteArray *expected, guint from, guint to, guint from2,
    guint to2)
{
  GByteArray *found = load_pictures ("o.mp4");
  guint i;

  fail_unless_equals_int (found->len / FRAME, expected->len / FRAME);
  for (i = 0; i < found->len / FRAME; i++) {
    gdouble difference = get_difference (found->data + (gsize) i * FRAME,
        expected->data + (gsize) i * FRAME);
    gboolean encoded = (i >= from && i < to) || (i >= from2 && i < to2);

    fail_unless (encoded ? difference < 10 : difference == 0,
        "frame %u differs by %f", i, difference);
    fail_unless (!encoded || difference > 0, "frame %u is not encoded", i);
  }
  g_byte_array_unref (found);
}

static void
run (const gchar *body, const gchar *properties)
{
  g_autofree gchar *error = remix_media_run (body, properties, "o.mp4");

  fail_unless (error == NULL, "%s", error);
}

#define AMIDST(begin, end, ext) \
  "<video src='b." ext "'/><video src='a." ext "' clipBegin='" begin \
  "' clipEnd='" end "' clipMode='sample'/><video src='b." ext "'/>"

static void
check_title (const gchar *ext, const gchar *begin, const gchar *end, guint from,
    guint to, const gchar *properties)
{
  g_autofree gchar *a = g_strconcat ("a.", ext, NULL);
  g_autofree gchar *b = g_strconcat ("b.", ext, NULL);
  g_autofree gchar *body = g_strdup_printf (
      "<video src='%s'/><video src='%s' clipBegin='%s' clipEnd='%s' "
      "clipMode='sample'/><video src='%s'/>",
      b, a, begin, end, b);
  GByteArray *expected = g_byte_array_new ();
  guint head = MIN ((from + 24) / 25 * 25, to), tail = MAX (to / 25 * 25, head);
  gdouble seconds = (to - from + 50) / 25.0;

  append (expected, b, 0, 25);
  append (expected, a, from, to);
  append (expected, b, 0, 25);
  run (body, properties);
  expect_pictures (expected, 25, 25 + head - from, 25 + tail - from,
      25 + to - from);
  /* In fragments ffmpeg plays priming, and the whole of the last frame. */
  fail_unless (ABS (remix_media_audio_seconds ("o.mp4") - seconds) <
      (properties ? 0.07 : 0.03));
  g_byte_array_unref (expected);
}

GST_START_TEST (test_h264)
{
  /* Both ends within GOPs; within one; the end of what is before B-frames. */
  check_title ("mp4", "0.4s", "2.48s", 10, 62, NULL);
  check_title ("mp4", "1.2s", "1.6s", 30, 40, NULL);
  check_title ("mp4", "3.2s", "4s", 80, 100, NULL);
  check_title ("mp4", "0.4s", "2.48s", 10, 62,
      "parameter-sets=in-band fragment-duration=500");
}

GST_END_TEST;

/* At the title's start what is not seen is hidden; the end of a fragmented title
 * is encoded, since nothing behind it can be hidden. */
GST_START_TEST (test_alone)
{
  GByteArray *expected = g_byte_array_new ();

  /* In fragments ffmpeg shows what the edit list hides. */
  append (expected, "a.mp4", 0, 62);
  run ("<video src='a.mp4' clipBegin='0.4s' clipEnd='2.48s' "
       "clipMode='sample'/>",
      "parameter-sets=in-band fragment-duration=500");
  expect_pictures (expected, 50, 62, 0, 0);
  g_byte_array_unref (expected);

  expected = g_byte_array_new ();
  append (expected, "a.mp4", 30, 40);
  run ("<video src='a.mp4' clipBegin='1.2s' clipEnd='1.6s' "
       "clipMode='sample'/>",
      "fragment-duration=500");
  expect_pictures (expected, 0, 10, 0, 0);
  g_byte_array_unref (expected);
}

GST_END_TEST;

GST_START_TEST (test_h265)
{
  static const gchar *const names[] = { "a", "b" };
  guint i;

  if (!has_encoder ("x265enc", "avdec_h265") ||
      !has_encoder ("h265parse", "h265parse"))
    return;
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *args = g_strdup_printf (
        "-i %s.mp4 -c:a copy -c:v libx265 -preset ultrafast -x265-params "
        "log-level=none:pools=none:frame-threads=1:keyint=25:min-keyint=25:"
        "scenecut=0:open-gop=0 -tag:v hvc1 %s.h.mp4",
        names[i], names[i]);

    remix_media_make (args);
  }
  check_title ("h.mp4", "0.4s", "2.48s", 10, 62, NULL);
}

GST_END_TEST;

static gboolean
takes_format (const gchar *encoder, const gchar *format)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (encoder);
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-raw", "format",
      G_TYPE_STRING, format, NULL);

  return factory && gst_element_factory_can_sink_any_caps (factory, caps);
}

/* High 10, and Main 10. */
GST_START_TEST (test_10_bits)
{
  static const gchar *const encoders[][3] = {
    { "x264enc", "libx264", "10.mp4" },
    { "x265enc",
        "libx265 -tag:v hvc1 -x265-params log-level=none:pools=none:"
        "frame-threads=1:keyint=25:min-keyint=25:scenecut=0:"
        "open-gop=0",
        "10h.mp4" },
  };
  static const gchar *const names[] = { "a", "b" };
  guint i, j;

  for (i = 0; i < G_N_ELEMENTS (encoders); i++) {
    if (!takes_format (encoders[i][0], "I420_10LE"))
      continue;
    for (j = 0; j < G_N_ELEMENTS (names); j++) {
      g_autofree gchar *args = g_strdup_printf (
          "-i %s.mp4 -c:a copy -pix_fmt yuv420p10le -g 25 -keyint_min 25 "
          "-sc_threshold 0 -c:v %s -preset ultrafast -bf 2 %s.%s",
          names[j], encoders[i][1], names[j], encoders[i][2]);

      remix_media_make (args);
    }
    check_title (encoders[i][2], "0.4s", "2.48s", 10, 62, NULL);
  }
}

GST_END_TEST;

GST_START_TEST (test_played)
{
  /* Of several descriptions in fragments qtdemux 1.22 loses pictures. */
  static const gchar *const properties[] = { "",
    "parameter-sets=in-band fragment-duration=500" };
  g_autofree gchar *playlist = remix_media_path ("playlist.smil");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (properties); i++) {
    g_autofree gchar *source =
        g_strdup_printf ("smilremixsrc location=\"%s\" %s", playlist,
            properties[i]);
    guint n_video, n_audio;

    run (AMIDST ("0.4s", "2.48s", "mp4"), properties[i]);
    remix_media_play (source, &n_video, &n_audio);
    fail_unless_equals_int (n_video, 25 + 52 + 25);
  }
}

GST_END_TEST;

GST_START_TEST (test_deterministic)
{
  g_autofree gchar *path = remix_media_path ("o.mp4");
  g_autofree gchar *one = NULL;
  g_autofree gchar *other = NULL;
  gsize size, size2;

  run (AMIDST ("0.4s", "2.48s", "mp4"), NULL);
  fail_unless (g_file_get_contents (path, &one, &size, NULL));
  run (AMIDST ("0.4s", "2.48s", "mp4"), NULL);
  fail_unless (g_file_get_contents (path, &other, &size2, NULL));
  fail_unless (size == size2 && memcmp (one, other, size) == 0);
}

GST_END_TEST;

/* What cannot be encoded falls back, or is an error where that is wanted. */
GST_START_TEST (test_not_encoded)
{
  g_autoptr (GPtrArray) a = NULL;
  g_autoptr (GPtrArray) b = NULL;
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *error = NULL;
  const gchar *body = AMIDST ("0.4s", "2.48s", "y.mp4");

  remix_media_make ("-i a.mp4 -c:a copy -c:v libx264 -preset ultrafast "
                    "-g 25 -pix_fmt yuv444p -threads 1 a.y.mp4");
  remix_media_make ("-i b.mp4 -c:a copy -c:v libx264 -preset ultrafast "
                    "-g 25 -pix_fmt yuv444p -threads 1 b.y.mp4");
  a = remix_media_frames ("a.y.mp4", 0);
  b = remix_media_frames ("b.y.mp4", 0);
  remix_media_append (expected, b, 0, 25);
  /* Without B-frames an end is exact anywhere. */
  remix_media_append (expected, a, 0, 62);
  remix_media_append (expected, b, 0, 25);
  run (body, NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  error = remix_media_run (body, "strict=true", "o.mp4");
  fail_unless (error && strstr (error, "clipBegin at 0.400 s"), "%s", error);
}

GST_END_TEST;

#define CONDITIONED(name, offset, duration) \
  "<video src='b.mp4'/><par><video src='" name "'/><ConditioningInfo " \
  "startOffset='" offset "' duration='" duration "'/></par>"

static gchar *
read_file (const gchar *name, gsize *size)
{
  g_autofree gchar *path = remix_media_path (name);
  gchar *data = NULL;

  fail_unless (g_file_get_contents (path, &data, size, NULL));
  return data;
}

static guint
count_moofs (void)
{
  gsize size, at;
  g_autofree gchar *data = read_file ("o.mp4", &size);
  guint n = 0;

  for (at = 0; at + 8 <= size; at += GST_READ_UINT32_BE (data + at))
    n += memcmp (data + at + 4, "moof", 4) == 0;
  return n;
}

/* The sound of @body's output, as it is stored. */
static gchar *
copy_sound (const gchar *body, const gchar *name, gsize *size)
{
  g_autofree gchar *args =
      g_strdup_printf ("-i o.mp4 -map 0:a -c copy -f adts %s", name);

  run (body, NULL);
  remix_media_make (args);
  return read_file (name, size);
}

/* A sync sample at each point: what is in front of the first one stays, since no
 * frame there needs one behind it; what follows in the GOP is encoded. */
GST_START_TEST (test_conditioned)
{
  const gchar *body = CONDITIONED ("a.mp4", "PT1.16S", "PT0.65S");
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  g_autofree gchar *keys = NULL;
  g_autofree gchar *sound = NULL;
  g_autofree gchar *sound_before = NULL;
  gsize size, size_before;

  append (expected, "b.mp4", 0, 25);
  append (expected, "a.mp4", 0, 100);
  run (body, "parameter-sets=in-band fragment-duration=60000 strict=true");
  expect_pictures (expected, 25 + 29, 25 + 50, 0, 0);
  fail_unless_equals_int (count_moofs (), 3);
  sound_before = copy_sound ("<video src='b.mp4'/><video src='a.mp4'/>",
      "before.aac", &size_before);
  sound = copy_sound (body, "sound.aac", &size);
  fail_unless (size == size_before && memcmp (sound, sound_before, size) == 0);
  expect_pictures (expected, 25 + 29, 25 + 50, 0, 0);
  keys = remix_media_keyframes ("o.mp4");
  fail_unless_equals_string (keys,
      "0.000000 1.000000 2.000000 2.160000 "
      "2.800000 3.000000 4.000000 ");
}

GST_END_TEST;

/* Frames in front of the point that need one behind it are encoded too. */
GST_START_TEST (test_conditioned_in_pyramid)
{
  g_autoptr (GByteArray) expected = g_byte_array_new ();

  append (expected, "b.mp4", 0, 25);
  append (expected, "a.mp4", 0, 100);
  run (CONDITIONED ("a.mp4", "PT1.2S", "PT0.8S"), "strict=true");
  expect_pictures (expected, 25 + 25, 25 + 50, 0, 0);
}

GST_END_TEST;

/* A point that no keyframe can be made for is told, with its time and why. */
GST_START_TEST (test_not_conditioned)
{
  static const gchar *const sources[][2] = {
    { CONDITIONED ("a.mp4", "PT1.2S", "PT0.8S"), "encode-cuts=false" },
    { CONDITIONED ("a.mp4", "PT1S", "PT3.2S"), "" },
    { CONDITIONED ("open.mp4", "PT1.2S", "PT0.8S"), "" },
    { CONDITIONED ("y.mp4", "PT1.2S", "PT0.8S"), "" },
  };
  static const gchar *const reasons[] = {
    "at 2.200 s of the title has no keyframe: none can be made without",
    "at 5.200 s of the title has no keyframe: it lies behind the end",
    "at 2.200 s of the title has no keyframe: its GOP or the next one is open",
    "at 2.200 s of the title has no keyframe: H.264 160x90: its profile",
  };
  guint i;

  remix_media_make ("-i a.mp4 -c:a copy -c:v libx264 -preset ultrafast "
                    "-x264-params open-gop=1:keyint=27:min-keyint=12:bframes=3:"
                    "b-adapt=0:scenecut=0 -threads 1 open.mp4");
  remix_media_make ("-i a.mp4 -c:a copy -c:v libx264 -preset ultrafast "
                    "-g 25 -pix_fmt yuv444p -threads 1 y.mp4");
  for (i = 0; i < G_N_ELEMENTS (sources); i++) {
    g_autofree gchar *strict =
        g_strconcat ("strict=true ", sources[i][1], NULL);
    g_autofree gchar *error = remix_media_run (sources[i][0], strict, "o.mp4");

    fail_unless (error && strstr (error, reasons[i]), "%u: %s", i, error);
    run (sources[i][0], sources[i][1]);
  }
}

GST_END_TEST;

static void
add_tests (TCase *tc)
{
  tcase_add_test (tc, test_h264);
  tcase_add_test (tc, test_alone);
  tcase_add_test (tc, test_h265);
  tcase_add_test (tc, test_10_bits);
  tcase_add_test (tc, test_played);
  tcase_add_test (tc, test_deterministic);
  tcase_add_test (tc, test_not_encoded);
  tcase_add_test (tc, test_conditioned);
  tcase_add_test (tc, test_conditioned_in_pyramid);
  tcase_add_test (tc, test_not_conditioned);
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  if (!has_encoder ("x264enc", "avdec_h264")) {
    g_printerr ("skipped: x264enc and avdec_h264 are needed\n");
    return 77;
  }
  return remix_media_main ("smilremix-exact", setup, add_tests);
}
