/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each codec through cencencrypt: what is wrapped, what comes back, what stays clear. */

#include "cencencrypt-period-util.h"

#include <string.h>
#include "gst/isobmff/bmff-source.h"

#define ENCRYPT "key-id=" JUDGE_KID " key=" JUDGE_KEY " "

static const gchar *schemes[] = { "cenc", "cbcs" };

/* What the entry at @index of the track is, whether it is protected or not. */
static guint32
original_format (GBytes *file, guint32 track_id)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  g_autoptr (BmffMovie) movie = NULL;
  BmffHeader header;
  guint64 offset = 0;
  const BmffBox *entry, *frma;

  for (; !movie && bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    if (header.type == FOURCC ("moov"))
      movie =
          bmff_movie_new (bmff_source_read_box (source, offset, NULL), NULL);
  }
  fail_unless (movie);
  entry = bmff_track_get_entry (bmff_movie_get_track (movie, track_id), 1);
  frma = bmff_box_find (entry, "sinf/frma");
  return frma ? bmff_get_u32 (g_bytes_get_data (frma->payload, NULL))
              : entry->type;
}

/* All samples of a pipeline's output come back, and its entries are wrapped. */
static void
check (GBytes *clear, const gchar *scheme)
{
  g_autofree gchar *settings = g_strconcat (ENCRYPT "scheme=", scheme, NULL);
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  GstBus *bus;
  GstMessage *message;
  guint i;

  out = period_encrypt (settings, clear, &bus);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (out && !message, "%" GST_PTR_FORMAT, message);
  gst_object_unref (bus);
  judge_same_samples (clear, out, scheme);
  judge_places (out);
  tracks = judge_read (out, JUDGE_SENC, NULL);
  for (i = 0; i < tracks->len; i++) {
    const JudgeTrack *track = tracks->pdata[i];

    fail_unless (track->scheme == FOURCC (scheme));
    fail_unless (
        original_format (out, track->id) == original_format (clear, track->id));
  }
}

static const gchar *vectors[] = { "ac4.mp4", "bear-640x360-ec3.mp4",
  "bear-640x360-hevc.mp4", "bear-640x360-vp9.mp4", "bear-640x360.mp4",
  "bear-av1.mp4", "bear-flac.mp4" };

/* NULL: there are no vectors. */
static GBytes *
read_vector (const gchar *name)
{
  const gchar *folder = g_getenv ("CENC_VECTORS");
  g_autofree gchar *path =
      g_build_filename (folder ? folder : VECTORS_DIR, "clear", name, NULL);
  gchar *data;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, NULL)) {
    GST_WARNING ("skipped: no %s", path);
    return NULL;
  }
  return g_bytes_new_take (data, size);
}

GST_START_TEST (test_vectors)
{
  g_autoptr (GBytes) clear = read_vector (vectors[__i__ / 2]);

  if (clear)
    check (clear, schemes[__i__ % 2]);
}
GST_END_TEST

/* Sound that is encrypted whole; what is not here comes from the vectors. */
static const struct
{
  const gchar *elements, *encoder, *format;
} sounds[] = {
  { "avenc_ac3 ac3parse", "avenc_ac3 ! ac3parse", "ac-3" },
  { "opusenc opusparse", "opusenc ! opusparse", "Opus" },
  { "lamemp3enc mpegaudioparse", "lamemp3enc ! mpegaudioparse", ".mp3" },
  { "avenc_alac", "avenc_alac", "alac" },
};

GST_START_TEST (test_sounds)
{
  const gchar *scheme = schemes[__i__ % 2];
  g_autofree gchar *description =
      g_strconcat ("audiotestsrc wave=pink-noise num-buffers=40 ! "
                   "audio/x-raw,rate=48000,channels=2 ! audioconvert ! ",
          sounds[__i__ / 2].encoder, " ! mp4mux ! filesink location=%s", NULL);
  g_autoptr (GBytes) clear = NULL;
  guint32 format;

  if (!judge_has_elements (sounds[__i__ / 2].elements) ||
      !judge_has_elements ("mp4mux"))
    return;
  clear = judge_make (description);
  format = original_format (clear, 1);
  fail_unless (format == FOURCC (sounds[__i__ / 2].format) ||
          format == FOURCC ("mp4a"),
      "%" BMFF_FOURCC_FORMAT, BMFF_FOURCC_ARGS (format));
  check (clear, scheme);
}
GST_END_TEST

/* QuickTime's sound description of version 1 becomes one that has room for a sinf. */
static const gchar *quicktime[] = { "avenc_aac ! aacparse ! qtmux",
  "avenc_aac ! aacparse ! qtmux fragment-duration=200", "avenc_alac ! qtmux" };

GST_START_TEST (test_quicktime)
{
  g_autofree gchar *description =
      g_strconcat ("audiotestsrc wave=pink-noise num-buffers=10 ! "
                   "audio/x-raw,rate=48000,channels=2 ! audioconvert ! ",
          quicktime[__i__], " ! filesink location=%s", NULL);
  g_autoptr (GBytes) clear = NULL;

  if (!judge_has_elements ("avenc_aac aacparse avenc_alac qtmux"))
    return;
  clear = judge_make (description);
  check (clear, schemes[__i__ % 2]);
}
GST_END_TEST

/* A copy whose first entry of type @from in a stsd is of type @to, and with
 * @handler, its track's handler is another. */
static GBytes *
retyped (GBytes *file, const gchar *from, const gchar *to, const gchar *handler)
{
  gsize size = g_bytes_get_size (file), i, at = 0;
  guint8 *data = g_memdup2 (g_bytes_get_data (file, NULL), size);

  for (i = 0; i + 24 < size && at == 0; i++) {
    if (memcmp (data + i, "stsd", 4) == 0 &&
        memcmp (data + i + 16, from, 4) == 0)
      at = i;
  }
  fail_unless (at > 0, "no %s", from);
  memcpy (data + at + 16, to, 4);
  for (i = at; handler && memcmp (data + i, "hdlr", 4) != 0; i--)
    ;
  if (handler)
    memcpy (data + i + 12, handler, 4);
  return g_bytes_new_take (data, size);
}

/* The same bytes under the names that differ in where parameter sets are, and Dolby
 * Vision's: mapped as what they are, by subsamples, and never as a whole. */
static const struct
{
  const gchar *vector, *from, *to;
} names[] = {
  { NULL, "avc1", "avc3" },
  { NULL, "avc1", "dva1" },
  { NULL, "avc1", "dvav" },
  { "bear-640x360-hevc.mp4", "h", "hvc1" },
  { "bear-640x360-hevc.mp4", "h", "hev1" },
  { "bear-640x360-hevc.mp4", "h", "dvh1" },
  { "bear-640x360-hevc.mp4", "h", "dvhe" },
};

GST_START_TEST (test_names)
{
  const gchar *scheme = schemes[__i__ % 2];
  guint i = __i__ / 2;
  g_autoptr (GBytes) from = names[i].vector
      ? read_vector (names[i].vector)
      : (period_clear ? g_bytes_ref (period_clear) : NULL);
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  g_autofree gchar *settings = g_strconcat (ENCRYPT "scheme=", scheme, NULL);
  gchar type[5] = "hvc1";
  const JudgeTrack *track;
  guint n;

  if (!from)
    return;
  if (names[i].from[1])
    memcpy (type, names[i].from, 4);
  else if (original_format (from, 1) == FOURCC ("hev1"))
    memcpy (type, "hev1", 4);
  clear = retyped (from, type, names[i].to, NULL);
  check (clear, scheme);
  out = period_encrypt (settings, clear, NULL);
  tracks = judge_read (out, JUDGE_SENC, NULL);
  track = period_get_track (tracks, "encv");
  fail_unless (original_format (out, track->id) == FOURCC (names[i].to));
  for (n = 0; n < track->raw->len; n++) {
    GBytes *raw = track->raw->pdata[n], *plain = track->samples->pdata[n];

    /* The first NAL unit's length and header stay clear. */
    fail_unless (memcmp (g_bytes_get_data (raw, NULL),
                     g_bytes_get_data (plain, NULL), 5) == 0);
  }
}
GST_END_TEST

/* Text, timed metadata, hints and timecodes: as they came, whatever `tracks` is. */
static const gchar *clear_tracks[][2] = { { "tx3g", "text" },
  { "wvtt", "text" }, { "stpp", "subt" }, { "mett", "meta" },
  { "rtp ", "hint" }, { "tmcd", "tmcd" } };

GST_START_TEST (test_clear_tracks)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  const JudgeTrack *track;
  guint i;

  if (!period_clear)
    return;
  clear = retyped (period_clear, "mp4a", clear_tracks[__i__][0],
      clear_tracks[__i__][1]);
  out = period_encrypt (ENCRYPT "tracks=video+audio", clear, NULL);
  fail_unless (out);
  judge_same_samples (clear, out, "cenc");
  tracks = judge_read (out, JUDGE_SENC, NULL);
  track = period_get_track (tracks, clear_tracks[__i__][0]);
  fail_unless (track->scheme == 0 && track->n_senc == 0);
  for (i = 0; i < track->raw->len; i++)
    fail_unless (
        g_bytes_equal (track->raw->pdata[i], track->samples->pdata[i]));
  fail_unless (period_get_track (tracks, "encv")->scheme == FOURCC ("cenc"));
}
GST_END_TEST

/* All that is there stays clear: that is told, too. */
static const gchar *clear_settings[] = { ENCRYPT "tracks=audio",
  ENCRYPT "tracks=video clear-lead=100000000000" };

GST_START_TEST (test_all_clear)
{
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) out = NULL;
  GstBus *bus;
  GstMessage *message;
  GError *warning = NULL;

  if (!period_clear)
    return;
  clear = retyped (period_clear, "mp4a", "tx3g", "text");
  out = period_encrypt (clear_settings[__i__], clear, &bus);
  fail_unless (out);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (message);
  gst_message_parse_warning (message, &warning, NULL);
  fail_unless (strstr (warning->message, __i__ ? "clear-lead:" : "tracks:"),
      "%s", warning->message);
  fail_unless (strstr (warning->message, "stays clear"));
  g_error_free (warning);
  gst_message_unref (message);
  gst_object_unref (bus);
}
GST_END_TEST

/* Two samples as one, and one without bytes behind it: in a track with subsamples
 * it has an entry like the others. */
GST_START_TEST (test_sample_without_bytes)
{
  g_autoptr (GBytes) from = NULL;
  g_autoptr (GBytes) clear = NULL;
  guint8 *data;
  gsize size, i;

  if (!judge_has_elements ("x264enc h264parse mp4mux"))
    return;
  from = judge_make (
      "videotestsrc num-buffers=8 ! video/x-raw,width=160,height=120 ! "
      "x264enc speed-preset=ultrafast ! h264parse ! mp4mux ! "
      "filesink location=%s");
  data = g_memdup2 (g_bytes_get_data (from, NULL), g_bytes_get_size (from));
  size = g_bytes_get_size (from);
  for (i = 0; i + 32 < size && memcmp (data + i, "stsz", 4) != 0; i++)
    ;
  fail_unless (bmff_get_u32 (data + i + 12) == 8);
  bmff_put_u32 (data + i + 16 + 4 * 2,
      bmff_get_u32 (data + i + 16 + 4 * 2) +
          bmff_get_u32 (data + i + 16 + 4 * 3));
  bmff_put_u32 (data + i + 16 + 4 * 3, 0);
  clear = g_bytes_new_take (data, size);
  check (clear, schemes[__i__]);
}
GST_END_TEST

/* A codec that nobody knows is an error that names it; never clear, never whole. */
static const gchar *unknown[][2] = { { "avc1", "mjp2" }, { "mp4a", "samr" },
  { "avc1", "mp4v" }, { "mp4a", "dtsc" } };

GST_START_TEST (test_unknown)
{
  g_autoptr (GBytes) clear = NULL;
  GstBus *bus;
  GstMessage *message;
  GError *error = NULL;

  if (!period_clear)
    return;
  clear = retyped (period_clear, unknown[__i__][0], unknown[__i__][1], NULL);
  fail_if (period_encrypt (ENCRYPT, clear, &bus));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_CODEC_NOT_FOUND),
      "%s", error->message);
  fail_unless (strstr (error->message, unknown[__i__][1]), "%s",
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
}
GST_END_TEST

/* H.266 needs a parser (GStreamer 1.26) and its configuration, which is not there:
 * an error that names it, whoever misses what. With both: subsample-h266. */
GST_START_TEST (test_h266)
{
  g_autoptr (GBytes) clear = NULL;
  GstBus *bus;
  GstMessage *message;
  GError *error = NULL;

  if (!period_clear)
    return;
  clear = retyped (period_clear, "avc1", __i__ ? "vvi1" : "vvc1", NULL);
  fail_if (period_encrypt (ENCRYPT, clear, &bus));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, __i__ ? "vvi1" : "vvc1"), "%s",
      error->message);
  if (g_error_matches (error, GST_STREAM_ERROR,
          GST_STREAM_ERROR_CODEC_NOT_FOUND))
    fail_unless (strstr (error->message, "(H.266) needs"), "%s",
        error->message);
  else
    fail_unless (strstr (error->message, "vvcC"), "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
}
GST_END_TEST

static Suite *
cencencrypt_codecs_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-codecs");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_loop_test (tcase, test_vectors, 0, 2 * G_N_ELEMENTS (vectors));
  tcase_add_loop_test (tcase, test_sounds, 0, 2 * G_N_ELEMENTS (sounds));
  tcase_add_loop_test (tcase, test_quicktime, 0, G_N_ELEMENTS (quicktime));
  tcase_add_loop_test (tcase, test_all_clear, 0, 2);
  tcase_add_loop_test (tcase, test_names, 0, 2 * G_N_ELEMENTS (names));
  tcase_add_loop_test (tcase, test_clear_tracks, 0,
      G_N_ELEMENTS (clear_tracks));
  tcase_add_loop_test (tcase, test_sample_without_bytes, 0, 2);
  tcase_add_loop_test (tcase, test_h266, 0, 2);
  tcase_add_loop_test (tcase, test_unknown, 0, G_N_ELEMENTS (unknown));
  return suite;
}

GST_CHECK_MAIN (cencencrypt_codecs);
