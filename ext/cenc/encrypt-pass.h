/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptPass: the samples of several tracks in input that is read by place, in
 * two passes: their headers in decoding order, since what is found there stands
 * in front of them in the output, and then the bytes by their place; or in one
 * pass, where it stands behind them. Takes the memory of one block, however large the samples' range is.
 */

#pragma once

#include "cenc/encrypt-input.h"
#include "cenc/encrypt-spans.h"
#include "cenc/encrypt-pool.h"

G_BEGIN_DECLS

/** A track's samples. */
typedef struct
{
  EncryptTrack *track; /* NULL: stays clear */
  BmffSampleTable *samples; /* owned; NULL: none in this input */
  guint32 n_lead; /* so many samples of an encrypted track stay clear */
  CencAuxWriter *writer; /* owned; may be NULL where all stay clear */
  EncryptSpans *spans; /* owned; NULL: @track's key does not change */
  gboolean tells_lead; /* its samples have auxiliary information too */
} EncryptPart;

/** A GDestroyNotify for a part in an array. */
void encrypt_part_clear (gpointer part);

typedef struct _EncryptPass EncryptPass;

/**
 * encrypt_pass_new:
 * @input: has to outlive the pass
 * @pool: likewise
 * @parts: (element-type EncryptPart): shared, not to be changed
 *
 * Refuses samples that share bytes.
 */
EncryptPass *encrypt_pass_new (EncryptInput *input, EncryptPool *pool,
    GArray *parts, GError **error);
void encrypt_pass_free (EncryptPass *self);

/** Whether a sample that is to be encrypted has bytes between @start and @end. */
gboolean encrypt_pass_changes (EncryptPass *self, guint64 start, guint64 end);

/** Whether the @size bytes at @offset may be a sample; sets an error if not. */
typedef gboolean (*EncryptPassCheck) (gpointer user_data,
    const EncryptPart *part, const BmffSample *sample, GError **error);

/**
 * encrypt_pass_map: the first pass, by pieces
 * @check: (nullable): asked for each sample that has bytes
 * @done: (out): nothing is left to do
 */
gboolean encrypt_pass_map (EncryptPass *self, EncryptPassCheck check,
    gpointer user_data, gboolean *done, GError **error);

/**
 * encrypt_pass_begin_once:
 * @check: as for encrypt_pass_map()
 *
 * In place of a first pass: encrypt_pass_cipher() maps each sample when it comes
 * to it.
 *
 * Returns: FALSE: samples do not stand in decoding order, and there have to be
 *   two passes
 */
gboolean encrypt_pass_begin_once (EncryptPass *self, EncryptPassCheck check,
    gpointer user_data);
/** Then: maps the first @n samples of each track, of which encrypt_pass_cipher() maps those that are left. */
gboolean encrypt_pass_map_heads (EncryptPass *self, guint32 n, GError **error);
/** There are to be two passes all the same: encrypt_pass_map() goes on behind the samples that are mapped, and encrypt_pass_cipher() may then begin anew. */
void encrypt_pass_leave_once (EncryptPass *self);
/** When all bytes are through: samples that have none are mapped too. */
gboolean encrypt_pass_end_once (EncryptPass *self, GError **error);

/**
 * encrypt_pass_cipher: the second pass, by blocks
 * @offset: where the last block ended; the first time where the range begins
 * @limit: no block ends behind it; a sample that reaches over it is
 *   ENCRYPT_ERROR_INPUT
 *
 * Returns: (transfer full): the next bytes of the output, at least one; NULL with
 *   an error
 */
GstBuffer *encrypt_pass_cipher (EncryptPass *self, guint64 offset,
    guint64 limit, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptPass, encrypt_pass_free)

G_END_DECLS
