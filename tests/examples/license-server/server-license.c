/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Licenses: issued, renewed, taken back, looked up. */

#include <string.h>

#include <openssl/crypto.h>

#include <gst/cenc/gstcenckeyring.h>

#include "license/jose-base64.h"
#include "license/jose-json.h"
#include "server-private.h"

/* A device's request, checked. */
typedef struct
{
  JsonObject *object;
  EVP_PKEY *key;
  gchar *device; /* thumbprint */
  const gchar *nonce, *license;
  gint64 counter, first_play;
} Request;

static gboolean
refuse (gint status, const gchar *what, GError **error)
{
  g_set_error_literal (error, SERVER_ERROR, status, what);
  return FALSE;
}

static void
request_clear (Request *self)
{
  g_clear_pointer (&self->object, json_object_unref);
  EVP_PKEY_free (self->key);
  g_free (self->device);
}

static gboolean
parse_request (Request *self, GBytes *body, GError **error)
{
  JsonObject *device = NULL;
  gint64 version = 0;
  gconstpointer text;
  gsize size;

  memset (self, 0, sizeof *self);
  self->counter = -1;
  text = g_bytes_get_data (body, &size);
  self->object = jose_json_parse (text ? text : "", size, "request", NULL);
  if (!self->object ||
      !jose_json_get_int (self->object, "ver", &version, NULL) || version != 1)
    return refuse (400, "not a request of version 1", error);
  if (!jose_json_get_object (self->object, "device", &device, NULL) || !device)
    return refuse (400, "device is missing", error);
  self->key = jose_key_from_jwk (device, NULL);
  if (!self->key)
    return refuse (400, "device is no public key on P-256", error);
  self->device = jose_key_thumbprint (self->key, NULL);
  if (!jose_json_get_string (self->object, "nonce", &self->nonce, NULL) ||
      !self->nonce || strlen (self->nonce) > 64 ||
      !jose_json_get_int (self->object, "counter", &self->counter, NULL) ||
      self->counter < 0)
    return refuse (400, "nonce or counter is missing", error);
  return jose_json_get_string (self->object, "license", &self->license, NULL) &&
      jose_json_get_int (self->object, "first_play", &self->first_play, NULL);
}

/* A nonce is good once; a device's counter never goes back: a store that was
 * restored from a copy has forgotten first plays. */
static gboolean
check_device (LicenseServer *self, const Request *request, GError **error)
{
  g_autoptr (sqlite3_stmt) row = license_db_query (self->db, error,
      "SELECT counter FROM device WHERE device = ?", "t", request->device);
  gint found = row ? license_db_step (row, error) : -1;

  if (found < 0)
    return FALSE;
  if (found == 1 && request->counter < sqlite3_column_int64 (row, 0))
    return refuse (409,
        "the device's state has gone back: its store was "
        "restored from a copy",
        error);
  if (!license_db_run (self->db, NULL, "INSERT INTO nonce VALUES (?, ?)", "tt",
          request->device, request->nonce))
    return refuse (409, "the request was sent before", error);
  return license_db_run (self->db, error,
      "INSERT OR REPLACE INTO device VALUES (?, ?)", "ti", request->device,
      request->counter);
}

gboolean
server_put_key (LicenseServer *self, const guint8 *kid, const guint8 *key,
    GError **error)
{
  return license_db_run (self->db, error,
      "INSERT OR REPLACE INTO key VALUES (?, ?)", "kk", kid, key);
}

gboolean
server_has_key (LicenseServer *self, const guint8 *kid)
{
  g_autoptr (sqlite3_stmt) row = license_db_query (self->db, NULL,
      "SELECT 1 FROM key WHERE kid = ?", "k", kid);

  return row && license_db_step (row, NULL) == 1;
}

GPtrArray *
server_find_keys (LicenseServer *self, GByteArray *kids, GError **error)
{
  g_autoptr (GPtrArray) keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
  guint i;

  for (i = 0; i < kids->len; i += GST_CENC_KID_SIZE) {
    g_autoptr (sqlite3_stmt) row = license_db_query (self->db, error,
        "SELECT value FROM key WHERE kid = ?", "k", kids->data + i);
    gint found = row ? license_db_step (row, error) : -1;

    if (found < 0)
      return NULL;
    if (found == 0 || sqlite3_column_bytes (row, 0) != GST_CENC_KEY_SIZE) {
      refuse (404, "a key of the content is not known here", error);
      return NULL;
    }
    g_ptr_array_add (keys,
        gst_cenc_key_new (kids->data + i, sqlite3_column_blob (row, 0)));
  }
  return g_steal_pointer (&keys);
}

static LicenseDocument *
draft (LicenseServer *self, const ServerGrant *grant, const gchar *id,
    const gchar *nonce, gint64 issued)
{
  LicenseDocument *license = license_document_new ();

  license->id = g_strdup (id);
  license->issuer = g_strdup (self->base_url);
  license->nonce = g_strdup (nonce);
  license->release_url = g_strconcat (self->base_url, "/release", NULL);
  if (grant->renewal > 0)
    license->renewal_url = g_strconcat (self->base_url, "/renew", NULL);
  server_grant_fill (grant, issued, license);
  return license;
}

static gboolean
issue (LicenseServer *self, const ServerGrant *grant, const gchar *id,
    const Request *request, gint64 issued, ServerAnswer *answer, GError **error)
{
  g_autoptr (LicenseDocument) license =
      draft (self, grant, id, request->nonce, issued);
  g_autoptr (GPtrArray) keys = server_find_keys (self, grant->kids, error);
  g_autofree gchar *text = server_grant_to_text (grant);

  if (!keys)
    return FALSE;
  answer->body = license_document_write (license, keys, request->key, self->key,
      self->certificate, error);
  answer->type = LICENSE_MEDIA_TYPE;
  return answer->body &&
      license_db_run (self->db, error,
          "INSERT OR REPLACE INTO license (id, grant_text, device, issued,"
          " first_play, released) VALUES (?, ?, ?, ?, ?, 0)",
          "tttii", id, text, request->device, issued, request->first_play);
}

/* Returns: whether the license exists; fills what is not NULL */
static gboolean
find_license (LicenseServer *self, const gchar *id, ServerGrant **grant,
    gint64 *issued, gboolean *released)
{
  g_autoptr (sqlite3_stmt) row = license_db_query (self->db, NULL,
      "SELECT grant_text, issued, released FROM license WHERE id = ?", "t", id);

  if (!row || license_db_step (row, NULL) != 1)
    return FALSE;
  if (grant)
    *grant =
        server_grant_from_text ((const gchar *) sqlite3_column_text (row, 0));
  *issued = sqlite3_column_int64 (row, 1);
  *released = sqlite3_column_int (row, 2) != 0;
  return TRUE;
}

/* A token is for one device, which may ask again: it gets the same license
 * anew, on which its play window goes on. */
static gboolean
redeem (LicenseServer *self, const gchar *token, const Request *request,
    ServerAnswer *answer, GError **error)
{
  g_autofree gchar *device = NULL, *id = NULL;
  g_autoptr (ServerGrant) grant =
      server_find_token (self, token, &device, &id, error);
  g_autoptr (GBytes) hash = server_token_hash (token);
  gint64 issued = 0, now = server_now (self);
  gboolean released = FALSE;

  if (!grant)
    return FALSE;
  if (device && !g_str_equal (device, request->device))
    return refuse (403, "the token was redeemed by another device", error);
  if (!id)
    id = g_uuid_string_random ();
  else if (find_license (self, id, NULL, &issued, &released) && released)
    return refuse (403, "the license was given back", error);
  return issue (self, grant, id, request, MAX (now, issued + 1), answer,
             error) &&
      license_db_run (self->db, error,
          "UPDATE token SET device = ?, license = ? WHERE hash = ?", "ttb",
          request->device, id, hash);
}

gboolean
server_license (LicenseServer *self, const gchar *bearer, GBytes *body,
    ServerAnswer *answer, GError **error)
{
  Request request;
  gboolean ok;

  if (!bearer)
    return refuse (401, "a token is needed (Authorization: Bearer)", error);
  ok = parse_request (&request, body, error) &&
      check_device (self, &request, error) &&
      redeem (self, bearer, &request, answer, error);
  request_clear (&request);
  return ok;
}

/* The license that a request shows is its credential: signed here, for that
 * very device. */
static LicenseDocument *
open_own (LicenseServer *self, const Request *request, GError **error)
{
  g_autoptr (GBytes) bytes = request->license
      ? g_bytes_new (request->license, strlen (request->license))
      : NULL;
  LicenseDocument *license =
      bytes ? license_document_open (bytes, self->issuers, NULL) : NULL;

  if (license && g_str_equal (license->device, request->device))
    return license;
  g_clear_pointer (&license, license_document_unref);
  refuse (403, "license is none of ours for this device", error);
  return NULL;
}

static gboolean
renew (LicenseServer *self, const Request *request, ServerAnswer *answer,
    GError **error)
{
  g_autoptr (LicenseDocument) license = open_own (self, request, error);
  g_autoptr (ServerGrant) grant = NULL;
  gint64 issued = 0, now = server_now (self);
  gboolean released = FALSE;

  if (!license)
    return FALSE;
  if (!find_license (self, license->id, &grant, &issued, &released) || !grant)
    return refuse (404, "the license is not known", error);
  if (released)
    return refuse (403, "the license was given back", error);
  if (grant->renewal == 0)
    return refuse (403, "the license cannot be renewed", error);
  grant->not_after = now + grant->renewal;
  grant->window = 0;
  return issue (self, grant, license->id, request, MAX (now, issued + 1),
      answer, error);
}

gboolean
server_renew (LicenseServer *self, GBytes *body, ServerAnswer *answer,
    GError **error)
{
  Request request;
  gboolean ok = parse_request (&request, body, error) &&
      check_device (self, &request, error) &&
      renew (self, &request, answer, error);

  request_clear (&request);
  return ok;
}

static gboolean
release (LicenseServer *self, const Request *request, ServerAnswer *answer,
    GError **error)
{
  g_autoptr (LicenseDocument) license = open_own (self, request, error);

  if (!license)
    return FALSE;
  answer->status = 204;
  return license_db_run (self->db, error,
      "UPDATE license SET released = 1 WHERE id = ?", "t", license->id);
}

gboolean
server_release (LicenseServer *self, GBytes *body, ServerAnswer *answer,
    GError **error)
{
  Request request;
  gboolean ok = parse_request (&request, body, error) &&
      check_device (self, &request, error) &&
      release (self, &request, answer, error);

  request_clear (&request);
  return ok;
}

/* By the shop: any license, by its id. */
static gboolean
status_by_id (LicenseServer *self, const gchar *id, ServerAnswer *answer,
    GError **error)
{
  gboolean released;
  gint64 issued;

  if (!id || !find_license (self, id, NULL, &issued, &released))
    return refuse (404, "the license is not known", error);
  server_answer_text (answer, "application/json",
      g_strdup_printf ("{\"issued\":%" G_GINT64_FORMAT ",\"released\":%s}\n",
          issued, released ? "true" : "false"));
  return TRUE;
}

/* By the device: its own license, which it shows. */
static gboolean
status_of_own (LicenseServer *self, const Request *request,
    ServerAnswer *answer, GError **error)
{
  g_autoptr (LicenseDocument) license = open_own (self, request, error);
  gboolean released;
  gint64 issued;

  if (!license)
    return FALSE;
  if (!find_license (self, license->id, NULL, &issued, &released))
    return refuse (404, "the license is not known", error);
  server_answer_text (answer, "application/json",
      g_strdup_printf ("{\"state\":\"%s\"}\n",
          released                                        ? "released"
              : issued * G_USEC_PER_SEC > license->issued ? "superseded"
                                                          : "valid"));
  return TRUE;
}

gboolean
server_status (LicenseServer *self, GHashTable *form, GBytes *body,
    ServerAnswer *answer, GError **error)
{
  const gchar *who = g_hash_table_lookup (form, "customerAuthenticator");
  Request request;
  gboolean ok;

  if (server_authenticate (self, who))
    return status_by_id (self, g_hash_table_lookup (form, "licenseId"), answer,
        error);
  if (who || g_bytes_get_size (body) == 0)
    return refuse (401, "customerAuthenticator is missing or not known", error);
  ok = parse_request (&request, body, error) &&
      check_device (self, &request, error) &&
      status_of_own (self, &request, answer, error);
  request_clear (&request);
  return ok;
}
