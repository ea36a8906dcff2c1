/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The length in front of a NAL unit (ISO/IEC 14496-15, 4.3.3). */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** @p: @length_size bytes, 1 to 4, big-endian. */
static inline gsize
nal_length_read (const guint8 *p, guint length_size)
{
  gsize length = 0;
  guint i;

  for (i = 0; i < length_size; i++)
    length = length << 8 | p[i];
  return length;
}

G_END_DECLS
