/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-matroska.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

/* Element IDs (RFC 9559, 5.1.4.1.31). */
static const guint8 ebml[] = { 0x1a, 0x45, 0xdf, 0xa3 };
static const guint8 content_encodings[] = { 0x6d, 0x80 };
static const guint8 content_encoding[] = { 0x62, 0x40 };
static const guint8 content_encryption[] = { 0x50, 0x35 };

/* What stands between one of them and the next: sizes, and three numbers. */
#define MAX_DISTANCE 48

gboolean
decrypt_matroska_begins (const guint8 *data, gsize size)
{
  return size >= sizeof ebml && memcmp (data, ebml, sizeof ebml) == 0;
}

/* The place behind @id, if it is among the next @within bytes; else NULL. */
static const guint8 *
find (const guint8 *data, const guint8 *end, gsize within, const guint8 id[2])
{
  if ((gsize) (end - data) > within)
    end = data + within;
  for (; end - data >= 2; data++) {
    if (data[0] == id[0] && data[1] == id[1])
      return data + 2;
  }
  return NULL;
}

/* Three IDs one in the other: by chance that is in no file's first bytes. */
gboolean
decrypt_matroska_check (const guint8 *data, gsize size, GError **error)
{
  const guint8 *end = data + size;
  const guint8 *at = data;

  if (!decrypt_matroska_begins (data, size))
    return TRUE;
  while ((at = find (at, end, size, content_encodings))) {
    const guint8 *encoding = find (at, end, MAX_DISTANCE, content_encoding);

    if (!encoding || !find (encoding, end, MAX_DISTANCE, content_encryption))
      continue;
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "a protected Matroska or WebM file: put cencdecrypt behind the demuxer");
    return FALSE;
  }
  return TRUE;
}
