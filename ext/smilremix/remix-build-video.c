/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/gst.h>

#include "remix-build.h"
#include "remix-error.h"

/* What is needed of a sample to place it; rescaled to the output's timescale,
 * relative to the clip's first sample. */
typedef struct
{
  gint64 dts, pts;
  RemixSample sample;
} Placed;

static gboolean
place_sample (RemixBuild *self, const RemixStreamSample *in, Placed *out,
    GError **error)
{
  gint description = remix_build_format (self, in->format, error);
  const RemixPrefix *prefix;

  if (description < 0)
    return FALSE;
  out->sample.offset = in->offset;
  out->sample.size = in->size;
  out->sample.source = (guint16) in->source;
  out->sample.description = (guint16) description & 0x7fff;
  out->sample.sync = in->sync;
  prefix = remix_output_get_prefix (self->output, &out->sample);
  if (prefix &&
      !g_uint_checked_add (&out->sample.size, in->size, prefix->size)) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT, "a sample of %u bytes",
        in->size);
    return FALSE;
  }
  return TRUE;
}

/* Reads the samples of the cut. Where leading pictures are left out, so is the
 * time that they had in decoding: the first sample moves up to the others. */
static GArray *
gather (RemixBuild *self, const RemixStream *stream, const RemixCut *cut,
    GError **error)
{
  guint32 out = self->output->timescale, in = stream->timescale;
  g_autoptr (GArray) placed =
      g_array_sized_new (FALSE, TRUE, sizeof (Placed), cut->last - cut->first);
  gint64 base_dts = 0, base_pts = 0;
  RemixStreamCursor cursor;
  RemixStreamSample sample;

  remix_stream_cursor_init (&cursor, stream, cut->first);
  while (
      cursor.next < cut->last && remix_stream_cursor_next (&cursor, &sample)) {
    guint32 n = cursor.next - 1 - cut->first;
    Placed item = { 0 };

    if (n == 0) {
      base_dts = sample.dts;
      base_pts = sample.pts;
    } else if (n <= cut->n_skipped) {
      base_dts += sample.duration;
      continue;
    }
    item.dts = n == 0 ? 0 : remix_rescale (sample.dts - base_dts, in, out);
    item.pts = remix_rescale (sample.pts - base_pts, in, out);
    if (!place_sample (self, &sample, &item, error))
      return NULL;
    g_array_append_val (placed, item);
  }
  return g_steal_pointer (&placed);
}

/* Decoding times have to rise, and leave a tick for each sample before the next
 * clip starts. They only move down, so composition offsets only grow. */
static void
squeeze (GArray *placed, gint64 length)
{
  gint64 limit = length;
  guint i;

  for (i = placed->len; i > 0; i--) {
    Placed *item = &g_array_index (placed, Placed, i - 1);

    limit--;
    item->dts = MIN (item->dts, limit);
    limit = item->dts;
  }
}

static gint64
get_natural_length (const RemixBuild *self, const RemixStream *stream,
    const RemixCut *cut, const GArray *placed)
{
  const Placed *last = &g_array_index (placed, Placed, placed->len - 1);
  RemixStreamCursor cursor;
  RemixStreamSample sample = { 0 };
  gint64 duration;

  remix_stream_cursor_init (&cursor, stream, cut->last - 1);
  remix_stream_cursor_next (&cursor, &sample);
  duration = remix_rescale (sample.duration, stream->timescale,
      self->output->timescale);
  return last->dts + MAX (duration, 1);
}

static gboolean
append_placed (RemixBuild *self, GArray *placed, gint64 length, GError **error)
{
  guint i;

  for (i = 0; i < placed->len; i++) {
    Placed *item = &g_array_index (placed, Placed, i);
    gint64 next = i + 1 < placed->len
        ? g_array_index (placed, Placed, i + 1).dts
        : length;
    gint64 composition = item->pts - item->dts;

    if (next <= item->dts || next - item->dts > G_MAXUINT32 ||
        ABS (composition) > G_MAXINT32 / 2) {
      g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
          "its decoding times cannot be kept");
      return FALSE;
    }
    item->sample.duration = (guint32) (next - item->dts);
    item->sample.composition = (gint32) composition;
    self->needed_delay = MAX (self->needed_delay, -composition);
    if (!remix_build_append (self, &item->sample, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
remix_build_video (RemixBuild *self, const RemixStream *stream,
    const RemixCut *cut, const RemixSlot *slot, GError **error)
{
  guint32 out = self->output->timescale;
  g_autoptr (GArray) placed = gather (self, stream, cut, error);
  gint64 end, length;

  if (!placed)
    return FALSE;
  if (slot->first)
    self->hidden =
        remix_rescale (cut->begin - cut->first_pts, stream->timescale, out);
  end = remix_rescale ((gint64) slot->end, slot->timescale, out) + self->hidden;
  length = end - self->next_dts;
  /* The title's last sample lasts as long as it did, whatever is hidden. */
  if (slot->last)
    length = MAX (length, get_natural_length (self, stream, cut, placed));
  if (length < (gint64) placed->len) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
        "%u samples in %" G_GINT64_FORMAT "/%u s", placed->len, length, out);
    return FALSE;
  }
  squeeze (placed, length);
  self->next_dts += length;
  return append_placed (self, placed, length, error);
}

void
remix_build_video_finish (RemixBuild *self)
{
  RemixOutput *output = self->output;
  guint i;

  for (i = 0; i < output->samples->len; i++)
    g_array_index (output->samples, RemixSample, i).composition +=
        (gint32) self->needed_delay;
  output->media_time = (guint64) (self->needed_delay + self->hidden);
}
