/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-plan.h"

#include <string.h>
#include "cenc/encrypt-cpix.h"
#include "cenc/encrypt-describe.h"

typedef struct
{
  EncryptTrack *track; /* owned */
  CpixTrackFacts facts; /* by which its keys are chosen */
  gboolean pattern;
  gboolean is_present; /* in the movie at hand */
  gboolean has_period;
  guint64 period; /* that it is in */
} PlanTrack;

struct _EncryptPlan
{
  EncryptSettings settings;
  GPtrArray *tracks; /* (element-type PlanTrack), in the order they came */
  EncryptPeriodFunc period_func;
  gpointer user_data;
  gboolean has_announced;
  guint64 announced; /* the highest period */
};

static void
plan_track_free (gpointer data)
{
  encrypt_track_free (((PlanTrack *) data)->track);
  g_free (data);
}

EncryptPlan *
encrypt_plan_new (const EncryptSettings *settings, GError **error)
{
  g_autoptr (EncryptPlan) self = g_new0 (EncryptPlan, 1);

  encrypt_settings_copy (&self->settings, settings);
  self->tracks = g_ptr_array_new_with_free_func (plan_track_free);
  if (!encrypt_settings_resolve (&self->settings, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
encrypt_plan_free (EncryptPlan *self)
{
  encrypt_settings_clear (&self->settings);
  g_ptr_array_unref (self->tracks);
  g_free (self);
}

static gboolean
is_wanted (const EncryptPlan *self, const BmffTrack *track)
{
  if (track->handler == BMFF_HANDLER_VIDEO)
    return (self->settings.tracks & ENCRYPT_TRACKS_VIDEO) != 0;
  if (track->handler == BMFF_HANDLER_AUDIO)
    return (self->settings.tracks & ENCRYPT_TRACKS_AUDIO) != 0;
  return FALSE;
}

static void
init_params (const EncryptPlan *self, gboolean pattern, const GstCencKey *key,
    CencParams *params)
{
  const EncryptSettings *s = &self->settings;

  memset (params, 0, sizeof (*params));
  params->scheme = s->scheme;
  params->mode = encrypt_settings_get_mode (s);
  params->is_protected = TRUE;
  if (pattern) {
    params->crypt_byte_block = s->crypt_byte_block;
    params->skip_byte_block = s->skip_byte_block;
  }
  params->per_sample_iv_size = s->iv_size;
  if (s->iv_size == 0) {
    params->constant_iv_size = s->given_iv_size == 8 ? 8 : CENC_BLOCK_SIZE;
    memcpy (params->constant_iv, s->seed, params->constant_iv_size);
  }
  memcpy (params->kid, gst_cenc_key_get_kid (key), CENC_BLOCK_SIZE);
}

static PlanTrack *
find_track (const EncryptPlan *self, guint32 id)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    PlanTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->is_present && encrypt_track_get_id (track->track) == id)
      return track;
  }
  return NULL;
}

/* Tracks are never taken out of the plan, so that one that comes again (a new
 * moov in mid-stream) finds the IVs that it has not used. Where keys rotate, any
 * two tracks may share one at some time. */
static guint
count_sharing (const EncryptPlan *self, const GstCencKey *key)
{
  guint i, n = 0;

  if (self->settings.periods)
    return self->tracks->len;
  for (i = 0; i < self->tracks->len; i++) {
    const PlanTrack *track = g_ptr_array_index (self->tracks, i);

    n += encrypt_track_has_key (track->track, key);
  }
  return n;
}

/* (transfer full): not for CPIX */
static GstCencKey *
find_key (EncryptPlan *self, const CpixTrackFacts *facts, guint64 number,
    GError **error)
{
  const EncryptSettings *s = &self->settings;
  GstCencKey *key =
      s->keys ? encrypt_keys_find (s->keys, facts->id, facts->label) : NULL;

  if (s->periods)
    return encrypt_periods_get_key (s->periods, number, facts->id, facts->label,
        error);
  if (!key)
    key = s->key;
  if (!key)
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
        "track-keys: no key for track %u, whose label is %s", facts->id,
        facts->label);
  return key ? gst_cenc_key_ref (key) : NULL;
}

static const CpixKey *
choose_cpix (EncryptPlan *self, CpixTrackFacts *facts, guint64 number,
    GError **error)
{
  const EncryptSettings *s = &self->settings;
  const CpixKey *key;

  facts->periods =
      s->periods ? encrypt_periods_get_ids (s->periods, number) : NULL;
  key = encrypt_cpix_choose (s->cpix, facts, s->iv_size == 0, error);
  if (!key && facts->periods)
    g_prefix_error (error, "key period %" G_GUINT64_FORMAT " (%s): ", number,
        facts->periods[0] ? facts->periods[0] : "the document has none");
  return key;
}

/* What a track is encrypted with in a period. */
static EncryptVariant *
make_variant (EncryptPlan *self, CpixTrackFacts *facts, gboolean pattern,
    guint64 number, GError **error)
{
  const CpixKey *from = NULL;
  g_autoptr (GstCencKey) key = NULL;
  CencParams params;

  if (self->settings.cpix) {
    from = choose_cpix (self, facts, number, error);
    key = from ? gst_cenc_key_ref (from->key) : NULL;
  } else {
    key = find_key (self, facts, number, error);
  }
  if (!key)
    return NULL;
  init_params (self, pattern, key, &params);
  if (from && from->has_iv) {
    params.constant_iv_size = CENC_BLOCK_SIZE;
    memcpy (params.constant_iv, from->iv, CENC_BLOCK_SIZE);
  }
  return cenc_params_check (&params, error) ? encrypt_variant_new (key, &params)
                                            : NULL;
}

static gboolean
has_facts (const EncryptPlan *self, const PlanTrack *track,
    const CpixTrackFacts *facts, gboolean pattern)
{
  const CpixTrackFacts *own = &track->facts;

  if (track->pattern != pattern || own->kind != facts->kind ||
      own->id != facts->id || g_strcmp0 (own->label, facts->label) != 0)
    return FALSE;
  return !self->settings.cpix ||
      (own->pixels == facts->pixels && own->fps_n == facts->fps_n &&
          own->fps_d == facts->fps_d && own->channels == facts->channels &&
          own->bitrate == facts->bitrate && own->hdr == facts->hdr &&
          own->wcg == facts->wcg);
}

/* (transfer none) (nullable): of an earlier movie, if another key could not be the
 * one for it */
static EncryptTrack *
find_earlier (const EncryptPlan *self, const CpixTrackFacts *facts,
    gboolean pattern)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    PlanTrack *track = g_ptr_array_index (self->tracks, i);

    if (!has_facts (self, track, facts, pattern))
      continue;
    track->is_present = TRUE;
    return track->track;
  }
  return NULL;
}

/* Where the lead is over for one, none begins anew. */
static gboolean
has_led (const EncryptPlan *self)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    const PlanTrack *track = g_ptr_array_index (self->tracks, i);

    if (encrypt_track_has_led (track->track))
      return TRUE;
  }
  return FALSE;
}

static EncryptTrack *
add_track (EncryptPlan *self, const BmffTrack *from,
    const CpixTrackFacts *facts, gboolean pattern, GError **error)
{
  PlanTrack *track = g_new0 (PlanTrack, 1);
  g_autoptr (EncryptVariant) variant = NULL;

  track->facts = *facts;
  track->pattern = pattern;
  track->is_present = TRUE;
  variant = make_variant (self, &track->facts, pattern,
      self->settings.periods
          ? encrypt_periods_get_first (self->settings.periods)
          : 0,
      error);
  if (variant)
    track->track = encrypt_track_new (from->id, variant, self->settings.seed,
        count_sharing (self, variant->key),
        self->settings.cens_partial ? CENC_CRYPT_CENS_PARTIAL
                                    : CENC_CRYPT_FLAGS_NONE,
        error);
  if (!track->track) {
    g_free (track);
    return NULL;
  }
  encrypt_track_set_led (track->track, has_led (self));
  self->has_announced = FALSE;
  g_ptr_array_add (self->tracks, track);
  return track->track;
}

/* One that was here before has the key of then, if all by which keys are chosen is
 * as it was. */
static EncryptTrack *
take_next (EncryptPlan *self, const BmffTrack *from, gboolean pattern,
    GError **error)
{
  CpixTrackFacts facts = { 0 };
  EncryptTrack *track;

  encrypt_cpix_get_facts (from, self->settings.scheme, &facts);
  track = find_earlier (self, &facts, pattern);
  return track ? track : add_track (self, from, &facts, pattern, error);
}

gboolean
encrypt_plan_take_track (EncryptPlan *self, const BmffTrack *track,
    EncryptTrack **out, GError **error)
{
  g_autoptr (EncryptEntries) entries = NULL;

  *out = NULL;
  if (track->handler != BMFF_HANDLER_VIDEO &&
      track->handler != BMFF_HANDLER_AUDIO)
    return encrypt_entries_check_other (track, error);
  if (!is_wanted (self, track))
    return TRUE;
  entries = encrypt_entries_new (track, error);
  if (!entries)
    return FALSE;
  *out = encrypt_plan_get_track (self, track->id);
  if (!*out)
    *out =
        take_next (self, track, encrypt_entries_take_pattern (entries), error);
  if (*out)
    encrypt_track_take_entries (*out, g_steal_pointer (&entries));
  return *out != NULL;
}

void
encrypt_plan_begin_movie (EncryptPlan *self)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++)
    ((PlanTrack *) g_ptr_array_index (self->tracks, i))->is_present = FALSE;
}

EncryptTrack *
encrypt_plan_get_track (EncryptPlan *self, guint32 track_id)
{
  PlanTrack *track = find_track (self, track_id);

  return track ? track->track : NULL;
}

CencScheme
encrypt_plan_get_scheme (const EncryptPlan *self)
{
  return self->settings.scheme;
}

GstClockTime
encrypt_plan_get_clear_lead (const EncryptPlan *self)
{
  return self->settings.clear_lead;
}

/* (element-type GstCencKey): the keys of tenc, none twice; of the tracks of the movie
 * at hand, or of all */
static GPtrArray *
get_keys (const EncryptPlan *self, gboolean of_all)
{
  GPtrArray *keys = encrypt_keys_array_new ();
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    const PlanTrack *track = g_ptr_array_index (self->tracks, i);

    if (of_all || track->is_present)
      encrypt_keys_array_add (keys, encrypt_track_get_key (track->track));
  }
  return keys;
}

GPtrArray *
encrypt_plan_make_pssh (const EncryptPlan *self, const GPtrArray *keys,
    GError **error)
{
  const EncryptSettings *s = &self->settings;
  g_autoptr (GPtrArray) own = keys ? NULL : get_keys (self, FALSE);
  g_autoptr (GPtrArray) boxes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
  const GPtrArray *told_of = keys ? keys : own;
  ProtectionInfo info = encrypt_settings_get_info (s,
      (GstCencKey *const *) told_of->pdata, told_of->len);
  ProtectionSystems told = 0;
  guint i;

  if (s->cpix)
    told = encrypt_cpix_append_pssh (s->cpix, &info, boxes);
  if (!protection_systems_make (s->systems & ~told, &info, boxes, error))
    return NULL;
  for (i = 0; told_of->len && s->pssh && i < s->pssh->len; i++)
    g_ptr_array_add (boxes, bmff_box_copy (g_ptr_array_index (s->pssh, i)));
  return g_steal_pointer (&boxes);
}

static GstStructure *
describe (const EncryptPlan *self, const gchar *name, const GPtrArray *keys)
{
  g_autoptr (GPtrArray) pssh = encrypt_plan_make_pssh (self, keys, NULL);

  return encrypt_describe (name, &self->settings, keys, pssh);
}

GstStructure *
encrypt_plan_describe (const EncryptPlan *self, const gchar *name)
{
  g_autoptr (GPtrArray) keys = get_keys (self, TRUE);

  return keys->len > 0 ? describe (self, name, keys) : NULL;
}

gchar *
encrypt_plan_get_doubt (const EncryptPlan *self)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    const PlanTrack *track = g_ptr_array_index (self->tracks, i);

    if (encrypt_track_stayed_clear (track->track))
      return g_strdup_printf ("clear-lead: no sample of track %u came behind "
                              "it: it stays clear as a whole",
          encrypt_track_get_id (track->track));
  }
  return self->tracks->len > 0
      ? NULL
      : g_strdup ("tracks: there was none of them: all stays clear");
}

/* Keys that rotate */

gboolean
encrypt_plan_rotates (const EncryptPlan *self)
{
  return self->settings.periods != NULL;
}

void
encrypt_plan_restart (EncryptPlan *self)
{
  guint i;

  self->has_announced = FALSE;
  encrypt_plan_begin_movie (self);
  for (i = 0; i < self->tracks->len; i++) {
    PlanTrack *track = g_ptr_array_index (self->tracks, i);

    track->has_period = FALSE;
    encrypt_track_set_led (track->track, FALSE);
  }
}

guint
encrypt_plan_count_tracks (const EncryptPlan *self)
{
  return self->tracks->len;
}

void
encrypt_plan_set_period_func (EncryptPlan *self, EncryptPeriodFunc func,
    gpointer user_data)
{
  self->period_func = func;
  self->user_data = user_data;
}

gboolean
encrypt_plan_find_period (const EncryptPlan *self, GstClockTime time,
    guint64 *number, GError **error)
{
  return encrypt_periods_find (self->settings.periods, time, number, error);
}

static EncryptVariant *
make_track_variant (EncryptPlan *self, PlanTrack *track, guint64 number,
    GError **error)
{
  g_autoptr (EncryptVariant) variant =
      make_variant (self, &track->facts, track->pattern, number, error);
  EncryptVariant *of_tenc = encrypt_track_get_default (track->track);

  if (variant && encrypt_variant_equal (variant, of_tenc))
    return encrypt_variant_ref (of_tenc);
  return g_steal_pointer (&variant);
}

EncryptVariant *
encrypt_plan_make_variant (EncryptPlan *self, EncryptTrack *track,
    guint64 number, GError **error)
{
  return make_track_variant (self,
      find_track (self, encrypt_track_get_id (track)), number, error);
}

/* (element-type GstCencKey): of all tracks in a period; NULL with @error */
static GPtrArray *
get_period_keys (EncryptPlan *self, guint64 number, GError **error)
{
  g_autoptr (GPtrArray) keys = encrypt_keys_array_new ();
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    PlanTrack *track = g_ptr_array_index (self->tracks, i);
    g_autoptr (EncryptVariant) variant = NULL;

    if (!track->is_present)
      continue;
    variant = make_track_variant (self, track, number, error);
    if (!variant)
      return NULL;
    encrypt_keys_array_add (keys, variant->key);
  }
  return g_steal_pointer (&keys);
}

gboolean
encrypt_plan_announce (EncryptPlan *self, guint64 number, GstClockTime start,
    GError **error)
{
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (GstStructure) description = NULL;

  if (self->has_announced && number <= self->announced)
    return TRUE;
  keys = get_period_keys (self, number, error);
  if (!keys)
    return FALSE;
  self->has_announced = TRUE;
  self->announced = number;
  if (!self->period_func)
    return TRUE;
  description = describe (self, "cencencrypt-keys", keys);
  gst_structure_set (description, "period", G_TYPE_UINT64, number, "start",
      G_TYPE_UINT64, start, NULL);
  return self->period_func (number, start, description, keys, self->user_data,
      error);
}

static gboolean
enter_track (EncryptPlan *self, PlanTrack *track, guint64 number,
    GError **error)
{
  g_autoptr (EncryptVariant) variant = NULL;

  if (track->has_period && track->period == number)
    return TRUE;
  variant = make_track_variant (self, track, number, error);
  if (!variant || !encrypt_track_use (track->track, variant, error))
    return FALSE;
  track->has_period = TRUE;
  track->period = number;
  return TRUE;
}

gboolean
encrypt_plan_enter (EncryptPlan *self, const GPtrArray *tracks,
    GstClockTime start, GstClockTime time, gboolean sync, GError **error)
{
  guint64 number = 0, later = 0;
  gboolean within = FALSE;
  guint i;

  for (i = 0; i < tracks->len; i++) {
    const PlanTrack *track =
        find_track (self, encrypt_track_get_id (tracks->pdata[i]));

    within |= track->has_period;
    if (track->has_period)
      later = MAX (later, track->period);
  }
  if ((sync || !within) &&
      !encrypt_plan_find_period (self, time, &number, error))
    return FALSE;
  number = MAX (number, later);
  if (!encrypt_plan_announce (self, number, start, error))
    return FALSE;
  for (i = 0; i < tracks->len; i++) {
    if (!enter_track (self,
            find_track (self, encrypt_track_get_id (tracks->pdata[i])), number,
            error))
      return FALSE;
  }
  return TRUE;
}
