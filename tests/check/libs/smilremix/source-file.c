/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-test.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "smilremix/remix-source.h"

#define SIZE 100000u
#define MAX_PARTS 400

typedef struct
{
  gchar *folder;
  gchar *path;
  guint8 content[SIZE];
  RemixSource *source;
  guint8 got[SIZE];
  RemixPart parts[MAX_PARTS];
  guint n;
  gsize used; /* of got */
} Fixture;

static Fixture fixture;

static void
open_source (void)
{
  g_autoptr (RemixPolicy) policy = remix_policy_new (NULL, NULL, NULL);
  g_autofree gchar *uri = NULL;
  GError *error = NULL;
  guint i;

  for (i = 0; i < SIZE; i++)
    fixture.content[i] = (guint8) (i * 2654435761u >> 24);
  fixture.folder = g_dir_make_tmp ("remix-source-XXXXXX", NULL);
  fail_unless (fixture.folder != NULL);
  fixture.path = g_build_filename (fixture.folder, "source", NULL);
  fail_unless (g_file_set_contents (fixture.path,
      (const gchar *) fixture.content, SIZE, NULL));
  uri = g_filename_to_uri (fixture.path, NULL, NULL);
  fixture.source = remix_source_open_file (uri, policy, &error);
  fail_unless_no_error (error);
  fixture.n = 0;
  fixture.used = 0;
}

static void
close_source (void)
{
  remix_source_free (fixture.source);
  g_unlink (fixture.path);
  g_rmdir (fixture.folder);
  g_free (fixture.path);
  g_free (fixture.folder);
}

static void
add (guint64 offset, gsize size)
{
  RemixPart part = { offset, fixture.got + fixture.used, size };

  fail_unless (fixture.n < MAX_PARTS && size <= SIZE - fixture.used);
  fixture.parts[fixture.n++] = part;
  fixture.used += size;
}

/* Reads all parts, compares, and forgets them. */
static void
expect_parts (void)
{
  GError *error = NULL;
  guint i;

  memset (fixture.got, 0, sizeof (fixture.got));
  fail_unless (remix_source_read_parts (fixture.source, fixture.parts,
      fixture.n, NULL, &error));
  fail_unless_no_error (error);
  for (i = 0; i < fixture.n; i++) {
    const RemixPart *part = &fixture.parts[i];

    fail_unless (memcmp (part->dest, fixture.content + part->offset,
                     part->size) == 0,
        "part %u, %" G_GSIZE_FORMAT " bytes at %" G_GUINT64_FORMAT, i,
        part->size, part->offset);
  }
  fixture.n = 0;
  fixture.used = 0;
}

GST_START_TEST (test_parts)
{
  guint i;

  open_source ();
  expect_parts ();
  add (70, 30);
  expect_parts ();
  /* Gaps of none, one, just as many as are read over, one more; and no bytes. */
  add (0, 10);
  add (10, 10);
  add (21, 10);
  add (31 + 4096, 10);
  add (4137 + 4097, 10);
  add (9000, 0);
  add (9000, 5);
  expect_parts ();
  /* Back, twice the same, one in the other. */
  add (50000, 100);
  add (200, 100);
  add (200, 100);
  add (250, 10);
  add (260, 1);
  expect_parts ();
  /* More than one call takes; up to the last byte. */
  for (i = 0; i < 333; i++)
    add (i * 200, 70);
  add (SIZE - 4000, 4000);
  expect_parts ();
  close_source ();
}

GST_END_TEST;

static void
expect_error (RemixError code, const gchar *text)
{
  GError *error = NULL;

  fail_if (remix_source_read_parts (fixture.source, fixture.parts, fixture.n,
      NULL, &error));
  fail_unless_remix_error (error, code, text);
  fixture.n = 0;
  fixture.used = 0;
}

GST_START_TEST (test_behind_the_end)
{
  open_source ();
  add (0, 10);
  add (SIZE - 5, 6);
  expect_error (REMIX_ERROR_READ, "a sample at 99995, of 6 bytes");
  add (0, 10);
  add (G_MAXUINT64, 2);
  expect_error (REMIX_ERROR_READ, "behind the end");
  close_source ();
}

GST_END_TEST;

/* Whichever part it is that is no longer there. */
GST_START_TEST (test_truncated)
{
  open_source ();
  fail_unless_equals_int (truncate (fixture.path, 1000), 0);
  add (0, 10);
  add (20, 10);
  add (2000, 10);
  expect_error (REMIX_ERROR_CHANGED, "has changed");
  add (0, 10);
  add (20, 10);
  expect_error (REMIX_ERROR_CHANGED, "has changed");
  add (0, 10);
  expect_error (REMIX_ERROR_CHANGED, "has changed");
  close_source ();
}

GST_END_TEST;

GST_START_TEST (test_cancelled)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GError *error = NULL;

  open_source ();
  g_cancellable_cancel (cancellable);
  add (0, 10);
  fail_if (remix_source_read_parts (fixture.source, fixture.parts, 1,
      cancellable, &error));
  fail_unless_remix_error (error, REMIX_ERROR_CANCELLED, "cancelled");
  close_source ();
}

GST_END_TEST;

static Suite *
source_file_suite (void)
{
  Suite *suite = suite_create ("smilremix-source-file");
  TCase *tc = tcase_create ("parts");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_parts);
  tcase_add_test (tc, test_behind_the_end);
  tcase_add_test (tc, test_truncated);
  tcase_add_test (tc, test_cancelled);
  return suite;
}

GST_CHECK_MAIN (source_file);
