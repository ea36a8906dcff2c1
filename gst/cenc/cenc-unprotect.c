/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The boxes; cenc-sample-index.c has the samples. */

#include "gst/cenc/cenc-unprotect.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#define FOURCC_FREE BMFF_FOURCC ('f', 'r', 'e', 'e')
#define FOURCC_SEIG BMFF_FOURCC ('s', 'e', 'i', 'g')
#define FOURCC_SINF BMFF_FOURCC ('s', 'i', 'n', 'f')
#define FOURCC_STSD BMFF_FOURCC ('s', 't', 's', 'd')

/* The bytes of the outermost box. */
typedef struct
{
  guint8 *data;
  gsize size;
  guint64 offset; /* where they stand in the file */
} Patch;

static gboolean
set_type (const Patch *patch, const BmffBox *box, guint32 type, GError **error)
{
  guint8 *place;

  if (box->offset == G_MAXUINT64)
    return TRUE;
  if (patch->size < 8 || box->offset < patch->offset ||
      box->offset - patch->offset > patch->size - 8)
    goto no_fit;
  place = patch->data + (box->offset - patch->offset) + 4;
  if (bmff_get_u32 (place) != box->type)
    goto no_fit;
  bmff_put_u32 (place, type);
  return TRUE;

no_fit:
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT
      " is not where the boxes' bytes have it",
      BMFF_FOURCC_ARGS (box->type), box->offset);
  return FALSE;
}

static gboolean
is_piff_box (const BmffBox *box)
{
  return memcmp (box->uuid, CENC_PIFF_TENC_UUID, sizeof box->uuid) == 0 ||
      memcmp (box->uuid, CENC_PIFF_SENC_UUID, sizeof box->uuid) == 0 ||
      memcmp (box->uuid, CENC_PIFF_PSSH_UUID, sizeof box->uuid) == 0;
}

/* saiz and saio also tell of information that is not for the cipher. */
static gboolean
is_our_aux_box (const BmffBox *box)
{
  CencScheme scheme;
  BmffReader reader;
  guint32 flags, type;

  if (!bmff_box_get_full_reader (box, &reader, NULL, &flags, NULL))
    return FALSE;
  if (!(flags & 1))
    return TRUE;
  type = bmff_reader_u32 (&reader);
  return bmff_reader_ok (&reader) && cenc_scheme_from_fourcc (type, &scheme);
}

static gboolean
is_seig_box (const BmffBox *box)
{
  BmffReader reader;

  return bmff_box_get_full_reader (box, &reader, NULL, NULL, NULL) &&
      bmff_reader_u32 (&reader) == FOURCC_SEIG;
}

static gboolean
speaks_of_protection (const BmffBox *box)
{
  switch (box->type) {
    case BMFF_FOURCC ('p', 's', 's', 'h'):
    case BMFF_FOURCC ('s', 'e', 'n', 'c'):
      return TRUE;
    case BMFF_FOURCC ('u', 'u', 'i', 'd'):
      return is_piff_box (box);
    case BMFF_FOURCC ('s', 'a', 'i', 'z'):
    case BMFF_FOURCC ('s', 'a', 'i', 'o'):
      return is_our_aux_box (box);
    case BMFF_FOURCC ('s', 'g', 'p', 'd'):
    case BMFF_FOURCC ('s', 'b', 'g', 'p'):
    case BMFF_FOURCC ('c', 's', 'g', 'p'):
      return is_seig_box (box);
    default:
      return FALSE;
  }
}

static gboolean
patch_entry (const Patch *patch, const BmffBox *box, GError **error)
{
  CencEntry entry;
  BmffBox *sinf;
  guint next = 0;

  if (!cenc_entry_parse (box, &entry, error))
    return FALSE;
  if (!entry.is_wrapped)
    return TRUE;
  while ((sinf = bmff_box_next_child (box, FOURCC_SINF, &next))) {
    if (!set_type (patch, sinf, FOURCC_FREE, error))
      return FALSE;
  }
  return set_type (patch, box, entry.original_format, error);
}

static gboolean
patch_box (const Patch *patch, const BmffBox *box, GError **error)
{
  guint i;

  if (speaks_of_protection (box))
    return set_type (patch, box, FOURCC_FREE, error);

  for (i = 0; box->children && i < box->children->len; i++) {
    const BmffBox *child = g_ptr_array_index (box->children, i);
    gboolean ok = box->type == FOURCC_STSD ? patch_entry (patch, child, error)
                                           : patch_box (patch, child, error);

    if (!ok)
      return FALSE;
  }
  return TRUE;
}

gboolean
cenc_unprotect_boxes (const BmffBox *box, guint8 *data, gsize size,
    GError **error)
{
  Patch patch = { data, size, box->offset };

  return patch_box (&patch, box, error);
}
