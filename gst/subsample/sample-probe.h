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
  SAMPLE_PROBE_UNKNOWN, /* the codec has nothing that can be told (PCM, …) */
  SAMPLE_PROBE_GOOD,
  SAMPLE_PROBE_BAD,
} SampleProbeResult;

typedef struct
{
  guint32 codec; /* original format: `avc1`, `hvc1`, `av01`, `mp4a`, … or 0 */
  guint
      nal_length_size; /* 1, 2, 4 for NAL codecs in length-prefixed form; 0 = byte-stream */
} SampleProbe;

/** From a sample entry's original format and its configuration box's payload (avcC, hvcC; may be NULL). */
void sample_probe_init (SampleProbe *self, guint32 codec, const guint8 *config,
    gsize config_size);

/**
 * sample_probe_check: NAL codecs: lengths add up and headers are legal
 * (forbidden_zero_bit 0, types that exist); AV1: OBUs walk; VP9: frame_marker; AAC raw: first element's
 * id and, for what is told by it, ics fields; AC-3/E-AC-3: syncword; Opus, FLAC: frame header.
 */
SampleProbeResult
sample_probe_check (const SampleProbe *self, const guint8 *sample, gsize size);

G_END_DECLS
