/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-test.h"

#include <glib/gstdio.h>

#include "smilremix/remix-uri.h"

static void
expect_resolved (const gchar *base, const gchar *reference,
    const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *uri = remix_uri_resolve (base, reference, &error);

  fail_unless_no_error (error);
  fail_unless_equals_string (uri, expected);
}

GST_START_TEST (test_resolve)
{
  GError *error = NULL;

  expect_resolved ("http://h/a/b.smil", "c.mp4", "http://h/a/c.mp4");
  expect_resolved ("http://h/a/b.smil", "../c.mp4?x=1#t", "http://h/c.mp4?x=1");
  expect_resolved ("http://h/a/b.smil", "/c.mp4", "http://h/c.mp4");
  expect_resolved ("http://h/a/b.smil", "//i/c.mp4", "http://i/c.mp4");
  expect_resolved ("http://h/a/b.smil", "https://i/c.mp4", "https://i/c.mp4");
  expect_resolved ("file:///a/b.smil", " my clip.mp4\n",
      "file:///a/my%20clip.mp4");
  expect_resolved ("file:///a/b.smil", "h\303\251.mp4",
      "file:///a/h%C3%A9.mp4");
  expect_resolved ("file:///a/b.smil", "a%20b.mp4", "file:///a/a%20b.mp4");
  expect_resolved ("file:///a/b.smil", "../../../c.mp4", "file:///c.mp4");
  fail_if (remix_uri_resolve ("file:///a", "  ", &error));
  fail_unless_remix_error (error, REMIX_ERROR_PLAYLIST, "empty address");
  fail_if (remix_uri_resolve (NULL, "relative.mp4", &error));
  fail_unless_remix_error (error, REMIX_ERROR_PLAYLIST, "is not an address");
}

GST_END_TEST;

GST_START_TEST (test_location)
{
  g_autofree gchar *path = remix_uri_from_location ("/a b/c.smil", NULL);
  g_autofree gchar *uri = remix_uri_from_location ("http://h/c.smil", NULL);

  fail_unless_equals_string (path, "file:///a%20b/c.smil");
  fail_unless_equals_string (uri, "http://h/c.smil");
}

GST_END_TEST;

static void
expect_policy (const gchar *playlist, const gchar *schemes, const gchar *uri,
    const gchar *refusal)
{
  g_autoptr (RemixPolicy) policy = remix_policy_new (playlist, schemes, NULL);
  GError *error = NULL;
  gboolean ok = remix_policy_check_uri (policy, uri, &error);

  fail_unless_equals_int (ok, refusal == NULL);
  if (refusal)
    fail_unless_remix_error (error, REMIX_ERROR_REFUSED, refusal);
}

GST_START_TEST (test_policy_uri)
{
  const gchar *local = "file:///a.smil", *remote = "http://origin:8080/a.smil";

  expect_policy (local, NULL, "file:///etc/passwd", NULL);
  expect_policy (local, NULL, "http://127.0.0.1/a.mp4", NULL);
  expect_policy (NULL, NULL, "https://h/a.mp4", NULL);
  expect_policy (local, NULL, "ftp://h/a.mp4", "only file, http");
  expect_policy (local, NULL, "resource:///a.mp4", "only file, http");
  expect_policy (local, NULL, "http:///a.mp4", "no host");
  expect_policy (local, "file", "http://h/a.mp4", "allowed-schemes");
  expect_policy (local, "http, https", "file:///a.mp4", "allowed-schemes");
  expect_policy (local, " file , https", "https://h/a", NULL);
  expect_policy (remote, NULL, "file:///etc/passwd", "may not name files");
  expect_policy (remote, "file,http", "file:///etc/passwd",
      "may not name files");
  expect_policy (remote, NULL, "FILE:///etc/passwd", "may not name files");
  expect_policy (remote, NULL, "http://192.0.2.1/", "private host");
  expect_policy (remote, NULL, "http://93.184.216.34/a.mp4", NULL);
  expect_policy (remote, NULL, "http://127.0.0.1/a.mp4", "private host");
  expect_policy (remote, NULL, "http://LOCALHOST/a.mp4", "private host");
  expect_policy (remote, NULL, "http://[::1]/a.mp4", "private host");
  expect_policy (remote, NULL, "http://[::ffff:10.0.0.1]/", "private host");
  expect_policy (remote, NULL, "http://[::ffff:7f00:1]/", "private host");
  expect_policy (remote, NULL, "http://[::]/", "private host");
  expect_policy (remote, NULL, "http://[fe80::1]:8080/", "private host");
  expect_policy (remote, NULL, "http://0.0.0.0/", "private host");
  expect_policy (remote, NULL, "http://user:pw@10.0.0.1/", "private host");
  expect_policy (remote, NULL, "http://a.localhost/", "private host");
  expect_policy (remote, NULL, "http://localhost./", "private host");
  expect_policy (remote, NULL, "http://printer.local/", "private host");
  expect_policy (remote, NULL, "http://2130706433/", "private host");
  expect_policy (remote, NULL, "http://0x7f000001/", "private host");
  expect_policy (remote, NULL, "http://0177.0.0.1/", "private host");
  expect_policy (remote, NULL, "http://127.1/", "private host");
  expect_policy (remote, NULL, "http://127.0.0.1./", "private host");
  expect_policy (remote, NULL, "http://134744072/", NULL); /* 8.8.8.8 */
  expect_policy (remote, NULL, "http://169.254.169.254/latest", "private host");
  expect_policy (remote, NULL, "http://origin/other.mp4", NULL);
  expect_policy ("http://127.0.0.1/a.smil", NULL, "http://127.0.0.1/b.mp4",
      NULL);
  expect_policy ("http://127.0.0.1/a.smil", NULL, "http://127.0.0.2/b.mp4",
      "private host");
}

GST_END_TEST;

GST_START_TEST (test_policy_address)
{
  g_autoptr (RemixPolicy) remote =
      remix_policy_new ("http://origin/a.smil", NULL, NULL);
  g_autoptr (RemixPolicy) local =
      remix_policy_new ("file:///a.smil", NULL, NULL);
  g_autoptr (GInetAddress) private =
      g_inet_address_new_from_string ("10.1.2.3");
  g_autoptr (GInetAddress) public = g_inet_address_new_from_string ("8.8.8.8");
  GError *error = NULL;

  fail_unless (remix_policy_check_address (local, "http://h/", private, NULL));
  fail_unless (
      remix_policy_check_address (remote, "http://origin/", private, NULL));
  fail_if (remix_policy_check_address (remote, "http://h/", private, &error));
  fail_unless_remix_error (error, REMIX_ERROR_REFUSED, "private address");

  remix_policy_pin_host (remote);
  fail_if (
      remix_policy_check_address (remote, "http://origin/", private, &error));
  fail_unless_remix_error (error, REMIX_ERROR_REFUSED, "private address");
  fail_unless (
      remix_policy_check_address (remote, "http://origin/", public, NULL));
}

GST_END_TEST;

GST_START_TEST (test_addresses)
{
  static const gchar *const private[] = { "0.0.0.0", "10.0.0.1", "100.64.0.1",
    "100.127.255.255", "127.255.255.255", "169.254.1.1", "172.16.0.1",
    "172.31.255.255", "192.0.0.8", "192.168.0.1", "198.19.0.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "fe80::1",
    "fec0::1", "fd00::1", "fc00::1", "ff02::1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2001:db8::1", "::127.0.0.1", "64:ff9b:1::a00:1",
    "64:ff9b:1:ffff::808:808", "100::1", "2001:2::1", "2001:10::1",
    "2001:1f:ffff::1", "3fff::1", "3fff:fff:ffff::1", "5f00::1",
    "::ffff:0:8.8.8.8" };
  static const gchar *const public[] = { "1.1.1.1", "100.63.255.255",
    "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.169.0.1", "198.20.0.1",
    "223.255.255.255", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "2002:808:808::", "64:ff9b::8.8.8.8", "100:0:0:1::1", "2001:2:1::1",
    "2001:20::1", "3fff:1000::1", "5f01::1" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (private); i++) {
    g_autoptr (GInetAddress) a = g_inet_address_new_from_string (private[i]);

    fail_if (remix_address_is_public (a), "%s", private[i]);
  }
  for (i = 0; i < G_N_ELEMENTS (public); i++) {
    g_autoptr (GInetAddress) a = g_inet_address_new_from_string (public[i]);

    fail_unless (remix_address_is_public (a), "%s", public[i]);
  }
}

GST_END_TEST;

GST_START_TEST (test_root)
{
  g_autofree gchar *folder = g_dir_make_tmp ("remix-XXXXXX", NULL);
  g_autofree gchar *inside = g_build_filename (folder, "a.mp4", NULL);
  g_autofree gchar *sibling = g_strconcat (folder, "x/a.mp4", NULL);
  g_autoptr (RemixPolicy) policy = remix_policy_new (NULL, NULL, folder);
  g_autoptr (RemixPolicy) missing =
      remix_policy_new (NULL, NULL, "/no/such/folder");
  GError *error = NULL;

  fail_unless (remix_policy_check_path (policy, "u", inside, NULL));
  fail_if (remix_policy_check_path (policy, "u", sibling, &error));
  fail_unless_remix_error (error, REMIX_ERROR_REFUSED, "outside of root");
  fail_if (remix_policy_check_path (policy, "u", folder, NULL));
  fail_if (remix_policy_check_path (policy, "u", "/etc/passwd", NULL));
  fail_if (remix_policy_check_path (missing, "u", "/etc/passwd", &error));
  fail_unless_remix_error (error, REMIX_ERROR_REFUSED, "is not there");
  g_rmdir (folder);
}

GST_END_TEST;

static Suite *
remix_uri_suite (void)
{
  Suite *s = suite_create ("smilremix-uri");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_resolve);
  tcase_add_test (tc, test_location);
  tcase_add_test (tc, test_policy_uri);
  tcase_add_test (tc, test_policy_address);
  tcase_add_test (tc, test_addresses);
  tcase_add_test (tc, test_root);

  return s;
}

GST_CHECK_MAIN (remix_uri);
