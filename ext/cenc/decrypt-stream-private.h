/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of DecryptStream share: decrypt-stream.c has its states,
 * decrypt-stream-boxes.c the boxes that are needed whole, decrypt-stream-media.c
 * the media data.
 */

#pragma once

#include "cenc/decrypt-stream.h"

#include "cenc/decrypt-boxes.h"
#include "cenc/decrypt-pool.h"

#include <gst/base/gstadapter.h>

G_BEGIN_DECLS

#define FOURCC_MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')
#define FOURCC_MOOF BMFF_FOURCC ('m', 'o', 'o', 'f')
#define FOURCC_MDAT BMFF_FOURCC ('m', 'd', 'a', 't')
/* Identified media data, ISO/IEC 14496-12:2020, 8.1.4 */
#define FOURCC_IMDA BMFF_FOURCC ('i', 'm', 'd', 'a')
#define FOURCC_META BMFF_FOURCC ('m', 'e', 't', 'a')
#define FOURCC_PSSH BMFF_FOURCC ('p', 's', 's', 'h')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

#define MAX_HEADER 32
#define MAX_SAMPLE (256u << 20)
/* Media data in front of its moov that is kept: up to here it is cheaper than
 * two seeks; and up to there if upstream cannot seek. */
#define SMALL_WITHHELD (4u << 20)
#define MAX_WITHHELD (64u << 20)
/* How far behind a moof auxiliary information may stand; and how often it may
 * be that of the next traf is not there yet, when the moof is read anew. */
#define MAX_AHEAD (64u << 20)
#define MAX_WAITS 32

typedef enum
{
  STATE_HEADER,
  STATE_COLLECT, /* a box that is needed whole */
  STATE_COPY, /* a box that passes as it is */
  STATE_MEDIA,
  STATE_WITHHOLD, /* mdat before its moov */
  STATE_PLAIN, /* everything passes as it is */
} State;

typedef enum
{
  STEP_AGAIN,
  STEP_MORE, /* more bytes are needed */
  STEP_FAILED, /* error or flow is set */
} Step;

struct _DecryptStream
{
  const DecryptStreamFuncs *funcs;
  gpointer user_data;
  DecryptWork work;
  gboolean verify;
  DecryptPool *pool;
  BmffSource *source;
  DecryptBoxes *boxes;

  GstAdapter *adapter;
  guint64 position; /* in the file, of the adapter's first byte */
  guint64 target; /* nothing in front of it goes out */
  GstFlowReturn flow; /* of a push that failed */
  gboolean flushed; /* since bytes were fed */
  gboolean failed; /* and it has been told */

  State state;
  BmffHeader header;
  guint64 box_start, box_end;
  guint64 wanted; /* end of what a source's read lacked */
  guint n_waits; /* of the box at hand */
  guint64 scan; /* STATE_WITHHOLD: of the box to be looked at next */
  guint n_scanned; /* boxes */
  gboolean resync; /* the next header has to be one that is known */
  gboolean entered; /* upstream jumped, and no moof has come since */
  gboolean unsure; /* to where nothing was known, nor is yet */
  gboolean searching, has_image;
  guint64 search_from; /* the mdat to come back to */

  GMutex movie_lock; /* for decrypt_stream_get_start() */
  DecryptMovie *movie;
  GPtrArray *spans; /* (element-type DecryptSpan): the movie's, the group's */
  guint64 n_empty; /* of all movies: see decrypt_movie_count_empty() */
  guint64 group; /* offset of the group's first moof, or G_MAXUINT64 */
  gboolean group_has_data;
};

/** Sets "TYPE at OFFSET: MESSAGE"; STEP_FAILED. */
Step decrypt_stream_fail (GError **error, BmffError code, guint32 type,
    guint64 offset, const gchar *message);
gboolean decrypt_stream_is_protected (const DecryptStream *self);

/** @buffer: (transfer full): the bytes that stand at self->position, which moves. */
Step decrypt_stream_emit (DecryptStream *self, GstBuffer *buffer);
/** The adapter's next @size bytes as they are. */
Step decrypt_stream_emit_raw (DecryptStream *self, gsize size);
/** Bytes of the box that have come and did not go out. */
gsize decrypt_stream_get_available (DecryptStream *self);
/* decrypt-stream-seek.c */

/** Lets upstream go on at byte @offset. */
gboolean
decrypt_stream_seek (DecryptStream *self, guint64 offset, gboolean searching);
/** Likewise, at one in front of where it stands: what was to go out next does when it comes again. */
gboolean decrypt_stream_return (DecryptStream *self, guint64 offset);
/** The same, to behind the boxes that are known. FALSE: it came from there, or upstream cannot. */
gboolean decrypt_stream_go_back (DecryptStream *self);

/* decrypt-stream-boxes.c */

gboolean decrypt_stream_take_moov (DecryptStream *self, GBytes *bytes,
    guint64 offset, GError **error);
/** Whether the samples of the moov that was taken stand from byte @from on, where they can still be decrypted. */
gboolean decrypt_stream_check_gone_by (DecryptStream *self, guint64 from,
    GError **error);
/** The group without which what stands from the box at hand on cannot be read; G_MAXUINT64: none. */
guint64 decrypt_stream_get_group (const DecryptStream *self, gboolean media);
/** Forgets the moofs: their data has ended. */
void decrypt_stream_end_group (DecryptStream *self);
/** Whether the samples of the boxes from byte @from on were all there at byte @offset. */
gboolean decrypt_stream_check_samples (DecryptStream *self, guint64 from,
    guint64 offset, GError **error);
/** @failed: (transfer full): why the moof or moov at hand was not read: that what it points at has not come yet is STEP_MORE, and anything else goes to @error. */
Step decrypt_stream_wait (DecryptStream *self, GError *failed, GError **error);
Step decrypt_stream_step_collect (DecryptStream *self, GError **error);

/* decrypt-stream-media.c */

Step decrypt_stream_step_media (DecryptStream *self, GError **error);
/** A mdat came and no moov did. */
Step decrypt_stream_withhold (DecryptStream *self, GError **error);
Step decrypt_stream_step_withhold (DecryptStream *self, GError **error);

G_END_DECLS
