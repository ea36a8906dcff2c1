/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-issuers.h"
#include "jose-base64.h"
#include "jose-json.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509_vfy.h>

#include <gst/cenc/gstcenckeyring.h>

#define MAX_CHAIN 4

struct _LicenseIssuers
{
  gatomicrefcount ref_count;
  GPtrArray *anchors; /* X509 */
  X509_STORE *store;
  GHashTable *denied; /* fingerprints as lower-case hex */
};

LicenseIssuers *
license_issuers_new (void)
{
  LicenseIssuers *self = g_new0 (LicenseIssuers, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->anchors = g_ptr_array_new_with_free_func ((GDestroyNotify) X509_free);
  self->store = X509_STORE_new ();
  self->denied = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

LicenseIssuers *
license_issuers_ref (LicenseIssuers *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
license_issuers_unref (LicenseIssuers *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_ptr_array_unref (self->anchors);
  X509_STORE_free (self->store);
  g_hash_table_unref (self->denied);
  g_free (self);
}

gboolean
license_issuers_add_pem (LicenseIssuers *self, const gchar *pem, gssize size,
    GError **error)
{
  gsize length = size < 0 ? strlen (pem) : (gsize) size;
  BIO *bio = BIO_new_mem_buf (pem, (gint) MIN (length, G_MAXINT));
  guint before = self->anchors->len;
  X509 *certificate;

  while ((certificate = PEM_read_bio_X509 (bio, NULL, NULL, NULL))) {
    g_ptr_array_add (self->anchors, certificate);
    X509_STORE_add_cert (self->store, certificate);
  }
  BIO_free (bio);
  ERR_clear_error ();
  if (self->anchors->len > before)
    return TRUE;
  g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "issuers: no PEM certificate found");
  return FALSE;
}

static gchar *
fingerprint_of (X509 *certificate)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size = 0, i;
  GString *text = g_string_new (NULL);

  X509_digest (certificate, EVP_sha256 (), digest, &size);
  for (i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", digest[i]);
  return g_string_free (text, FALSE);
}

static gboolean
deny_line (LicenseIssuers *self, gchar *line, GError **error)
{
  guint8 digest[SHA256_DIGEST_LENGTH];
  g_auto (GStrv) parts = g_strsplit (g_strstrip (line), ":", -1);
  g_autofree gchar *hex = g_strjoinv ("", parts);
  g_autofree gchar *lower = g_ascii_strdown (hex, -1);

  if (*line == '\0' || *line == '#')
    return TRUE;
  if (!gst_cenc_parse_hex (lower, digest, sizeof digest)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "denied issuers: \"%.80s\" is not a SHA-256 fingerprint", line);
    return FALSE;
  }
  g_hash_table_add (self->denied, g_steal_pointer (&lower));
  return TRUE;
}

gboolean
license_issuers_deny (LicenseIssuers *self, const gchar *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint i;

  for (i = 0; lines[i]; i++) {
    if (!deny_line (self, lines[i], error))
      return FALSE;
  }
  return TRUE;
}

LicenseIssuers *
license_issuers_load (const gchar *pem_file, const gchar *denied_file,
    GError **error)
{
  g_autoptr (LicenseIssuers) self = license_issuers_new ();
  g_autofree gchar *pem = NULL, *denied = NULL;
  g_autoptr (GError) failed = NULL;
  gsize size;

  if (!g_file_get_contents (pem_file, &pem, &size, &failed)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED, "issuers: %s",
        failed->message);
    return NULL;
  }
  if (!license_issuers_add_pem (self, pem, (gssize) size, error))
    return NULL;
  if (!denied_file)
    return g_steal_pointer (&self);
  if (!g_file_get_contents (denied_file, &denied, NULL, &failed)) {
    if (g_error_matches (failed, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      return g_steal_pointer (&self);
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        "denied issuers: %s", failed->message);
    return NULL;
  }
  if (!license_issuers_deny (self, denied, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
refuse (const gchar *what, GError **error)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_SIGNATURE, "issuer: %s",
      what);
  return FALSE;
}

/* x5c is base64 with padding, not base64url (RFC 7515, 4.1.6). */
static X509 *
parse_x5c (JsonNode *node)
{
  g_autofree guchar *der = NULL;
  const guchar *p;
  gsize size = 0;

  if (!JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  p = der = g_base64_decode (json_node_get_string (node), &size);
  return d2i_X509 (NULL, &p, (glong) size);
}

static STACK_OF (X509) * parse_chain (JsonArray *array)
{
  STACK_OF (X509) *chain = sk_X509_new_null ();
  guint i, n = json_array_get_length (array);

  for (i = 0; n >= 1 && n <= MAX_CHAIN && i < n; i++) {
    X509 *certificate = parse_x5c (json_array_get_element (array, i));

    if (!certificate)
      break;
    sk_X509_push (chain, certificate);
  }
  if (i == n && n >= 1)
    return chain;
  sk_X509_pop_free (chain, X509_free);
  ERR_clear_error ();
  return NULL;
}

static gchar *
anchor_name (X509 *anchor)
{
  guint8 digest[SHA256_DIGEST_LENGTH];
  guint8 *der = NULL;
  gint size = i2d_X509_PUBKEY (X509_get_X509_PUBKEY (anchor), &der);

  if (size <= 0)
    return NULL;
  SHA256 (der, (gsize) size, digest);
  OPENSSL_free (der);
  return jose_base64_encode (digest, sizeof digest);
}

/* Puts n - s in the place of s, n being the order of the signer's curve. */
static gboolean
mirror_signature (ECDSA_SIG *signature, X509 *signer)
{
  EVP_PKEY *key = X509_get0_pubkey (signer);
  BIGNUM *order = NULL, *s = BN_new (),
         *r = BN_dup (ECDSA_SIG_get0_r (signature));
  gboolean ok = key &&
      EVP_PKEY_get_bn_param (key, OSSL_PKEY_PARAM_EC_ORDER, &order) == 1 &&
      BN_sub (s, order, ECDSA_SIG_get0_s (signature)) == 1 &&
      ECDSA_SIG_set0 (signature, r, s) == 1;

  if (!ok) {
    BN_free (r);
    BN_free (s);
  }
  BN_free (order);
  return ok;
}

/* Of an ECDSA signature (r, s) there is a second one, (r, n - s), that anybody can
 * make of it: with it the same certificate has another fingerprint.
 * Returns: (nullable): that one, if @signer's key is on a curve */
static gchar *
mirrored_fingerprint (X509 *certificate, X509 *signer)
{
  X509 *copy = X509_dup (certificate);
  const ASN1_BIT_STRING *text = NULL;
  ECDSA_SIG *signature;
  gchar *fingerprint = NULL;
  guint8 *der = NULL;
  const guint8 *p;
  gint size = 0;

  X509_get0_signature (&text, NULL, copy);
  p = text->data;
  signature = d2i_ECDSA_SIG (NULL, &p, text->length);
  if (signature && mirror_signature (signature, signer))
    size = i2d_ECDSA_SIG (signature, &der);
  if (size > 0 && ASN1_STRING_set ((ASN1_STRING *) text, der, size) == 1)
    fingerprint = fingerprint_of (copy);
  OPENSSL_free (der);
  ECDSA_SIG_free (signature);
  X509_free (copy);
  return fingerprint;
}

/* @signer: (nullable): of an anchor nobody has changed anything */
static gboolean
is_denied (LicenseIssuers *self, X509 *certificate, X509 *signer,
    GError **error)
{
  g_autofree gchar *fingerprint = fingerprint_of (certificate);
  g_autofree gchar *mirrored =
      signer ? mirrored_fingerprint (certificate, signer) : NULL;

  if (!g_hash_table_contains (self->denied, fingerprint) &&
      !(mirrored && g_hash_table_contains (self->denied, mirrored)))
    return FALSE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_REVOKED,
      "issuer: certificate %s is on the deny-list", fingerprint);
  return TRUE;
}

static gboolean
chain_is_denied (LicenseIssuers *self, STACK_OF (X509) * chain, GError **error)
{
  gint i, n = sk_X509_num (chain);

  for (i = 0; i < n; i++) {
    if (is_denied (self, sk_X509_value (chain, i),
            i + 1 < n ? sk_X509_value (chain, i + 1) : NULL, error))
      return TRUE;
  }
  return FALSE;
}

static gchar *
finish_chain (LicenseIssuers *self, X509_STORE_CTX *context, GError **error)
{
  STACK_OF (X509) * chain;
  g_autofree gchar *text = NULL;

  if (X509_verify_cert (context) != 1) {
    text = g_strdup_printf ("%s, as of the license's issue date",
        X509_verify_cert_error_string (X509_STORE_CTX_get_error (context)));
    refuse (text, error);
    return NULL;
  }
  chain = X509_STORE_CTX_get0_chain (context);
  if (chain_is_denied (self, chain, error))
    return NULL;
  return anchor_name (sk_X509_value (chain, sk_X509_num (chain) - 1));
}

static gchar *
verify_chain (LicenseIssuers *self, X509 *leaf, STACK_OF (X509) * untrusted,
    gint64 when, GError **error)
{
  X509_STORE_CTX *context = X509_STORE_CTX_new ();
  X509_VERIFY_PARAM *param;
  gchar *name = NULL;

  if (X509_STORE_CTX_init (context, self->store, leaf, untrusted) == 1) {
    param = X509_STORE_CTX_get0_param (context);
    X509_VERIFY_PARAM_set_time (param, (time_t) when);
    /* An anchor need not be self-signed. */
    X509_VERIFY_PARAM_set_flags (param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_depth (param, MAX_CHAIN);
    name = finish_chain (self, context, error);
  }
  X509_STORE_CTX_free (context);
  ERR_clear_error ();
  return name;
}

static gboolean
signed_by (const JoseJws *jws, X509 *certificate)
{
  EVP_PKEY *key = X509_get0_pubkey (certificate);
  g_autofree gchar *jwk = key ? jose_key_to_jwk (key, NULL) : NULL;

  return jwk && jose_jws_verify (jws, key);
}

static gchar *
verify_by_chain (LicenseIssuers *self, const JoseJws *jws, JsonArray *array,
    gint64 when, GError **error)
{
  STACK_OF (X509) *chain = parse_chain (array);
  gchar *name = NULL;

  if (!chain)
    refuse ("x5c is not one to four certificates", error);
  else if (!signed_by (jws, sk_X509_value (chain, 0)))
    refuse ("the signature does not match", error);
  else
    name = verify_chain (self, sk_X509_value (chain, 0), chain, when, error);
  sk_X509_pop_free (chain, X509_free);
  return name;
}

/* Two certificates may stand for one key, one of them past its time. */
static gchar *
verify_by_anchor (LicenseIssuers *self, const JoseJws *jws, const gchar *wanted,
    gint64 when, GError **error)
{
  g_autoptr (GError) failed = NULL;
  guint i;

  for (i = 0; i < self->anchors->len; i++) {
    X509 *anchor = g_ptr_array_index (self->anchors, i);
    g_autofree gchar *fingerprint = fingerprint_of (anchor);
    gchar *name;

    if ((wanted && !g_str_equal (wanted, fingerprint)) ||
        !signed_by (jws, anchor))
      continue;
    g_clear_error (&failed);
    name = verify_chain (self, anchor, NULL, when, &failed);
    if (name)
      return name;
  }
  if (failed)
    g_propagate_error (error, g_steal_pointer (&failed));
  else
    refuse (self->anchors->len == 0
            ? "no certificate is configured to check it by"
            : "the signature is by none of the known ones",
        error);
  return NULL;
}

static gchar *
hex_of_thumbprint (const gchar *text)
{
  guint8 digest[SHA256_DIGEST_LENGTH];
  GString *hex;
  guint i;

  if (!jose_base64_decode (text, strlen (text), digest, sizeof digest))
    return NULL;
  hex = g_string_new (NULL);
  for (i = 0; i < sizeof digest; i++)
    g_string_append_printf (hex, "%02x", digest[i]);
  return g_string_free (hex, FALSE);
}

gchar *
license_issuers_verify (LicenseIssuers *self, const JoseJws *jws, gint64 when,
    GError **error)
{
  JsonArray *chain = NULL;
  const gchar *thumbprint = NULL;
  g_autofree gchar *wanted = NULL;

  if (!jose_json_get_array (jws->header, "x5c", &chain, error) ||
      !jose_json_get_string (jws->header, "x5t#S256", &thumbprint, error))
    return NULL;
  if (chain)
    return verify_by_chain (self, jws, chain, when, error);
  wanted = thumbprint ? hex_of_thumbprint (thumbprint) : NULL;
  if (thumbprint && !wanted) {
    refuse ("x5t#S256 is not a SHA-256 thumbprint", error);
    return NULL;
  }
  return verify_by_anchor (self, jws, wanted, when, error);
}
