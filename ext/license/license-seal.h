/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Seals on the store's mutable records, against an editor of databases.
 *
 * The key is 256 random bits, kept as a JWE to the device's key. A key derived
 * from the device's key by ECDH with some fixed point would not do: who has the
 * device's public key could compute it.
 */

#pragma once

#include <glib.h>

#include "jose-key.h"

G_BEGIN_DECLS

typedef struct _LicenseSeal LicenseSeal;

#define LICENSE_SEAL_SIZE 32

/* What is sealed; each kind has a key of its own (HKDF, RFC 5869). */
typedef enum
{
  LICENSE_SEAL_STATE,
  LICENSE_SEAL_FLOOR,
  LICENSE_SEAL_MARK,
  LICENSE_SEAL_KINDS
} LicenseSealKind;

/* Returns: (transfer full): a new key as a JWE to @device_key */
gchar *license_seal_create (EVP_PKEY *device_key, GError **error);

/*
 * @jwe: from license_seal_create()
 * @error: GST_CENC_ERROR_OTHER_DEVICE if @device_key does not open it
 */
LicenseSeal *
license_seal_open (const gchar *jwe, EVP_PKEY *device_key, GError **error);
void license_seal_free (LicenseSeal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LicenseSeal, license_seal_free)

/* A record to be sealed, built field by field: each with its length in front. */
GByteArray *license_seal_record (void);
void license_seal_add_int (GByteArray *record, gint64 value);
void license_seal_add_text (GByteArray *record, const gchar *text);

/* Returns: (transfer full): HMAC-SHA256 of @record, 32 bytes */
GBytes *
license_seal_make (LicenseSeal *self, LicenseSealKind kind, GByteArray *record);

/* Compares in constant time. */
gboolean license_seal_check (LicenseSeal *self, LicenseSealKind kind,
    GByteArray *record, GBytes *seal);

G_END_DECLS
