/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The KID of a Smooth Streaming manifest: its samples' information names none, and
 * mssdemux hands on the manifest's PlayReady Object.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * decrypt_playready_read_event:
 * @event: a protection event, (transfer none)
 * @kid: (out): 16 bytes, as a tenc has them
 *
 * Returns: whether it is PlayReady's, and a manifest's, and names one KID
 */
gboolean decrypt_playready_read_event (GstEvent *event, guint8 *kid);

/** The same of a PlayReady Object as a manifest has it, in base64. */
gboolean
decrypt_playready_read_text (const gchar *text, gsize size, guint8 *kid);

G_END_DECLS
