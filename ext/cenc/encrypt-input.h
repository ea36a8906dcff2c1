/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptInput: input that can be read by place, into memory that is used again.
 * Of a large sample only what its subsample map depends on is read.
 */

#pragma once

#include "cenc/encrypt-track.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * EncryptReadFunc:
 * @buffer: (inout): NULL, or a writable buffer of @size bytes to read into;
 *   what comes back may be another one, which is (transfer full) then
 *
 * Reads @size bytes at @offset of the input, fewer only at its end
 * (GST_FLOW_EOS: none).
 */
typedef GstFlowReturn (*EncryptReadFunc) (gpointer user_data, guint64 offset,
    guint size, GstBuffer **buffer);

typedef struct _EncryptInput EncryptInput;

EncryptInput *encrypt_input_new (EncryptReadFunc read, gpointer user_data);
void encrypt_input_free (EncryptInput *self);
/** What the last read that failed returned, GST_FLOW_OK if none did. */
GstFlowReturn encrypt_input_get_flow (const EncryptInput *self);
/** Gives its memory back: it is to be used no more for a while. */
void encrypt_input_drop (EncryptInput *self);

/**
 * encrypt_input_peek:
 * @ahead: bytes to read at once, where @size is less
 *
 * Returns: (nullable): @size bytes at @offset, valid until the next call; NULL
 *   with ENCRYPT_ERROR: a read failed, or the input ends before
 */
const guint8 *encrypt_input_peek (EncryptInput *self, guint64 offset,
    gsize size, gsize ahead, GError **error);
/** Likewise in memory of its own; (transfer full). Fewer bytes than @size are no error here. */
GBytes *encrypt_input_read (EncryptInput *self, guint64 offset, gsize size,
    GError **error);
/**
 * encrypt_input_fill:
 * @buffer: one that is writable; its size is how much is read
 *
 * FALSE as encrypt_input_peek().
 */
gboolean encrypt_input_fill (EncryptInput *self, guint64 offset,
    GstBuffer *buffer, GError **error);

/** encrypt_track_map() for a sample of the input. */
gboolean encrypt_input_map (EncryptInput *self, EncryptTrack *track,
    const BmffSample *sample, CencAuxWriter *writer, GError **error);
/** encrypt_track_learn() likewise, with @writer encrypt_track_map_clear(). */
gboolean encrypt_input_learn (EncryptInput *self, EncryptTrack *track,
    const BmffSample *sample, CencAuxWriter *writer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptInput, encrypt_input_free)

G_END_DECLS
