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

#define BOM "\xef\xbb\xbf"
#define NAMESPACE "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader"
#define IN_DATA(data) "<WRMHEADER><DATA>" data "</DATA></WRMHEADER>"
#define IN_KIDS(kids) \
  IN_DATA ("<PROTECTINFO><KIDS>" kids "</KIDS></PROTECTINFO>")
#define KID(guid) "<KID>" guid "</KID>"
#define KID_VALUE(guid) "<KID ALGID=\"AESCTR\" VALUE=\"" guid "\"/>"

static gboolean
read_xml (const gchar *xml, guint8 *kid, GError **error)
{
  gchar *text = playready_object_new (xml);
  gboolean ok = decrypt_playready_read_text (text, strlen (text), kid, error);

  g_free (text);
  return ok;
}

/* What XML allows, and packagers write. */
static const gchar *const headers_with_kid[] = {
  V4_0 (GUID),
  V4_1,
  V4_2 (GUID), /* twice the same */
  IN_KIDS (KID_VALUE (GUID)),
  BOM V4_0 (GUID),
  "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n" V4_0 (GUID) "\n",
  "<!-- <KID>" OTHER_GUID "</KID> -->" V4_0 (GUID),
  IN_DATA ("<!-- " KID (OTHER_GUID) " -->" KID (GUID)),
  IN_DATA ("<KID> MyIRAFVEd2aI<!-- half -->maq7zN3u/w==\n</KID>"),
  IN_DATA ("<KID>MyIRAFVEd2aI<![CDATA[maq7zN3u/w==]]></KID>"),
  IN_DATA ("<LA_URL><![CDATA[" KID (OTHER_GUID) "]]></LA_URL>" KID (GUID)),
  IN_DATA ("<LA_URL>&lt;KID&gt;AAAA&lt;/KID&gt;</LA_URL>" KID (GUID)),
  IN_DATA ("<KID>MyIRAFVEd2aImaq7zN3u&#x2f;w&#61;&#61;</KID>"),
  IN_KIDS ("<KID VALUE='MyIRAFVEd2aImaq7zN3u&#47;w=='/>"),
  IN_KIDS ("<KID NOTE='>' OTHER='VALUE=' VALUE\n=\n'" GUID "'></KID>"),
  IN_KIDS ("<KID VALUE=\"" GUID "\" CHECKSUM='VALUE=\"AAAA\"' />"),
  "<p:WRMHEADER xmlns:p='" NAMESPACE "'><p:DATA><p:KID>" GUID
  "</p:KID></p:DATA></p:WRMHEADER>",
  /* of somebody else */
  IN_DATA ("<CUSTOMATTRIBUTES xmlns='urn:x'>" KID (OTHER_GUID)
          KID_VALUE (OTHER_GUID) "</CUSTOMATTRIBUTES>" KID (GUID)),
  IN_DATA ("<LA_URL>http://\xc3\xa9.example/</LA_URL>" KID (GUID)),
};

GST_START_TEST (test_header)
{
  guint8 kid[16] = { 0 };
  GError *error = NULL;

  GST_INFO ("%s", headers_with_kid[__i__]);
  fail_unless (read_xml (headers_with_kid[__i__], kid, &error));
  fail_unless (error == NULL);
  fail_unless (memcmp (kid, nist_kid, sizeof kid) == 0);
}
GST_END_TEST;

#define DEEP10(xml) \
  "<A><A><A><A><A><A><A><A><A><A>" xml \
  "</A></A></A></A></A></A></A></A></A></A>"

static const struct
{
  const gchar *xml, *message;
} headers_without_kid[] = {
  { V4_2 (OTHER_GUID), "several KIDs" },
  { IN_DATA (
        KID (GUID) "<PROTECTINFO>" KID_VALUE (OTHER_GUID) "</PROTECTINFO>"),
      "several KIDs" },
  { IN_DATA (""), "names no KID" },
  { IN_DATA ("<CUSTOMATTRIBUTES>" KID (GUID) "</CUSTOMATTRIBUTES>"),
      "names no KID" },
  { "<DATA>" KID (GUID) "</DATA>", "names no KID" },
  { IN_DATA ("<KIDS/>"), "names no KID" },
  { IN_DATA (KID ("AAAA")), "16 bytes" },
  { IN_DATA (KID ("")), "16 bytes" },
  { IN_DATA (KID ("MyIR-AFVEd2aImaq7zN3u/w==")), "16 bytes" },
  { IN_DATA (KID ("MyIRAFVEd2aImaq7zN3u/w=")), "16 bytes" },
  { IN_DATA (KID (GUID ".")), "16 bytes" },
  { IN_DATA (KID ("<X>" GUID "</X>")), "16 bytes" },
  { IN_KIDS ("<KID VALUE=''/>"), "16 bytes" },
  { IN_KIDS ("<KID VALUE='" GUID "' VALUE='" OTHER_GUID "'/>"), "twice" },
  { V4_0 (GUID) V4_0 (GUID), "second" },
  { DEEP10 (DEEP10 (KID (GUID))), "deep" },
  { "<!DOCTYPE WRMHEADER [<!ENTITY k '" GUID "'>]>" IN_DATA (KID ("&k;")),
      "DTD" },
  { IN_DATA (KID ("&k;")), "" },
  { IN_DATA (KID (GUID) "<LA_URL>a?x=1&y=2</LA_URL>"), "" },
  { "<WRMHEADER><DATA>" KID (GUID) "</DATA>", "" },
  { "<WRMHEADER><DATA>" KID (GUID) "</WRMHEADER></DATA>", "" },
  { IN_KIDS ("<KID VALUE='" GUID "\"/>"), "" },
  { IN_DATA ("<KID VALUE=" GUID "/>"), "" },
  { IN_DATA ("<p:KID>" GUID "</q:KID>"), "" },
  { V4_0 (GUID) "more", "" },
  { "<WRMHEADER", "" },
  { "KID", "" },
  { BOM, "" },
  { "", "" },
};

/* An error that says which rule, and nothing else. */
GST_START_TEST (test_bad_header)
{
  guint8 kid[16];
  GError *error = NULL;

  GST_INFO ("%s", headers_without_kid[__i__].xml);
  fail_unless (!read_xml (headers_without_kid[__i__].xml, kid, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
  GST_INFO ("%s", error->message);
  fail_unless (strstr (error->message, headers_without_kid[__i__].message));
  g_error_free (error);
}
GST_END_TEST;

/* Zeros behind the header are some packagers' end of a string, and nothing else
 * may be there. */
GST_START_TEST (test_zeros)
{
  static const gchar xml[] = V4_0 (GUID);
  gchar *text = playready_object_new (V4_0 (GUID) "....");
  guint8 *data, kid[16];
  gsize size, end = 10 + 2 * strlen (xml);

  data = g_base64_decode (text, &size);
  g_free (text);
  memset (data + end, 0, size - end);
  text = g_base64_encode (data, size);
  fail_unless (decrypt_playready_read_text (text, strlen (text), kid, NULL));
  g_free (text);
  data[size - 2] = '<';
  text = g_base64_encode (data, size);
  fail_unless (!decrypt_playready_read_text (text, strlen (text), kid, NULL));
  g_free (text);
  g_free (data);
}
GST_END_TEST;

/* The newest header of a title counts, also if it names none. */
GST_START_TEST (test_newest_header)
{
  GstBus *bus;
  GstHarness *h = test_harness_new (CAPS, NIST_KEYS, &bus);

  push_header (h, PLAYREADY, SMOOTH, V4_0 (GUID));
  test_expect (h, sample_new (), nist_plain, 64);
  push_header (h, PLAYREADY, SMOOTH, V4_2 (OTHER_GUID));
  fail_unless_equals_int (gst_harness_push (h, sample_new ()), GST_FLOW_ERROR);
  test_expect_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
      "several KIDs");
  test_harness_free (h, bus);
}
GST_END_TEST;

/* Each byte of the object changed, and each length of it. */
GST_START_TEST (test_damage)
{
  gchar *text = playready_object_new (V4_0 (GUID));
  gsize size, i;
  guint8 *data = g_base64_decode (text, &size), kid[16];

  fail_unless (decrypt_playready_read_text (text, strlen (text), kid, NULL));
  fail_unless (memcmp (kid, nist_kid, sizeof kid) == 0);
  for (i = 0; i < size; i++) {
    const guint8 byte = data[i];
    gchar *damaged;

    data[i] = (guint8) g_random_int ();
    damaged = g_base64_encode (data, size);
    decrypt_playready_read_text (damaged, strlen (damaged), kid, NULL);
    g_free (damaged);
    data[i] = byte;
    damaged = g_base64_encode (data, i);
    fail_unless (
        !decrypt_playready_read_text (damaged, strlen (damaged), kid, NULL));
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
  tcase_add_loop_test (tc, test_header, 0, G_N_ELEMENTS (headers_with_kid));
  tcase_add_loop_test (tc, test_bad_header, 0,
      G_N_ELEMENTS (headers_without_kid));
  tcase_add_test (tc, test_zeros);
  tcase_add_test (tc, test_newest_header);
  tcase_add_test (tc, test_damage);
  tcase_add_test (tc, test_another_title);
  return suite;
}

GST_CHECK_MAIN (cencdecrypt_smooth);
