/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "remix-error.h"
#include "remix-http-private.h"

#define BLOCK (64u << 10)
#define N_BLOCKS 32
/* A request asks for this much; each that goes on where the last one ended for
 * twice as much. */
#define FIRST_WINDOW (256u << 10)
#define LAST_WINDOW (16u << 20)
/* Bytes that are read and thrown away rather than asked for anew. */
#define MAX_SKIP (4 * BLOCK)
#define MAX_ATTEMPTS 4

typedef struct
{
  guint64 index; /* of the block in the file; G_MAXUINT64: unused */
  guint64 used; /* when */
  guint8 *data;
} Block;

typedef struct
{
  RemixSource parent;
  RemixHttp *http; /* borrowed */
  const RemixPolicy *policy; /* borrowed */
  gchar *validator; /* ETag or Last-Modified of the first answer, or NULL */
  gboolean opened; /* size and validator are known */

  RemixResponse response; /* being read, if it has a body */
  guint64 position, end; /* of its body, in the file */
  guint64 window;

  Block blocks[N_BLOCKS];
  guint64 now;
} HttpSource;

static gboolean
set_changed (HttpSource *self, GError **error)
{
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_CHANGED,
      "%s has changed since it was opened", self->parent.uri);
  return FALSE;
}

static const gchar *
get_validator (SoupMessageHeaders *headers)
{
  const gchar *etag = soup_message_headers_get_one (headers, "ETag");

  return etag ? etag : soup_message_headers_get_one (headers, "Last-Modified");
}

/* The first answer tells size and version; the others have to agree. */
static gboolean
check_headers (HttpSource *self, guint64 start, GError **error)
{
  SoupMessageHeaders *headers =
      soup_message_get_response_headers (self->response.message);
  const gchar *validator = get_validator (headers);
  goffset first = -1, last = -1, total = -1;

  if (!soup_message_headers_get_content_range (headers, &first, &last,
          &total) ||
      first != (goffset) start || last < first || total <= last) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_SEEK,
        "%s: the server answers with a range that was not asked for",
        self->parent.uri);
    return FALSE;
  }
  if (!self->opened) {
    self->opened = TRUE;
    self->parent.size = (guint64) total;
    self->validator = g_strdup (validator);
    self->parent.etag = g_strdup_printf ("%" G_GUINT64_FORMAT " %s",
        self->parent.size, validator ? validator : "");
  }
  if ((guint64) total != self->parent.size ||
      g_strcmp0 (validator, self->validator) != 0)
    return set_changed (self, error);
  self->position = start;
  self->end = (guint64) last + 1;
  return TRUE;
}

static gboolean
check_response (HttpSource *self, guint64 start, GError **error)
{
  guint status = soup_message_get_status (self->response.message);

  if (status == SOUP_STATUS_PARTIAL_CONTENT)
    return check_headers (self, start, error);
  if (self->opened &&
      (status == SOUP_STATUS_OK || status == SOUP_STATUS_PRECONDITION_FAILED ||
          status == SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE))
    return set_changed (self, error);
  if (status == SOUP_STATUS_OK) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_SEEK,
        "%s: the server does not give ranges", self->parent.uri);
    return FALSE;
  }
  return remix_response_fail (&self->response, self->parent.uri, error);
}

/* Asks for bytes from @start on. */
static gboolean
ask (HttpSource *self, guint64 start, GCancellable *cancellable, GError **error)
{
  guint64 stop = start + self->window;
  g_autofree gchar *range = NULL;

  if (self->opened)
    stop = MIN (stop, self->parent.size);
  range = g_strdup_printf ("bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT,
      start, stop - 1);
  remix_response_clear (&self->response);
  if (!remix_http_request (self->http, &self->response, self->parent.uri, range,
          self->policy, cancellable, error))
    return FALSE;
  if (check_response (self, start, error)) {
    remix_http_use (self->http, &self->response);
    return TRUE;
  }
  remix_response_clear (&self->response);
  return FALSE;
}

/* What another attempt may mend: a lost connection, a server that is busy. */
static gboolean
is_transient (HttpSource *self, const GError *error)
{
  return g_error_matches (error, REMIX_ERROR, REMIX_ERROR_READ);
}

/* Reads up to @size bytes at self->position; asks anew where there is no
 * response, or it broke off. At least one byte, or an error. */
static gssize
read_some (HttpSource *self, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error)
{
  guint64 at = self->position;
  guint attempt;
  GError *local = NULL;

  for (attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    gssize n;

    g_clear_error (&local);
    if (!self->response.body || at >= self->end) {
      if (!ask (self, at, cancellable, &local)) {
        if (is_transient (self, local))
          continue;
        break;
      }
    }
    n = g_input_stream_read (self->response.body, dest,
        (gsize) MIN ((guint64) size, self->end - at), cancellable, &local);
    if (n > 0) {
      self->position += (guint64) n;
      remix_http_use (self->http, &self->response);
      /* Read to its end, the connection is free for the next request. */
      if (self->position >= self->end)
        remix_response_clear (&self->response);
      return n;
    }
    remix_response_clear (&self->response);
    self->position = at;
    if (g_cancellable_is_cancelled (cancellable))
      break;
    if (!local)
      g_set_error (&local, REMIX_ERROR, REMIX_ERROR_READ,
          "the connection was closed");
    g_prefix_error (&local, "%s: at %" G_GUINT64_FORMAT ": ", self->parent.uri,
        at);
  }
  if (g_cancellable_is_cancelled (cancellable))
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_CANCELLED, "cancelled");
  else if (local && local->domain != REMIX_ERROR)
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_READ, "%s", local->message);
  else if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  g_clear_error (&local);
  return -1;
}

static Block *
find_block (HttpSource *self, guint64 index)
{
  guint i;

  for (i = 0; i < N_BLOCKS; i++) {
    if (self->blocks[i].data && self->blocks[i].index == index)
      return &self->blocks[i];
  }
  return NULL;
}

static Block *
get_oldest_block (HttpSource *self)
{
  Block *oldest = &self->blocks[0];
  guint i;

  for (i = 1; i < N_BLOCKS; i++) {
    if (self->blocks[i].used < oldest->used)
      oldest = &self->blocks[i];
  }
  if (!oldest->data)
    oldest->data = g_malloc (BLOCK);
  oldest->index = G_MAXUINT64;
  return oldest;
}

/* Reads the block at self->position. */
static gboolean
fill_block (HttpSource *self, GCancellable *cancellable, GError **error)
{
  Block *block = get_oldest_block (self);
  guint64 index = self->position / BLOCK;
  gsize size, have = 0;

  size = (gsize) MIN ((guint64) BLOCK, self->parent.size - self->position);
  while (have < size) {
    gssize n =
        read_some (self, block->data + have, size - have, cancellable, error);

    if (n < 0)
      return FALSE;
    have += (gsize) n;
  }
  block->index = index;
  block->used = ++self->now;
  return TRUE;
}

/* Stands the response in front of block @index: goes on with the one there is, as
 * far as that costs less than to ask anew. */
static void
move_to (HttpSource *self, guint64 index)
{
  guint64 start = index * BLOCK;
  gboolean running = self->response.body && self->position % BLOCK == 0;

  if (start == self->position && self->position % BLOCK == 0) {
    if (!running || self->position >= self->end)
      self->window = MIN (self->window * 2, (guint64) LAST_WINDOW);
    return;
  }
  if (running && start > self->position && start - self->position <= MAX_SKIP &&
      start < self->end)
    return;
  remix_response_clear (&self->response);
  self->position = self->end = start;
  self->window = FIRST_WINDOW;
}

static Block *
get_block (HttpSource *self, guint64 index, GCancellable *cancellable,
    GError **error)
{
  Block *block = find_block (self, index);

  if (!block) {
    move_to (self, index);
    while (self->position <= index * BLOCK) {
      if (!fill_block (self, cancellable, error))
        return NULL;
    }
    block = find_block (self, index);
  }
  block->used = ++self->now;
  return block;
}

static gboolean
http_read (RemixSource *source, guint64 offset, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error)
{
  HttpSource *self = (HttpSource *) source;

  while (size > 0) {
    Block *block = get_block (self, offset / BLOCK, cancellable, error);
    gsize skip = (gsize) (offset % BLOCK), n;

    if (!block)
      return FALSE;
    n = MIN (size, BLOCK - skip);
    memcpy (dest, block->data + skip, n);
    dest += n;
    offset += n;
    size -= n;
  }
  return TRUE;
}

static void
http_free (RemixSource *source)
{
  HttpSource *self = (HttpSource *) source;
  guint i;

  remix_http_forget (self->http, &self->response);
  remix_response_clear (&self->response);
  for (i = 0; i < N_BLOCKS; i++)
    g_free (self->blocks[i].data);
  g_free (self->validator);
  g_free (self);
}

RemixSource *
remix_source_open_http (RemixHttp *http, const gchar *uri,
    const RemixPolicy *policy, GCancellable *cancellable, GError **error)
{
  static const RemixSourceFuncs funcs = { http_read, http_free };
  HttpSource *self = g_new0 (HttpSource, 1);
  GError *local = NULL;
  guint attempt;

  self->parent.funcs = &funcs;
  self->parent.uri = g_strdup (uri);
  self->parent.remote = TRUE;
  self->http = http;
  self->policy = policy;
  self->window = FIRST_WINDOW;
  for (attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    g_clear_error (&local);
    if (ask (self, 0, cancellable, &local))
      return &self->parent;
    if (!is_transient (self, local))
      break;
  }
  g_propagate_error (error, local);
  remix_source_free (&self->parent);
  return NULL;
}
