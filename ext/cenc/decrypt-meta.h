/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptMeta: what a GstProtectionMeta says of a sample, in all the shapes in
 * which demuxers write it (qtdemux, matroskademux; 1.22 and later).
 */

#pragma once

#include "gst/cenc/cenc-crypt.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  CencParams params; /* is_protected FALSE: a clear sample */
  CencSampleAux aux; /* points into this structure, which must not be moved */
  gboolean has_count; /* a number of subsamples is given, be it 0 */
  /*< private >*/
  guint8 iv[CENC_BLOCK_SIZE];
  GstBuffer *buffer; /* of the subsamples */
  GstMapInfo map;
} DecryptMeta;

/**
 * decrypt_meta_read:
 * @self: (out): to be freed by decrypt_meta_clear() if TRUE is returned
 * @info: a GstProtectionMeta's
 * @cipher_mode: (nullable): of the caps, for an @info that has none
 * @default_kid: (nullable): 16 bytes, for an @info that has none
 *
 * Returns: TRUE, or FALSE with GST_CENC_ERROR_FORMAT or _UNSUPPORTED
 */
gboolean decrypt_meta_read (DecryptMeta *self, const GstStructure *info,
    const gchar *cipher_mode, const guint8 *default_kid, GError **error);
void decrypt_meta_clear (DecryptMeta *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DecryptMeta, decrypt_meta_clear)

G_END_DECLS
