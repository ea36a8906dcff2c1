/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "decrypt-play.h"
#include "../stock.h"

#include <gst/cenc/gstcenckeyring.h>

#include <string.h>

#define PATIENCE (60 * GST_SECOND)
/* Pictures and sound. Not the soft volume: 1.22's playsink leaks it. */
#define PLAY_FLAGS 0x3

/* A digest of decoded pictures would take longer than decoding them. */
static guint64
add_bytes (guint64 sum, const guint8 *data, gsize size)
{
  gsize i;

  for (i = 0; i + 8 <= size; i += 8)
    sum = (sum ^ GST_READ_UINT64_LE (data + i)) *
            G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) ^
        sum >> 29;
  for (; i < size; i++)
    sum = (sum ^ data[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return sum;
}

static guint64
add_rows (guint64 sum, const guint8 *data, gsize stride, gsize width,
    gsize height)
{
  for (; height > 0; height--, data += stride)
    sum = add_bytes (sum, data, width);
  return sum;
}

/* FALSE: no picture in I420 in the layout that is the rule. */
static gboolean
add_i420 (guint64 *sum, GstCaps *caps, const GstMapInfo *map)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  gint width, height;
  gsize w, h, stride, chroma, luma_size, chroma_size;

  if (g_strcmp0 (gst_structure_get_string (structure, "format"), "I420") != 0 ||
      !gst_structure_get_int (structure, "width", &width) ||
      !gst_structure_get_int (structure, "height", &height))
    return FALSE;
  w = (gsize) width, h = (gsize) height;
  stride = GST_ROUND_UP_4 (w);
  chroma = GST_ROUND_UP_4 ((w + 1) / 2);
  luma_size = stride * GST_ROUND_UP_2 (h);
  chroma_size = chroma * ((h + 1) / 2);
  if (map->size != luma_size + 2 * chroma_size)
    return FALSE;
  *sum = add_rows (*sum, map->data, stride, w, h);
  *sum =
      add_rows (*sum, map->data + luma_size, chroma, (w + 1) / 2, h + (h & 1));
  return TRUE;
}

guint64
play_sum (guint64 sum, GstBuffer *buffer, GstCaps *caps)
{
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  if (!add_i420 (&sum, caps, &map))
    sum = add_bytes (sum, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return sum;
}

static void
on_buffer (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  PlaySink *self = data;
  GstCaps *caps = gst_pad_get_current_caps (pad);

  self->sum = play_sum (self->sum, buffer, caps);
  self->n_buffers++;
  gst_caps_unref (caps);
}

void
play_sink_watch (PlaySink *self, GstElement *element)
{
  g_object_set (element, "signal-handoffs", TRUE, "sync", FALSE, NULL);
  g_signal_connect (element, "handoff", G_CALLBACK (on_buffer), self);
}

static void
on_element (GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer data)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  guint *n = data;

  if (factory && strcmp (GST_OBJECT_NAME (factory), "cencdecrypt") == 0)
    (*n)++;
}

void
play_count_decryptors (GstElement *bin, guint *n)
{
  g_signal_connect (bin, "deep-element-added", G_CALLBACK (on_element), n);
}

void
play_set_session (GstElement *element, GstCencKeySession *session)
{
  GstContext *context;

  if (!session)
    return;
  context = gst_cenc_key_session_context_new (session);
  gst_element_set_context (element, context);
  gst_context_unref (context);
}

GstCencKeySession *
play_session_new (const gchar *keys)
{
  GstCencKeyRing *ring = gst_cenc_key_ring_new ();

  fail_unless (*keys == '\0' || gst_cenc_key_ring_add_hex (ring, keys, NULL));
  return GST_CENC_KEY_SESSION (ring);
}

gchar *
play_clear_file (const Vector *vector)
{
  gchar *path = temporary_file ("cencdecrypt-XXXXXX.mp4");
  gchar *keys = keys_property (vector), *launch;
  GError *error = NULL;
  GByteArray *data;

  launch = g_strdup_printf (
      "filesrc location=%s ! cencdecrypt %s ! fakesink name=sink", vector->path,
      keys);
  data = pipeline_collect (launch, &error);
  fail_unless (data != NULL, "%s", error ? error->message : "");
  fail_unless (g_file_set_contents (path, (const gchar *) data->data,
      (gssize) data->len, NULL));
  g_byte_array_unref (data);
  g_free (launch);
  g_free (keys);
  return path;
}

gboolean
play_have_elements (const gchar *const *names)
{
  guint i;

  for (i = 0; names[i]; i++) {
    GstElementFactory *factory = gst_element_factory_find (names[i]);

    if (!factory) {
      g_print ("skipped: no %s\n", names[i]);
      return FALSE;
    }
    gst_object_unref (factory);
  }
  return TRUE;
}

/*
 * playbin3
 */

static GstElement *
sink_new (PlaySink *self)
{
  GstElement *element = gst_element_factory_make ("fakesink", NULL);

  play_sink_watch (self, element);
  return gst_object_ref_sink (element);
}

void
player_init_uri (Player *self, const gchar *factory, const gchar *uri,
    GstCencKeySession *session)
{
  memset (self, 0, sizeof *self);
  self->element = gst_element_factory_make (factory, NULL);
  self->video = sink_new (&self->sinks[0]);
  self->audio = sink_new (&self->sinks[1]);
  g_object_set (self->element, "uri", uri, "flags", PLAY_FLAGS, "video-sink",
      self->video, "audio-sink", self->audio, NULL);
  play_count_decryptors (self->element, &self->n_decryptors);
  play_set_session (self->element, session);
}

void
player_init (Player *self, const gchar *path, GstCencKeySession *session)
{
  gchar *uri = gst_filename_to_uri (path, NULL);

  player_init_uri (self, "playbin3", uri, session);
  g_free (uri);
}

void
player_clear (Player *self)
{
  gst_element_set_state (self->element, GST_STATE_NULL);
  gst_object_unref (self->video);
  gst_object_unref (self->audio);
  gst_object_unref (self->element);
}

gboolean
player_run (Player *self, GError **error)
{
  GstBus *bus = gst_element_get_bus (self->element);
  GstMessage *message;

  gst_element_set_state (self->element, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, PATIENCE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  gst_object_unref (bus);
  if (!message)
    return FALSE;
  gst_message_unref (message);
  return TRUE;
}

gboolean
player_play_uri (Player *self, const gchar *factory, const gchar *uri,
    GstCencKeySession *session, void (*prepare) (GstElement *player),
    GError **error)
{
  guint n = stock_player_attempts ();

  for (;;) {
    GError *failed = NULL;
    gboolean ends;

    player_init_uri (self, factory, uri, session);
    if (prepare)
      prepare (self->element);
    ends = player_run (self, &failed);
    if ((ends && !failed) || !stock_player_may_have_failed (failed) ||
        --n == 0) {
      if (failed)
        g_propagate_error (error, failed);
      return ends;
    }
    g_print ("%s: %s, once more\n", uri, failed ? failed->message : "no end");
    g_clear_error (&failed);
    player_clear (self);
  }
}

gboolean
player_play (Player *self, const gchar *path, GstCencKeySession *session,
    GError **error)
{
  gchar *uri = gst_filename_to_uri (path, NULL);
  gboolean ends = player_play_uri (self, "playbin3", uri, session, NULL, error);

  g_free (uri);
  return ends;
}

gboolean
player_wait (Player *self, const gchar *what)
{
  GstBus *bus = gst_element_get_bus (self->element);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE,
      GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR);
  GError *error = NULL;

  gst_object_unref (bus);
  if (!message)
    return FALSE;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (!error, "%s: %s", what, error ? error->message : "");
  gst_message_unref (message);
  return TRUE;
}

gboolean
player_pause (Player *self, const gchar *what)
{
  gst_element_set_state (self->element, GST_STATE_PAUSED);
  return player_wait (self, what);
}
