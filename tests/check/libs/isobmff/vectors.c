/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every file of other people's: what is parsed and written again is the same
 * bytes, tables say what lies in the mdat boxes, and nothing crashes on the
 * malformed ones.
 */

#include "bmff-test.h"

#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-source.h"

/* What a walk over a file has found. */
typedef struct
{
  const gchar *path;
  gboolean good; /* an error is a failure */
  BmffSource *source;
  BmffMovie *movie;
  GArray *mdats; /* (element-type Range): their payloads */
  guint64 mdat_bytes, sample_bytes, aux_bytes;
  guint n_samples, n_boxes;
} Walk;

typedef struct
{
  guint64 start, end;
} Range;

static guint64
stay (guint64 offset, gpointer user_data)
{
  return offset;
}

/* TRUE if there was none. */
static gboolean
take_error (Walk *self, GError *error)
{
  if (error == NULL)
    return TRUE;
  fail_unless (!self->good, "%s: %s", self->path, error->message);
  fail_unless (error->domain == BMFF_ERROR && error->message[0] != '\0');
  g_error_free (error);

  return FALSE;
}

/* The box's bytes in the file, but for a size field of 0 or one of a largesize,
 * which is not what the others say. */
static void
assert_identical (Walk *self, const BmffBox *box)
{
  g_autoptr (GBytes) written = bmff_box_to_bytes (box);
  g_autoptr (GBytes) read =
      bmff_source_read (self->source, box->offset, box->parsed_size, NULL);
  gsize size, written_size;
  const guint8 *a = g_bytes_get_data (read, &size);
  const guint8 *b = g_bytes_get_data (written, &written_size);
  gsize skip = bmff_get_u32 (a) == 0 ? 4 : 0;

  fail_unless (size == written_size &&
          memcmp (a + skip, b + skip, size - skip) == 0,
      "%s: box at %" G_GUINT64_FORMAT " changed", self->path, box->offset);
}

static gboolean
in_mdat (const Walk *self, guint64 start, guint64 end)
{
  guint i;

  for (i = 0; i < self->mdats->len; i++) {
    const Range *range = &g_array_index (self->mdats, Range, i);

    if (start >= range->start && end <= range->end)
      return TRUE;
  }

  return FALSE;
}

static void
walk_table (Walk *self, const BmffSampleTable *table)
{
  BmffSampleCursor cursor;
  BmffSample s;
  guint64 bytes = 0, dts = 0;
  guint32 n = 0, max = self->good ? G_MAXUINT32 : 100000;

  bmff_sample_cursor_init (&cursor, table, 0);
  while (n < max && bmff_sample_cursor_next (&cursor, &s)) {
    if (self->good && !in_mdat (self, s.offset, s.offset + s.size))
      fail ("%s: sample %u is not in an mdat", self->path, n);
    if (s.dts < dts)
      fail ("%s: sample %u goes back in time", self->path, n);
    dts = s.dts;
    bytes += s.size;
    n++;
  }
  if (n < max) {
    fail_unless_equals_int (n, bmff_sample_table_get_count (table));
    fail_unless_equals_uint64 (bytes, bmff_sample_table_get_total_size (table));
  }
  self->n_samples += n;
  self->sample_bytes += bytes;
}

static void
walk_groups (Walk *self, const BmffBox *parent)
{
  static const gchar *types[] = { "seig", "roll", "rap ", "sync" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (types); i++) {
    GError *error = NULL;
    g_autoptr (BmffGroupMap) map =
        bmff_group_map_parse (parent, FCC (types[i]), &error);
    g_autoptr (GBytes) entry = NULL;

    take_error (self, error);
    if (map != NULL)
      bmff_group_map_get (map, 7);
    error = NULL;
    entry = bmff_sgpd_get_entry (parent, FCC (types[i]), 1, NULL, &error);
    take_error (self, error);
  }
}

static void
walk_map (Walk *self, GPtrArray *tables)
{
  GError *error = NULL;
  g_autoptr (BmffSampleMap) map = bmff_sample_map_new (tables, &error);
  BmffMapCursor cursor;
  BmffMappedSample s;
  guint64 offset = 0;
  guint n = 0, expected = 0, i;

  if (!take_error (self, error))
    return;
  for (i = 0; i < tables->len; i++)
    if (g_ptr_array_index (tables, i) != NULL)
      expected += bmff_sample_table_get_count (g_ptr_array_index (tables, i));
  bmff_map_cursor_init (&cursor, map, 0);
  for (; n < 100000 && bmff_map_cursor_next (&cursor, &s); n++) {
    if (s.sample.size > 0 && s.sample.offset < offset)
      fail ("%s: the map goes back", self->path);
    offset = MAX (offset, s.sample.offset);
  }
  fail_unless (n == 100000 || n == expected, "%s: %u samples of %u in the map",
      self->path, n, expected);
}

static void
walk_moov (Walk *self, BmffBox *moov)
{
  g_autoptr (GPtrArray) tables =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_sample_table_unref);
  GError *error = NULL;
  gboolean grown;
  guint i;

  bmff_movie_free (self->movie);
  self->movie = bmff_movie_new (moov, &error);
  if (!take_error (self, error))
    return;
  /* Now with the sample entries parsed too. */
  assert_identical (self, self->movie->moov);
  for (i = 0; i < self->movie->tracks->len; i++) {
    BmffTrack *track = g_ptr_array_index (self->movie->tracks, i);
    BmffSampleTable *table =
        bmff_sample_table_new_from_stbl (track->stbl, &error);

    walk_groups (self, track->stbl);
    if (!take_error (self, g_steal_pointer (&error)))
      continue;
    walk_table (self, table);
    g_ptr_array_add (tables, table);
  }
  walk_map (self, tables);
  if (bmff_movie_move_chunks (self->movie, stay, NULL, &grown, &error))
    assert_identical (self, self->movie->moov);
  take_error (self, error);
}

/* Bytes that saiz says are elsewhere, where there is no senc. */
static guint64
count_aux (const BmffBox *traf)
{
  BmffBox *saiz = bmff_box_child (traf, FCC ("saiz"));
  BmffReader reader;
  guint32 flags, count;
  guint64 sum = 0;
  guint8 size;

  if (saiz == NULL || bmff_box_child (traf, FCC ("senc")) != NULL ||
      bmff_box_child (traf, FCC ("uuid")) != NULL ||
      !bmff_box_get_full_reader (saiz, &reader, NULL, &flags, NULL))
    return 0;
  bmff_reader_skip (&reader, flags & 1 ? 8 : 0);
  size = bmff_reader_u8 (&reader);
  count = bmff_reader_u32 (&reader);
  if (size != 0)
    return (guint64) size * count;
  for (; count > 0 && bmff_reader_ok (&reader); count--)
    sum += bmff_reader_u8 (&reader);

  return sum;
}

static void
walk_moof (Walk *self, BmffBox *moof)
{
  g_autoptr (BmffFragment) fragment = NULL;
  GError *error = NULL;
  guint i;

  if (self->movie == NULL) {
    bmff_box_free (moof);
    return;
  }
  fragment = bmff_fragment_new (moof, self->movie, &error);
  if (!take_error (self, error))
    return;
  for (i = 0; i < fragment->trafs->len; i++) {
    BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);

    walk_table (self, traf->samples);
    self->aux_bytes += count_aux (traf->box);
    walk_groups (self, traf->box);
  }
}

static void
walk_sidx (Walk *self, const BmffBox *box)
{
  guint64 end = box->offset + box->parsed_size;
  GError *error = NULL;
  g_autoptr (BmffSidx) sidx = bmff_sidx_parse (box, &error);
  g_autoptr (BmffBox) written = NULL;

  if (!take_error (self, error))
    return;
  if (bmff_sidx_move (sidx, end, end, stay, NULL, &error)) {
    written = bmff_sidx_to_box (sidx);
    fail_unless (!self->good || g_bytes_equal (written->payload, box->payload),
        "%s: sidx changed", self->path);
  }
  take_error (self, error);
}

static void
walk_box (Walk *self, guint64 offset, const BmffHeader *header)
{
  GError *error = NULL;
  g_autoptr (BmffBox) box = NULL;

  if (header->type == FCC ("mdat"))
    return;
  box = bmff_source_read_box (self->source, offset, &error);
  if (!take_error (self, error))
    return;
  self->n_boxes++;
  assert_identical (self, box);
  if (box->type == FCC ("moov"))
    walk_moov (self, g_steal_pointer (&box));
  else if (box->type == FCC ("moof"))
    walk_moof (self, g_steal_pointer (&box));
  else if (box->type == FCC ("sidx"))
    walk_sidx (self, box);
  else if (box->type == FCC ("mfra") || box->type == FCC ("meta")) {
    if (box->type == FCC ("mfra")
            ? bmff_mfra_move (box, stay, NULL, &error)
            : bmff_meta_move_items (box, stay, NULL, &error))
      assert_identical (self, box);
    take_error (self, error);
  }
}

/* Calls @func for each box of the file until something is wrong. */
static void
walk_top (Walk *self, void (*func) (Walk *, guint64, const BmffHeader *))
{
  GError *error = NULL;
  BmffHeader header;
  guint64 offset = 0;

  while (bmff_source_read_header (self->source, offset, &header, &error)) {
    func (self, offset, &header);
    offset += header.size;
  }
  take_error (self, error);
}

static void
note_mdat (Walk *self, guint64 offset, const BmffHeader *header)
{
  Range range = { offset + header->header_size, offset + header->size };

  if (header->type != FCC ("mdat"))
    return;
  g_array_append_val (self->mdats, range);
  self->mdat_bytes += range.end - range.start;
}

static void
walk_file (Walk *self)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (self->path, FALSE, NULL);
  g_autoptr (GBytes) bytes = NULL;

  fail_unless (file != NULL, "%s", self->path);
  bytes = g_mapped_file_get_bytes (file);
  self->source = bmff_source_new_bytes (bytes, 0);
  self->mdats = g_array_new (FALSE, FALSE, sizeof (Range));
  walk_top (self, note_mdat);
  walk_top (self, walk_box);
  bmff_source_free (self->source);
  bmff_movie_free (self->movie);
  g_array_unref (self->mdats);
}

static const gchar *
vectors_dir (void)
{
  const gchar *dir = g_getenv ("CENC_VECTORS");

  return dir != NULL ? dir : CENC_VECTORS_DIR;
}

static guint
walk_dir (const gchar *sub, gboolean good, void (*check) (const Walk *))
{
  g_autofree gchar *folder = g_build_filename (vectors_dir (), sub, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;
  guint n = 0;

  fail_unless (dir != NULL, "%s", folder);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    Walk walk = { .path = path, .good = good };

    if (!g_file_test (path, G_FILE_TEST_IS_REGULAR) ||
        g_str_has_suffix (name, ".tsv") || g_str_has_suffix (name, ".md"))
      continue;
    walk_file (&walk);
    if (check != NULL)
      check (&walk);
    n++;
  }

  return n;
}

/* All that lies in mdat is samples, and auxiliary information where no senc
 * holds it. */
static void
check_good (const Walk *walk)
{
  fail_unless (walk->n_samples > 0, "%s: no samples", walk->path);
  fail_unless (walk->mdat_bytes == walk->sample_bytes + walk->aux_bytes,
      "%s: %" G_GUINT64_FORMAT " bytes in mdat, samples of %" G_GUINT64_FORMAT,
      walk->path, walk->mdat_bytes, walk->sample_bytes);
}

GST_START_TEST (test_protected)
{
  fail_unless (walk_dir ("", TRUE, check_good) >= 50);
}

GST_END_TEST;

GST_START_TEST (test_clear)
{
  fail_unless (walk_dir ("clear", TRUE, check_good) >= 5);
}

GST_END_TEST;

GST_START_TEST (test_bad)
{
  fail_unless (walk_dir ("bad", FALSE, NULL) >= 40);
}

GST_END_TEST;

static Suite *
isobmff_vectors_suite (void)
{
  Suite *s = suite_create ("isobmff-vectors");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_protected);
  tcase_add_test (tc, test_clear);
  tcase_add_test (tc, test_bad);

  return s;
}

int
main (int argc, char **argv)
{
  if (!g_file_test (vectors_dir (), G_FILE_TEST_IS_DIR)) {
    g_print ("skipped: no vectors at %s, see CENC_VECTORS\n", vectors_dir ());
    return 77;
  }
  gst_check_init (&argc, &argv);

  return gst_check_run_suite (isobmff_vectors_suite (), "isobmff_vectors",
      __FILE__);
}
