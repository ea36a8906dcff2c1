/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan over sources and clips that the input describes, laid out, and the output's
 * boxes read again: refused with an error, or every table says what the plan says,
 * every sample is the source's own bytes, each picture of a clip is shown once and
 * at its time, and sound lies within half a frame of it.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <gst/gst.h>

#include "plan-source.h"
#include "smilremix/remix-error.h"
#include "smilremix/remix-layout.h"

#define MAX_SOURCES 3
#define MAX_CLIPS 6
#define PICTURE_SIZE 16

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  RemixMovie *movies[MAX_SOURCES];
  guint n_sources;
  guint clip_sources[MAX_CLIPS];
  guint n_clips;
  gboolean sane; /* of all sources */
  gboolean simple; /* clips of one source each, one behind the other */
  RemixPlanOptions options;
  RemixLayoutOptions layout_options;
  gboolean encoder_fails;
  const RemixPlan *plan;
  const RemixLayout *layout;
} Case;

/* The first time behind @after at which a picture of @split is shown. */
static gint64
find_next (const RemixStream *stream, const RemixSplit *split, gint64 after,
    RemixStreamSample *sample)
{
  RemixStreamCursor cursor;
  gint64 next = split->to;

  remix_stream_cursor_init (&cursor, stream, split->first);
  while (
      cursor.next < split->stop && remix_stream_cursor_next (&cursor, sample)) {
    if (sample->pts > after)
      next = MIN (next, sample->pts);
  }
  return next;
}

/* An encoder that only counts. */
static RemixRun *
encode (gpointer user_data, const RemixStream *stream, const RemixSplit *split,
    GError **error)
{
  const Case *self = user_data;
  RemixStreamSample sample = { 0 };
  gint64 pts = find_next (stream, split, split->from - 1, &sample);
  RemixRun *run;

  if (self->encoder_fails || pts >= split->to) {
    /* A cut that leaves nothing is a wrong cut. */
    g_assert (self->encoder_fails || !self->sane);
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_ENCODER, "no encoder");
    return NULL;
  }
  run = remix_run_new ();
  run->format = remix_format_ref (sample.format);
  for (; pts < split->to; pts = find_next (stream, split, pts, &sample)) {
    RemixPicture picture = { run->data->len, PICTURE_SIZE, pts,
      run->pictures->len == 0 };
    static const guint8 bytes[PICTURE_SIZE];

    g_byte_array_append (run->data, bytes, sizeof (bytes));
    g_array_append_val (run->pictures, picture);
  }
  return run;
}

static void
append_times (GString *text, PlanInput *input)
{
  guint what = plan_input_byte (input);
  guint begin = plan_input_below (input, 4096);

  if (what & 1)
    g_string_append_printf (text, " clipBegin='%ums'", begin);
  if (what & 2)
    g_string_append_printf (text, " clipEnd='%ums'",
        begin + 1 + plan_input_below (input, 4096));
  if (what & 4)
    g_string_append (text, " clipMode='sample'");
}

static void
append_clip (Case *self, GString *text, PlanInput *input)
{
  guint what = plan_input_byte (input);
  guint i, n = what >> 4 & 3;

  self->clip_sources[self->n_clips] = plan_input_below (input, self->n_sources);
  g_string_append (text, "<par");
  append_times (text, input);
  g_string_append_printf (text, "><video src='/%u'/>",
      self->clip_sources[self->n_clips++]);
  if (what & 1) {
    self->simple = FALSE;
    g_string_append_printf (text, "<audio src='/%u'/>",
        plan_input_below (input, self->n_sources));
  }
  for (i = 0; (what & 2) && i < n; i++)
    g_string_append_printf (text,
        "<ConditioningInfo startOffset='PT%u.%03uS'/>",
        plan_input_below (input, 4), plan_input_below (input, 1000));
  if (what & 4)
    g_string_append_printf (text,
        "<EventStream schemeIdUri='a' timescale='%u'><Event "
        "presentationTime='%u' duration='%u'/></EventStream>",
        1 + plan_input_below (input, 60000), plan_input_below (input, 60000),
        plan_input_below (input, 60000));
  g_string_append (text, "</par>");
}

static RemixPlaylist *
make_playlist (Case *self, PlanInput *input)
{
  g_autoptr (GString) text = g_string_new ("<smil><body>");
  guint n = 1 + plan_input_below (input, MAX_CLIPS), i;

  for (i = 0; i < n; i++)
    append_clip (self, text, input);
  g_string_append (text, "</body></smil>");
  g_debug ("%s", text->str);
  return remix_playlist_parse (text->str, text->len, "file:///b", FALSE, NULL);
}

static const RemixOutput *
get_output (const Case *self, guint i)
{
  return g_ptr_array_index (self->plan->outputs, i);
}

static const RemixSample *
get_sample (const RemixOutput *output, guint32 i)
{
  return &g_array_index (output->samples, RemixSample, i);
}

/* The output with zeros for samples, as a player would read its boxes. */
static RemixMovie *
reload (const Case *self)
{
  static const RemixMovieLimits limits = { 64 << 20, REMIX_MAX_SAMPLES };
  const RemixLayout *layout = self->layout;
  guint8 *data = g_malloc0 (layout->size);
  g_autoptr (GBytes) bytes = g_bytes_new_take (data, layout->size);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (bytes, 0);
  g_autoptr (GError) error = NULL;
  RemixMovie *movie;
  guint64 offset, left;

  for (offset = 0; offset < layout->size; offset += left) {
    const RemixExtent *extent = remix_layout_find (layout, offset, &left);

    g_assert (extent->offset == offset && left > 0);
    if (extent->source == REMIX_SOURCE_BOXES)
      memcpy (data + offset, layout->boxes->data + extent->source_offset, left);
  }
  movie = remix_movie_load (source, "file:///o", 0, &limits, &error);
  g_assert_no_error (error);
  return movie;
}

/* The bytes at @offset of the output are those of @sample. */
static void
check_place (const Case *self, const RemixOutput *output,
    const RemixSample *sample, guint64 offset)
{
  const RemixPrefix *prefix = remix_output_get_prefix (output, sample);
  guint64 left, prefix_size = prefix ? prefix->size : 0;
  const RemixExtent *extent;

  if (sample->size == 0)
    return;
  g_assert (offset + sample->size <= self->layout->size);
  if (prefix) {
    extent = remix_layout_find (self->layout, offset, &left);
    g_assert (
        extent->source == REMIX_SOURCE_MEMORY || remix_extent_is_sets (extent));
    g_assert (left >= prefix_size);
    g_assert (
        extent->source_offset + (offset - extent->offset) == prefix->offset);
  }
  if (sample->size == prefix_size)
    return;
  offset += prefix_size;
  extent = remix_layout_find (self->layout, offset, &left);
  g_assert (extent->source == sample->source);
  g_assert (left >= sample->size - prefix_size);
  g_assert (
      extent->source_offset + (offset - extent->offset) == sample->offset);
}

/* What was read of a track is what was planned. */
static void
check_track (const Case *self, const RemixOutput *output,
    const RemixTrack *track)
{
  gboolean fragmented = self->layout_options.fragment_duration > 0;
  BmffSampleCursor cursor;
  BmffSample found;
  guint64 dts = 0;
  guint32 i = 0;

  g_assert (
      bmff_sample_table_get_count (track->samples) == output->samples->len);
  g_assert (track->timescale == output->timescale);
  bmff_sample_cursor_init (&cursor, track->samples, 0);
  for (; bmff_sample_cursor_next (&cursor, &found); i++) {
    const RemixSample *sample = get_sample (output, i);

    g_assert (found.dts == dts && found.duration == sample->duration);
    g_assert (found.composition_offset == sample->composition);
    g_assert (found.size == sample->size);
    /* What is behind the title's duration need not be listed. */
    if (found.flags & BMFF_SAMPLE_IS_NON_SYNC)
      g_assert (!sample->sync || (!fragmented && dts >= output->duration));
    else
      g_assert (sample->sync);
    g_assert (found.description_index ==
        remix_output_get_description (output, sample) + 1);
    check_place (self, output, sample, found.offset);
    dts += sample->duration;
  }
  /* One edit, whose media time is what hides the start. */
  g_assert (track->shift == -(gint64) output->media_time);
}

static gint
compare_offsets (gconstpointer a, gconstpointer b)
{
  const BmffSample *x = a, *y = b;

  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* No two samples of any tracks share a byte. */
static void
check_overlap (const RemixMovie *movie)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (BmffSample));
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    const RemixTrack *track = g_ptr_array_index (movie->tracks, i);
    BmffSampleCursor cursor;
    BmffSample sample;

    bmff_sample_cursor_init (&cursor, track->samples, 0);
    while (bmff_sample_cursor_next (&cursor, &sample)) {
      if (sample.size > 0)
        g_array_append_val (all, sample);
    }
  }
  g_array_sort (all, compare_offsets);
  for (i = 1; i < all->len; i++) {
    const BmffSample *last = &g_array_index (all, BmffSample, i - 1);

    g_assert (
        last->offset + last->size <= g_array_index (all, BmffSample, i).offset);
  }
}

static void
check_file (const Case *self)
{
  RemixMovie *movie;
  guint i, n = 0;

  /* Half a tick of a coarse timescale, as the reader counts an edit: nothing. */
  for (i = 0; i < self->plan->outputs->len; i++) {
    if (get_output (self, i)->duration == 0)
      return;
  }
  movie = reload (self);
  for (i = 0; i < self->plan->outputs->len; i++) {
    const RemixOutput *output = get_output (self, i);

    /* The reader knows no events. */
    if (output->kind == REMIX_KIND_OTHER || output->samples->len == 0)
      continue;
    g_assert (n < movie->tracks->len);
    check_track (self, output, g_ptr_array_index (movie->tracks, n));
    n++;
  }
  g_assert (n == movie->tracks->len);
  check_overlap (movie);
  remix_movie_free (movie);
}

static void
check_output (const RemixOutput *output)
{
  guint64 duration = 0;
  guint32 i;

  g_debug ("%s: %u samples, %" G_GUINT64_FORMAT " from %" G_GUINT64_FORMAT
           " of %" G_GUINT64_FORMAT " in 1/%u s",
      remix_kind_to_string (output->kind), output->samples->len,
      output->duration, output->media_time, output->media_duration,
      output->timescale);
  for (i = 0; i < output->samples->len; i++) {
    const RemixSample *sample = get_sample (output, i);

    g_assert (sample->description < output->formats->len);
    g_assert (sample->composition >= 0);
    g_assert (sample->duration > 0);
    g_assert (i > 0 || sample->sync);
    duration += sample->duration;
  }
  g_assert (duration == output->media_duration);
  g_assert (output->clip_starts->len > 0);
}

/* When what @sample stands for is shown in its source, in seconds, and when it is
 * decoded. FALSE: silence. */
static gboolean
find_source_time (const Case *self, const RemixSample *sample, gdouble *pts,
    gdouble *dts, guint *source)
{
  const RemixTrack *track;
  BmffSample found;
  guint id = (guint) (sample->offset >> 36);

  *source = sample->source;
  if (sample->source == REMIX_SOURCE_MEMORY)
    return FALSE;
  g_assert (sample->source < self->n_sources && id > 0);
  track = g_ptr_array_index (self->movies[sample->source]->tracks, id - 1);
  g_assert (bmff_sample_table_get (track->samples,
      (guint32) (sample->offset >> 12 & 0xffffff), &found));
  g_assert (found.offset == sample->offset);
  *dts = (gdouble) ((gint64) found.dts + track->shift) / track->timescale;
  *pts = *dts + (gdouble) found.composition_offset / track->timescale;
  return TRUE;
}

static gdouble
get_clip_time (const Case *self, guint clip)
{
  return (gdouble) g_array_index (self->plan->clip_times, guint64, clip) /
      get_output (self, self->plan->leader)->timescale;
}

/* What is the time of the source when @clip begins, as the first picture of its own
 * tells; FALSE if there is none. All others have to tell the same. */
static gboolean
check_pictures (const Case *self, guint clip, gdouble *begin)
{
  const RemixOutput *output = get_output (self, self->plan->leader);
  gdouble from = get_clip_time (self, clip);
  gdouble to = get_clip_time (self, clip + 1);
  gdouble tick = 1.0 / output->timescale;
  gint64 dts = 0;
  gboolean has_begin = FALSE;
  guint32 i;

  for (i = 0; i < output->samples->len; i++) {
    const RemixSample *sample = get_sample (output, i);
    gdouble time =
        (gdouble) (dts + sample->composition - (gint64) output->media_time) /
        output->timescale;
    gdouble pts, source_dts;
    guint source;

    dts += sample->duration;
    if (time < from - tick / 2 || time >= to - tick / 2 ||
        !find_source_time (self, sample, &pts, &source_dts, &source))
      continue;
    g_debug ("clip %u from %f to %f: picture at %f of source %u at %f", clip,
        from, to, time, source, pts);
    g_assert (!self->simple || source == self->clip_sources[clip]);
    if (!has_begin)
      *begin = pts - (time - from);
    g_assert (ABS (pts - (time - from) - *begin) < 3 * tick);
    has_begin = TRUE;
  }
  return has_begin;
}

static void
check_sound (const Case *self, const RemixOutput *output, guint clip,
    gdouble begin)
{
  gdouble from = get_clip_time (self, clip);
  gdouble to = get_clip_time (self, clip + 1);
  gint64 dts = -(gint64) output->media_time;
  guint32 i;

  for (i = 0; i < output->samples->len; i++) {
    const RemixSample *sample = get_sample (output, i);
    gdouble time = (gdouble) dts / output->timescale;
    gdouble frame = (gdouble) sample->duration / output->timescale;
    gdouble pts, source_dts;
    guint source;

    dts += sample->duration;
    /* Whose middle is at a join may belong to either clip, as numbers are rounded. */
    if (time + frame / 2 < from + 1e-6 || time + frame / 2 > to - 1e-6 ||
        !find_source_time (self, sample, &pts, &source_dts, &source))
      continue;
    /* Times in ms, of source and playlist, are rounded. */
    if (source == self->clip_sources[clip])
      g_assert (ABS (pts - begin - (time - from)) <= frame / 2 + 0.0021);
  }
}

static void
check_clips (const Case *self)
{
  guint i, j;

  for (i = 0; self->sane && i < self->n_clips; i++) {
    gdouble begin = 0;

    if (get_output (self, self->plan->leader)->kind != REMIX_KIND_VIDEO ||
        !check_pictures (self, i, &begin))
      continue;
    for (j = 0; self->simple && j < self->plan->outputs->len; j++) {
      if (get_output (self, j)->kind == REMIX_KIND_AUDIO)
        check_sound (self, get_output (self, j), i, begin);
    }
  }
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  const gint64 *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* Pictures come one after the other from the title's start to its end, and a
 * conditioning point has a sync sample. */
static void
check_times (const Case *self)
{
  const RemixOutput *output = get_output (self, self->plan->leader);
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) syncs = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 dts = 0;
  guint32 i;

  for (i = 0; i < output->samples->len; i++) {
    const RemixSample *sample = get_sample (output, i);
    gint64 time = dts + sample->composition - (gint64) output->media_time;

    g_array_append_val (times, time);
    if (sample->sync)
      g_array_append_val (syncs, time);
    dts += sample->duration;
  }
  g_array_sort (times, compare_times);
  g_array_sort (syncs, compare_times);
  for (i = 0; i < self->plan->conditions->len; i++)
    g_assert (g_array_binary_search (syncs,
        &g_array_index (self->plan->conditions, gint64, i), compare_times,
        NULL));
  if (output->kind != REMIX_KIND_VIDEO || !self->sane)
    return;
  g_assert (g_array_binary_search (times, &(gint64){ 0 }, compare_times, NULL));
  for (i = 1; i < times->len; i++)
    g_assert (g_array_index (times, gint64, i) >
        g_array_index (times, gint64, i - 1));
}

static void
read_options (Case *self, PlanInput *input, const RemixEncoder *encoder)
{
  guint flags = plan_input_byte (input);

  self->layout_options.fragment_duration =
      (flags & 1) ? (1 + plan_input_byte (input)) * 10000000ull : 0;
  self->options.strict = (flags & 2) != 0;
  self->options.in_band = (flags & 4) != 0;
  self->options.fragmented = (flags & 1) != 0;
  self->options.encoder = (flags & 8) ? NULL : encoder;
  self->options.max_samples = 20000;
  self->encoder_fails = (flags & 0x30) == 0x30;
}

static void
run (Case *self, const RemixPlaylist *playlist, GHashTable *movies)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RemixPlan) plan =
      remix_plan_new (playlist, movies, &self->options, &error);
  g_autoptr (RemixLayout) layout = NULL;
  guint i;

  g_assert ((plan == NULL) == (error != NULL));
  if (!plan)
    return;
  self->plan = plan;
  for (i = 0; i < plan->outputs->len; i++)
    check_output (get_output (self, i));
  check_times (self);
  check_clips (self);
  layout = remix_layout_new (plan, &self->layout_options, &error);
  g_assert ((layout == NULL) == (error != NULL));
  if (!layout)
    return;
  self->layout = layout;
  check_file (self);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  PlanInput input = { data, size };
  Case self = { { NULL } };
  RemixEncoder encoder = { encode, &self };
  g_autoptr (GHashTable) movies = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (RemixPlaylist) playlist = NULL;
  guint n, i;

  read_options (&self, &input, &encoder);
  self.sane = self.simple = TRUE;
  n = 1 + plan_input_below (&input, MAX_SOURCES);
  for (i = 0; i < n; i++) {
    gboolean sane;
    RemixMovie *movie = plan_source_new (&input, i, &sane);

    if (!movie)
      continue;
    /* Sources are numbered without gaps. */
    if (movie->index != self.n_sources) {
      remix_movie_free (movie);
      continue;
    }
    self.sane = self.sane && sane;
    self.movies[self.n_sources++] = movie;
    g_hash_table_insert (movies, movie->uri, movie);
  }
  if (self.n_sources > 0) {
    playlist = make_playlist (&self, &input);
    g_assert (playlist);
    run (&self, playlist, movies);
  }
  for (i = 0; i < self.n_sources; i++)
    remix_movie_free (self.movies[i]);
  return 0;
}
