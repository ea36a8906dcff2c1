/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-fragment.h"

#include "cenc/encrypt-aux.h"
#include "cenc/encrypt-movie.h"
#include "cenc/encrypt-rotate.h"

#define TFHD_DESCRIPTION_INDEX 0x02 /* in the last byte of its flags */
#define TFHD_DEFAULT_BASE_IS_MOOF 0x02 /* in the third byte of its flags */

/* One traf. */
typedef struct
{
  BmffTraf *traf;
  EncryptTrack *track; /* NULL: stays clear */
  EncryptTrack *lead; /* clear lead of an encrypted track; else NULL */
  CencAuxWriter *writer;
  BmffBox *senc, *saio; /* borrowed from the traf */
} Part;

/* One run that has bytes. */
typedef struct
{
  guint part;
  guint32 first, count; /* samples of the traf */
  guint64 start, end; /* in the input */
} Span;

struct _EncryptFragment
{
  EncryptPlan *plan;
  BmffFragment *fragment;
  guint64 moof_end, data_end;
  GArray *parts; /* (element-type Part) */
  GArray *spans; /* (element-type Span), by place */
  guint uncovered; /* first of the spans that no mdat was seen for */
  EncryptPass *pass; /* NULL: the data comes in a queue */
};

static void
part_clear (gpointer data)
{
  Part *part = data;

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
  Part part = { traf, encrypt_plan_get_track (plan, traf->track_id) };

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
  BmffTraf *traf = g_array_index (self->parts, Part, index).traf;
  guint i;

  for (i = 0; i < traf->runs->len; i++) {
    const BmffRun *run = &g_array_index (traf->runs, BmffRun, i);
    guint64 size = get_run_size (traf->samples, run);
    Span span = { index, run->first, run->count, run->offset };

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
  const Span *x = a, *y = b;

  return x->start < y->start ? -1 : x->start > y->start;
}

static gboolean
sort_spans (EncryptFragment *self, GError **error)
{
  guint i;

  g_array_sort (self->spans, compare_spans);
  for (i = 1; i < self->spans->len; i++) {
    if (g_array_index (self->spans, Span, i).start <
        g_array_index (self->spans, Span, i - 1).end)
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
  self->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_array_set_clear_func (self->parts, part_clear);
  self->spans = g_array_new (FALSE, FALSE, sizeof (Span));
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
    const Span *span = &g_array_index (self->spans, Span, self->uncovered);

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
map_part (const EncryptFragment *self, const Part *part, EncryptQueue *queue,
    guint8 *out, GError **error)
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
cipher_span (const EncryptFragment *self, const Span *span, EncryptQueue *queue,
    guint8 *out, GError **error)
{
  const Part *part = &g_array_index (self->parts, Part, span->part);
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
    const Part *part = &g_array_index (self->parts, Part, i);

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
    const Span *span = &g_array_index (self->spans, Span, i);

    if (!g_array_index (self->parts, Part, span->part).track)
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

/* tfhd's sample_description_index, which stands behind its base data offset. */
static void
set_description (BmffTraf *traf, guint32 index)
{
  gsize size, at = traf->has_base_data_offset ? 16 : 8;
  guint8 *payload = bmff_box_edit_payload (traf->tfhd, &size);
  BmffWriter *writer;

  if (!(payload[3] & TFHD_DESCRIPTION_INDEX)) {
    payload[3] |= TFHD_DESCRIPTION_INDEX;
    writer = bmff_writer_new (size + 4);
    bmff_writer_bytes (writer, payload, at);
    bmff_writer_u32 (writer, 0);
    bmff_writer_bytes (writer, payload + at, size - at);
    bmff_box_set_payload (traf->tfhd, bmff_writer_end (writer));
    payload = bmff_box_edit_payload (traf->tfhd, &size);
  }
  bmff_put_u32 (payload + at, index);
}

/* @rotates: keys do. GPAC reads sample groups of fragments without information
 * by sample only if these have no senc, also those whose key is that of tenc; of
 * who wants a senc beside a constant IV (Bento4) none reads groups. */
static void
add_boxes (Part *part, gboolean rotates)
{
  BmffBox *saiz;

  encrypt_rotate_add_groups (part->traf, part->track);
  saiz = encrypt_track_make_saiz (part->track, part->writer);

  if (saiz) {
    encrypt_aux_add (part->traf->box, saiz);
    part->saio = cenc_aux_writer_to_saio (part->writer, FALSE);
    encrypt_aux_add (part->traf->box, part->saio);
  }
  if (rotates && !saiz)
    return;
  part->senc = cenc_aux_writer_to_senc (part->writer);
  bmff_box_append (part->traf->box, part->senc);
}

/* Data offsets are counted from the moof in every traf: one whose base was the
 * end of the traf before gets default-base-is-moof (ISO/IEC 14496-12, 8.8.7),
 * since auxiliary information in front of a base cannot be pointed at. */
static gboolean
move_runs (EncryptFragment *self, guint64 moof_start, guint64 delta,
    GError **error)
{
  guint i, k;

  for (i = 0; i < self->parts->len; i++) {
    BmffTraf *traf = g_array_index (self->parts, Part, i).traf;
    gsize size;

    if (traf->has_base_data_offset)
      bmff_traf_set_base_data_offset (traf, moof_start);
    else if (i > 0)
      bmff_box_edit_payload (traf->tfhd, &size)[1] |= TFHD_DEFAULT_BASE_IS_MOOF;
    for (k = 0; k < traf->runs->len; k++) {
      BmffRun *run = &g_array_index (traf->runs, BmffRun, k);

      if (!bmff_run_set_offset (traf, run, moof_start,
              run->offset - self->fragment->offset + moof_start + delta, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* Where auxiliary information of other kinds goes. */
typedef struct
{
  const EncryptFragment *self;
  guint64 base; /* in the input, of the traf's offsets */
  guint64 delta;
} AuxMove;

/* Counted from the moof, as everything is by now. What stands in the moof itself
 * may not be there any more. */
static guint64
move_aux (guint64 offset, gpointer user_data)
{
  const AuxMove *to = user_data;
  guint64 place;

  if (!g_uint64_checked_add (&place, to->base, offset) ||
      place < to->self->moof_end || place > G_MAXINT64)
    return G_MAXUINT64;
  return place - to->self->fragment->offset + to->delta;
}

static gboolean
move_all_aux (const EncryptFragment *self, guint64 delta, GError **error)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);
    const BmffTraf *traf = part->traf;
    AuxMove to = { self, traf->base_data_offset, delta };

    /* Behind another traf's data by the standard; most count from the moof. */
    if (!traf->has_base_data_offset && to.base != self->fragment->offset)
      to.base = G_MAXUINT64;
    if (!encrypt_aux_move (traf->box, part->saio, move_aux, &to, error))
      return FALSE;
  }
  return TRUE;
}

static void
point_at_senc (const EncryptFragment *self)
{
  const BmffBox *moof = self->fragment->moof;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);

    if (part->saio)
      cenc_saio_set_offset (part->saio,
          encrypt_box_position (moof, part->traf->box) +
              encrypt_box_position (part->traf->box, part->senc) +
              cenc_aux_writer_get_data_offset (part->writer));
  }
}

/* The tracks of the fragment that are encrypted in it. */
static GPtrArray *
get_tracks (const EncryptFragment *self)
{
  GPtrArray *tracks = g_ptr_array_new ();
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);

    if (part->track)
      g_ptr_array_add (tracks, part->track);
  }
  return tracks;
}

static gboolean
add_pssh (const EncryptFragment *self, GError **error)
{
  g_autoptr (GPtrArray) tracks = get_tracks (self);

  return !encrypt_plan_rotates (self->plan) ||
      encrypt_rotate_add_pssh (self->fragment->moof, self->plan, tracks, error);
}

/* All tracks go by the pictures, so that a fragment has the keys of one period. */
static gboolean
enter_period (const EncryptFragment *self, GError **error)
{
  g_autoptr (GPtrArray) tracks = get_tracks (self);
  const BmffTraf *first = NULL;
  guint i;

  if (!encrypt_plan_rotates (self->plan))
    return TRUE;
  for (i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);

    if (part->track && bmff_sample_table_get_count (part->traf->samples) > 0 &&
        (!first ||
            (first->track->handler != BMFF_HANDLER_VIDEO &&
                part->traf->track->handler == BMFF_HANDLER_VIDEO)))
      first = part->traf;
  }
  return !first || encrypt_rotate_enter (self->plan, tracks, first, error);
}

static GBytes *
make_moof (EncryptFragment *self, guint64 out_offset, GError **error)
{
  guint64 delta;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    Part *part = &g_array_index (self->parts, Part, i);

    if (part->track)
      add_boxes (part, encrypt_plan_rotates (self->plan));
    else if (part->lead)
      set_description (part->traf,
          part->traf->description_index +
              encrypt_track_get_n_entries (part->lead));
  }
  if (!add_pssh (self, error))
    return NULL;
  /* Twice: the first time a trun may get a field that it had not. */
  if (!move_runs (self, out_offset, 0, error))
    return NULL;
  delta = bmff_box_get_size (self->fragment->moof) -
      (self->moof_end - self->fragment->offset);
  if (!move_runs (self, out_offset, delta, error) ||
      !move_all_aux (self, delta, error))
    return NULL;
  point_at_senc (self);
  return bmff_box_to_bytes (self->fragment->moof);
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
    const Part *part = &g_array_index (self->parts, Part, i);

    if ((part->track || part->lead) &&
        !map_part (self, part, queue, out, error))
      return NULL;
  }
  if (!cipher_all (self, queue, end, out, error))
    return NULL;
  return make_moof (self, out_offset, error);
}

/* The parts as a pass has them; they share the writers. */
static GArray *
make_pass_parts (const EncryptFragment *self)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (EncryptPart));
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);
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
  return make_moof (self, out_offset, error);
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

GstClockTime
encrypt_fragment_get_duration (const EncryptFragment *self)
{
  return encrypt_fragment_info_get_duration (self->fragment);
}
