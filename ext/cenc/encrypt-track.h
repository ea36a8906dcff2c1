/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptTrack: one track that is being encrypted: its subsample maps, IV space
 * and cipher. Each sample is mapped first (headers are read, its auxiliary
 * information is made) and ciphered later, since the former stands in the file
 * before the latter.
 */

#pragma once

#include <gst/cenc/gstcenckey.h>
#include "gst/cenc/cenc-aux.h"
#include "gst/subsample/subsample.h"
#include "gst/isobmff/bmff-movie.h"

G_BEGIN_DECLS

#define ENCRYPT_ERROR (encrypt_error_quark ())
GQuark encrypt_error_quark (void);

/**
 * EncryptError:
 * @ENCRYPT_ERROR_SETTINGS: a property, which the message names
 * @ENCRYPT_ERROR_INPUT: the input is broken, or ends too early
 * @ENCRYPT_ERROR_PROTECTED: the input is encrypted already
 * @ENCRYPT_ERROR_CODEC: a codec that we cannot encrypt by the rules
 * @ENCRYPT_ERROR_UNSUPPORTED: valid, but not handled
 * @ENCRYPT_ERROR_FAILED: the cipher, memory
 */
typedef enum
{
  ENCRYPT_ERROR_SETTINGS,
  ENCRYPT_ERROR_INPUT,
  ENCRYPT_ERROR_PROTECTED,
  ENCRYPT_ERROR_CODEC,
  ENCRYPT_ERROR_UNSUPPORTED,
  ENCRYPT_ERROR_FAILED,
} EncryptError;

/** EncryptEntries: what a track's sample entries say of its samples. */
typedef struct _EncryptEntries EncryptEntries;

/** @track: with its clear sample entries. ENCRYPT_ERROR_PROTECTED if one is not clear, ENCRYPT_ERROR_CODEC if one has a codec that we cannot map; both name it. */
EncryptEntries *encrypt_entries_new (const BmffTrack *track, GError **error);
void encrypt_entries_free (EncryptEntries *self);
/** FALSE with ENCRYPT_ERROR_CODEC: @track, by its handler neither video nor audio, has samples of a codec that is encrypted where it is: they would go out clear, and nobody would notice. */
gboolean encrypt_entries_check_other (const BmffTrack *track, GError **error);
/** Whether a pattern is for this codec (video with subsamples). */
gboolean encrypt_entries_take_pattern (const EncryptEntries *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptEntries, encrypt_entries_free)

/** EncryptVariant: a key, and what is signaled of samples that are encrypted with it. Immutable. */
typedef struct
{
  gatomicrefcount refs;
  GstCencKey *key;
  CencParams params;
} EncryptVariant;

/** @params: copied */
EncryptVariant *encrypt_variant_new (GstCencKey *key, const CencParams *params);
EncryptVariant *encrypt_variant_ref (EncryptVariant *self);
void encrypt_variant_unref (EncryptVariant *self);
/** Whether the same is signaled of both. */
gboolean
encrypt_variant_equal (const EncryptVariant *a, const EncryptVariant *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptVariant, encrypt_variant_unref)

typedef struct _EncryptTrack EncryptTrack;

/**
 * encrypt_track_new:
 * @variant: of tenc, and in use until encrypt_track_use()
 * @seed: 16 bytes, see cenc_iv_init()
 * @sharing: how many tracks had the key before
 */
EncryptTrack *encrypt_track_new (guint32 id, EncryptVariant *variant,
    const guint8 *seed, guint sharing, CencCryptFlags flags, GError **error);
void encrypt_track_free (EncryptTrack *self);

/** Whether the track's next traf is in its clear lead: where one was not, none is. */
gboolean encrypt_track_leads (EncryptTrack *self, const BmffTraf *traf,
    GstClockTime clear_lead);
/** Whether its clear lead is over. */
gboolean encrypt_track_has_led (const EncryptTrack *self);
void encrypt_track_set_led (EncryptTrack *self, gboolean has_led);
/** Whether there were samples, and all of them in a clear lead. */
gboolean encrypt_track_stayed_clear (const EncryptTrack *self);
guint32 encrypt_track_get_id (const EncryptTrack *self);
/** For tenc. */
const CencParams *encrypt_track_get_params (const EncryptTrack *self);
/** (transfer none): the key of tenc */
GstCencKey *encrypt_track_get_key (const EncryptTrack *self);
/** Compares the bytes of tenc's key, in constant time. */
gboolean
encrypt_track_has_key (const EncryptTrack *self, const GstCencKey *key);

/** (transfer none): that of tenc */
EncryptVariant *encrypt_track_get_default (const EncryptTrack *self);
/** (transfer none): the one in use */
EncryptVariant *encrypt_track_get_variant (const EncryptTrack *self);
/**
 * encrypt_track_use:
 * @variant: from now on; of the scheme, mode and IV size of tenc's
 *
 * IVs are counted on: one that was used with any key does not come again.
 */
gboolean
encrypt_track_use (EncryptTrack *self, EncryptVariant *variant, GError **error);
/** Whether another variant than the default was ever in use. */
gboolean encrypt_track_has_rotated (const EncryptTrack *self);
/** @entries (transfer full). If they are byte for byte those that the track has, what it learned from its samples is kept. */
void encrypt_track_take_entries (EncryptTrack *self, EncryptEntries *entries);

/** FALSE: encrypt_track_map() looks at no byte of it (codecs that are encrypted whole). */
gboolean
encrypt_track_wants_data (EncryptTrack *self, const BmffSample *sample);

/** How many sample entries the track has. */
guint encrypt_track_get_n_entries (const EncryptTrack *self);

/** A sample that stays clear, in its turn among those that are mapped: it may hold parameter sets. */
gboolean encrypt_track_learn (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, GError **error);

/**
 * encrypt_track_map:
 * @sample: where and what it is
 * @data: (array length=sample->size): its clear bytes
 * @writer: its IV and subsamples are added here
 *
 * For each sample, in decoding order. Errors name track, sample and offset.
 */
gboolean encrypt_track_map (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, CencAuxWriter *writer, GError **error);

/** Whether encrypt_track_map_clear() can tell of samples of up to @size bytes: saiz counts 8 bits. */
gboolean encrypt_track_tells_clear (const EncryptTrack *self, guint32 size);

/**
 * encrypt_track_map_clear:
 *
 * A sample that stays clear in a run of others that do not: learned, and an IV
 * and subsamples without a protected byte are added to @writer, for readers that
 * want an entry of each sample (ffmpeg). Samples behind it get subsamples too,
 * of codecs that are encrypted whole as well.
 */
gboolean encrypt_track_map_clear (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, CencAuxWriter *writer, GError **error);

/** See subsampler_look(). */
gsize encrypt_track_look (EncryptTrack *self, const BmffSample *sample,
    const guint8 *at, gsize n, gsize *size);
/**
 * encrypt_track_map_heads:
 * @data: (array length=sample->size): only those bytes are valid that are not
 *   behind a head and in its NAL unit
 * @heads: (element-type CencRange): of the slices that were read in part
 *
 * Likewise. FALSE without error: nothing is done yet, and the sample has to be
 * read whole.
 */
gboolean encrypt_track_map_heads (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, const GArray *heads, CencAuxWriter *writer,
    GError **error);

/** (transfer full) (nullable): `saiz`, where the scheme has one: PIFF has only its senc. See cenc_aux_writer_share_saiz(). */
BmffBox *
encrypt_track_make_saiz (const EncryptTrack *self, const CencAuxWriter *writer);

/**
 * encrypt_track_cipher:
 * @aux: what encrypt_track_map() gave the sample
 * @in, @out: the same, or without overlap; both have to stay until
 *   encrypt_track_finish(): short samples wait for others
 */
gboolean encrypt_track_cipher (EncryptTrack *self, const CencSampleAux *aux,
    const guint8 *in, guint8 *out, gsize size, GError **error);
/** Does what waits: without it samples would go out clear. To be called after an error, too. */
gboolean encrypt_track_finish (EncryptTrack *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptTrack, encrypt_track_free)

G_END_DECLS
