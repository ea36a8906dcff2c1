/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which bytes of a sample may be encrypted, by codec (ISO/IEC 23001-7, 9.5.2 and the codecs'
 * bindings): a pure function (codec configuration, samples so far) → ranges. Only headers of NAL units, OBUs, slices, tiles and
 * frames are read. Needs libgstcodecparsers; cencdecrypt does not need this.
 */

#pragma once

#include <gst/cenc/cenc-subsamples.h>

G_BEGIN_DECLS

typedef struct _Subsampler Subsampler;

/**
 * subsampler_new:
 * @entry: a clear sample entry with its children parsed (avc1 with avcC, …)
 *
 * Returns: (transfer full): the subsampler, or NULL with
 *   GST_CENC_ERROR_UNSUPPORTED (a codec that is not known, or whose parser is
 *   not in this GStreamer; names the four characters) or GST_CENC_ERROR_FORMAT
 *   (a configuration box that is missing or broken; names it)
 */
Subsampler *subsampler_new (const BmffBox *entry, GError **error);
void subsampler_free (Subsampler *self);

/** TRUE: samples are encrypted whole (AAC, AC-3, Opus, …): no subsamples are written. */
gboolean subsampler_is_whole_sample (const Subsampler *self);
/** TRUE for a codec for which pattern schemes are defined with a pattern (video with subsamples). Others take 0:0. */
gboolean subsampler_takes_pattern (const Subsampler *self);

/**
 * subsampler_map:
 * @sample: (array length=size): the clear sample
 * @ranges: (element-type CencRange): cleared and filled: ascending, without
 *   overlap. May stay empty: nothing in the sample may be encrypted.
 *
 * Samples have to come in decoding order (parameter sets in band). A sample that
 * does not parse is GST_CENC_ERROR_FORMAT that names NAL unit or OBU and its
 * offset in the sample: nothing is guessed.
 */
gboolean subsampler_map (Subsampler *self, const guint8 *sample, gsize size,
    GArray *ranges, GError **error);

/** Forgets in-band parameter sets: after a seek or at a new start. */
void subsampler_reset (Subsampler *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Subsampler, subsampler_free)

G_END_DECLS
