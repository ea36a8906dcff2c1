/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One damaged name at a time: whatever box it is that is not known any more, what
 * comes out is right, or there is an error. It is never ciphertext. */

#include "decrypt-util.h"

#include <glib/gstdio.h>
#include <string.h>

#define UNKNOWN "xyzw"

/* Fields in front of a box's children; -1 for one that has none. */
static gint
fields_of (const guint8 *box)
{
  static const struct
  {
    gchar type[5];
    gint fields;
  } containers[] = { { "moov", 0 }, { "trak", 0 }, { "mdia", 0 }, { "minf", 0 },
    { "stbl", 0 }, { "mvex", 0 }, { "moof", 0 }, { "traf", 0 }, { "sinf", 0 },
    { "schi", 0 }, { "stsd", 8 }, { "encv", 78 }, { "enca", 28 } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (containers); i++) {
    if (memcmp (box + 4, containers[i].type, 4) == 0)
      return containers[i].fields;
  }
  return -1;
}

/* Adds where the names of the boxes from @pos to @end stand, but for media data. */
static void
find_names (const GByteArray *file, gsize pos, gsize end, GArray *names)
{
  while (pos + 8 <= end) {
    const guint8 *box = file->data + pos;
    gsize size = GST_READ_UINT32_BE (box), name = pos + 4;
    gint fields = fields_of (box);

    if (size < 8 || size > end - pos)
      return;
    if (memcmp (box + 4, "mdat", 4) != 0)
      g_array_append_val (names, name);
    if (fields >= 0)
      find_names (file, pos + 8 + (gsize) fields, pos + size, names);
    pos += size;
  }
}

static gchar *
write_file (const GByteArray *file)
{
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("cencdecrypt-XXXXXX.mp4", &path, NULL);

  fail_unless (fd >= 0);
  fail_unless (g_close (fd, NULL));
  fail_unless (
      g_file_set_contents (path, (const gchar *) file->data, file->len, NULL));
  return path;
}

/* Whether the file comes out right; FALSE for an error. */
static gboolean
comes_out_right (const Vector *vector, const gchar *path, const gchar *upstream,
    const gchar *name)
{
  gchar *launch =
      g_strdup_printf ("filesrc location=%s %s ! cencdecrypt keys=%s ! "
                       "fakesink name=sink async=false",
          path, upstream, vector->keys);
  GError *error = NULL;
  GByteArray *data = pipeline_collect (launch, &error);
  gchar *digest;

  g_free (launch);
  if (!data) {
    g_clear_error (&error);
    return FALSE;
  }
  digest = mdat_digest (data->data, data->len);
  fail_unless (g_str_equal (digest, vector->sha256),
      "%s: ciphertext, after %s was renamed", vector->file, name);
  g_free (digest);
  g_byte_array_unref (data);
  return TRUE;
}

static void
check_renamed (const Vector *vector, const gchar *upstream, GByteArray *file,
    gsize at)
{
  gchar name[5] = { 0 }, *path;
  gboolean right;

  memcpy (name, file->data + at, 4);
  memcpy (file->data + at, UNKNOWN, 4);
  path = write_file (file);
  right = comes_out_right (vector, path, upstream, name);
  memcpy (file->data + at, name, 4);
  /* What says nothing of the samples takes nothing with it. */
  fail_if (!right && (g_str_equal (name, "ftyp") || g_str_equal (name, "sidx")),
      "%s: no output without %s", vector->file, name);
  g_unlink (path);
  g_free (path);
}

/* A moof that is compressed (ISO/IEC 14496-12:2022, 8.19), as GPAC writes it, has
 * no mfhd to see; and cannot be read. */
static void
check_compressed (const Vector *vector, const gchar *upstream, GByteArray *file,
    const GArray *names)
{
  guint8 before[16];
  gchar *path;
  guint i;

  for (i = 0; i < names->len; i++) {
    guint8 *name = file->data + g_array_index (names, gsize, i);

    if (memcmp (name, "moof", 4) != 0)
      continue;
    memcpy (before, name, sizeof before);
    memset (name, 'z', sizeof before);
    memcpy (name, "!mof", 4);
    path = write_file (file);
    memcpy (name, before, sizeof before);
    fail_if (comes_out_right (vector, path, upstream, "!mof"));
    g_unlink (path);
    g_free (path);
    return;
  }
}

static void
check_vector (const Vector *vector, const gchar *upstream)
{
  GByteArray *file = g_byte_array_new ();
  GArray *names = g_array_new (FALSE, FALSE, sizeof (gsize));
  gchar *bytes;
  gsize size;
  guint i;

  fail_unless (g_file_get_contents (vector->path, &bytes, &size, NULL));
  g_byte_array_append (file, (const guint8 *) bytes, (guint) size);
  g_free (bytes);
  find_names (file, 0, size, names);
  fail_unless (names->len > 40);
  for (i = 0; i < names->len && i < 90; i++)
    check_renamed (vector, upstream, file, g_array_index (names, gsize, i));
  check_compressed (vector, upstream, file, names);
  g_array_unref (names);
  g_byte_array_unref (file);
}

static const gchar *const files[] = { "peer-gpac-frag-cbcs.mp4",
  "peer-bento4-frag-PIFF-CTR.mp4", "peer-gpac-prog-cenc.mp4" };

static void
check_file (guint index, const gchar *upstream)
{
  GPtrArray *vectors = vectors_load ();
  guint i;

  for (i = 0; vectors && i < vectors->len; i++) {
    const Vector *vector = g_ptr_array_index (vectors, i);

    if (g_str_equal (vector->file, files[index]))
      check_vector (vector, upstream);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}

GST_START_TEST (test_pull)
{
  check_file ((guint) __i__, "");
}
GST_END_TEST;

GST_START_TEST (test_push)
{
  check_file ((guint) __i__, "! queue");
}
GST_END_TEST;

static Suite *
decrypt_renamed_suite (void)
{
  Suite *s = suite_create ("decrypt-renamed");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_loop_test (tc, test_pull, 0, G_N_ELEMENTS (files));
  tcase_add_loop_test (tc, test_push, 0, G_N_ELEMENTS (files));
  return s;
}

GST_CHECK_MAIN (decrypt_renamed);
