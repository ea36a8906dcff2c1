/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-ask.h"

#include "cenc/decrypt-adaptive.h"
#include "cenc/decrypt-error.h"
#include <gst/cenc/gstcenckeyring.h>

struct _DecryptAsk
{
  GstElement *element;
  GstPad *sinkpad, *srcpad;
  DecryptKeys *keys;

  GMutex lock;
  GError *error; /* of the property */
  GQueue headers; /* (element-type GstStructure), the newest first */
};

/* Keys that rotate bring a header of each system with each key. */
#define MAX_HEADERS 64

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

/* Call with the lock held. */
static void
add_headers_locked (DecryptAsk *self, GstStructure *message)
{
  const GstStructure *newest = g_queue_peek_head (&self->headers);
  GValue systems = G_VALUE_INIT;
  const GList *walk;

  if (!newest)
    return;
  gst_structure_set_value (message, "system-id",
      gst_structure_get_value (newest, "system-id"));
  if (gst_structure_has_field (newest, "init-data"))
    gst_structure_set_value (message, "init-data",
        gst_structure_get_value (newest, "init-data"));

  g_value_init (&systems, GST_TYPE_LIST);
  for (walk = self->headers.head; walk; walk = walk->next) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, GST_TYPE_STRUCTURE);
    gst_value_set_structure (&value, walk->data);
    gst_value_list_append_and_take_value (&systems, &value);
  }
  gst_structure_take_value (message, "systems", &systems);
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
  g_autofree gchar *text = gst_cenc_kid_to_string (kid);
  GstStructure *message = gst_structure_new ("cencdecrypt-key-needed", "key-id",
      G_TYPE_STRING, text, NULL);

  g_mutex_lock (&self->lock);
  add_headers_locked (self, message);
  g_mutex_unlock (&self->lock);
  gst_element_post_message (self->element,
      gst_message_new_element (GST_OBJECT (self->element), message));
}

static void
on_license_message (const GstStructure *structure, gpointer user_data)
{
  DecryptAsk *self = user_data;

  gst_element_post_message (self->element,
      gst_message_new_element (GST_OBJECT (self->element),
          gst_structure_copy (structure)));
}

static gboolean
is_stopping (gpointer user_data)
{
  DecryptAsk *self = user_data;

  return decrypt_adaptive_is_stopping (self->element);
}

static const DecryptKeysFuncs keys_funcs = { on_ask_context, ask_for_store,
  on_key_needed, on_license_message, is_stopping };

DecryptAsk *
decrypt_ask_new (GstElement *element, GstPad *sinkpad, GstPad *srcpad)
{
  DecryptAsk *self = g_new0 (DecryptAsk, 1);

  self->element = element;
  self->sinkpad = sinkpad;
  self->srcpad = srcpad;
  self->keys = decrypt_keys_new (&keys_funcs, self);
  g_mutex_init (&self->lock);
  g_queue_init (&self->headers);
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
  if (error) {
    g_autofree gchar *text = g_strdup_printf ("keys: %s", error->message);

    decrypt_error_tell (self->element, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS, text, NULL);
  }
  return error == NULL;
}

void
decrypt_ask_take_header (DecryptAsk *self, const gchar *system_id,
    GstBuffer *init_data, const gchar *origin)
{
  GstStructure *header = gst_structure_new ("protection-system", "system-id",
      G_TYPE_STRING, system_id, NULL);
  GList *walk;

  if (init_data)
    gst_structure_set (header, "init-data", GST_TYPE_BUFFER, init_data, NULL);
  if (origin)
    gst_structure_set (header, "origin", G_TYPE_STRING, origin, NULL);

  g_mutex_lock (&self->lock);
  for (walk = self->headers.head; walk; walk = walk->next) {
    if (gst_structure_is_equal (walk->data, header))
      break;
  }
  /* Each fragment may repeat it. */
  if (walk) {
    gst_structure_free (walk->data);
    g_queue_delete_link (&self->headers, walk);
  } else if (g_queue_get_length (&self->headers) >= MAX_HEADERS) {
    gst_structure_free (g_queue_pop_tail (&self->headers));
  }
  g_queue_push_head (&self->headers, header);
  g_mutex_unlock (&self->lock);
}

void
decrypt_ask_take_protection (DecryptAsk *self, GstEvent *event)
{
  const gchar *system_id = NULL, *origin = NULL;
  GstBuffer *data = NULL;

  gst_event_parse_protection (event, &system_id, &data, &origin);
  decrypt_ask_take_header (self, system_id, data, origin);
}

void
decrypt_ask_reset (DecryptAsk *self)
{
  g_mutex_lock (&self->lock);
  g_queue_clear_full (&self->headers, (GDestroyNotify) gst_structure_free);
  g_mutex_unlock (&self->lock);
}
