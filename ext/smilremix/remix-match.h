/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which track of a clip goes on in which track of the output.
 */

#pragma once

#include "smilremix/remix-movie.h"
#include "smilremix/remix-playlist.h"

G_BEGIN_DECLS

typedef struct
{
  const RemixTrack *track;
  const RemixMovie *movie;
  const RemixMedia *media;
} RemixCandidate;

/**
 * remix_match:
 * @profile: (element-type RemixTrack): the tracks that the output has
 * @candidates: (element-type RemixCandidate): those of a clip
 * @choice: (array length=profile->len) (out): index of a candidate, or -1: the
 *   clip has nothing of that kind, and the track is audio or text
 *
 * Best fit by language, picture size and bitrate; each candidate serves one
 * track of the output before any serves two. Pure.
 *
 * Returns: FALSE with REMIX_ERROR_MATCH: no video, or none that goes on with the
 *   output's format; the message names the source and both formats
 */
gboolean remix_match (const GPtrArray *profile, const GArray *candidates,
    gint *choice, GError **error);

/** (transfer full): the first candidate of a kind that the output has none of, as a message; NULL if there is none. Pure. */
gchar *
remix_match_get_left_out (const GPtrArray *profile, const GArray *candidates);

G_END_DECLS
