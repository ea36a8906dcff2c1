/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-job-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
license_job_progress (LicenseJob *self, const gchar *text)
{
  if (self->client.progress)
    self->client.progress (self->client.progress_data, text);
}

static LicenseToken *
fetch_token (LicenseJob *self, GError **error)
{
  LicenseRequest request = { self->token_location, NULL, NULL, NULL,
    "application/json" };
  g_autoptr (GBytes) body = NULL;
  gconstpointer data;
  gsize size;

  license_job_progress (self, "getting the token");
  body = license_client_send (&self->client, &request, error);
  if (!body)
    return NULL;
  data = g_bytes_get_data (body, &size);
  return license_token_parse (data, size, error);
}

JoseSecret *
license_job_read_file (const gchar *location, gsize max, GError **error)
{
  g_autofree gchar *path = g_str_has_prefix (location, "file:")
      ? g_filename_from_uri (location, NULL, NULL)
      : g_strdup (location);
  FILE *file = path ? fopen (path, "rbe") : NULL;
  JoseSecret *secret = NULL;

  if (file) {
    secret = jose_secret_new (max + 1);
    secret->size = fread (secret->data, 1, max + 1, file);
  }
  if (!file || ferror (file)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED, "%s: %s",
        location, path ? g_strerror (errno) : "no file");
    g_clear_pointer (&secret, jose_secret_free);
  }
  if (file)
    fclose (file);
  return secret;
}

static LicenseToken *
read_token (const gchar *location, GError **error)
{
  g_autoptr (JoseSecret) text =
      license_job_read_file (location, LICENSE_MAX_TOKEN, error);

  if (!text)
    return NULL;
  return license_token_parse ((const gchar *) text->data, text->size, error);
}

LicenseToken *
license_job_get_token (LicenseJob *self, GError **error)
{
  const gchar *scheme =
      self->token_location ? g_uri_peek_scheme (self->token_location) : NULL;

  if (self->token)
    return license_token_parse (self->token, strlen (self->token), error);
  if (!self->token_location) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        "a license is acquired for a token: set token or token-location");
    return NULL;
  }
  if (g_strcmp0 (scheme, "https") == 0 || g_strcmp0 (scheme, "http") == 0)
    return fetch_token (self, error);
  return read_token (self->token_location, error);
}
