/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a fragment whose keys are not those of tenc says: a `seig` sample group
 * of its own (ISO/IEC 23001-7, clause 6; 14496-12, 8.9.4), as stock qtdemux, GPAC
 * and Shaka Packager read it (sgpd version 1, sbgp version 0, in the traf), and the pssh
 * boxes of its keys in the moof.
 */

#pragma once

#include "cenc/encrypt-plan.h"
#include "gst/isobmff/bmff-index.h"

G_BEGIN_DECLS

/**
 * When @sample is presented, edit lists aside, in its timescale. Not when it is decoded: pictures that are
 * reordered are decoded up to some frames before, and so would a period's first.
 */
guint64 encrypt_rotate_get_start (const BmffSample *sample);
/** The last moment of @sample, in nanoseconds: decides on its period. */
GstClockTime
encrypt_rotate_get_time (const BmffSample *sample, guint32 timescale);
/** FALSE with ENCRYPT_ERROR_INPUT: times of @track mean nothing. */
gboolean
encrypt_rotate_check_timescale (const BmffTrack *track, GError **error);
/** See encrypt_plan_enter(): when @first's samples start. */
gboolean encrypt_rotate_enter (EncryptPlan *plan, const GPtrArray *tracks,
    const BmffTraf *first, GError **error);
/** Adds sgpd and sbgp, unless @track uses the key of tenc. */
void encrypt_rotate_add_groups (BmffTraf *traf, const EncryptTrack *track);
/** Adds the pssh boxes of @tracks' keys (element-type EncryptTrack) behind mfhd, unless all use those of tenc. */
gboolean encrypt_rotate_add_pssh (BmffBox *moof, const EncryptPlan *plan,
    const GPtrArray *tracks, GError **error);

G_END_DECLS
