/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixPlaylist: what a SMIL document says, with its nesting resolved: a list of
 * clips, one behind the other. Immutable once parsed; knows no source.
 */

#pragma once

#include <glib.h>

#include "smilremix/remix-time.h"
#include "smilremix/remix-xml.h"

G_BEGIN_DECLS

#define REMIX_MAX_CLIPS 10000

typedef enum
{
  REMIX_CLIP_GOP, /* both ends go back to the keyframe at or before them */
  REMIX_CLIP_SAMPLE, /* both ends are exact */
} RemixClipMode;

/** The part of a source's timeline that is wanted. */
typedef struct
{
  gboolean has_begin, has_end;
  RemixTime begin, end;
  RemixClipMode mode;
  RemixPlace place; /* of the element that carries the attributes */
} RemixRange;

/** A source: a whole file with all its tracks, whatever the element is called. */
typedef struct
{
  gchar *uri; /* absolute */
  RemixRange range; /* its own, or that of the par or seq around it */
  RemixPlace place;
} RemixMedia;

/** Sources that are played at the same time. */
typedef struct
{
  GPtrArray *media; /* (element-type RemixMedia) */
} RemixSegment;

/** An event of an EventStream (ISO/IEC 23009-1, 5.10.2). */
typedef struct
{
  guint64
      presentation_time; /* in the stream's timescale, from the start of the clip */
  guint64 duration;
  gboolean has_duration;
  guint32 id;
  GBytes *message;
} RemixEvent;

typedef struct
{
  gchar *scheme_id_uri;
  gchar *value; /* never NULL */
  guint32 timescale; /* never 0 */
  GPtrArray *events; /* (element-type RemixEvent) */
  RemixPlace place;
} RemixEventStream;

/** A point in a clip where a player has to be able to start (ESAM's ConditioningInfo). */
typedef struct
{
  guint64 offset; /* nanoseconds from the start of the clip */
  RemixPlace place;
} RemixCondition;

typedef struct
{
  /* One segment, or with @continuous the segments that are merged, in order;
   * none in a par that holds events only. */
  GPtrArray *segments; /* (element-type RemixSegment) */
  gboolean continuous;
  RemixRange range; /* of the merged segments; else each media has its own */
  GPtrArray *event_streams; /* (element-type RemixEventStream) */
  GArray *conditions; /* (element-type RemixCondition) */
  RemixPlace place;
} RemixClip;

typedef struct
{
  gchar *output_description; /* absolute URI, or NULL: the first clip */
  RemixPlace output_description_place;
  GPtrArray *clips; /* (element-type RemixClip) */
  GPtrArray *warnings; /* (element-type utf8): "line 3, column 5: …" */
} RemixPlaylist;

/**
 * remix_playlist_parse:
 * @base_uri: (nullable): what relative addresses refer to, unless there is an
 *   xml:base
 * @strict: whether what would be a warning is an error
 * @error: REMIX_ERROR_TYPE, REMIX_ERROR_XML, REMIX_ERROR_PLAYLIST or
 *   REMIX_ERROR_LIMIT, with line and column
 *
 * A playlist of http://www.w3.org/2001/SMIL20/Language, of another version of
 * SMIL or without a namespace.
 */
RemixPlaylist *remix_playlist_parse (const gchar *data, gsize size,
    const gchar *base_uri, gboolean strict, GError **error);
void remix_playlist_free (RemixPlaylist *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixPlaylist, remix_playlist_free)

G_END_DECLS
