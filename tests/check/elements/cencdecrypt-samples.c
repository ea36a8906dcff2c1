/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencdecrypt behind a demuxer: every shape of protection meta. */

#include "cencdecrypt-util.h"

static const TestMeta whole_ctr = { nist_ctr_iv, 16 };
static const TestMeta whole_cbc = { nist_cbc_iv, 16 };

/* One sample through an element of its own. */
static void
check (const gchar *caps, const TestMeta *meta, const guint8 *in,
    const guint8 *expected, gsize size)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (caps, NIST_KEYS, &bus);
  GstBuffer *kept;

  /* In place, and then with memory that somebody else still holds. */
  test_expect (h, test_add_meta (test_buffer_new (in, size), meta), expected,
      size);
  kept = test_add_meta (test_buffer_new (in, size), meta);
  test_expect (h, gst_buffer_ref (kept), expected, size);
  gst_check_buffer_data (kept, in, size);
  gst_buffer_unref (kept);

  test_harness_free (h, bus);
}

static void
check_refused (const gchar *caps, const TestMeta *meta, const guint8 *in,
    gsize size, const gchar *text)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (caps, NIST_KEYS, &bus);
  GstBuffer *buffer = test_buffer_new (in, size);

  if (meta)
    buffer = test_add_meta (buffer, meta);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_ERROR);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT, text);
  test_harness_free (h, bus);
}

GST_START_TEST (test_cenc)
{
  /* 3 clear, 17 protected; 2 clear, the rest protected: the keystream runs on */
  static const guint8 subsamples[] = { 0, 3, 0, 0, 0, 17, 0, 2, 0, 0, 0, 47 };
  const TestMeta split = { nist_ctr_iv, 16, subsamples, 2 };
  guint8 in[69], out[69];

  check (CAPS_CENC, &whole_ctr, nist_ctr, nist_plain, 64);
  check (CAPS_CENC, &whole_ctr, nist_ctr, nist_plain, 37);

  memset (in, 0x55, sizeof in);
  memcpy (in + 3, nist_ctr, 17);
  memcpy (in + 22, nist_ctr + 17, 47);
  memset (out, 0x55, sizeof out);
  memcpy (out + 3, nist_plain, 17);
  memcpy (out + 22, nist_plain + 17, 47);
  check (CAPS_CENC, &split, in, out, sizeof in);
}
GST_END_TEST;

GST_START_TEST (test_missing_cipher_mode)
{
  const TestMeta in_meta = { nist_cbc_iv, 16, NULL, 0, FALSE, 0, 0,
    "x, cipher-mode=cbcs" };

  /* Smooth Streaming's caps */
  check ("application/x-cenc, original-media-type=audio/x-raw", &whole_ctr,
      nist_ctr, nist_plain, 64);
  check ("application/x-cenc, original-media-type=audio/x-raw", &in_meta,
      nist_cbc, nist_plain, 64);
}
GST_END_TEST;

GST_START_TEST (test_cbcs)
{
  /* Whole sample: the partial block at the end stays clear. */
  const TestMeta no_count = { nist_cbc_iv, 16, NULL, 0, TRUE };
  const TestMeta constant = { NULL, 0, NULL, 0, TRUE, 0, 0,
    "x, constant_iv_size=(uint)16, "
    "iv=(buffer)000102030405060708090a0b0c0d0e0f" };
  const TestMeta named = { NULL, 0, NULL, 0, TRUE, 0, 0,
    "x, constant_iv_size=(uint)16, "
    "constant_iv=(buffer)000102030405060708090a0b0c0d0e0f" };
  guint8 in[53], out[53];

  memset (in, 0x55, sizeof in);
  memcpy (in, nist_cbc, 48);
  memset (out, 0x55, sizeof out);
  memcpy (out, nist_plain, 48);
  check (CAPS_CBCS, &whole_cbc, in, out, sizeof in);
  check (CAPS_CBCS, &no_count, in, out, sizeof in);
  check (CAPS_CBCS, &constant, in, out, sizeof in);
  check (CAPS_CBCS, &named, in, out, sizeof in);
}
GST_END_TEST;

GST_START_TEST (test_cbcs_pattern)
{
  /* 5 clear, then 1:9 over two and a half patterns; then a subsample whose
   * chain begins anew. */
  static const guint8 subsamples[] = { 0, 5, 0, 0, 1, 104, 0, 1, 0, 0, 0, 20 };
  const TestMeta meta = { nist_cbc_iv, 16, subsamples, 2, FALSE, 1, 9 };
  guint8 in[386], out[386];
  guint i;

  memset (in, 0x55, sizeof in);
  memset (out, 0x55, sizeof out);
  for (i = 0; i < 3; i++) {
    memcpy (in + 5 + i * 160, nist_cbc + i * 16, 16);
    memcpy (out + 5 + i * 160, nist_plain + i * 16, 16);
  }
  memcpy (in + 366, nist_cbc, 16);
  memcpy (out + 366, nist_plain, 16);
  check (CAPS_CBCS, &meta, in, out, sizeof in);
}
GST_END_TEST;

GST_START_TEST (test_cbc1)
{
  static const guint8 subsamples[] = { 0, 7, 0, 0, 0, 16, 0, 1, 0, 0, 0, 48 };
  const TestMeta meta = { nist_cbc_iv, 16, subsamples, 2, FALSE, 0, 0,
    "x, cipher-mode=cbc1" };
  guint8 in[72], out[72];

  memset (in, 0x55, sizeof in);
  memcpy (in + 7, nist_cbc, 16);
  memcpy (in + 24, nist_cbc + 16, 48);
  memset (out, 0x55, sizeof out);
  memcpy (out + 7, nist_plain, 16);
  memcpy (out + 24, nist_plain + 16, 48);
  check (CAPS_CENC, &meta, in, out, sizeof in);
}
GST_END_TEST;

GST_START_TEST (test_piff)
{
  TestMeta ctr = { nist_ctr_iv, 16 }, cbc = { nist_cbc_iv, 16 };

  ctr.extra = "x, piff_algorithm_id=(uint)1";
  check (CAPS_CENC, &ctr, nist_ctr, nist_plain, 64);
  ctr.extra = "x, piff_algorithm_id=(uint)256";
  check (CAPS_CENC, &ctr, nist_ctr, nist_plain, 64);
  cbc.extra = "x, piff_algorithm_id=(uint)2";
  check (CAPS_CENC, &cbc, nist_cbc, nist_plain, 64);
  cbc.extra = "x, piff_algorithm_id=(uint)512";
  check (CAPS_CENC, &cbc, nist_cbc, nist_plain, 64);
  cbc.extra = "x, piff_algorithm_id=(uint)0";
  check (CAPS_CENC, &cbc, nist_plain, nist_plain, 64);
  cbc.extra = "x, piff_algorithm_id=(uint)3";
  check_refused (CAPS_CENC, &cbc, nist_cbc, 64, "PIFF");
}
GST_END_TEST;

GST_START_TEST (test_clear_by_meta)
{
  const TestMeta clear = { nist_ctr_iv, 16, NULL, 0, FALSE, 0, 0,
    "x, encrypted=(boolean)false" };

  check (CAPS_CENC, &clear, nist_plain, nist_plain, 64);
}
GST_END_TEST;

GST_START_TEST (test_webm)
{
#define CAPS_WEBM \
  "application/x-webm-enc, original-media-type=audio/x-raw, " \
  "encryption-algorithm=AES, encoding-scope=frame, cipher-mode=CTR"
  static const guint8 signal_and_frame[] = { 0, 1, 2, 3 };
  guint major, minor, micro, nano;
  GstBus *bus;
  GstHarness *h;

  check (CAPS_WEBM, &whole_ctr, nist_ctr, nist_plain, 64);

  /* No meta is a clear block; up to 1.22 its signal byte is still there. */
  gst_version (&major, &minor, &micro, &nano);
  h = test_harness_new (CAPS_WEBM, NIST_KEYS, &bus);
  if (minor < 23)
    test_expect (h, test_buffer_new (signal_and_frame, 4), signal_and_frame + 1,
        3);
  else
    test_expect (h, test_buffer_new (signal_and_frame, 4), signal_and_frame, 4);
  test_harness_free (h, bus);
}
GST_END_TEST;

GST_START_TEST (test_broken_meta)
{
  static const guint8 subsamples[] = { 0, 3, 0, 0, 0, 17 };
  const TestMeta too_short = { nist_ctr_iv, 16, subsamples, 1 };
  const TestMeta odd_iv = { nist_ctr_iv, 7 };
  const TestMeta no_iv = { NULL, 0 };
  const TestMeta pattern = { nist_ctr_iv, 16, NULL, 0, FALSE, 16, 9 };
  const TestMeta lies = { nist_ctr_iv, 16, NULL, 0, TRUE, 0, 0,
    "x, subsample_count=(uint)1000000000" };
  const TestMeta kid = { nist_ctr_iv, 16, NULL, 0, FALSE, 0, 0,
    "x, kid=(buffer)0011" };
  const TestMeta mode = { nist_ctr_iv, 16, NULL, 0, FALSE, 0, 0,
    "x, cipher-mode=rot13" };

  check_refused (CAPS_CENC, &too_short, nist_ctr, 64, "");
  check_refused (CAPS_CENC, &odd_iv, nist_ctr, 64, "IV");
  check_refused (CAPS_CENC, &no_iv, nist_ctr, 64, "IV");
  check_refused (CAPS_CBCS, &pattern, nist_ctr, 64, "pattern");
  check_refused (CAPS_CENC, &lies, nist_ctr, 64, "subsamples");
  check_refused (CAPS_CENC, &kid, nist_ctr, 64, "KID");
  check_refused (CAPS_CENC, &mode, nist_ctr, 64, "cipher-mode");
}
GST_END_TEST;

/* An AUD and a slice of 7 bytes. */
static const guint8 avc_sample[] = { 0, 0, 0, 2, 9, 0x10, 0, 0, 0, 7, 0x65, 1,
  2, 3, 4, 5, 6 };

/* The slice's last four bytes are encrypted. */
static const guint8 avc_subsamples[] = { 0, 13, 0, 0, 0, 4 };
static const TestMeta avc_ctr = { nist_ctr_iv, 16, avc_subsamples, 1 };
static const TestMeta avc_cbcs = { nist_cbc_iv, 16, avc_subsamples, 1, FALSE, 1,
  9 };

/* A lead is held until a sample shows that the demuxer knows what is
 * protected; then it was clear. Events keep their place. */
static void
check_lead (const gchar *caps, const TestMeta *lead, const TestMeta *info)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (caps, NIST_KEYS, &bus);
  guint i;

  for (i = 0; i < 3; i++) {
    GstBuffer *buffer = test_buffer_new (avc_sample, sizeof avc_sample);

    if (lead)
      buffer = test_add_meta (buffer, lead);
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
    fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  }
  fail_unless_equals_int (gst_harness_push (h,
                              test_add_meta (test_buffer_new (avc_sample,
                                                 sizeof avc_sample),
                                  info)),
      GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_buffers_received (h), 4);
  for (i = 0; i < 3; i++) {
    GstBuffer *buffer = gst_harness_pull (h);

    gst_check_buffer_data (buffer, avc_sample, sizeof avc_sample);
    fail_unless (gst_buffer_get_protection_meta (buffer) == NULL);
    gst_buffer_unref (buffer);
  }
  gst_buffer_unref (gst_harness_pull (h));
  /* From then on such a sample is clear. */
  test_expect (h, test_buffer_new (avc_sample, sizeof avc_sample), avc_sample,
      sizeof avc_sample);
  test_harness_free (h, bus);
}

/* Subsamples leave all in the clear that a NAL unit could be judged by: no such
 * sample passes if nothing else says that it is clear. */
static void
check_no_lead (const gchar *caps, const TestMeta *lead)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (caps, NIST_KEYS, &bus);
  GstBuffer *buffer = test_buffer_new (avc_sample, sizeof avc_sample);

  if (lead)
    buffer = test_add_meta (buffer, lead);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "in front of the demuxer");
  test_harness_free (h, bus);
}

GST_START_TEST (test_no_meta)
{
  check_lead (CAPS_AVC "cenc", NULL, &avc_ctr);
  check_no_lead (CAPS_AVC "cenc", NULL);
  check_refused (CAPS_AVC "cenc", NULL, nist_ctr, 64,
      "in front of the demuxer");
  check_refused (CAPS_CENC, NULL, nist_plain, 64, "in front of the demuxer");
}
GST_END_TEST;

/* qtdemux 1.22 gives pictures the information of the sound where PIFF's uuid box
 * stands beside saiz: as if encrypted whole, which these cannot be. */
GST_START_TEST (test_meta_of_another_stream)
{
  const TestMeta whole = { nist_ctr_iv, 16 };

  check_refused (CAPS_AVC "cenc", &whole, avc_sample, sizeof avc_sample,
      "in front of the demuxer");
}
GST_END_TEST;

/* qtdemux 1.22 says of a cbcs clear lead that it is encrypted whole; and of a
 * progressive file's ciphertext too. */
GST_START_TEST (test_cbcs_clear_lead)
{
  const TestMeta lead = { nist_cbc_iv, 16, NULL, 0, TRUE, 1, 9 };

  check_lead (CAPS_AVC "cbcs", &lead, &avc_cbcs);
  check_no_lead (CAPS_AVC "cbcs", &lead);
}
GST_END_TEST;

/* qtdemux tells what a sample needs once: after a seek back it comes without,
 * and would look like a clear lead. Before anything was protected, it may. */
GST_START_TEST (test_no_meta_after_seek)
{
  GstSegment segment;
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_AVC "cenc", NIST_KEYS, &bus);

  gst_harness_push (h, test_buffer_new (avc_sample, sizeof avc_sample));
  gst_harness_push (h,
      test_add_meta (test_buffer_new (avc_sample, sizeof avc_sample),
          &avc_ctr));
  fail_unless_equals_int (gst_harness_buffers_received (h), 2);

  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_push (h,
                              test_buffer_new (avc_sample, sizeof avc_sample)),
      GST_FLOW_ERROR);
  fail_unless_equals_int (gst_harness_buffers_received (h), 2);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "in front of the demuxer");
  test_harness_free (h, bus);
}
GST_END_TEST;

static GstEventType
pull_type (GstHarness *h)
{
  GstEvent *event = gst_harness_try_pull_event (h);
  GstEventType type = event ? GST_EVENT_TYPE (event) : GST_EVENT_UNKNOWN;

  if (event)
    gst_event_unref (event);
  return type;
}

GST_START_TEST (test_events_are_held)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_AVC "cenc", NIST_KEYS, &bus);

  while (pull_type (h) != GST_EVENT_UNKNOWN)
    ;
  gst_harness_push (h, test_buffer_new (avc_sample, sizeof avc_sample));
  gst_harness_push_event (h, gst_event_new_gap (GST_SECOND, GST_SECOND));
  fail_unless_equals_int (pull_type (h), GST_EVENT_UNKNOWN);
  gst_harness_push (h,
      test_add_meta (test_buffer_new (avc_sample, sizeof avc_sample),
          &avc_ctr));
  fail_unless_equals_int (gst_harness_buffers_received (h), 2);
  fail_unless_equals_int (pull_type (h), GST_EVENT_GAP);

  /* A flush drops what is held. */
  test_harness_free (h, bus);
  h = test_harness_new (CAPS_AVC "cenc", NIST_KEYS, &bus);
  gst_harness_push (h, test_buffer_new (avc_sample, sizeof avc_sample));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  test_harness_free (h, bus);
}
GST_END_TEST;

GST_START_TEST (test_no_meta_whole_sample_codec)
{
  /* AC-3: the sync word, twice by chance in 2^32. */
  static const guint8 ac3_sample[] = { 0x0b, 0x77, 1, 2, 0x10, 0x40, 3, 4 };
  const gchar *caps = "application/x-cenc, original-media-type=audio/x-ac3, "
                      "cipher-mode=cenc";
  GstBus *bus;
  GstHarness *h = test_harness_new (caps, NIST_KEYS, &bus);

  gst_harness_push (h, test_buffer_new (ac3_sample, sizeof ac3_sample));
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  gst_harness_push (h, test_buffer_new (ac3_sample, sizeof ac3_sample));
  fail_unless_equals_int (gst_harness_buffers_received (h), 2);
  test_harness_free (h, bus);

  /* The end of the stream gives what parsed; ciphertext in between stops all. */
  h = test_harness_new (caps, NIST_KEYS, &bus);
  gst_harness_push (h, test_buffer_new (ac3_sample, sizeof ac3_sample));
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (gst_harness_buffers_received (h), 1);
  test_harness_free (h, bus);

  h = test_harness_new (caps, NIST_KEYS, &bus);
  gst_harness_push (h, test_buffer_new (ac3_sample, sizeof ac3_sample));
  fail_unless_equals_int (gst_harness_push (h, test_buffer_new (nist_ctr, 64)),
      GST_FLOW_ERROR);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "in front");
  test_harness_free (h, bus);
}
GST_END_TEST;

GST_START_TEST (test_wrong_key)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_AVC "cenc", NIST_KEYS, &bus);

  /* Encrypted whole with another key: not what an H.264 sample can be. */
  fail_unless_equals_int (gst_harness_push (h,
                              test_add_meta (test_buffer_new (nist_cbc, 64),
                                  &whole_ctr)),
      GST_FLOW_ERROR);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "key for KID " NIST_KID " does not fit");
  test_harness_free (h, bus);

  h = test_harness_new (NULL, NIST_KEYS, &bus);
  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "verify-keys", FALSE, NULL);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (h, CAPS_AVC "cenc");
  fail_unless_equals_int (gst_harness_push (h,
                              test_add_meta (test_buffer_new (nist_cbc, 64),
                                  &whole_ctr)),
      GST_FLOW_OK);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* The last block of a whole sample is not whole: ISO/IEC 23001-7 leaves it
 * clear, and some encryptors do not. */
GST_START_TEST (test_cens_partial_blocks)
{
  static const gchar caps[] =
      "application/x-cenc, original-media-type=audio/x-raw, cipher-mode=cens";
  guint8 mixed[60];
  GstBus *bus;
  GstHarness *h = test_harness_new (caps, NIST_KEYS, &bus);

  memcpy (mixed, nist_ctr, sizeof mixed);
  memcpy (mixed + 48, nist_plain + 48, 12);
  test_expect (h,
      test_add_meta (test_buffer_new (mixed, sizeof mixed), &whole_ctr),
      nist_plain, sizeof mixed);
  test_harness_free (h, bus);

  h = test_harness_new (NULL, NIST_KEYS, &bus);
  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "cens-partial-blocks", TRUE, NULL);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (h, caps);
  test_expect (h,
      test_add_meta (test_buffer_new (nist_ctr, sizeof mixed), &whole_ctr),
      nist_plain, sizeof mixed);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Samples of less than a block say nothing of the key (seen: a track that begins
 * with silence). */
GST_START_TEST (test_wrong_key_after_silence)
{
  static const guint8 silence[] = { 0x21, 0x00, 0x03, 0x40, 0x68, 0x1c };
  const TestMeta constant = { nist_cbc_iv, 16, NULL, 0, .no_count = TRUE };
  GstBus *bus;
  GstHarness *h = test_harness_new (
      "application/x-cenc, original-media-type=audio/mpeg, mpegversion=4, "
      "codec_data=(buffer)1190, cipher-mode=cbcs",
      NIST_KEYS, &bus);
  guint i;

  for (i = 0; i < 20; i++)
    test_expect (h,
        test_add_meta (test_buffer_new (silence, sizeof silence), &constant),
        silence, sizeof silence);
  fail_unless_equals_int (gst_harness_push (h,
                              test_add_meta (test_buffer_new (nist_ctr, 64),
                                  &constant)),
      GST_FLOW_ERROR);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "key for KID " NIST_KID " does not fit");
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Slice headers that were encrypted too (ffmpeg does so) are impossible ones
 * after a few samples. */
GST_START_TEST (test_wrong_key_slice_headers)
{
  static const guint8 subsample[] = { 0, 5, 0, 0, 0, 59 };
  const TestMeta meta = { nist_ctr_iv, 16, subsample, 1 };
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_AVC "cenc", NIST_KEYS, &bus);
  guint8 sample[64] = { 0, 0, 0, 60, 0x41 };
  guint i;

  for (i = 0; i < 64; i++) {
    memset (sample + 5, (gint) (i * 37), sizeof sample - 5);
    if (gst_harness_push (h,
            test_add_meta (test_buffer_new (sample, sizeof sample), &meta)) ==
        GST_FLOW_ERROR)
      break;
  }
  fail_unless (i > 0 && i < 64, "%u", i);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "key for KID " NIST_KID " does not fit");
  test_harness_free (h, bus);
}
GST_END_TEST;

static Suite *
cencdecrypt_samples_suite (void)
{
  Suite *suite = suite_create ("cencdecrypt-samples");
  TCase *tc = tcase_create ("samples");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_cenc);
  tcase_add_test (tc, test_missing_cipher_mode);
  tcase_add_test (tc, test_cbcs);
  tcase_add_test (tc, test_cbcs_pattern);
  tcase_add_test (tc, test_cbc1);
  tcase_add_test (tc, test_piff);
  tcase_add_test (tc, test_clear_by_meta);
  tcase_add_test (tc, test_webm);
  tcase_add_test (tc, test_broken_meta);
  tcase_add_test (tc, test_no_meta);
  tcase_add_test (tc, test_no_meta_after_seek);
  tcase_add_test (tc, test_no_meta_whole_sample_codec);
  tcase_add_test (tc, test_events_are_held);
  tcase_add_test (tc, test_meta_of_another_stream);
  tcase_add_test (tc, test_cbcs_clear_lead);
  tcase_add_test (tc, test_wrong_key);
  tcase_add_test (tc, test_cens_partial_blocks);
  tcase_add_test (tc, test_wrong_key_after_silence);
  tcase_add_test (tc, test_wrong_key_slice_headers);
  return suite;
}

GST_CHECK_MAIN (cencdecrypt_samples);
