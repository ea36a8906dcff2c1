/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * H.264: slice data is protected; lengths, NAL unit and slice headers and all
 * other NAL units are clear (ISO/IEC 23001-7, 9.5.2.2 and 10.4).
 */

/* The parsers' API is stable in fact, but not by promise. */
#define GST_USE_UNSTABLE_API

#include "gst/subsample/subsample-h264.h"

typedef struct
{
  GBytes *config; /* avcC */
  guint length_size;
  GstH264NalParser *parser;
  const GstH264PPS
      *pps; /* of the last slice; NULL: parameter sets came since */
} H264State;

/* Types for which GstH264NalUnitType has no name, or none of ours. */
enum
{
  NAL_PARTITION_A = 2,
  NAL_PARTITION_C = 4,
  NAL_SLICE_AUX = 19,
  NAL_SLICE_EXT = 20,
  NAL_SLICE_3D = 21,
};

/* GStreamer 1.22 allocates a byte for each slice group id before it looks
 * whether they are there; the count has 32 bits. */
static gboolean
pps_slice_groups_are_there (const GstH264NalUnit *nalu)
{
  SubsampleBits bits;
  guint n_groups, n_bits;
  guint64 count;

  subsample_bits_init (&bits, nalu->data + nalu->offset + nalu->header_bytes,
      nalu->size - nalu->header_bytes);
  subsample_bits_read_ue (&bits); /* pic_parameter_set_id */
  subsample_bits_read_ue (&bits); /* seq_parameter_set_id */
  subsample_bits_read (&bits, 2);
  n_groups = subsample_bits_read_ue (&bits);
  if (n_groups == 0 || n_groups > 7 || subsample_bits_read_ue (&bits) != 6)
    return !bits.failed;
  count = (guint64) subsample_bits_read_ue (&bits) + 1;
  n_bits = g_bit_storage (n_groups);
  return !bits.failed && count * n_bits <= subsample_bits_left (&bits);
}

static gboolean
parse_pps (H264State *self, GstH264NalUnit *nalu)
{
  GstH264PPS pps;
  GstH264ParserResult result;

  if (!pps_slice_groups_are_there (nalu))
    return FALSE;
  result = gst_h264_parser_parse_pps (self->parser, nalu, &pps);
  if (result == GST_H264_PARSER_OK)
    gst_h264_pps_clear (&pps);
  return result == GST_H264_PARSER_OK;
}

static gboolean
parse_sps (H264State *self, GstH264NalUnit *nalu)
{
  GstH264SPS sps;
  GstH264ParserResult result;

  result = gst_h264_parser_parse_sps (self->parser, nalu, &sps);
  if (result == GST_H264_PARSER_OK)
    gst_h264_sps_clear (&sps);
  return result == GST_H264_PARSER_OK;
}

/* The parser divides with integers where 7.4.3 has Ceil (Log2 (PicSizeInMapUnits
 * ÷ SliceGroupChangeRate + 1)) of a fraction: it may count slice_group_change_cycle
 * one bit short. */
static gboolean
slice_group_change_cycle_is_counted (const GstH264PPS *pps)
{
  const GstH264SPS *sps = pps->sequence;
  guint64 size, rate;

  if (pps->num_slice_groups_minus1 == 0 || pps->slice_group_map_type < 3 ||
      pps->slice_group_map_type > 5)
    return TRUE;
  size = ((guint64) sps->pic_width_in_mbs_minus1 + 1) *
      ((guint64) sps->pic_height_in_map_units_minus1 + 1);
  rate = (guint64) pps->slice_group_change_rate_minus1 + 1;
  return size % rate == 0;
}

static gboolean
map_slice (H264State *self, const SubsampleNal *nal, GstH264NalUnit *nalu,
    GArray *ranges, GError **error)
{
  GstH264SliceHdr slice;
  GstH264ParserResult result;

  result =
      gst_h264_parser_parse_slice_hdr (self->parser, nalu, &slice, TRUE, TRUE);
  if (result == GST_H264_PARSER_BROKEN_LINK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, nalu->type,
        "the slice's parameter sets did not come before it");
  if (result != GST_H264_PARSER_OK || slice.type > 9)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, nalu->type,
        "the slice header does not parse");
  if (!slice_group_change_cycle_is_counted (slice.pps))
    return subsample_fail_nal (error, GST_CENC_ERROR_UNSUPPORTED, nal,
        nalu->type, "slice groups that change by parts of a picture");
  self->pps = slice.pps;
  return subsample_add_slice (nal, nalu->header_bytes, slice.header_size,
      ranges, error);
}

/* A slice of the last one's parameter set, with an ordinary header. */
static gboolean
map_plain_slice (const H264State *self, const SubsampleNal *nal, guint type,
    GArray *ranges)
{
  guint bits = 0;

  if (self->pps != NULL && ranges != NULL &&
      (type == GST_H264_NAL_SLICE || type == GST_H264_NAL_SLICE_IDR))
    bits = subsample_h264_count_header (self->pps, nal);
  return bits > 0 && subsample_add_slice (nal, 1, bits, ranges, NULL);
}

static gboolean
handle_nal (gpointer state, const SubsampleNal *nal, GArray *ranges,
    GError **error)
{
  H264State *self = state;
  guint type = nal->prefixed[nal->length_size] & 0x1f;
  GstH264NalUnit nalu;

  if (map_plain_slice (self, nal, type, ranges))
    return TRUE;
  if (gst_h264_parser_identify_nalu_avc (self->parser, nal->prefixed, 0,
          nal->length_size + nal->size, nal->length_size,
          &nalu) != GST_H264_PARSER_OK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
        "the NAL unit's header does not parse");
  switch (type) {
    case GST_H264_NAL_SPS:
      self->pps = NULL;
      return parse_sps (self, &nalu) ||
          subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
              "the sequence parameter set does not parse");
    case GST_H264_NAL_PPS:
      self->pps = NULL;
      return parse_pps (self, &nalu) ||
          subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
              "the picture parameter set does not parse");
    case GST_H264_NAL_SLICE:
    case GST_H264_NAL_SLICE_IDR:
    case NAL_SLICE_AUX:
      return ranges == NULL || map_slice (self, nal, &nalu, ranges, error);
    default:
      break;
  }
  if ((type >= NAL_PARTITION_A && type <= NAL_PARTITION_C) ||
      type == NAL_SLICE_EXT || type == NAL_SLICE_3D)
    return subsample_fail_nal (error, GST_CENC_ERROR_UNSUPPORTED, nal, type,
        "slices of data partitioning, SVC, MVC and 3D are not supported");
  return TRUE;
}

/* AVCDecoderConfigurationRecord, ISO/IEC 14496-15, 5.3.3.1.2. What follows the
 * picture parameter sets (SPS extensions) has no say in slice headers. */
static gboolean
read_config (H264State *self, GError **error)
{
  BmffReader reader;
  guint n;

  bmff_reader_init_bytes (&reader, self->config);
  n = bmff_reader_u8 (&reader);
  bmff_reader_skip (&reader, 3);
  self->length_size = (bmff_reader_u8 (&reader) & 3) + 1;
  if (!bmff_reader_ok (&reader) || n != 1 || self->length_size == 3)
    return subsample_fail (error, GST_CENC_ERROR_FORMAT,
        "'avcC' is too short, or of a version or length size not known");
  n = bmff_reader_u8 (&reader) & 0x1f;
  if (!subsample_read_config_nals (&reader, n, "avcC", handle_nal, self, error))
    return FALSE;
  n = bmff_reader_u8 (&reader);
  if (!bmff_reader_ok (&reader))
    return subsample_fail (error, GST_CENC_ERROR_FORMAT,
        "'avcC' ends before its picture parameter sets");
  return subsample_read_config_nals (&reader, n, "avcC", handle_nal, self,
      error);
}

static void
h264_close (gpointer state)
{
  H264State *self = state;

  gst_h264_nal_parser_free (self->parser);
  g_bytes_unref (self->config);
  g_free (self);
}

static gpointer
h264_open (const BmffBox *entry, GError **error)
{
  GBytes *config =
      subsample_get_config (entry, BMFF_FOURCC ('a', 'v', 'c', 'C'), error);
  H264State *self;

  if (config == NULL)
    return NULL;
  self = g_new0 (H264State, 1);
  self->config = config;
  self->parser = gst_h264_nal_parser_new ();
  if (!read_config (self, error)) {
    h264_close (self);
    return NULL;
  }
  return self;
}

static void
h264_reset (gpointer state)
{
  H264State *self = state;

  gst_h264_nal_parser_free (self->parser);
  self->parser = gst_h264_nal_parser_new ();
  self->pps = NULL;
  /* Cannot fail: it did not when it was opened. */
  read_config (self, NULL);
}

static gboolean
h264_map (gpointer state, const guint8 *sample, gsize size, GArray *ranges,
    GError **error)
{
  H264State *self = state;

  return subsample_walk_nals (self->length_size, sample, size, handle_nal, self,
      ranges, error);
}

static guint
h264_get_length_size (gconstpointer state)
{
  const H264State *self = state;

  return self->length_size;
}

static gboolean
h264_is_slice (const guint8 *header)
{
  guint type = header[0] & 0x1f;

  return type == GST_H264_NAL_SLICE || type == GST_H264_NAL_SLICE_IDR ||
      type == NAL_SLICE_AUX;
}

const SubsampleCodec subsample_h264 = {
  .takes_pattern = TRUE,
  .open = h264_open,
  .close = h264_close,
  .reset = h264_reset,
  .map = h264_map,
  .get_length_size = h264_get_length_size,
  .is_slice = h264_is_slice,
};
