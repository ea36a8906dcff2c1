/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptAsk: cencdecrypt's sources of keys as the element sees them: its `keys`
 * property, contexts, the device's store, and what it asks of its neighbors and
 * the application.
 */

#pragma once

#include "cenc/decrypt-keys.h"

G_BEGIN_DECLS

typedef struct _DecryptAsk DecryptAsk;

/** All are borrowed, and outlive it. */
DecryptAsk *
decrypt_ask_new (GstElement *element, GstPad *sinkpad, GstPad *srcpad);
void decrypt_ask_free (DecryptAsk *self);
/** (transfer none) */
DecryptKeys *decrypt_ask_get_keys (DecryptAsk *self);

/** The element got a context. */
void decrypt_ask_take_context (DecryptAsk *self, GstContext *context);
/** The `keys` property: takes effect at once. What is not well-formed is told by decrypt_ask_check(), or now if @tell. */
void
decrypt_ask_set_property (DecryptAsk *self, const gchar *keys, gboolean tell);
/** Posts RESOURCE/SETTINGS if the property is not well-formed; never what is in it. */
gboolean decrypt_ask_check (DecryptAsk *self);
/** @event: a protection event: the application is shown what it says when a key is needed. */
void decrypt_ask_take_protection (DecryptAsk *self, GstEvent *event);
/**
 * decrypt_ask_take_header:
 * @system_id: UUID
 * @init_data: (nullable): a whole pssh box, or what the demuxer gives
 * @origin: (nullable): as of gst_event_new_protection()
 *
 * Likewise, of the header itself. The newest 64 are kept, each once.
 */
void decrypt_ask_take_header (DecryptAsk *self, const gchar *system_id,
    GstBuffer *init_data, const gchar *origin);
/** (transfer full) (nullable): a session over the device's own license store, where a plugin has one. Costs little, and creates nothing. */
GstCencKeySession *decrypt_ask_open_store (void);
/** Forgets the protection events. */
void decrypt_ask_reset (DecryptAsk *self);

G_END_DECLS
