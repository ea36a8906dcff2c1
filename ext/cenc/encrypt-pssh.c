/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-pssh.h"

#include <string.h>
#include "cenc/encrypt-hex.h"
#include "cenc/encrypt-track.h"

#define FOURCC_PSSH BMFF_FOURCC ('p', 's', 's', 'h')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

void
encrypt_pssh_info_clear (EncryptPsshInfo *self)
{
  g_clear_pointer (&self->content_id, g_free);
  g_clear_pointer (&self->provider, g_free);
  g_clear_pointer (&self->la_url, g_free);
}

/* Widevine: a protocol buffer, WidevinePsshData. */

static void
put_varint (GByteArray *out, guint64 value)
{
  guint8 byte;

  do {
    byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    g_byte_array_append (out, &byte, 1);
    value >>= 7;
  } while (value > 0);
}

static void
put_bytes (GByteArray *out, guint field, gconstpointer data, gsize size)
{
  put_varint (out, field << 3 | 2);
  put_varint (out, size);
  g_byte_array_append (out, data, size);
}

static GBytes *
make_widevine (GByteArray *kids, CencScheme scheme, const EncryptPsshInfo *info)
{
  GByteArray *out = g_byte_array_new ();
  guint i;

  for (i = 0; i < kids->len; i += CENC_BLOCK_SIZE)
    put_bytes (out, 2, kids->data + i, CENC_BLOCK_SIZE);
  if (info->provider)
    put_bytes (out, 3, info->provider, strlen (info->provider));
  if (info->content_id)
    put_bytes (out, 4, info->content_id, strlen (info->content_id));
  put_varint (out, 9 << 3);
  put_varint (out, cenc_scheme_to_fourcc (scheme));
  return g_byte_array_free_to_bytes (out);
}

/* PlayReady: a WRM header in a PlayReady object. */

/* A GUID's first three fields are little-endian. */
static gchar *
guid_to_base64 (const guint8 *kid)
{
  const guint8 guid[] = { kid[3], kid[2], kid[1], kid[0], kid[5], kid[4],
    kid[7], kid[6], kid[8], kid[9], kid[10], kid[11], kid[12], kid[13], kid[14],
    kid[15] };

  return g_base64_encode (guid, sizeof (guid));
}

static void
append_la_url (GString *xml, const EncryptPsshInfo *info)
{
  g_autofree gchar *url =
      info->la_url ? g_markup_escape_text (info->la_url, -1) : NULL;

  if (url)
    g_string_append_printf (xml, "<LA_URL>%s</LA_URL>", url);
}

static void
begin_header (GString *xml, const gchar *version)
{
  g_string_append_printf (xml,
      "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/"
      "PlayReadyHeader\" version=\"%s\"><DATA><PROTECTINFO>",
      version);
}

/* 4.0: one KID, AES-CTR; what every client reads. */
static void
write_header_40 (GString *xml, const guint8 *kid, const EncryptPsshInfo *info)
{
  g_autofree gchar *id = guid_to_base64 (kid);

  begin_header (xml, "4.0.0.0");
  g_string_append_printf (xml,
      "<KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>%s</KID>",
      id);
  append_la_url (xml, info);
}

/* 4.2: several KIDs; 4.3: AES-CBC. */
static void
write_header_43 (GString *xml, GByteArray *kids, CencMode mode,
    const EncryptPsshInfo *info)
{
  const gchar *algorithm = mode == CENC_MODE_CBC ? "AESCBC" : "AESCTR";
  guint i;

  begin_header (xml, mode == CENC_MODE_CBC ? "4.3.0.0" : "4.2.0.0");
  g_string_append (xml, "<KIDS>");
  for (i = 0; i < kids->len; i += CENC_BLOCK_SIZE) {
    g_autofree gchar *id = guid_to_base64 (kids->data + i);

    g_string_append_printf (xml, "<KID ALGID=\"%s\" VALUE=\"%s\"></KID>",
        algorithm, id);
  }
  g_string_append (xml, "</KIDS></PROTECTINFO>");
  append_la_url (xml, info);
}

static void
put_u16le (GByteArray *out, guint16 value)
{
  const guint8 bytes[] = { value & 0xff, value >> 8 };

  g_byte_array_append (out, bytes, sizeof (bytes));
}

/* One record of type 1: the header, in UTF-16LE. */
static GBytes *
wrap_header (const GString *xml)
{
  glong n, i;
  g_autofree gunichar2 *utf16 =
      g_utf8_to_utf16 (xml->str, xml->len, NULL, &n, NULL);
  GByteArray *out = g_byte_array_new ();
  guint32 size = 10 + 2 * (guint32) n;

  put_u16le (out, size & 0xffff);
  put_u16le (out, size >> 16);
  put_u16le (out, 1);
  put_u16le (out, 1);
  put_u16le (out, 2 * n);
  for (i = 0; i < n; i++)
    put_u16le (out, utf16[i]);
  return g_byte_array_free_to_bytes (out);
}

static GBytes *
make_playready (GByteArray *kids, CencMode mode, const EncryptPsshInfo *info)
{
  GString *xml = g_string_new (NULL);
  GBytes *out;

  if (kids->len == CENC_BLOCK_SIZE && mode == CENC_MODE_CTR)
    write_header_40 (xml, kids->data, info);
  else
    write_header_43 (xml, kids, mode, info);
  g_string_append (xml, "</DATA></WRMHEADER>");
  out = wrap_header (xml);
  g_string_free (xml, TRUE);
  return out;
}

/* Boxes */

static void
add_box (GPtrArray *out, CencScheme scheme, const guint8 *system,
    GByteArray *kids, GBytes *data)
{
  g_autoptr (GBytes) taken = data;
  g_autoptr (CencPssh) pssh = cenc_pssh_new (system, kids ? kids->data : NULL,
      kids ? kids->len / CENC_BLOCK_SIZE : 0, data);
  BmffBox *box;

  if (scheme == CENC_SCHEME_PIFF && kids)
    return;
  box = cenc_pssh_to_box (pssh);
  if (scheme == CENC_SCHEME_PIFF) {
    box->type = FOURCC_UUID;
    memcpy (box->uuid, CENC_PIFF_PSSH_UUID, sizeof (box->uuid));
  }
  g_ptr_array_add (out, box);
}

GPtrArray *
encrypt_pssh_make (EncryptSystems systems, GByteArray *kids, CencScheme scheme,
    CencMode mode, const EncryptPsshInfo *info)
{
  GPtrArray *out =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);

  if (systems & ENCRYPT_SYSTEM_COMMON)
    add_box (out, scheme, CENC_SYSTEM_COMMON, kids, NULL);
  if (systems & ENCRYPT_SYSTEM_CLEARKEY)
    add_box (out, scheme, CENC_SYSTEM_CLEARKEY, kids, NULL);
  if (systems & ENCRYPT_SYSTEM_WIDEVINE)
    add_box (out, scheme, CENC_SYSTEM_WIDEVINE, NULL,
        make_widevine (kids, scheme, info));
  if (systems & ENCRYPT_SYSTEM_PLAYREADY)
    add_box (out, scheme, CENC_SYSTEM_PLAYREADY, NULL,
        make_playready (kids, mode, info));
  return out;
}

static GBytes *
decode (const gchar *text)
{
  gsize size = strlen (text);
  guint8 *data = g_malloc (size + 1);
  gint n = encrypt_hex_parse (text, data, size);

  if (n > 0)
    return g_bytes_new_take (data, n);
  g_free (data);
  data = g_base64_decode (text, &size);
  return g_bytes_new_take (data, size);
}

GPtrArray *
encrypt_pssh_parse (const gchar *text, GError **error)
{
  g_autoptr (GPtrArray) out =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
  g_autoptr (GBytes) bytes = decode (text);
  gsize size = g_bytes_get_size (bytes), pos = 0;

  do {
    g_autoptr (GBytes) rest = g_bytes_new_from_bytes (bytes, pos, size - pos);
    BmffBox *box = bmff_box_parse (rest, pos, NULL);
    g_autoptr (CencPssh) pssh = box ? cenc_pssh_parse (box, NULL) : NULL;

    if (box)
      g_ptr_array_add (out, box);
    if (!pssh) {
      g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
          "pssh: not pssh boxes in base64 or hexadecimal");
      return NULL;
    }
    pos += box->parsed_size;
  } while (pos < size);
  return g_steal_pointer (&out);
}
