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
/* A long file has millions of samples: that many sizes are summed up at most. */
#define STRIDE 64
/* A box counts its bytes in 32 bits: with room for one sample more. */
#define MAX_DATA (G_MAXUINT32 - 1024)

typedef enum
{
  LAYOUT_UNKNOWN,
  LAYOUT_WHOLE, /* IVs only */
  LAYOUT_SUBSAMPLES,
} Layout;

/* Bytes that grow by a few with each sample. */
typedef struct
{
  GByteArray *array; /* as long as there is room */
  guint32 len; /* so much of it is filled */
} Bytes;

struct _CencAuxWriter
{
  CencScheme scheme;
  guint iv_size;
  Layout layout;
  Bytes data; /* as it stands in senc behind sample_count */
  Bytes sizes; /* of each sample's bytes in @data, as saiz has them */
  GArray
      *starts; /* guint32: where each STRIDEth sample's bytes start in @data */
  gboolean differs; /* the sizes do */
  guint32 foreseen; /* samples; 0: what is here counts */
  guint32 next,
      next_start; /* that sample's bytes, for who reads them in order */
};

static void
bytes_init (Bytes *self, guint room)
{
  self->array = g_byte_array_sized_new (room);
  g_byte_array_set_size (self->array, room);
}

/* Where the next @n bytes go. */
static guint8 *
bytes_extend (Bytes *self, guint n)
{
  guint32 start = self->len;

  self->len += n;
  if (self->len > self->array->len)
    g_byte_array_set_size (self->array,
        (guint) MIN ((guint64) self->len * 3 / 2, G_MAXUINT32));
  return self->array->data + start;
}

CencAuxWriter *
cenc_aux_writer_new (const CencParams *params)
{
  CencAuxWriter *self = g_new0 (CencAuxWriter, 1);

  self->scheme = params->scheme;
  self->iv_size = params->per_sample_iv_size;
  /* What a fragment mostly has */
  bytes_init (&self->data, 2048);
  bytes_init (&self->sizes, 256);
  self->starts = g_array_new (FALSE, FALSE, sizeof (guint32));
  return self;
}

void
cenc_aux_writer_free (CencAuxWriter *self)
{
  g_byte_array_unref (self->data.array);
  g_byte_array_unref (self->sizes.array);
  g_array_unref (self->starts);
  g_free (self);
}

guint32
cenc_aux_writer_get_count (const CencAuxWriter *self)
{
  return self->sizes.len;
}

/* That boxes tell of */
static guint32
count_told (const CencAuxWriter *self)
{
  return self->foreseen > 0 ? self->foreseen : self->sizes.len;
}

static guint32
start_of (const CencAuxWriter *self, guint32 index)
{
  guint32 i = index - index % STRIDE;
  guint32 start = g_array_index (self->starts, guint32, index / STRIDE);

  for (; i < index; i++)
    start += self->sizes.array->data[i];
  return start;
}

/* Ends a sample whose bytes start at @start; saiz counts them in 8 bits. */
static void
end_sample (CencAuxWriter *self, guint32 start)
{
  guint8 size = (guint8) (self->data.len - start);

  if (self->sizes.len % STRIDE == 0)
    g_array_append_val (self->starts, start);
  if (self->sizes.len > 0 && size != self->sizes.array->data[0])
    self->differs = TRUE;
  *bytes_extend (&self->sizes, 1) = size;
}

static gboolean
check_layout (CencAuxWriter *self, Layout layout, guint n_subsamples,
    GError **error)
{
  if (self->layout != LAYOUT_UNKNOWN && self->layout != layout) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "sample %u of a run %s subsamples, those before it %s",
        self->sizes.len + 1, layout == LAYOUT_SUBSAMPLES ? "has" : "has no",
        layout == LAYOUT_SUBSAMPLES ? "have none" : "have some");
    return FALSE;
  }
  if (n_subsamples > cenc_subsamples_get_max (self->iv_size)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "%u subsamples: saiz can count %u with an IV of %u bytes", n_subsamples,
        cenc_subsamples_get_max (self->iv_size), self->iv_size);
    return FALSE;
  }
  if (self->data.len > MAX_DATA) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "the IVs and subsamples of %u samples do not fit into 'senc'",
        self->sizes.len);
    return FALSE;
  }
  self->layout = layout;
  return TRUE;
}

/* There is one at least. */
static guint
size_subsamples (guint n)
{
  return 2 + MAX (n, 1) * CENC_SUBSAMPLE_SIZE;
}

/* Puts count and entries to @out. */
static void
put_subsamples (guint8 *out, const guint8 *subsamples, guint n)
{
  guint count = MAX (n, 1);

  out[0] = (guint8) (count >> 8);
  out[1] = (guint8) count;
  if (n == 0)
    memset (out + 2, 0, CENC_SUBSAMPLE_SIZE);
  else
    memcpy (out + 2, subsamples, (gsize) n * CENC_SUBSAMPLE_SIZE);
}

gboolean
cenc_aux_writer_add (CencAuxWriter *self, const guint8 *iv,
    const guint8 *subsamples, guint n_subsamples, GError **error)
{
  Layout layout = subsamples ? LAYOUT_SUBSAMPLES : LAYOUT_WHOLE;
  guint32 start = self->data.len;
  guint8 *at;

  if (!check_layout (self, layout, subsamples ? n_subsamples : 0, error))
    return FALSE;
  at = bytes_extend (&self->data,
      self->iv_size + (subsamples ? size_subsamples (n_subsamples) : 0));
  if (self->iv_size > 0)
    memcpy (at, iv, self->iv_size);
  if (subsamples)
    put_subsamples (at + self->iv_size, subsamples, n_subsamples);
  end_sample (self, start);
  return TRUE;
}

void
cenc_aux_writer_add_clear (CencAuxWriter *self)
{
  end_sample (self, self->data.len);
}

gboolean
cenc_aux_writer_get (CencAuxWriter *self, guint32 index, CencSampleAux *aux)
{
  const guint8 *data;
  guint32 start;
  guint8 size;

  if (index >= self->sizes.len)
    return FALSE;
  size = self->sizes.array->data[index];
  start = index == self->next ? self->next_start : start_of (self, index);
  self->next = index + 1;
  self->next_start = start + size;
  memset (aux, 0, sizeof *aux);
  if (size == 0)
    return TRUE;
  data = self->data.array->data + start;
  aux->iv = self->iv_size ? data : NULL;
  aux->iv_size = (guint8) self->iv_size;
  if (size > self->iv_size) {
    aux->subsamples = data + self->iv_size + 2;
    aux->n_subsamples = bmff_get_u16 (data + self->iv_size);
  }
  return TRUE;
}

gboolean
cenc_aux_writer_foresee (CencAuxWriter *self, guint32 count)
{
  guint64 size = self->sizes.len > 0 ? self->sizes.array->data[0] : 0;

  self->foreseen = 0;
  if (count == 0)
    return TRUE;
  if (count < self->sizes.len || self->differs ||
      size > self->iv_size + size_subsamples (1) || size * count > MAX_DATA)
    return FALSE;
  self->foreseen = count;
  size *= count;
  if (size > self->data.array->len)
    g_byte_array_set_size (self->data.array, (guint) size);
  return TRUE;
}

gboolean
cenc_aux_writer_is_as_foreseen (const CencAuxWriter *self)
{
  return !self->differs && self->sizes.len <= self->foreseen;
}

static BmffWriter *
begin_senc (const CencAuxWriter *self, gsize size)
{
  BmffWriter *writer = bmff_writer_new (8 + size);

  bmff_writer_u32 (writer,
      self->layout == LAYOUT_SUBSAMPLES ? SENC_SUBSAMPLES : 0);
  bmff_writer_u32 (writer, count_told (self));
  return writer;
}

static BmffBox *
end_senc (const CencAuxWriter *self, BmffWriter *writer)
{
  BmffBox *box;

  if (self->scheme != CENC_SCHEME_PIFF)
    return bmff_box_new (FOURCC_SENC, bmff_writer_end (writer));
  box = bmff_box_new (FOURCC_UUID, bmff_writer_end (writer));
  memcpy (box->uuid, CENC_PIFF_SENC_UUID, sizeof box->uuid);
  return box;
}

BmffBox *
cenc_aux_writer_to_senc (const CencAuxWriter *self)
{
  BmffWriter *writer = begin_senc (self, self->data.len);

  if (self->data.len > 0)
    bmff_writer_bytes (writer, self->data.array->data, self->data.len);
  return end_senc (self, writer);
}

static GBytes *
share (const Bytes *bytes, guint32 size)
{
  return g_bytes_new_with_free_func (bytes->array->data, size,
      (GDestroyNotify) g_byte_array_unref, g_byte_array_ref (bytes->array));
}

BmffBox *
cenc_aux_writer_share_senc (const CencAuxWriter *self)
{
  BmffBox *box = end_senc (self, begin_senc (self, 0));
  guint32 size = self->foreseen > 0
      ? self->foreseen * self->sizes.array->data[0]
      : self->data.len;

  box->trailer = share (&self->data, size);
  return box;
}

guint
cenc_aux_writer_get_data_offset (const CencAuxWriter *self)
{
  /* header, version and flags, sample_count */
  return (self->scheme == CENC_SCHEME_PIFF ? 24 : 8) + 4 + 4;
}

static BmffWriter *
begin_saiz (const CencAuxWriter *self)
{
  BmffWriter *writer = bmff_writer_new (9);

  bmff_writer_u32 (writer, 0);
  bmff_writer_u8 (writer, self->differs ? 0 : self->sizes.array->data[0]);
  bmff_writer_u32 (writer, count_told (self));
  return writer;
}

BmffBox *
cenc_aux_writer_to_saiz (const CencAuxWriter *self)
{
  BmffWriter *writer;

  if (self->data.len == 0)
    return NULL;
  writer = begin_saiz (self);
  if (self->differs)
    bmff_writer_bytes (writer, self->sizes.array->data, self->sizes.len);
  return bmff_box_new (FOURCC_SAIZ, bmff_writer_end (writer));
}

BmffBox *
cenc_aux_writer_share_saiz (const CencAuxWriter *self)
{
  BmffBox *box;

  if (self->data.len == 0)
    return NULL;
  box = bmff_box_new (FOURCC_SAIZ, bmff_writer_end (begin_saiz (self)));
  if (self->differs)
    box->trailer = share (&self->sizes, self->sizes.len);
  return box;
}

BmffBox *
cenc_aux_writer_to_saio (const CencAuxWriter *self, gboolean large)
{
  BmffWriter *writer;

  if (self->data.len == 0)
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
