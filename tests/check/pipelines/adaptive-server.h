/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files in memory, by HTTP on loopback, by ranges if asked. */

#pragma once

#include <gio/gio.h>

typedef struct
{
  GHashTable *files; /* path, "/" first, to GBytes */
  guint16 port;
  gint n_requests; /* atomic */
  /* private */
  GSocketListener *listener;
  GCancellable *stop;
  GThread *thread;
  GPtrArray *connections; /* threads */
} AdaptiveServer;

/* In each test's process: a thread does not survive a fork. */
void adaptive_server_start (AdaptiveServer *self);
void adaptive_server_stop (AdaptiveServer *self);

/* @data: (transfer full). All files have to be there before the first is asked for. */
void
adaptive_server_add (AdaptiveServer *self, const gchar *path, GBytes *data);
void adaptive_server_add_text (AdaptiveServer *self, const gchar *path,
    const gchar *text);

/* (transfer full) */
gchar *adaptive_server_get_uri (const AdaptiveServer *self, const gchar *path);
