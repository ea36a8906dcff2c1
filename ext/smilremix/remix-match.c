/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-match.h"

#include <math.h>
#include <string.h>

#include "remix-error.h"

#define IMPOSSIBLE G_MAXDOUBLE

static const RemixFormat *
get_format (const RemixTrack *track, guint i)
{
  return g_ptr_array_index (track->formats, i);
}

static gboolean
is_compatible (const RemixTrack *profile, const RemixTrack *track)
{
  guint i;

  for (i = 0; i < track->formats->len; i++) {
    if (!remix_format_compatible (get_format (profile, 0),
            get_format (track, i)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_undetermined (const gchar *language)
{
  return *language == '\0' || strcmp (language, "und") == 0;
}

static gdouble
distance (guint64 a, guint64 b)
{
  return fabs (log2 ((gdouble) MAX (a, 1)) - log2 ((gdouble) MAX (b, 1)));
}

/* Another language is worse than any difference in bitrate; a picture of another
 * size is worse than half the bitrate. */
static gdouble
get_cost (const RemixTrack *profile, const RemixTrack *track)
{
  const RemixFormat *a = get_format (profile, 0), *b = get_format (track, 0);
  gdouble cost = distance (profile->bitrate, track->bitrate);

  if (profile->kind != track->kind || !is_compatible (profile, track))
    return IMPOSSIBLE;
  if (profile->kind == REMIX_KIND_VIDEO)
    cost += distance ((guint64) a->width * a->height,
        (guint64) b->width * b->height);
  if (strcmp (profile->language, track->language) != 0)
    cost +=
        is_undetermined (profile->language) || is_undetermined (track->language)
        ? 0.5
        : 1000;
  return cost;
}

static gboolean
set_mismatch (const RemixTrack *profile, const GArray *candidates,
    GError **error)
{
  const gchar *kind = remix_kind_to_string (profile->kind);
  guint i;

  for (i = 0; i < candidates->len; i++) {
    const RemixCandidate *c = &g_array_index (candidates, RemixCandidate, i);

    if (c->track->kind != profile->kind)
      continue;
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_MATCH,
        "%s: its %s is %s, which cannot go on with %s", c->movie->uri, kind,
        get_format (c->track, 0)->text, get_format (profile, 0)->text);
    return FALSE;
  }
  if (profile->kind != REMIX_KIND_VIDEO)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_MATCH,
      "it has no video, which the title has (%s)",
      get_format (profile, 0)->text);
  return FALSE;
}

/* The cheapest pair of an output track without a choice and a candidate, which
 * must not be in use if @fresh. */
static gboolean
choose_one (const GPtrArray *profile, const GArray *candidates, gint *choice,
    gboolean *used, gboolean fresh)
{
  gdouble best = IMPOSSIBLE;
  guint best_track = 0, best_candidate = 0, i, j;

  for (i = 0; i < profile->len; i++) {
    for (j = 0; j < candidates->len && choice[i] < 0; j++) {
      gdouble cost = get_cost (g_ptr_array_index (profile, i),
          g_array_index (candidates, RemixCandidate, j).track);

      if (cost < best && !(fresh && used[j])) {
        best = cost;
        best_track = i;
        best_candidate = j;
      }
    }
  }
  if (best == IMPOSSIBLE)
    return FALSE;
  choice[best_track] = (gint) best_candidate;
  used[best_candidate] = TRUE;
  return TRUE;
}

gboolean
remix_match (const GPtrArray *profile, const GArray *candidates, gint *choice,
    GError **error)
{
  g_autofree gboolean *used = g_new0 (gboolean, candidates->len + 1);
  guint i;

  for (i = 0; i < profile->len; i++)
    choice[i] = -1;
  while (choose_one (profile, candidates, choice, used, TRUE))
    ;
  while (choose_one (profile, candidates, choice, used, FALSE))
    ;
  for (i = 0; i < profile->len; i++) {
    if (choice[i] < 0 &&
        !set_mismatch (g_ptr_array_index (profile, i), candidates, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_kind (const GPtrArray *profile, RemixKind kind)
{
  guint i;

  for (i = 0; i < profile->len; i++) {
    if (((const RemixTrack *) g_ptr_array_index (profile, i))->kind == kind)
      return TRUE;
  }
  return FALSE;
}

gchar *
remix_match_get_left_out (const GPtrArray *profile, const GArray *candidates)
{
  guint i;

  for (i = 0; i < candidates->len; i++) {
    const RemixCandidate *c = &g_array_index (candidates, RemixCandidate, i);

    if (!has_kind (profile, c->track->kind))
      return g_strdup_printf (
          "%s: its %s (%s) is left out, since what describes "
          "the output has none",
          c->movie->uri, remix_kind_to_string (c->track->kind),
          get_format (c->track, 0)->text);
  }
  return NULL;
}
