/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Maps the samples of other people's files: a Subsampler for each of a file's
 * tracks, made of its sample entry.
 */

#pragma once

#include "vectors.h"

#include "gst/subsample/subsample.h"

typedef struct
{
  const gchar *path;
  GHashTable *subsamplers; /* BmffTrack → Subsampler */
  GArray *ranges; /* ours, of the last sample */
  guint n_compared;
} Walk;

static inline void
walk_init (Walk *self, const gchar *path)
{
  self->path = path;
  self->subsamplers = g_hash_table_new_full (NULL, NULL, NULL,
      (GDestroyNotify) subsampler_free);
  self->ranges = g_array_new (FALSE, FALSE, sizeof (CencRange));
  self->n_compared = 0;
}

static inline void
walk_clear (Walk *self)
{
  g_hash_table_unref (self->subsamplers);
  g_array_unref (self->ranges);
}

static inline Subsampler *
get_subsampler (Walk *self, const TestSample *sample)
{
  Subsampler *subsampler =
      g_hash_table_lookup (self->subsamplers, sample->track);
  BmffBox *entry;
  GError *error = NULL;

  if (subsampler != NULL)
    return subsampler;
  entry = test_clear_entry (sample->entry);
  subsampler = subsampler_new (entry, &error);
  fail_unless (subsampler != NULL, "%s: %s", self->path,
      error ? error->message : "");
  bmff_box_free (entry);
  g_hash_table_insert (self->subsamplers, sample->track, subsampler);
  return subsampler;
}

static inline void
map_sample (Walk *self, const TestSample *sample)
{
  GError *error = NULL;

  if (!subsampler_map (get_subsampler (self, sample), sample->data,
          sample->size, self->ranges, &error))
    ck_abort_msg ("%s: sample %u: %s", self->path, sample->index,
        error->message);
}

static inline CencRange
nth (const GArray *ranges, guint i)
{
  return g_array_index (ranges, CencRange, i);
}
