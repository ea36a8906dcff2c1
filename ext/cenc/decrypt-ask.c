/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-ask.h"

#include <gst/cenc/gstcenckeyring.h>

struct _DecryptAsk
{
  GstElement *element;
  GstPad *sinkpad, *srcpad;
  DecryptKeys *keys;

  GMutex lock;
  GError *error; /* of the property */
  gchar *system_id; /* of the last protection event */
  GstBuffer *init_data;
};

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

static void
ask_for_context (GstElement *element, GstPad *srcpad, GstPad *sinkpad)
{
  if (query_context (element, srcpad) || query_context (element, sinkpad))
    return;
  gst_element_post_message (element,
      gst_message_new_need_context (GST_OBJECT (element),
          GST_CENC_KEY_SESSION_CONTEXT_TYPE));
}

GstCencKeySession *
decrypt_ask_open_store (void)
{
  /* Not gst_dynamic_type_factory_load(), which keeps a reference to the factory. */
  g_autoptr (GstPluginFeature) factory =
      gst_registry_find_feature (gst_registry_get (),
          GST_CENC_DEVICE_SESSION_TYPE_NAME, GST_TYPE_DYNAMIC_TYPE_FACTORY);
  g_autoptr (GstPluginFeature) loaded =
      factory ? gst_plugin_feature_load (factory) : NULL;
  GType type = loaded ? g_type_from_name (GST_CENC_DEVICE_SESSION_TYPE_NAME)
                      : G_TYPE_INVALID;

  if (!g_type_is_a (type, GST_TYPE_CENC_KEY_SESSION))
    return NULL;
  return gst_object_ref_sink (g_object_new (type, NULL));
}

static GstCencKeySession *
ask_for_store (gpointer user_data)
{
  return decrypt_ask_open_store ();
}

static void
ask_for_key (GstElement *element, const guint8 *kid, const gchar *system_id,
    GstBuffer *init_data)
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

static void
on_ask_context (gpointer user_data)
{
  DecryptAsk *self = user_data;

  ask_for_context (self->element, self->srcpad, self->sinkpad);
}

static void
on_key_needed (const guint8 *kid, gpointer user_data)
{
  DecryptAsk *self = user_data;
  g_autofree gchar *system_id = NULL;
  g_autoptr (GstBuffer) init_data = NULL;

  g_mutex_lock (&self->lock);
  system_id = g_strdup (self->system_id);
  gst_buffer_replace (&init_data, self->init_data);
  g_mutex_unlock (&self->lock);
  ask_for_key (self->element, kid, system_id, init_data);
}

static void
on_license_message (const GstStructure *structure, gpointer user_data)
{
  DecryptAsk *self = user_data;

  gst_element_post_message (self->element,
      gst_message_new_element (GST_OBJECT (self->element),
          gst_structure_copy (structure)));
}

static const DecryptKeysFuncs keys_funcs = { on_ask_context, ask_for_store,
  on_key_needed, on_license_message };

DecryptAsk *
decrypt_ask_new (GstElement *element, GstPad *sinkpad, GstPad *srcpad)
{
  DecryptAsk *self = g_new0 (DecryptAsk, 1);

  self->element = element;
  self->sinkpad = sinkpad;
  self->srcpad = srcpad;
  self->keys = decrypt_keys_new (&keys_funcs, self);
  g_mutex_init (&self->lock);
  return self;
}

void
decrypt_ask_free (DecryptAsk *self)
{
  if (!self)
    return;
  decrypt_keys_free (self->keys);
  decrypt_ask_reset (self);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_free (self);
}

DecryptKeys *
decrypt_ask_get_keys (DecryptAsk *self)
{
  return self->keys;
}

void
decrypt_ask_take_context (DecryptAsk *self, GstContext *context)
{
  g_autoptr (GstCencKeySession) session = NULL;

  if (context)
    session = gst_cenc_key_session_from_context (context);
  if (session)
    decrypt_keys_add_session (self->keys, DECRYPT_KEYS_CONTEXT, session);
}

void
decrypt_ask_set_property (DecryptAsk *self, const gchar *keys, gboolean tell)
{
  g_autoptr (GstCencKeyRing) ring = gst_cenc_key_ring_new ();
  GError *error = NULL;

  (void) gst_cenc_key_ring_add_hex (ring, keys ? keys : "", &error);
  g_mutex_lock (&self->lock);
  g_clear_error (&self->error);
  self->error = error;
  g_mutex_unlock (&self->lock);

  decrypt_keys_clear (self->keys, DECRYPT_KEYS_PROPERTY);
  decrypt_keys_add_session (self->keys, DECRYPT_KEYS_PROPERTY,
      GST_CENC_KEY_SESSION (ring));
  if (tell)
    (void) decrypt_ask_check (self);
}

gboolean
decrypt_ask_check (DecryptAsk *self)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->lock);
  error = self->error ? g_error_copy (self->error) : NULL;
  g_mutex_unlock (&self->lock);
  if (error)
    GST_ELEMENT_ERROR (self->element, RESOURCE, SETTINGS,
        ("keys: %s", error->message), (NULL));
  return error == NULL;
}

void
decrypt_ask_take_protection (DecryptAsk *self, GstEvent *event)
{
  const gchar *system_id = NULL;
  GstBuffer *data = NULL;

  gst_event_parse_protection (event, &system_id, &data, NULL);
  g_mutex_lock (&self->lock);
  g_free (self->system_id);
  self->system_id = g_strdup (system_id);
  gst_buffer_replace (&self->init_data, data);
  g_mutex_unlock (&self->lock);
}

void
decrypt_ask_reset (DecryptAsk *self)
{
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->system_id, g_free);
  gst_clear_buffer (&self->init_data);
  g_mutex_unlock (&self->lock);
}
