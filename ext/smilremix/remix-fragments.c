/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fragmented layout: ftyp, moov, sidx, then moof and mdat over and over. */

#include <gst/gst.h>

#include "remix-error.h"
#include "remix-layout-private.h"
#include "remix-moov.h"
#include "remix-time.h"

typedef struct
{
  const RemixPlan *plan;
  const RemixLayoutOptions *options;
  GArray *fragments; /* RemixFragment */
  /* Of each track, the next sample that is in no fragment yet, and its time. */
  guint32 *next;
  guint64 *dts;
  guint next_condition;
} Split;

static void
fragment_clear (gpointer data)
{
  RemixFragment *self = data;

  g_free (self->first);
  g_free (self->count);
  g_free (self->decode_time);
}

static RemixOutput *
get_output (const Split *self, guint i)
{
  return g_ptr_array_index (self->plan->outputs, i);
}

static const RemixSample *
get_sample (const RemixOutput *output, guint32 i)
{
  return &g_array_index (output->samples, RemixSample, i);
}

/* Whether any track goes on with another sample description at this clip. */
static gboolean
clip_changes_description (const Split *self, guint clip)
{
  guint i;

  for (i = 0; i < self->plan->outputs->len; i++) {
    const RemixOutput *output = get_output (self, i);
    guint32 at = g_array_index (output->clip_starts, guint32, clip);

    if (at > 0 && at < output->samples->len &&
        remix_output_get_description (output, get_sample (output, at)) !=
            remix_output_get_description (output, get_sample (output, at - 1)))
      return TRUE;
  }
  return FALSE;
}

/* A condition that has been reached: @time is on the title's timeline. */
static gboolean
take_condition (Split *self, guint64 time)
{
  const GArray *conditions = self->plan->conditions;
  gboolean reached = FALSE;

  while (self->next_condition < conditions->len &&
      g_array_index (conditions, guint64, self->next_condition) <= time) {
    self->next_condition++;
    reached = TRUE;
  }
  return reached;
}

/* Where a frame of another track belongs: sound by its middle, as the plan gives
 * it to clips; all else by its start. */
static gboolean
is_before (const RemixOutput *output, const RemixSample *sample, guint64 dts,
    gint64 boundary)
{
  gint64 at = (gint64) dts - (gint64) output->media_time;

  if (output->kind == REMIX_KIND_AUDIO)
    return at + sample->duration / 2 < boundary;
  if (output->kind == REMIX_KIND_VIDEO)
    return at + sample->composition + sample->duration / 2 < boundary ||
        (!sample->sync && at < boundary);
  return at < boundary;
}

/* Gives track @i's samples up to @boundary (in its timescale, on the title's
 * timeline) to @fragment. */
static void
take_until (Split *self, guint i, gint64 boundary, RemixFragment *fragment)
{
  const RemixOutput *output = get_output (self, i);

  fragment->first[i] = self->next[i];
  fragment->decode_time[i] = self->dts[i];
  while (self->next[i] < output->samples->len) {
    const RemixSample *sample = get_sample (output, self->next[i]);

    if (!is_before (output, sample, self->dts[i], boundary))
      break;
    fragment->data_size += sample->size;
    fragment->count[i]++;
    self->dts[i] += sample->duration;
    self->next[i]++;
  }
}

static gboolean
check_descriptions (const Split *self, const RemixFragment *fragment,
    GError **error)
{
  guint32 i, j;

  for (i = 0; i < self->plan->outputs->len; i++) {
    const RemixOutput *output = get_output (self, i);

    for (j = 1; j < fragment->count[i]; j++) {
      if (remix_output_get_description (output,
              get_sample (output, fragment->first[i] + j)) ==
          remix_output_get_description (output,
              get_sample (output, fragment->first[i])))
        continue;
      g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
          "a source changes its sample description within a clip, where no "
          "fragment can begin: use fragment-duration=0");
      return FALSE;
    }
  }
  return TRUE;
}

/* Ends a fragment in front of the leader's sample @stop, whose decoding time is
 * @stop_dts. */
static gboolean
end_fragment (Split *self, guint32 stop, guint64 stop_dts, GError **error)
{
  guint n = self->plan->outputs->len, leader = self->plan->leader, i;
  const RemixOutput *output = get_output (self, leader);
  gint64 boundary = G_MAXINT64;
  RemixFragment fragment = { g_new0 (guint32, n), g_new0 (guint32, n),
    g_new0 (guint64, n) };
  const RemixSample *first = get_sample (output, self->next[leader]);

  if (stop < output->samples->len)
    boundary = (gint64) stop_dts + get_sample (output, stop)->composition -
        (gint64) output->media_time;
  fragment.begin = self->dts[leader];
  fragment.end = stop_dts;
  fragment.sync = first->sync;
  fragment.earliest = (gint64) fragment.begin + first->composition -
      (gint64) output->media_time;
  fragment.first[leader] = self->next[leader];
  fragment.decode_time[leader] = fragment.begin;
  for (; self->next[leader] < stop; self->next[leader]++) {
    fragment.data_size += get_sample (output, self->next[leader])->size;
    fragment.count[leader]++;
  }
  self->dts[leader] = stop_dts;
  for (i = 0; i < n; i++) {
    const RemixOutput *other = get_output (self, i);

    if (i != leader)
      take_until (self, i,
          boundary == G_MAXINT64
              ? boundary
              : remix_rescale (boundary, output->timescale, other->timescale),
          &fragment);
  }
  g_array_append_val (self->fragments, fragment);
  return check_descriptions (self, &fragment, error);
}

/* Decides at each sync sample of the leader whether a fragment begins. */
static gboolean
split (Split *self, GError **error)
{
  const RemixOutput *leader = get_output (self, self->plan->leader);
  guint64 minimum = gst_util_uint64_scale (self->options->fragment_duration,
      leader->timescale, GST_SECOND);
  guint64 dts = 0;
  guint clip = 0;
  guint32 i;

  for (i = 0; i < leader->samples->len; i++) {
    const RemixSample *sample = get_sample (leader, i);
    gboolean forced = FALSE;

    for (; clip < leader->clip_starts->len &&
         g_array_index (leader->clip_starts, guint32, clip) <= i;
         clip++)
      forced = forced || clip_changes_description (self, clip);
    /* A GOP that was encoded anew may have an entry of its own. */
    forced = forced ||
        (i > 0 &&
            remix_output_get_description (leader, sample) !=
                remix_output_get_description (leader,
                    get_sample (leader, i - 1)));
    if (sample->sync) {
      gint64 time =
          (gint64) dts + sample->composition - (gint64) leader->media_time;

      forced = take_condition (self, (guint64) MAX (time, 0)) || forced;
      forced = forced || dts - self->dts[self->plan->leader] >= minimum;
      if (i > 0 && forced && !end_fragment (self, i, dts, error))
        return FALSE;
    }
    dts += sample->duration;
  }
  return end_fragment (self, leader->samples->len, dts, error);
}

static BmffWriter *
write_fragment (const Split *self, const RemixFragment *fragment, guint number)
{
  BmffWriter *writer = bmff_writer_new (0);

  remix_moov_write_moof (writer, self->plan, fragment, number);
  bmff_writer_u32 (writer, (guint32) fragment->data_size + 8);
  bmff_writer_u32 (writer, BMFF_FOURCC ('m', 'd', 'a', 't'));
  return writer;
}

static gboolean
measure (const Split *self, guint64 *sizes, GError **error)
{
  guint i;

  for (i = 0; i < self->fragments->len; i++) {
    const RemixFragment *fragment =
        &g_array_index (self->fragments, RemixFragment, i);
    BmffWriter *writer;

    if (fragment->data_size > G_MAXINT32 / 2) {
      g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
          "a fragment of %" G_GUINT64_FORMAT " bytes", fragment->data_size);
      return FALSE;
    }
    writer = write_fragment (self, fragment, i + 1);
    sizes[i] = bmff_writer_tell (writer) + fragment->data_size;
    bmff_writer_free (writer);
  }
  return TRUE;
}

static void
append_fragment (RemixLayout *layout, const Split *self,
    const RemixFragment *fragment, guint number)
{
  guint32 i, j;

  remix_layout_append_boxes (layout, write_fragment (self, fragment, number));
  for (i = 0; i < self->plan->outputs->len; i++) {
    for (j = 0; j < fragment->count[i]; j++)
      remix_layout_append_sample (layout, get_output (self, i),
          get_sample (get_output (self, i), fragment->first[i] + j));
  }
}

static gboolean
write_all (RemixLayout *layout, const Split *self, GError **error)
{
  guint n = self->fragments->len, i;
  g_autofree guint64 *sizes = g_new0 (guint64, n);
  BmffWriter *writer;

  if (!measure (self, sizes, error))
    return FALSE;
  writer = bmff_writer_new (0);
  remix_moov_write_ftyp (writer, TRUE);
  remix_moov_write (writer, self->plan, NULL, FALSE, NULL);
  /* The count has 16 bits; a longer title goes without an index. */
  if (n <= G_MAXUINT16)
    remix_moov_write_sidx (writer, self->plan,
        &g_array_index (self->fragments, RemixFragment, 0), sizes, n);
  remix_layout_append_boxes (layout, writer);
  for (i = 0; i < n; i++)
    append_fragment (layout, self,
        &g_array_index (self->fragments, RemixFragment, i), i + 1);
  return TRUE;
}

gboolean
remix_layout_fragmented (RemixLayout *layout, const RemixPlan *plan,
    const RemixLayoutOptions *options, GError **error)
{
  g_autofree guint32 *next = g_new0 (guint32, plan->outputs->len);
  g_autofree guint64 *dts = g_new0 (guint64, plan->outputs->len);
  g_autoptr (GArray) fragments =
      g_array_new (FALSE, FALSE, sizeof (RemixFragment));
  Split self = { plan, options, fragments, next, dts, 0 };

  g_array_set_clear_func (fragments, fragment_clear);
  return split (&self, error) && write_all (layout, &self, error);
}
