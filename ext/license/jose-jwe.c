/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "jose-jwe.h"
#include "jose-base64.h"
#include "jose-json.h"
#include "jose-jws.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <gst/cenc/gstcenckeysession.h>

#define KEY_SIZE 32
#define IV_SIZE 12
#define TAG_SIZE 16
#define ENC "A256GCM"

JoseSecret *
jose_secret_new (gsize size)
{
  JoseSecret *secret = g_new0 (JoseSecret, 1);

  secret->data = g_malloc0 (size + 1);
  secret->size = size;
  return secret;
}

void
jose_secret_free (JoseSecret *secret)
{
  OPENSSL_cleanse (secret->data, secret->size);
  g_free (secret->data);
  g_free (secret);
}

static void
append_u32 (GByteArray *array, guint32 value)
{
  guint8 bytes[4] = { (guint8) (value >> 24), (guint8) (value >> 16),
    (guint8) (value >> 8), (guint8) value };

  g_byte_array_append (array, bytes, sizeof bytes);
}

static void
append_field (GByteArray *array, gconstpointer data, gsize size)
{
  append_u32 (array, (guint32) size);
  if (size > 0)
    g_byte_array_append (array, data, (guint) size);
}

static void
append_bytes (GByteArray *array, GBytes *bytes)
{
  gsize size = 0;
  gconstpointer data = bytes ? g_bytes_get_data (bytes, &size) : NULL;

  append_field (array, data, size);
}

/* SSKDF with a plain hash is NIST SP 800-56A's Concat KDF. */
static gboolean
run_sskdf (const guint8 *z, gsize z_size, GByteArray *info, guint8 *out,
    gsize size)
{
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, OSSL_KDF_NAME_SSKDF, NULL);
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new (kdf) : NULL;
  gchar digest[] = "SHA256";
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, digest, 0),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_KEY, (gpointer) z,
        z_size),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_INFO, info->data,
        info->len),
    OSSL_PARAM_construct_end ()
  };
  gboolean ok = context && EVP_KDF_derive (context, out, size, params) == 1;

  EVP_KDF_CTX_free (context);
  EVP_KDF_free (kdf);
  return ok;
}

gboolean
jose_concat_kdf (const guint8 *z, gsize z_size, const gchar *alg, GBytes *apu,
    GBytes *apv, guint8 *out, gsize size)
{
  g_autoptr (GByteArray) info = g_byte_array_new ();

  append_field (info, alg, strlen (alg));
  append_bytes (info, apu);
  append_bytes (info, apv);
  append_u32 (info, (guint32) size * 8);
  return run_sskdf (z, z_size, info, out, size);
}

/* Has the agreement made where the key is: left to itself OpenSSL takes the
 * default provider, to which a TPM's key goes without its private part. */
static EVP_PKEY_CTX *
new_context (EVP_PKEY *own)
{
  const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider (own);
  g_autofree gchar *query = provider
      ? g_strconcat ("provider=", OSSL_PROVIDER_get0_name (provider), NULL)
      : NULL;

  return EVP_PKEY_CTX_new_from_pkey (NULL, own, query);
}

static gboolean
agree (EVP_PKEY *own, EVP_PKEY *peer, GBytes *apu, GBytes *apv, guint8 *out)
{
  g_autoptr (EVP_PKEY_CTX) context = new_context (own);
  guint8 z[JOSE_P256_SIZE];
  /* A PKCS#11 token is asked for as many bytes as there is room for. */
  gsize size = sizeof z;
  gboolean ok;

  ok = context && EVP_PKEY_derive_init (context) == 1 &&
      EVP_PKEY_derive_set_peer (context, peer) == 1 &&
      EVP_PKEY_derive (context, z, &size) == 1 && size == JOSE_P256_SIZE &&
      jose_concat_kdf (z, size, ENC, apu, apv, out, KEY_SIZE);
  OPENSSL_cleanse (z, sizeof z);
  return ok;
}

static gboolean
gcm_encrypt (const guint8 *key, const guint8 *iv, const gchar *aad,
    const guint8 *plain, gsize size, guint8 *out, guint8 *tag)
{
  g_autoptr (EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new ();
  gint n;

  return size <= G_MAXINT &&
      EVP_EncryptInit_ex (context, EVP_aes_256_gcm (), NULL, key, iv) == 1 &&
      EVP_EncryptUpdate (context, NULL, &n, (const guint8 *) aad,
          (gint) strlen (aad)) == 1 &&
      EVP_EncryptUpdate (context, out, &n, plain, (gint) size) == 1 &&
      EVP_EncryptFinal_ex (context, out + n, &n) == 1 &&
      EVP_CIPHER_CTX_ctrl (context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) == 1;
}

static gboolean
gcm_decrypt (const guint8 *key, const guint8 *iv, const JosePart *aad,
    GBytes *cipher, guint8 *tag, guint8 *out)
{
  g_autoptr (EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new ();
  gsize size;
  const guint8 *data = g_bytes_get_data (cipher, &size);
  gint n;

  return size <= G_MAXINT && aad->length <= G_MAXINT &&
      EVP_DecryptInit_ex (context, EVP_aes_256_gcm (), NULL, key, iv) == 1 &&
      EVP_DecryptUpdate (context, NULL, &n, (const guint8 *) aad->text,
          (gint) aad->length) == 1 &&
      EVP_DecryptUpdate (context, out, &n, data, (gint) size) == 1 &&
      EVP_CIPHER_CTX_ctrl (context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
      EVP_DecryptFinal_ex (context, out + n, &n) == 1;
}

static gchar *
encryption_header (EVP_PKEY *ephemeral, const gchar *cty, GError **error)
{
  g_autofree gchar *epk = jose_key_to_jwk (ephemeral, error);
  g_autofree gchar *json = NULL;

  if (!epk)
    return NULL;
  json = g_strdup_printf ("{\"alg\":\"ECDH-ES\",\"enc\":\"" ENC "\","
                          "\"cty\":\"%s\",\"epk\":%s}",
      cty, epk);
  return jose_base64_encode ((const guint8 *) json, strlen (json));
}

static gchar *
seal (const gchar *header, const guint8 *key, const guint8 *plain, gsize size)
{
  g_autofree guint8 *out = g_malloc (size + 1);
  g_autofree gchar *iv_text = NULL, *text = NULL, *tag_text = NULL;
  guint8 iv[IV_SIZE], tag[TAG_SIZE];

  if (RAND_bytes (iv, sizeof iv) != 1 ||
      !gcm_encrypt (key, iv, header, plain, size, out, tag))
    return NULL;
  iv_text = jose_base64_encode (iv, sizeof iv);
  text = jose_base64_encode (out, size);
  tag_text = jose_base64_encode (tag, sizeof tag);
  return g_strjoin (".", header, "", iv_text, text, tag_text, NULL);
}

gchar *
jose_jwe_encrypt (EVP_PKEY *recipient, const gchar *cty, const guint8 *plain,
    gsize size, GError **error)
{
  g_autoptr (EVP_PKEY) ephemeral = jose_key_generate ();
  g_autoptr (EVP_PKEY) public = jose_key_copy_public (recipient, error);
  g_autofree gchar *header = NULL;
  gchar *jwe = NULL;
  guint8 key[KEY_SIZE];

  header = public ? encryption_header (ephemeral, cty, error) : NULL;
  if (!header)
    return NULL;
  if (agree (ephemeral, public, NULL, NULL, key))
    jwe = seal (header, key, plain, size);
  OPENSSL_cleanse (key, sizeof key);
  if (!jwe) {
    g_autofree gchar *reason = jose_openssl_error ();

    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        "JWE: cannot encrypt: %s", reason);
  }
  return jwe;
}

static gboolean
expect_string (JsonObject *header, const gchar *name, const gchar *value,
    GError **error)
{
  const gchar *text = NULL;

  if (!jose_json_get_string (header, name, &text, error))
    return FALSE;
  if (g_strcmp0 (text, value) == 0)
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
      "JWE header: %s \"%.30s\" is not %s", name, text ? text : "", value);
  return FALSE;
}

static gboolean
check_header (JsonObject *header, const gchar *cty, GError **error)
{
  static const gchar *const known[] = { "alg", "enc", "epk", "cty", "typ",
    "kid", "apu", "apv", NULL };

  if (json_object_has_member (header, "zip")) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "JWE header: zip is refused");
    return FALSE;
  }
  return expect_string (header, "alg", "ECDH-ES", error) &&
      expect_string (header, "enc", ENC, error) &&
      expect_string (header, "cty", cty, error) &&
      jose_json_only (header, known, "JWE header", error);
}

static EVP_PKEY *
get_epk (JsonObject *header, GError **error)
{
  JsonObject *jwk = NULL;
  EVP_PKEY *key;

  if (!jose_json_get_object (header, "epk", &jwk, error))
    return NULL;
  if (!jwk) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "JWE header: epk is missing");
    return NULL;
  }
  key = jose_key_from_jwk (jwk, error);
  if (!key)
    g_prefix_error (error, "JWE header: epk: ");
  return key;
}

static gboolean
get_party (JsonObject *header, const gchar *name, GBytes **out, GError **error)
{
  const gchar *text = NULL;

  if (!jose_json_get_string (header, name, &text, error))
    return FALSE;
  if (!text)
    return TRUE;
  *out = jose_base64_decode_bytes (text, strlen (text));
  if (*out)
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "JWE header: %s is not base64url", name);
  return FALSE;
}

static gboolean
part_error (const gchar *what, GError **error)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT, "JWE: %s", what);
  return FALSE;
}

/* What is to be opened, apart from the header. */
typedef struct
{
  guint8 iv[IV_SIZE], tag[TAG_SIZE];
  GBytes *cipher;
} Sealed;

static gboolean
parse_sealed (const JosePart *parts, Sealed *sealed, GError **error)
{
  if (parts[1].length != 0)
    return part_error ("an encrypted key where ECDH-ES has none", error);
  if (!jose_base64_decode (parts[2].text, parts[2].length, sealed->iv, IV_SIZE))
    return part_error ("the IV is not 12 bytes", error);
  if (!jose_base64_decode (parts[4].text, parts[4].length, sealed->tag,
          TAG_SIZE))
    return part_error ("the tag is not 16 bytes", error);
  sealed->cipher = jose_base64_decode_bytes (parts[3].text, parts[3].length);
  return sealed->cipher ||
      part_error ("the ciphertext is not base64url", error);
}

static JoseSecret *
open_sealed (JsonObject *header, const JosePart *aad, Sealed *sealed,
    EVP_PKEY *own, GError **error)
{
  g_autoptr (EVP_PKEY) epk = get_epk (header, error);
  g_autoptr (GBytes) apu = NULL, apv = NULL;
  g_autoptr (JoseSecret) secret = NULL;
  guint8 key[KEY_SIZE];
  gboolean ok;

  if (!epk || !get_party (header, "apu", &apu, error) ||
      !get_party (header, "apv", &apv, error))
    return NULL;
  secret = jose_secret_new (g_bytes_get_size (sealed->cipher));
  ok = agree (own, epk, apu, apv, key) &&
      gcm_decrypt (key, sealed->iv, aad, sealed->cipher, sealed->tag,
          secret->data);
  OPENSSL_cleanse (key, sizeof key);
  ERR_clear_error ();
  if (ok)
    return g_steal_pointer (&secret);
  g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_SIGNATURE,
      "JWE: not sealed for this key, or damaged");
  return NULL;
}

JoseSecret *
jose_jwe_decrypt (const gchar *compact, EVP_PKEY *key, const gchar *cty,
    GError **error)
{
  g_autoptr (JsonObject) header = NULL;
  JosePart parts[5];
  Sealed sealed = { { 0 } };
  JoseSecret *secret = NULL;

  if (!jose_compact_split (compact, strlen (compact), parts, 5)) {
    part_error ("not five parts in compact form", error);
    return NULL;
  }
  header = jose_compact_header (&parts[0], "JWE header", error);
  if (header && check_header (header, cty, error) &&
      parse_sealed (parts, &sealed, error))
    secret = open_sealed (header, &parts[0], &sealed, key, error);
  g_clear_pointer (&sealed.cipher, g_bytes_unref);
  return secret;
}
