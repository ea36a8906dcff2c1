/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JWS, compact, ES256 (RFC 7515, RFC 7518 section 3.4): no other algorithm is
 * there to be confused with.
 */

#pragma once

#include <json-glib/json-glib.h>

#include "jose-key.h"

G_BEGIN_DECLS

/* Dot-separated parts of a compact serialization; they point into its text. */
typedef struct
{
  const gchar *text;
  gsize length;
} JosePart;

/* Returns: whether @text has exactly @n_parts parts; fills @parts */
gboolean jose_compact_split (const gchar *text, gsize size, JosePart *parts,
    guint n_parts);

/*
 * @part: base64url of a JSON object
 * @what: for the error
 *
 * Returns: (transfer full): the header. Refused: `crit` (no extension is
 *   known here) and all that jose-scan.h refuses.
 */
JsonObject *
jose_compact_header (const JosePart *part, const gchar *what, GError **error);

typedef struct
{
  JsonObject *header;
  GBytes *payload;
  const gchar *input; /* header.payload as signed; in the caller's text */
  gsize input_size;
  guint8 signature[64]; /* r and s, 32 bytes each, big-endian */
} JoseJws;

void jose_jws_clear (JoseJws *jws);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JoseJws, jose_jws_clear)

/*
 * Takes a compact JWS apart and verifies nothing yet but that its alg is
 * ES256. @jws points into @text.
 */
gboolean
jose_jws_parse (const gchar *text, gsize size, JoseJws *jws, GError **error);

/* Returns: whether the signature is @key's */
gboolean jose_jws_verify (const JoseJws *jws, EVP_PKEY *key);

/*
 * @header: JSON text; taken as it is
 * @key: private key on P-256
 *
 * Returns: (transfer full): the compact JWS, NULL with GST_CENC_ERROR_FAILED
 */
gchar *jose_jws_sign (const gchar *header, const gchar *payload, EVP_PKEY *key,
    GError **error);

G_END_DECLS
