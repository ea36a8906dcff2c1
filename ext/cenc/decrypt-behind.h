/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptBehind: cencdecrypt behind a demuxer, as its source pad sees it: pushes
 * what DecryptSamples gives, in order with events, and watches over what it holds.
 */

#pragma once

#include "cenc/decrypt-preroll.h"
#include "cenc/decrypt-samples.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _DecryptBehind DecryptBehind;

/** @srcpad (its element gets an error if too much is held for too long), @crypto and @preroll are borrowed. */
DecryptBehind *decrypt_behind_new (GstPad *srcpad, DecryptCrypto *crypto,
    DecryptPreroll *preroll, gboolean verify);
void decrypt_behind_free (DecryptBehind *self);

/** The sink's caps: FALSE if they are not what a demuxer gives; with an error if they end what is held, and it cannot be judged. */
gboolean decrypt_behind_set_caps (DecryptBehind *self, const GstCaps *caps,
    GError **error);
/** A tag event of the stream. */
void decrypt_behind_take_tags (DecryptBehind *self, GstEvent *event);
/** A protection event of the stream. */
void decrypt_behind_take_protection (DecryptBehind *self, GstEvent *event);
/** @buffer: (transfer full). @error is set if that is what failed, and not if a push did. */
GstFlowReturn
decrypt_behind_chain (DecryptBehind *self, GstBuffer *buffer, GError **error);
/** (transfer full) @event: to downstream, behind the samples that are held if it is serialized. */
gboolean decrypt_behind_push_event (DecryptBehind *self, GstEvent *event);
/** Whether samples are held until they can be judged. */
gboolean decrypt_behind_is_holding (const DecryptBehind *self);
/** The stream is at its end: FALSE with an error if what is held cannot be judged. */
gboolean decrypt_behind_end (DecryptBehind *self, GError **error);
void decrypt_behind_flush (DecryptBehind *self);
/** After decrypt_behind_end(): another title comes, or the same one again, with the caps that are known until it has others. */
void decrypt_behind_begin_title (DecryptBehind *self, gboolean is_same);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptBehind, decrypt_behind_free)

G_END_DECLS
