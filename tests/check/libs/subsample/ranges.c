/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our ranges beside those that other people's packagers wrote. Only headers are
 * read, and these are clear in an encrypted sample too: so the ranges of the
 * encrypted sample are those of the clear one, and no key is needed.
 */

#include "map-walk.h"

#include <string.h>

#include "gst/cenc/cenc-track.h"

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
  Walk walk;
  Expectation expectation;
  GArray *aligned; /* our ranges, as a file of that scheme has them */
  GArray *theirs;
} Comparison;

static void
comparison_init (Comparison *self, const gchar *path)
{
  walk_init (&self->walk, path);
  self->expectation = expectation_for (path);
  self->aligned = g_array_new (FALSE, FALSE, sizeof (CencRange));
  self->theirs = g_array_new (FALSE, FALSE, sizeof (CencRange));
}

static void
comparison_clear (Comparison *self)
{
  walk_clear (&self->walk);
  g_array_unref (self->aligned);
  g_array_unref (self->theirs);
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
align_ours (Comparison *self, const TestSample *sample)
{
  g_autoptr (GByteArray) entries = g_byte_array_new ();
  CencEntry entry;
  gint n;

  fail_unless (cenc_entry_parse (sample->entry, &entry, NULL));
  n = cenc_subsamples_append (entries, entry.params.scheme,
      (const CencRange *) self->walk.ranges->data, self->walk.ranges->len,
      sample->size, 0, NULL);
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
  Comparison *self = user_data;
  gboolean same;

  if (sample->track->handler != BMFF_HANDLER_VIDEO ||
      self->expectation == EXPECT_ANYTHING)
    return;
  map_sample (&self->walk, sample);
  if (!sample->has_aux || sample->subsamples == NULL)
    return;
  read_entries (self->theirs, sample->subsamples, sample->n_subsamples,
      sample->size);
  align_ours (self, sample);
  if (self->expectation == EXPECT_SAME)
    same = are_equal (self->aligned, self->theirs) ||
        are_equal_with_slack_behind (self->walk.ranges, self->theirs);
  else
    same = are_within (self->walk.ranges, self->theirs);
  fail_unless (same, "%s: sample %u: other ranges", self->walk.path,
      sample->index);
  self->walk.n_compared++;
}

/* Refused: test_mv_hevc in files.c. */
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
  Comparison comparison;

  for (i = 0; i < paths->len; i++) {
    const gchar *path = g_ptr_array_index (paths, i);

    comparison_init (&comparison, path);
    if (!is_skipped (path))
      test_walk_file (path, compare_sample, &comparison);
    n_compared += comparison.walk.n_compared;
    comparison_clear (&comparison);
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

static Suite *
subsample_ranges_suite (void)
{
  Suite *s = suite_create ("subsample-ranges");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_other_packagers);
  tcase_add_test (tc, test_made_files);
  return s;
}

GST_CHECK_MAIN (subsample_ranges);
