/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * base64url without padding, as JOSE writes it (RFC 7515, section 2). The
 * reader takes the one canonical spelling only: no padding, no blanks, no set
 * bits behind the last byte, so that two texts never stand for the same bytes.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns: (transfer full): @size bytes as base64url */
gchar *jose_base64_encode (const guint8 *data, gsize size);

/* The number of bytes that @length characters stand for. */
gsize jose_base64_decoded_size (gsize length);

/*
 * @out: room for exactly @size bytes; wiped if FALSE is returned
 *
 * Returns: whether @text (@length characters) is canonical base64url for
 *   exactly @size bytes
 */
gboolean
jose_base64_decode (const gchar *text, gsize length, guint8 *out, gsize size);

/* Returns: (transfer full) (nullable): the bytes, NULL if not canonical */
GBytes *jose_base64_decode_bytes (const gchar *text, gsize length);

G_END_DECLS
