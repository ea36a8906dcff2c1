/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of the elements needs no source: properties, URIs, errors. */

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/base/gsttypefindhelper.h>
#include <gst/check/gstcheck.h>

/* Sets it to PAUSED, which fails; the error's domain and code are as given, and
 * its debug text holds @text. */
static void
expect_error (const gchar *property, const gchar *value, GQuark domain,
    gint code, const gchar *text)
{
  GstElement *src = gst_check_setup_element ("smilremixsrc");
  GstPad *sink = gst_pad_new ("sink", GST_PAD_SINK);
  GstPad *pad = gst_element_get_static_pad (src, "src");
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error = NULL;
  gchar *debug = NULL;

  gst_element_set_bus (src, bus);
  gst_pad_set_active (sink, TRUE);
  fail_unless_equals_int (gst_pad_link (pad, sink), GST_PAD_LINK_OK);
  if (property)
    g_object_set (src, property, value, NULL);
  fail_unless_equals_int (gst_element_set_state (src, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, &debug);
  fail_unless (g_error_matches (error, domain, code), "%s %d: %s",
      g_quark_to_string (error->domain), error->code, debug);
  fail_unless (strstr (debug, text) != NULL, "%s", debug);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_pad_unlink (pad, sink);
  gst_object_unref (sink);
  gst_object_unref (pad);
  gst_element_set_bus (src, NULL);
  gst_object_unref (bus);
  gst_check_teardown_element (src);
}

/* Wrong type, not well-formed and senseless are three different errors. */
GST_START_TEST (test_errors)
{
  expect_error (NULL, NULL, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "set location or playlist");
  expect_error ("location", "/no/such.smil", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, "file:///no/such.smil");
  expect_error ("location", "ftp://h/a.smil", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_AUTHORIZED, "ftp://h/a.smil is refused");
  expect_error ("location", "/dev/zero", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_AUTHORIZED, "no regular file");
  expect_error ("playlist", "#EXTM3U", GST_STREAM_ERROR,
      GST_STREAM_ERROR_WRONG_TYPE, "no XML");
  expect_error ("playlist", "<smil><body></smil>", GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, "line 1, column");
  expect_error ("playlist", "<smil><body><video/></body></smil>",
      GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
      "line 1, column 13: video has no src");
  expect_error ("playlist", "<smil><body><video src='/none'/></body></smil>",
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "line 1, column 13: file:///none");
}

GST_END_TEST;

GST_START_TEST (test_root)
{
  g_autofree gchar *folder = g_dir_make_tmp ("smilremix-XXXXXX", NULL);
  g_autofree gchar *link = g_build_filename (folder, "link.mp4", NULL);
  g_autofree gchar *text =
      g_strdup_printf ("<smil><body><video src='file://%s'/></body></smil>",
          link);
  GstElement *src = gst_check_setup_element ("smilremixsrc");
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  gchar *debug = NULL;

  fail_unless_equals_int (symlink ("/etc/passwd", link), 0);
  gst_element_set_bus (src, bus);
  g_object_set (src, "root", folder, "playlist", text, NULL);
  fail_unless_equals_int (gst_element_set_state (src, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, NULL, &debug);
  fail_unless (strstr (debug, "outside of root") != NULL, "%s", debug);
  g_free (debug);
  gst_message_unref (message);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_element_set_bus (src, NULL);
  gst_object_unref (bus);
  gst_check_teardown_element (src);
  g_unlink (link);
  g_rmdir (folder);
}

GST_END_TEST;

GST_START_TEST (test_uri_handler)
{
  g_autoptr (GError) error = NULL;
  GstElement *src = gst_element_make_from_uri (GST_URI_SRC,
      "smil+http://origin/a.smil", NULL, &error);
  g_autofree gchar *location = NULL;
  g_autofree gchar *uri = NULL;
  g_autofree gchar *local = NULL;

  fail_unless (src != NULL);
  fail_unless_equals_string (G_OBJECT_TYPE_NAME (src), "GstSmilRemixSrc");
  g_object_get (src, "location", &location, NULL);
  fail_unless_equals_string (location, "http://origin/a.smil");
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (src));
  fail_unless_equals_string (uri, "smil+http://origin/a.smil");
  g_object_set (src, "location", "/a b.smil", NULL);
  local = gst_uri_handler_get_uri (GST_URI_HANDLER (src));
  fail_unless_equals_string (local, "smil+file:///a%20b.smil");
  fail_if (gst_uri_handler_set_uri (GST_URI_HANDLER (src), "file:///a", NULL));
  gst_object_unref (src);
}

GST_END_TEST;

static void
expect_type (const gchar *text, const gchar *type)
{
  g_autoptr (GstCaps) caps = gst_type_find_helper_for_data (NULL,
      (const guint8 *) text, strlen (text), NULL);
  gboolean smil = caps &&
      g_str_equal (gst_structure_get_name (gst_caps_get_structure (caps, 0)),
          "application/smil");

  fail_unless_equals_int (smil, type != NULL);
}

GST_START_TEST (test_typefind)
{
  expect_type ("<smil><body><video src='a.mp4'/></body></smil>", "smil");
  expect_type ("<?xml version='1.0'?>\n<!-- a > b -->\n<smil xmlns='x'/>",
      "smil");
  expect_type ("\357\273\277  <smil\n/>", "smil");
  expect_type ("<smile/>", NULL);
  expect_type ("<MPD><smil/></MPD>", NULL);
  expect_type ("<!-- <smil/>", NULL);
  expect_type ("<smil", NULL);
}

GST_END_TEST;

static Suite *
smilremixsrc_suite (void)
{
  Suite *s = suite_create ("smilremixsrc");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_errors);
  tcase_add_test (tc, test_root);
  tcase_add_test (tc, test_uri_handler);
  tcase_add_test (tc, test_typefind);

  return s;
}

GST_CHECK_MAIN (smilremixsrc);
