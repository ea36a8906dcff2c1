/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes bits, as headers of NAL units and frames have them. */

#pragma once

#include <glib.h>

typedef struct
{
  GByteArray *bytes;
  guint n_bits;
} Bits;

static inline Bits *
bits_new (void)
{
  Bits *self = g_new0 (Bits, 1);

  self->bytes = g_byte_array_new ();
  return self;
}

static inline void
bits_free (Bits *self)
{
  g_byte_array_unref (self->bytes);
  g_free (self);
}

static inline void
bits_u (Bits *self, guint n, guint32 value)
{
  static const guint8 zero = 0;

  for (; n > 0; n--, self->n_bits++) {
    if (self->n_bits % 8 == 0)
      g_byte_array_append (self->bytes, &zero, 1);
    if (value >> (n - 1) & 1)
      self->bytes->data[self->n_bits / 8] |= 0x80 >> self->n_bits % 8;
  }
}

/* ue(v) and se(v) of H.264, 9.1. */
static inline void
bits_ue (Bits *self, guint32 value)
{
  guint n = g_bit_storage (value + 1);

  bits_u (self, n - 1, 0);
  bits_u (self, n, value + 1);
}

static inline void
bits_se (Bits *self, gint32 value)
{
  bits_ue (self, value > 0 ? 2 * value - 1 : -2 * value);
}

static inline void
bits_align_ones (Bits *self)
{
  while (self->n_bits % 8 != 0)
    bits_u (self, 1, 1);
}

/* rbsp_trailing_bits() */
static inline void
bits_trail (Bits *self)
{
  bits_u (self, 1, 1);
  while (self->n_bits % 8 != 0)
    bits_u (self, 1, 0);
}

static inline guint
bits_n_bits (const Bits *self)
{
  return self->n_bits;
}

static inline guint
bits_n_bytes (const Bits *self)
{
  return self->bytes->len;
}

static inline void
bits_append (const Bits *self, GByteArray *out)
{
  g_byte_array_append (out, self->bytes->data, self->bytes->len);
}

/* A NAL unit: header, and the bits with emulation prevention bytes. */
static inline GByteArray *
bits_to_nal (const Bits *self, const guint8 *header, guint header_size)
{
  static const guint8 three = 3;
  GByteArray *nal = g_byte_array_new ();
  guint i, zeros = 0;

  g_byte_array_append (nal, header, header_size);
  for (i = 0; i < self->bytes->len; i++) {
    guint8 byte = self->bytes->data[i];

    if (zeros >= 2 && byte <= 3) {
      g_byte_array_append (nal, &three, 1);
      zeros = 0;
    }
    g_byte_array_append (nal, &byte, 1);
    zeros = byte == 0 ? zeros + 1 : 0;
  }
  return nal;
}

/* A length field of 1 to 4 bytes. */
static inline void
bits_append_length (GByteArray *out, guint length_size, guint length)
{
  while (length_size-- > 0) {
    guint8 byte = (guint8) (length >> (8 * length_size));

    g_byte_array_append (out, &byte, 1);
  }
}
