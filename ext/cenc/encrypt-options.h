/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencencrypt's properties: what an application sets, as it sets it, and the
 * settings that follow from it.
 */

#pragma once

#include <gst/gst.h>
#include "cenc/encrypt-plan.h"

G_BEGIN_DECLS

typedef struct
{
  EncryptSettings settings; /* what is set as it is used */
  gint scheme; /* of the property's enumeration */
  gchar *key_id, *iv, *pssh, *spool_directory; /* as given */
  gchar *cpix, *cpix_key, *cpix_output, *cpix_recipient; /* locations */
  gchar *track_keys; /* as given; wiped when it goes */
  guint8 key[GST_CENC_KEY_SIZE];
  gint key_size; /* bytes given; -1: they were no such thing */
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

/** Writes the document of `cpix-output`, if there is to be one. For what encrypt_options_resolve() gave. */
gboolean encrypt_options_save (const EncryptOptions *self,
    const EncryptSettings *settings, GError **error);

G_END_DECLS
