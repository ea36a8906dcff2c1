/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SampleProbeTrial: evidence against a key, gathered over the samples that it
 * decrypts. Where subsamples leave lengths and headers in the clear, no single
 * sample convicts a wrong key (sample-probe.h); several together do.
 */

#pragma once

#include "gst/subsample/sample-probe.h"

G_BEGIN_DECLS

/** Which bytes of a sample its cipher has changed. */
typedef struct
{
  const guint8 *
      subsamples; /* n_subsamples × {u16be clear, u32be protected}; NULL: all */
  guint n_subsamples;
  guint8 crypt_byte_block, skip_byte_block; /* skip 0: no pattern */
  gboolean
      whole_blocks; /* what is left of a range behind whole blocks of 16 is clear */
} SampleProbeCover;

/** A plain value; all zero at the beginning. One a key. */
typedef struct
{
  /*< private >*/
  guint64 n_bytes; /* that were searched for start codes */
  guint n_samples;
  guint n_ends; /* NAL units whose last byte was decrypted */
  guint points;
  gboolean ends_off; /* zeros at the ends are the stream's own */
  gboolean pending; /* the last sample ended with a zero */
  guint n_frames; /* of VP9, that were judged */
} SampleProbeTrial;

/**
 * sample_probe_trial_add:
 * @cover: what the key has decrypted of @sample
 * @sample: (array length=size): in the clear, if the key is the right one
 *
 * Of length-prefixed NAL units (H.264, H.265, H.266) it looks at what was
 * decrypted for three things that a valid stream never has, and ciphertext has
 * with these chances:
 *
 * - A start code, or what emulation prevention has to prevent, in the first 8 MiB:
 *   2^-22 a byte (also of a pattern, of which only the bytes that were decrypted
 *   count). Two points; one among the first 16 samples or in a key frame.
 * - A zero as the last byte of a NAL unit, where that was decrypted (mostly so
 *   with cenc, seldom with a 1:9 pattern), in the first 4096 NAL units: 1/256.
 *   One point. Muxers that took a start code's zero for the NAL unit's leave
 *   zeros there too: such zeros are regular, or stand before key frames, or
 *   are several, or at NAL units that nobody decrypted, and do not count.
 * - A slice header that cannot be, where the encryptor did not spare it
 *   (H.264, H.265): a half of the samples. One point a sample.
 *
 * Two points convict. A wrong key is then told with evens after some 3 MB or
 * 430 NAL units, whatever comes first, and where slice headers are encrypted after
 * four samples; or, after the bounds above, not at all. A right key with a stream
 * that keeps ITU-T H.264, 7.4.1 (H.265 and H.266, 7.4.2) is never convicted.
 *
 * Of VP9 with clear uncompressed headers it looks at the first 64 frames for marker bits
 * (of the compressed header and of tiles, 9.2.1), which are 0, and for sizes of
 * tiles (6.4), which do not exceed the frame. Where several readings of the header
 * are possible, because a width is that of a reference, all have to fail. Two frames
 * convict, if they are an eighth of those that were judged: single damaged ones do
 * not. A wrong key fails of some half of the frames with one tile, of nearly all with
 * several.
 *
 * Returns: BAD: convicted; GOOD: not, so far; UNKNOWN: nothing can be told, or
 *   no longer
 */
SampleProbeResult
sample_probe_trial_add (SampleProbeTrial *self, const SampleProbe *probe,
    const SampleProbeCover *cover, const guint8 *sample, gsize size);

G_END_DECLS
