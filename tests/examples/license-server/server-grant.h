/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was sold, before it is a license: rules whose ends may be relative to the
 * moment of issue, and the KIDs. And how the words of other systems map to it.
 */

#pragma once

#include <json-glib/json-glib.h>

#include "license/license-document.h"

G_BEGIN_DECLS

#define SERVER_ERROR (server_error_quark ())
GQuark server_error_quark (void);
/* Codes are HTTP statuses, or ExpressPlay's negative numbers. */

typedef struct
{
  LicenseRights rights;
  gint64 not_before, not_after; /* s since 1970; 0 = none */
  gint64 window; /* s from issue; 0 = none. The earlier of both ends counts */
  gint64 playback_duration; /* s; 0 = none */
  gint64 renewal; /* s that a renewal adds from its date; 0 = not renewable */
  gboolean playback_replaces_window, realtime_expiration, persistent;
  JsonObject *output; /* (nullable): the claim output_protection */
  GByteArray *kids;
} ServerGrant;

ServerGrant *server_grant_new (void);
void server_grant_free (ServerGrant *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServerGrant, server_grant_free)

/* Returns: (transfer full): text for the database, and back (NULL if damaged) */
gchar *server_grant_to_text (const ServerGrant *self);
ServerGrant *server_grant_from_text (const gchar *text);

/*
 * @template: an object in the words of one system:
 *   Widevine: rental_duration_seconds, playback_duration_seconds,
 *     license_duration_seconds, can_persist, can_renew (with
 *     renewal_duration_seconds), soft_enforce_rental_duration,
 *     soft_enforce_playback_duration; 0 is unlimited; hdcp, disable_analog_output
 *   PlayReady: BeginDate, ExpirationDate (RFC 3339), ExpirationAfterFirstPlay,
 *     RealTimeExpiration, Persistent, UncompressedDigitalVideoOPL, AnalogVideoOPL
 *   FairPlay: StorageDuration, PlaybackDuration, LeaseDuration, Persistent
 * @error: SERVER_ERROR 400 naming what is unknown, negative or too large
 */
gboolean server_grant_apply_template (ServerGrant *self, JsonObject *template,
    GError **error);

/* Fills rules of @license, as of @issued (s since 1970). */
void server_grant_fill (const ServerGrant *self, gint64 issued,
    LicenseDocument *license);

/* @text: RFC 3339 with Z or an offset. Returns: s since 1970, -1 if it is none */
gint64 server_parse_date (const gchar *text);

G_END_DECLS
