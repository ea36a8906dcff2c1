/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "remix-error.h"
#include "remix-http-private.h"

/* A request asks for this much; each that goes on where the last one ended for
 * twice as much; one that is made ahead of reading for the most. */
#define FIRST_WINDOW (256u << 10)
#define LAST_WINDOW (16u << 20)
/* Bytes that are read and thrown away rather than asked for anew. */
#define MAX_SKIP (4 * REMIX_BLOCK)
#define MAX_ATTEMPTS 4
/* In front of the third attempt, and four times as long before the fourth. */
#define FIRST_PAUSE (G_USEC_PER_SEC / 10)
/* Places of a file that are read at once: sound and picture that lie apart, and
 * what is asked for ahead of both. */
#define N_CURSORS 4
/* Of a title, requests for bytes that nobody reads yet. */
#define MAX_AHEAD 3

typedef struct
{
  RemixFetch *fetch; /* NULL before the request, and behind its last byte */
  gboolean answered; /* and judged */
  guint64 position, end; /* of the answer's body, in the file */
  guint64 window; /* what was asked for; 0: unused */
  guint64 used; /* when */
} Cursor;

typedef struct
{
  RemixSource parent;
  RemixHttp *http; /* borrowed */
  const RemixPolicy *policy; /* borrowed */
  gchar *validator; /* ETag or Last-Modified of the first answer, or NULL */
  gboolean opened; /* size and validator are known */
  guint owner; /* of blocks */
  Cursor cursors[N_CURSORS];
  guint64 now;
} HttpSource;

static gboolean
set_changed (HttpSource *self, GError **error)
{
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_CHANGED,
      "%s has changed since it was opened", self->parent.uri);
  return FALSE;
}

/* A strong one: a weak one says nothing about bytes (RFC 9110, 8.8.1). */
static gboolean
is_strong_etag (const gchar *validator)
{
  return validator && *validator == '"';
}

static gboolean
is_other_version (const HttpSource *self, const RemixHead *head)
{
  const gchar *validator = head->etag ? head->etag : head->last_modified;

  if ((guint64) head->total != self->parent.size)
    return TRUE;
  /* To If-Range a server need not repeat it (RFC 9110, 15.3.7). */
  if (!head->etag && is_strong_etag (self->validator))
    return FALSE;
  return g_strcmp0 (validator, self->validator) != 0;
}

static gboolean
check_range (HttpSource *self, const Cursor *cursor, const RemixHead *head,
    GError **error)
{
  if (head->has_range && head->first == (gint64) cursor->position &&
      head->last >= head->first && head->last < (gint64) cursor->end &&
      head->total > head->last &&
      (head->length < 0 || head->length == head->last - head->first + 1))
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_SEEK,
      "%s: the server answers with a range that was not asked for",
      self->parent.uri);
  return FALSE;
}

/* The first answer tells size and version; the others have to agree. */
static gboolean
check_partial (HttpSource *self, Cursor *cursor, const RemixHead *head,
    GError **error)
{
  if (!check_range (self, cursor, head, error) ||
      !remix_head_check_encoding (head, self->parent.uri, error))
    return FALSE;
  if (!self->opened) {
    const gchar *validator = head->etag ? head->etag : head->last_modified;

    self->opened = TRUE;
    self->parent.size = (guint64) head->total;
    self->validator = g_strdup (validator);
    self->parent.etag = g_strdup_printf ("%" G_GUINT64_FORMAT " %s",
        self->parent.size, validator ? validator : "");
  }
  if (is_other_version (self, head))
    return set_changed (self, error);
  cursor->end = (guint64) head->last + 1;
  return TRUE;
}

static gboolean
check_answer (HttpSource *self, Cursor *cursor, const RemixHead *head,
    GError **error)
{
  if (head->status == SOUP_STATUS_PARTIAL_CONTENT)
    return check_partial (self, cursor, head, error);
  if (self->opened &&
      (head->status == SOUP_STATUS_OK ||
          head->status == SOUP_STATUS_PRECONDITION_FAILED ||
          head->status == SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE))
    return set_changed (self, error);
  if (head->status == SOUP_STATUS_OK) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_SEEK,
        "%s: the server does not give ranges", self->parent.uri);
    return FALSE;
  }
  return remix_head_fail (head, self->parent.uri, error);
}

/* Asks for bytes from the cursor's position on. */
static void
send_request (HttpSource *self, Cursor *cursor)
{
  guint64 start = cursor->position, stop = start + cursor->window;
  guint64 span_end =
      remix_source_get_span_end (&self->parent, start, REMIX_BLOCK);
  g_autofree gchar *range = NULL;
  RemixRequest request = { self->parent.uri };

  if (span_end < stop) /* up to the next block */
    stop = (span_end + REMIX_BLOCK - 1) / REMIX_BLOCK * REMIX_BLOCK;
  if (self->opened)
    stop = MIN (stop, self->parent.size);
  request.range = range =
      g_strdup_printf ("bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, start,
          stop - 1);
  if (is_strong_etag (self->validator))
    request.if_range = self->validator;
  cursor->end = stop;
  cursor->answered = FALSE;
  cursor->fetch = remix_fetch_new (self->http, &request, self->policy);
}

/* Likewise; it counts among those that are held from now on. */
static void
ask (HttpSource *self, Cursor *cursor)
{
  send_request (self, cursor);
  remix_http_use (self->http, &cursor->fetch);
}

static void
reset_cursor (HttpSource *self, Cursor *cursor)
{
  remix_http_drop (self->http, &cursor->fetch);
  cursor->window = 0;
}

/* Waits for the answer, asking before if need be. */
static gboolean
ensure_answer (HttpSource *self, Cursor *cursor, gint64 *retry_after,
    GCancellable *cancellable, GError **error)
{
  const RemixHead *head;

  if (!cursor->fetch)
    ask (self, cursor);
  if (cursor->answered)
    return TRUE;
  head = remix_fetch_wait (cursor->fetch, cancellable, error);
  if (head) {
    *retry_after = head->retry_after;
    cursor->answered = check_answer (self, cursor, head, error);
  }
  if (!cursor->answered)
    remix_http_drop (self->http, &cursor->fetch);
  return cursor->answered;
}

/* Up to @size bytes; at least one, or an error. */
static gssize
try_read (HttpSource *self, Cursor *cursor, guint8 *dest, gsize size,
    gint64 *retry_after, GCancellable *cancellable, GError **error)
{
  gssize n;

  if (!ensure_answer (self, cursor, retry_after, cancellable, error))
    return -1;
  remix_http_use (self->http, &cursor->fetch);
  n = remix_fetch_read (cursor->fetch, dest,
      (gsize) MIN ((guint64) size, cursor->end - cursor->position), cancellable,
      error);
  if (n == 0)
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_READ,
        "%s: the connection was closed", self->parent.uri);
  if (n > 0)
    cursor->position += (guint64) n;
  /* Read to its end, the connection is free for the next request. */
  if (n <= 0 || cursor->position >= cursor->end)
    remix_http_drop (self->http, &cursor->fetch);
  return n > 0 ? n : -1;
}

/* Before another attempt. FALSE if the server wants more patience than there is. */
static gboolean
pause_before (HttpSource *self, guint attempt, gint64 retry_after,
    GCancellable *cancellable)
{
  gint64 pause = 0;

  if (retry_after > (gint64) remix_http_get_timeout (self->http))
    return FALSE;
  if (retry_after >= 0)
    pause = retry_after * G_USEC_PER_SEC;
  else if (attempt > 0)
    pause = FIRST_PAUSE << (2 * (attempt - 1));
  return pause == 0 || remix_http_wait (self->http, pause, cancellable);
}

/* Reads up to @size bytes at the cursor; asks anew where the connection broke,
 * or the server is busy. At least one byte, or an error. */
static gssize
read_some (HttpSource *self, Cursor *cursor, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error)
{
  GError *local = NULL;
  guint attempt;

  for (attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    gint64 retry_after = -1;
    gssize n;

    g_clear_error (&local);
    n = try_read (self, cursor, dest, size, &retry_after, cancellable, &local);
    if (n > 0)
      return n;
    if (!g_error_matches (local, REMIX_ERROR, REMIX_ERROR_READ) ||
        attempt + 1 == MAX_ATTEMPTS ||
        !pause_before (self, attempt, retry_after, cancellable))
      break;
  }
  if (g_cancellable_is_cancelled (cancellable)) {
    g_clear_error (&local);
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_CANCELLED, "cancelled");
  } else {
    if (g_error_matches (local, REMIX_ERROR, REMIX_ERROR_READ) ||
        g_error_matches (local, REMIX_ERROR, REMIX_ERROR_ANSWER))
      g_prefix_error (&local, "at %" G_GUINT64_FORMAT ": ", cursor->position);
    g_propagate_error (error, local);
  }
  return -1;
}

/* Reads the block at the cursor's position. */
static gboolean
fill_block (HttpSource *self, Cursor *cursor, GCancellable *cancellable,
    GError **error)
{
  RemixBlocks *blocks = remix_http_get_blocks (self->http);
  guint64 index = cursor->position / REMIX_BLOCK;
  gsize size =
      (gsize) MIN ((guint64) REMIX_BLOCK, self->parent.size - cursor->position);
  guint8 *data;
  gsize have = 0;

  remix_blocks_remove (blocks, self->owner, index);
  data = remix_blocks_add (blocks, self->owner, index);
  while (have < size) {
    gssize n =
        read_some (self, cursor, data + have, size - have, cancellable, error);

    if (n < 0) {
      remix_blocks_remove (blocks, self->owner, index);
      reset_cursor (self, cursor);
      return FALSE;
    }
    have += (gsize) n;
  }
  return TRUE;
}

/* One that gets to @start sooner than a new request would; else NULL. */
static Cursor *
find_cursor (HttpSource *self, guint64 start)
{
  Cursor *found = NULL;
  guint i;

  for (i = 0; i < N_CURSORS; i++) {
    Cursor *cursor = &self->cursors[i];

    if (cursor->window > 0 && cursor->fetch && cursor->position <= start &&
        start < cursor->end && start - cursor->position <= MAX_SKIP &&
        (!found || found->position < cursor->position))
      found = cursor;
  }
  return found;
}

/* One whose last request ended in front of @start; else NULL. */
static Cursor *
find_ended (HttpSource *self, guint64 start)
{
  guint i;

  for (i = 0; i < N_CURSORS; i++) {
    Cursor *cursor = &self->cursors[i];

    if (cursor->window > 0 && !cursor->fetch && cursor->position == start)
      return cursor;
  }
  return NULL;
}

static Cursor *
get_oldest (HttpSource *self)
{
  Cursor *oldest = &self->cursors[0];
  guint i;

  for (i = 0; i < N_CURSORS; i++) {
    Cursor *cursor = &self->cursors[i];

    if (cursor->window == 0)
      return cursor;
    if (cursor->used < oldest->used)
      oldest = cursor;
  }
  return oldest;
}

/* The cursor from which block @start is read; it need not have asked yet. */
static Cursor *
get_cursor (HttpSource *self, guint64 start)
{
  Cursor *cursor = find_cursor (self, start);

  if (!cursor) {
    cursor = find_ended (self, start);
    if (cursor) {
      cursor->window = MIN (cursor->window * 2, (guint64) LAST_WINDOW);
    } else {
      cursor = get_oldest (self);
      reset_cursor (self, cursor);
      cursor->position = cursor->end = start;
      cursor->window = FIRST_WINDOW;
    }
  }
  cursor->used = ++self->now;
  return cursor;
}

static const guint8 *
get_block (HttpSource *self, guint64 index, GCancellable *cancellable,
    GError **error)
{
  RemixBlocks *blocks = remix_http_get_blocks (self->http);
  guint8 *data = remix_blocks_find (blocks, self->owner, index);
  Cursor *cursor;

  if (data)
    return data;
  cursor = get_cursor (self, index * REMIX_BLOCK);
  while (cursor->position <= index * REMIX_BLOCK) {
    if (!fill_block (self, cursor, cancellable, error))
      return NULL;
  }
  return remix_blocks_find (blocks, self->owner, index);
}

static gboolean
http_read (RemixSource *source, guint64 offset, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error)
{
  HttpSource *self = (HttpSource *) source;

  while (size > 0) {
    const guint8 *data =
        get_block (self, offset / REMIX_BLOCK, cancellable, error);
    gsize skip = (gsize) (offset % REMIX_BLOCK), n;

    if (!data)
      return FALSE;
    n = MIN (size, REMIX_BLOCK - skip);
    memcpy (dest, data + skip, n);
    dest += n;
    offset += n;
    size -= n;
  }
  return TRUE;
}

static gboolean
is_expected (HttpSource *self, guint64 index)
{
  guint64 start = index * REMIX_BLOCK;
  guint i;

  for (i = 0; i < N_CURSORS; i++) {
    const Cursor *cursor = &self->cursors[i];

    if (cursor->fetch && cursor->position <= start && start < cursor->end) {
      remix_fetch_set_stale (cursor->fetch, FALSE);
      return TRUE;
    }
  }
  /* Found, it counts as used, and is still there when it is read. */
  return remix_blocks_find (remix_http_get_blocks (self->http), self->owner,
             index) != NULL;
}

static gboolean
ask_ahead (HttpSource *self, guint64 start)
{
  Cursor *cursor = NULL;
  guint i;

  if (remix_http_count_unread (self->http) >= MAX_AHEAD &&
      !remix_http_drop_stale (self->http))
    return FALSE;
  for (i = 0; i < N_CURSORS; i++) {
    Cursor *other = &self->cursors[i];

    if (!other->fetch && (!cursor || other->used < cursor->used))
      cursor = other;
  }
  if (!cursor)
    return FALSE;
  cursor->position = start;
  cursor->window = LAST_WINDOW;
  cursor->used = ++self->now;
  ask (self, cursor);
  return TRUE;
}

static gboolean
http_ahead (RemixSource *source, guint64 start, guint64 end)
{
  HttpSource *self = (HttpSource *) source;
  guint64 index;

  for (index = start / REMIX_BLOCK; index * REMIX_BLOCK < end; index++) {
    if (!is_expected (self, index) && !ask_ahead (self, index * REMIX_BLOCK))
      return FALSE;
  }
  return TRUE;
}

static void
http_forget (RemixSource *source)
{
  HttpSource *self = (HttpSource *) source;
  guint i;

  for (i = 0; i < N_CURSORS; i++) {
    Cursor *cursor = &self->cursors[i];

    if (cursor->fetch)
      remix_fetch_set_stale (cursor->fetch, TRUE);
  }
}

static void
http_free (RemixSource *source)
{
  HttpSource *self = (HttpSource *) source;
  guint i;

  for (i = 0; i < N_CURSORS; i++)
    remix_http_drop (self->http, &self->cursors[i].fetch);
  g_free (self->validator);
  g_free (self);
}

/* The first bytes, for what the answer says of the file. */
static gboolean
http_open (RemixSource *source, GCancellable *cancellable, GError **error)
{
  HttpSource *self = (HttpSource *) source;
  Cursor *cursor = get_cursor (self, 0);
  GError *local = NULL;
  guint attempt;

  remix_http_use (self->http, &cursor->fetch);
  for (attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    gint64 retry_after = -1;

    g_clear_error (&local);
    if (ensure_answer (self, cursor, &retry_after, cancellable, &local))
      return TRUE;
    if (!g_error_matches (local, REMIX_ERROR, REMIX_ERROR_READ) ||
        attempt + 1 == MAX_ATTEMPTS ||
        !pause_before (self, attempt, retry_after, cancellable))
      break;
  }
  g_propagate_error (error, local);
  return FALSE;
}

RemixSource *
remix_source_ask_http (RemixHttp *http, const gchar *uri,
    const RemixPolicy *policy)
{
  static const RemixSourceFuncs funcs = { .read = http_read,
    .free = http_free,
    .open = http_open,
    .ahead = http_ahead,
    .forget = http_forget };
  HttpSource *self = g_new0 (HttpSource, 1);

  self->parent.funcs = &funcs;
  self->parent.uri = g_strdup (uri);
  self->parent.remote = TRUE;
  self->http = http;
  self->policy = policy;
  self->owner = remix_blocks_add_owner (remix_http_get_blocks (http));
  send_request (self, get_cursor (self, 0));
  return &self->parent;
}
