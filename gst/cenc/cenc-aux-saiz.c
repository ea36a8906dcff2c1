/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what saiz and saio lead to (ISO/IEC 14496-12, 8.7.8 and 8.7.9). */

#include "gst/cenc/cenc-aux-table.h"
#include "gst/cenc/cenc-refuse.h"

#define FOURCC_SAIO BMFF_FOURCC ('s', 'a', 'i', 'o')
#define FOURCC_SAIZ BMFF_FOURCC ('s', 'a', 'i', 'z')

#define AUX_HAS_TYPE 1

typedef struct
{
  const BmffBox *saiz, *saio;
  guint8 default_size;
  guint32 count;
  const guint8 *sizes; /* count of them, NULL if default_size is not 0 */
  BmffReader offsets;
  guint32 n_offsets;
  guint offset_size;
} Where;

/* Reads up to behind aux_info_type_parameter; @type is 0 if absent. */
static gboolean
read_aux_type (const BmffBox *box, BmffReader *reader, guint8 *version,
    guint32 *type)
{
  guint32 flags;

  if (!bmff_box_get_full_reader (box, reader, version, &flags, NULL))
    return FALSE;
  *type = 0;
  if (flags & AUX_HAS_TYPE) {
    *type = bmff_reader_u32 (reader);
    bmff_reader_skip (reader, 4);
  }
  return bmff_reader_ok (reader);
}

static const BmffBox *
find_aux_box (const BmffBox *parent, guint32 fourcc, BmffReader *reader,
    guint8 *version)
{
  const BmffBox *box;
  guint next = 0;

  while ((box = bmff_box_next_child (parent, fourcc, &next))) {
    CencScheme scheme;
    guint32 type;

    if (!read_aux_type (box, reader, version, &type))
      return box; /* broken: what reads on says so */
    if (type == 0 || cenc_scheme_from_fourcc (type, &scheme))
      return box;
  }
  return NULL;
}

static gboolean
read_saiz (Where *where, BmffReader *reader, GError **error)
{
  where->default_size = bmff_reader_u8 (reader);
  where->count = bmff_reader_u32 (reader);
  if (where->default_size == 0)
    where->sizes = bmff_reader_bytes (reader, where->count);
  if (!bmff_reader_ok (reader))
    return cenc_refuse_box (where->saiz, error, GST_CENC_ERROR_FORMAT,
        "it ends before its %u sizes do", where->count);
  return TRUE;
}

static gboolean
read_saio (Where *where, BmffReader *reader, guint8 version, GError **error)
{
  where->offset_size = version == 0 ? 4 : 8;
  where->n_offsets = bmff_reader_u32 (reader);
  if (!bmff_reader_ok (reader) ||
      !bmff_reader_has (reader, where->n_offsets, where->offset_size))
    return cenc_refuse_box (where->saio, error, GST_CENC_ERROR_FORMAT,
        "it ends before its %u offsets do", where->n_offsets);
  where->offsets = *reader;
  return TRUE;
}

static guint8
size_of (const Where *where, guint32 index)
{
  return where->sizes ? where->sizes[index] : where->default_size;
}

/* Samples that entry @entry of saio holds information for. */
static gboolean
samples_of (const Where *where, const GArray *run_counts, guint32 entry,
    guint32 first, guint32 *count, GError **error)
{
  guint32 left = where->count - first;

  *count = left;
  if (where->n_offsets == 1)
    return TRUE;
  if (!run_counts || run_counts->len < where->n_offsets)
    return cenc_refuse_box (where->saio, error, GST_CENC_ERROR_FORMAT,
        "%u offsets for samples in %u runs or chunks", where->n_offsets,
        run_counts ? run_counts->len : 1);
  *count = MIN (left, g_array_index (run_counts, guint32, entry));
  return TRUE;
}

/* Bytes of @count samples' information from @first on. */
static gboolean
sum_sizes (const Where *where, guint32 first, guint32 count, guint64 *sum,
    GError **error)
{
  guint32 i;

  *sum = where->sizes ? 0 : (guint64) where->default_size * count;
  for (i = 0; where->sizes && i < count; i++)
    *sum += where->sizes[first + i];
  if (*sum > BMFF_MAX_HEADER_BOX)
    return cenc_refuse_box (where->saiz, error, GST_CENC_ERROR_FORMAT,
        "%" G_GUINT64_FORMAT " bytes of auxiliary information", *sum);
  return TRUE;
}

/* A piece of the information, in the file. */
typedef struct
{
  guint64 offset;
  gsize size;
} Piece;

/* Those that have bytes, in order. */
static GArray *
find_pieces (const Where *where, guint64 base, const GArray *run_counts,
    GError **error)
{
  g_autoptr (GArray) pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  BmffReader offsets = where->offsets;
  guint32 entry, first = 0, count = 0;
  guint64 size, sum = 0;

  for (entry = 0; entry < where->n_offsets; entry++, first += count) {
    guint64 offset = bmff_reader_uint (&offsets, where->offset_size);
    Piece piece;

    if (!samples_of (where, run_counts, entry, first, &count, error) ||
        !sum_sizes (where, first, count, &size, error))
      return NULL;
    sum += size;
    if (sum > BMFF_MAX_HEADER_BOX || offset > G_MAXUINT64 - base) {
      cenc_refuse_box (where->saio, error, GST_CENC_ERROR_FORMAT,
          "offset %u leads nowhere", entry);
      return NULL;
    }
    piece.offset = base + offset;
    piece.size = (gsize) size;
    if (size > 0)
      g_array_append_val (pieces, piece);
  }
  if (first < where->count) {
    cenc_refuse_box (where->saio, error, GST_CENC_ERROR_FORMAT,
        "its %u offsets are for %u of %u samples", where->n_offsets, first,
        where->count);
    return NULL;
  }
  return g_steal_pointer (&pieces);
}

static GBytes *
read_piece (BmffSource *source, const Piece *piece, GError **error)
{
  return bmff_source_read_all (source, piece->offset, piece->size,
      "auxiliary information that saio points at", error);
}

/* Of a stream, not all may be there yet: then the one that comes last is asked
 * for, so that it is not asked again for each. */
static gboolean
try_last (const GArray *pieces, BmffSource *source, GError **error)
{
  const Piece *last = NULL;
  g_autoptr (GBytes) bytes = NULL;
  guint i;

  for (i = 0; i < pieces->len; i++) {
    const Piece *piece = &g_array_index (pieces, Piece, i);

    if (!last || piece->offset > last->offset)
      last = piece;
  }
  if (pieces->len <= 1)
    return TRUE;
  bytes = read_piece (source, last, error);
  return bytes != NULL;
}

/* Appends to @data what stands at the offsets. */
static gboolean
collect (const Where *where, guint64 base, const GArray *run_counts,
    BmffSource *source, GByteArray *data, GError **error)
{
  g_autoptr (GArray) pieces = find_pieces (where, base, run_counts, error);
  guint i;

  if (!pieces)
    return FALSE;
  if (pieces->len > 0 && !source)
    return cenc_refuse_box (where->saio, error, GST_CENC_ERROR_FORMAT,
        "the auxiliary information stands outside what is at hand");
  if (!try_last (pieces, source, error))
    return FALSE;
  for (i = 0; i < pieces->len; i++) {
    g_autoptr (GBytes) bytes =
        read_piece (source, &g_array_index (pieces, Piece, i), error);

    if (!bytes)
      return FALSE;
    g_byte_array_append (data, g_bytes_get_data (bytes, NULL),
        (guint) g_bytes_get_size (bytes));
  }
  return TRUE;
}

static gboolean
read_item (const guint8 *data, gsize size, const CencParams *params,
    CencAuxItem *item)
{
  if (!params)
    return TRUE; /* clear: nobody asks */
  item->iv_size = params->per_sample_iv_size;
  if (size == item->iv_size)
    return TRUE;
  if (size < (gsize) item->iv_size + 2)
    return FALSE;
  item->n_subsamples = bmff_get_u16 (data + item->iv_size);
  return size ==
      (gsize) item->iv_size + 2 +
      (gsize) item->n_subsamples * CENC_SUBSAMPLE_SIZE;
}

static gboolean
read_items (CencAuxTable *self, const Where *where, CencParamsFunc params,
    gpointer user_data, GError **error)
{
  const guint8 *data = g_bytes_get_data (self->bytes, NULL);
  guint32 i, offset = 0;

  for (i = 0; i < where->count; i++) {
    CencAuxItem item = { offset, 0, 0 };
    guint8 size = size_of (where, i);

    const CencParams *sample = params (i, user_data);

    if (!read_item (data + offset, size, sample, &item))
      return cenc_refuse_box (where->saiz, error, GST_CENC_ERROR_FORMAT,
          "%u bytes are no auxiliary information for sample %u", size, i + 1);
    cenc_aux_table_add (self, &item, sample != NULL);
    offset += size;
  }
  return TRUE;
}

/* FALSE with an error, or without if there is no saiz. */
static gboolean
find_where (const BmffBox *parent, Where *where, GError **error)
{
  BmffReader saiz, saio;
  guint8 version;

  where->saiz = find_aux_box (parent, FOURCC_SAIZ, &saiz, &version);
  if (!where->saiz)
    return FALSE;
  where->saio = find_aux_box (parent, FOURCC_SAIO, &saio, &version);
  if (!where->saio)
    return cenc_refuse_box (where->saiz, error, GST_CENC_ERROR_FORMAT,
        "there is no saio beside it");
  return read_saiz (where, &saiz, error) &&
      read_saio (where, &saio, version, error);
}

CencAuxTable *
cenc_aux_table_new_from_saiz_bounded (const BmffBox *parent, guint64 base,
    const GArray *run_counts, BmffSource *source, guint32 max_samples,
    CencParamsFunc params, gpointer user_data, GError **error)
{
  g_autoptr (CencAuxTable) self = NULL;
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  Where where = { 0 };

  if (!find_where (parent, &where, error) ||
      !cenc_aux_check_count (where.saiz, where.count, max_samples, error) ||
      !collect (&where, base, run_counts, source, data, error))
    return NULL;
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&data));
  self = cenc_aux_table_new (bytes);
  if (!read_items (self, &where, params, user_data, error))
    return NULL;
  return g_steal_pointer (&self);
}

CencAuxTable *
cenc_aux_table_new_from_saiz (const BmffBox *parent, guint64 base,
    const GArray *run_counts, BmffSource *source, CencParamsFunc params,
    gpointer user_data, GError **error)
{
  return cenc_aux_table_new_from_saiz_bounded (parent, base, run_counts, source,
      G_MAXUINT32, params, user_data, error);
}
