/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-url.h"

#include <libsoup/soup.h>

#include "license-client.h"

static gboolean
fail (GError **error, const gchar *text)
{
  g_set_error_literal (error, LICENSE_CLIENT_ERROR,
      LICENSE_CLIENT_ERROR_SETTINGS, text);
  return FALSE;
}

static gboolean
is_loopback (GUri *url)
{
  const gchar *host = g_uri_get_host (url);
  g_autoptr (GInetAddress) address =
      host ? g_inet_address_new_from_string (host) : NULL;

  if (g_strcmp0 (host, "localhost") == 0)
    return TRUE;
  return address && g_inet_address_get_is_loopback (address);
}

gboolean
license_url_check (GUri *url, GError **error)
{
  const gchar *scheme = g_uri_get_scheme (url);

  if (!g_uri_get_host (url) || !*g_uri_get_host (url))
    return fail (error, "URL without a host");
  if (g_uri_get_userinfo (url))
    return fail (error, "URL with a user or password in it");
  if (g_str_equal (scheme, "https") ||
      (g_str_equal (scheme, "http") && is_loopback (url)))
    return TRUE;
  g_set_error (error, LICENSE_CLIENT_ERROR, LICENSE_CLIENT_ERROR_SETTINGS,
      "licenses are got by https only: %s", g_uri_get_host (url));
  return FALSE;
}

GUri *
license_url_parse (const gchar *url, GError **error)
{
  g_autoptr (GUri) parsed = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);

  if (!parsed) {
    fail (error, "not a URL");
    return NULL;
  }
  return license_url_check (parsed, error) ? g_steal_pointer (&parsed) : NULL;
}

gboolean
license_url_same_origin (GUri *a, GUri *b)
{
  return g_str_equal (g_uri_get_scheme (a), g_uri_get_scheme (b)) &&
      g_ascii_strcasecmp (g_uri_get_host (a), g_uri_get_host (b)) == 0 &&
      g_uri_get_port (a) == g_uri_get_port (b);
}

gchar *
license_url_get_origin (const gchar *url)
{
  g_autoptr (GUri) parsed = license_url_parse (url, NULL);
  g_autofree gchar *host = NULL;

  if (!parsed)
    return g_strdup (url);
  host = g_ascii_strdown (g_uri_get_host (parsed), -1);
  return g_strdup_printf ("%s://%s:%d", g_uri_get_scheme (parsed), host,
      g_uri_get_port (parsed));
}
