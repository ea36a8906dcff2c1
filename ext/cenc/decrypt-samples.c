/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-samples.h"

#include "cenc/decrypt-caps.h"
#include "cenc/decrypt-clear.h"
#include "cenc/decrypt-lead.h"
#include "cenc/decrypt-meta.h"
#include "cenc/decrypt-playready.h"
#include "cenc/decrypt-pool.h"
#include "cenc/decrypt-writer.h"

#include <string.h>

struct _DecryptSamples
{
  DecryptCrypto *crypto;
  gboolean verify;
  DecryptPool *pool;
  DecryptClearRun run;
  DecryptLead lead;
  gboolean proven; /* the demuxer reads what a sample needs */
  gboolean told; /* and has done so before the last flush */

  /* From the caps */
  DecryptTrack track;
  SampleProbe probe;
  gchar *cipher_mode;
  gboolean is_webm;

  /* From a manifest, for metas that name none */
  guint8 kid[CENC_BLOCK_SIZE];
  gboolean has_kid;
  GError *
      no_kid; /* why the manifest gives none; NULL: there is one, or no manifest */
};

DecryptSamples *
decrypt_samples_new (DecryptCrypto *crypto, gboolean verify)
{
  DecryptSamples *self = g_new0 (DecryptSamples, 1);

  self->crypto = crypto;
  self->verify = verify;
  self->pool = decrypt_pool_new ();
  decrypt_clear_run_init (&self->run);
  decrypt_lead_init (&self->lead);
  return self;
}

void
decrypt_samples_free (DecryptSamples *self)
{
  if (!self)
    return;
  decrypt_clear_run_clear (&self->run);
  decrypt_lead_clear (&self->lead);
  decrypt_pool_free (self->pool);
  g_free (self->cipher_mode);
  g_clear_error (&self->no_kid);
  g_free (self);
}

/* What is held is of the codec that was: nothing that comes says what it is. */
static gboolean
set_probe (DecryptSamples *self, const SampleProbe *probe, GQueue *out,
    GError **error)
{
  if (probe->codec != self->probe.codec) {
    if (!decrypt_samples_finish (self, out, error))
      return FALSE;
    decrypt_clear_run_clear (&self->run);
    decrypt_lead_clear (&self->lead);
  }
  self->probe = *probe;
  return TRUE;
}

gboolean
decrypt_samples_set_caps (DecryptSamples *self, const GstCaps *caps,
    GQueue *out, GError **error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  g_autoptr (GstCaps) clear = decrypt_caps_to_clear (caps);
  gint width = 0, height = 0;
  SampleProbe probe;

  if (!clear)
    return FALSE;
  decrypt_caps_init_probe (clear, &probe);
  if (!set_probe (self, &probe, out, error))
    return FALSE;
  (void) gst_structure_get_int (s, "width", &width);
  (void) gst_structure_get_int (s, "height", &height);
  self->track.width = (guint) MAX (width, 0);
  self->track.height = (guint) MAX (height, 0);

  self->track.probe = self->verify ? &self->probe : NULL;
  g_free (self->cipher_mode);
  self->cipher_mode = g_strdup (gst_structure_get_string (s, "cipher-mode"));
  self->is_webm = decrypt_caps_are_webm (caps);
  return TRUE;
}

void
decrypt_samples_take_tags (DecryptSamples *self, const GstTagList *tags)
{
  self->track.flags |= decrypt_writer_get_tags_flags (tags);
}

void
decrypt_samples_take_protection (DecryptSamples *self, GstEvent *event)
{
  if (!decrypt_playready_is_manifests (event))
    return;
  g_clear_error (&self->no_kid);
  self->has_kid =
      decrypt_playready_read_event (event, self->kid, &self->no_kid);
}

void
decrypt_samples_flush (DecryptSamples *self)
{
  decrypt_clear_run_clear (&self->run);
  decrypt_lead_clear (&self->lead);
  self->told = self->proven;
}

void
decrypt_samples_begin_title (DecryptSamples *self, gboolean is_same)
{
  decrypt_clear_run_clear (&self->run);
  decrypt_clear_run_init (&self->run);
  decrypt_lead_clear (&self->lead);
  decrypt_lead_init (&self->lead);
  self->proven = self->told = FALSE;
  if (!is_same) {
    self->track.flags = 0;
    self->has_kid = FALSE;
    g_clear_error (&self->no_kid);
  }
}

gboolean
decrypt_samples_is_holding (const DecryptSamples *self)
{
  return decrypt_clear_run_is_holding (&self->run) ||
      decrypt_lead_is_holding (&self->lead);
}

void
decrypt_samples_hold_event (DecryptSamples *self, GstEvent *event)
{
  if (decrypt_lead_is_holding (&self->lead))
    decrypt_lead_add_event (&self->lead, event);
  else
    decrypt_clear_run_add_event (&self->run, event);
}

gboolean
decrypt_samples_finish (DecryptSamples *self, GQueue *out, GError **error)
{
  decrypt_lead_finish (&self->lead, out);
  return decrypt_clear_run_finish (&self->run, &self->probe, out, error);
}

static void
remove_meta (GstBuffer *buffer)
{
  GstProtectionMeta *meta;

  while ((meta = gst_buffer_get_protection_meta (buffer)))
    gst_buffer_remove_meta (buffer, (GstMeta *) meta);
}

/* matroskademux says of each block whether it is encrypted, and drops one whose
 * information it cannot read. Before 1.24 it leaves the signal byte on those
 * that are not (WebM Encryption, 4.7). */
static GstBuffer *
take_clear_webm (GstBuffer *buffer)
{
  guint major, minor, micro, nano;
  guint8 signal;

  gst_version (&major, &minor, &micro, &nano);
  if (minor >= 23 || gst_buffer_extract (buffer, 0, &signal, 1) != 1 ||
      (signal & 1))
    return buffer;
  /* Not a copy of a region: that would have no timestamps. */
  buffer = gst_buffer_make_writable (buffer);
  gst_buffer_resize (buffer, 1, -1);
  return buffer;
}

/* Of cbcs, qtdemux gives the track's constant IV for each sample, also where it
 * has not found what is protected of it: of a clear lead (before 1.22.6), and of a file
 * whose information it does not read. Where the codec has subsamples, that is
 * no information. */
static gboolean
says_nothing (const DecryptSamples *self, const DecryptMeta *meta)
{
  return meta->params.is_protected && meta->params.scheme == CENC_SCHEME_CBCS &&
      !meta->has_count &&
      decrypt_clear_get_need (&self->probe) == DECRYPT_CLEAR_BY_PROOF;
}

/* Likewise, where the codec has none, so that the sample itself can tell. */
static gboolean
may_be_lead (const DecryptSamples *self, const DecryptMeta *meta)
{
  guint need = decrypt_clear_get_need (&self->probe);

  return meta->params.is_protected && meta->params.scheme == CENC_SCHEME_CBCS &&
      !meta->has_count && !self->lead.over && need > 0 &&
      need != DECRYPT_CLEAR_BY_PROOF;
}

/* Said to be encrypted whole, but its NAL units' lengths, of four bytes each, add
 * up: what was said is of another stream. By chance that is one of 2^32. */
static gboolean
is_of_another (const DecryptSamples *self, const DecryptMeta *meta,
    const guint8 *in, gsize size)
{
  return !meta->aux.subsamples && self->probe.nal_length_size == 4 &&
      size >= CENC_BLOCK_SIZE &&
      sample_probe_check (&self->probe, in, size) == SAMPLE_PROBE_GOOD;
}

static gboolean
decrypt (DecryptSamples *self, const DecryptMeta *meta, GstCencKeyUse use,
    const guint8 *in, guint8 *out, gsize size, GError **error)
{
  gboolean ok;

  if (is_of_another (self, meta, in, size)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "wrong sample information: put cencdecrypt in front of the demuxer (a "
        "sample that is said to be encrypted whole is not)");
    return FALSE;
  }
  ok = decrypt_crypto_sample (self->crypto, &self->track, &meta->params,
      &meta->aux, use, in, out, size, error);
  decrypt_crypto_rest (self->crypto);
  return ok;
}

static gboolean
can_work_in_place (GstBuffer *buffer)
{
  return gst_buffer_n_memory (buffer) == 1 && gst_buffer_is_writable (buffer) &&
      gst_buffer_is_all_memory_writable (buffer);
}

static gboolean
set_map_error (GError **error)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
      "the memory of a sample cannot be mapped");
  return FALSE;
}

static gboolean
decrypt_in_place (DecryptSamples *self, const DecryptMeta *meta,
    GstCencKeyUse use, GstBuffer *buffer, GError **error)
{
  GstMapInfo map;
  gboolean ok;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READWRITE))
    return set_map_error (error);
  ok = decrypt (self, meta, use, map.data, map.data, map.size, error);
  gst_buffer_unmap (buffer, &map);
  return ok;
}

/* Gives a new buffer in *buffer. */
static gboolean
decrypt_to_pool (DecryptSamples *self, const DecryptMeta *meta,
    GstCencKeyUse use, GstBuffer **buffer, GError **error)
{
  g_autoptr (GstBuffer) clear = NULL;
  GstMapInfo in, out;
  gboolean ok;

  if (!gst_buffer_map (*buffer, &in, GST_MAP_READ))
    return set_map_error (error);
  clear = decrypt_pool_acquire (self->pool, in.size);
  ok = gst_buffer_map (clear, &out, GST_MAP_WRITE);
  if (ok) {
    ok = decrypt (self, meta, use, in.data, out.data, in.size, error);
    gst_buffer_unmap (clear, &out);
  } else {
    set_map_error (error);
  }
  gst_buffer_unmap (*buffer, &in);
  if (!ok)
    return FALSE;

  gst_buffer_copy_into (clear, *buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  gst_buffer_replace (buffer, clear);
  return TRUE;
}

static gboolean
process_protected (DecryptSamples *self, const DecryptMeta *meta,
    GstCencKeyUse use, GstBuffer **buffer, GError **error)
{
  return can_work_in_place (*buffer)
      ? decrypt_in_place (self, meta, use, *buffer, error)
      : decrypt_to_pool (self, meta, use, buffer, error);
}

/* What the key makes of a sample, be it the right one or not. */
static GstBuffer *
try_key (DecryptSamples *self, const DecryptMeta *meta, GstCencKeyUse use,
    GstBuffer *buffer, GError **error)
{
  const SampleProbe *probe = self->track.probe;
  GstBuffer *decrypted = gst_buffer_ref (buffer);
  gboolean ok;

  self->track.probe = NULL;
  ok = decrypt_to_pool (self, meta, use, &decrypted, error);
  self->track.probe = probe;
  if (!ok)
    gst_clear_buffer (&decrypted);
  return decrypted;
}

/* (transfer full) @buffer, unless DECRYPT_LEAD_OVER. @meta is NULL: it came without. */
static DecryptLeadResult
process_lead (DecryptSamples *self, const DecryptMeta *meta, GstCencKeyUse use,
    GstBuffer *buffer, GQueue *out, GError **error)
{
  GstBuffer *decrypted = NULL;

  remove_meta (buffer);
  if (meta) {
    decrypted = try_key (self, meta, use, buffer, error);
    if (!decrypted) {
      gst_buffer_unref (buffer);
      return DECRYPT_LEAD_FAILED;
    }
    self->proven = TRUE;
  }
  return decrypt_lead_add (&self->lead, &self->probe,
      decrypt_clear_get_need (&self->probe), buffer, decrypted, out, error);
}

/* (transfer full) @buffer */
static gboolean
process_with_meta (DecryptSamples *self, const DecryptMeta *meta,
    GstCencKeyUse use, GstBuffer *buffer, GQueue *out, GError **error)
{
  if (meta->params.is_protected)
    self->proven = TRUE;
  decrypt_clear_run_end (&self->run, out);
  if (meta->params.is_protected &&
      !process_protected (self, meta, use, &buffer, error)) {
    gst_buffer_unref (buffer);
    return FALSE;
  }
  buffer = gst_buffer_make_writable (buffer);
  remove_meta (buffer);
  g_queue_push_tail (out, buffer);
  return TRUE;
}

/* (transfer full) @buffer */
static gboolean
process_without (DecryptSamples *self, GstBuffer *buffer, GQueue *out,
    GError **error)
{
  buffer = gst_buffer_make_writable (buffer);
  remove_meta (buffer);
  if (self->is_webm) {
    g_queue_push_tail (out, take_clear_webm (buffer));
    return TRUE;
  }
  if (gst_buffer_get_size (buffer) == 0 && !decrypt_samples_is_holding (self)) {
    g_queue_push_tail (out, buffer);
    return TRUE;
  }
  if (self->told) {
    /* qtdemux gives away each sample's information once: where it seeks back in
     * its table (no mfra), ciphertext comes without. */
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "no sample information: put cencdecrypt in front of the demuxer (after "
        "a seek a sample came without it, and it may have been given before)");
    gst_buffer_unref (buffer);
    return FALSE;
  }
  return decrypt_clear_run_add (&self->run, &self->probe, self->proven, buffer,
      out, error);
}

/* (transfer full) @buffer */
/* (transfer full) @buffer, the first that is no clear one behind samples that nobody
 * can say of what they are: it is an error of the key where that can be told. */
static gboolean
process_behind_lost (DecryptSamples *self, const DecryptMeta *meta,
    GstCencKeyUse use, GstBuffer *buffer, GQueue *out, GError **error)
{
  if (!process_with_meta (self, meta, use, buffer, out, error))
    return FALSE;
  gst_mini_object_unref (g_queue_pop_tail (out));
  g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "no sample information: put cencdecrypt in front of the demuxer (a lead "
      "whose end cannot be told)");
  return FALSE;
}

static gboolean
process (DecryptSamples *self, const DecryptMeta *meta, GstCencKeyUse use,
    GstBuffer *buffer, GQueue *out, GError **error)
{
  if (meta ? may_be_lead (self, meta) : decrypt_lead_goes_on (&self->lead)) {
    DecryptLeadResult result;

    buffer = gst_buffer_make_writable (buffer);
    result = process_lead (self, meta, use, buffer, out, error);
    if (result != DECRYPT_LEAD_OVER)
      return result == DECRYPT_LEAD_TAKEN;
    if (self->lead.lost)
      return process_behind_lost (self, meta, use, buffer, out, error);
  }
  if (!meta || says_nothing (self, meta))
    return process_without (self, buffer, out, error);
  return process_with_meta (self, meta, use, buffer, out, error);
}

static gboolean
read_meta (DecryptSamples *self, DecryptMeta *meta, const GstStructure *info,
    GError **error)
{
  if (decrypt_meta_read (meta, info, self->cipher_mode,
          self->has_kid ? self->kid : NULL, error))
    return TRUE;
  if (self->no_kid && !gst_structure_has_field (info, "kid"))
    g_prefix_error (error, "%s: ", self->no_kid->message);
  return FALSE;
}

gboolean
decrypt_samples_process (DecryptSamples *self, GstBuffer *buffer,
    GstCencKeyUse use, GQueue *out, GError **error)
{
  GstProtectionMeta *info = gst_buffer_get_protection_meta (buffer);
  g_auto (DecryptMeta) meta = { { 0 } };

  if (info && !read_meta (self, &meta, info->info, error)) {
    gst_buffer_unref (buffer);
    return FALSE;
  }
  return process (self, info ? &meta : NULL, use, buffer, out, error);
}
