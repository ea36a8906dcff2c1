/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-boxes.h"

#include "cenc/encrypt-track.h"

#define FOURCC_MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')
#define FOURCC_MOOF BMFF_FOURCC ('m', 'o', 'o', 'f')
#define FOURCC_MDAT BMFF_FOURCC ('m', 'd', 'a', 't')
#define FOURCC_META BMFF_FOURCC ('m', 'e', 't', 'a')
#define FOURCC_MVEX BMFF_FOURCC ('m', 'v', 'e', 'x')

static gboolean
refuse (guint64 offset, const BmffHeader *header, EncryptError code,
    const gchar *why, GError **error)
{
  g_set_error (error, ENCRYPT_ERROR, code,
      "'%" BMFF_FOURCC_FORMAT "' at offset %" G_GUINT64_FORMAT ": %s",
      BMFF_FOURCC_ARGS (header->type), offset, why);
  return FALSE;
}

static gboolean
take_moov (EncryptBoxes *self, BmffSource *source, guint64 offset,
    const BmffHeader *header, GError **error)
{
  if (self->moov)
    return refuse (offset, header, ENCRYPT_ERROR_INPUT, "a second moov", error);
  self->moov = bmff_source_read_box (source, offset, error);
  self->moov_range.start = offset;
  self->moov_range.end = offset + header->size;
  return self->moov != NULL;
}

/* A moov that has samples of its own, and fragments: it has to come first, so that
 * these samples can go out as fragments (encrypt-stream-mixed.c). */
static gboolean
refuse_moof (const EncryptBoxes *self, guint64 offset, const BmffHeader *header,
    GError **error)
{
  const gchar *why = "a fragment, and its moov stands behind samples";

  if (!self->moov)
    why = "a fragment in front of any moov";
  else if (!bmff_box_child (self->moov, FOURCC_MVEX))
    why = "a fragment, and the moov has no mvex";
  return refuse (offset, header, ENCRYPT_ERROR_UNSUPPORTED, why, error);
}

static gboolean
take_box (EncryptBoxes *self, BmffSource *source, guint64 offset,
    const BmffHeader *header, GError **error)
{
  EncryptRange payload = { offset + header->header_size,
    offset + header->size };
  BmffBox *meta;

  switch (header->type) {
    case FOURCC_MOOV:
      return take_moov (self, source, offset, header, error);
    case FOURCC_MOOF:
      return refuse_moof (self, offset, header, error);
    case FOURCC_MDAT:
      g_array_append_val (self->mdats, payload);
      return TRUE;
    case FOURCC_META:
      meta = bmff_source_read_box (source, offset, error);
      if (meta)
        g_ptr_array_add (self->metas, meta);
      return meta != NULL;
    default:
      return TRUE;
  }
}

/* The size that the source says may be that of a larger file than it gives. */
static gboolean
check_end (BmffSource *source, guint64 offset, const BmffHeader *header,
    GError **error)
{
  guint64 end;
  g_autoptr (GBytes) last = NULL;

  if (header->size == 0 || !g_uint64_checked_add (&end, offset, header->size))
    return refuse (offset, header, ENCRYPT_ERROR_INPUT, "its size is not known",
        error);
  last = bmff_source_read (source, end - 1, 1, error);
  if (!last)
    return FALSE;
  return g_bytes_get_size (last) == 1 ||
      refuse (offset, header, ENCRYPT_ERROR_INPUT,
          "the input ends before it does", error);
}

static gboolean
scan (EncryptBoxes *self, BmffSource *source, GError **error)
{
  GError *cause = NULL;
  BmffHeader header;
  guint64 offset = 0;

  while (bmff_source_read_header (source, offset, &header, &cause)) {
    if (!check_end (source, offset, &header, error) ||
        !take_box (self, source, offset, &header, error))
      return FALSE;
    offset += header.size;
  }
  self->size = offset;
  if (cause) {
    g_propagate_error (error, cause);
    return FALSE;
  }
  if (self->moov)
    return TRUE;
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "the input ends at offset %" G_GUINT64_FORMAT " without a moov", offset);
  return FALSE;
}

EncryptBoxes *
encrypt_boxes_new (BmffSource *source, GError **error)
{
  g_autoptr (EncryptBoxes) self = g_new0 (EncryptBoxes, 1);

  self->metas = g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
  self->mdats = g_array_new (FALSE, FALSE, sizeof (EncryptRange));
  return scan (self, source, error) ? g_steal_pointer (&self) : NULL;
}

void
encrypt_boxes_free (EncryptBoxes *self)
{
  g_clear_pointer (&self->moov, bmff_box_free);
  g_ptr_array_unref (self->metas);
  g_array_unref (self->mdats);
  g_free (self);
}

gboolean
encrypt_boxes_in_mdat (const EncryptBoxes *self, guint64 start, guint64 end)
{
  guint low = 0, high = self->mdats->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;
    const EncryptRange *mdat =
        &g_array_index (self->mdats, EncryptRange, middle);

    if (start >= mdat->start && end <= mdat->end)
      return TRUE;
    if (mdat->end <= start)
      low = middle + 1;
    else
      high = middle;
  }
  return FALSE;
}
