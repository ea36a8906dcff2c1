/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bmff-test.h"

#include "gst/isobmff/bmff-samples.h"

static BmffBox *
words_box (const gchar *type, GArray *words)
{
  BmffBox *box = bmff_box_new (FCC (type),
      test_words (words->len, (const guint32 *) words->data));

  g_array_unref (words);

  return box;
}

static GArray *
words_new (guint32 flags)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_array_append_val (words, flags);

  return words;
}

static void
words_add (GArray *words, guint32 word)
{
  g_array_append_val (words, word);
}

/* 5 samples of 10..50 bytes in chunks of 2 at 1000, 2000 and (1) 3000 */
static BmffBox *
simple_stbl (void)
{
  BmffBox *stbl = bmff_box_new_container (FCC ("stbl"));

  stbl = test_with (stbl, test_box ("stsz", 0, 0, 5, 10, 20, 30, 40, 50));
  stbl = test_with (stbl, test_box ("stsc", 0, 2, 1, 2, 1, 3, 1, 2));
  stbl = test_with (stbl, test_box ("stco", 0, 3, 1000, 2000, 3000));
  stbl = test_with (stbl, test_box ("stts", 0, 2, 2, 100, 3, 50));

  return stbl;
}

static void
replace (BmffBox *stbl, BmffBox *box)
{
  BmffBox *old = bmff_box_child (stbl, box->type);

  if (old != NULL)
    bmff_box_remove (stbl, old);
  bmff_box_append (stbl, box);
}

static gboolean
sample_equal (const BmffSample *a, const BmffSample *b)
{
  return a->offset == b->offset && a->size == b->size &&
      a->duration == b->duration && a->dts == b->dts &&
      a->composition_offset == b->composition_offset &&
      a->description_index == b->description_index && a->flags == b->flags;
}

GST_START_TEST (test_simple)
{
  static const BmffSample expected[] = {
    { 1000, 10, 100, 0, 7, 1, BMFF_SAMPLE_FLAGS_SYNC },
    { 1010, 20, 100, 100, 7, 1, BMFF_SAMPLE_FLAGS_NON_SYNC },
    { 2000, 30, 50, 200, 7, 1, BMFF_SAMPLE_FLAGS_NON_SYNC },
    { 2030, 40, 50, 250, -1, 1, BMFF_SAMPLE_FLAGS_SYNC },
    { 3000, 50, 50, 300, -1, 2, BMFF_SAMPLE_FLAGS_NON_SYNC },
  };
  g_autoptr (BmffBox) stbl = simple_stbl ();
  g_autoptr (BmffSampleTable) table = NULL;
  GError *error = NULL;
  guint64 start, end;
  guint i;

  /* ctts one short, stss with a number twice and one past the end */
  replace (stbl, test_box ("ctts", 0x01000000, 2, 3, 7, 1, (guint32) -1));
  replace (stbl, test_box ("stss", 0, 4, 1, 4, 4, 9));
  table = bmff_sample_table_new_from_stbl (stbl, &error);
  fail_unless_no_error (error);
  fail_unless_equals_int (bmff_sample_table_get_count (table), 5);
  fail_unless_equals_uint64 (bmff_sample_table_get_total_size (table), 150);
  fail_unless (bmff_sample_table_get_extent (table, &start, &end));
  fail_unless_equals_uint64 (start, expected[0].offset);
  fail_unless_equals_uint64 (end, expected[4].offset + expected[4].size);
  for (i = 0; i < 5; i++) {
    BmffSample s;

    fail_unless (bmff_sample_table_get (table, i, &s));
    fail_unless (sample_equal (&s, &expected[i]), "sample %u", i);
  }
  fail_if (bmff_sample_table_get (table, 5, &(BmffSample){ 0 }));
  fail_if (bmff_sample_table_get (table, G_MAXUINT32, &(BmffSample){ 0 }));
}

GST_END_TEST;

/* An stbl made at random, and its samples one by one. */
typedef struct
{
  BmffBox *stbl;
  GArray *samples;
} RandomTrack;

static guint32
mask_for_bits (guint bits)
{
  return bits == 32 ? 0x3ffff : (1u << bits) - 1;
}

/* @bits of the sizes, 0: constant */
static void
random_sizes (RandomTrack *self, GRand *rand, guint bits)
{
  guint i, n = self->samples->len;
  BmffWriter *w = bmff_writer_new (0);
  guint32 constant = g_rand_int_range (rand, 1, 5000);
  guint8 nibble = 0;

  bmff_writer_u32 (w, 0);
  bmff_writer_u32 (w, bits == 0 ? constant : bits == 32 ? 0 : bits);
  bmff_writer_u32 (w, n);
  for (i = 0; i < n; i++) {
    guint32 size = g_rand_int (rand) & mask_for_bits (bits);

    if (bits == 0)
      size = constant;
    g_array_index (self->samples, BmffSample, i).size = size;
    if (bits == 4 && i % 2 == 0)
      nibble = (guint8) size;
    if (bits == 4 && (i % 2 == 1 || i + 1 == n))
      bmff_writer_u8 (w,
          (guint8) (nibble << 4 | (i % 2 == 1 ? (guint8) size : 0)));
    if (bits == 8)
      bmff_writer_u8 (w, (guint8) size);
    if (bits == 16)
      bmff_writer_u16 (w, (guint16) size);
    if (bits == 32)
      bmff_writer_u32 (w, size);
  }
  bmff_box_append (self->stbl,
      bmff_box_new (FCC (bits == 0 || bits == 32 ? "stsz" : "stz2"),
          bmff_writer_end (w)));
}

static void
random_chunks (RandomTrack *self, GRand *rand, guint max_run, gboolean large)
{
  GArray *stsc = words_new (0), *stco = words_new (0);
  guint32 chunk = 1, left_in_run = 0, samples = 0, description = 1, i = 0;
  guint64 offset = large ? 0xffffff00u : 40;

  words_add (stsc, 0);
  words_add (stco, 0);
  while (i < self->samples->len) {
    guint32 n;

    if (left_in_run == 0) {
      samples = g_rand_int_range (rand, 0, 20);
      description = g_rand_int_range (rand, 1, 4);
      left_in_run = g_rand_int_range (rand, 1, max_run + 1);
      words_add (stsc, chunk);
      words_add (stsc, samples);
      words_add (stsc, description);
      g_array_index (stsc, guint32, 1)++;
    }
    if (large)
      words_add (stco, (guint32) (offset >> 32));
    words_add (stco, (guint32) offset);
    g_array_index (stco, guint32, 1)++;
    for (n = 0; n < samples && i < self->samples->len; n++, i++) {
      BmffSample *s = &g_array_index (self->samples, BmffSample, i);

      s->offset = offset;
      s->description_index = description;
      offset += s->size;
    }
    offset += g_rand_int_range (rand, 0, 3) * 100;
    chunk++;
    left_in_run--;
  }
  bmff_box_append (self->stbl, words_box ("stsc", stsc));
  bmff_box_append (self->stbl, words_box (large ? "co64" : "stco", stco));
}

static void
random_times (RandomTrack *self, GRand *rand, gboolean ctts)
{
  GArray *words = words_new (ctts ? 0x01000000 : 0);
  guint32 left = 0, value = 0, i;
  guint64 dts = 0;

  words_add (words, 0);
  for (i = 0; i < self->samples->len; i++) {
    BmffSample *s = &g_array_index (self->samples, BmffSample, i);

    while (left == 0) {
      left = g_rand_int_range (rand, 0, 5);
      value = g_rand_int_range (rand, ctts ? -100 : 0, 100);
      words_add (words, left);
      words_add (words, value);
      g_array_index (words, guint32, 1)++;
    }
    left--;
    if (ctts) {
      s->composition_offset = (gint32) value;
    } else {
      s->duration = value;
      s->dts = dts;
      dts += value;
    }
  }
  bmff_box_append (self->stbl, words_box (ctts ? "ctts" : "stts", words));
}

static void
random_sync (RandomTrack *self, GRand *rand)
{
  GArray *words = words_new (0);
  guint32 i;

  words_add (words, 0);
  for (i = 0; i < self->samples->len; i++) {
    BmffSample *s = &g_array_index (self->samples, BmffSample, i);

    s->flags = BMFF_SAMPLE_FLAGS_NON_SYNC;
    if (g_rand_int_range (rand, 0, 3) > 0)
      continue;
    s->flags = BMFF_SAMPLE_FLAGS_SYNC;
    words_add (words, i + 1);
    g_array_index (words, guint32, 1)++;
  }
  bmff_box_append (self->stbl, words_box ("stss", words));
}

static void
random_track_init (RandomTrack *self, GRand *rand, guint n, guint bits,
    gboolean large)
{
  guint i;

  self->stbl = bmff_box_new_container (FCC ("stbl"));
  self->samples = g_array_new (FALSE, TRUE, sizeof (BmffSample));
  g_array_set_size (self->samples, n);
  random_sizes (self, rand, bits);
  random_chunks (self, rand, large ? 1 : 40, large);
  random_times (self, rand, FALSE);
  if (bits != 8)
    random_times (self, rand, TRUE);
  if (bits != 16)
    random_sync (self, rand);
  else
    for (i = 0; i < n; i++)
      g_array_index (self->samples, BmffSample, i).flags =
          BMFF_SAMPLE_FLAGS_SYNC;
}

static void
random_track_clear (RandomTrack *self)
{
  bmff_box_free (self->stbl);
  g_array_unref (self->samples);
}

/* Not fail_unless() each time, which costs more than what it checks. */
static void
assert_next (BmffSampleCursor *cursor, GArray *samples, guint i)
{
  BmffSample s;

  if (!bmff_sample_cursor_next (cursor, &s) ||
      !sample_equal (&s, &g_array_index (samples, BmffSample, i)))
    fail ("sample %u", i);
}

static void
assert_table (const BmffSampleTable *table, GArray *samples)
{
  BmffSampleCursor cursor;
  BmffSample s;
  guint i;
  guint64 total = 0;

  fail_unless_equals_int (bmff_sample_table_get_count (table), samples->len);
  bmff_sample_cursor_init (&cursor, table, 0);
  for (i = 0; i < samples->len; i++) {
    assert_next (&cursor, samples, i);
    total += g_array_index (samples, BmffSample, i).size;
  }
  fail_if (bmff_sample_cursor_next (&cursor, &s));
  fail_unless_equals_uint64 (bmff_sample_table_get_total_size (table), total);
  for (i = 0; i < samples->len; i += 7) {
    /* Set anywhere, and on from there. */
    bmff_sample_cursor_init (&cursor, table, i);
    assert_next (&cursor, samples, i);
    if (i + 1 < samples->len)
      assert_next (&cursor, samples, i + 1);
  }
}

static void
assert_find_dts (const BmffSampleTable *table, GArray *samples)
{
  guint64 dts, end = g_array_index (samples, BmffSample, samples->len - 1).dts;
  guint expected = 0;

  for (dts = 0; dts <= end + 3; dts += 3) {
    while (expected + 1 < samples->len &&
        g_array_index (samples, BmffSample, expected + 1).dts <= dts)
      expected++;
    if (bmff_sample_table_find_dts (table, dts) != expected)
      fail ("dts %" G_GUINT64_FORMAT, dts);
  }
  fail_unless_equals_int (bmff_sample_table_find_dts (table, G_MAXUINT64),
      samples->len - 1);
}

GST_START_TEST (test_random)
{
  static const guint bits[] = { 0, 4, 8, 16, 32 };
  static const guint counts[] = { 1, 2, 255, 256, 257, 1024, 5001 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (__i__ + 1);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (counts); i++) {
    RandomTrack track;
    GError *error = NULL;
    g_autoptr (BmffSampleTable) table = NULL;
    g_autoptr (BmffSampleTable) array = NULL;

    random_track_init (&track, rand, counts[i], bits[__i__ % 5],
        __i__ % 2 == 1);
    table = bmff_sample_table_new_from_stbl (track.stbl, &error);
    fail_unless_no_error (error);
    array = bmff_sample_table_new_take (g_array_ref (track.samples));
    assert_table (table, track.samples);
    assert_table (array, track.samples);
    assert_find_dts (table, track.samples);
    assert_find_dts (array, track.samples);
    random_track_clear (&track);
  }
}

GST_END_TEST;

/* 2^32 - 1 samples in 100 bytes of file cost neither time nor memory. */
GST_START_TEST (test_constants_stay_constants)
{
  g_autoptr (BmffBox) stbl = bmff_box_new_container (FCC ("stbl"));
  g_autoptr (BmffSampleTable) table = NULL;
  GError *error = NULL;
  BmffSample s;

  replace (stbl, test_box ("stsz", 0, 4, G_MAXUINT32));
  replace (stbl, test_box ("stsc", 0, 1, 1, G_MAXUINT32, 1));
  replace (stbl, test_box ("stco", 0, 1, 16));
  replace (stbl, test_box ("stts", 0, 1, 1, 2));
  table = bmff_sample_table_new_from_stbl (stbl, &error);
  fail_unless_no_error (error);
  fail_unless (bmff_sample_table_get (table, G_MAXUINT32 - 1, &s));
  fail_unless_equals_uint64 (s.offset, 16 + 4 * (guint64) (G_MAXUINT32 - 1));
  fail_unless_equals_uint64 (s.dts, 2 * (guint64) (G_MAXUINT32 - 1));
  fail_unless_equals_int (bmff_sample_table_find_dts (table, 0x100000001ull),
      0x80000000u);
}

GST_END_TEST;

GST_START_TEST (test_empty)
{
  g_autoptr (BmffBox) none = bmff_box_new_container (FCC ("stbl"));
  g_autoptr (BmffBox) zeros = bmff_box_new_container (FCC ("stbl"));
  GError *error = NULL;
  g_autoptr (BmffSampleTable) a = NULL;
  g_autoptr (BmffSampleTable) b = NULL;
  BmffSample s;

  replace (zeros, test_box ("stsz", 0, 0, 0));
  replace (zeros, test_box ("stsc", 0, 0));
  replace (zeros, test_box ("stco", 0, 0));
  replace (zeros, test_box ("stts", 0, 0));
  a = bmff_sample_table_new_from_stbl (none, &error);
  fail_unless_no_error (error);
  b = bmff_sample_table_new_from_stbl (zeros, &error);
  fail_unless_no_error (error);
  fail_if (bmff_sample_table_get (a, 0, &s));
  fail_if (bmff_sample_table_get (b, 0, &s));
  fail_unless_equals_int (bmff_sample_table_find_dts (b, 5), 0);
}

GST_END_TEST;

/* A table keeps what it reads from, whatever becomes of the box. */
GST_START_TEST (test_outlives_box)
{
  BmffBox *stbl = simple_stbl ();
  g_autoptr (BmffSampleTable) table =
      bmff_sample_table_new_from_stbl (stbl, NULL);
  guint8 *stco =
      bmff_box_edit_payload (bmff_box_child (stbl, FCC ("stco")), NULL);
  BmffSample s;

  bmff_put_u32 (stco + 8, 7);
  bmff_box_free (stbl);
  fail_unless (bmff_sample_table_get (table, 0, &s));
  fail_unless_equals_uint64 (s.offset, 1000);
}

GST_END_TEST;

static void
assert_bad (BmffBox *box, BmffError code, const gchar *message)
{
  g_autoptr (BmffBox) stbl = simple_stbl ();
  GError *error = NULL;

  replace (stbl, box);
  fail_unless (bmff_sample_table_new_from_stbl (stbl, &error) == NULL);
  fail_unless_error (error, code, message);
}

GST_START_TEST (test_truncated)
{
  assert_bad (test_box ("stsz", 0, 0, 6, 1, 2, 3, 4, 5), BMFF_ERROR_TRUNCATED,
      "stsz: 6 entries are declared");
  assert_bad (test_box ("stsz", 0, 0, G_MAXUINT32, 1), BMFF_ERROR_TRUNCATED,
      "stsz: 4294967295 entries");
  assert_bad (test_box ("stsz", 0, 0), BMFF_ERROR_TRUNCATED, "stsz");
  assert_bad (test_box ("stsc", 0, 2, 1, 2, 1, 3, 1), BMFF_ERROR_TRUNCATED,
      "stsc");
  assert_bad (test_box ("stco", 0, 3, 1, 2), BMFF_ERROR_TRUNCATED, "stco");
  assert_bad (test_box ("stts", 0, 0x40000000, 3, 3), BMFF_ERROR_TRUNCATED,
      "stts");
  assert_bad (test_box ("ctts", 0), BMFF_ERROR_TRUNCATED, "ctts");
  assert_bad (test_box ("stss", 0, 2, 1), BMFF_ERROR_TRUNCATED, "stss");
}

GST_END_TEST;

GST_START_TEST (test_contradictions)
{
  assert_bad (test_box ("stco", 0, 2, 1000, 2000), BMFF_ERROR_INVALID,
      "stsz: 5 samples, but the chunks hold 4");
  assert_bad (test_box ("stco", 0, 0), BMFF_ERROR_INVALID, "chunks hold 0");
  assert_bad (test_box ("stsc", 0, 1, 1, 0, 1), BMFF_ERROR_INVALID,
      "chunks hold 0");
  assert_bad (test_box ("stsc", 0, 1, 2, 9, 1), BMFF_ERROR_INVALID,
      "entry 0 starts at chunk 2");
  assert_bad (test_box ("stsc", 0, 2, 1, 1, 1, 1, 9, 1), BMFF_ERROR_INVALID,
      "entry 1 starts at chunk 1");
  assert_bad (test_box ("stsc", 0, 2, 1, 1, 1, 0, 9, 1), BMFF_ERROR_INVALID,
      "entry 1 starts at chunk 0");
  assert_bad (test_box ("stsc", 0, 1, 1, 9, 0), BMFF_ERROR_INVALID,
      "sample entry 0");
  assert_bad (test_box ("stts", 0, 0), BMFF_ERROR_INVALID, "no durations");
  assert_bad (test_box ("stts", 0, 1, 0, 7), BMFF_ERROR_INVALID,
      "no durations");
  assert_bad (test_box ("stss", 0, 2, 3, 2), BMFF_ERROR_INVALID,
      "stss: entry 1 names sample 2");
  assert_bad (test_box ("stss", 0, 1, 0), BMFF_ERROR_INVALID, "names sample 0");
}

GST_END_TEST;

GST_START_TEST (test_overflows)
{
  g_autoptr (BmffBox) stbl = bmff_box_new_container (FCC ("stbl"));
  GError *error = NULL;

  replace (stbl, test_box ("stsz", 0, 10, 1));
  replace (stbl, test_box ("stsc", 0, 1, 1, 1, 1));
  replace (stbl, test_box ("co64", 0, 1, 0x7fffffff, 0xfffffff6));
  replace (stbl, test_box ("stts", 0, 1, 1, 2));
  fail_unless (bmff_sample_table_new_from_stbl (stbl, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_INVALID, "co64: chunk 1 lies at");
  replace (stbl, test_box ("stsz", 0, G_MAXUINT32, G_MAXUINT32));
  replace (stbl, test_box ("stsc", 0, 1, 1, G_MAXUINT32, 1));
  replace (stbl, test_box ("stts", 0, 1, G_MAXUINT32, G_MAXUINT32));
  fail_unless (bmff_sample_table_new_from_stbl (stbl, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_INVALID, "stsz: samples of");
  replace (stbl, test_box ("stsz", 0, 1, G_MAXUINT32));
  fail_unless (bmff_sample_table_new_from_stbl (stbl, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_INVALID, "stts: a duration of");
  bmff_box_remove (stbl, bmff_box_child (stbl, FCC ("stsz")));
  fail_unless (bmff_sample_table_new_from_stbl (stbl, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_INVALID, "neither stsz nor stz2");
  replace (stbl, test_box ("stz2", 0, 5, 1, 0));
  fail_unless (bmff_sample_table_new_from_stbl (stbl, &error) == NULL);
  fail_unless_error (error, BMFF_ERROR_INVALID, "field size of 5 bits");
}

GST_END_TEST;

/* In files of the field: an stsc entry for a chunk that is not there, more room
 * in the last chunk than samples, an stts that is too long. */
GST_START_TEST (test_harmless)
{
  g_autoptr (BmffBox) stbl = simple_stbl ();
  g_autoptr (BmffSampleTable) table = NULL;
  GError *error = NULL;
  BmffSample s;

  replace (stbl, test_box ("stsc", 0, 2, 1, 2, 1, 9, 5, 1));
  replace (stbl, test_box ("stts", 0, 3, 4, 100, 4, 50, 7, 7));
  table = bmff_sample_table_new_from_stbl (stbl, &error);
  fail_unless_no_error (error);
  fail_unless (bmff_sample_table_get (table, 4, &s));
  fail_unless (s.offset == 3000 && s.dts == 400 && s.duration == 50);
  fail_unless_equals_int (bmff_sample_table_find_dts (table, 1000), 4);
}

GST_END_TEST;

/* Other sample entries for the first samples: nothing else changes, and the table
 * that was made before stays as it was. */
GST_START_TEST (test_redescribe)
{
  static const guint counts[] = { 1, 2, 257, 1024 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (__i__ + 1);
  guint i, k;

  for (i = 0; i < G_N_ELEMENTS (counts); i++) {
    guint n =
        __i__ % 3 == 0 ? counts[i] : g_rand_int_range (rand, 0, counts[i]);
    RandomTrack track;
    GError *error = NULL;
    g_autoptr (BmffSampleTable) before = NULL;
    g_autoptr (BmffSampleTable) after = NULL;

    random_track_init (&track, rand, counts[i], 32, __i__ % 2);
    before = bmff_sample_table_new_from_stbl (track.stbl, &error);
    fail_unless_no_error (error);
    fail_unless (bmff_stbl_redescribe (track.stbl, before, n, 7, &error));
    after = bmff_sample_table_new_from_stbl (track.stbl, &error);
    fail_unless_no_error (error);
    assert_table (before, track.samples);
    for (k = 0; k < n; k++)
      g_array_index (track.samples, BmffSample, k).description_index += 7;
    assert_table (after, track.samples);
    random_track_clear (&track);
  }
}

GST_END_TEST;

/* A chunk of two kinds becomes two, of which the second starts behind 32 bits. */
GST_START_TEST (test_redescribe_to_64_bits)
{
  g_autoptr (BmffBox) stbl = simple_stbl ();
  g_autoptr (BmffSampleTable) before = NULL;
  g_autoptr (BmffSampleTable) after = NULL;
  GError *error = NULL;
  BmffSample s;

  replace (stbl, test_box ("stco", 0, 3, 1000, (guint32) -1, 3000));
  before = bmff_sample_table_new_from_stbl (stbl, &error);
  fail_unless (bmff_stbl_redescribe (stbl, before, 3, 2, &error));
  fail_if (bmff_box_child (stbl, FCC ("stco")));
  after = bmff_sample_table_new_from_stbl (stbl, &error);
  fail_unless_no_error (error);
  fail_unless (bmff_sample_table_get (after, 3, &s));
  fail_unless_equals_uint64 (s.offset, 0xffffffffull + 30);
  fail_unless_equals_int (s.description_index, 1);
  fail_unless (bmff_sample_table_get (after, 2, &s));
  fail_unless_equals_int (s.description_index, 3);
}

GST_END_TEST;

static Suite *
isobmff_samples_suite (void)
{
  Suite *s = suite_create ("isobmff-samples");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_simple);
  tcase_add_loop_test (tc, test_random, 0, 10);
  tcase_add_loop_test (tc, test_redescribe, 0, 6);
  tcase_add_test (tc, test_redescribe_to_64_bits);
  tcase_add_test (tc, test_constants_stay_constants);
  tcase_add_test (tc, test_empty);
  tcase_add_test (tc, test_outlives_box);
  tcase_add_test (tc, test_truncated);
  tcase_add_test (tc, test_contradictions);
  tcase_add_test (tc, test_overflows);
  tcase_add_test (tc, test_harmless);

  return s;
}

GST_CHECK_MAIN (isobmff_samples);
