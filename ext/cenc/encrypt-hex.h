/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hexadecimal properties: KIDs, keys, IVs. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * encrypt_hex_parse:
 * @text: (nullable): hexadecimal digits; hyphens, as UUIDs have them, are skipped
 * @out: @size bytes; not touched beyond what is returned
 *
 * Returns: bytes read, or -1 if @text is no such thing, has half a byte or more
 *   than @size bytes; 0 if it is NULL or empty. Takes the same time for all
 *   values of a digit's class; leaves no copy of @text behind.
 */
gint encrypt_hex_parse (const gchar *text, guint8 *out, gsize size);

/** The 16 bytes of a UUID, a KID, as one is written: lower case, with hyphens; (transfer full). */
gchar *encrypt_hex_format_uuid (const guint8 *uuid);

G_END_DECLS
