/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-crypto.h"

#include "cenc/cenc-cipher.h"
#include "gst/isobmff/bmff-reader.h"
#include "gst/subsample/sample-probe-trial.h"

#include <gst/cenc/gstcenckeyring.h>

#include <string.h>
#include <time.h>

/* Keys that rotate: the ciphers of so many are kept. */
#define MAX_ENTRIES 16

/* A sample that is none shows a wrong key among the first ones; in the middle of
 * a title it is a damaged sample. */
#define SAMPLES_TO_VERIFY 8

typedef struct
{
  GstCencKey *key;
  CencMode mode;
  CencCipher *cipher;
  CencCrypt *crypt;
  guint generation;
  GstCencKeyUse use;
  guint to_verify;
  SampleProbeTrial trial;
} Entry;

struct _DecryptCrypto
{
  DecryptKeys *keys;
  CencCryptFlags flags;
  GstStructure *output;
  GPtrArray *entries; /* (element-type Entry), the last used at the end */
};

static void
entry_free (Entry *entry)
{
  if (!entry)
    return;
  cenc_crypt_free (entry->crypt);
  cenc_cipher_free (entry->cipher);
  gst_cenc_key_unref (entry->key);
  g_free (entry);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Entry, entry_free)

DecryptCrypto *
decrypt_crypto_new (DecryptKeys *keys, CencCryptFlags flags)
{
  DecryptCrypto *self = g_new0 (DecryptCrypto, 1);

  self->keys = keys;
  self->flags = flags;
  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  return self;
}

void
decrypt_crypto_free (DecryptCrypto *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->entries);
  g_clear_pointer (&self->output, gst_structure_free);
  g_free (self);
}

void
decrypt_crypto_set_output (DecryptCrypto *self, const GstStructure *assertion)
{
  g_clear_pointer (&self->output, gst_structure_free);
  if (assertion)
    self->output = gst_structure_copy (assertion);
  decrypt_keys_touch (self->keys);
}

/* The clock of gst_cenc_key_get_deadline(), in microseconds. */
static gint64
get_boot_time (void)
{
  struct timespec now;

  if (clock_gettime (CLOCK_BOOTTIME, &now) != 0)
    return G_MAXINT64;
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static gboolean
entry_is_good (const DecryptCrypto *self, const Entry *entry, GstCencKeyUse use)
{
  gint64 deadline = gst_cenc_key_get_deadline (entry->key);

  return entry->generation == decrypt_keys_get_generation (self->keys) &&
      (entry->use == GST_CENC_KEY_USE_PLAY || entry->use == use) &&
      (deadline == GST_CENC_KEY_NO_DEADLINE || get_boot_time () < deadline);
}

void
decrypt_crypto_rest (DecryptCrypto *self)
{
  guint i;

  for (i = 0; i < self->entries->len; i++)
    cenc_cipher_rest (((Entry *) g_ptr_array_index (self->entries, i))->cipher);
}

static Entry *
find_entry (DecryptCrypto *self, const CencParams *params)
{
  guint i;

  for (i = self->entries->len; i > 0; i--) {
    Entry *entry = g_ptr_array_index (self->entries, i - 1);

    if (entry->mode == params->mode &&
        memcmp (gst_cenc_key_get_kid (entry->key), params->kid,
            sizeof params->kid) == 0)
      return entry;
  }
  return NULL;
}

static Entry *
entry_new (DecryptCrypto *self, const GstCencKey *key, CencMode mode,
    GError **error)
{
  g_autoptr (CencCipher) cipher =
      cenc_cipher_new (key, mode, CENC_CIPHER_DECRYPT, error);
  Entry *entry;

  if (!cipher)
    return NULL;
  entry = g_new0 (Entry, 1);
  entry->mode = mode;
  entry->key = gst_cenc_key_ref ((GstCencKey *) key);
  entry->cipher = g_steal_pointer (&cipher);
  entry->crypt =
      cenc_crypt_new (&cenc_cipher_funcs, entry->cipher, self->flags);
  entry->to_verify = SAMPLES_TO_VERIFY;
  return entry;
}

/* max-width and max-height are demands on the picture, not on the output. */
static gboolean
check_size (const GstStructure *demand, const gchar *name, guint value,
    GError **error)
{
  gint max = 0;

  if (!demand || !gst_structure_has_field (demand, name))
    return TRUE;
  if (gst_structure_get_int (demand, name, &max) &&
      value <= (guint) MAX (max, 0))
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_OUTPUT_PROTECTION,
      "the license demands %s %d, the picture has %u", name, max, value);
  return FALSE;
}

static gboolean
check_output (const DecryptCrypto *self, const GstCencKey *key,
    const DecryptTrack *track, GError **error)
{
  const GstStructure *demand = gst_cenc_key_get_output_protection (key);

  return gst_cenc_output_protection_covers (demand, self->output, error) &&
      check_size (demand, "max-width", track->width, error) &&
      check_size (demand, "max-height", track->height, error);
}

/* Takes the place of @old, whose cipher goes on if the key is the same. */
static Entry *
replace_entry (DecryptCrypto *self, Entry *old, GstCencKey *key, CencMode mode,
    GError **error)
{
  Entry *entry;

  if (old && gst_cenc_key_has_same_data (old->key, key)) {
    gst_cenc_key_unref (old->key);
    old->key = gst_cenc_key_ref (key);
    return old;
  }
  entry = entry_new (self, key, mode, error);
  if (!entry)
    return NULL;
  if (old)
    g_ptr_array_remove (self->entries, old);
  else if (self->entries->len >= MAX_ENTRIES)
    g_ptr_array_remove_index (self->entries, 0);
  g_ptr_array_add (self->entries, entry);
  return entry;
}

static Entry *
get_entry (DecryptCrypto *self, const DecryptTrack *track,
    const CencParams *params, GstCencKeyUse use, GError **error)
{
  Entry *entry = find_entry (self, params);
  g_autoptr (GstCencKey) key = NULL;
  guint generation;

  if (entry && entry_is_good (self, entry, use))
    return entry;

  /* A key that has to be waited for. */
  decrypt_crypto_rest (self);
  /* What was played once is not prerolled again. */
  if (entry && entry->use == GST_CENC_KEY_USE_PLAY)
    use = GST_CENC_KEY_USE_PLAY;
  generation = decrypt_keys_get_generation (self->keys);
  key = decrypt_keys_get (self->keys, params->kid, use, error);
  if (!key || !check_output (self, key, track, error))
    return NULL;

  entry = replace_entry (self, entry, key, params->mode, error);
  if (entry) {
    entry->generation = generation;
    entry->use = use;
  }
  return entry;
}

/* Silence at a track's beginning can be samples of less than a block. */
static gboolean
has_ciphertext (const CencParams *params, const CencSampleAux *aux, gsize size)
{
  gsize least = params->mode == CENC_MODE_CTR ? 1 : CENC_BLOCK_SIZE;
  guint i;

  if (!aux->subsamples)
    return size >= least;
  for (i = 0; i < aux->n_subsamples; i++) {
    if (bmff_get_u32 (aux->subsamples + (gsize) i * CENC_SUBSAMPLE_SIZE + 2) >=
        least)
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_sample (Entry *entry, const DecryptTrack *track, const CencParams *params,
    const CencSampleAux *aux, const guint8 *sample, gsize size)
{
  if (entry->to_verify == 0 || !has_ciphertext (params, aux, size))
    return TRUE;
  entry->to_verify--;
  return sample_probe_check (track->probe, sample, size) != SAMPLE_PROBE_BAD;
}

/* Whether the samples up to this one speak for the key. */
static gboolean
stands_trial (Entry *entry, const DecryptTrack *track, const CencParams *params,
    const CencSampleAux *aux, const guint8 *sample, gsize size)
{
  const SampleProbeCover cover = { aux->subsamples, aux->n_subsamples,
    params->crypt_byte_block,
    cenc_scheme_has_pattern (params->scheme) ? params->skip_byte_block : 0,
    params->mode == CENC_MODE_CBC || params->scheme == CENC_SCHEME_CENS };

  return sample_probe_trial_add (&entry->trial, track->probe, &cover, sample,
             size) != SAMPLE_PROBE_BAD;
}

static gboolean
verify (Entry *entry, const DecryptTrack *track, const CencParams *params,
    const CencSampleAux *aux, const guint8 *sample, gsize size, GError **error)
{
  g_autofree gchar *kid = NULL;

  if (!track->probe)
    return TRUE;
  if (is_sample (entry, track, params, aux, sample, size) &&
      stands_trial (entry, track, params, aux, sample, size))
    return TRUE;

  kid = gst_cenc_kid_to_string (gst_cenc_key_get_kid (entry->key));
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
      "key for KID %s does not fit: what it decrypts is no sample of its codec",
      kid);
  return FALSE;
}

gboolean
decrypt_crypto_sample (DecryptCrypto *self, const DecryptTrack *track,
    const CencParams *params, const CencSampleAux *aux, GstCencKeyUse use,
    const guint8 *in, guint8 *out, gsize size, GError **error)
{
  Entry *entry = get_entry (self, track, params, use, error);

  if (!entry)
    return FALSE;
  cenc_crypt_set_flags (entry->crypt, self->flags | track->flags);
  return cenc_crypt_sample (entry->crypt, params, aux, in, out, size, error) &&
      verify (entry, track, params, aux, out, size, error);
}
