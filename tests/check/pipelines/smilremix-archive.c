/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tracks in files of their own, several bitrates, archives in fragments, and
 * fragmented output. */

#include <string.h>

#include "remix-media.h"

/* 2022-01-01T00:00:00Z */
#define EPOCH G_GUINT64_CONSTANT (1640995200)

static guint32
get_u32 (const guint8 *p)
{
  return GST_READ_UINT32_BE (p);
}

/* Moves the tfdt of each traf in a moof by @seconds: video counts in 12800, sound
 * in 48000. */
static void
shift_moof (guint8 *moof, gsize size, guint64 seconds)
{
  guint32 id = 0;
  gsize i;

  for (i = 4; i + 16 <= size; i++) {
    if (memcmp (moof + i, "tfhd", 4) == 0)
      id = get_u32 (moof + i + 8);
    if (memcmp (moof + i, "tfdt", 4) == 0) {
      guint64 time = GST_READ_UINT64_BE (moof + i + 8);

      fail_unless_equals_int (moof[i + 4], 1);
      time += seconds * (id == 1 ? 12800 : 48000);
      GST_WRITE_UINT64_BE (moof + i + 8, time);
    }
  }
}

/* Cuts a fragmented file into segments of @n fragments each, each with the moov in
 * front, on a timeline that counts from 1970. */
static void
make_segments (const gchar *name, guint n)
{
  g_autofree gchar *path = remix_media_path (name);
  g_autoptr (GByteArray) head = g_byte_array_new ();
  g_autoptr (GByteArray) segment = g_byte_array_new ();
  g_autofree gchar *data = NULL;
  guint fragments = 0, segments = 0;
  gsize size, at, box;

  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  for (at = 0; at + 8 <= size; at += box) {
    guint8 *p = (guint8 *) data + at;

    box = get_u32 (p);
    if (memcmp (p + 4, "ftyp", 4) == 0 || memcmp (p + 4, "moov", 4) == 0)
      g_byte_array_append (head, p, (guint) box);
    if (memcmp (p + 4, "moof", 4) == 0) {
      shift_moof (p, box, EPOCH);
      if (fragments % n == 0)
        g_byte_array_append (segment, head->data, head->len);
    }
    if (memcmp (p + 4, "moof", 4) == 0 || memcmp (p + 4, "mdat", 4) == 0)
      g_byte_array_append (segment, p, (guint) box);
    if (memcmp (p + 4, "mdat", 4) == 0 && ++fragments % n == 0) {
      g_autofree gchar *out = g_strdup_printf ("archive%u.mp4", segments++);
      g_autofree gchar *to = remix_media_path (out);

      fail_unless (g_file_set_contents (to, (gchar *) segment->data,
          (gssize) segment->len, NULL));
      g_byte_array_set_size (segment, 0);
    }
  }
  fail_unless_equals_int (segments, 4);
}

static void
setup (void)
{
  remix_media_setup ();
  remix_media_make ("-f lavfi -i testsrc2=s=160x90:r=25:d=20 -f lavfi -i "
                    "sine=440:r=48000:d=20 -c:v libx264 -threads 1 -g 25 "
                    "-keyint_min 25 -sc_threshold 0 -bf 0 -pix_fmt yuv420p "
                    "-c:a aac -ac 2 -movflags "
                    "frag_keyframe+empty_moov+default_base_moof G.mp4");
  make_segments ("G.mp4", 5);
  remix_media_make ("-i M.mp4 -map 0:v -c copy video.mp4");
  remix_media_make ("-i M.mp4 -map 0:a -c copy audio.mp4");
}

/* Without an edit list ffmpeg puts the priming of its AAC encoder on the timeline:
 * the pictures are 21 ms late, and a keyframe lies at 3.021 s. */
#define SEGMENTS_BEGIN \
  "<seq isContinuous='true'" \
  " clipBegin='wallclock(2022-01-01T00:00:03.100Z)'" \
  " clipEnd='wallclock(2022-01-01T00:00:17.100Z)'>"

GST_START_TEST (test_continuous)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, "G.mp4", 0, 75, 425);
  remix_media_expect_ok (SEGMENTS_BEGIN
      "<video src='archive0.mp4'/><video src='archive1.mp4'/>"
      "<video src='archive2.mp4'/><video src='archive3.mp4'/></seq>",
      NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  remix_media_expect_duration (14);
}

GST_END_TEST;

GST_START_TEST (test_gap)
{
  remix_media_expect_error (SEGMENTS_BEGIN
      "<video src='archive0.mp4'/><video src='archive2.mp4'/></seq>",
      "archive2.mp4: its video starts at 1640995210.021 s",
      "archive0.mp4 ends at 1640995205.021 s");
  remix_media_expect_error (SEGMENTS_BEGIN
      "<video src='archive1.mp4'/><video src='archive0.mp4'/></seq>",
      "a segment between them is missing or out of order", "clip 1");
}

GST_END_TEST;

/* One segment alone: wallclock, and a time from its own start. */
GST_START_TEST (test_fragmented_source)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, "G.mp4", 0, 150, 200);
  remix_media_append_of (expected, "G.mp4", 0, 125, 150);
  remix_media_expect_ok ("<video src='archive1.mp4'"
                         " clipBegin='wallclock(2022-01-01T01:00:06.1+01:00)'"
                         " clipEnd='wallclock(2022-01-01T00:00:08,1Z)'/>"
                         "<video src='archive1.mp4' clipEnd='npt=1s'/>",
      NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  remix_media_expect_duration (3);
}

GST_END_TEST;

GST_START_TEST (test_par)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

  remix_media_append_of (expected, "M.mp4", 0, 100, 250);
  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_expect_ok (
      "<par clipBegin='4s' clipEnd='10s'><video src='video.mp4'/>"
      "<video src='audio.mp4'/></par><video src='A5.mp4'/>",
      NULL);
  remix_media_expect_frames ("o.mp4", 0, expected);
  remix_media_expect_duration (11);
}

GST_END_TEST;

#define LADDER_VIDEO \
  "-map 0:v -c:v libx264 -threads 1 -g 50 -keyint_min 50 -sc_threshold 0 " \
  "-pix_fmt yuv420p "

/* Three bitrates in files of their own, then all in one, in another order. */
GST_START_TEST (test_ladder)
{
  static const gchar *const names[] = { "low.mp4", "middle.mp4", "high.mp4" };
  guint i;

  for (i = 0; i < 3; i++) {
    g_autofree gchar *args =
        g_strdup_printf ("-i M.mp4 -t 4 " LADDER_VIDEO "-crf %u %s",
            44 - 14 * i, names[i]);

    remix_media_make (args);
  }
  remix_media_make ("-i high.mp4 -i low.mp4 -i middle.mp4 -i A5.mp4 -map 0:v "
                    "-map 3:a -map 1:v -map 2:v -c copy -t 4 all.mp4");
  remix_media_expect_ok (
      "<par><video src='low.mp4'/><video src='middle.mp4'/>"
      "<video src='high.mp4'/><video src='audio.mp4' clipEnd='4s'/></par>"
      "<video src='all.mp4'/>",
      NULL);
  for (i = 0; i < 3; i++) {
    g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);

    remix_media_append_of (expected, names[i], 0, 0, 100);
    remix_media_append_of (expected, names[i], 0, 0, 100);
    remix_media_expect_frames ("o.mp4", i, expected);
  }
  remix_media_expect_duration (8);
}

GST_END_TEST;

/* The target has sound, the first clip has not: its tracks rule. */
GST_START_TEST (test_output_description)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *error = remix_media_run_document (
      "<smil><head><meta name='outputDescription' content='M.mp4'/></head>"
      "<body><video src='video.mp4' clipEnd='2s'/><video src='A5.mp4'/></body>"
      "</smil>",
      NULL, "o.mp4");

  fail_unless (error == NULL, "%s", error);
  remix_media_append_of (expected, "M.mp4", 0, 0, 50);
  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_expect_frames ("o.mp4", 0, expected);
  remix_media_expect_duration (7);
}

GST_END_TEST;

/* Fragments of one sample description: ffmpeg follows. */
GST_START_TEST (test_fragmented_output)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *path = remix_media_path ("o.mp4");
  g_autofree gchar *data = NULL;
  gsize size, at;
  guint moofs = 0, sidx = 0;

  remix_media_append_of (expected, "M.mp4", 0, 50, 200);
  remix_media_append_of (expected, "M.mp4", 0, 0, 100);
  remix_media_expect_ok ("<video src='M.mp4' clipBegin='2s' clipEnd='8s'/>"
                         "<video src='M.mp4' clipEnd='4s'/>",
      "fragment-duration=2000");
  remix_media_expect_frames ("o.mp4", 0, expected);
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  for (at = 0; at < size; at += get_u32 ((guint8 *) data + at)) {
    fail_unless (at + 8 <= size && get_u32 ((guint8 *) data + at) >= 8);
    moofs += memcmp (data + at + 4, "moof", 4) == 0;
    sidx += memcmp (data + at + 4, "sidx", 4) == 0;
  }
  fail_unless_equals_uint64 (at, size);
  fail_unless_equals_int (moofs, 5);
  fail_unless_equals_int (sidx, 1);
}

GST_END_TEST;

/* Fragments with several sample descriptions: qtdemux follows. */
GST_START_TEST (test_fragmented_join)
{
  remix_media_expect_ok (
      "<video src='A5.mp4'/><video src='M.mp4' clipEnd='4s'/>"
      "<video src='A3.mp4'/>",
      "fragment-duration=2000");
  remix_media_expect_played ("fragment-duration=2000", 300, 12);
}

GST_END_TEST;

/* What came out goes in again. */
GST_START_TEST (test_again)
{
  g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *error = NULL;

  remix_media_append_of (expected, "A5.mp4", 0, 0, 125);
  remix_media_append_of (expected, "M.mp4", 0, 0, 50);
  remix_media_expect_ok (
      "<video src='A5.mp4'/><video src='M.mp4' clipEnd='2s'/>", NULL);
  error = remix_media_run ("<video src='o.mp4'/>", NULL, "again.mp4");
  fail_unless (error == NULL, "%s", error);
  remix_media_expect_frames ("again.mp4", 0, expected);
  remix_media_expect_ok (
      "<video src='A5.mp4'/><video src='M.mp4' clipEnd='2s'/>",
      "fragment-duration=1000");
  g_clear_pointer (&error, g_free);
  error = remix_media_run ("<video src='o.mp4'/>", NULL, "again.mp4");
  fail_unless (error == NULL, "%s", error);
  remix_media_expect_frames ("again.mp4", 0, expected);
}

GST_END_TEST;

/* "time duration size" of each packet of the data track. */
static void
expect_packets (const gchar *const *expected)
{
  g_autofree gchar *out = remix_media_packets ("o.mp4", "d:0");
  g_auto (GStrv) lines = g_strsplit (out, "\n", -1);
  guint i;

  for (i = 0; expected[i]; i++)
    fail_unless (lines[i] && g_str_has_prefix (lines[i], expected[i]),
        "packet %u: %s", i, lines[i]);
  fail_unless (lines[i] == NULL, "more: %s", lines[i]);
}

#define EVENT(time, duration, id) \
  "<Event presentationTime='" time "' duration='" duration "' id='" id "'>" \
  "<SpliceInfoSection xmlns='http://www.scte.org/schemas/35/2016'/></Event>"
#define STREAM(events) \
  "<EventStream xmlns='urn:mpeg:dash:schema:mpd:2011' timescale='1000'" \
  " schemeIdUri='urn:scte:scte35:2013:xml'>" events "</EventStream>"

/* The second clip's event moves by what the first clip came to last: 6 s, cut from
 * 3 to 9 at keyframes. */
GST_START_TEST (test_events)
{
  static const gchar *const expected[] = { "0.000000,1.000000,8",
    "1.000000,2.000000,", "3.000000,5.000000,8", "8.000000,1.500000,",
    "9.500000,1.500000,8", NULL };
  g_autofree gchar *path = remix_media_path ("o.mp4");
  g_autofree gchar *data = NULL;
  gsize size;
  static const gchar emsg[] = "emsg\0\0\0\0urn:scte:scte35:2013:xml\0\0"
                              "\0\0\3\350\0\0\0\0\0\0\5\334\0\0\0\11<Splice";

  remix_media_expect_ok (
      "<par clipBegin='3s' clipEnd='9s'><video src='M.mp4'/>" STREAM (
          EVENT ("1000", "2000", "7")) "</par>"
                                       "<par><video src='A5.mp4'/>" STREAM (
                                           EVENT ("2000", "1500",
                                               "9")) "</par>",
      NULL);
  expect_packets (expected);
  remix_media_expect_duration (11);
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  {
    const gchar *p = data, *end = data + size - sizeof (emsg);

    while (p < end && memcmp (p, emsg, sizeof (emsg) - 1) != 0)
      p++;
    fail_unless (p < end, "the second emsg is not there");
  }
}

GST_END_TEST;

/* A par that holds events only takes no time. */
GST_START_TEST (test_events_only)
{
  static const gchar *const expected[] = { "0.000000,5.000000,8",
    "5.000000,1.000000,", "6.000000,2.000000,8", NULL };

  remix_media_expect_ok ("<video src='A5.mp4'/><par>" STREAM (EVENT ("0",
                             "1000", "1")) "</par><video src='A3.mp4'/>",
      NULL);
  expect_packets (expected);
  remix_media_expect_duration (8);
  remix_media_expect_played ("", 200, 8);
}

GST_END_TEST;

/* Cues of 3GPP timed text, cut and moved with their clip; none where a clip has no
 * text. */
GST_START_TEST (test_text)
{
  static const gchar *const expected[] = { "0.000000,1.000000,2",
    "1.000000,2.000000,5", "3.000000,1.000000,2", "4.000000,3.000000,2",
    "7.000000,1.000000,5", "8.000000,1.000000,2", NULL };
  g_autofree gchar *out = NULL;
  g_auto (GStrv) lines = NULL;
  guint i;

  remix_media_write ("cues.srt",
      "1\n00:00:01,000 --> 00:00:03,000\none\n\n"
      "2\n00:00:05,000 --> 00:00:07,000\ntwo\n\n"
      "3\n00:00:15,000 --> 00:00:17,000\nend\n\n");
  remix_media_make ("-i M.mp4 -i cues.srt -map 0:v -map 0:a -map 1 -c copy "
                    "-c:s mov_text cues.mp4");
  remix_media_expect_ok (
      "<video src='cues.mp4' clipEnd='4s'/><video src='A3.mp4'/>"
      "<video src='cues.mp4' clipBegin='6s' clipEnd='8s'/>",
      NULL);
  out = remix_media_packets ("o.mp4", "s:0");
  lines = g_strsplit (out, "\n", -1);
  for (i = 0; expected[i]; i++)
    fail_unless (lines[i] && g_str_has_prefix (lines[i], expected[i]),
        "packet %u: %s\n%s", i, lines[i], out);
  fail_unless (lines[i] == NULL, "more: %s", out);
  remix_media_expect_duration (9);
}

GST_END_TEST;

#define CONDITION(offset, duration) \
  "<ConditioningInfo acquisitionSignalIDRef='x' startOffset='" offset \
  "' duration='" duration "'/>"

/* Fragments of at least 60 s, but for the conditioning points. */
GST_START_TEST (test_conditions)
{
  g_autofree gchar *data = NULL;
  g_autofree gchar *path = remix_media_path ("o.mp4");
  gsize size, at;
  guint moofs = 0;

  remix_media_expect_ok ("<par><video src='M.mp4'/>" CONDITION ("PT4S",
                             "PT6S") "</par>",
      "fragment-duration=60000 strict=true");
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  for (at = 0; at + 8 <= size; at += get_u32 ((guint8 *) data + at))
    moofs += memcmp (data + at + 4, "moof", 4) == 0;
  fail_unless_equals_int (moofs, 3);
}

GST_END_TEST;

/* Sets the time of each tfxd of smooth.ismv, which is of version 1. */
static void
write_smooth (const gchar *name, gint64 time)
{
  static const guint8 tfxd[16] = { 0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44,
    0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2 };
  g_autofree gchar *from = remix_media_path ("smooth.ismv");
  g_autofree gchar *to = remix_media_path (name);
  g_autofree gchar *data = NULL;
  gsize size, i;
  guint n = 0;

  fail_unless (g_file_get_contents (from, &data, &size, NULL));
  for (i = 0; i + 28 <= size; i++) {
    if (memcmp (data + i, tfxd, sizeof tfxd) == 0) {
      GST_WRITE_UINT64_BE (data + i + 20, (guint64) time);
      n++;
    }
  }
  fail_unless (n >= 4, "%u", n);
  fail_unless (g_file_set_contents (to, data, (gssize) size, NULL));
}

/* A tfxd that cannot be is none: the fragments follow each other. */
GST_START_TEST (test_smooth_times)
{
  g_autoptr (GPtrArray) expected = remix_media_frames ("A5.mp4", 0);

  remix_media_make ("-i A5.mp4 -c copy -f ismv smooth.ismv");
  write_smooth ("least.ismv", G_MININT64);
  write_smooth ("most.ismv", G_MAXINT64);
  remix_media_expect_ok ("<video src='smooth.ismv'/>", "strict=true");
  remix_media_expect_frames ("o.mp4", 0, expected);
  remix_media_expect_ok ("<video src='least.ismv'/>", "strict=true");
  remix_media_expect_frames ("o.mp4", 0, expected);
  remix_media_expect_duration (5);
  remix_media_expect_ok ("<video src='most.ismv'/>", "strict=true");
  remix_media_expect_frames ("o.mp4", 0, expected);
  remix_media_expect_duration (5);
}

GST_END_TEST;

static void
add_tests (TCase *tc)
{
  tcase_add_test (tc, test_continuous);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_fragmented_source);
  tcase_add_test (tc, test_par);
  tcase_add_test (tc, test_ladder);
  tcase_add_test (tc, test_output_description);
  tcase_add_test (tc, test_fragmented_output);
  tcase_add_test (tc, test_fragmented_join);
  tcase_add_test (tc, test_again);
  tcase_add_test (tc, test_events);
  tcase_add_test (tc, test_events_only);
  tcase_add_test (tc, test_conditions);
  tcase_add_test (tc, test_text);
  tcase_add_test (tc, test_smooth_times);
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  return remix_media_main ("smilremix-archive", setup, add_tests);
}
