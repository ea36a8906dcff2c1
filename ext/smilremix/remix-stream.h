/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixStream: what one clip gives to one track of the output: a track of a
 * source, or the tracks of several archive segments behind one another, with
 * samples numbered throughout.
 */

#pragma once

#include "smilremix/remix-movie.h"

G_BEGIN_DECLS

typedef struct
{
  const RemixTrack *track; /* borrowed */
  guint source; /* index of the source in the title */
  guint32 first; /* number of its first sample in the stream */
  guint32 first_sync; /* number of its first sync sample in the stream */
} RemixPiece;

typedef struct
{
  GArray *pieces; /* (element-type RemixPiece), at least one when in use */
  RemixKind kind;
  guint32 timescale;
  guint32 n_samples;
  guint32 n_syncs;
  gboolean fragmented; /* its timeline may start anywhere */
  gint64 start, end; /* of what is seen, on the presentation timeline */
} RemixStream;

/** A sample with its times on the presentation timeline of the stream. */
typedef struct
{
  guint64 offset;
  guint32 size;
  guint32 duration;
  gint64 dts, pts;
  guint source;
  gboolean sync;
  RemixFormat *format; /* borrowed */
} RemixStreamSample;

RemixStream *remix_stream_new (void);
void remix_stream_free (RemixStream *self);

/**
 * remix_stream_append:
 * @uri: of the source, for messages
 *
 * Adds a track behind those that are there. The samples have to go on where the
 * last ones ended, within half a sample.
 *
 * Returns: FALSE with REMIX_ERROR_GAP, which names both sources and the times
 */
gboolean remix_stream_append (RemixStream *self, const RemixTrack *track,
    const RemixMovie *movie, const gchar *previous_uri, GError **error);

/** Sync sample @n; its index is that in the stream. */
RemixSync remix_stream_get_sync (const RemixStream *self, guint32 n);
/** Number of the last sync sample that is shown at @pts or before; 0 if all are later. */
guint32 remix_stream_find_sync (const RemixStream *self, gint64 pts);
/** Index of the last sample that is decoded at @dts or before; 0 if all are later. */
guint32 remix_stream_find_dts (const RemixStream *self, gint64 dts);

/** Walks samples in decoding order; a plain value that borrows the stream. */
typedef struct
{
  const RemixStream *stream;
  guint32 next;
  /*< private >*/
  guint piece;
  BmffSampleCursor cursor;
} RemixStreamCursor;

void remix_stream_cursor_init (RemixStreamCursor *self,
    const RemixStream *stream, guint32 index);
/** FALSE at the end. */
gboolean
remix_stream_cursor_next (RemixStreamCursor *self, RemixStreamSample *sample);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixStream, remix_stream_free)

G_END_DECLS
