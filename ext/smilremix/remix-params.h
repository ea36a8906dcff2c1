/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parameter sets of H.264 and H.265 among the samples, not in the sample entry
 * (`avc3`, `hev1`: ISO/IEC 14496-15, 5.4.2 and 8.4.1): one entry serves sources of
 * different sets.
 */

#pragma once

#include "smilremix/remix-format.h"

G_BEGIN_DECLS

/** Whether samples of @self's codec can carry parameter sets. */
gboolean remix_params_are_possible (const RemixFormat *self);

/**
 * remix_params_get:
 * @nal_length: (out): bytes of the length in front of each NAL unit, 1, 2 or 4
 *
 * Returns: (transfer full): the sets of @self's `avcC` or `hvcC` as NAL units with
 *   their lengths, as they stand in a sample: empty if there are none. NULL with
 *   REMIX_ERROR_FORMAT if the box is absent or damaged
 */
GBytes *
remix_params_get (const RemixFormat *self, guint *nal_length, GError **error);

/**
 * remix_params_make_entry:
 * @formats: (element-type RemixFormat): all that have to be decoded by it, at least
 *   one, each good for remix_params_get()
 *
 * Returns: (transfer full): the first one's entry as `avc3` or `hev1`, with the
 *   highest profile and level
 */
GBytes *remix_params_make_entry (const GPtrArray *formats);

/** No access unit delimiter is longer, its length included. */
#define REMIX_MAX_DELIMITER 8

/**
 * remix_params_find_delimiter:
 * @data: the start of a sample
 * @nal_length: bytes of the length in front of each NAL unit
 *
 * Returns: the size of the access unit delimiter that @data starts with, its length
 *   included; 0 if there is none. Parameter sets have to stand behind it (H.264,
 *   7.4.1.2.3; H.265, 7.4.2.4.4)
 */
gsize remix_params_find_delimiter (const guint8 *data, gsize size,
    guint nal_length, gboolean hevc);

G_END_DECLS
