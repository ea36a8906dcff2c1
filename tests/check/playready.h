/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

/* (transfer full): a PlayReady Object in base64 with @xml, in UTF-8, as its header,
 * as a manifest of Smooth Streaming has it. */
static inline gchar *
playready_object_new (const gchar *xml)
{
  glong units;
  gunichar2 *utf16 = g_utf8_to_utf16 (xml, -1, NULL, &units, NULL);
  gsize length = 2 * (gsize) units, size = 10 + length;
  guint8 *data = g_malloc0 (size);
  glong i;
  gchar *text;

  data[0] = (guint8) size;
  data[1] = (guint8) (size >> 8);
  data[4] = 1; /* record, of type 1 */
  data[6] = 1;
  data[8] = (guint8) length;
  data[9] = (guint8) (length >> 8);
  for (i = 0; i < units; i++) {
    data[10 + 2 * i] = (guint8) utf16[i];
    data[11 + 2 * i] = (guint8) (utf16[i] >> 8);
  }
  text = g_base64_encode (data, size);
  g_free (data);
  g_free (utf16);
  return text;
}
