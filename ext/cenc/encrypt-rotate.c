/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-rotate.h"

#define FOURCC_SEIG BMFF_FOURCC ('s', 'e', 'i', 'g')
#define FOURCC_SGPD BMFF_FOURCC ('s', 'g', 'p', 'd')
#define FOURCC_SBGP BMFF_FOURCC ('s', 'b', 'g', 'p')
#define FOURCC_MFHD BMFF_FOURCC ('m', 'f', 'h', 'd')
/* The first group description of the fragment's own. */
#define FIRST_LOCAL_GROUP 0x10001

guint64
encrypt_rotate_get_start (const BmffSample *sample)
{
  gint64 offset = sample->composition_offset;

  return offset < 0 && sample->dts < (guint64) -offset ? 0
                                                       : sample->dts + offset;
}

GstClockTime
encrypt_rotate_get_time (const BmffSample *sample, guint32 timescale)
{
  return gst_util_uint64_scale (encrypt_rotate_get_start (sample) +
          MAX (sample->duration, 1) - 1,
      GST_SECOND, timescale);
}

gboolean
encrypt_rotate_check_timescale (const BmffTrack *track, GError **error)
{
  if (track->timescale > 0)
    return TRUE;
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "track %u has no timescale: which crypto period it is in cannot be told",
      track->id);
  return FALSE;
}

gboolean
encrypt_rotate_enter (EncryptPlan *plan, const GPtrArray *tracks,
    const BmffTraf *first, GError **error)
{
  guint32 timescale = first->track->timescale;
  BmffSample sample;

  if (!encrypt_rotate_check_timescale (first->track, error))
    return FALSE;
  bmff_sample_table_get (first->samples, 0, &sample);
  return encrypt_plan_enter (plan, tracks,
      gst_util_uint64_scale (encrypt_rotate_get_start (&sample), GST_SECOND,
          timescale),
      encrypt_rotate_get_time (&sample, timescale),
      !(sample.flags & BMFF_SAMPLE_IS_NON_SYNC), error);
}

static gboolean
is_of_tenc (const EncryptTrack *track)
{
  return encrypt_track_get_variant (track) == encrypt_track_get_default (track);
}

/* In front of other groups: of several sbgp, qtdemux before 1.26.4 reads the first. */
static guint
find_group_place (const BmffBox *traf)
{
  guint i;

  for (i = 0; i < traf->children->len; i++) {
    const BmffBox *child = g_ptr_array_index (traf->children, i);

    if (child->type == FOURCC_SGPD || child->type == FOURCC_SBGP)
      break;
  }
  return i;
}

void
encrypt_rotate_add_groups (BmffTraf *traf, const EncryptTrack *track)
{
  const EncryptVariant *variant = encrypt_track_get_variant (track);
  BmffGroupRun run = { bmff_sample_table_get_count (traf->samples),
    FIRST_LOCAL_GROUP };
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (BmffGroupRun));
  guint place = find_group_place (traf->box);

  /* Behind fragments with groups, GPAC miscounts the samples of one without, and has
   * other keys for all that are behind it. */
  if (is_of_tenc (track) && !encrypt_track_has_rotated (track))
    return;
  g_ptr_array_add (entries, cenc_params_to_seig (&variant->params));
  g_array_append_val (runs, run);
  bmff_box_insert (traf->box, place, bmff_sgpd_new (FOURCC_SEIG, entries));
  bmff_box_insert (traf->box, place + 1, bmff_sbgp_new (FOURCC_SEIG, runs));
}

static guint
find_place (const BmffBox *moof)
{
  guint i;

  for (i = 0; i < moof->children->len; i++) {
    const BmffBox *child = g_ptr_array_index (moof->children, i);

    if (child->type == FOURCC_MFHD)
      return i + 1;
  }
  return 0;
}

gboolean
encrypt_rotate_add_pssh (BmffBox *moof, const EncryptPlan *plan,
    const GPtrArray *tracks, GError **error)
{
  g_autoptr (GPtrArray) keys = encrypt_keys_array_new ();
  g_autoptr (GPtrArray) boxes = NULL;
  gboolean of_tenc = TRUE;
  guint i, place = find_place (moof);

  for (i = 0; i < tracks->len; i++) {
    EncryptTrack *track = tracks->pdata[i];

    of_tenc &= is_of_tenc (track);
    encrypt_keys_array_add (keys, encrypt_track_get_variant (track)->key);
  }
  if (of_tenc)
    return TRUE;
  boxes = encrypt_plan_make_pssh (plan, keys, error);
  if (!boxes)
    return FALSE;
  g_ptr_array_set_free_func (boxes, NULL);
  for (i = 0; i < boxes->len; i++)
    bmff_box_insert (moof, place + i, boxes->pdata[i]);
  return TRUE;
}
