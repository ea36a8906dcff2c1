/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file, box by box, through everything that the room has for the boxes that
 * are in it. What two ways give has to agree.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-source.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Samples of a table that are looked at: a few bytes claim 2^32. */
#define MAX_SAMPLES 2000
/* A file of many small fragments would make runs slow without trying more. */
#define MAX_BOXES 64

static guint64
move (guint64 offset, gpointer user_data)
{
  return offset + *(guint64 *) user_data;
}

static gboolean
may_be_item (guint64 start, guint64 end, gpointer user_data)
{
  return start < end || end < *(guint64 *) user_data;
}

static void
fuzz_tree (const BmffBox *box, GBytes *file)
{
  g_autoptr (BmffBox) copy = bmff_box_copy (box);
  g_autoptr (GBytes) written = bmff_box_to_bytes (copy);
  const guint8 *a = g_bytes_get_data (written, NULL);
  const guint8 *b =
      (const guint8 *) g_bytes_get_data (file, NULL) + box->offset;

  g_assert (g_bytes_get_size (written) == box->parsed_size);
  g_assert (bmff_box_get_size (box) == box->parsed_size);
  /* A size of 0 becomes a size. */
  if (bmff_get_u32 (b) != 0)
    g_assert (memcmp (a, b, box->parsed_size) == 0);
}

static gboolean
same (const BmffSample *a, const BmffSample *b)
{
  return a->offset == b->offset && a->size == b->size && a->dts == b->dts &&
      a->duration == b->duration && a->flags == b->flags &&
      a->composition_offset == b->composition_offset &&
      a->description_index == b->description_index;
}

static void
fuzz_table (const BmffSampleTable *table)
{
  guint32 count = bmff_sample_table_get_count (table), i, found;
  BmffSampleCursor cursor;
  BmffSample a, b;

  bmff_sample_cursor_init (&cursor, table, 0);
  for (i = 0; i < MAX_SAMPLES && bmff_sample_cursor_next (&cursor, &a); i++) {
    g_assert (bmff_sample_table_get (table, i, &b));
    g_assert (same (&a, &b));
    found = bmff_sample_table_find_dts (table, a.dts);
    g_assert (found >= i);
    g_assert (bmff_sample_table_get (table, found, &b) && b.dts == a.dts);
  }
  g_assert (i == MIN (count, MAX_SAMPLES));
  if (count > 0)
    g_assert (bmff_sample_table_get (table, count - 1, &a));
  g_assert (!bmff_sample_table_get (table, count, &a));
}

static void
fuzz_groups (const BmffBox *parent)
{
  static const guint32 types[] = { BMFF_FOURCC ('s', 'e', 'i', 'g'),
    BMFF_FOURCC ('r', 'o', 'l', 'l') };
  guint32 i, k, unused, local;

  for (k = 0; k < G_N_ELEMENTS (types); k++) {
    g_autoptr (BmffGroupMap) map =
        bmff_group_map_parse (parent, types[k], NULL);
    g_autoptr (GBytes) entry = NULL;

    for (i = 0; map != NULL && i < MAX_SAMPLES; i++)
      bmff_group_map_get (map, i * i);
    if (map != NULL)
      bmff_group_map_get_highest (map, &unused, &local);
    for (i = 0; i < 4; i++) {
      g_clear_pointer (&entry, g_bytes_unref);
      entry = bmff_sgpd_get_entry (parent, types[k], i, &unused, NULL);
    }
  }
}

static void
fuzz_map (GPtrArray *tables)
{
  g_autoptr (BmffSampleMap) map = bmff_sample_map_new (tables, NULL);
  BmffMapCursor cursor, other;
  BmffMappedSample a, b;
  guint i;

  if (map == NULL)
    return;
  bmff_map_cursor_init (&cursor, map, 0);
  for (i = 0; i < MAX_SAMPLES && bmff_map_cursor_next (&cursor, &a); i++) {
    if (a.sample.size == 0)
      continue;
    bmff_map_cursor_init (&other, map, a.sample.offset);
    g_assert (bmff_map_cursor_next (&other, &b));
    g_assert (a.track == b.track && a.index == b.index);
    g_assert (same (&a.sample, &b.sample));
  }
}

static void
fuzz_movie (BmffMovie *movie, guint64 delta)
{
  g_autoptr (GPtrArray) tables =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_sample_table_unref);
  gboolean grown = FALSE;
  guint i;

  for (i = 0; i < movie->tracks->len && i < MAX_BOXES; i++) {
    BmffTrack *track = g_ptr_array_index (movie->tracks, i);
    BmffSampleTable *table =
        bmff_sample_table_new_from_stbl (track->stbl, NULL);

    fuzz_groups (track->stbl);
    bmff_track_is_local (track, 1);
    if (table == NULL)
      continue;
    fuzz_table (table);
    g_ptr_array_add (tables, table);
  }
  fuzz_map (tables);
  if (bmff_movie_move_chunks (movie, move, &delta, &grown, NULL) && grown)
    g_assert (
        bmff_movie_move_chunks (movie, move, &delta, &grown, NULL) && !grown);
}

static void
fuzz_fragment (BmffBox *moof, const BmffMovie *movie, guint64 delta)
{
  g_autoptr (BmffFragment) fragment = bmff_fragment_new (moof, movie, NULL);
  guint i, k;

  if (fragment == NULL)
    return;
  for (i = 0; i < fragment->trafs->len; i++) {
    BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);

    fuzz_table (traf->samples);
    fuzz_groups (traf->box);
    for (k = 0; k < traf->runs->len; k++)
      bmff_run_set_offset (traf, &g_array_index (traf->runs, BmffRun, k),
          traf->base_data_offset, delta, NULL);
    if (traf->has_base_data_offset)
      bmff_traf_set_base_data_offset (traf, delta);
  }
}

static void
fuzz_sidx (const BmffBox *box, guint64 delta)
{
  guint64 end = box->offset + box->parsed_size;
  g_autoptr (BmffSidx) sidx = bmff_sidx_parse (box, NULL);
  g_autoptr (BmffBox) written = NULL;

  if (sidx == NULL)
    return;
  bmff_sidx_move (sidx, end, end + delta, move, &delta, NULL);
  written = bmff_sidx_to_box (sidx);
}

static void
fuzz_box (BmffBox *box, GBytes *file, BmffMovie **movie, guint64 delta)
{
  fuzz_tree (box, file);
  switch (box->type) {
    case BMFF_FOURCC ('m', 'o', 'o', 'v'):
      bmff_movie_free (*movie);
      *movie = bmff_movie_new (box, NULL);
      if (*movie == NULL)
        return;
      fuzz_tree ((*movie)->moov, file);
      fuzz_movie (*movie, delta);
      return;
    case BMFF_FOURCC ('m', 'o', 'o', 'f'):
      if (*movie == NULL)
        break;
      fuzz_fragment (box, *movie, delta);
      return;
    case BMFF_FOURCC ('s', 'i', 'd', 'x'):
      fuzz_sidx (box, delta);
      break;
    case BMFF_FOURCC ('m', 'e', 't', 'a'):
      bmff_meta_check_items (box, may_be_item, &delta, NULL);
      bmff_meta_move_items (box, move, &delta, NULL);
      break;
    case BMFF_FOURCC ('m', 'f', 'r', 'a'):
      bmff_mfra_move (box, move, &delta, NULL);
      break;
    case BMFF_FOURCC ('s', 't', 's', 'd'):
      bmff_box_parse_stsd (box, BMFF_HANDLER_AUDIO, NULL);
      break;
    default:
      fuzz_groups (box);
      break;
  }
  bmff_box_free (box);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* Memory of exactly this size, so that a read past it is seen. */
  g_autoptr (GBytes) file = g_bytes_new (data, size);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  guint64 delta = size & 1 ? 1000 : 0xffffff00u, offset = 0;
  BmffMovie *movie = NULL;
  BmffHeader header;
  guint i;

  for (i = 0; i < MAX_BOXES; i++) {
    BmffBox *box;

    if (!bmff_source_read_header (source, offset, &header, NULL))
      break;
    box = bmff_source_read_box (source, offset, NULL);
    if (box != NULL)
      fuzz_box (box, file, &movie, delta);
    offset += header.size;
  }
  bmff_movie_free (movie);

  return 0;
}
