/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading senc (ISO/IEC 23001-7, 7.2), and PIFF's uuid senc. */

#include "gst/cenc/cenc-aux-table.h"
#include "gst/cenc/cenc-refuse.h"

#define SENC_OVERRIDE 1 /* PIFF 1.1, 5.3.2.1 */
#define SENC_SUBSAMPLES 2

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
read_senc_item (SencShape *shape, guint32 index, BmffReader *reader,
    CencAuxItem *item)
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

  if (count >= max_samples || max_samples > CENC_AUX_MAX_ITEMS)
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
    CencAuxItem item;
    gboolean is_protected = read_senc_item (shape, i, &reader, &item);

    self->n_empty += reader.pos == item.offset;
    cenc_aux_table_add (self, &item, is_protected);
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

CencAuxTable *
cenc_aux_table_new_from_senc_bounded (const BmffBox *senc, guint32 max_samples,
    CencParamsFunc params, gpointer user_data, GError **error)
{
  g_autoptr (CencAuxTable) self = cenc_aux_table_new (senc->payload);
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
  if (!cenc_aux_check_count (senc, count, max_samples, error))
    return NULL;
  if (!bmff_reader_ok (&reader) ||
      !read_senc_any_way (self, &shape, &reader, count, max_samples)) {
    cenc_refuse_box (senc, error, GST_CENC_ERROR_FORMAT,
        "it does not hold just its %u samples", count);
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
