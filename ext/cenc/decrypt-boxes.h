/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptBoxes: which boxes of the file level a pushed stream has shown, so that
 * a seek can go back to where decrypting can begin. From any thread.
 */

#pragma once

#include "gst/isobmff/bmff-box.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 offset, end; /* end G_MAXUINT64: to the end of the file */
  guint32 type;
  guint64
      group; /* first of the moofs with samples in it or behind; G_MAXUINT64: none */
} DecryptBoxRecord;

typedef struct _DecryptBoxes DecryptBoxes;

DecryptBoxes *decrypt_boxes_new (void);
void decrypt_boxes_free (DecryptBoxes *self);
/** Forgets all. */
void decrypt_boxes_clear (DecryptBoxes *self);
/** Forgets nothing; what was there before is passed over. Bounded: what comes late is not kept. */
void decrypt_boxes_add (DecryptBoxes *self, const DecryptBoxRecord *record);
/** Whether byte @offset is in a box that was seen. */
gboolean decrypt_boxes_find (DecryptBoxes *self, guint64 offset,
    DecryptBoxRecord *record);

/** From where on boxes are not known, if all in front of there are: they were seen, and in front of them, as long as there is no movie, no moov and no media data. Of a group of moofs whose media data may go on there, its first. */
guint64 decrypt_boxes_get_known (DecryptBoxes *self, gboolean has_movie);

G_END_DECLS
