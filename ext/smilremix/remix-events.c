/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What clips carry beside media: events become a track of timed metadata, one
 * sample for each stretch of time, with an `emsg` (ISO/IEC 23009-1, 5.10.3.3) or
 * an empty `embe`.
 */

#include <string.h>

#include <gst/gst.h>

#include "gst/isobmff/bmff-writer.h"
#include "remix-build.h"
#include "remix-error.h"

#define FCC BMFF_FOURCC
#define EVENT_URI "urn:mpeg:dash:event:2012"

typedef struct
{
  guint64 time; /* from the title's start, in the leader's timescale */
  guint64 end;
  const RemixEventStream *stream;
  const RemixEvent *event;
} Timed;

static guint32
get_timescale (const RemixPlan *plan)
{
  return ((RemixOutput *) g_ptr_array_index (plan->outputs, plan->leader))
      ->timescale;
}

static gint
compare_timed (gconstpointer a, gconstpointer b)
{
  const Timed *x = a, *y = b;

  return x->time < y->time ? -1 : x->time > y->time;
}

static gboolean
warn (RemixPlan *plan, RemixPlace place, gboolean strict, GError **error,
    const gchar *text)
{
  if (strict) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
        "line %u, column %u: %s", place.line, place.column, text);
    return FALSE;
  }
  g_ptr_array_add (plan->warnings,
      g_strdup_printf ("line %u, column %u: %s", place.line, place.column,
          text));
  return TRUE;
}

/* Times of events count from the start of their clip, as it came to lie. */
static gboolean
list_stream (RemixPlan *plan, const RemixEventStream *stream, guint64 begin,
    gboolean strict, GArray *events, GError **error)
{
  guint32 timescale = get_timescale (plan);
  guint i;

  for (i = 0; i < stream->events->len; i++) {
    const RemixEvent *event = g_ptr_array_index (stream->events, i);
    guint64 offset = gst_util_uint64_scale_round (event->presentation_time,
        timescale, stream->timescale);
    guint64 duration = event->has_duration
        ? gst_util_uint64_scale_round (event->duration, timescale,
              stream->timescale)
        : 0;
    Timed timed = { begin + offset, 0, stream, event };

    if (offset >= plan->duration - MIN (begin, plan->duration)) {
      if (!warn (plan, stream->place, strict, error,
              "an Event lies behind the end of the title"))
        return FALSE;
      continue;
    }
    /* One without a duration is an instant: it still needs a sample to stand in. */
    timed.end = timed.time + CLAMP (duration, 1, plan->duration - timed.time);
    g_array_append_val (events, timed);
  }
  return TRUE;
}

static gboolean
list_events (RemixPlan *plan, const RemixPlaylist *playlist, gboolean strict,
    GArray *events, GError **error)
{
  guint i, j;

  for (i = 0; i < playlist->clips->len; i++) {
    const RemixClip *clip = g_ptr_array_index (playlist->clips, i);
    guint64 begin = g_array_index (plan->clip_times, guint64, i);

    for (j = 0; j < clip->event_streams->len; j++) {
      if (!list_stream (plan, g_ptr_array_index (clip->event_streams, j), begin,
              strict, events, error))
        return FALSE;
    }
  }
  g_array_sort (events, compare_timed);
  return TRUE;
}

static void
write_string (BmffWriter *writer, const gchar *text)
{
  bmff_writer_bytes (writer, (const guint8 *) text, strlen (text) + 1);
}

/* Version 0: the time is a difference to that of the sample, here none. */
static void
write_emsg (BmffWriter *writer, const Timed *timed)
{
  const RemixEvent *event = timed->event;

  bmff_writer_begin_full_box (writer, FCC ('e', 'm', 's', 'g'), 0, 0);
  write_string (writer, timed->stream->scheme_id_uri);
  write_string (writer, timed->stream->value);
  bmff_writer_u32 (writer, timed->stream->timescale);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer,
      event->has_duration ? (guint32) event->duration : G_MAXUINT32);
  bmff_writer_u32 (writer, event->id);
  bmff_writer_bytes (writer, g_bytes_get_data (event->message, NULL),
      g_bytes_get_size (event->message));
  bmff_writer_end_box (writer);
}

/* The `urim` entry, as a format that no source has. */
static RemixFormat *
make_format (GError **error)
{
  BmffWriter *writer = bmff_writer_new (64);
  g_autoptr (BmffBox) entry = NULL;
  g_autoptr (GBytes) bytes = NULL;

  bmff_writer_begin_box (writer, FCC ('u', 'r', 'i', 'm'));
  bmff_writer_zeros (writer, 6);
  bmff_writer_u16 (writer, 1);
  bmff_writer_begin_full_box (writer, FCC ('u', 'r', 'i', ' '), 0, 0);
  write_string (writer, EVENT_URI);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
  bytes = bmff_writer_end (writer);
  entry = bmff_box_parse (bytes, 0, error);
  return entry ? remix_format_new (entry, FCC ('m', 'e', 't', 'a'), error)
               : NULL;
}

static gboolean
append_sample (RemixPlan *plan, RemixBuild *build, BmffWriter *writer,
    guint64 end, GError **error)
{
  g_autoptr (GBytes) bytes = bmff_writer_end (writer);
  guint64 duration = end - (guint64) build->next_dts;
  RemixSample sample = { 0 };

  if (duration > G_MAXUINT32 ||
      plan->memory->len + g_bytes_get_size (bytes) > G_MAXINT32) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
        "the events are too long or too far apart");
    return FALSE;
  }
  sample.offset = plan->memory->len;
  sample.size = (guint32) g_bytes_get_size (bytes);
  sample.duration = (guint32) duration;
  sample.source = REMIX_SOURCE_MEMORY;
  sample.sync = TRUE;
  g_byte_array_append (plan->memory, g_bytes_get_data (bytes, NULL),
      (guint) g_bytes_get_size (bytes));
  build->next_dts = (gint64) end;
  return remix_build_append (build, &sample, error);
}

static gboolean
append_empty (RemixPlan *plan, RemixBuild *build, guint64 end, GError **error)
{
  BmffWriter *writer;

  if (end <= (guint64) build->next_dts)
    return TRUE;
  writer = bmff_writer_new (8);
  bmff_writer_begin_box (writer, FCC ('e', 'm', 'b', 'e'));
  bmff_writer_end_box (writer);
  return append_sample (plan, build, writer, end, error);
}

/* Events of one time share a sample; the next event ends it, even if the one
 * before is not over. */
static gboolean
append_events (RemixPlan *plan, RemixBuild *build, GArray *events,
    GError **error)
{
  guint i = 0;

  while (i < events->len) {
    const Timed *timed = &g_array_index (events, Timed, i);
    BmffWriter *writer;
    guint64 end = timed->end, time = timed->time;

    if (!append_empty (plan, build, time, error))
      return FALSE;
    writer = bmff_writer_new (256);
    for (; i < events->len; i++) {
      timed = &g_array_index (events, Timed, i);
      if (timed->time != time)
        break;
      end = MAX (end, timed->end);
      write_emsg (writer, timed);
    }
    if (i < events->len)
      end = MIN (end, g_array_index (events, Timed, i).time);
    if (!append_sample (plan, build, writer, end, error))
      return FALSE;
  }
  return append_empty (plan, build, plan->duration, error);
}

gboolean
remix_build_events (RemixPlan *plan, const RemixPlaylist *playlist,
    const RemixPlanOptions *options, GError **error)
{
  g_autoptr (GArray) events = g_array_new (FALSE, FALSE, sizeof (Timed));
  RemixBuild build = { 0 };
  RemixFormat *format;

  if (!list_events (plan, playlist, options->strict, events, error))
    return FALSE;
  if (events->len == 0)
    return TRUE;
  format = make_format (error);
  if (!format)
    return FALSE;
  build.max_samples = options->max_samples;
  build.output = remix_plan_add_output (plan, REMIX_KIND_OTHER,
      FCC ('m', 'e', 't', 'a'), get_timescale (plan));
  g_ptr_array_add (build.output->formats, format);
  g_array_set_size (build.output->clip_starts, playlist->clips->len);
  build.output->duration = plan->duration;
  return append_events (plan, &build, events, error);
}
