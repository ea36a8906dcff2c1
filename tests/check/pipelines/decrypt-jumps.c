/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencdecrypt behind something that pushes and can seek, in front of something
 * that seeks when and where it likes: before anything has come, to what was not
 * read yet, twice in a row, and while it takes a buffer. Each byte that comes has
 * to be the one that stands there in the decrypted file.
 */

#include "decrypt-push.h"
#include "decrypt-util.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  GByteArray *in, *wanted;
  GRand *rand;
  GstElement *element;
  GstPad *src, *sink; /* upstream's and downstream's */
  guint block;

  guint64 position; /* of upstream */
  gboolean has_jumped; /* a segment is to be pushed */
  guint64 n_pushed;

  guint64 target, stop, next; /* of downstream */
  gboolean has_segment, at_end;
  guint n_seeks_inside; /* that downstream is to do while it takes a buffer */
  GstFlowReturn flow; /* what downstream gives, if not OK */

  gboolean flush_when_asked; /* upstream, about seeking */
  guint n_sought;
} Title;

static Title *
get_title (GstPad *pad)
{
  return g_object_get_data (G_OBJECT (pad), "title");
}

static gboolean
take_seek (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Title *self = get_title (pad);
  GstFormat format;
  gint64 start, stop;

  if (GST_EVENT_TYPE (event) != GST_EVENT_SEEK)
    return gst_pad_event_default (pad, parent, event);
  gst_event_parse_seek (event, NULL, &format, NULL, NULL, &start, NULL, &stop);
  gst_event_unref (event);
  fail_unless_equals_int64 (stop, -1);
  fail_unless_equals_int (format, GST_FORMAT_BYTES);
  self->n_sought++;
  fail_unless (gst_pad_push_event (pad, gst_event_new_flush_start ()));
  fail_unless (gst_pad_push_event (pad, gst_event_new_flush_stop (TRUE)));
  self->position = (guint64) start;
  self->has_jumped = TRUE;
  return TRUE;
}

static gboolean
answer (GstPad *pad, GstObject *parent, GstQuery *query)
{
  Title *self = get_title (pad);

  if (GST_QUERY_TYPE (query) != GST_QUERY_SEEKING)
    return gst_pad_query_default (pad, parent, query);
  if (self->flush_when_asked)
    gst_pad_push_event (pad, gst_event_new_flush_start ());
  gst_query_set_seeking (query, GST_FORMAT_BYTES, TRUE, 0, self->in->len);
  return TRUE;
}

/* @stop: -1 for none */
static void
seek_range (Title *self, guint64 target, gint64 stop)
{
  self->target = target;
  self->stop = (guint64) stop;
  self->has_segment = self->at_end = FALSE;
  fail_unless (gst_pad_push_event (self->sink,
      gst_event_new_seek (1.0, GST_FORMAT_BYTES,
          GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET,
          (gint64) target, GST_SEEK_TYPE_SET, stop)));
}

static void
seek (Title *self, guint64 target)
{
  seek_range (self, target, -1);
}

static void
seek_anywhere (Title *self)
{
  seek (self, (guint64) g_rand_int_range (self->rand, 0, (gint) self->in->len));
}

static GstFlowReturn
take_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Title *self = get_title (pad);
  GstMapInfo map;

  fail_unless (self->has_segment, "data at %" G_GUINT64_FORMAT " from before",
      GST_BUFFER_OFFSET (buffer));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), self->next);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless (self->next + map.size <= self->wanted->len &&
          memcmp (map.data, self->wanted->data + self->next, map.size) == 0,
      "wrong bytes at %" G_GUINT64_FORMAT, self->next);
  self->next += map.size;
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  if (self->flow != GST_FLOW_OK)
    return self->flow;
  if (self->n_seeks_inside > 0 && g_rand_int_range (self->rand, 0, 4) == 0) {
    self->n_seeks_inside--;
    seek_anywhere (self);
  }
  return GST_FLOW_OK;
}

static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Title *self = get_title (pad);
  const GstSegment *segment;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    gst_event_parse_segment (event, &segment);
    fail_unless_equals_uint64 (segment->start, self->target);
    fail_unless_equals_uint64 (segment->stop, self->stop);
    self->next = segment->start;
    self->has_segment = TRUE;
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    self->at_end = TRUE;
  }
  gst_event_unref (event);
  return TRUE;
}

/* (transfer full): as it is when it is pulled */
static GByteArray *
decrypt (const GByteArray *in, const gchar *keys)
{
  gchar *path = temporary_file ("jumps-XXXXXX"), *launch;
  GError *error = NULL;
  GByteArray *out;

  fail_unless (g_file_set_contents (path, (const gchar *) in->data,
      (gssize) in->len, NULL));
  launch = g_strdup_printf ("filesrc location=\"%s\" ! cencdecrypt keys=%s ! "
                            "fakesink name=sink",
      path, keys);
  out = pipeline_collect (launch, &error);
  fail_unless (out != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (out->len, in->len);
  g_free (launch);
  g_unlink (path);
  g_free (path);
  return out;
}

static void
link_pad (Title *self, GstPad *pad, const gchar *other)
{
  GstPad *peer = gst_element_get_static_pad (self->element, other);

  g_object_set_data (G_OBJECT (pad), "title", self);
  fail_unless_equals_int (GST_PAD_IS_SRC (pad) ? gst_pad_link (pad, peer)
                                               : gst_pad_link (peer, pad),
      GST_PAD_LINK_OK);
  fail_unless (gst_pad_set_active (pad, TRUE));
  gst_object_unref (peer);
}

/* (transfer full) @in */
static void
open_title (Title *self, GByteArray *in, const gchar *keys, guint32 seed)
{
  static const guint blocks[] = { 300, 4096, 65536, 1u << 20 };
  GstCaps *caps = gst_caps_new_empty_simple ("video/quicktime");

  memset (self, 0, sizeof *self);
  self->in = in;
  self->wanted = decrypt (in, keys);
  self->rand = g_rand_new_with_seed (seed);
  self->block = blocks[seed % G_N_ELEMENTS (blocks)];
  self->has_jumped = TRUE;
  self->stop = G_MAXUINT64;
  self->element =
      gst_object_ref_sink (gst_element_factory_make ("cencdecrypt", NULL));
  g_object_set (self->element, "keys", keys, NULL);

  self->src = gst_pad_new ("src", GST_PAD_SRC);
  gst_pad_set_event_function (self->src, take_seek);
  gst_pad_set_query_function (self->src, answer);
  self->sink = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_event_function (self->sink, take_event);
  gst_pad_set_chain_function (self->sink, take_buffer);
  link_pad (self, self->sink, "src");
  link_pad (self, self->src, "sink");
  fail_unless_equals_int (gst_element_set_state (self->element,
                              GST_STATE_PLAYING),
      GST_STATE_CHANGE_SUCCESS);
  gst_pad_push_event (self->src, gst_event_new_stream_start ("title"));
  gst_pad_push_event (self->src, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

static void
close_title (Title *self)
{
  gst_element_set_state (self->element, GST_STATE_NULL);
  gst_pad_set_active (self->src, FALSE);
  gst_pad_set_active (self->sink, FALSE);
  gst_object_unref (self->src);
  gst_object_unref (self->sink);
  gst_object_unref (self->element);
  g_rand_free (self->rand);
  g_byte_array_unref (self->in);
  g_byte_array_unref (self->wanted);
}

static void
push_segment (Title *self)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.position = segment.time = self->position;
  self->has_jumped = FALSE;
  fail_unless (
      gst_pad_push_event (self->src, gst_event_new_segment (&segment)));
}

/* What a source does next: a segment, a block, or the end. */
static void
push_next (Title *self)
{
  guint left = (guint) (self->in->len - self->position), size;
  GstBuffer *buffer;

  if (self->has_jumped)
    push_segment (self);
  if (left == 0) {
    fail_unless (gst_pad_push_event (self->src, gst_event_new_eos ()));
    return;
  }
  size = (guint) g_rand_int_range (self->rand, 1, (gint) self->block + 1);
  size = MIN (size, left);
  buffer = gst_buffer_new_memdup (self->in->data + self->position, size);
  GST_BUFFER_OFFSET (buffer) = self->position;
  self->position += size;
  self->n_pushed += size;
  fail_unless_equals_int (gst_pad_push (self->src, buffer), GST_FLOW_OK);
}

static void
play_to_end (Title *self)
{
  while (!self->at_end)
    push_next (self);
  fail_unless_equals_uint64 (self->next, self->wanted->len);
}

/* Seeks between blocks and inside of them, some two at a time. */
static void
seek_about (Title *self, guint n, guint n_inside)
{
  self->n_seeks_inside = n_inside;
  for (; n > 0; n--) {
    guint blocks = (guint) g_rand_int_range (self->rand, 0, 12);

    for (; blocks > 0 && !self->at_end; blocks--)
      push_next (self);
    seek_anywhere (self);
    if (g_rand_int_range (self->rand, 0, 4) == 0)
      seek_anywhere (self);
  }
  self->n_seeks_inside = 0;
  play_to_end (self);
}

static const gchar *const files[] = {
  "peer-bento4-frag-MPEG-CENC.mp4",
  "peer-gpac-frag-cbcs.mp4",
  "peer-gpac-prog-cenc.mp4",
  "peer-gpac-prog-roll.mp4",
  "shaka-player_multidrm-video-init.mp4",
};

GST_START_TEST (test_anywhere)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector =
      vectors_find (vectors, files[__i__ % G_N_ELEMENTS (files)]);
  Title title;

  if (!vector)
    return;
  open_title (&title, read_file (vector->path), vector->keys, (guint32) __i__);
  seek_about (&title, 10, __i__ % 2 == 0 ? 0 : 5);
  close_title (&title);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

#define PADDING (6u << 20)

/* Nobody knows yet what of the media data is encrypted; and while the moov is
 * looked for. */
GST_START_TEST (test_moov_last)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, files[2]);
  guint blocks;
  Title title;

  if (!vector)
    return;
  open_title (&title, moov_last (vector->path, __i__ % 2 == 0 ? 0 : PADDING),
      vector->keys, (guint32) __i__);
  for (blocks = (guint) __i__ % 3; blocks > 0; blocks--)
    push_next (&title);
  seek (&title, 50000);
  seek_about (&title, 4, 0);
  close_title (&title);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/* Where the samples of a chunk begin, in the middle of the media data. */
static guint
find_chunk (const GByteArray *in, guint moov, guint size, guint behind)
{
  guint i, j, found = G_MAXUINT;

  for (i = moov + 4; i + 12 < moov + size; i++) {
    for (j = 0; memcmp (in->data + i, "stco", 4) == 0 &&
         j < GST_READ_UINT32_BE (in->data + i + 8);
         j++) {
      guint offset = GST_READ_UINT32_BE (in->data + i + 12 + 4 * (gsize) j);

      if (offset > behind)
        found = MIN (found, offset);
    }
  }
  fail_unless (found < in->len);
  return found;
}

/* The media data in two boxes, with @padding that no track has at the first one's end. */
static GByteArray *
split_media (const gchar *path, guint padding)
{
  GByteArray *in = read_file (path), *out = g_byte_array_new ();
  guint moov = find_box (in, "moov"), mdat = find_box (in, "mdat");
  guint moov_size = GST_READ_UINT32_BE (in->data + moov);
  guint end = mdat + GST_READ_UINT32_BE (in->data + mdat);
  guint cut = find_chunk (in, moov, moov_size, (mdat + end) / 2);
  guint8 *zeros = g_malloc0 (padding);
  guint8 header[8] = { 0, 0, 0, 0, 'm', 'd', 'a', 't' };

  fail_unless (moov < mdat && cut < end);
  move_chunks (in->data + moov, moov_size, cut, (gint) (padding + 8));
  GST_WRITE_UINT32_BE (in->data + mdat, cut - mdat + padding);
  GST_WRITE_UINT32_BE (header, end - cut + 8);
  g_byte_array_append (out, in->data, cut);
  g_byte_array_append (out, zeros, padding);
  g_byte_array_append (out, header, sizeof header);
  g_byte_array_append (out, in->data + cut, in->len - cut);
  g_free (zeros);
  g_byte_array_unref (in);
  return out;
}

/* To a second box of media data, of which nothing has been seen: what is in front of
 * it is not read. */
GST_START_TEST (test_next_media)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, files[2]);
  guint64 behind;
  Title title;

  if (!vector)
    return;
  open_title (&title, split_media (vector->path, PADDING), vector->keys, 2);
  behind = title.in->len - find_box (title.in, "mdat") - PADDING;
  push_next (&title);
  seek (&title, title.in->len - behind / 4);
  play_to_end (&title);
  fail_unless (title.n_pushed < PADDING / 2, "%" G_GUINT64_FORMAT,
      title.n_pushed);
  close_title (&title);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

static GstFlowReturn
push_block (Title *self)
{
  GstBuffer *buffer;
  guint size;

  if (self->has_jumped)
    push_segment (self);
  size = (guint) MIN (100, self->in->len - self->position);
  buffer = gst_buffer_new_memdup (self->in->data + self->position, size);
  self->position += size;
  return gst_pad_push (self->src, buffer);
}

/* To a place that samples or boxes straddle, and no further. */
GST_START_TEST (test_ranges)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector =
      vectors_find (vectors, files[__i__ % G_N_ELEMENTS (files)]);
  Title title;
  guint i;

  if (!vector)
    return;
  open_title (&title, read_file (vector->path), vector->keys, (guint32) __i__);
  push_next (&title);
  for (i = 0; i < 20; i++) {
    guint start =
        (guint) g_rand_int_range (title.rand, 0, (gint) title.in->len - 3000);
    guint stop = start + (guint) g_rand_int_range (title.rand, 1, 3000);

    seek_range (&title, start, stop);
    while (push_block (&title) == GST_FLOW_OK)
      ;
    fail_unless_equals_uint64 (title.next, stop);
    fail_unless (gst_pad_push_event (title.src, gst_event_new_eos ()));
    fail_unless (title.at_end);
  }
  seek_about (&title, 2, 2);
  close_title (&title);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/* Of a clear file what is not wanted is not read, once it is known to be clear. */
GST_START_TEST (test_clear)
{
  GPtrArray *vectors = vectors_load ();
  gchar *path;
  GByteArray *in;
  Title title;

  if (!vectors)
    return;
  path = vectors_clear (vectors, "bear-640x360.mp4");
  in = read_file (path);
  g_byte_array_set_size (in, in->len + PADDING);
  memset (in->data + in->len - PADDING, 0, PADDING);
  GST_WRITE_UINT32_BE (in->data + in->len - PADDING, PADDING);
  memcpy (in->data + in->len - PADDING + 4, "free", 4);
  open_title (&title, in,
      "00112233445566778899aabbccddeeff:"
      "2b7e151628aed2a6abf7158809cf4f3c",
      2);
  seek (&title, in->len - 1000);
  play_to_end (&title);
  fail_unless (title.n_pushed < PADDING / 2, "%" G_GUINT64_FORMAT,
      title.n_pushed);
  close_title (&title);
  g_free (path);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/* Takes @n blocks, then goes to where nothing was read. */
static void
begin_jump (Title *self, guint n)
{
  for (; n > 0; n--)
    push_next (self);
  seek (self, self->in->len - 1000);
  push_segment (self);
}

static GstBus *
add_bus (Title *self)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (self->element, bus);
  return bus;
}

static guint
count_errors (GstBus *bus)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    gst_message_unref (message);
    n++;
  }
  return n;
}

/* Somebody else seeks while cencdecrypt is about to: that one's place counts, and
 * nothing is wrong. Both would wait for each other else, behind a queue. */
GST_START_TEST (test_flush_in_front_of_seek)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, files[0]);
  GstBus *bus;
  Title title;

  if (!vector)
    return;
  open_title (&title, read_file (vector->path), vector->keys, 1);
  bus = add_bus (&title);
  begin_jump (&title, 3);
  title.flush_when_asked = TRUE;
  title.n_sought = 0;
  fail_unless_equals_int (push_block (&title), GST_FLOW_FLUSHING);
  fail_unless_equals_int (title.n_sought, 0);
  fail_unless_equals_int (count_errors (bus), 0);
  title.flush_when_asked = FALSE;
  fail_unless (gst_pad_push_event (title.src, gst_event_new_flush_stop (TRUE)));
  seek (&title, title.in->len / 2);
  play_to_end (&title);
  gst_element_set_bus (title.element, NULL);
  gst_object_unref (bus);
  close_title (&title);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/* What downstream does not take is its affair; and an error is told once, when the
 * data that follows it ends as well. */
GST_START_TEST (test_end_behind_error)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, files[0]);
  gboolean own = __i__ == 0;
  GstBus *bus;
  Title title;

  if (!vector)
    return;
  open_title (&title, read_file (vector->path), vector->keys, 1);
  bus = add_bus (&title);
  title.flow = own ? GST_FLOW_OK : GST_FLOW_NOT_LINKED;
  if (own)
    g_object_set (title.element, "keys", NULL, NULL);
  push_segment (&title);
  while (push_block (&title) == GST_FLOW_OK)
    ;
  fail_unless (gst_pad_push_event (title.src, gst_event_new_eos ()) == !own);
  fail_unless_equals_int (title.at_end, !own);
  fail_unless_equals_int (count_errors (bus), own ? 1 : 0);
  gst_element_set_bus (title.element, NULL);
  gst_object_unref (bus);
  close_title (&title);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

static Suite *
decrypt_jumps_suite (void)
{
  Suite *s = suite_create ("decrypt-jumps");
  TCase *tc = tcase_create ("jumps");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_anywhere, 0, 2 * G_N_ELEMENTS (files));
  tcase_add_loop_test (tc, test_moov_last, 0, 6);
  tcase_add_test (tc, test_next_media);
  tcase_add_loop_test (tc, test_ranges, 0, G_N_ELEMENTS (files));
  tcase_add_test (tc, test_clear);
  tcase_add_test (tc, test_flush_in_front_of_seek);
  tcase_add_loop_test (tc, test_end_behind_error, 0, 2);
  return s;
}

GST_CHECK_MAIN (decrypt_jumps)
