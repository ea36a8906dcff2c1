/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-time.h"

#include <string.h>

#define SECOND G_GINT64_CONSTANT (1000000000)
/* So that sums and differences of two fit: some 146 years. */
#define MAX_SECONDS (G_MAXINT64 / SECOND / 2)

gboolean
cpix_parse_time (const gchar *text, gint64 *out)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, utc);
  gint64 seconds;

  if (!time)
    return FALSE;
  seconds = g_date_time_to_unix (time);
  if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS)
    return FALSE;
  *out = seconds * SECOND + g_date_time_get_microsecond (time) * 1000;
  return TRUE;
}

/* ".25" of seconds, up to nanoseconds; moves *@text behind it. */
static gint64
parse_fraction (const gchar **text)
{
  gint64 value = 0, unit = SECOND / 10;

  for ((*text)++; g_ascii_isdigit (**text); (*text)++, unit /= 10)
    value += (**text - '0') * unit;
  return value;
}

/* A number and its unit, one of @units, which moves on to those that may follow.
 * FALSE: no such thing. */
static gboolean
parse_part (const gchar **text, const gchar **units, gint64 *sum)
{
  static const gint64
      seconds[] = { ['D'] = 86400, ['H'] = 3600, ['M'] = 60, ['S'] = 1 };
  gint64 n = 0, fraction = -1;
  const gchar *digits = *text, *unit;

  for (; g_ascii_isdigit (**text) && n <= MAX_SECONDS; (*text)++)
    n = 10 * n + (**text - '0');
  if (*text == digits)
    return FALSE;
  if (**text == '.')
    fraction = parse_fraction (text);
  unit = **text ? strchr (*units, **text) : NULL;
  if (!unit || (fraction >= 0 && *unit != 'S') ||
      n > MAX_SECONDS / seconds[(guint8) *unit])
    return FALSE;
  *units = unit + 1;
  (*text)++;
  *sum += n * seconds[(guint8) *unit] * SECOND + MAX (fraction, 0);
  return *sum / SECOND <= MAX_SECONDS;
}

gboolean
cpix_parse_duration (const gchar *text, gint64 *out)
{
  const gchar *units = "D";
  gboolean any = FALSE, time = FALSE;

  *out = 0;
  if (*text++ != 'P')
    return FALSE;
  for (; *text; any = TRUE) {
    if (*text == 'T' && !time) {
      time = TRUE;
      units = "HMS";
      text++;
    }
    if (!parse_part (&text, &units, out))
      return FALSE;
  }
  return any;
}
