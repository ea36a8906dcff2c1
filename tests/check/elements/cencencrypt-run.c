/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of cencencrypt-judge.h: pipelines that run to their end, and what they make. */

#include "cencencrypt-judge.h"

#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/check/gstcheck.h>
#include <sys/wait.h>
#include <unistd.h>

gboolean
judge_has_elements (const gchar *names)
{
  gchar **all = g_strsplit (names, " ", -1);
  gboolean ok = TRUE;
  guint i;

  for (i = 0; all[i]; i++) {
    GstElementFactory *factory = gst_element_factory_find (all[i]);

    if (!factory)
      GST_WARNING ("skipped: there is no element %s", all[i]);
    ok = ok && factory;
    g_clear_object (&factory);
  }
  g_strfreev (all);
  return ok;
}

static gboolean
run (GstElement *pipeline, GError **error)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless (message, "the pipeline did not end");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  gst_message_unref (message);
  gst_object_unref (bus);
  return !*error;
}

static GstFlowReturn
take_sample (GstAppSink *sink, gpointer user_data)
{
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstMapInfo map;

  fail_unless (
      gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ));
  g_byte_array_append (user_data, map.data, map.size);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  gst_sample_unref (sample);
  return GST_FLOW_OK;
}

GBytes *
judge_run (const gchar *description, GError **error)
{
  GstAppSinkCallbacks callbacks = { .new_sample = take_sample };
  GstElement *pipeline = gst_parse_launch (description, NULL);
  GByteArray *bytes = g_byte_array_new ();
  GError *cause = NULL;
  GstElement *sink;

  fail_unless (pipeline, "%s", description);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_object_set (sink, "sync", FALSE, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, bytes, NULL);
  run (pipeline, &cause);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  if (!cause)
    return g_byte_array_free_to_bytes (bytes);
  g_byte_array_unref (bytes);
  g_propagate_error (error, cause);
  return NULL;
}

static gchar *
make_path (void)
{
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("cencencrypt-XXXXXX.mp4", &path, NULL);

  fail_unless (fd >= 0);
  close (fd);
  return path;
}

static GBytes *
read_and_remove (const gchar *path)
{
  gchar *data;
  gsize size;

  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  g_unlink (path);
  return g_bytes_new_take (data, size);
}

GBytes *
judge_make_stream (const gchar *description)
{
  g_autoptr (GError) error = NULL;
  GBytes *out = judge_run (description, &error);

  fail_unless (out, "%s: %s", description, error ? error->message : "");
  return out;
}

GBytes *
judge_run_apart (const gchar *description)
{
  g_autofree gchar *path = make_path ();
  pid_t pid = fork ();
  int status;

  if (pid == 0) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) bytes = judge_run (description, &error);

    if (!bytes)
      GST_ERROR ("%s", error ? error->message : "");
    _exit (bytes &&
                g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
                    g_bytes_get_size (bytes), NULL)
            ? 0
            : 1);
  }
  fail_unless (pid > 0 && waitpid (pid, &status, 0) == pid);
  fail_unless (status == 0, "%s", description);
  return read_and_remove (path);
}

GBytes *
judge_run_to_file (const gchar *description, GError **error)
{
  g_autofree gchar *path = make_path ();
  gchar **parts = g_strsplit (description, "%s", 2);
  g_autofree gchar *full = g_strconcat (parts[0], path, parts[1], NULL);
  GstElement *pipeline = gst_parse_launch (full, NULL);
  GError *cause = NULL;

  g_strfreev (parts);
  fail_unless (pipeline, "%s", full);
  run (pipeline, &cause);
  gst_object_unref (pipeline);
  if (!cause)
    return read_and_remove (path);
  g_unlink (path);
  g_propagate_error (error, cause);
  return NULL;
}

GBytes *
judge_make (const gchar *description)
{
  g_autoptr (GError) error = NULL;
  GBytes *file = judge_run_to_file (description, &error);

  fail_unless (file, "%s: %s", description, error ? error->message : "");
  return file;
}

gchar *
judge_write (GBytes *file)
{
  gchar *path = make_path ();

  fail_unless (g_file_set_contents (path, g_bytes_get_data (file, NULL),
      g_bytes_get_size (file), NULL));
  return path;
}

GBytes *
judge_convert (GBytes *file, const gchar *elements, GError **error)
{
  g_autofree gchar *path = judge_write (file);
  g_autofree gchar *description = g_strconcat ("filesrc location=", path, " ! ",
      elements, " ! filesink location=%s", NULL);
  GBytes *out = judge_run_to_file (description, error);

  g_unlink (path);
  return out;
}

GBytes *
judge_make_of (GBytes *file, const gchar *elements)
{
  g_autoptr (GError) error = NULL;
  GBytes *out = judge_convert (file, elements, &error);

  fail_unless (out, "%s: %s", elements, error ? error->message : "");
  return out;
}

void
judge_refuses (GBytes *file, const gchar *elements, gint code,
    const gchar *text)
{
  g_autoptr (GError) error = NULL;

  fail_if (judge_convert (file, elements, &error), "%s", elements);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR, code), "%s",
      error->message);
  fail_unless (strstr (error->message, text), "%s", error->message);
}

GBytes *
judge_decrypt (GBytes *file)
{
  return judge_make_of (file, "cencdecrypt keys=" JUDGE_KID ":" JUDGE_KEY);
}
