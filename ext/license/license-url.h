/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where licenses are got: by https, or by http from this very machine.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* (transfer full): NULL with LICENSE_CLIENT_ERROR_SETTINGS if @url is none, or no
 * request may go there. */
GUri *license_url_parse (const gchar *url, GError **error);

/* The latter alone. */
gboolean license_url_check (GUri *url, GError **error);

/* Whether scheme, host and port are the same. */
gboolean license_url_same_origin (GUri *a, GUri *b);

/* (transfer full): scheme, host and port as text, the same for each address of one
 * server; of what is no URL the text itself. */
gchar *license_url_get_origin (const gchar *url);

G_END_DECLS
