/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "adaptive-server.h"

#include <gst/check/gstcheck.h>
#include <stdlib.h>
#include <string.h>

/* What souphttpsrc (1.22) leaves of its session, which is in a context of the
 * pipeline, is allocated where GObject frees it: nothing to be suppressed by name. */
int __lsan_is_turned_off (void);

__attribute__ ((visibility ("default"))) int
__lsan_is_turned_off (void)
{
  return 1;
}

static const struct
{
  const gchar *suffix, *type;
} types[] = {
  { ".mpd", "application/dash+xml" },
  { ".m3u8", "application/vnd.apple.mpegurl" },
  { "/Manifest", "application/vnd.ms-sstr+xml" },
};

static const gchar *
get_type (const gchar *path)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (types); i++) {
    if (g_str_has_suffix (path, types[i].suffix))
      return types[i].type;
  }
  return "video/mp4";
}

static void
get_range (const gchar *request, gsize size, gsize *start, gsize *end)
{
  static const gchar field[] = "\r\nrange: bytes=";
  g_autofree gchar *lower = g_ascii_strdown (request, -1);
  const gchar *range = strstr (lower, field);
  gchar *rest;

  *start = 0;
  *end = size;
  if (!range)
    return;
  *start = MIN ((gsize) g_ascii_strtoull (range + sizeof field - 1, &rest, 10),
      size);
  if (*rest == '-' && g_ascii_isdigit (rest[1]))
    *end = MIN ((gsize) g_ascii_strtoull (rest + 1, NULL, 10) + 1, size);
}

/* (transfer full): of "METHOD PATH HTTP/1.1" */
static gchar *
get_path (const gchar *request)
{
  g_auto (GStrv) words = g_strsplit_set (request, " \r", 3);

  return g_strv_length (words) < 2 ? NULL
                                   : g_uri_unescape_string (words[1], NULL);
}

static void
wait_if_held (AdaptiveServer *self, const gchar *path, gsize start)
{
  const gsize *end = g_hash_table_lookup (self->ends, path);

  if (!end || start < *end)
    return;
  g_mutex_lock (&self->lock);
  while (self->is_holding)
    g_cond_wait (&self->released, &self->lock);
  g_mutex_unlock (&self->lock);
}

static void
answer (AdaptiveServer *self, GOutputStream *out, const gchar *request)
{
  g_autofree gchar *path = get_path (request);
  GBytes *file = path ? g_hash_table_lookup (self->files, path) : NULL;
  g_autofree gchar *head = NULL;
  const gchar *data;
  gsize size, start, end;

  g_atomic_int_inc (&self->n_requests);
  if (!file) {
    head = g_strdup ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
                     "Connection: close\r\n\r\n");
    g_output_stream_write_all (out, head, strlen (head), NULL, self->stop,
        NULL);
    return;
  }
  data = g_bytes_get_data (file, &size);
  get_range (request, size, &start, &end);
  wait_if_held (self, path, start);
  head = g_strdup_printf (
      "HTTP/1.1 %s\r\nContent-Type: %s\r\nAccept-Ranges: bytes\r\n"
      "Content-Length: %" G_GSIZE_FORMAT "\r\n"
      "Content-Range: bytes %" G_GSIZE_FORMAT "-%" G_GSIZE_FORMAT
      "/%" G_GSIZE_FORMAT "\r\nConnection: close\r\n\r\n",
      end - start < size ? "206 Partial Content" : "200 OK", get_type (path),
      end - start, start, MAX (end, 1) - 1, size);
  g_output_stream_write_all (out, head, strlen (head), NULL, self->stop, NULL);
  if (!g_str_has_prefix (request, "HEAD "))
    g_output_stream_write_all (out, data + start, end - start, NULL, self->stop,
        NULL);
}

typedef struct
{
  AdaptiveServer *server;
  GSocketConnection *connection;
} Client;

/* One request a connection. */
static gpointer
serve (gpointer data)
{
  g_autofree Client *client = data;
  g_autoptr (GSocketConnection) connection = client->connection;
  GIOStream *stream = G_IO_STREAM (connection);
  gchar request[8192];
  gsize size = 0;

  while (size < sizeof request - 1) {
    gssize n = g_input_stream_read (g_io_stream_get_input_stream (stream),
        request + size, sizeof request - 1 - size, client->server->stop, NULL);

    if (n <= 0)
      return NULL;
    size += (gsize) n;
    request[size] = '\0';
    if (strstr (request, "\r\n\r\n"))
      break;
  }
  answer (client->server, g_io_stream_get_output_stream (stream), request);
  g_io_stream_close (stream, NULL, NULL);
  return NULL;
}

static gpointer
accept_all (gpointer data)
{
  AdaptiveServer *self = data;
  GSocketConnection *connection;

  while ((connection = g_socket_listener_accept (self->listener, NULL,
              self->stop, NULL))) {
    Client *client = g_new0 (Client, 1);

    client->server = self;
    client->connection = connection;
    g_ptr_array_add (self->connections,
        g_thread_new ("connection", serve, client));
  }
  return NULL;
}

void
adaptive_server_start (AdaptiveServer *self)
{
  g_autoptr (GInetAddress) loopback =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  memset (self, 0, sizeof *self);
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_bytes_unref);
  self->ends = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init (&self->lock);
  g_cond_init (&self->released);
  self->stop = g_cancellable_new ();
  self->connections = g_ptr_array_new ();
  self->listener = g_socket_listener_new ();
  fail_unless (g_socket_listener_add_address (self->listener, address,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound, NULL));
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  self->thread = g_thread_new ("server", accept_all, self);
}

void
adaptive_server_stop (AdaptiveServer *self)
{
  guint i;

  adaptive_server_hold_ends (self, FALSE);
  g_cancellable_cancel (self->stop);
  g_thread_join (self->thread);
  for (i = 0; i < self->connections->len; i++)
    g_thread_join (self->connections->pdata[i]);
  g_ptr_array_unref (self->connections);
  g_object_unref (self->listener);
  g_object_unref (self->stop);
  g_hash_table_unref (self->files);
  g_hash_table_unref (self->ends);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->released);
}

void
adaptive_server_add (AdaptiveServer *self, const gchar *path, GBytes *data)
{
  g_hash_table_replace (self->files, g_strdup (path), data);
}

void
adaptive_server_add_text (AdaptiveServer *self, const gchar *path,
    const gchar *text)
{
  adaptive_server_add (self, path, g_bytes_new (text, strlen (text)));
}

void
adaptive_server_add_end (AdaptiveServer *self, const gchar *path, gsize start)
{
  g_hash_table_replace (self->ends, g_strdup (path),
      g_memdup2 (&start, sizeof start));
}

void
adaptive_server_hold_ends (AdaptiveServer *self, gboolean is_holding)
{
  g_mutex_lock (&self->lock);
  self->is_holding = is_holding;
  g_cond_broadcast (&self->released);
  g_mutex_unlock (&self->lock);
}

gchar *
adaptive_server_get_uri (const AdaptiveServer *self, const gchar *path)
{
  return g_strdup_printf ("http://127.0.0.1:%u%s", self->port, path);
}
