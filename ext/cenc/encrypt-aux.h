/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Auxiliary information that the input has already: that of Common Encryption is
 * refused, since with a clear sample entry it contradicts what is written here; any
 * other (ISO/IEC 14496-12, 8.7.8) is led to where it goes.
 */

#pragma once

#include "cenc/encrypt-track.h"
#include "gst/isobmff/bmff-index.h"

G_BEGIN_DECLS

/** @parent: a stbl, trak or traf of a track that is to be encrypted. ENCRYPT_ERROR_PROTECTED if it has senc, PIFF's, groups of type seig, or saiz or saio that have a type of Common Encryption or none, which means the same once the entry is wrapped. */
gboolean
encrypt_aux_check (const BmffBox *parent, guint32 track_id, GError **error);

/** bmff_saio_move() with all saio of @parent but @own. */
gboolean encrypt_aux_move (BmffBox *parent, const BmffBox *own,
    BmffMoveFunc move, gpointer user_data, GError **error);

/** Adds a saiz or saio of ours to @parent, in front of those of others: qtdemux takes the first one, whatever its type. @box: (transfer full) */
void encrypt_aux_add (BmffBox *parent, BmffBox *box);

G_END_DECLS
