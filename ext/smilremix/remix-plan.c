/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-plan.h"

#include <string.h>

#include "remix-build.h"
#include "remix-condition.h"
#include "remix-error.h"
#include "remix-match.h"
#include "remix-params.h"

/* Beyond this a common timescale is given up for 90000, and times are rounded. */
#define MAX_TIMESCALE 20000000u
#define FALLBACK_TIMESCALE 90000u

/* What a clip gives to one track of the output. */
typedef struct
{
  RemixStream *stream; /* NULL: nothing, to be filled */
  const RemixRange *range; /* borrowed from the playlist */
} Part;

typedef struct
{
  const RemixPlaylist *playlist;
  GHashTable *movies;
  const RemixPlanOptions *options;
  RemixPlan *plan;
  GPtrArray *profile; /* (element-type RemixTrack) */
  RemixBuild *builds; /* one for each track of the output */
  Part *parts; /* clips × tracks */
  guint last_clip; /* that has media */
  const RemixEncoder *encoder; /* NULL: no GOP can be split */
  RemixConditions *conditions;
} Work;

/* How what leads is cut in a clip. */
typedef struct
{
  RemixCut whole;
  GArray *splices; /* RemixSplice: its parts, one behind the other */
} Cutting;

void
remix_plan_free (RemixPlan *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->outputs);
  g_array_unref (self->clip_times);
  g_array_unref (self->conditions);
  g_byte_array_unref (self->memory);
  g_ptr_array_unref (self->warnings);
  g_free (self);
}

static RemixPlan *
plan_new (void)
{
  RemixPlan *self = g_new0 (RemixPlan, 1);

  self->outputs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) remix_output_free);
  self->clip_times = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->conditions = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->memory = g_byte_array_new ();
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  return self;
}

static Part *
get_part (const Work *self, guint clip, guint track)
{
  return &self->parts[clip * self->profile->len + track];
}

static RemixClip *
get_clip (const Work *self, guint i)
{
  return g_ptr_array_index (self->playlist->clips, i);
}

static gchar *
clip_to_string (const Work *self, guint i)
{
  RemixPlace place = get_clip (self, i)->place;

  return g_strdup_printf ("clip %u (line %u, column %u): ", i + 1, place.line,
      place.column);
}

static gboolean
prefix_clip (const Work *self, guint i, GError **error)
{
  g_autofree gchar *prefix = clip_to_string (self, i);

  g_prefix_error (error, "%s", prefix);
  return FALSE;
}

/* All tracks of all sources of a segment. */
static GArray *
list_candidates (const Work *self, const RemixSegment *segment)
{
  GArray *candidates = g_array_new (FALSE, FALSE, sizeof (RemixCandidate));
  guint i, j;

  for (i = 0; i < segment->media->len; i++) {
    const RemixMedia *media = g_ptr_array_index (segment->media, i);
    const RemixMovie *movie = g_hash_table_lookup (self->movies, media->uri);

    for (j = 0; movie && j < movie->tracks->len; j++) {
      RemixCandidate c = { g_ptr_array_index (movie->tracks, j), movie, media };

      g_array_append_val (candidates, c);
    }
  }
  return candidates;
}

/* The tracks of the outputDescription, or of the first clip. */
static void
make_profile (Work *self)
{
  const RemixMovie *movie = self->playlist->output_description
      ? g_hash_table_lookup (self->movies, self->playlist->output_description)
      : NULL;
  guint i, j;

  self->profile = g_ptr_array_new ();
  for (i = 0; movie && i < movie->tracks->len; i++)
    g_ptr_array_add (self->profile, g_ptr_array_index (movie->tracks, i));
  for (i = 0; self->profile->len == 0 && i < self->playlist->clips->len; i++) {
    const RemixClip *clip = get_clip (self, i);
    g_autoptr (GArray) candidates = NULL;

    if (clip->segments->len == 0)
      continue;
    candidates = list_candidates (self, g_ptr_array_index (clip->segments, 0));
    for (j = 0; j < candidates->len; j++)
      g_ptr_array_add (self->profile,
          (gpointer) g_array_index (candidates, RemixCandidate, j).track);
  }
}

static gboolean
append_choice (const Work *self, guint clip_index, guint segment, guint track,
    const RemixCandidate *c, GError **error)
{
  const RemixClip *clip = get_clip (self, clip_index);
  Part *part = get_part (self, clip_index, track);
  const RemixSegment *previous;
  const RemixMedia *media;

  if (!part->stream) {
    if (segment > 0) {
      g_set_error (error, REMIX_ERROR, REMIX_ERROR_GAP,
          "%s has %s, the segment before it has not", c->movie->uri,
          remix_kind_to_string (c->track->kind));
      return FALSE;
    }
    part->stream = remix_stream_new ();
    part->range = clip->continuous ? &clip->range : &c->media->range;
  }
  previous = g_ptr_array_index (clip->segments, segment > 0 ? segment - 1 : 0);
  media = g_ptr_array_index (previous->media, 0);
  return remix_stream_append (part->stream, c->track, c->movie, media->uri,
      error);
}

/* Sound or text that only a later clip has. */
static gboolean
tell_left_out (const Work *self, guint clip, const GArray *candidates,
    GError **error)
{
  g_autofree gchar *text = remix_match_get_left_out (self->profile, candidates);
  g_autofree gchar *prefix = clip_to_string (self, clip);

  if (!text)
    return TRUE;
  if (self->options->strict) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_MATCH, "%s", text);
    return FALSE;
  }
  g_ptr_array_add (self->plan->warnings, g_strconcat (prefix, text, NULL));
  return TRUE;
}

static gboolean
match_segment (const Work *self, guint clip_index, guint segment_index,
    GError **error)
{
  const RemixClip *clip = get_clip (self, clip_index);
  const RemixSegment *segment =
      g_ptr_array_index (clip->segments, segment_index);
  g_autoptr (GArray) candidates = list_candidates (self, segment);
  g_autofree gint *choice = g_new0 (gint, self->profile->len + 1);
  guint i;

  if (!remix_match (self->profile, candidates, choice, error))
    return FALSE;
  if (segment_index == 0 &&
      !tell_left_out (self, clip_index, candidates, error))
    return FALSE;
  for (i = 0; i < self->profile->len; i++) {
    if (choice[i] < 0 && get_part (self, clip_index, i)->stream) {
      const RemixMedia *media = g_ptr_array_index (segment->media, 0);

      g_set_error (error, REMIX_ERROR, REMIX_ERROR_GAP,
          "%s has no %s, the segment before it has", media->uri,
          remix_kind_to_string (
              ((RemixTrack *) g_ptr_array_index (self->profile, i))->kind));
      return FALSE;
    }
    if (choice[i] >= 0 &&
        !append_choice (self, clip_index, segment_index, i,
            &g_array_index (candidates, RemixCandidate, choice[i]), error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
match_clips (Work *self, GError **error)
{
  guint i, j;

  for (i = 0; i < self->playlist->clips->len; i++) {
    const RemixClip *clip = get_clip (self, i);

    for (j = 0; j < clip->segments->len; j++) {
      if (!match_segment (self, i, j, error))
        return prefix_clip (self, i, error);
    }
    if (clip->segments->len > 0)
      self->last_clip = i;
  }
  return TRUE;
}

static guint64
common_multiple (guint64 a, guint64 b)
{
  guint64 x = a, y = b;

  while (y) {
    guint64 rest = x % y;

    x = y;
    y = rest;
  }
  return x ? a / x * b : 0;
}

/* The least common multiple of all sources', so that no time is rounded. */
static guint32
get_common_timescale (const Work *self, guint track)
{
  guint64 timescale = 1;
  guint i;

  for (i = 0; i < self->playlist->clips->len; i++) {
    const RemixStream *stream = get_part (self, i, track)->stream;

    if (stream)
      timescale = common_multiple (timescale, stream->timescale);
    if (timescale > MAX_TIMESCALE)
      return FALLBACK_TIMESCALE;
  }
  return (guint32) timescale;
}

/* Sound counts in samples: whatever a source's timescale is, its frames are whole
 * numbers of these. */
static gboolean
prepare_audio (const Work *self, guint track, GError **error)
{
  RemixBuild *build = &self->builds[track];
  guint i;

  if (build->silence_format->rate > 0)
    build->output->timescale = build->silence_format->rate;
  for (i = 0; i < self->playlist->clips->len; i++) {
    const RemixStream *stream = get_part (self, i, track)->stream;
    gint64 frame;

    if (!stream)
      continue;
    frame = remix_build_audio_frame (stream, build->output->timescale, error);
    if (frame == 0)
      return prefix_clip (self, i, error);
    if (build->frame == 0)
      build->frame = frame;
    if (frame != build->frame) {
      g_set_error (error, REMIX_ERROR, REMIX_ERROR_MATCH,
          "its audio is in frames of %" G_GINT64_FORMAT
          " samples, that of the clips before in such of %" G_GINT64_FORMAT,
          frame, build->frame);
      return prefix_clip (self, i, error);
    }
  }
  if (build->frame == 0) /* no clip has any: all silence */
    build->frame = remix_format_silence_frame (build->silence_format);
  return TRUE;
}

/* Cues whose times stand in the sample move with it; TTML's stand in the
 * document. */
static gboolean
check_text (const Work *self, guint track, GError **error)
{
  const RemixFormat *format = self->builds[track].silence_format;
  guint i;

  if (format->type == BMFF_FOURCC ('w', 'v', 't', 't') ||
      format->type == BMFF_FOURCC ('t', 'x', '3', 'g'))
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
      "text as %s cannot be remixed", format->text);
  for (i = 0; i + 1 < self->playlist->clips->len; i++) {
    if (get_part (self, i, track)->stream)
      break;
  }
  return prefix_clip (self, i, error);
}

static gboolean
prepare_output (Work *self, guint i, GError **error)
{
  const RemixTrack *track = g_ptr_array_index (self->profile, i);
  RemixOutput *output = remix_plan_add_output (self->plan, track->kind,
      track->handler, get_common_timescale (self, i));
  RemixBuild *build = &self->builds[i];

  memcpy (output->language, track->language, sizeof (output->language));
  output->tkhd_width = track->tkhd_width;
  output->tkhd_height = track->tkhd_height;
  build->output = output;
  build->memory = self->plan->memory;
  build->max_samples = self->options->max_samples;
  build->silence_format = g_ptr_array_index (track->formats, 0);
  if (self->options->in_band &&
      remix_params_are_possible (build->silence_format))
    output->prefixes = g_array_new (FALSE, FALSE, sizeof (RemixPrefix));
  if (track->kind == REMIX_KIND_AUDIO)
    return prepare_audio (self, i, error);
  if (track->kind == REMIX_KIND_TEXT)
    return check_text (self, i, error);
  return TRUE;
}

/* Video leads; without any, sound does, then text. */
static void
choose_leader (Work *self)
{
  RemixKind best = REMIX_KIND_OTHER;
  guint n_videos = 0, i;

  for (i = 0; i < self->profile->len; i++) {
    const RemixTrack *track = g_ptr_array_index (self->profile, i);

    n_videos += track->kind == REMIX_KIND_VIDEO;
    if (track->kind < best) {
      best = track->kind;
      self->plan->leader = i;
    }
  }
  /* Others would have to be split at the same pictures. */
  self->encoder = n_videos == 1 ? self->options->encoder : NULL;
}

/* The clip's cut, by what leads. */
static gboolean
cut_leader (Work *self, guint clip, const RemixSlot *slot, Cutting *cutting,
    GError **error)
{
  const Part *part = get_part (self, clip, self->plan->leader);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  RemixCutOptions options = { slot->first,
    slot->last && !self->options->fragmented, FALSE, self->options->strict };
  g_autofree gchar *prefix = clip_to_string (self, clip);
  guint i;

  if (part->stream->kind != REMIX_KIND_VIDEO)
    return remix_range_resolve (part->range, part->stream,
        &cutting->whole.begin, &cutting->whole.end, error);
  if (!remix_conditions_cut (self->conditions, cutting->splices,
          &cutting->whole, part->stream, part->range, slot, &options,
          self->encoder, warnings, error))
    return FALSE;
  for (i = 0; i < warnings->len; i++)
    g_ptr_array_add (self->plan->warnings,
        g_strconcat (prefix, g_ptr_array_index (warnings, i), NULL));
  return TRUE;
}

/* What is heard or read when the leader's cut begins. Both share a timeline,
 * unless the playlist gives another begin for this source. */
static gint64
get_begin (const Part *part, const Part *leader, const RemixCut *cut)
{
  guint32 from = leader->stream->timescale, to = part->stream->timescale;
  gint64 begin = remix_rescale (cut->begin, from, to);
  const RemixRange *mine = part->range, *its = leader->range;
  gint64 offset;

  if (mine == its || !mine->has_begin || !its->has_begin ||
      mine->begin.wallclock != its->begin.wallclock)
    return begin;
  offset = (gint64) remix_time_to_ticks (&mine->begin, to) -
      (gint64) remix_time_to_ticks (&its->begin, to);
  return begin + offset;
}

static gboolean
add_part (Work *self, guint clip, guint track, const Cutting *cutting,
    const RemixSlot *slot, GError **error)
{
  const Part *part = get_part (self, clip, track);
  const Part *leader = get_part (self, clip, self->plan->leader);
  RemixBuild *build = &self->builds[track];
  gint64 begin = part->stream ? get_begin (part, leader, &cutting->whole) : 0;
  RemixSplice own = { 0 };

  if (build->output->kind == REMIX_KIND_AUDIO)
    return remix_build_audio (build, part->stream, begin, slot, error);
  if (build->output->kind == REMIX_KIND_TEXT)
    return remix_build_text (build, part->stream, begin, slot, error);
  if (part == leader)
    return remix_build_parts (build, part->stream, &cutting->whole,
        cutting->splices, slot, error);
  return remix_cut_follow (&own.cut, part->stream, &cutting->whole,
             leader->stream->timescale, error) &&
      remix_build_video (build, part->stream, &own, slot, error);
}

static gboolean
add_parts (Work *self, guint clip, RemixSlot *slot, Cutting *cutting,
    GError **error)
{
  const Part *leader = get_part (self, clip, self->plan->leader);
  guint i;

  if (!cut_leader (self, clip, slot, cutting, error))
    return FALSE;
  slot->end +=
      (guint64) remix_rescale (cutting->whole.end - cutting->whole.begin,
          leader->stream->timescale, slot->timescale);
  for (i = 0; i < self->profile->len; i++) {
    if (!add_part (self, clip, i, cutting, slot, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_clip (Work *self, guint clip, GError **error)
{
  guint64 *time = &self->plan->duration;
  guint32 timescale = self->builds[self->plan->leader].output->timescale;
  const Part *leader = get_part (self, clip, self->plan->leader);
  RemixSlot slot = { *time, *time, timescale, *time == 0,
    clip == self->last_clip };
  Cutting cutting = { { 0 } };
  gboolean ok;

  if (!leader->stream) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_MATCH,
        "it has nothing of what leads the title");
    return FALSE;
  }
  cutting.splices = g_array_new (FALSE, FALSE, sizeof (RemixSplice));
  g_array_set_clear_func (cutting.splices, (GDestroyNotify) remix_splice_clear);
  ok = add_parts (self, clip, &slot, &cutting, error);
  g_array_unref (cutting.splices);
  *time = slot.end;
  return ok;
}

static void
note_clip_start (Work *self)
{
  guint i;

  g_array_append_val (self->plan->clip_times, self->plan->duration);
  for (i = 0; i < self->plan->outputs->len; i++) {
    RemixOutput *output = g_ptr_array_index (self->plan->outputs, i);

    g_array_append_val (output->clip_starts, output->samples->len);
  }
}

static gboolean
add_clips (Work *self, GError **error)
{
  guint i;

  for (i = 0; i < self->playlist->clips->len; i++) {
    note_clip_start (self);
    remix_conditions_add (self->conditions, get_clip (self, i),
        self->plan->duration,
        self->builds[self->plan->leader].output->timescale);
    if (get_clip (self, i)->segments->len > 0 && !add_clip (self, i, error))
      return prefix_clip (self, i, error);
  }
  g_array_append_val (self->plan->clip_times, self->plan->duration);
  return TRUE;
}

static void
finish (Work *self)
{
  RemixOutput *leader =
      g_ptr_array_index (self->plan->outputs, self->plan->leader);
  guint i;

  for (i = 0; i < self->plan->outputs->len; i++) {
    RemixOutput *output = g_ptr_array_index (self->plan->outputs, i);

    if (output->kind == REMIX_KIND_VIDEO)
      remix_build_video_finish (&self->builds[i]);
    if (output->prefixes && output->formats->len > 0)
      output->entry = remix_params_make_entry (output->formats);
    output->duration = (guint64) remix_rescale ((gint64) self->plan->duration,
        leader->timescale, output->timescale);
    if (output->kind == REMIX_KIND_VIDEO && !output->entry &&
        output->formats->len > 1)
      g_ptr_array_add (self->plan->warnings,
          g_strdup_printf ("the video has %u sample descriptions, which not "
                           "every player follows",
              output->formats->len));
  }
}

static gboolean
run (Work *self, GError **error)
{
  guint i;

  make_profile (self);
  if (self->profile->len == 0) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
        "no source has a track that can be remixed");
    return FALSE;
  }
  self->parts = g_new0 (Part, self->playlist->clips->len * self->profile->len);
  self->builds = g_new0 (RemixBuild, self->profile->len);
  choose_leader (self);
  if (!match_clips (self, error))
    return FALSE;
  for (i = 0; i < self->profile->len; i++) {
    if (!prepare_output (self, i, error))
      return FALSE;
  }
  if (!add_clips (self, error))
    return FALSE;
  finish (self);
  return remix_build_events (self->plan, self->playlist, self->options,
             error) &&
      remix_conditions_finish (self->conditions, self->plan,
          self->options->strict, error);
}

RemixPlan *
remix_plan_new (const RemixPlaylist *playlist, GHashTable *movies,
    const RemixPlanOptions *options, GError **error)
{
  g_autoptr (RemixPlan) plan = plan_new ();
  Work work = { playlist, movies, options, plan };
  gboolean ok;
  guint i;

  work.conditions = remix_conditions_new ();
  ok = run (&work, error);

  for (i = 0; work.parts && i < playlist->clips->len * work.profile->len; i++)
    remix_stream_free (work.parts[i].stream);
  g_free (work.parts);
  g_free (work.builds);
  remix_conditions_free (work.conditions);
  g_ptr_array_unref (work.profile);
  return ok ? g_steal_pointer (&plan) : NULL;
}
