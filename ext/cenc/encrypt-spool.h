/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptSpool: a file without a name, for input that comes in an order in which
 * it cannot be encrypted: a muxer that writes its moov last, or goes back.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _EncryptSpool EncryptSpool;

/** @directory: NULL: the system's temporary one. The file is the user's only, and gone when the process is. */
EncryptSpool *encrypt_spool_new (const gchar *directory, GError **error);
void encrypt_spool_free (EncryptSpool *self);
/** Writes all of @buffer (transfer none) at @offset. */
gboolean encrypt_spool_write (EncryptSpool *self, guint64 offset,
    GstBuffer *buffer, GError **error);
/** Where the last byte that was written ends. */
guint64 encrypt_spool_get_size (const EncryptSpool *self);
/** Reads into @buffer, which is writable, as many bytes as it has; at the file's end it gets shorter. */
gboolean encrypt_spool_read (EncryptSpool *self, guint64 offset,
    GstBuffer *buffer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptSpool, encrypt_spool_free)

G_END_DECLS
