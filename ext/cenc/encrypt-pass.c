/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-pass.h"

/* Read, ciphered and pushed at once, if no sample is larger: stays in the
 * second-level cache, and is what filesink writes at once. */
#define BLOCK (256u << 10)
/* Samples of the first pass in a piece. */
#define MAP_STEP 1024

struct _EncryptPass
{
  EncryptInput *input;
  GArray *parts; /* (element-type EncryptPart) */
  BmffSampleMap *map;
  EncryptPool *pool;

  guint looked_at; /* see encrypt_pass_changes() */
  guint part; /* first pass: whose samples are mapped */
  BmffSampleCursor cursor; /* its table NULL: that part has not begun */

  guint32 *next; /* of each part, the sample to be mapped next */
  gboolean once; /* samples are mapped on the way */
  EncryptPassCheck check;
  gpointer check_data;

  BmffMapCursor walk; /* its map NULL: the second pass has not begun */
  BmffMappedSample ahead; /* that the walk gave already, of the next block */
  gboolean has_ahead;
  guint64 walked; /* to where */
  GArray *samples; /* (element-type BmffMappedSample): of the block at hand */
};

void
encrypt_part_clear (gpointer part)
{
  EncryptPart *self = part;

  g_clear_pointer (&self->samples, bmff_sample_table_unref);
  g_clear_pointer (&self->writer, cenc_aux_writer_free);
  g_clear_pointer (&self->spans, encrypt_spans_free);
}

EncryptPass *
encrypt_pass_new (EncryptInput *input, EncryptPool *pool, GArray *parts,
    GError **error)
{
  g_autoptr (EncryptPass) self = g_new0 (EncryptPass, 1);
  g_autoptr (GPtrArray) tables = g_ptr_array_new ();
  guint i;

  self->input = input;
  self->parts = g_array_ref (parts);
  self->pool = pool;
  self->next = g_new0 (guint32, parts->len);
  self->samples = g_array_new (FALSE, FALSE, sizeof (BmffMappedSample));
  for (i = 0; i < parts->len; i++)
    g_ptr_array_add (tables, g_array_index (parts, EncryptPart, i).samples);
  self->map = bmff_sample_map_new (tables, error);
  return self->map ? g_steal_pointer (&self) : NULL;
}

void
encrypt_pass_free (EncryptPass *self)
{
  g_clear_pointer (&self->map, bmff_sample_map_free);
  g_free (self->next);
  g_array_unref (self->samples);
  g_array_unref (self->parts);
  g_free (self);
}

/* More samples of tracks that stay clear than this are not looked at: of each item
 * anew, a few bytes could ask for all. */
#define MAX_LOOKED_AT (1u << 20)

gboolean
encrypt_pass_changes (EncryptPass *self, guint64 start, guint64 end)
{
  BmffMapCursor cursor;
  BmffMappedSample mapped;

  bmff_map_cursor_init (&cursor, self->map, start);
  while (
      bmff_map_cursor_next (&cursor, &mapped) && mapped.sample.offset < end) {
    const EncryptPart *part =
        &g_array_index (self->parts, EncryptPart, mapped.track);

    if ((part->track && mapped.index >= part->n_lead &&
            mapped.sample.size > 0) ||
        ++self->looked_at > MAX_LOOKED_AT)
      return TRUE;
  }
  return FALSE;
}

/* First pass */

static gboolean
map_sample (EncryptPass *self, const EncryptPart *part, guint32 index,
    const BmffSample *sample, GError **error)
{
  if (index >= part->n_lead)
    return encrypt_input_map (self->input, part->track, sample, part->writer,
        error);
  if (part->writer && !part->tells_lead)
    cenc_aux_writer_add_clear (part->writer);
  return encrypt_input_learn (self->input, part->track, sample,
      part->tells_lead ? part->writer : NULL, error);
}

/* The next one of a part; FALSE without an error if there is none. */
static gboolean
map_next (EncryptPass *self, guint i, BmffSampleCursor *cursor,
    EncryptPassCheck check, gpointer user_data, GError **error)
{
  const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);
  BmffSample sample;

  if (!bmff_sample_cursor_next (cursor, &sample))
    return FALSE;
  if ((check && sample.size > 0 && !check (user_data, part, &sample, error)) ||
      !map_sample (self, part, self->next[i], &sample, error))
    return FALSE;
  self->next[i]++;
  return TRUE;
}

/* Where that part's mapped samples end; FALSE: none of it is to be mapped. */
static gboolean
init_cursor (const EncryptPass *self, guint i, BmffSampleCursor *cursor)
{
  const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

  if (!part->track || !part->samples)
    return FALSE;
  bmff_sample_cursor_init (cursor, part->samples, self->next[i]);
  return TRUE;
}

gboolean
encrypt_pass_map (EncryptPass *self, EncryptPassCheck check, gpointer user_data,
    gboolean *done, GError **error)
{
  GError *cause = NULL;
  guint i;

  for (i = 0; i < MAP_STEP && self->part < self->parts->len; i++) {
    if ((self->cursor.table || init_cursor (self, self->part, &self->cursor)) &&
        map_next (self, self->part, &self->cursor, check, user_data, &cause))
      continue;
    if (cause) {
      g_propagate_error (error, cause);
      return FALSE;
    }
    self->cursor.table = NULL;
    self->part++;
  }
  *done = self->part == self->parts->len;
  return TRUE;
}

/* One pass */

gboolean
encrypt_pass_begin_once (EncryptPass *self, EncryptPassCheck check,
    gpointer user_data)
{
  if (!bmff_sample_map_is_in_order (self->map))
    return FALSE;
  self->once = TRUE;
  self->check = check;
  self->check_data = user_data;
  return TRUE;
}

gboolean
encrypt_pass_map_heads (EncryptPass *self, guint32 n, GError **error)
{
  GError *cause = NULL;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    BmffSampleCursor cursor;

    if (!init_cursor (self, i, &cursor))
      continue;
    while (self->next[i] < n &&
        map_next (self, i, &cursor, self->check, self->check_data, &cause))
      ;
    if (cause) {
      g_propagate_error (error, cause);
      return FALSE;
    }
  }
  return TRUE;
}

void
encrypt_pass_leave_once (EncryptPass *self)
{
  self->once = FALSE;
}

static gboolean
map_bytes (const EncryptPart *part, guint32 index, const BmffSample *sample,
    const guint8 *data, GError **error)
{
  if (index >= part->n_lead)
    return encrypt_track_map (part->track, sample, data, part->writer, error);
  if (part->tells_lead)
    return encrypt_track_map_clear (part->track, sample, data, part->writer,
        error);
  if (part->writer)
    cenc_aux_writer_add_clear (part->writer);
  return encrypt_track_learn (part->track, sample, data, error);
}

/* Maps the samples up to @end, which have no bytes. */
static gboolean
map_empty (EncryptPass *self, guint i, guint32 end, GError **error)
{
  static const guint8 nothing;
  const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);
  BmffSampleCursor cursor;
  BmffSample sample;

  if (self->next[i] >= end)
    return TRUE;
  bmff_sample_cursor_init (&cursor, part->samples, self->next[i]);
  while (self->next[i] < end && bmff_sample_cursor_next (&cursor, &sample)) {
    if (sample.size > 0) {
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
          "the sample at offset %" G_GUINT64_FORMAT " is out of order",
          sample.offset);
      return FALSE;
    }
    if (!map_bytes (part, self->next[i]++, &sample, &nothing, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
map_here (EncryptPass *self, const BmffMappedSample *mapped, const guint8 *data,
    GError **error)
{
  const EncryptPart *part =
      &g_array_index (self->parts, EncryptPart, mapped->track);

  if (!part->track || mapped->index < self->next[mapped->track])
    return TRUE;
  if (!map_empty (self, mapped->track, mapped->index, error) ||
      (self->check && mapped->sample.size > 0 &&
          !self->check (self->check_data, part, &mapped->sample, error)))
    return FALSE;
  self->next[mapped->track] = mapped->index + 1;
  return map_bytes (part, mapped->index, &mapped->sample, data, error);
}

gboolean
encrypt_pass_end_once (EncryptPass *self, GError **error)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

    if (part->track && part->samples &&
        !map_empty (self, i, bmff_sample_table_get_count (part->samples),
            error))
      return FALSE;
  }
  return TRUE;
}

/* Second pass */

static gboolean
look_ahead (EncryptPass *self)
{
  if (!self->has_ahead)
    self->has_ahead = bmff_map_cursor_next (&self->walk, &self->ahead);
  return self->has_ahead;
}

/* Sets the walk on the sample at @offset, where mostly it stands. */
static void
walk_to (EncryptPass *self, guint64 offset)
{
  if (self->walk.map && self->walked == offset)
    return;
  bmff_map_cursor_init (&self->walk, self->map, offset);
  self->has_ahead = FALSE;
}

/* The samples of a block that starts at @offset, to self->samples. Returns where it
 * ends: not within a sample. */
static guint64
take_samples (EncryptPass *self, guint64 offset, guint64 limit)
{
  guint64 end = MIN (limit, offset + BLOCK);

  walk_to (self, offset);
  g_array_set_size (self->samples, 0);
  while (look_ahead (self) && self->ahead.sample.offset < end) {
    const BmffSample *sample = &self->ahead.sample;

    if (sample->offset + sample->size > end) {
      if (sample->offset > offset) {
        end = sample->offset;
        break;
      }
      end = sample->offset + sample->size;
    }
    g_array_append_val (self->samples, self->ahead);
    self->has_ahead = FALSE;
  }
  self->walked = end;
  return end;
}

static gboolean
cipher_sample (EncryptPass *self, const BmffMappedSample *mapped, guint8 *data,
    GError **error)
{
  const EncryptPart *part =
      &g_array_index (self->parts, EncryptPart, mapped->track);
  CencSampleAux aux;

  if (!part->track || mapped->index < part->n_lead)
    return TRUE;
  if (part->spans &&
      !encrypt_spans_use (part->spans, part->track, mapped->index, error))
    return FALSE;
  return cenc_aux_writer_get (part->writer, mapped->index, &aux) &&
      encrypt_track_cipher (part->track, &aux, data, data, mapped->sample.size,
          error);
}

/* @block: the bytes from @offset on, of self->samples. What waits is in it. */
static gboolean
add_block (EncryptPass *self, guint8 *block, guint64 offset, GError **error)
{
  guint i;

  for (i = 0; i < self->samples->len; i++) {
    const BmffMappedSample *mapped =
        &g_array_index (self->samples, BmffMappedSample, i);
    guint8 *data = block + (mapped->sample.offset - offset);

    if (self->once && !map_here (self, mapped, data, error))
      return FALSE;
    if (!cipher_sample (self, mapped, data, error)) {
      g_prefix_error (error, "sample at offset %" G_GUINT64_FORMAT ": ",
          mapped->sample.offset);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
finish_block (EncryptPass *self, GError **error)
{
  gboolean ok = TRUE;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

    if (part->track && !encrypt_track_finish (part->track, ok ? error : NULL))
      ok = FALSE;
  }
  return ok;
}

static gboolean
cipher_block (EncryptPass *self, guint8 *block, guint64 offset, GError **error)
{
  gboolean ok = add_block (self, block, offset, error);

  return finish_block (self, ok ? error : NULL) && ok;
}

GstBuffer *
encrypt_pass_cipher (EncryptPass *self, guint64 offset, guint64 limit,
    GError **error)
{
  guint64 end = take_samples (self, offset, limit);
  g_autoptr (GstBuffer) buffer = NULL;
  GstMapInfo map;
  gboolean ok;

  /* Of a track that stays clear nobody else looks where its samples are. */
  if (end > limit) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "a sample reaches over offset %" G_GUINT64_FORMAT
        ", where its media data ends",
        limit);
    return NULL;
  }
  buffer = encrypt_pool_take (self->pool, end - offset);
  if (!buffer) {
    g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "no memory for a block");
    return NULL;
  }
  if (!encrypt_input_fill (self->input, offset, buffer, error))
    return NULL;
  ok = gst_buffer_map (buffer, &map, GST_MAP_READWRITE);
  if (ok) {
    ok = cipher_block (self, map.data, offset, error);
    gst_buffer_unmap (buffer, &map);
  }
  if (!ok)
    return NULL;
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_END (buffer) =
      GST_BUFFER_OFFSET_NONE;
  return g_steal_pointer (&buffer);
}
