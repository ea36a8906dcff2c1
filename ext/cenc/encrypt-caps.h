/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of a muxer hold its moov: the clear one must not go out with them. */

#pragma once

#include "cenc/encrypt-plan.h"

G_BEGIN_DECLS

/**
 * encrypt_caps_protect:
 *
 * Returns: (transfer full): @caps; its stream headers are those of the
 *   encrypted stream, or are gone where they are of no use (the moov of a
 *   progressive file, whose tables are still to change). NULL with an error.
 */
GstCaps *
encrypt_caps_protect (GstCaps *caps, EncryptPlan *plan, GError **error);
/** Likewise with the caps of an event; (transfer full). */
GstEvent *
encrypt_caps_protect_event (GstEvent *event, EncryptPlan *plan, GError **error);

G_END_DECLS
