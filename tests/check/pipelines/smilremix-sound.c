/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Silence where a clip has no sound, in each codec that it is known for. */

#include <string.h>

#include "remix-media.h"

#define PICTURE " -c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuv420p "

/* Two seconds of a tone, and of nothing. */
static void
make_sources (const gchar *audio)
{
  g_autofree gchar *args =
      g_strconcat ("-f lavfi -i testsrc2=s=64x64:r=25:d=2 -f lavfi -i "
                   "sine=440:r=48000:d=2" PICTURE,
          audio, " tone.mp4", NULL);

  remix_media_make (args);
  remix_media_make ("-i tone.mp4 -map 0:v -c copy mute.mp4");
}

static gchar *
remix (void)
{
  return remix_media_run ("<video src='tone.mp4'/><video src='mute.mp4'/>"
                          "<video src='tone.mp4'/>",
      NULL, "o.mp4");
}

/* How many bytes of samples in [@from, @to) seconds are not 0. */
static gsize
count_loud (const gchar *data, gsize size, guint channels, gdouble from,
    gdouble to)
{
  gsize i = (gsize) (from * 48000) * channels * 2;
  gsize end = (gsize) (to * 48000) * channels * 2, n = 0;

  fail_unless (end <= size, "only %" G_GSIZE_FORMAT " bytes", size);
  for (; i < end; i++)
    n += data[i] != 0;
  return n;
}

/* Sound, two seconds of nothing at all but for what the tone's last frame leaves
 * behind, sound. */
static void
expect_gap (guint channels)
{
  g_autofree gchar *args =
      g_strdup_printf ("-xerror -err_detect crccheck+bitstream+explode -i "
                       "o.mp4 -map 0:a -ac %u -ar 48000 -c:a pcm_s16le "
                       "-f s16le sound.raw",
          channels);
  g_autofree gchar *path = remix_media_path ("sound.raw");
  g_autofree gchar *data = NULL;
  gsize size;

  remix_media_make (args);
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  fail_unless (ABS ((gdouble) size / channels / 2 / 48000 - 6) < 0.05);
  fail_unless (count_loud (data, size, channels, 0.5, 1.5) > 5000);
  fail_unless_equals_uint64 (count_loud (data, size, channels, 2.15, 3.9), 0);
  fail_unless (count_loud (data, size, channels, 4.5, 5.5) > 5000);
}

static void
check_codec (const gchar *audio, guint channels)
{
  g_autofree gchar *error = NULL;

  make_sources (audio);
  error = remix ();
  fail_unless (error == NULL, "%s", error);
  expect_gap (channels);
}

GST_START_TEST (test_ac3)
{
  check_codec ("-c:a ac3 -b:a 448k -ac 6", 6);
  check_codec ("-c:a ac3 -b:a 96k -ac 1", 1);
}

GST_END_TEST;

GST_START_TEST (test_eac3)
{
  check_codec ("-c:a eac3 -b:a 96k -ac 2", 2);
  check_codec ("-c:a eac3 -b:a 256k -ac 6", 6);
}

GST_END_TEST;

/* AudioSpecificConfig of AAC-LC at 24 kHz, mono, as ffmpeg writes it, becomes that
 * of HE-AAC at 48 kHz: what an encoder that found no high sounds would give. */
static void
make_he_aac (const gchar *name)
{
  static const guint8 lc[] = { 0x13, 0x08, 0x56, 0xe5, 0x00 };
  static const guint8 he[] = { 0x2b, 0x09, 0x88, 0x00, 0x00 };
  g_autofree gchar *path = remix_media_path (name);
  g_autofree gchar *data = NULL;
  gsize size, i;
  guint n = 0;

  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  for (i = 0; i + sizeof (lc) <= size; i++) {
    if (memcmp (data + i, lc, sizeof (lc)) == 0) {
      memcpy (data + i, he, sizeof (he));
      n++;
    }
  }
  fail_unless_equals_int (n, 1);
  fail_unless (g_file_set_contents (path, data, (gssize) size, NULL));
}

GST_START_TEST (test_he_aac)
{
  g_autofree gchar *error = NULL;
  g_autofree gchar *rate = NULL;

  make_sources ("-c:a aac -b:a 48k -ar 24000 -ac 1");
  make_he_aac ("tone.mp4");
  error = remix ();
  fail_unless (error == NULL, "%s", error);
  rate = remix_media_probe ("o.mp4", "a:0", "time_base");
  fail_unless_equals_string (rate, "1/48000");
  expect_gap (1);
}

GST_END_TEST;

/* None is known of MP3. */
GST_START_TEST (test_unknown)
{
  g_autofree gchar *error = NULL;

  make_sources ("-c:a mp3 -b:a 96k");
  error = remix ();
  fail_unless (error && strstr (error, "no silence is known") &&
          strstr (error, "clip 2"),
      "%s", error);
}

GST_END_TEST;

static void
add_tests (TCase *tc)
{
  tcase_add_test (tc, test_ac3);
  tcase_add_test (tc, test_eac3);
  tcase_add_test (tc, test_he_aac);
  tcase_add_test (tc, test_unknown);
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  return remix_media_main ("smilremix-sound", remix_media_open, add_tests);
}
