/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-cencdecrypt
 * @title: cencdecrypt
 * @short_description: decrypts Common Encryption
 *
 * Decrypts what ISO/IEC 23001-7 protects: schemes `cenc`, `cens`, `cbc1`, `cbcs`
 * and PIFF 1.1.
 *
 * In front of a demuxer it takes a file and gives a clear one, no byte of which
 * has moved: sample entries have their original format, boxes of protection are
 * `free`, samples are decrypted where they stand. Progressive and fragmented files work,
 * in pull mode at any place; in push mode from the start on, with seeks in
 * bytes going upstream. A file that is not protected passes as it is.
 *
 * Behind a demuxer it takes samples with GstProtectionMeta, and autopluggers plug
 * it there.
 *
 * Keys come from the `keys` property, from the `license` request pad, from a
 * #GstCencKeySession in a GstContext of type `gst.cenc.key-session`, and from
 * the device's license store, in this order. If none of them has a key, an
 * element message `cencdecrypt-key-needed` with these fields is posted, and
 * #cencdecrypt:key-timeout long is waited for one of them to have it:
 *
 * * `key-id` (string): the KID, 32 hex digits
 * * `system-id` (string), `init-data` (GstBuffer): of the newest protection system
 *   header that came with the stream, if one did: the UUID, and the `pssh` box
 *   (or what else a demuxer gives)
 * * `systems` (GstValueList of GstStructure), if one did: all of them, the newest
 *   first and each once, at most 64; each with `system-id`, `init-data` and
 *   `origin` (string: `isobmff/moov`, `isobmff/moof`, `dash/mpd`, `smooth-streaming`)
 *
 * What becomes of a license in the device's store is told by element messages
 * `offline-license`, as offlinelicensesrc posts them (docs/licenses.md), unless
 * somebody else gave the session that has it, and tells it.
 *
 * A key that is missing is the error STREAM/DECRYPT_NOKEY, which names its KID.
 *
 * A sample that its demuxer gives without protection information passes only
 * if it is seen to be clear; else the error says to put cencdecrypt in front of
 * the demuxer.
 *
 * ## Example launch lines
 *
 * |[
 * gst-launch-1.0 filesrc location=title.mp4 ! cencdecrypt keys=KID:KEY ! qtdemux ! h264parse ! avdec_h264 ! autovideosink
 * gst-launch-1.0 filesrc location=title.mp4 ! qtdemux ! cencdecrypt keys=KID:KEY ! h264parse ! avdec_h264 ! autovideosink
 * gst-launch-1.0 filesrc location=title.mp4 ! cencdecrypt keys=KID:KEY ! filesink location=clear.mp4
 * gst-launch-1.0 filesrc location=title.license ! dec.license filesrc location=title.mp4 ! cencdecrypt name=dec ! qtdemux ! h264parse ! avdec_h264 ! autovideosink
 * ]|
 *
 * Since: 0.1
 */

#include "cenc/gstcencdecrypt.h"

#include "cenc/decrypt-ask.h"
#include "cenc/decrypt-caps.h"
#include "cenc/decrypt-flow.h"
#include "cenc/decrypt-license-pad.h"
#include "cenc/decrypt-settings.h"

GST_DEBUG_CATEGORY_STATIC (gst_cenc_decrypt_debug);
#define GST_CAT_DEFAULT gst_cenc_decrypt_debug

struct _GstCencDecrypt
{
  GstElement parent;

  GstPad *sinkpad, *srcpad;
  DecryptAsk *ask;
  DecryptFlow *flow;

  /* Under the object lock */
  GstPad *license_pad;
  DecryptSettings settings;
};

G_DEFINE_TYPE (GstCencDecrypt, gst_cenc_decrypt, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (cencdecrypt, "cencdecrypt", GST_RANK_MARGINAL,
    GST_TYPE_CENC_DECRYPT)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void
gst_cenc_decrypt_set_context (GstElement *element, GstContext *context)
{
  decrypt_ask_take_context (GST_CENC_DECRYPT (element)->ask, context);

  GST_ELEMENT_CLASS (gst_cenc_decrypt_parent_class)
      ->set_context (element, context);
}

/*
 * Pads
 */

static GstFlowReturn
gst_cenc_decrypt_get_range (GstPad *pad, GstObject *parent, guint64 offset,
    guint size, GstBuffer **buffer)
{
  return decrypt_flow_get_range (GST_CENC_DECRYPT (parent)->flow, offset, size,
      buffer);
}

static GstFlowReturn
gst_cenc_decrypt_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  return decrypt_flow_chain (GST_CENC_DECRYPT (parent)->flow, buffer);
}

static gboolean
gst_cenc_decrypt_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  return decrypt_flow_take_sink_event (GST_CENC_DECRYPT (parent)->flow, event);
}

static gboolean
gst_cenc_decrypt_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  return decrypt_flow_take_src_event (GST_CENC_DECRYPT (parent)->flow, event);
}

/* So that a demuxer's pads find the decryptor in front of their codec. */
static gboolean
answer_sink_caps (GstCencDecrypt *self, GstQuery *query)
{
  g_autoptr (GstCaps) downstream = gst_pad_peer_query_caps (self->srcpad, NULL);
  g_autoptr (GstCaps) caps = decrypt_caps_from_clear (downstream);

  decrypt_caps_answer (query, caps);
  return TRUE;
}

static gboolean
gst_cenc_decrypt_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      return answer_sink_caps (self, query);
    case GST_QUERY_ALLOCATION:
      return decrypt_caps_answer_allocation (query, self->srcpad);
    case GST_QUERY_CONTEXT:
      return gst_pad_query_default (pad, parent, query) ||
          decrypt_caps_answer_preferred_system (query, pad);
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

static GstCaps *
get_src_caps (GstCencDecrypt *self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);
  GstCaps *clear = NULL;

  if (!caps)
    caps = gst_pad_peer_query_caps (self->sinkpad, NULL);
  if (caps && gst_caps_is_fixed (caps))
    clear = decrypt_caps_to_clear (caps);
  return clear ? clear : gst_pad_get_pad_template_caps (self->srcpad);
}

static gboolean
gst_cenc_decrypt_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  g_autoptr (GstCaps) caps = NULL;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return gst_pad_query_default (pad, parent, query);

  caps = get_src_caps (self);
  decrypt_caps_answer (query, caps);
  return TRUE;
}

/* The license pad is linked to nothing inside. */
static GstIterator *
gst_cenc_decrypt_iterate_src_links (GstPad *pad, GstObject *parent)
{
  GValue value = G_VALUE_INIT;
  GstIterator *iterator;

  g_value_init (&value, GST_TYPE_PAD);
  g_value_set_object (&value, GST_CENC_DECRYPT (parent)->sinkpad);
  iterator = gst_iterator_new_single (GST_TYPE_PAD, &value);
  g_value_unset (&value);
  return iterator;
}

static gboolean
gst_cenc_decrypt_sink_activate (GstPad *pad, GstObject *parent)
{
  return decrypt_flow_activate_sink (GST_CENC_DECRYPT (parent)->flow);
}

static gboolean
gst_cenc_decrypt_sink_activate_mode (GstPad *pad, GstObject *parent,
    GstPadMode mode, gboolean active)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);

  return decrypt_flow_activate_sink_mode (self->flow, mode, active,
      &self->settings);
}

static gboolean
gst_cenc_decrypt_src_activate_mode (GstPad *pad, GstObject *parent,
    GstPadMode mode, gboolean active)
{
  return decrypt_flow_activate_src_mode (GST_CENC_DECRYPT (parent)->flow, mode,
      active);
}

static GstPad *
gst_cenc_decrypt_request_new_pad (GstElement *element, GstPadTemplate *templ,
    const gchar *name, const GstCaps *caps)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (element);
  GstPad *pad = NULL;

  GST_OBJECT_LOCK (self);
  if (!self->license_pad)
    pad = self->license_pad =
        decrypt_license_pad_new (templ, decrypt_ask_get_keys (self->ask));
  GST_OBJECT_UNLOCK (self);

  if (pad) {
    if (GST_STATE (self) >= GST_STATE_PAUSED)
      gst_pad_set_active (pad, TRUE);
    gst_element_add_pad (element, pad);
  }
  return pad;
}

static void
gst_cenc_decrypt_release_pad (GstElement *element, GstPad *pad)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (element);

  GST_OBJECT_LOCK (self);
  self->license_pad = NULL;
  GST_OBJECT_UNLOCK (self);

  decrypt_license_pad_release (pad);
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (element, pad);
}

/*
 * States
 */

static void
stop (GstCencDecrypt *self)
{
  g_autoptr (GstPad) license_pad = NULL;

  decrypt_flow_stop (self->flow);
  GST_OBJECT_LOCK (self);
  if (self->license_pad)
    license_pad = gst_object_ref (self->license_pad);
  GST_OBJECT_UNLOCK (self);
  if (license_pad)
    decrypt_license_pad_reset (license_pad);
}

static GstStateChangeReturn
gst_cenc_decrypt_change_state (GstElement *element, GstStateChange transition)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (!decrypt_flow_start (self->flow, &self->settings))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      if (!decrypt_flow_play (self->flow))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      decrypt_flow_pause (self->flow);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      /* Pads are deactivated next, which waits for their threads. */
      decrypt_flow_set_flushing (self->flow, TRUE);
      break;
    default:
      break;
  }

  ret = GST_ELEMENT_CLASS (gst_cenc_decrypt_parent_class)
            ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          ret == GST_STATE_CHANGE_FAILURE))
    stop (self);
  return ret;
}

/*
 * The class
 */

static void
gst_cenc_decrypt_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (object);
  gboolean known;

  if (id == DECRYPT_PROP_KEYS) {
    decrypt_ask_set_property (self->ask, g_value_get_string (value),
        GST_STATE (self) >= GST_STATE_PAUSED);
    return;
  }
  GST_OBJECT_LOCK (self);
  known = decrypt_settings_set (&self->settings, id, value);
  if (id == DECRYPT_PROP_OUTPUT_PROTECTION)
    decrypt_flow_output_changed_locked (self->flow);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_cenc_decrypt_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (object);
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = decrypt_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_cenc_decrypt_finalize (GObject *object)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (object);

  decrypt_flow_free (self->flow);
  decrypt_ask_free (self->ask);
  decrypt_settings_clear (&self->settings);

  G_OBJECT_CLASS (gst_cenc_decrypt_parent_class)->finalize (object);
}

static void
gst_cenc_decrypt_class_init (GstCencDecryptClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  g_autoptr (GstCaps) sink_caps = decrypt_caps_sink_template ();
  g_autoptr (GstCaps) license_caps = decrypt_caps_license_template ();

  GST_DEBUG_CATEGORY_INIT (gst_cenc_decrypt_debug, "cencdecrypt", 0,
      "Common Encryption decryptor");

  object_class->set_property = gst_cenc_decrypt_set_property;
  object_class->get_property = gst_cenc_decrypt_get_property;
  object_class->finalize = gst_cenc_decrypt_finalize;
  decrypt_settings_install (object_class);

  element_class->change_state = gst_cenc_decrypt_change_state;
  element_class->set_context = gst_cenc_decrypt_set_context;
  element_class->request_new_pad = gst_cenc_decrypt_request_new_pad;
  element_class->release_pad = gst_cenc_decrypt_release_pad;

  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, sink_caps));
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("license", GST_PAD_SINK, GST_PAD_REQUEST,
          license_caps));
  gst_element_class_set_static_metadata (element_class,
      "Common Encryption decryptor", "Decryptor/Video/Audio",
      "Decrypts ISO/IEC 23001-7 protected media", "gst-plugins-cenc");
}

static void
init_sink_pad (GstCencDecrypt *self)
{
  GstPad *pad = gst_pad_new_from_template (
      gst_element_class_get_pad_template (GST_ELEMENT_GET_CLASS (self), "sink"),
      "sink");

  gst_pad_set_activate_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_sink_activate));
  gst_pad_set_activatemode_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_sink_activate_mode));
  gst_pad_set_chain_function (pad, GST_DEBUG_FUNCPTR (gst_cenc_decrypt_chain));
  gst_pad_set_event_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_sink_event));
  gst_pad_set_query_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_sink_query));
  /* A demuxer need not name each field that a decoder lists. */
  GST_PAD_SET_ACCEPT_INTERSECT (pad);
  self->sinkpad = pad;
  gst_element_add_pad (GST_ELEMENT (self), pad);
}

static void
init_src_pad (GstCencDecrypt *self)
{
  GstPad *pad = gst_pad_new_from_static_template (&src_template, "src");

  gst_pad_set_activatemode_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_src_activate_mode));
  gst_pad_set_getrange_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_get_range));
  gst_pad_set_event_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_src_event));
  gst_pad_set_query_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_src_query));
  gst_pad_set_iterate_internal_links_function (pad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_iterate_src_links));
  GST_PAD_SET_PROXY_SCHEDULING (pad);
  self->srcpad = pad;
  gst_element_add_pad (GST_ELEMENT (self), pad);
}

static void
gst_cenc_decrypt_init (GstCencDecrypt *self)
{
  decrypt_settings_init (&self->settings);
  init_sink_pad (self);
  init_src_pad (self);
  self->ask = decrypt_ask_new (GST_ELEMENT (self), self->sinkpad, self->srcpad);
  self->flow = decrypt_flow_new (GST_ELEMENT (self), self->sinkpad,
      self->srcpad, self->ask);
}
