/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cencencrypt-mixed-file.h"

#include <string.h>
#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-source.h"

/* Fragments of period_clear whose samples are the moov's: a second of each track. */
#define N_IN_MOOV 2

/* The sample tables, of one sample a chunk. */

static void
put_box (BmffBox *stbl, const gchar *type, BmffWriter *writer)
{
  BmffBox *old = bmff_box_child (stbl, FOURCC (type));

  if (old)
    bmff_box_remove (stbl, old);
  bmff_box_append (stbl,
      bmff_box_new (FOURCC (type), bmff_writer_end (writer)));
}

/* A table of version 0 that has @count entries. */
static BmffWriter *
begin_table (guint32 count)
{
  BmffWriter *writer = bmff_writer_new (0);

  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, count);
  return writer;
}

static void
put_places (BmffBox *stbl, const GArray *samples)
{
  BmffWriter *stsz = bmff_writer_new (0), *stsc = begin_table (1);
  BmffWriter *stco = begin_table (samples->len);
  guint i;

  bmff_writer_u32 (stsz, 0);
  bmff_writer_u32 (stsz, 0);
  bmff_writer_u32 (stsz, samples->len);
  for (i = 0; i < samples->len; i++) {
    const BmffSample *sample = &g_array_index (samples, BmffSample, i);

    bmff_writer_u32 (stsz, sample->size);
    bmff_writer_u32 (stco, (guint32) sample->offset);
  }
  for (i = 0; i < 3; i++)
    bmff_writer_u32 (stsc, 1);
  put_box (stbl, "stsc", stsc);
  put_box (stbl, "stsz", stsz);
  put_box (stbl, "stco", stco);
}

static void
put_times (BmffBox *stbl, const GArray *samples)
{
  BmffWriter *stts = begin_table (samples->len);
  BmffWriter *stss = bmff_writer_new (0);
  guint32 i, n_sync = 0;

  bmff_writer_u32 (stss, 0);
  bmff_writer_u32 (stss, 0);
  for (i = 0; i < samples->len; i++) {
    const BmffSample *sample = &g_array_index (samples, BmffSample, i);

    fail_unless_equals_int (sample->composition_offset, 0);
    bmff_writer_u32 (stts, 1);
    bmff_writer_u32 (stts, sample->duration);
    if (sample->flags & BMFF_SAMPLE_IS_NON_SYNC)
      continue;
    bmff_writer_u32 (stss, i + 1);
    n_sync++;
  }
  bmff_writer_patch_u32 (stss, 4, n_sync);
  put_box (stbl, "stts", stts);
  if (n_sync < samples->len)
    put_box (stbl, "stss", stss);
  else
    bmff_writer_free (stss);
}

/* The boxes of period_clear, and what becomes of them */

typedef struct
{
  MixedLayout layout;
  BmffMovie *movie;
  GArray *samples[2]; /* (element-type BmffSample), of the moov's tracks, as in
                         period_clear */
  GByteArray *data; /* mdats of these */
  GByteArray *rest; /* what follows */
  guint n_moofs;
} Making;

static const guint8 *
at (guint64 offset)
{
  return (const guint8 *) g_bytes_get_data (period_clear, NULL) + offset;
}

static gboolean
is_in_moov (const Making *self, guint track)
{
  return !(self->layout & MIXED_SILENT) || track == 0;
}

/* Its samples go to the moov, those of sound elsewhere if that is to be silent. */
static void
take_fragment (Making *self, BmffBox *moof)
{
  g_autoptr (BmffFragment) fragment =
      bmff_fragment_new (moof, self->movie, NULL);
  const BmffTraf *traf = fragment->trafs->pdata[0];
  BmffSampleCursor cursor;
  BmffSample sample;
  guint track;

  fail_unless_equals_int (fragment->trafs->len, 1);
  fail_unless (g_ptr_array_find (self->movie->tracks, traf->track, &track));
  bmff_sample_cursor_init (&cursor, traf->samples, 0);
  while (is_in_moov (self, track) && bmff_sample_cursor_next (&cursor, &sample))
    g_array_append_val (self->samples[track], sample);
}

/* The next sample of the track moves to the end of the data. */
static void
move_sample (Making *self, guint track, guint i)
{
  BmffSample *sample;
  const guint8 *bytes;

  if (i >= self->samples[track]->len)
    return;
  sample = &g_array_index (self->samples[track], BmffSample, i);
  bytes = at (sample->offset);
  sample->offset = self->data->len;
  g_byte_array_append (self->data, bytes, sample->size);
}

static void
begin_mdat (Making *self)
{
  g_byte_array_append (self->data, (const guint8 *) "\0\0\0\0mdat", 8);
}

static void
end_mdat (Making *self, guint start)
{
  bmff_put_u32 (self->data->data + start, self->data->len - start);
}

/* Two samples of sound behind each picture, and some bytes of none; or an mdat a
 * track. */
static void
move_samples (Making *self)
{
  guint i, k, start = 0;

  begin_mdat (self);
  for (i = 0; i < self->samples[0]->len; i++) {
    move_sample (self, 0, i);
    for (k = 2 * i; k < 2 * i + 2 && !(self->layout & MIXED_APART); k++)
      move_sample (self, 1, k);
    if (i % 8 == 5)
      g_byte_array_append (self->data, (const guint8 *) "nothing", 7);
  }
  if (self->layout & MIXED_APART && self->samples[1]->len > 0) {
    end_mdat (self, start);
    start = self->data->len;
    begin_mdat (self);
  }
  for (k = self->layout & MIXED_APART ? 0 : 2 * i; k < self->samples[1]->len;
       k++)
    move_sample (self, 1, k);
  end_mdat (self, start);
}

static void
take_rest (Making *self, guint64 offset, const BmffHeader *header)
{
  guint8 *tfdt;
  gsize i = self->rest->len;

  g_byte_array_append (self->rest, at (offset), (guint) header->size);
  if (header->type != FOURCC ("moof") || !(self->layout & MIXED_UNTIMED))
    return;
  for (; i + 4 < self->rest->len; i++) {
    tfdt = self->rest->data + i;
    if (memcmp (tfdt, "tfdt", 4) == 0)
      memcpy (tfdt, "free", 4);
  }
}

static void
take_box (Making *self, BmffSource *source, guint64 offset,
    const BmffHeader *header)
{
  if (header->type == FOURCC ("moov"))
    self->movie =
        bmff_movie_new (bmff_source_read_box (source, offset, NULL), NULL);
  else if (header->type == FOURCC ("moof") && self->n_moofs++ < N_IN_MOOV)
    take_fragment (self, bmff_source_read_box (source, offset, NULL));
  else if (self->n_moofs > N_IN_MOOV && header->type != FOURCC ("mfra"))
    take_rest (self, offset, header);
}

static void
put_tables (const Making *self, guint64 shift)
{
  guint i, k;

  for (i = 0; i < G_N_ELEMENTS (self->samples); i++) {
    const BmffTrack *track = self->movie->tracks->pdata[i];

    for (k = 0; k < self->samples[i]->len; k++)
      g_array_index (self->samples[i], BmffSample, k).offset += shift;
    put_places (track->stbl, self->samples[i]);
    put_times (track->stbl, self->samples[i]);
  }
}

static void
append_moov (const Making *self, GByteArray *out)
{
  g_autoptr (GBytes) moov = bmff_box_to_bytes (self->movie->moov);

  g_byte_array_append (out, g_bytes_get_data (moov, NULL),
      (guint) g_bytes_get_size (moov));
}

static void
append_data (const Making *self, GByteArray *out)
{
  g_byte_array_append (out, self->data->data, self->data->len);
}

/* One that leads to the first moof. */
static void
append_mfra (GByteArray *out, guint64 moof)
{
  BmffWriter *writer = bmff_writer_new (0);
  g_autoptr (GBytes) mfra = NULL;

  bmff_writer_begin_box (writer, FOURCC ("mfra"));
  bmff_writer_begin_full_box (writer, FOURCC ("tfra"), 0, 0);
  bmff_writer_u32 (writer, 1);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, 1);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, (guint32) moof);
  bmff_writer_u24 (writer, 0x010101);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
  mfra = bmff_writer_end (writer);
  g_byte_array_append (out, g_bytes_get_data (mfra, NULL),
      (guint) g_bytes_get_size (mfra));
}

#define STYP_SIZE 20

static void
append_styp (const Making *self, GByteArray *out)
{
  static const guint8 styp[] = "\0\0\0\024stypmsdh\0\0\0\0msdh";

  if (self->layout & MIXED_LED)
    g_byte_array_append (out, styp, STYP_SIZE);
}

static GBytes *
put_together (const Making *self)
{
  GByteArray *out = g_byte_array_new ();
  guint64 ftyp = bmff_get_u32 (at (0)), moof;

  put_tables (self, 0); /* for the moov's size */
  put_tables (self,
      ftyp + (self->layout & MIXED_LED ? STYP_SIZE : 0) +
          (self->layout & MIXED_LAST ? 0
                                     : bmff_box_get_size (self->movie->moov)));
  g_byte_array_append (out, at (0), (guint) ftyp);
  if (self->layout & MIXED_LAST)
    append_data (self, out);
  append_moov (self, out);
  append_styp (self, out);
  if (!(self->layout & MIXED_LAST))
    append_data (self, out);
  append_styp (self, out);
  moof = out->len;
  g_byte_array_append (out, self->rest->data, self->rest->len);
  append_mfra (out, moof);
  return g_byte_array_free_to_bytes (out);
}

GBytes *
mixed_file_new (MixedLayout layout)
{
  Making self = { layout };
  g_autoptr (BmffSource) source = bmff_source_new_bytes (period_clear, 0);
  BmffHeader header;
  guint64 offset = 0;
  GBytes *file;
  guint i;

  self.data = g_byte_array_new ();
  self.rest = g_byte_array_new ();
  for (i = 0; i < G_N_ELEMENTS (self.samples); i++)
    self.samples[i] = g_array_new (FALSE, FALSE, sizeof (BmffSample));
  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size)
    take_box (&self, source, offset, &header);
  move_samples (&self);
  file = put_together (&self);
  for (i = 0; i < G_N_ELEMENTS (self.samples); i++)
    g_array_unref (self.samples[i]);
  g_byte_array_unref (self.data);
  g_byte_array_unref (self.rest);
  bmff_movie_free (self.movie);
  return file;
}

/* When samples are */

/* (transfer full) (element-type GString): of each track one line a sample. */
static GPtrArray *
new_lines (const BmffMovie *movie)
{
  GPtrArray *lines = g_ptr_array_new ();
  guint i;

  for (i = 0; i < movie->tracks->len; i++)
    g_ptr_array_add (lines, g_string_new (NULL));
  return lines;
}

static guint64
add_lines (GString *lines, const BmffSampleTable *samples, guint64 shift)
{
  BmffSampleCursor cursor;
  BmffSample sample = { 0 };

  bmff_sample_cursor_init (&cursor, samples, 0);
  while (bmff_sample_cursor_next (&cursor, &sample))
    g_string_append_printf (lines, "%" G_GUINT64_FORMAT " %u %d %u %u %d\n",
        sample.dts + shift, sample.duration, sample.composition_offset,
        sample.size, sample.description_index,
        (sample.flags & BMFF_SAMPLE_IS_NON_SYNC) != 0);
  return sample.dts + sample.duration + shift;
}

typedef struct
{
  BmffMovie *movie;
  GPtrArray *lines;
  guint64 ends[2]; /* of the tracks' samples so far */
  guint32 number; /* the last fragment's */
  guint64 moof; /* where the first one is */
  gboolean all_in_fragments;
} Reading;

static void
read_moov (Reading *self, BmffBox *moov)
{
  guint i;

  self->movie = bmff_movie_new (moov, NULL);
  fail_unless (self->movie && self->movie->tracks->len == 2);
  self->lines = new_lines (self->movie);
  for (i = 0; i < 2; i++) {
    const BmffTrack *track = self->movie->tracks->pdata[i];
    g_autoptr (BmffSampleTable) samples =
        bmff_sample_table_new_from_stbl (track->stbl, NULL);

    fail_unless (samples && track->has_trex);
    if (bmff_sample_table_get_count (samples) == 0)
      continue;
    self->all_in_fragments = FALSE;
    self->ends[i] = add_lines (self->lines->pdata[i], samples, 0);
  }
}

static void
read_moof (Reading *self, BmffBox *moof)
{
  g_autoptr (BmffFragment) fragment =
      bmff_fragment_new (moof, self->movie, NULL);
  guint i, track;

  fail_unless (fragment);
  fail_unless (fragment->sequence_number > self->number);
  if (self->number == 0)
    self->moof = fragment->offset;
  self->number = fragment->sequence_number;
  for (i = 0; i < fragment->trafs->len; i++) {
    const BmffTraf *traf = fragment->trafs->pdata[i];

    fail_unless (g_ptr_array_find (self->movie->tracks, traf->track, &track));
    self->ends[track] = add_lines (self->lines->pdata[track], traf->samples,
        traf->has_tfdt ? 0 : self->ends[track]);
  }
}

/* One of version 0 with a byte a number: the first sync sample is in the first moof. */
static void
check_mfra (const Reading *self, const BmffBox *mfra)
{
  const BmffBox *tfra = bmff_box_child (mfra, FOURCC ("tfra"));
  const guint8 *data = g_bytes_get_data (tfra->payload, NULL);

  fail_unless_equals_int (bmff_get_u32 (data + 12), 2);
  fail_unless_equals_int (bmff_get_u32 (data + 16), 0);
  fail_unless_equals_int (bmff_get_u32 (data + 20), self->moof);
  fail_unless (memcmp (data + 24, "\1\1\1", 3) == 0);
}

static Reading
read_file (GBytes *file, gboolean mixed)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  Reading self = { .all_in_fragments = TRUE };
  BmffHeader header;
  guint64 offset = 0;

  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    if (header.type == FOURCC ("moov"))
      read_moov (&self, bmff_source_read_box (source, offset, NULL));
    if (header.type == FOURCC ("moof"))
      read_moof (&self, bmff_source_read_box (source, offset, NULL));
    if (header.type == FOURCC ("mfra") && !mixed) {
      g_autoptr (BmffBox) mfra = bmff_source_read_box (source, offset, NULL);

      check_mfra (&self, mfra);
    }
  }
  return self;
}

static void
reading_clear (Reading *self)
{
  guint i;

  for (i = 0; i < self->lines->len; i++)
    g_string_free (self->lines->pdata[i], TRUE);
  g_ptr_array_unref (self->lines);
  bmff_movie_free (self->movie);
}

void
mixed_file_check (GBytes *clear, GBytes *out)
{
  Reading want = read_file (clear, TRUE), have = read_file (out, FALSE);
  guint i;

  fail_if (want.all_in_fragments);
  fail_unless (have.all_in_fragments);
  for (i = 0; i < 2; i++)
    fail_unless_equals_string (((GString *) want.lines->pdata[i])->str,
        ((GString *) have.lines->pdata[i])->str);
  reading_clear (&want);
  reading_clear (&have);
}
