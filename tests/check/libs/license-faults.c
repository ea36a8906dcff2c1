/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a server, or who sits in between, can do to a client: each through a real
 * socket, each an error that says what it was, with the store as it was before.
 */

#include <string.h>

#include <gio/gnetworking.h>
#include <gst/check/gstcheck.h>

#include "../license/testsocket.h"
#include "../license/teststore.h"
#include "license/license-jobs.h"
#include "license/license-url.h"

#define LIMITED_SIZE (64 * 1024)

static TestStore ts;
static GstOfflineLicenseSession *session;
static TestSocket server;

static void
setup (void)
{
  g_autofree gchar *pem = NULL, *path = NULL;

  test_store_init (&ts);
  path = g_build_filename (ts.folder, "issuers.pem", NULL);
  pem = test_pem (ts.issuer.certificate);
  g_file_set_contents (path, pem, -1, NULL);
  session = gst_offline_license_session_new ();
  g_object_set (session, "store", ts.path, "device-key", ts.key_path, "issuers",
      path, NULL);
  gst_offline_license_session_set_clock (session, &ts.clock.clock);
  test_socket_init (&server);
}

static void
teardown (void)
{
  test_socket_clear (&server);
  gst_object_unref (session);
  test_store_clear (&ts);
}

static LicenseEntry *
acquire (const gchar *scheme, const gchar *ca_file, guint timeout,
    guint attempts, GError **error)
{
  g_autofree gchar *url =
      g_strdup_printf ("%s://127.0.0.1:%u/license", scheme, server.port);
  g_autoptr (GByteArray) kids = g_byte_array_new ();
  LicenseClient client = { ca_file, timeout, attempts, 1, LIMITED_SIZE };
  LicenseJob job = { session, client, "the-token", NULL, url, NULL, kids, 0 };

  g_byte_array_append (kids, test_kid, 16);
  return license_job_acquire (&job, error);
}

/* The store is as it was: nothing in it, and not one commit more. */
static void
expect_untouched (gint64 counter)
{
  g_autoptr (GPtrArray) entries =
      license_store_find (ts.store, NULL, NULL, NULL);
  gint64 after;

  assert_equals_int (entries->len, 0);
  license_store_counter (ts.store, &after, NULL);
  assert_equals_int64 (after, counter);
}

/* Only of a server that never gets done is it waited that the time is over: all
 * others may take theirs on a loaded machine. */
static void
expect_failure (const gchar *name, const gchar *scheme, const gchar *ca_file,
    GQuark domain, gint code, const gchar *word)
{
  gboolean slow =
      domain == LICENSE_CLIENT_ERROR && code == LICENSE_CLIENT_ERROR_TIMEOUT;
  g_autoptr (GError) error = NULL;
  gint64 counter;

  license_store_counter (ts.store, &counter, NULL);
  fail_unless (acquire (scheme, ca_file, slow ? 1 : 60, 2, &error) == NULL,
      "%s", name);
  fail_unless (g_error_matches (error, domain, code), "%s: code %d: %s", name,
      error->code, error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s: %s", name,
      error->message);
  fail_unless (strstr (error->message, "the-token") == NULL, "%s tells", name);
  expect_untouched (counter);
}

/* --- answers ------------------------------------------------------------ */

static void
send_body (GOutputStream *stream, const gchar *body, gsize told)
{
  g_autofree gchar *head = g_strdup_printf (
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-cenc-license\r\n"
      "Content-Length: %" G_GSIZE_FORMAT "\r\nConnection: close\r\n\r\n",
      told);

  test_socket_send (stream, head);
  test_socket_send (stream, body);
}

static void
answer_nothing (GOutputStream *stream, GSocket *socket, const gchar *request)
{
}

static void
reset (GSocket *socket)
{
  struct linger now = { 1, 0 };

  setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &now,
      sizeof now);
}

static void
answer_reset_in_headers (GOutputStream *stream, GSocket *socket,
    const gchar *request)
{
  test_socket_send (stream, "HTTP/1.1 200 OK\r\nContent-Ty");
  reset (socket);
}

static void
answer_reset_in_body (GOutputStream *stream, GSocket *socket,
    const gchar *request)
{
  send_body (stream, "eyJ", 5000);
  reset (socket);
}

static void
answer_too_short (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  send_body (stream, "eyJhbGciOiJFUzI1NiJ9", 5000);
}

static gchar *good_document;

static void
answer_length_cuts (GOutputStream *stream, GSocket *socket,
    const gchar *request)
{
  send_body (stream, good_document, strlen (good_document) - 20);
}

static void
answer_document (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  send_body (stream, good_document, strlen (good_document));
}

/* Byte by byte, fifty a second, until the client hangs up. */
static void
drip (GOutputStream *stream, GSocket *socket, const gchar *head)
{
  test_socket_send (stream, head);
  while (g_output_stream_write_all (stream, "x", 1, NULL, NULL, NULL) &&
      !g_socket_condition_timed_wait (socket, G_IO_IN | G_IO_HUP, 20000, NULL,
          NULL))
    ;
}

static void
answer_slow_body (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  drip (stream, socket, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
}

static void
answer_slow_headers (GOutputStream *stream, GSocket *socket,
    const gchar *request)
{
  drip (stream, socket, "HTTP/1.1 200 OK\r\nX-Long: ");
}

static void
answer_huge (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  g_autofree gchar *body = g_strnfill (5 * 1024 * 1024, 'a');

  send_body (stream, body, strlen (body));
}

/* Without a length, for ever. */
static void
answer_endless (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  g_autofree gchar *chunk = g_strnfill (4096, 'a');

  test_socket_send (stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  while (g_output_stream_write_all (stream, chunk, 4096, NULL, NULL, NULL))
    ;
}

#define ANSWER(name, line) \
  static void name (GOutputStream *stream, GSocket *socket, \
      const gchar *request) \
  { \
    test_socket_send (stream, \
        "HTTP/1.1 " line "Content-Length: 0\r\nConnection: close\r\n\r\n"); \
  }

ANSWER (answer_401, "401 Unauthorized\r\n")
ANSWER (answer_404, "404 Not Found\r\n")
ANSWER (answer_410, "410 Gone\r\n")
ANSWER (answer_429, "429 Too Many Requests\r\nRetry-After: 0\r\n")
ANSWER (answer_500, "500 Internal Server Error\r\n")
ANSWER (answer_503, "503 Service Unavailable\r\n")
ANSWER (answer_empty, "200 OK\r\n")
ANSWER (answer_302, "302 Found\r\nLocation: /other\r\n")
ANSWER (answer_to_http, "307 Temporary\r\nLocation: http://192.0.2.1/\r\n")
ANSWER (answer_to_loopback, "307 Temporary\r\nLocation: http://127.0.0.1/\r\n")
ANSWER (answer_to_host, "307 Temporary\r\nLocation: https://192.0.2.1/\r\n")
ANSWER (answer_to_file, "307 Temporary\r\nLocation: file:///etc/passwd\r\n")
ANSWER (answer_to_itself, "307 Temporary\r\nLocation: /license\r\n")
ANSWER (answer_to_nowhere, "307 Temporary\r\n")

static void
answer_problem (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  const gchar *body =
      "{\"title\":\"Not paid\",\"detail\":\"Rent it\\n again\"}";
  g_autofree gchar *text = g_strdup_printf (
      "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\n"
      "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
      (gint) strlen (body), body);

  test_socket_send (stream, text);
}

static void
answer_garbage (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  send_body (stream, "{\"license\":", 11);
}

static void
answer_no_http (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  test_socket_send (stream, "SSH-2.0-OpenSSH_9.2\r\n");
}

static void
answer_busy_once (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  if (g_atomic_int_get (&server.connections) < 3)
    answer_503 (stream, socket, request);
  else
    answer_document (stream, socket, request);
}

#define CLIENT(code) 0, LICENSE_CLIENT_ERROR_##code
#define CENC(code) 1, GST_CENC_ERROR_##code

static const struct
{
  const gchar *name;
  TestAnswer answer;
  gboolean from_session;
  gint code;
  const gchar *word;
} faults[] = {
  { "hangs up", answer_nothing, CLIENT (NETWORK), "no answer" },
  { "reset in the headers", answer_reset_in_headers, CLIENT (NETWORK),
      "no answer" },
  { "reset in the body", answer_reset_in_body, CLIENT (NETWORK), "no answer" },
  { "body too short", answer_too_short, CLIENT (NETWORK), "no answer" },
  { "length too short", answer_length_cuts, CENC (SIGNATURE), "signature" },
  { "slow body", answer_slow_body, CLIENT (TIMEOUT), "too long" },
  { "slow headers", answer_slow_headers, CLIENT (TIMEOUT), "too long" },
  { "5 MiB", answer_huge, CLIENT (SIZE), "larger" },
  { "endless", answer_endless, CLIENT (SIZE), "larger" },
  { "401", answer_401, CLIENT (REFUSED), "401" },
  { "403 with words", answer_problem, CLIENT (REFUSED),
      "403: Not paid: Rent it  again" },
  { "404", answer_404, CLIENT (NOT_FOUND), "404" },
  { "410", answer_410, CLIENT (NOT_FOUND), "410" },
  { "429", answer_429, CLIENT (BUSY), "429" },
  { "500", answer_500, CLIENT (BUSY), "500" },
  { "503", answer_503, CLIENT (BUSY), "503" },
  { "empty", answer_empty, CENC (FORMAT), "empty" },
  { "bad JSON", answer_garbage, CENC (FORMAT), "JWS" },
  { "no HTTP", answer_no_http, CLIENT (NETWORK), "no answer" },
  { "redirect that drops the body", answer_302, CLIENT (REDIRECT), "drops" },
  { "redirect to http", answer_to_http, CLIENT (REDIRECT), "away from https" },
  { "redirect to another host", answer_to_host, CLIENT (REDIRECT),
      "another place" },
  { "redirect to a file", answer_to_file, CLIENT (REDIRECT), "redirects" },
  { "redirect in a circle", answer_to_itself, CLIENT (REDIRECT), "too often" },
  { "redirect to nowhere", answer_to_nowhere, CLIENT (REDIRECT), "nowhere" },
};

static void
make_document (LicenseDocument *license, EVP_PKEY *device, gboolean second_only)
{
  g_autoptr (GPtrArray) keys = test_keys (TRUE);
  g_autoptr (GBytes) bytes = NULL;

  if (second_only)
    g_ptr_array_remove_index (keys, 0);
  bytes = license_document_write (license, keys, device, ts.issuer.key,
      ts.issuer.certificate, NULL);
  g_free (good_document);
  good_document =
      g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

GST_START_TEST (test_faults)
{
  g_autoptr (LicenseDocument) license = test_rental ();

  make_document (license, license_store_device_key (ts.store), FALSE);
  server.answer = faults[__i__].answer;
  test_socket_start (&server);
  expect_failure (faults[__i__].name, "http", NULL,
      faults[__i__].from_session ? GST_CENC_ERROR : LICENSE_CLIENT_ERROR,
      faults[__i__].code, faults[__i__].word);
}

GST_END_TEST;

GST_START_TEST (test_refused)
{
  test_socket_close (&server);
  expect_failure ("refused", "http", NULL, LICENSE_CLIENT_ERROR,
      LICENSE_CLIENT_ERROR_NETWORK, "no answer");
}

GST_END_TEST;

/* The document itself is sound, but not what was asked for. */
GST_START_TEST (test_wrong_answers)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (EVP_PKEY) other = jose_key_generate ();
  EVP_PKEY *own = license_store_device_key (ts.store);

  server.answer = answer_document;
  test_socket_start (&server);
  make_document (license, own, TRUE);
  expect_failure ("another KID", "http", NULL, GST_CENC_ERROR,
      GST_CENC_ERROR_NO_KEY, "has no key");
  make_document (license, own, FALSE);
  expect_failure ("no nonce", "http", NULL, GST_CENC_ERROR,
      GST_CENC_ERROR_SIGNATURE, "another nonce");
  license->nonce = g_strdup ("bm9uY2U");
  make_document (license, own, FALSE);
  expect_failure ("replayed", "http", NULL, GST_CENC_ERROR,
      GST_CENC_ERROR_SIGNATURE, "another nonce");
  make_document (license, other, FALSE);
  expect_failure ("another device", "http", NULL, GST_CENC_ERROR,
      GST_CENC_ERROR_SIGNATURE, "another nonce");
}

GST_END_TEST;

/* Signed by the issuer and with our very nonce, but still not for us. */
static EVP_PKEY *answer_device;
static gboolean answer_second_only;

static void
answer_our_nonce (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  const gchar *nonce =
      strstr (request, "\"nonce\":\"") + strlen ("\"nonce\":\"");
  g_autoptr (LicenseDocument) license = test_rental ();

  license->nonce = g_strndup (nonce, strcspn (nonce, "\""));
  make_document (license, answer_device, answer_second_only);
  answer_document (stream, socket, request);
}

GST_START_TEST (test_answers_for_others)
{
  g_autoptr (EVP_PKEY) other = jose_key_generate ();

  server.answer = answer_our_nonce;
  test_socket_start (&server);
  answer_device = other;
  expect_failure ("another device", "http", NULL, GST_CENC_ERROR,
      GST_CENC_ERROR_OTHER_DEVICE, "was issued to device key");
  answer_device = license_store_device_key (ts.store);
  answer_second_only = TRUE;
  expect_failure ("another KID", "http", NULL, GST_CENC_ERROR,
      GST_CENC_ERROR_NO_KEY, "has no key");
}

GST_END_TEST;

/* 503 twice, then an answer: it was tried three times. */
GST_START_TEST (test_retry)
{
  g_autoptr (LicenseDocument) license = test_rental ();
  g_autoptr (GError) error = NULL;

  make_document (license, license_store_device_key (ts.store), FALSE);
  server.answer = answer_busy_once;
  test_socket_start (&server);
  fail_unless (acquire ("http", NULL, 60, 4, &error) == NULL);
  /* The third answer is without our nonce: it got as far as that. */
  fail_unless (strstr (error->message, "another nonce") != NULL, "%s",
      error->message);
  assert_equals_int (g_atomic_int_get (&server.connections), 3);
}

GST_END_TEST;

static gchar *
use_certificate (gint64 from, gint64 to, const gchar *address)
{
  g_autoptr (EVP_PKEY) key = jose_key_generate ();
  g_autofree gchar *pem = test_server_pem (key, from, to, address);
  gchar *path = g_build_filename (ts.folder, "server.pem", NULL);

  g_file_set_contents (path, pem, -1, NULL);
  server.tls = g_tls_certificate_new_from_file (path, NULL);
  fail_unless (server.tls != NULL);
  return path;
}

GST_START_TEST (test_tls)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  g_autofree gchar *good = NULL, *expired = NULL, *other = NULL;

  server.answer = answer_404;
  test_socket_start (&server);
  good = use_certificate (now - 3600, now + 3600, "127.0.0.1");
  expect_failure ("self-signed", "https", NULL, LICENSE_CLIENT_ERROR,
      LICENSE_CLIENT_ERROR_TLS, "TLS");
  /* With the very certificate as an anchor it is an answer like any other. */
  expect_failure ("trusted", "https", good, LICENSE_CLIENT_ERROR,
      LICENSE_CLIENT_ERROR_NOT_FOUND, "404");
  /* Even to this very machine, where plain http may be asked for. */
  server.answer = answer_to_loopback;
  expect_failure ("redirect from https to http", "https", good,
      LICENSE_CLIENT_ERROR, LICENSE_CLIENT_ERROR_REDIRECT, "away from https");
  g_clear_object (&server.tls);
  server.answer = answer_404;
  expired = use_certificate (now - 7200, now - 3600, "127.0.0.1");
  expect_failure ("expired", "https", expired, LICENSE_CLIENT_ERROR,
      LICENSE_CLIENT_ERROR_TLS, "TLS");
  g_clear_object (&server.tls);
  other = use_certificate (now - 3600, now + 3600, "192.0.2.1");
  expect_failure ("another name", "https", other, LICENSE_CLIENT_ERROR,
      LICENSE_CLIENT_ERROR_TLS, "TLS");
}

GST_END_TEST;

/* Ten licenses wait to be given back at a server that is gone: it is asked once,
 * not ten times, and they wait on. */
GST_START_TEST (test_outbox)
{
  g_autofree gchar *url =
      g_strdup_printf ("http://127.0.0.1:%u/release", server.port);
  LicenseClient client = { NULL, 60, 1, 1, LIMITED_SIZE };
  g_autoptr (GPtrArray) outbox = NULL;
  guint i;

  server.answer = answer_nothing;
  test_socket_start (&server);
  for (i = 0; i < 10; i++) {
    g_autoptr (LicenseDocument) license = test_rental ();
    g_autoptr (LicenseEntry) entry = NULL, released = NULL;
    g_autoptr (GError) error = NULL;
    LicenseJob job = { session, client };

    g_free (license->id);
    license->id = g_strdup_printf ("lic-%u", i);
    license->release_url = g_strdup (url);
    test_store_import (&ts, license);
    entry = test_store_entry (&ts);
    if (i < 9)
      fail_unless (license_store_delete (ts.store, entry->document, NULL));
    else
      released = license_job_release (&job, &error);
    g_assert_no_error (error);
  }
  assert_equals_int (g_atomic_int_get (&server.connections), 1);
  outbox = license_store_outbox (ts.store, NULL);
  assert_equals_int (outbox->len, 10);
}

GST_END_TEST;

GST_START_TEST (test_urls)
{
  static const struct
  {
    const gchar *url;
    gboolean good;
  } table[] = { { "https://licenses.example.com/a", TRUE },
    { "http://127.0.0.1:1/a", TRUE }, { "http://[::1]/a", TRUE },
    { "http://localhost/", TRUE }, { "http://licenses.example.com/", FALSE },
    { "http://192.168.1.1/", FALSE },
    { "http://127.0.0.1.example.com/", FALSE },
    { "https://user:secret@example.com/", FALSE }, { "https://", FALSE },
    { "https:///a", FALSE }, { "file:///etc/passwd", FALSE },
    { "ftp://example.com/", FALSE }, { "", FALSE }, { "example.com", FALSE } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GUri) url = license_url_parse (table[i].url, NULL);

    fail_unless ((url != NULL) == table[i].good, "%s", table[i].url);
  }
}

GST_END_TEST;

/* By which a license is told to belong to a server. */
GST_START_TEST (test_origins)
{
  static const struct
  {
    const gchar *url;
    gboolean same;
  } table[] = { { "https://licenses.example.com:443/b?c", TRUE },
    { "HTTPS://Licenses.Example.com", TRUE },
    { "https://licenses.example.com:8443/a", FALSE },
    { "https://example.com/a", FALSE }, { "http://127.0.0.1/a", FALSE },
    { "https://licenses.example.com.evil.org/a", FALSE }, { "", FALSE } };
  g_autofree gchar *origin =
      license_url_get_origin ("https://licenses.example.com/a");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree gchar *other = license_url_get_origin (table[i].url);

    fail_unless (g_str_equal (origin, other) == table[i].same, "%s", other);
  }
}

GST_END_TEST;

static Suite *
license_faults_suite (void)
{
  Suite *suite = suite_create ("license-faults");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_faults, 0, G_N_ELEMENTS (faults));
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_wrong_answers);
  tcase_add_test (tc, test_answers_for_others);
  tcase_add_test (tc, test_retry);
  tcase_add_test (tc, test_tls);
  tcase_add_test (tc, test_outbox);
  tcase_add_test (tc, test_urls);
  tcase_add_test (tc, test_origins);
  return suite;
}

GST_CHECK_MAIN (license_faults);
