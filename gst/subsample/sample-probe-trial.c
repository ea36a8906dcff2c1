/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/subsample/sample-probe-trial.h"

#include "gst/subsample/sample-probe-private.h"

#include <string.h>

#include "gst/isobmff/bmff-reader.h"

#define BLOCK 16
#define SUBSAMPLE_SIZE 6

#define MAX_BYTES (8u << 20)
#define MAX_ENDS 4096
/* What a wrong key has once in 256, a stream that has it among so many has by itself. */
#define MIN_ENDS 16
#define MIN_SAMPLES 16
#define POINTS_WANTED 2

/* VP9 */
#define MAX_FRAMES_TO_JUDGE 64
#define MIN_SHARE 8 /* one of so many */

/* As much of a slice header as is read, without emulation prevention. */
#define HEADER_WINDOW 12

/* One sample. Offsets count from its first byte. */
typedef struct
{
  SampleProbeTrial *trial;
  ProbeKind kind;
  const guint8 *sample;
  ProbeNalWalk walk;

  /* The NAL unit at hand */
  const guint8 *nal; /* NULL: there are no more */
  gsize start, end;
  gsize payload_size; /* without zeros at the end */
  gboolean is_slice;
  gboolean end_covered, ends_in_zero;

  guint n_slices;
  gboolean is_sync; /* key frame or parameter sets */
  gboolean has_start_code, has_bad_header, has_zero_end;
} Pass;

/*
 * NAL units
 */

static guint
get_header_size (ProbeKind kind)
{
  return kind == PROBE_KIND_H264 ? 1 : 2;
}

static guint
get_nal_type (ProbeKind kind, const guint8 *nal, gsize size)
{
  if (kind == PROBE_KIND_H264)
    return nal[0] & 0x1f;
  if (kind == PROBE_KIND_H265)
    return nal[0] >> 1 & 0x3f;
  return size > 1 ? nal[1] >> 3 : 31;
}

static gboolean
type_is_slice (ProbeKind kind, guint type)
{
  if (kind == PROBE_KIND_H264)
    return type == 1 || type == 5;
  return kind == PROBE_KIND_H265 ? type <= 9 || (type >= 16 && type <= 21)
                                 : type <= 11;
}

/* Start codes in front of these have a zero more (zero_byte of Annex B). */
static gboolean
type_is_sync (ProbeKind kind, guint type)
{
  if (kind == PROBE_KIND_H264)
    return type == 5 || type == 7 || type == 8;
  return kind == PROBE_KIND_H265 ? type >= 16 && type <= 34
                                 : type >= 7 && type <= 19;
}

/* A zero that nobody decrypted is the stream's own. */
static void
leave_nal (Pass *self)
{
  if (self->ends_in_zero && !self->end_covered)
    self->trial->ends_off = TRUE;
  self->has_zero_end |= self->ends_in_zero;
}

static void
next_nal (Pass *self)
{
  gsize size, payload;
  guint type;

  leave_nal (self);
  self->end_covered = self->ends_in_zero = FALSE;
  if (!probe_nal_walk_next (&self->walk, &self->nal, &size)) {
    self->nal = NULL;
    return;
  }
  self->start = (gsize) (self->nal - self->sample);
  self->end = self->start + size;
  for (payload = size; payload > 0 && self->nal[payload - 1] == 0;)
    payload--;
  self->payload_size = payload;
  self->ends_in_zero = payload < size;
  type = get_nal_type (self->kind, self->nal, size);
  self->is_slice = type_is_slice (self->kind, type);
  self->n_slices += self->is_slice;
  self->is_sync |= type_is_sync (self->kind, type);
}

/*
 * Slice headers
 */

static guint32
read_ue (PlainBits *bits)
{
  guint zeros = 0;

  while (!bits->failed && plain_bits_read (bits, 1) == 0)
    zeros++;
  if (bits->failed || zeros > 31)
    return G_MAXUINT32;
  return (1u << zeros) - 1 + plain_bits_read (bits, zeros);
}

static gsize
unescape (const guint8 *in, gsize size, guint8 out[HEADER_WINDOW])
{
  gsize i, n = 0;

  for (i = 0; i < size && n < HEADER_WINDOW; i++) {
    if (i < 2 || in[i] != 3 || in[i - 1] != 0 || in[i - 2] != 0)
      out[n++] = in[i];
  }
  return n;
}

/* slice_header() of H.264, 7.3.3: a picture's first slice begins with its first
 * macroblock; one of an IDR picture is I or SI. */
static gboolean
h264_header_is_legal (PlainBits *bits, guint type, gboolean is_first)
{
  guint32 first_mb = read_ue (bits);
  guint32 slice_type = read_ue (bits);
  guint32 pps = read_ue (bits);

  if (bits->failed || slice_type > 9 || pps > 255)
    return FALSE;
  if (type == 5 && slice_type % 5 != 2 && slice_type % 5 != 4)
    return FALSE;
  return !is_first || first_mb == 0;
}

/* slice_segment_header() of H.265, 7.3.6.1. */
static gboolean
h265_header_is_legal (PlainBits *bits, guint type, gboolean is_first)
{
  gboolean first_segment = plain_bits_read (bits, 1);

  if (type >= 16 && type <= 23)
    plain_bits_skip (bits, 1); /* no_output_of_prior_pics_flag */
  return (!is_first || first_segment) && read_ue (bits) <= 63 && !bits->failed;
}

static gboolean
header_is_legal (const Pass *self)
{
  guint8 window[HEADER_WINDOW];
  guint header = get_header_size (self->kind);
  gsize size = self->end - self->start;
  guint type = get_nal_type (self->kind, self->nal, size);
  PlainBits bits = { .data = window };

  if (size <= header || self->kind == PROBE_KIND_H266)
    return TRUE;
  bits.size = unescape (self->nal + header, size - header, window);
  return self->kind == PROBE_KIND_H264
      ? h264_header_is_legal (&bits, type, self->n_slices == 1)
      : h265_header_is_legal (&bits, type, self->n_slices == 1);
}

/*
 * What was decrypted
 */

static void
visit_end (Pass *self)
{
  SampleProbeTrial *trial = self->trial;

  self->end_covered = TRUE;
  if (trial->n_ends >= MAX_ENDS)
    trial->ends_off = TRUE;
  trial->n_ends++;
  if (self->ends_in_zero &&
      (trial->n_ends <= MIN_ENDS ||
          self->payload_size + 1 < self->end - self->start))
    trial->ends_off = TRUE;
}

/* Bytes from @from to @to were decrypted; they are of the NAL unit at hand. */
static void
visit_piece (Pass *self, gsize from, gsize to)
{
  SampleProbeTrial *trial = self->trial;
  gsize header = self->start + get_header_size (self->kind);

  if (self->is_slice && from <= header && to > header)
    self->has_bad_header |= !header_is_legal (self);
  if (trial->n_bytes < MAX_BYTES) {
    trial->n_bytes += to - from;
    self->has_start_code |= !probe_nal_range_is_legal (self->nal,
        self->payload_size, from - self->start, to - self->start);
  }
  if (to == self->end)
    visit_end (self);
}

static void
visit_run (Pass *self, gsize from, gsize to)
{
  while (from < to) {
    while (self->nal && self->end <= from)
      next_nal (self);
    if (!self->nal || self->start >= to)
      return;
    visit_piece (self, MAX (from, self->start), MIN (to, self->end));
    from = MIN (to, self->end);
  }
}

/* Whether none of 8 bytes is zero that another zero follows among them. It errs with a
 * 1 behind a zero, to the safe side. */
static gboolean
has_no_zeros (const guint8 *data)
{
  guint64 word, zeros;

  memcpy (&word, data, sizeof word);
  zeros = (word - G_GUINT64_CONSTANT (0x0101010101010101)) & ~word &
      G_GUINT64_CONSTANT (0x8080808080808080);
  return (zeros & zeros >> 8) == 0;
}

/* Of a pattern there are as many runs as blocks, and nearly all are one block in
 * the middle of a NAL unit, and without two zeros next to each other from 2 bytes in
 * front of it to the one behind it: of these nothing more is to be seen. */
static gboolean
visit_plain_run (Pass *self, gsize from, gsize size)
{
  const guint8 *data = self->sample + from;

  if (size != BLOCK || !self->nal ||
      from < self->start + get_header_size (self->kind) + 2 ||
      from + BLOCK >= self->end || self->trial->n_bytes >= MAX_BYTES ||
      !has_no_zeros (data - 2) || !has_no_zeros (data + 5) ||
      !has_no_zeros (data + 9))
    return FALSE;
  self->trial->n_bytes += BLOCK;
  return TRUE;
}

static void
visit_range (Pass *self, const SampleProbeCover *cover, gsize from, gsize size)
{
  gsize run = (gsize) cover->crypt_byte_block * BLOCK;
  gsize period = run + (gsize) cover->skip_byte_block * BLOCK;
  gsize at;

  if (cover->skip_byte_block == 0) {
    visit_run (self, from,
        from + size - (cover->whole_blocks ? size % BLOCK : 0));
    return;
  }
  for (at = 0; run > 0 && size - at >= run; at += MIN (period, size - at))
    if (!visit_plain_run (self, from + at, run))
      visit_run (self, from + at, from + at + run);
}

static void
visit_sample (Pass *self, const SampleProbeCover *cover, gsize size)
{
  gsize at = 0;
  guint i;

  if (!cover->subsamples)
    visit_range (self, cover, 0, size);
  for (i = 0; cover->subsamples && i < cover->n_subsamples; i++) {
    const guint8 *entry = cover->subsamples + (gsize) i * SUBSAMPLE_SIZE;
    gsize clear = bmff_get_u16 (entry), n = bmff_get_u32 (entry + 2);

    if (clear > size - at || n > size - at - clear)
      break;
    visit_range (self, cover, at + clear, n);
    at += clear + n;
  }
  while (self->nal)
    next_nal (self);
}

static void
judge (Pass *self)
{
  SampleProbeTrial *trial = self->trial;

  trial->n_samples++;
  if (self->has_start_code)
    trial->points +=
        trial->n_samples > MIN_SAMPLES && !self->is_sync ? POINTS_WANTED : 1;
  if (self->has_bad_header)
    trial->points++;
  /* A zero at the end counts once the next one is no key frame. */
  if (!trial->ends_off && trial->pending && !self->is_sync)
    trial->points++;
  trial->pending = self->has_zero_end;
}

/*
 * VP9
 */

/* Whether @at of a range of @size bytes was decrypted. */
static gboolean
range_has (const SampleProbeCover *cover, gsize size, gsize at)
{
  gsize run = (gsize) cover->crypt_byte_block * BLOCK;
  gsize period = run + (gsize) cover->skip_byte_block * BLOCK;

  if (cover->skip_byte_block == 0)
    return at < size - (cover->whole_blocks ? size % BLOCK : 0);
  return at % period < run && size - (at - at % period) >= run;
}

gboolean
sample_probe_cover_has (const SampleProbeCover *cover, gsize at)
{
  guint i;

  if (!cover->subsamples)
    return TRUE;
  for (i = 0; i < cover->n_subsamples; i++) {
    const guint8 *entry = cover->subsamples + (gsize) i * SUBSAMPLE_SIZE;
    gsize clear = bmff_get_u16 (entry), n = bmff_get_u32 (entry + 2);

    if (at < clear)
      return FALSE;
    if (at - clear < n)
      return range_has (cover, n, at - clear);
    at -= clear + n;
  }
  return FALSE;
}

static SampleProbeResult
add_vp9 (SampleProbeTrial *self, const SampleProbeCover *cover,
    const guint8 *sample, gsize size)
{
  guint n_fit, n_broken;

  if (!cover->subsamples || size == 0 || self->n_frames >= MAX_FRAMES_TO_JUDGE)
    return SAMPLE_PROBE_UNKNOWN;
  probe_vp9_try (cover, sample, size, &n_fit, &n_broken);
  self->n_frames += n_fit + n_broken;
  self->points += n_broken;
  return self->points >= POINTS_WANTED &&
          self->points * MIN_SHARE >= self->n_frames
      ? SAMPLE_PROBE_BAD
      : SAMPLE_PROBE_GOOD;
}

SampleProbeResult
sample_probe_trial_add (SampleProbeTrial *self, const SampleProbe *probe,
    const SampleProbeCover *cover, const guint8 *sample, gsize size)
{
  Pass pass = { .trial = self,
    .kind = (ProbeKind) probe->kind,
    .sample = sample,
    .walk = { sample, size, probe->nal_length_size } };

  if (probe->kind == PROBE_KIND_VP9)
    return add_vp9 (self, cover, sample, size);
  if (probe->kind < PROBE_KIND_H264 || probe->kind > PROBE_KIND_H266 ||
      probe->nal_length_size == 0 || size == 0 ||
      (self->n_bytes >= MAX_BYTES &&
          (self->ends_off || cover->skip_byte_block > 0)))
    return SAMPLE_PROBE_UNKNOWN;
  next_nal (&pass);
  visit_sample (&pass, cover, size);
  judge (&pass);
  return self->points >= POINTS_WANTED ? SAMPLE_PROBE_BAD : SAMPLE_PROBE_GOOD;
}
