/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMoov: the moov of a progressive file, and the other boxes that tell where
 * bytes stand: read from the input, and changed into what stands in the output.
 */

#pragma once

#include "cenc/encrypt-boxes.h"
#include "cenc/encrypt-pass.h"
#include "cenc/encrypt-patches.h"
#include "cenc/encrypt-plan.h"
#include "gst/isobmff/bmff-index.h"

G_BEGIN_DECLS

typedef struct _EncryptMoov EncryptMoov;

/** @plan: borrowed; has its tracks from now on. */
EncryptMoov *
encrypt_moov_new (BmffSource *source, EncryptPlan *plan, GError **error);
void encrypt_moov_free (EncryptMoov *self);

/** Whether all samples of a track are in this file. */
gboolean encrypt_moov_is_local (const BmffTrack *track);

const BmffMovie *encrypt_moov_get_movie (const EncryptMoov *self);
const EncryptBoxes *encrypt_moov_get_boxes (const EncryptMoov *self);

/** @parts: (element-type EncryptPart): borrowed, one for each of the movie's tracks. Adds pssh boxes too. */
gboolean encrypt_moov_take_parts (EncryptMoov *self, const GArray *parts,
    GError **error);

/** Asks of all items: see bmff_meta_check_items(). */
gboolean encrypt_moov_check_items (const EncryptMoov *self, BmffRangeFunc func,
    gpointer user_data, GError **error);

/**
 * encrypt_moov_place: adds what the parts' writers tell of their samples, or
 * foresee; then each box has its size, and all are told where things stand. Once.
 */
gboolean encrypt_moov_place (EncryptMoov *self, GError **error);
/** Bytes of the moov. */
guint64 encrypt_moov_get_size (const EncryptMoov *self);
/** What was foreseen is there by now: takes it. The size is another one if it is not what was foreseen. */
void encrypt_moov_fill (EncryptMoov *self);

/** The moov's bytes; afterwards it does not hold those of the auxiliary information any more. (transfer full) (element-type GBytes) */
GPtrArray *encrypt_moov_take_pieces (EncryptMoov *self);
/** The other boxes. */
void
encrypt_moov_add_patches (const EncryptMoov *self, EncryptPatches *patches);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptMoov, encrypt_moov_free)

G_END_DECLS
