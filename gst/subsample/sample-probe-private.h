/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of sample-probe share; not for other rooms. */

#pragma once

#include "gst/subsample/plain-bits.h"
#include "gst/subsample/sample-probe-trial.h"

G_BEGIN_DECLS

typedef enum
{
  PROBE_KIND_UNKNOWN,
  PROBE_KIND_H264,
  PROBE_KIND_H265,
  PROBE_KIND_H266,
  PROBE_KIND_AV1,
  PROBE_KIND_VP8,
  PROBE_KIND_VP9,
  PROBE_KIND_AAC,
  PROBE_KIND_MP3,
  PROBE_KIND_AC3,
  PROBE_KIND_OPUS,
  PROBE_KIND_FLAC,
  PROBE_KIND_ALAC,
  PROBE_KIND_DTS,
  PROBE_KIND_IAMF,
} ProbeKind;

/* Length-prefixed NAL units. */
typedef struct
{
  const guint8 *data;
  gsize left;
  guint length_size;
} ProbeNalWalk;

/* Gives the next NAL unit that is not empty. FALSE at the end; then @left is 0
 * if the lengths added up. */
gboolean
probe_nal_walk_next (ProbeNalWalk *self, const guint8 **nal, gsize *size);
/* Whether no start code and no forbidden pattern ends at or begins before bytes
 * @from to @to of a NAL unit of @size bytes without zeros at its end. */
gboolean
probe_nal_range_is_legal (const guint8 *nal, gsize size, gsize from, gsize to);

/* @sample is not empty in any of these. */
gboolean
probe_nal_check (const SampleProbe *self, const guint8 *sample, gsize size);
gboolean probe_nal_check_payload (const SampleProbe *self, const guint8 *sample,
    gsize size);
gboolean probe_av1_check (const guint8 *sample, gsize size);
gboolean probe_vp8_check (const guint8 *sample, gsize size);
gboolean probe_vp9_check (const guint8 *sample, gsize size);
/* Frames in which what was decrypted is as it has to be, and in which it cannot be;
 * those of which nothing is known are neither. */
void probe_vp9_try (const SampleProbeCover *cover, const guint8 *sample,
    gsize size, guint *n_fit, guint *n_broken);
/* Whether the byte at @at was decrypted. */
gboolean sample_probe_cover_has (const SampleProbeCover *cover, gsize at);
gboolean
probe_aac_check (const SampleProbe *self, const guint8 *sample, gsize size);
gboolean probe_mp3_check (const guint8 *sample, gsize size);
gboolean probe_ac3_check (const guint8 *sample, gsize size);
gboolean
probe_opus_check (const SampleProbe *self, const guint8 *sample, gsize size);
gboolean probe_flac_check (const guint8 *sample, gsize size);
gboolean probe_alac_check (const guint8 *sample, gsize size);
gboolean probe_dts_check (const guint8 *sample, gsize size);
gboolean probe_iamf_check (const guint8 *sample, gsize size);
/* leb128() of AV1, 4.10.5: moves behind it; FALSE beyond 8 bytes or 32 bits. */
gboolean probe_read_leb128 (const guint8 **p, gsize *left, gsize *value);

G_END_DECLS
