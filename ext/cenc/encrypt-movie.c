/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-movie.h"

#include "cenc/decrypt-writer.h"
#include "cenc/encrypt-aux.h"
#include "cenc/encrypt-ftyp.h"
#include "gst/cenc/cenc-track.h"
#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-mixed.h"

#define FOURCC_FTYP BMFF_FOURCC ('f', 't', 'y', 'p')
#define FOURCC_MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')
#define FOURCC_MVEX BMFF_FOURCC ('m', 'v', 'e', 'x')
#define FOURCC_META BMFF_FOURCC ('m', 'e', 't', 'a')

static gboolean
wrap_entries (const BmffTrack *track, const CencParams *params, guint n,
    GError **error)
{
  GPtrArray *entries = track->stsd->children;
  guint i;

  for (i = 0; i < n; i++) {
    if (!cenc_entry_wrap (g_ptr_array_index (entries, i), track->handler,
            params, error)) {
      g_prefix_error (error, "track %u: ", track->id);
      return FALSE;
    }
  }
  return TRUE;
}

/* Copies of the clear entries behind the protected ones, for the clear lead. */
static void
copy_entries (const BmffTrack *track)
{
  GPtrArray *entries = track->stsd->children;
  guint i, n = entries->len;
  gsize size;

  for (i = 0; i < n; i++)
    bmff_box_append (track->stsd,
        bmff_box_copy (g_ptr_array_index (entries, i)));
  bmff_put_u32 (bmff_box_edit_payload (track->stsd, &size) + 4, 2 * n);
}

/* Tracks that stay clear: protected all the same, by someone else? */
static gboolean
check_clear (const BmffTrack *track, GError **error)
{
  guint i = 1;
  const BmffBox *entry;

  for (; (entry = bmff_track_get_entry (track, i)); i++) {
    if (cenc_entry_type_is_protected (entry->type)) {
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_PROTECTED,
          "track %u is encrypted already: its sample entry is "
          "'%" BMFF_FOURCC_FORMAT "'",
          track->id, BMFF_FOURCC_ARGS (entry->type));
      return FALSE;
    }
  }
  return TRUE;
}

/* Samples behind the clear lead of a progressive file have subsamples, and ffmpeg
 * takes none in cbcs without a pattern: 1:0 is every whole block, as 0:0 is. */
static void
tell_pattern (CencParams *params)
{
  if (params->scheme == CENC_SCHEME_CBCS && params->crypt_byte_block == 0)
    params->crypt_byte_block = 1;
}

static gboolean
protect_track (BmffMovie *movie, const BmffTrack *track, EncryptPlan *plan,
    GError **error)
{
  EncryptTrack *encrypted;
  CencParams params;

  if (!check_clear (track, error) ||
      !encrypt_plan_take_track (plan, track, &encrypted, error))
    return FALSE;
  if (!encrypted)
    return TRUE;
  if (!encrypt_aux_check (track->stbl, track->id, error) ||
      !encrypt_aux_check (track->trak, track->id, error))
    return FALSE;
  params = *encrypt_track_get_params (encrypted);
  if (encrypt_plan_get_clear_lead (plan) > 0) {
    copy_entries (track);
    if (!movie->fragmented)
      tell_pattern (&params);
  }
  /* Only a run of several blocks can be cut off. */
  if (params.crypt_byte_block > 1)
    decrypt_writer_hide (movie);
  return wrap_entries (track, &params, encrypt_track_get_n_entries (encrypted),
      error);
}

gboolean
encrypt_movie_add_pssh (BmffMovie *movie, const EncryptPlan *plan,
    const GPtrArray *keys, GError **error)
{
  g_autoptr (GPtrArray) boxes = encrypt_plan_make_pssh (plan, keys, error);
  guint i;

  if (!boxes)
    return FALSE;
  g_ptr_array_set_free_func (boxes, NULL);
  for (i = 0; i < boxes->len; i++)
    bmff_box_append (movie->moov, g_ptr_array_index (boxes, i));
  return TRUE;
}

BmffMovie *
encrypt_movie_new_bare (BmffBox *moov, EncryptPlan *plan, GError **error)
{
  g_autoptr (BmffMovie) movie = bmff_movie_new (moov, error);
  guint i;

  if (!movie)
    return NULL;
  for (i = 0; i < movie->tracks->len; i++) {
    if (!protect_track (movie, g_ptr_array_index (movie->tracks, i), plan,
            error))
      return NULL;
  }
  return g_steal_pointer (&movie);
}

BmffMovie *
encrypt_movie_new (BmffBox *moov, EncryptPlan *plan, GError **error)
{
  g_autoptr (BmffMovie) movie = encrypt_movie_new_bare (moov, plan, error);

  return movie && encrypt_movie_add_pssh (movie, plan, NULL, error)
      ? g_steal_pointer (&movie)
      : NULL;
}

gboolean
encrypt_movie_is_fragmented (const BmffBox *moov)
{
  return bmff_box_child (moov, FOURCC_MVEX) != NULL;
}

gboolean
encrypt_movie_check_empty (const BmffMovie *movie, GError **error)
{
  guint i;

  for (i = 0; i < movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (movie->tracks, i);
    g_autoptr (BmffSampleTable) table =
        bmff_sample_table_new_from_stbl (track->stbl, error);

    if (!table)
      return FALSE;
    if (bmff_sample_table_get_count (table) > 0) {
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_UNSUPPORTED,
          "track %u: the moov has samples of its own, amid fragments, and no "
          "mvex",
          track->id);
      return FALSE;
    }
  }
  return TRUE;
}

/* Behind which place of the input everything moves, and whether an item is there. */
typedef struct
{
  guint64 fixed;
  gboolean found;
} ItemCheck;

static guint64
refuse_move (guint64 offset, gpointer user_data)
{
  ItemCheck *check = user_data;

  check->found = check->found || offset >= check->fixed;
  return offset;
}

static gboolean
check_meta (BmffBox *meta, guint64 fixed, GError **error)
{
  ItemCheck check = { fixed, FALSE };

  if (!bmff_meta_move_items (meta, refuse_move, &check, error))
    return FALSE;
  if (check.found)
    bmff_box_set_error (meta, error, BMFF_ERROR_UNSUPPORTED,
        "its items stand at places of the file that move");
  return !check.found;
}

gboolean
encrypt_movie_check_items (const BmffMovie *movie, BmffBox *meta,
    gboolean moved, GError **error)
{
  guint i;

  /* What is behind it moves, and by how much is not known yet. */
  if (meta)
    return check_meta (meta, moved ? 0 : meta->offset + meta->parsed_size,
        error);
  meta = bmff_box_child (movie->moov, FOURCC_META);
  if (meta && !check_meta (meta, 0, error))
    return FALSE;
  for (i = 0; i < movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (movie->tracks, i);

    meta = bmff_box_child (track->trak, FOURCC_META);
    if (meta && !check_meta (meta, 0, error))
      return FALSE;
  }
  return TRUE;
}

static GBytes *
protect_header (GBytes *box, guint32 type, EncryptPlan *plan,
    gboolean *fragmented, GError **error)
{
  g_autoptr (BmffMovie) movie = NULL;
  BmffBox *moov;

  if (type == FOURCC_FTYP)
    return encrypt_ftyp_protect (box, plan);
  if (type != FOURCC_MOOV)
    return g_bytes_ref (box);
  moov = bmff_box_parse (box, 0, error);
  if (!moov)
    return NULL;
  if (!encrypt_movie_is_fragmented (moov)) {
    bmff_box_free (moov);
    return g_bytes_new (NULL, 0);
  }
  *fragmented = TRUE;
  movie = encrypt_movie_new (moov, plan, error);
  return movie && bmff_mixed_take (movie, NULL, error)
      ? bmff_box_to_bytes (movie->moov)
      : NULL;
}

static gboolean
next_header (const guint8 *data, gsize size, BmffHeader *header, GError **error)
{
  if (bmff_header_parse (header, data, size) == BMFF_HEADER_OK &&
      header->size > 0 && header->size <= size)
    return TRUE;
  g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT,
      "the stream headers in the caps are not whole boxes");
  return FALSE;
}

GBytes *
encrypt_headers_protect (GBytes *headers, EncryptPlan *plan,
    gboolean *fragmented, GError **error)
{
  gsize size, pos;
  const guint8 *data = g_bytes_get_data (headers, &size);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  BmffHeader header;

  *fragmented = FALSE;
  for (pos = 0; pos < size; pos += header.size) {
    g_autoptr (GBytes) box = NULL;
    g_autoptr (GBytes) made = NULL;

    if (!next_header (data + pos, size - pos, &header, error))
      return NULL;
    box = g_bytes_new_from_bytes (headers, pos, header.size);
    made = protect_header (box, header.type, plan, fragmented, error);
    if (!made)
      return NULL;
    g_byte_array_append (out, g_bytes_get_data (made, NULL),
        g_bytes_get_size (made));
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

guint64
encrypt_box_position (const BmffBox *parent, const BmffBox *child)
{
  guint64 position = bmff_box_get_size (parent);
  guint i = parent->children->len;

  if (parent->trailer)
    position -= g_bytes_get_size (parent->trailer);
  do
    position -= bmff_box_get_size (g_ptr_array_index (parent->children, --i));
  while (g_ptr_array_index (parent->children, i) != child);
  return position;
}
