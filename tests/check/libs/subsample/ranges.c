/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our ranges beside those that other people's packagers wrote. Only headers are
 * read, and these are clear in an encrypted sample too: so the ranges of the
 * encrypted sample are those of the clear one, and no key is needed.
 */

#include "vectors.h"

#include <gst/cenc/gstcenckeysession.h>
#include <string.h>

#include "gst/cenc/cenc-track.h"
#include "gst/subsample/subsample.h"

/* How a file's subsamples have to stand to our ranges. */
typedef enum
{
  /* The same, the slack of 16-byte alignment in front of the range (Shaka 3,
   * GPAC, …) or behind it (Shaka 2). */
  EXPECT_SAME,
  /* Bento4, cenc and PIFF CTR: NAL units below 112 bytes are clear, and 96 to
   * 111 bytes of the others: within our ranges. */
  EXPECT_WITHIN,
  /* All but a NAL unit's first bytes, so that SEI and slice headers are
   * encrypted, and nobody can say what stood there: Bento4 (cbc1 and PIFF CBC),
   * ffmpeg, the packager of 2013 that made the "aux" file, Smooth Streaming. */
  EXPECT_ANYTHING,
} Expectation;

static Expectation
expectation_for (const gchar *path)
{
  if (strstr (path, "bento4-frag-MPEG-CENC") ||
      strstr (path, "bento4-frag-PIFF-CTR"))
    return EXPECT_WITHIN;
  if (strstr (path, "bento4-frag-MPEG-CBC1") ||
      strstr (path, "bento4-frag-PIFF-CBC") || strstr (path, "peer-ffmpeg") ||
      strstr (path, "v_frag-cenc-aux") || strstr (path, "PIFF_video"))
    return EXPECT_ANYTHING;
  return EXPECT_SAME;
}

typedef struct
{
  const gchar *path;
  Expectation expectation;
  GHashTable *subsamplers; /* BmffTrack → Subsampler */
  GArray *ranges; /* ours */
  GArray *aligned; /* ours, as a file of that scheme has them */
  GArray *theirs;
  guint n_compared, n_tracks;
} Walk;

static void
walk_init (Walk *self)
{
  memset (self, 0, sizeof *self);
  self->subsamplers = g_hash_table_new_full (NULL, NULL, NULL,
      (GDestroyNotify) subsampler_free);
  self->ranges = g_array_new (FALSE, FALSE, sizeof (CencRange));
  self->aligned = g_array_new (FALSE, FALSE, sizeof (CencRange));
  self->theirs = g_array_new (FALSE, FALSE, sizeof (CencRange));
}

static void
walk_clear (Walk *self)
{
  g_hash_table_unref (self->subsamplers);
  g_array_unref (self->ranges);
  g_array_unref (self->aligned);
  g_array_unref (self->theirs);
}

static Subsampler *
get_subsampler (Walk *self, const TestSample *sample)
{
  Subsampler *subsampler =
      g_hash_table_lookup (self->subsamplers, sample->track);
  BmffBox *entry;
  GError *error = NULL;

  if (subsampler != NULL)
    return subsampler;
  entry = test_clear_entry (sample->entry);
  subsampler = subsampler_new (entry, &error);
  fail_unless (subsampler != NULL, "%s: %s", self->path,
      error ? error->message : "");
  bmff_box_free (entry);
  g_hash_table_insert (self->subsamplers, sample->track, subsampler);
  self->n_tracks++;
  return subsampler;
}

static void
map_sample (Walk *self, const TestSample *sample)
{
  GError *error = NULL;

  if (!subsampler_map (get_subsampler (self, sample), sample->data,
          sample->size, self->ranges, &error))
    ck_abort_msg ("%s: sample %u: %s", self->path, sample->index,
        error->message);
}

static CencRange
nth (const GArray *ranges, guint i)
{
  return g_array_index (ranges, CencRange, i);
}

/* The protected ranges that subsample entries say. */
static void
read_entries (GArray *protected_ranges, const guint8 *entries, guint n,
    gsize sample_size)
{
  CencRange range = { 0, 0 };
  guint i;

  g_array_set_size (protected_ranges, 0);
  for (i = 0; i < n; i++) {
    range.offset += bmff_get_u16 (entries + 6 * i);
    range.size = bmff_get_u32 (entries + 6 * i + 2);
    if (range.size > 0)
      g_array_append_val (protected_ranges, range);
    range.offset += range.size;
  }
  fail_unless_equals_uint64 (range.offset, sample_size);
}

/* Our ranges by way of the entries that cencencrypt would write. */
static void
align_ours (Walk *self, const TestSample *sample)
{
  g_autoptr (GByteArray) entries = g_byte_array_new ();
  CencEntry entry;
  gint n;

  fail_unless (cenc_entry_parse (sample->entry, &entry, NULL));
  n = cenc_subsamples_append (entries, entry.params.scheme,
      (const CencRange *) self->ranges->data, self->ranges->len, sample->size,
      0, NULL);
  fail_unless (n > 0);
  read_entries (self->aligned, entries->data, n, sample->size);
}

static gboolean
are_equal (const GArray *a, const GArray *b)
{
  return a->len == b->len &&
      memcmp (a->data, b->data, a->len * sizeof (CencRange)) == 0;
}

/* Our ranges cut down to whole blocks, the slack behind. */
static gboolean
are_equal_with_slack_behind (const GArray *ours, const GArray *theirs)
{
  guint i, n = 0;

  for (i = 0; i < ours->len; i++) {
    CencRange range = nth (ours, i);

    if (range.size < 16)
      continue;
    if (n >= theirs->len || nth (theirs, n).size != range.size / 16 * 16 ||
        nth (theirs, n).offset != range.offset)
      return FALSE;
    n++;
  }
  return n == theirs->len;
}

static gboolean
are_within (const GArray *ours, const GArray *theirs)
{
  guint i, j;

  for (i = 0, j = 0; i < theirs->len; i++) {
    CencRange range = nth (theirs, i);

    while (j < ours->len &&
        nth (ours, j).offset + nth (ours, j).size < range.offset + range.size)
      j++;
    if (j == ours->len || nth (ours, j).offset > range.offset)
      return FALSE;
  }
  return theirs->len > 0;
}

static void
compare_sample (const TestSample *sample, gpointer user_data)
{
  Walk *self = user_data;
  gboolean same;

  if (sample->track->handler != BMFF_HANDLER_VIDEO ||
      self->expectation == EXPECT_ANYTHING)
    return;
  map_sample (self, sample);
  if (!sample->has_aux || sample->subsamples == NULL)
    return;
  read_entries (self->theirs, sample->subsamples, sample->n_subsamples,
      sample->size);
  align_ours (self, sample);
  if (self->expectation == EXPECT_SAME)
    same = are_equal (self->aligned, self->theirs) ||
        are_equal_with_slack_behind (self->ranges, self->theirs);
  else
    same = are_within (self->ranges, self->theirs);
  fail_unless (same, "%s: sample %u: other ranges", self->path, sample->index);
  self->n_compared++;
}

/* Refused: test_mv_hevc. */
static gboolean
is_skipped (const gchar *path)
{
  return strstr (path, "mv-hevc") != NULL;
}

/* Returns how many samples were compared. */
static guint
compare_files (const GPtrArray *paths)
{
  guint i, n_compared = 0;
  Walk walk;

  for (i = 0; i < paths->len; i++) {
    walk_init (&walk);
    walk.path = g_ptr_array_index (paths, i);
    walk.expectation = expectation_for (walk.path);
    if (!is_skipped (walk.path))
      test_walk_file (walk.path, compare_sample, &walk);
    n_compared += walk.n_compared;
    walk_clear (&walk);
  }
  return n_compared;
}

GST_START_TEST (test_other_packagers)
{
  g_autoptr (GPtrArray) paths = NULL;
  guint n_compared;

  if (!test_have_vectors ())
    return;
  paths = test_list_vectors (".");
  n_compared = compare_files (paths);
  fail_unless (n_compared >= 3700, "only %u samples", n_compared);
}
GST_END_TEST;

/* Files that tests/interop/ranges.py has just had made. */
GST_START_TEST (test_made_files)
{
  const gchar *folder = g_getenv ("CENC_RANGES_DIR");
  g_autoptr (GPtrArray) paths = NULL;
  guint n_compared;

  if (folder == NULL)
    return;
  paths = test_list_files (folder);
  n_compared = compare_files (paths);
  fail_unless (n_compared >= 25 * paths->len, "only %u samples", n_compared);
  g_print ("%u samples in %u files\n", n_compared, paths->len);
}
GST_END_TEST;

static void
map_clear_sample (const TestSample *sample, gpointer user_data)
{
  Walk *self = user_data;

  map_sample (self, sample);
  /* At least the configuration's own parser says that there is a picture. */
  fail_unless (self->ranges->len > 0, "%s: sample %u: no range", self->path,
      sample->index);
  fail_unless (nth (self->ranges, self->ranges->len - 1).offset +
          nth (self->ranges, self->ranges->len - 1).size <=
      sample->size);
  self->n_compared++;
}

GST_START_TEST (test_clear_files)
{
  g_autoptr (GPtrArray) paths = NULL;
  guint i;
  Walk walk;

  if (!test_have_vectors ())
    return;
  paths = test_list_vectors ("clear");
  for (i = 0; i < paths->len; i++) {
    walk_init (&walk);
    walk.path = g_ptr_array_index (paths, i);
    test_walk_file (walk.path, map_clear_sample, &walk);
    fail_unless (walk.n_compared > 20);
    walk_clear (&walk);
  }
}
GST_END_TEST;

static void
refuse_layers (const TestSample *sample, gpointer user_data)
{
  Walk *self = user_data;
  GError *error = NULL;

  fail_if (subsampler_map (get_subsampler (self, sample), sample->data,
      sample->size, self->ranges, &error));
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
  fail_unless (strstr (error->message, "layers above the base") != NULL, "%s",
      error->message);
  g_clear_error (&error);
  self->n_compared++;
}

/* Not guessed, and not left clear: the headers of a second layer's slices hang on
 * the VPS's extension, which the parser does not read. */
GST_START_TEST (test_mv_hevc)
{
  g_autofree gchar *path = NULL;
  Walk walk;

  if (!test_have_vectors ())
    return;
  path = g_build_filename (test_vectors_dir (),
      "shaka-packager_app_test_testdata_mv-hevc-mp4-with-encryption_water-mv-"
      "hevc-video.mp4",
      NULL);
  walk_init (&walk);
  walk.path = path;
  test_walk_file (path, refuse_layers, &walk);
  fail_unless_equals_int (walk.n_compared, 5);
  walk_clear (&walk);
}
GST_END_TEST;

/* Where a sample's last OBU starts, and where its payload does. */
static void
find_last_obu (const TestSample *sample, gsize *start, gsize *payload)
{
  gsize at = 0, size;
  guint shift;

  while (at < sample->size) {
    *start = at;
    fail_unless_equals_int (sample->data[at++] & 6,
        2); /* a size, no extension */
    for (size = 0, shift = 0;; shift += 7) {
      size |= (gsize) (sample->data[at] & 0x7f) << shift;
      if (!(sample->data[at++] & 0x80))
        break;
    }
    *payload = at;
    at += size;
  }
}

/* Takes the size of the last OBU away, which a sample may be without. */
static void
map_without_size (const TestSample *sample, gpointer user_data)
{
  Walk *self = user_data;
  g_autoptr (GArray) wanted = NULL;
  g_autofree guint8 *copy = NULL;
  Subsampler *other;
  gsize start = 0, payload = 0, less;
  guint i;

  if (sample->index > 0)
    return; /* one key frame: no references are lost between the two */
  map_sample (self, sample);
  wanted = g_array_copy (self->ranges);
  find_last_obu (sample, &start, &payload);
  less = payload - start - 1;
  copy = g_malloc (sample->size);
  memcpy (copy, sample->data, start);
  copy[start] = sample->data[start] & ~2;
  memcpy (copy + start + 1, sample->data + payload, sample->size - payload);
  other = get_subsampler (self, sample);
  subsampler_reset (other);
  fail_unless (
      subsampler_map (other, copy, sample->size - less, self->ranges, NULL));
  fail_unless (wanted->len > 0 && self->ranges->len == wanted->len);
  for (i = 0; i < wanted->len; i++) {
    fail_unless_equals_uint64 (nth (self->ranges, i).size,
        nth (wanted, i).size);
    fail_unless_equals_uint64 (nth (self->ranges, i).offset,
        nth (wanted, i).offset - (nth (wanted, i).offset > start ? less : 0));
  }
  self->n_compared++;
}

GST_START_TEST (test_av1_without_size)
{
  g_autofree gchar *path = NULL;
  Walk walk;

  if (!test_have_vectors ())
    return;
  path = g_build_filename (test_vectors_dir (), "clear", "bear-av1.mp4", NULL);
  walk_init (&walk);
  walk.path = path;
  test_walk_file (path, map_without_size, &walk);
  fail_unless_equals_int (walk.n_compared, 1);
  walk_clear (&walk);
}
GST_END_TEST;

static BmffBox *
entry_with_av1c (const TestSample *sample, const gchar *payload, gsize size)
{
  BmffBox *entry = test_clear_entry (sample->entry);
  BmffBox *config = bmff_box_child (entry, BMFF_FOURCC ('a', 'v', '1', 'C'));

  fail_unless (config != NULL);
  bmff_box_set_payload (config, g_bytes_new (payload, size));
  return entry;
}

/* mp4mux 1.22 writes a configuration without a version: with sequence headers in
 * band the ranges are the same, and without them nothing is guessed. */
static void
map_without_version (const TestSample *sample, gpointer user_data)
{
  static const gchar *const payloads[] = { "\0\0\0\0\0", "\0\0\0\0\x0a\x0a" };
  Walk *self = user_data;
  guint i;

  if (sample->index > 0)
    return;
  map_sample (self, sample);
  for (i = 0; i < G_N_ELEMENTS (payloads); i++) {
    g_autoptr (BmffBox) entry = entry_with_av1c (sample, payloads[i], 5 + i);
    g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (CencRange));
    g_autoptr (GError) error = NULL;
    g_autoptr (Subsampler) subsampler = subsampler_new (entry, &error);
    gsize skip = 2 + sample->data[1]; /* the sequence header, in front */

    fail_unless (subsampler != NULL, "%s", error ? error->message : "");
    fail_unless (sample->data[0] == 0x0a);
    fail_if (subsampler_map (subsampler, sample->data + skip,
        sample->size - skip, ranges, &error));
    fail_unless (
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
    subsampler_reset (subsampler);
    fail_unless (
        subsampler_map (subsampler, sample->data, sample->size, ranges, NULL));
    fail_unless_equals_int (ranges->len, self->ranges->len);
    fail_unless (ranges->len > 0 &&
        memcmp (ranges->data, self->ranges->data,
            ranges->len * sizeof (CencRange)) == 0);
    self->n_compared++;
  }
}

GST_START_TEST (test_av1_without_version)
{
  g_autofree gchar *path = NULL;
  Walk walk;

  if (!test_have_vectors ())
    return;
  path = g_build_filename (test_vectors_dir (), "clear", "bear-av1.mp4", NULL);
  walk_init (&walk);
  walk.path = path;
  test_walk_file (path, map_without_version, &walk);
  fail_unless_equals_int (walk.n_compared, 2);
  walk_clear (&walk);
}
GST_END_TEST;

/* After a reset only key frames can be mapped: a frame's header hangs on those
 * that it refers to. */
static void
map_after_reset (const TestSample *sample, gpointer user_data)
{
  Walk *self = user_data;
  GError *error = NULL;

  if (sample->track->handler != BMFF_HANDLER_VIDEO)
    return;
  if (sample->index == 0) {
    map_sample (self, sample);
    subsampler_reset (get_subsampler (self, sample));
  } else if (sample->index == 1) {
    fail_if (subsampler_map (get_subsampler (self, sample), sample->data,
        sample->size, self->ranges, &error));
    fail_unless (
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
    g_clear_error (&error);
    self->n_compared++;
  }
}

GST_START_TEST (test_missing_references)
{
  static const gchar *const names[] = { "bear-av1.mp4",
    "bear-640x360-vp9.mp4" };
  guint i;

  if (!test_have_vectors ())
    return;
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path =
        g_build_filename (test_vectors_dir (), "clear", names[i], NULL);
    Walk walk;

    walk_init (&walk);
    walk.path = path;
    test_walk_file (path, map_after_reset, &walk);
    fail_unless_equals_int (walk.n_compared, 1);
    walk_clear (&walk);
  }
}
GST_END_TEST;

static const guint32 config_types[] = {
  BMFF_FOURCC ('a', 'v', 'c', 'C'),
  BMFF_FOURCC ('h', 'v', 'c', 'C'),
  BMFF_FOURCC ('a', 'v', '1', 'C'),
};

/* Cuts the configuration box at each byte. */
static void
cut_config (const TestSample *sample, gpointer user_data)
{
  Walk *self = user_data;
  BmffBox *entry, *config = NULL;
  g_autoptr (GBytes) whole = NULL;
  gsize size;
  guint i;

  if (sample->index > 0)
    return;
  entry = test_clear_entry (sample->entry);
  for (i = 0; i < G_N_ELEMENTS (config_types) && config == NULL; i++)
    config = bmff_box_child (entry, config_types[i]);
  fail_unless (config != NULL);
  whole = g_bytes_ref (config->payload);
  for (size = g_bytes_get_size (whole); size-- > 0;) {
    GError *error = NULL;
    Subsampler *subsampler;

    bmff_box_set_payload (config, g_bytes_new_from_bytes (whole, 0, size));
    subsampler = subsampler_new (entry, &error);
    /* An av1C may go without OBUs. */
    fail_unless ((subsampler != NULL) ==
            (config->type == BMFF_FOURCC ('a', 'v', '1', 'C') && size == 4),
        "%s: %" G_GSIZE_FORMAT " bytes", self->path, size);
    fail_unless (subsampler != NULL ||
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
    subsampler_free (subsampler);
    g_clear_error (&error);
  }
  bmff_box_free (entry);
  self->n_compared++;
}

GST_START_TEST (test_cut_configs)
{
  static const gchar *const names[] = { "bear-av1.mp4", "bear-640x360-hevc.mp4",
    "bear-640x360.mp4" };
  guint i;

  if (!test_have_vectors ())
    return;
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path =
        g_build_filename (test_vectors_dir (), "clear", names[i], NULL);
    Walk walk;

    walk_init (&walk);
    walk.path = path;
    test_walk_file (path, cut_config, &walk);
    fail_unless_equals_int (walk.n_compared, 1);
    walk_clear (&walk);
  }
}
GST_END_TEST;

static Suite *
subsample_ranges_suite (void)
{
  Suite *s = suite_create ("subsample-ranges");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_other_packagers);
  tcase_add_test (tc, test_made_files);
  tcase_add_test (tc, test_clear_files);
  tcase_add_test (tc, test_mv_hevc);
  tcase_add_test (tc, test_av1_without_size);
  tcase_add_test (tc, test_av1_without_version);
  tcase_add_test (tc, test_missing_references);
  tcase_add_test (tc, test_cut_configs);
  return s;
}

GST_CHECK_MAIN (subsample_ranges);
