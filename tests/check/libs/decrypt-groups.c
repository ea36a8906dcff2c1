/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that rotate behind a demuxer that does not read sample groups. */

#include "cenc/decrypt-groups.h"

#include <gst/cenc/gstcenckeysession.h>
#include <gst/check/gstcheck.h>
#include <string.h>
#include "gst/cenc/cenc-pssh.h"

static const guint8 kids[2][16] = { { 1 }, { 2 } };

static void
take (DecryptGroups *groups, const gchar *origin, const guint8 *kid, guint n)
{
  g_autoptr (CencPssh) pssh = cenc_pssh_new (CENC_SYSTEM_COMMON, kid, n, NULL);
  g_autoptr (BmffBox) box = cenc_pssh_to_box (pssh);
  g_autoptr (GBytes) bytes = bmff_box_to_bytes (box);
  GstBuffer *data = gst_buffer_new_wrapped_bytes (bytes);
  GstEvent *event =
      gst_event_new_protection ("1077efec-c0b2-4d02-ace3-3c1e52e2fb4b", data,
          origin);

  decrypt_groups_take_protection (groups, event);
  gst_event_unref (event);
  gst_buffer_unref (data);
}

static gboolean is_clear; /* the samples are */

/* Whether a sample with that KID may be decrypted. */
static gboolean
passes (DecryptGroups *groups, const guint8 *kid)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstBuffer) id = gst_buffer_new_memdup (kid, 16);
  GError *error = NULL;
  gboolean ok;

  gst_buffer_add_protection_meta (buffer,
      gst_structure_new ("application/x-cenc", "kid", GST_TYPE_BUFFER, id,
          "encrypted", G_TYPE_BOOLEAN, !is_clear, NULL));
  ok = decrypt_groups_check (groups, buffer, &error);
  fail_unless (ok == !error);
  if (error)
    fail_unless (g_error_matches (error, GST_CENC_ERROR,
                     GST_CENC_ERROR_UNSUPPORTED) &&
            strstr (error->message, "in front of the demuxer"),
        "%s", error->message);
  g_clear_error (&error);
  return ok;
}

GST_START_TEST (test_rotation_is_seen)
{
  g_autoptr (DecryptGroups) groups = decrypt_groups_new (TRUE);

  fail_unless (passes (groups, kids[0]));
  take (groups, "isobmff/moov", kids[1], 1);
  fail_unless (passes (groups, kids[0]));
  take (groups, "isobmff/moof", kids[0], 1);
  fail_unless (passes (groups, kids[0]));
  take (groups, "isobmff/moof", kids[1], 1);
  fail_if (passes (groups, kids[0]));
  fail_unless (passes (groups, kids[1]));
}
GST_END_TEST

/* Boxes of one moof are taken together, be it one a KID or one with all. */
GST_START_TEST (test_several_keys)
{
  g_autoptr (DecryptGroups) groups = decrypt_groups_new (TRUE);

  take (groups, "isobmff/moof", kids[0], 1);
  take (groups, "isobmff/moof", kids[1], 1);
  fail_unless (passes (groups, kids[0]) && passes (groups, kids[1]));
  take (groups, "isobmff/moof", kids[1], 1);
  fail_if (passes (groups, kids[0]));
  decrypt_groups_reset (groups);
  take (groups, "isobmff/moof", kids[0], 2);
  fail_unless (passes (groups, kids[0]) && passes (groups, kids[1]));
}
GST_END_TEST

/* A box without KIDs says nothing; nor does one that is broken. */
GST_START_TEST (test_no_kids)
{
  g_autoptr (DecryptGroups) groups = decrypt_groups_new (TRUE);
  GstBuffer *junk = gst_buffer_new_memdup ("\0\0\0\x20pssh\1\0\0\0", 12);
  GstEvent *event = gst_event_new_protection ("x", junk, "isobmff/moof");

  take (groups, "isobmff/moof", NULL, 0);
  decrypt_groups_take_protection (groups, event);
  fail_unless (passes (groups, kids[0]));
  gst_event_unref (event);
  gst_buffer_unref (junk);
}
GST_END_TEST

/* A demuxer that reads them tells the KID itself; its events come early. */
GST_START_TEST (test_not_blind)
{
  g_autoptr (DecryptGroups) groups = decrypt_groups_new (FALSE);

  take (groups, "isobmff/moof", kids[1], 1);
  fail_unless (passes (groups, kids[0]));
}
GST_END_TEST

/* But for those that it misses: their KID is what stands in tenc. */
GST_START_TEST (test_missed)
{
  static const guint8 zero[16];
  g_autoptr (DecryptGroups) groups = decrypt_groups_new (FALSE);

  fail_unless (passes (groups, zero));
  take (groups, "isobmff/moof", kids[1], 1);
  fail_if (passes (groups, zero));
  is_clear = TRUE;
  fail_unless (passes (groups, zero));
  is_clear = FALSE;
  take (groups, "isobmff/moof", zero, 1);
  fail_unless (passes (groups, zero));
}
GST_END_TEST

static Suite *
decrypt_groups_suite (void)
{
  Suite *suite = suite_create ("decrypt-groups");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_rotation_is_seen);
  tcase_add_test (tcase, test_several_keys);
  tcase_add_test (tcase, test_no_kids);
  tcase_add_test (tcase, test_not_blind);
  tcase_add_test (tcase, test_missed);
  return suite;
}

GST_CHECK_MAIN (decrypt_groups);
