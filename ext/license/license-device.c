/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-device.h"
#include "license-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>

#include <gst/cenc/gstcenckeysession.h>

gchar *
license_device_key_path (const gchar *uri)
{
  if (g_str_has_prefix (uri, "file://"))
    return g_filename_from_uri (uri, NULL, NULL);
  if (g_str_has_prefix (uri, "file:"))
    return g_strdup (uri + strlen ("file:"));
  return strchr (uri, ':') ? NULL : g_strdup (uri);
}

static gboolean
fail (const gchar *what, const gchar *why, GError **error)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE,
      "device key: %s: %s", what, why);
  return FALSE;
}

static gboolean
write_key (gint fd, EVP_PKEY *key)
{
  FILE *file = fdopen (fd, "w");
  gboolean ok;

  if (!file) {
    close (fd);
    return FALSE;
  }
  /* Unbuffered, so that no copy of the key stays in a buffer of stdio's. */
  setvbuf (file, NULL, _IONBF, 0);
  ok = PEM_write_PrivateKey (file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
      fflush (file) == 0 && fsync (fd) == 0;
  return fclose (file) == 0 && ok;
}

/* Under another name first: nobody ever sees half a key under the right one.
 * link() does not replace, so that the first of two processes wins. */
static gboolean
create_key (const gchar *path, GError **error)
{
  g_autoptr (EVP_PKEY) key = jose_key_generate ();
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autofree gchar *draft = g_strconcat (path, ".XXXXXX", NULL);
  gboolean ok;
  gint fd;

  if (!license_folder_make (folder))
    return fail (folder, g_strerror (errno), error);
  fd = g_mkstemp_full (draft, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail (path, g_strerror (errno), error);
  ok = key && write_key (fd, key) &&
      (link (draft, path) == 0 || errno == EEXIST);
  if (!ok)
    fail (path, g_strerror (errno), error);
  g_unlink (draft);
  if (ok && !license_folder_sync (folder))
    return fail (folder, g_strerror (errno), error);
  return ok;
}

static EVP_PKEY *
find_key (OSSL_STORE_CTX *store)
{
  EVP_PKEY *key = NULL;

  OSSL_STORE_expect (store, OSSL_STORE_INFO_PKEY);
  while (!key && !OSSL_STORE_eof (store)) {
    OSSL_STORE_INFO *info = OSSL_STORE_load (store);

    if (info && OSSL_STORE_INFO_get_type (info) == OSSL_STORE_INFO_PKEY)
      key = OSSL_STORE_INFO_get1_PKEY (info);
    OSSL_STORE_INFO_free (info);
  }
  return key;
}

static EVP_PKEY *
load_key (const gchar *uri, GError **error)
{
  OSSL_STORE_CTX *store = OSSL_STORE_open (uri, NULL, NULL, NULL, NULL);
  g_autoptr (EVP_PKEY) key = store ? find_key (store) : NULL;
  g_autofree gchar *jwk = NULL;

  OSSL_STORE_close (store);
  if (!key) {
    g_autofree gchar *reason = jose_openssl_error ();

    fail (uri, reason, error);
    return NULL;
  }
  ERR_clear_error ();
  jwk = jose_key_to_jwk (key, error);
  if (!jwk) {
    g_prefix_error (error, "device key: %s: ", uri);
    return NULL;
  }
  return g_steal_pointer (&key);
}

EVP_PKEY *
license_device_key_load (const gchar *uri, gboolean create, GError **error)
{
  g_autofree gchar *path = license_device_key_path (uri);

  if (path && !g_file_test (path, G_FILE_TEST_EXISTS)) {
    if (!create) {
      fail (path, "there is none yet", error);
      return NULL;
    }
    if (!create_key (path, error))
      return NULL;
  }
  return load_key (path ? path : uri, error);
}
