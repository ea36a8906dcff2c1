/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The license document (media type application/x-cenc-license): a compact JWS
 * by ES256 over a policy in the clear, which holds the content keys as an EME
 * JWK Set in a compact JWE for the device's key. docs/licenses.md has the
 * format; this is where it is read and written.
 *
 * The signature binds policy, keys and device to each other. Rules can be shown
 * without the device's key. Nothing here depends on the time of day.
 */

#pragma once

#include <gst/gst.h>

#include "license-issuers.h"
#include "license-policy.h"

G_BEGIN_DECLS

#define LICENSE_MEDIA_TYPE "application/x-cenc-license"
#define LICENSE_TYPE "offline-license"
#define LICENSE_KEYS_TYPE "jwk-set+json"

#define LICENSE_MAX_SIZE (64 * 1024)
#define LICENSE_MAX_KIDS 256
#define LICENSE_MAX_ID 128

typedef struct
{
  gatomicrefcount ref_count;
  GBytes *bytes; /* verbatim; NULL while it is being written */
  gchar *id; /* jti */
  gchar *issuer; /* iss */
  gchar *anchor; /* whose trust it stands on, see license-issuers.h */
  gint64 issued; /* iat, microseconds */
  gchar *device; /* thumbprint of the device's key (cnf.jkt) */
  gchar *nonce; /* (nullable): of the request it answers */
  GByteArray *kids; /* 16 bytes each */
  LicenseRules rules;
  gchar *renewal_url; /* (nullable) */
  gchar *release_url; /* (nullable) */
  GstStructure *output_protection; /* (nullable), as GstCencKey has it */
  gchar *keys; /* the JWE */
} LicenseDocument;

/* Returns: (transfer full): an empty one without limits, to be filled and written */
LicenseDocument *license_document_new (void);
LicenseDocument *license_document_ref (LicenseDocument *self);
void license_document_unref (LicenseDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LicenseDocument, license_document_unref)

guint license_document_n_kids (const LicenseDocument *self);
const guint8 *license_document_kid (const LicenseDocument *self, guint i);
gboolean
license_document_has_kid (const LicenseDocument *self, const guint8 *kid);

/*
 * @bytes: a document; one line end behind it is allowed, it is kept verbatim
 * @error: GST_CENC_ERROR_FORMAT, _UNSUPPORTED (a claim, header member or
 *   algorithm that is not understood: it might be a restriction), _SIGNATURE or
 *   _REVOKED
 *
 * Verifies the signature and reads the policy; the keys stay sealed.
 *
 * Returns: (transfer full): the license
 */
LicenseDocument *
license_document_open (GBytes *bytes, LicenseIssuers *issuers, GError **error);

/*
 * @device_key: the device's private key
 * @error: GST_CENC_ERROR_OTHER_DEVICE if it was issued to another key, else as
 *   jose_jwe_decrypt(); _FORMAT if the set's KIDs are not the policy's
 *
 * Returns: (transfer full) (element-type GstCencKey): the keys, in the order of
 *   the policy, without deadline or demands
 */
GPtrArray *license_document_unseal (const LicenseDocument *self,
    EVP_PKEY *device_key, GError **error);

/*
 * For servers and tests. @self has all but `bytes`, `anchor`, `device`, `keys`
 * and `kids`, which follow from the other arguments.
 * @keys: (element-type GstCencKey): what is to be licensed
 * @device: the device's public key
 * @issuer_key: private key that signs
 * @certificate: (nullable): the issuer's, for the header's x5c
 *
 * Returns: (transfer full): the document; it has passed license_rules_check()
 */
GBytes *license_document_write (const LicenseDocument *self, GPtrArray *keys,
    EVP_PKEY *device, EVP_PKEY *issuer_key, X509 *certificate, GError **error);

G_END_DECLS
