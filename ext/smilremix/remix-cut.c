/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-cut.h"

#include <string.h>

#include "remix-error.h"

/* More pictures than this are hardly reordered (H.264, A.3.1: 16 in a buffer). */
#define MAX_REORDERED 32

/* One millisecond: the precision of times in playlists. */
static gint64
get_tolerance (const RemixStream *stream)
{
  return stream->timescale / 1000;
}

static gint64
resolve_time (const RemixTime *time, const RemixStream *stream)
{
  guint64 ticks = remix_time_to_ticks (time, stream->timescale);
  gint64 value = (gint64) MIN (ticks, (guint64) G_MAXINT64 / 4);

  if (!time->wallclock && stream->fragmented)
    value += stream->start;
  return value;
}

static gboolean
set_range_error (const RemixStream *stream, gint64 begin, gint64 end,
    GError **error)
{
  g_autofree gchar *b = remix_ticks_to_string (begin, stream->timescale);
  g_autofree gchar *e = remix_ticks_to_string (end, stream->timescale);
  g_autofree gchar *start =
      remix_ticks_to_string (stream->start, stream->timescale);
  g_autofree gchar *stop =
      remix_ticks_to_string (stream->end, stream->timescale);

  g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
      "nothing lies between %s s and %s s: the %s goes from %s s to %s s", b, e,
      remix_kind_to_string (stream->kind), start, stop);
  return FALSE;
}

gboolean
remix_range_resolve (const RemixRange *range, const RemixStream *stream,
    gint64 *begin, gint64 *end, GError **error)
{
  gint64 tolerance = get_tolerance (stream);

  *begin =
      range->has_begin ? resolve_time (&range->begin, stream) : stream->start;
  *end = range->has_end ? resolve_time (&range->end, stream) : stream->end;
  if (*begin + tolerance >= stream->end || *end <= stream->start ||
      *begin >= *end)
    return set_range_error (stream, *begin, *end, error);
  *begin = MAX (*begin, stream->start);
  if (*end + tolerance >= stream->end)
    *end = stream->end;
  return TRUE;
}

/* What a look at the frames around a time tells. */
typedef struct
{
  gint64 at; /* the last pts at or before the time */
  gint64 next; /* the first pts after it; G_MAXINT64 if there is none */
  guint32
      needed; /* index behind the last sample that is shown before the time */
  gboolean
      overhang; /* a sample in front of @needed is shown at or after the time */
} Around;

/* Goes through the GOP that @pts lies in, and the leading pictures of the next. */
static void
look_around (const RemixStream *stream, gint64 pts, Around *self)
{
  guint32 n = remix_stream_find_sync (stream, pts);
  RemixSync sync = remix_stream_get_sync (stream, n);
  guint32 stop = stream->n_samples, later = 0;
  RemixStreamCursor cursor;
  RemixStreamSample sample;
  gboolean seen_later = FALSE;

  if (n + 1 < stream->n_syncs) {
    RemixSync following = remix_stream_get_sync (stream, n + 1);

    stop = following.index + 1 + following.n_leading;
  }
  self->at = G_MININT64;
  self->next = G_MAXINT64;
  self->needed = sync.index;
  remix_stream_cursor_init (&cursor, stream, sync.index);
  while (cursor.next < stop && remix_stream_cursor_next (&cursor, &sample)) {
    if (sample.pts <= pts)
      self->at = MAX (self->at, sample.pts);
    else
      self->next = MIN (self->next, sample.pts);
    if (sample.pts < pts)
      self->needed = cursor.next;
    else if (!seen_later) {
      seen_later = TRUE;
      later = cursor.next - 1;
    }
  }
  self->overhang = seen_later && later < self->needed;
}

gint64
remix_cut_find_frame (const RemixStream *stream, gint64 pts)
{
  Around around;

  look_around (stream, pts + get_tolerance (stream), &around);
  return around.at == G_MININT64 ? around.next : around.at;
}

static gboolean
fall_back (const RemixCutOptions *options, const RemixStream *stream,
    gint64 time, const gchar *name, GPtrArray *warnings, GError **error)
{
  g_autofree gchar *at = remix_ticks_to_string (time, stream->timescale);

  if (options->strict) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
        "%s at %s s is not on a keyframe, and cannot be exact here without "
        "encoding",
        name, at);
    return FALSE;
  }
  g_ptr_array_add (warnings,
      g_strdup_printf ("%s at %s s cannot be exact here without encoding: it "
                       "goes back to the keyframe",
          name, at));
  return TRUE;
}

static void
start_at_sync (RemixCut *self, const RemixSync *sync)
{
  self->first = sync->index;
  self->n_skipped = sync->n_leading;
  self->first_pts = sync->pts;
  self->begin = sync->pts;
}

/* The GOP of sync sample @n from @frame on; the source's own samples start with
 * the next one. FALSE if that has leading pictures: it is no point at which a
 * decoder forgets what was before, and what was encoded would disturb it. */
static gboolean
split_begin (RemixCut *self, const RemixStream *stream, guint32 n, gint64 frame)
{
  RemixSync next = { stream->n_samples, 0, stream->end };

  if (n + 1 < stream->n_syncs)
    next = remix_stream_get_sync (stream, n + 1);
  if (next.n_leading > 0)
    return FALSE;
  self->head.first = remix_stream_get_sync (stream, n).index;
  self->head.stop = next.index;
  self->head.from = frame;
  self->head.to = next.pts;
  start_at_sync (self, &next);
  self->begin = self->first_pts = frame;
  return TRUE;
}

static gboolean
cut_begin (RemixCut *self, const RemixStream *stream, RemixClipMode mode,
    gint64 begin, const RemixCutOptions *options, GPtrArray *warnings,
    GError **error)
{
  guint32 n = remix_stream_find_sync (stream, begin + get_tolerance (stream));
  RemixSync sync = remix_stream_get_sync (stream, n);
  gint64 frame;

  start_at_sync (self, &sync);
  /* What the source's own edit list hides is not shown at the title's start. */
  if (mode != REMIX_CLIP_SAMPLE &&
      !(options->can_hide_head && sync.pts < stream->start))
    return TRUE;
  frame = remix_cut_find_frame (stream, begin);
  if (frame <= sync.pts)
    return TRUE;
  if (options->can_hide_head) {
    self->begin = frame;
    return TRUE;
  }
  if (options->can_encode && split_begin (self, stream, n, frame))
    return TRUE;
  return fall_back (options, stream, begin, "clipBegin", warnings, error);
}

/* When the last picture ends, whatever the edit list hides. */
static gint64
get_natural_end (const RemixStream *stream)
{
  RemixStreamCursor cursor;
  RemixStreamSample sample;
  gint64 end = stream->end;

  remix_stream_cursor_init (&cursor, stream,
      remix_stream_get_sync (stream, stream->n_syncs - 1).index);
  while (remix_stream_cursor_next (&cursor, &sample))
    end = MAX (end, sample.pts + sample.duration);
  return end;
}

/* All that the stream has. Samples behind the edit list's end are dropped as far
 * as no other needs them. */
static void
end_with_stream (RemixCut *self, const RemixStream *stream)
{
  Around around;

  look_around (stream, stream->end, &around);
  /* A last sample that has no duration is shown at the end, and is the stream's. */
  self->last = get_natural_end (stream) == stream->end ? stream->n_samples
                                                       : around.needed;
  self->has_tail = around.overhang;
  self->end = stream->end;
}

static gboolean
end_at_sync (RemixCut *self, const RemixStream *stream, gint64 end,
    GPtrArray *warnings, GError **error)
{
  RemixSync sync = remix_stream_get_sync (stream,
      remix_stream_find_sync (stream, end + get_tolerance (stream)));
  Around around;

  self->last = sync.index;
  self->end = sync.pts;
  if (sync.pts <= self->begin) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
        "nothing is left: clipBegin and clipEnd go back to the same keyframe");
    return FALSE;
  }
  if (sync.n_leading == 0)
    return TRUE;
  look_around (stream, sync.pts, &around);
  self->last = sync.index + 1 + sync.n_leading;
  self->end = around.next == G_MAXINT64 ? stream->end : around.next;
  g_ptr_array_add (warnings,
      g_strdup (
          "clipEnd is at an open GOP: the clip is longer by its keyframe, "
          "which the pictures in front of it need"));
  return TRUE;
}

static gboolean
has_head (const RemixCut *self)
{
  return self->head.from < self->head.to;
}

/* The last sync sample that is shown before @boundary begins what is encoded. FALSE
 * if its leading pictures would be left without it. */
static gboolean
split_end (RemixCut *self, const RemixStream *stream, gint64 boundary,
    const Around *around)
{
  RemixSync sync = remix_stream_get_sync (stream,
      remix_stream_find_sync (stream, boundary - 1));

  if (sync.n_leading > 0 && self->first < sync.index)
    return FALSE;
  self->end = boundary;
  self->last = self->tail.first = sync.index;
  self->tail.stop = around->needed;
  self->tail.from = sync.pts;
  self->tail.to = boundary;
  if (self->first >= sync.index) {
    /* No sample stays: what would be hidden is not there. */
    self->last = self->first;
    self->tail.from = MAX (sync.pts, self->begin);
    self->first_pts = MAX (self->first_pts, self->begin);
  }
  return TRUE;
}

/* A clip that ends where its head would: nothing of the source stays. */
static void
end_in_head (RemixCut *self)
{
  self->head.to = self->end;
  self->last = self->first;
  self->tail.from = self->tail.to = 0;
  self->has_tail = FALSE;
}

/* Ends at the first frame behind the stream's end in front of which no sample needs
 * one from behind it. */
static void
end_behind_stream (RemixCut *self, const RemixStream *stream)
{
  Around around;
  guint i;

  self->end = stream->end;
  self->has_tail = FALSE;
  for (i = 0; i < MAX_REORDERED; i++) {
    look_around (stream, self->end, &around);
    self->last = around.needed;
    if (!around.overhang)
      return;
    if (around.next == G_MAXINT64)
      break;
    self->end = around.next;
  }
  self->last = stream->n_samples;
  self->end = get_natural_end (stream);
}

/* The edit list ends the stream in front of samples that others need. */
static void
end_in_overhang (RemixCut *self, const RemixStream *stream, RemixClipMode mode,
    const RemixCutOptions *options, GPtrArray *warnings)
{
  Around around;

  look_around (stream, stream->end, &around);
  if (mode == REMIX_CLIP_SAMPLE && options->can_encode &&
      split_end (self, stream, stream->end, &around)) {
    self->has_tail = FALSE;
    return;
  }
  end_behind_stream (self, stream);
  if (warnings)
    g_ptr_array_add (warnings,
        g_strdup ("the source's edit list ends among pictures that need each "
                  "other: the clip is longer by some that it hides"));
}

static gboolean
cut_end (RemixCut *self, const RemixStream *stream, RemixClipMode mode,
    gint64 end, const RemixCutOptions *options, GPtrArray *warnings,
    GError **error)
{
  Around around;
  gint64 boundary;

  if (end >= stream->end) {
    end_with_stream (self, stream);
    if (self->has_tail && !options->can_hide_tail)
      end_in_overhang (self, stream, mode, options, warnings);
    return TRUE;
  }
  if (mode != REMIX_CLIP_SAMPLE)
    return end_at_sync (self, stream, end, warnings, error);
  boundary = remix_cut_find_frame (stream, end);
  if (boundary < end - get_tolerance (stream)) {
    look_around (stream, boundary, &around);
    boundary = around.next == G_MAXINT64 ? stream->end : around.next;
  }
  look_around (stream, boundary, &around);
  if ((around.needed <= self->first && !has_head (self)) ||
      boundary <= self->begin) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
        "nothing is left: no frame between clipBegin and clipEnd");
    return FALSE;
  }
  if (around.overhang && !options->can_hide_tail && options->can_encode &&
      split_end (self, stream, boundary, &around))
    return TRUE;
  if (around.overhang && !options->can_hide_tail)
    return fall_back (options, stream, end, "clipEnd", warnings, error) &&
        end_at_sync (self, stream, end, warnings, error);
  self->last = around.needed;
  self->end = boundary;
  self->has_tail = around.overhang;
  return TRUE;
}

static gboolean
cut_between (RemixCut *self, const RemixStream *stream, RemixClipMode mode,
    gint64 begin, gint64 end, const RemixCutOptions *options,
    GPtrArray *warnings, GError **error)
{
  memset (self, 0, sizeof (*self));
  if (!cut_begin (self, stream, mode, begin, options, warnings, error) ||
      !cut_end (self, stream, mode, end, options, warnings, error))
    return FALSE;
  if (has_head (self) && self->end <= self->head.to)
    end_in_head (self);
  if (self->begin < self->end)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
      "nothing is left: its first keyframe is shown behind its end");
  return FALSE;
}

gboolean
remix_cut_video (RemixCut *self, const RemixStream *stream,
    const RemixRange *range, const RemixCutOptions *options,
    GPtrArray *warnings, GError **error)
{
  gint64 begin, end;

  if (!remix_range_resolve (range, stream, &begin, &end, error) ||
      !cut_between (self, stream, range->mode, begin, end, options, warnings,
          error))
    return FALSE;
  if (self->n_skipped > 0 && !options->can_hide_head)
    g_ptr_array_add (warnings,
        g_strdup (
            "the clip starts at an open GOP: its keyframe need not make a "
            "decoder forget what was before, and pictures around the "
            "join may be lost"));
  return TRUE;
}

gboolean
remix_cut_exactly (RemixCut *self, const RemixStream *stream, gint64 begin,
    gint64 end, const RemixCutOptions *options, GError **error)
{
  RemixCutOptions own = *options;

  own.strict = TRUE;
  if (!cut_between (self, stream, REMIX_CLIP_SAMPLE, begin, end, &own, NULL,
          error))
    return FALSE;
  if (self->begin == begin && self->end == end)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
      "its frames are too close to each other");
  return FALSE;
}

/* Half of the shortest distance that frames plausibly have here. */
static gint64
get_half_frame (const RemixStream *stream)
{
  guint32 index = MIN (1, stream->n_samples - 1);
  RemixStreamCursor cursor;
  RemixStreamSample sample = { 0 };

  remix_stream_cursor_init (&cursor, stream, index);
  remix_stream_cursor_next (&cursor, &sample);
  return sample.duration / 2;
}

gboolean
remix_cut_follow (RemixCut *self, const RemixStream *stream,
    const RemixCut *leader, guint32 timescale, GError **error)
{
  gint64 half = get_half_frame (stream);
  gint64 first =
      remix_rescale (leader->first_pts, timescale, stream->timescale);
  gint64 begin = remix_rescale (leader->begin, timescale, stream->timescale);
  gint64 end = remix_rescale (leader->end, timescale, stream->timescale);
  RemixSync sync = remix_stream_get_sync (stream,
      remix_stream_find_sync (stream, first + half));
  Around around;

  memset (self, 0, sizeof (*self));
  start_at_sync (self, &sync);
  self->begin = MAX (begin, sync.pts);
  look_around (stream, MIN (end, stream->end) - half, &around);
  self->end = end;
  if (end + half >= stream->end)
    end_with_stream (self, stream);
  else {
    look_around (stream, around.next, &around);
    self->last = around.needed;
    self->has_tail = around.overhang;
  }
  if (ABS (sync.pts - first) <= half && !(self->has_tail && !leader->has_tail))
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_MATCH,
      "its video tracks have their keyframes at different times");
  return FALSE;
}
