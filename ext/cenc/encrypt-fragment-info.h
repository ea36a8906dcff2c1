/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a fragment's samples are. */

#pragma once

#include <gst/gst.h>
#include "gst/isobmff/bmff-movie.h"

G_BEGIN_DECLS

/** What the index has to know of a fragment, by the track with @track_id. */
typedef struct
{
  guint64 start; /* presentation time of the first sample, in the timescale */
  guint64 duration; /* in the timescale */
  gboolean sync; /* starts with a sync sample */
} EncryptFragmentInfo;

/** FALSE: the fragment has no samples of that track. */
gboolean encrypt_fragment_info_get (const BmffFragment *fragment,
    guint32 track_id, EncryptFragmentInfo *info);
/** The longest of its tracks' durations. */
GstClockTime encrypt_fragment_info_get_duration (const BmffFragment *fragment);

G_END_DECLS
