/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencencrypt on files whose moov has the sample tables, by every way they come. */

#include "../elements/cencencrypt-judge.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define H264 \
  "videotestsrc num-buffers=125 ! video/x-raw,width=320,height=240," \
  "framerate=25/1 ! x264enc key-int-max=25 speed-preset=ultrafast ! h264parse "
#define AAC "audiotestsrc num-buffers=216 ! avenc_aac ! aacparse "
#define ENCRYPT \
  "cencencrypt key-id=" JUDGE_KID " key=" JUDGE_KEY " iv=1122334455667788 "
#define NEEDED "x264enc h264parse avenc_aac aacparse mp4mux tee"
#define QUEUE "queue max-size-bytes=0 max-size-buffers=0 max-size-time=0 ! "

static GBytes *
mux (const gchar *muxer)
{
  g_autofree gchar *description = g_strconcat (H264 "! mp4mux name=m ", muxer,
      " ! filesink location=%s " AAC "! m.", NULL);

  return judge_make (description);
}

/* @between: elements between the file and ours */
static GBytes *
encrypt_file (GBytes *file, const gchar *between, const gchar *properties)
{
  g_autofree gchar *elements = g_strconcat (between, ENCRYPT, properties, NULL);

  return judge_make_of (file, elements);
}

static const gchar *schemes[] = { "cenc", "cbcs", "cens", "cbc1" };
static const gchar *layouts[] = { "", "faststart=true" };

GST_START_TEST (test_pull)
{
  const gchar *scheme = schemes[__i__ / 2];
  g_autofree gchar *properties = g_strconcat ("scheme=", scheme, NULL);
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  clear = mux (layouts[__i__ % 2]);
  out = encrypt_file (clear, "", properties);
  judge_same_samples (clear, out, scheme);
  judge_places (out);
}
GST_END_TEST

static guint8 *
find_box (guint8 *data, gsize size, const gchar *type)
{
  guint8 *found = NULL;
  gsize i;

  for (i = 0; i + 4 <= size; i++) {
    if (memcmp (data + i, type, 4) == 0)
      found = data + i;
  }
  fail_unless (found != NULL);
  return found;
}

/* Chunks that do not stand in the order of their samples: what stands in front
 * of the moov cannot be mapped on the way. */
GST_START_TEST (test_chunks_out_of_order)
{
  g_autoptr (GBytes) made = NULL;
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  guint8 *data, *stco, first[4];
  gsize size;

  if (!judge_has_elements (NEEDED " avenc_ac3 ac3parse"))
    return;
  /* Samples of one size, in chunks of 5 but for the first and the last, so that
   * two can change places by their offsets. */
  made =
      judge_make (H264 "! mp4mux name=m interleave-time=160000000 ! filesink "
                       "location=%s audiotestsrc num-buffers=200 ! "
                       "audio/x-raw,rate=48000 ! avenc_ac3 bitrate=192000 ! "
                       "ac3parse ! m.");
  data = g_bytes_unref_to_data (g_steal_pointer (&made), &size);
  stco = find_box (data, size, "stco");
  fail_unless (GST_READ_UINT32_BE (stco + 8) > 5);
  memcpy (first, stco + 20, 4);
  memcpy (stco + 20, stco + 24, 4);
  memcpy (stco + 24, first, 4);
  clear = g_bytes_new_take (data, size);
  out = encrypt_file (clear, "", "scheme=cbcs");
  judge_same_samples (clear, out, "cbcs");
  judge_places (out);
}
GST_END_TEST

/* A sample that is found damaged when others went out already. */
GST_START_TEST (test_damaged_sample)
{
  g_autoptr (GBytes) made = NULL;
  g_autoptr (GBytes) clear = NULL;
  guint8 *data, *stco;
  guint32 n;
  gsize size;

  if (!judge_has_elements (NEEDED))
    return;
  made = judge_make (H264 "! mp4mux ! filesink location=%s");
  data = g_bytes_unref_to_data (g_steal_pointer (&made), &size);
  stco = find_box (data, size, "stco");
  n = GST_READ_UINT32_BE (stco + 8);
  memset (data + GST_READ_UINT32_BE (stco + 8 + 4 * n), 0x7f, 4);
  clear = g_bytes_new_take (data, size);
  judge_refuses (clear, ENCRYPT, GST_STREAM_ERROR_DEMUX, "NAL unit");
}
GST_END_TEST

/* By way of the spool the file is the same, byte for byte. */
GST_START_TEST (test_push)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) pulled = NULL;
  g_autoptr (GBytes) pushed = NULL;

  if (!judge_has_elements (NEEDED " queue"))
    return;
  clear = mux (layouts[__i__]);
  pulled = encrypt_file (clear, "", "");
  pushed = encrypt_file (clear, "queue ! ", "");
  fail_unless (g_bytes_equal (pulled, pushed));
}
GST_END_TEST

/* All of mp4mux's ways to write, several of which go back. */
static const gchar *modes[] = {
  "",
  "faststart=true",
  "fragment-duration=1000 fragment-mode=first-moov-then-finalise",
  "reserved-max-duration=20000000000 reserved-moov-update-period=1000000000",
};

GST_START_TEST (test_behind_mp4mux)
{
  g_autofree gchar *path = NULL;
  g_autofree gchar *description = NULL;
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  gchar *data;
  gsize size;

  if (!judge_has_elements (NEEDED))
    return;
  clear = g_bytes_new (NULL, 0);
  path = judge_write (clear);
  g_clear_pointer (&clear, g_bytes_unref);
  description = g_strconcat (H264 "! mp4mux name=m ", modes[__i__],
      " ! tee name=t ! " QUEUE "filesink async=false location=", path,
      " t. ! " QUEUE ENCRYPT
      "scheme=cbcs ! filesink async=false location=%s " AAC "! m.",
      NULL);
  out = judge_make (description);
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  clear = g_bytes_new_take (data, size);
  g_unlink (path);
  judge_same_samples (clear, out, "cbcs");
  judge_places (out);
}
GST_END_TEST

/* A sink that cannot be overwritten gets the same file. */
GST_START_TEST (test_into_unseekable)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) want = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autofree gchar *path = NULL;
  g_autofree gchar *description = NULL;
  GError *error = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  clear = mux ("");
  want = encrypt_file (clear, "", "");
  path = judge_write (clear);
  description = g_strconcat ("filesrc location=", path, " ! ", ENCRYPT,
      "! appsink name=out", NULL);
  out = judge_run (description, &error);
  g_unlink (path);
  fail_unless (out, "%s", error ? error->message : "");
  fail_unless (g_bytes_equal (want, out));
}
GST_END_TEST

/* Cut off anywhere, it ends in an error: mp4mux writes the moov last. */
GST_START_TEST (test_truncated)
{
  static const gchar *elements[] = { ENCRYPT, "queue ! " ENCRYPT };
  g_autoptr (GBytes) clear = NULL;
  gsize size, i;

  if (!judge_has_elements (NEEDED " queue"))
    return;
  clear = mux (layouts[__i__ % 2]);
  size = g_bytes_get_size (clear);
  for (i = 1; i < 6; i++) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (clear, 0, size * i / 6);

    judge_refuses (part, elements[__i__ / 2], GST_STREAM_ERROR_DEMUX, "");
  }
}
GST_END_TEST

static void
check_lead (const JudgeTrack *from, const JudgeTrack *to,
    const JudgeTrack *decrypted, guint n_lead)
{
  guint i;

  fail_unless_equals_int (to->raw->len, from->raw->len);
  for (i = 0; i < to->raw->len; i++) {
    GBytes *want = g_ptr_array_index (from->raw, i);

    fail_unless (g_bytes_equal (want, g_ptr_array_index (to->samples, i)));
    fail_unless (g_bytes_equal (want, g_ptr_array_index (decrypted->raw, i)),
        "track %u, sample %u", to->id, i);
    fail_unless (g_bytes_equal (want, g_ptr_array_index (to->raw, i)) ==
            (i < n_lead),
        "track %u, sample %u", to->id, i);
  }
}

/* How many samples have no auxiliary information, by the saiz boxes of @file. */
static guint
count_untold (GBytes *file)
{
  gsize size, pos;
  const guint8 *data = g_bytes_get_data (file, &size);
  guint n = 0;

  for (pos = 0; pos + 13 < size; pos++) {
    guint32 i, count = bmff_get_u32 (data + pos + 9);

    /* version and flags, then 0: sizes differ */
    if (memcmp (data + pos, "saiz\0\0\0\0\0", 9) != 0)
      continue;
    fail_unless (count < size - pos - 13);
    for (i = 0; i < count; i++)
      n += data[pos + 13 + i] == 0;
  }
  return n;
}

/* Pictures have a sync sample each second, sound 44100 / 1024 of them; chunks
 * are split. */
static const struct
{
  const gchar *lead;
  guint pictures, sound;
} leads[] = {
  { "clear-lead=1500000000 scheme=cenc", 50, 65 },
  { "clear-lead=1500000000 scheme=cbcs", 50, 65 },
  { "clear-lead=2000000000 scheme=cbc1", 50, 87 },
  { "clear-lead=1 scheme=cens", 25, 1 },
  { "clear-lead=60000000000", G_MAXUINT, G_MAXUINT },
};

GST_START_TEST (test_clear_lead)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) decrypted = NULL;
  g_autoptr (GPtrArray) from = NULL;
  g_autoptr (GPtrArray) to = NULL;
  g_autoptr (GPtrArray) back = NULL;
  JudgeAux aux;
  guint i;

  if (!judge_has_elements (NEEDED))
    return;
  clear = mux (layouts[__i__ % 2]);
  out = encrypt_file (clear, "", leads[__i__ / 2].lead);
  judge_places (out);
  /* ffmpeg counts on one for each. */
  fail_unless_equals_int (count_untold (out), 0);
  decrypted = judge_decrypt (out);
  from = judge_read (clear, JUDGE_SENC, NULL);
  back = judge_read (decrypted, JUDGE_SENC, NULL);
  fail_unless (from && back);
  for (aux = JUDGE_SENC; aux <= JUDGE_SAIZ; aux++) {
    g_clear_pointer (&to, g_ptr_array_unref);
    to = judge_read (out, aux, NULL);
    fail_unless (to && to->len == 2);
    for (i = 0; i < 2; i++) {
      const JudgeTrack *track = g_ptr_array_index (to, i);
      gboolean sound = track->format == BMFF_FOURCC ('e', 'n', 'c', 'a');

      check_lead (g_ptr_array_index (from, i), track,
          g_ptr_array_index (back, i),
          sound ? leads[__i__ / 2].sound : leads[__i__ / 2].pictures);
    }
  }
}
GST_END_TEST

/* A picture of the lead that is larger than its auxiliary information can tell:
 * as many clear bytes as 40 subsamples have. The lead has no entries then. */
GST_START_TEST (test_clear_lead_large)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) decrypted = NULL;
  g_autoptr (GPtrArray) from = NULL;
  g_autoptr (GPtrArray) to = NULL;
  g_autoptr (GPtrArray) back = NULL;
  const JudgeTrack *video;

  if (!judge_has_elements (NEEDED))
    return;
  clear = judge_make (
      "videotestsrc pattern=snow num-buffers=2 ! video/x-raw,"
      "width=1920,height=1080,framerate=25/1 ! x264enc key-int-max=1 "
      "speed-preset=ultrafast pass=quant quantizer=1 ! h264parse ! "
      "mp4mux ! filesink location=%s");
  from = judge_read (clear, JUDGE_SENC, NULL);
  video = g_ptr_array_index (from, 0);
  fail_unless (g_bytes_get_size (video->raw->pdata[0]) > 40 * 65535);
  out = encrypt_file (clear, "", "clear-lead=1");
  fail_unless_equals_int (count_untold (out), 1);
  decrypted = judge_decrypt (out);
  to = judge_read (out, JUDGE_SENC, NULL);
  back = judge_read (decrypted, JUDGE_SENC, NULL);
  fail_unless (to && back);
  check_lead (video, to->pdata[0], back->pdata[0], 1);
}
GST_END_TEST

/* One sync sample: all would stay clear. */
GST_START_TEST (test_clear_lead_without_end)
{
  g_autoptr (GBytes) clear = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  clear = judge_make (
      "videotestsrc num-buffers=50 ! video/x-raw,framerate=25/1 ! "
      "x264enc key-int-max=250 option-string=scenecut=0 ! h264parse ! "
      "mp4mux ! filesink location=%s");
  judge_refuses (clear, ENCRYPT "clear-lead=1000000000",
      GST_STREAM_ERROR_NOT_IMPLEMENTED, "clear-lead");
}
GST_END_TEST

static Suite *
encrypt_progressive_suite (void)
{
  Suite *s = suite_create ("encrypt-progressive");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_pull, 0, 8);
  tcase_add_loop_test (tc, test_push, 0, 2);
  tcase_add_loop_test (tc, test_behind_mp4mux, 0, G_N_ELEMENTS (modes));
  tcase_add_test (tc, test_into_unseekable);
  tcase_add_test (tc, test_chunks_out_of_order);
  tcase_add_test (tc, test_damaged_sample);
  tcase_add_loop_test (tc, test_truncated, 0, 4);
  tcase_add_loop_test (tc, test_clear_lead, 0, 2 * G_N_ELEMENTS (leads));
  tcase_add_test (tc, test_clear_lead_large);
  tcase_add_test (tc, test_clear_lead_without_end);
  return s;
}

GST_CHECK_MAIN (encrypt_progressive);
