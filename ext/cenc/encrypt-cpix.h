/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between cencencrypt and CPIX: documents as files, what a movie tells of a
 * track to a usage rule, and the document of a key that was made here.
 */

#pragma once

#include "cenc/cpix-rules.h"
#include "cenc/protection-systems.h"
#include "gst/isobmff/bmff-movie.h"

G_BEGIN_DECLS

/**
 * encrypt_cpix_load:
 * @location: of the document
 * @key_location: (nullable): of the recipient's private key, in PEM
 *
 * Returns: (transfer full): the document, or NULL with ENCRYPT_ERROR_SETTINGS
 */
CpixDocument *encrypt_cpix_load (const gchar *location,
    const gchar *key_location, GError **error);

/**
 * encrypt_cpix_choose:
 * @constant_iv: whether an explicitIV can be honored
 *
 * Of the track are known: kind; label as encrypt_keys_get_label() has it; pixels
 * if all sample entries have the same; frame rate if there is an stts; channels;
 * bit rate if there is a btrt. Rules that ask for more are refused.
 *
 * Returns: (transfer none): the key, or NULL with ENCRYPT_ERROR_SETTINGS that
 *   names the rule
 */
const CpixKey *
encrypt_cpix_choose (const CpixDocument *self, const BmffTrack *track,
    CencScheme scheme, gboolean constant_iv, GError **error);

/**
 * encrypt_cpix_append_pssh:
 * @info: for whose KIDs
 * @boxes: (element-type BmffBox): the document's pssh boxes for these are
 *   appended here, each once
 *
 * Returns: the systems for which the document had boxes
 */
ProtectionSystems encrypt_cpix_append_pssh (const CpixDocument *self,
    const ProtectionInfo *info, GPtrArray *boxes);

/**
 * encrypt_cpix_save:
 * @location: of a file that is not there yet: a key that was written before is
 *   never lost. Only its owner may read it.
 * @recipient_location: (nullable): of the certificate of whom it is encrypted
 *   for, in PEM; NULL: the keys stand there in the clear
 * @systems, @info: what a license server is told beside the keys
 *
 * Returns: FALSE with ENCRYPT_ERROR_SETTINGS; nothing is left behind then
 */
gboolean
encrypt_cpix_save (const gchar *location, const gchar *recipient_location,
    ProtectionSystems systems, const ProtectionInfo *info, GError **error);

G_END_DECLS
