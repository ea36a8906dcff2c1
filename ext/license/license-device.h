/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The device's key: a private key on P-256 behind an OSSL_STORE URI. Where it
 * really lives is the URI's business: a file, a TPM (handle:, by tpm2-openssl),
 * a PKCS#11 token (pkcs11:, by a provider). Providers are loaded by OpenSSL's
 * own configuration.
 */

#pragma once

#include "jose-key.h"

G_BEGIN_DECLS

/*
 * @uri: `file:/path`, a path, or a URI of another OSSL_STORE loader
 * @create: make the key if @uri is a file that is not there yet: mode 0600, and
 *   on the disk when this returns. Two processes that do so at once end up with
 *   one and the same key.
 * @error: GST_CENC_ERROR_STORE; _UNSUPPORTED if the key is not on P-256
 *
 * Returns: (transfer full): the key
 */
EVP_PKEY *
license_device_key_load (const gchar *uri, gboolean create, GError **error);

/* Returns: (transfer full) (nullable): the path that @uri names, NULL if it names no file */
gchar *license_device_key_path (const gchar *uri);

G_END_DECLS
