/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What remix-http.c gives remix-fetch.c and remix-source-http.c.
 */

#pragma once

#include "smilremix/remix-blocks.h"
#include "smilremix/remix-fetch.h"
#include "smilremix/remix-soup.h"

G_BEGIN_DECLS

/** Of all fetches' states. */
GMutex *remix_http_get_lock (RemixHttp *self);
/** Signaled with the lock held, when the state of any fetch changes. */
GCond *remix_http_get_changed (RemixHttp *self);
/** Seconds without a byte; 0: none. */
guint remix_http_get_timeout (RemixHttp *self);

/** Calls @function in the thread in which all of the network is done. */
void
remix_http_invoke (RemixHttp *self, GSourceFunc function, gpointer user_data);
/** Only in that thread. */
SoupSession *remix_http_get_session (RemixHttp *self);
/** A fetch has begun or ended; with the lock held. */
void remix_http_count (RemixHttp *self, gint change);

/**
 * Says that the fetch at @slot, which stays where it is in memory, is being read. More
 * than a few at a time would use up the connections, and a request wait for ever
 * for one: the one that was used longest ago is freed, and its slot cleared.
 */
void remix_http_use (RemixHttp *self, RemixFetch **slot);
/** Frees the fetch at @slot, if there is one. */
void remix_http_drop (RemixHttp *self, RemixFetch **slot);
/** How many fetches nobody has read of yet. */
guint remix_http_count_unread (RemixHttp *self);
/** Drops one of those that is stale; FALSE if there is none. */
gboolean remix_http_drop_stale (RemixHttp *self);
/** Handler of GCancellable::cancelled: wakes who waits for remix_http_get_changed(). */
void remix_http_wake (GCancellable *cancellable, gpointer user_data);
/** Waits; FALSE at once if @cancellable is cancelled. */
gboolean remix_http_wait (RemixHttp *self, gint64 microseconds,
    GCancellable *cancellable);
/** The blocks of all sources. */
RemixBlocks *remix_http_get_blocks (RemixHttp *self);

G_END_DECLS
