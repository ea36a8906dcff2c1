/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/cenc-cipher.h"

#include <gst/cenc/gstcenckeysession.h>

#include <openssl/err.h>
#include <openssl/evp.h>

struct _CencCipher
{
  EVP_CIPHER_CTX *context;
  CencMode mode;
  gboolean started;
};

/* EVP_CipherUpdate() counts in int; whole blocks, so that CBC can go on. */
#define MAX_UPDATE ((gsize) 1 << 30)

/* Fetched once for the process: a fetch takes locks and a search by name. */
static EVP_CIPHER *
get_algorithm (CencMode mode)
{
  static gsize once = 0;
  static EVP_CIPHER *algorithms[2];

  if (g_once_init_enter (&once)) {
    algorithms[CENC_MODE_CTR] = EVP_CIPHER_fetch (NULL, "AES-128-CTR", NULL);
    algorithms[CENC_MODE_CBC] = EVP_CIPHER_fetch (NULL, "AES-128-CBC", NULL);
    g_once_init_leave (&once, 1);
  }
  return algorithms[mode];
}

static gboolean
set_key (CencCipher *self, const GstCencKey *key, CencCipherDirection direction)
{
  EVP_CIPHER *algorithm = get_algorithm (self->mode);

  return algorithm && self->context &&
      EVP_CipherInit_ex2 (self->context, algorithm, gst_cenc_key_get_data (key),
          NULL, direction == CENC_CIPHER_ENCRYPT, NULL) == 1 &&
      /* CTR has none, and to switch it off costs time at each new IV. */
      (self->mode == CENC_MODE_CTR ||
          EVP_CIPHER_CTX_set_padding (self->context, 0) == 1);
}

CencCipher *
cenc_cipher_new (const GstCencKey *key, CencMode mode,
    CencCipherDirection direction, GError **error)
{
  g_autoptr (CencCipher) self = g_new0 (CencCipher, 1);

  self->mode = mode;
  self->context = EVP_CIPHER_CTX_new ();
  if (!set_key (self, key, direction)) {
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
  g_free (self);
}

static gboolean
cenc_cipher_start (gpointer cipher, const guint8 iv[CENC_BLOCK_SIZE])
{
  CencCipher *self = cipher;

  self->started =
      EVP_CipherInit_ex2 (self->context, NULL, NULL, iv, -1, NULL) == 1;
  return self->started;
}

static gboolean
cenc_cipher_update (gpointer cipher, const guint8 *in, guint8 *out, gsize size)
{
  CencCipher *self = cipher;

  g_return_val_if_fail (self->started, FALSE);
  g_return_val_if_fail (self->mode == CENC_MODE_CTR ||
          size % CENC_BLOCK_SIZE == 0,
      FALSE);

  while (size > 0) {
    gint part = (gint) MIN (size, MAX_UPDATE), written = 0;

    if (EVP_CipherUpdate (self->context, out, &written, in, part) != 1 ||
        written != part)
      return FALSE;
    in += part;
    out += part;
    size -= part;
  }
  return TRUE;
}

const CencCipherFuncs cenc_cipher_funcs = {
  cenc_cipher_start,
  cenc_cipher_update,
};
