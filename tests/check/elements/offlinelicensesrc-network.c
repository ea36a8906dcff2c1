/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the element touches the network, and what it does there that takes time. */

#include <string.h>

#include <gst/check/gstcheck.h>
#include <gst/cenc/cenc.h>

#include "../license/testlicense.h"
#include "../license/testsocket.h"
#include "../license/testsource.h"

static const gchar *
server_state (TestRun *run, guint i)
{
  fail_unless (run->structures->len > i);
  return gst_structure_get_string (g_ptr_array_index (run->structures, i),
      "server-state");
}

/* (transfer full): of the first license that was told of, as the property has them. */
static gchar *
get_key_ids (TestRun *run)
{
  const GValue *kids =
      gst_structure_get_value (g_ptr_array_index (run->structures, 0),
          "key-ids");
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < gst_value_array_get_size (kids); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "," : "",
        g_value_get_string (gst_value_array_get_value (kids, i)));
  return g_string_free (text, FALSE);
}

/* (transfer full): @path on the server under another name of its host. */
static gchar *
elsewhere (const gchar *path)
{
  return g_strconcat ("http://localhost", strrchr (test_source_server.url, ':'),
      path, NULL);
}

/* With a server to ask, what it says stands in the message; without, nobody is
 * asked. */
GST_START_TEST (test_status_at_server)
{
  g_autofree gchar *url = g_strconcat (test_source_server.url, "/status", NULL);
  g_autofree gchar *renew =
      g_strconcat (test_source_server.url, "/nothing", NULL);
  const struct
  {
    const gchar *url, *wanted;
  } asked[] = { { NULL, NULL }, { url, "valid" }, { renew, "unknown" } };
  GstElement *source;
  TestRun one, run;
  guint i;

  test_run_acquire (&one, TEST_RENTAL "&renewalDuration=172800");
  for (i = 0; i < G_N_ELEMENTS (asked); i++) {
    source = test_source_new ("status");
    g_object_set (source, "uri", asked[i].url, NULL);
    test_run_source (&run, source);
    test_run_expect_eos (&run);
    test_run_expect_state (&run, 0, "loaded");
    assert_equals_string (server_state (&run, 0), asked[i].wanted);
    test_run_clear (&run);
  }
  test_run_clear (&one);
}

GST_END_TEST;

/* A document is what its license can be given back with: a server that has not
 * issued it gets to see it only if it is named. */
GST_START_TEST (test_status_elsewhere)
{
  g_autofree gchar *other = elsewhere ("/status");
  g_autofree gchar *named = NULL;
  GstElement *source;
  TestRun one, run;

  test_run_acquire (&one, TEST_RENTAL "&renewalDuration=172800");
  source = test_source_new ("status");
  g_object_set (source, "uri", other, NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  test_run_expect_state (&run, 0, "loaded");
  fail_unless (server_state (&run, 0) == NULL);
  named = get_key_ids (&run);
  test_run_clear (&run);

  source = test_source_new ("status");
  g_object_set (source, "uri", other, "key-ids", named, NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  assert_equals_string (server_state (&run, 0), "valid");
  test_run_clear (&run);
  test_run_clear (&one);
}

GST_END_TEST;

/* The server is gone: that is told, and what is known here too. */
GST_START_TEST (test_status_offline)
{
  g_autofree gchar *url = g_strconcat (test_source_server.url, "/status", NULL);
  GstElement *source;
  TestRun one, run;

  test_run_acquire (&one, TEST_RENTAL);
  test_server_stop (&test_source_server);
  source = test_source_new ("status");
  g_object_set (source, "uri", url, NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
      "no answer");
  test_run_expect_state (&run, 0, "loaded");
  fail_unless (server_state (&run, 0) == NULL);
  test_run_clear (&run);
  test_run_clear (&one);
}

GST_END_TEST;

/* Whatever the store has is not what a server renews: what it has not issued it
 * gets to see only if it is named. */
GST_START_TEST (test_renew_elsewhere)
{
  g_autofree gchar *other = elsewhere ("/renew");
  g_autofree gchar *own = g_strconcat (test_source_server.url, "/renew", NULL);
  g_autofree gchar *named = NULL, *file = NULL;
  GstElement *source;
  TestRun one, run;

  test_run_acquire (&one, TEST_RENTAL "&renewalDuration=172800");
  named = get_key_ids (&one);
  source = test_source_new ("renew");
  g_object_set (source, "uri", other, NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "no license that http://localhost");
  assert_equals_int (run.structures->len, 0);
  test_run_clear (&run);

  source = test_source_new ("renew");
  g_object_set (source, "uri", "no address", NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "not a URL");
  test_run_clear (&run);

  source = test_source_new ("renew");
  g_object_set (source, "uri", own, NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  test_run_expect_state (&run, 0, "renewed");
  test_run_clear (&run);

  source = test_source_new ("renew");
  g_object_set (source, "uri", other, "key-ids", named, NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  test_run_expect_state (&run, 0, "renewed");
  file = g_build_filename (test_source_folder, "title.license", NULL);
  fail_unless (g_file_set_contents (file, g_bytes_get_data (run.document, NULL),
      (gssize) g_bytes_get_size (run.document), NULL));
  test_run_clear (&run);

  source = test_source_new ("renew");
  g_object_set (source, "uri", other, "location", file, NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  test_run_expect_state (&run, 0, "renewed");
  test_run_clear (&run);
  test_run_clear (&one);
}

GST_END_TEST;

/* --- cancelled ----------------------------------------------------------- */

static GstElement *
start_acquiring (TestSocket *server)
{
  g_autofree gchar *url =
      g_strdup_printf ("http://127.0.0.1:%u/", server->port);
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstElement *source = test_source_new ("acquire");

  g_object_set (source, "token", "alone", "uri", url, "timeout", 60, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, sink, NULL);
  gst_element_link (source, sink);
  test_socket_start (server);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  return pipeline;
}

static void
expect_stops_at_once (GstElement *pipeline)
{
  gint64 start = g_get_monotonic_time ();

  gst_element_set_state (pipeline, GST_STATE_NULL);
  /* Half of what the server would take: no load makes that of "at once". */
  fail_unless (g_get_monotonic_time () - start < 30 * G_USEC_PER_SEC);
  gst_object_unref (pipeline);
}

static GMutex lock;
static GCond cond;
static gboolean asked;

static void
wait_until_asked (void)
{
  g_mutex_lock (&lock);
  while (!asked)
    g_cond_wait (&cond, &lock);
  g_mutex_unlock (&lock);
}

/* Until the client has had enough of it. */
static void
answer_never (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  g_mutex_lock (&lock);
  asked = TRUE;
  g_cond_signal (&cond);
  g_mutex_unlock (&lock);
  g_socket_condition_timed_wait (socket, G_IO_IN | G_IO_HUP,
      60 * G_USEC_PER_SEC, NULL, NULL);
}

/* The pipeline goes down while a server keeps it waiting. */
GST_START_TEST (test_cancel)
{
  TestSocket server;
  GstElement *pipeline;

  test_socket_init (&server);
  server.answer = answer_never;
  pipeline = start_acquiring (&server);
  wait_until_asked ();
  expect_stops_at_once (pipeline);
  test_socket_clear (&server);
}

GST_END_TEST;

static void
answer_busy (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  test_socket_send (stream,
      "HTTP/1.1 503 Busy\r\nRetry-After: 60\r\n"
      "Content-Length: 0\r\nConnection: close\r\n\r\n");
}

static void
wait_for_progress (GstElement *pipeline, const gchar *word)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean found = FALSE;

  while (!found) {
    GstMessage *message =
        gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_PROGRESS);
    gchar *text = NULL;

    fail_unless (message != NULL, "no \"%s\"", word);
    gst_message_parse_progress (message, NULL, NULL, &text);
    found = strstr (text, word) != NULL;
    g_free (text);
    gst_message_unref (message);
  }
  gst_object_unref (bus);
}

/* The server says "in a minute"; the pipeline goes down and does not wait. */
GST_START_TEST (test_cancel_in_back_off)
{
  TestSocket server;
  GstElement *pipeline;

  test_socket_init (&server);
  server.answer = answer_busy;
  pipeline = start_acquiring (&server);
  wait_for_progress (pipeline, "waiting before the next attempt");
  expect_stops_at_once (pipeline);
  test_socket_clear (&server);
}

GST_END_TEST;

/* --- renewed by itself --------------------------------------------------- */

/* In its last half hour, of which renew-before's default tells. */
#define ENDS_SOON \
  "&rightsType=Rental&rental.periodEndTime=%2B1800&renewalDuration=172800"
#define IS_OVER \
  "&rightsType=Rental&rental.periodEndTime=2026-01-01T00:00:00Z" \
  "&renewalDuration=172800"

/* A pipeline whose key is taken for play. Returns: whether there was one */
static gboolean
start_playing (GstElement *source, GstElement **pipeline)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  g_autoptr (GstCencKeySession) session = NULL;
  g_autoptr (GstCencKey) key = NULL;

  *pipeline = gst_pipeline_new (NULL);
  g_object_get (source, "key-session", &session, NULL);
  gst_bin_add_many (GST_BIN (*pipeline), source, sink, NULL);
  gst_element_link (source, sink);
  gst_element_set_state (*pipeline, GST_STATE_PLAYING);
  gst_element_get_state (*pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  key = gst_cenc_key_session_get_key (session, test_kid, GST_CENC_KEY_USE_PLAY,
      NULL);
  return key != NULL;
}

static void
stop_playing (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* Returns: (transfer full): the message of this state */
static GstMessage *
wait_for_state (GstElement *pipeline, const gchar *state)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = NULL;
  gboolean found = FALSE;

  while (!found) {
    const GstStructure *structure;

    gst_clear_message (&message);
    message =
        gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_ELEMENT);
    fail_unless (message != NULL, "it is never %s", state);
    structure = gst_message_get_structure (message);
    found =
        g_strcmp0 (gst_structure_get_string (structure, "state"), state) == 0;
  }
  gst_object_unref (bus);
  return message;
}

static guint64
remaining (GstMessage *message)
{
  guint64 left = 0;

  gst_structure_get_uint64 (gst_message_get_structure (message),
      "license-remaining", &left);
  gst_message_unref (message);
  return left;
}

GST_START_TEST (test_auto_renew)
{
  GstElement *source, *pipeline;
  TestRun run, after;

  test_run_acquire (&run, ENDS_SOON);
  source = test_source_new ("play");
  g_object_set (source, "auto-renew", TRUE, NULL);
  fail_unless (start_playing (source, &pipeline));
  fail_unless (
      remaining (wait_for_state (pipeline, "expiring")) <= 1800 * GST_SECOND);
  fail_unless (
      remaining (wait_for_state (pipeline, "renewed")) > 86400 * GST_SECOND);
  stop_playing (pipeline);

  /* It is in the store, and plays without a network. */
  test_server_stop (&test_source_server);
  test_run_source (&after, test_source_new ("play"));
  test_run_expect_eos (&after);
  test_run_expect_state (&after, 0, "loaded");
  fail_if (g_bytes_equal (after.document, run.document));
  test_run_clear (&after);
  test_run_clear (&run);
}

GST_END_TEST;

/* Nor is it by itself, in the background or before play, with a server that has
 * not issued what plays: it is renewed where it says. */
GST_START_TEST (test_auto_renew_elsewhere)
{
  static const gchar *const rights[] = { ENDS_SOON, IS_OVER };
  static const gchar *const states[] = { "renewed", "loaded" };
  TestSocket server;
  g_autofree gchar *url = NULL;
  GstElement *source, *pipeline;
  TestRun run;

  test_run_acquire (&run, rights[__i__]);
  test_socket_init (&server);
  server.answer = answer_busy;
  test_socket_start (&server);
  url = g_strdup_printf ("http://127.0.0.1:%u/renew", server.port);
  source = test_source_new ("play");
  g_object_set (source, "auto-renew", TRUE, "uri", url, NULL);
  fail_unless (start_playing (source, &pipeline));
  fail_unless (remaining (wait_for_state (pipeline, states[__i__])) >
      86400 * GST_SECOND);
  stop_playing (pipeline);
  assert_equals_int (g_atomic_int_get (&server.connections), 0);
  test_socket_clear (&server);
  test_run_clear (&run);
}

GST_END_TEST;

/* What nobody has allowed does not happen: the server is never asked. */
GST_START_TEST (test_no_auto_renew)
{
  TestSocket server;
  g_autofree gchar *url = NULL;
  GstElement *source, *pipeline;
  TestRun run;

  test_run_acquire (&run, ENDS_SOON);
  test_socket_init (&server);
  server.answer = answer_busy;
  test_socket_start (&server);
  url = g_strdup_printf ("http://127.0.0.1:%u/renew", server.port);
  source = test_source_new ("play");
  g_object_set (source, "uri", url, NULL);
  fail_unless (start_playing (source, &pipeline));
  gst_message_unref (wait_for_state (pipeline, "expiring"));
  stop_playing (pipeline);
  assert_equals_int (g_atomic_int_get (&server.connections), 0);
  test_socket_clear (&server);
  test_run_clear (&run);
}

GST_END_TEST;

/* The network is gone: a warning, and what is here plays on. */
GST_START_TEST (test_auto_renew_offline)
{
  GstElement *source, *pipeline;
  GstBus *bus;
  GstMessage *message;
  GError *error = NULL;
  TestRun run;

  test_run_acquire (&run, ENDS_SOON);
  test_server_stop (&test_source_server);
  source = test_source_new ("play");
  g_object_set (source, "auto-renew", TRUE, NULL);
  fail_unless (start_playing (source, &pipeline));
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
      GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_OPEN_READ));
  fail_unless (strstr (error->message, "is not renewed yet") != NULL, "%s",
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
  stop_playing (pipeline);
  test_run_clear (&run);
}

GST_END_TEST;

/* Over when play starts, and renewed before the key is wanted. */
GST_START_TEST (test_revived)
{
  GstElement *source, *pipeline;
  TestRun run, refused;

  test_run_acquire (&run, IS_OVER);
  test_run_expect_eos (&run);
  test_run_source (&refused, test_source_new ("play"));
  test_run_expect_state (&refused, 0, "refused");
  test_run_clear (&refused);
  source = test_source_new ("play");
  g_object_set (source, "auto-renew", TRUE, NULL);
  fail_unless (start_playing (source, &pipeline));
  fail_unless (
      remaining (wait_for_state (pipeline, "loaded")) > 86400 * GST_SECOND);
  stop_playing (pipeline);
  test_run_clear (&run);
}

GST_END_TEST;

/* --- content ------------------------------------------------------------- */

/* To look into a title on a server is not for whoever plays offline. */
GST_START_TEST (test_remote_content)
{
  TestSocket server;
  g_autofree gchar *url = NULL;
  GstElement *source = test_source_new ("play");
  TestRun run;

  test_socket_init (&server);
  server.answer = answer_busy;
  test_socket_start (&server);
  url = g_strdup_printf ("http://127.0.0.1:%u/title.mp4", server.port);
  g_object_set (source, "content", url, NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
      "does not touch");
  assert_equals_int (g_atomic_int_get (&server.connections), 0);
  test_run_clear (&run);
  test_socket_clear (&server);
}

GST_END_TEST;

/* The KIDs come from the title; a file that has none is an error that says so. */
GST_START_TEST (test_content)
{
  const gchar *vectors = g_getenv ("CENC_VECTORS");
  g_autofree gchar *path =
      g_build_filename (vectors ? vectors : CENC_VECTORS_DIR,
          "media3_drm_sample_fragmented_clearkey.mp4", NULL);
  g_autofree gchar *junk = g_build_filename (test_source_folder, "junk", NULL);
  GstElement *source;
  TestRun run;

  g_file_set_contents (junk, "no film", -1, NULL);
  source = test_source_new ("play");
  g_object_set (source, "content", junk, NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
      "junk");
  test_run_clear (&run);

  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_print ("%s is not there: half of the test is skipped\n", path);
    return;
  }
  test_run_acquire (&run, TEST_RENTAL);
  test_run_clear (&run);
  source = test_source_new ("play");
  g_object_set (source, "content", path, NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "no license for key");
  test_run_clear (&run);
}

GST_END_TEST;

static Suite *
offlinelicensesrc_network_suite (void)
{
  Suite *suite = suite_create ("offlinelicensesrc-network");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, test_source_setup, test_source_teardown);
  tcase_add_test (tc, test_status_at_server);
  tcase_add_test (tc, test_status_elsewhere);
  tcase_add_test (tc, test_status_offline);
  tcase_add_test (tc, test_renew_elsewhere);
  tcase_add_test (tc, test_cancel);
  tcase_add_test (tc, test_cancel_in_back_off);
  tcase_add_test (tc, test_auto_renew);
  tcase_add_loop_test (tc, test_auto_renew_elsewhere, 0, 2);
  tcase_add_test (tc, test_no_auto_renew);
  tcase_add_test (tc, test_auto_renew_offline);
  tcase_add_test (tc, test_revived);
  tcase_add_test (tc, test_remote_content);
  tcase_add_test (tc, test_content);
  return suite;
}

GST_CHECK_MAIN (offlinelicensesrc_network);
