/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A license document of any bytes, and each of its layers by itself, since no
 * fuzzer guesses a signature: the first byte says which ('0' document, '1' claims,
 * '2' JWE, '3' key set, '4' token, '5' JSON). All give a result or an error.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "license/jose-json.h"
#include "license/jose-keyset.h"
#include "license/jose-scan.h"
#include "license/license-claims.h"
#include "license/license-token.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static gboolean
try_document (const gchar *text, gsize size, GError **error)
{
  static LicenseIssuers *issuers;
  g_autoptr (GBytes) bytes = g_bytes_new (text, size);
  g_autoptr (LicenseDocument) document = NULL;

  if (!issuers)
    issuers = license_issuers_new ();
  document = license_document_open (bytes, issuers, error);
  return document != NULL;
}

static gboolean
try_claims (const gchar *text, gsize size, GError **error)
{
  g_autoptr (JsonObject) claims = jose_json_parse (text, size, "claims", error);
  g_autoptr (LicenseDocument) document = license_document_new ();
  g_autoptr (JsonObject) again = NULL;

  if (!claims || !license_claims_read (claims, document, error))
    return FALSE;
  g_assert (license_rules_check (&document->rules, NULL));
  again = license_claims_write (document, document);
  return TRUE;
}

static gboolean
try_jwe (const gchar *text, gsize size, GError **error)
{
  static EVP_PKEY *key;
  g_autofree gchar *copy = g_strndup (text, size);
  g_autoptr (JoseSecret) secret = NULL;

  if (!key)
    key = jose_key_generate ();
  secret = jose_jwe_decrypt (copy, key, LICENSE_KEYS_TYPE, error);
  return secret != NULL;
}

static gboolean
try_keys (const gchar *text, gsize size, GError **error)
{
  g_autoptr (JoseSecret) secret = jose_secret_new (size);
  g_autoptr (GPtrArray) keys = NULL;

  if (size > 0)
    memcpy (secret->data, text, size);
  keys = jose_keyset_parse (secret, error);
  return keys != NULL;
}

static gboolean
try_token (const gchar *text, gsize size, GError **error)
{
  g_autoptr (LicenseToken) token = license_token_parse (text, size, error);

  return token != NULL;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static gboolean (*const targets[]) (const gchar *, gsize,
      GError **) = { try_document, try_claims, try_jwe, try_keys, try_token,
    jose_scan_check };
  g_autoptr (GError) error = NULL;
  guint which = size > 0 ? (guint) (data[0] - '0') : G_MAXUINT;
  gboolean ok;

  if (which >= G_N_ELEMENTS (targets))
    return 0;
  ok = targets[which]((const gchar *) data + 1, size - 1, &error);
  g_assert (ok == (error == NULL));
  return 0;
}
