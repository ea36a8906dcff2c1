/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/encrypt-ftyp.h"
#include "cenc/encrypt-stream-private.h"

#include <string.h>

#define FOURCC_FTYP BMFF_FOURCC ('f', 't', 'y', 'p')
#define FOURCC_MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')
#define FOURCC_MOOF BMFF_FOURCC ('m', 'o', 'o', 'f')
#define FOURCC_MDAT BMFF_FOURCC ('m', 'd', 'a', 't')
#define FOURCC_SIDX BMFF_FOURCC ('s', 'i', 'd', 'x')
#define FOURCC_SSIX BMFF_FOURCC ('s', 's', 'i', 'x')
#define FOURCC_MFRA BMFF_FOURCC ('m', 'f', 'r', 'a')
#define FOURCC_META BMFF_FOURCC ('m', 'e', 't', 'a')
#define FOURCC_STYP BMFF_FOURCC ('s', 't', 'y', 'p')
#define FOURCC_EMSG BMFF_FOURCC ('e', 'm', 's', 'g')
#define FOURCC_PRFT BMFF_FOURCC ('p', 'r', 'f', 't')

/* What leads a fragment waits for it up to this size. */
#define MAX_LEAD (1u << 20)
#define MIN_WANTED (64u << 10)
#define MIN_BY_PLACE (192u << 10)

typedef enum
{
  STEP_GO_ON,
  STEP_MORE, /* more bytes are needed */
  STEP_STOP, /* *flow says why */
} Step;

EncryptStream *
encrypt_stream_new (EncryptPlan *plan, EncryptQueue *queue, EncryptInput *input,
    gboolean seekable, const EncryptStreamFuncs *funcs, gpointer user_data)
{
  EncryptStream *self = g_new0 (EncryptStream, 1);

  self->plan = plan;
  self->queue = queue;
  self->input = input;
  self->pool = encrypt_pool_new ();
  self->seekable = seekable;
  self->funcs = *funcs;
  self->user_data = user_data;
  self->scan = encrypt_queue_get_start (queue);
  self->moves = encrypt_moves_new ();
  self->sidx = encrypt_sidx_new ();
  self->points = g_array_new (FALSE, FALSE, sizeof (BmffSyncPoint));
  self->lead_sidx = g_array_new (FALSE, FALSE, sizeof (guint64));
  return self;
}

void
encrypt_stream_free (EncryptStream *self)
{
  g_clear_pointer (&self->fragment, encrypt_fragment_free);
  g_clear_pointer (&self->clock, bmff_clock_free);
  g_clear_pointer (&self->mixed, bmff_mixed_free);
  g_clear_pointer (&self->order, g_array_unref);
  g_clear_pointer (&self->movie, bmff_movie_free);
  g_clear_pointer (&self->index, encrypt_index_free);
  encrypt_moves_free (self->moves);
  encrypt_sidx_free (self->sidx);
  g_array_unref (self->points);
  g_array_unref (self->lead_sidx);
  encrypt_queue_free (self->queue);
  encrypt_pool_free (self->pool);
  g_clear_pointer (&self->input, encrypt_input_free);
  g_free (self);
}

/* Boxes */

static gboolean
is_endless (guint64 end)
{
  return end == G_MAXUINT64;
}

/* Up to @size bytes at self->scan: from the queue, or behind it where a fragment
 * is read by place. Returns how many there are. */
static gsize
peek_header (EncryptStream *self, guint8 *out, gsize size)
{
  guint64 end = encrypt_queue_get_end (self->queue);
  gsize n = self->scan < end ? MIN (end - self->scan, size) : 0;
  g_autoptr (GBytes) bytes = NULL;

  if (n == size || !self->input || !self->fragment || is_endless (self->scan)) {
    encrypt_queue_copy (self->queue, self->scan, n, out);
    return n;
  }
  bytes = encrypt_input_read (self->input, self->scan, size, NULL);
  n = bytes ? g_bytes_get_size (bytes) : 0;
  if (n > 0)
    memcpy (out, g_bytes_get_data (bytes, NULL), n);
  return n;
}

/* STEP_GO_ON: @header is the box at self->scan, its size not 0 (a box to the end
 * of the file gets G_MAXUINT64). */
static Step
read_header (EncryptStream *self, BmffHeader *header, GstFlowReturn *flow,
    GError **error)
{
  guint8 bytes[32];
  gsize n = peek_header (self, bytes, sizeof (bytes));
  guint64 box_end;

  if (n == 0)
    return STEP_MORE;
  switch (bmff_header_parse (header, bytes, n)) {
    case BMFF_HEADER_MORE:
      return STEP_MORE;
    case BMFF_HEADER_OK:
      if (header->size == 0)
        header->size = G_MAXUINT64 - self->scan;
      if (g_uint64_checked_add (&box_end, self->scan, header->size))
        return STEP_GO_ON;
      G_GNUC_FALLTHROUGH;
    default:
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
          "box at offset %" G_GUINT64_FORMAT " has an impossible size",
          self->scan);
      *flow = GST_FLOW_ERROR;
      return STEP_STOP;
  }
}

/* Is all of the box here? A sidx has no more than 16 bits of references. */
static Step
need_whole (EncryptStream *self, const BmffHeader *header, GstFlowReturn *flow,
    GError **error)
{
  guint max = header->type == FOURCC_SIDX ? MAX_LEAD : BMFF_MAX_HEADER_BOX;

  if (header->size > max) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
        "'%" BMFF_FOURCC_FORMAT "' at offset %" G_GUINT64_FORMAT
        " is larger than %u bytes",
        BMFF_FOURCC_ARGS (header->type), self->scan, max);
    *flow = GST_FLOW_ERROR;
    return STEP_STOP;
  }
  self->wanted = self->scan + header->size;
  return encrypt_queue_get_end (self->queue) >= self->scan + header->size
      ? STEP_GO_ON
      : STEP_MORE;
}

static gboolean
is_lead (guint32 type)
{
  return type == FOURCC_STYP || type == FOURCC_SIDX || type == FOURCC_EMSG ||
      type == FOURCC_PRFT;
}

static gboolean
is_read_whole (const EncryptStream *self, guint32 type)
{
  return (type == FOURCC_FTYP && encrypt_ftyp_is_changed (self->plan)) ||
      type == FOURCC_MOOV || type == FOURCC_MOOF || type == FOURCC_MFRA ||
      type == FOURCC_META || type == FOURCC_SSIX;
}

/* The muxer went back: a moov, or the ftyp in front of it. */
static GstFlowReturn
rewrite (EncryptStream *self, const BmffHeader *header, guint64 start,
    GError **error)
{
  guint64 end = start + header->size;

  return header->type == FOURCC_MOOV
      ? encrypt_stream_rewrite_moov (self, start, end, error)
      : encrypt_stream_rewrite_ftyp (self, start, end);
}

/* A box that is looked into, all of which is here. */
static GstFlowReturn
handle_whole (EncryptStream *self, const BmffHeader *header, GError **error)
{
  guint64 start = self->scan, end = start + header->size;
  GstFlowReturn flow = GST_FLOW_OK;

  if (header->type != FOURCC_MOOF && !self->rewriting)
    flow = encrypt_stream_flush_lead (self, error);
  self->scan = end;
  if (flow != GST_FLOW_OK)
    return flow;
  if (self->rewriting)
    return rewrite (self, header, start, error);
  switch (header->type) {
    case FOURCC_MOOF:
      return encrypt_stream_begin_fragment (self, start, end, error);
    case FOURCC_MOOV:
      return encrypt_stream_handle_moov (self, start, end, error);
    case FOURCC_FTYP:
      return encrypt_stream_handle_ftyp (self, start, end);
    case FOURCC_SSIX:
      return encrypt_stream_handle_ssix (self, end);
    case FOURCC_MFRA:
      return encrypt_stream_handle_mfra (self, start, end, error);
    default:
      return encrypt_stream_handle_meta (self, start, end, error);
  }
}

static void
take_lead (EncryptStream *self, const BmffHeader *header)
{
  if (header->type == FOURCC_SIDX)
    g_array_append_val (self->lead_sidx, self->scan);
  self->scan += header->size;
}

/* What samples are in an mdat without a moof nobody knows: it would go out in the
 * clear, in a file that says its tracks are protected. */
static GstFlowReturn
refuse_orphan (EncryptStream *self, GError **error)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "the mdat at offset %" G_GUINT64_FORMAT " belongs to no moof",
      self->scan);
  return GST_FLOW_ERROR;
}

static Step
pass_box (EncryptStream *self, const BmffHeader *header, GstFlowReturn *flow,
    GError **error)
{
  *flow = encrypt_stream_flush_lead (self, error);
  self->scan += header->size;
  self->pass_end = self->scan;
  return *flow == GST_FLOW_OK ? STEP_GO_ON : STEP_STOP;
}

/* Without a moof in front: the moov has to have told of its samples. */
static Step
take_mdat (EncryptStream *self, const BmffHeader *header, GstFlowReturn *flow,
    GError **error)
{
  if (header->size == header->header_size)
    return pass_box (self, header, flow, error);
  if (!encrypt_stream_begin_mixed (self, header, error))
    *flow = GST_FLOW_ERROR;
  else if (!self->fragment)
    *flow = refuse_orphan (self, error);
  return *flow == GST_FLOW_OK ? STEP_GO_ON : STEP_STOP;
}

/* What stands in front of the moov that a muxer writes again. */
static gboolean
is_ftyp_again (const EncryptStream *self, const BmffHeader *header)
{
  return self->rewriting && header->type == FOURCC_FTYP &&
      (self->ftyp.in_size == 0 || header->size == self->ftyp.in_size) &&
      header->size <= self->moov.in &&
      self->scan <= self->moov.in - header->size;
}

static gboolean
refuse_in_rewrite (EncryptStream *self, const BmffHeader *header,
    GError **error)
{
  if (!self->rewriting || is_ftyp_again (self, header) ||
      (header->type == FOURCC_MOOV && self->scan == self->moov.in))
    return FALSE;
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_UNSUPPORTED,
      "the muxer went back to offset %" G_GUINT64_FORMAT
      " to write a '%" BMFF_FOURCC_FORMAT "'",
      self->scan, BMFF_FOURCC_ARGS (header->type));
  return TRUE;
}

/* Does it wait for its moof, or is it to be looked into? What waits already goes out
 * first where it is too much with a sidx, which is never passed on as it is. */
static gboolean
waits (EncryptStream *self, const BmffHeader *header, GstFlowReturn *flow,
    GError **error)
{
  guint64 end = self->scan + header->size;

  if (!is_lead (header->type))
    return FALSE;
  if (end - encrypt_queue_get_start (self->queue) <= MAX_LEAD)
    return TRUE;
  if (header->type == FOURCC_SIDX)
    *flow = encrypt_stream_flush_lead (self, error);
  return header->type == FOURCC_SIDX;
}

/* The box at self->scan, outside of a fragment. */
static Step
next_box (EncryptStream *self, GstFlowReturn *flow, GError **error)
{
  BmffHeader header;
  Step step = read_header (self, &header, flow, error);
  gboolean lead;

  if (step != STEP_GO_ON)
    return step;
  if (refuse_in_rewrite (self, &header, error)) {
    *flow = GST_FLOW_ERROR;
    return STEP_STOP;
  }
  lead = waits (self, &header, flow, error);
  if (*flow != GST_FLOW_OK)
    return STEP_STOP;
  if (!lead && !is_read_whole (self, header.type) && !self->rewriting)
    return header.type == FOURCC_MDAT ? take_mdat (self, &header, flow, error)
                                      : pass_box (self, &header, flow, error);
  step = need_whole (self, &header, flow, error);
  if (step != STEP_GO_ON)
    return step;
  if (lead) {
    take_lead (self, &header);
    return STEP_GO_ON;
  }
  *flow = handle_whole (self, &header, error);
  return *flow == GST_FLOW_OK ? STEP_GO_ON : STEP_STOP;
}

/* What is left of a small fragment is sooner queued than read twice. */
static gboolean
is_read_by_place (const EncryptStream *self)
{
  return self->input && !self->order && !is_endless (self->scan) &&
      self->scan - encrypt_queue_get_end (self->queue) > MIN_BY_PLACE;
}

/* Behind a moof: its mdats, until all its samples are in them. */
static Step
next_fragment_box (EncryptStream *self, GstFlowReturn *flow, GError **error)
{
  guint64 end = encrypt_queue_get_end (self->queue);
  BmffHeader header;
  Step step;

  if (self->scan >= encrypt_fragment_get_data_end (self->fragment)) {
    self->wanted = self->scan;
    if (end < self->scan && !is_read_by_place (self))
      return STEP_MORE;
    *flow = end < self->scan
        ? encrypt_stream_read_fragment (self, self->scan, error)
        : encrypt_stream_flush_fragment (self, self->scan, error);
    return *flow == GST_FLOW_OK ? STEP_GO_ON : STEP_STOP;
  }
  step = read_header (self, &header, flow, error);
  if (step != STEP_GO_ON)
    return step;
  if (is_read_whole (self, header.type) || header.type == FOURCC_SIDX) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "'%" BMFF_FOURCC_FORMAT "' at offset %" G_GUINT64_FORMAT
        " between a moof and the end of its samples",
        BMFF_FOURCC_ARGS (header.type), self->scan);
    *flow = GST_FLOW_ERROR;
    return STEP_STOP;
  }
  if (header.type == FOURCC_MDAT)
    encrypt_fragment_add_mdat (self->fragment, self->scan + header.header_size,
        self->scan + header.size);
  self->scan += header.size;
  return STEP_GO_ON;
}

static Step
pass_some (EncryptStream *self, GstFlowReturn *flow)
{
  *flow = encrypt_stream_pass (self,
      MIN (encrypt_queue_get_end (self->queue), self->pass_end));
  if (*flow != GST_FLOW_OK)
    return STEP_STOP;
  return encrypt_queue_get_start (self->queue) < self->pass_end ? STEP_MORE
                                                                : STEP_GO_ON;
}

static Step
step (EncryptStream *self, GstFlowReturn *flow, GError **error)
{
  self->wanted = 0;
  if (encrypt_queue_get_start (self->queue) < self->pass_end)
    return pass_some (self, flow);
  if (self->fragment)
    return next_fragment_box (self, flow, error);
  return next_box (self, flow, error);
}

GstFlowReturn
encrypt_stream_take (EncryptStream *self, GstBuffer *buffer, GError **error)
{
  GstFlowReturn flow = GST_FLOW_OK;
  Step result = STEP_GO_ON;

  if (buffer && !encrypt_queue_push (self->queue, buffer)) {
    g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "a buffer cannot be read");
    return GST_FLOW_ERROR;
  }
  while (result == STEP_GO_ON)
    result = step (self, &flow, error);
  return flow;
}

/* The end */

static GstFlowReturn
truncated (EncryptStream *self, guint64 offset, GError **error)
{
  guint8 header[8] = "\0\0\0\0????";
  guint64 end = encrypt_queue_get_end (self->queue);

  if (offset >= encrypt_queue_get_start (self->queue) && end - offset >= 8)
    encrypt_queue_copy (self->queue, offset, 8, header);
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "the input ends at offset %" G_GUINT64_FORMAT
      " within the box '%" BMFF_FOURCC_FORMAT "' at offset %" G_GUINT64_FORMAT,
      end, BMFF_FOURCC_ARGS (bmff_get_u32 (header + 4)), offset);
  return GST_FLOW_ERROR;
}

/* What is still queued at the end of the input. */
static GstFlowReturn
drain (EncryptStream *self, GError **error)
{
  guint64 start = encrypt_queue_get_start (self->queue);
  guint64 end = encrypt_queue_get_end (self->queue);

  if (self->fragment) {
    if (is_endless (self->scan) &&
        end >= encrypt_fragment_get_data_end (self->fragment))
      return encrypt_stream_flush_fragment (self, end, error);
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "the input ends at offset %" G_GUINT64_FORMAT
        ", within the mdat of the moof at offset %" G_GUINT64_FORMAT,
        end, encrypt_fragment_get_moof_start (self->fragment));
    return GST_FLOW_ERROR;
  }
  if (end < self->pass_end && !is_endless (self->pass_end)) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "the input ends at offset %" G_GUINT64_FORMAT
        ", within a box that ends at offset %" G_GUINT64_FORMAT,
        end, self->pass_end);
    return GST_FLOW_ERROR;
  }
  if (!is_endless (self->pass_end) && self->scan < end)
    return truncated (self, self->scan, error);
  return start < end ? encrypt_stream_flush_lead (self, error) : GST_FLOW_OK;
}

GstFlowReturn
encrypt_stream_end (EncryptStream *self, GError **error)
{
  GstFlowReturn flow = drain (self, error);

  if (flow == GST_FLOW_OK && !encrypt_stream_end_mixed (self, error))
    flow = GST_FLOW_ERROR;
  if (flow == GST_FLOW_OK && encrypt_moves_are_complete (self->moves))
    flow = encrypt_stream_write_sidx (self, error);
  return flow == GST_FLOW_OK ? encrypt_stream_write_index (self) : flow;
}

/* Where a muxer may go back to: its moov, or what is in front, in which nothing
 * was changed but the ftyp. */
static gboolean
is_header (const EncryptStream *self, guint64 offset)
{
  const EncryptPlace *ftyp = &self->ftyp;
  guint64 grown = ftyp->out_size - ftyp->in_size;

  return self->movie &&
      (offset == self->moov.in ||
          (offset < self->moov.in && self->moov.in + grown == self->moov.out &&
              (grown == 0 || offset == ftyp->in)));
}

gboolean
encrypt_stream_seek (EncryptStream *self, guint64 offset, gboolean seekable,
    GError **error)
{
  guint64 end = encrypt_queue_get_end (self->queue);
  gboolean idle = encrypt_queue_get_start (self->queue) == end &&
      !self->fragment && self->pass_end <= end;

  if (offset == end)
    return TRUE;
  if (idle && self->rewriting && offset == self->resume)
    self->rewriting = FALSE;
  else if (idle && !self->rewriting && is_header (self, offset)) {
    self->rewriting = TRUE;
    self->rewrites = seekable;
    self->resume = end;
  } else {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_UNSUPPORTED,
        "the input goes from offset %" G_GUINT64_FORMAT
        " to offset %" G_GUINT64_FORMAT
        ", which is neither what comes next nor its moov",
        end, offset);
    return FALSE;
  }
  encrypt_queue_reset (self->queue, offset);
  self->scan = self->pass_end = offset;
  return TRUE;
}

guint64
encrypt_stream_get_wanted (const EncryptStream *self, guint64 *size)
{
  guint64 offset = encrypt_queue_get_end (self->queue);

  *size = MIN_WANTED;
  if (self->wanted > offset)
    *size += self->wanted - offset;
  return offset;
}

gboolean
encrypt_stream_is_idle (const EncryptStream *self)
{
  return encrypt_queue_get_start (self->queue) ==
      encrypt_queue_get_end (self->queue);
}

GstClockTime
encrypt_stream_get_latency (const EncryptStream *self)
{
  return self->latency;
}
