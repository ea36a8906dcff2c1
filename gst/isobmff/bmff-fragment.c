/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-fragment-flags.h"
#include "gst/isobmff/bmff-movie.h"

#include <string.h>

/* All of trun that is known. */
#define TRUN_ALL 0x000f05

/* Samples that the runs of a moof have claimed so far. */
typedef struct
{
  guint64 samples;
  guint64
      empty; /* of them those without bytes, neither in the trun nor in mdat */
} Claims;

/* Where the parse of a traf's runs has come to. */
typedef struct
{
  BmffTraf *traf;
  BmffSampleDefaults defaults;
  GArray *samples;
  guint64 offset; /* behind the last run */
  guint64 dts;
} RunState;

static void
traf_free (BmffTraf *self)
{
  g_clear_pointer (&self->runs, g_array_unref);
  bmff_sample_table_unref (self->samples);
  g_free (self);
}

/* @base: what the standard takes if tfhd gives no base data offset. */
static gboolean
read_tfhd (BmffTraf *self, const BmffMovie *movie, guint64 moof_offset,
    guint64 base, BmffSampleDefaults *defaults, GError **error)
{
  BmffReader reader;
  guint32 flags;

  if (!bmff_box_get_full_reader (self->tfhd, &reader, NULL, &flags, error))
    return FALSE;
  self->track_id = bmff_reader_u32 (&reader);
  self->track = bmff_movie_get_track (movie, self->track_id);
  if (!bmff_box_check_end (self->tfhd, &reader, error))
    return FALSE;
  if (self->track == NULL) {
    bmff_box_set_error (self->tfhd, error, BMFF_ERROR_INVALID,
        "track %u is not in the moov", self->track_id);
    return FALSE;
  }
  *defaults = self->track->trex;
  self->base_data_offset = flags & TFHD_BASE_IS_MOOF ? moof_offset : base;
  self->has_base_data_offset = (flags & TFHD_BASE_DATA_OFFSET) != 0;
  if (flags & TFHD_BASE_DATA_OFFSET)
    self->base_data_offset = bmff_reader_u64 (&reader);
  if (flags & TFHD_DESCRIPTION_INDEX)
    defaults->description_index = bmff_reader_u32 (&reader);
  if (flags & TFHD_DURATION)
    defaults->duration = bmff_reader_u32 (&reader);
  if (flags & TFHD_SIZE)
    defaults->size = bmff_reader_u32 (&reader);
  if (flags & TFHD_FLAGS)
    defaults->flags = bmff_reader_u32 (&reader);
  self->description_index = defaults->description_index;

  return bmff_box_check_end (self->tfhd, &reader, error);
}

static gboolean
read_tfdt (BmffTraf *self, GError **error)
{
  BmffBox *box = bmff_box_child (self->box, BMFF_FOURCC ('t', 'f', 'd', 't'));
  BmffReader reader;
  guint8 version;

  if (box == NULL)
    return TRUE;
  if (!bmff_box_get_full_reader (box, &reader, &version, NULL, error))
    return FALSE;
  self->has_tfdt = TRUE;
  self->decode_time = bmff_reader_uint (&reader, version == 1 ? 8 : 4);
  if (!bmff_box_check_end (box, &reader, error))
    return FALSE;
  /* Room for what the largest fragment can add. */
  if (self->decode_time > G_MAXINT64 / 2) {
    bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
        "a decode time of %" G_GUINT64_FORMAT, self->decode_time);
    return FALSE;
  }

  return TRUE;
}

static guint
trun_sample_bytes (guint32 flags)
{
  return 4 *
      (((flags & TRUN_DURATION) != 0) + ((flags & TRUN_SIZE) != 0) +
          ((flags & TRUN_FLAGS) != 0) + ((flags & TRUN_COMPOSITION) != 0));
}

/* Samples can be claimed without a byte in the trun, and if they are empty without
 * one in mdat, so that no size of a file is a bound for them. */
static gboolean
claim_samples (const BmffBox *trun, guint32 count, gboolean empty,
    Claims *claims, GError **error)
{
  claims->samples += count;
  if (empty)
    claims->empty += count;
  if (claims->samples <= BMFF_MAX_FRAGMENT_SAMPLES &&
      claims->empty <= BMFF_MAX_EMPTY_SAMPLES)
    return TRUE;
  bmff_box_set_error (trun, error, BMFF_ERROR_LIMIT,
      "%" G_GUINT64_FORMAT " samples, %" G_GUINT64_FORMAT
      " of them empty, are more than a moof may have",
      claims->samples, claims->empty);

  return FALSE;
}

/* Checks that the samples of @trun are there. */
static gboolean
count_run (const BmffBox *trun, guint32 default_size, Claims *claims,
    GError **error)
{
  BmffReader reader;
  guint32 flags, count;
  guint sample_bytes;

  if (!bmff_box_get_full_reader (trun, &reader, NULL, &flags, error))
    return FALSE;
  count = bmff_reader_u32 (&reader);
  if (flags & TRUN_DATA_OFFSET)
    bmff_reader_skip (&reader, 4);
  if (flags & TRUN_FIRST_FLAGS)
    bmff_reader_skip (&reader, 4);
  if (!bmff_box_check_end (trun, &reader, error))
    return FALSE;
  sample_bytes = trun_sample_bytes (flags);
  if (!bmff_reader_has (&reader, count, sample_bytes)) {
    bmff_box_set_error (trun, error, BMFF_ERROR_TRUNCATED,
        "%u samples are declared, but only %" G_GSIZE_FORMAT
        " bytes are there for them",
        count, bmff_reader_left (&reader));
    return FALSE;
  }

  return claim_samples (trun, count, sample_bytes == 0 && default_size == 0,
      claims, error);
}

static gboolean
may_be_in_traf (guint32 type)
{
  static const guint32 types[] = { BMFF_FOURCC ('t', 'f', 'h', 'd'),
    BMFF_FOURCC ('t', 'f', 'd', 't'), BMFF_FOURCC ('s', 'e', 'n', 'c'),
    BMFF_FOURCC ('s', 'a', 'i', 'z'), BMFF_FOURCC ('s', 'a', 'i', 'o'),
    BMFF_FOURCC ('s', 'b', 'g', 'p'), BMFF_FOURCC ('c', 's', 'g', 'p'),
    BMFF_FOURCC ('s', 'g', 'p', 'd'), BMFF_FOURCC ('s', 'u', 'b', 's'),
    BMFF_FOURCC ('s', 'd', 't', 'p'), BMFF_FOURCC ('m', 'e', 't', 'a'),
    BMFF_FOURCC ('u', 'd', 't', 'a'), BMFF_FOURCC ('u', 'u', 'i', 'd'),
    BMFF_FOURCC ('f', 'r', 'e', 'e'), BMFF_FOURCC ('s', 'k', 'i', 'p') };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (types); i++) {
    if (types[i] == type)
      return TRUE;
  }
  return FALSE;
}

/* A trun with a damaged name, by its size, which follows from its flags and
 * count: its samples would pass as none of a track's. */
static gboolean
refuse_hidden_trun (const BmffBox *box, GError **error)
{
  BmffReader reader;
  guint8 version;
  guint32 flags, count;
  gsize fields;

  if (may_be_in_traf (box->type) ||
      !bmff_box_get_full_reader (box, &reader, &version, &flags, NULL))
    return TRUE;
  count = bmff_reader_u32 (&reader);
  fields =
      (flags & TRUN_DATA_OFFSET ? 4 : 0) + (flags & TRUN_FIRST_FLAGS ? 4 : 0);
  bmff_reader_skip (&reader, fields);
  if (version > 1 || flags == 0 || (flags & ~(guint32) TRUN_ALL) ||
      count == 0 || !bmff_reader_ok (&reader) ||
      bmff_reader_left (&reader) != (guint64) count * trun_sample_bytes (flags))
    return TRUE;
  bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
      "%u samples in what is no trun", count);
  return FALSE;
}

static gboolean
count_runs (const BmffBox *traf, guint32 default_size, Claims *claims,
    guint *n_runs, GError **error)
{
  guint i;

  for (i = 0; i < traf->children->len; i++) {
    const BmffBox *box = g_ptr_array_index (traf->children, i);

    if (box->type != BMFF_FOURCC ('t', 'r', 'u', 'n')) {
      if (!refuse_hidden_trun (box, error))
        return FALSE;
      continue;
    }
    ++*n_runs;
    if (!count_run (box, default_size, claims, error))
      return FALSE;
  }

  return TRUE;
}

static gboolean
resolve_offset (const BmffBox *trun, guint64 base, gint32 data_offset,
    guint64 *offset, GError **error)
{
  if (base > G_MAXINT64 / 2 || (gint64) base + data_offset < 0) {
    bmff_box_set_error (trun, error, BMFF_ERROR_INVALID,
        "a data offset of %d from %" G_GUINT64_FORMAT, data_offset, base);
    return FALSE;
  }
  *offset = base + (gint64) data_offset;

  return TRUE;
}

static void
read_samples (RunState *state, BmffReader *reader, guint32 flags, guint n,
    guint32 first_flags)
{
  BmffSample *sample;
  guint i, first = state->samples->len;

  if (n == 0)
    return;
  g_array_set_size (state->samples, first + n);
  sample = &g_array_index (state->samples, BmffSample, first);
  for (i = 0; i < n; i++, sample++) {
    sample->description_index = state->defaults.description_index;
    sample->duration = state->defaults.duration;
    if (flags & TRUN_DURATION)
      sample->duration = bmff_reader_u32 (reader);
    sample->size = state->defaults.size;
    if (flags & TRUN_SIZE)
      sample->size = bmff_reader_u32 (reader);
    sample->flags = state->defaults.flags;
    if (flags & TRUN_FLAGS)
      sample->flags = bmff_reader_u32 (reader);
    if (i == 0 && flags & TRUN_FIRST_FLAGS)
      sample->flags = first_flags;
    /* Unsigned in version 0, but written as if signed by many. */
    sample->composition_offset =
        flags & TRUN_COMPOSITION ? bmff_reader_s32 (reader) : 0;
    sample->offset = state->offset;
    sample->dts = state->dts;
    /* No overflow: 2^62 at the start, less than 2^54 in all runs together. */
    state->offset += sample->size;
    state->dts += sample->duration;
  }
}

/* 8.8.8. What count_run() has checked is there. */
static gboolean
read_run (RunState *state, BmffBox *trun, GError **error)
{
  BmffRun run = { .box = trun, .first = state->samples->len };
  guint32 flags, first_flags = 0;
  BmffReader reader;

  if (!bmff_box_get_full_reader (trun, &reader, NULL, &flags, error))
    return FALSE;
  run.count = bmff_reader_u32 (&reader);
  if (flags & TRUN_DATA_OFFSET &&
      !resolve_offset (trun, state->traf->base_data_offset,
          bmff_reader_s32 (&reader), &state->offset, error))
    return FALSE;
  if (flags & TRUN_FIRST_FLAGS)
    first_flags = bmff_reader_u32 (&reader);
  run.offset = state->offset;
  g_array_append_val (state->traf->runs, run);
  read_samples (state, &reader, flags, run.count, first_flags);

  return TRUE;
}

static gboolean
check_description (const BmffTraf *self, GError **error)
{
  if (bmff_track_get_entry (self->track, self->description_index) != NULL)
    return TRUE;
  bmff_box_set_error (self->tfhd, error, BMFF_ERROR_INVALID,
      "track %u has no sample entry %u", self->track_id,
      self->description_index);

  return FALSE;
}

static gboolean
read_runs (BmffTraf *self, const BmffSampleDefaults *defaults, Claims *claims,
    guint64 *end, GError **error)
{
  guint64 others = claims->samples;
  guint n_runs = 0, i;
  RunState state = { .traf = self,
    .defaults = *defaults,
    .offset = self->base_data_offset,
    .dts = self->decode_time };

  if (!count_runs (self->box, defaults->size, claims, &n_runs, error))
    return FALSE;
  if (claims->samples > others && !check_description (self, error))
    return FALSE;
  if (self->base_data_offset > G_MAXINT64 / 2)
    return resolve_offset (self->tfhd, self->base_data_offset, 0, &state.offset,
        error);
  self->runs = g_array_sized_new (FALSE, FALSE, sizeof (BmffRun), n_runs);
  state.samples = g_array_sized_new (FALSE, FALSE, sizeof (BmffSample),
      (guint) (claims->samples - others));
  for (i = 0; i < self->box->children->len; i++) {
    BmffBox *box = g_ptr_array_index (self->box->children, i);

    if (box->type == BMFF_FOURCC ('t', 'r', 'u', 'n') &&
        !read_run (&state, box, error)) {
      g_array_unref (state.samples);
      return FALSE;
    }
  }
  self->samples = bmff_sample_table_new_take (state.samples);
  *end = state.offset;

  return TRUE;
}

/* @base: see read_tfhd(); it becomes the end of this traf's data. */
static BmffTraf *
read_traf (const BmffFragment *self, const BmffMovie *movie, BmffBox *box,
    guint64 *base, Claims *claims, GError **error)
{
  BmffTraf *traf = g_new0 (BmffTraf, 1);
  BmffSampleDefaults defaults;

  traf->box = box;
  traf->tfhd = bmff_box_child (box, BMFF_FOURCC ('t', 'f', 'h', 'd'));
  if (traf->tfhd == NULL)
    bmff_box_set_error (box, error, BMFF_ERROR_INVALID, "it has no tfhd");
  else if (read_tfhd (traf, movie, self->offset, *base, &defaults, error) &&
      read_tfdt (traf, error) &&
      read_runs (traf, &defaults, claims, base, error))
    return traf;
  traf_free (traf);

  return NULL;
}

static gboolean
read_mfhd (BmffFragment *self, GError **error)
{
  BmffBox *box = bmff_box_child (self->moof, BMFF_FOURCC ('m', 'f', 'h', 'd'));
  BmffReader reader;

  if (box == NULL) {
    bmff_box_set_error (self->moof, error, BMFF_ERROR_INVALID,
        "it has no mfhd");
    return FALSE;
  }
  if (!bmff_box_get_full_reader (box, &reader, NULL, NULL, error))
    return FALSE;
  self->sequence_number = bmff_reader_u32 (&reader);

  return bmff_box_check_end (box, &reader, error);
}

/* A traf with a damaged name: its samples would pass as none of a track's. */
static gboolean
refuse_hidden_traf (const BmffBox *box, GError **error)
{
  if (!bmff_box_hides (box, BMFF_FOURCC ('t', 'f', 'h', 'd')))
    return TRUE;
  bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
      "a tfhd in what is no traf");
  return FALSE;
}

static gboolean
read_trafs (BmffFragment *self, const BmffMovie *movie, GError **error)
{
  guint64 base = self->offset;
  Claims claims = { 0, 0 };
  guint i;

  for (i = 0; i < self->moof->children->len; i++) {
    BmffBox *box = g_ptr_array_index (self->moof->children, i);
    BmffTraf *traf;

    if (box->type != BMFF_FOURCC ('t', 'r', 'a', 'f')) {
      if (!refuse_hidden_traf (box, error))
        return FALSE;
      continue;
    }
    traf = read_traf (self, movie, box, &base, &claims, error);
    if (traf == NULL)
      return FALSE;
    g_ptr_array_add (self->trafs, traf);
  }

  return TRUE;
}

BmffFragment *
bmff_fragment_new (BmffBox *moof, const BmffMovie *movie, GError **error)
{
  g_autoptr (BmffFragment) self = g_new0 (BmffFragment, 1);

  self->moof = moof;
  self->offset = moof->offset;
  self->trafs = g_ptr_array_new_with_free_func ((GDestroyNotify) traf_free);
  if (moof->type != BMFF_FOURCC ('m', 'o', 'o', 'f') ||
      moof->children == NULL) {
    bmff_box_set_error (moof, error, BMFF_ERROR_INVALID, "it is no moof");
    return NULL;
  }
  if (!read_mfhd (self, error) || !read_trafs (self, movie, error))
    return NULL;

  return g_steal_pointer (&self);
}

void
bmff_fragment_free (BmffFragment *self)
{
  if (self == NULL)
    return;
  bmff_box_free (self->moof);
  g_ptr_array_unref (self->trafs);
  g_free (self);
}

/* Puts a data_offset behind sample_count, which ends at 8. */
static guint8 *
trun_add_data_offset (BmffBox *trun)
{
  gsize size;
  const guint8 *old = g_bytes_get_data (trun->payload, &size);
  guint8 *payload = g_malloc (size + 4);

  memcpy (payload, old, 8);
  memcpy (payload + 12, old + 8, size - 8);
  payload[3] |= TRUN_DATA_OFFSET;
  bmff_box_set_payload (trun, g_bytes_new_take (payload, size + 4));

  return payload;
}

gboolean
bmff_run_set_offset (BmffTraf *traf, BmffRun *run, guint64 base, guint64 offset,
    GError **error)
{
  gint64 data_offset = (gint64) (offset - base);
  guint8 *payload;
  gsize size;

  if (data_offset < G_MININT32 || data_offset > G_MAXINT32) {
    bmff_box_set_error (run->box, error, BMFF_ERROR_UNSUPPORTED,
        "the data of track %u would be %" G_GINT64_FORMAT
        " bytes away, beyond 31 bits",
        traf->track_id, data_offset);
    return FALSE;
  }
  payload = bmff_box_edit_payload (run->box, &size);
  if (!(payload[3] & TRUN_DATA_OFFSET))
    payload = trun_add_data_offset (run->box);
  bmff_put_u32 (payload + 8, (guint32) (gint32) data_offset);

  return TRUE;
}

void
bmff_traf_set_base_data_offset (BmffTraf *traf, guint64 base)
{
  gsize size;
  guint8 *payload;

  g_return_if_fail (traf->has_base_data_offset);

  /* Behind version, flags and track_ID. */
  payload = bmff_box_edit_payload (traf->tfhd, &size);
  bmff_put_u64 (payload + 8, base);
}
