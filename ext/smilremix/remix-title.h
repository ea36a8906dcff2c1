/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixTitle: a playlist and its sources, opened, planned and laid out: a file
 * that is not there, of which any range can be read. Used by one thread at a
 * time.
 */

#pragma once

#include "smilremix/remix-http.h"

G_BEGIN_DECLS

typedef struct _RemixTitle RemixTitle;

typedef struct
{
  const gchar *
      location; /* nullable: path or URI of the playlist; with @playlist what relative addresses refer to */
  const gchar *playlist; /* nullable: the playlist itself */
  const gchar *allowed_schemes; /* nullable: see remix_policy_new() */
  const gchar *root; /* nullable */
  guint max_sources;
  guint64 max_moov_size; /* bytes */
  guint64 fragment_duration; /* nanoseconds; 0: a progressive file */
  gboolean in_band; /* parameter sets: see RemixPlanOptions */
  gboolean encode; /* GOPs that an exact cut splits */
  gboolean strict;
  guint timeout; /* of HTTP, seconds; 0: none */
  guint64 read_ahead; /* bytes in front of the reader; 0: none */
  RemixDocument *
      known; /* nullable: the playlist as it was got before; see remix_http_get() */
} RemixTitleOptions;

/** Reads the playlist and the headers of all sources; may block. NULL with an error of any of the room's kinds. */
RemixTitle *remix_title_open (const RemixTitleOptions *options,
    GCancellable *cancellable, GError **error);
void remix_title_free (RemixTitle *self);

/** In bytes. */
guint64 remix_title_get_size (RemixTitle *self);
/** Of what is presented, in nanoseconds. */
guint64 remix_title_get_duration (RemixTitle *self);
/** (element-type utf8): what was not understood or could not be done as asked; borrowed. */
const GPtrArray *remix_title_get_warnings (RemixTitle *self);
/** 64 hex digits: the same for the same playlist, sources and layout; borrowed. */
const gchar *remix_title_get_etag (RemixTitle *self);

/** The playlist, if it came over HTTP, for another title of the same location; else NULL; borrowed. */
RemixDocument *remix_title_get_document (RemixTitle *self);

/** Reads all of @size bytes at @offset, which have to lie within the size. May block. */
gboolean remix_title_read (RemixTitle *self, guint64 offset, guint8 *dest,
    gsize size, GCancellable *cancellable, GError **error);

/** Whether the byte at @offset, which has to lie within the size, comes over a network. */
gboolean remix_title_is_remote (RemixTitle *self, guint64 offset);
/** How far into a page of @page bytes memory for @size bytes at @offset starts at best: as far as most of them do in their source, if they come from a file. */
guint
remix_title_get_skew (RemixTitle *self, guint64 offset, guint size, guint page);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixTitle, remix_title_free)

G_END_DECLS
