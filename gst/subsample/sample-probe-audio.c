/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/subsample/sample-probe-private.h"

#include "gst/isobmff/bmff-reader.h"

/* id_syn_ele of ISO/IEC 14496-3, table 4.85. */
enum
{
  AAC_SCE,
  AAC_CPE,
  AAC_CCE,
  AAC_LFE,
  AAC_DSE,
  AAC_PCE,
  AAC_FIL,
  AAC_END,
};

#define AAC_EIGHT_SHORT_SEQUENCE 2
#define AAC_RESERVED_CODEBOOK 12

/* Scale factor bands of a long window by samplingFrequencyIndex (tables 4.129 on). */
static const guint8 aac_long_bands[16] = { 41, 41, 47, 49, 49, 51, 47, 47, 43,
  43, 43, 40, 40, 51, 51, 51 };

typedef struct
{
  PlainBits bits;
  guint max_bands;
  gboolean short_windows;
  guint max_sfb;
  guint n_groups;
  gboolean stop; /* what comes is not read here: all was right so far */
} AacCheck;

/* ics_info(), table 4.6. Prediction, which Main and LTP have, is not followed. */
static gboolean
aac_ics_info (AacCheck *self)
{
  guint grouping, i;

  if (plain_bits_read (&self->bits, 1) != 0)
    return FALSE; /* ics_reserved_bit */
  self->short_windows =
      plain_bits_read (&self->bits, 2) == AAC_EIGHT_SHORT_SEQUENCE;
  plain_bits_skip (&self->bits, 1); /* window_shape */
  self->n_groups = 1;
  if (!self->short_windows) {
    self->max_sfb = plain_bits_read (&self->bits, 6);
    self->stop = plain_bits_read (&self->bits, 1); /* predictor_data_present */
    return self->max_sfb <= self->max_bands;
  }
  self->max_sfb = plain_bits_read (&self->bits, 4);
  grouping = plain_bits_read (&self->bits, 7);
  for (i = 0; i < 7; i++)
    self->n_groups += !(grouping >> i & 1);
  return self->max_sfb <= 15;
}

/* section_data(), table 4.52: the sections of a group end on max_sfb. */
static gboolean
aac_section_data (AacCheck *self)
{
  guint n_bits = self->short_windows ? 3 : 5;
  guint escape = (1u << n_bits) - 1;
  guint group, band, length;

  for (group = 0; group < self->n_groups; group++) {
    for (band = 0; band < self->max_sfb;) {
      if (plain_bits_read (&self->bits, 4) == AAC_RESERVED_CODEBOOK)
        return FALSE;
      do {
        length = plain_bits_read (&self->bits, n_bits);
        band += length;
      } while (length == escape && band <= self->max_sfb);
      if (band > self->max_sfb || self->bits.failed)
        return FALSE;
    }
  }
  return TRUE;
}

/* individual_channel_stream(), table 4.50, up to its sections. */
static gboolean
aac_channel (AacCheck *self, gboolean common_window)
{
  plain_bits_skip (&self->bits, 8); /* global_gain */
  if (!common_window && !aac_ics_info (self))
    return FALSE;
  return self->stop || aac_section_data (self);
}

/* channel_pair_element(), table 4.5. */
static gboolean
aac_channel_pair (AacCheck *self)
{
  gboolean common_window;
  guint ms_mask;

  plain_bits_skip (&self->bits, 4); /* element_instance_tag */
  common_window = plain_bits_read (&self->bits, 1);
  if (common_window) {
    if (!aac_ics_info (self))
      return FALSE;
    if (self->stop)
      return TRUE;
    ms_mask = plain_bits_read (&self->bits, 2);
    if (ms_mask == 3)
      return FALSE; /* reserved */
    if (ms_mask == 1)
      plain_bits_skip (&self->bits, self->n_groups * self->max_sfb);
  }
  return aac_channel (self, common_window);
}

/* data_stream_element() and fill_element(), tables 4.10 and 4.11: skipped. */
static void
aac_skip_data (AacCheck *self)
{
  gboolean align;
  guint count;

  plain_bits_skip (&self->bits, 4);
  align = plain_bits_read (&self->bits, 1);
  count = plain_bits_read (&self->bits, 8);
  if (count == 255)
    count += plain_bits_read (&self->bits, 8);
  if (align)
    self->bits.pos = (self->bits.pos + 7) / 8 * 8;
  plain_bits_skip (&self->bits, 8 * count);
}

static void
aac_skip_fill (AacCheck *self)
{
  guint count = plain_bits_read (&self->bits, 4);

  if (count == 15)
    count += plain_bits_read (&self->bits, 8) - 1;
  plain_bits_skip (&self->bits, 8 * count);
}

/* coupling_channel_element(), table 4.8, up to its channel stream. */
static void
aac_skip_coupling (AacCheck *self)
{
  guint n, i;

  plain_bits_skip (&self->bits, 5);
  n = plain_bits_read (&self->bits, 3) + 1;
  for (i = 0; i < n; i++) {
    gboolean target_is_cpe = plain_bits_read (&self->bits, 1);

    plain_bits_skip (&self->bits, target_is_cpe ? 6 : 4);
  }
  plain_bits_skip (&self->bits, 4);
}

/* program_config_element(), table 4.2. */
static void
aac_skip_program_config (AacCheck *self)
{
  guint n_bits;
  guint i;

  plain_bits_skip (&self->bits, 10);
  n_bits = 5 * plain_bits_read (&self->bits, 4);
  n_bits += 5 * plain_bits_read (&self->bits, 4);
  n_bits += 5 * plain_bits_read (&self->bits, 4);
  n_bits += 4 * plain_bits_read (&self->bits, 2);
  n_bits += 4 * plain_bits_read (&self->bits, 3);
  n_bits += 5 * plain_bits_read (&self->bits, 4);
  for (i = 0; i < 3; i++) /* mono, stereo and matrix mixdown */
    if (plain_bits_read (&self->bits, 1))
      plain_bits_skip (&self->bits, i < 2 ? 4 : 3);
  plain_bits_skip (&self->bits, n_bits);
  self->bits.pos = (self->bits.pos + 7) / 8 * 8;
  plain_bits_skip (&self->bits, 8 * plain_bits_read (&self->bits, 8));
}

/* Skips what carries no sound; gives the id of what comes then. */
static guint
aac_skip_to_sound (AacCheck *self)
{
  guint id = AAC_END;

  while (!self->bits.failed) {
    id = plain_bits_read (&self->bits, 3);
    if (id == AAC_DSE)
      aac_skip_data (self);
    else if (id == AAC_FIL)
      aac_skip_fill (self);
    else if (id == AAC_PCE)
      aac_skip_program_config (self);
    else
      break;
  }
  return id;
}

/* raw_data_block(), table 4.3, up to the first element that has sound. */
gboolean
probe_aac_check (const SampleProbe *self, const guint8 *sample, gsize size)
{
  AacCheck check = {
    .bits = { .data = sample, .size = size },
    .max_bands = aac_long_bands[self->frequency_index & 15],
  };
  guint id = aac_skip_to_sound (&check);
  gboolean good;

  if (id == AAC_END) {
    good = size * 8 - check.bits.pos < 8;
  } else if (id == AAC_CPE) {
    good = aac_channel_pair (&check);
  } else {
    if (id == AAC_CCE)
      aac_skip_coupling (&check);
    else
      plain_bits_skip (&check.bits, 4); /* element_instance_tag */
    good = aac_channel (&check, FALSE);
  }
  /* LC has no prediction: the bit is 0 there. */
  return good && !check.bits.failed && !(check.stop && self->object_type == 2);
}

/* ISO/IEC 11172-3, 2.4.2.3: sync word, layer, bit rate, frequency. */
gboolean
probe_mp3_check (const guint8 *sample, gsize size)
{
  return size >= 4 && sample[0] == 0xff && (sample[1] & 0xe0) == 0xe0 &&
      (sample[1] & 0x18) != 0x08 && (sample[1] & 0x06) != 0 &&
      (sample[2] & 0xf0) != 0xf0 && (sample[2] & 0x0c) != 0x0c;
}

/* ETSI TS 102 366, 4.3.1.1 and E.1.3.1: the sync word. */
gboolean
probe_ac3_check (const guint8 *sample, gsize size)
{
  return size >= 6 && sample[0] == 0x0b && sample[1] == 0x77;
}

/* RFC 6716, 3.1: a frame's duration by config, in units of 2.5 ms. */
static guint
opus_frame_duration (guint8 toc)
{
  static const guint8 silk[4] = { 4, 8, 16, 24 };
  guint config = toc >> 3;

  if (config < 12)
    return silk[config & 3];
  if (config < 16)
    return 4 << (config & 1);
  return 1 << (config & 3);
}

/* RFC 6716, 3.2.5: the padding's length; FALSE if it does not fit. */
static gboolean
opus_skip_padding (const guint8 **p, gsize *left)
{
  gsize padding = 0;
  guint8 byte;

  do {
    if (*left == 0)
      return FALSE;
    byte = *(*p)++;
    (*left)--;
    padding += byte == 255 ? 254 : byte;
  } while (byte == 255);
  if (padding > *left)
    return FALSE;
  *left -= padding;
  return TRUE;
}

/* RFC 6716, 3.2.1: a frame's length of one or two bytes. */
static gboolean
opus_read_length (const guint8 **p, gsize *left, gsize *length)
{
  if (*left == 0)
    return FALSE;
  *length = *(*p)++;
  (*left)--;
  if (*length < 252)
    return TRUE;
  if (*left == 0)
    return FALSE;
  *length += (gsize) 4 * *(*p)++;
  (*left)--;
  return TRUE;
}

/* Code 3 (3.2.5) behind its count byte, for one stream. */
static gboolean
opus_check_frames (guint8 count_byte, const guint8 *p, gsize left)
{
  guint n = count_byte & 0x3f;
  gsize length, sum = 0;
  guint i;

  if ((count_byte & 0x40) && !opus_skip_padding (&p, &left))
    return FALSE;
  if (!(count_byte & 0x80))
    return left % n == 0;
  for (i = 0; i + 1 < n; i++) {
    if (!opus_read_length (&p, &left, &length))
      return FALSE;
    sum += length;
  }
  return sum <= left;
}

gboolean
probe_opus_check (const SampleProbe *self, const guint8 *sample, gsize size)
{
  const guint8 *p = sample + 1;
  gsize left = size - 1, length;
  gboolean one_stream = self->n_streams == 1;
  guint n;

  switch (sample[0] & 3) {
    case 0:
      return TRUE;
    case 1:
      return !one_stream || left % 2 == 0;
    case 2:
      return !one_stream ||
          (opus_read_length (&p, &left, &length) && length <= left);
    default:
      break;
  }
  if (left == 0)
    return FALSE;
  /* At least one frame, at most 120 ms of them. */
  n = p[0] & 0x3f;
  if (n == 0 || n * opus_frame_duration (sample[0]) > 48)
    return FALSE;
  return !one_stream || opus_check_frames (p[0], p + 1, left - 1);
}

/* RFC 9639, 9.1: sync code, and the values that are forbidden or reserved. */
gboolean
probe_flac_check (const guint8 *sample, gsize size)
{
  return size >= 6 && sample[0] == 0xff && (sample[1] & 0xfe) == 0xf8 &&
      (sample[2] & 0xf0) != 0 && (sample[2] & 0x0f) != 0x0f &&
      (sample[3] & 0xf0) < 0xb0 && (sample[3] & 0x0e) != 0x06 &&
      (sample[3] & 1) == 0;
}

/* Elements as in AAC; those with sound go on with 12 bits that are 0. */
gboolean
probe_alac_check (const guint8 *sample, gsize size)
{
  AacCheck check = { .bits = { .data = sample, .size = size } };
  guint id = aac_skip_to_sound (&check);

  if (id == AAC_END)
    return size * 8 - check.bits.pos < 8;
  plain_bits_skip (&check.bits, 4); /* element_instance_tag */
  return id != AAC_CCE && plain_bits_read (&check.bits, 12) == 0 &&
      !check.bits.failed;
}

/* ETSI TS 102 114, 5.3.1 and 7.4.1, and TS 103 491, 6.3: the sync words of a
 * core, of an extension substream, and of the two kinds of frames of profile 2. */
gboolean
probe_dts_check (const guint8 *sample, gsize size)
{
  static const guint32 words[] = { 0x7ffe8001, 0x64582025, 0x40411bf2,
    0x71c442e8 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (words) && size >= 4; i++)
    if (bmff_get_u32 (sample) == words[i])
      return TRUE;
  return FALSE;
}

/* IAMF, 3.2: a temporal unit is OBUs, each with its size, that add up. */
gboolean
probe_iamf_check (const guint8 *sample, gsize size)
{
  while (size > 0) {
    gsize obu;

    sample++, size--;
    if (!probe_read_leb128 (&sample, &size, &obu) || obu > size)
      return FALSE;
    sample += obu;
    size -= obu;
  }
  return TRUE;
}
