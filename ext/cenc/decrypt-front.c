/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-front-private.h"

#include "cenc/decrypt-caps.h"

#include <gio/gio.h>
#include <gst/base/base.h>

/* What the task pulls at a time: it goes through the cipher while it is in the
 * cache. */
#define BLOCK_SIZE (256u << 10)

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

static const DecryptPullFuncs pull_funcs = { pull_range, get_size };
static const DecryptStreamFuncs stream_funcs = { decrypt_front_push,
  decrypt_front_seek_upstream };

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
  self->seek_start = self->seek_stop = self->stop = G_MAXUINT64;
  gst_segment_init (&self->segment, GST_FORMAT_BYTES);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
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
  g_cond_clear (&self->cond);
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
