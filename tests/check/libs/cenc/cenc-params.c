/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-params.h"
#include "gst/cenc/cenc-pssh.h"

#include <gst/cenc/gstcenckeysession.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define KID "000102030405060708090a0b0c0d0e0f"
#define IV16 "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

static GBytes *
unhex (const gchar *text)
{
  GByteArray *bytes = g_byte_array_new ();

  for (; *text; text += *text == ' ' ? 1 : 2) {
    guint8 byte;

    if (*text == ' ')
      continue;
    byte = (guint8) (g_ascii_xdigit_value (text[0]) << 4 |
        g_ascii_xdigit_value (text[1]));
    g_byte_array_append (bytes, &byte, 1);
  }
  return g_byte_array_free_to_bytes (bytes);
}

static gchar *
hex (GBytes *bytes)
{
  GString *text = g_string_new (NULL);
  gsize i, size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  for (i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", data[i]);
  return g_string_free (text, FALSE);
}

static BmffBox *
make_box (const gchar *type, const gchar *payload)
{
  return bmff_box_new (BMFF_FOURCC (type[0], type[1], type[2], type[3]),
      unhex (payload));
}

static void
assert_bytes (const guint8 *data, gsize size, const gchar *expected)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autofree gchar *text = hex (bytes);

  assert_equals_string (text, expected);
}

/* --- tenc --- */

static void
check_tenc (CencScheme scheme, const gchar *payload, guint crypt, guint skip,
    guint iv_size, guint constant_size)
{
  g_autoptr (BmffBox) box = make_box ("tenc", payload);
  g_autoptr (BmffBox) again = NULL;
  g_autoptr (GBytes) wanted = g_bytes_ref (box->payload);
  g_autoptr (GError) error = NULL;
  CencParams params;

  fail_unless (cenc_params_parse_tenc (&params, scheme, box, &error), "%s",
      error ? error->message : "");
  assert_equals_int (params.scheme, scheme);
  assert_equals_int (params.is_protected, TRUE);
  assert_equals_int (params.crypt_byte_block, crypt);
  assert_equals_int (params.skip_byte_block, skip);
  assert_equals_int (params.per_sample_iv_size, iv_size);
  assert_equals_int (params.constant_iv_size, constant_size);
  assert_bytes (params.kid, 16, KID);
  again = cenc_params_to_tenc (&params);
  fail_unless (g_bytes_equal (again->payload, wanted));
}

GST_START_TEST (test_tenc)
{
  check_tenc (CENC_SCHEME_CENC, "00000000 00 00 01 08" KID, 0, 0, 8, 0);
  check_tenc (CENC_SCHEME_CBC1, "00000000 00 00 01 10" KID, 0, 0, 16, 0);
  check_tenc (CENC_SCHEME_CBC1, "00000000 00 00 01 08" KID, 0, 0, 8, 0);
  check_tenc (CENC_SCHEME_CENS, "01000000 00 19 01 08" KID, 1, 9, 8, 0);
  check_tenc (CENC_SCHEME_CBCS, "01000000 00 19 01 00" KID "10" IV16, 1, 9, 0,
      16);
  check_tenc (CENC_SCHEME_CBCS, "01000000 00 19 01 10" KID, 1, 9, 16, 0);
  check_tenc (CENC_SCHEME_CBCS,
      "00000000 00 00 01 00" KID "08"
      "f0f1f2f3f4f5f6f7",
      0, 0, 0, 8);
  check_tenc (CENC_SCHEME_CBCS, "01000000 00 a0 01 00" KID "10" IV16, 10, 0, 0,
      16);
}
GST_END_TEST;

GST_START_TEST (test_tenc_constant_iv_is_zero_padded)
{
  g_autoptr (BmffBox) box =
      make_box ("tenc", "01000000 00 19 01 00" KID "08 f0f1f2f3f4f5f6f7");
  CencParams params;

  memset (&params, 0xee, sizeof params);
  fail_unless (cenc_params_parse_tenc (&params, CENC_SCHEME_CBCS, box, NULL));
  assert_bytes (params.constant_iv, 16, "f0f1f2f3f4f5f6f70000000000000000");
}
GST_END_TEST;

/* Version 0 has no pattern: what stands in its place is reserved. */
GST_START_TEST (test_tenc_version_0_has_no_pattern)
{
  g_autoptr (BmffBox) box = make_box ("tenc", "00000000 00 19 01 08" KID);
  CencParams params;

  fail_unless (cenc_params_parse_tenc (&params, CENC_SCHEME_CENC, box, NULL));
  assert_equals_int (params.crypt_byte_block, 0);
  assert_equals_int (params.skip_byte_block, 0);
}
GST_END_TEST;

GST_START_TEST (test_tenc_not_protected)
{
  g_autoptr (BmffBox) box = make_box ("tenc", "00000000 00 00 00 00" KID);
  g_autoptr (BmffBox) again = NULL;
  CencParams params;

  fail_unless (cenc_params_parse_tenc (&params, CENC_SCHEME_CENC, box, NULL));
  assert_equals_int (params.is_protected, FALSE);
  again = cenc_params_to_tenc (&params);
  fail_unless (g_bytes_equal (again->payload, box->payload));
}
GST_END_TEST;

static void
refuse_tenc (CencScheme scheme, const gchar *payload, GstCencError code,
    const gchar *text)
{
  g_autoptr (BmffBox) box = make_box ("tenc", payload);
  g_autoptr (GError) error = NULL;
  CencParams params;

  box->offset = 1234;
  fail_if (cenc_params_parse_tenc (&params, scheme, box, &error));
  fail_unless (g_error_matches (error, GST_CENC_ERROR, (gint) code), "%s",
      error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_unless (g_str_has_prefix (error->message, "tenc at 1234"), "%s",
      error->message);
}

GST_START_TEST (test_tenc_refused)
{
  GstCencError format = GST_CENC_ERROR_FORMAT;
  static const CencScheme no_constant[] = { CENC_SCHEME_CENC, CENC_SCHEME_CENS,
    CENC_SCHEME_CBC1, CENC_SCHEME_PIFF };
  static const CencScheme no_pattern[] = { CENC_SCHEME_CENC, CENC_SCHEME_CBC1,
    CENC_SCHEME_PIFF };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (no_constant); i++)
    refuse_tenc (no_constant[i], "01000000 00 00 01 00" KID "10" IV16, format,
        "only cbcs");
  for (i = 0; i < G_N_ELEMENTS (no_pattern); i++)
    refuse_tenc (no_pattern[i], "01000000 00 19 01 08" KID, format,
        "pattern 1:9");
  refuse_tenc (CENC_SCHEME_CBCS, "01000000 00 09 01 08" KID, format, "0:9");
  refuse_tenc (CENC_SCHEME_CENC, "00000000 00 00 01 07" KID, format, "7 bytes");
  refuse_tenc (CENC_SCHEME_CENC, "00000000 00 00 01 00" KID "00", format,
      "without an IV");
  refuse_tenc (CENC_SCHEME_CBCS, "00000000 00 00 01 00" KID "05 0102030405",
      format, "5 bytes");
  refuse_tenc (CENC_SCHEME_CBCS, "00000000 00 00 01 00" KID "20" IV16 IV16,
      format, "32 bytes");
  refuse_tenc (CENC_SCHEME_CENC, "00000000 00 00 02 08" KID, format,
      "isProtected is 2");
  refuse_tenc (CENC_SCHEME_CENC, "02000000 00 00 01 08" KID,
      GST_CENC_ERROR_UNSUPPORTED, "version 2");
}
GST_END_TEST;

/* Every prefix of a tenc is too short, and says so. */
GST_START_TEST (test_tenc_cut_off)
{
  g_autoptr (GBytes) whole = unhex ("01000000 00 19 01 00" KID "10" IV16);
  gsize size;

  for (size = 0; size < g_bytes_get_size (whole); size++) {
    g_autoptr (BmffBox) box = bmff_box_new (BMFF_FOURCC ('t', 'e', 'n', 'c'),
        g_bytes_new_from_bytes (whole, 0, size));
    g_autoptr (GError) error = NULL;
    CencParams params;

    fail_if (cenc_params_parse_tenc (&params, CENC_SCHEME_CBCS, box, &error));
    fail_unless (error != NULL);
    if (size >= 4)
      fail_unless (strstr (error->message, "too early") != NULL, "%s",
          error->message);
  }
}
GST_END_TEST;

/* --- PIFF --- */

static BmffBox *
piff_tenc (const gchar *payload)
{
  BmffBox *box = make_box ("uuid", payload);

  memcpy (box->uuid, CENC_PIFF_TENC_UUID, 16);
  return box;
}

static void
check_piff (const gchar *payload, gboolean is_protected, CencMode mode)
{
  g_autoptr (BmffBox) box = piff_tenc (payload);
  g_autoptr (BmffBox) again = NULL;
  g_autoptr (GError) error = NULL;
  CencParams params;

  fail_unless (cenc_params_parse_piff_tenc (&params, box, &error), "%s",
      error ? error->message : "");
  assert_equals_int (params.scheme, CENC_SCHEME_PIFF);
  assert_equals_int (params.is_protected, is_protected);
  assert_equals_int (params.mode, mode);
  assert_bytes (params.kid, 16, KID);
  again = cenc_params_to_tenc (&params);
  assert_equals_int (memcmp (again->uuid, CENC_PIFF_TENC_UUID, 16), 0);
  fail_unless (g_bytes_equal (again->payload, box->payload));
}

GST_START_TEST (test_piff_tenc)
{
  check_piff ("00000000 000001 08" KID, TRUE, CENC_MODE_CTR);
  check_piff ("00000000 000002 10" KID, TRUE, CENC_MODE_CBC);
  check_piff ("00000000 000000 00" KID, FALSE, CENC_MODE_CTR);
}
GST_END_TEST;

GST_START_TEST (test_piff_tenc_refused)
{
  static const gchar *const payloads[] = { "00000000 000003 08" KID,
    "00000000 000001 00" KID, "00000000 000001 09" KID,
    "00000000 000001 08 0001" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (payloads); i++) {
    g_autoptr (BmffBox) box = piff_tenc (payloads[i]);
    g_autoptr (GError) error = NULL;
    CencParams params;

    fail_if (cenc_params_parse_piff_tenc (&params, box, &error));
    fail_unless (error && error->domain == GST_CENC_ERROR);
  }
}
GST_END_TEST;

/* --- seig --- */

static void
check_seig (CencScheme scheme, const gchar *payload, CencParams *params)
{
  CencParams track = { 0 };
  g_autoptr (GBytes) entry = unhex (payload);
  g_autoptr (GBytes) again = NULL;
  g_autoptr (GError) error = NULL;

  track.scheme = scheme;
  track.mode = scheme == CENC_SCHEME_PIFF ? CENC_MODE_CBC
                                          : cenc_scheme_get_mode (scheme);
  fail_unless (cenc_params_parse_seig (params, &track, entry, &error), "%s",
      error ? error->message : "");
  assert_equals_int (params->scheme, scheme);
  assert_equals_int (params->mode, track.mode);
  again = cenc_params_to_seig (params);
  fail_unless (g_bytes_equal (again, entry));
}

GST_START_TEST (test_seig)
{
  CencParams params;

  check_seig (CENC_SCHEME_CENC, "00 00 01 08" KID, &params);
  assert_equals_int (params.is_protected, TRUE);
  assert_equals_int (params.per_sample_iv_size, 8);
  assert_bytes (params.kid, 16, KID);
  check_seig (CENC_SCHEME_CBCS, "00 19 01 00" KID "10" IV16, &params);
  assert_equals_int (params.crypt_byte_block, 1);
  assert_equals_int (params.constant_iv_size, 16);
  check_seig (CENC_SCHEME_CENC, "00 00 00 00" KID, &params);
  assert_equals_int (params.is_protected, FALSE);
  check_seig (CENC_SCHEME_PIFF, "00 00 01 10" KID, &params);
}
GST_END_TEST;

GST_START_TEST (test_seig_refused)
{
  static const gchar *const payloads[] = { "", "00 00 01 08 0001",
    "00 00 01 00" KID "10" IV16, "00 19 01 08" KID, "80 00 01 08" KID };
  CencParams track = { 0 }, params;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (payloads); i++) {
    g_autoptr (GBytes) entry = unhex (payloads[i]);
    g_autoptr (GError) error = NULL;

    fail_if (cenc_params_parse_seig (&params, &track, entry, &error));
    fail_unless (error && error->domain == GST_CENC_ERROR);
  }
}
GST_END_TEST;

GST_START_TEST (test_scheme_names)
{
  guint i;
  CencScheme scheme;

  for (i = CENC_SCHEME_CENC; i <= CENC_SCHEME_PIFF; i++) {
    const gchar *name = cenc_scheme_get_name ((CencScheme) i);
    guint32 fourcc = BMFF_FOURCC (name[0], name[1], name[2], name[3]);

    fail_unless (cenc_scheme_from_fourcc (fourcc, &scheme));
    assert_equals_int (scheme, i);
    assert_equals_int (cenc_scheme_to_fourcc (scheme), fourcc);
  }
  fail_if (cenc_scheme_from_fourcc (BMFF_FOURCC ('i', 't', 'u', 'n'), &scheme));
}
GST_END_TEST;

/* --- pssh --- */

#define SYSTEM "1077efecc0b24d02ace33c1e52e2fb4b"

GST_START_TEST (test_pssh)
{
  static const gchar *const payloads[] = {
    "00000000" SYSTEM "00000000",
    "00000000" SYSTEM "00000003 aabbcc",
    "01000000" SYSTEM "00000002" KID IV16 "00000000",
    "01000000" SYSTEM "00000001" KID "00000001 dd",
    "01000000" SYSTEM "00000000 00000000",
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (payloads); i++) {
    g_autoptr (BmffBox) box = make_box ("pssh", payloads[i]);
    g_autoptr (CencPssh) pssh = cenc_pssh_parse (box, NULL);
    g_autoptr (BmffBox) again = NULL;

    fail_unless (pssh != NULL);
    assert_equals_int (memcmp (pssh->system_id, CENC_SYSTEM_COMMON, 16), 0);
    again = cenc_pssh_to_box (pssh);
    fail_unless (g_bytes_equal (again->payload, box->payload));
    if (i == 2) {
      assert_equals_int (pssh->kids->len, 2);
      assert_bytes (g_bytes_get_data (g_ptr_array_index (pssh->kids, 1), NULL),
          16, IV16);
    }
  }
}
GST_END_TEST;

GST_START_TEST (test_pssh_new)
{
  guint8 kids[32] = { 1 };
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);
  g_autoptr (CencPssh) with_kids =
      cenc_pssh_new (CENC_SYSTEM_COMMON, kids, 2, NULL);
  g_autoptr (CencPssh) without =
      cenc_pssh_new (CENC_SYSTEM_WIDEVINE, NULL, 0, data);
  g_autoptr (BmffBox) a = cenc_pssh_to_box (with_kids);
  g_autoptr (BmffBox) b = cenc_pssh_to_box (without);

  assert_equals_int (with_kids->version, 1);
  assert_equals_int (g_bytes_get_size (a->payload), 4 + 16 + 4 + 32 + 4);
  assert_equals_int (without->version, 0);
  assert_equals_int (g_bytes_get_size (b->payload), 4 + 16 + 4 + 1);
}
GST_END_TEST;

GST_START_TEST (test_pssh_refused)
{
  static const gchar *const payloads[] = {
    "00000000 1077",
    "00000000" SYSTEM "00000004 aabbcc",
    "01000000" SYSTEM "ffffffff" KID "00000000",
    "01000000" SYSTEM "00000001" KID,
    "02000000" SYSTEM "00000000 00000000",
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (payloads); i++) {
    g_autoptr (BmffBox) box = make_box ("pssh", payloads[i]);
    g_autoptr (GError) error = NULL;

    fail_unless (cenc_pssh_parse (box, &error) == NULL);
    fail_unless (error && error->domain == GST_CENC_ERROR);
    fail_unless (strstr (error->message, "pssh at") != NULL);
  }
}
GST_END_TEST;

static Suite *
cenc_params_suite (void)
{
  Suite *s = suite_create ("cenc-params");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_tenc);
  tcase_add_test (tc, test_tenc_constant_iv_is_zero_padded);
  tcase_add_test (tc, test_tenc_version_0_has_no_pattern);
  tcase_add_test (tc, test_tenc_not_protected);
  tcase_add_test (tc, test_tenc_refused);
  tcase_add_test (tc, test_tenc_cut_off);
  tcase_add_test (tc, test_piff_tenc);
  tcase_add_test (tc, test_piff_tenc_refused);
  tcase_add_test (tc, test_seig);
  tcase_add_test (tc, test_seig_refused);
  tcase_add_test (tc, test_scheme_names);
  tcase_add_test (tc, test_pssh);
  tcase_add_test (tc, test_pssh_new);
  tcase_add_test (tc, test_pssh_refused);
  return s;
}

GST_CHECK_MAIN (cenc_params);
