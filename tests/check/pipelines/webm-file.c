/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "webm-file.h"

#include "cenc/cenc-cipher.h"
#include "decrypt-util.h"

#include <string.h>

#define EBML 0x1a45dfa3
#define SEGMENT 0x18538067
#define INFO 0x1549a966
#define TRACKS 0x1654ae6b
#define CUES 0x1c53bb6b
#define CLUSTER 0x1f43b675

typedef struct
{
  GstCencKey *key; /* NULL: clear */
  CencCipher *cipher;
  GByteArray *clusters;
  GByteArray *cluster; /* what is open */
  GByteArray *cues;
  guint64 time, end; /* of the cluster, of all; milliseconds */
  guint n_frames, n_clusters;
  gint width, height;
} Writer;

/*
 * EBML
 */

static void
put (GByteArray *out, guint64 value, guint size)
{
  while (size-- > 0) {
    guint8 byte = (guint8) (value >> (8 * size));

    g_byte_array_append (out, &byte, 1);
  }
}

/* An element's ID, and its size in eight bytes. */
static void
put_head (GByteArray *out, guint32 id, guint64 size)
{
  put (out, id, id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
  put (out, size | G_GUINT64_CONSTANT (1) << 56, 8);
}

static void
put_uint (GByteArray *out, guint32 id, guint64 value)
{
  put_head (out, id, 8);
  put (out, value, 8);
}

static void
put_bytes (GByteArray *out, guint32 id, gconstpointer data, gsize size)
{
  put_head (out, id, size);
  g_byte_array_append (out, data, (guint) size);
}

/* (transfer full) @content */
static void
put_master (GByteArray *out, guint32 id, GByteArray *content)
{
  put_bytes (out, id, content->data, content->len);
  g_byte_array_unref (content);
}

/*
 * Parts of the file
 */

static void
put_header (GByteArray *out)
{
  GByteArray *header = g_byte_array_new ();

  put_bytes (header, 0x4282, "webm", 4);
  put_uint (header, 0x4287, 4);
  put_uint (header, 0x4285, 2);
  put_master (out, EBML, header);
}

static void
put_info (const Writer *self, GByteArray *out)
{
  GByteArray *info = g_byte_array_new ();
  guint8 duration[8];

  GST_WRITE_DOUBLE_BE (duration, (gdouble) self->end);
  put_uint (info, 0x2ad7b1, 1000000);
  put_bytes (info, 0x4489, duration, sizeof duration);
  put_bytes (info, 0x4d80, "test", 4);
  put_bytes (info, 0x5741, "test", 4);
  put_master (out, INFO, info);
}

/* ContentEncodings: AES in counter mode, of each frame. */
static void
put_encodings (const Writer *self, GByteArray *out)
{
  GByteArray *encodings = g_byte_array_new (), *encoding = g_byte_array_new ();
  GByteArray *encryption = g_byte_array_new (), *settings = g_byte_array_new ();

  put_uint (settings, 0x47e8, 1);
  put_uint (encryption, 0x47e1, 5);
  put_bytes (encryption, 0x47e2, gst_cenc_key_get_kid (self->key),
      GST_CENC_KID_SIZE);
  put_master (encryption, 0x47e7, settings);
  put_uint (encoding, 0x5031, 0);
  put_uint (encoding, 0x5032, 1);
  put_uint (encoding, 0x5033, 1);
  put_master (encoding, 0x5035, encryption);
  put_master (encodings, 0x6240, encoding);
  put_master (out, 0x6d80, encodings);
}

static void
put_tracks (const Writer *self, GByteArray *out)
{
  GByteArray *tracks = g_byte_array_new (), *track = g_byte_array_new ();
  GByteArray *video = g_byte_array_new ();

  put_uint (video, 0xb0, (guint64) self->width);
  put_uint (video, 0xba, (guint64) self->height);
  put_uint (track, 0xd7, 1);
  put_uint (track, 0x73c5, 1);
  put_uint (track, 0x83, 1);
  put_bytes (track, 0x86, "V_VP9", 5);
  put_master (track, 0xe0, video);
  if (self->key)
    put_encodings (self, track);
  put_master (tracks, 0xae, track);
  put_master (out, TRACKS, tracks);
}

/* Where a cluster begins is known once all are there; all cues are of one size. */
static void
add_cue (Writer *self, guint64 position)
{
  GByteArray *point = g_byte_array_new (), *positions = g_byte_array_new ();

  put_uint (positions, 0xf7, 1);
  put_uint (positions, 0xf1, position);
  put_uint (point, 0xb3, self->time);
  put_master (point, 0xb7, positions);
  put_master (self->cues, 0xbb, point);
}

/*
 * Frames
 */

static void
close_cluster (Writer *self)
{
  if (self->cluster->len == 0)
    return;
  add_cue (self, self->clusters->len);
  put_bytes (self->clusters, CLUSTER, self->cluster->data, self->cluster->len);
  g_byte_array_set_size (self->cluster, 0);
}

/* The signal byte, an IV of 8 bytes, the frame. */
static void
put_encrypted (Writer *self, GByteArray *block, const GstMapInfo *frame)
{
  guint8 iv[16] = { 0 };
  guint at;

  GST_WRITE_UINT64_BE (iv, (guint64) self->n_frames + 1);
  put (block, 1, 1);
  g_byte_array_append (block, iv, 8);
  at = block->len;
  g_byte_array_set_size (block, at + (guint) frame->size);
  fail_unless (cenc_cipher_funcs.start (self->cipher, iv) &&
      cenc_cipher_funcs.update (self->cipher, frame->data, block->data + at,
          frame->size));
}

static void
on_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Writer *self = data;
  gboolean is_key =
      !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  guint64 time = GST_BUFFER_PTS (buffer) / GST_MSECOND;
  GByteArray *block = g_byte_array_new ();
  GstMapInfo map;

  if (is_key) {
    close_cluster (self);
    self->time = time;
    self->n_clusters++;
    put_uint (self->cluster, 0xe7, time);
  }
  self->end = time + GST_BUFFER_DURATION (buffer) / GST_MSECOND;
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  put (block, 0x81, 1);
  put (block, time - self->time, 2);
  put (block, is_key ? 0x80 : 0, 1);
  if (self->key && self->n_clusters > 1) {
    put_encrypted (self, block, &map);
  } else {
    if (self->key)
      put (block, 0, 1);
    g_byte_array_append (block, map.data, (guint) map.size);
  }
  gst_buffer_unmap (buffer, &map);
  put_master (self->cluster, 0xa3, block);
  self->n_frames++;
}

static void
read_frames (Writer *self, const gchar *in)
{
  gchar *launch = g_strdup_printf ("filesrc location=%s ! qtdemux ! "
                                   "video/x-vp9 ! fakesink name=sink",
      in);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GError *error = NULL;

  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_frame), self);
  gst_object_unref (sink);
  pipeline_run (pipeline, &error);
  g_assert_no_error (error);
  close_cluster (self);
  g_free (launch);
}

static void
write_file (Writer *self, const gchar *path)
{
  GByteArray *out = g_byte_array_new (), *segment = g_byte_array_new ();
  GByteArray *cues = g_byte_array_new ();
  guint start, at;

  put_info (self, segment);
  put_tracks (self, segment);
  put_bytes (cues, CUES, self->cues->data, self->cues->len);
  start = segment->len + cues->len;
  /* Each cue ends with its position. */
  for (at = cues->len; self->n_clusters > 0; self->n_clusters--) {
    guint size = self->cues->len / self->n_clusters;
    guint8 *position = cues->data + at - 8;

    GST_WRITE_UINT64_BE (position, GST_READ_UINT64_BE (position) + start);
    at -= size;
    self->cues->len -= size;
  }
  g_byte_array_append (segment, cues->data, cues->len);
  g_byte_array_append (segment, self->clusters->data, self->clusters->len);
  put_header (out);
  put_master (out, SEGMENT, segment);
  fail_unless (
      g_file_set_contents (path, (const gchar *) out->data, out->len, NULL));
  g_byte_array_unref (cues);
  g_byte_array_unref (out);
}

void
webm_file_make (const gchar *in, gboolean protect, const gchar *out)
{
  /* WEBM_KID, WEBM_KEY */
  static const guint8 kid[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    14, 15 };
  static const guint8 key[] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
    0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
  Writer self = { .width = 640, .height = 360 };

  self.clusters = g_byte_array_new ();
  self.cluster = g_byte_array_new ();
  self.cues = g_byte_array_new ();
  if (protect) {
    self.key = gst_cenc_key_new (kid, key);
    self.cipher =
        cenc_cipher_new (self.key, CENC_MODE_CTR, CENC_CIPHER_ENCRYPT, NULL);
    fail_unless (self.cipher != NULL);
  }
  read_frames (&self, in);
  write_file (&self, out);
  g_byte_array_unref (self.clusters);
  g_byte_array_unref (self.cluster);
  g_byte_array_unref (self.cues);
  g_clear_pointer (&self.cipher, cenc_cipher_free);
  g_clear_pointer (&self.key, gst_cenc_key_unref);
}
