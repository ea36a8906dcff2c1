/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-clock.h"

#include <string.h>

#include "gst/isobmff/bmff-samples-private.h"
#include "gst/isobmff/bmff-writer.h"

#define MAX_TIME (G_MAXINT64 / 2) /* as of a tfdt */

typedef struct
{
  gboolean entered; /* a fragment with samples */
  gint64 origin; /* see bmff_clock_get_origin() */
  guint64 end;
} Hand;

struct _BmffClock
{
  const BmffMovie *movie;
  Hand *hands; /* one a track */
};

BmffClock *
bmff_clock_new (const BmffMovie *movie)
{
  BmffClock *self = g_new0 (BmffClock, 1);

  self->movie = movie;
  self->hands = g_new0 (Hand, (gsize) movie->tracks->len + 1);

  return self;
}

void
bmff_clock_free (BmffClock *self)
{
  g_free (self->hands);
  g_free (self);
}

static guint
find_track (const BmffMovie *movie, const BmffTrack *like)
{
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (movie->tracks, i);

    if (track->id == like->id && track->timescale == like->timescale)
      return i;
  }
  return movie->tracks->len; /* a hand that no track has, at 0 */
}

void
bmff_clock_go_on (BmffClock *self, const BmffClock *last)
{
  guint i;

  for (i = 0; i < self->movie->tracks->len; i++)
    self->hands[i] = last->hands[find_track (last->movie,
        g_ptr_array_index (self->movie->tracks, i))];
}

gint64
bmff_clock_get_origin (const BmffClock *self, guint track)
{
  return self->hands[track].origin;
}

static gboolean
read_tfxd_time (const BmffBox *box, gint64 *time)
{
  BmffReader reader;
  guint8 version;

  if (!bmff_box_get_full_reader (box, &reader, &version, NULL, NULL))
    return FALSE;
  /* The 64 bits are a sign for sound with priming. */
  *time = version == 1 ? (gint64) bmff_reader_u64 (&reader)
                       : (gint64) bmff_reader_u32 (&reader);

  return !reader.failed && *time > -(G_MAXINT64 / 8) && *time < G_MAXINT64 / 8;
}

/* When the first sample is shown. FALSE if no tfxd says it. */
static gboolean
find_tfxd_time (const BmffBox *traf, gint64 *time)
{
  static const guint8 uuid[16] = { 0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44,
    0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2 };
  guint i;

  for (i = 0; traf->children && i < traf->children->len; i++) {
    const BmffBox *box = g_ptr_array_index (traf->children, i);

    if (box->type == BMFF_FOURCC ('u', 'u', 'i', 'd') &&
        memcmp (box->uuid, uuid, sizeof (uuid)) == 0 &&
        read_tfxd_time (box, time))
      return TRUE;
  }

  return FALSE;
}

static guint64
get_decode_time (Hand *hand, const BmffTraf *traf, const BmffSample *first)
{
  gint64 time;

  if (!find_tfxd_time (traf->box, &time))
    return hand->end;
  time -= first->composition_offset;
  if (!hand->entered)
    hand->origin = MIN (time, 0);

  return (guint64) MAX (time - hand->origin, 0);
}

static void
enter_traf (Hand *hand, BmffTraf *traf)
{
  guint32 n = bmff_sample_table_get_count (traf->samples);
  BmffSample first, last;

  if (n == 0 || !bmff_sample_table_get (traf->samples, 0, &first))
    return;
  if (!traf->has_tfdt) {
    traf->decode_time = get_decode_time (hand, traf, &first);
    bmff_sample_table_delay (traf->samples, traf->decode_time);
  }
  if (bmff_sample_table_get (traf->samples, n - 1, &last))
    hand->end = MIN (last.dts + last.duration, (guint64) MAX_TIME);
  hand->entered = TRUE;
}

void
bmff_clock_enter (BmffClock *self, BmffFragment *fragment)
{
  guint i, track;

  for (i = 0; i < fragment->trafs->len; i++) {
    BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);

    if (g_ptr_array_find (self->movie->tracks, traf->track, &track))
      enter_traf (&self->hands[track], traf);
  }
}

void
bmff_traf_add_tfdt (BmffTraf *self)
{
  BmffWriter *writer;
  guint place;

  if (self->has_tfdt || bmff_sample_table_get_count (self->samples) == 0 ||
      !g_ptr_array_find (self->box->children, self->tfhd, &place))
    return;
  writer = bmff_writer_new (12);
  bmff_writer_u32 (writer, 1u << 24); /* version 1, no flags */
  bmff_writer_u64 (writer, self->decode_time);
  bmff_box_insert (self->box, place + 1,
      bmff_box_new (BMFF_FOURCC ('t', 'f', 'd', 't'),
          bmff_writer_end (writer)));
  self->has_tfdt = TRUE;
}
