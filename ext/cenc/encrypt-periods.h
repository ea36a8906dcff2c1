/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptPeriods: the crypto periods of keys that rotate: which one a time is
 * in, and what its keys are. Times are those of the media (presentation, edit lists aside).
 */

#pragma once

#include <gst/gst.h>
#include "cenc/cpix-document.h"
#include "cenc/encrypt-keys.h"

G_BEGIN_DECLS

/** Stands for the number of the first period where nobody knows it yet. */
#define ENCRYPT_PERIOD_FIRST G_MAXUINT64
/** More keys that were made here are not kept. */
#define ENCRYPT_PERIODS_MAX_KEYS 4096

typedef struct _EncryptPeriods EncryptPeriods;

/**
 * encrypt_periods_new_list:
 * @length: of a period; number n starts at n × @length
 * @text: "KEYS;KEYS;…", one for each period from 0 on, each KID:KEY or a list
 *   of LABEL=KID:KEY as encrypt_keys_parse() takes it
 *
 * Returns: (transfer full): the periods, or NULL with ENCRYPT_ERROR_SETTINGS that
 *   holds no part of @text
 */
EncryptPeriods *encrypt_periods_new_list (GstClockTime length,
    const gchar *text, GError **error);

#define ENCRYPT_SEED_MIN_SIZE 16
#define ENCRYPT_SEED_MAX_SIZE 64
/**
 * encrypt_periods_new_seed:
 * @kid: of period 0
 * @seed: a secret of @size bytes
 *
 * The KID of period n is @kid + n, as a big-endian number of 128 bits. The key for
 * a KID is HKDF-SHA-256 (RFC 5869) of @seed without salt, with the info
 * "gst-plugins-cenc content key" and the KID's 16 bytes behind it: 16 bytes of it.
 *
 * Returns: (transfer full) (nullable): the periods, %NULL if there are no random
 *   bytes to keep @seed by
 */
EncryptPeriods *encrypt_periods_new_seed (GstClockTime length,
    const guint8 *kid, const guint8 *seed, gsize size);
/** Each period gets a random KID and key when it is asked for. NULL with ENCRYPT_ERROR_FAILED: no random bytes. */
EncryptPeriods *
encrypt_periods_new_random (GstClockTime length, GError **error);
/**
 * encrypt_periods_new_cpix:
 * @length: of periods that have an index only; 0: none was set
 * @epoch: (nullable): when media time 0 is, in nanoseconds since 1970, for periods
 *   by the clock
 *
 * Returns: (transfer full): the periods; their keys are chosen by the document's
 *   rules; or NULL with ENCRYPT_ERROR_SETTINGS
 */
EncryptPeriods *encrypt_periods_new_cpix (GstClockTime length,
    const gint64 *epoch, const CpixDocument *document, GError **error);
EncryptPeriods *encrypt_periods_ref (EncryptPeriods *self);
void encrypt_periods_unref (EncryptPeriods *self);

/** The period that @time is in; FALSE with ENCRYPT_ERROR_SETTINGS: in none. */
gboolean encrypt_periods_find (const EncryptPeriods *self, GstClockTime time,
    guint64 *number, GError **error);
/** The first one; ENCRYPT_PERIOD_FIRST where any may be. */
guint64 encrypt_periods_get_first (const EncryptPeriods *self);
/**
 * encrypt_periods_get_key:
 * @label: as encrypt_keys_get_label()
 *
 * Returns: (transfer full): the key of a track in a period, or NULL with
 *   ENCRYPT_ERROR_SETTINGS. Not for CPIX.
 */
GstCencKey *encrypt_periods_get_key (EncryptPeriods *self, guint64 number,
    guint32 track_id, const gchar *label, GError **error);
/** (array zero-terminated) (nullable): ids of the document's periods that are meant by @number; NULL: not from CPIX. Valid until the next call. */
const gchar *const *
encrypt_periods_get_ids (EncryptPeriods *self, guint64 number);
/** Whether each period has one key for all tracks, which may be written to a document. */
gboolean encrypt_periods_has_single_keys (const EncryptPeriods *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptPeriods, encrypt_periods_unref)

G_END_DECLS
