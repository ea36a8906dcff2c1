/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "vectors.h"

#include <string.h>

#include "gst/subsample/sample-probe.h"

#define FCC(s) bmff_get_u32 ((const guint8 *) (s))
#define CHECK(probe, s) \
  sample_probe_check (&(probe), (const guint8 *) (s), sizeof (s) - 1)
#define fail_unless_good(probe, s) \
  fail_unless_equals_int (CHECK (probe, s), SAMPLE_PROBE_GOOD)
#define fail_unless_bad(probe, s) \
  fail_unless_equals_int (CHECK (probe, s), SAMPLE_PROBE_BAD)
#define fail_unless_unknown(probe, s) \
  fail_unless_equals_int (CHECK (probe, s), SAMPLE_PROBE_UNKNOWN)

static SampleProbe
probe_for (const gchar *codec, const gchar *config, gsize size)
{
  SampleProbe probe;

  sample_probe_init (&probe, FCC (codec), (const guint8 *) config, size);
  return probe;
}
#define PROBE(codec, config) probe_for (codec, config, sizeof (config) - 1)

#define AVCC(length_size_minus_one) \
  "\1\x64\0\x1e" length_size_minus_one "\xe0\0"
#define HVCC "\1\1\x60\0\0\0\x90\0\0\0\0\0\x5d\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\0"
/* ES_Descriptor, DecoderConfigDescriptor, AudioSpecificConfig. */
#define ESDS(object_type, asc) \
  "\0\0\0\0\3\x19\0\1\0\4\x11" object_type \
  "\x15\0\0\0\0\0\0\0\0\0\0\0\5\2" asc "\6\1\2"

GST_START_TEST (test_nal_lengths)
{
  SampleProbe probe = PROBE ("avc1", AVCC ("\xff"));

  fail_unless_equals_int (probe.nal_length_size, 4);
  fail_unless_good (probe, "\0\0\0\2\x09\xf0\0\0\0\3\x65\x88\x80");
  fail_unless_bad (probe, "\0\0\0\2\x09\xf0\0\0\0\4\x65\x88\x80");
  fail_unless_bad (probe, "\0\0\0\2\x09\xf0\0\0\0\3\x65\x88\x80\0");
  /* Empty NAL units are padding of a muxer, but no sample. */
  fail_unless_good (probe, "\0\0\0\2\x09\xf0\0\0\0\0");
  fail_unless_bad (probe, "\0\0\0\0");
  /* A length that would wrap 32 bits. */
  fail_unless_bad (probe, "\xff\xff\xff\xff\x65\x88\x80");
  fail_unless_unknown (probe, "");
}
GST_END_TEST;

GST_START_TEST (test_nal_length_sizes)
{
  SampleProbe one = PROBE ("avc3", AVCC ("\xfc"));
  SampleProbe two = PROBE ("dvav", AVCC ("\xfd"));

  fail_unless_equals_int (one.nal_length_size, 1);
  fail_unless_good (one, "\2\x09\xf0\3\x65\x88\x80");
  fail_unless_bad (one, "\2\x09\xf0\4\x65\x88\x80");
  fail_unless_equals_int (two.nal_length_size, 2);
  fail_unless_good (two, "\0\2\x09\xf0\0\3\x65\x88\x80");
  fail_unless_bad (two, "\0\2\x09\xf0\0\3\x65\x88");
}
GST_END_TEST;

GST_START_TEST (test_nal_headers)
{
  SampleProbe avc = PROBE ("avc1", AVCC ("\xff"));
  SampleProbe hevc = PROBE ("hev1", HVCC);
  SampleProbe dolby = PROBE ("dvh1", HVCC);
  SampleProbe vvc = PROBE ("vvc1", "\0\0\0\0\xfe");
  SampleProbe vvc_record = PROBE ("vvi1", "\xfe\0");

  fail_unless_bad (avc, "\0\0\0\2\x89\xf0"); /* forbidden_zero_bit */
  fail_unless_bad (avc, "\0\0\0\2\x05\xf0"); /* an IDR picture's nal_ref_idc */
  fail_unless_good (avc, "\0\0\0\2\x1c\xf0"); /* 28: an RPU of Dolby's */
  fail_unless_equals_int (hevc.nal_length_size, 4);
  fail_unless_good (hevc, "\0\0\0\3\x26\1\xaf");
  fail_unless_bad (hevc, "\0\0\0\3\x26\0\xaf"); /* temporal_id_plus1 */
  fail_unless_bad (hevc, "\0\0\0\3\xa6\1\xaf");
  fail_unless_bad (hevc, "\0\0\0\1\x26");
  fail_unless_good (dolby, "\0\0\0\3\x7c\1\x19"); /* 62: RPU */
  fail_unless_good (dolby, "\0\0\0\3\x28\x09\xaf"); /* layer 1 */
  fail_unless_equals_int (vvc.nal_length_size, 4);
  fail_unless_equals_int (vvc_record.nal_length_size, 4);
  fail_unless_good (vvc, "\0\0\0\3\0\x39\xaf");
  fail_unless_bad (vvc, "\0\0\0\3\x40\x39\xaf"); /* nuh_reserved_zero_bit */
  fail_unless_bad (vvc, "\0\0\0\3\0\x38\xaf");
}
GST_END_TEST;

GST_START_TEST (test_nal_byte_stream)
{
  SampleProbe probe;

  sample_probe_init (&probe, FCC ("avc1"), NULL, 0);
  fail_unless_equals_int (probe.nal_length_size, 0);
  fail_unless_good (probe, "\0\0\0\1\x09\xf0\0\0\1\x65\x88\x80");
  fail_unless_good (probe, "\0\0\1\x65\x88\x80");
  fail_unless_bad (probe, "\0\0\0\1\x09\xf0\0\0\1\xe5\x88\x80");
  fail_unless_bad (probe, "\0\0\0\2\x09\xf0");
  fail_unless_bad (probe, "\0\0\0\0");
  fail_unless_bad (probe, "\x65\x88\x80");
}
GST_END_TEST;

static SampleProbeResult
check_payload (const SampleProbe *probe, const gchar *bytes, gsize size)
{
  guint8 sample[64] = { 0, 0, 0, size };

  memcpy (sample + 4, bytes, size);
  return sample_probe_check_payload (probe, sample, 4 + size);
}
#define PAYLOAD(s) check_payload (&probe, s, sizeof (s) - 1)

GST_START_TEST (test_nal_payload)
{
  SampleProbe probe = PROBE ("avc1", AVCC ("\xff"));
  SampleProbe aac = PROBE ("mp4a", "\x12\x10");

  fail_unless_equals_int (PAYLOAD ("\x65\x88\0\0\3\0\x80"), SAMPLE_PROBE_GOOD);
  fail_unless_equals_int (PAYLOAD ("\x65\x88\0\0\3"), SAMPLE_PROBE_GOOD);
  fail_unless_equals_int (PAYLOAD ("\x65\x88\0\0\4\x80"), SAMPLE_PROBE_GOOD);
  fail_unless_equals_int (PAYLOAD ("\x65\0\1\0\2\0\x80"), SAMPLE_PROBE_GOOD);
  /* Zeros at the end: cabac_zero_words, or a muxer that was careless. */
  fail_unless_equals_int (PAYLOAD ("\x65\x80\0\0\3\0\0\3"), SAMPLE_PROBE_GOOD);
  fail_unless_equals_int (PAYLOAD ("\x65\x80\0\0\0\0"), SAMPLE_PROBE_GOOD);
  fail_unless_equals_int (PAYLOAD ("\x65\x88\0\0\0\x80"), SAMPLE_PROBE_BAD);
  fail_unless_equals_int (PAYLOAD ("\x65\x88\0\0\1\x80"), SAMPLE_PROBE_BAD);
  fail_unless_equals_int (PAYLOAD ("\x65\x88\x88\0\0\2"), SAMPLE_PROBE_BAD);
  fail_unless_equals_int (PAYLOAD ("\x65\x88\x88\x88\0\0\2"), SAMPLE_PROBE_BAD);
  fail_unless_equals_int (PAYLOAD ("\x65\x88\0\0\3\4\x80"), SAMPLE_PROBE_BAD);
  fail_unless_equals_int (check_payload (&aac, "\x21\x10", 2),
      SAMPLE_PROBE_UNKNOWN);
}
GST_END_TEST;

/* A wrong key: random bytes behind a clear header, 32 times 1 MiB. Each finds it
 * with 1 - exp (-1/4), 22 %: 7 are to be expected of 32. */
GST_START_TEST (test_nal_payload_wrong_key)
{
  SampleProbe probe = PROBE ("avc1", AVCC ("\xff"));
  gsize size = 1 << 20, i;
  g_autofree guint8 *sample = g_malloc (size);
  GRand *random = g_rand_new_with_seed (4711);
  guint n, n_bad = 0;

  for (n = 0; n < 32; n++) {
    for (i = 0; i < size; i += 4)
      bmff_put_u32 (sample + i, g_rand_int (random));
    bmff_put_u32 (sample, size - 4);
    bmff_put_u32 (sample + 4, 0x65888400);
    fail_unless_equals_int (sample_probe_check (&probe, sample, size),
        SAMPLE_PROBE_GOOD);
    n_bad +=
        sample_probe_check_payload (&probe, sample, size) == SAMPLE_PROBE_BAD;
  }
  g_rand_free (random);
  fail_unless (n_bad >= 2 && n_bad <= 16, "%u", n_bad);
}
GST_END_TEST;

/* The quick search has to find what a plain one finds, at each place. */
GST_START_TEST (test_nal_payload_each_place)
{
  SampleProbe probe = PROBE ("hvc1", HVCC);
  gchar nal[40];
  guint at;

  for (at = 2; at + 4 <= sizeof nal; at++) {
    memset (nal, 0x80, sizeof nal);
    memcpy (nal + at, "\0\0\1", 3);
    fail_unless_equals_int (check_payload (&probe, nal, sizeof nal),
        SAMPLE_PROBE_BAD);
    memcpy (nal + at, "\0\0\3\3", 4);
    fail_unless_equals_int (check_payload (&probe, nal, sizeof nal),
        SAMPLE_PROBE_GOOD);
  }
}
GST_END_TEST;

GST_START_TEST (test_av1)
{
  SampleProbe probe = PROBE ("av01", "");

  fail_unless_good (probe, "\x0a\3\0\0\0\x32\2\x10\0");
  fail_unless_good (probe, "\x30\x10\0"); /* the last OBU, without a size */
  fail_unless_good (probe, "\x36\x08\2\x10\0"); /* with an extension */
  fail_unless_good (probe,
      "\x32\x82\0\x10\0"); /* a size that is longer than needed */
  fail_unless_bad (probe, "\x36\x09\2\x10\0"); /* reserved bits */
  fail_unless_bad (probe, "\x0a\3\0\0\0"); /* no frame */
  fail_unless_bad (probe, "\x32\3\x10\0");
  fail_unless_bad (probe, "\xb2\2\x10\0");
  fail_unless_bad (probe, "\x33\2\x10\0");
  fail_unless_bad (probe, "\x32\x80\x80\x80\x80\x80\x80\x80\x80\1");
  fail_unless_bad (probe, "\x32");
  fail_unless_bad (probe, "\x36");
}
GST_END_TEST;

GST_START_TEST (test_vp8_vp9)
{
  SampleProbe vp9 = PROBE ("vp09", "");
  SampleProbe vp8 = PROBE ("vp08", "");

  fail_unless_good (vp9, "\x82\x49\x83\x42\0"); /* key frame */
  fail_unless_bad (vp9, "\x82\x49\x83\x43\0"); /* no sync code */
  fail_unless_good (vp9, "\x86\0\0\0"); /* inter frame */
  fail_unless_good (vp9, "\x88"); /* show_existing_frame */
  fail_unless_bad (vp9, "\x88\1\1\1");
  fail_unless_bad (vp9, "\x46\0\0\0"); /* frame_marker */
  fail_unless_bad (vp9, "\xb8\0\0\0"); /* profile 3, reserved_zero */
  fail_unless_bad (vp9, "\x82\x49");
  fail_unless_good (vp8, "\x10\0\0\x9d\1\x2a\x40\1\xf0\0");
  fail_unless_bad (vp8, "\x10\0\0\x9d\1\x2b\x40\1\xf0\0");
  fail_unless_good (vp8, "\x31\0\0\0\0");
  fail_unless_bad (vp8, "\x11\xff\0\0\0");
}
GST_END_TEST;

GST_START_TEST (test_aac)
{
  SampleProbe lc = PROBE ("mp4a", ESDS ("\x40", "\x12\x10"));
  SampleProbe raw = PROBE ("mp4a", "\x12\x10");
  SampleProbe main_profile = PROBE ("mp4a", "\x0a\x10");
  SampleProbe usac = PROBE ("mp4a", ESDS ("\x40", "\xf9\x48"));
  SampleProbe none;

  sample_probe_init (&none, FCC ("mp4a"), NULL, 0);
  /* A silent stereo frame: CPE, max_sfb 0. */
  fail_unless_good (lc, "\x21\x10\x04\x60\x8c\x1c");
  fail_unless_good (raw, "\x21\x10\x04\x60\x8c\x1c");
  fail_unless_good (raw, "\xe0"); /* END alone */
  fail_unless_bad (raw, "\xe0\0\0");
  /* A fill element of 0 bytes in front: 110 0000, then CPE. */
  fail_unless_good (raw, "\xc0\x42\x20\x08\xc1\x18\x38");
  fail_unless_bad (raw, "\x21\x90\x04\x60\x8c\x1c"); /* ics_reserved_bit */
  fail_unless_bad (raw, "\x21\x1f\xc4\x60\x8c\x1c"); /* max_sfb 63 */
  fail_unless_bad (raw, "\x21\x10\x24\x60\x8c\x1c"); /* prediction in LC */
  fail_unless_good (main_profile, "\x21\x10\x24\x60\x8c\x1c");
  fail_unless_bad (raw, "\x21\x10\x1c\x60\x8c\x1c"); /* ms_mask_present 3 */
  fail_unless_bad (raw, "\x21");
  fail_unless_unknown (usac, "\x21\x10\x04\x60\x8c\x1c");
  fail_unless_unknown (none, "\x21\x10\x04\x60\x8c\x1c");
}
GST_END_TEST;

GST_START_TEST (test_audio_sync_words)
{
  SampleProbe mp3 = PROBE ("mp4a", ESDS ("\x6b", "\0\0"));
  SampleProbe dot_mp3 = PROBE (".mp3", "");
  SampleProbe ac3 = PROBE ("ac-3", "");
  SampleProbe ec3 = PROBE ("ec-3", "");
  SampleProbe flac = PROBE ("fLaC", "");
  SampleProbe alac = PROBE ("alac", "");
  SampleProbe dts = PROBE ("dtsc", "");
  SampleProbe dts_hd = PROBE ("dtsh", "");
  SampleProbe dts_x = PROBE ("dtsx", "");

  fail_unless_good (mp3, "\xff\xfb\x90\x64");
  fail_unless_good (dot_mp3, "\xff\xf3\x90\x64");
  fail_unless_bad (mp3, "\xff\xfb\xf0\x64"); /* bit rate */
  fail_unless_bad (mp3, "\xff\xfb\x9c\x64"); /* frequency */
  fail_unless_bad (mp3, "\xff\xf9\x90"); /* layer, and cut off */
  fail_unless_good (ac3, "\x0b\x77\0\0\0\0");
  fail_unless_bad (ac3, "\x77\x0b\0\0\0\0");
  fail_unless_good (ec3, "\x0b\x77\0\0\0\0");
  fail_unless_good (flac, "\xff\xf8\xc9\x18\0\xc2");
  fail_unless_bad (flac, "\xff\xf8\x09\x18\0\xc2"); /* block size */
  fail_unless_bad (flac, "\xff\xf8\xc9\xb8\0\xc2"); /* channels */
  fail_unless_good (alac, "\x20\0\0\x12\x34");
  fail_unless_bad (alac, "\x20\1\0\x12\x34");
  fail_unless_bad (alac, "\xa0");
  fail_unless_good (dts, "\x7f\xfe\x80\1\xfc");
  fail_unless_good (dts_hd, "\x64\x58\x20\x25\0");
  fail_unless_good (dts_x, "\x40\x41\x1b\xf2\x2a");
  fail_unless_good (dts_x, "\x71\xc4\x42\xe8\x1a");
  fail_unless_bad (dts_x, "\x71\xc4\x42\xe9\x1a");
  fail_unless_bad (dts, "\x7f\xfe\x80");
}
GST_END_TEST;

GST_START_TEST (test_iamf)
{
  SampleProbe iamf = PROBE ("iamf", "");

  fail_unless_good (iamf, "\x32\2ab");
  fail_unless_good (iamf, "\x20\0\x32\x82\0ab");
  fail_unless_bad (iamf, "\x32\3ab");
  fail_unless_bad (iamf, "\x32\1ab");
  fail_unless_bad (iamf, "\x32");
}
GST_END_TEST;

GST_START_TEST (test_opus)
{
  SampleProbe one = PROBE ("Opus", "\0\2\1\x38\0\0\xbb\x80\0\0\0");
  SampleProbe many = PROBE ("Opus", "\0\6\1\x38\0\0\xbb\x80\0\0\1\4\2");
  SampleProbe none;

  sample_probe_init (&none, FCC ("Opus"), NULL, 0);
  fail_unless_good (one, "\xfc"); /* DTX */
  fail_unless_good (one, "\xfd\1\2");
  fail_unless_bad (one, "\xfd\1\2\3"); /* two frames of one size */
  fail_unless_good (many, "\xfd\1\2\3");
  fail_unless_good (none, "\xfd\1\2\3");
  fail_unless_good (one, "\xfe\1\2\3");
  fail_unless_bad (one, "\xfe\4\2\3");
  fail_unless_bad (one, "\xfe\xff");
  fail_unless_good (one, "\xff\3\1\2\3"); /* three frames of one byte */
  fail_unless_bad (one, "\xff\3\1\2");
  fail_unless_good (one, "\xff\x83\1\2\1\2\3\4"); /* of 1, 2 and 1 bytes */
  fail_unless_bad (one, "\xff\x83\1\4\1\2\3\4");
  fail_unless_good (one, "\xff\x41\2\1\0\0"); /* padding */
  fail_unless_bad (one, "\xff\x41\xff\1\0\0");
  fail_unless_bad (many, "\xff\0\1\2\3"); /* no frame */
  fail_unless_bad (many, "\xff\7\1\2\3\4\5\6\7"); /* 140 ms */
  fail_unless_bad (many, "\xff");
}
GST_END_TEST;

/* How many of @n random samples slip through, by a fixed sequence. */
static guint
count_random_passes (const SampleProbe *probe, guint n, gsize size)
{
  g_autofree guint8 *sample = g_malloc (size);
  GRand *random = g_rand_new_with_seed (4711);
  guint i, passes = 0;
  gsize j;

  for (i = 0; i < n; i++) {
    for (j = 0; j < size; j++)
      sample[j] = (guint8) g_rand_int (random);
    passes += sample_probe_check (probe, sample, size) != SAMPLE_PROBE_BAD;
  }
  g_rand_free (random);
  return passes;
}

/* The chances that the header names. */
GST_START_TEST (test_random)
{
  static const struct
  {
    const gchar *codec;
    const gchar *config;
    gsize config_size;
    guint most; /* of 2000 */
  } codecs[] = {
    { "avc1", AVCC ("\xff"), 7, 0 },
    { "avc1", AVCC ("\xfd"), 7, 8 },
    { "avc1", AVCC ("\xfc"), 7, 8 },
    { "hvc1", HVCC, 23, 0 },
    { "av01", NULL, 0, 40 },
    { "vp09", NULL, 0, 140 },
    { "mp4a", ESDS ("\x40", "\x12\x10"), 31, 40 },
    { "mp4a", ESDS ("\x6b", "\0\0"), 31, 4 },
    { "ac-3", NULL, 0, 1 },
    { "fLaC", NULL, 0, 1 },
    { "alac", NULL, 0, 4 },
    { "dtsc", NULL, 0, 0 },
    { "iamf", NULL, 0, 60 },
    { "Opus", "\0\2\1\x38\0\0\xbb\x80\0\0\0", 11, 1300 },
  };
  guint i, n;

  for (i = 0; i < G_N_ELEMENTS (codecs); i++) {
    SampleProbe probe =
        probe_for (codecs[i].codec, codecs[i].config, codecs[i].config_size);

    n = count_random_passes (&probe, 2000, 700);
    fail_unless (n <= codecs[i].most, "%s: %u of 2000 pass", codecs[i].codec,
        n);
  }
}
GST_END_TEST;

GST_START_TEST (test_unknown)
{
  SampleProbe probe = PROBE ("sowt", "");

  fail_unless_unknown (probe, "\1\2\3\4");
  fail_unless_equals_int (probe.codec, FCC ("sowt"));
}
GST_END_TEST;

static SampleProbe
probe_for_entry (const BmffBox *entry, guint32 codec)
{
  static const gchar *const configs[] = { "avcC", "hvcC", "esds", "dOps" };
  SampleProbe probe;
  guint i;

  sample_probe_init (&probe, codec, NULL, 0);
  for (i = 0; i < G_N_ELEMENTS (configs); i++) {
    const BmffBox *box = bmff_box_child (entry, FCC (configs[i]));
    gsize size;

    if (box != NULL) {
      const guint8 *data = g_bytes_get_data (box->payload, &size);

      sample_probe_init (&probe, codec, data, size);
    }
  }
  return probe;
}

typedef struct
{
  const gchar *path;
  guint n_judged;
} ClearWalk;

static void
check_clear_sample (const TestSample *sample, gpointer user_data)
{
  ClearWalk *walk = user_data;
  SampleProbe probe = probe_for_entry (sample->entry, sample->codec);
  SampleProbeResult result =
      sample_probe_check (&probe, sample->data, sample->size);

  /* An encrypted sample is not ours to judge here. */
  if (sample->has_aux)
    return;
  fail_unless (result != SAMPLE_PROBE_BAD, "%s: sample %u", walk->path,
      sample->index);
  fail_unless (sample_probe_check_payload (&probe, sample->data,
                   sample->size) != SAMPLE_PROBE_BAD,
      "%s: sample %u", walk->path, sample->index);
  walk->n_judged += result == SAMPLE_PROBE_GOOD;
}

/* No clear sample of the vectors is BAD. */
GST_START_TEST (test_clear_vectors)
{
  g_autoptr (GPtrArray) paths = NULL;
  ClearWalk walk = { NULL, 0 };
  guint i;

  if (!test_have_vectors ())
    return;
  paths = test_list_vectors ("clear");
  for (i = 0; i < paths->len; i++) {
    walk.path = g_ptr_array_index (paths, i);
    test_walk_file (walk.path, check_clear_sample, &walk);
  }
  fail_unless (walk.n_judged > 700, "%u", walk.n_judged);
}
GST_END_TEST;

typedef struct
{
  guint n_whole, n_bad;
} CipherWalk;

static void
check_whole_sample (const TestSample *sample, gpointer user_data)
{
  CipherWalk *walk = user_data;
  SampleProbe probe = probe_for_entry (sample->entry, sample->codec);

  /* Whole samples under cenc and cbc1: ciphertext from the first byte on. */
  if (sample->track->handler != BMFF_HANDLER_AUDIO || !sample->has_aux ||
      sample->subsamples != NULL ||
      bmff_box_find (sample->entry, "sinf/schi/tenc") == NULL)
    return;
  walk->n_whole++;
  walk->n_bad += sample_probe_check (&probe, sample->data, sample->size) ==
      SAMPLE_PROBE_BAD;
}

/* Real ciphertext: AAC and FLAC that were encrypted whole. */
GST_START_TEST (test_encrypted_vectors)
{
  static const gchar *const names[] = {
    "vsd_cenc-single_audio_init.mp4",
    "vsd_cbc1-single_audio_init.mp4",
    "shaka-player_multidrm-audio-init.mp4",
    "shaka-packager_app_test_testdata_flac-with-encryption_bear-flac-audio.mp4",
  };
  guint i;

  if (!test_have_vectors ())
    return;
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path =
        g_build_filename (test_vectors_dir (), names[i], NULL);
    CipherWalk walk = { 0, 0 };

    test_walk_file (path, check_whole_sample, &walk);
    fail_unless (walk.n_whole > 10, "%s: %u", path, walk.n_whole);
    fail_unless (walk.n_bad * 100 >= walk.n_whole * 96, "%s: %u of %u", path,
        walk.n_bad, walk.n_whole);
  }
}
GST_END_TEST;

static Suite *
sample_probe_suite (void)
{
  Suite *s = suite_create ("sample-probe");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_nal_lengths);
  tcase_add_test (tc, test_nal_length_sizes);
  tcase_add_test (tc, test_nal_headers);
  tcase_add_test (tc, test_nal_byte_stream);
  tcase_add_test (tc, test_nal_payload);
  tcase_add_test (tc, test_nal_payload_each_place);
  tcase_add_test (tc, test_nal_payload_wrong_key);
  tcase_add_test (tc, test_av1);
  tcase_add_test (tc, test_vp8_vp9);
  tcase_add_test (tc, test_aac);
  tcase_add_test (tc, test_audio_sync_words);
  tcase_add_test (tc, test_iamf);
  tcase_add_test (tc, test_opus);
  tcase_add_test (tc, test_random);
  tcase_add_test (tc, test_unknown);
  tcase_add_test (tc, test_clear_vectors);
  tcase_add_test (tc, test_encrypted_vectors);
  return s;
}

GST_CHECK_MAIN (sample_probe);
