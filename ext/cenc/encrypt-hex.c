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
