/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-title.h"

#include <string.h>

#include <gst/gst.h>

#include "remix-ahead.h"
#include "remix-encode.h"
#include "remix-error.h"
#include "remix-layout.h"
#include "remix-load.h"
#include "remix-params.h"
#include "remix-playlist.h"
#include "remix-source.h"

struct _RemixTitle
{
  const RemixTitleOptions *options; /* only while opening */
  gchar *uri; /* of the playlist; NULL if it was given inline */
  gchar *base; /* what its addresses refer to */
  RemixPolicy *policy;
  RemixHttp *http; /* NULL until it is needed */
  GPtrArray *sources; /* RemixSource */
  GHashTable *movies; /* URI → RemixMovie; only while opening */
  GPtrArray *warnings;
  RemixPlan *plan;
  RemixLayout *layout;
  RemixAhead *ahead;
  RemixDocument *document; /* the playlist, if it came over HTTP */
  gchar *etag;
};

static void
add_warnings (RemixTitle *self, const GPtrArray *warnings)
{
  guint i;

  for (i = 0; i < warnings->len; i++)
    g_ptr_array_add (self->warnings,
        g_strdup (g_ptr_array_index (warnings, i)));
}

static RemixHttp *
get_http (RemixTitle *self, GError **error)
{
  if (!self->http)
    self->http = remix_http_new (self->options->timeout, error);
  return self->http;
}

/* A source by its scheme; one of HTTP has still to be opened. */
static RemixSource *
ask_source (gpointer user_data, const gchar *uri, GError **error)
{
  RemixTitle *self = user_data;
  RemixHttp *http;

  if (!remix_policy_check_uri (self->policy, uri, error))
    return NULL;
  if (remix_uri_is_file (uri))
    return remix_source_open_file (uri, self->policy, error);
  http = get_http (self, error);
  return http ? remix_source_ask_http (http, uri, self->policy) : NULL;
}

static gboolean
load_movies (RemixTitle *self, const RemixPlaylist *playlist,
    GCancellable *cancellable, GError **error)
{
  RemixLoad load = { ask_source, self, self->options->max_sources,
    self->options->max_moov_size, self->sources, self->movies, self->warnings };

  return remix_load_playlist (&load, playlist, cancellable, error);
}

/* A document of no more than the limit; one byte more tells that it is longer. */
static gboolean
read_document (RemixTitle *self, GByteArray *text, GCancellable *cancellable,
    GError **error)
{
  g_autoptr (RemixSource) source = ask_source (self, self->uri, error);

  if (!source || !remix_source_open (source, cancellable, error))
    return FALSE;
  g_byte_array_set_size (text,
      (guint) MIN (source->size, (guint64) REMIX_XML_MAX_SIZE + 1));
  return remix_source_read (source, 0, text->data, text->len, cancellable,
      error);
}

/* Where the server redirected to is where the playlist is. */
static void
move_base (RemixTitle *self)
{
  /* No connection that another policy allowed. */
  g_clear_pointer (&self->http, remix_http_free);
  g_free (self->base);
  self->base = g_strdup (self->document->uri);
  remix_policy_free (self->policy);
  self->policy = remix_policy_new (self->base, self->options->allowed_schemes,
      self->options->root);
}

/* A server that makes playlists need not give ranges of them. */
static gboolean
fetch_document (RemixTitle *self, GByteArray *text, GCancellable *cancellable,
    GError **error)
{
  RemixHttp *http = get_http (self, error);
  gboolean host_is_public = TRUE;
  gconstpointer data;
  gsize size;

  if (http)
    self->document =
        remix_http_get (http, self->uri, self->policy, REMIX_XML_MAX_SIZE + 1,
            self->options->known, &host_is_public, cancellable, error);
  if (!self->document)
    return FALSE;
  data = g_bytes_get_data (self->document->bytes, &size);
  g_byte_array_append (text, data, (guint) size);
  if (strcmp (self->base, self->document->uri) != 0)
    move_base (self);
  if (host_is_public)
    remix_policy_pin_host (self->policy);
  return TRUE;
}

/* Where the playlist is, and so what it may name. One that is given inline is
 * the application's own word. */
static gboolean
set_location (RemixTitle *self, GError **error)
{
  const RemixTitleOptions *options = self->options;

  if (!options->playlist && !options->location) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_NOT_FOUND,
        "neither location nor playlist is set");
    return FALSE;
  }
  if (options->location)
    self->base = remix_uri_from_location (options->location, error);
  else {
    g_autofree gchar *folder = g_get_current_dir ();
    g_autofree gchar *inside = g_build_filename (folder, "playlist", NULL);

    self->base = g_filename_to_uri (inside, NULL, error);
  }
  if (!self->base)
    return FALSE;
  if (!options->playlist)
    self->uri = g_strdup (self->base);
  self->policy =
      remix_policy_new (self->base, options->allowed_schemes, options->root);
  return TRUE;
}

static RemixPlaylist *
read_playlist (RemixTitle *self, GChecksum *checksum, GCancellable *cancellable,
    GError **error)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  RemixPlaylist *playlist;

  if (self->options->playlist)
    g_byte_array_append (text, (const guint8 *) self->options->playlist,
        (guint) MIN (strlen (self->options->playlist),
            (gsize) REMIX_XML_MAX_SIZE + 1));
  else if (remix_uri_is_http (self->uri)
          ? !fetch_document (self, text, cancellable, error)
          : !read_document (self, text, cancellable, error))
    return NULL;
  g_checksum_update (checksum, text->data, text->len);
  playlist = remix_playlist_parse ((const gchar *) text->data, text->len,
      self->base, self->options->strict, error);
  if (!playlist && self->uri)
    g_prefix_error (error, "%s: ", self->uri);
  return playlist;
}

static void
seal (RemixTitle *self, GChecksum *checksum)
{
  guint64 numbers[] = { self->options->fragment_duration, self->layout->size,
    (guint64) self->options->in_band };
  guint i;

  for (i = 0; i < self->sources->len; i++) {
    const RemixSource *source = g_ptr_array_index (self->sources, i);

    g_checksum_update (checksum, (const guchar *) source->uri, -1);
    if (source->etag)
      g_checksum_update (checksum, (const guchar *) source->etag, -1);
  }
  g_checksum_update (checksum, (const guchar *) numbers, sizeof (numbers));
  /* What was encoded: another version of an encoder gives other bytes. */
  g_checksum_update (checksum, self->plan->memory->data,
      self->plan->memory->len);
  self->etag = g_strdup (g_checksum_get_string (checksum));
}

typedef struct
{
  RemixTitle *title;
  GCancellable *cancellable;
} Encoding;

static gboolean
read_sample (gpointer user_data, guint source, guint64 offset, guint8 *dest,
    gsize size, GError **error)
{
  const Encoding *self = user_data;

  return remix_source_read (g_ptr_array_index (self->title->sources, source),
      offset, dest, size, self->cancellable, error);
}

static RemixRun *
encode (gpointer user_data, const RemixStream *stream, const RemixSplit *split,
    GError **error)
{
  const Encoding *self = user_data;

  return remix_encode (stream, split, read_sample, user_data, self->cancellable,
      error);
}

static gboolean
open_title (RemixTitle *self, GCancellable *cancellable, GError **error)
{
  const RemixTitleOptions *options = self->options;
  Encoding encoding = { self, cancellable };
  RemixEncoder encoder = { encode, &encoding };
  RemixPlanOptions plan_options = { options->strict, options->in_band,
    options->fragment_duration > 0, options->encode ? &encoder : NULL,
    REMIX_MAX_SAMPLES };
  RemixLayoutOptions layout_options = { options->fragment_duration };
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (RemixPlaylist) playlist = NULL;

  if (!set_location (self, error))
    return FALSE;
  playlist = read_playlist (self, checksum, cancellable, error);
  if (!playlist)
    return FALSE;
  add_warnings (self, playlist->warnings);
  if (!load_movies (self, playlist, cancellable, error))
    return FALSE;
  self->plan = remix_plan_new (playlist, self->movies, &plan_options, error);
  if (!self->plan)
    return FALSE;
  add_warnings (self, self->plan->warnings);
  self->layout = remix_layout_new (self->plan, &layout_options, error);
  if (!self->layout)
    return FALSE;
  self->ahead =
      remix_ahead_new (self->layout, self->sources, options->read_ahead);
  seal (self, checksum);
  return TRUE;
}

RemixTitle *
remix_title_open (const RemixTitleOptions *options, GCancellable *cancellable,
    GError **error)
{
  g_autoptr (RemixTitle) self = g_new0 (RemixTitle, 1);
  gboolean ok;

  self->options = options;
  self->sources =
      g_ptr_array_new_with_free_func ((GDestroyNotify) remix_source_free);
  self->movies = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
      (GDestroyNotify) remix_movie_free);
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  ok = open_title (self, cancellable, error);
  g_clear_pointer (&self->movies, g_hash_table_unref);
  self->options = NULL;
  return ok ? g_steal_pointer (&self) : NULL;
}

void
remix_title_free (RemixTitle *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->sources, g_ptr_array_unref);
  remix_http_free (self->http);
  g_free (self->uri);
  g_free (self->base);
  remix_policy_free (self->policy);
  g_clear_pointer (&self->movies, g_hash_table_unref);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
  remix_ahead_free (self->ahead);
  remix_document_unref (self->document);
  remix_layout_free (self->layout);
  remix_plan_free (self->plan);
  g_free (self->etag);
  g_free (self);
}

guint64
remix_title_get_size (RemixTitle *self)
{
  return self->layout->size;
}

guint64
remix_title_get_duration (RemixTitle *self)
{
  const RemixOutput *leader =
      g_ptr_array_index (self->plan->outputs, self->plan->leader);

  return gst_util_uint64_scale_round (self->plan->duration, GST_SECOND,
      leader->timescale);
}

const GPtrArray *
remix_title_get_warnings (RemixTitle *self)
{
  return self->warnings;
}

const gchar *
remix_title_get_etag (RemixTitle *self)
{
  return self->etag;
}

RemixDocument *
remix_title_get_document (RemixTitle *self)
{
  return self->document;
}

/* Bytes that lie in memory; NULL if they are a source's. */
static const GByteArray *
get_memory (const RemixTitle *self, const RemixExtent *extent)
{
  if (extent->source == REMIX_SOURCE_BOXES)
    return self->layout->boxes;
  return extent->source >= REMIX_SOURCE_SETS ? self->plan->memory : NULL;
}

#define BATCH_SIZE 128

/* Parts of one source that are read together. */
typedef struct
{
  const RemixTitle *title;
  GCancellable *cancellable;
  guint32 source;
  guint n;
  RemixPart parts[BATCH_SIZE];
} Batch;

static gboolean
flush_batch (Batch *self, GError **error)
{
  guint n = self->n;

  self->n = 0;
  return n == 0 ||
      remix_source_read_parts (g_ptr_array_index (self->title->sources,
                                   self->source),
          self->parts, n, self->cancellable, error);
}

static gboolean
read_extent (Batch *self, const RemixExtent *extent, guint64 skip, guint8 *dest,
    gsize size, GError **error)
{
  const GByteArray *memory = get_memory (self->title, extent);
  RemixPart part = { extent->source_offset + skip, dest, size };

  if (memory) {
    g_assert (part.offset <= memory->len && size <= memory->len - part.offset);
    memcpy (dest, memory->data + part.offset, size);
    return TRUE;
  }
  if ((self->n == BATCH_SIZE || self->source != extent->source) &&
      !flush_batch (self, error))
    return FALSE;
  self->source = extent->source;
  self->parts[self->n++] = part;
  return TRUE;
}

/* What is being read of the output. */
typedef struct
{
  guint64 offset;
  guint8 *dest;
  gsize size;
} Window;

/* The first bytes of a sample, which may be among those that were read. */
static gboolean
peek_sample (RemixTitle *self, const RemixExtent *sample, const Window *window,
    guint8 *head, GCancellable *cancellable, GError **error)
{
  const GByteArray *memory = get_memory (self, sample);
  const gsize size = REMIX_MAX_DELIMITER;

  if (sample->offset >= window->offset &&
      sample->offset + size <= window->offset + window->size)
    memcpy (head, window->dest + (sample->offset - window->offset), size);
  else if (memory)
    memcpy (head, memory->data + sample->source_offset, size);
  else
    return remix_source_read (g_ptr_array_index (self->sources, sample->source),
        sample->source_offset, head, size, cancellable, error);
  return TRUE;
}

/* Puts the delimiter that the sample behind @sets starts with, if any, in front of
 * them; of these bytes the window may hold a part. */
static gboolean
order_sets (RemixTitle *self, const RemixExtent *sets, const Window *window,
    GCancellable *cancellable, GError **error)
{
  const RemixExtent *sample = sets + 1;
  gsize n_sets = (gsize) (sample->offset - sets->offset), delimiter;
  guint kind = sets->source - REMIX_SOURCE_SETS;
  guint64 from = MAX (sets->offset, window->offset), to;
  g_autofree guint8 *bytes = g_malloc (n_sets + REMIX_MAX_DELIMITER);
  guint8 head[REMIX_MAX_DELIMITER];

  if (!peek_sample (self, sample, window, head, cancellable, error))
    return FALSE;
  delimiter =
      remix_params_find_delimiter (head, sizeof (head), kind & 7, kind & 8);
  to = MIN (sample->offset + delimiter, window->offset + window->size);
  if (delimiter == 0 || from >= to)
    return TRUE;
  memcpy (bytes, head, delimiter);
  memcpy (bytes + delimiter, self->plan->memory->data + sets->source_offset,
      n_sets);
  memcpy (window->dest + (from - window->offset), bytes + (from - sets->offset),
      (gsize) (to - from));
  return TRUE;
}

static gboolean
order_all_sets (RemixTitle *self, const Window *window,
    GCancellable *cancellable, GError **error)
{
  guint64 end = window->offset + window->size, left;
  const RemixExtent *extent =
      remix_layout_find (self->layout, window->offset, &left);
  const RemixExtent *sets = remix_layout_find_sets (extent, window->offset);

  for (extent = sets ? sets : extent; extent->offset < end; extent++) {
    if (remix_extent_is_sets (extent) &&
        !order_sets (self, extent, window, cancellable, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
remix_title_read (RemixTitle *self, guint64 offset, guint8 *dest, gsize size,
    GCancellable *cancellable, GError **error)
{
  Window window = { offset, dest, size };
  const RemixExtent *extent;
  guint64 left;
  Batch batch;

  g_return_val_if_fail (offset <= self->layout->size &&
          size <= self->layout->size - offset,
      FALSE);
  remix_ahead_move (self->ahead, offset, size);
  batch.title = self;
  batch.cancellable = cancellable;
  batch.source = REMIX_SOURCE_MEMORY;
  batch.n = 0;
  extent = remix_layout_find (self->layout, offset, &left);
  while (size > 0) {
    gsize n = (gsize) MIN (extent[1].offset - offset, (guint64) size);

    if (!read_extent (&batch, extent, offset - extent->offset, dest, n, error))
      return FALSE;
    offset += n;
    dest += n;
    size -= n;
    extent++;
  }
  return flush_batch (&batch, error) &&
      (!self->layout->has_sets ||
          order_all_sets (self, &window, cancellable, error));
}

gboolean
remix_title_is_remote (RemixTitle *self, guint64 offset)
{
  guint64 left;
  const RemixExtent *extent = remix_layout_find (self->layout, offset, &left);

  if (remix_extent_is_sets (extent))
    extent++;
  return !get_memory (self, extent) &&
      ((RemixSource *) g_ptr_array_index (self->sources, extent->source))
          ->remote;
}

guint
remix_title_get_skew (RemixTitle *self, guint64 offset, guint size, guint page)
{
  guint64 end = offset + size, longest = 0, left;
  const RemixExtent *extent = remix_layout_find (self->layout, offset, &left);
  guint skew = 0;

  /* Offsets of the longest extent in both; unsigned, they wrap as they should. */
  for (; extent->offset < end && extent->offset < self->layout->size;
       extent++) {
    guint64 from = MAX (extent->offset, offset);
    guint64 length = MIN (extent[1].offset, end) - from;

    if (get_memory (self, extent) || length <= longest)
      continue;
    longest = length;
    skew = (guint) ((extent->source_offset - extent->offset + offset) % page);
  }
  return skew;
}
