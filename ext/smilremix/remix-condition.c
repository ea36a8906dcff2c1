/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-condition.h"

#include <gst/gst.h>

#include "remix-error.h"

typedef struct
{
  guint64 time; /* of the title, in the leader's timescale */
  RemixPlace place;
  gchar *reason; /* why there is no keyframe; NULL: nothing was tried */
} Point;

/* A frame that is to become a sync sample, and a point that asks for it. */
typedef struct
{
  gint64 pts;
  Point *point;
} Wish;

static void
point_free (gpointer data)
{
  Point *self = data;

  g_free (self->reason);
  g_free (self);
}

RemixConditions *
remix_conditions_new (void)
{
  RemixConditions *self = g_new0 (RemixConditions, 1);

  self->points = g_ptr_array_new_with_free_func (point_free);
  self->ahead = g_sequence_new (NULL);
  return self;
}

void
remix_conditions_free (RemixConditions *self)
{
  if (!self)
    return;
  g_sequence_free (self->ahead);
  g_ptr_array_unref (self->points);
  g_free (self);
}

static gint
compare_points (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Point *x = a, *y = b;

  return x->time < y->time ? -1 : x->time > y->time;
}

void
remix_conditions_add (RemixConditions *self, const RemixClip *clip,
    guint64 begin, guint32 timescale)
{
  guint i;

  for (i = 0; i < clip->conditions->len; i++) {
    const RemixCondition *condition =
        &g_array_index (clip->conditions, RemixCondition, i);
    Point *point = g_new0 (Point, 1);

    point->time = begin +
        gst_util_uint64_scale_round (condition->offset, timescale, GST_SECOND);
    point->place = condition->place;
    g_ptr_array_add (self->points, point);
    g_sequence_insert_sorted (self->ahead, point, compare_points, NULL);
  }
}

/* Takes out the first point that is shown before @whole ends, and says by which
 * frame. NULL if there is none. */
static Point *
take_point (RemixConditions *self, const RemixStream *stream,
    const RemixCut *whole, const RemixSlot *slot, gint64 *pts)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->ahead);
  Point *point;

  if (g_sequence_iter_is_end (first))
    return NULL;
  point = g_sequence_get (first);
  *pts = whole->begin +
      remix_rescale ((gint64) point->time - (gint64) slot->begin,
          slot->timescale, stream->timescale);
  /* A frame that the next clip begins with is that one's. */
  if (*pts + stream->timescale / 1000 >= whole->end)
    return NULL;
  g_sequence_remove (first);
  *pts = remix_cut_find_frame (stream, *pts);
  return point;
}

static gboolean
is_sync (const RemixStream *stream, gint64 pts)
{
  return remix_stream_get_sync (stream, remix_stream_find_sync (stream, pts))
             .pts == pts;
}

static void
set_reason (Point *point, const GError *error)
{
  g_free (point->reason);
  /* What an exact cut would be told as is not what was asked for. */
  point->reason =
      g_strdup (g_error_matches (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST)
              ? "its GOP or the next one is open"
              : error->message);
}

/* Whether the clip could be cut in two there. */
static gboolean
is_possible (const RemixStream *stream, const RemixCut *whole, gint64 pts,
    Point *point)
{
  static const RemixCutOptions options = { FALSE, TRUE, TRUE, TRUE };
  g_autoptr (GError) error = NULL;
  RemixCutOptions front = { TRUE, FALSE, TRUE, TRUE };
  RemixCut part;

  if (remix_cut_exactly (&part, stream, whole->begin, pts, &front, &error) &&
      remix_cut_exactly (&part, stream, pts, whole->end, &options, &error))
    return TRUE;
  set_reason (point, error);
  return FALSE;
}

/* The frames in the midst of @whole that have to become sync samples. */
static GArray *
list_wishes (RemixConditions *self, const RemixStream *stream,
    const RemixCut *whole, const RemixSlot *slot, gboolean can_encode)
{
  GArray *wishes = g_array_new (FALSE, FALSE, sizeof (Wish));
  Wish wish;

  while ((wish.point = take_point (self, stream, whole, slot, &wish.pts))) {
    const Wish *last =
        wishes->len > 0 ? &g_array_index (wishes, Wish, wishes->len - 1) : NULL;

    if (can_encode && wish.pts > whole->begin && wish.pts < whole->end &&
        !(last && last->pts >= wish.pts) && !is_sync (stream, wish.pts) &&
        is_possible (stream, whole, wish.pts, wish.point))
      g_array_append_val (wishes, wish);
  }
  return wishes;
}

/* FALSE without an error if it cannot be; then each point knows why. */
static gboolean
divide (GArray *splices, const RemixStream *stream, const RemixCut *whole,
    const GArray *wishes, const RemixCutOptions *options,
    const RemixEncoder *encoder, GError **error)
{
  g_autoptr (GArray) points = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GError) local = NULL;
  guint i;

  for (i = 0; i < wishes->len; i++)
    g_array_append_val (points, g_array_index (wishes, Wish, i).pts);
  if (remix_splice_divide (splices, stream, whole, points, options, encoder,
          &local))
    return TRUE;
  g_array_set_size (splices, 0);
  if (!g_error_matches (local, REMIX_ERROR, REMIX_ERROR_ENCODER) &&
      !g_error_matches (local, REMIX_ERROR, REMIX_ERROR_PLAYLIST)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  for (i = 0; i < wishes->len; i++)
    set_reason (g_array_index (wishes, Wish, i).point, local);
  return FALSE;
}

gboolean
remix_conditions_cut (RemixConditions *self, GArray *splices, RemixCut *whole,
    const RemixStream *stream, const RemixRange *range, const RemixSlot *slot,
    const RemixCutOptions *options, const RemixEncoder *encoder,
    GPtrArray *warnings, GError **error)
{
  g_autoptr (GPtrArray) told = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) wishes = NULL;
  GError *local = NULL;
  RemixCutOptions own = *options;
  RemixSplice splice;

  own.can_encode = encoder != NULL;
  if (!remix_cut_video (whole, stream, range, &own, told, error))
    return FALSE;
  wishes = list_wishes (self, stream, whole, slot, encoder != NULL);
  if (wishes->len > 0 &&
      divide (splices, stream, whole, wishes, &own, encoder, &local)) {
    g_ptr_array_extend_and_steal (warnings, g_steal_pointer (&told));
    return TRUE;
  }
  if (local) {
    g_propagate_error (error, local);
    return FALSE;
  }
  if (!remix_splice_cut (&splice, stream, range, options, encoder, warnings,
          error))
    return FALSE;
  *whole = splice.cut;
  g_array_append_val (splices, splice);
  return TRUE;
}

/* A frame of the title. */
typedef struct
{
  gint64 time;
  gboolean sync;
} Frame;

static gint
compare_frames (gconstpointer a, gconstpointer b)
{
  const Frame *x = a, *y = b;

  return x->time < y->time ? -1 : x->time > y->time;
}

/* What the leader shows, in that order. */
static GArray *
list_frames (const RemixOutput *leader)
{
  GArray *frames =
      g_array_sized_new (FALSE, FALSE, sizeof (Frame), leader->samples->len);
  gint64 dts = 0;
  guint32 i;

  for (i = 0; i < leader->samples->len; i++) {
    const RemixSample *sample =
        &g_array_index (leader->samples, RemixSample, i);
    Frame frame = { dts + sample->composition - (gint64) leader->media_time,
      sample->sync };

    if (frame.time >= 0)
      g_array_append_val (frames, frame);
    dts += sample->duration;
  }
  g_array_sort (frames, compare_frames);
  return frames;
}

/* The frame that stands at @time, or starts less than a millisecond later. */
static const Frame *
find_frame (const GArray *frames, guint64 time, guint32 timescale)
{
  guint low = 0, high = frames->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if ((guint64) g_array_index (frames, Frame, middle).time <=
        time + timescale / 1000)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? &g_array_index (frames, Frame, low - 1) : NULL;
}

static gboolean
tell (RemixPlan *plan, const Point *point, const gchar *why, gboolean strict,
    GError **error)
{
  const RemixOutput *leader = g_ptr_array_index (plan->outputs, plan->leader);
  g_autofree gchar *at =
      remix_ticks_to_string ((gint64) MIN (point->time, (guint64) G_MAXINT64),
          leader->timescale);
  g_autofree gchar *text =
      g_strdup_printf ("line %u, column %u: the conditioning point at %s s of "
                       "the title has no keyframe: %s",
          point->place.line, point->place.column, at, why);

  if (!strict) {
    g_ptr_array_add (plan->warnings, g_steal_pointer (&text));
    return TRUE;
  }
  g_set_error_literal (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST, text);
  return FALSE;
}

static gboolean
finish_point (RemixPlan *plan, const Point *point, const GArray *frames,
    gboolean strict, GError **error)
{
  const RemixOutput *leader = g_ptr_array_index (plan->outputs, plan->leader);
  guint32 tolerance = leader->timescale / 1000;
  const Frame *frame = find_frame (frames, point->time, leader->timescale);

  if (point->time > plan->duration + tolerance)
    return tell (plan, point, "it lies behind the end", strict, error);
  /* The end is the end: nobody starts there. */
  if (point->time + tolerance >= plan->duration)
    return TRUE;
  if (!frame || !frame->sync)
    return tell (plan, point,
        point->reason ? point->reason : "none can be made without encoding",
        strict, error);
  g_array_append_val (plan->conditions, frame->time);
  return TRUE;
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

gboolean
remix_conditions_finish (RemixConditions *self, RemixPlan *plan,
    gboolean strict, GError **error)
{
  g_autoptr (GArray) frames = NULL;
  guint i;

  if (self->points->len == 0)
    return TRUE;
  frames = list_frames (g_ptr_array_index (plan->outputs, plan->leader));
  for (i = 0; i < self->points->len; i++) {
    if (!finish_point (plan, g_ptr_array_index (self->points, i), frames,
            strict, error))
      return FALSE;
  }
  g_array_sort (plan->conditions, compare_times);
  return TRUE;
}
