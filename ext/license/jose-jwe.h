/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JWE, compact, ECDH-ES on P-256 in direct key agreement with A256GCM
 * (RFC 7516; RFC 7518, sections 4.6 and 5.3). The only thing asked of the
 * recipient's private key is EVP_PKEY_derive(), so that it can stay in a TPM or
 * a PKCS#11 token.
 */

#pragma once

#include <json-glib/json-glib.h>

#include "jose-key.h"

G_BEGIN_DECLS

/* Plaintext; wiped when freed. */
typedef struct
{
  guint8 *data;
  gsize size;
} JoseSecret;

JoseSecret *jose_secret_new (gsize size);
void jose_secret_free (JoseSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JoseSecret, jose_secret_free)

/*
 * @z: the ECDH shared secret, 32 bytes
 * @apu, @apv: (nullable): PartyUInfo and PartyVInfo, decoded
 * @alg: the AlgorithmID, "A256GCM" for direct agreement
 * @out: the derived key of @size bytes
 *
 * The Concat KDF of RFC 7518, 4.6.2, by SHA-256.
 */
gboolean jose_concat_kdf (const guint8 *z, gsize z_size, const gchar *alg,
    GBytes *apu, GBytes *apv, guint8 *out, gsize size);

/*
 * @recipient: public key on P-256
 * @cty: content type for the header
 *
 * Returns: (transfer full): the compact JWE, NULL with GST_CENC_ERROR_FAILED
 */
gchar *jose_jwe_encrypt (EVP_PKEY *recipient, const gchar *cty,
    const guint8 *plain, gsize size, GError **error);

/*
 * @key: the recipient's private key
 * @cty: what the header's `cty` has to be
 *
 * Refused by name: another alg or enc, zip, crit, any header member beyond alg,
 * enc, epk, cty, typ, kid, apu, apv; an epk that is off the curve or private; a
 * non-empty encrypted key; an IV that is not 12 or a tag not 16 bytes.
 *
 * Returns: (transfer full): the plaintext; NULL with GST_CENC_ERROR_FORMAT,
 *   _UNSUPPORTED, or _SIGNATURE where the tag does not match
 */
JoseSecret *jose_jwe_decrypt (const gchar *compact, EVP_PKEY *key,
    const gchar *cty, GError **error);

G_END_DECLS
