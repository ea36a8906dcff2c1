/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our ranges in other people's files, as they are and with parts taken away. */

#include "map-walk.h"

#include <gst/cenc/gstcenckeysession.h>
#include <string.h>

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
    walk_init (&walk, g_ptr_array_index (paths, i));
    test_walk_file (walk.path, map_clear_sample, &walk);
    fail_unless (walk.n_compared > 20);
    walk_clear (&walk);
  }
}
GST_END_TEST;

/* Walks a file of the vectors with @func, which counts @n_compared of its samples. */
static void
walk_vector (const gchar *name, TestSampleFunc func, guint n_compared)
{
  g_autofree gchar *path = g_build_filename (test_vectors_dir (), name, NULL);
  Walk walk;

  walk_init (&walk, path);
  test_walk_file (path, func, &walk);
  fail_unless_equals_int (walk.n_compared, n_compared);
  walk_clear (&walk);
}

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
  if (test_have_vectors ())
    walk_vector (
        "shaka-packager_app_test_testdata_mv-hevc-mp4-with-encryption_water-mv-"
        "hevc-video.mp4",
        refuse_layers, 5);
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
  if (test_have_vectors ())
    walk_vector ("clear/bear-av1.mp4", map_without_size, 1);
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
  if (test_have_vectors ())
    walk_vector ("clear/bear-av1.mp4", map_without_version, 2);
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
  static const gchar *const names[] = { "clear/bear-av1.mp4",
    "clear/bear-640x360-vp9.mp4" };
  guint i;

  if (!test_have_vectors ())
    return;
  for (i = 0; i < G_N_ELEMENTS (names); i++)
    walk_vector (names[i], map_after_reset, 1);
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
  static const gchar *const names[] = { "clear/bear-av1.mp4",
    "clear/bear-640x360-hevc.mp4", "clear/bear-640x360.mp4" };
  guint i;

  if (!test_have_vectors ())
    return;
  for (i = 0; i < G_N_ELEMENTS (names); i++)
    walk_vector (names[i], cut_config, 1);
}
GST_END_TEST;

static Suite *
subsample_files_suite (void)
{
  Suite *s = suite_create ("subsample-files");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_clear_files);
  tcase_add_test (tc, test_mv_hevc);
  tcase_add_test (tc, test_av1_without_size);
  tcase_add_test (tc, test_av1_without_version);
  tcase_add_test (tc, test_missing_references);
  tcase_add_test (tc, test_cut_configs);
  return s;
}

GST_CHECK_MAIN (subsample_files);
