/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-refuse.h"

gboolean
cenc_refuse_box (const BmffBox *box, GError **error, GstCencError code,
    const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  if (box->offset == G_MAXUINT64)
    g_set_error (error, GST_CENC_ERROR, code, "%" BMFF_FOURCC_FORMAT ": %s",
        BMFF_FOURCC_ARGS (box->type), text);
  else
    g_set_error (error, GST_CENC_ERROR, code,
        "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT ": %s",
        BMFF_FOURCC_ARGS (box->type), box->offset, text);
  return FALSE;
}
