/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-matroska.h"
#include "cenc/decrypt-stream-private.h"

#include "cenc/decrypt-layout.h"

#include <gio/gio.h>
#include <string.h>

/*
 * Reading ahead
 */

/* G_IO_ERROR_WOULD_BLOCK: what is wanted has not come yet. */
static GBytes *
source_read (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  DecryptStream *self = user_data;
  guint64 end = self->position + gst_adapter_available (self->adapter);

  if (offset < self->position || size > MAX_AHEAD ||
      offset - self->position > MAX_AHEAD) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED,
        "auxiliary information at %" G_GUINT64_FORMAT
        " is too far from the box that points there, for a stream",
        offset);
    return NULL;
  }
  if (offset + size > end) {
    self->wanted = offset + size;
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "not yet");
    return NULL;
  }
  return gst_adapter_copy_bytes (self->adapter,
      (gsize) (offset - self->position), size);
}

static guint64
source_get_size (gpointer user_data)
{
  return G_MAXUINT64;
}

static const BmffSourceFuncs source_funcs = { source_read, source_get_size,
  NULL };

DecryptStream *
decrypt_stream_new (const DecryptStreamFuncs *funcs, gpointer user_data,
    const DecryptWork *work, gboolean verify)
{
  DecryptStream *self = g_new0 (DecryptStream, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  self->work = *work;
  self->verify = verify;
  self->pool = decrypt_pool_new ();
  self->source = bmff_source_new (&source_funcs, self);
  self->boxes = decrypt_boxes_new ();
  self->adapter = gst_adapter_new ();
  self->spans =
      g_ptr_array_new_with_free_func ((GDestroyNotify) decrypt_span_unref);
  self->group = G_MAXUINT64;
  g_mutex_init (&self->movie_lock);
  return self;
}

void
decrypt_stream_free (DecryptStream *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->spans);
  g_clear_pointer (&self->movie, decrypt_movie_unref);
  g_mutex_clear (&self->movie_lock);
  g_object_unref (self->adapter);
  decrypt_boxes_free (self->boxes);
  bmff_source_free (self->source);
  decrypt_pool_free (self->pool);
  g_free (self);
}

guint64
decrypt_stream_get_position (const DecryptStream *self)
{
  return self->position + gst_adapter_available (self->adapter);
}

gboolean
decrypt_stream_is_protected (const DecryptStream *self)
{
  return self->movie && decrypt_movie_is_protected (self->movie);
}

/* Nothing that was seen so far is protected, and something was seen. */
static gboolean
is_clear (const DecryptStream *self)
{
  return self->movie && !decrypt_movie_is_protected (self->movie);
}

Step
decrypt_stream_fail (GError **error, BmffError code, guint32 type,
    guint64 offset, const gchar *message)
{
  g_set_error (error, BMFF_ERROR, code,
      "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT ": %s",
      BMFF_FOURCC_ARGS (type), offset, message);
  return STEP_FAILED;
}

/*
 * What goes out
 */

/* @buffer: (transfer full): the bytes that stand at self->position, which moves. */
Step
decrypt_stream_emit (DecryptStream *self, GstBuffer *buffer)
{
  guint64 start = self->position;
  gsize size = gst_buffer_get_size (buffer);

  self->position += size;
  if (self->searching || self->position <= self->target) {
    gst_buffer_unref (buffer);
    return STEP_AGAIN;
  }
  buffer = gst_buffer_make_writable (buffer);
  if (start < self->target) {
    gst_buffer_resize (buffer, (gssize) (self->target - start), -1);
    start = self->target;
  }
  GST_BUFFER_OFFSET (buffer) = start;
  GST_BUFFER_OFFSET_END (buffer) = self->position;
  self->flow = self->funcs->push (buffer, self->user_data);
  return self->flow == GST_FLOW_OK ? STEP_AGAIN : STEP_FAILED;
}

Step
decrypt_stream_emit_raw (DecryptStream *self, gsize size)
{
  return decrypt_stream_emit (self,
      gst_adapter_take_buffer_fast (self->adapter, size));
}

gsize
decrypt_stream_get_available (DecryptStream *self)
{
  return (gsize) MIN (gst_adapter_available (self->adapter),
      self->box_end - self->position);
}

static Step
step_copy (DecryptStream *self)
{
  gsize size = decrypt_stream_get_available (self);

  if (self->position == self->box_end) {
    self->state = STATE_HEADER;
    return STEP_AGAIN;
  }
  return size > 0 ? decrypt_stream_emit_raw (self, size) : STEP_MORE;
}

/*
 * Headers
 */

/* Media data may stand in boxes of any name (ISO/IEC 14496-12, 8.1.2): offsets
 * count, and names do not. */
static gboolean
holds_media (const DecryptStream *self)
{
  guint i;

  if (self->header.type == FOURCC_MDAT || self->header.type == FOURCC_IMDA)
    return TRUE;
  if (self->header.type == FOURCC_MOOV || self->header.type == FOURCC_MOOF)
    return FALSE;
  for (i = 0; i < self->spans->len; i++) {
    if (decrypt_span_has_samples (g_ptr_array_index (self->spans, i),
            self->box_start, self->box_end))
      return TRUE;
  }
  return FALSE;
}

static void
record_box (DecryptStream *self, gboolean media)
{
  DecryptBoxRecord record = { self->box_start, self->box_end,
    media ? FOURCC_MDAT : self->header.type,
    decrypt_stream_get_group (self, media) };

  if (!self->unsure && (decrypt_stream_is_protected (self) || !self->movie))
    decrypt_boxes_add (self->boxes, &record);
}

static Step
enter_moof (DecryptStream *self, GError **error)
{
  if (!self->movie && !self->searching)
    return decrypt_stream_fail (error, BMFF_ERROR_INVALID, FOURCC_MOOF,
        self->box_start, "before any moov");
  self->state = decrypt_stream_is_protected (self) && !self->searching
      ? STATE_COLLECT
      : STATE_COPY;
  return STEP_AGAIN;
}

static Step
enter_mdat (DecryptStream *self, GError **error)
{
  if (self->searching) {
    if (self->box_end == G_MAXUINT64)
      return decrypt_stream_fail (error, BMFF_ERROR_UNSUPPORTED, FOURCC_MDAT,
          self->box_start,
          "up to the end of the file, and no moov in front of it");
    self->state = STATE_COPY;
    if (self->box_end - self->box_start > SMALL_WITHHELD)
      (void) decrypt_stream_seek (self, self->box_end, TRUE);
    return STEP_AGAIN;
  }
  if (!self->movie && !self->has_image)
    return decrypt_stream_withhold (self, error);
  self->state = STATE_MEDIA;
  self->group_has_data = self->group != G_MAXUINT64;
  return STEP_AGAIN;
}

static gboolean
is_protection_box (const BmffHeader *header)
{
  return header->type == FOURCC_PSSH ||
      (header->type == FOURCC_UUID &&
          (memcmp (header->uuid, CENC_PIFF_PSSH_UUID, 16) == 0 ||
              memcmp (header->uuid, CENC_PIFF_SENC_UUID, 16) == 0));
}

static Step
enter_box (DecryptStream *self, GError **error)
{
  gboolean media = holds_media (self);

  record_box (self, media);
  if (media)
    return enter_mdat (self, error);
  switch (self->header.type) {
    case FOURCC_MOOV:
      self->state = STATE_COLLECT;
      break;
    case FOURCC_MOOF:
      if (enter_moof (self, error) == STEP_FAILED)
        return STEP_FAILED;
      break;
    case FOURCC_META:
      self->has_image = TRUE;
      self->state = STATE_COPY;
      break;
    default:
      self->state = is_protection_box (&self->header) &&
              decrypt_stream_is_protected (self)
          ? STATE_COLLECT
          : STATE_COPY;
      break;
  }
  if (self->state == STATE_COLLECT &&
      (self->header.size == 0 || self->header.size > BMFF_MAX_HEADER_BOX))
    return decrypt_stream_fail (error, BMFF_ERROR_LIMIT, self->header.type,
        self->box_start, "too large");
  return STEP_AGAIN;
}

static gboolean
may_be_matroska (DecryptStream *self)
{
  guint8 data[4];

  if (gst_adapter_available (self->adapter) < sizeof data)
    return FALSE;
  gst_adapter_copy (self->adapter, data, 0, sizeof data);
  return decrypt_matroska_begins (data, sizeof data);
}

static gboolean
check_matroska (DecryptStream *self, GError **error)
{
  gsize size =
      MIN (gst_adapter_available (self->adapter), DECRYPT_MATROSKA_WINDOW);
  gboolean ok;

  if (!may_be_matroska (self))
    return TRUE;
  ok = decrypt_matroska_check (gst_adapter_map (self->adapter, size), size,
      error);
  gst_adapter_unmap (self->adapter);
  return ok;
}

/* What is no box: at the start, a file of another format; in a clear one, none
 * of our business. */
static Step
enter_no_box (DecryptStream *self, GError **error)
{
  if (self->position == 0 && may_be_matroska (self)) {
    if (gst_adapter_available (self->adapter) < DECRYPT_MATROSKA_WINDOW)
      return STEP_MORE;
    if (!check_matroska (self, error))
      return STEP_FAILED;
  }
  if (self->position == 0 || is_clear (self)) {
    self->state = STATE_PLAIN;
    return STEP_AGAIN;
  }
  if (self->unsure && decrypt_stream_go_back (self))
    return STEP_AGAIN;
  g_set_error (error, BMFF_ERROR, BMFF_ERROR_INVALID,
      "no box at %" G_GUINT64_FORMAT, self->position);
  return STEP_FAILED;
}

/* STEP_AGAIN: go on as if its name were known; see decrypt-layout.c. */
static Step
check_unknown_first (DecryptStream *self, GError **error)
{
  gsize first = (gsize) self->header.size;
  guint8 data[8];

  if (self->header.size == 0 || self->header.size > DECRYPT_MAX_UNKNOWN_FIRST)
    return enter_no_box (self, error);
  if (gst_adapter_available (self->adapter) < first + sizeof data)
    return STEP_MORE;
  gst_adapter_copy (self->adapter, data, first, sizeof data);
  if (decrypt_box_can_be_first (bmff_get_u32 (data + 4)))
    return STEP_AGAIN;
  return enter_no_box (self, error);
}

/* STEP_AGAIN: it is no moof. */
static Step
check_unknown (DecryptStream *self, const guint8 *data, gsize size,
    GError **error)
{
  gsize header = self->header.header_size;

  if (!decrypt_stream_is_protected (self))
    return STEP_AGAIN;
  if (size < header + 8 && self->header.size >= header + 8)
    return STEP_MORE;
  if (!decrypt_box_hides_moof (&self->header, data + header,
          size < header ? 0 : size - header))
    return STEP_AGAIN;
  return decrypt_stream_fail (error, BMFF_ERROR_INVALID, self->header.type,
      self->position, "a moof, but compressed or under another name");
}

static Step
step_header (DecryptStream *self, GError **error)
{
  guint8 data[MAX_HEADER];
  gsize size = MIN (gst_adapter_available (self->adapter), MAX_HEADER);
  Step unknown = STEP_AGAIN;

  if (size == 0)
    return STEP_MORE;
  if (self->unsure && !self->movie && decrypt_stream_go_back (self))
    return STEP_AGAIN;
  gst_adapter_copy (self->adapter, data, 0, size);
  switch (bmff_header_parse (&self->header, data, size)) {
    case BMFF_HEADER_MORE:
      /* There may be no more where no box is. */
      return self->unsure && decrypt_stream_go_back (self) ? STEP_AGAIN
                                                           : STEP_MORE;
    case BMFF_HEADER_INVALID:
      return enter_no_box (self, error);
    default:
      break;
  }
  if (!decrypt_box_can_be_first (self->header.type)) {
    if (self->resync && self->position > 0)
      return enter_no_box (self, error);
    unknown = self->position == 0 ? check_unknown_first (self, error)
                                  : check_unknown (self, data, size, error);
    if (unknown != STEP_AGAIN || self->state != STATE_HEADER)
      return unknown;
  }

  self->resync = FALSE;
  self->box_start = self->position;
  self->box_end =
      self->header.size == 0 || self->header.size > G_MAXUINT64 - self->position
      ? G_MAXUINT64
      : self->position + self->header.size;
  return enter_box (self, error);
}

/* The moov was found behind its media data: back to that. */
static Step
return_from_search (DecryptStream *self, GError **error)
{
  if (decrypt_stream_seek (self, self->search_from, FALSE))
    return STEP_AGAIN;
  return decrypt_stream_fail (error, BMFF_ERROR_UNSUPPORTED, FOURCC_MDAT,
      self->search_from, "upstream cannot seek back to it");
}

/* Of a clear file nothing is read that is not wanted. */
static gboolean
skip_clear (DecryptStream *self)
{
  if (!is_clear (self) || self->target <= self->position ||
      self->target - self->position <= SMALL_WITHHELD ||
      !decrypt_stream_seek (self, self->target, FALSE))
    return FALSE;
  self->state = STATE_PLAIN;
  return TRUE;
}

static Step
step (DecryptStream *self, GError **error)
{
  if (self->searching && self->movie)
    return return_from_search (self, error);
  if (skip_clear (self))
    return STEP_AGAIN;
  switch (self->state) {
    case STATE_HEADER:
      return step_header (self, error);
    case STATE_COLLECT:
      return decrypt_stream_step_collect (self, error);
    case STATE_COPY:
      return step_copy (self);
    case STATE_MEDIA:
      return decrypt_stream_step_media (self, error);
    case STATE_WITHHOLD:
      return decrypt_stream_step_withhold (self, error);
    default:
      if (gst_adapter_available (self->adapter) == 0)
        return STEP_MORE;
      return decrypt_stream_emit_raw (self,
          gst_adapter_available (self->adapter));
  }
}

GstFlowReturn
decrypt_stream_feed (DecryptStream *self, GstBuffer *buffer, GError **error)
{
  Step result;

  gst_adapter_push (self->adapter, buffer);
  self->flow = GST_FLOW_OK;
  self->flushed = FALSE;
  do
    result = step (self, error);
  while (result == STEP_AGAIN && !self->flushed);
  if (result != STEP_FAILED)
    return GST_FLOW_OK;
  self->failed = self->flow == GST_FLOW_OK;
  return self->flow == GST_FLOW_OK ? GST_FLOW_ERROR : self->flow;
}

/*
 * The end
 */

static gboolean
check_end (DecryptStream *self, GError **error)
{
  gsize left = gst_adapter_available (self->adapter);

  if (self->state == STATE_WITHHOLD || (self->searching && !self->movie)) {
    decrypt_stream_fail (error, BMFF_ERROR_TRUNCATED, FOURCC_MDAT,
        self->searching ? self->search_from : self->box_start,
        "no moov up to the end of the file");
    return FALSE;
  }
  if (self->state != STATE_HEADER &&
      (self->box_end != G_MAXUINT64 || left > 0)) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED,
        "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT
        ": the file ends at %" G_GUINT64_FORMAT ", in the middle of it",
        BMFF_FOURCC_ARGS (self->header.type), self->box_start,
        self->position + left);
    return FALSE;
  }
  if (self->state == STATE_HEADER && left > 0) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED,
        "the file ends in the header of the box at %" G_GUINT64_FORMAT,
        self->position);
    return FALSE;
  }
  return decrypt_stream_check_samples (self, 0, self->position, error);
}

gboolean
decrypt_stream_end (DecryptStream *self, GError **error)
{
  gsize left = gst_adapter_available (self->adapter);

  /* A demuxer has had all its samples, and what is left was not wanted; or it has
   * told why. */
  if (self->state == STATE_PLAIN || self->flow != GST_FLOW_OK)
    return TRUE;
  if (self->failed)
    return FALSE;
  /* Too short for what its first bytes would say as a box of an unknown name. */
  if (self->position == 0 && left >= 8 &&
      !decrypt_box_can_be_first (self->header.type)) {
    if (!check_matroska (self, error))
      return FALSE;
    (void) decrypt_stream_emit_raw (self, left);
    return TRUE;
  }
  if (self->state == STATE_WITHHOLD && self->has_image) {
    (void) decrypt_stream_emit_raw (self, left);
    return TRUE;
  }
  if (is_clear (self)) {
    if (left > 0)
      (void) decrypt_stream_emit_raw (self, left);
    return TRUE;
  }
  return check_end (self, error);
}

void
decrypt_stream_reset (DecryptStream *self)
{
  g_mutex_lock (&self->movie_lock);
  g_clear_pointer (&self->movie, decrypt_movie_unref);
  g_mutex_unlock (&self->movie_lock);
  g_ptr_array_set_size (self->spans, 0);
  decrypt_boxes_clear (self->boxes);
  decrypt_stream_end_group (self);
  gst_adapter_clear (self->adapter);
  self->position = self->target = self->wanted = 0;
  self->n_empty = 0;
  self->n_waits = self->n_scanned = 0;
  self->state = STATE_HEADER;
  self->resync = self->entered = self->unsure = FALSE;
  self->searching = self->has_image = self->failed = FALSE;
  self->flow = GST_FLOW_OK;
}
