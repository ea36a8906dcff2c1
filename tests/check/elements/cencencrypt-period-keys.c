/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the keys of crypto periods come from, and the documents of them. */

#define _GNU_SOURCE /* memmem() */

#include "cencencrypt-period-util.h"

#include <glib/gstdio.h>
#include <string.h>
#include "cenc/cpix-read.h"
#include "cenc/cpix-time.h"
#include "cenc/cpix-write.h"
#include "cenc/encrypt-derive.h"

static const struct
{
  const gchar *settings, *word;
} refused[] = {
  { "crypto-period=1000000000", "crypto-period: no keys" },
  { "crypto-period=1000000000 key-id=" JUDGE_KID " key=" JUDGE_KEY,
      "are one key" },
  { "crypto-period=1000000000 track-keys=SD=" KEY_A, "track-keys" },
  { "period-keys=" KEY_A, "crypto-period" },
  { "key-seed=" SEED " key-id=" JUDGE_KID, "crypto-period" },
  { "crypto-period=1 period-keys=" KEY_A " key-seed=" SEED, "period-keys" },
  { "crypto-period=1 period-keys=" KEY_A " key-id=" JUDGE_KID, "period-keys" },
  { "crypto-period=1 period-keys=" KEY_A ";", "period 1: entry 1" },
  { "crypto-period=1 period-keys=" KEY_A ";XD=" KEY_B, "period 1: entry 1" },
  { "crypto-period=1 key-seed=" SEED, "key-id" },
  { "crypto-period=1 key-seed=00112233 key-id=" JUDGE_KID, "key-seed" },
  { "crypto-period=1 key-seed=xyz key-id=" JUDGE_KID, "key-seed" },
  { "crypto-period=1 key-seed=" SEED " key=" JUDGE_KEY " key-id=" JUDGE_KID,
      "key-seed" },
  { "crypto-period=1 cpix-output=/nowhere/at/all", "/nowhere/at/all" },
  { "crypto-period=1 cpix-output=/nowhere/at/all period-keys=SD=" KEY_A,
      "labels" },
  { BY_SEED "scheme=piff", "PIFF" },
};

GST_START_TEST (test_refused)
{
  period_check_refused (refused[__i__].settings, refused[__i__].word);
}
GST_END_TEST

/* KIDs are counted over all of their 128 bits. */
GST_START_TEST (test_derive_carries)
{
  static const guint8 seed[16];
  guint8 kid[16], want[16];
  g_autoptr (GstCencKey) key = NULL;

  memset (kid, 0xff, 16);
  memset (want, 0, 16);
  want[15] = 1;
  key = encrypt_derive_key (kid, 2, seed, sizeof seed, NULL);
  fail_unless (memcmp (gst_cenc_key_get_kid (key), want, 16) == 0);
  kid[0] = 0;
  g_clear_pointer (&key, gst_cenc_key_unref);
  key = encrypt_derive_key (kid, 2, seed, sizeof seed, NULL);
  want[0] = 1;
  fail_unless (memcmp (gst_cenc_key_get_kid (key), want, 16) == 0);
}
GST_END_TEST

GST_START_TEST (test_list_ends)
{
  GstBus *bus;
  g_autoptr (GBytes) out = NULL;

  if (!period_clear)
    return;
  out = period_encrypt ("crypto-period=1000000000 period-keys=" KEY_A ";" KEY_B,
      period_clear, &bus);
  fail_if (out);
  period_check_error (bus,
      "period-keys: no keys for period 2, which starts at 0:00:02");
  gst_object_unref (bus);
}
GST_END_TEST

static CpixDocument *
read_document (const gchar *path)
{
  g_autofree gchar *text = NULL;
  gsize size;
  GError *error = NULL;
  CpixDocument *document;

  fail_unless (g_file_get_contents (path, &text, &size, NULL));
  document = cpix_document_read (text, size, NULL, TRUE, &error);
  fail_unless (document, "%s", error ? error->message : "");
  return document;
}

static gchar *
format_hex (const guint8 *data)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < 16; i++)
    g_string_append_printf (text, "%02x", data[i]);
  return g_string_free (text, FALSE);
}

static void
learn_keys (const CpixDocument *document)
{
  guint i;

  for (i = 0; i < document->keys->len; i++) {
    const CpixKey *key = document->keys->pdata[i];
    g_autofree gchar *kid = format_hex (key->kid), *value = NULL;
    guint8 data[GST_CENC_KEY_SIZE];

    gst_cenc_key_copy_data (key->key, data);
    value = format_hex (data);
    judge_add_key (kid, value);
  }
}

/* Keys that are made here go into the document, each with its period, and from
 * there the same file can be made again. */
GST_START_TEST (test_output)
{
  g_autofree gchar *path = g_build_filename (period_folder, "keys.xml", NULL);
  g_autofree gchar *make =
      g_strdup_printf ("crypto-period=1000000000 " IV "cpix-output=%s", path);
  g_autofree gchar *again =
      g_strdup_printf ("crypto-period=1000000000 " IV "cpix=%s", path);
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) copy = NULL;
  g_autoptr (CpixDocument) document = NULL;
  GStatBuf info;
  guint i;

  if (!period_clear)
    return;
  out = period_encrypt_good (make);
  fail_unless (g_stat (path, &info) == 0 && (info.st_mode & 0777) == 0600);
  document = read_document (path);
  fail_unless_equals_int (document->keys->len, 4);
  fail_unless_equals_int (document->rules->len, 4);
  for (i = 0; i < 4; i++) {
    const CpixPeriod *period = document->periods->pdata[i];

    fail_unless_equals_int (period->kind, CPIX_PERIOD_INDEX);
    fail_unless_equals_int (period->index, i);
  }
  learn_keys (document);
  judge_same_samples (period_clear, out, "cenc");
  copy = period_encrypt_good (again);
  fail_unless (g_bytes_equal (out, copy));
  /* Never over a file that is there. */
  period_check_refused (make, "cpix-output");
  g_unlink (path);
}
GST_END_TEST

GST_START_TEST (test_output_of_seed)
{
  g_autofree gchar *path = g_build_filename (period_folder, "keys.xml", NULL);
  g_autofree gchar *settings =
      g_strdup_printf (BY_SEED "protection-systems=widevine cpix-output=%s",
          path);
  g_autoptr (GBytes) out = NULL;
  g_autoptr (CpixDocument) document = NULL;

  if (!period_clear)
    return;
  out = period_encrypt_good (settings);
  document = read_document (path);
  fail_unless_equals_int (document->keys->len, 4);
  fail_unless_equals_int (document->systems->len, 4);
  g_unlink (path);
}
GST_END_TEST

/* CPIX's key periods */

#define HEAD \
  "<CPIX xmlns='urn:dashif:org:cpix' " \
  "xmlns:pskc='urn:ietf:params:xml:ns:keyprov:pskc'><ContentKeyList>" \
  "<ContentKey kid='00112233-4455-6677-8899-aabbccddeeff'><Data>" \
  "<pskc:Secret><pskc:PlainValue>AAECAwQFBgcICQoLDA0ODw==" \
  "</pskc:PlainValue></pskc:Secret></Data></ContentKey>" \
  "<ContentKey kid='ffeeddcc-bbaa-9988-7766-554433221100'><Data>" \
  "<pskc:Secret><pskc:PlainValue>Dw4NDAsKCQgHBgUEAwIBAA==" \
  "</pskc:PlainValue></pskc:Secret></Data></ContentKey></ContentKeyList>" \
  "<DRMSystemList><DRMSystem kid='ffeeddcc-bbaa-9988-7766-554433221100' " \
  "systemId='edef8ba9-79d6-4ace-a3c8-27dcd51d21ed'><PSSH>" \
  "AAAAInBzc2gAAAAA7e+LqXnWSs6jyCfc1R0h7QAAAAJ6eg==</PSSH></DRMSystem>" \
  "</DRMSystemList><ContentKeyPeriodList>"
#define RULES(first, second) \
  "</ContentKeyPeriodList><ContentKeyUsageRuleList>" \
  "<ContentKeyUsageRule kid='00112233-4455-6677-8899-aabbccddeeff'>" first \
  "</ContentKeyUsageRule>" \
  "<ContentKeyUsageRule kid='ffeeddcc-bbaa-9988-7766-554433221100'>" second \
  "</ContentKeyUsageRule></ContentKeyUsageRuleList></CPIX>"
#define A_B \
  RULES ("<KeyPeriodFilter periodId='a'/>", "<KeyPeriodFilter periodId='b'/>")
#define PERIOD(id, when) "<ContentKeyPeriod id='" id "' " when "/>"

static gchar *
save (const gchar *document)
{
  g_autofree gchar *path = g_build_filename (period_folder, "in.xml", NULL);
  gchar *settings = g_strdup_printf ("cpix=%s ", path);

  fail_unless (g_file_set_contents (path, document, -1, NULL));
  return settings;
}

static void
remove_saved (void)
{
  g_autofree gchar *path = g_build_filename (period_folder, "in.xml", NULL);

  g_unlink (path);
}

static const struct
{
  const gchar *document, *settings;
} cpix_periods[] = {
  { HEAD PERIOD ("a", "index='0'") PERIOD ("b", "index='1'") A_B,
      "crypto-period=2000000000" },
  { HEAD PERIOD ("a", "startOffset='PT0S' endOffset='PT2S'")
          PERIOD ("b", "startOffset='PT2S' duration='P1D'") A_B,
      "" },
  { HEAD PERIOD ("b",
        "start='2026-11-22T00:00:02Z' duration='PT1H'") PERIOD ("a",
        "start='2026-11-22T01:00:00+01:00' end='2026-11-22T00:00:02Z'") A_B,
      "media-epoch=2026-11-22T00:00:00Z" },
  /* One of three has no rule but that of all; periods overlap. */
  { HEAD PERIOD ("a", "startOffset='PT0S' endOffset='PT2S'")
          PERIOD ("c", "startOffset='PT1S' endOffset='PT9S'")
              PERIOD ("b", "startOffset='PT2S' endOffset='PT9S'") A_B,
      "" },
};

GST_START_TEST (test_cpix)
{
  static const gchar *kids[] = { JUDGE_KID, JUDGE_KID, JUDGE_KID_2,
    JUDGE_KID_2 };
  g_autofree gchar *cpix = save (cpix_periods[__i__].document);
  g_autofree gchar *settings =
      g_strconcat (cpix, cpix_periods[__i__].settings, NULL);
  g_autoptr (GBytes) out = NULL;
  const guint8 *data, *moof, *pssh;
  gsize size;

  if (!period_clear)
    return;
  out = period_encrypt_good (settings);
  judge_same_samples (period_clear, out, "cenc");
  period_check_pictures (out, kids);
  /* The document's own box of the second key is in a moof. */
  data = g_bytes_get_data (out, &size);
  moof = memmem (data, size, "moof", 4);
  pssh = memmem (data, size, "\0\0\0\2zz", 6);
  fail_unless (moof && pssh > moof);
  remove_saved ();
}
GST_END_TEST

/* Sound has one key throughout, pictures two: their periods are not the same. */
GST_START_TEST (test_cpix_by_kind)
{
  g_autofree gchar *settings = save (
      HEAD PERIOD ("a", "startOffset='PT0S' endOffset='PT3S'")
          PERIOD ("b", "startOffset='PT3S' endOffset='PT9S'")
              RULES ("<VideoFilter/><KeyPeriodFilter periodId='a'/>",
                  "<VideoFilter/><KeyPeriodFilter periodId='b'/>"
                  "</ContentKeyUsageRule><ContentKeyUsageRule "
                  "kid='ffeeddcc-bbaa-9988-7766-554433221100'><AudioFilter/>"));
  static const gchar *kids[] = { JUDGE_KID, JUDGE_KID, JUDGE_KID, JUDGE_KID_2 };
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  JudgeTrack *sound;
  guint i;

  if (!period_clear)
    return;
  out = period_encrypt_good (settings);
  judge_same_samples (period_clear, out, "cenc");
  period_check_pictures (out, kids);
  tracks = judge_read (out, JUDGE_SENC, NULL);
  sound = period_get_track (tracks, "enca");
  for (i = 0; i < sound->kids->len; i++)
    fail_unless_equals_string (sound->kids->pdata[i], JUDGE_KID_2);
  remove_saved ();
}
GST_END_TEST

static const struct
{
  const gchar *document, *settings, *word;
} cpix_refused[] = {
  { HEAD PERIOD ("a", "index='0'") PERIOD ("b", "index='1'") A_B, "",
      "ContentKeyPeriod 1 (a) has an index: crypto-period" },
  { HEAD PERIOD ("a", "startOffset='PT0S' endOffset='PT2S'")
          PERIOD ("b", "startOffset='PT2S' endOffset='PT9S'") A_B,
      "crypto-period=1", "crypto-period does not go with it" },
  { HEAD PERIOD ("a", "start='2026-11-22T00:00:00Z' duration='PT2S'")
          PERIOD ("b", "start='2026-11-22T00:00:02Z' duration='PT2S'") A_B,
      "", "media-epoch" },
  { HEAD PERIOD ("a", "start='2026-11-22T00:00:00Z' duration='PT2S'")
          PERIOD ("b", "start='2026-11-22T00:00:02Z' duration='PT2S'") A_B,
      "media-epoch=yesterday", "media-epoch: no date" },
  { HEAD PERIOD ("a", "startOffset='PT0S' endOffset='PT2S'")
          PERIOD ("b", "index='1'") A_B,
      "crypto-period=1", "crypto-period does not go with it" },
  { HEAD PERIOD ("a", "index='1'")
          PERIOD ("b", "startOffset='PT0S' endOffset='PT2S'") A_B,
      "crypto-period=1", "in another way than the first" },
  { HEAD PERIOD ("a", "label='news'") PERIOD ("b", "index='1'") A_B, "",
      "neither an index nor a start" },
  { HEAD PERIOD ("a", "startOffset='PT2S' endOffset='PT2S'")
          PERIOD ("b", "index='1'") A_B,
      "", "ends before it starts" },
  { HEAD PERIOD ("a", "startOffset='P1M' endOffset='PT2S'")
          PERIOD ("b", "index='1'") A_B,
      "", "startOffset is no duration" },
  { HEAD PERIOD ("a", "startOffset='PT1S'") PERIOD ("b", "index='1'") A_B, "",
      "a start and no end" },
  { HEAD PERIOD ("a", "index='0'") RULES ("<VideoFilter/>", "<AudioFilter/>"),
      "crypto-period=1", "no usage rule of cpix has a KeyPeriodFilter" },
  { HEAD PERIOD ("a", "index='0'")
          RULES ("<KeyPeriodFilter periodId='x'/>", "<AudioFilter/>"),
      "crypto-period=1", "no ContentKeyPeriod has that id" },
};

GST_START_TEST (test_cpix_refused)
{
  g_autofree gchar *cpix = save (cpix_refused[__i__].document);
  g_autofree gchar *settings =
      g_strconcat (cpix, cpix_refused[__i__].settings, NULL);

  period_check_refused (settings, cpix_refused[__i__].word);
  remove_saved ();
}
GST_END_TEST

/* What is not covered by the document is an error that says so, amid the stream. */
static const struct
{
  const gchar *document, *settings, *word;
} cpix_gaps[] = {
  { HEAD PERIOD ("a", "startOffset='PT0S' endOffset='PT2S'")
          PERIOD ("b", "startOffset='PT3S' endOffset='PT9S'") A_B,
      "", "key period 1 (the document has none): cpix: none of the 2" },
  { HEAD PERIOD ("a", "startOffset='PT0S' endOffset='PT2S'")
          PERIOD ("b", "startOffset='PT2S' endOffset='PT3S'") A_B,
      "", "no key period for 0:00:03" },
  { HEAD PERIOD ("a", "index='0'") PERIOD ("b", "index='1'") A_B,
      "crypto-period=1000000000",
      "key period 2 (the document has none): cpix: none of the 2" },
  { HEAD PERIOD ("a", "index='0'") PERIOD ("b", "index='0'") A_B,
      "crypto-period=9000000000", "both match track" },
};

GST_START_TEST (test_cpix_gaps)
{
  g_autofree gchar *cpix = save (cpix_gaps[__i__].document);
  g_autofree gchar *settings =
      g_strconcat (cpix, cpix_gaps[__i__].settings, NULL);
  GstBus *bus;

  if (!period_clear)
    return;
  fail_if (period_encrypt (settings, period_clear, &bus));
  period_check_error (bus, cpix_gaps[__i__].word);
  gst_object_unref (bus);
  remove_saved ();
}
GST_END_TEST

static const struct
{
  const gchar *text;
  gint64 value; /* -1: refused */
} durations[] = {
  { "PT0S", 0 },
  { "PT1.5S", 1500000000 },
  { "PT0.000000001S", 1 },
  { "PT1M", 60000000000 },
  { "P1D", 86400000000000 },
  { "P1DT1H1M1S", 90061000000000 },
  { "PT2H3S", 7203000000000 },
  { "P", -1 },
  { "PT", -1 },
  { "P1DT", -1 },
  { "", -1 },
  { "P1Y", -1 },
  { "P1M", -1 },
  { "-PT1S", -1 },
  { "PT1S1M", -1 },
  { "PT1D", -1 },
  { "P1S", -1 },
  { "PT1.5M", -1 },
  { "PT99999999999999999999S", -1 },
  { "PT4000000000H", -1 },
  { "PT1S ", -1 },
  { "PTS", -1 },
  { "PTT1S", -1 },
};

GST_START_TEST (test_durations)
{
  gint64 value = 0;
  gboolean ok = cpix_parse_duration (durations[__i__].text, &value);

  fail_unless (ok == (durations[__i__].value >= 0), "%s",
      durations[__i__].text);
  if (ok)
    fail_unless_equals_int64 (value, durations[__i__].value);
}
GST_END_TEST

GST_START_TEST (test_times)
{
  gint64 value;

  fail_unless (cpix_parse_time ("1970-01-01T00:00:01.5Z", &value));
  fail_unless_equals_int64 (value, 1500000000);
  fail_unless (cpix_parse_time ("1970-01-01T01:00:00+01:00", &value));
  fail_unless_equals_int64 (value, 0);
  fail_unless (cpix_parse_time ("1970-01-01T00:00:01", &value));
  fail_unless_equals_int64 (value, 1000000000);
  fail_if (cpix_parse_time ("1970-01-01", &value));
  fail_if (cpix_parse_time ("9999-01-01T00:00:00Z", &value));
  fail_if (cpix_parse_time ("", &value));
}
GST_END_TEST

/* What is written is read again. */
GST_START_TEST (test_write_periods)
{
  static const gchar text[] =
      HEAD PERIOD ("a", "startOffset='PT0.25S' endOffset='P1D'")
          PERIOD ("b", "index='4294967295'") PERIOD ("c",
              "start='1969-12-31T23:59:59.5Z' end='2026-11-22T00:00:02.25Z'")
              A_B;
  g_autoptr (CpixDocument) document =
      cpix_document_read (text, strlen (text), NULL, TRUE, NULL);
  g_autoptr (CpixSecret) written = NULL;
  g_autoptr (CpixDocument) copy = NULL;
  guint i;

  fail_unless (document);
  written = cpix_document_write (document, NULL, NULL);
  copy = cpix_document_read ((gchar *) written->data, written->size, NULL, TRUE,
      NULL);
  fail_unless (copy);
  for (i = 0; i < 3; i++) {
    const CpixPeriod *want = document->periods->pdata[i];
    const CpixPeriod *got = copy->periods->pdata[i];

    fail_unless_equals_string (want->id, got->id);
    fail_unless_equals_int (want->kind, got->kind);
    fail_unless_equals_int64 (want->start, got->start);
    fail_unless_equals_int64 (want->end, got->end);
    fail_unless_equals_uint64 (want->index, got->index);
  }
}
GST_END_TEST

static Suite *
cencencrypt_period_keys_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-period-keys");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_loop_test (tcase, test_refused, 0, G_N_ELEMENTS (refused));
  tcase_add_test (tcase, test_derive_carries);
  tcase_add_test (tcase, test_list_ends);
  tcase_add_test (tcase, test_output);
  tcase_add_test (tcase, test_output_of_seed);
  tcase_add_loop_test (tcase, test_cpix, 0, G_N_ELEMENTS (cpix_periods));
  tcase_add_test (tcase, test_cpix_by_kind);
  tcase_add_loop_test (tcase, test_cpix_refused, 0,
      G_N_ELEMENTS (cpix_refused));
  tcase_add_loop_test (tcase, test_cpix_gaps, 0, G_N_ELEMENTS (cpix_gaps));
  tcase_add_loop_test (tcase, test_durations, 0, G_N_ELEMENTS (durations));
  tcase_add_test (tcase, test_times);
  tcase_add_test (tcase, test_write_periods);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_period_keys);
