/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan over any MP4: bytes 0 to 7 say how it is cut and laid out, the rest is the
 * source, which the playlist names twice. Refused with an error, or the tables add
 * up: each sample lies in the media data once, times rise, the size is the sum.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "smilremix/remix-layout.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_output (const RemixOutput *output)
{
  guint64 duration = 0;
  guint32 i;

  for (i = 0; i < output->samples->len; i++) {
    const RemixSample *sample =
        &g_array_index (output->samples, RemixSample, i);

    g_assert (sample->description < output->formats->len);
    g_assert (sample->composition >= 0);
    g_assert (sample->duration > 0);
    duration += sample->duration;
  }
  g_assert (duration == output->media_duration);
}

static guint64
sum_sizes (const RemixPlan *plan)
{
  guint64 sum = 0;
  guint i;
  guint32 j;

  for (i = 0; i < plan->outputs->len; i++) {
    const RemixOutput *output = g_ptr_array_index (plan->outputs, i);

    check_output (output);
    for (j = 0; j < output->samples->len; j++)
      sum += g_array_index (output->samples, RemixSample, j).size;
  }
  return sum;
}

static void
check_layout (const RemixPlan *plan, const RemixLayout *layout)
{
  guint64 boxes = 0, samples = 0, offset = 0;

  while (offset < layout->size) {
    guint64 left;
    const RemixExtent *extent = remix_layout_find (layout, offset, &left);

    g_assert (left > 0 && extent->offset == offset);
    if (extent->source == REMIX_SOURCE_BOXES)
      boxes += left;
    else
      samples += left;
    offset += left;
  }
  g_assert (boxes == layout->boxes->len);
  g_assert (samples == sum_sizes (plan));
}

static RemixPlaylist *
make_playlist (const uint8_t *control)
{
  g_autofree gchar *text = g_strdup_printf (
      "<smil><body><video src='/a' clipBegin='%ums' clipEnd='%ums' "
      "clipMode='%s'/><video src='/a' clipBegin='%ums' clipMode='%s'/>"
      "</body></smil>",
      control[0] * 16u, control[0] * 16u + 1u + control[1] * 64u,
      control[2] & 1 ? "sample" : "gop", control[3] * 16u,
      control[2] & 2 ? "sample" : "gop");

  return remix_playlist_parse (text, strlen (text), "file:///b", FALSE, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const RemixMovieLimits limits = { 1 << 20, 100000 };
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (BmffSource) source = NULL;
  g_autoptr (RemixMovie) movie = NULL;
  g_autoptr (RemixPlaylist) playlist = NULL;
  g_autoptr (GHashTable) movies = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (RemixPlan) plan = NULL;
  g_autoptr (RemixLayout) layout = NULL;
  g_autoptr (GError) error = NULL;
  RemixPlanOptions options;
  RemixLayoutOptions layout_options;

  if (size < 8)
    return 0;
  layout_options.fragment_duration = (data[2] & 4) ? data[4] * 10000000ull : 0;
  options.strict = data[2] & 8;
  options.in_band = (data[2] & 16) != 0;
  options.fragmented = layout_options.fragment_duration > 0;
  options.max_samples = 5000;
  options.encoder = NULL;
  bytes = g_bytes_new_static (data + 8, size - 8);
  source = bmff_source_new_bytes (bytes, 0);
  movie = remix_movie_load (source, "file:///a", 0, &limits, &error);
  g_assert ((movie == NULL) == (error != NULL));
  if (!movie)
    return 0;
  g_hash_table_insert (movies, movie->uri, movie);
  playlist = make_playlist (data);
  g_assert (playlist);
  plan = remix_plan_new (playlist, movies, &options, &error);
  g_assert ((plan == NULL) == (error != NULL));
  if (!plan)
    return 0;
  layout = remix_layout_new (plan, &layout_options, &error);
  g_assert ((layout == NULL) == (error != NULL));
  if (layout)
    check_layout (plan, layout);
  return 0;
}
