/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which kind of file starts here? Told by its first boxes, before anything is
 * encrypted or goes out.
 */

#pragma once

#include "cenc/encrypt-queue.h"

G_BEGIN_DECLS

typedef enum
{
  ENCRYPT_LAYOUT_MORE, /* more has to be seen */
  ENCRYPT_LAYOUT_FRAGMENTED, /* a moov with mvex comes first: goes as a stream */
  ENCRYPT_LAYOUT_PROGRESSIVE, /* sample tables in a moov, before or behind the samples */
} EncryptLayout;

/**
 * encrypt_layout_probe:
 * @queue: the input from its start on
 * @layout: (out):
 * @wanted: (out): with MORE: up to which offset of the input more is wanted at least
 *
 * Returns: FALSE with ENCRYPT_ERROR or BMFF_ERROR: no ISO base media file
 */
gboolean encrypt_layout_probe (EncryptQueue *queue, EncryptLayout *layout,
    guint64 *wanted, GError **error);

G_END_DECLS
