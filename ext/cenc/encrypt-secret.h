/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text with keys in it, kept until it is parsed, or what keys are made of: in memory
 * only as random bytes and what they make of it, so that neither a core nor a page of swap can be
 * searched for its digits. Who can read all of the memory can undo that.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _EncryptSecret EncryptSecret;

/** (transfer full) (nullable): NULL for no @text, and if there are no random bytes. */
EncryptSecret *encrypt_secret_new (const gchar *text);
void encrypt_secret_free (EncryptSecret *self);
/** (transfer full) (nullable): of bytes, which may be any; NULL if there are no random bytes. */
EncryptSecret *encrypt_secret_new_bytes (const guint8 *data, gsize size);
/** 0 for NULL. */
gsize encrypt_secret_get_size (const EncryptSecret *self);
/** @out: that many bytes, which the caller wipes. */
void encrypt_secret_copy (const EncryptSecret *self, guint8 *out);
/** (transfer full): the text, to be given to encrypt_secret_wipe(). */
gchar *encrypt_secret_dup_text (const EncryptSecret *self);

/** @text: (nullable) (transfer full): is overwritten, and freed. */
void encrypt_secret_wipe (gchar *text);

G_END_DECLS
