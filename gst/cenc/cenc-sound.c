/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QuickTime's sound description of version 1, as qtmux and others write it into .mov:
 * 16 more bytes of fields, and the codec's configuration in a `wave`. */

#include "gst/cenc/cenc-track.h"

#include <string.h>

#include "gst/cenc/cenc-refuse.h"
#include "gst/isobmff/bmff-reader.h"

#define FOURCC_WAVE BMFF_FOURCC ('w', 'a', 'v', 'e')

#define PLAIN_FIELDS 28
#define QUICKTIME_FIELDS 44
/* Places in the fields, and the ID of "each sample of the tables is a packet". */
#define VERSION 8
#define COMPRESSION_ID 20
#define COMPRESSION_OF_PACKETS 0xfffe

static gboolean
check_fields (const BmffBox *entry, GError **error)
{
  gsize size;
  const guint8 *fields = g_bytes_get_data (entry->payload, &size);

  if (size == QUICKTIME_FIELDS &&
      bmff_get_u16 (fields + COMPRESSION_ID) == COMPRESSION_OF_PACKETS)
    return TRUE;
  return cenc_refuse_box (entry, error, GST_CENC_ERROR_UNSUPPORTED,
      "a QuickTime sound description %s",
      size == QUICKTIME_FIELDS ? "whose samples are no packets"
                               : "of version 2");
}

/* What only a `wave` has: the name of the codec, twice, the byte order of PCM, and
 * the end. */
static gboolean
is_of_wave (const BmffBox *box, guint32 codec)
{
  return box->type == 0 || box->type == BMFF_FOURCC ('f', 'r', 'm', 'a') ||
      box->type == BMFF_FOURCC ('e', 'n', 'd', 'a') ||
      (box->type == codec && g_bytes_get_size (box->payload) <= 4);
}

/* (element-type BmffBox): what is in @wave; NULL with @error */
static GPtrArray *
open_wave (const BmffBox *wave, GError **error)
{
  g_autoptr (GPtrArray) boxes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
  gsize size = g_bytes_get_size (wave->payload), pos = 0;

  while (size - pos >= 8) {
    g_autoptr (GBytes) rest =
        g_bytes_new_from_bytes (wave->payload, pos, size - pos);
    BmffBox *box =
        bmff_box_parse (rest, wave->offset + wave->header_size + pos, error);

    if (!box)
      return NULL;
    pos += box->parsed_size;
    g_ptr_array_add (boxes, box);
  }
  return g_steal_pointer (&boxes);
}

static gboolean
empty_wave (BmffBox *entry, BmffBox *wave, GError **error)
{
  g_autoptr (GPtrArray) boxes = open_wave (wave, error);
  guint i;

  if (!boxes)
    return FALSE;
  for (i = 0; i < boxes->len; i++) {
    const BmffBox *box = g_ptr_array_index (boxes, i);

    if (!is_of_wave (box, entry->type))
      bmff_box_append (entry, bmff_box_copy (box));
  }
  bmff_box_remove (entry, wave);
  return TRUE;
}

gboolean
cenc_sound_make_plain (BmffBox *entry, GError **error)
{
  guint8 *fields;
  BmffBox *wave;

  if (g_bytes_get_size (entry->payload) == PLAIN_FIELDS)
    return TRUE;
  if (!check_fields (entry, error))
    return FALSE;
  wave = bmff_box_child (entry, FOURCC_WAVE);
  if (wave && !empty_wave (entry, wave, error))
    return FALSE;
  bmff_box_set_payload (entry,
      g_bytes_new (g_bytes_get_data (entry->payload, NULL), PLAIN_FIELDS));
  fields = bmff_box_edit_payload (entry, NULL);
  memset (fields + VERSION, 0, 8); /* with revision and vendor */
  memset (fields + COMPRESSION_ID, 0, 4); /* with the packet size */
  return TRUE;
}
