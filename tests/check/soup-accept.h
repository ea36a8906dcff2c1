/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections for a SoupServer by GLib's listener. That of libsoup 3.2 leaks the
 * socket of each connection, and the address that it listens on: LeakSanitizer would
 * have to be turned off where a server runs.
 */

#pragma once

#include <libsoup/soup.h>

/* Has @server answer at @port of 127.0.0.1 (0: any, which it becomes), in the thread's
 * default main context. Returns: (transfer full): for soup_accept_stop() */
GSocketService *soup_accept_start (SoupServer *server, guint *port);

/* Takes no connection any more and closes those that there are; frees @service.
 * They come to their end when the context is iterated. */
void soup_accept_stop (GSocketService *service, SoupServer *server);
