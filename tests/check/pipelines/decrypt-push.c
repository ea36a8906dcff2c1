/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "decrypt-push.h"

#include <string.h>

#define BLOCK 65536u

GByteArray *
read_file (const gchar *path)
{
  gchar *data;
  gsize size;

  fail_unless (g_file_get_contents (path, &data, &size, NULL), "%s", path);
  return g_byte_array_new_take ((guint8 *) data, size);
}

GstFlowReturn
push_all (GstHarness *h, const GByteArray *data)
{
  GstFlowReturn ret = GST_FLOW_OK;
  guint pos, size;

  for (pos = 0; pos < data->len && ret == GST_FLOW_OK; pos += size) {
    size = MIN (BLOCK, data->len - pos);
    ret = gst_harness_push (h, gst_buffer_new_memdup (data->data + pos, size));
  }
  return ret;
}

GByteArray *
pull_all (GstHarness *h)
{
  GByteArray *data = g_byte_array_new ();
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h))) {
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (data, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  return data;
}

guint
find_box (const GByteArray *data, const gchar *type)
{
  guint pos = 0;

  while (memcmp (data->data + pos + 4, type, 4) != 0) {
    fail_unless (GST_READ_UINT32_BE (data->data + pos) >= 8);
    pos += GST_READ_UINT32_BE (data->data + pos);
    fail_unless (pos + 8 <= data->len);
  }
  return pos;
}

guint
next_box (const GByteArray *file, guint offset)
{
  guint at = 0;

  while (at <= offset)
    at += GST_READ_UINT32_BE (file->data + at);
  return at;
}

void
move_chunks (guint8 *moov, guint size, guint from, gint delta)
{
  guint i, j;

  for (i = 4; i + 12 < size; i++) {
    for (j = 0; memcmp (moov + i, "stco", 4) == 0 &&
         j < GST_READ_UINT32_BE (moov + i + 8);
         j++) {
      guint8 *entry = moov + i + 12 + 4 * (gsize) j;
      guint offset = GST_READ_UINT32_BE (entry);

      if (offset >= from)
        GST_WRITE_UINT32_BE (entry, (guint32) ((gint) offset + delta));
    }
  }
}

GByteArray *
moov_last (const gchar *path, guint padding)
{
  GByteArray *in = read_file (path), *out = g_byte_array_new ();
  guint moov = find_box (in, "moov"), mdat = find_box (in, "mdat");
  guint moov_size = GST_READ_UINT32_BE (in->data + moov);
  guint mdat_size = GST_READ_UINT32_BE (in->data + mdat);
  guint ftyp_size = GST_READ_UINT32_BE (in->data);
  guint8 *zeros = g_malloc0 (padding);

  g_byte_array_append (out, in->data, ftyp_size);
  g_byte_array_append (out, in->data + mdat, mdat_size);
  g_byte_array_append (out, zeros, padding);
  GST_WRITE_UINT32_BE (out->data + ftyp_size, mdat_size + padding);
  move_chunks (in->data + moov, moov_size, 0, (gint) ftyp_size - (gint) mdat);
  g_byte_array_append (out, in->data + moov, moov_size);
  g_byte_array_unref (in);
  g_free (zeros);
  return out;
}
