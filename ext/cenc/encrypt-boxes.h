/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The boxes of a progressive file, from its start to its end: where its moov
 * and its mdats are, and what has to be rewritten.
 */

#pragma once

#include "gst/isobmff/bmff-source.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 start, end; /* in the file */
} EncryptRange;

typedef struct
{
  BmffBox *moov; /* owned until it is stolen */
  EncryptRange moov_range;
  GPtrArray *metas; /* (element-type BmffBox), of the file level */
  GArray *mdats; /* (element-type EncryptRange), payloads, by place */
  guint64 size; /* of the file */
} EncryptBoxes;

/** Walks all of @source. Refuses a file without moov, with two, with fragments, or that ends within a box. */
EncryptBoxes *encrypt_boxes_new (BmffSource *source, GError **error);
void encrypt_boxes_free (EncryptBoxes *self);
/** Whether the range lies in one mdat. */
gboolean
encrypt_boxes_in_mdat (const EncryptBoxes *self, guint64 start, guint64 end);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptBoxes, encrypt_boxes_free)

G_END_DECLS
