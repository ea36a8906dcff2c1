/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protected Matroska and WebM in front of the demuxer: not decrypted there, and
 * not to pass for a file of some format that needs no decryption.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** As much of a file's beginning as is looked at: tracks are described there. */
#define DECRYPT_MATROSKA_WINDOW (64u << 10)

/** Whether @data begins as a Matroska file does (an EBML header). */
gboolean decrypt_matroska_begins (const guint8 *data, gsize size);

/**
 * decrypt_matroska_check:
 * @data: (array length=size): a file's beginning, up to DECRYPT_MATROSKA_WINDOW bytes
 *
 * Returns: FALSE with GST_CENC_ERROR_UNSUPPORTED if it is a Matroska file of
 *   which a track has a ContentEncryption
 */
gboolean
decrypt_matroska_check (const guint8 *data, gsize size, GError **error);

G_END_DECLS
