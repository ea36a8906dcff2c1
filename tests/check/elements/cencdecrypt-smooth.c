/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencdecrypt behind mssdemux and qtdemux: samples' information without KID and
 * cipher-mode, and the manifest's PlayReady Object. */

#include "../playready.h"
#include "cenc/decrypt-playready.h"
#include "cencdecrypt-util.h"

#define PLAYREADY "9a04f079-9840-4286-ab92-e65be0885f95"
#define SMOOTH "smooth-streaming"
#define CAPS \
  "application/x-cenc, original-media-type=audio/x-raw, protection-system=" PLAYREADY

/* {00112233-4455-6677-8899-aabbccddeeff}, and with another end */
#define GUID "MyIRAFVEd2aImaq7zN3u/w=="
#define OTHER_GUID "MyIRAFVEd2aImaq7zN3uAA=="
#define V4_0(guid) \
  "<WRMHEADER version=\"4.0.0.0\"><DATA><PROTECTINFO>" \
  "<KEYLEN>16</KEYLEN></PROTECTINFO><KID>" guid "</KID></DATA></WRMHEADER>"
#define V4_1 \
  "<WRMHEADER version=\"4.1.0.0\"><DATA><PROTECTINFO><KID " \
  "ALGID=\"AESCTR\" VALUE=\"" GUID \
  "\"></KID></PROTECTINFO></DATA></WRMHEADER>"
#define V4_2(guid) \
  "<WRMHEADER version=\"4.2.0.0\"><DATA><PROTECTINFO><KIDS>" \
  "<KID ALGID='AESCTR' VALUE='" GUID "'/><KID ALGID='AESCTR' VALUE='" guid \
  "'/></KIDS></PROTECTINFO></DATA></WRMHEADER>"

static void
push_text (GstHarness *h, const gchar *system, const gchar *origin,
    const gchar *text)
{
  GstBuffer *data =
      *text ? gst_buffer_new_memdup (text, strlen (text)) : gst_buffer_new ();

  fail_unless (gst_harness_push_event (h,
      gst_event_new_protection (system, data, origin)));
  gst_buffer_unref (data);
}

static void
push_header (GstHarness *h, const gchar *system, const gchar *origin,
    const gchar *xml)
{
  gchar *text = playready_object_new (xml);

  push_text (h, system, origin, text);
  g_free (text);
}

static GstBuffer *
sample_new (void)
{
  static const TestMeta whole = { nist_ctr_iv, 16 };
  GstBuffer *buffer = test_add_meta (test_buffer_new (nist_ctr, 64), &whole);

  gst_structure_remove_field (gst_buffer_get_protection_meta (buffer)->info,
      "kid");
  return buffer;
}

static void
expect_no_kid (GstHarness *h, GstBus *bus)
{
  fail_unless_equals_int (gst_harness_push (h, sample_new ()), GST_FLOW_ERROR);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "no KID of 16 bytes");
}

GST_START_TEST (test_kid_of_manifest)
{
  static const gchar *const headers[] = { V4_0 (GUID), V4_1, V4_2 (GUID),
    V4_0 (" " GUID "\n") };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (headers); i++) {
    GstBus *bus;
    GstHarness *h = test_harness_new (CAPS, NIST_KEYS, &bus);
    GstSegment segment;

    push_header (h, PLAYREADY, SMOOTH, headers[i]);
    test_expect (h, sample_new (), nist_plain, 64);
    /* It is told once. */
    fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
    fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
    test_expect (h, sample_new (), nist_plain, 64);
    test_harness_free (h, bus);
  }
}
GST_END_TEST;

GST_START_TEST (test_no_kid)
{
  static const struct
  {
    const gchar *system, *origin, *xml;
  } headers[] = {
    { PLAYREADY, SMOOTH, V4_2 (OTHER_GUID) }, /* of which is the sample? */
    { PLAYREADY, "isobmff/moov", V4_0 (GUID) },
    { "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", SMOOTH, V4_0 (GUID) },
    { PLAYREADY, SMOOTH, V4_0 ("AAAA") },
    { PLAYREADY, SMOOTH, "<WRMHEADER><KID>" GUID },
    { PLAYREADY, SMOOTH, "<WRMHEADER><KID VALUE=\"" GUID },
    { PLAYREADY, SMOOTH, "<KIDS/><KID" },
    { PLAYREADY, SMOOTH, "" },
  };
  static const gchar *const texts[] = { "", "AAAA", "no base64: -",
    /* a record that is longer than the object */
    "CgAAAAEAAQD//w==" };
  GstBus *bus;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (headers); i++) {
    GstHarness *h = test_harness_new (CAPS, NIST_KEYS, &bus);

    push_header (h, headers[i].system, headers[i].origin, headers[i].xml);
    expect_no_kid (h, bus);
    test_harness_free (h, bus);
  }
  for (i = 0; i < G_N_ELEMENTS (texts); i++) {
    GstHarness *h = test_harness_new (CAPS, NIST_KEYS, &bus);

    push_text (h, PLAYREADY, SMOOTH, texts[i]);
    expect_no_kid (h, bus);
    test_harness_free (h, bus);
  }
}
GST_END_TEST;

/* Each byte of the object changed, and each length of it. */
GST_START_TEST (test_damage)
{
  gchar *text = playready_object_new (V4_0 (GUID));
  gsize size, i;
  guint8 *data = g_base64_decode (text, &size), kid[16];

  fail_unless (decrypt_playready_read_text (text, strlen (text), kid));
  fail_unless (memcmp (kid, nist_kid, sizeof kid) == 0);
  for (i = 0; i < size; i++) {
    const guint8 byte = data[i];
    gchar *damaged;

    data[i] = (guint8) g_random_int ();
    damaged = g_base64_encode (data, size);
    decrypt_playready_read_text (damaged, strlen (damaged), kid);
    g_free (damaged);
    data[i] = byte;
    damaged = g_base64_encode (data, i);
    fail_unless (!decrypt_playready_read_text (damaged, strlen (damaged), kid));
    g_free (damaged);
  }
  g_free (data);
  g_free (text);
}
GST_END_TEST;

GST_START_TEST (test_another_title)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS, NIST_KEYS, &bus);

  push_header (h, PLAYREADY, SMOOTH, V4_0 (GUID));
  test_expect (h, sample_new (), nist_plain, 64);
  fail_unless (
      gst_harness_push_event (h, gst_event_new_stream_start ("another")));
  gst_harness_set_src_caps_str (h, CAPS);
  expect_no_kid (h, bus);
  test_harness_free (h, bus);
}
GST_END_TEST;

static Suite *
cencdecrypt_smooth_suite (void)
{
  Suite *suite = suite_create ("cencdecrypt-smooth");
  TCase *tc = tcase_create ("elements");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_kid_of_manifest);
  tcase_add_test (tc, test_no_kid);
  tcase_add_test (tc, test_damage);
  tcase_add_test (tc, test_another_title);
  return suite;
}

GST_CHECK_MAIN (cencdecrypt_smooth);
