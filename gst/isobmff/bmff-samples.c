/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-samples-private.h"

guint32
bmff_search_u32 (const guint32 *values, guint32 n, guint32 value)
{
  guint32 low = 0;

  while (n - low > 1) {
    guint32 middle = low + (n - low) / 2;

    if (values[middle] <= value)
      low = middle;
    else
      n = middle;
  }

  return low;
}

guint32
bmff_search_u64 (const guint64 *values, guint32 n, guint64 value)
{
  guint32 low = 0;

  while (n - low > 1) {
    guint32 middle = low + (n - low) / 2;

    if (values[middle] <= value)
      low = middle;
    else
      n = middle;
  }

  return low;
}

BmffSampleTable *
bmff_sample_table_new_take (GArray *samples)
{
  BmffSampleTable *self = g_new0 (BmffSampleTable, 1);
  guint i;

  g_atomic_ref_count_init (&self->ref_count);
  self->samples = samples;
  self->count = samples->len;
  for (i = 0; i < samples->len; i++)
    self->total_size += g_array_index (samples, BmffSample, i).size;

  return self;
}

BmffSampleTable *
bmff_sample_table_ref (BmffSampleTable *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

void
bmff_sample_table_unref (BmffSampleTable *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->samples, g_array_unref);
  g_clear_pointer (&self->held, g_ptr_array_unref);
  g_free (self->size_sums);
  g_free (self->stsc_first);
  g_free (self->stts_first);
  g_free (self->stts_dts);
  g_free (self->ctts_first);
  g_free (self);
}

void
bmff_sample_table_delay (BmffSampleTable *self, guint64 delta)
{
  guint i;

  for (i = 0; i < self->samples->len; i++)
    g_array_index (self->samples, BmffSample, i).dts += delta;
}

guint32
bmff_sample_table_get_count (const BmffSampleTable *self)
{
  return self->count;
}

guint64
bmff_sample_table_get_total_size (const BmffSampleTable *self)
{
  return self->total_size;
}

gboolean
bmff_sample_table_get (const BmffSampleTable *self, guint32 index,
    BmffSample *sample)
{
  BmffSampleCursor cursor;

  bmff_sample_cursor_init (&cursor, self, index);

  return bmff_sample_cursor_next (&cursor, sample);
}

guint64
bmff_sample_table_size_before (const BmffSampleTable *self, guint32 index)
{
  guint64 sum;
  guint32 i;

  if (self->size_bits == 0)
    return (guint64) index * self->constant_size;
  i = index - index % BMFF_CHECKPOINT_STRIDE;
  sum = self->size_sums[i / BMFF_CHECKPOINT_STRIDE];
  for (; i < index; i++)
    sum += bmff_sample_table_size_at (self, i);

  return sum;
}

/* Fields of the nth entry of a box, from its memory. */
static guint32
stsc_first_chunk (const BmffSampleTable *self, guint32 n)
{
  return bmff_get_u32 (self->stsc.data + 12 * (gsize) n) - 1;
}

static guint32
stsc_samples (const BmffSampleTable *self, guint32 n)
{
  return bmff_get_u32 (self->stsc.data + 12 * (gsize) n + 4);
}

static guint32
stsc_description (const BmffSampleTable *self, guint32 n)
{
  return bmff_get_u32 (self->stsc.data + 12 * (gsize) n + 8);
}

static guint32
run_value (const BmffEntries *entries, guint32 n)
{
  return bmff_get_u32 (entries->data + 8 * (gsize) n + 4);
}

/* Samples of the nth entry of stts or ctts; the last one's never end. */
static guint32
run_count (const BmffEntries *entries, guint32 n)
{
  return n + 1 < entries->n ? bmff_get_u32 (entries->data + 8 * (gsize) n)
                            : G_MAXUINT32;
}

static guint32
stss_number (const BmffSampleTable *self, guint32 n)
{
  return bmff_get_u32 (self->stss.data + 4 * (gsize) n);
}

static guint64
chunk_offset (const BmffSampleTable *self, guint32 chunk)
{
  return self->co64 ? bmff_get_u64 (self->chunks.data + 8 * (gsize) chunk)
                    : bmff_get_u32 (self->chunks.data + 4 * (gsize) chunk);
}

/* Chunks that the nth entry of stsc is about. */
static guint32
stsc_chunks (const BmffSampleTable *self, guint32 n)
{
  guint32 end = self->chunks.n;

  if (n + 1 < self->stsc.n)
    end = MIN (end, stsc_first_chunk (self, n + 1));

  return end - stsc_first_chunk (self, n);
}

/* n / BMFF_CHECKPOINT_STRIDE, rounded up */
static guint32
n_checkpoints (const BmffEntries *entries)
{
  return (entries->n - 1) / BMFF_CHECKPOINT_STRIDE + 1;
}

static void
seek_chunk (BmffSampleCursor *self, guint32 index)
{
  const BmffSampleTable *table = self->table;
  guint32 k =
      bmff_search_u32 (table->stsc_first, n_checkpoints (&table->stsc), index);
  guint32 entry = k * BMFF_CHECKPOINT_STRIDE, in_chunk;
  guint64 first = table->stsc_first[k], samples;

  while (samples =
             (guint64) stsc_chunks (table, entry) * stsc_samples (table, entry),
      first + samples <= index) {
    first += samples;
    entry++;
  }
  self->stsc_entry = entry;
  self->chunk = stsc_first_chunk (table, entry) +
      (index - (guint32) first) / stsc_samples (table, entry);
  in_chunk = (index - (guint32) first) % stsc_samples (table, entry);
  self->left_in_chunk = stsc_samples (table, entry) - in_chunk;
  self->offset = chunk_offset (table, self->chunk) +
      bmff_sample_table_size_before (table, index) -
      bmff_sample_table_size_before (table, index - in_chunk);
}

static void
seek_stts (BmffSampleCursor *self, guint32 index)
{
  const BmffSampleTable *table = self->table;
  guint32 k =
      bmff_search_u32 (table->stts_first, n_checkpoints (&table->stts), index);
  guint32 entry = k * BMFF_CHECKPOINT_STRIDE;
  guint32 left = index - table->stts_first[k];

  self->dts = table->stts_dts[k];
  while (run_count (&table->stts, entry) <= left) {
    guint32 n = run_count (&table->stts, entry);

    self->dts += (guint64) n * run_value (&table->stts, entry);
    left -= n;
    entry++;
  }
  self->dts += (guint64) left * run_value (&table->stts, entry);
  self->stts_entry = entry;
  self->stts_left = run_count (&table->stts, entry) - left;
}

static void
seek_ctts (BmffSampleCursor *self, guint32 index)
{
  const BmffSampleTable *table = self->table;
  guint32 k, entry, left;

  if (table->ctts.n == 0)
    return;
  k = bmff_search_u32 (table->ctts_first, n_checkpoints (&table->ctts), index);
  entry = k * BMFF_CHECKPOINT_STRIDE;
  left = index - table->ctts_first[k];
  while (run_count (&table->ctts, entry) <= left)
    left -= run_count (&table->ctts, entry++);
  self->ctts_entry = entry;
  self->ctts_left = run_count (&table->ctts, entry) - left;
}

/* The first entry of stss that names @index or a later sample. */
static void
seek_stss (BmffSampleCursor *self, guint32 index)
{
  guint32 low = 0, high = self->table->stss.n;

  while (low < high) {
    guint32 middle = low + (high - low) / 2;

    if (stss_number (self->table, middle) <= index)
      low = middle + 1;
    else
      high = middle;
  }
  self->stss_entry = low;
}

void
bmff_sample_cursor_init (BmffSampleCursor *self, const BmffSampleTable *table,
    guint32 index)
{
  BmffSampleCursor cursor = { .table = table, .next = index };

  *self = cursor;
  if (table->samples != NULL || index >= table->count)
    return;
  seek_chunk (self, index);
  seek_stts (self, index);
  seek_ctts (self, index);
  seek_stss (self, index);
}

/* Goes on to the next chunk that has samples. There is one as long as there are
 * samples: the table was checked for it. */
static void
next_chunk (BmffSampleCursor *self)
{
  const BmffSampleTable *table = self->table;

  do {
    self->chunk++;
    if (self->stsc_entry + 1 < table->stsc.n &&
        stsc_first_chunk (table, self->stsc_entry + 1) == self->chunk)
      self->stsc_entry++;
    self->left_in_chunk = stsc_samples (table, self->stsc_entry);
  } while (self->left_in_chunk == 0);
  self->offset = chunk_offset (table, self->chunk);
}

static void
next_run (const BmffEntries *entries, guint32 *entry, guint32 *left)
{
  while (*left == 0)
    *left = run_count (entries, ++*entry);
  --*left;
}

static guint32
next_flags (BmffSampleCursor *self)
{
  const BmffSampleTable *table = self->table;
  gboolean sync = FALSE;

  if (!table->has_stss)
    return BMFF_SAMPLE_FLAGS_SYNC;
  /* A loop: a number may stand there twice. */
  while (self->stss_entry < table->stss.n &&
      stss_number (table, self->stss_entry) == self->next + 1) {
    sync = TRUE;
    self->stss_entry++;
  }

  return sync ? BMFF_SAMPLE_FLAGS_SYNC : BMFF_SAMPLE_FLAGS_NON_SYNC;
}

gboolean
bmff_sample_cursor_next (BmffSampleCursor *self, BmffSample *sample)
{
  const BmffSampleTable *table = self->table;

  if (self->next >= table->count)
    return FALSE;
  if (table->samples != NULL) {
    *sample = g_array_index (table->samples, BmffSample, self->next);
    self->next++;
    return TRUE;
  }
  if (self->left_in_chunk == 0)
    next_chunk (self);
  next_run (&table->stts, &self->stts_entry, &self->stts_left);
  sample->composition_offset = 0;
  if (table->ctts.n > 0) {
    next_run (&table->ctts, &self->ctts_entry, &self->ctts_left);
    sample->composition_offset =
        (gint32) run_value (&table->ctts, self->ctts_entry);
  }
  sample->offset = self->offset;
  sample->size = bmff_sample_table_size_at (table, self->next);
  sample->duration = run_value (&table->stts, self->stts_entry);
  sample->dts = self->dts;
  sample->description_index = stsc_description (table, self->stsc_entry);
  sample->flags = next_flags (self);
  self->offset += sample->size;
  self->dts += sample->duration;
  self->left_in_chunk--;
  self->next++;

  return TRUE;
}

static guint32
find_dts_in_array (const BmffSampleTable *self, guint64 dts)
{
  guint32 low = 0, high = self->count;

  while (high - low > 1) {
    guint32 middle = low + (high - low) / 2;

    if (g_array_index (self->samples, BmffSample, middle).dts <= dts)
      low = middle;
    else
      high = middle;
  }

  return low;
}

guint32
bmff_sample_table_find_dts (const BmffSampleTable *self, guint64 dts)
{
  guint32 k, entry, first, delta;
  guint64 start, n;

  if (self->count == 0)
    return 0;
  if (self->samples != NULL)
    return find_dts_in_array (self, dts);
  k = bmff_search_u64 (self->stts_dts, n_checkpoints (&self->stts), dts);
  entry = k * BMFF_CHECKPOINT_STRIDE;
  first = self->stts_first[k];
  start = self->stts_dts[k];
  for (; entry + 1 < self->stts.n; entry++) {
    guint64 length;

    n = run_count (&self->stts, entry);
    length = n * run_value (&self->stts, entry);
    if (length > dts - start)
      break;
    first += (guint32) n;
    start += length;
  }
  n = self->count - first;
  if (entry + 1 < self->stts.n)
    n = MIN (n, run_count (&self->stts, entry));
  delta = run_value (&self->stts, entry);

  return first +
      (guint32) (delta == 0 ? n - 1 : MIN ((dts - start) / delta, n - 1));
}

static gboolean
next_stretch_in_array (const BmffSampleTable *self, BmffSampleCursor *cursor,
    BmffStretch *stretch)
{
  const BmffSample *sample =
      &g_array_index (self->samples, BmffSample, cursor->next);

  stretch->first = cursor->next;
  stretch->offset = sample->offset;
  stretch->size = 0;
  for (; cursor->next < self->count; cursor->next++, sample++) {
    if (sample->offset != stretch->offset + stretch->size)
      break;
    stretch->size += sample->size;
  }
  stretch->count = cursor->next - stretch->first;

  return TRUE;
}

gboolean
bmff_sample_table_next_stretch (const BmffSampleTable *self,
    BmffSampleCursor *cursor, BmffStretch *stretch)
{
  guint32 end;

  if (cursor->next >= self->count)
    return FALSE;
  if (self->samples != NULL)
    return next_stretch_in_array (self, cursor, stretch);
  if (cursor->left_in_chunk == 0)
    next_chunk (cursor);
  stretch->first = cursor->next;
  stretch->count = MIN (cursor->left_in_chunk, self->count - cursor->next);
  stretch->offset = cursor->offset;
  stretch->size = 0;
  end = stretch->first + stretch->count;
  if (self->size_bits == 0)
    stretch->size = (guint64) stretch->count * self->constant_size;
  else
    while (cursor->next < end)
      stretch->size += bmff_sample_table_size_at (self, cursor->next++);
  cursor->next = end;
  cursor->left_in_chunk = 0;

  return TRUE;
}

gboolean
bmff_sample_table_get_extent (const BmffSampleTable *self, guint64 *start,
    guint64 *end)
{
  BmffSampleCursor cursor;
  BmffStretch stretch;

  *start = G_MAXUINT64;
  *end = 0;
  bmff_sample_cursor_init (&cursor, self, 0);
  while (bmff_sample_table_next_stretch (self, &cursor, &stretch)) {
    *start = MIN (*start, stretch.offset);
    *end = MAX (*end, stretch.offset + stretch.size);
  }

  return self->count > 0;
}

static guint64
sample_end (const BmffSampleTable *self, guint32 index, guint64 base)
{
  if (self->samples != NULL) {
    const BmffSample *sample =
        &g_array_index (self->samples, BmffSample, index);

    return sample->offset + sample->size;
  }

  return base + bmff_sample_table_size_before (self, index + 1);
}

guint32
bmff_sample_table_find_offset (const BmffSampleTable *self, guint32 first,
    guint32 count, guint64 start, guint64 offset)
{
  guint64 base = 0;
  guint32 low = first, high = first + count;

  /* May wrap below 0; adding the size before a sample wraps it back. */
  if (self->samples == NULL)
    base = start - bmff_sample_table_size_before (self, first);
  while (low < high) {
    guint32 middle = low + (high - low) / 2;

    if (sample_end (self, middle, base) > offset)
      high = middle;
    else
      low = middle + 1;
  }

  return low;
}
