/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "server-grant.h"

#include <string.h>

#include <gst/cenc/gstcenckeyring.h>

#include "license/jose-json.h"
#include "license/license-claims.h"
#include "server-output.h"

#define MAX_SECONDS (LICENSE_MAX_DURATION / G_USEC_PER_SEC)
#define MAX_DATE (LICENSE_MAX_TIME / G_USEC_PER_SEC)

GQuark
server_error_quark (void)
{
  return g_quark_from_static_string ("license-server-error-quark");
}

ServerGrant *
server_grant_new (void)
{
  ServerGrant *self = g_new0 (ServerGrant, 1);

  self->kids = g_byte_array_new ();
  return self;
}

void
server_grant_free (ServerGrant *self)
{
  g_byte_array_unref (self->kids);
  g_clear_pointer (&self->output, json_object_unref);
  g_free (self);
}

gchar *
server_grant_to_text (const ServerGrant *self)
{
  g_autoptr (JsonObject) object = json_object_new ();
  GString *kids = g_string_new (NULL);
  guint i;

  for (i = 0; i < self->kids->len; i++)
    g_string_append_printf (kids, "%02x", self->kids->data[i]);
  json_object_set_boolean_member (object, "rental",
      self->rights == LICENSE_RIGHTS_RENTAL);
  json_object_set_int_member (object, "not_before", self->not_before);
  json_object_set_int_member (object, "not_after", self->not_after);
  json_object_set_int_member (object, "window", self->window);
  json_object_set_int_member (object, "playback", self->playback_duration);
  json_object_set_int_member (object, "renewal", self->renewal);
  json_object_set_boolean_member (object, "replaces",
      self->playback_replaces_window);
  json_object_set_boolean_member (object, "realtime",
      self->realtime_expiration);
  json_object_set_boolean_member (object, "persistent", self->persistent);
  json_object_set_string_member (object, "kids", kids->str);
  if (self->output)
    json_object_set_object_member (object, "output_protection",
        json_object_ref (self->output));
  g_string_free (kids, TRUE);
  return jose_json_to_string (object);
}

static gboolean
parse_kids (ServerGrant *self, const gchar *hex)
{
  gsize size = strlen (hex) / 2;

  g_byte_array_set_size (self->kids, (guint) size);
  return size == 0 ||
      (size % GST_CENC_KID_SIZE == 0 &&
          gst_cenc_parse_hex (hex, self->kids->data, size));
}

ServerGrant *
server_grant_from_text (const gchar *text)
{
  g_autoptr (JsonObject) object =
      jose_json_parse (text, strlen (text), "grant", NULL);
  g_autoptr (ServerGrant) self = server_grant_new ();
  const gchar *kids = "";
  JsonObject *output = NULL;
  gboolean rental = FALSE;

  if (!object || !jose_json_get_boolean (object, "rental", &rental, NULL) ||
      !jose_json_get_int (object, "not_before", &self->not_before, NULL) ||
      !jose_json_get_int (object, "not_after", &self->not_after, NULL) ||
      !jose_json_get_int (object, "window", &self->window, NULL) ||
      !jose_json_get_int (object, "playback", &self->playback_duration, NULL) ||
      !jose_json_get_int (object, "renewal", &self->renewal, NULL) ||
      !jose_json_get_boolean (object, "replaces",
          &self->playback_replaces_window, NULL) ||
      !jose_json_get_boolean (object, "realtime", &self->realtime_expiration,
          NULL) ||
      !jose_json_get_boolean (object, "persistent", &self->persistent, NULL) ||
      !jose_json_get_object (object, "output_protection", &output, NULL) ||
      !jose_json_get_string (object, "kids", &kids, NULL) ||
      !parse_kids (self, kids))
    return NULL;
  self->rights = rental ? LICENSE_RIGHTS_RENTAL : LICENSE_RIGHTS_BUY_TO_OWN;
  self->output = output ? json_object_ref (output) : NULL;
  return g_steal_pointer (&self);
}

gint64
server_parse_date (const gchar *text)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, NULL);
  gint64 seconds = date ? g_date_time_to_unix (date) : -1;

  return seconds > 0 && seconds <= MAX_DATE ? seconds : -1;
}

static gboolean
bad (const gchar *name, const gchar *what, GError **error)
{
  g_set_error (error, SERVER_ERROR, 400, "template: %s %s", name, what);
  return FALSE;
}

/* 0 is unlimited, as is a sentinel beyond what a calendar holds. */
static gboolean
take_duration (JsonObject *object, const gchar *name, gint64 *out,
    GError **error)
{
  gint64 value = 0;

  if (!jose_json_get_int (object, name, &value, NULL) || value < 0)
    return bad (name, "is no number of seconds", error);
  *out = value > MAX_SECONDS ? 0 : value;
  return TRUE;
}

static gboolean
take_flag (JsonObject *object, const gchar *name, gboolean *out, GError **error)
{
  return jose_json_get_boolean (object, name, out, NULL) ||
      bad (name, "is neither true nor false", error);
}

static gboolean
take_text (JsonObject *object, const gchar *name, const gchar **out,
    GError **error)
{
  return jose_json_get_string (object, name, out, NULL) ||
      bad (name, "is no text", error);
}

static gboolean
take_date (JsonObject *object, const gchar *name, gint64 *out, GError **error)
{
  const gchar *text = NULL;

  if (!jose_json_get_string (object, name, &text, NULL))
    return bad (name, "is no date", error);
  *out = text ? server_parse_date (text) : 0;
  return *out >= 0 || bad (name, "is no date of RFC 3339", error);
}

static gint64
shorter (gint64 a, gint64 b)
{
  if (a == 0 || b == 0)
    return MAX (a, b);
  return MIN (a, b);
}

/*
 * A soft rental plays on beyond the rental's end until the playback duration is
 * over: that is our after_first_play "playback". license_duration_seconds is
 * hard, and both ends apply where it is the shorter one.
 */
static gboolean
apply_widevine (ServerGrant *self, JsonObject *t, GError **error)
{
  gint64 rental = 0, license = 0, renewal = 0;
  gboolean soft_rental = TRUE, soft_playback = FALSE, renew = FALSE;
  gboolean license_ends_first, no_analog = FALSE;
  const gchar *hdcp = NULL;

  if (!take_duration (t, "rental_duration_seconds", &rental, error) ||
      !take_duration (t, "license_duration_seconds", &license, error) ||
      !take_duration (t, "playback_duration_seconds", &self->playback_duration,
          error) ||
      !take_duration (t, "renewal_duration_seconds", &renewal, error) ||
      !take_flag (t, "can_persist", &self->persistent, error) ||
      !take_flag (t, "can_renew", &renew, error) ||
      !take_flag (t, "soft_enforce_rental_duration", &soft_rental, error) ||
      !take_flag (t, "soft_enforce_playback_duration", &soft_playback, error) ||
      !take_flag (t, "disable_analog_output", &no_analog, error) ||
      !take_text (t, "hdcp", &hdcp, error) ||
      !server_output_from_widevine (self, hdcp, no_analog, error))
    return FALSE;
  self->window = shorter (rental, license);
  self->renewal = renew ? renewal : 0;
  license_ends_first = license > 0 && self->window == license;
  self->playback_replaces_window = self->playback_duration > 0 && rental > 0 &&
      soft_rental && !license_ends_first;
  self->realtime_expiration = (self->playback_duration > 0 && !soft_playback) ||
      license_ends_first || (rental > 0 && !soft_rental);
  return TRUE;
}

static gboolean
take_level (JsonObject *object, const gchar *name, gint64 *out, GError **error)
{
  return jose_json_get_int (object, name, out, NULL) ||
      bad (name, "is no level", error);
}

static gboolean
apply_playready (ServerGrant *self, JsonObject *t, GError **error)
{
  gint64 digital = 0, analog = 0;

  return take_level (t, "UncompressedDigitalVideoOPL", &digital, error) &&
      take_level (t, "AnalogVideoOPL", &analog, error) &&
      server_output_from_levels (self, digital, analog, 400, error) &&
      take_date (t, "BeginDate", &self->not_before, error) &&
      take_date (t, "ExpirationDate", &self->not_after, error) &&
      take_duration (t, "ExpirationAfterFirstPlay", &self->playback_duration,
          error) &&
      take_flag (t, "RealTimeExpiration", &self->realtime_expiration, error) &&
      take_flag (t, "Persistent", &self->persistent, error);
}

static gboolean
apply_fairplay (ServerGrant *self, JsonObject *t, GError **error)
{
  gint64 storage = 0, lease = 0;

  if (!take_duration (t, "StorageDuration", &storage, error) ||
      !take_duration (t, "LeaseDuration", &lease, error) ||
      !take_duration (t, "PlaybackDuration", &self->playback_duration, error) ||
      !take_flag (t, "Persistent", &self->persistent, error))
    return FALSE;
  self->window = shorter (storage, lease);
  self->playback_replaces_window = self->playback_duration > 0 && lease == 0;
  self->realtime_expiration = lease > 0;
  return TRUE;
}

static const gchar *const widevine_words[] = { "rental_duration_seconds",
  "playback_duration_seconds", "license_duration_seconds", "can_persist",
  "can_renew", "renewal_duration_seconds", "soft_enforce_rental_duration",
  "soft_enforce_playback_duration", "hdcp", "disable_analog_output", NULL };
static const gchar *const playready_words[] = { "BeginDate", "ExpirationDate",
  "ExpirationAfterFirstPlay", "RealTimeExpiration", "Persistent",
  "UncompressedDigitalVideoOPL", "AnalogVideoOPL", NULL };
static const gchar *const fairplay_words[] = { "StorageDuration",
  "PlaybackDuration", "LeaseDuration", "Persistent", NULL };

gboolean
server_grant_apply_template (ServerGrant *self, JsonObject *template,
    GError **error)
{
  gboolean ok;

  if (jose_json_only (template, widevine_words, "template", NULL))
    ok = apply_widevine (self, template, error);
  else if (jose_json_only (template, playready_words, "template", NULL))
    ok = apply_playready (self, template, error);
  else if (jose_json_only (template, fairplay_words, "template", NULL))
    ok = apply_fairplay (self, template, error);
  else
    return bad ("", "mixes the words of several systems, or of none", error);
  self->rights = self->not_after || self->window || self->playback_duration
      ? LICENSE_RIGHTS_RENTAL
      : LICENSE_RIGHTS_BUY_TO_OWN;
  return ok;
}

static gint64
or_none (gint64 seconds)
{
  return seconds == 0 ? LICENSE_TIME_NONE : seconds * G_USEC_PER_SEC;
}

/* It was looked at when it was sold. */
static void
fill_output (const ServerGrant *self, LicenseDocument *license)
{
  g_autoptr (JsonObject) claims = json_object_new ();

  if (!self->output)
    return;
  json_object_set_object_member (claims, "output_protection",
      json_object_ref (self->output));
  license_claims_read_output (claims, license, NULL);
}

void
server_grant_fill (const ServerGrant *self, gint64 issued,
    LicenseDocument *license)
{
  LicenseRules *rules = &license->rules;
  gint64 window = self->window > 0 ? issued + self->window : 0;

  license->issued = issued * G_USEC_PER_SEC;
  rules->rights = self->rights;
  rules->not_before = or_none (self->not_before);
  rules->not_after = or_none (shorter (self->not_after, window));
  rules->playback_duration = or_none (self->playback_duration);
  rules->playback_replaces_window = self->playback_replaces_window;
  rules->realtime_expiration = self->realtime_expiration;
  rules->persistent = self->persistent;
  fill_output (self, license);
}
