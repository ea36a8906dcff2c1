/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who wrote a file, where that says what else nothing in it tells: of a pattern's
 * run that its range cuts off, Shaka Packager before 2.3 leaves the whole blocks
 * clear, and encrypts them since.
 */

#pragma once

#include "gst/cenc/cenc-crypt.h"
#include "gst/isobmff/bmff-movie.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * decrypt_writer_get_flags:
 * @owner: of an ID3v2 frame PRIV, nullable
 * @version: (array length=size): what is in it, nullable
 * @created: seconds since 1970, 0 if that is not known
 *
 * A version that names only a commit is judged by @created.
 *
 * Returns: CENC_CRYPT_CLEAR_CUT_RUNS or none
 */
CencCryptFlags decrypt_writer_get_flags (const gchar *owner,
    const gchar *version, gsize size, gint64 created);
/** By a moov's box ID32 and mvhd. */
CencCryptFlags decrypt_writer_get_movie_flags (const BmffMovie *movie);
/** For who encrypts what such a writer made: ID32, by which it would be taken for that writer's encryption, becomes free, at its place. */
void decrypt_writer_hide (BmffMovie *movie);
/** By what a demuxer makes of these: GST_TAG_PRIVATE_DATA and GST_TAG_DATE_TIME. */
CencCryptFlags decrypt_writer_get_tags_flags (const GstTagList *tags);

G_END_DECLS
