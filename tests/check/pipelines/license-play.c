/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Licenses enforced where the key is used: cencdecrypt with a session over a
 * store, whose clock the test sets. The store's boot clock stands near zero, so
 * that each deadline is long past for cencdecrypt, and it asks at each sample.
 */

#include "../elements/cencdecrypt-util.h"
#include "../license/teststore.h"
#include "license/gstofflinelicensesession.h"

#define HOURS(h) ((h) *G_GINT64_CONSTANT (3600))

static const TestMeta whole_ctr = { nist_ctr_iv, 16 };

static TestStore ts;
static gchar *issuers_path;
static GstOfflineLicenseSession *session;

static void
setup (void)
{
  g_autofree gchar *pem = NULL;

  test_store_init (&ts);
  ts.clock.now.boottime = TEST_SECONDS (1) / 1000;
  pem = test_pem (ts.issuer.certificate);
  issuers_path = g_build_filename (ts.folder, "issuers.pem", NULL);
  g_file_set_contents (issuers_path, pem, -1, NULL);
  session = gst_offline_license_session_new ();
  g_object_set (session, "store", ts.path, "device-key", ts.key_path, "issuers",
      issuers_path, NULL);
  gst_offline_license_session_set_clock (session, &ts.clock.clock);
}

static void
teardown (void)
{
  gst_object_unref (session);
  g_free (issuers_path);
  test_store_clear (&ts);
}

static GBytes *
write_license (const LicenseDocument *license)
{
  g_autoptr (GPtrArray) keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
  GBytes *bytes;

  g_ptr_array_add (keys, gst_cenc_key_new (nist_kid, nist_key));
  bytes = license_document_write (license, keys,
      license_store_device_key (ts.store), ts.issuer.key, ts.issuer.certificate,
      NULL);
  fail_unless (bytes != NULL);
  return bytes;
}

static void
add (const LicenseDocument *license)
{
  g_autoptr (GBytes) bytes = write_license (license);
  g_autoptr (GError) error = NULL;

  gst_cenc_key_session_add_license (GST_CENC_KEY_SESSION (session), bytes, NULL,
      &error);
  g_assert_no_error (error);
}

static GstHarness *
start (GstBus **bus)
{
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, bus);
  GstContext *context =
      gst_cenc_key_session_context_new (GST_CENC_KEY_SESSION (session));

  gst_element_set_context (h->element, context);
  gst_context_unref (context);
  return h;
}

static GstBuffer *
sample_new (void)
{
  return test_add_meta (test_buffer_new (nist_ctr, 64), &whole_ctr);
}

static void
expect_clear (GstHarness *h)
{
  test_expect (h, sample_new (), nist_plain, 64);
}

static void
expect_refused (GstHarness *h, GstBus *bus, const gchar *word)
{
  fail_unless_equals_int (gst_harness_push (h, sample_new ()), GST_FLOW_ERROR);
  test_expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      word);
}

static gint64
at (gint month, gint day, gint hour, gint minute, gint second)
{
  g_autoptr (GDateTime) date =
      g_date_time_new_utc (2027, month, day, hour, minute, second);

  return g_date_time_to_unix (date);
}

/* Turns the clock to @time, which it reaches as time passes. */
static void
go_to (gint64 time)
{
  test_clock_advance (&ts.clock, time - ts.clock.now.wall / G_USEC_PER_SEC);
}

static void
play_once (gboolean allowed, const gchar *word)
{
  GstBus *bus;
  GstHarness *h = start (&bus);

  if (allowed)
    expect_clear (h);
  else
    expect_refused (h, bus, word);
  test_harness_free (h, bus);
}

/* The rental of PlayReady's documentation, as license-policy.c has it: begins
 * Jan 5 7:55 PM, expires Feb 5 8 PM, 48 hours after first play. */
static const struct
{
  gint first[5]; /* month, day, hour, minute, second; month 0: not played */
  gint now[5];
  const gchar *refusal; /* NULL: it plays */
} documented[] = {
  { { 0 }, { 1, 5, 19, 54, 59 }, "begins on 2027-01-05 19:55:00 UTC" },
  { { 0 }, { 1, 5, 19, 55, 0 }, NULL },
  { { 0 }, { 2, 5, 19, 59, 59 }, NULL },
  { { 0 }, { 2, 5, 20, 0, 0 }, "ended on 2027-02-05 20:00:00 UTC" },
  { { 1, 8, 21, 30, 0 }, { 1, 10, 21, 29, 59 }, NULL },
  { { 1, 8, 21, 30, 0 }, { 1, 10, 21, 30, 0 },
      "first played on 2027-01-08 21:30:00 UTC and ended on 2027-01-10 21:30:00"
      " UTC" },
  { { 2, 4, 22, 0, 0 }, { 2, 5, 19, 59, 59 }, NULL },
  { { 2, 4, 22, 0, 0 }, { 2, 5, 20, 0, 0 }, "ended on 2027-02-05 20:00:00" },
};

static gint64
time_of (const gint *t)
{
  return at (t[0], t[1], t[2], t[3], t[4]);
}

GST_START_TEST (test_documented_rental)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  license->rules.not_before = TEST_SECONDS (at (1, 5, 19, 55, 0));
  license->rules.not_after = TEST_SECONDS (at (2, 5, 20, 0, 0));
  add (license);
  if (documented[__i__].first[0]) {
    go_to (time_of (documented[__i__].first));
    play_once (TRUE, NULL);
  }
  go_to (time_of (documented[__i__].now));
  play_once (documented[__i__].refusal == NULL, documented[__i__].refusal);
}
GST_END_TEST;

/* Cut off at the sample at which it ends, not one later. */
GST_START_TEST (test_realtime_expiration)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  GstBus *bus;
  GstHarness *h;

  license->rules.playback_duration = TEST_SECONDS (60);
  license->rules.realtime_expiration = TRUE;
  add (license);
  h = start (&bus);
  expect_clear (h);
  test_clock_advance (&ts.clock, 59);
  expect_clear (h);
  test_clock_advance (&ts.clock, 1);
  expect_refused (h, bus, "first played on");
  test_harness_free (h, bus);
}
GST_END_TEST;

GST_START_TEST (test_session_plays_to_its_end)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  GstBus *bus;
  GstHarness *h;

  add (license);
  h = start (&bus);
  expect_clear (h);
  test_clock_advance (&ts.clock, HOURS (49));
  expect_clear (h);
  /* A wall clock that is turned back meanwhile is nothing to a session. */
  ts.clock.now.wall -= TEST_SECONDS (HOURS (100));
  expect_clear (h);
  ts.clock.now.wall += TEST_SECONDS (HOURS (100));
  test_harness_free (h, bus);
  play_once (FALSE, "first played on");
}
GST_END_TEST;

GST_START_TEST (test_clock)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  add (license);
  play_once (TRUE, NULL);
  ts.clock.now.wall -= TEST_SECONDS (HOURS (1));
  play_once (FALSE, "less than it once did");
  ts.clock.now.wall = 0;
  play_once (FALSE, "the clock is not set");
  ts.clock.now.wall = TEST_SECONDS (TEST_DAY + 60);
  play_once (TRUE, NULL);
}
GST_END_TEST;

/* A limited-duration license, then the full rental: no gap, no error. */
GST_START_TEST (test_takeover)
{
  g_autoptr (LicenseDocument) brief = test_rental (), full = test_rental ();
  GstBus *bus;
  GstHarness *h;

  g_free (brief->id);
  brief->id = g_strdup ("brief");
  brief->rules.not_after = TEST_SECONDS (TEST_DAY + 60);
  brief->rules.playback_duration = LICENSE_TIME_NONE;
  brief->rules.realtime_expiration = TRUE;
  add (brief);
  h = start (&bus);
  expect_clear (h);
  add (full);
  test_clock_advance (&ts.clock, 59);
  expect_clear (h);
  test_clock_advance (&ts.clock, 1);
  expect_clear (h);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Renewed before its end, by a document of the same id: no gap, no error, and the
 * new end cuts off in its turn. */
GST_START_TEST (test_renewal)
{
  g_autoptr (LicenseDocument) license = test_rental (),
                              renewed = test_rental ();
  GstBus *bus;
  GstHarness *h;

  license->rules.not_after = TEST_SECONDS (TEST_DAY + 60);
  renewed->rules.not_after = TEST_SECONDS (TEST_DAY + 120);
  license->rules.realtime_expiration = renewed->rules.realtime_expiration =
      TRUE;
  renewed->issued = TEST_SECONDS (TEST_DAY + 30);
  add (license);
  h = start (&bus);
  expect_clear (h);
  test_clock_advance (&ts.clock, 30);
  add (renewed);
  expect_clear (h);
  test_clock_advance (&ts.clock, 30);
  expect_clear (h);
  test_clock_advance (&ts.clock, 59);
  expect_clear (h);
  test_clock_advance (&ts.clock, 1);
  expect_refused (h, bus, "ended on 2027-01-05 00:02:00");
  test_harness_free (h, bus);
}
GST_END_TEST;

static gint64
stored_first_play (void)
{
  g_autoptr (LicenseEntry) entry = test_store_entry (&ts);

  return entry->record.first_play;
}

/* In PAUSED a little is decrypted and nothing begins; in PLAYING it has begun on
 * the disk, though there may be no sample but the one that was prerolled. */
GST_START_TEST (test_first_play)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  GstBus *bus;
  GstHarness *h;

  add (license);
  h = start (&bus);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  expect_clear (h);
  assert_equals_int64 (stored_first_play (), LICENSE_TIME_NONE);
  test_clock_advance (&ts.clock, 5);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  assert_equals_int64 (stored_first_play (), TEST_SECONDS (TEST_DAY + 5));
  test_clock_advance (&ts.clock, 5);
  expect_clear (h);
  assert_equals_int64 (stored_first_play (), TEST_SECONDS (TEST_DAY + 5));
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Over between the preroll and play: an error, though no sample comes that would
 * find it out. */
GST_START_TEST (test_over_after_preroll)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  GstBus *bus;
  GstHarness *h;
  GstMessage *message;
  GError *error = NULL;

  add (license);
  h = start (&bus);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  expect_clear (h);
  test_clock_advance (&ts.clock, 40 * 86400);
  fail_unless (gst_element_set_state (h->element, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_AUTHORIZED));
  g_error_free (error);
  gst_message_unref (message);
  /* Nor the second time. */
  fail_unless (gst_element_set_state (h->element, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE);
  assert_equals_int64 (stored_first_play (), LICENSE_TIME_NONE);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* The demand reaches the element: not covered, it does not play. */
GST_START_TEST (test_output_protection)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  GstBus *bus;
  GstHarness *h;

  license->output_protection = gst_structure_new ("output-protection", "hdcp",
      G_TYPE_STRING, "2.2", NULL);
  add (license);
  play_once (FALSE, "hdcp");
  h = start (&bus);
  gst_util_set_object_arg (G_OBJECT (h->element), "output-protection",
      "output-protection, hdcp=(string)2.3");
  expect_clear (h);
  test_harness_free (h, bus);
}
GST_END_TEST;

static Suite *
license_play_suite (void)
{
  Suite *suite = suite_create ("license-play");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_documented_rental, 0,
      G_N_ELEMENTS (documented));
  tcase_add_test (tc, test_realtime_expiration);
  tcase_add_test (tc, test_session_plays_to_its_end);
  tcase_add_test (tc, test_clock);
  tcase_add_test (tc, test_takeover);
  tcase_add_test (tc, test_renewal);
  tcase_add_test (tc, test_first_play);
  tcase_add_test (tc, test_over_after_preroll);
  tcase_add_test (tc, test_output_protection);
  return suite;
}

GST_CHECK_MAIN (license_play);
