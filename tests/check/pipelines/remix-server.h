/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server for the tests of smilremixsrc over HTTP: the files of remix-media.h, by
 * ranges, with faults. /name, /norange/name, /redirect/name, /moved/name (likewise,
 * counted, and the connection ends), /away (to a private address), /public (to a name), /passwd (to a file), /loop, /forbidden (403).
 */

#pragma once

#include <libsoup/soup.h>

#include "remix-media.h"

typedef struct
{
  GThread *thread;
  GMainContext *context;
  gint stop;
  SoupServer *soup;
  GSocketService *service;
  guint port;
  gint n_requests;
  gint drops; /* bodies to be broken off */
  gint busy; /* answers of 503 */
  gint change_after; /* requests until the ETag changes; 0: never */
  gint hang_after; /* requests until none is answered any more; 0: never */
  gint n_conditional; /* requests with If-None-Match */
  gint n_unmodified; /* answers of 304 */
  gint n_hanging;
  guint
      gather; /* requests for sources that are answered once all are there; 0: each at once */
  gint n_gathered; /* times that they were */
  gboolean overlong; /* answers to ranges never end */
  gint n_overlong; /* such answers */
  gint n_closed; /* of them, those that the client has closed */
  gboolean closes; /* the connection behind a playlist */
  const gchar *etag; /* of playlists; NULL: the hash of their bytes */
  const gchar *watched; /* a name, or NULL */
  gint n_watched; /* requests for it */
} RemixServer;

/** Of this process. Its numbers are atomic; what is to go wrong is set before it is asked. */
extern RemixServer remix_server;

/** Runs smilremixsrc over the playlist @location of the server, as @host, into @output: the error's debug text, or NULL; (transfer full). */
gchar *remix_server_run (const gchar *host, const gchar *location,
    const gchar *output);
/** Fails unless that of 127.0.0.1 ends with an error that has both texts. */
void remix_server_expect_failure (const gchar *location, const gchar *first,
    const gchar *second);

/** Waits until a number of remix_server is above @value; FALSE if it is not within a
 * minute. Only for n_watched, n_hanging and n_closed. */
gboolean remix_server_wait (gint *number, gint value);

/** In each test's process: a thread does not survive a fork. */
void remix_server_start (void);
void remix_server_stop (void);
