/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-seal.h"
#include "jose-jwe.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <gst/cenc/gstcenckeysession.h>

#define KEY_TYPE "octet-stream"

struct _LicenseSeal
{
  guint8 keys[LICENSE_SEAL_KINDS][LICENSE_SEAL_SIZE];
};

gchar *
license_seal_create (EVP_PKEY *device_key, GError **error)
{
  guint8 key[LICENSE_SEAL_SIZE];
  gchar *jwe;

  if (RAND_bytes (key, sizeof key) != 1) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        "license store: no random bytes");
    return NULL;
  }
  jwe = jose_jwe_encrypt (device_key, KEY_TYPE, key, sizeof key, error);
  OPENSSL_cleanse (key, sizeof key);
  return jwe;
}

static gboolean
expand (const JoseSecret *secret, const gchar *label, guint8 *out)
{
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, OSSL_KDF_NAME_HKDF, NULL);
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new (kdf) : NULL;
  gchar digest[] = "SHA256";
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, digest, 0),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_KEY, secret->data,
        secret->size),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_INFO, (gpointer) label,
        strlen (label)),
    OSSL_PARAM_construct_end ()
  };
  gboolean ok =
      context && EVP_KDF_derive (context, out, LICENSE_SEAL_SIZE, params) == 1;

  EVP_KDF_CTX_free (context);
  EVP_KDF_free (kdf);
  return ok;
}

LicenseSeal *
license_seal_open (const gchar *jwe, EVP_PKEY *device_key, GError **error)
{
  static const gchar *const labels[LICENSE_SEAL_KINDS] = {
    "offline-license store 1: state", "offline-license store 1: floor",
    "offline-license store 1: mark"
  };
  g_autoptr (LicenseSeal) self = g_new0 (LicenseSeal, 1);
  g_autoptr (JoseSecret) secret =
      jose_jwe_decrypt (jwe, device_key, KEY_TYPE, NULL);
  guint i;

  if (!secret || secret->size != LICENSE_SEAL_SIZE) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_OTHER_DEVICE,
        "license store: it belongs to another device's key, or is damaged");
    return NULL;
  }
  for (i = 0; i < LICENSE_SEAL_KINDS; i++) {
    if (!expand (secret, labels[i], self->keys[i])) {
      g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
          "license store: HKDF failed");
      return NULL;
    }
  }
  return g_steal_pointer (&self);
}

void
license_seal_free (LicenseSeal *self)
{
  OPENSSL_cleanse (self, sizeof *self);
  g_free (self);
}

GByteArray *
license_seal_record (void)
{
  return g_byte_array_new ();
}

void
license_seal_add_int (GByteArray *record, gint64 value)
{
  guint8 bytes[8];
  guint i;

  for (i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8) ((guint64) value >> (56 - 8 * i));
  g_byte_array_append (record, bytes, sizeof bytes);
}

void
license_seal_add_text (GByteArray *record, const gchar *text)
{
  gsize length = strlen (text);

  license_seal_add_int (record, (gint64) length);
  g_byte_array_append (record, (const guint8 *) text, (guint) length);
}

GBytes *
license_seal_make (LicenseSeal *self, LicenseSealKind kind, GByteArray *record)
{
  guint8 mac[LICENSE_SEAL_SIZE];
  guint size = sizeof mac;

  HMAC (EVP_sha256 (), self->keys[kind], LICENSE_SEAL_SIZE, record->data,
      record->len, mac, &size);
  return g_bytes_new (mac, sizeof mac);
}

gboolean
license_seal_check (LicenseSeal *self, LicenseSealKind kind, GByteArray *record,
    GBytes *seal)
{
  g_autoptr (GBytes) wanted = license_seal_make (self, kind, record);

  return g_bytes_get_size (seal) == LICENSE_SEAL_SIZE &&
      CRYPTO_memcmp (g_bytes_get_data (seal, NULL),
          g_bytes_get_data (wanted, NULL), LICENSE_SEAL_SIZE) == 0;
}
