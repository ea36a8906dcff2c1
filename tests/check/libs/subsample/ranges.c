/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our ranges beside those that other people's packagers wrote. Only headers are
 * read, and these are clear in an encrypted sample too: so the ranges of the
 * encrypted sample are those of the clear one, and no key is needed.
 */

#include "vectors.h"

#include <string.h>

#include "gst/subsample/sample-probe.h"
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
  self->theirs = g_array_new (FALSE, FALSE, sizeof (CencRange));
}

static void
walk_clear (Walk *self)
{
  g_hash_table_unref (self->subsamplers);
  g_array_unref (self->ranges);
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

/* The protected ranges that the file's subsamples say. */
static void
read_theirs (Walk *self, const TestSample *sample)
{
  CencRange range = { 0, 0 };
  guint i;

  g_array_set_size (self->theirs, 0);
  for (i = 0; i < sample->n_subsamples; i++) {
    range.offset += bmff_get_u16 (sample->subsamples + 6 * i);
    range.size = bmff_get_u32 (sample->subsamples + 6 * i + 2);
    if (range.size > 0)
      g_array_append_val (self->theirs, range);
    range.offset += range.size;
  }
  fail_unless_equals_uint64 (range.offset, sample->size);
}

static gboolean
are_equal (const GArray *a, const GArray *b)
{
  return a->len == b->len &&
      memcmp (a->data, b->data, a->len * sizeof (CencRange)) == 0;
}

/* Our ranges cut down to whole blocks, the slack in front or behind. */
static gboolean
are_equal_in_blocks (const GArray *ours, const GArray *theirs, gboolean front)
{
  guint i, n = 0;

  for (i = 0; i < ours->len; i++) {
    CencRange range = nth (ours, i);
    gsize slack = range.size % 16;

    if (range.size < 16)
      continue;
    if (n >= theirs->len || nth (theirs, n).size != range.size - slack ||
        nth (theirs, n).offset != range.offset + (front ? slack : 0))
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
  read_theirs (self, sample);
  if (self->expectation == EXPECT_SAME)
    same = are_equal (self->ranges, self->theirs) ||
        are_equal_in_blocks (self->ranges, self->theirs, TRUE) ||
        are_equal_in_blocks (self->ranges, self->theirs, FALSE);
  else
    same = are_within (self->ranges, self->theirs);
  fail_unless (same, "%s: sample %u: other ranges", self->path, sample->index);
  self->n_compared++;
}

/* The slices of MV-HEVC's second layer are refused. */
static gboolean
is_skipped (const gchar *path)
{
  return strstr (path, "mv-hevc") != NULL;
}

GST_START_TEST (test_other_packagers)
{
  g_autoptr (GPtrArray) paths = NULL;
  guint i, n_compared = 0;
  Walk walk;

  if (!test_have_vectors ())
    return;
  paths = test_list_vectors (".");
  for (i = 0; i < paths->len; i++) {
    walk_init (&walk);
    walk.path = g_ptr_array_index (paths, i);
    walk.expectation = expectation_for (walk.path);
    if (!is_skipped (walk.path))
      test_walk_file (walk.path, compare_sample, &walk);
    n_compared += walk.n_compared;
    walk_clear (&walk);
  }
  fail_unless (n_compared >= 3700, "only %u samples", n_compared);
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
    if (!strstr (walk.path, "ac4")) {
      test_walk_file (walk.path, map_clear_sample, &walk);
      fail_unless (walk.n_compared > 20);
    }
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
  tcase_add_test (tc, test_clear_files);
  return s;
}

GST_CHECK_MAIN (subsample_ranges);
