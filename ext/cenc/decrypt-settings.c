/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-settings.h"

#define DEFAULT_KEY_TIMEOUT 0
#define DEFAULT_VERIFY_KEYS TRUE
#define DEFAULT_CENS_PARTIAL_BLOCKS FALSE
#define DEFAULT_CUT_RUNS TRUE

#define FLAGS_READY \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_key_properties (GObjectClass *klass)
{
  /**
   * cencdecrypt:keys:
   *
   * Content keys, "KID:KEY,KID:KEY", 32 hex digits each. Cannot be read. May be
   * set at any time.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, DECRYPT_PROP_KEYS,
      g_param_spec_string ("keys", "Keys",
          "Content keys: KID:KEY,KID:KEY, 32 hex digits each", NULL,
          G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_PLAYING));
  /**
   * cencdecrypt:key-timeout:
   *
   * How long to wait for a key after the message `cencdecrypt-key-needed`.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, DECRYPT_PROP_KEY_TIMEOUT,
      g_param_spec_uint64 ("key-timeout", "Key timeout",
          "Nanoseconds to wait for a key after cencdecrypt-key-needed", 0,
          G_MAXINT64, DEFAULT_KEY_TIMEOUT, FLAGS_READY));
  /**
   * cencdecrypt:verify-keys:
   *
   * Whether the first samples of each key are checked to be samples of their
   * codec once they are decrypted; a key that does not fit is an error then.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, DECRYPT_PROP_VERIFY_KEYS,
      g_param_spec_boolean ("verify-keys", "Verify keys",
          "Tell a key that does not fit, where it can be told",
          DEFAULT_VERIFY_KEYS, FLAGS_READY));
}

void
decrypt_settings_install (GObjectClass *klass)
{
  install_key_properties (klass);
  /**
   * cencdecrypt:cens-partial-blocks:
   *
   * Scheme `cens`, samples without subsamples: whether the last, partial block
   * is encrypted (as GPAC, Bento4 and FFmpeg write it) or clear (as ISO/IEC
   * 23001-7 has it).
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, DECRYPT_PROP_CENS_PARTIAL_BLOCKS,
      g_param_spec_boolean ("cens-partial-blocks", "cens partial blocks",
          "With cens, the partial last block of whole samples is encrypted",
          DEFAULT_CENS_PARTIAL_BLOCKS, FLAGS_READY));
  /**
   * cencdecrypt:cut-runs:
   *
   * Schemes `cens` and `cbcs` with a pattern of more than one encrypted block in
   * a row, as 5:5 or 2:8: whether of a run that the end of its range cuts off the
   * whole blocks are encrypted (as #cencencrypt, Shaka Packager, GPAC and Chromium
   * have it) or the run is clear (as FFmpeg and mp4ff read ISO/IEC 23001-7, 9.6).
   * A file does not tell which, unless it is one that says to be of Shaka
   * Packager before 2.3, which has the run clear. Patterns with one encrypted
   * block, such as 1:9, have no such run.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, DECRYPT_PROP_CUT_RUNS,
      g_param_spec_boolean ("cut-runs", "Cut runs",
          "With a pattern, whole blocks of a run that is cut off are encrypted",
          DEFAULT_CUT_RUNS, FLAGS_READY));
  /**
   * cencdecrypt:output-protection:
   *
   * What the integrator asserts of the output: see
   * gst_cenc_output_protection_covers(). A license that demands more is not
   * played.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, DECRYPT_PROP_OUTPUT_PROTECTION,
      g_param_spec_boxed ("output-protection", "Output protection",
          "What is asserted of the output, against what licenses demand",
          GST_TYPE_STRUCTURE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_PLAYING));
}

void
decrypt_settings_init (DecryptSettings *self)
{
  self->key_timeout = DEFAULT_KEY_TIMEOUT;
  self->verify_keys = DEFAULT_VERIFY_KEYS;
  self->cens_partial_blocks = DEFAULT_CENS_PARTIAL_BLOCKS;
  self->cut_runs = DEFAULT_CUT_RUNS;
  self->output_protection = NULL;
}

void
decrypt_settings_clear (DecryptSettings *self)
{
  g_clear_pointer (&self->output_protection, gst_structure_free);
}

gboolean
decrypt_settings_set (DecryptSettings *self, guint id, const GValue *value)
{
  const GstStructure *output;

  switch (id) {
    case DECRYPT_PROP_KEY_TIMEOUT:
      self->key_timeout = g_value_get_uint64 (value);
      return TRUE;
    case DECRYPT_PROP_VERIFY_KEYS:
      self->verify_keys = g_value_get_boolean (value);
      return TRUE;
    case DECRYPT_PROP_CENS_PARTIAL_BLOCKS:
      self->cens_partial_blocks = g_value_get_boolean (value);
      return TRUE;
    case DECRYPT_PROP_CUT_RUNS:
      self->cut_runs = g_value_get_boolean (value);
      return TRUE;
    case DECRYPT_PROP_OUTPUT_PROTECTION:
      output = gst_value_get_structure (value);
      decrypt_settings_clear (self);
      self->output_protection = output ? gst_structure_copy (output) : NULL;
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
decrypt_settings_get (const DecryptSettings *self, guint id, GValue *value)
{
  switch (id) {
    case DECRYPT_PROP_KEY_TIMEOUT:
      g_value_set_uint64 (value, self->key_timeout);
      return TRUE;
    case DECRYPT_PROP_VERIFY_KEYS:
      g_value_set_boolean (value, self->verify_keys);
      return TRUE;
    case DECRYPT_PROP_CENS_PARTIAL_BLOCKS:
      g_value_set_boolean (value, self->cens_partial_blocks);
      return TRUE;
    case DECRYPT_PROP_CUT_RUNS:
      g_value_set_boolean (value, self->cut_runs);
      return TRUE;
    case DECRYPT_PROP_OUTPUT_PROTECTION:
      gst_value_set_structure (value, self->output_protection);
      return TRUE;
    default:
      return FALSE;
  }
}

CencCryptFlags
decrypt_settings_get_flags (const DecryptSettings *self)
{
  CencCryptFlags flags = CENC_CRYPT_FLAGS_NONE;

  if (self->cens_partial_blocks)
    flags |= CENC_CRYPT_CENS_PARTIAL;
  if (!self->cut_runs)
    flags |= CENC_CRYPT_CLEAR_CUT_RUNS;
  return flags;
}
