/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-plan.h"

#include <string.h>
#include "cenc/encrypt-cpix.h"

struct _EncryptPlan
{
  EncryptSettings settings;
  GPtrArray *tracks; /* (element-type EncryptTrack), in the order they came */
};

void
encrypt_settings_init (EncryptSettings *self)
{
  memset (self, 0, sizeof (*self));
  self->scheme = CENC_SCHEME_CENC;
  self->crypt_byte_block = self->skip_byte_block = self->iv_size = -1;
  self->tracks = ENCRYPT_TRACKS_VIDEO | ENCRYPT_TRACKS_AUDIO;
  self->systems = PROTECTION_SYSTEM_COMMON;
}

void
encrypt_settings_clear (EncryptSettings *self)
{
  g_clear_pointer (&self->key, gst_cenc_key_unref);
  g_clear_pointer (&self->keys, encrypt_keys_unref);
  g_clear_pointer (&self->pssh, g_ptr_array_unref);
  g_clear_pointer (&self->cpix, cpix_document_unref);
  g_clear_pointer (&self->info.content_id, g_free);
  g_clear_pointer (&self->info.provider, g_free);
  g_clear_pointer (&self->info.la_url, g_free);
}

void
encrypt_settings_copy (EncryptSettings *self, const EncryptSettings *from)
{
  *self = *from;
  self->key = from->key ? gst_cenc_key_ref (from->key) : NULL;
  self->keys = from->keys ? encrypt_keys_ref (from->keys) : NULL;
  self->cpix = from->cpix ? cpix_document_ref (from->cpix) : NULL;
  self->pssh = from->pssh ? g_ptr_array_ref (from->pssh) : NULL;
  self->info.content_id = g_strdup (from->info.content_id);
  self->info.provider = g_strdup (from->info.provider);
  self->info.la_url = g_strdup (from->info.la_url);
}

/* The IV size that a scheme takes where nobody said one: 8 bytes are read by
 * all for CTR, CBC has no counter to leave room for. */
static gint
default_iv_size (CencScheme scheme, CencMode mode)
{
  if (scheme == CENC_SCHEME_CBCS)
    return 0;
  return mode == CENC_MODE_CBC ? 16 : 8;
}

static CencMode
settings_mode (const EncryptSettings *self)
{
  return self->scheme == CENC_SCHEME_PIFF ? self->piff_mode
                                          : cenc_scheme_get_mode (self->scheme);
}

static gboolean
settings_error (GError **error, const gchar *message)
{
  g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS, message);
  return FALSE;
}

static gboolean
resolve_pattern (EncryptSettings *self, GError **error)
{
  gboolean given = self->crypt_byte_block >= 0 || self->skip_byte_block >= 0;

  if (!cenc_scheme_has_pattern (self->scheme)) {
    self->crypt_byte_block = self->skip_byte_block = 0;
    return !given ||
        settings_error (error,
            "crypt-byte-block and skip-byte-block: only the schemes cens and "
            "cbcs have a pattern");
  }
  if (self->crypt_byte_block < 0)
    self->crypt_byte_block = 1;
  if (self->skip_byte_block < 0)
    self->skip_byte_block = 9;
  if (self->crypt_byte_block == 0 && self->skip_byte_block > 0)
    return settings_error (error,
        "crypt-byte-block: a pattern that encrypts nothing");
  return TRUE;
}

static gboolean
resolve_iv (EncryptSettings *self, GError **error)
{
  if (self->iv_size < 0)
    self->iv_size = default_iv_size (self->scheme, settings_mode (self));
  if (self->iv_size == 0 && self->scheme != CENC_SCHEME_CBCS)
    return settings_error (error,
        "iv-size: only the scheme cbcs has a constant IV");
  if (self->given_iv_size > 8 && self->iv_size == 8)
    return settings_error (error,
        "iv: 16 bytes were given, but iv-size is 8: they would not be kept");
  return TRUE;
}

EncryptPlan *
encrypt_plan_new (const EncryptSettings *settings, GError **error)
{
  g_autoptr (EncryptPlan) self = g_new0 (EncryptPlan, 1);

  encrypt_settings_copy (&self->settings, settings);
  self->tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) encrypt_track_free);
  if (!self->settings.key && !self->settings.keys && !self->settings.cpix) {
    settings_error (error, "key-id and key: no key to encrypt with");
    return NULL;
  }
  if (!resolve_pattern (&self->settings, error) ||
      !resolve_iv (&self->settings, error))
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
  params->mode = settings_mode (s);
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

/* Tracks are never taken out of the plan, so that one that comes again (a new
 * moov in mid-stream) finds the IVs that it has not used. */
static guint
count_sharing (const EncryptPlan *self, const GstCencKey *key)
{
  guint i, n = 0;

  for (i = 0; i < self->tracks->len; i++)
    n += encrypt_track_has_key (g_ptr_array_index (self->tracks, i), key);
  return n;
}

static GstCencKey *
find_key (EncryptPlan *self, const BmffTrack *track, const CpixKey **from,
    GError **error)
{
  const EncryptSettings *s = &self->settings;
  GstCencKey *key = s->keys ? encrypt_keys_find (s->keys, track) : NULL;

  *from = NULL;
  if (s->cpix) {
    *from =
        encrypt_cpix_choose (s->cpix, track, s->scheme, s->iv_size == 0, error);
    return *from ? (*from)->key : NULL;
  }
  if (!key)
    key = s->key;
  if (!key)
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
        "track-keys: no key for track %u, whose label is %s", track->id,
        encrypt_keys_get_label (track));
  return key;
}

static EncryptTrack *
add_track (EncryptPlan *self, const BmffTrack *from, gboolean pattern,
    GError **error)
{
  const CpixKey *cpix_key;
  GstCencKey *key = find_key (self, from, &cpix_key, error);
  CencParams params;
  EncryptTrack *track;

  if (!key)
    return NULL;
  init_params (self, pattern, key, &params);
  if (cpix_key && cpix_key->has_iv) {
    params.constant_iv_size = CENC_BLOCK_SIZE;
    memcpy (params.constant_iv, cpix_key->iv, CENC_BLOCK_SIZE);
  }
  if (!cenc_params_check (&params, error))
    return NULL;
  track = encrypt_track_new (from->id, key, &params, self->settings.seed,
      count_sharing (self, key),
      self->settings.cens_partial ? CENC_CRYPT_CENS_PARTIAL
                                  : CENC_CRYPT_FLAGS_NONE,
      error);
  if (track)
    g_ptr_array_add (self->tracks, track);
  return track;
}

gboolean
encrypt_plan_take_track (EncryptPlan *self, const BmffTrack *track,
    EncryptTrack **out, GError **error)
{
  g_autoptr (EncryptEntries) entries = NULL;

  *out = NULL;
  if (!is_wanted (self, track))
    return TRUE;
  entries = encrypt_entries_new (track, error);
  if (!entries)
    return FALSE;
  *out = encrypt_plan_get_track (self, track->id);
  if (!*out)
    *out =
        add_track (self, track, encrypt_entries_take_pattern (entries), error);
  if (*out)
    encrypt_track_take_entries (*out, g_steal_pointer (&entries));
  return *out != NULL;
}

EncryptTrack *
encrypt_plan_get_track (EncryptPlan *self, guint32 track_id)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    EncryptTrack *track = g_ptr_array_index (self->tracks, i);

    if (encrypt_track_get_id (track) == track_id)
      return track;
  }
  return NULL;
}

static gboolean
has_kid (const GByteArray *kids, const guint8 *kid)
{
  guint i;

  for (i = 0; i < kids->len; i += CENC_BLOCK_SIZE) {
    if (memcmp (kids->data + i, kid, CENC_BLOCK_SIZE) == 0)
      return TRUE;
  }
  return FALSE;
}

GByteArray *
encrypt_plan_get_kids (const EncryptPlan *self)
{
  GByteArray *kids = g_byte_array_new ();
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    const CencParams *params =
        encrypt_track_get_params (g_ptr_array_index (self->tracks, i));

    if (!has_kid (kids, params->kid))
      g_byte_array_append (kids, params->kid, CENC_BLOCK_SIZE);
  }
  return kids;
}

CencScheme
encrypt_plan_get_scheme (const EncryptPlan *self)
{
  return self->settings.scheme;
}

/* (element-type GstCencKey): the keys in use, as encrypt_plan_get_kids() has them */
static GPtrArray *
get_keys (const EncryptPlan *self)
{
  g_autoptr (GByteArray) kids = g_byte_array_new ();
  GPtrArray *keys = g_ptr_array_new ();
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    GstCencKey *key =
        encrypt_track_get_key (g_ptr_array_index (self->tracks, i));

    if (has_kid (kids, gst_cenc_key_get_kid (key)))
      continue;
    g_byte_array_append (kids, gst_cenc_key_get_kid (key), CENC_BLOCK_SIZE);
    g_ptr_array_add (keys, key);
  }
  return keys;
}

ProtectionInfo
encrypt_settings_get_info (const EncryptSettings *self, GstCencKey *const *keys,
    guint n_keys)
{
  ProtectionInfo info = { self->scheme, settings_mode (self), keys, n_keys,
    self->info.content_id, self->info.provider, self->info.la_url, 0 };

  return info;
}

GPtrArray *
encrypt_plan_make_pssh (const EncryptPlan *self, GError **error)
{
  const EncryptSettings *s = &self->settings;
  g_autoptr (GPtrArray) keys = get_keys (self);
  g_autoptr (GPtrArray) boxes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
  ProtectionInfo info = encrypt_settings_get_info (s,
      (GstCencKey *const *) keys->pdata, keys->len);
  ProtectionSystems told = 0;
  guint i;

  if (s->cpix)
    told = encrypt_cpix_append_pssh (s->cpix, &info, boxes);
  if (!protection_systems_make (s->systems & ~told, &info, boxes, error))
    return NULL;
  for (i = 0; keys->len && s->pssh && i < s->pssh->len; i++)
    g_ptr_array_add (boxes, bmff_box_copy (g_ptr_array_index (s->pssh, i)));
  return g_steal_pointer (&boxes);
}

static void
append_hex (GValue *array, const guint8 *kid)
{
  GString *text = g_string_new (NULL);
  GValue value = G_VALUE_INIT;
  guint i;

  for (i = 0; i < CENC_BLOCK_SIZE; i++)
    g_string_append_printf (text, "%02x", kid[i]);
  g_value_init (&value, G_TYPE_STRING);
  g_value_take_string (&value, g_string_free (text, FALSE));
  gst_value_array_append_and_take_value (array, &value);
}

static GstBuffer *
join_pssh (const EncryptPlan *self)
{
  g_autoptr (GPtrArray) boxes = encrypt_plan_make_pssh (self, NULL);
  GstBuffer *all = gst_buffer_new ();
  guint i;

  for (i = 0; boxes && i < boxes->len; i++) {
    g_autoptr (GBytes) bytes = bmff_box_to_bytes (g_ptr_array_index (boxes, i));

    all = gst_buffer_append (all, gst_buffer_new_wrapped_bytes (bytes));
  }
  return all;
}

static void
append_skd_uris (const EncryptPlan *self, GstStructure *structure)
{
  g_autoptr (GByteArray) kids = encrypt_plan_get_kids (self);
  GValue array = G_VALUE_INIT;
  guint i;

  if (!(self->settings.systems & PROTECTION_SYSTEM_FAIRPLAY))
    return;
  g_value_init (&array, GST_TYPE_ARRAY);
  for (i = 0; i < kids->len; i += CENC_BLOCK_SIZE) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_STRING);
    g_value_take_string (&value, protection_system_skd_uri (kids->data + i));
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (structure, "skd-uris", &array);
}

GstStructure *
encrypt_plan_describe (const EncryptPlan *self, const gchar *name)
{
  g_autoptr (GByteArray) kids = encrypt_plan_get_kids (self);
  g_autoptr (GstBuffer) pssh = NULL;
  GstStructure *structure;
  GValue array = G_VALUE_INIT;
  guint i;

  if (kids->len == 0)
    return NULL;
  pssh = join_pssh (self);
  g_value_init (&array, GST_TYPE_ARRAY);
  for (i = 0; i < kids->len; i += CENC_BLOCK_SIZE)
    append_hex (&array, kids->data + i);
  structure = gst_structure_new (name, "scheme", G_TYPE_STRING,
      cenc_scheme_get_name (self->settings.scheme), "pssh", GST_TYPE_BUFFER,
      pssh, NULL);
  gst_structure_take_value (structure, "key-ids", &array);
  append_skd_uris (self, structure);
  return structure;
}

GstClockTime
encrypt_plan_get_clear_lead (const EncryptPlan *self)
{
  return self->settings.clear_lead;
}
