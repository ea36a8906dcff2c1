/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-cencdecrypt
 * @title: cencdecrypt
 * @short_description: decrypts Common Encryption
 *
 * Decrypts what ISO/IEC 23001-7 protects: schemes `cenc`, `cens`, `cbc1`, `cbcs`
 * and PIFF 1.1. Behind a demuxer it takes samples with GstProtectionMeta, and
 * autopluggers plug it there.
 *
 * Keys come from the `keys` property, from the `license` request pad, from a
 * #GstCencKeySession in a GstContext of type `gst.cenc.key-session`, and from
 * the device's license store, in this order. If none of them has a key, an
 * element message `cencdecrypt-key-needed` with these fields is posted, and
 * #cencdecrypt:key-timeout long is waited for one of them to have it:
 *
 * * `key-id` (string): the KID, 32 hex digits
 * * `system-id` (string), `init-data` (GstBuffer): of a protection system header
 *   that came with the stream, if one did
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
 * gst-launch-1.0 filesrc location=title.mp4 ! qtdemux ! cencdecrypt keys=KID:KEY ! h264parse ! avdec_h264 ! autovideosink
 * ]|
 *
 * Since: 0.1
 */

#include "cenc/gstcencdecrypt.h"

#include "cenc/decrypt-caps.h"
#include "cenc/decrypt-crypto.h"
#include "cenc/decrypt-error.h"
#include "cenc/decrypt-keys.h"
#include "cenc/decrypt-license-pad.h"
#include "cenc/decrypt-samples.h"

#include <gst/cenc/gstcenckeyring.h>

GST_DEBUG_CATEGORY_STATIC (gst_cenc_decrypt_debug);
#define GST_CAT_DEFAULT gst_cenc_decrypt_debug

/* Media that is decrypted for a preroll, before a license's first play counts. */
#define PREROLL_ALLOWANCE (10 * GST_SECOND)
/* What a sample without duration is taken for. */
#define PREROLL_SAMPLE (20 * GST_MSECOND)

#define DEFAULT_KEY_TIMEOUT 0
#define DEFAULT_VERIFY_KEYS TRUE
#define DEFAULT_CENS_PARTIAL_BLOCKS FALSE

enum
{
  PROP_0,
  PROP_KEYS,
  PROP_KEY_TIMEOUT,
  PROP_VERIFY_KEYS,
  PROP_CENS_PARTIAL_BLOCKS,
  PROP_OUTPUT_PROTECTION,
};

struct _GstCencDecrypt
{
  GstElement parent;

  GstPad *sinkpad, *srcpad;
  GstPad *license_pad; /* object lock */
  DecryptKeys *keys;

  /* Settings, under the object lock */
  gboolean verify_keys, cens_partial_blocks;
  GstClockTime key_timeout;
  GstStructure *output_protection;
  GError *keys_error; /* of the keys property */
  gboolean output_changed;
  gchar *system_id; /* of the last protection event */
  GstBuffer *init_data;

  gint playing; /* atomic */

  /* Streaming thread */
  DecryptCrypto *crypto;
  DecryptSamples *samples;
  GstClockTime prerolled;
};

G_DEFINE_TYPE (GstCencDecrypt, gst_cenc_decrypt, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (cencdecrypt, "cencdecrypt", GST_RANK_MARGINAL,
    GST_TYPE_CENC_DECRYPT)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstStaticPadTemplate license_template =
    GST_STATIC_PAD_TEMPLATE ("license", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS ("application/x-cenc-license"));

/*
 * Where keys come from
 */

static gboolean
query_context (GstCencDecrypt *self, GstPad *pad)
{
  g_autoptr (GstQuery) query =
      gst_query_new_context (GST_CENC_KEY_SESSION_CONTEXT_TYPE);
  GstContext *context = NULL;

  if (!gst_pad_peer_query (pad, query))
    return FALSE;
  gst_query_parse_context (query, &context);
  if (context)
    gst_element_set_context (GST_ELEMENT (self), context);
  return context != NULL;
}

static void
gst_cenc_decrypt_ask_context (gpointer user_data)
{
  GstCencDecrypt *self = user_data;

  if (query_context (self, self->srcpad) || query_context (self, self->sinkpad))
    return;
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_need_context (GST_OBJECT (self),
          GST_CENC_KEY_SESSION_CONTEXT_TYPE));
}

static GstCencKeySession *
gst_cenc_decrypt_open_store (gpointer user_data)
{
  GType type =
      gst_dynamic_type_factory_load (GST_CENC_DEVICE_SESSION_TYPE_NAME);

  if (type == G_TYPE_INVALID || !g_type_is_a (type, GST_TYPE_CENC_KEY_SESSION))
    return NULL;
  return gst_object_ref_sink (g_object_new (type, NULL));
}

static void
gst_cenc_decrypt_key_needed (const guint8 *kid, gpointer user_data)
{
  GstCencDecrypt *self = user_data;
  g_autofree gchar *text = gst_cenc_kid_to_string (kid);
  GstStructure *structure = gst_structure_new ("cencdecrypt-key-needed",
      "key-id", G_TYPE_STRING, text, NULL);

  GST_OBJECT_LOCK (self);
  if (self->init_data)
    gst_structure_set (structure, "system-id", G_TYPE_STRING, self->system_id,
        "init-data", GST_TYPE_BUFFER, self->init_data, NULL);
  GST_OBJECT_UNLOCK (self);

  GST_INFO_OBJECT (self, "no key for KID %s", text);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

static const DecryptKeysFuncs keys_funcs = {
  gst_cenc_decrypt_ask_context,
  gst_cenc_decrypt_open_store,
  gst_cenc_decrypt_key_needed,
};

static void
gst_cenc_decrypt_set_context (GstElement *element, GstContext *context)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (element);
  g_autoptr (GstCencKeySession) session = NULL;

  if (context)
    session = gst_cenc_key_session_from_context (context);
  if (session)
    decrypt_keys_add_session (self->keys, DECRYPT_KEYS_CONTEXT, session);

  GST_ELEMENT_CLASS (gst_cenc_decrypt_parent_class)
      ->set_context (element, context);
}

/* Takes effect at once. What is not well-formed is told when the element
 * starts, or now if it has. */
static void
set_keys (GstCencDecrypt *self, const gchar *keys)
{
  g_autoptr (GstCencKeyRing) ring = gst_cenc_key_ring_new ();
  GError *error = NULL;

  (void) gst_cenc_key_ring_add_hex (ring, keys ? keys : "", &error);
  GST_OBJECT_LOCK (self);
  g_clear_error (&self->keys_error);
  self->keys_error = error ? g_error_copy (error) : NULL;
  GST_OBJECT_UNLOCK (self);

  decrypt_keys_clear (self->keys, DECRYPT_KEYS_PROPERTY);
  decrypt_keys_add_session (self->keys, DECRYPT_KEYS_PROPERTY,
      GST_CENC_KEY_SESSION (ring));
  if (error && GST_STATE (self) >= GST_STATE_PAUSED)
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("keys: %s", error->message),
        (NULL));
  g_clear_error (&error);
}

/*
 * Samples from behind a demuxer
 */

/* What a key has to be good for: preroll is bounded. */
static GstCencKeyUse
get_use (GstCencDecrypt *self, GstBuffer *buffer)
{
  if (g_atomic_int_get (&self->playing))
    return GST_CENC_KEY_USE_PLAY;
  self->prerolled += GST_BUFFER_DURATION_IS_VALID (buffer)
      ? GST_BUFFER_DURATION (buffer)
      : PREROLL_SAMPLE;
  return self->prerolled > PREROLL_ALLOWANCE ? GST_CENC_KEY_USE_PLAY
                                             : GST_CENC_KEY_USE_PREROLL;
}

static GstFlowReturn
push_all (GstCencDecrypt *self, GQueue *buffers)
{
  GstFlowReturn ret = GST_FLOW_OK;
  GstBuffer *buffer;

  while ((buffer = g_queue_pop_head (buffers))) {
    if (ret == GST_FLOW_OK)
      ret = gst_pad_push (self->srcpad, buffer);
    else
      gst_buffer_unref (buffer);
  }
  return ret;
}

static void
update_output (GstCencDecrypt *self)
{
  g_autoptr (GstStructure) output = NULL;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->output_changed;
  self->output_changed = FALSE;
  if (changed && self->output_protection)
    output = gst_structure_copy (self->output_protection);
  GST_OBJECT_UNLOCK (self);

  if (changed)
    decrypt_crypto_set_output (self->crypto, output);
}

static GstFlowReturn
gst_cenc_decrypt_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  g_autoptr (GError) error = NULL;
  GQueue out = G_QUEUE_INIT;
  GstFlowReturn ret;

  if (!self->samples) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }

  update_output (self);
  (void) decrypt_samples_process (self->samples, buffer, get_use (self, buffer),
      &out, &error);
  ret = push_all (self, &out);
  if (error && ret == GST_FLOW_OK)
    ret = decrypt_error_post (GST_ELEMENT (self), error);
  return ret;
}

static gboolean
set_sink_caps (GstCencDecrypt *self, GstCaps *caps)
{
  g_autoptr (GstCaps) clear = decrypt_caps_to_clear (caps);

  if (!clear)
    return FALSE;
  if (!self->samples) {
    gboolean verify;

    GST_OBJECT_LOCK (self);
    verify = self->verify_keys;
    GST_OBJECT_UNLOCK (self);
    self->samples = decrypt_samples_new (self->crypto, verify);
  }
  return decrypt_samples_set_caps (self->samples, caps) &&
      gst_pad_push_event (self->srcpad, gst_event_new_caps (clear));
}

static void
take_protection (GstCencDecrypt *self, GstEvent *event)
{
  const gchar *system_id = NULL;
  GstBuffer *data = NULL;

  gst_event_parse_protection (event, &system_id, &data, NULL);
  GST_OBJECT_LOCK (self);
  g_free (self->system_id);
  self->system_id = g_strdup (system_id);
  gst_buffer_replace (&self->init_data, data);
  GST_OBJECT_UNLOCK (self);
}

static void
drain (GstCencDecrypt *self)
{
  GQueue out = G_QUEUE_INIT;

  if (!self->samples)
    return;
  decrypt_samples_drain (self->samples, &out);
  (void) push_all (self, &out);
}

static gboolean
gst_cenc_decrypt_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  GstCaps *caps;
  gboolean ret;

  if (GST_EVENT_IS_SERIALIZED (event) &&
      GST_EVENT_TYPE (event) != GST_EVENT_FLUSH_STOP)
    drain (self);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      ret = set_sink_caps (self, caps);
      gst_event_unref (event);
      return ret;
    case GST_EVENT_PROTECTION:
      /* Behind this element nothing is protected. */
      take_protection (self, event);
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_FLUSH_START:
      decrypt_keys_set_flushing (self->keys, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      decrypt_keys_set_flushing (self->keys, FALSE);
      if (self->samples)
        decrypt_samples_flush (self->samples);
      break;
    default:
      break;
  }
  return gst_pad_event_default (pad, parent, event);
}

/*
 * Queries
 */

static GstCaps *
get_src_caps (GstCencDecrypt *self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);
  GstCaps *clear = NULL;

  if (!caps)
    caps = gst_pad_peer_query_caps (self->sinkpad, NULL);
  if (caps && decrypt_caps_are_samples (caps))
    clear = decrypt_caps_to_clear (caps);
  return clear ? clear : gst_pad_get_pad_template_caps (self->srcpad);
}

static void
answer_caps (GstQuery *query, GstCaps *caps)
{
  GstCaps *filter;

  gst_query_parse_caps (query, &filter);
  if (filter) {
    g_autoptr (GstCaps) filtered =
        gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);

    gst_query_set_caps_result (query, filtered);
  } else {
    gst_query_set_caps_result (query, caps);
  }
}

/* Downstream is asked for memory for the clear stream: it does not know the
 * protected one's caps. */
static gboolean
query_allocation (GstCencDecrypt *self, GstQuery *query)
{
  g_autoptr (GstCaps) clear = NULL;
  g_autoptr (GstQuery) asked = NULL;
  GstCaps *caps;
  gboolean need_pool;
  guint i;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (!caps || !(clear = decrypt_caps_to_clear (caps)))
    return FALSE;
  asked = gst_query_new_allocation (clear, need_pool);
  if (!gst_pad_peer_query (self->srcpad, asked))
    return FALSE;

  for (i = 0; i < gst_query_get_n_allocation_params (asked); i++) {
    GstAllocator *allocator;
    GstAllocationParams params;

    gst_query_parse_nth_allocation_param (asked, i, &allocator, &params);
    gst_query_add_allocation_param (query, allocator, &params);
    gst_clear_object (&allocator);
  }
  for (i = 0; i < gst_query_get_n_allocation_metas (asked); i++) {
    const GstStructure *params;
    GType api = gst_query_parse_nth_allocation_meta (asked, i, &params);

    gst_query_add_allocation_meta (query, api, params);
  }
  return TRUE;
}

static gboolean
gst_cenc_decrypt_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION)
    return query_allocation (self, query);
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
gst_cenc_decrypt_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  g_autoptr (GstCaps) caps = NULL;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return gst_pad_query_default (pad, parent, query);

  caps = get_src_caps (self);
  answer_caps (query, caps);
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

/*
 * Request pad
 */

static GstPad *
gst_cenc_decrypt_request_new_pad (GstElement *element, GstPadTemplate *templ,
    const gchar *name, const GstCaps *caps)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (element);
  GstPad *pad = NULL;

  GST_OBJECT_LOCK (self);
  if (!self->license_pad)
    pad = self->license_pad = decrypt_license_pad_new (templ, self->keys);
  GST_OBJECT_UNLOCK (self);

  if (pad)
    gst_element_add_pad (element, pad);
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

static gboolean
start (GstCencDecrypt *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPad) license_pad = NULL;
  CencCryptFlags flags;
  GstClockTime timeout;

  GST_OBJECT_LOCK (self);
  error = self->keys_error ? g_error_copy (self->keys_error) : NULL;
  flags = self->cens_partial_blocks ? CENC_CRYPT_CENS_PARTIAL
                                    : CENC_CRYPT_FLAGS_NONE;
  timeout = self->key_timeout;
  self->output_changed = TRUE;
  if (self->license_pad)
    license_pad = gst_object_ref (self->license_pad);
  GST_OBJECT_UNLOCK (self);

  if (error) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("keys: %s", error->message),
        (NULL));
    return FALSE;
  }
  if (license_pad)
    decrypt_license_pad_reset (license_pad);
  decrypt_keys_set_timeout (self->keys, timeout);
  decrypt_keys_set_flushing (self->keys, FALSE);
  decrypt_keys_begin (self->keys);
  self->crypto = decrypt_crypto_new (self->keys, flags);
  self->prerolled = 0;
  return TRUE;
}

static void
stop (GstCencDecrypt *self)
{
  g_clear_pointer (&self->samples, decrypt_samples_free);
  g_clear_pointer (&self->crypto, decrypt_crypto_free);
  decrypt_keys_clear (self->keys, DECRYPT_KEYS_LICENSE);
  decrypt_keys_end (self->keys);

  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->system_id, g_free);
  gst_clear_buffer (&self->init_data);
  GST_OBJECT_UNLOCK (self);
}

static GstStateChangeReturn
gst_cenc_decrypt_change_state (GstElement *element, GstStateChange transition)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (!start (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      g_atomic_int_set (&self->playing, TRUE);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      g_atomic_int_set (&self->playing, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      /* Pads are deactivated next, which waits for their threads. */
      decrypt_keys_set_flushing (self->keys, TRUE);
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
 * Properties and class
 */

static void
set_output_protection (GstCencDecrypt *self, const GstStructure *output)
{
  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->output_protection, gst_structure_free);
  self->output_protection = output ? gst_structure_copy (output) : NULL;
  self->output_changed = TRUE;
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cenc_decrypt_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (object);

  switch (id) {
    case PROP_KEYS:
      set_keys (self, g_value_get_string (value));
      return;
    case PROP_OUTPUT_PROTECTION:
      set_output_protection (self, gst_value_get_structure (value));
      return;
    default:
      break;
  }

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_KEY_TIMEOUT:
      self->key_timeout = g_value_get_uint64 (value);
      break;
    case PROP_VERIFY_KEYS:
      self->verify_keys = g_value_get_boolean (value);
      break;
    case PROP_CENS_PARTIAL_BLOCKS:
      self->cens_partial_blocks = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cenc_decrypt_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_KEY_TIMEOUT:
      g_value_set_uint64 (value, self->key_timeout);
      break;
    case PROP_VERIFY_KEYS:
      g_value_set_boolean (value, self->verify_keys);
      break;
    case PROP_CENS_PARTIAL_BLOCKS:
      g_value_set_boolean (value, self->cens_partial_blocks);
      break;
    case PROP_OUTPUT_PROTECTION:
      gst_value_set_structure (value, self->output_protection);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cenc_decrypt_finalize (GObject *object)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (object);

  decrypt_keys_free (self->keys);
  g_clear_pointer (&self->output_protection, gst_structure_free);
  g_clear_error (&self->keys_error);

  G_OBJECT_CLASS (gst_cenc_decrypt_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  /**
   * cencdecrypt:keys:
   *
   * Content keys, "KID:KEY,KID:KEY", 32 hex digits each. Cannot be read. May be
   * set at any time.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_KEYS,
      g_param_spec_string ("keys", "Keys",
          "Content keys: KID:KEY,KID:KEY, 32 hex digits each", NULL,
          G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_PLAYING));
  /**
   * cencdecrypt:key-timeout:
   *
   * How long to wait for a key after the message `cencdecrypt-key-needed`.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_KEY_TIMEOUT,
      g_param_spec_uint64 ("key-timeout", "Key timeout",
          "Nanoseconds to wait for a key after cencdecrypt-key-needed", 0,
          G_MAXINT64, DEFAULT_KEY_TIMEOUT,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
  /**
   * cencdecrypt:verify-keys:
   *
   * Whether the first samples of each key are checked to be samples of their
   * codec once they are decrypted; a key that does not fit is an error then.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_VERIFY_KEYS,
      g_param_spec_boolean ("verify-keys", "Verify keys",
          "Tell a key that does not fit, where it can be told",
          DEFAULT_VERIFY_KEYS,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
  /**
   * cencdecrypt:cens-partial-blocks:
   *
   * Scheme `cens`, samples without subsamples: whether the last, partial block
   * is encrypted (as GPAC, Bento4 and FFmpeg write it) or clear (as ISO/IEC 23001-7
   * has it).
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_CENS_PARTIAL_BLOCKS,
      g_param_spec_boolean ("cens-partial-blocks", "cens partial blocks",
          "With cens, the partial last block of whole samples is encrypted",
          DEFAULT_CENS_PARTIAL_BLOCKS,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
  /**
   * cencdecrypt:output-protection:
   *
   * What the integrator asserts of the output: see
   * gst_cenc_output_protection_covers(). A license that demands more is not
   * played.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_OUTPUT_PROTECTION,
      g_param_spec_boxed ("output-protection", "Output protection",
          "What the integrator asserts of the output, against what licenses "
          "demand",
          GST_TYPE_STRUCTURE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_PLAYING));
}

static void
gst_cenc_decrypt_class_init (GstCencDecryptClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  g_autoptr (GstCaps) sink_caps = decrypt_caps_sink_template ();

  GST_DEBUG_CATEGORY_INIT (gst_cenc_decrypt_debug, "cencdecrypt", 0,
      "Common Encryption decryptor");

  object_class->set_property = gst_cenc_decrypt_set_property;
  object_class->get_property = gst_cenc_decrypt_get_property;
  object_class->finalize = gst_cenc_decrypt_finalize;
  install_properties (object_class);

  element_class->change_state = gst_cenc_decrypt_change_state;
  element_class->set_context = gst_cenc_decrypt_set_context;
  element_class->request_new_pad = gst_cenc_decrypt_request_new_pad;
  element_class->release_pad = gst_cenc_decrypt_release_pad;

  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, sink_caps));
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_add_static_pad_template (element_class, &license_template);
  gst_element_class_set_static_metadata (element_class,
      "Common Encryption decryptor", "Decryptor/Video/Audio",
      "Decrypts ISO/IEC 23001-7 protected media", "gst-plugins-cenc");
}

static void
init_sink_pad (GstCencDecrypt *self)
{
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (self);

  self->sinkpad =
      gst_pad_new_from_template (gst_element_class_get_pad_template (klass,
                                     "sink"),
          "sink");
  gst_pad_set_chain_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_chain));
  gst_pad_set_event_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_sink_event));
  gst_pad_set_query_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_sink_query));
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
}

static void
init_src_pad (GstCencDecrypt *self)
{
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->srcpad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_src_query));
  gst_pad_set_iterate_internal_links_function (self->srcpad,
      GST_DEBUG_FUNCPTR (gst_cenc_decrypt_iterate_src_links));
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

static void
gst_cenc_decrypt_init (GstCencDecrypt *self)
{
  self->keys = decrypt_keys_new (&keys_funcs, self);
  self->key_timeout = DEFAULT_KEY_TIMEOUT;
  self->verify_keys = DEFAULT_VERIFY_KEYS;
  self->cens_partial_blocks = DEFAULT_CENS_PARTIAL_BLOCKS;
  init_sink_pad (self);
  init_src_pad (self);
}
