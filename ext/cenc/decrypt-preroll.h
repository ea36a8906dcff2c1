/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptPreroll: what a sample is decrypted for. In PAUSED a bounded amount of
 * media is for a preroll, and starts no license's first play.
 */

#pragma once

#include <gst/cenc/gstcenckeysession.h>

G_BEGIN_DECLS

/** Media that is for a preroll; more of it is play. */
#define DECRYPT_PREROLL_ALLOWANCE (10 * GST_SECOND)

typedef struct
{
  gint playing; /* atomic: the element is in PLAYING */
  GstClockTime used;
} DecryptPreroll;

/** @duration: of the sample; GST_CLOCK_TIME_NONE if it is not known. */
GstCencKeyUse
decrypt_preroll_get_use (DecryptPreroll *self, GstClockTime duration);

G_END_DECLS
