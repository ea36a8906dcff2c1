/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-load.h"

#include "remix-error.h"
#include "remix-plan.h"

/* Sources that are being opened at a time. */
#define MAX_OPENING 4

typedef struct
{
  const gchar *uri; /* the playlist's */
  RemixPlace place; /* where it is named first */
  RemixSource *source; /* while it is asked and not open; else NULL */
} Wanted;

static void
wanted_clear (gpointer wanted)
{
  remix_source_free (((Wanted *) wanted)->source);
}

static void
add_wanted (GArray *list, GHashTable *known, const gchar *uri, RemixPlace place)
{
  Wanted wanted = { uri, place };

  if (g_hash_table_add (known, (gpointer) uri))
    g_array_append_val (list, wanted);
}

static void
add_clip (GArray *list, GHashTable *known, const RemixClip *clip)
{
  guint i, j;

  for (i = 0; i < clip->segments->len; i++) {
    const RemixSegment *segment = g_ptr_array_index (clip->segments, i);

    for (j = 0; j < segment->media->len; j++) {
      const RemixMedia *media = g_ptr_array_index (segment->media, j);

      add_wanted (list, known, media->uri, media->place);
    }
  }
}

/* (element-type Wanted): each source once. */
static GArray *
list_sources (const RemixPlaylist *playlist)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  GArray *list = g_array_new (FALSE, FALSE, sizeof (Wanted));
  guint i;

  g_array_set_clear_func (list, wanted_clear);
  if (playlist->output_description)
    add_wanted (list, known, playlist->output_description,
        playlist->output_description_place);
  for (i = 0; i < playlist->clips->len; i++)
    add_clip (list, known, g_ptr_array_index (playlist->clips, i));
  return list;
}

/* What goes wrong is said when it is that source's turn, and it is asked anew. */
static void
ask_ahead (const RemixLoad *self, GArray *list, guint from)
{
  guint to = MIN (MIN (from + MAX_OPENING, list->len), self->max_sources);

  for (; from < to; from++) {
    Wanted *wanted = &g_array_index (list, Wanted, from);

    if (!wanted->source && remix_uri_is_http (wanted->uri))
      wanted->source = self->ask (self->user_data, wanted->uri, NULL);
  }
}

/* Adds it to the sources once it is open. */
static RemixSource *
open_source (const RemixLoad *self, Wanted *wanted, GCancellable *cancellable,
    GError **error)
{
  g_autoptr (RemixSource) source = g_steal_pointer (&wanted->source);

  if (self->sources->len >= MIN (self->max_sources, REMIX_MAX_SOURCES)) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT, "more than %u sources",
        self->sources->len);
    return NULL;
  }
  if (!source)
    source = self->ask (self->user_data, wanted->uri, error);
  if (!source || !remix_source_open (source, cancellable, error))
    return NULL;
  g_ptr_array_add (self->sources, source);
  return g_steal_pointer (&source);
}

static void
add_warnings (const RemixLoad *self, const RemixMovie *movie)
{
  guint i;

  for (i = 0; i < movie->warnings->len; i++)
    g_ptr_array_add (self->warnings,
        g_strdup (g_ptr_array_index (movie->warnings, i)));
}

static gboolean
load_movie (const RemixLoad *self, Wanted *wanted, GCancellable *cancellable,
    GError **error)
{
  RemixMovieLimits limits = { self->max_moov_size, REMIX_MAX_SAMPLES };
  RemixSource *source = open_source (self, wanted, cancellable, error);
  g_autoptr (BmffSource) reader = NULL;
  RemixMovie *movie;

  if (!source)
    return FALSE;
  reader = remix_source_to_bmff (source, cancellable);
  movie = remix_movie_load (reader, wanted->uri, self->sources->len - 1,
      &limits, error);
  if (!movie)
    return FALSE;
  g_hash_table_insert (self->movies, movie->uri, movie);
  add_warnings (self, movie);
  return TRUE;
}

gboolean
remix_load_playlist (const RemixLoad *self, const RemixPlaylist *playlist,
    GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) list = list_sources (playlist);
  guint i;

  for (i = 0; i < list->len; i++) {
    Wanted *wanted = &g_array_index (list, Wanted, i);

    ask_ahead (self, list, i);
    if (load_movie (self, wanted, cancellable, error))
      continue;
    g_prefix_error (error, "line %u, column %u: ", wanted->place.line,
        wanted->place.column);
    return FALSE;
  }
  return TRUE;
}
