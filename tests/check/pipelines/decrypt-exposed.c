/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stock qtdemux exposes of each vector, decrypted behind it, against
 * cencdecrypt in front of it: samples, their times and caps, and what a decoder
 * makes of them. The verdicts are those of the table in docs/cencdecrypt.md.
 *
 * CENC_DECODE=all: every vector that plays is decoded, not the first small one of
 * each scheme and codec.
 *
 * CENC_TABLE=FILE writes "vector, verdict" there, tab-separated, for
 * scripts/lib/qtdemux-table.py, and leaves the document alone.
 */

#include "decrypt-play.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_STREAMS 4

/* What came out of a demuxer's pads, sample by sample, in the order of pads. */
typedef struct
{
  gboolean behind; /* the demuxer is cencdecrypt */
  gboolean decode;
  const gchar *keys;
  GChecksum *checksums[MAX_STREAMS]; /* of times and bytes */
  gchar *caps[MAX_STREAMS];
  guint samples[MAX_STREAMS];
  gboolean decoded[MAX_STREAMS];
  PlaySink frames[MAX_STREAMS];
  guint n_streams;
} Collector;

typedef struct
{
  Collector *collector;
  guint stream;
} Handoff;

static void
on_sample (GstElement *tap, GstBuffer *buffer, gpointer data)
{
  Handoff *handoff = data;
  Collector *self = handoff->collector;
  GChecksum *checksum = self->checksums[handoff->stream];
  GstClockTime times[] = { GST_BUFFER_PTS (buffer), GST_BUFFER_DTS (buffer),
    GST_BUFFER_DURATION (buffer) };
  GstMapInfo map;

  fail_unless (gst_buffer_get_protection_meta (buffer) == NULL);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_checksum_update (checksum, (const guchar *) times, sizeof times);
  g_checksum_update (checksum, map.data, (gssize) map.size);
  gst_buffer_unmap (buffer, &map);
  if (self->samples[handoff->stream]++ == 0) {
    GstPad *pad = gst_element_get_static_pad (tap, "sink");
    GstCaps *caps = gst_pad_get_current_caps (pad);

    self->caps[handoff->stream] = gst_caps_to_string (caps);
    gst_caps_unref (caps);
    gst_object_unref (pad);
  }
}

/* What the stream is, or will be once it is decrypted. */
static const gchar *
get_media_type (const GstStructure *s)
{
  const gchar *type = gst_structure_get_string (s, "original-media-type");

  return type ? type : gst_structure_get_name (s);
}

/* NULL: there is none here. One thread each, so that nothing is left to chance. */
static const gchar *
get_decoder (const GstStructure *s)
{
  static const gchar *const decoders[][3] = {
    { "video/x-h264", "avdec_h264", "avdec_h264 max-threads=1" },
    { "video/x-h265", "avdec_h265", "avdec_h265 max-threads=1" },
    { "video/x-vp9", "avdec_vp9", "avdec_vp9 max-threads=1" },
    { "audio/mpeg", "avdec_aac", "avdec_aac" },
    { "audio/x-opus", "opusdec", "opusdec" },
    { "audio/x-flac", "avdec_flac", "avdec_flac" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (decoders); i++) {
    const gchar *const needed[] = { decoders[i][1], NULL };

    if (g_str_equal (decoders[i][0], get_media_type (s)))
      return play_have_elements (needed) ? decoders[i][2] : NULL;
  }
  return NULL;
}

/* [decryptor !] tap ! [decoder !] sink */
static GstElement *
branch_new (const Collector *self, const GstCaps *caps, gboolean *decoded)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  gboolean is_protected = gst_structure_has_name (s, "application/x-cenc");
  const gchar *decoder = self->decode ? get_decoder (s) : NULL;
  gchar *launch = g_strdup_printf (
      "%s identity name=tap signal-handoffs=true ! %s ! fakesink name=sink "
      "async=false sync=false",
      is_protected && self->behind ? "cencdecrypt name=dec !" : "",
      decoder ? decoder : "identity");
  GstElement *bin = gst_parse_bin_from_description (launch, TRUE, NULL);

  *decoded = decoder != NULL;
  g_free (launch);
  return bin;
}

static void
watch_branch (Collector *self, GstElement *bin, guint stream)
{
  GstElement *tap = gst_bin_get_by_name (GST_BIN (bin), "tap");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (bin), "sink");
  GstElement *decryptor = gst_bin_get_by_name (GST_BIN (bin), "dec");
  Handoff *handoff = g_new (Handoff, 1);

  handoff->collector = self;
  handoff->stream = stream;
  g_signal_connect_data (tap, "handoff", G_CALLBACK (on_sample), handoff,
      (GClosureNotify) (void (*) (void)) g_free, 0);
  if (self->decoded[stream])
    play_sink_watch (&self->frames[stream], sink);
  if (decryptor)
    g_object_set (decryptor, "keys", self->keys, NULL);
  gst_object_unref (tap);
  gst_object_unref (sink);
  gst_clear_object (&decryptor);
}

static void
on_pad (GstElement *demuxer, GstPad *pad, gpointer data)
{
  Collector *self = data;
  GstObject *pipeline = gst_object_get_parent (GST_OBJECT (demuxer));
  GstCaps *caps = gst_pad_get_current_caps (pad);
  guint stream = self->n_streams++;
  GstElement *bin;
  GstPad *bin_pad;

  fail_unless (stream < MAX_STREAMS);
  bin = branch_new (self, caps, &self->decoded[stream]);
  bin_pad = gst_element_get_static_pad (bin, "sink");
  self->checksums[stream] = g_checksum_new (G_CHECKSUM_SHA256);
  watch_branch (self, bin, stream);
  gst_bin_add (GST_BIN (pipeline), bin);
  gst_element_sync_state_with_parent (bin);
  fail_unless_equals_int (gst_pad_link (pad, bin_pad), GST_PAD_LINK_OK);
  gst_object_unref (bin_pad);
  gst_caps_unref (caps);
  gst_object_unref (pipeline);
}

/* Collects into @self, or gives the error. */
static gboolean
collect (Collector *self, const Vector *vector, gboolean behind,
    gboolean decode, GError **error)
{
  gchar *launch =
      g_strdup_printf ("filesrc location=%s ! %s qtdemux name=demux",
          vector->path, behind ? "" : "cencdecrypt name=dec !");
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *demuxer = gst_bin_get_by_name (GST_BIN (pipeline), "demux");
  GstElement *decryptor = gst_bin_get_by_name (GST_BIN (pipeline), "dec");
  GError *failed = NULL;

  memset (self, 0, sizeof *self);
  self->behind = behind;
  self->decode = decode;
  self->keys = vector->keys;
  if (decryptor)
    g_object_set (decryptor, "keys", vector->keys, NULL);
  gst_clear_object (&decryptor);
  g_signal_connect (demuxer, "pad-added", G_CALLBACK (on_pad), self);
  gst_object_unref (demuxer);
  pipeline_run (pipeline, &failed);
  g_free (launch);
  if (!failed)
    return TRUE;
  g_propagate_error (error, failed);
  return FALSE;
}

static void
collector_clear (Collector *self)
{
  guint i;

  for (i = 0; i < self->n_streams; i++) {
    g_checksum_free (self->checksums[i]);
    g_free (self->caps[i]);
  }
}

static void
check_equal (const Collector *a, const Collector *b, const gchar *file)
{
  guint i;

  fail_unless (a->n_streams > 0 && a->n_streams == b->n_streams, "%s", file);
  for (i = 0; i < a->n_streams; i++) {
    fail_unless (a->samples[i] > 0 && a->samples[i] == b->samples[i],
        "%s: %u and %u samples", file, a->samples[i], b->samples[i]);
    fail_unless (g_str_equal (g_checksum_get_string (a->checksums[i]),
                     g_checksum_get_string (b->checksums[i])),
        "%s: stream %u differs", file, i);
    fail_unless (g_strcmp0 (a->caps[i], b->caps[i]) == 0, "%s: caps %s and %s",
        file, a->caps[i], b->caps[i]);
    fail_unless (a->decoded[i] == b->decoded[i]);
    fail_unless (!a->decoded[i] || a->frames[i].n_buffers > 0,
        "%s: stream %u gives no frames", file, i);
    fail_unless (a->frames[i].n_buffers == b->frames[i].n_buffers &&
            a->frames[i].sum == b->frames[i].sum,
        "%s: frames of stream %u differ, %u and %u", file, i,
        a->frames[i].n_buffers, b->frames[i].n_buffers);
  }
}

/* Why a vector does not play behind qtdemux, in the words of the table. */
static const gchar *
get_reason (const GError *error, const gchar *file)
{
  if (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY))
    return "keys";
  if (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT)) {
    if (g_str_has_prefix (error->message, "no sample information"))
      return "untold";
    if (g_str_has_prefix (error->message, "keys rotate"))
      return "keys";
    return g_str_has_prefix (error->message, "key for KID") ? "lead" : "wrong";
  }
  if (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX))
    return "scheme";
  if (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED))
    return "fails";
  fail ("%s: %s", file, error->message);
  return NULL;
}

static guint
count_frames (const Collector *self)
{
  guint i, n = 0;

  for (i = 0; i < self->n_streams; i++)
    n += self->frames[i].n_buffers;
  return n;
}

/* The samples of the in-front path, or an error and never a sample that is not
 * clear. Gives the word of the table. */
static const gchar *
check_vector (const Vector *vector, gboolean decode)
{
  Collector front, behind;
  GError *error = NULL, *failed = NULL;
  const gchar *verdict;
  gboolean plays = collect (&behind, vector, TRUE, decode, &error);

  fail_unless (collect (&front, vector, FALSE, plays && decode, &failed),
      "%s: %s", vector->file, failed ? failed->message : "");
  if (plays)
    check_equal (&front, &behind, vector->file);
  verdict = plays ? "plays" : get_reason (error, vector->file);
  g_print ("%-6s %-10s %s: %s, %u frames %s\n", vector->scheme, vector->codec,
      vector->file, verdict, count_frames (&behind),
      error ? error->message : "");
  g_clear_error (&error);
  collector_clear (&front);
  collector_clear (&behind);
  return verdict;
}

static gboolean
is_small (const Vector *vector)
{
  GStatBuf info;

  fail_unless (g_stat (vector->path, &info) == 0);
  return info.st_size < 1 << 19;
}

/* Of each scheme and codec one that plays and is small is decoded, or all. */
static const gchar *
check_next (const Vector *vector, GHashTable *done)
{
  gboolean all = g_strcmp0 (g_getenv ("CENC_DECODE"), "all") == 0;
  gchar *kind = g_strdup_printf ("%s %s", vector->scheme, vector->codec);
  const gchar *verdict = check_vector (vector,
      all || (is_small (vector) && !g_hash_table_contains (done, kind)));

  if (g_str_equal (verdict, "plays") && is_small (vector))
    g_hash_table_add (done, kind);
  else
    g_free (kind);
  return verdict;
}

/*
 * The table
 */

/* The row's cells begin at 1: the line begins with a bar. */
static gchar **
split_row (const gchar *line)
{
  gchar **cells = g_strsplit (line, "|", -1);
  guint i;

  for (i = 0; cells[i]; i++)
    g_strstrip (cells[i]);
  return cells;
}

static gint
find_cell (gchar **cells, const gchar *text)
{
  guint i;

  for (i = 0; cells[i]; i++) {
    if (g_str_equal (cells[i], text))
      return (gint) i;
  }
  return -1;
}

/* (transfer full) (element-type utf8 utf8): vector to word, of the column for the
 * GStreamer that runs; NULL if it has none */
static GHashTable *
read_table (void)
{
  const gchar *path = SOURCE_ROOT "/docs/cencdecrypt.md";
  GHashTable *table =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gchar *version, *text = NULL, **lines;
  guint major, minor, micro, nano, i;
  gint column = -1;

  gst_version (&major, &minor, &micro, &nano);
  version = g_strdup_printf ("%u.%u", major, minor);
  fail_unless (g_file_get_contents (path, &text, NULL, NULL), "no %s", path);
  lines = g_strsplit (text, "\n", -1);
  for (i = 0; lines[i]; i++) {
    gchar **cells = split_row (lines[i]);

    if (g_str_has_prefix (lines[i], "| Vector "))
      column = find_cell (cells, version);
    else if (column > 0 && g_str_has_prefix (lines[i], "| `"))
      g_hash_table_insert (table, g_strdup (cells[1]),
          g_strdup (cells[column]));
    g_strfreev (cells);
  }
  g_strfreev (lines);
  g_free (text);
  if (g_hash_table_size (table) == 0) {
    g_print ("the table has no column for GStreamer %s\n", version);
    g_clear_pointer (&table, g_hash_table_unref);
  }
  g_free (version);
  return table;
}

static void
check_cell (GHashTable *table, const gchar *file, const gchar *verdict)
{
  gchar *name = g_strdup_printf ("`%s`", file);

  fail_unless (g_strcmp0 (g_hash_table_lookup (table, name), verdict) == 0,
      "%s: \"%s\" in docs/cencdecrypt.md, \"%s\" here", file,
      (gchar *) g_hash_table_lookup (table, name), verdict);
  g_free (name);
}

GST_START_TEST (test_vectors)
{
  const gchar *env = g_getenv ("CENC_TABLE");
  const gchar *path = env && *env ? env : NULL;
  GPtrArray *vectors = vectors_load ();
  GHashTable *table = path ? NULL : read_table ();
  GString *rows = g_string_new (NULL);
  GHashTable *done =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint i;

  for (i = 0; vectors && i < vectors->len; i++) {
    const Vector *vector = g_ptr_array_index (vectors, i);
    const gchar *verdict;

    if (vector_leaks_in_qtdemux (vector))
      continue;
    verdict = check_next (vector, done);
    g_string_append_printf (rows, "%s\t%s\n", vector->file, verdict);
    if (table)
      check_cell (table, vector->file, verdict);
  }
  if (path)
    fail_unless (g_file_set_contents (path, rows->str, -1, NULL));
  g_string_free (rows, TRUE);
  g_hash_table_unref (done);
  g_clear_pointer (&table, g_hash_table_unref);
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

static Suite *
decrypt_exposed_suite (void)
{
  Suite *suite = suite_create ("decrypt-exposed");
  TCase *tc = tcase_create ("pipelines");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 300);
  tcase_add_test (tc, test_vectors);
  return suite;
}

GST_CHECK_MAIN (decrypt_exposed);
