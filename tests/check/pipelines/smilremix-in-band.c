/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parameter sets among the samples: sources of different sets share one sample
 * description, and who cannot follow several can play the title. */

#include <string.h>

#include "remix-media.h"

#define SOURCE(pattern, seconds) \
  "-f lavfi -i " pattern "=s=160x90:r=25:d=" seconds \
  " -f lavfi -i sine=440:r=48000:d=" seconds " -threads 1 -pix_fmt yuv420p" \
  " -g 25 -c:a aac -b:a 64k "

static void
setup (void)
{
  remix_media_open ();
  remix_media_make (
      SOURCE ("testsrc2", "3") "-c:v libx264 -preset ultrafast -bf 2 a.mp4");
  remix_media_make (SOURCE ("testsrc",
      "2") "-c:v libx264 -preset ultrafast -profile:v main -crf 30 -refs 3 "
           "b.mp4");
}

static guint
count_bytes (const gchar *text)
{
  g_autofree gchar *path = remix_media_path ("o.mp4");
  g_autofree gchar *data = NULL;
  gsize size, i;
  guint n = 0;

  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  for (i = 0; i + 4 <= size; i++)
    n += memcmp (data + i, text, 4) == 0;
  return n;
}

#define CLIPS(ext) \
  "<video src='a." ext "'/><video src='b." ext "'/>" \
  "<video src='a." ext "' clipBegin='1s'/>"

static GPtrArray *
list_expected (const gchar *a, const gchar *b)
{
  GPtrArray *expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, a, 0, 0, 75);
  remix_media_append_of (expected, b, 0, 0, 50);
  remix_media_append_of (expected, a, 0, 25, 75);
  return expected;
}

static void
check_output (GPtrArray *expected, const gchar *tag, const gchar *old_tag)
{
  g_autofree gchar *found =
      remix_media_probe ("o.mp4", "v:0", "codec_tag_string");

  fail_unless_equals_string (found, tag);
  fail_unless_equals_int (count_bytes (tag), 1);
  fail_unless_equals_int (count_bytes (old_tag), 0);
  remix_media_expect_frames ("o.mp4", 0, expected);
}

/* Out of band ffmpeg does not follow from one fragment to the next. */
GST_START_TEST (test_h264)
{
  static const gchar *const layouts[] = { "", "fragment-duration=1000" };
  g_autoptr (GPtrArray) expected = list_expected ("a.mp4", "b.mp4");
  g_autofree gchar *playlist = remix_media_path ("playlist.smil");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (layouts); i++) {
    g_autofree gchar *properties =
        g_strconcat ("parameter-sets=in-band ", layouts[i], NULL);
    g_autofree gchar *source = g_strdup_printf ("smilremixsrc location=\"%s\" "
                                                "%s",
        playlist, properties);
    guint n_video, n_audio;

    remix_media_expect_ok (CLIPS ("mp4"), properties);
    check_output (expected, "avc3", "avc1");
    remix_media_play (source, &n_video, &n_audio);
    fail_unless_equals_int (n_video, expected->len);
  }
}

GST_END_TEST;

/* To start at any keyframe all that is needed stands in front of it. */
GST_START_TEST (test_seek)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, "b.mp4", 0, 25, 50);
  remix_media_append_of (expected, "a.mp4", 0, 25, 75);
  remix_media_expect_ok (CLIPS ("mp4"), "parameter-sets=in-band");
  remix_media_make ("-ss 4 -i o.mp4 -map 0:v -c copy -bsf:v h264_mp4toannexb "
                    "-f h264 tail.h264");
  /* What the sample entry says is gone: the stream has to stand on its own. */
  remix_media_make ("-f h264 -i tail.h264 -map 0:v -c:v rawvideo -f nut "
                    "tail.nut");
  remix_media_expect_frames ("tail.nut", 0, expected);
}

GST_END_TEST;

GST_START_TEST (test_h265)
{
  g_autoptr (GPtrArray) expected = NULL;

  remix_media_make ("-i a.mp4 -c:a copy -c:v libx265 -preset ultrafast "
                    "-x265-params log-level=none:pools=none:frame-threads=1:"
                    "keyint=25:open-gop=0 -tag:v hvc1 a.mov");
  remix_media_make ("-i b.mp4 -c:a copy -c:v libx265 -preset ultrafast "
                    "-x265-params log-level=none:pools=none:frame-threads=1:"
                    "keyint=25:open-gop=0:ctu=16:min-cu-size=8 -tag:v hvc1 "
                    "b.mov");
  expected = list_expected ("a.mov", "b.mov");
  remix_media_expect_ok (CLIPS ("mov"), "parameter-sets=in-band");
  check_output (expected, "hev1", "hvc1");
}

GST_END_TEST;

/* How often @second stands right behind the NAL unit whose bytes, with its length,
 * are @first but for the last one. */
static guint
count_behind (const guint8 *first, gsize size, guint8 second)
{
  g_autofree gchar *path = remix_media_path ("o.mp4");
  g_autofree gchar *text = NULL;
  const guint8 *data;
  gsize length, i;
  guint n = 0;

  fail_unless (g_file_get_contents (path, &text, &length, NULL));
  data = (const guint8 *) text;
  for (i = 0; i + size + 6 < length; i++)
    n += memcmp (data + i, first, size) == 0 && data[i + size + 5] == second;
  return n;
}

/* Access unit delimiters stay what a sample starts with, however it is read. */
GST_START_TEST (test_delimiters)
{
  static const guint8 avc[] = { 0, 0, 0, 2, 9 };
  static const guint8 hevc[] = { 0, 0, 0, 3, 0x46, 1 };
  g_autoptr (GPtrArray) expected = NULL;
  g_autofree gchar *path = remix_media_path ("o.mp4");
  g_autofree gchar *once = NULL;
  g_autofree gchar *again = NULL;
  gsize size, size2;

  remix_media_make ("-i a.mp4 -c copy -bsf:v h264_metadata=aud=insert d.mp4");
  remix_media_make ("-i b.mp4 -c copy -bsf:v h264_metadata=aud=insert e.mp4");
  expected = list_expected ("a.mp4", "b.mp4");
  remix_media_expect_ok (CLIPS ("mp4"), "parameter-sets=in-band");
  fail_unless_equals_int (count_behind (avc, sizeof (avc), 0x67), 0);
  remix_media_expect_ok ("<video src='d.mp4'/><video src='e.mp4'/>"
                         "<video src='d.mp4' clipBegin='1s'/>",
      "parameter-sets=in-band");
  remix_media_expect_frames ("o.mp4", 0, expected);
  fail_unless_equals_int (count_behind (avc, sizeof (avc), 0x67), 7);
  fail_unless (g_file_get_contents (path, &once, &size, NULL));
  remix_media_expect_ok ("<video src='d.mp4'/><video src='e.mp4'/>"
                         "<video src='d.mp4' clipBegin='1s'/>",
      "parameter-sets=in-band blocksize=13");
  fail_unless (g_file_get_contents (path, &again, &size2, NULL));
  fail_unless (size == size2 && memcmp (once, again, size) == 0);

  remix_media_make ("-i a.mp4 -c:a copy -c:v libx265 -preset ultrafast "
                    "-x265-params log-level=none:pools=none:frame-threads=1:"
                    "keyint=25:open-gop=0 -tag:v hvc1 c.mov");
  remix_media_make ("-i c.mov -c copy -bsf:v hevc_metadata=aud=insert "
                    "-tag:v hvc1 d.mov");
  remix_media_expect_ok ("<video src='d.mov'/>", "parameter-sets=in-band");
  fail_unless_equals_int (count_behind (hevc, sizeof (hevc), 0x40), 3);
}

GST_END_TEST;

/* Another codec has no such alternative: nothing changes. */
GST_START_TEST (test_other_codec)
{
  g_autofree gchar *one = NULL;
  g_autofree gchar *other = NULL;
  g_autofree gchar *path = remix_media_path ("o.mp4");
  gsize size, size2;

  remix_media_make ("-i b.mp4 -c:a copy -c:v mpeg4 -tag:v mp4v c.mp4");
  remix_media_expect_ok ("<video src='c.mp4'/>", NULL);
  fail_unless (g_file_get_contents (path, &one, &size, NULL));
  remix_media_expect_ok ("<video src='c.mp4'/>", "parameter-sets=in-band");
  fail_unless (g_file_get_contents (path, &other, &size2, NULL));
  fail_unless (size == size2 && memcmp (one, other, size) == 0);
}

GST_END_TEST;

static void
add_tests (TCase *tc)
{
  tcase_add_test (tc, test_h264);
  tcase_add_test (tc, test_seek);
  tcase_add_test (tc, test_h265);
  tcase_add_test (tc, test_delimiters);
  tcase_add_test (tc, test_other_codec);
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  return remix_media_main ("smilremix-in-band", setup, add_tests);
}
