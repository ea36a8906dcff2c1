/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptSpans: which samples of a progressive file's track are in which crypto
 * period, known before any is read: a period begins at the first sync sample in it.
 */

#pragma once

#include "cenc/encrypt-plan.h"

G_BEGIN_DECLS

typedef struct _EncryptSpans EncryptSpans;

/**
 * encrypt_spans_new:
 * @samples: of @track
 * @n_lead: so many of them stay clear, and are in no period
 *
 * NULL with ENCRYPT_ERROR if a sample is in no period, or a period has no key.
 */
EncryptSpans *encrypt_spans_new (EncryptPlan *plan, EncryptTrack *track,
    const BmffTrack *from, const BmffSampleTable *samples, guint32 n_lead,
    GError **error);
void encrypt_spans_free (EncryptSpans *self);

/** Lets @track use the key of sample @index. */
gboolean encrypt_spans_use (EncryptSpans *self, EncryptTrack *track,
    guint32 index, GError **error);
/** Adds sgpd and sbgp to @stbl, unless all samples use the key of tenc. */
void encrypt_spans_add_groups (const EncryptSpans *self,
    const EncryptTrack *track, BmffBox *stbl);

/**
 * encrypt_spans_announce:
 * @all: (element-type EncryptSpans): of all tracks
 *
 * Calls encrypt_plan_announce() for each period, in order.
 *
 * Returns: (transfer full) (element-type GstCencKey): the keys of all, none
 *   twice, or NULL with an error
 */
GPtrArray *encrypt_spans_announce (const GPtrArray *all, EncryptPlan *plan,
    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptSpans, encrypt_spans_free)

G_END_DECLS
