/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptOutput: the CPIX document of the keys that are in use, as a file, for a
 * license server. With keys that rotate it grows by each period.
 */

#pragma once

#include "cenc/encrypt-plan.h"

G_BEGIN_DECLS

typedef struct _EncryptOutput EncryptOutput;

/**
 * encrypt_output_new:
 * @location: of a file that is not there yet: a key that was written before is
 *   never lost
 * @recipient_location: (nullable): of the certificate of whom it is encrypted
 *   for, in PEM; NULL: the keys stand there in the clear
 * @settings: what a license server is told beside the keys; copied
 *
 * Returns: (transfer full): nothing is written yet; NULL with ENCRYPT_ERROR_SETTINGS
 */
EncryptOutput *
encrypt_output_new (const gchar *location, const gchar *recipient_location,
    const EncryptSettings *settings, GError **error);
void encrypt_output_free (EncryptOutput *self);

/**
 * encrypt_output_add:
 * @number: of the key's period; G_MAXUINT64: it is for all time, or its period is not known yet
 *
 * Writes the document, which only its owner may read: the first time into a new file, later
 * in place of the one before, which stays whole until then. A key whose KID is there
 * already gets its period.
 *
 * Returns: FALSE with ENCRYPT_ERROR_SETTINGS; nothing half-written is left then
 */
gboolean encrypt_output_add (EncryptOutput *self, GstCencKey *key,
    guint64 number, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptOutput, encrypt_output_free)

G_END_DECLS
