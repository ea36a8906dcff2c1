/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sources over HTTP, and what can go wrong with them: the right bytes, or an error
 * that names the URI. */

#include <string.h>

#include <libsoup/soup.h>

#include "remix-media.h"

/* libsoup 3.2's server leaves a socket and the address it listened on behind, too
 * deep in the stack to be suppressed by name. */
int __lsan_is_turned_off (void);

__attribute__ ((visibility ("default"))) int
__lsan_is_turned_off (void)
{
  return 1;
}

typedef struct
{
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  SoupServer *server;
  guint port;
  gint n_requests;
  gint drops; /* bodies to be broken off */
  gint busy; /* answers of 503 */
  gint change_after; /* requests until the ETag changes; 0: never */
} Server;

static Server server;

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

/* Half of what was asked for, and the end of the connection. */
static void
break_off (SoupServerMessage *message, const gchar *data, gsize size)
{
  g_autofree gchar *head = NULL;
  g_autoptr (GIOStream) stream = NULL;
  GOutputStream *out;
  gsize start, end;

  fail_unless (get_range (message, size, &start, &end));
  head = g_strdup_printf ("HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\n"
                          "Content-Range: bytes %" G_GSIZE_FORMAT
                          "-%" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT "\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
      start, end - 1, size, end - start);
  stream = soup_server_message_steal_connection (message);
  out = g_io_stream_get_output_stream (stream);
  g_output_stream_write_all (out, head, strlen (head), NULL, NULL, NULL);
  g_output_stream_write_all (out, data + start, (end - start) / 2, NULL, NULL,
      NULL);
  g_io_stream_close (stream, NULL, NULL);
}

static void
serve_file (SoupServerMessage *message, const gchar *name)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  g_autofree gchar *path = remix_media_path (name);
  gchar *data;
  gsize size, start, end;
  gint n = g_atomic_int_add (&server.n_requests, 1) + 1;
  gboolean changed = server.change_after && n > server.change_after;

  if (!g_file_get_contents (path, &data, &size, NULL)) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  if (g_str_has_suffix (name, ".mp4") && g_atomic_int_get (&server.drops) > 0) {
    g_atomic_int_add (&server.drops, -1);
    break_off (message, data, size);
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

/* /name, /norange/name, /redirect/name, /away (to a private address). */
static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  if (g_str_has_suffix (path, ".mp4") && g_atomic_int_get (&server.busy) > 0) {
    g_atomic_int_add (&server.busy, -1);
    soup_server_message_set_status (message, SOUP_STATUS_SERVICE_UNAVAILABLE,
        NULL);
  } else if (g_str_has_prefix (path, "/norange/")) {
    soup_message_headers_remove (soup_server_message_get_request_headers (
                                     message),
        "Range");
    serve_file (message, path + 9);
  } else if (g_str_has_prefix (path, "/redirect/")) {
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, path + 9);
  } else if (strcmp (path, "/away") == 0) {
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND,
        "http://127.0.0.2:1/secret.mp4");
  } else if (strcmp (path, "/loop") == 0) {
    soup_server_message_set_redirect (message, SOUP_STATUS_FOUND, "/loop");
  } else
    serve_file (message, path + 1);
}

static gpointer
run_server (gpointer data)
{
  g_main_context_push_thread_default (server.context);
  g_main_loop_run (server.loop);
  g_main_context_pop_thread_default (server.context);
  return NULL;
}

/* In each test's process: a thread does not survive a fork. */
static void
start_server (void)
{
  GSList *uris;

  memset (&server, 0, sizeof (server));
  server.context = g_main_context_new ();
  server.loop = g_main_loop_new (server.context, FALSE);
  g_main_context_push_thread_default (server.context);
  server.server = soup_server_new ("server-header", "test ", NULL);
  soup_server_add_handler (server.server, NULL, on_request, NULL, NULL);
  fail_unless (soup_server_listen_local (server.server, 0,
      SOUP_SERVER_LISTEN_IPV4_ONLY, NULL));
  uris = soup_server_get_uris (server.server);
  server.port = (guint) g_uri_get_port (uris->data);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  g_main_context_pop_thread_default (server.context);
  server.thread = g_thread_new ("server", run_server, NULL);
}

static void
stop_server (void)
{
  g_main_loop_quit (server.loop);
  g_thread_join (server.thread);
  soup_server_disconnect (server.server);
  g_object_unref (server.server);
  g_main_loop_unref (server.loop);
  g_main_context_unref (server.context);
}

#define TITLE \
  "<smil><body><video src='A5.mp4'/><video src='%sM.mp4' clipEnd='6s'/>" \
  "<video src='A3.mp4'/></body></smil>"

/* The playlist of the network, and the same over files. */
static gchar *
run_http (const gchar *location, const gchar *output)
{
  return remix_media_run_uri (location, server.port, output);
}

static void
write_title (const gchar *prefix)
{
  g_autofree gchar *text = g_strdup_printf (TITLE, prefix);

  remix_media_write ("title.smil", text);
}

static void
make_reference (void)
{
  g_autofree gchar *text = g_strdup_printf (TITLE, "");
  g_autofree gchar *error =
      remix_media_run_document (text, NULL, "reference.mp4");

  fail_unless (error == NULL, "%s", error);
}

static void
expect_same (const gchar *location)
{
  g_autofree gchar *error = run_http (location, "o.mp4");
  g_autofree gchar *a_path = remix_media_path ("o.mp4");
  g_autofree gchar *b_path = remix_media_path ("reference.mp4");
  g_autofree gchar *a = NULL;
  g_autofree gchar *b = NULL;
  gsize a_size, b_size;

  fail_unless (error == NULL, "%s", error);
  fail_unless (g_file_get_contents (a_path, &a, &a_size, NULL));
  fail_unless (g_file_get_contents (b_path, &b, &b_size, NULL));
  fail_unless (a_size == b_size && memcmp (a, b, a_size) == 0);
}

static void
expect_failure (const gchar *location, const gchar *first, const gchar *second)
{
  g_autofree gchar *error = run_http (location, "o.mp4");

  fail_unless (error != NULL, "no error");
  fail_unless (strstr (error, first) != NULL, "%s", error);
  fail_unless (strstr (error, second) != NULL, "%s", error);
}

GST_START_TEST (test_plain)
{
  write_title ("");
  make_reference ();
  expect_same ("title.smil");
  /* The playlist, and for each source one or two ranges. */
  fail_unless (server.n_requests <= 10, "%d requests", server.n_requests);
}

GST_END_TEST;

GST_START_TEST (test_redirected)
{
  write_title ("/redirect/");
  make_reference ();
  expect_same ("redirect/title.smil");
}

GST_END_TEST;

GST_START_TEST (test_dropped_connection)
{
  write_title ("");
  make_reference ();
  server.drops = 3;
  server.busy = 2;
  expect_same ("title.smil");
  fail_unless_equals_int (server.drops, 0);
  fail_unless_equals_int (server.busy, 0);
}

GST_END_TEST;

GST_START_TEST (test_broken)
{
  write_title ("");
  make_reference ();
  server.drops = 100;
  expect_failure ("title.smil", "A5.mp4", "at ");
  server.drops = 0;
  expect_same ("title.smil");
}

GST_END_TEST;

GST_START_TEST (test_not_found)
{
  remix_media_write ("title.smil",
      "<smil><body><video src='A5.mp4'/>\n<video src='none.mp4'/></body>"
      "</smil>");
  expect_failure ("title.smil", "line 2, column 1",
      "none.mp4: the server "
      "answers 404");
  expect_failure ("none.smil", "none.smil", "404");
}

GST_END_TEST;

GST_START_TEST (test_no_ranges)
{
  write_title ("/norange/");
  expect_failure ("title.smil", "/norange/M.mp4", "does not give ranges");
}

GST_END_TEST;

/* The first answers for each source, then another version. */
GST_START_TEST (test_changed)
{
  remix_media_make (
      "-f lavfi -i testsrc2=s=640x360:r=25:d=8 -c:v libx264 "
      "-preset ultrafast -crf 1 -threads 1 -g 25 -pix_fmt yuv420p "
      "-movflags +faststart big.mp4");
  remix_media_write ("title.smil",
      "<smil><body><video src='big.mp4'/></body></smil>");
  server.change_after = 2;
  expect_failure ("title.smil", "big.mp4", "has changed since");
}

GST_END_TEST;

GST_START_TEST (test_policy)
{
  remix_media_write ("title.smil",
      "<smil><body><video src='file:///etc/passwd'/></body></smil>");
  expect_failure ("title.smil", "file:///etc/passwd is refused",
      "may not name files");
  remix_media_write ("title.smil",
      "<smil><body><video src='http://localhost:1/a.mp4'/></body></smil>");
  expect_failure ("title.smil", "http://localhost:1/a.mp4 is refused",
      "private host");
  remix_media_write ("title.smil",
      "<smil><body><video src='/away'/></body></smil>");
  expect_failure ("title.smil", "http://127.0.0.2:1/secret.mp4 is refused",
      "private host");
  remix_media_write ("title.smil",
      "<smil><body><video src='/loop'/></body></smil>");
  expect_failure ("title.smil", "/loop", "redirects");
}

GST_END_TEST;

static Suite *
smilremix_http_suite (void)
{
  Suite *s = suite_create ("smilremix-http");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_unchecked_fixture (tc, remix_media_setup, remix_media_teardown);
  tcase_add_checked_fixture (tc, start_server, stop_server);
  tcase_add_test (tc, test_plain);
  tcase_add_test (tc, test_redirected);
  tcase_add_test (tc, test_dropped_connection);
  tcase_add_test (tc, test_broken);
  tcase_add_test (tc, test_not_found);
  tcase_add_test (tc, test_no_ranges);
  tcase_add_test (tc, test_changed);
  tcase_add_test (tc, test_policy);

  return s;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  if (!remix_media_available ()) {
    g_printerr ("skipped: ffmpeg and ffprobe make the sources\n");
    return 77;
  }
  return gst_check_run_suite (smilremix_http_suite (), "smilremix_http",
      __FILE__);
}
