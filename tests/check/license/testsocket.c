/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "testsocket.h"

#include <string.h>

#define MAX_CONNECTIONS 10

void
test_socket_send (GOutputStream *stream, const gchar *text)
{
  g_output_stream_write_all (stream, text, strlen (text), NULL, NULL, NULL);
  g_output_stream_flush (stream, NULL, NULL);
}

/* Headers and as much of the body as is told, so that closing does not reset what
 * was sent. Returns: (transfer full) (nullable): them */
static gchar *
read_request (GInputStream *stream)
{
  GString *data = g_string_new (NULL);
  gsize wanted = G_MAXSIZE;

  while (data->len < wanted) {
    gchar chunk[4096];
    gssize n = g_input_stream_read (stream, chunk, sizeof chunk, NULL, NULL);
    gchar *end, *length;

    if (n <= 0)
      break;
    g_string_append_len (data, chunk, n);
    end = strstr (data->str, "\r\n\r\n");
    length = strstr (data->str, "Content-Length: ");
    if (end && wanted == G_MAXSIZE)
      wanted = (gsize) (end + 4 - data->str) +
          (length ? g_ascii_strtoull (length + 16, NULL, 10) : 0);
  }
  return g_string_free (data, FALSE);
}

static gboolean
on_connection (GThreadedSocketService *from, GSocketConnection *connection,
    GObject *source, gpointer data)
{
  TestSocket *self = data;
  g_autoptr (GIOStream) stream = NULL;
  g_autofree gchar *request = NULL;

  g_atomic_int_inc (&self->connections);
  stream = self->tls
      ? g_tls_server_connection_new (G_IO_STREAM (connection), self->tls, NULL)
      : g_object_ref (G_IO_STREAM (connection));
  request = read_request (g_io_stream_get_input_stream (stream));
  self->answer (g_io_stream_get_output_stream (stream),
      g_socket_connection_get_socket (connection), request);
  g_io_stream_close (stream, NULL, NULL);
  return TRUE;
}

void
test_socket_init (TestSocket *self)
{
  memset (self, 0, sizeof *self);
  self->context = g_main_context_new ();
  self->service = g_threaded_socket_service_new (MAX_CONNECTIONS);
  g_socket_service_stop (self->service);
  self->port =
      g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (self->service),
          NULL, NULL);
  g_assert_cmpuint (self->port, !=, 0);
  g_signal_connect (self->service, "run", G_CALLBACK (on_connection), self);
}

static gpointer
run_loop (gpointer data)
{
  TestSocket *self = data;

  g_main_context_push_thread_default (self->context);
  g_socket_service_start (self->service);
  while (!g_atomic_int_get (&self->stop))
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

void
test_socket_start (TestSocket *self)
{
  self->thread = g_thread_new ("socket", run_loop, self);
}

void
test_socket_close (TestSocket *self)
{
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
}

void
test_socket_clear (TestSocket *self)
{
  if (self->thread) {
    g_atomic_int_set (&self->stop, TRUE);
    g_main_context_wakeup (self->context);
    g_thread_join (self->thread);
  }
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  /* It still waited for a connection. */
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_object_unref (self->service);
  g_clear_object (&self->tls);
  g_main_context_unref (self->context);
}
