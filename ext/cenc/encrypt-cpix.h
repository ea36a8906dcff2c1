/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between cencencrypt and CPIX: documents as files, and what a movie tells of a
 * track to a usage rule.
 */

#pragma once

#include "cenc/cpix-crypto.h"
#include "cenc/cpix-rules.h"
#include "cenc/protection-systems.h"
#include "gst/isobmff/bmff-movie.h"

G_BEGIN_DECLS

/** Makes @cpix_error (transfer full) one of ENCRYPT_ERROR_SETTINGS that names the property. */
void encrypt_cpix_propagate (GError **error, const gchar *property,
    GError *cpix_error);
/** Sets ENCRYPT_ERROR_SETTINGS "property: location: why"; FALSE. */
gboolean encrypt_cpix_refuse_file (GError **error, const gchar *property,
    const gchar *location, const gchar *why);
/** (transfer full): a file's content, up to 1 MiB; NULL with ENCRYPT_ERROR_SETTINGS. */
CpixSecret *encrypt_cpix_read_file (const gchar *property,
    const gchar *location, GError **error);

/**
 * encrypt_cpix_load:
 * @location: of the document
 * @key_location: (nullable): of the recipient's private key, in PEM
 * @require_mac: see cpix_document_read()
 *
 * Returns: (transfer full): the document, or NULL with ENCRYPT_ERROR_SETTINGS
 */
CpixDocument *encrypt_cpix_load (const gchar *location,
    const gchar *key_location, gboolean require_mac, GError **error);

/**
 * encrypt_cpix_get_facts:
 * @track: with its clear sample entries
 * @facts: (out): borrows nothing from @track
 *
 * Of the track are known: kind; label as encrypt_keys_get_label() has it; pixels
 * if all sample entries have the same; frame rate if there is an stts; channels;
 * bit rate if there is a btrt. Key periods are left to the caller.
 */
void encrypt_cpix_get_facts (const BmffTrack *track, CencScheme scheme,
    CpixTrackFacts *facts);

/**
 * encrypt_cpix_choose:
 * @constant_iv: whether an explicitIV can be honored
 *
 * Returns: (transfer none): the key, or NULL with ENCRYPT_ERROR_SETTINGS that
 *   names the rule: one that asks for what is not known is refused
 */
const CpixKey *encrypt_cpix_choose (const CpixDocument *self,
    const CpixTrackFacts *facts, gboolean constant_iv, GError **error);
/** Whether a usage rule asks for a key period. */
gboolean encrypt_cpix_has_period_rules (const CpixDocument *self);

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

G_END_DECLS
