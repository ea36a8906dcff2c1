/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys: imported from CPIX, and handed to browsers by EME's Clear Key. */

#include <string.h>

#include <openssl/crypto.h>

#include <gst/cenc/gstcenckeyring.h>

#include "license/jose-base64.h"
#include "license/jose-json.h"
#include "license/jose-keyset.h"
#include "server-private.h"

static gboolean
refuse (gint status, const gchar *what, GError **error)
{
  g_set_error_literal (error, SERVER_ERROR, status, what);
  return FALSE;
}

/* --- CPIX (DASH-IF), ContentKey with a key in the clear ------------------ */

typedef struct
{
  LicenseServer *server;
  guint8 kid[GST_CENC_KID_SIZE];
  gboolean have_kid, in_value;
  guint n;
} Import;

static const gchar *
local_name (const gchar *name)
{
  const gchar *colon = strchr (name, ':');

  return colon ? colon + 1 : name;
}

static void
on_start (GMarkupParseContext *context, const gchar *name,
    const gchar **attributes, const gchar **values, gpointer data,
    GError **error)
{
  Import *import = data;
  guint i;

  import->in_value = g_str_equal (local_name (name), "PlainValue");
  if (!g_str_equal (local_name (name), "ContentKey"))
    return;
  import->have_kid = FALSE;
  for (i = 0; attributes[i]; i++) {
    if (g_str_equal (attributes[i], "kid"))
      import->have_kid =
          gst_cenc_parse_hex (values[i], import->kid, sizeof import->kid);
  }
  if (!import->have_kid)
    refuse (400, "CPIX: ContentKey without a kid", error);
}

static void
on_end (GMarkupParseContext *context, const gchar *name, gpointer data,
    GError **error)
{
  ((Import *) data)->in_value = FALSE;
}

static void
on_text (GMarkupParseContext *context, const gchar *text, gsize size,
    gpointer data, GError **error)
{
  Import *import = data;
  g_autofree gchar *copy = NULL;
  guchar *key;
  gsize key_size = 0;

  if (!import->in_value)
    return;
  copy = g_strndup (text, size);
  key = g_base64_decode (g_strstrip (copy), &key_size);
  if (!import->have_kid || key_size != GST_CENC_KEY_SIZE)
    refuse (400, "CPIX: a key is not 16 bytes of base64", error);
  else if (server_put_key (import->server, import->kid, key, error))
    import->n++;
  OPENSSL_cleanse (key, key_size);
  OPENSSL_cleanse (copy, strlen (copy));
  g_free (key);
}

gboolean
server_import (LicenseServer *self, const gchar *authenticator, GBytes *body,
    ServerAnswer *answer, GError **error)
{
  static const GMarkupParser parser = { on_start, on_end, on_text };
  Import import = { self };
  GMarkupParseContext *context;
  gboolean ok;

  if (!server_authenticate (self, authenticator))
    return refuse (401, "customerAuthenticator is missing or not known", error);
  context = g_markup_parse_context_new (&parser, 0, &import, NULL);
  ok = g_markup_parse_context_parse (context, g_bytes_get_data (body, NULL),
           (gssize) g_bytes_get_size (body), error) &&
      g_markup_parse_context_end_parse (context, error);
  g_markup_parse_context_free (context);
  if (!ok) {
    if (error && *error && (*error)->domain == G_MARKUP_ERROR)
      (*error)->domain = SERVER_ERROR, (*error)->code = 400;
    return FALSE;
  }
  if (import.n == 0)
    return refuse (400, "CPIX: no ContentKey with a PlainValue", error);
  server_answer_text (answer, "application/json",
      g_strdup_printf ("{\"keys\":%u}\n", import.n));
  return TRUE;
}

/* --- Clear Key ---------------------------------------------------------- */

static gboolean
has_kid (GByteArray *kids, const guint8 *kid)
{
  guint i;

  for (i = 0; i < kids->len; i += GST_CENC_KID_SIZE) {
    if (memcmp (kids->data + i, kid, GST_CENC_KID_SIZE) == 0)
      return TRUE;
  }
  return FALSE;
}

/* KIDs that are asked for and that the token has paid for. */
static GByteArray *
asked_kids (JsonObject *object, const ServerGrant *grant, GError **error)
{
  g_autoptr (GByteArray) kids = g_byte_array_new ();
  JsonArray *array = NULL;
  guint i;

  jose_json_get_array (object, "kids", &array, NULL);
  for (i = 0; array && i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    const gchar *text =
        JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
    guint8 kid[GST_CENC_KID_SIZE];

    if (text && jose_base64_decode (text, strlen (text), kid, sizeof kid) &&
        has_kid (grant->kids, kid) && !has_kid (kids, kid))
      g_byte_array_append (kids, kid, sizeof kid);
  }
  if (kids->len > 0)
    return g_steal_pointer (&kids);
  refuse (403, "the token is for none of these keys", error);
  return NULL;
}

/*
 * W3C EME, 9.1.4. Clear Key knows no dates: a rental cannot be had this way, and
 * a token for one is refused rather than served without its end.
 */
gboolean
server_clearkey (LicenseServer *self, const gchar *bearer, GBytes *body,
    ServerAnswer *answer, GError **error)
{
  g_autofree gchar *device = NULL, *id = NULL;
  g_autoptr (ServerGrant) grant = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (GByteArray) kids = NULL;
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (JoseSecret) set = NULL;
  gconstpointer text;
  gsize size;

  if (!bearer)
    return refuse (401, "a token is needed", error);
  grant = server_find_token (self, bearer, &device, &id, error);
  if (!grant)
    return FALSE;
  if (grant->rights == LICENSE_RIGHTS_RENTAL)
    return refuse (403, "Clear Key cannot carry a rental's end", error);
  text = g_bytes_get_data (body, &size);
  object = jose_json_parse (text ? text : "", size, "request", NULL);
  if (!object)
    return refuse (400, "not a Clear Key request", error);
  kids = asked_kids (object, grant, error);
  keys = kids ? server_find_keys (self, kids, error) : NULL;
  if (!keys)
    return FALSE;
  set = jose_keyset_write (keys);
  answer->body = g_bytes_new (set->data, set->size);
  answer->type = "application/json";
  return TRUE;
}
