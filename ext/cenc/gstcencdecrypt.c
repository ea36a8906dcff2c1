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
 * * `system-id` (string), `init-data` (GstBuffer): of a protection system header
 *   that came with the stream, if one did
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
#include "cenc/decrypt-behind.h"
#include "cenc/decrypt-caps.h"
#include "cenc/decrypt-crypto.h"
#include "cenc/decrypt-error.h"
#include "cenc/decrypt-front.h"
#include "cenc/decrypt-keys.h"
#include "cenc/decrypt-license-pad.h"
#include "cenc/decrypt-preroll.h"
#include "cenc/decrypt-settings.h"

GST_DEBUG_CATEGORY_STATIC (gst_cenc_decrypt_debug);
#define GST_CAT_DEFAULT gst_cenc_decrypt_debug

/* See finish() */
#define ERROR_DELAY (100 * GST_MSECOND)
/* While nobody takes what the task pushes, in PAUSED: 10 s in all. */
#define UNLINKED_DELAY (20 * GST_MSECOND)
#define MAX_UNLINKED 500

struct _GstCencDecrypt
{
  GstElement parent;

  GstPad *sinkpad, *srcpad;
  DecryptAsk *ask;
  DecryptKeys *keys; /* of ask */

  /* Under the object lock */
  GstPad *license_pad;
  DecryptSettings settings;
  gboolean started;
  gboolean output_changed;

  /* Streaming thread, from READY → PAUSED to PAUSED → READY */
  DecryptPreroll preroll;
  DecryptCrypto *crypto; /* there as long as pads are active */
  DecryptBehind *behind; /* behind a demuxer: set by such caps */
  DecryptFront *front; /* in front of one */
  gboolean task; /* upstream is pulled, and we push */
  guint n_unlinked; /* times that the task found nobody to push to */
};

G_DEFINE_TYPE (GstCencDecrypt, gst_cenc_decrypt, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (cencdecrypt, "cencdecrypt", GST_RANK_MARGINAL,
    GST_TYPE_CENC_DECRYPT)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/*
 * Where keys come from
 */

static void
gst_cenc_decrypt_set_context (GstElement *element, GstContext *context)
{
  decrypt_ask_take_context (GST_CENC_DECRYPT (element)->ask, context);

  GST_ELEMENT_CLASS (gst_cenc_decrypt_parent_class)
      ->set_context (element, context);
}

/* What is asserted of the output may change at any time. */
static void
update_output (GstCencDecrypt *self)
{
  g_autoptr (GstStructure) output = NULL;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->output_changed;
  self->output_changed = FALSE;
  if (changed && self->settings.output_protection)
    output = gst_structure_copy (self->settings.output_protection);
  GST_OBJECT_UNLOCK (self);

  if (changed)
    decrypt_crypto_set_output (self->crypto, output);
}

/*
 * Starting: by the state change, or by a downstream element that is in PAUSED
 * already and activates our pads to pull.
 */

static gboolean
start (GstCencDecrypt *self)
{
  gboolean started;

  GST_OBJECT_LOCK (self);
  started = self->started;
  self->started = TRUE;
  if (!started) {
    decrypt_keys_set_timeout (self->keys, self->settings.key_timeout);
    self->crypto = decrypt_crypto_new (self->keys,
        self->settings.cens_partial_blocks ? CENC_CRYPT_CENS_PARTIAL
                                           : CENC_CRYPT_FLAGS_NONE);
  }
  GST_OBJECT_UNLOCK (self);

  if (started)
    return TRUE;
  decrypt_keys_set_flushing (self->keys, FALSE);
  decrypt_keys_begin (self->keys);
  return decrypt_ask_check (self->ask);
}

/*
 * In front of a demuxer
 */

static GstCencKeyUse
get_use (GstClockTime duration, gpointer user_data)
{
  return decrypt_preroll_get_use (&GST_CENC_DECRYPT (user_data)->preroll,
      duration);
}

static void
set_flushing (gboolean flushing, gpointer user_data)
{
  decrypt_keys_set_flushing (GST_CENC_DECRYPT (user_data)->keys, flushing);
}

static gboolean
get_verify (GstCencDecrypt *self)
{
  gboolean verify;

  GST_OBJECT_LOCK (self);
  verify = self->settings.verify_keys;
  GST_OBJECT_UNLOCK (self);
  return verify;
}

static void gst_cenc_decrypt_loop (gpointer user_data);

/* (transfer none) */
static DecryptFront *
get_front (GstCencDecrypt *self)
{
  const DecryptFrontFuncs funcs = { gst_cenc_decrypt_loop, set_flushing, self };
  const DecryptWork work = { self->crypto, get_use, self };

  if (!self->front)
    self->front = decrypt_front_new (self->sinkpad, self->srcpad, &funcs, &work,
        get_verify (self));
  return self->front;
}

/* @error is what failed; without one it is a neighbor, who has told.
 *
 * gst-launch-1.0 (seen in 1.22, not changed in 1.28) quits its main loop when an
 * error comes; one that comes before it runs the loop leaves it running for
 * ever. A file that cannot be decrypted is known within a millisecond, so in
 * PAUSED the error waits a little. */
static GstFlowReturn
finish (GstCencDecrypt *self, GstFlowReturn flow, const GError *error)
{
  if (!error)
    return flow;
  if (!decrypt_error_is_flushing (error) &&
      !g_atomic_int_get (&self->preroll.playing))
    decrypt_keys_wait_for_flush (self->keys, ERROR_DELAY);
  return decrypt_error_post (GST_ELEMENT (self), error);
}

static GstFlowReturn
gst_cenc_decrypt_get_range (GstPad *pad, GstObject *parent, guint64 offset,
    guint size, GstBuffer **buffer)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow;

  update_output (self);
  flow =
      decrypt_front_get_range (get_front (self), offset, size, buffer, &error);
  return finish (self, flow, error);
}

/* An autoplugger wants to see our caps before it links a demuxer, which then
 * pulls: until somebody takes what we push, it is tried again. */
static gboolean
wait_for_peer (GstCencDecrypt *self)
{
  if (g_atomic_int_get (&self->preroll.playing) ||
      self->n_unlinked >= MAX_UNLINKED)
    return FALSE;
  self->n_unlinked++;
  decrypt_keys_wait_for_flush (self->keys, UNLINKED_DELAY);
  return TRUE;
}

static void
gst_cenc_decrypt_loop (gpointer user_data)
{
  GstCencDecrypt *self = user_data;
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow;

  update_output (self);
  flow = decrypt_front_loop (get_front (self), &error);
  if (flow != GST_FLOW_OK && GST_PAD_MODE (self->srcpad) != GST_PAD_MODE_PUSH) {
    gst_pad_pause_task (self->sinkpad);
    return;
  }
  if (flow == GST_FLOW_NOT_LINKED && !error && wait_for_peer (self))
    return;
  flow = finish (self, flow, error);
  if (flow == GST_FLOW_OK)
    return;

  gst_pad_pause_task (self->sinkpad);
  if (flow == GST_FLOW_FLUSHING)
    return;
  if (!error && (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS))
    GST_ELEMENT_FLOW_ERROR (self, flow);
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
}

/*
 * Both
 */

static GstFlowReturn
gst_cenc_decrypt_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow;

  update_output (self);
  flow = self->behind ? decrypt_behind_chain (self->behind, buffer, &error)
                      : decrypt_front_chain (get_front (self), buffer, &error);
  return finish (self, flow, error);
}

static gboolean
push_event (GstCencDecrypt *self, GstEvent *event)
{
  return self->behind ? decrypt_behind_push_event (self->behind, event)
                      : gst_pad_push_event (self->srcpad, event);
}

static gboolean
set_sink_caps (GstCencDecrypt *self, GstCaps *caps)
{
  g_autoptr (GstCaps) clear = decrypt_caps_to_clear (caps);

  if (!clear)
    return FALSE;
  if (!decrypt_caps_are_samples (caps)) {
    g_clear_pointer (&self->behind, decrypt_behind_free);
  } else {
    if (!self->behind)
      self->behind = decrypt_behind_new (self->srcpad, self->crypto,
          &self->preroll, get_verify (self));
    if (!decrypt_behind_set_caps (self->behind, caps))
      return FALSE;
  }
  return push_event (self, gst_event_new_caps (clear));
}

/* The end of half a file is not handed on: the error has been posted. */
static gboolean
take_eos (GstCencDecrypt *self, GstPad *pad, GstObject *parent, GstEvent *event)
{
  g_autoptr (GError) error = NULL;

  if (self->behind ? decrypt_behind_end (self->behind, &error)
                   : decrypt_front_end (get_front (self), &error))
    return gst_pad_event_default (pad, parent, event);
  (void) finish (self, GST_FLOW_ERROR, error);
  gst_event_unref (event);
  return FALSE;
}

static gboolean
take_caps (GstCencDecrypt *self, GstEvent *event)
{
  GstCaps *caps;
  gboolean ret;

  gst_event_parse_caps (event, &caps);
  ret = set_sink_caps (self, caps);
  gst_event_unref (event);
  return ret;
}

static gboolean
gst_cenc_decrypt_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  GstEventType type = GST_EVENT_TYPE (event);

  if (!self->behind &&
      (type == GST_EVENT_FLUSH_START || type == GST_EVENT_FLUSH_STOP ||
          type == GST_EVENT_SEGMENT)) {
    event = decrypt_front_take_sink_event (get_front (self), event);
    if (!event)
      return TRUE;
  }

  switch (type) {
    case GST_EVENT_CAPS:
      return take_caps (self, event);
    case GST_EVENT_EOS:
      return take_eos (self, pad, parent, event);
    case GST_EVENT_PROTECTION:
      /* Behind this element nothing is protected. */
      decrypt_ask_take_protection (self->ask, event);
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_FLUSH_START:
      decrypt_keys_set_flushing (self->keys, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      decrypt_keys_set_flushing (self->keys, FALSE);
      if (self->behind)
        decrypt_behind_flush (self->behind);
      break;
    default:
      break;
  }
  return push_event (self, event);
}

static gboolean
gst_cenc_decrypt_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  gboolean ok;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEEK:
      if (self->task) {
        ok = decrypt_front_seek_task (get_front (self), event);
        gst_event_unref (event);
        return ok;
      }
      if (self->front)
        event = decrypt_front_adjust_seek (self->front, event);
      break;
    case GST_EVENT_FLUSH_START:
      decrypt_keys_set_flushing (self->keys, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      decrypt_keys_set_flushing (self->keys, FALSE);
      break;
    default:
      break;
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
gst_cenc_decrypt_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION)
    return decrypt_caps_answer_allocation (query, self->srcpad);
  return gst_pad_query_default (pad, parent, query);
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

/*
 * Pads
 */

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
can_pull (GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_scheduling ();

  return gst_pad_peer_query (pad, query) &&
      gst_query_has_scheduling_mode_with_flags (query, GST_PAD_MODE_PULL,
          GST_SCHEDULING_FLAG_SEEKABLE);
}

/* Nobody pulls from us: if upstream lets itself be pulled, its bytes come in
 * larger portions than it would push. */
static gboolean
gst_cenc_decrypt_sink_activate (GstPad *pad, GstObject *parent)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);

  self->task = can_pull (pad);
  if (self->task && gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE))
    return TRUE;
  self->task = FALSE;
  return gst_pad_activate_mode (pad, GST_PAD_MODE_PUSH, TRUE);
}

static gboolean
gst_cenc_decrypt_sink_activate_mode (GstPad *pad, GstObject *parent,
    GstPadMode mode, gboolean active)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);
  gboolean ok = TRUE;

  /* Before anybody waits for the thread that may wait for a key. */
  decrypt_keys_set_flushing (self->keys, !active);
  if (active && !start (self))
    return FALSE;
  if (active && self->task)
    ok = gst_pad_start_task (pad, gst_cenc_decrypt_loop, self, NULL);
  else if (!active && mode == GST_PAD_MODE_PULL)
    ok = gst_pad_stop_task (pad);
  if (!active)
    self->task = FALSE;
  self->n_unlinked = 0;
  return ok;
}

static gboolean
gst_cenc_decrypt_src_activate_mode (GstPad *pad, GstObject *parent,
    GstPadMode mode, gboolean active)
{
  GstCencDecrypt *self = GST_CENC_DECRYPT (parent);

  if (!active)
    decrypt_keys_set_flushing (self->keys, TRUE);
  /* Waits for our thread, unless it is the one that calls: an autoplugger links
   * a demuxer, which then pulls, when it sees the caps that we push. */
  if (!active && mode == GST_PAD_MODE_PUSH && self->task)
    gst_pad_pause_task (self->sinkpad);
  if (mode != GST_PAD_MODE_PULL)
    return TRUE;
  if (active && self->task) {
    self->task = FALSE;
    decrypt_keys_set_flushing (self->keys, FALSE);
  }
  return gst_pad_activate_mode (self->sinkpad, mode, active);
}

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

  g_clear_pointer (&self->behind, decrypt_behind_free);
  g_clear_pointer (&self->front, decrypt_front_free);
  g_clear_pointer (&self->crypto, decrypt_crypto_free);
  self->preroll.used = 0;
  decrypt_keys_clear (self->keys, DECRYPT_KEYS_LICENSE);
  decrypt_keys_end (self->keys);
  decrypt_ask_reset (self->ask);

  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  self->output_changed = TRUE;
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
      if (!start (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      g_atomic_int_set (&self->preroll.playing, TRUE);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      g_atomic_int_set (&self->preroll.playing, FALSE);
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
  self->output_changed |= id == DECRYPT_PROP_OUTPUT_PROTECTION;
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
  self->output_changed = TRUE;
  init_sink_pad (self);
  init_src_pad (self);
  self->ask = decrypt_ask_new (GST_ELEMENT (self), self->sinkpad, self->srcpad);
  self->keys = decrypt_ask_get_keys (self->ask);
}
