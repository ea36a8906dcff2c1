/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stsc, ISO/IEC 14496-12, 8.7.4: other sample entries for a track's first samples. */

#include "gst/isobmff/bmff-samples-private.h"

#define STSC BMFF_FOURCC ('s', 't', 's', 'c')
#define CO64 BMFF_FOURCC ('c', 'o', '6', '4')

/* The boxes as they are, chunk by chunk, and as they become. */
typedef struct
{
  BmffReader stsc, offsets;
  gboolean co64;
  guint32 n_chunks, chunk; /* chunk: from 1 */
  guint32 next_first, next_count, next_description; /* stsc's next entry */
  guint32 count, description; /* of the chunk at hand: samples, sample entry */

  BmffWriter *new_stsc, *new_offsets;
  guint32 n_entries, n_written;
  guint32 last_count, last_description;
} Rewrite;

static void
read_entry (Rewrite *self)
{
  self->next_first = bmff_reader_u32 (&self->stsc);
  self->next_count = bmff_reader_u32 (&self->stsc);
  self->next_description = bmff_reader_u32 (&self->stsc);
  if (!bmff_reader_ok (&self->stsc))
    self->next_first = G_MAXUINT32;
}

/* The next chunk; FALSE: there is none. */
static gboolean
read_chunk (Rewrite *self, guint64 *offset)
{
  if (self->chunk == self->n_chunks)
    return FALSE;
  self->chunk++;
  while (self->next_first <= self->chunk) {
    self->count = self->next_count;
    self->description = self->next_description;
    read_entry (self);
  }
  *offset = self->co64 ? bmff_reader_u64 (&self->offsets)
                       : bmff_reader_u32 (&self->offsets);
  return bmff_reader_ok (&self->offsets);
}

static void
write_chunk (Rewrite *self, guint64 offset, guint32 count, guint32 description)
{
  self->n_written++;
  bmff_writer_u64 (self->new_offsets, offset);
  if (self->n_entries > 0 && count == self->last_count &&
      description == self->last_description)
    return;
  bmff_writer_u32 (self->new_stsc, self->n_written);
  bmff_writer_u32 (self->new_stsc, count);
  bmff_writer_u32 (self->new_stsc, description);
  self->n_entries++;
  self->last_count = count;
  self->last_description = description;
}

/* The chunk at hand, whose first sample is @first. */
static void
redescribe (Rewrite *self, const BmffSampleTable *samples, guint32 first,
    guint64 offset, guint32 n, guint32 shift)
{
  guint32 head = first < n ? MIN (n - first, self->count) : 0;
  BmffSample sample;

  if (head > 0)
    write_chunk (self, offset, head, self->description + shift);
  if (head == self->count)
    return;
  if (head > 0 && bmff_sample_table_get (samples, n, &sample))
    offset = sample.offset;
  write_chunk (self, offset, self->count - head, self->description);
}

/* A FullBox's payload: @n and what @entries has; frees the writer. */
static GBytes *
make_payload (BmffWriter *entries, guint32 n)
{
  g_autoptr (GBytes) bytes = bmff_writer_end (entries);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  BmffWriter *writer = bmff_writer_new (8 + size);

  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, n);
  bmff_writer_bytes (writer, data, size);

  return bmff_writer_end (writer);
}

gboolean
bmff_stbl_redescribe (BmffBox *stbl, const BmffSampleTable *samples, guint32 n,
    guint32 shift, GError **error)
{
  BmffBox *stsc = bmff_box_child (stbl, STSC), *chunks;
  Rewrite self = { .next_first = G_MAXUINT32 };
  guint64 offset, first = 0;

  if (!bmff_stbl_find_chunks (stbl, &chunks, error))
    return FALSE;
  if (n == 0 || stsc == NULL || chunks == NULL)
    return TRUE;
  if (!bmff_box_get_full_reader (stsc, &self.stsc, NULL, NULL, error) ||
      !bmff_box_get_full_reader (chunks, &self.offsets, NULL, NULL, error))
    return FALSE;
  bmff_reader_skip (&self.stsc, 4);
  read_entry (&self);
  self.n_chunks = bmff_reader_u32 (&self.offsets);
  self.co64 = chunks->type == CO64;
  self.new_stsc = bmff_writer_new (0);
  self.new_offsets = bmff_writer_new (8 * ((gsize) self.n_chunks + 1));
  while (read_chunk (&self, &offset)) {
    redescribe (&self, samples, (guint32) MIN (first, G_MAXUINT32), offset, n,
        shift);
    first += self.count;
  }
  bmff_box_set_payload (stsc, make_payload (self.new_stsc, self.n_entries));
  bmff_box_set_payload (chunks,
      make_payload (self.new_offsets, self.n_written));
  chunks->type = CO64;

  return TRUE;
}
