/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a demuxer says of samples, and the samples: caps, a GstProtectionMeta's
 * structure with the fields that demuxers write, of right and wrong types and
 * sizes, and sample bytes, as cencdecrypt takes them behind a demuxer. Nothing
 * comes out with a meta left, and as many bytes as went in (WebM's signal byte
 * apart).
 *
 * The input is a list of commands, each a byte and what it takes; the key is
 * there for KIDs of equal bytes below 0x80.
 */

#include <stdint.h>
#include <string.h>

#include <gst/cenc/gstcenckeyring.h>

#include "cenc/decrypt-samples.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MAX_COMMANDS 64
#define MAX_SAMPLE 70000

typedef struct
{
  const guint8 *data;
  gsize size;
} Input;

typedef struct
{
  DecryptKeys *keys;
  DecryptCrypto *crypto;
  DecryptSamples *samples;
  GstStructure *info;
  gboolean has_caps, is_webm;
  gsize n_in, n_out;
} Fuzz;

static guint8
take (Input *input)
{
  if (input->size == 0)
    return 0;
  input->size--;
  return *input->data++;
}

static const guint8 *
take_bytes (Input *input, gsize *size)
{
  const guint8 *bytes = input->data;

  *size = MIN (*size, input->size);
  input->data += *size;
  input->size -= *size;
  return bytes;
}

static const gchar *const types[] = {
  "application/x-cenc,original-media-type=video/x-h264,stream-format=avc",
  "application/x-cenc,original-media-type=video/x-h265,stream-format=hvc1",
  "application/x-cenc,original-media-type=audio/mpeg,mpegversion=4",
  "application/x-cenc,original-media-type=audio/mpeg,mpegversion=1",
  "application/x-cenc,original-media-type=video/x-av1",
  "application/x-cenc,original-media-type=video/x-vp9",
  "application/x-cenc,original-media-type=audio/x-flac",
  "application/x-cenc,original-media-type=audio/x-ac3",
  "application/x-cenc,original-media-type=audio/x-opus",
  "application/x-cenc",
  "application/x-webm-enc,original-media-type=video/x-vp9",
  "application/x-webm-enc,original-media-type=audio/x-opus",
};
static const gchar *const modes[] = { NULL, "cenc", "cbcs", "cens", "cbc1",
  "None", "CTR", "other" };
static const gchar *const uints[] = { "iv_size", "subsample_count",
  "crypt_byte_block", "skip_byte_block", "constant_iv_size",
  "piff_algorithm_id" };
static const gchar *const buffers[] = { "kid", "iv", "constant_iv",
  "subsamples", "codec_data" };

static GstBuffer *
take_buffer (Input *input, gsize size)
{
  const guint8 *bytes = take_bytes (input, &size);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_fill (buffer, 0, bytes, size);
  return buffer;
}

static void take_out (Fuzz *self, GQueue *out);

/* In mid-stream too, where what is held is of the old ones. */
static gboolean
fuzz_caps (Fuzz *self, Input *input)
{
  const gchar *type = types[take (input) % G_N_ELEMENTS (types)];
  const gchar *mode = modes[take (input) % G_N_ELEMENTS (modes)];
  guint8 config = take (input);
  GQueue out = G_QUEUE_INIT;
  g_autoptr (GError) error = NULL;
  GstCaps *caps = gst_caps_from_string (type);

  if (mode)
    gst_caps_set_simple (caps, "cipher-mode", G_TYPE_STRING, mode, NULL);
  if (config > 0) {
    GstBuffer *buffer = take_buffer (input, config);

    gst_caps_set_simple (caps, "codec_data", GST_TYPE_BUFFER, buffer, NULL);
    gst_buffer_unref (buffer);
  }
  self->has_caps = decrypt_samples_set_caps (self->samples, caps, &out, &error);
  take_out (self, &out);
  self->is_webm |= g_str_has_prefix (type, "application/x-webm-enc");
  gst_caps_unref (caps);
  return self->has_caps;
}

static void
fuzz_uint (Fuzz *self, Input *input)
{
  const gchar *name = uints[take (input) % G_N_ELEMENTS (uints)];
  guint8 low = take (input), high = take (input);
  guint value = low | (high & 0x7f) << (high & 0x80 ? 24 : 8);

  gst_structure_set (self->info, name, G_TYPE_UINT, value, NULL);
}

static void
fuzz_buffer (Fuzz *self, Input *input)
{
  const gchar *name = buffers[take (input) % G_N_ELEMENTS (buffers)];
  guint8 size = take (input);
  GstBuffer *buffer;

  if (g_str_equal (name, "kid") && size < 0x80) {
    buffer = gst_buffer_new_allocate (NULL, 16, NULL);
    gst_buffer_memset (buffer, 0, size & 3, 16);
  } else {
    buffer = take_buffer (input, size);
  }
  gst_structure_set (self->info, name, GST_TYPE_BUFFER, buffer, NULL);
  gst_buffer_unref (buffer);
}

/* Fields of a wrong type, or none. */
static void
fuzz_odd (Fuzz *self, Input *input)
{
  guint8 which = take (input);
  const gchar *name = which & 1 ? uints[which / 4 % G_N_ELEMENTS (uints)]
                                : buffers[which / 4 % G_N_ELEMENTS (buffers)];

  if (which & 2)
    gst_structure_remove_field (self->info, name);
  else
    gst_structure_set (self->info, name, G_TYPE_STRING, "7", NULL);
}

static void
fuzz_signal (Fuzz *self, Input *input)
{
  guint8 which = take (input);
  const gchar *mode = modes[which / 4 % G_N_ELEMENTS (modes)];

  if (which & 2)
    gst_structure_set (self->info, "encrypted", G_TYPE_BOOLEAN, which & 1,
        NULL);
  else if (mode)
    gst_structure_set (self->info, "cipher-mode", G_TYPE_STRING, mode, NULL);
  else
    gst_structure_remove_field (self->info, "cipher-mode");
}

static void
take_out (Fuzz *self, GQueue *out)
{
  gpointer object;

  while ((object = g_queue_pop_head (out))) {
    if (GST_IS_BUFFER (object)) {
      g_assert (gst_buffer_get_protection_meta (object) == NULL);
      self->n_out += gst_buffer_get_size (object);
    }
    gst_mini_object_unref (object);
  }
  g_assert (self->n_out <= self->n_in);
}

/* Of two memories, or one that somebody else holds too, in turn. */
static GstBuffer *
take_sample (Input *input, guint8 shape)
{
  guint8 low = take (input), high = take (input);
  gsize size = low | (gsize) (high & 0x7f) << 8;
  GstBuffer *buffer = take_buffer (input, size);

  /* A large one need not be given byte by byte. */
  if (high & 0x80 && gst_buffer_get_size (buffer) > 0) {
    gsize rest = MIN (size * 4 + 1, MAX_SAMPLE);
    GstBuffer *more = gst_buffer_new_allocate (NULL, rest, NULL);

    gst_buffer_memset (more, 0, low, rest);
    buffer = gst_buffer_append (buffer, more);
  }
  if (shape & 1)
    buffer = gst_buffer_append (buffer, gst_buffer_new_memdup ("\0", 1));
  return buffer;
}

static gboolean
fuzz_sample (Fuzz *self, Input *input, guint8 command)
{
  GQueue out = G_QUEUE_INIT;
  GstBuffer *buffer = take_sample (input, command >> 4);
  GstBuffer *held = NULL;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (command & 0x20)
    gst_buffer_add_protection_meta (buffer, gst_structure_copy (self->info));
  if (command & 0x40)
    held = gst_buffer_ref (buffer);
  self->n_in += gst_buffer_get_size (buffer);
  ok = decrypt_samples_process (self->samples, buffer, GST_CENC_KEY_USE_PLAY,
      &out, &error);
  g_assert (ok == (error == NULL));
  take_out (self, &out);
  gst_clear_buffer (&held);
  return ok;
}

static gboolean
fuzz_finish (Fuzz *self)
{
  GQueue out = G_QUEUE_INIT;
  g_autoptr (GError) error = NULL;
  gboolean ok = decrypt_samples_finish (self->samples, &out, &error);

  g_assert (ok == (error == NULL));
  take_out (self, &out);
  /* All that went in came out: nothing is dropped silently. */
  if (ok && !self->is_webm)
    g_assert (self->n_in == self->n_out);
  return FALSE;
}

static gboolean
fuzz_command (Fuzz *self, Input *input)
{
  guint8 command = take (input);

  switch (command & 0xf) {
    case 0:
      return fuzz_finish (self);
    case 1:
      if (command & 0x80)
        return fuzz_caps (self, input);
      decrypt_samples_flush (self->samples);
      self->n_in = self->n_out; /* what was held is gone */
      return TRUE;
    case 2:
      if (decrypt_samples_is_holding (self->samples))
        decrypt_samples_hold_event (self->samples, gst_event_new_gap (0, 1));
      return TRUE;
    case 3:
      fuzz_odd (self, input);
      return TRUE;
    case 4:
    case 5:
      fuzz_uint (self, input);
      return TRUE;
    case 6:
    case 7:
      fuzz_buffer (self, input);
      return TRUE;
    case 8:
      fuzz_signal (self, input);
      return TRUE;
    default:
      return fuzz_sample (self, input, command);
  }
}

/*
 * Keys
 */

static void
ask_context (gpointer user_data)
{
}

static GstCencKeySession *
open_store (gpointer user_data)
{
  return NULL;
}

static void
key_needed (const guint8 *kid, gpointer user_data)
{
}

static void
license_message (const GstStructure *structure, gpointer user_data)
{
}

static const DecryptKeysFuncs keys_funcs = { ask_context, open_store,
  key_needed, license_message };

static void
add_keys (DecryptKeys *keys)
{
  GstCencKeyRing *ring = gst_cenc_key_ring_new ();

  gst_cenc_key_ring_add_hex (ring,
      "00000000000000000000000000000000:00112233445566778899aabbccddeeff,"
      "01010101010101010101010101010101:ffeeddccbbaa99887766554433221100",
      NULL);
  decrypt_keys_add_session (keys, DECRYPT_KEYS_PROPERTY,
      GST_CENC_KEY_SESSION (ring));
  g_object_unref (ring);
  decrypt_keys_set_timeout (keys, 0);
  decrypt_keys_begin (keys);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Input input = { data, size };
  Fuzz self = { NULL };
  guint i;

  gst_init (NULL, NULL);
  self.keys = decrypt_keys_new (&keys_funcs, NULL);
  add_keys (self.keys);
  self.crypto = decrypt_crypto_new (self.keys, 0);
  self.samples = decrypt_samples_new (self.crypto, take (&input) & 1);
  self.info = gst_structure_new_empty ("application/x-cenc");
  fuzz_caps (&self, &input);
  for (i = 0; i < MAX_COMMANDS && input.size > 0 && self.has_caps; i++) {
    if (!fuzz_command (&self, &input))
      break;
  }
  gst_structure_free (self.info);
  decrypt_samples_free (self.samples);
  decrypt_crypto_free (self.crypto);
  decrypt_keys_end (self.keys);
  decrypt_keys_free (self.keys);
  return 0;
}
