/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptPull: cencdecrypt in front of a demuxer that pulls: any range of the
 * clear file, out of ranges of the protected one. For one thread at a time.
 */

#pragma once

#include "cenc/decrypt-layout.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  /* As gst_pad_pull_range() */
  GstFlowReturn (*pull) (guint64 offset, guint size, GstBuffer **buffer,
      gpointer user_data);
  /* G_MAXUINT64: not known */
  guint64 (*get_size) (gpointer user_data);
} DecryptPullFuncs;

typedef struct _DecryptPull DecryptPull;

/** @funcs and what @work points to outlive it. */
DecryptPull *decrypt_pull_new (const DecryptPullFuncs *funcs,
    gpointer user_data, const DecryptWork *work, gboolean verify);
void decrypt_pull_free (DecryptPull *self);

/**
 * decrypt_pull_read:
 * @buffer: (inout): a buffer to fill, or %NULL
 * @error: set if this is what failed; not if upstream's flow is given back
 *
 * As a getrange function: fewer bytes only at the end.
 */
GstFlowReturn decrypt_pull_read (DecryptPull *self, guint64 offset, guint size,
    GstBuffer **buffer, GError **error);

/** The end was reached: whether the file is all there. As decrypt_layout_check_end(). */
GstFlowReturn decrypt_pull_check_end (DecryptPull *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptPull, decrypt_pull_free)

G_END_DECLS
