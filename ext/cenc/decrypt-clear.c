/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-clear.h"

#include <gst/cenc/gstcenckeysession.h>
#include "gst/isobmff/bmff-reader.h"

#define BITS_WANTED 20
/* A lead of half a minute at 16 Mbit/s. */
#define MAX_HELD (64u << 20)
/* What holding takes beside the bytes: of samples without any, too. */
#define OVERHEAD 512

/* -log2 of the chance that a sample of random bytes is not called BAD
 * (sample-probe.h), rounded down; 0: too weak to be worth anything. */
static guint
get_bits (const SampleProbe *probe)
{
  switch (probe->codec) {
    case BMFF_FOURCC ('m', 'p', '4', 'a'):
      return 3;
    case BMFF_FOURCC ('a', 'c', '-', '3'):
    case BMFF_FOURCC ('e', 'c', '-', '3'):
      return 16;
    case BMFF_FOURCC ('d', 't', 's', 'c'):
      return 30;
    case BMFF_FOURCC ('f', 'L', 'a', 'C'):
      return 15;
    case BMFF_FOURCC ('a', 'l', 'a', 'c'):
    case BMFF_FOURCC ('.', 'm', 'p', '3'):
      return 11;
    default:
      return 0;
  }
}

guint
decrypt_clear_get_need (const SampleProbe *probe)
{
  guint bits = get_bits (probe);

  if (probe->nal_length_size > 0 ||
      probe->codec == BMFF_FOURCC ('a', 'v', '0', '1') ||
      probe->codec == BMFF_FOURCC ('v', 'p', '0', '9'))
    return DECRYPT_CLEAR_BY_PROOF;
  return bits > 0 ? (BITS_WANTED + bits - 1) / bits : 0;
}

void
decrypt_clear_run_init (DecryptClearRun *self)
{
  self->n_good = 0;
  self->size = 0;
  g_queue_init (&self->held);
}

void
decrypt_clear_run_clear (DecryptClearRun *self)
{
  g_queue_clear_full (&self->held, (GDestroyNotify) gst_mini_object_unref);
  self->n_good = 0;
  self->size = 0;
}

gboolean
decrypt_clear_run_is_holding (const DecryptClearRun *self)
{
  return !g_queue_is_empty ((GQueue *) &self->held);
}

static SampleProbeResult
probe_buffer (const SampleProbe *probe, GstBuffer *buffer)
{
  SampleProbeResult result = SAMPLE_PROBE_UNKNOWN;
  GstMapInfo map;

  if (decrypt_clear_get_need (probe) > 0 &&
      gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    result = sample_probe_check (probe, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
  }
  return result;
}

static void
release (DecryptClearRun *self, GQueue *out)
{
  gpointer object;

  while ((object = g_queue_pop_head (&self->held)))
    g_queue_push_tail (out, object);
  self->size = 0;
}

static gboolean
fail (GError **error, const gchar *reason)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "no sample information: put cencdecrypt in front of the demuxer (%s)",
      reason);
  return FALSE;
}

gboolean
decrypt_clear_run_add (DecryptClearRun *self, const SampleProbe *probe,
    gboolean proven, GstBuffer *buffer, GQueue *out, GError **error)
{
  SampleProbeResult result = probe_buffer (probe, buffer);
  guint need = decrypt_clear_get_need (probe);

  if (result != SAMPLE_PROBE_GOOD) {
    gst_buffer_unref (buffer);
    return fail (error,
        result == SAMPLE_PROBE_BAD
            ? "a sample came without it that is no clear one of its codec"
            : "a sample came without it, and whether it is clear cannot be told");
  }

  self->size += OVERHEAD + gst_buffer_get_size (buffer);
  g_queue_push_tail (&self->held, buffer);
  if (self->n_good < G_MAXUINT - 1)
    self->n_good++;
  if (self->n_good >= need || (need == DECRYPT_CLEAR_BY_PROOF && proven))
    release (self, out);
  return self->size <= MAX_HELD ||
      fail (error, "over 64 MiB of samples came without it");
}

void
decrypt_clear_run_add_event (DecryptClearRun *self, GstEvent *event)
{
  self->size += OVERHEAD;
  g_queue_push_tail (&self->held, event);
}

void
decrypt_clear_run_end (DecryptClearRun *self, GQueue *out)
{
  release (self, out);
  self->n_good = 0;
}

gboolean
decrypt_clear_run_finish (DecryptClearRun *self, const SampleProbe *probe,
    GQueue *out, GError **error)
{
  if (decrypt_clear_run_is_holding (self) &&
      decrypt_clear_get_need (probe) == DECRYPT_CLEAR_BY_PROOF) {
    decrypt_clear_run_clear (self);
    return fail (error, "no sample came with it up to the end");
  }
  decrypt_clear_run_end (self, out);
  return TRUE;
}
