/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/cenc-cipher.h"

#include <gst/cenc/gstcenckeysession.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

struct _CencCipher
{
  EVP_CIPHER_CTX *context;
  EVP_CIPHER_CTX *blocks; /* ECB; NULL where the direction is to decrypt */
  CencMode mode;
  CencCipherDirection direction;
  gboolean started;

  /* CBC: to set an IV costs as much as the cipher takes for a small sample. So the context
   * goes on with the chain that it has, and the first block is corrected. */
  guint8
      chain[CENC_BLOCK_SIZE]; /* what the context chains the next block with */
  guint8 fix[CENC_BLOCK_SIZE]; /* for the first block since the start */
  gboolean fixes; /* it is still to come */
};

/* EVP_CipherUpdate() counts in int; whole blocks, so that CBC can go on. */
#define MAX_UPDATE ((gsize) 1 << 30)

/* Beside those of CencMode */
#define MODE_ECB 2

/* Fetched once for the process: a fetch takes locks and a search by name. */
static EVP_CIPHER *
get_algorithm (guint mode)
{
  static gsize once = 0;
  static EVP_CIPHER *algorithms[3];

  if (g_once_init_enter (&once)) {
    algorithms[CENC_MODE_CTR] = EVP_CIPHER_fetch (NULL, "AES-128-CTR", NULL);
    algorithms[CENC_MODE_CBC] = EVP_CIPHER_fetch (NULL, "AES-128-CBC", NULL);
    algorithms[MODE_ECB] = EVP_CIPHER_fetch (NULL, "AES-128-ECB", NULL);
    g_once_init_leave (&once, 1);
  }
  return algorithms[mode];
}

static EVP_CIPHER_CTX *
make_context (const GstCencKey *key, guint mode, CencCipherDirection direction)
{
  static const guint8 iv[CENC_BLOCK_SIZE] = { 0 };
  EVP_CIPHER *algorithm = get_algorithm (mode);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new ();

  if (algorithm && context &&
      EVP_CipherInit_ex2 (context, algorithm, gst_cenc_key_get_data (key),
          mode == MODE_ECB ? NULL : iv, direction == CENC_CIPHER_ENCRYPT,
          NULL) == 1 &&
      /* CTR has none, and to switch it off costs time at each new IV. */
      (mode == CENC_MODE_CTR || EVP_CIPHER_CTX_set_padding (context, 0) == 1))
    return context;
  EVP_CIPHER_CTX_free (context);
  return NULL;
}

static gboolean
set_key (CencCipher *self, const GstCencKey *key)
{
  self->context = make_context (key, self->mode, self->direction);
  if (self->direction == CENC_CIPHER_ENCRYPT)
    self->blocks = make_context (key, MODE_ECB, CENC_CIPHER_ENCRYPT);
  return self->context &&
      (self->blocks || self->direction == CENC_CIPHER_DECRYPT);
}

CencCipher *
cenc_cipher_new (const GstCencKey *key, CencMode mode,
    CencCipherDirection direction, GError **error)
{
  g_autoptr (CencCipher) self = g_new0 (CencCipher, 1);

  self->mode = mode;
  self->direction = direction;
  if (!set_key (self, key)) {
    const gchar *reason = ERR_reason_error_string (ERR_get_error ());

    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        "OpenSSL cannot set up AES-128-%s: %s",
        mode == CENC_MODE_CTR ? "CTR" : "CBC", reason ? reason : "no reason");
    ERR_clear_error ();
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
cenc_cipher_free (CencCipher *self)
{
  if (!self)
    return;
  /* Wipes the expanded key. */
  EVP_CIPHER_CTX_free (self->context);
  EVP_CIPHER_CTX_free (self->blocks);
  g_free (self);
}

static void
xor_block (guint8 *out, const guint8 *a, const guint8 *b)
{
  guint i;

  for (i = 0; i < CENC_BLOCK_SIZE; i++)
    out[i] = a[i] ^ b[i];
}

static gboolean
cenc_cipher_start (gpointer cipher, const guint8 iv[CENC_BLOCK_SIZE])
{
  CencCipher *self = cipher;

  if (self->mode == CENC_MODE_CBC) {
    xor_block (self->fix, self->chain, iv);
    self->fixes = self->started = TRUE;
    return TRUE;
  }
  self->started =
      EVP_CipherInit_ex2 (self->context, NULL, NULL, iv, -1, NULL) == 1;
  return self->started;
}

static gboolean
update (EVP_CIPHER_CTX *context, const guint8 *in, guint8 *out, gsize size)
{
  while (size > 0) {
    gint part = (gint) MIN (size, MAX_UPDATE), written = 0;

    if (EVP_CipherUpdate (context, out, &written, in, part) != 1 ||
        written != part)
      return FALSE;
    in += part;
    out += part;
    size -= part;
  }
  return TRUE;
}

static gboolean
encrypt_cbc (CencCipher *self, const guint8 *in, guint8 *out, gsize size)
{
  gsize last = size - CENC_BLOCK_SIZE;

  if (self->fixes) {
    xor_block (out, in, self->fix);
    if (in != out && last > 0) {
      if (!update (self->context, out, out, CENC_BLOCK_SIZE))
        return FALSE;
      in += CENC_BLOCK_SIZE;
      out += CENC_BLOCK_SIZE;
      size = last;
      last -= CENC_BLOCK_SIZE;
    } else {
      in = out;
    }
  }
  if (!update (self->context, in, out, size))
    return FALSE;
  memcpy (self->chain, out + last, CENC_BLOCK_SIZE);
  return TRUE;
}

static gboolean
decrypt_cbc (CencCipher *self, const guint8 *in, guint8 *out, gsize size)
{
  memcpy (self->chain, in + (size - CENC_BLOCK_SIZE), CENC_BLOCK_SIZE);
  if (!update (self->context, in, out, size))
    return FALSE;
  if (self->fixes)
    xor_block (out, out, self->fix);
  return TRUE;
}

static gboolean
update_cbc (CencCipher *self, const guint8 *in, guint8 *out, gsize size)
{
  gboolean ok;

  if (size == 0)
    return TRUE;
  ok = self->direction == CENC_CIPHER_ENCRYPT
      ? encrypt_cbc (self, in, out, size)
      : decrypt_cbc (self, in, out, size);
  self->fixes = FALSE;
  return ok;
}

static gboolean
cenc_cipher_update (gpointer cipher, const guint8 *in, guint8 *out, gsize size)
{
  CencCipher *self = cipher;

  g_return_val_if_fail (self->started, FALSE);
  g_return_val_if_fail (self->mode == CENC_MODE_CTR ||
          size % CENC_BLOCK_SIZE == 0,
      FALSE);

  return self->mode == CENC_MODE_CTR ? update (self->context, in, out, size)
                                     : update_cbc (self, in, out, size);
}

static gboolean
cenc_cipher_blocks (gpointer cipher, guint8 *blocks, gsize size)
{
  CencCipher *self = cipher;

  g_return_val_if_fail (self->blocks && size % CENC_BLOCK_SIZE == 0, FALSE);

  return update (self->blocks, blocks, blocks, size);
}

const CencCipherFuncs cenc_cipher_funcs = {
  cenc_cipher_start,
  cenc_cipher_update,
};

const CencCipherFuncs cenc_cipher_lanes_funcs = {
  cenc_cipher_start,
  cenc_cipher_update,
  cenc_cipher_blocks,
};
