/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* H.266, bit by bit: with GStreamer 1.26's parser; before it the codec is refused. */

#include "map-test.h"

#define NAL_IDR 7
#define NAL_SPS 15
#define NAL_PPS 16
#define NAL_PICTURE_HEADER 19
#define NAL_PREFIX_SEI 23

/* 64×64, monochrome, CTUs of 32, no tool that can be left out. */
static Bits *
h266_sps (void)
{
  Bits *b = bits_new ();

  bits_u (b, 8, 0); /* ids */
  bits_u (b, 3, 0); /* max_sublayers_minus1 */
  bits_u (b, 4, 0); /* chroma_format_idc, log2_ctu_size_minus5 */
  bits_u (b, 1, 1); /* ptl_dpb_hrd_params_present */
  bits_u (b, 8, 1 << 1); /* Main 10, and the tier */
  bits_u (b, 8, 16); /* level 1.0 */
  bits_u (b, 8, 0x80); /* frame_only, multilayer, no constraints, alignment */
  bits_u (b, 8, 0); /* num_sub_profiles */
  bits_u (b, 2, 0); /* gdr, resampling */
  bits_ue (b, 64);
  bits_ue (b, 64);
  bits_u (b, 2, 0); /* conformance_window, subpic_info_present */
  bits_ue (b, 0); /* bitdepth_minus8 */
  bits_u (b, 2, 0); /* entropy_coding_sync, entry_point_offsets_present */
  bits_u (b, 4, 4); /* log2_max_pic_order_cnt_lsb_minus4: 8 bits */
  bits_u (b, 5, 0); /* poc_msb_cycle, extra header bytes */
  bits_ue (b, 0); /* the buffer of decoded pictures */
  bits_ue (b, 0);
  bits_ue (b, 0);
  bits_ue (b, 0); /* log2_min_luma_coding_block_size_minus2 */
  bits_u (b, 1, 0); /* partition_constraints_override */
  bits_ue (b, 0);
  bits_ue (b, 0); /* max_mtt_hierarchy_depth_intra_slice */
  bits_ue (b, 0);
  bits_ue (b, 0); /* max_mtt_hierarchy_depth_inter_slice */
  bits_u (b, 3, 0); /* transform_skip, mts, lfnst */
  bits_u (b, 2, 0); /* sao, alf */
  bits_u (b, 6, 0); /* lmcs, weighted ×2, long_term, idr_rpl, rpl1_same */
  bits_ue (b, 0); /* num_ref_pic_lists, of both */
  bits_ue (b, 0);
  bits_u (b, 7, 0); /* wraparound, mvp, amvr, bdof, smvd, dmvr, mmvd */
  bits_ue (b, 5); /* six_minus_max_num_merge_cand */
  bits_u (b, 4, 0); /* sbt, affine, bcw, ciip */
  bits_ue (b, 0); /* log2_parallel_merge_level_minus2 */
  bits_u (b, 4, 0); /* isp, mrl, mip, palette */
  bits_u (b, 3, 0); /* ibc, ladf, explicit_scaling_list */
  bits_u (b, 3, 0); /* dep_quant, sign_data_hiding, virtual_boundaries */
  bits_u (b, 4, 0); /* timing_hrd, field_seq, vui, extension */
  bits_trail (b);
  return b;
}

static Bits *
h266_pps (void)
{
  Bits *b = bits_new ();

  bits_u (b, 11, 0); /* ids, mixed_nalu_types_in_pic */
  bits_ue (b, 64);
  bits_ue (b, 64);
  bits_u (b, 3, 0); /* conformance_window, scaling_window, output_flag */
  bits_u (b, 2, 2); /* no_pic_partition, subpic_id_mapping */
  bits_u (b, 1, 0); /* cabac_init_present */
  bits_ue (b, 0);
  bits_ue (b, 0);
  bits_u (b, 4, 0); /* rpl1_idx, weighted ×2, wraparound */
  bits_se (b, 0); /* init_qp_minus26 */
  bits_u (b, 3, 0); /* cu_qp_delta, chroma_tool_offsets, deblocking_control */
  bits_u (b, 3, 0); /* header extensions, extension */
  bits_trail (b);
  return b;
}

/* picture_header_structure() of an IDR picture: 14 bits. */
static void
write_picture_header (Bits *b)
{
  bits_u (b, 4, 8); /* gdr_or_irap, non_ref, gdr, inter_slice_allowed */
  bits_ue (b, 0);
  bits_u (b, 8, 0x5a); /* pic_order_cnt_lsb */
}

/* With a picture header of its own three bytes, without one byte. */
static Bits *
h266_slice (gboolean has_picture_header)
{
  Bits *b = bits_new ();

  bits_u (b, 1, has_picture_header);
  if (has_picture_header)
    write_picture_header (b);
  bits_u (b, 1, 0); /* no_output_of_prior_pics */
  bits_se (b, 0); /* qp_delta */
  bits_trail (b); /* byte_alignment() */
  return b;
}

static void
append_nal (GByteArray *out, guint length_size, guint type, Bits *rbsp,
    guint n_payload)
{
  guint8 header[2] = { 0, (guint8) (type << 3 | 1) };
  g_autoptr (GByteArray) nal = bits_to_nal (rbsp, header, sizeof header);

  for (; n_payload > 0; n_payload--)
    g_byte_array_append (nal, (const guint8 *) "\xa5", 1);
  bits_append_length (out, length_size, nal->len);
  g_byte_array_append (out, nal->data, nal->len);
  bits_free (rbsp);
}

static void
append_array (GByteArray *out, guint type, Bits *rbsp)
{
  guint8 head[] = { (guint8) (0x80 | type), 0, 1 };

  g_byte_array_append (out, head, sizeof head);
  append_nal (out, 2, type, rbsp, 0);
}

/* vvcC, without a profile. */
static GByteArray *
h266_config (guint length_size, gboolean has_sets)
{
  GByteArray *config = g_byte_array_new ();
  guint8 head[] = { 0, 0, 0, 0, (guint8) (0xf8 | (length_size - 1) << 1),
    has_sets ? 2 : 0 };

  g_byte_array_append (config, head, sizeof head);
  if (has_sets) {
    append_array (config, NAL_SPS, h266_sps ());
    append_array (config, NAL_PPS, h266_pps ());
  }
  return config;
}

/* NULL: there is no parser, and the error says so. */
static Subsampler *
h266_subsampler (const gchar *type, guint length_size, gboolean has_sets)
{
  GError *error = NULL;
  Subsampler *subsampler = try_subsampler (type, "vvcC",
      h266_config (length_size, has_sets), &error);

  if (!subsampler)
    fail_unless_error (error, GST_CENC_ERROR_UNSUPPORTED, "(H.266) needs");
  return subsampler;
}

GST_START_TEST (test_length_sizes)
{
  static const guint sizes[] = { 1, 2, 4 };
  guint n = sizes[__i__];
  g_autoptr (Subsampler) subsampler = h266_subsampler ("vvc1", n, TRUE);
  GByteArray *sample = g_byte_array_new ();
  guint clear;

  if (subsampler) {
    fail_if (subsampler_is_whole_sample (subsampler));
    fail_unless (subsampler_takes_pattern (subsampler));
    append_nal (sample, n, NAL_PREFIX_SEI, h266_slice (FALSE), 30);
    clear = sample->len;
    append_nal (sample, n, NAL_IDR, h266_slice (TRUE), 100);
    map_ok (subsampler, sample);
    fail_unless_equals_int (ranges->len, 1);
    fail_unless_range (0, clear + n + 2 + 3, 100);
  } else {
    g_byte_array_unref (sample);
  }
}
GST_END_TEST

/* The picture header in a NAL unit, several slices behind it. */
GST_START_TEST (test_picture_header)
{
  g_autoptr (Subsampler) subsampler = h266_subsampler ("vvc1", 4, TRUE);
  GByteArray *sample = g_byte_array_new ();
  GError *error = NULL;
  Bits *header = bits_new ();
  guint clear;

  write_picture_header (header);
  bits_trail (header);
  append_nal (sample, 4, NAL_PICTURE_HEADER, header, 0);
  clear = sample->len;
  append_nal (sample, 4, NAL_IDR, h266_slice (FALSE), 60);
  append_nal (sample, 4, NAL_IDR, h266_slice (FALSE), 40);
  if (!subsampler) {
    g_byte_array_unref (sample);
    return;
  }
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 2);
  fail_unless_range (0, clear + 4 + 2 + 1, 60);
  fail_unless_range (1, clear + 2 * (4 + 2 + 1) + 60, 40);
  /* The next sample's own is missing. */
  sample = g_byte_array_new ();
  append_nal (sample, 4, NAL_IDR, h266_slice (FALSE), 60);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "no picture header");
}
GST_END_TEST

GST_START_TEST (test_in_band)
{
  g_autoptr (Subsampler) subsampler = h266_subsampler ("vvi1", 4, FALSE);
  GByteArray *sample = g_byte_array_new ();
  GError *error = NULL;
  guint clear;

  append_nal (sample, 4, NAL_IDR, h266_slice (TRUE), 100);
  if (!subsampler) {
    g_byte_array_unref (sample);
    return;
  }
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "parameter sets");
  sample = g_byte_array_new ();
  append_nal (sample, 4, NAL_SPS, h266_sps (), 0);
  append_nal (sample, 4, NAL_PPS, h266_pps (), 0);
  clear = sample->len;
  append_nal (sample, 4, NAL_IDR, h266_slice (TRUE), 100);
  map_ok (subsampler, sample);
  fail_unless_equals_int (ranges->len, 1);
  fail_unless_range (0, clear + 4 + 2 + 3, 100);
  /* And is forgotten. */
  subsampler_reset (subsampler);
  sample = g_byte_array_new ();
  append_nal (sample, 4, NAL_IDR, h266_slice (TRUE), 100);
  fail_if (map (subsampler, sample, &error));
  fail_unless_error (error, GST_CENC_ERROR_FORMAT, "parameter sets");
}
GST_END_TEST

static Suite *
subsample_h266_suite (void)
{
  Suite *s = suite_create ("subsample-h266");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_length_sizes, 0, 3);
  tcase_add_test (tc, test_picture_header);
  tcase_add_test (tc, test_in_band);
  return s;
}

GST_CHECK_MAIN (subsample_h266);
