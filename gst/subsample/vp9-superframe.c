/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/subsample/vp9-superframe.h"

static gsize
read_little_endian (const guint8 *data, guint n_bytes)
{
  gsize value = 0;

  while (n_bytes > 0)
    value = value << 8 | data[--n_bytes];
  return value;
}

guint
vp9_superframe_read (const guint8 *sample, gsize size,
    gsize sizes[VP9_MAX_FRAMES])
{
  guint8 marker = sample[size - 1];
  guint n = (marker & 7) + 1, n_bytes = (marker >> 3 & 3) + 1, i;
  gsize index_size = 2 + n * n_bytes, left;
  const guint8 *entries;

  sizes[0] = size;
  if ((marker & 0xe0) != 0xc0 || size < index_size ||
      sample[size - index_size] != marker)
    return 1;
  left = size - index_size;
  entries = sample + left + 1;
  for (i = 0; i < n; i++) {
    sizes[i] = read_little_endian (entries + i * n_bytes, n_bytes);
    if (sizes[i] > left)
      return 0;
    left -= sizes[i];
  }
  return n;
}
