/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file on a server, of which only its headers are fetched, by ranges. */

#pragma once

#include "gst/isobmff/bmff-source.h"
#include "license-client.h"

G_BEGIN_DECLS

/* Of one file: what a moov of many hours takes, and a walk over boxes that
 * never finds one. */
#define LICENSE_REMOTE_MAX (32 * 1024 * 1024)
#define LICENSE_REMOTE_MAX_REQUESTS 64

/*
 * @client: how; referenced as long as the source lives
 * @url: where, as license_client_send() takes it
 *
 * Its reads fail with LICENSE_CLIENT_ERROR: _SIZE beyond the two bounds above.
 *
 * Returns: (transfer full): the source; nothing is fetched yet
 */
BmffSource *license_remote_new (const LicenseClient *client, const gchar *url);

G_END_DECLS
