/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CencCipher: AES-128 in counter and CBC mode by OpenSSL, as the walk of
 * gst/cenc/cenc-crypt.h wants it: one for each key and thread. OpenSSL's expanded
 * key, in which the key stands as it is, is there only while samples are at hand:
 * the first start sets it, cenc_cipher_rest() overwrites it; in between a sample
 * only sets its IV.
 */

#pragma once

#include <gst/cenc/gstcenckey.h>
#include "gst/cenc/cenc-crypt.h"

G_BEGIN_DECLS

typedef enum
{
  CENC_CIPHER_DECRYPT,
  CENC_CIPHER_ENCRYPT,
} CencCipherDirection;

typedef struct _CencCipher CencCipher;

/**
 * cenc_cipher_new:
 * @key: a reference is kept
 * @mode: CTR (big-endian counter that carries through all 128 bits) or CBC
 *   (whole blocks, no padding)
 *
 * Returns: (transfer full): the cipher, or NULL with GST_CENC_ERROR_FAILED if
 *   OpenSSL has no such algorithm (a provider that does not load)
 */
CencCipher *cenc_cipher_new (const GstCencKey *key, CencMode mode,
    CencCipherDirection direction, GError **error);
void cenc_cipher_free (CencCipher *self);

/**
 * cenc_cipher_rest:
 *
 * No key is left in memory but masked, in its GstCencKey. To be called whenever a batch
 * of samples is done: before anything is waited for, or goes out of the element. The
 * next start expands the key again, which takes as long as half a kilobyte of AES.
 */
void cenc_cipher_rest (CencCipher *self);

/** For cenc_crypt_new(), with a CencCipher as the cipher. An update before the first start fails. */
extern const CencCipherFuncs cenc_cipher_funcs;
/** Likewise, for one that encrypts: with blocks(), so that cenc_crypt_add() puts short samples together. */
extern const CencCipherFuncs cenc_cipher_lanes_funcs;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencCipher, cenc_cipher_free)

G_END_DECLS
