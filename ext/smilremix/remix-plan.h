/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixPlan: a playlist and the tracks of its sources become the tables of one
 * movie. A pure function: no I/O, no clock, the same tables each time.
 */

#pragma once

#include "smilremix/remix-movie.h"
#include "smilremix/remix-playlist.h"
#include "smilremix/remix-splice.h"

G_BEGIN_DECLS

/** The source of samples that lie in RemixPlan.memory: silence, empty cues, events. */
#define REMIX_SOURCE_MEMORY 0xffffu
/** More sources than this cannot be numbered. */
#define REMIX_MAX_SOURCES 0xff00u

/** For RemixPlanOptions.max_samples: two days at 60 frames a second. */
#define REMIX_MAX_SAMPLES 10000000u

/** A sample of the output; 24 bytes. */
typedef struct
{
  guint64 offset; /* in its source */
  guint32 size;
  guint32 duration; /* in the track's timescale */
  gint32 composition; /* pts - dts, never negative in a finished plan */
  guint16 source;
  guint16 description : 15; /* index into RemixOutput.formats */
  guint16 sync : 1;
} RemixSample;

/** Parameter sets in RemixPlan.memory. */
typedef struct
{
  guint64 offset;
  guint32 size;
} RemixPrefix;

/** A track of the output. */
typedef struct
{
  RemixKind kind;
  guint32 handler;
  guint32 timescale;
  gchar language[4];
  guint32 tkhd_width, tkhd_height; /* 16.16 */
  GPtrArray *formats; /* (element-type RemixFormat) */
  GBytes *
      entry; /* the only sample entry, which serves all @formats: their parameter sets stand in front of each sync sample, whose size they are part of. NULL: an entry for each format */
  GArray
      *prefixes; /* (element-type RemixPrefix), one for each format; or NULL */
  guint nal_length; /* with prefixes */
  GArray *samples; /* (element-type RemixSample) */
  GArray *
      clip_starts; /* (element-type guint32): for each clip the first of its samples */
  guint64 media_time; /* of the only edit */
  guint64 media_duration; /* of all samples */
  guint64 duration; /* of the edit, in the track's timescale */
} RemixOutput;

typedef struct
{
  GPtrArray *outputs; /* (element-type RemixOutput) */
  guint leader; /* index of the track that rules where clips are cut */
  guint64 duration; /* of the title, in the leader's timescale */
  GArray *
      clip_times; /* (element-type guint64): when each clip starts, in the leader's timescale; one more for the end */
  GArray *
      conditions; /* (element-type guint64): conditioning points that have a sync sample, sorted, in the leader's timescale */
  GByteArray *memory; /* samples that come from no source */
  GPtrArray *warnings; /* (element-type utf8) */
} RemixPlan;

typedef struct
{
  gboolean strict;
  gboolean in_band; /* parameter sets of H.264 and H.265 among the samples */
  gboolean fragmented; /* the output is: nothing behind its end can be hidden */
  const RemixEncoder *
      encoder; /* nullable: for clips of clipMode sample in a title with one video track */
  guint32
      max_samples; /* of a track: a source that claims to last for years would else be answered with silence as long */
} RemixPlanOptions;

/**
 * remix_plan_new:
 * @movies: (element-type utf8 RemixMovie): each source of @playlist by its URI,
 *   its outputDescription included
 *
 * Returns: NULL with REMIX_ERROR_MATCH, REMIX_ERROR_GAP, REMIX_ERROR_PLAYLIST,
 *   REMIX_ERROR_FORMAT or REMIX_ERROR_LIMIT; the message names the clip by number
 *   and line
 */
RemixPlan *remix_plan_new (const RemixPlaylist *playlist, GHashTable *movies,
    const RemixPlanOptions *options, GError **error);
void remix_plan_free (RemixPlan *self);

/** Index of the sample description that @sample is written with. */
guint remix_output_get_description (const RemixOutput *self,
    const RemixSample *sample);
/** What stands in front of @sample's own bytes, or NULL; @sample's size has it in. */
const RemixPrefix *
remix_output_get_prefix (const RemixOutput *self, const RemixSample *sample);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixPlan, remix_plan_free)

G_END_DECLS
