/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes CPIX 2.4 documents, for a license server to import. */

#pragma once

#include "cenc/cpix-crypto.h"

G_BEGIN_DECLS

/**
 * cpix_document_write:
 * @recipient: (nullable): a certificate: content keys are encrypted for it, with
 *   a document key and a MAC key of their own each time
 *
 * Without @recipient the keys stand there in the clear.
 *
 * Returns: (transfer full): the document in UTF-8, wiped when it is freed, or
 *   NULL with CPIX_ERROR
 */
CpixSecret *cpix_document_write (const CpixDocument *self,
    const CpixRecipient *recipient, GError **error);

G_END_DECLS
