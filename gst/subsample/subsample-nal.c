/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/subsample/nal-length.h"
#include "gst/subsample/subsample-private.h"

gboolean
subsample_walk_nals (guint length_size, const guint8 *sample, gsize size,
    SubsampleNalFunc func, gpointer state, GArray *ranges, GError **error)
{
  SubsampleNal nal = { .length_size = length_size };

  for (; nal.offset < size; nal.index++) {
    gsize left = size - nal.offset;

    if (left < length_size)
      return subsample_fail (error, GST_CENC_ERROR_FORMAT,
          "%" G_GSIZE_FORMAT " bytes at offset %" G_GSIZE_FORMAT
          " of the sample are too few for the length of a NAL unit",
          left, nal.offset);
    nal.prefixed = sample + nal.offset;
    nal.size = nal_length_read (nal.prefixed, length_size);
    if (nal.size > left - length_size)
      return subsample_fail (error, GST_CENC_ERROR_FORMAT,
          "NAL unit %u at offset %" G_GSIZE_FORMAT
          " of the sample has a length of %" G_GSIZE_FORMAT
          ", but only %" G_GSIZE_FORMAT " bytes are left",
          nal.index, nal.offset, nal.size, left - length_size);
    if (nal.size > 0 && !func (state, &nal, ranges, error))
      return FALSE;
    nal.offset += length_size + nal.size;
  }
  return TRUE;
}

gboolean
subsample_read_config_nals (BmffReader *reader, guint count, const gchar *box,
    SubsampleNalFunc func, gpointer state, GError **error)
{
  SubsampleNal nal = { .length_size = 2 };

  for (nal.index = 0; nal.index < count; nal.index++) {
    nal.offset = reader->pos;
    nal.size = bmff_reader_u16 (reader);
    nal.prefixed = bmff_reader_bytes (reader, nal.size);
    if (!bmff_reader_ok (reader))
      return subsample_fail (error, GST_CENC_ERROR_FORMAT,
          "'%s' ends within its parameter sets", box);
    if (nal.size == 0)
      continue;
    nal.prefixed -= nal.length_size;
    if (!func (state, &nal, NULL, error)) {
      g_prefix_error (error, "'%s': ", box);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
subsample_add_slice (const SubsampleNal *nal, guint nal_header_bytes,
    guint header_bits, GArray *ranges, GError **error)
{
  gsize clear = nal_header_bytes + (header_bits + 7) / 8;

  if (clear > nal->size)
    return subsample_fail (error, GST_CENC_ERROR_FORMAT,
        "NAL unit %u at offset %" G_GSIZE_FORMAT
        " of the sample is shorter than its slice header",
        nal->index, nal->offset);
  subsample_add_range (ranges, nal->offset + nal->length_size + clear,
      nal->size - clear);
  return TRUE;
}

gboolean
subsample_fail_nal (GError **error, GstCencError code, const SubsampleNal *nal,
    guint type, const gchar *text)
{
  return subsample_fail (error, code,
      "NAL unit %u (type %u) at offset %" G_GSIZE_FORMAT ": %s", nal->index,
      type, nal->offset, text);
}

void
subsample_bits_init (SubsampleBits *self, const guint8 *data, gsize size)
{
  *self = (SubsampleBits){ .data = data, .size = size };
}

/* Moves to the next byte, and over an emulation prevention byte. */
static void
next_byte (SubsampleBits *self)
{
  self->zeros = self->data[self->pos] == 0 ? self->zeros + 1 : 0;
  self->pos++;
  self->bit = 0;
  if (self->zeros >= 2 && self->pos < self->size &&
      self->data[self->pos] == 3) {
    self->pos++;
    self->zeros = 0;
  }
}

guint32
subsample_bits_read (SubsampleBits *self, guint n)
{
  guint32 value = 0;

  for (; n > 0; n--) {
    if (self->pos >= self->size)
      self->failed = TRUE;
    if (self->failed)
      return 0;
    value = value << 1 | (self->data[self->pos] >> (7 - self->bit) & 1);
    if (++self->bit == 8)
      next_byte (self);
  }
  return value;
}

guint32
subsample_bits_read_ue (SubsampleBits *self)
{
  guint zeros = 0;

  while (!self->failed && subsample_bits_read (self, 1) == 0)
    zeros++;
  if (zeros > 31)
    self->failed = TRUE;
  if (self->failed)
    return 0;
  return (1u << zeros) - 1 + subsample_bits_read (self, zeros);
}

gsize
subsample_bits_left (const SubsampleBits *self)
{
  return self->pos < self->size ? (self->size - self->pos) * 8 - self->bit : 0;
}
