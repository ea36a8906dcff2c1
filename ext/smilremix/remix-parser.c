/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors and warnings with their place. */

#include "remix-parse.h"

static gchar *
place_to_string (RemixParser *self, xmlNode *node, const gchar *text)
{
  RemixPlace place = remix_xml_get_place (self->xml, node);

  return g_strdup_printf ("line %u, column %u: %s", place.line, place.column,
      text);
}

gboolean
remix_parser_fail (RemixParser *self, xmlNode *node, GError **error,
    RemixError code, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  g_autofree gchar *message = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  message = place_to_string (self, node, text);
  g_set_error_literal (error, REMIX_ERROR, (gint) code, message);
  return FALSE;
}

gboolean
remix_parser_warn (RemixParser *self, xmlNode *node, GError **error,
    const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  if (self->strict)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST, "%s",
        text);
  g_ptr_array_add (self->playlist->warnings,
      place_to_string (self, node, text));
  return TRUE;
}

gboolean
remix_parser_prefix (RemixParser *self, xmlNode *node, GError **error)
{
  g_autofree gchar *prefix = place_to_string (self, node, "");

  g_prefix_error (error, "%s", prefix);
  return FALSE;
}
