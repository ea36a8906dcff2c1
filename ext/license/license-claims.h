/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy's claims between JSON and LicenseDocument: the format's one table. */

#pragma once

#include <json-glib/json-glib.h>

#include "license-document.h"

G_BEGIN_DECLS

/*
 * Fills @document. A claim that is not known is refused: it might be a
 * restriction. An absent one of time means: unlimited; of yes or no: no.
 */
gboolean license_claims_read (JsonObject *claims, LicenseDocument *document,
    GError **error);

/*
 * @document: id, issuer, issued, nonce, rules, URLs, output protection
 * @sealed: device, kids, keys
 *
 * Returns: (transfer full): the claims
 */
JsonObject *license_claims_write (const LicenseDocument *document,
    const LicenseDocument *sealed);

/* Of them only the claim `output_protection`; without it nothing is demanded. */
gboolean license_claims_read_output (JsonObject *claims,
    LicenseDocument *document, GError **error);

G_END_DECLS
