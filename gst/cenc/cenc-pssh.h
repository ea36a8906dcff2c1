/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protection System Specific Header (ISO/IEC 23001-7, 8.1) and PIFF's uuid form.
 */

#pragma once

#include <gst/cenc/cenc-params.h>

G_BEGIN_DECLS

/** System IDs, 16 bytes in file order. */
extern const guint8
    CENC_SYSTEM_COMMON[16]; /* 1077efec-c0b2-4d02-ace3-3c1e52e2fb4b, W3C */
extern const guint8 CENC_SYSTEM_CLEARKEY
    [16]; /* e2719d58-a985-b3c9-781a-b030af78d30e, DASH-IF */
extern const guint8
    CENC_SYSTEM_WIDEVINE[16]; /* edef8ba9-79d6-4ace-a3c8-27dcd51d21ed */
extern const guint8
    CENC_SYSTEM_PLAYREADY[16]; /* 9a04f079-9840-4286-ab92-e65be0885f95 */
extern const guint8
    CENC_SYSTEM_MARLIN[16]; /* 5e629af5-38da-4063-8977-97ffbd9902d4 */
extern const guint8
    CENC_SYSTEM_FAIRPLAY[16]; /* 94ce86fb-07ff-4f43-adb8-93d2fa968ca2 */

typedef struct
{
  guint8 version;
  guint8 system_id[16];
  GPtrArray
      *kids; /* (element-type GBytes), 16 bytes each; empty for version 0 */
  GBytes *data; /* never NULL */
} CencPssh;

/** @box: `pssh` or PIFF's uuid box. */
CencPssh *cenc_pssh_parse (const BmffBox *box, GError **error);
/** @kids: n × 16 bytes, one after the other; @data may be NULL. Version 1 if there are KIDs, else 0. */
CencPssh *cenc_pssh_new (const guint8 *system_id, const guint8 *kids,
    guint n_kids, GBytes *data);
/** (transfer full) */
BmffBox *cenc_pssh_to_box (const CencPssh *self);
void cenc_pssh_free (CencPssh *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencPssh, cenc_pssh_free)

G_END_DECLS
