/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-source.h"

#include "gst/isobmff/bmff-writer.h"

#define FCC BMFF_FOURCC
#define MOVIE_TIMESCALE 1000

typedef enum
{
  ORDER_PLAIN,
  ORDER_B_FRAMES, /* I P B B P B B */
  ORDER_OPEN, /* likewise, and B-frames behind each I */
  ORDER_ANY, /* composition offsets as they come */
} Order;

typedef struct
{
  guint32 handler;
  guint32 timescale;
  guint32 frame; /* duration of a frame */
  guint jitter; /* of it */
  guint32 n_samples;
  guint gop;
  Order order;
  gint64 media_time; /* of the edit; -1: no edit list */
  guint32 delay, duration; /* of the edit list, in the movie's timescale */
  guint entry; /* which of the sample entries */
  guint size; /* of each sample, but for the last bits */
} Track;

guint8
plan_input_byte (PlanInput *self)
{
  if (self->size == 0)
    return 0;
  self->size--;
  return *self->data++;
}

guint
plan_input_below (PlanInput *self, guint n)
{
  guint value = plan_input_byte (self);

  if (n > 256)
    value = value << 8 | plan_input_byte (self);
  return value % n;
}

static void
write_avc1 (BmffWriter *writer, guint entry)
{
  guint8 sets[] = { 1, 100, 0, 31, 0xff, 0xe1, 0, 2, 0x67, (guint8) entry, 1, 0,
    2, 0x68, 0xce };

  if (entry == 3)
    sets[4] = 0xfd; /* NAL units with lengths of two bytes */
  bmff_writer_begin_box (writer, FCC ('a', 'v', 'c', '1'));
  bmff_writer_zeros (writer, 6);
  bmff_writer_u16 (writer, 1);
  bmff_writer_zeros (writer, 16);
  bmff_writer_u16 (writer, 160);
  bmff_writer_u16 (writer, 90);
  bmff_writer_zeros (writer, 50);
  bmff_writer_begin_box (writer, FCC ('a', 'v', 'c', 'C'));
  bmff_writer_bytes (writer, sets, sizeof (sets));
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
}

static void
write_mp4a (BmffWriter *writer, guint rate)
{
  guint8 descriptors[] = { 3, 25, 0, 0, 0, 4, 17, 0x40, 0x15, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 5, 2, 0x11, 0x90, 6, 1, 2 };

  if (rate == 44100)
    descriptors[22] = 0x12, descriptors[23] = 0x10;
  bmff_writer_begin_box (writer, FCC ('m', 'p', '4', 'a'));
  bmff_writer_zeros (writer, 6);
  bmff_writer_u16 (writer, 1);
  bmff_writer_zeros (writer, 8);
  bmff_writer_u16 (writer, 2);
  bmff_writer_u16 (writer, 16);
  bmff_writer_zeros (writer, 4);
  bmff_writer_u32 (writer, rate << 16);
  bmff_writer_begin_full_box (writer, FCC ('e', 's', 'd', 's'), 0, 0);
  bmff_writer_bytes (writer, descriptors, sizeof (descriptors));
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
}

static void
write_wvtt (BmffWriter *writer)
{
  bmff_writer_begin_box (writer, FCC ('w', 'v', 't', 't'));
  bmff_writer_zeros (writer, 6);
  bmff_writer_u16 (writer, 1);
  bmff_writer_begin_box (writer, FCC ('v', 't', 't', 'C'));
  bmff_writer_bytes (writer, (const guint8 *) "WEBVTT", 6);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
}

static void
write_stsd (BmffWriter *writer, const Track *track)
{
  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 'd'), 0, 0);
  bmff_writer_u32 (writer, 1);
  if (track->handler == BMFF_HANDLER_VIDEO)
    write_avc1 (writer, track->entry);
  else if (track->handler == BMFF_HANDLER_AUDIO)
    write_mp4a (writer, track->entry ? 44100 : 48000);
  else
    write_wvtt (writer);
  bmff_writer_end_box (writer);
}

static void
write_stts (BmffWriter *writer, const Track *track)
{
  guint32 i;

  bmff_writer_begin_full_box (writer, FCC ('s', 't', 't', 's'), 0, 0);
  bmff_writer_u32 (writer, track->n_samples);
  for (i = 0; i < track->n_samples; i++) {
    bmff_writer_u32 (writer, 1);
    bmff_writer_u32 (writer, track->frame + (i % 3 == 2 ? track->jitter : 0));
  }
  bmff_writer_end_box (writer);
}

/* By how many frames the picture in place @i of decoding order is shown later, from
 * a GOP's start, behind a delay of two. */
static guint
get_shift (const Track *track, guint32 i, PlanInput *input)
{
  guint32 in_gop = i % track->gop;
  guint32 left = MIN (track->gop - in_gop, track->n_samples - i);

  switch (track->order) {
    case ORDER_PLAIN:
      return 0;
    case ORDER_ANY:
      return plan_input_below (input, 8);
    case ORDER_OPEN:
      /* I B B: two pictures later than its place, which two B-frames take. */
      if (i < track->gop || in_gop > 2 || left + in_gop <= 2)
        return 2;
      return in_gop == 0 ? 4 : 1;
    default:
      if (in_gop == 0)
        return 2;
      switch ((in_gop - 1) % 3) {
        case 0:
          return left > 2 ? 4 : 2;
        default:
          return left + (in_gop - 1) % 3 > 2 ? 1 : 2;
      }
  }
}

static void
write_ctts (BmffWriter *writer, const Track *track, PlanInput *input)
{
  guint32 i;

  if (track->handler != BMFF_HANDLER_VIDEO || track->order == ORDER_PLAIN)
    return;
  bmff_writer_begin_full_box (writer, FCC ('c', 't', 't', 's'), 0, 0);
  bmff_writer_u32 (writer, track->n_samples);
  for (i = 0; i < track->n_samples; i++) {
    bmff_writer_u32 (writer, 1);
    bmff_writer_u32 (writer, track->frame * get_shift (track, i, input));
  }
  bmff_writer_end_box (writer);
}

static void
write_stss (BmffWriter *writer, const Track *track)
{
  guint32 n = (track->n_samples + track->gop - 1) / track->gop, i;

  if (track->handler != BMFF_HANDLER_VIDEO)
    return;
  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 's'), 0, 0);
  bmff_writer_u32 (writer, n);
  for (i = 0; i < n; i++)
    bmff_writer_u32 (writer, i * track->gop + 1);
  bmff_writer_end_box (writer);
}

/* A chunk for each sample, far enough from the others to be told by its offset. */
static void
write_places (BmffWriter *writer, const Track *track, guint id)
{
  guint32 i;

  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 'c'), 0, 0);
  bmff_writer_u32 (writer, 1);
  bmff_writer_u32 (writer, 1);
  bmff_writer_u32 (writer, 1);
  bmff_writer_u32 (writer, 1);
  bmff_writer_end_box (writer);
  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 'z'), 0, 0);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, track->n_samples);
  for (i = 0; i < track->n_samples; i++)
    bmff_writer_u32 (writer, track->size + (i & 3));
  bmff_writer_end_box (writer);
  bmff_writer_begin_full_box (writer, FCC ('c', 'o', '6', '4'), 0, 0);
  bmff_writer_u32 (writer, track->n_samples);
  for (i = 0; i < track->n_samples; i++)
    bmff_writer_u64 (writer, (guint64) id << 36 | (guint64) i << 12);
  bmff_writer_end_box (writer);
}

static void
write_edts (BmffWriter *writer, const Track *track)
{
  if (track->media_time < 0)
    return;
  bmff_writer_begin_box (writer, FCC ('e', 'd', 't', 's'));
  bmff_writer_begin_full_box (writer, FCC ('e', 'l', 's', 't'), 0, 0);
  bmff_writer_u32 (writer, track->delay > 0 ? 2 : 1);
  if (track->delay > 0) {
    bmff_writer_u32 (writer, track->delay);
    bmff_writer_u32 (writer, G_MAXUINT32);
    bmff_writer_u32 (writer, 0x10000);
  }
  bmff_writer_u32 (writer, track->duration);
  bmff_writer_u32 (writer, (guint32) track->media_time);
  bmff_writer_u32 (writer, 0x10000);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
}

static void
write_mdia (BmffWriter *writer, const Track *track, guint id, PlanInput *input)
{
  bmff_writer_begin_box (writer, FCC ('m', 'd', 'i', 'a'));
  bmff_writer_begin_full_box (writer, FCC ('m', 'd', 'h', 'd'), 0, 0);
  bmff_writer_zeros (writer, 8);
  bmff_writer_u32 (writer, track->timescale);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, 0x55c40000);
  bmff_writer_end_box (writer);
  bmff_writer_begin_full_box (writer, FCC ('h', 'd', 'l', 'r'), 0, 0);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, track->handler);
  bmff_writer_zeros (writer, 13);
  bmff_writer_end_box (writer);
  bmff_writer_begin_box (writer, FCC ('m', 'i', 'n', 'f'));
  bmff_writer_begin_box (writer, FCC ('s', 't', 'b', 'l'));
  write_stsd (writer, track);
  write_stts (writer, track);
  write_ctts (writer, track, input);
  write_stss (writer, track);
  write_places (writer, track, id);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
}

static void
write_trak (BmffWriter *writer, const Track *track, guint id, PlanInput *input)
{
  bmff_writer_begin_box (writer, FCC ('t', 'r', 'a', 'k'));
  bmff_writer_begin_full_box (writer, FCC ('t', 'k', 'h', 'd'), 0, 3);
  bmff_writer_zeros (writer, 8);
  bmff_writer_u32 (writer, id);
  bmff_writer_zeros (writer, 68);
  bmff_writer_end_box (writer);
  write_edts (writer, track);
  write_mdia (writer, track, id, input);
  bmff_writer_end_box (writer);
}

static void
read_edit (Track *track, PlanInput *input)
{
  guint32 delay = track->order == ORDER_PLAIN ? 0 : 2 * track->frame;
  guint kind = plan_input_below (input, 8);

  track->media_time = -1;
  if (kind == 0)
    return;
  track->media_time = delay;
  if (kind & 1)
    track->media_time +=
        (gint64) track->frame * plan_input_below (input, 40) / 4;
  if (kind & 2)
    track->delay = plan_input_below (input, 200);
  if (kind & 4)
    track->duration = plan_input_below (input, 6000);
}

static void
read_video (Track *track, PlanInput *input)
{
  static const guint32 timescales[] = { 25, 600, 1000, 12800, 24000, 30000,
    90000, 999983, 16000000 };
  static const guint frames[] = { 25, 24, 30, 50, 60, 12, 100, 1 };

  track->handler = BMFF_HANDLER_VIDEO;
  track->timescale =
      timescales[plan_input_below (input, G_N_ELEMENTS (timescales))];
  track->frame = MAX (1,
      track->timescale /
          frames[plan_input_below (input, G_N_ELEMENTS (frames))]);
  track->jitter = plan_input_below (input, 4) == 3 ? track->frame / 3 : 0;
  track->n_samples = 1 + plan_input_below (input, 150);
  track->gop = 1 + plan_input_below (input, 40);
  track->order = (Order) plan_input_below (input, 4);
  track->entry = plan_input_below (input, 4);
  track->size = plan_input_below (input, 64);
  read_edit (track, input);
}

static void
read_audio (Track *track, PlanInput *input)
{
  guint rate;

  track->handler = BMFF_HANDLER_AUDIO;
  track->entry = plan_input_below (input, 16) == 15;
  rate = track->entry ? 44100 : 48000;
  track->timescale = plan_input_below (input, 4) == 3 ? 1000 : rate;
  track->frame = track->timescale == 1000 ? 21 : 1024;
  track->jitter = track->timescale == 1000 ? 1 : 0;
  track->n_samples = 1 + plan_input_below (input, 300);
  track->size = plan_input_below (input, 16);
  track->gop = 1;
  read_edit (track, input);
}

static void
read_text (Track *track, PlanInput *input)
{
  track->handler = FCC ('t', 'e', 'x', 't');
  track->timescale = 1000;
  track->frame = 1 + plan_input_below (input, 3000);
  track->n_samples = 1 + plan_input_below (input, 10);
  track->size = 8;
  track->gop = 1;
  read_edit (track, input);
}

static guint
read_tracks (Track *tracks, PlanInput *input)
{
  guint kinds = plan_input_byte (input), n = 0;

  if ((kinds & 7) != 7) /* sound alone is rare */
    read_video (&tracks[n++], input);
  if (kinds & 8) {
    /* Another rendition: the same pictures, smaller. */
    if (n > 0 && (kinds & 0x10)) {
      tracks[n] = tracks[0];
      tracks[n++].size /= 2;
    } else
      read_video (&tracks[n++], input);
  }
  if (!(kinds & 0x20))
    read_audio (&tracks[n++], input);
  if ((kinds & 0xc0) == 0xc0)
    read_text (&tracks[n++], input);
  return n;
}

RemixMovie *
plan_source_new (PlanInput *input, guint index, gboolean *sane)
{
  static const RemixMovieLimits limits = { 1 << 20, 1000 };
  BmffWriter *writer = bmff_writer_new (4096);
  g_autofree gchar *uri = g_strdup_printf ("file:///%u", index);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (BmffSource) source = NULL;
  g_autoptr (GError) error = NULL;
  RemixMovie *movie;
  Track tracks[5] = { { 0 } };
  guint n = read_tracks (tracks, input), i;

  *sane = TRUE;
  bmff_writer_begin_box (writer, FCC ('m', 'o', 'o', 'v'));
  bmff_writer_begin_full_box (writer, FCC ('m', 'v', 'h', 'd'), 0, 0);
  bmff_writer_zeros (writer, 8);
  bmff_writer_u32 (writer, MOVIE_TIMESCALE);
  bmff_writer_zeros (writer, 84);
  bmff_writer_end_box (writer);
  for (i = 0; i < n; i++) {
    *sane = *sane && tracks[i].order != ORDER_ANY && tracks[i].jitter == 0;
    write_trak (writer, &tracks[i], i + 1, input);
  }
  bmff_writer_end_box (writer);
  bytes = bmff_writer_end (writer);
  source = bmff_source_new_bytes (bytes, 0);
  movie = remix_movie_load (source, uri, index, &limits, &error);
  g_assert ((movie == NULL) == (error != NULL));
  return movie;
}
