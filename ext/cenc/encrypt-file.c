/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-file.h"

#include "cenc/encrypt-moov.h"
#include "cenc/encrypt-pass.h"

/* Samples of each track that are looked at for what is to be foreseen of the others. */
#define HEAD 512
/* What auxiliary information a sample has at most that is foreseen, and what the moov
 * may come to: it has a size of 32 bits. */
#define MAX_AUX 24
#define MAX_FORESEEN G_MAXINT32

struct _EncryptFile
{
  EncryptPlan *plan;
  EncryptFileFuncs funcs;
  gpointer user_data;
  guint64 size;
  EncryptInput *input;
  EncryptPool *pool;

  BmffSource *source;
  EncryptMoov *moov;
  GArray *parts; /* (element-type EncryptPart), as the movie's tracks */
  EncryptPass *pass; /* NULL: the file is not looked into yet */
  gboolean once; /* what stands in front of the moov needs no first pass */
  gboolean asked; /* whether the moov's size can be foreseen */

  EncryptPatches *patches; /* NULL in the first pass */
  guint64
      foreseen; /* the moov's size: it is written at the end; 0: it is not */
  gboolean again; /* something came that was not foreseen: over what went out */
  guint64 position; /* second pass: in the input */
  guint64 out; /* in the output */
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
  return self;
}

void
encrypt_file_free (EncryptFile *self)
{
  g_clear_pointer (&self->patches, encrypt_patches_free);
  g_clear_pointer (&self->pass, encrypt_pass_free);
  g_array_unref (self->parts);
  g_clear_pointer (&self->moov, encrypt_moov_free);
  bmff_source_free (self->source);
  encrypt_pool_free (self->pool);
  encrypt_input_free (self->input);
  g_free (self);
}

/* The movie */

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
  gboolean ok;

  if (!encrypt_moov_is_local (track)) {
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
  return ok;
}

static gboolean
check_sample (gpointer user_data, const EncryptPart *part,
    const BmffSample *sample, GError **error)
{
  EncryptFile *self = user_data;

  if (encrypt_boxes_in_mdat (encrypt_moov_get_boxes (self->moov),
          sample->offset, sample->offset + sample->size))
    return TRUE;
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "track %u: the sample at offset %" G_GUINT64_FORMAT " is not in an mdat",
      encrypt_track_get_id (part->track), sample->offset);
  return FALSE;
}

/* The moov stands behind all that it is about, and nothing else moves: what a
 * first pass finds has not to be known before. */
static gboolean
moov_is_last (const EncryptFile *self)
{
  const EncryptBoxes *boxes = encrypt_moov_get_boxes (self->moov);
  guint i;

  for (i = 0; i < boxes->mdats->len; i++) {
    if (g_array_index (boxes->mdats, EncryptRange, i).end >
        boxes->moov_range.start)
      return FALSE;
  }
  return boxes->mdats->len > 0 && boxes->metas->len == 0;
}

static gboolean
may_be_item (guint64 start, guint64 end, gpointer user_data)
{
  return !encrypt_pass_changes (((EncryptFile *) user_data)->pass, start, end);
}

static gboolean
open_movie (EncryptFile *self, GError **error)
{
  const BmffMovie *movie;
  guint i;

  self->moov = encrypt_moov_new (self->source, self->plan, error);
  if (!self->moov)
    return FALSE;
  movie = encrypt_moov_get_movie (self->moov);
  for (i = 0; i < movie->tracks->len; i++) {
    if (!add_part (self, g_ptr_array_index (movie->tracks, i), error))
      return FALSE;
  }
  if (!encrypt_moov_take_parts (self->moov, self->parts, error))
    return FALSE;
  self->pass = encrypt_pass_new (self->input, self->pool, self->parts, error);
  if (!self->pass ||
      !encrypt_moov_check_items (self->moov, may_be_item, self, error))
    return FALSE;
  self->once = moov_is_last (self) &&
      encrypt_pass_begin_once (self->pass, check_sample, self);
  return TRUE;
}

/* Between the passes: the new moov */

static gboolean
make_patches (EncryptFile *self, GError **error)
{
  if (!encrypt_moov_place (self->moov, error))
    return FALSE;
  self->patches = encrypt_patches_new ();
  encrypt_patches_add (self->patches,
      &encrypt_moov_get_boxes (self->moov)->moov_range,
      encrypt_moov_take_pieces (self->moov));
  encrypt_moov_add_patches (self->moov, self->patches);
  encrypt_input_drop (self->input);
  return TRUE;
}

/* In place of a first pass: the moov's size is foreseen, and room for it left */

/* Keys that rotate, and a clear lead, make samples differ. */
static gboolean
may_foresee (const EncryptFile *self)
{
  return self->funcs.overwrite && !encrypt_plan_rotates (self->plan) &&
      encrypt_plan_get_clear_lead (self->plan) == 0;
}

/* Of as many as there are; FALSE also if all of them are here. */
static gboolean
foresee_samples (const EncryptFile *self)
{
  const EncryptRange *range = &encrypt_moov_get_boxes (self->moov)->moov_range;
  guint64 size = range->end - range->start;
  gboolean more = FALSE;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);
    guint32 count;

    if (!part->writer)
      continue;
    count = bmff_sample_table_get_count (part->samples);
    size += (guint64) count * MAX_AUX;
    if (size > MAX_FORESEEN || !cenc_aux_writer_foresee (part->writer, count))
      return FALSE;
    more = more || cenc_aux_writer_get_count (part->writer) < count;
  }
  return more;
}

static void
forget_samples (const EncryptFile *self)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

    if (part->writer)
      cenc_aux_writer_foresee (part->writer, 0);
  }
}

static gboolean
is_as_foreseen (const EncryptFile *self)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

    if (part->writer && !cenc_aux_writer_is_as_foreseen (part->writer))
      return FALSE;
  }
  return TRUE;
}

static gboolean
leave_room (EncryptFile *self, GError **error)
{
  if (!encrypt_moov_place (self->moov, error))
    return FALSE;
  self->foreseen = encrypt_moov_get_size (self->moov);
  self->patches = encrypt_patches_new ();
  encrypt_patches_add_free (self->patches,
      &encrypt_moov_get_boxes (self->moov)->moov_range,
      (guint32) self->foreseen);
  encrypt_moov_add_patches (self->moov, self->patches);
  encrypt_input_drop (self->input);
  return TRUE;
}

static gboolean
try_to_foresee (EncryptFile *self, GError **error)
{
  self->asked = TRUE;
  if (!may_foresee (self) ||
      !encrypt_pass_begin_once (self->pass, check_sample, self))
    return TRUE;
  if (!encrypt_pass_map_heads (self->pass, HEAD, error))
    return FALSE;
  if (foresee_samples (self))
    return leave_room (self, error);
  forget_samples (self);
  encrypt_pass_leave_once (self->pass);
  return TRUE;
}

/* The first pass goes on where the one that was to be the only one has come to, and
 * all is written once more; the moov is read anew, since it was changed. */
static gboolean
begin_again (EncryptFile *self, GError **error)
{
  self->again = TRUE;
  self->foreseen = self->position = self->out = 0;
  g_clear_pointer (&self->patches, encrypt_patches_free);
  forget_samples (self);
  encrypt_pass_leave_once (self->pass);
  g_clear_pointer (&self->moov, encrypt_moov_free);
  self->moov = encrypt_moov_new (self->source, self->plan, error);
  return self->moov && encrypt_moov_take_parts (self->moov, self->parts, error);
}

/* Second pass */

static GstFlowReturn
push (EncryptFile *self, GstBuffer *buffer)
{
  guint64 out = self->out;

  self->out += gst_buffer_get_size (buffer);
  return self->again ? self->funcs.overwrite (self->user_data, out, buffer)
                     : self->funcs.push (self->user_data, buffer);
}

static GstFlowReturn
push_block (EncryptFile *self, guint64 limit, GError **error)
{
  GstBuffer *block =
      encrypt_pass_cipher (self->pass, self->position, limit, error);

  if (!block)
    return GST_FLOW_ERROR;
  if (self->foreseen > 0 && !is_as_foreseen (self)) {
    gst_buffer_unref (block);
    return begin_again (self, error) ? GST_FLOW_OK : GST_FLOW_ERROR;
  }
  self->position += gst_buffer_get_size (block);
  return push (self, block);
}

static GstFlowReturn
push_patch (EncryptFile *self, guint64 end)
{
  g_autoptr (GBytes) bytes = encrypt_patches_take (self->patches);

  if (bytes)
    return push (self, gst_buffer_new_wrapped_bytes (bytes));
  self->position = end;
  return GST_FLOW_OK;
}

/* In the room that was left for it */
static GstFlowReturn
write_moov (EncryptFile *self)
{
  g_autoptr (EncryptPatches) patches = encrypt_patches_new ();
  const EncryptRange *range = &encrypt_moov_get_boxes (self->moov)->moov_range;
  guint64 out = range->start;
  GstFlowReturn flow = GST_FLOW_OK;
  GBytes *bytes;

  encrypt_patches_add (patches, range, encrypt_moov_take_pieces (self->moov));
  while (flow == GST_FLOW_OK && (bytes = encrypt_patches_take (patches))) {
    flow = self->funcs.overwrite (self->user_data, out,
        gst_buffer_new_wrapped_bytes (bytes));
    out += g_bytes_get_size (bytes);
    g_bytes_unref (bytes);
  }
  return flow == GST_FLOW_OK ? GST_FLOW_EOS : flow;
}

static GstFlowReturn
end_foreseen (EncryptFile *self, GError **error)
{
  if (!encrypt_pass_end_once (self->pass, error))
    return GST_FLOW_ERROR;
  if (!is_as_foreseen (self))
    return begin_again (self, error) ? GST_FLOW_OK : GST_FLOW_ERROR;
  encrypt_moov_fill (self->moov);
  if (encrypt_moov_get_size (self->moov) == self->foreseen)
    return write_moov (self);
  g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
      "the moov does not fit in the room that was left for it");
  return GST_FLOW_ERROR;
}

static GstFlowReturn
push_some (EncryptFile *self, GError **error)
{
  const EncryptRange *patch = encrypt_patches_get_next (self->patches);
  guint64 size = encrypt_moov_get_boxes (self->moov)->size;

  if (patch && patch->start == self->position)
    return push_patch (self, patch->end);
  if (self->position < size)
    return push_block (self, patch ? patch->start : size, error);
  return self->foreseen > 0 ? end_foreseen (self, error) : GST_FLOW_EOS;
}

static GstFlowReturn
first_pass (EncryptFile *self, GError **error)
{
  gboolean done = FALSE, ok;

  if (!self->pass)
    ok = open_movie (self, error);
  else if (self->once)
    ok =
        encrypt_pass_end_once (self->pass, error) && make_patches (self, error);
  else if (!self->asked)
    ok = try_to_foresee (self, error);
  else
    ok = encrypt_pass_map (self->pass, check_sample, self, &done, error) &&
        (!done || make_patches (self, error));
  return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static GstFlowReturn
work (EncryptFile *self, GError **error)
{
  const EncryptBoxes *boxes =
      self->moov ? encrypt_moov_get_boxes (self->moov) : NULL;

  if (self->patches)
    return push_some (self, error);
  if (self->once && self->position < boxes->moov_range.start)
    return push_block (self, boxes->moov_range.start, error);
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
