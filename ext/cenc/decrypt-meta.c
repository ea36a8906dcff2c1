/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-meta.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

/* What is read of a meta. */
typedef enum
{
  FIELD_ENCRYPTED,
  FIELD_CIPHER_MODE,
  FIELD_PIFF_ALGORITHM_ID,
  FIELD_CRYPT_BYTE_BLOCK,
  FIELD_SKIP_BYTE_BLOCK,
  FIELD_KID,
  FIELD_IV,
  FIELD_CONSTANT_IV,
  FIELD_SUBSAMPLE_COUNT,
  FIELD_SUBSAMPLES,
  N_FIELDS
} Field;

static const gchar *const names[N_FIELDS] = {
  [FIELD_ENCRYPTED] = "encrypted",
  [FIELD_CIPHER_MODE] = "cipher-mode",
  [FIELD_PIFF_ALGORITHM_ID] = "piff_algorithm_id",
  [FIELD_CRYPT_BYTE_BLOCK] = "crypt_byte_block",
  [FIELD_SKIP_BYTE_BLOCK] = "skip_byte_block",
  [FIELD_KID] = "kid",
  [FIELD_IV] = "iv",
  [FIELD_CONSTANT_IV] = "constant_iv",
  [FIELD_SUBSAMPLE_COUNT] = "subsample_count",
  [FIELD_SUBSAMPLES] = "subsamples",
};

/* The values of one meta; NULL: it has no such field. */
typedef struct
{
  const GValue *values[N_FIELDS];
} Fields;

void
decrypt_meta_clear (DecryptMeta *self)
{
  if (self->buffer)
    gst_buffer_unmap (self->buffer, &self->map);
  gst_clear_buffer (&self->buffer);
}

static gboolean
fail (GError **error, gint code, const gchar *message)
{
  g_set_error (error, GST_CENC_ERROR, code, "protection meta: %s", message);
  return FALSE;
}

/*
 * The fields in one go: to look each one up takes a third of what a small sample
 * takes altogether.
 */

#if GST_CHECK_VERSION(1, 26, 0)

static gboolean
take_field (const GstIdStr *id, const GValue *value, gpointer user_data)
{
  const gchar *name = gst_id_str_as_str (id);
  Fields *fields = user_data;
  guint i;

  for (i = 0; i < N_FIELDS; i++) {
    if (strcmp (name, names[i]) == 0) {
      fields->values[i] = value;
      break;
    }
  }
  return TRUE;
}

static void
take_fields (const GstStructure *info, Fields *fields)
{
  gst_structure_foreach_id_str (info, take_field, fields);
}

#else

static const GQuark *
get_quarks (void)
{
  static GQuark quarks[N_FIELDS];
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    guint i;

    for (i = 0; i < N_FIELDS; i++)
      quarks[i] = g_quark_from_static_string (names[i]);
    g_once_init_leave (&once, 1);
  }
  return quarks;
}

static gboolean
take_field (GQuark id, const GValue *value, gpointer user_data)
{
  const GQuark *quarks = get_quarks ();
  Fields *fields = user_data;
  guint i;

  for (i = 0; i < N_FIELDS; i++) {
    if (id == quarks[i]) {
      fields->values[i] = value;
      break;
    }
  }
  return TRUE;
}

static void
take_fields (const GstStructure *info, Fields *fields)
{
  gst_structure_foreach (info, take_field, fields);
}

#endif

static guint
get_uint (const Fields *fields, Field field)
{
  const GValue *value = fields->values[field];

  return value && G_VALUE_HOLDS_UINT (value) ? g_value_get_uint (value) : 0;
}

static gboolean
get_boolean (const Fields *fields, Field field, gboolean otherwise)
{
  const GValue *value = fields->values[field];

  return value && G_VALUE_HOLDS_BOOLEAN (value) ? g_value_get_boolean (value)
                                                : otherwise;
}

/* (transfer none) (nullable) */
static const gchar *
get_string (const Fields *fields, Field field)
{
  const GValue *value = fields->values[field];

  return value && G_VALUE_HOLDS_STRING (value) ? g_value_get_string (value)
                                               : NULL;
}

/* (transfer none) (nullable) */
static GstBuffer *
get_buffer (const Fields *fields, Field field)
{
  const GValue *value = fields->values[field];

  return value && G_VALUE_HOLDS (value, GST_TYPE_BUFFER)
      ? gst_value_get_buffer (value)
      : NULL;
}

/* The bytes of a buffer of at most @max, or -1. Most have one memory, which is
 * mapped by itself at half the price. */
static gssize
copy_small (GstBuffer *buffer, guint8 *out, gsize max)
{
  GstMapInfo map;
  GstMemory *memory;

  if (gst_buffer_n_memory (buffer) != 1) {
    gsize size = gst_buffer_get_size (buffer);

    return size <= max && gst_buffer_extract (buffer, 0, out, size) == size
        ? (gssize) size
        : -1;
  }
  memory = gst_buffer_peek_memory (buffer, 0);
  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return -1;
  if (map.size <= max)
    memcpy (out, map.data, map.size);
  gst_memory_unmap (memory, &map);
  return map.size <= max ? (gssize) map.size : -1;
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
read_piff (CencParams *params, const Fields *fields, GError **error)
{
  if (!fields->values[FIELD_PIFF_ALGORITHM_ID])
    return TRUE;
  switch (get_uint (fields, FIELD_PIFF_ALGORITHM_ID)) {
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
read_pattern (CencParams *params, const Fields *fields, GError **error)
{
  guint crypt = get_uint (fields, FIELD_CRYPT_BYTE_BLOCK);
  guint skip = get_uint (fields, FIELD_SKIP_BYTE_BLOCK);

  if (crypt > 15 || skip > 15 || (crypt == 0 && skip > 0))
    return fail (error, GST_CENC_ERROR_FORMAT, "impossible pattern");
  params->crypt_byte_block = (guint8) crypt;
  params->skip_byte_block = (guint8) skip;
  return TRUE;
}

static gboolean
read_kid (CencParams *params, const Fields *fields, const guint8 *default_kid,
    GError **error)
{
  GstBuffer *kid = get_buffer (fields, FIELD_KID);

  if (!kid && default_kid) {
    memcpy (params->kid, default_kid, sizeof params->kid);
    return TRUE;
  }
  if (!kid ||
      copy_small (kid, params->kid, sizeof params->kid) != sizeof params->kid)
    return fail (error, GST_CENC_ERROR_FORMAT, "no KID of 16 bytes");
  return TRUE;
}

/* A per-sample IV and a constant one stand in the same field; "constant_iv" is
 * what other demuxers may come to write. */
static gboolean
read_iv (DecryptMeta *self, const Fields *fields, GError **error)
{
  GstBuffer *iv = get_buffer (fields, FIELD_IV);
  gssize size;

  if (!iv)
    iv = get_buffer (fields, FIELD_CONSTANT_IV);
  if (!iv)
    return fail (error, GST_CENC_ERROR_FORMAT, "no IV");
  size = copy_small (iv, self->iv, sizeof self->iv);
  if (size != 8 && size != 16)
    return fail (error, GST_CENC_ERROR_FORMAT,
        "an IV of neither 8 nor 16 bytes");

  self->aux.iv = self->iv;
  self->aux.iv_size = (guint8) size;
  self->params.per_sample_iv_size = self->aux.iv_size;
  return TRUE;
}

static gboolean
map (DecryptMeta *self, GstBuffer *buffer)
{
  if (!gst_buffer_map (buffer, &self->map, GST_MAP_READ))
    return FALSE;
  self->buffer = gst_buffer_ref (buffer);
  return TRUE;
}

static gboolean
read_subsamples (DecryptMeta *self, const Fields *fields, GError **error)
{
  guint count = get_uint (fields, FIELD_SUBSAMPLE_COUNT);
  GstBuffer *buffer = get_buffer (fields, FIELD_SUBSAMPLES);

  self->has_count = fields->values[FIELD_SUBSAMPLE_COUNT] != NULL;
  if (count == 0)
    return TRUE;
  if (!buffer || !map (self, buffer) ||
      self->map.size / CENC_SUBSAMPLE_SIZE < count)
    return fail (error, GST_CENC_ERROR_FORMAT,
        "fewer subsamples than it counts");

  self->aux.subsamples = self->map.data;
  self->aux.n_subsamples = count;
  return TRUE;
}

static gboolean
read_protection (DecryptMeta *self, const Fields *fields,
    const guint8 *default_kid, GError **error)
{
  return read_pattern (&self->params, fields, error) &&
      read_kid (&self->params, fields, default_kid, error) &&
      read_iv (self, fields, error) && read_subsamples (self, fields, error);
}

gboolean
decrypt_meta_read (DecryptMeta *self, const GstStructure *info,
    const gchar *cipher_mode, const guint8 *default_kid, GError **error)
{
  Fields fields = { { NULL } };
  const gchar *mode;

  memset (self, 0, sizeof *self);
  take_fields (info, &fields);
  mode = get_string (&fields, FIELD_CIPHER_MODE);
  self->params.is_protected = get_boolean (&fields, FIELD_ENCRYPTED, TRUE);
  if (read_mode (&self->params, mode ? mode : cipher_mode, error) &&
      read_piff (&self->params, &fields, error) &&
      (!self->params.is_protected ||
          read_protection (self, &fields, default_kid, error)))
    return TRUE;
  decrypt_meta_clear (self);
  return FALSE;
}
