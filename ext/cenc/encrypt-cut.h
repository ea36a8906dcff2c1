/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Output as buffers like those the input came in: a muxer's timestamps and flags
 * stay with their bytes.
 */

#pragma once

#include "cenc/encrypt-queue.h"

G_BEGIN_DECLS

/** A range of the input that became other bytes. */
typedef struct
{
  guint64 start, end; /* in the input */
  /* Within it, what stood from @old to @old_end was replaced by @size bytes (the moof). Both @end: nothing was. */
  guint64 old, old_end;
  guint64 size;
} EncryptCut;

/** (transfer full): goes to the output. */
typedef GstFlowReturn (
    *EncryptPushFunc) (gpointer user_data, GstBuffer *buffer);

/**
 * encrypt_cut_push:
 * @queue: has the range
 * @whole: (transfer full): the bytes that it became
 *
 * A buffer that starts within what was replaced is not told apart.
 */
GstFlowReturn encrypt_cut_push (const EncryptCut *self, EncryptQueue *queue,
    GstBuffer *whole, EncryptPushFunc push, gpointer user_data);

G_END_DECLS
