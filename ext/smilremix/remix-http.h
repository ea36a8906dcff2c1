/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixHttp: what all HTTP sources of a title share: a thread that receives,
 * connections that are kept alive, the last bytes, the timeout. Its functions block,
 * and are used by one thread at a time.
 */

#pragma once

#include "smilremix/remix-source.h"

G_BEGIN_DECLS

typedef struct _RemixHttp RemixHttp;

/** @timeout: seconds without a byte until a connection counts as lost; 0: none. NULL with REMIX_ERROR_READ if libsoup is missing. */
RemixHttp *remix_http_new (guint timeout, GError **error);
/** All of its sources have to be freed before. */
void remix_http_free (RemixHttp *self);

/** A document as a server gave it. Immutable. */
typedef struct
{
  gint ref_count;
  gchar *asked; /* the address that was asked for */
  gchar *uri; /* where redirects led */
  gchar *etag; /* nullable */
  gboolean host_is_public; /* where it came from, as of remix_http_get() */
  GBytes *bytes;
} RemixDocument;

RemixDocument *remix_document_ref (RemixDocument *self);
void remix_document_unref (RemixDocument *self);

/**
 * remix_http_get:
 * @max_size: of the document; one that is longer is cut off there
 * @known: (nullable): what the server gave before: it is asked whether its ETag
 *   still holds (If-None-Match), and if so this is the document
 * @host_is_public: (out): whether an address that it came from is one that anybody
 *   could name: that of the answer, or one that was connected to on the way to it;
 *   where @known still holds, also when it was got
 *
 * A document as a whole, from a server that need not give ranges.
 *
 * Returns: (transfer full): @known itself if it still holds; NULL with an error
 */
RemixDocument *remix_http_get (RemixHttp *self, const gchar *uri,
    const RemixPolicy *policy, gsize max_size, RemixDocument *known,
    gboolean *host_is_public, GCancellable *cancellable, GError **error);

/**
 * remix_source_ask_http:
 * @http: borrowed; has to outlive the source
 * @policy: likewise
 *
 * Asks for the first bytes, and does not block: remix_source_open() waits for the
 * answer. Until then it does not count among the few answers that are held at a
 * time; who asks bounds how many are asked. Blocks of 64 KiB are read, as far as they go one
 * behind the other from one response, and the last ones kept (8 MiB for all
 * sources together). A connection that breaks is taken up at the byte where it
 * broke.
 *
 * Errors of remix_source_open() are REMIX_ERROR_REFUSED, REMIX_ERROR_NOT_FOUND,
 * REMIX_ERROR_SEEK (the server gives no ranges), REMIX_ERROR_ANSWER and
 * REMIX_ERROR_READ.
 *
 * Returns: (transfer full)
 */
RemixSource *remix_source_ask_http (RemixHttp *http, const gchar *uri,
    const RemixPolicy *policy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixHttp, remix_http_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixDocument, remix_document_unref)

G_END_DECLS
