/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One movie fragment: a moof and the samples behind it, encrypted. The new moof
 * has senc, saiz and saio in each traf that is protected; the samples keep their
 * sizes and their places among each other.
 */

#pragma once

#include "cenc/encrypt-fragment-info.h"
#include "cenc/encrypt-pass.h"
#include "cenc/encrypt-plan.h"
#include "cenc/encrypt-queue.h"
#include "gst/isobmff/bmff-clock.h"

G_BEGIN_DECLS

typedef struct _EncryptFragment EncryptFragment;

/**
 * encrypt_fragment_new:
 * @moof: (transfer full): parsed; freed on error too
 * @movie: has to outlive the fragment
 * @clock: of the movie; has entered the fragments before
 * @plan: has to outlive the fragment
 *
 * Refuses data in front of the moof's end, samples that share bytes and a moof that is protected already.
 */
EncryptFragment *encrypt_fragment_new (BmffBox *moof, const BmffMovie *movie,
    BmffClock *clock, EncryptPlan *plan, GError **error);
void encrypt_fragment_free (EncryptFragment *self);

/** Each traf gets a tfdt that has none: beside a sidx, which times only one track, ffmpeg takes the others' times from there. */
void encrypt_fragment_tell_time (EncryptFragment *self);

/** Where in the input the moof starts and ends, and where its last sample ends (the moof's end, if there is none). */
guint64 encrypt_fragment_get_moof_start (const EncryptFragment *self);
guint64 encrypt_fragment_get_moof_end (const EncryptFragment *self);
guint64 encrypt_fragment_get_data_end (const EncryptFragment *self);

/** The range of the input lies in an mdat: to be called for each in turn, before encrypt_fragment_make(). */
void
encrypt_fragment_add_mdat (EncryptFragment *self, guint64 start, guint64 end);

/**
 * encrypt_fragment_make:
 * @queue: has the input from the moof to @end
 * @end: of the bytes that belong to the fragment: boxes behind its data included
 * @out: (array) what stands from the moof's end to @end goes here
 * @out_offset: where the new moof will start in the output
 *
 * Returns: (transfer full): the new moof, which stands in front of @out
 */
GBytes *encrypt_fragment_make (EncryptFragment *self, EncryptQueue *queue,
    guint64 end, guint8 *out, guint64 out_offset, GError **error);

/**
 * encrypt_fragment_map:
 * @input, @pool: have to outlive the fragment
 * @out_offset: where the new moof will start in the output
 *
 * encrypt_fragment_make() for input that can be read by place: what stands
 * behind the moof is ciphered by encrypt_fragment_cipher().
 *
 * Returns: (transfer full): the new moof
 */
GBytes *encrypt_fragment_map (EncryptFragment *self, EncryptInput *input,
    EncryptPool *pool, guint64 out_offset, GError **error);
/** See encrypt_pass_cipher(): from the moof's end on. */
GstBuffer *encrypt_fragment_cipher (EncryptFragment *self, guint64 offset,
    guint64 limit, GError **error);

/** FALSE: the fragment has no samples of that track. */
gboolean encrypt_fragment_get_info (const EncryptFragment *self,
    guint32 track_id, EncryptFragmentInfo *info);
/** bmff_fragment_find_sync(); @moof: where it stands in the output */
void encrypt_fragment_find_sync (const EncryptFragment *self, guint64 moof,
    GArray *points);
/** The longest of its tracks' durations. */
GstClockTime encrypt_fragment_get_duration (const EncryptFragment *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptFragment, encrypt_fragment_free)

G_END_DECLS
