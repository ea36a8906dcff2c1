/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether the device's clock can be believed.
 *
 * A device without a network has nothing but its own wall clock, which its owner
 * can set. Two marks stand against setting it back:
 *
 * - the floor: the newest time that an issuer has signed, plus what
 *   CLOCK_BOOTTIME has counted since. Kept per issuer, so that one who dates
 *   licenses ahead harms its own licenses only.
 * - seen: the highest wall time at which a timed license was used here.
 *
 * All times are microseconds; wall times since 1970-01-01 UTC.
 */

#pragma once

#include "license-policy.h"

G_BEGIN_DECLS

/*
 * 2025-01-01 UTC. This software did not exist before it: a clock that shows
 * less was never set (a board without a battery starts in 1970, 2000, …).
 */
#define LICENSE_CLOCK_EPOCH (G_GINT64_CONSTANT (1735689600) * G_USEC_PER_SEC)

#define LICENSE_DEFAULT_SKEW (5 * 60 * G_TIME_SPAN_SECOND)

#define LICENSE_BOOT_ID_SIZE 40

/* What the clocks show at one moment. */
typedef struct
{
  gint64 wall;
  gint64 boottime; /* CLOCK_BOOTTIME: counts suspend too */
  gchar boot_id[LICENSE_BOOT_ID_SIZE]; /* changes with each boot */
} LicenseInstant;

/* Where the time comes from; injected, so that tests own it. */
typedef struct
{
  void (*read) (gpointer data, LicenseInstant *instant);
  gpointer data;
} LicenseClock;

/* Returns: (transfer none): the system's clocks */
const LicenseClock *license_clock_system (void);

void license_clock_read (const LicenseClock *clock, LicenseInstant *instant);

/* A signed time, and the moment when it came. */
typedef struct
{
  gint64 time; /* LICENSE_TIME_NONE = none yet */
  gint64 boottime;
  gchar boot_id[LICENSE_BOOT_ID_SIZE];
} LicenseFloor;

#define LICENSE_FLOOR_INIT \
  { \
    LICENSE_TIME_NONE, 0, "" \
  }

/*
 * The floor as of @now. On another boot than it was set in nothing is known of
 * the time between, and it is what was last stored.
 */
gint64 license_floor_at (const LicenseFloor *floor, const LicenseInstant *now);

/*
 * @signed_time: a license's issue date
 * @answers_us: the license carries a nonce that we have just sent
 *
 * A signed time past the wall clock + @skew raises nothing, since anybody can
 * hand us a license that was dated ahead; unless it answers our nonce: then it
 * is the time, and the floor is set to it in either direction.
 *
 * Returns: whether @floor changed
 */
gboolean license_floor_raise (LicenseFloor *floor, const LicenseInstant *now,
    gint64 signed_time, gboolean answers_us, gint64 skew);

/* Moves the mark to @now, so that little is lost at the next boot. */
void license_floor_carry (LicenseFloor *floor, const LicenseInstant *now);

/*
 * @floor: as license_floor_at() tells, or LICENSE_TIME_NONE
 * @seen: highest wall time of use, or LICENSE_TIME_NONE
 */
LicenseClockStatus license_clock_judge (const LicenseInstant *now, gint64 floor,
    gint64 seen, gint64 skew);

/*
 * @seen is poisoned for good if the clock was once ahead by accident; signed
 * time that answers our nonce mends it.
 *
 * Returns: @seen, or @signed_time if that is less by more than @skew
 */
gint64 license_seen_mend (gint64 seen, gint64 signed_time, gint64 skew);

G_END_DECLS
