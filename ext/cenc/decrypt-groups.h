/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptGroups: a demuxer that reads no sample groups gives every sample the KID
 * of tenc, also where keys rotate (stock qtdemux before GStreamer 1.24), and one that
 * misses some (before 1.26.4: all sbgp of a traf but the first) a KID of zeros. The pssh
 * boxes of the moofs tell, so that no sample is decrypted with a key that is not its own.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _DecryptGroups DecryptGroups;

/** @blind: whether the demuxer reads none; decrypt_groups_are_unread() knows. */
DecryptGroups *decrypt_groups_new (gboolean blind);
void decrypt_groups_free (DecryptGroups *self);
/** Whether the GStreamer that runs is one before 1.24. */
gboolean decrypt_groups_are_unread (void);

/** @event: a protection event, (transfer none). */
void decrypt_groups_take_protection (DecryptGroups *self, GstEvent *event);
/** FALSE with GST_CENC_ERROR_UNSUPPORTED: the fragment's boxes name other KIDs than that of the sample. */
gboolean
decrypt_groups_check (DecryptGroups *self, GstBuffer *buffer, GError **error);
/** Forgets what it learned: another stream follows. Not for a seek, behind which a demuxer may not tell again. */
void decrypt_groups_reset (DecryptGroups *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptGroups, decrypt_groups_free)

G_END_DECLS
