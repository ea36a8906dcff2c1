/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Known answers of NIST SP 800-38A, appendix F. */

#include "cenc/cenc-cipher.h"

#include <gst/check/gstcheck.h>

static const guint8 kid[GST_CENC_KID_SIZE] = { 0 };

static const guint8 nist_key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2,
  0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };

static const guint8 nist_plain[64] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f,
  0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57,
  0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51, 0x30,
  0xc8, 0x1c, 0x46, 0xa3, 0x5c, 0xe4, 0x11, 0xe5, 0xfb, 0xc1, 0x19, 0x1a, 0x0a,
  0x52, 0xef, 0xf6, 0x9f, 0x24, 0x45, 0xdf, 0x4f, 0x9b, 0x17, 0xad, 0x2b, 0x41,
  0x7b, 0xe6, 0x6c, 0x37, 0x10 };

/* F.2.1 */
static const guint8 cbc_iv[16] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
  0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
static const guint8 cbc_cipher[64] = { 0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2,
  0x46, 0xce, 0xe9, 0x8e, 0x9b, 0x12, 0xe9, 0x19, 0x7d, 0x50, 0x86, 0xcb, 0x9b,
  0x50, 0x72, 0x19, 0xee, 0x95, 0xdb, 0x11, 0x3a, 0x91, 0x76, 0x78, 0xb2, 0x73,
  0xbe, 0xd6, 0xb8, 0xe3, 0xc1, 0x74, 0x3b, 0x71, 0x16, 0xe6, 0x9e, 0x22, 0x22,
  0x95, 0x16, 0x3f, 0xf1, 0xca, 0xa1, 0x68, 0x1f, 0xac, 0x09, 0x12, 0x0e, 0xca,
  0x30, 0x75, 0x86, 0xe1, 0xa7 };

/* F.5.1 */
static const guint8 ctr_iv[16] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6,
  0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff };
static const guint8 ctr_cipher[64] = { 0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3,
  0x26, 0x1b, 0xef, 0x68, 0x64, 0x99, 0x0d, 0xb6, 0xce, 0x98, 0x06, 0xf6, 0x6b,
  0x79, 0x70, 0xfd, 0xff, 0x86, 0x17, 0x18, 0x7b, 0xb9, 0xff, 0xfd, 0xff, 0x5a,
  0xe4, 0xdf, 0x3e, 0xdb, 0xd5, 0xd3, 0x5e, 0x5b, 0x4f, 0x09, 0x02, 0x0d, 0xb0,
  0x3e, 0xab, 0x1e, 0x03, 0x1d, 0xda, 0x2f, 0xbe, 0x03, 0xd1, 0x79, 0x21, 0x70,
  0xa0, 0xf3, 0x00, 0x9c, 0xee };

/* Runs @in through the cipher in calls of the sizes in @steps (0-terminated,
 * the last one is repeated), twice, so that the second start is seen to reset. */
static void
check (CencMode mode, CencCipherDirection direction, const guint8 *iv,
    const guint8 *in, const guint8 *expected, const gsize *steps)
{
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid, nist_key);
  g_autoptr (GError) error = NULL;
  g_autoptr (CencCipher) cipher =
      cenc_cipher_new (key, mode, direction, &error);
  guint round;

  fail_unless (cipher != NULL, "%s", error ? error->message : "");
  for (round = 0; round < 2; round++) {
    const gsize *step = steps;
    guint8 out[64] = { 0 };
    gsize pos = 0;

    fail_unless (cenc_cipher_funcs.start (cipher, iv));
    while (pos < sizeof out) {
      gsize size = MIN (*step, sizeof out - pos);

      fail_unless (
          cenc_cipher_funcs.update (cipher, in + pos, out + pos, size));
      pos += size;
      if (step[1])
        step++;
    }
    fail_unless (memcmp (out, expected, sizeof out) == 0);
  }
}

static const gsize whole[] = { 64, 0 };
static const gsize blocks[] = { 16, 32, 16, 0 };
static const gsize odd[] = { 1, 15, 17, 3, 5, 0 };

GST_START_TEST (test_ctr)
{
  const gsize *const steps[] = { whole, blocks, odd };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (steps); i++) {
    check (CENC_MODE_CTR, CENC_CIPHER_ENCRYPT, ctr_iv, nist_plain, ctr_cipher,
        steps[i]);
    check (CENC_MODE_CTR, CENC_CIPHER_DECRYPT, ctr_iv, ctr_cipher, nist_plain,
        steps[i]);
  }
}
GST_END_TEST;

GST_START_TEST (test_cbc)
{
  const gsize *const steps[] = { whole, blocks };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (steps); i++) {
    check (CENC_MODE_CBC, CENC_CIPHER_ENCRYPT, cbc_iv, nist_plain, cbc_cipher,
        steps[i]);
    check (CENC_MODE_CBC, CENC_CIPHER_DECRYPT, cbc_iv, cbc_cipher, nist_plain,
        steps[i]);
  }
}
GST_END_TEST;

GST_START_TEST (test_in_place)
{
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid, nist_key);
  g_autoptr (CencCipher) cbc =
      cenc_cipher_new (key, CENC_MODE_CBC, CENC_CIPHER_DECRYPT, NULL);
  g_autoptr (CencCipher) ctr =
      cenc_cipher_new (key, CENC_MODE_CTR, CENC_CIPHER_DECRYPT, NULL);
  guint8 data[64];

  memcpy (data, cbc_cipher, sizeof data);
  fail_unless (cenc_cipher_funcs.start (cbc, cbc_iv));
  fail_unless (cenc_cipher_funcs.update (cbc, data, data, sizeof data));
  fail_unless (memcmp (data, nist_plain, sizeof data) == 0);

  memcpy (data, ctr_cipher, sizeof data);
  fail_unless (cenc_cipher_funcs.start (ctr, ctr_iv));
  fail_unless (cenc_cipher_funcs.update (ctr, data, data, sizeof data));
  fail_unless (memcmp (data, nist_plain, sizeof data) == 0);
}
GST_END_TEST;

GST_START_TEST (test_misuse)
{
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid, nist_key);
  g_autoptr (CencCipher) cbc =
      cenc_cipher_new (key, CENC_MODE_CBC, CENC_CIPHER_DECRYPT, NULL);
  guint8 data[64] = { 0 };

  ASSERT_CRITICAL (cenc_cipher_funcs.update (cbc, data, data, 16));
  fail_unless (cenc_cipher_funcs.start (cbc, cbc_iv));
  ASSERT_CRITICAL (cenc_cipher_funcs.update (cbc, data, data, 17));
  cenc_cipher_free (NULL);
}
GST_END_TEST;

static Suite *
cenc_cipher_suite (void)
{
  Suite *suite = suite_create ("cenc-cipher");
  TCase *tc = tcase_create ("nist");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_ctr);
  tcase_add_test (tc, test_cbc);
  tcase_add_test (tc, test_in_place);
  tcase_add_test (tc, test_misuse);
  return suite;
}

GST_CHECK_MAIN (cenc_cipher);
