/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-license-pad.h"

#include "cenc/decrypt-caps.h"

/* A license is some KiB; a film that is linked here by mistake is not collected. */
#define MAX_DOCUMENT (1u << 20)

/* The pad's element-private data. Touched under the pad's stream lock only. */
typedef struct
{
  DecryptKeys *keys;
  GByteArray *document; /* what came and was not taken yet */
  GError *error; /* why it was not */
  gboolean
      has_session; /* upstream gave its session: documents are not needed */
} LicensePad;

static void
license_pad_free (LicensePad *self)
{
  g_byte_array_unref (self->document);
  g_clear_error (&self->error);
  g_free (self);
}

static LicensePad *
get_private (GstPad *pad)
{
  return g_object_get_data (G_OBJECT (pad), "license-pad");
}

static void
forget (LicensePad *self)
{
  g_byte_array_set_size (self->document, 0);
  g_clear_error (&self->error);
}

/* offlinelicensesrc has a session of its own; a file has not. */
static void
look_for_session (GstPad *pad, LicensePad *self)
{
  g_autoptr (GstQuery) query =
      gst_query_new_context (GST_CENC_KEY_SESSION_CONTEXT_TYPE);
  g_autoptr (GstCencKeySession) session = NULL;
  GstContext *context = NULL;

  if (!gst_pad_peer_query (pad, query))
    return;
  gst_query_parse_context (query, &context);
  if (context)
    session = gst_cenc_key_session_from_context (context);
  if (session) {
    decrypt_keys_add_session (self->keys, DECRYPT_KEYS_LICENSE, session);
    self->has_session = TRUE;
  }
}

/* A document may come in pieces: as long as it is none, more is awaited. */
static void
try_document (GstPad *pad, LicensePad *self)
{
  g_autoptr (GBytes) document =
      g_bytes_new (self->document->data, self->document->len);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

  g_clear_error (&self->error);
  if (decrypt_keys_add_license (self->keys, document, caps, &self->error)) {
    forget (self);
    decrypt_keys_set_license_pending (self->keys, FALSE);
  }
}

static void
add_buffer (LicensePad *self, GstBuffer *buffer)
{
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  g_byte_array_append (self->document, map.data, (guint) map.size);
  gst_buffer_unmap (buffer, &map);
}

static GstFlowReturn
license_pad_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  LicensePad *self = get_private (pad);
  gsize size = gst_buffer_get_size (buffer);

  if (!self->has_session && self->document->len == 0)
    look_for_session (pad, self);

  if (self->has_session) {
    decrypt_keys_set_license_pending (self->keys, FALSE);
  } else if (size > MAX_DOCUMENT - self->document->len) {
    GST_ELEMENT_WARNING (parent, STREAM, FORMAT,
        ("What comes to the license pad is too large to be a license."),
        ("over %u bytes", MAX_DOCUMENT));
    forget (self);
    decrypt_keys_set_license_pending (self->keys, FALSE);
    gst_buffer_unref (buffer);
    return GST_FLOW_EOS;
  } else {
    add_buffer (self, buffer);
    try_document (pad, self);
  }

  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
end_document (GstObject *parent, LicensePad *self)
{
  if (self->document->len > 0 && self->error)
    GST_ELEMENT_WARNING (parent, STREAM, FORMAT,
        ("The license is of no use: %s", self->error->message), (NULL));
  forget (self);
  decrypt_keys_set_license_pending (self->keys, FALSE);
}

static gboolean
license_pad_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  LicensePad *self = get_private (pad);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_EOS:
      if (!self->has_session)
        look_for_session (pad, self);
      end_document (parent, self);
      break;
    case GST_EVENT_FLUSH_STOP:
      forget (self);
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
license_pad_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  g_autoptr (GstCaps) caps = NULL;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return gst_pad_query_default (pad, parent, query);
  caps = gst_caps_new_empty_simple (DECRYPT_LICENSE_TYPE);
  decrypt_caps_answer (query, caps);
  return TRUE;
}

static GstIterator *
no_internal_links (GstPad *pad, GstObject *parent)
{
  return NULL;
}

static void
on_linked (GstPad *pad, GstPad *peer, LicensePad *self)
{
  decrypt_keys_set_license_pending (self->keys, TRUE);
}

static void
on_unlinked (GstPad *pad, GstPad *peer, LicensePad *self)
{
  decrypt_keys_set_license_pending (self->keys, FALSE);
}

GstPad *
decrypt_license_pad_new (GstPadTemplate *templ, DecryptKeys *keys)
{
  GstPad *pad = gst_pad_new_from_template (templ, "license");
  LicensePad *self = g_new0 (LicensePad, 1);

  self->keys = keys;
  self->document = g_byte_array_new ();
  g_object_set_data_full (G_OBJECT (pad), "license-pad", self,
      (GDestroyNotify) license_pad_free);
  gst_pad_set_chain_function (pad, GST_DEBUG_FUNCPTR (license_pad_chain));
  gst_pad_set_event_function (pad, GST_DEBUG_FUNCPTR (license_pad_event));
  gst_pad_set_query_function (pad, GST_DEBUG_FUNCPTR (license_pad_query));
  gst_pad_set_iterate_internal_links_function (pad,
      GST_DEBUG_FUNCPTR (no_internal_links));
  g_signal_connect (pad, "linked", G_CALLBACK (on_linked), self);
  g_signal_connect (pad, "unlinked", G_CALLBACK (on_unlinked), self);

  return pad;
}

void
decrypt_license_pad_release (GstPad *pad)
{
  decrypt_keys_set_license_pending (get_private (pad)->keys, FALSE);
}

void
decrypt_license_pad_reset (GstPad *pad)
{
  LicensePad *self = get_private (pad);

  forget (self);
  self->has_session = FALSE;
  decrypt_keys_set_license_pending (self->keys, gst_pad_is_linked (pad));
}
