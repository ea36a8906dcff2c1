/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "map-test.h"

/*
 * VP9
 */

/* A key frame of 64×64 in profile 0, and of its compressed header the size only. */
static void
append_vp9_key_frame (GByteArray *sample, guint n_payload)
{
  Bits *b = bits_new ();
  guint i;

  bits_u (b, 8, 0x82);
  bits_u (b, 24, 0x498342);
  bits_u (b, 4, 0x4); /* color space 2, range 0 */
  bits_u (b, 16, 63);
  bits_u (b, 16, 63);
  bits_u (b, 1, 0); /* render size */
  bits_u (b, 4, 0); /* contexts */
  bits_u (b, 10, 0); /* loop filter */
  bits_u (b, 8, 60);
  bits_u (b, 4, 0); /* deltas, segmentation */
  bits_u (b, 1, 0); /* tile rows */
  bits_u (b, 16, 7); /* header_size_in_bytes */
  while (bits_n_bits (b) % 8)
    bits_u (b, 1, 0);
  bits_append (b, sample);
  for (i = 0; i < n_payload; i++)
    g_byte_array_append (sample, (const guint8 *) "\x5a", 1);
  bits_free (b);
}

#define VP9_KEY_HEADER 14

GST_START_TEST (test_vp9_frames)
{
  g_autoptr (Subsampler) subsampler = new_subsampler ("vp09", NULL, NULL);
  GByteArray *sample = g_byte_array_new ();
  GError *error = NULL;

  /* An inter frame whose references never came. */
  g_byte_array_append (sample,
      (const guint8 *) "\x86\0\x40\x92\xe2\x11\x4a\x80\1\x2c\1\2\3\4\5\6\7\x8",
      18);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "VP9 frame at offset 0");
  /* The compressed header, of 7 bytes, is in the range. */
  sample = g_byte_array_new ();
  append_vp9_key_frame (sample, 100);
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 1);
  fail_unless_range (0, VP9_KEY_HEADER, 100);
  /* show_existing_frame */
  sample = g_byte_array_new ();
  g_byte_array_append (sample, (const guint8 *) "\x88", 1);
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 0);
  /* Shorter than its compressed header, and than its own. */
  sample = g_byte_array_new ();
  append_vp9_key_frame (sample, 6);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "shorter than its headers");
  sample = g_byte_array_new ();
  append_vp9_key_frame (sample, 0);
  g_byte_array_set_size (sample, 8);
  fail_if (map (subsampler, sample, &error));
  g_clear_error (&error);
}
GST_END_TEST;

GST_START_TEST (test_vp9_superframe)
{
  g_autoptr (Subsampler) subsampler = new_subsampler ("vp09", NULL, NULL);
  GByteArray *sample = g_byte_array_new ();
  guint8 index[] = { 0xc9, VP9_KEY_HEADER + 40, 0, VP9_KEY_HEADER + 30, 0,
    0xc9 };
  GError *error = NULL;

  append_vp9_key_frame (sample, 40);
  append_vp9_key_frame (sample, 30);
  g_byte_array_append (sample, index, sizeof index);
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 2);
  fail_unless_range (0, VP9_KEY_HEADER, 40);
  fail_unless_range (1, 2 * VP9_KEY_HEADER + 40, 30);

  sample = g_byte_array_new ();
  append_vp9_key_frame (sample, 40);
  append_vp9_key_frame (sample, 29);
  g_byte_array_append (sample, index, sizeof index);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "superframe");
}
GST_END_TEST;

/*
 * AC-4
 */

typedef struct
{
  guint version; /* bitstream_version */
  gboolean channel_coded;
  guint substream_size;
} Ac4Options;

/* One presentation of one stereo substream. */
static GByteArray *
make_ac4_frame (const Ac4Options *options, guint n_payload)
{
  GByteArray *sample = g_byte_array_new ();
  Bits *b = bits_new ();

  bits_u (b, 2, options->version);
  bits_u (b, 10, 77); /* sequence_counter */
  bits_u (b, 1, 0); /* b_wait_frames */
  bits_u (b, 1, 1); /* fs_index */
  bits_u (b, 4, 13); /* frame_rate_index */
  bits_u (b, 2, 3); /* b_iframe_global, b_single_presentation */
  bits_u (b, 2, 0); /* b_payload_base, b_program_id */
  bits_u (b, 1, 1); /* b_single_substream_group */
  bits_u (b, 1, 0); /* presentation_version */
  bits_u (b, 4, 0); /* mdcompat, b_presentation_id */
  bits_u (b, 6, 0); /* emdf_info */
  bits_u (b, 4, 4); /* emdf_protection: 8 bits */
  bits_u (b, 8, 0xff);
  bits_u (b, 1, 0); /* b_presentation_filter */
  bits_u (b, 3, 0); /* group_index */
  bits_u (b, 2, 0);
  bits_u (b, 4, 1); /* ac4_presentation_substream_info */
  bits_u (b, 3, 5); /* b_substreams_present, b_hsf_ext, b_single_substream */
  bits_u (b, 1, options->channel_coded);
  bits_u (b, 2, 2); /* channel_mode: stereo */
  bits_u (b, 2, 0); /* b_sf_multiplier, b_bitrate_info */
  bits_u (b, 3, 4); /* b_audio_ndot, substream_index */
  bits_u (b, 1, 0); /* b_content_type */
  bits_u (b, 2, 1); /* n_substreams */
  bits_u (b, 2, 2); /* b_size_present, b_more_bits */
  bits_u (b, 10, options->substream_size);
  bits_append (b, sample);
  bits_free (b);
  while (n_payload-- > 0)
    g_byte_array_append (sample, (const guint8 *) "\xc3", 1);
  return sample;
}

GST_START_TEST (test_ac4)
{
  g_autoptr (Subsampler) subsampler = new_subsampler ("ac-4", NULL, NULL);
  Ac4Options options = { .version = 2,
    .channel_coded = TRUE,
    .substream_size = 100 };
  GError *error = NULL;
  gsize toc_size;
  GByteArray *sample = make_ac4_frame (&options, 0);

  toc_size = sample->len;
  g_byte_array_unref (sample);
  fail_if (subsampler_is_whole_sample (subsampler));
  fail_if (subsampler_takes_pattern (subsampler));
  map_ok (subsampler, make_ac4_frame (&options, 100));
  fail_unless_equals_int (ranges->len, 1);
  fail_unless_range (0, toc_size, 100);
  /* More than the sample has: it was not read right, or is cut off. */
  fail_if (map (subsampler, make_ac4_frame (&options, 99), &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "AC-4 frame");
  fail_if (map (subsampler, g_byte_array_new (), &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "AC-4 frame");
  options.channel_coded = FALSE;
  fail_if (map (subsampler, make_ac4_frame (&options, 100), &error));
  fail_unless_error (error, GST_CENC_ERROR_UNSUPPORTED, "objects");
  options.version = 1;
  fail_if (map (subsampler, make_ac4_frame (&options, 100), &error));
  fail_unless_error (error, GST_CENC_ERROR_UNSUPPORTED, "version");
}
GST_END_TEST;

/*
 * All codecs
 */

GST_START_TEST (test_whole_samples)
{
  static const gchar *const codecs[] = { "mp4a", ".mp3", "ac-3", "ec-3", "Opus",
    "fLaC", "alac" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (codecs); i++) {
    g_autoptr (Subsampler) subsampler = new_subsampler (codecs[i], NULL, NULL);
    GByteArray *sample = g_byte_array_new ();

    fail_unless (subsampler_is_whole_sample (subsampler));
    fail_if (subsampler_takes_pattern (subsampler));
    g_byte_array_append (sample, (const guint8 *) "12345", 5);
    map_ok (subsampler, sample);
    fail_unless_equals_int (ranges->len, 1);
    fail_unless_range (0, 0, 5);
    map_ok (subsampler, g_byte_array_new ());
    fail_unless_equals_int (ranges->len, 0);
    subsampler_reset (subsampler);
  }
}
GST_END_TEST;

GST_START_TEST (test_unknown_codecs)
{
  static const gchar *const codecs[] = { "mp4v", "sowt", "vp08", "jpeg",
    "encv" };
  GError *error = NULL;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (codecs); i++) {
    fail_unless (try_subsampler (codecs[i], NULL, NULL, &error) == NULL);
    fail_unless_error (error, GST_CENC_ERROR_UNSUPPORTED, codecs[i]);
  }
}
GST_END_TEST;

/* With the parser it asks for its configuration box, without it for the parser. */
GST_START_TEST (test_h266)
{
  GError *error = NULL;

  fail_unless (try_subsampler ("vvc1", NULL, NULL, &error) == NULL);
  if (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED))
    fail_unless_error (error, GST_CENC_ERROR_UNSUPPORTED,
        "'vvc1' (H.266) needs");
  else
    fail_unless_error (error, GST_CENC_ERROR_FORMAT, "no 'vvcC' box");
}
GST_END_TEST;

static Suite *
subsample_codecs_suite (void)
{
  Suite *s = suite_create ("subsample-codecs");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_vp9_frames);
  tcase_add_test (tc, test_vp9_superframe);
  tcase_add_test (tc, test_ac4);
  tcase_add_test (tc, test_whole_samples);
  tcase_add_test (tc, test_unknown_codecs);
  tcase_add_test (tc, test_h266);
  return s;
}

GST_CHECK_MAIN (subsample_codecs);
