/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/encrypt-stream-private.h"

#include "cenc/encrypt-ftyp.h"
#include "cenc/encrypt-movie.h"

void
encrypt_stream_warn (EncryptStream *self, const gchar *message)
{
  self->funcs.warn (self->user_data, message);
}

/* Pushes what a range of the input became, and takes it off the queue. */
GstFlowReturn
encrypt_stream_push_cut (EncryptStream *self, const EncryptCut *range,
    GstBuffer *whole)
{
  guint64 size = gst_buffer_get_size (whole);
  GstFlowReturn flow = encrypt_cut_push (range, self->queue, whole,
      self->funcs.push, self->user_data);

  self->out += size;
  encrypt_queue_drop (self->queue, range->end);
  return flow;
}

/* Hands on what is queued up to @end as it is. */
GstFlowReturn
encrypt_stream_pass (EncryptStream *self, guint64 end)
{
  guint64 start = encrypt_queue_get_start (self->queue);
  EncryptCut range = { start, end, end, end, 0 };

  if (start == end)
    return GST_FLOW_OK;
  return encrypt_stream_push_cut (self, &range,
      encrypt_queue_share (self->queue, start, end));
}

/* Replaces the whole box at the start of the queue by @bytes. */
static GstFlowReturn
replace (EncryptStream *self, guint64 end, GBytes *bytes)
{
  guint64 start = encrypt_queue_get_start (self->queue);
  EncryptCut range = { start, end, start, end, g_bytes_get_size (bytes) };

  return encrypt_stream_push_cut (self, &range,
      gst_buffer_new_wrapped_bytes (bytes));
}

BmffBox *
encrypt_stream_parse_box (EncryptStream *self, guint64 start, guint64 end,
    GError **error)
{
  g_autoptr (GBytes) bytes =
      encrypt_queue_get_bytes (self->queue, start, end - start);

  return bmff_box_parse (bytes, start, error);
}

/* moov */

/* (transfer full) @movie */
static void
set_movie (EncryptStream *self, BmffMovie *movie)
{
  BmffClock *clock = bmff_clock_new (movie);

  if (self->clock)
    bmff_clock_go_on (clock, self->clock);
  g_clear_pointer (&self->clock, bmff_clock_free);
  g_clear_pointer (&self->movie, bmff_movie_free);
  self->movie = movie;
  self->clock = clock;
}

static GBytes *
protect_moov (EncryptStream *self, guint64 start, guint64 end,
    BmffMixed **mixed, GError **error)
{
  BmffBox *moov = encrypt_stream_parse_box (self, start, end, error);
  BmffMovie *movie = moov ? encrypt_movie_new (moov, self->plan, error) : NULL;

  if (!movie)
    return NULL;
  set_movie (self, movie);
  if (!bmff_mixed_take (movie, mixed, error) ||
      !encrypt_movie_check_empty (movie, error) ||
      !encrypt_movie_check_items (movie, NULL, TRUE, error))
    return NULL;
  return bmff_box_to_bytes (movie->moov);
}

static void
set_place (EncryptPlace *place, guint64 start, guint64 end, guint64 out,
    GBytes *bytes)
{
  place->in = start;
  place->in_size = end - start;
  place->out = out;
  place->out_size = g_bytes_get_size (bytes);
}

GstFlowReturn
encrypt_stream_handle_moov (EncryptStream *self, guint64 start, guint64 end,
    GError **error)
{
  g_autoptr (GBytes) moov = NULL;
  GstFlowReturn flow;

  if (!encrypt_stream_end_mixed (self, error))
    return GST_FLOW_ERROR;
  /* Those of the first one may be known from the caps. */
  if (self->movie)
    encrypt_plan_begin_movie (self->plan);
  self->n_mixed = 0;
  g_array_set_size (self->points, 0);
  moov = protect_moov (self, start, end, &self->mixed, error);
  if (!moov)
    return GST_FLOW_ERROR;
  set_place (&self->moov, start, end, self->out, moov);
  flow = replace (self, end, moov);
  encrypt_moves_add (self->moves, end, self->out);
  return flow;
}

static GBytes *
protect_ftyp (EncryptStream *self, guint64 start, guint64 end)
{
  g_autoptr (GBytes) ftyp =
      encrypt_queue_get_bytes (self->queue, start, end - start);

  return encrypt_ftyp_protect (ftyp, self->plan);
}

GstFlowReturn
encrypt_stream_handle_ftyp (EncryptStream *self, guint64 start, guint64 end)
{
  g_autoptr (GBytes) ftyp = protect_ftyp (self, start, end);

  set_place (&self->ftyp, start, end, self->out, ftyp);
  return replace (self, end, ftyp);
}

/* The muxer's second ftyp, in place of its first. */
GstFlowReturn
encrypt_stream_rewrite_ftyp (EncryptStream *self, guint64 start, guint64 end)
{
  g_autoptr (GBytes) ftyp = protect_ftyp (self, start, end);

  encrypt_queue_drop (self->queue, end);
  if (!self->rewrites ||
      (self->ftyp.in_size > 0 &&
          self->ftyp.out_size != g_bytes_get_size (ftyp)))
    return GST_FLOW_OK;
  return self->funcs.overwrite (self->user_data, start,
      gst_buffer_new_wrapped_bytes (ftyp));
}

/* The muxer's second moov, in place of its first. */

GstFlowReturn
encrypt_stream_rewrite_moov (EncryptStream *self, guint64 start, guint64 end,
    GError **error)
{
  g_autoptr (GBytes) moov = NULL;

  if (encrypt_stream_end_mixed (self, error))
    moov = protect_moov (self, start, end, NULL, error);
  if (!moov)
    return GST_FLOW_ERROR;
  encrypt_queue_drop (self->queue, end);
  if (!self->rewrites)
    return GST_FLOW_OK;
  if (end - start != self->moov.in_size ||
      g_bytes_get_size (moov) != self->moov.out_size) {
    encrypt_stream_warn (self,
        "the muxer's last moov does not fit in the place of its first: "
        "durations stay as they were");
    return GST_FLOW_OK;
  }
  return self->funcs.overwrite (self->user_data, self->moov.out,
      gst_buffer_new_wrapped_bytes (moov));
}

/* sidx */

static BmffBox *
parse_sidx (EncryptStream *self, guint64 start, GError **error)
{
  guint8 bytes[16] = { 0 };
  guint64 end = encrypt_queue_get_end (self->queue);
  BmffHeader header;

  encrypt_queue_copy (self->queue, start, MIN (end - start, sizeof (bytes)),
      bytes);
  bmff_header_parse (&header, bytes, sizeof (bytes));
  return encrypt_stream_parse_box (self, start, start + header.size, error);
}

/* What goes out for the sidx at @start. */
static GBytes *
take_sidx (EncryptStream *self, guint64 start, guint64 known, guint64 *end,
    GError **error)
{
  g_autoptr (BmffBox) box = parse_sidx (self, start, error);
  gboolean whole;
  GBytes *bytes;

  if (!box)
    return NULL;
  *end = start + box->parsed_size;
  /* Ours tells of all fragments, the input's not of the moov's samples. */
  if (self->index && self->n_mixed > 0)
    return encrypt_index_make_free (box->parsed_size);
  bytes = encrypt_sidx_take (self->sidx, box, known, self->moves,
      self->seekable, &whole, error);
  if (bytes && !whole && !self->seekable && !self->lost_sidx) {
    self->lost_sidx = TRUE;
    encrypt_stream_warn (self,
        "a sidx tells of fragments still to come, and the output cannot be "
        "overwritten: it becomes `free`");
  }
  return bytes;
}

/* What leads a fragment: boxes as they are, save sidx. NULL on error. */
GstBuffer *
encrypt_stream_make_lead (EncryptStream *self, guint64 end, guint64 known,
    GError **error)
{
  guint64 done = encrypt_queue_get_start (self->queue);
  g_autoptr (GstBuffer) lead = gst_buffer_new ();
  guint i;

  for (i = 0; i < self->lead_sidx->len; i++) {
    guint64 start = g_array_index (self->lead_sidx, guint64, i), box_end;
    g_autoptr (GBytes) bytes = take_sidx (self, start, known, &box_end, error);

    if (!bytes)
      return NULL;
    lead = gst_buffer_append (lead,
        encrypt_queue_share (self->queue, done, start));
    lead = gst_buffer_append (lead, gst_buffer_new_wrapped_bytes (bytes));
    done = box_end;
  }
  g_array_set_size (self->lead_sidx, 0);
  lead = gst_buffer_append (lead, encrypt_queue_share (self->queue, done, end));
  return g_steal_pointer (&lead);
}

/* The boxes that waited for a moof and whose moof did not come. */
GstFlowReturn
encrypt_stream_flush_lead (EncryptStream *self, GError **error)
{
  guint64 start = encrypt_queue_get_start (self->queue);
  EncryptCut range = { start, self->scan, self->scan, self->scan, 0 };
  GstBuffer *lead;

  if (start == self->scan)
    return GST_FLOW_OK;
  lead = encrypt_stream_make_lead (self, self->scan, 0, error);
  return lead ? encrypt_stream_push_cut (self, &range, lead) : GST_FLOW_ERROR;
}

/* Is there a sidx that leads more than the fragment that ends at @end? */
gboolean
encrypt_stream_has_leading_sidx (EncryptStream *self, guint64 end,
    gboolean *found, GError **error)
{
  guint i;

  *found = FALSE;
  for (i = 0; i < self->lead_sidx->len && !*found; i++) {
    g_autoptr (BmffBox) box =
        parse_sidx (self, g_array_index (self->lead_sidx, guint64, i), error);
    guint64 reach;

    if (!box || !encrypt_sidx_get_reach (box, &reach, error))
      return FALSE;
    *found = reach > end;
  }
  return TRUE;
}

/* ssix: the sizes of parts of what a sidx refers to, which grow with their moofs. */
GstFlowReturn
encrypt_stream_handle_ssix (EncryptStream *self, guint64 end)
{
  g_autoptr (GBytes) bytes =
      encrypt_index_make_free (end - encrypt_queue_get_start (self->queue));

  if (!self->lost_ssix)
    encrypt_stream_warn (self,
        "an ssix tells of the sizes that parts of segments had: it becomes "
        "`free`");
  self->lost_ssix = TRUE;
  return replace (self, end, bytes);
}

/* mfra */

GstFlowReturn
encrypt_stream_handle_mfra (EncryptStream *self, guint64 start, guint64 end,
    GError **error)
{
  g_autoptr (BmffBox) mfra = encrypt_stream_parse_box (self, start, end, error);
  g_autoptr (GBytes) bytes = NULL;

  if (!mfra)
    return GST_FLOW_ERROR;
  if (!encrypt_moves_are_complete (self->moves)) {
    encrypt_stream_warn (self,
        "too many fragments for their mfra: it becomes `free`");
    bytes = encrypt_index_make_free (end - start);
    return replace (self, end, bytes);
  }
  if (!bmff_mfra_move (mfra, encrypt_moves_get, self->moves, error) ||
      (self->points->len > 0 && !bmff_mfra_add (mfra, self->points, error)))
    return GST_FLOW_ERROR;
  bytes = bmff_box_to_bytes (mfra);
  return replace (self, end, bytes);
}

GstFlowReturn
encrypt_stream_handle_meta (EncryptStream *self, guint64 start, guint64 end,
    GError **error)
{
  g_autoptr (BmffBox) meta = encrypt_stream_parse_box (self, start, end, error);

  if (!meta)
    return GST_FLOW_ERROR;
  if (!encrypt_movie_check_items (self->movie, meta, self->out != start, error))
    return GST_FLOW_ERROR;
  return encrypt_stream_pass (self, end);
}

/* The sidx boxes whose references are all known now. */
GstFlowReturn
encrypt_stream_write_sidx (EncryptStream *self, GError **error)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GError *cause = NULL;
  guint64 position;
  GBytes *bytes;

  while (flow == GST_FLOW_OK &&
      (bytes =
              encrypt_sidx_next (self->sidx, self->moves, &position, &cause))) {
    flow = self->funcs.overwrite (self->user_data, position,
        gst_buffer_new_wrapped_bytes (bytes));
    g_bytes_unref (bytes);
  }
  if (!cause)
    return flow;
  g_propagate_error (error, cause);
  return GST_FLOW_ERROR;
}

GstFlowReturn
encrypt_stream_write_index (EncryptStream *self)
{
  g_autoptr (GBytes) sidx = NULL;

  if (self->index)
    sidx = encrypt_index_end (self->index, self->data_out);
  return sidx ? self->funcs.overwrite (self->user_data,
                    encrypt_index_get_position (self->index),
                    gst_buffer_new_wrapped_bytes (sidx))
              : GST_FLOW_OK;
}
