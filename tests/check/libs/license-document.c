/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The license document: the standards' own vectors, a round trip, forgeries. */

#include <string.h>

#include <gst/check/gstcheck.h>
#include <openssl/rand.h>

#include "../key-data.h"
#include "../license/testlicense.h"
#include "license/jose-base64.h"
#include "license/jose-json.h"
#include "license/jose-jwe.h"
#include "license/jose-keyset.h"
#include "license/jose-scan.h"

static TestIssuer issuer;
static EVP_PKEY *device;

static void
setup (void)
{
  test_issuer_init (&issuer, TEST_DAY - 86400, TEST_DAY + 86400);
  device = jose_key_generate ();
}

static void
teardown (void)
{
  test_issuer_clear (&issuer);
  EVP_PKEY_free (device);
}

/* RFC 7518, appendix C: the agreed key of Alice and Bob. */
GST_START_TEST (test_concat_kdf)
{
  static const guint8 z[32] = { 158, 86, 217, 29, 129, 113, 53, 211, 114, 131,
    66, 131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128, 106, 72, 246, 218,
    167, 121, 140, 254, 144, 196 };
  g_autoptr (GBytes) apu = g_bytes_new_static ("Alice", 5);
  g_autoptr (GBytes) apv = g_bytes_new_static ("Bob", 3);
  g_autofree gchar *text = NULL;
  guint8 out[16];

  fail_unless (
      jose_concat_kdf (z, sizeof z, "A128GCM", apu, apv, out, sizeof out));
  text = jose_base64_encode (out, sizeof out);
  assert_equals_string (text, "VqqN6vgjbSBcIijNcacQGg");
}

GST_END_TEST;

/* RFC 7515, appendix A.3 */
GST_START_TEST (test_es256)
{
  const gchar *text =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogI"
      "mh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOy"
      "KAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  const gchar *jwk = "{\"kty\":\"EC\",\"crv\":\"P-256\","
                     "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
  g_autoptr (JsonObject) object =
      jose_json_parse (jwk, strlen (jwk), "t", NULL);
  g_autoptr (EVP_PKEY) key = jose_key_from_jwk (object, NULL);
  g_auto (JoseJws) jws = { NULL };

  fail_unless (key != NULL);
  fail_unless (jose_jws_parse (text, strlen (text), &jws, NULL));
  fail_unless (jose_jws_verify (&jws, key));
  jws.signature[63] ^= 1;
  fail_if (jose_jws_verify (&jws, key));
  fail_if (jose_jws_verify (&jws, device));
}

GST_END_TEST;

GST_START_TEST (test_thumbprint)
{
  g_autofree gchar *jwk = jose_key_to_jwk (device, NULL);
  g_autofree gchar *a = jose_key_thumbprint (device, NULL), *b = NULL;
  g_autoptr (JsonObject) object =
      jose_json_parse (jwk, strlen (jwk), "t", NULL);
  g_autoptr (EVP_PKEY) copy = jose_key_from_jwk (object, NULL);

  b = jose_key_thumbprint (copy, NULL);
  assert_equals_string (a, b);
  assert_equals_int (strlen (a), 43);
}

GST_END_TEST;

GST_START_TEST (test_base64)
{
  static const struct
  {
    const gchar *text;
    gint size;
  } table[] = { { "", 0 }, { "AA", 1 }, { "AAA", 2 }, { "AAAA", 3 },
    { "-_8", 2 },
    /* bits set behind the last byte, a length that cannot be, other alphabets,
     * padding, blanks */
    { "AB", -1 }, { "AAB", -1 }, { "A", -1 }, { "AAAAA", -1 }, { "+/8", -1 },
    { "AA==", -1 }, { "AA A", -1 }, { "AA\n", -1 } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    const gchar *text = table[i].text;
    g_autoptr (GBytes) bytes = jose_base64_decode_bytes (text, strlen (text));

    if (table[i].size < 0) {
      fail_unless (bytes == NULL, "took \"%s\"", text);
    } else {
      g_autofree gchar *again =
          jose_base64_encode (g_bytes_get_data (bytes, NULL),
              g_bytes_get_size (bytes));

      assert_equals_int (g_bytes_get_size (bytes), table[i].size);
      assert_equals_string (again, text);
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_strict_json)
{
  static const gchar *const good[] = { "{}", " {\"a\":[1,-2.5e3,null,true]} ",
    "{\"a\":{\"a\":1},\"b\":\"\\ud83d\\ude00\\n\"}", "0",
    "{\"a\":9007199254740992}" };
  static const gchar *const bad[] = { "", "{", "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}", "{\"b\":{\"a\":1,\"a\":1}}", "{\"a\":1,}",
    "[1,]", "{a:1}", "{'a':1}", "// x\n{}", "{} {}", "{}x", "01", "1.", ".5",
    "+1", "NaN", "1e999", "9007199254740993000", "\"\\u0000\"", "\"\\ud800\"",
    "\"\\udc00\"", "\"\\x\"", "\"\x01\"", "\"\xff\"", "\"", "tru",
    "[[[[[[[[[1]]]]]]]]]", "{\"a\" 1}", "[1 2]" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (good); i++)
    fail_unless (jose_scan_check (good[i], strlen (good[i]), NULL), "%s",
        good[i]);
  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    fail_if (jose_scan_check (bad[i], strlen (bad[i]), &error), "%s", bad[i]);
    fail_unless (
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  }
  /* A NUL is no end. */
  fail_if (jose_scan_check ("{}\0{}", 5, NULL));
}

GST_END_TEST;

static void
fill_license (LicenseDocument *license)
{
  license->rules.not_before = TEST_SECONDS (TEST_DAY - 300);
  license->rules.realtime_expiration = TRUE;
  license->rules.playback_replaces_window = TRUE;
  license->renewal_url = g_strdup ("https://licenses.example.com/renew");
  license->release_url = g_strdup ("https://licenses.example.com/release");
  license->nonce = g_strdup ("bm9uY2U");
  license->output_protection =
      gst_structure_new ("output-protection", "hdcp", G_TYPE_STRING, "2.2",
          "analog", G_TYPE_BOOLEAN, FALSE, "max-width", G_TYPE_INT, 1920, NULL);
}

GST_START_TEST (test_round_trip)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseDocument) read = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (GError) error = NULL;

  fill_license (license);
  bytes = test_write (license, &issuer, device);
  read = license_document_open (bytes, issuer.issuers, &error);
  g_assert_no_error (error);
  assert_equals_string (read->id, "lic-1");
  assert_equals_string (read->issuer, license->issuer);
  assert_equals_string (read->nonce, license->nonce);
  assert_equals_string (read->renewal_url, license->renewal_url);
  assert_equals_string (read->release_url, license->release_url);
  assert_equals_int64 (read->issued, license->issued);
  fail_unless (memcmp (&read->rules, &license->rules, sizeof read->rules) == 0);
  fail_unless (gst_structure_is_equal (read->output_protection,
      license->output_protection));
  fail_unless (license_document_has_kid (read, test_kid2));
  fail_if (license_document_has_kid (read, test_key));

  keys = license_document_unseal (read, device, &error);
  g_assert_no_error (error);
  assert_equals_int (keys->len, 2);
  fail_unless (key_has_data (g_ptr_array_index (keys, 0), test_key));
  fail_unless (key_has_data (g_ptr_array_index (keys, 1), test_key2));
}

GST_END_TEST;

GST_START_TEST (test_other_device)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GBytes) bytes = test_write (license, &issuer, device);
  g_autoptr (EVP_PKEY) other = jose_key_generate ();
  g_autoptr (LicenseDocument) read =
      license_document_open (bytes, issuer.issuers, NULL);
  g_autoptr (GError) error = NULL;

  fail_unless (license_document_unseal (read, other, &error) == NULL);
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_OTHER_DEVICE));
}

GST_END_TEST;

/* The certificate ended long before today, but not before the license's date. */
GST_START_TEST (test_certificate_dates)
{
  static const struct
  {
    gint64 issued;
    gboolean good;
  } table[] = { { TEST_DAY, TRUE }, { TEST_DAY - 86400 + 1, TRUE },
    { TEST_DAY - 86400 - 1, FALSE }, { TEST_DAY + 86400 - 1, TRUE },
    { TEST_DAY + 86400 + 1, FALSE } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (LicenseDocument) license = test_rental (), read = NULL;
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GError) error = NULL;

    license->issued = TEST_SECONDS (table[i].issued);
    bytes = test_write (license, &issuer, device);
    read = license_document_open (bytes, issuer.issuers, &error);
    fail_unless ((read != NULL) == table[i].good, "row %u", i);
    if (!table[i].good)
      fail_unless (strstr (error->message, "issue date") != NULL);
  }
}

GST_END_TEST;

GST_START_TEST (test_chain)
{
  g_autoptr (LicenseDocument) license = test_rental (), read = NULL;
  TestIssuer below = { 0 };
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  guint8 digest[32];
  GString *hex = g_string_new ("# stolen\n\n");
  guint i, size;

  below.key = jose_key_generate ();
  below.certificate = test_certificate (below.key, "Below", TEST_DAY - 1,
      TEST_DAY + 1, issuer.certificate, issuer.key);
  below.issuers = license_issuers_ref (issuer.issuers);
  bytes = test_write (license, &below, device);
  read = license_document_open (bytes, issuer.issuers, &error);
  g_assert_no_error (error);

  X509_digest (below.certificate, EVP_sha256 (), digest, &size);
  for (i = 0; i < size; i++)
    g_string_append_printf (hex, i ? ":%02X" : "%02X", digest[i]);
  fail_unless (license_issuers_deny (issuer.issuers, hex->str, &error));
  fail_unless (license_document_open (bytes, issuer.issuers, &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_REVOKED));
  g_string_free (hex, TRUE);
  test_issuer_clear (&below);
}

GST_END_TEST;

/* The signature (r, s) as (r, n - s), which is as good: the same certificate, of
 * another fingerprint. */
static X509 *
mirror (X509 *certificate)
{
  X509 *copy = X509_dup (certificate);
  const ASN1_BIT_STRING *text;
  ECDSA_SIG *signature;
  BIGNUM *order = NULL, *s = BN_new ();
  const guint8 *p;
  guint8 *der = NULL;
  gint size;

  X509_get0_signature (&text, NULL, copy);
  p = text->data;
  signature = d2i_ECDSA_SIG (NULL, &p, text->length);
  EVP_PKEY_get_bn_param (X509_get0_pubkey (issuer.certificate), "order",
      &order);
  BN_sub (s, order, ECDSA_SIG_get0_s (signature));
  ECDSA_SIG_set0 (signature, BN_dup (ECDSA_SIG_get0_r (signature)), s);
  size = i2d_ECDSA_SIG (signature, &der);
  ASN1_STRING_set ((ASN1_STRING *) text, der, size);
  OPENSSL_free (der);
  BN_free (order);
  ECDSA_SIG_free (signature);
  return copy;
}

/* Who has a denied issuer's key can give its certificate another fingerprint. */
GST_START_TEST (test_denied_in_the_mirror)
{
  g_autoptr (LicenseDocument) license = test_rental (), read = NULL;
  TestIssuer below = { 0 };
  X509 *certificate;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  guint8 digest[32];
  g_autoptr (GString) hex = g_string_new (NULL);
  guint i, size;

  below.key = jose_key_generate ();
  certificate = test_certificate (below.key, "Below", TEST_DAY - 1,
      TEST_DAY + 1, issuer.certificate, issuer.key);
  below.certificate = mirror (certificate);
  below.issuers = license_issuers_ref (issuer.issuers);
  bytes = test_write (license, &below, device);
  read = license_document_open (bytes, issuer.issuers, &error);
  g_assert_no_error (error);

  X509_digest (certificate, EVP_sha256 (), digest, &size);
  for (i = 0; i < size; i++)
    g_string_append_printf (hex, "%02x", digest[i]);
  fail_unless (license_issuers_deny (issuer.issuers, hex->str, &error));
  fail_unless (license_document_open (bytes, issuer.issuers, &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_REVOKED));
  X509_free (certificate);
  test_issuer_clear (&below);
}

GST_END_TEST;

GST_START_TEST (test_untrusted)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (LicenseIssuers) nobody = license_issuers_new ();
  TestIssuer stranger;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  test_issuer_init (&stranger, TEST_DAY - 1, TEST_DAY + 1);
  bytes = test_write (license, &stranger, device);
  fail_unless (license_document_open (bytes, issuer.issuers, &error) == NULL);
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_SIGNATURE));
  g_clear_error (&error);
  fail_unless (license_document_open (bytes, nobody, &error) == NULL);
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_SIGNATURE));
  test_issuer_clear (&stranger);
}

GST_END_TEST;

/* The document of each byte changed is refused, whatever the byte was. */
GST_START_TEST (test_every_byte)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GBytes) bytes = test_write (license, &issuer, device);
  gsize size, i;
  const gchar *text = g_bytes_get_data (bytes, &size);

  for (i = 0; i < size; i += 7) {
    gchar *copy = g_memdup2 (text, size);
    g_autoptr (GBytes) changed = g_bytes_new_take (copy, size);
    g_autoptr (LicenseDocument) read = NULL;

    copy[i] = copy[i] == 'A' ? 'B' : 'A';
    read = license_document_open (changed, issuer.issuers, NULL);
    fail_unless (read == NULL, "byte %" G_GSIZE_FORMAT, i);
  }
}

GST_END_TEST;

/* Cut anywhere: an error, nothing else. */
GST_START_TEST (test_truncated)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GBytes) bytes = test_write (license, &issuer, device);
  gsize i;

  for (i = 0; i < g_bytes_get_size (bytes); i += 3) {
    g_autoptr (GBytes) cut = g_bytes_new_from_bytes (bytes, 0, i);
    g_autoptr (GError) error = NULL;

    fail_unless (license_document_open (cut, issuer.issuers, &error) == NULL);
    fail_unless (error != NULL);
  }
}

GST_END_TEST;

GST_START_TEST (test_size)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GBytes) bytes = test_write (license, &issuer, device);
  g_autofree gchar *big = g_malloc0 (LICENSE_MAX_SIZE + 1);
  g_autoptr (GBytes) over = g_bytes_new (big, LICENSE_MAX_SIZE + 1);
  g_autofree gchar *line =
      g_strdup_printf ("%.*s\r\n", (gint) g_bytes_get_size (bytes),
          (const gchar *) g_bytes_get_data (bytes, NULL));
  g_autoptr (GBytes) with_line_end = g_bytes_new (line, strlen (line));
  g_autoptr (LicenseDocument) read = NULL;
  g_autoptr (GError) error = NULL;

  fail_unless (license_document_open (over, issuer.issuers, &error) == NULL);
  fail_unless (strstr (error->message, "over 65536") != NULL);
  read = license_document_open (with_line_end, issuer.issuers, NULL);
  fail_unless (read && g_bytes_equal (read->bytes, with_line_end));
}

GST_END_TEST;

static Suite *
license_document_suite (void)
{
  Suite *s = suite_create ("license-document");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_concat_kdf);
  tcase_add_test (tc, test_es256);
  tcase_add_test (tc, test_thumbprint);
  tcase_add_test (tc, test_base64);
  tcase_add_test (tc, test_strict_json);
  tcase_add_test (tc, test_round_trip);
  tcase_add_test (tc, test_other_device);
  tcase_add_test (tc, test_certificate_dates);
  tcase_add_test (tc, test_chain);
  tcase_add_test (tc, test_denied_in_the_mirror);
  tcase_add_test (tc, test_untrusted);
  tcase_add_test (tc, test_every_byte);
  tcase_add_test (tc, test_truncated);
  tcase_add_test (tc, test_size);
  return s;
}

GST_CHECK_MAIN (license_document);
