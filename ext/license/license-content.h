/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keys a title needs, from its own boxes. */

#pragma once

#include "license-client.h"

G_BEGIN_DECLS

/*
 * @location: a path, a file: URI, or an http(s) URL of an ISO base media file
 * @client: (nullable): how URLs are read, by ranges and no more than the headers;
 *   %NULL: not at all
 * @error: GST_CENC_ERROR_FAILED, _FORMAT, _UNSUPPORTED; LICENSE_CLIENT_ERROR
 *
 * KIDs of all tenc boxes (PIFF's too), of seig sample groups, and of version 1
 * pssh boxes in moov.
 *
 * Returns: (transfer full): 16 bytes each, none twice; at least one
 */
GByteArray *license_content_list_kids (const gchar *location,
    const LicenseClient *client, GError **error);

/* Whether it takes the network to look into @location. */
gboolean license_content_is_remote (const gchar *location);

/* Appends @kid unless it is there; "all zero", which names no key, never. */
void license_kids_add (GByteArray *kids, const guint8 *kid);

/*
 * @text: KIDs as hex or UUID, separated by commas
 *
 * Returns: (transfer full): 16 bytes each; NULL with GST_CENC_ERROR_FORMAT
 */
GByteArray *license_kids_parse (const gchar *text, GError **error);

G_END_DECLS
