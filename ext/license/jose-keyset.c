/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "jose-keyset.h"
#include "jose-base64.h"
#include "jose-scan.h"

#include <string.h>

#include <openssl/crypto.h>

#include <gst/cenc/gstcenckey.h>
#include <gst/cenc/gstcenckeysession.h>

/* More keys than a document of 64 KiB has room for. */
#define MAX_KEYS 1024

typedef struct
{
  guint8 kid[GST_CENC_KID_SIZE], key[GST_CENC_KEY_SIZE];
  gboolean have_kid, have_key, have_type;
} Entry;

static gboolean
string_is (const JoseScanString *string, const gchar *text)
{
  return string->length == strlen (text) &&
      memcmp (string->text, text, string->length) == 0;
}

static gboolean
take_value (JoseScan *scan, const JoseScanString *name, Entry *entry,
    GError **error)
{
  JoseScanString value;

  if (jose_scan_peek (scan) != '"')
    return jose_scan_value (scan, error);
  if (!jose_scan_string (scan, &value, error))
    return FALSE;
  if (string_is (name, "kty"))
    entry->have_type = string_is (&value, "oct");
  else if (string_is (name, "kid"))
    entry->have_kid = jose_base64_decode (value.text, value.length, entry->kid,
        sizeof entry->kid);
  else if (string_is (name, "k"))
    entry->have_key = jose_base64_decode (value.text, value.length, entry->key,
        sizeof entry->key);
  return TRUE;
}

/* The whole text has passed jose_scan_check(): only shapes are judged here. */
static gboolean
take_entry (JoseScan *scan, Entry *entry, GError **error)
{
  JoseScanString name;

  if (!jose_scan_take (scan, '{'))
    return FALSE;
  if (jose_scan_take (scan, '}'))
    return FALSE;
  do {
    if (!jose_scan_string (scan, &name, error) || !jose_scan_take (scan, ':') ||
        !take_value (scan, &name, entry, error))
      return FALSE;
  } while (jose_scan_take (scan, ','));
  return jose_scan_take (scan, '}') && entry->have_type && entry->have_kid &&
      entry->have_key;
}

static gboolean
has_kid (GPtrArray *keys, const guint8 *kid)
{
  guint i;

  for (i = 0; i < keys->len; i++) {
    if (memcmp (gst_cenc_key_get_kid (g_ptr_array_index (keys, i)), kid,
            GST_CENC_KID_SIZE) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
add_entry (JoseScan *scan, GPtrArray *keys, GError **error)
{
  Entry entry = { { 0 } };
  gboolean ok = keys->len < MAX_KEYS && take_entry (scan, &entry, error) &&
      !has_kid (keys, entry.kid);

  if (ok)
    g_ptr_array_add (keys, gst_cenc_key_new (entry.kid, entry.key));
  OPENSSL_cleanse (&entry, sizeof entry);
  if (ok || (error && *error))
    return ok;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "JWK Set: key %u is not an oct key of 16 bytes with a KID of its own",
      keys->len + 1);
  return FALSE;
}

static gboolean
take_keys (JoseScan *scan, GPtrArray *keys, GError **error)
{
  if (!jose_scan_take (scan, '['))
    return FALSE;
  if (jose_scan_take (scan, ']'))
    return TRUE;
  do {
    if (!add_entry (scan, keys, error))
      return FALSE;
  } while (jose_scan_take (scan, ','));
  return jose_scan_take (scan, ']');
}

static gboolean
take_set (JoseScan *scan, GPtrArray *keys, GError **error)
{
  JoseScanString name;

  if (!jose_scan_take (scan, '{') || jose_scan_take (scan, '}'))
    return FALSE;
  do {
    gboolean ok;

    if (!jose_scan_string (scan, &name, error) || !jose_scan_take (scan, ':'))
      return FALSE;
    ok = string_is (&name, "keys") ? take_keys (scan, keys, error)
                                   : jose_scan_value (scan, error);
    if (!ok)
      return FALSE;
  } while (jose_scan_take (scan, ','));
  return jose_scan_take (scan, '}');
}

GPtrArray *
jose_keyset_parse (const JoseSecret *secret, GError **error)
{
  g_autoptr (GPtrArray) keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
  g_autoptr (GError) failed = NULL;
  const gchar *text = (const gchar *) secret->data;
  JoseScan scan;
  gboolean ok;

  jose_scan_init (&scan, text, secret->size);
  ok = jose_scan_check (text, secret->size, &failed) &&
      !memchr (text, '\\', secret->size) && take_set (&scan, keys, &failed) &&
      keys->len > 0;
  if (ok)
    return g_steal_pointer (&keys);
  if (failed)
    g_propagate_prefixed_error (error, g_steal_pointer (&failed), "keys: ");
  else
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "keys: not a JWK Set with a key in it");
  return NULL;
}

#define ENTRY_SIZE 96

static gchar *
write_entry (gchar *out, GstCencKey *key)
{
  g_autofree gchar *kid =
      jose_base64_encode (gst_cenc_key_get_kid (key), GST_CENC_KID_SIZE);
  guint8 data[GST_CENC_KEY_SIZE];
  gchar *k;

  gst_cenc_key_copy_data (key, data);
  k = jose_base64_encode (data, sizeof data);
  OPENSSL_cleanse (data, sizeof data);
  out += g_snprintf (out, ENTRY_SIZE,
      "{\"kty\":\"oct\",\"kid\":\"%s\",\"k\":\"%s\"}", kid, k);
  OPENSSL_cleanse (k, strlen (k));
  g_free (k);
  return out;
}

JoseSecret *
jose_keyset_write (GPtrArray *keys)
{
  JoseSecret *secret = jose_secret_new (ENTRY_SIZE * (keys->len + 1));
  gchar *out = (gchar *) secret->data;
  guint i;

  out = g_stpcpy (out, "{\"keys\":[");
  for (i = 0; i < keys->len; i++) {
    if (i > 0)
      *out++ = ',';
    out = write_entry (out, g_ptr_array_index (keys, i));
  }
  out = g_stpcpy (out, "]}");
  secret->size = (gsize) (out - (gchar *) secret->data);
  return secret;
}
