/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-period.h"

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

/* 0: not there; 1: there; -1: with @error */
static gint
get_time (xmlNode *node, const gchar *name,
    gboolean (*parse) (const gchar *, gint64 *), gint64 *out, GError **error)
{
  g_autofree gchar *text = cpix_xml_get (node, name);

  if (!text)
    return 0;
  if (parse (g_strstrip (text), out))
    return 1;
  g_set_error (error, CPIX_ERROR, CPIX_ERROR_DOCUMENT,
      "line %ld: <ContentKeyPeriod>: %s is no %s", xmlGetLineNo (node), name,
      parse == cpix_parse_time ? "date and time"
                               : "duration of days, hours, minutes, seconds");
  return -1;
}

/* The interval that starts with @start and ends with @end or after `duration`;
 * as get_time(). */
static gint
get_interval (CpixPeriod *self, xmlNode *node, const gchar *start,
    const gchar *end, gboolean (*parse) (const gchar *, gint64 *),
    GError **error)
{
  gint64 duration = 0;
  gint has_start = get_time (node, start, parse, &self->start, error), has_end;

  if (has_start <= 0)
    return has_start;
  has_end = get_time (node, end, parse, &self->end, error);
  if (has_end == 0) {
    has_end =
        get_time (node, "duration", cpix_parse_duration, &duration, error);
    self->end = self->start + duration;
  }
  if (has_end == 0)
    cpix_xml_refuse (node, error, "it has a start and no end");
  if (has_end <= 0)
    return -1;
  if (self->end > self->start)
    return 1;
  cpix_xml_refuse (node, error, "it ends before it starts");
  return -1;
}

static gboolean
read_index (CpixPeriod *self, xmlNode *node, GError **error)
{
  g_autofree gchar *text = cpix_xml_get (node, "index");
  guint64 index;

  if (!text) {
    g_set_error (error, CPIX_ERROR, CPIX_ERROR_UNSUPPORTED,
        "line %ld: <ContentKeyPeriod>: neither an index nor a start and an "
        "end: when it is cannot be known",
        xmlGetLineNo (node));
    return FALSE;
  }
  if (!g_ascii_string_to_unsigned (g_strstrip (text), 10, 0, G_MAXUINT32,
          &index, NULL))
    return cpix_xml_refuse (node, error, "index is no number of 32 bits");
  self->index = (guint32) index;
  return TRUE;
}

gboolean
cpix_period_read (CpixPeriod *self, xmlNode *node, GError **error)
{
  gint found;

  self->id = cpix_xml_get (node, "id");
  self->kind = CPIX_PERIOD_OFFSET;
  found = get_interval (self, node, "startOffset", "endOffset",
      cpix_parse_duration, error);
  if (found == 0) {
    self->kind = CPIX_PERIOD_WALL;
    found = get_interval (self, node, "start", "end", cpix_parse_time, error);
  }
  if (found != 0)
    return found > 0;
  self->kind = CPIX_PERIOD_INDEX;
  return read_index (self, node, error);
}
