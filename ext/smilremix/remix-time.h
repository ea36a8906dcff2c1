/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixTime: a point on a source's media timeline as a playlist writes it, kept
 * as a fraction so that a SMPTE frame of 30000/1001 Hz stays exact.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 value; /* in 1/scale seconds */
  guint32 scale; /* never 0 */
  gboolean
      wallclock; /* counts from 1970-01-01T00:00:00Z, else from the source's start */
} RemixTime;

/**
 * remix_time_parse:
 * @text: a clipBegin or clipEnd. `wallclock(…)` takes a date and time of ISO 8601
 *   in extended or basic form, a fraction of up to nine digits, `Z`, an offset,
 *   or nothing, which means UTC; or a date alone. Without `wallclock`: `npt=`
 *   and a clock value, a clock value alone (`01:02:03.5`, `02:03`, `3.5s`,
 *   `10min`, `2h`, `40ms`, `7`), or `smpte=`, `smpte-30-drop=`, `smpte-25=` and
 *   a time code of SMIL 1.0, 4.2.4 (`hh:mm:ss[:ff[.hundredths]]`)
 *
 * Returns: FALSE with a reason in @error (REMIX_ERROR_PLAYLIST)
 */
gboolean remix_time_parse (RemixTime *self, const gchar *text, GError **error);

/** An ISO 8601 duration without years and months, e.g. "PT1M10.5S", "P1DT2H", in nanoseconds. */
gboolean remix_duration_parse (guint64 *ns, const gchar *text, GError **error);

/** In ticks of @timescale, rounded to the nearest; G_MAXUINT64 if it does not fit. */
guint64 remix_time_to_ticks (const RemixTime *self, guint32 timescale);

/** @value in 1/@from as 1/@to, rounded to the nearest; negative values too. Saturates. */
gint64 remix_rescale (gint64 value, guint32 from, guint32 to);

/** "12.345" seconds, for messages; (transfer full). */
gchar *remix_ticks_to_string (gint64 ticks, guint32 timescale);

G_END_DECLS
