/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The example server: templates of other systems, and what it refuses. */

#include <string.h>

#include <gst/check/gstcheck.h>

#include "../license/testlicense.h"
#include "../license/testserver.h"
#include "license/jose-base64.h"
#include "license/jose-json.h"
#include "server-grant.h"

#define NOW TEST_DAY
#define NONE LICENSE_TIME_NONE

/* --- templates ----------------------------------------------------------- */

/* What a template becomes when it is issued NOW. */
static const struct
{
  const gchar *template;
  gint64 not_before, not_after, playback; /* s; 0 = none */
  gboolean replaces, realtime, persistent;
  gint64 renewal; /* s; 0 = not renewable */
  const gchar *output; /* (nullable): what is demanded of outputs */
} templates[] = {
  /* Widevine: 0 and absent are unlimited */
  { "{\"can_persist\":true}", 0, 0, 0, FALSE, FALSE, TRUE },
  { "{\"can_persist\":true,\"rental_duration_seconds\":0,"
    "\"playback_duration_seconds\":0,\"license_duration_seconds\":0}",
      0, 0, 0, FALSE, FALSE, TRUE },
  { "{\"rental_duration_seconds\":2592000}", 0, NOW + 2592000, 0, FALSE, FALSE,
      FALSE },
  { "{\"license_duration_seconds\":3600}", 0, NOW + 3600, 0, FALSE, TRUE,
      FALSE },
  { "{\"rental_duration_seconds\":2592000,\"playback_duration_seconds\":172800,"
    "\"can_persist\":true}",
      0, NOW + 2592000, 172800, TRUE, TRUE, TRUE },
  { "{\"rental_duration_seconds\":2592000,\"playback_duration_seconds\":172800,"
    "\"soft_enforce_playback_duration\":true}",
      0, NOW + 2592000, 172800, TRUE, FALSE, FALSE },
  { "{\"rental_duration_seconds\":2592000,\"playback_duration_seconds\":172800,"
    "\"soft_enforce_rental_duration\":false}",
      0, NOW + 2592000, 172800, FALSE, TRUE, FALSE },
  { "{\"rental_duration_seconds\":2592000,\"playback_duration_seconds\":172800,"
    "\"license_duration_seconds\":86400}",
      0, NOW + 86400, 172800, FALSE, TRUE, FALSE },
  /* no overflow: a sentinel is no end at all */
  { "{\"playback_duration_seconds\":9007199254740991}", 0, 0, 0, FALSE, FALSE,
      FALSE },
  { "{\"license_duration_seconds\":3600,\"can_renew\":true,"
    "\"renewal_duration_seconds\":7200}",
      0, NOW + 3600, 0, FALSE, TRUE, FALSE, 7200 },
  { "{\"license_duration_seconds\":3600,\"can_renew\":false,"
    "\"renewal_duration_seconds\":7200}",
      0, NOW + 3600, 0, FALSE, TRUE, FALSE, 0 },
  { "{\"hdcp\":\"HDCP_V2_2\",\"disable_analog_output\":true}", 0, 0, 0, FALSE,
      FALSE, FALSE, 0, "hdcp=2.2 analog=false" },
  { "{\"hdcp\":\"HDCP_NO_DIGITAL_OUTPUT\"}", 0, 0, 0, FALSE, FALSE, FALSE, 0,
      "hdcp=unavailable" },
  /* PlayReady: the rental of its documentation, at UTC */
  { "{\"BeginDate\":\"2027-01-05T19:55:00Z\","
    "\"ExpirationDate\":\"2027-02-05T20:00:00Z\","
    "\"ExpirationAfterFirstPlay\":172800,\"Persistent\":true}",
      1799178900, 1801857600, 172800, FALSE, FALSE, TRUE },
  { "{\"ExpirationDate\":\"2027-02-05T20:00:00+01:00\","
    "\"RealTimeExpiration\":true}",
      0, 1801854000, 0, FALSE, TRUE, FALSE },
  { "{\"BeginDate\":\"2027-01-05T19:55:00Z\"}", 1799178900, 0, 0, FALSE, FALSE,
      FALSE },
  { "{\"UncompressedDigitalVideoOPL\":300,\"AnalogVideoOPL\":201}", 0, 0, 0,
      FALSE, FALSE, FALSE, 0, "hdcp=1.0 analog=false" },
  { "{\"UncompressedDigitalVideoOPL\":250,\"AnalogVideoOPL\":100}", 0, 0, 0,
      FALSE, FALSE, FALSE, 0, NULL },
  /* FairPlay: dual expiry, and a lease, which cuts off */
  { "{\"StorageDuration\":2592000,\"PlaybackDuration\":172800,"
    "\"Persistent\":true}",
      0, NOW + 2592000, 172800, TRUE, FALSE, TRUE },
  { "{\"LeaseDuration\":600}", 0, NOW + 600, 0, FALSE, TRUE, FALSE },
  { "{\"LeaseDuration\":600,\"PlaybackDuration\":172800}", 0, NOW + 600, 172800,
      FALSE, TRUE, FALSE },
  { "{\"StorageDuration\":2592000}", 0, NOW + 2592000, 0, FALSE, FALSE, FALSE },
};

static gint64
seconds (gint64 time)
{
  return time == NONE ? 0 : time / G_USEC_PER_SEC;
}

/* "hdcp=2.2 analog=false", NULL if nothing is demanded. */
static gchar *
output_of (const LicenseDocument *license)
{
  const GstStructure *demand = license->output_protection;
  gboolean analog = TRUE;

  if (!demand)
    return NULL;
  gst_structure_get_boolean (demand, "analog", &analog);
  return g_strdup_printf ("hdcp=%s%s",
      gst_structure_get_string (demand, "hdcp"), analog ? "" : " analog=false");
}

GST_START_TEST (test_templates)
{
  const gchar *text = templates[__i__].template;
  g_autoptr (JsonObject) template =
      jose_json_parse (text, strlen (text), "template", NULL);
  g_autoptr (ServerGrant) grant = server_grant_new (), again = NULL;
  g_autoptr (LicenseDocument) license = license_document_new ();
  g_autofree gchar *stored = NULL, *output = NULL;
  g_autoptr (GError) error = NULL;

  fail_unless (server_grant_apply_template (grant, template, &error), "%s",
      error ? error->message : "");
  stored = server_grant_to_text (grant);
  again = server_grant_from_text (stored);
  fail_unless (again != NULL);
  server_grant_fill (again, NOW, license);
  fail_unless (license_rules_check (&license->rules, &error), "%s",
      error ? error->message : "");
  assert_equals_int64 (seconds (license->rules.not_before),
      templates[__i__].not_before);
  assert_equals_int64 (seconds (license->rules.not_after),
      templates[__i__].not_after);
  assert_equals_int64 (seconds (license->rules.playback_duration),
      templates[__i__].playback);
  assert_equals_int (license->rules.playback_replaces_window,
      templates[__i__].replaces);
  assert_equals_int (license->rules.realtime_expiration,
      templates[__i__].realtime);
  assert_equals_int (license->rules.persistent, templates[__i__].persistent);
  assert_equals_int64 (again->renewal, templates[__i__].renewal);
  output = output_of (license);
  assert_equals_string (output, templates[__i__].output);
}

GST_END_TEST;

GST_START_TEST (test_bad_templates)
{
  static const gchar *const bad[] = { "{\"rental_duration_seconds\":-1}",
    "{\"rental_duration_seconds\":\"1\"}", "{\"rental_duration_seconds\":1.5}",
    "{\"unknown\":1}", "{\"BeginDate\":\"yesterday\"}", "{\"BeginDate\":1}",
    "{\"can_persist\":1}", "{\"hdcp\":\"HDCP_V3\"}", "{\"hdcp\":1}",
    "{\"UncompressedDigitalVideoOPL\":999}", "{\"AnalogVideoOPL\":\"201\"}",
    "{\"BeginDate\":\"2027-01-05T19:55:00Z\",\"rental_duration_seconds\":1}" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (JsonObject) template =
        jose_json_parse (bad[i], strlen (bad[i]), "template", NULL);
    g_autoptr (ServerGrant) grant = server_grant_new ();

    fail_if (server_grant_apply_template (grant, template, NULL), "%s", bad[i]);
  }
}

GST_END_TEST;

/* --- the token endpoint -------------------------------------------------- */

static TestServer server;

static void
setup (void)
{
  test_server_init (&server);
}

static void
teardown (void)
{
  test_server_clear (&server);
}

#define KID "urn:marlin:kid:6b69642d6f6e652d31362d6279746573"
#define KEY "4b45592d6f6e652d31362d6279746573"
#define WHO "customerAuthenticator=secret"

#define PAID WHO "&contentId=" KID "&contentKey=" KEY
#define RENTED PAID "&rightsType=Rental&rental.periodEndTime=%2B60"
#define OWNED PAID "&rightsType=BuyToOwn"

static const struct
{
  const gchar *query;
  gint code;
} token_errors[] = {
  { "", -2017 },
  { "customerAuthenticator=wrong", -2018 },
  { "customerauthenticator=secret", -2017 }, /* names are case-sensitive */
  { WHO, -4018 },
  { WHO "&contentId=6b69642d6f6e652d31362d6279746573", -4022 },
  { WHO "&contentId=urn:marlin:kid:6b69", -4020 },
  { WHO "&contentId=" KID "&rightsType=BuyToOwn", -4019 },
  { WHO "&contentId=" KID "&contentKey=4b45", -2027 },
  { WHO "&contentId=" KID "," KID "&contentKey=" KEY, -2027 },
  { PAID, -2020 },
  { PAID "&rightsType=Rent", -2021 },
  { PAID "&rightsType=Rental", -2022 },
  { PAID "&rightsType=Rental&rental.periodEndTime=soon", -2022 },
  { PAID "&rightsType=Rental&rental.periodEndTime=%2B0", -2022 },
  { RENTED "&rental.playDuration=-1", -2025 },
  { RENTED "&rental.playDuration=0", -2025 },
  { RENTED "&rental.playDuration=99999999999999999999", -2025 },
  { OWNED "&outputControlFlags=1", -2040 },
  { OWNED "&outputControlFlags=00000001", -2008 },
  { OWNED "&analogVideoOPL=1000", -2034 },
  { OWNED "&uncompressedDigitalVideoOPL=-1", -2034 },
  { OWNED "&compressedDigitalVideoOPL=500", -2034 },
};

GST_START_TEST (test_token_errors)
{
  g_autofree gchar *path =
      g_strconcat ("/token?errorFormat=json&", token_errors[__i__].query, NULL);
  gint code = token_errors[__i__].code;
  g_autofree gchar *wanted = g_strdup_printf ("\"errorCode\":%d,", code);
  g_autofree gchar *text = NULL;
  guint status;

  text = test_server_ask (&server, path, NULL, &status);
  assert_equals_int (status, code == -2017 || code == -2018 ? 401 : 400);
  fail_unless (strstr (text, wanted) != NULL, "%s: %s", path, text);
}

GST_END_TEST;

/* Whatever says nothing of outputs, or what can be demanded, is sold. */
GST_START_TEST (test_token_outputs)
{
  static const gchar *const good[] = { OWNED
    "&analogVideoOPL=0"
    "&compressedDigitalAudioOPL=0&compressedDigitalVideoOPL=0"
    "&uncompressedDigitalAudioOPL=0&uncompressedDigitalVideoOPL=0",
    OWNED "&outputControlFlags=00000000",
    OWNED "&uncompressedDigitalVideoOPL=300&analogVideoOPL=999",
    OWNED "&outputProtection={%22hdcp%22:%221.4%22,%22max_height%22:720}" };
  guint i, status;

  for (i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autofree gchar *path = g_strconcat ("/token?", good[i], NULL);
    g_autofree gchar *text = test_server_ask (&server, path, NULL, &status);

    fail_unless (status == 200, "%s: %s", path, text);
  }
  g_free (test_server_ask (&server,
      "/token?" OWNED "&outputProtection={%22dvi%22:true}", NULL, &status));
  assert_equals_int (status, 400);
}

GST_END_TEST;

GST_START_TEST (test_error_format)
{
  guint status;
  g_autofree gchar *text =
      test_server_ask (&server, "/token?errorFormat=html", NULL, &status);

  fail_unless (strstr (text, "<html>") && strstr (text, "-2017"));
  g_free (text);
  text = test_server_ask (&server, "/token?errorFormat=xml", NULL, &status);
  fail_unless (strstr (text, "-3004") != NULL);
}

GST_END_TEST;

/* --- the license protocol ------------------------------------------------ */

static gchar *
ask_for_license (const gchar *token, EVP_PKEY *device, const gchar *nonce,
    gint counter, guint *status)
{
  g_autofree gchar *jwk = jose_key_to_jwk (device, NULL);
  g_autofree gchar *path = g_strconcat ("/license?token=", token, NULL);
  g_autofree gchar *body = g_strdup_printf (
      "{\"ver\":1,\"device\":%s,\"nonce\":\"%s\",\"counter\":%d}", jwk, nonce,
      counter);

  return test_server_ask (&server, path, body, status);
}

static gchar *
new_token (const gchar *rights)
{
  g_autofree gchar *text = test_server_token (&server, rights);
  g_autoptr (JsonObject) object =
      jose_json_parse (text, strlen (text), "token", NULL);

  return g_strdup (json_object_get_string_member (object, "token"));
}

static void
expect (const gchar *token, EVP_PKEY *device, const gchar *nonce, gint counter,
    guint wanted, const gchar *word)
{
  guint status;
  g_autofree gchar *text =
      ask_for_license (token, device, nonce, counter, &status);

  fail_unless (status == wanted, "%u instead of %u: %s", status, wanted, text);
  fail_unless (strstr (text, word) != NULL, "%s", text);
}

GST_START_TEST (test_replay_and_regress)
{
  g_autofree gchar *token = new_token ("&rightsType=BuyToOwn");
  g_autoptr (EVP_PKEY) device = jose_key_generate ();
  g_autoptr (EVP_PKEY) other = jose_key_generate ();

  expect ("unknown", device, "n1", 5, 401, "not known");
  expect (token, device, "n1", 5, 200, "ey");
  expect (token, device, "n1", 5, 409, "sent before");
  expect (token, device, "n2", 4, 409, "gone back");
  expect (token, device, "n2", 6, 200, "ey");
  expect (token, other, "n1", 0, 403, "another device");
  /* What failed has not used its nonce up. */
  expect (token, device, "n3", 5, 409, "gone back");
  expect (token, device, "n3", 6, 200, "ey");
}

GST_END_TEST;

GST_START_TEST (test_bad_requests)
{
  g_autofree gchar *token = new_token ("&rightsType=BuyToOwn");
  g_autofree gchar *path = g_strconcat ("/license?token=", token, NULL);
  static const gchar *const bad[] = { "", "{", "[]", "{}", "{\"ver\":2}",
    "{\"ver\":1}", "{\"ver\":1,\"device\":{}}",
    "{\"ver\":1,\"device\":{},\"nonce\":\"a\",\"counter\":1}" };
  guint i, status;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree gchar *text = test_server_ask (&server, path, bad[i], &status);

    fail_unless (status == 400, "%s: %u", bad[i], status);
    fail_unless (strstr (text, "\"detail\"") != NULL);
  }
  g_free (test_server_ask (&server, "/license", "{}", &status));
  assert_equals_int (status, 401);
  g_free (test_server_ask (&server, "/nothing", NULL, &status));
  assert_equals_int (status, 404);
}

GST_END_TEST;

/* --- keys ---------------------------------------------------------------- */

GST_START_TEST (test_clearkey)
{
  g_autofree gchar *owned = new_token ("&rightsType=BuyToOwn");
  g_autofree gchar *rental =
      new_token ("&rightsType=Rental&rental.periodEndTime=%2B60");
  g_autofree gchar *path = g_strconcat ("/clearkey?token=", owned, NULL);
  g_autofree gchar *rented = g_strconcat ("/clearkey?token=", rental, NULL);
  const gchar *body =
      "{\"kids\":[\"a2lkLW9uZS0xNi1ieXRlcw\"],\"type\":\"temporary\"}";
  g_autofree gchar *text = NULL;
  guint status;

  text = test_server_ask (&server, path, body, &status);
  assert_equals_int (status, 200);
  assert_equals_string (text,
      "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a2lkLW9uZS0xNi1ieXRlcw\","
      "\"k\":\"S0VZLW9uZS0xNi1ieXRlcw\"}]}");
  g_free (test_server_ask (&server, path,
      "{\"kids\":[\"AAAAAAAAAAAAAAAAAAAAAA\"]}", &status));
  assert_equals_int (status, 403);
  /* It could not say when the rental ends. */
  g_free (test_server_ask (&server, rented, body, &status));
  assert_equals_int (status, 403);
  g_free (test_server_ask (&server, "/clearkey", body, &status));
  assert_equals_int (status, 401);
}

GST_END_TEST;

GST_START_TEST (test_cors)
{
  g_autofree gchar *url = g_strconcat (server.url, "/clearkey", NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (SoupMessage) message = soup_message_new ("OPTIONS", url);
  g_autoptr (GBytes) answer =
      soup_session_send_and_read (session, message, NULL, NULL);
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);

  fail_unless (answer != NULL);
  assert_equals_int (soup_message_get_status (message), 204);
  assert_equals_string (soup_message_headers_get_one (headers,
                            "Access-Control-Allow-Origin"),
      "*");
  fail_unless (strstr (soup_message_headers_get_one (headers,
                           "Access-Control-Allow-Headers"),
                   "Authorization") != NULL);
}

GST_END_TEST;

GST_START_TEST (test_cpix)
{
  const gchar *cpix =
      "<?xml version=\"1.0\"?><cpix:CPIX xmlns:cpix=\"urn:dashif:org:cpix\" "
      "xmlns:pskc=\"urn:ietf:params:xml:ns:keyprov:pskc\">"
      "<cpix:ContentKeyList><cpix:ContentKey "
      "kid=\"6b69642d-6f6e-652d-3136-2d6279746573\"><cpix:Data><pskc:Secret>"
      "<pskc:PlainValue>S0VZLW9uZS0xNi1ieXRlcw==</pskc:PlainValue>"
      "</pskc:Secret></cpix:Data></cpix:ContentKey></cpix:ContentKeyList>"
      "</cpix:CPIX>";
  g_autofree gchar *text = NULL;
  guint status;

  g_free (test_server_ask (&server, "/keys", cpix, &status));
  assert_equals_int (status, 401);
  text = test_server_ask (&server, "/keys?" WHO, cpix, &status);
  assert_equals_string (text, "{\"keys\":1}\n");
  g_free (test_server_ask (&server, "/keys?" WHO, "<CPIX/>", &status));
  assert_equals_int (status, 400);
  g_free (test_server_ask (&server, "/keys?" WHO, "<CPIX", &status));
  assert_equals_int (status, 400);
  /* The token needs no key now, and its license can be had. */
  g_free (test_server_ask (&server,
      "/token?" WHO "&rightsType=BuyToOwn&contentId=" KID, NULL, &status));
  assert_equals_int (status, 200);
}

GST_END_TEST;

static Suite *
license_server_suite (void)
{
  Suite *suite = suite_create ("license-server");
  TCase *pure = tcase_create ("templates");
  TCase *tc = tcase_create ("http");

  suite_add_tcase (suite, pure);
  tcase_add_loop_test (pure, test_templates, 0, G_N_ELEMENTS (templates));
  tcase_add_test (pure, test_bad_templates);
  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_token_errors, 0, G_N_ELEMENTS (token_errors));
  tcase_add_test (tc, test_token_outputs);
  tcase_add_test (tc, test_error_format);
  tcase_add_test (tc, test_replay_and_regress);
  tcase_add_test (tc, test_bad_requests);
  tcase_add_test (tc, test_clearkey);
  tcase_add_test (tc, test_cors);
  tcase_add_test (tc, test_cpix);
  return suite;
}

GST_CHECK_MAIN (license_server);
