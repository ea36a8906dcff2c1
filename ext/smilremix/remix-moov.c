/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-moov.h"

#include <string.h>

#include "remix-time.h"

#define FCC BMFF_FOURCC
#define FLAGS_SYNC 0x02000000u
#define FLAGS_NON_SYNC 0x01010000u

static const guint32 matrix[9] = { 0x10000, 0, 0, 0, 0x10000, 0, 0, 0,
  0x40000000 };

static RemixOutput *
get_output (const RemixPlan *plan, guint i)
{
  return g_ptr_array_index (plan->outputs, i);
}

static guint32
get_movie_timescale (const RemixPlan *plan)
{
  return get_output (plan, plan->leader)->timescale;
}

void
remix_moov_write_ftyp (BmffWriter *writer, gboolean fragmented)
{
  bmff_writer_begin_box (writer, FCC ('f', 't', 'y', 'p'));
  bmff_writer_u32 (writer, FCC ('i', 's', 'o', '6'));
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, FCC ('i', 's', 'o', 'm'));
  bmff_writer_u32 (writer, FCC ('i', 's', 'o', '6'));
  bmff_writer_u32 (writer, FCC ('m', 'p', '4', '1'));
  if (fragmented)
    bmff_writer_u32 (writer, FCC ('m', 's', 'd', 'h'));
  bmff_writer_end_box (writer);
}

static void
write_matrix (BmffWriter *writer)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (matrix); i++)
    bmff_writer_u32 (writer, matrix[i]);
}

static void
write_mvhd (BmffWriter *writer, const RemixPlan *plan, guint64 duration)
{
  bmff_writer_begin_full_box (writer, FCC ('m', 'v', 'h', 'd'), 1, 0);
  bmff_writer_zeros (writer, 16);
  bmff_writer_u32 (writer, get_movie_timescale (plan));
  bmff_writer_u64 (writer, duration);
  bmff_writer_u32 (writer, 0x10000); /* rate */
  bmff_writer_u16 (writer, 0x100); /* volume */
  bmff_writer_zeros (writer, 10);
  write_matrix (writer);
  bmff_writer_zeros (writer, 24);
  bmff_writer_u32 (writer, plan->outputs->len + 1);
  bmff_writer_end_box (writer);
}

static void
write_tkhd (BmffWriter *writer, const RemixOutput *output, guint id,
    guint64 duration)
{
  bmff_writer_begin_full_box (writer, FCC ('t', 'k', 'h', 'd'), 1, 3);
  bmff_writer_zeros (writer, 16);
  bmff_writer_u32 (writer, id);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u64 (writer, duration);
  bmff_writer_zeros (writer, 8);
  bmff_writer_u16 (writer, 0); /* layer */
  bmff_writer_u16 (writer, 0); /* alternate_group */
  bmff_writer_u16 (writer, output->kind == REMIX_KIND_AUDIO ? 0x100 : 0);
  bmff_writer_u16 (writer, 0);
  write_matrix (writer);
  bmff_writer_u32 (writer, output->tkhd_width);
  bmff_writer_u32 (writer, output->tkhd_height);
  bmff_writer_end_box (writer);
}

/* One normal edit, always: players drop or misread anything else. */
static void
write_edts (BmffWriter *writer, const RemixOutput *output, guint64 duration)
{
  bmff_writer_begin_box (writer, FCC ('e', 'd', 't', 's'));
  bmff_writer_begin_full_box (writer, FCC ('e', 'l', 's', 't'), 1, 0);
  bmff_writer_u32 (writer, 1);
  bmff_writer_u64 (writer, duration);
  bmff_writer_u64 (writer, output->media_time);
  bmff_writer_u32 (writer, 0x10000);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
}

/* Three letters of five bits (8.4.2.3). */
static guint16
pack_language (const gchar *language)
{
  guint16 packed = 0;
  guint i;

  if (strlen (language) != 3)
    language = "und";
  for (i = 0; i < 3; i++)
    packed = (guint16) (packed << 5 | ((guint8) (language[i] - 0x60) & 0x1f));
  return packed;
}

static void
write_mdhd (BmffWriter *writer, const RemixOutput *output, guint64 duration)
{
  bmff_writer_begin_full_box (writer, FCC ('m', 'd', 'h', 'd'), 1, 0);
  bmff_writer_zeros (writer, 16);
  bmff_writer_u32 (writer, output->timescale);
  bmff_writer_u64 (writer, duration);
  bmff_writer_u16 (writer, pack_language (output->language));
  bmff_writer_u16 (writer, 0);
  bmff_writer_end_box (writer);
}

static void
write_hdlr (BmffWriter *writer, const RemixOutput *output)
{
  static const gchar *const names[] = { "VideoHandler", "SoundHandler",
    "TextHandler", "DataHandler" };
  const gchar *name = names[output->kind];

  bmff_writer_begin_full_box (writer, FCC ('h', 'd', 'l', 'r'), 0, 0);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, output->handler);
  bmff_writer_zeros (writer, 12);
  bmff_writer_bytes (writer, (const guint8 *) name, strlen (name) + 1);
  bmff_writer_end_box (writer);
}

static void
write_media_header (BmffWriter *writer, const RemixOutput *output)
{
  if (output->kind == REMIX_KIND_VIDEO) {
    bmff_writer_begin_full_box (writer, FCC ('v', 'm', 'h', 'd'), 0, 1);
    bmff_writer_zeros (writer, 8);
  } else if (output->kind == REMIX_KIND_AUDIO) {
    bmff_writer_begin_full_box (writer, FCC ('s', 'm', 'h', 'd'), 0, 0);
    bmff_writer_zeros (writer, 4);
  } else if (output->handler == FCC ('s', 'u', 'b', 't')) {
    bmff_writer_begin_full_box (writer, FCC ('s', 't', 'h', 'd'), 0, 0);
  } else {
    bmff_writer_begin_full_box (writer, FCC ('n', 'm', 'h', 'd'), 0, 0);
  }
  bmff_writer_end_box (writer);
}

static void
write_dinf (BmffWriter *writer)
{
  bmff_writer_begin_box (writer, FCC ('d', 'i', 'n', 'f'));
  bmff_writer_begin_full_box (writer, FCC ('d', 'r', 'e', 'f'), 0, 0);
  bmff_writer_u32 (writer, 1);
  bmff_writer_begin_full_box (writer, FCC ('u', 'r', 'l', ' '), 0, 1);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
}

static void
write_bytes (BmffWriter *writer, GBytes *bytes)
{
  bmff_writer_bytes (writer, g_bytes_get_data (bytes, NULL),
      g_bytes_get_size (bytes));
}

static void
write_stsd (BmffWriter *writer, const RemixOutput *output)
{
  guint i;

  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 'd'), 0, 0);
  bmff_writer_u32 (writer, output->entry ? 1 : output->formats->len);
  if (output->entry)
    write_bytes (writer, output->entry);
  for (i = 0; !output->entry && i < output->formats->len; i++)
    write_bytes (writer,
        ((RemixFormat *) g_ptr_array_index (output->formats, i))->entry);
  bmff_writer_end_box (writer);
}

static const RemixSample *
get_sample (const RemixOutput *output, guint32 i)
{
  return &g_array_index (output->samples, RemixSample, i);
}

/* Tables are long: a call of the writer for each number would take most of the
 * time of a plan. */
typedef struct
{
  BmffWriter *writer;
  gsize used;
  guint8 bytes[4096];
} Bulk;

static void
flush_bulk (Bulk *self)
{
  bmff_writer_bytes (self->writer, self->bytes, self->used);
  self->used = 0;
}

static inline void
put_u32 (Bulk *self, guint32 value)
{
  if (self->used + 4 > sizeof (self->bytes))
    flush_bulk (self);
  bmff_put_u32 (self->bytes + self->used, value);
  self->used += 4;
}

/* Runs of equal values: stts by duration, ctts by composition offset. */
static void
write_runs (BmffWriter *writer, const RemixOutput *output, guint32 type)
{
  gboolean stts = type == FCC ('s', 't', 't', 's');
  Bulk bulk = { writer, 0 };
  gsize count_at;
  guint32 n = 0, run = 0, last = 0, i;

  bmff_writer_begin_full_box (writer, type, 0, 0);
  count_at = bmff_writer_tell (writer);
  bmff_writer_u32 (writer, 0);
  for (i = 0; i < output->samples->len; i++) {
    const RemixSample *sample = get_sample (output, i);
    guint32 value = stts ? sample->duration : (guint32) sample->composition;

    if (run > 0 && value != last) {
      put_u32 (&bulk, run);
      put_u32 (&bulk, last);
      n++;
      run = 0;
    }
    last = value;
    run++;
  }
  if (run > 0) {
    put_u32 (&bulk, run);
    put_u32 (&bulk, last);
    n++;
  }
  flush_bulk (&bulk);
  bmff_writer_patch_u32 (writer, count_at, n);
  bmff_writer_end_box (writer);
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static gboolean
has_composition (const RemixOutput *output)
{
  guint32 i;

  for (i = 0; i < output->samples->len; i++) {
    if (get_sample (output, i)->composition != 0)
      return TRUE;
  }
  return FALSE;
}

/*
 * qtdemux up to 1.24 takes the end of the title for a time of the media, and ends at
 * the first sync sample behind that: where a start is hidden, before the title does.
 * Nobody has to start there, unless the playlist says so; the title's first sample
 * does not lie there.
 */
static gboolean
is_listed (const RemixPlan *plan, const RemixOutput *output,
    const RemixSample *sample, guint64 dts)
{
  gint64 time =
      (gint64) dts + sample->composition - (gint64) output->media_time;

  if (!sample->sync || dts < output->duration)
    return sample->sync;
  return output == get_output (plan, plan->leader) &&
      g_array_binary_search (plan->conditions, &time, compare_times, NULL);
}

/* Absent means that every sample is a sync sample. */
static void
write_stss (BmffWriter *writer, const RemixPlan *plan,
    const RemixOutput *output)
{
  Bulk bulk = { writer, 0 };
  guint64 dts = 0;
  gsize count_at;
  guint32 n = 0, i;

  for (i = 0; i < output->samples->len; i++)
    n += get_sample (output, i)->sync;
  if (n == output->samples->len)
    return;
  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 's'), 0, 0);
  count_at = bmff_writer_tell (writer);
  bmff_writer_u32 (writer, 0);
  for (i = n = 0; i < output->samples->len; i++) {
    const RemixSample *sample = get_sample (output, i);

    if (is_listed (plan, output, sample, dts)) {
      put_u32 (&bulk, i + 1);
      n++;
    }
    dts += sample->duration;
  }
  flush_bulk (&bulk);
  bmff_writer_patch_u32 (writer, count_at, n);
  bmff_writer_end_box (writer);
}

static void
write_stsc (BmffWriter *writer, const RemixOutput *output, const GArray *chunks)
{
  Bulk bulk = { writer, 0 };
  gsize count_at;
  guint32 n = 0, last_count = 0, i;
  guint last_description = 0;

  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 'c'), 0, 0);
  count_at = bmff_writer_tell (writer);
  bmff_writer_u32 (writer, 0);
  for (i = 0; chunks && i < chunks->len; i++) {
    const RemixChunk *chunk = &g_array_index (chunks, RemixChunk, i);
    guint description = 1u +
        remix_output_get_description (output,
            get_sample (output, chunk->first));

    if (chunk->count == last_count && description == last_description)
      continue;
    put_u32 (&bulk, i + 1);
    put_u32 (&bulk, chunk->count);
    put_u32 (&bulk, description);
    last_count = chunk->count;
    last_description = description;
    n++;
  }
  flush_bulk (&bulk);
  bmff_writer_patch_u32 (writer, count_at, n);
  bmff_writer_end_box (writer);
}

static void
write_stsz (BmffWriter *writer, const RemixOutput *output, gboolean empty)
{
  Bulk bulk = { writer, 0 };
  guint32 i, n = empty ? 0 : output->samples->len;

  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 'z'), 0, 0);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, n);
  for (i = 0; i < n; i++)
    put_u32 (&bulk, get_sample (output, i)->size);
  flush_bulk (&bulk);
  bmff_writer_end_box (writer);
}

/* Room for the offsets, which are known when the moov's size is. */
static void
write_stco (BmffWriter *writer, const GArray *chunks, gboolean wide,
    gsize *table_at)
{
  guint32 n = chunks ? chunks->len : 0;

  bmff_writer_begin_full_box (writer,
      wide ? FCC ('c', 'o', '6', '4') : FCC ('s', 't', 'c', 'o'), 0, 0);
  bmff_writer_u32 (writer, n);
  *table_at = bmff_writer_tell (writer);
  bmff_writer_zeros (writer, (wide ? 8 : 4) * (gsize) n);
  bmff_writer_end_box (writer);
}

void
remix_moov_patch (BmffWriter *writer, const GArray *chunks, guint64 base,
    gboolean wide, gsize table_at)
{
  guint32 i;

  for (i = 0; i < chunks->len; i++) {
    guint64 offset = base + g_array_index (chunks, RemixChunk, i).offset;

    if (wide)
      bmff_writer_patch_u64 (writer, table_at + 8 * (gsize) i, offset);
    else
      bmff_writer_patch_u32 (writer, table_at + 4 * (gsize) i,
          (guint32) offset);
  }
}

static void
write_empty_stts (BmffWriter *writer)
{
  bmff_writer_begin_full_box (writer, FCC ('s', 't', 't', 's'), 0, 0);
  bmff_writer_u32 (writer, 0);
  bmff_writer_end_box (writer);
}

static void
write_stbl (BmffWriter *writer, const RemixPlan *plan,
    const RemixOutput *output, const GArray *chunks, gboolean wide,
    gsize *table_at)
{
  bmff_writer_begin_box (writer, FCC ('s', 't', 'b', 'l'));
  write_stsd (writer, output);
  if (chunks) {
    write_runs (writer, output, FCC ('s', 't', 't', 's'));
    if (has_composition (output))
      write_runs (writer, output, FCC ('c', 't', 't', 's'));
    write_stss (writer, plan, output);
  } else {
    write_empty_stts (writer);
  }
  write_stsc (writer, output, chunks);
  write_stsz (writer, output, chunks == NULL);
  write_stco (writer, chunks, wide, table_at);
  bmff_writer_end_box (writer);
}

static void
write_trak (BmffWriter *writer, const RemixPlan *plan, guint i,
    const GArray *chunks, gboolean wide, gsize *table_at)
{
  const RemixOutput *output = get_output (plan, i);
  /* In a fragmented file the duration is that of the moov: none. */
  guint64 duration = chunks ? plan->duration : 0;

  bmff_writer_begin_box (writer, FCC ('t', 'r', 'a', 'k'));
  write_tkhd (writer, output, i + 1, duration);
  write_edts (writer, output, duration);
  bmff_writer_begin_box (writer, FCC ('m', 'd', 'i', 'a'));
  write_mdhd (writer, output, chunks ? output->media_duration : 0);
  write_hdlr (writer, output);
  bmff_writer_begin_box (writer, FCC ('m', 'i', 'n', 'f'));
  write_media_header (writer, output);
  write_dinf (writer);
  write_stbl (writer, plan, output, chunks, wide, table_at);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
  bmff_writer_end_box (writer);
}

static void
write_mvex (BmffWriter *writer, const RemixPlan *plan)
{
  guint i;

  bmff_writer_begin_box (writer, FCC ('m', 'v', 'e', 'x'));
  bmff_writer_begin_full_box (writer, FCC ('m', 'e', 'h', 'd'), 1, 0);
  bmff_writer_u64 (writer, plan->duration);
  bmff_writer_end_box (writer);
  for (i = 0; i < plan->outputs->len; i++) {
    bmff_writer_begin_full_box (writer, FCC ('t', 'r', 'e', 'x'), 0, 0);
    bmff_writer_u32 (writer, i + 1);
    bmff_writer_u32 (writer, 1);
    bmff_writer_zeros (writer, 12);
    bmff_writer_end_box (writer);
  }
  bmff_writer_end_box (writer);
}

void
remix_moov_write (BmffWriter *writer, const RemixPlan *plan,
    GArray *const *chunks, gboolean wide, gsize *tables_at)
{
  gsize none;
  guint i;

  bmff_writer_begin_box (writer, FCC ('m', 'o', 'o', 'v'));
  write_mvhd (writer, plan, chunks ? plan->duration : 0);
  for (i = 0; i < plan->outputs->len; i++)
    write_trak (writer, plan, i, chunks ? chunks[i] : NULL, wide,
        tables_at ? &tables_at[i] : &none);
  if (!chunks)
    write_mvex (writer, plan);
  bmff_writer_end_box (writer);
}

/* data-offset, and per sample duration, size, flags and composition offset:
 * always all, so that the size follows from the count. */
static void
write_trun (BmffWriter *writer, const RemixOutput *output, guint32 first,
    guint32 count, gsize *data_offset_at)
{
  guint32 i;

  bmff_writer_begin_full_box (writer, FCC ('t', 'r', 'u', 'n'), 0, 0xf01);
  bmff_writer_u32 (writer, count);
  *data_offset_at = bmff_writer_tell (writer);
  bmff_writer_u32 (writer, 0);
  for (i = first; i < first + count; i++) {
    const RemixSample *sample = get_sample (output, i);

    bmff_writer_u32 (writer, sample->duration);
    bmff_writer_u32 (writer, sample->size);
    bmff_writer_u32 (writer, sample->sync ? FLAGS_SYNC : FLAGS_NON_SYNC);
    bmff_writer_u32 (writer, (guint32) sample->composition);
  }
  bmff_writer_end_box (writer);
}

static void
write_traf (BmffWriter *writer, const RemixPlan *plan, guint i,
    const RemixFragment *fragment, gsize *data_offset_at)
{
  const RemixOutput *output = get_output (plan, i);

  bmff_writer_begin_box (writer, FCC ('t', 'r', 'a', 'f'));
  /* default-base-is-moof, sample-description-index-present */
  bmff_writer_begin_full_box (writer, FCC ('t', 'f', 'h', 'd'), 0, 0x20002);
  bmff_writer_u32 (writer, i + 1);
  bmff_writer_u32 (writer,
      remix_output_get_description (output,
          get_sample (output, fragment->first[i])) +
          1u);
  bmff_writer_end_box (writer);
  bmff_writer_begin_full_box (writer, FCC ('t', 'f', 'd', 't'), 1, 0);
  bmff_writer_u64 (writer, fragment->decode_time[i]);
  bmff_writer_end_box (writer);
  write_trun (writer, output, fragment->first[i], fragment->count[i],
      data_offset_at);
  bmff_writer_end_box (writer);
}

static guint64
get_data_size (const RemixOutput *output, guint32 first, guint32 count)
{
  guint64 size = 0;
  guint32 i;

  for (i = first; i < first + count; i++)
    size += get_sample (output, i)->size;
  return size;
}

void
remix_moov_write_moof (BmffWriter *writer, const RemixPlan *plan,
    const RemixFragment *fragment, guint32 sequence_number)
{
  g_autofree gsize *at = g_new0 (gsize, plan->outputs->len);
  gsize start = bmff_writer_tell (writer);
  guint64 offset;
  guint i;

  bmff_writer_begin_box (writer, FCC ('m', 'o', 'o', 'f'));
  bmff_writer_begin_full_box (writer, FCC ('m', 'f', 'h', 'd'), 0, 0);
  bmff_writer_u32 (writer, sequence_number);
  bmff_writer_end_box (writer);
  for (i = 0; i < plan->outputs->len; i++) {
    if (fragment->count[i] > 0)
      write_traf (writer, plan, i, fragment, &at[i]);
  }
  bmff_writer_end_box (writer);
  offset = bmff_writer_tell (writer) - start + 8;
  for (i = 0; i < plan->outputs->len; i++) {
    if (fragment->count[i] == 0)
      continue;
    bmff_writer_patch_u32 (writer, at[i], (guint32) offset);
    offset += get_data_size (get_output (plan, i), fragment->first[i],
        fragment->count[i]);
  }
}

void
remix_moov_write_sidx (BmffWriter *writer, const RemixPlan *plan,
    const RemixFragment *fragments, const guint64 *sizes, guint n)
{
  guint i;

  bmff_writer_begin_full_box (writer, FCC ('s', 'i', 'd', 'x'), 1, 0);
  bmff_writer_u32 (writer, plan->leader + 1);
  bmff_writer_u32 (writer, get_movie_timescale (plan));
  bmff_writer_u64 (writer, (guint64) MAX (fragments[0].earliest, 0));
  bmff_writer_u64 (writer, 0);
  bmff_writer_u16 (writer, 0);
  bmff_writer_u16 (writer, (guint16) n);
  for (i = 0; i < n; i++) {
    bmff_writer_u32 (writer, (guint32) sizes[i]);
    bmff_writer_u32 (writer, (guint32) (fragments[i].end - fragments[i].begin));
    bmff_writer_u32 (writer, fragments[i].sync ? 0x90000000u : 0);
  }
  bmff_writer_end_box (writer);
}
