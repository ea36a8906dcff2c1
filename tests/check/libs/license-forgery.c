/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forged license documents. Each row changes one thing of a document that
 * opens, signs it anew with the issuer's own key where the forger could make the
 * issuer do so, and has to be refused with the code and the word it names: a
 * document that fails for another reason than the one meant shows nothing.
 */

#include <string.h>

#include <gst/check/gstcheck.h>
#include <openssl/hmac.h>

#include "../license/testlicense.h"
#include "license/jose-base64.h"
#include "license/jose-jwe.h"
#include "license/jose-keyset.h"

static TestIssuer issuer;
static EVP_PKEY *device;
/* The parts of a good document, as JSON text. */
static gchar *good_header, *good_claims, *good_jwe;
static gchar *good_jwe_header;

static gchar *
decode_part (const gchar *compact, guint n)
{
  g_auto (GStrv) parts = g_strsplit (compact, ".", -1);
  g_autoptr (GBytes) bytes =
      jose_base64_decode_bytes (parts[n], strlen (parts[n]));

  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static gchar *
encode_text (const gchar *text)
{
  return jose_base64_encode ((const guint8 *) text, strlen (text));
}

static void
setup (void)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GBytes) bytes = NULL;
  g_autofree gchar *text = NULL;
  const gchar *keys;

  test_issuer_init (&issuer, TEST_DAY - 86400, TEST_DAY + 86400);
  device = jose_key_generate ();
  bytes = test_write (license, &issuer, device);
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  good_header = decode_part (text, 0);
  good_claims = decode_part (text, 1);
  keys = strstr (good_claims, "\"keys\":\"") + strlen ("\"keys\":\"");
  good_jwe = g_strndup (keys, strcspn (keys, "\""));
  good_jwe_header = decode_part (good_jwe, 0);
}

static void
teardown (void)
{
  test_issuer_clear (&issuer);
  EVP_PKEY_free (device);
  g_free (good_header);
  g_free (good_claims);
  g_free (good_jwe);
  g_free (good_jwe_header);
}

static void
expect (const gchar *name, const gchar *document, gint code, const gchar *word)
{
  g_autoptr (GBytes) bytes = g_bytes_new (document, strlen (document));
  g_autoptr (GError) error = NULL;
  g_autoptr (LicenseDocument) license =
      license_document_open (bytes, issuer.issuers, &error);
  g_autoptr (GPtrArray) keys =
      license ? license_document_unseal (license, device, &error) : NULL;

  fail_unless (keys == NULL, "%s: taken", name);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, code), "%s: code %d: %s",
      name, error->code, error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s: \"%s\"", name,
      error->message);
}

static void
expect_signed (const gchar *name, const gchar *header, const gchar *claims,
    gint code, const gchar *word)
{
  g_autofree gchar *document = jose_jws_sign (header, claims, issuer.key, NULL);

  expect (name, document, code, word);
}

#define FORMAT GST_CENC_ERROR_FORMAT
#define UNSUPPORTED GST_CENC_ERROR_UNSUPPORTED
#define SIGNATURE GST_CENC_ERROR_SIGNATURE

typedef struct
{
  const gchar *name, *from, *to;
  gint code;
  const gchar *word;
} Change;

/* The same frame, unchanged, opens: else the rows below would show nothing. */
GST_START_TEST (test_frame)
{
  g_autofree gchar *document =
      jose_jws_sign (good_header, good_claims, issuer.key, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new (document, strlen (document));
  g_autoptr (LicenseDocument) license =
      license_document_open (bytes, issuer.issuers, NULL);
  g_autoptr (GPtrArray) keys = license_document_unseal (license, device, NULL);

  fail_unless (keys != NULL);
}

GST_END_TEST;

static const Change header_changes[] = {
  { "alg none", "\"ES256\"", "\"none\"", UNSUPPORTED, "alg \"none\"" },
  { "alg None", "\"ES256\"", "\"None\"", UNSUPPORTED, "alg \"None\"" },
  { "alg HS256", "\"ES256\"", "\"HS256\"", UNSUPPORTED, "alg \"HS256\"" },
  { "alg ES384", "\"ES256\"", "\"ES384\"", UNSUPPORTED, "alg \"ES384\"" },
  { "alg ES256K", "\"ES256\"", "\"ES256K\"", UNSUPPORTED, "alg \"ES256K\"" },
  { "alg no string", "\"ES256\"", "256", FORMAT, "\"alg\" is not a string" },
  { "alg twice", "\"alg\":\"ES256\"", "\"alg\":\"none\",\"alg\":\"ES256\"",
      FORMAT, "duplicate member \"alg\"" },
  { "alg twice, escaped", "\"alg\":\"ES256\"",
      "\"a\\u006cg\":\"none\",\"alg\":\"ES256\"", FORMAT,
      "duplicate member \"alg\"" },
  { "crit", "\"alg\"", "\"crit\":[\"exp\"],\"exp\":1,\"alg\"", UNSUPPORTED,
      "crit" },
  { "unencoded payload", "\"alg\"", "\"b64\":false,\"alg\"", UNSUPPORTED,
      "\"b64\"" },
  { "key in the header", "\"alg\"", "\"jwk\":{},\"alg\"", UNSUPPORTED,
      "\"jwk\"" },
  { "key by URL", "\"alg\"", "\"jku\":\"https://evil/\",\"alg\"", UNSUPPORTED,
      "\"jku\"" },
  { "certificate by URL", "\"alg\"", "\"x5u\":\"https://evil/\",\"alg\"",
      UNSUPPORTED, "\"x5u\"" },
  { "zip", "\"alg\"", "\"zip\":\"DEF\",\"alg\"", UNSUPPORTED, "\"zip\"" },
  { "another token's type", "offline-license", "JWT", FORMAT, "typ" },
  { "comment", "{", "{/* */", FORMAT, "JWS header: JSON" },
  { "empty chain", "\"x5c\":[", "\"x5c\":[],\"kid\":[", SIGNATURE, "x5c" },
};

GST_START_TEST (test_headers)
{
  const Change *c = &header_changes[__i__];
  g_autofree gchar *header = test_replace (good_header, c->from, c->to);

  expect_signed (c->name, header, good_claims, c->code, c->word);
}

GST_END_TEST;

static const Change claim_changes[] = {
  { "claim twice", "\"iat\"", "\"not_after\":9999999999,\"iat\"", FORMAT,
      "duplicate member \"not_after\"" },
  { "unknown restriction", "\"iat\"", "\"max_plays\":1,\"iat\"", UNSUPPORTED,
      "\"max_plays\"" },
  { "another version", "\"ver\":1", "\"ver\":2", UNSUPPORTED, "ver" },
  { "zero duration", "172800", "0", FORMAT, "playback_duration is zero" },
  { "negative duration", "172800", "-1", FORMAT, "playback_duration is zero" },
  { "sentinel duration", "172800", "9223372036854775807", FORMAT,
      "out of range" },
  { "long duration", "172800", "9007199254740991", FORMAT,
      "playback_duration is zero, negative or out of range" },
  { "fraction", "172800", "172800.5", FORMAT,
      "\"playback_duration\" is not an integer" },
  { "exponent", "172800", "1e9", FORMAT,
      "\"playback_duration\" is not an integer" },
  { "number as text", "172800", "\"172800\"", FORMAT,
      "\"playback_duration\" is not an integer" },
  { "null", "172800", "null", FORMAT,
      "\"playback_duration\" is not an integer" },
  { "zero date", "\"not_after\":1801699200", "\"not_after\":0", FORMAT,
      "not_after is zero" },
  { "begin after end", "\"iat\"", "\"not_before\":1899999999,\"iat\"", FORMAT,
      "not_after is not after not_before" },
  { "no issue date", "\"iat\"", "\"nonce\"", FORMAT, "iat" },
  { "no id", "\"jti\"", "\"nonce\"", FORMAT, "jti is missing" },
  { "id with a line end", "lic-1", "lic\\n1", FORMAT, "jti is not" },
  { "owned with an end", "Rental", "BuyToOwn", FORMAT, "BuyToOwn has no end" },
  { "unknown rights", "Rental", "rental", FORMAT, "rights" },
  { "persistent as text", "\"persistent\":true", "\"persistent\":\"true\"",
      FORMAT, "\"persistent\" is not true or false" },
  { "unknown demand", "\"iat\"",
      "\"output_protection\":{\"dvi\":false},\"iat\"", UNSUPPORTED, "\"dvi\"" },
  { "unknown HDCP level", "\"iat\"",
      "\"output_protection\":{\"hdcp\":\"9.9\"},\"iat\"", FORMAT, "hdcp" },
  { "KID cut", "\"kids\":[\"", "\"kids\":[\"AAAA\",\"", FORMAT, "KID" },
  { "a KID too many", "\"kids\":[\"", "\"kids\":[\"AAAAAAAAAAAAAAAAAAAAAA\",\"",
      FORMAT, "KIDs of its keys are not those of its policy" },
  { "no device", "\"cnf\"", "\"nonce\"", FORMAT, "is" },
  { "thumbprint cut", "\"jkt\":\"", "\"jkt\":\"A\",\"jku\":\"", UNSUPPORTED,
      "\"jku\"" },
  { "an array", "{\"ver\"", "[{\"ver\"", FORMAT, "JSON" },
};

GST_START_TEST (test_claims)
{
  const Change *c = &claim_changes[__i__];
  g_autofree gchar *claims = test_replace (good_claims, c->from, c->to);

  expect_signed (c->name, good_header, claims, c->code, c->word);
}

GST_END_TEST;

/* The JWE's header is authenticated: a new one fails at the latest by the tag,
 * but each of these is to be refused before that, by name. */
static const Change jwe_changes[] = {
  { "key wrap", "\"ECDH-ES\"", "\"ECDH-ES+A256KW\"", UNSUPPORTED, "alg" },
  { "dir", "\"ECDH-ES\"", "\"dir\"", UNSUPPORTED, "alg \"dir\"" },
  { "RSA1_5", "\"ECDH-ES\"", "\"RSA1_5\"", UNSUPPORTED, "alg \"RSA1_5\"" },
  { "A128GCM", "A256GCM", "A128GCM", UNSUPPORTED, "enc \"A128GCM\"" },
  { "CBC", "A256GCM", "A128CBC-HS256", UNSUPPORTED, "enc" },
  { "compressed", "\"enc\"", "\"zip\":\"DEF\",\"enc\"", UNSUPPORTED, "zip" },
  { "critical", "\"enc\"", "\"crit\":[\"x\"],\"enc\"", UNSUPPORTED, "crit" },
  { "unknown member", "\"enc\"", "\"p2c\":9,\"enc\"", UNSUPPORTED, "\"p2c\"" },
  { "other content", "jwk-set+json", "json", UNSUPPORTED, "cty" },
  { "other curve", "P-256", "P-384", UNSUPPORTED, "epk" },
  { "no epk", "\"epk\"", "\"kid\"", FORMAT, "epk" },
  { "private epk", "\"kty\"", "\"d\":\"AA\",\"kty\"", FORMAT, "private" },
  { "epk cut", "\"x\":\"", "\"x\":\"AA\",\"z\":\"", FORMAT, "\"x\"" },
  { "epk off the curve", "\"x\":\"",
      "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"z\":\"", FORMAT,
      "not on P-256" },
  { "enc twice", "\"enc\"", "\"enc\":\"A128GCM\",\"enc\"", FORMAT,
      "duplicate member \"enc\"" },
  { "apu no base64url", "\"enc\"", "\"apu\":\"=\",\"enc\"", FORMAT, "apu" },
  { "header changed", "\"enc\"", "\"apu\":\"AA\",\"enc\"", SIGNATURE,
      "not sealed" },
};

GST_START_TEST (test_jwe_headers)
{
  const Change *c = &jwe_changes[__i__];
  g_autofree gchar *header = test_replace (good_jwe_header, c->from, c->to);
  g_autofree gchar *encoded = encode_text (header);
  g_autofree gchar *jwe = g_strconcat (encoded, strchr (good_jwe, '.'), NULL);
  g_autofree gchar *claims = test_replace (good_claims, good_jwe, jwe);

  expect_signed (c->name, good_header, claims, c->code, c->word);
}

GST_END_TEST;

/* Parts 1 to 4 of the JWE: key, IV, ciphertext, tag. */
static const struct
{
  const gchar *name;
  guint part;
  const gchar *value;
  gint code;
  const gchar *word;
} part_changes[] = {
  { "tag of 4 bytes", 4, "AAAAAA", FORMAT, "tag is not 16" },
  { "tag of 15 bytes", 4, "AAAAAAAAAAAAAAAAAAAA", FORMAT, "tag is not 16" },
  { "no tag", 4, "", FORMAT, "tag is not 16" },
  { "zero tag", 4, "AAAAAAAAAAAAAAAAAAAAAA", SIGNATURE, "not sealed" },
  { "IV of 16 bytes", 2, "AAAAAAAAAAAAAAAAAAAAAA", FORMAT, "IV is not 12" },
  { "other IV", 2, "AAAAAAAAAAAAAAAA", SIGNATURE, "not sealed" },
  { "a wrapped key", 1, "AAAA", FORMAT, "encrypted key" },
  { "no ciphertext", 3, "", SIGNATURE, "not sealed" },
  { "padding", 3, "AAAA==", FORMAT, "ciphertext" },
};

GST_START_TEST (test_jwe_parts)
{
  g_auto (GStrv) parts = g_strsplit (good_jwe, ".", -1);
  g_autofree gchar *jwe = NULL, *claims = NULL;
  guint part = part_changes[__i__].part;

  g_free (parts[part]);
  parts[part] = g_strdup (part_changes[__i__].value);
  jwe = g_strjoinv (".", parts);
  claims = test_replace (good_claims, good_jwe, jwe);
  expect_signed (part_changes[__i__].name, good_header, claims,
      part_changes[__i__].code, part_changes[__i__].word);
}

GST_END_TEST;

static const struct
{
  const gchar *name, *set, *word;
} set_changes[] = {
  { "no keys", "{\"keys\":[]}", "not a JWK Set" },
  { "no set", "{}", "not a JWK Set" },
  { "array", "[]", "not a JWK Set" },
  { "short key",
      "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a2lkLW9uZS0xNi1ieXRlcw\","
      "\"k\":\"AAAA\"}]}",
      "key 1 is not" },
  { "other type",
      "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"a2lkLW9uZS0xNi1ieXRlcw\","
      "\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"}]}",
      "key 1 is not" },
  { "KID twice",
      "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a2lkLW9uZS0xNi1ieXRlcw\","
      "\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"},{\"kty\":\"oct\",\"kid\":"
      "\"a2lkLW9uZS0xNi1ieXRlcw\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"}]}",
      "key 2 is not" },
  { "key twice",
      "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a2lkLW9uZS0xNi1ieXRlcw\","
      "\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"}]}",
      "duplicate member \"k\"" },
  { "a KID less",
      "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a2lkLW9uZS0xNi1ieXRlcw\","
      "\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"}]}",
      "KIDs of its keys" },
};

GST_START_TEST (test_key_sets)
{
  const gchar *set = set_changes[__i__].set;
  g_autofree gchar *jwe = jose_jwe_encrypt (device, LICENSE_KEYS_TYPE,
      (const guint8 *) set, strlen (set), NULL);
  g_autofree gchar *claims = test_replace (good_claims, good_jwe, jwe);

  expect_signed (set_changes[__i__].name, good_header, claims, FORMAT,
      set_changes[__i__].word);
}

GST_END_TEST;

/* The classic: the public key of the issuer as an HMAC key. */
GST_START_TEST (test_hmac_with_public_key)
{
  g_autofree gchar *header = test_replace (good_header, "ES256", "HS256");
  g_autofree gchar *pem = test_pem (issuer.certificate);
  g_autofree gchar *h = encode_text (header), *c = encode_text (good_claims);
  g_autofree gchar *input = g_strconcat (h, ".", c, NULL);
  g_autofree gchar *tag = NULL, *document = NULL, *none = NULL;
  guint8 mac[32];

  HMAC (EVP_sha256 (), pem, (gint) strlen (pem), (const guint8 *) input,
      strlen (input), mac, NULL);
  tag = jose_base64_encode (mac, sizeof mac);
  document = g_strconcat (input, ".", tag, NULL);
  expect ("HS256 by the public key", document, UNSUPPORTED, "HS256");

  none = g_strconcat (input, ".", NULL);
  expect ("no signature", none, UNSUPPORTED, "HS256");
}

GST_END_TEST;

/* An ES256 signature in DER, or of zeros, or by the device itself. */
GST_START_TEST (test_signatures)
{
  g_autofree gchar *good =
      jose_jws_sign (good_header, good_claims, issuer.key, NULL);
  g_autofree gchar *by_device =
      jose_jws_sign (good_header, good_claims, device, NULL);
  gint input = (gint) (strrchr (good, '.') - good);
  g_autofree gchar *der = g_strdup_printf ("%.*s.%s", input, good,
      "MEUCIQDtEhU3ljbEg8L38VWAfUAqOyKAM6Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ");
  g_autofree gchar *zero = g_strdup_printf ("%.*s.%s%s", input, good,
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  g_autofree gchar *zeros = g_strndup (zero, (gsize) input + 1 + 86);
  g_autofree gchar *empty = g_strdup_printf ("%.*s.", input, good);
  g_autofree gchar *two = g_strdup_printf ("%.*s", input, good);
  g_autofree gchar *four = g_strconcat (good, ".AA", NULL);

  expect ("DER", der, SIGNATURE, "r and s");
  expect ("r = s = 0", zeros, SIGNATURE, "does not match");
  expect ("empty signature", empty, SIGNATURE, "r and s");
  expect ("two parts", two, FORMAT, "three parts");
  expect ("four parts", four, FORMAT, "three parts");
  expect ("by the device's key", by_device, SIGNATURE, "does not match");
}

GST_END_TEST;

static Suite *
license_forgery_suite (void)
{
  Suite *s = suite_create ("license-forgery");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_frame);
  tcase_add_loop_test (tc, test_headers, 0, G_N_ELEMENTS (header_changes));
  tcase_add_loop_test (tc, test_claims, 0, G_N_ELEMENTS (claim_changes));
  tcase_add_loop_test (tc, test_jwe_headers, 0, G_N_ELEMENTS (jwe_changes));
  tcase_add_loop_test (tc, test_jwe_parts, 0, G_N_ELEMENTS (part_changes));
  tcase_add_loop_test (tc, test_key_sets, 0, G_N_ELEMENTS (set_changes));
  tcase_add_test (tc, test_hmac_with_public_key);
  tcase_add_test (tc, test_signatures);
  return s;
}

GST_CHECK_MAIN (license_forgery);
