/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-unprotect.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#define FOURCC_CO64 BMFF_FOURCC ('c', 'o', '6', '4')
#define FOURCC_SENC BMFF_FOURCC ('s', 'e', 'n', 'c')
#define FOURCC_STCO BMFF_FOURCC ('s', 't', 'c', 'o')
#define FOURCC_STSC BMFF_FOURCC ('s', 't', 's', 'c')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

/* A protected track's samples in one stbl or traf. */
typedef struct
{
  guint track; /* in the movie */
  guint32 track_id;
  gboolean is_sound;
  const CencTrack *cenc_track;
  CencTrackRun *run;
  BmffSampleTable *samples;
  CencAuxTable *aux; /* nullable */
} Part;

struct _CencSampleIndex
{
  GPtrArray *parts; /* Part */
  BmffSampleMap *map;
  guint64 n_empty; /* of their auxiliary information */
};

static void
part_free (Part *self)
{
  g_clear_pointer (&self->run, cenc_track_run_free);
  g_clear_pointer (&self->samples, bmff_sample_table_unref);
  g_clear_pointer (&self->aux, cenc_aux_table_unref);
  g_free (self);
}

GPtrArray *
cenc_tracks_new (const BmffMovie *movie, GError **error)
{
  g_autoptr (GPtrArray) tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cenc_track_free);
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    CencTrack *track =
        cenc_track_new (g_ptr_array_index (movie->tracks, i), error);

    if (!track)
      return NULL;
    g_ptr_array_add (tracks, track);
  }
  return g_steal_pointer (&tracks);
}

/* --- auxiliary information --- */

/* Parameters of one sample after the other: asked for in order, a cursor gives
 * each in no time. */
typedef struct
{
  const Part *part;
  BmffSampleCursor cursor;
} ParamsWalk;

static const CencParams *
get_params (guint32 index, gpointer user_data)
{
  ParamsWalk *walk = user_data;
  BmffSample sample;

  if (walk->cursor.next != index)
    bmff_sample_cursor_init (&walk->cursor, walk->part->samples, index);
  if (!bmff_sample_cursor_next (&walk->cursor, &sample))
    return NULL;
  return cenc_track_run_get_params (walk->part->run, index,
      sample.description_index);
}

static const BmffBox *
find_senc (const BmffBox *parent)
{
  const BmffBox *box = bmff_box_child (parent, FOURCC_SENC);
  guint next = 0;

  if (box)
    return box;
  while ((box = bmff_box_next_child (parent, FOURCC_UUID, &next))) {
    if (memcmp (box->uuid, CENC_PIFF_SENC_UUID, sizeof box->uuid) == 0)
      return box;
  }
  return NULL;
}

static gboolean
read_senc (Part *self, const BmffBox *senc, GError **error)
{
  ParamsWalk walk = { self };

  bmff_sample_cursor_init (&walk.cursor, self->samples, 0);
  self->aux = cenc_aux_table_new_from_senc_bounded (senc,
      bmff_sample_table_get_count (self->samples), get_params, &walk, error);
  return self->aux != NULL;
}

/* TRUE also if there is no saiz. */
static gboolean
read_saiz (Part *self, const BmffBox *parent, guint64 base,
    const GArray *run_counts, BmffSource *source, GError **error)
{
  ParamsWalk walk = { self };
  GError *local = NULL;

  bmff_sample_cursor_init (&walk.cursor, self->samples, 0);
  self->aux = cenc_aux_table_new_from_saiz_bounded (parent, base, run_counts,
      source, bmff_sample_table_get_count (self->samples), get_params, &walk,
      &local);
  if (!local)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

/* Samples of each chunk, from stsc; what does not add up, the table has refused. */
static GArray *
count_chunks (const BmffBox *stbl)
{
  GArray *counts = g_array_new (FALSE, FALSE, sizeof (guint32));
  const BmffBox *stsc = bmff_box_child (stbl, FOURCC_STSC);
  const BmffBox *stco = bmff_box_child (stbl, FOURCC_STCO);
  BmffReader reader, chunks;
  guint32 i, n, n_chunks, samples = 0;

  if (!stco)
    stco = bmff_box_child (stbl, FOURCC_CO64);
  if (!stsc || !stco)
    return counts;
  bmff_box_get_reader (stco, &chunks);
  bmff_reader_skip (&chunks, 4);
  n_chunks = bmff_reader_u32 (&chunks);
  if (!bmff_reader_has (&chunks, n_chunks, 4))
    return counts;

  bmff_box_get_reader (stsc, &reader);
  bmff_reader_skip (&reader, 4);
  n = bmff_reader_u32 (&reader);
  for (i = 0; i <= n; i++) {
    guint32 first = i < n ? bmff_reader_u32 (&reader) : G_MAXUINT32;

    while (counts->len < n_chunks && counts->len + 1 < first)
      g_array_append_val (counts, samples);
    samples = bmff_reader_u32 (&reader);
    bmff_reader_skip (&reader, 4);
  }
  return counts;
}

static GArray *
count_runs (const BmffTraf *traf)
{
  GArray *counts = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint i;

  for (i = 0; i < traf->runs->len; i++)
    g_array_append_val (counts, g_array_index (traf->runs, BmffRun, i).count);
  return counts;
}

/* Wrong saio boxes stand beside right senc boxes in the field: senc goes first. */
static gboolean
read_movie_aux (Part *self, const BmffTrack *track, BmffSource *source,
    GError **error)
{
  const BmffBox *senc = find_senc (track->stbl);
  g_autoptr (GArray) counts = NULL;

  if (!senc)
    senc = find_senc (track->trak);
  if (senc)
    return read_senc (self, senc, error);
  counts = count_chunks (track->stbl);
  return read_saiz (self, track->stbl, 0, counts, source, error);
}

static gboolean
read_traf_aux (Part *self, const BmffTraf *traf, guint64 moof_offset,
    BmffSource *source, GError **error)
{
  const BmffBox *senc = find_senc (traf->box);
  g_autoptr (GArray) counts = NULL;
  GError *local = NULL;

  if (senc)
    return read_senc (self, senc, error);
  counts = count_runs (traf);
  if (read_saiz (self, traf->box, traf->base_data_offset, counts, source,
          &local))
    return TRUE;
  /* Some writers count from the moof whatever the base data offset is. What could
   * not be read yet, a source's own error, says nothing of that. */
  if (traf->base_data_offset != moof_offset &&
      (local->domain == GST_CENC_ERROR || local->domain == BMFF_ERROR) &&
      read_saiz (self, traf->box, moof_offset, counts, source, NULL)) {
    g_error_free (local);
    return TRUE;
  }
  g_propagate_error (error, local);
  return FALSE;
}

/* --- index --- */

void
cenc_sample_index_free (CencSampleIndex *self)
{
  g_ptr_array_unref (self->parts);
  g_clear_pointer (&self->map, bmff_sample_map_free);
  g_free (self);
}

static CencSampleIndex *
index_new (void)
{
  CencSampleIndex *self = g_new0 (CencSampleIndex, 1);

  self->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) part_free);
  return self;
}

/* @samples: (transfer full) */
static Part *
add_part (CencSampleIndex *self, guint i, const BmffTrack *track,
    CencTrack *cenc_track, BmffSampleTable *samples)
{
  Part *part = g_new0 (Part, 1);

  part->track = i;
  part->track_id = track->id;
  part->is_sound = track->handler == BMFF_HANDLER_AUDIO;
  part->cenc_track = cenc_track;
  part->samples = samples;
  g_ptr_array_add (self->parts, part);
  return part;
}

static gboolean
make_map (CencSampleIndex *self, GError **error)
{
  g_autoptr (GPtrArray) tables = g_ptr_array_new ();
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    Part *part = g_ptr_array_index (self->parts, i);

    g_ptr_array_add (tables, part->samples);
  }
  self->map = bmff_sample_map_new (tables, error);
  return self->map != NULL;
}

/* Tracks can claim samples of no byte, and information of no byte for each. */
static gboolean
count_empty (CencSampleIndex *self, const Part *part, GError **error)
{
  if (part->aux)
    self->n_empty += cenc_aux_table_get_n_empty (part->aux);
  if (self->n_empty <= CENC_MAX_EMPTY_AUX)
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "over %u samples with empty auxiliary information", CENC_MAX_EMPTY_AUX);
  return FALSE;
}

guint64
cenc_sample_index_get_n_empty (const CencSampleIndex *self)
{
  return self->n_empty;
}

static gboolean
add_movie_track (CencSampleIndex *self, guint i, const BmffTrack *track,
    CencTrack *cenc_track, BmffSource *source, GError **error)
{
  BmffSampleTable *samples;
  Part *part;

  if (!cenc_track_is_protected (cenc_track))
    return TRUE;
  samples = bmff_sample_table_new_from_stbl (track->stbl, error);
  if (!samples)
    return FALSE;
  part = add_part (self, i, track, cenc_track, samples);
  part->run = cenc_track_run_new (cenc_track, NULL, error);
  return part->run && read_movie_aux (part, track, source, error) &&
      count_empty (self, part, error);
}

CencSampleIndex *
cenc_sample_index_new_for_movie (const BmffMovie *movie, GPtrArray *tracks,
    BmffSource *source, GError **error)
{
  g_autoptr (CencSampleIndex) self = index_new ();
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (movie->tracks, i);

    if (!add_movie_track (self, i, track, g_ptr_array_index (tracks, i), source,
            error)) {
      g_prefix_error (error, "track %u: ", track->id);
      return NULL;
    }
  }
  if (!make_map (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
add_traf (CencSampleIndex *self, const BmffFragment *fragment,
    const BmffTraf *traf, guint i, CencTrack *cenc_track, BmffSource *source,
    GError **error)
{
  Part *part;

  if (!cenc_track_is_protected (cenc_track))
    return TRUE;
  part = add_part (self, i, traf->track, cenc_track,
      bmff_sample_table_ref (traf->samples));
  part->run = cenc_track_run_new (cenc_track, traf, error);
  return part->run &&
      read_traf_aux (part, traf, fragment->offset, source, error);
}

CencSampleIndex *
cenc_sample_index_new_for_fragment (const BmffFragment *fragment,
    const BmffMovie *movie, GPtrArray *tracks, BmffSource *source,
    GError **error)
{
  g_autoptr (CencSampleIndex) self = index_new ();
  guint n, i;

  for (n = 0; n < fragment->trafs->len; n++) {
    const BmffTraf *traf = g_ptr_array_index (fragment->trafs, n);

    if (!g_ptr_array_find (movie->tracks, traf->track, &i))
      g_return_val_if_reached (NULL);
    if (!add_traf (self, fragment, traf, i, g_ptr_array_index (tracks, i),
            source, error)) {
      g_prefix_error (error, "track %u: ", traf->track_id);
      return NULL;
    }
  }
  if (!make_map (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

gboolean
cenc_sample_index_is_protected (const CencSampleIndex *self)
{
  return self->parts->len > 0;
}

/* --- cursor --- */

void
cenc_sample_cursor_init (CencSampleCursor *self, const CencSampleIndex *index,
    guint64 offset)
{
  self->index = index;
  bmff_map_cursor_init (&self->cursor, index->map, offset);
}

static gboolean
needs_aux (const CencParams *params)
{
  return params->per_sample_iv_size > 0;
}

/* A constant IV for whole samples needs no information by sample; of clear ones
 * among them saiz may say that they have none, and stop there. Of pictures, which
 * have subsamples where anything is told of the track, it has been cut off then. */
static gboolean
tells_nothing (const Part *part)
{
  return !part->aux || cenc_aux_table_get_count (part->aux) == 0 ||
      (part->is_sound && cenc_aux_table_is_empty (part->aux));
}

/* Sets the aux of a protected sample. */
static gboolean
fill_in_aux (const Part *part, CencIndexedSample *out, GError **error)
{
  guint32 count = part->aux ? cenc_aux_table_get_count (part->aux) : 0;

  if (!needs_aux (out->params) && tells_nothing (part))
    return TRUE;
  if (part->aux && cenc_aux_table_get (part->aux, out->index, &out->aux) &&
      (out->aux.iv || !needs_aux (out->params)))
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "track %u: sample %u at %" G_GUINT64_FORMAT
      " is protected, but there is no IV or subsample information for it: "
      "senc, or saiz and saio, tell of %u samples",
      part->track_id, out->index + 1, out->sample.offset, count);
  return FALSE;
}

/* What protects the sample, by signaling; NULL = clear. */
static const CencParams *
params_of (const Part *part, const CencEntry *entry,
    const CencIndexedSample *sample)
{
  const CencParams *override =
      part->aux ? cenc_aux_table_get_override (part->aux) : NULL;

  if (override && entry->is_wrapped)
    return override->is_protected ? override : NULL;
  return cenc_track_run_get_params (part->run, sample->index,
      sample->sample.description_index);
}

static gboolean
fill_in (const Part *part, CencIndexedSample *out, GError **error)
{
  const CencEntry *entry =
      cenc_track_get_entry (part->cenc_track, out->sample.description_index);

  out->track = part->track;
  memset (&out->aux, 0, sizeof out->aux);
  if (!entry) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "track %u: sample %u at %" G_GUINT64_FORMAT
        " is described by sample entry %u, which is not there",
        part->track_id, out->index + 1, out->sample.offset,
        out->sample.description_index);
    return FALSE;
  }
  out->params = params_of (part, entry, out);
  return !out->params || fill_in_aux (part, out, error);
}

gboolean
cenc_sample_cursor_next (CencSampleCursor *self, guint64 end,
    CencIndexedSample *sample, GError **error)
{
  BmffMapCursor before = self->cursor;
  BmffMappedSample mapped;

  if (!bmff_map_cursor_next (&self->cursor, &mapped))
    return FALSE;
  if (mapped.sample.offset >= end) {
    self->cursor = before;
    return FALSE;
  }
  sample->index = mapped.index;
  sample->sample = mapped.sample;
  return fill_in (g_ptr_array_index (self->index->parts, mapped.track), sample,
      error);
}
