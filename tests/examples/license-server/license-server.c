/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-server.h"
#include "server-private.h"

#include <string.h>

#include <openssl/pem.h>

#include "license/jose-json.h"

#define MAX_BODY (256 * 1024)

static const gchar schema[] =
    "CREATE TABLE IF NOT EXISTS key (kid BLOB PRIMARY KEY, value BLOB);"
    "CREATE TABLE IF NOT EXISTS token (hash BLOB PRIMARY KEY,"
    " grant_text TEXT NOT NULL, device TEXT, license TEXT);"
    "CREATE TABLE IF NOT EXISTS license (id TEXT PRIMARY KEY,"
    " grant_text TEXT NOT NULL, device TEXT NOT NULL, issued INTEGER NOT NULL,"
    " first_play INTEGER, released INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS nonce (device TEXT, nonce TEXT,"
    " PRIMARY KEY (device, nonce));"
    "CREATE TABLE IF NOT EXISTS device (device TEXT PRIMARY KEY,"
    " counter INTEGER NOT NULL);";

gint64
server_now (LicenseServer *self)
{
  LicenseInstant now;

  license_clock_read (self->clock, &now);
  return now.wall / G_USEC_PER_SEC;
}

void
server_answer_text (ServerAnswer *answer, const gchar *type, gchar *text)
{
  answer->type = type;
  answer->body = g_bytes_new_take (text, strlen (text));
}

static gboolean
trust_itself (LicenseServer *self, GError **error)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  gchar *pem;
  glong size;
  gboolean ok;

  PEM_write_bio_X509 (bio, self->certificate);
  size = BIO_get_mem_data (bio, &pem);
  self->issuers = license_issuers_new ();
  ok = license_issuers_add_pem (self->issuers, pem, size, error);
  BIO_free (bio);
  return ok;
}

LicenseServer *
license_server_new (const LicenseServerConfig *config, GError **error)
{
  g_autoptr (LicenseServer) self = g_new0 (LicenseServer, 1);

  self->base_url = g_strdup (config->base_url);
  self->authenticator = g_strdup (config->authenticator);
  self->clock = config->clock;
  EVP_PKEY_up_ref (config->key);
  self->key = config->key;
  X509_up_ref (config->certificate);
  self->certificate = config->certificate;
  if (!trust_itself (self, error))
    return NULL;
  self->db = license_db_open (config->database, TRUE, error);
  if (!self->db)
    return NULL;
  if (sqlite3_exec (self->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
    license_db_fail (self->db, error);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
license_server_free (LicenseServer *self)
{
  sqlite3_close (self->db);
  EVP_PKEY_free (self->key);
  X509_free (self->certificate);
  g_clear_pointer (&self->issuers, license_issuers_unref);
  g_free (self->base_url);
  g_free (self->authenticator);
  g_free (self);
}

void
license_server_set_base_url (LicenseServer *self, const gchar *url)
{
  g_free (self->base_url);
  self->base_url = g_strdup (url);
}

/* --- HTTP --------------------------------------------------------------- */

/* Query and form in one; a name that stands twice counts once. */
static GHashTable *
get_form (SoupServerMessage *message, GHashTable *query)
{
  GHashTable *form =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  const gchar *type = soup_message_headers_get_content_type (
      soup_server_message_get_request_headers (message), NULL);
  g_autofree gchar *text = NULL;
  GHashTable *posted = NULL;
  GHashTableIter iter;
  gpointer name, value;
  guint i;

  if (g_strcmp0 (type, SOUP_FORM_MIME_TYPE_URLENCODED) == 0 && body->data) {
    text = g_strndup (body->data, (gsize) body->length);
    posted = soup_form_decode (text);
  }
  for (i = 0; i < 2; i++) {
    GHashTable *from = i == 0 ? query : posted;

    if (!from)
      continue;
    g_hash_table_iter_init (&iter, from);
    while (g_hash_table_iter_next (&iter, &name, &value))
      g_hash_table_replace (form, g_strdup (name), g_strdup (value));
  }
  g_clear_pointer (&posted, g_hash_table_unref);
  return form;
}

static const gchar *
get_bearer (SoupServerMessage *message, GHashTable *form)
{
  const gchar *header =
      soup_message_headers_get_one (soup_server_message_get_request_headers (
                                        message),
          "Authorization");

  if (header && g_ascii_strncasecmp (header, "Bearer ", 7) == 0)
    return header + 7;
  return g_hash_table_lookup (form, "token");
}

static gboolean
dispatch (LicenseServer *self, SoupServerMessage *message, const gchar *path,
    GHashTable *form, GBytes *body, ServerAnswer *answer, GError **error)
{
  const gchar *bearer = get_bearer (message, form);

  if (g_str_equal (path, "/token"))
    return server_token (self, form, answer, error);
  if (g_str_equal (path, "/license"))
    return server_license (self, bearer, body, answer, error);
  if (g_str_equal (path, "/renew"))
    return server_renew (self, body, answer, error);
  if (g_str_equal (path, "/release"))
    return server_release (self, body, answer, error);
  if (g_str_equal (path, "/status"))
    return server_status (self, form, body, answer, error);
  if (g_str_equal (path, "/clearkey"))
    return server_clearkey (self, bearer, body, answer, error);
  if (g_str_equal (path, "/keys"))
    return server_import (self,
        g_hash_table_lookup (form, "customerAuthenticator"), body, answer,
        error);
  g_set_error_literal (error, SERVER_ERROR, 404, "there is nothing here");
  return FALSE;
}

static guint
status_of (const GError *error)
{
  if (error->domain != SERVER_ERROR)
    return 500;
  if (error->code == -2017 || error->code == -2018)
    return 401;
  return error->code < 0 ? 400 : (guint) error->code;
}

/* ExpressPlay's numbers as its clients know them, all else as RFC 9457. */
static void
answer_error (ServerAnswer *answer, GHashTable *form, const GError *error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  const gchar *format = g_hash_table_lookup (form, "errorFormat");
  gboolean numbered = error->domain == SERVER_ERROR && error->code < 0;

  answer->status = status_of (error);
  if (numbered && g_strcmp0 (format, "json") != 0) {
    server_answer_text (answer, "text/html",
        g_strdup_printf ("<html><body>Error %d: %s</body></html>\n",
            error->code, error->message));
    return;
  }
  if (numbered) {
    json_object_set_int_member (object, "errorCode", error->code);
    json_object_set_string_member (object, "errorMessage", error->message);
    server_answer_text (answer, "application/json",
        jose_json_to_string (object));
    return;
  }
  json_object_set_int_member (object, "status", answer->status);
  json_object_set_string_member (object, "title",
      soup_status_get_phrase (answer->status));
  json_object_set_string_member (object, "detail",
      answer->status == 500 ? "internal error" : error->message);
  server_answer_text (answer, "application/problem+json",
      jose_json_to_string (object));
}

static void
run_handler (LicenseServer *self, SoupServerMessage *message, const gchar *path,
    GHashTable *form, GBytes *body, ServerAnswer *answer)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = license_db_begin (self->db, TRUE, &error) &&
      license_db_end (self->db,
          dispatch (self, message, path, form, body, answer, &error), &error);

  if (ok)
    return;
  g_clear_pointer (&answer->body, g_bytes_unref);
  if (status_of (error) == 500)
    g_warning ("%s: %s", path, error->message);
  answer_error (answer, form, error);
}

/* A browser's page may stand anywhere: only Clear Key is for it. */
static void
add_cors (SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Access-Control-Allow-Origin", "*");
  soup_message_headers_replace (headers, "Access-Control-Allow-Methods",
      "POST");
  soup_message_headers_replace (headers, "Access-Control-Allow-Headers",
      "Authorization, Content-Type");
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer data)
{
  LicenseServer *self = data;
  ServerAnswer answer = { 200 };
  SoupMessageBody *received = soup_server_message_get_request_body (message);
  g_autoptr (GHashTable) form = NULL;
  g_autoptr (GBytes) body = NULL;

  if (g_str_equal (path, "/clearkey"))
    add_cors (message);
  soup_message_headers_replace (soup_server_message_get_response_headers (
                                    message),
      "Cache-Control", "no-store");
  if (soup_server_message_get_method (message) == SOUP_METHOD_OPTIONS) {
    soup_server_message_set_status (message, 204, NULL);
    return;
  }
  if (received->length > MAX_BODY) {
    soup_server_message_set_status (message, 413, NULL);
    return;
  }
  form = get_form (message, query);
  body = g_bytes_new (received->data, (gsize) received->length);
  run_handler (self, message, path, form, body, &answer);
  soup_server_message_set_status (message, answer.status, NULL);
  if (answer.body)
    soup_server_message_set_response (message, answer.type, SOUP_MEMORY_COPY,
        g_bytes_get_data (answer.body, NULL), g_bytes_get_size (answer.body));
  g_clear_pointer (&answer.body, g_bytes_unref);
}

void
license_server_attach (LicenseServer *self, SoupServer *soup)
{
  soup_server_add_handler (soup, NULL, on_request, self, NULL);
}
