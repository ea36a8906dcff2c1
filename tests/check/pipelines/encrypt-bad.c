/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencencrypt on files that are broken, cut or have bytes turned over: an error, or a
 * file whose samples, decrypted, are those of the input and were not left clear.
 */

#include "../elements/cencencrypt-judge.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define ENCRYPT "cencencrypt key-id=" JUDGE_KID " key=" JUDGE_KEY " scheme="
#define N_FLIPS 4 /* of each file, without CENC_FLIPS */

static const gchar *schemes[] = { "cenc", "cbcs", "cens", "cbc1" };

static gchar *
vectors_folder (const gchar *name)
{
  const gchar *root = g_getenv ("CENC_VECTORS");

  return g_build_filename (root ? root : CENC_VECTORS_DIR, name, NULL);
}

/* NULL if there was an error. */
static GBytes *
encrypt (const gchar *path, const gchar *between, const gchar *scheme)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *description = g_strconcat ("filesrc location=\"", path,
      "\" ! ", between, ENCRYPT, scheme, " ! appsink name=out", NULL);
  GBytes *out = judge_run (description, &error);

  fail_unless ((out != NULL) == (error == NULL));
  fail_if (error && error->domain == GST_CORE_ERROR, "%s: %s", path,
      error ? error->message : "");
  return out;
}

/* What passed has the input's samples; where the input cannot be read as a whole,
 * there is nothing to compare it with. */
static void
check_passed (GBytes *in, GBytes *out, const gchar *scheme)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tracks = judge_read (in, JUDGE_SENC, &error);
  guint i, n_samples = 0;

  for (i = 0; tracks && i < tracks->len; i++)
    n_samples += ((JudgeTrack *) g_ptr_array_index (tracks, i))->samples->len;
  if (n_samples > 0)
    judge_same_samples (in, out, scheme);
}

static gboolean
try_file (const gchar *path, const gchar *between, const gchar *scheme)
{
  g_autoptr (GBytes) out = encrypt (path, between, scheme);
  gchar *data;
  gsize size;

  if (out) {
    g_autoptr (GBytes) in = NULL;

    fail_unless (g_file_get_contents (path, &data, &size, NULL));
    in = g_bytes_new_take (data, size);
    check_passed (in, out, scheme);
  }
  return out != NULL;
}

GST_START_TEST (test_bad_files)
{
  g_autofree gchar *folder = vectors_folder ("bad");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;
  guint n = 0, n_passed = 0;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    const gchar *scheme = schemes[n % G_N_ELEMENTS (schemes)];

    n_passed += try_file (path, "", scheme);
    n_passed += try_file (path, "queue ! ", scheme);
    n++;
  }
  GST_INFO ("%u runs of %u files passed", n_passed, n);
  fail_unless (!dir || n > 40);
}
GST_END_TEST

/* A copy with some bytes turned over, most of them where the boxes are. */
static gchar *
flipped (GBytes *file, GRand *rand, gboolean anywhere)
{
  gsize size, limit;
  const guint8 *data = g_bytes_get_data (file, &size);
  g_autoptr (GBytes) copy = g_bytes_new_take (g_memdup2 (data, size), size);
  guint8 *bytes = (guint8 *) g_bytes_get_data (copy, NULL);
  guint i;

  limit = anywhere ? size : MIN (size, 4000);
  for (i = 0; i < 3; i++)
    bytes[g_rand_int_range (rand, 0, (gint) limit)] =
        (guint8) g_rand_int_range (rand, 0, 256);
  return judge_write (copy);
}

static void
try_flipped (const gchar *path, GRand *rand, guint n)
{
  gchar *data;
  gsize size;
  g_autoptr (GBytes) file = NULL;
  guint i;

  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  file = g_bytes_new_take (data, size);
  for (i = 0; i < n; i++) {
    g_autofree gchar *copy = flipped (file, rand, i % 3 == 2);

    try_file (copy, i % 4 == 3 ? "queue ! " : "",
        schemes[i % G_N_ELEMENTS (schemes)]);
    g_unlink (copy);
  }
}

GST_START_TEST (test_flipped_bytes)
{
  g_autofree gchar *folder = vectors_folder ("clear");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name, *more = g_getenv ("CENC_FLIPS");
  GRand *rand = g_rand_new_with_seed (more ? g_random_int () : 5);

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    try_flipped (path, rand, more ? (guint) atoi (more) : N_FLIPS);
  }
  g_rand_free (rand);
}
GST_END_TEST

/* Where the last box of that type starts; the type may not be in media data. */
static guint8 *
last_box (guint8 *data, gsize size, const gchar *type)
{
  gsize i;

  for (i = size - 8; i > 0; i--) {
    if (memcmp (data + i + 4, type, 4) == 0)
      return data + i;
  }
  fail ("no %s", type);
  return NULL;
}

/* The last chunk of the sound reaches from the ftyp over the moov. */
static GBytes *
make_overlapping (void)
{
  g_autoptr (GBytes) file = judge_make (
      "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=64 ! x264enc "
      "speed-preset=ultrafast ! h264parse ! mp4mux name=m faststart=true ! "
      "filesink location=%s audiotestsrc num-buffers=3 ! avenc_aac ! aacparse ! m.");
  guint8 *data, *stco, *moov;
  gsize size;

  data = g_bytes_unref_to_data (g_steal_pointer (&file), &size);
  stco = last_box (data, size, "stco");
  moov = last_box (data, size, "moov");
  GST_WRITE_UINT32_BE (stco + bmff_get_u32 (stco) - 4, moov - data - 8);
  return g_bytes_new_take (data, size);
}

/* Of a track that stays clear, too: no block that goes out may reach over a box
 * that is to be another one. */
GST_START_TEST (test_sample_over_moov)
{
  static const gchar *tracks[] = { "cenc", "cenc tracks=video" };
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = NULL;
  g_autofree gchar *description = NULL;

  if (!judge_has_elements ("x264enc h264parse avenc_aac aacparse mp4mux"))
    return;
  file = make_overlapping ();
  path = judge_write (file);
  description = g_strconcat ("filesrc location=", path, " ! ", ENCRYPT,
      tracks[__i__], " ! appsink name=out", NULL);
  fail_if (judge_run (description, &error));
  g_unlink (path);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_DEMUX),
      "%s", error->message);
}
GST_END_TEST

static Suite *
encrypt_bad_suite (void)
{
  Suite *s = suite_create ("encrypt-bad");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_bad_files);
  tcase_add_test (tc, test_flipped_bytes);
  tcase_add_loop_test (tc, test_sample_over_moov, 0, 2);
  return s;
}

GST_CHECK_MAIN (encrypt_bad);
