/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The key session over the store: when what is stored, told and refused. */

#include <string.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "../key-data.h"
#include "../license/teststore.h"
#include "license/gstofflinelicensesession.h"

#define PREROLL GST_CENC_KEY_USE_PREROLL
#define PLAY GST_CENC_KEY_USE_PLAY

static TestStore ts;
static GstCencKeySession *session;
static gchar *issuers_path;
static GPtrArray *messages; /* GstStructure */

static void
on_message (GstCencKeySession *from, const GstStructure *structure,
    gpointer data)
{
  g_ptr_array_add (messages, gst_structure_copy (structure));
}

static void
setup (void)
{
  g_autofree gchar *pem = NULL;

  test_store_init (&ts);
  pem = test_pem (ts.issuer.certificate);
  issuers_path = g_build_filename (ts.folder, "issuers.pem", NULL);
  g_file_set_contents (issuers_path, pem, -1, NULL);
  messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_structure_free);
  session = GST_CENC_KEY_SESSION (gst_offline_license_session_new ());
  g_object_set (session, "store", ts.path, "device-key", ts.key_path, "issuers",
      issuers_path, NULL);
  gst_offline_license_session_set_clock (GST_OFFLINE_LICENSE_SESSION (session),
      &ts.clock.clock);
  g_signal_connect (session, "offline-license", G_CALLBACK (on_message), NULL);
}

static void
teardown (void)
{
  gst_object_unref (session);
  g_ptr_array_unref (messages);
  g_free (issuers_path);
  test_store_clear (&ts);
}

static void
add (const LicenseDocument *license)
{
  g_autoptr (GBytes) bytes = test_store_write (&ts, license);
  g_autoptr (GError) error = NULL;

  gst_cenc_key_session_add_license (session, bytes, NULL, &error);
  g_assert_no_error (error);
}

static gint64
take (GstCencKeyUse use)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstCencKey) key =
      gst_cenc_key_session_get_key (session, test_kid, use, &error);

  g_assert_no_error (error);
  fail_unless (key_has_data (key, test_key));
  return gst_cenc_key_get_deadline (key);
}

static void
expect_refused (GstCencKeyUse use, gint code)
{
  g_autoptr (GError) error = NULL;
  GstCencKey *key =
      gst_cenc_key_session_get_key (session, test_kid, use, &error);

  fail_unless (key == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, code), "code %d: %s",
      error->code, error->message);
}

static gint64
stored_first_play (void)
{
  g_autoptr (LicenseEntry) entry = test_store_entry (&ts);

  return entry->record.first_play;
}

static const GstStructure *
last_message (void)
{
  fail_unless (messages->len > 0);
  return g_ptr_array_index (messages, messages->len - 1);
}

static void
expect_state (const gchar *state)
{
  assert_equals_string (gst_structure_get_string (last_message (), "state"),
      state);
}

static guint
count_state (const gchar *state)
{
  guint i, n = 0;

  for (i = 0; i < messages->len; i++)
    n += g_str_equal (gst_structure_get_string (g_ptr_array_index (messages, i),
                          "state"),
        state);
  return n;
}

/* Asking costs nothing: no file is made. */
GST_START_TEST (test_no_store)
{
  g_autofree gchar *path = g_build_filename (ts.folder, "other.db", NULL);
  g_autoptr (GPtrArray) kids = NULL;

  g_object_set (session, "store", path, NULL);
  fail_if (gst_cenc_key_session_has_key (session, test_kid));
  kids = gst_cenc_key_session_list_kids (session);
  assert_equals_int (kids->len, 0);
  expect_refused (PLAY, GST_CENC_ERROR_NO_KEY);
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

GST_START_TEST (test_preroll_then_play)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  guint generation = gst_cenc_key_session_get_generation (session);

  add (license);
  expect_state ("loaded");
  fail_unless (gst_cenc_key_session_get_generation (session) > generation);
  fail_unless (gst_cenc_key_session_has_key (session, test_kid));
  gst_cenc_key_session_begin (session);
  take (PREROLL);
  assert_equals_int64 (stored_first_play (), LICENSE_TIME_NONE);
  gst_cenc_key_session_end (session);
  assert_equals_int64 (stored_first_play (), LICENSE_TIME_NONE);

  gst_cenc_key_session_begin (session);
  take (PREROLL);
  test_clock_advance (&ts.clock, 2);
  take (PLAY);
  assert_equals_int64 (stored_first_play (), TEST_SECONDS (TEST_DAY + 2));
  expect_state ("first-play");
  take (PLAY);
  assert_equals_int (count_state ("first-play"), 1);
  gst_cenc_key_session_end (session);
}

GST_END_TEST;

GST_START_TEST (test_message)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  const GstStructure *s;
  guint64 window, playback;
  gboolean persistent;
  GstDateTime *date;
  gchar *text;

  license->rules.not_before = TEST_SECONDS (TEST_DAY - 300);
  add (license);
  take (PLAY);
  s = last_message ();
  fail_unless (gst_structure_has_name (s, "offline-license"));
  assert_equals_string (gst_structure_get_string (s, "license-id"), "lic-1");
  assert_equals_string (gst_structure_get_string (s, "rights-type"), "Rental");
  assert_equals_string (gst_structure_get_string (s, "expiration-source"),
      "playback");
  fail_unless (gst_structure_get (s, "license-remaining", G_TYPE_UINT64,
      &window, "playback-remaining", G_TYPE_UINT64, &playback, "persistent",
      G_TYPE_BOOLEAN, &persistent, "expiration", GST_TYPE_DATE_TIME, &date,
      NULL));
  assert_equals_uint64 (window, 30 * 86400 * GST_SECOND);
  assert_equals_uint64 (playback, 48 * 3600 * GST_SECOND);
  fail_unless (persistent);
  text = gst_date_time_to_iso8601_string (date);
  assert_equals_string (text, "2027-01-07T00:00:00Z");
  g_free (text);
  gst_date_time_unref (date);
  fail_unless (gst_structure_has_field (s, "not-before"));
  fail_unless (gst_structure_has_field (s, "first-play"));
  fail_if (gst_structure_has_field (s, "reason"));
  /* The KID is there, the key is not. */
  text = gst_structure_to_string (s);
  fail_unless (strstr (text, "6b69642d6f6e652d31362d6279746573") != NULL);
  fail_unless (
      strstr (text, "4b45592d") == NULL && strstr (text, "KEY-") == NULL);
  g_free (text);
}

GST_END_TEST;

GST_START_TEST (test_realtime)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  gint64 start = ts.clock.now.boottime;

  license->rules.realtime_expiration = TRUE;
  license->rules.playback_duration = TEST_SECONDS (60);
  add (license);
  gst_cenc_key_session_begin (session);
  /* Less than the notice is left: the next thing to happen is the end. */
  assert_equals_int64 (take (PLAY), start + TEST_SECONDS (60));
  expect_state ("expiring");
  test_clock_advance (&ts.clock, 59);
  assert_equals_int64 (take (PLAY), start + TEST_SECONDS (60));
  assert_equals_int (count_state ("expiring"), 1);
  test_clock_advance (&ts.clock, 1);
  expect_refused (PLAY, GST_CENC_ERROR_PLAYBACK_OVER);
  expect_state ("expired");
  expect_refused (PLAY, GST_CENC_ERROR_PLAYBACK_OVER);
  assert_equals_int (count_state ("expired"), 1);
  gst_cenc_key_session_end (session);
  expect_refused (PREROLL, GST_CENC_ERROR_PLAYBACK_OVER);
}

GST_END_TEST;

/* Without real-time expiration what was begun in time plays to its end. */
GST_START_TEST (test_session_outlasts_license)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  add (license);
  gst_cenc_key_session_begin (session);
  take (PLAY);
  test_clock_advance (&ts.clock, 47 * 3600 + 1);
  take (PLAY);
  expect_state ("expiring");
  test_clock_advance (&ts.clock, 86400 * 7);
  take (PLAY);
  expect_state ("expired");
  take (PLAY);
  assert_equals_int (count_state ("expired"), 1);
  gst_cenc_key_session_end (session);

  gst_cenc_key_session_begin (session);
  expect_refused (PREROLL, GST_CENC_ERROR_PLAYBACK_OVER);
  gst_cenc_key_session_end (session);
}

GST_END_TEST;

/* In a session neither setting the clock back nor ahead changes anything. */
GST_START_TEST (test_wall_clock_in_session)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  license->rules.realtime_expiration = TRUE;
  license->rules.playback_duration = TEST_SECONDS (7200);
  add (license);
  gst_cenc_key_session_begin (session);
  take (PLAY);
  test_clock_advance (&ts.clock, 3600);
  ts.clock.now.wall -= TEST_SECONDS (86400);
  take (PLAY);
  ts.clock.now.wall += TEST_SECONDS (86400 * 20);
  take (PLAY);
  ts.clock.now.wall -= TEST_SECONDS (86400 * 20);
  test_clock_advance (&ts.clock, 3600);
  expect_refused (PLAY, GST_CENC_ERROR_PLAYBACK_OVER);
  gst_cenc_key_session_end (session);
}

GST_END_TEST;

/* What was played in the session is seen: turning back behind it is noticed,
 * though the clock was right when the session began. */
GST_START_TEST (test_end_stores_marks)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  add (license);
  gst_cenc_key_session_begin (session);
  take (PLAY);
  test_clock_advance (&ts.clock, 3 * 3600);
  gst_cenc_key_session_end (session);
  test_clock_reboot (&ts.clock);
  ts.clock.now.wall -= TEST_SECONDS (3600);
  expect_refused (PLAY, GST_CENC_ERROR_CLOCK_TURNED_BACK);
  expect_state ("refused");
  assert_equals_string (gst_structure_get_string (last_message (), "reason"),
      "clock-turned-back");
}

GST_END_TEST;

GST_START_TEST (test_clock_not_set)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  add (license);
  ts.clock.now.wall = TEST_SECONDS (86400);
  expect_refused (PREROLL, GST_CENC_ERROR_CLOCK_NOT_SET);
  expect_refused (PLAY, GST_CENC_ERROR_CLOCK_NOT_SET);
  assert_equals_int64 (stored_first_play (), LICENSE_TIME_NONE);
}

GST_END_TEST;

/* A short license, then the full rental, with no gap in between. */
GST_START_TEST (test_takeover)
{
  g_autoptr (LicenseDocument) brief = test_rental (), full = test_rental ();

  g_free (brief->id);
  brief->id = g_strdup ("brief");
  brief->rules.not_after = TEST_SECONDS (TEST_DAY + 600);
  brief->rules.playback_duration = LICENSE_TIME_NONE;
  brief->rules.realtime_expiration = TRUE;
  add (brief);
  gst_cenc_key_session_begin (session);
  take (PLAY);
  add (full);
  take (PLAY);
  test_clock_advance (&ts.clock, 599);
  take (PLAY);
  assert_equals_string (gst_structure_get_string (last_message (),
                            "license-id"),
      "lic-1");
  test_clock_advance (&ts.clock, 1);
  take (PLAY);
  expect_state ("first-play");
  assert_equals_string (gst_structure_get_string (last_message (),
                            "license-id"),
      "lic-1");
  gst_cenc_key_session_end (session);
}

GST_END_TEST;

GST_START_TEST (test_renewed_while_playing)
{
  g_autoptr (LicenseDocument) license = test_rental (),
                              renewed = test_rental ();

  license->rules.realtime_expiration = renewed->rules.realtime_expiration =
      TRUE;
  license->rules.playback_duration = TEST_SECONDS (60);
  add (license);
  gst_cenc_key_session_begin (session);
  take (PLAY);
  test_clock_advance (&ts.clock, 60);
  expect_refused (PLAY, GST_CENC_ERROR_PLAYBACK_OVER);
  renewed->issued = TEST_SECONDS (TEST_DAY + 60);
  renewed->rules.playback_duration = TEST_SECONDS (7200);
  add (renewed);
  take (PLAY);
  assert_equals_int64 (stored_first_play (), TEST_SECONDS (TEST_DAY));
  gst_cenc_key_session_end (session);
}

GST_END_TEST;

GST_START_TEST (test_owned)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  license->rules.rights = LICENSE_RIGHTS_BUY_TO_OWN;
  license->rules.not_after = license->rules.playback_duration =
      LICENSE_TIME_NONE;
  license->output_protection = gst_structure_new ("output-protection", "hdcp",
      G_TYPE_STRING, "1.4", NULL);
  add (license);
  ts.clock.now.wall = 0;
  assert_equals_int64 (take (PLAY), GST_CENC_KEY_NO_DEADLINE);
  assert_equals_int64 (stored_first_play (), LICENSE_TIME_NONE);
  {
    g_autoptr (GstCencKey) key =
        gst_cenc_key_session_get_key (session, test_kid2, PLAY, NULL);

    fail_unless (gst_cenc_key_get_output_protection (key) != NULL);
  }
}

GST_END_TEST;

GST_START_TEST (test_add_license_errors)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GBytes) bytes = test_store_write (&ts, license);
  g_autoptr (GBytes) junk = g_bytes_new ("junk", 4);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("text/plain");
  g_autoptr (GError) error = NULL;

  fail_if (gst_cenc_key_session_add_license (session, bytes, caps, &error));
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
  g_clear_error (&error);
  fail_if (gst_cenc_key_session_add_license (session, junk, NULL, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  g_clear_error (&error);

  g_unlink (issuers_path);
  g_object_set (session, "issuers", issuers_path, NULL);
  fail_if (gst_cenc_key_session_add_license (session, bytes, NULL, &error));
  fail_unless (strstr (error->message, "issuers") != NULL);
  fail_if (gst_cenc_key_session_has_key (session, test_kid));
}

GST_END_TEST;

/* The issuer is denied after the license came: the reason is told. */
GST_START_TEST (test_denied_later)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autofree gchar *denied = g_build_filename (ts.folder, "denied.txt", NULL);
  GString *text = g_string_new (NULL);
  guint8 digest[32];
  guint i, size;

  add (license);
  X509_digest (ts.issuer.certificate, EVP_sha256 (), digest, &size);
  for (i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", digest[i]);
  g_file_set_contents (denied, text->str, -1, NULL);
  g_string_free (text, TRUE);
  g_object_set (session, "denied-issuers", denied, NULL);
  expect_refused (PLAY, GST_CENC_ERROR_REVOKED);
}

GST_END_TEST;

static gboolean
is_of_server (const LicenseDocument *license, gpointer server)
{
  return g_strcmp0 (license->renewal_url, server) == 0;
}

/* The best of those that are wanted, or none. */
GST_START_TEST (test_find)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (session);
  static const gchar *const servers[] = { "https://a.example/",
    "https://b.example/" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (servers); i++) {
    g_autoptr (LicenseDocument) license = test_rental ();

    license->id[0] = (gchar) ('0' + i);
    g_free (license->renewal_url);
    license->renewal_url = g_strdup (servers[i]);
    license->rules.not_after += i * TEST_SECONDS (60);
    add (license);
  }
  for (i = 0; i < 3; i++) {
    const gchar *server = i < 2 ? servers[i] : "https://c.example/";
    g_autoptr (GError) error = NULL;
    g_autoptr (LicenseEntry) entry = gst_offline_license_session_find (self,
        NULL, is_of_server, (gpointer) server, &error);

    if (i < 2) {
      assert_equals_string (entry->document->renewal_url, server);
      continue;
    }
    fail_unless (entry == NULL);
    fail_unless (
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY));
  }
}

GST_END_TEST;

static Suite *
license_session_suite (void)
{
  Suite *suite = suite_create ("license-session");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_no_store);
  tcase_add_test (tc, test_preroll_then_play);
  tcase_add_test (tc, test_message);
  tcase_add_test (tc, test_realtime);
  tcase_add_test (tc, test_session_outlasts_license);
  tcase_add_test (tc, test_wall_clock_in_session);
  tcase_add_test (tc, test_end_stores_marks);
  tcase_add_test (tc, test_clock_not_set);
  tcase_add_test (tc, test_takeover);
  tcase_add_test (tc, test_renewed_while_playing);
  tcase_add_test (tc, test_owned);
  tcase_add_test (tc, test_add_license_errors);
  tcase_add_test (tc, test_denied_later);
  tcase_add_test (tc, test_find);
  return suite;
}

GST_CHECK_MAIN (license_session);
