/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that make a plan share; nobody else includes it.
 */

#pragma once

#include "smilremix/remix-plan.h"

G_BEGIN_DECLS

/** A track of the output while samples are being added to it. */
typedef struct
{
  RemixOutput *output; /* borrowed */
  GByteArray *memory; /* borrowed from the plan */
  guint32 max_samples;
  /* Video: what is hidden in front of the first clip, and by how much the
   * composition offsets have to rise for none to be negative; in 1/timescale. */
  gint64 hidden;
  gint64 needed_delay;
  /* Audio: the grid. A frame of the output lasts @frame; the title starts
   * output->media_time after the first frame does. */
  gint64 frame;
  gboolean grid_is_set;
  gint64 next_dts; /* where the next sample goes, on the media timeline */
  RemixFormat *
      silence_format; /* borrowed; what silence is written in: the last clip's, at first the profile's */
  RemixFormat
      *silence_made_for; /* borrowed; what silence_sample is in, or NULL */
  RemixSample silence_sample;
  const RemixFormat *last_format; /* borrowed: each sample asks again */
  gint last_description;
} RemixBuild;

/** The time of a clip in the output: [begin, end) in 1/timescale from the title's start. */
typedef struct
{
  guint64 begin, end;
  guint32 timescale;
  gboolean first, last;
} RemixSlot;

/** Index of @format in the output's list, where it is added if it is new; -1 with REMIX_ERROR_LIMIT. */
gint remix_build_format (RemixBuild *self, RemixFormat *format, GError **error);
/** Whether @n more samples are within max_samples; FALSE with REMIX_ERROR_LIMIT. */
gboolean
remix_build_has_room (const RemixBuild *self, guint32 n, GError **error);
gboolean remix_build_append (RemixBuild *self, const RemixSample *sample,
    GError **error);
/** Puts the sample without content into memory once, and gives it as a sample. */
gboolean remix_build_silence (RemixBuild *self, RemixFormat *format,
    RemixSample *sample, GError **error);

/** Adds the samples of @splice. */
gboolean remix_build_video (RemixBuild *self, const RemixStream *stream,
    const RemixSplice *splice, const RemixSlot *slot, GError **error);
/** Adds the samples of @splices (element-type RemixSplice), the parts of @whole; each has its part of @slot. */
gboolean remix_build_parts (RemixBuild *self, const RemixStream *stream,
    const RemixCut *whole, const GArray *splices, const RemixSlot *slot,
    GError **error);
/** Once all clips are there: composition offsets and the edit. */
void remix_build_video_finish (RemixBuild *self);

/**
 * remix_build_audio_frame:
 * @rate: the output's timescale
 *
 * How long a frame of @stream lasts, in 1/@rate; frames of AAC by the standard, not
 * as a coarse timescale rounds them. 0 with REMIX_ERROR_FORMAT if they are not all
 * the same, or single PCM samples.
 */
gint64 remix_build_audio_frame (const RemixStream *stream, guint32 rate,
    GError **error);

/**
 * Fills @slot with frames of @stream, of which @begin (in its timescale, on its
 * presentation timeline) is heard when the slot begins; with silence where it has
 * none. @stream may be NULL.
 */
gboolean remix_build_audio (RemixBuild *self, const RemixStream *stream,
    gint64 begin, const RemixSlot *slot, GError **error);
/** Likewise for cues. */
gboolean remix_build_text (RemixBuild *self, const RemixStream *stream,
    gint64 begin, const RemixSlot *slot, GError **error);

/** A new track of the output, without a sample; borrowed. */
RemixOutput *remix_plan_add_output (RemixPlan *self, RemixKind kind,
    guint32 handler, guint32 timescale);
void remix_output_free (RemixOutput *self);

/** Once all clips are there: a track with the events of @playlist, if it has any. */
gboolean remix_build_events (RemixPlan *plan, const RemixPlaylist *playlist,
    const RemixPlanOptions *options, GError **error);

G_END_DECLS
