/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-options.h"

#include <openssl/crypto.h>
#include <string.h>
#include "cenc/encrypt-hex.h"

enum
{
  PROP_0,
  PROP_SCHEME,
  PROP_KEY_ID,
  PROP_KEY,
  PROP_IV,
  PROP_IV_SIZE,
  PROP_CRYPT_BYTE_BLOCK,
  PROP_SKIP_BYTE_BLOCK,
  PROP_TRACKS,
  PROP_TRACK_KEYS,
  PROP_CRYPTO_PERIOD,
  PROP_PERIOD_KEYS,
  PROP_KEY_SEED,
  PROP_MEDIA_EPOCH,
  PROP_CENS_PARTIAL_BLOCK,
  PROP_CLEAR_LEAD,
  PROP_PROTECTION_SYSTEMS,
  PROP_PSSH,
  PROP_CONTENT_ID,
  PROP_WIDEVINE_PROVIDER,
  PROP_PLAYREADY_LA_URL,
  PROP_PLAYREADY_VERSION,
  PROP_CPIX,
  PROP_CPIX_KEY,
  PROP_CPIX_REQUIRE_MAC,
  PROP_CPIX_OUTPUT,
  PROP_CPIX_RECIPIENT,
  PROP_SPOOL_DIRECTORY,
};

#define GST_TYPE_CENC_ENCRYPT_SCHEME (gst_cenc_encrypt_scheme_get_type ())
static GType
gst_cenc_encrypt_scheme_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { CENC_SCHEME_CENC, "AES-CTR, whole ranges", "cenc" },
    { CENC_SCHEME_CBC1, "AES-CBC, whole ranges", "cbc1" },
    { CENC_SCHEME_CENS, "AES-CTR, pattern", "cens" },
    { CENC_SCHEME_CBCS, "AES-CBC, pattern", "cbcs" },
    { CENC_SCHEME_PIFF, "PIFF 1.1, AES-CTR", "piff" },
    { ENCRYPT_SCHEME_PIFF_CBC, "PIFF 1.1, AES-CBC", "piff-cbc" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstCencEncryptScheme", values));
  return type;
}

#define GST_TYPE_CENC_ENCRYPT_IV_SIZE (gst_cenc_encrypt_iv_size_get_type ())
static GType
gst_cenc_encrypt_iv_size_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { -1, "8 for cenc and cens, 16 for cbc1, constant for cbcs", "auto" },
    { 0, "One constant IV of 16 bytes (cbcs)", "constant" },
    { 8, "8 bytes a sample", "8" },
    { 16, "16 bytes a sample", "16" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstCencEncryptIvSize", values));
  return type;
}

#define GST_TYPE_CENC_ENCRYPT_TRACKS (gst_cenc_encrypt_tracks_get_type ())
static GType
gst_cenc_encrypt_tracks_get_type (void)
{
  static GType type = 0;
  static const GFlagsValue values[] = {
    { ENCRYPT_TRACKS_VIDEO, "Video", "video" },
    { ENCRYPT_TRACKS_AUDIO, "Audio", "audio" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_flags_register_static ("GstCencEncryptTracks", values));
  return type;
}

#define GST_TYPE_CENC_ENCRYPT_SYSTEMS (gst_cenc_encrypt_systems_get_type ())
static GType
gst_cenc_encrypt_systems_get_type (void)
{
  static GType type = 0;
  static const GFlagsValue values[] = {
    { PROTECTION_SYSTEM_COMMON, "Common system of the W3C", "common" },
    { PROTECTION_SYSTEM_CLEARKEY, "ClearKey", "clearkey" },
    { PROTECTION_SYSTEM_WIDEVINE, "Widevine", "widevine" },
    { PROTECTION_SYSTEM_PLAYREADY, "PlayReady", "playready" },
    { PROTECTION_SYSTEM_MARLIN, "Marlin", "marlin" },
    { PROTECTION_SYSTEM_FAIRPLAY, "FairPlay: a key URI in the message, no box",
        "fairplay" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_flags_register_static ("GstCencEncryptSystems", values));
  return type;
}

#define GST_TYPE_CENC_ENCRYPT_PLAYREADY (gst_cenc_encrypt_playready_get_type ())
static GType
gst_cenc_encrypt_playready_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { 0, "The lowest that can tell the keys", "auto" },
    { 40, "One key, cenc", "4.0" },
    { 41, "One key, cenc", "4.1" },
    { 42, "cenc", "4.2" },
    { 43, "cenc and cbcs", "4.3" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstCencEncryptPlayready", values));
  return type;
}

static void
set_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

static void
wipe (gchar **secret)
{
  if (*secret)
    OPENSSL_cleanse (*secret, strlen (*secret));
  g_clear_pointer (secret, g_free);
}

static void
set_key (EncryptOptions *self, const gchar *text)
{
  OPENSSL_cleanse (self->key, sizeof (self->key));
  self->key_size = encrypt_hex_parse (text, self->key, sizeof (self->key));
}

void
encrypt_options_init (EncryptOptions *self)
{
  encrypt_settings_init (&self->settings);
  self->scheme = self->settings.scheme;
  self->cpix_require_mac = TRUE;
}

void
encrypt_options_clear (EncryptOptions *self)
{
  OPENSSL_cleanse (self->key, sizeof (self->key));
  wipe (&self->track_keys);
  wipe (&self->period_keys);
  wipe (&self->key_seed);
  g_free (self->media_epoch);
  encrypt_settings_clear (&self->settings);
  g_free (self->key_id);
  g_free (self->iv);
  g_free (self->pssh);
  g_free (self->cpix);
  g_free (self->cpix_key);
  g_free (self->cpix_output);
  g_free (self->cpix_recipient);
  g_free (self->spool_directory);
}

gboolean
encrypt_options_set (EncryptOptions *self, guint id, const GValue *value)
{
  switch (id) {
    case PROP_SCHEME:
      self->scheme = g_value_get_enum (value);
      break;
    case PROP_KEY_ID:
      set_string (&self->key_id, value);
      break;
    case PROP_KEY:
      set_key (self, g_value_get_string (value));
      break;
    case PROP_IV:
      set_string (&self->iv, value);
      break;
    case PROP_IV_SIZE:
      self->settings.iv_size = g_value_get_enum (value);
      break;
    case PROP_CRYPT_BYTE_BLOCK:
      self->settings.crypt_byte_block = g_value_get_int (value);
      break;
    case PROP_SKIP_BYTE_BLOCK:
      self->settings.skip_byte_block = g_value_get_int (value);
      break;
    case PROP_TRACKS:
      self->settings.tracks = g_value_get_flags (value);
      break;
    case PROP_TRACK_KEYS:
      wipe (&self->track_keys);
      self->track_keys = g_value_dup_string (value);
      break;
    case PROP_CRYPTO_PERIOD:
      self->crypto_period = g_value_get_uint64 (value);
      break;
    case PROP_PERIOD_KEYS:
      wipe (&self->period_keys);
      self->period_keys = g_value_dup_string (value);
      break;
    case PROP_KEY_SEED:
      wipe (&self->key_seed);
      self->key_seed = g_value_dup_string (value);
      break;
    case PROP_MEDIA_EPOCH:
      set_string (&self->media_epoch, value);
      break;
    case PROP_CENS_PARTIAL_BLOCK:
      self->settings.cens_partial = g_value_get_boolean (value);
      break;
    case PROP_CLEAR_LEAD:
      self->settings.clear_lead = g_value_get_uint64 (value);
      break;
    case PROP_PROTECTION_SYSTEMS:
      self->settings.systems = g_value_get_flags (value);
      break;
    case PROP_PSSH:
      set_string (&self->pssh, value);
      break;
    case PROP_CONTENT_ID:
      set_string (&self->settings.info.content_id, value);
      break;
    case PROP_WIDEVINE_PROVIDER:
      set_string (&self->settings.info.provider, value);
      break;
    case PROP_PLAYREADY_LA_URL:
      set_string (&self->settings.info.la_url, value);
      break;
    case PROP_PLAYREADY_VERSION:
      self->settings.info.playready_version = g_value_get_enum (value);
      break;
    case PROP_CPIX_REQUIRE_MAC:
      self->cpix_require_mac = g_value_get_boolean (value);
      break;
    case PROP_CPIX:
      set_string (&self->cpix, value);
      break;
    case PROP_CPIX_KEY:
      set_string (&self->cpix_key, value);
      break;
    case PROP_CPIX_OUTPUT:
      set_string (&self->cpix_output, value);
      break;
    case PROP_CPIX_RECIPIENT:
      set_string (&self->cpix_recipient, value);
      break;
    case PROP_SPOOL_DIRECTORY:
      set_string (&self->spool_directory, value);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

gboolean
encrypt_options_get (const EncryptOptions *self, guint id, GValue *value)
{
  switch (id) {
    case PROP_SCHEME:
      g_value_set_enum (value, self->scheme);
      break;
    case PROP_KEY_ID:
      g_value_set_string (value, self->key_id);
      break;
    case PROP_IV:
      g_value_set_string (value, self->iv);
      break;
    case PROP_IV_SIZE:
      g_value_set_enum (value, self->settings.iv_size);
      break;
    case PROP_CRYPT_BYTE_BLOCK:
      g_value_set_int (value, self->settings.crypt_byte_block);
      break;
    case PROP_SKIP_BYTE_BLOCK:
      g_value_set_int (value, self->settings.skip_byte_block);
      break;
    case PROP_TRACKS:
      g_value_set_flags (value, self->settings.tracks);
      break;
    case PROP_CRYPTO_PERIOD:
      g_value_set_uint64 (value, self->crypto_period);
      break;
    case PROP_MEDIA_EPOCH:
      g_value_set_string (value, self->media_epoch);
      break;
    case PROP_CENS_PARTIAL_BLOCK:
      g_value_set_boolean (value, self->settings.cens_partial);
      break;
    case PROP_CLEAR_LEAD:
      g_value_set_uint64 (value, self->settings.clear_lead);
      break;
    case PROP_PROTECTION_SYSTEMS:
      g_value_set_flags (value, self->settings.systems);
      break;
    case PROP_PSSH:
      g_value_set_string (value, self->pssh);
      break;
    case PROP_CONTENT_ID:
      g_value_set_string (value, self->settings.info.content_id);
      break;
    case PROP_WIDEVINE_PROVIDER:
      g_value_set_string (value, self->settings.info.provider);
      break;
    case PROP_PLAYREADY_LA_URL:
      g_value_set_string (value, self->settings.info.la_url);
      break;
    case PROP_PLAYREADY_VERSION:
      g_value_set_enum (value, (gint) self->settings.info.playready_version);
      break;
    case PROP_CPIX_REQUIRE_MAC:
      g_value_set_boolean (value, self->cpix_require_mac);
      break;
    case PROP_CPIX:
      g_value_set_string (value, self->cpix);
      break;
    case PROP_CPIX_KEY:
      g_value_set_string (value, self->cpix_key);
      break;
    case PROP_CPIX_OUTPUT:
      g_value_set_string (value, self->cpix_output);
      break;
    case PROP_CPIX_RECIPIENT:
      g_value_set_string (value, self->cpix_recipient);
      break;
    case PROP_SPOOL_DIRECTORY:
      g_value_set_string (value, self->spool_directory);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

static void
install_pssh_properties (GObjectClass *klass, GParamFlags flags)
{
  g_object_class_install_property (klass, PROP_PROTECTION_SYSTEMS,
      g_param_spec_flags ("protection-systems", "Protection systems",
          "Systems that get a pssh box", GST_TYPE_CENC_ENCRYPT_SYSTEMS,
          PROTECTION_SYSTEM_COMMON, flags));
  g_object_class_install_property (klass, PROP_PSSH,
      g_param_spec_string ("pssh", "pssh",
          "Further pssh boxes, in base64 or hexadecimal", NULL, flags));
  g_object_class_install_property (klass, PROP_CONTENT_ID,
      g_param_spec_string ("content-id", "Content ID",
          "Name of the content, for Widevine", NULL, flags));
  g_object_class_install_property (klass, PROP_WIDEVINE_PROVIDER,
      g_param_spec_string ("widevine-provider", "Widevine provider",
          "Name of the content's provider, for Widevine", NULL, flags));
  g_object_class_install_property (klass, PROP_PLAYREADY_LA_URL,
      g_param_spec_string ("playready-la-url", "PlayReady LA URL",
          "Where licenses are acquired, for PlayReady", NULL, flags));
  g_object_class_install_property (klass, PROP_PLAYREADY_VERSION,
      g_param_spec_enum ("playready-version", "PlayReady version",
          "Version of PlayReady's header", GST_TYPE_CENC_ENCRYPT_PLAYREADY, 0,
          flags));
}

static void
install_cpix_properties (GObjectClass *klass, GParamFlags flags)
{
  g_object_class_install_property (klass, PROP_CPIX,
      g_param_spec_string ("cpix", "CPIX",
          "Location of a CPIX document with the keys, in place of key-id and "
          "key",
          NULL, flags));
  g_object_class_install_property (klass, PROP_CPIX_KEY,
      g_param_spec_string ("cpix-key", "CPIX key",
          "Location of the RSA private key (PEM) that an encrypted CPIX "
          "document is for",
          NULL, flags));
  g_object_class_install_property (klass, PROP_CPIX_REQUIRE_MAC,
      g_param_spec_boolean ("cpix-require-mac", "CPIX require MAC",
          "Refuse encrypted keys of a CPIX document that have no MAC", TRUE,
          flags));
  g_object_class_install_property (klass, PROP_CPIX_OUTPUT,
      g_param_spec_string ("cpix-output", "CPIX output",
          "Location of a new file for the key, as a CPIX document; a KID and a "
          "key are made where none are set",
          NULL, flags));
  g_object_class_install_property (klass, PROP_CPIX_RECIPIENT,
      g_param_spec_string ("cpix-recipient", "CPIX recipient",
          "Location of the certificate (PEM) that cpix-output is encrypted for",
          NULL, flags));
}

static void
install_period_properties (GObjectClass *klass, GParamFlags flags)
{
  g_object_class_install_property (klass, PROP_CRYPTO_PERIOD,
      g_param_spec_uint64 ("crypto-period", "Crypto period",
          "Time (ns) after which keys change, at the next fragment (in a "
          "progressive file: sample) that starts with a sync sample; 0: never",
          0, G_MAXINT64, 0, flags));
  g_object_class_install_property (klass, PROP_PERIOD_KEYS,
      g_param_spec_string ("period-keys", "Period keys",
          "\"KEYS;KEYS;…\", for each crypto period from media time 0 on, each "
          "KID:KEY or a list as track-keys takes it",
          NULL, flags & ~G_PARAM_READABLE));
  g_object_class_install_property (klass, PROP_KEY_SEED,
      g_param_spec_string ("key-seed", "Key seed",
          "32 to 128 hexadecimal digits that the keys of the crypto periods are "
          "derived from; KIDs count from key-id on",
          NULL, flags & ~G_PARAM_READABLE));
  g_object_class_install_property (klass, PROP_MEDIA_EPOCH,
      g_param_spec_string ("media-epoch", "Media epoch",
          "When media time 0 is (ISO 8601, \"2026-11-22T12:00:00Z\"), for key "
          "periods of a CPIX document that are by the clock",
          NULL, flags));
}

void
encrypt_options_install (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, PROP_SCHEME,
      g_param_spec_enum ("scheme", "Scheme", "Protection scheme",
          GST_TYPE_CENC_ENCRYPT_SCHEME, CENC_SCHEME_CENC, flags));
  g_object_class_install_property (klass, PROP_KEY_ID,
      g_param_spec_string ("key-id", "Key ID",
          "KID: 32 hexadecimal digits, with or without hyphens", NULL, flags));
  g_object_class_install_property (klass, PROP_KEY,
      g_param_spec_string ("key", "Key", "Content key: 32 hexadecimal digits",
          NULL, (flags & ~G_PARAM_READABLE) | GST_PARAM_DOC_SHOW_DEFAULT));
  g_object_class_install_property (klass, PROP_IV,
      g_param_spec_string ("iv", "IV",
          "First or constant IV: 16 or 32 hexadecimal digits (unset: random). "
          "Given, a file comes out the same each time",
          NULL, flags));
  g_object_class_install_property (klass, PROP_IV_SIZE,
      g_param_spec_enum ("iv-size", "IV size", "Bytes of a sample's IV",
          GST_TYPE_CENC_ENCRYPT_IV_SIZE, -1, flags));
  g_object_class_install_property (klass, PROP_CRYPT_BYTE_BLOCK,
      g_param_spec_int ("crypt-byte-block", "Crypt byte block",
          "Encrypted blocks of the pattern (-1: 1; video with cens and cbcs)",
          -1, 15, -1, flags));
  g_object_class_install_property (klass, PROP_SKIP_BYTE_BLOCK,
      g_param_spec_int ("skip-byte-block", "Skip byte block",
          "Clear blocks of the pattern (-1: 9; video with cens and cbcs)", -1,
          15, -1, flags));
  g_object_class_install_property (klass, PROP_TRACKS,
      g_param_spec_flags ("tracks", "Tracks",
          "What is encrypted; text, timed metadata and hints never are",
          GST_TYPE_CENC_ENCRYPT_TRACKS,
          ENCRYPT_TRACKS_VIDEO | ENCRYPT_TRACKS_AUDIO, flags));
  g_object_class_install_property (klass, PROP_TRACK_KEYS,
      g_param_spec_string ("track-keys", "Track keys",
          "\"LABEL=KID:KEY,…\", in place of or beside key-id and key; labels: "
          "AUDIO, SD, HD, UHD1, UHD2 (by pixels), or a track's number",
          NULL, flags & ~G_PARAM_READABLE));
  g_object_class_install_property (klass, PROP_CENS_PARTIAL_BLOCK,
      g_param_spec_boolean ("cens-partial-block", "cens partial block",
          "cens: encrypt the last partial block of audio samples, as GPAC, "
          "Bento4 and ffmpeg read it; the standard leaves it clear",
          FALSE, flags));
  g_object_class_install_property (klass, PROP_CLEAR_LEAD,
      g_param_spec_uint64 ("clear-lead", "Clear lead",
          "Fragments that start before this time (ns) stay clear, in "
          "progressive files samples up to the first sync sample behind it, "
          "told by a second sample entry",
          0, G_MAXUINT64 - 1, 0, flags));
  install_period_properties (klass, flags);
  install_pssh_properties (klass, flags);
  install_cpix_properties (klass, flags);
  g_object_class_install_property (klass, PROP_SPOOL_DIRECTORY,
      g_param_spec_string ("spool-directory", "Spool directory",
          "Where pushed input that is not fragmented waits for its end, clear, "
          "in a file without a name (unset: the system's temporary directory)",
          NULL, flags));
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_SCHEME, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_IV_SIZE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_TRACKS, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_SYSTEMS, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_PLAYREADY, 0);
}
