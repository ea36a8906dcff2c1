/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does a sample look like what its codec says? Cheap tests that a sample that
 * was decrypted with the wrong key, or not at all, fails with near certainty.
 * GLib only: cencdecrypt uses it without libgstcodecparsers.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  /* Nothing can be told: a codec without structure that is known here (PCM,
   * AC-4, text), a configuration that is missing where the answer hangs on it,
   * an empty sample. */
  SAMPLE_PROBE_UNKNOWN,
  SAMPLE_PROBE_GOOD, /* nothing speaks against it */
  SAMPLE_PROBE_BAD, /* no valid sample of this codec */
} SampleProbeResult;

/** Filled by sample_probe_init(); a plain value, no memory of its own, immutable afterwards. */
typedef struct
{
  guint32 codec; /* original format: `avc1`, `hvc1`, `av01`, `mp4a`, … or 0 */
  guint
      nal_length_size; /* 1, 2, 4 for NAL codecs in length-prefixed form; 0 = byte-stream */
  /*< private >*/
  guint kind;
  guint8
      object_type; /* AAC: audioObjectType of ISO/IEC 14496-3, 0 = not known */
  guint8 frequency_index; /* AAC: samplingFrequencyIndex, 15 = none */
  guint8 n_streams; /* Opus: coupled and mono streams, 0 = not known */
} SampleProbe;

/**
 * sample_probe_init:
 * @codec: the sample entry's original format
 * @config: (array length=config_size) (nullable): payload of the configuration
 *   box: avcC, hvcC, vvcC (without it NAL codecs are taken as byte-stream),
 *   esds or the AudioSpecificConfig in it (without it `mp4a` is
 *   SAMPLE_PROBE_UNKNOWN), dOps. Borrowed for the call. Others need none.
 */
void sample_probe_init (SampleProbe *self, guint32 codec, const guint8 *config,
    gsize config_size);

/**
 * sample_probe_check:
 * @sample: (array length=size): one sample, as it is believed to be clear
 *
 * Reads headers only; its cost does not grow with the payload, save for
 * byte-stream, where the first 4 KiB are looked at.
 *
 * A valid sample is never BAD. Random bytes in its place (a sample that was
 * encrypted whole, and not decrypted or with the wrong key) are BAD with
 * these chances to slip through, for one sample of some hundred bytes or more:
 *
 * - length-prefixed NAL units (lengths add up to the sample, headers legal):
 *   below 2^-20 with 4-byte lengths, 2^-8 with 1- and 2-byte ones
 * - `av01` (OBUs walk): 1.5 %; `vp09` (frame marker, sync code): 6 %; `vp08`: 50 %
 * - `mp4a`: AAC (the first element up to its sections): LC 2 %, Main and LTP 10 %;
 *   MP3 (sync word and header): 2^-11
 * - `ac-3`, `ec-3` (sync word): 2^-16; `fLaC`: 2^-15; `alac`: 2^-11
 * - `Opus` (frame packing): 60 %, several streams 80 %
 *
 * What it cannot tell: where subsamples leave lengths and headers clear, a
 * wrong key damages only what lies behind them, and this finds nothing. See
 * sample_probe_check_payload().
 */
SampleProbeResult
sample_probe_check (const SampleProbe *self, const guint8 *sample, gsize size);

/**
 * sample_probe_get_family: what samples of one stream share, from 0 to 63, and
 * what random bytes share with them by a chance of 1 in 64: of `Opus` the mode and
 * channels that the first byte tells (RFC 6716, 3.1), which an encoder seldom
 * changes. -1 for other codecs, which sample_probe_check() tells well enough.
 */
gint sample_probe_get_family (const SampleProbe *self, const guint8 *sample,
    gsize size);

/**
 * sample_probe_check_payload:
 * @sample: (array length=size): one sample whose protected ranges were
 *   decrypted, and that sample_probe_check() does not call BAD
 *
 * Reads all of a NAL unit: within it no two zero bytes stand before a byte
 * below 3, and behind 00 00 03 comes nothing above 3 (ITU-T H.264, 7.4.1; H.265,
 * 7.4.2). Zeros at a NAL unit's end are not held against it: muxers leave them
 * there. A clear sample is never BAD. A wrong key is found by this after a
 * while: each byte of wrongly decrypted payload has a chance of 2^-22, so some
 * 3 MB give evens and 20 MB 99 %; of a 1:9 pattern ten times as much. For
 * codecs that are not made of NAL units it is SAMPLE_PROBE_UNKNOWN.
 */
SampleProbeResult sample_probe_check_payload (const SampleProbe *self,
    const guint8 *sample, gsize size);

G_END_DECLS
