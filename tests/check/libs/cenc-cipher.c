/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Known answers of NIST SP 800-38A, appendix F. */

#include "cenc/cenc-cipher.h"

#include <fcntl.h>
#include <gst/check/gstcheck.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../nist.h"

static const guint8 kid[GST_CENC_KID_SIZE] = { 0 };

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
    check (CENC_MODE_CTR, CENC_CIPHER_ENCRYPT, nist_ctr_iv, nist_plain,
        nist_ctr, steps[i]);
    check (CENC_MODE_CTR, CENC_CIPHER_DECRYPT, nist_ctr_iv, nist_ctr,
        nist_plain, steps[i]);
  }
}
GST_END_TEST;

GST_START_TEST (test_cbc)
{
  const gsize *const steps[] = { whole, blocks };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (steps); i++) {
    check (CENC_MODE_CBC, CENC_CIPHER_ENCRYPT, nist_cbc_iv, nist_plain,
        nist_cbc, steps[i]);
    check (CENC_MODE_CBC, CENC_CIPHER_DECRYPT, nist_cbc_iv, nist_cbc,
        nist_plain, steps[i]);
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

  memcpy (data, nist_cbc, sizeof data);
  fail_unless (cenc_cipher_funcs.start (cbc, nist_cbc_iv));
  fail_unless (cenc_cipher_funcs.update (cbc, data, data, sizeof data));
  fail_unless (memcmp (data, nist_plain, sizeof data) == 0);

  memcpy (data, nist_ctr, sizeof data);
  fail_unless (cenc_cipher_funcs.start (ctr, nist_ctr_iv));
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
  fail_unless (cenc_cipher_funcs.start (cbc, nist_cbc_iv));
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
    { CENC_MODE_CTR, nist_ctr_iv, nist_ctr },
    { CENC_MODE_CBC, nist_cbc_iv, nist_cbc },
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

/* Not OpenSSL's random bytes: of these it may leave some in memory. */
static GstCencKey *
make_secret_key (void)
{
  guint8 data[GST_CENC_KEY_SIZE];
  GstCencKey *key;
  guint i;

  fail_unless (getentropy (data, sizeof data) == 0);
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

/* It is looked for in the right way: a copy is found as long as it is there. */
static void
check_search (void)
{
  guint8 *copy = g_malloc (GST_CENC_KEY_SIZE);
  guint n = count_key (), i;

  for (i = 0; i < GST_CENC_KEY_SIZE; i++)
    copy[i] = (guint8) ~inverted[i];
  assert_equals_int (count_key (), n + 1);
  explicit_bzero (copy, GST_CENC_KEY_SIZE);
  assert_equals_int (count_key (), n);
  g_free (copy);
}

static void
check_memory (CencMode mode, CencCipherDirection direction)
{
  GstCencKey *key = make_secret_key ();
  CencCipher *cipher = cenc_cipher_new (key, mode, direction, NULL);
  guint8 data[64] = { 0 };
  guint n;

  assert_equals_int (count_key (), 0);
  check_search ();
  fail_unless (cenc_cipher_funcs.start (cipher, nist_cbc_iv));
  fail_unless (cenc_cipher_funcs.update (cipher, data, data, sizeof data));
  if (direction == CENC_CIPHER_ENCRYPT)
    fail_unless (cenc_cipher_lanes_funcs.blocks (cipher, data, sizeof data));
  /* In OpenSSL's expanded keys, no more: with the processor's AES instructions it
   * stands in each of them as it is, without them it need not. */
  n = count_key ();
  fail_unless (n <= (direction == CENC_CIPHER_ENCRYPT ? 2 : 1), "%u", n);
  cenc_cipher_rest (cipher);
  assert_equals_int (count_key (), 0);
  fail_unless (cenc_cipher_funcs.start (cipher, nist_cbc_iv));
  fail_unless (count_key () <= MIN (n, 1));
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
