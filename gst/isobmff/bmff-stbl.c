/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sample table from an stbl: its boxes found, checked against each other, and
 * checkpoints made. All walks are over entries that stand in the file, never
 * over sample numbers, which a few bytes can claim 2^32 of.
 */

#include "gst/isobmff/bmff-samples-private.h"

#define N_CHECKPOINTS(n) ((gsize) (n) / BMFF_CHECKPOINT_STRIDE + 1)

/* Where boxes stand, for messages; NULL where there is none. */
typedef struct
{
  const BmffBox *stbl, *sizes, *stsc, *chunks, *stts, *ctts, *stss;
} StblBoxes;

gboolean
bmff_stbl_find_chunks (const BmffBox *stbl, BmffBox **box, GError **error)
{
  guint i;

  *box = NULL;
  for (i = 0; stbl->children != NULL && i < stbl->children->len; i++) {
    BmffBox *child = g_ptr_array_index (stbl->children, i);

    if (child->type != BMFF_FOURCC ('s', 't', 'c', 'o') &&
        child->type != BMFF_FOURCC ('c', 'o', '6', '4'))
      continue;
    if (*box != NULL) {
      bmff_box_set_error (child, error, BMFF_ERROR_INVALID,
          "a second box with the offsets of chunks");
      return FALSE;
    }
    *box = child;
  }

  return TRUE;
}

static gboolean
find_boxes (StblBoxes *boxes, const BmffBox *stbl, GError **error)
{
  BmffBox *chunks;

  if (!bmff_stbl_find_chunks (stbl, &chunks, error))
    return FALSE;
  boxes->chunks = chunks;
#define FIND(a, b, c, d) bmff_box_child (stbl, BMFF_FOURCC (a, b, c, d))
  boxes->stbl = stbl;
  boxes->sizes = FIND ('s', 't', 's', 'z');
  if (boxes->sizes == NULL)
    boxes->sizes = FIND ('s', 't', 'z', '2');
  boxes->stsc = FIND ('s', 't', 's', 'c');
  boxes->stts = FIND ('s', 't', 't', 's');
  boxes->ctts = FIND ('c', 't', 't', 's');
  boxes->stss = FIND ('s', 't', 's', 's');
#undef FIND

  return TRUE;
}

/* @n entries of @bits each from @reader on; they stay in the box's memory. */
static gboolean
take_entries (BmffSampleTable *self, const BmffBox *box, BmffReader *reader,
    guint32 n, guint bits, BmffEntries *entries, GError **error)
{
  guint64 size = ((guint64) n * bits + 7) / 8;

  if (!bmff_reader_ok (reader) || !bmff_reader_has (reader, size, 1)) {
    bmff_box_set_error (box, error, BMFF_ERROR_TRUNCATED,
        "%u entries are declared, but only %" G_GSIZE_FORMAT
        " bytes are there for them",
        n, bmff_reader_left (reader));
    return FALSE;
  }
  entries->data = bmff_reader_bytes (reader, size);
  entries->n = n;
  g_ptr_array_add (self->held, g_bytes_ref (box->payload));

  return TRUE;
}

/* A FullBox with a count and entries of @entry_size bytes; none if there is no
 * box. */
static gboolean
read_entries (BmffSampleTable *self, const BmffBox *box, guint entry_size,
    BmffEntries *entries, GError **error)
{
  BmffReader reader;
  guint32 n;

  if (box == NULL)
    return TRUE;
  if (!bmff_box_get_full_reader (box, &reader, NULL, NULL, error))
    return FALSE;
  n = bmff_reader_u32 (&reader);

  return take_entries (self, box, &reader, n, 8 * entry_size, entries, error);
}

/* stsz (8.7.3.2) and stz2 (8.7.3.3). */
static gboolean
read_sizes (BmffSampleTable *self, const StblBoxes *boxes, GError **error)
{
  const BmffBox *box = boxes->sizes;
  BmffReader reader;
  guint32 word, n;
  guint bits;

  if (box == NULL)
    return TRUE;
  if (!bmff_box_get_full_reader (box, &reader, NULL, NULL, error))
    return FALSE;
  word = bmff_reader_u32 (&reader);
  n = bmff_reader_u32 (&reader);
  if (box->type == BMFF_FOURCC ('s', 't', 's', 'z')) {
    self->constant_size = word;
    bits = word == 0 ? 32 : 0;
  } else {
    bits = word & 0xff;
    if (bits != 4 && bits != 8 && bits != 16) {
      bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
          "a field size of %u bits", bits);
      return FALSE;
    }
  }
  if (!take_entries (self, box, &reader, n, bits, &self->sizes, error))
    return FALSE;
  self->size_bits = bits;
  self->count = n;

  return TRUE;
}

static gboolean
read_all (BmffSampleTable *self, const StblBoxes *boxes, GError **error)
{
  self->co64 = boxes->chunks != NULL &&
      boxes->chunks->type == BMFF_FOURCC ('c', 'o', '6', '4');
  self->has_stss = boxes->stss != NULL;

  return read_entries (self, boxes->stsc, 12, &self->stsc, error) &&
      read_entries (self, boxes->chunks, self->co64 ? 8 : 4, &self->chunks,
          error) &&
      read_entries (self, boxes->stts, 8, &self->stts, error) &&
      read_entries (self, boxes->ctts, 8, &self->ctts, error) &&
      read_entries (self, boxes->stss, 4, &self->stss, error);
}

static gboolean
sum_sizes (BmffSampleTable *self, const StblBoxes *boxes, GError **error)
{
  guint64 sum = 0;
  guint32 i;

  if (self->size_bits == 0) {
    sum = (guint64) self->count * self->constant_size;
  } else {
    self->size_sums = g_new (guint64, N_CHECKPOINTS (self->count));
    for (i = 0; i < self->count; i++) {
      if (i % BMFF_CHECKPOINT_STRIDE == 0)
        self->size_sums[i / BMFF_CHECKPOINT_STRIDE] = sum;
      sum += bmff_sample_table_size_at (self, i);
    }
    /* One more, so that the sum of all of them can be asked for. */
    if (i % BMFF_CHECKPOINT_STRIDE == 0)
      self->size_sums[i / BMFF_CHECKPOINT_STRIDE] = sum;
  }
  if (sum > G_MAXINT64) {
    bmff_box_set_error (boxes->sizes, error, BMFF_ERROR_INVALID,
        "samples of %" G_GUINT64_FORMAT " bytes", sum);
    return FALSE;
  }
  self->total_size = sum;

  return TRUE;
}

static gboolean
check_stsc_entry (const BmffSampleTable *self, const BmffBox *box, guint32 i,
    GError **error)
{
  const guint8 *p = self->stsc.data + 12 * (gsize) i;
  guint32 first = bmff_get_u32 (p);

  if (i == 0 ? first != 1 : first <= bmff_get_u32 (p - 12)) {
    bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
        "entry %u starts at chunk %u, out of order", i, first);
    return FALSE;
  }
  if (bmff_get_u32 (p + 8) == 0) {
    bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
        "entry %u names sample entry 0", i);
    return FALSE;
  }

  return TRUE;
}

/* Gives each sample a chunk. Entries for chunks that are not there, and room in
 * chunks for samples that are not there, do no harm. */
static gboolean
check_stsc (BmffSampleTable *self, const StblBoxes *boxes, GError **error)
{
  guint64 samples = 0;
  guint32 i, next;

  self->stsc_first = g_new (guint32, N_CHECKPOINTS (self->stsc.n));
  for (i = 0; i < self->stsc.n; i++) {
    const guint8 *p = self->stsc.data + 12 * (gsize) i;

    if (!check_stsc_entry (self, boxes->stsc, i, error))
      return FALSE;
    if (bmff_get_u32 (p) > self->chunks.n || samples >= self->count)
      break;
    if (i % BMFF_CHECKPOINT_STRIDE == 0)
      self->stsc_first[i / BMFF_CHECKPOINT_STRIDE] = (guint32) samples;
    next = self->chunks.n + 1;
    if (i + 1 < self->stsc.n)
      next = CLAMP (bmff_get_u32 (p + 12), bmff_get_u32 (p), next);
    samples += (guint64) (next - bmff_get_u32 (p)) * bmff_get_u32 (p + 4);
  }
  self->stsc.n = i;
  if (samples < self->count) {
    bmff_box_set_error (boxes->sizes, error, BMFF_ERROR_INVALID,
        "%u samples, but the chunks hold %" G_GUINT64_FORMAT, self->count,
        samples);
    return FALSE;
  }

  return TRUE;
}

/* Cuts off entries past the last sample, and empty ones at the end, so that the
 * last that remains can go on for as long as there are samples. */
static void
trim_runs (BmffEntries *entries, guint32 count)
{
  guint64 samples = 0;
  guint32 i, used = 0;

  for (i = 0; i < entries->n && samples < count; i++) {
    guint32 n = bmff_get_u32 (entries->data + 8 * (gsize) i);

    samples += n;
    if (n > 0)
      used = i + 1;
  }
  entries->n = used;
}

static gboolean
check_stts (BmffSampleTable *self, const StblBoxes *boxes, GError **error)
{
  guint64 dts = 0;
  guint32 i, samples = 0;

  trim_runs (&self->stts, self->count);
  if (self->stts.n == 0) {
    bmff_box_set_error (boxes->stts != NULL ? boxes->stts : boxes->stbl, error,
        BMFF_ERROR_INVALID, "no durations for %u samples", self->count);
    return FALSE;
  }
  self->stts_first = g_new (guint32, N_CHECKPOINTS (self->stts.n));
  self->stts_dts = g_new (guint64, N_CHECKPOINTS (self->stts.n));
  for (i = 0; i < self->stts.n; i++) {
    const guint8 *p = self->stts.data + 8 * (gsize) i;
    guint32 n = self->count - samples;

    if (i % BMFF_CHECKPOINT_STRIDE == 0) {
      self->stts_first[i / BMFF_CHECKPOINT_STRIDE] = samples;
      self->stts_dts[i / BMFF_CHECKPOINT_STRIDE] = dts;
    }
    if (i + 1 < self->stts.n)
      n = MIN (n, bmff_get_u32 (p));
    /* Below 2^64, because the n of all entries together are below 2^32. */
    dts += (guint64) n * bmff_get_u32 (p + 4);
    samples += n;
  }
  if (dts > G_MAXINT64) {
    bmff_box_set_error (boxes->stts, error, BMFF_ERROR_INVALID,
        "a duration of %" G_GUINT64_FORMAT, dts);
    return FALSE;
  }

  return TRUE;
}

static void
check_ctts (BmffSampleTable *self)
{
  guint32 i, samples = 0;

  trim_runs (&self->ctts, self->count);
  self->ctts_first = g_new (guint32, N_CHECKPOINTS (self->ctts.n));
  for (i = 0; i < self->ctts.n; i++) {
    if (i % BMFF_CHECKPOINT_STRIDE == 0)
      self->ctts_first[i / BMFF_CHECKPOINT_STRIDE] = samples;
    samples += MIN (self->count - samples,
        bmff_get_u32 (self->ctts.data + 8 * (gsize) i));
  }
}

static gboolean
check_stss (const BmffSampleTable *self, const StblBoxes *boxes, GError **error)
{
  guint32 i, previous = 1;

  for (i = 0; i < self->stss.n; i++) {
    guint32 number = bmff_get_u32 (self->stss.data + 4 * (gsize) i);

    if (number < previous) {
      bmff_box_set_error (boxes->stss, error, BMFF_ERROR_INVALID,
          "entry %u names sample %u, out of order", i, number);
      return FALSE;
    }
    previous = number;
  }

  return TRUE;
}

static gboolean
check_chunks (const BmffSampleTable *self, const StblBoxes *boxes,
    GError **error)
{
  BmffSampleCursor cursor;
  BmffStretch stretch;

  bmff_sample_cursor_init (&cursor, self, 0);
  while (bmff_sample_table_next_stretch (self, &cursor, &stretch)) {
    if (stretch.offset > G_MAXINT64 - stretch.size) {
      bmff_box_set_error (boxes->chunks, error, BMFF_ERROR_INVALID,
          "chunk %u lies at %" G_GUINT64_FORMAT, cursor.chunk + 1,
          stretch.offset);
      return FALSE;
    }
  }

  return TRUE;
}

/* A table without samples: whatever the boxes say beside is of no use. */
static void
clear_entries (BmffSampleTable *self)
{
  BmffEntries none = { NULL, 0 };

  self->stsc = self->chunks = self->stts = self->ctts = self->stss = none;
}

static gboolean
read_and_check (BmffSampleTable *self, const BmffBox *stbl, GError **error)
{
  StblBoxes boxes;

  if (!find_boxes (&boxes, stbl, error) || !read_sizes (self, &boxes, error) ||
      !read_all (self, &boxes, error))
    return FALSE;
  if (boxes.sizes == NULL && self->chunks.n > 0) {
    bmff_box_set_error (stbl, error, BMFF_ERROR_INVALID,
        "chunks, but neither stsz nor stz2");
    return FALSE;
  }
  if (self->count == 0) {
    clear_entries (self);
    return TRUE;
  }
  if (!sum_sizes (self, &boxes, error) || !check_stsc (self, &boxes, error) ||
      !check_stts (self, &boxes, error) || !check_stss (self, &boxes, error))
    return FALSE;
  check_ctts (self);

  return check_chunks (self, &boxes, error);
}

BmffSampleTable *
bmff_sample_table_new_from_stbl (const BmffBox *stbl, GError **error)
{
  g_autoptr (BmffSampleTable) self = g_new0 (BmffSampleTable, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->held = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  return read_and_check (self, stbl, error) ? g_steal_pointer (&self) : NULL;
}
