/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Subsample maps of samples of which only the slice headers were read: the same
 * as those of the whole samples. And memory that is used again.
 */

#include "../elements/cencencrypt-judge.h"

#include <gst/check/gstcheck.h>
#include <string.h>
#include "cenc/encrypt-input.h"
#include "cenc/encrypt-movie.h"
#include "cenc/encrypt-pool.h"

#define NEEDED "x264enc h264parse mp4mux"
#define VIDEO \
  "videotestsrc num-buffers=6 pattern=snow ! video/x-raw,width=320,height=240" \
  " ! x264enc speed-preset=ultrafast pass=qual quantizer=%d key-int-max=3 " \
  "option-string=slices=%d ! h264parse ! mp4mux ! appsink name=out"

typedef struct
{
  const guint8 *data;
  gsize size;
  gsize read; /* bytes that were asked for */
  gboolean own; /* what is read comes in a buffer of the peer's */
} Memory;

/* What one plan makes of a file. */
typedef struct
{
  EncryptPlan *plan;
  BmffMovie *movie;
  BmffSampleTable *samples;
  EncryptTrack *track;
  CencAuxWriter *writer;
} Side;

static GstFlowReturn
read_memory (gpointer user_data, guint64 offset, guint size, GstBuffer **buffer)
{
  Memory *self = user_data;

  if (offset >= self->size)
    return GST_FLOW_EOS;
  size = MIN (size, self->size - offset);
  self->read += size;
  if (self->own) {
    *buffer = gst_buffer_new_memdup (self->data + offset, size);
  } else {
    gst_buffer_fill (*buffer, 0, self->data + offset, size);
    gst_buffer_set_size (*buffer, size);
  }
  return GST_FLOW_OK;
}

static GBytes *
make_file (gint quantizer, gint slices)
{
  g_autofree gchar *description = g_strdup_printf (VIDEO, quantizer, slices);

  return judge_make_stream (description);
}

static BmffBox *
find_moov (GBytes *file)
{
  gsize size, at = 0;
  const guint8 *data = g_bytes_get_data (file, &size);
  g_autoptr (GBytes) moov = NULL;
  BmffHeader header;

  while (bmff_header_parse (&header, data + at, size - at) == BMFF_HEADER_OK &&
      header.type != BMFF_FOURCC ('m', 'o', 'o', 'v'))
    at += header.size;
  moov = g_bytes_new_from_bytes (file, at, size - at);
  return bmff_box_parse (moov, at, NULL);
}

static void
side_init (Side *self, GBytes *file)
{
  static const guint8 bytes[16] = { 1, 2, 3 };
  EncryptSettings settings;
  const BmffTrack *track;

  encrypt_settings_init (&settings);
  settings.key = gst_cenc_key_new (bytes, bytes);
  self->plan = encrypt_plan_new (&settings, NULL);
  encrypt_settings_clear (&settings);
  self->movie = encrypt_movie_new (find_moov (file), self->plan, NULL);
  fail_unless (self->movie != NULL);
  track = g_ptr_array_index (self->movie->tracks, 0);
  self->samples = bmff_sample_table_new_from_stbl (track->stbl, NULL);
  self->track = encrypt_plan_get_track (self->plan, track->id);
  self->writer = cenc_aux_writer_new (encrypt_track_get_params (self->track));
}

static void
side_clear (Side *self)
{
  cenc_aux_writer_free (self->writer);
  bmff_sample_table_unref (self->samples);
  bmff_movie_free (self->movie);
  encrypt_plan_free (self->plan);
}

static void
same_aux (const Side *a, const Side *b)
{
  BmffBox *x = cenc_aux_writer_to_senc (a->writer);
  BmffBox *y = cenc_aux_writer_to_senc (b->writer);

  fail_unless (g_bytes_equal (x->payload, y->payload));
  bmff_box_free (x);
  bmff_box_free (y);
}

static const struct
{
  gint quantizer, slices;
  gboolean sparse; /* less than half of the file is to be read */
} encodings[] = { { 1, 1, TRUE }, { 1, 3, TRUE }, { 1, 15, FALSE },
  { 40, 1, FALSE } };

GST_START_TEST (test_heads)
{
  g_autoptr (GBytes) file = NULL;
  g_autoptr (EncryptInput) input = NULL;
  Memory memory = { .own = __i__ % 2 };
  Side whole = { 0 }, heads = { 0 };
  BmffSampleCursor cursor;
  BmffSample sample;
  GError *error = NULL;

  if (!judge_has_elements (NEEDED))
    return;
  file =
      make_file (encodings[__i__ / 2].quantizer, encodings[__i__ / 2].slices);
  memory.data = g_bytes_get_data (file, &memory.size);
  side_init (&whole, file);
  side_init (&heads, file);
  input = encrypt_input_new (read_memory, &memory);
  bmff_sample_cursor_init (&cursor, whole.samples, 0);
  while (bmff_sample_cursor_next (&cursor, &sample)) {
    fail_unless (encrypt_track_map (whole.track, &sample,
                     memory.data + sample.offset, whole.writer, &error),
        "%s", error ? error->message : "");
    fail_unless (encrypt_input_map (input, heads.track, &sample, heads.writer,
                     &error),
        "%s", error ? error->message : "");
  }
  same_aux (&whole, &heads);
  if (encodings[__i__ / 2].sparse)
    fail_unless (memory.read < memory.size / 2,
        "%" G_GSIZE_FORMAT " bytes read", memory.read);
  side_clear (&whole);
  side_clear (&heads);
}
GST_END_TEST

/* Less than a slice's header was read: nothing is guessed, nothing is kept. */
GST_START_TEST (test_short_head)
{
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GArray) heads = g_array_new (FALSE, FALSE, sizeof (CencRange));
  const guint8 *data;
  Side side = { 0 };
  BmffSample sample;
  GError *error = NULL;
  CencRange head;
  gsize size, at = 0, needed;

  if (!judge_has_elements (NEEDED))
    return;
  file = make_file (1, 1);
  side_init (&side, file);
  fail_unless (bmff_sample_table_get (side.samples, 0, &sample));
  data = (const guint8 *) g_bytes_get_data (file, NULL) + sample.offset;
  while ((needed = encrypt_track_look (side.track, &sample, data + at,
              sample.size - at, &size)) == size)
    at += size;
  fail_unless_equals_int (needed, 1);
  head.offset = at;
  for (head.size = 1; head.size < 8; head.size++) {
    g_array_set_size (heads, 0);
    g_array_append_val (heads, head);
    if (encrypt_track_map_heads (side.track, &sample, data, heads, side.writer,
            &error))
      break;
    fail_if (error);
    fail_unless_equals_int (cenc_aux_writer_get_count (side.writer), 0);
  }
  /* The header of an IDR slice of one slice has some bytes behind the length. */
  fail_unless (head.size == 8);
  head.size = 64;
  g_array_index (heads, CencRange, 0) = head;
  fail_unless (encrypt_track_map_heads (side.track, &sample, data, heads,
      side.writer, &error));
  side_clear (&side);
}
GST_END_TEST

/* The input's end within a sample is an error, whichever part is read. */
GST_START_TEST (test_truncated)
{
  g_autoptr (GBytes) file = NULL;
  Memory memory = { 0 };
  Side side = { 0 };
  BmffSample sample;
  gsize i;

  if (!judge_has_elements (NEEDED))
    return;
  file = make_file (1, 3);
  side_init (&side, file);
  memory.data = g_bytes_get_data (file, NULL);
  fail_unless (bmff_sample_table_get (side.samples, 0, &sample));
  for (i = 0; i < 4; i++) {
    g_autoptr (EncryptInput) input = encrypt_input_new (read_memory, &memory);
    g_autoptr (GError) error = NULL;

    memory.size = sample.offset + i * 600;
    fail_if (
        encrypt_input_map (input, side.track, &sample, side.writer, &error));
    fail_unless (g_error_matches (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT));
  }
  side_clear (&side);
}
GST_END_TEST

/* Two buffers alternate; one that somebody keeps is not written again. */
GST_START_TEST (test_pool)
{
  g_autoptr (EncryptPool) pool = encrypt_pool_new ();
  GstBuffer *kept[6], *buffer;
  GstMemory *memory;
  guint i, k;

  buffer = encrypt_pool_take (pool, 1000);
  memory = gst_buffer_peek_memory (buffer, 0);
  gst_buffer_unref (buffer);
  buffer = encrypt_pool_take (pool, 900);
  fail_unless (gst_buffer_peek_memory (buffer, 0) == memory);
  fail_unless_equals_int (gst_buffer_get_size (buffer), 900);
  gst_buffer_unref (buffer);
  buffer = encrypt_pool_take (pool, 0);
  fail_unless_equals_int (gst_buffer_get_size (buffer), 0);
  gst_buffer_unref (buffer);
  for (i = 0; i < G_N_ELEMENTS (kept); i++) {
    kept[i] = encrypt_pool_take (pool, 1000 + i);
    gst_buffer_memset (kept[i], 0, i, -1);
  }
  for (i = 0; i < G_N_ELEMENTS (kept); i++) {
    guint8 byte;

    for (k = 0; k < i; k++)
      fail_if (gst_buffer_peek_memory (kept[k], 0) ==
          gst_buffer_peek_memory (kept[i], 0));
    gst_buffer_extract (kept[i], 999, &byte, 1);
    fail_unless_equals_int (byte, i);
  }
  for (i = 0; i < G_N_ELEMENTS (kept); i++)
    gst_buffer_unref (kept[i]);
}
GST_END_TEST

static Suite *
encrypt_input_suite (void)
{
  Suite *s = suite_create ("encrypt-input");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_heads, 0, 2 * G_N_ELEMENTS (encodings));
  tcase_add_test (tc, test_short_head);
  tcase_add_test (tc, test_truncated);
  tcase_add_test (tc, test_pool);
  return s;
}

GST_CHECK_MAIN (encrypt_input);
