/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencdecrypt: where keys come from, how long it waits, and what it asks for. */

#include "cencdecrypt-util.h"

GST_START_TEST (test_no_key)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  GstMessage *message;

  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ANY);
  while (message && GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT &&
      GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR) {
    gst_message_unref (message);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ANY);
  }
  fail_unless (
      message && gst_message_has_name (message, "cencdecrypt-key-needed"));
  fail_unless_equals_string (
      gst_structure_get_string (gst_message_get_structure (message), "key-id"),
      NIST_KID);
  gst_message_unref (message);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      NIST_KID);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  test_harness_free (h, bus);
}
GST_END_TEST;

static void
push_protection (GstHarness *h, const gchar *system_id, const gchar *data)
{
  GstBuffer *buffer = gst_buffer_new_memdup (data, strlen (data));

  gst_harness_push_event (h,
      gst_event_new_protection (system_id, buffer, "isobmff/moof"));
  gst_buffer_unref (buffer);
}

/* All systems' headers come with the message, each once, the newest first. */
GST_START_TEST (test_systems)
{
  static const gchar playready[] = "9a04f079-9840-4286-ab92-e65be0885f95";
  static const gchar widevine[] = "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed";
  static const gchar *const wanted[] = { widevine, playready, widevine };
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  const GstStructure *structure, *system;
  const GValue *systems;
  GstMessage *message;
  guint i;

  push_protection (h, widevine, "one");
  push_protection (h, widevine, "two");
  push_protection (h, playready, "three");
  push_protection (h, widevine, "two");
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT)) &&
      !gst_message_has_name (message, "cencdecrypt-key-needed"))
    gst_message_unref (message);
  fail_unless (message != NULL);
  structure = gst_message_get_structure (message);
  fail_unless_equals_string (gst_structure_get_string (structure, "system-id"),
      widevine);
  systems = gst_structure_get_value (structure, "systems");
  fail_unless_equals_int (gst_value_list_get_size (systems), 3);
  for (i = 0; i < G_N_ELEMENTS (wanted); i++) {
    system = gst_value_get_structure (gst_value_list_get_value (systems, i));
    fail_unless_equals_string (gst_structure_get_string (system, "system-id"),
        wanted[i]);
  }
  gst_message_unref (message);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* A playlist of many keys does not fill the memory. */
GST_START_TEST (test_systems_are_bounded)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  GstMessage *message;
  guint i;

  for (i = 0; i < 100; i++) {
    gchar *data = g_strdup_printf ("%u", i);

    push_protection (h, "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", data);
    g_free (data);
  }
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT)) &&
      !gst_message_has_name (message, "cencdecrypt-key-needed"))
    gst_message_unref (message);
  fail_unless_equals_int (gst_value_list_get_size (gst_structure_get_value (
                              gst_message_get_structure (message), "systems")),
      64);
  gst_message_unref (message);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Told at READY → PAUSED, and never what was written. */
GST_START_TEST (test_malformed_keys)
{
  GstElement *element = gst_element_factory_make ("cencdecrypt", NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  gchar *debug = NULL;
  GError *error = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (element, "keys", NIST_KID ":2b7e151628aed2a6abf7158809cf4fXX",
      NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, &debug);
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, "2b7e") == NULL);
  fail_unless (debug == NULL || strstr (debug, "2b7e") == NULL);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);

  g_object_set (element, "keys", NIST_KEYS, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

GST_START_TEST (test_keys_cannot_be_read)
{
  GstElement *element = gst_element_factory_make ("cencdecrypt", NULL);
  GParamSpec *spec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), "keys");

  fail_unless (spec != NULL);
  fail_if (spec->flags & G_PARAM_READABLE);
  gst_object_unref (element);
}
GST_END_TEST;

GST_START_TEST (test_context)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  TestSession *session = test_session_new ();

  test_set_session (h, session);
  test_expect_clear (h);
  test_expect_clear (h);
  fail_unless_equals_int (session->n_begin, 1);
  fail_unless_equals_int (session->n_play, 1);
  gst_element_set_state (h->element, GST_STATE_READY);
  fail_unless_equals_int (session->n_end, 1);
  test_harness_free (h, bus);
  fail_unless_equals_int (session->n_end, 1);
  gst_object_unref (session);
}
GST_END_TEST;

static GstBusSyncReply
answer_need_context (GstBus *bus, GstMessage *message, gpointer user_data)
{
  const gchar *type;
  GstContext *context;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_NEED_CONTEXT)
    return GST_BUS_PASS;
  gst_message_parse_context_type (message, &type);
  fail_unless_equals_string (type, "gst.cenc.key-session");
  context = gst_cenc_key_session_context_new (user_data);
  gst_element_set_context (GST_ELEMENT (GST_MESSAGE_SRC (message)), context);
  gst_context_unref (context);
  return GST_BUS_PASS;
}

GST_START_TEST (test_need_context)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  TestSession *session = test_session_new ();

  gst_bus_set_sync_handler (bus, answer_need_context, session, NULL);
  test_expect_clear (h);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  test_harness_free (h, bus);
  gst_object_unref (session);
}
GST_END_TEST;

static gboolean
answer_context_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  const gchar *type;
  GstContext *context;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CONTEXT)
    return gst_pad_query_default (pad, parent, query);
  gst_query_parse_context_type (query, &type);
  fail_unless_equals_string (type, "gst.cenc.key-session");
  context = gst_cenc_key_session_context_new (
      g_object_get_data (G_OBJECT (pad), "session"));
  gst_query_set_context (query, context);
  gst_context_unref (context);
  return TRUE;
}

GST_START_TEST (test_neighbor_has_context)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  TestSession *session = test_session_new ();

  g_object_set_data (G_OBJECT (h->sinkpad), "session", session);
  gst_pad_set_query_function (h->sinkpad, answer_context_query);
  test_expect_clear (h);
  test_harness_free (h, bus);
  gst_object_unref (session);
}
GST_END_TEST;

/* The application answers from another thread, after the message. */
typedef struct
{
  GstHarness *h;
  GstBus *bus;
} Late;

static gpointer
answer_late (gpointer user_data)
{
  Late *late = user_data;
  GstMessage *message = gst_bus_timed_pop_filtered (late->bus, 60 * GST_SECOND,
      GST_MESSAGE_ELEMENT);

  fail_unless (message != NULL);
  gst_message_unref (message);
  g_object_set (late->h->element, "keys", NIST_KEYS, NULL);
  return NULL;
}

static GstHarness *
harness_with_timeout (GstBus **bus)
{
  GstHarness *h = test_harness_new (NULL, NULL, bus);

  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "key-timeout", 120 * GST_SECOND, NULL);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (h, CAPS_CENC);
  return h;
}

GST_START_TEST (test_late_answer)
{
  GstBus *bus;
  Late late;
  GThread *thread;

  late.h = harness_with_timeout (&bus);
  late.bus = bus;
  thread = g_thread_new ("late", answer_late, &late);
  test_expect_clear (late.h);
  g_thread_join (thread);
  test_harness_free (late.h, bus);
}
GST_END_TEST;

static gpointer
flush (gpointer user_data)
{
  Late *late = user_data;
  GstMessage *message = gst_bus_timed_pop_filtered (late->bus, 60 * GST_SECOND,
      GST_MESSAGE_ELEMENT);

  gst_message_unref (message);
  gst_harness_push_event (late->h, gst_event_new_flush_start ());
  return NULL;
}

/* A wait ends with a flush, without an error, and the stream goes on after it. */
GST_START_TEST (test_flush_wakes)
{
  GstBus *bus;
  Late late;
  GThread *thread;
  GstSegment segment;

  late.h = harness_with_timeout (&bus);
  late.bus = bus;
  thread = g_thread_new ("flush", flush, &late);
  fail_unless_equals_int (gst_harness_push (late.h, test_sample_new ()),
      GST_FLOW_FLUSHING);
  g_thread_join (thread);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);

  gst_harness_push_event (late.h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (late.h, gst_event_new_segment (&segment));
  g_object_set (late.h->element, "keys", NIST_KEYS, NULL);
  test_expect_clear (late.h);
  test_harness_free (late.h, bus);
}
GST_END_TEST;

/*
 * One message for a KID and element
 */

static guint
count_questions (GstBus *bus)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
    n += gst_message_has_name (message, "cencdecrypt-key-needed");
    gst_message_unref (message);
  }
  return n;
}

static void
restart_stream (GstHarness *h)
{
  GstSegment segment;

  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

GST_START_TEST (test_one_question)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);

  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  fail_unless_equals_int (count_questions (bus), 1);
  /* A seek: it has been told. */
  restart_stream (h);
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  fail_unless_equals_int (count_questions (bus), 0);
  /* It came, and is gone. */
  restart_stream (h);
  g_object_set (h->element, "keys", NIST_KEYS, NULL);
  test_expect_clear (h);
  g_object_set (h->element, "keys", "", NULL);
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  fail_unless_equals_int (count_questions (bus), 1);
  test_harness_free (h, bus);
}
GST_END_TEST;

GST_START_TEST (test_question_after_ready)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  guint i;

  for (i = 0; i < 2; i++) {
    fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
        GST_FLOW_ERROR);
    fail_unless_equals_int (count_questions (bus), 1);
    gst_element_set_state (h->element, GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    gst_harness_push_event (h, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (h, CAPS_CENC);
    restart_stream (h);
  }
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Behind a demuxer audio and video ask, one message each, and one session in the
 * context of their bin answers both. */
GST_START_TEST (test_two_streams)
{
  GstBus *buses[2];
  GstHarness *h[2];
  TestSession *session = test_session_new ();
  guint i;

  for (i = 0; i < 2; i++) {
    h[i] = test_harness_new (CAPS_CENC, NULL, &buses[i]);
    fail_unless_equals_int (gst_harness_push (h[i], test_sample_new ()),
        GST_FLOW_ERROR);
    fail_unless_equals_int (count_questions (buses[i]), 1);
  }
  for (i = 0; i < 2; i++) {
    restart_stream (h[i]);
    test_set_session (h[i], session);
    test_expect_clear (h[i]);
    fail_unless_equals_int (count_questions (buses[i]), 0);
    test_harness_free (h[i], buses[i]);
  }
  gst_object_unref (session);
}
GST_END_TEST;

static gpointer
stop (gpointer user_data)
{
  Late *late = user_data;
  GstMessage *message = gst_bus_timed_pop_filtered (late->bus, 60 * GST_SECOND,
      GST_MESSAGE_ELEMENT);

  gst_message_unref (message);
  fail_unless_equals_int (gst_element_set_state (late->h->element,
                              GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  return NULL;
}

GST_START_TEST (test_state_change_wakes)
{
  GstBus *bus;
  Late late;
  GThread *thread;

  late.h = harness_with_timeout (&bus);
  late.bus = bus;
  thread = g_thread_new ("stop", stop, &late);
  fail_unless_equals_int (gst_harness_push (late.h, test_sample_new ()),
      GST_FLOW_FLUSHING);
  g_thread_join (thread);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  test_harness_free (late.h, bus);
}
GST_END_TEST;

/*
 * The license pad
 */

static GstPad *
link_license (GstHarness *h, TestSession *session)
{
  GstPad *src = gst_pad_new ("license-source", GST_PAD_SRC);
  GstPad *sink = gst_element_request_pad_simple (h->element, "license");
  GstSegment segment;

  fail_unless (sink != NULL);
  if (session) {
    g_object_set_data (G_OBJECT (src), "session", session);
    gst_pad_set_query_function (src, answer_context_query);
  }
  fail_unless_equals_int (gst_pad_link (src, sink), GST_PAD_LINK_OK);
  gst_pad_set_active (src, TRUE);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (src, gst_event_new_stream_start ("license"));
  gst_pad_push_event (src, gst_event_new_segment (&segment));
  gst_object_unref (sink);
  return src;
}

static void
unlink_license (GstHarness *h, GstPad *src)
{
  GstPad *sink = gst_pad_get_peer (src);

  gst_pad_unlink (src, sink);
  gst_element_release_request_pad (h->element, sink);
  gst_object_unref (sink);
  gst_object_unref (src);
}

static gpointer
push_license (gpointer src)
{
  gst_pad_push (src, gst_buffer_new_memdup ("license", 7));
  gst_pad_push_event (src, gst_event_new_eos ());
  return NULL;
}

/* The media branch waits for what the license branch brings; nothing of the
 * latter's events shows in the former. */
GST_START_TEST (test_license_pad_session)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  TestSession *session = test_session_new ();
  GstPad *src = link_license (h, session);
  GThread *thread;
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (h)))
    gst_event_unref (event);
  thread = g_thread_new ("license", push_license, src);
  test_expect_clear (h);
  g_thread_join (thread);
  while ((event = gst_harness_try_pull_event (h))) {
    fail_if (GST_EVENT_TYPE (event) == GST_EVENT_EOS);
    gst_event_unref (event);
  }
  test_expect_clear (h);
  unlink_license (h, src);
  test_harness_free (h, bus);
  gst_object_unref (session);
}
GST_END_TEST;

/* A source that ends without a license: no wait without end. */
GST_START_TEST (test_license_pad_eos)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  GstPad *src = link_license (h, NULL);

  gst_pad_push_event (src, gst_event_new_eos ());
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      NIST_KID);
  unlink_license (h, src);
  test_harness_free (h, bus);
}
GST_END_TEST;

GST_START_TEST (test_license_pad_unlinked)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  GstPad *pad = gst_element_request_pad_simple (h->element, "license");

  /* Nothing will ever come: nothing is waited for. */
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  gst_element_release_request_pad (h->element, pad);
  gst_object_unref (pad);
  test_harness_free (h, bus);
}
GST_END_TEST;

static Suite *
cencdecrypt_keys_suite (void)
{
  Suite *suite = suite_create ("cencdecrypt-keys");
  TCase *tc = tcase_create ("keys");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_no_key);
  tcase_add_test (tc, test_systems);
  tcase_add_test (tc, test_systems_are_bounded);
  tcase_add_test (tc, test_malformed_keys);
  tcase_add_test (tc, test_keys_cannot_be_read);
  tcase_add_test (tc, test_context);
  tcase_add_test (tc, test_need_context);
  tcase_add_test (tc, test_neighbor_has_context);
  tcase_add_test (tc, test_late_answer);
  tcase_add_test (tc, test_flush_wakes);
  tcase_add_test (tc, test_one_question);
  tcase_add_test (tc, test_question_after_ready);
  tcase_add_test (tc, test_two_streams);
  tcase_add_test (tc, test_state_change_wakes);
  tcase_add_test (tc, test_license_pad_session);
  tcase_add_test (tc, test_license_pad_eos);
  tcase_add_test (tc, test_license_pad_unlinked);
  return suite;
}

GST_CHECK_MAIN (cencdecrypt_keys);
