/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-moov.h"

#include "cenc/encrypt-aux.h"
#include "cenc/encrypt-movie.h"
#include "gst/isobmff/bmff-index.h"

#define FOURCC_META BMFF_FOURCC ('m', 'e', 't', 'a')

/* What stands beside a part of the same index. */
typedef struct
{
  const BmffTrack *track;
  BmffBox *senc, *saiz, *saio; /* borrowed from the moov; until it is written */
} Boxes;

struct _EncryptMoov
{
  EncryptPlan *plan;
  EncryptBoxes *boxes;
  BmffMovie *movie;
  const GArray *parts; /* (element-type EncryptPart), as the movie's tracks */
  GArray *part_boxes; /* (element-type Boxes), likewise */
  guint64 delta; /* by which the moov grew */
};

EncryptMoov *
encrypt_moov_new (BmffSource *source, EncryptPlan *plan, GError **error)
{
  g_autoptr (EncryptMoov) self = g_new0 (EncryptMoov, 1);

  self->plan = plan;
  self->part_boxes = g_array_new (FALSE, FALSE, sizeof (Boxes));
  self->boxes = encrypt_boxes_new (source, error);
  if (!self->boxes)
    return NULL;
  self->movie = encrypt_movie_new_bare (g_steal_pointer (&self->boxes->moov),
      self->plan, error);
  return self->movie ? g_steal_pointer (&self) : NULL;
}

void
encrypt_moov_free (EncryptMoov *self)
{
  g_array_unref (self->part_boxes);
  g_clear_pointer (&self->movie, bmff_movie_free);
  g_clear_pointer (&self->boxes, encrypt_boxes_free);
  g_free (self);
}

gboolean
encrypt_moov_is_local (const BmffTrack *track)
{
  guint i;

  for (i = 1; bmff_track_get_entry (track, i); i++) {
    if (!bmff_track_is_local (track, i))
      return FALSE;
  }
  return TRUE;
}

const BmffMovie *
encrypt_moov_get_movie (const EncryptMoov *self)
{
  return self->movie;
}

const EncryptBoxes *
encrypt_moov_get_boxes (const EncryptMoov *self)
{
  return self->boxes;
}

/* With keys that rotate, of all periods: there are no other boxes to hold them. */
static gboolean
add_pssh (EncryptMoov *self, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autoptr (GPtrArray) keys = NULL;
  guint i;

  if (!encrypt_plan_rotates (self->plan))
    return encrypt_movie_add_pssh (self->movie, self->plan, NULL, error);
  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

    if (part->spans)
      g_ptr_array_add (all, part->spans);
  }
  keys = encrypt_spans_announce (all, self->plan, error);
  return keys && encrypt_movie_add_pssh (self->movie, self->plan, keys, error);
}

gboolean
encrypt_moov_take_parts (EncryptMoov *self, const GArray *parts, GError **error)
{
  guint i;

  self->parts = parts;
  for (i = 0; i < self->movie->tracks->len; i++) {
    Boxes boxes = { g_ptr_array_index (self->movie->tracks, i) };

    g_array_append_val (self->part_boxes, boxes);
  }
  return add_pssh (self, error);
}

/* The samples of the clear lead get the clear sample entries, which stand behind
 * the others. */
static gboolean
describe_leads (EncryptMoov *self, GError **error)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);
    const Boxes *boxes = &g_array_index (self->part_boxes, Boxes, i);

    if (part->n_lead > 0 &&
        !bmff_stbl_redescribe (boxes->track->stbl, part->samples, part->n_lead,
            encrypt_track_get_n_entries (part->track), error))
      return FALSE;
  }
  return TRUE;
}

/* saiz and saio stand in stbl, senc in trak (ISO/IEC 23001-7, 7.2). */
static void
add_boxes (const EncryptPart *part, Boxes *boxes, gboolean large)
{
  if (part->spans)
    encrypt_spans_add_groups (part->spans, part->track, boxes->track->stbl);
  boxes->saiz = encrypt_track_make_saiz (part->track, part->writer);
  if (boxes->saiz) {
    encrypt_aux_add (boxes->track->stbl, boxes->saiz);
    boxes->saio = cenc_aux_writer_to_saio (part->writer, large);
    encrypt_aux_add (boxes->track->stbl, boxes->saio);
  }
  boxes->senc = cenc_aux_writer_share_senc (part->writer);
  bmff_box_append (boxes->track->trak, boxes->senc);
}

static gboolean
is_all_lead (const EncryptPart *part)
{
  return part->n_lead > 0 &&
      part->n_lead == bmff_sample_table_get_count (part->samples);
}

static void
add_all_boxes (EncryptMoov *self)
{
  /* With room for the moov's growth: 2 GiB. */
  gboolean large = self->boxes->moov_range.end > G_MAXINT32;
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);

    /* None where all samples are the clear lead. */
    if (part->track && !is_all_lead (part))
      add_boxes (part, &g_array_index (self->part_boxes, Boxes, i), large);
  }
}

static guint64
move (guint64 offset, gpointer user_data)
{
  EncryptMoov *self = user_data;

  return offset < self->boxes->moov_range.end ? offset : offset + self->delta;
}

/* What stands in the moov itself may not be there any more. */
static guint64
move_aux (guint64 offset, gpointer user_data)
{
  const EncryptRange *range = &((EncryptMoov *) user_data)->boxes->moov_range;

  return offset >= range->start && offset < range->end
      ? G_MAXUINT64
      : move (offset, user_data);
}

static gboolean
move_all_aux (EncryptMoov *self, GError **error)
{
  guint i;

  for (i = 0; i < self->part_boxes->len; i++) {
    const Boxes *boxes = &g_array_index (self->part_boxes, Boxes, i);

    if (encrypt_moov_is_local (boxes->track) &&
        !encrypt_aux_move (boxes->track->stbl, boxes->saio, move_aux, self,
            error))
      return FALSE;
  }
  return TRUE;
}

/* (transfer container) (element-type BmffBox): each meta that may have items */
static GPtrArray *
list_metas (const EncryptMoov *self)
{
  GPtrArray *metas = g_ptr_array_new ();
  BmffBox *meta = bmff_box_child (self->movie->moov, FOURCC_META);
  guint i;

  if (meta)
    g_ptr_array_add (metas, meta);
  for (i = 0; i < self->movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (self->movie->tracks, i);

    meta = bmff_box_child (track->trak, FOURCC_META);
    if (meta)
      g_ptr_array_add (metas, meta);
  }
  for (i = 0; i < self->boxes->metas->len; i++)
    g_ptr_array_add (metas, g_ptr_array_index (self->boxes->metas, i));
  return metas;
}

static gboolean
move_items (EncryptMoov *self, GError **error)
{
  g_autoptr (GPtrArray) metas = list_metas (self);
  guint i;

  for (i = 0; i < metas->len; i++) {
    if (!bmff_meta_move_items (g_ptr_array_index (metas, i), move, self, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
encrypt_moov_check_items (const EncryptMoov *self, BmffRangeFunc func,
    gpointer user_data, GError **error)
{
  g_autoptr (GPtrArray) metas = list_metas (self);
  guint i;

  for (i = 0; i < metas->len; i++) {
    if (!bmff_meta_check_items (g_ptr_array_index (metas, i), func, user_data,
            error))
      return FALSE;
  }
  return TRUE;
}

/* Chunk offsets, which may make the moov larger, which moves them again. */
static gboolean
move_chunks (EncryptMoov *self, GError **error)
{
  const EncryptRange *range = &self->boxes->moov_range;
  gboolean grown = TRUE;

  while (grown) {
    self->delta =
        bmff_box_get_size (self->movie->moov) - (range->end - range->start);
    if (!bmff_movie_move_chunks (self->movie, move, self, &grown, error))
      return FALSE;
  }
  return TRUE;
}

static void
point_at_senc (EncryptMoov *self)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    const EncryptPart *part = &g_array_index (self->parts, EncryptPart, i);
    const Boxes *boxes = &g_array_index (self->part_boxes, Boxes, i);

    if (boxes->saio)
      cenc_saio_set_offset (boxes->saio,
          self->boxes->moov_range.start +
              encrypt_box_position (self->movie->moov, boxes->track->trak) +
              encrypt_box_position (boxes->track->trak, boxes->senc) +
              cenc_aux_writer_get_data_offset (part->writer));
  }
}

/* They are large, and the moov's pieces share them by now. */
static void
drop_boxes (EncryptMoov *self)
{
  guint i;

  for (i = 0; i < self->parts->len; i++) {
    Boxes *boxes = &g_array_index (self->part_boxes, Boxes, i);

    if (boxes->saiz) {
      bmff_box_remove (boxes->track->stbl, boxes->saiz);
      bmff_box_remove (boxes->track->stbl, boxes->saio);
    }
    if (boxes->senc)
      bmff_box_remove (boxes->track->trak, boxes->senc);
    boxes->senc = boxes->saiz = boxes->saio = NULL;
  }
}

gboolean
encrypt_moov_place (EncryptMoov *self, GError **error)
{
  if (!describe_leads (self, error))
    return FALSE;
  add_all_boxes (self);
  if (!move_chunks (self, error) || !move_items (self, error) ||
      !move_all_aux (self, error))
    return FALSE;
  point_at_senc (self);
  return TRUE;
}

guint64
encrypt_moov_get_size (const EncryptMoov *self)
{
  return bmff_box_get_size (self->movie->moov);
}

void
encrypt_moov_fill (EncryptMoov *self)
{
  drop_boxes (self);
  add_all_boxes (self);
  point_at_senc (self);
}

GPtrArray *
encrypt_moov_take_pieces (EncryptMoov *self)
{
  GPtrArray *pieces = bmff_box_to_pieces (self->movie->moov);

  drop_boxes (self);
  return pieces;
}

void
encrypt_moov_add_patches (const EncryptMoov *self, EncryptPatches *patches)
{
  guint i;

  for (i = 0; i < self->boxes->metas->len; i++) {
    const BmffBox *meta = g_ptr_array_index (self->boxes->metas, i);
    EncryptRange range = { meta->offset, meta->offset + meta->parsed_size };

    encrypt_patches_add (patches, &range, bmff_box_to_pieces (meta));
  }
}
