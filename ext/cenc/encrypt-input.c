/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-input.h"

#include <string.h>

/* Read at once where samples are small; stays in the second-level cache. */
#define WINDOW (256u << 10)
/* Of larger samples only the headers are read: a copy costs more than a call. */
#define SPARSE_MIN (16u << 10)
/* Read at a NAL unit's start; slice headers are shorter, save odd ones. */
#define HEAD 2048
/* Of a slice where more than its length is here already. */
#define MIN_HEAD 512

struct _EncryptInput
{
  EncryptReadFunc read;
  gpointer user_data;
  GstFlowReturn flow;

  GstBuffer *window; /* NULL: nothing is read */
  GstMapInfo map; /* of the window */
  guint64 offset;

  guint8 *sparse; /* a sample of which only parts were read */
  gsize sparse_size;
  GArray *
      heads; /* (element-type CencRange): NAL units of which only these bytes were read */
};

EncryptInput *
encrypt_input_new (EncryptReadFunc read, gpointer user_data)
{
  EncryptInput *self = g_new0 (EncryptInput, 1);

  self->read = read;
  self->user_data = user_data;
  self->heads = g_array_new (FALSE, FALSE, sizeof (CencRange));
  return self;
}

static void
drop_window (EncryptInput *self)
{
  if (!self->window)
    return;
  gst_buffer_unmap (self->window, &self->map);
  g_clear_pointer (&self->window, gst_buffer_unref);
}

void
encrypt_input_drop (EncryptInput *self)
{
  drop_window (self);
  g_clear_pointer (&self->sparse, g_free);
  self->sparse_size = 0;
}

void
encrypt_input_free (EncryptInput *self)
{
  encrypt_input_drop (self);
  g_array_unref (self->heads);
  g_free (self);
}

GstFlowReturn
encrypt_input_get_flow (const EncryptInput *self)
{
  return self->flow;
}

static gboolean
fail (EncryptInput *self, guint64 offset, GError **error)
{
  if (self->flow == GST_FLOW_OK || self->flow == GST_FLOW_EOS)
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "the input ends before offset %" G_GUINT64_FORMAT, offset);
  else
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "reading at offset %" G_GUINT64_FORMAT ": %s", offset,
        gst_flow_get_name (self->flow));
  return FALSE;
}

/* Reads into @buffer; it is as long as what came then. */
static gboolean
read_into (EncryptInput *self, guint64 offset, GstBuffer *buffer,
    GError **error)
{
  gsize size = gst_buffer_get_size (buffer), n;
  GstBuffer *got = buffer;
  GstMapInfo map;

  self->flow = self->read (self->user_data, offset, size, &got);
  if (self->flow == GST_FLOW_EOS) {
    gst_buffer_set_size (buffer, 0);
    return TRUE;
  }
  if (self->flow != GST_FLOW_OK)
    return fail (self, offset, error);
  if (got == buffer)
    return TRUE;
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  n = gst_buffer_extract (got, 0, map.data, size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_set_size (buffer, n);
  gst_buffer_unref (got);
  return TRUE;
}

static gboolean
has (const EncryptInput *self, guint64 offset, gsize size)
{
  return self->window && offset >= self->offset &&
      offset - self->offset <= self->map.size &&
      size <= self->map.size - (offset - self->offset);
}

gboolean
encrypt_input_fill (EncryptInput *self, guint64 offset, GstBuffer *buffer,
    GError **error)
{
  gsize size = gst_buffer_get_size (buffer);

  /* Small fragments: all of it was read for its headers. */
  if (has (self, offset, size)) {
    gst_buffer_fill (buffer, 0, self->map.data + (offset - self->offset), size);
    return TRUE;
  }
  return read_into (self, offset, buffer, error) &&
      (gst_buffer_get_size (buffer) == size ||
          fail (self, offset + size, error));
}

/* A buffer of @size bytes: the window's own, if nobody kept it and it is large enough. */
static GstBuffer *
take_window (EncryptInput *self, gsize size)
{
  GstBuffer *buffer = self->window;
  gsize offset, room = 0;

  if (buffer) {
    gst_buffer_unmap (buffer, &self->map);
    self->window = NULL;
    gst_buffer_get_sizes (buffer, &offset, &room);
  }
  if (buffer && gst_buffer_is_writable (buffer) && room >= size) {
    gst_buffer_resize (buffer, -(gssize) offset, size);
    return buffer;
  }
  g_clear_pointer (&buffer, gst_buffer_unref);
  buffer = gst_buffer_new_allocate (NULL, MAX (size, WINDOW), NULL);
  if (buffer)
    gst_buffer_set_size (buffer, size);
  return buffer;
}

static gboolean
load (EncryptInput *self, guint64 offset, gsize size, GError **error)
{
  g_autoptr (GstBuffer) buffer = take_window (self, size);

  if (!buffer) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "no memory for %" G_GSIZE_FORMAT " bytes", size);
    return FALSE;
  }
  if (!read_into (self, offset, buffer, error))
    return FALSE;
  self->offset = offset;
  self->window = g_steal_pointer (&buffer);
  if (gst_buffer_map (self->window, &self->map, GST_MAP_READ))
    return TRUE;
  g_clear_pointer (&self->window, gst_buffer_unref);
  g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
      "a buffer cannot be read");
  return FALSE;
}

const guint8 *
encrypt_input_peek (EncryptInput *self, guint64 offset, gsize size, gsize ahead,
    GError **error)
{
  static const guint8 nothing;

  if (size == 0)
    return &nothing;
  if (!has (self, offset, size) &&
      !load (self, offset, MAX (size, ahead), error))
    return NULL;
  if (has (self, offset, size))
    return self->map.data + (offset - self->offset);
  fail (self, offset + size, error);
  return NULL;
}

typedef struct
{
  GstBuffer *buffer;
  GstMapInfo map;
} Mapped;

static void
mapped_free (gpointer data)
{
  Mapped *self = data;

  gst_buffer_unmap (self->buffer, &self->map);
  gst_buffer_unref (self->buffer);
  g_free (self);
}

GBytes *
encrypt_input_read (EncryptInput *self, guint64 offset, gsize size,
    GError **error)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, size, NULL);
  Mapped *mapped;

  if (!buffer || !read_into (self, offset, buffer, error))
    return NULL;
  mapped = g_new0 (Mapped, 1);
  mapped->buffer = g_steal_pointer (&buffer);
  gst_buffer_map (mapped->buffer, &mapped->map, GST_MAP_READ);
  return g_bytes_new_with_free_func (mapped->map.data, mapped->map.size,
      mapped_free, mapped);
}

/* Samples of which only headers are read */

static gboolean
make_room (EncryptInput *self, gsize size)
{
  if (self->sparse_size >= size)
    return TRUE;
  g_free (self->sparse);
  self->sparse = g_try_malloc (size);
  self->sparse_size = self->sparse ? size : 0;
  return self->sparse != NULL;
}

/* Reads a sample's bytes up to @end, where those up to *valid are here. */
static gboolean
read_up_to (EncryptInput *self, const BmffSample *sample, gsize *valid,
    gsize end, GError **error)
{
  const guint8 *data;

  if (end <= *valid)
    return TRUE;
  data = encrypt_input_peek (self, sample->offset + *valid, end - *valid, 0,
      error);
  if (!data)
    return FALSE;
  memcpy (self->sparse + *valid, data, end - *valid);
  *valid = end;
  return TRUE;
}

/* The NAL unit at @at, of which bytes up to *valid are here. Returns where the
 * next one is, 0: on error (with @error), or where all of the sample is needed. */
static gsize
read_nal (EncryptInput *self, EncryptTrack *track, const BmffSample *sample,
    gsize at, gsize *valid, GError **error)
{
  gsize size, needed, left = sample->size - at;

  *valid = MAX (*valid, at);
  if (!read_up_to (self, sample, valid,
          at + MIN (left, *valid >= at + SUBSAMPLER_LOOK ? 0 : HEAD), error))
    return 0;
  needed = encrypt_track_look (track, sample, self->sparse + at,
      MIN (left, *valid - at), &size);
  if (needed == 0 || size > left)
    return 0;
  if (!read_up_to (self, sample, valid, at + MIN (MAX (needed, MIN_HEAD), size),
          error))
    return 0;
  if (*valid < at + size) {
    CencRange head = { at, *valid - at };

    g_array_append_val (self->heads, head);
  }
  return at + size;
}

/* FALSE: with an error, or the sample has to be read whole. */
static gboolean
read_heads (EncryptInput *self, EncryptTrack *track, const BmffSample *sample,
    GError **error)
{
  gsize at = 0, valid = 0;

  if (sample->size < SPARSE_MIN || !make_room (self, sample->size))
    return FALSE;
  g_array_set_size (self->heads, 0);
  while (at < sample->size) {
    at = read_nal (self, track, sample, at, &valid, error);
    if (at == 0)
      return FALSE;
  }
  return TRUE;
}

static const guint8 *
read_sample (EncryptInput *self, const BmffSample *sample, GError **error)
{
  const guint8 *data =
      encrypt_input_peek (self, sample->offset, sample->size, WINDOW, error);

  if (!data)
    g_prefix_error (error, "the sample at offset %" G_GUINT64_FORMAT ": ",
        sample->offset);
  return data;
}

gboolean
encrypt_input_map (EncryptInput *self, EncryptTrack *track,
    const BmffSample *sample, CencAuxWriter *writer, GError **error)
{
  static const guint8 nothing;
  const guint8 *data = &nothing;
  GError *cause = NULL;

  if (sample->size == 0 || !encrypt_track_wants_data (track, sample))
    return encrypt_track_map (track, sample, data, writer, error);
  if (read_heads (self, track, sample, &cause) &&
      encrypt_track_map_heads (track, sample, self->sparse, self->heads, writer,
          &cause))
    return TRUE;
  if (cause) {
    g_propagate_error (error, cause);
    return FALSE;
  }
  data = read_sample (self, sample, error);
  return data && encrypt_track_map (track, sample, data, writer, error);
}

gboolean
encrypt_input_learn (EncryptInput *self, EncryptTrack *track,
    const BmffSample *sample, CencAuxWriter *writer, GError **error)
{
  static const guint8 nothing;
  const guint8 *data = &nothing;

  if (sample->size > 0 && encrypt_track_wants_data (track, sample)) {
    data = read_sample (self, sample, error);
    if (!data)
      return FALSE;
  }
  return writer ? encrypt_track_map_clear (track, sample, data, writer, error)
                : encrypt_track_learn (track, sample, data, error);
}
