/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Renewals in the background, one at a time, in a thread that exists from the
 * first request on. A license is never asked for more often than the pauses say,
 * whatever comes back: neither a server that is gone nor one that renews for a
 * minute only is bothered without end.
 */

#pragma once

#include <gio/gio.h>

#include <gst/cenc/gstcenckey.h>

G_BEGIN_DECLS

typedef enum
{
  LICENSE_RENEWAL_DONE,
  LICENSE_RENEWAL_AGAIN, /* not now; it is tried again by itself */
  LICENSE_RENEWAL_NEVER, /* not asked for again */
} LicenseRenewal;

/*
 * @kid: a key of the license, @id: its id
 * @first: whether it is the first try since it last went well
 *
 * Does the work, in the renewer's thread; returns at once when cancelled.
 */
typedef LicenseRenewal (*LicenseRenewFunc) (gpointer data, const guint8 *kid,
    const gchar *id, gboolean first, GCancellable *cancellable);

typedef struct _LicenseRenewer LicenseRenewer;

/*
 * @pause: µs until the next try, and until the next after one that went well;
 *   doubles with each try that does not
 * @max_pause: µs
 */
LicenseRenewer *license_renewer_new (LicenseRenewFunc renew, gpointer data,
    gint64 pause, gint64 max_pause);

/* Cancels what is under way and waits for its end. */
void license_renewer_free (LicenseRenewer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LicenseRenewer, license_renewer_free)

/* Returns at once; from any thread. */
void license_renewer_request (LicenseRenewer *self, const guint8 *kid,
    const gchar *id);

G_END_DECLS
