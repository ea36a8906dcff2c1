/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-time.h"

#include <string.h>

#include <gst/gst.h>

#include "remix-error.h"

#define NS_SCALE 1000000000u
/* Beyond this a time in nanoseconds does not fit 63 bits; no title is that long. */
#define MAX_SECONDS (G_GUINT64_CONSTANT (9000000000))

/* A cursor over the text: what does not match leaves it where it was. */
typedef struct
{
  const gchar *p;
} Scan;

static gboolean
scan_char (Scan *s, gchar c)
{
  if (*s->p != c)
    return FALSE;
  s->p++;
  return TRUE;
}

static gboolean
scan_string (Scan *s, const gchar *string)
{
  gsize len = strlen (string);

  if (strncmp (s->p, string, len) != 0)
    return FALSE;
  s->p += len;
  return TRUE;
}

static void
scan_blanks (Scan *s)
{
  while (g_ascii_isspace (*s->p))
    s->p++;
}

/* Between @min and @max digits. */
static gboolean
scan_digits (Scan *s, guint min, guint max, guint64 *value)
{
  guint n = 0;

  *value = 0;
  while (n < max && g_ascii_isdigit (s->p[n])) {
    *value = *value * 10 + (guint64) (s->p[n] - '0');
    n++;
  }
  if (n < min || g_ascii_isdigit (s->p[n]))
    return FALSE;
  s->p += n;
  return TRUE;
}

/* Exactly @n digits, whatever follows: the basic form of ISO 8601 runs its
 * fields together. */
static gboolean
scan_field (Scan *s, guint n, guint *value)
{
  guint i;

  *value = 0;
  for (i = 0; i < n; i++) {
    if (!g_ascii_isdigit (s->p[i]))
      return FALSE;
    *value = *value * 10 + (guint) (s->p[i] - '0');
  }
  s->p += n;
  return TRUE;
}

/* An optional fraction in nanoseconds; digits behind the ninth are dropped. */
static gboolean
scan_fraction (Scan *s, gboolean comma, guint64 *ns)
{
  guint64 unit = NS_SCALE / 10;

  *ns = 0;
  if (*s->p != '.' && !(comma && *s->p == ','))
    return TRUE;
  s->p++;
  if (!g_ascii_isdigit (*s->p))
    return FALSE;
  for (; g_ascii_isdigit (*s->p); s->p++) {
    *ns += unit * (guint64) (*s->p - '0');
    unit /= 10;
  }
  return TRUE;
}

static gboolean
set_ns (RemixTime *self, guint64 seconds, guint64 ns)
{
  if (seconds > MAX_SECONDS)
    return FALSE;
  self->value = seconds * NS_SCALE + ns;
  self->scale = NS_SCALE;
  return TRUE;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar; FALSE before it and
 * for days that do not exist. */
static gboolean
days_from_date (guint year, guint month, guint day, guint64 *days)
{
  static const guint16 before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273,
    304, 334 };
  guint y;

  if (year < 1970 ||
      !g_date_valid_dmy ((GDateDay) day, (GDateMonth) month, (GDateYear) year))
    return FALSE;
  y = month > 2 ? year : year - 1; /* whose leap day has passed */
  *days = (guint64) (year - 1970) * 365 + before[month - 1] + day - 1;
  *days += (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
  return TRUE;
}

static gboolean
scan_date (Scan *s, guint64 *days)
{
  guint year, month, day;
  gboolean extended;

  if (!scan_field (s, 4, &year))
    return FALSE;
  extended = scan_char (s, '-');
  if (!scan_field (s, 2, &month) || (extended && !scan_char (s, '-')) ||
      !scan_field (s, 2, &day))
    return FALSE;
  return days_from_date (year, month, day, days);
}

/* hh:mm[:ss[.f]] or hhmm[ss[.f]]. */
static gboolean
scan_time_of_day (Scan *s, guint64 *seconds, guint64 *ns)
{
  guint h, m, sec = 0;
  gboolean extended;

  *ns = 0;
  if (!scan_field (s, 2, &h))
    return FALSE;
  extended = scan_char (s, ':');
  if (!scan_field (s, 2, &m))
    return FALSE;
  if (extended ? scan_char (s, ':') : g_ascii_isdigit (*s->p)) {
    if (!scan_field (s, 2, &sec) || !scan_fraction (s, TRUE, ns))
      return FALSE;
  }
  if (h > 24 || m > 59 || sec > 59 || (h == 24 && (m || sec || *ns)))
    return FALSE;
  *seconds = h * 3600u + m * 60u + sec;
  return TRUE;
}

/* Z, ±hh, ±hhmm, ±hh:mm or nothing. */
static gboolean
scan_zone (Scan *s, gint64 *offset)
{
  gint sign;
  guint h, m = 0;

  *offset = 0;
  if (scan_char (s, 'Z') || scan_char (s, 'z'))
    return TRUE;
  sign = *s->p == '-' ? -1 : 1;
  if (!scan_char (s, '+') && !scan_char (s, '-'))
    return TRUE;
  if (!scan_field (s, 2, &h))
    return FALSE;
  if (scan_char (s, ':') || g_ascii_isdigit (*s->p)) {
    if (!scan_field (s, 2, &m))
      return FALSE;
  }
  *offset = sign * (gint64) (h * 3600 + m * 60);
  return h <= 14 && m <= 59;
}

static gboolean
parse_wallclock (RemixTime *self, Scan *s)
{
  guint64 days, seconds = 0, ns = 0;
  gint64 offset = 0, total;

  scan_blanks (s);
  if (!scan_date (s, &days))
    return FALSE;
  if (scan_char (s, 'T') || scan_char (s, 't')) {
    if (!scan_time_of_day (s, &seconds, &ns) || !scan_zone (s, &offset))
      return FALSE;
  }
  scan_blanks (s);
  if (!scan_char (s, ')'))
    return FALSE;
  total = (gint64) (days * 86400 + seconds) - offset;
  self->wallclock = TRUE;
  return total >= 0 && set_ns (self, (guint64) total, ns);
}

/* hh…:mm:ss[.f] or mm:ss[.f]; @first is what stood before the first colon. */
static gboolean
parse_colons (RemixTime *self, Scan *s, guint64 first)
{
  guint second, third;
  guint64 seconds, ns;

  if (!scan_field (s, 2, &second) || second > 59)
    return FALSE;
  if (scan_char (s, ':')) {
    if (!scan_field (s, 2, &third) || third > 59 || first > MAX_SECONDS / 3600)
      return FALSE;
    seconds = first * 3600 + second * 60 + third;
  } else {
    if (first > 59)
      return FALSE;
    seconds = first * 60 + second;
  }
  return scan_fraction (s, FALSE, &ns) && set_ns (self, seconds, ns);
}

static gboolean
parse_timecount (RemixTime *self, Scan *s, guint64 count)
{
  guint64 ns, unit_ms = 1000, total;

  if (!scan_fraction (s, FALSE, &ns))
    return FALSE;
  if (scan_string (s, "h"))
    unit_ms = 3600000;
  else if (scan_string (s, "min"))
    unit_ms = 60000;
  else if (scan_string (s, "ms"))
    unit_ms = 1;
  else
    scan_string (s, "s");
  if (count > MAX_SECONDS * 1000 / unit_ms)
    return FALSE;
  /* ns is a fraction of the unit here; unit_ms has at most 22 bits. */
  total = count * unit_ms * 1000000 + ns * unit_ms / 1000;
  self->value = total;
  self->scale = NS_SCALE;
  return TRUE;
}

static gboolean
parse_clock_value (RemixTime *self, Scan *s)
{
  guint64 first;

  if (!scan_digits (s, 1, 10, &first))
    return FALSE;
  if (scan_char (s, ':'))
    return parse_colons (self, s, first);
  return parse_timecount (self, s, first);
}

/* hh:mm:ss[:ff[.hundredths]] at @fps frames; with @drop frames 0 and 1 of each
 * minute that is no tenth do not exist, and a frame lasts 1001/30000 s. */
static gboolean
parse_smpte (RemixTime *self, Scan *s, guint fps, gboolean drop)
{
  guint h, m, sec, frame = 0, sub = 0;
  guint64 minutes, frames;

  if (!scan_field (s, 2, &h) || !scan_char (s, ':') || !scan_field (s, 2, &m) ||
      !scan_char (s, ':') || !scan_field (s, 2, &sec))
    return FALSE;
  if (scan_char (s, ':') || scan_char (s, ';')) {
    if (!scan_field (s, 2, &frame))
      return FALSE;
    if (scan_char (s, '.') && !scan_field (s, 2, &sub))
      return FALSE;
  }
  if (m > 59 || sec > 59 || frame >= fps)
    return FALSE;
  if (drop && frame < 2 && sec == 0 && m % 10 != 0)
    return FALSE;
  minutes = h * 60u + m;
  frames = (minutes * 60 + sec) * fps + frame;
  if (drop)
    frames -= 2 * (minutes - minutes / 10);
  self->value = (frames * 100 + sub) * (drop ? 1001 : 1);
  self->scale = drop ? 3000000 : fps * 100;
  return TRUE;
}

static gboolean
parse_any (RemixTime *self, Scan *s)
{
  if (scan_string (s, "wallclock("))
    return parse_wallclock (self, s);
  if (scan_string (s, "smpte-30-drop=") || scan_string (s, "smpte="))
    return parse_smpte (self, s, 30, TRUE);
  if (scan_string (s, "smpte-25="))
    return parse_smpte (self, s, 25, FALSE);
  scan_string (s, "npt=");
  return parse_clock_value (self, s);
}

gboolean
remix_time_parse (RemixTime *self, const gchar *text, GError **error)
{
  Scan s = { text };

  memset (self, 0, sizeof (*self));
  scan_blanks (&s);
  if (parse_any (self, &s)) {
    scan_blanks (&s);
    if (*s.p == '\0')
      return TRUE;
  }
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
      "\"%.64s\" is not a time: expected wallclock(YYYY-MM-DDThh:mm:ss.fffZ), "
      "npt=, a clock value or a SMPTE time code",
      text);
  return FALSE;
}

gboolean
remix_duration_parse (guint64 *ns, const gchar *text, GError **error)
{
  static const struct
  {
    gchar unit;
    gboolean in_time;
    guint64 seconds;
  } units[] = { { 'W', FALSE, 604800 }, { 'D', FALSE, 86400 },
    { 'H', TRUE, 3600 }, { 'M', TRUE, 60 }, { 'S', TRUE, 1 } };
  Scan s = { text };
  gboolean in_time = FALSE, any = FALSE;
  guint i;

  *ns = 0;
  scan_blanks (&s);
  if (!scan_char (&s, 'P'))
    goto invalid;
  for (i = 0; i < G_N_ELEMENTS (units); i++) {
    Scan saved;
    guint64 n, fraction;

    if (!in_time)
      in_time = scan_char (&s, 'T');
    saved = s;
    if (units[i].in_time != in_time || !scan_digits (&s, 1, 9, &n) ||
        !scan_fraction (&s, TRUE, &fraction) ||
        !scan_char (&s, units[i].unit) || n > MAX_SECONDS / units[i].seconds) {
      s = saved;
      continue;
    }
    *ns += n * units[i].seconds * NS_SCALE + fraction * units[i].seconds;
    if (*ns > MAX_SECONDS * NS_SCALE)
      goto invalid;
    any = TRUE;
  }
  scan_blanks (&s);
  if (any && *s.p == '\0')
    return TRUE;

invalid:
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
      "\"%.64s\" is not a duration such as PT10S", text);
  return FALSE;
}

guint64
remix_time_to_ticks (const RemixTime *self, guint32 timescale)
{
  return gst_util_uint64_scale_round (self->value, timescale, self->scale);
}

gint64
remix_rescale (gint64 value, guint32 from, guint32 to)
{
  guint64 magnitude = value < 0 ? 0 - (guint64) value : (guint64) value;

  if (from == to)
    return value;
  magnitude = gst_util_uint64_scale_round (magnitude, to, from);
  magnitude = MIN (magnitude, (guint64) G_MAXINT64);
  return value < 0 ? -(gint64) magnitude : (gint64) magnitude;
}

gchar *
remix_ticks_to_string (gint64 ticks, guint32 timescale)
{
  gint64 ms = remix_rescale (ticks, timescale ? timescale : 1, 1000);

  return g_strdup_printf ("%s%" G_GINT64_FORMAT ".%03d", ms < 0 ? "-" : "",
      ABS (ms) / 1000, (gint) (ABS (ms) % 1000));
}
