/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sample, how it is protected, and what the walk over it by the toy cipher gives. */

#pragma once

#include "cenc-reference.h"

typedef struct
{
  CencParams params;
  GByteArray *entries;
  guint8 iv[16];
  guint iv_size; /* of the sample; 0: none */
  gsize size;
  CencCryptFlags flags;
} Case;

/* Borrows from @c. */
CencSampleAux case_aux (const Case *c);
/* @entries: pairs of clear and protected bytes, ended by a pair of zeros. */
Case make_case (CencScheme scheme, guint crypt, guint skip, guint iv_size,
    const guint *entries, gsize size);
/* Likewise; a constant IV of @constant_size bytes. */
Case cbcs_case (guint crypt, guint skip, guint constant_size,
    const guint *entries, gsize size);
void case_clear (Case *c);

/* A clear sample's bytes. */
void case_fill (guint8 *data, gsize size);
/* One direction, in place or not; returns the result, which the caller frees. */
guint8 *case_run (const Case *c, gboolean encrypts, gboolean in_place,
    const guint8 *in, ToyCipher *toy);
/* Both directions and both kinds of memory agree with the reference, and lead
 * back. Returns the toy's counts of the last encryption. */
ToyCipher check_case (const Case *c);
/* The clear sample, encrypted; the caller frees it. */
guint8 *case_encrypt (const Case *c);
/* Whether each block of the encrypted sample's bytes [@from, @to) differs from the clear one. */
void assert_changed (const Case *c, gsize from, gsize to, gboolean changed);
