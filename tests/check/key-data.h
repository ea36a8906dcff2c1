/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/cenc/gstcenckey.h>

#include <string.h>

/* Whether the 16 bytes of @key are those at @data. */
static inline gboolean
key_has_data (const GstCencKey *key, gconstpointer data)
{
  guint8 copy[GST_CENC_KEY_SIZE];

  gst_cenc_key_copy_data (key, copy);
  return memcmp (copy, data, sizeof copy) == 0;
}
