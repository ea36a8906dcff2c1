/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keys a title needs, from its own boxes. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * @location: a path or a file: URI of an ISO base media file
 * @error: GST_CENC_ERROR_FAILED, _FORMAT, _UNSUPPORTED
 *
 * KIDs of all tenc boxes, and of version 1 pssh boxes in moov.
 *
 * Returns: (transfer full): 16 bytes each, none twice; at least one
 */
GByteArray *license_content_list_kids (const gchar *location, GError **error);

/* Appends @kid unless it is there; "all zero", which names no key, never. */
void license_kids_add (GByteArray *kids, const guint8 *kid);

/*
 * @text: KIDs as hex or UUID, separated by commas
 *
 * Returns: (transfer full): 16 bytes each; NULL with GST_CENC_ERROR_FORMAT
 */
GByteArray *license_kids_parse (const gchar *text, GError **error);

G_END_DECLS
