/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-movie.h"

#include "cenc/decrypt-writer.h"
#include "gst/cenc/cenc-pssh.h"

#include <string.h>

typedef struct
{
  DecryptTrack track;
  SampleProbe probe;
  guint32 timescale;
} Track;

struct _DecryptMovie
{
  gatomicrefcount ref_count;
  BmffMovie *movie;
  GPtrArray *tracks; /* (element-type CencTrack) */
  Track *infos; /* of movie->tracks->len */
  guint n_protected;
  DecryptSpan *span; /* borrows this movie */
};

struct _DecryptSpan
{
  gatomicrefcount ref_count;
  const DecryptMovie *movie;
  gboolean holds_movie; /* a fragment does */
  BmffFragment *fragment;
  CencSampleIndex *index;
  gboolean headers_told;
  DecryptPatch patch;
  guint64 start, end;
};

/*
 * Spans
 */

static DecryptSpan *
span_new (const DecryptMovie *movie, gboolean hold, guint64 offset)
{
  DecryptSpan *self = g_new0 (DecryptSpan, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->movie = hold ? decrypt_movie_ref ((DecryptMovie *) movie) : movie;
  self->holds_movie = hold;
  self->patch.offset = offset;
  return self;
}

DecryptSpan *
decrypt_span_ref (DecryptSpan *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
decrypt_span_unref (DecryptSpan *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->index, cenc_sample_index_free);
  g_clear_pointer (&self->fragment, bmff_fragment_free);
  g_clear_pointer (&self->patch.bytes, g_bytes_unref);
  if (self->holds_movie)
    decrypt_movie_unref ((DecryptMovie *) self->movie);
  g_free (self);
}

const DecryptPatch *
decrypt_span_get_patch (const DecryptSpan *self)
{
  return &self->patch;
}

void
decrypt_span_get_extent (const DecryptSpan *self, guint64 *start, guint64 *end)
{
  *start = self->start;
  *end = self->end;
}

guint64
decrypt_span_get_n_samples (const DecryptSpan *self)
{
  guint64 n = 0;
  guint i;

  for (i = 0; self->fragment && i < self->fragment->trafs->len; i++) {
    const BmffTraf *traf = g_ptr_array_index (self->fragment->trafs, i);

    n += bmff_sample_table_get_count (traf->samples);
  }
  return n;
}

static gboolean
is_protected (const DecryptMovie *movie, const BmffTraf *traf)
{
  guint i;

  return g_ptr_array_find (movie->movie->tracks, traf->track, &i) &&
      cenc_track_is_protected (g_ptr_array_index (movie->tracks, i));
}

/* Clear tracks may share bytes with whom they will. */
static void
add_tables (GPtrArray *tables, const DecryptSpan *span)
{
  guint i;

  for (i = 0; i < span->fragment->trafs->len; i++) {
    const BmffTraf *traf = g_ptr_array_index (span->fragment->trafs, i);

    if (is_protected (span->movie, traf))
      g_ptr_array_add (tables, traf->samples);
  }
}

gboolean
decrypt_span_check_apart (const DecryptSpan *fragment, const DecryptSpan *other,
    GError **error)
{
  g_autoptr (GPtrArray) tables = NULL;
  BmffSampleMap *map;

  if (fragment->start == fragment->end || fragment->start >= other->end ||
      other->start >= fragment->end)
    return TRUE;
  if (!other->fragment) {
    bmff_box_set_error (fragment->fragment->moof, error, BMFF_ERROR_INVALID,
        "its samples are those of the moov as well");
    return FALSE;
  }
  tables = g_ptr_array_new ();
  add_tables (tables, fragment);
  add_tables (tables, other);
  map = bmff_sample_map_new (tables, error);
  if (!map) {
    g_prefix_error (error,
        "moof at %" G_GUINT64_FORMAT " and moof at %" G_GUINT64_FORMAT ": ",
        other->patch.offset, fragment->patch.offset);
    return FALSE;
  }
  bmff_sample_map_free (map);
  return TRUE;
}

gboolean
decrypt_check_group (guint n_moofs, guint64 n_samples, guint64 offset,
    GError **error)
{
  if (n_moofs <= DECRYPT_MAX_GROUP && n_samples <= BMFF_MAX_FRAGMENT_SAMPLES)
    return TRUE;
  g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
      "moof at %" G_GUINT64_FORMAT
      ": over %u moofs or %u samples in front of the same media data",
      offset, DECRYPT_MAX_GROUP, BMFF_MAX_FRAGMENT_SAMPLES);
  return FALSE;
}

gboolean
decrypt_span_find_straddler (const DecryptSpan *self, guint64 offset,
    guint64 *sample_offset, gsize *sample_size)
{
  BmffMappedSample sample;
  CencSampleCursor cursor;

  if (offset <= self->start || offset >= self->end)
    return FALSE;
  /* What it needs to be decrypted is not asked for here, and does not fail. */
  cenc_sample_cursor_init (&cursor, self->index, offset);
  if (!bmff_map_cursor_next (&cursor.cursor, &sample) ||
      sample.sample.offset >= offset ||
      sample.sample.offset + sample.sample.size <= offset)
    return FALSE;
  *sample_offset = sample.sample.offset;
  *sample_size = sample.sample.size;
  return TRUE;
}

gboolean
decrypt_span_has_samples (const DecryptSpan *self, guint64 start, guint64 end)
{
  BmffMappedSample sample;
  CencSampleCursor cursor;

  if (end <= self->start || start >= self->end)
    return FALSE;
  cenc_sample_cursor_init (&cursor, self->index, start);
  return bmff_map_cursor_next (&cursor.cursor, &sample) &&
      sample.sample.offset < end;
}

static guint64
count_bytes (const BmffSampleTable *table, guint64 start, guint64 end)
{
  BmffSampleCursor cursor;
  BmffSample sample;
  guint64 n = 0;

  bmff_sample_cursor_init (&cursor, table, 0);
  while (bmff_sample_cursor_next (&cursor, &sample)) {
    guint64 from = MAX (sample.offset, start);
    guint64 to = MIN (sample.offset + sample.size, end);

    n += to > from ? to - from : 0;
  }
  return n;
}

guint64
decrypt_span_count_bytes (const DecryptSpan *self, guint64 start, guint64 end)
{
  guint64 n = 0;
  guint i;

  for (i = 0; self->fragment && i < self->fragment->trafs->len; i++) {
    const BmffTraf *traf = g_ptr_array_index (self->fragment->trafs, i);

    n += count_bytes (traf->samples, start, end);
  }
  return n;
}

/* (transfer full): a copy of @bytes in which @box speaks of no protection */
static GBytes *
unprotect (const BmffBox *box, GBytes *bytes, GError **error)
{
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);

  if (!cenc_unprotect_boxes (box, data, size, error))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

GBytes *
decrypt_patch_box (GBytes *box, guint64 offset, GError **error)
{
  g_autoptr (BmffBox) parsed = bmff_box_parse (box, offset, error);

  return parsed ? unprotect (parsed, box, error) : NULL;
}

/*
 * Movies
 */

DecryptMovie *
decrypt_movie_ref (DecryptMovie *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
decrypt_movie_unref (DecryptMovie *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->span, decrypt_span_unref);
  g_clear_pointer (&self->tracks, g_ptr_array_unref);
  g_clear_pointer (&self->movie, bmff_movie_free);
  g_free (self->infos);
  g_free (self);
}

gboolean
decrypt_movie_is_protected (const DecryptMovie *self)
{
  return self->n_protected > 0;
}

gboolean
decrypt_movie_is_fragmented (const DecryptMovie *self)
{
  return self->movie->fragmented;
}

gboolean
decrypt_movie_count_empty (const DecryptMovie *self, guint64 *n, GError **error)
{
  if (self->span)
    *n += cenc_sample_index_get_n_empty (self->span->index);
  if (*n <= CENC_MAX_EMPTY_AUX)
    return TRUE;
  bmff_box_set_error (self->movie->moov, error, BMFF_ERROR_LIMIT,
      "with those before it, over %u samples of empty auxiliary information",
      CENC_MAX_EMPTY_AUX);
  return FALSE;
}

DecryptSpan *
decrypt_movie_get_span (const DecryptMovie *self)
{
  return self->span;
}

void
decrypt_movie_set_verify (DecryptMovie *self, gboolean verify)
{
  guint i;

  for (i = 0; i < self->movie->tracks->len; i++)
    self->infos[i].track.probe = verify ? &self->infos[i].probe : NULL;
}

/* The first protected entry's codec. Where others follow that have another one,
 * samples are not verified. */
static void
init_probe (Track *info, const BmffTrack *track, const CencTrack *cenc)
{
  static const guint32 configs[] = { BMFF_FOURCC ('a', 'v', 'c', 'C'),
    BMFF_FOURCC ('h', 'v', 'c', 'C'), BMFF_FOURCC ('v', 'v', 'c', 'C'),
    BMFF_FOURCC ('e', 's', 'd', 's'), BMFF_FOURCC ('d', 'O', 'p', 's') };
  guint32 codec = 0;
  GBytes *config = NULL;
  const guint8 *data = NULL;
  gsize size = 0;
  guint i, j;

  for (i = 1; bmff_track_get_entry (track, i); i++) {
    const CencEntry *entry = cenc_track_get_entry (cenc, i);
    const BmffBox *box = bmff_track_get_entry (track, i);

    if (!entry || !entry->is_wrapped)
      continue;
    if (codec != 0 && codec != entry->original_format) {
      codec = 0;
      break;
    }
    codec = entry->original_format;
    for (j = 0; j < G_N_ELEMENTS (configs); j++) {
      const BmffBox *child = bmff_box_child (box, configs[j]);

      if (child)
        config = child->payload;
    }
  }
  if (config)
    data = g_bytes_get_data (config, &size);
  sample_probe_init (&info->probe, codec, data, size);
}

static void
init_tracks (DecryptMovie *self)
{
  CencCryptFlags flags = decrypt_writer_get_movie_flags (self->movie);
  guint i;

  self->infos = g_new0 (Track, self->movie->tracks->len);
  for (i = 0; i < self->movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (self->movie->tracks, i);
    const CencTrack *cenc = g_ptr_array_index (self->tracks, i);
    Track *info = &self->infos[i];

    info->track.width = track->width;
    info->track.height = track->height;
    info->track.flags = flags;
    info->timescale = track->timescale;
    if (cenc_track_is_protected (cenc)) {
      self->n_protected++;
      init_probe (info, track, cenc);
    }
  }
  decrypt_movie_set_verify (self, TRUE);
}

static void
init_extent (DecryptSpan *span, const BmffSampleTable *table)
{
  guint64 start, end;

  if (!bmff_sample_table_get_extent (table, &start, &end))
    return;
  if (span->end == 0 || start < span->start)
    span->start = start;
  span->end = MAX (span->end, end);
}

static gboolean
init_movie_extent (DecryptMovie *self, GError **error)
{
  guint i;

  for (i = 0; i < self->movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (self->movie->tracks, i);
    g_autoptr (BmffSampleTable) table = NULL;

    if (!cenc_track_is_protected (g_ptr_array_index (self->tracks, i)))
      continue;
    table = bmff_sample_table_new_from_stbl (track->stbl, error);
    if (!table)
      return FALSE;
    init_extent (self->span, table);
  }
  return TRUE;
}

static gboolean
init_movie_span (DecryptMovie *self, GBytes *moov, guint64 offset,
    BmffSource *source, GError **error)
{
  self->span = span_new (self, FALSE, offset);
  self->span->index = cenc_sample_index_new_for_movie (self->movie,
      self->tracks, source, error);
  if (!self->span->index || !init_movie_extent (self, error))
    return FALSE;
  self->span->patch.bytes = unprotect (self->movie->moov, moov, error);
  return self->span->patch.bytes != NULL;
}

DecryptMovie *
decrypt_movie_new (GBytes *moov, guint64 offset, BmffSource *source,
    GError **error)
{
  g_autoptr (DecryptMovie) self = g_new0 (DecryptMovie, 1);
  BmffBox *box = bmff_box_parse (moov, offset, error);

  g_atomic_ref_count_init (&self->ref_count);
  if (!box)
    return NULL;
  self->movie = bmff_movie_new (box, error);
  if (!self->movie)
    return NULL;
  self->tracks = cenc_tracks_new (self->movie, error);
  if (!self->tracks)
    return NULL;
  init_tracks (self);
  if (self->n_protected > 0 &&
      !init_movie_span (self, moov, offset, source, error))
    return NULL;
  return g_steal_pointer (&self);
}

DecryptSpan *
decrypt_movie_parse_fragment (DecryptMovie *self, GBytes *moof, guint64 offset,
    BmffSource *source, GError **error)
{
  g_autoptr (DecryptSpan) span = span_new (self, TRUE, offset);
  BmffBox *box = bmff_box_parse (moof, offset, error);
  guint i;

  if (!box)
    return NULL;
  span->fragment = bmff_fragment_new (box, self->movie, error);
  if (!span->fragment)
    return NULL;
  span->index = cenc_sample_index_new_for_fragment (span->fragment, self->movie,
      self->tracks, source, error);
  if (!span->index)
    return NULL;
  for (i = 0; i < span->fragment->trafs->len; i++) {
    const BmffTraf *traf = g_ptr_array_index (span->fragment->trafs, i);

    init_extent (span, traf->samples);
  }
  span->patch.bytes = unprotect (span->fragment->moof, moof, error);
  return span->patch.bytes ? g_steal_pointer (&span) : NULL;
}

/*
 * Blocks
 */

/* Copies up to byte @end of the file, if there is anything to copy. */
static void
copy_until (const DecryptBlock *block, guint64 *done, guint64 end)
{
  gsize pos = (gsize) (*done - block->offset);

  if (end > *done && block->in != block->out)
    memcpy (block->out + pos, block->in + pos, (gsize) (end - *done));
  *done = MAX (*done, end);
}

static guint32
get_track_id (const DecryptMovie *movie, guint index)
{
  return ((BmffTrack *) g_ptr_array_index (movie->movie->tracks, index))->id;
}

static gboolean
process_sample (DecryptSpan *self, const DecryptBlock *block,
    const CencIndexedSample *sample, const DecryptWork *work, GError **error)
{
  const Track *info = &self->movie->infos[sample->track];
  gsize pos = (gsize) (sample->sample.offset - block->offset);
  GstClockTime duration = 0;

  /* Tracks play at the same time. */
  if (info->timescale > 0)
    duration = gst_util_uint64_scale_int (sample->sample.duration, GST_SECOND,
                   (gint) MIN (info->timescale, G_MAXINT)) /
        self->movie->n_protected;
  if (decrypt_crypto_sample (work->crypto, &info->track, sample->params,
          &sample->aux, work->get_use (duration, work->user_data),
          block->in + pos, block->out + pos, sample->sample.size, error))
    return TRUE;
  if (error && g_error_matches (*error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT))
    g_prefix_error (error, "track %u, sample %u at %" G_GUINT64_FORMAT ": ",
        get_track_id (self->movie, sample->track), sample->index + 1,
        sample->sample.offset);
  return FALSE;
}

static gboolean
is_header (const BmffBox *box)
{
  return box->type == BMFF_FOURCC ('p', 's', 's', 'h') ||
      (box->type == BMFF_FOURCC ('u', 'u', 'i', 'd') &&
          memcmp (box->uuid, CENC_PIFF_PSSH_UUID, sizeof box->uuid) == 0);
}

/* One that is broken is not what decrypting needs. */
static void
tell_headers_of (const BmffBox *parent, const gchar *origin,
    const DecryptWork *work)
{
  guint i;

  for (i = 0; parent->children && i < parent->children->len; i++) {
    const BmffBox *box = g_ptr_array_index (parent->children, i);
    g_autoptr (CencPssh) pssh =
        is_header (box) ? cenc_pssh_parse (box, NULL) : NULL;

    if (pssh) {
      g_autoptr (GBytes) bytes = bmff_box_to_bytes (box);

      work->take_header (pssh->system_id, bytes, origin, work->user_data);
    }
  }
}

static void
tell_headers (DecryptSpan *self, const DecryptWork *work)
{
  if (self->headers_told)
    return;
  self->headers_told = TRUE;
  tell_headers_of (self->movie->movie->moov, "isobmff/moov", work);
  if (self->fragment)
    tell_headers_of (self->fragment->moof, "isobmff/moof", work);
}

static gboolean
process_block (DecryptSpan *self, const DecryptBlock *block,
    const DecryptWork *work, GError **error)
{
  guint64 end = block->offset + block->size, done = block->offset;
  CencSampleCursor cursor;
  CencIndexedSample sample;
  GError *failed = NULL;

  cenc_sample_cursor_init (&cursor, self->index, block->offset);
  while (cenc_sample_cursor_next (&cursor, end, &sample, &failed)) {
    guint64 sample_end = sample.sample.offset + sample.sample.size;

    if (!sample.params || sample.sample.offset < block->offset ||
        sample_end > end)
      continue;
    copy_until (block, &done, sample.sample.offset);
    tell_headers (self, work);
    if (!process_sample (self, block, &sample, work, error))
      return FALSE;
    /* One without bytes may stand amid others that came before it. */
    done = MAX (done, sample_end);
  }
  if (failed) {
    g_propagate_error (error, failed);
    return FALSE;
  }
  copy_until (block, &done, end);
  return TRUE;
}

gboolean
decrypt_span_process (DecryptSpan *self, const DecryptBlock *block,
    const DecryptWork *work, GError **error)
{
  gboolean ok = process_block (self, block, work, error);

  decrypt_crypto_rest (work->crypto);
  return ok;
}
