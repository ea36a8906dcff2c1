/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a job is given: its token, files; and how it tells how far it is. */

#pragma once

#include "jose-jwe.h"
#include "license-jobs.h"
#include "license-token.h"

G_BEGIN_DECLS

void license_job_progress (LicenseJob *self, const gchar *text);

/* Returns: (transfer full): the token that is set, or what is at token_location */
LicenseToken *license_job_get_token (LicenseJob *self, GError **error);

/* Returns: (transfer full): of the file at @location, a path or a file: URI, up to
 * @max bytes and one more, by which the reader sees that it is too long: nobody
 * knows how long what is named really is */
JoseSecret *
license_job_read_file (const gchar *location, gsize max, GError **error);

G_END_DECLS
