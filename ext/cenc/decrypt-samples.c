/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-samples.h"

#include "cenc/decrypt-caps.h"
#include "cenc/decrypt-clear.h"
#include "cenc/decrypt-meta.h"
#include "cenc/decrypt-pool.h"
#include "gst/isobmff/bmff-reader.h"

struct _DecryptSamples
{
  DecryptCrypto *crypto;
  gboolean verify;
  DecryptPool *pool;
  DecryptClearRun run;

  /* From the caps */
  DecryptTrack track;
  SampleProbe probe;
  gchar *cipher_mode;
  gboolean is_webm;
};

DecryptSamples *
decrypt_samples_new (DecryptCrypto *crypto, gboolean verify)
{
  DecryptSamples *self = g_new0 (DecryptSamples, 1);

  self->crypto = crypto;
  self->verify = verify;
  self->pool = decrypt_pool_new ();
  decrypt_clear_run_init (&self->run);
  return self;
}

void
decrypt_samples_free (DecryptSamples *self)
{
  if (!self)
    return;
  decrypt_clear_run_clear (&self->run);
  decrypt_pool_free (self->pool);
  g_free (self->cipher_mode);
  g_free (self);
}

gboolean
decrypt_samples_set_caps (DecryptSamples *self, const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  g_autoptr (GstCaps) clear = decrypt_caps_to_clear (caps);
  gint width = 0, height = 0;

  if (!clear)
    return FALSE;
  (void) gst_structure_get_int (s, "width", &width);
  (void) gst_structure_get_int (s, "height", &height);
  self->track.width = (guint) MAX (width, 0);
  self->track.height = (guint) MAX (height, 0);

  decrypt_caps_init_probe (clear, &self->probe);
  self->track.probe = self->verify ? &self->probe : NULL;
  g_free (self->cipher_mode);
  self->cipher_mode = g_strdup (gst_structure_get_string (s, "cipher-mode"));
  self->is_webm = decrypt_caps_are_webm (caps);
  return TRUE;
}

void
decrypt_samples_flush (DecryptSamples *self)
{
  decrypt_clear_run_clear (&self->run);
}

void
decrypt_samples_drain (DecryptSamples *self, GQueue *out)
{
  decrypt_clear_run_end (&self->run, out);
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

/* NAL codecs and AV1 have to leave lengths and headers clear. qtdemux 1.22
 * marks the clear lead of a cbcs track as encrypted, without subsamples: it
 * parses, and a sample that was encrypted whole does not. */
static gboolean
is_clear_lead (const DecryptSamples *self, const DecryptMeta *meta,
    const guint8 *data, gsize size)
{
  return meta->params.scheme == CENC_SCHEME_CBCS &&
      meta->aux.n_subsamples == 0 &&
      (self->probe.nal_length_size > 0 ||
          self->probe.codec == BMFF_FOURCC ('a', 'v', '0', '1')) &&
      sample_probe_check (&self->probe, data, size) == SAMPLE_PROBE_GOOD;
}

static gboolean
decrypt (DecryptSamples *self, const DecryptMeta *meta, GstCencKeyUse use,
    const guint8 *in, guint8 *out, gsize size, GError **error)
{
  return decrypt_crypto_sample (self->crypto, &self->track, &meta->params,
      &meta->aux, use, in, out, size, error);
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
  ok = is_clear_lead (self, meta, map.data, map.size) ||
      decrypt (self, meta, use, map.data, map.data, map.size, error);
  gst_buffer_unmap (buffer, &map);
  return ok;
}

/* Gives a new buffer in *buffer, unless the sample turns out to be clear. */
static gboolean
decrypt_to_pool (DecryptSamples *self, const DecryptMeta *meta,
    GstCencKeyUse use, GstBuffer **buffer, GError **error)
{
  g_autoptr (GstBuffer) clear = NULL;
  GstMapInfo in, out;
  gboolean ok;

  if (!gst_buffer_map (*buffer, &in, GST_MAP_READ))
    return set_map_error (error);
  if (is_clear_lead (self, meta, in.data, in.size)) {
    gst_buffer_unmap (*buffer, &in);
    return TRUE;
  }

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

static gboolean
process_with_meta (DecryptSamples *self, const GstStructure *info,
    GstCencKeyUse use, GstBuffer **buffer, GError **error)
{
  g_auto (DecryptMeta) meta = { { 0 } };

  if (!decrypt_meta_read (&meta, info, self->cipher_mode, error))
    return FALSE;
  return !meta.params.is_protected ||
      process_protected (self, &meta, use, buffer, error);
}

gboolean
decrypt_samples_process (DecryptSamples *self, GstBuffer *buffer,
    GstCencKeyUse use, GQueue *out, GError **error)
{
  GstProtectionMeta *meta = gst_buffer_get_protection_meta (buffer);
  gboolean ok;

  if (!meta && self->is_webm) {
    g_queue_push_tail (out, take_clear_webm (buffer));
    return TRUE;
  }
  if (!meta && gst_buffer_get_size (buffer) > 0)
    return decrypt_clear_run_add (&self->run, &self->probe, buffer, out, error);

  decrypt_clear_run_end (&self->run, out);
  ok = !meta || process_with_meta (self, meta->info, use, &buffer, error);
  if (ok) {
    buffer = gst_buffer_make_writable (buffer);
    remove_meta (buffer);
    g_queue_push_tail (out, buffer);
  } else {
    gst_buffer_unref (buffer);
  }
  return ok;
}
