/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A clear moov into a protected one: sample entries wrapped, pssh added,
 * everything else byte for byte. The same plan makes the same boxes of the same
 * tracks each time, so that a muxer's second moov takes the place of its first.
 */

#pragma once

#include "cenc/encrypt-plan.h"

G_BEGIN_DECLS

/**
 * encrypt_movie_new:
 * @moov: (transfer full): as it stands in the input; freed on error too
 * @plan: learns the tracks
 *
 * Returns: (transfer full): the movie, its sample entries wrapped already, or
 *   NULL with ENCRYPT_ERROR or BMFF_ERROR. Chunk offsets are not touched.
 */
BmffMovie *encrypt_movie_new (BmffBox *moov, EncryptPlan *plan, GError **error);

/** Likewise, without pssh. */
BmffMovie *
encrypt_movie_new_bare (BmffBox *moov, EncryptPlan *plan, GError **error);
/** Adds what encrypt_plan_make_pssh() gives for @keys. */
gboolean encrypt_movie_add_pssh (BmffMovie *movie, const EncryptPlan *plan,
    const GPtrArray *keys, GError **error);

/** Whether a moov has mvex: its samples are in fragments. */
gboolean encrypt_movie_is_fragmented (const BmffBox *moov);

/** Refuses a movie with fragments to come some of whose samples are in the moov itself. */
gboolean encrypt_movie_check_empty (const BmffMovie *movie, GError **error);

/** Refuses items that stand at places of the file (iloc) and that would move. @meta: of the file; NULL: those in @movie. @moved: whether something in front of @meta has grown. */
gboolean encrypt_movie_check_items (const BmffMovie *movie, BmffBox *meta,
    gboolean moved, GError **error);

/** Where @child, one of @parent's, will start, counted from @parent's first byte. */
guint64 encrypt_box_position (const BmffBox *parent, const BmffBox *child);

/**
 * encrypt_headers_protect:
 * @headers: whole boxes one after the other: a muxer's stream headers
 * @fragmented: (out): whether a moov with mvex is among them
 *
 * Returns: (transfer full): the same with each such moov protected; one of a
 *   progressive file is left out
 */
GBytes *encrypt_headers_protect (GBytes *headers, EncryptPlan *plan,
    gboolean *fragmented, GError **error);

G_END_DECLS
