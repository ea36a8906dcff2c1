/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-outbox.h"
#include "license-job-private.h"
#include "license-protocol.h"
#include "license-url.h"

static gboolean
send_release (LicenseJob *self, LicenseStore *store,
    const LicenseDocument *document, GError **error)
{
  g_autofree gchar *nonce = license_nonce_new ();
  g_autoptr (GBytes) body =
      license_protocol_renew (store, nonce, document, NULL, error);
  LicenseRequest request = { document->release_url, NULL, LICENSE_REQUEST_TYPE,
    body, "application/problem+json" };
  g_autoptr (GBytes) answer = NULL;

  if (!body || !document->release_url)
    return FALSE;
  answer = license_client_send (&self->client, &request, error);
  return answer && license_store_outbox_done (store, document, error);
}

/* A server that does not want a release any more (404, 410, 4xx) ends it too:
 * it would be asked for ever. */
static gboolean
is_final (const GError *error)
{
  return g_error_matches (error, LICENSE_CLIENT_ERROR,
             LICENSE_CLIENT_ERROR_NOT_FOUND) ||
      g_error_matches (error, LICENSE_CLIENT_ERROR,
          LICENSE_CLIENT_ERROR_REFUSED);
}

/* Returns: FALSE if its server should not be bothered again now */
static gboolean
flush_one (LicenseJob *self, LicenseStore *store,
    const LicenseDocument *document)
{
  g_autoptr (GError) error = NULL;

  license_job_progress (self, "giving a license back");
  if (send_release (self, store, document, &error))
    return TRUE;
  GST_WARNING ("release of license %s: %s", document->id,
      error ? error->message : "not possible");
  if (!is_final (error))
    return FALSE;
  license_store_outbox_done (store, document, NULL);
  return TRUE;
}

void
license_outbox_flush (LicenseJob *self, LicenseStore *store)
{
  g_autoptr (GPtrArray) outbox = license_store_outbox (store, NULL);
  g_autoptr (GHashTable) silent =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint i;

  for (i = 0; outbox && i < outbox->len; i++) {
    LicenseDocument *document = g_ptr_array_index (outbox, i);
    g_autofree gchar *origin = license_url_get_origin (
        document->release_url ? document->release_url : "");

    if (!g_hash_table_contains (silent, origin) &&
        !flush_one (self, store, document))
      g_hash_table_add (silent, g_steal_pointer (&origin));
  }
}
