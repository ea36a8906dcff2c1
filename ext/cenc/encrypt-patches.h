/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptPatches: bytes that take the place of others, while a file is handed on
 * from its start to its end.
 */

#pragma once

#include "cenc/encrypt-boxes.h"

G_BEGIN_DECLS

typedef struct _EncryptPatches EncryptPatches;

EncryptPatches *encrypt_patches_new (void);
void encrypt_patches_free (EncryptPatches *self);

/**
 * encrypt_patches_add:
 * @range: what is replaced; none overlaps another
 * @pieces: (transfer full) (element-type GBytes): by what
 */
void encrypt_patches_add (EncryptPatches *self, const EncryptRange *range,
    GPtrArray *pieces);
/** Likewise, by a box `free` of @size bytes, more than 8, which takes next to no memory. */
void encrypt_patches_add_free (EncryptPatches *self, const EncryptRange *range,
    guint32 size);

/** The range of the patch that is next by its place; NULL: there is none. */
const EncryptRange *encrypt_patches_get_next (const EncryptPatches *self);
/** Its next bytes, up to 1 MiB (transfer full). NULL: all are taken, and what comes next is the patch behind it. */
GBytes *encrypt_patches_take (EncryptPatches *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptPatches, encrypt_patches_free)

G_END_DECLS
