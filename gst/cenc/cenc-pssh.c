/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-pssh.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#define FOURCC_PSSH BMFF_FOURCC ('p', 's', 's', 'h')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

const guint8 CENC_SYSTEM_COMMON[16] = { 0x10, 0x77, 0xef, 0xec, 0xc0, 0xb2,
  0x4d, 0x02, 0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2, 0xfb, 0x4b };
const guint8 CENC_SYSTEM_CLEARKEY[16] = { 0xe2, 0x71, 0x9d, 0x58, 0xa9, 0x85,
  0xb3, 0xc9, 0x78, 0x1a, 0xb0, 0x30, 0xaf, 0x78, 0xd3, 0x0e };
const guint8 CENC_SYSTEM_WIDEVINE[16] = { 0xed, 0xef, 0x8b, 0xa9, 0x79, 0xd6,
  0x4a, 0xce, 0xa3, 0xc8, 0x27, 0xdc, 0xd5, 0x1d, 0x21, 0xed };
const guint8 CENC_SYSTEM_PLAYREADY[16] = { 0x9a, 0x04, 0xf0, 0x79, 0x98, 0x40,
  0x42, 0x86, 0xab, 0x92, 0xe6, 0x5b, 0xe0, 0x88, 0x5f, 0x95 };
const guint8 CENC_SYSTEM_MARLIN[16] = { 0x5e, 0x62, 0x9a, 0xf5, 0x38, 0xda,
  0x40, 0x63, 0x89, 0x77, 0x97, 0xff, 0xbd, 0x99, 0x02, 0xd4 };
const guint8 CENC_SYSTEM_FAIRPLAY[16] = { 0x94, 0xce, 0x86, 0xfb, 0x07, 0xff,
  0x4f, 0x43, 0xad, 0xb8, 0x93, 0xd2, 0xfa, 0x96, 0x8c, 0xa2 };

static CencPssh *
pssh_alloc (void)
{
  CencPssh *self = g_new0 (CencPssh, 1);

  self->kids = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return self;
}

void
cenc_pssh_free (CencPssh *self)
{
  g_ptr_array_unref (self->kids);
  g_clear_pointer (&self->data, g_bytes_unref);
  g_free (self);
}

static void
read_kids (CencPssh *self, BmffReader *reader)
{
  guint32 i, n = bmff_reader_u32 (reader);

  /* Where they are not all there, the read of the last one fails. */
  for (i = 0; i < n && bmff_reader_ok (reader); i++) {
    const guint8 *kid = bmff_reader_bytes (reader, CENC_BLOCK_SIZE);

    if (kid)
      g_ptr_array_add (self->kids, g_bytes_new (kid, CENC_BLOCK_SIZE));
  }
}

static void
read_data (CencPssh *self, BmffReader *reader, GBytes *payload)
{
  guint32 size = bmff_reader_u32 (reader);
  gsize pos = reader->pos;

  if (bmff_reader_skip (reader, size))
    self->data = g_bytes_new_from_bytes (payload, pos, size);
}

CencPssh *
cenc_pssh_parse (const BmffBox *box, GError **error)
{
  g_autoptr (CencPssh) self = pssh_alloc ();
  const guint8 *system_id;
  BmffReader reader;

  if (!bmff_box_get_full_reader (box, &reader, &self->version, NULL, error))
    return NULL;
  if (self->version > 1) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "pssh at %" G_GUINT64_FORMAT ": version %u", box->offset,
        self->version);
    return NULL;
  }
  system_id = bmff_reader_bytes (&reader, sizeof self->system_id);
  if (system_id)
    memcpy (self->system_id, system_id, sizeof self->system_id);
  if (self->version == 1)
    read_kids (self, &reader);
  read_data (self, &reader, box->payload);
  if (!bmff_reader_ok (&reader)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "pssh at %" G_GUINT64_FORMAT " ends too early", box->offset);
    return NULL;
  }
  return g_steal_pointer (&self);
}

CencPssh *
cenc_pssh_new (const guint8 *system_id, const guint8 *kids, guint n_kids,
    GBytes *data)
{
  CencPssh *self = pssh_alloc ();
  guint i;

  self->version = n_kids > 0 ? 1 : 0;
  memcpy (self->system_id, system_id, sizeof self->system_id);
  for (i = 0; i < n_kids; i++)
    g_ptr_array_add (self->kids,
        g_bytes_new (kids + (gsize) i * CENC_BLOCK_SIZE, CENC_BLOCK_SIZE));
  self->data = data ? g_bytes_ref (data) : g_bytes_new (NULL, 0);
  return self;
}

static void
write_bytes (BmffWriter *writer, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (size > 0)
    bmff_writer_bytes (writer, data, size);
}

BmffBox *
cenc_pssh_to_box (const CencPssh *self)
{
  BmffWriter *writer = bmff_writer_new (32 + g_bytes_get_size (self->data));
  guint i;

  bmff_writer_u32 (writer, (guint32) self->version << 24);
  bmff_writer_bytes (writer, self->system_id, sizeof self->system_id);
  if (self->version > 0) {
    bmff_writer_u32 (writer, self->kids->len);
    for (i = 0; i < self->kids->len; i++)
      write_bytes (writer, g_ptr_array_index (self->kids, i));
  }
  bmff_writer_u32 (writer, (guint32) g_bytes_get_size (self->data));
  write_bytes (writer, self->data);
  return bmff_box_new (FOURCC_PSSH, bmff_writer_end (writer));
}
