/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fragments: from the queue, or read by place. */

#include "cenc/encrypt-stream-private.h"

static BmffTrack *
index_track (const BmffMovie *movie)
{
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    BmffTrack *track = g_ptr_array_index (movie->tracks, i);

    if (track->handler == BMFF_HANDLER_VIDEO && track->timescale > 0)
      return track;
  }
  return movie->tracks->len ? g_ptr_array_index (movie->tracks, 0) : NULL;
}

/* Room for a sidx, in front of the first fragment, which ends at @end. */
static GstFlowReturn
reserve_index (EncryptStream *self, guint64 end, GError **error)
{
  g_autoptr (GBytes) room = NULL;
  BmffTrack *track = index_track (self->movie);
  gboolean has_sidx;

  if (self->has_fragments || !self->seekable || !track)
    return GST_FLOW_OK;
  if (!encrypt_stream_has_leading_sidx (self, end, &has_sidx, error))
    return GST_FLOW_ERROR;
  /* One that came in does not tell of what was the moov's. */
  if (has_sidx && self->n_mixed == 0)
    return GST_FLOW_OK;
  self->index = encrypt_index_new (self->out, track->id, track->timescale);
  room = encrypt_index_make_free (ENCRYPT_INDEX_SIZE);
  self->out += ENCRYPT_INDEX_SIZE;
  encrypt_moves_add (self->moves, encrypt_queue_get_start (self->queue),
      self->out);
  return self->funcs.push (self->user_data,
      gst_buffer_new_wrapped_bytes (room));
}

static GstFlowReturn
prepare (EncryptStream *self, guint64 end, GError **error)
{
  GstFlowReturn flow = reserve_index (self, end, error);

  if (flow == GST_FLOW_OK && self->index)
    encrypt_fragment_tell_time (self->fragment);
  return flow;
}

static void
add_to_index (EncryptStream *self, guint64 offset)
{
  EncryptFragmentInfo info = { 0 };

  if (!self->index)
    return;
  encrypt_fragment_get_info (self->fragment,
      encrypt_index_get_track (self->index), &info);
  encrypt_index_add (self->index, offset, info.start, info.duration, info.sync);
}

/* The fragment's output as one buffer: lead, moof, data. */
static GstBuffer *
make_fragment (EncryptStream *self, EncryptCut *range, GError **error)
{
  guint64 data_size = range->end - range->old_end;
  guint64 moof_out = self->out + (range->old - range->start);
  g_autoptr (GstBuffer) data = encrypt_pool_take (self->pool, data_size);
  g_autoptr (GBytes) moof = NULL;
  GstBuffer *whole;
  guint8 nothing; /* stands for the data of a fragment that has none */
  GstMapInfo map;

  if (!data || !gst_buffer_map (data, &map, GST_MAP_WRITE)) {
    g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "no memory for a fragment");
    return NULL;
  }
  moof = encrypt_fragment_make (self->fragment, self->queue, range->end,
      map.data ? map.data : &nothing, moof_out, error);
  gst_buffer_unmap (data, &map);
  if (!moof)
    return NULL;
  range->size = g_bytes_get_size (moof);
  encrypt_moves_add (self->moves, range->old_end, moof_out + range->size);
  whole = encrypt_stream_make_lead (self, range->old, range->end, error);
  if (!whole)
    return NULL;
  whole = gst_buffer_append (whole, gst_buffer_new_wrapped_bytes (moof));
  return gst_buffer_append (whole, g_steal_pointer (&data));
}

static EncryptCut
get_range (EncryptStream *self, guint64 end)
{
  EncryptCut range = { encrypt_queue_get_start (self->queue), end,
    encrypt_fragment_get_moof_start (self->fragment),
    encrypt_fragment_get_moof_end (self->fragment), 0 };

  return range;
}

/* What is remembered of a fragment that starts to go out now. */
static void
note_fragment (EncryptStream *self, const EncryptCut *range)
{
  self->latency =
      MAX (self->latency, encrypt_fragment_get_duration (self->fragment));
  add_to_index (self, self->out);
  if (self->mixed)
    encrypt_fragment_find_sync (self->fragment,
        self->out + (range->old - range->start), self->points);
  self->has_fragments = TRUE;
}

GstFlowReturn
encrypt_stream_flush_fragment (EncryptStream *self, guint64 end, GError **error)
{
  GstFlowReturn flow = prepare (self, end, error);
  EncryptCut range = get_range (self, end);
  GstBuffer *whole;

  if (flow != GST_FLOW_OK)
    return flow;
  if (self->order && !encrypt_stream_put_in_order (self, error))
    return GST_FLOW_ERROR;
  whole = make_fragment (self, &range, error);
  if (!whole)
    return GST_FLOW_ERROR;
  note_fragment (self, &range);
  g_clear_pointer (&self->fragment, encrypt_fragment_free);
  flow = encrypt_stream_push_cut (self, &range, whole);
  self->data_out = self->out;
  self->scan = end;
  return flow;
}

/* Read by place */

static GstFlowReturn
push (EncryptStream *self, GstBuffer *buffer)
{
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_END (buffer) =
      GST_BUFFER_OFFSET_NONE;
  self->out += gst_buffer_get_size (buffer);
  return self->funcs.push (self->user_data, buffer);
}

/* Lead and moof: all that goes out in front of the fragment's data. */
static GstBuffer *
make_front (EncryptStream *self, EncryptCut *range, GError **error)
{
  guint64 moof_out = self->out + (range->old - range->start);
  g_autoptr (GBytes) moof = encrypt_fragment_map (self->fragment, self->input,
      self->pool, moof_out, error);
  GstBuffer *front;

  if (!moof)
    return NULL;
  encrypt_moves_add (self->moves, range->old_end,
      moof_out + g_bytes_get_size (moof));
  front = encrypt_stream_make_lead (self, range->old, range->end, error);
  return front ? gst_buffer_append (front, gst_buffer_new_wrapped_bytes (moof))
               : NULL;
}

static GstFlowReturn
push_data (EncryptStream *self, const EncryptCut *range, GError **error)
{
  GstFlowReturn flow = GST_FLOW_OK;
  guint64 offset = range->old_end;

  while (flow == GST_FLOW_OK && offset < range->end) {
    GstBuffer *block =
        encrypt_fragment_cipher (self->fragment, offset, range->end, error);

    if (!block)
      return GST_FLOW_ERROR;
    offset += gst_buffer_get_size (block);
    flow = push (self, block);
  }
  return flow;
}

/* Nothing goes out before it is known that all of it is there. */
static GstFlowReturn
read_fragment (EncryptStream *self, guint64 end, GError **error)
{
  GstFlowReturn flow;
  EncryptCut range;
  GstBuffer *front;

  if (!encrypt_input_peek (self->input, end - 1, 1, 0, error)) {
    g_prefix_error (error,
        "the samples of the moof at offset %" G_GUINT64_FORMAT ": ",
        encrypt_fragment_get_moof_start (self->fragment));
    return GST_FLOW_ERROR;
  }
  flow = prepare (self, end, error);
  if (flow != GST_FLOW_OK)
    return flow;
  range = get_range (self, end);
  front = make_front (self, &range, error);
  if (!front)
    return GST_FLOW_ERROR;
  note_fragment (self, &range);
  flow = push (self, front);
  return flow == GST_FLOW_OK ? push_data (self, &range, error) : flow;
}

GstFlowReturn
encrypt_stream_read_fragment (EncryptStream *self, guint64 end, GError **error)
{
  GstFlowReturn flow = read_fragment (self, end, error);

  g_clear_pointer (&self->fragment, encrypt_fragment_free);
  encrypt_queue_reset (self->queue, end);
  self->data_out = self->out;
  self->scan = end;
  /* Not ours to tell of: the input was taken away. */
  if (flow == GST_FLOW_ERROR &&
      encrypt_input_get_flow (self->input) == GST_FLOW_FLUSHING) {
    g_clear_error (error);
    return GST_FLOW_FLUSHING;
  }
  return flow;
}

GstFlowReturn
encrypt_stream_begin_fragment (EncryptStream *self, guint64 start, guint64 end,
    GError **error)
{
  BmffBox *moof;

  if (!self->movie) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "moof at offset %" G_GUINT64_FORMAT " in front of any moov", start);
    return GST_FLOW_ERROR;
  }
  if (!encrypt_stream_end_mixed (self, error))
    return GST_FLOW_ERROR;
  moof = encrypt_stream_parse_box (self, start, end, error);
  if (moof) {
    encrypt_stream_number (self, moof);
    self->fragment = encrypt_fragment_new (moof, self->movie, self->clock,
        self->plan, error);
  }
  return self->fragment ? GST_FLOW_OK : GST_FLOW_ERROR;
}
