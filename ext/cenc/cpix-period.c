/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-period.h"

#include "cenc/cpix-time.h"

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
