/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a license allows, as a pure function of its rules, of what has happened
 * to it on this device, and of the time. No I/O, no clock, no store.
 *
 * All times are microseconds since 1970-01-01 UTC, all durations microseconds:
 * time zones and daylight saving have no place here. A validity interval is
 * half-open: at the very instant of its end it is over.
 */

#pragma once

#include <gst/cenc/gstcenckeysession.h>

G_BEGIN_DECLS

/* Absent; of an end or a duration: unlimited. */
#define LICENSE_TIME_NONE G_MININT64

/*
 * Bounds for what a license may say. They make every sum below fit, and turn
 * down sentinels such as 9223372036854775807, which other players have taken
 * for an expired license.
 */
#define LICENSE_MAX_TIME (G_GINT64_CONSTANT (253402300799) * G_USEC_PER_SEC)
#define LICENSE_MAX_DURATION (G_GINT64_CONSTANT (3155760000) * G_USEC_PER_SEC)

typedef enum
{
  LICENSE_RIGHTS_BUY_TO_OWN, /* no end; may have a begin */
  LICENSE_RIGHTS_RENTAL, /* has at least one end */
} LicenseRights;

typedef struct
{
  LicenseRights rights;
  gint64 not_before;
  gint64 not_after;
  gint64 playback_duration; /* counted from first play */
  /* From first play on, only playback_duration counts (FairPlay's rental);
   * otherwise both ends apply (PlayReady). */
  gboolean playback_replaces_window;
  /* The end cuts a running session off; otherwise a session that was begun in
   * time plays to its end. */
  gboolean realtime_expiration;
  gboolean persistent;
} LicenseRules;

typedef struct
{
  gint64 first_play; /* LICENSE_TIME_NONE = not played yet */
  gboolean released;
  /* The key was taken for play in the session that is still running. */
  gboolean in_session;
} LicenseState;

typedef enum
{
  LICENSE_CLOCK_GOOD,
  LICENSE_CLOCK_TURNED_BACK,
  LICENSE_CLOCK_NOT_SET,
} LicenseClockStatus;

typedef struct
{
  gint64 now;
  LicenseClockStatus status;
} LicenseTime;

typedef enum
{
  LICENSE_END_NONE, /* no end, or none yet: it comes with first play */
  LICENSE_END_WINDOW, /* not_after */
  LICENSE_END_PLAYBACK, /* first play + playback_duration */
} LicenseEnd;

typedef struct
{
  gboolean allowed;
  GstCencError reason; /* valid if not allowed */
  gint64 expiration; /* the effective end, LICENSE_TIME_NONE = none */
  LicenseEnd source;
  /* Both remainders are always there; LICENSE_TIME_NONE = unlimited, never
   * below 0. With no first play yet the playback one is the whole duration. */
  gint64 license_remaining;
  gint64 playback_remaining;
} LicenseDecision;

/* Whether the rules depend on the time of day at all. */
gboolean license_rules_are_timed (const LicenseRules *rules);

/*
 * Whether the rules make sense together: nothing zero, negative or beyond the
 * bounds above, begin before end, BuyToOwn without and Rental with an end,
 * playback_replaces_window with a playback_duration only.
 * @error: GST_CENC_ERROR_FORMAT naming the rule
 */
gboolean license_rules_check (const LicenseRules *rules, GError **error);

/* @rules: as license_rules_check() lets pass */
LicenseDecision policy_decide (const LicenseRules *rules,
    const LicenseState *state, const LicenseTime *time);

/*
 * Compares two licenses for one KID, each with its decision, for the one to
 * play by: an allowed one first; then one without an end, since it uses nothing
 * up; then one whose play window runs or that has none; then the later end.
 *
 * Returns: < 0 if @a is the better, > 0 if @b is, 0 if it does not matter
 */
gint policy_compare (const LicenseRules *a_rules, const LicenseState *a_state,
    const LicenseDecision *a, const LicenseRules *b_rules,
    const LicenseState *b_state, const LicenseDecision *b);

/* The word for it in messages: "window", "playback", "none". */
const gchar *license_end_to_string (LicenseEnd end);

/* "BuyToOwn", "Rental" */
const gchar *license_rights_to_string (LicenseRights rights);

G_END_DECLS
