/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A codec, its configuration box and samples, through subsampler and probe.
 * Input: a byte that chooses the codec; configuration and samples, each with
 * its size as u16be in front.
 */

#include <stddef.h>
#include <stdint.h>

#include "gst/subsample/sample-probe-trial.h"
#include "gst/subsample/subsample.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Samples of one input: more make runs slow without trying more. */
#define MAX_SAMPLES 64

static const struct
{
  const gchar *codec, *config;
} codecs[] = {
  { "avc1", "avcC" },
  { "avc3", "avcC" },
  { "hvc1", "hvcC" },
  { "dvhe", "hvcC" },
  { "av01", "av1C" },
  { "vp09", "vpcC" },
  { "ac-4", "dac4" },
  { "vvc1", "vvcC" },
  { "mp4a", "esds" },
  { "Opus", "dOps" },
};

static guint32
fourcc (const gchar *s)
{
  return bmff_get_u32 ((const guint8 *) s);
}

static void
check_ranges (const GArray *ranges, gsize size)
{
  gsize end = 0;
  guint i;

  for (i = 0; i < ranges->len; i++) {
    CencRange range = g_array_index (ranges, CencRange, i);

    g_assert (range.size > 0 && range.offset >= end);
    g_assert (range.offset <= size && range.size <= size - range.offset);
    end = range.offset + range.size;
  }
}

/* Copies: a read past the end is seen by the sanitizer. */
static gboolean
next_block (BmffReader *reader, guint8 **block, gsize *size)
{
  const guint8 *data;

  *size = bmff_reader_u16 (reader);
  *size = MIN (*size, bmff_reader_left (reader));
  data = bmff_reader_bytes (reader, *size);
  if (!bmff_reader_ok (reader))
    return FALSE;
  *block = g_memdup2 (data, *size);
  return TRUE;
}

/* The sample's first bytes serve as its subsamples too. */
static void
try_key (SampleProbeTrial *trial, const SampleProbe *probe,
    const guint8 *sample, gsize size)
{
  const SampleProbeCover cover = { size >= 16 ? sample + 3 : NULL, 2,
    size > 1 ? sample[0] & 15 : 0, size > 1 ? sample[1] & 15 : 0, size & 1 };

  sample_probe_trial_add (trial, probe, &cover, sample, size);
}

static void
fuzz_samples (Subsampler *subsampler, const SampleProbe *probe,
    BmffReader *reader)
{
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (CencRange));
  SampleProbeTrial trial = { 0 };
  guint8 *sample;
  gsize size;
  guint i;

  for (i = 0; i < MAX_SAMPLES && bmff_reader_left (reader) > 0 &&
       next_block (reader, &sample, &size);
       i++) {
    g_autoptr (GError) error = NULL;

    sample_probe_check (probe, sample, size);
    sample_probe_check_payload (probe, sample, size);
    try_key (&trial, probe, sample, size);
    if (subsampler != NULL &&
        subsampler_map (subsampler, sample, size, ranges, &error))
      check_ranges (ranges, size);
    else
      g_assert (subsampler == NULL || error != NULL);
    if (subsampler != NULL && i == MAX_SAMPLES / 2)
      subsampler_reset (subsampler);
    g_free (sample);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (BmffBox) entry = NULL;
  g_autoptr (Subsampler) subsampler = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *config = NULL;
  SampleProbe probe;
  BmffReader reader;
  gsize config_size;
  guint codec;

  bmff_reader_init (&reader, data, size);
  codec = bmff_reader_u8 (&reader) % G_N_ELEMENTS (codecs);
  if (!next_block (&reader, &config, &config_size))
    return 0;
  entry = bmff_box_new_container (fourcc (codecs[codec].codec));
  bmff_box_append (entry,
      bmff_box_new (fourcc (codecs[codec].config),
          g_bytes_new (config, config_size)));
  sample_probe_init (&probe, entry->type, config, config_size);
  subsampler = subsampler_new (entry, &error);
  g_assert ((subsampler == NULL) == (error != NULL));
  fuzz_samples (subsampler, &probe, &reader);
  return 0;
}
