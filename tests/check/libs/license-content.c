/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which keys a title needs, from its boxes: those of a file, and those of a title
 * on a server, of which no more than the headers is fetched.
 */

#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "../license/testlicense.h"
#include "../license/testsocket.h"
#include "gst/cenc/cenc-params.h"
#include "gst/isobmff/bmff-writer.h"
#include "license/license-content.h"
#include "license/license-remote.h"

/* What stands in front of moov where it comes last. */
#define MEDIA (1024 * 1024)

#define FOURCC(text) BMFF_FOURCC ((text)[0], (text)[1], (text)[2], (text)[3])

/* --- a title ------------------------------------------------------------- */

typedef enum
{
  WITH_TENC = 1,
  WITH_PIFF = 2,
  WITH_PSSH = 4,
  WITH_SEIG = 8,
  MOOV_LAST = 16,
  WITHOUT_MOOV = 32,
} Title;

static void
add_box (BmffWriter *w, const gchar *type, gsize zeros)
{
  bmff_writer_begin_box (w, FOURCC (type));
  bmff_writer_zeros (w, zeros);
  bmff_writer_end_box (w);
}

static void
add_schi (BmffWriter *w, Title title)
{
  bmff_writer_begin_box (w, FOURCC ("schi"));
  if (title & WITH_TENC) {
    bmff_writer_begin_full_box (w, FOURCC ("tenc"), 0, 0);
    bmff_writer_u32 (w, 0x0108);
    bmff_writer_bytes (w, test_kid, 16);
    bmff_writer_end_box (w);
  }
  if (title & WITH_PIFF) {
    bmff_writer_begin_uuid_box (w, CENC_PIFF_TENC_UUID);
    bmff_writer_u32 (w, 0);
    bmff_writer_u32 (w, 0x0108);
    bmff_writer_bytes (w, test_kid2, 16);
    bmff_writer_end_box (w);
  }
  bmff_writer_end_box (w);
}

static void
add_stsd (BmffWriter *w, Title title)
{
  bmff_writer_begin_full_box (w, FOURCC ("stsd"), 0, 0);
  bmff_writer_u32 (w, 1);
  bmff_writer_begin_box (w, FOURCC ("encv"));
  bmff_writer_zeros (w, 6);
  bmff_writer_u16 (w, 1);
  bmff_writer_zeros (w, 70);
  bmff_writer_begin_box (w, FOURCC ("sinf"));
  bmff_writer_begin_box (w, FOURCC ("frma"));
  bmff_writer_u32 (w, FOURCC ("avc1"));
  bmff_writer_end_box (w);
  add_schi (w, title);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
}

static void
add_sgpd (BmffWriter *w)
{
  static const guint8 kid[16] = "kid-of-its-group";

  bmff_writer_begin_full_box (w, FOURCC ("sgpd"), 1, 0);
  bmff_writer_u32 (w, FOURCC ("seig"));
  bmff_writer_u32 (w, 20);
  bmff_writer_u32 (w, 1);
  bmff_writer_u32 (w, 0x0108);
  bmff_writer_bytes (w, kid, 16);
  bmff_writer_end_box (w);
}

static void
add_trak (BmffWriter *w, Title title)
{
  bmff_writer_begin_box (w, FOURCC ("trak"));
  bmff_writer_begin_full_box (w, FOURCC ("tkhd"), 0, 3);
  bmff_writer_zeros (w, 8);
  bmff_writer_u32 (w, 1);
  bmff_writer_zeros (w, 68);
  bmff_writer_end_box (w);
  bmff_writer_begin_box (w, FOURCC ("mdia"));
  bmff_writer_begin_full_box (w, FOURCC ("mdhd"), 0, 0);
  bmff_writer_zeros (w, 8);
  bmff_writer_u32 (w, 1000);
  bmff_writer_zeros (w, 8);
  bmff_writer_end_box (w);
  bmff_writer_begin_full_box (w, FOURCC ("hdlr"), 0, 0);
  bmff_writer_u32 (w, 0);
  bmff_writer_u32 (w, FOURCC ("vide"));
  bmff_writer_zeros (w, 13);
  bmff_writer_end_box (w);
  bmff_writer_begin_box (w, FOURCC ("minf"));
  bmff_writer_begin_box (w, FOURCC ("stbl"));
  add_stsd (w, title);
  if (title & WITH_SEIG)
    add_sgpd (w);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
}

static void
add_moov (BmffWriter *w, Title title)
{
  bmff_writer_begin_box (w, FOURCC ("moov"));
  bmff_writer_begin_full_box (w, FOURCC ("mvhd"), 0, 0);
  bmff_writer_zeros (w, 8);
  bmff_writer_u32 (w, 1000);
  bmff_writer_zeros (w, 84);
  bmff_writer_end_box (w);
  add_trak (w, title);
  if (title & WITH_PSSH) {
    bmff_writer_begin_full_box (w, FOURCC ("pssh"), 1, 0);
    bmff_writer_zeros (w, 16);
    bmff_writer_u32 (w, 2);
    bmff_writer_bytes (w, test_kid, 16);
    bmff_writer_bytes (w, test_kid2, 16);
    bmff_writer_u32 (w, 0);
    bmff_writer_end_box (w);
  }
  bmff_writer_end_box (w);
}

static GBytes *
make_title (Title title)
{
  BmffWriter *w = bmff_writer_new (MEDIA + 4096);

  add_box (w, "ftyp", 16);
  if (title & MOOV_LAST)
    add_box (w, "mdat", MEDIA);
  if (!(title & WITHOUT_MOOV))
    add_moov (w, title);
  if (!(title & MOOV_LAST))
    add_box (w, "mdat", MEDIA);
  return bmff_writer_end (w);
}

/* --- a file -------------------------------------------------------------- */

static const struct
{
  guint title;
  const gchar *kids;
} files[] = {
  { WITH_TENC, "kid-one-16-bytes" },
  { WITH_PIFF, "kid-two-16-bytes" },
  { WITH_PIFF | MOOV_LAST, "kid-two-16-bytes" },
  { WITH_TENC | WITH_PIFF, "kid-one-16-byteskid-two-16-bytes" },
  { WITH_TENC | WITH_SEIG, "kid-one-16-byteskid-of-its-group" },
  { WITH_TENC | WITH_PSSH, "kid-one-16-byteskid-two-16-bytes" },
  { WITH_PSSH | MOOV_LAST, "kid-one-16-byteskid-two-16-bytes" },
};

static void
expect_kids (GByteArray *kids, const GError *error, const gchar *wanted)
{
  g_assert_no_error (error);
  assert_equals_int (kids->len, strlen (wanted));
  fail_unless (memcmp (kids->data, wanted, kids->len) == 0);
}

GST_START_TEST (test_files)
{
  g_autoptr (GBytes) title = make_title (files[__i__].title);
  g_autofree gchar *path = NULL, *uri = NULL;
  const gchar *locations[2];
  guint i;
  gint fd = g_file_open_tmp ("content-XXXXXX", &path, NULL);

  fail_unless (fd >= 0);
  g_close (fd, NULL);
  g_file_set_contents (path, g_bytes_get_data (title, NULL),
      (gssize) g_bytes_get_size (title), NULL);
  uri = g_filename_to_uri (path, NULL, NULL);
  locations[0] = path;
  locations[1] = uri;
  for (i = 0; i < G_N_ELEMENTS (locations); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GByteArray) kids =
        license_content_list_kids (locations[i], NULL, &error);

    expect_kids (kids, error, files[__i__].kids);
  }
  g_unlink (path);
}

GST_END_TEST;

static const struct
{
  const gchar *location;
  gint code;
  const gchar *word;
} nowhere[] = {
  { "/nowhere/title.mp4", GST_CENC_ERROR_FAILED, "title.mp4" },
  { "file:///nowhere/title.mp4", GST_CENC_ERROR_FAILED, "title.mp4" },
  { "ftp://example.com/title.mp4", GST_CENC_ERROR_UNSUPPORTED, "http" },
  { "https://example.com/title.mp4", GST_CENC_ERROR_UNSUPPORTED,
      "does not touch" },
};

GST_START_TEST (test_nowhere)
{
  g_autoptr (GError) error = NULL;

  fail_unless (license_content_list_kids (nowhere[__i__].location, NULL,
                   &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, nowhere[__i__].code),
      "%s", error->message);
  fail_unless (strstr (error->message, nowhere[__i__].word) != NULL, "%s",
      error->message);
}

GST_END_TEST;

/* --- a server ------------------------------------------------------------ */

static TestSocket server;
static GBytes *served;
static gint sent; /* bytes of the title, all in all */

static void
setup (void)
{
  test_socket_init (&server);
  sent = 0;
}

static void
teardown (void)
{
  test_socket_clear (&server);
  g_clear_pointer (&served, g_bytes_unref);
}

static void
send_piece (GOutputStream *stream, guint64 from, guint64 size)
{
  g_atomic_int_add (&sent, (gint) size);
  g_output_stream_write_all (stream,
      (const guint8 *) g_bytes_get_data (served, NULL) + from, size, NULL, NULL,
      NULL);
}

static void
send_head (GOutputStream *stream, const gchar *range, guint64 size)
{
  g_autofree gchar *head = g_strdup_printf (
      "HTTP/1.1 %s\r\nContent-Type: video/mp4\r\nConnection: close\r\n"
      "Content-Length: %" G_GUINT64_FORMAT "\r\n\r\n",
      range, size);

  test_socket_send (stream, head);
}

/* Returns: FALSE if none is asked for */
static gboolean
asked_range (const gchar *request, guint64 *from, guint64 *size)
{
  const gchar *range = strstr (request, "Range: bytes=");
  guint64 to, total = g_bytes_get_size (served);

  if (!range ||
      sscanf (range + strlen ("Range: bytes="), //
          "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, from, &to) != 2)
    return FALSE;
  *size = MIN (to + 1, total) - *from;
  return TRUE;
}

/* @shift: what the server's word is wrong by */
static void
serve (GOutputStream *stream, const gchar *request, guint shift)
{
  g_autofree gchar *status = NULL;
  guint64 from, size, total = g_bytes_get_size (served);

  if (!asked_range (request, &from, &size)) {
    send_head (stream, "400 No Range", 0);
    return;
  }
  status = g_strdup_printf ("206 Partial Content\r\n"
                            "Content-Range: bytes %" G_GUINT64_FORMAT
                            "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
      from + shift, from + shift + size - 1, total);
  send_head (stream, status, size);
  send_piece (stream, from, size);
}

static void
answer_ranges (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  serve (stream, request, 0);
}

static void
answer_other_range (GOutputStream *stream, GSocket *socket,
    const gchar *request)
{
  serve (stream, request, 1);
}

static void
answer_whole (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  send_head (stream, "200 OK", g_bytes_get_size (served));
  send_piece (stream, 0, g_bytes_get_size (served));
}

static void
answer_more (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  guint64 size = g_bytes_get_size (served);

  send_head (stream, "206 Partial Content\r\nContent-Range: bytes 0-65535/1",
      size);
  send_piece (stream, 0, size);
}

static void
answer_404 (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  send_head (stream, "404 Not Found", 0);
}

/* A title without an end: a box after box, of which none is moov. */
static void
answer_boxes (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  const guint8 box[16] = { 0, 0, 0, 1, 'f', 'r', 'e', 'e', 0, 0, 0, 0, 0, 2 };
  g_autofree guint8 *piece = g_malloc0 (65536);
  g_autofree gchar *status = NULL;
  const gchar *range = strstr (request, "Range: bytes=");
  guint64 from =
      range ? g_ascii_strtoull (range + strlen ("Range: bytes="), NULL, 10) : 0;

  memcpy (piece, box, sizeof box);
  status = g_strdup_printf ("206 Partial Content\r\n"
                            "Content-Range: bytes %" G_GUINT64_FORMAT
                            "-%" G_GUINT64_FORMAT "/1000000000000",
      from, from + 65535);
  send_head (stream, status, 65536);
  g_output_stream_write_all (stream, piece, 65536, NULL, NULL, NULL);
}

/* A moov that says that it is larger than any. */
static void
answer_huge_moov (GOutputStream *stream, GSocket *socket, const gchar *request)
{
  const guint8 box[8] = { 0x0f, 0, 0, 0, 'm', 'o', 'o', 'v' };
  g_autofree guint8 *piece = g_malloc0 (65536);

  memcpy (piece, box, sizeof box);
  send_head (stream,
      "206 Partial Content\r\nContent-Range: bytes 0-65535/1000000000000",
      65536);
  g_output_stream_write_all (stream, piece, 65536, NULL, NULL, NULL);
}

static GByteArray *
look (const gchar *path, GError **error)
{
  LicenseClient client = { NULL, 20, 1, 1, 1000 };
  g_autofree gchar *url =
      g_strdup_printf ("http://127.0.0.1:%u/%s", server.port, path);

  return license_content_list_kids (url, &client, error);
}

/* Moov in front or behind: of a megabyte some blocks are fetched. */
GST_START_TEST (test_ranges)
{
  g_autoptr (GByteArray) kids = NULL;
  g_autoptr (GError) error = NULL;

  served = make_title (files[__i__].title);
  server.answer = answer_ranges;
  test_socket_start (&server);
  kids = look ("title.mp4", &error);
  expect_kids (kids, error, files[__i__].kids);
  fail_unless (g_atomic_int_get (&sent) <= 2 * 65536, "%d bytes", sent);
  fail_unless (g_atomic_int_get (&server.connections) <= 2);
}

GST_END_TEST;

#define CLIENT(code) TRUE, LICENSE_CLIENT_ERROR_##code
#define CENC(code) FALSE, GST_CENC_ERROR_##code

static const struct
{
  TestAnswer answer;
  guint title;
  gboolean from_client;
  gint code;
  const gchar *word;
} faults[] = {
  { answer_whole, WITH_TENC, CLIENT (PROTOCOL), "whole files only" },
  { answer_other_range, WITH_TENC, CLIENT (PROTOCOL), "another range" },
  { answer_more, WITH_TENC, CLIENT (SIZE), "larger" },
  { answer_404, WITH_TENC, CLIENT (NOT_FOUND), "404" },
  { answer_boxes, WITH_TENC, CLIENT (SIZE), "farther apart" },
  { answer_huge_moov, WITH_TENC, CLIENT (SIZE), "larger" },
  { answer_ranges, 0, CENC (FORMAT), "names no key" },
  { answer_ranges, WITHOUT_MOOV, CENC (FORMAT), "no moov" },
};

GST_START_TEST (test_faults)
{
  g_autoptr (GByteArray) kids = NULL;
  g_autoptr (GError) error = NULL;

  served = make_title (faults[__i__].title);
  server.answer = faults[__i__].answer;
  test_socket_start (&server);
  kids = look ("title.mp4?signature=secret", &error);
  fail_unless (kids == NULL);
  fail_unless (g_error_matches (error,
                   faults[__i__].from_client ? LICENSE_CLIENT_ERROR
                                             : GST_CENC_ERROR,
                   faults[__i__].code),
      "%s", error->message);
  fail_unless (strstr (error->message, faults[__i__].word) != NULL, "%s",
      error->message);
  /* It is named, without what may be a credential. */
  fail_unless (strstr (error->message, "/title.mp4: ") != NULL, "%s",
      error->message);
  fail_unless (strstr (error->message, "secret") == NULL);
}

GST_END_TEST;

static Suite *
license_content_suite (void)
{
  Suite *suite = suite_create ("license-content");
  TCase *file = tcase_create ("file");
  TCase *net = tcase_create ("server");

  suite_add_tcase (suite, file);
  tcase_add_loop_test (file, test_files, 0, G_N_ELEMENTS (files));
  tcase_add_loop_test (file, test_nowhere, 0, G_N_ELEMENTS (nowhere));
  suite_add_tcase (suite, net);
  tcase_add_checked_fixture (net, setup, teardown);
  tcase_add_loop_test (net, test_ranges, 0, G_N_ELEMENTS (files));
  tcase_add_loop_test (net, test_faults, 0, G_N_ELEMENTS (faults));
  return suite;
}

GST_CHECK_MAIN (license_content);
