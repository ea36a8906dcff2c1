/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server that answers HTTP as badly as a test wants it to, at a real socket. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* @request: what the client has sent; the stream is closed behind the answer.
 * In a thread of its own. */
typedef void (
    *TestAnswer) (GOutputStream *stream, GSocket *socket, const gchar *request);

typedef struct
{
  TestAnswer answer; /* the test's, before it starts */
  GTlsCertificate *tls; /* (nullable): likewise */
  guint16 port;
  gint connections; /* atomic: so far */
  /* private */
  GSocketService *service;
  GMainContext *context;
  GThread *thread;
  gint stop; /* atomic */
} TestSocket;

/* Bound and listening; answers nobody yet. */
void test_socket_init (TestSocket *self);
void test_socket_start (TestSocket *self);
void test_socket_clear (TestSocket *self);

/* From now on connections are refused. */
void test_socket_close (TestSocket *self);

void test_socket_send (GOutputStream *stream, const gchar *text);

G_END_DECLS
