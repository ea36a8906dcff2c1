/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PlayReady header of a manifest, as cencdecrypt takes it: either an object in
 * base64, or the text of a header, of which an object is made. It names one KID, or
 * there is an error.
 */

#include <stdint.h>
#include <string.h>

#include "cenc/decrypt-playready.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MAX_HEADER 0xffff

static void
try_text (const gchar *text, gsize size)
{
  guint8 kid[16];
  g_autoptr (GError) error = NULL;
  gboolean ok = decrypt_playready_read_text (text, size, kid, &error);

  g_assert (ok == (error == NULL));
}

/* Each byte is made a unit of UTF-16, that no mutation goes by half a character. */
static gchar *
make_object (const guint8 *data, gsize size)
{
  gsize i, length = MIN (2 * size, MAX_HEADER - 1);
  g_autofree guint8 *object = g_malloc0 (10 + length);

  GST_WRITE_UINT32_LE (object, (guint32) (10 + length));
  object[4] = object[6] = 1;
  GST_WRITE_UINT16_LE (object + 8, (guint16) length);
  for (i = 0; 2 * i < length; i++)
    object[10 + 2 * i] = data[i];
  return g_base64_encode (object, 10 + length);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size > 0 && data[0] == '<') {
    g_autofree gchar *text = make_object (data, size);

    try_text (text, strlen (text));
  } else {
    try_text ((const gchar *) data, size);
  }
  return 0;
}
