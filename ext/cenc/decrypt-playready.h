/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The KID of a Smooth Streaming manifest: its samples' information names none, and
 * mssdemux hands on the manifest's PlayReady Object.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** Whether @event, a protection event, has a manifest's PlayReady Object. */
gboolean decrypt_playready_is_manifests (GstEvent *event);

/**
 * decrypt_playready_read_event:
 * @event: a protection event for which decrypt_playready_is_manifests(), (transfer
 *   none)
 * @kid: (out): 16 bytes, as a tenc has them
 * @error: %GST_CENC_ERROR_FORMAT, with the rule
 *
 * Returns: whether its header is well-formed and names one KID, of which it may be
 * told several times
 */
gboolean
decrypt_playready_read_event (GstEvent *event, guint8 *kid, GError **error);

/** The same of a PlayReady Object as a manifest has it, in base64. */
gboolean decrypt_playready_read_text (const gchar *text, gsize size,
    guint8 *kid, GError **error);

G_END_DECLS
