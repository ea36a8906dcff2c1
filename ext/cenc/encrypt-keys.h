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
 * @property: whose text it is, for messages
 * @text: "LABEL=KID:KEY,…": AUDIO, SD, HD, UHD1, UHD2, or a track's number
 * @bare: whether an entry without label is allowed: it is for all other tracks
 *
 * Returns: (transfer full): the keys, or NULL with ENCRYPT_ERROR_SETTINGS,
 *   whose message holds no part of @text
 */
EncryptKeys *encrypt_keys_parse (const gchar *property, const gchar *text,
    gboolean bare, GError **error);
EncryptKeys *encrypt_keys_ref (EncryptKeys *self);
void encrypt_keys_unref (EncryptKeys *self);

/** FALSE with ENCRYPT_ERROR_SETTINGS, which names @property and the KID, if a KID has another key here or among @known (element-type GstCencKey), which takes these keys: nobody could decrypt what one of the two was used for. */
gboolean encrypt_keys_check (const EncryptKeys *self, GPtrArray *known,
    const gchar *property, GError **error);
/** (transfer none) (nullable): the key for a track: by its number, or else by its label, or else the one without label. */
GstCencKey *encrypt_keys_find (const EncryptKeys *self, guint32 track_id,
    const gchar *label);
/** (transfer none) (nullable): the key, if there is one only and it is for all tracks. */
GstCencKey *encrypt_keys_get_only (const EncryptKeys *self);

/**
 * encrypt_keys_get_label:
 *
 * Returns: AUDIO; by pixels of a picture SD (to 768 × 576), HD (to 1920 × 1080),
 *   UHD1 (to 4096 × 2160) or UHD2
 */
const gchar *encrypt_keys_get_label (const BmffTrack *track);

/** (transfer full) (element-type GstCencKey): empty; holds references. */
GPtrArray *encrypt_keys_array_new (void);
/** encrypt_keys_check() of one key. */
gboolean encrypt_keys_array_check (GPtrArray *known, GstCencKey *key,
    const gchar *property, GError **error);
/** Adds @key, unless one with its KID is there. */
void encrypt_keys_array_add (GPtrArray *keys, GstCencKey *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptKeys, encrypt_keys_unref)

G_END_DECLS
