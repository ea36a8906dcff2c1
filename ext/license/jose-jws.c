/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "jose-jws.h"
#include "jose-base64.h"
#include "jose-json.h"

#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <gst/cenc/gstcenckeysession.h>

#define HALF (32)

gboolean
jose_compact_split (const gchar *text, gsize size, JosePart *parts,
    guint n_parts)
{
  const gchar *p = text, *end = text + size;
  guint i;

  for (i = 0; i < n_parts; i++) {
    const gchar *dot = memchr (p, '.', (gsize) (end - p));

    if ((dot == NULL) != (i == n_parts - 1))
      return FALSE;
    parts[i].text = p;
    parts[i].length = (gsize) ((dot ? dot : end) - p);
    p = dot ? dot + 1 : end;
  }
  return TRUE;
}

JsonObject *
jose_compact_header (const JosePart *part, const gchar *what, GError **error)
{
  g_autoptr (GBytes) text = jose_base64_decode_bytes (part->text, part->length);
  g_autoptr (JsonObject) header = NULL;
  gconstpointer data;
  gsize size;

  if (!text) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "%s: not base64url", what);
    return NULL;
  }
  data = g_bytes_get_data (text, &size);
  header = jose_json_parse (data, size, what, error);
  if (!header)
    return NULL;
  if (json_object_has_member (header, "crit")) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "%s: crit is not understood", what);
    return NULL;
  }
  return g_steal_pointer (&header);
}

void
jose_jws_clear (JoseJws *jws)
{
  g_clear_pointer (&jws->header, json_object_unref);
  g_clear_pointer (&jws->payload, g_bytes_unref);
}

static gboolean
check_algorithm (JsonObject *header, GError **error)
{
  const gchar *alg = NULL;

  if (!jose_json_get_string (header, "alg", &alg, error)) {
    g_prefix_error (error, "JWS header: ");
    return FALSE;
  }
  if (g_strcmp0 (alg, "ES256") == 0)
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
      "JWS header: alg \"%.20s\" is not ES256", alg ? alg : "");
  return FALSE;
}

gboolean
jose_jws_parse (const gchar *text, gsize size, JoseJws *jws, GError **error)
{
  JosePart parts[3];

  memset (jws, 0, sizeof *jws);
  if (!jose_compact_split (text, size, parts, 3)) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "JWS: not three parts in compact form");
    return FALSE;
  }
  jws->header = jose_compact_header (&parts[0], "JWS header", error);
  if (!jws->header || !check_algorithm (jws->header, error))
    return FALSE;
  jws->payload = jose_base64_decode_bytes (parts[1].text, parts[1].length);
  if (!jws->payload) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "JWS payload: not base64url");
    return FALSE;
  }
  if (!jose_base64_decode (parts[2].text, parts[2].length, jws->signature,
          sizeof jws->signature)) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_SIGNATURE,
        "JWS signature: not 64 bytes of r and s in base64url");
    return FALSE;
  }
  jws->input = text;
  jws->input_size = parts[0].length + 1 + parts[1].length;
  return TRUE;
}

/* OpenSSL wants DER. Returns its size, 0 on failure; @der by OPENSSL_free(). */
static gint
signature_to_der (const guint8 *raw, guint8 **der)
{
  ECDSA_SIG *signature = ECDSA_SIG_new ();
  BIGNUM *r = BN_bin2bn (raw, HALF, NULL);
  BIGNUM *s = BN_bin2bn (raw + HALF, HALF, NULL);
  gint size = 0;

  if (signature && r && s && ECDSA_SIG_set0 (signature, r, s)) {
    size = i2d_ECDSA_SIG (signature, der);
  } else {
    BN_free (r);
    BN_free (s);
  }
  ECDSA_SIG_free (signature);
  return MAX (size, 0);
}

static gboolean
signature_from_der (const guint8 *der, gsize size, guint8 *raw)
{
  ECDSA_SIG *signature = d2i_ECDSA_SIG (NULL, &der, (glong) size);
  gboolean ok = signature &&
      BN_bn2binpad (ECDSA_SIG_get0_r (signature), raw, HALF) == HALF &&
      BN_bn2binpad (ECDSA_SIG_get0_s (signature), raw + HALF, HALF) == HALF;

  ECDSA_SIG_free (signature);
  return ok;
}

gboolean
jose_jws_verify (const JoseJws *jws, EVP_PKEY *key)
{
  g_autoptr (EVP_MD_CTX) context = EVP_MD_CTX_new ();
  guint8 *der = NULL;
  gint size = signature_to_der (jws->signature, &der);
  gboolean ok;

  ok = size > 0 && EVP_PKEY_is_a (key, "EC") &&
      EVP_DigestVerifyInit (context, NULL, EVP_sha256 (), NULL, key) == 1 &&
      EVP_DigestVerify (context, der, (gsize) size, (const guint8 *) jws->input,
          jws->input_size) == 1;
  OPENSSL_free (der);
  ERR_clear_error ();
  return ok;
}

static gboolean
sign_text (const gchar *input, EVP_PKEY *key, guint8 *raw)
{
  g_autoptr (EVP_MD_CTX) context = EVP_MD_CTX_new ();
  guint8 der[128];
  gsize size = sizeof der;

  return EVP_DigestSignInit (context, NULL, EVP_sha256 (), NULL, key) == 1 &&
      EVP_DigestSign (context, der, &size, (const guint8 *) input,
          strlen (input)) == 1 &&
      signature_from_der (der, size, raw);
}

gchar *
jose_jws_sign (const gchar *header, const gchar *payload, EVP_PKEY *key,
    GError **error)
{
  g_autofree gchar *head =
      jose_base64_encode ((const guint8 *) header, strlen (header));
  g_autofree gchar *body =
      jose_base64_encode ((const guint8 *) payload, strlen (payload));
  g_autofree gchar *input = g_strconcat (head, ".", body, NULL);
  g_autofree gchar *tail = NULL;
  guint8 raw[2 * HALF];

  if (!sign_text (input, key, raw)) {
    g_autofree gchar *reason = jose_openssl_error ();

    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        "JWS: cannot sign: %s", reason);
    return NULL;
  }
  tail = jose_base64_encode (raw, sizeof raw);
  return g_strconcat (input, ".", tail, NULL);
}
