/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "testserver.h"

#include <string.h>

#include <glib/gstdio.h>

#include "soup-accept.h"
#include "testlicense.h"

static LicenseServer *
make_server (TestServer *self, const gchar *url)
{
  g_autofree gchar *database =
      g_build_filename (self->folder, "server.db", NULL);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  EVP_PKEY *key = jose_key_generate ();
  X509 *certificate =
      test_certificate (key, "Test server", now - 60, now + 86400, NULL, NULL);
  LicenseServerConfig config = { database, url, "secret", key, certificate,
    license_clock_system () };
  LicenseServer *server = license_server_new (&config, NULL);
  g_autofree gchar *pem = test_pem (certificate);

  g_file_set_contents (self->issuer_path, pem, -1, NULL);
  X509_free (certificate);
  EVP_PKEY_free (key);
  return server;
}

/* Lets connections that are being closed come to their end. */
static void
settle (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static gpointer
serve (gpointer data)
{
  TestServer *self = data;

  g_main_context_push_thread_default (self->context);
  self->soup = soup_server_new (NULL, NULL);
  self->service = soup_accept_start (self->soup, &self->port);
  self->url = g_strdup_printf ("http://127.0.0.1:%u", self->port);
  self->server = make_server (self, self->url);
  license_server_attach (self->server, self->soup);
  g_mutex_lock (&self->lock);
  self->ready = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  while (!g_atomic_int_get (&self->stop))
    g_main_context_iteration (self->context, TRUE);
  if (self->service)
    soup_accept_stop (g_steal_pointer (&self->service), self->soup);
  g_clear_object (&self->soup);
  license_server_free (self->server);
  settle (self->context);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

void
test_server_init (TestServer *self)
{
  memset (self, 0, sizeof *self);
  self->folder = g_dir_make_tmp ("license-server-XXXXXX", NULL);
  self->issuer_path = g_build_filename (self->folder, "issuers.pem", NULL);
  self->context = g_main_context_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->thread = g_thread_new ("license-server", serve, self);
  g_mutex_lock (&self->lock);
  while (!self->ready)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
test_server_stop (TestServer *self)
{
  if (!self->thread)
    return;
  /* Not a main loop: to quit one that does not run yet is to no effect. */
  g_atomic_int_set (&self->stop, TRUE);
  g_main_context_wakeup (self->context);
  g_thread_join (g_steal_pointer (&self->thread));
}

void
test_server_clear (TestServer *self)
{
  g_autofree gchar *database =
      g_build_filename (self->folder, "server.db", NULL);

  test_server_stop (self);
  g_unlink (database);
  g_unlink (self->issuer_path);
  g_rmdir (self->folder);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self->folder);
  g_free (self->url);
  g_free (self->issuer_path);
}

static gboolean
switch_online (gpointer data)
{
  TestServer *self = data;

  if (self->service)
    soup_accept_stop (g_steal_pointer (&self->service), self->soup);
  if (self->online)
    self->service = soup_accept_start (self->soup, &self->port);
  g_mutex_lock (&self->lock);
  self->ready = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  return G_SOURCE_REMOVE;
}

void
test_server_set_online (TestServer *self, gboolean online)
{
  self->ready = FALSE;
  self->online = online;
  g_main_context_invoke (self->context, switch_online, self);
  g_mutex_lock (&self->lock);
  while (!self->ready)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
}

gchar *
test_server_ask (TestServer *self, const gchar *path, const gchar *body,
    guint *status)
{
  g_autofree gchar *url = g_strconcat (self->url, path, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (SoupMessage) message =
      soup_message_new (body ? "POST" : "GET", url);
  g_autoptr (GBytes) sent = body ? g_bytes_new (body, strlen (body)) : NULL;
  g_autoptr (GBytes) answer = NULL;
  g_autoptr (GError) error = NULL;

  if (sent)
    soup_message_set_request_body_from_bytes (message, "application/json",
        sent);
  answer = soup_session_send_and_read (session, message, NULL, &error);
  g_assert_no_error (error);
  *status = soup_message_get_status (message);
  soup_session_abort (session);
  settle (NULL);
  return g_strndup (g_bytes_get_data (answer, NULL), g_bytes_get_size (answer));
}

gchar *
test_server_token (TestServer *self, const gchar *rights)
{
  g_autofree gchar *path = g_strconcat (
      "/token?customerAuthenticator=secret&actionTokenType=1&errorFormat=json"
      "&contentId=urn:marlin:kid:6b69642d6f6e652d31362d6279746573"
      "&contentKey=4b45592d6f6e652d31362d6279746573",
      rights, NULL);
  guint status;
  gchar *text = test_server_ask (self, path, NULL, &status);

  g_assert_cmpuint (status, ==, 200);
  return text;
}
