/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stock qtdemux exposes of each vector, decrypted behind it, against
 * cencdecrypt in front of it: samples, their times and caps. The verdicts are
 * those of the table in docs/cencdecrypt.md.
 *
 * CENC_TABLE=FILE writes "vector, verdict" there, tab-separated, for
 * scripts/lib/qtdemux-table.py, and leaves the document alone.
 */

#include "decrypt-util.h"

#include <string.h>

#define MAX_STREAMS 4

/* What came out of a demuxer's pads, sample by sample, in the order of pads. */
typedef struct
{
  const gchar *between; /* elements between demuxer and sink */
  const gchar *keys;
  GChecksum *checksums[MAX_STREAMS]; /* of times and bytes */
  gchar *caps[MAX_STREAMS];
  guint samples[MAX_STREAMS];
  guint n_streams;
} Collector;

typedef struct
{
  Collector *collector;
  guint stream;
} Handoff;

static void
on_sample (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
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
    GstCaps *caps = gst_pad_get_current_caps (pad);

    self->caps[handoff->stream] = gst_caps_to_string (caps);
    gst_caps_unref (caps);
  }
}

static gboolean
is_protected (GstPad *pad)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  gboolean ret = gst_structure_has_name (gst_caps_get_structure (caps, 0),
      "application/x-cenc");

  gst_caps_unref (caps);
  return ret;
}

static void
on_pad (GstElement *demuxer, GstPad *pad, gpointer data)
{
  Collector *collector = data;
  GstObject *pipeline = gst_object_get_parent (GST_OBJECT (demuxer));
  GstElement *bin =
      gst_parse_bin_from_description (is_protected (pad) ? collector->between
                                                         : "fakesink name=sink",
          TRUE, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (bin), "sink");
  GstElement *decryptor = gst_bin_get_by_name (GST_BIN (bin), "dec");
  GstPad *bin_pad = gst_element_get_static_pad (bin, "sink");
  Handoff *handoff = g_new (Handoff, 1);

  fail_unless (collector->n_streams < MAX_STREAMS);
  handoff->collector = collector;
  handoff->stream = collector->n_streams++;
  collector->checksums[handoff->stream] = g_checksum_new (G_CHECKSUM_SHA256);
  g_object_set (sink, "signal-handoffs", TRUE, "sync", FALSE, "async", FALSE,
      NULL);
  g_signal_connect_data (sink, "handoff", G_CALLBACK (on_sample), handoff,
      (GClosureNotify) (void (*) (void)) g_free, 0);
  if (decryptor)
    g_object_set (decryptor, "keys", collector->keys, NULL);

  gst_bin_add (GST_BIN (pipeline), bin);
  gst_element_sync_state_with_parent (bin);
  fail_unless_equals_int (gst_pad_link (pad, bin_pad), GST_PAD_LINK_OK);
  gst_object_unref (bin_pad);
  gst_object_unref (sink);
  gst_clear_object (&decryptor);
  gst_object_unref (pipeline);
}

/* Collects into @self, or gives the error. */
static gboolean
collect (Collector *self, const Vector *vector, const gchar *in_front,
    const gchar *between, GError **error)
{
  gchar *launch =
      g_strdup_printf ("filesrc location=%s %s ! qtdemux name=demux",
          vector->path, in_front);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *demuxer = gst_bin_get_by_name (GST_BIN (pipeline), "demux");
  GstElement *decryptor = gst_bin_get_by_name (GST_BIN (pipeline), "dec");
  GError *failed = NULL;

  memset (self, 0, sizeof *self);
  self->between = between;
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

/* The samples of the in-front path, or an error and never a sample that is not
 * clear. Gives the word of the table. */
static const gchar *
check_vector (const Vector *vector)
{
  Collector front, behind;
  GError *error = NULL;
  const gchar *verdict = "plays";

  fail_unless (collect (&front, vector, "! cencdecrypt name=dec",
                   "fakesink name=sink", &error),
      "%s: %s", vector->file, error ? error->message : "");
  if (collect (&behind, vector, "", "cencdecrypt name=dec ! fakesink name=sink",
          &error))
    check_equal (&front, &behind, vector->file);
  else
    verdict = get_reason (error, vector->file);
  g_print ("%-6s %-10s %s: %s %s\n", vector->scheme, vector->codec,
      vector->file, verdict, error ? error->message : "");
  g_clear_error (&error);
  collector_clear (&front);
  collector_clear (&behind);
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
  guint i;

  for (i = 0; vectors && i < vectors->len; i++) {
    const Vector *vector = g_ptr_array_index (vectors, i);
    const gchar *verdict;

    if (vector_leaks_in_qtdemux (vector))
      continue;
    verdict = check_vector (vector);
    g_string_append_printf (rows, "%s\t%s\n", vector->file, verdict);
    if (table)
      check_cell (table, vector->file, verdict);
  }
  if (path)
    fail_unless (g_file_set_contents (path, rows->str, -1, NULL));
  g_string_free (rows, TRUE);
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
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_vectors);
  return suite;
}

GST_CHECK_MAIN (decrypt_exposed);
