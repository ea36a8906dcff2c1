/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-rules.h"

#include <string.h>

/* Three-valued: what is not known stays so through AND and OR, unless the rest
 * decides. The order makes OR the greater, AND the smaller one. */
typedef enum
{
  NO,
  UNKNOWN,
  YES,
} Match;

static Match
in_range (const CpixRange *range, guint64 value)
{
  if (range->min == 0 && range->max == G_MAXUINT64)
    return YES;
  if (value == 0)
    return UNKNOWN;
  return value >= range->min && value <= range->max ? YES : NO;
}

/* Open below, so that a rule to 30 and one from 30 do not meet. */
static Match
match_fps (const CpixRange *range, const CpixTrackFacts *facts)
{
  if (range->min == 0 && range->max == G_MAXUINT64)
    return YES;
  if (facts->fps_n == 0 || facts->fps_d == 0)
    return UNKNOWN;
  if (range->min > 0 &&
      (range->min > G_MAXUINT32 || facts->fps_n <= range->min * facts->fps_d))
    return NO;
  return range->max > G_MAXUINT32 || facts->fps_n <= range->max * facts->fps_d
      ? YES
      : NO;
}

static Match
match_flag (gint asked, gint known)
{
  if (asked < 0)
    return YES;
  if (known < 0)
    return UNKNOWN;
  return !asked == !known ? YES : NO;
}

static Match
match_text (const gchar *asked, const gchar *known)
{
  if (!known)
    return UNKNOWN;
  return g_strcmp0 (asked, known) == 0 ? YES : NO;
}

static Match
match_video (const CpixFilter *filter, const CpixTrackFacts *facts)
{
  Match match = in_range (&filter->range, facts->pixels);

  if (facts->kind != CPIX_TRACK_VIDEO)
    return NO;
  match = MIN (match, match_fps (&filter->fps, facts));
  match = MIN (match, match_flag (filter->hdr, facts->hdr));
  return MIN (match, match_flag (filter->wcg, facts->wcg));
}

static Match
match_filter (const CpixFilter *filter, const CpixTrackFacts *facts)
{
  switch (filter->type) {
    case CPIX_FILTER_PERIOD:
      if (!facts->periods)
        return UNKNOWN;
      return g_strv_contains (facts->periods, filter->text) ? YES : NO;
    case CPIX_FILTER_LABEL:
      return match_text (filter->text, facts->label);
    case CPIX_FILTER_VIDEO:
      return match_video (filter, facts);
    case CPIX_FILTER_AUDIO:
      return facts->kind == CPIX_TRACK_AUDIO
          ? in_range (&filter->range, facts->channels)
          : NO;
    case CPIX_FILTER_BITRATE:
      return in_range (&filter->range, facts->bitrate);
    default:
      return UNKNOWN;
  }
}

static Match
match_rule (const CpixRule *rule, const CpixTrackFacts *facts)
{
  Match all = YES;
  CpixFilterType type;
  guint i;

  for (type = CPIX_FILTER_PERIOD; type < CPIX_FILTER_UNKNOWN; type++) {
    gboolean found = FALSE;
    Match any = NO;

    for (i = 0; i < rule->filters->len; i++) {
      const CpixFilter *filter = &g_array_index (rule->filters, CpixFilter, i);

      if (filter->type != type)
        continue;
      found = TRUE;
      any = MAX (any, match_filter (filter, facts));
    }
    if (found)
      all = MIN (all, any);
  }
  return all;
}

/* "usage rule 2 (KID …, "UHD")" */
static gchar *
format_rule (const CpixRule *rule)
{
  g_autofree gchar *kid = cpix_format_kid (rule->kid);

  if (rule->intended)
    return g_strdup_printf ("usage rule %u (%s, \"%.64s\")", rule->number, kid,
        rule->intended);
  return g_strdup_printf ("usage rule %u (%s)", rule->number, kid);
}

static const gchar *
describe_filter (const CpixFilter *filter)
{
  switch (filter->type) {
    case CPIX_FILTER_PERIOD:
      return "key period";
    case CPIX_FILTER_LABEL:
      return "label";
    case CPIX_FILTER_VIDEO:
      return "pixels, frame rate, hdr or wcg";
    case CPIX_FILTER_AUDIO:
      return "channels";
    default:
      return "bit rate";
  }
}

static void
refuse_unknown (const CpixRule *rule, const CpixTrackFacts *facts,
    GError **error)
{
  g_autofree gchar *name = format_rule (rule);
  guint i;

  for (i = 0; i < rule->filters->len; i++) {
    const CpixFilter *filter = &g_array_index (rule->filters, CpixFilter, i);

    if (match_filter (filter, facts) != UNKNOWN)
      continue;
    g_set_error (error, CPIX_ERROR, CPIX_ERROR_RULE,
        "%s cannot be judged for track %u: it asks for what is not known of "
        "the track: %s",
        name, facts->id, describe_filter (filter));
    return;
  }
}

/* A rule of which a part is not understood forbids to map any key. */
static gboolean
check_usable (const CpixDocument *self, GError **error)
{
  guint i, j;

  for (i = 0; i < self->rules->len; i++) {
    const CpixRule *rule = g_ptr_array_index (self->rules, i);

    for (j = 0; j < rule->filters->len; j++) {
      const CpixFilter *filter = &g_array_index (rule->filters, CpixFilter, j);

      if (filter->type == CPIX_FILTER_UNKNOWN) {
        g_autofree gchar *name = format_rule (rule);

        g_set_error (error, CPIX_ERROR, CPIX_ERROR_RULE,
            "%s has a filter that is not known, %.64s: no key can be chosen",
            name, filter->text);
        return FALSE;
      }
    }
  }
  return TRUE;
}

static const CpixRule *
find_rule (const CpixDocument *self, const CpixTrackFacts *facts,
    GError **error)
{
  const CpixRule *found = NULL;
  guint i;

  for (i = 0; i < self->rules->len; i++) {
    const CpixRule *rule = g_ptr_array_index (self->rules, i);
    Match match = match_rule (rule, facts);

    if (match == UNKNOWN) {
      refuse_unknown (rule, facts, error);
      return NULL;
    }
    if (match == YES && found &&
        memcmp (found->kid, rule->kid, sizeof rule->kid) != 0) {
      g_autofree gchar *a = format_rule (found), *b = format_rule (rule);

      g_set_error (error, CPIX_ERROR, CPIX_ERROR_RULE,
          "%s and %s both match track %u", a, b, facts->id);
      return NULL;
    }
    if (match == YES && !found)
      found = rule;
  }
  if (!found)
    g_set_error (error, CPIX_ERROR, CPIX_ERROR_RULE,
        "none of the %u usage rules matches track %u (%s, label %s)",
        self->rules->len, facts->id,
        facts->kind == CPIX_TRACK_VIDEO ? "video" : "audio",
        facts->label ? facts->label : "not known");
  return found;
}

static const CpixKey *
find_key (const CpixDocument *self, const CpixTrackFacts *facts, GError **error)
{
  const CpixRule *rule;

  if (self->rules->len > 0) {
    rule = find_rule (self, facts, error);
    return rule ? cpix_document_find_key (self, rule->kid) : NULL;
  }
  if (self->keys->len == 1)
    return g_ptr_array_index (self->keys, 0);
  g_set_error (error, CPIX_ERROR, CPIX_ERROR_RULE,
      "the document has %u keys and no usage rule that says which is for track "
      "%u",
      self->keys->len, facts->id);
  return NULL;
}

static gboolean
check_key (const CpixKey *key, const CpixTrackFacts *facts, GError **error)
{
  g_autofree gchar *kid = cpix_format_kid (key->kid);

  if (!key->key) {
    g_set_error (error, CPIX_ERROR, CPIX_ERROR_RULE,
        "%s: the document has no key for it", kid);
    return FALSE;
  }
  if (key->depends) {
    g_set_error (error, CPIX_ERROR, CPIX_ERROR_UNSUPPORTED,
        "%s depends on another key: key hierarchies are not supported", kid);
    return FALSE;
  }
  if (key->scheme && facts->scheme &&
      strcmp (key->scheme, facts->scheme) != 0) {
    g_set_error (error, CPIX_ERROR, CPIX_ERROR_UNSUPPORTED,
        "%s is for the scheme %.16s, not for %s", kid, key->scheme,
        facts->scheme);
    return FALSE;
  }
  return TRUE;
}

const CpixKey *
cpix_document_choose (const CpixDocument *self, const CpixTrackFacts *facts,
    GError **error)
{
  const CpixKey *key;

  if (!check_usable (self, error))
    return NULL;
  key = find_key (self, facts, error);
  return key && check_key (key, facts, error) ? key : NULL;
}
