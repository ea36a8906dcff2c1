/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptPool: memory for what goes out, used again once downstream is done with
 * it: new memory costs a page fault for each 4 KiB, which is more than the cipher
 * takes. Not thread-safe; downstream may drop buffers in any thread.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _EncryptPool EncryptPool;

EncryptPool *encrypt_pool_new (void);
void encrypt_pool_free (EncryptPool *self);

/**
 * encrypt_pool_take:
 *
 * Returns: (transfer full) (nullable): a buffer of @size bytes, whose contents
 *   are left over from before, in one memory that nobody else uses; NULL: no
 *   memory. Of 0 bytes: without a memory.
 */
GstBuffer *encrypt_pool_take (EncryptPool *self, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptPool, encrypt_pool_free)

G_END_DECLS
