/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * H.266: slice data is protected; lengths, NAL unit, picture and slice headers and
 * all other NAL units are clear (ISO/IEC 23001-7, 9.5.2.2 and 10.4). The parser
 * came with GStreamer 1.26; without it this codec is refused.
 */

#define GST_USE_UNSTABLE_API

#include "gst/subsample/subsample-private.h"

#ifdef HAVE_H266_PARSER

#include <gst/codecparsers/gsth266parser.h>

typedef struct
{
  GBytes *config; /* vvcC */
  guint length_size;
  GstH266Parser *parser;
  gboolean has_picture_header; /* of the picture in this sample */
  /* What the parser fills; too large for the stack. */
  GstH266VPS vps;
  GstH266SPS sps;
  GstH266PPS pps;
  GstH266APS aps;
  GstH266PicHdr picture;
  GstH266SliceHdr slice;
} H266State;

static gboolean
type_is_slice (guint type)
{
  return type <= GST_H266_NAL_SLICE_RASL ||
      (type >= GST_H266_NAL_SLICE_IDR_W_RADL && type <= GST_H266_NAL_SLICE_GDR);
}

/* Video coding layer NAL units whose syntax is not defined yet. */
static gboolean
type_is_reserved_slice (guint type)
{
  return type < GST_H266_NAL_OPI && !type_is_slice (type);
}

/* Takes what slice headers refer to. */
static gboolean
parse_other (H266State *self, GstH266NalUnit *nalu)
{
  switch (nalu->type) {
    case GST_H266_NAL_VPS:
      return gst_h266_parser_parse_vps (self->parser, nalu, &self->vps) ==
          GST_H266_PARSER_OK;
    case GST_H266_NAL_SPS:
      return gst_h266_parser_parse_sps (self->parser, nalu, &self->sps) ==
          GST_H266_PARSER_OK;
    case GST_H266_NAL_PPS:
      return gst_h266_parser_parse_pps (self->parser, nalu, &self->pps) ==
          GST_H266_PARSER_OK;
    case GST_H266_NAL_PREFIX_APS:
    case GST_H266_NAL_SUFFIX_APS:
      return gst_h266_parser_parse_aps (self->parser, nalu, &self->aps) ==
          GST_H266_PARSER_OK;
    case GST_H266_NAL_PH:
      self->has_picture_header = TRUE;
      return gst_h266_parser_parse_picture_hdr (self->parser, nalu,
                 &self->picture) == GST_H266_PARSER_OK;
    default:
      return TRUE;
  }
}

static gboolean
map_slice (H266State *self, const SubsampleNal *nal, GstH266NalUnit *nalu,
    GArray *ranges, GError **error)
{
  const guint8 *payload = nal->prefixed + nal->length_size + 2;
  GstH266ParserResult result;

  /* sh_picture_header_in_slice_header_flag; the parser would take an old one. */
  if (nal->size < 3 || (!(payload[0] & 0x80) && !self->has_picture_header))
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, nalu->type,
        "the slice has no picture header");
  result = gst_h266_parser_parse_slice_hdr (self->parser, nalu, &self->slice);
  if (result == GST_H266_PARSER_BROKEN_LINK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, nalu->type,
        "the slice's parameter sets did not come before it");
  if (result != GST_H266_PARSER_OK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, nalu->type,
        "the slice header does not parse");
  return subsample_add_slice (nal, nalu->header_bytes, self->slice.header_size,
      ranges, error);
}

static gboolean
handle_nal (gpointer state, const SubsampleNal *nal, GArray *ranges,
    GError **error)
{
  H266State *self = state;
  guint type = nal->size < 2 ? 0 : nal->prefixed[nal->length_size + 1] >> 3;
  GstH266NalUnit nalu;

  if (gst_h266_parser_identify_nalu_vvc (self->parser, nal->prefixed, 0,
          nal->length_size + nal->size, nal->length_size,
          &nalu) != GST_H266_PARSER_OK)
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
        "the NAL unit's header does not parse");
  if (type_is_reserved_slice (type))
    return subsample_fail_nal (error, GST_CENC_ERROR_UNSUPPORTED, nal, type,
        "a slice of a type that is reserved");
  if (type_is_slice (type) && nalu.layer_id > 0)
    return subsample_fail_nal (error, GST_CENC_ERROR_UNSUPPORTED, nal, type,
        "slices of layers above the base layer are not supported");
  if (type_is_slice (type))
    return ranges == NULL || map_slice (self, nal, &nalu, ranges, error);
  /* Those of other layers would overwrite the base layer's in the parser. */
  if (nalu.layer_id == 0 && !parse_other (self, &nalu))
    return subsample_fail_nal (error, GST_CENC_ERROR_FORMAT, nal, type,
        "the parameter set or picture header does not parse");
  return TRUE;
}

/* VvcPTLRecord, ISO/IEC 14496-15, 11.2.4.2.2: skipped. */
static void
skip_profile (BmffReader *reader, guint n_sublayers)
{
  guint n_bytes = bmff_reader_u8 (reader) & 0x3f;
  guint8 level_present = 0;
  guint n;

  bmff_reader_skip (reader, 2 + n_bytes);
  if (n_sublayers > 1)
    level_present = bmff_reader_u8 (reader);
  for (n = 0; n + 2 <= n_sublayers; n++)
    if (level_present >> (7 - n) & 1)
      bmff_reader_u8 (reader);
  n = bmff_reader_u8 (reader);
  bmff_reader_skip (reader, 4 * (gsize) n);
}

/* Reads up to the arrays. */
static gboolean
read_config_head (H266State *self, BmffReader *reader)
{
  guint8 head;
  guint16 layers;

  bmff_reader_u32 (reader); /* version and flags */
  head = bmff_reader_u8 (reader);
  self->length_size = (head >> 1 & 3) + 1;
  if (head & 1) {
    layers = bmff_reader_u16 (reader);
    bmff_reader_u8 (reader);
    skip_profile (reader, layers >> 4 & 7);
    bmff_reader_skip (reader, 6);
  }
  return bmff_reader_ok (reader) && self->length_size != 3;
}

static gboolean
read_config (H266State *self, GError **error)
{
  BmffReader reader;
  guint n_arrays, count, type;

  bmff_reader_init_bytes (&reader, self->config);
  if (!read_config_head (self, &reader))
    return subsample_fail (error, GST_CENC_ERROR_FORMAT,
        "'vvcC' is too short, or of a length size not known");
  for (n_arrays = bmff_reader_u8 (&reader); n_arrays > 0; n_arrays--) {
    type = bmff_reader_u8 (&reader) & 0x1f;
    count = 1;
    if (type != GST_H266_NAL_DCI && type != GST_H266_NAL_OPI)
      count = bmff_reader_u16 (&reader);
    if (!subsample_read_config_nals (&reader, count, "vvcC", handle_nal, self,
            error))
      return FALSE;
  }
  if (bmff_reader_ok (&reader))
    return TRUE;
  return subsample_fail (error, GST_CENC_ERROR_FORMAT,
      "'vvcC' ends within its arrays");
}

static void
h266_close (gpointer state)
{
  H266State *self = state;

  gst_h266_parser_free (self->parser);
  g_bytes_unref (self->config);
  g_free (self);
}

static gpointer
h266_open (const BmffBox *entry, GError **error)
{
  GBytes *config =
      subsample_get_config (entry, BMFF_FOURCC ('v', 'v', 'c', 'C'), error);
  H266State *self;

  if (config == NULL)
    return NULL;
  self = g_new0 (H266State, 1);
  self->config = config;
  self->parser = gst_h266_parser_new ();
  if (!read_config (self, error)) {
    h266_close (self);
    return NULL;
  }
  return self;
}

static void
h266_reset (gpointer state)
{
  H266State *self = state;

  gst_h266_parser_free (self->parser);
  self->parser = gst_h266_parser_new ();
  /* Cannot fail: it did not when it was opened. */
  read_config (self, NULL);
}

static gboolean
h266_map (gpointer state, const guint8 *sample, gsize size, GArray *ranges,
    GError **error)
{
  H266State *self = state;

  self->has_picture_header = FALSE;
  return subsample_walk_nals (self->length_size, sample, size, handle_nal, self,
      ranges, error);
}

const SubsampleCodec subsample_h266 = {
  .takes_pattern = TRUE,
  .open = h266_open,
  .close = h266_close,
  .reset = h266_reset,
  .map = h266_map,
};

#else

static gpointer
h266_open (const BmffBox *entry, GError **error)
{
  subsample_fail (error, GST_CENC_ERROR_UNSUPPORTED,
      "'%" BMFF_FOURCC_FORMAT
      "' (H.266) needs libgstcodecparsers of GStreamer 1.26 or later",
      BMFF_FOURCC_ARGS (entry->type));
  return NULL;
}

const SubsampleCodec subsample_h266 = {
  .open = h266_open,
};

#endif
