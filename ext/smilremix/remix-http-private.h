/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request, redirects followed; what remix-http.c gives remix-source-http.c.
 */

#pragma once

#include <libsoup/soup.h>

#include "smilremix/remix-http.h"

G_BEGIN_DECLS

typedef struct
{
  SoupMessage *message; /* the last one: what is not a redirect */
  GInputStream *body;
  gchar *uri; /* where it was found */
} RemixResponse;

/**
 * remix_http_request:
 * @range: (nullable): value of the Range header
 *
 * Follows up to five redirects, each judged by @policy, as is the address that
 * each connection is made to. Whatever the final status is, TRUE.
 */
gboolean remix_http_request (RemixHttp *self, RemixResponse *response,
    const gchar *uri, const gchar *range, const RemixPolicy *policy,
    GCancellable *cancellable, GError **error);
void remix_response_clear (RemixResponse *self);

/**
 * Says that @response, which stays where it is in memory, is being read. More than
 * a few at a time would use up the connections, and a request wait for ever for
 * one: the response that was used longest ago is cleared.
 */
void remix_http_use (RemixHttp *self, RemixResponse *response);
/** Forgets @response, before its memory goes. */
void remix_http_forget (RemixHttp *self, RemixResponse *response);
/** An error that names @uri and the status; NOT_FOUND for 404 and 410. Returns FALSE. */
gboolean remix_response_fail (const RemixResponse *self, const gchar *uri,
    GError **error);

G_END_DECLS
