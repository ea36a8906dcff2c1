/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads CPIX 2.x documents, clear or encrypted for a recipient. */

#pragma once

#include "cenc/cpix-crypto.h"

G_BEGIN_DECLS

/**
 * cpix_document_read:
 * @data: the document; it may hold keys: the caller wipes it
 * @recipient: (nullable): its private key, for encrypted documents
 * @require_mac: refuse encrypted keys in a document without MACMethod (CPIX 2.4,
 *   "Authenticated Encryption", has a MAC for each); with one, each is checked anyway
 *
 * What is not understood and could change which key is for which track, or
 * what a signature was to keep from being changed, is refused.
 *
 * Returns: (transfer full): the document, or NULL with CPIX_ERROR
 */
CpixDocument *cpix_document_read (const gchar *data, gsize size,
    const CpixRecipient *recipient, gboolean require_mac, GError **error);

G_END_DECLS
