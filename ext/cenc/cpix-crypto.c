/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define AES_BLOCK 16
#define MIN_RSA_BITS 2048
/* Beyond this a key only costs time. */
#define MAX_RSA_BITS 16384

struct _CpixRecipient
{
  EVP_PKEY *key;
  X509 *certificate; /* NULL: @key is a private one */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)

CpixSecret *
cpix_secret_new (gsize size)
{
  CpixSecret *self = g_new0 (CpixSecret, 1);

  self->data = g_malloc0 (MAX (size, 1));
  self->size = self->capacity = size;
  return self;
}

void
cpix_secret_free (CpixSecret *self)
{
  if (!self)
    return;
  OPENSSL_cleanse (self->data, self->capacity);
  g_free (self->data);
  g_free (self);
}

CpixSecret *
cpix_secret_new_random (gsize size, GError **error)
{
  g_autoptr (CpixSecret) self = cpix_secret_new (size);

  if (RAND_priv_bytes (self->data, (int) size) == 1)
    return g_steal_pointer (&self);
  g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_FAILED,
      "no random bytes for a key");
  return NULL;
}

static gint
base64_value (gchar c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Of our own, so that no copy of the key stays in memory that is not wiped. */
CpixSecret *
cpix_secret_from_base64 (const gchar *text, gsize length)
{
  g_autoptr (CpixSecret) out = cpix_secret_new (length / 4 * 3 + 3);
  guint bits = 0, n_bits = 0;
  gsize i, size = 0, digits = 0, padding = 0;

  for (i = 0; i < length; i++) {
    gint value = base64_value (text[i]);

    if (g_ascii_isspace (text[i]))
      continue;
    digits++;
    if (text[i] == '=') {
      padding++;
      continue;
    }
    if (value < 0 || padding > 0)
      return NULL;
    bits = (bits << 6 | value) & 0xffff;
    n_bits += 6;
    if (n_bits >= 8) {
      n_bits -= 8;
      out->data[size++] = bits >> n_bits & 0xff;
    }
  }
  if (digits % 4 || padding > 2 || n_bits != 2 * padding)
    return NULL;
  out->size = size;
  return g_steal_pointer (&out);
}

/* Recipients */

/* A password would be asked for on the terminal. */
static int
no_password (char *buffer, int size, int rwflag, void *user_data)
{
  return -1;
}

static gboolean
check_rsa (EVP_PKEY *key, GError **error)
{
  if (key && EVP_PKEY_is_a (key, "RSA") &&
      EVP_PKEY_get_bits (key) >= MIN_RSA_BITS &&
      EVP_PKEY_get_bits (key) <= MAX_RSA_BITS)
    return TRUE;
  g_set_error (error, CPIX_ERROR, CPIX_ERROR_RECIPIENT,
      "not an RSA key of %d bits at least, in PEM and without a password",
      MIN_RSA_BITS);
  return FALSE;
}

CpixRecipient *
cpix_recipient_new_from_key (const gchar *pem, gsize size, GError **error)
{
  g_autoptr (CpixRecipient) self = g_new0 (CpixRecipient, 1);
  g_autoptr (BIO) bio = NULL;

  if (size <= G_MAXINT)
    bio = BIO_new_mem_buf (pem, (int) size);
  if (bio)
    self->key = PEM_read_bio_PrivateKey (bio, NULL, no_password, NULL);
  return check_rsa (self->key, error) ? g_steal_pointer (&self) : NULL;
}

CpixRecipient *
cpix_recipient_new_from_certificate (const gchar *pem, gsize size,
    GError **error)
{
  g_autoptr (CpixRecipient) self = g_new0 (CpixRecipient, 1);
  g_autoptr (BIO) bio = NULL;

  if (size <= G_MAXINT)
    bio = BIO_new_mem_buf (pem, (int) size);
  if (bio)
    self->certificate = PEM_read_bio_X509 (bio, NULL, no_password, NULL);
  if (self->certificate)
    self->key = X509_get_pubkey (self->certificate);
  return check_rsa (self->key, error) ? g_steal_pointer (&self) : NULL;
}

void
cpix_recipient_free (CpixRecipient *self)
{
  if (!self)
    return;
  EVP_PKEY_free (self->key);
  X509_free (self->certificate);
  g_free (self);
}

gboolean
cpix_recipient_owns (const CpixRecipient *self, const guint8 *certificate,
    gsize size)
{
  X509 *x509 = size <= G_MAXINT ? d2i_X509 (NULL, &certificate, size) : NULL;
  EVP_PKEY *key = x509 ? X509_get0_pubkey (x509) : NULL;
  gboolean owns = key && EVP_PKEY_eq (key, self->key) == 1;

  X509_free (x509);
  return owns;
}

GBytes *
cpix_recipient_get_certificate (const CpixRecipient *self)
{
  unsigned char *der = NULL;
  int size = self->certificate ? i2d_X509 (self->certificate, &der) : -1;
  GBytes *bytes = size > 0 ? g_bytes_new (der, size) : NULL;

  OPENSSL_free (der);
  return bytes;
}

/* RSA-OAEP; its digest and MGF1's are SHA-1, as xmlenc's rsa-oaep-mgf1p says. */
static gboolean
set_padding (EVP_PKEY_CTX *ctx)
{
  return EVP_PKEY_CTX_set_rsa_padding (ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
      EVP_PKEY_CTX_set_rsa_oaep_md (ctx, EVP_sha1 ()) > 0 &&
      EVP_PKEY_CTX_set_rsa_mgf1_md (ctx, EVP_sha1 ()) > 0;
}

CpixSecret *
cpix_unwrap (const CpixRecipient *self, const guint8 *data, gsize size,
    GError **error)
{
  g_autoptr (EVP_PKEY_CTX) ctx =
      EVP_PKEY_CTX_new_from_pkey (NULL, self->key, NULL);
  g_autoptr (CpixSecret) out = cpix_secret_new (EVP_PKEY_get_size (self->key));
  size_t n = out->size;

  if (ctx && EVP_PKEY_decrypt_init (ctx) > 0 && set_padding (ctx) &&
      EVP_PKEY_decrypt (ctx, out->data, &n, data, size) > 0) {
    out->size = n;
    return g_steal_pointer (&out);
  }
  g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_RECIPIENT,
      "a key for the recipient cannot be decrypted");
  return NULL;
}

GBytes *
cpix_wrap (const CpixRecipient *self, const CpixSecret *secret, GError **error)
{
  g_autoptr (EVP_PKEY_CTX) ctx =
      EVP_PKEY_CTX_new_from_pkey (NULL, self->key, NULL);
  size_t n = EVP_PKEY_get_size (self->key);
  g_autofree guint8 *out = g_malloc (n);

  if (ctx && EVP_PKEY_encrypt_init (ctx) > 0 && set_padding (ctx) &&
      EVP_PKEY_encrypt (ctx, out, &n, secret->data, secret->size) > 0)
    return g_bytes_new_take (g_steal_pointer (&out), n);
  g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_FAILED,
      "a key cannot be encrypted for the recipient");
  return NULL;
}

gboolean
cpix_mac (const CpixSecret *key, const guint8 *data, gsize size, guint8 *mac)
{
  unsigned int n = 0;

  return key->size <= G_MAXINT &&
      HMAC (EVP_sha512 (), key->data, (int) key->size, data, size, mac, &n) &&
      n == CPIX_MAC_SIZE;
}

gboolean
cpix_mac_equal (const guint8 *a, const guint8 *b)
{
  return CRYPTO_memcmp (a, b, CPIX_MAC_SIZE) == 0;
}

/* xmlenc tells the number of padding bytes by the last one only; PKCS #7, which
 * CPIX asks for, is one of its cases. */
static gboolean
strip_padding (CpixSecret *self)
{
  guint8 n = self->size > 0 ? self->data[self->size - 1] : 0;

  if (n == 0 || n > AES_BLOCK)
    return FALSE;
  self->size -= n;
  return TRUE;
}

CpixSecret *
cpix_decrypt (const CpixSecret *key, const guint8 *data, gsize size,
    GError **error)
{
  g_autoptr (EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new ();
  g_autoptr (CpixSecret) out = NULL;
  int n = 0;

  if (ctx && size >= 2 * AES_BLOCK && size % AES_BLOCK == 0 && size < 4096 &&
      key->size == CPIX_DOCUMENT_KEY_SIZE) {
    out = cpix_secret_new (size);
    if (EVP_DecryptInit_ex (ctx, EVP_aes_256_cbc (), NULL, key->data, data) &&
        EVP_CIPHER_CTX_set_padding (ctx, 0) &&
        EVP_DecryptUpdate (ctx, out->data, &n, data + AES_BLOCK,
            (int) size - AES_BLOCK)) {
      out->size = n;
      if (strip_padding (out))
        return g_steal_pointer (&out);
    }
  }
  g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_RECIPIENT,
      "a content key cannot be decrypted");
  return NULL;
}

GBytes *
cpix_encrypt (const CpixSecret *key, const guint8 *data, gsize size,
    GError **error)
{
  g_autoptr (EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new ();
  g_autofree guint8 *out = g_malloc (size + 2 * AES_BLOCK);
  int n = 0, last = 0;

  if (ctx && RAND_bytes (out, AES_BLOCK) == 1 &&
      EVP_EncryptInit_ex (ctx, EVP_aes_256_cbc (), NULL, key->data, out) &&
      EVP_EncryptUpdate (ctx, out + AES_BLOCK, &n, data, (int) size) &&
      EVP_EncryptFinal_ex (ctx, out + AES_BLOCK + n, &last))
    return g_bytes_new_take (g_steal_pointer (&out), AES_BLOCK + n + last);
  g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_FAILED,
      "a content key cannot be encrypted");
  return NULL;
}
