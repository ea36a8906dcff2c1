/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-playready.h"

#include <string.h>

#define SYSTEM_ID "9a04f079-9840-4286-ab92-e65be0885f95"
#define ORIGIN "smooth-streaming"
/* A PlayReady Object has at most 15 KB (PlayReady Header Specification). */
#define MAX_TEXT (64 << 10)
#define HEADER_SIZE 6 /* of the object: its size, how many records */
#define RECORD_HEADER_SIZE 4
#define RIGHTS_MANAGEMENT_HEADER 1
#define KID_SIZE 16

/* A GUID: its first three numbers are little-endian. */
static void
swap_guid (guint8 *kid)
{
  GST_WRITE_UINT32_BE (kid, GST_READ_UINT32_LE (kid));
  GST_WRITE_UINT16_BE (kid + 4, GST_READ_UINT16_LE (kid + 4));
  GST_WRITE_UINT16_BE (kid + 6, GST_READ_UINT16_LE (kid + 6));
}

static gboolean
decode_kid (const gchar *text, gsize length, guint8 *kid)
{
  g_autofree gchar *base64 = g_strndup (text, length);
  g_autofree guint8 *data = NULL;
  gsize size;

  data = g_base64_decode (g_strstrip (base64), &size);
  if (size != KID_SIZE)
    return FALSE;
  memcpy (kid, data, KID_SIZE);
  swap_guid (kid);
  return TRUE;
}

/* `<KID>…</KID>` of version 4.0, `<KID … VALUE="…"` of later ones; @tag: behind its
 * name. */
static gboolean
read_element (const gchar *tag, guint8 *kid)
{
  const gchar *end = strchr (tag, '>'), *value;

  if (!end)
    return FALSE;
  value = g_strstr_len (tag, end - tag, "VALUE=");
  if (value) {
    const gchar quote = value[6];

    value += 7;
    end = quote == '"' || quote == '\'' ? strchr (value, quote) : NULL;
  } else {
    value = end + 1;
    end = strchr (value, '<');
  }
  return end && decode_kid (value, (gsize) (end - value), kid);
}

/* FALSE: none, or several, of which nobody says which is whose. */
static gboolean
read_header (const gchar *xml, guint8 *kid)
{
  gboolean found = FALSE;
  const gchar *walk = xml;

  while ((walk = strstr (walk, "<KID"))) {
    guint8 next[KID_SIZE];

    walk += strlen ("<KID");
    if (*walk != '>' && !g_ascii_isspace (*walk))
      continue; /* KIDS */
    if (!read_element (walk, next) ||
        (found && memcmp (next, kid, KID_SIZE) != 0))
      return FALSE;
    memcpy (kid, next, KID_SIZE);
    found = TRUE;
  }
  return found;
}

static gboolean
read_object (const guint8 *data, gsize size, guint8 *kid)
{
  gsize at = HEADER_SIZE;

  while (at + RECORD_HEADER_SIZE <= size) {
    guint type = GST_READ_UINT16_LE (data + at);
    gsize length = GST_READ_UINT16_LE (data + at + 2);

    at += RECORD_HEADER_SIZE;
    if (length > size - at)
      return FALSE;
    if (type == RIGHTS_MANAGEMENT_HEADER) {
      g_autofree gchar *xml = g_convert ((const gchar *) data + at,
          (gssize) length, "UTF-8", "UTF-16LE", NULL, NULL, NULL);

      return xml && read_header (xml, kid);
    }
    at += length;
  }
  return FALSE;
}

gboolean
decrypt_playready_read_text (const gchar *text, gsize size, guint8 *kid)
{
  g_autofree gchar *base64 = NULL;
  g_autofree guint8 *data = NULL;

  if (size == 0 || size > MAX_TEXT)
    return FALSE;
  base64 = g_strndup (text, size);
  data = g_base64_decode (base64, &size);
  return read_object (data, size, kid);
}

gboolean
decrypt_playready_read_event (GstEvent *event, guint8 *kid)
{
  const gchar *system = NULL, *origin = NULL;
  GstBuffer *buffer = NULL;
  GstMapInfo map;
  gboolean ok;

  gst_event_parse_protection (event, &system, &buffer, &origin);
  if (g_strcmp0 (system, SYSTEM_ID) != 0 || g_strcmp0 (origin, ORIGIN) != 0 ||
      !buffer || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return FALSE;
  ok = decrypt_playready_read_text ((const gchar *) map.data, map.size, kid);
  gst_buffer_unmap (buffer, &map);
  return ok;
}
