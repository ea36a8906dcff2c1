/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Public keys on P-256 between JOSE and OpenSSL. Private keys stay behind
 * EVP_PKEY handles and may live in a TPM or token: nothing here reads one.
 */

#pragma once

#include <json-glib/json-glib.h>
#include <openssl/evp.h>

G_BEGIN_DECLS

/* Bytes of a coordinate of P-256. */
#define JOSE_P256_SIZE 32

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

/*
 * @jwk: a public EC key (RFC 7518, 6.2.1). One with a private part `d`, of
 *   another curve or off the curve is refused.
 * @error: GST_CENC_ERROR_FORMAT or _UNSUPPORTED (another curve or type)
 *
 * Returns: (transfer full): the key
 */
EVP_PKEY *jose_key_from_jwk (JsonObject *jwk, GError **error);

/*
 * Returns: (transfer full): the public JWK of @key with its required members
 *   only, in lexical order and without blanks: what RFC 7638 hashes. NULL with
 *   GST_CENC_ERROR_UNSUPPORTED if @key is not on P-256.
 */
gchar *jose_key_to_jwk (EVP_PKEY *key, GError **error);

/*
 * For what takes no private part: a key in a TPM or a token is not taken by
 * OpenSSL for the other side of an agreement.
 *
 * Returns: (transfer full): the public key of @key, in memory
 */
EVP_PKEY *jose_key_copy_public (EVP_PKEY *key, GError **error);

/* Returns: (transfer full): RFC 7638 thumbprint by SHA-256, base64url (43 characters) */
gchar *jose_key_thumbprint (EVP_PKEY *key, GError **error);

/* Returns: (transfer full): a new key pair on P-256 */
EVP_PKEY *jose_key_generate (void);

/* Returns: (transfer full): text of the last OpenSSL error; empties its queue */
gchar *jose_openssl_error (void);

G_END_DECLS
