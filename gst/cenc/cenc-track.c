/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-track.h"

#include <gst/cenc/gstcenckeysession.h>

#define FOURCC_SEIG BMFF_FOURCC ('s', 'e', 'i', 'g')

/* Group descriptions from here on are the fragment's own (14496-12, 8.9.4). */
#define LOCAL_GROUPS 0x10000

/* A key each 10 s for 24 h are 8640. Bounds what a crafted sgpd costs. */
#define MAX_GROUPS 16384

/* A seig entry takes its scheme and mode from the sample entry. */
#define N_VARIANTS 2 * (CENC_SCHEME_PIFF + 1)

/* The seig descriptions of one stbl or traf, for each scheme and mode that a
 * sample entry of the track has. */
typedef struct
{
  GArray *params[N_VARIANTS]; /* CencParams; NULL where no entry has it */
  guint n_groups;
  guint32 default_group; /* 0 = none */
} Groups;

struct _CencTrack
{
  GArray *entries; /* CencEntry */
  gboolean is_protected;
  const BmffBox *stbl;
  Groups groups;
};

struct _CencTrackRun
{
  const CencTrack *track;
  BmffGroupMap *map; /* NULL: no sample is in a group */
  Groups local; /* of the traf */
};

/* --- group descriptions --- */

static guint
variant_of (const CencParams *params)
{
  return (guint) params->scheme * 2 + (guint) params->mode;
}

static void
groups_clear (Groups *self)
{
  guint i;

  for (i = 0; i < N_VARIANTS; i++)
    g_clear_pointer (&self->params[i], g_array_unref);
}

/* Makes room for the variants that @track's entries have. */
static void
groups_init (Groups *self, const CencTrack *track)
{
  guint i;

  for (i = 0; i < track->entries->len; i++) {
    const CencEntry *entry = &g_array_index (track->entries, CencEntry, i);
    guint variant = variant_of (&entry->params);

    if (entry->is_wrapped && !self->params[variant])
      self->params[variant] = g_array_new (FALSE, FALSE, sizeof (CencParams));
  }
}

static gboolean
groups_add (Groups *self, GBytes *description, GError **error)
{
  guint i;

  for (i = 0; i < N_VARIANTS; i++) {
    CencParams params,
        variant = { .scheme = (CencScheme) (i / 2),
          .mode = (CencMode) (i % 2) };

    if (!self->params[i])
      continue;
    if (!cenc_params_parse_seig (&params, &variant, description, error)) {
      g_prefix_error (error, "description %u: ", self->n_groups + 1);
      return FALSE;
    }
    g_array_append_val (self->params[i], params);
  }
  self->n_groups++;
  return TRUE;
}

static gboolean
groups_parse (Groups *self, const CencTrack *track, const BmffBox *parent,
    GError **error)
{
  GError *local = NULL;
  GBytes *description;
  BmffSgpd sgpd;
  gboolean ok = TRUE;

  groups_init (self, track);
  if (bmff_sgpd_open (&sgpd, parent, FOURCC_SEIG, &local)) {
    self->default_group = sgpd.default_index;
    if (sgpd.count > MAX_GROUPS) {
      g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
          "more than %u seig descriptions in one sgpd", MAX_GROUPS);
      return FALSE;
    }
    while (ok && (description = bmff_sgpd_next (&sgpd, &local))) {
      ok = groups_add (self, description, error);
      g_bytes_unref (description);
    }
  }
  if (!local)
    return ok;
  g_propagate_error (error, local);
  return FALSE;
}

/* @index: from 1. */
static const CencParams *
groups_get (const Groups *self, guint variant, guint32 index)
{
  if (index == 0 || index > self->n_groups || !self->params[variant])
    return NULL;
  return &g_array_index (self->params[variant], CencParams, index - 1);
}

/* --- track --- */

static gboolean
parse_entries (CencTrack *self, const BmffTrack *track, GError **error)
{
  BmffBox *box;
  guint32 i;

  for (i = 1; (box = bmff_track_get_entry (track, i)); i++) {
    CencEntry entry;

    if (!cenc_entry_parse (box, &entry, error))
      return FALSE;
    self->is_protected |= entry.is_wrapped;
    g_array_append_val (self->entries, entry);
  }
  return TRUE;
}

CencTrack *
cenc_track_new (const BmffTrack *track, GError **error)
{
  g_autoptr (CencTrack) self = g_new0 (CencTrack, 1);

  self->entries = g_array_new (FALSE, FALSE, sizeof (CencEntry));
  self->stbl = track->stbl;
  if (!parse_entries (self, track, error))
    goto failed;
  if (self->is_protected && track->stbl &&
      !groups_parse (&self->groups, self, track->stbl, error))
    goto failed;
  return g_steal_pointer (&self);

failed:
  g_prefix_error (error, "track %u: ", track->id);
  return NULL;
}

void
cenc_track_free (CencTrack *self)
{
  g_array_unref (self->entries);
  groups_clear (&self->groups);
  g_free (self);
}

gboolean
cenc_track_is_protected (const CencTrack *self)
{
  return self->is_protected;
}

const CencEntry *
cenc_track_get_entry (const CencTrack *self, guint32 description_index)
{
  if (description_index == 0 || description_index > self->entries->len)
    return NULL;
  return &g_array_index (self->entries, CencEntry, description_index - 1);
}

/* --- run --- */

/* Some writers count a fragment's own descriptions from 1, as if they were the
 * track's: of which it has none then. */
static gboolean
counts_from_one (const CencTrackRun *self)
{
  return self->track->groups.n_groups == 0 && self->local.n_groups > 0;
}

/* The params of a group, NULL if there is no such description. */
static const CencParams *
get_group (const CencTrackRun *self, guint variant, guint32 group)
{
  if (group > LOCAL_GROUPS)
    return groups_get (&self->local, variant, group - LOCAL_GROUPS);
  return groups_get (counts_from_one (self) ? &self->local
                                            : &self->track->groups,
      variant, group);
}

/* 0 = no group: the entry's tenc counts. A sample that a map puts in no group
 * does not get the default one, which is for samples that no map tells of. */
static guint32
group_of (const CencTrackRun *self, guint32 index)
{
  if (self->map && index < bmff_group_map_get_count (self->map))
    return bmff_group_map_get (self->map, index);
  if (self->local.default_group != 0)
    return LOCAL_GROUPS + self->local.default_group;
  return self->track->groups.default_group;
}

const CencParams *
cenc_track_run_get_params (CencTrackRun *self, guint32 index,
    guint32 description_index)
{
  const CencEntry *entry =
      cenc_track_get_entry (self->track, description_index);
  const CencParams *params;
  guint32 group;

  /* A seig group says nothing of a sample whose entry is not wrapped. */
  if (!entry || !entry->is_wrapped)
    return NULL;
  params = &entry->params;
  group = group_of (self, index);
  if (group != 0)
    params = get_group (self, variant_of (&entry->params), group);
  return params && params->is_protected ? params : NULL;
}

static gboolean
check_group (const Groups *groups, guint32 highest, const gchar *where,
    GError **error)
{
  if (highest <= groups->n_groups)
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "samples are in seig group %u%s, but sgpd describes %u", highest, where,
      groups->n_groups);
  return FALSE;
}

/* A sample in a group that nobody describes must not pass for a clear one. */
static gboolean
check_groups (const CencTrackRun *self, GError **error)
{
  const Groups *shared = &self->track->groups, *local = &self->local;
  guint32 highest_shared = 0, highest_local = 0;

  if (self->map)
    bmff_group_map_get_highest (self->map, &highest_shared, &highest_local);
  if (counts_from_one (self)) {
    highest_local = MAX (highest_local, highest_shared);
    highest_shared = 0;
  }
  return check_group (shared, MAX (highest_shared, shared->default_group),
             " of the track", error) &&
      check_group (local, MAX (highest_local, local->default_group),
          " of the fragment", error);
}

static gboolean
parse_run (CencTrackRun *self, const BmffBox *parent, const BmffTraf *traf,
    GError **error)
{
  GError *local = NULL;

  self->map = bmff_group_map_parse (parent, FOURCC_SEIG, &local);
  if (local) {
    g_propagate_error (error, local);
    return FALSE;
  }
  if (traf && !groups_parse (&self->local, self->track, parent, error))
    return FALSE;
  return check_groups (self, error);
}

CencTrackRun *
cenc_track_run_new (CencTrack *track, const BmffTraf *traf, GError **error)
{
  g_autoptr (CencTrackRun) self = g_new0 (CencTrackRun, 1);
  const BmffBox *parent = traf ? traf->box : track->stbl;

  self->track = track;
  if (!track->is_protected || !parent)
    return g_steal_pointer (&self);
  if (parse_run (self, parent, traf, error))
    return g_steal_pointer (&self);
  g_prefix_error (error, "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT ": ",
      BMFF_FOURCC_ARGS (parent->type), parent->offset);
  return NULL;
}

void
cenc_track_run_free (CencTrackRun *self)
{
  g_clear_pointer (&self->map, bmff_group_map_free);
  groups_clear (&self->local);
  g_free (self);
}
