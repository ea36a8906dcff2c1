/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AC-4: the table of contents of a frame is clear, all that follows is
 * protected. That is no rule of ISO/IEC 23001-7 but what Dolby asks for (the brand
 * `ca4e`) and what packagers do since 2025. Syntax: ETSI TS 103 190-2, 6.2.1, for
 * bitstream version 2 and substreams that are coded by channels.
 */

#include "gst/subsample/plain-bits.h"
#include "gst/subsample/subsample-private.h"

/* Of what is counted: more is no stream. */
#define MAX_COUNT 64

typedef struct
{
  PlainBits bits;
  guint fs_index;
  guint frame_rate_index;
  guint frame_rate_factor;
  guint n_groups; /* substream groups that presentations refer to */
  guint payload_base; /* bytes */
  guint64 substreams_size; /* bytes */
  gboolean sizes_present;
  const gchar
      *unsupported; /* what is not followed here; the rest is not read */
} Toc;

static guint
read_bits (Toc *self, guint n)
{
  return plain_bits_read (&self->bits, n);
}

/* variable_bits(n), ETSI TS 103 190-1, 4.2.2. */
static guint
read_variable (Toc *self, guint n)
{
  guint value = 0;

  for (;;) {
    value += read_bits (self, n);
    if (!read_bits (self, 1))
      return value;
    if (value > G_MAXUINT16)
      self->bits.failed = TRUE;
    value = (value + 1) << n;
  }
}

/* A field of @n bits whose highest value, @escape, is continued. */
static guint
read_escaped (Toc *self, guint n, guint escape, guint n_more)
{
  guint value = read_bits (self, n);

  if (value == escape)
    value += read_variable (self, n_more);
  return value;
}

/* A count, of which many are refused. */
static guint
read_count (Toc *self, guint value)
{
  if (value <= MAX_COUNT)
    return value;
  self->bits.failed = TRUE;
  return 0;
}

static void
read_emdf_info (Toc *self)
{
  static const guint protection_bits[4] = { 0, 8, 32, 128 };
  guint primary, secondary;

  read_escaped (self, 2, 3, 2); /* emdf_version */
  read_escaped (self, 3, 7, 3); /* key_id */
  if (read_bits (self, 1))
    read_escaped (self, 2, 3, 2); /* substream_index */
  primary = read_bits (self, 2);
  secondary = read_bits (self, 2);
  if (primary == 0)
    self->bits.failed = TRUE; /* reserved */
  plain_bits_skip (&self->bits,
      protection_bits[primary] + protection_bits[secondary]);
}

static void
read_frame_rate (Toc *self)
{
  guint index = self->frame_rate_index;

  self->frame_rate_factor = 1;
  if (index >= 2 && index <= 4) {
    if (read_bits (self, 1))
      self->frame_rate_factor = read_bits (self, 1) ? 4 : 2;
  } else if (index <= 1 || (index >= 7 && index <= 9)) {
    if (read_bits (self, 1))
      self->frame_rate_factor = 2;
  }
  /* frame_rate_fractions_info() */
  if (index >= 5 && index <= 9 && self->frame_rate_factor == 1)
    read_bits (self, 1);
  else if (index >= 10 && index <= 12 && read_bits (self, 1))
    read_bits (self, 1);
}

static void
read_group_references (Toc *self, guint n)
{
  for (; n > 0; n--) {
    guint index = read_escaped (self, 3, 7, 2);

    self->n_groups = MAX (self->n_groups, read_count (self, index + 1));
  }
}

/* What a presentation of more than one substream group is made of. */
static void
read_presentation_groups (Toc *self, guint config)
{
  static const guint n_groups[5] = { 2, 2, 2, 3, 3 };
  guint n;

  read_bits (self, 1); /* b_multi_pid */
  if (config < G_N_ELEMENTS (n_groups)) {
    read_group_references (self, n_groups[config]);
  } else if (config == 5) {
    n = read_escaped (self, 2, 3, 2) + 2;
    read_group_references (self, read_count (self, n));
  } else {
    /* presentation_config_ext_info() */
    n = read_bits (self, 5);
    if (read_bits (self, 1))
      n += read_variable (self, 2) << 5;
    plain_bits_skip (&self->bits, 8 * (gsize) n);
  }
}

static void
read_added_emdf (Toc *self)
{
  guint n = read_bits (self, 2);

  if (n == 0)
    n = read_variable (self, 2) + 4;
  for (n = read_count (self, n); n > 0; n--)
    read_emdf_info (self);
}

/* ac4_presentation_v1_info() */
static void
read_presentation (Toc *self)
{
  gboolean single = read_bits (self, 1);
  guint config = single ? 0 : read_escaped (self, 3, 7, 2);
  gboolean add_emdf = TRUE;

  while (read_bits (self, 1)) /* presentation_version */
    ;
  if (single || config != 6) {
    read_bits (self, 3); /* mdcompat */
    if (read_bits (self, 1))
      read_variable (self, 2); /* presentation_id */
    read_frame_rate (self);
    read_emdf_info (self);
    if (read_bits (self, 1)) /* b_presentation_filter */
      read_bits (self, 1);
    if (single)
      read_group_references (self, 1);
    else
      read_presentation_groups (self, config);
    read_bits (self, 1); /* b_pre_virtualized */
    add_emdf = read_bits (self, 1);
    read_bits (self, 2); /* ac4_presentation_substream_info() */
    read_escaped (self, 2, 3, 2);
  }
  if (add_emdf)
    read_added_emdf (self);
}

/* The number of ones in front, at most @most. */
static guint
read_ones (Toc *self, guint most)
{
  guint n = 0;

  while (n < most && read_bits (self, 1))
    n++;
  return n;
}

/* channel_mode (table 78): mono 0, stereo 1, 3.0 2, … 7.x 5 to 10, 7.x.4 and
 * 9.x.4 11 to 14, 22.2 15. */
static guint
read_channel_mode (Toc *self)
{
  switch (read_ones (self, 6)) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return 2 + read_bits (self, 1);
    case 3:
      return 4;
    case 4:
      return 5 + read_bits (self, 2);
    case 5:
      return 9 + read_bits (self, 1);
    default:
      break;
  }
  if (!read_bits (self, 1))
    return 11 + read_bits (self, 1);
  if (!read_bits (self, 1))
    return 13 + read_bits (self, 1);
  if (!read_bits (self, 1))
    return 15;
  return 16 + read_variable (self, 2);
}

/* ac4_substream_info_chan() */
static void
read_channel_substream (Toc *self, gboolean present)
{
  guint mode = read_channel_mode (self);

  if (mode >= 11 && mode <= 14)
    read_bits (self, 4); /* which of the channels are there */
  if (self->fs_index == 1 && read_bits (self, 1))
    read_bits (self, 1); /* sf_multiplier */
  if (read_bits (self, 1) && (read_bits (self, 3) & 1))
    read_bits (self, 2); /* bitrate_indicator, of 3 or 5 bits */
  if (mode >= 7 && mode <= 10)
    read_bits (self, 1); /* add_ch_base */
  read_bits (self, self->frame_rate_factor); /* b_audio_ndot */
  if (present)
    read_escaped (self, 2, 3, 2); /* substream_index */
}

static void
read_content_type (Toc *self)
{
  read_bits (self, 3);
  if (!read_bits (self, 1)) /* b_language_indicator */
    return;
  if (read_bits (self, 1))
    read_bits (self, 17); /* a chunk of a serialized tag */
  else
    plain_bits_skip (&self->bits, 8 * read_bits (self, 6));
}

/* ac4_substream_group_info() */
static void
read_group (Toc *self)
{
  gboolean present = read_bits (self, 1);
  gboolean extension = read_bits (self, 1);
  guint n = 1;

  if (!read_bits (self, 1)) /* b_single_substream */
    n = read_count (self, read_escaped (self, 2, 3, 2) + 2);
  if (!read_bits (self, 1) && !self->bits.failed) {
    self->unsupported = "substreams of objects";
    return;
  }
  for (; n > 0; n--) {
    read_channel_substream (self, present);
    if (extension && present)
      read_escaped (self, 2, 3, 2);
  }
  if (read_bits (self, 1))
    read_content_type (self);
}

/* substream_index_table() */
static void
read_index (Toc *self)
{
  guint n = read_bits (self, 2);

  if (n == 0)
    n = read_variable (self, 2) + 4;
  n = read_count (self, n);
  self->sizes_present = n > 1 || read_bits (self, 1);
  for (; self->sizes_present && n > 0; n--) {
    gboolean more = read_bits (self, 1);

    self->substreams_size += read_bits (self, 10);
    if (more)
      self->substreams_size += (guint64) read_variable (self, 2) << 10;
  }
}

static void
read_program_id (Toc *self)
{
  if (!read_bits (self, 1))
    return;
  read_bits (self, 16);
  if (read_bits (self, 1))
    plain_bits_skip (&self->bits, 128);
}

static guint
read_n_presentations (Toc *self)
{
  if (read_bits (self, 1)) /* b_single_presentation */
    return 1;
  return read_bits (self, 1) ? read_count (self, read_variable (self, 2) + 2)
                             : 0;
}

/* ac4_toc() */
static void
read_toc (Toc *self)
{
  guint n, i;

  if (read_escaped (self, 2, 3, 2) != 2) {
    self->unsupported = "a bitstream version other than 2";
    return;
  }
  read_bits (self, 10); /* sequence_counter */
  if (read_bits (self, 1) && read_bits (self, 3) > 0) /* wait_frames */
    read_bits (self, 2);
  self->fs_index = read_bits (self, 1);
  self->frame_rate_index = read_bits (self, 4);
  self->frame_rate_factor = 1;
  read_bits (self, 1); /* b_iframe_global */
  n = read_n_presentations (self);
  if (read_bits (self, 1)) {
    self->payload_base = read_bits (self, 5) + 1;
    if (self->payload_base == 32)
      self->payload_base += read_variable (self, 3);
  }
  read_program_id (self);
  for (; n > 0; n--)
    read_presentation (self);
  for (i = 0; i < self->n_groups && self->unsupported == NULL; i++)
    read_group (self);
  if (self->unsupported == NULL)
    read_index (self);
}

static gboolean
ac4_map (gpointer state, const guint8 *sample, gsize size, GArray *ranges,
    GError **error)
{
  Toc toc = { .bits = { .data = sample, .size = size } };
  gsize toc_size;

  read_toc (&toc);
  if (toc.unsupported != NULL && !toc.bits.failed)
    return subsample_fail (error, GST_CENC_ERROR_UNSUPPORTED,
        "AC-4 frame: %s cannot be followed", toc.unsupported);
  toc_size = (toc.bits.pos + 7) / 8;
  /* The sizes of what follows say whether all was read right. */
  if (toc.bits.failed ||
      toc.payload_base + toc.substreams_size > size - toc_size)
    return subsample_fail (error, GST_CENC_ERROR_FORMAT,
        "AC-4 frame: the table of contents does not parse, or tells of more "
        "than the %" G_GSIZE_FORMAT " bytes of the sample",
        size);
  subsample_add_range (ranges, toc_size, size - toc_size);
  return TRUE;
}

static gpointer
ac4_open (const BmffBox *entry, GError **error)
{
  return g_new0 (guint8, 1);
}

const SubsampleCodec subsample_ac4 = {
  .takes_pattern = FALSE,
  .open = ac4_open,
  .close = g_free,
  .map = ac4_map,
};
