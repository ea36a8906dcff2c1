/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-ftyp.h"

#include "gst/isobmff/bmff-reader.h"
#include "gst/isobmff/bmff-writer.h"

#define FOURCC_FTYP BMFF_FOURCC ('f', 't', 'y', 'p')
#define BRAND_PIFF BMFF_FOURCC ('p', 'i', 'f', 'f')

/* size, type, major brand, minor version (ISO/IEC 14496-12, 4.3) */
#define BRANDS 16

gboolean
encrypt_ftyp_is_changed (const EncryptPlan *plan)
{
  return encrypt_plan_get_scheme (plan) == CENC_SCHEME_PIFF;
}

static gboolean
has_brand (const guint8 *data, gsize size)
{
  gsize at;

  if (size < BRANDS || size % 4 != 0 || bmff_get_u32 (data) != size)
    return TRUE; /* none that a brand could be added to */
  for (at = BRANDS; at < size; at += 4) {
    if (bmff_get_u32 (data + at) == BRAND_PIFF)
      return TRUE;
  }
  return FALSE;
}

GBytes *
encrypt_ftyp_protect (GBytes *ftyp, const EncryptPlan *plan)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (ftyp, &size);
  BmffWriter *writer;

  if (!encrypt_ftyp_is_changed (plan) || has_brand (data, size))
    return g_bytes_ref (ftyp);
  writer = bmff_writer_new (size + 4);
  bmff_writer_begin_box (writer, FOURCC_FTYP);
  bmff_writer_bytes (writer, data + 8, size - 8);
  bmff_writer_u32 (writer, BRAND_PIFF);
  bmff_writer_end_box (writer);
  return bmff_writer_end (writer);
}
