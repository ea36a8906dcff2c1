/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-sink.h"

void
encrypt_sink_restart (EncryptSink *self)
{
  self->position = G_MAXUINT64;
  self->end = 0;
  g_clear_pointer (&self->list, gst_buffer_list_unref);
  g_list_free_full (g_steal_pointer (&self->events),
      (GDestroyNotify) gst_event_unref);
}

void
encrypt_sink_hold (EncryptSink *self)
{
  if (!self->list)
    self->list = gst_buffer_list_new ();
}

GstFlowReturn
encrypt_sink_release (EncryptSink *self)
{
  GstBufferList *list = g_steal_pointer (&self->list);

  if (list && gst_buffer_list_length (list) > 0)
    return gst_pad_push_list (self->pad, list);
  g_clear_pointer (&list, gst_buffer_list_unref);
  return GST_FLOW_OK;
}

GstFlowReturn
encrypt_sink_flush (EncryptSink *self)
{
  GstFlowReturn flow;

  if (!self->list)
    return GST_FLOW_OK;
  flow = encrypt_sink_release (self);
  encrypt_sink_hold (self);
  return flow;
}

void
encrypt_sink_delay (EncryptSink *self, GstEvent *event)
{
  self->events = g_list_prepend (self->events, event);
}

void
encrypt_sink_push_events (EncryptSink *self)
{
  GList *events = g_list_reverse (g_steal_pointer (&self->events));

  if (events)
    encrypt_sink_flush (self);
  while (events) {
    gst_pad_push_event (self->pad, events->data);
    events = g_list_delete_link (events, events);
  }
}

static gboolean
push_segment (EncryptSink *self, guint64 start)
{
  GstSegment segment;

  if (self->segment.format == GST_FORMAT_BYTES) {
    gst_segment_init (&segment, GST_FORMAT_BYTES);
    segment.start = segment.time = segment.position = start;
  } else {
    segment = self->segment;
  }
  return gst_pad_push_event (self->pad, gst_event_new_segment (&segment));
}

GstFlowReturn
encrypt_sink_push (EncryptSink *self, GstBuffer *buffer)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (self->position != self->end) {
    flow = encrypt_sink_flush (self);
    push_segment (self, self->end);
  }
  self->end += gst_buffer_get_size (buffer);
  self->position = self->end;
  if (!self->list)
    return gst_pad_push (self->pad, buffer);
  gst_buffer_list_add (self->list, buffer);
  return flow;
}

GstFlowReturn
encrypt_sink_overwrite (EncryptSink *self, guint64 offset, GstBuffer *buffer)
{
  GstFlowReturn flow = encrypt_sink_flush (self);

  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  if (self->position != offset)
    push_segment (self, offset);
  self->position = offset + gst_buffer_get_size (buffer);
  return gst_pad_push (self->pad, buffer);
}

gboolean
encrypt_sink_is_seekable (EncryptSink *self)
{
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  if (self->segment.format == GST_FORMAT_BYTES &&
      gst_pad_peer_query (self->pad, query))
    gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  gst_query_unref (query);
  return seekable;
}

void
encrypt_sink_begin (EncryptSink *self, GstPad *sinkpad)
{
  gchar *id = gst_pad_create_stream_id (self->pad,
      GST_ELEMENT (GST_OBJECT_PARENT (self->pad)), NULL);
  GstCaps *caps = gst_pad_peer_query_caps (sinkpad, NULL);
  GstCaps *own = gst_pad_get_pad_template_caps (self->pad);
  GstCaps *both = gst_caps_intersect (caps, own);

  gst_pad_push_event (self->pad, gst_event_new_stream_start (id));
  if (!gst_caps_is_empty (both)) {
    both = gst_caps_fixate (gst_caps_make_writable (both));
    gst_pad_push_event (self->pad, gst_event_new_caps (both));
  }
  gst_segment_init (&self->segment, GST_FORMAT_BYTES);
  gst_caps_unref (caps);
  gst_caps_unref (own);
  gst_caps_unref (both);
  g_free (id);
}
