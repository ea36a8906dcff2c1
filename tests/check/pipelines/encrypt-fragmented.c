/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencencrypt behind real muxers, in front of a file, and on files. */

#include "../elements/cencencrypt-judge.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define VIDEO \
  "videotestsrc num-buffers=125 ! video/x-raw,width=320,height=240," \
  "framerate=25/1 ! "
#define H264 VIDEO "x264enc key-int-max=25 speed-preset=ultrafast ! h264parse "
#define AAC "audiotestsrc num-buffers=216 ! avenc_aac ! aacparse "
#define ENCRYPT \
  "cencencrypt key-id=" JUDGE_KID " key=" JUDGE_KEY " iv=1122334455667788 "
#define NEEDED "x264enc h264parse avenc_aac aacparse mp4mux tee"

/* A clear file as the muxer makes it. */
static GBytes *
mux (const gchar *streams, const gchar *muxer)
{
  g_autofree gchar *description = g_strconcat (streams, " mp4mux name=m ",
      muxer, " ! filesink location=%s", NULL);

  return judge_make (description);
}

static GBytes *
encrypt_file (GBytes *file, const gchar *properties)
{
  g_autofree gchar *element = g_strconcat (ENCRYPT, properties, NULL);

  return judge_make_of (file, element);
}

/* Encoders are not the same twice, muxers write times: one stream goes both ways. */
static void
mux_both (const gchar *streams, const gchar *muxer, const gchar *properties,
    GBytes **clear, GBytes **out)
{
  g_autofree gchar *path = judge_write (*clear = g_bytes_new (NULL, 0));
  g_autofree gchar *description =
      g_strconcat (streams, " mp4mux name=m ", muxer,
          " ! tee name=t ! queue max-size-bytes=0 max-size-buffers=0 "
          "max-size-time=0 ! filesink async=false location=",
          path,
          " t. ! queue max-size-bytes=0 max-size-buffers=0 max-size-time=0 ! ",
          ENCRYPT, properties, " ! filesink async=false location=%s", NULL);
  gchar *data;
  gsize size;

  g_bytes_unref (*clear);
  *out = judge_make (description);
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  *clear = g_bytes_new_take (data, size);
  g_unlink (path);
}

static const struct
{
  const gchar *streams, *muxer, *scheme;
} muxed[] = {
  { H264 "! m. " AAC "! m.", "fragment-duration=1000", "cenc" },
  { H264 "! m. " AAC "! m.", "fragment-duration=1000", "cbcs" },
  { H264 "! m. " AAC "! m.", "fragment-duration=1000 streamable=true", "cbcs" },
  { H264 "! video/x-h264,stream-format=avc3 ! m.", "fragment-duration=2000",
      "cenc" },
  { AAC "! m.", "fragment-duration=500", "cbcs" },
};

GST_START_TEST (test_behind_mp4mux)
{
  g_autofree gchar *properties =
      g_strconcat ("scheme=", muxed[__i__].scheme, NULL);
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  mux_both (muxed[__i__].streams, muxed[__i__].muxer, properties, &clear, &out);
  judge_same_samples (clear, out, muxed[__i__].scheme);
  judge_places (out);
  fail_unless_equals_int (judge_count (out, "moof"),
      judge_count (clear, "moof"));
  fail_unless_equals_int (judge_count (out, "sidx"), 1);
}
GST_END_TEST

/* The muxer's last moov says how long the movie is: so does ours. */
GST_START_TEST (test_rewritten_moov)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  mux_both (H264 "! m. " AAC "! m.", "fragment-duration=1000", "", &clear,
      &out);
  fail_unless_equals_uint64 (judge_duration (out), judge_duration (clear));
  fail_unless (judge_duration (out) > 0);
}
GST_END_TEST

/* Fragments that are far larger than what is read at once. */
#define LARGE \
  "videotestsrc num-buffers=50 pattern=snow ! video/x-raw,width=320," \
  "height=240,framerate=25/1 ! x264enc key-int-max=25 pass=qual quantizer=10 " \
  "speed-preset=ultrafast option-string=slices=3 ! h264parse ! m. " AAC "! m."

static const struct
{
  const gchar *streams, *properties, *scheme;
} read_both[] = {
  { H264 "! m. " AAC "! m.", "", "cenc" },
  { LARGE, "", "cenc" },
  { LARGE, "scheme=cbcs", "cbcs" },
  { LARGE, "clear-lead=1000000000", NULL },
  { LARGE, "tracks=audio", NULL },
};

/* A file in pull mode comes out as it does behind its muxer; in push mode too. */
GST_START_TEST (test_pull_and_push)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) pulled = NULL;
  g_autoptr (GBytes) pushed = NULL;
  g_autofree gchar *path = NULL;
  g_autofree gchar *description = NULL;

  if (!judge_has_elements (NEEDED " queue"))
    return;
  clear = mux (read_both[__i__].streams, "fragment-duration=1000");
  pulled = encrypt_file (clear, read_both[__i__].properties);
  path = judge_write (clear);
  description = g_strconcat ("filesrc location=", path, " ! queue ! ", ENCRYPT,
      read_both[__i__].properties, " ! filesink location=%s", NULL);
  pushed = judge_make (description);
  g_unlink (path);
  if (read_both[__i__].scheme)
    judge_same_samples (clear, pulled, read_both[__i__].scheme);
  judge_places (pulled);
  fail_unless (g_bytes_equal (pulled, pushed));
}
GST_END_TEST

/* Given IVs make the same file each time. */
GST_START_TEST (test_reproducible)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) one = NULL;
  g_autoptr (GBytes) two = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  clear = mux (H264 "! m. " AAC "! m.", "fragment-duration=1000");
  one = encrypt_file (clear, "");
  two = encrypt_file (clear, "");
  fail_unless (g_bytes_equal (one, two));
}
GST_END_TEST

GST_START_TEST (test_hevc)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!judge_has_elements (NEEDED " x265enc h265parse"))
    return;
  clear = mux (VIDEO
      "x265enc speed-preset=ultrafast key-int-max=25 ! h265parse ! m.",
      "fragment-duration=1000");
  out = encrypt_file (clear, "scheme=cbcs");
  judge_same_samples (clear, out, "cbcs");
  g_clear_pointer (&out, g_bytes_unref);
  out = encrypt_file (clear, "scheme=cenc");
  judge_same_samples (clear, out, "cenc");
  judge_places (out);
}
GST_END_TEST

/* Live: the first fragment is out before the source ends. */
GST_START_TEST (test_live)
{
  g_autoptr (GBytes) out = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  out = judge_make_stream (
      "videotestsrc is-live=true num-buffers=40 ! "
      "video/x-raw,width=160,height=120,framerate=20/1 ! x264enc "
      "tune=zerolatency key-int-max=10 ! h264parse ! mp4mux "
      "fragment-duration=500 streamable=true ! " ENCRYPT "! appsink name=out");
  judge_places (out);
  /* appsink cannot be overwritten: no room for an index was left. */
  fail_unless_equals_int (judge_count (out, "free"), 0);
  fail_unless (judge_count (out, "moof") >= 3);
}
GST_END_TEST

/* The same streams as another muxer lays them out. */
static const gchar *others[] = {
  "frag_keyframe+empty_moov+default_base_moof",
  "frag_keyframe+empty_moov+default_base_moof+global_sidx",
  "frag_keyframe+empty_moov+separate_moof", /* base data offsets */
  "frag_keyframe+empty_moov",
  "dash+frag_keyframe+empty_moov+default_base_moof",
  "cmaf+frag_keyframe+empty_moov",
  "frag_keyframe+empty_moov+omit_tfhd_offset",
};

static GBytes *
remux (GBytes *file, const gchar *flags)
{
  g_autofree gchar *from = judge_write (file);
  g_autofree gchar *to = g_strconcat (from, ".out.mp4", NULL);
  const gchar *command[] = { "ffmpeg", "-v", "error", "-y", "-i", from, "-c",
    "copy", "-movflags", flags, to, NULL };
  gchar *data = NULL;
  gsize size;
  gint status = -1;

  g_spawn_sync (NULL, (gchar **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
      NULL, NULL, &status, NULL);
  g_unlink (from);
  if (status != 0 || !g_file_get_contents (to, &data, &size, NULL)) {
    GST_WARNING ("skipped: ffmpeg does not make that layout");
    return NULL;
  }
  g_unlink (to);
  return g_bytes_new_take (data, size);
}

GST_START_TEST (test_other_muxer)
{
  g_autoptr (GBytes) muxed_here = NULL;
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  muxed_here = mux (H264 "! m. " AAC "! m.", "fragment-duration=1000");
  clear = remux (muxed_here, others[__i__]);
  if (!clear)
    return;
  out = encrypt_file (clear, "scheme=cbcs");
  judge_same_samples (clear, out, "cbcs");
  judge_places (clear);
  judge_places (out);
  fail_unless (judge_count (out, "sidx") > 0);
  fail_unless (judge_count (out, "sidx") >= judge_count (clear, "sidx"));
}
GST_END_TEST

/* moov/meta/ID32, as Shaka Packager 2.0 writes it */
static const guint8 shaka_meta[] =
    "\0\0\0\x84meta\0\0\0\0"
    "\0\0\0\x21hdlr\0\0\0\0\0\0\0\0ID32\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\0\0\0\x57ID32\0\0\0\0\x15\xc7"
    "ID3\4\0\0\0\0\0\x3fPRIV\0\0\0\x35\0\0"
    "https://github.com/google/shaka-packager\0v2.0.2-test0";

/* @file with @box at the end of its moov; no place in it counts from the start. */
static GBytes *
add_to_moov (GBytes *file, const guint8 *box, gsize box_size)
{
  GByteArray *out = g_byte_array_new ();
  gsize size, pos = 0;
  const guint8 *data = g_bytes_get_data (file, &size);
  guint moov;

  while (memcmp (data + pos + 4, "moov", 4) != 0)
    pos += GST_READ_UINT32_BE (data + pos);
  moov = GST_READ_UINT32_BE (data + pos);
  g_byte_array_append (out, data, (guint) (pos + moov));
  GST_WRITE_UINT32_BE (out->data + pos, moov + (guint) box_size);
  g_byte_array_append (out, box, (guint) box_size);
  g_byte_array_append (out, data + pos + moov, (guint) (size - pos - moov));
  return g_byte_array_free_to_bytes (out);
}

static void
check_clear_again (GBytes *clear, GBytes *out)
{
  g_autoptr (GPtrArray) a = judge_read (clear, JUDGE_SENC, NULL);
  g_autoptr (GPtrArray) b = judge_read (out, JUDGE_SENC, NULL);
  const JudgeTrack *wanted, *got;
  guint i;

  fail_unless (a && b && a->len == 1 && b->len == 1);
  wanted = g_ptr_array_index (a, 0);
  got = g_ptr_array_index (b, 0);
  fail_unless_equals_int (got->samples->len, wanted->samples->len);
  for (i = 0; i < wanted->samples->len; i++)
    fail_unless (g_bytes_equal (g_ptr_array_index (wanted->samples, i),
                     g_ptr_array_index (got->samples, i)),
        "sample %u", i);
}

/* A clear file of a writer whose own encryption has its ways: ours is not taken
 * for that. */
GST_START_TEST (test_old_writer)
{
  g_autoptr (GBytes) muxed_file = NULL;
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) encrypted = NULL;
  g_autoptr (GBytes) out = NULL;

  fail_unless_equals_int (sizeof shaka_meta - 1, shaka_meta[3]);
  if (!judge_has_elements (NEEDED) || !judge_has_elements ("cencdecrypt"))
    return;
  muxed_file = mux (H264 "! m.", "fragment-duration=1000 streamable=true");
  clear = add_to_moov (muxed_file, shaka_meta, sizeof shaka_meta - 1);
  encrypted =
      encrypt_file (clear, "scheme=cbcs crypt-byte-block=5 skip-byte-block=5");
  out = judge_decrypt (encrypted);
  check_clear_again (clear, out);
}
GST_END_TEST

/* A truncated file ends in an error, in pull mode too. */
static const gchar *truncated[] = { H264 "! m.", LARGE };

GST_START_TEST (test_truncated_file)
{
  g_autoptr (GBytes) clear = NULL;
  gsize size, i;

  if (!judge_has_elements (NEEDED))
    return;
  clear = mux (truncated[__i__], "fragment-duration=1000");
  size = g_bytes_get_size (clear);
  for (i = 1; i < 5; i++) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (clear, 0, size * i / 5);

    judge_refuses (part, ENCRYPT, GST_STREAM_ERROR_DEMUX, "");
  }
}
GST_END_TEST

static Suite *
encrypt_fragmented_suite (void)
{
  Suite *s = suite_create ("encrypt-fragmented");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_behind_mp4mux, 0, G_N_ELEMENTS (muxed));
  tcase_add_test (tc, test_rewritten_moov);
  tcase_add_loop_test (tc, test_pull_and_push, 0, G_N_ELEMENTS (read_both));
  tcase_add_test (tc, test_reproducible);
  tcase_add_test (tc, test_hevc);
  tcase_add_test (tc, test_live);
  tcase_add_test (tc, test_old_writer);
  tcase_add_loop_test (tc, test_truncated_file, 0, G_N_ELEMENTS (truncated));
  tcase_add_loop_test (tc, test_other_muxer, 0, G_N_ELEMENTS (others));
  return s;
}

GST_CHECK_MAIN (encrypt_fragmented);
