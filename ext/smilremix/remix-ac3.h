/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AC-3 and E-AC-3 frames without sound: ETSI TS 102 366.
 */

#pragma once

#include "gst/isobmff/bmff-box.h"

G_BEGIN_DECLS

/** What a sample entry says of its frames. */
typedef struct
{
  gboolean enhanced; /* E-AC-3 */
  guint fscod; /* 0: 48 kHz, 1: 44.1, 2: 32 */
  guint bsmod, acmod;
  gboolean lfe;
  guint kbps;
  gboolean
      simple; /* one independent substream, none that depends on it, no half rate */
} RemixAc3Config;

/** Of the `dac3` or `dec3` in @entry (annex F). FALSE if there is none, or it is damaged. */
gboolean remix_ac3_parse (RemixAc3Config *self, const BmffBox *entry);

/**
 * A frame of 1536 samples that decodes to nothing but zeros: all exponents alike, no
 * bits for mantissas, no dither; with the bitrate of @self, so that a stream of one
 * bitrate stays that. NULL if the configuration is none of the simple ones.
 */
GBytes *remix_ac3_silence (const RemixAc3Config *self);

G_END_DECLS
