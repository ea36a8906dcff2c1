/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-params.h"

#include <string.h>

#include "gst/isobmff/bmff-writer.h"
#include "remix-error.h"

#define FCC BMFF_FOURCC
#define AVC FCC ('a', 'v', 'c', '1')
#define HEVC FCC ('h', 'v', 'c', '1')

gboolean
remix_params_are_possible (const RemixFormat *self)
{
  return self->kind == REMIX_KIND_VIDEO &&
      (self->codec == AVC || self->codec == HEVC);
}

static gboolean
set_error (const RemixFormat *self, const gchar *what, GError **error)
{
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
      "%s: its parameter sets cannot be put among the samples: %s", self->text,
      what);
  return FALSE;
}

/* One set: 16 bits of length, as in the box, become @nal_length bytes. */
static gboolean
copy_set (BmffReader *reader, guint nal_length, BmffWriter *writer)
{
  guint16 size = bmff_reader_u16 (reader);
  const guint8 *data = bmff_reader_bytes (reader, size);

  if (!data || size == 0 || (nal_length == 1 && size > G_MAXUINT8))
    return FALSE;
  if (nal_length == 1)
    bmff_writer_u8 (writer, (guint8) size);
  else if (nal_length == 2)
    bmff_writer_u16 (writer, size);
  else
    bmff_writer_u32 (writer, size);
  bmff_writer_bytes (writer, data, size);
  return TRUE;
}

/* AVCDecoderConfigurationRecord (5.3.3.1.2): SPS, then PPS. What comes behind are
 * extensions that few profiles have. */
static gboolean
copy_avc (BmffReader *reader, guint *nal_length, BmffWriter *writer)
{
  guint list, i, n;

  bmff_reader_skip (reader, 4);
  *nal_length = (bmff_reader_u8 (reader) & 3) + 1u;
  if (*nal_length == 3)
    return FALSE;
  for (list = 0; list < 2; list++) {
    n = bmff_reader_u8 (reader);
    for (i = 0; i < (list == 0 ? n & 31 : n); i++) {
      if (!copy_set (reader, *nal_length, writer))
        return FALSE;
    }
  }
  return !reader->failed;
}

/* The arrays of one type in HEVCDecoderConfigurationRecord (8.3.3.1.2). */
static gboolean
copy_hevc_type (BmffReader reader, guint type, guint nal_length,
    BmffWriter *writer)
{
  guint arrays = bmff_reader_u8 (&reader), i, j;

  for (i = 0; i < arrays; i++) {
    guint array_type = bmff_reader_u8 (&reader) & 63;
    guint n = bmff_reader_u16 (&reader);

    for (j = 0; j < n; j++) {
      if (array_type != type)
        bmff_reader_skip (&reader, bmff_reader_u16 (&reader));
      else if (!copy_set (&reader, nal_length, writer))
        return FALSE;
      if (reader.failed)
        return FALSE;
    }
  }
  return !reader.failed;
}

static gboolean
copy_hevc (BmffReader *reader, guint *nal_length, BmffWriter *writer)
{
  static const guint types[] = { 32, 33, 34 }; /* VPS, SPS, PPS */
  guint i;

  bmff_reader_skip (reader, 21);
  *nal_length = (bmff_reader_u8 (reader) & 3) + 1u;
  if (*nal_length == 3)
    return FALSE;
  for (i = 0; i < G_N_ELEMENTS (types); i++) {
    if (!copy_hevc_type (*reader, types[i], *nal_length, writer))
      return FALSE;
  }
  return TRUE;
}

GBytes *
remix_params_get (const RemixFormat *self, guint *nal_length, GError **error)
{
  g_autoptr (BmffWriter) writer = bmff_writer_new (64);
  const guint8 *data;
  BmffReader reader;
  gsize size;
  gboolean ok;

  if (!self->config) {
    set_error (self, "it has no avcC or hvcC", error);
    return NULL;
  }
  data = g_bytes_get_data (self->config, &size);
  bmff_reader_init (&reader, data, size);
  ok = self->codec == AVC ? copy_avc (&reader, nal_length, writer)
                          : copy_hevc (&reader, nal_length, writer);
  if (!ok) {
    set_error (self, "its avcC or hvcC is damaged", error);
    return NULL;
  }
  return bmff_writer_end (g_steal_pointer (&writer));
}

/* The profile is the highest by number: of those in use each contains the lower
 * ones, or is told from them by the flags, which all have to allow. */
static void
merge_avc (guint8 *to, const guint8 *from)
{
  to[1] = MAX (to[1], from[1]);
  to[2] &= from[2];
  to[3] = MAX (to[3], from[3]);
}

/* Tier and profile share a byte, the higher tier is the higher number. */
static void
merge_hevc (guint8 *to, const guint8 *from)
{
  guint i;

  to[1] = MAX (to[1], from[1]);
  for (i = 2; i < 12; i++)
    to[i] &= from[i];
  to[12] = MAX (to[12], from[12]);
}

/* array_completeness says that no set is among the samples. */
static void
clear_completeness (guint8 *config, gsize size)
{
  BmffReader reader;
  guint arrays, i, j;

  bmff_reader_init (&reader, config, size);
  bmff_reader_skip (&reader, 22);
  arrays = bmff_reader_u8 (&reader);
  for (i = 0; i < arrays && !reader.failed; i++) {
    gsize at = size - bmff_reader_left (&reader);
    guint n;

    bmff_reader_u8 (&reader);
    n = bmff_reader_u16 (&reader);
    for (j = 0; j < n && !reader.failed; j++)
      bmff_reader_skip (&reader, bmff_reader_u16 (&reader));
    if (!reader.failed)
      config[at] &= 0x7f;
  }
}

GBytes *
remix_params_make_entry (const GPtrArray *formats)
{
  const RemixFormat *first = g_ptr_array_index (formats, 0);
  gsize size, config_size = g_bytes_get_size (first->config);
  const guint8 *data = g_bytes_get_data (first->entry, &size);
  guint8 *entry = g_memdup2 (data, size);
  guint8 *config = entry + first->config_at;
  guint i;

  g_assert (first->config_at + config_size <= size);
  bmff_put_u32 (entry + 4,
      first->codec == AVC ? FCC ('a', 'v', 'c', '3')
                          : FCC ('h', 'e', 'v', '1'));
  for (i = 1; i < formats->len; i++) {
    const RemixFormat *other = g_ptr_array_index (formats, i);
    const guint8 *from = g_bytes_get_data (other->config, NULL);

    if (first->codec == AVC)
      merge_avc (config, from);
    else
      merge_hevc (config, from);
  }
  if (first->codec == HEVC)
    clear_completeness (config, config_size);
  return g_bytes_new_take (entry, size);
}

gsize
remix_params_find_delimiter (const guint8 *data, gsize size, guint nal_length,
    gboolean hevc)
{
  guint64 length = 0;
  guint i;

  if (size < nal_length + 1u)
    return 0;
  for (i = 0; i < nal_length; i++)
    length = length << 8 | data[i];
  if ((hevc ? data[i] >> 1 & 63 : data[i] & 31) != (hevc ? 35 : 9) ||
      length > MIN (size, (gsize) REMIX_MAX_DELIMITER) - nal_length)
    return 0;
  return nal_length + (gsize) length;
}
