/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A second opinion on the walk over a sample: ISO/IEC 23001-7, clauses 9 and 10,
 * a block and a byte at a time, written from the rules and not from the code
 * under test. The block cipher is the caller's.
 */

#pragma once

#include "gst/cenc/cenc-crypt.h"

/* Encrypts (or decrypts) the 16 bytes at @block in place. */
typedef void (*ReferenceBlock) (gpointer key, guint8 *block);

typedef struct
{
  ReferenceBlock encrypt, decrypt;
  gpointer key;
} ReferenceCipher;

/* The sample at @data as it ought to be, in place. @direction: TRUE encrypts. */
void reference_crypt (const ReferenceCipher *cipher, gboolean direction,
    const CencParams *params, const CencSampleAux *aux, gboolean cens_partial,
    guint8 *data, gsize size);
/** Likewise; @cut_runs: see CENC_CRYPT_CLEAR_CUT_RUNS. */
void reference_crypt_cut_runs (const ReferenceCipher *cipher,
    gboolean direction, const CencParams *params, const CencSampleAux *aux,
    gboolean cens_partial, gboolean cut_runs, guint8 *data, gsize size);

/* Appends an entry as it stands in files. */
void
reference_subsample (GByteArray *entries, guint clear, guint32 protected_bytes);

/* Parameters of a protected sample of @scheme. */
CencParams
reference_params (CencScheme scheme, guint crypt, guint skip, guint iv_size);

/* --- a block cipher that is none, but is invertible and mixes --- */

extern const ReferenceCipher toy_reference;

/* The toy in CTR (carrying through all 128 bits, as OpenSSL does) or CBC. */
typedef struct
{
  CencMode mode;
  gboolean encrypts;
  guint8 state[CENC_BLOCK_SIZE]; /* counter or last block */
  guint8 keystream[CENC_BLOCK_SIZE];
  guint used; /* of the keystream */
  guint starts, updates;
  guint64 bytes;
  guint fail_after; /* updates; 0 = never */
  guint calls, fail_calls_after; /* of blocks(); 0 = never */
} ToyCipher;

extern const CencCipherFuncs toy_funcs;
/* With blocks(). */
extern const CencCipherFuncs toy_lanes_funcs;
