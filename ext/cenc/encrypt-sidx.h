/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The input's own sidx boxes. One that tells of what is known already is moved
 * at once; one that leads what is still to come goes out as `free` and takes its
 * place at the end, if the output can be overwritten.
 */

#pragma once

#include "cenc/encrypt-index.h"

G_BEGIN_DECLS

typedef struct _EncryptSidx EncryptSidx;

EncryptSidx *encrypt_sidx_new (void);
void encrypt_sidx_free (EncryptSidx *self);

/** Up to where in the input @box, a sidx, tells of. FALSE if it is broken. */
gboolean
encrypt_sidx_get_reach (const BmffBox *box, guint64 *reach, GError **error);

/**
 * encrypt_sidx_take:
 * @box: a sidx of the input
 * @known: up to where the input's moves are known
 * @keep: whether one that reaches beyond may be written later
 * @whole: (out): FALSE: it reaches beyond
 *
 * Returns: (transfer full): what goes out in its place, of the same size
 */
GBytes *encrypt_sidx_take (EncryptSidx *self, const BmffBox *box, guint64 known,
    EncryptMoves *moves, gboolean keep, gboolean *whole, GError **error);

/**
 * encrypt_sidx_next:
 * @position: (out): where it belongs in the output
 *
 * Returns: (transfer full) (nullable): the next one that was kept, moved; NULL
 *   without error if there is none
 */
GBytes *encrypt_sidx_next (EncryptSidx *self, EncryptMoves *moves,
    guint64 *position, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptSidx, encrypt_sidx_free)

G_END_DECLS
