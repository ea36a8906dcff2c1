/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-uri.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "remix-error.h"

/* What may stand in a URI unescaped, `%` and the delimiters included; blanks,
 * quotes, brackets and bytes over 127 get escaped, as browsers do. */
#define URI_CHARACTERS "!#$%&'()*+,/:;=?@[]-._~"

#define URI_FLAGS ((GUriFlags) (G_URI_FLAGS_ENCODED | G_URI_FLAGS_HAS_PASSWORD))

static gchar *
escape_stripped (const gchar *text)
{
  g_autofree gchar *copy = g_strstrip (g_strdup (text));

  return g_uri_escape_string (copy, URI_CHARACTERS, FALSE);
}

gchar *
remix_uri_resolve (const gchar *base, const gchar *reference, GError **error)
{
  g_autofree gchar *escaped = escape_stripped (reference);
  g_autofree gchar *resolved = NULL;
  g_autoptr (GError) local = NULL;
  gchar *fragment;

  if (*escaped == '\0') {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST, "empty address");
    return NULL;
  }
  resolved = g_uri_resolve_relative (base, escaped, URI_FLAGS, &local);
  if (!resolved) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_PLAYLIST,
        "\"%.128s\" is not an address: %s", escaped, local->message);
    return NULL;
  }
  fragment = strchr (resolved, '#');
  if (fragment)
    *fragment = '\0';
  return g_steal_pointer (&resolved);
}

gchar *
remix_uri_from_location (const gchar *location, GError **error)
{
  g_autofree gchar *scheme = g_uri_parse_scheme (location);
  g_autoptr (GFile) file = NULL;

  /* One letter before a colon is a drive, not a scheme. */
  if (scheme && strlen (scheme) > 1)
    return remix_uri_resolve (NULL, location, error);
  file = g_file_new_for_path (location);
  return g_file_get_uri (file);
}

static gboolean
has_scheme (const gchar *uri, const gchar *scheme)
{
  gsize len = strlen (scheme);

  return g_ascii_strncasecmp (uri, scheme, len) == 0 && uri[len] == ':';
}

gboolean
remix_uri_is_file (const gchar *uri)
{
  return has_scheme (uri, "file");
}

gboolean
remix_uri_is_http (const gchar *uri)
{
  return has_scheme (uri, "http") || has_scheme (uri, "https");
}

struct _RemixPolicy
{
  gboolean remote; /* the playlist came over the network */
  gchar *host; /* its host, NULL if it is local */
  gint host_is_public; /* atomic */
  gchar **schemes; /* allowed */
  gchar *root; /* real path of the folder, NULL if any */
  gboolean root_missing;
};

static gchar *
get_host (const gchar *uri)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, URI_FLAGS, NULL);

  return parsed && g_uri_get_host (parsed)
      ? g_ascii_strdown (g_uri_get_host (parsed), -1)
      : NULL;
}

RemixPolicy *
remix_policy_new (const gchar *playlist_uri, const gchar *schemes,
    const gchar *root)
{
  RemixPolicy *self = g_new0 (RemixPolicy, 1);
  guint i;

  self->remote = playlist_uri && !remix_uri_is_file (playlist_uri);
  if (self->remote)
    self->host = get_host (playlist_uri);
  self->schemes = g_strsplit (schemes ? schemes : "file,http,https", ",", -1);
  for (i = 0; self->schemes[i]; i++)
    g_strstrip (self->schemes[i]);
  if (root && *root) {
    self->root = realpath (root, NULL);
    self->root_missing = self->root == NULL;
  }
  return self;
}

void
remix_policy_free (RemixPolicy *self)
{
  if (!self)
    return;
  g_free (self->host);
  g_strfreev (self->schemes);
  free (self->root); /* realpath's */
  g_free (self);
}

void
remix_policy_pin_host (RemixPolicy *self)
{
  g_atomic_int_set (&self->host_is_public, TRUE);
}

static gboolean
refuse (GError **error, const gchar *uri, const gchar *why)
{
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_REFUSED, "%s is refused: %s",
      uri, why);
  return FALSE;
}

static gboolean
scheme_is_allowed (const RemixPolicy *self, const gchar *uri)
{
  guint i;

  for (i = 0; self->schemes[i]; i++) {
    if (*self->schemes[i] && has_scheme (uri, self->schemes[i]))
      return TRUE;
  }
  return FALSE;
}

/* FALSE also for a name, which is judged when it has been looked up. Some
 * resolvers take numbers in any form of inet_aton() for an address. */
static gboolean
is_private_literal (const gchar *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);
  struct in_addr number;

  if (!address && inet_aton (host, &number))
    address = g_inet_address_new_from_bytes ((const guint8 *) &number.s_addr,
        G_SOCKET_FAMILY_IPV4);
  return address && !remix_address_is_public (address);
}

static gboolean
is_local_name (const gchar *host)
{
  return strcmp (host, "localhost") == 0 ||
      g_str_has_suffix (host, ".localhost") ||
      g_str_has_suffix (host, ".local");
}

/* With a dot behind it a host is as private as without. */
static gboolean
is_private (const gchar *host)
{
  g_autofree gchar *name =
      g_strndup (host, strlen (host) - (g_str_has_suffix (host, ".") ? 1 : 0));

  return is_private_literal (name) || is_local_name (name);
}

gboolean
remix_policy_check_uri (const RemixPolicy *self, const gchar *uri,
    GError **error)
{
  g_autofree gchar *host = NULL;

  if (!remix_uri_is_file (uri) && !remix_uri_is_http (uri))
    return refuse (error, uri, "only file, http and https are supported");
  if (!scheme_is_allowed (self, uri))
    return refuse (error, uri, "allowed-schemes does not list its scheme");
  if (self->remote && remix_uri_is_file (uri))
    return refuse (error, uri,
        "a playlist from the network may not name files");
  if (!remix_uri_is_http (uri))
    return TRUE;
  host = get_host (uri);
  if (!host || !*host)
    return refuse (error, uri, "it has no host");
  if (self->remote && g_strcmp0 (host, self->host) != 0 && is_private (host))
    return refuse (error, uri,
        "a playlist from the network may not name a private host");
  return TRUE;
}

gboolean
remix_policy_check_address (const RemixPolicy *self, const gchar *uri,
    GInetAddress *address, GError **error)
{
  g_autofree gchar *host = get_host (uri);

  if (!self->remote || remix_address_is_public (address))
    return TRUE;
  if (!g_atomic_int_get (&self->host_is_public) &&
      g_strcmp0 (host, self->host) == 0)
    return TRUE;
  return refuse (error, uri,
      "its name stands for a private address, and the playlist comes from the "
      "network");
}

gboolean
remix_policy_check_path (const RemixPolicy *self, const gchar *uri,
    const gchar *real_path, GError **error)
{
  gsize len;

  if (self->root_missing)
    return refuse (error, uri, "the folder given as root is not there");
  if (!self->root || strcmp (self->root, "/") == 0)
    return TRUE;
  len = strlen (self->root);
  if (strncmp (real_path, self->root, len) == 0 && real_path[len] == '/')
    return TRUE;
  return refuse (error, uri, "it lies outside of root");
}

typedef struct
{
  guint8 prefix[12];
  guint bits;
} Range;

static gboolean
in_range (const guint8 *bytes, const Range *range)
{
  guint whole = range->bits / 8, rest = range->bits % 8;

  if (memcmp (bytes, range->prefix, whole) != 0)
    return FALSE;
  return rest == 0 ||
      ((bytes[whole] ^ range->prefix[whole]) >> (8 - rest)) == 0;
}

static gboolean
in_ranges (const guint8 *bytes, const Range *ranges, guint n)
{
  guint i;

  for (i = 0; i < n; i++) {
    if (in_range (bytes, &ranges[i]))
      return TRUE;
  }
  return FALSE;
}

/* IANA's special-purpose registries, as far as they are not global. */
static const Range private_v4[] = { { { 0 }, 8 }, { { 10 }, 8 },
  { { 100, 64 }, 10 }, { { 127 }, 8 }, { { 169, 254 }, 16 },
  { { 172, 16 }, 12 }, { { 192, 0, 0 }, 24 }, { { 192, 0, 2 }, 24 },
  { { 192, 168 }, 16 }, { { 198, 18 }, 15 }, { { 198, 51, 100 }, 24 },
  { { 203, 0, 113 }, 24 }, { { 224 }, 3 } };
static const Range private_v6[] = { { { 0xfc }, 7 }, { { 0xfe, 0x80 }, 9 },
  { { 0xff }, 8 }, { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
  { { 0x20, 0x01, 0x00, 0x00 }, 32 }, { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48 },
  { { 0x01, 0 }, 64 }, { { 0x20, 0x01, 0x00, 0x02, 0, 0 }, 48 },
  { { 0x20, 0x01, 0x00, 0x10 }, 28 }, { { 0x3f, 0xff }, 20 },
  { { 0x5f, 0 }, 16 }, { { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0 }, 96 } };
/* An IPv4 address in it: mapped, compatible (:: and ::1 too), NAT64; behind 16 bits, 6to4. */
static const Range embedded_v6[] = {
  { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 }, { { 0 }, 96 },
  { { 0, 0x64, 0xff, 0x9b }, 96 }
};
static const Range six_to_four = { { 0x20, 0x02 }, 16 };

gboolean
remix_address_is_public (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
    return !in_ranges (bytes, private_v4, G_N_ELEMENTS (private_v4));
  if (g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6)
    return FALSE;
  if (in_ranges (bytes, embedded_v6, G_N_ELEMENTS (embedded_v6)))
    return !in_ranges (bytes + 12, private_v4, G_N_ELEMENTS (private_v4));
  if (in_range (bytes, &six_to_four))
    return !in_ranges (bytes + 2, private_v4, G_N_ELEMENTS (private_v4));
  return !in_ranges (bytes, private_v6, G_N_ELEMENTS (private_v6));
}
