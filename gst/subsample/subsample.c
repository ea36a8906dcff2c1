/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/subsample/nal-length.h"
#include "gst/subsample/subsample-private.h"

struct _Subsampler
{
  const SubsampleCodec *codec; /* NULL: whole samples */
  gpointer state;
};

/* Codecs without a header that could stay clear: encrypted whole (9.5.1). */
static const guint32 whole_sample_codecs[] = {
  BMFF_FOURCC ('m', 'p', '4', 'a'), /* AAC, MP3 */
  BMFF_FOURCC ('.', 'm', 'p', '3'),
  BMFF_FOURCC ('a', 'c', '-', '3'),
  BMFF_FOURCC ('e', 'c', '-', '3'),
  BMFF_FOURCC ('O', 'p', 'u', 's'),
  BMFF_FOURCC ('f', 'L', 'a', 'C'),
  BMFF_FOURCC ('a', 'l', 'a', 'c'),
};

static const struct
{
  guint32 type;
  const SubsampleCodec *codec;
} subsample_codecs[] = {
  { BMFF_FOURCC ('a', 'v', 'c', '1'), &subsample_h264 },
  { BMFF_FOURCC ('a', 'v', 'c', '2'), &subsample_h264 },
  { BMFF_FOURCC ('a', 'v', 'c', '3'), &subsample_h264 },
  { BMFF_FOURCC ('a', 'v', 'c', '4'), &subsample_h264 },
  { BMFF_FOURCC ('d', 'v', 'a', '1'), &subsample_h264 },
  { BMFF_FOURCC ('d', 'v', 'a', 'v'), &subsample_h264 },
  { BMFF_FOURCC ('h', 'v', 'c', '1'), &subsample_h265 },
  { BMFF_FOURCC ('h', 'e', 'v', '1'), &subsample_h265 },
  { BMFF_FOURCC ('d', 'v', 'h', '1'), &subsample_h265 },
  { BMFF_FOURCC ('d', 'v', 'h', 'e'), &subsample_h265 },
  { BMFF_FOURCC ('v', 'v', 'c', '1'), &subsample_h266 },
  { BMFF_FOURCC ('v', 'v', 'i', '1'), &subsample_h266 },
  { BMFF_FOURCC ('a', 'v', '0', '1'), &subsample_av1 },
  { BMFF_FOURCC ('d', 'a', 'v', '1'), &subsample_av1 },
  { BMFF_FOURCC ('v', 'p', '0', '9'), &subsample_vp9 },
  { BMFF_FOURCC ('a', 'c', '-', '4'), &subsample_ac4 },
};

gboolean
subsample_fail (GError **error, GstCencError code, const gchar *format, ...)
{
  va_list args;

  if (error != NULL) {
    va_start (args, format);
    *error = g_error_new_valist (GST_CENC_ERROR, code, format, args);
    va_end (args);
  }
  return FALSE;
}

void
subsample_add_range (GArray *ranges, gsize offset, gsize size)
{
  CencRange range = { offset, size };

  if (size > 0)
    g_array_append_val (ranges, range);
}

GBytes *
subsample_get_config (const BmffBox *entry, guint32 type, GError **error)
{
  const BmffBox *box = bmff_box_child (entry, type);

  if (box != NULL)
    return g_bytes_ref (box->payload);
  subsample_fail (error, GST_CENC_ERROR_FORMAT,
      "sample entry '%" BMFF_FOURCC_FORMAT "' at %" G_GUINT64_FORMAT
      " has no '%" BMFF_FOURCC_FORMAT "' box",
      BMFF_FOURCC_ARGS (entry->type), entry->offset, BMFF_FOURCC_ARGS (type));
  return NULL;
}

static gboolean
is_whole_sample_codec (guint32 type)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (whole_sample_codecs); i++)
    if (whole_sample_codecs[i] == type)
      return TRUE;
  return FALSE;
}

static const SubsampleCodec *
find_codec (guint32 type)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (subsample_codecs); i++)
    if (subsample_codecs[i].type == type)
      return subsample_codecs[i].codec;
  return NULL;
}

gboolean
subsampler_knows (guint32 type)
{
  return find_codec (type) != NULL || is_whole_sample_codec (type);
}

Subsampler *
subsampler_new (const BmffBox *entry, GError **error)
{
  const SubsampleCodec *codec = find_codec (entry->type);
  gpointer state = NULL;
  Subsampler *self;

  if (codec != NULL) {
    state = codec->open (entry, error);
    if (state == NULL)
      return NULL;
  } else if (!is_whole_sample_codec (entry->type)) {
    subsample_fail (error, GST_CENC_ERROR_UNSUPPORTED,
        "which bytes of codec '%" BMFF_FOURCC_FORMAT
        "' may be encrypted is not known here",
        BMFF_FOURCC_ARGS (entry->type));
    return NULL;
  }
  self = g_new0 (Subsampler, 1);
  self->codec = codec;
  self->state = state;
  return self;
}

void
subsampler_free (Subsampler *self)
{
  if (self == NULL)
    return;
  if (self->codec != NULL)
    self->codec->close (self->state);
  g_free (self);
}

gboolean
subsampler_is_whole_sample (const Subsampler *self)
{
  return self->codec == NULL;
}

gboolean
subsampler_takes_pattern (const Subsampler *self)
{
  return self->codec != NULL && self->codec->takes_pattern;
}

gboolean
subsampler_map (Subsampler *self, const guint8 *sample, gsize size,
    GArray *ranges, GError **error)
{
  g_array_set_size (ranges, 0);
  if (self->codec == NULL) {
    subsample_add_range (ranges, 0, size);
    return TRUE;
  }
  return self->codec->map (self->state, sample, size, ranges, error);
}

gsize
subsampler_look (const Subsampler *self, const guint8 *at, gsize n, gsize *size)
{
  guint length_size;

  *size = 0;
  if (self->codec == NULL || self->codec->get_length_size == NULL)
    return 0;
  length_size = self->codec->get_length_size (self->state);
  if (n < length_size + 2)
    return 0;
  *size = length_size + nal_length_read (at, length_size);
  return self->codec->is_slice (at + length_size) ? 1 : *size;
}

void
subsampler_reset (Subsampler *self)
{
  if (self->codec != NULL && self->codec->reset != NULL)
    self->codec->reset (self->state);
}
