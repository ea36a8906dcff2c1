/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A strict scanner over JSON text (RFC 8259). It is there for two reasons:
 * json-glib takes duplicate members (the last wins) and comments, which is how
 * two readers of one signed text come to see two licenses; and it copies string
 * values to memory that nobody wipes, which will not do for content keys.
 * The scanner copies nothing but member names.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Nesting beyond this is refused. */
#define JOSE_SCAN_MAX_DEPTH 8

typedef struct
{
  const gchar *start, *p, *end;
  guint depth;
} JoseScan;

/* A string as it stands between its quotes; not terminated. */
typedef struct
{
  const gchar *text;
  gsize length;
  gboolean escaped; /* has a backslash somewhere */
} JoseScanString;

void jose_scan_init (JoseScan *scan, const gchar *text, gsize size);

/* The next character that is no blank, '\0' at the end; does not move. */
gchar jose_scan_peek (JoseScan *scan);

/* Takes @c if it is next (after blanks). */
gboolean jose_scan_take (JoseScan *scan, gchar c);

/* Takes a string. Errors are GST_CENC_ERROR_FORMAT with the position. */
gboolean
jose_scan_string (JoseScan *scan, JoseScanString *string, GError **error);

/* Takes one value of any type, with all there is to check. */
gboolean jose_scan_value (JoseScan *scan, GError **error);

/*
 * One JSON value, and nothing but blanks behind it: UTF-8, no duplicate
 * members at any level, no comment, no number beyond ±2^53 (past which readers
 * disagree), no NUL in a string, nesting within JOSE_SCAN_MAX_DEPTH.
 */
gboolean jose_scan_check (const gchar *text, gsize size, GError **error);

G_END_DECLS
