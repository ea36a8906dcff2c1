/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-movie.h"

#include <string.h>

#include <gst/gst.h>

#include "gst/isobmff/bmff-clock.h"
#include "remix-error.h"
#include "remix-time.h"

#define FCC BMFF_FOURCC

static void
track_free (RemixTrack *self)
{
  g_clear_pointer (&self->formats, g_ptr_array_unref);
  g_clear_pointer (&self->samples, bmff_sample_table_unref);
  g_clear_pointer (&self->syncs, g_array_unref);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixTrack, track_free)

void
remix_movie_free (RemixMovie *self)
{
  if (!self)
    return;
  g_free (self->uri);
  g_ptr_array_unref (self->tracks);
  g_ptr_array_unref (self->warnings);
  g_free (self);
}

/* What is known while a source is being read. */
typedef struct
{
  BmffSource *source;
  const RemixMovieLimits *limits;
  guint64 header_bytes; /* moov and moofs so far */
  BmffMovie *movie;
  GPtrArray
      *fragments; /* per track of the movie: GArray of BmffSample, or NULL */
  BmffClock *clock; /* of the movie */
} Loader;

static gboolean set_track_error (const BmffTrack *track, GError **error,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
set_track_error (const BmffTrack *track, GError **error, const gchar *format,
    ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT, "track %u: %s",
      track->id, text);
  return FALSE;
}

typedef struct
{
  guint64 duration; /* in the movie's timescale; 0: to the end */
  gint64 media_time; /* -1: empty */
} Edit;

static gboolean
parse_elst (const BmffBox *elst, GArray *edits, GError **error)
{
  BmffReader reader;
  guint8 version;
  guint32 count, i;

  if (!bmff_box_get_full_reader (elst, &reader, &version, NULL, error))
    return FALSE;
  count = bmff_reader_u32 (&reader);
  if (!bmff_reader_has (&reader, count, version == 1 ? 20 : 12)) {
    bmff_box_set_error (elst, error, BMFF_ERROR_TRUNCATED, "%u edits", count);
    return FALSE;
  }
  for (i = 0; i < count; i++) {
    Edit edit;
    guint32 rate;

    if (version == 1) {
      edit.duration = bmff_reader_u64 (&reader);
      edit.media_time = (gint64) bmff_reader_u64 (&reader);
    } else {
      edit.duration = bmff_reader_u32 (&reader);
      edit.media_time = bmff_reader_s32 (&reader);
    }
    rate = bmff_reader_u32 (&reader);
    if (rate != 0x10000) {
      bmff_box_set_error (elst, error, BMFF_ERROR_UNSUPPORTED,
          "an edit that is not played at normal speed");
      return FALSE;
    }
    g_array_append_val (edits, edit);
  }
  return TRUE;
}

/* Empty edits, then one that shows the media: all that joins can build on. */
static gboolean
apply_edits (RemixTrack *self, const BmffTrack *track, const BmffMovie *movie,
    GError **error)
{
  g_autoptr (GArray) edits = g_array_new (FALSE, FALSE, sizeof (Edit));
  BmffBox *elst = bmff_box_find (track->trak, "edts/elst");
  gint64 delay = 0;
  guint i;

  self->shift = 0;
  self->start = G_MININT64;
  self->end = G_MAXINT64;
  if (!elst)
    return TRUE;
  if (!parse_elst (elst, edits, error))
    return FALSE;
  if (movie->timescale == 0)
    return set_track_error (track, error,
        "an edit list, and a movie timescale of 0");
  for (i = 0; i < edits->len; i++) {
    const Edit *edit = &g_array_index (edits, Edit, i);
    guint64 duration = MIN (edit->duration, (guint64) G_MAXINT64 / 4);

    if (edit->media_time < -1 || edit->media_time > G_MAXINT64 / 4)
      return set_track_error (track, error, "an edit at a negative time");
    if (edit->media_time == -1) {
      delay +=
          remix_rescale ((gint64) duration, movie->timescale, self->timescale);
      continue;
    }
    if (i + 1 < edits->len)
      return set_track_error (track, error,
          "an edit list with several parts; only one can be remixed");
    self->shift = delay - edit->media_time;
    self->start = delay;
    if (duration > 0)
      self->end = delay +
          remix_rescale ((gint64) duration, movie->timescale, self->timescale);
  }
  return TRUE;
}

static gboolean
read_formats (RemixTrack *self, const BmffTrack *track, GError **error)
{
  guint i;

  self->formats =
      g_ptr_array_new_with_free_func ((GDestroyNotify) remix_format_unref);
  for (i = 1; bmff_track_get_entry (track, i); i++) {
    RemixFormat *format = remix_format_new (bmff_track_get_entry (track, i),
        track->handler, error);

    if (!format) {
      g_prefix_error (error, "track %u: ", track->id);
      return FALSE;
    }
    g_ptr_array_add (self->formats, format);
  }
  return TRUE;
}

/* All data has to be in the file: dref entries with flag 1 (8.7.2). */
static gboolean
check_data_references (const BmffTrack *track, GError **error)
{
  BmffBox *dref = bmff_box_find (track->trak, "mdia/minf/dinf/dref");
  BmffReader reader;
  guint32 count, i;

  if (!dref)
    return TRUE;
  bmff_box_get_reader (dref, &reader);
  bmff_reader_skip (&reader, 4);
  count = bmff_reader_u32 (&reader);
  for (i = 0; i < count && bmff_reader_has (&reader, 1, 12); i++) {
    guint32 size = bmff_reader_u32 (&reader);

    bmff_reader_u32 (&reader);
    if (!(bmff_reader_u32 (&reader) & 1))
      return set_track_error (track, error,
          "its samples are in another file (dref), which is not supported");
    if (size < 12 || !bmff_reader_skip (&reader, size - 12))
      break;
  }
  return TRUE;
}

static void
read_tkhd (RemixTrack *self, const BmffTrack *track)
{
  BmffBox *tkhd = bmff_box_child (track->trak, FCC ('t', 'k', 'h', 'd'));
  BmffReader reader;
  guint8 version;

  if (!tkhd || !bmff_box_get_full_reader (tkhd, &reader, &version, NULL, NULL))
    return;
  bmff_reader_skip (&reader, (version == 1 ? 32 : 20) + 16 + 36);
  self->tkhd_width = bmff_reader_u32 (&reader);
  self->tkhd_height = bmff_reader_u32 (&reader);
}

/* Bounds that keep every sum of times below in 63 bits. */
static gboolean
times_are_sane (const BmffSample *sample)
{
  return sample->dts < (guint64) G_MAXINT64 / 4;
}

static void
add_sync (RemixTrack *self, guint32 index, gint64 pts)
{
  RemixSync sync = { index, 0, pts };

  g_array_append_val (self->syncs, sync);
}

/* A sample right behind a sync sample that is shown before it. */
static void
count_leading (RemixTrack *self, guint32 index, gint64 pts)
{
  RemixSync *sync;

  if (self->syncs->len == 0)
    return;
  sync = &g_array_index (self->syncs, RemixSync, self->syncs->len - 1);
  if (pts < sync->pts && index == sync->index + 1 + sync->n_leading)
    sync->n_leading++;
}

/* One walk over all samples: sync samples, and what is seen from when to when. */
static gboolean
survey (RemixTrack *self, const BmffTrack *track, GError **error)
{
  gint64 first = G_MAXINT64, last = G_MININT64;
  BmffSampleCursor cursor;
  BmffSample sample;
  guint32 i;

  if (self->kind == REMIX_KIND_VIDEO)
    self->syncs = g_array_new (FALSE, FALSE, sizeof (RemixSync));
  bmff_sample_cursor_init (&cursor, self->samples, 0);
  for (i = 0; bmff_sample_cursor_next (&cursor, &sample); i++) {
    gint64 pts = (gint64) sample.dts + sample.composition_offset + self->shift;

    if (!times_are_sane (&sample))
      return set_track_error (track, error, "sample %u has an absurd time", i);
    if (sample.description_index == 0 ||
        sample.description_index > self->formats->len)
      return set_track_error (track, error,
          "sample %u refers to sample description %u of %u", i,
          sample.description_index, self->formats->len);
    first = MIN (first, pts);
    last = MAX (last, pts + sample.duration);
    if (!self->syncs)
      continue;
    if (sample.flags & BMFF_SAMPLE_IS_NON_SYNC)
      count_leading (self, i, pts);
    else
      add_sync (self, i, pts);
  }
  if (self->syncs && self->syncs->len == 0)
    return set_track_error (track, error, "it has no sync sample");
  self->start = MAX (self->start, first);
  self->end = MIN (self->end, last);
  if (self->start >= self->end)
    return set_track_error (track, error, "its edit list shows nothing");
  self->bitrate =
      gst_util_uint64_scale (bmff_sample_table_get_total_size (self->samples) *
              8,
          self->timescale, (guint64) MAX (last - first, 1));
  return TRUE;
}

static gboolean
check_count (const Loader *self, const BmffTrack *track, guint64 count,
    GError **error)
{
  if (count <= self->limits->max_samples)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
      "track %u: more than %u samples", track->id, self->limits->max_samples);
  return FALSE;
}

/* From the stbl, the fragments, or one behind the other. NULL without an error
 * if there are none. */
static BmffSampleTable *
collect_samples (const Loader *loader, guint i, const BmffTrack *track,
    GError **error)
{
  GArray *fragments = g_ptr_array_index (loader->fragments, i);
  BmffSampleTable *table = bmff_sample_table_new_from_stbl (track->stbl, error);
  g_autoptr (GArray) all = NULL;
  BmffSampleCursor cursor;
  BmffSample sample;

  if (table &&
      !check_count (loader, track,
          (guint64) bmff_sample_table_get_count (table) +
              (fragments ? fragments->len : 0),
          error))
    g_clear_pointer (&table, bmff_sample_table_unref);
  if (!table || !fragments)
    return table;
  all = g_array_new (FALSE, FALSE, sizeof (BmffSample));
  bmff_sample_cursor_init (&cursor, table, 0);
  while (bmff_sample_cursor_next (&cursor, &sample))
    g_array_append_val (all, sample);
  bmff_sample_table_unref (table);
  g_array_append_vals (all, fragments->data, fragments->len);
  return bmff_sample_table_new_take (g_steal_pointer (&all));
}

static gboolean
add_track (RemixMovie *self, const Loader *loader, guint i, GError **error)
{
  const BmffTrack *track = g_ptr_array_index (loader->movie->tracks, i);
  g_autoptr (RemixTrack) result = g_new0 (RemixTrack, 1);

  result->id = track->id;
  result->handler = track->handler;
  result->kind = remix_kind_from_handler (track->handler);
  result->timescale = track->timescale;
  memcpy (result->language, track->language, sizeof (result->language));
  if (result->kind == REMIX_KIND_OTHER) {
    g_ptr_array_add (self->warnings,
        g_strdup_printf ("%s: track %u (handler %" BMFF_FOURCC_FORMAT
                         ") is left out",
            self->uri, track->id, BMFF_FOURCC_ARGS (track->handler)));
    return TRUE;
  }
  if (result->timescale == 0)
    return set_track_error (track, error, "its timescale is 0");
  result->samples = collect_samples (loader, i, track, error);
  if (!result->samples)
    return FALSE;
  if (bmff_sample_table_get_count (result->samples) == 0)
    return TRUE;
  read_tkhd (result, track);
  if (!check_data_references (track, error) ||
      !read_formats (result, track, error) ||
      !apply_edits (result, track, loader->movie, error))
    return FALSE;
  result->shift += bmff_clock_get_origin (loader->clock, i);
  if (!survey (result, track, error))
    return FALSE;
  g_ptr_array_add (self->tracks, g_steal_pointer (&result));
  return TRUE;
}

static gboolean
count_header (Loader *self, const BmffHeader *header, guint64 offset,
    GError **error)
{
  self->header_bytes += header->size;
  if (header->size > self->limits->max_moov_size ||
      self->header_bytes > self->limits->max_moov_size) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
        "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT
        ": more than %" G_GUINT64_FORMAT " bytes of moov and moof",
        BMFF_FOURCC_ARGS (header->type), offset, self->limits->max_moov_size);
    return FALSE;
  }
  return TRUE;
}

static void
free_samples (gpointer samples)
{
  if (samples) /* a track without fragments has none */
    g_array_unref (samples);
}

static gboolean
load_moov (Loader *self, guint64 offset, GError **error)
{
  BmffBox *moov = bmff_source_read_box (self->source, offset, error);

  if (!moov)
    return FALSE;
  if (self->movie) {
    bmff_box_set_error (moov, error, BMFF_ERROR_INVALID, "a second moov");
    bmff_box_free (moov);
    return FALSE;
  }
  self->movie = bmff_movie_new (moov, error);
  if (!self->movie)
    return FALSE;
  self->fragments = g_ptr_array_new_with_free_func (free_samples);
  g_ptr_array_set_size (self->fragments, (gint) self->movie->tracks->len);
  self->clock = bmff_clock_new (self->movie);
  return TRUE;
}

/* A tfxd tells times that are rounded; the sum of durations shall not drift. */
static void
mend_duration (BmffSample *last, guint64 next)
{
  gint64 drift = (gint64) (next - last->dts - last->duration);

  if (next > last->dts && ABS (drift) <= last->duration / 2)
    last->duration = (guint32) (next - last->dts);
}

static gboolean
append_traf (Loader *self, const BmffTraf *traf, GError **error)
{
  BmffSampleCursor cursor;
  BmffSample sample;
  GArray *samples;
  guint i;

  if (!g_ptr_array_find (self->movie->tracks, traf->track, &i))
    return TRUE;
  if (!g_ptr_array_index (self->fragments, i))
    g_ptr_array_index (self->fragments, i) =
        g_array_new (FALSE, FALSE, sizeof (BmffSample));
  samples = g_ptr_array_index (self->fragments, i);
  if (!check_count (self, traf->track,
          (guint64) samples->len + bmff_sample_table_get_count (traf->samples),
          error))
    return FALSE;
  if (!traf->has_tfdt && samples->len > 0 &&
      bmff_sample_table_get_count (traf->samples) > 0)
    mend_duration (&g_array_index (samples, BmffSample, samples->len - 1),
        traf->decode_time);
  bmff_sample_cursor_init (&cursor, traf->samples, 0);
  while (bmff_sample_cursor_next (&cursor, &sample))
    g_array_append_val (samples, sample);
  return TRUE;
}

static gboolean
load_moof (Loader *self, guint64 offset, GError **error)
{
  g_autoptr (BmffFragment) fragment = NULL;
  BmffBox *moof = bmff_source_read_box (self->source, offset, error);
  guint i;

  if (!moof)
    return FALSE;
  if (!self->movie) {
    bmff_box_set_error (moof, error, BMFF_ERROR_INVALID,
        "a fragment without a moov in front");
    bmff_box_free (moof);
    return FALSE;
  }
  fragment = bmff_fragment_new (moof, self->movie, error);
  if (!fragment)
    return FALSE;
  bmff_clock_enter (self->clock, fragment);
  for (i = 0; i < fragment->trafs->len; i++) {
    if (!append_traf (self, g_ptr_array_index (fragment->trafs, i), error))
      return FALSE;
  }
  return TRUE;
}

/* Walks over the boxes of the file. A progressive file is done with its moov. */
static gboolean
scan (Loader *self, GError **error)
{
  guint64 offset = 0;
  BmffHeader header;
  GError *local = NULL;

  while (bmff_source_read_header (self->source, offset, &header, &local)) {
    if (header.type == FCC ('m', 'o', 'o', 'v')) {
      if (!count_header (self, &header, offset, error) ||
          !load_moov (self, offset, error))
        return FALSE;
      if (!self->movie->fragmented)
        return TRUE;
    } else if (header.type == FCC ('m', 'o', 'o', 'f')) {
      if (!count_header (self, &header, offset, error) ||
          !load_moof (self, offset, error))
        return FALSE;
    }
    if (header.size == 0 || header.size > G_MAXINT64 - offset)
      break;
    offset += header.size;
  }
  if (local) {
    g_propagate_error (error, local);
    return FALSE;
  }
  if (!self->movie) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
        "this is no MP4: it has no moov");
    return FALSE;
  }
  return TRUE;
}

static gboolean
load_tracks (RemixMovie *self, Loader *loader, GError **error)
{
  guint i;

  if (!scan (loader, error))
    return FALSE;
  self->fragmented = loader->movie->fragmented;
  for (i = 0; i < loader->movie->tracks->len; i++) {
    if (!add_track (self, loader, i, error))
      return FALSE;
  }
  if (self->tracks->len == 0) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
        "it has no video, audio or text with samples");
    return FALSE;
  }
  return TRUE;
}

RemixMovie *
remix_movie_load (BmffSource *source, const gchar *uri, guint index,
    const RemixMovieLimits *limits, GError **error)
{
  g_autoptr (RemixMovie) self = g_new0 (RemixMovie, 1);
  Loader loader = { source, limits };
  gboolean ok;

  self->uri = g_strdup (uri);
  self->index = index;
  self->tracks = g_ptr_array_new_with_free_func ((GDestroyNotify) track_free);
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  ok = load_tracks (self, &loader, error);
  g_clear_pointer (&loader.movie, bmff_movie_free);
  g_clear_pointer (&loader.fragments, g_ptr_array_unref);
  g_clear_pointer (&loader.clock, bmff_clock_free);
  if (!ok) {
    g_prefix_error (error, "%s: ", uri);
    return NULL;
  }
  return g_steal_pointer (&self);
}
