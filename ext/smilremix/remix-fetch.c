/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-fetch.h"

#include <string.h>

#include "remix-error.h"
#include "remix-http-private.h"

#define MAX_REDIRECTS 5
#define CHUNK (64u << 10)
/* What may lie received and unread. */
#define AHEAD (512u << 10)
/* Of a redirect's body: read, so that the connection is free for the next
 * request, rather than closed. */
#define MAX_DRAIN (64u << 10)

struct _RemixFetch
{
  gint
      ref_count; /* who reads, and the network's thread while it is on its way */
  RemixHttp *http;
  const RemixPolicy *policy;
  gchar *range, *if_range, *if_none_match, *condition_uri;
  GCancellable *cancellable;
  gboolean read, stale; /* only who reads looks at them */

  /* Only in the network's thread. */
  gchar *uri; /* that is asked now */
  gchar *next; /* where it redirects to */
  SoupMessage *message;
  GInputStream *body;
  guint8 *chunk;
  gsize drained;
  guint64 left; /* bytes that the body may have yet */
  guint n_redirects;
  gboolean waiting; /* for an answer or bytes */
  gboolean ended;
  gboolean met_public; /* was connected to a public address */
  GError *refusal; /* the policy's, while it connects */

  /* With the lock of http. */
  RemixHead *head;
  GByteArray *data;
  gsize at; /* of data: what has been read */
  gboolean paused; /* there is enough to read */
  gboolean over;
  GError *error;
};

static void
head_free (RemixHead *self)
{
  if (!self)
    return;
  g_free (self->reason);
  g_free (self->uri);
  g_free (self->etag);
  g_free (self->last_modified);
  g_free (self->encoding);
  g_free (self);
}

static void
fetch_unref (RemixFetch *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  head_free (self->head);
  g_byte_array_unref (self->data);
  g_clear_error (&self->error);
  g_object_unref (self->cancellable);
  g_free (self->range);
  g_free (self->if_range);
  g_free (self->if_none_match);
  g_free (self->condition_uri);
  g_free (self->uri);
  g_free (self->next);
  g_free (self->chunk);
  g_free (self);
}

static void
clear_message (RemixFetch *self)
{
  /* With unread bytes the connection is dropped, which is what is wanted. */
  if (self->body)
    g_input_stream_close (self->body, NULL, NULL);
  g_clear_object (&self->body);
  if (self->message)
    g_signal_handlers_disconnect_by_data (self->message, self);
  g_clear_object (&self->message);
}

/* The end, in the network's thread; takes @error, which may be NULL. */
static void
end (RemixFetch *self, GError *error)
{
  GMutex *lock = remix_http_get_lock (self->http);

  if (self->ended) {
    g_clear_error (&error);
    return;
  }
  self->ended = TRUE;
  clear_message (self);
  g_clear_pointer (&self->chunk, g_free);
  g_clear_error (&self->refusal);
  g_mutex_lock (lock);
  self->over = TRUE;
  self->error = error;
  remix_http_count (self->http, -1);
  g_cond_broadcast (remix_http_get_changed (self->http));
  g_mutex_unlock (lock);
  fetch_unref (self);
}

/* What @cause means, the policy's refusal first. */
static void
end_with (RemixFetch *self, const GError *cause)
{
  if (self->refusal)
    end (self, g_steal_pointer (&self->refusal));
  else
    end (self,
        g_error_new (REMIX_ERROR,
            g_cancellable_is_cancelled (self->cancellable)
                ? REMIX_ERROR_CANCELLED
                : REMIX_ERROR_READ,
            "%s: %s", self->uri, cause ? cause->message : "no answer"));
}

/* Connected, and nothing sent yet: the name has become an address. */
static void
on_network_event (SoupMessage *message, GSocketClientEvent event,
    GIOStream *connection, gpointer user_data)
{
  RemixFetch *self = user_data;
  g_autoptr (GSocketAddress) remote = NULL;
  GInetAddress *address;

  if (event != G_SOCKET_CLIENT_CONNECTED ||
      !G_IS_SOCKET_CONNECTION (connection))
    return;
  remote =
      g_socket_connection_get_remote_address (G_SOCKET_CONNECTION (connection),
          NULL);
  if (self->refusal || !G_IS_INET_SOCKET_ADDRESS (remote))
    return;
  address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote));
  self->met_public |= remix_address_is_public (address);
  if (!remix_policy_check_address (self->policy, self->uri, address,
          &self->refusal))
    g_cancellable_cancel (self->cancellable);
}

static gint64
get_retry_after (SoupMessageHeaders *headers)
{
  const gchar *text = soup_message_headers_get_one (headers, "Retry-After");
  guint64 seconds;

  /* A date is as good as nothing: clocks differ. */
  return text &&
          g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT32, &seconds, NULL)
      ? (gint64) seconds
      : -1;
}

/* By the connections that were made, and that which the answer came over, which may
 * have been there before. */
static gboolean
host_is_public (const RemixFetch *self)
{
  GSocketAddress *remote = soup_message_get_remote_address (self->message);

  return self->met_public || !G_IS_INET_SOCKET_ADDRESS (remote) ||
      remix_address_is_public (
          g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote)));
}

static RemixHead *
make_head (const RemixFetch *self)
{
  SoupMessageHeaders *headers =
      soup_message_get_response_headers (self->message);
  RemixHead *head = g_new0 (RemixHead, 1);
  goffset first = 0, last = 0, total = -1;

  head->status = soup_message_get_status (self->message);
  head->reason = g_strdup (soup_message_get_reason_phrase (self->message));
  head->uri = g_strdup (self->uri);
  head->host_is_public = host_is_public (self);
  head->etag = g_strdup (soup_message_headers_get_one (headers, "ETag"));
  head->last_modified =
      g_strdup (soup_message_headers_get_one (headers, "Last-Modified"));
  head->encoding =
      g_strdup (soup_message_headers_get_list (headers, "Content-Encoding"));
  head->has_range =
      soup_message_headers_get_content_range (headers, &first, &last, &total);
  head->first = first;
  head->last = last;
  head->total = total;
  head->length = soup_message_headers_get_encoding (headers) ==
          SOUP_ENCODING_CONTENT_LENGTH
      ? soup_message_headers_get_content_length (headers)
      : -1;
  head->retry_after = get_retry_after (headers);
  return head;
}

/* The address that the answer redirects to; NULL without an error if it does not. */
static gchar *
get_redirect (const RemixFetch *self, GError **error)
{
  const gchar *location =
      soup_message_headers_get_one (soup_message_get_response_headers (
                                        self->message),
          "Location");

  if (!SOUP_STATUS_IS_REDIRECTION (soup_message_get_status (self->message)) ||
      !location)
    return NULL;
  if (self->n_redirects >= MAX_REDIRECTS) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_ANSWER,
        "%s: more than %d redirects", self->uri, MAX_REDIRECTS);
    return NULL;
  }
  return remix_uri_resolve (self->uri, location, error);
}

static void receive (RemixFetch *self);
static void send_request (RemixFetch *self);

static void
follow_redirect (RemixFetch *self)
{
  clear_message (self);
  g_free (self->uri);
  self->uri = g_steal_pointer (&self->next);
  self->n_redirects++;
  self->drained = 0;
  send_request (self);
}

/* TRUE if there may be more to read. */
static gboolean
add_bytes (RemixFetch *self, gsize size)
{
  GMutex *lock = remix_http_get_lock (self->http);
  guint64 wanted;

  if (self->next) {
    self->drained += size;
    return self->drained <= MAX_DRAIN;
  }
  wanted = MIN (self->left, size);
  self->left -= wanted;
  g_mutex_lock (lock);
  g_byte_array_append (self->data, self->chunk, (guint) wanted);
  self->paused = self->data->len - self->at >= AHEAD;
  g_cond_broadcast (remix_http_get_changed (self->http));
  g_mutex_unlock (lock);
  return wanted == size;
}

static void
on_received (GObject *body, GAsyncResult *result, gpointer user_data)
{
  RemixFetch *self = user_data;
  g_autoptr (GError) cause = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (body), result, &cause);

  self->waiting = FALSE;
  if (g_cancellable_is_cancelled (self->cancellable)) {
    end_with (self, cause);
  } else if (n > 0 && add_bytes (self, (gsize) n)) {
    receive (self);
  } else if (self->next) {
    follow_redirect (self);
  } else if (n < 0) {
    end_with (self, cause);
  } else {
    end (self, NULL);
  }
  fetch_unref (self);
}

static void
receive (RemixFetch *self)
{
  GMutex *lock = remix_http_get_lock (self->http);
  gboolean paused;

  g_mutex_lock (lock);
  paused = self->paused;
  g_mutex_unlock (lock);
  if (paused || self->waiting)
    return;
  self->waiting = TRUE;
  g_atomic_int_inc (&self->ref_count);
  g_input_stream_read_async (self->body, self->chunk, CHUNK, G_PRIORITY_DEFAULT,
      self->cancellable, on_received, self);
}

/* How much of the body there is to receive: a range, or a document. */
static guint64
get_body_size (const RemixFetch *self, const RemixHead *head)
{
  if (!self->range)
    return G_MAXUINT64;
  if (head->status != SOUP_STATUS_PARTIAL_CONTENT || !head->has_range ||
      head->last < head->first)
    return 0;
  return (guint64) (head->last - head->first) + 1;
}

/* The answer is there, but for its body. */
static void
take_answer (RemixFetch *self)
{
  GMutex *lock = remix_http_get_lock (self->http);
  GError *error = NULL;

  self->next = get_redirect (self, &error);
  if (error) {
    end (self, error);
    return;
  }
  if (!self->next) {
    g_mutex_lock (lock);
    self->head = make_head (self);
    self->left = get_body_size (self, self->head);
    g_cond_broadcast (remix_http_get_changed (self->http));
    g_mutex_unlock (lock);
    if (self->left == 0) {
      end (self, NULL);
      return;
    }
  }
  receive (self);
}

static void
on_sent (GObject *session, GAsyncResult *result, gpointer user_data)
{
  RemixFetch *self = user_data;
  g_autoptr (GError) cause = NULL;

  self->waiting = FALSE;
  self->body =
      soup_session_send_finish ((SoupSession *) session, result, &cause);
  if (!self->body || self->refusal ||
      g_cancellable_is_cancelled (self->cancellable))
    end_with (self, cause);
  else
    take_answer (self);
  fetch_unref (self);
}

static void
set_header (RemixFetch *self, const gchar *name, const gchar *value)
{
  if (value)
    soup_message_headers_replace (soup_message_get_request_headers (
                                      self->message),
        name, value);
}

static void
send_request (RemixFetch *self)
{
  GError *error = NULL;

  if (!remix_uri_is_http (self->uri))
    error = g_error_new (REMIX_ERROR, REMIX_ERROR_REFUSED,
        "%s is refused: a server may not name it", self->uri);
  if (error || !remix_policy_check_uri (self->policy, self->uri, &error)) {
    end (self, error);
    return;
  }
  self->message = soup_message_new (SOUP_METHOD_GET, self->uri);
  if (!self->message) {
    end (self,
        g_error_new (REMIX_ERROR, REMIX_ERROR_READ, "%s is no HTTP address",
            self->uri));
    return;
  }
  soup_message_add_flags (self->message, SOUP_MESSAGE_NO_REDIRECT);
  remix_soup_force_http1 (self->message);
  set_header (self, "Accept-Encoding", "identity");
  set_header (self, "Range", self->range);
  set_header (self, "If-Range", self->if_range);
  if (g_strcmp0 (self->condition_uri, self->uri) == 0)
    set_header (self, "If-None-Match", self->if_none_match);
  g_signal_connect (self->message, "network-event",
      G_CALLBACK (on_network_event), self);
  self->waiting = TRUE;
  g_atomic_int_inc (&self->ref_count);
  soup_session_send_async (remix_http_get_session (self->http), self->message,
      G_PRIORITY_DEFAULT, self->cancellable, on_sent, self);
}

static gboolean
begin (gpointer user_data)
{
  RemixFetch *self = user_data;

  self->chunk = g_malloc (CHUNK);
  send_request (self);
  fetch_unref (self);
  return G_SOURCE_REMOVE;
}

static gboolean
stop (gpointer user_data)
{
  RemixFetch *self = user_data;

  g_cancellable_cancel (self->cancellable);
  if (!self->waiting)
    end_with (self, NULL);
  fetch_unref (self);
  return G_SOURCE_REMOVE;
}

static gboolean
go_on (gpointer user_data)
{
  RemixFetch *self = user_data;

  if (!self->ended)
    receive (self);
  fetch_unref (self);
  return G_SOURCE_REMOVE;
}

/* Calls @function, which has a reference to drop, in the network's thread. */
static void
invoke (RemixFetch *self, GSourceFunc function)
{
  g_atomic_int_inc (&self->ref_count);
  remix_http_invoke (self->http, function, self);
}

RemixFetch *
remix_fetch_new (RemixHttp *http, const RemixRequest *request,
    const RemixPolicy *policy)
{
  RemixFetch *self = g_new0 (RemixFetch, 1);

  self->ref_count = 2; /* the second one is end()'s */
  self->http = http;
  self->policy = policy;
  self->uri = g_strdup (request->uri);
  self->range = g_strdup (request->range);
  self->if_range = g_strdup (request->if_range);
  self->if_none_match = g_strdup (request->if_none_match);
  self->condition_uri = g_strdup (request->condition_uri);
  self->cancellable = g_cancellable_new ();
  self->data = g_byte_array_new ();
  g_mutex_lock (remix_http_get_lock (http));
  remix_http_count (http, 1);
  g_mutex_unlock (remix_http_get_lock (http));
  invoke (self, begin);
  return self;
}

void
remix_fetch_free (RemixFetch *self)
{
  if (!self)
    return;
  invoke (self, stop);
  fetch_unref (self);
}

/* Whether there is an answer, or with @bytes some of its body, or the end. */
static gboolean
is_ready (const RemixFetch *self, gboolean bytes)
{
  return self->over || (bytes ? self->data->len > self->at : !!self->head);
}

/* Waits, and leaves the lock held. FALSE if @cancellable was cancelled. */
static gboolean
lock_ready (RemixFetch *self, gboolean bytes, GCancellable *cancellable,
    GError **error)
{
  GMutex *lock = remix_http_get_lock (self->http);
  gulong handler = 0;

  g_mutex_lock (lock);
  if (is_ready (self, bytes))
    return TRUE;
  g_mutex_unlock (lock);
  if (cancellable)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (remix_http_wake),
        self->http, NULL);
  g_mutex_lock (lock);
  while (!is_ready (self, bytes) && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (remix_http_get_changed (self->http), lock);
  g_mutex_unlock (lock);
  /* Waits for the handler, which takes the lock. */
  g_cancellable_disconnect (cancellable, handler);
  g_mutex_lock (lock);
  if (is_ready (self, bytes))
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

const RemixHead *
remix_fetch_wait (RemixFetch *self, GCancellable *cancellable, GError **error)
{
  const RemixHead *head = NULL;

  if (lock_ready (self, FALSE, cancellable, error)) {
    head = self->head;
    if (!head && error)
      *error = g_error_copy (self->error);
  }
  g_mutex_unlock (remix_http_get_lock (self->http));
  return head;
}

/* With the lock: up to @size bytes of what was received; TRUE if the network's
 * thread has to be told that there is room again. */
static gboolean
take_bytes (RemixFetch *self, guint8 *dest, gsize *size)
{
  gsize have = self->data->len - self->at;

  *size = MIN (*size, have);
  memcpy (dest, self->data->data + self->at, *size);
  self->at += *size;
  if (self->at == self->data->len) {
    g_byte_array_set_size (self->data, 0);
    self->at = 0;
  } else if (self->at >= AHEAD / 2) {
    g_byte_array_remove_range (self->data, 0, (guint) self->at);
    self->at = 0;
  }
  if (!self->paused || have - *size > AHEAD / 2)
    return FALSE;
  self->paused = FALSE;
  return TRUE;
}

gssize
remix_fetch_read (RemixFetch *self, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error)
{
  gboolean resume = FALSE;
  gssize n = -1;

  self->read = TRUE;
  if (lock_ready (self, TRUE, cancellable, error)) {
    if (self->data->len > self->at) {
      resume = take_bytes (self, dest, &size);
      n = (gssize) size;
    } else if (!self->error) {
      n = 0;
    } else if (error) {
      *error = g_error_copy (self->error);
    }
  }
  g_mutex_unlock (remix_http_get_lock (self->http));
  if (resume)
    invoke (self, go_on);
  return n;
}

gboolean
remix_fetch_is_read (const RemixFetch *self)
{
  return self->read;
}

void
remix_fetch_set_stale (RemixFetch *self, gboolean stale)
{
  self->stale = stale;
}

gboolean
remix_fetch_is_stale (const RemixFetch *self)
{
  return self->stale;
}
