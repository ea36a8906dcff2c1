/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an application is told of keys: nothing that is a secret. */

#pragma once

#include "cenc/encrypt-plan.h"

G_BEGIN_DECLS

/**
 * encrypt_describe:
 * @keys: (element-type GstCencKey)
 * @boxes: (element-type BmffBox) (nullable): their pssh
 *
 * Returns: (transfer full): scheme, KIDs, pssh boxes, FairPlay's key URIs
 */
GstStructure *
encrypt_describe (const gchar *name, const EncryptSettings *settings,
    const GPtrArray *keys, const GPtrArray *boxes);

G_END_DECLS
