/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-fragment-private.h"

#include "cenc/encrypt-aux.h"
#include "cenc/encrypt-rotate.h"

static void
part_clear (gpointer data)
{
  EncryptFragmentPart *part = data;

  g_clear_pointer (&part->writer, cenc_aux_writer_free);
}

static gboolean
input_error (const EncryptFragment *self, GError **error, const gchar *message)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "moof at offset %" G_GUINT64_FORMAT ": %s", self->fragment->offset,
      message);
  return FALSE;
}

static gboolean
add_part (EncryptFragment *self, BmffTraf *traf, EncryptPlan *plan,
    GError **error)
{
  EncryptFragmentPart part = { traf,
    encrypt_plan_get_track (plan, traf->track_id) };

  if (part.track &&
      encrypt_track_leads (part.track, traf,
          encrypt_plan_get_clear_lead (plan)))
    part.lead = g_steal_pointer (&part.track);

  if (part.track) {
    if (!encrypt_aux_check (traf->box, traf->track_id, error))
      return FALSE;
    part.writer = cenc_aux_writer_new (encrypt_track_get_params (part.track));
  }
  g_array_append_val (self->parts, part);
  return TRUE;
}

/* A run's samples stand one behind the other. */
static guint64
get_run_size (const BmffSampleTable *samples, const BmffRun *run)
{
  BmffSample last;

  if (run->count == 0 ||
      !bmff_sample_table_get (samples, run->first + run->count - 1, &last))
    return 0;
  return last.offset + last.size - run->offset;
}

static gboolean
add_spans (EncryptFragment *self, guint index, GError **error)
{
  BmffTraf *traf = g_array_index (self->parts, EncryptFragmentPart, index).traf;
  guint i;

  for (i = 0; i < traf->runs->len; i++) {
    const BmffRun *run = &g_array_index (traf->runs, BmffRun, i);
    guint64 size = get_run_size (traf->samples, run);
    EncryptFragmentSpan span = { index, run->first, run->count, run->offset };

    if (size == 0)
      continue;
    if (run->offset < self->moof_end)
      return input_error (self, error, "its samples stand in front of its end");
    if (!g_uint64_checked_add (&span.end, run->offset, size))
      return input_error (self, error, "its samples' offsets overflow");
    self->data_end = MAX (self->data_end, span.end);
    g_array_append_val (self->spans, span);
  }
  return TRUE;
}

static gint
compare_spans (gconstpointer a, gconstpointer b)
{
  const EncryptFragmentSpan *x = a, *y = b;

  return x->start < y->start ? -1 : x->start > y->start;
}

static gboolean
sort_spans (EncryptFragment *self, GError **error)
{
  guint i;

  g_array_sort (self->spans, compare_spans);
  for (i = 1; i < self->spans->len; i++) {
    if (g_array_index (self->spans, EncryptFragmentSpan, i).start <
        g_array_index (self->spans, EncryptFragmentSpan, i - 1).end)
      return input_error (self, error, "two of its runs share bytes");
  }
  return TRUE;
}

EncryptFragment *
encrypt_fragment_new (BmffBox *moof, const BmffMovie *movie, BmffClock *clock,
    EncryptPlan *plan, GError **error)
{
  g_autoptr (EncryptFragment) self = g_new0 (EncryptFragment, 1);
  guint i;

  self->plan = plan;
  self->parts = g_array_new (FALSE, FALSE, sizeof (EncryptFragmentPart));
  g_array_set_clear_func (self->parts, part_clear);
  self->spans = g_array_new (FALSE, FALSE, sizeof (EncryptFragmentSpan));
  self->moof_end = self->data_end = moof->offset + moof->parsed_size;
  self->fragment = bmff_fragment_new (moof, movie, error);
  if (!self->fragment)
    return NULL;
  bmff_clock_enter (clock, self->fragment);
  for (i = 0; i < self->fragment->trafs->len; i++) {
    if (!add_part (self, g_ptr_array_index (self->fragment->trafs, i), plan,
            error) ||
        !add_spans (self, i, error))
      return NULL;
  }
  return sort_spans (self, error) ? g_steal_pointer (&self) : NULL;
}

void
encrypt_fragment_tell_time (EncryptFragment *self)
{
  guint i;

  for (i = 0; i < self->fragment->trafs->len; i++)
    bmff_traf_add_tfdt (g_ptr_array_index (self->fragment->trafs, i));
}

void
encrypt_fragment_free (EncryptFragment *self)
{
  g_clear_pointer (&self->pass, encrypt_pass_free);
  g_array_unref (self->parts);
  g_array_unref (self->spans);
  g_clear_pointer (&self->fragment, bmff_fragment_free);
  g_free (self);
}

guint64
encrypt_fragment_get_moof_start (const EncryptFragment *self)
{
  return self->fragment->offset;
}

guint64
encrypt_fragment_get_moof_end (const EncryptFragment *self)
{
  return self->moof_end;
}

guint64
encrypt_fragment_get_data_end (const EncryptFragment *self)
{
  return self->data_end;
}

void
encrypt_fragment_add_mdat (EncryptFragment *self, guint64 start, guint64 end)
{
  while (self->uncovered < self->spans->len) {
    const EncryptFragmentSpan *span =
        &g_array_index (self->spans, EncryptFragmentSpan, self->uncovered);

    if (span->start < start || span->end > end)
      return;
    self->uncovered++;
  }
}

/* Where a sample's clear bytes can be read in one piece. One that came in
 * several buffers is put together in the place where it will be encrypted. */
static const guint8 *
locate (const EncryptFragment *self, EncryptQueue *queue,
    const BmffSample *sample, guint8 *out)
{
  const guint8 *data = encrypt_queue_peek (queue, sample->offset, sample->size);

  if (data)
    return data;
  out += sample->offset - self->moof_end;
  encrypt_queue_copy (queue, sample->offset, sample->size, out);
  return out;
}

/* Of a clear lead only what its samples say is needed behind it. */
static gboolean
map_part (const EncryptFragment *self, const EncryptFragmentPart *part,
    EncryptQueue *queue, guint8 *out, GError **error)
{
  BmffSampleCursor cursor;
  BmffSample sample;

  bmff_sample_cursor_init (&cursor, part->traf->samples, 0);
  while (bmff_sample_cursor_next (&cursor, &sample)) {
    const guint8 *data = locate (self, queue, &sample, out);

    if (part->lead ? !encrypt_track_learn (part->lead, &sample, data, error)
                   : !encrypt_track_map (part->track, &sample, data,
                         part->writer, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
cipher_span (const EncryptFragment *self, const EncryptFragmentSpan *span,
    EncryptQueue *queue, guint8 *out, GError **error)
{
  const EncryptFragmentPart *part =
      &g_array_index (self->parts, EncryptFragmentPart, span->part);
  BmffSampleCursor cursor;
  BmffSample sample;
  guint32 i;

  bmff_sample_cursor_init (&cursor, part->traf->samples, span->first);
  for (i = span->first; i < span->first + span->count &&
       bmff_sample_cursor_next (&cursor, &sample);
       i++) {
    guint8 *to = out + (sample.offset - self->moof_end);
    const guint8 *from = encrypt_queue_peek (queue, sample.offset, sample.size);
    CencSampleAux aux;

    if (!cenc_aux_writer_get (part->writer, i, &aux) ||
        !encrypt_track_cipher (part->track, &aux, from ? from : to, to,
            sample.size, error)) {
      g_prefix_error (error, "track %u, offset %" G_GUINT64_FORMAT ": ",
          part->traf->track_id, sample.offset);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
finish_parts (const EncryptFragment *self, GError **error)
{
  gboolean ok = TRUE;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptFragmentPart *part =
        &g_array_index (self->parts, EncryptFragmentPart, i);

    if (part->track && !encrypt_track_finish (part->track, ok ? error : NULL))
      ok = FALSE;
  }
  return ok;
}

/* Each byte of the output is written here: once. Short samples of a span wait
 * for one another. */
static gboolean
cipher_spans (const EncryptFragment *self, EncryptQueue *queue, guint64 end,
    guint8 *out, GError **error)
{
  guint64 done = self->moof_end;
  guint i;

  for (i = 0; i < self->spans->len; i++) {
    const EncryptFragmentSpan *span =
        &g_array_index (self->spans, EncryptFragmentSpan, i);

    if (!g_array_index (self->parts, EncryptFragmentPart, span->part).track)
      continue;
    encrypt_queue_copy (queue, done, span->start - done,
        out + (done - self->moof_end));
    if (!cipher_span (self, span, queue, out, error))
      return FALSE;
    done = span->end;
  }
  encrypt_queue_copy (queue, done, end - done, out + (done - self->moof_end));
  return TRUE;
}

static gboolean
cipher_all (const EncryptFragment *self, EncryptQueue *queue, guint64 end,
    guint8 *out, GError **error)
{
  gboolean ok = cipher_spans (self, queue, end, out, error);

  return finish_parts (self, ok ? error : NULL) && ok;
}

GPtrArray *
encrypt_fragment_get_tracks (const EncryptFragment *self)
{
  GPtrArray *tracks = g_ptr_array_new ();
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptFragmentPart *part =
        &g_array_index (self->parts, EncryptFragmentPart, i);

    if (part->track)
      g_ptr_array_add (tracks, part->track);
  }
  return tracks;
}

/* All tracks go by the pictures, so that a fragment has the keys of one period. */
static gboolean
enter_period (const EncryptFragment *self, GError **error)
{
  g_autoptr (GPtrArray) tracks = encrypt_fragment_get_tracks (self);
  const BmffTraf *first = NULL;
  guint i;

  if (!encrypt_plan_rotates (self->plan))
    return TRUE;
  for (i = 0; i < self->parts->len; i++) {
    const EncryptFragmentPart *part =
        &g_array_index (self->parts, EncryptFragmentPart, i);

    if (part->track && bmff_sample_table_get_count (part->traf->samples) > 0 &&
        (!first ||
            (first->track->handler != BMFF_HANDLER_VIDEO &&
                part->traf->track->handler == BMFF_HANDLER_VIDEO)))
      first = part->traf;
  }
  return !first || encrypt_rotate_enter (self->plan, tracks, first, error);
}

static gboolean
check_covered (const EncryptFragment *self, GError **error)
{
  return self->uncovered == self->spans->len ||
      input_error (self, error, "a run of samples is not in an mdat behind it");
}

GBytes *
encrypt_fragment_make (EncryptFragment *self, EncryptQueue *queue, guint64 end,
    guint8 *out, guint64 out_offset, GError **error)
{
  guint i;

  if (!check_covered (self, error) || !enter_period (self, error))
    return NULL;
  for (i = 0; i < self->parts->len; i++) {
    const EncryptFragmentPart *part =
        &g_array_index (self->parts, EncryptFragmentPart, i);

    if ((part->track || part->lead) &&
        !map_part (self, part, queue, out, error))
      return NULL;
  }
  if (!cipher_all (self, queue, end, out, error))
    return NULL;
  return encrypt_fragment_make_moof (self, out_offset, error);
}

/* The parts as a pass has them; they share the writers. */
static GArray *
make_pass_parts (const EncryptFragment *self)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (EncryptPart));
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptFragmentPart *part =
        &g_array_index (self->parts, EncryptFragmentPart, i);
    EncryptPart to = { part->lead ? part->lead : part->track,
      part->traf->samples, part->lead ? G_MAXUINT32 : 0, part->writer };

    g_array_append_val (parts, to);
  }
  return parts;
}

GBytes *
encrypt_fragment_map (EncryptFragment *self, EncryptInput *input,
    EncryptPool *pool, guint64 out_offset, GError **error)
{
  g_autoptr (GArray) parts = make_pass_parts (self);
  gboolean done = FALSE;

  if (!check_covered (self, error) || !enter_period (self, error))
    return NULL;
  self->pass = encrypt_pass_new (input, pool, parts, error);
  if (!self->pass)
    return NULL;
  while (!done) {
    if (!encrypt_pass_map (self->pass, NULL, NULL, &done, error))
      return NULL;
  }
  return encrypt_fragment_make_moof (self, out_offset, error);
}

GstBuffer *
encrypt_fragment_cipher (EncryptFragment *self, guint64 offset, guint64 limit,
    GError **error)
{
  return encrypt_pass_cipher (self->pass, offset, limit, error);
}

gboolean
encrypt_fragment_get_info (const EncryptFragment *self, guint32 track_id,
    EncryptFragmentInfo *info)
{
  return encrypt_fragment_info_get (self->fragment, track_id, info);
}

void
encrypt_fragment_find_sync (const EncryptFragment *self, guint64 moof,
    GArray *points)
{
  bmff_fragment_find_sync (self->fragment, moof, points);
}

GstClockTime
encrypt_fragment_get_duration (const EncryptFragment *self)
{
  return encrypt_fragment_info_get_duration (self->fragment);
}
