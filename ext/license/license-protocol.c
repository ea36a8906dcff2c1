/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-protocol.h"
#include "jose-base64.h"
#include "jose-json.h"

#include <string.h>

#include <openssl/rand.h>

gchar *
license_nonce_new (void)
{
  guint8 bytes[16];

  if (RAND_bytes (bytes, sizeof bytes) != 1)
    g_error ("no random bytes");
  return jose_base64_encode (bytes, sizeof bytes);
}

/* What all requests have: the device's public key, the nonce, the counter. */
static JsonObject *
new_request (LicenseStore *store, const gchar *nonce, GError **error)
{
  g_autofree gchar *jwk =
      jose_key_to_jwk (license_store_device_key (store), error);
  JsonObject *request;
  gint64 counter;

  if (!jwk || !license_store_counter (store, &counter, error))
    return NULL;
  request = json_object_new ();
  json_object_set_int_member (request, "ver", 1);
  json_object_set_object_member (request, "device",
      jose_json_parse (jwk, strlen (jwk), "device key", NULL));
  json_object_set_string_member (request, "nonce", nonce);
  json_object_set_int_member (request, "counter", counter);
  return request;
}

static GBytes *
finish (JsonObject *request)
{
  gchar *text = jose_json_to_string (request);

  json_object_unref (request);
  return g_bytes_new_take (text, strlen (text));
}

GBytes *
license_protocol_acquire (LicenseStore *store, const gchar *nonce,
    GByteArray *kids, GError **error)
{
  JsonObject *request = new_request (store, nonce, error);
  JsonArray *array;
  guint i;

  if (!request)
    return NULL;
  if (kids && kids->len > 0) {
    array = json_array_new ();
    for (i = 0; i < kids->len; i += GST_CENC_KID_SIZE) {
      g_autofree gchar *kid =
          jose_base64_encode (kids->data + i, GST_CENC_KID_SIZE);

      json_array_add_string_element (array, kid);
    }
    json_object_set_array_member (request, "kids", array);
  }
  return finish (request);
}

GBytes *
license_protocol_renew (LicenseStore *store, const gchar *nonce,
    const LicenseDocument *document, const LicenseRecord *record,
    GError **error)
{
  JsonObject *request = new_request (store, nonce, error);
  g_autofree gchar *text = NULL;

  if (!request)
    return NULL;
  text = g_strndup (g_bytes_get_data (document->bytes, NULL),
      g_bytes_get_size (document->bytes));
  json_object_set_string_member (request, "license", g_strchomp (text));
  if (record && record->first_play != LICENSE_TIME_NONE)
    json_object_set_int_member (request, "first_play",
        record->first_play / G_USEC_PER_SEC);
  return finish (request);
}
