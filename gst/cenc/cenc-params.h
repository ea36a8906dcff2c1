/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a protected sample's cipher has to know: scheme, pattern, IV sizes, KID.
 * Comes from `tenc` (ISO/IEC 23001-7, 8.2), from a `seig` group description
 * (clause 6), from PIFF 1.1's uuid boxes or from a GstProtectionMeta; is written as tenc,
 * seig and PIFF tenc by cencencrypt.
 */

#pragma once

#include <gst/isobmff/bmff-box.h>

G_BEGIN_DECLS

/** Bytes of an AES block, of a counter block, of a KID and of a key. */
#define CENC_BLOCK_SIZE 16

/** As signaled by `schm`. */
typedef enum
{
  CENC_SCHEME_CENC, /* AES-CTR, whole ranges (10.1) */
  CENC_SCHEME_CBC1, /* AES-CBC, whole ranges (10.2) */
  CENC_SCHEME_CENS, /* AES-CTR, pattern (10.3) */
  CENC_SCHEME_CBCS, /* AES-CBC, pattern (10.4) */
  CENC_SCHEME_PIFF, /* PIFF 1.1: CTR like cenc or CBC like cbc1, as its tenc says */
} CencScheme;

typedef enum
{
  CENC_MODE_CTR,
  CENC_MODE_CBC,
} CencMode;

typedef struct
{
  CencScheme scheme;
  CencMode mode;
  gboolean is_protected;
  guint8 crypt_byte_block, skip_byte_block; /* blocks; 0:0 = no pattern */
  guint8 per_sample_iv_size; /* 0, 8, 16 */
  guint8 constant_iv_size; /* 0, 8, 16; only if the above is 0 */
  guint8 constant_iv[CENC_BLOCK_SIZE]; /* zero-padded on the right */
  guint8 kid[CENC_BLOCK_SIZE];
} CencParams;

/** The scheme of a `schm` scheme_type, FALSE if it is none of ours. */
gboolean cenc_scheme_from_fourcc (guint32 fourcc, CencScheme *scheme);
guint32 cenc_scheme_to_fourcc (CencScheme scheme);
/** "cenc", "cens", "cbc1", "cbcs", "piff"; static. */
const gchar *cenc_scheme_get_name (CencScheme scheme);
/** The mode of a scheme; CENC_MODE_CTR for PIFF, whose tenc may say otherwise. */
CencMode cenc_scheme_get_mode (CencScheme scheme);
/** cens and cbcs. */
gboolean cenc_scheme_has_pattern (CencScheme scheme);

/**
 * cenc_params_check: refuses what no scheme allows: IV sizes other than 0, 8 and
 * 16, a constant IV with anything but cbcs, a protected sample without any IV, a
 * pattern with cenc, cbc1 or PIFF, 0:n.
 */
gboolean cenc_params_check (const CencParams *self, GError **error);

/** Reads `tenc` (version 0 and 1) into @self, whose scheme is set by the caller (from schm); checks it. */
gboolean cenc_params_parse_tenc (CencParams *self, CencScheme scheme,
    const BmffBox *tenc, GError **error);
/** Reads PIFF's uuid tenc 8974dbce-7be7-4c51-84f9-7148f9882554 (algorithm 0, 1 = CTR, 2 = CBC). */
gboolean cenc_params_parse_piff_tenc (CencParams *self, const BmffBox *box,
    GError **error);
/** Reads PIFF's AlgorithmID, IV size and KID from where they stand in its tenc, or in its senc (flag 1). */
gboolean cenc_params_parse_piff_algorithm (CencParams *self, BmffReader *reader,
    GError **error);
/** Reads the payload of a CencSampleEncryptionInformationGroupEntry; scheme and mode come from @track_default. */
gboolean cenc_params_parse_seig (CencParams *self,
    const CencParams *track_default, GBytes *entry, GError **error);

/** `tenc`, version 1 if there is a pattern, else 0; PIFF: its uuid box. (transfer full) */
BmffBox *cenc_params_to_tenc (const CencParams *self);
/** The seig entry, without sgpd around it. (transfer full) */
GBytes *cenc_params_to_seig (const CencParams *self);

/** UUIDs of PIFF 1.1's boxes, 16 bytes in file order. */
extern const guint8 CENC_PIFF_TENC_UUID[16];
extern const guint8 CENC_PIFF_SENC_UUID[16];
extern const guint8 CENC_PIFF_PSSH_UUID[16];

G_END_DECLS
