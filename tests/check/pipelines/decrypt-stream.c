/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencdecrypt in front of a demuxer, where the file or what stands around it is
 * not as nice: media data before the moov, seeks in bytes, truncation, broken files.
 */

#include "decrypt-util.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static GByteArray *
read_file (const gchar *path)
{
  gchar *data;
  gsize size;

  fail_unless (g_file_get_contents (path, &data, &size, NULL), "%s", path);
  return g_byte_array_new_take ((guint8 *) data, size);
}

static gchar *
write_file (const guint8 *data, gsize size)
{
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("cencdecrypt-XXXXXX.mp4", &path, NULL);

  fail_unless (fd >= 0);
  close (fd);
  fail_unless (
      g_file_set_contents (path, (const gchar *) data, (gssize) size, NULL));
  return path;
}

static GByteArray *
decrypt_file (const gchar *path, const gchar *upstream, const gchar *keys,
    GError **error)
{
  gchar *launch = g_strdup_printf (
      "filesrc location=%s %s ! cencdecrypt keys=%s ! fakesink name=sink", path,
      upstream, keys);
  GByteArray *data = pipeline_collect (launch, error);

  g_free (launch);
  return data;
}

/* Offset and size of the first box of that type on the file level. */
static gboolean
find_box (const GByteArray *data, const gchar *type, guint *offset, guint *size)
{
  guint pos = 0;

  while (pos + 8 <= data->len) {
    guint box = GST_READ_UINT32_BE (data->data + pos);

    if (memcmp (data->data + pos + 4, type, 4) == 0) {
      *offset = pos;
      *size = box;
      return TRUE;
    }
    fail_unless (box >= 8);
    pos += box;
  }
  return FALSE;
}

/* Adds @delta to each chunk offset. */
static void
move_chunks (guint8 *moov, guint size, gint delta)
{
  guint i, j;

  for (i = 4; i + 12 < size; i++) {
    if (memcmp (moov + i, "stco", 4) != 0)
      continue;
    for (j = 0; j < GST_READ_UINT32_BE (moov + i + 8); j++) {
      guint8 *entry = moov + i + 12 + 4 * j;

      GST_WRITE_UINT32_BE (entry,
          (guint32) ((gint) GST_READ_UINT32_BE (entry) + delta));
    }
  }
}

/* A progressive vector with its moov moved to the end, and @padding bytes more in
 * front of the media data. */
static GByteArray *
moov_last (const Vector *vector, guint padding)
{
  GByteArray *in = read_file (vector->path), *out = g_byte_array_new ();
  guint offset, size, at;
  guint8 header[8] = { 0, 0, 0, 0, 'm', 'd', 'a', 't' };
  guint mdat, mdat_size;
  guint8 *zeros = g_malloc0 (padding);

  fail_unless (find_box (in, "moov", &offset, &size));
  fail_unless (find_box (in, "mdat", &mdat, &mdat_size));
  fail_unless (offset < mdat);
  g_byte_array_append (out, in->data, offset);
  at = out->len;
  GST_WRITE_UINT32_BE (header, mdat_size + padding);
  g_byte_array_append (out, header, 8);
  g_byte_array_append (out, zeros, padding);
  g_byte_array_append (out, in->data + mdat + 8, mdat_size - 8);
  move_chunks (in->data + offset, size, (gint) (at + padding) - (gint) mdat);
  g_byte_array_append (out, in->data + offset, size);
  g_byte_array_unref (in);
  g_free (zeros);
  return out;
}

static void
check_moov_last (const Vector *vector, guint padding)
{
  GByteArray *in = moov_last (vector, padding), *wanted, *got;
  gchar *path = write_file (in->data, in->len);
  GError *error = NULL;

  wanted = decrypt_file (path, "", vector->keys, &error);
  fail_unless (wanted != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (wanted->len, in->len);
  if (padding == 0) {
    gchar *digest = mdat_digest (wanted->data, wanted->len);

    fail_unless_equals_string (digest, vector->sha256);
    g_free (digest);
  }
  got = decrypt_file (path, "! queue", vector->keys, &error);
  fail_unless (got != NULL, "%s", error ? error->message : "");
  fail_unless (got->len == wanted->len &&
      memcmp (got->data, wanted->data, got->len) == 0);
  g_byte_array_unref (got);
  g_byte_array_unref (wanted);
  g_byte_array_unref (in);
  g_unlink (path);
  g_free (path);
}

/* Little media data is kept until the moov comes; more is seeked over. */
GST_START_TEST (test_moov_last)
{
  GPtrArray *vectors = vectors_load ();
  static const gchar *const files[] = { "peer-gpac-prog-cenc.mp4",
    "peer-gpac-prog-cbcs.mp4", "peer-ffmpeg-prog-cenc.mp4" };
  guint i;

  for (i = 0; vectors && i < G_N_ELEMENTS (files); i++) {
    const Vector *vector = vectors_find (vectors, files[i]);
    GByteArray *in = read_file (vector->path);
    guint moov, mdat, size;
    gboolean first = find_box (in, "moov", &moov, &size) &&
        find_box (in, "mdat", &mdat, &size) && moov < mdat;

    g_byte_array_unref (in);
    if (!first)
      continue;
    check_moov_last (vector, 0);
    check_moov_last (vector, 5u << 20);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/* Offset of the first box of that type from @from on, however deep; 0: none. */
static guint
find_type (const GByteArray *data, const gchar *type, guint from)
{
  guint i;

  for (i = from; i + 8 <= data->len; i++) {
    if (memcmp (data->data + i + 4, type, 4) == 0)
      return i;
  }
  return 0;
}

/* A file with its moov last, whose auxiliary information stands at the end of the
 * mdat, and where saio alone leads to it. */
static GByteArray *
aux_in_mdat (const Vector *vector)
{
  GByteArray *in = read_file (vector->path), *out = g_byte_array_new ();
  guint moov, mdat, size, mdat_size, senc, saio = 0;

  fail_unless (find_box (in, "moov", &moov, &size));
  fail_unless (find_box (in, "mdat", &mdat, &mdat_size));
  fail_unless_equals_int (mdat + mdat_size, moov);
  g_byte_array_append (out, in->data, moov);
  /* Each is the first that is left. */
  while ((senc = find_type (in, "senc", moov))) {
    saio = find_type (in, "saio", MAX (moov, saio + 1));
    GST_WRITE_UINT32_BE (in->data + saio + 16, out->len);
    g_byte_array_append (out, in->data + senc + 16,
        GST_READ_UINT32_BE (in->data + senc) - 16);
    memcpy (in->data + senc + 4, "free", 4);
  }
  GST_WRITE_UINT32_BE (out->data + mdat, out->len - mdat);
  g_byte_array_append (out, in->data + moov, size);
  g_byte_array_unref (in);
  return out;
}

/* The moov is read while its media data is kept, and comes again behind that. */
GST_START_TEST (test_moov_last_aux_in_mdat)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector;
  GByteArray *in, *pulled, *pushed;
  GError *error = NULL;
  gchar *path;

  if (!vectors)
    return;
  vector = vectors_find (vectors, "peer-ffmpeg-prog-cenc.mp4");
  in = aux_in_mdat (vector);
  path = write_file (in->data, in->len);
  pulled = decrypt_file (path, "", vector->keys, &error);
  fail_unless (pulled != NULL, "%s", error ? error->message : "");
  pushed = decrypt_file (path, "! queue", vector->keys, &error);
  fail_unless (pushed != NULL, "%s", error ? error->message : "");
  fail_unless (pushed->len == pulled->len &&
      memcmp (pushed->data, pulled->data, pushed->len) == 0);
  fail_unless (memcmp (pulled->data, in->data, in->len) != 0);
  g_byte_array_unref (pushed);
  g_byte_array_unref (pulled);
  g_byte_array_unref (in);
  g_unlink (path);
  g_free (path);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/*
 * Truncation
 */

static void
check_truncated (const Vector *vector, const gchar *upstream, guint percent)
{
  GByteArray *in = read_file (vector->path);
  gchar *path = write_file (in->data, (gsize) in->len * percent / 100);
  GError *error = NULL;
  GByteArray *out = decrypt_file (path, upstream, vector->keys, &error);

  fail_unless (out == NULL, "%s: %u %% passed as whole", vector->file, percent);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_DEMUX),
      "%s", error->message);
  g_error_free (error);
  g_unlink (path);
  g_free (path);
  g_byte_array_unref (in);
}

GST_START_TEST (test_truncated)
{
  GPtrArray *vectors = vectors_load ();
  static const gchar *const files[] = { "peer-gpac-prog-cenc.mp4",
    "peer-gpac-frag-cbcs.mp4", "vsd_cenc-single_video_init.mp4" };
  static const guint percents[] = { 1, 10, 33, 50, 77, 90, 99 };
  guint i, j;

  for (i = 0; vectors && i < G_N_ELEMENTS (files); i++) {
    for (j = 0; j < G_N_ELEMENTS (percents); j++) {
      const Vector *vector = vectors_find (vectors, files[i]);

      check_truncated (vector, "", percents[j]);
      check_truncated (vector, "! queue", percents[j]);
    }
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/* A demuxer that has had all its samples ends before the file does. */
GST_START_TEST (test_downstream_ends)
{
  GPtrArray *vectors = vectors_load ();
  static const gchar *const files[] = { "peer-gpac-prog-cenc.mp4",
    "peer-gpac-frag-cbcs.mp4" };
  guint i;

  for (i = 0; vectors && i < G_N_ELEMENTS (files); i++) {
    const Vector *vector = vectors_find (vectors, files[i]);
    gchar *launch =
        g_strdup_printf ("filesrc location=%s ! queue ! cencdecrypt keys=%s ! "
                         "identity eos-after=2 ! fakesink name=sink",
            vector->path, vector->keys);
    GError *error = NULL;
    GByteArray *out = pipeline_collect (launch, &error);

    fail_unless (out != NULL, "%s: %s", files[i], error ? error->message : "");
    g_byte_array_unref (out);
    g_free (launch);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/*
 * Keys
 */

static void
check_no_key (const Vector *vector, const gchar *upstream)
{
  GError *error = NULL;
  GByteArray *out = decrypt_file (vector->path, upstream,
      "ffffffffffffffffffffffffffffffff:ffffffffffffffffffffffffffffffff",
      &error);

  fail_unless (out == NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_DECRYPT_NOKEY),
      "%s", error->message);
  fail_unless (strstr (error->message, "eb676abbcb345e96bbcf616630f1a3da"),
      "%s", error->message);
  g_error_free (error);
}

GST_START_TEST (test_no_key)
{
  GPtrArray *vectors = vectors_load ();

  if (vectors) {
    const Vector *vector =
        vectors_find (vectors, "vsd_cenc-single_video_init.mp4");

    check_no_key (vector, "");
    check_no_key (vector, "! queue");
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/*
 * What is none of ours
 */

static void
check_untouched (const gchar *path, const gchar *upstream)
{
  GByteArray *in = read_file (path), *out;
  gchar *launch = g_strdup_printf (
      "filesrc location=\"%s\" %s ! cencdecrypt ! fakesink name=sink", path,
      upstream);
  GError *error = NULL;

  out = pipeline_collect (launch, &error);
  fail_unless (out != NULL, "%s: %s", path, error ? error->message : "");
  fail_unless (out->len == in->len &&
          memcmp (out->data, in->data, in->len) == 0,
      "%s", path);
  g_byte_array_unref (in);
  g_byte_array_unref (out);
  g_free (launch);
}

static gchar *
get_folder (const gchar *name)
{
  const gchar *dir = g_getenv ("CENC_VECTORS");

  return g_build_filename (dir ? dir : VECTORS_DIR, name, NULL);
}

GST_START_TEST (test_clear_files)
{
  gchar *folder = get_folder ("clear");
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;
  gchar *path;

  while (dir && (name = g_dir_read_name (dir))) {
    path = g_build_filename (folder, name, NULL);
    check_untouched (path, "");
    check_untouched (path, "! queue");
    g_free (path);
  }
  g_clear_pointer (&dir, g_dir_close);
  g_free (folder);

  path = write_file ((const guint8 *) "\x1a\x45\xdf\xa3 Matroska is none", 21);
  check_untouched (path, "");
  check_untouched (path, "! queue");
  g_unlink (path);
  g_free (path);
}
GST_END_TEST;

/* An error or an end, never a crash or a hang. */
static void
run_any (const gchar *path, const gchar *upstream, const gchar *keys)
{
  GError *error = NULL;
  GByteArray *out = decrypt_file (path, upstream, keys, &error);

  g_clear_pointer (&out, g_byte_array_unref);
  g_clear_error (&error);
}

GST_START_TEST (test_bad_files)
{
  gchar *folder = get_folder ("bad");
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    gchar *path = g_build_filename (folder, name, NULL);

    run_any (path, "", "\"\"");
    run_any (path, "! queue", "\"\"");
    g_free (path);
  }
  g_clear_pointer (&dir, g_dir_close);
  g_free (folder);
}
GST_END_TEST;

/* The boxes are in the first bytes, so most flips go there. */
static void
run_flipped (const Vector *vector, GRand *rand, guint n)
{
  GByteArray *in = read_file (vector->path);
  guint i, j;

  for (i = 0; i < n; i++) {
    GByteArray *copy = g_byte_array_new ();
    guint limit = i % 2 ? in->len : MIN (in->len, 4000);
    gchar *path;

    g_byte_array_append (copy, in->data, in->len);
    for (j = 0; j < 4; j++)
      copy->data[g_rand_int_range (rand, 0, (gint) limit)] =
          (guint8) g_rand_int_range (rand, 0, 256);
    path = write_file (copy->data, copy->len);
    run_any (path, i % 4 < 2 ? "" : "! queue", vector->keys);
    g_unlink (path);
    g_free (path);
    g_byte_array_unref (copy);
  }
  g_byte_array_unref (in);
}

GST_START_TEST (test_flipped_bytes)
{
  GPtrArray *vectors = vectors_load ();
  GRand *rand = g_rand_new_with_seed (3);
  const gchar *more = g_getenv ("CENC_FLIPS");
  guint i, n = more ? (guint) atoi (more) : 4;

  for (i = 0; vectors && i < vectors->len; i += more ? 1 : 5) {
    const Vector *vector = g_ptr_array_index (vectors, i);

    if (*vector->keys)
      run_flipped (vector, rand, n);
  }
  g_rand_free (rand);
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/*
 * Seeks in bytes while upstream pushes
 */

/* The sink does not preroll: seeks come faster than its states. */
typedef struct
{
  GMutex lock;
  GCond cond;
  guint64 next; /* byte that is expected */
  const GByteArray *wanted;
  guint64 received; /* since the last segment */
  gboolean eos;
} Receiver;

static GstPadProbeReturn
on_data (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Receiver *self = data;

  g_mutex_lock (&self->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    gsize size = gst_buffer_get_size (buffer);

    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), self->next);
    fail_unless (self->next + size <= self->wanted->len);
    fail_unless (gst_buffer_memcmp (buffer, 0, self->wanted->data + self->next,
                     size) == 0,
        "differs at %" G_GUINT64_FORMAT, self->next);
    self->next += size;
    self->received += size;
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
    const GstSegment *segment;

    if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
      gst_event_parse_segment (event, &segment);
      self->next = segment->start;
      self->received = 0;
    }
    self->eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  }
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return GST_PAD_PROBE_OK;
}

static void
check_byte_seeks (const Vector *vector, const gchar *upstream)
{
  GError *error = NULL;
  GByteArray *wanted = decrypt_file (vector->path, "", vector->keys, &error);
  gchar *launch = g_strdup_printf (
      "filesrc location=%s %s ! cencdecrypt keys=%s ! fakesink name=sink "
      "sync=false async=false",
      vector->path, upstream, vector->keys);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  GRand *rand = g_rand_new_with_seed (5);
  Receiver receiver = { 0 };
  guint i;

  receiver.wanted = wanted;
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_data,
      &receiver, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (i = 0; i < 40; i++) {
    gint64 offset = g_rand_int_range (rand, 0, (gint) wanted->len - 1);

    g_mutex_lock (&receiver.lock);
    while (!receiver.eos)
      g_cond_wait (&receiver.cond, &receiver.lock);
    fail_unless_equals_uint64 (receiver.next, wanted->len);
    receiver.eos = FALSE;
    g_mutex_unlock (&receiver.lock);
    fail_unless (gst_pad_push_event (pad,
        gst_event_new_seek (1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
            GST_SEEK_TYPE_SET, offset, GST_SEEK_TYPE_NONE, -1)));
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_rand_free (rand);
  g_free (launch);
  g_byte_array_unref (wanted);
}

GST_START_TEST (test_byte_seeks)
{
  GPtrArray *vectors = vectors_load ();
  static const gchar *const files[] = { "peer-gpac-prog-cenc.mp4",
    "peer-gpac-frag-cbcs.mp4", "vsd_cenc-single_video_init.mp4",
    "shaka-packager_media_test_data_bear-640x360-v_frag-cenc-aux.mp4" };
  guint i;

  for (i = 0; vectors && i < G_N_ELEMENTS (files); i++) {
    const Vector *vector = vectors_find (vectors, files[i]);

    check_byte_seeks (vector, "");
    check_byte_seeks (vector, "! queue");
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

static Suite *
decrypt_stream_suite (void)
{
  Suite *suite = suite_create ("decrypt-stream");
  TCase *tc = tcase_create ("stream");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 170);
  tcase_add_test (tc, test_moov_last);
  tcase_add_test (tc, test_moov_last_aux_in_mdat);
  tcase_add_test (tc, test_truncated);
  tcase_add_test (tc, test_downstream_ends);
  tcase_add_test (tc, test_no_key);
  tcase_add_test (tc, test_clear_files);
  tcase_add_test (tc, test_bad_files);
  tcase_add_test (tc, test_flipped_bytes);
  tcase_add_test (tc, test_byte_seeks);
  return suite;
}

GST_CHECK_MAIN (decrypt_stream);
