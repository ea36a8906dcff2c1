/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bodies of a license client's requests; docs/licenses.md has the protocol. */

#pragma once

#include "license-store.h"

G_BEGIN_DECLS

#define LICENSE_REQUEST_TYPE "application/json"

/* Returns: (transfer full): 16 random bytes as base64url */
gchar *license_nonce_new (void);

/*
 * @kids: (nullable): 16 bytes each
 * @error: GST_CENC_ERROR_STORE, _FAILED
 *
 * Returns: (transfer full): the request for a license
 */
GBytes *license_protocol_acquire (LicenseStore *store, const gchar *nonce,
    GByteArray *kids, GError **error);

/*
 * @record: what happened to the license here; goes with it, so that the server
 *   can refuse a device that has forgotten something
 *
 * Returns: (transfer full): the request to renew or to take back @document
 */
GBytes *license_protocol_renew (LicenseStore *store, const gchar *nonce,
    const LicenseDocument *document, const LicenseRecord *record,
    GError **error);

G_END_DECLS
