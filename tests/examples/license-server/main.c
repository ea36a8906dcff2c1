/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* license-server: see README.md beside it. */

#include <stdlib.h>

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "license-server.h"

#define TEN_YEARS (10 * 366 * 24 * 3600L)

static gint port = 8443;
static gchar *folder = NULL, *authenticator = NULL, *base_url = NULL;
static gchar *tls_certificate = NULL, *tls_key = NULL;

static const GOptionEntry options[] = {
  { "port", 'p', 0, G_OPTION_ARG_INT, &port, "Port (default 8443; 0: any)",
      "N" },
  { "folder", 'd', 0, G_OPTION_ARG_FILENAME, &folder,
      "Folder for the database, the issuer's key and its certificate", "DIR" },
  { "authenticator", 'a', 0, G_OPTION_ARG_STRING, &authenticator,
      "customerAuthenticator that may have tokens (default: from the "
      "environment's CUSTOMER_AUTHENTICATOR)",
      "TEXT" },
  { "base-url", 'u', 0, G_OPTION_ARG_STRING, &base_url,
      "How the server is reached from outside", "URL" },
  { "tls-certificate", 0, 0, G_OPTION_ARG_FILENAME, &tls_certificate,
      "PEM; without it plain http on the loopback address", "FILE" },
  { "tls-key", 0, 0, G_OPTION_ARG_FILENAME, &tls_key, "PEM", "FILE" }, { NULL }
};

static X509 *
make_certificate (EVP_PKEY *key)
{
  X509 *certificate = X509_new ();
  X509_NAME *name = X509_get_subject_name (certificate);

  X509_set_version (certificate, X509_VERSION_3);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), g_random_int () >> 1);
  X509_gmtime_adj (X509_getm_notBefore (certificate), -3600);
  X509_gmtime_adj (X509_getm_notAfter (certificate), TEN_YEARS);
  X509_NAME_add_entry_by_txt (name, "CN", MBSTRING_ASC,
      (const guchar *) "Example license issuer", -1, -1, 0);
  X509_set_issuer_name (certificate, name);
  X509_set_pubkey (certificate, key);
  X509_sign (certificate, key, EVP_sha256 ());
  return certificate;
}

/* issuer.pem in the folder is what devices are to trust. */
static X509 *
load_certificate (const gchar *path, EVP_PKEY *key)
{
  FILE *file = g_fopen (path, "re");
  X509 *certificate = NULL;

  if (file) {
    certificate = PEM_read_X509 (file, NULL, NULL, NULL);
    fclose (file);
    return certificate;
  }
  certificate = make_certificate (key);
  file = g_fopen (path, "we");
  if (!file || PEM_write_X509 (file, certificate) != 1)
    g_clear_pointer (&certificate, X509_free);
  if (file)
    fclose (file);
  return certificate;
}

static LicenseServer *
make_server (GError **error)
{
  g_autofree gchar *database = g_build_filename (folder, "server.db", NULL);
  g_autofree gchar *key_path =
      g_build_filename (folder, "issuer-key.pem", NULL);
  g_autofree gchar *path = g_build_filename (folder, "issuer.pem", NULL);
  g_autoptr (EVP_PKEY) key = license_device_key_load (key_path, TRUE, error);
  X509 *certificate = key ? load_certificate (path, key) : NULL;
  LicenseServerConfig config = { database, base_url, authenticator, key,
    certificate, license_clock_system () };
  LicenseServer *server = NULL;

  if (certificate)
    server = license_server_new (&config, error);
  else if (key)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
        "%s: cannot be read or written", path);
  X509_free (certificate);
  return server;
}

static gboolean
listen_on (SoupServer *soup, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;

  if (!tls_certificate)
    return soup_server_listen_local (soup, (guint) port, 0, error);
  certificate =
      g_tls_certificate_new_from_files (tls_certificate, tls_key, error);
  if (!certificate)
    return FALSE;
  soup_server_set_tls_certificate (soup, certificate);
  return soup_server_listen_all (soup, (guint) port, SOUP_SERVER_LISTEN_HTTPS,
      error);
}

static gboolean
parse_options (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- a license server to rent from");

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (!authenticator)
    authenticator = g_strdup (g_getenv ("CUSTOMER_AUTHENTICATOR"));
  if (!folder)
    folder = g_strdup (".");
  if (authenticator)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
      "an authenticator is needed");
  return FALSE;
}

static gchar *
address_of (SoupServer *soup)
{
  GSList *uris = soup_server_get_uris (soup);
  gchar *text = g_strdup_printf ("%s://127.0.0.1:%d",
      g_uri_get_scheme (uris->data), g_uri_get_port (uris->data));

  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return text;
}

int
main (int argc, char **argv)
{
  g_autoptr (SoupServer) soup = NULL;
  g_autoptr (LicenseServer) server = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *address = NULL;
  g_autoptr (GMainLoop) loop = NULL;

  soup = soup_server_new ("server-header", "license-server ", NULL);
  if (!parse_options (&argc, &argv, &error) || !listen_on (soup, &error)) {
    g_printerr ("license-server: %s\n", error->message);
    return EXIT_FAILURE;
  }
  address = address_of (soup);
  if (!base_url)
    base_url = g_strdup (address);
  server = make_server (&error);
  if (!server) {
    g_printerr ("license-server: %s\n", error->message);
    return EXIT_FAILURE;
  }
  license_server_attach (server, soup);
  g_print ("%s\n", address);
  fflush (stdout);
  loop = g_main_loop_new (NULL, FALSE);
  g_main_loop_run (loop);
  return EXIT_SUCCESS;
}
