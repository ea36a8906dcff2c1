/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-settings.h"
#include "license-client.h"
#include "license-clock.h"
#include "license-content.h"

#include <string.h>

#include <gst/cenc/gstcenckeysession.h>

static const GEnumValue actions[] = {
  { LICENSE_ACTION_AUTO, "Acquire if there is a token, else play", "auto" },
  { LICENSE_ACTION_PLAY, "Hand on a license that is here; no network", "play" },
  { LICENSE_ACTION_ACQUIRE, "Trade a token for a license", "acquire" },
  { LICENSE_ACTION_RENEW, "Renew a license at its server", "renew" },
  { LICENSE_ACTION_RELEASE, "Give a license back", "release" },
  { LICENSE_ACTION_STATUS, "Tell of the licenses that are here", "status" },
  { 0, NULL, NULL },
};

GType
license_settings_action_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstOfflineLicenseSrcAction", actions));
  return type;
}

static const struct
{
  guint id;
  gsize offset; /* in LicenseSettings; G_MAXSIZE: the session's */
  const gchar *name, *nick, *blurb;
  gboolean secret; /* write-only */
} texts[] = {
  { LICENSE_PROP_TOKEN, G_STRUCT_OFFSET (LicenseSettings, token), "token",
      "Token",
      "Token to acquire a license by: the text, or the JSON object that has it",
      TRUE },
  { LICENSE_PROP_TOKEN_LOCATION,
      G_STRUCT_OFFSET (LicenseSettings, token_location), "token-location",
      "Token location", "File or URL with the token" },
  { LICENSE_PROP_URI, G_STRUCT_OFFSET (LicenseSettings, uri), "uri", "URI",
      "License server (unset: as the token or the license says)" },
  { LICENSE_PROP_KEY_IDS, G_STRUCT_OFFSET (LicenseSettings, key_ids), "key-ids",
      "Key IDs", "KIDs wanted, 32 hex digits each, separated by commas" },
  { LICENSE_PROP_CONTENT, G_STRUCT_OFFSET (LicenseSettings, content), "content",
      "Content",
      "Protected file, or its URL, whose tenc and pssh boxes name the KIDs "
      "wanted" },
  { LICENSE_PROP_LOCATION, G_STRUCT_OFFSET (LicenseSettings, location),
      "location", "Location", "License file to take" },
  { LICENSE_PROP_CA_FILE, G_STRUCT_OFFSET (LicenseSettings, ca_file), "ca-file",
      "CA file",
      "PEM file with what servers' TLS certificates are checked by (unset: the "
      "system's)" },
  { LICENSE_PROP_STORE, G_MAXSIZE, "store", "Store",
      "The license store's file (unset: the device's)" },
  { LICENSE_PROP_DEVICE_KEY, G_MAXSIZE, "device-key", "Device key",
      "Path or OSSL_STORE URI of the device's private key on P-256", TRUE },
  { LICENSE_PROP_ISSUERS, G_MAXSIZE, "issuers", "Issuers",
      "PEM file with the certificates of license issuers" },
  { LICENSE_PROP_DENIED_ISSUERS, G_MAXSIZE, "denied-issuers", "Denied issuers",
      "File with SHA-256 fingerprints of certificates not to be trusted" },
};

static void
install_texts (GObjectClass *klass)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    g_object_class_install_property (klass, texts[i].id,
        g_param_spec_string (texts[i].name, texts[i].nick, texts[i].blurb, NULL,
            (texts[i].secret ? G_PARAM_WRITABLE : G_PARAM_READWRITE) |
                G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
}

static void
install_seconds (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, guint min, guint value)
{
  g_object_class_install_property (klass, id,
      g_param_spec_uint (name, nick, blurb, min, G_MAXINT32, value,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
}

static void
install_numbers (GObjectClass *klass)
{
  LicenseClient defaults = LICENSE_CLIENT_INIT;

  install_seconds (klass, LICENSE_PROP_RENEW_BEFORE, "renew-before",
      "Renew before",
      "action=renew does so only if less than these seconds are left (0: "
      "always); also when to tell that a license ends soon, and when auto-renew "
      "begins (0: one hour)",
      0, 0);
  install_seconds (klass, LICENSE_PROP_CLOCK_SKEW, "clock-skew", "Clock skew",
      "Seconds by which the clock may be behind", 0,
      LICENSE_DEFAULT_SKEW / G_USEC_PER_SEC);
  install_seconds (klass, LICENSE_PROP_TIMEOUT, "timeout", "Time-out",
      "Seconds that a server may take for one answer", 1, defaults.timeout);
}

void
license_settings_install (GObjectClass *klass)
{
  install_texts (klass);
  install_numbers (klass);
  g_object_class_install_property (klass, LICENSE_PROP_ACTION,
      g_param_spec_enum ("action", "Action", "What to do",
          license_settings_action_type (), LICENSE_ACTION_AUTO,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, LICENSE_PROP_AUTO_RENEW,
      g_param_spec_boolean ("auto-renew", "Renew by itself",
          "Renew licenses in use over the network when less than renew-before "
          "is left, in the background",
          FALSE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, LICENSE_PROP_KEY_SESSION,
      g_param_spec_object ("key-session", "Key session",
          "The key session over the store", GST_TYPE_CENC_KEY_SESSION,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

/* --- values ------------------------------------------------------------- */

static gchar **
text_at (const LicenseSettings *self, guint i)
{
  return (gchar **) ((guint8 *) self + texts[i].offset);
}

/* Returns: (nullable): where the text of property @id stands */
static gchar **
find_text (const LicenseSettings *self, guint id)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (texts[i].id == id && texts[i].offset != G_MAXSIZE)
      return text_at (self, i);
  }
  return NULL;
}

static void
wipe (gchar **text)
{
  if (*text)
    explicit_bzero (*text, strlen (*text));
  g_clear_pointer (text, g_free);
}

void
license_settings_init (LicenseSettings *self)
{
  LicenseClient defaults = LICENSE_CLIENT_INIT;

  memset (self, 0, sizeof *self);
  self->timeout = defaults.timeout;
}

void
license_settings_copy (const LicenseSettings *self, LicenseSettings *copy)
{
  guint i;

  *copy = *self;
  for (i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (texts[i].offset != G_MAXSIZE)
      *text_at (copy, i) = g_strdup (*text_at (self, i));
  }
}

void
license_settings_clear (LicenseSettings *self)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (texts[i].offset != G_MAXSIZE)
      wipe (text_at (self, i));
  }
}

/* An empty text is as good as none: it is what a command line leaves. */
static void
set_text (gchar **field, const gchar *text)
{
  wipe (field);
  *field = text && *text ? g_strdup (text) : NULL;
}

gboolean
license_settings_set (LicenseSettings *self, guint id, const GValue *value)
{
  gchar **text = find_text (self, id);

  if (text)
    set_text (text, g_value_get_string (value));
  else if (id == LICENSE_PROP_ACTION)
    self->action = (LicenseAction) g_value_get_enum (value);
  else if (id == LICENSE_PROP_RENEW_BEFORE)
    self->renew_before = g_value_get_uint (value);
  else if (id == LICENSE_PROP_AUTO_RENEW)
    self->auto_renew = g_value_get_boolean (value);
  else if (id == LICENSE_PROP_TIMEOUT)
    self->timeout = g_value_get_uint (value);
  else
    return FALSE;
  return TRUE;
}

gboolean
license_settings_get (const LicenseSettings *self, guint id, GValue *value)
{
  gchar **text = find_text (self, id);

  if (text)
    g_value_set_string (value, *text);
  else if (id == LICENSE_PROP_ACTION)
    g_value_set_enum (value, (gint) self->action);
  else if (id == LICENSE_PROP_RENEW_BEFORE)
    g_value_set_uint (value, self->renew_before);
  else if (id == LICENSE_PROP_AUTO_RENEW)
    g_value_set_boolean (value, self->auto_renew);
  else if (id == LICENSE_PROP_TIMEOUT)
    g_value_set_uint (value, self->timeout);
  else
    return FALSE;
  return TRUE;
}

LicenseAction
license_settings_get_action (const LicenseSettings *self)
{
  if (self->action != LICENSE_ACTION_AUTO)
    return self->action;
  return self->token || self->token_location ? LICENSE_ACTION_ACQUIRE
                                             : LICENSE_ACTION_PLAY;
}

gboolean
license_settings_use_network (const LicenseSettings *self)
{
  switch (license_settings_get_action (self)) {
    case LICENSE_ACTION_ACQUIRE:
    case LICENSE_ACTION_RENEW:
    case LICENSE_ACTION_RELEASE:
      return TRUE;
    case LICENSE_ACTION_STATUS:
      return self->uri != NULL;
    default:
      return self->auto_renew;
  }
}

gboolean
license_settings_names (const LicenseSettings *self, const guint8 *kid)
{
  g_autoptr (GByteArray) kids =
      self->key_ids ? license_kids_parse (self->key_ids, NULL) : NULL;
  guint i;

  for (i = 0; kids && i < kids->len; i += GST_CENC_KID_SIZE) {
    if (memcmp (kids->data + i, kid, GST_CENC_KID_SIZE) == 0)
      return TRUE;
  }
  return !self->key_ids && self->content;
}

/* --- license: URIs ------------------------------------------------------ */

gchar *
license_settings_to_uri (const LicenseSettings *self)
{
  g_autofree gchar *path = NULL;

  if (self->location) {
    path = g_uri_escape_string (self->location, "/", FALSE);
    return g_strconcat ("license://", path, NULL);
  }
  return self->key_ids ? g_strconcat ("license:", self->key_ids, NULL) : NULL;
}

gboolean
license_settings_parse_uri (const gchar *uri, gchar **location, gchar **key_ids,
    GError **error)
{
  const gchar *rest = uri + strlen ("license:");
  g_autoptr (GByteArray) kids = NULL;

  if (g_str_has_prefix (rest, "///"))
    *location = g_uri_unescape_string (rest + 2, NULL);
  else if ((kids = license_kids_parse (rest, NULL)) && kids->len > 0)
    *key_ids = g_strdup (rest);
  if (*location || *key_ids)
    return TRUE;
  g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "license: is followed by KIDs or by /// and a path");
  return FALSE;
}
