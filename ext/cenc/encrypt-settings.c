/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-plan.h"

#include <string.h>

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
  g_clear_pointer (&self->periods, encrypt_periods_unref);
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
  self->periods = from->periods ? encrypt_periods_ref (from->periods) : NULL;
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

CencMode
encrypt_settings_get_mode (const EncryptSettings *self)
{
  return self->scheme == CENC_SCHEME_PIFF ? self->piff_mode
                                          : cenc_scheme_get_mode (self->scheme);
}

static gboolean
refuse (GError **error, const gchar *message)
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
        refuse (error,
            "crypt-byte-block and skip-byte-block: only the schemes cens and "
            "cbcs have a pattern");
  }
  if (self->crypt_byte_block < 0)
    self->crypt_byte_block = 1;
  if (self->skip_byte_block < 0)
    self->skip_byte_block = 9;
  if (self->crypt_byte_block == 0 && self->skip_byte_block > 0)
    return refuse (error, "crypt-byte-block: a pattern that encrypts nothing");
  return TRUE;
}

static gboolean
resolve_iv (EncryptSettings *self, GError **error)
{
  if (self->iv_size < 0)
    self->iv_size =
        default_iv_size (self->scheme, encrypt_settings_get_mode (self));
  if (self->iv_size == 0 && self->scheme != CENC_SCHEME_CBCS)
    return refuse (error, "iv-size: only the scheme cbcs has a constant IV");
  if (self->given_iv_size > 8 && self->iv_size == 8)
    return refuse (error,
        "iv: 16 bytes were given, but iv-size is 8: they would not be kept");
  return TRUE;
}

gboolean
encrypt_settings_resolve (EncryptSettings *self, GError **error)
{
  if (!self->key && !self->keys && !self->cpix && !self->periods)
    return refuse (error, "key-id and key: no key to encrypt with");
  if (!resolve_pattern (self, error) || !resolve_iv (self, error))
    return FALSE;
  return !self->periods || self->scheme != CENC_SCHEME_PIFF ||
      refuse (error,
          "crypto-period: PIFF has no sample groups, so that its keys cannot "
          "rotate");
}

ProtectionInfo
encrypt_settings_get_info (const EncryptSettings *self, GstCencKey *const *keys,
    guint n_keys)
{
  ProtectionInfo info = { self->scheme, encrypt_settings_get_mode (self), keys,
    n_keys, self->info.content_id, self->info.provider, self->info.la_url,
    self->info.playready_version };

  return info;
}
