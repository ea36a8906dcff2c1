/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole H.266 title through cencencrypt and back, in each layout and both sample
 * entries. vvc-clip.266 are 24 pictures of ffmpeg's testsrc2 (208×120, a slice each),
 * encoded with VVenC. Before GStreamer 1.26, which brings the parser, it is refused.
 */

#define _GNU_SOURCE /* memmem() */

#include "../elements/cencencrypt-judge.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define FOURCC(s) BMFF_FOURCC ((s)[0], (s)[1], (s)[2], (s)[3])
#define KEYS JUDGE_KID ":" JUDGE_KEY
#define SETTINGS "key-id=" JUDGE_KID " key=" JUDGE_KEY " scheme="
#define N_PICTURES 24
#define GROUP 12 /* pictures from one IDR to the next */
#define DURATION 512

#define TYPE_VCL_END 11
#define TYPE_OPI 12
#define TYPE_PPS 16

/* Of each slice NAL unit, up to the slice data: NAL unit, picture and slice header as
 * ffmpeg's trace_headers counts them. */
static const guint8 header_sizes[N_PICTURES] = { 6, 9, 11, 12, 11, 11, 11, 11,
  10, 11, 10, 8, 6, 9, 11, 12, 11, 11, 11, 11, 10, 11, 10, 8 };

typedef struct
{
  GPtrArray *pictures; /* (element-type GByteArray): NAL units with lengths */
  GByteArray *sets; /* vvcC's arrays */
  guint n_sets;
  gsize
      slices[N_PICTURES]; /* where the slice's NAL unit is, behind its length */
  gboolean in_band; /* vvi1 */
} Clip;

static gboolean
is_parameter_set (guint type)
{
  return type >= TYPE_OPI && type <= TYPE_PPS;
}

static void
append_number (GByteArray *to, guint n_bytes, guint32 value)
{
  for (; n_bytes > 0; n_bytes--)
    g_byte_array_append (to, &(guint8){ value >> 8 * (n_bytes - 1) }, 1);
}

/* In vvcC: of the first picture; the others' are the same. */
static void
add_set (Clip *self, const guint8 *nal, gsize size)
{
  append_number (self->sets, 1, 0x80 | nal[1] >> 3);
  append_number (self->sets, 2, 1);
  append_number (self->sets, 2, size);
  g_byte_array_append (self->sets, nal, size);
  self->n_sets++;
}

static void
add_nal (Clip *self, const guint8 *nal, gsize size, gboolean *complete)
{
  guint type = nal[1] >> 3;
  GByteArray *picture;

  if (*complete)
    g_ptr_array_add (self->pictures, g_byte_array_new ());
  *complete = type < TYPE_VCL_END;
  picture = g_ptr_array_index (self->pictures, self->pictures->len - 1);
  if (is_parameter_set (type) && !self->in_band) {
    if (self->pictures->len == 1)
      add_set (self, nal, size);
    return;
  }
  if (*complete)
    self->slices[self->pictures->len - 1] = picture->len + 4;
  append_number (picture, 4, size);
  g_byte_array_append (picture, nal, size);
}

/* From a byte stream (ITU-T H.266, annex B): a slice ends its picture. */
static void
clip_open (Clip *self, gboolean in_band)
{
  g_autofree gchar *data = NULL;
  const guint8 *nal, *next, *end;
  gboolean complete = TRUE;
  gsize size;

  memset (self, 0, sizeof *self);
  self->in_band = in_band;
  self->sets = g_byte_array_new ();
  self->pictures =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  fail_unless (
      g_file_get_contents (SOURCE_ROOT "/tests/check/pipelines/vvc-clip.266",
          &data, &size, NULL));
  end = (guint8 *) data + size;
  nal = (guint8 *) memmem (data, size, "\0\0\1", 3) + 3;
  for (; nal < end; nal = next + 3) {
    gsize n;

    next = memmem (nal, end - nal, "\0\0\1", 3);
    n = (next ? next : end) - nal;
    while (n > 0 && nal[n - 1] == 0)
      n--;
    add_nal (self, nal, n, &complete);
    if (!next)
      break;
  }
  fail_unless_equals_int (self->pictures->len, N_PICTURES);
}

static void
clip_close (Clip *self)
{
  g_ptr_array_unref (self->pictures);
  g_byte_array_unref (self->sets);
}

static const GByteArray *
get_picture (const Clip *self, guint n)
{
  return g_ptr_array_index (self->pictures, n);
}

/* --- boxes --- */

static void
write_entry (const Clip *self, BmffWriter *w)
{
  bmff_writer_begin_box (w, self->in_band ? FOURCC ("vvi1") : FOURCC ("vvc1"));
  bmff_writer_zeros (w, 6);
  bmff_writer_u16 (w, 1); /* data reference */
  bmff_writer_zeros (w, 16);
  bmff_writer_u16 (w, 208);
  bmff_writer_u16 (w, 120);
  bmff_writer_u32 (w, 72 << 16);
  bmff_writer_u32 (w, 72 << 16);
  bmff_writer_zeros (w, 4);
  bmff_writer_u16 (w, 1);
  bmff_writer_zeros (w, 32);
  bmff_writer_u16 (w, 24);
  bmff_writer_u16 (w, 0xffff);
  /* Lengths of 4 bytes, no profile (ISO/IEC 14496-15, 11.2.4.2). */
  bmff_writer_begin_full_box (w, FOURCC ("vvcC"), 0, 0);
  bmff_writer_u8 (w, 0xf8 | 3 << 1);
  bmff_writer_u8 (w, self->n_sets);
  bmff_writer_bytes (w, self->sets->data, self->sets->len);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
}

static void
write_words (BmffWriter *w, const gchar *type, guint n, const guint32 *words)
{
  guint i;

  bmff_writer_begin_full_box (w, FOURCC (type), 0, 0);
  for (i = 0; i < n; i++)
    bmff_writer_u32 (w, words[i]);
  bmff_writer_end_box (w);
}

#define WORDS(w, type, ...) \
  write_words (w, type, G_N_ELEMENTS (((guint32[]){ __VA_ARGS__ })), \
      (guint32[]){ __VA_ARGS__ })

/* @offset: of the one chunk; 0: the samples are in fragments. */
static void
write_tables (const Clip *self, BmffWriter *w, guint32 offset)
{
  guint i, n = offset ? N_PICTURES : 0;

  bmff_writer_begin_box (w, FOURCC ("stbl"));
  bmff_writer_begin_full_box (w, FOURCC ("stsd"), 0, 0);
  bmff_writer_u32 (w, 1);
  write_entry (self, w);
  bmff_writer_end_box (w);
  if (n > 0) {
    WORDS (w, "stts", 1, N_PICTURES, DURATION);
    WORDS (w, "stss", 2, 1, 1 + GROUP);
    WORDS (w, "stsc", 1, 1, N_PICTURES, 1);
    WORDS (w, "stco", 1, offset);
  } else {
    WORDS (w, "stts", 0);
    WORDS (w, "stsc", 0);
    WORDS (w, "stco", 0);
  }
  bmff_writer_begin_full_box (w, FOURCC ("stsz"), 0, 0);
  bmff_writer_u32 (w, 0);
  bmff_writer_u32 (w, n);
  for (i = 0; i < n; i++)
    bmff_writer_u32 (w, get_picture (self, i)->len);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
}

static void
write_media (const Clip *self, BmffWriter *w, guint32 offset)
{
  bmff_writer_begin_box (w, FOURCC ("mdia"));
  WORDS (w, "mdhd", 0, 0, 24 * DURATION, N_PICTURES * DURATION, 0x55c40000);
  WORDS (w, "hdlr", 0, FOURCC ("vide"), 0, 0, 0, 0);
  bmff_writer_begin_box (w, FOURCC ("minf"));
  bmff_writer_begin_full_box (w, FOURCC ("vmhd"), 0, 1);
  bmff_writer_zeros (w, 8);
  bmff_writer_end_box (w);
  bmff_writer_begin_box (w, FOURCC ("dinf"));
  bmff_writer_begin_full_box (w, FOURCC ("dref"), 0, 0);
  bmff_writer_u32 (w, 1);
  bmff_writer_begin_full_box (w, FOURCC ("url "), 0, 1);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
  write_tables (self, w, offset);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
}

static void
write_moov (const Clip *self, BmffWriter *w, guint32 offset)
{
  bmff_writer_begin_box (w, FOURCC ("moov"));
  WORDS (w, "mvhd", 0, 0, 1000, 1000, 0x10000, 0x1000000, 0, 0, 0x10000, 0, 0,
      0, 0x10000, 0, 0, 0, 0x40000000, 0, 0, 0, 0, 0, 0, 2);
  bmff_writer_begin_box (w, FOURCC ("trak"));
  bmff_writer_begin_full_box (w, FOURCC ("tkhd"), 0, 7);
  bmff_writer_zeros (w, 8);
  bmff_writer_u32 (w, 1);
  bmff_writer_zeros (w, 4);
  bmff_writer_u32 (w, 1000);
  bmff_writer_zeros (w, 60);
  bmff_writer_end_box (w);
  write_media (self, w, offset);
  bmff_writer_end_box (w);
  if (offset == 0) {
    bmff_writer_begin_box (w, FOURCC ("mvex"));
    WORDS (w, "trex", 1, 1, DURATION, 0, 0);
    bmff_writer_end_box (w);
  }
  bmff_writer_end_box (w);
}

static void
write_ftyp (BmffWriter *w)
{
  bmff_writer_begin_box (w, FOURCC ("ftyp"));
  bmff_writer_bytes (w, (const guint8 *) "iso6\0\0\0\0iso6", 12);
  bmff_writer_end_box (w);
}

static void
write_data (const Clip *self, BmffWriter *w, guint from, guint to)
{
  bmff_writer_begin_box (w, FOURCC ("mdat"));
  for (; from < to; from++)
    bmff_writer_bytes (w, get_picture (self, from)->data,
        get_picture (self, from)->len);
  bmff_writer_end_box (w);
}

/* A group of pictures. */
static void
write_fragment (const Clip *self, BmffWriter *w, guint from, guint32 offset)
{
  guint i;

  bmff_writer_begin_box (w, FOURCC ("moof"));
  WORDS (w, "mfhd", 1 + from / GROUP);
  bmff_writer_begin_box (w, FOURCC ("traf"));
  bmff_writer_begin_full_box (w, FOURCC ("tfhd"), 0, 0x20000);
  bmff_writer_u32 (w, 1);
  bmff_writer_end_box (w);
  WORDS (w, "tfdt", from * DURATION);
  bmff_writer_begin_full_box (w, FOURCC ("trun"), 0, 0x601);
  bmff_writer_u32 (w, GROUP);
  bmff_writer_u32 (w, offset);
  for (i = from; i < from + GROUP; i++) {
    bmff_writer_u32 (w, get_picture (self, i)->len);
    bmff_writer_u32 (w, i == from ? 0x2000000 : 0x1010000);
  }
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
  bmff_writer_end_box (w);
}

typedef enum
{
  MOOV_FIRST,
  MOOV_LAST,
  FRAGMENTS,
  N_LAYOUTS,
} Layout;

static gsize
size_of_moov (const Clip *self)
{
  BmffWriter *w = bmff_writer_new (0);
  g_autoptr (GBytes) bytes = NULL;

  write_moov (self, w, 1);
  bytes = bmff_writer_end (w);
  return g_bytes_get_size (bytes);
}

static gsize
size_of_moof (const Clip *self)
{
  BmffWriter *w = bmff_writer_new (0);
  g_autoptr (GBytes) bytes = NULL;

  write_fragment (self, w, 0, 0);
  bytes = bmff_writer_end (w);
  return g_bytes_get_size (bytes);
}

static GBytes *
make_file (const Clip *self, Layout layout)
{
  BmffWriter *w = bmff_writer_new (0);
  guint i;

  write_ftyp (w);
  if (layout == MOOV_FIRST)
    write_moov (self, w, 20 + size_of_moov (self) + 8);
  if (layout == FRAGMENTS) {
    write_moov (self, w, 0);
    for (i = 0; i < N_PICTURES; i += GROUP) {
      write_fragment (self, w, i, size_of_moof (self) + 8);
      write_data (self, w, i, i + GROUP);
    }
  } else {
    write_data (self, w, 0, N_PICTURES);
  }
  if (layout == MOOV_LAST)
    write_moov (self, w, 20 + 8);
  return bmff_writer_end (w);
}

/* --- tests --- */

/* The range that is protected starts behind the headers; in cenc and cbc1 what it
 * has beyond whole blocks stays clear in front of it, and each block is hidden. */
static void
check_picture (const Clip *clip, guint n, GBytes *clear, GBytes *raw,
    const gchar *scheme)
{
  gsize size, start, at;
  const guint8 *one = g_bytes_get_data (clear, &size);
  const guint8 *other = g_bytes_get_data (raw, NULL);
  gboolean all = strcmp (scheme, "cenc") == 0 || strcmp (scheme, "cbc1") == 0;

  start = clip->slices[n] + header_sizes[n];
  if (strcmp (scheme, "cbcs") != 0)
    start += (size - start) % 16;
  fail_unless (memcmp (one, other, start) == 0, "picture %u: its headers", n);
  for (at = start; at + 16 <= size; at += all ? 16 : 160)
    fail_unless (memcmp (one + at, other + at, 16) != 0,
        "picture %u is clear at %" G_GSIZE_FORMAT, n, at);
}

static void
check_pictures (const Clip *clip, GBytes *out, const gchar *scheme)
{
  g_autoptr (GPtrArray) tracks = judge_read (out, JUDGE_SENC, NULL);
  JudgeTrack *track;
  guint i;

  fail_unless (tracks && tracks->len == 1);
  track = tracks->pdata[0];
  fail_unless (track->format == FOURCC ("encv"));
  fail_unless_equals_int (track->samples->len, N_PICTURES);
  for (i = 0; i < N_PICTURES; i++) {
    const GByteArray *picture = get_picture (clip, i);
    g_autoptr (GBytes) clear = g_bytes_new (picture->data, picture->len);

    fail_unless (g_bytes_equal (clear, track->samples->pdata[i]));
    check_picture (clip, i, clear, track->raw->pdata[i], scheme);
  }
}

static void
check_decrypted (GBytes *clear, GBytes *out)
{
  g_autoptr (GBytes) back = NULL;
  g_autoptr (GPtrArray) one = judge_read (clear, JUDGE_SENC, NULL);
  g_autoptr (GPtrArray) other = NULL;
  GError *error = NULL;
  guint i;

  back = judge_convert (out, "cencdecrypt keys=" KEYS, &error);
  fail_unless (back, "%s", error ? error->message : "");
  other = judge_read (back, JUDGE_SENC, NULL);
  fail_unless (one && other && other->len == 1);
  fail_unless (((JudgeTrack *) other->pdata[0])->format ==
      ((JudgeTrack *) one->pdata[0])->format);
  for (i = 0; i < N_PICTURES; i++)
    fail_unless (g_bytes_equal (((JudgeTrack *) one->pdata[0])->raw->pdata[i],
        ((JudgeTrack *) other->pdata[0])->raw->pdata[i]));
}

static const gchar *schemes[] = { "cenc", "cbcs", "cens", "cbc1" };

static void
check_scheme (const Clip *clip, GBytes *clear, const gchar *scheme)
{
  g_autofree gchar *element =
      g_strconcat ("cencencrypt " SETTINGS, scheme, NULL);
  g_autoptr (GBytes) out = NULL;
  GError *error = NULL;

  out = judge_convert (clear, element, &error);
  fail_unless (out, "%s", error ? error->message : "");
  judge_same_samples (clear, out, scheme);
  judge_places (out);
  check_pictures (clip, out, scheme);
  check_decrypted (clear, out);
}

static void
check_refused (const Clip *clip, GBytes *clear)
{
  GError *error = NULL;

  fail_if (judge_convert (clear, "cencencrypt " SETTINGS "cenc", &error));
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
      GST_STREAM_ERROR_CODEC_NOT_FOUND));
  fail_unless (strstr (error->message,
                   clip->in_band ? "'vvi1' (H.266) needs"
                                 : "'vvc1' (H.266) needs"),
      "%s", error->message);
  g_clear_error (&error);
}

GST_START_TEST (test_clip)
{
  g_autoptr (GBytes) clear = NULL;
  Clip clip;
  guint i;

  clip_open (&clip, __i__ >= N_LAYOUTS);
  fail_unless ((clip.n_sets > 0) != clip.in_band);
  clear = make_file (&clip, __i__ % N_LAYOUTS);
  if (GST_CHECK_VERSION (1, 26, 0))
    for (i = 0; i < G_N_ELEMENTS (schemes); i++)
      check_scheme (&clip, clear, schemes[i]);
  else
    check_refused (&clip, clear);
  clip_close (&clip);
}
GST_END_TEST

static Suite *
encrypt_vvc_suite (void)
{
  Suite *suite = suite_create ("encrypt-vvc");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, test_clip, 0, 2 * N_LAYOUTS);
  return suite;
}

GST_CHECK_MAIN (encrypt_vvc);
