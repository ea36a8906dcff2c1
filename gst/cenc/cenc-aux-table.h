/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a CencAuxTable is filled, by the one who reads senc (cenc-aux-senc.c) and
 * the one who reads saiz and saio (cenc-aux-saiz.c).
 */

#pragma once

#include <gst/cenc/cenc-aux.h>

G_BEGIN_DECLS

/** Items may take no bytes, so that their number has to be bounded: a day at 60 frames a second has 5 million samples. */
#define CENC_AUX_MAX_ITEMS (1u << 23)

/** A sample's information in the table's bytes: an IV, a count and the subsamples. */
typedef struct
{
  guint32 offset;
  guint16 n_subsamples;
  guint8 iv_size;
} CencAuxItem;

struct _CencAuxTable
{
  gatomicrefcount ref_count;
  GBytes *bytes;
  GArray *items; /* CencAuxItem */
  guint32 n_empty, n_in_vain; /* items without bytes, clear samples looked at */
  gboolean tells; /* of a sample that is protected */
  CencParams override;
  gboolean has_override;
};

/** A table of no samples. @bytes: what the items' offsets are in; it takes a reference. (transfer full) */
CencAuxTable *cenc_aux_table_new (GBytes *bytes);
/** The next sample's @item. @is_protected: FALSE for one of which nothing is asked. */
void cenc_aux_table_add (CencAuxTable *self, const CencAuxItem *item,
    gboolean is_protected);

/** FALSE with GST_CENC_ERROR_FORMAT if @box tells of more than @max samples, or of more than any table holds. */
gboolean cenc_aux_check_count (const BmffBox *box, guint32 count, guint32 max,
    GError **error);

G_END_DECLS
