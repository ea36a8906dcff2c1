/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-front-private.h"

#define SEEK_TIMEOUT (5 * G_TIME_SPAN_SECOND)
#define FLUSH_TIMEOUT (100 * G_TIME_SPAN_MILLISECOND)

/*
 * Seeks of our own
 */

static gboolean
can_seek (DecryptFront *self)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  if (gst_pad_peer_query (self->sinkpad, query))
    gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  return seekable;
}

/* Who seeks flushes us, takes upstream's lock, and then the one that this thread
 * holds: on its way to upstream's, which is another one's behind a queue, this
 * thread would wait for ever. So a flush that begins waits for a seek of ours, and
 * none of ours begins until it is over. */
static gboolean
begin_seek (DecryptFront *self)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = !self->flushing;
  if (ok)
    self->seeking = g_thread_self ();
  g_mutex_unlock (&self->lock);
  return ok;
}

static void
end_seek (DecryptFront *self)
{
  g_mutex_lock (&self->lock);
  self->seeking = NULL;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

static gboolean
is_own (DecryptFront *self)
{
  gboolean own;

  g_mutex_lock (&self->lock);
  own = self->seeking == g_thread_self ();
  g_mutex_unlock (&self->lock);
  return own;
}

/* Bounded: nobody knows in which thread another upstream flushes. */
static void
begin_flush (DecryptFront *self)
{
  gint64 deadline = g_get_monotonic_time () + SEEK_TIMEOUT;

  g_mutex_lock (&self->lock);
  self->flushing = TRUE;
  g_cond_broadcast (&self->cond);
  while (
      self->seeking && g_cond_wait_until (&self->cond, &self->lock, deadline))
    ;
  g_mutex_unlock (&self->lock);
}

static void
end_flush (DecryptFront *self)
{
  g_mutex_lock (&self->lock);
  self->flushing = FALSE;
  g_mutex_unlock (&self->lock);
  self->flushed = TRUE;
  self->own_segments = 0;
  decrypt_stream_flush (self->stream);
}

/* Upstream is told of a flush before we are. */
static gboolean
wait_for_flush (DecryptFront *self)
{
  gint64 deadline = g_get_monotonic_time () + FLUSH_TIMEOUT;
  gboolean flushing;

  g_mutex_lock (&self->lock);
  while (!self->flushing && !GST_PAD_IS_FLUSHING (self->sinkpad) &&
      g_cond_wait_until (&self->cond, &self->lock, deadline))
    ;
  flushing = self->flushing || GST_PAD_IS_FLUSHING (self->sinkpad);
  g_mutex_unlock (&self->lock);
  return flushing;
}

gboolean
decrypt_front_seek_upstream (guint64 offset, gpointer user_data)
{
  DecryptFront *self = user_data;
  gboolean ok;

  if (self->origin > 0 || !can_seek (self))
    return FALSE;
  self->refused = !begin_seek (self);
  if (self->refused)
    return FALSE;
  ok = gst_pad_push_event (self->sinkpad,
      gst_event_new_seek (1.0, GST_FORMAT_BYTES,
          GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET,
          (gint64) offset, GST_SEEK_TYPE_NONE, -1));
  end_seek (self);
  self->refused = !ok;
  if (ok)
    self->own_segments++;
  return ok;
}

/*
 * Upstream pushes
 */

/* The sample that the stop cuts was needed whole. */
GstFlowReturn
decrypt_front_push (GstBuffer *buffer, gpointer user_data)
{
  DecryptFront *self = user_data;
  guint64 offset = GST_BUFFER_OFFSET (buffer);
  gboolean last =
      self->origin == 0 && GST_BUFFER_OFFSET_END (buffer) >= self->stop;
  GstFlowReturn flow;

  if (last && offset >= self->stop) {
    gst_buffer_unref (buffer);
    return GST_FLOW_EOS;
  }
  if (last) {
    gst_buffer_resize (buffer, 0, (gssize) (self->stop - offset));
    GST_BUFFER_OFFSET_END (buffer) = self->stop;
  }
  GST_BUFFER_OFFSET (buffer) += self->origin;
  GST_BUFFER_OFFSET_END (buffer) += self->origin;
  flow = gst_pad_push (self->srcpad, buffer);
  /* Downstream may have sought while it took it. */
  return flow == GST_FLOW_OK && last && !self->flushed ? GST_FLOW_EOS : flow;
}

GstFlowReturn
decrypt_front_chain (DecryptFront *self, GstBuffer *buffer, GError **error)
{
  GstFlowReturn flow;

  self->fed = TRUE;
  self->refused = FALSE;
  flow = decrypt_stream_feed (self->stream, buffer, error);
  if (flow == GST_FLOW_ERROR && self->refused && wait_for_flush (self)) {
    g_clear_error (error);
    flow = GST_FLOW_FLUSHING;
  }
  return flow;
}

gboolean
decrypt_front_end (DecryptFront *self, GError **error)
{
  return decrypt_stream_end (self->stream, error);
}

static void
set_origin (DecryptFront *self, guint64 origin)
{
  g_mutex_lock (&self->lock);
  self->origin = origin;
  g_mutex_unlock (&self->lock);
}

static gboolean
is_first_file (DecryptFront *self)
{
  gboolean first;

  g_mutex_lock (&self->lock);
  first = self->origin == 0;
  g_mutex_unlock (&self->lock);
  return first;
}

static void
begin_file (DecryptFront *self, guint64 origin)
{
  decrypt_stream_reset (self->stream);
  set_origin (self, origin);
  self->fed = FALSE;
}

gboolean
decrypt_front_begin_stream (DecryptFront *self, gboolean is_same,
    GError **error)
{
  if (!self->fed || self->own_segments > 0)
    return TRUE;
  /* After a seek it may be the same file again; and without one, under the same
   * name, another copy of it. */
  if (is_same != self->flushed) {
    self->may_be_next = TRUE;
    return TRUE;
  }
  if (self->flushed)
    return TRUE;
  if (!decrypt_stream_end (self->stream, error))
    return FALSE;
  begin_file (self, 0);
  self->is_next = TRUE;
  return TRUE;
}

/* Where downstream believes to have seeked to; and sets where that ends. */
static guint64
take_target (DecryptFront *self, guint64 start)
{
  guint64 target = start;

  g_mutex_lock (&self->lock);
  self->stop = self->seek_stop;
  if (self->seek_start == start)
    target = self->seek_target;
  self->seek_start = G_MAXUINT64;
  g_mutex_unlock (&self->lock);
  return target;
}

/* Upstream does not say where it goes on (an adaptive demuxer): at a box. */
static void
resume (DecryptFront *self)
{
  if (self->flushed)
    decrypt_stream_resume (self->stream);
  self->flushed = self->is_next = self->may_be_next = FALSE;
}

/* At the start, after a seek; else right behind the last file. FALSE: that one was
 * not whole. */
static gboolean
begin_next (DecryptFront *self, guint64 start, GError **error)
{
  guint64 end = self->origin + decrypt_stream_get_position (self->stream);

  if (!self->may_be_next)
    return TRUE;
  self->may_be_next = FALSE;
  if (self->flushed) {
    if (start == 0)
      begin_file (self, 0);
    return TRUE;
  }
  if (start == 0 || start != end)
    return TRUE;
  if (!decrypt_stream_end (self->stream, error))
    return FALSE;
  begin_file (self, start);
  return TRUE;
}

/* Of a file that is not the first one. */
static GstEvent *
take_segment_behind (DecryptFront *self, const GstSegment *segment,
    GstEvent *event)
{
  guint64 start;

  if (segment->start < self->origin) {
    decrypt_stream_reset (self->stream); /* back to one before it */
    set_origin (self, 0);
  }
  start = segment->start - self->origin;
  if (self->flushed || start != decrypt_stream_get_position (self->stream))
    decrypt_stream_jump (self->stream, start, start);
  self->flushed = FALSE;
  return event;
}

static GstEvent *
take_segment (DecryptFront *self, GstEvent *event, GError **error)
{
  GstSegment segment;
  GstEvent *adjusted;
  guint64 target;

  if (self->own_segments > 0) {
    self->own_segments--;
    gst_event_unref (event);
    return NULL;
  }
  gst_event_copy_segment (event, &segment);
  if (segment.format != GST_FORMAT_BYTES) {
    resume (self);
    return event;
  }
  if (self->is_next)
    set_origin (self, segment.start);
  self->is_next = FALSE;
  if (!begin_next (self, segment.start, error)) {
    gst_event_unref (event);
    return NULL;
  }
  if (self->origin > 0)
    return take_segment_behind (self, &segment, event);

  target = take_target (self, segment.start);
  if (self->flushed ||
      segment.start != decrypt_stream_get_position (self->stream))
    decrypt_stream_jump (self->stream, segment.start, target);
  self->flushed = FALSE;
  if (target == segment.start && self->stop == G_MAXUINT64)
    return event;

  segment.start = segment.position = segment.time = target;
  segment.stop = MIN (segment.stop, self->stop);
  adjusted = gst_event_new_segment (&segment);
  gst_event_set_seqnum (adjusted, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return adjusted;
}

GstEvent *
decrypt_front_take_sink_event (DecryptFront *self, GstEvent *event,
    GError **error)
{
  gboolean own = is_own (self);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT:
      return take_segment (self, event, error);
    case GST_EVENT_FLUSH_START:
      if (!own)
        begin_flush (self);
      break;
    case GST_EVENT_FLUSH_STOP:
      if (!own)
        end_flush (self);
      break;
    default:
      break;
  }
  if (own)
    gst_clear_event (&event);
  return event;
}

GstEvent *
decrypt_front_adjust_seek (DecryptFront *self, GstEvent *event)
{
  GstFormat format;
  GstSeekFlags flags;
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  gdouble rate;
  guint64 from;
  GstEvent *adjusted;

  gst_event_parse_seek (event, &rate, &format, &flags, &start_type, &start,
      &stop_type, &stop);
  if (format != GST_FORMAT_BYTES || start_type != GST_SEEK_TYPE_SET ||
      start < 0 || !is_first_file (self))
    return event;
  from = decrypt_stream_get_start (self->stream, (guint64) start);
  g_mutex_lock (&self->lock);
  self->seek_start = from;
  self->seek_target = (guint64) start;
  if (stop_type == GST_SEEK_TYPE_SET)
    self->seek_stop = stop < 0 ? G_MAXUINT64 : (guint64) stop;
  g_mutex_unlock (&self->lock);
  if (from == (guint64) start && (stop_type != GST_SEEK_TYPE_SET || stop < 0))
    return event;
  if (stop_type == GST_SEEK_TYPE_SET)
    stop = -1;
  adjusted = gst_event_new_seek (rate, format, flags, start_type, (gint64) from,
      stop_type, stop);
  gst_event_set_seqnum (adjusted, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return adjusted;
}
