/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A moov that has samples of its own, and fragments behind it: what the moov told of
 * goes out as fragments too. A moof of ours that takes no room in the input stands in
 * front of the mdat, and from there on it is one like the others: all places are those
 * of the input, as everywhere in EncryptStream.
 */

#include "cenc/encrypt-stream-private.h"

/* The most of the moov's samples that is held: of what is pushed; and where bytes have
 * to be put into another order. */
#define MAX_HELD (256u << 20)

/* How much of the mdat has to be here at once where it is held: all; of one that goes
 * on to the end of the file, up to its last sample. */
static guint64
get_held (const EncryptStream *self, const BmffHeader *header)
{
  return self->scan + header->size == G_MAXUINT64
      ? encrypt_fragment_get_data_end (self->fragment) - self->scan
      : header->size;
}

static gboolean
check_size (const EncryptStream *self, const BmffHeader *header, GError **error)
{
  guint64 held = get_held (self, header);

  if (self->input || held <= MAX_HELD)
    return TRUE;
  g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
      "the mdat at offset %" G_GUINT64_FORMAT " has %" G_GUINT64_FORMAT
      " bytes, and samples of the moov's; of input that cannot be read by place "
      "%u are held",
      self->scan, held, MAX_HELD);
  return FALSE;
}

gboolean
encrypt_stream_begin_mixed (EncryptStream *self, const BmffHeader *header,
    GError **error)
{
  guint64 start = self->scan + header->header_size;
  guint64 end = self->scan + header->size;
  GError *cause = NULL;
  BmffBox *moof;

  if (!self->mixed)
    return TRUE;
  moof = bmff_mixed_next (self->mixed, self->scan, start, end,
      end == G_MAXUINT64 || header->size <= MAX_HELD ? MAX_HELD : 0,
      &self->order, &cause);
  if (cause) {
    g_propagate_error (error, cause);
    return FALSE;
  }
  if (!moof)
    return TRUE;
  self->n_mixed = bmff_mixed_get_count (self->mixed);
  self->fragment =
      encrypt_fragment_new (moof, self->movie, self->clock, self->plan, error);
  return self->fragment && check_size (self, header, error);
}

static gboolean
check_read (gboolean done, GError **error)
{
  if (!done)
    g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "a buffer cannot be read");
  return done;
}

/* Bytes that stay where they are, with what their buffers say of them. */
static gboolean
keep (EncryptStream *self, EncryptQueue *to, guint64 start, guint64 end,
    GError **error)
{
  g_autoptr (GArray) marks = encrypt_queue_get_marks (self->queue, start, end);
  guint i;

  for (i = 0; i < marks->len; i++) {
    const EncryptMark *mark = &g_array_index (marks, EncryptMark, i);
    guint64 limit = i + 1 < marks->len
        ? g_array_index (marks, EncryptMark, i + 1).offset
        : end;
    GstBuffer *buffer = encrypt_queue_share (self->queue, mark->offset, limit);

    gst_buffer_copy_into (buffer, mark->buffer, GST_BUFFER_COPY_METADATA, 0,
        -1);
    if (!mark->starts)
      GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DISCONT);
    if (!check_read (encrypt_queue_push (to, buffer), error))
      return FALSE;
  }
  return TRUE;
}

/* Of a fragment's own buffers the first speaks for all whose bytes move. */
gboolean
encrypt_stream_put_in_order (EncryptStream *self, GError **error)
{
  g_autoptr (GArray) order = g_steal_pointer (&self->order);
  g_autoptr (EncryptQueue) queue = encrypt_queue_new ();
  guint64 start = G_MAXUINT64, end = 0;
  guint i;

  for (i = 0; i < order->len; i++) {
    const BmffMixedRange *range = &g_array_index (order, BmffMixedRange, i);

    start = MIN (start, range->start);
    end = MAX (end, range->start + range->size);
  }
  encrypt_queue_reset (queue, encrypt_queue_get_start (self->queue));
  if (!keep (self, queue, encrypt_queue_get_start (self->queue), start, error))
    return FALSE;
  for (i = 0; i < order->len; i++) {
    const BmffMixedRange *range = &g_array_index (order, BmffMixedRange, i);

    if (!check_read (encrypt_queue_append (queue, self->queue, range->start,
                         range->start + range->size),
            error))
      return FALSE;
  }
  if (!keep (self, queue, end, encrypt_queue_get_end (self->queue), error))
    return FALSE;
  encrypt_queue_free (self->queue);
  self->queue = g_steal_pointer (&queue);
  return TRUE;
}

gboolean
encrypt_stream_end_mixed (EncryptStream *self, GError **error)
{
  if (!self->mixed)
    return TRUE;
  if (!bmff_mixed_check_done (self->mixed, error))
    return FALSE;
  g_clear_pointer (&self->mixed, bmff_mixed_free);
  return TRUE;
}

void
encrypt_stream_number (const EncryptStream *self, BmffBox *moof)
{
  BmffBox *mfhd = bmff_box_child (moof, BMFF_FOURCC ('m', 'f', 'h', 'd'));
  guint8 *payload;
  gsize size;

  if (self->n_mixed == 0 || !mfhd || g_bytes_get_size (mfhd->payload) < 8)
    return;
  payload = bmff_box_edit_payload (mfhd, &size);
  bmff_put_u32 (payload + 4, bmff_get_u32 (payload + 4) + self->n_mixed);
}
