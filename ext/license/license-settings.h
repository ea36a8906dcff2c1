/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of offlinelicensesrc that are its own, as values. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  LICENSE_ACTION_AUTO,
  LICENSE_ACTION_PLAY,
  LICENSE_ACTION_ACQUIRE,
  LICENSE_ACTION_RENEW,
  LICENSE_ACTION_RELEASE,
  LICENSE_ACTION_STATUS,
} LicenseAction;

/* Texts are nullable, never empty. */
typedef struct
{
  gchar *token, *token_location, *uri, *key_ids, *content, *location, *ca_file;
  LicenseAction action;
  guint renew_before, timeout; /* s */
  gboolean auto_renew;
} LicenseSettings;

/* Ids of properties: those of LicenseSettings, and those that belong to the
 * session, which has properties of the same names. */
enum
{
  LICENSE_PROP_0,
  LICENSE_PROP_TOKEN,
  LICENSE_PROP_TOKEN_LOCATION,
  LICENSE_PROP_URI,
  LICENSE_PROP_KEY_IDS,
  LICENSE_PROP_CONTENT,
  LICENSE_PROP_LOCATION,
  LICENSE_PROP_CA_FILE,
  LICENSE_PROP_ACTION,
  LICENSE_PROP_RENEW_BEFORE,
  LICENSE_PROP_AUTO_RENEW,
  LICENSE_PROP_TIMEOUT,
  LICENSE_PROP_STORE, /* from here on the session's */
  LICENSE_PROP_DEVICE_KEY,
  LICENSE_PROP_ISSUERS,
  LICENSE_PROP_DENIED_ISSUERS,
  LICENSE_PROP_CLOCK_SKEW,
  LICENSE_PROP_KEY_SESSION,
};

/* The type of `action`, GstOfflineLicenseSrcAction */
GType license_settings_action_type (void);

void license_settings_install (GObjectClass *klass);

void license_settings_init (LicenseSettings *self);
void license_settings_copy (const LicenseSettings *self, LicenseSettings *copy);
/* Wipes the token. */
void license_settings_clear (LicenseSettings *self);

/* Returns: FALSE if @id is none of them */
gboolean
license_settings_set (LicenseSettings *self, guint id, const GValue *value);
gboolean
license_settings_get (const LicenseSettings *self, guint id, GValue *value);

/* What `auto` comes to. */
LicenseAction license_settings_get_action (const LicenseSettings *self);

/* Whether these settings allow that the network is touched before the source
 * has put out its document. */
gboolean license_settings_use_network (const LicenseSettings *self);

/* Whether key-ids have @kid; of content that it has the KIDs that are in use is
 * taken for granted. */
gboolean
license_settings_names (const LicenseSettings *self, const guint8 *kid);

/* Returns: (transfer full) (nullable): license:///absolute/path names a file,
 * license:KID,KID keys in the store */
gchar *license_settings_to_uri (const LicenseSettings *self);

/*
 * @uri: begins with "license:"
 * @location, @key_ids: (out): one of them; NULL before
 * @error: GST_URI_ERROR_BAD_URI
 */
gboolean license_settings_parse_uri (const gchar *uri, gchar **location,
    gchar **key_ids, GError **error);

G_END_DECLS
