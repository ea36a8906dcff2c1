/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-stream-private.h"

#include "cenc/decrypt-layout.h"

#include <string.h>

/*
 * Media data
 */

static Step
check_straddler (DecryptStream *self, guint64 offset, gsize size,
    GError **error)
{
  const gchar *message = NULL;

  if (offset < self->position)
    message = "entered in the middle of a sample";
  else if (size > MAX_SAMPLE)
    message = "a sample of over 256 MiB";
  else if (offset + size > self->box_end)
    message = "a sample goes on behind its end";
  if (!message)
    return STEP_AGAIN;
  return decrypt_stream_fail (error, BMFF_ERROR_INVALID, FOURCC_MDAT,
      self->box_start, message);
}

/* The one of @spans whose sample @offset cuts; NULL if it cuts none. */
static DecryptSpan *
find_cut (const GPtrArray *spans, guint64 offset, guint64 *start, gsize *size)
{
  guint i;

  for (i = 0; i < spans->len; i++) {
    DecryptSpan *span = g_ptr_array_index (spans, i);

    if (decrypt_span_find_straddler (span, offset, start, size))
      return span;
  }
  return NULL;
}

/* The end of what can be made clear of the bytes up to @end: no sample is cut.
 * In *wanted the end of the sample that is cut, if that is all there is. */
static gboolean
find_end (DecryptStream *self, guint64 *end, guint64 *wanted, GError **error)
{
  guint64 offset;
  gsize size;

  if (!find_cut (self->spans, *end, &offset, &size))
    return TRUE;
  if (check_straddler (self, offset, size, error) == STEP_FAILED)
    return FALSE;
  *wanted = offset + size;
  *end = offset;
  if (!find_cut (self->spans, *end, &offset, &size))
    return TRUE;
  decrypt_stream_fail (error, BMFF_ERROR_INVALID, FOURCC_MDAT, self->box_start,
      "samples that share bytes");
  return FALSE;
}

static gboolean
span_is_in (const DecryptSpan *span, const DecryptBlock *block)
{
  guint64 start, end;

  decrypt_span_get_extent (span, &start, &end);
  return start < block->offset + block->size && end > block->offset;
}

/* The first span does the copying; further ones, which are rare, work in place. */
static gboolean
process_spans (DecryptStream *self, const DecryptBlock *block, GError **error)
{
  DecryptBlock rest = *block;
  guint i;

  for (i = 0; i < self->spans->len; i++) {
    DecryptSpan *span = g_ptr_array_index (self->spans, i);

    if (!span_is_in (span, block))
      continue;
    if (!decrypt_span_process (span, &rest, &self->work, error))
      return FALSE;
    rest.in = rest.out;
  }
  if (rest.in != rest.out)
    memcpy (rest.out, rest.in, rest.size);
  return TRUE;
}

static Step
emit_clear (DecryptStream *self, gsize size, GError **error)
{
  g_autoptr (GstBuffer) buffer = decrypt_pool_acquire (self->pool, size);
  DecryptBlock block = { self->position, size, NULL, NULL };
  GstMapInfo map;
  gboolean ok;

  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    return decrypt_stream_fail (error, BMFF_ERROR_LIMIT, FOURCC_MDAT,
        self->box_start, "no memory");
  block.in = gst_adapter_map (self->adapter, size);
  block.out = map.data;
  ok = process_spans (self, &block, error);
  gst_adapter_unmap (self->adapter);
  gst_buffer_unmap (buffer, &map);
  if (!ok)
    return STEP_FAILED;
  gst_adapter_flush (self->adapter, size);
  return decrypt_stream_emit (self, g_steal_pointer (&buffer));
}

/* Whether the samples that are known fill the box: then there are no others. */
static gboolean
is_filled (const DecryptStream *self)
{
  guint64 left = self->box_end - self->box_start - self->header.header_size;
  guint i;

  for (i = 0; i < self->spans->len; i++)
    left -= decrypt_span_count_bytes (g_ptr_array_index (self->spans, i),
        self->box_start, self->box_end);
  return left == 0;
}

/* Upstream went to media data of a fragment whose moof, or the first of whose moofs,
 * was not seen: it is not known what of it is encrypted. */
static gboolean
is_lost (const DecryptStream *self)
{
  DecryptBoxRecord record;

  if (self->group != G_MAXUINT64)
    return self->unsure
        ? !is_filled (self)
        : decrypt_boxes_find (self->boxes, self->box_start, &record) &&
            record.group < self->group;
  return self->entered && decrypt_movie_is_fragmented (self->movie) &&
      !decrypt_span_has_samples (decrypt_movie_get_span (self->movie),
          self->box_start, self->box_end);
}

/* Where it was read before, its moofs are known, and may be come back to: a seek of
 * downstream's may have been answered before they were. */
static Step
find_way_back (DecryptStream *self, GError **error)
{
  DecryptBoxRecord record;

  if (decrypt_boxes_find (self->boxes, self->box_start, &record) &&
      record.group < self->box_start &&
      decrypt_stream_return (self, record.group))
    return STEP_AGAIN;
  if (self->unsure && decrypt_stream_go_back (self))
    return STEP_AGAIN;
  return decrypt_stream_fail (error, BMFF_ERROR_UNSUPPORTED, FOURCC_MDAT,
      self->box_start, "entered without the moof in front of it");
}

/* Upstream went into media data whose moov comes behind it. */
static Step
find_movie (DecryptStream *self, GError **error)
{
  if (decrypt_stream_go_back (self))
    return STEP_AGAIN;
  return decrypt_stream_fail (error, BMFF_ERROR_UNSUPPORTED, FOURCC_MDAT,
      self->box_start, "entered before any moov");
}

/* Whether upstream can go on behind the box: nothing of it is wanted, and no moof
 * would be forgotten. */
static gboolean
skip (DecryptStream *self)
{
  return self->group == G_MAXUINT64 && self->box_end <= self->target &&
      self->box_end - self->position > SMALL_WITHHELD &&
      decrypt_stream_seek (self, self->box_end, FALSE);
}

Step
decrypt_stream_step_media (DecryptStream *self, GError **error)
{
  guint64 end = self->position + decrypt_stream_get_available (self);

  if (self->position == self->box_end) {
    self->state = STATE_HEADER;
    return STEP_AGAIN;
  }
  if (end < self->wanted || end == self->position)
    return STEP_MORE;
  self->wanted = 0;
  if (!self->movie && !self->has_image)
    return find_movie (self, error);
  if (self->spans->len == 0)
    return decrypt_stream_emit_raw (self, (gsize) (end - self->position));
  if (is_lost (self))
    return find_way_back (self, error);
  self->unsure = FALSE;
  if (skip (self))
    return STEP_AGAIN;
  if (!find_end (self, &end, &self->wanted, error))
    return STEP_FAILED;
  if (end == self->position)
    return STEP_MORE;
  self->wanted = 0;
  return emit_clear (self, (gsize) (end - self->position), error);
}

/*
 * Media data before its moov
 */

Step
decrypt_stream_withhold (DecryptStream *self, GError **error)
{
  guint64 size = self->box_end - self->box_start;

  if (self->box_end == G_MAXUINT64)
    return decrypt_stream_fail (error, BMFF_ERROR_UNSUPPORTED, FOURCC_MDAT,
        self->box_start,
        "up to the end of the file, and no moov in front of it");
  if (size > SMALL_WITHHELD) {
    self->search_from = self->box_start;
    if (decrypt_stream_seek (self, self->box_end, TRUE))
      return STEP_AGAIN;
  }
  self->state = STATE_WITHHOLD;
  self->n_scanned = 0;
  self->scan = self->box_end;
  return STEP_AGAIN;
}

/* The moov that @self->scan points to is there: the media data goes out. */
static Step
take_moov_ahead (DecryptStream *self, gsize size, GError **error)
{
  g_autoptr (GBytes) bytes = gst_adapter_copy_bytes (self->adapter,
      (gsize) (self->scan - self->position), size);
  GError *failed = NULL;

  if (!decrypt_stream_take_moov (self, bytes, self->scan, &failed))
    return decrypt_stream_wait (self, failed, error);
  if (!decrypt_stream_check_gone_by (self, self->box_start, error))
    return STEP_FAILED;
  self->n_waits = 0;
  self->state = STATE_MEDIA;
  return STEP_AGAIN;
}

Step
decrypt_stream_step_withhold (DecryptStream *self, GError **error)
{
  guint64 end = self->position + gst_adapter_available (self->adapter);
  guint8 data[MAX_HEADER];
  BmffHeader header;
  gsize size;

  if (MAX (end, self->scan) - self->position > MAX_WITHHELD)
    return decrypt_stream_fail (error, BMFF_ERROR_LIMIT, FOURCC_MDAT,
        self->box_start,
        "the moov is behind over 64 MiB of it, and upstream cannot seek");
  if (end <= self->scan || end < self->wanted)
    return STEP_MORE;
  size = (gsize) MIN (end - self->scan, MAX_HEADER);
  gst_adapter_copy (self->adapter, data, (gsize) (self->scan - self->position),
      size);
  switch (bmff_header_parse (&header, data, size)) {
    case BMFF_HEADER_MORE:
      return STEP_MORE;
    case BMFF_HEADER_INVALID:
      return decrypt_stream_fail (error, BMFF_ERROR_INVALID, FOURCC_MDAT,
          self->box_start, "what follows it is no box");
    default:
      break;
  }
  if (header.size == 0 || header.size > MAX_WITHHELD)
    return decrypt_stream_fail (error, BMFF_ERROR_LIMIT, header.type,
        self->scan, "too large, where a moov is awaited");
  if (header.type == FOURCC_MOOV)
    return header.size <= end - self->scan
        ? take_moov_ahead (self, (gsize) header.size, error)
        : STEP_MORE;
  if (++self->n_scanned > DECRYPT_MAX_BOXES_IN_FRONT)
    return decrypt_stream_fail (error, BMFF_ERROR_LIMIT, header.type,
        self->scan, "too many boxes in front of a moov");
  self->has_image |= header.type == FOURCC_META;
  self->scan += header.size;
  return STEP_AGAIN;
}
