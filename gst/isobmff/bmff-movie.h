/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BmffMovie: what a moov says, beside its tree of boxes: tracks, their sample
 * entries, the defaults for fragments. BmffFragment: the same for a moof.
 */

#pragma once

#include <gst/isobmff/bmff-samples.h>

G_BEGIN_DECLS

#define BMFF_HANDLER_VIDEO BMFF_FOURCC ('v', 'i', 'd', 'e')
#define BMFF_HANDLER_AUDIO BMFF_FOURCC ('s', 'o', 'u', 'n')

typedef struct
{
  guint32 description_index, duration, size, flags;
} BmffSampleDefaults;

typedef struct
{
  guint32 id; /* tkhd.track_ID */
  guint32 handler; /* hdlr.handler_type */
  guint32 timescale; /* mdhd; 0 if the file says 0 */
  guint64 duration; /* mdhd, in timescale; 0 if the file says unknown */
  gchar language[4]; /* mdhd, ISO 639-2/T, NUL-terminated */
  guint32 width, height; /* of the first visual sample entry, else 0 */
  BmffBox *trak; /* borrowed from the movie's tree */
  BmffBox *stbl; /* borrowed */
  BmffBox *stsd; /* borrowed; its children are the sample entries */
  gboolean has_trex;
  BmffSampleDefaults trex;
  /*< private >*/
  GBytes *local; /* see bmff_track_is_local() */
} BmffTrack;

typedef struct
{
  BmffBox *moov; /* owned */
  guint32 timescale; /* mvhd */
  guint64 duration; /* mvhd; 0 if the file says unknown */
  gboolean fragmented; /* has mvex */
  GPtrArray *tracks; /* (element-type BmffTrack), owned, in file order */
} BmffMovie;

/** More tracks are BMFF_ERROR_LIMIT. */
#define BMFF_MAX_TRACKS 1024

/** Takes @moov (transfer full, freed on error too). Tracks without an stsd are an error that names them; two tracks with one id too. */
BmffMovie *bmff_movie_new (BmffBox *moov, GError **error);
void bmff_movie_free (BmffMovie *self);
/** NULL if there is no such track. */
BmffTrack *bmff_movie_get_track (const BmffMovie *self, guint32 track_id);

/** Sample entry @description_index (from 1) of @track, NULL if out of range. */
BmffBox *
bmff_track_get_entry (const BmffTrack *self, guint32 description_index);

/**
 * Whether the samples of entry @description_index are in this file, at the
 * places that the sample table says (8.7.2). FALSE if the entry's data reference
 * names another file, or is one that gives places in another way (imdt, snim).
 * Without dref, or with an index that is not in it, this file is meant, as
 * everybody reads it. As the boxes were when the movie was made.
 */
gboolean bmff_track_is_local (const BmffTrack *self, guint32 description_index);
/** The same for all entries of a leaf @dref: one byte each, entry 1 at [1], until one is no box. (transfer full) */
GByteArray *bmff_dref_read (const BmffBox *dref);

/** More samples in all runs of a moof are BMFF_ERROR_LIMIT: a run of defaults claims 2^32 of them in 16 bytes. 4 Mi are 22 s of PCM at 192 kHz. */
#define BMFF_MAX_FRAGMENT_SAMPLES (1u << 22)
/** Likewise for samples without any byte, in trun or mdat: no size of a file bounds these. */
#define BMFF_MAX_EMPTY_SAMPLES (1u << 10)

typedef struct
{
  BmffBox *box; /* the trun, borrowed */
  guint32 first; /* index of its first sample in the traf's table */
  guint32 count;
  guint64 offset; /* in the file, of its first byte */
} BmffRun;

typedef struct
{
  guint32 track_id;
  BmffTrack *track; /* borrowed from the movie; never NULL */
  BmffBox *box; /* the traf, borrowed */
  BmffBox *tfhd; /* borrowed */
  gboolean has_base_data_offset;
  guint64
      base_data_offset; /* effective: explicit, or the moof's or the previous traf's by the rules of 8.8.7 */
  guint32 description_index;
  gboolean has_tfdt;
  guint64 decode_time; /* tfdt, else 0 until bmff_clock_enter() */
  GArray *runs; /* (element-type BmffRun), owned */
  BmffSampleTable *samples; /* owned; dts from decode_time */
} BmffTraf;

typedef struct
{
  BmffBox *moof; /* owned */
  guint64 offset; /* of the moof, in the file */
  guint32 sequence_number;
  GPtrArray *trafs; /* (element-type BmffTraf), owned */
} BmffFragment;

/**
 * bmff_fragment_new:
 * @moof: (transfer full): the parsed moof, freed on error too
 * @movie: the movie it belongs to; has to outlive the fragment
 *
 * Resolves defaults (tfhd over trex), base data offsets (ISO/IEC 14496-12,
 * 8.8.7: explicit, default-base-is-moof, else the moof for the first traf and
 * the end of the previous traf's data for the others) and runs (8.8.8: without
 * data_offset a run follows the one before). A traf whose track is not in
 * @movie is an error.
 */
BmffFragment *
bmff_fragment_new (BmffBox *moof, const BmffMovie *movie, GError **error);
void bmff_fragment_free (BmffFragment *self);

/**
 * bmff_run_set_offset:
 * @base: what @traf's data offsets count from in the file to be written: the
 *   explicit base_data_offset, else where the moof will start, else (no
 *   default-base-is-moof, not the first traf) the end of the previous traf's data
 * @offset: where the first byte of @run will be in that file
 *
 * Writes data_offset into the trun, adding the field if it is not there (then
 * the moof has grown by 4 bytes, and what depends on its size has to be set
 * again). A distance beyond 31 bits is an error. @run->offset keeps saying where
 * the run was read from.
 */
gboolean bmff_run_set_offset (BmffTraf *traf, BmffRun *run, guint64 base,
    guint64 offset, GError **error);
/** Sets tfhd's base_data_offset (which it has to have). */
void bmff_traf_set_base_data_offset (BmffTraf *traf, guint64 base);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffMovie, bmff_movie_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffFragment, bmff_fragment_free)

G_END_DECLS
