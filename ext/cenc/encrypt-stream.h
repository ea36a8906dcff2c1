/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptStream: a fragmented movie as it comes, encrypted as it goes: boxes
 * in, boxes out, one fragment in memory at most; where the input can be read by
 * place, not even that. Knows no pads: what it makes
 * goes to callbacks.
 */

#pragma once

#include "cenc/encrypt-input.h"
#include "cenc/encrypt-plan.h"
#include "cenc/encrypt-queue.h"

G_BEGIN_DECLS

typedef struct
{
  /* The next bytes of the output; (transfer full). */
  GstFlowReturn (*push) (gpointer user_data, GstBuffer *buffer);
  /* Bytes to put over those that went out for @offset; only where the output is
   * seekable. (transfer full) */
  GstFlowReturn (
      *overwrite) (gpointer user_data, guint64 offset, GstBuffer *buffer);
  /* What cannot be kept, but does no harm. */
  void (*warn) (gpointer user_data, const gchar *message);
} EncryptStreamFuncs;

typedef struct _EncryptStream EncryptStream;

/**
 * encrypt_stream_new:
 * @plan: has to outlive the stream
 * @queue: (transfer full): what has come already, from the start of the input
 * @input: (transfer full) (nullable): where the input can be read beside
 * @seekable: whether the output can be overwritten
 */
EncryptStream *
encrypt_stream_new (EncryptPlan *plan, EncryptQueue *queue, EncryptInput *input,
    gboolean seekable, const EncryptStreamFuncs *funcs, gpointer user_data);
void encrypt_stream_free (EncryptStream *self);

/**
 * encrypt_stream_take:
 * @buffer: (transfer full) (nullable): the next bytes; NULL: look at what is queued
 *
 * Returns: GST_FLOW_OK; what a callback returned; or GST_FLOW_ERROR with @error
 */
GstFlowReturn
encrypt_stream_take (EncryptStream *self, GstBuffer *buffer, GError **error);
/** The input is at its end: an index is filled in. A box that is not whole is an error. */
GstFlowReturn encrypt_stream_end (EncryptStream *self, GError **error);

/**
 * encrypt_stream_seek:
 * @offset: where the bytes that come next stand in the input
 * @seekable: whether the output can be overwritten by now: a muxer may go from
 *   segments of time to one of bytes for it
 *
 * A muxer goes back to write its moov once more, which takes the place of our
 * first one, with or without the ftyp in front. Anything else is an error.
 */
gboolean encrypt_stream_seek (EncryptStream *self, guint64 offset,
    gboolean seekable, GError **error);

/** Where in the input the next bytes are wanted, and how many would be handled in one go (at least 1; a guess). */
guint64 encrypt_stream_get_wanted (const EncryptStream *self, guint64 *size);
/** FALSE: bytes of a fragment have come that did not go out. */
gboolean encrypt_stream_is_idle (const EncryptStream *self);
/** The longest fragment so far: what the stream adds to the latency. */
GstClockTime encrypt_stream_get_latency (const EncryptStream *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptStream, encrypt_stream_free)

G_END_DECLS
