/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folders that are still there when the power comes back. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Makes what is missing of @path with mode 0700, and has each new name stored in
 * the folder above it: else what stands in there is lost with it.
 *
 * Returns: FALSE with errno set
 */
gboolean license_folder_make (const gchar *path);

/* Has the names in folder @path stored. Returns: FALSE with errno set */
gboolean license_folder_sync (const gchar *path);

G_END_DECLS
