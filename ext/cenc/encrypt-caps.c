/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-caps.h"

#include "cenc/encrypt-movie.h"

#define STREAMHEADER "streamheader"

static GBytes *
join (const GValue *headers)
{
  GstBuffer *all = gst_buffer_new ();
  gpointer data = NULL;
  gsize size = 0;
  guint i;

  for (i = 0; i < gst_value_array_get_size (headers); i++) {
    const GValue *value = gst_value_array_get_value (headers, i);
    GstBuffer *one =
        GST_VALUE_HOLDS_BUFFER (value) ? gst_value_get_buffer (value) : NULL;

    if (one)
      all = gst_buffer_append (all, gst_buffer_ref (one));
  }
  gst_buffer_extract_dup (all, 0, -1, &data, &size);
  gst_buffer_unref (all);
  return g_bytes_new_take (data, size);
}

static void
set_headers (GstStructure *structure, GBytes *bytes)
{
  GstBuffer *buffer = gst_buffer_new_wrapped_bytes (bytes);
  GValue array = G_VALUE_INIT, value = G_VALUE_INIT;

  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_HEADER);
  g_value_init (&array, GST_TYPE_ARRAY);
  g_value_init (&value, GST_TYPE_BUFFER);
  gst_value_take_buffer (&value, buffer);
  gst_value_array_append_and_take_value (&array, &value);
  gst_structure_take_value (structure, STREAMHEADER, &array);
}

GstCaps *
encrypt_caps_protect (GstCaps *caps, EncryptPlan *plan, GError **error)
{
  g_autoptr (GstCaps) copy = gst_caps_copy (caps);
  GstStructure *structure = gst_caps_get_structure (copy, 0);
  const GValue *headers = gst_structure_get_value (structure, STREAMHEADER);
  g_autoptr (GBytes) clear = NULL;
  g_autoptr (GBytes) made = NULL;
  gboolean fragmented = FALSE;

  if (headers && GST_VALUE_HOLDS_ARRAY (headers)) {
    clear = join (headers);
    made = encrypt_headers_protect (clear, plan, &fragmented, error);
    if (!made)
      return NULL;
  }
  if (fragmented)
    set_headers (structure, made);
  else
    gst_structure_remove_field (structure, STREAMHEADER);
  return g_steal_pointer (&copy);
}

GstEvent *
encrypt_caps_protect_event (GstEvent *event, EncryptPlan *plan, GError **error)
{
  g_autoptr (GstCaps) caps = NULL;
  GstCaps *clear;
  GstEvent *made;

  gst_event_parse_caps (event, &clear);
  caps = encrypt_caps_protect (clear, plan, error);
  if (!caps)
    return NULL;
  made = gst_event_new_caps (caps);
  gst_event_set_seqnum (made, gst_event_get_seqnum (event));
  return made;
}
