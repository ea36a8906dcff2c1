/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BmffSource: bytes to be read by place: a block of memory, a fragment, a
 * pulling pad, a spool file, an HTTP range. One walk over boxes serves them all.
 */

#pragma once

#include <gst/isobmff/bmff-box.h>

G_BEGIN_DECLS

typedef struct _BmffSource BmffSource;

typedef struct
{
  /* (transfer full): @size bytes at @offset; fewer only where the source ends
   * there (none: an empty GBytes); NULL with an error of the implementor's. May
   * block. */
  GBytes *(
      *read) (gpointer user_data, guint64 offset, gsize size, GError **error);
  /* Size in bytes, or G_MAXUINT64 if it is not known. */
  guint64 (*get_size) (gpointer user_data);
  void (*free) (gpointer user_data); /* nullable */
} BmffSourceFuncs;

/** @funcs has to outlive the source. */
BmffSource *bmff_source_new (const BmffSourceFuncs *funcs, gpointer user_data);
/** Bytes that stand at @offset of a file; a read of anything else gives none. */
BmffSource *bmff_source_new_bytes (GBytes *bytes, guint64 offset);
void bmff_source_free (BmffSource *self);

GBytes *
bmff_source_read (BmffSource *self, guint64 offset, gsize size, GError **error);
/** Like bmff_source_read(), but fewer bytes are a BMFF_ERROR_TRUNCATED that names @what and @offset. */
GBytes *bmff_source_read_all (BmffSource *self, guint64 offset, gsize size,
    const gchar *what, GError **error);
guint64 bmff_source_get_size (BmffSource *self);

/**
 * bmff_source_read_header:
 * @header: (out): its size is resolved: a box that reaches to the end of the
 *   file has the size that the source says, or 0 if that is not known
 *
 * Returns: TRUE, or FALSE without error at the very end of the source, or FALSE
 *   with BMFF_ERROR_TRUNCATED or BMFF_ERROR_INVALID
 */
gboolean bmff_source_read_header (BmffSource *self, guint64 offset,
    BmffHeader *header, GError **error);
/** Reads and parses the whole box at @offset; over BMFF_MAX_HEADER_BOX is BMFF_ERROR_LIMIT. */
BmffBox *
bmff_source_read_box (BmffSource *self, guint64 offset, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffSource, bmff_source_free)

G_END_DECLS
