/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-policy.h"

gboolean
license_rules_are_timed (const LicenseRules *rules)
{
  return rules->not_before != LICENSE_TIME_NONE ||
      rules->not_after != LICENSE_TIME_NONE ||
      rules->playback_duration != LICENSE_TIME_NONE;
}

static gboolean
refuse (const gchar *what, GError **error)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT, "license: %s",
      what);
  return FALSE;
}

static gboolean
in_bounds (gint64 value, gint64 max)
{
  return value == LICENSE_TIME_NONE || (value > 0 && value <= max);
}

gboolean
license_rules_check (const LicenseRules *rules, GError **error)
{
  gboolean has_end = rules->not_after != LICENSE_TIME_NONE ||
      rules->playback_duration != LICENSE_TIME_NONE;

  if (!in_bounds (rules->not_before, LICENSE_MAX_TIME))
    return refuse ("not_before is zero, negative or out of range", error);
  if (!in_bounds (rules->not_after, LICENSE_MAX_TIME))
    return refuse ("not_after is zero, negative or out of range", error);
  if (!in_bounds (rules->playback_duration, LICENSE_MAX_DURATION))
    return refuse ("playback_duration is zero, negative or out of range",
        error);
  if (rules->not_before != LICENSE_TIME_NONE &&
      rules->not_after != LICENSE_TIME_NONE &&
      rules->not_before >= rules->not_after)
    return refuse ("not_after is not after not_before", error);
  if (rules->rights == LICENSE_RIGHTS_BUY_TO_OWN && has_end)
    return refuse ("BuyToOwn has no end", error);
  if (rules->rights == LICENSE_RIGHTS_RENTAL && !has_end)
    return refuse ("Rental needs not_after or playback_duration", error);
  if (rules->playback_replaces_window &&
      rules->playback_duration == LICENSE_TIME_NONE)
    return refuse ("after_first_play \"playback\" needs playback_duration",
        error);
  return TRUE;
}

/* A sum that does not fit is an end that never comes. */
static gint64
checked_end (gint64 start, gint64 duration)
{
  gint64 end;

  if (start == LICENSE_TIME_NONE || duration == LICENSE_TIME_NONE ||
      __builtin_add_overflow (start, duration, &end) || end > LICENSE_MAX_TIME)
    return LICENSE_TIME_NONE;
  return end;
}

static gint64
remaining_until (gint64 end, gint64 now)
{
  gint64 left;

  if (end == LICENSE_TIME_NONE)
    return LICENSE_TIME_NONE;
  if (__builtin_sub_overflow (end, now, &left))
    return now < 0 ? G_MAXINT64 : 0;
  return MAX (left, 0);
}

static gint64
window_end (const LicenseRules *rules, const LicenseState *state)
{
  if (rules->playback_replaces_window && state->first_play != LICENSE_TIME_NONE)
    return LICENSE_TIME_NONE;
  return rules->not_after;
}

static void
fill_end (LicenseDecision *decision, gint64 window, gint64 playback)
{
  decision->expiration = LICENSE_TIME_NONE;
  decision->source = LICENSE_END_NONE;
  if (window != LICENSE_TIME_NONE) {
    decision->expiration = window;
    decision->source = LICENSE_END_WINDOW;
  }
  if (playback != LICENSE_TIME_NONE &&
      (window == LICENSE_TIME_NONE || playback < window)) {
    decision->expiration = playback;
    decision->source = LICENSE_END_PLAYBACK;
  }
}

static gint64
playback_remaining (const LicenseRules *rules, const LicenseState *state,
    gint64 end, gint64 now)
{
  if (rules->playback_duration == LICENSE_TIME_NONE)
    return LICENSE_TIME_NONE;
  if (state->first_play == LICENSE_TIME_NONE)
    return rules->playback_duration;
  /* A clock that lags within the skew does not stretch the duration. */
  return MIN (remaining_until (end, now), rules->playback_duration);
}

static gboolean
refused (const LicenseRules *rules, const LicenseState *state,
    const LicenseTime *time, const LicenseDecision *decision,
    GstCencError *reason)
{
  if (state->released)
    *reason = GST_CENC_ERROR_REVOKED;
  else if (!license_rules_are_timed (rules))
    return FALSE;
  else if (state->in_session && !rules->realtime_expiration)
    return FALSE;
  else if (time->status == LICENSE_CLOCK_NOT_SET)
    *reason = GST_CENC_ERROR_CLOCK_NOT_SET;
  else if (time->status == LICENSE_CLOCK_TURNED_BACK)
    *reason = GST_CENC_ERROR_CLOCK_TURNED_BACK;
  else if (rules->not_before != LICENSE_TIME_NONE &&
      time->now < rules->not_before)
    *reason = GST_CENC_ERROR_NOT_YET_VALID;
  else if (decision->source != LICENSE_END_NONE &&
      time->now >= decision->expiration)
    *reason = decision->source == LICENSE_END_PLAYBACK
        ? GST_CENC_ERROR_PLAYBACK_OVER
        : GST_CENC_ERROR_WINDOW_OVER;
  else
    return FALSE;
  return TRUE;
}

LicenseDecision
policy_decide (const LicenseRules *rules, const LicenseState *state,
    const LicenseTime *time)
{
  LicenseDecision decision = { FALSE };
  gint64 window = window_end (rules, state);
  gint64 playback = checked_end (state->first_play, rules->playback_duration);

  fill_end (&decision, window, playback);
  decision.license_remaining = remaining_until (window, time->now);
  decision.playback_remaining =
      playback_remaining (rules, state, playback, time->now);
  decision.allowed = !refused (rules, state, time, &decision, &decision.reason);
  return decision;
}

/* Lower is better; see policy_compare(). */
static gint
rank (const LicenseRules *rules, const LicenseState *state,
    const LicenseDecision *decision)
{
  if (!decision->allowed)
    return 3;
  if (rules->not_after == LICENSE_TIME_NONE &&
      rules->playback_duration == LICENSE_TIME_NONE)
    return 0;
  return rules->playback_duration == LICENSE_TIME_NONE ||
          state->first_play != LICENSE_TIME_NONE
      ? 1
      : 2;
}

/* What can still be mended is told before what cannot. */
static gint
reason_rank (GstCencError reason)
{
  static const GstCencError order[] = { GST_CENC_ERROR_CLOCK_NOT_SET,
    GST_CENC_ERROR_CLOCK_TURNED_BACK, GST_CENC_ERROR_NOT_YET_VALID,
    GST_CENC_ERROR_PLAYBACK_OVER, GST_CENC_ERROR_WINDOW_OVER };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (order) && order[i] != reason; i++)
    ;
  return (gint) i;
}

static gint
compare_ends (gint64 a, gint64 b)
{
  if (a == b)
    return 0;
  if (a == LICENSE_TIME_NONE)
    return -1;
  if (b == LICENSE_TIME_NONE)
    return 1;
  return a > b ? -1 : 1;
}

gint
policy_compare (const LicenseRules *a_rules, const LicenseState *a_state,
    const LicenseDecision *a, const LicenseRules *b_rules,
    const LicenseState *b_state, const LicenseDecision *b)
{
  gint a_rank = rank (a_rules, a_state, a), b_rank = rank (b_rules, b_state, b);

  if (a_rank != b_rank)
    return a_rank - b_rank;
  if (!a->allowed && a->reason != b->reason)
    return reason_rank (a->reason) - reason_rank (b->reason);
  return compare_ends (a->expiration, b->expiration);
}

const gchar *
license_end_to_string (LicenseEnd end)
{
  switch (end) {
    case LICENSE_END_WINDOW:
      return "window";
    case LICENSE_END_PLAYBACK:
      return "playback";
    default:
      return "none";
  }
}

const gchar *
license_rights_to_string (LicenseRights rights)
{
  return rights == LICENSE_RIGHTS_BUY_TO_OWN ? "BuyToOwn" : "Rental";
}
