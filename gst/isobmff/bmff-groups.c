/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-index.h"

#include <string.h>

#define SBGP BMFF_FOURCC ('s', 'b', 'g', 'p')
#define CSGP BMFF_FOURCC ('c', 's', 'g', 'p')
#define SGPD BMFF_FOURCC ('s', 'g', 'p', 'd')

/* A bound for memory: more than a file of 24 h at 60 fps has samples. */
#define MAX_RUNS (1u << 23)

/* Samples before @end are in one pattern, which starts anew with the run. */
typedef struct
{
  guint32 end; /* past its last sample */
  guint32 length; /* of the pattern; 1 for sbgp */
  guint64
      indices; /* where the pattern starts in csgp's indices; the group itself for sbgp */
} Run;

struct _BmffGroupMap
{
  GArray *runs; /* (element-type Run) */
  GBytes *bytes; /* holds csgp's indices; NULL for sbgp */
  gsize indices; /* where they start */
  guint index_bits;
  gboolean local_msb;
};

void
bmff_group_map_free (BmffGroupMap *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->runs);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self);
}

/* The box of that type for @grouping_type, with a reader behind the field. */
static BmffBox *
find_group_box (const BmffBox *parent, guint32 type, guint32 grouping_type,
    BmffReader *reader, guint8 *version, guint32 *flags, GError **error)
{
  guint i;

  for (i = 0; parent->children != NULL && i < parent->children->len; i++) {
    BmffBox *box = g_ptr_array_index (parent->children, i);

    if (box->type != type)
      continue;
    if (!bmff_box_get_full_reader (box, reader, version, flags, error))
      return NULL;
    if (bmff_reader_u32 (reader) == grouping_type && bmff_reader_ok (reader))
      return box;
  }

  return NULL;
}

static gboolean
check_room (const BmffBox *box, const BmffReader *reader, guint32 n, guint bits,
    GError **error)
{
  if (n > MAX_RUNS) {
    bmff_box_set_error (box, error, BMFF_ERROR_LIMIT,
        "%u entries, more than %u", n, MAX_RUNS);
    return FALSE;
  }
  if (bmff_reader_ok (reader) &&
      bmff_reader_has (reader, ((guint64) n * bits + 7) / 8, 1))
    return TRUE;
  bmff_box_set_error (box, error, BMFF_ERROR_TRUNCATED,
      "it ends before its %u entries do", n);

  return FALSE;
}

static void
add_run (BmffGroupMap *self, guint32 count, guint32 length, guint64 indices)
{
  Run run = { 0, length, indices };

  if (self->runs->len > 0)
    run.end = g_array_index (self->runs, Run, self->runs->len - 1).end;
  /* Samples past 2^32 - 1 do not exist. */
  run.end += MIN (count, G_MAXUINT32 - run.end);
  if (count > 0)
    g_array_append_val (self->runs, run);
}

static gboolean
parse_sbgp (BmffGroupMap *self, const BmffBox *box, BmffReader *reader,
    guint8 version, GError **error)
{
  guint32 n, i;

  if (version == 1)
    bmff_reader_skip (reader, 4);
  n = bmff_reader_u32 (reader);
  if (!check_room (box, reader, n, 64, error))
    return FALSE;
  for (i = 0; i < n; i++) {
    guint32 count = bmff_reader_u32 (reader);

    add_run (self, count, 1, bmff_reader_u32 (reader));
  }

  return TRUE;
}

/* 4 << @code bits at @index of a table of such fields. */
static guint32
get_bits (const guint8 *p, guint64 index, guint bits)
{
  switch (bits) {
    case 4:
      return index & 1 ? p[index / 2] & 15 : p[index / 2] >> 4;
    case 8:
      return p[index];
    case 16:
      return bmff_get_u16 (p + 2 * index);
    default:
      return bmff_get_u32 (p + 4 * index);
  }
}

static gboolean
parse_patterns (BmffGroupMap *self, const BmffBox *box, BmffReader *reader,
    guint length_bits, guint count_bits, GError **error)
{
  guint32 n = bmff_reader_u32 (reader), i;
  guint64 indices = 0;

  if (!check_room (box, reader, n, length_bits + count_bits, error))
    return FALSE;
  for (i = 0; i < n; i++) {
    guint32 length, count;

    if (length_bits == 4) {
      /* Then both have 4 bits, as csgp_check() has seen to: one byte. */
      guint8 both = bmff_reader_u8 (reader);

      length = both >> 4;
      count = both & 15;
    } else {
      length = (guint32) bmff_reader_uint (reader, length_bits / 8);
      count = (guint32) bmff_reader_uint (reader, count_bits / 8);
    }
    if (length == 0 && count > 0) {
      bmff_box_set_error (box, error, BMFF_ERROR_INVALID, "pattern %u is empty",
          i);
      return FALSE;
    }
    add_run (self, count, length, indices);
    indices += length;
  }
  self->indices = reader->pos;
  if (bmff_reader_has (reader, (indices * self->index_bits + 7) / 8, 1))
    return TRUE;
  bmff_box_set_error (box, error, BMFF_ERROR_TRUNCATED,
      "it ends before its %" G_GUINT64_FORMAT " indices do", indices);

  return FALSE;
}

/* 8.9.5 */
static gboolean
parse_csgp (BmffGroupMap *self, const BmffBox *box, BmffReader *reader,
    guint32 flags, GError **error)
{
  guint length_bits = 4 << (flags >> 4 & 3);
  guint count_bits = 4 << (flags >> 2 & 3);

  if (length_bits != count_bits && MIN (length_bits, count_bits) == 4) {
    bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
        "fields of %u and %u bits", length_bits, count_bits);
    return FALSE;
  }
  if (flags & 0x40)
    bmff_reader_skip (reader, 4);
  self->index_bits = 4 << (flags & 3);
  self->local_msb = (flags & 0x80) != 0;
  self->bytes = g_bytes_ref (box->payload);

  return parse_patterns (self, box, reader, length_bits, count_bits, error);
}

BmffGroupMap *
bmff_group_map_parse (const BmffBox *parent, guint32 grouping_type,
    GError **error)
{
  g_autoptr (BmffGroupMap) self = g_new0 (BmffGroupMap, 1);
  GError *local_error = NULL;
  BmffReader reader;
  BmffBox *box;
  guint8 version;
  guint32 flags;
  gboolean ok = FALSE;

  self->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  if ((box = find_group_box (parent, SBGP, grouping_type, &reader, &version,
           &flags, &local_error)) != NULL)
    ok = parse_sbgp (self, box, &reader, version, error);
  else if (local_error == NULL &&
      (box = find_group_box (parent, CSGP, grouping_type, &reader, &version,
           &flags, &local_error)) != NULL)
    ok = parse_csgp (self, box, &reader, flags, error);
  if (local_error != NULL)
    g_propagate_error (error, local_error);

  return ok ? g_steal_pointer (&self) : NULL;
}

static guint32
pattern_group (const BmffGroupMap *self, guint64 n)
{
  const guint8 *data = g_bytes_get_data (self->bytes, NULL);
  guint32 index = get_bits (data + self->indices, n, self->index_bits);
  guint32 msb = 1u << (self->index_bits - 1);

  if (self->local_msb && index & msb)
    return 0x10000 + (index & (msb - 1));

  return index;
}

guint32
bmff_group_map_get (const BmffGroupMap *self, guint32 sample_index)
{
  guint low = 0, high = self->runs->len;
  const Run *run;
  guint32 start = 0;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (self->runs, Run, middle).end <= sample_index)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == self->runs->len)
    return 0;
  run = &g_array_index (self->runs, Run, low);
  if (self->bytes == NULL)
    return (guint32) run->indices;
  if (low > 0)
    start = g_array_index (self->runs, Run, low - 1).end;

  return pattern_group (self,
      run->indices + (sample_index - start) % run->length);
}

guint32
bmff_group_map_get_count (const BmffGroupMap *self)
{
  if (self->runs->len == 0)
    return 0;
  return g_array_index (self->runs, Run, self->runs->len - 1).end;
}

static void
raise_highest (guint32 group, guint32 *shared, guint32 *local)
{
  if (group > 0x10000)
    *local = MAX (*local, group - 0x10000);
  else
    *shared = MAX (*shared, group);
}

void
bmff_group_map_get_highest (const BmffGroupMap *self, guint32 *shared,
    guint32 *local)
{
  guint i;
  guint32 n, start = 0;

  *shared = *local = 0;
  for (i = 0; i < self->runs->len; i++) {
    const Run *run = &g_array_index (self->runs, Run, i);
    guint32 used = MIN (run->length, run->end - start);

    start = run->end;

    if (self->bytes == NULL) {
      raise_highest ((guint32) run->indices, shared, local);
      continue;
    }
    for (n = 0; n < used; n++)
      raise_highest (pattern_group (self, run->indices + n), shared, local);
  }
}

/* Whether the entries from the reader's position on end where the box does. */
static gboolean
ends_with_entries (const BmffSgpd *self)
{
  BmffReader reader = self->reader;
  guint32 i;

  if (self->length > 0)
    return bmff_reader_left (&reader) == (guint64) self->count * self->length;
  for (i = 0; i < self->count && bmff_reader_ok (&reader); i++)
    bmff_reader_skip (&reader, bmff_reader_u32 (&reader));

  return bmff_reader_ok (&reader) && bmff_reader_left (&reader) == 0;
}

/* No size is said: right for types whose entries are all alike. */
static void
share_out (BmffSgpd *self)
{
  self->length = (guint32) (bmff_reader_left (&self->reader) / self->count);
  self->fixed = TRUE;
}

/* Version 2 as it was before 14496-12:2015, when only version 1 had lengths. */
static gboolean
read_old_fields (BmffSgpd *self, BmffReader reader)
{
  BmffSgpd old = *self;

  old.reader = reader;
  old.default_index = bmff_reader_u32 (&old.reader);
  old.count = bmff_reader_u32 (&old.reader);
  if (!bmff_reader_ok (&old.reader) || old.count == 0 ||
      old.default_index > old.count)
    return FALSE;
  share_out (&old);
  if (!ends_with_entries (&old))
    return FALSE;
  *self = old;

  return TRUE;
}

static void
read_sgpd_fields (BmffSgpd *self, guint8 version)
{
  BmffReader start = self->reader;

  if (version >= 1)
    self->length = bmff_reader_u32 (&self->reader);
  if (version >= 2)
    self->default_index = bmff_reader_u32 (&self->reader);
  self->count = bmff_reader_u32 (&self->reader);
  self->fixed = self->length > 0;
  if (version == 0 && self->count > 0)
    share_out (self);
  if (version == 2 && !ends_with_entries (self))
    (void) read_old_fields (self, start);
}

/* 8.9.3 */
gboolean
bmff_sgpd_open (BmffSgpd *self, const BmffBox *parent, guint32 grouping_type,
    GError **error)
{
  guint8 version = 0;

  memset (self, 0, sizeof (*self));
  self->box = find_group_box (parent, SGPD, grouping_type, &self->reader,
      &version, NULL, error);
  if (self->box == NULL)
    return FALSE;
  read_sgpd_fields (self, version);
  if (bmff_reader_ok (&self->reader))
    return TRUE;
  bmff_box_set_error (self->box, error, BMFF_ERROR_TRUNCATED,
      "it ends before its entries");

  return FALSE;
}

static GBytes *
set_entry_error (const BmffSgpd *self, guint32 index, GError **error)
{
  bmff_box_set_error (self->box, error, BMFF_ERROR_TRUNCATED,
      "it ends before its entry %u", index);
  return NULL;
}

GBytes *
bmff_sgpd_next (BmffSgpd *self, GError **error)
{
  gsize size = self->length, pos;

  if (self->next == self->count)
    return NULL;
  self->next++;
  if (!self->fixed)
    size = bmff_reader_u32 (&self->reader);
  pos = self->reader.pos;
  if (!bmff_reader_skip (&self->reader, size))
    return set_entry_error (self, self->next, error);

  return g_bytes_new_from_bytes (self->box->payload, pos, size);
}

static gboolean
skip_entries (BmffSgpd *self, guint32 n)
{
  if (self->fixed && !bmff_reader_has (&self->reader, n, self->length))
    self->reader.failed = TRUE;
  if (self->fixed)
    return bmff_reader_skip (&self->reader, (gsize) n * self->length);
  while (n-- > 0 && bmff_reader_ok (&self->reader))
    bmff_reader_skip (&self->reader, bmff_reader_u32 (&self->reader));

  return bmff_reader_ok (&self->reader);
}

GBytes *
bmff_sgpd_get_entry (const BmffBox *parent, guint32 grouping_type,
    guint32 index, guint32 *default_index, GError **error)
{
  BmffSgpd sgpd;

  if (default_index != NULL)
    *default_index = 0;
  if (!bmff_sgpd_open (&sgpd, parent, grouping_type, error))
    return NULL;
  if (default_index != NULL)
    *default_index = sgpd.default_index;
  if (index == 0 || index > sgpd.count)
    return NULL;
  if (!skip_entries (&sgpd, index - 1))
    return set_entry_error (&sgpd, index, error);
  sgpd.next = index - 1;

  return bmff_sgpd_next (&sgpd, error);
}

/* The size that all entries have, 0 if they differ. */
static guint32
common_length (const GPtrArray *entries)
{
  gsize length = 0;
  guint i;

  for (i = 0; i < entries->len; i++) {
    gsize own = g_bytes_get_size (g_ptr_array_index (entries, i));

    if (i > 0 && own != length)
      return 0;
    length = own;
  }

  return (guint32) length;
}

BmffBox *
bmff_sgpd_new (guint32 grouping_type, const GPtrArray *entries)
{
  BmffWriter *writer = bmff_writer_new (64);
  guint32 length = common_length (entries);
  guint i;

  bmff_writer_u32 (writer, 1u << 24);
  bmff_writer_u32 (writer, grouping_type);
  bmff_writer_u32 (writer, length);
  bmff_writer_u32 (writer, entries->len);
  for (i = 0; i < entries->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (entries->pdata[i], &size);

    if (length == 0)
      bmff_writer_u32 (writer, (guint32) size);
    bmff_writer_bytes (writer, data, size);
  }

  return bmff_box_new (SGPD, bmff_writer_end (writer));
}

BmffBox *
bmff_sbgp_new (guint32 grouping_type, const GArray *runs)
{
  BmffWriter *writer = bmff_writer_new (16 + 8 * (gsize) runs->len);
  guint i;

  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, grouping_type);
  bmff_writer_u32 (writer, runs->len);
  for (i = 0; i < runs->len; i++) {
    const BmffGroupRun *run = &g_array_index (runs, BmffGroupRun, i);

    bmff_writer_u32 (writer, run->count);
    bmff_writer_u32 (writer, run->group);
  }

  return bmff_box_new (SBGP, bmff_writer_end (writer));
}
