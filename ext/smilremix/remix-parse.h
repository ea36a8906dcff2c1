/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that read a playlist share; nobody else includes it.
 */

#pragma once

#include "smilremix/remix-error.h"
#include "smilremix/remix-playlist.h"

G_BEGIN_DECLS

typedef struct
{
  RemixXml *xml;
  RemixPlaylist *playlist;
  gboolean strict;
} RemixParser;

/** An error with the place of @node in front. Returns FALSE. */
gboolean remix_parser_fail (RemixParser *self, xmlNode *node, GError **error,
    RemixError code, const gchar *format, ...) G_GNUC_PRINTF (5, 6);
/** A warning, or if strict an error and FALSE. */
gboolean remix_parser_warn (RemixParser *self, xmlNode *node, GError **error,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);
/** Puts the place of @node in front of @error's message. Returns FALSE. */
gboolean remix_parser_prefix (RemixParser *self, xmlNode *node, GError **error);

/** Reads an EventStream or a ConditioningInfo into @clip. */
gboolean remix_parse_event_stream (RemixParser *self, xmlNode *node,
    RemixClip *clip, GError **error);
gboolean remix_parse_conditioning (RemixParser *self, xmlNode *node,
    RemixClip *clip, GError **error);

void remix_event_stream_free (RemixEventStream *self);

G_END_DECLS
