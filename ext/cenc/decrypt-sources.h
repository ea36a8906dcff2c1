/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptSources: the key sessions that cencdecrypt knows, in the order in which
 * they are asked, and the device's license store behind them. Asks what is there
 * and waits for nothing; who searches and waits is DecryptKeys.
 */

#pragma once

#include <gst/cenc/gstcenckeysession.h>

G_BEGIN_DECLS

typedef enum
{
  DECRYPT_KEYS_PROPERTY, /* the `keys` property: one session, replaced */
  DECRYPT_KEYS_LICENSE, /* what stands behind the license pad */
  DECRYPT_KEYS_CONTEXT, /* GstContext: the newest first */
} DecryptKeysOrigin;

/* All are called without the lock of DecryptSources. */
typedef struct
{
  /* (transfer full) (nullable): opens the device's license store */
  GstCencKeySession *(*open_store) (gpointer user_data);
  /* Other sessions, or what one of them has is other than it was: from any thread. */
  void (*changed) (gpointer user_data);
  /* What has become of a license in the store's session; @structure is the
   * session's. From whichever thread the session tells it in. */
  void (*license_message) (const GstStructure *structure, gpointer user_data);
} DecryptSourcesFuncs;

typedef struct _DecryptSources DecryptSources;

/** @funcs has to outlive it. */
DecryptSources *
decrypt_sources_new (const DecryptSourcesFuncs *funcs, gpointer user_data);
/** Does not end the playback session: decrypt_sources_end() does. */
void decrypt_sources_free (DecryptSources *self);

/** Takes a reference to @session; one that is there already stays where it is. */
void decrypt_sources_add (DecryptSources *self, DecryptKeysOrigin origin,
    GstCencKeySession *session);
/** Forgets the sessions of @origin. */
void decrypt_sources_clear (DecryptSources *self, DecryptKeysOrigin origin);

/** (transfer none) (nullable): the device's store, opened once until decrypt_sources_end(). */
GstCencKeySession *decrypt_sources_get_store (DecryptSources *self);

/** Begins and ends the playback session of all of them; the store is forgotten at the end. */
void decrypt_sources_begin (DecryptSources *self);
void decrypt_sources_end (DecryptSources *self);

/** Whether one of the sessions has @kid (16 bytes). */
gboolean decrypt_sources_have (DecryptSources *self, const guint8 *kid);

/**
 * decrypt_sources_ask:
 * @kid: 16 bytes
 *
 * Returns: (transfer full) (nullable): the key of the first session that gives it;
 *   else NULL, with the error of the first one that has the KID and refuses it,
 *   and without an error if none has it
 */
GstCencKey *decrypt_sources_ask (DecryptSources *self, const guint8 *kid,
    GstCencKeyUse use, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptSources, decrypt_sources_free)

G_END_DECLS
