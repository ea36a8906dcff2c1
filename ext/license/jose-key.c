/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "jose-key.h"
#include "jose-base64.h"
#include "jose-json.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <gst/cenc/gstcenckeysession.h>

/* Not in a TPM or a token, though its provider may stand in openssl.cnf. */
#define HERE "?provider=default"

#define POINT_SIZE (1 + 2 * JOSE_P256_SIZE)

gchar *
jose_openssl_error (void)
{
  gulong code = ERR_peek_last_error ();
  gchar text[256] = "unknown";

  if (code)
    ERR_error_string_n (code, text, sizeof text);
  ERR_clear_error ();
  return g_strdup (text);
}

/* fromdata checks that the point is on the curve; public_check also its order. */
static EVP_PKEY *
key_from_point (guint8 *point, gsize size)
{
  g_autoptr (EVP_PKEY_CTX) context =
      EVP_PKEY_CTX_new_from_name (NULL, "EC", HERE);
  g_autoptr (EVP_PKEY_CTX) check = NULL;
  g_autoptr (EVP_PKEY) key = NULL;
  gchar group[] = "prime256v1";
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
    OSSL_PARAM_construct_octet_string (OSSL_PKEY_PARAM_PUB_KEY, point, size),
    OSSL_PARAM_construct_end ()
  };

  if (!context || EVP_PKEY_fromdata_init (context) != 1 ||
      EVP_PKEY_fromdata (context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return NULL;
  check = EVP_PKEY_CTX_new_from_pkey (NULL, key, HERE);
  if (!check || EVP_PKEY_public_check (check) != 1)
    return NULL;
  return g_steal_pointer (&key);
}

static gboolean
get_coordinate (JsonObject *jwk, const gchar *name, guint8 *out, GError **error)
{
  const gchar *text = NULL;

  if (!jose_json_get_string (jwk, name, &text, error))
    return FALSE;
  if (text && jose_base64_decode (text, strlen (text), out, JOSE_P256_SIZE))
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "JWK: \"%s\" is not 32 bytes of base64url", name);
  return FALSE;
}

static gboolean
is_public_p256 (JsonObject *jwk, GError **error)
{
  const gchar *kty = NULL, *crv = NULL;

  if (!jose_json_get_string (jwk, "kty", &kty, error) ||
      !jose_json_get_string (jwk, "crv", &crv, error))
    return FALSE;
  if (g_strcmp0 (kty, "EC") != 0 || g_strcmp0 (crv, "P-256") != 0) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "JWK: not an EC key on P-256");
    return FALSE;
  }
  if (json_object_has_member (jwk, "d")) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "JWK: a private key where a public one belongs");
    return FALSE;
  }
  return TRUE;
}

EVP_PKEY *
jose_key_from_jwk (JsonObject *jwk, GError **error)
{
  guint8 point[POINT_SIZE] = { POINT_CONVERSION_UNCOMPRESSED };
  EVP_PKEY *key;

  if (!is_public_p256 (jwk, error) ||
      !get_coordinate (jwk, "x", point + 1, error) ||
      !get_coordinate (jwk, "y", point + 1 + JOSE_P256_SIZE, error))
    return NULL;
  key = key_from_point (point, sizeof point);
  ERR_clear_error ();
  if (!key)
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "JWK: the point is not on P-256");
  return key;
}

/* The coordinates, rather than the encoded point: that one may be compressed, and
 * tpm2-openssl does not give it by EVP_PKEY_get1_encoded_public_key(). */
static gboolean
get_coordinate_of (EVP_PKEY *key, const gchar *name, guint8 *out)
{
  BIGNUM *value = NULL;
  gboolean ok = EVP_PKEY_get_bn_param (key, name, &value) == 1 &&
      BN_bn2binpad (value, out, JOSE_P256_SIZE) == JOSE_P256_SIZE;

  BN_free (value);
  return ok;
}

/* The encoded point of the public part, as it leaves its provider. */
static gboolean
export_point (EVP_PKEY *key, guint8 *point)
{
  OSSL_PARAM *params = NULL;
  const OSSL_PARAM *found;
  gconstpointer data = NULL;
  gsize size = 0;
  gboolean ok;

  if (EVP_PKEY_todata (key, EVP_PKEY_PUBLIC_KEY, &params) != 1)
    return FALSE;
  found = OSSL_PARAM_locate_const (params, OSSL_PKEY_PARAM_PUB_KEY);
  ok = found && OSSL_PARAM_get_octet_string_ptr (found, &data, &size) == 1 &&
      size == POINT_SIZE &&
      *(const guint8 *) data == POINT_CONVERSION_UNCOMPRESSED;
  if (ok)
    memcpy (point, data, size);
  OSSL_PARAM_free (params);
  return ok;
}

/* pkcs11-provider gives no coordinates. @point: 4, x, y */
static gboolean
get_point_of (EVP_PKEY *key, guint8 *point)
{
  point[0] = POINT_CONVERSION_UNCOMPRESSED;
  return (get_coordinate_of (key, OSSL_PKEY_PARAM_EC_PUB_X, point + 1) &&
             get_coordinate_of (key, OSSL_PKEY_PARAM_EC_PUB_Y,
                 point + 1 + JOSE_P256_SIZE)) ||
      export_point (key, point);
}

static gboolean
is_p256 (EVP_PKEY *key)
{
  gchar group[64] = "";
  gsize length = 0;

  if (!EVP_PKEY_get_utf8_string_param (key, OSSL_PKEY_PARAM_GROUP_NAME, group,
          sizeof group, &length))
    return FALSE;
  return g_str_equal (group, "prime256v1") || g_str_equal (group, "P-256");
}

static gboolean
get_public (EVP_PKEY *key, guint8 *point, GError **error)
{
  gboolean ok = is_p256 (key) && get_point_of (key, point);

  ERR_clear_error ();
  if (!ok)
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "not an EC key on P-256");
  return ok;
}

gchar *
jose_key_to_jwk (EVP_PKEY *key, GError **error)
{
  guint8 point[POINT_SIZE];
  g_autofree gchar *x = NULL, *y = NULL;

  if (!get_public (key, point, error))
    return NULL;
  x = jose_base64_encode (point + 1, JOSE_P256_SIZE);
  y = jose_base64_encode (point + 1 + JOSE_P256_SIZE, JOSE_P256_SIZE);
  return g_strdup_printf ("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\","
                          "\"y\":\"%s\"}",
      x, y);
}

EVP_PKEY *
jose_key_copy_public (EVP_PKEY *key, GError **error)
{
  guint8 point[POINT_SIZE];
  EVP_PKEY *copy;

  if (!get_public (key, point, error))
    return NULL;
  copy = key_from_point (point, sizeof point);
  if (!copy)
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "the key's point is not on P-256");
  ERR_clear_error ();
  return copy;
}

gchar *
jose_key_thumbprint (EVP_PKEY *key, GError **error)
{
  g_autofree gchar *jwk = jose_key_to_jwk (key, error);
  guint8 digest[SHA256_DIGEST_LENGTH];

  if (!jwk)
    return NULL;
  SHA256 ((const guint8 *) jwk, strlen (jwk), digest);
  return jose_base64_encode (digest, sizeof digest);
}

EVP_PKEY *
jose_key_generate (void)
{
  return EVP_PKEY_Q_keygen (NULL, HERE, "EC", "P-256");
}
