/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixFetch: one GET that is on its way, redirects followed. RemixHttp's thread
 * sends it and receives ahead of who reads it, as far as a limit goes; what goes
 * wrong is said to who reads.
 */

#pragma once

#include "smilremix/remix-http.h"

G_BEGIN_DECLS

typedef struct _RemixFetch RemixFetch;

typedef struct
{
  const gchar *uri;
  const gchar *range; /* nullable: value of the Range header */
  const gchar *if_range; /* nullable */
  /* Nullable; sent only to @condition_uri: elsewhere it would mean another document. */
  const gchar *if_none_match;
  const gchar *condition_uri;
} RemixRequest;

/** What the answer says of itself; strings are NULL where it does not. */
typedef struct
{
  guint status;
  gchar *reason;
  gchar *uri; /* where it was found */
  gboolean host_is_public; /* an address on the way to it, or its own, is */
  gchar *etag, *last_modified;
  gchar *encoding; /* Content-Encoding */
  gboolean has_range;
  gint64 first, last, total; /* Content-Range; total -1 if it is not told */
  gint64 length; /* Content-Length, or -1 */
  gint64 retry_after; /* seconds, or -1 */
} RemixHead;

/**
 * remix_fetch_new:
 * @policy: borrowed; has to outlive the fetch
 *
 * Sends it. Up to five redirects are followed, each judged by @policy, as is the
 * address that each connection is made to. Does not block.
 */
RemixFetch *remix_fetch_new (RemixHttp *http, const RemixRequest *request,
    const RemixPolicy *policy);
/** Stops it. Does not block. */
void remix_fetch_free (RemixFetch *self);

/**
 * remix_fetch_wait:
 *
 * Blocks until there is an answer, whatever its status.
 *
 * Returns: (transfer none): NULL with REMIX_ERROR_READ, REMIX_ERROR_ANSWER (too many
 *   redirects), REMIX_ERROR_REFUSED or REMIX_ERROR_CANCELLED
 */
const RemixHead *
remix_fetch_wait (RemixFetch *self, GCancellable *cancellable, GError **error);

/** Up to @size bytes of the body; 0 where it ends; -1 with an error. Blocks until there is one. */
gssize remix_fetch_read (RemixFetch *self, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error);

/** Whether remix_fetch_read() was ever called. */
gboolean remix_fetch_is_read (const RemixFetch *self);
/** Whether its bytes are not expected to be read any more. */
void remix_fetch_set_stale (RemixFetch *self, gboolean stale);
gboolean remix_fetch_is_stale (const RemixFetch *self);

/** An error that names @uri and the status; NOT_FOUND for 404 and 410, READ where to ask again may help (408, 429, 5xx), else ANSWER. Returns FALSE. */
gboolean
remix_head_fail (const RemixHead *self, const gchar *uri, GError **error);
/** Whether the bytes are as they are stored: FALSE, with an error that names @uri, if they are encoded. */
gboolean remix_head_check_encoding (const RemixHead *self, const gchar *uri,
    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixFetch, remix_fetch_free)

G_END_DECLS
