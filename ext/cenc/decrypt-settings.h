/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptSettings: cencdecrypt's properties but for `keys`, and their values.
 */

#pragma once

#include "gst/cenc/cenc-crypt.h"

#include <gst/gst.h>

G_BEGIN_DECLS

enum
{
  DECRYPT_PROP_0,
  DECRYPT_PROP_KEYS,
  DECRYPT_PROP_KEY_TIMEOUT,
  DECRYPT_PROP_VERIFY_KEYS,
  DECRYPT_PROP_CENS_PARTIAL_BLOCKS,
  DECRYPT_PROP_CUT_RUNS,
  DECRYPT_PROP_OUTPUT_PROTECTION,
};

typedef struct
{
  GstClockTime key_timeout;
  gboolean verify_keys, cens_partial_blocks, cut_runs;
  GstStructure *output_protection;
} DecryptSettings;

/** Installs all properties, `keys` too. */
void decrypt_settings_install (GObjectClass *klass);
void decrypt_settings_init (DecryptSettings *self);
void decrypt_settings_clear (DecryptSettings *self);
/** FALSE if @id is none of these. The caller holds its lock. */
gboolean
decrypt_settings_set (DecryptSettings *self, guint id, const GValue *value);
gboolean
decrypt_settings_get (const DecryptSettings *self, guint id, GValue *value);

/** How samples are walked over. */
CencCryptFlags decrypt_settings_get_flags (const DecryptSettings *self);

G_END_DECLS
