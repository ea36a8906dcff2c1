/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-preroll.h"

/* What a sample without duration is taken for. */
#define SAMPLE_DURATION (20 * GST_MSECOND)

GstCencKeyUse
decrypt_preroll_get_use (DecryptPreroll *self, GstClockTime duration)
{
  if (g_atomic_int_get (&self->playing))
    return GST_CENC_KEY_USE_PLAY;
  if (!GST_CLOCK_TIME_IS_VALID (duration))
    duration = SAMPLE_DURATION;
  /* No sum that wraps: a duration out of a file can be anything. */
  self->used = MIN (self->used + MIN (duration, DECRYPT_PREROLL_ALLOWANCE + 1),
      G_MAXINT64);
  return self->used > DECRYPT_PREROLL_ALLOWANCE ? GST_CENC_KEY_USE_PLAY
                                                : GST_CENC_KEY_USE_PREROLL;
}
