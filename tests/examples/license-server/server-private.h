/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "license-server.h"
#include "license/license-db.h"
#include "server-grant.h"

struct _LicenseServer
{
  sqlite3 *db;
  gchar *base_url, *authenticator;
  EVP_PKEY *key;
  X509 *certificate;
  LicenseIssuers *issuers;
  const LicenseClock *clock;
};

gint64 server_now (LicenseServer *self); /* s since 1970 */

/* What a handler answers with. */
typedef struct
{
  guint status;
  const gchar *type;
  GBytes *body; /* (nullable) */
} ServerAnswer;

void server_answer_text (ServerAnswer *answer, const gchar *type, gchar *text);

/*
 * Each handler: FALSE with SERVER_ERROR (an HTTP status) or any other error
 * (which is a 500). Runs in a transaction, which its failure rolls back.
 */
gboolean server_token (LicenseServer *self, GHashTable *form,
    ServerAnswer *answer, GError **error);
gboolean server_license (LicenseServer *self, const gchar *bearer, GBytes *body,
    ServerAnswer *answer, GError **error);
gboolean server_renew (LicenseServer *self, GBytes *body, ServerAnswer *answer,
    GError **error);
gboolean server_release (LicenseServer *self, GBytes *body,
    ServerAnswer *answer, GError **error);
gboolean server_status (LicenseServer *self, GHashTable *form, GBytes *body,
    ServerAnswer *answer, GError **error);
gboolean server_clearkey (LicenseServer *self, const gchar *bearer,
    GBytes *body, ServerAnswer *answer, GError **error);
gboolean server_import (LicenseServer *self, const gchar *authenticator,
    GBytes *body, ServerAnswer *answer, GError **error);

/* The grant that @token stands for. 401 if there is none. @device: (out)
 * (nullable): who it was redeemed by, @id: the license it became */
ServerGrant *server_find_token (LicenseServer *self, const gchar *token,
    gchar **device, gchar **id, GError **error);
GBytes *server_token_hash (const gchar *token);

/* Returns: (transfer full) (element-type GstCencKey): keys of @kids; 404 if one is missing */
GPtrArray *
server_find_keys (LicenseServer *self, GByteArray *kids, GError **error);
gboolean server_put_key (LicenseServer *self, const guint8 *kid,
    const guint8 *key, GError **error);
gboolean server_has_key (LicenseServer *self, const guint8 *kid);
gboolean server_authenticate (LicenseServer *self, const gchar *text);
