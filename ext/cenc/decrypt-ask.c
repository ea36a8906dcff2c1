/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-ask.h"

#include <gst/cenc/gstcenckeyring.h>

static gboolean
query_context (GstElement *element, GstPad *pad)
{
  g_autoptr (GstQuery) query =
      gst_query_new_context (GST_CENC_KEY_SESSION_CONTEXT_TYPE);
  GstContext *context = NULL;

  if (!gst_pad_peer_query (pad, query))
    return FALSE;
  gst_query_parse_context (query, &context);
  if (context)
    gst_element_set_context (element, context);
  return context != NULL;
}

void
decrypt_ask_for_context (GstElement *element, GstPad *srcpad, GstPad *sinkpad)
{
  if (query_context (element, srcpad) || query_context (element, sinkpad))
    return;
  gst_element_post_message (element,
      gst_message_new_need_context (GST_OBJECT (element),
          GST_CENC_KEY_SESSION_CONTEXT_TYPE));
}

GstCencKeySession *
decrypt_ask_for_store (void)
{
  GType type =
      gst_dynamic_type_factory_load (GST_CENC_DEVICE_SESSION_TYPE_NAME);

  if (type == G_TYPE_INVALID || !g_type_is_a (type, GST_TYPE_CENC_KEY_SESSION))
    return NULL;
  return gst_object_ref_sink (g_object_new (type, NULL));
}

void
decrypt_ask_for_key (GstElement *element, const guint8 *kid,
    const gchar *system_id, GstBuffer *init_data)
{
  g_autofree gchar *text = gst_cenc_kid_to_string (kid);
  GstStructure *structure = gst_structure_new ("cencdecrypt-key-needed",
      "key-id", G_TYPE_STRING, text, NULL);

  if (system_id)
    gst_structure_set (structure, "system-id", G_TYPE_STRING, system_id, NULL);
  if (init_data)
    gst_structure_set (structure, "init-data", GST_TYPE_BUFFER, init_data,
        NULL);
  gst_element_post_message (element,
      gst_message_new_element (GST_OBJECT (element), structure));
}
