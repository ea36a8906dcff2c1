/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-file.h"

#include "cenc/encrypt-boxes.h"
#include "cenc/encrypt-movie.h"
#include "gst/isobmff/bmff-index.h"

/* Read and pushed at once, if no sample is larger. */
#define BLOCK (1u << 20)
/* Read at once for headers. */
#define WINDOW (256u << 10)
/* Samples of the first pass in a step. */
#define MAP_STEP 1024

typedef struct
{
  const BmffTrack *track;
  EncryptTrack *encrypted; /* NULL: stays clear */
  BmffSampleTable *samples; /* NULL: not in this file */
  CencAuxWriter *writer;
  BmffBox *senc, *saiz, *saio; /* borrowed from the moov; until it is written */
} Part;

/* Bytes that take the place of others. */
typedef struct
{
  EncryptRange range; /* in the input */
  GBytes *bytes;
} Patch;

struct _EncryptFile
{
  EncryptPlan *plan;
  EncryptFileFuncs funcs;
  gpointer user_data;
  guint64 size;
  GstFlowReturn flow; /* of the last read that failed */

  BmffSource *source;
  EncryptBoxes *boxes;
  BmffMovie *movie;
  GArray *parts; /* (element-type Part), as the movie's tracks */
  BmffSampleMap *map;

  guint part; /* first pass: whose samples are mapped */
  BmffSampleCursor cursor;
  GBytes *window;
  guint64 window_offset;

  GArray *patches; /* (element-type Patch), by place; NULL in the first pass */
  guint patch; /* the next one */
  guint64 delta; /* by which the moov grew */
  guint64 position; /* second pass: in the input */
};

static GBytes *
source_read (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  EncryptFile *self = user_data;
  GstBuffer *buffer = NULL;
  gpointer data;
  gsize n;

  if (offset >= self->size)
    return g_bytes_new (NULL, 0);
  self->flow = self->funcs.read (self->user_data, offset,
      MIN (size, self->size - offset), &buffer);
  if (self->flow == GST_FLOW_EOS)
    return g_bytes_new (NULL, 0);
  if (self->flow != GST_FLOW_OK) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "reading at offset %" G_GUINT64_FORMAT ": %s", offset,
        gst_flow_get_name (self->flow));
    return NULL;
  }
  gst_buffer_extract_dup (buffer, 0, size, &data, &n);
  gst_buffer_unref (buffer);
  return g_bytes_new_take (data, n);
}

static guint64
source_get_size (gpointer user_data)
{
  return ((EncryptFile *) user_data)->size;
}

static const BmffSourceFuncs source_funcs = { source_read, source_get_size };

static void
part_clear (gpointer data)
{
  Part *part = data;

  g_clear_pointer (&part->samples, bmff_sample_table_unref);
  g_clear_pointer (&part->writer, cenc_aux_writer_free);
}

static void
patch_clear (gpointer data)
{
  g_clear_pointer (&((Patch *) data)->bytes, g_bytes_unref);
}

EncryptFile *
encrypt_file_new (EncryptPlan *plan, guint64 size,
    const EncryptFileFuncs *funcs, gpointer user_data)
{
  EncryptFile *self = g_new0 (EncryptFile, 1);

  self->plan = plan;
  self->funcs = *funcs;
  self->user_data = user_data;
  self->size = size;
  self->source = bmff_source_new (&source_funcs, self);
  self->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_array_set_clear_func (self->parts, part_clear);
  return self;
}

void
encrypt_file_free (EncryptFile *self)
{
  g_clear_pointer (&self->patches, g_array_unref);
  g_clear_pointer (&self->window, g_bytes_unref);
  g_clear_pointer (&self->map, bmff_sample_map_free);
  g_array_unref (self->parts);
  g_clear_pointer (&self->movie, bmff_movie_free);
  g_clear_pointer (&self->boxes, encrypt_boxes_free);
  bmff_source_free (self->source);
  g_free (self);
}

/* The movie */

static gboolean
all_local (const BmffTrack *track)
{
  guint i;

  for (i = 1; bmff_track_get_entry (track, i); i++) {
    if (!bmff_track_is_local (track, i))
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_part (EncryptFile *self, const BmffTrack *track, GError **error)
{
  Part part = { track, encrypt_plan_get_track (self->plan, track->id) };

  if (!all_local (track)) {
    if (part.encrypted) {
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_UNSUPPORTED,
          "track %u: its samples are in another file", track->id);
      return FALSE;
    }
  } else {
    part.samples = bmff_sample_table_new_from_stbl (track->stbl, error);
    if (!part.samples)
      return FALSE;
  }
  if (part.encrypted)
    part.writer =
        cenc_aux_writer_new (encrypt_track_get_params (part.encrypted));
  g_array_append_val (self->parts, part);
  return TRUE;
}

/* Refuses tracks that share bytes. */
static gboolean
make_map (EncryptFile *self, GError **error)
{
  g_autoptr (GPtrArray) tables = g_ptr_array_new ();
  guint i;

  for (i = 0; i < self->parts->len; i++)
    g_ptr_array_add (tables, g_array_index (self->parts, Part, i).samples);
  self->map = bmff_sample_map_new (tables, error);
  return self->map != NULL;
}

static gboolean
open_movie (EncryptFile *self, GError **error)
{
  guint i;

  if (encrypt_plan_get_clear_lead (self->plan) > 0) {
    g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_UNSUPPORTED,
        "clear-lead: the input is a progressive file, and only fragments can "
        "be left clear");
    return FALSE;
  }
  self->boxes = encrypt_boxes_new (self->source, error);
  if (!self->boxes)
    return FALSE;
  self->movie = encrypt_movie_new (g_steal_pointer (&self->boxes->moov),
      self->plan, error);
  if (!self->movie)
    return FALSE;
  for (i = 0; i < self->movie->tracks->len; i++) {
    if (!add_part (self, g_ptr_array_index (self->movie->tracks, i), error))
      return FALSE;
  }
  return make_map (self, error);
}

/* First pass */

/* The sample's bytes, by way of a window, since the next one is mostly there too. */
static const guint8 *
read_sample (EncryptFile *self, const BmffSample *sample, GError **error)
{
  gsize n = self->window ? g_bytes_get_size (self->window) : 0;

  if (sample->offset < self->window_offset ||
      sample->offset + sample->size > self->window_offset + n) {
    g_clear_pointer (&self->window, g_bytes_unref);
    self->window_offset = sample->offset;
    self->window = bmff_source_read (self->source, sample->offset,
        MAX (sample->size, WINDOW), error);
    if (!self->window)
      return NULL;
    if (g_bytes_get_size (self->window) < sample->size) {
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
          "the input ends within the sample at offset %" G_GUINT64_FORMAT,
          sample->offset);
      return NULL;
    }
  }
  return (const guint8 *) g_bytes_get_data (self->window, NULL) +
      (sample->offset - self->window_offset);
}

static gboolean
map_sample (EncryptFile *self, const Part *part, const BmffSample *sample,
    GError **error)
{
  static const guint8 nothing;
  const guint8 *data = &nothing;

  if (sample->size > 0 &&
      !encrypt_boxes_in_mdat (self->boxes, sample->offset,
          sample->offset + sample->size)) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "track %u: the sample at offset %" G_GUINT64_FORMAT
        " is not in an mdat",
        part->track->id, sample->offset);
    return FALSE;
  }
  if (sample->size > 0 && encrypt_track_wants_data (part->encrypted, sample)) {
    data = read_sample (self, sample, error);
    if (!data)
      return FALSE;
  }
  return encrypt_track_map (part->encrypted, sample, data, part->writer, error);
}

/* Maps some samples; *done: there are no more. */
static gboolean
map_some (EncryptFile *self, gboolean *done, GError **error)
{
  guint i;

  for (i = 0; i < MAP_STEP && self->part < self->parts->len;) {
    const Part *part = &g_array_index (self->parts, Part, self->part);
    BmffSample sample;

    if (!self->cursor.table && part->encrypted)
      bmff_sample_cursor_init (&self->cursor, part->samples, 0);
    if (part->encrypted && bmff_sample_cursor_next (&self->cursor, &sample)) {
      if (!map_sample (self, part, &sample, error))
        return FALSE;
      i++;
    } else {
      self->cursor.table = NULL;
      self->part++;
    }
  }
  *done = self->part == self->parts->len;
  return TRUE;
}

/* Between the passes: the new moov */

/* saiz and saio stand in stbl, senc in trak (ISO/IEC 23001-7, 7.2). */
static void
add_boxes (EncryptFile *self, gboolean large)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    Part *part = &g_array_index (self->parts, Part, i);
    BmffBox *saiz = part->encrypted
        ? encrypt_track_make_saiz (part->encrypted, part->writer)
        : NULL;

    part->saiz = saiz;
    if (saiz) {
      bmff_box_append (part->track->stbl, saiz);
      part->saio = cenc_aux_writer_to_saio (part->writer, large);
      bmff_box_append (part->track->stbl, part->saio);
    }
    if (part->encrypted) {
      part->senc = cenc_aux_writer_to_senc (part->writer);
      bmff_box_append (part->track->trak, part->senc);
    }
  }
}

static guint64
move (guint64 offset, gpointer user_data)
{
  EncryptFile *self = user_data;

  return offset < self->boxes->moov_range.end ? offset : offset + self->delta;
}

static gboolean
move_items (EncryptFile *self, GError **error)
{
  BmffBox *meta =
      bmff_box_child (self->movie->moov, BMFF_FOURCC ('m', 'e', 't', 'a'));
  guint i;

  if (meta && !bmff_meta_move_items (meta, move, self, error))
    return FALSE;
  for (i = 0; i < self->movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (self->movie->tracks, i);

    meta = bmff_box_child (track->trak, BMFF_FOURCC ('m', 'e', 't', 'a'));
    if (meta && !bmff_meta_move_items (meta, move, self, error))
      return FALSE;
  }
  for (i = 0; i < self->boxes->metas->len; i++) {
    if (!bmff_meta_move_items (g_ptr_array_index (self->boxes->metas, i), move,
            self, error))
      return FALSE;
  }
  return TRUE;
}

/* Chunk offsets, which may make the moov larger, which moves them again. */
static gboolean
move_chunks (EncryptFile *self, GError **error)
{
  const EncryptRange *range = &self->boxes->moov_range;
  gboolean grown = TRUE;

  while (grown) {
    self->delta =
        bmff_box_get_size (self->movie->moov) - (range->end - range->start);
    if (!bmff_movie_move_chunks (self->movie, move, self, &grown, error))
      return FALSE;
  }
  return TRUE;
}

static void
point_at_senc (EncryptFile *self)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);

    if (part->saio)
      cenc_saio_set_offset (part->saio,
          self->boxes->moov_range.start +
              encrypt_box_position (self->movie->moov, part->track->trak) +
              encrypt_box_position (part->track->trak, part->senc) +
              cenc_aux_writer_get_data_offset (part->writer));
  }
}

/* They are large, and in the moov's bytes by now. */
static void
drop_boxes (EncryptFile *self)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    Part *part = &g_array_index (self->parts, Part, i);

    if (part->saiz) {
      bmff_box_remove (part->track->stbl, part->saiz);
      bmff_box_remove (part->track->stbl, part->saio);
    }
    if (part->senc)
      bmff_box_remove (part->track->trak, part->senc);
    part->senc = part->saiz = part->saio = NULL;
  }
}

static void
add_patch (EncryptFile *self, const BmffBox *box, guint64 start, guint64 end)
{
  Patch patch = { { start, end }, bmff_box_to_bytes (box) };
  guint i = 0;

  while (i < self->patches->len &&
      g_array_index (self->patches, Patch, i).range.start < start)
    i++;
  g_array_insert_val (self->patches, i, patch);
}

static gboolean
make_patches (EncryptFile *self, GError **error)
{
  const EncryptRange *range = &self->boxes->moov_range;
  guint i;

  /* With room for the moov's growth: 2 GiB. */
  add_boxes (self, range->end > G_MAXINT32);
  if (!move_chunks (self, error) || !move_items (self, error))
    return FALSE;
  point_at_senc (self);
  self->patches = g_array_new (FALSE, FALSE, sizeof (Patch));
  g_array_set_clear_func (self->patches, patch_clear);
  add_patch (self, self->movie->moov, range->start, range->end);
  drop_boxes (self);
  for (i = 0; i < self->boxes->metas->len; i++) {
    const BmffBox *meta = g_ptr_array_index (self->boxes->metas, i);

    add_patch (self, meta, meta->offset, meta->offset + meta->parsed_size);
  }
  g_clear_pointer (&self->window, g_bytes_unref);
  return TRUE;
}

/* Second pass */

/* Where a block that starts at the position ends: not within a sample. */
static guint64
find_end (EncryptFile *self, guint64 limit)
{
  guint64 end = MIN (limit, self->position + BLOCK);
  BmffMapCursor cursor;
  BmffMappedSample mapped;

  bmff_map_cursor_init (&cursor, self->map, end - 1);
  if (!bmff_map_cursor_next (&cursor, &mapped) || mapped.sample.offset >= end)
    return end;
  if (mapped.sample.offset > self->position &&
      mapped.sample.offset + mapped.sample.size > end)
    return mapped.sample.offset;
  return MAX (end, mapped.sample.offset + mapped.sample.size);
}

static gboolean
cipher_sample (EncryptFile *self, const BmffMappedSample *mapped, guint8 *block,
    GError **error)
{
  const Part *part = &g_array_index (self->parts, Part, mapped->track);
  guint8 *data = block + (mapped->sample.offset - self->position);
  CencSampleAux aux;

  if (!part->encrypted)
    return TRUE;
  return cenc_aux_writer_get (part->writer, mapped->index, &aux) &&
      encrypt_track_cipher (part->encrypted, &aux, data, data,
          mapped->sample.size, error);
}

static gboolean
cipher_block (EncryptFile *self, guint8 *block, guint64 end, GError **error)
{
  BmffMapCursor cursor;
  BmffMappedSample mapped;

  bmff_map_cursor_init (&cursor, self->map, self->position);
  while (
      bmff_map_cursor_next (&cursor, &mapped) && mapped.sample.offset < end) {
    if (!cipher_sample (self, &mapped, block, error)) {
      g_prefix_error (error, "sample at offset %" G_GUINT64_FORMAT ": ",
          mapped.sample.offset);
      return FALSE;
    }
  }
  return TRUE;
}

/* A block that may be written in place: its own, or else a copy. */
static GstBuffer *
own (GstBuffer *buffer)
{
  GstBuffer *copy;

  if (gst_buffer_is_writable (buffer) &&
      gst_buffer_is_all_memory_writable (buffer))
    return buffer;
  copy = gst_buffer_copy_deep (buffer);
  gst_buffer_unref (buffer);
  return copy;
}

static GstFlowReturn
push_block (EncryptFile *self, guint64 end, GError **error)
{
  GstBuffer *buffer = NULL;
  GstFlowReturn flow = self->funcs.read (self->user_data, self->position,
      end - self->position, &buffer);
  GstMapInfo map;
  gboolean ok;

  if (flow != GST_FLOW_OK && flow != GST_FLOW_EOS)
    return flow;
  if (flow == GST_FLOW_EOS ||
      gst_buffer_get_size (buffer) != end - self->position) {
    g_clear_pointer (&buffer, gst_buffer_unref);
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "the input ends before offset %" G_GUINT64_FORMAT, end);
    return GST_FLOW_ERROR;
  }
  buffer = own (buffer);
  ok = gst_buffer_map (buffer, &map, GST_MAP_READWRITE);
  if (ok) {
    ok = cipher_block (self, map.data, end, error);
    gst_buffer_unmap (buffer, &map);
  }
  if (!ok) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_END (buffer) =
      GST_BUFFER_OFFSET_NONE;
  self->position = end;
  return self->funcs.push (self->user_data, buffer);
}

static GstFlowReturn
push_some (EncryptFile *self, GError **error)
{
  Patch *patch = self->patch < self->patches->len
      ? &g_array_index (self->patches, Patch, self->patch)
      : NULL;

  if (patch && patch->range.start == self->position) {
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes (patch->bytes);

    g_clear_pointer (&patch->bytes, g_bytes_unref);
    self->position = patch->range.end;
    self->patch++;
    return self->funcs.push (self->user_data, buffer);
  }
  if (self->position == self->boxes->size)
    return GST_FLOW_EOS;
  return push_block (self,
      find_end (self, patch ? patch->range.start : self->boxes->size), error);
}

static GstFlowReturn
first_pass (EncryptFile *self, GError **error)
{
  gboolean done = FALSE;

  if (!self->movie)
    return open_movie (self, error) ? GST_FLOW_OK : GST_FLOW_ERROR;
  if (!map_some (self, &done, error))
    return GST_FLOW_ERROR;
  return !done || make_patches (self, error) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

GstFlowReturn
encrypt_file_step (EncryptFile *self, GError **error)
{
  GstFlowReturn flow;

  self->flow = GST_FLOW_OK;
  flow = self->patches ? push_some (self, error) : first_pass (self, error);
  /* Not ours to tell of: the input was taken away. */
  if (flow == GST_FLOW_ERROR && self->flow == GST_FLOW_FLUSHING) {
    g_clear_error (error);
    return GST_FLOW_FLUSHING;
  }
  return flow;
}
