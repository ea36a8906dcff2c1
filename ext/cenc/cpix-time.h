/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times as XML Schema writes them. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * cpix_parse_time:
 * @text: an xs:dateTime; without a time zone UTC is meant
 *
 * Returns: FALSE if it is none; else nanoseconds since 1970 in @out
 */
gboolean cpix_parse_time (const gchar *text, gint64 *out);

/**
 * cpix_parse_duration:
 * @text: an xs:duration of days, hours, minutes, seconds: "P1DT2H3M4.5S"
 *
 * Returns: FALSE if it is none, or one with years or months, whose length nobody
 *   knows; else nanoseconds in @out
 */
gboolean cpix_parse_duration (const gchar *text, gint64 *out);

G_END_DECLS
