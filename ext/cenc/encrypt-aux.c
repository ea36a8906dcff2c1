/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-aux.h"

#include <string.h>

#define FOURCC_SAIO BMFF_FOURCC ('s', 'a', 'i', 'o')

/* The type in saiz and saio, and the grouping type of sgpd, sbgp and csgp. */
static guint32
read_type (const BmffBox *box, gboolean typed)
{
  BmffReader reader;
  guint32 flags;

  if (!bmff_box_get_full_reader (box, &reader, NULL, &flags, NULL))
    return 0;
  return typed || flags & 1 ? bmff_reader_u32 (&reader) : 0;
}

static gboolean
is_encryption (const BmffBox *box)
{
  CencScheme scheme;
  guint32 type;

  switch (box->type) {
    case BMFF_FOURCC ('s', 'e', 'n', 'c'):
      return TRUE;
    case BMFF_FOURCC ('u', 'u', 'i', 'd'):
      return memcmp (box->uuid, CENC_PIFF_SENC_UUID, sizeof box->uuid) == 0;
    case BMFF_FOURCC ('s', 'a', 'i', 'z'):
    case FOURCC_SAIO:
      type = read_type (box, FALSE);
      return type == 0 || cenc_scheme_from_fourcc (type, &scheme);
    case BMFF_FOURCC ('s', 'g', 'p', 'd'):
    case BMFF_FOURCC ('s', 'b', 'g', 'p'):
    case BMFF_FOURCC ('c', 's', 'g', 'p'):
      return read_type (box, TRUE) == BMFF_FOURCC ('s', 'e', 'i', 'g');
    default:
      return FALSE;
  }
}

gboolean
encrypt_aux_check (const BmffBox *parent, guint32 track_id, GError **error)
{
  guint i;

  for (i = 0; i < parent->children->len; i++) {
    const BmffBox *box = g_ptr_array_index (parent->children, i);

    if (!is_encryption (box))
      continue;
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_PROTECTED,
        "track %u: '%" BMFF_FOURCC_FORMAT "' at offset %" G_GUINT64_FORMAT
        " is of encrypted samples, although their sample entry is clear",
        track_id, BMFF_FOURCC_ARGS (box->type), box->offset);
    return FALSE;
  }
  return TRUE;
}

gboolean
encrypt_aux_move (BmffBox *parent, const BmffBox *own, BmffMoveFunc move,
    gpointer user_data, GError **error)
{
  guint i;

  for (i = 0; i < parent->children->len; i++) {
    BmffBox *box = g_ptr_array_index (parent->children, i);

    if (box->type == FOURCC_SAIO && box != own &&
        !bmff_saio_move (box, move, user_data, error))
      return FALSE;
  }
  return TRUE;
}

void
encrypt_aux_add (BmffBox *parent, BmffBox *box)
{
  guint i = 0;

  while (i < parent->children->len &&
      ((const BmffBox *) g_ptr_array_index (parent->children, i))->type !=
          box->type)
    i++;
  bmff_box_insert (parent, i, box);
}
