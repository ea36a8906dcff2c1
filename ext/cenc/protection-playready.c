/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "protection-playready.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include "cenc/encrypt-track.h"

#define XMLNS "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader"
#define CHECKSUM_SIZE 8

/* Keeps the record, and the object around it, within 16 bits of size. */
#define MAX_HEADER_SIZE (G_MAXUINT16 - 10)

static gboolean
refuse (GError **error, const gchar *message)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
      "protection-systems: playready: %s", message);
  return FALSE;
}

/* A KID's first three fields change their byte order. */
static void
to_guid (const guint8 *kid, guint8 guid[CENC_BLOCK_SIZE])
{
  static const guint8 order[CENC_BLOCK_SIZE] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9,
    10, 11, 12, 13, 14, 15 };
  guint i;

  for (i = 0; i < CENC_BLOCK_SIZE; i++)
    guid[i] = kid[order[i]];
}

static gchar *
format_kid (const GstCencKey *key)
{
  guint8 guid[CENC_BLOCK_SIZE];

  to_guid (gst_cenc_key_get_kid (key), guid);
  return g_base64_encode (guid, sizeof guid);
}

/* The first bytes of the GUID encrypted with the key (AES-ECB): a client sees by
 * it that it has the wrong key. NULL if the cipher fails. */
static gchar *
format_checksum (const GstCencKey *key)
{
  guint8 guid[CENC_BLOCK_SIZE], out[CENC_BLOCK_SIZE], value[GST_CENC_KEY_SIZE];
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
  int size = 0;
  gboolean ok;

  gst_cenc_key_copy_data (key, value);
  to_guid (gst_cenc_key_get_kid (key), guid);
  ok = ctx &&
      EVP_EncryptInit_ex (ctx, EVP_aes_128_ecb (), NULL, value, NULL) == 1 &&
      EVP_CIPHER_CTX_set_padding (ctx, 0) == 1 &&
      EVP_EncryptUpdate (ctx, out, &size, guid, sizeof guid) == 1 &&
      size == sizeof out;
  OPENSSL_cleanse (value, sizeof value);
  EVP_CIPHER_CTX_free (ctx);
  return ok ? g_base64_encode (out, CHECKSUM_SIZE) : NULL;
}

/* As Canonical XML escapes the text of an element, which the header has to be. */
static void
append_escaped (GString *xml, const gchar *text)
{
  for (; *text; text++) {
    switch (*text) {
      case '&':
        g_string_append (xml, "&amp;");
        break;
      case '<':
        g_string_append (xml, "&lt;");
        break;
      case '>':
        g_string_append (xml, "&gt;");
        break;
      default:
        g_string_append_c (xml, *text);
        break;
    }
  }
}

static gboolean
check_url (const gchar *url, GError **error)
{
  const gchar *p;

  if (!g_utf8_validate (url, -1, NULL))
    return refuse (error, "la-url is not UTF-8");
  for (p = url; *p; p++) {
    if (g_ascii_iscntrl (*p))
      return refuse (error, "la-url has a control character");
  }
  return TRUE;
}

static void
append_url (GString *xml, const gchar *url)
{
  if (!url || !*url)
    return;
  g_string_append (xml, "<LA_URL>");
  append_escaped (xml, url);
  g_string_append (xml, "</LA_URL>");
}

static gboolean
append_data_40 (GString *xml, const ProtectionInfo *info)
{
  g_autofree gchar *kid = format_kid (info->keys[0]);
  g_autofree gchar *checksum = format_checksum (info->keys[0]);

  if (!checksum)
    return FALSE;
  g_string_append_printf (xml,
      "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO>"
      "<KID>%s</KID><CHECKSUM>%s</CHECKSUM>",
      kid, checksum);
  append_url (xml, info->la_url);
  return TRUE;
}

static gboolean
append_kid (GString *xml, const GstCencKey *key, CencMode mode)
{
  g_autofree gchar *kid = format_kid (key);
  g_autofree gchar *checksum = NULL;

  if (mode == CENC_MODE_CBC) { /* has no checksum */
    g_string_append_printf (xml, "<KID ALGID=\"AESCBC\" VALUE=\"%s\"></KID>",
        kid);
    return TRUE;
  }
  checksum = format_checksum (key);
  if (checksum)
    g_string_append_printf (xml,
        "<KID ALGID=\"AESCTR\" CHECKSUM=\"%s\" VALUE=\"%s\"></KID>", checksum,
        kid);
  return checksum != NULL;
}

static gboolean
append_data_41 (GString *xml, const ProtectionInfo *info, guint version)
{
  guint i;

  g_string_append (xml,
      version == 41 ? "<PROTECTINFO>" : "<PROTECTINFO><KIDS>");
  for (i = 0; i < info->n_keys; i++) {
    if (!append_kid (xml, info->keys[i], info->mode))
      return FALSE;
  }
  g_string_append (xml,
      version == 41 ? "</PROTECTINFO>" : "</KIDS></PROTECTINFO>");
  append_url (xml, info->la_url);
  return TRUE;
}

/* 0: refused */
static guint
choose_version (const ProtectionInfo *info, GError **error)
{
  guint lowest = info->n_keys > 1 ? 42 : 40, wanted = info->playready_version;

  if (info->scheme == CENC_SCHEME_CBCS)
    lowest = 43;
  else if (info->scheme == CENC_SCHEME_CENS ||
      info->scheme == CENC_SCHEME_CBC1 || info->mode == CENC_MODE_CBC)
    return refuse (error,
        "it knows the schemes cenc, cbcs and, with AES-CTR, "
        "piff");
  if (wanted == 0)
    return lowest;
  if (wanted < 40 || wanted > 43)
    return refuse (error, "header versions are 4.0, 4.1, 4.2 and 4.3");
  if (wanted < lowest)
    return refuse (error,
        lowest == 43 ? "cbcs needs a header of version 4.3"
                     : "several keys need a header of version 4.2 or 4.3");
  return wanted;
}

/* NULL: failed */
static gchar *
make_header (const ProtectionInfo *info, GError **error)
{
  guint version = choose_version (info, error);
  g_autoptr (GString) xml = NULL;

  if (version == 0 || (info->la_url && !check_url (info->la_url, error)))
    return NULL;
  xml = g_string_new (NULL);
  g_string_append_printf (xml,
      "<WRMHEADER xmlns=\"" XMLNS "\" version=\"4.%u.0.0\"><DATA>",
      version - 40);
  if (!(version == 40 ? append_data_40 (xml, info)
                      : append_data_41 (xml, info, version))) {
    g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "the checksum of a PlayReady header cannot be made");
    return NULL;
  }
  g_string_append (xml, "</DATA></WRMHEADER>");
  return g_string_free (g_steal_pointer (&xml), FALSE);
}

static void
append_le (GByteArray *out, guint32 value, guint size)
{
  for (; size > 0; size--, value >>= 8) {
    guint8 byte = value & 0xff;

    g_byte_array_append (out, &byte, 1);
  }
}

GBytes *
protection_playready_object (const ProtectionInfo *info, GError **error)
{
  g_autofree gchar *header = make_header (info, error);
  g_autofree gunichar2 *text = NULL;
  g_autoptr (GByteArray) out = NULL;
  glong i, units = 0;

  if (!header)
    return NULL;
  text = g_utf8_to_utf16 (header, -1, NULL, &units, error);
  if (!text)
    return NULL;
  if (units * 2 > MAX_HEADER_SIZE) {
    refuse (error, "more KIDs or a longer la-url than a header can hold");
    return NULL;
  }
  out = g_byte_array_new ();
  append_le (out, 10 + units * 2, 4); /* of the object */
  append_le (out, 1, 2); /* record */
  append_le (out, 1, 2); /* its type: rights management header */
  append_le (out, units * 2, 2);
  for (i = 0; i < units; i++)
    append_le (out, text[i], 2);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}
