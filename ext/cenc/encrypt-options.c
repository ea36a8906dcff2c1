/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-options.h"

#include <string.h>

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
  PROP_CENS_PARTIAL_BLOCKS,
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

/* Where a property's value is, and as what. */
typedef enum
{
  AS_NOTHING, /* no property */
  AS_TEXT, /* gchar *, owned; wiped when it goes, whether secret or not */
  AS_SECRET, /* EncryptSecret *, owned */
  AS_ENUM,
  AS_FLAGS,
  AS_INT,
  AS_TIME,
  AS_BOOLEAN,
} Form;

typedef struct
{
  Form form;
  gsize offset; /* in EncryptOptions */
} Field;

#define FIELD(form, member) \
  { \
    form, G_STRUCT_OFFSET (EncryptOptions, member) \
  }

static const Field fields[] = {
  [PROP_SCHEME] = FIELD (AS_ENUM, scheme),
  [PROP_KEY_ID] = FIELD (AS_TEXT, key_id),
  [PROP_KEY] = FIELD (AS_SECRET, key),
  [PROP_IV] = FIELD (AS_TEXT, iv),
  [PROP_IV_SIZE] = FIELD (AS_ENUM, settings.iv_size),
  [PROP_CRYPT_BYTE_BLOCK] = FIELD (AS_INT, settings.crypt_byte_block),
  [PROP_SKIP_BYTE_BLOCK] = FIELD (AS_INT, settings.skip_byte_block),
  [PROP_TRACKS] = FIELD (AS_FLAGS, settings.tracks),
  [PROP_TRACK_KEYS] = FIELD (AS_SECRET, track_keys),
  [PROP_CRYPTO_PERIOD] = FIELD (AS_TIME, crypto_period),
  [PROP_PERIOD_KEYS] = FIELD (AS_SECRET, period_keys),
  [PROP_KEY_SEED] = FIELD (AS_SECRET, key_seed),
  [PROP_MEDIA_EPOCH] = FIELD (AS_TEXT, media_epoch),
  [PROP_CENS_PARTIAL_BLOCKS] = FIELD (AS_BOOLEAN, settings.cens_partial),
  [PROP_CLEAR_LEAD] = FIELD (AS_TIME, settings.clear_lead),
  [PROP_PROTECTION_SYSTEMS] = FIELD (AS_FLAGS, settings.systems),
  [PROP_PSSH] = FIELD (AS_TEXT, pssh),
  [PROP_CONTENT_ID] = FIELD (AS_TEXT, settings.info.content_id),
  [PROP_WIDEVINE_PROVIDER] = FIELD (AS_TEXT, settings.info.provider),
  [PROP_PLAYREADY_LA_URL] = FIELD (AS_TEXT, settings.info.la_url),
  [PROP_PLAYREADY_VERSION] = FIELD (AS_ENUM, settings.info.playready_version),
  [PROP_CPIX] = FIELD (AS_TEXT, cpix),
  [PROP_CPIX_KEY] = FIELD (AS_TEXT, cpix_key),
  [PROP_CPIX_REQUIRE_MAC] = FIELD (AS_BOOLEAN, cpix_require_mac),
  [PROP_CPIX_OUTPUT] = FIELD (AS_TEXT, cpix_output),
  [PROP_CPIX_RECIPIENT] = FIELD (AS_TEXT, cpix_recipient),
  [PROP_SPOOL_DIRECTORY] = FIELD (AS_TEXT, spool_directory),
};

static void
set_text (gchar **text, gchar *new_text)
{
  encrypt_secret_wipe (*text);
  *text = new_text;
}

static void
set_secret (EncryptSecret **secret, const gchar *text)
{
  encrypt_secret_free (*secret);
  *secret = encrypt_secret_new (text);
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
  guint id;

  for (id = 0; id < G_N_ELEMENTS (fields); id++) {
    if (fields[id].form == AS_TEXT)
      set_text (G_STRUCT_MEMBER_P (self, fields[id].offset), NULL);
    else if (fields[id].form == AS_SECRET)
      set_secret (G_STRUCT_MEMBER_P (self, fields[id].offset), NULL);
  }
  encrypt_settings_clear (&self->settings);
}

static gboolean
set_field (const Field *field, gpointer at, const GValue *value)
{
  switch (field->form) {
    case AS_TEXT:
      set_text (at, g_value_dup_string (value));
      return TRUE;
    case AS_SECRET:
      set_secret (at, g_value_get_string (value));
      return TRUE;
    case AS_ENUM:
      *(gint *) at = g_value_get_enum (value);
      return TRUE;
    case AS_FLAGS:
      *(guint *) at = g_value_get_flags (value);
      return TRUE;
    case AS_INT:
      *(gint *) at = g_value_get_int (value);
      return TRUE;
    case AS_TIME:
      *(GstClockTime *) at = g_value_get_uint64 (value);
      return TRUE;
    case AS_BOOLEAN:
      *(gboolean *) at = g_value_get_boolean (value);
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
get_field (const Field *field, gconstpointer at, GValue *value)
{
  switch (field->form) {
    case AS_TEXT:
      g_value_set_string (value, *(gchar *const *) at);
      return TRUE;
    case AS_ENUM:
      g_value_set_enum (value, *(const gint *) at);
      return TRUE;
    case AS_FLAGS:
      g_value_set_flags (value, *(const guint *) at);
      return TRUE;
    case AS_INT:
      g_value_set_int (value, *(const gint *) at);
      return TRUE;
    case AS_TIME:
      g_value_set_uint64 (value, *(const GstClockTime *) at);
      return TRUE;
    case AS_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) at);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
encrypt_options_set (EncryptOptions *self, guint id, const GValue *value)
{
  return id < G_N_ELEMENTS (fields) &&
      set_field (&fields[id], G_STRUCT_MEMBER_P (self, fields[id].offset),
          value);
}

/* What is secret is not readable: nobody asks for it here. */
gboolean
encrypt_options_get (const EncryptOptions *self, guint id, GValue *value)
{
  return id < G_N_ELEMENTS (fields) &&
      get_field (&fields[id], (const guint8 *) self + fields[id].offset, value);
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

static void
install_scheme_properties (GObjectClass *klass, GParamFlags flags)
{
  g_object_class_install_property (klass, PROP_SCHEME,
      g_param_spec_enum ("scheme", "Scheme", "Protection scheme",
          GST_TYPE_CENC_ENCRYPT_SCHEME, CENC_SCHEME_CENC, flags));
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
  g_object_class_install_property (klass, PROP_CENS_PARTIAL_BLOCKS,
      g_param_spec_boolean ("cens-partial-blocks", "cens partial blocks",
          "cens: encrypt the last partial block of audio samples, as GPAC, "
          "Bento4 and ffmpeg read it; the standard leaves it clear",
          FALSE, flags));
}

static void
install_track_properties (GObjectClass *klass, GParamFlags flags)
{
  g_object_class_install_property (klass, PROP_KEY_ID,
      g_param_spec_string ("key-id", "Key ID",
          "KID: 32 hexadecimal digits, with or without hyphens", NULL, flags));
  g_object_class_install_property (klass, PROP_KEY,
      g_param_spec_string ("key", "Key", "Content key: 32 hexadecimal digits",
          NULL, (flags & ~G_PARAM_READABLE) | GST_PARAM_DOC_SHOW_DEFAULT));
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
  g_object_class_install_property (klass, PROP_CLEAR_LEAD,
      g_param_spec_uint64 ("clear-lead", "Clear lead",
          "Fragments that start before this time (ns) stay clear, in "
          "progressive files samples up to the first sync sample behind it, "
          "told by a second sample entry",
          0, G_MAXUINT64 - 1, 0, flags));
}

static void
mark_types (void)
{
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_SCHEME, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_IV_SIZE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_TRACKS, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_SYSTEMS, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CENC_ENCRYPT_PLAYREADY, 0);
}

void
encrypt_options_install (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  install_scheme_properties (klass, flags);
  install_track_properties (klass, flags);
  install_period_properties (klass, flags);
  install_pssh_properties (klass, flags);
  install_cpix_properties (klass, flags);
  g_object_class_install_property (klass, PROP_SPOOL_DIRECTORY,
      g_param_spec_string ("spool-directory", "Spool directory",
          "Where pushed input that is not fragmented waits for its end, clear, "
          "in a file without a name (unset: the system's temporary directory)",
          NULL, flags));
  mark_types ();
}
