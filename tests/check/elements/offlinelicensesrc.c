/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element against the example server, through a real socket. */

#include <string.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <gst/cenc/cenc.h>

#include "../license/testlicense.h"
#include "../license/testserver.h"
#include "license/jose-base64.h"

#define RENTAL \
  "&rightsType=Rental&rental.periodEndTime=%2B86400&rental.playDuration=7200"

static TestServer server;
static gchar *folder;

static void
setup (void)
{
  test_server_init (&server);
  folder = g_dir_make_tmp ("offlinelicensesrc-XXXXXX", NULL);
}

static void
teardown (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
  test_server_clear (&server);
}

static GstElement *
make_source (const gchar *action)
{
  GstElement *source = gst_element_factory_make ("offlinelicensesrc", NULL);
  g_autofree gchar *store = g_build_filename (folder, "licenses.db", NULL);
  g_autofree gchar *key = g_build_filename (folder, "device.pem", NULL);

  fail_unless (source != NULL);
  g_object_set (source, "store", store, "device-key", key, "issuers",
      server.issuer_path, "timeout", 5, NULL);
  gst_util_set_object_arg (G_OBJECT (source), "action", action);
  return source;
}

/* What a run leaves. */
typedef struct
{
  GstMessage *end; /* EOS or the first error */
  GPtrArray *structures; /* of offline-license messages */
  gboolean have_context;
  guint progress[5];
  GBytes *document; /* (nullable) */
} Run;

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
look_at (Run *run, GstMessage *message)
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
static void
run_source (Run *run, GstElement *source)
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
    GstMessage *message = gst_bus_timed_pop (bus, 20 * GST_SECOND);

    fail_unless (message != NULL, "nothing happens");
    look_at (run, message);
    gst_message_unref (message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

static void
run_clear (Run *run)
{
  gst_message_unref (run->end);
  g_ptr_array_unref (run->structures);
  g_clear_pointer (&run->document, g_bytes_unref);
}

static void
expect_eos (Run *run)
{
  GError *error = NULL;

  if (GST_MESSAGE_TYPE (run->end) == GST_MESSAGE_ERROR)
    gst_message_parse_error (run->end, &error, NULL);
  fail_unless (error == NULL, "%s", error ? error->message : "");
}

static void
expect_error (Run *run, GQuark domain, gint code, const gchar *word)
{
  GError *error = NULL;

  fail_unless (GST_MESSAGE_TYPE (run->end) == GST_MESSAGE_ERROR);
  gst_message_parse_error (run->end, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s %d: %s",
      g_quark_to_string (error->domain), error->code, error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  g_error_free (error);
}

static void
expect_state (Run *run, guint i, const gchar *state)
{
  fail_unless (run->structures->len > i);
  assert_equals_string (gst_structure_get_string (
                            g_ptr_array_index (run->structures, i), "state"),
      state);
}

static void
acquire (Run *run, const gchar *rights)
{
  g_autofree gchar *token = test_server_token (&server, rights);
  GstElement *source = make_source ("acquire");

  g_object_set (source, "token", token, NULL);
  run_source (run, source);
}

GST_START_TEST (test_acquire)
{
  Run run, again;
  guint64 left;

  acquire (&run, RENTAL);
  expect_eos (&run);
  fail_unless (run.document != NULL);
  fail_unless (run.have_context);
  expect_state (&run, 0, "acquired");
  assert_equals_int (run.progress[GST_PROGRESS_TYPE_START], 1);
  assert_equals_int (run.progress[GST_PROGRESS_TYPE_COMPLETE], 1);
  fail_unless (gst_structure_get_uint64 (g_ptr_array_index (run.structures, 0),
      "playback-remaining", &left));
  assert_equals_uint64 (left, 7200 * GST_SECOND);

  /* The server is gone: what is here plays, and is what was acquired. */
  test_server_stop (&server);
  run_source (&again, make_source ("play"));
  expect_eos (&again);
  expect_state (&again, 0, "loaded");
  fail_unless (g_bytes_equal (again.document, run.document));
  run_clear (&again);
  run_clear (&run);
}

GST_END_TEST;

GST_START_TEST (test_token_location)
{
  g_autofree gchar *path = g_build_filename (folder, "title.token", NULL);
  g_autofree gchar *token = test_server_token (&server, RENTAL);
  GstElement *source = make_source ("auto");
  Run run;

  g_file_set_contents (path, token, -1, NULL);
  g_object_set (source, "token-location", path, NULL);
  run_source (&run, source);
  expect_eos (&run);
  expect_state (&run, 0, "acquired");
  run_clear (&run);
}

GST_END_TEST;

/* The same token again, by the same device: the same license, not a fresh one. */
GST_START_TEST (test_acquire_twice)
{
  g_autofree gchar *token = test_server_token (&server, RENTAL);
  const gchar *id[2];
  Run run[2];
  guint i;

  for (i = 0; i < 2; i++) {
    GstElement *source = make_source ("acquire");

    g_object_set (source, "token", token, NULL);
    run_source (&run[i], source);
    expect_eos (&run[i]);
    id[i] = gst_structure_get_string (g_ptr_array_index (run[i].structures, 0),
        "license-id");
  }
  assert_equals_string (id[0], id[1]);
  run_clear (&run[0]);
  run_clear (&run[1]);
}

GST_END_TEST;

GST_START_TEST (test_renew)
{
  Run run, renewed, early;
  GstElement *source;

  acquire (&run, RENTAL "&renewalDuration=172800");
  expect_eos (&run);
  run_source (&renewed, make_source ("renew"));
  expect_eos (&renewed);
  expect_state (&renewed, 0, "renewed");
  fail_if (g_bytes_equal (run.document, renewed.document));

  /* With more left than renew-before there is nothing to do. */
  test_server_stop (&server);
  source = make_source ("renew");
  g_object_set (source, "renew-before", 3600, NULL);
  run_source (&early, source);
  expect_eos (&early);
  expect_state (&early, 0, "loaded");
  run_clear (&early);
  run_clear (&renewed);
  run_clear (&run);
}

GST_END_TEST;

GST_START_TEST (test_renew_refused)
{
  Run run, renewed;
  GstElement *source;
  g_autofree gchar *url = g_strconcat (server.url, "/renew", NULL);

  acquire (&run, RENTAL);
  run_source (&renewed, make_source ("renew"));
  expect_error (&renewed, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
      "where it is renewed");
  run_clear (&renewed);
  source = make_source ("renew");
  g_object_set (source, "uri", url, NULL);
  run_source (&renewed, source);
  expect_error (&renewed, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      "cannot be renewed");
  assert_equals_int (renewed.progress[GST_PROGRESS_TYPE_ERROR], 1);
  run_clear (&renewed);
  run_clear (&run);
}

GST_END_TEST;

static gchar *
server_status (const gchar *id)
{
  g_autofree gchar *path =
      g_strconcat ("/status?customerAuthenticator=secret&licenseId=", id, NULL);
  guint status;

  return test_server_ask (&server, path, NULL, &status);
}

GST_START_TEST (test_release)
{
  g_autofree gchar *text = NULL, *path = NULL;
  Run run, released, after;
  GstElement *source;

  acquire (&run, RENTAL);
  run_source (&released, make_source ("release"));
  expect_eos (&released);
  expect_state (&released, 0, "released");
  fail_unless (released.document == NULL);
  text = server_status (
      gst_structure_get_string (g_ptr_array_index (released.structures, 0),
          "license-id"));
  fail_unless (strstr (text, "\"released\":true") != NULL, "%s", text);

  /* From a copy it does not come back. */
  path = g_build_filename (folder, "copy.license", NULL);
  g_file_set_contents (path, g_bytes_get_data (run.document, NULL),
      (gssize) g_bytes_get_size (run.document), NULL);
  source = make_source ("play");
  g_object_set (source, "location", path, NULL);
  run_source (&after, source);
  expect_error (&after, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      "was given back");
  run_clear (&after);
  run_clear (&released);
  run_clear (&run);
}

GST_END_TEST;

/* Given back offline; the server is told at the next contact. */
GST_START_TEST (test_release_offline)
{
  g_autofree gchar *before = NULL, *after = NULL;
  const gchar *id;
  Run first, released, second;

  acquire (&first, RENTAL);
  test_server_set_online (&server, FALSE);
  run_source (&released, make_source ("release"));
  test_server_set_online (&server, TRUE);
  expect_eos (&released);
  expect_state (&released, 0, "released");
  id = gst_structure_get_string (g_ptr_array_index (first.structures, 0),
      "license-id");
  before = server_status (id);
  fail_unless (strstr (before, "\"released\":false") != NULL, "%s", before);

  acquire (&second, RENTAL);
  expect_eos (&second);
  after = server_status (id);
  fail_unless (strstr (after, "\"released\":true") != NULL, "%s", after);
  run_clear (&second);
  run_clear (&released);
  run_clear (&first);
}

GST_END_TEST;

GST_START_TEST (test_status)
{
  GstElement *source;
  Run one, two, run;

  acquire (&one, RENTAL);
  acquire (&two, "&rightsType=BuyToOwn");
  run_source (&run, make_source ("status"));
  expect_eos (&run);
  assert_equals_int (run.structures->len, 2);
  fail_unless (run.document == NULL);
  run_clear (&run);
  source = make_source ("status");
  g_object_set (source, "key-ids", "00000000000000000000000000000001", NULL);
  run_source (&run, source);
  expect_eos (&run);
  assert_equals_int (run.structures->len, 0);
  run_clear (&run);
  run_clear (&two);
  run_clear (&one);
}

GST_END_TEST;

GST_START_TEST (test_no_license)
{
  GstElement *source = make_source ("play");
  Run run;

  run_source (&run, source);
  expect_error (&run, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY, "no");
  run_clear (&run);

  acquire (&run, RENTAL);
  run_clear (&run);
  source = make_source ("play");
  g_object_set (source, "key-ids", "00000000000000000000000000000001", NULL);
  run_source (&run, source);
  expect_error (&run, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "00000000000000000000000000000001");
  run_clear (&run);
}

GST_END_TEST;

/* Session-only: played by the session that asked, stored nowhere. */
GST_START_TEST (test_not_persistent)
{
  g_autofree gchar *token = test_server_token (&server,
      "&template={\"rental_duration_seconds\":3600,\"can_persist\":false}");
  GstElement *source = make_source ("acquire");
  g_autoptr (GstCencKeySession) session = NULL;
  g_autoptr (GstCencKey) key = NULL;
  Run run, again;

  g_object_set (source, "token", token, NULL);
  g_object_get (source, "key-session", &session, NULL);
  run_source (&run, source);
  expect_eos (&run);
  key = gst_cenc_key_session_get_key (session, test_kid, GST_CENC_KEY_USE_PLAY,
      NULL);
  fail_unless (key != NULL);
  fail_unless (memcmp (gst_cenc_key_get_data (key), test_key, 16) == 0);
  run_source (&again, make_source ("play"));
  expect_error (&again, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "no license");
  run_clear (&again);
  run_clear (&run);
}

GST_END_TEST;

static const struct
{
  const gchar *token;
  gint code;
  const gchar *word;
} bad_tokens[] = {
  { "<?xml version=\"1.0\"?><marlin:ActionToken/>", GST_RESOURCE_ERROR_READ,
      "Marlin action token" },
  { "<html/>", GST_RESOURCE_ERROR_READ, "no token" },
  { "{\"token\":1}", GST_RESOURCE_ERROR_READ, "token" },
  { "two words", GST_RESOURCE_ERROR_READ, "characters" },
  { "alone", GST_RESOURCE_ERROR_SETTINGS, "set uri" },
};

GST_START_TEST (test_bad_tokens)
{
  GstElement *source = make_source ("acquire");
  Run run;

  g_object_set (source, "token", bad_tokens[__i__].token, NULL);
  run_source (&run, source);
  expect_error (&run, GST_RESOURCE_ERROR, bad_tokens[__i__].code,
      bad_tokens[__i__].word);
  run_clear (&run);
}

GST_END_TEST;

GST_START_TEST (test_unknown_token)
{
  g_autofree gchar *url = g_strconcat (server.url, "/license", NULL);
  GstElement *source = make_source ("acquire");
  Run run;

  g_object_set (source, "token", "alone", "uri", url, NULL);
  run_source (&run, source);
  expect_error (&run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      "401: Unauthorized: the token is not known");
  run_clear (&run);
}

GST_END_TEST;

/* The pipeline goes down while a server keeps it waiting. */
GST_START_TEST (test_cancel)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *url = g_strdup_printf ("http://127.0.0.1:%u/", port);
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstElement *source = make_source ("acquire");
  g_autoptr (GSocketConnection) connection = NULL;
  gint64 start;

  g_object_set (source, "token", "alone", "uri", url, "timeout", 60, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, sink, NULL);
  gst_element_link (source, sink);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  connection = g_socket_listener_accept (listener, NULL, NULL, NULL);
  fail_unless (connection != NULL);
  start = g_get_monotonic_time ();
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless (g_get_monotonic_time () - start < 10 * G_USEC_PER_SEC);
  gst_object_unref (pipeline);
}

GST_END_TEST;

GST_START_TEST (test_uri)
{
  GstElement *source = gst_element_make_from_uri (GST_URI_SRC,
      "license:///tmp/a%20b.license", NULL, NULL);
  g_autofree gchar *location = NULL, *uri = NULL, *kids = NULL;
  g_autoptr (GError) error = NULL;

  fail_unless (source != NULL);
  g_object_get (source, "location", &location, NULL);
  assert_equals_string (location, "/tmp/a b.license");
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (source));
  assert_equals_string (uri, "license:///tmp/a%20b.license");
  fail_unless (gst_uri_handler_set_uri (GST_URI_HANDLER (source),
      "license:6b69642d6f6e652d31362d6279746573", NULL));
  g_object_get (source, "key-ids", &kids, NULL);
  assert_equals_string (kids, "6b69642d6f6e652d31362d6279746573");
  fail_if (
      gst_uri_handler_set_uri (GST_URI_HANDLER (source), "license:zz", &error));
  fail_unless (g_error_matches (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI));
  gst_object_unref (source);
}

GST_END_TEST;

GST_START_TEST (test_secrets_are_write_only)
{
  GstElement *source = gst_element_factory_make ("offlinelicensesrc", NULL);
  GObjectClass *klass = G_OBJECT_GET_CLASS (source);

  fail_if (
      g_object_class_find_property (klass, "token")->flags & G_PARAM_READABLE);
  fail_if (g_object_class_find_property (klass, "device-key")->flags &
      G_PARAM_READABLE);
  gst_object_unref (source);
}

GST_END_TEST;

/* The KIDs come from the title; a file that has none is an error that says so. */
GST_START_TEST (test_content)
{
  const gchar *vectors = g_getenv ("CENC_VECTORS");
  g_autofree gchar *path =
      g_build_filename (vectors ? vectors : CENC_VECTORS_DIR,
          "media3_drm_sample_fragmented_clearkey.mp4", NULL);
  g_autofree gchar *junk = g_build_filename (folder, "junk", NULL);
  GstElement *source;
  Run run;

  g_file_set_contents (junk, "no film", -1, NULL);
  source = make_source ("play");
  g_object_set (source, "content", junk, NULL);
  run_source (&run, source);
  expect_error (&run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "junk");
  run_clear (&run);

  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_print ("%s is not there: half of the test is skipped\n", path);
    return;
  }
  acquire (&run, RENTAL);
  run_clear (&run);
  source = make_source ("play");
  g_object_set (source, "content", path, NULL);
  run_source (&run, source);
  expect_error (&run, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "no license for key");
  run_clear (&run);
}

GST_END_TEST;

static Suite *
offlinelicensesrc_suite (void)
{
  Suite *suite = suite_create ("offlinelicensesrc");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_acquire);
  tcase_add_test (tc, test_token_location);
  tcase_add_test (tc, test_acquire_twice);
  tcase_add_test (tc, test_renew);
  tcase_add_test (tc, test_renew_refused);
  tcase_add_test (tc, test_release);
  tcase_add_test (tc, test_release_offline);
  tcase_add_test (tc, test_status);
  tcase_add_test (tc, test_no_license);
  tcase_add_test (tc, test_not_persistent);
  tcase_add_loop_test (tc, test_bad_tokens, 0, G_N_ELEMENTS (bad_tokens));
  tcase_add_test (tc, test_unknown_token);
  tcase_add_test (tc, test_cancel);
  tcase_add_test (tc, test_uri);
  tcase_add_test (tc, test_secrets_are_write_only);
  tcase_add_test (tc, test_content);
  return suite;
}

GST_CHECK_MAIN (offlinelicensesrc);
