/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames without sound, cues without text. An AAC frame is written bit by bit
 * from the syntax of ISO/IEC 14496-3, 4.4.2: with no scale factor bands
 * (max_sfb 0) a channel has no sections, no scale factors and no spectrum.
 */

#include "remix-format.h"

#include "remix-bits.h"
#include "remix-error.h"

/* individual_channel_stream (common_window = 0) of nothing. */
static void
put_channel (RemixBits *self)
{
  remix_bits_put (self, 0, 8); /* global_gain */
  remix_bits_put (self, 0, 1); /* ics_reserved_bit */
  remix_bits_put (self, 0, 2); /* window_sequence: ONLY_LONG_SEQUENCE */
  remix_bits_put (self, 0, 1); /* window_shape */
  remix_bits_put (self, 0, 6); /* max_sfb */
  remix_bits_put (self, 0, 1); /* predictor_data_present */
  remix_bits_put (self, 0, 1); /* pulse_data_present */
  remix_bits_put (self, 0, 1); /* tns_data_present */
  remix_bits_put (self, 0, 1); /* gain_control_data_present */
}

enum
{
  ID_SCE = 0,
  ID_CPE = 1,
  ID_LFE = 3,
  ID_END = 7,
};

/* The elements of each channelConfiguration (ISO/IEC 14496-3, table 1.19),
 * closed by ID_END. */
static const guint8 elements[][6] = {
  { ID_END },
  { ID_SCE, ID_END },
  { ID_CPE, ID_END },
  { ID_SCE, ID_CPE, ID_END },
  { ID_SCE, ID_CPE, ID_SCE, ID_END },
  { ID_SCE, ID_CPE, ID_CPE, ID_END },
  { ID_SCE, ID_CPE, ID_CPE, ID_LFE, ID_END },
  { ID_SCE, ID_CPE, ID_CPE, ID_CPE, ID_LFE, ID_END },
};

static GBytes *
aac_silence (guint channel_config)
{
  RemixBits writer = { g_byte_array_new (), 0 };
  guint tags[4] = { 0 };
  guint i;

  for (i = 0; elements[channel_config][i] != ID_END; i++) {
    guint id = elements[channel_config][i];

    remix_bits_put (&writer, id, 3);
    remix_bits_put (&writer, tags[id]++, 4);
    if (id == ID_CPE) {
      remix_bits_put (&writer, 0, 1); /* common_window */
      put_channel (&writer);
    }
    put_channel (&writer);
  }
  remix_bits_put (&writer, ID_END, 3);
  return g_byte_array_free_to_bytes (writer.bytes);
}

/* With SBR or PS the same frame in the core's channels: without SBR data a decoder
 * only doubles the rate. A header of one's own would replace the source's, which
 * the frames behind the gap go by. */
static gboolean
is_known_aac (const RemixFormat *self)
{
  return self->type == BMFF_FOURCC ('m', 'p', '4', 'a') &&
      (self->object_type == 2 || self->object_type == 5 ||
          self->object_type == 29) &&
      self->channel_config >= 1 &&
      self->channel_config < G_N_ELEMENTS (elements);
}

guint
remix_format_silence_frame (const RemixFormat *self)
{
  guint frame = self->short_frames ? 960 : 1024;

  if (self->has_ac3)
    return 1536;
  return self->object_type == 5 || self->object_type == 29 ? 2 * frame : frame;
}

GBytes *
remix_format_silence (const RemixFormat *self, GError **error)
{
  static const guint8 no_cue[] = { 0, 0, 0, 8, 'v', 't', 't', 'e' };
  static const guint8 no_text[] = { 0, 0 };
  GBytes *bytes = NULL;

  if (self->type == BMFF_FOURCC ('w', 'v', 't', 't'))
    return g_bytes_new_static (no_cue, sizeof (no_cue));
  if (self->type == BMFF_FOURCC ('t', 'x', '3', 'g'))
    return g_bytes_new_static (no_text, sizeof (no_text));
  if (is_known_aac (self))
    return aac_silence (self->channel_config);
  if (self->has_ac3)
    bytes = remix_ac3_silence (&self->ac3);
  if (bytes)
    return bytes;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
      "%s is missing, and no silence is known for it", self->text);
  return NULL;
}
