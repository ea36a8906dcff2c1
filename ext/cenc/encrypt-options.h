/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencencrypt's properties: what an application sets, as it sets it, and the
 * settings that follow from it.
 */

#pragma once

#include <gst/gst.h>
#include "cenc/encrypt-output.h"
#include "cenc/encrypt-secret.h"

G_BEGIN_DECLS

/** The property's; the settings have PIFF with a mode. */
#define ENCRYPT_SCHEME_PIFF_CBC (CENC_SCHEME_PIFF + 1)

typedef struct
{
  EncryptSettings settings; /* what is set as it is used */
  gint scheme; /* of the property's enumeration */
  gchar *key_id, *iv, *pssh, *spool_directory; /* as given */
  gchar *cpix, *cpix_key, *cpix_output, *cpix_recipient; /* locations */
  gboolean cpix_require_mac;
  EncryptSecret *key, *track_keys, *period_keys, *key_seed; /* as given */
  gchar *media_epoch; /* as given */
  GstClockTime crypto_period; /* 0: none */
} EncryptOptions;

void encrypt_options_init (EncryptOptions *self);
void encrypt_options_clear (EncryptOptions *self);

void encrypt_options_install (GObjectClass *klass);
/** FALSE: no such property. */
gboolean
encrypt_options_set (EncryptOptions *self, guint id, const GValue *value);
gboolean
encrypt_options_get (const EncryptOptions *self, guint id, GValue *value);

/**
 * encrypt_options_resolve:
 * @settings: (out): to be cleared also on failure
 *
 * Parses what was given as text, and draws a random IV where none was.
 *
 * Returns: FALSE with ENCRYPT_ERROR_SETTINGS that names the property
 */
gboolean encrypt_options_resolve (const EncryptOptions *self,
    EncryptSettings *settings, GError **error);

/**
 * encrypt_options_open_output:
 * @settings: what encrypt_options_resolve() gave
 * @output: (out) (transfer full) (nullable): the document of `cpix-output`, if there is
 *   to be one, written with the key that is known already
 */
gboolean encrypt_options_open_output (const EncryptOptions *self,
    const EncryptSettings *settings, EncryptOutput **output, GError **error);

G_END_DECLS
