/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys that are made here: by chance, or out of a seed.
 */

#pragma once

#include <gst/cenc/gstcenckey.h>

G_BEGIN_DECLS

/** (transfer full): a random key with a random KID (a UUID of version 4), or NULL with ENCRYPT_ERROR_FAILED. */
GstCencKey *encrypt_make_random_key (GError **error);

/** (transfer full): see encrypt_periods_new_seed(); NULL with ENCRYPT_ERROR_FAILED. */
GstCencKey *encrypt_derive_key (const guint8 *first_kid, guint64 number,
    const guint8 *seed, gsize size, GError **error);

G_END_DECLS
