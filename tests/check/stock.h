/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

/*
 * How often playbin3 may be asked before it is a failure. On a loaded machine that
 * of GStreamer 1.22 now and then (2 of 1,400 runs) does not come to its end, or
 * ends in an "Internal data stream error", with files in the clear and without an
 * element of ours: decodebin3 takes a second stream collection while it still
 * handles the first. That of 1.26.2 was seen not to come to the end of a clear
 * file either (2 of 170 runs).
 */
static inline guint
stock_player_attempts (void)
{
  return 3;
}

/* Whether @error, or that there is no end (%NULL, or pipeline_run()'s error), may
 * be that. */
static inline gboolean
stock_player_may_have_failed (const GError *error)
{
  return !error ||
      g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_TOO_LAZY) ||
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
}
