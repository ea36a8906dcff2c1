/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Audio and text: what fills the time that video gives. */

#include "remix-build.h"

#include <gst/gst.h>

#include "remix-error.h"
#include "remix-params.h"

/* The parameter sets of a format that is new, for its sync samples. */
static gboolean
add_prefix (RemixBuild *self, const RemixFormat *format, GError **error)
{
  RemixOutput *output = self->output;
  RemixPrefix prefix = { self->memory->len };
  g_autoptr (GBytes) sets = NULL;
  guint nal_length;

  sets = remix_params_get (format, &nal_length, error);
  if (!sets)
    return FALSE;
  if (output->prefixes->len > 0 && nal_length != output->nal_length) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_MATCH,
        "%s has NAL units with lengths of %u bytes, that of the clips before of "
        "%u: with parameter sets in band they cannot share a sample description",
        format->text, nal_length, output->nal_length);
    return FALSE;
  }
  output->nal_length = nal_length;
  prefix.size = (guint32) g_bytes_get_size (sets);
  g_array_append_val (output->prefixes, prefix);
  g_byte_array_append (self->memory, g_bytes_get_data (sets, NULL),
      prefix.size);
  return TRUE;
}

gint
remix_build_format (RemixBuild *self, RemixFormat *format, GError **error)
{
  GPtrArray *formats = self->output->formats;
  guint i;

  if (format == self->last_format)
    return self->last_description;
  self->last_format = format;
  for (i = formats->len; i > 0; i--) {
    self->last_description = (gint) i - 1;
    if (remix_format_equal (g_ptr_array_index (formats, i - 1), format))
      return self->last_description;
  }
  if (formats->len >= 0x7fff) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
        "too many sample descriptions");
    self->last_format = NULL;
    return -1;
  }
  if (self->output->prefixes && !add_prefix (self, format, error)) {
    self->last_format = NULL;
    return -1;
  }
  g_ptr_array_add (formats, remix_format_ref (format));
  self->last_description = (gint) formats->len - 1;
  return self->last_description;
}

gboolean
remix_build_has_room (const RemixBuild *self, guint32 n, GError **error)
{
  if (n <= self->max_samples - self->output->samples->len)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
      "more than %u samples of %s", self->max_samples,
      remix_kind_to_string (self->output->kind));
  return FALSE;
}

gboolean
remix_build_append (RemixBuild *self, const RemixSample *sample, GError **error)
{
  if (!remix_build_has_room (self, 1, error))
    return FALSE;
  g_array_append_vals (self->output->samples, sample, 1);
  self->output->media_duration += sample->duration;
  return TRUE;
}

/* What lasts longer or shorter than the frames that it stands among would shift
 * all that comes behind it. */
static gboolean
check_silence_frame (const RemixBuild *self, const RemixFormat *format,
    GError **error)
{
  if (format->kind != REMIX_KIND_AUDIO ||
      self->frame == (gint64) remix_format_silence_frame (format))
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
      "%s is missing, and no silence is known for it in frames of "
      "%" G_GINT64_FORMAT " samples",
      format->text, self->frame);
  return FALSE;
}

gboolean
remix_build_silence (RemixBuild *self, RemixFormat *format, RemixSample *sample,
    GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  gint description;

  if (self->silence_made_for != format) {
    if (!check_silence_frame (self, format, error))
      return FALSE;
    bytes = remix_format_silence (format, error);
    description = bytes ? remix_build_format (self, format, error) : -1;
    if (description < 0)
      return FALSE;
    self->silence_sample.offset = self->memory->len;
    self->silence_sample.size = (guint32) g_bytes_get_size (bytes);
    self->silence_sample.source = REMIX_SOURCE_MEMORY;
    self->silence_sample.description = (guint16) description & 0x7fff;
    self->silence_sample.sync = TRUE;
    g_byte_array_append (self->memory, g_bytes_get_data (bytes, NULL),
        (guint) g_bytes_get_size (bytes));
    self->silence_made_for = format;
  }
  *sample = self->silence_sample;
  return TRUE;
}

/* The mean of the first durations: with a timescale of 1000 they alternate. */
static gint64
get_mean_duration (const RemixStream *stream, guint32 rate)
{
  RemixStreamCursor cursor;
  RemixStreamSample sample;
  gint64 sum = 0;
  guint n = 0;

  remix_stream_cursor_init (&cursor, stream, 0);
  /* Not the last one, which is often short. */
  while (n < 64 && (n == 0 || cursor.next + 1 < stream->n_samples) &&
      remix_stream_cursor_next (&cursor, &sample)) {
    sum += sample.duration;
    n++;
  }
  return remix_rescale (sum, stream->timescale, rate) / MAX (n, 1);
}

static gint64
snap (gint64 frame, const gint64 *sizes, guint n)
{
  guint i;

  for (i = 0; i < n; i++) {
    if (ABS (frame - sizes[i]) * 40 < sizes[i])
      return sizes[i];
  }
  return frame;
}

gint64
remix_build_audio_frame (const RemixStream *stream, guint32 rate,
    GError **error)
{
  static const gint64 aac[] = { 1024, 2048, 960, 1920 };
  const RemixTrack *track = g_array_index (stream->pieces, RemixPiece, 0).track;
  const RemixFormat *format = g_ptr_array_index (track->formats, 0);
  gint64 frame = get_mean_duration (stream, rate);

  if (format->object_type != 0)
    frame = snap (frame, aac, G_N_ELEMENTS (aac));
  if (frame >= 16)
    return frame;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
      "%s in frames of %" G_GINT64_FORMAT " samples is not supported",
      format->text, frame);
  return 0;
}

/* Walks a stream beside the grid of the output. */
typedef struct
{
  RemixBuild *build;
  const RemixStream *stream;
  RemixStreamCursor cursor;
  gboolean placed; /* the cursor stands behind the last frame that was used */
} Follower;

static gint64
to_output (const Follower *self, gint64 ticks)
{
  return remix_rescale (ticks, self->stream->timescale,
      self->build->output->timescale);
}

static gboolean
is_near (const Follower *self, const RemixStreamSample *sample, gint64 want,
    gint64 tolerance)
{
  gint64 at = to_output (self, sample->dts);

  /* A damaged source's time can be any: no difference that overflows. */
  return MAX (at, want) <= G_MAXINT64 - tolerance && at <= want + tolerance &&
      want <= at + tolerance;
}

/* The frame nearest to @want, in the output's timescale on the stream's
 * timeline. FALSE if there is none within half a frame. */
static gboolean
follow (Follower *self, gint64 want, RemixStreamSample *sample)
{
  gint64 frame = self->build->frame;
  RemixStreamCursor ahead = self->cursor;
  guint32 out = self->build->output->timescale;
  gint64 at;

  /* One behind the other, as long as rounding alone sets them apart. */
  if (self->placed && remix_stream_cursor_next (&ahead, sample) &&
      is_near (self, sample, want, frame * 3 / 4)) {
    self->cursor = ahead;
    return sample->dts < self->stream->end;
  }
  self->placed = FALSE;
  at = remix_rescale (want, out, self->stream->timescale);
  if (at >= self->stream->end)
    return FALSE;
  at += remix_rescale (frame / 2, out, self->stream->timescale);
  remix_stream_cursor_init (&self->cursor, self->stream,
      remix_stream_find_dts (self->stream, at));
  self->placed = remix_stream_cursor_next (&self->cursor, sample) &&
      is_near (self, sample, want, frame / 2 + 1) &&
      sample->dts < self->stream->end;
  return self->placed;
}

static gboolean
check_duration (const Follower *self, const RemixStreamSample *sample,
    GError **error)
{
  gint64 frame = self->build->frame;
  gint64 duration = to_output (self, sample->duration);

  if (ABS (duration - frame) <= frame / 8 + 1 ||
      self->cursor.next >= self->stream->n_samples)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
      "%s with a frame of %" G_GINT64_FORMAT " samples among such of "
      "%" G_GINT64_FORMAT " is not supported",
      sample->format->text, duration, frame);
  return FALSE;
}

static gboolean
append_frame (RemixBuild *self, Follower *follower, gint64 want, GError **error)
{
  RemixSample out = { 0 };
  RemixStreamSample in;

  if (follower->stream && follow (follower, want, &in)) {
    gint description;

    if (!check_duration (follower, &in, error))
      return FALSE;
    description = remix_build_format (self, in.format, error);
    if (description < 0)
      return FALSE;
    self->silence_format = in.format;
    out.offset = in.offset;
    out.size = in.size;
    out.source = (guint16) in.source;
    out.description = (guint16) description & 0x7fff;
  } else if (!remix_build_silence (self, self->silence_format, &out, error))
    return FALSE;
  out.sync = TRUE;
  out.duration = (guint32) self->frame;
  self->next_dts += self->frame;
  return remix_build_append (self, &out, error);
}

/* The grid of the whole title: that of the first clip's frames. What an encoder
 * puts in front of the first sound (priming) stays, hidden by the edit list; in
 * the midst of a source it is the frame before, which the first one overlaps. */
static void
set_grid (RemixBuild *self, const RemixStream *stream, gint64 begin)
{
  guint32 out = self->output->timescale;
  RemixStreamSample sample = { 0 };
  RemixStreamCursor cursor;
  gint64 wanted, first;

  self->grid_is_set = TRUE;
  self->output->media_time = 0;
  if (!stream)
    return;
  wanted = remix_rescale (begin, stream->timescale, out);
  remix_stream_cursor_init (&cursor, stream, 0);
  remix_stream_cursor_next (&cursor, &sample);
  first = remix_rescale (sample.dts, stream->timescale, out);
  if (first < wanted - 3 * self->frame) {
    guint32 index = remix_stream_find_dts (stream, begin);

    remix_stream_cursor_init (&cursor, stream, index > 0 ? index - 1 : 0);
    remix_stream_cursor_next (&cursor, &sample);
    first = remix_rescale (sample.dts, stream->timescale, out);
  }
  if (first <= wanted)
    self->output->media_time = (guint64) (wanted - first);
  else
    self->output->media_time =
        (guint64) ((self->frame - (first - wanted) % self->frame) %
            self->frame);
}

gboolean
remix_build_audio (RemixBuild *self, const RemixStream *stream, gint64 begin,
    const RemixSlot *slot, GError **error)
{
  guint32 out = self->output->timescale;
  gint64 slot_begin =
      remix_rescale ((gint64) slot->begin, slot->timescale, out);
  gint64 slot_end = remix_rescale ((gint64) slot->end, slot->timescale, out);
  Follower follower = { self, stream };
  gint64 offset;

  if (!self->grid_is_set)
    set_grid (self, stream, begin);
  offset =
      (stream ? remix_rescale (begin, stream->timescale, out) : 0) - slot_begin;
  for (;;) {
    gint64 at = self->next_dts - (gint64) self->output->media_time;

    /* A frame belongs to the clip that its middle falls into. The last clip is
     * filled to its end. */
    if (slot->last ? at >= slot_end : at + self->frame / 2 >= slot_end)
      return TRUE;
    if (!append_frame (self, &follower, at + offset, error))
      return FALSE;
  }
}

static gboolean
append_cue (RemixBuild *self, RemixSample *sample, gint64 end, GError **error)
{
  gint64 duration = end - self->next_dts;

  if (duration <= 0)
    return TRUE;
  if (duration > G_MAXUINT32) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
        "a cue that lasts too long");
    return FALSE;
  }
  sample->sync = TRUE;
  sample->duration = (guint32) duration;
  self->next_dts = end;
  return remix_build_append (self, sample, error);
}

static gboolean
append_no_cue (RemixBuild *self, gint64 end, GError **error)
{
  RemixSample sample;

  if (end <= self->next_dts)
    return TRUE;
  return remix_build_silence (self, self->silence_format, &sample, error) &&
      append_cue (self, &sample, end, error);
}

gboolean
remix_build_text (RemixBuild *self, const RemixStream *stream, gint64 begin,
    const RemixSlot *slot, GError **error)
{
  guint32 out = self->output->timescale;
  gint64 slot_begin =
      remix_rescale ((gint64) slot->begin, slot->timescale, out);
  gint64 slot_end = remix_rescale ((gint64) slot->end, slot->timescale, out);
  RemixStreamCursor cursor;
  RemixStreamSample in;

  if (!stream)
    return append_no_cue (self, slot_end, error);
  remix_stream_cursor_init (&cursor, stream,
      remix_stream_find_dts (stream, begin));
  while (remix_stream_cursor_next (&cursor, &in)) {
    gint64 from =
        slot_begin + remix_rescale (in.dts - begin, stream->timescale, out);
    gint64 to = slot_begin +
        remix_rescale (in.dts + in.duration - begin, stream->timescale, out);
    gint description = remix_build_format (self, in.format, error);
    RemixSample sample = { 0 };

    if (description < 0)
      return FALSE;
    if (from >= slot_end)
      break;
    if (to <= self->next_dts)
      continue;
    self->silence_format = in.format;
    sample.offset = in.offset;
    sample.size = in.size;
    sample.source = (guint16) in.source;
    sample.description = (guint16) description & 0x7fff;
    if (!append_no_cue (self, MIN (from, slot_end), error) ||
        !append_cue (self, &sample, MIN (to, slot_end), error))
      return FALSE;
  }
  return append_no_cue (self, slot_end, error);
}
