/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a fragment's samples (encrypt-fragment.c) and its moof (encrypt-moof.c) share. */

#pragma once

#include "encrypt-fragment.h"

G_BEGIN_DECLS

/* One traf. */
typedef struct
{
  BmffTraf *traf;
  EncryptTrack *track; /* NULL: stays clear */
  EncryptTrack *lead; /* clear lead of an encrypted track; else NULL */
  CencAuxWriter *writer;
  BmffBox *senc, *saio; /* borrowed from the traf */
} EncryptFragmentPart;

/* One run that has bytes. */
typedef struct
{
  guint part;
  guint32 first, count; /* samples of the traf */
  guint64 start, end; /* in the input */
} EncryptFragmentSpan;

struct _EncryptFragment
{
  EncryptPlan *plan;
  BmffFragment *fragment;
  guint64 moof_end, data_end;
  GArray *parts; /* (element-type EncryptFragmentPart) */
  GArray *spans; /* (element-type EncryptFragmentSpan), by place */
  guint uncovered; /* first of the spans that no mdat was seen for */
  EncryptPass *pass; /* NULL: the data comes in a queue */
};

/** The tracks of the fragment that are encrypted in it. (transfer container) */
GPtrArray *encrypt_fragment_get_tracks (const EncryptFragment *self);

/**
 * encrypt_fragment_make_moof: the moof as it goes out, its data behind it; once,
 * when the parts' writers have all of their samples.
 * @out_offset: where it will stand
 */
GBytes *encrypt_fragment_make_moof (EncryptFragment *self, guint64 out_offset,
    GError **error);

G_END_DECLS
