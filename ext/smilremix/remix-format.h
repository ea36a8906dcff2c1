/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixFormat: what a sample entry says about the samples that use it: enough to
 * decide which sources go together, and to write the entry into the output.
 */

#pragma once

#include "gst/isobmff/bmff-movie.h"
#include "smilremix/remix-ac3.h"

G_BEGIN_DECLS

typedef enum
{
  REMIX_KIND_VIDEO,
  REMIX_KIND_AUDIO,
  REMIX_KIND_TEXT,
  REMIX_KIND_OTHER,
} RemixKind;

typedef struct
{
  gint ref_count;
  RemixKind kind;
  guint32 type; /* of the entry: avc1, mp4a, … */
  guint32 codec; /* one code for what decodes alike: avc1 for avc1 to avc4 */
  guint width, height; /* video */
  guint rate, channels; /* audio: of what is heard, in Hz */
  guint object_type; /* AAC: audio object type, else 0 */
  guint
      channel_config; /* AAC: channelConfiguration, 0 if a program config element defines it */
  gboolean has_ac3;
  RemixAc3Config ac3; /* if has_ac3 */
  gboolean short_frames; /* AAC: 960 samples, not 1024 */
  GBytes *
      key; /* equal for entries that mean the same, whatever boxes of information they carry (btrt) */
  GBytes *entry; /* the box to write: data_reference_index 1, no btrt */
  GBytes *config; /* payload of the avcC or hvcC, or NULL */
  gsize config_at; /* where it stands in @entry */
  gchar *text; /* "H.264 640x360", for messages */
} RemixFormat;

/**
 * remix_format_new:
 * @entry: a sample entry as bmff_box_parse_stsd() leaves it
 * @handler: of its track
 *
 * Returns: NULL with REMIX_ERROR_FORMAT: protected (encv, enca, …: decrypt it
 *   first), or damaged
 */
RemixFormat *
remix_format_new (const BmffBox *entry, guint32 handler, GError **error);
RemixFormat *remix_format_ref (RemixFormat *self);
void remix_format_unref (RemixFormat *self);

/** Of the same meaning: one sample description serves both. */
gboolean remix_format_equal (const RemixFormat *a, const RemixFormat *b);
/** Whether a player that has started with @a can go on with @b: the codec; for audio sample rate, channels and object type as well. */
gboolean remix_format_compatible (const RemixFormat *a, const RemixFormat *b);

RemixKind remix_kind_from_handler (guint32 handler);
/** "video", "audio", "text" or "other". */
const gchar *remix_kind_to_string (RemixKind kind);

/**
 * remix_format_silence:
 *
 * Returns: (transfer full): a frame that decodes to silence, or for text a sample
 *   without a cue; NULL with REMIX_ERROR_FORMAT where none is known: all but
 *   AAC-LC and HE-AAC of 1 to 8 channels, AC-3, E-AC-3 of one substream, wvtt
 *   and tx3g
 */
GBytes *remix_format_silence (const RemixFormat *self, GError **error);
/** How long that frame lasts, in 1/rate. */
guint remix_format_silence_frame (const RemixFormat *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixFormat, remix_format_unref)

G_END_DECLS
