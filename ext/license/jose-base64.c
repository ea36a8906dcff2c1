/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "jose-base64.h"

#include <string.h>

static const gchar alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

gchar *
jose_base64_encode (const guint8 *data, gsize size)
{
  gchar *text = g_malloc (size / 3 * 4 + 5);
  gchar *out = text;
  gsize i;

  for (i = 0; i < size; i += 3) {
    gsize left = size - i;
    guint32 group = (guint32) data[i] << 16;

    if (left > 1)
      group |= (guint32) data[i + 1] << 8;
    if (left > 2)
      group |= data[i + 2];
    *out++ = alphabet[group >> 18];
    *out++ = alphabet[group >> 12 & 63];
    if (left > 1)
      *out++ = alphabet[group >> 6 & 63];
    if (left > 2)
      *out++ = alphabet[group & 63];
  }
  *out = '\0';
  return text;
}

gsize
jose_base64_decoded_size (gsize length)
{
  return length / 4 * 3 + (length % 4 * 3) / 4;
}

static gint
digit_value (gchar c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == '-')
    return 62;
  return c == '_' ? 63 : -1;
}

static gboolean
decode_digits (const gchar *text, gsize length, guint8 *out)
{
  guint32 bits = 0;
  guint n_bits = 0;
  gsize i;

  for (i = 0; i < length; i++) {
    gint value = digit_value (text[i]);

    if (value < 0)
      return FALSE;
    bits = bits << 6 | (guint32) value;
    n_bits += 6;
    if (n_bits >= 8) {
      n_bits -= 8;
      *out++ = (guint8) (bits >> n_bits);
    }
  }
  return (bits & ((1u << n_bits) - 1)) == 0;
}

gboolean
jose_base64_decode (const gchar *text, gsize length, guint8 *out, gsize size)
{
  if (length % 4 == 1 || jose_base64_decoded_size (length) != size ||
      !decode_digits (text, length, out)) {
    if (size > 0)
      explicit_bzero (out, size);
    return FALSE;
  }
  return TRUE;
}

GBytes *
jose_base64_decode_bytes (const gchar *text, gsize length)
{
  gsize size = jose_base64_decoded_size (length);
  guint8 *data = g_malloc (size + 1);

  if (!jose_base64_decode (text, length, data, size)) {
    g_free (data);
    return NULL;
  }
  return g_bytes_new_take (data, size);
}
