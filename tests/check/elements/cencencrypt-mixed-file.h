/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A moov that has samples of its own, and fragments behind it, made of period_clear. */

#pragma once

#include "cencencrypt-period-util.h"

G_BEGIN_DECLS

typedef enum
{
  MIXED_PLAIN = 0, /* pictures and sound take turns in one mdat */
  MIXED_LAST = 1 << 0, /* the moov stands behind its samples */
  MIXED_LED = 1 << 1, /* a styp leads the first mdat, and the first moof */
  MIXED_UNTIMED = 1 << 2, /* no tfdt */
  MIXED_SILENT = 1 << 3, /* the moov has pictures only */
  MIXED_APART = 1 << 4, /* an mdat a track */
  N_MIXED_LAYOUTS = 1 << 5,
} MixedLayout;

/** (transfer full): the first second of each track is the moov's, then there are three fragments of each. */
GBytes *mixed_file_new (MixedLayout layout);

/** Fails the test unless all samples of @out are in fragments whose numbers rise, and are at the times, of the sizes, of the kinds and of the entries as in @clear, by track; and mfra tells of the first moof. */
void mixed_file_check (GBytes *clear, GBytes *out);

G_END_DECLS
