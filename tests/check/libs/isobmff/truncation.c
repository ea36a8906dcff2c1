/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each leaf of a moov and of a moof cut off at each of its bytes: either all of
 * it is still understood, or there is an error that says so.
 */

#include "bmff-test.h"

#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-source.h"

static BmffSource *
open_corpus (const gchar *name)
{
  g_autofree gchar *path = g_build_filename (CORPUS_DIR, name, NULL);
  g_autoptr (GBytes) bytes = NULL;
  gchar *data;
  gsize size;

  fail_unless (g_file_get_contents (path, &data, &size, NULL), "%s", path);
  bytes = g_bytes_new_take (data, size);

  return bmff_source_new_bytes (bytes, 0);
}

/* The first box of that type. */
static BmffBox *
read_box (const gchar *name, const gchar *type)
{
  g_autoptr (BmffSource) source = open_corpus (name);
  BmffHeader header;
  guint64 offset = 0;

  for (;;) {
    fail_unless (bmff_source_read_header (source, offset, &header, NULL));
    if (header.type == FCC (type))
      return bmff_source_read_box (source, offset, NULL);
    offset += header.size;
  }
}

/* Leaf @n of the tree, counted in file order. */
static BmffBox *
nth_leaf (BmffBox *box, guint *n)
{
  guint i;

  if (box->children == NULL)
    return (*n)-- == 0 ? box : NULL;
  for (i = 0; i < box->children->len; i++) {
    BmffBox *leaf = nth_leaf (g_ptr_array_index (box->children, i), n);

    if (leaf != NULL)
      return leaf;
  }

  return NULL;
}

static void
assert_result (gconstpointer result, GError *error)
{
  fail_unless ((result != NULL) == (error == NULL));
  if (error != NULL)
    fail_unless (error->domain == BMFF_ERROR && strlen (error->message) > 10);
  g_clear_error (&error);
}

static void
check_groups (const BmffBox *parent)
{
  GError *error = NULL;
  g_autoptr (BmffGroupMap) map =
      bmff_group_map_parse (parent, FCC ("seig"), &error);
  g_autoptr (GBytes) entry = NULL;

  fail_unless (map == NULL || error == NULL);
  g_clear_error (&error);
  entry = bmff_sgpd_get_entry (parent, FCC ("seig"), 1, NULL, &error);
  fail_unless (entry == NULL || error == NULL);
  g_clear_error (&error);
}

/* Takes @moov. */
static gboolean
check_movie (BmffBox *moov)
{
  GError *error = NULL;
  g_autoptr (BmffMovie) movie = bmff_movie_new (moov, &error);
  guint i, good = 0;

  assert_result (movie, error);
  if (movie == NULL)
    return FALSE;
  for (i = 0; i < movie->tracks->len; i++) {
    BmffTrack *track = g_ptr_array_index (movie->tracks, i);
    g_autoptr (BmffSampleTable) table =
        bmff_sample_table_new_from_stbl (track->stbl, &error);

    assert_result (table, g_steal_pointer (&error));
    check_groups (track->stbl);
    good += table != NULL;
  }

  return good == movie->tracks->len;
}

/* Takes @moof. */
static gboolean
check_fragment (BmffBox *moof)
{
  static BmffMovie *movie;
  GError *error = NULL;
  g_autoptr (BmffFragment) fragment = NULL;
  guint i;

  if (movie == NULL)
    movie = bmff_movie_new (read_box ("fragmented", "moov"), NULL);
  fragment = bmff_fragment_new (moof, movie, &error);
  assert_result (fragment, error);
  for (i = 0; fragment != NULL && i < fragment->trafs->len; i++)
    check_groups (((BmffTraf *) g_ptr_array_index (fragment->trafs, i))->box);

  return fragment != NULL;
}

/* How many of the cut trees are refused. */
static guint
cut_everywhere (BmffBox *tree, gboolean (*check) (BmffBox *))
{
  guint n, refused = 0;

  fail_unless (check (bmff_box_copy (tree)));
  for (n = 0;; n++) {
    guint k = n;
    BmffBox *leaf = nth_leaf (tree, &k);
    gsize size;

    if (leaf == NULL)
      break;
    for (size = 0; size < g_bytes_get_size (leaf->payload); size++) {
      BmffBox *copy = bmff_box_copy (tree);
      BmffBox *cut = (k = n, nth_leaf (copy, &k));

      bmff_box_set_payload (cut,
          g_bytes_new_from_bytes (leaf->payload, 0, size));
      refused += !check (test_reparse_at (copy, 1000));
    }
  }
  bmff_box_free (tree);

  return refused;
}

GST_START_TEST (test_cut_moov)
{
  fail_unless (
      cut_everywhere (read_box ("progressive", "moov"), check_movie) > 600);
}

GST_END_TEST;

GST_START_TEST (test_cut_moov_fragmented)
{
  fail_unless (
      cut_everywhere (read_box ("fragmented", "moov"), check_movie) > 400);
}

GST_END_TEST;

GST_START_TEST (test_cut_moof)
{
  fail_unless (
      cut_everywhere (read_box ("fragmented", "moof"), check_fragment) > 140);
}

GST_END_TEST;

static Suite *
isobmff_truncation_suite (void)
{
  Suite *s = suite_create ("isobmff-truncation");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_cut_moov);
  tcase_add_test (tc, test_cut_moov_fragmented);
  tcase_add_test (tc, test_cut_moof);

  return s;
}

GST_CHECK_MAIN (isobmff_truncation);
