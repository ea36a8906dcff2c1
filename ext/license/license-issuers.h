/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may issue licenses: certificates that the integrator trusts, and those it
 * does no longer.
 *
 * A license is judged as of its issue date, not of today: else the end of a
 * certificate would end rentals that are paid for. The price: who steals the key
 * of an expired certificate can date licenses back. The deny-list is for that.
 */

#pragma once

#include <openssl/x509.h>

#include "jose-jws.h"

G_BEGIN_DECLS

typedef struct _LicenseIssuers LicenseIssuers;

/* Returns: (transfer full): a set that trusts nobody */
LicenseIssuers *license_issuers_new (void);
LicenseIssuers *license_issuers_ref (LicenseIssuers *self);
void license_issuers_unref (LicenseIssuers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LicenseIssuers, license_issuers_unref)

/*
 * @pem: one or more PEM certificates. Each is an anchor: an issuer's own
 *   certificate, or that of a CA below which issuers stand. Do not put a public
 *   CA here: every web site would be an issuer.
 * @error: GST_CENC_ERROR_FORMAT
 */
gboolean license_issuers_add_pem (LicenseIssuers *self, const gchar *pem,
    gssize size, GError **error);

/*
 * @text: SHA-256 fingerprints of certificates, 64 hex digits (colons allowed),
 *   one a line; blank lines and those that begin with # count for nothing
 */
gboolean
license_issuers_deny (LicenseIssuers *self, const gchar *text, GError **error);

/*
 * @pem_file: certificates
 * @denied_file: (nullable): a deny-list; it need not exist
 * @error: GST_CENC_ERROR_FAILED if @pem_file cannot be read, else as above
 *
 * Returns: (transfer full): the set
 */
LicenseIssuers *license_issuers_load (const gchar *pem_file,
    const gchar *denied_file, GError **error);

/*
 * @jws: its header may carry `x5c` (the issuer's certificate first, at most 4)
 *   or `x5t#S256`; without either each anchor is tried
 * @when: seconds since 1970 at which the chain has to be valid
 * @error: GST_CENC_ERROR_SIGNATURE, or _REVOKED where a certificate of the
 *   chain is on the deny-list
 *
 * Returns: (transfer full): a name for the anchor (SHA-256 of its public key,
 *   base64url), which stays the same when its certificate is renewed
 */
gchar *license_issuers_verify (LicenseIssuers *self, const JoseJws *jws,
    gint64 when, GError **error);

G_END_DECLS
