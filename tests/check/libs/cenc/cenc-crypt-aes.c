/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk with AES: NIST SP 800-38A through each scheme, and samples against a
 * reference that has nothing of OpenSSL but one block at a time. */

#include "cenc-reference.h"

#include "cenc/cenc-cipher.h"

#include <gst/check/gstcheck.h>
#include <openssl/evp.h>
#include <string.h>

static const guint8 nist_key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2,
  0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
static const gchar nist_plain[] =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
/* F.5.1 */
static const gchar ctr_iv[] = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
static const gchar ctr_cipher[] =
    "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
    "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee";
/* F.2.1 */
static const gchar cbc_iv[] = "000102030405060708090a0b0c0d0e0f";
static const gchar cbc_cipher[] =
    "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
    "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7";

static void
unhex (const gchar *text, guint8 *out)
{
  for (; *text; text += 2)
    *out++ = (guint8) (g_ascii_xdigit_value (text[0]) << 4 |
        g_ascii_xdigit_value (text[1]));
}

static CencCipher *
make_cipher (CencMode mode, CencCipherDirection direction)
{
  static const guint8 kid[16] = { 0 };
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid, nist_key);
  CencCipher *cipher = cenc_cipher_new (key, mode, direction, NULL);

  fail_unless (cipher != NULL);
  return cipher;
}

static void
check_nist (CencParams params, const gchar *iv_text, const gchar *expected)
{
  g_autoptr (CencCipher) cipher =
      make_cipher (params.mode, CENC_CIPHER_ENCRYPT);
  g_autoptr (CencCrypt) crypt = cenc_crypt_new (&cenc_cipher_funcs, cipher, 0);
  guint8 data[64], wanted[64], iv[16];
  CencSampleAux aux = { iv, 16, NULL, 0 };

  unhex (nist_plain, data);
  unhex (iv_text, iv);
  unhex (expected, wanted);
  if (params.constant_iv_size) {
    memcpy (params.constant_iv, iv, 16);
    aux.iv = NULL;
    aux.iv_size = 0;
  }
  fail_unless (cenc_crypt_sample (crypt, &params, &aux, data, data, 64, NULL));
  assert_equals_int (memcmp (data, wanted, 64), 0);
}

GST_START_TEST (test_nist)
{
  CencParams constant = reference_params (CENC_SCHEME_CBCS, 0, 0, 0);

  constant.constant_iv_size = 16;
  check_nist (reference_params (CENC_SCHEME_CENC, 0, 0, 16), ctr_iv,
      ctr_cipher);
  check_nist (reference_params (CENC_SCHEME_CENS, 0, 0, 16), ctr_iv,
      ctr_cipher);
  check_nist (reference_params (CENC_SCHEME_CBC1, 0, 0, 16), cbc_iv,
      cbc_cipher);
  check_nist (constant, cbc_iv, cbc_cipher);
}
GST_END_TEST;

/* --- AES a block at a time --- */

static void
ecb (gboolean encrypts, guint8 *block)
{
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
  guint8 out[32];
  int n = 0;

  fail_unless (EVP_CipherInit_ex (ctx, EVP_aes_128_ecb (), NULL, nist_key, NULL,
      encrypts));
  EVP_CIPHER_CTX_set_padding (ctx, 0);
  fail_unless (EVP_CipherUpdate (ctx, out, &n, block, 16) && n == 16);
  memcpy (block, out, 16);
  EVP_CIPHER_CTX_free (ctx);
}

static void
ecb_encrypt (gpointer key, guint8 *block)
{
  ecb (TRUE, block);
}

static void
ecb_decrypt (gpointer key, guint8 *block)
{
  ecb (FALSE, block);
}

static const ReferenceCipher aes_reference = { ecb_encrypt, ecb_decrypt, NULL };

static void
check_sample (const CencParams *params, const CencSampleAux *aux, gsize size)
{
  g_autoptr (CencCipher) enc = make_cipher (params->mode, CENC_CIPHER_ENCRYPT);
  g_autoptr (CencCipher) dec = make_cipher (params->mode, CENC_CIPHER_DECRYPT);
  g_autoptr (CencCrypt) enc_walk = cenc_crypt_new (&cenc_cipher_funcs, enc, 0);
  g_autoptr (CencCrypt) dec_walk = cenc_crypt_new (&cenc_cipher_funcs, dec, 0);
  g_autofree guint8 *clear = g_malloc0 (size), *wanted = g_malloc0 (size);
  g_autofree guint8 *out = g_malloc0 (size);
  guint round;

  memset (clear, 0x5c, size);
  memset (wanted, 0x5c, size);
  reference_crypt (&aes_reference, TRUE, params, aux, FALSE, wanted, size);
  for (round = 0; round < 2;
       round++) { /* nothing is left from the one before */
    fail_unless (
        cenc_crypt_sample (enc_walk, params, aux, clear, out, size, NULL));
    assert_equals_int (memcmp (out, wanted, size), 0);
    fail_unless (
        cenc_crypt_sample (dec_walk, params, aux, out, out, size, NULL));
    assert_equals_int (memcmp (out, clear, size), 0);
  }
}

GST_START_TEST (test_samples_match_reference)
{
  g_autoptr (GByteArray) entries = g_byte_array_new ();
  guint8 iv[16] = { 0x80, 0x41, 0x07, 0, 0, 0, 0, 0x99, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xfd };
  guint iv_size, scheme;

  reference_subsample (entries, 17, 16 * 21);
  reference_subsample (entries, 3, 0);
  reference_subsample (entries, 1, 16 * 40);
  for (scheme = CENC_SCHEME_CENC; scheme <= CENC_SCHEME_PIFF; scheme++) {
    gboolean pattern = cenc_scheme_has_pattern ((CencScheme) scheme);

    for (iv_size = 8; iv_size <= 16; iv_size += 8) {
      CencParams params = reference_params ((CencScheme) scheme,
          pattern ? 1 : 0, pattern ? 9 : 0, iv_size);
      CencSampleAux aux = { iv, (guint8) iv_size, entries->data, 3 };
      CencSampleAux whole = { iv, (guint8) iv_size, NULL, 0 };

      check_sample (&params, &aux, 17 + 3 + 1 + 16 * 61);
      check_sample (&params, &whole, 16 * 30 + 11);
    }
  }
}
GST_END_TEST;

static Suite *
cenc_crypt_aes_suite (void)
{
  Suite *s = suite_create ("cenc-crypt-aes");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_nist);
  tcase_add_test (tc, test_samples_match_reference);
  return s;
}

GST_CHECK_MAIN (cenc_crypt_aes);
