/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A cursor over bits; not for other rooms. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bits, most significant first. A read past the end gives 0 and sets failed. */
typedef struct
{
  const guint8 *data;
  gsize size; /* bytes */
  gsize pos; /* bits */
  gboolean failed;
} PlainBits;

static inline guint32
plain_bits_read (PlainBits *self, guint n)
{
  guint32 value = 0;

  if (self->failed || n > self->size * 8 - self->pos) {
    self->failed = TRUE;
    return 0;
  }
  for (; n > 0; n--, self->pos++)
    value = value << 1 | (self->data[self->pos / 8] >> (7 - self->pos % 8) & 1);
  return value;
}

static inline void
plain_bits_skip (PlainBits *self, gsize n)
{
  if (self->failed || n > self->size * 8 - self->pos)
    self->failed = TRUE;
  else
    self->pos += n;
}

G_END_DECLS
