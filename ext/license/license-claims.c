/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-claims.h"
#include "jose-base64.h"
#include "jose-json.h"

#include <string.h>

static const gchar *const known_claims[] = { "ver", "jti", "iss", "iat", "cnf",
  "kids", "rights", "not_before", "not_after", "playback_duration",
  "after_first_play", "realtime_expiration", "persistent", "renewal_url",
  "release_url", "nonce", "output_protection", "keys", NULL };

static gboolean
refuse (GError **error, const gchar *what)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT, "license: %s",
      what);
  return FALSE;
}

/* Ids reach messages, file names and logs: printable ASCII only. */
static gboolean
is_plain (const gchar *text, gsize max)
{
  gsize i;

  for (i = 0; text[i]; i++) {
    if (text[i] <= 0x20 || text[i] >= 0x7f || i >= max)
      return FALSE;
  }
  return i > 0;
}

static gboolean
take_text (JsonObject *claims, const gchar *name, gboolean required, gsize max,
    gchar **out, GError **error)
{
  const gchar *text = NULL;

  if (!jose_json_get_string (claims, name, &text, error))
    return FALSE;
  if (text ? is_plain (text, max) : !required) {
    *out = g_strdup (text);
    return TRUE;
  }
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      text ? "license: %s is not 1 to %" G_GSIZE_FORMAT " printable characters"
           : "license: %s is missing",
      name, max);
  return FALSE;
}

/* Seconds to microseconds; the bounds are license_rules_check()'s. */
static gboolean
take_seconds (JsonObject *claims, const gchar *name, gint64 *out,
    GError **error)
{
  gint64 seconds = 0;

  if (!json_object_has_member (claims, name))
    return TRUE;
  if (!jose_json_get_int (claims, name, &seconds, error))
    return FALSE;
  if (seconds <= 0 ||
      __builtin_mul_overflow (seconds, (gint64) G_USEC_PER_SEC, out)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "license: %s is zero, negative or out of range", name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
take_version (JsonObject *claims, GError **error)
{
  gint64 version = 0;

  if (!jose_json_get_int (claims, "ver", &version, error))
    return FALSE;
  if (version == 1)
    return TRUE;
  g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
      "license: ver is not 1");
  return FALSE;
}

static gboolean
take_device (JsonObject *claims, LicenseDocument *document, GError **error)
{
  static const gchar *const known[] = { "jkt", NULL };
  JsonObject *confirmation = NULL;
  guint8 digest[32];

  if (!jose_json_get_object (claims, "cnf", &confirmation, error))
    return FALSE;
  if (!confirmation)
    return refuse (error, "cnf is missing");
  if (!jose_json_only (confirmation, known, "license: cnf", error) ||
      !take_text (confirmation, "jkt", TRUE, 43, &document->device, error))
    return FALSE;
  return jose_base64_decode (document->device, strlen (document->device),
             digest, sizeof digest) ||
      refuse (error, "cnf.jkt is not a SHA-256 thumbprint");
}

static gboolean
take_kid (JsonNode *node, LicenseDocument *document, GError **error)
{
  guint8 kid[GST_CENC_KID_SIZE];
  const gchar *text = NULL;

  if (JSON_NODE_HOLDS_VALUE (node) &&
      json_node_get_value_type (node) == G_TYPE_STRING)
    text = json_node_get_string (node);
  if (!text || !jose_base64_decode (text, strlen (text), kid, sizeof kid))
    return refuse (error, "a KID is not 16 bytes of base64url");
  if (license_document_has_kid (document, kid))
    return refuse (error, "a KID stands twice in kids");
  g_byte_array_append (document->kids, kid, sizeof kid);
  return TRUE;
}

static gboolean
take_kids (JsonObject *claims, LicenseDocument *document, GError **error)
{
  JsonArray *array = NULL;
  guint i, n;

  if (!jose_json_get_array (claims, "kids", &array, error))
    return FALSE;
  n = array ? json_array_get_length (array) : 0;
  if (n == 0 || n > LICENSE_MAX_KIDS)
    return refuse (error, "kids is missing, empty or too long");
  for (i = 0; i < n; i++) {
    if (!take_kid (json_array_get_element (array, i), document, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
take_rights (JsonObject *claims, LicenseRules *rules, GError **error)
{
  const gchar *rights = NULL, *after = "both";

  if (!jose_json_get_string (claims, "rights", &rights, error) ||
      !jose_json_get_string (claims, "after_first_play", &after, error))
    return FALSE;
  if (g_strcmp0 (rights, "BuyToOwn") == 0)
    rules->rights = LICENSE_RIGHTS_BUY_TO_OWN;
  else if (g_strcmp0 (rights, "Rental") == 0)
    rules->rights = LICENSE_RIGHTS_RENTAL;
  else
    return refuse (error, "rights is neither BuyToOwn nor Rental");
  rules->playback_replaces_window = g_str_equal (after, "playback");
  return rules->playback_replaces_window || g_str_equal (after, "both") ||
      refuse (error, "after_first_play is neither both nor playback");
}

static gboolean
take_rules (JsonObject *claims, LicenseRules *rules, GError **error)
{
  return take_rights (claims, rules, error) &&
      take_seconds (claims, "not_before", &rules->not_before, error) &&
      take_seconds (claims, "not_after", &rules->not_after, error) &&
      take_seconds (claims, "playback_duration", &rules->playback_duration,
          error) &&
      jose_json_get_boolean (claims, "realtime_expiration",
          &rules->realtime_expiration, error) &&
      jose_json_get_boolean (claims, "persistent", &rules->persistent, error) &&
      license_rules_check (rules, error);
}

static gboolean
take_switch (JsonObject *object, const gchar *name, GstStructure *out,
    GError **error)
{
  gboolean value = FALSE;

  if (!json_object_has_member (object, name))
    return TRUE;
  if (!jose_json_get_boolean (object, name, &value, error))
    return FALSE;
  gst_structure_set (out, name, G_TYPE_BOOLEAN, value, NULL);
  return TRUE;
}

static gboolean
take_pixels (JsonObject *object, const gchar *name, const gchar *field,
    GstStructure *out, GError **error)
{
  gint64 value = 0;

  if (!json_object_has_member (object, name))
    return TRUE;
  if (!jose_json_get_int (object, name, &value, error))
    return FALSE;
  if (value < 1 || value > G_MAXINT)
    return refuse (error, "a resolution in output_protection is out of range");
  gst_structure_set (out, field, G_TYPE_INT, (gint) value, NULL);
  return TRUE;
}

static gboolean
take_hdcp (JsonObject *object, GstStructure *out, GError **error)
{
  static const gchar *const levels[] = { "none", "1.0", "1.1", "1.2", "1.3",
    "1.4", "2.0", "2.1", "2.2", "2.3", "unavailable", NULL };
  const gchar *level = NULL;

  if (!jose_json_get_string (object, "hdcp", &level, error))
    return FALSE;
  if (!level)
    return TRUE;
  if (!g_strv_contains (levels, level))
    return refuse (error, "hdcp in output_protection is no level we know");
  gst_structure_set (out, "hdcp", G_TYPE_STRING, level, NULL);
  return TRUE;
}

gboolean
license_claims_read_output (JsonObject *claims, LicenseDocument *document,
    GError **error)
{
  static const gchar *const known[] = { "hdcp", "analog", "recording",
    "max_width", "max_height", NULL };
  JsonObject *object = NULL;
  GstStructure *out;

  if (!jose_json_get_object (claims, "output_protection", &object, error))
    return FALSE;
  if (!object)
    return TRUE;
  out = document->output_protection =
      gst_structure_new_empty ("output-protection");
  return jose_json_only (object, known, "license: output_protection", error) &&
      take_hdcp (object, out, error) &&
      take_switch (object, "analog", out, error) &&
      take_switch (object, "recording", out, error) &&
      take_pixels (object, "max_width", "max-width", out, error) &&
      take_pixels (object, "max_height", "max-height", out, error);
}

gboolean
license_claims_read (JsonObject *claims, LicenseDocument *document,
    GError **error)
{
  return jose_json_only (claims, known_claims, "license", error) &&
      take_version (claims, error) &&
      take_text (claims, "jti", TRUE, LICENSE_MAX_ID, &document->id, error) &&
      take_text (claims, "iss", TRUE, 1024, &document->issuer, error) &&
      take_seconds (claims, "iat", &document->issued, error) &&
      take_device (claims, document, error) &&
      take_kids (claims, document, error) &&
      take_rules (claims, &document->rules, error) &&
      take_text (claims, "renewal_url", FALSE, 2048, &document->renewal_url,
          error) &&
      take_text (claims, "release_url", FALSE, 2048, &document->release_url,
          error) &&
      take_text (claims, "nonce", FALSE, 128, &document->nonce, error) &&
      license_claims_read_output (claims, document, error) &&
      take_text (claims, "keys", TRUE, LICENSE_MAX_SIZE, &document->keys,
          error);
}

static void
put_text (JsonObject *claims, const gchar *name, const gchar *text)
{
  if (text)
    json_object_set_string_member (claims, name, text);
}

static void
put_seconds (JsonObject *claims, const gchar *name, gint64 time)
{
  if (time != LICENSE_TIME_NONE)
    json_object_set_int_member (claims, name, time / G_USEC_PER_SEC);
}

static void
put_rules (JsonObject *claims, const LicenseRules *rules)
{
  json_object_set_string_member (claims, "rights",
      license_rights_to_string (rules->rights));
  put_seconds (claims, "not_before", rules->not_before);
  put_seconds (claims, "not_after", rules->not_after);
  put_seconds (claims, "playback_duration", rules->playback_duration);
  if (rules->playback_replaces_window)
    json_object_set_string_member (claims, "after_first_play", "playback");
  json_object_set_boolean_member (claims, "realtime_expiration",
      rules->realtime_expiration);
  json_object_set_boolean_member (claims, "persistent", rules->persistent);
}

static void
put_output (JsonObject *claims, const GstStructure *demand)
{
  static const gchar *const switches[] = { "analog", "recording" };
  static const gchar *const sizes[][2] = { { "max-width", "max_width" },
    { "max-height", "max_height" } };
  JsonObject *object;
  gboolean flag;
  gint value;
  guint i;

  if (!demand)
    return;
  object = json_object_new ();
  put_text (object, "hdcp", gst_structure_get_string (demand, "hdcp"));
  for (i = 0; i < G_N_ELEMENTS (switches); i++) {
    if (gst_structure_get_boolean (demand, switches[i], &flag))
      json_object_set_boolean_member (object, switches[i], flag);
  }
  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    if (gst_structure_get_int (demand, sizes[i][0], &value))
      json_object_set_int_member (object, sizes[i][1], value);
  }
  json_object_set_object_member (claims, "output_protection", object);
}

static void
put_kids (JsonObject *claims, const LicenseDocument *sealed)
{
  JsonArray *kids = json_array_new ();
  guint i;

  for (i = 0; i < license_document_n_kids (sealed); i++) {
    g_autofree gchar *kid =
        jose_base64_encode (license_document_kid (sealed, i),
            GST_CENC_KID_SIZE);

    json_array_add_string_element (kids, kid);
  }
  json_object_set_array_member (claims, "kids", kids);
}

JsonObject *
license_claims_write (const LicenseDocument *document,
    const LicenseDocument *sealed)
{
  JsonObject *claims = json_object_new ();
  JsonObject *confirmation = json_object_new ();

  json_object_set_int_member (claims, "ver", 1);
  put_text (claims, "jti", document->id);
  put_text (claims, "iss", document->issuer);
  put_seconds (claims, "iat", document->issued);
  put_text (confirmation, "jkt", sealed->device);
  json_object_set_object_member (claims, "cnf", confirmation);
  put_kids (claims, sealed);
  put_rules (claims, &document->rules);
  put_text (claims, "renewal_url", document->renewal_url);
  put_text (claims, "release_url", document->release_url);
  put_text (claims, "nonce", document->nonce);
  put_output (claims, document->output_protection);
  put_text (claims, "keys", sealed->keys);
  return claims;
}
