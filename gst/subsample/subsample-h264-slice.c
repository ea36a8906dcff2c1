/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The length of an ordinary slice header. The library's parser reads bit by bit
 * and into a structure of kilobytes: it takes most of the time that is spent on
 * small pictures.
 */

#define GST_USE_UNSTABLE_API

#include "gst/subsample/subsample-h264.h"

#include <string.h>

/* Headers that are longer are not ordinary. */
#define MAX_HEADER 32

/* Bits, most significant first; those behind the end are 0. */
typedef struct
{
  guint8 data[MAX_HEADER + 8];
  guint pos;
  gboolean failed;
} Bits;

/* At least 57 bits from the next one on, at the word's top. */
static guint64
peek (const Bits *self)
{
  return bmff_get_u64 (self->data + self->pos / 8) << self->pos % 8;
}

/* A read past the end, or of what is not ordinary, fails for good. */
static void
skip (Bits *self, guint n)
{
  if (self->pos + n > MAX_HEADER * 8)
    self->failed = TRUE;
  else
    self->pos += n;
}

/* @n: 1 to 32 */
static guint32
read_bits (Bits *self, guint n)
{
  guint32 value = (guint32) (peek (self) >> (64 - n));

  skip (self, n);
  return value;
}

/* ue(v), 9.1: of up to 16 bits */
static guint32
read_ue (Bits *self, guint32 max)
{
  guint64 word = peek (self);
  guint zeros = (guint) __builtin_clzll (word | 1);
  guint32 value;

  if (zeros > 16) {
    self->failed = TRUE;
    return 0;
  }
  value = (guint32) (word >> (63 - 2 * zeros)) - 1;
  skip (self, 2 * zeros + 1);
  if (value > max)
    self->failed = TRUE;
  return value;
}

/* se(v), 9.1.1 */
static void
skip_se (Bits *self, gint min, gint max)
{
  gint32 code = (gint32) read_ue (self, G_MAXUINT16);
  gint32 value = code % 2 ? code / 2 + 1 : -(code / 2);

  if (value < min || value > max)
    self->failed = TRUE;
}

typedef struct
{
  const GstH264PPS *pps;
  const GstH264SPS *sps;
  gboolean is_idr, is_reference;
  gboolean is_b, is_i; /* neither: P */
  gboolean is_field;
} Slice;

static void
skip_order_count (Bits *bits, const Slice *slice)
{
  const GstH264SPS *sps = slice->sps;
  gboolean both = slice->pps->pic_order_present_flag && !slice->is_field;

  if (sps->pic_order_cnt_type == 0) {
    skip (bits, sps->log2_max_pic_order_cnt_lsb_minus4 + 4);
    if (both)
      skip_se (bits, -G_MAXINT16, G_MAXINT16);
  }
  if (sps->pic_order_cnt_type == 1 && !sps->delta_pic_order_always_zero_flag) {
    skip_se (bits, -G_MAXINT16, G_MAXINT16);
    if (both)
      skip_se (bits, -G_MAXINT16, G_MAXINT16);
  }
}

/* pred_weight_table(), 7.3.3.2, of one list */
static void
skip_weights (Bits *bits, guint n, gboolean has_chroma)
{
  guint i, k;

  for (i = 0; i < n && !bits->failed; i++) {
    if (read_bits (bits, 1))
      for (k = 0; k < 2; k++)
        skip_se (bits, -128, 127);
    if (has_chroma && read_bits (bits, 1))
      for (k = 0; k < 4; k++)
        skip_se (bits, -128, 127);
  }
}

/* Counts of references, lists that are not modified, weights */
static void
skip_references (Bits *bits, const Slice *slice)
{
  const GstH264PPS *pps = slice->pps;
  guint n0 = pps->num_ref_idx_l0_active_minus1 + 1u;
  guint n1 = pps->num_ref_idx_l1_active_minus1 + 1u;

  if (slice->is_b)
    skip (bits, 1); /* direct_spatial_mv_pred_flag */
  if (read_bits (bits, 1)) { /* num_ref_idx_active_override_flag */
    n0 = read_ue (bits, 31) + 1;
    if (slice->is_b)
      n1 = read_ue (bits, 31) + 1;
  }
  if (read_bits (bits, 1) || (slice->is_b && read_bits (bits, 1)))
    bits->failed = TRUE; /* ref_pic_list_modification() */
  if (slice->is_b ? pps->weighted_bipred_idc == 1 : pps->weighted_pred_flag) {
    gboolean has_chroma = slice->sps->chroma_array_type != 0;

    read_ue (bits, 7);
    if (has_chroma)
      read_ue (bits, 7);
    skip_weights (bits, n0, has_chroma);
    if (slice->is_b)
      skip_weights (bits, n1, has_chroma);
  }
}

/* dec_ref_pic_marking(), 7.3.3.3, without operations */
static void
skip_marking (Bits *bits, const Slice *slice)
{
  if (!slice->is_reference)
    return;
  if (slice->is_idr)
    skip (bits, 2);
  else if (read_bits (bits, 1))
    bits->failed = TRUE;
}

static void
skip_filter (Bits *bits)
{
  if (read_ue (bits, 2) == 1)
    return;
  skip_se (bits, -6, 6);
  skip_se (bits, -6, 6);
}

/* slice_header(), 7.3.3, from behind pic_parameter_set_id */
static void
skip_header (Bits *bits, Slice *slice)
{
  const GstH264SPS *sps = slice->sps;

  skip (bits, sps->log2_max_frame_num_minus4 + 4);
  if (!sps->frame_mbs_only_flag) {
    slice->is_field = read_bits (bits, 1) != 0;
    skip (bits, slice->is_field);
  }
  if (slice->is_idr)
    read_ue (bits, G_MAXUINT16);
  skip_order_count (bits, slice);
  if (slice->pps->redundant_pic_cnt_present_flag)
    read_ue (bits, G_MAXINT8);
  if (!slice->is_i)
    skip_references (bits, slice);
  skip_marking (bits, slice);
  if (slice->pps->entropy_coding_mode_flag && !slice->is_i)
    read_ue (bits, 2); /* cabac_init_idc */
  skip_se (bits, -87, 77);
  if (slice->pps->deblocking_filter_control_present_flag)
    skip_filter (bits);
}

/* Whether a byte of emulation prevention is among the header's @n. */
static gboolean
has_prevention (const Bits *bits, guint n)
{
  guint i;

  for (i = 2; i < n; i++) {
    if (bits->data[i] == 3 && bits->data[i - 1] == 0 && bits->data[i - 2] == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_ordinary (const GstH264PPS *pps)
{
  const GstH264SPS *sps = pps->sequence;

  return sps && sps->extension_type == 0 && !sps->separate_colour_plane_flag &&
      pps->num_slice_groups_minus1 == 0;
}

guint
subsample_h264_count_header (const GstH264PPS *pps, const SubsampleNal *nal)
{
  const guint8 *header = nal->prefixed + nal->length_size;
  Slice slice = { pps, pps->sequence };
  Bits bits = { { 0 } };
  gsize size = MIN (nal->size - 1, MAX_HEADER);
  guint type;

  if (!is_ordinary (pps))
    return 0;
  memcpy (bits.data, header + 1, size);
  slice.is_idr = (*header & 0x1f) == GST_H264_NAL_SLICE_IDR;
  slice.is_reference = (*header & 0x60) != 0;
  read_ue (&bits, G_MAXUINT16); /* first_mb_in_slice */
  type = read_ue (&bits, 9) % 5;
  slice.is_b = type == GST_H264_B_SLICE;
  slice.is_i = type == GST_H264_I_SLICE;
  if (type > GST_H264_I_SLICE ||
      read_ue (&bits, GST_H264_MAX_PPS_COUNT - 1) != (guint) pps->id)
    return 0;
  skip_header (&bits, &slice);
  if (bits.failed || bits.pos > size * 8 ||
      has_prevention (&bits, (bits.pos + 7) / 8))
    return 0;
  return bits.pos;
}
