/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Known answers: what Shaka Packager 3.4.2 writes for the same keys
 * (--enable_raw_key_encryption --protection_systems …), byte for byte; what it
 * does not write, by the public formats, put together here by hand.
 */

#include "cenc/protection-systems.h"

#include <gst/check/gstcheck.h>
#include <string.h>
#include "cenc/encrypt-track.h"
#include "gst/cenc/cenc-pssh.h"

static const gchar shaka_common[] =
    "0000003470737368010000001077efecc0b24d02ace33c1e52e2fb4b00000001"
    "00112233445566778899aabbccddeeff00000000";
static const gchar shaka_playready_cenc[] =
    "0000022670737368000000009a04f07998404286ab92e65be0885f9500000206"
    "0602000001000100fc013c00570052004d004800450041004400450052002000"
    "78006d006c006e0073003d00220068007400740070003a002f002f0073006300"
    "680065006d00610073002e006d006900630072006f0073006f00660074002e00"
    "63006f006d002f00440052004d002f0032003000300037002f00300033002f00"
    "50006c0061007900520065006100640079004800650061006400650072002200"
    "2000760065007200730069006f006e003d00220034002e0030002e0030002e00"
    "300022003e003c0044004100540041003e003c00500052004f00540045004300"
    "540049004e0046004f003e003c004b00450059004c0045004e003e0031003600"
    "3c002f004b00450059004c0045004e003e003c0041004c004700490044003e00"
    "4100450053004300540052003c002f0041004c004700490044003e003c002f00"
    "500052004f00540045004300540049004e0046004f003e003c004b0049004400"
    "3e004d00790049005200410046005600450064003200610049006d0061007100"
    "37007a004e00330075002f0077003d003d003c002f004b00490044003e003c00"
    "43004800450043004b00530055004d003e004b0070004f007600580052004c00"
    "55005800660073003d003c002f0043004800450043004b00530055004d003e00"
    "3c002f0044004100540041003e003c002f00570052004d004800450041004400"
    "450052003e00";
static const gchar shaka_widevine_cenc[] =
    "000000387073736800000000edef8ba979d64acea3c827dcd51d21ed00000018"
    "121000112233445566778899aabbccddeeff48e3dc959b06";
static const gchar shaka_playready_cbcs[] =
    "000001de70737368000000009a04f07998404286ab92e65be0885f95000001be"
    "be01000001000100b4013c00570052004d004800450041004400450052002000"
    "78006d006c006e0073003d00220068007400740070003a002f002f0073006300"
    "680065006d00610073002e006d006900630072006f0073006f00660074002e00"
    "63006f006d002f00440052004d002f0032003000300037002f00300033002f00"
    "50006c0061007900520065006100640079004800650061006400650072002200"
    "2000760065007200730069006f006e003d00220034002e0033002e0030002e00"
    "300022003e003c0044004100540041003e003c00500052004f00540045004300"
    "540049004e0046004f003e003c004b004900440053003e003c004b0049004400"
    "200041004c004700490044003d00220041004500530043004200430022002000"
    "560041004c00550045003d0022004d0079004900520041004600560045006400"
    "3200610049006d006100710037007a004e00330075002f0077003d003d002200"
    "3e003c002f004b00490044003e003c002f004b004900440053003e003c002f00"
    "500052004f00540045004300540049004e0046004f003e003c002f0044004100"
    "540041003e003c002f00570052004d004800450041004400450052003e00";
static const gchar shaka_widevine_cbcs[] =
    "000000387073736800000000edef8ba979d64acea3c827dcd51d21ed00000018"
    "121000112233445566778899aabbccddeeff48f3c6899b06";
static const gchar shaka_common_two[] =
    "0000004470737368010000001077efecc0b24d02ace33c1e52e2fb4b00000002"
    "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    "00000000";
static const gchar shaka_widevine_two[] =
    "0000004a7073736800000000edef8ba979d64acea3c827dcd51d21ed0000002a"
    "121010112233445566778899aabbccddeeff121000112233445566778899aabb"
    "ccddeeff48e3dc959b06";

typedef struct
{
  ProtectionInfo info;
  GstCencKey *keys[3];
} Title;

/* KID n: n0112233…ff, key n: n0010203…0f */
static GstCencKey *
make_key (guint n)
{
  guint8 kid[16], key[16];
  guint i;

  for (i = 0; i < 16; i++) {
    kid[i] = i * 0x11;
    key[i] = i;
  }
  kid[0] = key[0] = n << 4;
  return gst_cenc_key_new (kid, key);
}

static void
title_init (Title *self, CencScheme scheme, guint n_keys)
{
  guint i;

  memset (self, 0, sizeof *self);
  for (i = 0; i < n_keys; i++)
    self->keys[i] = make_key (i);
  self->info.scheme = scheme;
  self->info.mode = cenc_scheme_get_mode (scheme);
  self->info.keys = self->keys;
  self->info.n_keys = n_keys;
}

static void
title_clear (Title *self)
{
  guint i;

  for (i = 0; i < 3; i++)
    g_clear_pointer (&self->keys[i], gst_cenc_key_unref);
}

static GPtrArray *
make (Title *title, ProtectionSystems systems, GError **error)
{
  GPtrArray *boxes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
  gboolean ok = protection_systems_make (systems, &title->info, boxes, error);

  if (ok)
    return boxes;
  fail_unless_equals_int (boxes->len, 0);
  g_ptr_array_unref (boxes);
  return NULL;
}

static gchar *
to_hex (GBytes *bytes)
{
  GString *hex = g_string_new (NULL);
  gsize i, size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  for (i = 0; i < size; i++)
    g_string_append_printf (hex, "%02x", data[i]);
  return g_string_free (hex, FALSE);
}

static void
check_box (const BmffBox *box, const gchar *expected)
{
  g_autoptr (GBytes) bytes = bmff_box_to_bytes (box);
  g_autofree gchar *hex = to_hex (bytes);

  fail_unless_equals_string (hex, expected);
}

static void
check_boxes (CencScheme scheme, guint n_keys, ProtectionSystems systems,
    const gchar *const *expected)
{
  Title title;
  GPtrArray *boxes;
  GError *error = NULL;
  guint i;

  title_init (&title, scheme, n_keys);
  boxes = make (&title, systems, &error);
  fail_unless (boxes != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (boxes->len, g_strv_length ((gchar **) expected));
  for (i = 0; i < boxes->len; i++)
    check_box (g_ptr_array_index (boxes, i), expected[i]);
  g_ptr_array_unref (boxes);
  title_clear (&title);
}

GST_START_TEST (test_shaka_cenc)
{
  const gchar *expected[] = { shaka_common, shaka_widevine_cenc,
    shaka_playready_cenc, NULL };

  check_boxes (CENC_SCHEME_CENC, 1,
      PROTECTION_SYSTEM_COMMON | PROTECTION_SYSTEM_WIDEVINE |
          PROTECTION_SYSTEM_PLAYREADY,
      expected);
}
GST_END_TEST;

GST_START_TEST (test_shaka_cbcs)
{
  const gchar *expected[] = { shaka_common, shaka_widevine_cbcs,
    shaka_playready_cbcs, NULL };

  check_boxes (CENC_SCHEME_CBCS, 1,
      PROTECTION_SYSTEM_COMMON | PROTECTION_SYSTEM_WIDEVINE |
          PROTECTION_SYSTEM_PLAYREADY | PROTECTION_SYSTEM_FAIRPLAY,
      expected);
}
GST_END_TEST;

/* Shaka has them the other way round, as the tracks come. */
GST_START_TEST (test_shaka_two_keys)
{
  Title title;
  GstCencKey *first;
  GPtrArray *boxes;

  title_init (&title, CENC_SCHEME_CENC, 2);
  first = title.keys[0];
  title.keys[0] = title.keys[1];
  title.keys[1] = first;
  boxes = make (&title, PROTECTION_SYSTEM_COMMON | PROTECTION_SYSTEM_WIDEVINE,
      NULL);
  fail_unless (boxes != NULL);
  check_box (g_ptr_array_index (boxes, 0), shaka_common_two);
  check_box (g_ptr_array_index (boxes, 1), shaka_widevine_two);
  g_ptr_array_unref (boxes);
  title_clear (&title);
}
GST_END_TEST;

static GBytes *
make_data (Title *title, ProtectionSystems system)
{
  GError *error = NULL;
  GPtrArray *boxes = make (title, system, &error);
  CencPssh *pssh;
  GBytes *data;

  fail_unless (boxes != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (boxes->len, 1);
  pssh = cenc_pssh_parse (g_ptr_array_index (boxes, 0), NULL);
  fail_unless (pssh != NULL);
  data = g_bytes_ref (pssh->data);
  cenc_pssh_free (pssh);
  g_ptr_array_unref (boxes);
  return data;
}

GST_START_TEST (test_widevine_names)
{
  Title title;
  g_autoptr (GBytes) data = NULL;
  g_autofree gchar *hex = NULL;

  title_init (&title, CENC_SCHEME_CENS, 1);
  title.info.provider = "prov";
  title.info.content_id = "cid";
  data = make_data (&title, PROTECTION_SYSTEM_WIDEVINE);
  hex = to_hex (data);
  /* 0x63656e73 = 'cens' */
  fail_unless_equals_string (hex,
      "121000112233445566778899aabbccddeeff"
      "1a0470726f76"
      "2203636964"
      "48f3dc959b06");
  title_clear (&title);
}
GST_END_TEST;

/* Lengths over 127 take two bytes. */
GST_START_TEST (test_widevine_long_name)
{
  Title title;
  g_autofree gchar *name = g_strnfill (300, 'x');
  g_autoptr (GBytes) data = NULL;
  const guint8 *bytes;

  title_init (&title, CENC_SCHEME_CENC, 1);
  title.info.content_id = name;
  data = make_data (&title, PROTECTION_SYSTEM_WIDEVINE);
  bytes = g_bytes_get_data (data, NULL);
  fail_unless_equals_int (g_bytes_get_size (data), 18 + 3 + 300 + 6);
  fail_unless (bytes[18] == 0x22 && bytes[19] == 0xac && bytes[20] == 0x02);
  title_clear (&title);
}
GST_END_TEST;

static gchar *
make_playready_xml (Title *title)
{
  g_autoptr (GBytes) data = make_data (title, PROTECTION_SYSTEM_PLAYREADY);
  gsize size;
  const guint8 *bytes = g_bytes_get_data (data, &size);
  gchar *xml;

  fail_unless_equals_int (GST_READ_UINT32_LE (bytes), size);
  fail_unless_equals_int (GST_READ_UINT16_LE (bytes + 4), 1);
  fail_unless_equals_int (GST_READ_UINT16_LE (bytes + 6), 1);
  fail_unless_equals_int (GST_READ_UINT16_LE (bytes + 8), size - 10);
  xml = g_convert ((const gchar *) bytes + 10, size - 10, "UTF-8", "UTF-16LE",
      NULL, NULL, NULL);
  fail_unless (xml != NULL);
  return xml;
}

#define HEADER(version) \
  "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/" \
  "PlayReadyHeader\" version=\"" version "\"><DATA>"
#define FOOTER "</DATA></WRMHEADER>"

GST_START_TEST (test_playready_40_url)
{
  Title title;
  g_autofree gchar *xml = NULL;

  title_init (&title, CENC_SCHEME_CENC, 1);
  title.info.la_url = "https://la.example/?a=1&b=<\xc3\xa9>";
  xml = make_playready_xml (&title);
  fail_unless_equals_string (xml,
      HEADER (
          "4.0.0.0") "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID>"
                     "</PROTECTINFO><KID>MyIRAFVEd2aImaq7zN3u/w==</KID>"
                     "<CHECKSUM>KpOvXRLUXfs=</CHECKSUM>"
                     "<LA_URL>https://la.example/?a=1&amp;b=&lt;\xc3\xa9&gt;</LA_URL>" FOOTER);
  title_clear (&title);
}
GST_END_TEST;

#define KID_0 \
  "<KID ALGID=\"AESCTR\" CHECKSUM=\"KpOvXRLUXfs=\" " \
  "VALUE=\"MyIRAFVEd2aImaq7zN3u/w==\"></KID>"

GST_START_TEST (test_playready_41)
{
  Title title;
  g_autofree gchar *xml = NULL;

  title_init (&title, CENC_SCHEME_CENC, 1);
  title.info.playready_version = 41;
  title.info.la_url = "u";
  xml = make_playready_xml (&title);
  fail_unless_equals_string (xml,
      HEADER ("4.1.0.0") "<PROTECTINFO>" KID_0
                         "</PROTECTINFO><LA_URL>u</LA_URL>" FOOTER);
  title_clear (&title);
}
GST_END_TEST;

GST_START_TEST (test_playready_several_keys)
{
  Title title;
  g_autofree gchar *xml = NULL, *cbcs = NULL;

  title_init (&title, CENC_SCHEME_CENC, 2);
  xml = make_playready_xml (&title);
  fail_unless (g_str_has_prefix (xml,
      HEADER ("4.2.0.0") "<PROTECTINFO><KIDS>" KID_0
                         "<KID ALGID=\"AESCTR\" CHECKSUM=\""));
  fail_unless (g_str_has_suffix (xml,
      "\" VALUE=\"MyIREFVEd2aImaq7zN3u/w==\"></KID></KIDS></PROTECTINFO>" FOOTER));
  title_clear (&title);

  title_init (&title, CENC_SCHEME_CBCS, 2);
  cbcs = make_playready_xml (&title);
  fail_unless_equals_string (cbcs,
      HEADER (
          "4.3.0.0") "<PROTECTINFO><KIDS>"
                     "<KID ALGID=\"AESCBC\" VALUE=\"MyIRAFVEd2aImaq7zN3u/w==\"></KID>"
                     "<KID ALGID=\"AESCBC\" VALUE=\"MyIREFVEd2aImaq7zN3u/w==\"></KID>"
                     "</KIDS></PROTECTINFO>" FOOTER);
  title_clear (&title);
}
GST_END_TEST;

static void
check_refused (Title *title, ProtectionSystems systems, const gchar *word)
{
  GError *error = NULL;
  GPtrArray *boxes = make (title, systems, &error);

  fail_unless (boxes == NULL, "not refused: %s", word);
  fail_unless (g_error_matches (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS));
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  g_error_free (error);
  title_clear (title);
}

GST_START_TEST (test_refused)
{
  const CencScheme unknown[] = { CENC_SCHEME_CENS, CENC_SCHEME_CBC1 };
  g_autofree gchar *text = g_strnfill (5000, 'x');
  Title title;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (unknown); i++) {
    title_init (&title, unknown[i], 1);
    check_refused (&title,
        PROTECTION_SYSTEM_COMMON | PROTECTION_SYSTEM_PLAYREADY, "playready");
  }
  title_init (&title, CENC_SCHEME_PIFF, 1);
  title.info.mode = CENC_MODE_CBC;
  check_refused (&title, PROTECTION_SYSTEM_PLAYREADY, "playready");
  title_init (&title, CENC_SCHEME_CENC, 1);
  check_refused (&title, PROTECTION_SYSTEM_FAIRPLAY, "fairplay");
  title_init (&title, CENC_SCHEME_CENC, 2);
  title.info.playready_version = 41;
  check_refused (&title, PROTECTION_SYSTEM_PLAYREADY, "4.2");
  title_init (&title, CENC_SCHEME_CBCS, 1);
  title.info.playready_version = 42;
  check_refused (&title, PROTECTION_SYSTEM_PLAYREADY, "4.3");
  title_init (&title, CENC_SCHEME_CENC, 1);
  title.info.content_id = text;
  check_refused (&title, PROTECTION_SYSTEM_WIDEVINE, "content-id");
  title_init (&title, CENC_SCHEME_CENC, 1);
  title.info.la_url = "a\nb";
  check_refused (&title, PROTECTION_SYSTEM_PLAYREADY, "la-url");
  title_init (&title, CENC_SCHEME_CENC, 1);
  title.info.la_url = "a\xff";
  check_refused (&title, PROTECTION_SYSTEM_PLAYREADY, "la-url");
}
GST_END_TEST;

/* 900 KIDs are beyond the 16 bits of a record's size. */
GST_START_TEST (test_playready_too_many)
{
  GstCencKey *key = make_key (0);
  GstCencKey *keys[900];
  Title title;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (keys); i++)
    keys[i] = key;
  title_init (&title, CENC_SCHEME_CENC, 0);
  title.info.keys = keys;
  title.info.n_keys = G_N_ELEMENTS (keys);
  check_refused (&title, PROTECTION_SYSTEM_PLAYREADY, "KIDs");
  gst_cenc_key_unref (key);
}
GST_END_TEST;

GST_START_TEST (test_clearkey)
{
  const gchar *expected[] = { "0000004470737368"
                              "01000000"
                              "e2719d58a985b3c9781ab030af78d30e"
                              "00000002"
                              "00112233445566778899aabbccddeeff"
                              "10112233445566778899aabbccddeeff"
                              "00000000",
    NULL };

  check_boxes (CENC_SCHEME_CENS, 2, PROTECTION_SYSTEM_CLEARKEY, expected);
}
GST_END_TEST;

GST_START_TEST (test_marlin)
{
  /* marl { mkid { 1, { 63, KID, "urn:marlin:kid:0011…" } } } */
  const gchar *expected[] = {
    "0000007b70737368"
    "00000000"
    "5e629af538da4063897797ffbd9902d4"
    "0000005b"
    "0000005b6d61726c"
    "000000536d6b6964"
    "00000000"
    "00000001"
    "0000003f"
    "00112233445566778899aabbccddeeff"
    "75726e3a6d61726c696e3a6b69643a"
    "3030313132323333343435353636373738383939616162626363646465656666",
    NULL
  };
  Title title;
  g_autoptr (GBytes) data = NULL;
  gsize size;
  const gchar *bytes;

  check_boxes (CENC_SCHEME_CENC, 1, PROTECTION_SYSTEM_MARLIN, expected);
  title_init (&title, CENC_SCHEME_CENC, 1);
  title.info.content_id = "urn:x:title";
  data = make_data (&title, PROTECTION_SYSTEM_MARLIN);
  bytes = g_bytes_get_data (data, &size);
  fail_unless (memcmp (bytes + size - 11, "urn:x:title", 11) == 0);
  title_clear (&title);
}
GST_END_TEST;

GST_START_TEST (test_fairplay)
{
  GstCencKey *key = make_key (0);
  g_autofree gchar *uri =
      protection_system_skd_uri (gst_cenc_key_get_kid (key));
  const gchar *nothing[] = { NULL };

  fail_unless_equals_string (uri, "skd://00112233-4455-6677-8899-aabbccddeeff");
  gst_cenc_key_unref (key);
  check_boxes (CENC_SCHEME_CBCS, 1, PROTECTION_SYSTEM_FAIRPLAY, nothing);
}
GST_END_TEST;

/* PIFF 1.1: the box is a uuid box with the same fields; those that would have
 * KIDs only are left out. */
GST_START_TEST (test_piff)
{
  g_autofree gchar *expected = g_strconcat ("00000236"
                                            "75756964"
                                            "d08a4f1810f34a82b6c832d8aba183d3",
      shaka_playready_cenc + 16, NULL);
  const gchar *boxes[] = { expected, NULL };

  check_boxes (CENC_SCHEME_PIFF, 1,
      PROTECTION_SYSTEM_COMMON | PROTECTION_SYSTEM_PLAYREADY, boxes);
}
GST_END_TEST;

GST_START_TEST (test_no_keys)
{
  const gchar *nothing[] = { NULL };

  check_boxes (CENC_SCHEME_CENC, 0, PROTECTION_SYSTEM_PLAYREADY, nothing);
}
GST_END_TEST;

static void
check_raw (const gchar *text, guint n)
{
  GError *error = NULL;
  GPtrArray *boxes = protection_systems_parse_raw (text, &error);

  fail_unless (boxes != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (boxes->len, n);
  check_box (g_ptr_array_index (boxes, 0), shaka_common);
  if (n > 1)
    check_box (g_ptr_array_index (boxes, 1), shaka_playready_cbcs);
  g_ptr_array_unref (boxes);
}

GST_START_TEST (test_raw)
{
  g_autofree gchar *two =
      g_strconcat (shaka_common, "\n ", shaka_playready_cbcs, NULL);

  check_raw (shaka_common, 1);
  check_raw (two, 2);
  check_raw ("AAAANHBzc2gBAAAAEHfv7MCyTQKs4zweUuL7SwAAAAEAESIzRFVmd4iZ\n"
             "qrvM3e7/AAAAAA==",
      1);
}
GST_END_TEST;

GST_START_TEST (test_raw_refused)
{
  const gchar *bad[] = { "xyz", "000", "00zz", "00000034707373", "AAAA!",
    /* not whole; of size 0; another type; version 2; KIDs beyond the end */
    "0000003570737368010000001077efecc0b24d02ace33c1e52e2fb4b000000010011223344"
    "5566778899aabbccddeeff00000000",
    "00000000"
    "70737368",
    "0000000866726565",
    "0000002070737368020000001077efecc0b24d02ace33c1e52e2fb4b00000000",
    "0000002070737368010000001077efecc0b24d02ace33c1e52e2fb4bffffffff" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    GError *error = NULL;

    fail_unless (protection_systems_parse_raw (bad[i], &error) == NULL,
        "%s passed", bad[i]);
    fail_unless (error != NULL);
    g_error_free (error);
  }
}
GST_END_TEST;

static Suite *
protection_systems_suite (void)
{
  Suite *suite = suite_create ("protection-systems");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_shaka_cenc);
  tcase_add_test (tcase, test_shaka_cbcs);
  tcase_add_test (tcase, test_shaka_two_keys);
  tcase_add_test (tcase, test_widevine_names);
  tcase_add_test (tcase, test_widevine_long_name);
  tcase_add_test (tcase, test_playready_40_url);
  tcase_add_test (tcase, test_playready_41);
  tcase_add_test (tcase, test_playready_several_keys);
  tcase_add_test (tcase, test_playready_too_many);
  tcase_add_test (tcase, test_refused);
  tcase_add_test (tcase, test_clearkey);
  tcase_add_test (tcase, test_marlin);
  tcase_add_test (tcase, test_fairplay);
  tcase_add_test (tcase, test_piff);
  tcase_add_test (tcase, test_no_keys);
  tcase_add_test (tcase, test_raw);
  tcase_add_test (tcase, test_raw_refused);
  return suite;
}

GST_CHECK_MAIN (protection_systems);
