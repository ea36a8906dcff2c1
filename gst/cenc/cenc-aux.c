/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading; cenc-aux-writer.c has the other direction. */

#include "gst/cenc/cenc-aux.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#define FOURCC_SAIO BMFF_FOURCC ('s', 'a', 'i', 'o')
#define FOURCC_SAIZ BMFF_FOURCC ('s', 'a', 'i', 'z')

#define SENC_OVERRIDE 1 /* PIFF 1.1, 5.3.2.1 */
#define SENC_SUBSAMPLES 2
#define AUX_HAS_TYPE 1

/* Items may take no bytes, so that their number has to be bounded: a day at 60
 * frames a second has 5 million samples. */
#define MAX_ITEMS (1u << 23)

/* A sample's information in the table's bytes. */
typedef struct
{
  guint32 offset;
  guint16 n_subsamples;
  guint8 iv_size;
} Item;

struct _CencAuxTable
{
  gatomicrefcount ref_count;
  GBytes *bytes;
  GArray *items; /* Item */
  guint32 n_empty, n_in_vain; /* items without bytes, clear samples looked at */
  gboolean tells; /* of a sample that is protected */
  CencParams override;
  gboolean has_override;
};

static CencAuxTable *
table_new (GBytes *bytes)
{
  CencAuxTable *self = g_new0 (CencAuxTable, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->bytes = g_bytes_ref (bytes);
  self->items = g_array_new (FALSE, FALSE, sizeof (Item));
  return self;
}

CencAuxTable *
cenc_aux_table_ref (CencAuxTable *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
cenc_aux_table_unref (CencAuxTable *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_bytes_unref (self->bytes);
  g_array_unref (self->items);
  g_free (self);
}

guint32
cenc_aux_table_get_count (const CencAuxTable *self)
{
  return self->items->len;
}

gboolean
cenc_aux_table_is_empty (const CencAuxTable *self)
{
  return !self->tells;
}

static void
table_add (CencAuxTable *self, const Item *item, gboolean is_protected)
{
  g_array_append_vals (self->items, item, 1);
  self->tells |= is_protected;
}

gboolean
cenc_aux_table_get (const CencAuxTable *self, guint32 index, CencSampleAux *aux)
{
  const guint8 *data = g_bytes_get_data (self->bytes, NULL);
  const Item *item;

  if (index >= self->items->len)
    return FALSE;
  item = &g_array_index (self->items, Item, index);
  data += item->offset;
  aux->iv = item->iv_size ? data : NULL;
  aux->iv_size = item->iv_size;
  aux->n_subsamples = item->n_subsamples;
  /* Behind the IV and the count. */
  aux->subsamples = item->n_subsamples ? data + item->iv_size + 2 : NULL;
  return TRUE;
}

guint32
cenc_aux_table_get_n_empty (const CencAuxTable *self)
{
  return self->n_empty + self->n_in_vain;
}

const CencParams *
cenc_aux_table_get_override (const CencAuxTable *self)
{
  return self->has_override ? &self->override : NULL;
}

static gboolean refuse (const BmffBox *box, GError **error, const gchar *format,
    ...) G_GNUC_PRINTF (3, 4);

static gboolean
refuse (const BmffBox *box, GError **error, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT ": %s",
      BMFF_FOURCC_ARGS (box->type), box->offset, text);
  return FALSE;
}

/* --- senc --- */

/* What stands in senc for a sample that is not protected. */
typedef enum
{
  CLEAR_IS_NOT_COUNTED, /* nothing, nor does sample_count know it, as by GPAC */
  CLEAR_HAS_COUNT, /* subsample_count, as the syntax says (7.2.2) */
  CLEAR_HAS_NOTHING, /* no bytes, as in auxiliary information (7.1) */
  CLEAR_HAS_ALL, /* an IV too: a sample of a clear entry among others */
  N_CLEAR_SHAPES
} ClearShape;

typedef struct
{
  CencParamsFunc func;
  gpointer user_data;
  const CencParams *override;
  gboolean has_subsamples;
  ClearShape clear;
  guint8 clear_iv_size;
  gboolean seen_clear;
} SencShape;

static const CencParams *
params_of (const SencShape *shape, guint32 index)
{
  if (shape->override)
    return shape->override->is_protected ? shape->override : NULL;
  return shape->func (index, shape->user_data);
}

static void
read_clear_item (SencShape *shape, BmffReader *reader)
{
  shape->seen_clear = TRUE;
  if (shape->clear == CLEAR_HAS_ALL)
    bmff_reader_skip (reader, shape->clear_iv_size);
  if (shape->clear == CLEAR_IS_NOT_COUNTED)
    return;
  if (shape->clear != CLEAR_HAS_NOTHING && shape->has_subsamples)
    bmff_reader_skip (reader,
        (gsize) bmff_reader_u16 (reader) * CENC_SUBSAMPLE_SIZE);
}

/* FALSE: the sample is not protected. */
static gboolean
read_senc_item (SencShape *shape, guint32 index, BmffReader *reader, Item *item)
{
  const CencParams *params = params_of (shape, index);

  item->offset = (guint32) reader->pos;
  item->iv_size = 0;
  item->n_subsamples = 0;
  if (!params) {
    read_clear_item (shape, reader);
    return FALSE;
  }
  shape->clear_iv_size = params->per_sample_iv_size;
  item->iv_size = params->per_sample_iv_size;
  bmff_reader_skip (reader, item->iv_size);
  if (!shape->has_subsamples)
    return TRUE;
  item->n_subsamples = bmff_reader_u16 (reader);
  bmff_reader_skip (reader, (gsize) item->n_subsamples * CENC_SUBSAMPLE_SIZE);
  return TRUE;
}

/* Whether senc tells of as many samples as are protected, where others are not. */
static gboolean
counts_protected (CencAuxTable *self, const SencShape *shape, guint32 count,
    guint32 max_samples)
{
  guint32 i, n_protected = 0;

  if (count >= max_samples || max_samples > MAX_ITEMS)
    return FALSE;
  for (i = 0; i < max_samples && n_protected <= count; i++)
    n_protected += params_of (shape, i) ? 1 : 0;
  if (n_protected == count)
    return TRUE;
  self->n_in_vain = i - n_protected;
  return FALSE;
}

/* FALSE if the box ends before the items do. @rest: bytes behind them. */
static gboolean
read_senc_items (CencAuxTable *self, SencShape *shape, BmffReader reader,
    guint32 count, gsize *rest)
{
  guint32 i, n = 0;

  g_array_set_size (self->items, 0);
  self->n_empty = 0;
  self->tells = FALSE;
  for (i = 0; n < count && bmff_reader_ok (&reader); i++) {
    Item item;
    gboolean is_protected = read_senc_item (shape, i, &reader, &item);

    self->n_empty += reader.pos == item.offset;
    table_add (self, &item, is_protected);
    if (is_protected || shape->clear != CLEAR_IS_NOT_COUNTED)
      n++;
  }
  *rest = bmff_reader_left (&reader);
  return bmff_reader_ok (&reader);
}

/*
 * Where some samples are clear, files differ in what they write for them, and
 * only one way ends where the box ends. Where all are protected there is one way
 * only, and bytes behind the last item do no harm.
 */
static gboolean
read_senc_any_way (CencAuxTable *self, SencShape *shape,
    const BmffReader *reader, guint32 count, guint32 max_samples)
{
  gsize rest;
  guint way = counts_protected (self, shape, count, max_samples)
      ? CLEAR_IS_NOT_COUNTED
      : CLEAR_HAS_COUNT;

  for (; way < N_CLEAR_SHAPES; way++) {
    gboolean ok;

    shape->clear = (ClearShape) way;
    ok = read_senc_items (self, shape, *reader, count, &rest);
    if (ok && rest == 0)
      return TRUE;
    if (!shape->seen_clear)
      return ok;
  }
  return FALSE;
}

static gboolean
check_count (const BmffBox *box, guint32 count, guint32 max, GError **error)
{
  if (count <= MIN (max, MAX_ITEMS))
    return TRUE;
  return refuse (box, error, "it tells of %u samples, where there are %u",
      count, MIN (max, MAX_ITEMS));
}

CencAuxTable *
cenc_aux_table_new_from_senc_bounded (const BmffBox *senc, guint32 max_samples,
    CencParamsFunc params, gpointer user_data, GError **error)
{
  g_autoptr (CencAuxTable) self = table_new (senc->payload);
  SencShape shape = { params, user_data };
  BmffReader reader;
  guint32 flags, count;

  if (!bmff_box_get_full_reader (senc, &reader, NULL, &flags, error))
    return NULL;
  if (flags & SENC_OVERRIDE) {
    if (!cenc_params_parse_piff_algorithm (&self->override, &reader, error)) {
      g_prefix_error (error, "senc at %" G_GUINT64_FORMAT ": ", senc->offset);
      return NULL;
    }
    self->has_override = TRUE;
    shape.override = &self->override;
  }
  shape.has_subsamples = (flags & SENC_SUBSAMPLES) != 0;
  count = bmff_reader_u32 (&reader);
  if (!check_count (senc, count, max_samples, error))
    return NULL;
  if (!bmff_reader_ok (&reader) ||
      !read_senc_any_way (self, &shape, &reader, count, max_samples)) {
    refuse (senc, error, "it does not hold just its %u samples", count);
    return NULL;
  }
  return g_steal_pointer (&self);
}

CencAuxTable *
cenc_aux_table_new_from_senc (const BmffBox *senc, CencParamsFunc params,
    gpointer user_data, GError **error)
{
  return cenc_aux_table_new_from_senc_bounded (senc, G_MAXUINT32, params,
      user_data, error);
}

/* --- saiz and saio --- */

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
    return refuse (where->saiz, error, "it ends before its %u sizes do",
        where->count);
  return TRUE;
}

static gboolean
read_saio (Where *where, BmffReader *reader, guint8 version, GError **error)
{
  where->offset_size = version == 0 ? 4 : 8;
  where->n_offsets = bmff_reader_u32 (reader);
  if (!bmff_reader_ok (reader) ||
      !bmff_reader_has (reader, where->n_offsets, where->offset_size))
    return refuse (where->saio, error, "it ends before its %u offsets do",
        where->n_offsets);
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
    return refuse (where->saio, error,
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
    return refuse (where->saiz, error,
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
      refuse (where->saio, error, "offset %u leads nowhere", entry);
      return NULL;
    }
    piece.offset = base + offset;
    piece.size = (gsize) size;
    if (size > 0)
      g_array_append_val (pieces, piece);
  }
  if (first < where->count) {
    refuse (where->saio, error, "its %u offsets are for %u of %u samples",
        where->n_offsets, first, where->count);
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
    return refuse (where->saio, error,
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
read_item (const guint8 *data, gsize size, const CencParams *params, Item *item)
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
    Item item = { offset, 0, 0 };
    guint8 size = size_of (where, i);

    const CencParams *sample = params (i, user_data);

    if (!read_item (data + offset, size, sample, &item))
      return refuse (where->saiz, error,
          "%u bytes are no auxiliary information for sample %u", size, i + 1);
    table_add (self, &item, sample != NULL);
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
    return refuse (where->saiz, error, "there is no saio beside it");
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
      !check_count (where.saiz, where.count, max_samples, error) ||
      !collect (&where, base, run_counts, source, data, error))
    return NULL;
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&data));
  self = table_new (bytes);
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
