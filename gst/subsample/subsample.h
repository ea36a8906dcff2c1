/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which bytes of a sample may be encrypted, by codec (ISO/IEC 23001-7, 9.5.2 and the codecs'
 * bindings): a pure function (codec configuration, samples so far) → ranges. Only headers of NAL units, OBUs, slices, tiles and
 * frames are read. Needs libgstcodecparsers; cencdecrypt does not need this.
 *
 * | sample entry | protected | refused as UNSUPPORTED |
 * |---|---|---|
 * | avc1–avc4, dva1, dvav | slice data of NAL unit types 1, 5, 19 | data partitioning (2–4), SVC, MVC, 3D (20, 21); slice groups of types 3–5 whose rate does not divide the picture |
 * | hvc1, hev1, dvh1, dvhe | slice segment data | slices of layers above the base (MV-HEVC, SHVC), of reserved types; pictures that refer to themselves (SCC), color planes coded apart |
 * | vvc1, vvi1 | slice data | before GStreamer 1.26 all; slices of layers above the base, of reserved types |
 * | av01 | each tile's data | tile lists, more than 256 tiles; before GStreamer 1.24 more than 64 superblocks a row or column, references signaled short |
 * | vp09 | all behind the uncompressed header | |
 * | ac-4 | all behind the table of contents | bitstream versions other than 2, substreams of objects |
 * | mp4a, .mp3, ac-3, ec-3, Opus, fLaC, alac | the whole sample | |
 *
 * Dolby Vision's RPU and enhancement layer NAL units (types that H.264 and H.265
 * leave unspecified) are no video coding layer and stay clear, as other
 * packagers leave them.
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

/** TRUE: @type is a sample entry's of a codec that there is a subsampler for. */
gboolean subsampler_knows (guint32 type);

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

/** How many bytes subsampler_look() wants to see. */
#define SUBSAMPLER_LOOK 6

/**
 * subsampler_look:
 * @at: (array length=n): a sample's bytes from a NAL unit's length field on
 * @n: SUBSAMPLER_LOOK or more, fewer at the sample's end
 * @size: (out): of the NAL unit with its length field
 *
 * For a caller that does not read all of a large sample. A slice that was read
 * in part has to have a range that starts no later than where the part ended:
 * then subsampler_map() looked at no byte behind it. Else, and on an error, map
 * the whole sample: parameter sets are learned as if they came twice.
 *
 * Returns: how many of these bytes subsampler_map() looks at: all, or 1 for a
 *   slice (as many as its header has); 0: not known, all of the sample
 */
gsize subsampler_look (const Subsampler *self, const guint8 *at, gsize n,
    gsize *size);

/** Forgets in-band parameter sets: after a seek or at a new start. */
void subsampler_reset (Subsampler *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Subsampler, subsampler_free)

G_END_DECLS
