/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixAhead: has requests sent for what a title is going to be read for next, so
 * that a server's answer is there when the reader is: across the boundaries of
 * clips, and of the ranges that one request asks for. Only while it is read on and
 * on; who reads here and there costs no request more than that.
 */

#pragma once

#include "smilremix/remix-layout.h"
#include "smilremix/remix-source.h"

G_BEGIN_DECLS

typedef struct _RemixAhead RemixAhead;

/**
 * remix_ahead_new:
 * @layout: borrowed
 * @sources: (element-type RemixSource): borrowed; those that are remote are told
 *   what of them will be read at all
 * @distance: bytes of the output in front of the reader; 0: none
 */
RemixAhead *remix_ahead_new (const RemixLayout *layout, GPtrArray *sources,
    guint64 distance);
void remix_ahead_free (RemixAhead *self);

/** Says that @size bytes at @offset of the output are about to be read. Does not block; nothing that goes wrong shows here. */
void remix_ahead_move (RemixAhead *self, guint64 offset, guint64 size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixAhead, remix_ahead_free)

G_END_DECLS
