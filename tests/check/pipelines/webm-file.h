/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A seekable WebM file, made by hand: no muxer of GStreamer's writes a protected one. */

#pragma once

#include <gst/gst.h>

#define WEBM_KID "000102030405060708090a0b0c0d0e0f"
#define WEBM_KEY "2b7e151628aed2a6abf7158809cf4f3c"
#define WEBM_KEYS WEBM_KID ":" WEBM_KEY

/**
 * webm_file_make:
 * @in: path of a clear MP4 file with a VP9 track
 * @out: path of the file that is written
 *
 * A cluster for each key frame, with cues. If @protect, frames are encrypted
 * whole (WebM Encryption), save for those before the second key frame, which are
 * a clear lead.
 */
void webm_file_make (const gchar *in, gboolean protect, const gchar *out);
