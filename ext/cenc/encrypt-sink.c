/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-sink.h"

void
encrypt_sink_restart (EncryptSink *self)
{
  self->position = G_MAXUINT64;
  self->end = 0;
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
  if (self->position != self->end)
    push_segment (self, self->end);
  self->end += gst_buffer_get_size (buffer);
  self->position = self->end;
  return gst_pad_push (self->pad, buffer);
}

GstFlowReturn
encrypt_sink_overwrite (EncryptSink *self, guint64 offset, GstBuffer *buffer)
{
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
