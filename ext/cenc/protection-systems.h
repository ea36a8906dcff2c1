/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tells a player's key system which keys a title needs: the pssh boxes
 * (ISO/IEC 23001-7, 8.1) of the systems whose formats are public, and FairPlay's
 * key URI, which stands in no box. Pure functions; none holds state.
 */

#pragma once

#include <gst/cenc/gstcenckey.h>
#include "gst/cenc/cenc-params.h"

G_BEGIN_DECLS

/**
 * ProtectionSystems:
 * @PROTECTION_SYSTEM_COMMON: W3C's: KIDs only, for any system
 * @PROTECTION_SYSTEM_CLEARKEY: DASH-IF's ClearKey: KIDs only
 * @PROTECTION_SYSTEM_WIDEVINE: WidevinePsshData (its public protobuf)
 * @PROTECTION_SYSTEM_PLAYREADY: PlayReady object with a header of version 4.0 to 4.3
 * @PROTECTION_SYSTEM_MARLIN: box `marl` with `mkid`
 * @PROTECTION_SYSTEM_FAIRPLAY: no box: protection_system_skd_uri()
 */
typedef enum
{
  PROTECTION_SYSTEM_COMMON = 1 << 0,
  PROTECTION_SYSTEM_CLEARKEY = 1 << 1,
  PROTECTION_SYSTEM_WIDEVINE = 1 << 2,
  PROTECTION_SYSTEM_PLAYREADY = 1 << 3,
  PROTECTION_SYSTEM_MARLIN = 1 << 4,
  PROTECTION_SYSTEM_FAIRPLAY = 1 << 5,
} ProtectionSystems;

/** All of it borrowed; strings are UTF-8 and may be NULL. */
typedef struct
{
  CencScheme scheme;
  CencMode mode; /* matters for PIFF */
  GstCencKey *const *keys; /* in the order in which the KIDs are to stand */
  guint n_keys;
  const gchar *content_id; /* Widevine, Marlin (unset: urn:marlin:kid:…) */
  const gchar *provider; /* Widevine */
  const gchar *la_url; /* PlayReady: LA_URL */
  guint playready_version; /* 40, 41, 42, 43; 0: the lowest that can tell it */
} ProtectionInfo;

/**
 * protection_systems_make:
 * @boxes: (element-type BmffBox): the boxes are appended here, in the order of
 *   the flags; untouched on error
 *
 * One box a system, with all KIDs. With PIFF they are PIFF's uuid boxes (PIFF
 * 1.1, 5.3.1), which have no list of KIDs: systems that say nothing else are
 * left out.
 *
 * Returns: FALSE with ENCRYPT_ERROR_SETTINGS where a system cannot tell it: a
 *   scheme that it does not know, a header version too low, text too long
 */
gboolean protection_systems_make (ProtectionSystems systems,
    const ProtectionInfo *info, GPtrArray *boxes, GError **error);

/** (transfer full): FairPlay's key URI: skd:// and the KID as a UUID. @kid: 16 bytes */
gchar *protection_system_skd_uri (const guint8 *kid);

/**
 * protection_systems_parse_raw:
 * @text: whole pssh boxes (or PIFF's), one after the other, in hexadecimal or
 *   base64; white space is skipped
 *
 * Returns: (transfer full) (element-type BmffBox): the boxes, or NULL with
 *   ENCRYPT_ERROR_SETTINGS, GST_CENC_ERROR or BMFF_ERROR
 */
GPtrArray *protection_systems_parse_raw (const gchar *text, GError **error);

G_END_DECLS
