/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * H.265: slice segment data is protected; lengths, NAL unit and slice segment
 * headers and all other NAL units are clear (ISO/IEC 23001-7, 9.5.2.2 and 10.4).
 */

#define GST_USE_UNSTABLE_API

#include "gst/subsample/subsample-private.h"

#include <gst/codecparsers/gsth265parser.h>

#define SLICE_TYPE_I 2

typedef struct
{
  GBytes *config; /* hvcC */
  guint length_size;
  GstH265Parser *parser;
} H265State;

static gboolean
type_is_slice (guint type)
{
  return type <= GST_H265_NAL_SLICE_RASL_R ||
      (type >= GST_H265_NAL_SLICE_BLA_W_LP &&
          type <= GST_H265_NAL_SLICE_CRA_NUT);
}

/* Video coding layer NAL units whose syntax is not defined yet. */
static gboolean
type_is_reserved_slice (guint type)
{
  return type < GST_H265_NAL_VPS && !type_is_slice (type);
}

/* The parser takes no slice whose video parameter set it does not have. */
static gboolean
parse_vps (H265State *self, GstH265NalUnit *nalu)
{
  GstH265VPS vps;

  return gst_h265_parser_parse_vps (self->parser, nalu, &vps) ==
      GST_H265_PARSER_OK;
}

static gboolean
parse_sps (H265State *self, GstH265NalUnit *nalu)
{
  GstH265SPS sps;

  /* With the VUI, because extensions that matter stand behind it. */
  return gst_h265_parser_parse_sps (self->parser, nalu, &sps, TRUE) ==
      GST_H265_PARSER_OK;
}

static gboolean
parse_pps (H265State *self, GstH265NalUnit *nalu)
{
  GstH265PPS pps;

  return gst_h265_parser_parse_pps (self->parser, nalu, &pps) ==
      GST_H265_PARSER_OK;
}

/* What the parser does not follow in the header (1.22 to 1.28): a picture that
 * refers to itself (SCC) counts in NumPicTotalCurr, 7-55, and the weights of
 * planes that are coded apart are those of a monochrome picture, 7.3.6.3. */
static gboolean
header_is_followed (const GstH265PPS *pps)
{
  return !pps->pps_scc_extension_params.pps_curr_pic_ref_enabled_flag &&
      !pps->sps->separate_colour_plane_flag;
}

static gboolean
map_slice (H265State *self, const SubsampleNal *nal, GstH265NalUnit *nalu,
    GArray *ranges, GError **error)
{
  GstH265SliceHdr slice;
  GstH265ParserResult result;
  gboolean followed;
  guint header_size;

  result = gst_h265_parser_parse_slice_hdr (self->parser, nalu, &slice);
  if (result == GST_H265_PARSER_BROKEN_LINK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, nalu->type,
        "the slice's parameter sets did not come before it");
  if (result != GST_H265_PARSER_OK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, nalu->type,
        "the slice header does not parse");
  header_size = slice.header_size;
  followed = header_is_followed (slice.pps);
  result = slice.type > SLICE_TYPE_I ? GST_H265_PARSER_ERROR : result;
  gst_h265_slice_hdr_free (&slice);
  if (result != GST_H265_PARSER_OK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, nalu->type,
        "a slice type that does not exist");
  if (!followed)
    return subsample_fail_nal (error, GST_CENC_ERROR_UNSUPPORTED, nal,
        nalu->type,
        "pictures that refer to themselves, and color planes coded apart, are "
        "not supported");
  return subsample_add_slice (nal, nalu->header_bytes, header_size, ranges,
      error);
}

/* Parameter sets of layers above the base would overwrite the base's of the same
 * id in the parser, which knows one layer. */
static gboolean
handle_nal (gpointer state, const SubsampleNal *nal, GArray *ranges,
    GError **error)
{
  H265State *self = state;
  guint type = nal->prefixed[nal->length_size] >> 1 & 0x3f;
  GstH265NalUnit nalu;

  if (nal->size < 2 ||
      gst_h265_parser_identify_nalu_hevc (self->parser, nal->prefixed, 0,
          nal->length_size + nal->size, nal->length_size,
          &nalu) != GST_H265_PARSER_OK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
        "the NAL unit's header does not parse");
  if (ranges != NULL && type_is_slice (type) && nalu.layer_id == 0)
    return map_slice (self, nal, &nalu, ranges, error);
  if (ranges != NULL && type_is_slice (type))
    return subsample_fail_nal (error, GST_CENC_ERROR_UNSUPPORTED, nal, type,
        "slices of layers above the base layer are not supported");
  if (type_is_reserved_slice (type))
    return subsample_fail_nal (error, GST_CENC_ERROR_UNSUPPORTED, nal, type,
        "a slice of a type that is reserved");
  if (nalu.layer_id > 0)
    return TRUE;
  if (type == GST_H265_NAL_VPS && !parse_vps (self, &nalu))
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
        "the video parameter set does not parse");
  if (type == GST_H265_NAL_SPS && !parse_sps (self, &nalu))
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
        "the sequence parameter set does not parse");
  if (type == GST_H265_NAL_PPS && !parse_pps (self, &nalu))
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
        "the picture parameter set does not parse");
  return TRUE;
}

/* HEVCDecoderConfigurationRecord, ISO/IEC 14496-15, 8.3.3.1.2. */
static gboolean
read_config (H265State *self, GError **error)
{
  BmffReader reader;
  guint version, n_arrays, count, i;

  bmff_reader_init_bytes (&reader, self->config);
  version = bmff_reader_u8 (&reader);
  bmff_reader_skip (&reader, 20);
  self->length_size = (bmff_reader_u8 (&reader) & 3) + 1;
  n_arrays = bmff_reader_u8 (&reader);
  /* Version 0 was written before the standard was out. */
  if (!bmff_reader_ok (&reader) || version > 1 || self->length_size == 3)
    return subsample_fail (error, GST_CENC_ERROR_FORMAT,
        "'hvcC' is too short, or of a version or length size not known");
  for (i = 0; i < n_arrays; i++) {
    bmff_reader_u8 (&reader); /* array_completeness, NAL_unit_type */
    count = bmff_reader_u16 (&reader);
    if (!subsample_read_config_nals (&reader, count, "hvcC", handle_nal, self,
            error))
      return FALSE;
  }
  if (bmff_reader_ok (&reader))
    return TRUE;
  return subsample_fail (error, GST_CENC_ERROR_FORMAT,
      "'hvcC' ends within its arrays");
}

static void
h265_close (gpointer state)
{
  H265State *self = state;

  gst_h265_parser_free (self->parser);
  g_bytes_unref (self->config);
  g_free (self);
}

static gpointer
h265_open (const BmffBox *entry, GError **error)
{
  GBytes *config =
      subsample_get_config (entry, BMFF_FOURCC ('h', 'v', 'c', 'C'), error);
  H265State *self;

  if (config == NULL)
    return NULL;
  self = g_new0 (H265State, 1);
  self->config = config;
  self->parser = gst_h265_parser_new ();
  if (!read_config (self, error)) {
    h265_close (self);
    return NULL;
  }
  return self;
}

static void
h265_reset (gpointer state)
{
  H265State *self = state;

  gst_h265_parser_free (self->parser);
  self->parser = gst_h265_parser_new ();
  /* Cannot fail: it did not when it was opened. */
  read_config (self, NULL);
}

static gboolean
h265_map (gpointer state, const guint8 *sample, gsize size, GArray *ranges,
    GError **error)
{
  H265State *self = state;

  return subsample_walk_nals (self->length_size, sample, size, handle_nal, self,
      ranges, error);
}

static guint
h265_get_length_size (gconstpointer state)
{
  const H265State *self = state;

  return self->length_size;
}

static gboolean
h265_is_slice (const guint8 *header)
{
  return type_is_slice (header[0] >> 1 & 0x3f);
}

const SubsampleCodec subsample_h265 = {
  .takes_pattern = TRUE,
  .open = h265_open,
  .close = h265_close,
  .reset = h265_reset,
  .map = h265_map,
  .get_length_size = h265_get_length_size,
  .is_slice = h265_is_slice,
};
