/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-cut.h"

/* Where the byte at @offset went, from the start of the output; FALSE if it is one of those replaced. */
static gboolean
map (const EncryptCut *self, guint64 offset, guint64 *out)
{
  *out = offset - self->start;
  if (offset <= self->old)
    return TRUE;
  if (offset < self->old_end)
    return FALSE;
  *out += self->size - (self->old_end - self->old);
  return TRUE;
}

static GstBuffer *
cut (GstBuffer *whole, gsize from, gsize to, const EncryptMark *mark)
{
  GstBuffer *buffer = from == 0 && to == gst_buffer_get_size (whole)
      ? gst_buffer_ref (whole)
      : gst_buffer_copy_region (whole, GST_BUFFER_COPY_MEMORY, from, to - from);

  buffer = gst_buffer_make_writable (buffer);
  gst_buffer_copy_into (buffer, mark->buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  /* A muxer's offsets count what it likes: they are no places in this file. */
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_END (buffer) =
      GST_BUFFER_OFFSET_NONE;
  if (!mark->starts)
    GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DISCONT);
  return buffer;
}

GstFlowReturn
encrypt_cut_push (const EncryptCut *self, EncryptQueue *queue, GstBuffer *whole,
    EncryptPushFunc push, gpointer user_data)
{
  g_autoptr (GArray) marks =
      encrypt_queue_get_marks (queue, self->start, self->end);
  GstFlowReturn flow = GST_FLOW_OK;
  gsize total = gst_buffer_get_size (whole);
  guint i, next;

  for (i = 0; i < marks->len && flow == GST_FLOW_OK; i = next) {
    const EncryptMark *mark = &g_array_index (marks, EncryptMark, i);
    guint64 from, to = total;

    next = i + 1;
    map (self, mark->offset, &from);
    while (next < marks->len &&
        !map (self, g_array_index (marks, EncryptMark, next).offset, &to))
      next++;
    if (next == marks->len)
      to = total;
    flow = push (user_data, cut (whole, from, to, mark));
  }
  gst_buffer_unref (whole);
  return flow;
}
