/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A moov that has samples of its own, and fragments behind it, as ffmpeg's
 * `-movflags frag_keyframe` without `empty_moov` writes it. */

#include "cencencrypt-mixed-file.h"

#include <glib/gstdio.h>
#include <string.h>
#include "gst/isobmff/bmff-source.h"

#define ENCRYPT "key-id=" JUDGE_KID " key=" JUDGE_KEY " "

static GBytes *files[N_MIXED_LAYOUTS];

/* Those that can be encrypted. */
static const MixedLayout layouts[] = {
  MIXED_PLAIN,
  MIXED_LED | MIXED_UNTIMED,
  MIXED_SILENT,
  MIXED_APART,
  MIXED_APART | MIXED_SILENT | MIXED_UNTIMED,
};

static void
setup (void)
{
  guint i;

  period_setup ();
  for (i = 0; period_clear && i < N_MIXED_LAYOUTS; i++)
    files[i] = mixed_file_new ((MixedLayout) i);
}

static void
teardown (void)
{
  guint i;

  for (i = 0; i < N_MIXED_LAYOUTS; i++)
    g_clear_pointer (&files[i], g_bytes_unref);
  period_teardown ();
}

/* By place */
static GBytes *
run_file (GBytes *file, const gchar *element)
{
  g_autofree gchar *path = judge_write (file);
  g_autofree gchar *description = g_strconcat ("filesrc location=", path, " ! ",
      element, " ! filesink location=%s", NULL);
  GBytes *out = judge_make (description);

  g_unlink (path);
  return out;
}

static void
same_bytes (const GPtrArray *want, const GPtrArray *have)
{
  guint i;

  fail_unless_equals_int (want->len, have->len);
  for (i = 0; i < want->len; i++)
    fail_unless (g_bytes_equal (want->pdata[i], have->pdata[i]),
        "sample %u is another one", i);
}

static GPtrArray *
read_tracks (GBytes *file)
{
  GPtrArray *tracks = judge_read (file, JUDGE_SENC, NULL);

  fail_unless (tracks);
  fail_unless_equals_int (tracks->len, 2);
  return tracks;
}

static JudgeTrack *
get_track (const GPtrArray *tracks, guint i)
{
  return tracks->pdata[i];
}

/* By cencdecrypt, pulled and pushed */
static void
check_decrypts (GBytes *clear, GBytes *out, const gchar *keys)
{
  static const gchar *between[] = { "", "queue ! " };
  g_autoptr (GPtrArray) want = read_tracks (clear);
  guint i, k;

  for (i = 0; i < G_N_ELEMENTS (between); i++) {
    g_autofree gchar *element =
        g_strconcat (between[i], "cencdecrypt keys=", keys, NULL);
    g_autoptr (GBytes) decrypted = run_file (out, element);
    g_autoptr (GPtrArray) have = read_tracks (decrypted);

    judge_places (decrypted);
    for (k = 0; k < 2; k++) {
      fail_unless_equals_int (get_track (have, k)->scheme, 0);
      same_bytes (get_track (want, k)->samples, get_track (have, k)->samples);
    }
  }
}

/* All are encrypted as the same samples are in fragments: IVs go on from the moov's
 * samples to those of fragments, and none comes twice. */
static void
check_raw (GBytes *out, const gchar *settings, gboolean silent)
{
  g_autoptr (GBytes) fragmented = period_encrypt_good (settings);
  g_autoptr (GPtrArray) want = read_tracks (fragmented);
  g_autoptr (GPtrArray) have = read_tracks (out);

  same_bytes (get_track (want, 0)->raw, get_track (have, 0)->raw);
  if (!silent)
    same_bytes (get_track (want, 1)->raw, get_track (have, 1)->raw);
}

static const gchar *schemes[] = { "cenc", "cens", "cbc1", "cbcs" };

GST_START_TEST (test_layouts)
{
  MixedLayout layout = layouts[__i__];
  const gchar *scheme = schemes[__i__ % 4];
  GBytes *file = files[layout];
  g_autofree gchar *settings = g_strconcat (ENCRYPT IV "scheme=", scheme, NULL);
  g_autofree gchar *pull = g_strconcat ("cencencrypt ", settings, NULL);
  g_autofree gchar *push = g_strconcat ("queue ! cencencrypt ", settings, NULL);
  g_autoptr (GBytes) pulled = NULL;
  g_autoptr (GBytes) pushed = NULL;
  g_autoptr (GBytes) streamed = NULL;

  if (!period_clear)
    return;
  streamed = period_encrypt (settings, file, NULL);
  fail_unless (streamed);
  pulled = run_file (file, pull);
  pushed = run_file (file, push);
  fail_unless (g_bytes_equal (pushed, pulled));
  judge_same_samples (file, pushed, scheme);
  judge_same_samples (file, streamed, scheme);
  judge_places (pushed);
  judge_places (streamed);
  mixed_file_check (file, pushed);
  mixed_file_check (file, streamed);
  check_raw (pushed, settings, layout & MIXED_SILENT);
  check_decrypts (file, pulled, JUDGE_KID ":" JUDGE_KEY);
}
GST_END_TEST

/* A second of it: the pictures of the moov have one sync sample, the first. */
static const struct
{
  const gchar *lead;
  guint n_clear;
} leads[] = {
  { "500000000", 25 },
  { "1000000000", 25 },
  { "1500000000", 50 },
};

GST_START_TEST (test_clear_lead)
{
  guint i, which = (guint) __i__ / 2;
  GBytes *file = files[__i__ % 2 ? MIXED_UNTIMED : MIXED_PLAIN];
  g_autofree gchar *settings =
      g_strconcat (ENCRYPT "scheme=", schemes[__i__ % 4],
          " clear-lead=", leads[which].lead, NULL);
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  g_autoptr (GPtrArray) clear = NULL;

  if (!period_clear)
    return;
  out = period_encrypt (settings, file, NULL);
  fail_unless (out);
  judge_places (out);
  tracks = read_tracks (out);
  clear = read_tracks (file);
  fail_unless_equals_int (get_track (tracks, 0)->kids->len, 100);
  for (i = 0; i < 100; i++)
    fail_unless ((get_track (tracks, 0)->kids->pdata[i] == NULL) ==
            (i < leads[which].n_clear),
        "picture %u", i);
  for (i = 0; i < 2; i++)
    same_bytes (get_track (clear, i)->samples, get_track (tracks, i)->samples);
  check_decrypts (file, out, JUDGE_KID ":" JUDGE_KEY);
}
GST_END_TEST

GST_START_TEST (test_keys_rotate)
{
  const gchar *kids[4];
  g_autofree gchar *settings =
      g_strconcat (BY_SEED "scheme=", schemes[__i__ % 4], NULL);
  GString *keys = g_string_new (NULL);
  GBytes *file = files[__i__ % 2 ? MIXED_UNTIMED : MIXED_APART];
  g_autoptr (GBytes) out = NULL;
  guint i;

  for (i = 0; i < 4; i++) {
    kids[i] = period_derived[i][0];
    g_string_append_printf (keys, "%s%s:%s", i ? "," : "", period_derived[i][0],
        period_derived[i][1]);
  }
  if (period_clear) {
    out = period_encrypt (settings, file, NULL);
    fail_unless (out);
    judge_same_samples (file, out, schemes[__i__ % 4]);
    period_check_pictures (out, kids);
    check_decrypts (file, out, keys->str);
  }
  g_string_free (keys, TRUE);
}
GST_END_TEST

/* A track that stays clear is in the fragments too. */
GST_START_TEST (test_clear_track)
{
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GPtrArray) want = NULL;
  g_autoptr (GPtrArray) have = NULL;
  guint i;

  if (!period_clear)
    return;
  out = period_encrypt (ENCRYPT "tracks=audio", files[MIXED_PLAIN], NULL);
  fail_unless (out);
  mixed_file_check (files[MIXED_PLAIN], out);
  want = read_tracks (files[MIXED_PLAIN]);
  have = read_tracks (out);
  for (i = 0; i < 2; i++) {
    fail_unless ((get_track (have, i)->scheme != 0) == (i == 1));
    same_bytes (get_track (want, i)->samples, get_track (have, i)->samples);
  }
  same_bytes (get_track (want, 0)->samples, get_track (have, 0)->raw);
}
GST_END_TEST

/* Stock qtdemux tells what protects the moov's samples too, now that they are in a
 * fragment, as those of period_clear all are. */
GST_START_TEST (test_behind_demuxer)
{
  static const gchar *known[] = { "cenc", "cbcs" }; /* by qtdemux */
  g_autofree gchar *settings = g_strconcat (ENCRYPT "scheme=", known[__i__ % 2],
      __i__ / 2 ? " clear-lead=1000000000" : "", NULL);
  static const gchar *between[] = { "", "cencdecrypt keys=" KEY_A " ! " };
  g_autoptr (GBytes) out = NULL;
  GBytes *samples[2];
  guint i;

  if (!period_clear || !judge_has_elements ("qtdemux"))
    return;
  out = period_encrypt (settings, files[MIXED_PLAIN], NULL);
  fail_unless (out);
  for (i = 0; i < 2; i++) {
    g_autofree gchar *path = judge_write (i == 0 ? period_clear : out);
    g_autofree gchar *description = g_strconcat ("filesrc location=", path,
        " ! qtdemux name=d d.video_0 ! queue ! ", between[i],
        "filesink location=%s", NULL);

    samples[i] = judge_make (description);
    g_unlink (path);
  }
  fail_unless (g_bytes_equal (samples[0], samples[1]));
  for (i = 0; i < 2; i++)
    g_bytes_unref (samples[i]);
}
GST_END_TEST

static guint64
find (GBytes *file, const gchar *type, guint64 *size)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  BmffHeader header;
  guint64 offset = 0;

  while (bmff_source_read_header (source, offset, &header, NULL) &&
      header.type != FOURCC (type))
    offset += header.size;
  *size = header.size;
  return offset;
}

/* @file with @bytes at @offset, in place of as many, or in front of what stands there. */
static GBytes *
changed (GBytes *file, guint64 offset, const gchar *bytes, guint size,
    gboolean insert)
{
  GByteArray *out = g_byte_array_new ();
  const guint8 *data = g_bytes_get_data (file, NULL);
  guint64 behind = offset + (insert ? 0 : size);

  g_byte_array_append (out, data, (guint) offset);
  g_byte_array_append (out, (const guint8 *) bytes, size);
  g_byte_array_append (out, data + behind,
      (guint) (g_bytes_get_size (file) - behind));
  return g_byte_array_free_to_bytes (out);
}

/* Where in the file the first @type stands, within a box or not. */
static guint64
search (GBytes *file, const gchar *type)
{
  gsize size, i;
  const guint8 *data = g_bytes_get_data (file, &size);

  for (i = 0; i + 4 < size; i++) {
    if (memcmp (data + i, type, 4) == 0)
      return i;
  }
  fail ("no %s", type);
  return 0;
}

static GBytes *
make_odd (guint n)
{
  GBytes *file = files[MIXED_PLAIN];
  guint64 size, offset = find (file, "mdat", &size);

  switch (n) {
    case 0:
      return g_bytes_ref (files[MIXED_LAST]);
    case 1:
      return changed (file, search (file, "mvex"), "free", 4, FALSE);
    case 2:
      return g_bytes_new_from_bytes (file, 0, offset + size - 3000);
    case 3:
      return g_bytes_new_from_bytes (file, 0, offset);
    case 4:
      return changed (file, offset, "\0\0\0\014mdatabcd", 12, TRUE);
    case 5:
      return changed (file, offset + 4, "free", 4, FALSE);
    default:
      return changed (file, offset, "\x20", 1, FALSE);
  }
}

static const struct
{
  gint code;
  const gchar *text;
} odd[] = {
  { GST_STREAM_ERROR_NOT_IMPLEMENTED, "its moov stands behind samples" },
  { GST_STREAM_ERROR_NOT_IMPLEMENTED, "a fragment, and the moov has no mvex" },
  { GST_STREAM_ERROR_DEMUX, "the input ends at offset " },
  { GST_STREAM_ERROR_NOT_IMPLEMENTED, "is in no mdat between the moov and" },
  { GST_STREAM_ERROR_NOT_IMPLEMENTED, "beyond the end of its mdat" },
  { GST_STREAM_ERROR_NOT_IMPLEMENTED, "is in no mdat between the moov and" },
  { GST_STREAM_ERROR_DEMUX, "by place 268435456 are held" },
};

GST_START_TEST (test_refused)
{
  g_autoptr (GBytes) file = NULL;

  if (!period_clear)
    return;
  file = make_odd ((guint) __i__);
  period_check_fails (ENCRYPT, file, GST_STREAM_ERROR, odd[__i__].code,
      odd[__i__].text);
}
GST_END_TEST

/* A chunk of the moov's among the fragments. Of a track that stays clear too. */
GST_START_TEST (test_chunk_among_fragments)
{
  static const gchar *settings[] = { ENCRYPT, ENCRYPT "tracks=audio" };
  g_autoptr (GBytes) file = NULL;
  guint8 offset[4];
  guint64 stco;

  if (!period_clear)
    return;
  stco = search (files[MIXED_PLAIN], "stco");
  bmff_put_u32 (offset, (guint32) g_bytes_get_size (files[MIXED_PLAIN]) - 5000);
  file =
      changed (files[MIXED_PLAIN], stco + 12, (const gchar *) offset, 4, FALSE);
  period_check_fails (settings[__i__], file, GST_STREAM_ERROR,
      GST_STREAM_ERROR_NOT_IMPLEMENTED, "is in no mdat between the moov and");
}
GST_END_TEST

static Suite *
cencencrypt_mixed_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-mixed");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, setup, teardown);
  tcase_set_timeout (tcase, 60);
  tcase_add_loop_test (tcase, test_layouts, 0, G_N_ELEMENTS (layouts));
  tcase_add_loop_test (tcase, test_clear_lead, 0, 6);
  tcase_add_loop_test (tcase, test_keys_rotate, 0, 4);
  tcase_add_test (tcase, test_clear_track);
  tcase_add_loop_test (tcase, test_behind_demuxer, 0, 4);
  tcase_add_loop_test (tcase, test_refused, 0, G_N_ELEMENTS (odd));
  tcase_add_loop_test (tcase, test_chunk_among_fragments, 0, 2);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_mixed);
