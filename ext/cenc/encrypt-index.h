/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where things went: EncryptMoves maps places of the input to places of the
 * output, EncryptIndex gathers a sidx of our own for a file that has none
 * (ffmpeg 5 decrypts fragments only where one leads them).
 */

#pragma once

#include "gst/isobmff/bmff-index.h"

G_BEGIN_DECLS

typedef struct _EncryptMoves EncryptMoves;

EncryptMoves *encrypt_moves_new (void);
void encrypt_moves_free (EncryptMoves *self);
/** From @in on, what stood at @in + n stands at @out + n. @in has to rise. */
void encrypt_moves_add (EncryptMoves *self, guint64 in, guint64 out);
/** A BmffMoveFunc; @moves is an EncryptMoves. */
guint64 encrypt_moves_get (guint64 in, gpointer moves);
/** FALSE: there were so many that the rest was not kept (a live stream of days): no place can be told. */
gboolean encrypt_moves_are_complete (const EncryptMoves *self);

typedef struct _EncryptIndex EncryptIndex;

/** The most references; beyond, two neighbors become one, so that they cover twice as much. */
#define ENCRYPT_INDEX_MAX 1024
/** Bytes to reserve for the index, between moov and first moof. */
#define ENCRYPT_INDEX_SIZE (40 + 12 * ENCRYPT_INDEX_MAX + 8)

/** @position: where the reserved bytes start in the output. */
EncryptIndex *
encrypt_index_new (guint64 position, guint32 track_id, guint32 timescale);
void encrypt_index_free (EncryptIndex *self);
guint32 encrypt_index_get_track (const EncryptIndex *self);
guint64 encrypt_index_get_position (const EncryptIndex *self);
/** A fragment starts at @offset of the output; times in the timescale. */
void encrypt_index_add (EncryptIndex *self, guint64 offset, guint64 start,
    guint64 duration, gboolean sync);
/**
 * encrypt_index_end:
 * @end: where the last fragment ends in the output
 *
 * Returns: (transfer full) (nullable): ENCRYPT_INDEX_SIZE bytes: a sidx and
 *   `free`; NULL if there was no fragment, or one that a sidx cannot count (2 GiB)
 */
GBytes *encrypt_index_end (EncryptIndex *self, guint64 end);

/** (transfer full): a `free` box of @size bytes (8 or more). */
GBytes *encrypt_index_make_free (gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptMoves, encrypt_moves_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptIndex, encrypt_index_free)

G_END_DECLS
