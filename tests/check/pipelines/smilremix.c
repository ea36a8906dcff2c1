/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cases of remixing with real sources: every frame is the source's own. */

#include <stdio.h>
#include <string.h>

#include "remix-media.h"

/* What is decoded of the sound ends within a frame of AAC of @seconds, too (ffmpeg
 * does not cut the last one). */
static void
expect_duration (gdouble seconds)
{
  gdouble heard = remix_media_audio_seconds ("o.mp4");

  remix_media_expect_duration (seconds);
  fail_unless (ABS (heard - seconds) <= 1024.0 / 48000 + 0.0005, "heard %f",
      heard);
  fail_unless_equals_float (remix_media_probe_number ("o.mp4", "v:0",
                                "start_time"),
      0);
}

#define CLIP(name, begin, end) \
  "<video src='" name "' clipBegin='wallclock(1970-01-01T00:00:" begin "Z)'" \
  " clipEnd='wallclock(1970-01-01T00:00:" end "Z)'/>"

#define CASE_1 \
  "<seq><video src='A5.mp4'/>" CLIP ("M.mp4", "00.000", \
      "06.000") "<video src='A3.mp4'/>" CLIP ("M.mp4", "06.000", \
      "12.000") "</seq>"

GST_START_TEST (test_midroll)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_append_of (expected, "M.mp4", 0, 0, 150);
  remix_media_append_of (expected, "A3.mp4", 0, 0, 75);
  remix_media_append_of (expected, "M.mp4", 0, 150, 300);
  remix_media_expect_ok (CASE_1, NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (20);
  remix_media_expect_played ("", 500, 20);
}

GST_END_TEST;

GST_START_TEST (test_bumper)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_append_of (expected, "M.mp4", 0, 0, 250);
  remix_media_expect_ok ("<seq><video src='A5.mp4'/>"
                         "<video src='M.mp4' clipEnd='npt=10s'/></seq>",
      NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (15);
}

GST_END_TEST;

/* 3 s and 9 s lie within GOPs: both ends go back. */
GST_START_TEST (test_gop)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, "M.mp4", 0, 50, 200);
  remix_media_expect_ok (CLIP ("M.mp4", "03.000", "09.000"), NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (6);
}

GST_END_TEST;

GST_START_TEST (test_sample)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, "M.mp4", 0, 75, 225);
  remix_media_expect_ok ("<video src='M.mp4' clipBegin='3s' clipEnd='9s'"
                         " clipMode='sample'/>",
      NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (6);
  /* A keyframe lies behind the title's duration, as the media counts. */
  remix_media_expect_played ("", 150, 6);
}

GST_END_TEST;

/* In the midst of a title an exact cut needs an encoder. */
GST_START_TEST (test_sample_fallback)
{
  static const gchar body[] =
      "<video src='A5.mp4'/><video src='M.mp4' clipBegin='3s' clipEnd='8s'"
      " clipMode='sample'/>";
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *error = NULL;

  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_append_of (expected, "M.mp4", 0, 50, 200);
  remix_media_expect_ok (body, "encode-cuts=false");
  remix_media_expect_frames ("o.mp4", 0, expected);
  error = remix_media_run (body, "strict=true encode-cuts=false", "o.mp4");
  fail_unless (error && strstr (error, "clip 2 (line 1") &&
          strstr (error, "clipBegin at 3.000 s"),
      "%s", error);
}

GST_END_TEST;

GST_START_TEST (test_frame_rates)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *base = NULL;

  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_append_of (expected, "N.mp4", 0, 0, 120);
  remix_media_append_of (expected, "M.mp4", 0, 0, 100);
  remix_media_expect_ok ("<seq><video src='A5.mp4'/><video src='N.mp4'/>"
                         "<video src='M.mp4' clipEnd='4s'/></seq>",
      NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (13.004);
  base = remix_media_probe ("o.mp4", "v:0", "time_base");
  fail_unless_equals_string (base, "1/960000");
  remix_media_expect_played ("", 345, 13.004);
}

GST_END_TEST;

GST_START_TEST (test_many_joins)
{
  g_autoptr (GString) body = g_string_new ("<seq>");
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);
  guint i;

  for (i = 0; i < 20; i++) {
    g_string_append (body, "<video src='A3.mp4'/>");
    remix_media_append_of (expected, "A3.mp4", 0, 0, 75);
  }
  g_string_append (body, "</seq>");
  remix_media_expect_ok (body->str, NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (60);
}

GST_END_TEST;

GST_START_TEST (test_swapped_tracks)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_make ("-i A5.mp4 -map 0:a -map 0:v -c copy swapped.mp4");
  remix_media_append_of (expected, "M.mp4", 0, 0, 50);
  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_expect_ok (
      "<video src='M.mp4' clipEnd='2s'/><video src='swapped.mp4'/>", NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (7);
}

GST_END_TEST;

/* Silence in clip 2: nothing louder than -90 dB, and the sound of the others is
 * there. */
GST_START_TEST (test_silence)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_make ("-i A3.mp4 -map 0:v -c copy mute.mp4");
  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_append_of (expected, "A3.mp4", 0, 0, 75);
  remix_media_append_of (expected, "M.mp4", 0, 0, 50);
  remix_media_expect_ok ("<seq><video src='A5.mp4'/><video src='mute.mp4'/>"
                         "<video src='M.mp4' clipEnd='2s'/></seq>",
      NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (10);
  remix_media_make (
      "-xerror -i o.mp4 -map 0:a -af atrim=5.1:7.9 -c:a pcm_s16le "
      "silence.wav");
  {
    g_autofree gchar *path = remix_media_path ("silence.wav");
    g_autofree gchar *data = NULL;
    gsize size, i;

    fail_unless (g_file_get_contents (path, &data, &size, NULL));
    fail_unless (size > 48000 * 4 * 2);
    for (i = 128; i < size; i++)
      fail_unless (data[i] == 0, "sound at byte %" G_GSIZE_FORMAT, i);
  }
}

GST_END_TEST;

GST_START_TEST (test_mismatch)
{
  remix_media_make ("-i A3.mp4 -c:v copy -c:a aac -ar 44100 slow.mp4");
  remix_media_make ("-i A3.mp4 -c:v copy -c:a aac -ac 1 mono.mp4");
  remix_media_make ("-i A3.mp4 -an -c:v mpeg4 other.mp4");
  remix_media_expect_error ("<video src='A5.mp4'/>\n<video src='slow.mp4'/>",
      "clip 2 (line 2, column 1)",
      "AAC 44100 Hz, 2 channels, which cannot go on with "
      "AAC 48000 Hz, 2 channels");
  remix_media_expect_error ("<video src='A5.mp4'/>\n<video src='mono.mp4'/>",
      "mono.mp4", "AAC 48000 Hz, 1 channel,");
  remix_media_expect_error ("<video src='A5.mp4'/><video src='other.mp4'/>",
      "other.mp4", "which cannot go on with H.264 160x90");
}

GST_END_TEST;

GST_START_TEST (test_bad_ranges)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_expect_error ("<video src='A5.mp4' clipBegin='6s'/>", "clip 1",
      "the video goes from 0.000 s to 5.000 s");
  remix_media_expect_error (
      "<video src='M.mp4' clipBegin='3s' clipEnd='3.5s'/>", "clip 1",
      "the same keyframe");
  remix_media_expect_error (
      "<seq clipEnd='3s'><par clipBegin='1s'><video src='A5.mp4'/>"
      "</par></seq>",
      "clip attributes here and", "line 1");
  remix_media_expect_error ("<video src='none.mp4'/>", "none.mp4",
      "No such file");
  remix_media_expect_error ("<video src='playlist.smil'/>", "playlist.smil",
      "");
  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_expect_ok ("<video src='A5.mp4' clipEnd='60s'/>", NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (5);
}

GST_END_TEST;

/* No B-frames, two, and a pyramid: composition offsets stay positive. */
GST_START_TEST (test_reordering)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_make ("-f lavfi -i testsrc2=s=160x90:r=25:d=4 -f lavfi -i "
                    "sine=330:r=48000:d=4 -c:v libx264 -threads 1 -g 50 -bf 4 "
                    "-b_strategy 0 -x264-params b-pyramid=normal:ref=4 "
                    "-pix_fmt yuv420p -c:a aac -ac 2 P.mp4");
  remix_media_append_of (expected, "A3.mp4", 0, 0, 75);
  remix_media_append_of (expected, "M.mp4", 0, 0, 100);
  remix_media_append_of (expected, "P.mp4", 0, 0, 100);
  remix_media_append_of (expected, "A3.mp4", 0, 0, 75);
  remix_media_expect_ok (
      "<video src='A3.mp4'/><video src='M.mp4' clipEnd='4s'/>"
      "<video src='P.mp4'/><video src='A3.mp4'/>",
      NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  expect_duration (14);
  remix_media_expect_played ("", 350, 14);
}

GST_END_TEST;

GST_START_TEST (test_picture_sizes)
{
  guint n_video, n_audio;
  g_autofree gchar *playlist = remix_media_path ("playlist.smil");
  g_autofree gchar *source = NULL;

  remix_media_make ("-i A3.mp4 -vf scale=320:180 -c:v libx264 -threads 1 -c:a "
                    "copy large.mp4");
  remix_media_expect_ok ("<video src='A5.mp4'/><video src='large.mp4'/>", NULL);
  expect_duration (8);
  source = g_strdup_printf ("smilremixsrc location=\"%s\"", playlist);
  remix_media_play (source, &n_video, &n_audio);
  fail_unless_equals_int (n_video, 200);
}

GST_END_TEST;

static void
read_output (const gchar *name, gchar **data, gsize *size)
{
  g_autofree gchar *path = remix_media_path (name);

  fail_unless (g_file_get_contents (path, data, size, NULL));
}

/* Two runs, and a run by random ranges in pull mode. */
GST_START_TEST (test_deterministic)
{
  g_autofree gchar *once = NULL;
  g_autofree gchar *twice = NULL;
  g_autofree gchar *playlist = remix_media_path ("playlist.smil");
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  gsize size, again;
  GstElement *src;
  GstPad *pad;
  guint i;

  remix_media_expect_ok (CASE_1, NULL);
  read_output ("o.mp4", &once, &size);
  remix_media_expect_ok (CASE_1, NULL);
  read_output ("o.mp4", &twice, &again);
  fail_unless_equals_uint64 (size, again);
  fail_unless (memcmp (once, twice, size) == 0);
  g_clear_pointer (&twice, g_free);
  remix_media_expect_ok (CASE_1, "blocksize=4294967295");
  read_output ("o.mp4", &twice, &again);
  fail_unless_equals_uint64 (size, again);
  fail_unless (memcmp (once, twice, size) == 0);
  g_clear_pointer (&twice, g_free);
  remix_media_expect_ok (CASE_1, "blocksize=5000");
  read_output ("o.mp4", &twice, &again);
  fail_unless_equals_uint64 (size, again);
  fail_unless (memcmp (once, twice, size) == 0);

  src = gst_check_setup_element ("smilremixsrc");
  g_object_set (src, "location", playlist, "blocksize", 50000, NULL);
  pad = gst_element_get_static_pad (src, "src");
  gst_element_set_state (src, GST_STATE_READY);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE));
  for (i = 0; i < 500; i++) {
    guint64 offset = (guint64) g_rand_int_range (rand, 0, (gint32) size);
    guint want = (guint) g_rand_int_range (rand, 1, 70000);
    gsize expected = MIN ((gsize) want, size - offset);
    GstBuffer *buffer = NULL;

    fail_unless_equals_int (gst_pad_get_range (pad, offset, want, &buffer),
        GST_FLOW_OK);
    fail_unless_equals_uint64 (gst_buffer_get_size (buffer), expected);
    fail_unless (gst_buffer_memcmp (buffer, 0, once + offset, expected) == 0);
    gst_buffer_unref (buffer);
  }
  gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE);
  gst_object_unref (pad);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_check_teardown_element (src);
}

GST_END_TEST;

/* A source that changes between two reads, with its size kept. */
GST_START_TEST (test_changed_source)
{
  g_autofree gchar *source = NULL;
  g_autofree gchar *path = NULL;
  g_autofree gchar *playlist = NULL;
  gsize size;
  GstElement *src;
  GstPad *pad;
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GstBuffer *buffer = NULL;
  GError *error = NULL;

  remix_media_expect_ok ("<video src='A5.mp4'/>", NULL);
  read_output ("A5.mp4", &source, &size);
  path = remix_media_path ("A5.mp4");
  playlist = remix_media_path ("playlist.smil");
  src = gst_check_setup_element ("smilremixsrc");
  gst_element_set_bus (src, bus);
  g_object_set (src, "location", playlist, NULL);
  pad = gst_element_get_static_pad (src, "src");
  gst_element_set_state (src, GST_STATE_READY);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE));
  fail_unless_equals_int (gst_pad_get_range (pad, 0, 65536, &buffer),
      GST_FLOW_OK);
  gst_buffer_unref (buffer);
  buffer = NULL;
  {
    FILE *file = fopen (path, "r+b");

    fail_unless (file && fwrite (source, 1, size, file) == size);
    fclose (file);
  }
  fail_unless_equals_int (gst_pad_get_range (pad, 20000, 4096, &buffer),
      GST_FLOW_ERROR);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
                   GST_RESOURCE_ERROR_READ) &&
          strstr (error->message, "changed"),
      "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE);
  gst_object_unref (pad);
  gst_element_set_bus (src, NULL);
  gst_object_unref (bus);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_check_teardown_element (src);
}

GST_END_TEST;

static void
count_buffer (GstElement *sink, GstBuffer *buffer, GstPad *pad,
    gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
}

/* A player finds out by itself what to do with a playlist. */
GST_START_TEST (test_playbin)
{
  g_autofree gchar *path = remix_media_path ("playlist.smil");
  g_autofree gchar *uri = gst_filename_to_uri (path, NULL);
  GstElement *playbin = gst_check_setup_element ("playbin");
  GstElement *video = gst_check_setup_element ("fakesink");
  GstElement *audio = gst_check_setup_element ("fakesink");
  GstBus *bus = gst_element_get_bus (playbin);
  gint n_frames = 0;
  gint64 duration = 0;
  GstMessage *message;

  remix_media_expect_ok (CASE_1, NULL);
  g_object_set (video, "signal-handoffs", TRUE, NULL);
  g_signal_connect (video, "handoff", G_CALLBACK (count_buffer), &n_frames);
  /* Not the soft volume: 1.22's playsink leaks it. */
  g_object_set (playbin, "flags", 0x3, "uri", uri, "video-sink", video,
      "audio-sink", audio, NULL);
  gst_element_set_state (playbin, GST_STATE_PAUSED);
  message = gst_bus_timed_pop_filtered (bus, 150 * GST_SECOND,
      GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ASYNC_DONE);
  gst_message_unref (message);
  fail_unless (
      gst_element_query_duration (playbin, GST_FORMAT_TIME, &duration));
  fail_unless_equals_int64 (duration, 20 * GST_SECOND);
  gst_element_set_state (playbin, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 150 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  fail_unless_equals_int (n_frames, 500);
  gst_object_unref (bus);
  gst_check_teardown_element (playbin);
}

GST_END_TEST;

static void
add_tests (TCase *tc)
{
  tcase_add_test (tc, test_midroll);
  tcase_add_test (tc, test_bumper);
  tcase_add_test (tc, test_gop);
  tcase_add_test (tc, test_sample);
  tcase_add_test (tc, test_sample_fallback);
  tcase_add_test (tc, test_frame_rates);
  tcase_add_test (tc, test_many_joins);
  tcase_add_test (tc, test_swapped_tracks);
  tcase_add_test (tc, test_silence);
  tcase_add_test (tc, test_mismatch);
  tcase_add_test (tc, test_bad_ranges);
  tcase_add_test (tc, test_reordering);
  tcase_add_test (tc, test_picture_sizes);
  tcase_add_test (tc, test_deterministic);
  tcase_add_test (tc, test_playbin);
  tcase_add_test (tc, test_changed_source);
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  return remix_media_main ("smilremix", remix_media_setup, add_tests);
}
