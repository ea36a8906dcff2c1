/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-client.h"
#include "jose-json.h"
#include "license-url.h"

#include <string.h>

#include <libsoup/soup.h>

#define MAX_REDIRECTS 5
#define MAX_RETRY_AFTER 60 /* s */
#define MAX_PROBLEM 400 /* characters of a server's words */
#define CHUNK 4096

GQuark
license_client_error_quark (void)
{
  return g_quark_from_static_string ("license-client-error-quark");
}

/* One attempt. All runs in a main context of its own, so that the time-out and
 * the cancellable reach every wait, headers that come byte by byte included. */
typedef struct
{
  const LicenseClient *client;
  const LicenseRequest *request;
  GMainContext *context;
  SoupSession *session;
  SoupMessage *message;
  GCancellable *cancellable;
  GInputStream *stream;
  GByteArray *body;
  gboolean done, timed_out;
  GError *error;
} Attempt;

static gboolean
fail (GError **error, LicenseClientError code, const gchar *text,
    const gchar *more)
{
  g_set_error (error, LICENSE_CLIENT_ERROR, code, "%s%s%s", text,
      more ? ": " : "", more ? more : "");
  return FALSE;
}

static gboolean
on_timeout (gpointer data)
{
  Attempt *self = data;

  self->timed_out = TRUE;
  g_cancellable_cancel (self->cancellable);
  return G_SOURCE_REMOVE;
}

static void read_more (Attempt *self);

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  Attempt *self = data;
  g_autoptr (GBytes) chunk =
      g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result,
          &self->error);
  gsize size = chunk ? g_bytes_get_size (chunk) : 0;

  if (size == 0) {
    self->done = TRUE;
    return;
  }
  if (self->body->len + size > self->client->max_size) {
    fail (&self->error, LICENSE_CLIENT_ERROR_SIZE,
        "the answer is larger than an answer can be", NULL);
    self->done = TRUE;
    return;
  }
  g_byte_array_append (self->body, g_bytes_get_data (chunk, NULL),
      (guint) size);
  read_more (self);
}

static void
read_more (Attempt *self)
{
  g_input_stream_read_bytes_async (self->stream, CHUNK, G_PRIORITY_DEFAULT,
      self->cancellable, on_read, self);
}

/* The whole file comes instead of a piece of it: it may be gigabytes. */
static gboolean
ignores_range (Attempt *self)
{
  return self->request->length > 0 &&
      soup_message_get_status (self->message) == SOUP_STATUS_OK;
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer data)
{
  Attempt *self = data;

  self->stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &self->error);
  if (self->stream && !ignores_range (self))
    read_more (self);
  else
    self->done = TRUE;
}

static SoupSession *
new_session (const LicenseClient *client, GError **error)
{
  SoupSession *session = soup_session_new_with_options ("user-agent",
      "gst-plugins-cenc ", "timeout", client->timeout, "max-conns", 1, NULL);
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GError) failed = NULL;

  /* What comes is what was sent: no sniffing, nothing to inflate. */
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_SNIFFER);
  if (!client->ca_file)
    return session;
  database = g_tls_file_database_new (client->ca_file, &failed);
  if (!database) {
    fail (error, LICENSE_CLIENT_ERROR_SETTINGS, "certificates of servers",
        failed->message);
    g_object_unref (session);
    return NULL;
  }
  soup_session_set_tls_database (session, database);
  return session;
}

static SoupMessage *
new_message (const LicenseRequest *request, GUri *uri)
{
  SoupMessage *message =
      soup_message_new_from_uri (request->body ? "POST" : "GET", uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  /* Redirects are followed here, by our own rules. */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  if (request->body)
    soup_message_set_request_body_from_bytes (message, request->content_type,
        request->body);
  if (request->accept)
    soup_message_headers_replace (headers, "Accept", request->accept);
  if (request->length > 0)
    soup_message_headers_set_range (headers, (goffset) request->offset,
        (goffset) (request->offset + request->length - 1));
  if (request->bearer) {
    gchar *value = g_strconcat ("Bearer ", request->bearer, NULL);

    soup_message_headers_replace (headers, "Authorization", value);
    explicit_bzero (value, strlen (value));
    g_free (value);
  }
  return message;
}

/* To whoever waits in @context: GLib 2.74 leaks a cancellable's source that is
 * dispatched before the thread that cancels has told it, and so sources hang on
 * cancellables only that are cancelled by their own thread. */
static void
on_cancelled (GCancellable *cancellable, gpointer context)
{
  g_main_context_wakeup (context);
}

static void
run_attempt (Attempt *self)
{
  g_autoptr (GSource) timeout =
      g_timeout_source_new_seconds (self->client->timeout);
  GCancellable *outer = self->client->cancellable;
  gulong handler = 0;

  g_source_set_callback (timeout, on_timeout, self, NULL);
  g_source_attach (timeout, self->context);
  if (outer)
    handler = g_cancellable_connect (outer, G_CALLBACK (on_cancelled),
        self->context, NULL);
  soup_session_send_async (self->session, self->message, G_PRIORITY_DEFAULT,
      self->cancellable, on_sent, self);
  while (!self->done) {
    if (g_cancellable_is_cancelled (outer))
      g_cancellable_cancel (self->cancellable);
    g_main_context_iteration (self->context, TRUE);
  }
  g_cancellable_disconnect (outer, handler);
  g_source_destroy (timeout);
}

/* What is left to do for streams and connections that are being closed. */
static void
attempt_clear (Attempt *self)
{
  g_clear_object (&self->stream);
  if (self->session)
    soup_session_abort (self->session);
  g_clear_object (&self->session);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->message);
  g_clear_pointer (&self->body, g_byte_array_unref);
  g_clear_error (&self->error);
}

static gboolean
attempt_init (Attempt *self, const LicenseClient *client,
    const LicenseRequest *request, GUri *uri, GError **error)
{
  memset (self, 0, sizeof *self);
  self->client = client;
  self->request = request;
  self->context = g_main_context_new ();
  g_main_context_push_thread_default (self->context);
  self->cancellable = g_cancellable_new ();
  self->body = g_byte_array_new ();
  self->session = new_session (client, error);
  if (!self->session)
    return FALSE;
  self->message = new_message (request, uri);
  return TRUE;
}

/* The transport's errors in our words. */
static gboolean
transport_error (Attempt *self, GError **error)
{
  const GError *why = self->error;

  if (!why)
    return TRUE;
  if (why->domain == LICENSE_CLIENT_ERROR) {
    g_propagate_error (error, g_error_copy (why));
    return FALSE;
  }
  if (self->client->cancellable &&
      g_cancellable_is_cancelled (self->client->cancellable))
    return fail (error, LICENSE_CLIENT_ERROR_CANCELLED, "cancelled", NULL);
  if (self->timed_out ||
      g_error_matches (why, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return fail (error, LICENSE_CLIENT_ERROR_TIMEOUT,
        "the server took too long", NULL);
  if (why->domain == G_TLS_ERROR)
    return fail (error, LICENSE_CLIENT_ERROR_TLS, "TLS", why->message);
  return fail (error, LICENSE_CLIENT_ERROR_NETWORK, "no answer", why->message);
}

/* A server's words are shown to a user: one line, no control characters. */
static void
append_words (GString *text, const gchar *words)
{
  const gchar *p;

  for (p = words; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (text->len >= MAX_PROBLEM)
      return;
    g_string_append_unichar (text, g_unichar_isprint (c) ? c : ' ');
  }
}

/* RFC 9457 (was 7807) */
static void
append_problem (GString *text, SoupMessage *message, GByteArray *body)
{
  const gchar *type =
      soup_message_headers_get_content_type (soup_message_get_response_headers (
                                                 message),
          NULL);
  const gchar *title = NULL, *detail = NULL;
  g_autoptr (JsonObject) problem = NULL;

  if (g_strcmp0 (type, "application/problem+json") != 0)
    return;
  problem =
      jose_json_parse ((const gchar *) body->data, body->len, "problem", NULL);
  if (!problem || !jose_json_get_string (problem, "title", &title, NULL) ||
      !jose_json_get_string (problem, "detail", &detail, NULL))
    return;
  if (title) {
    g_string_append (text, ": ");
    append_words (text, title);
  }
  if (detail) {
    g_string_append (text, ": ");
    append_words (text, detail);
  }
}

/* libsoup takes the end of a connection for the end of a body of any length. */
static gboolean
length_error (Attempt *self, GError **error)
{
  SoupMessageHeaders *headers =
      soup_message_get_response_headers (self->message);

  if (ignores_range (self) ||
      soup_message_headers_get_encoding (headers) !=
          SOUP_ENCODING_CONTENT_LENGTH ||
      soup_message_headers_get_content_length (headers) == self->body->len)
    return TRUE;
  return fail (error, LICENSE_CLIENT_ERROR_NETWORK,
      "no answer: it broke off in the middle", NULL);
}

/* Of a range, what came is what was asked for, or ends where the file ends. */
static gboolean
range_error (Attempt *self, GError **error)
{
  SoupMessageHeaders *headers =
      soup_message_get_response_headers (self->message);
  const LicenseRequest *request = self->request;
  goffset start, end, total = -1;

  if (request->length == 0)
    return TRUE;
  if (ignores_range (self))
    return fail (error, LICENSE_CLIENT_ERROR_PROTOCOL,
        "the server gives whole files only, no ranges of them", NULL);
  if (!soup_message_headers_get_content_range (headers, &start, &end, &total) ||
      total <= 0 || start != (goffset) request->offset || end < start ||
      end >= total || (guint64) (end - start) >= request->length ||
      (guint64) (end - start) + 1 != self->body->len)
    return fail (error, LICENSE_CLIENT_ERROR_PROTOCOL,
        "the server gives another range than was asked for", NULL);
  *request->total = (guint64) total;
  return TRUE;
}

static LicenseClientError
code_of_status (guint status)
{
  if (status == 404 || status == 410)
    return LICENSE_CLIENT_ERROR_NOT_FOUND;
  if (status == 429 || status >= 500)
    return LICENSE_CLIENT_ERROR_BUSY;
  if (status >= 400)
    return LICENSE_CLIENT_ERROR_REFUSED;
  return LICENSE_CLIENT_ERROR_PROTOCOL;
}

static gboolean
status_error (Attempt *self, GError **error)
{
  guint status = soup_message_get_status (self->message);
  g_autoptr (GString) text = NULL;

  if (status >= 200 && status < 300)
    return TRUE;
  text = g_string_new (NULL);
  g_string_printf (text, "the server answers %u", status);
  append_problem (text, self->message, self->body);
  return fail (error, code_of_status (status), text->str, NULL);
}

static gboolean
is_redirect (guint status)
{
  return status == 301 || status == 302 || status == 303 || status == 307 ||
      status == 308;
}

static GUri *
follow (const LicenseRequest *request, GUri *from, SoupMessage *message,
    GError **error)
{
  guint status = soup_message_get_status (message);
  const gchar *location =
      soup_message_headers_get_one (soup_message_get_response_headers (message),
          "Location");
  g_autoptr (GUri) to = location
      ? g_uri_parse_relative (from, location, SOUP_HTTP_URI_FLAGS, NULL)
      : NULL;
  const gchar *problem = NULL;

  if (!to || !g_uri_get_host (to))
    problem = "the server redirects to nowhere";
  else if (!license_url_check (to, NULL) ||
      (g_str_equal (g_uri_get_scheme (from), "https") &&
          !g_str_equal (g_uri_get_scheme (to), "https")))
    problem = "the server redirects away from https";
  else if (request->body && status != 307 && status != 308)
    problem = "the server redirects in a way that drops the request";
  else if (request->bearer && !license_url_same_origin (from, to))
    problem = "the server redirects a token to another place";
  if (!problem)
    return g_steal_pointer (&to);
  fail (error, LICENSE_CLIENT_ERROR_REDIRECT, problem, NULL);
  return NULL;
}

static guint
retry_after (SoupMessage *message, guint otherwise)
{
  const gchar *text =
      soup_message_headers_get_one (soup_message_get_response_headers (message),
          "Retry-After");
  guint64 seconds;

  if (!text ||
      !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &seconds, NULL))
    return otherwise;
  return (guint) MIN (seconds, MAX_RETRY_AFTER) * 1000;
}

static gboolean
on_turn (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Returns: FALSE if it was cancelled meanwhile */
static gboolean
wait_ms (const LicenseClient *self, guint ms)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) turn = g_timeout_source_new (ms);
  gboolean done = FALSE;
  gulong handler = 0;

  g_source_set_callback (turn, on_turn, &done, NULL);
  g_source_attach (turn, context);
  if (self->cancellable)
    handler = g_cancellable_connect (self->cancellable,
        G_CALLBACK (on_cancelled), context, NULL);
  while (!done && !g_cancellable_is_cancelled (self->cancellable))
    g_main_context_iteration (context, TRUE);
  g_cancellable_disconnect (self->cancellable, handler);
  g_source_destroy (turn);
  return !g_cancellable_is_cancelled (self->cancellable);
}

typedef enum
{
  OUTCOME_DONE, /* with a body or an error */
  OUTCOME_REDIRECTED,
  OUTCOME_BUSY, /* may be tried again */
} Outcome;

static Outcome
judge (Attempt *self, const LicenseRequest *request, GUri **uri, GBytes **body,
    GError **error)
{
  guint status;
  GUri *next;

  if (!transport_error (self, error))
    return OUTCOME_DONE;
  status = soup_message_get_status (self->message);
  if (is_redirect (status)) {
    next = follow (request, *uri, self->message, error);
    if (!next)
      return OUTCOME_DONE;
    g_uri_unref (*uri);
    *uri = next;
    return OUTCOME_REDIRECTED;
  }
  if (!status_error (self, error))
    return status == 429 || status == 503 ? OUTCOME_BUSY : OUTCOME_DONE;
  if (length_error (self, error) && range_error (self, error))
    *body = g_byte_array_free_to_bytes (g_steal_pointer (&self->body));
  return OUTCOME_DONE;
}

static Outcome
attempt_once (const LicenseClient *client, const LicenseRequest *request,
    GUri **uri, GBytes **body, guint *wait, GError **error)
{
  Attempt attempt;
  Outcome outcome = OUTCOME_DONE;

  if (attempt_init (&attempt, client, request, *uri, error)) {
    run_attempt (&attempt);
    outcome = judge (&attempt, request, uri, body, error);
    if (outcome == OUTCOME_BUSY)
      *wait = retry_after (attempt.message, *wait);
  }
  attempt_clear (&attempt);
  return outcome;
}

/* Returns: whether to try again; then @error is clear */
static gboolean
wait_for_turn (const LicenseClient *self, guint attempt, guint wait,
    GError **error)
{
  if (attempt + 1 >= self->attempts)
    return FALSE;
  if (self->progress)
    self->progress (self->progress_data,
        "the server is busy, waiting before the next attempt");
  g_clear_error (error);
  if (wait_ms (self, wait))
    return TRUE;
  return fail (error, LICENSE_CLIENT_ERROR_CANCELLED, "cancelled", NULL);
}

GBytes *
license_client_send (const LicenseClient *self, const LicenseRequest *request,
    GError **error)
{
  g_autoptr (GUri) uri = license_url_parse (request->url, error);
  guint redirects = 0, attempt = 0, back_off = self->back_off;
  g_autoptr (GError) failed = NULL;
  GBytes *body = NULL;

  if (!uri)
    return NULL;
  for (;;) {
    guint wait = back_off;
    Outcome outcome = attempt_once (self, request, &uri, &body, &wait, &failed);

    if (outcome == OUTCOME_REDIRECTED && ++redirects <= MAX_REDIRECTS)
      continue;
    if (outcome == OUTCOME_REDIRECTED)
      fail (&failed, LICENSE_CLIENT_ERROR_REDIRECT,
          "the server redirects too often", NULL);
    if (outcome != OUTCOME_BUSY ||
        !wait_for_turn (self, attempt, wait, &failed))
      break;
    attempt++;
    back_off *= 2;
  }
  if (failed)
    g_propagate_error (error, g_steal_pointer (&failed));
  return body;
}
