/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys from CPIX documents, and documents of keys that were made here. */

#define _GNU_SOURCE /* memmem() */

#include "cencencrypt-judge.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <string.h>
#include "../key-data.h"
#include "../libs/cpix-fixtures.h"
#include "cenc/cpix-read.h"

#define UUID "00112233-4455-6677-8899-aabbccddeeff" /* JUDGE_KID */
#define UUID_2 "ffeeddcc-bbaa-9988-7766-554433221100" /* JUDGE_KID_2 */
#define IV "iv=1122334455667788"

#define HEAD \
  "<CPIX xmlns='urn:dashif:org:cpix' " \
  "xmlns:pskc='urn:ietf:params:xml:ns:keyprov:pskc'>"
#define KEY(uuid, attributes, base64) \
  "<ContentKey kid='" uuid "'" attributes \
  "><Data><pskc:Secret><pskc:PlainValue>" base64 \
  "</pskc:PlainValue></pskc:Secret></Data></ContentKey>"
#define ONE_KEY(attributes) \
  HEAD "<ContentKeyList>" KEY (UUID, attributes, \
      "AAECAwQFBgcICQoLDA0ODw==") "</ContentKeyList></CPIX>"
#define WIDEVINE \
  "<DRMSystemList><DRMSystem kid='" UUID \
  "' systemId='edef8ba9-79d6-4ace-a3c8-27dcd51d21ed'><PSSH>" \
  "AAAAInBzc2gAAAAA7e+LqXnWSs6jyCfc1R0h7QAAAAJ6eg==</PSSH></DRMSystem>" \
  "</DRMSystemList>"
#define RULES(video, audio) \
  HEAD "<ContentKeyList>" KEY (UUID, "", \
      "AAECAwQFBgcICQoLDA0ODw==") KEY (UUID_2, "", \
      "Dw4NDAsKCQgHBgUEAwIBAA==") "</ContentKeyList>" WIDEVINE \
                                  "<ContentKeyUsageRuleList><ContentKeyUsageRule kid='" UUID \
                                  "'>" video \
                                  "</ContentKeyUsageRule><ContentKeyUsageRule kid='" UUID_2 \
                                  "'>" audio \
                                  "</ContentKeyUsageRule></ContentKeyUsageRuleList></CPIX>"

static GBytes *
    clear; /* fragmented, H.264 320 × 240 and AAC mono; NULL: cannot be made here */
static gchar *folder;

static void
setup (void)
{
  folder = g_dir_make_tmp ("cencencrypt-cpix-XXXXXX", NULL);
  fail_unless (folder != NULL);
  if (!judge_has_elements ("x264enc h264parse avenc_aac aacparse mp4mux"))
    return;
  clear = judge_run_apart (
      "videotestsrc num-buffers=50 ! video/x-raw,width=320,height=240,"
      "framerate=25/1 ! x264enc key-int-max=25 speed-preset=ultrafast ! "
      "h264parse ! mp4mux name=m fragment-duration=1000 ! appsink name=out "
      "audiotestsrc num-buffers=80 ! audio/x-raw,channels=1 ! avenc_aac ! "
      "aacparse ! m.");
}

static void
teardown (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
  g_clear_pointer (&clear, g_bytes_unref);
}

static gchar *
make_path (const gchar *name)
{
  return g_build_filename (folder, name, NULL);
}

static gchar *
save (const gchar *name, const gchar *text)
{
  gchar *path = make_path (name);

  fail_unless (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static GBytes *
encrypt (const gchar *settings, GError **error)
{
  g_autofree gchar *path = make_path ("clear.mp4");
  g_autofree gchar *description = g_strdup_printf (
      "filesrc location=%s ! cencencrypt %s ! appsink name=out", path,
      settings);

  fail_unless (g_file_set_contents (path, g_bytes_get_data (clear, NULL),
      g_bytes_get_size (clear), NULL));
  return judge_run (description, error);
}

static GBytes *
encrypt_good (const gchar *settings)
{
  GError *error = NULL;
  GBytes *out = encrypt (settings, &error);

  fail_unless (out != NULL, "%s", error ? error->message : "");
  return out;
}

static void
check_refused (const gchar *settings, const gchar *word)
{
  GError *error = NULL;
  GBytes *out = encrypt (settings, &error);

  fail_unless (out == NULL, "passed, without: %s", word);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
                   GST_RESOURCE_ERROR_SETTINGS),
      "%s", error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  g_error_free (error);
}

static gchar *
with_cpix (const gchar *document, const gchar *settings)
{
  g_autofree gchar *path = save ("keys.xml", document);

  return g_strdup_printf ("cpix=%s %s", path, settings);
}

static gboolean
contains (GBytes *bytes, const void *needle, gsize size)
{
  return memmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
             needle, size) != NULL;
}

GST_START_TEST (test_rules)
{
  static const gchar widevine[] =
      "\0\0\0\x22pssh\0\0\0\0\xed\xef\x8b\xa9\x79\xd6\x4a\xce\xa3\xc8\x27\xdc"
      "\xd5\x1d\x21\xed\0\0\0\2zz";
  g_autofree gchar *settings =
      with_cpix (RULES ("<VideoFilter minPixels='76800' maxPixels='76800'/>"
                        "<LabelFilter label='SD'/>",
                     "<AudioFilter minChannels='1' maxChannels='1'/>"),
          "protection-systems=common+widevine");
  g_autoptr (GBytes) out = NULL;

  if (!clear)
    return;
  out = encrypt_good (settings);
  judge_same_samples (clear, out, "cenc");
  /* Two KIDs of the common system, and Widevine's box is the document's. */
  fail_unless (contains (out, "\0\0\0\2\x00\x11\x22\x33", 8));
  fail_unless (contains (out, widevine, sizeof widevine - 1));
  fail_if (contains (out, "\x12\x10\x00\x11\x22\x33\x44\x55", 8));
}
GST_END_TEST;

GST_START_TEST (test_explicit_iv)
{
  const gchar *document = ONE_KEY (" explicitIV='oKGio6SlpqeoqaqrrK2urw=='"
                                   " commonEncryptionScheme='cbcs'");
  g_autofree gchar *cbcs = with_cpix (document, "scheme=cbcs");
  g_autofree gchar *per_sample = with_cpix (document, "scheme=cbcs iv-size=16");
  g_autofree gchar *cenc = with_cpix (document, "");
  g_autoptr (GBytes) out = NULL;

  if (!clear)
    return;
  out = encrypt_good (cbcs);
  judge_same_samples (clear, out, "cbcs");
  fail_unless (contains (out,
      "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf", 16));
  check_refused (per_sample, "explicitIV");
  check_refused (cenc, "is for the scheme cbcs");
}
GST_END_TEST;

static const struct
{
  const gchar *document, *settings, *word;
} refused[] = {
  { RULES ("<VideoFilter/>", "<AudioFilter minChannels='2'/>"), "",
      "none of the 2 usage rules matches track 2" },
  { RULES ("<VideoFilter/>", ""), "", "usage rule 1 (KID " UUID ") and" },
  { RULES ("<VideoFilter minFps='1'/>", "<AudioFilter/>"), "",
      "usage rule 1 (KID " UUID ") cannot be judged" },
  { RULES ("<VideoFilter hdr='true'/>", "<AudioFilter/>"), "", "hdr" },
  { RULES ("<Other/>", "<AudioFilter/>"), "", "Other" },
  { ONE_KEY (""), "key-id=" JUDGE_KID " key=" JUDGE_KEY, "cpix" },
  { ONE_KEY (""), "track-keys=SD=" JUDGE_KID ":" JUDGE_KEY, "cpix" },
  { ONE_KEY (""), "cpix-output=x", "cpix-output" },
  { ONE_KEY (""), "cpix-recipient=x", "cpix-recipient" },
  { ONE_KEY (""), "cpix-key=/nowhere/at-all", "cpix-key" },
  { ONE_KEY (""), "scheme=cens protection-systems=playready", "playready" },
  { fixture_encrypted, "scheme=cbcs", "no private key" },
  { "<CPIX", "", "well-formed" },
};

GST_START_TEST (test_refused)
{
  g_autofree gchar *settings =
      with_cpix (refused[__i__].document, refused[__i__].settings);

  if (clear)
    check_refused (settings, refused[__i__].word);
}
GST_END_TEST;

GST_START_TEST (test_no_file)
{
  if (clear)
    check_refused ("cpix=/nowhere/at-all", "/nowhere/at-all");
}
GST_END_TEST;

GST_START_TEST (test_encrypted)
{
  g_autofree gchar *key = save ("key.pem", fixture_key);
  g_autofree gchar *more =
      g_strdup_printf ("cpix-key=%s scheme=cbcs tracks=video", key);
  g_autofree gchar *settings = with_cpix (fixture_encrypted, more);
  g_autoptr (GBytes) out = NULL;

  if (!clear)
    return;
  out = encrypt_good (settings);
  judge_same_samples (clear, out, "cbcs");
}
GST_END_TEST;

/* With the document of a key that was made here and the same IV the same file
 * comes out again: the document has what the file was encrypted with. */
GST_START_TEST (test_output)
{
  g_autofree gchar *path = make_path ("made.xml");
  g_autofree gchar *make =
      g_strdup_printf ("cpix-output=%s protection-systems=common+widevine " IV,
          path);
  g_autofree gchar *again =
      g_strdup_printf ("cpix=%s protection-systems=common+widevine " IV, path);
  g_autoptr (GBytes) made = NULL;
  g_autoptr (GBytes) remade = NULL;
  GStatBuf status;

  if (!clear)
    return;
  made = encrypt_good (make);
  remade = encrypt_good (again);
  fail_unless (g_bytes_equal (made, remade));
  fail_unless (g_stat (path, &status) == 0);
  fail_unless_equals_int (status.st_mode & 0777, 0600);
  /* It is the only copy of a key. */
  check_refused (make, "made.xml");
}
GST_END_TEST;

GST_START_TEST (test_output_encrypted)
{
  g_autofree gchar *path = make_path ("sealed.xml");
  g_autofree gchar *certificate = save ("cert.pem", fixture_certificate);
  g_autofree gchar *settings = g_strdup_printf (
      "cpix-output=%s cpix-recipient=%s content-id=film key-id=" JUDGE_KID
      " key=" JUDGE_KEY,
      path, certificate);
  g_autoptr (CpixRecipient) me =
      cpix_recipient_new_from_key (fixture_key, strlen (fixture_key), NULL);
  g_autoptr (CpixDocument) document = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autofree gchar *text = NULL;
  const CpixKey *key;
  gsize size;

  if (!clear)
    return;
  out = encrypt_good (settings);
  judge_same_samples (clear, out, "cenc");
  fail_unless (g_file_get_contents (path, &text, &size, NULL));
  fail_unless (strstr (text, "AAECAwQFBgcICQoLDA0ODw") == NULL);
  document = cpix_document_read (text, size, me, TRUE, NULL);
  fail_unless (document != NULL);
  fail_unless_equals_string (document->content_id, "film");
  key = g_ptr_array_index (document->keys, 0);
  fail_unless (
      key_has_data (key->key, "\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf"));
}
GST_END_TEST;

/* A setting that is refused leaves no document behind. */
GST_START_TEST (test_output_refused)
{
  g_autofree gchar *path = make_path ("none.xml");
  g_autofree gchar *settings =
      g_strdup_printf ("cpix-output=%s crypt-byte-block=1", path);
  g_autofree gchar *recipient =
      g_strdup_printf ("cpix-output=%s cpix-recipient=/nowhere", path);

  if (!clear)
    return;
  check_refused (settings, "crypt-byte-block");
  check_refused (recipient, "cpix-recipient");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
}
GST_END_TEST;

GST_START_TEST (test_fairplay)
{
  g_autofree gchar *path = NULL, *description = NULL, *text = NULL;
  GstElement *pipeline;
  GstBus *bus;
  gboolean ended = FALSE;

  if (!clear)
    return;
  path = judge_write (clear);
  description = g_strdup_printf (
      "filesrc location=%s ! cencencrypt scheme=cbcs key-id=" JUDGE_KID
      " key=" JUDGE_KEY " protection-systems=fairplay ! fakesink",
      path);
  pipeline = gst_parse_launch (description, NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!text && !ended) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

    ended = GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT;
    if (gst_message_has_name (message, "cencencrypt-keys"))
      text = gst_structure_to_string (gst_message_get_structure (message));
    gst_message_unref (message);
  }
  fail_unless (text && strstr (text, "skd://" UUID), "%s", text);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_unlink (path);
}
GST_END_TEST;

static Suite *
cencencrypt_cpix_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-cpix");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, setup, teardown);
  tcase_add_test (tcase, test_rules);
  tcase_add_test (tcase, test_explicit_iv);
  tcase_add_loop_test (tcase, test_refused, 0, G_N_ELEMENTS (refused));
  tcase_add_test (tcase, test_no_file);
  tcase_add_test (tcase, test_encrypted);
  tcase_add_test (tcase, test_output);
  tcase_add_test (tcase, test_output_encrypted);
  tcase_add_test (tcase, test_output_refused);
  tcase_add_test (tcase, test_fairplay);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_cpix);
