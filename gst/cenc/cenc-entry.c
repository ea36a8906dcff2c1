/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-track.h"

#include <string.h>

#include "gst/cenc/cenc-refuse.h"

#define FOURCC_ALAC BMFF_FOURCC ('a', 'l', 'a', 'c')
#define FOURCC_ENCA BMFF_FOURCC ('e', 'n', 'c', 'a')
#define FOURCC_ENCV BMFF_FOURCC ('e', 'n', 'c', 'v')
#define FOURCC_FRMA BMFF_FOURCC ('f', 'r', 'm', 'a')
#define FOURCC_RESV BMFF_FOURCC ('r', 'e', 's', 'v')
#define FOURCC_SCHI BMFF_FOURCC ('s', 'c', 'h', 'i')
#define FOURCC_SCHM BMFF_FOURCC ('s', 'c', 'h', 'm')
#define FOURCC_SINF BMFF_FOURCC ('s', 'i', 'n', 'f')
#define FOURCC_TENC BMFF_FOURCC ('t', 'e', 'n', 'c')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

#define SCHEME_VERSION 0x00010000
#define PIFF_SCHEME_VERSION 0x00010001

gboolean
cenc_entry_type_is_protected (guint32 type)
{
  switch (type) {
    case FOURCC_ENCV:
    case FOURCC_ENCA:
    case BMFF_FOURCC ('e', 'n', 'c', 't'):
    case BMFF_FOURCC ('e', 'n', 'c', 's'):
    case BMFF_FOURCC ('e', 'n', 'c', 'm'):
    case BMFF_FOURCC ('e', 'n', 'c', 'u'):
    case BMFF_FOURCC ('e', 'n', 'c', '3'):
      return TRUE;
    default:
      return FALSE;
  }
}

/* --- reading --- */

/* FALSE with an error if there is no schm or it is cut off. */
static gboolean
read_scheme_type (const BmffBox *sinf, guint32 *type, GError **error)
{
  const BmffBox *schm = bmff_box_child (sinf, FOURCC_SCHM);
  BmffReader reader;

  if (!schm)
    return cenc_refuse_box (sinf, error, GST_CENC_ERROR_FORMAT,
        "there is no schm in it");
  if (!bmff_box_get_full_reader (schm, &reader, NULL, NULL, error))
    return FALSE;
  *type = bmff_reader_u32 (&reader);
  if (!bmff_reader_ok (&reader))
    return cenc_refuse_box (schm, error, GST_CENC_ERROR_FORMAT,
        "it ends too early");
  return TRUE;
}

static gboolean
read_original_format (const BmffBox *sinf, guint32 *format, GError **error)
{
  const BmffBox *frma = bmff_box_child (sinf, FOURCC_FRMA);
  BmffReader reader;

  if (!frma)
    return cenc_refuse_box (sinf, error, GST_CENC_ERROR_FORMAT,
        "there is no frma in it");
  bmff_box_get_reader (frma, &reader);
  *format = bmff_reader_u32 (&reader);
  if (!bmff_reader_ok (&reader))
    return cenc_refuse_box (frma, error, GST_CENC_ERROR_FORMAT,
        "it ends too early");
  /* Wrapped twice: what was inside would come out as something it is not. */
  if (cenc_entry_type_is_protected (*format))
    return cenc_refuse_box (frma, error, GST_CENC_ERROR_UNSUPPORTED,
        "the original format is protected as well");
  return TRUE;
}

/* The sinf of one of our schemes; NULL with an error if there is none. */
static const BmffBox *
find_sinf (const BmffBox *entry, CencScheme *scheme, GError **error)
{
  const BmffBox *sinf;
  guint32 other = 0;
  guint next = 0;

  while ((sinf = bmff_box_next_child (entry, FOURCC_SINF, &next))) {
    guint32 type = 0;

    if (!read_scheme_type (sinf, &type, error))
      return NULL;
    if (cenc_scheme_from_fourcc (type, scheme))
      return sinf;
    other = type;
  }
  if (!bmff_box_child (entry, FOURCC_SINF))
    cenc_refuse_box (entry, error, GST_CENC_ERROR_FORMAT,
        "there is no sinf in it");
  else
    cenc_refuse_box (entry, error, GST_CENC_ERROR_UNSUPPORTED,
        "protected by scheme \"%" BMFF_FOURCC_FORMAT
        "\", which is none of Common Encryption",
        BMFF_FOURCC_ARGS (other));
  return NULL;
}

static const BmffBox *
find_piff_tenc (const BmffBox *schi)
{
  const BmffBox *box;
  guint next = 0;

  while ((box = bmff_box_next_child (schi, FOURCC_UUID, &next))) {
    if (memcmp (box->uuid, CENC_PIFF_TENC_UUID, sizeof box->uuid) == 0)
      return box;
  }
  return NULL;
}

static gboolean
read_params (const BmffBox *sinf, CencScheme scheme, CencParams *params,
    GError **error)
{
  const BmffBox *schi = bmff_box_child (sinf, FOURCC_SCHI);
  const BmffBox *tenc = schi ? bmff_box_child (schi, FOURCC_TENC) : NULL;
  const BmffBox *piff = schi ? find_piff_tenc (schi) : NULL;

  /* A file can carry both; the scheme says which one speaks. */
  if (piff && (!tenc || scheme == CENC_SCHEME_PIFF))
    return cenc_params_parse_piff_tenc (params, piff, error);
  if (tenc)
    return cenc_params_parse_tenc (params, scheme, tenc, error);
  return cenc_refuse_box (sinf, error, GST_CENC_ERROR_FORMAT,
      "there is no tenc in it");
}

/* A restricted entry (14496-12, 8.15) may be protected as well or not. */
static gboolean
is_wrapped (const BmffBox *entry)
{
  return cenc_entry_type_is_protected (entry->type) ||
      (entry->type == FOURCC_RESV && entry->children &&
          bmff_box_child (entry, FOURCC_SINF));
}

/* An entry with a sinf that says it was named otherwise before it was protected:
 * its name is damaged, and its samples are not clear. A tool that has decrypted
 * and left the sinf behind has put the original name back. */
static gboolean
refuse_hidden_entry (const BmffBox *entry, GError **error)
{
  const BmffBox *sinf =
      entry->children ? bmff_box_child (entry, FOURCC_SINF) : NULL;
  guint32 format = 0, scheme = 0;
  CencScheme known;

  if (!sinf || !read_original_format (sinf, &format, NULL) ||
      format == entry->type || !read_scheme_type (sinf, &scheme, NULL) ||
      !cenc_scheme_from_fourcc (scheme, &known))
    return TRUE;
  return cenc_refuse_box (entry, error, GST_CENC_ERROR_FORMAT,
      "a sinf in what is no protected sample entry");
}

gboolean
cenc_entry_parse (const BmffBox *entry, CencEntry *self, GError **error)
{
  CencScheme scheme = CENC_SCHEME_CENC;
  const BmffBox *sinf;

  memset (self, 0, sizeof *self);
  self->original_format = entry->type;
  if (!is_wrapped (entry))
    return refuse_hidden_entry (entry, error);
  if (!entry->children)
    return cenc_refuse_box (entry, error, GST_CENC_ERROR_UNSUPPORTED,
        "a protected track that is neither video nor audio");
  sinf = find_sinf (entry, &scheme, error);
  if (!sinf || !read_original_format (sinf, &self->original_format, error) ||
      !read_params (sinf, scheme, &self->params, error))
    return FALSE;
  self->is_wrapped = TRUE;
  return TRUE;
}

/* --- writing --- */

static BmffBox *
make_frma (guint32 format)
{
  BmffWriter *writer = bmff_writer_new (4);

  bmff_writer_u32 (writer, format);
  return bmff_box_new (FOURCC_FRMA, bmff_writer_end (writer));
}

static BmffBox *
make_schm (CencScheme scheme)
{
  BmffWriter *writer = bmff_writer_new (12);

  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, cenc_scheme_to_fourcc (scheme));
  bmff_writer_u32 (writer,
      scheme == CENC_SCHEME_PIFF ? PIFF_SCHEME_VERSION : SCHEME_VERSION);
  return bmff_box_new (FOURCC_SCHM, bmff_writer_end (writer));
}

static BmffBox *
make_sinf (guint32 format, const CencParams *params)
{
  BmffBox *sinf = bmff_box_new_container (FOURCC_SINF);
  BmffBox *schi = bmff_box_new_container (FOURCC_SCHI);

  bmff_box_append (schi, cenc_params_to_tenc (params));
  bmff_box_append (sinf, make_frma (format));
  bmff_box_append (sinf, make_schm (params->scheme));
  bmff_box_append (sinf, schi);
  return sinf;
}

gboolean
cenc_entry_wrap (BmffBox *entry, guint32 handler, const CencParams *params,
    GError **error)
{
  gboolean audio = handler == BMFF_HANDLER_AUDIO;
  guint place;

  if (is_wrapped (entry))
    return cenc_refuse_box (entry, error, GST_CENC_ERROR_UNSUPPORTED,
        "it is protected already");
  if ((!audio && handler != BMFF_HANDLER_VIDEO) || !entry->children)
    return cenc_refuse_box (entry, error, GST_CENC_ERROR_UNSUPPORTED,
        "only video and audio can be protected");
  if (!cenc_params_check (params, error))
    return FALSE;
  /* Few readers look for sinf behind the fields of QuickTime's versions. */
  if (audio && !cenc_sound_make_plain (entry, error))
    return FALSE;

  /* ffmpeg takes an alac box for what it is only when frma has told the codec;
   * the standard has no order (ISO/IEC 14496-12, 8.12). */
  place = entry->type == FOURCC_ALAC ? 0 : entry->children->len;
  bmff_box_insert (entry, place, make_sinf (entry->type, params));
  entry->type = audio ? FOURCC_ENCA : FOURCC_ENCV;
  return TRUE;
}
