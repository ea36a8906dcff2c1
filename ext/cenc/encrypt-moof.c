/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The moof of an encrypted fragment: sample groups and auxiliary information, and
 * where everything stands now (ISO/IEC 14496-12, 8.8). */

#include "encrypt-fragment-private.h"

#include "cenc/encrypt-aux.h"
#include "cenc/encrypt-movie.h"
#include "cenc/encrypt-rotate.h"

#define TFHD_DESCRIPTION_INDEX 0x02 /* in the last byte of its flags */
#define TFHD_DEFAULT_BASE_IS_MOOF 0x02 /* in the third byte of its flags */

/* tfhd's sample_description_index, which stands behind its base data offset. */
static void
set_description (BmffTraf *traf, guint32 index)
{
  gsize size, at = traf->has_base_data_offset ? 16 : 8;
  guint8 *payload = bmff_box_edit_payload (traf->tfhd, &size);
  BmffWriter *writer;

  if (!(payload[3] & TFHD_DESCRIPTION_INDEX)) {
    payload[3] |= TFHD_DESCRIPTION_INDEX;
    writer = bmff_writer_new (size + 4);
    bmff_writer_bytes (writer, payload, at);
    bmff_writer_u32 (writer, 0);
    bmff_writer_bytes (writer, payload + at, size - at);
    bmff_box_set_payload (traf->tfhd, bmff_writer_end (writer));
    payload = bmff_box_edit_payload (traf->tfhd, &size);
  }
  bmff_put_u32 (payload + at, index);
}

/* @rotates: keys do. GPAC reads sample groups of fragments without information
 * by sample only if these have no senc, also those whose key is that of tenc; of
 * who wants a senc beside a constant IV (Bento4) none reads groups. */
static void
add_boxes (EncryptFragmentPart *part, gboolean rotates)
{
  BmffBox *saiz;

  encrypt_rotate_add_groups (part->traf, part->track);
  saiz = encrypt_track_make_saiz (part->track, part->writer);

  if (saiz) {
    encrypt_aux_add (part->traf->box, saiz);
    part->saio = cenc_aux_writer_to_saio (part->writer, FALSE);
    encrypt_aux_add (part->traf->box, part->saio);
  }
  if (rotates && !saiz)
    return;
  part->senc = cenc_aux_writer_to_senc (part->writer);
  bmff_box_append (part->traf->box, part->senc);
}

/* Data offsets are counted from the moof in every traf: one whose base was the
 * end of the traf before gets default-base-is-moof (ISO/IEC 14496-12, 8.8.7),
 * since auxiliary information in front of a base cannot be pointed at. */
static gboolean
move_runs (EncryptFragment *self, guint64 moof_start, guint64 delta,
    GError **error)
{
  guint i, k;

  for (i = 0; i < self->parts->len; i++) {
    BmffTraf *traf = g_array_index (self->parts, EncryptFragmentPart, i).traf;
    gsize size;

    if (traf->has_base_data_offset)
      bmff_traf_set_base_data_offset (traf, moof_start);
    else if (i > 0)
      bmff_box_edit_payload (traf->tfhd, &size)[1] |= TFHD_DEFAULT_BASE_IS_MOOF;
    for (k = 0; k < traf->runs->len; k++) {
      BmffRun *run = &g_array_index (traf->runs, BmffRun, k);

      if (!bmff_run_set_offset (traf, run, moof_start,
              run->offset - self->fragment->offset + moof_start + delta, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* Where auxiliary information of other kinds goes. */
typedef struct
{
  const EncryptFragment *self;
  guint64 base; /* in the input, of the traf's offsets */
  guint64 delta;
} AuxMove;

/* Counted from the moof, as everything is by now. What stands in the moof itself
 * may not be there any more. */
static guint64
move_aux (guint64 offset, gpointer user_data)
{
  const AuxMove *to = user_data;
  guint64 place;

  if (!g_uint64_checked_add (&place, to->base, offset) ||
      place < to->self->moof_end || place > G_MAXINT64)
    return G_MAXUINT64;
  return place - to->self->fragment->offset + to->delta;
}

static gboolean
move_all_aux (const EncryptFragment *self, guint64 delta, GError **error)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptFragmentPart *part =
        &g_array_index (self->parts, EncryptFragmentPart, i);
    const BmffTraf *traf = part->traf;
    AuxMove to = { self, traf->base_data_offset, delta };

    /* Behind another traf's data by the standard; most count from the moof. */
    if (!traf->has_base_data_offset && to.base != self->fragment->offset)
      to.base = G_MAXUINT64;
    if (!encrypt_aux_move (traf->box, part->saio, move_aux, &to, error))
      return FALSE;
  }
  return TRUE;
}

static void
point_at_senc (const EncryptFragment *self)
{
  const BmffBox *moof = self->fragment->moof;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptFragmentPart *part =
        &g_array_index (self->parts, EncryptFragmentPart, i);

    if (part->saio)
      cenc_saio_set_offset (part->saio,
          encrypt_box_position (moof, part->traf->box) +
              encrypt_box_position (part->traf->box, part->senc) +
              cenc_aux_writer_get_data_offset (part->writer));
  }
}

static gboolean
add_pssh (const EncryptFragment *self, GError **error)
{
  g_autoptr (GPtrArray) tracks = encrypt_fragment_get_tracks (self);

  return !encrypt_plan_rotates (self->plan) ||
      encrypt_rotate_add_pssh (self->fragment->moof, self->plan, tracks, error);
}

GBytes *
encrypt_fragment_make_moof (EncryptFragment *self, guint64 out_offset,
    GError **error)
{
  guint64 delta;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    EncryptFragmentPart *part =
        &g_array_index (self->parts, EncryptFragmentPart, i);

    if (part->track)
      add_boxes (part, encrypt_plan_rotates (self->plan));
    else if (part->lead)
      set_description (part->traf,
          part->traf->description_index +
              encrypt_track_get_n_entries (part->lead));
  }
  if (!add_pssh (self, error))
    return NULL;
  /* Twice: the first time a trun may get a field that it had not. */
  if (!move_runs (self, out_offset, 0, error))
    return NULL;
  delta = bmff_box_get_size (self->fragment->moof) -
      (self->moof_end - self->fragment->offset);
  if (!move_runs (self, out_offset, delta, error) ||
      !move_all_aux (self, delta, error))
    return NULL;
  point_at_senc (self);
  return bmff_box_to_bytes (self->fragment->moof);
}
