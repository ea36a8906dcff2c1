/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-run.h"

#include "cenc/encrypt-layout.h"
#include "cenc/encrypt-pool.h"
#include "cenc/encrypt-spool.h"

/* Pulled at once: a fragment comes in one piece up to this size. */
#define MAX_READ (256u << 10)
#define FIRST_READ (64u << 10)

struct _EncryptRun
{
  EncryptPlan *plan;
  guint64 size;
  gchar *spool_directory;
  EncryptRunFuncs funcs;
  gpointer user_data;

  EncryptPool *pool; /* of what is read */
  EncryptQueue *queue; /* until it is known what comes; then one of these: */
  EncryptStream *stream;
  EncryptFile *file;
  EncryptSpool *spool;
  guint64 position; /* in the spool */
};

EncryptRun *
encrypt_run_new (EncryptPlan *plan, guint64 size, const gchar *spool_directory,
    const EncryptRunFuncs *funcs, gpointer user_data)
{
  EncryptRun *self = g_new0 (EncryptRun, 1);

  self->plan = plan;
  self->size = size;
  self->spool_directory = g_strdup (spool_directory);
  self->funcs = *funcs;
  self->user_data = user_data;
  self->pool = encrypt_pool_new ();
  self->queue = encrypt_queue_new ();
  return self;
}

void
encrypt_run_free (EncryptRun *self)
{
  g_clear_pointer (&self->stream, encrypt_stream_free);
  g_clear_pointer (&self->file, encrypt_file_free);
  g_clear_pointer (&self->spool, encrypt_spool_free);
  g_clear_pointer (&self->queue, encrypt_queue_free);
  encrypt_pool_free (self->pool);
  g_free (self->spool_directory);
  g_free (self);
}

/* What has come so far goes to the spool. */
static gboolean
begin_spool (EncryptRun *self, GError **error)
{
  guint64 start = encrypt_queue_get_start (self->queue);
  guint64 end = encrypt_queue_get_end (self->queue);
  g_autoptr (GstBuffer) all = encrypt_queue_share (self->queue, start, end);

  self->spool = encrypt_spool_new (self->spool_directory, error);
  self->position = end;
  if (!self->spool || !encrypt_spool_write (self->spool, start, all, error))
    return FALSE;
  g_clear_pointer (&self->queue, encrypt_queue_free);
  return TRUE;
}

static void
begin_file (EncryptRun *self, const EncryptFileFuncs *funcs, guint64 size,
    gpointer user_data)
{
  self->file = encrypt_file_new (self->plan, size, funcs, user_data);
  g_clear_pointer (&self->queue, encrypt_queue_free);
}

/* By what is queued; @wanted: up to where more is needed to tell. */
static GstFlowReturn
decide (EncryptRun *self, guint64 *wanted, GError **error)
{
  EncryptFileFuncs funcs = { self->funcs.read, self->funcs.out.push };
  EncryptLayout layout;

  if (!encrypt_layout_probe (self->queue, &layout, wanted, error))
    return GST_FLOW_ERROR;
  if (layout == ENCRYPT_LAYOUT_MORE)
    return GST_FLOW_OK;
  if (layout == ENCRYPT_LAYOUT_FRAGMENTED) {
    self->stream = encrypt_stream_new (self->plan,
        g_steal_pointer (&self->queue),
        self->funcs.read ? encrypt_input_new (self->funcs.read, self->user_data)
                         : NULL,
        self->funcs.is_seekable (self->user_data), &self->funcs.out,
        self->user_data);
    return encrypt_stream_take (self->stream, NULL, error);
  }
  if (!self->funcs.read)
    return begin_spool (self, error) ? GST_FLOW_OK : GST_FLOW_ERROR;
  if (self->funcs.is_seekable (self->user_data))
    funcs.overwrite = self->funcs.out.overwrite;
  begin_file (self, &funcs, self->size, self->user_data);
  return GST_FLOW_OK;
}

static GstFlowReturn
take_first (EncryptRun *self, GstBuffer *buffer, guint64 *wanted,
    GError **error)
{
  if (encrypt_queue_push (self->queue, buffer))
    return decide (self, wanted, error);
  g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
      "a buffer cannot be read");
  return GST_FLOW_ERROR;
}

GstFlowReturn
encrypt_run_take (EncryptRun *self, GstBuffer *buffer, GError **error)
{
  guint64 wanted;
  gboolean ok;

  if (self->stream)
    return encrypt_stream_take (self->stream, buffer, error);
  if (!self->spool)
    return take_first (self, buffer, &wanted, error);
  ok = encrypt_spool_write (self->spool, self->position, buffer, error);
  self->position += gst_buffer_get_size (buffer);
  gst_buffer_unref (buffer);
  return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}

gboolean
encrypt_run_seek (EncryptRun *self, guint64 offset, GError **error)
{
  if (self->stream)
    return encrypt_stream_seek (self->stream, offset,
        self->funcs.is_seekable (self->user_data), error);
  if (!self->spool && offset == encrypt_queue_get_end (self->queue))
    return TRUE;
  if (!self->spool && !begin_spool (self, error))
    return FALSE;
  self->position = offset;
  return TRUE;
}

static GstFlowReturn
read_spool (gpointer user_data, guint64 offset, guint size, GstBuffer **buffer)
{
  EncryptRun *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!*buffer)
    *buffer = gst_buffer_new_allocate (NULL, size, NULL);
  return *buffer && encrypt_spool_read (self->spool, offset, *buffer, &error)
      ? GST_FLOW_OK
      : GST_FLOW_ERROR;
}

static GstFlowReturn
push_from_spool (gpointer user_data, GstBuffer *buffer)
{
  EncryptRun *self = user_data;

  return self->funcs.out.push (self->user_data, buffer);
}

static GstFlowReturn
overwrite_from_spool (gpointer user_data, guint64 offset, GstBuffer *buffer)
{
  EncryptRun *self = user_data;

  return self->funcs.out.overwrite (self->user_data, offset, buffer);
}

static GstFlowReturn
encrypt_spooled (EncryptRun *self, GError **error)
{
  EncryptFileFuncs funcs = { read_spool, push_from_spool };
  GstFlowReturn flow;

  if (self->funcs.is_seekable (self->user_data))
    funcs.overwrite = overwrite_from_spool;
  begin_file (self, &funcs, encrypt_spool_get_size (self->spool), self);
  do
    flow = encrypt_file_step (self->file, error);
  while (flow == GST_FLOW_OK);
  return flow == GST_FLOW_EOS ? GST_FLOW_OK : flow;
}

static GstFlowReturn
end_input (EncryptRun *self, GError **error)
{
  if (self->stream)
    return encrypt_stream_end (self->stream, error);
  if (self->spool)
    return encrypt_spooled (self, error);
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "the input ends at offset %" G_GUINT64_FORMAT " without a moov",
      encrypt_queue_get_end (self->queue));
  return GST_FLOW_ERROR;
}

static void
tell_doubt (EncryptRun *self)
{
  g_autofree gchar *doubt = encrypt_plan_get_doubt (self->plan);

  if (doubt)
    self->funcs.out.warn (self->user_data, doubt);
}

GstFlowReturn
encrypt_run_end (EncryptRun *self, GError **error)
{
  GstFlowReturn flow = end_input (self, error);

  if (flow == GST_FLOW_OK)
    tell_doubt (self);
  return flow;
}

static GstFlowReturn
step_file (EncryptRun *self, GError **error)
{
  GstFlowReturn flow = encrypt_file_step (self->file, error);

  if (flow == GST_FLOW_EOS)
    tell_doubt (self);
  return flow;
}

/* Into memory of ours: what the source allocates it gives back to the system each
 * time, and page faults take it anew. Not where it may have less: then nobody says how
 * much of a buffer that is given it has filled. */
static GstFlowReturn
read_at (EncryptRun *self, guint64 offset, guint size, GstBuffer **buffer)
{
  GstBuffer *own = NULL;
  GstFlowReturn flow;

  if (self->size != G_MAXUINT64 && offset <= self->size &&
      self->size - offset >= size)
    own = encrypt_pool_take (self->pool, size);
  *buffer = own;
  flow = self->funcs.read (self->user_data, offset, size, buffer);
  if (own && (flow != GST_FLOW_OK || *buffer != own))
    gst_buffer_unref (own);
  return flow;
}

static GstFlowReturn
read_more (EncryptRun *self, GstBuffer **buffer)
{
  guint64 size = FIRST_READ;
  guint64 offset = self->stream
      ? encrypt_stream_get_wanted (self->stream, &size)
      : encrypt_queue_get_end (self->queue);

  return read_at (self, offset, MIN (size, MAX_READ), buffer);
}

GstFlowReturn
encrypt_run_step (EncryptRun *self, GError **error)
{
  GstBuffer *buffer = NULL;
  GstFlowReturn flow;
  guint64 wanted;

  if (self->file)
    return step_file (self, error);
  flow = read_more (self, &buffer);
  if (flow == GST_FLOW_EOS) {
    flow = encrypt_run_end (self, error);
    return flow == GST_FLOW_OK ? GST_FLOW_EOS : flow;
  }
  if (flow != GST_FLOW_OK)
    return flow;
  return self->stream ? encrypt_stream_take (self->stream, buffer, error)
                      : take_first (self, buffer, &wanted, error);
}

gboolean
encrypt_run_is_idle (const EncryptRun *self)
{
  return !self->stream || encrypt_stream_is_idle (self->stream);
}

GstClockTime
encrypt_run_get_latency (const EncryptRun *self)
{
  return self->stream ? encrypt_stream_get_latency (self->stream) : 0;
}
