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
fill_sample (RemixBuild *self, const RemixStreamSample *in, Placed *out,
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

/* While a clip is being gathered. */
typedef struct
{
  RemixBuild *build;
  const RemixStream *stream;
  GArray *placed; /* Placed */
  gint64 base_dts, base_pts; /* of the clip's first picture */
} Gather;

static gboolean
place (Gather *self, const RemixStreamSample *sample, GError **error)
{
  guint32 out = self->build->output->timescale, in = self->stream->timescale;
  Placed item = { 0 };

  item.dts = remix_rescale (sample->dts - self->base_dts, in, out);
  item.pts = remix_rescale (sample->pts - self->base_pts, in, out);
  if (!fill_sample (self->build, sample, &item, error))
    return FALSE;
  g_array_append_val (self->placed, item);
  return TRUE;
}

/* The source's own samples. Where leading pictures are left out, so is the time
 * that they had in decoding: the first sample moves up to the others; unless
 * something else is shown in their stead. */
static gboolean
gather_samples (Gather *self, const RemixSplice *splice, GError **error)
{
  const RemixCut *cut = &splice->cut;
  RemixStreamCursor cursor;
  RemixStreamSample sample;

  remix_stream_cursor_init (&cursor, self->stream, cut->first);
  while (
      cursor.next < cut->last && remix_stream_cursor_next (&cursor, &sample)) {
    guint32 n = cursor.next - 1 - cut->first;

    if (n > 0 && n <= cut->n_skipped) {
      if (!splice->head)
        self->base_dts += sample.duration;
      continue;
    }
    if (!place (self, &sample, error))
      return FALSE;
  }
  return TRUE;
}

/* Encoded pictures, each decoded @delay before it is shown. */
static gboolean
gather_run (Gather *self, const RemixRun *run, gint64 delay, GError **error)
{
  GByteArray *memory = self->build->memory;
  guint64 offset = memory->len;
  guint i;

  if (!run)
    return TRUE;
  if (run->data->len > G_MAXINT32 - MIN (offset, (guint64) G_MAXINT32)) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
        "more than 2 GiB of pictures that were encoded");
    return FALSE;
  }
  g_byte_array_append (memory, run->data->data, run->data->len);
  for (i = 0; i < run->pictures->len; i++) {
    const RemixPicture *picture =
        &g_array_index (run->pictures, RemixPicture, i);
    RemixStreamSample sample = { offset + picture->offset, picture->size, 0,
      picture->pts - delay, picture->pts, REMIX_SOURCE_MEMORY, picture->sync,
      run->format };

    if (!place (self, &sample, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
get_sample (const RemixStream *stream, guint32 index, RemixStreamSample *sample)
{
  RemixStreamCursor cursor;

  if (index >= stream->n_samples)
    return FALSE;
  remix_stream_cursor_init (&cursor, stream, index);
  return remix_stream_cursor_next (&cursor, sample);
}

/* How long before they are shown the head's and the tail's pictures are decoded: as
 * the first sample behind the head is; so that the tail's first takes the place
 * of the sample that it stands for. */
static void
get_delays (const RemixStream *stream, const RemixSplice *splice, gint64 *head,
    gint64 *tail)
{
  const RemixCut *cut = &splice->cut;
  RemixStreamSample sample;

  *head = *tail = 0;
  if (splice->tail && get_sample (stream, cut->last, &sample))
    *head = *tail = cut->tail.from - sample.dts;
  if (cut->first < cut->last && get_sample (stream, cut->first, &sample))
    *head = sample.pts - sample.dts;
}

/* All that is between the clip's begin and its end, in decoding order. */
static GArray *
gather (RemixBuild *build, const RemixStream *stream, const RemixSplice *splice,
    GError **error)
{
  const RemixCut *cut = &splice->cut;
  guint32 n_samples = cut->last > cut->first ? cut->last - cut->first : 0;
  g_autoptr (GArray) placed = NULL;
  Gather self = { build, stream, NULL };
  gint64 head, tail;
  RemixStreamSample sample;

  /* A box of 20 bytes can claim four thousand million samples. */
  if (!remix_build_has_room (build, n_samples, error))
    return NULL;
  self.placed = placed =
      g_array_sized_new (FALSE, TRUE, sizeof (Placed), n_samples);
  get_delays (stream, splice, &head, &tail);
  if (splice->head) {
    self.base_pts = cut->head.from;
    self.base_dts = self.base_pts - head;
  } else if (cut->first < cut->last &&
      get_sample (stream, cut->first, &sample)) {
    self.base_pts = sample.pts;
    self.base_dts = sample.dts;
  } else {
    self.base_pts = cut->tail.from;
    self.base_dts = self.base_pts - tail;
  }
  if (!gather_run (&self, splice->head, head, error) ||
      !gather_samples (&self, splice, error) ||
      !gather_run (&self, splice->tail, tail, error))
    return NULL;
  if (placed->len == 0) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
        "nothing is left of it");
    return NULL;
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
  RemixStreamSample sample = { 0 };
  gint64 duration;

  if (cut->last > 0)
    get_sample (stream, cut->last - 1, &sample);
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
    const RemixSplice *splice, const RemixSlot *slot, GError **error)
{
  guint32 out = self->output->timescale;
  const RemixCut *cut = &splice->cut;
  g_autoptr (GArray) placed = gather (self, stream, splice, error);
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

gboolean
remix_build_parts (RemixBuild *self, const RemixStream *stream,
    const RemixCut *whole, const GArray *splices, const RemixSlot *slot,
    GError **error)
{
  guint32 from = stream->timescale;
  guint i;

  for (i = 0; i < splices->len; i++) {
    const RemixSplice *splice = &g_array_index (splices, RemixSplice, i);
    gint64 begin = splice->cut.begin - whole->begin;
    gint64 end = splice->cut.end - whole->begin;
    RemixSlot own = *slot;

    own.begin += (guint64) remix_rescale (begin, from, slot->timescale);
    own.end =
        slot->begin + (guint64) remix_rescale (end, from, slot->timescale);
    own.first = slot->first && i == 0;
    own.last = slot->last && i + 1 == splices->len;
    if (!remix_build_video (self, stream, splice, &own, error))
      return FALSE;
  }
  return TRUE;
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
