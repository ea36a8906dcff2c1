/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/subsample/nal-length.h"
#include "gst/subsample/sample-probe-private.h"

#include <string.h>

/* Of a byte-stream sample so much is looked at: the first start codes and the
 * headers behind them. */
#define BYTE_STREAM_WINDOW 4096

/* Types that are reserved are legal: a decoder of today has to ignore them. */
static gboolean
nal_header_is_legal (ProbeKind kind, const guint8 *nal, gsize size)
{
  guint layer;

  if (nal[0] & 0x80)
    return FALSE; /* forbidden_zero_bit */
  if (kind == PROBE_KIND_H264)
    return TRUE;
  if (size < 2)
    return FALSE;
  if (kind == PROBE_KIND_H265) {
    layer = (nal[0] & 1) << 5 | nal[1] >> 3;
  } else {
    if (nal[0] & 0x40)
      return FALSE; /* nuh_reserved_zero_bit */
    layer = nal[0] & 0x3f;
  }
  /* nuh_temporal_id_plus1 is not 0 (H.265, 7.4.2.2; H.266, 7.4.2.2). */
  return layer < 63 && (nal[1] & 7) != 0;
}

/* nal_ref_idc of an IDR picture is not 0 (H.264, 7.4.1). */
static gboolean
h264_idr_is_legal (ProbeKind kind, const guint8 *nal)
{
  return kind != PROBE_KIND_H264 || (nal[0] & 0x1f) != 5 ||
      (nal[0] & 0x60) != 0;
}

gboolean
probe_nal_walk_next (ProbeNalWalk *self, const guint8 **nal, gsize *size)
{
  while (self->left >= self->length_size) {
    *size = nal_length_read (self->data, self->length_size);
    if (*size > self->left - self->length_size)
      return FALSE;
    *nal = self->data + self->length_size;
    self->data = *nal + *size;
    self->left -= self->length_size + *size;
    /* Padding that a muxer took over as NAL units without a byte. */
    if (*size != 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_length_prefixed (const SampleProbe *self, const guint8 *sample,
    gsize size)
{
  ProbeNalWalk walk = { sample, size, self->nal_length_size };
  const guint8 *nal;
  gsize nal_size;
  guint n = 0;

  while (probe_nal_walk_next (&walk, &nal, &nal_size)) {
    if (!nal_header_is_legal (self->kind, nal, nal_size) ||
        !h264_idr_is_legal (self->kind, nal))
      return FALSE;
    n++;
  }
  return walk.left == 0 && n > 0;
}

static gboolean
check_byte_stream (const SampleProbe *self, const guint8 *sample, gsize size)
{
  gsize end = MIN (size, BYTE_STREAM_WINDOW);
  gsize i = 0;

  /* leading_zero_8bits, then a start code (Annex B). */
  while (i < end && sample[i] == 0)
    i++;
  if (i < 2 || i >= end || sample[i] != 1)
    return FALSE;
  for (i -= 2; i + 3 < end; i++) {
    if (memcmp (sample + i, "\0\0\1", 3) == 0 &&
        (!nal_header_is_legal (self->kind, sample + i + 3, size - i - 3) ||
            !h264_idr_is_legal (self->kind, sample + i + 3)))
      return FALSE;
  }
  return TRUE;
}

gboolean
probe_nal_check (const SampleProbe *self, const guint8 *sample, gsize size)
{
  if (self->nal_length_size == 0)
    return check_byte_stream (self, sample, size);
  return check_length_prefixed (self, sample, size);
}

/* Looks at each third byte only, as long as that is neither zero nor at most 3. */
gboolean
probe_nal_range_is_legal (const guint8 *nal, gsize size, gsize from, gsize to)
{
  gsize end = MIN (size, to + 2), i;

  for (i = MAX (from, 2); i < end;) {
    if (nal[i] > 3)
      i += 3;
    else if (nal[i - 1] != 0 || nal[i - 2] != 0)
      i++;
    else if (nal[i] < 3 || (i + 1 < size && nal[i + 1] > 3))
      return FALSE;
    else
      i++;
  }
  return TRUE;
}

static gboolean
nal_payload_is_legal (const guint8 *nal, gsize size)
{
  while (size > 0 && nal[size - 1] == 0)
    size--;
  return probe_nal_range_is_legal (nal, size, 0, size);
}

gboolean
probe_nal_check_payload (const SampleProbe *self, const guint8 *sample,
    gsize size)
{
  ProbeNalWalk walk = { sample, size, self->nal_length_size };
  const guint8 *nal;
  gsize nal_size;

  while (probe_nal_walk_next (&walk, &nal, &nal_size))
    if (!nal_payload_is_legal (nal, nal_size))
      return FALSE;
  return walk.left == 0;
}

gboolean
probe_read_leb128 (const guint8 **p, gsize *left, gsize *value)
{
  guint64 v = 0;
  guint i;

  for (i = 0; i < 8 && i < *left; i++) {
    v |= (guint64) ((*p)[i] & 0x7f) << (7 * i);
    if (!((*p)[i] & 0x80)) {
      *p += i + 1;
      *left -= i + 1;
      *value = (gsize) v;
      return v <= G_MAXUINT32;
    }
  }
  return FALSE;
}

/* OBU types (AV1, 6.2.2) that a sample can end with, without a size field. */
static gboolean
obu_type_is_frame (guint type)
{
  return type == 3 || type == 4 || type == 6;
}

/* Reads one OBU's header and size; moves behind it. */
static gboolean
skip_obu (const guint8 **p, gsize *left, guint *type)
{
  guint8 header = **p;
  gsize size;

  /* obu_forbidden_bit, obu_reserved_1bit */
  if (header & 0x81)
    return FALSE;
  *type = header >> 3 & 0xf;
  (*p)++, (*left)--;
  if (header & 0x04) {
    if (*left == 0 || (**p & 0x07) != 0)
      return FALSE; /* extension_header_reserved_3bits */
    (*p)++, (*left)--;
  }
  if (!(header & 0x02))
    size = *left;
  else if (!probe_read_leb128 (p, left, &size) || size > *left)
    return FALSE;
  *p += size;
  *left -= size;
  return (header & 0x02) || obu_type_is_frame (*type) || *type == 7;
}

gboolean
probe_av1_check (const guint8 *sample, gsize size)
{
  gboolean has_frame = FALSE;
  guint type;

  while (size > 0) {
    if (!skip_obu (&sample, &size, &type))
      return FALSE;
    has_frame |= obu_type_is_frame (type);
  }
  return has_frame;
}

gboolean
probe_vp8_check (const guint8 *sample, gsize size)
{
  gsize first_partition;

  if (size < 3)
    return FALSE;
  /* RFC 6386, 9.1: version 0 to 3 in use of three bits, the first partition's
   * size, and a start code on key frames. */
  first_partition = (sample[0] | sample[1] << 8 | sample[2] << 16) >> 5;
  if ((sample[0] & 1) == 0)
    return size >= 10 && memcmp (sample + 3, "\x9d\x01\x2a", 3) == 0 &&
        first_partition <= size - 10;
  return first_partition <= size - 3;
}

/* The start of uncompressed_header() of the VP9 bitstream specification, 6.2. */
gboolean
probe_vp9_check (const guint8 *sample, gsize size)
{
  PlainBits bits = { .data = sample, .size = size };
  gboolean key_frame, show_frame, error_resilient, intra_only = FALSE;
  guint profile;

  if (plain_bits_read (&bits, 2) != 2)
    return FALSE; /* frame_marker */
  profile = plain_bits_read (&bits, 1);
  profile |= plain_bits_read (&bits, 1) << 1;
  if (profile == 3 && plain_bits_read (&bits, 1) != 0)
    return FALSE; /* reserved_zero */
  /* show_existing_frame: the header is all, unless in a superframe, whose last
   * byte is its index's marker (Annex B). */
  if (plain_bits_read (&bits, 1))
    return size <= 2 || (sample[size - 1] & 0xe0) == 0xc0;
  key_frame = !plain_bits_read (&bits, 1);
  show_frame = plain_bits_read (&bits, 1);
  error_resilient = plain_bits_read (&bits, 1);
  if (!key_frame && !show_frame)
    intra_only = plain_bits_read (&bits, 1);
  if (!key_frame && !error_resilient)
    plain_bits_skip (&bits, 2); /* reset_frame_context */
  if (!key_frame && !intra_only)
    return !bits.failed;
  return plain_bits_read (&bits, 24) == 0x498342 && !bits.failed;
}
