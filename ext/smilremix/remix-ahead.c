/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-ahead.h"

/* A demuxer that pulls goes to and fro between sound and picture. */
#define NEAR (1u << 20)
/* So much that was read of sources before is no accident. */
#define PROOF (128u << 10)
/* A gap that costs less to read than to ask anew behind it. */
#define GAP (256u << 10)

struct _RemixAhead
{
  const RemixLayout *layout;
  GPtrArray *sources;
  guint64 distance;
  guint64 start, high; /* from where and how far it was read on */
  guint64 read; /* bytes in between */
  guint64 read_remote; /* of these from remote sources */
  guint64 asked; /* how far sources were asked */
};

static RemixSource *
get_remote (const RemixAhead *self, const RemixExtent *extent)
{
  RemixSource *source;

  if (extent->source >= REMIX_SOURCE_SETS) /* memory of one kind or another */
    return NULL;
  source = g_ptr_array_index (self->sources, extent->source);
  return source->remote ? source : NULL;
}

static gint
compare_spans (gconstpointer a, gconstpointer b)
{
  const RemixSpan *x = a, *y = b;

  return x->start < y->start ? -1 : x->start > y->start;
}

/* In order, with what is near taken together. */
static void
merge_spans (GArray *spans)
{
  RemixSpan *all = (RemixSpan *) (gpointer) spans->data;
  guint n = 0, i;

  g_array_sort (spans, compare_spans);
  for (i = 1; i < spans->len; i++) {
    if (all[i].start <= all[n].end + GAP)
      all[n].end = MAX (all[n].end, all[i].end);
    else
      all[++n] = all[i];
  }
  if (spans->len > 0)
    g_array_set_size (spans, n + 1);
}

static void
set_spans (RemixAhead *self)
{
  guint i;

  for (i = 0; i + 1 < self->layout->extents->len; i++) {
    const RemixExtent *extent =
        &g_array_index (self->layout->extents, RemixExtent, i);
    RemixSource *source = get_remote (self, extent);
    RemixSpan span = { extent->source_offset,
      extent->source_offset + (extent[1].offset - extent->offset) };
    RemixSpan *last;

    if (!source)
      continue;
    if (!source->spans)
      source->spans = g_array_new (FALSE, FALSE, sizeof (RemixSpan));
    last = source->spans->len > 0
        ? &g_array_index (source->spans, RemixSpan, source->spans->len - 1)
        : NULL;
    if (last && span.start >= last->end && span.start - last->end <= GAP)
      last->end = span.end;
    else
      g_array_append_val (source->spans, span);
  }
  for (i = 0; i < self->sources->len; i++) {
    RemixSource *source = g_ptr_array_index (self->sources, i);

    if (source->spans)
      merge_spans (source->spans);
  }
}

RemixAhead *
remix_ahead_new (const RemixLayout *layout, GPtrArray *sources,
    guint64 distance)
{
  RemixAhead *self = g_new0 (RemixAhead, 1);

  self->layout = layout;
  self->sources = sources;
  self->distance = distance;
  set_spans (self);
  return self;
}

void
remix_ahead_free (RemixAhead *self)
{
  g_free (self);
}

/* Asks as far as @end, or as long as there is no more to ask at a time. */
static void
look (RemixAhead *self, guint64 end)
{
  while (self->asked < end) {
    guint64 left;
    const RemixExtent *extent =
        remix_layout_find (self->layout, self->asked, &left);
    RemixSource *source = get_remote (self, extent);
    guint64 start = extent->source_offset + (self->asked - extent->offset);

    left = MIN (left, end - self->asked);
    if (source && !source->funcs->ahead (source, start, start + left))
      return;
    self->asked += left;
  }
}

/* How many of the bytes come from remote sources. */
static guint64
count_remote (const RemixAhead *self, guint64 offset, guint64 size)
{
  guint64 end = offset + size, sum = 0;

  while (offset < end) {
    guint64 left;
    const RemixExtent *extent = remix_layout_find (self->layout, offset, &left);

    left = MIN (left, end - offset);
    if (get_remote (self, extent))
      sum += left;
    offset += left;
  }
  return sum;
}

/* With few holes. */
static gboolean
is_read_on (const RemixAhead *self)
{
  return self->read_remote >= PROOF &&
      self->read >= (self->high - self->start) / 4 * 3;
}

/* What was asked for ahead of where it is not read on any more would count as ahead
 * for ever. It may be read yet, though, and is dropped only for want of room. */
static void
forget (RemixAhead *self)
{
  guint i;

  for (i = 0; i < self->sources->len; i++) {
    RemixSource *source = g_ptr_array_index (self->sources, i);

    if (source->remote)
      source->funcs->forget (source);
  }
}

void
remix_ahead_move (RemixAhead *self, guint64 offset, guint64 size)
{
  guint64 end = offset + size;

  if (self->distance == 0)
    return;
  if (offset > self->high + NEAR || offset + NEAR < self->high) {
    self->start = self->high = self->asked = offset;
    self->read = self->read_remote = 0;
    forget (self);
  }
  self->asked = MAX (self->asked, offset);
  if (is_read_on (self))
    look (self, MIN (end + self->distance, self->layout->size));
  self->high = MAX (self->high, end);
  self->read += size;
  if (self->read_remote < PROOF)
    self->read_remote += count_remote (self, offset, size);
}
