/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sample auxiliary information: IVs and subsamples of a run of samples, from
 * `senc` (ISO/IEC 23001-7, 7.2), from PIFF's uuid senc, or from where saiz and
 * saio point (7.1 and ISO/IEC 14496-12, 8.7.8 and 8.7.9). Where senc stands
 * beside saiz/saio, senc wins: files in the field have a wrong saio.
 */

#pragma once

#include <gst/cenc/cenc-crypt.h>
#include <gst/isobmff/bmff-source.h>

G_BEGIN_DECLS

typedef struct _CencAuxTable CencAuxTable;

/** Gives the params of sample @index (0-based in the traf or track), or NULL for a sample that is not protected. */
typedef const CencParams *(*CencParamsFunc) (guint32 index, gpointer user_data);

/**
 * cenc_aux_table_new_from_senc:
 * @senc: a `senc` box, or PIFF's uuid one
 * @params: IV sizes can differ by sample (seig); not NULL
 *
 * A sample_count of 0 beside samples (constant IV, whole samples) gives an empty
 * table. A PIFF box that overrides the track's algorithm, IV size and KID
 * (flag 1) tells so by cenc_aux_table_get_override(), and its IV size is the
 * one used.
 *
 * Returns: (transfer full): the table, or NULL with GST_CENC_ERROR_FORMAT
 */
CencAuxTable *cenc_aux_table_new_from_senc (const BmffBox *senc,
    CencParamsFunc params, gpointer user_data, GError **error);

/**
 * cenc_aux_table_new_from_saiz:
 * @parent: traf or stbl that holds saiz and saio
 * @base: what saio's offsets are relative to: the traf's base data offset, or
 *   the moof's offset; 0 in a moov
 * @run_counts: (nullable): samples of each trun or chunk: several saio entries
 *   go one to each; %NULL if only one entry is allowed
 * @source: where to read them
 *
 * Takes the saiz/saio without aux_info_type or with one of our schemes; offsets of
 * 32 and 64 bits.
 *
 * Returns: (transfer full): the table; NULL without error if there is no saiz; NULL with an error
 */
CencAuxTable *cenc_aux_table_new_from_saiz (const BmffBox *parent, guint64 base,
    const GArray *run_counts, BmffSource *source, CencParamsFunc params,
    gpointer user_data, GError **error);

/**
 * cenc_aux_table_new_from_senc_bounded, cenc_aux_table_new_from_saiz_bounded:
 * @max_samples: how many samples the traf or track has: a senc that tells of fewer,
 *   but of as many as are protected, tells of those; information for more is
 *   GST_CENC_ERROR_FORMAT before any of it is read (a few bytes can claim 2^32)
 */
CencAuxTable *
cenc_aux_table_new_from_senc_bounded (const BmffBox *senc, guint32 max_samples,
    CencParamsFunc params, gpointer user_data, GError **error);
CencAuxTable *
cenc_aux_table_new_from_saiz_bounded (const BmffBox *parent, guint64 base,
    const GArray *run_counts, BmffSource *source, guint32 max_samples,
    CencParamsFunc params, gpointer user_data, GError **error);

CencAuxTable *cenc_aux_table_ref (CencAuxTable *self);
void cenc_aux_table_unref (CencAuxTable *self);
guint32 cenc_aux_table_get_count (const CencAuxTable *self);
/** How many of them, and of clear samples that had to be looked at, have no byte in the file: of senc, which then claims them for nothing. */
guint32 cenc_aux_table_get_n_empty (const CencAuxTable *self);
/** Whether it tells of no sample that is protected, however many it counts. */
gboolean cenc_aux_table_is_empty (const CencAuxTable *self);
/** FALSE if the table does not reach so far. @aux borrows from the table. O(1). */
gboolean cenc_aux_table_get (const CencAuxTable *self, guint32 index,
    CencSampleAux *aux);
/** PIFF's override, or NULL. */
const CencParams *cenc_aux_table_get_override (const CencAuxTable *self);

/**
 * CencAuxWriter: gathers the auxiliary information of a run of samples and gives
 * senc, saiz and saio for it.
 */
typedef struct _CencAuxWriter CencAuxWriter;

/** @params: scheme, IV sizes. */
CencAuxWriter *cenc_aux_writer_new (const CencParams *params);
void cenc_aux_writer_free (CencAuxWriter *self);
/**
 * cenc_aux_writer_add:
 * @iv: per_sample_iv_size bytes, ignored if that is 0
 * @subsamples: (nullable): entries as in the file; %NULL = the whole sample is
 *   one range. Samples of one writer either all have entries or none has (else
 *   GST_CENC_ERROR_UNSUPPORTED: subsample_count must not be 0, 23001-7, 7.1).
 * @n_subsamples: 0 with @subsamples not %NULL: a sample of no bytes, which gets
 *   an entry 0/0
 * @error: GST_CENC_ERROR_UNSUPPORTED also if it is more than saiz can count
 */
gboolean cenc_aux_writer_add (CencAuxWriter *self, const guint8 *iv,
    const guint8 *subsamples, guint n_subsamples, GError **error);
/** A sample that stays clear in a run whose others are protected: seig says so; here it takes no bytes. cenc_aux_writer_get() gives an empty CencSampleAux for it. */
void cenc_aux_writer_add_clear (CencAuxWriter *self);
guint32 cenc_aux_writer_get_count (const CencAuxWriter *self);
/** Gives back what was added: valid until the writer changes. */
gboolean
cenc_aux_writer_get (CencAuxWriter *self, guint32 index, CencSampleAux *aux);
/** `senc` (PIFF: the uuid box). (transfer full) */
BmffBox *cenc_aux_writer_to_senc (const CencAuxWriter *self);
/** Offset from the first byte of that box to the first byte of auxiliary information: what saio has to point at. */
guint cenc_aux_writer_get_data_offset (const CencAuxWriter *self);
/** `saiz`; NULL where the layout most can read has none (no IV and no subsamples). (transfer full) */
BmffBox *cenc_aux_writer_to_saiz (const CencAuxWriter *self);
/** Both likewise, but what they hold stands in their trailer and is the writer's memory: nothing is to be added to it any more. (transfer full) */
BmffBox *cenc_aux_writer_share_senc (const CencAuxWriter *self);
BmffBox *cenc_aux_writer_share_saiz (const CencAuxWriter *self);
/**
 * cenc_aux_writer_foresee:
 * @count: of samples that there are going to be; 0 takes back what was foreseen
 *
 * Counts on each sample to take as many bytes as those that are here, and no more
 * than a sample can, an IV and one subsample: then boxes that are shared have the
 * sizes that they will have when all are added, and are to be shared again then.
 *
 * Returns: FALSE: those that are here take more, or not all the same; nothing is
 *   foreseen
 */
gboolean cenc_aux_writer_foresee (CencAuxWriter *self, guint32 count);
/** Whether nothing was added so far that was not foreseen. Where something was, boxes that were shared before are not to be read any more. */
gboolean cenc_aux_writer_is_as_foreseen (const CencAuxWriter *self);
/** `saio` with one entry, 0 for now: cenc_saio_set_offset(). NULL where there is no saiz. @large: 64 bits (version 1). (transfer full) */
BmffBox *cenc_aux_writer_to_saio (const CencAuxWriter *self, gboolean large);
void cenc_saio_set_offset (BmffBox *saio, guint64 offset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencAuxTable, cenc_aux_table_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencAuxWriter, cenc_aux_writer_free)

G_END_DECLS
