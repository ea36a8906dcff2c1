/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-encode.h"

#include <stdlib.h>
#include <string.h>

#include <gst/gst.h>

#include "gst/isobmff/bmff-writer.h"
#include "remix-error.h"

#define FCC BMFF_FOURCC
#define AVC FCC ('a', 'v', 'c', '1')
/* More samples in a GOP than this are not decoded for a cut. */
#define MAX_SAMPLES 2000
/* Bytes that wait in front of the decoder. */
#define MAX_QUEUED (4u << 20)
/* Neither input nor output for so long: the pipeline hangs. */
#define PATIENCE (60 * G_TIME_SPAN_SECOND)

static const struct
{
  guint32 codec;
  const gchar *caps; /* of the source */
  const gchar *decoder, *encoder, *parser;
  const gchar *description;
} codecs[] = {
  { AVC, "video/x-h264, stream-format=(string)avc, alignment=(string)au",
      "avdec_h264", "x264enc", NULL,
      "appsrc name=src format=time max-bytes=0 ! "
      "avdec_h264 name=decoder max-threads=1 ! "
      "x264enc name=encoder pass=qual quantizer=17 bframes=0 threads=1 "
      "rc-lookahead=0 sync-lookahead=0 key-int-max=10000 speed-preset=medium "
      "vbv-buf-capacity=1000 ! capsfilter name=filter ! "
      "appsink name=sink sync=false" },
  { FCC ('h', 'v', 'c', '1'),
      "video/x-h265, stream-format=(string)hvc1, alignment=(string)au",
      "avdec_h265", "x265enc", "h265parse",
      "appsrc name=src format=time max-bytes=0 ! "
      "avdec_h265 name=decoder max-threads=1 ! "
      "x265enc name=encoder speed-preset=fast key-int-max=10000 ! "
      "h265parse ! capsfilter name=filter ! appsink name=sink sync=false" },
};

typedef struct
{
  RemixStreamSample sample;
  guint32 rank; /* in the order in which pictures are shown */
} Picture;

typedef struct
{
  const RemixStream *stream;
  const RemixSplit *split;
  RemixReadFunc read;
  gpointer user_data;
  GCancellable *cancellable;
  guint codec; /* index into codecs */
  RemixFormat *format; /* borrowed */
  GArray *pictures; /* Picture, in decoding order */
  GArray *shown; /* gint64: pts of all of them, sorted */
  guint32 first_rank, n_wanted; /* those to be encoded */
  GstClockTime frame; /* what the pipeline counts a picture as */
  GstElement *pipeline, *src, *decoder, *sink;
  GstBus *bus;
  gint64 deadline; /* monotonic */
  RemixRun *run;
} Job;

static gboolean
fail (const Job *self, GError **error, const gchar *text)
{
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_ENCODER, "%s: %s",
      self->format ? self->format->text : "a GOP", text);
  return FALSE;
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  const gint64 *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

static guint32
find_rank (const Job *self, gint64 pts)
{
  guint rank = 0;

  g_array_binary_search (self->shown, &pts, compare_times, &rank);
  return rank;
}

static gboolean
list_pictures (Job *self, GError **error)
{
  RemixStreamCursor cursor;
  Picture picture = { { 0 } };
  gint64 first = 0;

  if (self->split->stop - self->split->first > MAX_SAMPLES)
    return fail (self, error, "the GOP is too long");
  remix_stream_cursor_init (&cursor, self->stream, self->split->first);
  while (cursor.next < self->split->stop &&
      remix_stream_cursor_next (&cursor, &picture.sample)) {
    if (!self->format) {
      self->format = picture.sample.format;
      first = picture.sample.pts;
    }
    /* Its leading pictures, which cannot be decoded. */
    if (picture.sample.pts < first)
      continue;
    if (!remix_format_equal (self->format, picture.sample.format))
      return fail (self, error, "the GOP changes its sample description");
    g_array_append_val (self->pictures, picture);
    g_array_append_val (self->shown, picture.sample.pts);
  }
  if (self->pictures->len == 0)
    return fail (self, error, "the GOP is empty");
  g_array_sort (self->shown, compare_times);
  return TRUE;
}

/* Which pictures are wanted, by their order. */
static gboolean
rank_pictures (Job *self, GError **error)
{
  gint64 first, last;
  guint i;

  for (i = 0; i < self->shown->len; i++) {
    gint64 pts = g_array_index (self->shown, gint64, i);

    if (i > 0 && pts == g_array_index (self->shown, gint64, i - 1))
      return fail (self, error, "two pictures are shown at one time");
    if (pts < self->split->from)
      self->first_rank++;
    else if (pts < self->split->to)
      self->n_wanted++;
  }
  for (i = 0; i < self->pictures->len; i++) {
    Picture *picture = &g_array_index (self->pictures, Picture, i);

    picture->rank = find_rank (self, picture->sample.pts);
  }
  if (self->n_wanted == 0)
    return fail (self, error, "no picture is left of the GOP");
  first = g_array_index (self->shown, gint64, 0);
  last = g_array_index (self->shown, gint64, self->shown->len - 1);
  self->frame = self->shown->len > 1
      ? gst_util_uint64_scale ((guint64) (last - first), GST_SECOND,
            (guint64) self->stream->timescale * (self->shown->len - 1))
      : 40 * GST_MSECOND;
  self->frame = MAX (self->frame, GST_MSECOND);
  return TRUE;
}

static gboolean
choose_codec (Job *self, GError **error)
{
  for (self->codec = 0; self->codec < G_N_ELEMENTS (codecs); self->codec++) {
    if (codecs[self->codec].codec == self->format->codec)
      break;
  }
  if (self->codec == G_N_ELEMENTS (codecs) || !self->format->config)
    return fail (self, error, "no encoder is known for it");
  return TRUE;
}

/* The encoder has to keep to the source's profile: 8 or 10 bits, 4:2:0. */
static const gchar *
get_profile (const Job *self)
{
  const guint8 *config = g_bytes_get_data (self->format->config, NULL);
  gsize size = g_bytes_get_size (self->format->config);

  if (size < (self->format->codec == AVC ? 7 : 13))
    return NULL;
  if (self->format->codec != AVC) {
    static const gchar *const profiles[] = { "main", "main-10" };
    guint profile = config[1] & 31;

    return profile == 1 || profile == 2 ? profiles[profile - 1] : NULL;
  }
  switch (config[1]) {
    case 66:
      return "constrained-baseline";
    case 77:
      return "main";
    case 100:
      return "high";
    case 110:
      return "high-10";
    default:
      return NULL;
  }
}

/* Lets through what is wanted. */
static GstPadProbeReturn
on_decoded (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  const Job *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  guint64 rank;

  if (!GST_BUFFER_PTS_IS_VALID (buffer))
    return GST_PAD_PROBE_DROP;
  rank = (GST_BUFFER_PTS (buffer) + self->frame / 2) / self->frame;
  return rank >= self->first_rank && rank < self->first_rank + self->n_wanted
      ? GST_PAD_PROBE_OK
      : GST_PAD_PROBE_DROP;
}

static gboolean
has_elements (const Job *self)
{
  const gchar *names[] = { codecs[self->codec].decoder,
    codecs[self->codec].encoder, codecs[self->codec].parser, "appsrc",
    "appsink" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstElementFactory) factory =
        names[i] ? gst_element_factory_find (names[i]) : NULL;

    if (names[i] && !factory)
      return FALSE;
  }
  return TRUE;
}

static void
set_caps (Job *self, const gchar *profile)
{
  g_autoptr (GstElement) filter =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "filter");
  g_autoptr (GstCaps) in = gst_caps_from_string (codecs[self->codec].caps);
  g_autoptr (GstCaps) out = gst_caps_from_string (codecs[self->codec].caps);
  g_autoptr (GstBuffer) codec_data =
      gst_buffer_new_wrapped_bytes (self->format->config);
  gint rate_n, rate_d;

  gst_util_double_to_fraction ((gdouble) GST_SECOND / (gdouble) self->frame,
      &rate_n, &rate_d);
  gst_caps_set_simple (in, "codec_data", GST_TYPE_BUFFER, codec_data, "width",
      G_TYPE_INT, (gint) self->format->width, "height", G_TYPE_INT,
      (gint) self->format->height, "framerate", GST_TYPE_FRACTION, rate_n,
      rate_d, NULL);
  gst_caps_set_simple (out, "profile", G_TYPE_STRING, profile, NULL);
  g_object_set (self->src, "caps", in, NULL);
  g_object_set (filter, "caps", out, NULL);
}

/* What a level allows, in kbit/s (H.264, table A-1); 0 if it is none. */
static guint
get_max_bitrate (guint level)
{
  static const struct
  {
    guint level, kbps;
  } levels[] = { { 9, 128 }, { 10, 64 }, { 11, 192 }, { 12, 384 }, { 13, 768 },
    { 20, 2000 }, { 21, 4000 }, { 22, 4000 }, { 30, 10000 }, { 31, 14000 },
    { 32, 20000 }, { 40, 20000 }, { 41, 50000 }, { 42, 50000 }, { 50, 135000 },
    { 51, 240000 }, { 52, 240000 } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (levels); i++) {
    if (levels[i].level == level)
      return levels[i].kbps;
  }
  return 0;
}

/* The source's level: what it was played by so far. */
static gboolean
set_level (Job *self, GError **error)
{
  const guint8 *config = g_bytes_get_data (self->format->config, NULL);
  g_autoptr (GstElement) encoder =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "encoder");
  g_autofree gchar *options = NULL;

  if (self->format->codec == AVC) {
    guint kbps = get_max_bitrate (config[3]);

    if (kbps == 0)
      return fail (self, error, "its level is not known");
    options = g_strdup_printf ("scenecut=0:mbtree=0:level=%u", config[3]);
    g_object_set (encoder, "bitrate", MIN (kbps, 100u * 1024), NULL);
  } else {
    options = g_strdup_printf (
        "crf=17:bframes=0:pools=none:frame-threads=1:wpp=0:scenecut=0:"
        "open-gop=0:rc-lookahead=0:lookahead-slices=0:log-level=none:info=0:"
        "high-tier=%d:level-idc=%u",
        config[1] >> 5 & 1, config[12] / 3);
  }
  g_object_set (encoder, "option-string", options, NULL);
  return TRUE;
}

static gboolean
make_pipeline (Job *self, GError **error)
{
  const gchar *profile = get_profile (self);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GstPad) pad = NULL;

  if (!profile)
    return fail (self, error, "its profile is none that is encoded here");
  if (!has_elements (self))
    return fail (self, error, "its decoder or encoder is not installed");
  self->pipeline = gst_parse_launch (codecs[self->codec].description, &cause);
  if (!self->pipeline || cause)
    return fail (self, error, cause ? cause->message : "no pipeline");
  gst_object_ref_sink (self->pipeline);
  self->bus = gst_element_get_bus (self->pipeline);
  self->src = gst_bin_get_by_name (GST_BIN (self->pipeline), "src");
  self->decoder = gst_bin_get_by_name (GST_BIN (self->pipeline), "decoder");
  self->sink = gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");
  set_caps (self, profile);
  if (!set_level (self, error))
    return FALSE;
  pad = gst_element_get_static_pad (self->decoder, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_decoded, self, NULL);
  self->deadline = g_get_monotonic_time () + PATIENCE;
  return gst_element_set_state (self->pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE ||
      fail (self, error, "its encoder does not start");
}

/* Waits no longer than @timeout for an error of the pipeline's. */
static gboolean
check (Job *self, GstClockTime timeout, GError **error)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (self->bus, timeout, GST_MESSAGE_ERROR);
  g_autoptr (GError) cause = NULL;

  if (message) {
    gst_message_parse_error (message, &cause, NULL);
    return fail (self, error, cause->message);
  }
  if (g_cancellable_is_cancelled (self->cancellable)) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  return g_get_monotonic_time () < self->deadline ||
      fail (self, error, "its encoder hangs");
}

static gboolean
wait_for_room (Job *self, GError **error)
{
  guint64 queued = 0;

  for (;;) {
    g_object_get (self->src, "current-level-bytes", &queued, NULL);
    if (!check (self, queued > MAX_QUEUED ? 10 * GST_MSECOND : 0, error))
      return FALSE;
    if (queued <= MAX_QUEUED)
      return TRUE;
  }
}

static gboolean
push_picture (Job *self, guint i, GError **error)
{
  const Picture *picture = &g_array_index (self->pictures, Picture, i);
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_allocate (NULL, picture->sample.size, NULL);
  GstFlowReturn ret = GST_FLOW_OK;
  GstMapInfo map;
  gboolean ok;

  if (!buffer || !gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    return fail (self, error, "no memory");
  ok = self->read (self->user_data, picture->sample.source,
      picture->sample.offset, map.data, map.size, error);
  gst_buffer_unmap (buffer, &map);
  if (!ok || !wait_for_room (self, error))
    return FALSE;
  GST_BUFFER_PTS (buffer) = picture->rank * self->frame;
  GST_BUFFER_DURATION (buffer) = self->frame;
  if (!picture->sample.sync)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  g_signal_emit_by_name (self->src, "push-buffer", buffer, &ret);
  self->deadline = g_get_monotonic_time () + PATIENCE;
  return TRUE;
}

static gboolean
push_all (Job *self, GError **error)
{
  GstFlowReturn ret;
  guint i;

  for (i = 0; i < self->pictures->len; i++) {
    if (!push_picture (self, i, error))
      return FALSE;
  }
  g_signal_emit_by_name (self->src, "end-of-stream", &ret);
  return TRUE;
}

static gboolean
take_picture (Job *self, GstSample *sample, GError **error)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  guint n = self->run->pictures->len;
  RemixPicture picture = { self->run->data->len };
  GstMapInfo map;

  if (n >= self->n_wanted)
    return fail (self, error, "its encoder gives too many pictures");
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return fail (self, error, "no memory");
  picture.size = (guint32) map.size;
  picture.pts = g_array_index (self->shown, gint64, self->first_rank + n);
  picture.sync = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  g_byte_array_append (self->run->data, map.data, (guint) map.size);
  gst_buffer_unmap (buffer, &map);
  g_array_append_val (self->run->pictures, picture);
  self->deadline = g_get_monotonic_time () + PATIENCE;
  return TRUE;
}

/* The source's entry with the encoder's parameter sets. */
static RemixFormat *
make_format (const Job *self, GstBuffer *codec_data, GError **error)
{
  const RemixFormat *old = self->format;
  const guint8 *entry = g_bytes_get_data (old->entry, NULL);
  gsize size = g_bytes_get_size (old->entry), at = old->config_at;
  gsize behind = at + g_bytes_get_size (old->config);
  BmffWriter *writer = bmff_writer_new (size + 64);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (BmffBox) stsd = NULL;
  GstMapInfo map;

  gst_buffer_map (codec_data, &map, GST_MAP_READ);
  bmff_writer_begin_full_box (writer, FCC ('s', 't', 's', 'd'), 0, 0);
  bmff_writer_u32 (writer, 1);
  bmff_writer_u32 (writer, (guint32) (size - (behind - at) + map.size));
  bmff_writer_u32 (writer, old->codec);
  bmff_writer_bytes (writer, entry + 8, at - 8 - 8);
  bmff_writer_u32 (writer, (guint32) (8 + map.size));
  bmff_writer_bytes (writer, entry + at - 4, 4);
  bmff_writer_bytes (writer, map.data, map.size);
  bmff_writer_bytes (writer, entry + behind, size - behind);
  bmff_writer_end_box (writer);
  gst_buffer_unmap (codec_data, &map);
  bytes = bmff_writer_end (writer);
  stsd = bmff_box_parse (bytes, 0, error);
  if (!stsd || !bmff_box_parse_stsd (stsd, BMFF_HANDLER_VIDEO, error))
    return NULL;
  return remix_format_new (g_ptr_array_index (stsd->children, 0),
      BMFF_HANDLER_VIDEO, error);
}

/* A player that was chosen by the source's level has to cope with these. */
static gboolean
is_no_more_demanding (const Job *self, const RemixFormat *format)
{
  guint at = format->codec == AVC ? 3 : 12;
  const guint8 *old, *new;

  if (!format->config || g_bytes_get_size (format->config) <= at)
    return FALSE;
  old = g_bytes_get_data (self->format->config, NULL);
  new = g_bytes_get_data (format->config, NULL);
  return new[1] == old[1] && new[at] <= old[at];
}

static gboolean
take_format (Job *self, GstSample *sample, GError **error)
{
  const GstStructure *s =
      gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  const GValue *value = gst_structure_get_value (s, "codec_data");
  gint width = 0, height = 0;

  gst_structure_get_int (s, "width", &width);
  gst_structure_get_int (s, "height", &height);
  if (!value || width != (gint) self->format->width ||
      height != (gint) self->format->height)
    return fail (self, error, "its encoder gives pictures of another kind");
  self->run->format = make_format (self, gst_value_get_buffer (value), error);
  if (!self->run->format)
    return FALSE;
  return is_no_more_demanding (self, self->run->format) ||
      fail (self, error, "its encoder needs a higher profile or level");
}

static gboolean
pull_all (Job *self, GError **error)
{
  for (;;) {
    g_autoptr (GstSample) sample = NULL;
    gboolean eos = FALSE;

    g_signal_emit_by_name (self->sink, "try-pull-sample",
        (guint64) 100 * GST_MSECOND, &sample);
    if (!sample) {
      g_object_get (self->sink, "eos", &eos, NULL);
      if (eos)
        break;
    }
    if (!check (self, 0, error))
      return FALSE;
    if (sample && !self->run->format && !take_format (self, sample, error))
      return FALSE;
    if (sample && !take_picture (self, sample, error))
      return FALSE;
  }
  if (self->run->pictures->len == self->n_wanted &&
      g_array_index (self->run->pictures, RemixPicture, 0).sync)
    return TRUE;
  return fail (self, error, "its decoder or encoder gives too few pictures");
}

/* 4:2:0, no fields: what the encoder was told to expect. */
static gboolean
check_decoded (const Job *self, GError **error)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (self->decoder, "src");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *s = caps ? gst_caps_get_structure (caps, 0) : NULL;
  const gchar *mode = s ? gst_structure_get_string (s, "interlace-mode") : NULL;
  const gchar *format = s ? gst_structure_get_string (s, "format") : NULL;

  if ((g_strcmp0 (format, "I420") == 0 ||
          g_strcmp0 (format, "I420_10LE") == 0) &&
      (!mode || strcmp (mode, "progressive") == 0))
    return TRUE;
  return fail (self, error, "it is not progressive 4:2:0 of 8 or 10 bits");
}

static void
job_clear (Job *self)
{
  if (self->pipeline)
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_clear_object (&self->src);
  gst_clear_object (&self->decoder);
  gst_clear_object (&self->sink);
  gst_clear_object (&self->bus);
  gst_clear_object (&self->pipeline);
  g_array_unref (self->pictures);
  g_array_unref (self->shown);
}

RemixRun *
remix_encode (const RemixStream *stream, const RemixSplit *split,
    RemixReadFunc read, gpointer user_data, GCancellable *cancellable,
    GError **error)
{
  Job job = { stream, split, read, user_data, cancellable };
  gboolean ok;

  job.pictures = g_array_new (FALSE, FALSE, sizeof (Picture));
  job.shown = g_array_new (FALSE, FALSE, sizeof (gint64));
  job.run = remix_run_new ();
  ok = list_pictures (&job, error) && rank_pictures (&job, error) &&
      choose_codec (&job, error) && make_pipeline (&job, error) &&
      push_all (&job, error) && pull_all (&job, error) &&
      check_decoded (&job, error);
  job_clear (&job);
  if (!ok)
    g_clear_pointer (&job.run, remix_run_free);
  return job.run;
}
