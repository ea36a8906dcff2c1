/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptQueue: the bytes that a stream has brought and that are not handled
 * yet, as the buffers they came in. Samples are read where they lie; a
 * buffer's timestamps and flags find their way to the bytes that replace its
 * own. Not thread-safe.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _EncryptQueue EncryptQueue;

EncryptQueue *encrypt_queue_new (void);
void encrypt_queue_free (EncryptQueue *self);
/** Forgets everything; the next buffer stands at @offset of the input. */
void encrypt_queue_reset (EncryptQueue *self, guint64 offset);

/** @buffer (transfer full) goes on where the last one ended. FALSE if it cannot be mapped. */
gboolean encrypt_queue_push (EncryptQueue *self, GstBuffer *buffer);
/** Where the first byte that is still here stands in the input, and where the last one ends. */
guint64 encrypt_queue_get_start (const EncryptQueue *self);
guint64 encrypt_queue_get_end (const EncryptQueue *self);

/** @size bytes at @offset where they lie in one buffer, else NULL. The range has to be here. */
const guint8 *
encrypt_queue_peek (EncryptQueue *self, guint64 offset, gsize size);
/** Copies the range, which has to be here, to @out. */
void encrypt_queue_copy (EncryptQueue *self, guint64 offset, gsize size,
    guint8 *out);
/** (transfer full): a copy of the range, which has to be here. */
GBytes *
encrypt_queue_get_bytes (EncryptQueue *self, guint64 offset, gsize size);
/** Drops what stands before @offset. */
void encrypt_queue_drop (EncryptQueue *self, guint64 offset);

/** A buffer that says something of its bytes (a time, a flag), and where they start. */
typedef struct
{
  guint64 offset;
  GstBuffer *buffer; /* borrowed */
  gboolean starts; /* FALSE: the range starts in the middle of the buffer */
} EncryptMark;

/**
 * encrypt_queue_get_marks:
 *
 * Returns: (transfer full) (element-type EncryptMark): for the range, one mark
 *   at its start and one at each buffer within it that has a timestamp or a
 *   flag. Buffers that have neither belong to the one before.
 */
GArray *
encrypt_queue_get_marks (EncryptQueue *self, guint64 start, guint64 end);

/** (transfer full): the range, which has to be here, as a buffer that shares the memory, without metadata. */
GstBuffer *encrypt_queue_share (EncryptQueue *self, guint64 start, guint64 end);

/**
 * encrypt_queue_append:
 * @from: another queue, which has the range
 *
 * Appends the range's bytes, without a copy of them: a piece of each buffer, which
 * says nothing of time. FALSE: one of them cannot be read.
 */
gboolean encrypt_queue_append (EncryptQueue *self, EncryptQueue *from,
    guint64 start, guint64 end);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptQueue, encrypt_queue_free)

G_END_DECLS
