/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of this room share: boxes made from strings and words.
 */

#pragma once

#include "../../error-test.h"

#include "gst/isobmff/bmff-box.h"

#define FCC(s) bmff_get_u32 ((const guint8 *) (s))

#define fail_unless_error(error, the_code, text) \
  fail_unless_error_of (error, BMFF_ERROR, the_code, text)

/* A FullBox's payload: version and flags as one word, then @n words. */
static inline GBytes *
test_words (guint n, const guint32 *words)
{
  BmffWriter *w = bmff_writer_new (4 * n);
  guint i;

  for (i = 0; i < n; i++)
    bmff_writer_u32 (w, words[i]);

  return bmff_writer_end (w);
}

/* A leaf that holds the words. */
#define test_box(type, ...) \
  bmff_box_new (FCC (type), \
      test_words (G_N_ELEMENTS (((guint32[]){ __VA_ARGS__ })), \
          (guint32[]){ __VA_ARGS__ }))

/* Appends @child and gives @parent, so that calls chain. */
static inline BmffBox *
test_with (BmffBox *parent, BmffBox *child)
{
  bmff_box_append (parent, child);

  return parent;
}

/* Writes the tree and parses it: as it came from a file, at @offset. */
static inline BmffBox *
test_reparse_at (BmffBox *box, guint64 offset)
{
  g_autoptr (GBytes) bytes = bmff_box_to_bytes (box);
  GError *error = NULL;
  BmffBox *parsed = bmff_box_parse (bytes, offset, &error);

  fail_unless_no_error (error);
  fail_unless (parsed != NULL);
  bmff_box_free (box);

  return parsed;
}

/* A track with two visual entries, `avc1` of data reference 1 and `hvc1` of 2,
 * in front of what @stbl (nullable) has. 90 kHz, `eng`, 640x360. */
static inline BmffBox *
test_trak (guint32 id, const gchar *handler, BmffBox *stbl)
{
  BmffBox *trak = bmff_box_new_container (FCC ("trak"));
  BmffBox *mdia = bmff_box_new_container (FCC ("mdia"));
  BmffBox *minf = bmff_box_new_container (FCC ("minf"));
  BmffWriter *w = bmff_writer_new (0);
  guint i;

  if (stbl == NULL)
    stbl = bmff_box_new_container (FCC ("stbl"));
  bmff_writer_u32 (w, 0);
  bmff_writer_u32 (w, 2);
  for (i = 1; i <= 2; i++) {
    bmff_writer_begin_box (w, i == 1 ? FCC ("avc1") : FCC ("hvc1"));
    bmff_writer_zeros (w, 6);
    bmff_writer_u16 (w, (guint16) i); /* data reference */
    bmff_writer_zeros (w, 16);
    bmff_writer_u16 (w, 640);
    bmff_writer_u16 (w, 360);
    bmff_writer_zeros (w, 50);
    bmff_writer_end_box (w);
  }
  bmff_box_insert (stbl, 0, bmff_box_new (FCC ("stsd"), bmff_writer_end (w)));
  test_with (trak, test_box ("tkhd", 7, 0, 0, id, 0, 0));
  test_with (mdia, test_box ("mdhd", 0, 0, 0, 90000, 900, 0x15c70000));
  test_with (mdia, test_box ("hdlr", 0, 0, FCC (handler), 0, 0, 0));
  test_with (mdia, test_with (minf, stbl));

  return test_with (trak, mdia);
}

static inline BmffBox *
test_moov (void)
{
  return test_with (bmff_box_new_container (FCC ("moov")),
      test_box ("mvhd", 0, 0, 0, 1000, 10));
}
