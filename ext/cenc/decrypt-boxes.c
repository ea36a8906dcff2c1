/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-boxes.h"

#define MAX_RECORDS 65536

#define FOURCC_MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')
#define FOURCC_MOOF BMFF_FOURCC ('m', 'o', 'o', 'f')
#define FOURCC_MDAT BMFF_FOURCC ('m', 'd', 'a', 't')

struct _DecryptBoxes
{
  GMutex lock;
  GArray *records; /* (element-type DecryptBoxRecord), by offset */
};

DecryptBoxes *
decrypt_boxes_new (void)
{
  DecryptBoxes *self = g_new0 (DecryptBoxes, 1);

  g_mutex_init (&self->lock);
  self->records = g_array_new (FALSE, FALSE, sizeof (DecryptBoxRecord));
  return self;
}

void
decrypt_boxes_free (DecryptBoxes *self)
{
  if (!self)
    return;
  g_array_unref (self->records);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
decrypt_boxes_clear (DecryptBoxes *self)
{
  g_mutex_lock (&self->lock);
  g_array_set_size (self->records, 0);
  g_mutex_unlock (&self->lock);
}

/* Index of the first record that starts behind @offset. Call with the lock held. */
static guint
find_locked (DecryptBoxes *self, guint64 offset)
{
  guint low = 0, high = self->records->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (self->records, DecryptBoxRecord, middle).offset <=
        offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void
decrypt_boxes_add (DecryptBoxes *self, const DecryptBoxRecord *record)
{
  guint place;

  g_mutex_lock (&self->lock);
  place = find_locked (self, record->offset);
  if (self->records->len < MAX_RECORDS &&
      (place == 0 ||
          g_array_index (self->records, DecryptBoxRecord, place - 1).offset !=
              record->offset))
    g_array_insert_val (self->records, place, *record);
  g_mutex_unlock (&self->lock);
}

guint64
decrypt_boxes_get_known (DecryptBoxes *self, gboolean has_movie)
{
  guint64 end = 0, known = 0;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->records->len; i++) {
    const DecryptBoxRecord *record =
        &g_array_index (self->records, DecryptBoxRecord, i);

    if (record->offset != end ||
        (!has_movie &&
            (record->type == FOURCC_MOOV || record->type == FOURCC_MDAT)))
      break;
    end = known = record->end;
    if (record->group != G_MAXUINT64)
      known = record->group;
    else if (record->type == FOURCC_MOOF)
      known = record->offset;
  }
  g_mutex_unlock (&self->lock);
  return known;
}

gboolean
decrypt_boxes_find (DecryptBoxes *self, guint64 offset,
    DecryptBoxRecord *record)
{
  gboolean found = FALSE;
  guint place;

  g_mutex_lock (&self->lock);
  place = find_locked (self, offset);
  if (place > 0) {
    *record = g_array_index (self->records, DecryptBoxRecord, place - 1);
    found = offset < record->end;
  }
  g_mutex_unlock (&self->lock);
  return found;
}
