/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/isobmff/bmff-movie.h"

#include <string.h>

/* A FullBox that has to be there. */
static gboolean
open_full (const BmffBox *parent, guint32 type, const BmffBox **box,
    BmffReader *reader, guint8 *version, GError **error)
{
  *box = bmff_box_child (parent, type);
  if (*box == NULL) {
    bmff_box_set_error (parent, error, BMFF_ERROR_INVALID,
        "it has no %" BMFF_FOURCC_FORMAT, BMFF_FOURCC_ARGS (type));
    return FALSE;
  }

  return bmff_box_get_full_reader (*box, reader, version, NULL, error);
}

/* The times at the start of mvhd and mdhd: both have them in this order. */
static void
read_times (BmffReader *reader, guint8 version, guint32 *timescale,
    guint64 *duration)
{
  guint64 unknown = version == 1 ? G_MAXUINT64 : G_MAXUINT32;

  bmff_reader_skip (reader, version == 1 ? 16 : 8);
  *timescale = bmff_reader_u32 (reader);
  *duration = bmff_reader_uint (reader, version == 1 ? 8 : 4);
  if (*duration == unknown)
    *duration = 0;
}

/* 8.4.2.3; QuickTime's numbers, which are no packed letters, become `und`. */
static void
read_language (BmffReader *reader, gchar *language)
{
  guint16 packed = bmff_reader_u16 (reader);
  guint i;

  for (i = 0; i < 3; i++) {
    guint letter = packed >> (10 - 5 * i) & 31;

    if (letter < 1 || letter > 26) {
      strcpy (language, "und");
      return;
    }
    language[i] = (gchar) (0x60 + letter);
  }
}

static gboolean
read_tkhd (BmffTrack *self, GError **error)
{
  const BmffBox *box;
  BmffReader reader;
  guint8 version;

  if (!open_full (self->trak, BMFF_FOURCC ('t', 'k', 'h', 'd'), &box, &reader,
          &version, error))
    return FALSE;
  bmff_reader_skip (&reader, version == 1 ? 16 : 8);
  self->id = bmff_reader_u32 (&reader);
  if (!bmff_box_check_end (box, &reader, error))
    return FALSE;
  if (self->id == 0) {
    bmff_box_set_error (box, error, BMFF_ERROR_INVALID, "track id 0");
    return FALSE;
  }

  return TRUE;
}

static gboolean
read_mdhd (BmffTrack *self, const BmffBox *mdia, GError **error)
{
  const BmffBox *box;
  BmffReader reader;
  guint8 version;

  if (!open_full (mdia, BMFF_FOURCC ('m', 'd', 'h', 'd'), &box, &reader,
          &version, error))
    return FALSE;
  read_times (&reader, version, &self->timescale, &self->duration);
  read_language (&reader, self->language);

  return bmff_box_check_end (box, &reader, error);
}

static gboolean
read_hdlr (BmffTrack *self, const BmffBox *mdia, GError **error)
{
  const BmffBox *box;
  BmffReader reader;

  if (!open_full (mdia, BMFF_FOURCC ('h', 'd', 'l', 'r'), &box, &reader, NULL,
          error))
    return FALSE;
  bmff_reader_skip (&reader, 4);
  self->handler = bmff_reader_u32 (&reader);

  return bmff_box_check_end (box, &reader, error);
}

/* Width and height are at one place in all VisualSampleEntry, 12.1.3. */
static void
read_dimensions (BmffTrack *self)
{
  BmffReader reader;

  if (self->handler != BMFF_HANDLER_VIDEO || self->stsd->children->len == 0)
    return;
  bmff_box_get_reader (g_ptr_array_index (self->stsd->children, 0), &reader);
  bmff_reader_skip (&reader, 24);
  self->width = bmff_reader_u16 (&reader);
  self->height = bmff_reader_u16 (&reader);
}

/* One entry of a dref: FALSE if it is not there as a box. */
static gboolean
read_data_reference (BmffReader *reader, guint8 *local)
{
  gsize left = bmff_reader_left (reader);
  BmffReader box = *reader;
  BmffHeader header;
  guint32 flags;

  if (bmff_header_parse (&header, bmff_reader_bytes (&box, left), left) !=
          BMFF_HEADER_OK ||
      header.size == 0 || header.size > left)
    return FALSE;
  box = bmff_reader_sub (reader, header.size);
  bmff_reader_skip (&box, header.header_size);
  flags = bmff_reader_u32 (&box);
  *local = flags & 1 && header.type != BMFF_FOURCC ('i', 'm', 'd', 't') &&
      header.type != BMFF_FOURCC ('s', 'n', 'i', 'm');

  return bmff_reader_ok (&box);
}

/* data_reference_index has 16 bits. */
#define MAX_DATA_REFERENCES 65535

GByteArray *
bmff_dref_read (const BmffBox *dref)
{
  GByteArray *locals = g_byte_array_new ();
  guint8 local = TRUE;
  BmffReader reader;
  guint32 n;

  /* Nothing is at 0. */
  g_byte_array_append (locals, &local, 1);
  bmff_box_get_reader (dref, &reader);
  bmff_reader_skip (&reader, 4);
  n = bmff_reader_u32 (&reader);
  n = MIN (n, MAX_DATA_REFERENCES);
  for (; n > 0 && read_data_reference (&reader, &local); n--)
    g_byte_array_append (locals, &local, 1);

  return locals;
}

/* Which sample entries have their samples in this file. */
static void
read_locals (BmffTrack *self)
{
  BmffBox *dref = bmff_box_find (self->trak, "mdia/minf/dinf/dref");
  GPtrArray *entries = self->stsd->children;
  g_autoptr (GByteArray) references = NULL;
  guint8 *locals = g_new (guint8, entries->len);
  guint i;

  for (i = 0; i < entries->len; i++)
    locals[i] = TRUE;
  self->local = g_bytes_new_take (locals, entries->len);
  if (dref == NULL)
    return;
  references = bmff_dref_read (dref);
  for (i = 0; i < entries->len; i++) {
    BmffReader reader;
    guint16 index;

    bmff_box_get_reader (g_ptr_array_index (entries, i), &reader);
    bmff_reader_skip (&reader, 6);
    index = bmff_reader_u16 (&reader);
    if (index < references->len)
      locals[i] = references->data[index];
  }
}

static gboolean
read_track (BmffTrack *self, GError **error)
{
  BmffBox *mdia = bmff_box_child (self->trak, BMFF_FOURCC ('m', 'd', 'i', 'a'));

  if (!read_tkhd (self, error))
    return FALSE;
  if (mdia == NULL) {
    bmff_box_set_error (self->trak, error, BMFF_ERROR_INVALID,
        "track %u has no mdia", self->id);
    return FALSE;
  }
  if (!read_mdhd (self, mdia, error) || !read_hdlr (self, mdia, error))
    return FALSE;
  self->stbl = bmff_box_find (mdia, "minf/stbl");
  if (self->stbl != NULL)
    self->stsd = bmff_box_child (self->stbl, BMFF_FOURCC ('s', 't', 's', 'd'));
  if (self->stsd == NULL) {
    bmff_box_set_error (self->trak, error, BMFF_ERROR_INVALID,
        "track %u has no stsd", self->id);
    return FALSE;
  }
  if (!bmff_box_parse_stsd (self->stsd, self->handler, error))
    return FALSE;
  read_dimensions (self);
  read_locals (self);

  return TRUE;
}

static void
track_free (BmffTrack *self)
{
  g_clear_pointer (&self->local, g_bytes_unref);
  g_free (self);
}

static gboolean
add_track (BmffMovie *self, BmffBox *trak, GError **error)
{
  BmffTrack *track = g_new0 (BmffTrack, 1);
  const BmffTrack *other;

  track->trak = trak;
  if (!read_track (track, error)) {
    track_free (track);
    return FALSE;
  }
  other = bmff_movie_get_track (self, track->id);
  g_ptr_array_add (self->tracks, track);
  if (self->tracks->len > BMFF_MAX_TRACKS) {
    bmff_box_set_error (trak, error, BMFF_ERROR_LIMIT, "more than %u tracks",
        BMFF_MAX_TRACKS);
    return FALSE;
  }
  if (other == NULL)
    return TRUE;
  bmff_box_set_error (trak, error, BMFF_ERROR_INVALID,
      "a second track with id %u", track->id);

  return FALSE;
}

/* 8.8.3. One for a track that is not there does no harm. */
static gboolean
read_trex (BmffMovie *self, const BmffBox *box, GError **error)
{
  BmffReader reader;
  BmffTrack *track;

  if (!bmff_box_get_full_reader (box, &reader, NULL, NULL, error))
    return FALSE;
  track = bmff_movie_get_track (self, bmff_reader_u32 (&reader));
  if (track == NULL)
    return bmff_box_check_end (box, &reader, error);
  track->has_trex = TRUE;
  track->trex.description_index = bmff_reader_u32 (&reader);
  track->trex.duration = bmff_reader_u32 (&reader);
  track->trex.size = bmff_reader_u32 (&reader);
  track->trex.flags = bmff_reader_u32 (&reader);

  return bmff_box_check_end (box, &reader, error);
}

static gboolean
read_mvex (BmffMovie *self, GError **error)
{
  BmffBox *mvex = bmff_box_child (self->moov, BMFF_FOURCC ('m', 'v', 'e', 'x'));
  guint i;

  self->fragmented = mvex != NULL;
  for (i = 0; mvex != NULL && i < mvex->children->len; i++) {
    BmffBox *box = g_ptr_array_index (mvex->children, i);

    if (box->type == BMFF_FOURCC ('t', 'r', 'e', 'x') &&
        !read_trex (self, box, error))
      return FALSE;
  }

  return TRUE;
}

static gboolean
read_mvhd (BmffMovie *self, GError **error)
{
  const BmffBox *box;
  BmffReader reader;
  guint8 version;

  if (!open_full (self->moov, BMFF_FOURCC ('m', 'v', 'h', 'd'), &box, &reader,
          &version, error))
    return FALSE;
  read_times (&reader, version, &self->timescale, &self->duration);

  return bmff_box_check_end (box, &reader, error);
}

/* A trak with a damaged name: its samples would pass as nobody's. */
static BmffMovie *
refuse_hidden_trak (const BmffBox *box, GError **error)
{
  bmff_box_set_error (box, error, BMFF_ERROR_INVALID,
      "a tkhd in what is no trak");
  return NULL;
}

BmffMovie *
bmff_movie_new (BmffBox *moov, GError **error)
{
  g_autoptr (BmffMovie) self = g_new0 (BmffMovie, 1);
  guint i;

  self->moov = moov;
  self->tracks = g_ptr_array_new_with_free_func ((GDestroyNotify) track_free);
  if (moov->type != BMFF_FOURCC ('m', 'o', 'o', 'v') ||
      moov->children == NULL) {
    bmff_box_set_error (moov, error, BMFF_ERROR_INVALID, "it is no moov");
    return NULL;
  }
  if (!read_mvhd (self, error))
    return NULL;
  for (i = 0; i < moov->children->len; i++) {
    BmffBox *box = g_ptr_array_index (moov->children, i);

    if (bmff_box_hides (box, BMFF_FOURCC ('t', 'k', 'h', 'd')))
      return refuse_hidden_trak (box, error);
    if (box->type == BMFF_FOURCC ('t', 'r', 'a', 'k') &&
        !add_track (self, box, error))
      return NULL;
  }
  if (!read_mvex (self, error))
    return NULL;

  return g_steal_pointer (&self);
}

void
bmff_movie_free (BmffMovie *self)
{
  if (self == NULL)
    return;
  bmff_box_free (self->moov);
  g_ptr_array_unref (self->tracks);
  g_free (self);
}

BmffTrack *
bmff_movie_get_track (const BmffMovie *self, guint32 track_id)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    BmffTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->id == track_id)
      return track;
  }

  return NULL;
}

BmffBox *
bmff_track_get_entry (const BmffTrack *self, guint32 description_index)
{
  /* 0 wraps, and is out of range like all that is too large. */
  if (description_index - 1 >= self->stsd->children->len)
    return NULL;

  return g_ptr_array_index (self->stsd->children, description_index - 1);
}

gboolean
bmff_track_is_local (const BmffTrack *self, guint32 description_index)
{
  gsize n;
  const guint8 *local = g_bytes_get_data (self->local, &n);

  return description_index - 1 >= n || local[description_index - 1];
}
