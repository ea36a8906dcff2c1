/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* saio, ISO/IEC 14496-12, 8.7.9 */

#include "gst/isobmff/bmff-index.h"

/* Where the offsets start, their number and the bytes of each. */
static gboolean
read_saio (BmffBox *saio, gsize *pos, guint32 *n, guint *size, GError **error)
{
  BmffReader reader;
  guint8 version;
  guint32 flags;

  if (!bmff_box_get_full_reader (saio, &reader, &version, &flags, error))
    return FALSE;
  if (flags & 1)
    bmff_reader_skip (&reader, 8); /* aux_info_type and its parameter */
  *n = bmff_reader_u32 (&reader);
  *size = version == 0 ? 4 : 8;
  *pos = reader.pos;
  if (bmff_reader_ok (&reader) && bmff_reader_has (&reader, *n, *size))
    return TRUE;
  bmff_box_set_error (saio, error, BMFF_ERROR_TRUNCATED,
      "it ends before its %u offsets do", *n);
  return FALSE;
}

static gboolean
move_one (BmffBox *saio, guint8 *p, guint size, guint64 moved, GError **error)
{
  if (moved == G_MAXUINT64) {
    bmff_box_set_error (saio, error, BMFF_ERROR_UNSUPPORTED,
        "the auxiliary information that it leads to stands in boxes that are "
        "written anew");
    return FALSE;
  }
  if (size == 4 && moved > G_MAXUINT32) {
    bmff_box_set_error (saio, error, BMFF_ERROR_UNSUPPORTED,
        "the new offset %" G_GUINT64_FORMAT " does not fit its field", moved);
    return FALSE;
  }
  if (size == 4)
    bmff_put_u32 (p, (guint32) moved);
  else
    bmff_put_u64 (p, moved);
  return TRUE;
}

gboolean
bmff_saio_move (BmffBox *saio, BmffMoveFunc move, gpointer user_data,
    GError **error)
{
  guint8 *p;
  gsize pos;
  guint32 n;
  guint size;

  if (!read_saio (saio, &pos, &n, &size, error))
    return FALSE;
  p = bmff_box_edit_payload (saio, NULL) + pos;
  for (; n > 0; n--, p += size) {
    guint64 offset = size == 4 ? bmff_get_u32 (p) : bmff_get_u64 (p);

    if (!move_one (saio, p, size, move (offset, user_data), error))
      return FALSE;
  }
  return TRUE;
}
