/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencdecrypt: what sessions say of the use of their keys. First play, an end, a
 * change of mind, another session, the output. */

#include "cencdecrypt-util.h"

/* Preroll does not start the first play, but for a bounded amount of media. */
GST_START_TEST (test_first_play)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (NULL, NULL, &bus);
  TestSession *session = test_session_new ();
  guint i;

  gst_element_set_state (h->element, GST_STATE_READY);
  test_set_session (h, session);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  gst_harness_set_src_caps_str (h, CAPS_CENC);
  test_expect_clear (h);
  test_expect_clear (h);
  fail_unless_equals_int (session->n_preroll, 1);
  fail_unless_equals_int (session->n_play, 0);

  /* What was prerolled goes out now, be there more of it or not. */
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  fail_unless_equals_int (session->n_play, 1);
  test_expect_clear (h);
  fail_unless_equals_int (session->n_preroll, 1);
  fail_unless_equals_int (session->n_play, 2);

  gst_element_set_state (h->element, GST_STATE_PAUSED);
  test_expect_clear (h);
  fail_unless_equals_int (session->n_preroll, 1);
  fail_unless_equals_int (session->n_play, 2);

  /* Each sample lasts a second: ten of them are preroll, the eleventh is play. */
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  gst_harness_set_src_caps_str (h, CAPS_CENC);
  for (i = 0; i < 10; i++)
    test_expect_clear (h);
  fail_unless_equals_int (session->n_preroll, 2);
  fail_unless_equals_int (session->n_play, 2);
  test_expect_clear (h);
  fail_unless_equals_int (session->n_play, 3);
  test_harness_free (h, bus);
  gst_object_unref (session);
}
GST_END_TEST;

static void
flush_all (GstHarness *h)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
}

/* What was scrubbed over is not played. */
GST_START_TEST (test_first_play_after_flush)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (NULL, NULL, &bus);
  TestSession *session = test_session_new ();

  gst_element_set_state (h->element, GST_STATE_READY);
  test_set_session (h, session);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  gst_harness_set_src_caps_str (h, CAPS_CENC);
  test_expect_clear (h);
  flush_all (h);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  fail_unless_equals_int (session->n_play, 0);
  test_expect_clear (h);
  fail_unless_equals_int (session->n_play, 1);

  /* Back where it was, it is prerolled anew. */
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  gst_harness_set_src_caps_str (h, CAPS_CENC);
  test_expect_clear (h);
  flush_all (h);
  test_expect_clear (h);
  fail_unless_equals_int (session->n_preroll, 3);
  fail_unless_equals_int (session->n_play, 1);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  fail_unless_equals_int (session->n_play, 2);
  test_harness_free (h, bus);
  gst_object_unref (session);
}
GST_END_TEST;

/* A deadline in the past: each sample asks again; and the answer can change. */
GST_START_TEST (test_deadline)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  TestSession *session = test_session_new ();

  session->deadline = 1;
  test_set_session (h, session);
  test_expect_clear (h);
  test_expect_clear (h);
  fail_unless_equals_int (session->n_play, 2);

  session->refusal = g_error_new (GST_CENC_ERROR, GST_CENC_ERROR_PLAYBACK_OVER,
      "48 hours after the first play are over");
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  test_expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      "48 hours");
  test_harness_free (h, bus);
  gst_object_unref (session);
}
GST_END_TEST;

GST_START_TEST (test_changed)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  TestSession *session = test_session_new ();

  test_set_session (h, session);
  test_expect_clear (h);
  gst_cenc_key_session_changed (GST_CENC_KEY_SESSION (session));
  test_expect_clear (h);
  fail_unless_equals_int (session->n_play, 2);
  test_harness_free (h, bus);
  gst_object_unref (session);
}
GST_END_TEST;

/* Sessions merge: one that refuses does not hide one that gives. */
GST_START_TEST (test_sessions_merge)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NULL, &bus);
  TestSession *gives = test_session_new (), *refuses = test_session_new ();
  TestSession *empty = test_session_new ();

  refuses->refusal =
      g_error_new (GST_CENC_ERROR, GST_CENC_ERROR_WINDOW_OVER, "window over");
  empty->empty = TRUE;
  test_set_session (h, gives);
  test_set_session (h, refuses);
  test_set_session (h, empty);
  test_expect_clear (h);
  fail_unless_equals_int (refuses->n_play, 1);
  fail_unless_equals_int (empty->n_play, 0);
  test_harness_free (h, bus);
  gst_object_unref (gives);
  gst_object_unref (refuses);
  gst_object_unref (empty);
}
GST_END_TEST;

GST_START_TEST (test_output_protection)
{
  GstBus *bus;
  GstHarness *h =
      test_harness_new (CAPS_CENC ", width=1920, height=1080", NULL, &bus);
  TestSession *session = test_session_new ();
  GstStructure *output = gst_structure_new ("output-protection", "hdcp",
      G_TYPE_STRING, "2.2", NULL);

  session->output_protection = gst_structure_new ("output-protection", "hdcp",
      G_TYPE_STRING, "2.2", "max-height", G_TYPE_INT, 1080, NULL);
  test_set_session (h, session);
  g_object_set (h->element, "output-protection", output, NULL);
  test_expect_clear (h);

  /* The cable is pulled out. */
  gst_structure_set (output, "hdcp", G_TYPE_STRING, "none", NULL);
  g_object_set (h->element, "output-protection", output, NULL);
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  test_expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      "hdcp");

  gst_structure_set (output, "hdcp", G_TYPE_STRING, "2.2", NULL);
  g_object_set (h->element, "output-protection", output, NULL);
  gst_harness_set_src_caps_str (h, CAPS_CENC ", width=3840, height=2160");
  fail_unless_equals_int (gst_harness_push (h, test_sample_new ()),
      GST_FLOW_ERROR);
  test_expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      "max-height");

  gst_structure_free (output);
  test_harness_free (h, bus);
  gst_object_unref (session);
}
GST_END_TEST;

static Suite *
cencdecrypt_use_suite (void)
{
  Suite *suite = suite_create ("cencdecrypt-use");
  TCase *tc = tcase_create ("use");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_first_play);
  tcase_add_test (tc, test_first_play_after_flush);
  tcase_add_test (tc, test_deadline);
  tcase_add_test (tc, test_changed);
  tcase_add_test (tc, test_sessions_merge);
  tcase_add_test (tc, test_output_protection);
  return suite;
}

GST_CHECK_MAIN (cencdecrypt_use);
