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
