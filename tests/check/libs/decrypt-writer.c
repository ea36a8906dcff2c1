/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file's writer tells of it. */

#include "cenc/decrypt-writer.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define OLD_OWNER "https://github.com/google/shaka-packager"
#define OWNER "https://github.com/shaka-project/shaka-packager"
#define CHANGED G_GINT64_CONSTANT (1535498908)

typedef struct
{
  const gchar *owner, *version;
  gint64 created;
  gboolean clear;
} Case;

static const Case cases[] = {
  { OLD_OWNER, "v2.0.2-16fddbe-release", 0, TRUE },
  { OLD_OWNER, "v2.2.1-d3b3bfa-release", CHANGED + 1, TRUE },
  { OLD_OWNER, "v1.6.2", 0, TRUE },
  { OLD_OWNER, "v2.3.0-5bf8ad5-release", CHANGED - 1, FALSE },
  { OLD_OWNER, "v2.10.0", 0, FALSE },
  { OWNER, "v3.4.2-c819dea-release", 1, FALSE },
  { OWNER, "v20.1", 1, FALSE },
  /* A commit's name */
  { OLD_OWNER, "dddbb19701-debug", CHANGED - 1, TRUE },
  { OLD_OWNER, "dddbb19701-debug", CHANGED, FALSE },
  { OLD_OWNER, "dddbb19701-debug", 0, FALSE },
  { OLD_OWNER, "v2", CHANGED - 1, TRUE },
  { OLD_OWNER, "v2", 0, FALSE },
  { OLD_OWNER, "v.1", 0, FALSE },
  { OWNER, "", 0, FALSE },
  /* Others */
  { "https://example.org/other-packager", "v1.0", 1, FALSE },
  { "", "v1.0", 1, FALSE },
  { NULL, "v1.0", 1, FALSE },
};

static CencCryptFlags
get_wanted (const Case *c)
{
  return c->clear ? CENC_CRYPT_CLEAR_CUT_RUNS : CENC_CRYPT_FLAGS_NONE;
}

GST_START_TEST (test_rules)
{
  const Case *c = &cases[__i__];

  fail_unless_equals_int (decrypt_writer_get_flags (c->owner, c->version,
                              strlen (c->version), c->created),
      get_wanted (c));
}
GST_END_TEST;

/*
 * A moov
 */

static void
append_u32 (GByteArray *data, guint32 value)
{
  guint32 bits = GUINT32_TO_BE (value);

  g_byte_array_append (data, (const guint8 *) &bits, 4);
}

static void
append_text (GByteArray *data, const gchar *text, gsize size)
{
  g_byte_array_append (data, (const guint8 *) text, (guint) size);
}

/* (transfer full): of a frame that says so, behind one of another name */
static GByteArray *
make_id3 (const Case *c)
{
  GByteArray *data = g_byte_array_new ();
  gsize size = strlen (c->owner) + 1 + strlen (c->version);

  append_text (data, "ID3\4\0\0", 6);
  append_u32 (data, 0);
  append_text (data, "TIT2\0\0\0\2\0\0\3A", 12);
  append_text (data, "PRIV", 4);
  append_u32 (data, (guint32) (size / 128 << 8 | size % 128));
  append_text (data, "\0\0", 2);
  append_text (data, c->owner, strlen (c->owner) + 1);
  append_text (data, c->version, strlen (c->version));
  return data;
}

/* (transfer full): a moov of a mvhd and a meta, cut off in the latter's ID32 so
 * that @cut bytes of it are missing */
static BmffMovie *
make_movie (const Case *c, guint cut)
{
  g_autoptr (GByteArray) id3 = make_id3 (c), moov = g_byte_array_new ();
  guint id32_size = 14 + id3->len - cut;
  g_autoptr (GBytes) bytes = NULL;
  BmffMovie *movie;
  BmffBox *box;

  append_u32 (moov, 8 + 20 + 12 + 10 + id32_size);
  append_text (moov, "moov\0\0\0\24mvhd\0\0\0\0", 16);
  append_u32 (moov, c->created > 0 ? (guint32) (c->created + 2082844800) : 0);
  append_u32 (moov, 0);
  append_u32 (moov, 12 + 10 + id32_size);
  append_text (moov, "meta\0\0\0\0\0\0\0\12hdlr\1\2", 18);
  append_u32 (moov, id32_size);
  append_text (moov, "ID32\0\0\0\0\25\307", 10);
  g_byte_array_append (moov, id3->data, id3->len - cut);

  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&moov));
  box = bmff_box_parse (bytes, 0, NULL);
  fail_unless (box != NULL);
  movie = g_new0 (BmffMovie, 1);
  movie->moov = box;
  return movie;
}

static CencCryptFlags
read_movie (const Case *c, guint cut)
{
  BmffMovie *movie = make_movie (c, cut);
  CencCryptFlags flags = decrypt_writer_get_movie_flags (movie);

  bmff_box_free (movie->moov);
  g_free (movie);
  return flags;
}

GST_START_TEST (test_movie)
{
  const Case *c = &cases[__i__];
  guint cut;

  if (!c->owner)
    return;
  fail_unless_equals_int (read_movie (c, 0), get_wanted (c));
  for (cut = (guint) strlen (c->version) + 1; c->clear && cut < 60; cut++)
    fail_unless_equals_int (read_movie (c, cut), CENC_CRYPT_FLAGS_NONE);
}
GST_END_TEST;

/* What is not hidden is as it was; what is, has its place. */
static void
check_hide (const Case *c)
{
  g_autoptr (GBytes) before = NULL, after = NULL;
  BmffMovie *movie;

  movie = make_movie (c, 0);
  before = bmff_box_to_bytes (movie->moov);
  decrypt_writer_hide (movie);
  after = bmff_box_to_bytes (movie->moov);
  fail_unless_equals_int (decrypt_writer_get_movie_flags (movie),
      CENC_CRYPT_FLAGS_NONE);
  fail_unless_equals_uint64 (g_bytes_get_size (after),
      g_bytes_get_size (before));
  fail_unless (g_bytes_equal (before, after) == !c->clear);
  bmff_box_free (movie->moov);
  g_free (movie);
}

GST_START_TEST (test_hide)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    if (cases[i].owner)
      check_hide (&cases[i]);
  }
}
GST_END_TEST;

/*
 * Tags
 */

static CencCryptFlags
read_tags (const Case *c)
{
  g_autoptr (GstTagList) tags = gst_tag_list_new_empty ();
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_wrapped (g_strdup (c->version), strlen (c->version));
  GstStructure *info = gst_structure_new ("ID3PrivateFrame", "owner",
      G_TYPE_STRING, c->owner, NULL);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, NULL, NULL, info);

  gst_tag_list_add (tags, GST_TAG_MERGE_APPEND, GST_TAG_PRIVATE_DATA, sample,
      NULL);
  if (c->created > 0) {
    g_autoptr (GstDateTime) time =
        gst_date_time_new_from_unix_epoch_utc (c->created);

    gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_DATE_TIME, time,
        NULL);
  }
  return decrypt_writer_get_tags_flags (tags);
}

GST_START_TEST (test_tags)
{
  fail_unless_equals_int (read_tags (&cases[__i__]),
      get_wanted (&cases[__i__]));
}
GST_END_TEST;

static Suite *
decrypt_writer_suite (void)
{
  Suite *suite = suite_create ("decrypt-writer");
  TCase *tc = tcase_create ("writer");

  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_rules, 0, G_N_ELEMENTS (cases));
  tcase_add_loop_test (tc, test_movie, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tc, test_hide);
  tcase_add_loop_test (tc, test_tags, 0, G_N_ELEMENTS (cases));
  return suite;
}

GST_CHECK_MAIN (decrypt_writer);
