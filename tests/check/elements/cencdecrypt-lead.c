/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A cbcs clear lead of sound, which qtdemux calls encrypted. */

#include "cencdecrypt-util.h"

#include "cenc/decrypt-lead.h"
#include "gst/isobmff/bmff-reader.h"

#include <string.h>

#define CAPS_AC3 \
  "application/x-cenc, original-media-type=audio/x-ac3, cipher-mode=cbcs"

/* Begins with a sync word: all that is asked of AC-3. Two of them are a lead. */
static const guint8 good[64] = { 0x0b, 0x77, 1, 2, 3, 4, 5, 6 };
static const guint8 bad[64] = { 0x47, 0x11 };

/*
 * The judgment
 */

static GstBuffer *
sample (const guint8 *data, guint8 number)
{
  GstBuffer *buffer = gst_buffer_new_memdup (data, 64);

  gst_buffer_memset (buffer, 63, number, 1);
  return buffer;
}

/* Takes what came out, and appends its letters. */
static void
take_letters (GQueue *out, GString *got)
{
  gpointer object;

  while ((object = g_queue_pop_head (out))) {
    guint8 letter = '|';

    if (GST_IS_BUFFER (object))
      gst_buffer_extract (object, 63, &letter, 1);
    g_string_append_c (got, (gchar) letter);
    gst_mini_object_unref (object);
  }
}

/* What judge() adds for @c. Returns: FALSE if no more is to be added */
static gboolean
add_letter (DecryptLead *lead, SampleProbe *probe, gchar c, GString *got)
{
  GQueue out = G_QUEUE_INIT;
  gboolean clear = strchr ("cb-s", c) != NULL, fits = c == 'e' || c == 'b';
  GstBuffer *raw = sample (clear ? good : bad, (guint8) c);
  GstBuffer *decrypted = NULL;
  g_autoptr (GError) error = NULL;
  DecryptLeadResult result;

  if (c == 's')
    decrypted = gst_buffer_copy (raw);
  else if (c != '-')
    decrypted = sample (fits ? good : bad, (guint8) g_ascii_toupper (c));
  result = decrypt_lead_add (lead, probe, 2, raw, decrypted, &out, &error);
  take_letters (&out, got);
  if (result == DECRYPT_LEAD_OVER) {
    g_string_append_c (got, '!');
    gst_buffer_unref (raw);
  } else if (result == DECRYPT_LEAD_FAILED) {
    g_string_append_c (got, '?');
  }
  return result == DECRYPT_LEAD_TAKEN;
}

/* Adds samples: 'c' parses as it came, 'e' decrypted, 'b' both ways, 'n' neither,
 * '-' came without information, '|' is an event, 's' is too short to be
 * encrypted. Gives what came out: letters in lower case as they came, in upper
 * case decrypted, '!' for an encrypted sample that was not taken, '?' for an
 * error. */
static gchar *
judge (const gchar *samples, gboolean end)
{
  GString *got = g_string_new (NULL);
  GQueue out = G_QUEUE_INIT;
  SampleProbe probe;
  DecryptLead lead;
  guint i;

  sample_probe_init (&probe, BMFF_FOURCC ('a', 'c', '-', '3'), NULL, 0);
  decrypt_lead_init (&lead);
  for (i = 0; samples[i]; i++) {
    if (samples[i] == '|')
      decrypt_lead_add_event (&lead, gst_event_new_gap (0, 1));
    else if (!add_letter (&lead, &probe, samples[i], got))
      break;
  }
  if (end)
    decrypt_lead_finish (&lead, &out);
  take_letters (&out, got);
  fail_unless (lead.over == (got->len > 0 && got->str[got->len - 1] == '!'));
  decrypt_lead_clear (&lead);
  return g_string_free (got, FALSE);
}

static void
check (const gchar *samples, gboolean end, const gchar *wanted)
{
  gchar *got = judge (samples, end);

  fail_unless (g_str_equal (got, wanted), "%s: %s, not %s", samples, got,
      wanted);
  g_free (got);
}

GST_START_TEST (test_judgment)
{
  /* No lead. */
  check ("e", FALSE, "!");
  check ("n", FALSE, "!");
  /* A lead: two make it sure, then each goes out at once. */
  check ("c", FALSE, "");
  check ("cc", FALSE, "cc");
  check ("ccce", FALSE, "ccc!");
  check ("cc-e", FALSE, "cc-!");
  /* One of one sample is shown by the key that fits, and only by that. */
  check ("ce", FALSE, "c!");
  check ("cn", FALSE, "!");
  check ("c", TRUE, "c");
  /* What is possible both ways: clear in front of a clear one, else not. */
  check ("bcc", FALSE, "bcc");
  check ("ccbc", FALSE, "ccbc");
  check ("ccbe", FALSE, "ccB!");
  check ("be", FALSE, "B!");
  check ("bbcbe", FALSE, "bbcB!");
  check ("b", TRUE, "B");
  /* In their places. */
  check ("c|c|", FALSE, "c|c");
  check ("b|e", FALSE, "B|!");
  /* Nobody could tell, and nothing is to be told. */
  check ("sss", FALSE, "sss");
  check ("cs", FALSE, "");
  check ("csc", FALSE, "csc");
}
GST_END_TEST;

/* Opus: most samples parse both ways, so the first byte's mode has to tell. */
static GstBuffer *
opus (guint8 first, guint8 last)
{
  guint8 data[64] = { first, [63] = last };

  return gst_buffer_new_memdup (data, sizeof data);
}

/* Pairs of first bytes, as it came and decrypted; 3, 0 is no Opus. Gives the
 * first bytes of what came out, then the last result. @end: nothing follows. */
static DecryptLeadResult
judge_opus (const guint8 (*samples)[2], guint n, gboolean end, GByteArray *got)
{
  GQueue out = G_QUEUE_INIT;
  SampleProbe probe;
  DecryptLead lead;
  DecryptLeadResult result = DECRYPT_LEAD_TAKEN;
  GstBuffer *buffer;
  guint i;

  sample_probe_init (&probe, BMFF_FOURCC ('O', 'p', 'u', 's'), NULL, 0);
  decrypt_lead_init (&lead);
  for (i = 0; i < n && result == DECRYPT_LEAD_TAKEN; i++) {
    GstBuffer *raw = opus (samples[i][0], 0);
    GError *error = NULL;

    result = decrypt_lead_add (&lead, &probe, 2, raw, opus (samples[i][1], 1),
        &out, &error);
    if (result == DECRYPT_LEAD_OVER)
      gst_buffer_unref (raw);
    fail_unless ((result == DECRYPT_LEAD_FAILED) == (error != NULL));
    g_clear_error (&error);
  }
  if (end)
    decrypt_lead_finish (&lead, &out);
  while ((buffer = g_queue_pop_head (&out))) {
    guint8 first;

    gst_buffer_extract (buffer, 0, &first, 1);
    g_byte_array_append (got, &first, 1);
    gst_buffer_unref (buffer);
  }
  decrypt_lead_clear (&lead);
  return result;
}

static void
check_opus (const guint8 (*samples)[2], guint n, DecryptLeadResult wanted,
    const gchar *bytes, guint n_bytes)
{
  GByteArray *got = g_byte_array_new ();

  fail_unless_equals_int (judge_opus (samples, n, FALSE, got), wanted);
  fail_unless_equals_int (got->len, n_bytes);
  fail_unless (memcmp (got->data, bytes, n_bytes) == 0);
  g_byte_array_unref (got);
}

GST_START_TEST (test_opus)
{
  /* Two that are clear, one that parses both ways, one that is encrypted. */
  const guint8 clear[][2] = { { 0xfc, 3 }, { 0xfc, 3 }, { 0xfc, 0x10 },
    { 3, 0xfc } };
  const guint8 encrypted[][2] = { { 0xfc, 3 }, { 0xfc, 3 }, { 0x10, 0xfc },
    { 3, 0xfc } };
  const guint8 both[][2] = { { 0xfc, 3 }, { 0xfc, 3 }, { 0xfc, 0xfc },
    { 3, 0xfc } };
  const guint8 neither[][2] = { { 0xfc, 3 }, { 0xfc, 3 }, { 0x20, 0x10 },
    { 3, 0xfc } };
  const guint8 no_lead[][2] = { { 0x20, 0xfc }, { 0x10, 0xfc }, { 3, 0xfc } };

  check_opus (clear, 4, DECRYPT_LEAD_OVER, "\xfc\xfc\xfc", 3);
  check_opus (encrypted, 4, DECRYPT_LEAD_OVER, "\xfc\xfc\xfc", 3);
  check_opus (both, 4, DECRYPT_LEAD_FAILED, "\xfc\xfc", 2);
  check_opus (neither, 4, DECRYPT_LEAD_FAILED, "\xfc\xfc", 2);
  check_opus (no_lead, 3, DECRYPT_LEAD_OVER, "\xfc\xfc", 2);
}
GST_END_TEST;

/* A lead to the end: of what parses both ways, what begins as the others did was
 * clear. */
GST_START_TEST (test_lead_to_the_end)
{
  const guint8 samples[][2] = { { 0xfc, 3 }, { 0xfc, 3 }, { 0xfc, 0x10 },
    { 0x10, 0xfc }, { 0xfc, 0xfc } };
  GByteArray *got = g_byte_array_new ();

  fail_unless_equals_int (judge_opus (samples, 5, TRUE, got),
      DECRYPT_LEAD_TAKEN);
  fail_unless_equals_int (got->len, 5);
  fail_unless (memcmp (got->data, "\xfc\xfc\xfc\xfc\xfc", 5) == 0);
  g_byte_array_unref (got);
}
GST_END_TEST;

/* How many samples of @size bytes are held until it is an error. */
static guint
count_held (gsize size)
{
  SampleProbe probe;
  DecryptLead lead;
  GQueue out = G_QUEUE_INIT;
  GError *error = NULL;
  DecryptLeadResult result = DECRYPT_LEAD_TAKEN;
  guint i;

  sample_probe_init (&probe, BMFF_FOURCC ('a', 'c', '-', '3'), NULL, 0);
  decrypt_lead_init (&lead);
  for (i = 0; i < 100000 && result == DECRYPT_LEAD_TAKEN; i++) {
    GstBuffer *raw = gst_buffer_new_allocate (NULL, size, NULL);
    GstBuffer *decrypted;

    gst_buffer_memset (raw, 0, 0, size);
    gst_buffer_fill (raw, 0, good, 2);
    decrypted = gst_buffer_copy_deep (raw);
    gst_buffer_memset (decrypted, size - 1, (guint8) (i % 255 + 1), 1);
    result = decrypt_lead_add (&lead, &probe, 2, raw, decrypted, &out, &error);
  }
  fail_unless_equals_int (result, DECRYPT_LEAD_FAILED);
  fail_unless (strstr (error->message, "64 MiB") != NULL);
  g_error_free (error);
  decrypt_lead_clear (&lead);
  return i - 1;
}

/* By what holding takes, too: else samples of few bytes would be held without end. */
GST_START_TEST (test_bounded)
{
  fail_unless_equals_int (count_held (1 << 20), 63);
  fail_unless_equals_int (count_held (16), (64u << 20) / (1024 + 16));
}
GST_END_TEST;

/*
 * The element
 */

/* The IV with which nist_cbc's first block decrypts to @good's. */
static void
make_iv (guint8 iv[16])
{
  guint i;

  for (i = 0; i < 16; i++)
    iv[i] = nist_plain[i] ^ nist_cbc_iv[i] ^ good[i];
}

static void
push_lead (GstHarness *h, guint n, const TestMeta *meta, guint n_before)
{
  guint i;

  for (i = 0; i < n; i++) {
    fail_unless_equals_int (gst_harness_push (h,
                                test_add_meta (test_buffer_new (good,
                                                   sizeof good),
                                    meta)),
        GST_FLOW_OK);
    fail_unless_equals_int (gst_harness_buffers_received (h),
        n_before + (i == 0 ? 0 : i + 1));
  }
}

GST_START_TEST (test_element)
{
  guint8 iv[16], plain[64];
  const TestMeta meta = { iv, 16, NULL, 0, .no_count = TRUE };
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_AC3, NIST_KEYS, &bus);
  GstSegment segment;
  GstBuffer *buffer;
  guint i;

  make_iv (iv);
  memcpy (plain, nist_plain, sizeof plain);
  memcpy (plain, good, 16);
  push_lead (h, 4, &meta, 0);
  for (i = 0; i < 4; i++) {
    buffer = gst_harness_pull (h);
    gst_check_buffer_data (buffer, good, sizeof good);
    fail_unless (gst_buffer_get_protection_meta (buffer) == NULL);
    gst_buffer_unref (buffer);
  }
  /* The last of the lead has no information at all (seen). */
  test_expect (h, test_buffer_new (good, sizeof good), good, sizeof good);
  test_expect (h, test_add_meta (test_buffer_new (nist_cbc, 64), &meta), plain,
      sizeof plain);

  /* And once more after a seek back. */
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push_lead (h, 2, &meta, 6);
  gst_buffer_unref (gst_harness_pull (h));
  gst_buffer_unref (gst_harness_pull (h));
  test_expect (h, test_buffer_new (good, sizeof good), good, sizeof good);
  test_expect (h, test_add_meta (test_buffer_new (nist_cbc, 64), &meta), plain,
      sizeof plain);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Another title may have a lead as well, and other caps or the same: these are
 * then not sent again (__i__ 1, and 2 under the same name). */
GST_START_TEST (test_next_title)
{
  guint8 iv[16], plain[64];
  const TestMeta meta = { iv, 16, NULL, 0, .no_count = TRUE };
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_AC3, NIST_KEYS, &bus);
  GstCaps *caps = gst_caps_from_string (CAPS_AC3);
  GstSegment segment;
  guint i;

  make_iv (iv);
  memcpy (plain, nist_plain, sizeof plain);
  memcpy (plain, good, 16);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  for (i = 0; i < 2; i++) {
    gst_harness_push_event (h,
        gst_event_new_stream_start (i == 1 && __i__ == 1 ? "other" : "title"));
    if (i == 0 || __i__ == 0)
      gst_harness_push_event (h, gst_event_new_caps (caps));
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    push_lead (h, 2, &meta, 3 * i);
    gst_buffer_unref (gst_harness_pull (h));
    gst_buffer_unref (gst_harness_pull (h));
    test_expect (h, test_add_meta (test_buffer_new (nist_cbc, 64), &meta),
        plain, sizeof plain);
  }
  gst_caps_unref (caps);
  test_harness_free (h, bus);
}
GST_END_TEST;

/* With a wrong key nothing passes for a lead. */
GST_START_TEST (test_wrong_key)
{
  const TestMeta meta = { nist_cbc_iv, 16, NULL, 0, .no_count = TRUE };
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS_AC3, NIST_KEYS, &bus);

  gst_harness_push (h,
      test_add_meta (test_buffer_new (good, sizeof good), &meta));
  fail_unless_equals_int (gst_harness_push (h,
                              test_add_meta (test_buffer_new (nist_ctr, 64),
                                  &meta)),
      GST_FLOW_ERROR);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "key for KID " NIST_KID " does not fit");
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Nor does what was held vanish where nobody looks whether the key fits. Found by
 * fuzzing. */
GST_START_TEST (test_wrong_key_unverified)
{
  const TestMeta meta = { nist_cbc_iv, 16, NULL, 0, .no_count = TRUE };
  GstBus *bus;
  GstHarness *h = test_harness_new (NULL, NIST_KEYS, &bus);

  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "verify-keys", FALSE, NULL);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (h, CAPS_AC3);
  gst_harness_push (h,
      test_add_meta (test_buffer_new (good, sizeof good), &meta));
  fail_unless_equals_int (gst_harness_push (h,
                              test_add_meta (test_buffer_new (nist_ctr, 64),
                                  &meta)),
      GST_FLOW_ERROR);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "a lead whose end cannot be told");
  test_harness_free (h, bus);
}
GST_END_TEST;

static Suite *
cencdecrypt_lead_suite (void)
{
  Suite *suite = suite_create ("cencdecrypt-lead");
  TCase *tc = tcase_create ("lead");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_judgment);
  tcase_add_test (tc, test_opus);
  tcase_add_test (tc, test_lead_to_the_end);
  tcase_add_test (tc, test_bounded);
  tcase_add_test (tc, test_element);
  tcase_add_loop_test (tc, test_next_title, 0, 3);
  tcase_add_test (tc, test_wrong_key);
  tcase_add_test (tc, test_wrong_key_unverified);
  return suite;
}

GST_CHECK_MAIN (cencdecrypt_lead);
