/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstCencKey: one content key, for one KID.
 *
 * The key's bytes are nowhere in memory as they are: only random bytes and what
 * they make of the key, one of them in memory that is kept out of core dumps where
 * the system can do that. They are wiped when the last reference goes. A GstCencKey
 * is immutable and may be used from any thread.
 */

#pragma once

#include <gst/gst.h>
#include <gst/cenc/cenc-prelude.h>

G_BEGIN_DECLS

/**
 * GST_CENC_KEY_SIZE:
 *
 * bytes of a content key, and of a KID (AES-128; ISO/IEC 23001-7, 9.1).
 */
#define GST_CENC_KEY_SIZE 16
#define GST_CENC_KID_SIZE 16

/**
 * GST_CENC_KEY_NO_DEADLINE:
 *
 * the key does not have to be asked for again.
 */
#define GST_CENC_KEY_NO_DEADLINE G_MAXINT64

#define GST_TYPE_CENC_KEY (gst_cenc_key_get_type ())
typedef struct _GstCencKey GstCencKey;

GST_CENC_API
GType gst_cenc_key_get_type (void);

/**
 * gst_cenc_key_new:
 * @kid: (array fixed-size=16): the key identifier, 16 bytes in file order
 * @key: (array fixed-size=16): the AES-128 key; copied, the caller wipes its own
 *
 * Returns: (transfer full): a key without deadline and without output demands
 */
GST_CENC_API
GstCencKey *gst_cenc_key_new (const guint8 *kid, const guint8 *key);

/**
 * gst_cenc_key_new_full:
 * @kid: (array fixed-size=16): the key identifier
 * @key: (array fixed-size=16): the key; copied
 * @deadline: time on CLOCK_BOOTTIME in microseconds after which a holder has to
 *   ask its session again before it uses the key for a further sample, or
 *   #GST_CENC_KEY_NO_DEADLINE
 * @output_protection: (nullable) (transfer none): what the license demands of
 *   the output (see #gst_cenc_output_protection_covers), %NULL = nothing
 *
 * Returns: (transfer full): the key
 */
GST_CENC_API
GstCencKey *gst_cenc_key_new_full (const guint8 *kid, const guint8 *key,
    gint64 deadline, const GstStructure *output_protection);

GST_CENC_API
GstCencKey *gst_cenc_key_ref (GstCencKey *key);
GST_CENC_API
void gst_cenc_key_unref (GstCencKey *key);

/**
 * gst_cenc_key_get_kid:
 * @key: a key
 *
 * Returns: (array fixed-size=16) (transfer none): the KID; lives as long as @key
 */
GST_CENC_API
const guint8 *gst_cenc_key_get_kid (const GstCencKey *key);

/**
 * gst_cenc_key_copy_data: (skip)
 * @key: a key
 * @data: (out caller-allocates) (array fixed-size=16): where its 16 bytes go
 *
 * Never log them. Wipe them (`explicit_bzero()`) as soon as they have been used, and
 * what was made of them, as a cipher's context, too.
 */
GST_CENC_API
void gst_cenc_key_copy_data (const GstCencKey *key, guint8 *data);

/**
 * gst_cenc_key_has_same_data:
 * @a: a key
 * @b: another one
 *
 * Takes the same time whatever they are; neither key comes to stand in memory for it.
 *
 * Returns: whether the 16 key bytes of both are the same, whatever their KIDs are
 */
GST_CENC_API
gboolean gst_cenc_key_has_same_data (const GstCencKey *a, const GstCencKey *b);

/**
 * gst_cenc_key_get_deadline:
 * @key: a key
 *
 * Returns: microseconds on CLOCK_BOOTTIME, or #GST_CENC_KEY_NO_DEADLINE
 */
GST_CENC_API
gint64 gst_cenc_key_get_deadline (const GstCencKey *key);

/**
 * gst_cenc_key_get_output_protection:
 * @key: a key
 *
 * Returns: (nullable) (transfer none): the license's demands on the output
 */
GST_CENC_API
const GstStructure *gst_cenc_key_get_output_protection (const GstCencKey *key);

/**
 * gst_cenc_output_protection_covers:
 * @demand: (nullable): a structure named `output-protection` with any of
 *   `hdcp` (string: "none", "1.0" … "2.3", "unavailable" = never allowed out),
 *   `analog` (boolean: FALSE = no analog output), `recording` (boolean: FALSE =
 *   no recording), `max-width`, `max-height` (int, pixels). A field that is
 *   absent demands nothing.
 * @assertion: (nullable): the same fields as asserted by the integrator: `hdcp`
 *   the level in force, `analog`/`recording` TRUE if such an output exists.
 *   An absent field asserts nothing, so that it covers no demand.
 * @error: set to %GST_CENC_ERROR_OUTPUT_PROTECTION naming the field not covered
 *
 * A field in @demand that is not known here is not covered: a new demand is
 * never ignored. `max-width` and `max-height` are compared by the decryptor
 * with the caps of the stream and are not judged here.
 *
 * Returns: whether every demand is covered
 */
GST_CENC_API
gboolean gst_cenc_output_protection_covers (const GstStructure *demand,
    const GstStructure *assertion, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstCencKey, gst_cenc_key_unref)

G_END_DECLS
