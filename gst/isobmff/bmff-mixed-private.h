/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of BmffMixed share: bmff-mixed.c takes a moov's samples,
 * bmff-mixed-moof.c makes fragments of them. */

#pragma once

#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-mixed.h"

G_BEGIN_DECLS

typedef struct
{
  guint32 type;
  BmffGroupMap *map;
} BmffMixedGroup;

typedef struct
{
  BmffTrack *track;
  BmffSampleTable *samples;
  BmffSampleCursor cursor; /* on the next sample that no moof has */
  GArray *groups; /* (element-type BmffMixedGroup) */
  GBytes *sdtp, *stdp; /* payloads; NULL: none */
} BmffMixedTrack;

struct _BmffMixed
{
  GArray *tracks; /* (element-type BmffMixedTrack): those with samples */
  guint32 n_made;
};

G_END_DECLS
