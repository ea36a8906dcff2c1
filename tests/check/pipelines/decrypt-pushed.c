/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencdecrypt in front of a demuxer behind something that pushes and cannot
 * seek: a pipe, a live stream.
 */

#include "../elements/cencdecrypt-util.h"
#include "decrypt-push.h"
#include "decrypt-util.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Up to 64 MiB of media data are kept until the moov comes. */
GST_START_TEST (test_moov_last)
{
  GPtrArray *vectors = vectors_load ();
  static const gchar *const files[] = { "peer-gpac-prog-cenc.mp4",
    "peer-gpac-prog-cbcs.mp4" };
  guint i;

  for (i = 0; vectors && i < G_N_ELEMENTS (files); i++) {
    const Vector *vector = vectors_find (vectors, files[i]);
    GByteArray *in = moov_last (vector->path, 0), *out;
    GstBus *bus;
    GstHarness *h = test_harness_new ("video/quicktime", vector->keys, &bus);
    gchar *digest;

    fail_unless_equals_int (push_all (h, in), GST_FLOW_OK);
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
    out = pull_all (h);
    fail_unless_equals_int (out->len, in->len);
    digest = mdat_digest (out->data, out->len);
    fail_unless_equals_string (digest, vector->sha256);
    g_free (digest);
    g_byte_array_unref (in);
    g_byte_array_unref (out);
    test_harness_free (h, bus);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/* More is an error that says so, at once, and no byte of it goes out. */
GST_START_TEST (test_moov_too_far)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, "peer-gpac-prog-cenc.mp4");
  GByteArray *in, *out;
  GstBus *bus;
  GstHarness *h;

  if (!vector)
    return;
  in = moov_last (vector->path, 65u << 20);
  h = test_harness_new ("video/quicktime", vector->keys, &bus);
  fail_unless_equals_int (push_all (h, in), GST_FLOW_ERROR);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX, "64 MiB");
  out = pull_all (h);
  fail_unless (out->len < find_box (in, "mdat") + 16, "%u", out->len);
  g_byte_array_unref (in);
  g_byte_array_unref (out);
  test_harness_free (h, bus);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

static GstMessage *
pop_key_needed (GstBus *bus)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (message, "cencdecrypt-key-needed"))
      return message;
    gst_message_unref (message);
  }
  return NULL;
}

/* What stands in a file's pssh boxes comes with the message in front of the
 * demuxer too: each system once, also if fragments repeat it. */
GST_START_TEST (test_systems)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector =
      vectors_find (vectors, "shaka-player_multidrm-video-init.mp4");
  const GstStructure *structure, *system;
  const GValue *systems;
  GByteArray *in;
  GstMessage *message;
  GstBuffer *init_data;
  GstBus *bus;
  GstHarness *h;
  guint i;

  if (!vector)
    return;
  in = read_file (vector->path);
  h = test_harness_new ("video/quicktime", NULL, &bus);
  fail_unless_equals_int (push_all (h, in), GST_FLOW_ERROR);
  message = pop_key_needed (bus);
  fail_unless (message != NULL);
  structure = gst_message_get_structure (message);
  fail_unless_equals_string (gst_structure_get_string (structure, "key-id"),
      "26093af868d35e2cae9f1cd3d59932f1");

  systems = gst_structure_get_value (structure, "systems");
  fail_unless (systems && GST_VALUE_HOLDS_LIST (systems));
  fail_unless (gst_value_list_get_size (systems) >= 2);
  for (i = 0; i < gst_value_list_get_size (systems); i++) {
    system = gst_value_get_structure (gst_value_list_get_value (systems, i));
    fail_unless_equals_int (strlen (
                                gst_structure_get_string (system, "system-id")),
        36);
    fail_unless_equals_string (gst_structure_get_string (system, "origin"),
        "isobmff/moov");
    fail_unless (gst_structure_get (system, "init-data", GST_TYPE_BUFFER,
        &init_data, NULL));
    fail_unless_equals_int (gst_buffer_memcmp (init_data, 4, "pssh", 4), 0);
    gst_buffer_unref (init_data);
  }
  /* The newest stands for itself, as before. */
  system = gst_value_get_structure (gst_value_list_get_value (systems, 0));
  fail_unless_equals_string (gst_structure_get_string (system, "system-id"),
      gst_structure_get_string (structure, "system-id"));

  fail_unless (pop_key_needed (bus) == NULL);
  gst_message_unref (message);
  g_byte_array_unref (in);
  test_harness_free (h, bus);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/* An EBML header, and a track with or without ContentEncodings, in @size bytes. */
static GByteArray *
make_webm (guint size, gboolean protect)
{
  static const guint8 header[] = { 0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x86,
    0x81, 0x01, 0x42, 0xf7, 0x81, 0x01, 0x42, 0xf2, 0x81, 0x04, 0x42, 0xf3,
    0x81, 0x08, 0x42, 0x82, 0x84, 'w', 'e', 'b', 'm' };
  static const guint8 encodings[] = { 0x6d, 0x80, 0xa6, 0x62, 0x40, 0xa3, 0x50,
    0x31, 0x81, 0x00, 0x50, 0x32, 0x81, 0x01, 0x50, 0x33, 0x81, 0x01, 0x50,
    0x35, 0x90, 0x47, 0xe1, 0x81, 0x05, 0x47, 0xe2, 0x84, 1, 2, 3, 4 };
  GByteArray *data = g_byte_array_new ();
  guint i;

  g_byte_array_set_size (data, size);
  for (i = 0; i < size; i++)
    data->data[i] = (guint8) (i * 7 / 5);
  memcpy (data->data, header, sizeof header);
  if (protect)
    memcpy (data->data + 300, encodings, sizeof encodings);
  return data;
}

/* Decrypted behind its demuxer only: here it must not pass for a file without
 * protection. */
static void
check_webm (guint size, gboolean protect, guint block)
{
  GByteArray *in = make_webm (size, protect), *out;
  GstFlowReturn flow = GST_FLOW_OK;
  GstBus *bus;
  GstHarness *h = test_harness_new (NULL, NIST_KEYS, &bus);
  GstSegment segment;
  guint pos;

  /* As a source of files does: without caps. */
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_stream_start ("webm"));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (pos = 0; pos < size && flow == GST_FLOW_OK; pos += block)
    flow = gst_harness_push (h,
        gst_buffer_new_memdup (in->data + pos, MIN (block, size - pos)));
  gst_harness_push_event (h, gst_event_new_eos ());
  out = pull_all (h);
  if (protect) {
    fail_unless_equals_int (out->len, 0);
    test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
        "behind the demuxer");
  } else {
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
    fail_unless_equals_int (out->len, size);
    fail_unless_equals_int (memcmp (out->data, in->data, size), 0);
  }
  g_byte_array_unref (in);
  g_byte_array_unref (out);
  test_harness_free (h, bus);
}

GST_START_TEST (test_webm)
{
  check_webm (100000, TRUE, 4096);
  check_webm (100000, TRUE, 100000);
  check_webm (10000, TRUE, 4096);
  check_webm (100000, FALSE, 4096);
  check_webm (10000, FALSE, 3);
}
GST_END_TEST;

GST_START_TEST (test_webm_pulled)
{
  guint protect;

  for (protect = 0; protect < 2; protect++) {
    GByteArray *in = make_webm (100000, protect == 1), *out;
    gchar *path = g_strdup_printf ("%s/cencdecrypt-pushed-%d.webm",
        g_get_tmp_dir (), (gint) getpid ());
    gchar *launch = g_strdup_printf (
        "filesrc location=%s ! cencdecrypt ! fakesink name=sink", path);
    GError *error = NULL;

    fail_unless (
        g_file_set_contents (path, (const gchar *) in->data, in->len, NULL));
    out = pipeline_collect (launch, &error);
    if (protect) {
      fail_unless (out == NULL);
      fail_unless (
          g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT));
      g_error_free (error);
    } else {
      fail_unless (out != NULL && out->len == in->len);
      fail_unless_equals_int (memcmp (out->data, in->data, in->len), 0);
      g_byte_array_unref (out);
    }
    g_unlink (path);
    g_byte_array_unref (in);
    g_free (path);
    g_free (launch);
  }
}
GST_END_TEST;

static Suite *
decrypt_pushed_suite (void)
{
  Suite *suite = suite_create ("decrypt-pushed");
  TCase *tc = tcase_create ("pushed");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_moov_last);
  tcase_add_test (tc, test_moov_too_far);
  tcase_add_test (tc, test_systems);
  tcase_add_test (tc, test_webm);
  tcase_add_test (tc, test_webm_pulled);
  return suite;
}

GST_CHECK_MAIN (decrypt_pushed);
