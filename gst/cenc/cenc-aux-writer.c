/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-aux.h"

#include <gst/cenc/gstcenckeysession.h>
#include <gst/cenc/cenc-subsamples.h>

#include <string.h>

#define FOURCC_SAIO BMFF_FOURCC ('s', 'a', 'i', 'o')
#define FOURCC_SAIZ BMFF_FOURCC ('s', 'a', 'i', 'z')
#define FOURCC_SENC BMFF_FOURCC ('s', 'e', 'n', 'c')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

#define SENC_SUBSAMPLES 2

typedef enum
{
  LAYOUT_UNKNOWN,
  LAYOUT_WHOLE, /* IVs only */
  LAYOUT_SUBSAMPLES,
} Layout;

struct _CencAuxWriter
{
  CencScheme scheme;
  guint iv_size;
  Layout layout;
  GByteArray *data; /* as it stands in senc behind sample_count */
  GArray *ends; /* guint32: where each sample's bytes end in @data */
};

CencAuxWriter *
cenc_aux_writer_new (const CencParams *params)
{
  CencAuxWriter *self = g_new0 (CencAuxWriter, 1);

  self->scheme = params->scheme;
  self->iv_size = params->per_sample_iv_size;
  self->data = g_byte_array_new ();
  self->ends = g_array_new (FALSE, FALSE, sizeof (guint32));
  return self;
}

void
cenc_aux_writer_free (CencAuxWriter *self)
{
  g_byte_array_unref (self->data);
  g_array_unref (self->ends);
  g_free (self);
}

guint32
cenc_aux_writer_get_count (const CencAuxWriter *self)
{
  return self->ends->len;
}

static guint32
end_of (const CencAuxWriter *self, guint32 index)
{
  return g_array_index (self->ends, guint32, index);
}

static guint32
start_of (const CencAuxWriter *self, guint32 index)
{
  return index > 0 ? end_of (self, index - 1) : 0;
}

static void
end_sample (CencAuxWriter *self)
{
  g_array_append_val (self->ends, self->data->len);
}

static gboolean
check_layout (CencAuxWriter *self, Layout layout, guint n_subsamples,
    GError **error)
{
  if (self->layout != LAYOUT_UNKNOWN && self->layout != layout) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "sample %u of a run %s subsamples, those before it %s",
        self->ends->len + 1, layout == LAYOUT_SUBSAMPLES ? "has" : "has no",
        layout == LAYOUT_SUBSAMPLES ? "have none" : "have some");
    return FALSE;
  }
  if (n_subsamples > cenc_subsamples_get_max (self->iv_size)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "%u subsamples: saiz can count %u with an IV of %u bytes", n_subsamples,
        cenc_subsamples_get_max (self->iv_size), self->iv_size);
    return FALSE;
  }
  self->layout = layout;
  return TRUE;
}

static void
append_subsamples (CencAuxWriter *self, const guint8 *subsamples, guint n)
{
  static const guint8 empty[CENC_SUBSAMPLE_SIZE] = { 0 };
  guint8 count[2];

  if (n == 0) {
    subsamples = empty;
    n = 1;
  }
  count[0] = (guint8) (n >> 8);
  count[1] = (guint8) n;
  g_byte_array_append (self->data, count, sizeof count);
  g_byte_array_append (self->data, subsamples, n * CENC_SUBSAMPLE_SIZE);
}

gboolean
cenc_aux_writer_add (CencAuxWriter *self, const guint8 *iv,
    const guint8 *subsamples, guint n_subsamples, GError **error)
{
  Layout layout = subsamples ? LAYOUT_SUBSAMPLES : LAYOUT_WHOLE;

  if (!check_layout (self, layout, subsamples ? n_subsamples : 0, error))
    return FALSE;
  if (self->iv_size > 0)
    g_byte_array_append (self->data, iv, self->iv_size);
  if (subsamples)
    append_subsamples (self, subsamples, n_subsamples);
  end_sample (self);
  return TRUE;
}

void
cenc_aux_writer_add_clear (CencAuxWriter *self)
{
  end_sample (self);
}

gboolean
cenc_aux_writer_get (const CencAuxWriter *self, guint32 index,
    CencSampleAux *aux)
{
  const guint8 *data;
  guint32 start, size;

  if (index >= self->ends->len)
    return FALSE;
  start = start_of (self, index);
  size = end_of (self, index) - start;
  memset (aux, 0, sizeof *aux);
  if (size == 0)
    return TRUE;
  data = self->data->data + start;
  aux->iv = self->iv_size ? data : NULL;
  aux->iv_size = (guint8) self->iv_size;
  if (size > self->iv_size) {
    aux->subsamples = data + self->iv_size + 2;
    aux->n_subsamples = bmff_get_u16 (data + self->iv_size);
  }
  return TRUE;
}

BmffBox *
cenc_aux_writer_to_senc (const CencAuxWriter *self)
{
  BmffWriter *writer = bmff_writer_new (8 + self->data->len);
  BmffBox *box;

  bmff_writer_u32 (writer,
      self->layout == LAYOUT_SUBSAMPLES ? SENC_SUBSAMPLES : 0);
  bmff_writer_u32 (writer, self->ends->len);
  if (self->data->len > 0)
    bmff_writer_bytes (writer, self->data->data, self->data->len);
  if (self->scheme != CENC_SCHEME_PIFF)
    return bmff_box_new (FOURCC_SENC, bmff_writer_end (writer));
  box = bmff_box_new (FOURCC_UUID, bmff_writer_end (writer));
  memcpy (box->uuid, CENC_PIFF_SENC_UUID, sizeof box->uuid);
  return box;
}

guint
cenc_aux_writer_get_data_offset (const CencAuxWriter *self)
{
  /* header, version and flags, sample_count */
  return (self->scheme == CENC_SCHEME_PIFF ? 24 : 8) + 4 + 4;
}

/* The size that all samples' information has, 0 if it differs. */
static guint8
common_size (const CencAuxWriter *self)
{
  guint32 i, size = end_of (self, 0);

  for (i = 1; i < self->ends->len; i++) {
    if (end_of (self, i) - start_of (self, i) != size)
      return 0;
  }
  return (guint8) size;
}

BmffBox *
cenc_aux_writer_to_saiz (const CencAuxWriter *self)
{
  BmffWriter *writer;
  guint8 size;
  guint32 i;

  if (self->data->len == 0)
    return NULL;
  writer = bmff_writer_new (9 + self->ends->len);
  size = common_size (self);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u8 (writer, size);
  bmff_writer_u32 (writer, self->ends->len);
  for (i = 0; size == 0 && i < self->ends->len; i++)
    bmff_writer_u8 (writer, (guint8) (end_of (self, i) - start_of (self, i)));
  return bmff_box_new (FOURCC_SAIZ, bmff_writer_end (writer));
}

BmffBox *
cenc_aux_writer_to_saio (const CencAuxWriter *self, gboolean large)
{
  BmffWriter *writer;

  if (self->data->len == 0)
    return NULL;
  writer = bmff_writer_new (16);
  bmff_writer_u32 (writer, large ? 1u << 24 : 0);
  bmff_writer_u32 (writer, 1);
  bmff_writer_zeros (writer, large ? 8 : 4);
  return bmff_box_new (FOURCC_SAIO, bmff_writer_end (writer));
}

void
cenc_saio_set_offset (BmffBox *saio, guint64 offset)
{
  gsize size;
  guint8 *payload = bmff_box_edit_payload (saio, &size);

  g_return_if_fail (size == 12 || size == 16);
  if (size == 16) {
    bmff_put_u64 (payload + 8, offset);
    return;
  }
  g_return_if_fail (offset <= G_MAXUINT32);
  bmff_put_u32 (payload + 8, (guint32) offset);
}
