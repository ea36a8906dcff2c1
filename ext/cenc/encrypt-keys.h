/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which track gets which key: by labels that tell sound and pictures of various
 * sizes apart, the ones that packagers use.
 */

#pragma once

#include <gst/cenc/gstcenckey.h>
#include "gst/isobmff/bmff-movie.h"

G_BEGIN_DECLS

/** A list of keys with labels. */
typedef struct _EncryptKeys EncryptKeys;

/**
 * encrypt_keys_parse:
 * @text: "LABEL=KID:KEY,…": AUDIO, SD, HD, UHD1, UHD2, or a track's number
 *
 * Returns: (transfer full): the keys, or NULL with ENCRYPT_ERROR_SETTINGS,
 *   whose message holds no part of @text
 */
EncryptKeys *encrypt_keys_parse (const gchar *text, GError **error);
EncryptKeys *encrypt_keys_ref (EncryptKeys *self);
void encrypt_keys_unref (EncryptKeys *self);

/** (transfer none) (nullable): the key for @track: by its number, or else by its label. */
GstCencKey *encrypt_keys_find (const EncryptKeys *self, const BmffTrack *track);

/**
 * encrypt_keys_get_label:
 *
 * Returns: AUDIO; by pixels of a picture SD (to 768 × 576), HD (to 1920 × 1080),
 *   UHD1 (to 4096 × 2160) or UHD2
 */
const gchar *encrypt_keys_get_label (const BmffTrack *track);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptKeys, encrypt_keys_unref)

G_END_DECLS
