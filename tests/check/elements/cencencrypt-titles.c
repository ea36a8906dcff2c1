/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencencrypt: a moov in mid-stream, another title's or the same again, and times
 * that begin anew. */

#include "cencencrypt-period-util.h"

#include <string.h>

static GBytes *
join (GBytes *a, GBytes *b)
{
  GByteArray *both = g_byte_array_new ();

  g_byte_array_append (both, g_bytes_get_data (a, NULL),
      (guint) g_bytes_get_size (a));
  g_byte_array_append (both, g_bytes_get_data (b, NULL),
      (guint) g_bytes_get_size (b));
  return g_byte_array_free_to_bytes (both);
}

/* Where the n-th box (from 0) of that type on the file level is; its size. */
static gsize
find (GBytes *file, const gchar *type, guint n, gsize *box_size)
{
  gsize size, pos;
  const guint8 *data = g_bytes_get_data (file, &size);

  for (pos = 0; pos < size; pos += *box_size) {
    *box_size = bmff_get_u32 (data + pos);
    fail_unless (*box_size >= 8);
    if (memcmp (data + pos + 4, type, 4) == 0 && n-- == 0)
      return pos;
  }
  fail ("no %s", type);
  return 0;
}

/* (transfer full): from the second ftyp on */
static GBytes *
second_of (GBytes *file)
{
  gsize box, at = find (file, "ftyp", 1, &box);

  return g_bytes_new_from_bytes (file, at, g_bytes_get_size (file) - at);
}

/* All samples of the track with that entry have this KID. */
static void
check_kid (GBytes *file, const gchar *format, const gchar *kid)
{
  g_autoptr (GPtrArray) tracks = judge_read (file, JUDGE_SENC, NULL);
  JudgeTrack *track;
  guint i;

  fail_unless (tracks);
  track = period_get_track (tracks, format);
  fail_unless (track->kids->len > 0);
  for (i = 0; i < track->kids->len; i++)
    fail_unless_equals_string (track->kids->pdata[i], kid);
}

static GBytes *
encrypt (const gchar *settings, GBytes *file)
{
  GBytes *out = period_encrypt (settings, file, NULL);

  fail_unless (out);
  return out;
}

/* The last message tells of both KIDs. */
static void
check_told (GBytes *file, const gchar *settings)
{
  GstBus *bus;
  GBytes *out = period_encrypt (settings, file, &bus);
  g_autofree gchar *text = NULL;
  GstMessage *message;

  fail_unless (out);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
    g_free (text);
    text = gst_structure_to_string (gst_message_get_structure (message));
    gst_message_unref (message);
  }
  fail_unless (text && strstr (text, JUDGE_KID) && strstr (text, JUDGE_KID_2));
  gst_object_unref (bus);
  g_bytes_unref (out);
}

/* Where the pictures were, there is sound: with its key and without a pattern. */
GST_START_TEST (test_other_kind)
{
  static const gchar settings[] =
      "scheme=cbcs track-keys=AUDIO=" KEY_A ",SD=" KEY_B;
  g_autoptr (GBytes) sound = NULL;
  g_autoptr (GBytes) both = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) behind = NULL;

  if (!period_clear)
    return;
  judge_add_key (JUDGE_KID_2, JUDGE_KEY_2);
  sound =
      judge_make_stream ("audiotestsrc num-buffers=85 ! avenc_aac ! aacparse ! "
                         "mp4mux fragment-duration=1000 ! appsink name=out");
  both = join (period_clear, sound);
  out = encrypt (settings, both);
  behind = second_of (out);
  judge_same_samples (sound, behind, "cbcs");
  check_kid (behind, "enca", JUDGE_KID);
  check_told (both, settings);
  g_clear_pointer (&both, g_bytes_unref);
  both = join (sound, period_clear);
  check_told (both, settings);
}
GST_END_TEST

/* Where the sound was, there is a track that stays clear. */
GST_START_TEST (test_clear_track)
{
  g_autofree guint8 *data = NULL;
  g_autoptr (GBytes) next = NULL;
  g_autoptr (GBytes) both = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) behind = NULL;
  g_autoptr (GPtrArray) before = NULL;
  g_autoptr (GPtrArray) after = NULL;
  JudgeTrack *was, *is;
  gsize size, moov, i;
  guint n = 0;

  if (!period_clear)
    return;
  size = g_bytes_get_size (period_clear);
  data = g_memdup2 (g_bytes_get_data (period_clear, NULL), size);
  for (i = find (period_clear, "moov", 0, &moov), moov += i; i + 4 < moov;
       i++) {
    gboolean is_handler = memcmp (data + i, "soun", 4) == 0;

    if (!is_handler && memcmp (data + i, "mp4a", 4) != 0)
      continue;
    memcpy (data + i, is_handler ? "text" : "tx3g", 4);
    n++;
  }
  fail_unless (n >= 2);
  next = g_bytes_new (data, size);
  both = join (period_clear, next);
  out = encrypt ("key-id=" JUDGE_KID " key=" JUDGE_KEY, both);
  behind = second_of (out);
  before = judge_read (next, JUDGE_SENC, NULL);
  after = judge_read (behind, JUDGE_SENC, NULL);
  was = period_get_track (before, "tx3g");
  is = period_get_track (after, "tx3g");
  fail_unless_equals_int (is->raw->len, was->raw->len);
  for (i = 0; i < was->raw->len; i++)
    fail_unless (g_bytes_equal (was->raw->pdata[i], is->raw->pdata[i]));
  check_kid (behind, "encv", JUDGE_KID);
}
GST_END_TEST

#define LEAD "clear-lead=1500000000 key-id=" JUDGE_KID " key=" JUDGE_KEY

/* Of the pictures' samples, the first @n_clear are clear, and no other one. */
static void
check_lead (GBytes *file, guint n_clear)
{
  g_autoptr (GPtrArray) tracks = judge_read (file, JUDGE_SENC, NULL);
  JudgeTrack *pictures = period_get_track (tracks, "encv");
  guint i;

  fail_unless (pictures->kids->len > 0);
  for (i = 0; i < pictures->kids->len; i++)
    fail_unless ((i < n_clear) == !pictures->kids->pdata[i], "%u", i);
}

/* A clock that wraps, an encoder that starts anew: the last moofs are at 0. */
GST_START_TEST (test_times_begin_anew)
{
  g_autofree guint8 *data = NULL;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;
  gsize size, moof, i;

  if (!period_clear)
    return;
  size = g_bytes_get_size (period_clear);
  data = g_memdup2 (g_bytes_get_data (period_clear, NULL), size);
  for (i = find (period_clear, "moof", 6, &moof); i + 4 < size; i++) {
    if (memcmp (data + i, "tfdt", 4) == 0)
      memset (data + i + 8, 0, data[i + 4] == 1 ? 8 : 4);
  }
  file = g_bytes_new (data, size);
  out = encrypt (LEAD, file);
  check_lead (out, 50);
}
GST_END_TEST

/* Segments, of a moof a track, that each have their moov, and no times. */
GST_START_TEST (test_moov_again)
{
  GByteArray *again = g_byte_array_new ();
  g_autofree guint8 *data = NULL;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) last = NULL;
  gsize size, first, at, box, i;

  if (!period_clear)
    return;
  size = g_bytes_get_size (period_clear);
  data = g_memdup2 (g_bytes_get_data (period_clear, NULL), size);
  for (i = 0; i + 4 < size; i++) {
    if (memcmp (data + i, "tfdt", 4) == 0)
      memcpy (data + i, "free", 4);
  }
  first = find (period_clear, "moof", 0, &box);
  for (i = 0; i < 4; i++) {
    gsize end = i < 3 ? find (period_clear, "moof", 2 * i + 2, &box) : size;

    at = find (period_clear, "moof", 2 * i, &box);
    g_byte_array_append (again, data, (guint) first);
    g_byte_array_append (again, data + at, (guint) (end - at));
  }
  file = g_byte_array_free_to_bytes (again);
  out = encrypt (LEAD, file);
  for (i = 0; i < 4; i++) {
    gsize next =
        i < 3 ? find (out, "ftyp", i + 1, &box) : g_bytes_get_size (out);

    at = find (out, "ftyp", i, &box);
    g_clear_pointer (&last, g_bytes_unref);
    last = g_bytes_new_from_bytes (out, at, next - at);
    check_lead (last, i < 2 ? G_MAXUINT : 0);
  }
}
GST_END_TEST

static Suite *
cencencrypt_titles_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-titles");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, period_setup, period_teardown);
  tcase_add_test (tcase, test_other_kind);
  tcase_add_test (tcase, test_clear_track);
  tcase_add_test (tcase, test_times_begin_anew);
  tcase_add_test (tcase, test_moov_again);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_titles);
