/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencdecrypt behind a demuxer, as its neighbors see it: caps, queries, events,
 * memory. */

#include "cencdecrypt-util.h"

static const TestMeta whole_ctr = { nist_ctr_iv, 16 };
static GstStaticCaps unix_time = GST_STATIC_CAPS ("timestamp/x-unix");

GST_START_TEST (test_caps)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (
      "application/x-cenc, original-media-type=video/x-h264, width=64, "
      "protection-system=edef8ba9-79d6-4ace-a3c8-27dcd51d21ed, "
      "encryption-algorithm=AES, encoding-scope=frame, cipher-mode=cenc",
      NIST_KEYS, &bus);
  GstCaps *expected = gst_caps_from_string ("video/x-h264, width=64");
  GstCaps *caps;

  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (gst_caps_is_equal (caps, expected));
  gst_caps_unref (caps);
  gst_caps_unref (expected);

  /* Without the original type nobody knows what it is. */
  caps = gst_caps_from_string ("application/x-cenc, cipher-mode=cenc");
  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  fail_unless_equals_int (gst_harness_push (h, test_buffer_new (nist_ctr, 64)),
      GST_FLOW_NOT_NEGOTIATED);
  test_harness_free (h, bus);
}
GST_END_TEST;

static void
expect_sink_caps (GstHarness *h, const gchar *caps, gboolean taken)
{
  GstCaps *asked = gst_caps_from_string (caps);
  GstCaps *answer = gst_pad_peer_query_caps (h->srcpad, asked);

  fail_unless (gst_caps_is_empty (answer) == !taken, "%s", caps);
  fail_unless (gst_pad_peer_query_accept_caps (h->srcpad, asked) == taken, "%s",
      caps);
  gst_caps_unref (asked);
  gst_caps_unref (answer);
}

/* Upstream is told what downstream takes, and downstream what upstream has. */
GST_START_TEST (test_caps_queries)
{
  static const gchar h264[] =
      "application/x-cenc, original-media-type=video/x-h264, "
      "stream-format=avc, cipher-mode=cbcs, "
      "protection-system=edef8ba9-79d6-4ace-a3c8-27dcd51d21ed";
  static const gchar h264_in_annex_b[] =
      "application/x-cenc, original-media-type=video/x-h264, "
      "stream-format=byte-stream";
  static const gchar mp3[] =
      "application/x-cenc, original-media-type=audio/mpeg, mpegversion=1";
  static const gchar vp9[] =
      "application/x-webm-enc, original-media-type=video/x-vp9";
  GstBus *bus;
  GstHarness *h = test_harness_new (NULL, NIST_KEYS, &bus);
  GstCaps *caps;

  expect_sink_caps (h, h264, TRUE);
  expect_sink_caps (h, vp9, TRUE);
  expect_sink_caps (h, "video/quicktime", TRUE);
  expect_sink_caps (h, "video/x-h264", FALSE);

  gst_harness_set_sink_caps_str (h, "video/x-h264, stream-format=avc");
  expect_sink_caps (h, h264, TRUE);
  expect_sink_caps (h, h264_in_annex_b, FALSE);
  expect_sink_caps (h, vp9, FALSE);
  expect_sink_caps (h, "video/quicktime", FALSE);
  /* Stock demuxers leave out what decoders list. */
  gst_harness_set_sink_caps_str (h, "audio/mpeg, mpegversion=1, layer=[1, 3]");
  expect_sink_caps (h, mp3, TRUE);
  gst_harness_set_sink_caps_str (h, "video/x-vp9");
  expect_sink_caps (h, h264, FALSE);
  expect_sink_caps (h, vp9, TRUE);
  gst_harness_set_sink_caps_str (h, "video/quicktime, variant=iso");
  expect_sink_caps (h, vp9, FALSE);
  expect_sink_caps (h, "video/quicktime", TRUE);

  gst_harness_set_sink_caps_str (h, "video/x-h264");
  gst_harness_set_src_caps_str (h, h264);
  caps = gst_pad_peer_query_caps (h->sinkpad, NULL);
  fail_unless (gst_structure_has_name (gst_caps_get_structure (caps, 0),
      "video/x-h264"));
  fail_unless (!gst_structure_has_field (gst_caps_get_structure (caps, 0),
      "cipher-mode"));
  gst_caps_unref (caps);
  test_harness_free (h, bus);
}
GST_END_TEST;

static GstEvent *
pull_event (GstHarness *h, GstEventType type, gboolean upstream)
{
  GstEvent *event;

  while ((event = upstream ? gst_harness_try_pull_upstream_event (h)
                           : gst_harness_try_pull_event (h))) {
    if (GST_EVENT_TYPE (event) == type)
      return event;
    gst_event_unref (event);
  }
  fail ("no event %s", gst_event_type_get_name (type));
  return NULL;
}

/* Those that are none of ours pass unchanged, either way. */
GST_START_TEST (test_events)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NIST_KEYS, &bus);
  GstEvent *down[] = {
    gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "title", NULL)),
    gst_event_new_gap (5, 6),
    gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
        gst_structure_new_empty ("custom")),
    gst_event_new_segment_done (GST_FORMAT_TIME, 7),
    gst_event_new_eos (),
  };
  GstEvent *up[] = {
    gst_event_new_reconfigure (),
    gst_event_new_navigation (gst_structure_new_empty ("navigation")),
    gst_event_new_latency (8),
    gst_event_new_step (GST_FORMAT_BUFFERS, 1, 1.0, TRUE, FALSE),
    gst_event_new_seek (2.0, GST_FORMAT_TIME, GST_SEEK_FLAG_TRICKMODE,
        GST_SEEK_TYPE_SET, 9, GST_SEEK_TYPE_NONE, -1),
    gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
        gst_structure_new_empty ("custom")),
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (down); i++) {
    GstEvent *event;

    fail_unless (gst_harness_push_event (h, gst_event_ref (down[i])));
    event = pull_event (h, GST_EVENT_TYPE (down[i]), FALSE);
    fail_unless (event == down[i], "%s", GST_EVENT_TYPE_NAME (event));
    gst_event_unref (event);
    gst_event_unref (down[i]);
  }
  for (i = 0; i < G_N_ELEMENTS (up); i++) {
    GstEvent *event;

    while ((event = gst_harness_try_pull_upstream_event (h)))
      gst_event_unref (event);
    gst_harness_push_upstream_event (h, gst_event_ref (up[i]));
    event = pull_event (h, GST_EVENT_TYPE (up[i]), TRUE);
    fail_unless (event == up[i], "%s", GST_EVENT_TYPE_NAME (event));
    gst_event_unref (event);
    gst_event_unref (up[i]);
  }
  test_harness_free (h, bus);
}
GST_END_TEST;

static GstFlowReturn flow_to_give;

static GstFlowReturn
give_flow (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return flow_to_give;
}

/* What downstream answers to a sample comes back, without an error of ours. */
GST_START_TEST (test_flow_returns)
{
  static const GstFlowReturn flows[] = { GST_FLOW_EOS, GST_FLOW_FLUSHING,
    GST_FLOW_NOT_LINKED, GST_FLOW_ERROR, GST_FLOW_CUSTOM_SUCCESS };
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NIST_KEYS, &bus);
  guint i;

  gst_pad_set_chain_function (h->sinkpad, give_flow);
  for (i = 0; i < G_N_ELEMENTS (flows); i++) {
    flow_to_give = flows[i];
    fail_unless_equals_int (gst_harness_push (h,
                                test_add_meta (test_buffer_new (nist_ctr, 64),
                                    &whole_ctr)),
        flows[i]);
  }
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Caps change in mid-stream: scheme, and what is behind it. */
GST_START_TEST (test_renegotiation)
{
  const TestMeta constant = { nist_cbc_iv, 16, NULL, 0, .no_count = TRUE };
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NIST_KEYS, &bus);
  GstCaps *caps, *expected = gst_caps_from_string ("audio/x-raw, channels=2");

  test_expect (h, test_add_meta (test_buffer_new (nist_ctr, 64), &whole_ctr),
      nist_plain, 64);
  gst_harness_set_src_caps_str (h, CAPS_CBCS ", channels=2");
  test_expect (h, test_add_meta (test_buffer_new (nist_cbc, 64), &constant),
      nist_plain, 64);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (gst_caps_is_equal (caps, expected));
  gst_caps_unref (caps);
  gst_harness_set_src_caps_str (h, CAPS_CENC);
  test_expect (h, test_add_meta (test_buffer_new (nist_ctr, 64), &whole_ctr),
      nist_plain, 64);
  gst_caps_unref (expected);
  test_harness_free (h, bus);
}
GST_END_TEST;

static void
push_caps (GstHarness *h, const gchar *description)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (description);

  gst_harness_push_event (h, gst_event_new_caps (caps));
}

#define CAPS_AC3 \
  "application/x-cenc, original-media-type=audio/x-ac3, cipher-mode=cenc"
/* Each parses, so that it may be clear; one alone is held. */
#define AC3 "\x0b\x77\1\2\x10\x40\3\4"
#define AVC "\0\0\0\2\x09\x10\0\0\0\2\x65\1"

static const struct
{
  const gchar *before, *after;
  const gchar *sample;
  guint size;
  const gchar *next; /* nullable: a sample behind the new caps */
  guint n_out;
  gboolean fails;
} held[] = {
  /* As at the end. */
  { CAPS_AC3, "video/quicktime", AC3, 8, NULL, 1, FALSE },
  { CAPS_AC3, CAPS_CENC, AC3, 8, NULL, 1, FALSE },
  { CAPS_AVC "cenc", "video/quicktime", AVC, 12, NULL, 0, TRUE },
  /* What the sound's codec proves, it does not prove of pictures. */
  { CAPS_AVC "cenc", CAPS_AC3, AVC, 12, NULL, 0, TRUE },
  { CAPS_AC3, CAPS_AVC "cenc", AC3, 8, NULL, 1, FALSE },
  /* Of the same codec all goes on. */
  { CAPS_AC3, CAPS_AC3 ", rate=48000", AC3, 8, NULL, 0, FALSE },
  { CAPS_AC3, CAPS_AC3 ", rate=48000", AC3, 8, AC3, 2, FALSE },
  { CAPS_AVC "cenc", CAPS_AVC "cenc, width=16", AVC, 12, NULL, 0, FALSE },
};

/* What is held when other caps come does not vanish, and is judged by its own. */
GST_START_TEST (test_held_at_other_caps)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (held[__i__].before, NIST_KEYS, &bus);

  fail_unless_equals_int (gst_harness_push (h,
                              test_buffer_new ((const guint8 *) held[__i__]
                                                   .sample,
                                  held[__i__].size)),
      GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  push_caps (h, held[__i__].after);
  if (held[__i__].next)
    gst_harness_push (h,
        test_buffer_new ((const guint8 *) held[__i__].next, 8));
  fail_unless_equals_int (gst_harness_buffers_received (h), held[__i__].n_out);
  if (held[__i__].fails)
    test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
        "no sample information");
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Nor does half a file, 1: in mid-box. A whole one is no matter. */
GST_START_TEST (test_file_at_other_caps)
{
  static const guint8 file[] = { 0, 0, 0, 16, 'f', 't', 'y', 'p', 'i', 's', 'o',
    'm', 0, 0, 0, 0 };
  GstBus *bus;
  GstHarness *h = test_harness_new ("video/quicktime", NIST_KEYS, &bus);
  gsize size = sizeof file - 4 * (gsize) __i__;

  fail_unless_equals_int (gst_harness_push (h, test_buffer_new (file, size)),
      GST_FLOW_OK);
  push_caps (h, CAPS_CENC);
  if (__i__ == 0) {
    if (gst_harness_buffers_received (h) > 0)
      gst_buffer_unref (gst_harness_pull (h));
    test_expect (h, test_add_meta (test_buffer_new (nist_ctr, 64), &whole_ctr),
        nist_plain, 64);
  } else {
    test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
        "the file ends at");
    fail_unless_equals_int (gst_harness_push (h,
                                test_add_meta (test_buffer_new (nist_ctr, 64),
                                    &whole_ctr)),
        GST_FLOW_ERROR);
    gst_harness_push_event (h, gst_event_new_eos ());
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
    fail_unless (
        gst_pad_get_sticky_event (h->sinkpad, GST_EVENT_EOS, 0) == NULL);
  }
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Out of place where others see the memory too, with all that is not bytes. */
GST_START_TEST (test_shared_memory)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NIST_KEYS, &bus);
  GstBuffer *whole = test_buffer_new (nist_ctr, 64), *in, *out;

  in = gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, 0, 64);
  GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_DELTA_UNIT);
  GST_BUFFER_OFFSET (in) = 4711;
  gst_buffer_add_reference_timestamp_meta (in, gst_static_caps_get (&unix_time),
      1, 2);
  fail_unless_equals_int (gst_harness_push (h, test_add_meta (in, &whole_ctr)),
      GST_FLOW_OK);
  out = gst_harness_pull (h);
  gst_check_buffer_data (out, nist_plain, 64);
  gst_check_buffer_data (whole, nist_ctr, 64);
  fail_unless (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_DELTA_UNIT));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (out), 4711);
  fail_unless (gst_buffer_get_reference_timestamp_meta (out, NULL) != NULL);
  fail_unless (gst_buffer_get_protection_meta (out) == NULL);
  gst_buffer_unref (out);
  gst_buffer_unref (whole);

  /* In several memories. */
  whole = test_buffer_new (nist_ctr, 23);
  in = gst_buffer_append (whole, gst_buffer_new_memdup (nist_ctr + 23, 41));
  test_expect (h, test_add_meta (in, &whole_ctr), nist_plain, 64);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Latency, allocation and QoS go through; protection events end here. */
GST_START_TEST (test_passes_through)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_CENC, NIST_KEYS, &bus);
  GstBuffer *pssh = test_buffer_new (nist_plain, 32);
  GstCaps *caps = gst_caps_from_string (CAPS_CENC);
  GstQuery *query;
  GstEvent *event;

  gst_harness_set_upstream_latency (h, 5 * GST_MSECOND);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 5 * GST_MSECOND);

  gst_harness_add_propose_allocation_meta (h, GST_PROTECTION_META_API_TYPE,
      NULL);
  query = gst_query_new_allocation (caps, FALSE);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (gst_query_find_allocation_meta (query,
      GST_PROTECTION_META_API_TYPE, NULL));
  gst_query_unref (query);

  while ((event = gst_harness_try_pull_event (h)))
    gst_event_unref (event);
  gst_harness_push_event (h,
      gst_event_new_protection ("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", pssh,
          "isobmff/moov"));
  fail_unless (gst_harness_try_pull_event (h) == NULL);

  gst_harness_push_upstream_event (h,
      gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 0.5, 1, 2));
  do {
    event = gst_harness_pull_upstream_event (h);
    if (GST_EVENT_TYPE (event) == GST_EVENT_QOS)
      break;
    gst_event_unref (event);
  } while (TRUE);
  gst_event_unref (event);

  gst_buffer_unref (pssh);
  gst_caps_unref (caps);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* qtdemux asks which protection system is preferred, of each track and fragment,
 * until somebody answers. */
static gchar *
ask_for_system (GstHarness *h, const gchar *type, const gchar *available)
{
  GstQuery *query = gst_query_new_context (type);
  const gchar *systems[] = { "9a04f079-9840-4286-ab92-e65be0885f95", available,
    NULL };
  GstContext *context = NULL;
  gchar *answer = NULL;

  gst_structure_set (gst_query_writable_structure (query),
      "available-stream-encryption-systems", G_TYPE_STRV, systems, NULL);
  if (gst_pad_peer_query (h->srcpad, query)) {
    gst_query_parse_context (query, &context);
    fail_unless (context != NULL);
    fail_unless (gst_context_has_context_type (context, type));
    answer =
        g_strdup (gst_structure_get_string (gst_context_get_structure (context),
            "decryption-system-id"));
  }
  gst_query_unref (query);
  return answer;
}

GST_START_TEST (test_preferred_system)
{
  static const gchar type[] = "drm-preferred-decryption-system-id";
  static const gchar chosen[] = "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b";
  GstBus *bus;
  GstHarness *h = test_harness_new (NULL, NIST_KEYS, &bus);
  gchar *answer;

  /* Before the caps nothing is chosen, and without a pssh nothing is there. */
  fail_unless (ask_for_system (h, type, chosen) == NULL);
  gst_harness_set_src_caps_str (h, CAPS_CENC);
  fail_unless (ask_for_system (h, type, chosen) == NULL);

  gst_harness_set_src_caps_str (h,
      CAPS_CENC ", protection-system=1077efec-c0b2-4d02-ace3-3c1e52e2fb4b");
  answer = ask_for_system (h, type, chosen);
  fail_unless_equals_string (answer, chosen);
  g_free (answer);
  fail_unless (ask_for_system (h, type, NULL) == NULL);
  fail_unless (ask_for_system (h, "something-else", chosen) == NULL);
  test_harness_free (h, bus);
}
GST_END_TEST;

static Suite *
cencdecrypt_neighbors_suite (void)
{
  Suite *suite = suite_create ("cencdecrypt-neighbors");
  TCase *tc = tcase_create ("neighbors");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_caps);
  tcase_add_test (tc, test_caps_queries);
  tcase_add_test (tc, test_events);
  tcase_add_test (tc, test_flow_returns);
  tcase_add_test (tc, test_renegotiation);
  tcase_add_loop_test (tc, test_held_at_other_caps, 0, G_N_ELEMENTS (held));
  tcase_add_loop_test (tc, test_file_at_other_caps, 0, 2);
  tcase_add_test (tc, test_shared_memory);
  tcase_add_test (tc, test_passes_through);
  tcase_add_test (tc, test_preferred_system);
  return suite;
}

GST_CHECK_MAIN (cencdecrypt_neighbors);
