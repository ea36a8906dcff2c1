/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-file.h"

#include "cenc/encrypt-aux.h"
#include "cenc/encrypt-boxes.h"
#include "cenc/encrypt-movie.h"
#include "cenc/encrypt-pass.h"
#include "gst/isobmff/bmff-index.h"

/* Of a moov, pushed at once. */
#define MAX_PIECE (1u << 20)

/* What stands beside a part of the same index. */
typedef struct
{
  const BmffTrack *track;
  BmffBox *senc, *saiz, *saio; /* borrowed from the moov; until it is written */
} Boxes;

/* Bytes that take the place of others. */
typedef struct
{
  EncryptRange range; /* in the input */
  GPtrArray *pieces; /* (element-type GBytes); NULL when they went out */
  guint piece; /* the next one */
  gsize position; /* in it */
} Patch;

struct _EncryptFile
{
  EncryptPlan *plan;
  EncryptFileFuncs funcs;
  gpointer user_data;
  guint64 size;
  EncryptInput *input;
  EncryptPool *pool;

  BmffSource *source;
  EncryptBoxes *boxes;
  BmffMovie *movie;
  GArray *parts; /* (element-type EncryptPart), as the movie's tracks */
  GArray *part_boxes; /* (element-type Boxes), likewise */
  EncryptPass *pass; /* NULL: the file is not looked into yet */
  gboolean once; /* what stands in front of the moov needs no first pass */

  GArray *patches; /* (element-type Patch), by place; NULL in the first pass */
  guint patch; /* the next one */
  guint64 delta; /* by which the moov grew */
  guint64 position; /* second pass: in the input */
};

static GBytes *
source_read (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  EncryptFile *self = user_data;

  if (offset >= self->size)
    return g_bytes_new (NULL, 0);
  return encrypt_input_read (self->input, offset,
      MIN (size, self->size - offset), error);
}

static guint64
source_get_size (gpointer user_data)
{
  return ((EncryptFile *) user_data)->size;
}

static const BmffSourceFuncs source_funcs = { source_read, source_get_size };

static void
patch_clear (gpointer data)
{
  g_clear_pointer (&((Patch *) data)->pieces, g_ptr_array_unref);
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
  self->input = encrypt_input_new (funcs->read, user_data);
  self->pool = encrypt_pool_new ();
  self->source = bmff_source_new (&source_funcs, self);
  self->parts = g_array_new (FALSE, FALSE, sizeof (EncryptPart));
  g_array_set_clear_func (self->parts, encrypt_part_clear);
  self->part_boxes = g_array_new (FALSE, FALSE, sizeof (Boxes));
  return self;
}

void
encrypt_file_free (EncryptFile *self)
{
  g_clear_pointer (&self->patches, g_array_unref);
  g_clear_pointer (&self->pass, encrypt_pass_free);
  g_array_unref (self->parts);
  g_array_unref (self->part_boxes);
  g_clear_pointer (&self->movie, bmff_movie_free);
  g_clear_pointer (&self->boxes, encrypt_boxes_free);
  bmff_source_free (self->source);
  encrypt_pool_free (self->pool);
  encrypt_input_free (self->input);
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

/* part->n_lead: up to the first sync sample that starts no earlier than @end. Its
 * samples are told of, each: ffmpeg counts on an entry of senc for every sample. */
static gboolean
find_lead (EncryptPart *part, const BmffTrack *track, GstClockTime end,
    GError **error)
{
  gboolean late = FALSE;
  BmffSampleCursor cursor;
  BmffSample sample;

  if (end == 0 || track->timescale == 0)
    return TRUE;
  part->tells_lead = TRUE;
  bmff_sample_cursor_init (&cursor, part->samples, 0);
  while (bmff_sample_cursor_next (&cursor, &sample)) {
    part->n_lead = cursor.next;
    late = late ||
        gst_util_uint64_scale (sample.dts, GST_SECOND, track->timescale) >= end;
    if (late && !(sample.flags & BMFF_SAMPLE_IS_NON_SYNC)) {
      part->n_lead--;
      return TRUE;
    }
    if (!encrypt_track_tells_clear (part->track, sample.size))
      part->tells_lead = FALSE;
  }
  if (late)
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_UNSUPPORTED,
        "clear-lead: track %u has no sync sample behind it, and would stay "
        "clear as a whole",
        track->id);
  return !late;
}

static gboolean
open_part (EncryptFile *self, EncryptPart *part, const BmffTrack *track,
    GError **error)
{
  part->writer = cenc_aux_writer_new (encrypt_track_get_params (part->track));
  if (!find_lead (part, track, encrypt_plan_get_clear_lead (self->plan), error))
    return FALSE;
  if (!encrypt_plan_rotates (self->plan))
    return TRUE;
  part->spans = encrypt_spans_new (self->plan, part->track, track,
      part->samples, part->n_lead, error);
  return part->spans != NULL;
}

/* A few bytes claim 2^32 samples, each of which would be looked at. */
static gboolean
refuse_size (const EncryptFile *self, const BmffTrack *track, GError **error)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "track %u: its samples have more bytes than the file, %" G_GUINT64_FORMAT,
      track->id, self->size);
  return FALSE;
}

static gboolean
add_part (EncryptFile *self, const BmffTrack *track, GError **error)
{
  EncryptPart part = { encrypt_plan_get_track (self->plan, track->id) };
  Boxes boxes = { track };
  gboolean ok;

  if (!all_local (track)) {
    if (part.track) {
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_UNSUPPORTED,
          "track %u: its samples are in another file", track->id);
      return FALSE;
    }
  } else {
    part.samples = bmff_sample_table_new_from_stbl (track->stbl, error);
    if (!part.samples)
      return FALSE;
    if (bmff_sample_table_get_total_size (part.samples) > self->size) {
      bmff_sample_table_unref (part.samples);
      return refuse_size (self, track, error);
    }
  }
  ok = !part.track || open_part (self, &part, track, error);
  g_array_append_val (self->parts, part);
  g_array_append_val (self->part_boxes, boxes);
  return ok;
}

/* With keys that rotate, of all periods: there are no other boxes to hold them. */
static gboolean
add_pssh (EncryptFile *self, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autoptr (GPtrArray) keys = NULL;
  guint i;

  if (!encrypt_plan_rotates (self->plan))
    return encrypt_movie_add_pssh (self->movie, self->plan, NULL, error);
  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

    if (part->spans)
      g_ptr_array_add (all, part->spans);
  }
  keys = encrypt_spans_announce (all, self->plan, error);
  return keys && encrypt_movie_add_pssh (self->movie, self->plan, keys, error);
}

static gboolean check_sample (gpointer user_data, const EncryptPart *part,
    const BmffSample *sample, GError **error);

/* The moov stands behind all that it is about, and nothing else moves: what a
 * first pass finds has not to be known before. */
static gboolean
moov_is_last (const EncryptFile *self)
{
  guint i;

  for (i = 0; i < self->boxes->mdats->len; i++) {
    if (g_array_index (self->boxes->mdats, EncryptRange, i).end >
        self->boxes->moov_range.start)
      return FALSE;
  }
  return self->boxes->mdats->len > 0 && self->boxes->metas->len == 0;
}

static gboolean
open_movie (EncryptFile *self, GError **error)
{
  guint i;

  self->boxes = encrypt_boxes_new (self->source, error);
  if (!self->boxes)
    return FALSE;
  self->movie = encrypt_movie_new_bare (g_steal_pointer (&self->boxes->moov),
      self->plan, error);
  if (!self->movie)
    return FALSE;
  for (i = 0; i < self->movie->tracks->len; i++) {
    if (!add_part (self, g_ptr_array_index (self->movie->tracks, i), error))
      return FALSE;
  }
  if (!add_pssh (self, error))
    return FALSE;
  self->pass = encrypt_pass_new (self->input, self->pool, self->parts, error);
  self->once = self->pass && moov_is_last (self) &&
      encrypt_pass_begin_once (self->pass, check_sample, self);
  return self->pass != NULL;
}

/* First pass */

static gboolean
check_sample (gpointer user_data, const EncryptPart *part,
    const BmffSample *sample, GError **error)
{
  EncryptFile *self = user_data;

  if (encrypt_boxes_in_mdat (self->boxes, sample->offset,
          sample->offset + sample->size))
    return TRUE;
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "track %u: the sample at offset %" G_GUINT64_FORMAT " is not in an mdat",
      encrypt_track_get_id (part->track), sample->offset);
  return FALSE;
}

/* Between the passes: the new moov */

/* The samples of the clear lead get the clear sample entries, which stand behind
 * the others. */
static gboolean
describe_leads (EncryptFile *self, GError **error)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);
    const Boxes *boxes = &g_array_index (self->part_boxes, Boxes, i);

    if (part->n_lead > 0 &&
        !bmff_stbl_redescribe (boxes->track->stbl, part->samples, part->n_lead,
            encrypt_track_get_n_entries (part->track), error))
      return FALSE;
  }
  return TRUE;
}

/* saiz and saio stand in stbl, senc in trak (ISO/IEC 23001-7, 7.2). */
static void
add_boxes (const EncryptPart *part, Boxes *boxes, gboolean large)
{
  if (part->spans)
    encrypt_spans_add_groups (part->spans, part->track, boxes->track->stbl);
  boxes->saiz = encrypt_track_make_saiz (part->track, part->writer);
  if (boxes->saiz) {
    encrypt_aux_add (boxes->track->stbl, boxes->saiz);
    boxes->saio = cenc_aux_writer_to_saio (part->writer, large);
    encrypt_aux_add (boxes->track->stbl, boxes->saio);
  }
  boxes->senc = cenc_aux_writer_share_senc (part->writer);
  bmff_box_append (boxes->track->trak, boxes->senc);
}

static gboolean
is_all_lead (const EncryptPart *part)
{
  return part->n_lead > 0 &&
      part->n_lead == bmff_sample_table_get_count (part->samples);
}

static void
add_all_boxes (EncryptFile *self, gboolean large)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

    /* None where all samples are the clear lead. */
    if (part->track && !is_all_lead (part))
      add_boxes (part, &g_array_index (self->part_boxes, Boxes, i), large);
  }
}

static guint64
move (guint64 offset, gpointer user_data)
{
  EncryptFile *self = user_data;

  return offset < self->boxes->moov_range.end ? offset : offset + self->delta;
}

/* What stands in the moov itself may not be there any more. */
static guint64
move_aux (guint64 offset, gpointer user_data)
{
  const EncryptRange *range = &((EncryptFile *) user_data)->boxes->moov_range;

  return offset >= range->start && offset < range->end
      ? G_MAXUINT64
      : move (offset, user_data);
}

static gboolean
move_all_aux (EncryptFile *self, GError **error)
{
  guint i;

  for (i = 0; i < self->part_boxes->len; i++) {
    const Boxes *boxes = &g_array_index (self->part_boxes, Boxes, i);

    if (all_local (boxes->track) &&
        !encrypt_aux_move (boxes->track->stbl, boxes->saio, move_aux, self,
            error))
      return FALSE;
  }
  return TRUE;
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
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);
    const Boxes *boxes = &g_array_index (self->part_boxes, Boxes, i);

    if (boxes->saio)
      cenc_saio_set_offset (boxes->saio,
          self->boxes->moov_range.start +
              encrypt_box_position (self->movie->moov, boxes->track->trak) +
              encrypt_box_position (boxes->track->trak, boxes->senc) +
              cenc_aux_writer_get_data_offset (part->writer));
  }
}

/* They are large, and the moov's pieces share them by now. */
static void
drop_boxes (EncryptFile *self)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    Boxes *boxes = &g_array_index (self->part_boxes, Boxes, i);

    if (boxes->saiz) {
      bmff_box_remove (boxes->track->stbl, boxes->saiz);
      bmff_box_remove (boxes->track->stbl, boxes->saio);
    }
    if (boxes->senc)
      bmff_box_remove (boxes->track->trak, boxes->senc);
    boxes->senc = boxes->saiz = boxes->saio = NULL;
  }
}

static void
add_patch (EncryptFile *self, const BmffBox *box, guint64 start, guint64 end)
{
  Patch patch = { { start, end }, bmff_box_to_pieces (box) };
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

  if (!describe_leads (self, error))
    return FALSE;
  /* With room for the moov's growth: 2 GiB. */
  add_all_boxes (self, range->end > G_MAXINT32);
  if (!move_chunks (self, error) || !move_items (self, error) ||
      !move_all_aux (self, error))
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
  encrypt_input_drop (self->input);
  return TRUE;
}

/* Second pass */

static GstFlowReturn
push_block (EncryptFile *self, guint64 limit, GError **error)
{
  GstBuffer *block =
      encrypt_pass_cipher (self->pass, self->position, limit, error);

  if (!block)
    return GST_FLOW_ERROR;
  self->position += gst_buffer_get_size (block);
  return self->funcs.push (self->user_data, block);
}

/* The patch's next bytes; NULL: all went out. */
static GBytes *
next_bytes (Patch *patch)
{
  GBytes *piece, *bytes;
  gsize size;

  if (patch->piece == patch->pieces->len)
    return NULL;
  piece = g_ptr_array_index (patch->pieces, patch->piece);
  size = MIN (g_bytes_get_size (piece) - patch->position, MAX_PIECE);
  bytes = g_bytes_new_from_bytes (piece, patch->position, size);
  patch->position += size;
  if (patch->position == g_bytes_get_size (piece)) {
    patch->piece++;
    patch->position = 0;
  }
  return bytes;
}

static GstFlowReturn
push_patch (EncryptFile *self, Patch *patch)
{
  g_autoptr (GBytes) bytes = next_bytes (patch);

  if (bytes)
    return self->funcs.push (self->user_data,
        gst_buffer_new_wrapped_bytes (bytes));
  self->position = patch->range.end;
  self->patch++;
  patch_clear (patch);
  return GST_FLOW_OK;
}

static GstFlowReturn
push_some (EncryptFile *self, GError **error)
{
  Patch *patch = self->patch < self->patches->len
      ? &g_array_index (self->patches, Patch, self->patch)
      : NULL;

  if (patch && patch->range.start == self->position)
    return push_patch (self, patch);
  if (self->position == self->boxes->size)
    return GST_FLOW_EOS;
  return push_block (self, patch ? patch->range.start : self->boxes->size,
      error);
}

static GstFlowReturn
first_pass (EncryptFile *self, GError **error)
{
  gboolean done = FALSE;

  if (!self->pass)
    return open_movie (self, error) ? GST_FLOW_OK : GST_FLOW_ERROR;
  if (self->once)
    return encrypt_pass_end_once (self->pass, error) &&
            make_patches (self, error)
        ? GST_FLOW_OK
        : GST_FLOW_ERROR;
  if (!encrypt_pass_map (self->pass, check_sample, self, &done, error))
    return GST_FLOW_ERROR;
  return !done || make_patches (self, error) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static GstFlowReturn
work (EncryptFile *self, GError **error)
{
  if (self->patches)
    return push_some (self, error);
  if (self->once && self->position < self->boxes->moov_range.start)
    return push_block (self, self->boxes->moov_range.start, error);
  return first_pass (self, error);
}

GstFlowReturn
encrypt_file_step (EncryptFile *self, GError **error)
{
  GstFlowReturn flow = work (self, error);

  /* Not ours to tell of: the input was taken away. */
  if (flow == GST_FLOW_ERROR &&
      encrypt_input_get_flow (self->input) == GST_FLOW_FLUSHING) {
    g_clear_error (error);
    return GST_FLOW_FLUSHING;
  }
  return flow;
}
