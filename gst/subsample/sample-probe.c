/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/subsample/sample-probe-private.h"

#include <string.h>

#include "gst/isobmff/bmff-reader.h"

static const struct
{
  guint32 codec;
  ProbeKind kind;
} kinds[] = {
  { BMFF_FOURCC ('a', 'v', 'c', '1'), PROBE_KIND_H264 },
  { BMFF_FOURCC ('a', 'v', 'c', '2'), PROBE_KIND_H264 },
  { BMFF_FOURCC ('a', 'v', 'c', '3'), PROBE_KIND_H264 },
  { BMFF_FOURCC ('a', 'v', 'c', '4'), PROBE_KIND_H264 },
  { BMFF_FOURCC ('d', 'v', 'a', '1'), PROBE_KIND_H264 },
  { BMFF_FOURCC ('d', 'v', 'a', 'v'), PROBE_KIND_H264 },
  { BMFF_FOURCC ('h', 'v', 'c', '1'), PROBE_KIND_H265 },
  { BMFF_FOURCC ('h', 'e', 'v', '1'), PROBE_KIND_H265 },
  { BMFF_FOURCC ('d', 'v', 'h', '1'), PROBE_KIND_H265 },
  { BMFF_FOURCC ('d', 'v', 'h', 'e'), PROBE_KIND_H265 },
  { BMFF_FOURCC ('v', 'v', 'c', '1'), PROBE_KIND_H266 },
  { BMFF_FOURCC ('v', 'v', 'i', '1'), PROBE_KIND_H266 },
  { BMFF_FOURCC ('a', 'v', '0', '1'), PROBE_KIND_AV1 },
  { BMFF_FOURCC ('d', 'a', 'v', '1'), PROBE_KIND_AV1 },
  { BMFF_FOURCC ('v', 'p', '0', '8'), PROBE_KIND_VP8 },
  { BMFF_FOURCC ('v', 'p', '0', '9'), PROBE_KIND_VP9 },
  { BMFF_FOURCC ('.', 'm', 'p', '3'), PROBE_KIND_MP3 },
  { BMFF_FOURCC ('a', 'c', '-', '3'), PROBE_KIND_AC3 },
  { BMFF_FOURCC ('e', 'c', '-', '3'), PROBE_KIND_AC3 },
  { BMFF_FOURCC ('O', 'p', 'u', 's'), PROBE_KIND_OPUS },
  { BMFF_FOURCC ('f', 'L', 'a', 'C'), PROBE_KIND_FLAC },
  { BMFF_FOURCC ('a', 'l', 'a', 'c'), PROBE_KIND_ALAC },
  { BMFF_FOURCC ('d', 't', 's', 'c'), PROBE_KIND_DTS },
  { BMFF_FOURCC ('d', 't', 's', 'h'), PROBE_KIND_DTS },
  { BMFF_FOURCC ('d', 't', 's', 'l'), PROBE_KIND_DTS },
  { BMFF_FOURCC ('d', 't', 's', 'e'), PROBE_KIND_DTS },
  { BMFF_FOURCC ('d', 't', 's', 'x'), PROBE_KIND_DTS },
  { BMFF_FOURCC ('i', 'a', 'm', 'f'), PROBE_KIND_IAMF },
};

/* Where each configuration record has lengthSizeMinusOne (ISO/IEC 14496-15,
 * 5.3.3.1.2, 8.3.3.1.2, 11.2.4.2.2). vvcC is a FullBox; a demuxer gives the
 * record without version and flags, and that begins with five ones. */
static guint
read_nal_length_size (ProbeKind kind, const guint8 *config, gsize size)
{
  gsize at = 4;
  guint shift = 0;

  if (config == NULL || size == 0)
    return 0;
  if (kind == PROBE_KIND_H265)
    at = 21;
  if (kind == PROBE_KIND_H266) {
    at = config[0] == 0 ? 4 : 0;
    shift = 1;
  }
  return at < size ? (config[at] >> shift & 3) + 1 : 0;
}

/* Reads a descriptor's tag and length (ISO/IEC 14496-1, 8.3.3); 0 at the end. */
static guint8
read_descriptor (PlainBits *bits, gsize *size)
{
  guint8 tag = plain_bits_read (bits, 8);
  guint i;

  *size = 0;
  for (i = 0; i < 4; i++) {
    guint more = plain_bits_read (bits, 1);

    *size = *size << 7 | plain_bits_read (bits, 7);
    if (!more)
      break;
  }
  return bits->failed ? 0 : tag;
}

/* Skips the fields of an ES_Descriptor in front of its descriptors (7.2.6.5). */
static void
skip_es_fields (PlainBits *bits)
{
  guint flags;

  plain_bits_skip (bits, 16);
  flags = plain_bits_read (bits, 8);
  if (flags & 0x80)
    plain_bits_skip (bits, 16);
  if (flags & 0x40)
    plain_bits_skip (bits, 8 * plain_bits_read (bits, 8));
  if (flags & 0x20)
    plain_bits_skip (bits, 16);
}

/* AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). With explicit SBR or PS the
 * object type that codes the core stands behind the extension's frequency. */
static void
read_audio_specific_config (SampleProbe *self, const guint8 *data, gsize size)
{
  PlainBits bits = { .data = data, .size = size };
  guint type = plain_bits_read (&bits, 5);

  if (type == 31)
    type = 32 + plain_bits_read (&bits, 6);
  self->frequency_index = plain_bits_read (&bits, 4);
  if (self->frequency_index == 15)
    plain_bits_skip (&bits, 24);
  plain_bits_skip (&bits, 4);
  if (type == 5 || type == 29) {
    if (plain_bits_read (&bits, 4) == 15)
      plain_bits_skip (&bits, 24);
    type = plain_bits_read (&bits, 5);
  }
  if (bits.failed)
    return;
  self->object_type = type;
  /* Main, LC, SSR, LTP share raw_data_block(); the others have other syntaxes. */
  if (type >= 1 && type <= 4)
    self->kind = PROBE_KIND_AAC;
}

static gboolean
object_type_is_mp3 (guint8 object_type)
{
  return object_type == 0x69 || object_type == 0x6b;
}

static gboolean
object_type_is_aac (guint8 object_type)
{
  return object_type == 0x40 || (object_type >= 0x66 && object_type <= 0x68);
}

static void
read_esds (SampleProbe *self, const guint8 *config, gsize size)
{
  PlainBits bits = { .data = config, .size = size };
  guint8 object_type;
  gsize length;

  plain_bits_skip (&bits, 32); /* version and flags */
  if (read_descriptor (&bits, &length) != 3)
    return;
  skip_es_fields (&bits);
  if (read_descriptor (&bits, &length) != 4)
    return;
  object_type = plain_bits_read (&bits, 8);
  plain_bits_skip (&bits, 8 * 12);
  if (!bits.failed && object_type_is_mp3 (object_type))
    self->kind = PROBE_KIND_MP3;
  else if (object_type_is_aac (object_type) &&
      read_descriptor (&bits, &length) == 5 && length <= size - bits.pos / 8)
    read_audio_specific_config (self, config + bits.pos / 8, length);
}

static void
read_mp4a_config (SampleProbe *self, const guint8 *config, gsize size)
{
  if (config == NULL || size == 0)
    return;
  /* An esds begins with version 0; an AudioSpecificConfig with an object type,
   * which is not 0, in its first five bits. */
  if (config[0] == 0)
    read_esds (self, config, size);
  else
    read_audio_specific_config (self, config, size);
}

/* dOps (Opus in ISOBMFF, 4.3.2): channel mapping family 0 is one stream. */
static guint8
read_opus_streams (const guint8 *config, gsize size)
{
  if (config == NULL || size < 11)
    return 0;
  if (config[10] == 0)
    return 1;
  return size > 11 ? config[11] : 0;
}

void
sample_probe_init (SampleProbe *self, guint32 codec, const guint8 *config,
    gsize config_size)
{
  guint i;

  memset (self, 0, sizeof *self);
  self->codec = codec;
  self->frequency_index = 15;
  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (kinds[i].codec == codec)
      self->kind = kinds[i].kind;

  if (self->kind >= PROBE_KIND_H264 && self->kind <= PROBE_KIND_H266)
    self->nal_length_size =
        read_nal_length_size (self->kind, config, config_size);
  else if (self->kind == PROBE_KIND_OPUS)
    self->n_streams = read_opus_streams (config, config_size);
  else if (codec == BMFF_FOURCC ('m', 'p', '4', 'a'))
    read_mp4a_config (self, config, config_size);
}

static gboolean
check (const SampleProbe *self, const guint8 *sample, gsize size)
{
  switch ((ProbeKind) self->kind) {
    case PROBE_KIND_H264:
    case PROBE_KIND_H265:
    case PROBE_KIND_H266:
      return probe_nal_check (self, sample, size);
    case PROBE_KIND_AV1:
      return probe_av1_check (sample, size);
    case PROBE_KIND_VP8:
      return probe_vp8_check (sample, size);
    case PROBE_KIND_VP9:
      return probe_vp9_check (sample, size);
    case PROBE_KIND_AAC:
      return probe_aac_check (self, sample, size);
    case PROBE_KIND_MP3:
      return probe_mp3_check (sample, size);
    case PROBE_KIND_AC3:
      return probe_ac3_check (sample, size);
    case PROBE_KIND_OPUS:
      return probe_opus_check (self, sample, size);
    case PROBE_KIND_FLAC:
      return probe_flac_check (sample, size);
    case PROBE_KIND_ALAC:
      return probe_alac_check (sample, size);
    case PROBE_KIND_DTS:
      return probe_dts_check (sample, size);
    case PROBE_KIND_IAMF:
      return probe_iamf_check (sample, size);
    case PROBE_KIND_UNKNOWN:
      break;
  }
  g_return_val_if_reached (FALSE);
}

SampleProbeResult
sample_probe_check (const SampleProbe *self, const guint8 *sample, gsize size)
{
  if (self->kind == PROBE_KIND_UNKNOWN || size == 0)
    return SAMPLE_PROBE_UNKNOWN;
  return check (self, sample, size) ? SAMPLE_PROBE_GOOD : SAMPLE_PROBE_BAD;
}

gint
sample_probe_get_family (const SampleProbe *self, const guint8 *sample,
    gsize size)
{
  return self->kind == PROBE_KIND_OPUS && size > 0 ? sample[0] >> 2 : -1;
}

SampleProbeResult
sample_probe_check_payload (const SampleProbe *self, const guint8 *sample,
    gsize size)
{
  if (self->kind < PROBE_KIND_H264 || self->kind > PROBE_KIND_H266 ||
      self->nal_length_size == 0 || size == 0)
    return SAMPLE_PROBE_UNKNOWN;
  return probe_nal_check_payload (self, sample, size) ? SAMPLE_PROBE_GOOD
                                                      : SAMPLE_PROBE_BAD;
}
