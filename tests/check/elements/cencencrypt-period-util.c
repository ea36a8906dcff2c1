/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cencencrypt-period-util.h"

#include <glib/gstdio.h>
#include <string.h>

/* Of the seed, by `openssl kdf … HKDF`; see docs/cencencrypt.md */
const gchar *period_derived[4][2] = {
  { SEED_KID, "218169c0aae82cb744cece3876e82570" },
  { SEED_KID_1, "f0eec7e9b2eef67ff36f32237f7fbb47" },
  { "00112233445566778899aabbccddee02", "5028c1b6c4498c11f8b18513a12ec132" },
  { "00112233445566778899aabbccddee03", "0cbb4c1df6af5c75cd35771dc3970bec" },
};

GBytes *period_clear;
gchar *period_folder;

void
period_setup (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (period_derived); i++)
    judge_add_key (period_derived[i][0], period_derived[i][1]);
  judge_add_key ("33333333333333333333333333333333", JUDGE_KEY);
  period_folder = g_dir_make_tmp ("cencencrypt-periods-XXXXXX", NULL);
  if (!judge_has_elements ("x264enc h264parse avenc_aac aacparse mp4mux"))
    return;
  period_clear = judge_run_apart (
      "videotestsrc num-buffers=100 ! video/x-raw,width=160,height=120,"
      "framerate=25/1 ! x264enc key-int-max=25 speed-preset=ultrafast ! "
      "h264parse ! mp4mux name=m fragment-duration=1000 ! appsink name=out "
      "audiotestsrc num-buffers=170 ! avenc_aac ! aacparse ! m.");
}

void
period_teardown (void)
{
  g_rmdir (period_folder);
  g_clear_pointer (&period_folder, g_free);
  g_clear_pointer (&period_clear, g_bytes_unref);
}

void
period_collect (GstHarness *h, GByteArray *out)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h))) {
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (out, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
}

void
period_push_all (GstHarness *h, GBytes *file, GByteArray *out)
{
  gst_harness_push (h, gst_buffer_new_wrapped_bytes (file));
  period_collect (h, out);
}

GstBus *
period_watch (GstHarness *h)
{
  GstElement *element = gst_harness_find_element (h, "cencencrypt");
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  gst_object_unref (element);
  return bus;
}

void
period_append_box (GByteArray *out, const BmffBox *box)
{
  g_autoptr (GBytes) bytes = bmff_box_to_bytes (box);

  g_byte_array_append (out, g_bytes_get_data (bytes, NULL),
      (guint) g_bytes_get_size (bytes));
}

GstHarness *
period_harness_new (const gchar *settings)
{
  g_autofree gchar *description = g_strconcat ("cencencrypt ", settings, NULL);
  GstHarness *h = gst_harness_new_parse (description);

  gst_harness_set_src_caps_str (h, "video/quicktime, variant=(string)iso");
  return h;
}

GBytes *
period_convert (GstHarness *h, GBytes *file, gsize step)
{
  gsize size = g_bytes_get_size (file), pos;
  GstFlowReturn flow = GST_FLOW_OK;
  GByteArray *out = g_byte_array_new ();
  gboolean ended;

  for (pos = 0; pos < size && flow == GST_FLOW_OK; pos += step) {
    GBytes *piece;

    if (step < 64 && pos > 8192)
      step = 65521;
    piece = g_bytes_new_from_bytes (file, pos, MIN (step, size - pos));
    flow = gst_harness_push (h, gst_buffer_new_wrapped_bytes (piece));
    g_bytes_unref (piece);
  }
  ended = gst_harness_push_event (h, gst_event_new_eos ());
  period_collect (h, out);
  if (flow == GST_FLOW_OK && ended)
    return g_byte_array_free_to_bytes (out);
  g_byte_array_unref (out);
  return NULL;
}

GBytes *
period_convert_with (const gchar *settings, GBytes *file, gsize step)
{
  GstHarness *h = period_harness_new (settings);
  GBytes *out = period_convert (h, file, step);

  gst_harness_teardown (h);
  return out;
}

void
period_check_fails (const gchar *description, GBytes *file, GQuark domain,
    gint code, const gchar *text)
{
  GstHarness *h = period_harness_new (description);
  GstBus *bus = period_watch (h);
  GBytes *out = period_convert (h, file, 4096);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_if (out, "no error: \"%s\" was expected", text);
  fail_unless (message);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  fail_unless (strstr (error->message, text), "\"%s\" in: %s", text,
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

/* What comes out of a file; the bus with all messages to @bus, if not NULL. NULL: there was an error. */
GBytes *
period_encrypt (const gchar *settings, GBytes *file, GstBus **bus)
{
  GstHarness *h = period_harness_new (settings);
  GstBus *own = period_watch (h);
  GstElement *element = gst_harness_find_element (h, "cencencrypt");
  GByteArray *out = g_byte_array_new ();
  gboolean ok;

  period_push_all (h, file, out);
  ok = gst_harness_push_event (h, gst_event_new_eos ());
  period_collect (h, out); /* a progressive file comes at its end */
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
  gst_harness_teardown (h);
  if (bus)
    *bus = own;
  else
    gst_object_unref (own);
  if (ok)
    return g_byte_array_free_to_bytes (out);
  g_byte_array_unref (out);
  return NULL;
}

GBytes *
period_encrypt_good (const gchar *settings)
{
  GstBus *bus;
  GBytes *out = period_encrypt (settings, period_clear, &bus);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

  fail_unless (out && !message, "%s: %" GST_PTR_FORMAT, settings, message);
  gst_object_unref (bus);
  return out;
}

/* An error of SETTINGS that has @word, and no @secret. */
void
period_check_error (GstBus *bus, const gchar *word)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message, "no error: %s", word);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
                   GST_RESOURCE_ERROR_SETTINGS),
      "%s", error->message);
  fail_unless (strstr (error->message, word), "\"%s\" in: %s", word,
      error->message);
  fail_if (strstr (error->message, JUDGE_KEY) || strstr (error->message, SEED));
  g_error_free (error);
  gst_message_unref (message);
}

JudgeTrack *
period_get_track (GPtrArray *tracks, const gchar *format)
{
  guint i;

  for (i = 0; i < tracks->len; i++) {
    JudgeTrack *track = tracks->pdata[i];

    if (track->format == FOURCC (format))
      return track;
  }
  fail ("no %s", format);
  return NULL;
}

/* The KID of each picture, 25 of them in a fragment. */
void
period_check_pictures (GBytes *out, const gchar *kids[4])
{
  g_autoptr (GPtrArray) tracks = judge_read (out, JUDGE_SENC, NULL);
  JudgeTrack *track = period_get_track (tracks, "encv");
  guint i;

  fail_unless_equals_int (track->kids->len, 100);
  for (i = 0; i < 100; i++)
    fail_unless_equals_string (track->kids->pdata[i], kids[i / 25]);
}

/* The element does not start. */
void
period_check_refused (const gchar *settings, const gchar *word)
{
  GstElement *element = gst_element_factory_make ("cencencrypt", NULL);
  GstBus *bus = gst_bus_new ();
  g_auto (GStrv) pairs = g_strsplit (settings, " ", -1);
  guint i;

  for (i = 0; pairs[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);

    if (pair[0] && *pair[0])
      gst_util_set_object_arg (G_OBJECT (element), pair[0], pair[1]);
  }
  gst_element_set_bus (element, bus);
  fail_unless (gst_element_set_state (element, GST_STATE_PAUSED) ==
      GST_STATE_CHANGE_FAILURE);
  period_check_error (bus, word);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
  gst_object_unref (bus);
}
