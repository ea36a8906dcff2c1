/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How an element asks others for keys: its neighbors and the application for a
 * context, the registry for the device's store, the application by a message.
 */

#pragma once

#include <gst/cenc/gstcenckeysession.h>

G_BEGIN_DECLS

/** Asks downstream, upstream, then the application by need-context; an answer comes to the element's set_context. */
void
decrypt_ask_for_context (GstElement *element, GstPad *srcpad, GstPad *sinkpad);

/** (transfer full) (nullable): the device's license store; NULL if no plugin brings one. */
GstCencKeySession *decrypt_ask_for_store (void);

/** Posts `cencdecrypt-key-needed`; @system_id and @init_data may be NULL. */
void decrypt_ask_for_key (GstElement *element, const guint8 *kid,
    const gchar *system_id, GstBuffer *init_data);

G_END_DECLS
