/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-samples-private.h"

/* One or more stretches of a track that join. */
typedef struct
{
  guint64 offset, end;
  guint32 first, count; /* samples */
  guint track;
} Chunk;

/* 512 MiB, which no file of the field comes near to: a bound for made-up ones. */
#define MAX_CHUNKS (1u << 24)

struct _BmffSampleMap
{
  GPtrArray *tables; /* (element-type BmffSampleTable), entries may be NULL */
  GArray *chunks; /* (element-type Chunk), by place, none overlapping */
};

static void
add_stretch (GArray *chunks, guint track, const BmffStretch *stretch)
{
  Chunk chunk = { stretch->offset, stretch->offset + stretch->size,
    stretch->first, stretch->count, track };
  Chunk *last = NULL;

  if (chunks->len > 0)
    last = &g_array_index (chunks, Chunk, chunks->len - 1);
  if (last != NULL && last->track == track && last->end == chunk.offset) {
    last->end = chunk.end;
    last->count += chunk.count;
  } else {
    g_array_append_val (chunks, chunk);
  }
}

static gboolean
check_room (const GArray *chunks, GError **error)
{
  if (chunks->len < MAX_CHUNKS)
    return TRUE;
  g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
      "more than %u chunks of samples", MAX_CHUNKS);

  return FALSE;
}

static gboolean
add_table (GArray *chunks, guint track, const BmffSampleTable *table,
    GError **error)
{
  BmffSampleCursor cursor;
  BmffStretch stretch;

  bmff_sample_cursor_init (&cursor, table, 0);
  while (bmff_sample_table_next_stretch (table, &cursor, &stretch)) {
    if (!check_room (chunks, error))
      return FALSE;
    add_stretch (chunks, track, &stretch);
  }

  return TRUE;
}

static gint
compare_chunks (gconstpointer a, gconstpointer b)
{
  const Chunk *x = a, *y = b;

  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  /* Those without bytes first: they are not in the way of the others. */
  if (x->end != y->end)
    return x->end < y->end ? -1 : 1;

  return 0;
}

static gboolean
add_all (BmffSampleMap *self, GError **error)
{
  guint i;

  g_array_set_size (self->chunks, 0);
  for (i = 0; i < self->tables->len; i++) {
    const BmffSampleTable *table = g_ptr_array_index (self->tables, i);

    if (table != NULL && !add_table (self->chunks, i, table, error))
      return FALSE;
  }
  g_array_sort (self->chunks, compare_chunks);

  return TRUE;
}

/* A table's stretches in turn. */
typedef struct
{
  guint track;
  BmffSampleCursor cursor;
  BmffStretch stretch; /* the next one */
} Feed;

/* Negative: @a stands in front of @b. */
static gint
compare_stretches (const BmffStretch *a, const BmffStretch *b)
{
  const Chunk x = { a->offset, a->offset + a->size };
  const Chunk y = { b->offset, b->offset + b->size };

  return compare_chunks (&x, &y);
}

/* FALSE: there is none. @sorted becomes FALSE if it stands in front of the one before. */
static gboolean
feed_next (Feed *self, gboolean *sorted)
{
  BmffStretch last = self->stretch;

  if (!bmff_sample_table_next_stretch (self->cursor.table, &self->cursor,
          &self->stretch))
    return FALSE;
  if (compare_stretches (&self->stretch, &last) < 0)
    *sorted = FALSE;

  return TRUE;
}

static guint
find_first (const GArray *feeds)
{
  guint i, first = 0;

  for (i = 1; i < feeds->len; i++)
    if (compare_stretches (&g_array_index (feeds, Feed, i).stretch,
            &g_array_index (feeds, Feed, first).stretch) < 0)
      first = i;

  return first;
}

/* Merges the tables' stretches, which mostly stand by place already; no more is done
 * once one does not. */
static gboolean
merge_feeds (GArray *chunks, GArray *feeds, gboolean *sorted, GError **error)
{
  while (feeds->len > 0 && *sorted) {
    guint first = find_first (feeds);
    Feed *feed = &g_array_index (feeds, Feed, first);

    if (!check_room (chunks, error))
      return FALSE;
    add_stretch (chunks, feed->track, &feed->stretch);
    if (!feed_next (feed, sorted))
      g_array_remove_index (feeds, first);
  }

  return TRUE;
}

static GArray *
make_feeds (GPtrArray *tables)
{
  GArray *feeds = g_array_new (FALSE, FALSE, sizeof (Feed));
  gboolean sorted = TRUE;
  guint i;

  for (i = 0; i < tables->len; i++) {
    const BmffSampleTable *table = g_ptr_array_index (tables, i);
    Feed feed = { .track = i };

    if (table == NULL)
      continue;
    bmff_sample_cursor_init (&feed.cursor, table, 0);
    if (feed_next (&feed, &sorted))
      g_array_append_val (feeds, feed);
  }

  return feeds;
}

/* To merge takes a fifth of what it takes to sort, with few tracks. */
#define MAX_MERGED 8

static gboolean
gather_chunks (BmffSampleMap *self, GError **error)
{
  g_autoptr (GArray) feeds = make_feeds (self->tables);
  gboolean sorted = feeds->len <= MAX_MERGED;

  if (!merge_feeds (self->chunks, feeds, &sorted, error))
    return FALSE;

  return sorted || add_all (self, error);
}

static gboolean
check_overlaps (GArray *chunks, GError **error)
{
  guint64 end = 0;
  guint i, previous = 0;

  for (i = 0; i < chunks->len; i++) {
    Chunk *chunk = &g_array_index (chunks, Chunk, i);

    if (chunk->offset < end && chunk->end > chunk->offset) {
      g_set_error (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED,
          "samples of tracks %u and %u, counted from 0, share bytes at "
          "%" G_GUINT64_FORMAT,
          previous, chunk->track, chunk->offset);
      return FALSE;
    }
    /* Samples without bytes amid others': behind these, so that a search by
     * place stays one. */
    if (chunk->offset < end)
      chunk->offset = chunk->end = end;
    end = chunk->end;
    previous = chunk->track;
  }

  return TRUE;
}

static void
table_unref0 (gpointer table)
{
  bmff_sample_table_unref (table);
}

BmffSampleMap *
bmff_sample_map_new (GPtrArray *tables, GError **error)
{
  g_autoptr (BmffSampleMap) self = g_new (BmffSampleMap, 1);
  guint i;

  self->tables = g_ptr_array_new_with_free_func (table_unref0);
  self->chunks = g_array_new (FALSE, FALSE, sizeof (Chunk));
  for (i = 0; i < tables->len; i++) {
    BmffSampleTable *table = g_ptr_array_index (tables, i);

    g_ptr_array_add (self->tables,
        table != NULL ? bmff_sample_table_ref (table) : NULL);
  }
  if (!gather_chunks (self, error) || !check_overlaps (self->chunks, error))
    return NULL;

  return g_steal_pointer (&self);
}

void
bmff_sample_map_free (BmffSampleMap *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->tables);
  g_array_unref (self->chunks);
  g_free (self);
}

gboolean
bmff_sample_map_is_in_order (const BmffSampleMap *self)
{
  g_autofree guint32 *next = g_new0 (guint32, self->tables->len);
  guint i;

  for (i = 0; i < self->chunks->len; i++) {
    const Chunk *chunk = &g_array_index (self->chunks, Chunk, i);

    if (chunk->first < next[chunk->track])
      return FALSE;
    next[chunk->track] = chunk->first + chunk->count;
  }

  return TRUE;
}

static const Chunk *
get_chunk (const BmffSampleMap *self, guint n)
{
  return n < self->chunks->len ? &g_array_index (self->chunks, Chunk, n) : NULL;
}

/* The last chunk that does not start behind @offset; 0 if all do. */
static guint
find_chunk (const BmffSampleMap *self, guint64 offset)
{
  guint low = 0, high = self->chunks->len;

  while (high > low + 1) {
    guint middle = low + (high - low) / 2;

    if (get_chunk (self, middle)->offset <= offset)
      low = middle;
    else
      high = middle;
  }

  return low;
}

/* The sample cursor for @chunk's track, set on sample @index of it. Tracks have
 * one each as far as there are cursors, so that a track's next chunk, which
 * mostly follows in its table too, costs no search. */
static BmffSampleCursor *
get_cursor (BmffMapCursor *self, const Chunk *chunk, guint32 index)
{
  BmffSampleCursor *cursor =
      &self->cursors[chunk->track % G_N_ELEMENTS (self->cursors)];
  const BmffSampleTable *table =
      g_ptr_array_index (self->map->tables, chunk->track);

  if (cursor->table != table || cursor->next != index)
    bmff_sample_cursor_init (cursor, table, index);

  return cursor;
}

void
bmff_map_cursor_init (BmffMapCursor *self, const BmffSampleMap *map,
    guint64 offset)
{
  BmffMapCursor cursor = { .map = map };
  const Chunk *chunk;

  *self = cursor;
  self->chunk = find_chunk (map, offset);
  chunk = get_chunk (map, self->chunk);
  if (chunk == NULL)
    return;
  self->index = chunk->first;
  if (offset >= chunk->offset)
    self->index = bmff_sample_table_find_offset (g_ptr_array_index (map->tables,
                                                     chunk->track),
        chunk->first, chunk->count, chunk->offset, offset);
}

gboolean
bmff_map_cursor_next (BmffMapCursor *self, BmffMappedSample *sample)
{
  const Chunk *chunk = get_chunk (self->map, self->chunk);

  if (chunk == NULL)
    return FALSE;
  if (self->index - chunk->first == chunk->count) {
    chunk = get_chunk (self->map, ++self->chunk);
    if (chunk == NULL)
      return FALSE;
    self->index = chunk->first;
  }
  sample->track = chunk->track;
  sample->index = self->index;

  return bmff_sample_cursor_next (get_cursor (self, chunk, self->index++),
      &sample->sample);
}
