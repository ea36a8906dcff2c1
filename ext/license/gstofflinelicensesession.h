/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstOfflineLicenseSession: the key session over the device's license store.
 * Constructed without properties it opens the store at its default place, which
 * is how a player has nothing to set.
 *
 * What holds for a license is in license-policy.h; what happens here is when:
 * - PREROLL checks all and starts nothing. The first PLAY stores first play, and
 *   returns when it is on the disk.
 * - From the first PLAY on, time in this session is counted by CLOCK_BOOTTIME.
 * - A key's deadline is the next moment at which something is to be done: the end
 *   that cuts off (realtime_expiration), a notice, or five minutes later, so that
 *   the clock's marks move on and what another process stored is seen.
 *
 * Signal `offline-license` (GstStructure): the message that an element should
 * post; emitted from any thread, with no lock held.
 */

#pragma once

#include <gst/cenc/gstcenckeysession.h>

#include "license-store.h"

G_BEGIN_DECLS

#define GST_TYPE_OFFLINE_LICENSE_SESSION \
  (gst_offline_license_session_get_type ())
G_DECLARE_FINAL_TYPE (GstOfflineLicenseSession, gst_offline_license_session,
    GST, OFFLINE_LICENSE_SESSION, GstCencKeySession)

/* Returns: (transfer full): a session with everything at its default */
GstOfflineLicenseSession *gst_offline_license_session_new (void);

/* @clock: has to outlive the session; before first use. For tests. */
void gst_offline_license_session_set_clock (GstOfflineLicenseSession *self,
    const LicenseClock *clock);

/*
 * @create: make the store and the device's key where they are missing
 *
 * Returns: (transfer full): the store; NULL with @error
 */
LicenseStore *
gst_offline_license_session_get_store (GstOfflineLicenseSession *self,
    gboolean create, GError **error);

/*
 * @entry: (transfer full): a license that was just imported; one that is not
 *   persistent is held here until the session goes
 * @state: for the message
 */
void gst_offline_license_session_adopt (GstOfflineLicenseSession *self,
    LicenseEntry *entry, const gchar *state);

/* Emits a message about @entry as it stands now. @reason, @server: (nullable):
 * why, and what its server says of it */
void gst_offline_license_session_tell (GstOfflineLicenseSession *self,
    LicenseEntry *entry, const gchar *state, const gchar *reason,
    const gchar *server);

typedef gboolean (
    *LicenseFilter) (const LicenseDocument *document, gpointer user_data);

/*
 * @kid: (nullable): %NULL for any license
 * @filter: (nullable): which licenses are looked at; %NULL: all
 *
 * Returns: (transfer full): the license that would play @kid, allowed or not;
 *   NULL with GST_CENC_ERROR_NO_KEY if there is none
 */
LicenseEntry *gst_offline_license_session_find (GstOfflineLicenseSession *self,
    const guint8 *kid, LicenseFilter filter, gpointer user_data,
    GError **error);

G_END_DECLS
