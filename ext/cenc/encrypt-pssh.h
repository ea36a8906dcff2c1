/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the file says to protection systems: a pssh box for each, as their public
 * specifications have it. Holds KIDs and addresses, never keys.
 */

#pragma once

#include "gst/cenc/cenc-pssh.h"

G_BEGIN_DECLS

typedef enum
{
  ENCRYPT_SYSTEM_COMMON = 1 << 0,
  ENCRYPT_SYSTEM_CLEARKEY = 1 << 1,
  ENCRYPT_SYSTEM_WIDEVINE = 1 << 2,
  ENCRYPT_SYSTEM_PLAYREADY = 1 << 3,
} EncryptSystems;

/** What the systems can be told beside the KIDs; all may be NULL. */
typedef struct
{
  gchar *content_id; /* Widevine: any text */
  gchar *provider; /* Widevine */
  gchar *la_url; /* PlayReady: where licenses are acquired */
} EncryptPsshInfo;

void encrypt_pssh_info_clear (EncryptPsshInfo *self);

/**
 * encrypt_pssh_make:
 * @kids: n × 16 bytes
 * @scheme, @mode: Widevine and PlayReady are told of them
 *
 * Returns: (transfer full) (element-type BmffBox): a box for each of @systems;
 *   in PIFF's form for PIFF, which has no room for KIDs: systems that would say
 *   nothing there are left out
 */
GPtrArray *encrypt_pssh_make (EncryptSystems systems, GByteArray *kids,
    CencScheme scheme, CencMode mode, const EncryptPsshInfo *info);

/**
 * encrypt_pssh_parse:
 * @text: pssh boxes one after the other, in base64 or hexadecimal
 *
 * Returns: (transfer full) (element-type BmffBox), or NULL with ENCRYPT_ERROR_SETTINGS
 */
GPtrArray *encrypt_pssh_parse (const gchar *text, GError **error);

G_END_DECLS
