/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VP9_MAX_FRAMES 8

/**
 * vp9_superframe_read:
 * @size: more than 0
 * @sizes: (out caller-allocates): of the frames, in bytes, from the sample's
 *   beginning on without a gap; 0 is an empty frame
 *
 * The frames of a sample, by the index at its end (VP9 bitstream specification,
 * Annex B). A sample without an index is one frame.
 *
 * Returns: how many; 0 if they do not fit the sample
 */
guint vp9_superframe_read (const guint8 *sample, gsize size,
    gsize sizes[VP9_MAX_FRAMES]);

G_END_DECLS
