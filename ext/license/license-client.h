/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The HTTP of a license client: one request, one answer, every bound known
 * beforehand. TLS is verified always; plain http is for this very machine only
 * (a loopback address), so that a test or a local proxy needs no certificate.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LICENSE_CLIENT_ERROR (license_client_error_quark ())
GQuark license_client_error_quark (void);

/*
 * LICENSE_CLIENT_ERROR_SETTINGS: a URL or file that makes no sense
 * _NETWORK: no connection, or it broke; _TIMEOUT; _TLS: certificate or handshake
 * _REDIRECT: to somewhere a token must not go
 * _SIZE: an answer beyond the cap
 * _REFUSED: 401, 403 and other 4xx; the message has what the server said
 * _NOT_FOUND: 404, 410
 * _BUSY: 429, 503 and other 5xx, after all attempts
 * _PROTOCOL: an answer that is none
 * _CANCELLED
 */
typedef enum
{
  LICENSE_CLIENT_ERROR_SETTINGS,
  LICENSE_CLIENT_ERROR_NETWORK,
  LICENSE_CLIENT_ERROR_TIMEOUT,
  LICENSE_CLIENT_ERROR_TLS,
  LICENSE_CLIENT_ERROR_REDIRECT,
  LICENSE_CLIENT_ERROR_SIZE,
  LICENSE_CLIENT_ERROR_REFUSED,
  LICENSE_CLIENT_ERROR_NOT_FOUND,
  LICENSE_CLIENT_ERROR_BUSY,
  LICENSE_CLIENT_ERROR_PROTOCOL,
  LICENSE_CLIENT_ERROR_CANCELLED,
} LicenseClientError;

typedef struct
{
  const gchar *ca_file; /* (nullable): PEM; besides nothing else is trusted */
  guint timeout; /* s, of one attempt from first to last byte */
  guint attempts; /* at least 1 */
  guint back_off; /* ms before the second attempt; doubles each time */
  gsize max_size; /* bytes of an answer's body */
  GCancellable *cancellable; /* (nullable) */
  /* (nullable): something to show; called from the requesting thread */
  void (*progress) (gpointer data, const gchar *text);
  gpointer progress_data;
} LicenseClient;

#define LICENSE_CLIENT_INIT \
  { \
    NULL, 30, 4, 1000, 128 * 1024 \
  }

typedef struct
{
  const gchar *url;
  const gchar *bearer; /* (nullable): never logged, never redirected */
  const gchar *content_type; /* of @body */
  GBytes *body; /* (nullable): POST with it, GET without */
  const gchar *accept;
  /* A piece of a file: @length bytes (0: all of it) from @offset, fewer where
   * the file ends. A server that does not serve ranges is _PROTOCOL. */
  guint64 offset;
  gsize length;
  guint64 *total; /* (out): the file's size; not NULL with @length */
} LicenseRequest;

/*
 * Sends @request and waits. 429 and 503 are tried again, after Retry-After (one
 * minute at most) or with back-off. A redirect is followed five times, within
 * https; of a POST only by 307 and 308, with a bearer only within its origin.
 *
 * Returns: (transfer full): the body of a 2xx answer
 */
GBytes *license_client_send (const LicenseClient *self,
    const LicenseRequest *request, GError **error);

G_END_DECLS
