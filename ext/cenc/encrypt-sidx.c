/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-sidx.h"

#include "cenc/encrypt-plan.h"

typedef struct
{
  BmffSidx *sidx;
  guint header_size;
  guint64 in_end, out_start, out_end;
} Place;

struct _EncryptSidx
{
  GArray *places; /* (element-type Place), of those to be written later */
};

static void
place_clear (gpointer data)
{
  g_clear_pointer (&((Place *) data)->sidx, bmff_sidx_free);
}

EncryptSidx *
encrypt_sidx_new (void)
{
  EncryptSidx *self = g_new0 (EncryptSidx, 1);

  self->places = g_array_new (FALSE, FALSE, sizeof (Place));
  g_array_set_clear_func (self->places, place_clear);
  return self;
}

void
encrypt_sidx_free (EncryptSidx *self)
{
  g_array_unref (self->places);
  g_free (self);
}

/* Up to where in the input a sidx that ends at @end tells of; G_MAXUINT64 if it overflows. */
static guint64
get_reach (const BmffSidx *sidx, guint64 end)
{
  guint i;

  if (!g_uint64_checked_add (&end, end, sidx->first_offset))
    return G_MAXUINT64;
  for (i = 0; i < sidx->references->len; i++) {
    const BmffSidxReference *reference =
        &g_array_index (sidx->references, BmffSidxReference, i);

    if (!g_uint64_checked_add (&end, end, reference->referenced_size))
      return G_MAXUINT64;
  }
  return end;
}

gboolean
encrypt_sidx_get_reach (const BmffBox *box, guint64 *reach, GError **error)
{
  BmffSidx *sidx = bmff_sidx_parse (box, error);

  if (!sidx)
    return FALSE;
  *reach = get_reach (sidx, box->offset + box->parsed_size);
  bmff_sidx_free (sidx);
  return TRUE;
}

static GBytes *
move (Place *place, EncryptMoves *moves, GError **error)
{
  g_autoptr (BmffBox) box = NULL;

  if (!bmff_sidx_move (place->sidx, place->in_end, place->out_end,
          encrypt_moves_get, moves, error))
    return NULL;
  box = bmff_sidx_to_box (place->sidx);
  box->header_size = place->header_size;
  if (bmff_box_get_size (box) != place->out_end - place->out_start) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "the sidx that ended at offset %" G_GUINT64_FORMAT
        " does not fit in its place",
        place->in_end);
    return NULL;
  }
  return bmff_box_to_bytes (box);
}

/* Where boxes are not written later, that one may have become `free`. */
static gboolean
leads_to_index (const BmffSidx *sidx)
{
  guint i;

  for (i = 0; i < sidx->references->len; i++) {
    if (g_array_index (sidx->references, BmffSidxReference, i).is_index)
      return TRUE;
  }
  return FALSE;
}

GBytes *
encrypt_sidx_take (EncryptSidx *self, const BmffBox *box, guint64 known,
    EncryptMoves *moves, gboolean keep, gboolean *whole, GError **error)
{
  guint64 end = box->offset + box->parsed_size;
  Place place = { bmff_sidx_parse (box, error), box->header_size, end,
    encrypt_moves_get (box->offset, moves), encrypt_moves_get (end, moves) };
  GBytes *bytes;

  if (!place.sidx)
    return NULL;
  *whole = get_reach (place.sidx, end) <= known &&
      (keep || !leads_to_index (place.sidx));
  bytes = *whole ? move (&place, moves, error)
                 : encrypt_index_make_free (box->parsed_size);
  if (*whole || !keep)
    place_clear (&place);
  else
    g_array_append_val (self->places, place);
  return bytes;
}

GBytes *
encrypt_sidx_next (EncryptSidx *self, EncryptMoves *moves, guint64 *position,
    GError **error)
{
  GBytes *bytes;

  if (self->places->len == 0)
    return NULL;
  *position = g_array_index (self->places, Place, 0).out_start;
  bytes = move (&g_array_index (self->places, Place, 0), moves, error);
  g_array_remove_index (self->places, 0);
  return bytes;
}
