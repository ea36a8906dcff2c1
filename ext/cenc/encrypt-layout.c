/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-layout.h"

#include "cenc/encrypt-movie.h"

#define FOURCC_FTYP BMFF_FOURCC ('f', 't', 'y', 'p')
#define FOURCC_MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')
#define FOURCC_MOOF BMFF_FOURCC ('m', 'o', 'o', 'f')
#define FOURCC_MDAT BMFF_FOURCC ('m', 'd', 'a', 't')

/* More than this in front of moov and mdat: goes by way of a file. */
#define MAX_FRONT (16u << 20)

static const guint32 known_first[] = {
  FOURCC_FTYP,
  FOURCC_MOOV,
  FOURCC_MDAT,
  BMFF_FOURCC ('s', 't', 'y', 'p'),
  BMFF_FOURCC ('f', 'r', 'e', 'e'),
  BMFF_FOURCC ('s', 'k', 'i', 'p'),
  BMFF_FOURCC ('w', 'i', 'd', 'e'),
  BMFF_FOURCC ('u', 'u', 'i', 'd'),
  BMFF_FOURCC ('p', 'd', 'i', 'n'),
  BMFF_FOURCC ('m', 'e', 't', 'a'),
  BMFF_FOURCC ('p', 'n', 'o', 't'),
};

static gboolean
is_known_first (guint32 type)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (known_first); i++) {
    if (known_first[i] == type)
      return TRUE;
  }
  return FALSE;
}

static gboolean
refuse (guint64 offset, guint32 type, const gchar *why, GError **error)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "'%" BMFF_FOURCC_FORMAT "' at offset %" G_GUINT64_FORMAT " %s",
      BMFF_FOURCC_ARGS (type), offset, why);
  return FALSE;
}

static gboolean
probe_moov (EncryptQueue *queue, guint64 offset, const BmffHeader *header,
    EncryptLayout *layout, guint64 *wanted, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (BmffBox) moov = NULL;

  if (header->size == 0 || header->size > BMFF_MAX_HEADER_BOX)
    return refuse (offset, header->type, "has an impossible size", error);
  *wanted = offset + header->size;
  if (encrypt_queue_get_end (queue) < *wanted)
    return TRUE;
  bytes = encrypt_queue_get_bytes (queue, offset, header->size);
  moov = bmff_box_parse (bytes, offset, error);
  if (!moov)
    return FALSE;
  *layout = encrypt_movie_is_fragmented (moov) ? ENCRYPT_LAYOUT_FRAGMENTED
                                               : ENCRYPT_LAYOUT_PROGRESSIVE;
  return TRUE;
}

static gboolean
probe_box (EncryptQueue *queue, guint64 *offset, EncryptLayout *layout,
    guint64 *wanted, GError **error)
{
  BmffHeader header;
  guint8 bytes[32];
  gsize n = MIN (encrypt_queue_get_end (queue) - *offset, sizeof (bytes));
  BmffHeaderResult result;

  encrypt_queue_copy (queue, *offset, n, bytes);
  *wanted = *offset + sizeof (bytes);
  result = bmff_header_parse (&header, bytes, n);
  if (result == BMFF_HEADER_MORE)
    return TRUE;
  if (result != BMFF_HEADER_OK ||
      (*offset == 0 && !is_known_first (header.type)))
    return refuse (*offset, header.type,
        "is no box that an MP4 file starts with", error);
  if (header.type == FOURCC_MOOF)
    return refuse (*offset, header.type, "stands in front of any moov", error);
  if (header.type == FOURCC_MOOV)
    return probe_moov (queue, *offset, &header, layout, wanted, error);
  if (header.type == FOURCC_MDAT || header.size == 0 ||
      header.size > MAX_FRONT || *offset > MAX_FRONT)
    *layout = ENCRYPT_LAYOUT_PROGRESSIVE;
  *offset += header.size;
  *wanted = *offset + sizeof (bytes);
  return TRUE;
}

gboolean
encrypt_layout_probe (EncryptQueue *queue, EncryptLayout *layout,
    guint64 *wanted, GError **error)
{
  guint64 offset = encrypt_queue_get_start (queue), last;

  *layout = ENCRYPT_LAYOUT_MORE;
  *wanted = offset + 8;
  do {
    last = offset;
    if (offset < encrypt_queue_get_end (queue) &&
        !probe_box (queue, &offset, layout, wanted, error))
      return FALSE;
  } while (*layout == ENCRYPT_LAYOUT_MORE && offset != last);
  return TRUE;
}
