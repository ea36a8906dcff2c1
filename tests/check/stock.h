/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

/*
 * How often playbin3 may be asked before it is a failure. On a loaded machine that
 * of GStreamer 1.22 now and then (2 of 1,400 runs) does not come to its end, or
 * ends in an "Internal data stream error", with files in the clear and without an
 * element of ours: decodebin3 takes a second stream collection while it still
 * handles the first. From 1.24 on it is rewritten: there once has to do.
 */
static inline guint
stock_player_attempts (void)
{
  guint major, minor, micro, nano;

  gst_version (&major, &minor, &micro, &nano);
  return major == 1 && minor < 24 ? 3 : 1;
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
