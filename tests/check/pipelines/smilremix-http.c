/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sources over HTTP, and what can go wrong with them: the right bytes, or an error
 * that names the URI. */

#include <string.h>

#include "remix-server.h"

#define TITLE \
  "<smil><body><video src='A5.mp4'/><video src='%sM.mp4' clipEnd='6s'/>" \
  "<video src='A3.mp4'/></body></smil>"

static void
write_title (const gchar *prefix)
{
  g_autofree gchar *text = g_strdup_printf (TITLE, prefix);

  remix_media_write ("title.smil", text);
}

static void
make_reference (void)
{
  g_autofree gchar *text = g_strdup_printf (TITLE, "");
  g_autofree gchar *error =
      remix_media_run_document (text, NULL, "reference.mp4");

  fail_unless (error == NULL, "%s", error);
}

static void
expect_same (const gchar *location)
{
  g_autofree gchar *error = remix_server_run ("127.0.0.1", location, "o.mp4");
  g_autofree gchar *a_path = remix_media_path ("o.mp4");
  g_autofree gchar *b_path = remix_media_path ("reference.mp4");
  g_autofree gchar *a = NULL;
  g_autofree gchar *b = NULL;
  gsize a_size, b_size;

  fail_unless (error == NULL, "%s", error);
  fail_unless (g_file_get_contents (a_path, &a, &a_size, NULL));
  fail_unless (g_file_get_contents (b_path, &b, &b_size, NULL));
  fail_unless (a_size == b_size && memcmp (a, b, a_size) == 0);
}

GST_START_TEST (test_plain)
{
  write_title ("");
  make_reference ();
  expect_same ("title.smil");
  /* The playlist, and for each source one or two ranges. */
  fail_unless (remix_server.n_requests <= 10, "%d requests",
      remix_server.n_requests);
}

GST_END_TEST;

GST_START_TEST (test_redirected)
{
  write_title ("/redirect/");
  make_reference ();
  expect_same ("redirect/title.smil");
}

GST_END_TEST;

/* Of @name, called <prefix>0.mp4 and so on. */
static void
make_copies (const gchar *name, const gchar *prefix, guint n)
{
  g_autofree gchar *from = remix_media_path (name);
  g_autofree gchar *data = NULL;
  gsize size;
  guint i;

  fail_unless (g_file_get_contents (from, &data, &size, NULL));
  for (i = 0; i < n; i++) {
    g_autofree gchar *copy = g_strdup_printf ("%s%u.mp4", prefix, i);
    g_autofree gchar *path = remix_media_path (copy);

    fail_unless (g_file_set_contents (path, data, (gssize) size, NULL));
  }
}

/* Sources are asked four at a time: this server answers none before. */
GST_START_TEST (test_opened_together)
{
  g_autoptr (GString) text = g_string_new ("<smil><body>");
  g_autofree gchar *error = NULL;
  guint i;

  make_copies ("A3.mp4", "t", 20);
  for (i = 0; i < 20; i++)
    g_string_append_printf (text, "<video src='t%u.mp4'/>", i);
  g_string_append (text, "</body></smil>");
  remix_media_write ("title.smil", text->str);
  remix_server.gather = 4;
  error = remix_server_run ("127.0.0.1", "title.smil", "o.mp4");
  fail_unless (error == NULL, "%s", error);
  fail_unless_equals_int (g_atomic_int_get (&remix_server.n_gathered), 5);
}

GST_END_TEST;

GST_START_TEST (test_dropped_connection)
{
  write_title ("");
  make_reference ();
  remix_server.drops = 3;
  remix_server.busy = 2;
  expect_same ("title.smil");
  fail_unless_equals_int (remix_server.drops, 0);
  fail_unless_equals_int (remix_server.busy, 0);
}

GST_END_TEST;

GST_START_TEST (test_broken)
{
  write_title ("");
  make_reference ();
  remix_server.drops = 100;
  remix_server_expect_failure ("title.smil", "A5.mp4", "at ");
  remix_server.drops = 0;
  expect_same ("title.smil");
}

GST_END_TEST;

GST_START_TEST (test_not_found)
{
  remix_media_write ("title.smil",
      "<smil><body><video src='A5.mp4'/>\n<video src='none.mp4'/></body>"
      "</smil>");
  remix_server_expect_failure ("title.smil", "line 2, column 1",
      "none.mp4: the server "
      "answers 404");
  remix_server_expect_failure ("none.smil", "none.smil", "404");
}

GST_END_TEST;

/* What another request does not change is asked for once; five redirects. */
GST_START_TEST (test_permanent)
{
  remix_media_write ("title.smil",
      "<smil><body><video src='/forbidden'/></body></smil>");
  remix_server_expect_failure ("title.smil", "/forbidden", "403");
  fail_unless_equals_int (g_atomic_int_get (&remix_server.n_requests), 1 + 1);
  g_atomic_int_set (&remix_server.n_requests, 0);
  remix_media_write ("title.smil",
      "<smil><body><video src='/loop'/></body></smil>");
  remix_server_expect_failure ("title.smil", "/loop", "redirects");
  fail_unless_equals_int (g_atomic_int_get (&remix_server.n_requests), 1 + 6);
}

GST_END_TEST;

GST_START_TEST (test_no_ranges)
{
  write_title ("/norange/");
  remix_server_expect_failure ("title.smil", "/norange/M.mp4",
      "does not give ranges");
}

GST_END_TEST;

static GstElement *
make_source (const gchar *location, GstPad **pad)
{
  g_autofree gchar *uri =
      g_strdup_printf ("http://127.0.0.1:%u/%s", remix_server.port, location);
  GstElement *src = gst_check_setup_element ("smilremixsrc");

  g_object_set (src, "location", uri, NULL);
  gst_element_set_state (src, GST_STATE_READY);
  *pad = gst_element_get_static_pad (src, "src");
  return src;
}

/* A server that goes on behind the range that was asked for is not listened to:
 * neither in the midst of a source nor where it waits to be read. */
GST_START_TEST (test_overlong)
{
  g_autoptr (GstPad) pad = NULL;
  GstElement *src;

  write_title ("");
  make_reference ();
  remix_server.overlong = TRUE;
  expect_same ("title.smil");
  remix_media_write ("title.smil",
      "<smil><body><video src='M.mp4'/></body></smil>");
  src = make_source ("title.smil", &pad);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE));
  fail_unless (remix_server_wait (&remix_server.n_closed,
                   g_atomic_int_get (&remix_server.n_overlong) - 1),
      "it receives on");
  gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_check_teardown_element (src);
}

GST_END_TEST;

#define BIG \
  "-f lavfi -i testsrc2=s=640x360:r=25:d=8 -c:v libx264 -preset ultrafast " \
  "-crf 1 -threads 1 -g 25 -pix_fmt yuv420p -movflags +faststart "

/* The first answers for each source, then another version. */
GST_START_TEST (test_changed)
{
  remix_media_make (BIG "big.mp4");
  remix_media_write ("title.smil",
      "<smil><body><video src='big.mp4'/></body></smil>");
  remix_server.change_after = 2;
  remix_server_expect_failure ("title.smil", "big.mp4", "has changed since");
}

GST_END_TEST;

/* The title's ETag, of a session that pulls all of it, and its bytes. */
static gchar *
pull_all (GstElement *src, GstPad *pad, GByteArray *bytes)
{
  gchar *etag = NULL;
  GstFlowReturn ret;

  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE));
  g_object_get (src, "etag", &etag, NULL);
  g_byte_array_set_size (bytes, 0);
  do {
    GstBuffer *buffer = NULL;
    GstMapInfo map;

    ret = gst_pad_get_range (pad, bytes->len, 100000, &buffer);
    if (ret == GST_FLOW_OK) {
      gst_buffer_map (buffer, &map, GST_MAP_READ);
      g_byte_array_append (bytes, map.data, (guint) map.size);
      gst_buffer_unmap (buffer, &map);
      gst_buffer_unref (buffer);
    }
  } while (ret == GST_FLOW_OK);
  fail_unless_equals_int (ret, GST_FLOW_EOS);
  gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE);
  return etag;
}

/* The playlist's ETag is kept: who starts again asks whether it still holds. One
 * that does not is another title. */
GST_START_TEST (test_restart)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GByteArray) again = g_byte_array_new ();
  g_autofree gchar *etag = NULL;
  g_autofree gchar *same = NULL;
  g_autofree gchar *other = NULL;
  GstElement *src;
  GstPad *pad;

  write_title ("");
  src = make_source ("title.smil", &pad);
  etag = pull_all (src, pad, bytes);
  fail_unless_equals_int (remix_server.n_conditional, 0);
  same = pull_all (src, pad, again);
  fail_unless_equals_int (remix_server.n_conditional, 1);
  fail_unless_equals_int (remix_server.n_unmodified, 1);
  fail_unless_equals_string (etag, same);
  fail_unless (bytes->len == again->len &&
      memcmp (bytes->data, again->data, bytes->len) == 0);

  remix_media_write ("title.smil",
      "<smil><body><video src='A3.mp4'/></body></smil>");
  other = pull_all (src, pad, again);
  fail_unless_equals_int (remix_server.n_conditional, 2);
  fail_unless_equals_int (remix_server.n_unmodified, 1);
  fail_unless (strcmp (etag, other) != 0);
  fail_unless (again->len < bytes->len);

  /* Of another location nothing is known. */
  {
    g_autofree gchar *uri =
        g_strdup_printf ("http://127.0.0.1:%u/redirect/title.smil",
            remix_server.port);

    g_object_set (src, "location", uri, NULL);
  }
  g_free (pull_all (src, pad, bytes));
  fail_unless_equals_int (remix_server.n_conditional, 2);
  /* Redirected, it is the last address that is asked. */
  g_free (pull_all (src, pad, bytes));
  fail_unless_equals_int (remix_server.n_conditional, 3);
  fail_unless_equals_int (remix_server.n_unmodified, 2);
  fail_unless (bytes->len == again->len &&
      memcmp (bytes->data, again->data, bytes->len) == 0);
  gst_object_unref (pad);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_check_teardown_element (src);
}

GST_END_TEST;

/* What is no entity tag (RFC 9110, 8.8.3) is not sent back: "*" would be any. */
GST_START_TEST (test_odd_etags)
{
  static const gchar *const etags[] = { "*", "abc", "W/abc", "w/\"abc\"" };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GstPad) pad = NULL;
  GstElement *src;
  guint i;

  write_title ("");
  src = make_source ("title.smil", &pad);
  for (i = 0; i < G_N_ELEMENTS (etags); i++) {
    remix_server.etag = etags[i];
    g_free (pull_all (src, pad, bytes));
  }
  remix_server.etag = "W/\"abc\"";
  g_free (pull_all (src, pad, bytes));
  fail_unless_equals_int (remix_server.n_conditional, 0);
  g_free (pull_all (src, pad, bytes));
  fail_unless_equals_int (remix_server.n_unmodified, 1);
  gst_check_teardown_element (src);
}

GST_END_TEST;

static gint
count_random_requests (guint read_ahead)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  gint64 size = 0;
  GstElement *src;
  GstPad *pad;
  guint i;

  src = make_source ("title.smil", &pad);
  g_object_set (src, "read-ahead", read_ahead, NULL);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE));
  fail_unless (gst_element_query_duration (src, GST_FORMAT_BYTES, &size));
  g_atomic_int_set (&remix_server.n_requests, 0);
  for (i = 0; i < 40; i++) {
    guint64 offset =
        (guint64) (g_rand_double (rand) * (gdouble) (size - 200000));
    GstBuffer *buffer = NULL;

    fail_unless_equals_int (gst_pad_get_range (pad, offset, 200000, &buffer),
        GST_FLOW_OK);
    gst_buffer_unref (buffer);
  }
  gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE);
  gst_object_unref (pad);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_check_teardown_element (src);
  return g_atomic_int_get (&remix_server.n_requests);
}

/* Who reads here and there costs no request more than without read-ahead. */
GST_START_TEST (test_random_access)
{
  gint without, with;

  remix_media_make (BIG "big.mp4");
  remix_media_write ("title.smil",
      "<smil><body><video src='big.mp4'/><video src='big.mp4'/></body></smil>");
  without = count_random_requests (0);
  with = count_random_requests (4 << 20);
  fail_unless (with <= without, "%d requests instead of %d", with, without);
}

GST_END_TEST;

/* Reads [from, to) of the title on and on; both in percent. */
static void
read_on (GstPad *pad, gint64 size, gint from, gint to)
{
  gint64 at;

  for (at = size / 100 * from; at < size / 100 * to; at += 100000) {
    GstBuffer *buffer = NULL;

    fail_unless_equals_int (gst_pad_get_range (pad, (guint64) at, 100000,
                                &buffer),
        GST_FLOW_OK);
    gst_buffer_unref (buffer);
  }
}

/* Reading has asked ahead in three sources when it goes to another place: what
 * comes behind that is asked for ahead as well. */
GST_START_TEST (test_ahead_after_jump)
{
  gint64 size = 0;
  gint opened;
  GstElement *src;
  GstPad *pad;

  remix_media_make (BIG "big.mp4");
  make_copies ("big.mp4", "b", 6);
  remix_media_write ("title.smil",
      "<smil><body><video src='b0.mp4'/>"
      "<video src='b1.mp4' clipBegin='4s' clipEnd='5s'/>"
      "<video src='b2.mp4' clipBegin='4s' clipEnd='5s'/>"
      "<video src='b3.mp4' clipBegin='4s' clipEnd='5s'/>"
      "<video src='b4.mp4'/>"
      "<video src='b5.mp4' clipBegin='4s' clipEnd='5s'/></body></smil>");
  remix_server.watched = "b5.mp4";
  src = make_source ("title.smil", &pad);
  g_object_set (src, "read-ahead", 64 << 20, NULL);
  fail_unless (gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, TRUE));
  fail_unless (gst_element_query_duration (src, GST_FORMAT_BYTES, &size));
  read_on (pad, size, 0, 10);
  opened = g_atomic_int_get (&remix_server.n_watched);
  read_on (pad, size, 65, 75);
  fail_unless (remix_server_wait (&remix_server.n_watched, opened),
      "no request runs ahead any more");
  gst_pad_activate_mode (pad, GST_PAD_MODE_PULL, FALSE);
  gst_object_unref (pad);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_check_teardown_element (src);
}

GST_END_TEST;

/* To wait for a server that says nothing ends when it is to end; without a
 * timeout nothing else ends it. */
GST_START_TEST (test_stop)
{
  g_autofree gchar *line = NULL;
  g_autoptr (GstElement) pipeline = NULL;

  remix_media_make (BIG "big.mp4");
  remix_media_write ("title.smil",
      "<smil><body><video src='big.mp4'/></body></smil>");
  remix_server.hang_after = 2;
  line = g_strdup_printf (
      "smilremixsrc timeout=0 location=http://127.0.0.1:%u/title.smil ! "
      "fakesink async=false",
      remix_server.port);
  pipeline = gst_parse_launch (line, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fail_unless (remix_server_wait (&remix_server.n_hanging, 0));
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

GST_END_TEST;

static Suite *
smilremix_http_suite (void)
{
  Suite *s = suite_create ("smilremix-http");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120); /* more than what is waited for */
  tcase_add_unchecked_fixture (tc, remix_media_setup, remix_media_teardown);
  tcase_add_checked_fixture (tc, remix_server_start, remix_server_stop);
  tcase_add_test (tc, test_plain);
  tcase_add_test (tc, test_redirected);
  tcase_add_test (tc, test_opened_together);
  tcase_add_test (tc, test_dropped_connection);
  tcase_add_test (tc, test_broken);
  tcase_add_test (tc, test_not_found);
  tcase_add_test (tc, test_permanent);
  tcase_add_test (tc, test_no_ranges);
  tcase_add_test (tc, test_overlong);
  tcase_add_test (tc, test_changed);
  tcase_add_test (tc, test_restart);
  tcase_add_test (tc, test_odd_etags);
  tcase_add_test (tc, test_random_access);
  tcase_add_test (tc, test_ahead_after_jump);
  tcase_add_test (tc, test_stop);

  return s;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  if (!remix_media_available ()) {
    g_printerr ("skipped: ffmpeg and ffprobe make the sources\n");
    return 77;
  }
  return gst_check_run_suite (smilremix_http_suite (), "smilremix_http",
      __FILE__);
}
