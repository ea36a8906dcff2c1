/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "testlicense.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

const guint8 test_kid[16] = "kid-one-16-bytes";
const guint8 test_key[16] = "KEY-one-16-bytes";
const guint8 test_kid2[16] = "kid-two-16-bytes";
const guint8 test_key2[16] = "KEY-two-16-bytes";

X509 *
test_certificate (EVP_PKEY *key, const gchar *name, gint64 from, gint64 to,
    X509 *parent, EVP_PKEY *parent_key)
{
  X509 *certificate = X509_new ();
  X509_NAME *subject = X509_get_subject_name (certificate);
  time_t from_time = (time_t) from, to_time = (time_t) to;

  X509_set_version (certificate, X509_VERSION_3);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), 1);
  ASN1_TIME_set (X509_getm_notBefore (certificate), from_time);
  ASN1_TIME_set (X509_getm_notAfter (certificate), to_time);
  X509_NAME_add_entry_by_txt (subject, "CN", MBSTRING_ASC,
      (const guchar *) name, -1, -1, 0);
  X509_set_issuer_name (certificate,
      parent ? X509_get_subject_name (parent) : subject);
  X509_set_pubkey (certificate, key);
  if (!parent) {
    X509_EXTENSION *ca = X509V3_EXT_conf_nid (NULL, NULL, NID_basic_constraints,
        "critical,CA:TRUE");

    X509_add_ext (certificate, ca, -1);
    X509_EXTENSION_free (ca);
  }
  X509_sign (certificate, parent ? parent_key : key, EVP_sha256 ());
  return certificate;
}

gchar *
test_server_pem (EVP_PKEY *key, gint64 from, gint64 to, const gchar *address)
{
  X509 *certificate = test_certificate (key, "Server", from, to, NULL, NULL);
  g_autofree gchar *name = g_strconcat ("IP:", address, NULL);
  X509_EXTENSION *extension =
      X509V3_EXT_conf_nid (NULL, NULL, NID_subject_alt_name, name);
  BIO *bio = BIO_new (BIO_s_mem ());
  gchar *data, *pem;
  glong size;

  X509_add_ext (certificate, extension, -1);
  X509_sign (certificate, key, EVP_sha256 ());
  PEM_write_bio_X509 (bio, certificate);
  PEM_write_bio_PrivateKey (bio, key, NULL, NULL, 0, NULL, NULL);
  size = BIO_get_mem_data (bio, &data);
  pem = g_strndup (data, (gsize) size);
  BIO_free (bio);
  X509_EXTENSION_free (extension);
  X509_free (certificate);
  return pem;
}

gchar *
test_pem (X509 *certificate)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  gchar *data, *pem;
  glong size;

  PEM_write_bio_X509 (bio, certificate);
  size = BIO_get_mem_data (bio, &data);
  pem = g_strndup (data, (gsize) size);
  BIO_free (bio);
  return pem;
}

void
test_issuer_init (TestIssuer *issuer, gint64 from, gint64 to)
{
  g_autofree gchar *pem = NULL;

  issuer->key = jose_key_generate ();
  issuer->certificate =
      test_certificate (issuer->key, "Test issuer", from, to, NULL, NULL);
  pem = test_pem (issuer->certificate);
  issuer->issuers = license_issuers_new ();
  g_assert_true (license_issuers_add_pem (issuer->issuers, pem, -1, NULL));
}

void
test_issuer_clear (TestIssuer *issuer)
{
  EVP_PKEY_free (issuer->key);
  X509_free (issuer->certificate);
  license_issuers_unref (issuer->issuers);
}

LicenseDocument *
test_rental (void)
{
  LicenseDocument *license = license_document_new ();

  license->id = g_strdup ("lic-1");
  license->issuer = g_strdup ("https://licenses.example.com");
  license->issued = TEST_SECONDS (TEST_DAY);
  license->rules.rights = LICENSE_RIGHTS_RENTAL;
  license->rules.not_after = TEST_SECONDS (TEST_DAY + 30 * 86400);
  license->rules.playback_duration = TEST_SECONDS (48 * 3600);
  license->rules.persistent = TRUE;
  return license;
}

GPtrArray *
test_keys (gboolean both)
{
  GPtrArray *keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);

  g_ptr_array_add (keys, gst_cenc_key_new (test_kid, test_key));
  if (both)
    g_ptr_array_add (keys, gst_cenc_key_new (test_kid2, test_key2));
  return keys;
}

GBytes *
test_write (const LicenseDocument *license, TestIssuer *issuer,
    EVP_PKEY *device)
{
  g_autoptr (GPtrArray) keys = test_keys (TRUE);
  g_autoptr (GError) error = NULL;
  GBytes *bytes = license_document_write (license, keys, device, issuer->key,
      issuer->certificate, &error);

  g_assert_no_error (error);
  return bytes;
}

static void
read_test_clock (gpointer data, LicenseInstant *instant)
{
  *instant = ((TestClock *) data)->now;
}

void
test_clock_init (TestClock *clock, gint64 wall)
{
  memset (clock, 0, sizeof *clock);
  clock->clock.read = read_test_clock;
  clock->clock.data = clock;
  clock->now.wall = TEST_SECONDS (wall);
  clock->now.boottime = TEST_SECONDS (100);
  g_strlcpy (clock->now.boot_id, "boot-1", sizeof clock->now.boot_id);
}

void
test_clock_advance (TestClock *clock, gint64 seconds)
{
  clock->now.wall += TEST_SECONDS (seconds);
  clock->now.boottime += TEST_SECONDS (seconds);
}

void
test_clock_reboot (TestClock *clock)
{
  gchar last = clock->now.boot_id[5];

  clock->now.boottime = TEST_SECONDS (10);
  clock->now.boot_id[5] = (gchar) (last + 1);
}

gchar *
test_replace (const gchar *text, const gchar *from, const gchar *to)
{
  const gchar *at = strstr (text, from);

  g_assert_nonnull (at);
  return g_strdup_printf ("%.*s%s%s", (gint) (at - text), text, to,
      at + strlen (from));
}
