/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "jose-scan.h"

#include <math.h>
#include <string.h>

#include <gst/cenc/gstcenckeysession.h>

void
jose_scan_init (JoseScan *scan, const gchar *text, gsize size)
{
  scan->start = scan->p = text;
  scan->end = text + size;
  scan->depth = 0;
}

static gboolean
refuse (JoseScan *scan, const gchar *what, GError **error)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "JSON: %s at byte %" G_GSIZE_FORMAT, what,
      (gsize) (scan->p - scan->start));
  return FALSE;
}

gchar
jose_scan_peek (JoseScan *scan)
{
  while (scan->p < scan->end && *scan->p && strchr (" \t\r\n", *scan->p))
    scan->p++;
  return scan->p < scan->end ? *scan->p : '\0';
}

gboolean
jose_scan_take (JoseScan *scan, gchar c)
{
  if (jose_scan_peek (scan) != c || scan->p == scan->end)
    return FALSE;
  scan->p++;
  return TRUE;
}

static gboolean
hex4 (const gchar *p, const gchar *end, guint *value)
{
  guint i;

  *value = 0;
  if (end - p < 4)
    return FALSE;
  for (i = 0; i < 4; i++) {
    if (!g_ascii_isxdigit (p[i]))
      return FALSE;
    *value = *value << 4 | (guint) g_ascii_xdigit_value (p[i]);
  }
  return TRUE;
}

/* Behind the backslash. Surrogates have to come in pairs. */
static gboolean
take_escape (JoseScan *scan)
{
  guint high, low;

  if (scan->p == scan->end)
    return FALSE;
  if (*scan->p != 'u')
    return *scan->p && strchr ("\"\\/bfnrt", *scan->p++) != NULL;
  scan->p++;
  if (!hex4 (scan->p, scan->end, &high) || high == 0)
    return FALSE;
  scan->p += 4;
  if (high < 0xd800 || high > 0xdfff)
    return TRUE;
  if (high > 0xdbff || scan->end - scan->p < 6 || scan->p[0] != '\\' ||
      scan->p[1] != 'u' || !hex4 (scan->p + 2, scan->end, &low))
    return FALSE;
  scan->p += 6;
  return low >= 0xdc00 && low <= 0xdfff;
}

gboolean
jose_scan_string (JoseScan *scan, JoseScanString *string, GError **error)
{
  if (!jose_scan_take (scan, '"'))
    return refuse (scan, "a string is missing", error);

  string->text = scan->p;
  string->escaped = FALSE;
  while (scan->p < scan->end && *scan->p != '"') {
    if ((guchar) *scan->p < 0x20)
      return refuse (scan, "control character in a string", error);
    if (*scan->p++ != '\\')
      continue;
    string->escaped = TRUE;
    if (!take_escape (scan))
      return refuse (scan, "bad escape in a string", error);
  }
  if (scan->p == scan->end)
    return refuse (scan, "unfinished string", error);
  string->length = (gsize) (scan->p++ - string->text);
  return TRUE;
}

/* The scalar value behind a \u that jose_scan_string() has let pass. */
static gunichar
unescape_unicode (const gchar **p)
{
  guint high = 0, low = 0;

  hex4 (*p, *p + 4, &high);
  *p += 4;
  if (high < 0xd800 || high > 0xdfff)
    return high;
  hex4 (*p + 2, *p + 6, &low);
  *p += 6;
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* So that "a" and "\u0061" are seen to be the same name. */
static gchar *
unescape (const JoseScanString *string)
{
  static const gchar from[] = "bfnrt", to[] = "\b\f\n\r\t";
  const gchar *p = string->text, *end = p + string->length;
  GString *out = g_string_sized_new (string->length);

  while (p < end) {
    const gchar *special;

    if (*p != '\\') {
      g_string_append_c (out, *p++);
      continue;
    }
    p++;
    special = strchr (from, *p);
    if (*p == 'u') {
      p++;
      g_string_append_unichar (out, unescape_unicode (&p));
    } else {
      g_string_append_c (out, special ? to[special - from] : *p);
      p++;
    }
  }
  return g_string_free (out, FALSE);
}

static gboolean
take_digits (JoseScan *scan)
{
  const gchar *from = scan->p;

  while (scan->p < scan->end && g_ascii_isdigit (*scan->p))
    scan->p++;
  return scan->p > from;
}

static gboolean
take_fraction (JoseScan *scan)
{
  if (scan->p < scan->end && *scan->p == '.') {
    scan->p++;
    if (!take_digits (scan))
      return FALSE;
  }
  if (scan->p < scan->end && (*scan->p == 'e' || *scan->p == 'E')) {
    scan->p++;
    if (scan->p < scan->end && (*scan->p == '+' || *scan->p == '-'))
      scan->p++;
    return take_digits (scan);
  }
  return TRUE;
}

static gboolean
take_number (JoseScan *scan, GError **error)
{
  const gchar *from = scan->p;
  const gchar *digits;
  gchar text[40];
  gsize length;

  if (*scan->p == '-')
    scan->p++;
  digits = scan->p;
  if (!take_digits (scan) || (*digits == '0' && scan->p - digits > 1) ||
      !take_fraction (scan))
    return refuse (scan, "bad number", error);
  length = (gsize) (scan->p - from);
  if (length >= sizeof text)
    return refuse (scan, "number out of range", error);
  memcpy (text, from, length);
  text[length] = '\0';
  if (fabs (g_ascii_strtod (text, NULL)) > 9007199254740992.0)
    return refuse (scan, "number out of range", error);
  return TRUE;
}

static gboolean
take_literal (JoseScan *scan)
{
  static const gchar *const literals[] = { "true", "false", "null" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (literals); i++) {
    gsize length = strlen (literals[i]);

    if ((gsize) (scan->end - scan->p) >= length &&
        memcmp (scan->p, literals[i], length) == 0) {
      scan->p += length;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
take_member (JoseScan *scan, GHashTable *names, GError **error)
{
  JoseScanString string;
  gchar *name;

  if (!jose_scan_string (scan, &string, error))
    return FALSE;
  name = unescape (&string);
  if (g_hash_table_contains (names, name)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "JSON: duplicate member \"%.40s\"", name);
    g_free (name);
    return FALSE;
  }
  g_hash_table_add (names, name);
  if (!jose_scan_take (scan, ':'))
    return refuse (scan, "a colon is missing", error);
  return jose_scan_value (scan, error);
}

static gboolean
take_object (JoseScan *scan, GError **error)
{
  g_autoptr (GHashTable) names =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  scan->p++;
  if (jose_scan_take (scan, '}'))
    return TRUE;
  do {
    if (!take_member (scan, names, error))
      return FALSE;
  } while (jose_scan_take (scan, ','));
  return jose_scan_take (scan, '}') ||
      refuse (scan, "unfinished object", error);
}

static gboolean
take_array (JoseScan *scan, GError **error)
{
  scan->p++;
  if (jose_scan_take (scan, ']'))
    return TRUE;
  do {
    if (!jose_scan_value (scan, error))
      return FALSE;
  } while (jose_scan_take (scan, ','));
  return jose_scan_take (scan, ']') || refuse (scan, "unfinished array", error);
}

gboolean
jose_scan_value (JoseScan *scan, GError **error)
{
  gchar c = jose_scan_peek (scan);
  JoseScanString string;
  gboolean ok;

  if (c == '"')
    return jose_scan_string (scan, &string, error);
  if (c == '-' || g_ascii_isdigit (c))
    return take_number (scan, error);
  if (c != '{' && c != '[')
    return take_literal (scan) || refuse (scan, "no value", error);
  if (++scan->depth > JOSE_SCAN_MAX_DEPTH)
    return refuse (scan, "nested too deep", error);
  ok = c == '{' ? take_object (scan, error) : take_array (scan, error);
  scan->depth--;
  return ok;
}

gboolean
jose_scan_check (const gchar *text, gsize size, GError **error)
{
  JoseScan scan;

  jose_scan_init (&scan, text, size);
  if (!g_utf8_validate_len (text, size, &scan.p))
    return refuse (&scan, "not UTF-8", error);
  scan.p = text;
  if (!jose_scan_value (&scan, error))
    return FALSE;
  if (jose_scan_peek (&scan) != '\0' || scan.p != scan.end)
    return refuse (&scan, "something behind the value", error);
  return TRUE;
}
