/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptSamples: cencdecrypt behind a demuxer: buffers with GstProtectionMeta
 * in, clear ones out. For one thread at a time.
 */

#pragma once

#include "cenc/decrypt-crypto.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _DecryptSamples DecryptSamples;

/** @crypto is borrowed. @verify: whether a key that does not fit is looked for. */
DecryptSamples *decrypt_samples_new (DecryptCrypto *crypto, gboolean verify);
void decrypt_samples_free (DecryptSamples *self);

/**
 * decrypt_samples_set_caps:
 * @caps: the sink's
 * @out: as of decrypt_samples_process()
 *
 * Of another codec than before they end what is held, as decrypt_samples_finish().
 *
 * Returns: FALSE with an error if that cannot be judged; without one, they are not
 * what a demuxer gives
 */
gboolean decrypt_samples_set_caps (DecryptSamples *self, const GstCaps *caps,
    GQueue *out, GError **error);

/** What the stream's tags say of who wrote it. */
void decrypt_samples_take_tags (DecryptSamples *self, const GstTagList *tags);

/** A protection event, (transfer none): what it says of the samples' KID. */
void decrypt_samples_take_protection (DecryptSamples *self, GstEvent *event);

/** Drops what is held: a flush. */
void decrypt_samples_flush (DecryptSamples *self);
/** As one that is new, but for the caps; @is_same: and for what tags told. Drops what is held. */
void decrypt_samples_begin_title (DecryptSamples *self, gboolean is_same);

/**
 * decrypt_samples_process:
 * @buffer: (transfer full): a sample
 * @out: (element-type GstMiniObject): none, one or several clear buffers without
 *   protection meta are appended, and events that were held with them; also in
 *   front of an error
 *
 * Works in @buffer's memory if nobody else holds it, else into memory from a pool.
 */
gboolean decrypt_samples_process (DecryptSamples *self, GstBuffer *buffer,
    GstCencKeyUse use, GQueue *out, GError **error);

/** Whether samples are held until they can be judged. */
gboolean decrypt_samples_is_holding (const DecryptSamples *self);
/** @event: (transfer full): goes out behind the samples that are held. */
void decrypt_samples_hold_event (DecryptSamples *self, GstEvent *event);
/** The stream ends: gives what is held, or FALSE with an error if that cannot be judged. */
gboolean
decrypt_samples_finish (DecryptSamples *self, GQueue *out, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptSamples, decrypt_samples_free)

G_END_DECLS
