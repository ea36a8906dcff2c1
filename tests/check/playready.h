/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

/* (transfer full): a PlayReady Object in base64 with @xml, in ASCII, as its header,
 * as a manifest of Smooth Streaming has it. */
static inline gchar *
playready_object_new (const gchar *xml)
{
  gsize length = 2 * strlen (xml), size = 10 + length, i;
  guint8 *data = g_malloc0 (size);
  gchar *text;

  data[0] = (guint8) size;
  data[1] = (guint8) (size >> 8);
  data[4] = 1; /* record, of type 1 */
  data[6] = 1;
  data[8] = (guint8) length;
  data[9] = (guint8) (length >> 8);
  for (i = 0; xml[i]; i++)
    data[10 + 2 * i] = (guint8) xml[i];
  text = g_base64_encode (data, size);
  g_free (data);
  return text;
}
