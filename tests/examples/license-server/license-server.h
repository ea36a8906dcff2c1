/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A license server to rent from: small enough to be read in one go, and to be
 * rewritten in the language of one's own service. docs/licenses.md has the
 * protocol. One thread, one main context.
 */

#pragma once

#include <libsoup/soup.h>

#include "license/license-clock.h"
#include "license/license-device.h"
#include "license/license-issuers.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *database;
  const gchar *base_url; /* in tokens and licenses, without a slash behind */
  const gchar *authenticator; /* the customer's secret */
  EVP_PKEY *key; /* the issuer's; referenced */
  X509 *certificate; /* its certificate; referenced */
  const LicenseClock *clock;
} LicenseServerConfig;

typedef struct _LicenseServer LicenseServer;

/* Returns: (transfer full): a server without a socket; add it to @soup */
LicenseServer *
license_server_new (const LicenseServerConfig *config, GError **error);
void license_server_free (LicenseServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LicenseServer, license_server_free)

/* Handles all paths of @soup, which must not outlive @self. */
void license_server_attach (LicenseServer *self, SoupServer *soup);

/* For what is known once the socket is bound. */
void license_server_set_base_url (LicenseServer *self, const gchar *url);

G_END_DECLS
