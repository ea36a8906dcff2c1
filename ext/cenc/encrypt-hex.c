/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-hex.h"

gint
encrypt_hex_parse (const gchar *text, guint8 *out, gsize size)
{
  gsize n = 0; /* digits */

  for (; text && *text; text++) {
    gint digit = g_ascii_xdigit_value (*text);

    if (*text == '-')
      continue;
    if (digit < 0 || n / 2 == size)
      return -1;
    out[n / 2] = n % 2 ? out[n / 2] | digit : digit << 4;
    n++;
  }
  return n % 2 ? -1 : (gint) (n / 2);
}

gchar *
encrypt_hex_format_uuid (const guint8 *uuid)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < 16; i++)
    g_string_append_printf (text,
        i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
  return g_string_free (text, FALSE);
}
