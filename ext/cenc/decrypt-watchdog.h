/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptWatchdog: calls a function if it is not fed for a while. For samples
 * that are held: if the demuxer waits for another branch of the pipeline to
 * take its data, and that for ours, the one that would release them never comes.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _DecryptWatchdog DecryptWatchdog;

/** @func is called with @owner, from the system clock's thread, unless @owner is gone. */
DecryptWatchdog *decrypt_watchdog_new (GstClockTime timeout,
    void (*func) (GstObject *owner), GstObject *owner);
/** Stops it; a call may still be under way. */
void decrypt_watchdog_free (DecryptWatchdog *self);
/** Starts it, or lets it wait anew. */
void decrypt_watchdog_feed (DecryptWatchdog *self);
void decrypt_watchdog_stop (DecryptWatchdog *self);

G_END_DECLS
