/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slice headers of all kinds, by chance: the second slice of a parameter set is
 * counted by code of our own, the first one by the library's; both have to agree
 * on what is a header, where it ends, and what is none.
 */

#include "map-test.h"

/* In place of N_SETS, from the environment: for a long run. */
#define SETS_VARIABLE "CENC_H264_SETS"
#define N_SETS 40
#define N_SLICES 40
#define PAYLOAD 64

typedef struct
{
  GRand *rand;
  gboolean has_chroma, has_fields, cabac, order_present, weighted, redundant,
      filter_control;
  guint order_type, weighted_bi, n0, n1, frame_num_bits, order_bits;
} Sets;

static gboolean
flip (GRand *rand)
{
  return g_rand_boolean (rand);
}

static guint
pick (GRand *rand, guint n)
{
  return (guint) g_rand_int_range (rand, 0, (gint32) n);
}

static gboolean
put_flag (Bits *b, gboolean value)
{
  bits_u (b, 1, value);
  return value;
}

static Bits *
make_sps (Sets *self)
{
  Bits *b = bits_new ();
  guint chroma = pick (self->rand, 3);

  self->has_chroma = chroma > 0;
  self->frame_num_bits = 4 + pick (self->rand, 13);
  self->order_type = pick (self->rand, 3);
  self->order_bits = 4 + pick (self->rand, 13);
  bits_u (b, 24, 100 << 16 | 30);
  bits_ue (b, 0);
  bits_ue (b, chroma);
  bits_ue (b, 0);
  bits_ue (b, 0);
  bits_u (b, 2, 0);
  bits_ue (b, self->frame_num_bits - 4);
  bits_ue (b, self->order_type);
  if (self->order_type == 0)
    bits_ue (b, self->order_bits - 4);
  if (self->order_type == 1) {
    bits_u (b, 1, 0);
    bits_se (b, 0);
    bits_se (b, 0);
    bits_ue (b, 0);
  }
  bits_ue (b, 4);
  bits_u (b, 1, 0);
  bits_ue (b, 39);
  bits_ue (b, 22);
  self->has_fields = !put_flag (b, flip (self->rand));
  if (self->has_fields)
    bits_u (b, 1, 0);
  bits_u (b, 3, 4);
  bits_trail (b);
  return b;
}

static Bits *
make_pps (Sets *self)
{
  Bits *b = bits_new ();

  bits_ue (b, 0);
  bits_ue (b, 0);
  self->cabac = put_flag (b, flip (self->rand));
  self->order_present = put_flag (b, flip (self->rand));
  bits_ue (b, 0);
  self->n0 = pick (self->rand, 4);
  self->n1 = pick (self->rand, 4);
  bits_ue (b, self->n0);
  bits_ue (b, self->n1);
  self->weighted = put_flag (b, flip (self->rand));
  self->weighted_bi = pick (self->rand, 3);
  bits_u (b, 2, self->weighted_bi);
  bits_se (b, 0);
  bits_se (b, 0);
  bits_se (b, 0);
  self->filter_control = put_flag (b, flip (self->rand));
  bits_u (b, 1, 0);
  self->redundant = put_flag (b, flip (self->rand));
  bits_trail (b);
  return b;
}

static void
append_nal (GByteArray *out, guint length_size, guint8 header, const Bits *bits)
{
  g_autoptr (GByteArray) nal = bits_to_nal (bits, &header, 1);

  bits_append_length (out, length_size, nal->len);
  g_byte_array_append (out, nal->data, nal->len);
}

static GByteArray *
make_config (Sets *self)
{
  static const guint8 head[] = { 1, 100, 0, 30, 0xff, 0xe1 }, one = 1;
  GByteArray *avcc = g_byte_array_new ();
  Bits *sps = make_sps (self), *pps = make_pps (self);

  g_byte_array_append (avcc, head, sizeof head);
  append_nal (avcc, 2, 0x67, sps);
  g_byte_array_append (avcc, &one, 1);
  append_nal (avcc, 2, 0x68, pps);
  bits_free (sps);
  bits_free (pps);
  return avcc;
}

/* Now and then more than there may be. */
static void
put_se (const Sets *self, Bits *b, gint max)
{
  bits_se (b, (gint) pick (self->rand, 2 * max + 2) - max);
}

static void
put_modification (const Sets *self, Bits *b)
{
  if (put_flag (b, pick (self->rand, 8) == 0)) {
    bits_ue (b, pick (self->rand, 3));
    bits_ue (b, pick (self->rand, 9));
    bits_ue (b, 3);
  }
}

static void
put_weights (const Sets *self, Bits *b, guint n)
{
  guint i;

  for (; n > 0; n--) {
    if (put_flag (b, flip (self->rand)))
      for (i = 0; i < 2; i++)
        put_se (self, b, 127);
    if (self->has_chroma && put_flag (b, flip (self->rand)))
      for (i = 0; i < 4; i++)
        put_se (self, b, 127);
  }
}

static void
put_references (const Sets *self, Bits *b, gboolean is_b)
{
  guint n0 = self->n0, n1 = self->n1;

  if (is_b)
    bits_u (b, 1, 0);
  if (put_flag (b, flip (self->rand))) {
    bits_ue (b, n0 = pick (self->rand, 5));
    if (is_b)
      bits_ue (b, n1 = pick (self->rand, 5));
  }
  put_modification (self, b);
  if (is_b)
    put_modification (self, b);
  if (is_b ? self->weighted_bi != 1 : !self->weighted)
    return;
  bits_ue (b, pick (self->rand, 9));
  if (self->has_chroma)
    bits_ue (b, pick (self->rand, 8));
  put_weights (self, b, n0 + 1);
  if (is_b)
    put_weights (self, b, n1 + 1);
}

static void
put_order (const Sets *self, Bits *b, gboolean is_field)
{
  if (self->order_type == 0)
    bits_u (b, self->order_bits, g_rand_int (self->rand));
  if (self->order_type == 1)
    put_se (self, b, 300);
  if (self->order_type < 2 && self->order_present && !is_field)
    put_se (self, b, 300);
}

static void
put_marking (const Sets *self, Bits *b, gboolean is_idr)
{
  if (is_idr)
    bits_u (b, 2, 0);
  else if (put_flag (b, pick (self->rand, 8) == 0)) {
    bits_ue (b, pick (self->rand, 7));
    bits_ue (b, pick (self->rand, 30));
    bits_ue (b, 0);
  }
}

static Bits *
make_slice (const Sets *self, guint8 header)
{
  Bits *b = bits_new ();
  guint type = pick (self->rand, 10);
  gboolean is_field = FALSE, is_b = type % 5 == 1;

  bits_ue (b, pick (self->rand, 4) == 0 ? g_rand_int (self->rand) >> 16 : 0);
  bits_ue (b, type);
  bits_ue (b, pick (self->rand, 50) == 0);
  bits_u (b, self->frame_num_bits, g_rand_int (self->rand));
  if (self->has_fields) {
    is_field = put_flag (b, flip (self->rand));
    if (is_field)
      bits_u (b, 1, 0);
  }
  if ((header & 31) == 5)
    bits_ue (b, g_rand_int (self->rand) >> (15 + pick (self->rand, 17)));
  put_order (self, b, is_field);
  if (self->redundant)
    bits_ue (b, pick (self->rand, 130));
  if (type % 5 == 0 || is_b || type % 5 == 3)
    put_references (self, b, is_b);
  if (header & 0x60)
    put_marking (self, b, (header & 31) == 5);
  if (self->cabac && type % 5 != 2 && type % 5 != 4)
    bits_ue (b, pick (self->rand, 4));
  put_se (self, b, 77);
  if (self->filter_control) {
    guint idc = pick (self->rand, 4);

    bits_ue (b, idc);
    if (idc != 1) {
      put_se (self, b, 6);
      put_se (self, b, 6);
    }
  }
  return b;
}

/* What no slice header is, mostly. */
static Bits *
make_noise (const Sets *self)
{
  Bits *b = bits_new ();
  guint i, n = pick (self->rand, 12);

  for (i = 0; i < n; i++)
    bits_u (b, 32, g_rand_int (self->rand) & g_rand_int (self->rand));
  return b;
}

static GByteArray *
make_sample (const Sets *self)
{
  static const guint8 headers[] = { 0x65, 0x25, 0x05, 0x41, 0x61, 0x01, 0x81 };
  GByteArray *sample = g_byte_array_new ();
  guint8 header = headers[pick (self->rand, G_N_ELEMENTS (headers))];
  gboolean noise = pick (self->rand, 4) == 0;
  Bits *slice = noise ? make_noise (self) : make_slice (self, header);
  guint i, n = pick (self->rand, 8) ? PAYLOAD : 0;

  for (i = 0; i < n; i++)
    bits_u (slice, 8, 0xa5);
  append_nal (sample, 4, header, slice);
  bits_free (slice);
  return sample;
}

/* Where the protected range starts; 0: none, -1: refused */
static gint
find_start (Subsampler *subsampler, const GByteArray *sample)
{
  if (!subsampler_map (subsampler, sample->data, sample->len, ranges, NULL))
    return -1;
  return ranges->len > 0 ? (gint) g_array_index (ranges, CencRange, 0).offset
                         : 0;
}

/* A slice by which the subsampler learns which set is in use. */
static void
warm (const Sets *self, Subsampler *subsampler)
{
  g_autoptr (GByteArray) sample = NULL;

  do {
    g_clear_pointer (&sample, g_byte_array_unref);
    sample = make_sample (self);
  } while (find_start (subsampler, sample) <= 0);
}

static void
compare_slices (const Sets *self, Subsampler *subsampler, guint *n_mapped)
{
  guint i;

  for (i = 0; i < N_SLICES; i++) {
    g_autoptr (GByteArray) sample = make_sample (self);
    gint start, again;

    subsampler_reset (subsampler);
    start = find_start (subsampler, sample);
    warm (self, subsampler);
    again = find_start (subsampler, sample);
    fail_unless (start == again, "the library says %d, we say %d", start,
        again);
    *n_mapped += start > 0;
  }
}

GST_START_TEST (test_h264_slices_agree)
{
  const gchar *wanted = g_getenv (SETS_VARIABLE);
  guint n_sets = wanted ? (guint) g_ascii_strtoull (wanted, NULL, 10) : N_SETS;
  guint i, n_mapped = 0;

  for (i = 0; i < n_sets; i++) {
    Sets sets = { g_rand_new_with_seed (i) };
    g_autoptr (Subsampler) subsampler =
        new_subsampler ("avc1", "avcC", make_config (&sets));

    compare_slices (&sets, subsampler, &n_mapped);
    g_rand_free (sets.rand);
  }
  fail_unless (n_mapped > n_sets * N_SLICES / 5, "only %u headers parse",
      n_mapped);
}
GST_END_TEST;

static Suite *
subsample_h264_slices_suite (void)
{
  Suite *s = suite_create ("subsample-h264-slices");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 600);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_h264_slices_agree);
  return s;
}

GST_CHECK_MAIN (subsample_h264_slices);
