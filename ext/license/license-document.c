/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-document.h"
#include "jose-base64.h"
#include "jose-json.h"
#include "jose-jwe.h"
#include "jose-keyset.h"
#include "license-claims.h"

#include <string.h>

LicenseDocument *
license_document_new (void)
{
  LicenseDocument *self = g_new0 (LicenseDocument, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->kids = g_byte_array_new ();
  self->rules.not_before = LICENSE_TIME_NONE;
  self->rules.not_after = LICENSE_TIME_NONE;
  self->rules.playback_duration = LICENSE_TIME_NONE;
  return self;
}

LicenseDocument *
license_document_ref (LicenseDocument *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
license_document_unref (LicenseDocument *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_pointer (&self->output_protection, gst_structure_free);
  g_byte_array_unref (self->kids);
  g_free (self->id);
  g_free (self->issuer);
  g_free (self->anchor);
  g_free (self->device);
  g_free (self->nonce);
  g_free (self->renewal_url);
  g_free (self->release_url);
  g_free (self->keys);
  g_free (self);
}

guint
license_document_n_kids (const LicenseDocument *self)
{
  return self->kids->len / GST_CENC_KID_SIZE;
}

const guint8 *
license_document_kid (const LicenseDocument *self, guint i)
{
  return self->kids->data + (gsize) i * GST_CENC_KID_SIZE;
}

gboolean
license_document_has_kid (const LicenseDocument *self, const guint8 *kid)
{
  guint i, n = license_document_n_kids (self);

  for (i = 0; i < n; i++) {
    if (memcmp (license_document_kid (self, i), kid, GST_CENC_KID_SIZE) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_jws_header (JsonObject *header, GError **error)
{
  static const gchar *const known[] = { "alg", "typ", "cty", "kid", "x5c",
    "x5t#S256", NULL };
  const gchar *type = NULL;

  if (!jose_json_only (header, known, "JWS header", error) ||
      !jose_json_get_string (header, "typ", &type, error))
    return FALSE;
  /* The issuer's key may sign other things too (RFC 8725, 3.11). */
  if (g_strcmp0 (type, LICENSE_TYPE) == 0)
    return TRUE;
  g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "JWS header: typ is not " LICENSE_TYPE);
  return FALSE;
}

/* The one claim that is looked at before the signature has been checked. */
static gboolean
peek_issue_date (JsonObject *claims, gint64 *seconds, GError **error)
{
  *seconds = -1;
  if (!jose_json_get_int (claims, "iat", seconds, error))
    return FALSE;
  if (*seconds > 0 && *seconds <= LICENSE_MAX_TIME / G_USEC_PER_SEC)
    return TRUE;
  g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "license: iat is missing or out of range");
  return FALSE;
}

static LicenseDocument *
open_claims (const JoseJws *jws, LicenseIssuers *issuers, GError **error)
{
  g_autoptr (LicenseDocument) self = NULL;
  g_autoptr (JsonObject) claims = NULL;
  g_autofree gchar *anchor = NULL;
  gconstpointer text;
  gint64 issued;
  gsize size;

  text = g_bytes_get_data (jws->payload, &size);
  claims = jose_json_parse (text, size, "license", error);
  if (!claims || !peek_issue_date (claims, &issued, error))
    return NULL;
  anchor = license_issuers_verify (issuers, jws, issued, error);
  if (!anchor)
    return NULL;
  self = license_document_new ();
  self->anchor = g_steal_pointer (&anchor);
  if (!license_claims_read (claims, self, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gsize
without_line_end (const gchar *text, gsize size)
{
  if (size > 0 && text[size - 1] == '\n')
    size--;
  if (size > 0 && text[size - 1] == '\r')
    size--;
  return size;
}

LicenseDocument *
license_document_open (GBytes *bytes, LicenseIssuers *issuers, GError **error)
{
  LicenseDocument *self;
  g_auto (JoseJws) jws = { NULL };
  gsize size;
  const gchar *text = g_bytes_get_data (bytes, &size);

  if (size > LICENSE_MAX_SIZE) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "license: over %d bytes", LICENSE_MAX_SIZE);
    return NULL;
  }
  if (size == 0) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "license: empty");
    return NULL;
  }
  if (!jose_jws_parse (text, without_line_end (text, size), &jws, error) ||
      !check_jws_header (jws.header, error))
    return NULL;
  self = open_claims (&jws, issuers, error);
  if (self)
    self->bytes = g_bytes_ref (bytes);
  return self;
}

static GstCencKey *
find_key (GPtrArray *keys, const guint8 *kid)
{
  guint i;

  for (i = 0; i < keys->len; i++) {
    GstCencKey *key = g_ptr_array_index (keys, i);

    if (memcmp (gst_cenc_key_get_kid (key), kid, GST_CENC_KID_SIZE) == 0)
      return key;
  }
  return NULL;
}

/* Both lists are without repetition, so that equal size and inclusion do. */
static GPtrArray *
order_keys (const LicenseDocument *self, GPtrArray *keys, GError **error)
{
  g_autoptr (GPtrArray) ordered =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
  guint i, n = license_document_n_kids (self);

  for (i = 0; i < n && n == keys->len; i++) {
    GstCencKey *key = find_key (keys, license_document_kid (self, i));

    if (!key)
      break;
    g_ptr_array_add (ordered, gst_cenc_key_ref (key));
  }
  if (ordered->len == n)
    return g_steal_pointer (&ordered);
  g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "license: the KIDs of its keys are not those of its policy");
  return NULL;
}

GPtrArray *
license_document_unseal (const LicenseDocument *self, EVP_PKEY *device_key,
    GError **error)
{
  g_autofree gchar *thumbprint = jose_key_thumbprint (device_key, error);
  g_autoptr (JoseSecret) secret = NULL;
  g_autoptr (GPtrArray) keys = NULL;

  if (!thumbprint)
    return NULL;
  if (!g_str_equal (thumbprint, self->device)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_OTHER_DEVICE,
        "license %s was issued to device key %s, this device's is %s", self->id,
        self->device, thumbprint);
    return NULL;
  }
  secret = jose_jwe_decrypt (self->keys, device_key, LICENSE_KEYS_TYPE, error);
  keys = secret ? jose_keyset_parse (secret, error) : NULL;
  return keys ? order_keys (self, keys, error) : NULL;
}

static gchar *
write_header (X509 *certificate)
{
  g_autoptr (JsonObject) header = json_object_new ();

  json_object_set_string_member (header, "alg", "ES256");
  json_object_set_string_member (header, "typ", LICENSE_TYPE);
  if (certificate) {
    JsonArray *chain = json_array_new ();
    guint8 *der = NULL;
    gint size = i2d_X509 (certificate, &der);
    g_autofree gchar *text = g_base64_encode (der, (gsize) MAX (size, 0));

    OPENSSL_free (der);
    json_array_add_string_element (chain, text);
    json_object_set_array_member (header, "x5c", chain);
  }
  return jose_json_to_string (header);
}

static gboolean
seal_keys (LicenseDocument *copy, GPtrArray *keys, EVP_PKEY *device,
    GError **error)
{
  g_autoptr (JoseSecret) secret = jose_keyset_write (keys);
  guint i;

  copy->device = jose_key_thumbprint (device, error);
  if (!copy->device)
    return FALSE;
  for (i = 0; i < keys->len; i++)
    g_byte_array_append (copy->kids,
        gst_cenc_key_get_kid (g_ptr_array_index (keys, i)), GST_CENC_KID_SIZE);
  copy->keys = jose_jwe_encrypt (device, LICENSE_KEYS_TYPE, secret->data,
      secret->size, error);
  return copy->keys != NULL;
}

GBytes *
license_document_write (const LicenseDocument *self, GPtrArray *keys,
    EVP_PKEY *device, EVP_PKEY *issuer_key, X509 *certificate, GError **error)
{
  g_autoptr (LicenseDocument) copy = license_document_new ();
  g_autoptr (JsonObject) claims = NULL;
  g_autofree gchar *header = NULL, *payload = NULL;
  gchar *jws;

  if (!license_rules_check (&self->rules, error) ||
      !seal_keys (copy, keys, device, error))
    return NULL;
  claims = license_claims_write (self, copy);
  header = write_header (certificate);
  payload = jose_json_to_string (claims);
  jws = jose_jws_sign (header, payload, issuer_key, error);
  return jws ? g_bytes_new_take (jws, strlen (jws)) : NULL;
}
