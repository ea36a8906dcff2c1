/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-clear.h"

#include <gst/cenc/gstcenckeysession.h>
#include "gst/isobmff/bmff-reader.h"

#define BITS_WANTED 20

/* -log2 of the chance that a sample of random bytes is not called BAD
 * (sample-probe.h), rounded down; 0: too weak to be worth anything. */
static guint
get_bits (const SampleProbe *probe)
{
  switch (probe->codec) {
    case BMFF_FOURCC ('a', 'v', '0', '1'):
      return 6;
    case BMFF_FOURCC ('v', 'p', '0', '9'):
      return 4;
    case BMFF_FOURCC ('m', 'p', '4', 'a'):
      return 3;
    case BMFF_FOURCC ('a', 'c', '-', '3'):
    case BMFF_FOURCC ('e', 'c', '-', '3'):
      return 16;
    case BMFF_FOURCC ('f', 'L', 'a', 'C'):
      return 15;
    case BMFF_FOURCC ('a', 'l', 'a', 'c'):
    case BMFF_FOURCC ('.', 'm', 'p', '3'):
      return 11;
    default:
      if (probe->nal_length_size == 4)
        return BITS_WANTED;
      return probe->nal_length_size > 0 ? 8 : 0;
  }
}

guint
decrypt_clear_get_need (const SampleProbe *probe)
{
  guint bits = get_bits (probe);

  return bits > 0 ? (BITS_WANTED + bits - 1) / bits : 0;
}

void
decrypt_clear_run_init (DecryptClearRun *self)
{
  self->n_good = 0;
  g_queue_init (&self->held);
}

void
decrypt_clear_run_clear (DecryptClearRun *self)
{
  g_queue_clear_full (&self->held, (GDestroyNotify) gst_buffer_unref);
  self->n_good = 0;
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
  GstBuffer *buffer;

  while ((buffer = g_queue_pop_head (&self->held)))
    g_queue_push_tail (out, buffer);
}

gboolean
decrypt_clear_run_add (DecryptClearRun *self, const SampleProbe *probe,
    GstBuffer *buffer, GQueue *out, GError **error)
{
  SampleProbeResult result = probe_buffer (probe, buffer);

  if (result != SAMPLE_PROBE_GOOD) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "no sample information: put cencdecrypt in front of the demuxer (a "
        "sample came without it, and %s)",
        result == SAMPLE_PROBE_BAD
            ? "is not a clear sample of its codec"
            : "whether it is clear cannot be told of its codec");
    gst_buffer_unref (buffer);
    return FALSE;
  }

  g_queue_push_tail (&self->held, buffer);
  if (self->n_good < G_MAXUINT)
    self->n_good++;
  if (self->n_good >= decrypt_clear_get_need (probe))
    release (self, out);
  return TRUE;
}

void
decrypt_clear_run_end (DecryptClearRun *self, GQueue *out)
{
  release (self, out);
  self->n_good = 0;
}
