/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a CPIX document keeps content keys for a recipient (CPIX 2.4, "Key
 * Encryption and Authentication"): RSA-OAEP (MGF1, SHA-1) wraps a document key
 * of 256 bits and a MAC key; AES-256-CBC wraps content keys, IV first;
 * HMAC-SHA-512 over IV and ciphertext is checked before anything is decrypted.
 */

#pragma once

#include "cenc/cpix-document.h"

G_BEGIN_DECLS

#define CPIX_DOCUMENT_KEY_SIZE 32
#define CPIX_MAC_SIZE 64

/** Bytes that are wiped when they are freed. */
typedef struct
{
  guint8 *data;
  gsize size;
  gsize capacity; /* of @data: all of it is wiped */
} CpixSecret;

CpixSecret *cpix_secret_new (gsize size);
void cpix_secret_free (CpixSecret *self);
/** Strict base64, white space skipped; NULL: no such thing. @text is as long as @length says. */
CpixSecret *cpix_secret_from_base64 (const gchar *text, gsize length);

/** One end of the exchange: a private key (reads) or a certificate (writes). */
typedef struct _CpixRecipient CpixRecipient;

/** @pem: an RSA private key, not encrypted. NULL with CPIX_ERROR_RECIPIENT. */
CpixRecipient *
cpix_recipient_new_from_key (const gchar *pem, gsize size, GError **error);
/** @pem: an X.509 certificate with an RSA key of 2048 bits at least. */
CpixRecipient *cpix_recipient_new_from_certificate (const gchar *pem,
    gsize size, GError **error);
void cpix_recipient_free (CpixRecipient *self);

/** Whether @certificate (DER) is for this one's key. */
gboolean cpix_recipient_owns (const CpixRecipient *self,
    const guint8 *certificate, gsize size);
/** (transfer full): the certificate in DER, NULL where there is only a key. */
GBytes *cpix_recipient_get_certificate (const CpixRecipient *self);

/** RSA-OAEP; NULL with CPIX_ERROR_RECIPIENT. */
CpixSecret *cpix_unwrap (const CpixRecipient *self, const guint8 *data,
    gsize size, GError **error);
/** (transfer full): RSA-OAEP; NULL with CPIX_ERROR_FAILED. */
GBytes *
cpix_wrap (const CpixRecipient *self, const CpixSecret *secret, GError **error);

/** @mac: CPIX_MAC_SIZE bytes */
gboolean
cpix_mac (const CpixSecret *key, const guint8 *data, gsize size, guint8 *mac);
/** Compares in constant time. */
gboolean cpix_mac_equal (const guint8 *a, const guint8 *b);

/** @data: IV and ciphertext. NULL with CPIX_ERROR_RECIPIENT: key or padding is wrong. */
CpixSecret *cpix_decrypt (const CpixSecret *key, const guint8 *data, gsize size,
    GError **error);
/** (transfer full): a random IV and the ciphertext of @size bytes. */
GBytes *cpix_encrypt (const CpixSecret *key, const guint8 *data, gsize size,
    GError **error);
/** Random bytes. */
CpixSecret *cpix_secret_new_random (gsize size, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CpixSecret, cpix_secret_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CpixRecipient, cpix_recipient_free)

G_END_DECLS
