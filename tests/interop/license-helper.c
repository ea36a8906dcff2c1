/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our side of license-*.sh and license-npm-jose.mjs: documents opened, written and stored on the command line. */

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "../check/license/testlicense.h"
#include "license/jose-base64.h"
#include "license/jose-json.h"
#include "license/jose-keyset.h"
#include "license/license-device.h"
#include "license/license-store.h"

static GError *error = NULL;

static void
check (gboolean ok)
{
  if (ok)
    return;
  g_printerr ("%s\n", error ? error->message : "failed");
  exit (1);
}

static gchar *
slurp (const gchar *path, gsize *size)
{
  gchar *text;

  check (g_file_get_contents (path, &text, size, &error));
  return text;
}

/* A private JWK as PEM: what jose makes as what OpenSSL takes. */
static void
write_pem (const gchar *from, const gchar *to)
{
  gsize size;
  g_autofree gchar *text = slurp (from, &size);
  g_autoptr (JsonObject) jwk = jose_json_parse (text, size, "key", &error);
  guint8 point[65] = { 4 }, d[32];
  const gchar *x = json_object_get_string_member (jwk, "x");
  const gchar *y = json_object_get_string_member (jwk, "y");
  const gchar *s = json_object_get_string_member (jwk, "d");
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new ();
  OSSL_PARAM *params;
  BIGNUM *secret;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name (NULL, "EC", NULL);
  EVP_PKEY *key = NULL;
  FILE *file = fopen (to, "w");

  check (jose_base64_decode (x, strlen (x), point + 1, 32) &&
      jose_base64_decode (y, strlen (y), point + 33, 32) &&
      jose_base64_decode (s, strlen (s), d, 32));
  OSSL_PARAM_BLD_push_utf8_string (build, OSSL_PKEY_PARAM_GROUP_NAME,
      "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string (build, OSSL_PKEY_PARAM_PUB_KEY, point, 65);
  secret = BN_bin2bn (d, 32, NULL);
  OSSL_PARAM_BLD_push_BN (build, OSSL_PKEY_PARAM_PRIV_KEY, secret);
  params = OSSL_PARAM_BLD_to_param (build);
  check (EVP_PKEY_fromdata_init (context) == 1 &&
      EVP_PKEY_fromdata (context, &key, EVP_PKEY_KEYPAIR, params) == 1);
  check (PEM_write_PrivateKey (file, key, NULL, NULL, 0, NULL, NULL) == 1);
  fclose (file);
  EVP_PKEY_free (key);
  EVP_PKEY_CTX_free (context);
  OSSL_PARAM_free (params);
  OSSL_PARAM_BLD_free (build);
  BN_free (secret);
}

/* @day: around which it is valid */
static void
write_certificate (const gchar *key_path, const gchar *to, gint64 day)
{
  g_autoptr (EVP_PKEY) key = license_device_key_load (key_path, FALSE, &error);
  g_autofree gchar *pem = NULL;
  X509 *certificate;

  check (key != NULL);
  certificate =
      test_certificate (key, "Interop", day - 86400, day + 86400, NULL, NULL);
  pem = test_pem (certificate);
  X509_free (certificate);
  check (g_file_set_contents (to, pem, -1, &error));
}

static void
make_keys (const gchar *key_path, const gchar *to, gint64 day)
{
  EVP_PKEY_free (license_device_key_load (key_path, TRUE, &error));
  write_certificate (key_path, to, day);
}

static void
open_document (const gchar *path, const gchar *issuers, const gchar *device)
{
  gsize size;
  gchar *text = slurp (path, &size);
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, size);
  g_autoptr (LicenseIssuers) trusted =
      license_issuers_load (issuers, NULL, &error);
  g_autoptr (EVP_PKEY) key =
      trusted ? license_device_key_load (device, FALSE, &error) : NULL;
  g_autoptr (LicenseDocument) license = NULL;
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (JoseSecret) set = NULL;

  check (trusted && key);
  license = license_document_open (bytes, trusted, &error);
  check (license != NULL);
  keys = license_document_unseal (license, key, &error);
  check (keys != NULL);
  set = jose_keyset_write (keys);
  printf ("%.*s\n", (gint) set->size, (gchar *) set->data);
}

/* Keys are freed always: a TPM without a resource manager keeps them loaded. */
static void
write_document (const gchar *issuer_key, const gchar *device, gint64 day)
{
  g_autoptr (EVP_PKEY) signer =
      license_device_key_load (issuer_key, FALSE, &error);
  g_autoptr (EVP_PKEY) key =
      signer ? license_device_key_load (device, FALSE, &error) : NULL;
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GPtrArray) keys = test_keys (TRUE);
  g_autoptr (GBytes) bytes = NULL;

  check (signer && key);
  license->issued = TEST_SECONDS (day);
  license->rules.not_after = TEST_SECONDS (day + 30 * 86400);
  bytes = license_document_write (license, keys, key, signer, NULL, &error);
  check (bytes != NULL);
  printf ("%.*s", (gint) g_bytes_get_size (bytes),
      (gchar *) g_bytes_get_data (bytes, NULL));
}

/* Into a new store of the device, closed and opened again; prints the key sets. */
static void
store_document (const gchar *path, const gchar *issuers, const gchar *device,
    const gchar *store_path)
{
  gsize size;
  gchar *text = slurp (path, &size);
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, size);
  g_autoptr (LicenseIssuers) trusted =
      license_issuers_load (issuers, NULL, &error);
  LicenseStoreConfig config = { store_path, device, trusted,
    license_clock_system (), LICENSE_DEFAULT_SKEW };
  guint i;

  check (trusted != NULL);
  for (i = 0; i < 2; i++) {
    g_autoptr (LicenseStore) store =
        license_store_open (&config, i == 0, &error);
    g_autoptr (LicenseEntry) entry = NULL;
    g_autoptr (GPtrArray) keys = NULL;
    g_autoptr (JoseSecret) set = NULL;

    check (store != NULL);
    entry = license_store_import (store, bytes, NULL, NULL, &error);
    check (entry != NULL);
    keys = license_document_unseal (entry->document,
        license_store_device_key (store), &error);
    check (keys != NULL);
    set = jose_keyset_write (keys);
    printf ("%.*s\n", (gint) set->size, (gchar *) set->data);
  }
}

static void
print_thumbprint (const gchar *device)
{
  g_autoptr (EVP_PKEY) key = license_device_key_load (device, FALSE, &error);
  g_autofree gchar *thumbprint = NULL;

  check (key != NULL);
  thumbprint = jose_key_thumbprint (key, NULL);
  printf ("%s\n", thumbprint);
}

int
main (int argc, char **argv)
{
  const gchar *what = argc > 1 ? argv[1] : "";
  /* For who has no clock of his own: as of which second. */
  gint64 day = argc == 5 ? g_ascii_strtoll (argv[4], NULL, 10) : TEST_DAY;

  gst_init (NULL, NULL);
  if (g_str_equal (what, "pem") && argc == 4)
    write_pem (argv[2], argv[3]);
  else if (g_str_equal (what, "certificate") && argc == 4)
    write_certificate (argv[2], argv[3], TEST_DAY);
  else if (g_str_equal (what, "keys") && (argc == 4 || argc == 5))
    make_keys (argv[2], argv[3], day);
  else if (g_str_equal (what, "open") && argc == 5)
    open_document (argv[2], argv[3], argv[4]);
  else if (g_str_equal (what, "write") && (argc == 4 || argc == 5))
    write_document (argv[2], argv[3], day);
  else if (g_str_equal (what, "store") && argc == 6)
    store_document (argv[2], argv[3], argv[4], argv[5]);
  else if (g_str_equal (what, "thumbprint") && argc == 3)
    print_thumbprint (argv[2]);
  else
    return 2;
  return 0;
}
