/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stco and co64, ISO/IEC 14496-12, 8.7.5 */

#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-samples-private.h"

#define CO64 BMFF_FOURCC ('c', 'o', '6', '4')

/* The chunks of a track one by one, and whether each is in this file. */
typedef struct
{
  const BmffTrack *track;
  BmffBox *box;
  guint32 n_chunks, chunk; /* from 0 */
  BmffReader stsc;
  guint32 first_chunk; /* from 0: where the next entry of stsc starts */
  guint32 next_description;
  gboolean local;
} ChunkWalk;

static guint
chunk_size (const BmffBox *box)
{
  return box->type == CO64 ? 8 : 4;
}

static void
walk_next_stsc (ChunkWalk *self)
{
  self->first_chunk = bmff_reader_u32 (&self->stsc) - 1;
  bmff_reader_skip (&self->stsc, 4);
  self->next_description = bmff_reader_u32 (&self->stsc);
  /* None left: the last one goes on to the end. */
  if (!bmff_reader_ok (&self->stsc))
    self->first_chunk = G_MAXUINT32;
}

/* FALSE without error if the track has no chunks. */
static gboolean
walk_init (ChunkWalk *self, const BmffTrack *track, GError **error)
{
  BmffBox *stsc =
      bmff_box_child (track->stbl, BMFF_FOURCC ('s', 't', 's', 'c'));
  ChunkWalk walk = { .track = track, .first_chunk = G_MAXUINT32 };
  BmffReader reader;

  *self = walk;
  self->local = bmff_track_is_local (track, 1);
  if (!bmff_stbl_find_chunks (track->stbl, &self->box, error) ||
      self->box == NULL)
    return FALSE;
  if (!bmff_box_get_full_reader (self->box, &reader, NULL, NULL, error))
    return FALSE;
  self->n_chunks = bmff_reader_u32 (&reader);
  if (!bmff_reader_ok (&reader) ||
      !bmff_reader_has (&reader, self->n_chunks, chunk_size (self->box))) {
    bmff_box_set_error (self->box, error, BMFF_ERROR_TRUNCATED,
        "it ends before its %u chunks do", self->n_chunks);
    return FALSE;
  }
  if (stsc != NULL) {
    bmff_box_get_reader (stsc, &self->stsc);
    bmff_reader_skip (&self->stsc, 8);
    walk_next_stsc (self);
  }

  return TRUE;
}

/* TRUE while there are chunks in this file; self->chunk is past the one given. */
static gboolean
walk_next (ChunkWalk *self)
{
  while (self->chunk < self->n_chunks) {
    while (self->first_chunk <= self->chunk) {
      self->local = bmff_track_is_local (self->track, self->next_description);
      walk_next_stsc (self);
    }
    self->chunk++;
    if (self->local)
      return TRUE;
  }

  return FALSE;
}

static guint8 *
chunk_at (const ChunkWalk *self, guint8 *payload)
{
  return payload + 8 + chunk_size (self->box) * (gsize) (self->chunk - 1);
}

/* Whether a chunk would pass 32 bits. */
static gboolean
needs_co64 (ChunkWalk *self, const BmffMover *mover)
{
  guint8 *payload = (guint8 *) g_bytes_get_data (self->box->payload, NULL);

  if (self->box->type == CO64)
    return FALSE;
  while (walk_next (self))
    if (bmff_mover_move (mover, bmff_get_u32 (chunk_at (self, payload))) >
        G_MAXUINT32)
      return TRUE;

  return FALSE;
}

/* stco as a co64 of the same offsets. */
static void
make_co64 (BmffBox *box)
{
  BmffReader reader;
  BmffWriter *writer;
  guint32 n, i;

  bmff_box_get_reader (box, &reader);
  bmff_reader_skip (&reader, 4);
  n = bmff_reader_u32 (&reader);
  writer = bmff_writer_new (8 + 8 * (gsize) n);
  bmff_writer_u32 (writer, 0);
  bmff_writer_u32 (writer, n);
  for (i = 0; i < n; i++)
    bmff_writer_u64 (writer, bmff_reader_u32 (&reader));
  box->type = CO64;
  bmff_box_set_payload (box, bmff_writer_end (writer));
}

static void
move_chunks (ChunkWalk *self, const BmffMover *mover)
{
  guint8 *payload = bmff_box_edit_payload (self->box, NULL);

  while (walk_next (self)) {
    guint8 *p = chunk_at (self, payload);

    if (self->box->type == CO64)
      bmff_put_u64 (p, bmff_mover_move (mover, bmff_get_u64 (p)));
    else
      bmff_put_u32 (p, (guint32) bmff_mover_move (mover, bmff_get_u32 (p)));
  }
}

/* Makes all stco that need it co64. */
static gboolean
grow_movie (BmffMovie *movie, const BmffMover *mover, gboolean *grown,
    GError **error)
{
  GError *local_error = NULL;
  ChunkWalk walk;
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    if (walk_init (&walk, g_ptr_array_index (movie->tracks, i), &local_error) &&
        needs_co64 (&walk, mover)) {
      make_co64 (walk.box);
      *grown = TRUE;
    }
    if (local_error != NULL) {
      g_propagate_error (error, local_error);
      return FALSE;
    }
  }

  return TRUE;
}

gboolean
bmff_movie_move_chunks (BmffMovie *movie, BmffMoveFunc move, gpointer user_data,
    gboolean *grown, GError **error)
{
  BmffMover mover = { move, user_data };
  gboolean any = FALSE;
  ChunkWalk walk;
  guint i;

  if (!grow_movie (movie, &mover, &any, error))
    return FALSE;
  /* Moved only when all fit: a second call has to find where chunks were. */
  for (i = 0; !any && i < movie->tracks->len; i++)
    if (walk_init (&walk, g_ptr_array_index (movie->tracks, i), NULL))
      move_chunks (&walk, &mover);
  if (grown != NULL)
    *grown = any;

  return TRUE;
}
