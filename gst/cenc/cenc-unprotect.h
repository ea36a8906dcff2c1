/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A protected file as a clear one, byte for byte in the same place: which bytes
 * of its boxes to patch, and which samples a range of its bytes holds, with all
 * that their cipher needs. Does no cipher work and no I/O of its own but for
 * auxiliary information (saio), through a BmffSource.
 */

#pragma once

#include <gst/cenc/cenc-aux.h>
#include <gst/cenc/cenc-track.h>

G_BEGIN_DECLS

/**
 * cenc_unprotect_boxes:
 * @box: a parsed moov (a BmffMovie's: its stsd are parsed), moof, or a box of
 *   the file level
 * @data: (array length=size): the bytes that @box was parsed from, its header
 *   first; changed in place
 * @size: at least @box's parsed size
 *
 * Turns encv, enca … back into their original format, and what speaks of
 * protection into `free` boxes of the same size: sinf, pssh, senc, saiz and saio
 * (without aux_info_type or with one of our schemes), sgpd, sbgp and csgp of
 * grouping type seig, PIFF's uuid boxes. Only four-character codes change, so that no
 * byte moves; boxes that a program added to the tree (offset G_MAXUINT64) are passed over.
 * A box that needs no change is left as it is.
 *
 * Returns: TRUE, or FALSE with the error of cenc_entry_parse() (@data may then
 *   be changed in part), or GST_CENC_ERROR_FORMAT if the tree does not fit @data
 */
gboolean cenc_unprotect_boxes (const BmffBox *box, guint8 *data, gsize size,
    GError **error);

/** A sample of a protected track, with what its cipher needs. */
typedef struct
{
  guint track; /* index in BmffMovie.tracks */
  guint32 index; /* of the sample in its stbl or traf, from 0 */
  BmffSample sample;
  const CencParams *params; /* NULL: this sample is clear */
  CencSampleAux aux; /* valid if params is not NULL */
} CencIndexedSample;

/**
 * CencSampleIndex: the samples of all protected tracks of a movie's stbl boxes or
 * of one fragment, by their place in the file. What is borrowed in a
 * CencIndexedSample lives as long as the index.
 */
typedef struct _CencSampleIndex CencSampleIndex;

/** (transfer full) (element-type CencTrack): the CencTrack of each of @movie's tracks, in their order; borrows the movie. */
GPtrArray *cenc_tracks_new (const BmffMovie *movie, GError **error);

/**
 * cenc_sample_index_new_for_movie:
 * @tracks: from cenc_tracks_new(); borrowed, as is @movie: both outlive the index
 * @source: (nullable): the file; read only where auxiliary information stands
 *   outside the moov (no senc in stbl or trak, but saiz and saio)
 *
 * Returns: (transfer full): the index (empty if no track is protected), or NULL
 *   with GST_CENC_ERROR, BMFF_ERROR or @source's
 */
CencSampleIndex *cenc_sample_index_new_for_movie (const BmffMovie *movie,
    GPtrArray *tracks, BmffSource *source, GError **error);

/** Likewise for the samples of a moof of @movie. */
CencSampleIndex *
cenc_sample_index_new_for_fragment (const BmffFragment *fragment,
    const BmffMovie *movie, GPtrArray *tracks, BmffSource *source,
    GError **error);
void cenc_sample_index_free (CencSampleIndex *self);

/**
 * cenc_sample_index_is_protected:
 *
 * Returns: whether any of its tracks is protected, so that there is something to
 *   list (single samples may still be clear)
 */
gboolean cenc_sample_index_is_protected (const CencSampleIndex *self);

/** A movie's tracks cannot have more samples whose auxiliary information takes no byte: a day at 60 frames a second has 5 million. */
#define CENC_MAX_EMPTY_AUX (1u << 23)
/** Of a movie, how many there are: who takes one movie after the other can bound them. */
guint64 cenc_sample_index_get_n_empty (const CencSampleIndex *self);

/** Walks the samples by rising offset; a plain value; borrows the index. */
typedef struct
{
  const CencSampleIndex *index;
  /*< private >*/
  BmffMapCursor cursor;
} CencSampleCursor;

/** Sets the cursor on the first sample that ends after byte @offset of the file. */
void cenc_sample_cursor_init (CencSampleCursor *self,
    const CencSampleIndex *index, guint64 offset);

/**
 * cenc_sample_cursor_next:
 * @end: only samples that begin before byte @end of the file; the cursor stays
 *   in front of one that does not
 * @error: GST_CENC_ERROR_FORMAT: a protected sample without the auxiliary
 *   information it needs; names track and sample
 *
 * Returns: TRUE, or FALSE at @end (without error) or with @error
 */
gboolean cenc_sample_cursor_next (CencSampleCursor *self, guint64 end,
    CencIndexedSample *sample, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CencSampleIndex, cenc_sample_index_free)

G_END_DECLS
