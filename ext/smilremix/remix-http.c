/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-http.h"

#include <string.h>

#include "remix-error.h"
#include "remix-http-private.h"

/* Answers that are being read, or wait for that; more connections are for sources
 * that are being opened, and for the next requests, while those that were dropped
 * are being closed. */
#define MAX_FETCHES 8
#define MAX_CONNECTIONS (2 * MAX_FETCHES)
/* 8 MiB. */
#define MAX_BLOCKS 128

struct _RemixHttp
{
  guint timeout;
  RemixBlocks *blocks;
  GQueue fetches; /* RemixFetch **, borrowed; the one used last in front */

  GThread *thread;
  GMainContext *context;
  SoupSession *session; /* only in that thread */

  GMutex lock;
  GCond changed;
  guint n_running; /* fetches that are on their way */
  gboolean over;
};

static SoupSession *
make_session (const RemixHttp *self)
{
  SoupSession *session = soup_session_new_with_options ("timeout",
      self->timeout, "user-agent", "smilremixsrc ", "max-conns",
      MAX_CONNECTIONS, "max-conns-per-host", MAX_CONNECTIONS, NULL);

  /* Ranges count in bytes as they are stored. */
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  return session;
}

static gboolean
is_over (RemixHttp *self)
{
  gboolean over;

  g_mutex_lock (&self->lock);
  over = self->over && self->n_running == 0;
  g_mutex_unlock (&self->lock);
  return over;
}

static gpointer
run (gpointer data)
{
  RemixHttp *self = data;

  g_main_context_push_thread_default (self->context);
  self->session = make_session (self);
  while (!is_over (self))
    g_main_context_iteration (self->context, TRUE);
  soup_session_abort (self->session);
  g_object_unref (self->session);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

RemixHttp *
remix_http_new (guint timeout, GError **error)
{
  RemixHttp *self;

  if (!remix_soup_load (error))
    return NULL;
  self = g_new0 (RemixHttp, 1);
  self->timeout = timeout;
  self->blocks = remix_blocks_new (MAX_BLOCKS);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->context = g_main_context_new ();
  self->thread = g_thread_new ("smilremix-http", run, self);
  return self;
}

void
remix_http_free (RemixHttp *self)
{
  if (!self)
    return;
  g_mutex_lock (&self->lock);
  self->over = TRUE;
  g_mutex_unlock (&self->lock);
  g_main_context_wakeup (self->context);
  g_thread_join (self->thread);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  remix_blocks_free (self->blocks);
  g_free (self);
}

GMutex *
remix_http_get_lock (RemixHttp *self)
{
  return &self->lock;
}

GCond *
remix_http_get_changed (RemixHttp *self)
{
  return &self->changed;
}

guint
remix_http_get_timeout (RemixHttp *self)
{
  return self->timeout;
}

SoupSession *
remix_http_get_session (RemixHttp *self)
{
  return self->session;
}

RemixBlocks *
remix_http_get_blocks (RemixHttp *self)
{
  return self->blocks;
}

void
remix_http_count (RemixHttp *self, gint change)
{
  self->n_running = (guint) ((gint) self->n_running + change);
}

void
remix_http_invoke (RemixHttp *self, GSourceFunc function, gpointer user_data)
{
  g_main_context_invoke (self->context, function, user_data);
}

void
remix_http_wake (GCancellable *cancellable, gpointer user_data)
{
  RemixHttp *self = user_data;

  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
remix_http_drop (RemixHttp *self, RemixFetch **slot)
{
  if (!*slot)
    return;
  g_queue_remove (&self->fetches, slot);
  remix_fetch_free (*slot);
  *slot = NULL;
}

void
remix_http_use (RemixHttp *self, RemixFetch **slot)
{
  if (g_queue_peek_head (&self->fetches) == slot)
    return;
  g_queue_remove (&self->fetches, slot);
  g_queue_push_head (&self->fetches, slot);
  if (g_queue_get_length (&self->fetches) > MAX_FETCHES)
    remix_http_drop (self, g_queue_peek_tail (&self->fetches));
}

gboolean
remix_http_wait (RemixHttp *self, gint64 microseconds,
    GCancellable *cancellable)
{
  gint64 until = g_get_monotonic_time () + microseconds;
  gulong handler = 0;

  if (cancellable)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (remix_http_wake),
        self, NULL);
  g_mutex_lock (&self->lock);
  while (!g_cancellable_is_cancelled (cancellable) &&
      g_cond_wait_until (&self->changed, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
  /* Waits for the handler, which takes the lock. */
  g_cancellable_disconnect (cancellable, handler);
  return !g_cancellable_is_cancelled (cancellable);
}

guint
remix_http_count_unread (RemixHttp *self)
{
  guint n = 0;
  GList *l;

  for (l = self->fetches.head; l; l = l->next)
    n += !remix_fetch_is_read (*(RemixFetch **) l->data);
  return n;
}

gboolean
remix_http_drop_stale (RemixHttp *self)
{
  GList *l;

  for (l = self->fetches.tail; l; l = l->prev) {
    RemixFetch **slot = l->data;

    if (remix_fetch_is_stale (*slot) && !remix_fetch_is_read (*slot)) {
      remix_http_drop (self, slot);
      return TRUE;
    }
  }
  return FALSE;
}

RemixDocument *
remix_document_ref (RemixDocument *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
remix_document_unref (RemixDocument *self)
{
  if (!self || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_free (self->asked);
  g_free (self->uri);
  g_free (self->etag);
  g_bytes_unref (self->bytes);
  g_free (self);
}

static GBytes *
read_body (RemixFetch *fetch, gsize max_size, GCancellable *cancellable,
    GError **error)
{
  g_autofree guint8 *data = g_malloc (max_size);
  gsize size = 0;

  while (size < max_size) {
    gssize n = remix_fetch_read (fetch, data + size, max_size - size,
        cancellable, error);

    if (n < 0)
      return NULL;
    if (n == 0)
      break;
    size += (gsize) n;
  }
  return g_bytes_new (data, size);
}

/* An entity tag (RFC 9110, 8.8.3); what else a server may call one, such as "*", is
 * not sent back. */
static gboolean
is_etag (const gchar *etag)
{
  return etag &&
      (g_str_has_prefix (etag, "\"") || g_str_has_prefix (etag, "W/\""));
}

static RemixDocument *
read_document (RemixFetch *fetch, const RemixHead *head, const gchar *uri,
    gsize max_size, GCancellable *cancellable, GError **error)
{
  RemixDocument *self;
  GBytes *bytes;

  if (head->status != SOUP_STATUS_OK)
    remix_head_fail (head, uri, error);
  if (head->status != SOUP_STATUS_OK ||
      !remix_head_check_encoding (head, uri, error))
    return NULL;
  bytes = read_body (fetch, max_size, cancellable, error);
  if (!bytes)
    return NULL;
  self = g_new0 (RemixDocument, 1);
  self->ref_count = 1;
  self->asked = g_strdup (uri);
  self->uri = g_strdup (head->uri);
  self->etag = g_strdup (head->etag);
  self->host_is_public = head->host_is_public;
  self->bytes = bytes;
  return self;
}

RemixDocument *
remix_http_get (RemixHttp *self, const gchar *uri, const RemixPolicy *policy,
    gsize max_size, RemixDocument *known, gboolean *host_is_public,
    GCancellable *cancellable, GError **error)
{
  RemixRequest request = { uri };
  g_autoptr (RemixFetch) fetch = NULL;
  const RemixHead *head;

  if (known && is_etag (known->etag) && strcmp (known->asked, uri) == 0) {
    request.if_none_match = known->etag;
    request.condition_uri = known->uri;
  }
  fetch = remix_fetch_new (self, &request, policy);
  head = remix_fetch_wait (fetch, cancellable, error);
  if (!head)
    return NULL;
  *host_is_public = head->host_is_public;
  /* Only the address that the condition was sent to has a say. */
  if (head->status == SOUP_STATUS_NOT_MODIFIED && request.if_none_match &&
      strcmp (head->uri, known->uri) == 0) {
    /* Who says that nothing changed has not shown that it is its to say. */
    *host_is_public = head->host_is_public || known->host_is_public;
    return remix_document_ref (known);
  }
  return read_document (fetch, head, uri, max_size, cancellable, error);
}
