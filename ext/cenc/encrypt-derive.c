/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-derive.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <string.h>
#include "cenc/encrypt-track.h"

#define INFO "gst-plugins-cenc content key"

static GstCencKey *
fail (GError **error, const gchar *message)
{
  g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED, message);
  return NULL;
}

GstCencKey *
encrypt_make_random_key (GError **error)
{
  guint8 kid[GST_CENC_KID_SIZE], key[GST_CENC_KEY_SIZE];
  GstCencKey *made;

  if (RAND_bytes (kid, sizeof kid) != 1 ||
      RAND_priv_bytes (key, sizeof key) != 1)
    return fail (error, "no random bytes for a key");
  kid[6] = (kid[6] & 0x0f) | 0x40; /* a UUID of version 4 */
  kid[8] = (kid[8] & 0x3f) | 0x80;
  made = gst_cenc_key_new (kid, key);
  OPENSSL_cleanse (key, sizeof key);
  return made;
}

/* @kid + @number, big-endian */
static void
add (guint8 *kid, guint64 number)
{
  guint64 upper = bmff_get_u64 (kid), lower = bmff_get_u64 (kid + 8);

  bmff_put_u64 (kid + 8, lower + number);
  bmff_put_u64 (kid, upper + (lower + number < lower));
}

static gboolean
hkdf (const guint8 *seed, gsize size, const guint8 *info, gsize info_size,
    guint8 *out, gsize out_size)
{
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, "HKDF", NULL);
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new (kdf) : NULL;
  gchar digest[] = "SHA2-256";
  OSSL_PARAM params[] = {
    OSSL_PARAM_utf8_string (OSSL_KDF_PARAM_DIGEST, digest, sizeof digest - 1),
    OSSL_PARAM_octet_string (OSSL_KDF_PARAM_KEY, (void *) seed, size),
    OSSL_PARAM_octet_string (OSSL_KDF_PARAM_INFO, (void *) info, info_size),
    OSSL_PARAM_END,
  };
  gboolean ok = context && EVP_KDF_derive (context, out, out_size, params) == 1;

  EVP_KDF_CTX_free (context);
  EVP_KDF_free (kdf);
  return ok;
}

GstCencKey *
encrypt_derive_key (const guint8 *first_kid, guint64 number, const guint8 *seed,
    gsize size, GError **error)
{
  guint8 info[sizeof INFO - 1 + GST_CENC_KID_SIZE], key[GST_CENC_KEY_SIZE];
  guint8 *kid = info + sizeof INFO - 1;
  GstCencKey *made;

  memcpy (info, INFO, sizeof INFO - 1);
  memcpy (kid, first_kid, GST_CENC_KID_SIZE);
  add (kid, number);
  if (!hkdf (seed, size, info, sizeof info, key, sizeof key))
    return fail (error, "no key can be derived from key-seed");
  made = gst_cenc_key_new (kid, key);
  OPENSSL_cleanse (key, sizeof key);
  return made;
}
