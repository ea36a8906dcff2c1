/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file's type: who reads PIFF may know it by its brand, and by nothing else. */

#pragma once

#include "cenc/encrypt-plan.h"

G_BEGIN_DECLS

/** Whether encrypt_ftyp_protect() may change anything. */
gboolean encrypt_ftyp_is_changed (const EncryptPlan *plan);

/**
 * encrypt_ftyp_protect:
 * @ftyp: a whole `ftyp` of a file in fragments
 *
 * For PIFF the brand `piff` is added to the compatible ones (PIFF 1.1, 5.1) if it is
 * not there. The same @ftyp gives the same bytes each time.
 *
 * Returns: (transfer full): @ftyp itself where it stays as it is
 */
GBytes *encrypt_ftyp_protect (GBytes *ftyp, const EncryptPlan *plan);

G_END_DECLS
