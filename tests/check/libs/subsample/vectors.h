/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks the samples of other people's files, fragmented and progressive ones,
 * with the subsamples that their `senc` gives.
 */

#pragma once

#include <gst/check/gstcheck.h>

#include "gst/isobmff/bmff-movie.h"
#include "gst/isobmff/bmff-source.h"

typedef struct
{
  BmffTrack *track;
  BmffBox *entry; /* the first sample entry, as it stands in the file */
  guint32 codec; /* its type, or its frma's */
  guint32 index; /* of the sample, counted over the whole file */
  const guint8 *data;
  gsize size;
  gboolean has_aux; /* has an entry in a senc */
  const guint8 *subsamples; /* 6 bytes each; NULL if there are none */
  guint n_subsamples;
} TestSample;

typedef void (*TestSampleFunc) (const TestSample *sample, gpointer user_data);

static inline const gchar *
test_vectors_dir (void)
{
  const gchar *dir = g_getenv ("CENC_VECTORS");

  return dir != NULL ? dir : CENC_VECTORS_DIR;
}

/* FALSE, with a message, if the folder is not there. */
static inline gboolean
test_have_vectors (void)
{
  if (g_file_test (test_vectors_dir (), G_FILE_TEST_IS_DIR))
    return TRUE;
  g_printerr ("no vectors in %s: skipped\n", test_vectors_dir ());
  return FALSE;
}

/* Paths of the .mp4 files in @folder. */
static inline GPtrArray *
test_list_files (const gchar *folder)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  fail_unless (dir != NULL, "%s", folder);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".mp4"))
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_dir_close (dir);
  return paths;
}

/* The same, in a folder of the vectors. */
static inline GPtrArray *
test_list_vectors (const gchar *folder)
{
  g_autofree gchar *path = g_build_filename (test_vectors_dir (), folder, NULL);

  return test_list_files (path);
}

static inline guint
test_tenc_iv_size (const BmffBox *entry)
{
  const BmffBox *tenc = bmff_box_find (entry, "sinf/schi/tenc");
  gsize size;
  const guint8 *data;

  if (tenc == NULL)
    return 8;
  data = g_bytes_get_data (tenc->payload, &size);
  return size > 7 ? data[7] : 8;
}

static inline guint32
test_entry_codec (const BmffBox *entry)
{
  const BmffBox *frma = bmff_box_find (entry, "sinf/frma");
  BmffReader reader;

  if (frma == NULL)
    return entry->type;
  bmff_box_get_reader (frma, &reader);
  return bmff_reader_u32 (&reader);
}

/* The entry as a clear one: of its original type and without its sinf. */
static inline BmffBox *
test_clear_entry (const BmffBox *entry)
{
  BmffBox *clear = bmff_box_copy (entry);
  BmffBox *sinf = bmff_box_child (clear, BMFF_FOURCC ('s', 'i', 'n', 'f'));

  clear->type = test_entry_codec (entry);
  if (sinf != NULL)
    bmff_box_remove (clear, sinf);
  return clear;
}

/* Reads the next sample's entry of a senc (ISO/IEC 23001-7, 7.2). */
static inline void
test_read_senc (BmffReader *senc, guint32 flags, guint iv_size,
    TestSample *sample)
{
  sample->has_aux = TRUE;
  bmff_reader_skip (senc, iv_size);
  sample->n_subsamples = flags & 2 ? bmff_reader_u16 (senc) : 0;
  if (sample->n_subsamples > 0)
    sample->subsamples = bmff_reader_bytes (senc, 6 * sample->n_subsamples);
  fail_unless (bmff_reader_ok (senc));
}

static inline void
test_walk_table (GBytes *file, BmffTrack *track, const BmffSampleTable *table,
    const BmffBox *parent, guint32 *index, TestSampleFunc func,
    gpointer user_data)
{
  const BmffBox *box =
      bmff_box_child (parent, BMFF_FOURCC ('s', 'e', 'n', 'c'));
  TestSample sample = { .track = track };
  BmffSampleCursor cursor;
  BmffSample s;
  BmffReader senc;
  guint32 flags = 0, left = 0;
  gsize size;
  const guint8 *data = g_bytes_get_data (file, &size);

  sample.entry = bmff_track_get_entry (track, 1);
  sample.codec = test_entry_codec (sample.entry);
  if (box != NULL) {
    fail_unless (bmff_box_get_full_reader (box, &senc, NULL, &flags, NULL));
    left = bmff_reader_u32 (&senc);
  }
  bmff_sample_cursor_init (&cursor, table, 0);
  while (bmff_sample_cursor_next (&cursor, &s)) {
    sample.has_aux = FALSE;
    sample.subsamples = NULL;
    sample.n_subsamples = 0;
    if (left > 0) {
      left--;
      test_read_senc (&senc, flags, test_tenc_iv_size (sample.entry), &sample);
    }
    sample.index = (*index)++;
    /* Some vectors are cut off. */
    if (s.offset > size || s.size > size - s.offset)
      continue;
    sample.data = data + s.offset;
    sample.size = s.size;
    func (&sample, user_data);
  }
}

static inline void
test_walk_moof (GBytes *file, BmffMovie *movie, BmffBox *moof, guint32 *index,
    TestSampleFunc func, gpointer user_data)
{
  GError *error = NULL;
  BmffFragment *fragment = bmff_fragment_new (moof, movie, &error);
  guint i;

  fail_unless (fragment != NULL, "%s", error ? error->message : "");
  for (i = 0; i < fragment->trafs->len; i++) {
    BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);

    test_walk_table (file, traf->track, traf->samples, traf->box, index, func,
        user_data);
  }
  bmff_fragment_free (fragment);
}

static inline void
test_walk_moov (GBytes *file, BmffMovie *movie, guint32 *index,
    TestSampleFunc func, gpointer user_data)
{
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    BmffTrack *track = g_ptr_array_index (movie->tracks, i);
    g_autoptr (BmffSampleTable) table =
        bmff_sample_table_new_from_stbl (track->stbl, NULL);

    if (table != NULL)
      test_walk_table (file, track, table, track->stbl, index, func, user_data);
  }
}

/* Calls @func for each sample of @path, tracks in the order of the file. */
static inline void
test_walk_file (const gchar *path, TestSampleFunc func, gpointer user_data)
{
  g_autoptr (BmffMovie) movie = NULL;
  g_autoptr (BmffSource) source = NULL;
  g_autoptr (GBytes) file = NULL;
  GError *error = NULL;
  BmffHeader header;
  gchar *contents;
  gsize size;
  guint64 at;
  guint32 index = 0;

  fail_unless (g_file_get_contents (path, &contents, &size, NULL), "%s", path);
  file = g_bytes_new_take (contents, size);
  source = bmff_source_new_bytes (file, 0);
  for (at = 0;
       bmff_source_read_header (source, at, &header, NULL) && header.size > 0;
       at += header.size) {
    if (header.type == BMFF_FOURCC ('m', 'o', 'o', 'v') && movie == NULL) {
      movie = bmff_movie_new (bmff_source_read_box (source, at, NULL), &error);
      fail_unless (movie != NULL, "%s: %s", path, error ? error->message : "");
      test_walk_moov (file, movie, &index, func, user_data);
    } else if (header.type == BMFF_FOURCC ('m', 'o', 'o', 'f') && movie) {
      test_walk_moof (file, movie, bmff_source_read_box (source, at, NULL),
          &index, func, user_data);
    }
  }
}
