/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PlayReady object (PRO) with one rights management header, as Microsoft's
 * "PlayReady Header Specification" has it, versions 4.0 to 4.3.
 */

#pragma once

#include "cenc/protection-systems.h"

G_BEGIN_DECLS

/**
 * protection_playready_object:
 *
 * Version 4.0 tells one KID with AES-CTR, 4.2 several, 4.3 AES-CBC (cbcs).
 * KIDs are GUIDs there: their first three fields little-endian.
 *
 * Returns: (transfer full): the object, little-endian as it stands in a pssh, or
 *   NULL with ENCRYPT_ERROR_SETTINGS
 */
GBytes *
protection_playready_object (const ProtectionInfo *info, GError **error);

G_END_DECLS
