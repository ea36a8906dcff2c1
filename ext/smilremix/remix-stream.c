/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-stream.h"

#include "remix-error.h"
#include "remix-time.h"

RemixStream *
remix_stream_new (void)
{
  RemixStream *self = g_new0 (RemixStream, 1);

  self->pieces = g_array_new (FALSE, FALSE, sizeof (RemixPiece));
  return self;
}

void
remix_stream_free (RemixStream *self)
{
  if (!self)
    return;
  g_array_unref (self->pieces);
  g_free (self);
}

static const RemixPiece *
get_piece (const RemixStream *self, guint i)
{
  return &g_array_index (self->pieces, RemixPiece, i);
}

/* The decoding times where the last piece ends and @track starts. */
static gboolean
check_contiguous (const RemixStream *self, const RemixTrack *track,
    const RemixMovie *movie, const gchar *previous_uri, GError **error)
{
  const RemixPiece *last = get_piece (self, self->pieces->len - 1);
  g_autofree gchar *ended = NULL;
  g_autofree gchar *starts = NULL;
  gint64 end, begin;
  BmffSample a, b;

  if (!bmff_sample_table_get (last->track->samples,
          bmff_sample_table_get_count (last->track->samples) - 1, &a) ||
      !bmff_sample_table_get (track->samples, 0, &b))
    return FALSE;
  end = (gint64) (a.dts + a.duration) + last->track->shift;
  begin = (gint64) b.dts + track->shift;
  if (track->timescale == self->timescale &&
      ABS (begin - end) <= MAX (a.duration, b.duration) / 2)
    return TRUE;
  ended = remix_ticks_to_string (end, self->timescale);
  starts = remix_ticks_to_string (begin, track->timescale);
  if (track->timescale != self->timescale)
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_GAP,
        "%s: the %s track counts in 1/%u s, that of %s in 1/%u s", movie->uri,
        remix_kind_to_string (track->kind), track->timescale, previous_uri,
        self->timescale);
  else
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_GAP,
        "%s: its %s starts at %s s, but that of %s ends at %s s: a segment "
        "between them is missing or out of order",
        movie->uri, remix_kind_to_string (track->kind), starts, previous_uri,
        ended);
  return FALSE;
}

gboolean
remix_stream_append (RemixStream *self, const RemixTrack *track,
    const RemixMovie *movie, const gchar *previous_uri, GError **error)
{
  RemixPiece piece = { track, movie->index, self->n_samples, self->n_syncs };

  if (self->pieces->len == 0) {
    self->kind = track->kind;
    self->timescale = track->timescale;
    self->fragmented = movie->fragmented;
    self->start = track->start;
  } else if (!check_contiguous (self, track, movie, previous_uri, error))
    return FALSE;
  self->end = track->end;
  g_array_append_val (self->pieces, piece);
  self->n_samples += bmff_sample_table_get_count (track->samples);
  if (track->syncs)
    self->n_syncs += track->syncs->len;
  return TRUE;
}

RemixSync
remix_stream_get_sync (const RemixStream *self, guint32 n)
{
  guint i = self->pieces->len - 1;
  RemixSync sync;

  while (i > 0 && get_piece (self, i)->first_sync > n)
    i--;
  sync = g_array_index (get_piece (self, i)->track->syncs, RemixSync,
      n - get_piece (self, i)->first_sync);
  sync.index += get_piece (self, i)->first;
  return sync;
}

guint32
remix_stream_find_sync (const RemixStream *self, gint64 pts)
{
  guint32 low = 0, high = self->n_syncs;

  while (high - low > 1) {
    guint32 middle = low + (high - low) / 2;

    if (remix_stream_get_sync (self, middle).pts <= pts)
      low = middle;
    else
      high = middle;
  }
  return low;
}

guint32
remix_stream_find_dts (const RemixStream *self, gint64 dts)
{
  guint i = self->pieces->len - 1;
  const RemixPiece *piece;
  BmffSample sample;

  for (; i > 0; i--) {
    piece = get_piece (self, i);
    if (bmff_sample_table_get (piece->track->samples, 0, &sample) &&
        (gint64) sample.dts + piece->track->shift <= dts)
      break;
  }
  piece = get_piece (self, i);
  if (dts < piece->track->shift)
    return piece->first;
  return piece->first +
      bmff_sample_table_find_dts (piece->track->samples,
          (guint64) (dts - piece->track->shift));
}

static void
enter_piece (RemixStreamCursor *self, guint i, guint32 index)
{
  self->piece = i;
  bmff_sample_cursor_init (&self->cursor,
      get_piece (self->stream, i)->track->samples, index);
}

void
remix_stream_cursor_init (RemixStreamCursor *self, const RemixStream *stream,
    guint32 index)
{
  guint i = stream->pieces->len - 1;

  self->stream = stream;
  self->next = index;
  while (i > 0 && get_piece (stream, i)->first > index)
    i--;
  enter_piece (self, i, index - get_piece (stream, i)->first);
}

gboolean
remix_stream_cursor_next (RemixStreamCursor *self, RemixStreamSample *sample)
{
  const RemixPiece *piece;
  BmffSample raw;

  while (!bmff_sample_cursor_next (&self->cursor, &raw)) {
    if (self->piece + 1 >= self->stream->pieces->len)
      return FALSE;
    enter_piece (self, self->piece + 1, 0);
  }
  piece = get_piece (self->stream, self->piece);
  self->next++;
  sample->offset = raw.offset;
  sample->size = raw.size;
  sample->duration = raw.duration;
  sample->dts = (gint64) raw.dts + piece->track->shift;
  sample->pts = sample->dts + raw.composition_offset;
  sample->source = piece->source;
  sample->sync = !(raw.flags & BMFF_SAMPLE_IS_NON_SYNC);
  sample->format =
      g_ptr_array_index (piece->track->formats, raw.description_index - 1);
  return TRUE;
}
