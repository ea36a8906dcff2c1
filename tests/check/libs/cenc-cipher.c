/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Known answers of NIST SP 800-38A, appendix F. */

#include "cenc/cenc-cipher.h"

#include <fcntl.h>
#include <gst/check/gstcheck.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* The key comes back with the next start: with any IV, in the middle of a stream. */
GST_START_TEST (test_rest)
{
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid, nist_key);
  static const struct
  {
    CencMode mode;
    const guint8 *iv, *cipher;
  } cases[] = {
    { CENC_MODE_CTR, ctr_iv, ctr_cipher },
    { CENC_MODE_CBC, cbc_iv, cbc_cipher },
  };
  guint i, n;

  for (i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    CencCipherDirection direction = i % 2;
    g_autoptr (CencCipher) cipher =
        cenc_cipher_new (key, cases[i / 2].mode, direction, NULL);
    const guint8 *in =
        direction == CENC_CIPHER_DECRYPT ? cases[i / 2].cipher : nist_plain;
    const guint8 *out =
        direction == CENC_CIPHER_DECRYPT ? nist_plain : cases[i / 2].cipher;
    guint8 data[64];

    for (n = 0; n < 4; n++) {
      cenc_cipher_rest (cipher);
      if (n % 2) { /* a start that nothing is done with */
        fail_unless (cenc_cipher_funcs.start (cipher, nist_key));
      }
      fail_unless (cenc_cipher_funcs.start (cipher, cases[i / 2].iv));
      fail_unless (cenc_cipher_funcs.update (cipher, in, data, 32));
      fail_unless (cenc_cipher_funcs.update (cipher, in + 32, data + 32, 32));
      fail_unless (memcmp (data, out, sizeof data) == 0);
      fail_unless (cenc_cipher_funcs.start (cipher, cases[i / 2].iv));
      fail_unless (cenc_cipher_funcs.update (cipher, in, data, 16));
      fail_unless (memcmp (data, out, 16) == 0);
    }
    cenc_cipher_rest (cipher);
    cenc_cipher_rest (cipher);
    ASSERT_CRITICAL (cenc_cipher_funcs.update (cipher, in, data, 16));
  }
}
GST_END_TEST;

/* --- what is left in memory --- */

#define PIECE (1u << 20)

/* Each byte of the key inverted: the search must not find what it searches by. */
static volatile guint8 inverted[GST_CENC_KEY_SIZE];

static GstCencKey *
make_secret_key (void)
{
  guint8 data[GST_CENC_KEY_SIZE];
  GstCencKey *key;
  guint i;

  fail_unless (RAND_bytes (data, sizeof data) == 1);
  for (i = 0; i < sizeof data; i++)
    inverted[i] = (guint8) ~data[i];
  key = gst_cenc_key_new (kid, data);
  explicit_bzero (data, sizeof data);
  return key;
}

static gboolean
is_key (const guint8 *data)
{
  guint i;

  for (i = 0; i < GST_CENC_KEY_SIZE; i++) {
    if ((data[i] ^ inverted[i]) != 0xff)
      return FALSE;
  }
  return TRUE;
}

static guint
count_in_piece (const guint8 *piece, gsize size)
{
  const guint8 first = (guint8) ~inverted[0];
  const guint8 *at = piece, *end = piece + size;
  guint n = 0;

  while (end - at >= GST_CENC_KEY_SIZE &&
      (at = memchr (at, first, (gsize) (end - at) - 15)))
    n += is_key (at++);
  return n;
}

/* @piece is where it is read to, and so the one place that is not looked at. */
static guint
count_in_mapping (int memory, guint64 start, guint64 end, guint8 *piece)
{
  guint64 own = (guint64) (guintptr) piece, at;
  guint n = 0;

  for (at = start; at < end; at += PIECE - GST_CENC_KEY_SIZE) {
    gsize size = (gsize) MIN (end - at, PIECE);
    ssize_t got;

    if (at < own + PIECE && at + size > own)
      continue;
    got = pread (memory, piece, size, (off_t) at);
    if (got > 0)
      n += count_in_piece (piece, (gsize) got);
  }
  return n;
}

/* How often the key stands in the memory of this process. A sanitizer's shadow,
 * which is larger than all of the memory, is left out. */
static guint
count_key (void)
{
  guint8 *piece = mmap (NULL, 3 * PIECE, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int memory = open ("/proc/self/mem", O_RDONLY);
  FILE *maps = fopen ("/proc/self/maps", "r");
  guint64 start, end;
  char line[512], rights[5];
  guint n = 0;

  fail_unless (piece != MAP_FAILED && memory >= 0 && maps);
  while (fgets (line, sizeof line, maps)) {
    if (sscanf (line, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x %4s",
            &start, &end, rights) == 3 &&
        rights[0] == 'r' && end - start < G_GUINT64_CONSTANT (1) << 30 &&
        !strstr (line, "[v"))
      n += count_in_mapping (memory, start, end, piece + PIECE);
  }
  fclose (maps);
  close (memory);
  munmap (piece, 3 * PIECE);
  return n;
}

static void
check_memory (CencMode mode, CencCipherDirection direction)
{
  GstCencKey *key = make_secret_key ();
  CencCipher *cipher = cenc_cipher_new (key, mode, direction, NULL);
  guint8 data[64] = { 0 };

  assert_equals_int (count_key (), 0);
  fail_unless (cenc_cipher_funcs.start (cipher, cbc_iv));
  fail_unless (cenc_cipher_funcs.update (cipher, data, data, sizeof data));
  if (direction == CENC_CIPHER_ENCRYPT)
    fail_unless (cenc_cipher_lanes_funcs.blocks (cipher, data, sizeof data));
  /* It is looked for in the right way. */
  assert_equals_int (count_key (), direction == CENC_CIPHER_ENCRYPT ? 2 : 1);
  cenc_cipher_rest (cipher);
  assert_equals_int (count_key (), 0);
  fail_unless (cenc_cipher_funcs.start (cipher, cbc_iv));
  assert_equals_int (count_key (), 1);
  cenc_cipher_free (cipher);
  gst_cenc_key_unref (key);
  assert_equals_int (count_key (), 0);
}

GST_START_TEST (test_no_key_is_left)
{
  check_memory (CENC_MODE_CTR, CENC_CIPHER_DECRYPT);
  check_memory (CENC_MODE_CTR, CENC_CIPHER_ENCRYPT);
  check_memory (CENC_MODE_CBC, CENC_CIPHER_DECRYPT);
  check_memory (CENC_MODE_CBC, CENC_CIPHER_ENCRYPT);
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
  tcase_add_test (tc, test_rest);
  tcase_add_test (tc, test_no_key_is_left);
  return suite;
}

GST_CHECK_MAIN (cenc_cipher);
