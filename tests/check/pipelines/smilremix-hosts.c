/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a playlist that comes over HTTP may name: no files, and no host that only
 * this machine can reach. */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "remix-server.h"

/* Public, and assigned to nobody any more (RFC 7526). */
#define PUBLIC "192.88.99.1"

/* What the resolver answers, whatever the name; NULL-terminated. */
static const gchar *answers[3];

/* How PUBLIC is the test's server. */
typedef enum
{
  PUBLIC_ALWAYS,
  /* For one request; who asks again finds it closed, and the next address of the
   * name, which was closed before, open. */
  PUBLIC_ONCE,
} PublicMode;

static PublicMode public_mode;

static gboolean
is_closed (const gchar *address)
{
  gboolean before = g_atomic_int_get (&remix_server.n_requests) == 0;

  if (public_mode == PUBLIC_ALWAYS)
    return FALSE;
  return strcmp (address, PUBLIC) == 0 ? !before : before;
}

/* libc's, for GLib: what goes to PUBLIC arrives at this machine. */
__attribute__ ((visibility ("default"))) int
connect (int fd, const struct sockaddr *address, socklen_t size)
{
  struct sockaddr_in in;
  gchar text[INET_ADDRSTRLEN];

  if (address->sa_family != AF_INET || size < sizeof in)
    return (int) syscall (SYS_connect, fd, address, size);
  memcpy (&in, address, sizeof in);
  inet_ntop (AF_INET, &in.sin_addr, text, sizeof text);
  if (is_closed (text)) {
    errno = ECONNREFUSED;
    return -1;
  }
  if (strcmp (text, PUBLIC) == 0)
    in.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  return (int) syscall (SYS_connect, fd, &in, sizeof in);
}

GST_START_TEST (test_policy)
{
  remix_media_write ("title.smil",
      "<smil><body><video src='file:///etc/passwd'/></body></smil>");
  remix_server_expect_failure ("title.smil", "file:///etc/passwd is refused",
      "may not name files");
  remix_media_write ("title.smil",
      "<smil><body><video src='http://localhost:1/a.mp4'/></body></smil>");
  remix_server_expect_failure ("title.smil",
      "http://localhost:1/a.mp4 is refused", "private host");
  remix_media_write ("title.smil",
      "<smil><body><video src='/away'/></body></smil>");
  remix_server_expect_failure ("title.smil",
      "http://127.0.0.2:1/secret.mp4 is refused", "private host");
  remix_media_write ("title.smil",
      "<smil><body><video src='/loop'/></body></smil>");
  remix_server_expect_failure ("title.smil", "/loop", "redirects");
}

GST_END_TEST;

/* A resolver that knows one answer: a name server may say anything. */
typedef GResolver TestResolver;
typedef GResolverClass TestResolverClass;

GType test_resolver_get_type (void);
G_DEFINE_TYPE (TestResolver, test_resolver, G_TYPE_RESOLVER);

static GList *
test_resolver_lookup (GResolver *resolver, const gchar *name,
    GResolverNameLookupFlags flags, GCancellable *cancellable, GError **error)
{
  GList *list = NULL;
  guint i;

  for (i = 0; answers[i]; i++)
    list = g_list_append (list, g_inet_address_new_from_string (answers[i]));
  return list;
}

static void
test_resolver_lookup_async (GResolver *resolver, const gchar *name,
    GResolverNameLookupFlags flags, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (resolver, cancellable, callback, user_data);

  g_task_return_pointer (task,
      test_resolver_lookup (resolver, name, flags, cancellable, NULL),
      (GDestroyNotify) g_resolver_free_addresses);
  g_object_unref (task);
}

static void
test_resolver_lookup_default_async (GResolver *resolver, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  test_resolver_lookup_async (resolver, name,
      G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, callback, user_data);
}

static GList *
test_resolver_lookup_finish (GResolver *resolver, GAsyncResult *result,
    GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
test_resolver_class_init (TestResolverClass *class)
{
  class->lookup_by_name_async = test_resolver_lookup_default_async;
  class->lookup_by_name_finish = test_resolver_lookup_finish;
  class->lookup_by_name_with_flags = test_resolver_lookup;
  class->lookup_by_name_with_flags_async = test_resolver_lookup_async;
  class->lookup_by_name_with_flags_finish = test_resolver_lookup_finish;
}

static void
test_resolver_init (TestResolver *self)
{
}

static void
expect_refused (const gchar *host)
{
  g_autofree gchar *text = g_strdup_printf (
      "<smil><body><video src='http://%s:%u/M.mp4'/></body></smil>", host,
      remix_server.port);
  gint n = g_atomic_int_get (&remix_server.n_requests);

  remix_media_write ("title.smil", text);
  remix_server_expect_failure ("title.smil", "is refused", "private");
  /* The playlist alone. */
  fail_unless_equals_int (g_atomic_int_get (&remix_server.n_requests), n + 1);
}

/* Forms of a private address, by which a playlist of the network might reach a
 * server that only this machine can: nothing is sent there. */
GST_START_TEST (test_private_hosts)
{
  static const gchar *const hosts[] = { "localhost", "localhost.", "0.0.0.0",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "2130706433", "0x7f000001",
    "0177.0.0.1", "127.1" };
  g_autoptr (GResolver) resolver =
      g_object_new (test_resolver_get_type (), NULL);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (hosts); i++)
    expect_refused (hosts[i]);
  /* A name that stands for one, and by a redirect. */
  answers[0] = "127.0.0.1";
  g_resolver_set_default (resolver);
  expect_refused ("public.example");
  remix_media_write ("title.smil",
      "<smil><body><video src='/public'/></body></smil>");
  remix_server_expect_failure ("title.smil", "http://public.example",
      "private address");
}

GST_END_TEST;

/* A local playlist may name files; a server that it names may not. */
GST_START_TEST (test_redirect_to_file)
{
  g_autofree gchar *text = g_strdup_printf (
      "<smil><body><video src='http://127.0.0.1:%u/passwd'/></body></smil>",
      remix_server.port);
  g_autofree gchar *error = remix_media_run_document (text, NULL, "o.mp4");

  fail_unless (error && strstr (error, "file:///etc/passwd is refused"), "%s",
      error);
}

GST_END_TEST;

static void
write_own_source (void)
{
  remix_media_write ("title.smil",
      "<smil><body><video src='own.mp4'/></body></smil>");
}

/* The name of the server stands for a public address, and then for a private one:
 * @n_requests reach it, and none for the source. */
static void
expect_rebound_refused (const gchar *location, gint n_requests)
{
  g_autoptr (GResolver) resolver =
      g_object_new (test_resolver_get_type (), NULL);
  g_autofree gchar *error = NULL;

  g_resolver_set_default (resolver);
  write_own_source ();
  remix_server.closes = TRUE;
  answers[0] = PUBLIC;
  answers[1] = "127.0.0.1";
  public_mode = PUBLIC_ONCE;
  error = remix_server_run ("rebind.example", location, "o.mp4");
  fail_unless (error && strstr (error, "own.mp4 is refused"), "%s", error);
  fail_unless (strstr (error, "private address") != NULL, "%s", error);
  fail_unless_equals_int (g_atomic_int_get (&remix_server.n_requests),
      n_requests);
}

/* The playlist comes from a public address; then the name stands for a private one. */
GST_START_TEST (test_rebinding)
{
  expect_rebound_refused ("title.smil", 1);
}

GST_END_TEST;

/* Likewise, but the name changes while the playlist is being got: who redirected is
 * public, who answers is not. */
GST_START_TEST (test_rebinding_redirect)
{
  expect_rebound_refused ("moved/title.smil", 2);
}

GST_END_TEST;

/* Opens the title and closes it again; the error's debug text, or NULL. */
static gchar *
open_again (GstElement *src)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (src, "src");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  gchar *debug = NULL;

  gst_element_set_bus (src, bus);
  gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE);
  gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE);
  gst_element_set_bus (src, NULL);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message)
    gst_message_parse_error (message, NULL, &debug);
  return debug;
}

/* The playlist comes from a public address. When the title is opened again the name
 * stands for a private one, which has to say no more than that nothing changed. */
GST_START_TEST (test_rebinding_unmodified)
{
  g_autoptr (GResolver) resolver =
      g_object_new (test_resolver_get_type (), NULL);
  g_autofree gchar *uri =
      g_strdup_printf ("http://rebind.example:%u/title.smil",
          remix_server.port);
  g_autofree gchar *before = NULL;
  g_autofree gchar *after = NULL;
  GstElement *src = gst_check_setup_element ("smilremixsrc");

  g_resolver_set_default (resolver);
  write_own_source ();
  remix_server.closes = TRUE;
  g_object_set (src, "location", uri, NULL);
  gst_element_set_state (src, GST_STATE_READY);
  answers[0] = PUBLIC;
  before = open_again (src);
  fail_unless (before == NULL, "%s", before);
  answers[0] = "127.0.0.1";
  after = open_again (src);
  fail_unless_equals_int (g_atomic_int_get (&remix_server.n_unmodified), 1);
  fail_unless (after && strstr (after, "own.mp4 is refused"), "%s", after);
  fail_unless (strstr (after, "private address") != NULL, "%s", after);
  gst_check_teardown_element (src);
}

GST_END_TEST;

static void
expect_own_source (const gchar *address)
{
  g_autofree gchar *error = NULL;

  answers[0] = address;
  answers[1] = NULL;
  error = remix_server_run ("own.example", "title.smil", "o.mp4");
  fail_unless (error == NULL, "%s: %s", address, error);
}

/* Where the address stays what it is, its own host is a playlist's to name. */
GST_START_TEST (test_own_host)
{
  g_autoptr (GResolver) resolver =
      g_object_new (test_resolver_get_type (), NULL);

  g_resolver_set_default (resolver);
  write_own_source ();
  remix_server.closes = TRUE;
  expect_own_source (PUBLIC);
  expect_own_source ("127.0.0.1");
}

GST_END_TEST;

static void
make_source (void)
{
  remix_media_open ();
  remix_media_make ("-f lavfi -i testsrc=s=160x90:r=25:d=1 -c:v libx264 "
                    "-threads 1 -pix_fmt yuv420p own.mp4");
}

static void
add_tests (TCase *tc)
{
  tcase_add_checked_fixture (tc, remix_server_start, remix_server_stop);
  tcase_add_test (tc, test_policy);
  tcase_add_test (tc, test_private_hosts);
  tcase_add_test (tc, test_redirect_to_file);
  tcase_add_test (tc, test_rebinding);
  tcase_add_test (tc, test_rebinding_redirect);
  tcase_add_test (tc, test_rebinding_unmodified);
  tcase_add_test (tc, test_own_host);
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  return remix_media_main ("smilremix_hosts", make_source, add_tests);
}
