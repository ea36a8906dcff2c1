/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element against the example server, through a real socket. */

#include <string.h>

#include <gst/check/gstcheck.h>
#include <gst/cenc/cenc.h>

#include "../key-data.h"
#include "../license/testlicense.h"
#include "../license/testsource.h"

GST_START_TEST (test_acquire)
{
  TestRun run, again;
  guint64 left;

  test_run_acquire (&run, TEST_RENTAL);
  test_run_expect_eos (&run);
  fail_unless (run.document != NULL);
  fail_unless (run.have_context);
  test_run_expect_state (&run, 0, "acquired");
  assert_equals_int (run.progress[GST_PROGRESS_TYPE_START], 1);
  assert_equals_int (run.progress[GST_PROGRESS_TYPE_COMPLETE], 1);
  fail_unless (gst_structure_get_uint64 (g_ptr_array_index (run.structures, 0),
      "playback-remaining", &left));
  assert_equals_uint64 (left, 7200 * GST_SECOND);

  /* The server is gone: what is here plays, and is what was acquired. */
  test_server_stop (&test_source_server);
  test_run_source (&again, test_source_new ("play"));
  test_run_expect_eos (&again);
  test_run_expect_state (&again, 0, "loaded");
  fail_unless (g_bytes_equal (again.document, run.document));
  test_run_clear (&again);
  test_run_clear (&run);
}

GST_END_TEST;

GST_START_TEST (test_token_location)
{
  g_autofree gchar *path =
      g_build_filename (test_source_folder, "title.token", NULL);
  g_autofree gchar *token =
      test_server_token (&test_source_server, TEST_RENTAL);
  GstElement *source = test_source_new ("auto");
  TestRun run;

  g_file_set_contents (path, token, -1, NULL);
  g_object_set (source, "token-location", path, NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  test_run_expect_state (&run, 0, "acquired");
  test_run_clear (&run);
}

GST_END_TEST;

/* The same token again, by the same device: the same license, not a fresh one. */
GST_START_TEST (test_acquire_twice)
{
  g_autofree gchar *token =
      test_server_token (&test_source_server, TEST_RENTAL);
  const gchar *id[2];
  TestRun run[2];
  guint i;

  for (i = 0; i < 2; i++) {
    GstElement *source = test_source_new ("acquire");

    g_object_set (source, "token", token, NULL);
    test_run_source (&run[i], source);
    test_run_expect_eos (&run[i]);
    id[i] = gst_structure_get_string (g_ptr_array_index (run[i].structures, 0),
        "license-id");
  }
  assert_equals_string (id[0], id[1]);
  test_run_clear (&run[0]);
  test_run_clear (&run[1]);
}

GST_END_TEST;

GST_START_TEST (test_renew)
{
  TestRun run, renewed, early;
  GstElement *source;

  test_run_acquire (&run, TEST_RENTAL "&renewalDuration=172800");
  test_run_expect_eos (&run);
  test_run_source (&renewed, test_source_new ("renew"));
  test_run_expect_eos (&renewed);
  test_run_expect_state (&renewed, 0, "renewed");
  fail_if (g_bytes_equal (run.document, renewed.document));

  /* With more left than renew-before there is nothing to do. */
  test_server_stop (&test_source_server);
  source = test_source_new ("renew");
  g_object_set (source, "renew-before", 3600, NULL);
  test_run_source (&early, source);
  test_run_expect_eos (&early);
  test_run_expect_state (&early, 0, "loaded");
  test_run_clear (&early);
  test_run_clear (&renewed);
  test_run_clear (&run);
}

GST_END_TEST;

/* What has no end is never due. */
GST_START_TEST (test_renew_without_end)
{
  TestRun run, renewed;
  GstElement *source = test_source_new ("renew");

  test_run_acquire (&run, "&rightsType=BuyToOwn");
  test_run_expect_eos (&run);
  test_server_stop (&test_source_server);
  g_object_set (source, "renew-before", 3600, NULL);
  test_run_source (&renewed, source);
  test_run_expect_eos (&renewed);
  test_run_expect_state (&renewed, 0, "loaded");
  test_run_clear (&renewed);
  test_run_clear (&run);
}

GST_END_TEST;

GST_START_TEST (test_renew_refused)
{
  TestRun run, renewed;
  GstElement *source;
  g_autofree gchar *url = g_strconcat (test_source_server.url, "/renew", NULL);

  test_run_acquire (&run, TEST_RENTAL);
  test_run_source (&renewed, test_source_new ("renew"));
  test_run_expect_error (&renewed, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
      "where it is renewed");
  test_run_clear (&renewed);
  source = test_source_new ("renew");
  g_object_set (source, "uri", url, NULL);
  test_run_source (&renewed, source);
  test_run_expect_error (&renewed, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_AUTHORIZED, "cannot be renewed");
  assert_equals_int (renewed.progress[GST_PROGRESS_TYPE_ERROR], 1);
  test_run_clear (&renewed);
  test_run_clear (&run);
}

GST_END_TEST;

static gchar *
server_status (const gchar *id)
{
  g_autofree gchar *path =
      g_strconcat ("/status?customerAuthenticator=secret&licenseId=", id, NULL);
  guint status;

  return test_server_ask (&test_source_server, path, NULL, &status);
}

GST_START_TEST (test_release)
{
  g_autofree gchar *text = NULL, *path = NULL;
  TestRun run, released, after;
  GstElement *source;

  test_run_acquire (&run, TEST_RENTAL);
  test_run_source (&released, test_source_new ("release"));
  test_run_expect_eos (&released);
  test_run_expect_state (&released, 0, "released");
  fail_unless (released.document == NULL);
  text = server_status (
      gst_structure_get_string (g_ptr_array_index (released.structures, 0),
          "license-id"));
  fail_unless (strstr (text, "\"released\":true") != NULL, "%s", text);

  /* From a copy it does not come back. */
  path = g_build_filename (test_source_folder, "copy.license", NULL);
  g_file_set_contents (path, g_bytes_get_data (run.document, NULL),
      (gssize) g_bytes_get_size (run.document), NULL);
  source = test_source_new ("play");
  g_object_set (source, "location", path, NULL);
  test_run_source (&after, source);
  test_run_expect_error (&after, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_AUTHORIZED, "was given back");
  test_run_clear (&after);
  test_run_clear (&released);
  test_run_clear (&run);
}

GST_END_TEST;

/* Given back offline; the server is told at the next contact. */
GST_START_TEST (test_release_offline)
{
  g_autofree gchar *before = NULL, *after = NULL;
  const gchar *id;
  TestRun first, released, second;

  test_run_acquire (&first, TEST_RENTAL);
  test_server_set_online (&test_source_server, FALSE);
  test_run_source (&released, test_source_new ("release"));
  test_server_set_online (&test_source_server, TRUE);
  test_run_expect_eos (&released);
  test_run_expect_state (&released, 0, "released");
  id = gst_structure_get_string (g_ptr_array_index (first.structures, 0),
      "license-id");
  before = server_status (id);
  fail_unless (strstr (before, "\"released\":false") != NULL, "%s", before);

  test_run_acquire (&second, TEST_RENTAL);
  test_run_expect_eos (&second);
  after = server_status (id);
  fail_unless (strstr (after, "\"released\":true") != NULL, "%s", after);
  test_run_clear (&second);
  test_run_clear (&released);
  test_run_clear (&first);
}

GST_END_TEST;

GST_START_TEST (test_status)
{
  GstElement *source;
  TestRun one, two, run;

  test_run_acquire (&one, TEST_RENTAL);
  test_run_acquire (&two, "&rightsType=BuyToOwn");
  test_run_source (&run, test_source_new ("status"));
  test_run_expect_eos (&run);
  assert_equals_int (run.structures->len, 2);
  fail_unless (run.document == NULL);
  test_run_clear (&run);
  source = test_source_new ("status");
  g_object_set (source, "key-ids", "00000000000000000000000000000001", NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  assert_equals_int (run.structures->len, 0);
  test_run_clear (&run);
  test_run_clear (&two);
  test_run_clear (&one);
}

GST_END_TEST;

GST_START_TEST (test_no_license)
{
  GstElement *source = test_source_new ("play");
  TestRun run;

  test_run_source (&run, source);
  test_run_expect_error (&run, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "no");
  test_run_clear (&run);

  test_run_acquire (&run, TEST_RENTAL);
  test_run_clear (&run);
  source = test_source_new ("play");
  g_object_set (source, "key-ids", "00000000000000000000000000000001", NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "00000000000000000000000000000001");
  test_run_clear (&run);
}

GST_END_TEST;

/* Session-only: played by the session that asked, stored nowhere. */
GST_START_TEST (test_not_persistent)
{
  g_autofree gchar *token = test_server_token (&test_source_server,
      "&template={\"rental_duration_seconds\":3600,\"can_persist\":false}");
  GstElement *source = test_source_new ("acquire");
  g_autoptr (GstCencKeySession) session = NULL;
  g_autoptr (GstCencKey) key = NULL;
  TestRun run, again;

  g_object_set (source, "token", token, NULL);
  g_object_get (source, "key-session", &session, NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  key = gst_cenc_key_session_get_key (session, test_kid, GST_CENC_KEY_USE_PLAY,
      NULL);
  fail_unless (key != NULL);
  fail_unless (key_has_data (key, test_key));
  test_run_source (&again, test_source_new ("play"));
  test_run_expect_error (&again, GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECRYPT_NOKEY, "no license");
  test_run_clear (&again);
  test_run_clear (&run);
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
  GstElement *source = test_source_new ("acquire");
  TestRun run;

  g_object_set (source, "token", bad_tokens[__i__].token, NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_RESOURCE_ERROR, bad_tokens[__i__].code,
      bad_tokens[__i__].word);
  test_run_clear (&run);
}

GST_END_TEST;

GST_START_TEST (test_unknown_token)
{
  g_autofree gchar *url =
      g_strconcat (test_source_server.url, "/license", NULL);
  GstElement *source = test_source_new ("acquire");
  TestRun run;

  g_object_set (source, "token", "alone", "uri", url, NULL);
  test_run_source (&run, source);
  test_run_expect_error (&run, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      "401: Unauthorized: the token is not known");
  test_run_clear (&run);
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

/* What must stand in no line of any log: the token, and the content key in any
 * writing. */
static const gchar *logged_secrets[4] = { NULL, "4b45592d6f6e652d",
  "S0VZLW9uZS0x", "KEY-one" };
static gint logged_lines, logged_leaks;

static void
look_at_log (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message,
    gpointer data)
{
  const gchar *text = gst_debug_message_get (message);
  guint i;

  g_atomic_int_inc (&logged_lines);
  for (i = 0; text && i < G_N_ELEMENTS (logged_secrets); i++) {
    if (strstr (text, logged_secrets[i]))
      g_atomic_int_inc (&logged_leaks);
  }
}

static int log_functions_changed;
int __lsan_is_turned_off (void);

/* GStreamer loses its list of log functions, on purpose, when that changes. */
__attribute__ ((visibility ("default"))) int
__lsan_is_turned_off (void)
{
  return log_functions_changed;
}

GST_START_TEST (test_secrets_are_not_logged)
{
  g_autofree gchar *token =
      test_server_token (&test_source_server, TEST_RENTAL);
  GstElement *source = test_source_new ("acquire");
  g_auto (GStrv) words = g_strsplit (token, "\"token\":\"", 2);
  g_autoptr (GstCencKeySession) session = NULL;
  g_autoptr (GstCencKey) key = NULL;
  TestRun run;

  words[1][strcspn (words[1], "\"")] = '\0';
  logged_secrets[0] = words[1];
  gst_debug_set_active (TRUE);
  gst_debug_set_default_threshold (GST_LEVEL_TRACE);
  log_functions_changed = TRUE;
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (look_at_log, NULL, NULL);
  g_object_set (source, "token", token, NULL);
  g_object_get (source, "key-session", &session, NULL);
  test_run_source (&run, source);
  test_run_expect_eos (&run);
  key = gst_cenc_key_session_get_key (session, test_kid, GST_CENC_KEY_USE_PLAY,
      NULL);
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  gst_debug_remove_log_function (look_at_log);
  fail_unless (key != NULL);
  fail_unless (g_atomic_int_get (&logged_lines) > 100, "nothing was logged");
  assert_equals_int (g_atomic_int_get (&logged_leaks), 0);
  test_run_clear (&run);
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

static Suite *
offlinelicensesrc_suite (void)
{
  Suite *suite = suite_create ("offlinelicensesrc");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, test_source_setup, test_source_teardown);
  tcase_add_test (tc, test_acquire);
  tcase_add_test (tc, test_token_location);
  tcase_add_test (tc, test_acquire_twice);
  tcase_add_test (tc, test_renew);
  tcase_add_test (tc, test_renew_without_end);
  tcase_add_test (tc, test_renew_refused);
  tcase_add_test (tc, test_release);
  tcase_add_test (tc, test_release_offline);
  tcase_add_test (tc, test_status);
  tcase_add_test (tc, test_no_license);
  tcase_add_test (tc, test_not_persistent);
  tcase_add_loop_test (tc, test_bad_tokens, 0, G_N_ELEMENTS (bad_tokens));
  tcase_add_test (tc, test_unknown_token);
  tcase_add_test (tc, test_uri);
  tcase_add_test (tc, test_secrets_are_not_logged);
  tcase_add_test (tc, test_secrets_are_write_only);
  return suite;
}

GST_CHECK_MAIN (offlinelicensesrc);
