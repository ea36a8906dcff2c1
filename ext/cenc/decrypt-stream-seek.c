/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-stream-private.h"

guint64
decrypt_stream_get_start (DecryptStream *self, guint64 target)
{
  g_autoptr (DecryptMovie) movie = NULL;
  DecryptBoxRecord record;
  guint64 offset;
  gsize size;

  g_mutex_lock (&self->movie_lock);
  if (self->movie)
    movie = decrypt_movie_ref (self->movie);
  g_mutex_unlock (&self->movie_lock);

  if ((movie && !decrypt_movie_is_protected (movie)) ||
      !decrypt_boxes_find (self->boxes, target, &record))
    return target;
  if (!movie)
    return MIN (record.offset, decrypt_boxes_get_known (self->boxes, FALSE));
  if (record.group != G_MAXUINT64)
    return record.group;
  if (record.type != FOURCC_MDAT)
    return record.offset;
  return decrypt_span_find_straddler (decrypt_movie_get_span (movie), target,
             &offset, &size)
      ? offset
      : target;
}

static guint64
get_known (const DecryptStream *self)
{
  return decrypt_boxes_get_known (self->boxes, self->movie != NULL);
}

void
decrypt_stream_jump (DecryptStream *self, guint64 offset, guint64 target)
{
  DecryptBoxRecord record;

  gst_adapter_clear (self->adapter);
  self->position = offset;
  self->target = target;
  self->wanted = 0;
  self->n_waits = 0;
  self->searching = self->failed = FALSE;
  if (self->state == STATE_PLAIN)
    return;

  decrypt_stream_end_group (self);
  self->state = STATE_HEADER;
  self->entered = TRUE;
  self->resync = self->unsure = FALSE;
  if (!decrypt_boxes_find (self->boxes, offset, &record)) {
    self->resync = self->unsure = offset != get_known (self);
    return;
  }
  if (record.offset == offset)
    return;
  self->header.type = record.type;
  self->box_start = record.offset;
  self->box_end = record.end;
  self->state = record.type == FOURCC_MDAT ? STATE_MEDIA : STATE_COPY;
}

void
decrypt_stream_flush (DecryptStream *self)
{
  self->position = decrypt_stream_get_position (self);
  gst_adapter_clear (self->adapter);
  self->flushed = TRUE;
}

void
decrypt_stream_resume (DecryptStream *self)
{
  guint64 position = decrypt_stream_get_position (self);

  decrypt_boxes_clear (self->boxes);
  decrypt_stream_jump (self, position, position);
  self->resync = TRUE;
  self->unsure = FALSE;
}

gboolean
decrypt_stream_seek (DecryptStream *self, guint64 offset, gboolean searching)
{
  guint64 target = self->target;

  if (!self->funcs->seek (offset, self->user_data))
    return FALSE;
  decrypt_stream_jump (self, offset, target);
  self->entered = self->resync = self->unsure = FALSE;
  self->searching = searching;
  return TRUE;
}

gboolean
decrypt_stream_return (DecryptStream *self, guint64 offset)
{
  self->target = MAX (self->target, self->position);
  return decrypt_stream_seek (self, offset, FALSE);
}

gboolean
decrypt_stream_go_back (DecryptStream *self)
{
  guint64 known = get_known (self);

  return known < self->position && decrypt_stream_return (self, known);
}
