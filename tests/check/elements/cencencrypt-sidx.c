/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input's own sidx boxes, wherever they stand. */

#include "cencencrypt-period-util.h"

#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-source.h"

#define ENCRYPT "key-id=" JUDGE_KID " key=" JUDGE_KEY " "

/* An index in front of each fragment: such that it does not wait for its moof with
 * the others, or is written in 64 bits. */
typedef enum
{
  LEAD_PLAIN,
  LEAD_LARGE_HEADER,
  LEAD_BEHIND_LONG_EVENT,
  N_LEADS,
} Lead;

static void
append_event (GByteArray *out, guint size)
{
  g_autoptr (BmffBox) event = bmff_box_new (FOURCC ("emsg"),
      g_bytes_new_take (g_malloc0 (size - 8), size - 8));

  period_append_box (out, event);
}

/* @first: how far behind it what it refers to begins */
static BmffBox *
make_sidx (guint64 first, guint32 size, gboolean is_index)
{
  BmffSidxReference reference = { .is_index = is_index,
    .referenced_size = size,
    .duration = 1 };
  BmffSidx *sidx = bmff_sidx_new ();
  BmffBox *box;

  sidx->reference_id = sidx->timescale = 1;
  sidx->first_offset = first;
  g_array_append_val (sidx->references, reference);
  box = bmff_sidx_to_box (sidx);
  bmff_sidx_free (sidx);
  return box;
}

static void
append_lead (GByteArray *out, Lead lead, guint32 size)
{
  g_autoptr (BmffBox) sidx = make_sidx (0, size, FALSE);

  if (lead == LEAD_BEHIND_LONG_EVENT)
    append_event (out, (1u << 20) - 16);
  if (lead == LEAD_LARGE_HEADER)
    sidx->header_size = 16;
  period_append_box (out, sidx);
}

/* Each moof and the mdat behind it, with an index of it. */
static GBytes *
with_leads (GBytes *file, Lead lead)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  GByteArray *out = g_byte_array_new ();
  const guint8 *data = g_bytes_get_data (file, NULL);
  BmffHeader header, mdat;
  guint64 offset = 0;

  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    if (header.type == FOURCC ("mfra"))
      continue;
    if (header.type == FOURCC ("moof")) {
      fail_unless (
          bmff_source_read_header (source, offset + header.size, &mdat, NULL));
      append_lead (out, lead, (guint32) (header.size + mdat.size));
    }
    g_byte_array_append (out, data + offset, (guint) header.size);
  }
  return g_byte_array_free_to_bytes (out);
}

GST_START_TEST (test_sidx_of_each)
{
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;

  if (!period_clear)
    return;
  file = with_leads (period_clear, __i__);
  judge_places (file);
  out = period_encrypt (ENCRYPT, file, NULL);
  fail_unless (out);
  judge_same_samples (file, out, "cenc");
  judge_places (out);
  fail_unless_equals_int (judge_count (out, "sidx"), judge_count (out, "moof"));
}
GST_END_TEST

/* An index of an index that tells of what is still to come: the output cannot be
 * overwritten, and where the one becomes `free` the other leads nowhere. */
static void
append_indexes (GByteArray *out, guint32 size)
{
  g_autoptr (BmffBox) inner = make_sidx (0, size, FALSE);
  g_autoptr (BmffBox) outer =
      make_sidx (0, (guint32) bmff_box_get_size (inner), TRUE);

  period_append_box (out, outer);
  period_append_box (out, inner);
}

GST_START_TEST (test_sidx_of_sidx)
{
  GByteArray *built;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;
  gsize size, at = 0;
  const guint8 *data;

  if (!period_clear)
    return;
  data = g_bytes_get_data (period_clear, &size);
  while (bmff_get_u32 (data + at + 4) != FOURCC ("moof"))
    at += bmff_get_u32 (data + at);
  built = g_byte_array_new ();
  g_byte_array_append (built, data, (guint) at);
  append_indexes (built, (guint32) (size - at));
  g_byte_array_append (built, data + at, (guint) (size - at));
  file = g_byte_array_free_to_bytes (built);
  judge_places (file);
  out = period_encrypt (ENCRYPT, file, NULL);
  fail_unless (out);
  judge_places (out);
  fail_unless_equals_int (judge_count (out, "sidx"), 0);
}
GST_END_TEST

static Suite *
cencencrypt_sidx_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-sidx");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_loop_test (tcase, test_sidx_of_each, 0, N_LEADS);
  tcase_add_test (tcase, test_sidx_of_sidx);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_sidx);
