/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-behind.h"

#include "cenc/decrypt-error.h"
#include "cenc/decrypt-watchdog.h"

/* How long a demuxer may be silent while samples are held. */
#define HOLD_TIMEOUT (5 * GST_SECOND)

struct _DecryptBehind
{
  GstPad *srcpad;
  DecryptPreroll *preroll;
  DecryptSamples *samples;
  DecryptWatchdog *watchdog; /* while samples are held */
};

static void
hold_for_too_long (GstObject *element)
{
  decrypt_error_tell (GST_ELEMENT (element), GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECRYPT,
      "no sample information: put cencdecrypt in front of the demuxer (samples "
      "came without it, and then no more samples)",
      "The demuxer may be waiting for another branch of the pipeline to take "
      "its data, and that for this one.");
}

DecryptBehind *
decrypt_behind_new (GstPad *srcpad, DecryptCrypto *crypto,
    DecryptPreroll *preroll, gboolean verify)
{
  DecryptBehind *self = g_new0 (DecryptBehind, 1);

  self->srcpad = srcpad;
  self->preroll = preroll;
  self->samples = decrypt_samples_new (crypto, verify);
  self->watchdog = decrypt_watchdog_new (HOLD_TIMEOUT, hold_for_too_long,
      GST_OBJECT_PARENT (srcpad));
  return self;
}

void
decrypt_behind_free (DecryptBehind *self)
{
  if (!self)
    return;
  decrypt_watchdog_free (self->watchdog);
  decrypt_samples_free (self->samples);
  g_free (self);
}

void
decrypt_behind_take_tags (DecryptBehind *self, GstEvent *event)
{
  GstTagList *tags;

  gst_event_parse_tag (event, &tags);
  decrypt_samples_take_tags (self->samples, tags);
}

void
decrypt_behind_take_protection (DecryptBehind *self, GstEvent *event)
{
  decrypt_samples_take_protection (self->samples, event);
}

static GstFlowReturn
push_object (DecryptBehind *self, gpointer object)
{
  if (GST_IS_BUFFER (object))
    return gst_pad_push (self->srcpad, object);
  (void) gst_pad_push_event (self->srcpad, object);
  return GST_FLOW_OK;
}

static GstFlowReturn
push_all (DecryptBehind *self, GQueue *objects)
{
  GstFlowReturn ret = GST_FLOW_OK;
  gpointer object;

  while ((object = g_queue_pop_head (objects))) {
    if (ret == GST_FLOW_OK)
      ret = push_object (self, object);
    else
      gst_mini_object_unref (object);
  }
  return ret;
}

static void
watch (DecryptBehind *self)
{
  if (decrypt_samples_is_holding (self->samples))
    decrypt_watchdog_feed (self->watchdog);
  else
    decrypt_watchdog_stop (self->watchdog);
}

gboolean
decrypt_behind_set_caps (DecryptBehind *self, const GstCaps *caps,
    GError **error)
{
  GQueue out = G_QUEUE_INIT;
  gboolean ok = decrypt_samples_set_caps (self->samples, caps, &out, error);

  (void) push_all (self, &out);
  watch (self);
  return ok;
}

GstFlowReturn
decrypt_behind_chain (DecryptBehind *self, GstBuffer *buffer, GError **error)
{
  GstCencKeyUse use =
      decrypt_preroll_get_use (self->preroll, GST_BUFFER_DURATION (buffer));
  GQueue out = G_QUEUE_INIT;
  gboolean ok =
      decrypt_samples_process (self->samples, buffer, use, &out, error);
  GstFlowReturn ret = push_all (self, &out);

  watch (self);
  return ok || ret != GST_FLOW_OK ? ret : GST_FLOW_ERROR;
}

gboolean
decrypt_behind_push_event (DecryptBehind *self, GstEvent *event)
{
  if (!GST_EVENT_IS_SERIALIZED (event) ||
      !decrypt_samples_is_holding (self->samples))
    return gst_pad_push_event (self->srcpad, event);
  decrypt_samples_hold_event (self->samples, event);
  return TRUE;
}

gboolean
decrypt_behind_is_holding (const DecryptBehind *self)
{
  return decrypt_samples_is_holding (self->samples);
}

gboolean
decrypt_behind_end (DecryptBehind *self, GError **error)
{
  GQueue out = G_QUEUE_INIT;
  gboolean ok = decrypt_samples_finish (self->samples, &out, error);

  (void) push_all (self, &out);
  watch (self);
  return ok;
}

void
decrypt_behind_flush (DecryptBehind *self)
{
  decrypt_samples_flush (self->samples);
  watch (self);
}

void
decrypt_behind_begin_title (DecryptBehind *self, gboolean is_same)
{
  decrypt_samples_begin_title (self->samples, is_same);
  watch (self);
}
