/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixMovie: a source's tracks, as a plan needs them: one table of samples each,
 * whether they lie in one stbl or in many fragments, and where on the source's
 * timeline they are seen. Immutable; holds no sample bytes.
 */

#pragma once

#include "gst/isobmff/bmff-source.h"
#include "smilremix/remix-format.h"

G_BEGIN_DECLS

/** A sync sample. Times are on the presentation timeline of the track, in its timescale. */
typedef struct
{
  guint32 index;
  guint32
      n_leading; /* samples right behind it in decoding order that are shown before it (open GOP) */
  gint64 pts;
} RemixSync;

typedef struct
{
  guint32 id;
  RemixKind kind;
  guint32 handler;
  guint32 timescale; /* never 0 */
  gchar language[4];
  guint32 tkhd_width, tkhd_height; /* 16.16 */
  guint64 bitrate; /* bits per second, of the samples */
  GPtrArray *formats; /* (element-type RemixFormat), by description_index - 1 */
  BmffSampleTable *samples; /* never empty */
  /* pts = dts + composition offset + shift: what the edit list does. */
  gint64 shift;
  /* What is seen of it: [start, end); what the edit list hides is outside. */
  gint64 start, end;
  GArray *syncs; /* (element-type RemixSync), of a video track, else NULL */
} RemixTrack;

typedef struct
{
  gchar *uri;
  guint index; /* of the source in the title */
  gboolean fragmented;
  GPtrArray *
      tracks; /* (element-type RemixTrack); without those that have no samples, or are not video, audio or text */
  GPtrArray *warnings; /* (element-type utf8) */
} RemixMovie;

typedef struct
{
  guint64 max_moov_size; /* bytes; of all moofs of a source together, too */
  guint32
      max_samples; /* of a track: a box of few bytes can claim any number of them */
} RemixMovieLimits;

/**
 * remix_movie_load:
 * @source: read by place; only boxes that are no mdat are read
 * @uri: for messages
 *
 * Returns: NULL with REMIX_ERROR_FORMAT, REMIX_ERROR_LIMIT, or an error of
 *   @source's or of gst/isobmff; the message names @uri
 */
RemixMovie *remix_movie_load (BmffSource *source, const gchar *uri, guint index,
    const RemixMovieLimits *limits, GError **error);
void remix_movie_free (RemixMovie *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixMovie, remix_movie_free)

G_END_DECLS
