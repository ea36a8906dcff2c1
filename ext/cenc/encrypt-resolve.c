/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows from cencencrypt's properties. */

#include "encrypt-options.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include "cenc/cpix-time.h"
#include "cenc/encrypt-cpix.h"
#include "cenc/encrypt-derive.h"
#include "cenc/encrypt-hex.h"

static gboolean
refuse (GError **error, const gchar *message)
{
  g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS, message);
  return FALSE;
}

static gboolean
has_key (const EncryptOptions *self)
{
  return (self->key_id && *self->key_id) ||
      encrypt_secret_get_size (self->key) > 0;
}

/* Which sources of keys do not go with one another. */
static const gchar *
find_conflict (const EncryptOptions *self)
{
  if (self->cpix && (self->track_keys || has_key (self)))
    return "cpix: it has the keys: key-id, key and track-keys do not go with "
           "it";
  if (self->cpix && (self->period_keys || self->key_seed))
    return "cpix: it has the keys: period-keys and key-seed do not go with it";
  if (self->cpix_output && (self->cpix || self->track_keys))
    return "cpix-output: it takes one key: cpix and track-keys do not go with "
           "it";
  if (self->cpix_recipient && !self->cpix_output)
    return "cpix-recipient: there is no cpix-output";
  if (self->cpix_key && !self->cpix)
    return "cpix-key: there is no cpix";
  if (self->media_epoch && !self->cpix)
    return "media-epoch: it is for a document's key periods: there is no cpix";
  if (self->settings.tracks == 0)
    return "tracks: neither video nor audio: nothing would be encrypted";
  return NULL;
}

static const gchar *
find_period_conflict (const EncryptOptions *self)
{
  if ((self->period_keys || self->key_seed) && self->crypto_period == 0)
    return "crypto-period: period-keys and key-seed need to know how long a "
           "period is";
  if (self->period_keys && (self->key_seed || has_key (self)))
    return "period-keys: key-seed, key-id and key do not go with it";
  if (self->key_seed && encrypt_secret_get_size (self->key) > 0)
    return "key-seed: it has the keys: key does not go with it";
  if (self->crypto_period == 0 || self->cpix)
    return NULL;
  if (self->track_keys)
    return "crypto-period: track-keys are for all time: period-keys take such "
           "lists";
  if (!self->period_keys && !self->key_seed && has_key (self))
    return "crypto-period: key-id and key are one key: keys come from "
           "period-keys, key-seed, cpix, or are made for cpix-output";
  if (!self->period_keys && !self->key_seed && !self->cpix_output)
    return "crypto-period: no keys: they come from period-keys, key-seed, "
           "cpix, or are made for cpix-output";
  return NULL;
}

static gboolean
is_set (const gchar *text)
{
  return text && *text;
}

/* What would be passed over in silence. */
static const gchar *
find_idle (const EncryptOptions *self)
{
  const EncryptPsshInfo *info = &self->settings.info;
  ProtectionSystems systems = self->settings.systems;

  if (is_set (info->content_id) && !self->cpix_output &&
      !(systems & (PROTECTION_SYSTEM_WIDEVINE | PROTECTION_SYSTEM_MARLIN)))
    return "content-id: it is for Widevine, Marlin and cpix-output: "
           "protection-systems has neither, and there is no cpix-output";
  if (is_set (info->provider) && !(systems & PROTECTION_SYSTEM_WIDEVINE))
    return "widevine-provider: protection-systems has no widevine";
  if (is_set (info->la_url) && !(systems & PROTECTION_SYSTEM_PLAYREADY))
    return "playready-la-url: protection-systems has no playready";
  if (info->playready_version && !(systems & PROTECTION_SYSTEM_PLAYREADY))
    return "playready-version: protection-systems has no playready";
  if (self->settings.cens_partial && self->scheme != CENC_SCHEME_CENS)
    return "cens-partial-blocks: it is for the scheme cens only";
  if (!self->cpix_require_mac && !self->cpix)
    return "cpix-require-mac: there is no cpix";
  return NULL;
}

static gboolean
check_sources (const EncryptOptions *self, GError **error)
{
  const gchar *wrong = find_conflict (self);

  if (!wrong)
    wrong = find_period_conflict (self);
  if (!wrong)
    wrong = find_idle (self);
  return !wrong || refuse (error, wrong);
}

/* Keys that rotate */

static gboolean
make_cpix_periods (const EncryptOptions *self, EncryptSettings *settings,
    GError **error)
{
  gint64 epoch;

  if (self->media_epoch && !cpix_parse_time (self->media_epoch, &epoch))
    return refuse (error,
        "media-epoch: no date and time as \"2026-11-22T12:00:00Z\"");
  if (!encrypt_cpix_has_period_rules (settings->cpix))
    return self->crypto_period == 0 ||
        refuse (error,
            "crypto-period: no usage rule of cpix has a KeyPeriodFilter");
  settings->periods = encrypt_periods_new_cpix (self->crypto_period,
      self->media_epoch ? &epoch : NULL, settings->cpix, error);
  return settings->periods != NULL;
}

static gboolean
make_seed_periods (const EncryptOptions *self, EncryptSettings *settings,
    GError **error)
{
  guint8 kid[GST_CENC_KID_SIZE], seed[ENCRYPT_SEED_MAX_SIZE];
  gchar *text = encrypt_secret_dup_text (self->key_seed);
  gint size = encrypt_hex_parse (text, seed, sizeof seed);

  encrypt_secret_wipe (text);
  if (encrypt_hex_parse (self->key_id, kid, sizeof kid) != sizeof kid)
    return refuse (error,
        "key-id: not 32 hexadecimal digits: key-seed needs it for period 0");
  if (size < ENCRYPT_SEED_MIN_SIZE) {
    OPENSSL_cleanse (seed, sizeof seed);
    return refuse (error, "key-seed: not 32 to 128 hexadecimal digits");
  }
  settings->periods =
      encrypt_periods_new_seed (self->crypto_period, kid, seed, size);
  OPENSSL_cleanse (seed, sizeof seed);
  return settings->periods || refuse (error, "key-seed: no random bytes");
}

static gboolean
make_periods (const EncryptOptions *self, EncryptSettings *settings,
    GError **error)
{
  if (self->period_keys) {
    gchar *text = encrypt_secret_dup_text (self->period_keys);

    settings->periods =
        encrypt_periods_new_list (self->crypto_period, text, error);
    encrypt_secret_wipe (text);
  } else if (self->key_seed)
    return make_seed_periods (self, settings, error);
  else
    settings->periods = encrypt_periods_new_random (self->crypto_period, error);
  return settings->periods != NULL;
}

/* One key, or one a track */

/* NULL: @secret is no key. */
static GstCencKey *
parse_key (const guint8 *kid, const EncryptSecret *secret)
{
  gchar *text = encrypt_secret_dup_text (secret);
  guint8 data[GST_CENC_KEY_SIZE];
  GstCencKey *key = NULL;

  if (encrypt_hex_parse (text, data, sizeof data) == sizeof data)
    key = gst_cenc_key_new (kid, data);
  OPENSSL_cleanse (data, sizeof data);
  encrypt_secret_wipe (text);
  return key;
}

static gboolean
make_single_key (const EncryptOptions *self, EncryptSettings *settings,
    GError **error)
{
  guint8 kid[GST_CENC_KID_SIZE];

  if (encrypt_hex_parse (self->key_id, kid, sizeof (kid)) != sizeof (kid))
    return refuse (error,
        self->key_id && *self->key_id
            ? "key-id: not 32 hexadecimal digits"
            : "key-id: not set; it needs 32 hexadecimal digits");
  if (encrypt_secret_get_size (self->key) == 0)
    return refuse (error, "key: not set; it needs 32 hexadecimal digits");
  settings->key = parse_key (kid, self->key);
  return settings->key || refuse (error, "key: not 32 hexadecimal digits");
}

/* Of track-keys, and of key-id beside them. */
static gboolean
check_keys (const EncryptSettings *settings, GError **error)
{
  g_autoptr (GPtrArray) known = encrypt_keys_array_new ();

  return !settings->keys ||
      (encrypt_keys_check (settings->keys, known, "track-keys", error) &&
          (!settings->key ||
              encrypt_keys_array_check (known, settings->key, "key-id",
                  error)));
}

static gboolean
make_key (const EncryptOptions *self, EncryptSettings *settings, GError **error)
{
  if (self->cpix) {
    settings->cpix = encrypt_cpix_load (self->cpix, self->cpix_key,
        self->cpix_require_mac, error);
    return settings->cpix && make_cpix_periods (self, settings, error);
  }
  if (self->crypto_period > 0)
    return make_periods (self, settings, error);
  if (self->cpix_output && !has_key (self)) {
    settings->key = encrypt_make_random_key (error);
    return settings->key != NULL;
  }
  if (self->track_keys) {
    gchar *text = encrypt_secret_dup_text (self->track_keys);

    settings->keys = encrypt_keys_parse ("track-keys", text, FALSE, error);
    encrypt_secret_wipe (text);
    if (!settings->keys)
      return FALSE;
    if (!self->key_id && encrypt_secret_get_size (self->key) == 0)
      return TRUE;
  }
  return make_single_key (self, settings, error);
}

static gboolean
make_scheme (const EncryptOptions *self, EncryptSettings *settings,
    GError **error)
{
  gboolean piff_cbc = self->scheme == ENCRYPT_SCHEME_PIFF_CBC;

  settings->scheme = piff_cbc ? CENC_SCHEME_PIFF : self->scheme;
  settings->piff_mode = piff_cbc ? CENC_MODE_CBC : CENC_MODE_CTR;
  if (!self->pssh || !*self->pssh)
    return TRUE;
  settings->pssh = protection_systems_parse_raw (self->pssh, error);
  return settings->pssh != NULL;
}

static gboolean
make_seed (const EncryptOptions *self, EncryptSettings *settings,
    GError **error)
{
  gint size = encrypt_hex_parse (self->iv, settings->seed, CENC_BLOCK_SIZE);

  if (size != 0 && size != 8 && size != CENC_BLOCK_SIZE)
    return refuse (error, "iv: not 16 or 32 hexadecimal digits");
  settings->given_iv_size = size;
  if (size == 0 && RAND_bytes (settings->seed, CENC_BLOCK_SIZE) != 1) {
    g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_FAILED,
        "no random bytes for an IV");
    return FALSE;
  }
  return TRUE;
}

gboolean
encrypt_options_resolve (const EncryptOptions *self, EncryptSettings *settings,
    GError **error)
{
  encrypt_settings_copy (settings, &self->settings);
  return check_sources (self, error) && make_scheme (self, settings, error) &&
      make_key (self, settings, error) && check_keys (settings, error) &&
      make_seed (self, settings, error);
}

gboolean
encrypt_options_open_output (const EncryptOptions *self,
    const EncryptSettings *settings, EncryptOutput **output, GError **error)
{
  g_autoptr (EncryptOutput) made = NULL;
  g_autoptr (GstCencKey) key = NULL;

  *output = NULL;
  if (!self->cpix_output)
    return TRUE;
  if (settings->periods && !encrypt_periods_has_single_keys (settings->periods))
    return refuse (error,
        "cpix-output: it takes one key a period: labels in period-keys do not "
        "go with it");
  made = encrypt_output_new (self->cpix_output, self->cpix_recipient, settings,
      error);
  if (!made)
    return FALSE;
  key = settings->periods
      ? encrypt_periods_get_key (settings->periods,
            encrypt_periods_get_first (settings->periods), 0, "", error)
      : gst_cenc_key_ref (settings->key);
  if (!key || !encrypt_output_add (made, key, G_MAXUINT64, error))
    return FALSE;
  *output = g_steal_pointer (&made);
  return TRUE;
}
