/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptLayout: the file level of an ISO base media file, walked from its start
 * as far as somebody asks. Remembers where the boxes stand that have to be
 * changed, and reads none of them but the moov.
 */

#pragma once

#include "cenc/decrypt-movie.h"

G_BEGIN_DECLS

typedef struct _DecryptLayout DecryptLayout;

/** A moof and those that follow it before media data comes. */
typedef struct
{
  guint64 offset; /* of the moof */
  guint64 size;
  gboolean
      starts_group; /* the moof in front of it has its data in front of this one */
  gboolean has_data; /* a mdat follows before the next moof */
  DecryptMovie *movie; /* borrowed: the moov in force */
  guint group; /* index of the group's first moof */

  /* Of who reads it; a moof that was not read yet has is_read FALSE. */
  gboolean is_read;
  guint64 start, end; /* of its samples */
  guint64 n_samples;
} DecryptMoof;

/** @source: the whole file; borrowed. */
DecryptLayout *decrypt_layout_new (BmffSource *source);
void decrypt_layout_free (DecryptLayout *self);

/**
 * decrypt_layout_walk:
 * Walks until all that stands before byte @offset of the file is known: the
 * moov, if there is any media data, wherever it stands; and the boxes up to
 * @offset.
 *
 * Returns: FALSE with BMFF_ERROR (a box that is not one, a moof without moov,
 *   …) or the source's error
 */
gboolean
decrypt_layout_walk (DecryptLayout *self, guint64 offset, GError **error);

/** Whether a file can begin with such a box; what begins otherwise is none of this format. */
gboolean decrypt_box_can_be_first (guint32 type);
/** How large a first box of an unknown name may be, if one of a known name follows. */
#define DECRYPT_MAX_UNKNOWN_FIRST 65536
/** Boxes in front of the first media data or of the moov: what has more is no such file. */
#define DECRYPT_MAX_BOXES_IN_FRONT 65536
/** Whether a box is a moof under another name, or compressed; @data: the first 8 bytes behind its header. */
gboolean decrypt_box_hides_moof (const BmffHeader *header, const guint8 *data,
    gsize size);

/** Whether the file is to be passed as it is: it is not ISO base media, or an image. Known after the first walk. */
gboolean decrypt_layout_is_plain (const DecryptLayout *self);
/** FALSE until the moov came. */
gboolean decrypt_layout_has_movie (const DecryptLayout *self);
void decrypt_layout_set_verify (DecryptLayout *self, gboolean verify);
/** (transfer none): of moovs, their spans; (element-type DecryptSpan) */
GPtrArray *decrypt_layout_get_movie_spans (const DecryptLayout *self);
/** (transfer none): by offset; (element-type DecryptMoof) */
GArray *decrypt_layout_get_moofs (const DecryptLayout *self);
/** (transfer none): boxes beside these that were changed; (element-type DecryptPatch) */
GArray *decrypt_layout_get_patches (const DecryptLayout *self);
/** How far the walk has come. */
guint64 decrypt_layout_get_position (const DecryptLayout *self);

/** Walks to the end: FALSE with BMFF_ERROR_TRUNCATED that names box and offset if the last box, or the media that a moov or the last moof speaks of, is not all there. */
gboolean decrypt_layout_check_end (DecryptLayout *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptLayout, decrypt_layout_free)

G_END_DECLS
