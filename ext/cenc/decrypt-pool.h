/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptPool: output buffers for samples, whose sizes differ by a factor of a
 * thousand: a GstBufferPool for each power of two, so that at most half of a
 * buffer is idle.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _DecryptPool DecryptPool;

DecryptPool *decrypt_pool_new (void);
/** Buffers that are still in use stay valid. */
void decrypt_pool_free (DecryptPool *self);
/** (transfer full): a writable buffer of @size bytes without meaning */
GstBuffer *decrypt_pool_acquire (DecryptPool *self, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptPool, decrypt_pool_free)

G_END_DECLS
