/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixLoad: opens the sources that a playlist names, and reads their headers. Of
 * those that come over a network the next ones are asked while one is being read:
 * that a title of many starts after a few times a server takes to answer, not after
 * as many as it has sources.
 */

#pragma once

#include "smilremix/remix-movie.h"
#include "smilremix/remix-playlist.h"
#include "smilremix/remix-source.h"

G_BEGIN_DECLS

typedef struct
{
  /* A new source, which remix_source_open() has still to open; NULL with an error.
   * Does not block where remix_uri_is_http() is TRUE. */
  RemixSource *(*ask) (gpointer user_data, const gchar *uri, GError **error);
  gpointer user_data;
  guint max_sources;
  guint64 max_moov_size; /* of a source, in bytes */

  /* Borrowed; what is found is added. */
  GPtrArray *sources; /* (element-type RemixSource) */
  GHashTable *movies; /* URI → RemixMovie, which owns it */
  GPtrArray *warnings; /* (element-type utf8) */
} RemixLoad;

/**
 * remix_load_playlist:
 *
 * Sources are numbered in the order in which @playlist names them, and the first
 * one that fails in that order is the error, whatever is known of later ones.
 *
 * Returns: FALSE with an error that names line, column and URI
 */
gboolean remix_load_playlist (const RemixLoad *self,
    const RemixPlaylist *playlist, GCancellable *cancellable, GError **error);

G_END_DECLS
