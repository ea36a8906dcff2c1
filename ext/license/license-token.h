/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The token that a store's back end hands to a customer. Three shapes: a JSON
 * object {"licenseAcquisitionUrl": …, "token": …} as ExpressPlay's PlayReady
 * service gives it, the token alone, or a Marlin action token, which is told
 * from the others only to say why it cannot be redeemed here.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LICENSE_MAX_TOKEN (16 * 1024)

typedef struct
{
  gchar *url; /* (nullable) */
  gchar *token;
} LicenseToken;

/*
 * @text: need not be terminated
 * @error: GST_CENC_ERROR_FORMAT or _UNSUPPORTED; shows nothing of @text
 */
LicenseToken *
license_token_parse (const gchar *text, gsize size, GError **error);

/* Wipes it. */
void license_token_free (LicenseToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LicenseToken, license_token_free)

G_END_DECLS
