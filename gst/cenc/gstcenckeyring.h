/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstCencKeyRing: the plainest key session. It holds keys that it was given,
 * without any rule. cencdecrypt's `keys` property is one; so can be an
 * application's own source of keys.
 */

#pragma once

#include <gst/cenc/gstcenckeysession.h>

G_BEGIN_DECLS

#define GST_TYPE_CENC_KEY_RING (gst_cenc_key_ring_get_type ())
GST_CENC_API
G_DECLARE_FINAL_TYPE (GstCencKeyRing, gst_cenc_key_ring, GST, CENC_KEY_RING,
    GstCencKeySession)

/**
 * gst_cenc_key_ring_new:
 *
 * Returns: (transfer full): an empty ring
 */
GST_CENC_API
GstCencKeyRing *gst_cenc_key_ring_new (void);

/**
 * gst_cenc_key_ring_add:
 * @self: a ring
 * @key: (transfer none): a key; replaces one with the same KID
 *
 * Emits #GstCencKeySession::changed.
 */
GST_CENC_API
void gst_cenc_key_ring_add (GstCencKeyRing *self, GstCencKey *key);

/**
 * gst_cenc_key_ring_add_hex:
 * @self: a ring
 * @keys: "KID:KEY,KID:KEY", 32 hex digits each; blanks around the signs are
 *   allowed, an empty string adds nothing. KIDs may be written as UUIDs.
 * @error: %GST_CENC_ERROR_FORMAT; the message names the position, never a key
 *
 * Takes all or, with an error, none.
 *
 * Returns: whether @keys was well-formed
 */
GST_CENC_API
gboolean gst_cenc_key_ring_add_hex (GstCencKeyRing *self, const gchar *keys,
    GError **error);

/**
 * gst_cenc_key_ring_clear:
 * @self: a ring
 *
 * forgets all keys; emits #GstCencKeySession::changed
 */
GST_CENC_API
void gst_cenc_key_ring_clear (GstCencKeyRing *self);

/**
 * gst_cenc_parse_hex: (skip)
 * @text: 2 × @size hex digits; `-` is skipped if @size is 16 and the text has
 *   the shape of a UUID
 * @out: (array length=size): @size bytes to be written
 * @size: number of bytes wanted
 *
 * Returns: whether @text was exactly that; @out is wiped if not
 */
GST_CENC_API
gboolean gst_cenc_parse_hex (const gchar *text, guint8 *out, gsize size);

/**
 * gst_cenc_kid_to_string:
 * @kid: (array fixed-size=16): a KID
 *
 * Returns: (transfer full): @kid as 32 lower-case hex digits, the form in which messages and errors show a KID
 */
GST_CENC_API
gchar *gst_cenc_kid_to_string (const guint8 *kid);

G_END_DECLS
