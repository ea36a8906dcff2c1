/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A moof (ISO/IEC 14496-12, 8.8) of what stood in sample tables. */

#include "gst/isobmff/bmff-fragment-flags.h"
#include "gst/isobmff/bmff-mixed-private.h"

/* The mdat at hand. */
typedef struct
{
  guint64 offset, start, end;
  GArray *trafs; /* (element-type Traf) */
  GArray
      *order; /* (element-type BmffMixedRange); NULL: all stays where it is */
} Mdat;

/* Samples of one track and one sample entry: a traf. */
typedef struct
{
  BmffMixedTrack *track;
  BmffSampleCursor cursor; /* on the first one */
  guint32 first, count;
  guint32 n_runs;
  BmffSample
      sample; /* the first one; its flags are those of the second, if there is one */
  guint32 first_flags;
  gboolean durations, sizes, flags, compositions; /* what differs by sample */
  gboolean negative; /* a composition offset is */
  guint64 end; /* of the last of its bytes */
  guint64 place; /* of its samples, where they are put into another order */
} Traf;

/* Flags */

static gboolean
get_byte (GBytes *payload, gsize index, guint32 *byte)
{
  gsize size;
  const guint8 *data;

  if (payload == NULL)
    return FALSE;
  data = g_bytes_get_data (payload, &size);
  if (index >= size)
    return FALSE;
  *byte = data[index];

  return TRUE;
}

/* With what sdtp (8.6.4) and stdp (8.5.3) say, behind their first four bytes. */
static guint32
get_flags (const BmffMixedTrack *self, guint32 index, guint32 flags)
{
  guint32 depends, high, low;

  if (get_byte (self->sdtp, 4 + (gsize) index, &depends))
    flags = (flags & BMFF_SAMPLE_IS_NON_SYNC) | depends << 20;
  if (get_byte (self->stdp, 4 + 2 * (gsize) index, &high) &&
      get_byte (self->stdp, 5 + 2 * (gsize) index, &low))
    flags |= high << 8 | low;

  return flags;
}

static gboolean
next_sample (const BmffMixedTrack *self, BmffSampleCursor *cursor,
    BmffSample *sample)
{
  guint32 index = cursor->next;

  if (!bmff_sample_cursor_next (cursor, sample))
    return FALSE;
  sample->flags = get_flags (self, index, sample->flags);

  return TRUE;
}

/* Which samples */

static gboolean
refuse (const BmffMixedTrack *self, const BmffSample *sample, const Mdat *mdat,
    const gchar *why, GError **error)
{
  g_set_error (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED,
      "track %u: a sample of the moov's, at offset %" G_GUINT64_FORMAT
      ", %s (the mdat at offset %" G_GUINT64_FORMAT ")",
      self->track->id, sample->offset, why, mdat->offset);
  return FALSE;
}

/* @is_in: FALSE: it is behind the mdat. Empty samples are everywhere. */
static gboolean
check_place (const BmffMixedTrack *self, const BmffSample *sample,
    const Mdat *mdat, gboolean *is_in, GError **error)
{
  *is_in = sample->size == 0 || sample->offset < mdat->end;
  if (!bmff_track_is_local (self->track, sample->description_index))
    return refuse (self, sample, mdat, "is in another file", error);
  if (sample->size == 0 || !*is_in)
    return TRUE;
  if (sample->offset < mdat->start)
    return refuse (self, sample, mdat,
        "is in no mdat behind the moov, or behind samples that follow it",
        error);
  if (sample->size > mdat->end - sample->offset)
    return refuse (self, sample, mdat, "reaches beyond the end of its mdat",
        error);
  if (sample->offset - mdat->offset > G_MAXINT32)
    return refuse (self, sample, mdat,
        "is farther from its start than 31 bits can tell", error);

  return TRUE;
}

static void
begin_traf (Traf *traf, const BmffSample *sample, guint32 index)
{
  traf->first = index;
  traf->count = 0;
  traf->sample = *sample;
  traf->first_flags = sample->flags;
}

static void
add_to_traf (Traf *traf, const BmffSample *sample, guint64 end)
{
  const BmffSample *first = &traf->sample;

  traf->n_runs += traf->count == 0 || sample->offset != end;
  if (++traf->count == 2)
    traf->sample.flags = sample->flags;
  traf->durations |= sample->duration != first->duration;
  traf->sizes |= sample->size != first->size;
  traf->flags |= traf->count > 1 && sample->flags != first->flags;
  traf->compositions |= sample->composition_offset != 0;
  traf->negative |= sample->composition_offset < 0;
}

/* The next samples in the mdat that have one sample entry; none: count is 0. */
static gboolean
find_traf (Traf *traf, const Mdat *mdat, GError **error)
{
  BmffSampleCursor cursor = traf->cursor;
  guint64 end = 0;
  BmffSample sample;
  gboolean is_in;

  while (next_sample (traf->track, &cursor, &sample)) {
    if (!check_place (traf->track, &sample, mdat, &is_in, error))
      return FALSE;
    if (!is_in ||
        (traf->count > 0 &&
            sample.description_index != traf->sample.description_index))
      break;
    if (traf->count == 0)
      begin_traf (traf, &sample, cursor.next - 1);
    add_to_traf (traf, &sample, end);
    end = sample.offset + sample.size;
    traf->end = sample.size > 0 ? MAX (traf->end, end) : traf->end;
    traf->track->cursor = cursor;
    if (traf->count <= BMFF_MAX_FRAGMENT_SAMPLES &&
        traf->n_runs <= BMFF_MIXED_MAX_RUNS)
      continue;
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
        "track %u: the moov has more than %u samples, or %u stretches of them, "
        "in the mdat at offset %" G_GUINT64_FORMAT,
        traf->track->track->id, BMFF_MAX_FRAGMENT_SAMPLES, BMFF_MIXED_MAX_RUNS,
        mdat->offset);
    return FALSE;
  }
  return TRUE;
}

/* Boxes */

static BmffBox *
make_box (guint32 type, BmffWriter *writer, const Mdat *mdat)
{
  BmffBox *box = writer == NULL ? bmff_box_new_container (type)
                                : bmff_box_new (type, bmff_writer_end (writer));

  box->offset = mdat->offset; /* for messages */

  return box;
}

static BmffBox *
make_tfhd (const Traf *traf, const Mdat *mdat)
{
  BmffWriter *writer = bmff_writer_new (24);
  const BmffSample *sample = &traf->sample;
  guint32 flags = TFHD_BASE_IS_MOOF | TFHD_DESCRIPTION_INDEX;

  flags |= (traf->durations ? 0 : TFHD_DURATION) |
      (traf->sizes ? 0 : TFHD_SIZE) | (traf->flags ? 0 : TFHD_FLAGS);
  bmff_writer_u32 (writer, flags);
  bmff_writer_u32 (writer, traf->track->track->id);
  bmff_writer_u32 (writer, sample->description_index);
  if (!traf->durations)
    bmff_writer_u32 (writer, sample->duration);
  if (!traf->sizes)
    bmff_writer_u32 (writer, sample->size);
  if (!traf->flags)
    bmff_writer_u32 (writer, sample->flags);

  return make_box (BMFF_FOURCC ('t', 'f', 'h', 'd'), writer, mdat);
}

static BmffBox *
make_tfdt (const Traf *traf, const Mdat *mdat)
{
  BmffWriter *writer = bmff_writer_new (12);

  bmff_writer_u32 (writer, 1u << 24); /* version 1, no flags */
  bmff_writer_u64 (writer, traf->sample.dts);

  return make_box (BMFF_FOURCC ('t', 'f', 'd', 't'), writer, mdat);
}

/* A run that starts with @sample; the count is put in at its end. */
static BmffWriter *
begin_run (const Traf *traf, const BmffSample *sample, guint32 index,
    const Mdat *mdat)
{
  guint64 place = mdat->order != NULL ? traf->place : sample->offset;
  BmffWriter *writer = bmff_writer_new (0);
  gboolean leads = index == traf->first && !traf->flags &&
      traf->first_flags != traf->sample.flags;
  guint32 flags = TRUN_DATA_OFFSET;
  guint64 offset = MAX (place, mdat->start) - mdat->offset;

  flags |= (traf->durations ? TRUN_DURATION : 0) |
      (traf->sizes ? TRUN_SIZE : 0) | (traf->flags ? TRUN_FLAGS : 0) |
      (traf->compositions ? TRUN_COMPOSITION : 0) |
      (leads ? TRUN_FIRST_FLAGS : 0) | (traf->negative ? 1u << 24 : 0);
  bmff_writer_u32 (writer, flags);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, (guint32) MIN (offset, G_MAXINT32));
  if (leads)
    bmff_writer_u32 (writer, traf->first_flags);

  return writer;
}

static void
put_sample (BmffWriter *writer, const Traf *traf, const BmffSample *sample)
{
  if (traf->durations)
    bmff_writer_u32 (writer, sample->duration);
  if (traf->sizes)
    bmff_writer_u32 (writer, sample->size);
  if (traf->flags)
    bmff_writer_u32 (writer, sample->flags);
  if (traf->compositions)
    bmff_writer_u32 (writer, (guint32) sample->composition_offset);
}

static void
end_run (BmffBox *box, BmffWriter *writer, guint32 count, const Mdat *mdat)
{
  if (writer == NULL)
    return;
  bmff_writer_patch_u32 (writer, 4, count);
  bmff_box_append (box,
      make_box (BMFF_FOURCC ('t', 'r', 'u', 'n'), writer, mdat));
}

static void
add_runs (BmffBox *box, const Traf *traf, const Mdat *mdat)
{
  BmffSampleCursor cursor = traf->cursor;
  BmffWriter *writer = NULL;
  guint32 i, count = 0;
  guint64 end = 0;
  BmffSample sample;

  for (i = 0; i < traf->count && next_sample (traf->track, &cursor, &sample);
       i++) {
    if (writer == NULL || (mdat->order == NULL && sample.offset != end)) {
      end_run (box, writer, count, mdat);
      writer = begin_run (traf, &sample, traf->first + i, mdat);
      count = 0;
    }
    put_sample (writer, traf, &sample);
    count++;
    end = sample.offset + sample.size;
  }
  end_run (box, writer, count, mdat);
}

/* The groups of the traf's samples: their descriptions stay in the moov. Samples
 * behind the last that the map tells of have sgpd's default there and here. */
static void
add_group (BmffBox *box, const Traf *traf, const BmffMixedGroup *group,
    const Mdat *mdat)
{
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (BmffGroupRun));
  guint32 i, told = bmff_group_map_get_count (group->map);
  BmffBox *sbgp;

  for (i = traf->first; i < told && i - traf->first < traf->count; i++) {
    BmffGroupRun run = { 1, bmff_group_map_get (group->map, i) };

    if (runs->len > 0 &&
        g_array_index (runs, BmffGroupRun, runs->len - 1).group == run.group)
      g_array_index (runs, BmffGroupRun, runs->len - 1).count++;
    else
      g_array_append_val (runs, run);
  }
  if (runs->len == 0)
    return;
  sbgp = bmff_sbgp_new (group->type, runs);
  sbgp->offset = mdat->offset;
  bmff_box_append (box, sbgp);
}

static BmffBox *
make_traf (const Traf *traf, const Mdat *mdat)
{
  BmffBox *box = make_box (BMFF_FOURCC ('t', 'r', 'a', 'f'), NULL, mdat);
  guint i;

  bmff_box_append (box, make_tfhd (traf, mdat));
  bmff_box_append (box, make_tfdt (traf, mdat));
  add_runs (box, traf, mdat);
  for (i = 0; i < traf->track->groups->len; i++)
    add_group (box, traf,
        &g_array_index (traf->track->groups, BmffMixedGroup, i), mdat);

  return box;
}

static BmffBox *
make_mfhd (guint32 number, const Mdat *mdat)
{
  BmffWriter *writer = bmff_writer_new (8);

  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, number);

  return make_box (BMFF_FOURCC ('m', 'f', 'h', 'd'), writer, mdat);
}

/* The order of the bytes */

static void
add_range (GArray *ranges, guint64 start, guint64 size)
{
  BmffMixedRange range = { start, size };
  BmffMixedRange *last = ranges->len == 0
      ? NULL
      : &g_array_index (ranges, BmffMixedRange, ranges->len - 1);

  if (size == 0)
    return;
  if (last != NULL && last->start + last->size == start)
    last->size += size;
  else
    g_array_append_val (ranges, range);
}

static void
order_traf (Traf *traf, GArray *order, guint64 *place)
{
  BmffSampleCursor cursor = traf->cursor;
  BmffSample sample;
  guint32 i;

  traf->place = *place;
  for (i = 0; i < traf->count && bmff_sample_cursor_next (&cursor, &sample);
       i++) {
    add_range (order, sample.offset, sample.size);
    *place += sample.size;
  }
}

static gint
compare_ranges (gconstpointer a, gconstpointer b)
{
  const BmffMixedRange *x = a, *y = b;

  return x->start < y->start ? -1 : x->start > y->start;
}

/* Adds what is between the ranges of samples to @order, behind them. */
static gboolean
add_gaps (GArray *order, const Mdat *mdat, GError **error)
{
  g_autoptr (GArray) sorted = g_array_copy (order);
  guint64 end = mdat->start;
  guint i;

  g_array_sort (sorted, compare_ranges);
  for (i = 0; i < sorted->len; i++) {
    const BmffMixedRange *range = &g_array_index (sorted, BmffMixedRange, i);

    if (range->start < end) {
      g_set_error (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED,
          "samples of the moov's share the byte at offset %" G_GUINT64_FORMAT,
          range->start);
      return FALSE;
    }
    add_range (order, end, range->start - end);
    end = range->start + range->size;
  }
  return TRUE;
}

/* Where the last sample ends, and whether a traf has more than one run. */
static guint64
get_end (const Mdat *mdat, gboolean *several)
{
  guint64 end = mdat->start;
  guint i;

  *several = FALSE;
  for (i = 0; i < mdat->trafs->len; i++) {
    const Traf *traf = &g_array_index (mdat->trafs, Traf, i);

    end = MAX (end, traf->end);
    *several = *several || traf->n_runs > 1;
  }
  return end;
}

static gboolean
put_in_order (Mdat *mdat, guint64 limit, GError **error)
{
  guint64 place = mdat->start;
  gboolean several;
  guint i;

  if (get_end (mdat, &several) - mdat->start > limit || !several)
    return TRUE;
  mdat->order = g_array_new (FALSE, FALSE, sizeof (BmffMixedRange));
  for (i = 0; i < mdat->trafs->len; i++)
    order_traf (&g_array_index (mdat->trafs, Traf, i), mdat->order, &place);

  return add_gaps (mdat->order, mdat, error);
}

/* The moof */

static gboolean
add_trafs (Mdat *mdat, BmffMixedTrack *track, GError **error)
{
  for (;;) {
    Traf traf = { .track = track, .cursor = track->cursor };

    if (!find_traf (&traf, mdat, error))
      return FALSE;
    if (traf.count == 0)
      return TRUE;
    if (mdat->trafs->len == BMFF_MAX_TRACKS) {
      g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
          "track %u: the sample entry changes too often in the mdat at "
          "offset %" G_GUINT64_FORMAT,
          track->track->id, mdat->offset);
      return FALSE;
    }
    g_array_append_val (mdat->trafs, traf);
  }
}

/* Empty samples alone make no fragment: they wait for others. */
static gboolean
find_trafs (BmffMixed *self, Mdat *mdat, GError **error)
{
  gboolean several;
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    if (!add_trafs (mdat, &g_array_index (self->tracks, BmffMixedTrack, i),
            error))
      return FALSE;
  }
  if (get_end (mdat, &several) > mdat->start)
    return TRUE;
  for (i = mdat->trafs->len; i > 0; i--) {
    const Traf *traf = &g_array_index (mdat->trafs, Traf, i - 1);

    traf->track->cursor = traf->cursor;
  }
  g_array_set_size (mdat->trafs, 0);

  return TRUE;
}

static BmffBox *
make_moof (const Mdat *mdat, guint32 number)
{
  BmffBox *moof = make_box (BMFF_FOURCC ('m', 'o', 'o', 'f'), NULL, mdat);
  guint i;

  bmff_box_append (moof, make_mfhd (number, mdat));
  for (i = 0; i < mdat->trafs->len; i++)
    bmff_box_append (moof,
        make_traf (&g_array_index (mdat->trafs, Traf, i), mdat));

  return moof;
}

BmffBox *
bmff_mixed_next (BmffMixed *self, guint64 offset, guint64 start, guint64 end,
    guint64 limit, GArray **order, GError **error)
{
  g_autoptr (GArray) trafs = g_array_new (FALSE, FALSE, sizeof (Traf));
  Mdat mdat = { offset, start, end, trafs, NULL };
  BmffBox *moof = NULL;

  *order = NULL;
  if (find_trafs (self, &mdat, error) && trafs->len > 0 &&
      put_in_order (&mdat, limit, error))
    moof = make_moof (&mdat, ++self->n_made);
  if (moof != NULL)
    *order = mdat.order;
  else if (mdat.order != NULL)
    g_array_unref (mdat.order);

  return moof;
}
