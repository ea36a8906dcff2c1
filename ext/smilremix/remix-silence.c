/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames without sound, cues without text. An AAC frame is written bit by bit
 * from the syntax of ISO/IEC 14496-3, 4.4.2: with no scale factor bands
 * (max_sfb 0) a channel has no sections, no scale factors and no spectrum.
 */

#include "remix-format.h"

#include "remix-error.h"

typedef struct
{
  GByteArray *bytes;
  guint free_bits; /* in the last byte */
} BitWriter;

static void
put_bits (BitWriter *self, guint value, guint n)
{
  static const guint8 zero = 0;

  for (; n > 0; n--) {
    if (self->free_bits == 0) {
      g_byte_array_append (self->bytes, &zero, 1);
      self->free_bits = 8;
    }
    self->free_bits--;
    if (value >> (n - 1) & 1)
      self->bytes->data[self->bytes->len - 1] |=
          (guint8) (1 << self->free_bits);
  }
}

/* individual_channel_stream (common_window = 0) of nothing. */
static void
put_channel (BitWriter *self)
{
  put_bits (self, 0, 8); /* global_gain */
  put_bits (self, 0, 1); /* ics_reserved_bit */
  put_bits (self, 0, 2); /* window_sequence: ONLY_LONG_SEQUENCE */
  put_bits (self, 0, 1); /* window_shape */
  put_bits (self, 0, 6); /* max_sfb */
  put_bits (self, 0, 1); /* predictor_data_present */
  put_bits (self, 0, 1); /* pulse_data_present */
  put_bits (self, 0, 1); /* tns_data_present */
  put_bits (self, 0, 1); /* gain_control_data_present */
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
  BitWriter writer = { g_byte_array_new (), 0 };
  guint tags[4] = { 0 };
  guint i;

  for (i = 0; elements[channel_config][i] != ID_END; i++) {
    guint id = elements[channel_config][i];

    put_bits (&writer, id, 3);
    put_bits (&writer, tags[id]++, 4);
    if (id == ID_CPE) {
      put_bits (&writer, 0, 1); /* common_window */
      put_channel (&writer);
    }
    put_channel (&writer);
  }
  put_bits (&writer, ID_END, 3);
  return g_byte_array_free_to_bytes (writer.bytes);
}

GBytes *
remix_format_silence (const RemixFormat *self, GError **error)
{
  static const guint8 no_cue[] = { 0, 0, 0, 8, 'v', 't', 't', 'e' };
  static const guint8 no_text[] = { 0, 0 };

  if (self->type == BMFF_FOURCC ('w', 'v', 't', 't'))
    return g_bytes_new_static (no_cue, sizeof (no_cue));
  if (self->type == BMFF_FOURCC ('t', 'x', '3', 'g'))
    return g_bytes_new_static (no_text, sizeof (no_text));
  if (self->type == BMFF_FOURCC ('m', 'p', '4', 'a') &&
      self->object_type == 2 && self->channel_config >= 1 &&
      self->channel_config < G_N_ELEMENTS (elements))
    return aac_silence (self->channel_config);
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
      "%s is missing, and no silence is known for it", self->text);
  return NULL;
}
