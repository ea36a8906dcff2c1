/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-clock.h"

#include <string.h>
#include <time.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static gint64
read_clock (clockid_t id)
{
  struct timespec now;

  if (clock_gettime (id, &now) != 0)
    return 0;
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void
read_system (gpointer data, LicenseInstant *instant)
{
  g_autofree gchar *text = NULL;

  instant->wall = read_clock (CLOCK_REALTIME);
  instant->boottime = read_clock (CLOCK_BOOTTIME);
  /* Without a boot id each start counts as a boot: the floor stands still. */
  if (!g_file_get_contents (BOOT_ID_FILE, &text, NULL, NULL))
    text = g_uuid_string_random ();
  g_strlcpy (instant->boot_id, g_strstrip (text), sizeof instant->boot_id);
}

const LicenseClock *
license_clock_system (void)
{
  static const LicenseClock clock = { read_system, NULL };

  return &clock;
}

void
license_clock_read (const LicenseClock *clock, LicenseInstant *instant)
{
  memset (instant, 0, sizeof *instant);
  clock->read (clock->data, instant);
}

gint64
license_floor_at (const LicenseFloor *floor, const LicenseInstant *now)
{
  gint64 elapsed = now->boottime - floor->boottime;

  if (floor->time == LICENSE_TIME_NONE || elapsed < 0 ||
      !g_str_equal (floor->boot_id, now->boot_id))
    return floor->time;
  return MIN (floor->time, LICENSE_MAX_TIME) + elapsed;
}

static void
set_floor (LicenseFloor *floor, const LicenseInstant *now, gint64 time)
{
  floor->time = time;
  floor->boottime = now->boottime;
  g_strlcpy (floor->boot_id, now->boot_id, sizeof floor->boot_id);
}

gboolean
license_floor_raise (LicenseFloor *floor, const LicenseInstant *now,
    gint64 signed_time, gboolean answers_us, gint64 skew)
{
  if (!answers_us) {
    if (signed_time > now->wall + skew)
      return FALSE;
    if (floor->time != LICENSE_TIME_NONE &&
        signed_time <= license_floor_at (floor, now))
      return FALSE;
  }
  set_floor (floor, now, signed_time);
  return TRUE;
}

void
license_floor_carry (LicenseFloor *floor, const LicenseInstant *now)
{
  if (floor->time != LICENSE_TIME_NONE)
    set_floor (floor, now, license_floor_at (floor, now));
}

LicenseClockStatus
license_clock_judge (const LicenseInstant *now, gint64 floor, gint64 seen,
    gint64 skew)
{
  if (now->wall < LICENSE_CLOCK_EPOCH)
    return LICENSE_CLOCK_NOT_SET;
  if (floor != LICENSE_TIME_NONE && now->wall < floor - skew)
    return LICENSE_CLOCK_TURNED_BACK;
  if (seen != LICENSE_TIME_NONE && now->wall < seen - skew)
    return LICENSE_CLOCK_TURNED_BACK;
  return LICENSE_CLOCK_GOOD;
}

gint64
license_seen_mend (gint64 seen, gint64 signed_time, gint64 skew)
{
  if (seen != LICENSE_TIME_NONE && seen > signed_time + skew)
    return signed_time;
  return seen;
}
