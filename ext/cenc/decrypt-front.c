/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-front.h"

#include "cenc/decrypt-caps.h"

#include "cenc/decrypt-pull.h"
#include "cenc/decrypt-stream.h"

#include <gio/gio.h>
#include <gst/base/base.h>

/* What the task pulls at a time: it goes through the cipher while it is in the
 * cache. */
#define BLOCK_SIZE (256u << 10)

struct _DecryptFront
{
  GstPad *sinkpad, *srcpad;
  DecryptFrontFuncs funcs;

  DecryptPull *pull;
  gboolean end_checked;

  /* The task */
  GstBufferPool *pool;
  GstSegment segment;
  gboolean started, need_segment;

  /* Upstream pushes */
  DecryptStream *stream;
  GThread *seeking; /* in this thread, flushes are our own */
  guint own_segments; /* to come, of our own seeks */
  gboolean flushed;
  gboolean fed; /* the file that @stream reads has begun */
  gboolean is_next; /* and the next segment tells where it does */
  gboolean may_be_next; /* that tells whether one does */
  guint64
      origin; /* where it begins in what upstream pushes: of one behind others not 0 */
  GMutex lock; /* of these two, a seek that was adjusted, and of @origin */
  guint64 seek_start, seek_target;
};

/*
 * Upstream
 */

static GstFlowReturn
pull_range (guint64 offset, guint size, GstBuffer **buffer, gpointer user_data)
{
  DecryptFront *self = user_data;

  return gst_pad_pull_range (self->sinkpad, offset, size, buffer);
}

static guint64
get_size (gpointer user_data)
{
  DecryptFront *self = user_data;
  gint64 size = -1;

  if (!gst_pad_peer_query_duration (self->sinkpad, GST_FORMAT_BYTES, &size) ||
      size < 0)
    return G_MAXUINT64;
  return (guint64) size;
}

static gboolean
can_seek (DecryptFront *self)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  if (gst_pad_peer_query (self->sinkpad, query))
    gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  return seekable;
}

static gboolean
seek_upstream (guint64 offset, gpointer user_data)
{
  DecryptFront *self = user_data;
  gboolean ok;

  if (self->origin > 0 || !can_seek (self))
    return FALSE;
  self->seeking = g_thread_self ();
  ok = gst_pad_push_event (self->sinkpad,
      gst_event_new_seek (1.0, GST_FORMAT_BYTES,
          GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET,
          (gint64) offset, GST_SEEK_TYPE_NONE, -1));
  self->seeking = NULL;
  if (ok)
    self->own_segments++;
  return ok;
}

static GstFlowReturn
push_buffer (GstBuffer *buffer, gpointer user_data)
{
  DecryptFront *self = user_data;

  GST_BUFFER_OFFSET (buffer) += self->origin;
  GST_BUFFER_OFFSET_END (buffer) += self->origin;
  return gst_pad_push (self->srcpad, buffer);
}

static const DecryptPullFuncs pull_funcs = { pull_range, get_size };
static const DecryptStreamFuncs stream_funcs = { push_buffer, seek_upstream };

DecryptFront *
decrypt_front_new (GstPad *sinkpad, GstPad *srcpad,
    const DecryptFrontFuncs *funcs, const DecryptWork *work, gboolean verify)
{
  DecryptFront *self = g_new0 (DecryptFront, 1);

  self->sinkpad = sinkpad;
  self->srcpad = srcpad;
  self->funcs = *funcs;
  self->pull = decrypt_pull_new (&pull_funcs, self, work, verify);
  self->stream = decrypt_stream_new (&stream_funcs, self, work, verify);
  self->seek_start = G_MAXUINT64;
  gst_segment_init (&self->segment, GST_FORMAT_BYTES);
  g_mutex_init (&self->lock);
  return self;
}

void
decrypt_front_free (DecryptFront *self)
{
  if (!self)
    return;
  if (self->pool)
    gst_buffer_pool_set_active (self->pool, FALSE);
  gst_clear_object (&self->pool);
  decrypt_pull_free (self->pull);
  decrypt_stream_free (self->stream);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/*
 * Downstream pulls
 */

GstFlowReturn
decrypt_front_get_range (DecryptFront *self, guint64 offset, guint size,
    GstBuffer **buffer, GError **error)
{
  gboolean given = *buffer != NULL;
  GstFlowReturn flow =
      decrypt_pull_read (self->pull, offset, size, buffer, error);
  GstFlowReturn end;

  if (self->end_checked ||
      !(flow == GST_FLOW_EOS ||
          (flow == GST_FLOW_OK && gst_buffer_get_size (*buffer) < size)))
    return flow;

  /* Half a file is not to look like a whole one. */
  end = decrypt_pull_check_end (self->pull, error);
  if (end == GST_FLOW_OK) {
    self->end_checked = TRUE;
    return flow;
  }
  if (flow == GST_FLOW_OK && !given)
    gst_clear_buffer (buffer);
  return end;
}

/*
 * The task
 */

static GstBufferPool *
pool_new (void)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, BLOCK_SIZE, 0, 0);
  if (!gst_buffer_pool_set_config (pool, config) ||
      !gst_buffer_pool_set_active (pool, TRUE))
    gst_clear_object (&pool);
  return pool;
}

/* Whether upstream fills the buffer that it is given: GstBaseTransform gives
 * another one, which is an error. */
static gboolean
is_behind_source (DecryptFront *self)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (self->sinkpad);
  g_autoptr (GstElement) element =
      peer ? gst_pad_get_parent_element (peer) : NULL;

  return element && GST_IS_BASE_SRC (element);
}

/* (nullable): a buffer to be filled by upstream. Only where it surely fills it:
 * a source may read less at the end and leave the buffer's size. */
static GstBuffer *
block_new (DecryptFront *self, guint64 offset, guint size)
{
  GstBuffer *buffer = NULL;

  if (self->segment.duration == G_MAXUINT64 ||
      offset + size > self->segment.duration || !is_behind_source (self))
    return NULL;
  if (!self->pool)
    self->pool = pool_new ();
  if (!self->pool ||
      gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL) != GST_FLOW_OK)
    return NULL;
  gst_buffer_set_size (buffer, (gssize) size);
  return buffer;
}

/* As a source makes it: gst_pad_create_stream_id() cannot, where the license pad
 * is a second sink. The same for the same URI, so that choices of streams last. */
static gchar *
create_stream_id (DecryptFront *self)
{
  gchar *id = gst_pad_get_stream_id (self->sinkpad);
  g_autoptr (GstQuery) query = gst_query_new_uri ();
  g_autofree gchar *uri = NULL;

  if (id)
    return id;
  if (gst_pad_peer_query (self->sinkpad, query))
    gst_query_parse_uri (query, &uri);
  if (!uri)
    return g_strdup_printf ("%08x%08x%08x%08x", g_random_int (),
        g_random_int (), g_random_int (), g_random_int ());
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, uri, -1);
}

static void
push_first_events (DecryptFront *self)
{
  g_autofree gchar *id = create_stream_id (self);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);
  g_autoptr (GstCaps) clear = NULL;
  GstEvent *event;
  guint64 size = get_size (self);

  event = gst_event_new_stream_start (id);
  gst_event_set_group_id (event, gst_util_group_id_next ());
  gst_pad_push_event (self->srcpad, event);
  if (!caps)
    caps = gst_pad_peer_query_caps (self->sinkpad, NULL);
  if (caps && gst_caps_is_fixed (caps))
    clear = decrypt_caps_to_clear (caps);
  if (clear)
    gst_pad_push_event (self->srcpad, gst_event_new_caps (clear));
  if (size != G_MAXUINT64)
    self->segment.duration = size;
}

static void
push_events (DecryptFront *self)
{
  if (!self->started)
    push_first_events (self);
  if (!self->started || self->need_segment)
    gst_pad_push_event (self->srcpad, gst_event_new_segment (&self->segment));
  self->started = TRUE;
  self->need_segment = FALSE;
}

GstFlowReturn
decrypt_front_loop (DecryptFront *self, GError **error)
{
  guint64 offset = self->segment.position;
  guint size = BLOCK_SIZE;
  GstBuffer *buffer;
  GstFlowReturn flow;

  push_events (self);
  /* Somebody downstream saw the caps and pulls from now on. */
  if (GST_PAD_MODE (self->srcpad) != GST_PAD_MODE_PUSH)
    return GST_FLOW_FLUSHING;
  if (self->segment.stop != G_MAXUINT64) {
    if (offset >= self->segment.stop)
      return GST_FLOW_EOS;
    size = (guint) MIN (size, self->segment.stop - offset);
  }

  buffer = block_new (self, offset, size);
  flow = decrypt_pull_read (self->pull, offset, size, &buffer, error);
  if (flow != GST_FLOW_OK) {
    gst_clear_buffer (&buffer);
    if (flow == GST_FLOW_EOS)
      flow = decrypt_pull_check_end (self->pull, error);
    return flow == GST_FLOW_OK ? GST_FLOW_EOS : flow;
  }

  self->segment.position = offset + gst_buffer_get_size (buffer);
  GST_BUFFER_OFFSET (buffer) = offset;
  GST_BUFFER_OFFSET_END (buffer) = self->segment.position;
  flow = gst_pad_push (self->srcpad, buffer);
  if (flow == GST_FLOW_NOT_LINKED)
    self->segment.position = offset; /* nobody had it: it may be tried again */
  return flow;
}

static void
stop_task (DecryptFront *self, gboolean flush)
{
  if (flush) {
    self->funcs.set_flushing (TRUE, self->funcs.user_data);
    gst_pad_push_event (self->sinkpad, gst_event_new_flush_start ());
    gst_pad_push_event (self->srcpad, gst_event_new_flush_start ());
  } else {
    gst_pad_pause_task (self->sinkpad);
  }
}

gboolean
decrypt_front_seek_task (DecryptFront *self, GstEvent *event)
{
  GstSegment segment;
  GstFormat format;
  GstSeekFlags flags;
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  gdouble rate;
  gboolean flush, ok;

  gst_event_parse_seek (event, &rate, &format, &flags, &start_type, &start,
      &stop_type, &stop);
  if (format != GST_FORMAT_BYTES || rate <= 0)
    return FALSE;
  flush = (flags & GST_SEEK_FLAG_FLUSH) != 0;

  stop_task (self, flush);
  GST_PAD_STREAM_LOCK (self->sinkpad);
  segment = self->segment;
  ok = gst_segment_do_seek (&segment, rate, format, flags, start_type,
      (guint64) start, stop_type, (guint64) stop, NULL);
  if (ok) {
    self->segment = segment;
    self->need_segment = TRUE;
  }
  if (flush) {
    GstEvent *flush_stop = gst_event_new_flush_stop (TRUE);

    gst_event_set_seqnum (flush_stop, gst_event_get_seqnum (event));
    gst_pad_push_event (self->sinkpad, gst_event_ref (flush_stop));
    gst_pad_push_event (self->srcpad, flush_stop);
    self->need_segment = TRUE;
    self->funcs.set_flushing (FALSE, self->funcs.user_data);
  }
  gst_pad_start_task (self->sinkpad, self->funcs.loop, self->funcs.user_data,
      NULL);
  GST_PAD_STREAM_UNLOCK (self->sinkpad);
  return ok;
}

/*
 * Upstream pushes
 */

GstFlowReturn
decrypt_front_chain (DecryptFront *self, GstBuffer *buffer, GError **error)
{
  self->fed = TRUE;
  return decrypt_stream_feed (self->stream, buffer, error);
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

/* Where downstream believes to have seeked to. */
static guint64
take_target (DecryptFront *self, guint64 start)
{
  guint64 target = start;

  g_mutex_lock (&self->lock);
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
  if (target == segment.start)
    return event;

  segment.start = segment.position = segment.time = target;
  adjusted = gst_event_new_segment (&segment);
  gst_event_set_seqnum (adjusted, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return adjusted;
}

GstEvent *
decrypt_front_take_sink_event (DecryptFront *self, GstEvent *event,
    GError **error)
{
  gboolean own = self->seeking == g_thread_self ();

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT:
      return take_segment (self, event, error);
    case GST_EVENT_FLUSH_STOP:
      if (!own) {
        self->flushed = TRUE;
        self->own_segments = 0;
        decrypt_stream_flush (self->stream);
      }
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
  g_mutex_unlock (&self->lock);
  if (from == (guint64) start)
    return event;
  adjusted = gst_event_new_seek (rate, format, flags, start_type, (gint64) from,
      stop_type, stop);
  gst_event_set_seqnum (adjusted, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return adjusted;
}
