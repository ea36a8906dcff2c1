/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-token.h"
#include "jose-json.h"

#include <string.h>

#include <gst/cenc/gstcenckeysession.h>

static void
wipe (gchar *text)
{
  if (text)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

void
license_token_free (LicenseToken *token)
{
  wipe (token->token);
  g_free (token->url);
  g_free (token);
}

/* A token goes into a header field: visible ASCII, nothing else. */
static gboolean
is_visible (const gchar *text, gsize size)
{
  gsize i;

  for (i = 0; i < size; i++) {
    if (text[i] <= 0x20 || text[i] >= 0x7f)
      return FALSE;
  }
  return size > 0;
}

static LicenseToken *
parse_json (const gchar *text, gsize size, GError **error)
{
  g_autoptr (JsonObject) object = jose_json_parse (text, size, "token", error);
  const gchar *token = NULL, *url = NULL;
  LicenseToken *self;

  if (!object || !jose_json_get_string (object, "token", &token, error) ||
      !jose_json_get_string (object, "licenseAcquisitionUrl", &url, error))
    return NULL;
  if (!token || !is_visible (token, strlen (token))) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "token: member \"token\" is missing or no token");
    return NULL;
  }
  self = g_new0 (LicenseToken, 1);
  self->token = g_strdup (token);
  self->url = g_strdup (url);
  return self;
}

static void
refuse_xml (const gchar *text, gsize size, GError **error)
{
  gboolean marlin = g_strstr_len (text, (gssize) size, "marlin") ||
      g_strstr_len (text, (gssize) size, "ActionToken");

  if (marlin)
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "this is a Marlin action token: a ticket that only a Marlin client with "
        "a personality of its own can redeem at a Marlin server. Ask the service "
        "for a token of its license server instead (docs/licenses.md)");
  else
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "token: XML, but no token");
}

LicenseToken *
license_token_parse (const gchar *text, gsize size, GError **error)
{
  LicenseToken *self;

  while (size > 0 && g_ascii_isspace (*text)) {
    text++;
    size--;
  }
  while (size > 0 && g_ascii_isspace (text[size - 1]))
    size--;
  if (size > LICENSE_MAX_TOKEN || size == 0) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT, "token: %s",
        size == 0 ? "empty" : "too long");
    return NULL;
  }
  if (*text == '{')
    return parse_json (text, size, error);
  if (*text == '<') {
    refuse_xml (text, size, error);
    return NULL;
  }
  if (!is_visible (text, size)) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "token: has characters that no token has");
    return NULL;
  }
  self = g_new0 (LicenseToken, 1);
  self->token = g_strndup (text, size);
  return self;
}
