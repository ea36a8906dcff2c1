/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-track.h"

#include <gst/cenc/gstcenckeysession.h>
#include <string.h>
#include "cenc/cenc-cipher.h"
#include "gst/cenc/cenc-iv.h"
#include "gst/cenc/cenc-subsamples.h"
#include "gst/cenc/cenc-track.h"
#include "gst/subsample/subsample.h"

struct _EncryptEntries
{
  GPtrArray *subsamplers; /* (element-type Subsampler), by description index */
  GBytes *clear; /* the stsd */
};

struct _EncryptTrack
{
  guint32 id;
  EncryptVariant *of_tenc, *variant; /* the latter is in use */
  CencIv iv;
  CencCryptFlags flags;
  CencCipher *cipher;
  CencCrypt *crypt;
  EncryptEntries *entries;
  guint64 samples;
  gboolean has_led; /* its clear lead is over */
  gboolean has_rotated; /* samples had another key than that of tenc */
  gboolean encrypts; /* one of them was to be encrypted */
  gboolean lists_all; /* whole samples have a subsample of their own */
  GArray *ranges; /* scratch of one sample (element-type CencRange) */
  GByteArray *subsamples; /* likewise */
};

GQuark
encrypt_error_quark (void)
{
  return g_quark_from_static_string ("cenc-encrypt-error-quark");
}

static Subsampler *
make_subsampler (const BmffTrack *track, const BmffBox *entry, GError **error)
{
  g_autoptr (GError) cause = NULL;
  Subsampler *subsampler;

  if (cenc_entry_type_is_protected (entry->type)) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_PROTECTED,
        "track %u is encrypted already: its sample entry is "
        "'%" BMFF_FOURCC_FORMAT "'",
        track->id, BMFF_FOURCC_ARGS (entry->type));
    return NULL;
  }
  subsampler = subsampler_new (entry, &cause);
  if (!subsampler)
    g_set_error (error, ENCRYPT_ERROR,
        g_error_matches (cause, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED)
            ? ENCRYPT_ERROR_CODEC
            : ENCRYPT_ERROR_INPUT,
        "track %u, sample entry '%" BMFF_FOURCC_FORMAT "': %s", track->id,
        BMFF_FOURCC_ARGS (entry->type), cause->message);
  return subsampler;
}

EncryptEntries *
encrypt_entries_new (const BmffTrack *track, GError **error)
{
  g_autoptr (EncryptEntries) self = g_new0 (EncryptEntries, 1);
  GPtrArray *entries = track->stsd->children;
  guint i;

  self->subsamplers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) subsampler_free);
  self->clear = bmff_box_to_bytes (track->stsd);
  if (!entries || entries->len == 0) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
        "track %u has no sample entry", track->id);
    return NULL;
  }
  for (i = 0; i < entries->len; i++) {
    Subsampler *subsampler =
        make_subsampler (track, g_ptr_array_index (entries, i), error);

    if (!subsampler)
      return NULL;
    g_ptr_array_add (self->subsamplers, subsampler);
  }
  return g_steal_pointer (&self);
}

gboolean
encrypt_entries_check_other (const BmffTrack *track, GError **error)
{
  const BmffBox *entry;
  guint32 i;

  for (i = 1; (entry = bmff_track_get_entry (track, i)); i++) {
    if (!subsampler_knows (entry->type))
      continue;
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_CODEC,
        "track %u has the handler '%" BMFF_FOURCC_FORMAT
        "', neither video nor audio, but a sample entry '%" BMFF_FOURCC_FORMAT
        "': it is not left clear",
        track->id, BMFF_FOURCC_ARGS (track->handler),
        BMFF_FOURCC_ARGS (entry->type));
    return FALSE;
  }
  return TRUE;
}

void
encrypt_entries_free (EncryptEntries *self)
{
  g_clear_pointer (&self->clear, g_bytes_unref);
  g_ptr_array_unref (self->subsamplers);
  g_free (self);
}

gboolean
encrypt_entries_take_pattern (const EncryptEntries *self)
{
  return subsampler_takes_pattern (g_ptr_array_index (self->subsamplers, 0));
}

EncryptVariant *
encrypt_variant_new (GstCencKey *key, const CencParams *params)
{
  EncryptVariant *self = g_new0 (EncryptVariant, 1);

  g_atomic_ref_count_init (&self->refs);
  self->key = gst_cenc_key_ref (key);
  self->params = *params;
  return self;
}

EncryptVariant *
encrypt_variant_ref (EncryptVariant *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
encrypt_variant_unref (EncryptVariant *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  gst_cenc_key_unref (self->key);
  g_free (self);
}

gboolean
encrypt_variant_equal (const EncryptVariant *a, const EncryptVariant *b)
{
  return memcmp (a->params.kid, b->params.kid, CENC_BLOCK_SIZE) == 0 &&
      a->params.constant_iv_size == b->params.constant_iv_size &&
      memcmp (a->params.constant_iv, b->params.constant_iv, CENC_BLOCK_SIZE) ==
      0;
}

static gboolean
make_cipher (EncryptTrack *self, EncryptVariant *variant, GError **error)
{
  CencCipher *cipher = cenc_cipher_new (variant->key, variant->params.mode,
      CENC_CIPHER_ENCRYPT, error);

  if (!cipher)
    return FALSE;
  g_clear_pointer (&self->crypt, cenc_crypt_free);
  g_clear_pointer (&self->cipher, cenc_cipher_free);
  self->cipher = cipher;
  self->crypt = cenc_crypt_new (&cenc_cipher_lanes_funcs, cipher, self->flags);
  return TRUE;
}

EncryptTrack *
encrypt_track_new (guint32 id, EncryptVariant *variant, const guint8 *seed,
    guint sharing, CencCryptFlags flags, GError **error)
{
  g_autoptr (EncryptTrack) self = g_new0 (EncryptTrack, 1);
  const CencParams *params = &variant->params;

  self->id = id;
  self->of_tenc = encrypt_variant_ref (variant);
  self->variant = encrypt_variant_ref (variant);
  self->flags = flags;
  self->ranges = g_array_new (FALSE, FALSE, sizeof (CencRange));
  self->subsamples = g_byte_array_new ();
  cenc_iv_init (&self->iv, params->scheme, params->mode,
      params->per_sample_iv_size, seed, sharing);
  return make_cipher (self, variant, error) ? g_steal_pointer (&self) : NULL;
}

void
encrypt_track_free (EncryptTrack *self)
{
  g_clear_pointer (&self->crypt, cenc_crypt_free);
  g_clear_pointer (&self->cipher, cenc_cipher_free);
  g_clear_pointer (&self->entries, encrypt_entries_free);
  encrypt_variant_unref (self->of_tenc);
  encrypt_variant_unref (self->variant);
  g_array_unref (self->ranges);
  g_byte_array_unref (self->subsamples);
  g_free (self);
}

guint32
encrypt_track_get_id (const EncryptTrack *self)
{
  return self->id;
}

const CencParams *
encrypt_track_get_params (const EncryptTrack *self)
{
  return &self->of_tenc->params;
}

GstCencKey *
encrypt_track_get_key (const EncryptTrack *self)
{
  return self->of_tenc->key;
}

gboolean
encrypt_track_has_key (const EncryptTrack *self, const GstCencKey *key)
{
  return gst_cenc_key_has_same_data (self->of_tenc->key, key);
}

EncryptVariant *
encrypt_track_get_default (const EncryptTrack *self)
{
  return self->of_tenc;
}

EncryptVariant *
encrypt_track_get_variant (const EncryptTrack *self)
{
  return self->variant;
}

gboolean
encrypt_track_use (EncryptTrack *self, EncryptVariant *variant, GError **error)
{
  if (variant == self->variant)
    return TRUE;
  if (!encrypt_track_finish (self, error) ||
      !make_cipher (self, variant, error))
    return FALSE;
  encrypt_variant_unref (self->variant);
  self->variant = encrypt_variant_ref (variant);
  self->has_rotated = self->has_rotated || variant != self->of_tenc;
  return TRUE;
}

gboolean
encrypt_track_has_rotated (const EncryptTrack *self)
{
  return self->has_rotated;
}

void
encrypt_track_take_entries (EncryptTrack *self, EncryptEntries *entries)
{
  if (self->entries && g_bytes_equal (self->entries->clear, entries->clear)) {
    encrypt_entries_free (entries);
    return;
  }
  g_clear_pointer (&self->entries, encrypt_entries_free);
  self->entries = entries;
}

static void
prefix_sample (const EncryptTrack *self, const BmffSample *sample,
    GError **error)
{
  g_prefix_error (error,
      "track %u, sample %" G_GUINT64_FORMAT " at offset %" G_GUINT64_FORMAT
      ": ",
      self->id, self->samples + 1, sample->offset);
}

static Subsampler *
find_subsampler (EncryptTrack *self, const BmffSample *sample, GError **error)
{
  GPtrArray *all = self->entries->subsamplers;

  if (sample->description_index > 0 && sample->description_index <= all->len)
    return g_ptr_array_index (all, sample->description_index - 1);
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT, "no sample entry %u",
      sample->description_index);
  return NULL;
}

gboolean
encrypt_track_wants_data (EncryptTrack *self, const BmffSample *sample)
{
  Subsampler *subsampler = find_subsampler (self, sample, NULL);

  return subsampler && !subsampler_is_whole_sample (subsampler);
}

/* Of @n subsamples; a sample without bytes has one too (23001-7, 7.1). */
static gint
at_least_one (EncryptTrack *self, gint n)
{
  static const guint8 empty[CENC_SUBSAMPLE_SIZE] = { 0 };

  if (n != 0)
    return n;
  g_byte_array_append (self->subsamples, empty, sizeof empty);
  return 1;
}

/* The last partial block is clear where the scheme leaves it, which others than we
 * may not know of a range: it has an entry. */
static gint
list_whole (EncryptTrack *self, guint32 size)
{
  const CencParams *params = &self->variant->params;
  guint32 tail =
      params->mode == CENC_MODE_CBC || params->scheme == CENC_SCHEME_CENS
      ? size % CENC_BLOCK_SIZE
      : 0;

  return (
      gint) (cenc_subsamples_append_span (self->subsamples, 0, size - tail) +
      cenc_subsamples_append_span (self->subsamples, tail, 0));
}

/* The sample's subsamples to self->subsamples; their number, or -1. */
static gint
map_subsamples (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, GError **error)
{
  Subsampler *subsampler = find_subsampler (self, sample, error);

  g_byte_array_set_size (self->subsamples, 0);
  if (!subsampler)
    return -1;
  if (subsampler_is_whole_sample (subsampler))
    return self->lists_all
        ? at_least_one (self, list_whole (self, sample->size))
        : 0;
  if (!subsampler_map (subsampler, data, sample->size, self->ranges, error))
    return -1;
  return at_least_one (self,
      cenc_subsamples_append (self->subsamples, self->variant->params.scheme,
          (const CencRange *) self->ranges->data, self->ranges->len,
          sample->size,
          cenc_subsamples_get_max (self->variant->params.per_sample_iv_size),
          error));
}

static gboolean
add_aux (EncryptTrack *self, const BmffSample *sample, guint n,
    CencAuxWriter *writer, GError **error)
{
  CencSampleAux aux = { .n_subsamples = n };
  guint8 iv[CENC_BLOCK_SIZE];
  guint64 blocks;

  aux.subsamples = n > 0 ? self->subsamples->data : NULL;
  blocks = cenc_crypt_count_blocks (&self->variant->params, &aux, sample->size);
  if (self->flags & CENC_CRYPT_CENS_PARTIAL)
    blocks++;
  return cenc_iv_next (&self->iv, blocks, iv, error) &&
      cenc_aux_writer_add (writer, iv, aux.subsamples, n, error);
}

guint
encrypt_track_get_n_entries (const EncryptTrack *self)
{
  return self->entries->subsamplers->len;
}

gboolean
encrypt_track_learn (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, GError **error)
{
  if (map_subsamples (self, sample, data, error) < 0) {
    prefix_sample (self, sample, error);
    return FALSE;
  }
  self->samples++;
  return TRUE;
}

/* The sample, which has @n subsamples. */
static gboolean
take_sample (EncryptTrack *self, const BmffSample *sample, gint n,
    CencAuxWriter *writer, GError **error)
{
  if (n < 0 || !add_aux (self, sample, n, writer, error)) {
    prefix_sample (self, sample, error);
    return FALSE;
  }
  self->samples++;
  return TRUE;
}

gboolean
encrypt_track_map (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, CencAuxWriter *writer, GError **error)
{
  self->encrypts = TRUE;
  return take_sample (self, sample, map_subsamples (self, sample, data, error),
      writer, error);
}

gboolean
encrypt_track_tells_clear (const EncryptTrack *self, guint32 size)
{
  guint max =
      cenc_subsamples_get_max (self->variant->params.per_sample_iv_size);

  return size / G_MAXUINT16 < max;
}

gboolean
encrypt_track_map_clear (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, CencAuxWriter *writer, GError **error)
{
  gint n = map_subsamples (self, sample, data, error);

  self->lists_all = TRUE;
  if (n >= 0) {
    g_byte_array_set_size (self->subsamples, 0);
    n = at_least_one (self,
        (gint) cenc_subsamples_append_span (self->subsamples, sample->size, 0));
  }
  return take_sample (self, sample, n, writer, error);
}

gsize
encrypt_track_look (EncryptTrack *self, const BmffSample *sample,
    const guint8 *at, gsize n, gsize *size)
{
  Subsampler *subsampler = find_subsampler (self, sample, NULL);

  return subsampler ? subsampler_look (subsampler, at, n, size) : 0;
}

/* Whether a range starts within each head or at its end: then the header in
 * front of it is whole. */
static gboolean
heads_are_whole (const EncryptTrack *self, const GArray *heads)
{
  guint i, k = 0;

  for (i = 0; i < heads->len; i++) {
    const CencRange *head = &g_array_index (heads, CencRange, i);
    const CencRange *range;

    do {
      if (k == self->ranges->len)
        return FALSE;
      range = &g_array_index (self->ranges, CencRange, k++);
    } while (range->offset < head->offset);
    if (range->offset > head->offset + head->size)
      return FALSE;
  }
  return TRUE;
}

gboolean
encrypt_track_map_heads (EncryptTrack *self, const BmffSample *sample,
    const guint8 *data, const GArray *heads, CencAuxWriter *writer,
    GError **error)
{
  gint n = map_subsamples (self, sample, data, NULL);

  self->encrypts = TRUE;
  return n >= 0 && heads_are_whole (self, heads) &&
      take_sample (self, sample, n, writer, error);
}

gboolean
encrypt_track_stayed_clear (const EncryptTrack *self)
{
  return self->samples > 0 && !self->encrypts;
}

gboolean
encrypt_track_leads (EncryptTrack *self, const BmffTraf *traf,
    GstClockTime clear_lead)
{
  guint32 timescale = traf->track->timescale;

  if (timescale == 0 ||
      gst_util_uint64_scale (traf->decode_time, GST_SECOND, timescale) >=
          clear_lead)
    self->has_led = TRUE;
  return !self->has_led;
}

gboolean
encrypt_track_has_led (const EncryptTrack *self)
{
  return self->has_led;
}

void
encrypt_track_set_led (EncryptTrack *self, gboolean has_led)
{
  self->has_led = has_led;
}

BmffBox *
encrypt_track_make_saiz (const EncryptTrack *self, const CencAuxWriter *writer)
{
  return self->variant->params.scheme == CENC_SCHEME_PIFF
      ? NULL
      : cenc_aux_writer_share_saiz (writer);
}

gboolean
encrypt_track_cipher (EncryptTrack *self, const CencSampleAux *aux,
    const guint8 *in, guint8 *out, gsize size, GError **error)
{
  return cenc_crypt_add (self->crypt, &self->variant->params, aux, in, out,
      size, error);
}

gboolean
encrypt_track_finish (EncryptTrack *self, GError **error)
{
  gboolean ok = cenc_crypt_finish (self->crypt, error);

  cenc_cipher_rest (self->cipher);
  if (ok)
    return TRUE;
  g_prefix_error (error, "track %u: ", self->id);
  return FALSE;
}
