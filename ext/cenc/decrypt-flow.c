/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-flow.h"

#include "cenc/decrypt-behind.h"
#include "cenc/decrypt-caps.h"
#include "cenc/decrypt-crypto.h"
#include "cenc/decrypt-error.h"
#include "cenc/decrypt-front.h"
#include "cenc/decrypt-groups.h"
#include "cenc/decrypt-preroll.h"

#include <gst/cenc/gstcenckeyring.h>

/* See finish() */
#define ERROR_DELAY (100 * GST_MSECOND)
/* While nobody takes what the task pushes, in PAUSED: a minute in all. An
 * autoplugger loads plugins, which a busy machine takes long for. */
#define UNLINKED_DELAY (20 * GST_MSECOND)
#define MAX_UNLINKED 3000

struct _DecryptFlow
{
  GstElement *element;
  GstPad *sinkpad, *srcpad;
  DecryptAsk *ask;
  DecryptKeys *keys; /* of ask */

  /* Under the element's object lock */
  const DecryptSettings *settings; /* the element's; NULL: not started */
  gboolean output_changed;

  /* Streaming thread, from READY → PAUSED to PAUSED → READY */
  gboolean verify;
  DecryptPreroll preroll;
  DecryptCrypto *crypto; /* there as long as pads are active */
  DecryptBehind *behind; /* behind a demuxer: set by such caps */
  DecryptGroups *groups; /* of what it may not read */
  DecryptFront *front; /* in front of one */
  gboolean task; /* upstream is pulled, and we push */
  gchar *stream_id; /* of the last title */
  gboolean broken; /* a title before this one was not whole */
  guint n_unlinked; /* times that the task found nobody to push to */
};

DecryptFlow *
decrypt_flow_new (GstElement *element, GstPad *sinkpad, GstPad *srcpad,
    DecryptAsk *ask)
{
  DecryptFlow *self = g_new0 (DecryptFlow, 1);

  self->element = element;
  self->sinkpad = sinkpad;
  self->srcpad = srcpad;
  self->ask = ask;
  self->keys = decrypt_ask_get_keys (ask);
  self->output_changed = TRUE;
  self->groups = decrypt_groups_new (decrypt_groups_are_unread ());
  return self;
}

static void
clear (DecryptFlow *self)
{
  g_clear_pointer (&self->behind, decrypt_behind_free);
  g_clear_pointer (&self->front, decrypt_front_free);
  g_clear_pointer (&self->crypto, decrypt_crypto_free);
  decrypt_groups_reset (self->groups);
  g_clear_pointer (&self->stream_id, g_free);
}

void
decrypt_flow_free (DecryptFlow *self)
{
  if (!self)
    return;
  clear (self);
  decrypt_groups_free (self->groups);
  g_free (self);
}

gboolean
decrypt_flow_start (DecryptFlow *self, const DecryptSettings *settings)
{
  gboolean started;

  GST_OBJECT_LOCK (self->element);
  started = self->settings != NULL;
  self->settings = settings;
  if (!started) {
    decrypt_keys_set_timeout (self->keys, settings->key_timeout);
    self->verify = settings->verify_keys;
    self->crypto =
        decrypt_crypto_new (self->keys, decrypt_settings_get_flags (settings));
  }
  GST_OBJECT_UNLOCK (self->element);

  if (started)
    return TRUE;
  decrypt_keys_set_flushing (self->keys, FALSE);
  decrypt_keys_begin (self->keys);
  return decrypt_ask_check (self->ask);
}

void
decrypt_flow_stop (DecryptFlow *self)
{
  clear (self);
  self->broken = FALSE;
  self->preroll.used = 0;
  decrypt_keys_clear (self->keys, DECRYPT_KEYS_LICENSE);
  decrypt_keys_end (self->keys);
  decrypt_ask_reset (self->ask);

  GST_OBJECT_LOCK (self->element);
  self->settings = NULL;
  self->output_changed = TRUE;
  GST_OBJECT_UNLOCK (self->element);
}

gboolean
decrypt_flow_play (DecryptFlow *self)
{
  g_autoptr (GError) error = NULL;

  g_atomic_int_set (&self->preroll.playing, TRUE);
  if (decrypt_keys_play (self->keys, &error))
    return TRUE;
  g_atomic_int_set (&self->preroll.playing, FALSE);
  decrypt_error_post (self->element, error);
  return FALSE;
}

void
decrypt_flow_pause (DecryptFlow *self)
{
  decrypt_keys_pause (self->keys);
  g_atomic_int_set (&self->preroll.playing, FALSE);
}

void
decrypt_flow_output_changed_locked (DecryptFlow *self)
{
  self->output_changed = TRUE;
}

void
decrypt_flow_set_flushing (DecryptFlow *self, gboolean flushing)
{
  decrypt_keys_set_flushing (self->keys, flushing);
}

/* What is asserted of the output may change at any time. */
static void
update_output (DecryptFlow *self)
{
  g_autoptr (GstStructure) output = NULL;
  gboolean changed;

  GST_OBJECT_LOCK (self->element);
  changed = self->output_changed;
  self->output_changed = FALSE;
  if (changed && self->settings && self->settings->output_protection)
    output = gst_structure_copy (self->settings->output_protection);
  GST_OBJECT_UNLOCK (self->element);

  if (changed)
    decrypt_crypto_set_output (self->crypto, output);
}

/*
 * In front of a demuxer
 */

static GstCencKeyUse
get_use (GstClockTime duration, gpointer user_data)
{
  return decrypt_preroll_get_use (&((DecryptFlow *) user_data)->preroll,
      duration);
}

static void
take_header (const guint8 *system_id, GBytes *box, const gchar *origin,
    gpointer user_data)
{
  DecryptFlow *self = user_data;
  g_autofree gchar *hex = gst_cenc_kid_to_string (system_id);
  g_autofree gchar *uuid = g_strdup_printf ("%.8s-%.4s-%.4s-%.4s-%s", hex,
      hex + 8, hex + 12, hex + 16, hex + 20);
  g_autoptr (GstBuffer) data = gst_buffer_new_wrapped_bytes (box);

  decrypt_ask_take_header (self->ask, uuid, data, origin);
}

static void
set_flushing (gboolean flushing, gpointer user_data)
{
  decrypt_flow_set_flushing (user_data, flushing);
}

static void loop (gpointer user_data);

/* (transfer none) */
static DecryptFront *
get_front (DecryptFlow *self)
{
  const DecryptFrontFuncs funcs = { loop, set_flushing, self };
  const DecryptWork work = { self->crypto, get_use, take_header, self };

  if (!self->front)
    self->front = decrypt_front_new (self->sinkpad, self->srcpad, &funcs, &work,
        self->verify);
  return self->front;
}

/* @error is what failed; without one it is a neighbor, who has told.
 *
 * gst-launch-1.0 (seen in 1.22, not changed in 1.28) quits its main loop when an
 * error comes; one that comes before it runs the loop leaves it running for
 * ever. A file that cannot be decrypted is known within a millisecond, so in
 * PAUSED the error waits a little. */
static GstFlowReturn
finish (DecryptFlow *self, GstFlowReturn flow, const GError *error)
{
  if (!error)
    return flow;
  if (!decrypt_error_is_flushing (error) &&
      !g_atomic_int_get (&self->preroll.playing))
    decrypt_keys_wait_for_flush (self->keys, ERROR_DELAY);
  return decrypt_error_post (self->element, error);
}

GstFlowReturn
decrypt_flow_get_range (DecryptFlow *self, guint64 offset, guint size,
    GstBuffer **buffer)
{
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
wait_for_peer (DecryptFlow *self)
{
  if (g_atomic_int_get (&self->preroll.playing) ||
      self->n_unlinked >= MAX_UNLINKED)
    return FALSE;
  self->n_unlinked++;
  decrypt_keys_wait_for_flush (self->keys, UNLINKED_DELAY);
  return TRUE;
}

static void
loop (gpointer user_data)
{
  DecryptFlow *self = user_data;
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
    GST_ELEMENT_FLOW_ERROR (self->element, flow);
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
}

/*
 * Both
 */

GstFlowReturn
decrypt_flow_chain (DecryptFlow *self, GstBuffer *buffer)
{
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow;

  if (self->broken) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  update_output (self);
  if (self->behind && !decrypt_groups_check (self->groups, buffer, &error)) {
    gst_buffer_unref (buffer);
    return finish (self, GST_FLOW_ERROR, error);
  }
  flow = self->behind ? decrypt_behind_chain (self->behind, buffer, &error)
                      : decrypt_front_chain (get_front (self), buffer, &error);
  return finish (self, flow, error);
}

static gboolean
push_event (DecryptFlow *self, GstEvent *event)
{
  /* In whatever thread, and past what is held. */
  if (!GST_EVENT_IS_SERIALIZED (event) || !self->behind)
    return gst_pad_push_event (self->srcpad, event);
  return decrypt_behind_push_event (self->behind, event);
}

/* Samples follow: a file that came before them has to be whole. */
static gboolean
be_behind (DecryptFlow *self, GstCaps *caps, GError **error)
{
  if (!self->behind) {
    if (self->front && !decrypt_front_begin_stream (self->front, FALSE, error))
      return FALSE;
    self->behind = decrypt_behind_new (self->srcpad, self->crypto,
        &self->preroll, self->verify);
  }
  return decrypt_behind_set_caps (self->behind, caps, error);
}

/* A file follows: what is held of samples goes out before it. */
static gboolean
be_in_front (DecryptFlow *self, GError **error)
{
  if (self->behind && !decrypt_behind_end (self->behind, error))
    return FALSE;
  g_clear_pointer (&self->behind, decrypt_behind_free);
  return TRUE;
}

static gboolean
set_sink_caps (DecryptFlow *self, GstCaps *caps, GError **error)
{
  g_autoptr (GstCaps) clear_caps = decrypt_caps_to_clear (caps);

  if (!clear_caps ||
      !(decrypt_caps_are_samples (caps) ? be_behind (self, caps, error)
                                        : be_in_front (self, error)))
    return FALSE;
  return push_event (self, gst_event_new_caps (clear_caps));
}

/* The end of half a file is not handed on: the error has been posted. */
static gboolean
take_eos (DecryptFlow *self, GstEvent *event)
{
  g_autoptr (GError) error = NULL;

  if (self->broken) {
    gst_event_unref (event);
    return FALSE;
  }
  if (self->behind ? decrypt_behind_end (self->behind, &error)
                   : decrypt_front_end (get_front (self), &error))
    return gst_pad_event_default (self->sinkpad, GST_OBJECT (self->element),
        event);
  (void) finish (self, GST_FLOW_ERROR, error);
  gst_event_unref (event);
  return FALSE;
}

/* FALSE: the title that was there does not end here. What knows it stays: events
 * that are not serialized may look at it at any time, and caps may not come again. */
static gboolean
begin_title (DecryptFlow *self, gboolean is_same, GError **error)
{
  if (!is_same)
    decrypt_groups_reset (self->groups);
  if (self->behind) {
    if (!decrypt_behind_end (self->behind, error))
      return FALSE;
    decrypt_behind_begin_title (self->behind, is_same);
    return TRUE;
  }
  return !self->front ||
      decrypt_front_begin_stream (self->front, is_same, error);
}

/* What comes behind half a title is not looked at. */
static gboolean
break_off (DecryptFlow *self, const GError *error)
{
  self->broken = TRUE;
  (void) finish (self, GST_FLOW_ERROR, error);
  return FALSE;
}

/* TRUE where half a title was broken off, too: then it is buffers that fail, and
 * upstream has nothing to tell of caps. */
static gboolean
take_caps (DecryptFlow *self, GstEvent *event)
{
  g_autoptr (GError) error = NULL;
  GstCaps *caps;
  gboolean ret = TRUE;

  gst_event_parse_caps (event, &caps);
  if (!self->broken)
    ret = set_sink_caps (self, caps, &error);
  gst_event_unref (event);
  if (error)
    (void) break_off (self, error);
  return ret || self->broken;
}

/* Another title behind the one that was there: as in a new element, but for the
 * keys. Or the same one: demuxers send the event again where its caps change. */
static gboolean
take_stream_start (DecryptFlow *self, GstEvent *event)
{
  g_autofree gchar *last = g_steal_pointer (&self->stream_id);
  g_autoptr (GError) error = NULL;
  const gchar *id;
  gboolean is_same;

  gst_event_parse_stream_start (event, &id);
  self->stream_id = g_strdup (id);
  is_same = g_strcmp0 (id, last) == 0;
  if (is_same && self->behind && decrypt_behind_is_holding (self->behind))
    return push_event (self, event);
  if (!begin_title (self, is_same, &error)) {
    gst_event_unref (event);
    return break_off (self, error);
  }
  return gst_pad_push_event (self->srcpad, event);
}

static gboolean
is_for_front (const DecryptFlow *self, GstEventType type)
{
  return !self->behind &&
      ((type == GST_EVENT_FLUSH_START && self->front) ||
          type == GST_EVENT_FLUSH_STOP || type == GST_EVENT_SEGMENT);
}

gboolean
decrypt_flow_take_sink_event (DecryptFlow *self, GstEvent *event)
{
  GstEventType type = GST_EVENT_TYPE (event);
  g_autoptr (GError) error = NULL;

  if (is_for_front (self, type)) {
    event = decrypt_front_take_sink_event (get_front (self), event, &error);
    if (!event)
      return !error || break_off (self, error);
  }

  switch (type) {
    case GST_EVENT_CAPS:
      return take_caps (self, event);
    case GST_EVENT_EOS:
      return take_eos (self, event);
    case GST_EVENT_STREAM_START:
      return take_stream_start (self, event);
    case GST_EVENT_PROTECTION:
      /* Behind this element nothing is protected. */
      decrypt_ask_take_protection (self->ask, event);
      decrypt_groups_take_protection (self->groups, event);
      if (self->behind)
        decrypt_behind_take_protection (self->behind, event);
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_TAG:
      if (self->behind)
        decrypt_behind_take_tags (self->behind, event);
      break;
    case GST_EVENT_FLUSH_START:
      decrypt_flow_set_flushing (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      decrypt_flow_set_flushing (self, FALSE);
      decrypt_keys_forget_prerolled (self->keys);
      if (self->behind)
        decrypt_behind_flush (self->behind);
      break;
    default:
      break;
  }
  return push_event (self, event);
}

gboolean
decrypt_flow_take_src_event (DecryptFlow *self, GstEvent *event)
{
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
      decrypt_flow_set_flushing (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      decrypt_flow_set_flushing (self, FALSE);
      break;
    default:
      break;
  }
  return gst_pad_event_default (self->srcpad, GST_OBJECT (self->element),
      event);
}

/*
 * Activation
 */

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
gboolean
decrypt_flow_activate_sink (DecryptFlow *self)
{
  self->task = can_pull (self->sinkpad);
  if (self->task &&
      gst_pad_activate_mode (self->sinkpad, GST_PAD_MODE_PULL, TRUE))
    return TRUE;
  self->task = FALSE;
  return gst_pad_activate_mode (self->sinkpad, GST_PAD_MODE_PUSH, TRUE);
}

gboolean
decrypt_flow_activate_sink_mode (DecryptFlow *self, GstPadMode mode,
    gboolean active, const DecryptSettings *settings)
{
  gboolean ok = TRUE;

  /* Before anybody waits for the thread that may wait for a key. */
  decrypt_flow_set_flushing (self, !active);
  if (active && !decrypt_flow_start (self, settings))
    return FALSE;
  if (active && self->task)
    ok = gst_pad_start_task (self->sinkpad, loop, self, NULL);
  else if (!active && mode == GST_PAD_MODE_PULL)
    ok = gst_pad_stop_task (self->sinkpad);
  if (!active)
    self->task = FALSE;
  self->n_unlinked = 0;
  return ok;
}

gboolean
decrypt_flow_activate_src_mode (DecryptFlow *self, GstPadMode mode,
    gboolean active)
{
  if (!active)
    decrypt_flow_set_flushing (self, TRUE);
  /* Waits for our thread, unless it is the one that calls: an autoplugger links
   * a demuxer, which then pulls, when it sees the caps that we push. */
  if (!active && mode == GST_PAD_MODE_PUSH && self->task)
    gst_pad_pause_task (self->sinkpad);
  if (mode != GST_PAD_MODE_PULL)
    return TRUE;
  if (active && self->task) {
    self->task = FALSE;
    decrypt_flow_set_flushing (self, FALSE);
  }
  return gst_pad_activate_mode (self->sinkpad, mode, active);
}
