/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cencencrypt's properties make of protection systems' boxes. */

#define _GNU_SOURCE /* memmem() */

#include "cencencrypt-period-util.h"

#include <string.h>
#include "gst/cenc/cenc-pssh.h"
#include "gst/isobmff/bmff-source.h"

#define ONE_KEY "key-id=" JUDGE_KID " key=" JUDGE_KEY " "
#define TWO_KEYS "track-keys=SD=" KEY_A ",AUDIO=" KEY_B " "
#define PLAYREADY "protection-systems=playready "

/* The header in the moov's PlayReady object, as UTF-8. */
static gchar *
read_header (GBytes *file)
{
  const guint8 *data;
  gsize size;
  const guint8 *pssh;
  gunichar2 text[2048];
  guint i, n;

  data = g_bytes_get_data (file, &size);
  pssh = memmem (data, size, CENC_SYSTEM_PLAYREADY, 16);
  fail_unless (pssh);
  /* Behind the system ID: size of the data, of the object, records, type, size. */
  n = (pssh[28] | pssh[29] << 8) / 2;
  fail_unless (n < G_N_ELEMENTS (text));
  for (i = 0; i < n; i++)
    text[i] = pssh[30 + 2 * i] | pssh[31 + 2 * i] << 8;
  return g_utf16_to_utf8 (text, n, NULL, NULL, NULL);
}

/* Known answers. The checksum is AES-ECB of the KID as a GUID with the key, eight bytes
 * of it: `openssl enc -aes-128-ecb -nopad -K 00010203… | head -c 8 | base64`. */
#define HEADER(version) \
  "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/" \
  "PlayReadyHeader\" version=\"" version "\"><DATA>"
#define END "<LA_URL>https://a.example/?x=1&amp;y=2</LA_URL></DATA></WRMHEADER>"
#define CTR \
  "<KID ALGID=\"AESCTR\" CHECKSUM=\"KpOvXRLUXfs=\" " \
  "VALUE=\"MyIRAFVEd2aImaq7zN3u/w==\"></KID>"
#define CBC "<KID ALGID=\"AESCBC\" VALUE=\"MyIRAFVEd2aImaq7zN3u/w==\"></KID>"
static const struct
{
  const gchar *settings, *header;
} headers[] = {
  { "",
      HEADER ("4.0.0.0") "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR"
                         "</ALGID></PROTECTINFO><KID>MyIRAFVEd2aImaq7zN3u/w=="
                         "</KID><CHECKSUM>KpOvXRLUXfs=</CHECKSUM>" END },
  { "playready-version=4.0",
      HEADER ("4.0.0.0") "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR"
                         "</ALGID></PROTECTINFO><KID>MyIRAFVEd2aImaq7zN3u/w=="
                         "</KID><CHECKSUM>KpOvXRLUXfs=</CHECKSUM>" END },
  { "playready-version=4.1",
      HEADER ("4.1.0.0") "<PROTECTINFO>" CTR "</PROTECTINFO>" END },
  { "playready-version=4.2",
      HEADER ("4.2.0.0") "<PROTECTINFO><KIDS>" CTR
                         "</KIDS></PROTECTINFO>" END },
  { "playready-version=4.3",
      HEADER ("4.3.0.0") "<PROTECTINFO><KIDS>" CTR
                         "</KIDS></PROTECTINFO>" END },
  { "scheme=cbcs",
      HEADER ("4.3.0.0") "<PROTECTINFO><KIDS>" CBC
                         "</KIDS></PROTECTINFO>" END },
};

GST_START_TEST (test_playready)
{
  g_autofree gchar *settings = g_strconcat (ONE_KEY PLAYREADY
      "playready-la-url=\"https://a.example/?x=1&y=2\" ",
      headers[__i__].settings, NULL);
  g_autoptr (GBytes) out = NULL;
  g_autofree gchar *header = NULL;

  if (!period_clear)
    return;
  out = period_encrypt_good (settings);
  header = read_header (out);
  fail_unless_equals_string (header, headers[__i__].header);
}
GST_END_TEST

/* A version that cannot tell the keys is refused; nothing goes out. */
static const struct
{
  const gchar *settings, *word;
} refused[] = {
  { TWO_KEYS PLAYREADY "playready-version=4.0", "4.2 or 4.3" },
  { TWO_KEYS PLAYREADY "playready-version=4.1", "4.2 or 4.3" },
  { ONE_KEY PLAYREADY "playready-version=4.2 scheme=cbcs", "4.3" },
  { ONE_KEY PLAYREADY "scheme=cens", "playready" },
  { ONE_KEY PLAYREADY "scheme=cbc1", "playready" },
  { ONE_KEY "protection-systems=fairplay", "fairplay" },
};

GST_START_TEST (test_refused)
{
  GstBus *bus;

  if (!period_clear)
    return;
  fail_if (period_encrypt (refused[__i__].settings, period_clear, &bus));
  period_check_error (bus, refused[__i__].word);
  gst_object_unref (bus);
}
GST_END_TEST

/* The application is told the very boxes of the moov. */
GST_START_TEST (test_message_has_the_boxes)
{
  GstBus *bus;
  GstMessage *message;
  const GValue *value;
  GstMapInfo map;
  g_autoptr (GBytes) out = NULL;

  if (!period_clear)
    return;
  out = period_encrypt (TWO_KEYS
      "protection-systems=common+clearkey+widevine+playready+marlin",
      period_clear, &bus);
  fail_unless (out);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (message);
  value = gst_structure_get_value (gst_message_get_structure (message), "pssh");
  fail_unless (
      gst_buffer_map (gst_value_get_buffer (value), &map, GST_MAP_READ));
  fail_unless (map.size > 1000);
  fail_unless (memmem (g_bytes_get_data (out, NULL), g_bytes_get_size (out),
      map.data, map.size));
  gst_buffer_unmap (gst_value_get_buffer (value), &map);
  gst_message_unref (message);
  gst_object_unref (bus);
}
GST_END_TEST

static Suite *
cencencrypt_systems_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-systems");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_loop_test (tcase, test_playready, 0, G_N_ELEMENTS (headers));
  tcase_add_loop_test (tcase, test_refused, 0, G_N_ELEMENTS (refused));
  tcase_add_test (tcase, test_message_has_the_boxes);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_systems);
