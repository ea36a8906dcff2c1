/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "vectors.h"

#include <string.h>

#include "gst/subsample/sample-probe-trial.h"

#define FCC(s) bmff_get_u32 ((const guint8 *) (s))
#define AVCC "\1\x64\0\x1e\xff\xe0\0"
#define HVCC "\1\1\x60\0\0\0\x90\0\0\0\0\0\x5d\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\0"

static SampleProbe
probe_for (const gchar *codec)
{
  SampleProbe probe;
  gboolean is_avc = codec[0] == 'a';

  sample_probe_init (&probe, FCC (codec),
      (const guint8 *) (is_avc ? AVCC : HVCC),
      is_avc ? sizeof AVCC - 1 : sizeof HVCC - 1);
  return probe;
}

static guint64 state;

static guint32
next_random (void)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (guint32) (state >> 32);
}

/* One NAL unit: @header, of @clear bytes with the length, then noise that holds
 * none of what a trial looks for, unless @dirty. */
static void
make_sample (guint8 *sample, gsize size, const gchar *header, gsize clear,
    gboolean dirty)
{
  gsize i;

  for (i = 0; i + 4 <= size; i += 4)
    bmff_put_u32 (sample + i, next_random () | (dirty ? 0 : 0x04040404));
  bmff_put_u32 (sample, (guint32) size - 4);
  memcpy (sample + 4, header, clear - 4);
}

static SampleProbeCover
cover_of (guint8 entry[6], gsize clear, gsize size)
{
  SampleProbeCover cover = { entry, 1, 0, 0, FALSE };

  bmff_put_u32 (entry, (guint32) clear << 16);
  bmff_put_u32 (entry + 2, (guint32) (size - clear));
  return cover;
}

/* A wrong key: noise behind a clear slice header, 20 kB a sample. Gives the
 * samples that it takes, 0 if there is no verdict after @max of them. */
static guint
samples_to_verdict (guint max, const SampleProbeCover *pattern)
{
  SampleProbe probe = probe_for ("avc1");
  SampleProbeTrial trial = { 0 };
  static guint8 sample[20000];
  guint8 entry[6];
  SampleProbeCover cover = cover_of (entry, 12, sizeof sample);
  guint n;

  if (pattern) {
    cover.crypt_byte_block = pattern->crypt_byte_block;
    cover.skip_byte_block = pattern->skip_byte_block;
    cover.whole_blocks = TRUE;
  }
  for (n = 1; n <= max; n++) {
    make_sample (sample, sizeof sample, "\x41\x9a\x80\x11\x22\x33\x44\x55", 12,
        TRUE);
    if (sample_probe_trial_add (&trial, &probe, &cover, sample,
            sizeof sample) == SAMPLE_PROBE_BAD)
      return n;
  }
  return 0;
}

/* 8 MiB are 419 samples: without the last bytes, 86 % are told by then; with them more. */
GST_START_TEST (test_wrong_key)
{
  const SampleProbeCover pattern = { NULL, 0, 1, 9, TRUE };
  guint i, n, n_told = 0, n_pattern = 0;

  state = 4711;
  for (i = 0; i < 10; i++) {
    n = samples_to_verdict (419, NULL);
    n_told += n > 0;
    n = samples_to_verdict (419, &pattern);
    n_pattern += n > 0;
  }
  fail_unless (n_told >= 7, "%u of 10", n_told);
  /* A tenth of the bytes: 18 %. */
  fail_unless (n_pattern <= 5, "%u of 10", n_pattern);
}
GST_END_TEST;

/* A start code at each place of a sample with a 1:9 pattern: it counts where a run
 * was decrypted from two bytes behind its first on, up to two behind the run. */
GST_START_TEST (test_start_code_in_pattern)
{
  SampleProbe probe = probe_for ("avc1");
  guint8 sample[700], entry[6];
  SampleProbeCover cover = cover_of (entry, 12, sizeof sample);
  gsize at;

  cover.crypt_byte_block = 1;
  cover.skip_byte_block = 9;
  cover.whole_blocks = TRUE;
  for (at = 20; at + 4 < sizeof sample; at++) {
    SampleProbeTrial trial = { 0 };
    gsize last = at + 2, behind = (last - 12) % 160;
    gboolean counts = behind < 18 && last - 12 - behind + 16 <= 700 - 12;
    SampleProbeResult result;

    memset (sample, 0xaa, sizeof sample);
    bmff_put_u32 (sample, sizeof sample - 4);
    memcpy (sample + 4, "\x41\x9a\x80\x11\x22\x33\x44\x55", 8);
    memcpy (sample + at, "\0\0\1", 3);
    fail_unless_equals_int (sample_probe_trial_add (&trial, &probe, &cover,
                                sample, sizeof sample),
        SAMPLE_PROBE_GOOD);
    result =
        sample_probe_trial_add (&trial, &probe, &cover, sample, sizeof sample);
    fail_unless_equals_int (result,
        counts ? SAMPLE_PROBE_BAD : SAMPLE_PROBE_GOOD);
  }
}
GST_END_TEST;

/* What does not end in the noise of a wrong key goes on for ever. */
GST_START_TEST (test_right_key)
{
  SampleProbe probe = probe_for ("avc1");
  SampleProbeTrial trial = { 0 };
  guint8 sample[2000], entry[6];
  SampleProbeCover cover = cover_of (entry, 12, sizeof sample);
  guint n;

  state = 4712;
  for (n = 0; n < 10000; n++) {
    make_sample (sample, sizeof sample, "\x41\x9a\x80\x11\x22\x33\x44\x55", 12,
        FALSE);
    fail_unless (sample_probe_trial_add (&trial, &probe, &cover, sample,
                     sizeof sample) != SAMPLE_PROBE_BAD);
  }
}
GST_END_TEST;

/* Adds a sample of 64 bytes that ends in @last. */
static SampleProbeResult
add_with_end (SampleProbeTrial *trial, const gchar *header, guint8 second_last,
    guint8 last, gsize n_clear_at_end)
{
  SampleProbe probe = probe_for ("avc1");
  guint8 sample[64], entry[6];
  SampleProbeCover cover = cover_of (entry, 12, sizeof sample - n_clear_at_end);

  make_sample (sample, sizeof sample, header, 12, FALSE);
  sample[62] = second_last;
  sample[63] = last;
  return sample_probe_trial_add (trial, &probe, &cover, sample, sizeof sample);
}

#define P_SLICE "\x41\x9a\x80\x11\x22\x33\x44\x55"
#define IDR_SLICE "\x65\x88\x80\x11\x22\x33\x44\x55"

static void
add_good (SampleProbeTrial *trial, guint n)
{
  while (n-- > 0)
    fail_unless_equals_int (add_with_end (trial, P_SLICE, 0x80, 0x80, 0),
        SAMPLE_PROBE_GOOD);
}

GST_START_TEST (test_zero_ends)
{
  SampleProbeTrial trial = { 0 };

  /* Two convict, each with the sample behind it. */
  add_good (&trial, 20);
  fail_unless_equals_int (add_with_end (&trial, P_SLICE, 0x80, 0, 0),
      SAMPLE_PROBE_GOOD);
  add_good (&trial, 20);
  fail_unless_equals_int (add_with_end (&trial, P_SLICE, 0x80, 0, 0),
      SAMPLE_PROBE_GOOD);
  fail_unless_equals_int (add_with_end (&trial, P_SLICE, 0x80, 0x80, 0),
      SAMPLE_PROBE_BAD);
}
GST_END_TEST;

/* Zeros that a muxer has left. */
GST_START_TEST (test_careless_muxer)
{
  SampleProbeTrial trial = { 0 };
  guint i;

  /* At each NAL unit; or several at one. */
  for (i = 0; i < 100; i++)
    fail_unless (
        add_with_end (&trial, P_SLICE, 0x80, 0, 0) != SAMPLE_PROBE_BAD);
  trial = (SampleProbeTrial){ 0 };
  add_good (&trial, 20);
  for (i = 0; i < 100; i++) {
    fail_unless (add_with_end (&trial, P_SLICE, 0, 0, 0) != SAMPLE_PROBE_BAD);
    fail_unless (
        add_with_end (&trial, P_SLICE, 0x80, 0, 0) != SAMPLE_PROBE_BAD);
  }
  /* In front of each key frame. */
  trial = (SampleProbeTrial){ 0 };
  for (i = 0; i < 100; i++) {
    add_good (&trial, 24);
    fail_unless (
        add_with_end (&trial, P_SLICE, 0x80, 0, 0) != SAMPLE_PROBE_BAD);
    fail_unless (
        add_with_end (&trial, IDR_SLICE, 0x80, 0x80, 0) != SAMPLE_PROBE_BAD);
  }
  /* Where nobody decrypts. */
  trial = (SampleProbeTrial){ 0 };
  add_good (&trial, 20);
  fail_unless (add_with_end (&trial, P_SLICE, 0x80, 0, 4) != SAMPLE_PROBE_BAD);
  for (i = 0; i < 100; i++)
    fail_unless (
        add_with_end (&trial, P_SLICE, 0x80, 0, 0) != SAMPLE_PROBE_BAD);
}
GST_END_TEST;

/* @at: of a start code in a sample of 340 bytes, of which 12 are clear. */
static guint
points_of_start_code (gsize at, gboolean pattern)
{
  SampleProbe probe = probe_for ("hvc1");
  SampleProbeTrial trial = { 0 };
  guint8 sample[340], entry[6];
  SampleProbeCover cover = cover_of (entry, 12, sizeof sample);
  guint n = 0;

  if (pattern) {
    cover.crypt_byte_block = 1;
    cover.skip_byte_block = 9;
  }
  cover.whole_blocks = pattern;
  do {
    make_sample (sample, sizeof sample, "\x02\x01\xd0\x11\x22\x33\x44\x55", 12,
        FALSE);
    memcpy (sample + at, "\0\0\1", 3);
  } while (sample_probe_trial_add (&trial, &probe, &cover, sample,
               sizeof sample) != SAMPLE_PROBE_BAD &&
      ++n < 30);
  return n;
}

/* In one that is decrypted, or that begins or ends there. */
GST_START_TEST (test_start_codes)
{
  fail_unless_equals_int (points_of_start_code (100, FALSE), 1);
  fail_unless_equals_int (points_of_start_code (337, FALSE), 1);
  fail_unless_equals_int (points_of_start_code (12, TRUE), 1);
  fail_unless_equals_int (points_of_start_code (27, TRUE), 1);
  fail_unless_equals_int (points_of_start_code (170, TRUE), 1);
  fail_unless_equals_int (points_of_start_code (185, TRUE), 1);
  fail_unless_equals_int (points_of_start_code (100, TRUE), 30);
  fail_unless_equals_int (points_of_start_code (188, TRUE), 30);
  /* The last block is not whole; the range before the header is clear. */
  fail_unless_equals_int (points_of_start_code (334, TRUE), 30);
}
GST_END_TEST;

/* Where the encryptor did not spare slice headers. */
static SampleProbeResult
add_header (SampleProbeTrial *trial, const gchar *codec, const gchar *bytes,
    gsize clear)
{
  SampleProbe probe = probe_for (codec);
  guint8 sample[64], entry[6];
  SampleProbeCover cover = cover_of (entry, clear, sizeof sample);

  make_sample (sample, sizeof sample, bytes, 12, FALSE);
  return sample_probe_trial_add (trial, &probe, &cover, sample, sizeof sample);
}

static guint
samples_until_bad (const gchar *codec, const gchar *bytes, gsize clear)
{
  SampleProbeTrial trial = { 0 };
  guint n = 0;

  while (
      add_header (&trial, codec, bytes, clear) != SAMPLE_PROBE_BAD && ++n < 10)
    ;
  return n;
}

GST_START_TEST (test_slice_headers)
{
  fail_unless_equals_int (samples_until_bad ("avc1", P_SLICE, 5), 10);
  fail_unless_equals_int (samples_until_bad ("avc1", IDR_SLICE, 5), 10);
  /* Not the first macroblock; a P slice in an IDR picture; slice_type 30. */
  fail_unless_equals_int (samples_until_bad ("avc1",
                              "\x41\x4a\x80\x11\x22\x33\x44\x55", 5),
      1);
  fail_unless_equals_int (samples_until_bad ("avc1",
                              "\x65\xc0\x80\x11\x22\x33\x44\x55", 5),
      1);
  fail_unless_equals_int (samples_until_bad ("avc1",
                              "\x41\x83\xe0\x11\x22\x33\x44\x55", 5),
      1);
  /* It is clear: the stream's own affair. */
  fail_unless_equals_int (samples_until_bad ("avc1",
                              "\x41\x4a\x80\x11\x22\x33\x44\x55", 6),
      10);
  fail_unless_equals_int (samples_until_bad ("hvc1",
                              "\x02\x01\xd0\x11\x22\x33\x44\x55", 5),
      10);
  fail_unless_equals_int (samples_until_bad ("hvc1",
                              "\x26\x01\xa0\x11\x22\x33\x44\x55", 5),
      10);
  fail_unless_equals_int (samples_until_bad ("hvc1",
                              "\x02\x01\x50\x11\x22\x33\x44\x55", 5),
      1);
  fail_unless_equals_int (samples_until_bad ("hvc1",
                              "\x02\x01\x81\x09\x22\x33\x44\x55", 5),
      1);
}
GST_END_TEST;

typedef struct
{
  SampleProbeTrial trial;
  const gchar *path;
  guint n_judged;
} Walk;

static void
try_clear_sample (const TestSample *sample, gpointer user_data)
{
  static const gchar *const boxes[] = { "avcC", "hvcC" };
  Walk *walk = user_data;
  const BmffBox *config = NULL;
  SampleProbeCover cover = { 0 };
  SampleProbe probe;
  SampleProbeResult result;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (boxes) && !config; i++)
    config = bmff_box_find (sample->entry, boxes[i]);
  if (!config || sample->has_aux)
    return;
  sample_probe_init (&probe, sample->codec,
      g_bytes_get_data (config->payload, NULL),
      g_bytes_get_size (config->payload));
  result = sample_probe_trial_add (&walk->trial, &probe, &cover, sample->data,
      sample->size);
  fail_unless (result != SAMPLE_PROBE_BAD, "%s: sample %u", walk->path,
      sample->index);
  walk->n_judged += result == SAMPLE_PROBE_GOOD;
}

/* Real streams, all bytes of which were decrypted with the right key. */
GST_START_TEST (test_vectors)
{
  g_autoptr (GPtrArray) paths = NULL;
  guint i, n_judged = 0;

  if (!test_have_vectors ())
    return;
  paths = test_list_vectors ("clear");
  for (i = 0; i < paths->len; i++) {
    Walk walk = { { 0 }, g_ptr_array_index (paths, i), 0 };

    test_walk_file (walk.path, try_clear_sample, &walk);
    n_judged += walk.n_judged;
  }
  fail_unless (n_judged > 100, "%u", n_judged);
}
GST_END_TEST;

/*
 * VP9
 */

#define VP9_PROTECTED \
  "shaka-packager_app_test_testdata_opus-vp9-mp4-with-encryption_bear-" \
  "320x240-vp9-opus-video.mp4"

typedef struct
{
  SampleProbeTrial trial;
  const gchar *path;
  gsize n_clear; /* bytes of each sample that are; 0: as the file says */
  gboolean is_noise; /* what is not */
  guint n_samples, n_bad; /* that was convicted; 0: none */
} Vp9Walk;

/* As a wrong key gives it. */
static void
make_noise (guint8 *sample, const SampleProbeCover *cover)
{
  guint i;

  for (i = 0; i < cover->n_subsamples; i++) {
    const guint8 *entry = cover->subsamples + 6 * (gsize) i;
    guint32 n = bmff_get_u32 (entry + 2);

    for (sample += bmff_get_u16 (entry); n > 0; n--)
      *sample++ = (guint8) next_random ();
  }
}

static void
try_vp9 (const TestSample *sample, gpointer user_data)
{
  Vp9Walk *walk = user_data;
  SampleProbeCover cover = { sample->subsamples, sample->n_subsamples, 0, 0,
    FALSE };
  g_autofree guint8 *data = NULL;
  SampleProbe probe;
  guint8 entry[6];

  if (sample->codec != FCC ("vp09"))
    return;
  if (walk->n_clear > 0) {
    if (sample->size <= walk->n_clear)
      return;
    cover = cover_of (entry, walk->n_clear, sample->size);
  }
  if (!cover.subsamples)
    return;
  sample_probe_init (&probe, sample->codec, NULL, 0);
  data = g_memdup2 (sample->data, sample->size);
  if (walk->is_noise)
    make_noise (data, &cover);
  walk->n_samples++;
  if (sample_probe_trial_add (&walk->trial, &probe, &cover, data,
          sample->size) == SAMPLE_PROBE_BAD &&
      walk->n_bad == 0)
    walk->n_bad = walk->n_samples;
}

/* Samples of 320×240 with one tile, in which least can be told: 47 in 50 wrong keys
 * are told before the 52 encrypted ones have ended. */
GST_START_TEST (test_vp9_wrong_key)
{
  g_autofree gchar *path = NULL;
  guint i, n_told = 0, sum = 0;

  if (!test_have_vectors ())
    return;
  path = g_build_filename (test_vectors_dir (), VP9_PROTECTED, NULL);
  state = 4713;
  for (i = 0; i < 50; i++) {
    Vp9Walk walk = { .is_noise = TRUE };

    test_walk_file (path, try_vp9, &walk);
    fail_unless_equals_int (walk.n_samples, 52);
    n_told += walk.n_bad > 0;
    sum += walk.n_bad;
  }
  g_print ("%u of 50 wrong keys after %.1f samples\n", n_told,
      (gdouble) sum / MAX (n_told, 1));
  fail_unless (n_told >= 40, "%u of 50", n_told);
}
GST_END_TEST;

/* Wherever the protected range begins. */
GST_START_TEST (test_vp9_right_key)
{
  g_autofree gchar *path = NULL;
  guint n_clear, n_judged = 0;

  if (!test_have_vectors ())
    return;
  path = g_build_filename (test_vectors_dir (), "clear", "bear-640x360-vp9.mp4",
      NULL);
  for (n_clear = 4; n_clear < 48; n_clear++) {
    Vp9Walk walk = { .path = path, .n_clear = n_clear };

    test_walk_file (path, try_vp9, &walk);
    fail_unless (walk.n_samples > 0);
    fail_unless_equals_int (walk.n_bad, 0);
    fail_unless_equals_int (walk.trial.points, 0);
    n_judged += walk.trial.n_frames;
  }
  fail_unless (n_judged > 500, "%u", n_judged);
}
GST_END_TEST;

/* Cut, flipped, and with subsamples that are none: nothing is read that is not
 * there (the sanitizers see to that). */
static void
try_damaged_vp9 (const TestSample *sample, gpointer user_data)
{
  Vp9Walk *walk = user_data;
  guint i;

  for (i = 0; sample->size > 0 && i < 20; i++) {
    gsize size = 1 + next_random () % MIN (sample->size, 1u << (i / 2 + 3));
    g_autofree guint8 *data = g_memdup2 (sample->data, size);
    guint8 entry[6];
    SampleProbeCover cover = cover_of (entry, next_random () % 40, size);
    SampleProbe probe;

    cover.crypt_byte_block = i & 1;
    cover.skip_byte_block = i & 9;
    data[next_random () % size] ^= (guint8) next_random ();
    data[size - 1] = i & 2 ? 0xc1 : data[size - 1];
    sample_probe_init (&probe, FCC ("vp09"), NULL, 0);
    walk->trial.n_frames = 0;
    sample_probe_trial_add (&walk->trial, &probe, &cover, data, size);
    walk->n_samples++;
  }
}

GST_START_TEST (test_vp9_damage)
{
  g_autofree gchar *path = NULL;
  Vp9Walk walk = { { 0 } };

  if (!test_have_vectors ())
    return;
  path = g_build_filename (test_vectors_dir (), "clear", "bear-640x360-vp9.mp4",
      NULL);
  state = 4714;
  test_walk_file (path, try_damaged_vp9, &walk);
  fail_unless (walk.n_samples > 1000);
}
GST_END_TEST;

static Suite *
sample_probe_trial_suite (void)
{
  Suite *s = suite_create ("sample-probe-trial");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_wrong_key);
  tcase_add_test (tc, test_start_code_in_pattern);
  tcase_add_test (tc, test_right_key);
  tcase_add_test (tc, test_zero_ends);
  tcase_add_test (tc, test_careless_muxer);
  tcase_add_test (tc, test_start_codes);
  tcase_add_test (tc, test_slice_headers);
  tcase_add_test (tc, test_vectors);
  tcase_add_test (tc, test_vp9_wrong_key);
  tcase_add_test (tc, test_vp9_right_key);
  tcase_add_test (tc, test_vp9_damage);
  return s;
}

GST_CHECK_MAIN (sample_probe_trial);
