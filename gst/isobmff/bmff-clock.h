/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When fragments are that do not say it by a tfdt: Smooth Streaming's, and those
 * of writers from before ISO/IEC 14496-12:2012.
 */

#pragma once

#include "gst/isobmff/bmff-movie.h"

G_BEGIN_DECLS

typedef struct _BmffClock BmffClock;

/** Not thread-safe. @movie: has to outlive the clock; its tracks start at 0. */
BmffClock *bmff_clock_new (const BmffMovie *movie);
void bmff_clock_free (BmffClock *self);
/** After bmff_clock_new(): the movie's tracks go on where those of the same number and timescale are by @last, whose movie is still there: a moov that comes again in a stream. */
void bmff_clock_go_on (BmffClock *self, const BmffClock *last);

/**
 * bmff_clock_enter:
 * @fragment: of the movie; the one that follows the last one entered
 *
 * Sets decode_time, and the samples' dts, of each traf without tfdt: by the time
 * of its first sample that a tfxd tells (MS-SSTR, 2.2.4.4), else to where the
 * track's last fragment ended (8.8.12: the sum of the durations before).
 */
void bmff_clock_enter (BmffClock *self, BmffFragment *fragment);

/** The time, 0 or less, that decode time 0 of that track stands for: where sound has priming, tfxd starts below 0. @track: index in the movie */
gint64 bmff_clock_get_origin (const BmffClock *self, guint track);

/** Writes decode_time into the traf, as a tfdt of version 1, if it has none, and samples. The moof grows. */
void bmff_traf_add_tfdt (BmffTraf *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffClock, bmff_clock_free)

G_END_DECLS
