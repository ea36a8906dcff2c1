/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptStream: cencdecrypt in front of a demuxer, where upstream pushes: the
 * file's bytes come in any portions, and go out clear at the same places as soon
 * as their sample is whole. Keeps a moov, a moof, or a sample; and media data
 * that comes before its moov, if upstream cannot seek over it.
 */

#pragma once

#include "cenc/decrypt-movie.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  /* (transfer full) @buffer: its offset in the file is set */
  GstFlowReturn (*push) (GstBuffer *buffer, gpointer user_data);
  /* Seeks upstream: the next bytes that are fed are those at @offset. FALSE if it cannot. */
  gboolean (*seek) (guint64 offset, gpointer user_data);
} DecryptStreamFuncs;

typedef struct _DecryptStream DecryptStream;

/** @funcs and what @work points to outlive it. */
DecryptStream *decrypt_stream_new (const DecryptStreamFuncs *funcs,
    gpointer user_data, const DecryptWork *work, gboolean verify);
void decrypt_stream_free (DecryptStream *self);

/** @buffer: (transfer full): the next bytes. @error is set if that is what failed, and not if a push did. */
GstFlowReturn
decrypt_stream_feed (DecryptStream *self, GstBuffer *buffer, GError **error);

/** Upstream is at its end: FALSE with BMFF_ERROR_TRUNCATED that names box and offset if the file is not; without an error if feeding it gave one. */
gboolean decrypt_stream_end (DecryptStream *self, GError **error);

/** Where upstream has to start so that byte @target and what follows can be made clear. From any thread. */
guint64 decrypt_stream_get_start (DecryptStream *self, guint64 target);

/** Upstream goes on at byte @offset; what is before @target is dropped. Not while it is fed. */
void decrypt_stream_jump (DecryptStream *self, guint64 offset, guint64 target);

/** Upstream goes on at a box, nobody knows which. Not while it is fed. */
void decrypt_stream_resume (DecryptStream *self);
/** What has not gone out is not wanted: of data that is being fed too, if it is downstream that flushes while it takes a buffer. */
void decrypt_stream_flush (DecryptStream *self);
/** Another file: as when it was new, at byte 0. Not while it is fed. */
void decrypt_stream_reset (DecryptStream *self);

/** The byte that is expected next. */
guint64 decrypt_stream_get_position (const DecryptStream *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptStream, decrypt_stream_free)

G_END_DECLS
