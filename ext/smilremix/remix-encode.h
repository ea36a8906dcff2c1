/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pictures of a GOP that a cut splits, decoded and encoded by GStreamer's own
 * elements: H.264 by avdec_h264 and x264enc, H.265 by avdec_h265 and x265enc.
 */

#pragma once

#include <gio/gio.h>

#include "smilremix/remix-splice.h"

G_BEGIN_DECLS

/** Reads all of @size bytes of source @source. */
typedef gboolean (*RemixReadFunc) (gpointer user_data, guint source,
    guint64 offset, guint8 *dest, gsize size, GError **error);

/**
 * remix_encode:
 *
 * Blocks until all is encoded. The pictures have the source's size, shape and
 * profile, and no higher level; one intra picture, then predicted ones, at a
 * quality whose loss is not seen. The same source gives the same bytes by one
 * version of the elements.
 *
 * Returns: NULL with REMIX_ERROR_ENCODER: an element is not there, or the format is
 *   none of 8 or 10 bits, 4:2:0 and progressive; else with an error of @read's, or
 *   REMIX_ERROR_CANCELLED
 */
RemixRun *remix_encode (const RemixStream *stream, const RemixSplit *split,
    RemixReadFunc read, gpointer user_data, GCancellable *cancellable,
    GError **error);

G_END_DECLS
