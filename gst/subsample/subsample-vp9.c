/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VP9: of each frame, what follows the uncompressed header is protected, the
 * compressed header included; superframe indices are clear (VP Codec ISO Media
 * File Format Binding, "Common Encryption"). The binding knows the scheme cenc only.
 */

#define GST_USE_UNSTABLE_API

#include "gst/subsample/subsample-private.h"
#include "gst/subsample/vp9-superframe.h"

#include <gst/codecparsers/gstvp9parser.h>
#include <string.h>

/* An uncompressed header has at most some 60 bytes. The parser does not check
 * bounds: shorter frames are parsed in a copy with zeros behind. */
#define HEADER_ROOM 128

typedef struct
{
  GstVp9Parser *parser;
} Vp9State;

static gboolean
fail_frame (GError **error, GstCencError code, gsize offset, const gchar *text)
{
  return subsample_fail (error, code,
      "VP9 frame at offset %" G_GSIZE_FORMAT " of the sample: %s", offset,
      text);
}

static gboolean
parse_header (Vp9State *self, const guint8 *data, gsize size,
    GstVp9FrameHdr *header)
{
  guint8 room[HEADER_ROOM];

  if (size < HEADER_ROOM) {
    memset (room, 0, sizeof room);
    memcpy (room, data, size);
    data = room;
  }
  return gst_vp9_parser_parse_frame_header (self->parser, header, data,
             MAX (size, HEADER_ROOM)) == GST_VP9_PARSER_OK &&
      header->profile < GST_VP9_PROFILE_UNDEFINED;
}

static gboolean
map_frame (Vp9State *self, const guint8 *sample, gsize offset, gsize size,
    GArray *ranges, GError **error)
{
  GstVp9FrameHdr header;
  gsize clear;

  if (!parse_header (self, sample + offset, size, &header))
    return fail_frame (error, GST_CENC_ERROR_FORMAT, offset,
        "the uncompressed header does not parse");
  if (header.show_existing_frame)
    return TRUE;
  /* Its size, which decides how tiles are counted, comes from a reference. */
  if (header.width == 0 || header.height == 0)
    return fail_frame (error, GST_CENC_ERROR_FORMAT, offset,
        "it refers to a frame that did not come before it");
  clear = header.frame_header_length_in_bytes;
  if (clear > size || header.first_partition_size > size - clear)
    return fail_frame (error, GST_CENC_ERROR_FORMAT, offset,
        "it is shorter than its headers");
  subsample_add_range (ranges, offset + clear, size - clear);
  return TRUE;
}

static gboolean
vp9_map (gpointer state, const guint8 *sample, gsize size, GArray *ranges,
    GError **error)
{
  gsize sizes[VP9_MAX_FRAMES];
  gsize offset = 0;
  guint i, n;

  if (size == 0)
    return TRUE;
  n = vp9_superframe_read (sample, size, sizes);
  if (n == 0)
    return subsample_fail (error, GST_CENC_ERROR_FORMAT,
        "the frames of a VP9 superframe do not fit the sample");
  for (i = 0; i < n; offset += sizes[i++])
    /* Encoders write an empty frame where a layer was dropped. */
    if (sizes[i] > 0 &&
        !map_frame (state, sample, offset, sizes[i], ranges, error))
      return FALSE;
  return TRUE;
}

static gpointer
vp9_open (const BmffBox *entry, GError **error)
{
  Vp9State *self = g_new0 (Vp9State, 1);

  self->parser = gst_vp9_parser_new ();
  return self;
}

static void
vp9_close (gpointer state)
{
  Vp9State *self = state;

  gst_vp9_parser_free (self->parser);
  g_free (self);
}

static void
vp9_reset (gpointer state)
{
  Vp9State *self = state;

  gst_vp9_parser_free (self->parser);
  self->parser = gst_vp9_parser_new ();
}

const SubsampleCodec subsample_vp9 = {
  .takes_pattern = TRUE,
  .open = vp9_open,
  .close = vp9_close,
  .reset = vp9_reset,
  .map = vp9_map,
};
