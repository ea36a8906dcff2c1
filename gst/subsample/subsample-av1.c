/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AV1: the data of each tile is protected; OBU headers and sizes, frame headers
 * and the sizes of tiles are clear (AV1 Codec ISO Media File Format Binding,
 * "Subsample encryption"). A range is a tile, from its first to its last byte.
 */

#define GST_USE_UNSTABLE_API

#include "gst/subsample/subsample-private.h"

#include <gst/codecparsers/gstav1parser.h>
#include <string.h>

/* The parser counts bits in 32 of them. */
#define MAX_OBU_SIZE (1u << 28)
/* It keeps the number of the last tile of a group in 8 bits. */
#define MAX_TILES 256
/* Before 1.24 it miscounts tiles where there are more superblocks in a row or
 * column than there may be tiles. */
#define MAX_SUPERBLOCKS 64
/* It reads some fields without asking whether they are there. An OBU of less than
 * SMALL_OBU bytes is parsed in a copy with zeros behind; no header is longer. */
#define SMALL_OBU 1024
#define PADDING 64

typedef struct
{
  GBytes *config; /* av1C */
  GstAV1Parser *parser;
  guint index; /* of the OBU in the sample */
  gsize offset; /* of that OBU */
  gsize payload; /* where its bytes stand in the sample, behind its header */
  guint8 room[SMALL_OBU + PADDING];
  /* What the parser fills; too large for the stack. */
  GstAV1SequenceHeaderOBU sequence;
  GstAV1FrameHeaderOBU header;
  GstAV1FrameOBU frame;
  GstAV1TileGroupOBU tiles;
} Av1State;

static gboolean
fail_obu (Av1State *self, GError **error, GstCencError code, guint type,
    const gchar *text)
{
  return subsample_fail (error, code,
      "OBU %u (type %u) at offset %" G_GSIZE_FORMAT ": %s", self->index, type,
      self->offset, text);
}

static gboolean
handle_sequence_header (Av1State *self, GstAV1OBU *obu, GError **error)
{
  guint superblock;

  if (obu->obu_size >= SMALL_OBU ||
      gst_av1_parser_parse_sequence_header_obu (self->parser, obu,
          &self->sequence) != GST_AV1_PARSER_OK)
    return fail_obu (self, error, GST_CENC_ERROR_FORMAT, obu->obu_type,
        "the sequence header does not parse");
  superblock = self->sequence.use_128x128_superblock ? 128 : 64;
  if (!GST_CHECK_VERSION (1, 24, 0) &&
      (self->sequence.max_frame_width_minus_1 / superblock >= MAX_SUPERBLOCKS ||
          self->sequence.max_frame_height_minus_1 / superblock >=
              MAX_SUPERBLOCKS))
    return fail_obu (self, error, GST_CENC_ERROR_UNSUPPORTED, obu->obu_type,
        "pictures of more than 64 superblocks in a row or column need "
        "GStreamer 1.24");
  return TRUE;
}

/* Whether the parser can be given the frame: before 1.24 it ends the process on a
 * frame that takes its segmentation from one that is not there. Key frames fill
 * all places; the type stands in the header's first bits (AV1, 5.9.2). */
static gboolean
references_are_there (Av1State *self, const GstAV1OBU *obu)
{
  guint i;

  if (self->parser->seq_header == NULL || obu->obu_size == 0)
    return FALSE;
  if (self->parser->seq_header->reduced_still_picture_header ||
      (obu->data[0] & 0x80) || (obu->data[0] >> 5 & 3) != GST_AV1_INTER_FRAME)
    return TRUE;
  for (i = 0; i < GST_AV1_NUM_REF_FRAMES; i++)
    if (!self->parser->state.ref_info.entry[i].ref_valid)
      return FALSE;
  return TRUE;
}

/* Before 1.24 references that are signaled short are not found as 7.8 says, and
 * what follows in the header hangs on them. */
static gboolean
header_is_followed (const GstAV1FrameHeaderOBU *header)
{
  return GST_CHECK_VERSION (1, 24, 0) || header->show_existing_frame ||
      !header->frame_refs_short_signaling;
}

static gboolean
finish_header (Av1State *self, GstAV1OBU *obu, GstAV1FrameHeaderOBU *header,
    GError **error)
{
  if (!header_is_followed (header))
    return fail_obu (self, error, GST_CENC_ERROR_UNSUPPORTED, obu->obu_type,
        "references that are signaled short need GStreamer 1.24");
  if (gst_av1_parser_reference_frame_update (self->parser, header) !=
      GST_AV1_PARSER_OK)
    return fail_obu (self, error, GST_CENC_ERROR_FORMAT, obu->obu_type,
        "the frame's references are not valid");
  return TRUE;
}

static gboolean
fail_references (Av1State *self, GstAV1OBU *obu, GError **error)
{
  return fail_obu (self, error, GST_CENC_ERROR_FORMAT, obu->obu_type,
      "the sequence header or a frame that it refers to did not come before "
      "it");
}

static gboolean
handle_frame_header (Av1State *self, GstAV1OBU *obu, GError **error)
{
  if (!references_are_there (self, obu))
    return fail_references (self, obu, error);
  if (gst_av1_parser_parse_frame_header_obu (self->parser, obu,
          &self->header) != GST_AV1_PARSER_OK)
    return fail_obu (self, error, GST_CENC_ERROR_FORMAT, obu->obu_type,
        "the frame header does not parse");
  return finish_header (self, obu, &self->header, error);
}

/* Whether the tiles, with the sizes between them, fill the OBU: the parser's sums
 * may have wrapped. */
static gboolean
tiles_fill_obu (Av1State *self, const GstAV1OBU *obu,
    const GstAV1TileGroupOBU *tiles)
{
  guint64 end = 0;
  guint i;

  if (tiles->tg_start > tiles->tg_end || tiles->tg_end >= tiles->num_tiles)
    return FALSE;
  for (i = tiles->tg_start; i <= tiles->tg_end; i++) {
    gboolean is_last = i == tiles->tg_end;

    if (i > tiles->tg_start &&
        tiles->entry[i].tile_offset !=
            end + (is_last ? 0 : self->parser->state.tile_size_bytes))
      return FALSE;
    end = (guint64) tiles->entry[i].tile_offset + tiles->entry[i].tile_size;
  }
  return end == obu->obu_size && tiles->entry[tiles->tg_end].tile_size > 0;
}

static gboolean
add_tiles (Av1State *self, GstAV1OBU *obu, const GstAV1TileGroupOBU *tiles,
    GArray *ranges, GError **error)
{
  guint i;

  if (tiles->num_tiles > MAX_TILES)
    return fail_obu (self, error, GST_CENC_ERROR_UNSUPPORTED, obu->obu_type,
        "more than 256 tiles");
  if (!tiles_fill_obu (self, obu, tiles))
    return fail_obu (self, error, GST_CENC_ERROR_FORMAT, obu->obu_type,
        "the tiles' sizes do not add up");
  for (i = tiles->tg_start; i <= tiles->tg_end; i++)
    subsample_add_range (ranges, self->payload + tiles->entry[i].tile_offset,
        tiles->entry[i].tile_size);
  return TRUE;
}

static gboolean
handle_frame (Av1State *self, GstAV1OBU *obu, GArray *ranges, GError **error)
{
  if (!references_are_there (self, obu))
    return fail_references (self, obu, error);
  if (gst_av1_parser_parse_frame_obu (self->parser, obu, &self->frame) !=
          GST_AV1_PARSER_OK ||
      self->frame.frame_header.show_existing_frame)
    return fail_obu (self, error, GST_CENC_ERROR_FORMAT, obu->obu_type,
        "the frame header or the tile group does not parse");
  return finish_header (self, obu, &self->frame.frame_header, error) &&
      add_tiles (self, obu, &self->frame.tile_group, ranges, error);
}

static gboolean
handle_tile_group (Av1State *self, GstAV1OBU *obu, GArray *ranges,
    GError **error)
{
  if (self->parser->seq_header == NULL || self->parser->state.tile_cols == 0 ||
      gst_av1_parser_parse_tile_group_obu (self->parser, obu, &self->tiles) !=
          GST_AV1_PARSER_OK)
    return fail_obu (self, error, GST_CENC_ERROR_FORMAT, obu->obu_type,
        "the tile group does not parse, or its frame header is missing");
  return add_tiles (self, obu, &self->tiles, ranges, error);
}

static gboolean
type_is_picture (guint type)
{
  return type == GST_AV1_OBU_FRAME_HEADER || type == GST_AV1_OBU_FRAME ||
      type == GST_AV1_OBU_TILE_GROUP;
}

/* @ranges is NULL in the configuration. */
static gboolean
handle_obu (Av1State *self, GstAV1OBU *obu, GArray *ranges, GError **error)
{
  if (ranges == NULL && type_is_picture (obu->obu_type))
    return fail_obu (self, error, GST_CENC_ERROR_FORMAT, obu->obu_type,
        "pictures do not belong here");
  switch (obu->obu_type) {
    case GST_AV1_OBU_SEQUENCE_HEADER:
      return handle_sequence_header (self, obu, error);
    case GST_AV1_OBU_FRAME_HEADER:
      return handle_frame_header (self, obu, error);
    case GST_AV1_OBU_FRAME:
      return handle_frame (self, obu, ranges, error);
    case GST_AV1_OBU_TILE_GROUP:
      return handle_tile_group (self, obu, ranges, error);
    case GST_AV1_OBU_TILE_LIST:
      return fail_obu (self, error, GST_CENC_ERROR_UNSUPPORTED, obu->obu_type,
          "tile lists are no part of the binding to ISO BMFF");
    default:
      /* A redundant frame header repeats what was read. */
      return TRUE;
  }
}

/* leb128() of 4.10.5. */
static gboolean
read_leb128 (BmffReader *reader, guint64 *value)
{
  guint i;

  *value = 0;
  for (i = 0; i < 8; i++) {
    guint8 byte = bmff_reader_u8 (reader);

    *value |= (guint64) (byte & 0x7f) << (7 * i);
    if (!(byte & 0x80))
      return bmff_reader_ok (reader);
  }
  return FALSE;
}

/* Reads an OBU's header and size (5.3). The parser's own function drops OBUs of
 * other operating points and takes none without a size, which the last of a sample
 * may be. */
static gboolean
read_obu (BmffReader *reader, GstAV1OBU *obu)
{
  guint8 header = bmff_reader_u8 (reader);
  guint64 size;

  memset (obu, 0, sizeof *obu);
  obu->obu_type = header >> 3 & 0xf;
  obu->header.obu_type = obu->obu_type;
  obu->header.obu_extention_flag = (header & 4) != 0;
  obu->header.obu_has_size_field = (header & 2) != 0;
  if (obu->header.obu_extention_flag) {
    guint8 extension = bmff_reader_u8 (reader);

    obu->header.obu_temporal_id = extension >> 5;
    obu->header.obu_spatial_id = extension >> 3 & 3;
  }
  size = bmff_reader_left (reader);
  if (obu->header.obu_has_size_field && !read_leb128 (reader, &size))
    return FALSE;
  if ((header & 0x80) || size > MAX_OBU_SIZE ||
      size > bmff_reader_left (reader))
    return FALSE;
  obu->obu_size = (guint32) size;
  /* Never NULL, also for an empty OBU at the end. */
  obu->data = (guint8 *) reader->data + reader->pos;
  return bmff_reader_skip (reader, (gsize) size);
}

static void
move_to_room (Av1State *self, GstAV1OBU *obu)
{
  if (obu->obu_size >= SMALL_OBU)
    return;
  memcpy (self->room, obu->data, obu->obu_size);
  memset (self->room + obu->obu_size, 0, PADDING);
  obu->data = self->room;
}

static gboolean
walk_obus (Av1State *self, const guint8 *data, gsize size, GArray *ranges,
    GError **error)
{
  BmffReader reader;
  GstAV1OBU obu;

  bmff_reader_init (&reader, data, size);
  for (self->index = 0; bmff_reader_left (&reader) > 0; self->index++) {
    self->offset = reader.pos;
    if (!read_obu (&reader, &obu))
      return fail_obu (self, error, GST_CENC_ERROR_FORMAT,
          data[self->offset] >> 3 & 0xf,
          "its header is not valid, or its size more than what is left");
    self->payload = reader.pos - obu.obu_size;
    move_to_room (self, &obu);
    if (!handle_obu (self, &obu, ranges, error))
      return FALSE;
  }
  return TRUE;
}

/* AV1CodecConfigurationRecord: four bytes, then OBUs (the binding, 2.3). mp4mux
 * 1.22 leaves the marker, the version and more of it zero: of such a record
 * nothing is believed, and the sequence header has to come in band. */
static gboolean
read_config (Av1State *self, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (self->config, &size);

  if (size < 4 || (data[0] != 0x81 && data[0] != 0))
    return subsample_fail (error, GST_CENC_ERROR_FORMAT,
        "'av1C' is too short or of a version not known");
  if (data[0] == 0)
    return TRUE;
  if (walk_obus (self, data + 4, size - 4, NULL, error))
    return TRUE;
  g_prefix_error (error, "'av1C': ");
  return FALSE;
}

static void
av1_close (gpointer state)
{
  Av1State *self = state;

  gst_av1_parser_free (self->parser);
  g_bytes_unref (self->config);
  g_free (self);
}

static gpointer
av1_open (const BmffBox *entry, GError **error)
{
  GBytes *config =
      subsample_get_config (entry, BMFF_FOURCC ('a', 'v', '1', 'C'), error);
  Av1State *self;

  if (config == NULL)
    return NULL;
  self = g_new0 (Av1State, 1);
  self->config = config;
  self->parser = gst_av1_parser_new ();
  gst_av1_parser_reset (self->parser, FALSE);
  if (!read_config (self, error)) {
    av1_close (self);
    return NULL;
  }
  return self;
}

static void
av1_reset (gpointer state)
{
  Av1State *self = state;

  gst_av1_parser_reset (self->parser, FALSE);
  /* Cannot fail: it did not when it was opened. */
  read_config (self, NULL);
}

static gboolean
av1_map (gpointer state, const guint8 *sample, gsize size, GArray *ranges,
    GError **error)
{
  Av1State *self = state;

  /* A sample is a temporal unit, without the delimiter that would say so. */
  self->parser->state.seen_frame_header = 0;
  return walk_obus (self, sample, size, ranges, error);
}

const SubsampleCodec subsample_av1 = {
  .takes_pattern = TRUE,
  .open = av1_open,
  .close = av1_close,
  .reset = av1_reset,
  .map = av1_map,
};
