/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/check/gstcheck.h>
#include <string.h>
#include "../key-data.h"
#include "cenc/cpix-read.h"
#include "cenc/cpix-rules.h"
#include "cenc/cpix-write.h"
#include "gst/cenc/cenc-pssh.h"

#include "cpix-fixtures.h"

#define KID_0 "00112233-4455-6677-8899-aabbccddeeff"
#define KID_1 "10112233-4455-6677-8899-aabbccddeeff"
#define KID_2 "20112233-4455-6677-8899-aabbccddeeff"

#define HEAD \
  "<?xml version='1.0'?><CPIX xmlns='urn:dashif:org:cpix' " \
  "xmlns:pskc='urn:ietf:params:xml:ns:keyprov:pskc' contentId='title'>"
#define VALUE(base64) \
  "<Data><pskc:Secret><pskc:PlainValue>" base64 \
  "</pskc:PlainValue></pskc:Secret></Data>"
#define KEY(kid, n) \
  "<ContentKey kid='" kid \
  "'>" VALUE (n "AECAwQFBgcICQoLDA0ODw==") "</ContentKey>"
/* Keys whose first byte is 0, 0x10, 0x20; the others 1, 2, … 15. */
#define KEYS \
  "<ContentKeyList>" KEY (KID_0, "A") KEY (KID_1, "E") \
      KEY (KID_2, "I") "</ContentKeyList>"
#define RULE(kid, filters) \
  "<ContentKeyUsageRule kid='" kid "'>" filters "</ContentKeyUsageRule>"
#define RULES(rules) \
  HEAD KEYS "<ContentKeyPeriodList><ContentKeyPeriod id='p1' index='1'/>" \
            "</ContentKeyPeriodList><ContentKeyUsageRuleList>" rules \
            "</ContentKeyUsageRuleList></CPIX>"

static CpixDocument *
read_text (const gchar *text, GError **error)
{
  return cpix_document_read (text, strlen (text), NULL, TRUE, error);
}

static CpixDocument *
read_good (const gchar *text)
{
  GError *error = NULL;
  CpixDocument *document = read_text (text, &error);

  fail_unless (document != NULL, "%s", error ? error->message : "");
  return document;
}

/* @first_byte: of the KID and of the key */
static void
check_key_value (const CpixKey *key, guint8 first_byte)
{
  guint8 expected[16] = { first_byte, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    14, 15 };

  fail_unless (key->key != NULL);
  fail_unless (key_has_data (key->key, expected));
  fail_unless (memcmp (gst_cenc_key_get_kid (key->key), key->kid, 16) == 0);
  fail_unless_equals_int (key->kid[0], first_byte);
}

static CpixRecipient *
make_recipient (const gchar *pem)
{
  GError *error = NULL;
  CpixRecipient *recipient =
      cpix_recipient_new_from_key (pem, strlen (pem), &error);

  fail_unless (recipient != NULL, "%s", error ? error->message : "");
  return recipient;
}

GST_START_TEST (test_clear)
{
  g_autoptr (CpixDocument) document = read_good (HEAD KEYS "</CPIX>");

  fail_unless_equals_int (document->keys->len, 3);
  check_key_value (g_ptr_array_index (document->keys, 0), 0);
  check_key_value (g_ptr_array_index (document->keys, 1), 0x10);
  check_key_value (g_ptr_array_index (document->keys, 2), 0x20);
  fail_unless_equals_string (document->content_id, "title");
}
GST_END_TEST;

/* White space and CDATA in a key's text. */
GST_START_TEST (test_spaces)
{
  g_autoptr (CpixDocument) document = read_good (HEAD
      "<ContentKeyList><ContentKey kid='" KID_0
      "' commonEncryptionScheme='cbcs'"
      " explicitIV='AAECAwQFBgcICQoLDA0ODw=='>" VALUE (
          "\n  AAECAwQF<![CDATA[BgcICQo]]>\n  LDA0ODw== ") "</ContentKey></ContentKeyList></CPIX>");
  const CpixKey *key = g_ptr_array_index (document->keys, 0);

  check_key_value (key, 0);
  fail_unless_equals_string (key->scheme, "cbcs");
  fail_unless (key->has_iv && key->iv[15] == 15);
}
GST_END_TEST;

GST_START_TEST (test_encrypted)
{
  g_autoptr (CpixRecipient) me = make_recipient (fixture_key);
  GError *error = NULL;
  g_autoptr (CpixDocument) document = cpix_document_read (fixture_encrypted,
      strlen (fixture_encrypted), me, TRUE, &error);

  fail_unless (document != NULL, "%s", error ? error->message : "");
  check_key_value (g_ptr_array_index (document->keys, 0), 0);
  check_key_value (g_ptr_array_index (document->keys, 1), 0x10);
}
GST_END_TEST;

static void
check_refused (const gchar *text, const CpixRecipient *recipient,
    CpixError code, const gchar *word)
{
  GError *error = NULL;
  CpixDocument *document =
      cpix_document_read (text, strlen (text), recipient, TRUE, &error);

  fail_unless (document == NULL, "passed, without: %s", word);
  fail_unless (g_error_matches (error, CPIX_ERROR, code), "%s", error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  g_error_free (error);
}

/* One character of a ciphertext, or of a MAC, is changed. */
static gchar *
tamper (const gchar *after, guint skip)
{
  gchar *text = g_strdup (fixture_encrypted);
  gchar *place = strstr (strstr (text, "<ContentKeyList>"), after);

  place += strlen (after) + skip;
  *place = *place == 'A' ? 'B' : 'A';
  return text;
}

GST_START_TEST (test_encrypted_refused)
{
  g_autoptr (CpixRecipient) me = make_recipient (fixture_key);
  g_autoptr (CpixRecipient) stranger = make_recipient (fixture_stranger_key);
  g_autofree gchar *iv = tamper ("<enc:CipherValue>", 2);
  g_autofree gchar *data = tamper ("<enc:CipherValue>", 40);
  g_autofree gchar *mac = tamper ("<pskc:ValueMAC>", 2);
  g_auto (GStrv) parts = g_strsplit (fixture_encrypted, "pskc:ValueMAC", -1);
  g_autofree gchar *no_mac = g_strjoinv ("pskc:Other", parts);

  check_refused (fixture_encrypted, NULL, CPIX_ERROR_RECIPIENT,
      "no private key");
  check_refused (fixture_encrypted, stranger, CPIX_ERROR_RECIPIENT, "not for");
  check_refused (iv, me, CPIX_ERROR_RECIPIENT, "MAC");
  check_refused (data, me, CPIX_ERROR_RECIPIENT, "MAC");
  check_refused (mac, me, CPIX_ERROR_RECIPIENT, "MAC");
  check_refused (no_mac, me, CPIX_ERROR_RECIPIENT, "missing");
}
GST_END_TEST;

/* CPIX 2.4: "every encrypted Content Key shall have a MAC value". */
GST_START_TEST (test_without_mac_method)
{
  g_autoptr (CpixRecipient) me = make_recipient (fixture_key);
  g_auto (GStrv) parts = g_strsplit (fixture_encrypted, "MACMethod", -1);
  g_autofree gchar *text = g_strjoinv ("Other", parts);
  g_autoptr (CpixDocument) document = NULL;
  GError *error = NULL;

  check_refused (text, me, CPIX_ERROR_RECIPIENT, "no MACMethod");
  document = cpix_document_read (text, strlen (text), me, FALSE, &error);
  fail_unless (document != NULL, "%s", error ? error->message : "");
  check_key_value (g_ptr_array_index (document->keys, 1), 0x10);
}
GST_END_TEST;

/* A MAC that is there is checked, whoever asks for it. */
GST_START_TEST (test_wrong_mac_always_refused)
{
  g_autoptr (CpixRecipient) me = make_recipient (fixture_key);
  g_autofree gchar *text = tamper ("<pskc:ValueMAC>", 2);
  GError *error = NULL;

  fail_if (cpix_document_read (text, strlen (text), me, FALSE, &error));
  fail_unless (strstr (error->message, "MAC") != NULL, "%s", error->message);
  g_error_free (error);
}
GST_END_TEST;

GST_START_TEST (test_refused)
{
  g_autofree gchar *deep = g_strnfill (40 * 3, 'x');
  g_autofree gchar *nested = NULL;
  guint i;

  for (i = 0; i < 40; i++)
    memcpy (deep + 3 * i, "<a>", 3);
  nested = g_strconcat (HEAD, deep, NULL);
  check_refused ("", NULL, CPIX_ERROR_XML, "UTF-8");
  check_refused ("\xff\xfe<", NULL, CPIX_ERROR_XML, "UTF-8");
  check_refused ("<CPIX", NULL, CPIX_ERROR_XML, "well-formed");
  check_refused ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>"
                 "<CPIX xmlns='urn:dashif:org:cpix'>&b;</CPIX>",
      NULL, CPIX_ERROR_XML, "DOCTYPE");
  check_refused (nested, NULL, CPIX_ERROR_XML, "deep");
  check_refused ("<CPIX/>", NULL, CPIX_ERROR_DOCUMENT, "urn:dashif:org:cpix");
  check_refused ("<CPIX xmlns='urn:dashif:org:cpix' version='3.0'/>", NULL,
      CPIX_ERROR_DOCUMENT, "version");
  check_refused (HEAD
      "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/></CPIX>",
      NULL, CPIX_ERROR_UNSUPPORTED, "sign");
  check_refused (HEAD "<ContentKeyList><ContentKey kid='1'/></ContentKeyList>"
                      "</CPIX>",
      NULL, CPIX_ERROR_DOCUMENT, "UUID");
  check_refused (HEAD "<ContentKeyList>" KEY (KID_0, "A")
                     KEY (KID_0, "A") "</ContentKeyList></CPIX>",
      NULL, CPIX_ERROR_DOCUMENT, "second");
  check_refused (HEAD "<ContentKeyList><ContentKey kid='" KID_0 "'>" VALUE (
                     "AAEC") "</ContentKey></ContentKeyList></CPIX>",
      NULL, CPIX_ERROR_DOCUMENT, "128 bits");
  check_refused (HEAD
      "<ContentKeyList><ContentKey kid='" KID_0 "'>" VALUE (
          "A!ECAwQFBgcICQoLDA0ODw==") "</ContentKey></ContentKeyList></CPIX>",
      NULL, CPIX_ERROR_DOCUMENT, "base64");
  check_refused (RULES (RULE ("30112233-4455-6677-8899-aabbccddeeff", "")),
      NULL, CPIX_ERROR_DOCUMENT, "ContentKey");
  check_refused (RULES (RULE (KID_0, "<KeyPeriodFilter periodId='p9'/>")), NULL,
      CPIX_ERROR_DOCUMENT, "ContentKeyPeriod");
  check_refused (RULES (RULE (KID_0, "<VideoFilter minPixel='9'/>")), NULL,
      CPIX_ERROR_DOCUMENT, "VideoFilter>: minPixel is not known");
  check_refused (RULES (RULE (KID_0, "<LabelFilter label='a' lang='b'/>")),
      NULL, CPIX_ERROR_DOCUMENT, "LabelFilter>: lang is not known");
  check_refused (RULES (RULE (KID_0, "<AudioFilter><Codec/></AudioFilter>")),
      NULL, CPIX_ERROR_DOCUMENT, "AudioFilter>: Codec is not known");
  check_refused (RULES (RULE (KID_0, "<VideoFilter minPixels='many'/>")), NULL,
      CPIX_ERROR_DOCUMENT, "minPixels");
}
GST_END_TEST;

/* A message never quotes a key, however broken its text is. */
GST_START_TEST (test_no_key_in_message)
{
  const gchar *texts[] = { HEAD
    "<ContentKeyList><ContentKey kid='" KID_0
    "'>" VALUE ("AAECAwQFBgc&bad;ICQoLDA0ODw==") "</ContentKey>",
    HEAD "<ContentKeyList><ContentKey kid='" KID_0
         "'>" VALUE ("AAECAwQFBgc<x/>ICQoLDA0ODw==") "</ContentKey>",
    HEAD "<ContentKeyList><ContentKey kid='" KID_0 "'>" VALUE (
        "AAECAwQFBgcICQoLDA0ODw=!") "</ContentKey></ContentKeyList>"
                                    "</CPIX>" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++) {
    GError *error = NULL;

    fail_unless (read_text (texts[i], &error) == NULL);
    fail_unless (strstr (error->message, "AECAwQ") == NULL, "%s",
        error->message);
    g_error_free (error);
  }
}
GST_END_TEST;

static const CpixTrackFacts uhd = { .kind = CPIX_TRACK_VIDEO,
  .id = 1,
  .label = "UHD1",
  .pixels = 3840 * 2160,
  .fps_n = 50,
  .fps_d = 1,
  .bitrate = 9000000,
  .hdr = 1,
  .wcg = 1,
  .scheme = "cenc" };
static const CpixTrackFacts sound = { .kind = CPIX_TRACK_AUDIO,
  .id = 2,
  .label = "AUDIO",
  .channels = 6,
  .bitrate = 384000,
  .hdr = -1,
  .wcg = -1,
  .scheme = "cenc" };
/* Nothing is known. */
static const CpixTrackFacts bare = { .kind = CPIX_TRACK_VIDEO,
  .id = 3,
  .hdr = -1,
  .wcg = -1 };

/* @first_byte: of the key, -1: refused with @word */
static void
check_choice (const gchar *text, const CpixTrackFacts *facts, gint first_byte,
    const gchar *word)
{
  g_autoptr (CpixDocument) document = read_good (text);
  g_autoptr (GError) error = NULL;
  const CpixKey *key = cpix_document_choose (document, facts, &error);

  if (first_byte >= 0) {
    fail_unless (key != NULL, "%s", error ? error->message : "");
    check_key_value (key, first_byte);
    return;
  }
  fail_unless (key == NULL, "chosen, without: %s", word);
  fail_unless (error->domain == CPIX_ERROR);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
}

GST_START_TEST (test_choose)
{
  const gchar *text = RULES (RULE (KID_0, "<VideoFilter maxPixels='2073600'/>")
          RULE (KID_1, "<VideoFilter minPixels='2073601'/>")
              RULE (KID_2, "<AudioFilter/>"));
  CpixTrackFacts hd = uhd;

  check_choice (text, &uhd, 0x10, NULL);
  check_choice (text, &sound, 0x20, NULL);
  hd.pixels = 1920 * 1080; /* both ends are included */
  check_choice (text, &hd, 0, NULL);
  hd.pixels++;
  check_choice (text, &hd, 0x10, NULL);
}
GST_END_TEST;

/* minFps is excluded, maxFps included. */
GST_START_TEST (test_choose_fps)
{
  const gchar *text = RULES (RULE (KID_0, "<VideoFilter maxFps='30'/>")
          RULE (KID_1, "<VideoFilter minFps='30' maxFps='60'/>"));
  CpixTrackFacts track = uhd;

  check_choice (text, &track, 0x10, NULL);
  track.fps_n = 30;
  check_choice (text, &track, 0, NULL);
  track.fps_n = 30000;
  track.fps_d = 1001;
  check_choice (text, &track, 0, NULL);
  track.fps_n = 60001;
  track.fps_d = 1000;
  check_choice (text, &track, -1, "none of the 2");
  track.fps_n = 0;
  check_choice (text, &track, -1, "usage rule 1");
}
GST_END_TEST;

/* (stream-1 OR stream-2) AND video */
GST_START_TEST (test_choose_and_or)
{
  const gchar *text = RULES (RULE (KID_0,
      "<LabelFilter label='x'/><LabelFilter label='UHD1'/><VideoFilter/>"));
  CpixTrackFacts track = sound;

  check_choice (text, &uhd, 0, NULL);
  track.label = "UHD1";
  check_choice (text, &track, -1, "none");
  track = uhd;
  track.label = "SD";
  check_choice (text, &track, -1, "none");
}
GST_END_TEST;

GST_START_TEST (test_choose_other_filters)
{
  check_choice (RULES (RULE (KID_0, "<AudioFilter maxChannels='2'/>")
                        RULE (KID_1, "<AudioFilter minChannels='3'/>")),
      &sound, 0x10, NULL);
  check_choice (RULES (RULE (KID_0, "<BitrateFilter maxBitrate='383999'/>")
                        RULE (KID_1, "<BitrateFilter minBitrate='384000'/>")),
      &sound, 0x10, NULL);
  check_choice (RULES (RULE (KID_0, "<VideoFilter hdr='false'/>")
                        RULE (KID_1, "<VideoFilter hdr='true' wcg='1'/>")),
      &uhd, 0x10, NULL);
}
GST_END_TEST;

GST_START_TEST (test_choose_refused)
{
  CpixTrackFacts cbcs = uhd;

  cbcs.scheme = "cbcs";
  check_choice (RULES (RULE (KID_0, "<VideoFilter/>")
                        RULE (KID_1, "<VideoFilter hdr='true'/>")),
      &uhd, -1, "usage rule 1 (KID " KID_0 ") and usage rule 2 (KID " KID_1);
  /* the same key twice is no contradiction */
  check_choice (RULES (RULE (KID_0, "<VideoFilter/>") RULE (KID_0, "")), &uhd,
      0, NULL);
  check_choice (RULES (RULE (KID_0, "<VideoFilter/>")), &sound, -1,
      "none of the 1 usage rules matches track 2");
  check_choice (RULES (RULE (KID_0, "<KeyPeriodFilter periodId='p1'/>")), &uhd,
      -1, "usage rule 1 (KID " KID_0 ") cannot be judged");
  check_choice (RULES (RULE (KID_0, "<x:F xmlns:x='urn:x'/>")
                        RULE (KID_1, "<VideoFilter/>")),
      &uhd, -1, "usage rule 1");
  /* CPIX's names in a foreign namespace are unknown filters */
  check_choice (RULES (RULE (KID_0, "<VideoFilter xmlns='urn:x'/>")), &uhd, -1,
      "not known");
  check_choice (RULES (RULE (KID_0, "<VideoFilter minPixels='1'/>")), &bare, -1,
      "cannot be judged");
  check_choice (RULES (RULE (KID_0, "<LabelFilter label='a'/>")), &bare, -1,
      "cannot be judged");
  check_choice (RULES (RULE (KID_0, "<BitrateFilter minBitrate='1'/>")), &bare,
      -1, "bit rate");
  check_choice (RULES (RULE (KID_0, "<VideoFilter wcg='true'/>")), &bare, -1,
      "wcg");
  check_choice (HEAD KEYS "</CPIX>", &uhd, -1, "3 keys and no usage rule");
  check_choice (HEAD
      "<ContentKeyList><ContentKey kid='" KID_0
      "' commonEncryptionScheme='cenc'>" VALUE (
          "AAECAwQFBgcICQoLDA0ODw==") "</ContentKey></ContentKeyList></CPIX>",
      &cbcs, -1, "scheme cenc");
  check_choice (HEAD "<ContentKeyList><ContentKey kid='" KID_0 "'/>"
                     "</ContentKeyList></CPIX>",
      &uhd, -1, "no key for it");
  check_choice (HEAD
      "<ContentKeyList><ContentKey kid='" KID_0 "' dependsOnKey='" KID_1
      "'>" VALUE (
          "AAECAwQFBgcICQoLDA0ODw==") "</ContentKey></ContentKeyList></CPIX>",
      &uhd, -1, "hierarch");
}
GST_END_TEST;

/* What decides without the part that is not known, decides. */
GST_START_TEST (test_choose_unknown_does_not_matter)
{
  check_choice (RULES (RULE (KID_0, "<AudioFilter minChannels='3'/>")
                        RULE (KID_1, "<VideoFilter/>")),
      &bare, 0x10, NULL);
  check_choice (HEAD
      "<ContentKeyList>" KEY (KID_1, "E") "</ContentKeyList></CPIX>",
      &bare, 0x10, NULL);
}
GST_END_TEST;

#define PSSH \
  "AAAANHBzc2gBAAAAEHfv7MCyTQKs4zweUuL7SwAAAAEAESIzRFVmd4iZqrvM3e7/AAAAAA=="
#define SYSTEM(id, content) \
  HEAD KEYS "<DRMSystemList><DRMSystem kid='" KID_0 "' systemId='" id \
            "'>" content "</DRMSystem></DRMSystemList></CPIX>"
#define COMMON "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b"

GST_START_TEST (test_systems)
{
  g_autoptr (CpixDocument) document = read_good (SYSTEM (COMMON,
      "<PSSH>" PSSH "</PSSH><ContentProtectionData>YWI=</ContentProtectionData>"
      "<HLSSignalingData playlist='media'>YQ==</HLSSignalingData>"
      "<HLSSignalingData playlist='multiVariant'>Yg==</HLSSignalingData>"));
  const CpixSystem *system = g_ptr_array_index (document->systems, 0);

  fail_unless (memcmp (system->system_id, CENC_SYSTEM_COMMON, 16) == 0);
  fail_unless_equals_int (g_bytes_get_size (system->pssh), 52);
  fail_unless_equals_int (g_bytes_get_size (system->content_protection), 2);
  fail_unless (*(gchar *) g_bytes_get_data (system->hls_media, NULL) == 'a');
  fail_unless (
      *(gchar *) g_bytes_get_data (system->hls_multivariant, NULL) == 'b');
  check_refused (SYSTEM ("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
                     "<PSSH>" PSSH "</PSSH>"),
      NULL, CPIX_ERROR_DOCUMENT, "another system");
  check_refused (SYSTEM (COMMON, "<PSSH>AAAA</PSSH>"), NULL,
      CPIX_ERROR_DOCUMENT, "PSSH");
}
GST_END_TEST;

static CpixSecret *
write_good (const CpixDocument *document, const CpixRecipient *recipient)
{
  GError *error = NULL;
  CpixSecret *text = cpix_document_write (document, recipient, &error);

  fail_unless (text != NULL, "%s", error ? error->message : "");
  return text;
}

#define ALL_FILTERS \
  "<KeyPeriodFilter periodId='p1'/><LabelFilter label='a&amp;\"b'/>" \
  "<VideoFilter minPixels='1' maxPixels='2' hdr='true' wcg='false' " \
  "minFps='3' maxFps='4'/><AudioFilter minChannels='5' maxChannels='6'/>" \
  "<BitrateFilter minBitrate='7' maxBitrate='8'/>"

/* What is written is read again, and written once more it is the same. */
GST_START_TEST (test_write)
{
  g_autoptr (CpixDocument) document =
      read_good (RULES (RULE (KID_0, ALL_FILTERS) RULE (KID_1, "")));
  g_autoptr (CpixSecret) text = write_good (document, NULL);
  g_autoptr (CpixSecret) again = NULL;
  g_autoptr (CpixDocument) copy =
      cpix_document_read ((gchar *) text->data, text->size, NULL, TRUE, NULL);
  const CpixRule *rule;
  const CpixFilter *filter;

  fail_unless (copy != NULL);
  again = write_good (copy, NULL);
  fail_unless_equals_int (text->size, again->size);
  fail_unless (memcmp (text->data, again->data, text->size) == 0);
  check_key_value (g_ptr_array_index (copy->keys, 1), 0x10);
  rule = g_ptr_array_index (copy->rules, 0);
  fail_unless_equals_int (rule->filters->len, 5);
  filter = &g_array_index (rule->filters, CpixFilter, 1);
  fail_unless_equals_string (filter->text, "a&\"b");
  filter = &g_array_index (rule->filters, CpixFilter, 2);
  fail_unless (filter->range.min == 1 && filter->range.max == 2 &&
      filter->fps.min == 3 && filter->fps.max == 4 && filter->hdr == 1 &&
      filter->wcg == 0);
}
GST_END_TEST;

GST_START_TEST (test_write_encrypted)
{
  g_autoptr (CpixDocument) document = read_good (HEAD KEYS "</CPIX>");
  g_autoptr (CpixRecipient) to =
      cpix_recipient_new_from_certificate (fixture_certificate,
          strlen (fixture_certificate), NULL);
  g_autoptr (CpixRecipient) me = make_recipient (fixture_key);
  g_autoptr (CpixSecret) text = NULL;
  g_autoptr (CpixDocument) copy = NULL;
  GError *error = NULL;

  fail_unless (to != NULL);
  text = write_good (document, to);
  fail_unless (g_strstr_len ((gchar *) text->data, text->size,
                   "AECAwQFBgcICQoLDA0ODw") == NULL);
  copy =
      cpix_document_read ((gchar *) text->data, text->size, me, TRUE, &error);
  fail_unless (copy != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (copy->keys->len, 3);
  check_key_value (g_ptr_array_index (copy->keys, 2), 0x20);
}
GST_END_TEST;

GST_START_TEST (test_recipients_refused)
{
  GError *error = NULL;

  fail_unless (cpix_recipient_new_from_key ("x", 1, &error) == NULL);
  g_clear_error (&error);
  fail_unless (cpix_recipient_new_from_key (fixture_certificate,
                   strlen (fixture_certificate), &error) == NULL);
  g_clear_error (&error);
  fail_unless (cpix_recipient_new_from_certificate (fixture_key,
                   strlen (fixture_key), &error) == NULL);
  fail_unless (g_error_matches (error, CPIX_ERROR, CPIX_ERROR_RECIPIENT));
  g_clear_error (&error);
}
GST_END_TEST;

GST_START_TEST (test_base64)
{
  const struct
  {
    const gchar *text;
    gint size; /* -1: refused */
  } cases[] = { { "", 0 }, { "QQ==", 1 }, { "QUI=", 2 }, { "QUJD", 3 },
    { " Q U\nJ D ", 3 }, { "QUJ", -1 }, { "QU=D", -1 }, { "Q===", -1 },
    { "QUJD=", -1 }, { "QUJ-", -1 }, { "====", -1 } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (CpixSecret) secret =
        cpix_secret_from_base64 (cases[i].text, strlen (cases[i].text));

    fail_unless_equals_int (secret ? (gint) secret->size : -1, cases[i].size);
    if (cases[i].size > 0)
      fail_unless (memcmp (secret->data, "ABC", cases[i].size) == 0);
  }
}
GST_END_TEST;

static Suite *
cpix_suite (void)
{
  Suite *suite = suite_create ("cpix");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_base64);
  tcase_add_test (tcase, test_clear);
  tcase_add_test (tcase, test_spaces);
  tcase_add_test (tcase, test_encrypted);
  tcase_add_test (tcase, test_encrypted_refused);
  tcase_add_test (tcase, test_without_mac_method);
  tcase_add_test (tcase, test_wrong_mac_always_refused);
  tcase_add_test (tcase, test_refused);
  tcase_add_test (tcase, test_no_key_in_message);
  tcase_add_test (tcase, test_choose);
  tcase_add_test (tcase, test_choose_fps);
  tcase_add_test (tcase, test_choose_and_or);
  tcase_add_test (tcase, test_choose_other_filters);
  tcase_add_test (tcase, test_choose_refused);
  tcase_add_test (tcase, test_choose_unknown_does_not_matter);
  tcase_add_test (tcase, test_systems);
  tcase_add_test (tcase, test_write);
  tcase_add_test (tcase, test_write_encrypted);
  tcase_add_test (tcase, test_recipients_refused);
  return suite;
}

GST_CHECK_MAIN (cpix);
