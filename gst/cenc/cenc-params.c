/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-params.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#define FOURCC_TENC BMFF_FOURCC ('t', 'e', 'n', 'c')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

/* PIFF 1.1, 5.3.3.1 */
#define PIFF_ALGORITHM_NONE 0
#define PIFF_ALGORITHM_CTR 1
#define PIFF_ALGORITHM_CBC 2

const guint8 CENC_PIFF_TENC_UUID[16] = { 0x89, 0x74, 0xdb, 0xce, 0x7b, 0xe7,
  0x4c, 0x51, 0x84, 0xf9, 0x71, 0x48, 0xf9, 0x88, 0x25, 0x54 };
const guint8 CENC_PIFF_SENC_UUID[16] = { 0xa2, 0x39, 0x4f, 0x52, 0x5a, 0x9b,
  0x4f, 0x14, 0xa2, 0x44, 0x6c, 0x42, 0x7c, 0x64, 0x8d, 0xf4 };
const guint8 CENC_PIFF_PSSH_UUID[16] = { 0xd0, 0x8a, 0x4f, 0x18, 0x10, 0xf3,
  0x4a, 0x82, 0xb6, 0xc8, 0x32, 0xd8, 0xab, 0xa1, 0x83, 0xd3 };

static const struct
{
  guint32 fourcc;
  const gchar *name;
  CencMode mode;
  gboolean has_pattern;
} schemes[] = {
  [CENC_SCHEME_CENC] = { BMFF_FOURCC ('c', 'e', 'n', 'c'), "cenc",
      CENC_MODE_CTR, FALSE },
  [CENC_SCHEME_CBC1] = { BMFF_FOURCC ('c', 'b', 'c', '1'), "cbc1",
      CENC_MODE_CBC, FALSE },
  [CENC_SCHEME_CENS] = { BMFF_FOURCC ('c', 'e', 'n', 's'), "cens",
      CENC_MODE_CTR, TRUE },
  [CENC_SCHEME_CBCS] = { BMFF_FOURCC ('c', 'b', 'c', 's'), "cbcs",
      CENC_MODE_CBC, TRUE },
  [CENC_SCHEME_PIFF] = { BMFF_FOURCC ('p', 'i', 'f', 'f'), "piff",
      CENC_MODE_CTR, FALSE },
};

gboolean
cenc_scheme_from_fourcc (guint32 fourcc, CencScheme *scheme)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (schemes); i++) {
    if (schemes[i].fourcc == fourcc) {
      *scheme = (CencScheme) i;
      return TRUE;
    }
  }
  return FALSE;
}

guint32
cenc_scheme_to_fourcc (CencScheme scheme)
{
  return schemes[scheme].fourcc;
}

const gchar *
cenc_scheme_get_name (CencScheme scheme)
{
  return schemes[scheme].name;
}

CencMode
cenc_scheme_get_mode (CencScheme scheme)
{
  return schemes[scheme].mode;
}

gboolean
cenc_scheme_has_pattern (CencScheme scheme)
{
  return schemes[scheme].has_pattern;
}

/* --- checks --- */

static gboolean
refuse (GError **error, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error)
    *error = g_error_new_valist (GST_CENC_ERROR, GST_CENC_ERROR_FORMAT, format,
        args);
  va_end (args);
  return FALSE;
}

static gboolean
is_iv_size (guint size)
{
  return size == 0 || size == 8 || size == CENC_BLOCK_SIZE;
}

static gboolean
check_ivs (const CencParams *self, GError **error)
{
  const gchar *name = cenc_scheme_get_name (self->scheme);

  if (!is_iv_size (self->per_sample_iv_size))
    return refuse (error, "an IV size of %u bytes: 0, 8 and 16 are allowed",
        self->per_sample_iv_size);
  if (self->per_sample_iv_size > 0)
    return TRUE;
  if (self->constant_iv_size == 0)
    return refuse (error, "protected without an IV, by sample or constant");
  if (!is_iv_size (self->constant_iv_size))
    return refuse (error, "a constant IV of %u bytes: 8 and 16 are allowed",
        self->constant_iv_size);
  /* Each sample would take the same keystream, or show which ones begin alike. */
  if (self->scheme != CENC_SCHEME_CBCS)
    return refuse (error, "a constant IV with scheme %s: only cbcs has them",
        name);
  return TRUE;
}

static gboolean
check_pattern (const CencParams *self, GError **error)
{
  guint crypt = self->crypt_byte_block, skip = self->skip_byte_block;

  if (crypt == 0 && skip == 0)
    return TRUE;
  if (!cenc_scheme_has_pattern (self->scheme))
    return refuse (error, "pattern %u:%u with scheme %s, which has none", crypt,
        skip, cenc_scheme_get_name (self->scheme));
  if (crypt == 0 || crypt > 15 || skip > 15)
    return refuse (error, "pattern %u:%u", crypt, skip);
  return TRUE;
}

gboolean
cenc_params_check (const CencParams *self, GError **error)
{
  /* What is not protected may carry leftovers: nobody uses them. */
  if (!self->is_protected)
    return TRUE;
  if (self->per_sample_iv_size > 0 && self->constant_iv_size > 0)
    return refuse (error, "both a constant IV and IVs by sample");
  return check_ivs (self, error) && check_pattern (self, error);
}

/* --- reading --- */

static void
parse_pattern (CencParams *self, guint8 byte)
{
  self->crypt_byte_block = byte >> 4;
  self->skip_byte_block = byte & 15;
}

/* What tenc and seig end with: from isProtected on. */
static gboolean
parse_tail (CencParams *self, BmffReader *reader, const gchar *what,
    GError **error)
{
  guint8 is_protected = bmff_reader_u8 (reader);
  const guint8 *bytes;

  self->per_sample_iv_size = bmff_reader_u8 (reader);
  bytes = bmff_reader_bytes (reader, CENC_BLOCK_SIZE);
  if (bytes)
    memcpy (self->kid, bytes, CENC_BLOCK_SIZE);
  if (is_protected > 1)
    return refuse (error, "%s: isProtected is %u", what, is_protected);
  self->is_protected = is_protected;

  if (is_protected && self->per_sample_iv_size == 0) {
    self->constant_iv_size = bmff_reader_u8 (reader);
    bytes = bmff_reader_bytes (reader, self->constant_iv_size);
    if (bytes && self->constant_iv_size <= CENC_BLOCK_SIZE)
      memcpy (self->constant_iv, bytes, self->constant_iv_size);
  }
  if (!bmff_reader_ok (reader))
    return refuse (error, "%s ends too early", what);
  if (cenc_params_check (self, error))
    return TRUE;
  g_prefix_error (error, "%s: ", what);
  return FALSE;
}

/* "tenc at 1234", for messages. */
static gchar *
name_box (const BmffBox *box)
{
  return g_strdup_printf ("%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT,
      BMFF_FOURCC_ARGS (box->type), box->offset);
}

gboolean
cenc_params_parse_tenc (CencParams *self, CencScheme scheme,
    const BmffBox *tenc, GError **error)
{
  g_autofree gchar *what = name_box (tenc);
  BmffReader reader;
  guint8 version, pattern;

  memset (self, 0, sizeof *self);
  self->scheme = scheme;
  self->mode = cenc_scheme_get_mode (scheme);
  if (!bmff_box_get_full_reader (tenc, &reader, &version, NULL, error))
    return FALSE;
  if (version > 1) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "%s: version %u", what, version);
    return FALSE;
  }
  bmff_reader_skip (&reader, 1);
  pattern = bmff_reader_u8 (&reader);
  if (version == 1)
    parse_pattern (self, pattern);
  return parse_tail (self, &reader, what, error);
}

gboolean
cenc_params_parse_piff_tenc (CencParams *self, const BmffBox *box,
    GError **error)
{
  g_autofree gchar *what = name_box (box);
  BmffReader reader;

  if (!bmff_box_get_full_reader (box, &reader, NULL, NULL, error))
    return FALSE;
  if (cenc_params_parse_piff_algorithm (self, &reader, error))
    return TRUE;
  g_prefix_error (error, "PIFF's %s: ", what);
  return FALSE;
}

gboolean
cenc_params_parse_piff_algorithm (CencParams *self, BmffReader *reader,
    GError **error)
{
  guint32 algorithm = bmff_reader_u24 (reader);
  const guint8 *kid;

  memset (self, 0, sizeof *self);
  self->scheme = CENC_SCHEME_PIFF;
  self->mode = algorithm == PIFF_ALGORITHM_CBC ? CENC_MODE_CBC : CENC_MODE_CTR;
  self->is_protected = algorithm != PIFF_ALGORITHM_NONE;
  self->per_sample_iv_size = bmff_reader_u8 (reader);
  kid = bmff_reader_bytes (reader, CENC_BLOCK_SIZE);
  if (!kid)
    return refuse (error, "ends too early");
  memcpy (self->kid, kid, CENC_BLOCK_SIZE);
  if (algorithm > PIFF_ALGORITHM_CBC) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "AlgorithmID %u: 1 (AES-CTR) and 2 (AES-CBC) are known", algorithm);
    return FALSE;
  }
  return cenc_params_check (self, error);
}

gboolean
cenc_params_parse_seig (CencParams *self, const CencParams *track_default,
    GBytes *entry, GError **error)
{
  BmffReader reader;
  guint8 multi_key;

  memset (self, 0, sizeof *self);
  self->scheme = track_default->scheme;
  self->mode = track_default->mode;
  bmff_reader_init_bytes (&reader, entry);
  multi_key = bmff_reader_u8 (&reader) >> 7;
  if (multi_key) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "a seig group with several keys a sample");
    return FALSE;
  }
  parse_pattern (self, bmff_reader_u8 (&reader));
  return parse_tail (self, &reader, "seig group", error);
}

/* --- writing --- */

static void
write_tail (const CencParams *self, BmffWriter *writer)
{
  bmff_writer_u8 (writer, self->is_protected ? 1 : 0);
  bmff_writer_u8 (writer, self->is_protected ? self->per_sample_iv_size : 0);
  bmff_writer_bytes (writer, self->kid, CENC_BLOCK_SIZE);
  if (self->is_protected && self->per_sample_iv_size == 0) {
    bmff_writer_u8 (writer, self->constant_iv_size);
    bmff_writer_bytes (writer, self->constant_iv, self->constant_iv_size);
  }
}

static guint8
pattern_byte (const CencParams *self)
{
  return (guint8) (self->crypt_byte_block << 4 | self->skip_byte_block);
}

static BmffBox *
to_piff_tenc (const CencParams *self)
{
  BmffWriter *writer = bmff_writer_new (24);
  guint32 algorithm =
      self->mode == CENC_MODE_CBC ? PIFF_ALGORITHM_CBC : PIFF_ALGORITHM_CTR;
  BmffBox *box;

  bmff_writer_u32 (writer, 0);
  bmff_writer_u24 (writer,
      self->is_protected ? algorithm : PIFF_ALGORITHM_NONE);
  bmff_writer_u8 (writer, self->per_sample_iv_size);
  bmff_writer_bytes (writer, self->kid, CENC_BLOCK_SIZE);
  box = bmff_box_new (FOURCC_UUID, bmff_writer_end (writer));
  memcpy (box->uuid, CENC_PIFF_TENC_UUID, sizeof box->uuid);
  return box;
}

BmffBox *
cenc_params_to_tenc (const CencParams *self)
{
  BmffWriter *writer;
  guint8 pattern = pattern_byte (self);

  if (self->scheme == CENC_SCHEME_PIFF)
    return to_piff_tenc (self);
  writer = bmff_writer_new (48);
  bmff_writer_u32 (writer, pattern ? 1u << 24 : 0);
  bmff_writer_u8 (writer, 0);
  bmff_writer_u8 (writer, pattern);
  write_tail (self, writer);
  return bmff_box_new (FOURCC_TENC, bmff_writer_end (writer));
}

GBytes *
cenc_params_to_seig (const CencParams *self)
{
  BmffWriter *writer = bmff_writer_new (48);

  bmff_writer_u8 (writer, 0);
  bmff_writer_u8 (writer, pattern_byte (self));
  write_tail (self, writer);
  return bmff_writer_end (writer);
}
