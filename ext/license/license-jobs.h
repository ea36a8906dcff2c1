/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What offlinelicensesrc does, apart from its pads: acquire, renew, give back,
 * find. Each job works through a key session, whose store and messages it uses.
 * Only acquire, renew, revive and release touch the network, and status where it
 * has a server to ask.
 */

#pragma once

#include "gstofflinelicensesession.h"
#include "license-client.h"

G_BEGIN_DECLS

typedef struct
{
  GstOfflineLicenseSession *session;
  LicenseClient client;
  const gchar *token; /* (nullable): the token itself, any shape */
  const gchar *token_location; /* (nullable): a file or URL that has it */
  const gchar *url; /* (nullable): the license server */
  const gchar *location; /* (nullable): a license file */
  GByteArray *kids; /* (nullable): 16 bytes each */
  gboolean is_named; /* whoever set url has also said of which keys */
  const gchar *id; /* (nullable): only the license of this id is renewed */
  guint renew_before; /* s; 0 = renew whatever is left */
} LicenseJob;

/*
 * All of these: NULL with an error of GST_CENC_ERROR or LICENSE_CLIENT_ERROR;
 * the store is then as it was.
 */

/* Trades the token for a license, stores it. Returns: (transfer full): it */
LicenseEntry *license_job_acquire (LicenseJob *self, GError **error);

/* Renews the licenses that would play, if less than renew_before remains of it:
 * with @url there, and then without KIDs and @location the one that would play of
 * those that are renewed or given back there. One that is over can be renewed too. Returns: (transfer full): the first as it
 * is now */
LicenseEntry *license_job_renew (LicenseJob *self, GError **error);

/* Renews the licenses that would play if they are over, and say where. What it
 * replaces stays as it is if that fails. Returns: FALSE if it was tried in vain */
gboolean license_job_revive (LicenseJob *self, GError **error);

/* Gives licenses back: at once here, at the server now or at the next
 * contact. Returns: (transfer full): what the first was */
LicenseEntry *license_job_release (LicenseJob *self, GError **error);

/* Imports @location, or finds the license for the KIDs (any, without). */
LicenseEntry *license_job_play (LicenseJob *self, GError **error);

/* Tells of each license for the KIDs (of all, without) by a message; with @url
 * after the server there was asked. Without KIDs it is asked only of licenses that
 * are renewed or given back there. Returns: how many, -1 on error */
gint license_job_status (LicenseJob *self, GError **error);

G_END_DECLS
