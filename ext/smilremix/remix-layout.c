/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-layout-private.h"

#include <string.h>

#include "remix-error.h"
#include "remix-moov.h"
#include "remix-params.h"
#include "remix-time.h"

#define FCC BMFF_FOURCC

void
remix_layout_append (RemixLayout *self, guint32 source, guint64 source_offset,
    guint64 size)
{
  RemixExtent extent = { self->size, source_offset, source };

  if (size == 0)
    return;
  self->size += size;
  if (self->extents->len > 0) {
    const RemixExtent *last =
        &g_array_index (self->extents, RemixExtent, self->extents->len - 1);

    if (last->source == source &&
        last->source_offset + (extent.offset - last->offset) == source_offset)
      return;
  }
  g_array_append_val (self->extents, extent);
}

static guint32
get_sets (const RemixOutput *output)
{
  const RemixFormat *format = g_ptr_array_index (output->formats, 0);

  return REMIX_SOURCE_SETS + output->nal_length +
      (format->codec == FCC ('h', 'v', 'c', '1') ? 8 : 0);
}

void
remix_layout_append_sample (RemixLayout *self, const RemixOutput *output,
    const RemixSample *sample)
{
  const RemixPrefix *prefix = remix_output_get_prefix (output, sample);
  guint32 size = sample->size;

  if (prefix) {
    size -= prefix->size;
    remix_layout_append (self,
        size < REMIX_MAX_DELIMITER ? REMIX_SOURCE_MEMORY : get_sets (output),
        prefix->offset, prefix->size);
  }
  remix_layout_append (self, sample->source, sample->offset, size);
}

void
remix_layout_append_boxes (RemixLayout *self, BmffWriter *writer)
{
  g_autoptr (GBytes) bytes = bmff_writer_end (writer);
  gsize size = g_bytes_get_size (bytes);

  remix_layout_append (self, REMIX_SOURCE_BOXES, self->boxes->len, size);
  g_byte_array_append (self->boxes, g_bytes_get_data (bytes, NULL),
      (guint) size);
}

/* Half a second of each track, then the next: well below the second that a queue
 * behind a demuxer holds, and long enough to be read in one go. */
#define WINDOWS_PER_SECOND 2

typedef struct
{
  const RemixOutput *output;
  GArray *chunks; /* RemixChunk */
  guint32 next;
  guint64 dts; /* of the next sample */
} Walk;

static const RemixSample *
peek (const Walk *walk)
{
  return &g_array_index (walk->output->samples, RemixSample, walk->next);
}

/* Of the title: what is hidden in front of its start comes first, and sound stays
 * beside its picture. */
static guint64
get_time (const Walk *walk)
{
  return walk->dts - MIN (walk->dts, walk->output->media_time);
}

static guint64
get_window (const Walk *walk)
{
  guint64 time = get_time (walk), timescale = walk->output->timescale;

  return time / timescale * WINDOWS_PER_SECOND +
      time % timescale * WINDOWS_PER_SECOND / timescale;
}

static gboolean
is_due (const Walk *walk, guint64 window)
{
  return walk->next < walk->output->samples->len && get_window (walk) <= window;
}

/* Within a window samples come in the order in which their source has them, so
 * that a source's bytes are read as they lie; of two sources the earlier. */
static gboolean
comes_before (const Walk *a, const Walk *b)
{
  const RemixSample *x = peek (a), *y = peek (b);

  if (x->source == y->source && x->source != REMIX_SOURCE_MEMORY)
    return x->offset < y->offset;
  return (gdouble) get_time (a) / a->output->timescale <
      (gdouble) get_time (b) / b->output->timescale;
}

static Walk *
choose (Walk *walks, guint n, guint64 window)
{
  Walk *best = NULL;
  guint i;

  for (i = 0; i < n; i++) {
    if (is_due (&walks[i], window) && (!best || comes_before (&walks[i], best)))
      best = &walks[i];
  }
  return best;
}

/* The sample goes into the last chunk, if that is its track's and of its sample
 * description, or starts one. */
static void
take (RemixLayout *self, Walk *walk, const Walk *previous)
{
  const RemixSample *sample = peek (walk);
  RemixChunk *last = walk->chunks->len > 0
      ? &g_array_index (walk->chunks, RemixChunk, walk->chunks->len - 1)
      : NULL;

  if (last && previous == walk &&
      remix_output_get_description (walk->output,
          &g_array_index (walk->output->samples, RemixSample, last->first)) ==
          remix_output_get_description (walk->output, sample)) {
    last->count++;
  } else {
    RemixChunk chunk = { self->size, walk->next, 1 };

    g_array_append_val (walk->chunks, chunk);
  }
  remix_layout_append_sample (self, walk->output, sample);
  walk->dts += sample->duration;
  walk->next++;
}

static gboolean
has_more (const Walk *walks, guint n)
{
  guint i;

  for (i = 0; i < n; i++) {
    if (walks[i].next < walks[i].output->samples->len)
      return TRUE;
  }
  return FALSE;
}

/* The next window in which any track has a sample. */
static guint64
get_next_window (const Walk *walks, guint n)
{
  guint64 next = G_MAXUINT64;
  guint i;

  for (i = 0; i < n; i++) {
    if (walks[i].next < walks[i].output->samples->len)
      next = MIN (next, get_window (&walks[i]));
  }
  return next;
}

/* Lays out the media data into @data, whose offsets start at 0. */
static void
interleave (RemixLayout *data, Walk *walks, guint n)
{
  while (has_more (walks, n)) {
    guint64 window = get_next_window (walks, n);
    const Walk *previous = NULL;
    Walk *walk;

    while ((walk = choose (walks, n, window)) != NULL) {
      take (data, walk, previous);
      previous = walk;
    }
  }
}

static RemixLayout *
layout_new (void)
{
  RemixLayout *self = g_new0 (RemixLayout, 1);

  self->extents = g_array_new (FALSE, FALSE, sizeof (RemixExtent));
  self->boxes = g_byte_array_new ();
  return self;
}

/* A guess that seldom makes the tables grow: no more than it costs in memory. */
static gsize
guess_head_size (const RemixPlan *plan)
{
  gsize size = 4096;
  guint i;

  for (i = 0; i < plan->outputs->len; i++) {
    const RemixOutput *output = g_ptr_array_index (plan->outputs, i);

    size += (gsize) output->samples->len *
        (output->kind == REMIX_KIND_VIDEO ? 14 : 5);
  }
  return size;
}

static BmffWriter *
write_head (const RemixPlan *plan, GArray *const *chunks, gboolean wide,
    guint64 data_size)
{
  BmffWriter *writer = bmff_writer_new (guess_head_size (plan));
  g_autofree gsize *tables_at = g_new0 (gsize, plan->outputs->len);
  gboolean large = data_size > G_MAXUINT32 - 8;
  guint i;

  remix_moov_write_ftyp (writer, FALSE);
  remix_moov_write (writer, plan, chunks, wide, tables_at);
  bmff_writer_u32 (writer, large ? 1 : (guint32) data_size + 8);
  bmff_writer_u32 (writer, FCC ('m', 'd', 'a', 't'));
  if (large)
    bmff_writer_u64 (writer, data_size + 16);
  for (i = 0; i < plan->outputs->len; i++)
    remix_moov_patch (writer, chunks[i], bmff_writer_tell (writer), wide,
        tables_at[i]);
  return writer;
}

/* Puts head in front of data: how long it is decides where the data stands. */
static void
join (RemixLayout *self, const RemixPlan *plan, RemixLayout *data,
    GArray *const *chunks)
{
  gboolean wide = data->size > G_MAXUINT32;
  BmffWriter *writer = write_head (plan, chunks, wide, data->size);
  guint64 base = bmff_writer_tell (writer);
  guint i;

  if (!wide && base + data->size > G_MAXUINT32) {
    bmff_writer_free (writer);
    writer = write_head (plan, chunks, TRUE, data->size);
    base = bmff_writer_tell (writer);
  }
  remix_layout_append_boxes (self, writer);
  for (i = 0; i < data->extents->len; i++) {
    RemixExtent extent = g_array_index (data->extents, RemixExtent, i);

    extent.offset += base;
    g_array_append_val (self->extents, extent);
  }
  self->size = base + data->size;
}

gboolean
remix_layout_progressive (RemixLayout *self, const RemixPlan *plan,
    GError **error)
{
  guint n = plan->outputs->len, i;
  g_autoptr (RemixLayout) data = layout_new ();
  g_autofree Walk *walks = g_new0 (Walk, n);
  g_autofree GArray **chunks = g_new0 (GArray *, n);

  for (i = 0; i < n; i++) {
    walks[i].output = g_ptr_array_index (plan->outputs, i);
    walks[i].chunks = chunks[i] =
        g_array_new (FALSE, FALSE, sizeof (RemixChunk));
  }
  interleave (data, walks, n);
  join (self, plan, data, chunks);
  for (i = 0; i < n; i++)
    g_array_unref (chunks[i]);
  return TRUE;
}

RemixLayout *
remix_layout_new (const RemixPlan *plan, const RemixLayoutOptions *options,
    GError **error)
{
  g_autoptr (RemixLayout) self = layout_new ();
  RemixExtent end = { 0 };
  guint i;

  for (i = 0; i < plan->outputs->len; i++)
    self->has_sets = self->has_sets ||
        ((RemixOutput *) g_ptr_array_index (plan->outputs, i))->prefixes;
  if (options->fragment_duration > 0
          ? !remix_layout_fragmented (self, plan, options, error)
          : !remix_layout_progressive (self, plan, error))
    return NULL;
  end.offset = self->size;
  g_array_append_val (self->extents, end);
  return g_steal_pointer (&self);
}

void
remix_layout_free (RemixLayout *self)
{
  if (!self)
    return;
  g_array_unref (self->extents);
  g_byte_array_unref (self->boxes);
  g_free (self);
}

const RemixExtent *
remix_layout_find (const RemixLayout *self, guint64 offset, guint64 *left)
{
  guint low = 0, high = self->extents->len - 1;
  const RemixExtent *extent;

  while (high - low > 1) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (self->extents, RemixExtent, middle).offset <= offset)
      low = middle;
    else
      high = middle;
  }
  extent = &g_array_index (self->extents, RemixExtent, low);
  *left = extent[1].offset - offset;
  return extent;
}

gboolean
remix_extent_is_sets (const RemixExtent *extent)
{
  return extent->source > REMIX_SOURCE_SETS &&
      extent->source < REMIX_SOURCE_SETS + 13;
}

const RemixExtent *
remix_layout_find_sets (const RemixExtent *extent, guint64 offset)
{
  if (remix_extent_is_sets (extent))
    return extent;
  /* A title does not start with a sample. */
  if (extent->offset > 0 && remix_extent_is_sets (extent - 1) &&
      offset - extent->offset < REMIX_MAX_DELIMITER)
    return extent - 1;
  return NULL;
}
