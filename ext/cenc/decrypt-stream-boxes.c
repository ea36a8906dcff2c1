/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-stream-private.h"

#include <gio/gio.h>

static Step
emit_bytes (DecryptStream *self, GBytes *bytes)
{
  gst_adapter_flush (self->adapter, g_bytes_get_size (bytes));
  return decrypt_stream_emit (self, gst_buffer_new_wrapped_bytes (bytes));
}

/*
 * Boxes that are needed whole
 */

static void
set_movie (DecryptStream *self, DecryptMovie *movie)
{
  decrypt_movie_set_verify (movie, self->verify);
  g_mutex_lock (&self->movie_lock);
  g_clear_pointer (&self->movie, decrypt_movie_unref);
  self->movie = movie;
  g_mutex_unlock (&self->movie_lock);

  g_ptr_array_set_size (self->spans, 0);
  if (decrypt_movie_get_span (movie))
    g_ptr_array_add (self->spans,
        decrypt_span_ref (decrypt_movie_get_span (movie)));
  self->group = G_MAXUINT64;
  self->group_has_data = self->entered = FALSE;
}

gboolean
decrypt_stream_take_moov (DecryptStream *self, GBytes *bytes, guint64 offset,
    GError **error)
{
  g_autoptr (DecryptMovie) movie =
      decrypt_movie_new (bytes, offset, self->source, error);

  if (!movie || !decrypt_movie_count_empty (movie, &self->n_empty, error))
    return FALSE;
  set_movie (self, g_steal_pointer (&movie));
  return TRUE;
}

void
decrypt_stream_end_group (DecryptStream *self)
{
  guint n_movies = decrypt_stream_is_protected (self) ? 1 : 0;

  if (self->spans->len > n_movies)
    g_ptr_array_remove_range (self->spans, n_movies,
        self->spans->len - n_movies);
  self->group = G_MAXUINT64;
  self->group_has_data = FALSE;
}

/* The samples of what stands from @from on were all there at @offset. */
gboolean
decrypt_stream_check_samples (DecryptStream *self, guint64 from, guint64 offset,
    GError **error)
{
  guint i;

  for (i = 0; i < self->spans->len; i++) {
    DecryptSpan *span = g_ptr_array_index (self->spans, i);
    guint64 start, end;

    decrypt_span_get_extent (span, &start, &end);
    if (decrypt_span_get_patch (span)->offset >= from && end > offset) {
      g_set_error (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED,
          "samples of the box at %" G_GUINT64_FORMAT
          " end at %" G_GUINT64_FORMAT ", their data at %" G_GUINT64_FORMAT,
          decrypt_span_get_patch (span)->offset, end, offset);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
decrypt_stream_check_gone_by (DecryptStream *self, guint64 from, GError **error)
{
  const DecryptSpan *span = decrypt_movie_get_span (self->movie);
  guint64 start, end;

  if (!span)
    return TRUE;
  decrypt_span_get_extent (span, &start, &end);
  if (end == 0 || start >= from)
    return TRUE;
  decrypt_stream_fail (error, BMFF_ERROR_UNSUPPORTED, FOURCC_MOOV,
      decrypt_span_get_patch (span)->offset,
      "its samples stand in front of it, and have gone by");
  return FALSE;
}

/* With @span, which comes to the others. */
static gboolean
check_group (DecryptStream *self, const DecryptSpan *span, GError **error)
{
  guint64 n_samples = decrypt_span_get_n_samples (span);
  guint i;

  for (i = 0; i < self->spans->len; i++) {
    const DecryptSpan *other = g_ptr_array_index (self->spans, i);

    n_samples += decrypt_span_get_n_samples (other);
    if (!decrypt_span_check_apart (span, other, error))
      return FALSE;
  }
  /* The first is the movie's. */
  return decrypt_check_group (self->spans->len, n_samples, self->position,
      error);
}

/* Whether all samples of the group's moofs stand in front of the box at hand, in boxes
 * of whatever name; or they have none. */
static gboolean
group_is_over (const DecryptStream *self)
{
  guint i;

  for (i = 1; i < self->spans->len; i++) {
    guint64 start, end;

    decrypt_span_get_extent (g_ptr_array_index (self->spans, i), &start, &end);
    if (end > self->position)
      return FALSE;
  }
  return TRUE;
}

/* The moof at hand is of no group that is there. */
static gboolean
starts_group (const DecryptStream *self)
{
  return self->group_has_data || group_is_over (self);
}

guint64
decrypt_stream_get_group (const DecryptStream *self, gboolean media)
{
  if (media)
    return self->group;
  if (self->header.type == FOURCC_MOOF)
    return starts_group (self) ? G_MAXUINT64 : self->group;
  return group_is_over (self) ? G_MAXUINT64 : self->group;
}

/* (transfer none) */
static DecryptSpan *
take_moof (DecryptStream *self, GBytes *bytes, GError **error)
{
  g_autoptr (DecryptSpan) span = NULL;
  guint64 start, end;

  if (starts_group (self)) {
    if (!decrypt_stream_check_samples (self, self->group, self->position,
            error))
      return NULL;
    decrypt_stream_end_group (self);
  }
  span = decrypt_movie_parse_fragment (self->movie, bytes, self->position,
      self->source, error);
  if (!span || !check_group (self, span, error))
    return NULL;
  decrypt_span_get_extent (span, &start, &end);
  if (end > 0 && start < self->position) {
    decrypt_stream_fail (error, BMFF_ERROR_UNSUPPORTED, FOURCC_MOOF,
        self->position, "its samples stand in front of it");
    return NULL;
  }
  if (self->group == G_MAXUINT64)
    self->group = self->position;
  self->entered = FALSE;
  g_ptr_array_add (self->spans, g_steal_pointer (&span));
  return g_ptr_array_index (self->spans, self->spans->len - 1);
}

/* Whether the moov at hand is the one that was looked for behind its media data.
 * What its saio points at may have gone by since. */
static gboolean
is_known_moov (const DecryptStream *self, gsize size)
{
  const DecryptSpan *span =
      self->movie ? decrypt_movie_get_span (self->movie) : NULL;
  const DecryptPatch *patch = span ? decrypt_span_get_patch (span) : NULL;

  return patch && patch->offset == self->position &&
      g_bytes_get_size (patch->bytes) == size;
}

static gboolean
is_same_moov (const DecryptMovie *a, const DecryptMovie *b)
{
  const DecryptSpan *span = decrypt_movie_get_span (a);
  const DecryptSpan *other = decrypt_movie_get_span (b);

  return span && other &&
      g_bytes_equal (decrypt_span_get_patch (span)->bytes,
          decrypt_span_get_patch (other)->bytes);
}

/* What it says of media data in front of it comes too late, if it is not the last
 * moov again: that of an mdat was kept, or is come back to, and other boxes' and
 * another moov's has gone by. */
static gboolean
take_next_moov (DecryptStream *self, GBytes *bytes, GError **error)
{
  g_autoptr (DecryptMovie) last =
      self->movie ? decrypt_movie_ref (self->movie) : NULL;
  guint64 from = self->searching ? self->search_from : self->position;

  return decrypt_stream_take_moov (self, bytes, self->position, error) &&
      ((last && is_same_moov (last, self->movie)) ||
          decrypt_stream_check_gone_by (self, from, error));
}

/* (transfer full): what goes out in place of @bytes */
static GBytes *
take_box (DecryptStream *self, GBytes *bytes, GError **error)
{
  DecryptSpan *span = NULL;

  if (self->header.type == FOURCC_MOOV) {
    if (!is_known_moov (self, g_bytes_get_size (bytes)) &&
        !take_next_moov (self, bytes, error))
      return NULL;
    span = decrypt_movie_get_span (self->movie);
  } else if (self->header.type == FOURCC_MOOF) {
    span = take_moof (self, bytes, error);
    if (!span)
      return NULL;
  } else {
    return decrypt_patch_box (bytes, self->position, error);
  }
  return g_bytes_ref (span ? decrypt_span_get_patch (span)->bytes : bytes);
}

Step
decrypt_stream_wait (DecryptStream *self, GError *failed, GError **error)
{
  if (!g_error_matches (failed, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
    g_propagate_error (error, failed);
    return STEP_FAILED;
  }
  g_error_free (failed);
  if (++self->n_waits <= MAX_WAITS)
    return STEP_MORE;
  return decrypt_stream_fail (error, BMFF_ERROR_LIMIT, self->header.type,
      self->box_start, "auxiliary information in too many places behind it");
}

Step
decrypt_stream_step_collect (DecryptStream *self, GError **error)
{
  gsize size = (gsize) (self->box_end - self->box_start);
  guint64 end = self->position + gst_adapter_available (self->adapter);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) changed = NULL;
  GError *failed = NULL;

  if (end < self->box_end || end < self->wanted)
    return STEP_MORE;
  self->wanted = 0;
  bytes = gst_adapter_copy_bytes (self->adapter, 0, size);
  changed = take_box (self, bytes, &failed);
  if (!changed)
    return decrypt_stream_wait (self, failed, error);
  self->n_waits = 0;
  self->state = STATE_HEADER;
  return emit_bytes (self, changed);
}
