/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing bit by bit, for the frames that are made here. A plain value.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GByteArray *bytes;
  guint free_bits; /* in the last byte */
} RemixBits;

/** The low @n bits of @value, the highest first; up to 32. */
static inline void
remix_bits_put (RemixBits *self, guint value, guint n)
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

G_END_DECLS
