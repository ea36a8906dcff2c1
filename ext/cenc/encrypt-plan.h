/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptPlan: what is to be encrypted, how, and with which key: settings made
 * into parameters, IV space, subsample map and cipher of each track. No I/O, no
 * randomness: the caller brings the seed of the IVs.
 */

#pragma once

#include "cenc/cpix-document.h"
#include "cenc/encrypt-keys.h"
#include "cenc/encrypt-periods.h"
#include "cenc/encrypt-track.h"
#include "cenc/protection-systems.h"

G_BEGIN_DECLS

typedef enum
{
  ENCRYPT_TRACKS_VIDEO = 1 << 0,
  ENCRYPT_TRACKS_AUDIO = 1 << 1,
} EncryptTracks;

/** What the systems can be told beside the KIDs; owned, all may be NULL. */
typedef struct
{
  gchar *content_id; /* Widevine, Marlin: any text */
  gchar *provider; /* Widevine */
  gchar *la_url; /* PlayReady: where licenses are acquired */
  guint playready_version; /* as ProtectionInfo has it */
} EncryptPsshInfo;

typedef struct
{
  CencScheme scheme;
  CencMode piff_mode; /* PIFF only: CTR or CBC */
  gint crypt_byte_block, skip_byte_block; /* -1: 1 and 9 */
  gint
      iv_size; /* bytes of a per-sample IV; 0 constant; -1: as the scheme has it */
  guint8 seed[CENC_BLOCK_SIZE]; /* the first IV, zero-padded on the right */
  guint given_iv_size; /* bytes of it that were given; 0: seed is random */
  gboolean cens_partial; /* see CENC_CRYPT_CENS_PARTIAL */
  EncryptTracks tracks;
  GstCencKey *
      key; /* owned; NULL: only tracks that keys name are encrypted, others are an error */
  EncryptKeys *keys; /* owned; NULL: all have the above */
  GstClockTime clear_lead; /* fragments that start before it stay clear */
  CpixDocument *cpix; /* owned; NULL: none, else it has all keys */
  EncryptPeriods *
      periods; /* owned; keys rotate; NULL: they do not. Else the above are for none, save cpix */
  ProtectionSystems systems;
  EncryptPsshInfo info; /* owned */
  GPtrArray *pssh; /* (element-type BmffBox), owned, nullable: further boxes */
} EncryptSettings;

/** Defaults: cenc, video and audio, no key. */
void encrypt_settings_init (EncryptSettings *self);
void encrypt_settings_clear (EncryptSettings *self);
/** Copies by value and takes references of its own. */
void encrypt_settings_copy (EncryptSettings *self, const EncryptSettings *from);

CencMode encrypt_settings_get_mode (const EncryptSettings *self);
/** Fills in what the scheme decides; FALSE with ENCRYPT_ERROR_SETTINGS that names the property that is missing or does not go with another. */
gboolean encrypt_settings_resolve (EncryptSettings *self, GError **error);

/** What systems are told of these keys; borrows all from @self and @keys. */
ProtectionInfo encrypt_settings_get_info (const EncryptSettings *self,
    GstCencKey *const *keys, guint n_keys);

typedef struct _EncryptPlan EncryptPlan;

/**
 * encrypt_plan_new:
 * @settings: copied
 *
 * Returns: (transfer full): the plan, or NULL with ENCRYPT_ERROR_SETTINGS that
 *   names the property that is missing or does not go with another
 */
EncryptPlan *encrypt_plan_new (const EncryptSettings *settings, GError **error);
void encrypt_plan_free (EncryptPlan *self);

/**
 * encrypt_plan_take_track:
 * @track: with its clear sample entries
 * @out: (out) (transfer none): NULL: the track stays clear (text, timed
 *   metadata, hints, timecode, or `tracks` leaves it out)
 *
 * A track of that number that the movie at hand has already goes on in its IV space;
 * if its sample entries are the ones it had, it is left alone. So does one of an
 * earlier movie, if all by which its key is chosen is as it was.
 */
gboolean encrypt_plan_take_track (EncryptPlan *self, const BmffTrack *track,
    EncryptTrack **out, GError **error);
/** Another moov comes in the stream, whose tracks are to be taken next: numbers stand for other ones. */
void encrypt_plan_begin_movie (EncryptPlan *self);
/** Of all movies: grows when one has a track that may have another key. */
guint encrypt_plan_count_tracks (const EncryptPlan *self);
/** NULL: a track that stays clear. */
EncryptTrack *encrypt_plan_get_track (EncryptPlan *self, guint32 track_id);
/**
 * encrypt_plan_make_pssh:
 * @keys: (element-type GstCencKey) (nullable): whose KIDs they tell; NULL: those of
 *   tenc of the tracks of the movie at hand
 *
 * Returns: (transfer full) (element-type BmffBox): the pssh boxes, or NULL with
 *   ENCRYPT_ERROR_SETTINGS if a system cannot tell them
 */
GPtrArray *encrypt_plan_make_pssh (const EncryptPlan *self,
    const GPtrArray *keys, GError **error);
/** (transfer full) (nullable): what an application may know of the keys of tenc, of all movies: scheme, KIDs, pssh boxes, FairPlay's key URIs; NULL if there is none yet. */
GstStructure *
encrypt_plan_describe (const EncryptPlan *self, const gchar *name);
/** (transfer full) (nullable): at the end of the input: what an application should know of what was not encrypted; NULL: nothing. */
gchar *encrypt_plan_get_doubt (const EncryptPlan *self);

/* Keys that rotate */

gboolean encrypt_plan_rotates (const EncryptPlan *self);

/** The input starts anew: so do clear lead and periods, and their announcements. IVs go on. */
void encrypt_plan_restart (EncryptPlan *self);

/**
 * EncryptPeriodFunc: a period begins, and nothing that is encrypted with its keys
 * has gone out yet.
 * @start: when, in media time
 * @description: what an application may know, as encrypt_plan_describe() with the
 *   period's number and start
 * @keys: (element-type GstCencKey): of all tracks, none twice
 *
 * Returns: FALSE with an error: the period is not to begin
 */
typedef gboolean (*EncryptPeriodFunc) (guint64 number, GstClockTime start,
    const GstStructure *description, const GPtrArray *keys, gpointer user_data,
    GError **error);
void encrypt_plan_set_period_func (EncryptPlan *self, EncryptPeriodFunc func,
    gpointer user_data);

/**
 * encrypt_plan_enter:
 * @tracks: (element-type EncryptTrack): of one fragment
 * @start: when it starts
 * @time: the last moment of its first sample: sound that starts a few milliseconds
 *   before the pictures is in one period with them
 * @sync: whether it starts with a sync sample: else the period goes on that was
 *
 * From here on the tracks use the keys of the period that @time is in, or of a
 * later one that they were in already.
 */
gboolean encrypt_plan_enter (EncryptPlan *self, const GPtrArray *tracks,
    GstClockTime start, GstClockTime time, gboolean sync, GError **error);

/**
 * encrypt_plan_make_variant:
 * @number: of a period
 *
 * Returns: (transfer full): what @track is to use in that period; the one of tenc, if
 *   it is the same
 */
EncryptVariant *encrypt_plan_make_variant (EncryptPlan *self,
    EncryptTrack *track, guint64 number, GError **error);
/** Calls EncryptPeriodFunc, unless a period of that or a higher number was announced before. */
gboolean encrypt_plan_announce (EncryptPlan *self, guint64 number,
    GstClockTime start, GError **error);
/** The period that @time is in. */
gboolean encrypt_plan_find_period (const EncryptPlan *self, GstClockTime time,
    guint64 *number, GError **error);

GstClockTime encrypt_plan_get_clear_lead (const EncryptPlan *self);
CencScheme encrypt_plan_get_scheme (const EncryptPlan *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptPlan, encrypt_plan_free)

G_END_DECLS
