/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-fragment-info.h"

gboolean
encrypt_fragment_info_get (const BmffFragment *fragment, guint32 track_id,
    EncryptFragmentInfo *info)
{
  guint i;
  gboolean found = FALSE;

  for (i = 0; i < fragment->trafs->len; i++) {
    const BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);
    BmffSampleCursor cursor;
    BmffSample sample;

    bmff_sample_cursor_init (&cursor, traf->samples, 0);
    while (traf->track_id == track_id &&
        bmff_sample_cursor_next (&cursor, &sample)) {
      guint64 start = sample.dts + (gint64) sample.composition_offset;

      if (!found) {
        info->start = start;
        info->duration = 0;
        info->sync = !(sample.flags & BMFF_SAMPLE_IS_NON_SYNC);
      }
      info->start = MIN (info->start, start);
      info->duration += sample.duration;
      found = TRUE;
    }
  }
  return found;
}

/* Each sample's decode time is where the one before ends. */
static guint64
sum_durations (const BmffSampleTable *samples)
{
  guint32 n = bmff_sample_table_get_count (samples);
  BmffSample first, last;

  if (n == 0 || !bmff_sample_table_get (samples, 0, &first) ||
      !bmff_sample_table_get (samples, n - 1, &last))
    return 0;
  return last.dts + last.duration - first.dts;
}

GstClockTime
encrypt_fragment_info_get_duration (const BmffFragment *fragment)
{
  GstClockTime longest = 0;
  guint i;

  for (i = 0; i < fragment->trafs->len; i++) {
    const BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);

    if (traf->track->timescale > 0)
      longest = MAX (longest,
          gst_util_uint64_scale (sum_durations (traf->samples), GST_SECOND,
              traf->track->timescale));
  }
  return longest;
}
