/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "protection-systems.h"

#include <string.h>
#include "cenc/encrypt-hex.h"
#include "cenc/encrypt-track.h"
#include "cenc/protection-playready.h"
#include "gst/cenc/cenc-pssh.h"

#define FOURCC_PSSH BMFF_FOURCC ('p', 's', 's', 'h')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

/* Nothing that a player reads of a system is longer. */
#define MAX_TEXT_SIZE 4096
#define MAX_RAW_SIZE (1u << 20)

static gboolean
refuse (GError **error, const gchar *what, const gchar *why)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS, "%s: %s", what,
      why);
  return FALSE;
}

static GByteArray *
join_kids (const ProtectionInfo *info)
{
  GByteArray *kids = g_byte_array_new ();
  guint i;

  for (i = 0; i < info->n_keys; i++)
    g_byte_array_append (kids, gst_cenc_key_get_kid (info->keys[i]),
        CENC_BLOCK_SIZE);
  return kids;
}

/* KIDs in the box itself, no data */
static BmffBox *
make_kids_box (const guint8 *system_id, const ProtectionInfo *info)
{
  g_autoptr (GByteArray) kids = join_kids (info);
  g_autoptr (CencPssh) pssh =
      cenc_pssh_new (system_id, kids->data, info->n_keys, NULL);

  return cenc_pssh_to_box (pssh);
}

static BmffBox *
make_data_box (const guint8 *system_id, const ProtectionInfo *info,
    GBytes *data)
{
  g_autoptr (CencPssh) pssh = cenc_pssh_new (system_id, NULL, 0, data);
  BmffBox *box = cenc_pssh_to_box (pssh);

  if (info->scheme == CENC_SCHEME_PIFF) {
    box->type = FOURCC_UUID;
    memcpy (box->uuid, CENC_PIFF_PSSH_UUID, sizeof box->uuid);
  }
  return box;
}

/* Widevine: WidevinePsshData, a protobuf message */

static void
append_varint (GByteArray *out, guint32 value)
{
  do {
    guint8 byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);

    g_byte_array_append (out, &byte, 1);
    value >>= 7;
  } while (value > 0);
}

static void
append_field (GByteArray *out, guint number, const void *data, gsize size)
{
  append_varint (out, number << 3 | 2);
  append_varint (out, (guint32) size);
  g_byte_array_append (out, data, (guint) size);
}

/* The scheme as a field of its own names PIFF's cipher, since it knows no PIFF. */
static guint32
widevine_scheme (const ProtectionInfo *info)
{
  if (info->scheme == CENC_SCHEME_PIFF)
    return cenc_scheme_to_fourcc (
        info->mode == CENC_MODE_CBC ? CENC_SCHEME_CBC1 : CENC_SCHEME_CENC);
  return cenc_scheme_to_fourcc (info->scheme);
}

static GBytes *
make_widevine_data (const ProtectionInfo *info)
{
  GByteArray *out = g_byte_array_new ();
  guint i;

  for (i = 0; i < info->n_keys; i++)
    append_field (out, 2, gst_cenc_key_get_kid (info->keys[i]),
        CENC_BLOCK_SIZE);
  if (info->provider && *info->provider)
    append_field (out, 3, info->provider, strlen (info->provider));
  if (info->content_id && *info->content_id)
    append_field (out, 4, info->content_id, strlen (info->content_id));
  append_varint (out, 9 << 3);
  append_varint (out, widevine_scheme (info));
  return g_byte_array_free_to_bytes (out);
}

/* Marlin: a box `marl` with `mkid`: each KID with the content ID it stands for */

static void
append_marlin_entry (BmffWriter *writer, const ProtectionInfo *info,
    const guint8 *kid)
{
  GString *id = g_string_new (NULL);
  guint i;

  if (info->content_id && *info->content_id) {
    g_string_append (id, info->content_id);
  } else {
    g_string_append (id, "urn:marlin:kid:");
    for (i = 0; i < CENC_BLOCK_SIZE; i++)
      g_string_append_printf (id, "%02x", kid[i]);
  }
  bmff_writer_u32 (writer, CENC_BLOCK_SIZE + (guint32) id->len);
  bmff_writer_bytes (writer, kid, CENC_BLOCK_SIZE);
  bmff_writer_bytes (writer, (const guint8 *) id->str, id->len);
  g_string_free (id, TRUE);
}

static GBytes *
make_marlin_data (const ProtectionInfo *info)
{
  BmffWriter *writer = bmff_writer_new (0);
  guint i;

  bmff_writer_begin_box (writer, BMFF_FOURCC ('m', 'a', 'r', 'l'));
  bmff_writer_begin_full_box (writer, BMFF_FOURCC ('m', 'k', 'i', 'd'), 0, 0);
  bmff_writer_u32 (writer, info->n_keys);
  for (i = 0; i < info->n_keys; i++)
    append_marlin_entry (writer, info, gst_cenc_key_get_kid (info->keys[i]));
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
  return bmff_writer_end (writer);
}

static gboolean
check_text (const gchar *name, const gchar *text, GError **error)
{
  if (!text)
    return TRUE;
  if (!g_utf8_validate (text, -1, NULL))
    return refuse (error, name, "not UTF-8");
  return strlen (text) <= MAX_TEXT_SIZE ||
      refuse (error, name, "longer than 4096 bytes");
}

static gboolean
check (ProtectionSystems systems, const ProtectionInfo *info, GError **error)
{
  if ((systems & PROTECTION_SYSTEM_FAIRPLAY) &&
      info->scheme != CENC_SCHEME_CBCS)
    return refuse (error, "protection-systems",
        "fairplay: it knows the scheme cbcs only");
  return check_text ("content-id", info->content_id, error) &&
      check_text ("provider", info->provider, error) &&
      check_text ("la-url", info->la_url, error);
}

gboolean
protection_systems_make (ProtectionSystems systems, const ProtectionInfo *info,
    GPtrArray *boxes, GError **error)
{
  g_autoptr (GBytes) playready = NULL;
  g_autoptr (GBytes) widevine = NULL;
  g_autoptr (GBytes) marlin = NULL;

  if (info->n_keys == 0)
    return TRUE;
  if (!check (systems, info, error))
    return FALSE;
  if (systems & PROTECTION_SYSTEM_PLAYREADY) {
    playready = protection_playready_object (info, error);
    if (!playready)
      return FALSE;
  }
  if (info->scheme == CENC_SCHEME_PIFF) /* has no box with KIDs */
    systems &= ~(PROTECTION_SYSTEM_COMMON | PROTECTION_SYSTEM_CLEARKEY);
  if (systems & PROTECTION_SYSTEM_COMMON)
    g_ptr_array_add (boxes, make_kids_box (CENC_SYSTEM_COMMON, info));
  if (systems & PROTECTION_SYSTEM_CLEARKEY)
    g_ptr_array_add (boxes, make_kids_box (CENC_SYSTEM_CLEARKEY, info));
  if (systems & PROTECTION_SYSTEM_WIDEVINE) {
    widevine = make_widevine_data (info);
    g_ptr_array_add (boxes,
        make_data_box (CENC_SYSTEM_WIDEVINE, info, widevine));
  }
  if (playready)
    g_ptr_array_add (boxes,
        make_data_box (CENC_SYSTEM_PLAYREADY, info, playready));
  if (systems & PROTECTION_SYSTEM_MARLIN) {
    marlin = make_marlin_data (info);
    g_ptr_array_add (boxes, make_data_box (CENC_SYSTEM_MARLIN, info, marlin));
  }
  return TRUE;
}

gchar *
protection_system_skd_uri (const guint8 *kid)
{
  g_autofree gchar *uuid = encrypt_hex_format_uuid (kid);

  return g_strconcat ("skd://", uuid, NULL);
}

/* Raw boxes */

static gchar *
strip_space (const gchar *text)
{
  GString *out = g_string_new (NULL);

  for (; *text; text++) {
    if (!g_ascii_isspace (*text))
      g_string_append_c (out, *text);
  }
  return g_string_free (out, FALSE);
}

static GBytes *
decode_hex (const gchar *text)
{
  gsize i, n = strlen (text);
  guint8 *data;

  if (n % 2)
    return NULL;
  for (i = 0; i < n; i++) {
    if (!g_ascii_isxdigit (text[i]))
      return NULL;
  }
  data = g_malloc (n / 2 + 1);
  for (i = 0; i < n / 2; i++)
    data[i] = g_ascii_xdigit_value (text[2 * i]) << 4 |
        g_ascii_xdigit_value (text[2 * i + 1]);
  return g_bytes_new_take (data, n / 2);
}

/* g_base64_decode() skips what is no base64: such text is refused by what it
 * encodes back to. */
static GBytes *
decode_base64 (const gchar *text)
{
  gsize size = 0;
  guint8 *data = g_base64_decode (text, &size);
  g_autofree gchar *back = g_base64_encode (data, size);

  if (strcmp (back, text) == 0)
    return g_bytes_new_take (data, size);
  g_free (data);
  return NULL;
}

/* A box is below 16 MiB: its first byte is 0, in base64 an A. */
static GBytes *
decode_raw (const gchar *text, GError **error)
{
  g_autofree gchar *bare = NULL;
  GBytes *bytes = NULL;

  if (strlen (text) <= MAX_RAW_SIZE) {
    bare = strip_space (text);
    bytes = *bare == '0' ? decode_hex (bare) : decode_base64 (bare);
  }
  if (!bytes)
    refuse (error, "pssh", "neither hexadecimal nor base64, or too long");
  return bytes;
}

static BmffBox *
parse_raw_box (GBytes *rest, gsize *size, GError **error)
{
  gsize available = g_bytes_get_size (rest);
  g_autoptr (BmffBox) box = NULL;
  g_autoptr (CencPssh) pssh = NULL;
  BmffHeader header;

  if (bmff_header_parse (&header, g_bytes_get_data (rest, NULL), available) !=
          BMFF_HEADER_OK ||
      header.size == 0 || header.size > available) {
    refuse (error, "pssh", "not whole boxes");
    return NULL;
  }
  if (header.type != FOURCC_PSSH &&
      !(header.type == FOURCC_UUID &&
          memcmp (header.uuid, CENC_PIFF_PSSH_UUID, 16) == 0)) {
    refuse (error, "pssh", "a box of another type");
    return NULL;
  }
  *size = header.size;
  box = bmff_box_parse (rest, 0, error);
  if (box)
    pssh = cenc_pssh_parse (box, error);
  return pssh ? g_steal_pointer (&box) : NULL;
}

GPtrArray *
protection_systems_parse_raw (const gchar *text, GError **error)
{
  g_autoptr (GBytes) bytes = decode_raw (text, error);
  g_autoptr (GPtrArray) boxes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
  gsize pos, size = 0, total;

  if (!bytes)
    return NULL;
  total = g_bytes_get_size (bytes);
  for (pos = 0; pos < total; pos += size) {
    g_autoptr (GBytes) rest = g_bytes_new_from_bytes (bytes, pos, total - pos);
    BmffBox *box = parse_raw_box (rest, &size, error);

    if (!box)
      return NULL;
    g_ptr_array_add (boxes, box);
  }
  return g_steal_pointer (&boxes);
}
