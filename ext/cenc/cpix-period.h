/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ContentKeyPeriod (CPIX 2.4, "ContentKeyPeriod Element"): when a key is in use.
 */

#pragma once

#include "cenc/cpix-document.h"
#include "cenc/cpix-xml.h"

G_BEGIN_DECLS

/**
 * cpix_period_read:
 * @self: empty; filled in
 *
 * Takes start and end, start and duration, startOffset and endOffset,
 * startOffset and duration, or index, which stands back where one of the others is.
 *
 * Returns: FALSE with CPIX_ERROR_DOCUMENT (nothing of that, an end that is not behind
 *   its start, no such date) or CPIX_ERROR_UNSUPPORTED (a label only; a duration
 *   in months)
 */
gboolean cpix_period_read (CpixPeriod *self, xmlNode *node, GError **error);

G_END_DECLS
