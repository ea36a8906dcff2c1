/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files in memory, by HTTP on loopback, by ranges if asked. */

#pragma once

#include <gio/gio.h>

typedef struct
{
  GHashTable *files; /* path, "/" first, to GBytes */
  GHashTable *ends; /* path to where the end of a title begins in it, gsize */
  guint16 port;
  gint n_requests; /* atomic */
  /* private */
  GSocketListener *listener;
  GCancellable *stop;
  GThread *thread;
  GPtrArray *connections; /* threads */
  GMutex lock;
  GCond released;
  gboolean is_holding;
} AdaptiveServer;

/* In each test's process: a thread does not survive a fork. */
void adaptive_server_start (AdaptiveServer *self);
void adaptive_server_stop (AdaptiveServer *self);

/* @data: (transfer full). All files have to be there before the first is asked for. */
void
adaptive_server_add (AdaptiveServer *self, const gchar *path, GBytes *data);
void adaptive_server_add_text (AdaptiveServer *self, const gchar *path,
    const gchar *text);

/* What is asked for of @path from @start on is the end of a title. */
void
adaptive_server_add_end (AdaptiveServer *self, const gchar *path, gsize start);
/* Whether who asks for the end of a title has to wait. */
void adaptive_server_hold_ends (AdaptiveServer *self, gboolean is_holding);

/* (transfer full) */
gchar *adaptive_server_get_uri (const AdaptiveServer *self, const gchar *path);
