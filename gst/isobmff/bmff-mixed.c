/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-mixed-private.h"

#define FULL_BOX_SIZE 4

/* What becomes of an stbl's boxes. */
typedef enum
{
  FATE_STAYS, /* not about samples, or about sample groups' descriptions */
  FATE_EMPTIED,
  FATE_TAKEN, /* the fragments tell it */
  FATE_REFUSED,
} Fate;

static const struct
{
  guint32 type;
  Fate fate;
} fates[] = {
  { BMFF_FOURCC ('s', 't', 's', 'd'), FATE_STAYS },
  { BMFF_FOURCC ('s', 'g', 'p', 'd'), FATE_STAYS },
  { BMFF_FOURCC ('c', 's', 'l', 'g'), FATE_STAYS },
  { BMFF_FOURCC ('f', 'r', 'e', 'e'), FATE_STAYS },
  { BMFF_FOURCC ('s', 'k', 'i', 'p'), FATE_STAYS },
  { BMFF_FOURCC ('s', 't', 't', 's'), FATE_EMPTIED },
  { BMFF_FOURCC ('s', 't', 's', 'c'), FATE_EMPTIED },
  { BMFF_FOURCC ('s', 't', 's', 'z'), FATE_EMPTIED },
  { BMFF_FOURCC ('s', 't', 'z', '2'), FATE_EMPTIED },
  { BMFF_FOURCC ('s', 't', 'c', 'o'), FATE_EMPTIED },
  { BMFF_FOURCC ('c', 'o', '6', '4'), FATE_EMPTIED },
  { BMFF_FOURCC ('c', 't', 't', 's'), FATE_TAKEN },
  { BMFF_FOURCC ('s', 't', 's', 's'), FATE_TAKEN },
  { BMFF_FOURCC ('s', 'd', 't', 'p'), FATE_TAKEN },
  { BMFF_FOURCC ('s', 't', 'd', 'p'), FATE_TAKEN },
  { BMFF_FOURCC ('s', 'b', 'g', 'p'), FATE_TAKEN },
  { BMFF_FOURCC ('c', 's', 'g', 'p'), FATE_TAKEN },
};

static Fate
get_fate (const BmffBox *box)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fates); i++) {
    if (fates[i].type == box->type)
      return fates[i].fate;
  }
  return FATE_REFUSED;
}

static void
group_clear (gpointer data)
{
  bmff_group_map_free (((BmffMixedGroup *) data)->map);
}

static void
track_clear (gpointer data)
{
  BmffMixedTrack *track = data;

  g_clear_pointer (&track->samples, bmff_sample_table_unref);
  g_clear_pointer (&track->groups, g_array_unref);
  g_clear_pointer (&track->sdtp, g_bytes_unref);
  g_clear_pointer (&track->stdp, g_bytes_unref);
}

void
bmff_mixed_free (BmffMixed *self)
{
  g_array_unref (self->tracks);
  g_free (self);
}

/* Sample groups */

static gboolean
refuse (const BmffBox *box, const BmffMixedTrack *track, GError **error)
{
  bmff_box_set_error (box, error, BMFF_ERROR_UNSUPPORTED,
      "track %u: it tells of samples that stand in the moov, and cannot be told "
      "of fragments, which follow it",
      track->track->id);
  return FALSE;
}

static gboolean
has_group (const BmffMixedTrack *self, guint32 type)
{
  guint i;

  for (i = 0; i < self->groups->len; i++) {
    if (g_array_index (self->groups, BmffMixedGroup, i).type == type)
      return TRUE;
  }
  return FALSE;
}

/* Not with a grouping_type_parameter, of which there may be several. */
static gboolean
take_group (BmffMixedTrack *self, const BmffBox *box, GError **error)
{
  guint32 flags, shared, local;
  BmffMixedGroup group;
  BmffReader reader;
  guint8 version;

  if (!bmff_box_get_full_reader (box, &reader, &version, &flags, error))
    return FALSE;
  group.type = bmff_reader_u32 (&reader);
  if (!bmff_box_check_end (box, &reader, error))
    return FALSE;
  if (has_group (self, group.type) ||
      (box->type == BMFF_FOURCC ('s', 'b', 'g', 'p') ? version != 0
                                                     : (flags & 0x40) != 0))
    return refuse (box, self, error);
  group.map = bmff_group_map_parse (self->track->stbl, group.type, error);
  if (group.map == NULL)
    return FALSE;
  g_array_append_val (self->groups, group);
  bmff_group_map_get_highest (group.map, &shared, &local);

  return local == 0 || refuse (box, self, error);
}

/* The sample tables */

static void
empty (BmffBox *box)
{
  static const guint8 zeros[FULL_BOX_SIZE + 8] = { 0 };
  gsize size = FULL_BOX_SIZE + 4;

  if (box->type == BMFF_FOURCC ('s', 't', 'z', '2'))
    box->type = BMFF_FOURCC ('s', 't', 's', 'z');
  if (box->type == BMFF_FOURCC ('c', 'o', '6', '4'))
    box->type = BMFF_FOURCC ('s', 't', 'c', 'o');
  if (box->type == BMFF_FOURCC ('s', 't', 's', 'z'))
    size += 4;
  bmff_box_set_payload (box, g_bytes_new_static (zeros, size));
}

static gboolean
take_box (BmffMixedTrack *self, const BmffBox *box, GError **error)
{
  switch (box->type) {
    case BMFF_FOURCC ('s', 'd', 't', 'p'):
      if (self->sdtp != NULL)
        return refuse (box, self, error);
      self->sdtp = g_bytes_ref (box->payload);
      return TRUE;
    case BMFF_FOURCC ('s', 't', 'd', 'p'):
      if (self->stdp != NULL)
        return refuse (box, self, error);
      self->stdp = g_bytes_ref (box->payload);
      return TRUE;
    case BMFF_FOURCC ('s', 'b', 'g', 'p'):
    case BMFF_FOURCC ('c', 's', 'g', 'p'):
      return take_group (self, box, error);
    default:
      return TRUE; /* in the sample table */
  }
}

/* All of them are read before the first is changed. */
static gboolean
take_boxes (BmffMixedTrack *self, GError **error)
{
  const GPtrArray *boxes = self->track->stbl->children;
  guint i;

  for (i = 0; i < boxes->len; i++) {
    const BmffBox *box = g_ptr_array_index (boxes, i);
    Fate fate = get_fate (box);

    if (fate == FATE_REFUSED
            ? !refuse (box, self, error)
            : fate == FATE_TAKEN && !take_box (self, box, error))
      return FALSE;
  }
  return TRUE;
}

static void
empty_boxes (BmffBox *stbl)
{
  guint i = 0;

  while (i < stbl->children->len) {
    BmffBox *box = g_ptr_array_index (stbl->children, i);
    Fate fate = get_fate (box);

    if (fate == FATE_EMPTIED)
      empty (box);
    if (fate == FATE_TAKEN)
      bmff_box_remove (stbl, box);
    else
      i++;
  }
}

/* Durations */

/* @at, @at_wide: where the duration stands behind the first four bytes, in version 0
 * and in version 1. */
static void
clear_duration (BmffBox *box, gsize at, gsize at_wide)
{
  gsize size, field = 4;
  guint8 *payload;

  if (box == NULL)
    return;
  payload = bmff_box_edit_payload (box, &size);
  if (size > 0 && payload[0] == 1) {
    at = at_wide;
    field = 8;
  }
  if (size < FULL_BOX_SIZE + at + field)
    return;
  bmff_put_u32 (payload + FULL_BOX_SIZE + at, 0);
  bmff_put_u32 (payload + FULL_BOX_SIZE + at + field - 4, 0);
}

/* Whether edits say how long the track is: 0 stands for all that fragments bring
 * (8.6.6.1). */
static gboolean
is_edited (const BmffTrack *track)
{
  const BmffBox *elst = bmff_box_find (track->trak, "edts/elst");
  guint64 duration = 0;
  BmffReader reader;
  guint8 version;
  guint32 n;

  if (elst == NULL ||
      !bmff_box_get_full_reader (elst, &reader, &version, NULL, NULL))
    return FALSE;
  for (n = bmff_reader_u32 (&reader); n > 0 && bmff_reader_ok (&reader); n--) {
    duration |= bmff_reader_uint (&reader, version == 1 ? 8 : 4);
    bmff_reader_skip (&reader, version == 1 ? 12 : 8);
  }
  return duration > 0;
}

/* mdhd tells of the samples in the moov, mvhd and tkhd of the edits (8.2.2, 8.3.2). */
static void
clear_durations (BmffMovie *movie)
{
  gboolean edited = FALSE;
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    BmffTrack *track = g_ptr_array_index (movie->tracks, i);

    clear_duration (bmff_box_find (track->trak, "mdia/mdhd"), 12, 20);
    track->duration = 0;
    if (is_edited (track))
      edited = TRUE;
    else
      clear_duration (bmff_box_child (track->trak,
                          BMFF_FOURCC ('t', 'k', 'h', 'd')),
          16, 24);
  }
  if (edited)
    return;
  clear_duration (bmff_box_child (movie->moov,
                      BMFF_FOURCC ('m', 'v', 'h', 'd')),
      12, 20);
  movie->duration = 0;
}

/* The movie */

/* ffmpeg reads no fragment of a track that has none. */
static void
add_trex (BmffMovie *movie, BmffTrack *track)
{
  BmffBox *mvex =
      bmff_box_child (movie->moov, BMFF_FOURCC ('m', 'v', 'e', 'x'));
  BmffWriter *writer;

  if (track->has_trex || mvex == NULL)
    return;
  writer = bmff_writer_new (24);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, track->id);
  bmff_writer_u32 (writer, 1);
  bmff_writer_zeros (writer, 12);
  bmff_box_append (mvex,
      bmff_box_new (BMFF_FOURCC ('t', 'r', 'e', 'x'),
          bmff_writer_end (writer)));
  track->has_trex = TRUE;
  track->trex.description_index = 1;
}

static gboolean
add_track (BmffMixed *self, BmffTrack *track, GError **error)
{
  BmffMixedTrack mixed = { .track = track,
    .samples = bmff_sample_table_new_from_stbl (track->stbl, error) };
  gboolean any;

  if (mixed.samples == NULL)
    return FALSE;
  any = bmff_sample_table_get_count (mixed.samples) > 0;
  if (any) {
    mixed.groups = g_array_new (FALSE, FALSE, sizeof (BmffMixedGroup));
    g_array_set_clear_func (mixed.groups, group_clear);
    bmff_sample_cursor_init (&mixed.cursor, mixed.samples, 0);
  }
  if (any && take_boxes (&mixed, error)) {
    g_array_append_val (self->tracks, mixed);
    return TRUE;
  }
  track_clear (&mixed);

  return !any;
}

static gboolean
add_tracks (BmffMixed *self, const BmffMovie *movie, GError **error)
{
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    if (!add_track (self, g_ptr_array_index (movie->tracks, i), error))
      return FALSE;
  }
  return TRUE;
}

gboolean
bmff_mixed_take (BmffMovie *movie, BmffMixed **out, GError **error)
{
  g_autoptr (BmffMixed) self = NULL;
  guint i;

  if (out != NULL)
    *out = NULL;
  if (!movie->fragmented)
    return TRUE;
  self = g_new0 (BmffMixed, 1);
  self->tracks = g_array_new (FALSE, FALSE, sizeof (BmffMixedTrack));
  g_array_set_clear_func (self->tracks, track_clear);
  if (!add_tracks (self, movie, error))
    return FALSE;
  if (self->tracks->len == 0)
    return TRUE;
  for (i = 0; i < self->tracks->len; i++) {
    BmffTrack *track = g_array_index (self->tracks, BmffMixedTrack, i).track;

    empty_boxes (track->stbl);
    add_trex (movie, track);
  }
  clear_durations (movie);
  if (out != NULL)
    *out = g_steal_pointer (&self);

  return TRUE;
}

guint32
bmff_mixed_get_count (const BmffMixed *self)
{
  return self->n_made;
}

gboolean
bmff_mixed_check_done (const BmffMixed *self, GError **error)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    const BmffMixedTrack *track =
        &g_array_index (self->tracks, BmffMixedTrack, i);
    BmffSampleCursor cursor = track->cursor;
    BmffSample sample;

    if (!bmff_sample_cursor_next (&cursor, &sample))
      continue;
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED,
        "track %u: sample %u of the moov's, at offset %" G_GUINT64_FORMAT
        ", is in no mdat between the moov and the first moof",
        track->track->id, cursor.next, sample.offset);
    return FALSE;
  }
  return TRUE;
}
