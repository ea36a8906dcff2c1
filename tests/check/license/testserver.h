/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The example license server in a thread of the test's own process. */

#pragma once

#include "license-server.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *folder, *url, *issuer_path;
  /* private */
  GThread *thread;
  GMainContext *context;
  SoupServer *soup;
  GSocketService *service;
  guint port;
  LicenseServer *server;
  GMutex lock;
  GCond cond;
  gboolean ready, online;
  gint stop; /* atomic */
} TestServer;

/* At the system's time; the authenticator is "secret". */
void test_server_init (TestServer *self);
void test_server_clear (TestServer *self);

/* Closes the socket: from now on nobody answers. */
void test_server_stop (TestServer *self);

/* Closes the socket for a while, and opens it again at the same address. */
void test_server_set_online (TestServer *self, gboolean online);

/*
 * @path: with a query
 * @body: (nullable): POSTed as application/json
 * @status: (out)
 *
 * Returns: (transfer full): what the server says
 */
gchar *test_server_ask (TestServer *self, const gchar *path, const gchar *body,
    guint *status);

/* A token by ExpressPlay's parameters for test_kid; @rights begin with "&".
 * Returns: (transfer full): the JSON text */
gchar *test_server_token (TestServer *self, const gchar *rights);

G_END_DECLS
