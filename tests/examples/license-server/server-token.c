/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The token endpoint, with ExpressPlay's parameter names and error numbers. */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <gst/cenc/gstcenckeyring.h>

#include "license/jose-base64.h"
#include "license/jose-json.h"
#include "server-output.h"
#include "server-private.h"

#define KID_PREFIX "urn:marlin:kid:"
#define MAX_KIDS 16

GBytes *
server_token_hash (const gchar *token)
{
  guint8 digest[SHA256_DIGEST_LENGTH];

  SHA256 ((const guint8 *) token, strlen (token), digest);
  return g_bytes_new (digest, sizeof digest);
}

gboolean
server_authenticate (LicenseServer *self, const gchar *text)
{
  gsize size = strlen (self->authenticator);

  return text && strlen (text) == size &&
      CRYPTO_memcmp (text, self->authenticator, size) == 0;
}

static gboolean
refuse (gint code, const gchar *what, GError **error)
{
  g_set_error_literal (error, SERVER_ERROR, code, what);
  return FALSE;
}

static gboolean
take_pair (LicenseServer *self, ServerGrant *grant, const gchar *id,
    const gchar *key_text, GError **error)
{
  guint8 kid[GST_CENC_KID_SIZE], key[GST_CENC_KEY_SIZE];
  gboolean ok = TRUE;

  if (!g_str_has_prefix (id, KID_PREFIX))
    return refuse (-4022, "contentId is not urn:marlin:kid:", error);
  if (!gst_cenc_parse_hex (id + strlen (KID_PREFIX), kid, sizeof kid))
    return refuse (-4020, "the KID is not 32 hex digits", error);
  g_byte_array_append (grant->kids, kid, sizeof kid);
  if (!key_text || !*key_text) /* imported before */
    return server_has_key (self, kid) ||
        refuse (-4019, "there is no key of this KID", error);
  ok = gst_cenc_parse_hex (key_text, key, sizeof key)
      ? server_put_key (self, kid, key, error)
      : refuse (-2027, "contentKey is not 32 hex digits", error);
  OPENSSL_cleanse (key, sizeof key);
  return ok;
}

/* Several keys (picture and sound) as lists of the same length. */
static gboolean
take_content (LicenseServer *self, ServerGrant *grant, GHashTable *form,
    GError **error)
{
  const gchar *ids = g_hash_table_lookup (form, "contentId");
  const gchar *keys = g_hash_table_lookup (form, "contentKey");
  g_auto (GStrv) id = g_strsplit (ids ? ids : "", ",", MAX_KIDS);
  g_auto (GStrv) key = g_strsplit (keys ? keys : "", ",", MAX_KIDS);
  guint i, n_keys = g_strv_length (key);

  if (!ids || !*ids)
    return refuse (-4018, "contentId is missing", error);
  if (n_keys > 0 && n_keys != g_strv_length (id))
    return refuse (-2027, "contentKey has not as many keys as contentId",
        error);
  for (i = 0; id[i]; i++) {
    if (!take_pair (self, grant, id[i], n_keys ? key[i] : NULL, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
take_number (const gchar *text, gint64 *out)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 1,
          LICENSE_MAX_DURATION / G_USEC_PER_SEC, &value, NULL))
    return FALSE;
  *out = (gint64) value;
  return TRUE;
}

static gboolean
take_rental (ServerGrant *grant, GHashTable *form, GError **error)
{
  const gchar *end = g_hash_table_lookup (form, "rental.periodEndTime");
  const gchar *play = g_hash_table_lookup (form, "rental.playDuration");

  if (!end || !*end)
    return refuse (-2022, "rental.periodEndTime is missing", error);
  if (*end == '+') {
    if (!take_number (end + 1, &grant->window))
      return refuse (-2022, "rental.periodEndTime is no number of seconds",
          error);
  } else {
    grant->not_after = server_parse_date (end);
    if (grant->not_after < 0)
      return refuse (-2022, "rental.periodEndTime is no RFC 3339 date", error);
  }
  if (!play || !*play)
    return TRUE;
  return take_number (play, &grant->playback_duration) ||
      refuse (-2025, "rental.playDuration is no number of seconds", error);
}

static gboolean
take_rights (ServerGrant *grant, GHashTable *form, GError **error)
{
  const gchar *type = g_hash_table_lookup (form, "rightsType");
  const gchar *text = g_hash_table_lookup (form, "template");
  const gchar *renewal = g_hash_table_lookup (form, "renewalDuration");
  g_autoptr (JsonObject) template = NULL;

  grant->persistent = TRUE;
  if (text) {
    template = jose_json_parse (text, strlen (text), "template", error);
    grant->persistent = FALSE;
    return template && server_grant_apply_template (grant, template, error);
  }
  if (!type)
    return refuse (-2020, "rightsType is missing", error);
  if (renewal && !take_number (renewal, &grant->renewal))
    return refuse (400, "renewalDuration is no number of seconds", error);
  grant->realtime_expiration =
      g_strcmp0 (g_hash_table_lookup (form, "realTimeExpiration"), "true") == 0;
  if (g_str_equal (type, "BuyToOwn")) {
    grant->rights = LICENSE_RIGHTS_BUY_TO_OWN;
    return TRUE;
  }
  if (!g_str_equal (type, "Rental"))
    return refuse (-2021, "rightsType is neither BuyToOwn nor Rental", error);
  grant->rights = LICENSE_RIGHTS_RENTAL;
  return take_rental (grant, form, error);
}

static gboolean
store_token (LicenseServer *self, const ServerGrant *grant, const gchar *token,
    GError **error)
{
  g_autoptr (GBytes) hash = server_token_hash (token);
  g_autofree gchar *text = server_grant_to_text (grant);

  return license_db_run (self->db, error,
      "INSERT INTO token (hash, grant_text) VALUES (?, ?)", "bt", hash, text);
}

gboolean
server_token (LicenseServer *self, GHashTable *form, ServerAnswer *answer,
    GError **error)
{
  const gchar *who = g_hash_table_lookup (form, "customerAuthenticator");
  const gchar *type = g_hash_table_lookup (form, "actionTokenType");
  const gchar *format = g_hash_table_lookup (form, "errorFormat");
  g_autoptr (ServerGrant) grant = server_grant_new ();
  g_autofree gchar *token = NULL;
  guint8 random[32];

  if (format && !g_str_equal (format, "json") && !g_str_equal (format, "html"))
    return refuse (-3004, "errorFormat is neither html nor json", error);
  if (!who)
    return refuse (-2017, "customerAuthenticator is missing", error);
  if (!server_authenticate (self, who))
    return refuse (-2018, "customerAuthenticator is not known", error);
  if (type && !g_str_equal (type, "1"))
    return refuse (400, "actionTokenType: only 1 (license) is served", error);
  if (!take_content (self, grant, form, error) ||
      !take_rights (grant, form, error) ||
      !server_output_from_form (grant, form, error))
    return FALSE;
  if (RAND_bytes (random, sizeof random) != 1)
    return refuse (500, "no random bytes", error);
  token = jose_base64_encode (random, sizeof random);
  if (!store_token (self, grant, token, error))
    return FALSE;
  server_answer_text (answer, "application/json",
      g_strdup_printf ("{\"licenseAcquisitionUrl\":\"%s/license\","
                       "\"token\":\"%s\"}\n",
          self->base_url, token));
  return TRUE;
}

ServerGrant *
server_find_token (LicenseServer *self, const gchar *token, gchar **device,
    gchar **id, GError **error)
{
  g_autoptr (GBytes) hash = server_token_hash (token);
  g_autoptr (sqlite3_stmt) row = license_db_query (self->db, error,
      "SELECT grant_text, device, license FROM token WHERE hash = ?", "b",
      hash);
  gint found = row ? license_db_step (row, error) : -1;

  if (found == 0)
    refuse (401, "the token is not known", error);
  if (found <= 0)
    return NULL;
  *device = g_strdup ((const gchar *) sqlite3_column_text (row, 1));
  *id = g_strdup ((const gchar *) sqlite3_column_text (row, 2));
  return server_grant_from_text ((const gchar *) sqlite3_column_text (row, 0));
}
