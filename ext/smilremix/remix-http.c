/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-http.h"

#include <string.h>

#include "remix-error.h"
#include "remix-http-private.h"

#define MAX_REDIRECTS 5
/* Responses that are being read; one more connection is for the next request. */
#define MAX_RESPONSES 6

struct _RemixHttp
{
  SoupSession *session;
  GQueue responses; /* RemixResponse, borrowed; the one used last in front */
};

RemixHttp *
remix_http_new (guint timeout)
{
  RemixHttp *self = g_new0 (RemixHttp, 1);

  self->session = soup_session_new_with_options ("timeout", timeout,
      "user-agent", "smilremixsrc ", "max-conns", MAX_RESPONSES + 4,
      "max-conns-per-host", MAX_RESPONSES + 4, NULL);
  /* Ranges count in bytes as they are stored. */
  soup_session_remove_feature_by_type (self->session,
      SOUP_TYPE_CONTENT_DECODER);
  return self;
}

void
remix_http_free (RemixHttp *self)
{
  if (!self)
    return;
  soup_session_abort (self->session);
  g_object_unref (self->session);
  g_free (self);
}

void
remix_http_use (RemixHttp *self, RemixResponse *response)
{
  if (g_queue_peek_head (&self->responses) == response)
    return;
  g_queue_remove (&self->responses, response);
  g_queue_push_head (&self->responses, response);
  if (g_queue_get_length (&self->responses) > MAX_RESPONSES)
    remix_response_clear (g_queue_pop_tail (&self->responses));
}

void
remix_http_forget (RemixHttp *self, RemixResponse *response)
{
  g_queue_remove (&self->responses, response);
}

/* A request that the policy may still stop when it knows the address. */
typedef struct
{
  const RemixPolicy *policy;
  const gchar *uri;
  GCancellable *cancellable;
  GError *refusal;
} Guard;

/* Connected, and nothing sent yet: the name has become an address. */
static void
on_network_event (SoupMessage *message, GSocketClientEvent event,
    GIOStream *connection, gpointer user_data)
{
  Guard *self = user_data;
  g_autoptr (GSocketAddress) remote = NULL;

  if (event != G_SOCKET_CLIENT_CONNECTED ||
      !G_IS_SOCKET_CONNECTION (connection))
    return;
  remote =
      g_socket_connection_get_remote_address (G_SOCKET_CONNECTION (connection),
          NULL);
  if (self->refusal || !G_IS_INET_SOCKET_ADDRESS (remote))
    return;
  if (!remix_policy_check_address (self->policy, self->uri,
          g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote)),
          &self->refusal))
    g_cancellable_cancel (self->cancellable);
}

static void
on_cancelled (GCancellable *parent, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

static void
set_send_error (const gchar *uri, GCancellable *cancellable, GError *cause,
    GError **error)
{
  gboolean cancelled = g_cancellable_is_cancelled (cancellable);

  g_set_error (error, REMIX_ERROR,
      cancelled ? REMIX_ERROR_CANCELLED : REMIX_ERROR_READ, "%s: %s", uri,
      cause ? cause->message : "no answer");
}

/* One message, no redirect. */
static gboolean
send_message (RemixHttp *self, RemixResponse *response, const gchar *range,
    const RemixPolicy *policy, GCancellable *cancellable, GError **error)
{
  g_autoptr (GCancellable) own = g_cancellable_new ();
  g_autoptr (GError) cause = NULL;
  Guard guard = { policy, response->uri, own, NULL };
  gulong chained = 0;

  if (!remix_policy_check_uri (policy, response->uri, error))
    return FALSE;
  response->message = soup_message_new (SOUP_METHOD_GET, response->uri);
  if (!response->message) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_READ, "%s is no HTTP address",
        response->uri);
    return FALSE;
  }
  soup_message_add_flags (response->message, SOUP_MESSAGE_NO_REDIRECT);
  if (range)
    soup_message_headers_replace (soup_message_get_request_headers (
                                      response->message),
        "Range", range);
  g_signal_connect (response->message, "network-event",
      G_CALLBACK (on_network_event), &guard);
  if (cancellable)
    chained = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
        own, NULL);
  response->body =
      soup_session_send (self->session, response->message, own, &cause);
  if (cancellable)
    g_cancellable_disconnect (cancellable, chained);
  g_signal_handlers_disconnect_by_data (response->message, &guard);
  if (guard.refusal) {
    g_clear_object (&response->body);
    g_propagate_error (error, guard.refusal);
    return FALSE;
  }
  if (!response->body)
    set_send_error (response->uri, cancellable, cause, error);
  return response->body != NULL;
}

void
remix_response_clear (RemixResponse *self)
{
  /* Unread bytes: closing drops the connection, which is what is wanted. */
  if (self->body)
    g_input_stream_close (self->body, NULL, NULL);
  g_clear_object (&self->body);
  g_clear_object (&self->message);
  g_clear_pointer (&self->uri, g_free);
}

static gchar *
get_redirect (const RemixResponse *self, GError **error)
{
  const gchar *location =
      soup_message_headers_get_one (soup_message_get_response_headers (
                                        self->message),
          "Location");

  if (!SOUP_STATUS_IS_REDIRECTION (soup_message_get_status (self->message)) ||
      !location)
    return NULL;
  return remix_uri_resolve (self->uri, location, error);
}

gboolean
remix_http_request (RemixHttp *self, RemixResponse *response, const gchar *uri,
    const gchar *range, const RemixPolicy *policy, GCancellable *cancellable,
    GError **error)
{
  GError *local = NULL;
  gchar *next;
  guint i;

  memset (response, 0, sizeof (*response));
  next = g_strdup (uri);
  for (i = 0; next && i <= MAX_REDIRECTS; i++) {
    remix_response_clear (response);
    response->uri = next;
    next = NULL;
    if (!send_message (self, response, range, policy, cancellable, error)) {
      remix_response_clear (response);
      return FALSE;
    }
    next = get_redirect (response, &local);
  }
  if (next)
    g_set_error (&local, REMIX_ERROR, REMIX_ERROR_READ,
        "%s: more than %d redirects", uri, MAX_REDIRECTS);
  g_free (next);
  if (local) {
    remix_response_clear (response);
    g_propagate_error (error, local);
    return FALSE;
  }
  return TRUE;
}

gboolean
remix_response_fail (const RemixResponse *self, const gchar *uri,
    GError **error)
{
  guint status = soup_message_get_status (self->message);

  g_set_error (error, REMIX_ERROR,
      status == SOUP_STATUS_NOT_FOUND || status == SOUP_STATUS_GONE
          ? REMIX_ERROR_NOT_FOUND
          : REMIX_ERROR_READ,
      "%s: the server answers %u %s", uri, status,
      soup_message_get_reason_phrase (self->message));
  return FALSE;
}

static GBytes *
read_body (RemixResponse *response, gsize max_size, GCancellable *cancellable,
    GError **error)
{
  g_autofree guint8 *data = g_malloc (max_size);
  g_autoptr (GError) cause = NULL;
  gsize size = 0;

  if (!g_input_stream_read_all (response->body, data, max_size, &size,
          cancellable, &cause)) {
    set_send_error (response->uri, cancellable, cause, error);
    return NULL;
  }
  return g_bytes_new (data, size);
}

GBytes *
remix_http_get (RemixHttp *self, const gchar *uri, const RemixPolicy *policy,
    gsize max_size, gchar **etag, gchar **final_uri, GCancellable *cancellable,
    GError **error)
{
  RemixResponse response;
  GBytes *bytes = NULL;

  if (!remix_http_request (self, &response, uri, NULL, policy, cancellable,
          error))
    return NULL;
  if (soup_message_get_status (response.message) != SOUP_STATUS_OK)
    remix_response_fail (&response, uri, error);
  else
    bytes = read_body (&response, max_size, cancellable, error);
  if (etag)
    *etag = g_strdup (
        soup_message_headers_get_one (soup_message_get_response_headers (
                                          response.message),
            "ETag"));
  *final_uri = g_strdup (response.uri);
  remix_response_clear (&response);
  return bytes;
}
