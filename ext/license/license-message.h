/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The structure of the `offline-license` element message; docs/licenses.md. */

#pragma once

#include <gst/gst.h>

#include "license-store.h"

G_BEGIN_DECLS

#define LICENSE_MESSAGE_NAME "offline-license"

/*
 * @state: "loaded", "acquired", "first-play", "expiring", "expired", "renewed",
 *   "released", "refused", "removed"
 * @reason: (nullable): a word of license_reason_to_string()
 *
 * Returns: (transfer full): the structure. No key is in it.
 */
GstStructure *license_message_new (const LicenseEntry *entry,
    const LicenseDecision *decision, const gchar *state, const gchar *reason);

/* "window-over", "clock-turned-back" …: one word for each GstCencError */
const gchar *license_reason_to_string (GstCencError reason);

/*
 * @decision: one that does not allow
 * @error: set to its reason, with the license, the rule and the dates in words
 */
void license_message_set_error (const LicenseEntry *entry,
    const LicenseDecision *decision, GError **error);

G_END_DECLS
