/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-server.h"

#include "soup-accept.h"

#include <string.h>

RemixServer remix_server;

/* Of who waits for a number. */
static GMutex lock;
static GCond counted;

static void
count (gint *number)
{
  g_mutex_lock (&lock);
  g_atomic_int_inc (number);
  g_cond_broadcast (&counted);
  g_mutex_unlock (&lock);
}

gboolean
remix_server_wait (gint *number, gint value)
{
  gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&lock);
  while (in_time && g_atomic_int_get (number) <= value)
    in_time = g_cond_wait_until (&counted, &lock, deadline);
  in_time = g_atomic_int_get (number) > value;
  g_mutex_unlock (&lock);
  return in_time;
}

/* libsoup's own ranges fail where one ends behind the file. */
static gboolean
get_range (SoupServerMessage *message, gsize size, gsize *start, gsize *end)
{
  const gchar *range =
      soup_message_headers_get_one (soup_server_message_get_request_headers (
                                        message),
          "Range");
  gchar *rest;

  if (!range || !g_str_has_prefix (range, "bytes="))
    return FALSE;
  *start = (gsize) g_ascii_strtoull (range + 6, &rest, 10);
  *end = MIN ((gsize) g_ascii_strtoull (rest + 1, NULL, 10) + 1, size);
  return *start < *end;
}

/* The head of what was asked for, with @fields besides, and the first @part-th of
 * the body; (transfer full): the connection. */
static GIOStream *
begin_range (SoupServerMessage *message, const gchar *data, gsize size,
    const gchar *fields, gsize part)
{
  g_autofree gchar *head = NULL;
  GIOStream *stream;
  GOutputStream *out;
  gsize start, end;

  fail_unless (get_range (message, size, &start, &end));
  head =
      g_strdup_printf ("HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\n"
                       "Content-Range: bytes %" G_GSIZE_FORMAT
                       "-%" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT "\r\n%s\r\n\r\n",
          start, end - 1, size, fields);
  stream = soup_server_message_steal_connection (message);
  out = g_io_stream_get_output_stream (stream);
  g_output_stream_write_all (out, head, strlen (head), NULL, NULL, NULL);
  g_output_stream_write_all (out, data + start, (end - start) / part, NULL,
      NULL, NULL);
  return stream;
}

/* Half of what was asked for, and the end of the connection. */
static void
break_off (SoupServerMessage *message, const gchar *data, gsize size)
{
  gsize start, end;
  g_autofree gchar *length = NULL;
  g_autoptr (GIOStream) stream = NULL;

  fail_unless (get_range (message, size, &start, &end));
  length = g_strdup_printf ("Content-Length: %" G_GSIZE_FORMAT, end - start);
  stream = begin_range (message, data, size, length, 2);
  g_io_stream_close (stream, NULL, NULL);
}

static gpointer
write_on (gpointer data)
{
  g_autoptr (GIOStream) stream = data;
  GOutputStream *out = g_io_stream_get_output_stream (stream);
  gchar zeros[4096] = { 0 };

  while (g_output_stream_write_all (out, zeros, sizeof zeros, NULL, NULL, NULL))
    ;
  count (&remix_server.n_closed);
  return NULL;
}

/* What was asked for, and then zeros until nobody takes them. */
static void
go_on (SoupServerMessage *message, const gchar *data, gsize size)
{
  GIOStream *stream = begin_range (message, data, size, "Connection: close", 1);

  g_atomic_int_inc (&remix_server.n_overlong);
  g_thread_unref (g_thread_new ("overlong", write_on, stream));
}

static void
serve_file (SoupServerMessage *message, const gchar *name)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  g_autofree gchar *path = remix_media_path (name);
  gchar *data;
  gsize size, start, end;
  gint n = g_atomic_int_add (&remix_server.n_requests, 1) + 1;
  gboolean changed = remix_server.change_after && n > remix_server.change_after;

  if (g_strcmp0 (name, remix_server.watched) == 0)
    count (&remix_server.n_watched);
  if (remix_server.hang_after && n > remix_server.hang_after) {
    soup_server_message_pause (message);
    count (&remix_server.n_hanging);
    return;
  }
  if (!g_file_get_contents (path, &data, &size, NULL)) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  if (g_str_has_suffix (name, ".mp4") &&
      g_atomic_int_get (&remix_server.drops) > 0) {
    g_atomic_int_add (&remix_server.drops, -1);
    break_off (message, data, size);
    g_free (data);
    return;
  }
  if (g_str_has_suffix (name, ".mp4") && remix_server.overlong) {
    go_on (message, data, size);
    g_free (data);
    return;
  }
  soup_message_headers_replace (headers, "ETag", changed ? "\"2\"" : "\"1\"");
  if (get_range (message, size, &start, &end)) {
    soup_message_headers_remove (soup_server_message_get_request_headers (
                                     message),
        "Range");
    soup_message_headers_set_content_range (headers, (goffset) start,
        (goffset) end - 1, (goffset) size);
    soup_server_message_set_status (message, SOUP_STATUS_PARTIAL_CONTENT, NULL);
    soup_server_message_set_response (message, "video/mp4", SOUP_MEMORY_COPY,
        data + start, end - start);
    g_free (data);
    return;
  }
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "video/mp4", SOUP_MEMORY_TAKE,
      data, size);
}

/* Holds the request until as many are there as remix_server.gather says. */
static void
gather (SoupServerMessage *message, const gchar *name)
{
  static GPtrArray *names;
  static GPtrArray *messages;
  guint i;

  if (!names) {
    names = g_ptr_array_new_with_free_func (g_free);
    messages = g_ptr_array_new_with_free_func (g_object_unref);
  }
  soup_server_message_pause (message);
  g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_add (messages, g_object_ref (message));
  if (messages->len < remix_server.gather)
    return;
  g_atomic_int_inc (&remix_server.n_gathered);
  for (i = 0; i < messages->len; i++) {
    serve_file (messages->pdata[i], names->pdata[i]);
    soup_server_message_unpause (messages->pdata[i]);
  }
  g_clear_pointer (&names, g_ptr_array_unref);
  g_clear_pointer (&messages, g_ptr_array_unref);
}

/* What another connection is asked for. */
static void
move (SoupServerMessage *message, const gchar *path)
{
  g_atomic_int_inc (&remix_server.n_requests);
  soup_message_headers_replace (soup_server_message_get_response_headers (
                                    message),
      "Connection", "close");
  soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, path);
}

/* A playlist, whose ETag is the hash of its bytes, or as it was set. */
static void
serve_playlist (SoupServerMessage *message, const gchar *name)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  const gchar *known =
      soup_message_headers_get_one (soup_server_message_get_request_headers (
                                        message),
          "If-None-Match");
  g_autofree gchar *path = remix_media_path (name);
  g_autofree gchar *hash = NULL;
  g_autofree gchar *etag = NULL;
  gchar *data;
  gsize size;

  g_atomic_int_inc (&remix_server.n_requests);
  if (!g_file_get_contents (path, &data, &size, NULL)) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  hash = g_compute_checksum_for_data (G_CHECKSUM_MD5, (guchar *) data, size);
  etag = remix_server.etag ? g_strdup (remix_server.etag)
                           : g_strdup_printf ("\"%s\"", hash);
  soup_message_headers_replace (headers, "ETag", etag);
  if (remix_server.closes)
    soup_message_headers_replace (headers, "Connection", "close");
  if (known)
    g_atomic_int_inc (&remix_server.n_conditional);
  if (g_strcmp0 (known, etag) == 0) {
    g_atomic_int_inc (&remix_server.n_unmodified);
    soup_server_message_set_status (message, SOUP_STATUS_NOT_MODIFIED, NULL);
    g_free (data);
    return;
  }
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "application/smil",
      SOUP_MEMORY_TAKE, data, size);
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  if (g_str_has_suffix (path, ".mp4") &&
      g_atomic_int_get (&remix_server.busy) > 0) {
    g_atomic_int_add (&remix_server.busy, -1);
    soup_server_message_set_status (message, SOUP_STATUS_SERVICE_UNAVAILABLE,
        NULL);
  } else if (g_str_has_prefix (path, "/norange/")) {
    soup_message_headers_remove (soup_server_message_get_request_headers (
                                     message),
        "Range");
    serve_file (message, path + 9);
  } else if (g_str_has_prefix (path, "/redirect/")) {
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, path + 9);
  } else if (g_str_has_prefix (path, "/moved/")) {
    move (message, path + 6);
  } else if (strcmp (path, "/away") == 0) {
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND,
        "http://127.0.0.2:1/secret.mp4");
  } else if (strcmp (path, "/public") == 0) {
    g_autofree gchar *uri =
        g_strdup_printf ("http://public.example:%u/M.mp4", remix_server.port);

    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, uri);
  } else if (strcmp (path, "/passwd") == 0) {
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND,
        "file:///etc/passwd");
  } else if (strcmp (path, "/forbidden") == 0) {
    g_atomic_int_inc (&remix_server.n_requests);
    soup_server_message_set_status (message, SOUP_STATUS_FORBIDDEN, NULL);
  } else if (strcmp (path, "/loop") == 0) {
    g_atomic_int_inc (&remix_server.n_requests);
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, "/loop");
  } else if (g_str_has_suffix (path, ".smil")) {
    serve_playlist (message, path + 1);
  } else if (remix_server.gather > 0) {
    gather (message, path + 1);
  } else
    serve_file (message, path + 1);
}

gchar *
remix_server_run (const gchar *host, const gchar *location, const gchar *output)
{
  g_autofree gchar *uri =
      g_strdup_printf ("http://%s:%u/%s", host, remix_server.port, location);

  return remix_media_run_uri (uri, output);
}

void
remix_server_expect_failure (const gchar *location, const gchar *first,
    const gchar *second)
{
  g_autofree gchar *error = remix_server_run ("127.0.0.1", location, "o.mp4");

  fail_unless (error != NULL, "no error");
  fail_unless (strstr (error, first) != NULL, "%s", error);
  fail_unless (strstr (error, second) != NULL, "%s", error);
}

/* Answers until it is told to stop, and lets the connections come to their end: what
 * libsoup still has to do for them would be left behind. */
static gpointer
run_server (gpointer data)
{
  g_main_context_push_thread_default (remix_server.context);
  /* Not a main loop: to quit one that does not run yet is to no effect. */
  while (!g_atomic_int_get (&remix_server.stop))
    g_main_context_iteration (remix_server.context, TRUE);
  soup_accept_stop (remix_server.service, remix_server.soup);
  g_clear_object (&remix_server.soup);
  while (g_main_context_iteration (remix_server.context, FALSE))
    ;
  g_main_context_pop_thread_default (remix_server.context);
  return NULL;
}

void
remix_server_start (void)
{
  memset (&remix_server, 0, sizeof (remix_server));
  remix_server.context = g_main_context_new ();
  g_main_context_push_thread_default (remix_server.context);
  remix_server.soup = soup_server_new ("server-header", "test ", NULL);
  soup_server_add_handler (remix_server.soup, NULL, on_request, NULL, NULL);
  remix_server.service =
      soup_accept_start (remix_server.soup, &remix_server.port);
  g_main_context_pop_thread_default (remix_server.context);
  remix_server.thread = g_thread_new ("server", run_server, NULL);
}

void
remix_server_stop (void)
{
  g_atomic_int_set (&remix_server.stop, TRUE);
  g_main_context_wakeup (remix_server.context);
  g_thread_join (remix_server.thread);
  g_main_context_unref (remix_server.context);
}
