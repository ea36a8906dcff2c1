/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "testsource.h"

#include <string.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

TestServer test_source_server;
gchar *test_source_folder;

void
test_source_setup (void)
{
  test_server_init (&test_source_server);
  test_source_folder = g_dir_make_tmp ("offlinelicensesrc-XXXXXX", NULL);
}

void
test_source_teardown (void)
{
  GDir *dir = g_dir_open (test_source_folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (test_source_folder, name, NULL);

    g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (test_source_folder);
  g_clear_pointer (&test_source_folder, g_free);
  test_server_clear (&test_source_server);
}

GstElement *
test_source_new (const gchar *action)
{
  GstElement *source = gst_element_factory_make ("offlinelicensesrc", NULL);
  g_autofree gchar *store =
      g_build_filename (test_source_folder, "licenses.db", NULL);
  g_autofree gchar *key =
      g_build_filename (test_source_folder, "device.pem", NULL);

  fail_unless (source != NULL);
  g_object_set (source, "store", store, "device-key", key, "issuers",
      test_source_server.issuer_path, "timeout", 5, NULL);
  gst_util_set_object_arg (G_OBJECT (source), "action", action);
  return source;
}

static void
on_handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  GstMapInfo map;
  GBytes **document = data;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  *document = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (buffer, &map);
}

static void
look_at (TestRun *run, GstMessage *message)
{
  GstProgressType type;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
      g_ptr_array_add (run->structures,
          gst_structure_copy (gst_message_get_structure (message)));
      break;
    case GST_MESSAGE_HAVE_CONTEXT:
      run->have_context = TRUE;
      break;
    case GST_MESSAGE_PROGRESS:
      gst_message_parse_progress (message, &type, NULL, NULL);
      run->progress[type]++;
      break;
    case GST_MESSAGE_EOS:
    case GST_MESSAGE_ERROR:
      run->end = gst_message_ref (message);
      break;
    default:
      break;
  }
}

/* Takes @source. */
void
test_run_source (TestRun *run, GstElement *source)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstBus *bus = gst_element_get_bus (pipeline);

  memset (run, 0, sizeof *run);
  run->structures =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_structure_free);
  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_handoff), &run->document);
  gst_bin_add_many (GST_BIN (pipeline), source, sink, NULL);
  fail_unless (gst_element_link (source, sink));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!run->end) {
    GstMessage *message = gst_bus_timed_pop (bus, 60 * GST_SECOND);

    fail_unless (message != NULL, "nothing happens");
    look_at (run, message);
    gst_message_unref (message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

void
test_run_clear (TestRun *run)
{
  gst_message_unref (run->end);
  g_ptr_array_unref (run->structures);
  g_clear_pointer (&run->document, g_bytes_unref);
}

void
test_run_expect_eos (TestRun *run)
{
  GError *error = NULL;

  if (GST_MESSAGE_TYPE (run->end) == GST_MESSAGE_ERROR)
    gst_message_parse_error (run->end, &error, NULL);
  fail_unless (error == NULL, "%s", error ? error->message : "");
}

void
test_run_expect_error (TestRun *run, GQuark domain, gint code,
    const gchar *word)
{
  GError *error = NULL;

  fail_unless (GST_MESSAGE_TYPE (run->end) == GST_MESSAGE_ERROR);
  gst_message_parse_error (run->end, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s %d: %s",
      g_quark_to_string (error->domain), error->code, error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  g_error_free (error);
}

void
test_run_expect_state (TestRun *run, guint i, const gchar *state)
{
  fail_unless (run->structures->len > i);
  assert_equals_string (gst_structure_get_string (
                            g_ptr_array_index (run->structures, i), "state"),
      state);
}

void
test_run_acquire (TestRun *run, const gchar *rights)
{
  g_autofree gchar *token = test_server_token (&test_source_server, rights);
  GstElement *source = test_source_new ("acquire");

  g_object_set (source, "token", token, NULL);
  test_run_source (run, source);
}
