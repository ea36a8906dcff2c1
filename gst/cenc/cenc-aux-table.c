/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-aux-table.h"

#include "gst/cenc/cenc-refuse.h"

CencAuxTable *
cenc_aux_table_new (GBytes *bytes)
{
  CencAuxTable *self = g_new0 (CencAuxTable, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->bytes = g_bytes_ref (bytes);
  self->items = g_array_new (FALSE, FALSE, sizeof (CencAuxItem));
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

void
cenc_aux_table_add (CencAuxTable *self, const CencAuxItem *item,
    gboolean is_protected)
{
  g_array_append_vals (self->items, item, 1);
  self->tells |= is_protected;
}

gboolean
cenc_aux_table_get (const CencAuxTable *self, guint32 index, CencSampleAux *aux)
{
  const guint8 *data = g_bytes_get_data (self->bytes, NULL);
  const CencAuxItem *item;

  if (index >= self->items->len)
    return FALSE;
  item = &g_array_index (self->items, CencAuxItem, index);
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

gboolean
cenc_aux_check_count (const BmffBox *box, guint32 count, guint32 max,
    GError **error)
{
  if (count <= MIN (max, CENC_AUX_MAX_ITEMS))
    return TRUE;
  return cenc_refuse_box (box, error, GST_CENC_ERROR_FORMAT,
      "it tells of %u samples, where there are %u", count,
      MIN (max, CENC_AUX_MAX_ITEMS));
}
