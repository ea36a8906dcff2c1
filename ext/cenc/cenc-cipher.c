/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/cenc-cipher.h"

#include <gst/cenc/gstcenckeysession.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

/* OpenSSL's context, and whether the key is in it. */
typedef struct
{
  EVP_CIPHER_CTX *evp;
  gboolean has_key;
} Context;

struct _CencCipher
{
  GstCencKey *key;
  Context stream;
  Context blocks; /* ECB; empty where the direction is to decrypt */
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

/* What stands in a context that has no key. */
static const guint8 no_key[GST_CENC_KEY_SIZE] = { 0 };

/* CTR has no padding. For the others it is told as a parameter, to the cipher: by
 * EVP_CIPHER_CTX_set_padding() it would be told again with each key and each IV. */
static gboolean
init_context (Context *self, guint mode, CencCipherDirection direction)
{
  static const guint8 iv[CENC_BLOCK_SIZE] = { 0 };
  EVP_CIPHER *algorithm = get_algorithm (mode);
  guint padding = 0;
  const OSSL_PARAM params[] = {
    OSSL_PARAM_construct_uint (OSSL_CIPHER_PARAM_PADDING, &padding),
    OSSL_PARAM_construct_end ()
  };

  self->evp = EVP_CIPHER_CTX_new ();
  return algorithm && self->evp &&
      EVP_CipherInit_ex2 (self->evp, algorithm, no_key,
          mode == MODE_ECB ? NULL : iv, direction == CENC_CIPHER_ENCRYPT,
          mode == CENC_MODE_CTR ? NULL : params) == 1;
}

/* @iv: NULL for ECB */
static gboolean
load_key (Context *self, const GstCencKey *key, const guint8 *iv)
{
  guint8 data[GST_CENC_KEY_SIZE];

  gst_cenc_key_copy_data (key, data);
  self->has_key = EVP_CipherInit_ex2 (self->evp, NULL, data, iv, -1, NULL) == 1;
  OPENSSL_cleanse (data, sizeof data);
  if (!self->has_key)
    EVP_CIPHER_CTX_reset (self->evp);
  return self->has_key;
}

/* Another key's expansion overwrites all of the first one's, and is cheaper than
 * to reset the context, which frees it. One that cannot be overwritten is. */
static void
unload_key (Context *self)
{
  if (self->has_key &&
      EVP_CipherInit_ex2 (self->evp, NULL, no_key, NULL, -1, NULL) != 1)
    EVP_CIPHER_CTX_reset (self->evp);
  self->has_key = FALSE;
}

static gboolean
init (CencCipher *self)
{
  return init_context (&self->stream, self->mode, self->direction) &&
      (self->direction == CENC_CIPHER_DECRYPT ||
          init_context (&self->blocks, MODE_ECB, CENC_CIPHER_ENCRYPT));
}

CencCipher *
cenc_cipher_new (const GstCencKey *key, CencMode mode,
    CencCipherDirection direction, GError **error)
{
  g_autoptr (CencCipher) self = g_new0 (CencCipher, 1);

  self->key = gst_cenc_key_ref ((GstCencKey *) key);
  self->mode = mode;
  self->direction = direction;
  if (!init (self)) {
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
  EVP_CIPHER_CTX_free (self->stream.evp);
  EVP_CIPHER_CTX_free (self->blocks.evp);
  gst_cenc_key_unref (self->key);
  g_free (self);
}

void
cenc_cipher_rest (CencCipher *self)
{
  unload_key (&self->stream);
  unload_key (&self->blocks);
  self->started = FALSE;
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

  if (!self->stream.has_key) {
    memcpy (self->chain, iv, CENC_BLOCK_SIZE);
    self->fixes = FALSE;
    self->started = load_key (&self->stream, self->key, iv);
    return self->started;
  }
  if (self->mode == CENC_MODE_CBC) {
    xor_block (self->fix, self->chain, iv);
    self->fixes = self->started = TRUE;
    return TRUE;
  }
  self->started =
      EVP_CipherInit_ex2 (self->stream.evp, NULL, NULL, iv, -1, NULL) == 1;
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
      if (!update (self->stream.evp, out, out, CENC_BLOCK_SIZE))
        return FALSE;
      in += CENC_BLOCK_SIZE;
      out += CENC_BLOCK_SIZE;
      size = last;
      last -= CENC_BLOCK_SIZE;
    } else {
      in = out;
    }
  }
  if (!update (self->stream.evp, in, out, size))
    return FALSE;
  memcpy (self->chain, out + last, CENC_BLOCK_SIZE);
  return TRUE;
}

static gboolean
decrypt_cbc (CencCipher *self, const guint8 *in, guint8 *out, gsize size)
{
  memcpy (self->chain, in + (size - CENC_BLOCK_SIZE), CENC_BLOCK_SIZE);
  if (!update (self->stream.evp, in, out, size))
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

  return self->mode == CENC_MODE_CTR ? update (self->stream.evp, in, out, size)
                                     : update_cbc (self, in, out, size);
}

static gboolean
cenc_cipher_blocks (gpointer cipher, guint8 *blocks, gsize size)
{
  CencCipher *self = cipher;

  g_return_val_if_fail (self->blocks.evp && size % CENC_BLOCK_SIZE == 0, FALSE);

  return (self->blocks.has_key || load_key (&self->blocks, self->key, NULL)) &&
      update (self->blocks.evp, blocks, blocks, size);
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
