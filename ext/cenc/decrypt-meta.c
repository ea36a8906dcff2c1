/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-meta.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

enum
{
  MAP_IV,
  MAP_SUBSAMPLES
};

void
decrypt_meta_clear (DecryptMeta *self)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (self->buffers); i++) {
    if (self->buffers[i])
      gst_buffer_unmap (self->buffers[i], &self->maps[i]);
    gst_clear_buffer (&self->buffers[i]);
  }
}

static gboolean
fail (GError **error, gint code, const gchar *message)
{
  g_set_error (error, GST_CENC_ERROR, code, "protection meta: %s", message);
  return FALSE;
}

static guint
get_uint (const GstStructure *info, const gchar *name)
{
  guint value = 0;

  (void) gst_structure_get_uint (info, name, &value);
  return value;
}

/* (transfer none) (nullable) */
static GstBuffer *
get_buffer (const GstStructure *info, const gchar *name)
{
  const GValue *value = gst_structure_get_value (info, name);

  return value && G_VALUE_HOLDS (value, GST_TYPE_BUFFER)
      ? gst_value_get_buffer (value)
      : NULL;
}

static gboolean
map (DecryptMeta *self, guint index, GstBuffer *buffer)
{
  if (!gst_buffer_map (buffer, &self->maps[index], GST_MAP_READ))
    return FALSE;
  self->buffers[index] = gst_buffer_ref (buffer);
  return TRUE;
}

/* WebM knows AES-CTR only, and Smooth Streaming's caps have no mode at all. */
static gboolean
read_mode (CencParams *params, const gchar *mode, GError **error)
{
  if (!mode || g_str_equal (mode, "None") || g_str_equal (mode, "CTR") ||
      g_str_equal (mode, "cenc"))
    params->scheme = CENC_SCHEME_CENC;
  else if (g_str_equal (mode, "cbcs"))
    params->scheme = CENC_SCHEME_CBCS;
  else if (g_str_equal (mode, "cens"))
    params->scheme = CENC_SCHEME_CENS;
  else if (g_str_equal (mode, "cbc1"))
    params->scheme = CENC_SCHEME_CBC1;
  else
    return fail (error, GST_CENC_ERROR_UNSUPPORTED, "unknown cipher-mode");
  params->mode = cenc_scheme_get_mode (params->scheme);
  return TRUE;
}

/* PIFF's AlgorithmID is 24 bits; demuxers have been seen to read it 8 bits too
 * far. It counts more than cipher-mode, which says "cenc" of PIFF's CBC too. */
static gboolean
read_piff (CencParams *params, const GstStructure *info, GError **error)
{
  if (!gst_structure_has_field (info, "piff_algorithm_id"))
    return TRUE;
  switch (get_uint (info, "piff_algorithm_id")) {
    case 0:
      params->is_protected = FALSE;
      return TRUE;
    case 1:
    case 1 << 8:
      params->mode = CENC_MODE_CTR;
      break;
    case 2:
    case 2 << 8:
      params->mode = CENC_MODE_CBC;
      break;
    default:
      return fail (error, GST_CENC_ERROR_UNSUPPORTED, "unknown PIFF algorithm");
  }
  params->scheme = CENC_SCHEME_PIFF;
  return TRUE;
}

static gboolean
read_pattern (CencParams *params, const GstStructure *info, GError **error)
{
  guint crypt = get_uint (info, "crypt_byte_block");
  guint skip = get_uint (info, "skip_byte_block");

  if (crypt > 15 || skip > 15 || (crypt == 0 && skip > 0))
    return fail (error, GST_CENC_ERROR_FORMAT, "impossible pattern");
  params->crypt_byte_block = (guint8) crypt;
  params->skip_byte_block = (guint8) skip;
  return TRUE;
}

static gboolean
read_kid (CencParams *params, const GstStructure *info, GError **error)
{
  GstBuffer *kid = get_buffer (info, "kid");

  if (!kid || gst_buffer_get_size (kid) != sizeof params->kid)
    return fail (error, GST_CENC_ERROR_FORMAT, "no KID of 16 bytes");
  gst_buffer_extract (kid, 0, params->kid, sizeof params->kid);
  return TRUE;
}

/* A per-sample IV and a constant one stand in the same field; "constant_iv" is
 * what other demuxers may come to write. */
static gboolean
read_iv (DecryptMeta *self, const GstStructure *info, GError **error)
{
  GstBuffer *iv = get_buffer (info, "iv");

  if (!iv)
    iv = get_buffer (info, "constant_iv");
  if (!iv || !map (self, MAP_IV, iv))
    return fail (error, GST_CENC_ERROR_FORMAT, "no IV");
  if (self->maps[MAP_IV].size != 8 && self->maps[MAP_IV].size != 16)
    return fail (error, GST_CENC_ERROR_FORMAT,
        "an IV of neither 8 nor 16 bytes");

  self->aux.iv = self->maps[MAP_IV].data;
  self->aux.iv_size = (guint8) self->maps[MAP_IV].size;
  self->params.per_sample_iv_size = self->aux.iv_size;
  return TRUE;
}

static gboolean
read_subsamples (DecryptMeta *self, const GstStructure *info, GError **error)
{
  guint count = get_uint (info, "subsample_count");
  GstBuffer *buffer = get_buffer (info, "subsamples");

  self->has_count = gst_structure_has_field (info, "subsample_count");
  if (count == 0)
    return TRUE;
  if (!buffer || !map (self, MAP_SUBSAMPLES, buffer) ||
      self->maps[MAP_SUBSAMPLES].size / CENC_SUBSAMPLE_SIZE < count)
    return fail (error, GST_CENC_ERROR_FORMAT,
        "fewer subsamples than it counts");

  self->aux.subsamples = self->maps[MAP_SUBSAMPLES].data;
  self->aux.n_subsamples = count;
  return TRUE;
}

gboolean
decrypt_meta_read (DecryptMeta *self, const GstStructure *info,
    const gchar *cipher_mode, GError **error)
{
  g_auto (DecryptMeta) meta = { { 0 } };
  const gchar *mode = gst_structure_get_string (info, "cipher-mode");
  gboolean encrypted = TRUE;

  (void) gst_structure_get_boolean (info, "encrypted", &encrypted);
  meta.params.is_protected = encrypted;
  if (!read_mode (&meta.params, mode ? mode : cipher_mode, error) ||
      !read_piff (&meta.params, info, error))
    return FALSE;
  if (meta.params.is_protected &&
      (!read_pattern (&meta.params, info, error) ||
          !read_kid (&meta.params, info, error) ||
          !read_iv (&meta, info, error) ||
          !read_subsamples (&meta, info, error)))
    return FALSE;

  *self = meta;
  memset (meta.buffers, 0, sizeof meta.buffers);
  return TRUE;
}
