/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptKeys: where cencdecrypt's keys come from. Sessions are asked in the
 * order of DecryptKeysOrigin; each is asked for a KID only if it has it, so that
 * several sessions merge. Searches and waits; which sessions there are, and the
 * device's store, is DecryptSources' affair. Knows no pads and no bus: what it needs of the element
 * it calls by DecryptKeysFuncs.
 */

#pragma once

#include "cenc/decrypt-sources.h"

G_BEGIN_DECLS

/* All are called without any lock of DecryptKeys, from the thread that wants a key. */
typedef struct
{
  /* Looks for a context among the neighbors and asks the application; a session
   * that is found comes back by decrypt_keys_add_session(). */
  void (*ask_context) (gpointer user_data);
  /* (transfer full) (nullable): opens the device's license store */
  GstCencKeySession *(*open_store) (gpointer user_data);
  /* Nobody has a key for @kid: tells the application. Once a KID, until there was
   * a key for it or decrypt_keys_end(). */
  void (*key_needed) (const guint8 *kid, gpointer user_data);
  /* What has become of a license in the store's session, for the application.
   * @structure is the session's. Comes as well from whichever thread ends the
   * playback session. */
  void (*license_message) (const GstStructure *structure, gpointer user_data);
  /* Whether the element is about to be stopped by somebody who waits for this
   * thread, so that decrypt_keys_set_flushing() comes too late. Asked now and then
   * in a wait; NULL: never is. */
  gboolean (*is_stopping) (gpointer user_data);
} DecryptKeysFuncs;

typedef struct _DecryptKeys DecryptKeys;

/** @funcs has to outlive it. */
DecryptKeys *
decrypt_keys_new (const DecryptKeysFuncs *funcs, gpointer user_data);
void decrypt_keys_free (DecryptKeys *self);

/** Takes a reference to @session; one that is there already stays where it is. */
void decrypt_keys_add_session (DecryptKeys *self, DecryptKeysOrigin origin,
    GstCencKeySession *session);
/** Forgets the sessions of @origin. */
void decrypt_keys_clear (DecryptKeys *self, DecryptKeysOrigin origin);

/** A document from the license pad: the device's session takes it. */
gboolean decrypt_keys_add_license (DecryptKeys *self, GBytes *document,
    GstCaps *caps, GError **error);
/** While a license is pending, a missing key is waited for without bound: until it comes, or its source is at EOS. */
void decrypt_keys_set_license_pending (DecryptKeys *self, gboolean pending);

/** How long decrypt_keys_get() waits after key_needed. */
void decrypt_keys_set_timeout (DecryptKeys *self, GstClockTime timeout);

/** READY → PAUSED and back: begins and ends the playback session of all key sessions. */
void decrypt_keys_begin (DecryptKeys *self);
void decrypt_keys_end (DecryptKeys *self);

/** TRUE wakes every wait and lets none begin. */
void decrypt_keys_set_flushing (DecryptKeys *self, gboolean flushing);

/** Waits until flushing, or @timeout has passed. */
void decrypt_keys_wait_for_flush (DecryptKeys *self, GstClockTime timeout);

/** Rises whenever a key that was got has to be asked for again. Lock-free. */
guint decrypt_keys_get_generation (DecryptKeys *self);
/** Raises the generation. */
void decrypt_keys_touch (DecryptKeys *self);

/** Whether one of the sessions that are known by now has @kid; asks nobody else and waits for nothing. */
gboolean decrypt_keys_has (DecryptKeys *self, const guint8 *kid);

/**
 * decrypt_keys_get:
 * @kid: 16 bytes
 *
 * Asks the sessions there are, then waits for a pending license, asks for a
 * context, opens the device's store, asks the application and waits
 * for the timeout. A session that has the KID and forbids its use ends the
 * search with its error, unless another one gives the key or a license is pending.
 *
 * Returns: (transfer full): the key, or NULL with GST_CENC_ERROR, or with
 *   G_IO_ERROR_CANCELLED when flushing
 */
GstCencKey *decrypt_keys_get (DecryptKeys *self, const guint8 *kid,
    GstCencKeyUse use, GError **error);

/**
 * decrypt_keys_play:
 *
 * What was prerolled is played now, and it may have been all that there is: asks
 * for the keys that were got for a preroll to play, of the sessions that are known
 * by now, and waits for nothing.
 *
 * Returns: FALSE with GST_CENC_ERROR if a session forbids it: what was prerolled
 *   still is, and is asked for again the next time
 */
gboolean decrypt_keys_play (DecryptKeys *self, GError **error);
/** Keys that are got to be prerolled are that again, until decrypt_keys_play(). */
void decrypt_keys_pause (DecryptKeys *self);
/** What was prerolled has been flushed, and is not played. */
void decrypt_keys_forget_prerolled (DecryptKeys *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptKeys, decrypt_keys_free)

G_END_DECLS
