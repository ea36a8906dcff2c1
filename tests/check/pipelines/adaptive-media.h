/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A title of two seconds, for adaptive demuxers: pictures in two sizes, and sound,
 * each in fragments of a second. */

#pragma once

#include "adaptive-server.h"

#define ADAPTIVE_KID "a7e61c373e219033c21091fa607bf3b8"
#define ADAPTIVE_KEYS ADAPTIVE_KID ":76a6c65c5ea762046bd749a2e632ccbb"

typedef enum
{
  ADAPTIVE_SMALL,
  ADAPTIVE_LARGE,
  ADAPTIVE_SOUND,
  ADAPTIVE_N_TRACKS
} AdaptiveTrack;

/**
 * adaptive_media_add:
 * @folder: "/" first and not last
 * @scheme: of cencencrypt; NULL: clear
 *
 * Files of the title in @folder, each of which names the others:
 *
 * * large.mpd, small.mpd, both.mpd: DASH, a file for each segment; pictures of one
 *   size or of both
 * * ranges.mpd: DASH, the small pictures, by ranges of one file for each track
 * * title.m3u8: HLS, the small pictures alone; no key is told of
 * * Manifest: Smooth Streaming, the sound alone; the KID in a PlayReady header
 */
void adaptive_media_add (AdaptiveServer *server, const gchar *folder,
    const gchar *scheme);
