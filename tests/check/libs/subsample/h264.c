/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "map-test.h"

/* High profile, 640×368, all counters of 16 bits. */
static Bits *
h264_sps (void)
{
  Bits *b = bits_new ();

  bits_u (b, 8, 100);
  bits_u (b, 8, 0);
  bits_u (b, 8, 30);
  bits_ue (b, 0); /* seq_parameter_set_id */
  bits_ue (b, 1); /* chroma_format_idc */
  bits_ue (b, 0);
  bits_ue (b, 0);
  bits_u (b, 2, 0);
  bits_ue (b, 12); /* log2_max_frame_num_minus4 */
  bits_ue (b, 0); /* pic_order_cnt_type */
  bits_ue (b, 12);
  bits_ue (b, 4); /* max_num_ref_frames */
  bits_u (b, 1, 0);
  bits_ue (b, 39);
  bits_ue (b, 22);
  bits_u (b, 4, 0xc); /* frame_mbs_only, direct_8x8_inference */
  bits_trail (b);
  return b;
}

typedef struct
{
  guint map_type; /* slice_group_map_type, 7 for one group */
  guint change_rate_minus1;
  guint32 size_minus1; /* type 6 */
  gboolean deblocking_control;
} PpsOptions;

static Bits *
h264_pps (const PpsOptions *options)
{
  Bits *b = bits_new ();

  bits_ue (b, 0); /* pic_parameter_set_id */
  bits_ue (b, 0); /* seq_parameter_set_id */
  bits_u (b, 2, 2); /* entropy_coding_mode */
  bits_ue (b, options->map_type == 7 ? 0 : 1); /* num_slice_groups_minus1 */
  if (options->map_type != 7)
    bits_ue (b, options->map_type);
  if (options->map_type == 3) {
    bits_u (b, 1, 0);
    bits_ue (b, options->change_rate_minus1);
  } else if (options->map_type == 6) {
    bits_ue (b, options->size_minus1);
  }
  bits_ue (b, 0);
  bits_ue (b, 0);
  bits_u (b, 3, 0); /* weighted prediction */
  bits_se (b, 0);
  bits_se (b, 0);
  bits_se (b, 0);
  bits_u (b, 1, options->deblocking_control);
  bits_u (b, 2, 0);
  bits_trail (b);
  return b;
}

static const PpsOptions plain_pps = { .map_type = 7, .deblocking_control = 1 };

static void
append_length_prefixed (GByteArray *out, guint length_size, guint8 header,
    const Bits *rbsp, guint n_payload)
{
  g_autoptr (GByteArray) nal = bits_to_nal (rbsp, &header, 1);
  guint i;

  for (i = 0; i < n_payload; i++)
    g_byte_array_append (nal, (const guint8 *) "\xa5", 1);
  bits_append_length (out, length_size, nal->len);
  g_byte_array_append (out, nal->data, nal->len);
}

/* avcC; without parameter sets for @pps NULL. */
static GByteArray *
h264_config (guint length_size, const PpsOptions *pps_options)
{
  GByteArray *avcc = g_byte_array_new ();
  guint8 head[] = { 1, 100, 0, 30, 0xfc | (length_size - 1), 0xe0 };
  guint8 n_sets = pps_options != NULL;
  Bits *sps, *pps;

  head[5] |= n_sets;
  g_byte_array_append (avcc, head, sizeof head);
  if (pps_options == NULL) {
    g_byte_array_append (avcc, &n_sets, 1);
    return avcc;
  }
  sps = h264_sps ();
  pps = h264_pps (pps_options);
  append_length_prefixed (avcc, 2, 0x67, sps, 0);
  g_byte_array_append (avcc, &n_sets, 1);
  append_length_prefixed (avcc, 2, 0x68, pps, 0);
  bits_free (sps);
  bits_free (pps);
  return avcc;
}

/* An I slice's header of an IDR picture up to its last bit. */
static Bits *
h264_idr_header (guint idr_pic_id)
{
  Bits *b = bits_new ();

  bits_ue (b, 0); /* first_mb_in_slice */
  bits_ue (b, 7); /* slice_type: I */
  bits_ue (b, 0);
  bits_u (b, 16, 0); /* frame_num */
  bits_ue (b, idr_pic_id);
  bits_u (b, 16, 0); /* pic_order_cnt_lsb */
  bits_u (b, 2, 0);
  bits_se (b, 0); /* slice_qp_delta */
  bits_ue (b, 0); /* disable_deblocking_filter_idc */
  bits_se (b, 0);
  bits_se (b, 0);
  return b;
}

/* 48 bits of header, and 76 with emulation prevention in it. */
static Bits *
h264_idr_slice (guint idr_pic_id)
{
  Bits *b = h264_idr_header (idr_pic_id);

  bits_align_ones (b);
  return b;
}

static void
append_idr (GByteArray *sample, guint length_size, guint idr_pic_id,
    guint n_payload)
{
  Bits *slice = h264_idr_slice (idr_pic_id);

  append_length_prefixed (sample, length_size, 0x65, slice, n_payload);
  bits_free (slice);
}

GST_START_TEST (test_h264_length_sizes)
{
  static const guint sizes[] = { 1, 2, 4 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (Subsampler) subsampler =
        new_subsampler ("avc1", "avcC", h264_config (sizes[i], &plain_pps));
    GByteArray *sample = g_byte_array_new ();

    fail_if (subsampler_is_whole_sample (subsampler));
    fail_unless (subsampler_takes_pattern (subsampler));
    append_idr (sample, sizes[i], 0, 100);
    append_idr (sample, sizes[i], 0, 50);
    map_ok (subsampler, sample);
    fail_unless_equals_int (ranges->len, 2);
    fail_unless_range (0, sizes[i] + 1 + 6, 100);
    fail_unless_range (1, 2 * (sizes[i] + 1 + 6) + 100, 50);
  }
}
GST_END_TEST;

/* Bytes of emulation prevention are part of the header once, not twice. */
GST_START_TEST (test_h264_emulation_prevention)
{
  g_autoptr (Subsampler) subsampler =
      new_subsampler ("avc1", "avcC", h264_config (4, &plain_pps));
  GByteArray *sample = g_byte_array_new ();
  guint8 header[] = { 0x65 };
  Bits *slice = h264_idr_slice (16383);
  g_autoptr (GByteArray) nal = bits_to_nal (slice, header, 1);

  /* Ten bytes, and two of emulation prevention. */
  fail_unless_equals_int (bits_n_bytes (slice), 10);
  fail_unless_equals_int (nal->len, 1 + 12);
  append_idr (sample, 4, 16383, 100);
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 1);
  fail_unless_range (0, 4 + 13, 100);
  bits_free (slice);
}
GST_END_TEST;

GST_START_TEST (test_h264_in_band)
{
  g_autoptr (Subsampler) subsampler =
      new_subsampler ("avc3", "avcC", h264_config (4, NULL));
  PpsOptions no_control = { .map_type = 7, .deblocking_control = 0 };
  GByteArray *sample = g_byte_array_new ();
  Bits *sps = h264_sps (), *pps = h264_pps (&plain_pps);
  Bits *other = h264_pps (&no_control);
  GError *error = NULL;
  gsize start;

  /* Nothing has come yet. */
  append_idr (sample, 4, 0, 100);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "NAL unit 0 (type 5)");

  sample = g_byte_array_new ();
  append_length_prefixed (sample, 4, 0x67, sps, 0);
  append_length_prefixed (sample, 4, 0x68, pps, 0);
  start = sample->len;
  append_idr (sample, 4, 1, 100); /* 50 bits */
  map_ok (subsampler, sample);
  fail_unless_range (0, start + 4 + 1 + 7, 100);

  /* The last one of an id counts: by this one the header has 47 bits. */
  sample = g_byte_array_new ();
  append_length_prefixed (sample, 4, 0x68, other, 0);
  start = sample->len;
  append_idr (sample, 4, 1, 100);
  map_ok (subsampler, sample);
  fail_unless_range (0, start + 4 + 1 + 6, 101);

  /* And is forgotten. */
  subsampler_reset (subsampler);
  sample = g_byte_array_new ();
  append_idr (sample, 4, 0, 100);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "parameter sets");
  bits_free (sps);
  bits_free (pps);
  bits_free (other);
}
GST_END_TEST;

/* What is in avcC stays after a reset. */
GST_START_TEST (test_h264_reset_keeps_config)
{
  g_autoptr (Subsampler) subsampler =
      new_subsampler ("avc1", "avcC", h264_config (4, &plain_pps));
  GByteArray *sample = g_byte_array_new ();

  subsampler_reset (subsampler);
  append_idr (sample, 4, 0, 100);
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 1);
}
GST_END_TEST;

GST_START_TEST (test_h264_clear_nals)
{
  g_autoptr (Subsampler) subsampler =
      new_subsampler ("avc1", "avcC", h264_config (4, &plain_pps));
  static const guint8 clear[] = { 6, 9, 10, 11, 12, 13, 14, 16, 24, 28, 31 };
  GByteArray *sample = g_byte_array_new ();
  Bits *payload = bits_new ();
  guint i;

  bits_u (payload, 32, 0x12345678);
  for (i = 0; i < G_N_ELEMENTS (clear); i++)
    append_length_prefixed (sample, 4, clear[i], payload, 20);
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 0);
  /* A slice that is its header, and nothing else. */
  sample = g_byte_array_new ();
  append_idr (sample, 4, 0, 0);
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 0);
  bits_free (payload);
}
GST_END_TEST;

GST_START_TEST (test_h264_refused)
{
  static const guint8 refused[] = { 0x62, 0x63, 0x64, 0x74, 0x75 };
  g_autoptr (Subsampler) subsampler =
      new_subsampler ("avc1", "avcC", h264_config (4, &plain_pps));
  GError *error = NULL;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (refused); i++) {
    GByteArray *sample = g_byte_array_new ();
    Bits *slice = h264_idr_slice (0);

    append_length_prefixed (sample, 4, refused[i], slice, 100);
    fail_if (map (subsampler, sample, &error));
    fail_unless_error (error, GST_CENC_ERROR_UNSUPPORTED, "NAL unit 0 (type");
    bits_free (slice);
  }
}
GST_END_TEST;

GST_START_TEST (test_h264_broken)
{
  g_autoptr (Subsampler) subsampler =
      new_subsampler ("avc1", "avcC", h264_config (4, &plain_pps));
  GByteArray *sample = g_byte_array_new ();
  GError *error = NULL;

  /* Cut off: in the payload, in the header, in the length. */
  append_idr (sample, 4, 0, 100);
  g_byte_array_set_size (sample, sample->len - 1);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "only 106 bytes are left");
  sample = g_byte_array_new ();
  append_idr (sample, 4, 0, 0);
  sample->data[3] = 4;
  g_byte_array_set_size (sample, 8);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "slice header");
  sample = g_byte_array_new ();
  append_idr (sample, 4, 0, 100);
  g_byte_array_append (sample, (const guint8 *) "\0\0", 2);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "offset 111");
}
GST_END_TEST;

/* 40 × 23 map units: the parser counts the last field of the header right where
 * the rate divides them, and one bit short in some other cases. */
GST_START_TEST (test_h264_slice_groups)
{
  PpsOptions divides = { .map_type = 3,
    .change_rate_minus1 = 39,
    .deblocking_control = 1 };
  PpsOptions divides_not = { .map_type = 3,
    .change_rate_minus1 = 499,
    .deblocking_control = 1 };
  g_autoptr (Subsampler) right =
      new_subsampler ("avc1", "avcC", h264_config (4, &divides));
  g_autoptr (Subsampler) wrong =
      new_subsampler ("avc1", "avcC", h264_config (4, &divides_not));
  GByteArray *sample = g_byte_array_new ();
  Bits *slice = h264_idr_header (0);
  GError *error = NULL;

  bits_u (slice, 5, 0); /* slice_group_change_cycle: Ceil (Log2 (23 + 1)) */
  bits_align_ones (slice);
  append_length_prefixed (sample, 4, 0x65, slice, 100);
  g_byte_array_ref (sample);
  map_ok (right, sample);
  fail_unless_range (0, 4 + 1 + 7, 100);
  fail_if (map (wrong, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_UNSUPPORTED, "slice groups");
  bits_free (slice);
}
GST_END_TEST;

/* 4 GiB of slice group ids in a PPS of some bytes: no allocation is tried. */
GST_START_TEST (test_h264_slice_group_bomb)
{
  PpsOptions bomb = { .map_type = 6, .size_minus1 = G_MAXUINT32 - 2 };
  GError *error = NULL;

  fail_unless (
      try_subsampler ("avc1", "avcC", h264_config (4, &bomb), &error) == NULL);
  fail_unless_error (error, GST_CENC_ERROR_FORMAT,
      "'avcC': NAL unit 0 (type 8)");
}
GST_END_TEST;

GST_START_TEST (test_h264_config_broken)
{
  GByteArray *config;
  GError *error = NULL;
  guint size;

  fail_unless (try_subsampler ("avc1", NULL, NULL, &error) == NULL);
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "no 'avcC' box");
  fail_unless (try_subsampler ("avc1", "avcC", h264_config (3, &plain_pps),
                   &error) == NULL);
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "'avcC'");
  config = h264_config (4, &plain_pps);
  size = config->len;
  g_byte_array_unref (config);
  while (size-- > 0) {
    config = h264_config (4, &plain_pps);
    g_byte_array_set_size (config, size);
    fail_unless (try_subsampler ("avc1", "avcC", config, &error) == NULL,
        "%u bytes", size);
    fail_unless_error (error, GST_CENC_ERROR_FORMAT, "'avcC'");
  }
}
GST_END_TEST;

static Suite *
subsample_h264_suite (void)
{
  Suite *s = suite_create ("subsample-h264");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_h264_length_sizes);
  tcase_add_test (tc, test_h264_emulation_prevention);
  tcase_add_test (tc, test_h264_in_band);
  tcase_add_test (tc, test_h264_reset_keeps_config);
  tcase_add_test (tc, test_h264_clear_nals);
  tcase_add_test (tc, test_h264_refused);
  tcase_add_test (tc, test_h264_broken);
  tcase_add_test (tc, test_h264_slice_groups);
  tcase_add_test (tc, test_h264_slice_group_bomb);
  tcase_add_test (tc, test_h264_config_broken);
  return s;
}

GST_CHECK_MAIN (subsample_h264);
