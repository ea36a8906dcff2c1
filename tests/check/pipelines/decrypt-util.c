/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE /* memmem() */
#include "decrypt-util.h"

#include <string.h>
#include <unistd.h>

static void
vector_free (Vector *self)
{
  g_free (self->file);
  g_free (self->path);
  g_free (self->scheme);
  g_free (self->codec);
  g_free (self->keys);
  g_free (self->sha256);
  g_free (self);
}

static Vector *
vector_parse (const gchar *dir, const gchar *line)
{
  gchar **columns = g_strsplit (line, "\t", -1);
  Vector *self = g_new0 (Vector, 1);

  fail_unless (g_strv_length (columns) >= 10, "%s", line);
  self->file = g_strdup (columns[0]);
  self->path = g_build_filename (dir, columns[0], NULL);
  self->scheme = g_strdup (columns[1]);
  self->codec = g_strdup (columns[2]);
  self->fragmented = g_str_equal (columns[3], "yes");
  self->keys = g_strdup (columns[6]);
  self->sha256 = g_strdup (columns[9]);
  g_strfreev (columns);
  return self;
}

GPtrArray *
vectors_load (void)
{
  const gchar *dir = g_getenv ("CENC_VECTORS");
  gchar *path, *text, **lines;
  GPtrArray *vectors;
  guint i;

  if (!dir)
    dir = VECTORS_DIR;
  path = g_build_filename (dir, "manifest.tsv", NULL);
  if (!g_file_get_contents (path, &text, NULL, NULL)) {
    g_print ("skipped: no vectors at %s\n", dir);
    g_free (path);
    return NULL;
  }
  vectors = g_ptr_array_new_with_free_func ((GDestroyNotify) vector_free);
  lines = g_strsplit (text, "\n", -1);
  for (i = 1; lines[i] && *lines[i]; i++)
    g_ptr_array_add (vectors, vector_parse (dir, lines[i]));
  fail_unless (vectors->len > 0);
  g_strfreev (lines);
  g_free (text);
  g_free (path);
  return vectors;
}

const Vector *
vectors_find (GPtrArray *vectors, const gchar *file)
{
  guint i;

  for (i = 0; vectors && i < vectors->len; i++) {
    const Vector *vector = g_ptr_array_index (vectors, i);

    if (g_str_equal (vector->file, file))
      return vector;
  }
  fail_unless (vectors == NULL, "no vector %s", file);
  return NULL;
}

gchar *
vectors_clear (GPtrArray *vectors, const gchar *file)
{
  const Vector *any = g_ptr_array_index (vectors, 0);
  gchar *folder = g_path_get_dirname (any->path);
  gchar *path = g_build_filename (folder, "clear", file, NULL);

  g_free (folder);
  return path;
}

gchar *
temporary_file (const gchar *tmpl)
{
  gchar *path = NULL;
  gint fd = g_file_open_tmp (tmpl, &path, NULL);

  fail_unless (fd >= 0);
  close (fd);
  return path;
}

void
pipeline_run (GstElement *pipeline, GError **error)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (!message)
    g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_TOO_LAZY,
        "the pipeline does not end");
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  g_clear_pointer (&message, gst_message_unref);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

static void
append (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_byte_array_append (data, map.data, (guint) map.size);
  gst_buffer_unmap (buffer, &map);
}

GByteArray *
pipeline_collect (const gchar *launch, GError **error)
{
  GByteArray *data = g_byte_array_new ();
  GError *failed = NULL;
  GstElement *pipeline = gst_parse_launch (launch, &failed), *sink;

  fail_unless (failed == NULL, "%s", failed ? failed->message : "");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (sink, "signal-handoffs", TRUE, "sync", FALSE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (append), data);
  gst_object_unref (sink);

  pipeline_run (pipeline, &failed);
  if (!failed)
    return data;
  g_propagate_error (error, failed);
  g_byte_array_unref (data);
  return NULL;
}

gchar *
mdat_digest (const guint8 *data, gsize size)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gchar *digest;
  gsize pos = 0;

  while (pos + 8 <= size) {
    guint64 box = GST_READ_UINT32_BE (data + pos);
    gsize header = 8;

    if (box == 1 && pos + 16 <= size) {
      box = GST_READ_UINT64_BE (data + pos + 8);
      header = 16;
    } else if (box == 0) {
      box = size - pos;
    }
    fail_unless (box >= header && box <= size - pos);
    if (memcmp (data + pos + 4, "mdat", 4) == 0)
      g_checksum_update (checksum, data + pos + header,
          (gssize) (box - header));
    pos += box;
  }
  digest = g_strdup (g_checksum_get_string (checksum));
  g_checksum_free (checksum);
  return digest;
}

gchar *
keys_property (const Vector *vector)
{
  return *vector->keys ? g_strdup_printf ("keys=%s", vector->keys)
                       : g_strdup ("");
}

gboolean
vector_leaks_in_qtdemux (const Vector *vector)
{
  gchar *data;
  gsize size;
  gboolean has_styp;

  if (!g_getenv ("GST_TRACERS"))
    return FALSE;
  fail_unless (g_file_get_contents (vector->path, &data, &size, NULL));
  has_styp = memmem (data, size, "styp", 4) != NULL;
  g_free (data);
  return has_styp || g_str_equal (vector->codec, "Opus");
}
