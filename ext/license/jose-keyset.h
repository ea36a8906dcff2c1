/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JWK Set of EME's Clear Key (W3C EME, 9.1.4): symmetric keys of 16 bytes
 * with the KID as `kid`. Read in place, so that no key is left behind in memory
 * that nobody wipes.
 */

#pragma once

#include <glib.h>

#include "jose-jwe.h"

G_BEGIN_DECLS

/*
 * @error: GST_CENC_ERROR_FORMAT; names the key by its place, never by its bytes
 *
 * Refused: no key at all, a `kty` other than "oct", a key or KID that is not 16
 * bytes, a KID twice, escapes in strings.
 *
 * Returns: (transfer full) (element-type GstCencKey): the keys
 */
GPtrArray *jose_keyset_parse (const JoseSecret *secret, GError **error);

/* @keys: (element-type GstCencKey). Returns: (transfer full): the set as text */
JoseSecret *jose_keyset_write (GPtrArray *keys);

G_END_DECLS
