/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-index.h"

#define FOURCC_FREE BMFF_FOURCC ('f', 'r', 'e', 'e')

/* 8 MiB: fragments of two seconds for twelve days. */
#define MAX_MOVES (1u << 19)
/* starts_with_SAP, of a type that is not told (ISO/IEC 14496-12, 8.16.3). */
#define STARTS_WITH_SAP 0x80000000u
#define MAX_REFERENCED_SIZE 0x7fffffffu

typedef struct
{
  guint64 in, out;
} Move;

struct _EncryptMoves
{
  GArray *moves; /* (element-type Move), by rising in */
  gboolean lost;
};

struct _EncryptIndex
{
  guint64 position;
  BmffSidx *sidx;
  guint64 first, last; /* offsets of the first fragment and of the last one */
  guint step, waiting; /* fragments a reference takes; those in the last one */
  gboolean broken;
};

EncryptMoves *
encrypt_moves_new (void)
{
  EncryptMoves *self = g_new0 (EncryptMoves, 1);

  self->moves = g_array_new (FALSE, FALSE, sizeof (Move));
  return self;
}

void
encrypt_moves_free (EncryptMoves *self)
{
  g_array_unref (self->moves);
  g_free (self);
}

void
encrypt_moves_add (EncryptMoves *self, guint64 in, guint64 out)
{
  Move move = { in, out };

  if (self->moves->len >= MAX_MOVES)
    self->lost = TRUE;
  else
    g_array_append_val (self->moves, move);
}

guint64
encrypt_moves_get (guint64 in, gpointer moves)
{
  const EncryptMoves *self = moves;
  const Move *all = (const Move *) self->moves->data;
  guint low = 0, high = self->moves->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (all[middle].in <= in)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? in : all[low - 1].out + (in - all[low - 1].in);
}

gboolean
encrypt_moves_are_complete (const EncryptMoves *self)
{
  return !self->lost;
}

EncryptIndex *
encrypt_index_new (guint64 position, guint32 track_id, guint32 timescale)
{
  EncryptIndex *self = g_new0 (EncryptIndex, 1);

  self->position = position;
  self->step = 1;
  self->sidx = bmff_sidx_new ();
  self->sidx->version = 1;
  self->sidx->reference_id = track_id;
  self->sidx->timescale = timescale;
  return self;
}

void
encrypt_index_free (EncryptIndex *self)
{
  bmff_sidx_free (self->sidx);
  g_free (self);
}

guint32
encrypt_index_get_track (const EncryptIndex *self)
{
  return self->sidx->reference_id;
}

guint64
encrypt_index_get_position (const EncryptIndex *self)
{
  return self->position;
}

static BmffSidxReference *
nth (const EncryptIndex *self, guint i)
{
  return &g_array_index (self->sidx->references, BmffSidxReference, i);
}

/* Adds @size to a reference; more than one can count breaks the index. */
static void
grow (EncryptIndex *self, BmffSidxReference *reference, guint64 size)
{
  guint64 sum = reference->referenced_size + size;

  if (sum > MAX_REFERENCED_SIZE)
    self->broken = TRUE;
  else
    reference->referenced_size = sum;
}

static void
merge_neighbors (EncryptIndex *self)
{
  guint i, n = self->sidx->references->len / 2;

  for (i = 0; i < n; i++) {
    BmffSidxReference both = *nth (self, 2 * i);

    grow (self, &both, nth (self, 2 * i + 1)->referenced_size);
    both.duration += nth (self, 2 * i + 1)->duration;
    *nth (self, i) = both;
  }
  g_array_set_size (self->sidx->references, n);
  self->step *= 2;
}

static void
close_last (EncryptIndex *self, guint64 end)
{
  guint n = self->sidx->references->len;

  if (n > 0)
    grow (self, nth (self, n - 1), end - self->last);
  self->last = end;
}

void
encrypt_index_add (EncryptIndex *self, guint64 offset, guint64 start,
    guint64 duration, gboolean sync)
{
  BmffSidxReference reference = { .duration = duration,
    .sap = sync ? STARTS_WITH_SAP : 0 };
  GArray *references = self->sidx->references;

  if (references->len == 0) {
    self->first = offset;
    self->sidx->earliest_presentation_time = start;
  }
  close_last (self, offset);
  self->last = offset;
  if (references->len > 0 && self->waiting < self->step) {
    nth (self, references->len - 1)->duration += duration;
    self->waiting++;
    return;
  }
  if (references->len == ENCRYPT_INDEX_MAX)
    merge_neighbors (self);
  g_array_append_val (references, reference);
  self->waiting = 1;
}

GBytes *
encrypt_index_end (EncryptIndex *self, guint64 end)
{
  g_autoptr (BmffBox) box = NULL;
  g_autoptr (GBytes) rest = NULL;
  BmffWriter *writer;
  guint64 size;

  close_last (self, end);
  if (self->broken || self->sidx->references->len == 0)
    return NULL;
  box = bmff_sidx_to_box (self->sidx);
  size = bmff_box_get_size (box);
  self->sidx->first_offset = self->first - (self->position + size);
  g_clear_pointer (&box, bmff_box_free);
  box = bmff_sidx_to_box (self->sidx);
  writer = bmff_writer_new (ENCRYPT_INDEX_SIZE);
  bmff_box_write (box, writer);
  rest = encrypt_index_make_free (ENCRYPT_INDEX_SIZE - size);
  bmff_writer_bytes (writer, g_bytes_get_data (rest, NULL),
      g_bytes_get_size (rest));
  return bmff_writer_end (writer);
}

GBytes *
encrypt_index_make_free (gsize size)
{
  BmffWriter *writer = bmff_writer_new (size);

  bmff_writer_begin_box (writer, FOURCC_FREE);
  bmff_writer_zeros (writer, size - 8);
  bmff_writer_end_box (writer);
  return bmff_writer_end (writer);
}
