/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptCrypto: decrypts samples, with a cipher for each key in use. Asks for a
 * key again when its session says so, when its deadline has passed, or when what
 * it was got for no longer holds. For one thread at a time.
 */

#pragma once

#include "cenc/decrypt-keys.h"
#include "gst/cenc/cenc-crypt.h"
#include "gst/subsample/sample-probe.h"

G_BEGIN_DECLS

typedef struct _DecryptCrypto DecryptCrypto;

/** What there is to know of the track that a sample belongs to. */
typedef struct
{
  guint width, height; /* 0: no picture */
  const SampleProbe *probe; /* NULL: samples are not verified */
  CencCryptFlags flags; /* besides those of decrypt_crypto_new() */
} DecryptTrack;

/** @keys is borrowed. */
DecryptCrypto *decrypt_crypto_new (DecryptKeys *keys, CencCryptFlags flags);
void decrypt_crypto_free (DecryptCrypto *self);

/** What the integrator asserts of the output (gst_cenc_output_protection_covers()); copied, may be NULL. */
void
decrypt_crypto_set_output (DecryptCrypto *self, const GstStructure *assertion);

/**
 * decrypt_crypto_sample:
 * @params: a protected sample's
 * @use: what a key has to be good for; one that was got for PLAY is good for PREROLL
 * @in: (array length=size): the sample
 * @out: @in itself, or memory that does not overlap it
 *
 * The first samples of each key are checked with @track's probe: one that cannot
 * be is GST_CENC_ERROR_FAILED, "key for KID … does not fit".
 *
 * Returns: FALSE with an error of decrypt_keys_get() or of cenc_crypt_sample()
 */
gboolean decrypt_crypto_sample (DecryptCrypto *self, const DecryptTrack *track,
    const CencParams *params, const CencSampleAux *aux, GstCencKeyUse use,
    const guint8 *in, guint8 *out, gsize size, GError **error);

/** No key is left in memory, until the next sample: to be called before anything is waited for, or goes out. */
void decrypt_crypto_rest (DecryptCrypto *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptCrypto, decrypt_crypto_free)

G_END_DECLS
