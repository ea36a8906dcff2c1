/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the device keeps its licenses if nobody says otherwise: in the folder
 * that the environment's GST_OFFLINE_LICENSE_DIR names, or else in
 * gst-plugins-cenc/ of the user's data folder (XDG_DATA_HOME). Certificates of
 * issuers are also looked for in gst-plugins-cenc/ of the system's data folders.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LICENSE_STORE_NAME "licenses.db"
#define LICENSE_DEVICE_KEY_NAME "device.pem"
#define LICENSE_ISSUERS_NAME "issuers.pem"
#define LICENSE_DENIED_NAME "denied-issuers.txt"

/* Returns: (transfer full): the path of @name; where it would be, if it is nowhere */
gchar *license_default_path (const gchar *name);

/* Returns: (transfer full): the first of the folders above that has @name, or as license_default_path() */
gchar *license_default_config (const gchar *name);

G_END_DECLS
