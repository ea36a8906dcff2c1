/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other people's protected files, decrypted in memory by this room and nothing
 * else: the digest over all mdat payloads has to be the one that an independent
 * decryptor gave. CENC_VECTORS names the folder; without it, skipped.
 */

#include "gst/cenc/cenc-unprotect.h"

#include "cenc/cenc-cipher.h"

#include <gst/cenc/gstcenckeyring.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define EXIT_SKIPPED 77

enum
{
  COLUMN_FILE,
  COLUMN_SCHEME,
  COLUMN_CODEC,
  COLUMN_FRAGMENTED,
  COLUMN_IV,
  COLUMN_PATTERN,
  COLUMN_KEYS,
  COLUMN_SAMPLES,
  COLUMN_ENCRYPTED,
  COLUMN_DIGEST,
  N_COLUMNS
};

typedef struct
{
  guint8 *data;
  gsize size;
  BmffSource *source;
  BmffMovie *movie;
  GPtrArray *tracks;
  GstCencKeyRing *ring;
  GHashTable *walks; /* KID and mode → Walk */
  guint n_encrypted;
  gboolean hide_senc; /* so that saiz and saio have to do */
} Title;

typedef struct
{
  CencCipher *cipher;
  CencCrypt *crypt;
} Walk;

static const gchar *
vectors_dir (void)
{
  const gchar *dir = g_getenv ("CENC_VECTORS");

  return dir ? dir : CENC_VECTORS_DIR;
}

static void
walk_free (gpointer data)
{
  Walk *walk = data;

  cenc_crypt_free (walk->crypt);
  cenc_cipher_free (walk->cipher);
  g_free (walk);
}

static Walk *
get_walk (Title *title, const CencParams *params, GError **error)
{
  g_autofree gchar *kid = gst_cenc_kid_to_string (params->kid);
  g_autofree gchar *name = g_strdup_printf ("%s %d", kid, params->mode);
  Walk *walk = g_hash_table_lookup (title->walks, name);
  g_autoptr (GstCencKey) key = NULL;

  if (walk)
    return walk;
  key = gst_cenc_key_session_get_key (GST_CENC_KEY_SESSION (title->ring),
      params->kid, GST_CENC_KEY_USE_PLAY, error);
  if (!key)
    return NULL;
  walk = g_new0 (Walk, 1);
  walk->cipher = cenc_cipher_new (key, params->mode, CENC_CIPHER_DECRYPT, NULL);
  walk->crypt = cenc_crypt_new (&cenc_cipher_funcs, walk->cipher, 0);
  g_hash_table_insert (title->walks, g_steal_pointer (&name), walk);
  return walk;
}

static gboolean
decrypt_samples (Title *title, const CencSampleIndex *index, GError **error)
{
  CencSampleCursor cursor;
  CencIndexedSample s;
  GError *local = NULL;

  cenc_sample_cursor_init (&cursor, index, 0);
  while (cenc_sample_cursor_next (&cursor, G_MAXUINT64, &s, &local)) {
    guint8 *data = title->data + s.sample.offset;
    Walk *walk;

    if (!s.params)
      continue;
    title->n_encrypted++;
    fail_unless (s.sample.offset + s.sample.size <= title->size);
    walk = get_walk (title, s.params, error);
    if (!walk ||
        !cenc_crypt_sample (walk->crypt, s.params, &s.aux, data, data,
            s.sample.size, error))
      return FALSE;
  }
  if (!local)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

/* What is left in the patched bytes must not speak of protection any more. */
static gboolean
check_patched (const Title *title, guint64 offset, gsize size, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (title->data + offset, size);
  BmffBox *box = bmff_box_parse (bytes, offset, error);
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (GPtrArray) tracks = NULL;
  guint i;

  if (!box || box->type != BMFF_FOURCC ('m', 'o', 'o', 'v')) {
    g_clear_pointer (&box, bmff_box_free);
    return *error == NULL;
  }
  movie = bmff_movie_new (box, error);
  tracks = movie ? cenc_tracks_new (movie, error) : NULL;
  if (!tracks)
    return FALSE;
  for (i = 0; i < tracks->len; i++)
    fail_if (cenc_track_is_protected (g_ptr_array_index (tracks, i)));
  return TRUE;
}

/* Takes senc boxes out of a tree that has saiz beside them. */
static void
hide_senc (BmffBox *box)
{
  BmffBox *saiz = bmff_box_child (box, BMFF_FOURCC ('s', 'a', 'i', 'z'));
  BmffBox *senc;
  guint i;

  for (i = 0; box->children && i < box->children->len; i++)
    hide_senc (g_ptr_array_index (box->children, i));
  while (
      saiz && (senc = bmff_box_child (box, BMFF_FOURCC ('s', 'e', 'n', 'c'))))
    senc->type = BMFF_FOURCC ('h', 'i', 'd', 'e');
}

static gboolean
do_moov (Title *title, BmffBox *moov, GError **error)
{
  g_autoptr (CencSampleIndex) index = NULL;

  g_clear_pointer (&title->tracks, g_ptr_array_unref);
  g_clear_pointer (&title->movie, bmff_movie_free);
  if (title->hide_senc)
    hide_senc (moov);
  title->movie = bmff_movie_new (moov, error);
  if (!title->movie)
    return FALSE;
  title->tracks = cenc_tracks_new (title->movie, error);
  if (!title->tracks)
    return FALSE;
  index = cenc_sample_index_new_for_movie (title->movie, title->tracks,
      title->source, error);
  return index && decrypt_samples (title, index, error) &&
      cenc_unprotect_boxes (title->movie->moov, title->data + moov->offset,
          moov->parsed_size, error) &&
      check_patched (title, moov->offset, moov->parsed_size, error);
}

static gboolean
do_moof (Title *title, BmffBox *moof, GError **error)
{
  g_autoptr (BmffFragment) fragment = NULL;
  g_autoptr (CencSampleIndex) index = NULL;

  if (title->hide_senc)
    hide_senc (moof);
  fragment = bmff_fragment_new (moof, title->movie, error);

  if (!fragment)
    return FALSE;
  index = cenc_sample_index_new_for_fragment (fragment, title->movie,
      title->tracks, title->source, error);
  return index && decrypt_samples (title, index, error) &&
      cenc_unprotect_boxes (fragment->moof, title->data + moof->offset,
          moof->parsed_size, error) &&
      check_patched (title, moof->offset, moof->parsed_size, error);
}

static gboolean
do_boxes (Title *title, GChecksum *digest, GError **error)
{
  guint pass;

  /* Digests at the end: samples may stand in front of their moov. */
  for (pass = 0; pass < 2; pass++) {
    guint64 offset = 0;
    BmffHeader header;
    GError *local = NULL;

    for (; bmff_source_read_header (title->source, offset, &header, &local);
         offset += header.size) {
      gboolean is_moov = header.type == BMFF_FOURCC ('m', 'o', 'o', 'v');
      gboolean is_moof = header.type == BMFF_FOURCC ('m', 'o', 'o', 'f');

      if (pass == 1 && header.type == BMFF_FOURCC ('m', 'd', 'a', 't'))
        g_checksum_update (digest, title->data + offset + header.header_size,
            (gssize) (header.size - header.header_size));
      if (pass == 0 && (is_moov || is_moof)) {
        BmffBox *box = bmff_source_read_box (title->source, offset, error);

        if (!box)
          return FALSE;
        if (!(is_moov ? do_moov : do_moof) (title, box, error))
          return FALSE;
      }
    }
    if (local) {
      g_propagate_error (error, local);
      return FALSE;
    }
  }
  return TRUE;
}

/* The digest, or NULL with an error. */
static gchar *
decrypt_file (const gchar *path, const gchar *keys, gboolean without_senc,
    guint *n_encrypted, GError **error)
{
  g_autoptr (GChecksum) digest = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GstCencKeyRing) ring = gst_cenc_key_ring_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autofree gchar *contents = NULL;
  Title title = { .ring = ring, .hide_senc = without_senc };
  gboolean ok;

  if (!gst_cenc_key_ring_add_hex (ring, keys, error) ||
      !g_file_get_contents (path, &contents, &title.size, error))
    return NULL;
  /* The source gives the file as it was, while samples change in @data. */
  bytes = g_bytes_new_take (g_steal_pointer (&contents), title.size);
  title.data = g_memdup2 (g_bytes_get_data (bytes, NULL), title.size);
  title.source = bmff_source_new_bytes (bytes, 0);
  title.walks =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, walk_free);
  ok = do_boxes (&title, digest, error);
  *n_encrypted = title.n_encrypted;

  g_hash_table_unref (title.walks);
  bmff_source_free (title.source);
  g_clear_pointer (&title.tracks, g_ptr_array_unref);
  g_clear_pointer (&title.movie, bmff_movie_free);
  g_free (title.data);
  return ok ? g_strdup (g_checksum_get_string (digest)) : NULL;
}

/* NULL if all is well, else what is wrong. */
static gchar *
check_row (gchar **row, gboolean without_senc)
{
  g_autofree gchar *path =
      g_build_filename (vectors_dir (), row[COLUMN_FILE], NULL);
  g_autofree gchar *digest = NULL;
  g_autoptr (GError) error = NULL;
  guint n_encrypted = 0;

  digest =
      decrypt_file (path, row[COLUMN_KEYS], without_senc, &n_encrypted, &error);
  if (!digest)
    return g_strdup_printf ("%s: %s", row[COLUMN_FILE], error->message);
  if (n_encrypted != (guint) g_ascii_strtoull (row[COLUMN_ENCRYPTED], NULL, 10))
    return g_strdup_printf ("%s: %u encrypted samples instead of %s",
        row[COLUMN_FILE], n_encrypted, row[COLUMN_ENCRYPTED]);
  if (g_strcmp0 (digest, row[COLUMN_DIGEST]) != 0)
    return g_strdup_printf ("%s: digest %s", row[COLUMN_FILE], digest);
  return NULL;
}

static gchar **
read_manifest (void)
{
  g_autofree gchar *path =
      g_build_filename (vectors_dir (), "manifest.tsv", NULL);
  gchar *text = NULL, **lines;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  g_free (text);
  return lines;
}

static void
check_all (gboolean without_senc)
{
  g_auto (GStrv) lines = read_manifest ();
  guint i, n = 0, n_bad = 0;

  for (i = 1; lines[i]; i++) {
    g_auto (GStrv) row = g_strsplit (lines[i], "\t", -1);
    g_autofree gchar *problem = NULL;

    if (g_strv_length (row) < N_COLUMNS)
      continue;
    n++;
    problem = check_row (row, without_senc);
    if (problem) {
      g_printerr ("%s\n", problem);
      n_bad++;
    }
  }
  fail_unless (n > 60, "only %u files in the manifest", n);
  fail_unless (n_bad == 0, "%u of %u files", n_bad, n);
}

GST_START_TEST (test_digests)
{
  check_all (FALSE);
}
GST_END_TEST;

/* media3's saio counts from the moof although tfhd has a base data offset. */
GST_START_TEST (test_digests_by_saiz_and_saio)
{
  check_all (TRUE);
}
GST_END_TEST;

/* A wrong key gives another digest: the comparison above can fail. */
GST_START_TEST (test_wrong_key)
{
  g_autofree gchar *path =
      g_build_filename (vectors_dir (), "peer-gpac-prog-cbcs.mp4", NULL);
  g_autofree gchar *digest = NULL;
  g_autoptr (GError) error = NULL;
  guint n;

  digest = decrypt_file (path,
      "a7e61c373e219033c21091fa607bf3b8:101112131415161718191a1b1c1d1e1e,"
      "b7e61c373e219033c21091fa607bf3b9:202122232425262728292a2b2c2d2e2f",
      FALSE, &n, &error);
  fail_unless (digest != NULL);
  fail_if (g_str_equal (digest,
      "1e53adb8ecf9b54229ae8d617d4de306337014b67a367eeac2cef0a3ae6bdf30"));
  g_clear_pointer (&digest, g_free);

  digest = decrypt_file (path,
      "b7e61c373e219033c21091fa607bf3b9:202122232425262728292a2b2c2d2e2f",
      FALSE, &n, &error);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY));
}
GST_END_TEST;

static Suite *
cenc_vectors_suite (void)
{
  Suite *s = suite_create ("cenc-vectors");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_digests);
  tcase_add_test (tc, test_digests_by_saiz_and_saio);
  tcase_add_test (tc, test_wrong_key);
  return s;
}

int
main (int argc, char **argv)
{
  g_auto (GStrv) lines = read_manifest ();

  if (!lines) {
    g_printerr ("skipped: no vectors in %s\n", vectors_dir ());
    return EXIT_SKIPPED;
  }
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (cenc_vectors_suite (), "cenc_vectors", __FILE__);
}
